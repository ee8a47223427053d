"""Results as they were published: tables and provenance, read back as they stand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from framing.common.files import decode_strictly
from framing.common.problems import InputError, Problem, raise_if_any

TABLES, PROVENANCE, LABEL = "tables", "provenance.json", "label.txt"
"""What a set of results is read from: a folder of CSV files, and two files beside it."""

Row = tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table as it stands in its CSV file: names of columns, and rows of texts."""

    columns: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Results:
    """Results to be compared: what they are called, tables by id, provenance if on record."""

    name: str
    tables: Mapping[str, Grid]
    provenance: Mapping[str, Any] | None = None


def folder_contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder of results that a comparison needs, by name below it."""
    files = [*sorted((folder / TABLES).glob("*.csv")), folder / PROVENANCE, folder / LABEL]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files if p.is_file()}


def read_results(contents: Mapping[str, bytes], place: str | Path, name: str) -> Results:
    """Return results from the contents of their files (:func:`folder_contents`).

    ``place`` says in messages where they come from, ``name`` what they are called; a label that
    was given when they were published goes before it. Raises :class:`InputError` where there is no
    table, and on tables and provenance that cannot be read.
    """
    tables: dict[str, Grid] = {}
    record = None
    problems: list[Problem] = []
    for path, data in sorted(contents.items()):
        where = f"{place}/{path}"
        try:
            if PurePosixPath(path).suffix == ".csv":
                tables[PurePosixPath(path).stem] = _grid(data, where)
            elif path == PROVENANCE:
                record = _record(data, where)
            elif path == LABEL:
                name = " ".join(decode_strictly(data, where).split()) or name
        except InputError as error:
            problems += error.problems
    if not tables and not problems:
        problems.append(
            Problem(place, "holds no result tables (tables/*.csv)",
                    "Name a folder of results, a project, or a revision that has them.")
        )  # fmt: skip
    raise_if_any(problems)
    return Results(name, tables, record)


def _grid(data: bytes, where: str) -> Grid:
    remedy = "Restore it from git, or make it anew with `snakemake`."
    try:
        lines = [tuple(row) for row in csv.reader(io.StringIO(decode_strictly(data, where)))]
    except csv.Error as error:
        raise InputError(Problem(where, f"is not CSV ({error})", remedy)) from None
    if not lines or len(set(lines[0])) < len(lines[0]):
        raise InputError(Problem(where, "has no header, or a column twice", remedy, 1))
    odd = [number for number, row in enumerate(lines) if len(row) != len(lines[0])]
    if odd:
        what = f"row {odd[0]} has {len(lines[odd[0]])} fields, the header has {len(lines[0])}"
        raise InputError(Problem(where, what, remedy))
    return Grid(lines[0], tuple(lines[1:]))


def _record(data: bytes, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        record = None
    parts = ("inputs", "config", "packages", "code")
    if (
        not isinstance(record, dict)
        or "inputs" not in record
        or not all(isinstance(record.get(part, {}), dict) for part in parts)
        or not all(isinstance(entry, dict) for entry in record["inputs"].values())
    ):
        raise InputError(
            Problem(where, "is no record of what results were made from",
                    "Restore it from git, or make it anew with `snakemake`.")
        )  # fmt: skip
    return record
