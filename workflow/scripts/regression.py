"""T10-regression."""

from pathlib import Path

from framing.corpus.tables import read_sources
from framing.edge import publish, read_passage_frame, read_scores, speaking
from framing.inference.regression import regression_table

with speaking(snakemake.log[0]):
    mark = snakemake.params.mark
    config = snakemake.params.config
    table = regression_table(
        read_passage_frame(snakemake.input.passages),
        read_sources(Path(snakemake.input.sources), config["groups"]),
        read_scores(snakemake.input.scores),
        config,
    )
    publish(snakemake.output.regression, table, snakemake.input.captions, mark)
