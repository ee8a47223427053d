"""What a formula of the configuration asks for: columns, terms, levels, and what can be known.

A model is laid out before any code is looked at. Some things a formula asks for cannot be known: a
level nobody coded, terms that only differ where there are no data. A linear combination c'β can be
estimated exactly if c lies in the row space of the coded passages' design matrix (Searle 1971,
ch. 5). That one rule decides which rows of T10-regression get numbers and which a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic import ModelSpec, SimpleFormula
from formulaic.errors import FormulaicError

from framing.common.problems import InputError, Problem, raise_if_any
from framing.inference.design import Bools, Floats, Ints, Population
from framing.inference.dsl import LINEAR, cluster_information, leverage
from framing.inference.model_formulas import (
    PLACE,
    did_you_mean,
    factor_columns,
    first_line,
    listed,
    parsed_formula,
)
from framing.inference.model_quantities import Quantity, averages, coefficients, term_name
from framing.inference.row_space import TOLERANCE, RowSpace, row_space

_SOURCE = "(source)"  # no column of a table can be called so


@dataclass(frozen=True)
class Design:
    """A model before any code is looked at.

    ``matrix`` (N, k) with names ``terms``; ``inside`` (N,) the passages that take part: none of
    their covariates is missing, and their row lies in ``space``, that of the coded passages.
    ``separated`` (N,) have been left out as their fitted shares would be exactly 0 or 1; ``whole``
    is the space before that.
    ``block`` (N_in,) numbers passages that share source and covariates, ``reduced`` (B, r) their
    rows in coordinates of ``space``, ``source`` (B,) their sources. ``drawn`` (n_in,) are the
    drawn passages among those inside, ``sampled`` (n,) which of the sample they are. ``note`` says
    what was left out, ``averaging`` what predictions were not averaged over: passages for which the
    variance of a prediction is unknown.
    """

    terms: tuple[str, ...]
    matrix: Floats
    inside: Bools
    separated: Bools
    whole: RowSpace
    space: RowSpace
    block: Ints
    reduced: Floats
    source: Ints
    drawn: Ints
    sampled: Bools
    quantities: tuple[Quantity, ...]
    note: str
    averaging: str


def model_design(
    covariates: pd.DataFrame,
    frame: Population,
    model: Mapping[str, Any],
    separated: Bools | None = None,
) -> Design:
    """Return the design of one configured model.

    ``covariates`` as :func:`covariate_frame` gives them, ``model`` an entry of
    ``regression.models``: ``id formula family codes`` and, where wanted, ``reference`` (column:
    level) and ``contrasts`` (a list of ``column a b``). A column's reference is by default its
    first level with a coded passage. Passages in ``separated`` (N,) and those of the case study,
    which is no instance of texts like these, are left out. Raises
    :class:`InputError` on a wrong formula, reference or contrast, where a term is not finite, and
    where no passage has all covariates.
    """
    place = f"{PLACE}, regression.models.{model['id']}"
    formula = parsed_formula(model["formula"], list(covariates), f"{place}.formula")
    named = {name for term in formula for factor in term.factors for name in factor_columns(factor)}
    used = [name for name in covariates if name in named]
    kept = covariates[used].notna().to_numpy().all(axis=1)
    spoken_of = np.ones(len(kept), dtype=bool) if frame.case is None else ~frame.case
    kept &= spoken_of
    if not kept.any():
        what = f"no passage has a value in each of {listed(used)}"
        raise InputError(Problem(f"{place}.formula", what, "Leave one of them out."))
    coded = np.zeros(len(covariates), dtype=bool)
    coded[frame.drawn] = True
    data = covariates[used].copy()
    categorical = [name for name in used if isinstance(data[name].dtype, pd.CategoricalDtype)]
    references = _references(data, categorical, kept, coded & kept, model, place)
    for name, levels in references.items():
        data[name] = data[name].cat.reorder_categories(levels)
    compared = _compared(references, model, place)
    spec, filled = _encoded(formula, data[kept], f"{place}.formula")
    matrix = np.zeros((len(data), filled.shape[1]))
    matrix[kept] = filled
    out = np.zeros(len(data), dtype=bool) if separated is None else separated
    whole = row_space(matrix[coded & kept])
    space = row_space(matrix[coded & kept & ~out]) if out.any() else whole
    inside = kept & ~out & space.contains(matrix)
    block, first = _blocks(frame.source[inside], data[inside])
    drawn = np.flatnonzero(coded[inside])
    reduced, source = space.coordinates(matrix[inside][first]), frame.source[inside][first]
    lone = inside.copy()
    lone[inside] = _rests_on_one(reduced, source, np.unique(block[drawn]))[block]
    averaged = inside & ~lone if (inside & ~lone).any() else kept
    quantities = [
        *coefficients(spec, matrix, kept, data, categorical),
        *averages(spec, data, averaged, kept, references, compared),
    ]
    return Design(
        terms=tuple(term_name(name) for name in spec.column_names),
        matrix=matrix,
        inside=inside,
        separated=out,
        whole=whole,
        space=space,
        block=block,
        reduced=reduced,
        source=source,
        drawn=drawn,
        sampled=inside[frame.drawn],
        quantities=tuple(quantities),
        note=_left_out(covariates.loc[spoken_of, used], kept[spoken_of], (inside | out)[spoken_of]),
        averaging=f"not averaged over: {lone.sum()} passages of levels with one coded source"
        if lone.any() and categorical
        else "",
    )


def _rests_on_one(reduced: Floats, source: Ints, coded: Ints) -> Bools:
    """Return the rows (B,) that load on a direction which one source of ``coded`` rows informs."""
    if not len(coded):
        return np.zeros(len(reduced), dtype=bool)
    rows, weight = reduced[coded], np.ones(len(coded))
    names, cluster = np.unique(source[coded], return_inverse=True)
    origin = np.zeros(rows.shape[1])
    found = leverage(cluster_information(rows, weight, cluster, len(names), LINEAR, origin))
    load = np.abs(reduced @ found.alone.T)
    size = np.linalg.norm(reduced, axis=1, keepdims=True)
    loaded: Bools = (load > TOLERANCE * size).any(axis=1)
    return loaded


def _references(
    data: pd.DataFrame,
    categorical: Sequence[str],
    kept: Bools,
    coded: Bools,
    model: Mapping[str, Any],
    place: str,
) -> dict[str, list[str]]:
    """Return the levels of categorical columns, the reference first."""
    wanted = model.get("reference", {})
    problems = [
        Problem(f"{place}.reference", f"{name!r} is no categorical column of the formula",
                did_you_mean(name, categorical))
        for name in wanted if name not in categorical
    ]  # fmt: skip
    found = {}
    for name in categorical:
        levels = [str(level) for level in data[name].cat.categories]
        there, taught = set(data[name][kept].unique()), set(data[name][coded].unique())
        usable = [level for level in levels if level in taught] or levels
        first = wanted.get(name, usable[0])
        if first not in usable:
            what = "no coded passage" if first in there else "no passage"
            problems.append(
                Problem(f"{place}.reference.{name}", f"{first!r} has {what}",
                        did_you_mean(str(first), usable))
            )  # fmt: skip
        found[name] = [first, *(level for level in levels if level != first)]
    raise_if_any(problems)
    return found


def _encoded(formula: SimpleFormula, data: pd.DataFrame, place: str) -> tuple[ModelSpec, Floats]:
    """Return the model's specification and its matrix; refuse what is not finite."""
    try:
        with np.errstate(all="ignore"):
            found = ModelSpec(formula=formula, na_action="ignore").get_model_matrix(data)
    except (FormulaicError, ValueError, TypeError, ArithmeticError) as error:
        raise InputError(
            Problem(place, f"cannot be evaluated: {first_line(error)}", "Correct the formula.")
        ) from None
    matrix = np.asarray(found, dtype=float)
    if not matrix.shape[1]:
        raise InputError(Problem(place, "has no term", "Name a column, or leave the intercept in."))
    finite = np.isfinite(matrix).all(axis=0)
    raise_if_any(
        Problem(place, f"the term {name!r} is not a finite number for every passage",
                "Use another transformation.")
        for name, right in zip(found.model_spec.column_names, finite, strict=True) if not right
    )  # fmt: skip
    return found.model_spec, matrix


