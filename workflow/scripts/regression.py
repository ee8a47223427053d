"""T10-regression, but for what it says of passages outside the sampled frame: see describe.py."""

from framing.classifier.scores import with_combinations
from framing.common.build import read_passage_frame, read_scores, speaking
from framing.common.paths import SOURCES
from framing.corpus.tables import read_sources
from framing.tables.io import publish
from framing.tables.regression import regression_table

with speaking(snakemake.log[0]):
    given, config = snakemake.input, snakemake.params.config
    table = regression_table(
        read_passage_frame(given.passages),
        read_sources(SOURCES, config["groups"]),
        with_combinations(read_scores(given.scores), config["combinations"]),
        config,
    )
    publish(snakemake.output.regression, table, given.captions)
