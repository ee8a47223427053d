"""Figures, each as SVG, PDF and PNG."""

from pathlib import Path

from framing.common.build import read_build, speaking
from framing.common.files import write_bytes
from framing.report.draw_figures import draw
from framing.tables.captions import lettering
from framing.tables.context import named
from framing.tables.io import read_results
from framing.tables.specs import load_specs

with speaking(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    specs = load_specs()
    words = lettering(specs, named(params.config, read_build(given.codes), params.confirmed))
    made = draw(params.figures, read_results(given, specs), words)
    for name, data in made.items():
        write_bytes(Path("results") / name, data)
