"""Check facts of sampled sources against texts at hand; write them, and the codebook's part."""

from pathlib import Path

import pandas as pd

from framing.codebook.codebook import written_codebook
from framing.common.build import read_passage_frame, speaking
from framing.common.files import write_table
from framing.common.paths import CODEBOOK, PASSAGES, SOURCES
from framing.corpus.facts import (
    exemplar_facts,
    hit_table,
    pattern_table,
    rule_table,
    source_facts,
    word_table,
)
from framing.corpus.tables import read_passages, read_sources
from framing.project.load import sampled_sources

with speaking(snakemake.log[0]):
    config = snakemake.params.config
    codebook = written_codebook(CODEBOOK)
    sources = read_sources(SOURCES, config["groups"])
    sampled = sampled_sources(sources, read_passage_frame(snakemake.input.passages))
    part = sources[sources["source_id"].isin(sampled)]
    facts = source_facts(config, codebook, part, read_passages(PASSAGES, sources))
    exemplars, taught = exemplar_facts(codebook)
    rows = [row for one in facts for row in one["passages"]] + taught
    votes = [(c.name, code, v) for c in codebook.cues for code, v in c.votes.items()]
    out = {name: Path(path) for name, path in snakemake.output.items()}
    write_table(out["words"], word_table(rows))
    write_table(out["hits"], hit_table(rows))
    write_table(out["patterns"], pattern_table(codebook))
    write_table(out["rules"], rule_table(codebook))
    write_table(out["votes"], pd.DataFrame(votes, columns=["cue", "code", "vote"]))
    write_table(out["exemplars"], exemplars)
