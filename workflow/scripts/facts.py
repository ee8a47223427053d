"""Check a part of the facts, against texts at hand; write words and hits of its passages."""

from pathlib import Path

from framing.classifier.features import stem
from framing.codebook.codebook import written_codebook
from framing.common.build import speaking
from framing.common.files import write_table
from framing.common.paths import CODEBOOK, SOURCES
from framing.common.problems import collect, raise_if_any
from framing.corpus.facts import source_facts, tables_of_facts
from framing.corpus.tables import read_sources
from framing.corpus.word_counts import write_counts
from framing.project.parts import noted_sources, passages_of, strays_of

with speaking(snakemake.log[0]):
    config, out = snakemake.params.config, snakemake.output
    note = Path(snakemake.input.note)
    sources = read_sources(SOURCES, config["groups"])
    problems = strays_of(note, sources)
    names = noted_sources(note)
    part = sources.set_index("source_id").loc[names].reset_index()
    codebook = written_codebook(CODEBOOK)
    facts = source_facts(config, codebook, part, passages_of(names))
    made = collect(problems, tables_of_facts, facts, stem)
    raise_if_any(problems)
    words, hits = made
    write_table(Path(out.hits), hits)
    write_counts(Path(out.words), words)
