"""Render the codebook as a page to read."""

from pathlib import Path

from framing.coding.codebook import load_codebook, render_markdown
from framing.edge import speaking
from framing.files import write_text

with speaking(snakemake.log[0]):
    codebook = load_codebook(Path(snakemake.input.codebook))
    write_text(Path(snakemake.output[0]), render_markdown(codebook))
