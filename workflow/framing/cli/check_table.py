"""``framing verify TABLE``: whether a table, a copy of it or its key is that of this release.

How a copy is held against a table stands in :mod:`framing.release.copies`; here files and the
history of the project are read, and what was found is said.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from framing.common.files import read_bytes, sha256
from framing.common.git import git
from framing.common.paths import PUBLISHED
from framing.common.problems import InputError, Problem
from framing.release.copies import Finding, against, read_copy
from framing.release.read_release import LABEL, TABLES, Grid, read_results
from framing.release.reproduce import listed_tables
from framing.tables.keys import KEY_DIGITS, key_of, parse_key, short, table_named
from framing.tables.specs import TableSpec, load_specs

RESULTS = Path("results")
_REVISIONS = 200  # of a table's file, and as many tags, are looked at
_LISTED = 20  # cells, rows


@dataclass(frozen=True)
class Version:
    """A table as it once was: what it is called, and the bytes of its CSV file."""

    name: str
    data: bytes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``framing verify`` takes to look at one table."""
    parser.add_argument(
        "table", nargs="?", metavar="TABLE",
        help="do not recompute; say whether this table (T4, T4-prevalence) is that of "
        "results/manifest.tsv",
    )  # fmt: skip
    given = parser.add_mutually_exclusive_group()
    given.add_argument(
        "--file", type=Path, metavar="COPY",
        help="a CSV file: is it this table, rounded, in part, changed (which cells), or that of "
        "another release?",
    )  # fmt: skip
    given.add_argument(
        "--key", metavar="KEY",
        help="a key from a citation, such as T4-3fa9c1d2e0b7: whose table is it?",
    )  # fmt: skip


def asked(arguments: argparse.Namespace) -> bool:
    """Return whether the command line asks for one table, not for all results.

    Raises :class:`InputError` where it names a copy but not the table it is one of.
    """
    if arguments.file is not None and arguments.table is None:
        raise InputError(
            Problem("--file", "is given without the table it is a copy of",
                    "Name it: framing verify T4 --file COPY.csv")
        )  # fmt: skip
    return arguments.table is not None or arguments.key is not None


def run(arguments: argparse.Namespace) -> int:
    """Say what the table, copy or key is, in the project in the working directory.

    Returns 0 where it is this release's, 1 where it is not.
    """
    listed = listed_tables(RESULTS)
    number, digits = parse_key(arguments.key) if arguments.key else ("", "")
    table = table_named(arguments.table or number, listed)
    if number and short(table) != number:
        raise InputError(
            Problem("--key", f"is one of {number}, not of {short(table)}", "Leave the table out.")
        )
    if arguments.key:
        lines, holds = about_key(table, digits, listed[table])
    elif arguments.file:
        here = Path(getattr(arguments, "called_from", Path.cwd()))
        data = read_bytes(here / arguments.file)
        lines, holds = about_copy(table, data, arguments.file, listed[table])
    else:
        lines, holds = about_table(table, listed[table])
    print("\n".join(lines))
    return 0 if holds else 1


def about_table(table: str, digest: str) -> tuple[list[str], bool]:
    """Say whether a table's file is the one that the manifest lists, by its digest."""
    path = csv_of(table)
    if not path.is_file():
        return [f"{path}: is missing."], False
    data = path.read_bytes()
    if sha256(data) == digest:
        return [f"{path}: is the table of this release (key {key_of(table, data)})."], True
    lines = [f"{path}: is not the table that {RESULTS}/manifest.tsv lists."]
    before = next((one for one in editions(table) if sha256(one.data) == digest), None)
    if before is not None:
        spec = load_specs().tables.get(table)
        grid = _grid(before, table)
        found = against(read_copy(data, path, grid, spec), grid, spec)
        lines += [f"The one it lists is that of {before.name}.", *differences(found)]
    return lines, False


def about_key(table: str, digits: str, digest: str) -> tuple[list[str], bool]:
    """Say whose table a key stands for."""
    key = f"{short(table)}-{digits}"
    if digest.startswith(digits):
        return [f"{key}: is the key of {table} of this release."], True
    for one in editions(table):
        if sha256(one.data).startswith(digits):
            return [
                f"{key}: is not the key of this release, which is {_key(table, digest)}.",
                f"It is that of {one.name}.",
            ], False
    return [
        f"{key}: is not the key of this release, which is {_key(table, digest)}, and not of "
        "published results or an earlier revision known here."
    ], False


def about_copy(table: str, data: bytes, place: str | Path, digest: str) -> tuple[list[str], bool]:
    """Say what a copy is: this release's table, whole or in part, another's, or a changed one."""
    key = _key(table, digest)
    if sha256(data) == digest:
        return [f"{place}: is {table} of this release, byte for byte (key {key})."], True
    spec = load_specs().tables.get(table)
    grid = _grid(_release(table, digest), table)
    copy = read_copy(data, place, grid, spec)
    found = against(copy, grid, spec)
    if found.holds:
        return [_held(place, table, found, f"this release (key {key})"), *losses(found)], True
    others = [one for one in editions(table) if sha256(one.data) != digest]
    lines = [f"{place}: is not {table} of this release (key {key}), nor of another known here."]
    if whose := _whose(data, place, table, spec, others):
        lines = [*whose, f"It is not that of this release (key {key}):"]
    return [*lines, *differences(found), *losses(found)], False


