"""T10-regression, but for what it says of passages outside the sampled frame: see describe.py."""

import pandas as pd

from framing.corpus.tables import read_sources
from framing.edge import publish, read_passage_frame, read_scores, speaking
from framing.inference.regression import regression_table
from framing.model.scores import combine_codes
from framing.project import SOURCES

with speaking(snakemake.log[0]):
    given, config = snakemake.input, snakemake.params.config
    scores = read_scores(given.scores)
    combined = combine_codes(scores, config["combinations"])
    table = regression_table(
        read_passage_frame(given.passages),
        read_sources(SOURCES, config["groups"]),
        pd.concat([scores.astype({"code": str}), combined], ignore_index=True),
        config,
    )
    publish(snakemake.output.regression, table, given.captions)
