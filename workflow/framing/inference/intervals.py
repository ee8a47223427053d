"""Confidence intervals for shares and for their differences.

Shares get an interval that never leaves [0, 1] and never has width zero merely because no positive,
or nothing but positives, was drawn. Which of two is used depends on how many positives (or
negatives, whichever are fewer) stand behind the estimate:

- many: Student's t on the logit scale, back-transformed (Korn & Graubard 1998);
- few: Wilson's (1927) score interval with an effective sample size, the number of independent
  passages that would give the same variance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, hypot, inf, log, sqrt
from typing import Any

DECIMALS = 6
"""Places to which numbers are rounded before they are compared with a threshold or with zero."""

NO_SPREAD = "no variation seen: Wilson interval, no standard error"


@dataclass(frozen=True)
class Settings:
    """What the configuration's ``inference`` says, in the order of its keys."""

    confidence: float
    tuning_minimum: int
    cell_minimum: int
    wilson_below: float
    gain_discount: float = 0.0
    few_coded: int = 0
    source_correlation: float = 0.0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Return the settings of a configuration (plain dict)."""
        part = config["inference"]
        return cls(
            confidence=float(part["confidence"]),
            tuning_minimum=int(part["tuning_minimum"]),
            cell_minimum=int(part["cell_minimum"]),
            wilson_below=float(part["wilson_below"]),
            gain_discount=float(part["gain_discount"]),
            few_coded=int(part["few_coded"]),
            source_correlation=float(part["source_correlation"]),
        )


@dataclass(frozen=True)
class Interval:
    """Ends of an interval, and a remark where its making needs one."""

    low: float
    high: float
    remark: str = ""


def is_zero(value: float) -> bool:
    """Return whether a number is zero to :data:`DECIMALS` places."""
    return round(value, DECIMALS) == 0


def critical(confidence: float, df: float = inf) -> float:
    """Return the two-sided critical value of Student's t; of the normal where ``df`` is infinite.

    ``df`` must be at least 1: with fewer there is no interval, and the caller has to say so.
    """
    tail = (1 + confidence) / 2
    # Here, as it takes long to load and much of what uses this room computes no interval; and not
    # scipy.stats, whose import takes as long as many a table: these are what it calls itself.
    from scipy.special import ndtri, stdtrit

    return float(ndtri(tail) if df == inf else stdtrit(df, tail))


def wilson(share: float, size: float, quantile: float) -> tuple[float, float]:
    """Return Wilson's score interval for a share among ``size`` passages (any positive number).

    Solves (p − share)² = quantile² · p(1 − p)/size for p (Wilson 1927).
    """
    if size <= 0:
        return 0.0, 1.0
    square = quantile * quantile
    centre = (share + square / (2 * size)) / (1 + square / size)
    half = quantile * sqrt(share * (1 - share) / size + square / (4 * size * size))
    half /= 1 + square / size
    low = 0.0 if share <= 0 else max(0.0, centre - half)
    high = 1.0 if share >= 1 else min(1.0, centre + half)
    return low, high


def logit_interval(share: float, se: float, quantile: float) -> tuple[float, float]:
    """Return the interval that is symmetric on the logit scale; ``share`` strictly in (0, 1).

    The standard error of logit(share) is se / (share·(1 − share)) by the delta method.
    """
    centre = _logit(share)
    half = quantile * se / (share * (1 - share))
    return _expit(centre - half), _expit(centre + half)


def _expit(value: float) -> float:
    if value >= 0:
        return 1 / (1 + exp(-value))
    return 1 - 1 / (1 + exp(value)) if value > -700 else 0.0


def share_interval(
    share: float,
    se: float,
    *,
    coded: float,
    effective: float,
    reference: float,
    quantile: float,
    wilson_below: float,
) -> Interval:
    """Return the interval of an estimated share by the rule of this module.

    ``share`` in [0, 1] with standard error ``se``. ``coded`` passages stand behind it; Wilson is
    used where coded · min(share, 1 − share) < ``wilson_below``, or is 0. Its effective size is
    reference·(1 − reference)/se². ``reference`` is the share itself for estimators that average
    codes; for the difference estimator it is the labels-only share, because its own share can come
    near 0 or 1, or beyond, by chance, and would then pretend to almost no passages. Where the
    standard error is zero, or the reference 0 or 1, the effective size is ``effective``.
    """
    inner = reference * (1 - reference)
    if is_zero(se):
        low, high = wilson(share, effective, quantile)
        return Interval(low, high, NO_SPREAD)
    fewer = round(coded * min(share, 1 - share), DECIMALS)
    if fewer == 0 or fewer < wilson_below:
        size = effective if is_zero(inner) else inner / se**2
        return Interval(*wilson(share, size, quantile))
    return Interval(*logit_interval(share, se, quantile))


def widened(value: float, inner: Interval, se: float, quantile: float) -> Interval:
    """Return the interval of an estimate with a second, independent error beside ``inner``'s.

    ``inner`` has the ends that the first error alone gives, ``se`` is the standard error of the
    second; ``value`` in [0, 1]. Distances to the ends are squared and added up, which takes over
    that they are unequal (MOVER: Zou & Donner 2008), and the ends kept within [0, 1]. Not on the
    logit scale, where a share near 0 would make any second error a huge one.
    """
    half = quantile * se
    low, high = value - hypot(value - inner.low, half), value + hypot(inner.high - value, half)
    return Interval(max(0.0, low), min(1.0, high), inner.remark)


def _logit(value: float) -> float:
    return log(value / (1 - value))


def difference_interval(difference: float, se: float, quantile: float) -> Interval:
    """Return difference ± quantile · se, kept within [−1, 1]."""
    half = quantile * se
    return Interval(max(-1.0, difference - half), min(1.0, difference + half))


def two_sided_p(difference: float, se: float, df: float) -> float:
    """Return the two-sided p-value of no difference by Student's t; ``se`` above zero."""
    statistic = abs(difference) / se
    from scipy.special import ndtr, stdtr

    tail = ndtr(-statistic) if df == inf else stdtr(df, -statistic)
    return float(min(1.0, 2 * tail))


def few_positives_variance(share: float, size: float, quantile: float) -> float:
    """Return a variance for a share that did not vary among the ``size`` passages seen.

    The binomial variance at Wilson's centre, p̃(1 − p̃)/(size + quantile²) with
    p̃ = (share·size + quantile²/2)/(size + quantile²) (Agresti & Coull 1998): used where a
    difference needs the variance of a side that shows none, no positive having been drawn.
    """
    square = quantile * quantile
    centre = (share * size + square / 2) / (size + square)
    return centre * (1 - centre) / (size + square)
