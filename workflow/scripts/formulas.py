"""Check the formulas of regressions, before anything is worked out."""

from framing.common.build import speaking
from framing.common.paths import SOURCES
from framing.common.problems import raise_if_any
from framing.corpus.tables import read_sources
from framing.project.load import formula_problems, frame_if_right
from framing.sampling.draw import DRAWS
from framing.sampling.records import read_draws

with speaking(snakemake.log[0]):
    config = snakemake.params.config
    sources = read_sources(SOURCES, config["groups"])
    frame = frame_if_right(config, sources, read_draws(DRAWS), snakemake.params.states)
    raise_if_any(formula_problems(config, sources, frame))
