"""Check the whole project but its facts; write its passages."""

from pathlib import Path

from framing.common.build import speaking, survey_table
from framing.common.files import write_table
from framing.project.load import load_project

with speaking(snakemake.log[0]):
    project = load_project(snakemake.params.config, snakemake.params.states, tried=True)
    write_table(Path(snakemake.output[0]), survey_table(project.frame))
