"""Differences between two cells (code, group, period), and what they say about a thesis.

Both sides may share passages, sources and strata. Their estimates' deviation vectors are subtracted
before squaring, so that whatever they have in common is taken into account without a separate
covariance formula: V(a − b) = Σ (d_a − d_b)².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, nan, sqrt

import numpy as np

from framing.inference.design import CORPUS
from framing.inference.estimators import Estimate
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


def contrast(a: Estimate, b: Estimate, target: str, confidence: float) -> Contrast:
    """Return the difference of two estimates of the same estimator, by Student's t.

    Degrees of freedom are the smaller of the two sides'. A side whose codes do not vary (no
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
    df = min(side.df[target] for side, sure in zip((a, b), certain, strict=True) if not sure)
    quantile = critical(confidence, df)
    variance = float(np.square(a.deviations[target] - b.deviations[target]).sum())
    notes = [f"side {name}: {side.note}" for name, side in sides.items() if side.note]
    for side, sure in zip((a, b), certain, strict=True):
        if not sure and is_zero(sqrt(side.variance[target])):
            variance += few_positives_variance(bounded(side.value), side.effective, quantile)
            notes = [*notes, SMOOTHED] if SMOOTHED not in notes else notes
    se = sqrt(variance)
    if is_zero(se):
        status = "; ".join([*notes, "no interval: the two sides do not vary apart"])
        return Contrast(values[0], values[1], gap, nan, nan, nan, nan, status)
    ends = difference_interval(gap, se, quantile)
    p_value = two_sided_p(gap, se, df)
    return Contrast(values[0], values[1], gap, se, ends.low, ends.high, p_value, "; ".join(notes))


def ratio(a: Estimate, b: Estimate, target: str, confidence: float) -> tuple[float, float, float]:
    """Return a / b with its interval, NaN where it has none.

    Symmetric on the log scale: the deviations of log(a/b) are d_a/a − d_b/b (delta method), t with
    the smaller side's degrees of freedom. With two codes on the two sides this is the balance of
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
    se = sqrt(float(np.square(spread).sum()))
    df = min(side.df[target] for side in (a, b) if not (target == CORPUS and side.complete))
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
