"""Check facts of further sources than the sampled ones against texts at hand; write all facts."""

from pathlib import Path

import pandas as pd

from framing.coding.codebook import load_codebook
from framing.corpus.tables import read_passages, read_sources
from framing.edge import read_build, read_passage_frame, speaking
from framing.files import write_table
from framing.problems import raise_if_any
from framing.project import (
    CODEBOOK,
    PASSAGES,
    SOURCES,
    collect,
    long_facts,
    sampled_sources,
    source_facts,
    stray_facts,
)

with speaking(snakemake.log[0]):
    config = snakemake.params.config
    codebook = load_codebook(CODEBOOK)
    sources = read_sources(SOURCES, config["groups"])
    sampled = sampled_sources(sources, read_passage_frame(snakemake.input.passages))
    part = sources[~sources["source_id"].isin(sampled)]
    problems = stray_facts(sources)
    passages = read_passages(PASSAGES, sources)
    facts = collect(problems, source_facts, config, codebook, part, passages)
    raise_if_any(problems)
    rows = [row for one in facts for row in one["passages"]]
    more = {
        "words": long_facts(rows, "counts", "word", "count"),
        "hits": long_facts(rows, "cues", "cue", "hits"),
    }
    for name, table in more.items():
        whole = pd.concat([read_build(snakemake.input[name]), table])
        write_table(Path(snakemake.output[name]), whole)
