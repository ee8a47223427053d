"""What all formats of tables of passages share: rows, columns, and what coding adds to them.

Each format has a module with its reader and writer: :mod:`framing.cli.delimited`,
:mod:`framing.cli.json_lines`, :mod:`framing.cli.parquet`. Readers give rows one at a time, with
what their writer needs to carry them along unchanged; nothing is held but a row, or a batch of
Parquet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from framing.common.files import repeated
from framing.common.problems import Problem, raise_if_any

if TYPE_CHECKING:
    from framing.classifier.stored import Model, Said

LOOKED_AT = 100  # lines of JSON that are read ahead to see which columns there are
SURROGATE = re.compile("[\ud800-\udfff]")
NOT_UTF8 = "is not valid UTF-8"
_UNFAMILIAR, _PROBLEM = "unfamiliar", "problem"
DECIMALS = 6


@dataclass(frozen=True)
class Row:
    """One row of a table: its number from 1 (without the header), the line it begins on, if any.

    ``problem`` says why it cannot be coded (empty where it can), ``carried`` is what the writer of
    the same format needs to carry it along.
    """

    number: int
    line: int | None
    id: Any
    text: Any
    carried: Any = None
    problem: str = ""


@dataclass(frozen=True)
class Coded:
    """A row with its predictions (None where it could not be coded) and what is wrong with it."""

    row: Row
    predictions: Mapping[str, Said] | None
    problem: str

    @property
    def unfamiliar(self) -> int:
        """Return 1 where the passage is unlike those learned from, for any code, else 0."""
        return int(any(one.unfamiliar for one in (self.predictions or {}).values()))

    @property
    def values(self) -> dict[str, float | int | str]:
        """Return what coding adds, by column; a column with nothing to say is missing."""
        if self.predictions is None:
            return {_PROBLEM: self.problem}
        found: dict[str, float | int | str] = {}
        for code, one in self.predictions.items():
            found |= one.cells(code)
        found[_UNFAMILIAR] = self.unfamiliar
        return found | ({_PROBLEM: self.problem} if self.problem else {})


class Added(NamedTuple):
    """A column that coding adds: its name, and what stands in it (float, int or str)."""

    name: str
    kind: type


def added_columns(models: Iterable[Model]) -> tuple[Added, ...]:
    """Return the columns that coding by these stored models adds, in order."""
    from framing.classifier.stored import reader_of

    of_codes = [
        Added(*column) for model in models for column in reader_of(model).columns(model).items()
    ]
    return (*of_codes, Added(_UNFAMILIAR, int), Added(_PROBLEM, str))


def added_cells(coded: Coded, added: Iterable[Added]) -> list[str]:
    """Return the cells of ``added`` columns as text, empty where there is nothing to say."""
    values = coded.values
    return [_text(values.get(column.name, "")) for column in added]


def _text(value: float | int | str) -> str:
    return f"{value:.{DECIMALS}f}" if isinstance(value, float) else str(value)


def column_problems(
    columns: Sequence[str], needed: Mapping[str, str], added: Sequence[str], place: str
) -> list[Problem]:
    """Return what makes a table's columns unusable.

    ``needed`` maps the columns that must be there to the options that name them; ``added`` are
    those that coding will add.
    """
    listed = ", ".join(repr(name) for name in columns[:LOOKED_AT])
    problems = [
        Problem(place, f"has no column {name!r}; it has {listed}", f"Name it by {option}.")
        for name, option in needed.items()
        if name not in columns
    ]
    problems += [
        Problem(place, f"has the column {name!r} twice", "Rename one of them.")
        for name in repeated(columns)
    ]
    problems += [
        Problem(place, f"has a column {name!r}, which coding would add", "Rename or remove it.")
        for name in added
        if name in columns
    ]
    return problems + [
        Problem("codebook", f"has a code that gives the column {name!r} a second time",
                "Rename the code.")
        for name in repeated(added)
    ]  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table that is being read.

    ``columns`` are those of its header (of JSON Lines, which have none, those met so far); ``rows``
    can be walked once; ``done`` says how much was read so far, of ``size`` in ``unit`` (bytes or
    rows; None where it cannot be known). ``schema`` is Parquet's.
    """

    columns: Sequence[str]
    rows: Iterator[Row]
    size: int | None = None
    unit: str = "B"
    done: Callable[[], int] | None = None
    schema: Any = None


class Writer(Protocol):
    """What writes coded rows."""

    def write(self, coded: Coded) -> None:
        """Write one row, or keep it until a batch is full."""

    def close(self) -> None:
        """Write what is left; the stream stays open."""


@dataclass(frozen=True)
class Columns:
    """The columns of ids and of texts, and those that coding adds."""

    id: str
    text: str
    added: tuple[Added, ...]

    @property
    def new(self) -> list[str]:
        """Return the names of the columns that coding adds."""
        return [column.name for column in self.added]

    def check(self, columns: Sequence[str], place: str) -> None:
        """Raise :class:`InputError` where a table with ``columns`` cannot be coded."""
        needed = {self.id: "--id", self.text: "--text"}
        raise_if_any(column_problems(columns, needed, self.new, place))


def without_mark(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines, the first without a byte order mark."""
    for number, line in enumerate(stream):
        yield line if number else line.removeprefix(b"\xef\xbb\xbf")
