"""T9: does a contrast hold whichever defensible choice one makes?

A *specification* is one choice for each of: how coders are combined, whether unsure codings count,
what a passage weighs, which classifier predicts, by which threshold, which estimator, whether the
period is held constant, and which source is left out (Simonsohn, Simmons & Nelson 2020; Steegen et
al. 2016). Every configured contrast is estimated under all of them. Choices that an estimator does
not use are not multiplied: labels only knows no classifier, counting no coders.

All follow the rule of :mod:`framing.inference.estimators`, with a mass m_i a passage (1, its words,
or 1 / passages of its source) in place of a count. What is known counts as it is; the rest, in as
many parts p as there are, is estimated::

    θ̂ = Σ_known m y / Σ_U m  +  Σ_p (Σ_Up m / Σ_U m) θ̂_p
    θ̂_p = Σ_Up m f / Σ_Up m  +  Σ_sp w m (y − f) / Σ_sp w m

with the variance between sources (texts like these), so that the main specification gives the raw
contrast of T6. Post-stratified, f is 0 and each cell of the classifier's decision a part of its
own, which is the same. Only unread passages say how far the classifier is trusted, and a part that
unread draws do not reach rests on labels only. Classifiers are cross-fitted by source on the main
codes; the codes that correct them change with the specification, so that no passage's own code
enters its prediction.

Sums are made once for each way to estimate a code, by bins of passages that share source, group and
period. Groups, periods and leaving a source out then are choices of bins, and cost no new sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from framing.coding.codings import combine_coders, main_rule
from framing.coding.combinations import combined_codes
from framing.common.config import ALL
from framing.inference.clusters import adjusted_deviations, joint_degrees_of_freedom
from framing.inference.contrasts import (
    SMOOTHED,
    SMOOTHED_CELL,
    SUPPORTED,
    UNDECIDED,
    UNKNOWN,
    Contrast,
    bounded,
    verdict,
)
from framing.inference.design import Bools, Floats, Ints, Population, population, sums, within_frame
from framing.inference.estimators import (
    COUNT,
    DIFFERENCE,
    EXPLORATORY,
    LABELS,
    NOT_CONFIRMED,
    PARTLY_CONFIRMED,
    POST,
    leading,
)
from framing.inference.intervals import (
    DECIMALS,
    Settings,
    critical,
    difference_interval,
    few_positives_variance,
    is_zero,
    two_sided_p,
)
from framing.inference.outcomes import estimated, fold_slopes, tuned
from framing.tables.shares import HELD, NO_COMMON_PERIOD, RAW, period_weights

ANY = "any choice"
EACH, NONE, LARGEST = "each", "none", "largest"
ONE_BY_ONE = "a source"
WITH, WITHOUT = "with", "without"
PASSAGE, WORDS, SOURCE = "passage", "words", "source"
TRAINED = "trained"
CHOICES = (
    "coders", "unsure", "weighting", "classifier", "threshold", "estimator", "basis", "left_out",
)  # fmt: skip
T16_COLUMNS = (
    "contrast", *CHOICES, "main", "difference", "se", "ci_low", "ci_high", "p_value", "verdict",
    "status",
)  # fmt: skip
T9_COLUMNS = (
    "contrast", "choice", "option", "specifications", "evidence", "agreeing", "supported",
    "contradicted", "lowest", "median", "highest", "status",
)  # fmt: skip
_UNUSED = {
    COUNT: ("coders", "unsure"),
    LABELS: ("classifier", "threshold"),
    DIFFERENCE: ("threshold",),
    POST: (),
}
NOT_ESTIMABLE = (
    "not estimable: coded passages of fewer than two sources on a side, or of none in a part of it"
)
NO_SPREAD = "no interval: the two sides do not vary apart"
THIN = "labels only: too few coded passages where the classifier says yes, or no"
UNTUNED = "labels only: the probabilities do not go with the codes"
NO_EVIDENCE = "no evidence: the classifier's errors are not corrected"
MAIN_UNKNOWN = "the main specification is not estimable, so none can agree with it"


@dataclass(frozen=True)
class Specification:
    """One choice for each of :data:`CHOICES`; ``-`` where the estimator makes no use of it."""

    coders: str
    unsure: str
    weighting: str
    classifier: str
    threshold: str
    estimator: str
    basis: str
    left_out: str


@dataclass(frozen=True)
class Bins:
    """Passages that share source, group and period, in Q bins: mostly one a source.

    ``of_passage`` (N,) numbers each passage's bin; ``source`` (Q,) is the bin's source, ``group``
    and ``period`` (Q,) are ids, ``passages`` and ``drawn`` (Q,) are counts. ``case`` (Q,) marks the
    case study, which is no instance of texts like these.
    """

    of_passage: Ints
    source: Ints
    group: npt.NDArray[np.object_]
    period: npt.NDArray[np.object_]
    passages: Ints
    drawn: Ints
    case: Bools

    def chosen(self, group: str = ALL, period: str = ALL) -> Bools:
        """Return which bins (Q,) are in a group, a period, both, or (by ``"all"``) all of them."""
        member = ~self.case
        for name, column in ((group, self.group), (period, self.period)):
            if name != ALL:
                member = member & (column == name)
        return member


@dataclass(frozen=True)
class Material:
    """Everything that specifications choose from, over the passages of a population.

    ``labels`` (n,) by (coders, unsure, code), NaN where no coding is left; ``probability`` and
    ``decision`` (N,) by (classifier, code); ``mass`` (N,) by weighting; ``fold`` (N,).
    """

    frame: Population
    bins: Bins
    labels: Mapping[tuple[str, str, str], Floats]
    probability: Mapping[tuple[str, str], Floats]
    decision: Mapping[tuple[str, str], Ints]
    mass: Mapping[str, Floats]
    fold: Ints
    sources: tuple[str, ...]


def specifications(plan: Mapping[str, Any], coders: Sequence[str]) -> Iterator[Specification]:
    """Yield every specification that ``plan`` (the configuration's ``robustness``) declares.

    ``each`` under coders stands for every coder alone; ``each`` under left_out is left to
    :func:`left_out_in_turn`.
    """
    rules = [
        name for rule in plan["coders"] for name in (coders if rule == EACH else [rule])
    ]  # fmt: skip
    seen = set()
    for values in product(
        rules, plan["unsure"], plan["weighting"], plan["classifiers"],
        [str(value) for value in plan["thresholds"]], plan["estimators"], plan["basis"],
        [value for value in plan["left_out"] if value != EACH],
    ):  # fmt: skip
        one = Specification(*values)
        one = replace(one, **dict.fromkeys(_UNUSED[one.estimator], "-"))
        if one not in seen:
            seen.add(one)
            yield one


def main_specification(config: Mapping[str, Any], ours: str, confirmed: bool) -> Specification:
    """Return the specification that the other tables lead with.

    Their estimator is labels only where no coding is unread (``confirmed`` is false). The contrast
    is the raw one.
    """
    one = Specification(
        coders=main_rule(config["coders"]),
        unsure=WITH,
        weighting=PASSAGE,
        classifier=ours,
        threshold=TRAINED,
        estimator=leading(config, confirmed)["estimator"],
        basis=RAW,
        left_out=NONE,
    )
    return replace(one, **dict.fromkeys(_UNUSED[one.estimator], "-"))


def material(
    passages: pd.DataFrame,
    codings: pd.DataFrame,
    scores: pd.DataFrame,
    predictions: pd.DataFrame,
    config: Mapping[str, Any],
    ours: str,
) -> Material:
    """Return the arrays that specifications choose from.

    ``passages`` is the passage frame, ``codings`` the long codings (``passage_id coder code value
    unsure``), ``scores`` our scores of the codes, ``predictions`` those of the other classifiers
    for all passages (``code method passage_id probability decision``). Passages that no draw
    covers are left out of every specification.
    """
    passages, (codings, scores, predictions) = within_frame(passages, codings, scores, predictions)
    frame = population(passages, config["case_study"])
    codes = list(scores["code"].drop_duplicates())
    plan = config["robustness"]
    labels, coders = {}, sorted(codings["coder"].unique())
    rules = [name for rule in plan["coders"] for name in (coders if rule == EACH else [rule])]
    drawn = frame.passages[frame.drawn]
    used = dict.fromkeys([main_rule(config["coders"]), *rules])
    for rule, unsure in product(used, (WITH, WITHOUT)):
        for code in codes:
            found = _labels(codings[codings["code"] == code], rule, unsure, config)
            labels[rule, unsure, code] = found.reindex(drawn).to_numpy(dtype=float)
    probability, decision = {}, {}
    for name in dict.fromkeys([ours, *plan["classifiers"]]):
        for code in codes:
            table = scores if name == ours else predictions[predictions["method"] == name]
            own = table[table["code"] == code].set_index("passage_id").loc[frame.passages]
            probability[name, code] = own["probability"].to_numpy(dtype=float)
            decision[name, code] = own["decision"].to_numpy(dtype=np.int64)
    in_source = np.bincount(frame.source, minlength=frame.sources)
    fold = scores[scores["code"] == codes[0]].set_index("passage_id").loc[frame.passages, "fold"]
    return Material(
        frame=frame,
        bins=bins_of(frame),
        labels=_with_combinations(labels, config["combinations"]),
        probability=_with_combinations(probability, config["combinations"]),
        decision={
            key: value.astype(np.int64)
            for key, value in _with_combinations(decision, config["combinations"]).items()
        },
        mass={
            PASSAGE: np.ones(frame.total),
            WORDS: passages["words"].to_numpy(dtype=float),
            SOURCE: 1 / in_source[frame.source],
        },
        fold=fold.to_numpy(dtype=np.int64),
        sources=tuple(pd.unique(passages["source_id"])),
    )


def bins_of(frame: Population) -> Bins:
    """Return the bins of a population's passages."""
    case = np.zeros(frame.total, dtype=bool) if frame.case is None else frame.case
    keys = pd.DataFrame(
        {"source": frame.source, "group": np.asarray(frame.group, dtype=object),
         "period": np.asarray(frame.period, dtype=object)}
    )  # fmt: skip
    number = keys.groupby(list(keys), sort=True, dropna=False).ngroup().to_numpy(dtype=np.int64)
    _, first = np.unique(number, return_index=True)
    own = keys.iloc[first]
    return Bins(
        of_passage=number,
        source=own["source"].to_numpy(dtype=np.int64),
        group=own["group"].to_numpy(dtype=object),
        period=own["period"].to_numpy(dtype=object),
        passages=np.bincount(number, minlength=len(first)),
        drawn=np.bincount(number[frame.drawn], minlength=len(first)),
        case=case[first],
    )


def _labels(codings: pd.DataFrame, rule: str, unsure: str, config: Mapping[str, Any]) -> pd.Series:
    part = codings[codings["unsure"] == 0] if unsure == WITHOUT else codings
    if rule in ("majority", "any", "all"):
        combined = combine_coders(part, {**config["coders"], "rule": rule})
    else:
        combined = part[part["coder"] == rule].rename(columns={"value": "label"})
    return combined.set_index("passage_id")["label"]


def _with_combinations(
    arrays: Mapping[Any, Any], combinations: Mapping[str, Mapping[str, Any]]
) -> dict[Any, Any]:
    """Return arrays of codes and of combinations of codes; keys end in the code."""
    result: dict[Any, Any] = {}
    for rest in dict.fromkeys(key[:-1] for key in arrays):
        own = {key[-1]: value for key, value in arrays.items() if key[:-1] == rest}
        result |= {
            (*rest, code): value for code, value in combined_codes(own, combinations).items()
        }
    return result


# --- sums -----------------------------------------------------------------------------------------

_MASS, _FITTED, _CARRIED, _SQUARES, _ERROR, _SETTLED, _OWN, _CODED, _LEFT = range(9)
_SUMS = 9


@dataclass(frozen=True)
class Tally:
    """What the estimates of a code are made of under one specification, summed by bins.

    ``sums`` (P, 9, Q): for each of P pieces the passages' mass m and m·f; of the coded ones w·m,
    (w·m)², w·m·(y − f), m·y and m²; how many are coded and how many are not. ``parts`` says which
    pieces make up what is known, and each part of the rest: one piece, or (post-stratified) one for
    each decision of the classifier. ``untuned`` says why the difference estimator has no
    predictions, ``exploratory`` whether read codings correct the classifier. ``unconfirmed`` (Q,),
    or empty for none, counts passages which, though the estimator has a classifier, rest on labels
    only, as no unread draw reaches them.
    """

    sums: Floats
    parts: tuple[tuple[int, ...], ...]
    untuned: str
    exploratory: bool
    unconfirmed: Ints


@dataclass(frozen=True)
class Side:
    """An estimate of one side of a contrast.

    ``deviations`` (G,) by source, whose sum of squares is the variance; ``df`` its degrees of
    freedom; ``effective`` passages of equal weight stand behind it. ``unseen`` is variance that
    deviations do not show, as no code varied in a period; ``note`` is a remark. ``blank`` is there
    where known passages vary and those that stand for all others do not: the part of the passages
    that these are, their share, and how many equally weighted ones were seen.
    """

    value: float
    deviations: Floats
    df: float
    effective: float
    unseen: float = 0.0
    note: str = ""
    blank: tuple[float, float, float] | None = None


def tally(given: Material, one: Specification, code: str, settings: Settings) -> Tally:
    """Return the sums by bins that estimates of ``code`` are made of under a specification."""
    frame, mass = given.frame, given.mass[one.weighting]
    nobody = np.zeros(0, dtype=np.int64)
    if one.estimator == COUNT:
        # As if all were known: the decisions are taken at their word.
        decision = _decision(given, one, code).astype(float)
        every = np.arange(frame.total)
        piece = _piece(given, every, every, decision, np.zeros(frame.total), mass, mass)
        return Tally(piece[None], ((0,),), "", False, nobody)
    label = given.labels[one.coders, one.unsure, code]
    usable = ~np.isnan(label)
    respondents = _respondents(frame, usable)
    weight = frame.weight * respondents
    fitted, untuned = np.zeros(frame.total), ""
    if one.estimator == DIFFERENCE:
        fitted, untuned = _fitted(given, one, code, label, usable, respondents, settings)
    is_known = np.zeros(frame.total, dtype=bool)
    is_known[frame.drawn[frame.known]] = True
    reached = np.ones(frame.total, dtype=bool) if frame.unread_frame is None else frame.unread_frame
    pieces: list[Floats] = []
    parts: list[tuple[int, ...]] = []
    unconfirmed = nobody
    for number, member in enumerate((is_known, ~is_known & reached, ~is_known & ~reached)):
        gives_way = number == 2 and frame.confirmed
        cells = [member]
        if one.estimator == POST and number and not gives_way:
            says_yes = _decision(given, one, code) == 1
            cells = [member & ~says_yes, member & says_yes]
        if gives_way and one.estimator != LABELS:
            unconfirmed = np.bincount(
                given.bins.of_passage[member], minlength=len(given.bins.source)
            )
        predictions = fitted if number and not gives_way else np.zeros(frame.total)
        parts.append(tuple(range(len(pieces), len(pieces) + len(cells))))
        for cell in cells:
            coded = np.flatnonzero(usable & cell[frame.drawn])
            at = frame.drawn[coded]
            carried = weight[coded] * mass[at]
            pieces.append(
                _piece(given, np.flatnonzero(cell), at, label[coded], predictions, mass, carried)
            )
    exploratory = one.estimator != LABELS and not frame.confirmed
    return Tally(np.stack(pieces), tuple(parts), untuned, exploratory, unconfirmed)


def _piece(
    given: Material, rows: Ints, at: Ints, label: Floats, fitted: Floats, mass: Floats,
    carried: Floats,
) -> Floats:  # fmt: skip
    """Return the sums (9, Q) of the passages ``rows``, of which those ``at`` are coded."""
    number = len(given.bins.source)
    of_rows, of_coded = given.bins.of_passage[rows], given.bins.of_passage[at]
    own = mass[at]
    found = np.zeros((_SUMS, number))
    for place, bins, values in (
        (_MASS, of_rows, mass[rows]),
        (_FITTED, of_rows, mass[rows] * fitted[rows]),
        (_CARRIED, of_coded, carried),
        (_SQUARES, of_coded, carried * carried),
        (_ERROR, of_coded, carried * (label - fitted[at])),
        (_SETTLED, of_coded, own * label),
        (_OWN, of_coded, own * own),
    ):
        found[place] = sums(bins, values, number)
    found[_CODED] = np.bincount(of_coded, minlength=number)
    found[_LEFT] = np.bincount(of_rows, minlength=number) - found[_CODED]
    return found


def _fitted(
    given: Material, one: Specification, code: str, label: Floats, usable: Bools,
    respondents: Floats, settings: Settings,
) -> tuple[Floats, str]:  # fmt: skip
    """Return tuned predictions (N,), as :func:`framing.inference.outcomes.relabelled` has them."""
    frame, score = given.frame, given.probability[one.classifier, code]
    judging, weight, _ = frame.judging()
    judging = judging & usable
    known = frame.drawn[judging]
    slopes = fold_slopes(
        score[known], label[judging], (weight * respondents)[judging], given.fold[known],
        int(given.fold.max()) + 1, settings.tuning_minimum,
    )  # fmt: skip
    return tuned(slopes[given.fold], score, estimated(frame)), "" if slopes.any() else UNTUNED


def _decision(given: Material, one: Specification, code: str) -> Ints:
    if one.threshold == TRAINED:
        return given.decision[one.classifier, code]
    score = given.probability[one.classifier, code]
    return (np.round(score, DECIMALS) >= float(one.threshold)).astype(np.int64)


def _respondents(frame: Population, usable: Bools) -> Floats:
    """Return by how much weights grow where some drawn passages have no coding left, (n,).

    Within strata, n_h over those left: the others are treated as missing at random.
    """
    drawn = np.bincount(frame.stratum, minlength=len(frame.strata))
    left = np.bincount(frame.stratum[usable], minlength=len(frame.strata))
    return (drawn / np.maximum(left, 1))[frame.stratum]


# --- estimates ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """Bins of one side of a contrast: ``places`` (q,) of them, of ``sources`` (g,), by number.

    ``of_source`` (q,) is each bin's place among these; ``single`` says that every bin is a source.
    ``passages`` and ``drawn`` count.
    """

    places: Ints
    sources: Ints
    of_source: Ints
    single: bool
    passages: int
    drawn: int

    def by_source(self, values: Floats) -> Floats:
        """Return sums (k, g) of values (k, q) by source."""
        if self.single:
            return values
        return np.stack([sums(self.of_source, row, len(self.sources)) for row in values])


def selection(bins: Bins, chosen: Bools) -> Selection:
    """Return the bins ``chosen`` (Q,) as what :func:`side_of` sums over."""
    places = np.flatnonzero(chosen)
    sources, of_source = np.unique(bins.source[places], return_inverse=True)
    single = len(sources) == len(places) and bool((sources == bins.source[places]).all())
    passages, drawn = (int(counts[places].sum()) for counts in (bins.passages, bins.drawn))
    return Selection(places, sources, of_source.astype(np.int64), single, passages, drawn)


def side_of(given: Material, found: Tally, chosen: Selection, settings: Settings) -> Side | None:
    """Return the estimate for the bins ``chosen``, None where there is none.

    As :func:`framing.inference.estimators.together`; see the head of this module.
    """
    pieces = found.sums[:, :, chosen.places]
    coded = chosen.of_source[pieces[:, _CODED].any(axis=0)]
    if (len(coded) if chosen.single else len(np.unique(coded))) < 2:
        return None
    of_piece = [dict(enumerate(row)) for row in pieces.sum(axis=2).tolist()]
    total = sum(sum_of[_MASS] for sum_of in of_piece)
    # What each of the sums adds to contributions, to what coded passages stand for, to its squares.
    add = [[0.0] * (_SUMS * len(of_piece)) for _ in range(3)]
    value = weight = squares = 0.0
    uncoded = sum(sum_of[_LEFT] for sum_of in of_piece)
    notes = [EXPLORATORY] if found.exploratory and uncoded else []
    rest = []
    for part in found.parts:
        before = value, weight, squares
        left, alike = sum(of_piece[place][_LEFT] for place in part), True
        cells: list[tuple[int, ...]] = [(place,) for place in part]
        if len(part) > 1 and _thin([of_piece[place] for place in part], settings.cell_minimum):
            cells = [part]
            notes.append(THIN)
        for cell in cells:
            sum_of = {
                name: sum(of_piece[place][name] for place in cell) for name in range(_SUMS)
            } if len(cell) > 1 else of_piece[cell[0]]  # fmt: skip
            if not sum_of[_LEFT]:  # all of it is coded, or there is none
                value += sum_of[_SETTLED]
                weight, squares = weight + sum_of[_MASS], squares + sum_of[_OWN]
                factors: tuple[tuple[int, int, float], ...] = (
                    (0, _SETTLED, 1.0), (1, _MASS, 1.0), (2, _OWN, 1.0),
                )  # fmt: skip
            elif not sum_of[_CODED]:
                return None
            else:
                correction = sum_of[_ERROR] / sum_of[_CARRIED]
                scale = sum_of[_MASS] / sum_of[_CARRIED]
                alike &= is_zero(sum_of[_FITTED]) and is_zero(correction * (1 - correction))
                value += sum_of[_FITTED] + correction * sum_of[_MASS]
                factors = (
                    (0, _FITTED, 1.0), (0, _MASS, correction), (0, _ERROR, scale),
                    (0, _CARRIED, -scale * correction),
                    (1, _CARRIED, scale), (2, _SQUARES, scale * scale),
                )  # fmt: skip
                # In the effective number cells of post-strata count by their known size.
                scale = scale if len(cells) > 1 else 1.0
                weight += scale * sum_of[_CARRIED]
                squares += scale * scale * sum_of[_SQUARES]
            for place in cell:
                for row, name, factor in factors:
                    add[row][_SUMS * place + name] = factor
        if left:
            mass = sum(of_piece[place][_MASS] for place in part)
            found_here = (value - before[0], weight - before[1], squares - before[2])
            rest.append((mass, *found_here, alike))
    value /= total
    notes += [found.untuned] if found.untuned else []
    beyond = int(found.unconfirmed[chosen.places].sum()) if found.unconfirmed.size else 0
    if beyond:
        every = beyond == uncoded + sum(sum_of[_CODED] for sum_of in of_piece[1:])
        notes.append(NOT_CONFIRMED if every else PARTLY_CONFIRMED.format(beyond))
    for place in range(len(of_piece)):
        add[0][_SUMS * place + _MASS] -= value
    made = np.array(add) @ pieces.reshape(-1, len(chosen.places))
    made[0] /= total
    totals, stands, stands_squared = chosen.by_source(made)
    own, df = adjusted_deviations(totals, stands, stands_squared, settings.source_correlation)
    deviations = np.zeros(given.frame.sources)
    deviations[chosen.sources] = own
    return Side(
        value=value,
        deviations=deviations,
        df=df,
        effective=weight**2 / squares,
        note="; ".join(dict.fromkeys(notes)),
        blank=_blank(rest, total),
    )


def _blank(
    rest: Sequence[tuple[float, float, float, float, bool]], total: float
) -> tuple[float, float, float] | None:
    """Return ``Side.blank``; None where codes vary, or where no passage is known.

    ``rest`` has an entry for each part that is not known: its mass, estimated total, Σw and Σw² of
    its coded passages, and whether no code of these varies. ``total`` is the mass of the side.
    """
    mass = sum(part[0] for part in rest)
    apart = len(rest) > 1 or round(total - mass, DECIMALS) > 0
    if not rest or not apart or not all(part[-1] for part in rest):
        return None
    # Weights on one scale: the passages that each coded one stands for.
    squares = sum(part[3] * (part[0] / part[2]) ** 2 for part in rest)
    return mass / total, bounded(sum(part[1] for part in rest) / mass), mass**2 / squares


def _thin(of_cell: Sequence[Mapping[int, float]], minimum: int) -> bool:
    """Return whether a cell of post-strata, with its sums, has too few coded passages."""
    return any(sum_of[_CODED] < minimum and sum_of[_LEFT] > 0 for sum_of in of_cell)


def held(sides: Sequence[Side], weights: Sequence[float], free: float, settings: Settings) -> Side:
    """Return Σ_k W_k θ̂_k of estimates by period: direct standardisation.

    ``free`` are the degrees of freedom of all periods together, NaN where unknown. As
    :func:`framing.inference.contrasts.standardised`.
    """
    quantile = critical(settings.confidence)
    variances, unseen = [], 0.0
    for side, weight in zip(sides, weights, strict=True):
        variance = float(np.square(side.deviations).sum())
        if is_zero(sqrt(variance)):
            variance = few_positives_variance(bounded(side.value), side.effective, quantile)
            unseen += weight**2 * variance
        variances.append(weight**2 * variance)
    if free != free:
        free = joint_degrees_of_freedom(np.array(variances), np.array([one.df for one in sides]))
    notes = [side.note for side in sides if side.note]
    return Side(
        value=sum(w * bounded(side.value) for w, side in zip(weights, sides, strict=True)),
        deviations=np.sum([w * s.deviations for w, s in zip(weights, sides, strict=True)], axis=0),
        df=free,
        effective=sum(side.effective for side in sides),
        unseen=unseen,
        note="; ".join(dict.fromkeys([*notes, *([SMOOTHED_CELL] if unseen else [])])),
    )


def contrast_of(a: Side | None, b: Side | None, settings: Settings) -> Contrast:
    """Return the difference of two sides with its interval, or why there is none.

    As :func:`framing.inference.contrasts.contrast` for texts like these.
    """
    if a is None or b is None:
        return Contrast(nan, nan, nan, nan, nan, nan, nan, NOT_ESTIMABLE)
    notes = [f"side {n}: {side.note}" for n, side in (("A", a), ("B", b)) if side.note]
    of_a, of_b = bounded(a.value), bounded(b.value)
    gap, df = of_a - of_b, _degrees_of_freedom(a, b)
    quantile = critical(settings.confidence, df)
    variance = float(np.square(a.deviations - b.deviations).sum()) + a.unseen + b.unseen
    for side, value in ((a, of_a), (b, of_b)):
        size, share, effective = side.blank or (1.0, value, side.effective)
        if side.blank or is_zero(sqrt(_variance(side))):
            variance += size**2 * few_positives_variance(share, effective, quantile)
            notes = [*notes, SMOOTHED] if SMOOTHED not in notes else notes
    se = sqrt(variance)
    if is_zero(se):
        return Contrast(of_a, of_b, gap, nan, nan, nan, nan, "; ".join([*notes, NO_SPREAD]))
    ends = difference_interval(gap, se, quantile)
    p_value = two_sided_p(gap, se, df)
    return Contrast(of_a, of_b, gap, se, ends.low, ends.high, p_value, "; ".join(notes))


def _variance(side: Side) -> float:
    return float(np.square(side.deviations).sum()) + side.unseen


def _degrees_of_freedom(a: Side, b: Side) -> float:
    """As :func:`framing.inference.contrasts.degrees_of_freedom`."""
    variances = [_variance(one) for one in (a, b)]
    unseen = any(is_zero(sqrt(variance)) for variance in variances)
    if unseen or (a.deviations * b.deviations).any():
        return min(a.df, b.df)
    return joint_degrees_of_freedom(np.array(variances), np.array([a.df, b.df]))


@dataclass(frozen=True)
class Comparison:
    """The bins of both sides of a contrast, in all and by period.

    ``left_out`` is the id of the source that is left out, empty for none. ``periods`` are those
    that both sides have, empty where there is no period to hold.
    """

    entry: Mapping[str, Any]
    left_out: str
    whole: tuple[Selection, Selection]
    periods: tuple[tuple[Selection, Selection], ...]


def comparison(
    given: Material,
    entry: Mapping[str, Any],
    config: Mapping[str, Any],
    left_out: int | None,
    bases: Sequence[str] = (RAW, HELD),
) -> Comparison:
    """Return the bins of both sides of a contrast, without the source numbered ``left_out``.

    Periods must have as many drawn passages as T6 asks for, whatever a specification makes of
    them, so that specifications hold the same periods wherever they can.
    """
    bins = given.bins
    chosen = _chosen(given, entry)
    if left_out is not None:
        chosen = [member & (bins.source != left_out) for member in chosen]
    periods = []
    wanted = HELD in bases and can_hold_period(entry)
    for period in (one["id"] for one in config["periods"]) if wanted else ():
        a, b = (selection(bins, member & (bins.period == period)) for member in chosen)
        if min(a.drawn, b.drawn) >= config["standardisation"]["minimum"]:
            periods.append((a, b))
    a, b = (selection(bins, member) for member in chosen)
    name = "" if left_out is None else given.sources[left_out]
    return Comparison(entry, name, (a, b), tuple(periods))


def can_hold_period(entry: Mapping[str, Any]) -> bool:
    """Return whether a contrast has a period to hold: two groups' texts of any period."""
    a, b = entry["a"], entry["b"]
    free = all(side.get("period", ALL) == ALL for side in (a, b))
    return free and a.get("group", ALL) != b.get("group", ALL)


def _chosen(given: Material, entry: Mapping[str, Any]) -> list[Bools]:
    """Return the bins (Q,) of both sides of a contrast."""
    return [
        given.bins.chosen(side.get("group", ALL), side.get("period", ALL))
        for side in (entry["a"], entry["b"])
    ]


def largest_source(given: Material, entry: Mapping[str, Any]) -> int:
    """Return the number of the source with most passages on either side of a contrast."""
    a, b = _chosen(given, entry)
    either = np.flatnonzero(a | b)
    size = sums(
        given.bins.source[either], given.bins.passages[either].astype(float), given.frame.sources
    )
    return int(np.argmax(size))


def contrasts_by(
    given: Material,
    tallies: Sequence[Tally],
    compared: Comparison,
    bases: Sequence[str],
    config: Mapping[str, Any],
    settings: Settings,
) -> dict[str, Contrast]:
    """Return a contrast by each of the ``bases`` (raw, period held); ``tallies`` are the sides'."""
    raw = _sides(given, tallies, compared.whole, settings)
    found = {RAW: contrast_of(*raw, settings)}
    if HELD in bases:
        cells, sizes = [], []
        for pair in compared.periods:
            a, b = _sides(given, tallies, pair, settings)
            if a is not None and b is not None:
                cells.append((a, b))
                sizes.append([float(one.passages) for one in pair])
        found[HELD] = Contrast(nan, nan, nan, nan, nan, nan, nan, NO_COMMON_PERIOD)
        if cells:
            weights = period_weights(np.array(sizes), config["standardisation"]["weights"])
            # Sources of a group are the same in all its periods: so are its degrees of freedom.
            free = [nan if one is None else one.df for one in raw]
            a, b = (
                held([cell[place] for cell in cells], weights, free[place], settings)
                for place in (0, 1)
            )
            found[HELD] = contrast_of(a, b, settings)
    return {basis: found[basis] for basis in bases}


def _sides(
    given: Material, tallies: Sequence[Tally], pair: tuple[Selection, Selection], settings: Settings
) -> tuple[Side | None, Side | None]:
    return tuple(  # type: ignore[return-value]
        side_of(given, found, chosen, settings) for found, chosen in zip(tallies, pair, strict=True)
    )


def contrast_under(
    given: Material,
    one: Specification,
    entry: Mapping[str, Any],
    config: Mapping[str, Any],
    left_out: int | None = None,
) -> tuple[Contrast, str]:
    """Return a contrast under a specification, and the source left out.

    ``left_out`` numbers a source to leave out; otherwise the specification says: none, or the
    largest among those of either side.
    """
    settings = Settings.of(config)
    if one.left_out == LARGEST:
        left_out = largest_source(given, entry)
    compared = comparison(given, entry, config, left_out)
    tallies = [tally(given, one, entry[side]["code"], settings) for side in ("a", "b")]
    found = contrasts_by(given, tallies, compared, [one.basis], config, settings)
    return found[one.basis], compared.left_out


def left_out_in_turn(
    given: Material, one: Specification, entry: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[tuple[Contrast, str]]:
    """Yield a contrast under a specification without each source of either side in turn.

    To leave out a source that neither side has is no specification of its own.
    """
    settings = Settings.of(config)
    tallies = [tally(given, one, entry[side]["code"], settings) for side in ("a", "b")]
    a, b = _chosen(given, entry)
    for number in np.unique(given.bins.source[a | b]):
        compared = comparison(given, entry, config, int(number), [one.basis])
        found = contrasts_by(given, tallies, compared, [one.basis], config, settings)
        yield found[one.basis], compared.left_out


# --- tables ---------------------------------------------------------------------------------------


def specification_table(given: Material, config: Mapping[str, Any], ours: str) -> pd.DataFrame:
    """Return T16-specifications: every contrast under every specification.

    The main specification comes first and is marked; where ``each`` source is to be left out, that
    is done under the main specification. Columns: :data:`T16_COLUMNS`.
    """
    settings, plan = Settings.of(config), config["robustness"]
    coders = sorted({key[0] for key in given.labels} - {"majority", "any", "all"})
    main = main_specification(config, ours, given.frame.confirmed)
    every = [main, *(one for one in specifications(plan, coders) if one != main)]
    found = _estimated(given, every, config, settings)
    rows = []
    for entry in config["contrasts"]:
        known = set()
        for one in every:
            if (entry["id"], one) not in found:
                continue
            made, source = found[entry["id"], one]
            rows.append(_row(entry, one, made, source or NONE, main=one == main))
            if replace(one, left_out=NONE) == main:
                known.add(source)  # the largest, which is not to count twice
        if EACH in plan["left_out"]:
            for made, name in left_out_in_turn(given, main, entry, config):
                if name not in known:
                    rows.append(_row(entry, main, made, name, main=False))
    table = pd.DataFrame(rows, columns=list(T16_COLUMNS))
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(12) + 0.0 for name in floats})


