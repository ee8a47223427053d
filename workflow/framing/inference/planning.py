"""How many more passages must be coded, in which strata, for a wished precision.

What an estimate leaves to chance is the error of its predictions, e_i = y_i − f_i (f = λ·p for the
difference estimator, the mean code of the classifier's cell for the post-stratified one, 0 for
labels only). Its spread S_k within a stratum k is seen on the passages coded so far, and decides
where more codes help most: n_k ∝ N_k·S_k (Neyman 1934; for the corrected estimators Mozer et al.,
arXiv 2602.12992). Strata are group × the classifier's decision × its confidence by default.

*This corpus.* With m_k more passages of the R_k left in stratum k, drawn and combined with the
earlier ones as :mod:`framing.corpus.draws` does it (share a_k of the earlier estimate, earlier rate
f_k), the variance will be about::

    V(m) = c · Σ_k a_k² N_k (1/f_k − 1) Q²_k + (1 − a_k)² R_k² (1 − m_k/R_k) S²_k / m_k

The earlier draw was not made within these strata, so that its part has Q²_k, the mean square of
e about its mean in the domain, where the supplement's has the variance S²_k within the stratum.
c makes V(0) the variance that the tables give today. V is 0 when everything is coded.

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

from framing.config import ALL
from framing.corpus.draws import bounded_shares, earlier_share, whole_numbers
from framing.inference.contrasts import bounded, contrast
from framing.inference.design import (
    CORPUS,
    TARGETS,
    TEXTS,
    Bools,
    Domain,
    Floats,
    Ints,
    Population,
    cluster_deviations,
    domain,
    population,
    stratum_deviations,
    sums,
)
from framing.inference.estimators import (
    COUNT,
    LABELS,
    POST,
    Estimate,
    calibrate,
    cell_means,
    corrected_mean,
    estimate,
)
from framing.inference.intervals import Settings, critical, is_zero, share_interval
from framing.inference.outcomes import Outcome
from framing.problems import InputError, Problem, raise_if_any

DECISION, CONFIDENCE = "decision", "confidence"
YES, NO = "yes", "no"
SURE, DOUBTFUL = "sure", "doubtful"
_WORST = 0.5  # standard deviation of a code nothing is known about
_ENOUGH_SOURCES = 10**6


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
    """A population with what several draws add to it (:mod:`framing.corpus.draws`).

    ``random_share`` (n,) is the part of each drawn passage's weight that varies with the draw;
    ``covered`` (N,) says whether any draw could have drawn a passage.
    """

    frame: Population
    random_share: Floats
    covered: Bools


def survey(design: pd.DataFrame) -> Survey:
    """Return the arrays of a frame from :func:`framing.corpus.draws.combined_design`."""
    frame = population(design)
    assert frame.random_share is not None and frame.covered is not None
    # Further draws can reach what no draw covers yet, so a plan counts all passages of a domain.
    return Survey(replace(frame, covered=None), frame.random_share, frame.covered)


@dataclass(frozen=True)
class Evidence:
    """An estimate from the codes of today, and the errors it leaves.

    ``part`` is its domain. ``error`` (n,) is a drawn passage's error about the domain's mean error,
    divided by the domain's size (0 outside the domain); ``label`` (n,) its code, 0 outside;
    ``alone`` (N,) are the deviations under ``texts`` were every passage a source of its own.
    """

    estimate: Estimate
    part: Domain
    error: Floats
    label: Floats
    alone: Floats


def share_evidence(
    name: str, given: Survey, part: Domain, data: Outcome, settings: Settings
) -> Evidence:
    """Return what the codes of today say about the share of a domain, by the estimator ``name``.

    The estimate's variance and deviations under ``corpus`` count only what varies with the draws.
    Raises :class:`InputError` for classify-and-count, which no code makes more precise.
    """
    if name == COUNT:
        raise InputError(
            Problem("inference.headline.estimator", f"is {COUNT}, which rests on no codes: coding "
                    "more makes it no better", "Plan with --estimator difference.")
        )  # fmt: skip
    frame = given.frame
    found = estimate(name, frame, part, data, settings)
    error, label, alone = np.zeros(len(frame.drawn)), np.zeros(len(frame.drawn)), np.zeros(0)
    if not len(part.coded):
        return Evidence(found, part, error, label, np.zeros(frame.total))
    own = data.label[part.coded]
    weight = np.ones(len(own)) if part.complete else frame.weight[part.coded]
    certain = np.zeros(len(own), dtype=bool)
    if name == LABELS or f"{LABELS}:" in found.note:  # what stood in for post-strata
        fitted = np.zeros(len(part.rows))
    elif name == POST:
        cell = data.decision[part.rows]
        weight = calibrate(cell, part.place, weight)
        fitted = cell_means(cell, part.place, own, weight)
        coded = np.bincount(cell[part.place], minlength=2)
        certain = (coded == np.bincount(cell, minlength=2))[cell[part.place]]
    else:
        fitted = data.fitted[part.rows]
    made = corrected_mean(fitted, part.place, own, weight)
    error[part.coded] = np.where(certain, 0.0, made.of_coded) / weight
    label[part.coded] = own
    contributions = np.zeros(len(frame.drawn))
    contributions[part.coded] = 0.0 if part.complete else error[part.coded] * weight
    of_corpus = stratum_deviations(
        contributions * given.random_share, frame.stratum, frame.size, frame.sampled
    )
    alone = np.zeros(frame.total)
    alone[part.rows] = made.of_all
    alone[part.rows[part.place]] += made.of_coded
    taking_part = np.zeros(frame.total, dtype=bool)
    taking_part[part.rows] = True
    of_corpus *= _grown(name, frame, part, data, settings)
    deviations = {**found.deviations, CORPUS: of_corpus}
    variance = {**found.variance, CORPUS: float(np.square(of_corpus).sum())}
    found = replace(found, deviations=deviations, variance=variance)
    return Evidence(found, part, error, label, cluster_deviations(alone, taking_part))


def _grown(name: str, frame: Population, part: Domain, data: Outcome, settings: Settings) -> float:
    """Return by what factor the discount of gains makes an estimate's deviations larger."""
    believing = replace(settings, gain_discount=0.0)
    whole = estimate(name, frame, part, data, believing).variance.get(CORPUS, 0.0)
    if is_zero(sqrt(whole)):
        return 1.0
    return sqrt(estimate(name, frame, part, data, settings).variance[CORPUS] / whole)


