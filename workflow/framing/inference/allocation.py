"""Sizes of a draw: what codings say of strata, how many to draw in each, which variance follows.

See :mod:`framing.inference.planning`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import pandas as pd

from framing.inference.corrected import Estimate
from framing.inference.design import Bools, Domain, Floats, Ints, Population, population
from framing.inference.estimator import labels_share
from framing.inference.estimators import planned
from framing.inference.intervals import Settings
from framing.inference.outcomes import Outcome
from framing.inference.variances import cluster_deviations, sums
from framing.sampling.draw import earlier_share
from framing.sampling.roles import CONFIRMATION
from framing.sampling.sizes import bounded_shares, whole_numbers

_WORST = 0.5  # standard deviation of a code nothing is known about


# --- the design -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Survey:
    """A population with what several draws add to it (:mod:`framing.sampling.draw`).

    ``covered`` (N,) says whether any draw could have drawn a passage. The frame itself counts all
    passages: further draws can reach what no draw covers yet.
    """

    frame: Population
    covered: Bools

    @property
    def sampled(self) -> Population:
        """Return the population of which today's estimates speak: what some draw covers."""
        return replace(self.frame, covered=self.covered)


def survey(design: pd.DataFrame, case: str = "") -> Survey:
    """Return the arrays of a frame from :func:`framing.sampling.combine.combined_design`.

    ``case`` is the source of the case study, if any.
    """
    frame = population(design, case)
    covered = np.ones(frame.total, dtype=bool) if frame.covered is None else frame.covered
    return Survey(replace(frame, covered=None), covered)


@dataclass(frozen=True)
class Evidence:
    """An estimate from the codes of today, and the errors it leaves.

    ``part`` is its domain. ``telling`` (n,) are the drawn passages that stand for what is not
    known; ``error`` (n,) is such a passage's error about the mean error of its part, divided by the
    domain's size (0 elsewhere); ``label`` (n,) its code, 0 elsewhere; ``alone`` (N,) are the
    deviations under ``texts`` were every passage a source of its own.
    """

    estimate: Estimate
    part: Domain
    telling: Bools
    error: Floats
    label: Floats
    alone: Floats


def share_evidence(
    name: str, given: Survey, part: Domain, data: Outcome, settings: Settings
) -> Evidence:
    """Return what the codes of today say about the share of a domain, by the estimator ``name``.

    Of a part of the domain that unread draws do not reach they say it by labels only, as
    :meth:`framing.inference.estimator.Corrected.estimate` does. Raises :class:`InputError` as
    :func:`framing.inference.estimators.planned` does.
    """
    estimator, frame = planned(name), given.frame
    found = estimator.estimate(frame, part, data, settings)
    n = len(frame.drawn)
    telling, error, label = np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n)
    alone, taking_part = np.zeros(frame.total), np.zeros(frame.total, dtype=bool)
    if not found.missing or found.value == found.value:
        size = len(part.rows)
        taking_part[part.rows] = True
        alone[frame.drawn[part.known]] = (data.label[part.known] - found.value) / size
        for piece in part.parts:
            labels_only = estimator.gives_way(frame, piece)
            share = (labels_share if labels_only else estimator.share)(frame, piece, data, settings)
            certain = np.zeros(len(piece.coded), dtype=bool)
            if not labels_only and not share.note:  # else labels only stand in
                certain = estimator.certain(piece, data)
            scale = len(piece.rows) / size
            telling[piece.coded] = True
            error[piece.coded] = scale * np.where(certain, 0.0, share.of_coded / share.weight)
            label[piece.coded] = data.label[piece.coded]
            alone[piece.rows] += scale * share.of_all + (share.value - found.value) / size
            alone[piece.rows[piece.place]] += scale * share.of_coded
    deviations = cluster_deviations(alone, taking_part)
    return Evidence(found, part, telling, error, label, deviations)


# --- strata and their spreads ---------------------------------------------------------------------


@dataclass(frozen=True)
class Cells:
    """The strata of a plan, K of them, in the order of their names.

    ``size`` passages, ``coded`` of them, ``left`` R_k; ``known`` of them count as they are, the
    others are N_k. ``rate`` f_k at which earlier draws that stand for these took them (0 where none
    could); ``within`` S_k and ``about`` Q_k, spreads of the errors on the scale of the estimate's
    own error; ``unit`` brings them to the scale of a code, 0 to 1. ``anew`` says that a further
    draw is the first word on a stratum, ``teaching`` that it only makes passages known.
    """

    names: tuple[str, ...]
    size: Ints
    coded: Ints
    left: Ints
    rate: Floats
    within: Floats
    about: Floats
    unit: Floats
    known: Ints | int = 0
    anew: Bools | bool = False
    teaching: Bools | bool = False

    @property
    def open(self) -> Floats:
        """Return N_k (K,), the passages that are not known."""
        found: Floats = (self.size - self.known).astype(float)
        return found

    @property
    def standing(self) -> Floats:
        """Return how many passages (K,) of earlier draws stand for others beside a further one."""
        return np.where(self.anew, 0.0, self.rate * self.open)


