"""T2-agreement."""

from framing.edge import publish, read_codings_table, read_passage_frame, read_scores, speaking
from framing.inference.tables import agreement_table

with speaking(snakemake.log[0]):
    passages = read_passage_frame(snakemake.input.passages)
    scores = read_scores(snakemake.input.scores)
    scores = scores[scores["code"].isin(snakemake.params.codes)]
    codings = read_codings_table(snakemake.input.codings)
    agreement = agreement_table(passages, codings, scores, snakemake.params.config)
    publish(snakemake.output.agreement, agreement, snakemake.input.captions)
