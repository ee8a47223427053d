"""Which column is what: what was said, what follows from names of columns, what is still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import Said, contradictions
from framing.coding.codings import HUMAN, KINDS
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import is_id

OWN = {"passage": "passage_id", "unsure": "unsure", "coder_column": "coder"}
"""Columns of the project's own form, which are taken where no option names one."""
_COLUMNS = ("passage", "source", "start", "end", "text", "labels", "coder_column", "unsure")


@dataclass(frozen=True)
class Options:
    """What is said of the files. Names of columns are empty where there is none.

    ``codes`` maps columns to codes (wide form), ``labels`` is the column of labels and ``label``
    maps its values to codes (long form), where ``absent`` says that a passage lacks the codes it
    has no row for. ``coders`` are one name for all files or one a file. ``kind``, ``model`` and
    ``describe`` are of coders who are not in ``coders.tsv`` yet.
    """

    passage: str = ""
    source: str = ""
    start: str = ""
    end: str = ""
    text: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    labels: str = ""
    label: Mapping[str, str] = field(default_factory=dict)
    absent: bool = False
    coders: tuple[str, ...] = ()
    coder_column: str = ""
    unsure: str = ""
    said: Said = field(default_factory=Said)
    kind: str = ""
    model: str = ""
    describe: str = ""
    skip_unmatched: bool = False
    skip_undrawn: bool = False
    replace: bool = False

    @property
    def columns(self) -> set[str]:
        """Return the columns that are named."""
        return {*self.codes, *(getattr(self, name) for name in _COLUMNS)} - {""}


def option(name: str) -> str:
    """Return a field's option on the command line."""
    return f"--{name.replace('_', '-')}"


def settled(given: Options, rows: Rows, codes: Sequence[str]) -> tuple[Options, list[str]]:
    """Return the options with what follows from names of columns, and notes on what was taken.

    Columns of the project's own form are taken, and, where nothing else says what holds the codes,
    columns that are called as codes are.
    """
    header, notes = rows.header, []
    own: dict[str, Any] = {}
    taken = given.columns
    place = given.source or given.text
    for name, column in OWN.items():
        said = getattr(given, name) or (name == "passage" and place)
        said = said or (name == "coder_column" and given.coders)
        if not said and column in header and column not in taken:
            own[name] = column
            notes.append(f"the column {column!r} is taken for {option(name)}")
    found = replace(given, **own)
    if not found.codes and not found.labels:
        called = {name: name for name in codes if name in header}
        found = replace(found, codes=called)
        if called:
            notes.append(f"codes are in the columns called so: {', '.join(called)}")
    return found, notes


def open_questions(settled_options: Options) -> list[str]:
    """Return what nothing says yet: ``passages``, ``codes``, ``coder``."""
    one = settled_options
    found = []
    if not (one.passage or one.text or (one.source and one.start and one.end)):
        found.append("passages")
    if not one.codes and not one.labels:
        found.append("codes")
    if not one.coders and not one.coder_column:
        found.append("coder")
    return found


_ANSWERS = {
    "passages": ("which column says of which passage a row is",
                 "--passage COLUMN (ids), or --source COLUMN --start COLUMN --end COLUMN "
                 "(offsets), or --text COLUMN"),
    "codes": ("which columns hold codes",
              "--code COLUMN=CODE for each code, or --labels COLUMN (a label a row) with --label "
              "VALUE=CODE"),
    "coder": ("who coded", "--coder NAME or --coder-column COLUMN"),
}  # fmt: skip


def open_problems(names: Sequence[str], rows: Rows) -> list[Problem]:
    """Return what is not said as problems, with the columns there are."""
    columns = ", ".join(rows.header)
    return [
        Problem(rows.place, f"nothing says {_ANSWERS[name][0]} (its columns: {columns})",
                f"Say it: {_ANSWERS[name][1]}.")
        for name in names
    ]  # fmt: skip