def plan_cells(
    given: Survey,
    strata: Strata,
    evidence: Sequence[Evidence],
    unit: Floats,
    few: int,
    role: str = CONFIRMATION,
) -> Cells:
    """Return the strata of a plan with the spread of errors in each.

    ``strata`` are the passages'; ``evidence`` is that of one side, or of two whose difference is
    planned for. Where the codes that tell spreads do not vary, Laplace's rule gives the spread.
    ``unit`` (N,) is the size of the domain a passage counts in. A stratum with fewer than ``few``
    telling passages borrows from the wider one that leaves its last columns out; where there are
    none at all the spread is that of a code present in half the passages. Where no coding is
    unread, spreads are those of the widest strata that do not look at the classifier. ``role`` is
    that of the further draw.
    """
    frame, names, levels = given.frame, strata.names, strata.levels
    error, mark = evidence[0].error, evidence[0].label
    telling = evidence[0].telling
    if len(evidence) > 1:
        error, mark = error - evidence[1].error, mark + 2 * evidence[1].label
        telling = telling | evidence[1].telling
    inside = np.flatnonzero(np.array([name != "" for name in names], dtype=bool))
    stratum, found = pd.factorize(np.asarray(names, dtype=object)[inside], sort=True)
    number = len(found)
    size = np.bincount(stratum, minlength=number)
    place = np.full(frame.total, -1)
    place[inside] = stratum
    coded = np.bincount(place[frame.drawn][place[frame.drawn] >= 0], minlength=number)
    drawn = np.flatnonzero((place[frame.drawn] >= 0) & telling)
    of_drawn = place[frame.drawn[drawn]]
    standing = np.bincount(of_drawn, minlength=number)
    weight = frame.weight[drawn]
    scale = sums(stratum, unit[inside], number) / np.maximum(size, 1)
    within, about = np.full(number, _WORST) / scale, np.full(number, _WORST) / scale
    open_still = np.ones(number, dtype=bool)
    deepest = len(levels) if frame.confirmed else min(strata.blind, len(levels))
    for depth in range(deepest, -1, -1):
        wider, count = _wider(levels[:depth], inside, stratum, number)
        members = wider[of_drawn]
        there = np.bincount(members, minlength=count)
        enough = open_still & (there[wider] >= (few if depth else min(2, few)))
        inner, outer = _spreads(error[drawn], weight, mark[drawn], unit[frame.drawn[drawn]],
                                members, count)  # fmt: skip
        within = np.where(enough, inner[wider], within)
        about = np.where(enough, outer[wider], about)
        open_still &= ~enough
    weights = sums(of_drawn, weight, number)
    total = float(weight.sum())
    overall = len(drawn) / total if total > 0 else 0.0
    rate = np.divide(standing, weights, out=np.full(number, overall), where=weights > 0)
    covered = sums(stratum, given.covered[inside].astype(float), number) > 0
    is_known = np.zeros(frame.total, dtype=bool)
    is_known[frame.drawn[frame.known]] = True
    reached = np.ones(frame.total, dtype=bool) if frame.unread_frame is None else frame.unread_frame
    outside = sums(stratum, (~reached & ~is_known)[inside].astype(float), number) > 0
    none = np.zeros(number, dtype=bool)
    return Cells(
        names=tuple(str(name) for name in found),
        size=size,
        coded=coded,
        left=size - coded,
        rate=np.where(covered, np.minimum(rate, 1.0), 0.0),
        within=within,
        about=about,
        unit=scale,
        known=np.bincount(stratum, weights=is_known[inside], minlength=number).astype(np.int64),
        anew=outside if role == CONFIRMATION else none,
        teaching=none if role == CONFIRMATION else ~outside & frame.confirmed,
    )


def _wider(
    levels: Sequence[Sequence[str]], inside: Ints, stratum: Ints, number: int
) -> tuple[Ints, int]:
    """Return for each stratum (K,) the wider one that only ``levels`` make, and how many."""
    if not levels:
        return np.zeros(number, dtype=np.int64), 1
    table = pd.DataFrame({n: np.asarray(level, dtype=object)[inside]
                          for n, level in enumerate(levels)})  # fmt: skip
    key = table.groupby(list(table.columns), sort=True, dropna=False).ngroup().to_numpy()
    wider = np.zeros(number, dtype=np.int64)
    wider[stratum] = key
    return wider, int(key.max(initial=-1)) + 1


