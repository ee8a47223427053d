"""How good out-of-fold predictions are on coded passages (for T3 and its kin).

Coded passages were drawn with unequal probabilities, so every measure weights them by the inverse
of theirs: it then speaks of all passages of the corpus, not of those that happened to be drawn.
"""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np

from framing.inference.design import Floats, Ints
from framing.inference.intervals import DECIMALS

MEASURES = (
    "base_rate", "average_precision", "roc_auc", "f1", "precision", "recall", "brier",
    "calibration_error",
)  # fmt: skip

NO_CODED = "undefined: no coded passage"
NO_POSITIVE = "no coded passage carries the code: ranking, F1 and recall undefined"
NO_NEGATIVE = "every coded passage carries the code: ROC AUC undefined"
NONE_MARKED = "no coded passage is marked: precision undefined"


def quality(
    label: Ints, probability: Floats, decision: Ints, weight: Floats, bins: int
) -> dict[str, Any]:
    """Return the measures :data:`MEASURES` of at least one passage, and a ``status``.

    All arrays (n,): codes 0/1, probabilities (rounded already), decisions 0/1, weights. Measures
    that are undefined (ranking without positives or negatives, precision with nothing marked) are
    NaN, and the status names them.
    """
    weight = weight / weight.mean()
    total = float(weight.sum())
    hit = float(weight[(label == 1) & (decision == 1)].sum())
    marked, positive = float(weight[decision == 1].sum()), float(weight[label == 1].sum())
    mixed = 0 < label.sum() < len(label)
    notes = []
    if not label.any():
        notes.append(NO_POSITIVE)
    if label.all():
        notes.append(NO_NEGATIVE)
    if not decision.any():
        notes.append(NONE_MARKED)
    return {
        "base_rate": positive / total,
        "average_precision": average_precision(label, probability, weight) if positive else nan,
        "roc_auc": roc_auc(label, probability, weight) if mixed else nan,
        "f1": 2 * hit / (marked + positive) if positive else nan,
        "precision": hit / marked if marked else nan,
        "recall": hit / positive if positive else nan,
        "brier": float((weight * (probability - label) ** 2).sum()) / total,
        "calibration_error": calibration_error(label, probability, weight, bins),
        "status": "; ".join(notes),
    }


def average_precision(label: Ints, probability: Floats, weight: Floats) -> float:
    """Return the area under the precision–recall curve as a step function; needs a positive."""
    # Here, as it takes long to load, and much of what uses this room only names its measures.
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(label, probability, sample_weight=weight))


def roc_auc(label: Ints, probability: Floats, weight: Floats) -> float:
    """Return the area under the ROC curve; needs a positive and a negative."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(label, probability, sample_weight=weight))


def calibration_error(label: Ints, probability: Floats, weight: Floats, bins: int) -> float:
    """Return Σ_b W_b/W · |mean probability − share of positives| over ``bins`` equal bins.

    The expected calibration error (Naeini, Cooper & Hauskrecht 2015), weighted. A probability on
    the border of two bins belongs to the upper one, 1 to the last.
    """
    place = np.floor(np.round(probability * bins, DECIMALS)).astype(np.int64)
    place = np.minimum(place, bins - 1)
    gaps = np.bincount(place, weights=weight * (probability - label), minlength=bins)
    return float(np.abs(gaps).sum() / weight.sum())
