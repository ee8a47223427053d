"""The report, and the headline that a terminal shows."""

from pathlib import Path

from framing.codebook.codebook import written_codebook
from framing.common.build import read_build, read_passage_frame, speaking
from framing.common.files import read_text, write_text
from framing.report.cautions import warned
from framing.report.report import report_html
from framing.report.snakemake_report import captions
from framing.report.terminal import headline
from framing.tables.context import read_edition
from framing.tables.io import read_results

with speaking(snakemake.log[0]):
    given, params, made = snakemake.input, snakemake.params, snakemake.output
    sources, passages = read_build(given.sources), read_passage_frame(given.passages)
    words = read_edition(given, params.config, sources, passages, params.caveat, params.reading)
    tables = read_results(given, words.specs)
    words = warned(words, tables)
    figures = {Path(path).stem: read_text(Path(path)) for path in given.figures}
    write_text(
        Path(made.report),
        report_html(tables, figures, words, written_codebook(Path(given.codebook))),
    )
    for name, text in captions(words).items():
        write_text(Path(made.captions) / f"{name}.rst", text)
    write_text(Path(made.headline), headline(tables["T4-prevalence"], words))
