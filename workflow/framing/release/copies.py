"""A copy of a result table, such as one in a paper's supplement, held against the table.

A copy may be separated, encoded and quoted otherwise, hold numbers with fewer decimals, rows in
another order, and not all rows and columns: it is then still a copy. :func:`read_copy` undoes what
spreadsheets and statistics programs do to a CSV file, and :func:`against` tells what was left out
or rounded from what was changed. Rows are matched by :mod:`framing.release.compare`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from framing.common.problems import InputError, Problem
from framing.release.compare import compare_tables, intervals, key_columns
from framing.release.read_release import Grid, Row
from framing.report.layout import MINUS
from framing.tables.kinds import NUMERIC
from framing.tables.specs import TableSpec

SEPARATORS = ",;\t|"
DECIMALS = 6  # of numbers in a table's CSV file
MISSING = ("", "NA", "NaN", "nan", "N/A", "None", "NULL")
"""How programs write an empty cell."""
_ROW_NAMES = ("", "Unnamed: 0")  # heads of the column of row numbers that programs put first
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_BELOW = re.compile(r"<\s*(0?\.\d+)")
_NOISE = Decimal("1e-9")  # what binary numbers add to decimal ones
_MOST_SLICES = 500


@dataclass(frozen=True)
class Copy:
    """A copy as it was read: its cells written as in a table's CSV file.

    ``decimals`` and ``digits`` are the most decimals and the most significant digits that a number
    of a column has in the copy itself.
    """

    grid: Grid
    decimals: Mapping[str, int]
    digits: Mapping[str, int]


@dataclass(frozen=True)
class CellChange:
    """A cell whose value is not that of the table: ids of its row, its column, both values."""

    row: Row
    column: str
    old: str
    new: str


@dataclass(frozen=True)
class Finding:
    """What a copy has of a table.

    ``only`` are the values of columns left out that its rows may all have in common (several, where
    their rows are alike in what it has), ``rounded`` says how the numbers of a column were rounded,
    ``changed`` lists cells, ``new_rows`` and ``new_columns`` what the table does not have at all.
    """

    cells: int
    rows: int
    rows_left_out: int = 0
    columns_left_out: Row = ()
    only: tuple[Mapping[str, str], ...] = ()
    rounded: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[CellChange, ...] = ()
    new_rows: tuple[Row, ...] = ()
    new_columns: Row = ()

    @property
    def holds(self) -> bool:
        """Return whether all that the copy says is in the table."""
        return not (self.changed or self.new_rows or self.new_columns)

    @property
    def whole(self) -> bool:
        """Return whether it has all rows and columns, with all decimals."""
        return self.holds and not (self.rows_left_out or self.columns_left_out or self.rounded)


# --- reading --------------------------------------------------------------------------------------


def read_copy(data: bytes, place: str | Path, table: Grid, spec: TableSpec | None) -> Copy:
    """Return a copy of ``table`` from the bytes of a file, however that is separated and encoded.

    Raises :class:`InputError` where it is no table, or has no column of ``table``.
    """
    separator, header, rows = _parsed(_text(data, place), place, table.columns)
    known = [name for name in header if name in table.columns]
    if not known:
        raise InputError(
            Problem(place, f"has none of the table's columns ({', '.join(table.columns)})",
                    "Name a CSV file with their names in its first row.", 1)
        )  # fmt: skip
    values = {name: _values(table, name) for name in known}
    numeric = {name for name in known if _is_numeric(name, values[name], spec)}
    whole = {name for name in numeric if not any("." in value for value in values[name])}
    decimals: dict[str, int] = {}
    digits: dict[str, int] = {}
    cells = []
    for row in rows:
        line = []
        for name, cell in zip(header, row, strict=True):
            text = cell.strip()
            number = _number(text, separator) if name in numeric else None
            if number is not None:
                decimals[name] = max(decimals.get(name, 0), _decimals(number))
                digits[name] = max(digits.get(name, 0), len(number.as_tuple().digits))
                text = _as_published(number, whole=name in whole)
            elif text in MISSING and name in known and text not in values[name]:
                text = ""
            line.append(text)
        cells.append(tuple(line))
    return Copy(Grid(tuple(header), tuple(cells)), decimals, digits)


def _text(data: bytes, place: str | Path) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(Problem(place, "is no text", "Save the table as CSV, in UTF-8."))


def _parsed(
    text: str, place: str | Path, known: Sequence[str]
) -> tuple[str, list[str], list[list[str]]]:
    """Return separator, header and rows of a table; the separator is the one that finds most."""
    separator, lines = "", list[list[str]]()
    best = -1
    for one in SEPARATORS:
        try:
            tried = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=one) if row]
        except csv.Error:
            continue
        found = len({name.strip() for name in tried[0]} & set(known)) if tried else 0
        if found > best:
            best, separator, lines = found, one, tried
    if not lines:
        raise InputError(Problem(place, "is empty, or no CSV", "Name the copy of a table."))
    header = [name.strip() for name in lines[0]]
    rows = [row for row in lines[1:] if any(cell.strip() for cell in row)]
    if _numbered(rows, len(header)):
        header = ["", *header]  # R's write.table gives row numbers no head
    rows = [_trimmed(row, len(header)) for row in rows]
    odd = next((number for number, row in enumerate(rows, 2) if len(row) != len(header)), None)
    if odd:
        found = len(rows[odd - 2])
        raise InputError(
            Problem(place, f"row {odd} has {found} fields, the header has {len(header)}",
                    "Save the table as CSV once more.")
        )  # fmt: skip
    if header[0] in _ROW_NAMES:
        header, rows = header[1:], [row[1:] for row in rows]
    while header and not header[-1] and not any(row[-1].strip() for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(Problem(place, f"has the column {twice[0]!r} twice", "Remove one.", 1))
    return separator, header, rows


def _numbered(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Return whether rows have a number of their own before the fields of the header."""
    first = {row[0] for row in rows if len(row) == width + 1 and row[0].strip().isdecimal()}
    return 0 < len(rows) == len(first)