def _estimated(
    given: Material,
    every: Sequence[Specification],
    config: Mapping[str, Any],
    settings: Settings,
) -> dict[tuple[str, Specification], tuple[Contrast, str]]:
    """Return contrasts by id and specification, each with the source left out.

    Specifications that share all but basis and source left out share their sums, and are taken
    together. Where there is no period to hold, none holds it.
    """
    compared = {
        (entry["id"], left): comparison(
            given, entry, config, largest_source(given, entry) if left == LARGEST else None
        )
        for entry in config["contrasts"]
        for left in dict.fromkeys(one.left_out for one in every)
    }
    together: dict[Specification, list[Specification]] = {}
    for one in every:
        together.setdefault(replace(one, basis="", left_out=""), []).append(one)
    found: dict[tuple[str, Specification], tuple[Contrast, str]] = {}
    for group in together.values():
        tallies = {
            code: tally(given, group[0], code, settings)
            for code in dict.fromkeys(
                entry[side]["code"] for entry in config["contrasts"] for side in ("a", "b")
            )
        }
        for (name, left), pair in compared.items():
            own = [
                one for one in group
                if one.left_out == left and (one.basis == RAW or can_hold_period(pair.entry))
            ]  # fmt: skip
            sides = [tallies[pair.entry[side]["code"]] for side in ("a", "b")]
            bases = [one.basis for one in own]
            made = contrasts_by(given, sides, pair, bases, config, settings) if bases else {}
            found |= {(name, one): (made[one.basis], pair.left_out) for one in own}
    return found


