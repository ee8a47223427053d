"""How good decisions and probabilities are against codes that somebody gave elsewhere.

Measures and intervals are those of T3 (:mod:`framing.inference.classifier_quality`), of rows that
count alike: the table was not drawn by the project, so no weights are known.
"""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.inference.classifier_quality import MEASURES, quality
from framing.inference.design import Floats, Ints
from framing.tables.quality import average_precisions, f1_scores, percentiles, resampled_weights

COLUMNS = (
    "code", "rows", "positives", *MEASURES[:2], "ap_low", "ap_high", *MEASURES[2:4], "f1_low",
    "f1_high", "accuracy", "accuracy_low", "accuracy_high", *MEASURES[4:], "true_positive",
    "false_positive", "false_negative", "true_negative", "status",
)  # fmt: skip
MACRO, WEIGHTED = "macro", "weighted"
ONE_CLUSTER = "no interval: one cluster"
FEW_POSITIVES = "fewer than {} rows carry the code, or do not: intervals say little"
_FEW = 10


def score_table(
    gold: pd.DataFrame, decision: pd.DataFrame, probability: pd.DataFrame, cluster: Ints,
    *, confidence: float, draws: int, seed: int, bins: int,
) -> pd.DataFrame:  # fmt: skip
    """Return a row a code, then ``macro`` and ``weighted`` F1 where there are several codes.

    ``gold`` and ``decision`` have a column of 0, 1 or missing a code, ``probability`` the same of
    probabilities; ``cluster`` (n,) numbers what is resampled: sources, or the rows themselves. Rows
    without a gold code or without a prediction are left out, code by code. ``macro`` is the mean of
    the codes' F1, ``weighted`` the mean by positives. Columns: :data:`COLUMNS`.
    """
    rows = []
    scores: list[Floats] = []
    for code in gold.columns:
        known = (gold[code].notna() & decision[code].notna()).to_numpy()
        label, called = (table[code][known].to_numpy(dtype=np.int64) for table in (gold, decision))
        score = probability[code][known].to_numpy(dtype=float)
        weights = resampled_weights(np.ones(len(label)), cluster[known], draws, seed)
        row, resampled = _row(label, called, score, weights, confidence, bins)
        rows.append({"code": code, **row})
        scores.append(resampled)
    if len(rows) > 1:
        rows += _means(rows, scores, confidence)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    whole = ["rows", "positives", *COLUMNS[-5:-1]]
    return table.astype(dict.fromkeys(whole, "Int64"))


def _row(
    label: Ints, called: Ints, score: Floats, weights: Floats, confidence: float, bins: int
) -> tuple[dict[str, Any], Floats]:
    """Return the cells of a code, and its F1 under each resample."""
    if not len(label):
        return {"rows": 0, "positives": 0, "status": "undefined: no row has both"}, np.zeros(0)
    found = quality(label, score, called, np.ones(len(label)), bins)
    right = (label == called).astype(float)
    notes = [found.pop("status")]
    positives = int(label.sum())
    f1 = f1_scores(label, called, weights)
    ends: dict[str, tuple[float, float]] = dict.fromkeys(("ap", "f1", "accuracy"), (nan, nan))
    if len(weights):
        ends = {
            "ap": percentiles(average_precisions(label, score, weights), confidence),
            "f1": percentiles(f1, confidence),
            "accuracy": percentiles(weights @ right / weights.sum(axis=1), confidence),
        }
        if min(positives, len(label) - positives) < _FEW:
            notes.append(FEW_POSITIVES.format(_FEW))
    else:
        notes.append(ONE_CLUSTER)
    cells = {
        "rows": len(label), "positives": positives, **found, "accuracy": float(right.mean()),
        "true_positive": int((label & called).sum()),
        "false_positive": int(((1 - label) & called).sum()),
        "false_negative": int((label & (1 - called)).sum()),
        "true_negative": int(((1 - label) & (1 - called)).sum()),
    }  # fmt: skip
    for name, (low, high) in ends.items():
        cells |= {f"{name}_low": low, f"{name}_high": high}
    return cells | {"status": "; ".join(filter(None, notes))}, f1


def _means(
    rows: list[dict[str, Any]], scores: list[Floats], confidence: float
) -> list[dict[str, Any]]:
    """Return the mean F1 of the codes, alike and by positives; codes without one are left out."""
    kept = [number for number, row in enumerate(rows) if row.get("f1", nan) == row.get("f1", nan)]
    made = []
    for name in (MACRO, WEIGHTED):
        share = np.array([1.0 if name == MACRO else rows[n]["positives"] for n in kept])
        row: dict[str, Any] = {"code": name, "status": ""}
        if not kept or not share.sum():
            made.append(row | {"status": "undefined: no code has an F1"})
            continue
        row["f1"] = float(np.average([rows[n]["f1"] for n in kept], weights=share))
        every = [scores[n] for n in kept]
        if len({len(one) for one in every}) == 1 and len(every[0]):
            mean = np.average(np.stack(every), axis=0, weights=share)
            row["f1_low"], row["f1_high"] = percentiles(mean, confidence)
        if len(kept) < len(rows):
            row["status"] = f"of {len(kept)} codes; the others have no F1"
        made.append(row)
    return made
