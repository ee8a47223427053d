"""How a table of results, or one number of it, is cited: in a sentence, for BibTeX, for CSL.

A citation carries a key, such as ``T4-3fa9c1d2e0b7``: the table's number and the first digits of
the digest of its CSV file. It names these very numbers, and ``framing verify --key`` finds them
again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from framing.common.config import read_yaml
from framing.common.files import json_text
from framing.common.problems import InputError, Problem
from framing.release.compare import intervals, key_columns
from framing.release.read_release import Grid
from framing.report.layout import number, percent, shown
from framing.report.render import latex
from framing.tables.captions import Edition, plain
from framing.tables.keys import short
from framing.tables.kinds import NUMERIC, is_missing
from framing.tables.specs import Column, TableSpec

CITATION = Path("CITATION.cff")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})-([0-9]{2}))?")
_VERBATIM = re.compile(r"[^\s{}\\%]+")  # what BibTeX may take as it is
_DIFFERENCE = "difference"  # the column whose shares are percentage points
_SHOWN = 12  # values of a column that a message lists


# --- the work that tables are part of -------------------------------------------------------------


@dataclass(frozen=True)
class Author:
    """A person by ``family`` and ``given`` name, or an entity, which has a ``family`` name only."""

    family: str
    given: str = ""

    @property
    def name(self) -> str:
        """Return the name as it stands in a sentence."""
        return f"{self.given} {self.family}".strip()


@dataclass(frozen=True)
class Work:
    """What ``CITATION.cff`` says; ``released`` is a date or a year, and may be empty as others."""

    title: str
    authors: tuple[Author, ...] = ()
    version: str = ""
    released: str = ""
    doi: str = ""
    url: str = ""


def read_work(path: Path) -> Work:
    """Return what a ``CITATION.cff`` says; raise :class:`InputError` where that is not enough."""
    data = read_yaml(path)
    if not isinstance(data, dict) or not isinstance(data.get("title"), str):
        raise InputError(Problem(path, "has no title", "Write it as CFF 1.2.0 asks for."))
    given = data.get("authors", [])
    authors = tuple(map(_author, given)) if isinstance(given, list) else ()
    if not authors or not all(author.family for author in authors):
        raise InputError(
            Problem(path, "has no authors, or one without a name",
                    "Give each author family-names and given-names, or a name.")
        )  # fmt: skip
    released = _said(data.get("date-released"))
    if released and not _DATE.fullmatch(released):
        raise InputError(Problem(path, f"date-released is {released!r}", "Write it as 2026-01-31."))
    rest = {name: _said(data.get(name)) for name in ("version", "doi")}
    url = _said(data.get("url")) or _said(data.get("repository-code"))
    return Work(plain(data["title"]), authors, released=released, url=url, **rest)


def _author(data: Any) -> Author:
    if not isinstance(data, dict):
        return Author("")
    if "name" in data:
        return Author(_said(data["name"]))
    parts = ("name-particle", "family-names", "name-suffix")
    family = " ".join(filter(None, (_said(data.get(part)) for part in parts)))
    given = _said(data.get("given-names"))
    return Author(family, given) if family else Author(given or _said(data.get("alias")))


def _said(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else plain(str(value))


# --- a table --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Citation:
    """A table as it is cited: its number, title and key, the work it is in, and what made it."""

    table: str
    title: str
    key: str
    project: str
    work: Work
    software: str
    year: str = ""

    @property
    def named(self) -> str:
        """Return the table's title and number."""
        return f"{self.title} (table {self.table})"

    @property
    def within(self) -> str:
        """Return what the table is part of: the project, and the work where it has another name."""
        title, version = self.work.title, self.work.version
        if version and not self.software.endswith(f" {version}"):
            title += f", version {version}"
        return ". ".join(dict.fromkeys(filter(None, (self.project, title))))

    @property
    def where(self) -> str:
        """Return the address at which the work is found, or nothing."""
        return f"https://doi.org/{self.work.doi}" if self.work.doi else self.work.url

    def text(self) -> str:
        """Return the sentence for a paper."""
        names = [author.name for author in self.work.authors]
        authors = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        year = f" ({self.year})" if self.year else ""
        where = f" {self.where}" if self.where else ""
        return (
            f"{authors}{year}: “{self.title}” (table {self.table}). In: {self.within}. "
            f"Made with {self.software}. Key: {self.key}.{where}"
        )

    def bibtex(self) -> str:
        """Return an entry for BibTeX, which shows every field as it is."""
        fields = {
            "author": " and ".join(map(_bibtex_name, self.work.authors)),
            "title": f"{{{latex(self.named)}}}",
            "howpublished": latex(f"In: {self.within}"),
            "year": self.year,
            "note": latex(f"Made with {self.software}; key {self.key}"),
            "doi": self.work.doi if _VERBATIM.fullmatch(self.work.doi) else "",
            "url": self.where if _VERBATIM.fullmatch(self.where) else "",
        }
        lines = [f"  {name:<12} = {{{value}}}" for name, value in fields.items() if value]
        return f"@misc{{{self.key},\n" + ",\n".join(lines) + "\n}"

    def csl(self) -> dict[str, Any]:
        """Return an item of CSL-JSON, which Zotero, Pandoc and others read."""
        date = _DATE.fullmatch(self.work.released)
        issued = [int(self.year)] if self.year else []
        if date and date[1] == self.year:
            issued = [int(part) for part in date.groups() if part]
        item = {
            "id": self.key,
            "type": "dataset",
            "title": self.named,
            "container-title": self.within,
            "author": [
                {"family": one.family, "given": one.given} if one.given else {"literal": one.family}
                for one in self.work.authors
            ],
            "issued": {"date-parts": [issued]} if issued else None,
            "note": f"Made with {self.software}; key {self.key}",
            "DOI": self.work.doi,
            "URL": self.where,
        }
        return {name: value for name, value in item.items() if value}


