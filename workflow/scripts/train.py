"""Cross-fit one code over the passages of sampled sources and train its final classifier."""

from pathlib import Path

from framing.edge import speaking
from framing.files import write_table, write_text
from framing.model.stored import model_text
from framing.model.training import train_code
from framing.model_edge import read_tables

with speaking(snakemake.log[0]):
    tables = read_tables(snakemake.input)
    code, settings = snakemake.wildcards.code, snakemake.params.config["classifier"]
    scores, model, fits = train_code(code, tables, settings)
    write_table(Path(snakemake.output.scores), scores)
    write_text(Path(snakemake.output.fits), fits)
    write_text(Path(snakemake.output.model), model_text(model))
