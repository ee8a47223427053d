"""A result table as it is printed, before any markup.

Rows are filtered and put in sections, columns brought together or spread out, numbers rounded, ids
replaced by labels, and each status given a letter. LaTeX and HTML are written from this one layout.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

import pandas as pd

from framing.common.config import ALL
from framing.tables.captions import Edition
from framing.tables.kinds import NUMERIC, is_missing
from framing.tables.specs import ALWAYS, HEADLINE, SPREAD_LEAD, UNLESS, Column, Entry, TableSpec

DASH, MINUS = "–", "−"
PERCENT = "\u00a0%"  # the sign is not parted from its number
_LEVEL = re.compile(r"(\w+)\[([^\]]*)\]")


@dataclass(frozen=True)
class Cell:
    """One printed cell: text, an interval beneath or beside it, a status and its letter.

    ``passages`` is what the explorer is asked for the passages behind it (nothing: for all), None
    where it cannot be.
    """

    text: str
    interval: str = ""
    status: str = ""
    mark: str = ""
    passages: str | None = None


@dataclass(frozen=True)
class Head:
    """One printed column: its head, whether it holds numbers, whether it leads."""

    label: str
    numeric: bool
    leading: bool = False


@dataclass
class Sheet:
    """A table laid out: heads, sections (title, rows), and the letter of each status."""

    heads: list[Head]
    sections: list[tuple[str, list[list[Cell]]]] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)


def number(value: float, decimals: int, kind: str = "share") -> str:
    """Return a number for reading: rounded, with a true minus, never "−0.000".

    P-values that would round to nothing are given as below the smallest one shown.
    """
    if kind == "integer":
        return f"{int(value):,}".replace("-", MINUS)
    if kind == "p" and round(value, 6) < 10**-decimals:
        return f"<{10**-decimals:.{decimals}f}"
    # Six decimals first, as in the CSV: what lies beyond may depend on the machine.
    return f"{round(float(value), 6):z.{decimals}f}".replace("-", MINUS)


def percent(value: Any, decimals: int) -> str:
    """Return a share for running text: in per cent, two decimals fewer than in tables."""
    if is_missing(value):
        return DASH
    return f"{number(100 * round(float(value), 6), max(decimals - 2, 0))}{PERCENT}"


def shown(value: Any, column: Column, edition: Edition) -> str:
    """Return one value for reading: a label, a rounded number, text, or a dash where missing."""
    if is_missing(value):
        return DASH
    if column.kind in NUMERIC:
        return number(value, edition.decimals, column.kind)
    if column.kind == "list":
        return ", ".join(str(value).split())
    if column.kind == "term":
        return term_text(str(value), edition)
    return edition.label(column.vocabulary, str(value)) if column.vocabulary else str(value)


def term_text(term: str, edition: Edition) -> str:
    """Return a term of a regression for reading.

    Levels of columns with labels are named by them, others by column and level; the signs of
    interactions and differences are written out: "group[a]:period[b]" becomes "A × B".
    """

    def level(match: re.Match[str]) -> str:
        column, name = match.groups()
        if column in edition.labels:
            return edition.label(column, name)
        return f"{column.replace('_', ' ')}: {name}"

    outside = r"(?![^\[]*\])"  # levels may hold such signs too
    apart = re.sub(rf" - {outside}", f" {MINUS} ", re.sub(rf":{outside}", " × ", term))
    return _LEVEL.sub(level, apart)


def interval(low: Any, high: Any, column: Column, edition: Edition) -> str:
    """Return "[low, high]", or nothing where either end is missing."""
    if is_missing(low) or is_missing(high):
        return ""
    return f"[{shown(low, column, edition)}, {shown(high, column, edition)}]"


def chosen(
    frame: pd.DataFrame, where: Mapping[str, str | list[str]], edition: Edition
) -> pd.DataFrame:
    """Return the rows that have one of the values asked for in each column named."""
    for name, value in where.items():
        values = [value] if isinstance(value, str) else value
        wanted = [edition.headline[name] if value == HEADLINE else value for value in values]
        frame = frame[frame[name].isin(wanted)]
    return frame


def lay_out(frame: pd.DataFrame, spec: TableSpec, edition: Edition) -> Sheet:
    """Return a table as it is printed, by the ``print`` part of its spec."""
    printing = spec.printing
    rows: list[dict[str, Any]] = chosen(frame, printing.where, edition).to_dict("records")
    given = tuple(
        entry
        for entry in printing.entries
        if not entry.optional or any(not is_missing(row[entry.columns[0]]) for row in rows)
    )
    printing = replace(printing, entries=given)
    spec = replace(spec, printing=printing)
    spread = _ordered(rows, printing.spread, spec, edition) if printing.spread else []
    sheet = Sheet(_heads(spec, edition, spread))
    sections: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        sections.setdefault(tuple(row[name] for name in printing.section), []).append(row)
    ranks = [
        {value: rank for rank, value in enumerate(_ordered(rows, name, spec, edition))}
        for name in printing.section
    ]
    for key in sorted(
        sections, key=lambda key: [rank[value] for rank, value in zip(ranks, key, strict=True)]
    ):
        columns = [spec.columns[name] for name in printing.section]
        title = ": ".join(
            shown(value, column, edition) for value, column in zip(key, columns, strict=True)
        )
        cells = (
            _spread_cells(sections[key], spec, edition, spread)
            if spread
            else [_cells(row, printing.entries, spec, edition) for row in sections[key]]
        )
        sheet.sections.append((title[:1].upper() + title[1:], cells))
    _letter(sheet)
    return sheet


def _ordered(
    rows: Sequence[Mapping[str, Any]], name: str, spec: TableSpec, edition: Edition
) -> list[Any]:
    """Return a column's values: what is led with first, then as labelled, then as they come."""
    labels = list(edition.labels.get(spec.columns[name].vocabulary, {}))
    first = [edition.headline[name]] if name in edition.headline else []
    there = dict.fromkeys(row[name] for row in rows)
    return [value for value in dict.fromkeys([*first, *labels, *there]) if value in there]


