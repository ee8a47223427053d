"""Codes and their levels: what passages are coded for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from framing.codebook.kinds import KINDS, YES_NO
from framing.codebook.kinds.kind import Kind
from framing.common.files import repeated
from framing.common.problems import Problem

OF_LEVEL = "."
"""What stands between a code and its level in the name of an indicator."""


@dataclass(frozen=True)
class Exemplar:
    """A passage written to teach, and the one line that says why it is where it is."""

    text: str
    reason: str


@dataclass(frozen=True)
class Level:
    """A level of a code: when a passage has it, what is not enough, and exemplars of both.

    ``name`` is what stands in a coder's cell; ``number`` is what counts in a mean, where the levels
    of the code are ordered, else NaN. ``indicator`` names the yes/no code "has this level", and is
    empty for the absence of a yes/no code, which nothing counts.
    """

    name: str
    label: str
    indicator: str
    number: float = math.nan
    definition: str = ""
    present: tuple[str, ...] = ()
    not_enough: tuple[str, ...] = ()
    carrying: tuple[Exemplar, ...] = ()
    near_misses: tuple[Exemplar, ...] = ()


@dataclass(frozen=True)
class Code:
    """A code: a variable with levels, of which each passage has one.

    ``ties`` are positions of levels: of levels that coders are evenly split between, the one that
    stands first there counts. A yes/no code has the levels 0 and 1, is *present* where it has 1,
    and leaves ties to the configuration (``coders.tie``).
    """

    name: str
    label: str
    definition: str
    kind: Kind
    levels: tuple[Level, ...]
    ties: tuple[int, ...] = ()

    @property
    def counted(self) -> tuple[Level, ...]:
        """Return the levels whose shares are estimated: of a yes/no code its presence alone."""
        return tuple(level for level in self.levels if level.indicator)

    @property
    def cells(self) -> tuple[str, ...]:
        """Return what may stand in a coder's cell, beside ``NA``, in the order of levels."""
        return tuple(level.name for level in self.levels)


def read_code(name: str, code: Mapping[str, Any]) -> Code:
    """Return a code from its entry in a codebook, which its schema fits."""
    kind = KINDS[code.get("kind", YES_NO.name)]
    label, definition = one_line(code["label"]), one_line(code["definition"])
    if kind.present:
        return yes_no_code(name, label, definition, **_taught(code))
    levels = tuple(_level(name, level) for level in code["levels"])
    names = [level.name for level in levels]
    first = [names.index(str(one)) for one in code.get("ties", ()) if str(one) in names]
    ties = dict.fromkeys([*first, *range(len(levels))])
    return Code(name, label, definition, kind, levels, tuple(ties))


def yes_no_code(name: str, label: str, definition: str, **taught: Any) -> Code:
    """Return a yes/no code; ``taught`` are rules and exemplars of its presence (:class:`Level`)."""
    levels = (Level("0", "absent", "", 0.0), Level("1", "present", name, 1.0, **taught))
    return Code(name, label, definition, YES_NO, levels)


def _level(code: str, level: Mapping[str, Any]) -> Level:
    name = str(level["level"])
    number = level.get("number", level["level"])
    return Level(
        name=name,
        label=one_line(level.get("label", name)),
        indicator=f"{code}{OF_LEVEL}{name}",
        number=math.nan if isinstance(number, str) else float(number),
        definition=one_line(level.get("definition", "")),
        **_taught(level),
    )


def _taught(part: Mapping[str, Any]) -> dict[str, Any]:
    exemplars = part.get("exemplars", {})
    return {
        "present": tuple(one_line(rule) for rule in part.get("present", ())),
        "not_enough": tuple(one_line(rule) for rule in part.get("not_enough", ())),
        "carrying": _exemplars(exemplars.get("carrying", ())),
        "near_misses": _exemplars(exemplars.get("near_misses", ())),
    }


def _exemplars(rows: Iterable[Mapping[str, str]]) -> tuple[Exemplar, ...]:
    return tuple(Exemplar(one_line(row["text"]), one_line(row["reason"])) for row in rows)


def one_line(text: str) -> str:
    """Return a text with each run of white space, line ends too, as one space."""
    return " ".join(text.split())


def code_problems(codes: Mapping[str, Mapping[str, Any]], place: Path) -> list[Problem]:
    """Return where what stands under a code does not go with its kind.

    ``codes`` are the entries of a codebook, which its schema fits.
    """
    problems = []
    for name, entry in codes.items():
        code = read_code(name, entry)
        where = f"{place}: code {name!r}"
        problems += [Problem(where, what, remedy) for what, remedy in _wrong(code, entry)]
    return problems


def _wrong(code: Code, entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is wrong with a code, and what to do."""
    kind = code.kind.name
    if code.kind.present:
        return [
            (f"has {key!r}, which a code of the kind {kind} has not", "Remove it, or set `kind`.")
            for key in ("levels", "ties")
            if key in entry
        ]
    names = [str(level["level"]) for level in entry["levels"]]
    wrong = [(f"has the level {name!r} twice", "Rename one of them.") for name in repeated(names)]
    wrong += [
        (f"has {key!r}, but is of the kind {kind}", "Give rules and exemplars to its levels.")
        for key in ("present", "not_enough", "exemplars")
        if key in entry
    ]
    wrong += [
        (f"'ties' names {one!r}, which is none of its levels", f"Levels: {', '.join(names)}.")
        for one in entry.get("ties", ())
        if str(one) not in names
    ]
    if code.kind.ordered:
        wrong += [
            (f"the level {level.name!r} has no number", "Add `number:`, or name it by a number.")
            for level in code.levels
            if math.isnan(level.number)
        ]
        wrong += [
            (f"the level {after.name!r} is not above {before.name!r}",
             "Give levels in their order, from the lowest number to the highest.")
            for before, after in pairwise(code.levels)
            if after.number <= before.number
        ]  # fmt: skip
    return wrong
