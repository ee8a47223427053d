"""How good the method is beside plain ones, what each ingredient brings, what more codes would.

All predictions are out of fold by source: outer folds of the cross-fit, calibration and threshold
in inner folds of the training part (nested cross-validation; Varma & Simon 2006). What comes back
are predictions, not figures of merit: those are worked out where designs and weights are known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from framing.classifier.baselines import BASELINES, Votes, baseline
from framing.classifier.classifier import (
    CrossFit,
    Settings,
    Training,
    cross_fit,
    fit_linear,
    folds_of,
)
from framing.classifier.features import Facts
from framing.common.files import sha256

WITH_ENCODER = "words, cues and encoder"
PREDICTION_COLUMNS = ("method", "passage_id", "probability", "decision")
LEARNING_COLUMNS = ("share", "repeat", "passages", "passage_id", "score")


def baseline_predictions(
    facts: Facts,
    passages: pd.DataFrame,
    training: Training,
    votes: Votes,
    settings: Settings,
) -> pd.DataFrame:
    """Return the baselines' predictions for all passages (:data:`PREDICTION_COLUMNS`)."""
    parts = [
        _predictions(
            name,
            passages,
            cross_fit(
                facts, list(passages["source_id"]), training, settings, baseline(name, votes)
            ),
        )
        for name in BASELINES
    ]
    return pd.concat(parts, ignore_index=True)


def _predictions(name: str, passages: pd.DataFrame, fit: CrossFit) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": name,
            "passage_id": passages["passage_id"].to_numpy(),
            "probability": fit.probabilities,
            "decision": fit.decisions,
        }
    )


def variant_predictions(
    name: str,
    facts: Facts,
    passages: pd.DataFrame,
    training: Training,
    settings: Settings,
) -> pd.DataFrame:
    """Return our predictions for all passages under other settings or facts, called ``name``."""
    fit = cross_fit(facts, list(passages["source_id"]), training, settings)
    return _predictions(name, passages, fit)


def learning_scores(
    facts: Facts,
    passages: pd.DataFrame,
    training: Training,
    settings: Settings,
    shares: Sequence[float],
    repeats: int,
) -> pd.DataFrame:
    """Return scores of coded passages from models that learned from part of the training sources.

    For each of ``shares`` and each of ``repeats`` divisions, that share of the sources outside a
    fold teaches (exemplars always do), the fold's passages are scored. Sources are ordered by a
    digest, so that smaller shares are parts of larger ones. Columns: :data:`LEARNING_COLUMNS`,
    ``passages`` being the mean number of coded passages learned from. Scores are not calibrated:
    only their ranks count.
    """
    outer = folds_of(training.sources, settings, "outer")
    coded = training.design > 0
    parts = []
    for share in shares:
        for repeat in range(repeats):
            chosen = _part_of_sources(training, settings["seed"], share, repeat)
            scores, learned = np.full(len(training.rows), np.nan), []
            for fold in range(settings["folds"]):
                inside = coded & (outer == fold)
                taught = training.take((outer != fold) & (chosen | ~coded))
                scorer = fit_linear(facts, taught, settings)
                learned.append(int((taught.design > 0).sum()))
                if scorer is not None and inside.any():
                    scores[inside] = scorer.scores(facts, training.rows[inside])
            parts.append(
                pd.DataFrame(
                    {
                        "share": share,
                        "repeat": repeat,
                        "passages": round(float(np.mean(learned))),
                        "passage_id": passages["passage_id"].to_numpy()[training.rows[coded]],
                        "score": np.round(scores[coded], 6) + 0.0,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _part_of_sources(training: Training, seed: int, share: float, repeat: int) -> np.ndarray:
    names = sorted({name for name in training.sources if name})
    order = sorted(names, key=lambda name: sha256(f"{seed}:learning:{repeat}:{name}"))
    kept = set(order[: max(1, round(share * len(order)))])
    return np.array([name in kept for name in training.sources])
