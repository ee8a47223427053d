"""T9-robustness and T16-specifications."""

from framing.common.build import (
    read_codings_table,
    read_passage_frame,
    read_predictions,
    read_scores,
    speaking,
)
from framing.common.config import OURS
from framing.tables.io import publish
from framing.tables.robustness import robustness_table, specification_table
from framing.tables.specifications import material

with speaking(snakemake.log[0]):
    mark = snakemake.params.mark
    given, config = snakemake.input, snakemake.params.config
    scores = read_scores(given.scores)
    arrays = material(
        read_passage_frame(given.passages),
        read_codings_table(given.codings),
        scores[scores["code"].isin(snakemake.params.codes)],
        read_predictions(given.predictions),
        config,
        OURS,
    )
    table = specification_table(arrays, config, OURS)
    publish(snakemake.output.specifications, table, given.captions, mark)
    publish(snakemake.output.robustness, robustness_table(table), given.captions, mark)
