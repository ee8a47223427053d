"""T12-keyness."""

from framing.edge import (
    publish,
    read_build,
    read_passage_frame,
    read_scores,
    read_words,
    speaking,
)
from framing.inference.keyness import keyness_table

with speaking(snakemake.log[0]):
    given = snakemake.input
    codes = read_build(given.codes)
    table = keyness_table(
        read_passage_frame(given.passages),
        read_scores(given.scores),
        read_words(given.words),
        snakemake.params.config,
        dict(zip(codes["code"], codes["label"], strict=True)),
    )
    publish(snakemake.output.keyness, table, given.captions, snakemake.params.mark)
