"""How good the method is beside plain ones, what each ingredient brings, what more codes would.

All predictions are out of fold by source: outer folds of the cross-fit, calibration and threshold
in inner folds of the training part (nested cross-validation; Varma & Simon 2006). What comes back
are predictions, not figures of merit: those are worked out where designs and weights are known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from framing.classifier.classifier import (
    Fitter,
    Settings,
    Trainer,
    Training,
    cross_fit,
    folds_of,
    in_place,
)
from framing.classifier.features import Facts
from framing.classifier.fold_models import by_indicator
from framing.common.files import sha256

WITH_ENCODER = "words, cues and encoder"
PREDICTION_COLUMNS = ("method", "passage_id", "probability", "decision", "code")
LEARNING_COLUMNS = ("share", "repeat", "passages", "passage_id", "score", "code")


def predictions(
    name: str,
    indicators: Sequence[str],
    facts: Facts,
    passages: pd.DataFrame,
    training: Training,
    settings: Settings,
    trainer: Trainer,
) -> pd.DataFrame:
    """Return what a method called ``name`` predicts for all passages, cross-fitted.

    Columns: :data:`PREDICTION_COLUMNS`; rows are all passages for each of the ``indicators``.
    """
    fit = cross_fit(facts, list(passages["source_id"]), training, settings, trainer)
    columns = {"method": name, "passage_id": passages["passage_id"].to_numpy()}
    parts = [
        pd.DataFrame({**columns, "probability": probability, "decision": decision, "code": code})
        for code, (probability, decision) in by_indicator(
            indicators, fit.probabilities, fit.decisions
        )
    ]
    return pd.concat(parts, ignore_index=True)


def learning_scores(
    indicators: Sequence[str],
    facts: Facts,
    passages: pd.DataFrame,
    training: Training,
    settings: Settings,
    fit: Fitter,
    told: Callable[[np.ndarray], np.ndarray],
    shares: Sequence[float],
    repeats: int,
) -> pd.DataFrame:
    """Return scores of coded passages from models that learned from part of the training sources.

    For each of ``shares`` and each of ``repeats`` divisions, that share of the sources outside a
    fold teaches (exemplars always do), the fold's passages are scored. Sources are ordered by a
    digest, so that smaller shares are parts of larger ones. Columns: :data:`LEARNING_COLUMNS`,
    ``passages`` being the mean number of coded passages learned from. ``fit`` is the method, and
    ``told`` makes a column for each of the ``indicators`` of what it scores. Scores are not
    calibrated: only their ranks count.
    """
    outer = folds_of(training.sources, settings, "outer")
    coded = training.design > 0
    parts = []
    for share in shares:
        for repeat in range(repeats):
            chosen = _part_of_sources(training, settings["seed"], share, repeat)
            found, learned = [], []
            for fold in range(settings["folds"]):
                inside = np.flatnonzero(coded & (outer == fold))
                taught = training.take((outer != fold) & (chosen | ~coded))
                scorer = fit(facts, taught, settings)
                learned.append(int((taught.design > 0).sum()))
                if scorer is not None and len(inside):
                    found.append((inside, told(scorer.scores(facts, training.rows[inside]))))
            scores = in_place(found, len(training.rows), np.nan)[coded]
            columns = {
                "share": share,
                "repeat": repeat,
                "passages": round(float(np.mean(learned))),
                "passage_id": passages["passage_id"].to_numpy()[training.rows[coded]],
            }
            if not found:
                scores = np.repeat(scores[:, None], len(indicators), axis=1)
            parts += [
                pd.DataFrame({**columns, "score": np.round(score, 6) + 0.0, "code": code})
                for code, (score,) in by_indicator(indicators, scores)
            ]
    return pd.concat(parts, ignore_index=True)


def _part_of_sources(training: Training, seed: int, share: float, repeat: int) -> np.ndarray:
    names = sorted({name for name in training.sources if name})
    order = sorted(names, key=lambda name: sha256(f"{seed}:learning:{repeat}:{name}"))
    kept = set(order[: max(1, round(share * len(order)))])
    return np.array([name in kept for name in training.sources])