def year_of(work: Work) -> str:
    """Return the year in which a work was released, or nothing where it does not say."""
    date = _DATE.fullmatch(work.released)
    return date[1] if date else ""


def csl_text(citations: Sequence[Citation]) -> str:
    """Return citations as a file of CSL-JSON."""
    return json_text([citation.csl() for citation in citations])


def _bibtex_name(author: Author) -> str:
    if not author.given:
        return f"{{{latex(author.family)}}}"  # the braces keep it whole
    parts = [latex(part) for part in (author.family, author.given)]
    return ", ".join(f"{{{p}}}" if re.search(r",|\band\b", p) else p for p in parts)


# --- one number of a table ------------------------------------------------------------------------


def pairs(texts: Iterable[str], columns: Sequence[str]) -> dict[str, str]:
    """Return the values asked for by column, from texts such as ``code=a,group=b``.

    Values may hold commas: only one before a column's name and ``=`` parts two pairs. Raises
    :class:`InputError` on a text that is no pair, an unknown column and one given twice.
    """
    wanted: dict[str, str] = {}
    problems = []
    names = "|".join(re.escape(name) for name in columns)
    for text in texts:
        for pair in re.split(rf",\s*(?=(?:{names})\s*=)", text):
            name, equals, value = pair.partition("=")
            name = name.strip()
            if not equals or name not in columns:
                what = f"has no column {name!r}" if equals else f"cannot be asked for {pair!r}"
                problems.append(
                    Problem("the table", what, f"Give COLUMN=VALUE; columns: {', '.join(columns)}.")
                )
            elif wanted.setdefault(name, value.strip()) != value.strip():
                problems.append(
                    Problem("--cell", f"gives two values for {name!r}", "Leave one of them out.")
                )
    if problems:
        raise InputError(problems)
    return wanted