def _whose(
    data: bytes, place: str | Path, table: str, spec: TableSpec | None, others: Sequence[Version]
) -> list[str]:
    """Say which of other versions of a table a copy is one of, or nothing."""
    for one in others:
        if one.data == data:
            return [f"{place}: is {table} of {_called(one, table)}, byte for byte."]
    for one in others:
        try:
            grid = _grid(one, table)
            found = against(read_copy(data, place, grid, spec), grid, spec)
        except InputError:
            continue  # other columns in those days, or no table at all
        if found.holds:
            return [_held(place, table, found, _called(one, table)), *losses(found)]
    return []


def _called(one: Version, table: str) -> str:
    return f"{one.name} (key {key_of(table, one.data)})"


# --- saying ---------------------------------------------------------------------------------------


def _held(place: str | Path, table: str, found: Finding, whose: str) -> str:
    same = "the same values"
    what = f"{same}, written otherwise" if found.whole else f"{same}, as far as they are given"
    return f"{place}: is {table} of {whose}: {what} ({found.rows} rows, {found.cells} cells)."


def losses(found: Finding) -> list[str]:
    """Return lines on what a copy leaves out or rounds."""
    lines = []
    if found.rows_left_out:
        only = [", ".join(f"{name}={value}" for name, value in one.items()) for one in found.only]
        kept = f"; it has those with {' or with '.join(only)}" if only else ""
        lines.append(f"  rows left out: {found.rows_left_out}{kept}")
    if found.columns_left_out:
        lines.append(f"  columns left out: {', '.join(found.columns_left_out)}")
    by_kind: dict[str, list[str]] = {}
    for name, how in found.rounded.items():
        by_kind.setdefault(how, []).append(name)
    lines += [f"  rounded to {how}: {', '.join(names)}" for how, names in by_kind.items()]
    return lines


def differences(found: Finding) -> list[str]:
    """Return lines on the cells, rows and columns of a copy that are not the table's."""
    lines = []
    if found.changed:
        lines.append(f"  changed: {len(found.changed)} of {found.cells} cells")
        lines += [
            f"    {', '.join(cell.row)}; {cell.column}: {cell.old or '(empty)'} → "
            f"{cell.new or '(empty)'}"
            for cell in found.changed[:_LISTED]
        ]
        lines += _more(len(found.changed))
    if found.new_rows:
        lines.append(f"  rows that the table does not have: {len(found.new_rows)}")
        lines += [f"    {', '.join(row)}" for row in found.new_rows[:_LISTED]]
        lines += _more(len(found.new_rows))
    if found.new_columns:
        lines.append(f"  columns that the table does not have: {', '.join(found.new_columns)}")
    return lines


def _more(number: int) -> list[str]:
    return [f"    and {number - _LISTED} more"] if number > _LISTED else []


def _key(table: str, digest: str) -> str:
    return f"{short(table)}-{digest[:KEY_DIGITS]}"


# --- reading --------------------------------------------------------------------------------------


def csv_of(table: str) -> Path:
    """Return the file of a table, below the project."""
    return RESULTS / TABLES / f"{table}.csv"


def _grid(one: Version, table: str) -> Grid:
    return read_results({f"{TABLES}/{table}.csv": one.data}, one.name, one.name).tables[table]


def _release(table: str, digest: str) -> Version:
    """Return the table that the manifest lists; raise :class:`InputError` where it is lost."""
    path = csv_of(table)
    if path.is_file() and sha256(data := path.read_bytes()) == digest:
        return Version("this release", data)
    for one in editions(table):
        if sha256(one.data) == digest:
            return one
    raise InputError(
        Problem(path, f"is not the table that {RESULTS}/manifest.tsv lists",
                "Restore it from git, or make results anew with `snakemake`.")
    )  # fmt: skip


def editions(table: str) -> Iterator[Version]:
    """Give a table as it was published, then as it was in the history of the project, newest first.

    History is that of git, where there is one: the last revisions that changed the table's file,
    those with a tag under its name. No contents come twice.
    """
    seen: set[str] = set()
    path = PUBLISHED / TABLES / f"{table}.csv"
    if path.is_file():
        present = path.read_bytes()
        label = PUBLISHED / LABEL
        called = label.read_text("utf-8", "replace").strip() if label.is_file() else ""
        seen.add(sha256(present))
        yield Version(f"the published results{f' “{called}”' if called else ''}", present)
    for name, blob in _revisions(csv_of(table)):
        data = git("cat-file", "blob", blob)
        if data is not None and sha256(data) not in seen:
            seen.add(sha256(data))
            yield Version(name, data)


def _revisions(path: Path) -> Iterator[tuple[str, str]]:
    """Give the name of each revision of a file, and the object that holds it."""
    inside = f"./{path.as_posix()}"
    listed = _lines("for-each-ref", f"--count={_REVISIONS}", "--sort=-creatordate",
                    "--format=%(refname:short)", "refs/tags")  # fmt: skip
    for tag in listed:
        for blob in _lines("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}:{inside}"):
            yield f"tag {tag}", blob
    for line in _lines("log", f"--max-count={_REVISIONS}", "--format=%H %cs", "--", inside):
        commit, _, date = line.partition(" ")
        for blob in _lines("rev-parse", "--verify", "--quiet", f"{commit}:{inside}"):
            yield f"revision {commit[:KEY_DIGITS]} of {date}", blob


def _lines(*arguments: str) -> list[str]:
    return (git(*arguments) or b"").decode("utf-8", "replace").splitlines()
