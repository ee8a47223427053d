"""Check the formulas of regressions, before anything is worked out."""

from framing.corpus.draws import DRAWS, read_draws
from framing.corpus.tables import read_sources
from framing.edge import speaking
from framing.problems import raise_if_any
from framing.project import SOURCES, formula_problems, frame_if_right

with speaking(snakemake.log[0]):
    config = snakemake.params.config
    sources = read_sources(SOURCES, config["groups"])
    frame = frame_if_right(config, sources, read_draws(DRAWS), snakemake.params.states)
    raise_if_any(formula_problems(config, sources, frame))
