"""Formulas of regressions: read, and checked against the columns there are.

See :mod:`framing.inference.design_matrix`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import pandas as pd
from formulaic import Formula, SimpleFormula
from formulaic.errors import FormulaicError
from formulaic.parser.types import Factor

from framing.common.problems import InputError, Problem, raise_if_any

PLACE = "config/config.yaml"

YEAR = "year"

LEFT_OUT = ("passage_id", "source_id", "title", "date", "url", "rights", "sha256")
"""Columns that are no covariates: ids, free text, and the date, of which the year is given."""

FUNCTIONS = ("C", "bs", "center", "exp", "log", "poly", "scale")
"""What a formula may call; it is no place for other Python."""


# --- covariates -----------------------------------------------------------------------------------


def covariate_frame(
    passages: pd.DataFrame, sources: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return what formulas can name, one row a passage, in the order of ``passages``.

    ``group``, ``period`` and ``words`` are the passage's; every other column of ``sources``
    (``sources.tsv``) is its source's, without :data:`LEFT_OUT` and private columns; ``year`` is the
    year of the source's date, missing where it has none. Numbers are floats; all else is
    categorical, its levels in the order of the configuration (groups, periods) or of code points,
    the empty text as "none given". Raises :class:`InputError` where a source is missing.
    """
    unknown = set(passages["source_id"].unique()) - set(sources["source_id"])
    raise_if_any(
        Problem("corpus/sources.tsv", f"lacks the source {name!r}", "Add its row.")
        for name in sorted(unknown)
    )
    of_source = sources.set_index("source_id").loc[passages["source_id"]]
    frame: dict[str, Any] = {
        "group": pd.Categorical(passages["group"], _levels(passages["group"], config["groups"])),
        "period": pd.Categorical(
            passages["period"],
            _levels(
                passages["period"],
                [*(period["id"] for period in config["periods"]), config["undated"]],
            ),
        ),
        YEAR: pd.to_numeric(of_source["date"].str[:4], errors="coerce").to_numpy(dtype=float),
        "words": passages["words"].to_numpy(dtype=float),
    }
    for name in of_source.columns:
        if name in frame or name in LEFT_OUT or name.startswith("_"):
            continue
        if pd.api.types.is_numeric_dtype(of_source[name]):
            frame[name] = of_source[name].to_numpy(dtype=float)
        else:
            values = of_source[name].replace("", "none given")
            frame[name] = pd.Categorical(values, sorted(values.unique()))
    return pd.DataFrame(frame, index=pd.RangeIndex(len(passages)))


def _levels(values: pd.Series, configured: Sequence[str] | Mapping[str, str]) -> list[str]:
    """Return configured levels and, after them, any other that occurs."""
    return list(dict.fromkeys([*configured, *sorted(values.unique())]))


# --- formulas -------------------------------------------------------------------------------------


def parsed_formula(text: str, columns: Sequence[str], place: str) -> SimpleFormula:
    """Return the formula behind ``text`` (right side of a Wilkinson formula, ``~ a + b``).

    Raises :class:`InputError`, naming ``place``, for a syntax error, a left side, several parts, an
    unknown column (with a close match) and calls other than :data:`FUNCTIONS`.
    """
    try:
        formula = Formula(text)
    except FormulaicError as error:
        raise InputError(
            Problem(place, f"{text!r} is no formula: {first_line(error)}",
                    "Write it as '~ group + period'.")
        ) from None  # fmt: skip
    if not isinstance(formula, SimpleFormula):
        raise InputError(
            Problem(
                place,
                f"{text!r} has a left side or several parts",
                "Write '~ group + period'; the codes stand beside it.",
            )
        )
    problems = [
        problem
        for factor in sorted({factor for term in formula for factor in term.factors}, key=str)
        for problem in _factor_problems(factor, columns, place)
    ]
    raise_if_any(dict.fromkeys(problems))
    return formula


def _factor_problems(factor: Factor, columns: Sequence[str], place: str) -> Iterator[Problem]:
    if factor.eval_method is Factor.EvalMethod.LITERAL:
        return
    names, called = [factor.expr], list[str]()
    if factor.eval_method is not Factor.EvalMethod.LOOKUP:
        names, called = python_names(factor.expr, place)
    for name in names:
        if name not in columns:
            yield Problem(place, f"unknown column {name!r}", did_you_mean(name, columns))
    for name in called:
        if name not in FUNCTIONS:
            yield Problem(
                place, f"{factor.expr!r} calls {name!r}", f"A formula may call {listed(FUNCTIONS)}."
            )


def python_names(expression: str, place: str) -> tuple[list[str], list[str]]:
    """Return the columns and functions an expression names; refuse all but arithmetic and calls."""
    allowed = (
        ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.BinOp, ast.UnaryOp,
        ast.operator, ast.unaryop, ast.keyword, ast.List, ast.Tuple,
    )  # fmt: skip
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError:
        tree = None
    if tree is None or not all(isinstance(node, allowed) for node in ast.walk(tree)):
        raise InputError(
            Problem(
                place,
                f"{expression!r} is more than a formula may hold",
                f"Use columns, arithmetic in braces, and {listed(FUNCTIONS)}.",
            )
        )
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = [ast.unparse(function) for function in functions]
    names = [
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not any(node is function for function in functions)
    ]
    return names, called


def first_line(error: Exception) -> str:
    """Return what an error says first, without its full stop."""
    return (str(error).strip() or type(error).__name__).split("\n")[0].rstrip(".")


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return the remedy for an unknown name: the closest known one, or all of them."""
    close = get_close_matches(name, known)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {listed(known)}."


def listed(names: Sequence[str]) -> str:
    """Return names with commas between them."""
    return ", ".join(names)


def factor_columns(factor: Factor) -> list[str]:
    """Return the columns that a factor of a checked formula names; none for the intercept."""
    if factor.eval_method is Factor.EvalMethod.LITERAL:
        return []
    if factor.eval_method is Factor.EvalMethod.LOOKUP:
        return [factor.expr]
    return python_names(factor.expr, PLACE)[0]
