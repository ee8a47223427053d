"""Whether a machine coder may stand in for people, as far as codings of both can tell.

**The alternative annotator test** (Calderon, Reichart & Dror 2025, ACL, section 3: "How to
statistically justify replacing human annotators with LLMs"). Each person j is left out in turn, and
machine f and person j are both measured by the others. On a passage i that f, j and at least one
other person coded, ``S(x, i, j)`` is the share of the other people whose code is that of x (their
scoring function for categories); the better of the two has the advantage, both where they are
equal::

    W^f_ij = [S(f, i, j) ≥ S(j, i, j)]      ρ^f_j = mean of W^f_ij over i
    W^h_ij = [S(j, i, j) ≥ S(f, i, j)]      ρ^h_j = mean of W^h_ij over i

The machine's labour is cheaper, so it need not be better than person j, but may be worse by less
than ε: H0 is ρ^f_j ≤ ρ^h_j − ε. With d_ij = W^h_ij − W^f_ij, t_j = (mean of d − ε)/SE, and its
lower tail is the p-value. P-values of all people are adjusted by Benjamini and Yekutieli (2001), as
they hang together, and ω, the winning rate, is the share of people for whom H0 is rejected. The
machine passes where ω is at least one half. ρ, the mean of ρ^f_j, compares machines.

Two things are added. Passages count by design weight, and SE is that of sources as clusters
(:mod:`framing.inference.clusters`); passages of equal weight, each of its own source, give the
paper's paired t-test. And the same is asked of a coder who gives every passage the same code: where
a code is rare, that one passes, too, and then passing says nothing.

**Equivalence of alpha** by two one-sided tests (Schuirmann 1987): Krippendorff's alpha of people
with the machine in the place of person j, less that of people, on passages that machine, j and
another person coded. It is equivalent to zero where it lies within ± a margin by both tests, that
is, where its interval of confidence 1 − 2·level does. The standard error is the jackknife's that
leaves out each source. Who claims it of all people needs it of each (an intersection-union test),
without adjustment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from framing.inference.agreement import NOMINAL, alphas, coincidences
from framing.inference.clusters import adjusted_deviations
from framing.inference.design import Bools, Floats, Ints
from framing.inference.intervals import critical, is_zero


@dataclass(frozen=True)
class Mean:
    """A weighted mean of passages, its standard error by source, and degrees of freedom.

    ``se`` and ``df`` are NaN where all passages are of one source.
    """

    value: float
    se: float
    df: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the ends of the mean's interval by Student's t, NaN where there is none."""
        if np.isnan(self.df):
            return nan, nan
        half = critical(confidence, self.df) * self.se
        return self.value - half, self.value + half


@dataclass(frozen=True)
class Advantage:
    """Machine against one person, by the others.

    ``machine`` and ``person`` are ρ^f_j and ρ^h_j, ``difference`` is ρ^h_j − ρ^f_j with its
    standard error, ``p`` tests that it is ε or more; NaN where there are no passages, or one
    source.
    """

    passages: int
    machine: float
    person: float
    difference: Mean
    p: float


@dataclass(frozen=True)
class Equivalence:
    """Alpha of people, with the machine in one's place, and whether the two are equivalent.

    ``low`` and ``high`` are ends of the interval of the difference of confidence 1 − 2·level, ``p``
    the greater of the two p-values; NaN where ``difference`` has no standard error.
    """

    people: float
    machine: float
    difference: float
    low: float
    high: float
    p: float


def weighted_mean(values: Floats, weight: Floats, source: Ints, correlation: float) -> Mean:
    """Return the mean of ``values`` (n,) by ``weight`` (n,), with sources as clusters.

    ``correlation`` is that of two passages of a source in the working model of degrees of freedom
    (``inference.source_correlation``).
    """
    if not len(values):
        return Mean(nan, nan, nan)
    total = float(weight.sum())
    value = float(weight @ values) / total
    _, place = np.unique(source, return_inverse=True)
    number = int(place.max()) + 1
    if number < 2:
        return Mean(value, nan, nan)

    def by_source(column: Floats) -> Floats:
        found: Floats = np.bincount(place, weights=column, minlength=number).astype(float)
        return found

    deviations, df = adjusted_deviations(
        by_source(weight * (values - value) / total), by_source(weight),
        by_source(weight * weight), correlation,
    )  # fmt: skip
    return Mean(value, sqrt(float(deviations @ deviations)), df)


