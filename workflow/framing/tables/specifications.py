"""Specifications: the choices that can be made otherwise, and the material they choose from.

See :mod:`framing.tables.robustness`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from framing.codebook.kinds.kind import ANY, MAJORITY
from framing.codebook.kinds.kind import EVERY as EVERY_CODER
from framing.coding.codings import combine_coders, independent, main_rule
from framing.coding.combinations import combined_codes
from framing.coding.variables import Variable, yes_no_variables
from framing.common.config import ALL
from framing.inference.design import Bools, Floats, Ints, Population, population, within_frame
from framing.inference.estimator import CLASSIFIER, CODERS, THRESHOLD, UNSURE
from framing.inference.estimators import EVERY, leading
from framing.inference.means import Scale
from framing.tables.contrasts import RAW

EACH, NONE, LARGEST = "each", "none", "largest"

WITH, WITHOUT = "with", "without"

PASSAGE, WORDS, SOURCE = "passage", "words", "source"

TRAINED = "trained"

CHOICES = (
    CODERS, UNSURE, "weighting", CLASSIFIER, THRESHOLD, "estimator", "basis", "left_out",
)  # fmt: skip


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
    ``together`` has, for an indicator of a code with several levels, all of these; the mean level
    of an ordinal code stands among the codes by the code's own name, on its scale of ``scales``.
    """

    frame: Population
    bins: Bins
    labels: Mapping[tuple[str, str, str], Floats]
    probability: Mapping[tuple[str, str], Floats]
    decision: Mapping[tuple[str, str], Ints | Floats]
    mass: Mapping[str, Floats]
    fold: Ints
    sources: tuple[str, ...]
    together: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)


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
        one = _without_unused(one)
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
    return _without_unused(one)


def _without_unused(one: Specification) -> Specification:
    """Return a specification without the choices that its estimator makes no use of."""
    uses = EVERY[one.estimator].uses
    unused = [name for name in (CODERS, UNSURE, CLASSIFIER, THRESHOLD) if name not in uses]
    return replace(one, **dict.fromkeys(unused, "-"))


def material(
    passages: pd.DataFrame,
    codings: pd.DataFrame,
    scores: pd.DataFrame,
    predictions: pd.DataFrame,
    config: Mapping[str, Any],
    ours: str,
    variables: Sequence[Variable] | None = None,
) -> Material:
    """Return the arrays that specifications choose from.

    ``passages`` is the passage frame, ``codings`` the long codings (``passage_id coder code value
    unsure``), ``scores`` our scores of the codes, ``predictions`` those of the other classifiers
    for all passages (``code method passage_id probability decision``), ``variables`` the codes, by
    default yes/no ones. Passages that no draw
    covers are left out of every specification.
    """
    passages, (codings, scores, predictions) = within_frame(passages, codings, scores, predictions)
    frame = population(passages, config["case_study"])
    codes = list(scores["code"].drop_duplicates())
    ordered = [one for one in variables or () if one.kind.ordered]
    plan = config["robustness"]
    labels, coders = {}, sorted(independent(codings, config["coders"])["coder"].unique())
    rules = [name for rule in plan["coders"] for name in (coders if rule == EACH else [rule])]
    drawn = frame.passages[frame.drawn]
    used = dict.fromkeys([main_rule(config["coders"]), *rules])
    for rule, unsure in product(used, (WITH, WITHOUT)):
        for one in variables or yes_no_variables(codes):
            found = _labels(
                codings[codings["code"].isin(one.indicators)], one, rule, unsure, config
            )
            for code, own in found.items():
                labels[rule, unsure, code] = own.reindex(drawn).to_numpy(dtype=float)
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
        labels=_with_combinations(labels, config["combinations"]) | _means(labels, ordered),
        probability=_with_combinations(probability, config["combinations"])
        | _means(probability, ordered),
        decision={
            key: value.astype(np.int64)
            for key, value in _with_combinations(decision, config["combinations"]).items()
        }
        | _means(decision, ordered),
        mass={
            PASSAGE: np.ones(frame.total),
            WORDS: passages["words"].to_numpy(dtype=float),
            SOURCE: 1 / in_source[frame.source],
        },
        fold=fold.to_numpy(dtype=np.int64),
        sources=tuple(pd.unique(passages["source_id"])),
        together={
            name: one.indicators
            for one in variables or ()
            for name in (*one.indicators, one.name)
            if not one.kind.present
        },
        scales={one.name: Scale.of(one) for one in ordered},
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


def _labels(
    codings: pd.DataFrame, one: Variable, rule: str, unsure: str, config: Mapping[str, Any]
) -> dict[str, pd.Series]:
    """Return what each indicator of a variable would be by a rule, or of one coder alone.

    By a rule without a meaning for its kind a variable is what a majority makes of it.
    """
    part = codings[codings["unsure"] == 0] if unsure == WITHOUT else codings
    if rule in (MAJORITY, ANY, EVERY_CODER):
        rule = rule if rule in one.kind.rules else MAJORITY
        combined = combine_coders(part, {**config["coders"], "rule": rule}, [one])
    else:
        combined = part[part["coder"] == rule].rename(columns={"value": "label"})
    return {
        code: combined[combined["code"] == code].set_index("passage_id")["label"]
        for code in one.indicators
    }


def _means(arrays: Mapping[Any, Any], ordered: Sequence[Variable]) -> dict[Any, Any]:
    """Return mean levels of ordinal codes, as parts of their range, by the same keys."""
    made = {}
    for rest in dict.fromkeys(key[:-1] for key in arrays):
        for one in ordered:
            parts = np.stack([arrays[(*rest, name)] for name in one.indicators]).astype(float)
            made[(*rest, one.name)] = Scale.of(one).parts(one) @ parts
    return made


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