def _heads(spec: TableSpec, edition: Edition, spread: Sequence[str]) -> list[Head]:
    heads = []
    name = spec.printing.spread
    several = sum(entry.spread is True for entry in spec.printing.entries) > 1
    for entry, value in _columns(spec.printing.entries, spread):
        numeric = spec.columns[entry.columns[0]].kind in NUMERIC or entry.form in (
            "ratio",
            "range",
        )
        if value is None or entry.spread == SPREAD_LEAD:
            heads.append(Head(entry.label, numeric))
            continue
        label = edition.label(spec.columns[name].vocabulary, value)
        label = f"{label}: {entry.label}" if several else label
        leads = edition.headline.get(name) == value
        heads.append(Head(label[:1].upper() + label[1:], numeric, leads))
    return heads


def _columns(entries: Sequence[Entry], spread: Sequence[str]) -> Iterator[tuple[Entry, str | None]]:
    """Yield the printed columns: an entry, and the value it stands for where it is spread.

    Spread entries that follow each other are kept together, value by value; the first value is the
    one led with.
    """
    for is_spread, some in groupby(entries, key=lambda entry: bool(entry.spread)):
        block = list(some)
        if not is_spread:
            yield from ((entry, None) for entry in block)
            continue
        for place, value in enumerate(spread):
            yield from ((entry, value) for entry in block
                        if entry.spread is True or not place)  # fmt: skip


def _cells(
    row: Mapping[str, Any], entries: Iterable[Entry], spec: TableSpec, edition: Edition
) -> list[Cell]:
    """Return the cells of one row; its status stands on what is missing, or on its main number."""
    status = row.get("status")
    cells, missing, numeric, intervals = [], [], [], []
    for place, entry in enumerate(entries):
        values = [row[name] for name in entry.columns]
        cells.append(_cell(entry, values, spec, edition, row))
        if spec.columns[entry.columns[0]].kind in NUMERIC and not entry.optional:
            numeric.append(place)
            if is_missing(values[0]):
                missing.append(place)
        if entry.form == "interval" and not entry.optional:
            intervals.append(place)
    if not is_missing(status):
        for place in missing or intervals[:1] or numeric[-1:] or [0]:
            cells[place] = replace(cells[place], status=str(status))
    return cells


