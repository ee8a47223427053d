"""T11-errors."""

from framing.edge import publish, read_passage_frame, read_scores, speaking
from framing.inference.errors import errors_table

with speaking(snakemake.log[0]):
    scores = read_scores(snakemake.input.scores)
    scores = scores[scores["code"].isin(snakemake.params.codes)]
    passages = read_passage_frame(snakemake.input.passages)
    table = errors_table(passages, scores, snakemake.params.config)
    publish(snakemake.output.errors, table, snakemake.input.captions)
