"""Say how far a new project has come and what is next; write what coders need."""

from pathlib import Path

from framing.codebook.page import render_markdown
from framing.common.build import speaking
from framing.common.files import write_table, write_text
from framing.project.load import load_started
from framing.project.status import (
    Stage,
    blank_sheet,
    first_steps,
    is_begun,
    reading_list,
    text_reader,
)

with speaking(snakemake.log[0]):
    config, out = snakemake.params.config, snakemake.output
    project, facts = load_started(config)
    for path in out.codebook:
        write_text(Path(path), render_markdown(project.codebook))
    for path in map(Path, out.sheets):
        if not is_begun(path, project.codebook):
            write_table(path, blank_sheet(project, path.stem))
    for path in out.reading:
        write_text(Path(path), reading_list(project, text_reader(config, project)))
    write_text(Path(out.page), first_steps(project, facts, Stage(snakemake.params.stage)))
