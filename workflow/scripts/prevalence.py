"""T4-prevalence, T5-trend, T6-contrasts and T19-association."""

from framing.edge import publish, read_build, read_passage_frame, read_scores, speaking
from framing.inference.association import association_table
from framing.inference.tables import contrast_table, prevalence_table, trend_table

with speaking(snakemake.log[0]):
    mark = snakemake.params.mark
    passages = read_passage_frame(snakemake.input.passages)
    scores = read_scores(snakemake.input.scores)
    codes = read_build(snakemake.input.codes)
    config = snakemake.params.config
    labels = dict(zip(codes["code"], codes["label"], strict=True))
    tables = {
        "prevalence": prevalence_table(passages, scores, config),
        "trend": trend_table(passages, scores, config),
        "contrasts": contrast_table(passages, scores, config, labels),
        "association": association_table(passages, scores, config, snakemake.params.codes),
    }
    for name, table in tables.items():
        publish(snakemake.output[name], table, snakemake.input.captions, mark)
