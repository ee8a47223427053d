"""T9: does a contrast hold whichever defensible choice one makes?

A *specification* is one choice for each of: how coders are combined, whether unsure codings count,
what a passage weighs, which classifier predicts, by which threshold, which estimator, and which
source is left out (Simonsohn, Simmons & Nelson 2020; Steegen et al. 2016). Every configured
contrast is estimated under all of them. Choices that an estimator does not use are not multiplied:
labels only knows no classifier, counting no coders.

All use the one formula of :mod:`framing.inference.estimators` with a mass m_i a passage (1, its
words, or 1 / passages of its source)::

    θ̂ = Σ_U m f / Σ_U m  +  Σ_s w m (y − f) / Σ_s w m

and the variance between sources (texts like these). Classifiers are cross-fitted by source on the
main codes; the codes that correct them change with the specification, so that no passage's own code
enters its prediction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd

from framing.coding.codings import combine_coders
from framing.config import ALL
from framing.inference.contrasts import SUPPORTED, UNDECIDED, UNKNOWN, Contrast, verdict
from framing.inference.design import (
    Bools,
    Floats,
    Ints,
    Population,
    cluster_deviations,
    members,
    population,
    sums,
    within_frame,
)
from framing.inference.estimators import COUNT, DIFFERENCE, LABELS, POST
from framing.inference.intervals import (
    DECIMALS,
    Settings,
    critical,
    difference_interval,
    is_zero,
    two_sided_p,
)
from framing.inference.outcomes import fold_slopes, tuned

ANY = "any choice"
EACH, NONE, LARGEST = "each", "none", "largest"
WITH, WITHOUT = "with", "without"
PASSAGE, WORDS, SOURCE = "passage", "words", "source"
TRAINED = "trained"
CHOICES = ("coders", "unsure", "weighting", "classifier", "threshold", "estimator", "left_out")
T16_COLUMNS = (
    "contrast", *CHOICES, "main", "difference", "se", "ci_low", "ci_high", "p_value", "verdict",
    "status",
)  # fmt: skip
T9_COLUMNS = (
    "contrast", "choice", "option", "specifications", "agreeing", "supported", "contradicted",
    "lowest", "median", "highest", "status",
)  # fmt: skip
_UNUSED = {
    COUNT: ("coders", "unsure"),
    LABELS: ("classifier", "threshold"),
    DIFFERENCE: ("threshold",),
    POST: (),
}
NOT_ESTIMABLE = "not estimable: fewer than two sources with coded passages on a side"
NO_SPREAD = "no interval: the two sides do not vary apart"


@dataclass(frozen=True)
class Specification:
    """One choice for each of :data:`CHOICES`; ``-`` where the estimator makes no use of it."""

    coders: str
    unsure: str
    weighting: str
    classifier: str
    threshold: str
    estimator: str
    left_out: str


@dataclass(frozen=True)
class Material:
    """Everything that specifications choose from, over the passages of a population.

    ``labels`` (n,) by (coders, unsure, code), NaN where no coding is left; ``probability`` and
    ``decision`` (N,) by (classifier, code); ``mass`` (N,) by weighting; ``fold`` (N,).
    """

    frame: Population
    labels: Mapping[tuple[str, str, str], Floats]
    probability: Mapping[tuple[str, str], Floats]
    decision: Mapping[tuple[str, str], Ints]
    mass: Mapping[str, Floats]
    fold: Ints
    sources: tuple[str, ...]


def specifications(plan: Mapping[str, Any], coders: Sequence[str]) -> Iterator[Specification]:
    """Yield every specification that ``plan`` (the configuration's ``robustness``) declares.

    ``each`` under coders stands for every coder alone; ``each`` under left_out is left to
    :func:`leave_one_out`.
    """
    rules = [
        name for rule in plan["coders"] for name in (coders if rule == EACH else [rule])
    ]  # fmt: skip
    seen = set()
    for values in product(
        rules, plan["unsure"], plan["weighting"], plan["classifiers"],
        [str(value) for value in plan["thresholds"]], plan["estimators"],
        [value for value in plan["left_out"] if value != EACH],
    ):  # fmt: skip
        one = Specification(*values)
        one = replace(one, **dict.fromkeys(_UNUSED[one.estimator], "-"))
        if one not in seen:
            seen.add(one)
            yield one


def main_specification(config: Mapping[str, Any], ours: str) -> Specification:
    """Return the specification that the other tables use: what the configuration leads with."""
    one = Specification(
        coders=config["coders"]["rule"],
        unsure=WITH,
        weighting=PASSAGE,
        classifier=ours,
        threshold=TRAINED,
        estimator=config["inference"]["headline"]["estimator"],
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
    frame = population(passages)
    codes = list(scores["code"].drop_duplicates())
    plan = config["robustness"]
    labels, coders = {}, sorted(codings["coder"].unique())
    rules = [name for rule in plan["coders"] for name in (coders if rule == EACH else [rule])]
    drawn = frame.passages[frame.drawn]
    for rule, unsure in product(dict.fromkeys([config["coders"]["rule"], *rules]), (WITH, WITHOUT)):
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
    result = dict(arrays)
    for rest in dict.fromkeys(key[:-1] for key in arrays):
        for name, rule in combinations.items():
            value: Any = 1.0
            for code in rule.get("all", []):
                value = value * arrays[*rest, code]
            for code in rule.get("none", []):
                value = value * (1 - arrays[*rest, code])
            if "any" in rule:
                neither: Any = 1.0
                for code in rule["any"]:
                    neither = neither * (1 - arrays[*rest, code])
                value = value * (1 - neither)
            result[*rest, name] = value
    return result


@dataclass(frozen=True)
class Tally:
    """One side of a contrast summed by source, so that leaving a source out costs no new sums.

    All (G,): of the passages their ``mass`` m and ``fitted`` m·f; of the coded ones ``carried`` w·m
    and ``error`` w·m·(y − f), both None where the estimator uses no codes. ``taking_part`` says
    between which sources the variance is: those with coded passages, or then those with passages.
    """

    mass: Floats
    fitted: Floats
    carried: Floats | None
    error: Floats | None
    taking_part: Bools

    def without(self, source: int) -> Tally:
        """Return the sums of all sources but one."""
        kept = np.arange(len(self.mass)) != source
        return Tally(
            self.mass * kept,
            self.fitted * kept,
            None if self.carried is None else self.carried * kept,
            None if self.error is None else self.error * kept,
            self.taking_part & kept,
        )


@dataclass(frozen=True)
class Side:
    """An estimate of one side of a contrast: value, deviations by source, sources coded."""

    value: float
    deviations: Floats
    sources: int


def estimate_side(
    given: Material, one: Specification, code: str, inside: Bools, settings: Settings
) -> Side | None:
    """Return the estimate of ``code`` among passages ``inside`` (N,), None where there is none."""
    return side_of(tally(given, one, code, inside, settings))


def tally(
    given: Material, one: Specification, code: str, inside: Bools, settings: Settings
) -> Tally:
    """Return the sums by source that an estimate of ``code`` among ``inside`` (N,) is made of."""
    frame, mass = given.frame, given.mass[one.weighting]
    rows = np.flatnonzero(inside)
    source, number = frame.source[rows], frame.sources
    of_all = sums(source, mass[rows], number)
    if one.estimator == COUNT:
        decision = _decision(given, one, code)[rows]
        there = np.bincount(source, minlength=number) > 0
        return Tally(of_all, sums(source, mass[rows] * decision, number), None, None, there)
    label = given.labels[one.coders, one.unsure, code]
    usable = ~np.isnan(label)
    weight = frame.weight * _respondents(frame, usable)
    coded = np.flatnonzero(usable & inside[frame.drawn])
    at = frame.drawn[coded]
    fitted, of_coded = np.zeros(len(rows)), np.zeros(len(coded))
    if one.estimator == DIFFERENCE:
        score = given.probability[one.classifier, code]
        known = frame.drawn[usable]
        slopes = fold_slopes(
            score[known], label[usable], weight[usable], given.fold[known],
            int(given.fold.max()) + 1, settings.tuning_minimum,
        )  # fmt: skip
        predictions = tuned(slopes[given.fold], score, frame.covered)
        fitted, of_coded = predictions[rows], predictions[at]
    elif one.estimator == POST:
        means, weight = _post_stratified(given, one, code, rows, coded, label, weight, settings)
        fitted, of_coded = means[rows], means[at]
    carried = weight[coded] * mass[at]
    coded_source = frame.source[at]
    return Tally(
        mass=of_all,
        fitted=sums(source, mass[rows] * fitted, number),
        carried=sums(coded_source, carried, number),
        error=sums(coded_source, carried * (label[coded] - of_coded), number),
        taking_part=np.bincount(coded_source, minlength=number) > 0,
    )


def _decision(given: Material, one: Specification, code: str) -> Ints:
    if one.threshold == TRAINED:
        return given.decision[one.classifier, code]
    score = given.probability[one.classifier, code]
    return (np.round(score, DECIMALS) >= float(one.threshold)).astype(np.int64)


def _respondents(frame: Population, usable: Bools) -> Floats:
    """Return by how much weights grow where some drawn passages have no coding left, (n,).

    Within strata, n_h over those left: the others are treated as missing at random.
    """
    left = np.bincount(frame.stratum[usable], minlength=len(frame.strata))
    return (frame.sampled / np.maximum(left, 1))[frame.stratum]


def _post_stratified(
    given: Material,
    one: Specification,
    code: str,
    rows: Ints,
    coded: Ints,
    label: Floats,
    weight: Floats,
    settings: Settings,
) -> tuple[Floats, Floats]:
    """Return fitted cell means (N,) and weights (n,) calibrated to the cells' known mass.

    Zero means and unchanged weights (labels only) where a cell holds too few coded passages.
    """
    frame, mass = given.frame, given.mass[one.weighting]
    decision = _decision(given, one, code)
    at = frame.drawn[coded]
    fitted, scaled = np.zeros(frame.total), weight.copy()
    for value in (0, 1):
        cell, own = rows[decision[rows] == value], coded[decision[at] == value]
        if not len(cell):
            continue
        if len(own) < min(settings.cell_minimum, len(cell)):
            return np.zeros(frame.total), weight
        carried = weight[own] * mass[frame.drawn[own]]
        fitted[cell] = float((carried * label[own]).sum() / carried.sum())
        scaled[own] = weight[own] * mass[cell].sum() / carried.sum()
    return fitted, scaled


def side_of(found: Tally) -> Side | None:
    """Return the estimate made of sums by source, None where there is none."""
    sources = int(found.taking_part.sum())
    if sources < 2:
        return None
    total = float(found.mass.sum())
    mean = float(found.fitted.sum()) / total
    of_source = (found.fitted - mean * found.mass) / total
    correction = 0.0
    if found.carried is not None and found.error is not None:
        carried = float(found.carried.sum())
        correction = float(found.error.sum()) / carried
        of_source += (found.error - correction * found.carried) / carried
    return Side(mean + correction, cluster_deviations(of_source, found.taking_part), sources)


def contrast_under(
    given: Material, one: Specification, entry: Mapping[str, Any], settings: Settings,
    left_out: int | None = None,
) -> tuple[Contrast, str]:  # fmt: skip
    """Return a contrast under a specification, and the source left out.

    ``left_out`` numbers a source to leave out; otherwise the specification says: none, or the
    largest among those of either side.
    """
    frame = given.frame
    sides = [entry["a"], entry["b"]]
    inside = [
        members(frame, side.get("group", ALL), side.get("period", ALL)) for side in sides
    ]  # fmt: skip
    if one.left_out == LARGEST:
        left_out = int(np.argmax(np.bincount(frame.source[inside[0] | inside[1]])))
    if left_out is not None:
        inside = [member & (frame.source != left_out) for member in inside]
    name = "" if left_out is None else given.sources[left_out]
    a, b = (
        estimate_side(given, one, side["code"], member, settings)
        for side, member in zip(sides, inside, strict=True)
    )
    return contrast_of(a, b, settings), name


def left_out_in_turn(
    given: Material, one: Specification, entry: Mapping[str, Any], settings: Settings
) -> Iterator[Contrast]:
    """Yield a contrast under a specification without each source in turn.

    That is what :func:`contrast_under` returns with each number of ``left_out``, but the passages
    are summed only once: they are many, and so are sources. Cells of post-strata change with every
    source, so there it is done the long way.
    """
    if one.estimator == POST:
        for number in range(given.frame.sources):
            yield contrast_under(given, one, entry, settings, number)[0]
        return
    a, b = (
        tally(
            given, one, side["code"],
            members(given.frame, side.get("group", ALL), side.get("period", ALL)), settings,
        )
        for side in (entry["a"], entry["b"])
    )  # fmt: skip
    for number in range(given.frame.sources):
        yield contrast_of(side_of(a.without(number)), side_of(b.without(number)), settings)


def contrast_of(a: Side | None, b: Side | None, settings: Settings) -> Contrast:
    """Return the difference of two sides with its interval, or why there is none."""
    if a is None or b is None:
        return Contrast(nan, nan, nan, nan, nan, nan, nan, NOT_ESTIMABLE)
    gap = a.value - b.value
    se = sqrt(float(np.square(a.deviations - b.deviations).sum()))
    if is_zero(se):
        return Contrast(a.value, b.value, gap, nan, nan, nan, nan, NO_SPREAD)
    df = min(a.sources, b.sources) - 1
    ends = difference_interval(gap, se, critical(settings.confidence, df))
    p_value = two_sided_p(gap, se, df)
    return Contrast(a.value, b.value, gap, se, ends.low, ends.high, p_value, "")


def specification_table(given: Material, config: Mapping[str, Any], ours: str) -> pd.DataFrame:
    """Return T16-specifications: every contrast under every specification.

    The main specification comes first and is marked; where ``each`` source is to be left out, that
    is done under the main specification. Columns: :data:`T16_COLUMNS`.
    """
    settings, plan = Settings.of(config), config["robustness"]
    coders = sorted({key[0] for key in given.labels} - {"majority", "any", "all"})
    main = main_specification(config, ours)
    rest = [one for one in specifications(plan, coders) if one != main]
    rows = []
    for entry in config["contrasts"]:
        known = set()
        for one in [main, *rest]:
            found, source = contrast_under(given, one, entry, settings)
            rows.append(_row(entry, one, found, source or NONE, main=one == main))
            if replace(one, left_out=NONE) == main:
                known.add(source)  # the largest, which is not to count twice
        if EACH in plan["left_out"]:
            without = left_out_in_turn(given, main, entry, settings)
            for name, found in zip(given.sources, without, strict=True):
                if name not in known:
                    rows.append(_row(entry, main, found, name, main=False))
    table = pd.DataFrame(rows, columns=list(T16_COLUMNS))
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(12) + 0.0 for name in floats})


def _row(
    entry: Mapping[str, Any], one: Specification, found: Contrast, left_out: str, *, main: bool
) -> dict[str, Any]:
    cells = {name: getattr(one, name) for name in CHOICES} | {"left_out": left_out}
    return {
        "contrast": entry["id"], **cells, "main": "yes" if main else "no",
        "difference": found.difference, "se": found.se, "ci_low": found.low,
        "ci_high": found.high, "p_value": found.p_value,
        "verdict": verdict(found, entry["expected"]), "status": found.status,
    }  # fmt: skip


def robustness_table(specifications: pd.DataFrame) -> pd.DataFrame:
    """Return T9-robustness: how far specifications agree, in all and by every option of a choice.

    ``agreeing`` is the share of estimable specifications whose difference has the sign of the main
    one's; ``supported`` and ``contradicted`` are shares by their own intervals. ``specifications``
    is T16. Columns: :data:`T9_COLUMNS`.
    """
    rows = []
    for contrast, own in specifications.groupby("contrast", sort=False):
        sign = np.sign(own.loc[own["main"] == "yes", "difference"].iloc[0])
        rows.append({"contrast": contrast, "choice": ANY, "option": ANY, **_agreeing(own, sign)})
        for choice in CHOICES:
            options = own[choice].where(
                (choice != "left_out") | own[choice].isin([NONE]), "a source"
            )
            for option, part in own.groupby(options, sort=False):
                if option != "-":
                    cells = {"contrast": contrast, "choice": choice, "option": option}
                    rows.append(cells | _agreeing(part, sign))
    table = pd.DataFrame(rows, columns=list(T9_COLUMNS))
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(12) + 0.0 for name in floats})


def _agreeing(part: pd.DataFrame, sign: float) -> dict[str, Any]:
    given = part[part["difference"].notna()]
    row: dict[str, Any] = {
        "specifications": len(part), "agreeing": nan, "supported": nan, "contradicted": nan,
        "lowest": nan, "median": nan, "highest": nan, "status": "",
    }  # fmt: skip
    if given.empty:
        return row | {"status": NOT_ESTIMABLE}
    gaps = given["difference"].round(DECIMALS)
    missing = len(part) - len(given)
    return row | {
        "agreeing": float((np.sign(gaps) == sign).mean()),
        "supported": float((given["verdict"] == SUPPORTED).mean()),
        "contradicted": float((~given["verdict"].isin([SUPPORTED, UNDECIDED, UNKNOWN])).mean()),
        "lowest": float(gaps.min()),
        "median": float(gaps.median()),
        "highest": float(gaps.max()),
        "status": f"{missing} of {len(part)} specifications are not estimable" if missing else "",
    }
