"""How many more passages must be coded, in which strata, for a wished precision.

What an estimate leaves to chance is the error of its predictions, e_i = y_i − f_i (f = λ·p for the
difference estimator, the mean code of the classifier's cell for the post-stratified one, 0 for
labels only). Its spread S_k within a stratum k is seen on the passages coded so far, and decides
where more codes help most: n_k ∝ N_k·S_k (Neyman 1934; for the corrected estimators Mozer et al.,
arXiv 2602.12992). Strata are group × the classifier's decision × its confidence by default.

*This corpus.* Passages that were read are known where unread draws reach; of stratum k they leave
N_k. With m_k more passages of the R_k left in it, drawn and combined with the earlier unread draws
as :mod:`framing.sampling.draw` does it (share a_k of the earlier estimate, earlier rate f_k), the
variance will be about::

    V(m) = c · Σ_k a_k² N_k (1/f_k − 1) Q²_k + (1 − a_k)² R_k² (1 − m_k/R_k) S²_k / m_k

The earlier draw was not made within these strata, so that its part has Q²_k, the mean square of
e about its mean in the domain, where the supplement's has the variance S²_k within the stratum.
c makes V(0) the variance that the tables give today. V is 0 when everything is coded. Two cases
differ (:class:`Cells`): a confirmation draw is the first word on a stratum that no unread draw
reached (a_k = 0, and all read passages become known), and a development draw in one that they do
reach makes m_k passages known, which the others then need not stand for.

*Which errors.* Only those on unread passages tell how large errors elsewhere are. Where no coding
is unread, all that is known are the codes themselves: the plan is then for labels only, with
spreads of codes in strata that do not look at the classifier (whose decisions are better on what
its authors read than elsewhere). It asks for more than may prove necessary; what the classifier
saves is seen when the first confirmation draw is coded.

*Texts like these.* Coding more passages of the same sources takes away only what is due to coding
a part of them. What is due to having these sources and no others remains::

    V_texts(m) = (V_texts − V_corpus) + V_corpus(m)

The bracket is the floor. Below it only more sources help: the variance goes down with their number,
and the quantile of Student's t with it.

A stratum with few coded passages borrows the spread of a wider one (its confidence, then its
decision, is left out). Where all codes seen agree, the variance is not taken for zero but for that
of Laplace's rule, p(1 − p) with p = 1/(n + 2): one passage that disagrees may be the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, nan, sqrt
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy import stats

from framing.common.config import ALL
from framing.common.problems import InputError, Problem, raise_if_any
from framing.inference.contrasts import contrast, degrees_of_freedom
from framing.inference.design import (
    CORPUS,
    TARGETS,
    TEXTS,
    Bools,
    Domain,
    Floats,
    Ints,
    Part,
    Population,
    cluster_deviations,
    domain,
    population,
    sums,
)
from framing.inference.estimators import (
    COUNT,
    DIFFERENCE,
    LABELS,
    POST,
    Estimate,
    Share,
    difference_share,
    estimate,
    labels_share,
    leading,
    post_stratified_share,
)
from framing.inference.intervals import Settings, critical, is_zero, share_interval
from framing.inference.outcomes import Outcome, outcome
from framing.inference.share_intervals import share_ends
from framing.sampling.draw import bounded_shares, earlier_share, strata_of, whole_numbers
from framing.sampling.roles import CONFIRMATION

DECISION, CONFIDENCE = "decision", "confidence"
YES, NO = "yes", "no"
SURE, DOUBTFUL = "sure", "doubtful"
_WORST = 0.5  # standard deviation of a code nothing is known about
_ENOUGH_SOURCES = 10**6
UNREAD_UNKNOWN = (
    "no coding is unread, so what the classifier would save is not known: reckoned for labels "
    "only, with the spread of codes; plan again when a confirmation draw is coded"
)


@dataclass(frozen=True)
class PlanSettings:
    """What the configuration's ``planning`` says.

    ``strata``: columns that make strata. ``minimum``: so many passages are drawn from each stratum,
    or all it has. ``sure``: the classifier is sure where it gives its decision at least this
    probability. ``few``: a stratum with fewer coded passages borrows the spread of a wider one.
    """

    strata: tuple[str, ...]
    minimum: int
    sure: float
    few: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> PlanSettings:
        """Return the settings of a configuration (plain dict)."""
        part = config["planning"]
        return cls(tuple(part["strata"]), int(part["minimum"]), float(part["sure"]),
                   int(part["few"]))  # fmt: skip


# --- strata ---------------------------------------------------------------------------------------


def strata_columns(names: Sequence[str], codes: Sequence[str]) -> list[str]:
    """Return columns of strata with ``decision`` and ``confidence`` spelt out for each code.

    ``decision`` becomes ``decision:CODE``. Raises :class:`InputError` where no code is given.
    """
    columns = []
    for name in names:
        if name in (DECISION, CONFIDENCE):
            if not codes:
                raise InputError(
                    Problem("--strata", f"{name!r} of which code is meant is not said",
                            f"Write {name}:CODE, or give --code CODE.")
                )  # fmt: skip
            columns += [f"{name}:{code}" for code in dict.fromkeys(codes)]
        else:
            columns.append(name)
    return list(dict.fromkeys(columns))


def classifier_codes(columns: Sequence[str]) -> list[str]:
    """Return the codes whose decisions or confidences are among the columns."""
    parts = [name.split(":", 1) for name in columns if ":" in name]
    return list(dict.fromkeys(code for kind, code in parts if kind in (DECISION, CONFIDENCE)))


def with_classifier(
    frame: pd.DataFrame, scores: pd.DataFrame, codes: Sequence[str], sure: float
) -> pd.DataFrame:
    """Return the passage frame with ``decision:CODE`` and ``confidence:CODE`` of each code.

    Decisions are ``yes`` and ``no``; confidence is ``sure`` where the classifier gives its decision
    a probability of at least ``sure``, else ``doubtful``. Raises :class:`InputError` where a code
    has no scores, or scores of other passages than the frame's.
    """
    columns: dict[str, Any] = {}
    for code in codes:
        part = scores[scores["code"] == code].set_index("passage_id")
        if part.empty:
            raise InputError(
                Problem("build/scores.tsv", f"has no code {code!r}",
                        f"Known: {', '.join(scores['code'].drop_duplicates())}.")
            )  # fmt: skip
        if not part.index.is_unique or set(part.index) != set(frame["passage_id"]):
            raise InputError(
                Problem("build/scores.tsv", f"has scores of {code!r} for other passages than the "
                        "corpus has", "Run `snakemake`.")
            )  # fmt: skip
        part = part.loc[frame["passage_id"]]
        says_yes = part["decision"].to_numpy() == 1
        probability = part["probability"].to_numpy(dtype=float)
        of_decision = np.where(says_yes, probability, 1 - probability)
        columns[f"{DECISION}:{code}"] = np.where(says_yes, YES, NO).astype(object)
        columns[f"{CONFIDENCE}:{code}"] = np.where(
            np.round(of_decision, 6) >= sure, SURE, DOUBTFUL
        ).astype(object)
    return frame.assign(**columns)


def scope_text(cells: Sequence[tuple[str, str]]) -> str:
    """Return the cells (group, period) of a plan as they are written: ``a/all + b/all``."""
    return " + ".join("/".join(cell) for cell in dict.fromkeys(cells))


def scope_member(frame: pd.DataFrame, scope: str) -> Bools:
    """Return which passages of a frame a scope (:func:`scope_text`) holds."""
    member = np.zeros(len(frame), dtype=bool)
    for cell in scope.split(" + "):
        group, _, period = cell.partition("/")
        of_cell = np.ones(len(frame), dtype=bool)
        for name, column in ((group, "group"), (period, "period")):
            if name != ALL:
                of_cell &= (frame[column] == name).to_numpy()
        member |= of_cell
    return member


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
    """Return the arrays of a frame from :func:`framing.sampling.draw.combined_design`.

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


