"""T2-agreement and T3-classifier."""

from framing.edge import publish, read_codings_table, read_passage_frame, read_scores, speaking
from framing.inference.tables import agreement_table, classifier_table

with speaking(snakemake.log[0]):
    passages = read_passage_frame(snakemake.input.passages)
    scores = read_scores(snakemake.input.scores)
    scores = scores[scores["code"].isin(snakemake.params.codes)]
    codings = read_codings_table(snakemake.input.codings)
    config = snakemake.params.config
    agreement = agreement_table(passages, codings, scores, config)
    publish(snakemake.output.agreement, agreement, snakemake.input.captions)
    quality = classifier_table(passages, scores, config, "words and cues")
    publish(snakemake.output.classifier, quality, snakemake.input.captions)
