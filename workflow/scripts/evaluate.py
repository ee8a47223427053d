"""Predict the coded passages of one code by baselines, ablations and on part of the codings."""

from pathlib import Path

from framing.edge import speaking
from framing.files import write_table
from framing.model.training import evaluate_code
from framing.model_edge import read_tables

with speaking(snakemake.log[0]):
    tables = read_tables(snakemake.input)
    config = snakemake.params.config
    predictions, learning = evaluate_code(
        snakemake.wildcards.code, tables, config["classifier"], config["evaluation"]
    )
    write_table(Path(snakemake.output.predictions), predictions)
    write_table(Path(snakemake.output.learning), learning)
