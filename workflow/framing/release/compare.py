"""What moved between two sets of results: cell by cell, measured against the old interval.

Tables are compared as they were published, as text, so that a difference has the decimals of the
CSV and comes out alike everywhere. Rows are matched by what identifies them (:func:`key_columns`);
an estimate and its interval count as one cell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from framing.release.read_release import Grid, Results, Row
from framing.tables.specs import Column, Specs, TableSpec

HEADLINE = ("T4", "T5", "T6")
"""Tables named first where moves are equally large: shares, their trend, the theses."""

_NUMERIC = ("integer", "share", "number", "p")
_IDS = ("id", "term", "list")
_OUTCOMES = ("verdict", "direction")  # vocabularies whose ids are results, not names of rows
_ENDS = ("low", "high")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Value:
    """What a cell says: a text or number, and the ends of its interval where it has one."""

    text: str
    low: str = ""
    high: str = ""


@dataclass(frozen=True)
class Move:
    """A cell that changed.

    ``row`` holds the ids of its row, ``difference`` is new less old (None where one of them is no
    number), ``by`` the size of the difference in half-widths of the old interval (None without a
    width). ``outside`` says whether the new value lies outside the old interval. Moves sort by
    ``rank``, the worst first.
    """

    table: str
    row: Row
    column: Column
    old: Value
    new: Value
    difference: Decimal | None
    by: Decimal | None
    outside: bool
    rank: tuple[Any, ...]


@dataclass(frozen=True)
class TableChanges:
    """What moved in one table.

    ``cells`` counts the cells that both sides have, ``moves`` those that changed, worst first;
    ``new_rows`` and ``gone_rows`` hold ids of rows, ``new_columns`` and ``gone_columns`` names.
    """

    id: str
    title: str
    cells: int
    moves: tuple[Move, ...]
    new_rows: tuple[Row, ...] = ()
    gone_rows: tuple[Row, ...] = ()
    new_columns: tuple[str, ...] = ()
    gone_columns: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Return whether anything did."""
        return bool(
            self.moves or self.new_rows or self.gone_rows or self.new_columns or self.gone_columns
        )

    @property
    def outside(self) -> int:
        """Return how many cells lie outside their old interval."""
        return sum(move.outside for move in self.moves)


