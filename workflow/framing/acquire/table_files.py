"""Tables as they stand in files: CSV, TSV, JSON Lines, Parquet, or a folder of named texts.

In: a file or a folder. Out: a header, rows with their lines, what was guessed, what cannot be read.
Rows are gone through, not held (:func:`open_table`), or held (:func:`table_of_file`). What the
columns mean is the matter of :mod:`framing.acquire.document_table`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from framing.acquire.read.encodings import decode, encoding_notes, looks_binary
from framing.acquire.table_rows import (
    ITEM,
    Row,
    Rows,
    Text,
    csv_rows,
    json_rows,
    parquet_rows,
    value_text,
)
from framing.common.files import read_up_to, repeated, unusable
from framing.common.problems import InputError, Problem

__all__ = ["ITEM", "KINDS", "Table", "open_table", "table_of_file", "table_of_folder", "value_text"]

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
_CUT = "Cut it into several tables, or raise the limit (intake: table.bytes)."
_CHUNK = 1_048_576
_MARKUP = ("<!doctype", "<html", "<?xml")


@dataclass(frozen=True)
class Table:
    """A table as it stands in a file: names of columns, rows as (line, values), notes, problems.

    ``nested`` are columns with a value that is more than one: of a list of single values
    :data:`ITEM` ends each of these in the text, any other counts as empty.
    """

    header: list[str]
    rows: list[Row]
    notes: list[str]
    problems: list[Problem]
    nested: frozenset[str] = frozenset()


def table_of_file(
    path: Path, settings: Mapping[str, Any], unit: str = "document", *, lists: bool = False
) -> Table:
    """Return the table in a file, by its ending and its first bytes (:func:`open_table`)."""
    found = open_table(path, settings, unit, lists=lists)
    problems: list[Problem] = []
    rows = list(found.each(problems))
    return Table(found.header, rows, found.notes, problems, found.nested)


def open_table(
    path: Path, settings: Mapping[str, Any], unit: str = "document", *, lists: bool = False
) -> Rows:
    """Return the rows of the table in a file, by its ending and its first bytes.

    ``settings`` are those of :func:`framing.acquire.settings.intake_settings` under ``table``;
    ``unit`` is what a row stands for, as problems call it. With ``lists`` a list of single values
    is kept (:data:`ITEM`), else it counts as empty. What is in UTF-8 is read as its rows are gone
    through; anything else is held. Raises :class:`InputError` on files that are no such table;
    what is wrong with single rows is told as they are gone through.
    """
    kind = KINDS.get(path.suffix.lower())
    head = _head(path)
    _refuse_signed(head, path)
    if head.startswith(b"PAR1") or kind == "parquet":
        source = path if path.is_file() else read_up_to(path, settings["bytes"], _CUT)
        if isinstance(source, Path):
            _within(path, settings["bytes"])
        return parquet_rows(source, path, settings, lists=lists)
    if kind is None:
        # Its size is told first, as ever.
        _within(path, settings["bytes"])
        raise InputError(
            Problem(path, f"has the ending {path.suffix!r}", f"Known: {', '.join(KINDS)}.")
        )
    text, encoding = _text(path, settings, unit)
    if kind == "jsonl":
        rows = json_rows(text, path, settings["field"], lists=lists)
    else:
        delimiters = ["\t"] if kind == "tsv" else settings["delimiters"]
        rows = csv_rows(text, path, delimiters, settings["field"])
    rows.notes[:0] = encoding_notes(encoding)
    return rows


def _refuse_signed(data: bytes, path: Path) -> None:
    """Raise :class:`InputError` where data begin as those of another kind of file do."""
    for signature, what, remedy in _SIGNATURES:
        if data.startswith(signature):
            raise InputError(Problem(path, what, remedy))


def _head(path: Path) -> bytes:
    """Return how a file begins; nothing of what is no plain file, which could be read but once.

    Raises :class:`InputError` where it cannot be read.
    """
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(_CHUNK)
    except OSError as error:
        raise InputError(unusable(error, path)) from None


def _within(path: Path, most: int) -> None:
    """Raise :class:`InputError` where a file is larger than it may be, or is not there."""
    try:
        size = path.stat().st_size
    except OSError:
        size = most + 1  # reading it says what is wrong
    if size > most:
        read_up_to(path, most, _CUT)


def _text(path: Path, settings: Mapping[str, Any], unit: str) -> tuple[Text, str]:
    """Return the lines of a file, and their encoding."""
    if path.is_file():
        state = _state(path)
        if _is_plain(path, settings["bytes"]):
            return lambda: _lines(path, state), "utf-8"
    data = read_up_to(path, settings["bytes"], _CUT)
    _refuse_signed(data, path)
    if looks_binary(data):
        raise InputError(Problem(path, "is no text, so no table", "Save it as CSV (UTF-8)."))
    text, encoding = decode(data, path, settings["encodings"])
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise InputError(Problem(path, "holds a NUL byte", "Save it anew as CSV (UTF-8).", line))
    if text.lstrip()[:100].lower().startswith(_MARKUP):
        raise InputError(Problem(path, "is a page or XML, no table", "Save it as CSV (UTF-8)."))
    if not text.strip():
        raise InputError(Problem(path, "is empty", f"Give it a header and a row a {unit}."))
    # Only "\n" is a line end here: str.splitlines would also cut at others.
    return lambda: iter(StringIO(text, newline="\n")), encoding


def _is_plain(path: Path, most: int) -> bool:
    """Return whether a file is text in UTF-8 that can be read line by line, and not too large."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    size, blank = 0, True
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                text = decoder.decode(chunk)
                if blank:
                    start = text.lstrip("\ufeff").lstrip()
                    if looks_binary(chunk) or start[:100].lower().startswith(_MARKUP):
                        return False
                    blank = not start
                size += len(chunk)
                if size > most or b"\x00" in chunk:
                    return False
            decoder.decode(b"", final=True)
    except (OSError, UnicodeDecodeError):
        return False
    return not blank


def _state(path: Path) -> tuple[int, int]:
    """Return what differs where a file has been written to."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _lines(path: Path, state: tuple[int, int]) -> Iterator[str]:
    changed = Problem(path, "was changed while it was read", "Run the command again.")
    try:
        # Line ends of all systems come as "\n".
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file):
                yield line if number else line.removeprefix("\ufeff")
        if _state(path) != state:
            raise InputError(changed)
    except OSError as error:
        raise InputError(unusable(error, path)) from None
    except UnicodeDecodeError:
        raise InputError(changed) from None


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
