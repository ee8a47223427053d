"""Tables with one document a row (CSV, TSV, JSON Lines, Parquet), and folders named by a pattern.

In: a file, and which column is what. Out: its rows, with columns named as in ``sources.tsv``, and a
report of every guess. All that is wrong with a table is said at once, with the line of its row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from framing.acquire.dates import parse_date
from framing.acquire.table_files import open_table, table_of_folder
from framing.acquire.table_rows import Rows
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


@dataclass(frozen=True)
class Opened:
    """A table whose rows were looked at once and are not held.

    ``number`` of them are sound; ``problems`` is everything that is wrong with the others, by line;
    ``each`` yields the sound ones, from the first on each time.
    """

    number: int
    columns: Mapping[str, str]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]
    each: Callable[[], Iterator[Row]]


def read_documents(
    path: Path, columns: Mapping[str, str], settings: Mapping[str, Any], names: str = ""
) -> Documents:
    """Return the documents of a table, or of a folder of texts (:func:`open_documents`).

    Raises :class:`InputError` with everything that is wrong with the table or with a row.
    """
    found = open_documents(path, columns, settings, names)
    raise_if_any(first_of(found.problems, path))
    return Documents(tuple(found.each()), found.columns, found.notes)


def open_documents(
    path: Path, columns: Mapping[str, str], settings: Mapping[str, Any], names: str = ""
) -> Opened:
    """Return the documents of a table, or of a folder of texts, to be gone through.

    ``columns`` says which column is which of ``FIELDS``; for those it does not name, the columns
    of ``settings["guesses"]`` are taken where they are there, and that is reported; an empty name
    turns the guess off. A row has a text, or the path of its file, relative to the table's folder.
    ``settings`` are those of :func:`framing.acquire.settings.intake_settings` under ``table``.

    ``path`` may be a folder: each of its ``.txt`` files is a row then (those in folders below it
    too, hidden ones not), and ``names`` says what their names mean, for example
    ``{country}_{session}_{year}`` for ``USA_25_1970.txt``.

    Raises :class:`InputError` on files that are no such table, and on columns that are not there.
    Rows of another length, without text or with another's id, dates that are none, paths that lead
    nowhere or out of the folder, fields that are too large, are ``problems``.
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
    table = _rows_of_folder(path, names) if folder else open_table(path, settings)
    raise_if_any(_header_problems(table.header, path))
    _not_empty(table, path, folder=folder)
    used, guessed = _columns(table.header, columns, settings["guesses"], path)
    rows = _Reading(table, used, settings, path, path if folder else path.parent)
    wrong: set[int] = set()
    problems: list[Problem] = []
    first: dict[str, int] = {}
    number = 0
    for one, found in rows.looked_at(problems):
        if one.id and first.setdefault(one.id, one.row) != one.row:
            what = f"has the id {one.id!r} of line {first[one.id]}"
            found.append(Problem(path, what, "Remove or rename one of them.", one.row))
        # What the file has of it can be wrong too: that was told a moment ago.
        sound = not found and not (problems and problems[-1].row == one.row)
        problems += found
        number += sound
        if not sound:
            wrong.add(one.row)

    def each() -> Iterator[Row]:
        return (one for one, _ in rows.looked_at([]) if one.row not in wrong)

    notes = [*table.notes, *guessed]
    notes += [f"{count} fields of the column {name!r} say that they are empty"
              for name, count in sorted(rows.empty.items())]  # fmt: skip
    in_order = sorted(problems, key=lambda one: one.row or 0)
    return Opened(number, used, tuple(notes), tuple(in_order), each)


def _rows_of_folder(path: Path, names: str) -> Rows:
    table = table_of_folder(path, names)

    def each(problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
        problems += table.problems
        return iter(table.rows)

    return Rows(table.header, table.notes, each)


def _not_empty(table: Rows, path: Path, *, folder: bool) -> None:
    problems: list[Problem] = []
    if next(table.each(problems), None) is None and not problems:
        what, remedy = ("has no .txt file", "Put the texts there.") if folder else (
            "has no row", "Give it a row for each document.")  # fmt: skip
        raise InputError(Problem(path, what, remedy))


# --- columns --------------------------------------------------------------------------------------


def _header_problems(header: Sequence[str], path: Path) -> list[Problem]:
    # R and pandas write a first column of row numbers without a name.
    named = [name for name in header if name]
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


class _Reading:
    """How the rows of a table are read: which column is what, where files lie.

    ``empty`` counts the fields of each column that say that they are empty, of the last time that
    rows were gone through.
    """

    def __init__(
        self, table: Rows, used: Mapping[str, str], settings: Mapping[str, Any], path: Path,
        home: Path,
    ) -> None:  # fmt: skip
        place = {name: number for number, name in reversed(list(enumerate(table.header)))}
        self._each, self._path, self._home, self._root = table.each, path, home, home.resolve()
        self._used = {name: place[column] for name, column in used.items()}
        self._columns = dict(used)
        self._missing = {one.casefold() for one in settings["missing"]}
        self._rest = {name: place[name] for name in table.header
                      if name and name not in used.values()}  # fmt: skip
        self.empty: dict[str, int] = {}

    def looked_at(self, problems: list[Problem]) -> Iterator[tuple[Row, list[Problem]]]:
        """Yield rows and what is wrong with each; what is no row joins ``problems``."""
        self.empty = {}
        for line, values in self._each(problems):
            yield self._row(line, values)

    def _row(self, line: int, values: Sequence[str]) -> tuple[Row, list[Problem]]:
        given = {name: values[place] for name, place in self._used.items()}
        path, problems = self._path, []
        for name, value in given.items():
            if value.strip().casefold() in self._missing:
                given[name] = ""
                column = self._columns[name]
                self.empty[column] = self.empty.get(column, 0) + 1
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
            found = _inside(file, self._home, self._root, path, line, problems)
        problems += _dated(given, path, line)
        rest = {column: _tidy(values[place]) for column, place in self._rest.items()}
        return Row(line, known, text, found, given, rest), problems


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


def first_of(problems: Sequence[Problem], path: Path) -> list[Problem]:
    """Return problems, but of a table that is wrong all through not each row's."""
    if len(problems) <= _MOST_SAID:
        return list(problems)
    more = f"has {len(problems) - _MOST_SAID} more rows or fields like these"
    return [*problems[:_MOST_SAID], Problem(path, more, "Correct the first ones, then try again.")]