@dataclass(frozen=True)
class Changes:
    """What moved in all tables; ``tables`` are those of both sides, headline tables first."""

    tables: tuple[TableChanges, ...]
    new_tables: tuple[str, ...]
    gone_tables: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Return whether anything changed at all."""
        return bool(self.new_tables or self.gone_tables) or any(t.changed for t in self.tables)

    @property
    def moves(self) -> list[Move]:
        """Return the moves of all tables, worst first."""
        return sorted((m for table in self.tables for m in table.moves), key=lambda m: m.rank)


def compare(old: Results, new: Results, specs: Specs) -> Changes:
    """Return what moved from ``old`` to ``new``; ``specs`` describe the tables."""
    names = sorted({*old.tables, *new.tables}, key=_place)
    both = [name for name in names if name in old.tables and name in new.tables]
    return Changes(
        tuple(
            compare_tables(name, old.tables[name], new.tables[name], specs.tables.get(name), place)
            for place, name in enumerate(both)
        ),
        tuple(name for name in names if name not in old.tables),
        tuple(name for name in names if name not in new.tables),
    )


def _place(table: str) -> tuple[bool, int, str]:
    head = table.partition("-")[0]
    number = int(head[1:]) if head[1:].isdecimal() else 0
    return head not in HEADLINE, number, table


def key_columns(old: Grid, new: Grid, spec: TableSpec | None) -> tuple[str, ...]:
    """Return the columns by which rows of both grids are matched.

    Ids make the key, those of outcomes (verdicts) apart. Where they do not tell all rows apart,
    the texts that stand before the first number join them, then the first number itself (a bin, a
    share of the sources). Rows that are alike even so are told apart by the order they stand in.
    """
    if spec is None:
        return ()
    columns = [column for name, column in spec.columns.items() if _in_both(name, old, new)]
    lead = [column for place, column in enumerate(columns)
            if not any(one.kind in _NUMERIC for one in columns[: place + 1])]  # fmt: skip
    ids = [c for c in columns if c.kind in _IDS and c.vocabulary not in _OUTCOMES]
    wider = [c for c in columns if c in ids or (c in lead and c.kind == "text")]
    first = [c for c in columns[len(lead) : len(lead) + 1] if c.name not in intervals(spec)]
    for chosen in (ids, wider, [*wider, *first]):
        names = tuple(column.name for column in chosen if column.name != "status")
        if names and _unique(old, names) and _unique(new, names):
            return names
    return tuple(column.name for column in wider if column.name != "status")


def _in_both(name: str, old: Grid, new: Grid) -> bool:
    return name in old.columns and name in new.columns


def _unique(grid: Grid, names: Sequence[str]) -> bool:
    # A row that stands there twice, word for word, can be told from itself by nothing.
    return len(set(_picked(grid, names))) == len(set(grid.rows))


def _picked(grid: Grid, names: Sequence[str]) -> list[Row]:
    places = [grid.columns.index(name) for name in names]
    return [tuple(row[place] for place in places) for row in grid.rows]


def intervals(spec: TableSpec | None) -> dict[str, tuple[str, str]]:
    """Return the columns that hold the ends of an interval, by the column of its estimate.

    They are those that are printed with it as an interval, and ``x_low`` and ``x_high`` of ``x``.
    Ranges (lowest, highest) are no intervals.
    """
    if spec is None:
        return {}
    found = {
        name: (f"{name}_low", f"{name}_high")
        for name in spec.columns
        if f"{name}_low" in spec.columns and f"{name}_high" in spec.columns
    }
    for entry in spec.printing.entries:
        if entry.form == "interval":
            estimate, low, high = entry.columns
            if (low.rpartition("_")[2], high.rpartition("_")[2]) == _ENDS:
                found[estimate] = (low, high)
    return found


def compare_tables(
    name: str, old: Grid, new: Grid, spec: TableSpec | None, place: int = 0
) -> TableChanges:
    """Return what moved in a table; ``spec`` describes it (None: rows are matched by order).

    ``place`` is that of the table among all, by which moves of one size are ordered.
    """
    keys = key_columns(old, new, spec)
    ends = {
        estimate: pair
        for estimate, pair in intervals(spec).items()
        if all(_in_both(column, old, new) for column in (estimate, *pair))
    }
    apart = {*keys, *(column for pair in ends.values() for column in pair)}
    compared = [_column(c, spec) for c in new.columns if c in old.columns and c not in apart]
    before, after = _by_key(old, keys), _by_key(new, keys)
    shared = [key for key in after if key in before]
    at = {column: (old.columns.index(column), new.columns.index(column))
          for column in new.columns if column in old.columns}  # fmt: skip
    moves = []
    for number, key in enumerate(shared):
        was, now = before[key], after[key]
        if was == now and old.columns == new.columns:
            continue
        for order, column in enumerate(compared):
            names = (column.name, *ends.get(column.name, ()))
            values = [Value(*(row[at[one][side]] for one in names))
                      for side, row in enumerate((was, now))]  # fmt: skip
            if values[0] != values[1]:
                moves.append(
                    _move(name, _said(key), column, values[0], values[1], (place, number, order))
                )
    return TableChanges(
        name,
        spec.title if spec else name,
        len(shared) * len(compared),
        tuple(sorted(moves, key=lambda move: move.rank)),
        tuple(_said(key) for key in after if key not in before),
        tuple(_said(key) for key in before if key not in after),
        tuple(column for column in new.columns if column not in old.columns),
        tuple(column for column in old.columns if column not in new.columns),
    )


def _column(name: str, spec: TableSpec | None) -> Column:
    described = spec.columns.get(name) if spec else None
    return described or Column(name, name, "", "number")


def _by_key(grid: Grid, keys: Sequence[str]) -> dict[tuple[Row, int], Row]:
    """Return rows by key and by how many rows of the same key stand before."""
    seen: Counter[Row] = Counter()
    found = {}
    for key, row in zip(_picked(grid, keys), grid.rows, strict=True):
        found[key, seen[key]] = row
        seen[key] += 1
    return found


def _said(key: tuple[Row, int]) -> Row:
    ids, times = key
    if not ids:
        return (f"row {times + 1}",)
    return ids if not times else (*ids, f"no. {times + 1}")


def _move(
    table: str, row: Row, column: Column, old: Value, new: Value, order: tuple[int, ...]
) -> Move:
    numbers = [_number(value.text) for value in (old, new)] if column.kind in _NUMERIC else []
    if len(numbers) < 2 or None in numbers:
        # An estimate that came or went is a graver thing than another wording.
        group = 1 if any(number is not None for number in numbers) else 3
        return Move(table, row, column, old, new, None, None, False, (group, 0, 0, *order))
    was, now = numbers
    assert was is not None and now is not None
    difference = now - was
    low, high = _number(old.low), _number(old.high)
    if low is None or high is None:
        size = -_relative(column, was, difference)
        return Move(table, row, column, old, new, difference, None, False, (4, size, 0, *order))
    half = (high - low) / 2
    outside = bool(difference) and not low <= now <= high
    by = abs(difference) / half if half > 0 else None
    # With a width of zero any move is outside; how far, nothing says.
    ranked = (0 if outside else 2, -(by or Decimal(0)), -_shift(old, new), *order)
    return Move(table, row, column, old, new, difference, by, outside, ranked)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _relative(column: Column, was: Decimal, difference: Decimal) -> Decimal:
    """Return how much a number without interval changed, a p-value by its plain difference."""
    if column.kind == "p":
        return abs(difference)
    return abs(difference / was) if was else Decimal("Infinity")


def _shift(old: Value, new: Value) -> Decimal:
    """Return by how much the ends of the interval moved at most."""
    pairs = [(_number(old.low), _number(new.low)), (_number(old.high), _number(new.high))]
    return max((abs(b - a) for a, b in pairs if a is not None and b is not None), default=Decimal())


def listed(changes: Changes, limit: int | None) -> tuple[list[Move], dict[str, int]]:
    """Return the moves to list, worst first, and how many of each table are left out.

    Of each table the worst ``limit`` are listed, or all where it is None.
    """
    kept: list[Move] = []
    rest: dict[str, int] = {}
    for table in changes.tables:
        part = table.moves[:limit]
        kept += part
        if len(part) < len(table.moves):
            rest[table.id] = len(table.moves) - len(part)
    return sorted(kept, key=lambda move: move.rank), rest


def difference_text(move: Move) -> str:
    """Return the difference with its sign and the decimals of the values, empty without one."""
    if move.difference is None:
        return ""
    places = [len(value.text.partition(".")[2]) for value in (move.old, move.new)]
    return f"{move.difference:+.{max(places)}f}" if move.difference else f"{0:.{max(places)}f}"


def rows_of(table: TableChanges) -> Iterator[tuple[str, Row]]:
    """Give the rows that came or went, each with ``new`` or ``gone``."""
    yield from (("gone", row) for row in table.gone_rows)
    yield from (("new", row) for row in table.new_rows)
