"""Render the codebook as a page to read."""

from pathlib import Path

from framing.codebook.codebook import written_codebook
from framing.codebook.page import render_markdown
from framing.common.build import speaking
from framing.common.files import write_text

with speaking(snakemake.log[0]):
    codebook = written_codebook(Path(snakemake.input.codebook))
    write_text(Path(snakemake.output[0]), render_markdown(codebook))