def advantage(
    machine: Floats, people: Floats, person: int, weight: Floats, source: Ints, *,
    epsilon: float, correlation: float,
) -> Advantage:  # fmt: skip
    """Return the advantage of a machine over one of several people.

    ``machine`` (passages,) and ``people`` (people, passages) are codes, NaN where one left a
    passage out; ``person`` is the row that is left out.
    """
    own, others = people[person], np.delete(people, person, axis=0)
    judges = (~np.isnan(others)).sum(axis=0)
    judged = ~np.isnan(machine) & ~np.isnan(own) & (judges > 0)
    if not judged.any():
        return Advantage(0, nan, nan, Mean(nan, nan, nan), nan)
    scores = [
        (others[:, judged] == code[judged]).sum(axis=0) / judges[judged] for code in (machine, own)
    ]
    by_machine, by_person = scores[0] >= scores[1], scores[1] >= scores[0]
    weight, source = weight[judged], source[judged]
    gap = by_person.astype(float) - by_machine.astype(float)
    found = weighted_mean(gap, weight, source, correlation)
    return Advantage(
        passages=int(judged.sum()),
        machine=float(np.average(by_machine, weights=weight)),
        person=float(np.average(by_person, weights=weight)),
        difference=found,
        p=_below(found.value - epsilon, found.se, found.df),
    )


def _below(distance: float, se: float, df: float) -> float:
    """Return the p-value against ``distance`` ≥ 0: the lower tail of Student's t."""
    if np.isnan(df) or np.isnan(se):
        return nan
    if is_zero(se):
        return 1.0 if distance >= 0 or is_zero(distance) else 0.0
    from scipy.special import stdtr  # here, as it takes long to load

    return float(stdtr(df, distance / se))


def benjamini_yekutieli(p: Sequence[float]) -> list[float]:
    """Return p-values adjusted for a false discovery rate under any dependence.

    Benjamini & Yekutieli (2001, theorem 1.3): the k-th smallest of m times m/k · Σ_{i≤m} 1/i, made
    monotone from the largest down, at most 1. Those that are NaN count for nothing.
    """
    known = [number for number, value in enumerate(p) if value == value]
    size = len(known)
    factor = sum(1 / number for number in range(1, size + 1))
    adjusted = [nan] * len(p)
    least = 1.0
    for rank, number in zip(
        range(size, 0, -1), sorted(known, key=lambda one: p[one], reverse=True), strict=True
    ):
        least = min(least, p[number] * size / rank * factor)
        adjusted[number] = least
    return adjusted


def winning_rate(adjusted: Sequence[float], level: float) -> float:
    """Return ω: the share of people for whom the adjusted p-value is at most ``level``.

    NaN where there is no p-value; a person without one is not won.
    """
    if all(value != value for value in adjusted):
        return nan
    return sum(value <= level for value in adjusted) / len(adjusted)


def constant_winning_rates(
    people: Floats, coded: Bools, weight: Floats, source: Ints, *,
    epsilon: float, level: float, correlation: float,
) -> dict[float, float]:  # fmt: skip
    """Return ω of a coder who gives every passage ``coded`` the same code, by that code (0, 1)."""
    return {
        value: winning_rate(
            benjamini_yekutieli(
                [
                    advantage(np.where(coded, value, nan), people, person, weight, source,
                              epsilon=epsilon, correlation=correlation).p
                    for person in range(len(people))
                ]
            ),
            level,
        )
        for value in (0.0, 1.0)
    }  # fmt: skip


def equivalence(
    machine: Floats, people: Floats, person: int, weight: Floats, source: Ints, *,
    margin: float, level: float, measure: str = NOMINAL,
) -> Equivalence:  # fmt: skip
    """Return alpha among people and with the machine in the place of one, and their difference.

    Arguments as in :func:`advantage`; ``measure`` is the level of measurement of alpha.
    """
    others = np.delete(people, person, axis=0)
    used = ~np.isnan(machine) & ~np.isnan(people[person]) & (~np.isnan(others)).any(axis=0)
    nothing = Equivalence(nan, nan, nan, nan, nan, nan)
    if not used.any():
        return nothing
    replaced = people.copy()
    replaced[person] = machine
    _, place = np.unique(source[used], return_inverse=True)
    whole, without = [], []
    for table in (people[:, used], replaced[:, used]):
        matrices, values = coincidences(table, weight[used])
        of_source = np.zeros((int(place.max()) + 1, *matrices.shape[1:]))
        np.add.at(of_source, place, matrices)
        total = of_source.sum(axis=0)
        whole.append(float(alphas(total, values, measure)))
        without.append(alphas(total - of_source, values, measure))
    people_alpha, machine_alpha = whole
    difference = machine_alpha - people_alpha
    gaps = without[1] - without[0]
    number = len(gaps)
    if number < 2 or np.isnan(gaps).any() or np.isnan(difference):
        return Equivalence(people_alpha, machine_alpha, difference, nan, nan, nan)
    se = sqrt((number - 1) / number * float(np.square(gaps - gaps.mean()).sum()))
    half = critical(1 - 2 * level, number - 1) * se
    p = max(_below(difference - margin, se, number - 1),
            _below(-difference - margin, se, number - 1))  # fmt: skip
    return Equivalence(
        people_alpha, machine_alpha, difference, difference - half, difference + half, p
    )
