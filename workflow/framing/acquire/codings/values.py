"""What a cell says: a level of a code, or that it was not coded; nothing but what was declared.

The one place that knows what values there are. Of a yes/no code values are declared by ``--yes``
and ``--no``; of a code with other levels its levels are values by their names and labels, as the
codebook declares them, and others by ``--value``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from framing.codebook.codes import Code, Level
from framing.coding.codings import NOT_CODED
from framing.common.problems import Problem

YES, NO = "1", "0"
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.0+)?")
_DECIMAL = re.compile(r"[+-]?[0-9]*[.,]?[0-9]+")
_MINUS = str.maketrans("−–", "--")  # as spreadsheets and texts write it


@dataclass(frozen=True)
class Said:
    """Which values mean yes, no and not coded, and which a level.

    Case does not matter, nor does ``1.0`` or ``+1`` for ``1``. ``levels`` are pairs of a value and
    a level, the latter by its name (of each code that has such a level) or as ``CODE.LEVEL``.
    """

    yes: tuple[str, ...] = (YES,)
    no: tuple[str, ...] = (NO,)
    missing: tuple[str, ...] = (NOT_CODED,)
    levels: tuple[tuple[str, str], ...] = ()

    @property
    def meanings(self) -> dict[str, str]:
        """Return folded value → ``1``, ``0`` or ``NA``."""
        parts = ((self.yes, YES), (self.no, NO), (self.missing, NOT_CODED))
        return {folded(value): meaning for values, meaning in parts for value in values}


def folded(value: str) -> str:
    """Return a value by which it is compared: ``Yes`` as ``yes``, ``1.0`` and ``+1`` as ``1``."""
    plain = value.strip().casefold()
    number = _NUMBER.fullmatch(plain.translate(_MINUS))
    if number is None:
        return plain
    sign, digits = number.groups()
    return f"-{digits}" if sign == "-" and digits.strip("0") else digits


def meanings_of(code: Code, said: Said) -> dict[str, str]:
    """Return folded value → cell of a code, or ``NA``: what each value means in its column."""
    if code.kind.present:
        absent, present = code.cells
        cells = {NO: absent, YES: present, NOT_CODED: NOT_CODED}
        return {value: cells[meaning] for value, meaning in said.meanings.items()}
    known = {folded(value): NOT_CODED for value in said.missing}
    # Later ones hold against earlier ones: a level's own name before the label of another.
    known = _named(code) | known
    known |= {folded(value): name for value, name in said.levels if name in code.cells}
    for value, target in said.levels:
        for level in code.levels:
            if target == level.indicator:
                known[folded(value)] = level.name
    return known


def _named(code: Code) -> dict[str, str]:
    """Return folded value → level of those that the codebook gives: labels, then names."""
    labels: dict[str, list[Level]] = {}
    for level in code.levels:
        labels.setdefault(folded(level.label), []).append(level)
    known = {value: own[0].name for value, own in labels.items() if len(own) == 1}
    names = [folded(level.name) for level in code.levels]
    return known | {
        folded(level.name): level.name
        for level in code.levels
        if names.count(folded(level.name)) == 1
    }


def contradictions(said: Said, codes: Iterable[Code] = ()) -> list[Problem]:
    """Return the values that were declared to mean two things, by themselves or for a code."""
    parts = (("--yes", said.yes), ("--no", said.no), ("--missing", said.missing))
    meant: dict[str, set[str]] = {}
    for option, values in parts:
        for value in values:
            meant.setdefault(folded(value), set()).add(option)
    problems = [
        Problem(" and ".join(sorted(options)), f"both name the value {value!r}",
                "Each value means one thing (NA means not coded).")
        for value, options in meant.items() if len(options) > 1
    ]  # fmt: skip
    for code in codes:
        if not code.kind.present:
            problems += _contradicted(code, said)
    return problems


def _contradicted(code: Code, said: Said) -> list[Problem]:
    """Return the values that mean two things for a code with levels."""
    own = {folded(level.name): level.name for level in code.levels}
    missing = {folded(value): value for value in said.missing}
    problems = [
        Problem("--missing", f"names {value!r}, which is a level of the code {code.name!r}",
                "A level is a value by its own name: rename it, or leave the option out.")
        for value in missing if value in own
    ]  # fmt: skip
    declared: dict[str, set[str]] = {}
    for value, target in said.levels:
        declared.setdefault(folded(value), set()).update(
            one.name for one in code.levels if target in (one.name, one.indicator)
        )
    for value, levels in declared.items():
        also = {own[value]} if value in own else set()
        if value in missing and levels:
            also.add(NOT_CODED)
        if len(levels | also) > 1:
            told = " and ".join(repr(level) for level in sorted(levels | also))
            problems.append(
                Problem("--value", f"gives {value!r} two meanings for the code {code.name!r}: "
                        f"{told}", "Each value means one thing (a level is one by its name).")
            )  # fmt: skip
    return problems


def unknown_levels(said: Said, codes: Iterable[Code]) -> list[Problem]:
    """Return the declarations of values whose level no code has."""
    known = [level for code in codes if not code.kind.present for level in code.levels]
    names = {name for level in known for name in (level.name, level.indicator)}
    listed = ", ".join(level.indicator for level in known) or "none, as all codes are yes/no"
    return [
        Problem(f"--value {value}={target}", f"{target!r} is no level of a code of the codebook",
                f"Levels: {listed}.")
        for value, target in said.levels if target not in names
    ]  # fmt: skip


def understood(values: pd.Series, meanings: Mapping[str, str]) -> pd.Series:
    """Return what each value means, missing where it means nothing."""
    # By distinct values: there are few.
    return values.map({value: meanings.get(folded(value)) for value in values.unique()})


def unknown_values(columns: Iterable[tuple[pd.Series, Mapping[str, str]]]) -> list[str]:
    """Return the distinct values of some columns that mean nothing yet, in code point order.

    Each column comes with what values mean in it.
    """
    return sorted(
        {
            value
            for column, meanings in columns
            for value in column.unique()
            if folded(value) not in meanings
        }
    )


def between(value: str, code: Code) -> bool:
    """Return whether a value is a number that lies between levels of an ordered code.

    >>> from framing.codebook.codes import read_code
    >>> mood = {"kind": "ordinal", "label": "x", "definition": "x", "levels": [{"level": 1},
    ...         {"level": 2}]}
    >>> [between(value, read_code("mood", mood)) for value in ("1.5", "1,5", "2", "3", "x")]
    [True, True, False, False, False]
    """
    plain = value.strip().translate(_MINUS)
    if not code.kind.ordered or not _DECIMAL.fullmatch(plain):
        return False
    number = float(plain.replace(",", "."))
    numbers = [level.number for level in code.levels]
    return numbers[0] < number < numbers[-1] and number not in numbers


def told(values: Sequence[str]) -> str:
    """Return values as they are shown: quoted, an empty one by its name."""
    return ", ".join(repr(value) if value else "'' (empty)" for value in values)