def _row(
    entry: Mapping[str, Any], one: Specification, found: Contrast, left_out: str, *, main: bool
) -> dict[str, Any]:
    cells = {name: getattr(one, name) for name in CHOICES} | {"left_out": left_out}
    notes = [NO_EVIDENCE] if one.estimator == COUNT else []
    notes += [found.status] if found.status else []
    return {
        "contrast": entry["id"], **cells, "main": "yes" if main else "no",
        "difference": found.difference, "se": found.se, "ci_low": found.low,
        "ci_high": found.high, "p_value": found.p_value,
        "verdict": verdict(found, entry["expected"]), "status": "; ".join(notes),
    }  # fmt: skip


def robustness_table(specifications: pd.DataFrame) -> pd.DataFrame:
    """Return T9-robustness: how far specifications agree, in all and by every option of a choice.

    ``agreeing`` is the share of ``evidence`` whose difference has the sign of the main
    specification's; ``supported`` and ``contradicted`` are shares of it by their own intervals.
    Evidence are estimable specifications that correct the classifier, or do without it: counting
    has a row of its own, and a say in nothing. Specifications that leave out one source after the
    other under the main choices are as many as there are sources and hardly differ: they stand in a
    row of their own (``a source``) and are not among the others. ``specifications`` is T16.
    Columns: :data:`T9_COLUMNS`.
    """
    rows = []
    for contrast, own in specifications.groupby("contrast", sort=False):
        sign = float(np.sign(own.loc[own["main"] == "yes", "difference"].iloc[0]))
        in_turn = _in_turn(own)
        crossed = own[~in_turn]
        rows.append(
            {"contrast": contrast, "choice": ANY, "option": ANY, **_agreeing(crossed, sign)}
        )
        for choice in CHOICES:
            options = crossed[choice]
            if choice == "left_out":
                options = options.where(options == NONE, LARGEST)
            for option, part in crossed.groupby(options, sort=False):
                if option != "-":
                    cells = {"contrast": contrast, "choice": choice, "option": option}
                    rows.append(cells | _agreeing(part, sign))
        if in_turn.any():
            cells = {"contrast": contrast, "choice": "left_out", "option": ONE_BY_ONE}
            rows.append(cells | _agreeing(own[in_turn], sign))
    table = pd.DataFrame(rows, columns=list(T9_COLUMNS))
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(12) + 0.0 for name in floats})


