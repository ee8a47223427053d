"""How good decisions and probabilities are against codes that somebody gave elsewhere.

Measures and intervals are those of T3 (:mod:`framing.inference.classifier_quality`), of rows that
count alike: the table was not drawn by the project, so no weights are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.codebook.codes import Code
from framing.inference.agreement import NOMINAL
from framing.inference.classifier_quality import MEASURES, quality
from framing.inference.design import Floats, Ints
from framing.inference.intervals import is_zero
from framing.inference.kappas import LINEAR, QUADRATIC, closeness
from framing.tables.quality import average_precisions, f1_scores, percentiles, resampled_weights

COLUMNS = (
    "code", "rows", "positives", *MEASURES[:2], "ap_low", "ap_high", *MEASURES[2:4], "f1_low",
    "f1_high", "accuracy", "accuracy_low", "accuracy_high", *MEASURES[4:], "true_positive",
    "false_positive", "false_negative", "true_negative", "status",
)  # fmt: skip
MACRO, WEIGHTED = "macro", "weighted"
KAPPAS = {"kappa": NOMINAL, "kappa_linear": LINEAR, "kappa_quadratic": QUADRATIC}
OF_LEVELS = ("macro_f1", "weighted_f1", *KAPPAS, "mean_absolute_error")
"""Measures of a code with levels as a whole, besides its accuracy; the last three of numbers."""
LEVEL_COLUMNS = tuple(f"{name}{end}" for name in OF_LEVELS for end in ("", "_low", "_high"))
CONFUSION = ("code", "given", "decided", "rows", "share", "share_low", "share_high")
NO_ROW = "undefined: no row has both"
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
        return {"rows": 0, "positives": 0, "status": NO_ROW}, np.zeros(0)
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


# --- codes with levels ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Resampling:
    """How intervals are made: their level, how many resamples, from which seed; and bins."""

    confidence: float
    draws: int
    seed: int
    bins: int


def score_levels(
    code: Code, gold: pd.Series, decision: pd.Series, probability: Mapping[str, pd.Series],
    cluster: Ints, plan: Resampling,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Return how good decisions between the levels of a code are, and their confusion.

    ``gold`` and ``decision`` have names of levels or missing, ``probability`` by indicator
    probabilities; rows without a level or a decision are left out. The first table has the columns
    :data:`COLUMNS` and :data:`LEVEL_COLUMNS`: a row of the code as a whole (accuracy; mean F1 of
    the levels that occur, alike and by how often they were given; chance-corrected agreement of
    what was given and decided, Cohen 1960 and 1968, and the mean distance, the last three where
    levels have an order), then a row a level against all others. The second has
    :data:`CONFUSION`: of each level that was given, how many rows were decided to be which, as a
    count and as a share. Intervals are those of clusters drawn anew.
    """
    place = {level.name: number for number, level in enumerate(code.levels)}
    known = (gold.notna() & decision.notna()).to_numpy()
    given, called = (one[known].map(place).to_numpy(dtype=np.int64) for one in (gold, decision))
    weights = resampled_weights(np.ones(len(given)), cluster[known], plan.draws, plan.seed)
    whole: dict[str, Any] = {"code": code.name, "rows": len(given)}
    if not len(given):
        whole["status"] = NO_ROW
    else:
        whole |= _whole(code, given, called, weights, plan.confidence)
    rows = [whole]
    for number, level in enumerate(code.levels):
        if level.indicator not in probability:
            continue
        label, own = ((one == number).astype(np.int64) for one in (given, called))
        score = probability[level.indicator][known].to_numpy(dtype=float)
        row, _ = _row(label, own, score, weights, plan.confidence, plan.bins)
        rows.append({"code": level.indicator, **row})
    table = pd.DataFrame(rows, columns=[*COLUMNS[:-1], *LEVEL_COLUMNS, COLUMNS[-1]])
    whole_numbers = ["rows", "positives", *COLUMNS[-5:-1]]
    table = table.astype(dict.fromkeys(whole_numbers, "Int64"))
    return table, _confusion_table(code, given, called, weights, plan.confidence)


