"""Check the whole project; write its passages, and the facts of sources that no draw reached."""

from pathlib import Path

from framing.edge import speaking, survey_table
from framing.files import write_table
from framing.problems import raise_if_any
from framing.project import (
    collect,
    load_project,
    long_facts,
    sampled_sources,
    source_facts,
    stray_facts,
)

with speaking(snakemake.log[0]):
    config, out = snakemake.params.config, snakemake.output
    project = load_project(config)
    sampled = project.sources["source_id"].isin(sampled_sources(project.sources, project.frame))
    problems = stray_facts(project.sources)
    further = project.sources[~sampled]
    facts = collect(problems, source_facts, config, project.codebook, further, project.passages)
    raise_if_any(problems)
    rows = [row for one in facts for row in one["passages"]]
    write_table(Path(out.passages), survey_table(project.frame))
    write_table(Path(out.words), long_facts(rows, "counts", "word", "count"))
    write_table(Path(out.hits), long_facts(rows, "cues", "cue", "hits"))
