"""What is wrong with the values of columns: undeclared, between levels, or of two kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from framing.acquire.codings.kinds import SHOWN, counted, of_a_kind
from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import Said, between, folded, told, unknown_values
from framing.codebook.codes import Code
from framing.coding.codings import NOT_CODED
from framing.common.problems import Problem

YES_AND_NO = "yes and no"
_SHOWN_VALUES = 8

Told = set[tuple[str, str]]
"""Columns and values that a problem has spoken of already."""


def kind_of(value: str, codes: Mapping[str, Code], said: Said) -> str:
    """Return what a value is, where nothing says what it means in its column; empty if unknown."""
    plain = folded(value)
    if plain in {folded(name) for name in codes}:
        return "names of codes"
    if said.meanings.get(plain, NOT_CODED) != NOT_CODED:
        return YES_AND_NO
    holders = [
        code for code in codes.values()
        if not code.kind.present
        for level in code.levels
        if plain in (folded(level.name), folded(level.indicator))
    ]  # fmt: skip
    return f"levels of {holders[0].name!r}" if holders else ""


def number_beside(value: str, code: Code) -> bool:
    """Return whether a value is a number and levels of the code are: then 1 is no yes."""
    numbers = [one for one in (value, *code.cells) if folded(one).lstrip("-").isdecimal()]
    return not code.kind.present and len(numbers) > 1 and numbers[0] == value


def mixed_problems(
    rows: Rows, cells: pd.DataFrame, whole: Mapping[str, Code | None],
    meant: Mapping[str, Mapping[str, str]], codes: Mapping[str, Code], said: Said,
) -> tuple[list[Problem], Told]:  # fmt: skip
    """Return the columns in which some cells say yes or no and others are levels or names of codes.

    ``whole`` has the code of columns that hold one, ``meant`` what values mean by column. The
    second part of what is returned is what these problems have spoken of.
    """
    problems: list[Problem] = []
    spoken: Told = set()
    for name in cells.columns:
        code = whole.get(name)
        kinds: dict[str, list[tuple[str, int]]] = {}
        own = f"levels of {code.name!r}" if code and not code.kind.present else YES_AND_NO
        for value, number in cells[name].value_counts().items():
            meaning = meant[name].get(folded(str(value)))
            if meaning == NOT_CODED:
                continue
            kind = own if meaning is not None else kind_of(str(value), codes, said)
            if meaning is None and code is not None and number_beside(str(value), code):
                continue
            kinds.setdefault(kind, []).append((str(value), int(number)))
        kinds.pop("", None)
        if own in kinds and len(kinds) > 1:
            problems.append(_mixed(rows, name, kinds))
            spoken |= {(name, value) for kind in kinds.values() for value, _ in kind}
    return problems, spoken


def _mixed(rows: Rows, column: str, kinds: Mapping[str, list[tuple[str, int]]]) -> Problem:
    parts = [
        f"{kind} in {counted(sum(number for _, number in own), 'cell')} "
        f"({told(sorted(value for value, _ in own)[:SHOWN])})"
        for kind, own in kinds.items()
    ]
    return Problem(
        rows.place, f"the column {column!r} holds two kinds of values: {' and '.join(parts)}",
        "A column says one thing: part it into one for each, or correct the cells.",
    )  # fmt: skip


def undeclared_problems(
    rows: Rows, cells: pd.DataFrame, whole: Mapping[str, Code | None],
    meant: Mapping[str, Mapping[str, str]], codes: Mapping[str, Code], spoken: Told,
) -> list[Problem]:  # fmt: skip
    """Return the values that mean nothing in their column: one problem a kind and code.

    Those of all columns of yes and no are one problem; ``spoken`` are told already.
    """
    plain = [name for name in cells.columns if (one := whole.get(name)) is None or one.kind.present]
    problems = _undeclared(rows, cells, plain, meant, codes, spoken)
    for name in cells.columns:
        code = whole.get(name)
        if code is not None and name not in plain:
            problems += _no_levels(rows, cells[name], code, meant[name], spoken)
    return problems


def _unknown(
    column: pd.Series, meanings: Mapping[str, str], spoken: Told
) -> tuple[list[str], pd.Series]:
    """Return the distinct values that mean nothing, and of which cells they are."""
    values = unknown_values([(column, meanings)])
    values = [value for value in values if (str(column.name), value) not in spoken]
    return values, column[column.isin(values)]


def _undeclared(
    rows: Rows, cells: pd.DataFrame, names: Sequence[str],
    meant: Mapping[str, Mapping[str, str]], codes: Mapping[str, Code], spoken: Told,
) -> list[Problem]:  # fmt: skip
    found = {name: _unknown(cells[name], meant[name], spoken) for name in names}
    unknown = sorted({value for values, _ in found.values() for value in values})
    if not unknown:
        return []
    bad = [(row, name) for name, (_, own) in found.items() for row in own.index]
    shown = told(unknown[:_SHOWN_VALUES]) + (", …" if len(unknown) > _SHOWN_VALUES else "")
    remedy = f"Say what it means ({shown}): --yes VALUE, --no VALUE, --missing VALUE (not coded)."
    kinds = {kind_of(value, codes, Said((), (), ())) for value in unknown}
    if "names of codes" in kinds:
        remedy = "A column of names of codes is given by --labels COLUMN."
    elif levels := sorted(kinds - {""}):
        remedy = f"It has {levels[0]}: give the column as --code COLUMN=CODE of that code."
    bad.sort(key=lambda one: int(one[0]))
    spots = [f"{rows.at(row)} {name} {cells[name][row]!r}" for row, name in bad[:SHOWN]]
    spots += [""] * (len(bad) - len(spots))  # counted, not shown
    remedy += _labels_hint(rows, [name for name, (values, _) in found.items() if values])
    return of_a_kind(rows.place, "a value that was not declared in {}", spots, remedy, "cell")


def _no_levels(
    rows: Rows, column: pd.Series, code: Code, meanings: Mapping[str, str], spoken: Told
) -> list[Problem]:
    """Return the values of a column that are no levels of its code: between levels, and others."""
    values, cells = _unknown(column, meanings, spoken)
    middle = [value for value in values if between(value, code)]
    others = [value for value in values if value not in middle]
    levels = ", ".join(code.cells)

    def spots(of: Sequence[str]) -> list[str]:
        own = cells[cells.isin(of)]
        return [f"{rows.at(row)} {column.name} {value!r}" for row, value in own.items()]

    found = of_a_kind(
        rows.place, f"a number between the levels of the code {code.name!r} in {{}}", spots(middle),
        f"A passage has one of its levels ({levels}): nothing is rounded. Correct them, or say "
        f"which level is meant: --value VALUE=LEVEL.", "cell",
    )  # fmt: skip
    shown = told(others[:_SHOWN_VALUES]) + (", …" if len(others) > _SHOWN_VALUES else "")
    return found + of_a_kind(
        rows.place, f"a value that is no level of the code {code.name!r} in {{}}", spots(others),
        f"Say which level ({levels}) it means ({shown}): --value VALUE=LEVEL, or --missing VALUE "
        f"(not coded).{_labels_hint(rows, [str(column.name)])}", "cell",
    )  # fmt: skip


def _labels_hint(rows: Rows, columns: Sequence[str]) -> str:
    """Return what labels a statistics program shows in place of the values, if it has any."""
    known = [f"{value} is {label!r}" for name in columns
             for value, label in rows.labels.get(name, {}).items()]  # fmt: skip
    if not known:
        return ""
    shown = ", ".join(known[:_SHOWN_VALUES])
    return f" Their labels in the file are taken with --value-labels: {shown}."
