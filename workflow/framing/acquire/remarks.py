"""What is said of many documents: one line a kind with a count, and a file with each of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from framing.acquire.source import Addition, left_out, report_rows, tidy
from framing.common.problems import Problem

REPORT = Path("build/added.tsv")
COLUMNS = ("document", "source_id", "outcome", "remark", "times")
JOINED, LEFT_OUT = "joins", "left out"

FEW = 20
"""Of so many documents, or problems, each is told in full."""

_SHOWN = 25  # kinds of remarks
_WIDTH = 72  # characters of a dropped line that the screen shows
# What differs between remarks of one kind: ids and names, quoted values, numbers.
_NAMES = re.compile(
    r"(?<=stands in )\w+ of \S+|(?<=the same text as )\S+|(?<=near duplicate of )\S+"
    r"|(?<=passage )\w+"
    r"|(?<=is in )[\w, ]+ of (?!the same source)\S+|(?<=is in )[\w, ]+(?= of the same source)"
    r"|'[^']*'|\"[^\"]*\"|\d[\d.,]*(?=\D|$)"
)


def kind_of(remark: str) -> str:
    """Return a remark without what differs between those of its kind.

    >>> kind_of("has the unknown group 'nobody'")
    'has the unknown group …'
    """
    return _NAMES.sub("…", remark.split("; ")[0])


def of_each_kind(problems: Sequence[Problem]) -> list[Problem]:
    """Return the first problem of each kind, with how many there are; few are told in full."""
    if len(problems) <= FEW:
        return list(problems)
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Problem] = {}
    for one in problems:
        kind = kind_of(one.what), kind_of(one.remedy)
        counts[kind] += 1
        first.setdefault(kind, one)
    told = [
        replace(one, what=f"{one.what} (and {counts[kind] - 1:,} more like it)")
        if counts[kind] > 1
        else one
        for kind, one in first.items()
    ]
    if len(told) > _SHOWN:
        left = sum(counts.values()) - sum(list(counts.values())[:_SHOWN])
        more = Problem(REPORT, f"has {left:,} more problems of other kinds", "Look there.")
        told = [*told[:_SHOWN], more]
    return told


class Remarks:
    """Counts remarks by kind; each also goes to a file, a row each, if there is one.

    Remarks hold no prose of a text: what was left out of one stands beside it.
    """

    def __init__(self, file: IO[str] | None = None) -> None:
        self._file = file
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._line(COLUMNS)

    @property
    def everything(self) -> bool:
        """Return whether every remark goes to a file."""
        return self._file is not None

    def add(self, document: str, source_id: str, outcome: str, remark: str, times: int = 1) -> None:
        """Take a remark on a document, or on so many pieces of it."""
        self._line([document, source_id, outcome, remark, str(times)])
        kind = kind_of(remark)
        self._counts[kind] += times
        self._first.setdefault(kind, f"{source_id or document}: {remark}")

    def problem(self, problem: Problem) -> None:
        """Take what is wrong with a document; it is told apart from the rest."""
        place = str(problem.place) + (f", line {problem.row}" if problem.row is not None else "")
        self._line([place, "", LEFT_OUT, f"{problem.what}. {problem.remedy}", "1"])

    def _line(self, fields: Iterable[str]) -> None:
        if self._file is not None:
            self._file.write("\t".join(tidy(field) for field in fields) + "\n")

    def lines(self) -> list[str]:
        """Return a line for each kind, the most frequent first: of one remark all of it."""
        kinds = sorted(self._counts.items(), key=lambda one: (-one[1], one[0]))
        told = [
            f"{number:,} × {kind}" if number > 1 else self._first[kind]
            for kind, number in kinds[:_SHOWN]
        ]
        if len(kinds) > _SHOWN:
            told.append(f"and {sum(number for _, number in kinds[_SHOWN:]):,} others")
        return told


@contextmanager
def reported(wanted: bool) -> Iterator[Remarks]:
    """Give what takes remarks; they go to :data:`REPORT` if that is ``wanted``, whole or not."""
    if not wanted:
        yield Remarks()
        return
    part = REPORT.with_name(f".{REPORT.name}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield Remarks(file)
        part.replace(REPORT)
    finally:
        part.unlink(missing_ok=True)


# --- one of few -----------------------------------------------------------------------------------


def shown(made: Addition, *, everything: bool) -> list[str]:
    """Return what becomes of a document: its row, passages, and what was left out, by reason.

    With ``everything`` also how each passage begins, and each piece that was left out.
    """
    row = made.source
    told = [f"{name} {row[name]}" for name in ("speaker", "group", "date", "genre", "url")
            if row[name]]  # fmt: skip
    words = sum(one.words for one in made.passages)
    lines = [
        f"{made.source_id}: {row['title']}",
        f"  {'; '.join(told)}",
        f"  read as {made.kind} by {made.read_by}: {row['words']} words, "
        f"{len(made.passages)} passages with {words} words",
        *(f"  note: {note}" for note in made.notes),
        *(f"  left out ({number}): {reason}" for reason, number in left_out(made)),
    ]
    if not everything:
        return lines
    for one in made.passages:
        start = " ".join(made.text[one.start : one.end].split())
        lines.append(f"  passage {one.passage_id} ({one.start}-{one.end}, {one.words} words): "
                     f"{_shortened(start)}")  # fmt: skip
    lines += [f"  left out, {line['place']}, {line['reason']}: {_shortened(line['text'])}"
              for line in report_rows(made)]  # fmt: skip
    return lines


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
