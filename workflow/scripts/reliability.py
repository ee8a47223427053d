"""T2-agreement, T17-disagreements and T18-coder-shares."""

from framing.common.build import read_codings_table, read_passage_frame, read_scores, speaking
from framing.tables.disagreement import coder_share_table, disagreement_table
from framing.tables.io import publish
from framing.tables.shares import agreement_table

with speaking(snakemake.log[0]):
    mark = snakemake.params.mark
    passages = read_passage_frame(snakemake.input.passages)
    scores = read_scores(snakemake.input.scores)
    scores = scores[scores["code"].isin(snakemake.params.codes)]
    codings = read_codings_table(snakemake.input.codings)
    out, config, captions = snakemake.output, snakemake.params.config, snakemake.input.captions
    publish(out.agreement, agreement_table(passages, codings, scores, config), captions, mark)
    disagreements = disagreement_table(passages, codings, scores, config)
    publish(out.disagreements, disagreements, captions, mark)
    publish(out.shares, coder_share_table(passages, codings, scores, config), captions, mark)
