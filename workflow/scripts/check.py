"""Check the whole project; write its passages, and the facts of sources that no draw reached."""

from pathlib import Path

from framing.common.build import speaking, survey_table
from framing.common.files import write_table
from framing.common.problems import collect, raise_if_any
from framing.corpus.facts import hit_table, source_facts, stray_facts, word_table
from framing.project.load import load_project, sampled_sources

with speaking(snakemake.log[0]):
    config, out = snakemake.params.config, snakemake.output
    project = load_project(config, snakemake.params.states, tried=True)
    sampled = project.sources["source_id"].isin(sampled_sources(project.sources, project.frame))
    problems = stray_facts(project.sources)
    further = project.sources[~sampled]
    facts = collect(problems, source_facts, config, project.codebook, further, project.passages)
    raise_if_any(problems)
    rows = [row for one in facts for row in one["passages"]]
    write_table(Path(out.passages), survey_table(project.frame))
    write_table(Path(out.words), word_table(rows))
    write_table(Path(out.hits), hit_table(rows))