def _in_turn(own: pd.DataFrame) -> pd.Series:
    """Return which rows of a contrast leave out one source after the other, all else as in main.

    The largest source is left out under other choices too, and then belongs to them.
    """
    main = own[own["main"] == "yes"].iloc[0]
    others = [name for name in CHOICES if name != "left_out"]
    as_main = (own[others] == main[others]).all(axis=1)
    elsewhere = set(own.loc[~as_main, "left_out"]) | {NONE}
    return as_main & ~own["left_out"].isin(elsewhere)


def _agreeing(part: pd.DataFrame, sign: float) -> dict[str, Any]:
    """Return the cells of one row of T9, ``specifications`` to ``status``."""
    counting = part["estimator"] == COUNT
    known = part["difference"].notna()
    evidence = part[known & ~counting]
    row: dict[str, Any] = {
        "specifications": len(part), "evidence": len(evidence), "agreeing": nan, "supported": nan,
        "contradicted": nan, "lowest": nan, "median": nan, "highest": nan, "status": "",
    }  # fmt: skip
    notes = []
    if missing := int((~known).sum()):
        notes.append(f"{missing} of {len(part)} specifications are not estimable")
    notes += [NO_EVIDENCE] if counting.all() else []
    if not known.any():
        return row | {"status": NOT_ESTIMABLE}
    # What counting says is shown where nothing else is; it has no share in agreement.
    gaps = (part[known] if counting.all() else evidence)["difference"].round(DECIMALS)
    if len(gaps):
        row |= {
            "lowest": float(gaps.min()), "median": float(gaps.median()),
            "highest": float(gaps.max()),
        }  # fmt: skip
    if len(evidence):
        decided = ~evidence["verdict"].isin([SUPPORTED, UNDECIDED, UNKNOWN])
        row |= {
            "agreeing": float((np.sign(gaps) == sign).mean()) if sign == sign else nan,
            "supported": float((evidence["verdict"] == SUPPORTED).mean()),
            "contradicted": float(decided.mean()),
        }
        notes += [MAIN_UNKNOWN] if sign != sign else []
    return row | {"status": "; ".join(notes)}