_SHARES: Mapping[str, Callable[[Population, Part, Outcome, Settings], Share]] = {
    LABELS: labels_share, POST: post_stratified_share, DIFFERENCE: difference_share,
}  # fmt: skip


def check_estimator(name: str) -> None:
    """Raise :class:`InputError` for an estimator that more codes do not make more precise."""
    if name == COUNT:
        raise InputError(
            Problem("inference.headline.estimator", f"is {COUNT}, which rests on no codes: coding "
                    "more makes it no better", "Plan with --estimator difference.")
        )  # fmt: skip
    if name not in _SHARES:
        raise InputError(
            Problem("inference.headline.estimator", f"{name!r} cannot be planned for",
                    f"Plan with --estimator: {', '.join(_SHARES)}.")
        )  # fmt: skip


def share_evidence(
    name: str, given: Survey, part: Domain, data: Outcome, settings: Settings
) -> Evidence:
    """Return what the codes of today say about the share of a domain, by the estimator ``name``.

    Of a part of the domain that unread draws do not reach they say it by labels only, as
    :func:`framing.inference.estimators.combined` does. Raises :class:`InputError` for
    classify-and-count, which no code makes more precise, and for estimators unknown here.
    """
    check_estimator(name)
    frame = given.frame
    found = estimate(name, frame, part, data, settings)
    n = len(frame.drawn)
    telling, error, label = np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n)
    alone, taking_part = np.zeros(frame.total), np.zeros(frame.total, dtype=bool)
    if not found.missing or found.value == found.value:
        size = len(part.rows)
        taking_part[part.rows] = True
        alone[frame.drawn[part.known]] = (data.label[part.known] - found.value) / size
        for piece in part.parts:
            gives_way = frame.confirmed and not piece.unread
            share = _SHARES[LABELS if gives_way else name](frame, piece, data, settings)
            scale = len(piece.rows) / size
            telling[piece.coded] = True
            error[piece.coded] = scale * np.where(
                _certain(name, piece, data, share), 0.0, share.of_coded / share.weight
            )
            label[piece.coded] = data.label[piece.coded]
            alone[piece.rows] += scale * share.of_all + (share.value - found.value) / size
            alone[piece.rows[piece.place]] += scale * share.of_coded
    deviations = cluster_deviations(alone, taking_part)
    return Evidence(found, part, telling, error, label, deviations)