def _trimmed(row: list[str], width: int) -> list[str]:
    """Return a row without the empty fields that spreadsheets put at its end."""
    while len(row) > width and not row[-1].strip():
        row = row[:-1]
    return row


def _number(text: str, separator: str) -> Decimal | None:
    text = text.replace(MINUS, "-")
    if separator != "," and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return max(-exponent, 0)


def _as_published(number: Decimal, *, whole: bool) -> str:
    """Return a number as a table's CSV file would have it, unless that would change it."""
    if number == 0:
        number = abs(number)
    if whole:
        return f"{int(number)}" if number == number.to_integral_value() else f"{number:f}"
    near = round(number, DECIMALS)
    return f"{near:f}" if abs(near - number) < _NOISE else f"{number:f}"


def _values(grid: Grid, name: str) -> set[str]:
    place = grid.columns.index(name)
    return {row[place] for row in grid.rows}


def _is_numeric(name: str, values: set[str], spec: TableSpec | None) -> bool:
    if spec is not None and name in spec.columns:
        return spec.columns[name].kind in NUMERIC
    return all(not value or _NUMBER.fullmatch(value) for value in values)


# --- comparing ------------------------------------------------------------------------------------


def against(copy: Copy, table: Grid, spec: TableSpec | None) -> Finding:
    """Return what a copy has of a table.

    Where columns that tell rows apart were left out, the copy is also held against the rows that
    have one value in each of them; what it agrees with best counts.
    """
    found = [
        (only, _finding(copy, table, part, spec)) for only, part in _slices(copy.grid, table, spec)
    ]
    best = min(map(_disagreement, (one for _, one in found)))
    alike = [(only, one) for only, one in found if _disagreement(one) == best]
    return replace(alike[0][1], only=tuple(only for only, _ in alike if only))


def _disagreement(found: Finding) -> tuple[int, int]:
    lost = len(found.new_rows) * max(1, len(found.columns_left_out))
    return len(found.changed) + lost, found.rows_left_out


def _slices(
    copy: Grid, table: Grid, spec: TableSpec | None
) -> Iterator[tuple[dict[str, str], Grid]]:
    """Give the table, then its parts with one value in each id that the copy has left out."""
    yield {}, table
    missing = [n for n in key_columns(table, table, spec) if n not in copy.columns]
    places = [table.columns.index(name) for name in missing]
    parts: dict[Row, list[Row]] = {}
    for row in table.rows:
        parts.setdefault(tuple(row[place] for place in places), []).append(row)
    if 1 < len(parts) <= _MOST_SLICES:
        for values, rows in parts.items():
            only = dict(zip(missing, values, strict=True))
            yield only, Grid(table.columns, tuple(rows))


def _finding(copy: Copy, table: Grid, part: Grid, spec: TableSpec | None) -> Finding:
    compared = compare_tables("", part, copy.grid, spec)
    ends = intervals(spec)
    unlike: dict[str, list[CellChange]] = {}
    for move in compared.moves:
        names = (move.column.name, *ends.get(move.column.name, ()))
        values = ((move.old.text, move.new.text), (move.old.low, move.new.low),
                  (move.old.high, move.new.high))  # fmt: skip
        for name, (old, new) in zip(names, values, strict=False):
            if old != new:
                unlike.setdefault(name, []).append(CellChange(move.row, name, old, new))
    rounded: dict[str, str] = {}
    changed: list[CellChange] = []
    for name, cells in unlike.items():
        how, wrong = _rounding(cells, copy.decimals.get(name, 0), copy.digits.get(name, 0))
        changed += wrong
        if len(wrong) < len(cells):
            rounded[name] = how
    shared = [name for name in copy.grid.columns if name in table.columns]
    kept = len(copy.grid.rows) - len(compared.new_rows)
    return Finding(
        cells=kept * len(shared),
        rows=kept,
        rows_left_out=len(table.rows) - kept,
        columns_left_out=compared.gone_columns,
        rounded=rounded,
        changed=tuple(changed),
        new_rows=compared.new_rows,
        new_columns=compared.new_columns,
    )


def _rounding(
    cells: Sequence[CellChange], decimals: int, digits: int
) -> tuple[str, list[CellChange]]:
    """Return how a column was rounded, by decimals or by digits, and the cells that it was not."""

    def wrong(unit: Decimal | None) -> list[CellChange]:
        return [cell for cell in cells if not _rounds(cell.old, cell.new, unit, digits)]

    by_decimals = wrong(Decimal(1).scaleb(-decimals))
    if by_decimals and digits and not wrong(None):
        return _counted(digits, "significant digit"), []
    return _counted(decimals, "decimal"), by_decimals


def _rounds(old: str, new: str, unit: Decimal | None, digits: int) -> bool:
    """Return whether ``new`` is ``old`` rounded to ``unit``, or without one to ``digits``."""
    if not _NUMBER.fullmatch(old):
        return False
    was = Decimal(old)
    if below := _BELOW.fullmatch(new):
        return was < Decimal(below[1])
    if not _NUMBER.fullmatch(new):
        return False
    now = Decimal(new)
    if unit is None:
        unit = Decimal(1).scaleb((now or was).adjusted() - digits + 1)
    # Ties may go either way: programs differ.
    return abs(now - was) <= unit / 2


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
