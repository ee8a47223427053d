"""What a regression estimates: coefficients, predicted shares by level, and their contrasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from formulaic import ModelSpec
from formulaic.parser.types import Factor

from framing.inference.design import Bools, Floats
from framing.inference.model_formulas import factor_columns

COEFFICIENT, SHARE, CONTRAST = "coefficient", "predicted share", "contrast"

NOTHING_ALIKE = "not estimable: no values of the other columns occur with {}"

NOT_ALIKE = "averaged over {:,} of {:,} passages: values of the rest do not occur with {}"


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


def term_name(name: str) -> str:
    """Return the name of a column of the design matrix as tables have it."""
    return name.replace("[T.", "[")


def coefficients(
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
                for column in factor_columns(factor) or categorical
            }
            levels = [
                kept & (data[column].cat.codes == 0).to_numpy()
                for column in categorical if column in against
            ]  # fmt: skip
            sides = (Side(row, np.ones(1)),)
            yield Quantity(COEFFICIENT, term_name(name), sides, rests, (rests, *levels))


def averages(
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