def _counts(given: Ints, called: Ints, weights: Floats, size: int) -> Floats:
    """Return the weight of rows by what was given and decided: (resamples, size, size)."""
    cell = given * size + called
    columns = [weights[:, cell == one].sum(axis=1) for one in range(size * size)]
    return np.stack(columns, axis=1).reshape(len(weights), size, size)


def _whole(
    code: Code, given: Ints, called: Ints, weights: Floats, confidence: float
) -> dict[str, Any]:
    size = len(code.levels)
    seen = _counts(given, called, np.ones((1, len(given))), size)
    numbers = np.array([level.number for level in code.levels])
    occur = (seen[0].sum(axis=0) + seen[0].sum(axis=1)) > 0
    found = _measures(seen, numbers, occur, ordered=code.kind.ordered)
    ends = _measures(_counts(given, called, weights, size), numbers, occur,
                     ordered=code.kind.ordered)  # fmt: skip
    cells: dict[str, Any] = {}
    for name, value in found.items():
        cells[name] = float(value[0])
        if len(weights):
            cells[f"{name}_low"], cells[f"{name}_high"] = percentiles(ends[name], confidence)
    return cells | {"status": "" if len(weights) else ONE_CLUSTER}


def _measures(
    counts: Floats, numbers: Floats, occur: np.ndarray, *, ordered: bool
) -> dict[str, Floats]:
    """Return measures, an array of as many as ``counts`` (m, q, q) has matrices.

    ``occur`` says which levels count in the mean of their F1. What is undefined is NaN.
    """
    share = counts / counts.sum(axis=(1, 2), keepdims=True)
    given, called = share.sum(axis=2), share.sum(axis=1)
    hit = np.diagonal(share, axis1=1, axis2=2)
    f1 = np.divide(2 * hit, given + called, out=np.full_like(hit, nan), where=given + called > 0)
    # A level may be missing from a resample; each has others.
    found = {
        "accuracy": hit.sum(axis=1), "macro_f1": np.nanmean(f1[:, occur], axis=1),
        "weighted_f1": np.nansum(given * f1, axis=1),
    }  # fmt: skip
    for name, weighting in KAPPAS.items():
        if weighting != NOMINAL and not ordered:
            continue
        values = numbers if ordered else np.arange(len(numbers), dtype=float)
        near = closeness(weighting, values)
        agreed = (share * near).sum(axis=(1, 2))
        chance = np.einsum("mi,ij,mj->m", given, near, called)
        defined = np.array([not is_zero(1 - one) for one in chance], dtype=bool)
        found[name] = np.divide(
            agreed - chance, 1 - chance, out=np.full_like(agreed, nan), where=defined
        )
    if ordered:
        apart = np.abs(numbers[:, None] - numbers[None, :])
        found["mean_absolute_error"] = (share * apart).sum(axis=(1, 2))
    return found


def _confusion_table(
    code: Code, given: Ints, called: Ints, weights: Floats, confidence: float
) -> pd.DataFrame:
    size, rows = len(code.levels), []
    seen = _counts(given, called, np.ones((1, len(given))), size)[0]
    drawn = _counts(given, called, weights, size)
    for one, before in enumerate(code.levels):
        total, totals = seen[one].sum(), drawn[:, one].sum(axis=1)
        for other, after in enumerate(code.levels):
            shares = np.divide(drawn[:, one, other], totals, out=np.full(len(drawn), nan),
                               where=totals > 0)  # fmt: skip
            rows.append((code.name, before.name, after.name, int(seen[one, other]),
                         seen[one, other] / total if total else nan,
                         *percentiles(shares, confidence)))  # fmt: skip
    return pd.DataFrame(rows, columns=list(CONFUSION))