# --- strata and their spreads ---------------------------------------------------------------------


@dataclass(frozen=True)
class Cells:
    """The strata of a plan, K of them, in the order of their names.

    ``size`` N_k passages, ``coded`` of them, ``left`` R_k; ``rate`` f_k at which earlier draws took
    them (0 where none could); ``within`` S_k and ``about`` Q_k, spreads of the errors on the scale
    of the estimate's own error; ``unit`` brings them to the scale of a code, 0 to 1.
    """

    names: tuple[str, ...]
    size: Ints
    coded: Ints
    left: Ints
    rate: Floats
    within: Floats
    about: Floats
    unit: Floats


def plan_cells(
    given: Survey,
    names: Sequence[str],
    levels: Sequence[Sequence[str]],
    error: Floats,
    mark: Floats,
    unit: Floats,
    few: int,
) -> Cells:
    """Return the strata of a plan with the spread of errors in each.

    ``names`` (N,) are the passages' strata, empty outside the plan; ``levels`` the columns (N,)
    that make them, what is left out first coming last. ``error`` (n,) as in :class:`Evidence`,
    ``mark`` (n,) tells codes apart: where it does not vary, Laplace's rule gives the spread.
    ``unit`` (N,) is the size of the domain a passage counts in. A stratum with fewer than ``few``
    coded passages borrows from the wider one that leaves its last columns out; where nothing is
    coded at all the spread is that of a code present in half the passages.
    """
    frame = given.frame
    inside = np.flatnonzero(np.array([name != "" for name in names], dtype=bool))
    stratum, found = pd.factorize(np.asarray(names, dtype=object)[inside], sort=True)
    number = len(found)
    size = np.bincount(stratum, minlength=number)
    place = np.full(frame.total, -1)
    place[inside] = stratum
    drawn = np.flatnonzero(place[frame.drawn] >= 0)
    of_drawn = place[frame.drawn[drawn]]
    coded = np.bincount(of_drawn, minlength=number)
    weight = frame.weight[drawn]
    scale = sums(stratum, unit[inside], number) / np.maximum(size, 1)
    within, about = np.full(number, _WORST) / scale, np.full(number, _WORST) / scale
    open_still = np.ones(number, dtype=bool)
    for depth in range(len(levels), -1, -1):
        wider, count = _wider(levels[:depth], inside, stratum, number)
        members = wider[of_drawn]
        known = np.bincount(members, minlength=count)
        enough = open_still & (known[wider] >= (few if depth else min(2, few)))
        inner, outer = _spreads(error[drawn], weight, mark[drawn], unit[frame.drawn[drawn]],
                                members, count)  # fmt: skip
        within = np.where(enough, inner[wider], within)
        about = np.where(enough, outer[wider], about)
        open_still &= ~enough
    weights = sums(of_drawn, weight, number)
    total = float(weight.sum())
    overall = len(drawn) / total if total > 0 else 0.0
    rate = np.divide(coded, weights, out=np.full(number, overall), where=weights > 0)
    covered = sums(stratum, given.covered[inside].astype(float), number) > 0
    return Cells(
        names=tuple(str(name) for name in found),
        size=size,
        coded=coded,
        left=size - coded,
        rate=np.where(covered, np.minimum(rate, 1.0), 0.0),
        within=within,
        about=about,
        unit=scale,
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
        cells.size.astype(float), cells.within, total, have=cells.rate * cells.size,
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
    rate = np.where(cells.rate > 0, cells.rate, 1.0)
    first = share**2 * cells.size * (1 / rate - 1) * cells.about**2
    rest = cells.left * (cells.left - more) / np.maximum(more, 1) * cells.within**2
    second = np.where(taking, (1 - share) ** 2 * rest, 0.0)
    if ((cells.rate == 0) & ~taking & (cells.left > 0)).any():
        return inf
    return float((first + second).sum())


# --- what is wished for ---------------------------------------------------------------------------


class Goal(Protocol):
    """A wish: what a variance with its degrees of freedom amounts to, and whether that will do."""

    @property
    def wish(self) -> float:
        """Return what is wished for."""

    def measure(self, variance: float, df: float, more: int) -> float:
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

    def measure(self, variance: float, df: float, more: int) -> float:
        """Return half the interval's length; 0 for a variance of 0, NaN without a quantile."""
        if variance == 0:
            return 0.0
        if df < 1 or variance == inf:
            return nan
        known = self.found.coded > 0
        ends = share_interval(
            bounded(self.found.value) if known else 0.5,
            sqrt(variance),
            coded=self.found.coded,
            effective=self.found.effective,
            reference=self.found.reference if known else 0.5,
            quantile=critical(self.settings.confidence, df),
            wilson_below=self.settings.wilson_below,
        )
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

    def measure(self, variance: float, df: float, more: int) -> float:
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
    the degrees of freedom.
    """

    variance: Mapping[str, float]
    df: Mapping[str, float]
    missing: Mapping[str, str]
    sources: int
    design_effect: float
    growing: bool = True


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
        floor = max(present.variance[TEXTS] - (start if start < inf else 0.0), 0.0)
    everything = int(cells.left.sum())

    def measured(more: int, whole: Ints) -> float:
        variance = start if not more else factor * predicted_variance(cells, whole)
        variance = 0.0 if more == everything else variance
        if target == TEXTS:
            variance = present.variance[TEXTS] if not more else floor + variance
            return goal.measure(variance, present.df[TEXTS], more)
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
        return goal.met(goal.measure(variance * now / number, df + number - now, 0))

    if not 0 < variance < inf or not enough(_ENOUGH_SOURCES):
        return None
    return _smallest(now, _ENOUGH_SOURCES, enough)


# --- plans ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """Answers for one question, and the strata of the one to act upon.

    ``about`` says in words what is estimated, ``value`` the estimate or difference of today.
    ``answers`` are the planned estimator's by target, then those of labels only; ``chosen`` is the
    one whose allocation ``cells`` belong to.
    """

    about: str
    value: float
    goal: Goal
    answers: tuple[Answer, ...]
    chosen: Answer
    cells: Cells
    present: Present

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
    """Strata of a plan over the passages: their names (N,), empty outside, and what makes them."""

    names: Sequence[str]
    levels: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Request:
    """What a plan rests on: the survey, strata with and without the classifier, settings.

    ``plain`` are the strata for labels only, which has no classifier. ``target`` is what to
    allocate for; where no number of passages reaches it, the allocation is the one for ``corpus``.
    """

    given: Survey
    strata: Strata
    plain: Strata
    estimator: str
    target: str
    settings: Settings
    planning: PlanSettings


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
    given = request.given
    part = domain(given.frame, group, period)
    if not len(part.rows):
        raise InputError(
            Problem("framing plan", f"no passage in {about}", "Plan for another cell.")
        )
    unit = np.full(given.frame.total, float(len(part.rows)))

    answers: list[Answer] = []
    cells, present, value = {}, {}, {}
    goals: dict[str, Goal] = {}
    for name, strata in _estimators(request):
        found = share_evidence(name, given, part, data, request.settings)
        goals[name] = HalfWidth(half_width, found.estimate, request.settings)
        cells[name] = plan_cells(
            given, strata.names, strata.levels, found.error, found.label, unit,
            request.planning.few,
        )  # fmt: skip
        present[name], value[name] = _present_share(found), found.estimate.value
        answers += _answers(name, goals[name], cells[name], present[name], request)
    name = request.estimator
    chosen = _chosen(answers, request)
    return Plan(about, value[name], goals[name], tuple(answers), chosen, cells[name], present[name])


def _answers(
    name: str, goal: Goal, cells: Cells, present: Present, request: Request
) -> list[Answer]:
    minimum = request.planning.minimum
    return [answer(name, target, goal, cells, present, minimum) for target in TARGETS]


def _present_share(found: Evidence) -> Present:
    made = found.estimate
    missing = {**made.missing}
    variance = {name: value for name, value in made.variance.items() if name not in missing}
    df = {CORPUS: float(found.part.free)}
    if CORPUS in made.barred and not made.complete:
        variance.pop(CORPUS, None)
    if made.complete:
        variance[CORPUS] = 0.0
    if TEXTS not in missing:
        df[TEXTS] = made.df[TEXTS]
    iid = float(np.square(found.alone).sum())
    effect = variance[TEXTS] / iid if TEXTS in variance and iid > 0 else nan
    return Present(variance, df, missing, found.part.coded_sources, effect)


def _estimators(request: Request) -> list[tuple[str, Strata]]:
    first = [(request.estimator, request.strata)]
    return first if request.estimator == LABELS else [*first, (LABELS, request.plain)]


def _chosen(answers: Sequence[Answer], request: Request) -> Answer:
    own = {one.target: one for one in answers if one.estimator == request.estimator}
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
    given, settings = request.given, request.settings
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
    for name, strata in _estimators(request):
        found = [
            share_evidence(name, given, part, side.data, settings)
            for part, side in zip(parts, (a, b), strict=True)
        ]
        present[name], gaps[name] = _present_contrast(found, settings)
        sought = abs(gaps[request.estimator]) if difference is None else abs(difference)
        if sought != sought or is_zero(sought):
            raise InputError(
                Problem("--difference", "is needed: today's codes show no difference to look for",
                        "Say how large a difference shall be found.")
            )  # fmt: skip
        goals[name] = Power(wish, sought, settings)
        cells[name] = plan_cells(
            given, strata.names, strata.levels, found[0].error - found[1].error,
            found[0].label + 2 * found[1].label, unit, request.planning.few,
        )  # fmt: skip
        answers += _answers(name, goals[name], cells[name], present[name], request)
    name = request.estimator
    return Plan(about, gaps[name], goals[name], tuple(answers), _chosen(answers, request),
                cells[name], present[name])  # fmt: skip


def _present_contrast(found: Sequence[Evidence], settings: Settings) -> tuple[Present, float]:
    variance, df, missing, gap = {}, {}, {}, nan
    for target in TARGETS:
        made = contrast(found[0].estimate, found[1].estimate, target, settings.confidence)
        gap = made.difference if made.difference == made.difference else gap
        sides = [one.estimate for one in found]
        if any(target in side.missing for side in sides):
            missing[target] = made.status
            continue
        if made.se == made.se:
            variance[target] = made.se**2
            df[target] = min(
                side.df[target] for side in sides if not (target == CORPUS and side.complete)
            ) if made.se else inf  # fmt: skip
        elif target == TEXTS:
            missing[target] = made.status
    iid = float(np.square(found[0].alone - found[1].alone).sum())
    effect = variance[TEXTS] / iid if TEXTS in variance and iid > 0 else nan
    sources = np.unique(np.concatenate([one.part.source[one.part.place] for one in found]))
    return Present(variance, df, missing, len(sources), effect, growing=False), gap