def check_options(one: Options, rows: Rows, codes: Sequence[str]) -> None:
    """Raise :class:`InputError` with all that is wrong with options, whatever rows say."""
    problems = contradictions(one.said)
    if one.codes and one.labels:
        problems.append(
            Problem("--code and --labels", "say both that codes have columns of their own and that "
                    "one column names them", "Leave one of them out.")
        )  # fmt: skip
    if (one.label or one.absent) and not one.labels:
        which = "--label" if one.label else "--absent"
        problems.append(Problem(which, "speaks of a column of labels, but none is named",
                                "Add --labels COLUMN."))  # fmt: skip
    if one.coders and one.coder_column:
        problems.append(Problem("--coder and --coder-column", "say both who coded",
                                "Leave one of them out."))  # fmt: skip
    if len(one.coders) not in (0, 1, len(rows.files)):
        problems.append(Problem("--coder", f"is given {len(one.coders)} times for "
                                f"{len(rows.files)} files", "Give it once, or once a file, in "
                                "their order."))  # fmt: skip
    if (one.start or one.end) and not (one.source and one.start and one.end):
        problems.append(Problem("--start and --end", "say where a passage is only together with "
                                "--source", "Give all three."))  # fmt: skip
    problems += [_no_column(name, column, rows) for name, column in _named(one)
                 if column not in rows.header]  # fmt: skip
    problems += [
        Problem(rows.place, f"the column {column!r} holds lists of lists or objects, which say no "
                "single value", "Write a list of labels, or a row a label.")
        for column in sorted(one.columns & rows.nested)
    ]  # fmt: skip
    problems += _twice(one)
    problems += _unknown_codes(one, codes)
    problems += coder_problems(one.coders, "--coder")
    if one.kind and one.kind not in KINDS:
        problems.append(Problem("--kind", f"is {one.kind!r}", "Write human or machine."))
    if one.kind == HUMAN and one.model:
        problems.append(Problem("--model", "is given for a human coder", "Codings by a language "
                                "model are --kind machine; else leave it out."))  # fmt: skip
    raise_if_any(problems)


def coder_problems(names: Sequence[str], place: str) -> list[Problem]:
    """Return the names that cannot be a coder's: a file is named after it."""
    return [
        Problem(place, f"{name!r} cannot be the name of a coder",
                "Give it letters, digits, '.', '_' or '-', beginning with a letter or digit.")
        for name in dict.fromkeys(names) if not is_id(name)
    ]  # fmt: skip


def _named(one: Options) -> list[tuple[str, str]]:
    named = [(option(name), getattr(one, name)) for name in _COLUMNS]
    return [pair for pair in named if pair[1]] + [("--code", column) for column in one.codes]


def _no_column(name: str, column: str, rows: Rows) -> Problem:
    close = get_close_matches(column, rows.header, 1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return Problem(rows.place, f"has no column {column!r} (for {name})",
                   f"{hint}Its columns: {', '.join(rows.header)}.", 1)  # fmt: skip


def _twice(one: Options) -> list[Problem]:
    """Return columns that are said to be two things: a column of ids holds no codes."""
    uses: dict[str, list[str]] = {}
    for name, column in _named(one):
        uses.setdefault(column, []).append(name)
    return [
        Problem(" and ".join(names), f"name the same column {column!r}", "A column is one thing.")
        for column, names in uses.items() if len(names) > 1
    ]  # fmt: skip


def _unknown_codes(one: Options, codes: Sequence[str]) -> list[Problem]:
    problems = []
    for name, mapping in (("--code", one.codes), ("--label", one.label)):
        for said, code in mapping.items():
            if code not in codes:
                problems.append(
                    Problem(f"{name} {said}={code}", f"{code!r} is no code of the codebook",
                            f"Its codes: {', '.join(codes)}.")
                )  # fmt: skip
    # Two columns for one code would contradict each other; several labels may mean one code.
    for code in dict.fromkeys(one.codes.values()):
        columns = [column for column, name in one.codes.items() if name == code]
        if len(columns) > 1:
            problems.append(
                Problem("--code", f"has several columns for {code!r}: {', '.join(columns)}",
                        "Name one of them.")
            )  # fmt: skip
    return problems


def pairs(name: str, given: Sequence[str]) -> dict[str, str]:
    """Return ``LEFT=CODE`` options as left → code; what is left may hold further ``=``.

    Raises :class:`InputError` on one without ``=`` and on one that is given twice.
    """
    found: dict[str, str] = {}
    problems = []
    for one in given:
        left, equals, code = one.rpartition("=")
        if not equals or not left or not code:
            problems.append(Problem(f"{name} {one}", "has not the form LEFT=CODE",
                                    "Write the column or value, =, and a code."))  # fmt: skip
        elif left in found and found[left] != code:
            problems.append(Problem(name, f"gives {left!r} two codes, {found[left]} and {code}",
                                    "Give it one."))  # fmt: skip
        found[left] = code
    if problems:
        raise InputError(problems)
    return found