def picked(grid: Grid, wanted: Mapping[str, str], spec: TableSpec | None) -> dict[str, str]:
    """Return the one row that has the values asked for, as texts by column.

    Raises :class:`InputError` where none has, or several have; it says which values there are.
    """
    rows = [dict(zip(grid.columns, row, strict=True)) for row in grid.rows]
    for name, value in wanted.items():
        left = [row for row in rows if _same(row[name], value)]
        if not left:
            what = f"has no row with {name}={value}"
            others = [pair for pair in wanted.items() if pair[0] != name]
            if len(rows) < len(grid.rows):
                what += f" among those with {_joined(others[: list(wanted).index(name)])}"
            raise InputError(
                Problem("the table", what, f"Values of {name}: {_values(rows, name)}.")
            )
        rows = left
    if len(rows) > 1:
        ids = key_columns(grid, grid, spec) or grid.columns
        open_ = [name for name in ids if len({row[name] for row in rows}) > 1] or list(grid.columns)
        values = "; ".join(f"{name} ({_values(rows, name)})" for name in open_)
        what = f"has {len(rows)} rows with {_joined(wanted.items())}"
        raise InputError(Problem("the table", what, f"Say which: {values}."))
    return rows[0]


def _joined(given: Iterable[tuple[str, str]]) -> str:
    return ",".join(f"{name}={value}" for name, value in given)


def _values(rows: Sequence[Mapping[str, str]], name: str) -> str:
    values = list(dict.fromkeys(row[name] for row in rows))
    more = f", and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(value or "(empty)" for value in values[:_SHOWN]) + more


def _same(cell: str, value: str) -> bool:
    if cell == value:
        return True
    try:
        return Decimal(cell) == Decimal(value)
    except InvalidOperation:
        return False


def main_column(spec: TableSpec) -> str:
    """Return the column that holds what a table is about.

    It is the first that is printed with its interval; without one, the first printed share or
    number, or else the first printed column.
    """
    entries = spec.printing.entries
    with_interval = [e.columns[0] for e in entries if e.form == "interval"]
    for name in with_interval:
        if name in intervals(spec):
            return name
    printed = [entry.columns[0] for entry in entries]
    measured = [name for name in printed if spec.columns[name].kind in ("share", "number")]
    return (measured or printed)[0]


def cell_text(
    row: Mapping[str, str],
    name: str,
    keys: Sequence[str],
    spec: TableSpec,
    words: Edition,
    key: str,
) -> str:
    """Return one number of a table in words, with its interval, its row and the table's key.

    ``name`` is its column and ``keys`` are the columns that tell its row. Numbers have the decimals
    with which they are printed; shares are in per cent.
    """
    column = spec.columns[name]
    said = [
        f"{spec.columns[one].label.lower()} {_shown(row[one], spec.columns[one], words)}"
        for one in keys
        if row[one]
    ]
    ends = intervals(spec).get(name)
    notes = [", ".join(said)]
    value = _quantity(row[name], column, words)
    if ends and all(row[end] for end in ends):
        low, high = (_quantity(row[end], column, words, unit=False) for end in ends)
        value += f" [{low}, {high}]"
        notes.append(f"{100 * words.context['confidence']:g} % interval")
    if row.get("status"):
        notes.append(row["status"])
    notes.append(f"{short(spec.id)}, key {key}")
    return f"{column.description.removesuffix('.')}: {value} ({'; '.join(filter(None, notes))})."


def _shown(text: str, column: Column, words: Edition) -> str:
    return shown(float(text) if column.kind in NUMERIC else text, column, words)


def _quantity(text: str, column: Column, words: Edition, *, unit: bool = True) -> str:
    if is_missing(text) or column.kind != "share":
        return _shown(text, column, words) if text else "no value"
    value = percent(float(text), words.decimals)
    if not unit or column.name == _DIFFERENCE:
        value = number(100 * float(text), max(words.decimals - 2, 0))
    return f"{value} percentage points" if unit and column.name == _DIFFERENCE else value
