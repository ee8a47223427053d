"""How close words are to the codebook's rules, by the company they keep in sampled sources."""

from pathlib import Path

from framing.classifier.features import closeness_of
from framing.classifier.similarity import closeness_text
from framing.common.build import read_build, read_passage_frame, speaking
from framing.common.files import write_text
from framing.corpus.word_counts import read_counts

with speaking(snakemake.log[0]):
    given = snakemake.input
    passages, words = read_passage_frame(given.passages), read_counts(given.words)
    rules = read_build(given.rules, count="int64")
    settings = snakemake.params.config["classifier"]
    found = closeness_of(list(passages["passage_id"]), words, rules, settings)
    write_text(Path(snakemake.output[0]), closeness_text(found))
