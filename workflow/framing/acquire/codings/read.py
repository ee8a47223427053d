"""Rows of files with codings, as texts: an id is never turned into a number here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from framing.acquire.codings.formats import table_of
from framing.acquire.codings.kinds import SHOWN, counted, gathered
from framing.acquire.table_files import ITEM
from framing.common.files import repeated
from framing.common.problems import InputError, Problem, raise_if_any

NO_LABELS = "the file has no labels of values (only SPSS and Stata files may)"


@dataclass(frozen=True)
class Rows:
    """The rows of one or several files with the same columns.

    ``cells`` has a column of texts for each named column, blanks around them cut off; ``file`` and
    ``line`` say where each row stands (the header is line 1), ``notes`` what a person should know.
    A cell with a list of values is a row for each of them, with no value if the list is empty.
    ``nested`` are columns with values that are no single ones and no lists of these; ``labels``
    has by column what a statistics program shows in place of its values, where there is such;
    ``unit`` is what ``line`` counts.
    """

    files: tuple[Path, ...]
    cells: pd.DataFrame
    file: tuple[int, ...]
    line: tuple[int, ...]
    notes: tuple[str, ...] = ()
    nested: frozenset[str] = frozenset()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unit: str = "line"

    @property
    def header(self) -> list[str]:
        """Return the names of the columns."""
        return list(self.cells.columns)

    @property
    def place(self) -> str:
        """Return how problems name the files."""
        first = self.files[0].name
        return first if len(self.files) == 1 else f"{first} and {len(self.files) - 1} more"

    def at(self, row: int) -> str:
        """Return where a row stands."""
        where = f"{self.unit} {self.line[row]}"
        return where if len(self.files) == 1 else f"{self.files[self.file[row]].name}, {where}"


def read_rows(
    paths: Sequence[Path], settings: Mapping[str, Any], sheet: str = "", *, labelled: bool = False
) -> Rows:
    """Return the rows of ``paths``; ``settings`` as in :func:`framing.acquire.codings.formats`.

    With ``labelled`` values that have a label in the file (SPSS, Stata) are replaced by it.

    Raises :class:`InputError` with everything that is wrong: files that are no tables or are named
    twice, have no row, the same column twice, other columns than the first, rows of another length.
    """
    problems = [Problem(name, "is named twice", "Name it once.")
                for name in repeated(str(path.resolve()) for path in paths)]  # fmt: skip
    raise_if_any(problems)
    cells: list[pd.DataFrame] = []
    files: list[int] = []
    lines: list[int] = []
    notes: list[str] = []
    nested: set[str] = set()
    labels: dict[str, dict[str, str]] = {}
    first: list[str] = []
    for number, path in enumerate(paths):
        try:
            frame, own, said, deep, named = _read(path, settings, sheet)
        except InputError as error:
            problems += gathered(error.problems)
            continue
        if not cells:
            first = list(frame.columns)
        elif set(frame.columns) != set(first):
            problems.append(_other_columns(path, list(frame.columns), first, paths[0]))
            continue
        if labelled:
            frame = frame.assign(**{name: frame[name].replace(dict(shown))
                                    for name, shown in named.items()})  # fmt: skip
            said = [*said, *([] if named else [NO_LABELS])]
        elif named:
            said = [*said, *(f"values count, not their labels ({name}: {_shown(one)})"
                             for name, one in named.items())]  # fmt: skip
        for name, shown in named.items():
            labels.setdefault(name, {}).update(shown)
        cells.append(frame[first])
        files += [number] * len(own)
        lines += own
        nested |= deep
        notes += [note if len(paths) == 1 else f"{path.name}: {note}" for note in said]
    raise_if_any(problems)
    whole = pd.concat(cells, ignore_index=True)
    return Rows(tuple(paths), whole, tuple(files), tuple(lines), tuple(notes), frozenset(nested),
                {} if labelled else labels)  # fmt: skip


def _shown(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{value} is {label!r}" for value, label in list(labels.items())[: SHOWN + 1])


def _read(
    path: Path, settings: Mapping[str, Any], sheet: str
) -> tuple[
    pd.DataFrame, list[int], list[str], frozenset[str], Mapping[str, Mapping[str, str]]
]:  # fmt: skip
    table, labels = table_of(path, settings, sheet)
    # R and pandas write a first column of row numbers without a name.
    named = [number for number, name in enumerate(table.header) if name]
    names = [table.header[number] for number in named]
    problems = [Problem(path, f"has the column {name!r} twice", "Rename one of them.", 1)
                for name in repeated(names)]  # fmt: skip
    raise_if_any([*problems, *table.problems])
    rows = [(line, values) for line, values in table.rows if any(map(str.strip, values))]
    if not rows:
        raise InputError(Problem(path, "has no row of codings", "Give it a row a coding."))
    frame = pd.DataFrame(
        {name: [values[number].strip() for _, values in rows]
         for name, number in zip(names, named, strict=True)},
        dtype=object,
    )  # fmt: skip
    notes = list(table.notes)
    if len(rows) < len(table.rows):
        notes.append(f"{counted(len(table.rows) - len(rows), 'row')} without any value passed over")
    if len(named) < len(table.header):
        notes.append(f"{counted(len(table.header) - len(named), 'column')} without a name left out")
    lines = [line for line, _ in rows]
    for name in names:
        frame, lines = _one_by_one(frame, lines, name)
    return frame, lines, notes, table.nested, labels


def _one_by_one(frame: pd.DataFrame, lines: list[int], name: str) -> tuple[pd.DataFrame, list[int]]:
    """Return rows with each value of the lists in a column as a row of its own."""
    if not frame[name].str.contains(ITEM, regex=False).any():
        return frame, lines
    lists = frame[name].map(lambda text: text.removesuffix(ITEM).split(ITEM))
    long = frame.assign(**{name: lists, "\0line": lines}).explode(name, ignore_index=True)
    long[name] = long[name].str.strip()
    return long.drop(columns="\0line"), [int(line) for line in long["\0line"]]


def _other_columns(path: Path, own: list[str], first: list[str], other: Path) -> Problem:
    more = [repr(name) for name in own if name not in first]
    less = [repr(name) for name in first if name not in own]
    told = [f"has {', '.join(more)}"] * bool(more) + [f"lacks {', '.join(less)}"] * bool(less)
    return Problem(path, f"has other columns than {other.name}: it {' and '.join(told)}",
                   "Rename them, or import the files one by one.", 1)  # fmt: skip
