"""Tables with one document a row (CSV, TSV, JSON Lines, Parquet), and folders named by a pattern.

In: a file, and which column is what. Out: its rows, with columns named as in ``sources.tsv``, and a
report of every guess. All that is wrong with a table is said at once, with the line of its row.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any

from framing.acquire.dates import parse_date
from framing.acquire.read.encodings import decode, encoding_notes, looks_binary
from framing.common.extras import library
from framing.common.files import read_up_to, repeated, unusable
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import DATE_PRECISIONS

FIELDS = (
    "id", "text", "path", "title", "speaker", "actor", "group", "date", "date_precision", "genre",
    "url", "rights", "retrieved_from",
)  # fmt: skip
"""What a column can be: the text or its file, an id, or a column of ``sources.tsv``."""

KINDS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet",
}  # fmt: skip

_MOST_SAID = 100
_SIGNATURES = (
    (b"PK\x03\x04", "is a spreadsheet or another packed file", "Save the sheet as CSV (UTF-8)."),
    (b"\xd0\xcf\x11\xe0", "is an old Excel file", "Save the sheet as CSV (UTF-8)."),
    (b"\x1f\x8b", "is compressed (gzip; R's .rds and .RData are)",
     "Unpack it, or save the table as CSV."),
    (b"%PDF", "is a PDF", "Give a table with one document a row."),
)  # fmt: skip
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WHOLE_NUMBER = re.compile(r"(-?[0-9]{1,15})\.0+")
_PIECE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Row:
    """One document of a table: its line (the header is line 1), its text or its file, its facts.

    ``id`` is as written; ``facts`` has the columns of ``sources.tsv`` the table has, tidied, the
    date as :func:`framing.acquire.dates.parse_date` returns it; ``rest`` has all other columns.
    """

    row: int
    id: str = ""
    text: str | None = None
    path: Path | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    rest: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Documents:
    """The rows of a table, which column was taken for what, and what a person should know."""

    rows: tuple[Row, ...]
    columns: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Table:
    """A table as it stands in a file: names of columns, rows as (line, values), notes, problems."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    notes: list[str]
    problems: list[Problem]


def read_documents(
    path: Path, columns: Mapping[str, str], settings: Mapping[str, Any], names: str = ""
) -> Documents:
    """Return the documents of a table, or of a folder of texts.

    ``columns`` says which column is which of ``FIELDS``; for those it does not name, the columns
    of ``settings["guesses"]`` are taken where they are there, and that is reported; an empty name
    turns the guess off. A row has a text, or the path of its file, relative to the table's folder.
    ``settings`` are those of :func:`framing.acquire.settings.intake_settings` under ``table``.

    ``path`` may be a folder: each of its ``.txt`` files is a row then (those in folders below it
    too, hidden ones not), and ``names`` says what their names mean, for example
    ``{country}_{session}_{year}`` for ``USA_25_1970.txt``.

    Raises :class:`InputError` with everything that is wrong: files that are no such table, columns
    that are not there, rows of another length, without text or with another's id, dates that are
    none, paths that lead nowhere or out of the folder, fields that are too large.
    """
    path = Path(path)
    raise_if_any(
        Problem(path, f"{name!r} is nothing a column can be", f"Known: {', '.join(FIELDS)}.")
        for name in columns
        if name not in FIELDS
    )
    folder = path.is_dir()
    if names and not folder:
        raise InputError(Problem(path, "is no folder", "A pattern of names is for a folder."))
    table = _of_folder(path, names) if folder else _of_file(path, settings)
    raise_if_any(_header_problems(table, path))
    if not table.rows and not table.problems:
        what, remedy = ("has no .txt file", "Put the texts there.") if folder else (
            "has no row", "Give it a row for each document.")  # fmt: skip
        raise InputError(Problem(path, what, remedy))
    used, guessed = _columns(table.header, columns, settings["guesses"], path)
    home = path if folder else path.parent
    rows, problems, empty = _rows(table, used, settings, path, home)
    problems += _id_problems(rows, path)
    raise_if_any(_first_of(sorted([*table.problems, *problems], key=lambda p: p.row or 0), path))
    notes = [*table.notes, *guessed]
    notes += [f"{number} fields of the column {name!r} say that they are empty"
              for name, number in sorted(empty.items())]  # fmt: skip
    return Documents(tuple(rows), used, tuple(notes))


# --- files to rows --------------------------------------------------------------------------------


