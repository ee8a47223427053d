"""Check derived facts against texts at hand; write words and cue hits of passages and exemplars."""

from pathlib import Path

from framing.coding.codebook import load_codebook
from framing.corpus.tables import read_passages, read_sources
from framing.edge import speaking
from framing.files import write_table
from framing.project import (
    CODEBOOK,
    PASSAGES,
    SOURCES,
    checked_facts,
    exemplar_facts,
    long_facts,
)

with speaking(snakemake.log[0]):
    config = snakemake.params.config
    codebook = load_codebook(CODEBOOK)
    sources = read_sources(SOURCES, config["groups"])
    facts = checked_facts(config, codebook, sources, read_passages(PASSAGES, sources))
    exemplars, taught = exemplar_facts(codebook)
    rows = [row for one in facts for row in one["passages"]] + taught
    write_table(Path(snakemake.output.words), long_facts(rows, "counts", "word", "count"))
    write_table(Path(snakemake.output.hits), long_facts(rows, "cues", "cue", "hits"))
    write_table(Path(snakemake.output.exemplars), exemplars)
