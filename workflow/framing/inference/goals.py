"""What a draw is wished to reach: a half-width, or a power.

See :mod:`framing.inference.planning`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf, nan, sqrt
from typing import Protocol

import numpy as np
from scipy import stats

from framing.inference.allocation import Cells, allocate, least, predicted_variance
from framing.inference.corrected import Estimate
from framing.inference.design import (
    CORPUS,
    TEXTS,
    Floats,
    Ints,
)
from framing.inference.intervals import Settings, critical, is_zero, share_interval
from framing.inference.share_intervals import share_ends

_ENOUGH_SOURCES = 10**6


# --- what is wished for ---------------------------------------------------------------------------


class Goal(Protocol):
    """A wish: what a variance with its degrees of freedom amounts to, and whether that will do."""

    @property
    def wish(self) -> float:
        """Return what is wished for."""

    def measure(self, variance: float, df: float, more: int, target: str = CORPUS) -> float:
        """Return the half-width or power that ``more`` coded passages give; NaN for none."""

    def met(self, measure: float) -> bool:
        """Return whether the wish is met."""


@dataclass(frozen=True)
class HalfWidth:
    """Half the length of the interval of a share, made as the tables make it today.

    Whether it is Wilson's or the logit one is not reconsidered with more passages, so that a
    smaller variance always makes it shorter.
    """

    wish: float
    found: Estimate
    settings: Settings
    texts: Estimate | None = None
    """The estimate for ``texts``, which leaves a case study out; by default the same."""

    def measure(self, variance: float, df: float, more: int, target: str = CORPUS) -> float:
        """Return half the interval's length; 0 for a variance of 0, NaN without a quantile."""
        if variance == 0:
            return 0.0
        if df < 1 or variance == inf:
            return nan
        found = self.found if target == CORPUS or self.texts is None else self.texts
        quantile = critical(self.settings.confidence, df)
        if found.value != found.value:
            ends = share_interval(
                0.5, sqrt(variance), coded=found.coded, effective=found.effective, reference=0.5,
                quantile=quantile, wilson_below=self.settings.wilson_below,
            )  # fmt: skip
        else:
            # How many of the rest will carry the code is not known: few or not, the interval is
            # that of the variance.
            rest = found.rest if target == CORPUS else None
            then = replace(found, variance={target: variance}, df={target: df}, rest=rest)
            ends = share_ends(then, target, self.settings.confidence, self.settings.wilson_below)
        return (ends.high - ends.low) / 2

    def met(self, measure: float) -> bool:
        """Return whether the interval is as narrow as wished."""
        return round(measure, 6) <= self.wish


@dataclass(frozen=True)
class Power:
    """The chance that a difference as large as ``difference`` comes out significant."""

    wish: float
    difference: float
    settings: Settings

    def measure(self, variance: float, df: float, more: int, target: str = CORPUS) -> float:
        """Return the power of the two-sided test; 1 for a variance of 0, NaN without a quantile."""
        if variance == 0:
            return 1.0
        if df < 1 or variance == inf:
            return nan
        return power(self.difference, sqrt(variance), critical(self.settings.confidence, df))

    def met(self, measure: float) -> bool:
        """Return whether the power is as high as wished."""
        return round(measure, 6) >= self.wish


def power(difference: float, se: float, quantile: float) -> float:
    """Return Φ(|δ|/se − q) + Φ(−|δ|/se − q), the power of a two-sided test.

    ``quantile`` is the critical value q. With |δ|/se = 1.96 + 0.8416 the power is .80.
    """
    ratio = abs(difference) / se
    return float(stats.norm.cdf(ratio - quantile) + stats.norm.cdf(-ratio - quantile))


