"""Embed the prose of every passage and exemplar with the configured encoder."""

from pathlib import Path

from framing.classifier.encoder import embed
from framing.codebook.codebook import load_codebook
from framing.common.build import embedding_table, speaking
from framing.common.files import write_table
from framing.common.paths import CODEBOOK, PASSAGES, SOURCES
from framing.corpus.facts import all_prose
from framing.corpus.tables import read_passages, read_sources

with speaking(snakemake.log[0]):
    config = snakemake.params.config
    sources = read_sources(SOURCES, config["groups"])
    passages = read_passages(PASSAGES, sources)
    prose = all_prose(config, load_codebook(CODEBOOK), sources, passages)
    vectors = embed(snakemake.params.encoder, list(prose.values()))
    write_table(Path(snakemake.output[0]), embedding_table(list(prose), vectors))
