"""Cross-fit one code over the passages of sampled sources and train its final classifier."""

from pathlib import Path

from framing.classifier.model_file import model_text
from framing.classifier.read_inputs import read_tables
from framing.classifier.training import train_code
from framing.common.build import speaking
from framing.common.files import write_table, write_text

with speaking(snakemake.log[0]):
    tables = read_tables(snakemake.input)
    code, settings = snakemake.wildcards.code, snakemake.params.config["classifier"]
    scores, model, fits = train_code(code, tables, settings)
    write_table(Path(snakemake.output.scores), scores)
    write_text(Path(snakemake.output.fits), fits)
    write_text(Path(snakemake.output.model), model_text(model))
