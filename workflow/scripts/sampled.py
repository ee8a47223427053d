"""Write the passages of sampled sources, codes, coders, what these said, and them combined."""

from pathlib import Path

from framing.coding.codings import combine_coders, independent
from framing.coding.variables import code_table, variables_of
from framing.common.build import speaking, survey_table
from framing.common.files import write_table
from framing.project.load import load_project, sampled_sources

with speaking(snakemake.log[0]):
    project = load_project(snakemake.params.config, snakemake.params.states)
    sampled = project.frame["source_id"].isin(sampled_sources(project.sources, project.frame))
    codes = project.codebook.codes
    out = {name: Path(path) for name, path in snakemake.output.items()}
    write_table(out["passages"], survey_table(project.frame[sampled]))
    write_table(out["codes"], code_table(project.codebook, project.config["combinations"]))
    write_table(out["coders"], independent(project.coders, project.config["coders"]))
    write_table(out["codings"], project.codings)
    labels = combine_coders(project.codings, project.config["coders"], variables_of(codes))
    write_table(out["labels"], labels)
