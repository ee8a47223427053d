"""Which column is what: what was said, what follows from names of columns, what is still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import Said, contradictions, unknown_levels
from framing.codebook.codes import OF_LEVEL, Code
from framing.coding.codings import HUMAN, KINDS
from framing.common.problems import Problem, raise_if_any
from framing.corpus.tables import is_id

OWN = {"passage": "passage_id", "unsure": "unsure", "coder_column": "coder"}
"""Columns of the project's own form, which are taken where no option names one."""
_COLUMNS = ("passage", "source", "start", "end", "text", "labels", "coder_column", "unsure")


@dataclass(frozen=True)
class Options:
    """What is said of the files. Names of columns are empty where there is none.

    ``codes`` maps columns to codes, or columns of yes and no to levels ``CODE.LEVEL`` (wide form);
    ``labels`` is the column of labels and ``label`` maps its values to yes/no codes and levels
    (long form), where ``absent`` says that a passage lacks the yes/no codes it has no row for.
    ``otherwise`` has by code the level of passages that are given none. ``coders`` are one name for
    all files or one a file. ``kind``, ``model`` and ``describe`` are of coders who are not in
    ``coders.tsv`` yet.
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
    otherwise: Mapping[str, str] = field(default_factory=dict)
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


def indicators(codes: Mapping[str, Code]) -> dict[str, Code]:
    """Return what a label may stand for: yes/no codes by name, levels of others as ``CODE.LEVEL``.

    Each with the code that it is, or is a level of.
    """
    return {level.indicator: code for code in codes.values() for level in code.counted}


def settled(given: Options, rows: Rows, codes: Mapping[str, Code]) -> tuple[Options, list[str]]:
    """Return the options with what follows from names of columns, and notes on what was taken.

    Columns of the project's own form are taken, and, where nothing else says what holds the codes,
    columns that are called as codes are, or as all the levels of one.
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
        called = {name: name for code in codes.values() for name in _called(code, header)}
        found = replace(found, codes=called)
        if called:
            notes.append(f"codes are in the columns called so: {', '.join(called)}")
    return found, notes


def _called(code: Code, header: Sequence[str]) -> list[str]:
    """Return the columns that are called as a code is, or else as its levels are."""
    if code.name in header:
        return [code.name]
    names = [level.indicator for level in code.counted]
    return names if all(name in header for name in names) else []


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
              "--code COLUMN=CODE for each code (or COLUMN=CODE.LEVEL for each level), or --labels "
              "COLUMN (a label a row) with --label VALUE=CODE"),
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


def check_options(one: Options, rows: Rows, codes: Mapping[str, Code]) -> None:
    """Raise :class:`InputError` with all that is wrong with options, whatever rows say."""
    problems = contradictions(one.said, codes.values()) + unknown_levels(one.said, codes.values())
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


def _unknown_codes(one: Options, codes: Mapping[str, Code]) -> list[Problem]:
    known = list(indicators(codes))
    problems = []
    for name, mapping, allowed in (("--code", one.codes, list(dict.fromkeys([*codes, *known]))),
                                   ("--label", one.label, known)):  # fmt: skip
        for said, target in mapping.items():
            if target in allowed:
                continue
            what = f"{target!r} is no code of the codebook"
            if target in codes:
                what = f"{target!r} is a code with levels, and a label is one of them"
            elif target.partition(OF_LEVEL)[0] in codes:
                what = f"{target!r} is no level of its code"
            problems.append(
                Problem(f"{name} {said}={target}", what, f"Its codes: {', '.join(allowed)}.")
            )
    # Two columns for one code would contradict each other; several labels may mean one code.
    for target in dict.fromkeys(one.codes.values()):
        columns = [column for column, name in one.codes.items() if name == target]
        if len(columns) > 1:
            problems.append(
                Problem("--code", f"has several columns for {target!r}: {', '.join(columns)}",
                        "Name one of them.")
            )  # fmt: skip
    return problems + _otherwise_problems(one, codes) + _columns_of_levels(one, codes)


def _otherwise_problems(one: Options, codes: Mapping[str, Code]) -> list[Problem]:
    problems = []
    for name, level in one.otherwise.items():
        said, code = f"--otherwise {name}{OF_LEVEL}{level}", codes.get(name)
        if code is None or code.kind.present or level not in code.cells:
            listed = [key for key in indicators(codes) if OF_LEVEL in key]
            problems.append(Problem(said, "names no level of a code",
                                    f"Levels: {', '.join(listed) or 'none'}."))  # fmt: skip
        elif f"{name}{OF_LEVEL}{level}" in one.codes.values() or name in one.codes.values():
            problems.append(
                Problem(said, "has a column that says it, or its code has",
                        "It is for a level without a column: leave it out.")
            )  # fmt: skip
    return problems


def _columns_of_levels(one: Options, codes: Mapping[str, Code]) -> list[Problem]:
    """Return codes of which only some levels have a column, or which have one themselves, too."""
    problems = []
    for code in codes.values():
        if code.kind.present:
            continue
        without = [level.name for level in code.levels
                   if level.indicator not in one.codes.values()]  # fmt: skip
        if len(without) == len(code.levels):
            continue
        if code.name in one.codes.values():
            problems.append(
                Problem("--code", f"gives a column to the code {code.name!r} and to a level of it",
                        "Give one column to the code, or one to each level.")
            )  # fmt: skip
        elif without and without != [one.otherwise.get(code.name)]:
            problems.append(
                Problem("--code", f"gives columns to {len(code.levels) - len(without)} of "
                        f"{len(code.levels)} levels of the code {code.name!r}, none to "
                        f"{', '.join(without)}",
                        "Give each level a column; one may do without if it is meant where no "
                        f"column says yes: --otherwise {code.name}.{without[-1]}.")
            )  # fmt: skip
    return problems


def pairs(name: str, given: Sequence[str]) -> dict[str, str]:
    """Return ``LEFT=CODE`` options as left → code; what is left may hold further ``=``.

    Raises :class:`InputError` on one without ``=`` and on one that is given twice.
    """
    found: dict[str, str] = {}
    problems = []
    for left, code in split_pairs(name, given):
        if left in found and found[left] != code:
            problems.append(Problem(name, f"gives {left!r} two codes, {found[left]} and {code}",
                                    "Give it one."))  # fmt: skip
        found[left] = code
    raise_if_any(problems)
    return found


def split_pairs(name: str, given: Sequence[str], *, empty: bool = False) -> list[tuple[str, str]]:
    """Return ``LEFT=RIGHT`` options as pairs; with ``empty`` what is left may be nothing.

    Raises :class:`InputError` on those that are no pairs.
    """
    parted = [one.rpartition("=") for one in given]
    raise_if_any(
        Problem(f"{name} {one}", "has not the form LEFT=CODE",
                "Write the column or value, =, and a code (or CODE.LEVEL).")
        for one, (left, equals, right) in zip(given, parted, strict=True)
        if not equals or not right or not (left or empty)
    )  # fmt: skip
    return [(left, right) for left, _, right in parted]
