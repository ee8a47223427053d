"""The rows of tables: CSV, JSON Lines and Parquet, gone through as often as somebody likes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from framing.common.extras import library
from framing.common.files import repeated
from framing.common.problems import InputError, Problem

ITEM = "\x1f"
"""Ends each value of a list, where lists are asked for."""

Text = Callable[[], Iterator[str]]
"""Gives the lines of a file, with their ends, from the first on each time."""

Row = tuple[int, list[str]]
"""The line in which a row begins, and its values as the header has them."""

_BATCH = 256  # rows of a Parquet file taken at once


@dataclass(frozen=True)
class CutShort(Problem):
    """A problem behind which nothing of a table can be read, so that no row may be passed over."""


@dataclass(frozen=True)
class Rows:
    """A table whose rows are gone through, not held.

    ``each`` yields them, from the first on each time, and adds what is wrong with single ones to
    the list it is given. ``nested`` is as in :class:`framing.acquire.table_files.Table`.
    """

    header: list[str]
    notes: list[str]
    each: Callable[[list[Problem]], Iterator[Row]]
    nested: frozenset[str] = frozenset()


# --- delimited text -------------------------------------------------------------------------------


def csv_rows(text: Text, path: Path, delimiters: Sequence[str], most: int) -> Rows:
    """Return the rows of delimited text, by the delimiter that parts its first line into most."""
    first = next(text(), "").rstrip("\n")[:100_000]
    delimiter = max(delimiters, key=lambda one: (first.count(one), -delimiters.index(one)))
    notes = (
        [] if delimiter == delimiters[0] else [f"fields are taken to be parted by {delimiter!r}"]
    )
    header = next((fields for _, fields in _records(text, delimiter, most, path, []) if fields), [])

    def each(problems: list[Problem]) -> Iterator[Row]:
        seen = False
        for line, fields in _records(text, delimiter, most, path, problems):
            if not fields:
                continue
            if not seen:
                seen = True
            elif len(fields) != len(header):
                what = f"has {len(fields)} fields where the header has {len(header)}"
                remedy = "Put quotes around fields that hold the delimiter or line ends."
                problems.append(Problem(path, what, remedy, line))
            else:
                yield line, fields

    return Rows([name.strip() for name in header], notes, each)


def _records(
    text: Text, delimiter: str, most: int, path: Path, problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that can be read; the first that cannot be ends them, as a problem."""
    # The module has one limit for all its readers, and a smaller one than a book.
    before = csv.field_size_limit(most)
    begun = 1
    try:
        reader = csv.reader(text(), delimiter=delimiter, strict=True)
        for fields in reader:
            yield begun, fields
            begun = reader.line_num + 1
    except csv.Error as error:
        remedy = "Look for a quote that is not closed, or not doubled inside a field."
        problems.append(CutShort(path, f"has a row that cannot be read ({error})", remedy, begun))
    finally:
        csv.field_size_limit(before)


# --- objects --------------------------------------------------------------------------------------


def json_rows(text: Text, path: Path, most: int, *, lists: bool) -> Rows:
    """Return the rows of JSON Lines: one object a line."""
    begun = next((line.lstrip() for line in text() if line.strip()), "")
    if begun.startswith("["):
        raise InputError(
            Problem(path, "is one JSON list", "Write one object a line (JSON Lines), without [ ].")
        )
    return _of_objects(lambda problems: _json(text, path, problems), (), [], path, most, lists)


def _json(text: Text, path: Path, problems: list[Problem]) -> Iterator[tuple[int, dict[str, Any]]]:
    remedy = "Write one object a line (JSON Lines)."
    for number, line in enumerate(text(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (RecursionError, ValueError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else "too deep or too long"
            problems.append(Problem(path, f"is not JSON ({said})", remedy, number))
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            problems.append(Problem(path, "is no object with names and values", remedy, number))


def parquet_rows(
    source: Path | bytes, path: Path, settings: Mapping[str, Any], *, lists: bool
) -> Rows:
    """Return the rows of a Parquet file, or of its bytes, numbered as if a header were line 1."""
    pa = library("pyarrow", "parquet", path)
    pq = library("pyarrow.parquet", "parquet", path)

    def opened() -> Any:
        return pq.ParquetFile(pa.BufferReader(source) if isinstance(source, bytes) else source)

    def broken(error: Exception) -> InputError:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        what = f"is no Parquet file that can be read ({said})"
        return InputError(Problem(path, what, "Write it anew."))

    failures = (pa.ArrowException, OSError, ValueError, OverflowError)
    try:
        with opened() as file:
            meta = file.metadata
            size = sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
            names = list(file.schema_arrow.names)
    except failures as error:
        raise broken(error) from None
    if size > settings["expanded_bytes"]:
        raise InputError(
            Problem(path, f"unpacks to {size} bytes, more than it may",
                    "Cut it into several tables.")
        )  # fmt: skip

    def objects(problems: list[Problem]) -> Iterator[tuple[int, dict[str, Any]]]:
        number = 2
        try:
            with opened() as file:
                for batch in file.iter_batches(batch_size=_BATCH):
                    columns = [column.to_pylist() for column in batch.columns]
                    for values in zip(*columns, strict=True):
                        yield number, dict(zip(names, values, strict=True))
                        number += 1
        except failures as error:
            raise broken(error) from None

    twice = [Problem(path, f"has the column {name!r} twice", "Rename one.", 1)
             for name in repeated(names)]  # fmt: skip
    return _of_objects(objects, names, twice, path, settings["field"], lists)


Objects = Callable[[list[Problem]], Iterator[tuple[int, dict[str, Any]]]]


def _of_objects(
    objects: Objects, names: Iterable[str], always: Sequence[Problem], path: Path, most: int,
    lists: bool,
) -> Rows:  # fmt: skip
    """Return objects as rows; a value that is a list or an object counts as no value.

    With ``lists`` a list of single values is one (:data:`ITEM`). ``always`` is wrong in any case.
    """

    def cell(value: Any) -> str | None:
        return _list_text(value) if lists and isinstance(value, list) else value_text(value)

    found = dict.fromkeys(names)
    nested: set[str] = set()
    for _, one in objects([]):
        found |= dict.fromkeys(one)
        nested |= {name for name, value in one.items() if cell(value) is None}
    header = list(found)

    def each(problems: list[Problem]) -> Iterator[Row]:
        problems += always
        for number, one in objects(problems):
            values = [cell(one.get(name)) or "" for name in header]
            problems += [_too_large(path, number, name, most)
                         for name, text in zip(header, values, strict=True)
                         if len(text) > most]  # fmt: skip
            yield number, values

    notes = [
        f"values of {name!r} that are lists or objects count as empty" for name in sorted(nested)
    ]
    return Rows(header, notes, each, frozenset(nested))


def _too_large(path: Path, row: int, name: str, most: int) -> Problem:
    return Problem(path, f"has a field of more than {most} characters in the column {name!r}",
                   "One row is one document: cut it.", row)  # fmt: skip


def _list_text(values: Sequence[Any]) -> str | None:
    """Return a list of single values as text, or None where it holds other ones."""
    texts = [value_text(value) for value in values]
    if any(text is None or ITEM in text for text in texts):
        return None
    return "".join(f"{text}{ITEM}" for text in texts)


def value_text(value: Any) -> str | None:
    """Return a value of JSON or Parquet as text, or None where it is no single value."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int):
        # Python refuses to write out larger ones.
        return str(value) if value.bit_length() < 10_000 else None
    if isinstance(value, float):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return None
