"""Check the whole project, then write its passages, codes and coders in tidy form."""

from pathlib import Path

import pandas as pd

from framing.edge import speaking, survey_table
from framing.files import write_table
from framing.project import load_project

with speaking(snakemake.log[0]):
    project = load_project(snakemake.params.config)
    codes = {name: code.label for name, code in project.codebook.codes.items()}
    codes |= {name: rule["label"] for name, rule in project.config["combinations"].items()}
    out = {name: Path(path) for name, path in snakemake.output.items()}
    write_table(out["passages"], survey_table(project.frame))
    write_table(out["codes"], pd.DataFrame(list(codes.items()), columns=["code", "label"]))
    write_table(out["coders"], project.coders)
