"""What drawing and planning rest on: the passage frame with its design, and the scores."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from framing.common.files import LINE
from framing.common.problems import InputError, Problem
from framing.corpus.tables import SAMPLE_COLUMNS, has_sample, read_passages, read_sample
from framing.sampling.draw import Draw

SCORES = Path("build/scores.tsv")


def load_design(
    config: Mapping[str, Any],
    sources: pd.DataFrame,
    draws: Sequence[Draw],
    states: Sequence[str] | None = None,
    coded: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return the passage frame of the project with the combined design of its draws.

    ``states`` and ``coded`` are as in :func:`framing.sampling.combine.combined_design`; a further
    draw is made without them, from what no draw has taken, whatever the draws count as.
    Besides the columns of :func:`framing.sampling.combine.combined_design` it has those of
    ``sources.tsv``. A project without ``corpus/sample.tsv`` has no passage drawn by it.
    """
    from framing.common.paths import PASSAGES, SAMPLE
    from framing.project.load import survey_frame

    passages = read_passages(PASSAGES, sources)
    sample = read_sample(SAMPLE, passages) if has_sample(SAMPLE) else _no_sample()
    frame = survey_frame(config, sources, passages, sample, draws, states, coded)
    rest = [name for name in sources.columns if name not in frame.columns and name != LINE]
    return frame.merge(sources[["source_id", *rest]], on="source_id", how="left")


def _no_sample() -> pd.DataFrame:
    types = {"stratum_size": int, "stratum_sampled": int, "inclusion_probability": float}
    return pd.DataFrame({name: [] for name in SAMPLE_COLUMNS}).astype(
        {name: types.get(name, object) for name in SAMPLE_COLUMNS}
    )


def load_scores() -> pd.DataFrame:
    """Return ``build/scores.tsv``; raise :class:`InputError` where no run has made it yet."""
    from framing.common.build import read_scores

    if not SCORES.is_file():
        raise InputError(
            Problem(SCORES, "does not exist: what the classifier says is not known yet",
                    "Run `snakemake`, or leave decision and confidence out of the strata.")
        )  # fmt: skip
    return read_scores(SCORES)
