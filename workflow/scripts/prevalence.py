"""T4-prevalence, T5-trend, T6-contrasts, T19-association; T11-errors, T20-estimators, T21-gain."""

from framing.common.build import (
    read_build,
    read_codings_table,
    read_passage_frame,
    read_scores,
    speaking,
)
from framing.tables.association import association_table
from framing.tables.errors import errors_table
from framing.tables.estimators import gain_table, side_by_side_table
from framing.tables.io import publish
from framing.tables.shares import contrast_table, prevalence_table, trend_table

with speaking(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    passages, scores = read_passage_frame(given.passages), read_scores(given.scores)
    codes, config = read_build(given.codes), params.config
    codings = read_codings_table(given.codings)
    labels = dict(zip(codes["code"], codes["label"], strict=True))
    single = scores[scores["code"].isin(params.codes)]  # without combinations of codes
    tables = {
        "prevalence": prevalence_table(passages, scores, config, codings),
        "trend": trend_table(passages, scores, config),
        "contrasts": contrast_table(passages, scores, config, labels, codings),
        "association": association_table(passages, scores, config, params.codes),
        "errors": errors_table(passages, single, config),
        "estimators": side_by_side_table(passages, single, config),
        "gain": gain_table(passages, single, config),
    }
    for name, table in tables.items():
        publish(snakemake.output[name], table, given.captions, params.mark)