def _of_file(path: Path, settings: Mapping[str, Any]) -> _Table:
    remedy = "Cut it into several tables, or raise the limit (intake: table.bytes)."
    data = read_up_to(path, settings["bytes"], remedy)
    kind = KINDS.get(path.suffix.lower())
    for signature, what, remedy in _SIGNATURES:
        if data.startswith(signature):
            raise InputError(Problem(path, what, remedy))
    if data.startswith(b"PAR1") or kind == "parquet":
        return _of_parquet(data, path, settings)
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
        raise InputError(Problem(path, "is empty", "Give it a header and a row a document."))
    if kind == "jsonl":
        table = _of_json(text, path, settings["field"])
    else:
        delimiters = ["\t"] if kind == "tsv" else settings["delimiters"]
        table = _of_csv(text, path, delimiters, settings["field"])
    table.notes[:0] = encoding_notes(encoding)
    return table


def _of_csv(text: str, path: Path, delimiters: Sequence[str], most: int) -> _Table:
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
    return _Table([name.strip() for name in header or []], rows, notes, problems)


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


def _of_json(text: str, path: Path, most: int) -> _Table:
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
    return _of_objects(objects, [], problems, path, most)


def _of_parquet(data: bytes, path: Path, settings: Mapping[str, Any]) -> _Table:
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
    return _of_objects(rows, names, twice, path, settings["field"])


def _of_objects(
    objects: Sequence[tuple[int, Mapping[str, Any]]],
    names: Sequence[str],
    problems: list[Problem],
    path: Path,
    most: int,
) -> _Table:
    """Return objects as a table; a value that is a list or an object counts as no value."""
    header = list(dict.fromkeys([*names, *(name for _, one in objects for name in one)]))
    rows = []
    nested: set[str] = set()
    for number, one in objects:
        values = []
        for name in header:
            text = _value_text(one.get(name))
            if text is None:
                nested.add(name)
            elif len(text) > most:
                problems.append(_too_large(path, number, name, most))
            values.append(text or "")
        rows.append((number, values))
    notes = [
        f"values of {name!r} that are lists or objects count as empty" for name in sorted(nested)
    ]
    return _Table(header, rows, notes, problems)


def _too_large(path: Path, row: int, name: str, most: int) -> Problem:
    return Problem(path, f"has a field of more than {most} characters in the column {name!r}",
                   "One row is one document: cut it.", row)  # fmt: skip


def _value_text(value: Any) -> str | None:
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


def _of_folder(path: Path, names: str) -> _Table:
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
    return _Table(["path", "id", *pieces], rows, [], problems)


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


# --- columns --------------------------------------------------------------------------------------


def _header_problems(table: _Table, path: Path) -> list[Problem]:
    # R and pandas write a first column of row numbers without a name.
    named = [name for name in table.header if name]
    return [
        Problem(path, f"has the column {name!r} twice", "Rename one of them.", 1)
        for name in repeated(named)
    ]


