"""Differences between two cells (code, group, period), and what they say about a thesis.

Both sides may share passages, sources and strata. Their estimates' deviation vectors are subtracted
before squaring, so that whatever they have in common is taken into account without a separate
covariance formula: V(a − b) = Σ (d_a − d_b)².

A group whose texts are mostly later ones differs from another by its period as well. *Direct
standardisation* (Kitagawa 1955; Fleiss, Levin & Paik 2003, ch. 19) holds the period constant: both
sides' shares by period are averaged with the same weights,

    θ̂(side) = Σ_k W_k θ̂(side, k),  W_k the same for both, Σ_k W_k = 1,

over the periods in which both sides can be estimated. Deviations add up the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, nan, sqrt
from typing import Any

import numpy as np

from framing.inference.clusters import joint_degrees_of_freedom
from framing.inference.corrected import Estimate
from framing.inference.design import CORPUS
from framing.inference.intervals import (
    DECIMALS,
    critical,
    difference_interval,
    few_positives_variance,
    is_zero,
    two_sided_p,
)

GREATER, LESS, DIFFERENT = "greater", "less", "different"
SUPPORTED, CONTRADICTED = "supported", "contradicted"
UNDECIDED = "not distinguishable"
UNKNOWN = "not estimable"
EXACT = "complete: every passage coded on both sides"
SMOOTHED_CELL = "in a period no code varies: its variance is taken from Wilson's centre"
SMOOTHED = "one side's codes do not vary: its variance is taken from Wilson's centre"


@dataclass(frozen=True)
class Contrast:
    """A difference a − b; numbers are NaN where ``status`` says why there are none."""

    estimate_a: float
    estimate_b: float
    difference: float
    se: float
    low: float
    high: float
    p_value: float
    status: str


def bounded(value: float) -> float:
    """Return an estimate kept within [0, 1]; NaN stays."""
    return min(1.0, max(0.0, value)) if value == value else value


def standardised(
    cells: Sequence[Estimate],
    weights: Sequence[float],
    target: str,
    confidence: float,
    free: float = nan,
) -> Estimate:
    """Return Σ_k W_k θ̂_k of estimates in cells that share no passage, by ``weights`` W_k.

    ``target`` is the only one that the result knows. Its degrees of freedom are ``free`` where
    given (those of all cells taken together), or Satterthwaite's (1946), (Σ V_k)²/Σ(V_k²/df_k) with
    V_k = W_k²V(θ̂_k). A cell whose codes do not vary is given
    the variance of :func:`framing.inference.intervals.few_positives_variance`, unless all of it is
    known.
    """
    parts, smoothed = [], 0.0
    quantile = critical(confidence)
    deviations: Any = 0.0
    for cell, weight in zip(cells, weights, strict=True):
        if not (target == CORPUS and cell.complete):
            variance = cell.variance[target]
            if is_zero(sqrt(variance)):
                variance = _unseen(cell, target, quantile)
                smoothed += weight**2 * variance
            parts.append((weight**2 * variance, cell.df[target]))
        deviations = deviations + weight * cell.deviations[target]
    if free != free and parts:
        variances, below = (np.array(side, dtype=float) for side in zip(*parts, strict=True))
        free = joint_degrees_of_freedom(variances, below)
    notes = dict.fromkeys(cell.note for cell in cells if cell.note)
    return Estimate(
        value=sum(w * bounded(cell.value) for cell, w in zip(cells, weights, strict=True)),
        coded=sum(cell.coded for cell in cells),
        positives=sum(cell.positives for cell in cells),
        effective=sum(cell.effective for cell in cells),
        reference=sum(w * cell.reference for cell, w in zip(cells, weights, strict=True)),
        variance={target: sum(variance for variance, _ in parts)},
        deviations={target: deviations},
        df={target: free},
        note="; ".join([*notes, *([SMOOTHED_CELL] if smoothed else [])]),
        complete=not parts,
        smoothed={target: smoothed},
    )


def _unseen(side: Estimate, target: str, quantile: float) -> float:
    """Return a variance for a share whose codes did not vary."""
    if target != CORPUS:
        return few_positives_variance(bounded(side.value), side.effective, quantile)
    rest = side.chance
    share = bounded(rest.of_rest(side.value))
    return rest.size**2 * few_positives_variance(share, rest.effective, quantile)


def contrast(a: Estimate, b: Estimate, target: str, confidence: float) -> Contrast:
    """Return the difference of two estimates of the same estimator, by Student's t.

    For degrees of freedom see :func:`degrees_of_freedom`. A side whose codes do not vary (no
    positive drawn, say) shows no variance of its own; it is given that of
    :func:`framing.inference.intervals.few_positives_variance`, except where all its passages are
    coded and ``target`` is the corpus. If that holds for both sides the difference is exact.
    """
    sides = {"A": a, "B": b}
    absent = [
        f"side {name}: {side.missing[target]}" for name, side in sides.items()
        if target in side.missing
    ]  # fmt: skip
    values = [nan if target in side.missing else bounded(side.value) for side in (a, b)]
    if absent:
        return Contrast(values[0], values[1], nan, nan, nan, nan, nan, "; ".join(absent))
    gap = values[0] - values[1]
    if target == CORPUS and a.complete and b.complete:
        return Contrast(values[0], values[1], gap, 0.0, gap, gap, nan, EXACT)
    barred = [
        f"side {name}: {side.barred[target]}" for name, side in sides.items()
        if target in side.barred
    ]  # fmt: skip
    if barred:
        return Contrast(values[0], values[1], gap, nan, nan, nan, nan, "; ".join(barred))
    certain = [target == CORPUS and side.complete for side in (a, b)]
    df = degrees_of_freedom(a, b, target)
    quantile = critical(confidence, df)
    variance = float(np.square(a.deviations[target] - b.deviations[target]).sum())
    notes = [f"side {name}: {side.note}" for name, side in sides.items() if side.note]
    variance += sum(side.smoothed.get(target, 0.0) for side in (a, b))
    for side, sure in zip((a, b), certain, strict=True):
        # Known passages vary under `texts` even where none of those that stand for the rest does.
        blank = target if side.rest is None else CORPUS
        if not sure and is_zero(sqrt(side.variance[blank])):
            variance += _unseen(side, blank, quantile)
            notes = [*notes, SMOOTHED] if SMOOTHED not in notes else notes
    se = sqrt(variance)
    if is_zero(se):
        status = "; ".join([*notes, "no interval: the two sides do not vary apart"])
        return Contrast(values[0], values[1], gap, nan, nan, nan, nan, status)
    ends = difference_interval(gap, se, quantile)
    p_value = two_sided_p(gap, se, df)
    return Contrast(values[0], values[1], gap, se, ends.low, ends.high, p_value, "; ".join(notes))


def degrees_of_freedom(a: Estimate, b: Estimate, target: str) -> float:
    """Return the degrees of freedom of a difference.

    Of sides that share nothing (two groups) those of a sum of independent variances (Welch 1947;
    Satterthwaite 1946); else the smaller of the two, and so where a side shows no variance, as
    nothing is seen then of how little it rests on. A side that is known exactly has no say.
    """
    sides = [side for side in (a, b) if not (target == CORPUS and side.complete)]
    df = np.array([side.df[target] for side in sides], dtype=float)
    variances = np.array([side.variance[target] for side in sides], dtype=float)
    shared = bool((a.deviations[target] * b.deviations[target]).any())
    unseen = any(is_zero(sqrt(variance)) for variance in variances)
    if shared or unseen or len(sides) < 2 or not np.isfinite(df).all():
        return float(df.min())
    return joint_degrees_of_freedom(variances, df)


def ratio(a: Estimate, b: Estimate, target: str, confidence: float) -> tuple[float, float, float]:
    """Return a / b with its interval, NaN where it has none.

    Symmetric on the log scale: the deviations of log(a/b) are d_a/a − d_b/b (delta method), t with
    the degrees of freedom of the difference. With two codes on the two sides this is the balance of
    the codes. NaN where a side is missing or barred, not above zero, or does not vary.
    """
    none = (nan, nan, nan)
    if any(target in side.missing or target in side.barred for side in (a, b)):
        return none
    values = [bounded(side.value) for side in (a, b)]
    if min(values) <= 0 or is_zero(min(values)):
        return none
    quotient = values[0] / values[1]
    if target == CORPUS and a.complete and b.complete:
        return quotient, quotient, quotient
    if any(is_zero(sqrt(side.variance[target])) and not side.complete for side in (a, b)):
        return quotient, nan, nan
    spread = a.deviations[target] / values[0] - b.deviations[target] / values[1]
    unseen = [
        side.smoothed.get(target, 0.0) / value**2
        for side, value in zip((a, b), values, strict=True)
    ]
    se = sqrt(float(np.square(spread).sum()) + sum(unseen))
    df = degrees_of_freedom(a, b, target)
    half = critical(confidence, df) * se
    return quotient, exp(log(quotient) - half), exp(log(quotient) + half)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's (1979) adjusted p-values, in the given order; NaN stays and does not count."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p == p)
    adjusted = [nan] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[place] = highest
    return adjusted


def adjusted_verdict(found: Contrast, expected: str, p_value: float, confidence: float) -> str:
    """Return what a difference says about a thesis by its adjusted p-value.

    As :func:`verdict`, but the difference counts as one only where ``p_value`` (Holm's) is below
    1 − ``confidence``; a difference that is known exactly needs none.
    """
    if found.difference != found.difference:
        return UNKNOWN
    exact = found.status == EXACT and round(found.difference, DECIMALS) != 0
    if not exact and not round(p_value, DECIMALS) < round(1 - confidence, DECIMALS):
        return UNDECIDED
    if expected == DIFFERENT:
        return SUPPORTED
    return SUPPORTED if (found.difference > 0) == (expected == GREATER) else CONTRADICTED


def verdict(found: Contrast, expected: str) -> str:
    """Return what an interval says about a thesis: supported, contradicted, not distinguishable.

    ``expected`` is ``greater``, ``less`` or ``different``. A thesis of mere difference is supported
    or not distinguishable; it is never contradicted by an interval.
    """
    low, high = (round(end, DECIMALS) for end in (found.low, found.high))
    if found.difference != found.difference:
        return UNKNOWN
    if low != low:
        return UNDECIDED
    above, below = low > 0, high < 0
    if expected == DIFFERENT:
        return SUPPORTED if above or below else UNDECIDED
    wanted, unwanted = (above, below) if expected == GREATER else (below, above)
    return SUPPORTED if wanted else CONTRADICTED if unwanted else UNDECIDED


def reading(found: Contrast, side_a: str, side_b: str, decimals: int) -> str:
    """Return a contrast in words: its direction and size.

    ``side_a`` and ``side_b`` name the sides; sizes are rounded to ``decimals``. A difference whose
    interval holds no zero is never called none, however small.
    """
    if found.difference != found.difference:
        return f"{side_a} and {side_b}: {UNKNOWN}"
    relation = "above" if found.difference > 0 else "below"
    size = round(abs(found.difference), decimals)
    if size:
        return f"{side_a} {relation} {side_b} by {size:.{decimals}f}"
    if verdict(found, DIFFERENT) == SUPPORTED:
        return f"{side_a} {relation} {side_b} by less than {10**-decimals:.{decimals}f}"
    return f"{side_a} as often as {side_b}"
