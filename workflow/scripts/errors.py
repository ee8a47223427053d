"""T11-errors, T20-estimators and T21-gain."""

from framing.edge import publish, read_passage_frame, read_scores, speaking
from framing.inference.errors import errors_table
from framing.inference.gain import gain_table, side_by_side_table

with speaking(snakemake.log[0]):
    mark = snakemake.params.mark
    scores = read_scores(snakemake.input.scores)
    scores = scores[scores["code"].isin(snakemake.params.codes)]
    passages = read_passage_frame(snakemake.input.passages)
    out, config, captions = snakemake.output, snakemake.params.config, snakemake.input.captions
    publish(out.errors, errors_table(passages, scores, config), captions, mark)
    publish(out.estimators, side_by_side_table(passages, scores, config), captions, mark)
    publish(out.gain, gain_table(passages, scores, config), captions, mark)
