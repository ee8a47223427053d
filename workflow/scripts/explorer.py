"""The passage explorer, without prose."""

from pathlib import Path

from framing.common.build import speaking
from framing.common.files import write_text
from framing.report.explorer import explorer_html, load_explorer

with speaking(snakemake.log[0]):
    params = snakemake.params
    _, data, words = load_explorer(snakemake.input, params.config, params.caveat, params.held_out)
    write_text(Path(snakemake.output[0]), explorer_html(data, words))
