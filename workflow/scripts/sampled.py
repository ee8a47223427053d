"""Write the passages of sampled sources, codes, coders, what these said, and them combined."""

from pathlib import Path

import pandas as pd

from framing.coding.codings import combine_coders
from framing.common.build import speaking, survey_table
from framing.common.files import write_table
from framing.project.load import load_project, sampled_sources

with speaking(snakemake.log[0]):
    project = load_project(snakemake.params.config, snakemake.params.states)
    sampled = project.frame["source_id"].isin(sampled_sources(project.sources, project.frame))
    codes = {name: code.label for name, code in project.codebook.codes.items()}
    codes |= {name: rule["label"] for name, rule in project.config["combinations"].items()}
    out = {name: Path(path) for name, path in snakemake.output.items()}
    write_table(out["passages"], survey_table(project.frame[sampled]))
    write_table(out["codes"], pd.DataFrame(list(codes.items()), columns=["code", "label"]))
    write_table(out["coders"], project.coders)
    write_table(out["codings"], project.codings)
    write_table(out["labels"], combine_coders(project.codings, project.config["coders"]))
