"""Tables as they stand in files: CSV, TSV, JSON Lines, Parquet, or a folder of named texts.

In: a file or a folder. Out: a header, rows with their lines, what was guessed, what cannot be read.
What the columns mean is the matter of :mod:`framing.acquire.document_table`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from framing.acquire.read.encodings import decode, encoding_notes, looks_binary
from framing.common.extras import library
from framing.common.files import read_up_to, repeated, unusable
from framing.common.problems import InputError, Problem

KINDS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet",
}  # fmt: skip
_SIGNATURES = (
    (b"PK\x03\x04", "is a spreadsheet or another packed file", "Save the sheet as CSV (UTF-8)."),
    (b"\xd0\xcf\x11\xe0", "is an old Excel file", "Save the sheet as CSV (UTF-8)."),
    (b"\x1f\x8b", "is compressed (gzip; R's .rds and .RData are)",
     "Unpack it, or save the table as CSV."),
    (b"%PDF", "is a PDF", "Give a table with one document a row."),
)  # fmt: skip
_PIECE = re.compile(r"\{([^{}]*)\}")


ITEM = "\x1f"
"""Ends each value of a list, where lists are asked for."""


@dataclass(frozen=True)
class Table:
    """A table as it stands in a file: names of columns, rows as (line, values), notes, problems.

    ``nested`` are columns with a value that is more than one: of a list of single values
    :data:`ITEM` ends each of these in the text, any other counts as empty.
    """

    header: list[str]
    rows: list[tuple[int, list[str]]]
    notes: list[str]
    problems: list[Problem]
    nested: frozenset[str] = frozenset()


def table_of_file(
    path: Path, settings: Mapping[str, Any], unit: str = "document", *, lists: bool = False
) -> Table:
    """Return the table in a file, by its ending and its first bytes.

    ``settings`` are those of :func:`framing.acquire.settings.intake_settings` under ``table``;
    ``unit`` is what a row stands for, as problems call it. With ``lists`` a list of single values
    is kept (:data:`ITEM`), else it counts as empty. Raises :class:`InputError` on files that
    are no such table; what is wrong with single rows is in the table's ``problems``.
    """
    remedy = "Cut it into several tables, or raise the limit (intake: table.bytes)."
    data = read_up_to(path, settings["bytes"], remedy)
    kind = KINDS.get(path.suffix.lower())
    for signature, what, remedy in _SIGNATURES:
        if data.startswith(signature):
            raise InputError(Problem(path, what, remedy))
    if data.startswith(b"PAR1") or kind == "parquet":
        return _of_parquet(data, path, settings, lists=lists)
    if kind is None:
        raise InputError(
            Problem(path, f"has the ending {path.suffix!r}", f"Known: {', '.join(KINDS)}.")
        )
    if looks_binary(data):
        raise InputError(Problem(path, "is no text, so no table", "Save it as CSV (UTF-8)."))
    text, encoding = decode(data, path, settings["encodings"])
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise InputError(Problem(path, "holds a NUL byte", "Save it anew as CSV (UTF-8).", line))
    if text.lstrip()[:100].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise InputError(Problem(path, "is a page or XML, no table", "Save it as CSV (UTF-8)."))
    if not text.strip():
        raise InputError(Problem(path, "is empty", f"Give it a header and a row a {unit}."))
    if kind == "jsonl":
        table = _of_json(text, path, settings["field"], lists=lists)
    else:
        delimiters = ["\t"] if kind == "tsv" else settings["delimiters"]
        table = _of_csv(text, path, delimiters, settings["field"])
    table.notes[:0] = encoding_notes(encoding)
    return table


def _of_csv(text: str, path: Path, delimiters: Sequence[str], most: int) -> Table:
    """Read delimited text by the delimiter that parts its first line into most columns."""
    first = text[: text.find("\n", 0, 100_000)] if "\n" in text[:100_000] else text[:100_000]
    delimiter = max(delimiters, key=lambda one: (first.count(one), -delimiters.index(one)))
    notes = (
        [] if delimiter == delimiters[0] else [f"fields are taken to be parted by {delimiter!r}"]
    )
    header: list[str] | None = None
    rows: list[tuple[int, list[str]]] = []
    problems: list[Problem] = []
    # The module has one limit for all its readers, and a smaller one than a book.
    before = csv.field_size_limit(most)
    try:
        # Only "\n" is a line end here: str.splitlines would also cut at others.
        reader = csv.reader(StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
        line = 1
        for fields in _records(reader, path, problems):
            begun, line = line, reader.line_num + 1
            if not fields:
                continue
            if header is None:
                header = fields
            elif len(fields) != len(header):
                what = f"has {len(fields)} fields where the header has {len(header)}"
                remedy = "Put quotes around fields that hold the delimiter or line ends."
                problems.append(Problem(path, what, remedy, begun))
            else:
                rows.append((begun, fields))
    finally:
        csv.field_size_limit(before)
    return Table([name.strip() for name in header or []], rows, notes, problems)


def _records(reader: Any, path: Path, problems: list[Problem]) -> Iterator[list[str]]:
    """Yield the records that can be read; the first that cannot be ends them, as a problem."""
    begun = 1
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            remedy = "Look for a quote that is not closed, or not doubled inside a field."
            problems.append(
                Problem(path, f"has a row that cannot be read ({error})", remedy, begun)
            )
            return
        yield fields
        begun = reader.line_num + 1


def _of_json(text: str, path: Path, most: int, *, lists: bool) -> Table:
    if text.lstrip().startswith("["):
        raise InputError(
            Problem(path, "is one JSON list", "Write one object a line (JSON Lines), without [ ].")
        )
    objects: list[tuple[int, dict[str, Any]]] = []
    problems: list[Problem] = []
    remedy = "Write one object a line (JSON Lines)."
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (RecursionError, ValueError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else "too deep or too long"
            problems.append(Problem(path, f"is not JSON ({said})", remedy, number))
            continue
        if not isinstance(value, dict):
            problems.append(Problem(path, "is no object with names and values", remedy, number))
            continue
        objects.append((number, value))
    return _of_objects(objects, [], problems, path, most, lists=lists)


def _of_parquet(data: bytes, path: Path, settings: Mapping[str, Any], *, lists: bool) -> Table:
    pa = library("pyarrow", "parquet", path)
    pq = library("pyarrow.parquet", "parquet", path)
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            meta = file.metadata
            size = sum(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups))
            if size > settings["expanded_bytes"]:
                raise InputError(
                    Problem(path, f"unpacks to {size} bytes, more than it may",
                            "Cut it into several tables.")
                )  # fmt: skip
            names = list(file.schema_arrow.names)
            table = file.read()
            values = [column.to_pylist() for column in table.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(
            Problem(path, f"is no Parquet file that can be read ({said})", "Write it anew.")
        ) from None
    # Rows are numbered as if the header were line 1, as in the other tables.
    rows = [
        (number, {name: column[number - 2] for name, column in zip(names, values, strict=True)})
        for number in range(2, table.num_rows + 2)
    ]
    twice = [Problem(path, f"has the column {name!r} twice", "Rename one.", 1)
             for name in repeated(names)]  # fmt: skip
    return _of_objects(rows, names, twice, path, settings["field"], lists=lists)


def _of_objects(
    objects: Sequence[tuple[int, Mapping[str, Any]]],
    names: Sequence[str],
    problems: list[Problem],
    path: Path,
    most: int,
    *,
    lists: bool,
) -> Table:
    """Return objects as a table; a value that is a list or an object counts as no value.

    With ``lists`` a list of single values is one (:data:`ITEM`).
    """
    header = list(dict.fromkeys([*names, *(name for _, one in objects for name in one)]))
    rows = []
    nested: set[str] = set()
    for number, one in objects:
        values = []
        for name in header:
            value = one.get(name)
            text = _list_text(value) if lists and isinstance(value, list) else value_text(value)
            if text is None:
                nested.add(name)
            elif len(text) > most:
                problems.append(_too_large(path, number, name, most))
            values.append(text or "")
        rows.append((number, values))
    notes = [
        f"values of {name!r} that are lists or objects count as empty" for name in sorted(nested)
    ]
    return Table(header, rows, notes, problems, frozenset(nested))


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


def table_of_folder(path: Path, names: str) -> Table:
    """Return the .txt files of a folder as rows: ``path``, ``id``, the pieces of their names."""
    try:
        files = sorted(
            one.relative_to(path).as_posix()
            for one in path.rglob("*.txt")
            if one.is_file()
            and not any(part.startswith(".") for part in one.relative_to(path).parts)
        )
    except OSError as error:
        raise InputError(unusable(error, path)) from None
    pattern, pieces = _pattern(names, path)
    rows, problems = [], []
    for number, name in enumerate(files, 2):
        stem = Path(name).stem
        found = pattern.fullmatch(stem)
        if found:
            rows.append((number, [name, stem, *found.groups()]))
        else:
            remedy = f"Rename it, or give a pattern that fits ({names!r} does not)."
            problems.append(Problem(path / name, "has a name that does not fit", remedy))
    return Table(["path", "id", *pieces], rows, [], problems)


def _pattern(names: str, path: Path) -> tuple[re.Pattern[str], list[str]]:
    """Return a pattern of names such as ``{country}_{year}`` as one that finds its pieces."""
    pieces = _PIECE.findall(names)
    bad = [piece for piece in pieces if not piece.isidentifier() or piece in ("path", "id")]
    if bad or repeated(pieces) or (names and not pieces) or "}{" in names:
        raise InputError(
            Problem(path, f"{names!r} is no pattern of names",
                    "Write pieces in braces, each once, with something between them: "
                    "{country}_{session}_{year}.")
        )  # fmt: skip
    if not names:
        return re.compile(r".*", re.DOTALL), []
    parts = _PIECE.split(names)
    made = "".join(re.escape(part) if n % 2 == 0 else "(.+?)" for n, part in enumerate(parts))
    return re.compile(made, re.DOTALL), pieces
