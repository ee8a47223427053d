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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import Any

import numpy as np
import pandas as pd

from framing.common.problems import InputError, Problem, raise_if_any
from framing.inference.allocation import (
    Cells,
    Evidence,
    Strata,
    Survey,
    plan_cells,
    share_evidence,
)
from framing.inference.contrasts import contrast, degrees_of_freedom
from framing.inference.design import (
    CORPUS,
    TARGETS,
    TEXTS,
    domain,
)
from framing.inference.estimators import LABELS, planned
from framing.inference.goals import Answer, Goal, HalfWidth, Power, Present, answer
from framing.inference.intervals import Settings, is_zero
from framing.inference.outcomes import Outcome
from framing.sampling.roles import CONFIRMATION

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
        name = planned(self.estimator).name
        return name if self.given.frame.confirmed else LABELS

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
        by_target = evidence(one, given, group, period, data, request.settings)
        found = by_target[CORPUS]
        goals[one] = HalfWidth(
            half_width, found.estimate, request.settings, by_target[TEXTS].estimate
        )
        cells[one] = plan_cells(
            given, strata, [found], unit, request.planning.few, request.role
        )  # fmt: skip
        present[one], value[one] = present_share(by_target), found.estimate.value
        answers += _answers(one, goals[one], cells[one], present[one], request)
    chosen = _chosen(answers, request)
    return Plan(about, value[name], goals[name], tuple(answers), chosen, cells[name],
                present[name], request.note)  # fmt: skip


def evidence(
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


def present_share(by_target: Mapping[str, Evidence]) -> Present:
    """Return how precise the share is today, from :func:`evidence`."""
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
            evidence(one, given, side.group, side.period, side.data, settings) for side in (a, b)
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
