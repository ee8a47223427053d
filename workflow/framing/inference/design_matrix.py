"""What a formula of the configuration asks for: columns, terms, levels, and what can be known.

A model is laid out before any code is looked at. Some things a formula asks for cannot be known: a
level nobody coded, terms that only differ where there are no data. A linear combination c'β can be
estimated exactly if c lies in the row space of the coded passages' design matrix (Searle 1971,
ch. 5). That one rule decides which rows of T10-regression get numbers and which a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic import ModelSpec, SimpleFormula
from formulaic.errors import FormulaicError
from formulaic.parser.types import Factor

from framing.common.problems import InputError, Problem, raise_if_any
from framing.inference.design import Bools, Floats, Ints, Population
from framing.inference.dsl import LINEAR, cluster_information, leverage
from framing.inference.model_formulas import (
    did_you_mean,
    first_line,
    listed,
    parsed_formula,
    python_names,
)

COEFFICIENT, SHARE, CONTRAST = "coefficient", "predicted share", "contrast"

PLACE = "config/config.yaml"

TOLERANCE = 1e-7
"""Parts smaller than this, relative to the whole, are rounding."""

NOTHING_ALIKE = "not estimable: no values of the other columns occur with {}"

NOT_ALIKE = "averaged over {:,} of {:,} passages: values of the rest do not occur with {}"

_SOURCE = "(source)"  # no column of a table can be called so

_RANK = 1e-9  # singular values below this part of the largest are zero


# --- the design of a model ------------------------------------------------------------------------


@dataclass(frozen=True)
class RowSpace:
    """The row space of a matrix (n, k) of rank r, in coordinates of its own.

    ``scale`` (k,) are the columns' norms (1 for a column of zeros), ``vectors`` (k, r) an
    orthonormal basis after division by them, ``spread`` (r,) the singular values. Rows x become
    z with Σ z z' = I over the matrix; β = :meth:`expanded` (γ) makes x'β = z'γ.
    """

    scale: Floats
    vectors: Floats
    spread: Floats

    def coordinates(self, rows: Floats) -> Floats:
        """Return rows (m, k) as (m, r)."""
        found: Floats = (rows / self.scale) @ self.vectors / self.spread
        return found

    def expanded(self, gamma: Floats) -> Floats:
        """Return β (…, k) of γ (…, r)."""
        found: Floats = (gamma / self.spread) @ self.vectors.T / self.scale
        return found

    def contains(self, rows: Floats) -> Bools:
        """Return which rows (m, k) lie in the space: of these x'β can be estimated."""
        scaled = rows / self.scale
        beyond = scaled - (scaled @ self.vectors) @ self.vectors.T
        size = np.maximum(np.abs(scaled).max(axis=1, initial=0.0), 1 / np.sqrt(len(self.scale)))
        inside: Bools = np.abs(beyond).max(axis=1, initial=0.0) <= TOLERANCE * size
        return inside

    def tied(self, place: int) -> Bools:
        """Return which coefficients (k,) cannot be told apart from that at ``place``."""
        null = np.eye(len(self.scale)) - self.vectors @ self.vectors.T
        found: Bools = np.abs(null[place]) > TOLERANCE
        return found


def row_space(matrix: Floats) -> RowSpace:
    """Return the row space of ``matrix`` (n, k), by the singular values of its scaled columns."""
    norm = np.sqrt(np.square(matrix).sum(axis=0))
    scale = np.where(norm > 0, norm, 1.0)
    _, spread, vectors = np.linalg.svd(matrix / scale, full_matrices=False)
    large = spread > _RANK * max(spread.max(initial=0.0), _RANK)
    return RowSpace(scale, vectors[large].T, spread[large])


@dataclass(frozen=True)
class Side:
    """An average of predictions: Σ_j share_j·μ(rows_j'β), ``rows`` (m, k), ``share`` (m,) sum 1."""

    rows: Floats
    share: Floats


