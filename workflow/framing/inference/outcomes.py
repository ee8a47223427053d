"""One code over a population: the classifier's predictions, how far to trust them, and the codes.

The difference estimator uses λ·(p − p̄), the classifier's probability, less its mean over the
population, times a slope. The slope is tuned on the unread coded passages of other folds: a
passage's own code has no say in its own prediction, just as the probability itself comes from a
model that never saw the passage's source, and no code that an author of cues could read has a say
in how far the classifier is trusted.

Of a code with several levels each passage has exactly one. Its indicators are estimated one by one,
but trusted alike: λ is the one that makes the sum of their variances smallest (the trace criterion
of PPI++ for several means, Angelopoulos, Duchi & Zrnic 2023), the ratio of the summed covariances
to the summed variances. With one λ the corrections of all levels add up to zero and their shares to
one. Post-strata are the levels that the classifier decides for, the same for every indicator.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
import pandas as pd

from framing.coding.instruments import PROXY
from framing.coding.variables import variable_of
from framing.common.problems import Problem, raise_if_any
from framing.inference.design import PLACE, Bools, Floats, Ints, Population
from framing.inference.intervals import DECIMALS, Settings
from framing.inference.proxies import proxy_slopes


@dataclass(frozen=True)
class Outcome:
    """One code over a population: what the classifier says, and the codes of drawn passages.

    ``decision`` (N,) 0/1; ``label`` (n,) 0/1 in the order of ``Population.drawn``; ``fitted`` (N,)
    the tuned prediction λ·(p − p̄); ``untuned`` says why λ is 0 everywhere, or is empty;
    ``probability`` (N,) is p, ``fold`` (N,) the fold of each passage's source. ``level`` (N,)
    numbers the level that the classifier decides for, of ``strata`` levels; ``together`` are the
    indicators of the same variable, itself among them, each with its p (N,). Both are None for a
    yes/no code. ``further`` has the predictions (N,) of more instruments by code, of all that
    ``together`` has (:mod:`framing.inference.proxies`).
    """

    code: str
    decision: Ints | Floats
    label: Floats
    fitted: Floats
    untuned: str
    probability: Floats = field(default_factory=lambda: np.zeros(0))
    fold: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    level: Ints | None = None
    strata: int = 2
    together: Mapping[str, Floats] | None = None
    further: Mapping[str, Sequence[Floats]] = field(default_factory=dict)

    @property
    def stratum(self) -> Ints:
        """Return what the classifier decides, as a number, passage by passage (N,)."""
        decision = self.decision if self.level is None else self.level
        return decision.astype(np.int64, copy=False)


# --- tuning ---------------------------------------------------------------------------------------


def weighted_slope(
    score: Floats | Sequence[Floats], label: Floats | Sequence[Floats], weight: Floats
) -> float:
    """Return the weighted least-squares slope of codes on scores; 0 where scores do not vary.

    ``score`` and ``label`` (n,) are of one code, or as many of each: one slope for all of them, by
    the sums of their covariances and variances.
    """
    spread = joint = 0.0
    for x, y in zip(_several(score), _several(label), strict=True):
        centred = x - np.average(x, weights=weight)
        spread += float((weight * centred * centred).sum())
        joint += float((weight * centred * (y - np.average(y, weights=weight))).sum())
    if round(spread / float(weight.sum()), 2 * DECIMALS) == 0:
        return 0.0
    return joint / spread


def _several(arrays: Floats | Sequence[Floats]) -> Sequence[Floats]:
    return [arrays] if isinstance(arrays, np.ndarray) else arrays


def tuned_slope(
    score: Floats | Sequence[Floats],
    label: Floats | Sequence[Floats],
    weight: Floats,
    minimum: int,
) -> float:
    """Return λ: the weighted slope of codes on scores where it can be hoped to help, else 0.

    It is 0 with fewer than ``minimum`` codes, without variation, and where the correlation of
    scores and codes is not above 1/√(n − 2): tuning then costs more than it brings
    (arXiv 2505.20178). ``score`` and ``label`` are as in :func:`weighted_slope`.
    """
    if len(weight) < max(minimum, 3):
        return 0.0
    slope = weighted_slope(score, label, weight)
    back = weighted_slope(label, score, weight)
    correlation = np.sign(slope) * np.sqrt(max(slope * back, 0.0))
    if round(float(correlation), DECIMALS) <= round(1 / np.sqrt(len(weight) - 2), DECIMALS):
        return 0.0
    return slope


def fold_slopes(
    score: Floats | Sequence[Floats],
    label: Floats | Sequence[Floats],
    weight: Floats,
    fold: Ints,
    folds: int,
    minimum: int,
) -> Floats:
    """Return λ by fold (folds,), each tuned on the coded passages outside the fold.

    Arrays (n,) are over coded passages, of one code or as many of each as codes are tuned together.
    So no passage's own code decides how far its own prediction is trusted: unbiased for fixed λ,
    and for tuned λ up to how draws fall into folds.
    """
    scores, labels = _several(score), _several(label)
    return np.array(
        [
            tuned_slope([x[other] for x in scores], [y[other] for y in labels], weight[other],
                        minimum)
            for other in (fold != number for number in range(folds))
        ]
    )  # fmt: skip


def tuned(slope: Floats, score: Floats, estimated: Bools) -> Floats:
    """Return tuned predictions (N,): slope times score, less the mean of the ``estimated`` scores.

    Slopes differ by fold, by chance. Were scores not centred, their mean would be trusted more in
    one fold than in another, and the predictions would jump between folds by what has nothing to do
    with the codes. The mean needs no code, so it takes nothing from unbiasedness; it is taken over
    passages whose codes are estimated, so that known ones have no say.
    """
    known = score[estimated] if estimated.any() else score
    centre = float(known.mean()) if len(known) else 0.0
    predictions: Floats = slope * (score - centre)
    return predictions


def by_code(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every code of the scores table, in order of appearance, with its rows as they stand.

    Of a code whose rows stand together, as they do in ``build/scores.tsv``, nothing is copied.
    """
    number, names = pd.factorize(scores["code"])
    for place, name in enumerate(names):
        rows = np.flatnonzero(number == place)
        first, after = rows[0], rows[-1] + 1
        together = after - first == len(rows)
        yield str(name), scores.iloc[first:after] if together else scores.iloc[rows]