@dataclass(frozen=True)
class Present:
    """Where an estimate stands: by target its variance and degrees of freedom, or why none is.

    ``sources`` have coded passages; ``design_effect`` is the variance between sources over what it
    would be were each passage a source of its own. ``growing`` says whether more passages add to
    the degrees of freedom. ``part`` is the part of the variance under ``texts`` that comes from
    coding a part of the passages; NaN where it is that under ``corpus``.
    """

    variance: Mapping[str, float]
    df: Mapping[str, float]
    missing: Mapping[str, str]
    sources: int
    design_effect: float
    growing: bool = True
    part: float = nan


@dataclass(frozen=True)
class Answer:
    """What one estimator needs for one target.

    ``now`` is today's half-width or power, NaN where there is none. ``more`` passages are needed,
    None where no number of passages suffices; they would give ``after``, and all that are left
    would give ``limit``. ``exact`` and ``whole`` (K,) are their allocation. ``sources`` is how many
    sources would be needed in place of today's (``texts`` only, None where unknown). ``reason``
    says why there is no answer.
    """

    estimator: str
    target: str
    now: float
    more: int | None
    after: float
    limit: float
    exact: Floats
    whole: Ints
    sources: int | None = None
    reason: str = ""


def answer(
    name: str, target: str, goal: Goal, cells: Cells, present: Present, minimum: int
) -> Answer:
    """Return how many more passages meet a goal, by the formulas at the head of this module."""
    none = np.zeros(len(cells.names), dtype=np.int64)
    known = present.variance.get(CORPUS, nan)
    model = predicted_variance(cells, none)
    usable = 0 < known < inf and 0 < model < inf and not is_zero(sqrt(known))
    factor = known / model if usable else 1.0
    start = known if usable else model
    floor = 0.0
    if target == TEXTS:
        if target in present.missing:
            reason = present.missing[target]
            return Answer(
                name, target, nan, None, nan, nan, none.astype(float), none, reason=reason
            )
        coding = present.part if present.part == present.part else start
        floor = max(present.variance[TEXTS] - (coding if coding < inf else 0.0), 0.0)
    everything = int(cells.left.sum())

    def measured(more: int, whole: Ints) -> float:
        variance = start if not more else factor * predicted_variance(cells, whole)
        variance = 0.0 if more == everything else variance
        if target == TEXTS:
            variance = present.variance[TEXTS] if not more else floor + variance
            return goal.measure(variance, present.df[TEXTS], more, TEXTS)
        partly = int(((whole > 0) & (whole < cells.left)).sum())
        df = present.df.get(CORPUS, 0.0)
        df += max(more - partly, 0) if present.growing or df < 1 else 0
        return goal.measure(variance, df, more)

    def after(more: int) -> tuple[float, Floats, Ints]:
        exact, whole = allocate(cells, more, minimum)
        return measured(more, whole), exact, whole

    now = measured(0, none)
    if target == TEXTS and TEXTS not in present.missing and known != known:
        now = nan
    needed = _sources_needed(goal, present) if target == TEXTS else None
    limit = measured(everything, cells.left) if everything else now
    rest = (limit, none.astype(float), none)
    if goal.met(now):
        return Answer(name, target, now, 0, now, *rest)
    if not everything:
        return Answer(name, target, now, None, now, *rest, needed, "every passage is coded")
    if not goal.met(limit):
        return Answer(name, target, now, None, limit, *rest, needed)
    more = _smallest(least(cells, minimum), everything, lambda number: goal.met(after(number)[0]))
    reached, exact, whole = after(more)
    return Answer(name, target, now, more, reached, limit, exact, whole)


def _smallest(low: int, high: int, enough: Callable[[int], bool]) -> int:
    """Return the smallest number in low … high that is enough; ``high`` is known to be."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return high


def _sources_needed(goal: Goal, present: Present) -> int | None:
    """Return how many sources like today's, coded as densely, would do."""
    variance, df, now = present.variance[TEXTS], present.df[TEXTS], present.sources

    def enough(number: int) -> bool:
        return goal.met(goal.measure(variance * now / number, df + number - now, 0, TEXTS))

    if not 0 < variance < inf or not enough(_ENOUGH_SOURCES):
        return None
    return _smallest(now, _ENOUGH_SOURCES, enough)
