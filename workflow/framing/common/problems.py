"""What is wrong with an input: where, what, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One defect of an input.

    ``place`` names the file (or the setting), ``row`` the 1-based line in it where that makes
    sense (the header is line 1), ``what`` says what is wrong and ``remedy`` what to do.
    """

    place: str | Path
    what: str
    remedy: str
    row: int | None = None

    def __str__(self) -> str:
        """Return one line: place, row, defect, remedy."""
        where = f"{self.place}, line {self.row}" if self.row is not None else str(self.place)
        return f"{where}: {self.what}. {self.remedy}"


class InputError(Exception):
    """Raised with everything that is wrong with an input, before anything is written."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def raise_if_any(problems: Iterable[Problem]) -> None:
    """Raise :class:`InputError` with all of ``problems`` unless there are none."""
    found = list(problems)
    if found:
        raise InputError(found)


def collect(problems: list[Problem], read: Any, *arguments: Any) -> Any:
    """Return what ``read`` returns, or None where it raises: then its problems join the list."""
    try:
        return read(*arguments)
    except InputError as error:
        problems += error.problems
        return None