def aligned(frame: Population, scores: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return the rows of one code's ``scores`` in the order of the population's passages.

    Raises :class:`InputError` where passages are missing, repeated or unknown.
    """
    if frame.passages.equals(pd.Index(scores["passage_id"])):
        return scores
    place = frame.passages.get_indexer(scores["passage_id"])
    raise_if_any(_frame_problems(frame, scores, place, code))
    return scores.iloc[np.argsort(place)]


def outcome(frame: Population, scores: pd.DataFrame, code: str, settings: Settings) -> Outcome:
    """Return one code's outcome over the population.

    ``scores`` are its rows of the scores table (``passage_id fold label probability decision``),
    one a passage, in any order. Raises :class:`InputError` where passages are missing, repeated or
    unknown, where a drawn passage has no code, and where one that was not drawn has.
    """
    scores = aligned(frame, scores, code)
    label = scores["label"].to_numpy(dtype=float, na_value=np.nan)
    raise_if_any(_label_problems(frame, label, code))
    data = Outcome(
        code=code,
        decision=scores["decision"].to_numpy(dtype=np.int64),
        label=label[frame.drawn],
        fitted=np.zeros(frame.total),
        untuned="",
        probability=scores["probability"].to_numpy(dtype=float),
        fold=scores["fold"].to_numpy(dtype=np.int64),
        further={
            code: [
                scores[name].to_numpy(dtype=float)
                for name in scores.columns
                if str(name).startswith(PROXY)
            ]
        },
    )
    return relabelled(frame, data, {code: data.label}, settings)


def outcomes(
    frame: Population,
    scores: pd.DataFrame,
    settings: Settings,
    codes: Collection[str] | None = None,
) -> Iterator[Outcome]:
    """Yield the outcomes of ``codes``, or of all, in the order of the scores table.

    Indicators of one variable, which stand together there, are trusted alike.
    """
    for name, parts in groupby(by_code(scores), key=lambda one: variable_of(one[0])):
        own = list(parts)
        if codes is not None and not any(code in codes for code, _ in own):
            continue
        made = [outcome(frame, part, code, settings) for code, part in own]
        if made[0].code != name:
            made = joined(frame, made, settings)
        yield from (one for one in made if codes is None or one.code in codes)


def joined(frame: Population, parts: Sequence[Outcome], settings: Settings) -> list[Outcome]:
    """Return the outcomes of the indicators of one variable, trusted alike and with its strata.

    ``parts`` are all of them, in the order of levels; of each passage exactly one is decided.
    """
    together = {one.code: one.probability for one in parts}
    level = np.argmax(np.stack([one.decision for one in parts]), axis=0).astype(np.int64)
    label = {one.code: one.label for one in parts}
    further = {one.code: one.further[one.code] for one in parts}
    shared = {"level": level, "strata": len(parts), "together": together, "further": further}
    return [relabelled(frame, replace(one, **shared), label, settings) for one in parts]


def relabelled(
    frame: Population, data: Outcome, label: Mapping[str, Floats], settings: Settings
) -> Outcome:
    """Return a code's outcome with other codes of drawn passages: λ is theirs.

    ``label`` has them (n,) by code, of all indicators of the code's variable.
    """
    judging, weight, _ = frame.judging()
    known, fold = frame.drawn[judging], data.fold
    folds = int(fold.max()) + 1 if len(fold) else 0
    score = data.together or {data.code: data.probability}
    labels = [label[name][judging] for name in score]
    shape = (weight[judging], fold[known], folds, settings.tuning_minimum)
    own = [data.probability, *data.further.get(data.code, ())]
    if len(own) == 1:
        slopes = fold_slopes([one[known] for one in score.values()], labels, *shape)[:, None]
    else:
        proxies = [[one[known] for one in (score[name], *data.further[name])] for name in score]
        slopes = proxy_slopes(proxies, labels, *shape)
    outside = len(known) - np.bincount(fold[known], minlength=folds)
    rest = estimated(frame)
    fitted = [tuned(slopes[fold, place], one, rest) for place, one in enumerate(own)]
    return replace(
        data,
        label=label[data.code],
        fitted=fitted[0] if len(own) == 1 else np.sum(fitted, axis=0),
        untuned="" if slopes.any() else _untuned(outside, settings.tuning_minimum),
    )


def estimated(frame: Population) -> Bools:
    """Return the passages (N,) whose codes are estimated: reached by a draw, and not known."""
    rest = np.ones(frame.total, dtype=bool) if frame.covered is None else frame.covered.copy()
    rest[frame.drawn[frame.known]] = False
    return rest


def _untuned(outside: Ints, minimum: int) -> str:
    """Return why no slope was tuned; ``outside`` (folds,) counts coded passages outside each."""
    if outside.max(initial=0) < minimum:
        return f"labels only: fewer than {minimum} coded passages to tune the difference"
    return "labels only: the probabilities do not go with the codes"


def _frame_problems(
    frame: Population, scores: pd.DataFrame, place: Ints, code: str
) -> list[Problem]:
    where = f"scores of {code!r}"
    again = "Make build/scores.tsv anew."
    named = np.bincount(place[place >= 0], minlength=frame.total)
    problems = []
    if (place < 0).any():
        name = scores["passage_id"].iloc[int(np.argmax(place < 0))]
        problems.append(Problem(where, f"name the unknown passage {name!r}", again))
    if (named > 1).any():
        problems.append(Problem(where, "name a passage twice", again))
    if (named == 0).any():
        problems.append(Problem(where, "leave passages of the corpus out", again))
    return problems


def _label_problems(frame: Population, label: Floats, code: str) -> list[Problem]:
    coded = ~np.isnan(label)
    drawn = np.zeros(frame.total, dtype=bool)
    drawn[frame.drawn] = True
    problems = []
    for wrong, what, remedy in (
        (drawn & ~coded, "was drawn but has no code", "Code it, or every estimate is biased."),
        (coded & ~drawn, "has a code but was not drawn", "Only drawn passages count as data."),
    ):
        if wrong.any():
            name = frame.passages[int(np.argmax(wrong))]
            more = f" (and {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
            problems.append(Problem(PLACE, f"{code}: passage {name!r}{more} {what}", remedy))
    if np.isin(label[coded], (0, 1)).all():
        return problems
    return [*problems, Problem(PLACE, f"{code}: codes other than 0 and 1", "Write 0 or 1.")]


# --- labels from a separate pool ------------------------------------------------------------------


def prediction_powered(
    label: Floats, score: Floats, other: Floats, slope: float | None = None
) -> tuple[float, float, float]:
    """Return estimate, standard error and λ where labels come from a pool of their own.

    PPI++ for a mean (Angelopoulos, Duchi & Zrnic 2023): ``label`` and ``score`` (n,) of passages
    with labels, ``other`` (N',) the scores of those without, both pools random; no strata::

        θ̂ = λ·mean(other) + mean(label − λ·score)
        V = λ²·var(other)/N' + var(label − λ·score)/n          (divisors N' and n)

    ``slope`` gives λ; by default cov(label, score)/((1 + n/N')·var(all scores)), the covariance
    with divisor n, the variance with divisor n + N' − 1 (as in ppi_py).
    """
    ratio = len(label) / len(other)
    if slope is None:
        spread = (1 + ratio) * float(np.var(np.concatenate([score, other]), ddof=1))
        joint = float(np.mean((label - label.mean()) * (score - score.mean())))
        slope = joint / spread if round(spread, 2 * DECIMALS) else 0.0
    error = label - slope * score
    variance = slope**2 * float(np.var(other)) / len(other) + float(np.var(error)) / len(label)
    return slope * float(other.mean()) + float(error.mean()), float(np.sqrt(variance)), slope
