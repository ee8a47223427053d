"""What a cell says: yes, no, or not coded; nothing but what was declared.

The one place that knows what values there are: another kind of code would be understood here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from framing.coding.codings import NOT_CODED
from framing.common.problems import Problem

YES, NO = "1", "0"


@dataclass(frozen=True)
class Said:
    """Which values mean yes, no and not coded. Case does not matter, nor does ``1.0`` for ``1``."""

    yes: tuple[str, ...] = (YES,)
    no: tuple[str, ...] = (NO,)
    missing: tuple[str, ...] = (NOT_CODED,)

    @property
    def meanings(self) -> dict[str, str]:
        """Return folded value → ``1``, ``0`` or ``NA``."""
        parts = ((self.yes, YES), (self.no, NO), (self.missing, NOT_CODED))
        return {folded(value): meaning for values, meaning in parts for value in values}


def folded(value: str) -> str:
    """Return a value by which it is compared: ``Yes`` as ``yes``, ``1.0`` as ``1``."""
    plain = value.strip().casefold()
    head, point, tail = plain.partition(".")
    return (
        head if point and head.lstrip("-").isdecimal() and tail and not tail.strip("0") else plain
    )


def contradictions(said: Said) -> list[Problem]:
    """Return the values that were declared to mean two things."""
    parts = (("--yes", said.yes), ("--no", said.no), ("--missing", said.missing))
    meant: dict[str, set[str]] = {}
    for option, values in parts:
        for value in values:
            meant.setdefault(folded(value), set()).add(option)
    return [
        Problem(" and ".join(sorted(options)), f"both name the value {value!r}",
                "Each value means one thing (NA means not coded).")
        for value, options in meant.items() if len(options) > 1
    ]  # fmt: skip


def understood(values: pd.Series, said: Said) -> pd.Series:
    """Return ``1``, ``0`` or ``NA`` for each value, missing where it means none of them."""
    meanings = said.meanings
    # By distinct values: there are few.
    return values.map({value: meanings.get(folded(value)) for value in values.unique()})


def unknown_values(columns: Iterable[pd.Series], said: Said) -> list[str]:
    """Return the distinct values of some columns that mean nothing yet, in code point order."""
    meanings = said.meanings
    found = {value for column in columns for value in column.unique()}
    return sorted(value for value in found if folded(value) not in meanings)


def told(values: Sequence[str]) -> str:
    """Return values as they are shown: quoted, an empty one by its name."""
    return ", ".join(repr(value) if value else "'' (empty)" for value in values)
