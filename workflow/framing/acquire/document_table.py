"""Tables with one document a row (CSV, TSV, JSON Lines, Parquet), and folders named by a pattern.

In: a file, and which column is what. Out: its rows, with columns named as in ``sources.tsv``, and a
report of every guess. All that is wrong with a table is said at once, with the line of its row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from framing.acquire.dates import parse_date
from framing.acquire.table_files import Table, table_of_file, table_of_folder
from framing.common.files import repeated
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import DATE_PRECISIONS

FIELDS = (
    "id", "text", "path", "title", "speaker", "actor", "group", "date", "date_precision", "genre",
    "url", "rights", "retrieved_from",
)  # fmt: skip
"""What a column can be: the text or its file, an id, or a column of ``sources.tsv``."""

_MOST_SAID = 100
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WHOLE_NUMBER = re.compile(r"(-?[0-9]{1,15})\.0+")


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
    table = table_of_folder(path, names) if folder else table_of_file(path, settings)
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


# --- columns --------------------------------------------------------------------------------------


def _header_problems(table: Table, path: Path) -> list[Problem]:
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
    table: Table, used: Mapping[str, str], settings: Mapping[str, Any], path: Path, home: Path
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
