"""JSON Lines, read and written row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import IO, Any

from framing.cli.formats import (
    LOOKED_AT,
    NOT_UTF8,
    Coded,
    Columns,
    Row,
    Table,
    added_cells,
    without_mark,
)
from framing.common.files import repeated
from framing.common.problems import InputError, Problem


def read_jsonl(stream: Iterable[bytes], columns: Columns, place: str) -> Table:
    """Return a table of JSON Lines; ``stream`` yields lines as bytes.

    Raises :class:`InputError` where none of the first lines has ids and texts, and, at once or
    while rows are read, where a row has a key that coding would add.
    """
    rows = _jsonl_rows(stream, columns, place)
    first = list(islice(rows, LOOKED_AT))
    # Keys in the order in which they come up; a key left out in some rows is no defect.
    keys = list(dict.fromkeys(chain.from_iterable(keys for _, keys in first)))
    if keys:
        columns.check(keys, place)
    return Table(keys, (row for row, _ in chain(first, rows)))


def _jsonl_rows(
    stream: Iterable[bytes], columns: Columns, place: str
) -> Iterator[tuple[Row, list[str]]]:
    number = 0
    for line, data in enumerate(without_mark(stream), start=1):
        if not data.strip():
            continue
        number += 1
        try:
            text, problem = data.decode("utf-8"), ""
        except UnicodeDecodeError:
            text, problem = data.decode("utf-8", "replace"), NOT_UTF8
        pairs, defect = _json_object(text)
        content = dict(pairs)
        clash = [name for name in columns.new if name in content]
        if clash:
            raise InputError(
                Problem(place, f"has a key {clash[0]!r}, which coding would add",
                        "Rename or remove it.", line)
            )  # fmt: skip
        row = Row(
            number, line, content.get(columns.id), content.get(columns.text),
            None if defect else text.strip(), problem or defect or _twice(pairs),
        )  # fmt: skip
        yield row, list(content)


def _json_object(text: str) -> tuple[list[tuple[str, Any]], str]:
    """Return the members of a JSON object, repeated ones too, or none and what is wrong."""
    try:
        # A list of pairs can only be an object here: JSON's own lists come back as lists.
        found = json.loads(text, object_pairs_hook=tuple)
    except json.JSONDecodeError as error:
        return [], f"is not valid JSON ({error.msg} at character {error.pos + 1})"
    except (ValueError, RecursionError):  # a number of thousands of digits; nested too deeply
        return [], "is not valid JSON (too long a number, or nested too deeply)"
    if not isinstance(found, tuple):
        return [], "is not a JSON object"
    return list(found), ""


def _twice(pairs: Sequence[tuple[str, Any]]) -> str:
    names = repeated(name for name, _ in pairs)
    return f"has the key {names[0]!r} twice" if names else ""


class JsonlWriter:
    """Writes each object as it came, letter by letter, with the new members at its end."""

    def __init__(self, stream: IO[bytes], columns: Columns) -> None:
        self._stream, self._added = stream, columns.added
        # In the place of what is no object; its columns are unknown.
        self._empty = json.dumps({columns.id: None, columns.text: None}, ensure_ascii=False)

    def write(self, coded: Coded) -> None:
        """Write one row."""
        cells = zip(self._added, added_cells(coded, self._added), strict=True)
        members = ", ".join(
            f"{json.dumps(name)}: {json.dumps(cell or None) if kind is str else cell or 'null'}"
            for (name, kind), cell in cells
        )
        head = (coded.row.carried or self._empty)[:-1].rstrip()
        comma = "" if head == "{" else ", "
        self._stream.write(f"{head}{comma}{members}}}\n".encode())

    def close(self) -> None:
        """Do nothing: every row is written at once."""
