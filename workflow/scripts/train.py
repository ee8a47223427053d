"""Cross-fit one code over all passages and train its final classifier."""

from pathlib import Path

from framing.edge import read_build, read_passage_frame, speaking
from framing.files import write_table, write_text
from framing.model.stored import model_text
from framing.model.training import train_code

with speaking(snakemake.log[0]):
    scores, model = train_code(
        snakemake.wildcards.code,
        read_passage_frame(snakemake.input.passages),
        read_build(snakemake.input.labels, label="int64"),
        read_build(snakemake.input.words, count="int64"),
        read_build(snakemake.input.hits, hits="int64"),
        read_build(snakemake.input.votes, vote="int64"),
        read_build(snakemake.input.exemplars, label="int64"),
        snakemake.params.classifier,
    )
    write_table(Path(snakemake.output.scores), scores)
    write_text(Path(snakemake.output.model), model_text(model))