def _certain(name: str, piece: Part, data: Outcome, share: Share) -> Bools:
    """Return which coded passages are all there are of their post-stratum: nothing is left open."""
    if name != POST or share.note:  # labels only stand in for post-strata that are too small
        return np.zeros(len(piece.coded), dtype=bool)
    cell = data.decision[piece.rows]
    whole = np.bincount(cell[piece.place], minlength=2) == np.bincount(cell, minlength=2)
    certain: Bools = whole[cell[piece.place]]
    return certain


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
    beyond = sums(stratum, (~reached & ~is_known)[inside].astype(float), number) > 0
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
        anew=beyond if role == CONFIRMATION else none,
        teaching=none if role == CONFIRMATION else ~beyond & frame.confirmed,
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


# --- plans ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """Answers for one question, and the strata of the one to act upon.

    ``about`` says in words what is estimated, ``value`` the estimate or difference of today.
    ``answers`` are the planned estimator's by target, then those of labels only; ``chosen`` is the
    one whose allocation ``cells`` belong to. ``note`` says what the plan could not reckon with.
    """

    about: str
    value: float
    goal: Goal
    answers: tuple[Answer, ...]
    chosen: Answer
    cells: Cells
    present: Present
    note: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """Return a row a stratum: ``stratum passages coded left error_sd neyman more``."""
        return pd.DataFrame(
            {
                "stratum": list(self.cells.names),
                "passages": self.cells.size,
                "coded": self.cells.coded,
                "left": self.cells.left,
                "error_sd": self.cells.within * self.cells.unit,
                "neyman": self.chosen.exact,
                "more": self.chosen.whole,
            }
        )


@dataclass(frozen=True)
class Strata:
    """Strata of a plan over the passages: their names (N,), empty outside, and what makes them.

    Of the columns ``levels`` the first ``blind`` ones do not look at the classifier.
    """

    names: Sequence[str]
    levels: Sequence[Sequence[str]]
    blind: int = 0


@dataclass(frozen=True)
class Request:
    """What a plan rests on: the survey, strata with and without the classifier, settings.

    ``plain`` are the strata for labels only, which has no classifier. ``target`` is what to
    allocate for; where no number of passages reaches it, the allocation is the one for ``corpus``.
    ``role`` is what the further draw is made for.
    """

    given: Survey
    strata: Strata
    plain: Strata
    estimator: str
    target: str
    settings: Settings
    planning: PlanSettings
    role: str = CONFIRMATION

    @property
    def effective(self) -> str:
        """Return the estimator that can be planned for: labels only where no coding is unread."""
        check_estimator(self.estimator)
        return self.estimator if self.given.frame.confirmed else LABELS

    @property
    def note(self) -> str:
        """Return what must be said of a plan that no unread coding stands behind."""
        return "" if self.given.frame.confirmed else UNREAD_UNKNOWN


def plan_share(
    request: Request, data: Outcome, group: str, period: str, half_width: float, about: str
) -> Plan:
    """Return the plan for a share whose interval shall have a half-width of at most the wished.

    ``data`` is the code's outcome over the survey's population. Raises :class:`InputError` where
    the domain has no passage, the half-width is no number above 0 and below .5, or the estimator
    rests on no codes.
    """
    raise_if_any(
        [] if 0 < half_width < 0.5 else
        [Problem("--half-width", f"is {half_width}", "Give a number above 0 and below 0.5.")]
    )  # fmt: skip
    given, name = request.given, request.effective
    part = domain(given.frame, group, period)
    if not len(part.rows):
        raise InputError(
            Problem("framing plan", f"no passage in {about}", "Plan for another cell.")
        )
    unit = np.full(given.frame.total, float(len(part.rows)))
    answers: list[Answer] = []
    cells, present, value = {}, {}, {}
    goals: dict[str, Goal] = {}
    for one, strata in _estimators(request):
        by_target = _evidence(one, given, group, period, data, request.settings)
        found = by_target[CORPUS]
        goals[one] = HalfWidth(
            half_width, found.estimate, request.settings, by_target[TEXTS].estimate
        )
        cells[one] = plan_cells(
            given, strata, [found], unit, request.planning.few, request.role
        )  # fmt: skip
        present[one], value[one] = _present_share(by_target), found.estimate.value
        answers += _answers(one, goals[one], cells[one], present[one], request)
    chosen = _chosen(answers, request)
    return Plan(about, value[name], goals[name], tuple(answers), chosen, cells[name],
                present[name], request.note)  # fmt: skip


def _evidence(
    name: str, given: Survey, group: str, period: str, data: Outcome, settings: Settings
) -> dict[str, Evidence]:
    """Return the evidence by target; that for ``texts`` leaves the case study out.

    Where today's codes say nothing of all passages, as no draw covers some, what they say of the
    sampled frame stands in.
    """
    found = {}
    for target in TARGETS:
        part = domain(given.frame, group, period, target)
        found[target] = share_evidence(name, given, part, data, settings)
        inside = domain(given.sampled, group, period, target)
        if found[target].estimate.missing and len(inside.coded) and len(inside.outside):
            found[target] = share_evidence(name, given, inside, data, settings)
    return found


def _answers(
    name: str, goal: Goal, cells: Cells, present: Present, request: Request
) -> list[Answer]:
    minimum = request.planning.minimum
    return [answer(name, target, goal, cells, present, minimum) for target in TARGETS]


def _present_share(by_target: Mapping[str, Evidence]) -> Present:
    found, of_texts = by_target[CORPUS], by_target[TEXTS]
    made, texts = found.estimate, of_texts.estimate
    missing = {
        target: one.missing[target] for target, one in ((CORPUS, made), (TEXTS, texts))
        if target in one.missing
    }  # fmt: skip
    variance, df = {}, {CORPUS: float(found.part.free)}
    if CORPUS not in missing and CORPUS not in made.barred:
        variance[CORPUS] = made.variance[CORPUS]
    if made.complete:
        variance[CORPUS] = 0.0
    part = nan
    if TEXTS not in missing:
        variance[TEXTS], df[TEXTS] = texts.variance[TEXTS], texts.df[TEXTS]
        if CORPUS in variance and CORPUS not in texts.barred:
            part = 0.0 if texts.complete else texts.variance[CORPUS]
    iid = float(np.square(of_texts.alone).sum())
    effect = variance[TEXTS] / iid if TEXTS in variance and iid > 0 else nan
    return Present(variance, df, missing, of_texts.part.coded_sources, effect, part=part)


def _estimators(request: Request) -> list[tuple[str, Strata]]:
    name = request.effective
    first = [(name, request.strata)]
    return first if name == LABELS else [*first, (LABELS, request.plain)]


def _chosen(answers: Sequence[Answer], request: Request) -> Answer:
    own = {one.target: one for one in answers if one.estimator == request.effective}
    wanted = own[request.target]
    return own[CORPUS] if wanted.more is None else wanted


@dataclass(frozen=True)
class Side:
    """One side of a contrast: the code's outcome, and the domain's group and period."""

    data: Outcome
    group: str
    period: str


def plan_contrast(
    request: Request, a: Side, b: Side, wish: float, difference: float | None, about: str
) -> Plan:
    """Return the plan for a contrast a − b whose test shall have the wished power.

    ``difference`` is how large a difference shall be found; today's estimate where it is None.
    Degrees of freedom are today's: which side more codes would add to is left open. Raises
    :class:`InputError` where a side has no passage, numbers are out of range, or there is no
    difference to find.
    """
    problems = []
    if not 0 < wish < 1:
        problems.append(Problem("--power", f"is {wish}", "Give a number between 0 and 1, say 0.8."))
    if difference is not None and not 0 < abs(difference) < 1:
        problems.append(
            Problem("--difference", f"is {difference}", "Give a number above 0 and below 1.")
        )
    given, settings, name = request.given, request.settings, request.effective
    parts = [domain(given.frame, side.group, side.period) for side in (a, b)]
    problems += [
        Problem("framing plan", f"no passage on side {name} of {about}", "Plan another contrast.")
        for name, part in zip("ab", parts, strict=True)
        if not len(part.rows)
    ]
    raise_if_any(problems)
    counts = np.zeros(given.frame.total)
    for part in parts:
        counts[part.rows] = np.maximum(counts[part.rows], 1 / len(part.rows))
    unit = np.divide(1.0, counts, out=np.ones(len(counts)), where=counts > 0)
    answers: list[Answer] = []
    cells, present, gaps = {}, {}, {}
    goals: dict[str, Goal] = {}
    for one, strata in _estimators(request):
        found = [
            _evidence(one, given, side.group, side.period, side.data, settings) for side in (a, b)
        ]
        present[one], gaps[one] = _present_contrast(found, settings)
        sought = abs(gaps[name]) if difference is None else abs(difference)
        if sought != sought or is_zero(sought):
            raise InputError(
                Problem("--difference", "is needed: today's codes show no difference to look for",
                        "Say how large a difference shall be found.")
            )  # fmt: skip
        goals[one] = Power(wish, sought, settings)
        cells[one] = plan_cells(
            given, strata, [side[CORPUS] for side in found], unit, request.planning.few,
            request.role,
        )  # fmt: skip
        answers += _answers(one, goals[one], cells[one], present[one], request)
    return Plan(about, gaps[name], goals[name], tuple(answers), _chosen(answers, request),
                cells[name], present[name], request.note)  # fmt: skip


def _present_contrast(
    found: Sequence[Mapping[str, Evidence]], settings: Settings
) -> tuple[Present, float]:
    variance, df, missing, gap, part = {}, {}, {}, nan, nan
    for target in TARGETS:
        sides = [one[target].estimate for one in found]
        made = contrast(sides[0], sides[1], target, settings.confidence)
        gap = made.difference if gap != gap else gap
        if any(target in side.missing for side in sides):
            missing[target] = made.status
            continue
        if made.se == made.se:
            variance[target] = made.se**2
            df[target] = degrees_of_freedom(sides[0], sides[1], target) if made.se else inf
        elif target == TEXTS:
            missing[target] = made.status
        if target == TEXTS and CORPUS in variance:
            coding = contrast(sides[0], sides[1], CORPUS, settings.confidence).se
            part = coding**2 if coding == coding else nan
    alone = found[0][TEXTS].alone - found[1][TEXTS].alone
    iid = float(np.square(alone).sum())
    effect = variance[TEXTS] / iid if TEXTS in variance and iid > 0 else nan
    parts = [one[TEXTS].part for one in found]
    sources = np.unique(np.concatenate([one.source[one.place] for one in parts]))
    return Present(variance, df, missing, len(sources), effect, False, part), gap


# --- what a draw that is spent would cost anew ----------------------------------------------------


def replacement_size(request: Request, data: Outcome, half_width: float) -> int | None:
    """Return how many passages a new confirmation draw needs for the whole corpus' share.

    ``request`` is that of the project as it stands, with the draw spent; ``half_width`` is what its
    interval for this corpus was before. None where no number of passages reaches that.
    """
    plan = plan_share(replace(request, target=CORPUS), data, ALL, ALL, half_width, "")
    return next(
        one.more for one in plan.answers
        if one.target == CORPUS and one.estimator == request.effective
    )  # fmt: skip


def replacement_sentence(
    before: pd.DataFrame, after: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> str:
    """Return in a sentence what a new confirmation draw would cost after one is spent.

    ``before`` and ``after`` are the passage frame with the combined design
    (:func:`framing.sampling.draw.combined_design`) as the draws would count were none spent, and as
    they do; ``scores`` are those of the codes, with labels. Of all codes the one that needs most is
    told: half-widths of the headline estimator for this corpus, all texts, shall be again what they
    were. Empty where the frame has no unread coding even before, or nothing can be said.
    """
    settings, planning = Settings.of(config), PlanSettings.of(config)
    case = config["case_study"]
    was, now = survey(before, case), survey(after, case)
    if not was.frame.confirmed:
        return ""
    most: tuple[int, str, float] | None = None
    for code in dict.fromkeys(scores["code"]):
        own = scores[scores["code"] == code]
        name = leading(config, confirmed=True)["estimator"]
        check_estimator(name)
        found = _evidence(name, was, ALL, ALL, outcome(was.frame, own, code, settings), settings)
        present = _present_share(found)
        goal = HalfWidth(nan, found[CORPUS].estimate, settings)
        width = round(goal.measure(present.variance.get(CORPUS, inf), present.df[CORPUS], 0), 4)
        if not 0 < width < 0.5:
            continue
        plain = [column for column in planning.strata if column not in (DECISION, CONFIDENCE)]
        strata = strata_of(after, plain, np.ones(len(after), dtype=bool)) if plain else None
        levels = [list(after[column].astype(object).fillna("")) for column in plain]
        names = [ALL] * len(after) if strata is None else list(strata)
        made = Strata(names, levels, len(levels))
        request = Request(now, made, made, name, CORPUS, settings, planning)
        more = replacement_size(request, outcome(now.frame, own, code, settings), width)
        if more is not None and (most is None or more > most[0]):
            most = more, str(code), width
    if most is None:
        return ""
    how = "" if now.frame.confirmed else (
        ", by labels only, since what the classifier would save is not known before it is coded"
    )  # fmt: skip
    return (
        f"A new confirmation draw would need about {most[0]:,} passages to make intervals for this "
        f"corpus as narrow as they were (reckoned for {most[1]} in all texts, half-width "
        f"{most[2]:.3f}{how})."
    )
