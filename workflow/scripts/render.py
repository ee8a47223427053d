"""Every table for reading, all as a workbook, the figures, the report, the terminal's headline."""

import json
from pathlib import Path

from framing.edge import read_build, read_passage_frame, read_published, speaking
from framing.files import write_bytes, write_text
from framing.output.captions import edition, load_specs
from framing.output.context import project_context
from framing.output.report import draw_all, pictures, render_all, render_workbook
from framing.output.terminal import headline

with speaking(snakemake.log[0]):
    given, config = snakemake.input, snakemake.params.config
    specs = load_specs(Path(given.captions))
    tables = {Path(p).stem: read_published(p, specs.tables[Path(p).stem]) for p in given.tables}
    provenance = json.loads(Path(given.provenance).read_text(encoding="utf-8"))
    context = project_context(
        config, read_build(given.sources), read_passage_frame(given.passages),
        read_build(given.codes), read_build(given.coders), provenance,
        snakemake.params.mark,
    )  # fmt: skip
    drawn = draw_all(tables, context, specs)
    texts = render_all(tables, context, specs, drawn)
    for name, text in texts.items():
        if not name.endswith(".csv"):  # those are the input
            write_text(Path("results") / name, text)
    for name, data in pictures(drawn).items():
        write_bytes(Path("results") / name, data)
    write_bytes(Path(snakemake.output.workbook), render_workbook(texts, context, specs))
    head = headline(tables["T4-prevalence"], edition(specs, context))
    write_text(Path(snakemake.output.headline), head)
