"""The project as an import of codings needs it."""

from __future__ import annotations

from framing.acquire.codings.check import State
from framing.codebook.codebook import written_codebook
from framing.coding.codings import read_coders
from framing.common.config import load_config
from framing.common.paths import CODEBOOK, CODERS, CONFIG, PASSAGES, SAMPLE, SOURCES
from framing.common.problems import InputError, Problem
from framing.corpus.tables import read_passages, read_sample, read_sources
from framing.project.load import project_reading
from framing.sampling.draw import DRAWS
from framing.sampling.records import read_draws


def state_of() -> State:
    """Return the project in the working directory.

    Raises :class:`InputError` where a table is broken, and where no passage has been drawn: which
    passages are coded must not hang on what is in them.
    """
    config = load_config(CONFIG)
    codebook = written_codebook(CODEBOOK)
    sources = read_sources(SOURCES, config["groups"])
    passages = read_passages(PASSAGES, sources)
    sample = read_sample(SAMPLE, passages)
    draws = read_draws(DRAWS)
    if sample.empty and not draws:
        raise InputError(
            Problem(SAMPLE, "names no drawn passage, and only drawn passages may be coded",
                    "Draw them at random first: framing sample. Passages that were drawn elsewhere "
                    "are registered by framing sample --from.")
        )  # fmt: skip
    coders = read_coders(CODERS)
    reading = project_reading(config, codebook, sources, draws)
    return State(config, codebook, sources, passages, sample, draws, coders, reading)