def _blocks(source: Ints, data: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return numbers of rows that share source and covariates, and the first row of each number."""
    keys = data.assign(**{_SOURCE: source})
    number = keys.groupby(list(keys), observed=True, sort=True).ngroup().to_numpy(dtype=np.int64)
    _, first = np.unique(number, return_index=True)
    return number, first


def _left_out(used: pd.DataFrame, kept: Bools, inside: Bools) -> str:
    """Return in words how many passages have no covariates, or none that was coded."""
    notes = []
    if lacking := int((~kept).sum()):
        named = [str(name) for name in used if used[name].isna().any()]
        notes.append(f"{lacking} passages without {' or '.join(named)} left out")
    if uncoded := int((kept & ~inside).sum()):
        notes.append(f"{uncoded} passages of combinations never coded left out")
    return "; ".join(notes)


def _compared(
    references: Mapping[str, Sequence[str]], model: Mapping[str, Any], place: str
) -> list[tuple[str, str, str]]:
    """Return column and levels of each contrast: the configured ones, or all with the reference."""
    if "contrasts" not in model:
        return [
            (name, level, levels[0]) for name, levels in references.items() for level in levels[1:]
        ]
    problems = []
    for number, entry in enumerate(model["contrasts"], 1):
        where, name = f"{place}.contrasts, entry {number}", entry["column"]
        if name not in references:
            what = f"{name!r} is no categorical column of the formula"
            problems.append(Problem(where, what, did_you_mean(name, list(references))))
            continue
        problems += [
            Problem(where, f"{name!r} has no level {entry[side]!r}",
                    did_you_mean(entry[side], references[name]))
            for side in ("a", "b") if entry[side] not in references[name]
        ]  # fmt: skip
    raise_if_any(problems)
    return [(entry["column"], entry["a"], entry["b"]) for entry in model["contrasts"]]