@dataclass(frozen=True)
class Quantity:
    """One row of the table: a coefficient, a predicted share (one side) or a contrast (two).

    ``rests`` (N,) are the passages it speaks of; ``levels`` are the sets of passages (masks) it
    compares, whose codes must vary for its variance to be known. ``note`` says what predictions
    were not averaged over, ``barred`` why there is nothing to average over.
    """

    kind: str
    term: str
    sides: tuple[Side, ...]
    rests: Bools
    levels: tuple[Bools, ...]
    note: str = ""
    barred: str = ""


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
    named = {
        name for term in formula for factor in term.factors for name in _factor_columns(factor)
    }
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
        *_coefficients(spec, matrix, kept, data, categorical),
        *_averages(spec, data, averaged, kept, references, compared),
    ]
    return Design(
        terms=tuple(_term(name) for name in spec.column_names),
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


def _term(name: str) -> str:
    return name.replace("[T.", "[")


def _factor_columns(factor: Factor) -> list[str]:
    """Return the columns that a factor of a checked formula names; none for the intercept."""
    if factor.eval_method is Factor.EvalMethod.LITERAL:
        return []
    if factor.eval_method is Factor.EvalMethod.LOOKUP:
        return [factor.expr]
    return python_names(factor.expr, PLACE)[0]


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


def _coefficients(
    spec: ModelSpec, matrix: Floats, kept: Bools, data: pd.DataFrame, categorical: Sequence[str]
) -> Iterator[Quantity]:
    """Yield the coefficients of a model; they rest on the passages where their term is not 0."""
    for term, places in spec.term_indices.items():
        for place in places:
            name = spec.column_names[place]
            row = np.zeros((1, matrix.shape[1]))
            row[0, place] = 1.0
            rests = kept & (matrix[:, place] != 0)
            # What is coded "[T." is compared with a reference; the intercept stands for them all.
            against = {
                column
                for factor in term.factors
                if f"{factor.expr}[T." in name or factor.eval_method is Factor.EvalMethod.LITERAL
                for column in _factor_columns(factor) or categorical
            }
            levels = [
                kept & (data[column].cat.codes == 0).to_numpy()
                for column in categorical if column in against
            ]  # fmt: skip
            sides = (Side(row, np.ones(1)),)
            yield Quantity(COEFFICIENT, _term(name), sides, rests, (rests, *levels))


def _averages(
    spec: ModelSpec,
    data: pd.DataFrame,
    averaged: Bools,
    kept: Bools,
    references: Mapping[str, Sequence[str]],
    compared: Sequence[tuple[str, str, str]],
) -> Iterator[Quantity]:
    """Yield predicted shares by level of each categorical column, then contrasts.

    Predictions are averaged over the passages ``averaged`` (N,), each with the level put in place
    of its own: average predictions at the covariates as observed. But only over passages to which
    some passage of the level is alike (:func:`_alike`), and in a contrast one of either level: what
    a group would have said in years of which it has no text is not predicted. So shares of two
    levels may be averages over different passages; their contrast never is.
    """
    if not references:
        return
    sizes = data[averaged].groupby(list(data), observed=True, sort=True).size()
    cells = sizes.index.to_frame(index=False).astype(data.dtypes.to_dict())
    size = sizes.to_numpy(dtype=float)
    rows: dict[tuple[str, str], Floats] = {}
    masks: dict[tuple[str, str], Bools] = {}
    alike: dict[tuple[str, str], Bools] = {}
    for column, levels in references.items():
        for level in levels:
            same = pd.Categorical([level] * len(cells), categories=levels)
            key = column, level
            matrix = spec.get_model_matrix(cells.assign(**{column: same}))
            rows[key] = np.asarray(matrix, dtype=float)
            masks[key] = kept & (data[column] == level).to_numpy()
            alike[key] = _alike(cells, data[masks[key]], column)
            sides, note, barred = _averaged([rows[key]], alike[key], size, level)
            yield Quantity(
                SHARE, f"{column}[{level}]", sides, masks[key], (masks[key],), note, barred
            )
    for column, a, b in compared:
        one, other = (column, a), (column, b)
        sides, note, barred = _averaged(
            [rows[one], rows[other]], alike[one] & alike[other], size, f"both {a} and {b}"
        )
        yield Quantity(
            CONTRAST, f"{column}[{a}] - {column}[{b}]", sides, masks[one] | masks[other],
            (masks[one], masks[other]), note, barred,
        )  # fmt: skip


def _alike(cells: pd.DataFrame, of_level: pd.DataFrame, column: str) -> Bools:
    """Return to which ``cells`` (m,) some passage ``of_level`` is alike but for ``column``.

    It has the same level of every other categorical column. And the cell's numbers must lie within
    the range that they have in the level's passages: no two years are the same.
    """
    others = [name for name in cells if name != column]
    categorical = [name for name in others if isinstance(cells[name].dtype, pd.CategoricalDtype)]
    found = np.full(len(cells), len(of_level) > 0)
    if categorical and len(of_level):
        have = pd.MultiIndex.from_frame(of_level[categorical].astype(object).drop_duplicates())
        found &= pd.MultiIndex.from_frame(cells[categorical].astype(object)).isin(have)
    for name in others:
        if name not in categorical and len(of_level):
            values = cells[name].to_numpy(dtype=float)
            found &= (values >= of_level[name].min()) & (values <= of_level[name].max())
    return found


def _averaged(
    rows: Sequence[Floats], alike: Bools, size: Floats, whose: str
) -> tuple[tuple[Side, ...], str, str]:
    """Return averages over the cells ``alike`` of ``size`` (m,), a note, and what bars them.

    Where there is nothing to average over the sides are averages over all cells, which nobody
    should look at.
    """
    barred = "" if alike.any() else NOTHING_ALIKE.format(whose)
    over = alike if alike.any() else np.ones(len(size), dtype=bool)
    share = size[over] / size[over].sum()
    note = ""
    if alike.any() and not alike.all():
        note = NOT_ALIKE.format(int(size[over].sum()), int(size.sum()), whose)
    return tuple(Side(part[over], share) for part in rows), note, barred


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