def passages_behind(entry: Entry, row: Mapping[str, Any]) -> str | None:
    """Return the filters of the explorer for the passages behind a cell, as in an address.

    Totals and empty values filter nothing; so does a value that ``entry`` does not translate. None
    where nothing leads to passages.
    """
    if not entry.passages:
        return None
    asked = {}
    for name, value in entry.passages.items():
        if isinstance(value, str):
            if name != UNLESS:
                asked[name] = row[value]
            elif not is_missing(row[value]) and row[value] != ALL:
                return None
        elif ALWAYS in value:
            asked[name] = value[ALWAYS]
        else:
            asked[name] = next(into.get(row[column], "") for column, into in value.items())
    kept = {name: value for name, value in asked.items() if not is_missing(value) and value != ALL}
    return urlencode(kept, quote_via=quote)


def _cell(
    entry: Entry, values: list[Any], spec: TableSpec, edition: Edition, row: Mapping[str, Any]
) -> Cell:
    """Return one cell, with what leads to the passages behind it where it has something to say."""
    cell = _text(entry, values, spec, edition)
    return cell if cell.text == DASH else replace(cell, passages=passages_behind(entry, row))


def _text(entry: Entry, values: list[Any], spec: TableSpec, edition: Edition) -> Cell:
    columns = [spec.columns[name] for name in entry.columns]
    texts = [shown(value, column, edition) for value, column in zip(values, columns, strict=True)]
    if entry.form == "interval":
        return Cell(texts[0], interval(values[1], values[2], columns[0], edition))
    if entry.form == "join":
        parts = [
            text
            for text, value in zip(texts, values, strict=True)
            if not is_missing(value) and value != ALL
        ]
        # Where all are totals, the first names the whole.
        return Cell(entry.separator.join(dict.fromkeys(parts)) or texts[0])
    if is_missing(values[0]):
        return Cell(DASH)
    if entry.form == "ends":
        bounds = interval(values[0], values[1], columns[0], edition)
        return Cell("", bounds) if bounds else Cell(DASH)
    return Cell({"ratio": "/", "range": DASH}.get(entry.form, "").join(texts))


def _spread_cells(
    rows: Sequence[Mapping[str, Any]], spec: TableSpec, edition: Edition, spread: Sequence[str]
) -> list[list[Cell]]:
    """Return one printed row for the rows that differ in nothing but the column spread out."""
    entries = spec.printing.entries
    keys = [
        name
        for entry in entries
        for name in entry.columns
        if not entry.spread and spec.columns[name].kind not in NUMERIC
    ]
    groups: dict[tuple[Any, ...], dict[Any, Mapping[str, Any]]] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        groups.setdefault(key, {})[row[spec.printing.spread]] = row
    result = []
    for group in groups.values():
        first = next(group[value] for value in spread if value in group)
        marked = {entry.spread is True: entry for entry in reversed(entries)}.get(True)
        cells: list[Cell] = []
        for entry, value in _columns(entries, spread):
            if value is None:
                values = [first[name] for name in entry.columns]
                cells.append(_cell(entry, values, spec, edition, first))
            elif value not in group:
                cells.append(Cell(DASH))
            elif entry is marked:  # the first of a value's cells has its status
                cells.append(_cells(group[value], [entry], spec, edition)[0])
            else:
                row = group[value]
                values = [row[name] for name in entry.columns]
                cells.append(_cell(entry, values, spec, edition, row))
        result.append(cells)
    return result


def _letter(sheet: Sheet) -> None:
    """Give each status a letter in the order of its first cell, and mark the cells with it."""
    for _, rows in sheet.sections:
        for row in rows:
            for place, cell in enumerate(row):
                if cell.status:
                    mark = sheet.marks.setdefault(cell.status, _letters(len(sheet.marks)))
                    row[place] = replace(cell, mark=mark)


def _letters(number: int) -> str:
    """Return a, b … z, aa, ab … for 0, 1 …"""
    letters = string.ascii_lowercase
    head, last = divmod(number, len(letters))
    return (_letters(head - 1) if head else "") + letters[last]
