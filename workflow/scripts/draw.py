"""Figures, each as SVG, PDF and PNG."""

from pathlib import Path

from framing.edge import read_build, read_results, speaking
from framing.files import write_bytes
from framing.output.captions import lettering, load_specs
from framing.output.context import named
from framing.output.drawings import draw

with speaking(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    specs = load_specs(Path(given.captions))
    words = lettering(specs, named(params.config, read_build(given.codes), params.confirmed))
    made = draw(params.figures, read_results(given, specs), words)
    for name, data in made.items():
        write_bytes(Path("results") / name, data)
