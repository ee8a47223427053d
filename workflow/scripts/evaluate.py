"""Predict the coded passages of one code by baselines, ablations and on part of the codings."""

from pathlib import Path

from framing.classifier.read_inputs import read_tables
from framing.classifier.training import evaluate_code
from framing.common.build import speaking
from framing.common.files import write_table

with speaking(snakemake.log[0]):
    tables = read_tables(snakemake.input)
    config = snakemake.params.config
    predictions, learning = evaluate_code(
        snakemake.wildcards.code, tables, config["classifier"], config["evaluation"],
        snakemake.params.everywhere,
    )  # fmt: skip
    write_table(Path(snakemake.output.predictions), predictions)
    write_table(Path(snakemake.output.learning), learning)