def _columns(
    header: Sequence[str],
    asked: Mapping[str, str],
    guesses: Mapping[str, Sequence[str]],
    path: Path,
) -> tuple[dict[str, str], list[str]]:
    """Return which column is which field, by what was asked and by guesses; and the guesses."""
    there = ", ".join(name for name in header if name) or "none"
    problems = []
    for name, column in asked.items():
        if column and column not in header:
            close = get_close_matches(column, header, 1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            what = f"has no column {column!r} (for {name})"
            problems.append(Problem(path, what, f"{hint}Its columns: {there}.", 1))
    used = {name: column for name, column in asked.items() if column}
    if "text" in used and "path" in used:
        what = "is to be read by a column of texts and by one of paths"
        problems.append(Problem(path, what, "Name one of the two."))
    raise_if_any(problems)
    notes = []
    by_fold: dict[str, str] = {}
    for name in header:
        by_fold.setdefault(_folded(name), name)
    for name, wished in guesses.items():
        taken = set(used.values())
        other = {"text": "path", "path": "text"}.get(name)
        if name in asked or (other and other in used):
            continue
        found = (by_fold[_folded(one)] for one in wished if _folded(one) in by_fold)
        guess = next((one for one in found if one not in taken), None)
        if guess is not None:
            used[name] = guess
            notes.append(f"the column {guess!r} is taken for {name}")
    if "text" not in used and "path" not in used:
        what = "has no column that is known to hold the texts, or paths of their files"
        raise InputError(Problem(path, what, f"Say which it is. Its columns: {there}.", 1))
    return {name: used[name] for name in FIELDS if name in used}, notes


def _folded(name: str) -> str:
    return re.sub(r"[\s.\-]+", "_", name.strip()).casefold()


# --- rows -----------------------------------------------------------------------------------------


def _rows(
    table: _Table, used: Mapping[str, str], settings: Mapping[str, Any], path: Path, home: Path
) -> tuple[list[Row], list[Problem], dict[str, int]]:
    """Return the rows, what is wrong with them, and how many fields of a column count as empty."""
    place = {name: number for number, name in reversed(list(enumerate(table.header)))}
    missing = {one.casefold() for one in settings["missing"]}
    rest = [name for name in table.header if name and name not in used.values()]
    rows: list[Row] = []
    problems: list[Problem] = []
    empty: dict[str, int] = {}
    root = home.resolve()
    for line, values in table.rows:
        given = {name: values[place[column]] for name, column in used.items()}
        for name, value in given.items():
            if value.strip().casefold() in missing:
                given[name] = ""
                empty[used[name]] = empty.get(used[name], 0) + 1
            elif name != "text":
                given[name] = _tidy(value)
        text, file = given.pop("text", None), given.pop("path", None)
        known = given.pop("id", "")
        if text is not None and not text.strip():
            problems.append(Problem(path, f"has no text{_of(known)}", "Fill in or remove.", line))
        if text is not None and _SURROGATE.search(text):
            what = f"has half of a character in its text{_of(known)}"
            problems.append(Problem(path, what, "Save the table anew as UTF-8.", line))
        found = None
        if file is not None:
            found = _inside(file, home, root, path, line, problems)
        problems += _dated(given, path, line)
        rows.append(
            Row(line, known, text, found, given,
                {column: _tidy(values[place[column]]) for column in rest})
        )  # fmt: skip
    return rows, problems, empty


def _of(known: str) -> str:
    return f" (id {known!r})" if known else ""


def _tidy(value: str) -> str:
    """Return a value on one line, without control characters; 1970.0 as 1970."""
    plain = " ".join(_SURROGATE.sub("\ufffd", _UNPRINTABLE.sub(" ", value)).split())
    number = _WHOLE_NUMBER.fullmatch(plain)
    return number.group(1) if number else plain


def _inside(
    name: str, home: Path, root: Path, path: Path, line: int, problems: list[Problem]
) -> Path | None:
    """Return the file of a row; note as a problem that there is none, or that it lies elsewhere."""
    if not name:
        problems.append(Problem(path, "names no file", "Fill it in, or remove the row.", line))
        return None
    try:
        found = home / name
        whole = found.resolve()
        if Path(name).is_absolute() or not whole.is_relative_to(root):
            what = f"names {name!r}, which is not in the folder of the table"
            problems.append(Problem(path, what, "Put it there and name it from there.", line))
        elif not whole.is_file():
            what = f"names {name!r}, which is not there"
            problems.append(Problem(path, what, "Correct the name.", line))
        else:
            return found
    except (OSError, ValueError, RuntimeError):
        what = f"names {name[:80]!r}, which cannot be a file"
        problems.append(Problem(path, what, "Correct the name.", line))
    return None


def _dated(given: dict[str, str], path: Path, line: int) -> list[Problem]:
    """Put date and precision in place of what the row says; return what is wrong with them."""
    asked = given.pop("date_precision", "")
    if "date" not in given:
        return []
    try:
        given["date"], precision = parse_date(given["date"], place=path, row=line)
    except InputError as error:
        return error.problems
    given["date_precision"] = asked or precision
    if asked and asked not in DATE_PRECISIONS:
        remedy = f"Use one of {', '.join(DATE_PRECISIONS)}."
        return [Problem(path, f"has the date precision {asked!r}", remedy, line)]
    return []


def _id_problems(rows: Iterable[Row], path: Path) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for one in rows:
        if one.id and first.setdefault(one.id, one.row) != one.row:
            what = f"has the id {one.id!r} of line {first[one.id]}"
            problems.append(Problem(path, what, "Remove or rename one of them.", one.row))
    return problems


def _first_of(problems: list[Problem], path: Path) -> list[Problem]:
    """Return problems, but of a table that is wrong all through not each row's."""
    if len(problems) <= _MOST_SAID:
        return problems
    more = f"has {len(problems) - _MOST_SAID} more rows or fields like these"
    return [*problems[:_MOST_SAID], Problem(path, more, "Correct the first ones, then try again.")]
