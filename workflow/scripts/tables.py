"""Every table for reading, and all as a workbook."""

from pathlib import Path

from framing.common.build import read_build, read_passage_frame, speaking
from framing.common.files import read_text, write_bytes, write_text
from framing.report.report import render_tables, render_workbook
from framing.tables.context import read_edition
from framing.tables.io import read_results

with speaking(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    sources, passages = read_build(given.sources), read_passage_frame(given.passages)
    words = read_edition(given, params.config, sources, passages, params.caveat)
    written = {Path(path).stem: read_text(Path(path)) for path in given.tables}
    texts = render_tables(read_results(given, words.specs), words, written)
    for name, text in texts.items():
        if not name.endswith(".csv"):  # those are the input
            write_text(Path("results") / name, text)
    write_bytes(Path(snakemake.output.workbook), render_workbook(texts, words))
