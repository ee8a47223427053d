"""Delimited text (CSV and TSV), read and written row by row."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from framing.cli.formats import (
    NOT_UTF8,
    SURROGATE,
    Added,
    Coded,
    Columns,
    Row,
    Table,
    added_cells,
    without_mark,
)
from framing.common.problems import InputError, Problem

DELIMITERS = {"csv": ",", "tsv": "\t"}
_FIELD = 10_000_000  # characters of a field; more is taken for a quotation mark left open


class _Lines:
    """Lines of a stream, with those of the current record remembered, so that it can be redone."""

    def __init__(self, stream: Iterable[str]) -> None:
        self._stream = iter(stream)
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._stream)
        self._taken.append(line)
        self.number += 1
        return line

    def begin(self) -> int:
        """Begin a record; return the number of its first line."""
        self._taken.clear()
        return self.number + 1

    def keep_first(self) -> str:
        """Return the first line of the record and give back all others."""
        first, rest = self._taken[0], self._taken[1:]
        self._again.extendleft(reversed(rest))
        self.number -= len(rest)
        return first


def read_delimited(stream: Iterable[bytes], delimiter: str, columns: Columns, place: str) -> Table:
    """Return a table of delimited text (RFC 4180); ``stream`` yields lines as bytes.

    Where a quotation mark is left open, the line is one bad row and reading goes on with the next
    line. Raises :class:`InputError` where there is no header or it cannot be used.
    """
    # Bytes that are not UTF-8 become surrogates, which no valid text holds.
    lines = _Lines(raw.decode("utf-8", "surrogateescape") for raw in without_mark(stream))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise InputError(
            Problem(place, f"has a header that {_not_csv(error)}", "Correct it.", 1)
        ) from None
    if not header:
        raise InputError(Problem(place, "has no header", "Name the columns in the first line.", 1))
    if any(SURROGATE.search(name) for name in header):
        raise InputError(Problem(place, f"{NOT_UTF8} in its header", "Save it as UTF-8.", 1))
    columns.check(header, place)
    return Table(header, _delimited_rows(lines, reader, delimiter, header, columns))


def _not_csv(error: csv.Error) -> str:
    return f"is not valid CSV ({str(error).partition(' - ')[0]})"  # what follows is for programmers


def _delimited_rows(
    lines: _Lines, reader: Iterator[list[str]], delimiter: str, header: list[str], columns: Columns
) -> Iterator[Row]:
    where = header.index(columns.id), header.index(columns.text)
    width, number = len(header), 0
    usual = csv.field_size_limit(_FIELD)
    try:
        while True:
            line, problem = lines.begin(), ""
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fields = lines.keep_first().rstrip("\r\n").split(delimiter)
                problem = _not_csv(error)
            if not fields:
                continue
            number += 1
            if not problem and len(fields) != width:
                problem = f"has {len(fields)} fields where the header has {width}"
                if len(fields) > width:
                    problem += f", of which the last {len(fields) - width} are left out"
            if not problem and any(SURROGATE.search(field) for field in fields):
                problem = NOT_UTF8
            fields = (fields + [""] * width)[:width]
            name, text = (fields[place] for place in where)
            yield Row(number, line, name, text, fields, problem)
    finally:
        csv.field_size_limit(usual)


class DelimitedWriter:
    """Writes a header and rows by RFC 4180, quoted where needed, in UTF-8 with LF."""

    def __init__(
        self, stream: IO[bytes], delimiter: str, header: Sequence[str], added: Sequence[Added]
    ) -> None:
        self._stream, self._delimiter, self._added = stream, delimiter, added
        self._line([*header, *(column.name for column in added)])

    def write(self, coded: Coded) -> None:
        """Write one row."""
        self._line([*coded.row.carried, *added_cells(coded, self._added)])

    def close(self) -> None:
        """Do nothing: every row is written at once."""

    def _line(self, fields: Iterable[str]) -> None:
        line = self._delimiter.join(_quoted(field, self._delimiter) for field in fields) + "\n"
        self._stream.write(SURROGATE.sub("\ufffd", line).encode("utf-8"))


def _quoted(text: str, delimiter: str) -> str:
    # The csv module leaves a lone carriage return unquoted before Python 3.13.
    if any(sign in text for sign in (delimiter, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text
