"""A draft of a codebook from the codes of another program (``.qdc``): its codes, nothing else.

What a codebook needs and an exchange file does not hold stands as :data:`OPEN`, so that the draft
can be read by everything that reads codebooks and shows what is still to be written.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from framing.acquire.codings.kinds import of_a_kind
from framing.acquire.refi.codebooks import entry_of, kind_of
from framing.acquire.refi.project import ProjectCode
from framing.codebook.kinds import KINDS, one_of
from framing.common.problems import InputError, Problem, raise_if_any

OPEN = "TO BE WRITTEN"
_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LEVEL = re.compile(r"[-+]?[a-z0-9]+(?:-[a-z0-9]+)*")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_WIDTH = 100


@dataclass(frozen=True)
class Draft:
    """The text of a draft; by name in the file what each code is called in it; what was left out.

    ``called`` has full names (``Parent/Child``) and ids, a level as ``CODE.LEVEL``.
    """

    text: str
    called: dict[str, str]
    left_out: tuple[str, ...]


def draft_of(
    found: Sequence[ProjectCode], name: str, origin: str, *, hierarchies: bool = False
) -> Draft:
    """Return the draft of a codebook called ``name`` from the codes of a file, ``origin``.

    A code that says by its description that it has levels is one with the codes below it as levels.
    With ``hierarchies`` so is, of the kind one of, every code with two or more codes below it none
    of which has any itself. All other codes that can be given are yes/no codes, wherever they
    stand; codes that cannot, and are above others, are left out. Raises :class:`InputError` where
    two codes would have one id, a name gives none, and where there is no code.
    """
    below: dict[str, list[ProjectCode]] = defaultdict(list)
    for one in found:
        below[one.parent].append(one)
    codes: dict[str, Any] = {}
    called: dict[str, str] = {}
    left_out = []
    problems = []
    taken: dict[str, list[str]] = defaultdict(list)
    levels_of = {one.path: _kind(one, below, hierarchies=hierarchies) for one in found}
    for one in found:
        if levels_of.get(one.parent, ""):
            continue
        if not one.codable and below[one.path] and not levels_of[one.path]:
            left_out.append(one.path)
            continue
        own = id_of(one.name, _ID)
        taken[own].append(one.path)
        called[one.path] = own
        levels = below[one.path] if levels_of[one.path] else []
        entry = entry_of(one, levels, levels_of[one.path])
        if levels:
            names = [id_of(level.name, _LEVEL) for level in levels]
            called |= {level.path: f"{own}.{made}" for level, made in zip(levels, names,
                                                                         strict=True)}  # fmt: skip
            problems += _unusable(one.path, [*zip(names, levels, strict=True)], origin)
            if "ties" in entry:
                renamed = dict(zip((level.name for level in levels), names, strict=True))
                entry["ties"] = [_plain(renamed.get(tie, tie)) for tie in entry["ties"]]
            for row, made in zip(entry["levels"], names, strict=True):
                row["level"] = _plain(made)
                if row.get("number") == row["level"]:
                    del row["number"]
        codes[own] = _whole(entry)
    problems += _unusable("", [(own, one) for own, paths in taken.items() for one in found
                               if one.path in paths], origin)  # fmt: skip
    if not codes and not problems:
        problems = [Problem(origin, "holds no code that can be given", "Export it anew.")]
    raise_if_any(problems)
    return Draft(_text(codes, name, origin), called, tuple(left_out))


def _kind(
    one: ProjectCode, below: dict[str, list[ProjectCode]], *, hierarchies: bool
) -> str:  # fmt: skip
    """Return the kind of a code whose levels are the codes below it; empty where it has none."""
    own = below[one.path]
    if len(own) < 2 or any(below[child.path] for child in own):
        return ""
    named = kind_of(one)
    if named:
        return "" if KINDS[named].present else named
    return one_of.KIND.name if hierarchies else ""


def id_of(name: str, form: re.Pattern[str]) -> str:
    """Return a name as an id: Latin letters without marks, digits, hyphens; empty if none is left.

    >>> id_of("Who pays? (é)", _ID), id_of("-2", _LEVEL), id_of("-2", _ID)
    ('who-pays-e', '-2', '')
    """
    if form.fullmatch(name):
        return name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = "-".join(re.findall("[a-z0-9]+", plain))
    return made if form.fullmatch(made) else ""


def _unusable(
    above: str, named: Iterable[tuple[str, ProjectCode]], origin: str
) -> list[Problem]:  # fmt: skip
    """Return the codes (or levels of ``above``) whose names give no id, or the same."""
    holders: dict[str, list[str]] = defaultdict(list)
    for own, one in named:
        holders[own].append(one.path)
    nameless = holders.pop("", [])
    word = "level" if above else "code"
    problems = of_a_kind(
        origin, "has {} whose names give no id", [repr(path) for path in nameless],
        "An id begins with a Latin letter: rename them in the program.", word,
    )  # fmt: skip
    twice = [f"{own}: {' and '.join(map(repr, paths))}" for own, paths in holders.items()
             if len(paths) > 1]  # fmt: skip
    return problems + of_a_kind(
        origin, "has {} that several codes would have", twice,
        "Rename all but one of them in the program.", "id",
    )  # fmt: skip


def _plain(level: str) -> int | str:
    return int(level) if _INTEGER.fullmatch(level) else level


def _whole(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with what a codebook needs and the file lacks as :data:`OPEN`."""
    made = {**entry, "definition": entry["definition"] or OPEN}
    if "levels" in made:
        return made
    return {**made, "present": entry["present"] or [OPEN]}


def _text(codes: dict[str, Any], name: str, origin: str) -> str:
    head = (
        f"# A draft, made of the codes in {origin}. What is {OPEN} is what an exchange file does\n"
        "# not hold, besides cues (docs/cues.md) and all that a codebook may have.\n"
    )
    data = {
        "name": name or OPEN, "version": "0.1", "question": OPEN, "unit": OPEN,
        "codes": {own: _lean(entry) for own, entry in codes.items()}, "cues": [],
    }  # fmt: skip
    try:
        return head + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=_WIDTH)
    except yaml.YAMLError as error:
        raise InputError(
            Problem(origin, f"holds a text that no codebook can ({error})", "Take it out.")
        ) from None


def _lean(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value != [] or key == "exemplars"}