def _spreads(
    error: Floats, weight: Floats, mark: Floats, unit: Floats, members: Ints, count: int
) -> tuple[Floats, Floats]:
    """Return spreads about the cell's mean and about zero, by cell (count,)."""
    total, known = sums(members, weight, count), np.bincount(members, minlength=count)
    divisor = np.where(total > 0, total, 1)
    mean = sums(members, weight * error, count) / divisor
    inner = sums(members, weight * (error - mean[members]) ** 2, count) / divisor
    inner *= known / np.maximum(known - 1, 1)
    outer = sums(members, weight * error**2, count) / divisor
    lowest, highest = np.full(count, inf), np.full(count, -inf)
    np.minimum.at(lowest, members, mark)
    np.maximum.at(highest, members, mark)
    share = 1 / (known + 2)
    scale = sums(members, unit, count) / np.maximum(known, 1)
    floor = np.where(lowest == highest, share * (1 - share), 0) / np.where(scale > 0, scale, 1) ** 2
    return np.sqrt(np.maximum(inner, floor)), np.sqrt(np.maximum(outer, floor))


# --- allocation and prediction --------------------------------------------------------------------


def neyman(
    size: Floats,
    spread: Floats,
    total: float,
    *,
    have: Floats | None = None,
    low: Floats | None = None,
    high: Floats | None = None,
) -> Floats:
    """Return the allocation (K,) of ``total`` passages that makes the variance smallest.

    n_k ∝ N_k·S_k (Neyman 1934). With ``have`` passages coded already these count: have + share ∝
    N_k·S_k as far as the limits allow, ``low`` and ``high`` of a stratum's share.
    (1400, 600, 300, 200) × (.2, .4, .3, .5) with 100 gives 39.44, 33.80, 12.68, 14.08.
    """
    number = len(size)
    return bounded_shares(
        np.asarray(size, dtype=float) * np.asarray(spread, dtype=float), total,
        np.zeros(number) if low is None else np.asarray(low, dtype=float),
        np.full(number, inf) if high is None else np.asarray(high, dtype=float),
        have,
    )  # fmt: skip


def least(cells: Cells, minimum: int) -> int:
    """Return the smallest number of passages a plan can ask for: the minimum of every stratum."""
    return int(np.minimum(cells.left, minimum).sum())


def allocate(cells: Cells, total: int, minimum: int) -> tuple[Floats, Ints]:
    """Return the exact and the whole-numbered allocation of ``total`` more passages, (K,) each.

    At least ``minimum`` a stratum (or all it has left), never more than it has left.
    """
    low = np.minimum(cells.left, minimum)
    shares = neyman(
        np.where(cells.anew, cells.left, cells.open), cells.within, total, have=cells.standing,
        low=low.astype(float), high=cells.left.astype(float),
    )  # fmt: skip
    return shares, whole_numbers(shares, total, low, cells.left)


def predicted_variance(cells: Cells, more: Ints) -> float:
    """Return the variance to be expected after ``more`` (K,) passages, before the factor c.

    The formula at the head of this module; infinite where a stratum that no earlier draw covers
    gets no passage.
    """
    taking = more > 0
    # A stratum coded whole is known: with a draw it counts as such (Draw.even is false).
    fraction = np.full(len(more), float(taking.any()))
    np.divide(more, cells.left, out=fraction, where=cells.left > 0)
    share = np.where(cells.rate > 0, earlier_share(cells.rate, fraction), 0.0)
    share = np.where(cells.anew & taking, 0.0, np.where(cells.teaching, 1.0, share))
    # What is read of a stratum that unread draws reach needs nobody to stand for it.
    rest = cells.open - np.where(cells.teaching, more, 0)
    rate = np.where(cells.rate > 0, cells.rate, 1.0)
    others = np.divide(cells.open * rate, rest, out=np.ones(len(more)), where=rest > 0)
    rate = np.where(cells.teaching, np.minimum(others, 1.0), rate)
    first = share**2 * rest * (1 / rate - 1) * cells.about**2
    supplement = cells.left * (cells.left - more) / np.maximum(more, 1) * cells.within**2
    second = np.where(taking, (1 - share) ** 2 * supplement, 0.0)
    if ((cells.rate == 0) & ~taking & (cells.left > 0)).any():
        return inf
    return float((first + second).sum())


@dataclass(frozen=True)
class Strata:
    """Strata of a plan over the passages: their names (N,), empty outside, and what makes them.

    Of the columns ``levels`` the first ``blind`` ones do not look at the classifier.
    """

    names: Sequence[str]
    levels: Sequence[Sequence[str]]
    blind: int = 0
