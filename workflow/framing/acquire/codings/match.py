"""Which passage a row is about: by id, else by source and offsets, else by text. No guesses.

In: rows, options, the frozen passages, texts at hand. Out: for each row its passage and by which
way it was found, or why there is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from framing.acquire.codings.options import Options
from framing.acquire.codings.read import Rows

BY_ID, BY_OFFSETS, BY_TEXT = "by id", "by source and offsets", "by text"
BY_NORMALISED, BY_CASELESS = "by text, normalised", "by text, normalised, apart from case"
WAYS = (BY_ID, BY_OFFSETS, BY_TEXT, BY_NORMALISED, BY_CASELESS)
NO_PASSAGE, AMBIGUOUS, CHANGED_ID, TWO_PASSAGES = "no passage", "several", "changed id", "two"
_WHOLE = re.compile(r"([0-9]{1,15})(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?(?:[eE][+-]?[0-9]+)?|inf)", re.IGNORECASE)
_SHOWN_NUMBER = re.compile("[.,+]|inf", re.IGNORECASE)
_PLAIN = str.maketrans(
    {**dict.fromkeys("‘’‚‛′ʼ`´", "'"), **dict.fromkeys("“”„‟″«»", '"'),
     **dict.fromkeys("‐‑‒–—―−", "-"), "\xad": "", "…": "..."}
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What was found for a row: a passage by some way; or a kind of failure, and why."""

    passage: str = ""
    way: str = ""
    failure: str = ""
    why: str = ""
    candidates: tuple[str, ...] = ()


@dataclass
class Passages:
    """The frozen passages, by all they can be found by.

    ``texts`` has the text of each passage whose source is at hand; ``absent`` counts the sources
    that are not.
    """

    ids: Mapping[str, tuple[str, int, int]]
    texts: Mapping[str, str] = field(default_factory=dict)
    absent: int = 0
    by_place: dict[tuple[str, int, int], str] = field(default_factory=dict)
    by_source: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    by_number: dict[float, list[str]] = field(default_factory=lambda: defaultdict(list))
    by_text: list[dict[str, list[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Work out the tables by which passages are found."""
        for name, place in self.ids.items():
            self.by_place[place] = name
            self.by_source[place[0]].append(name)
            if _NUMBER.fullmatch(name):
                self.by_number[float(name)].append(name)
        self.by_text = [defaultdict(list) for _ in range(3)]
        for name, text in self.texts.items():
            for level, form in enumerate(_forms(text)):
                self.by_text[level][form].append(name)


def passages_of(
    passages: pd.DataFrame, texts: Mapping[str, str], sources: pd.DataFrame
) -> Passages:
    """Return the passages of a project; ``texts`` are those of the sources at hand."""
    ids = {
        str(row.passage_id): (str(row.source_id), int(row.start), int(row.end))
        for row in passages.itertuples()
    }
    cut = {
        name: texts[source][start:end]
        for name, (source, start, end) in ids.items()
        if source in texts
    }
    return Passages(ids, cut, len(sources) - len(texts))


def normalised(text: str) -> str:
    """Return a text as it is compared: NFC, blanks folded, quotes and dashes plain, case kept.

    >>> normalised("He said:  “no – never”")
    'He said: "no - never"'
    """
    return " ".join(unicodedata.normalize("NFC", text).translate(_PLAIN).split())


def _forms(text: str) -> tuple[str, str, str]:
    plain = normalised(text)
    return text.strip(), plain, plain.casefold()


def match(rows: Rows, options: Options, known: Passages) -> list[Found]:
    """Return what is found for each row.

    A way is tried where the row has something in its column; the first that has decides. Where a
    row has both an id and offsets they must agree.
    """
    return [_match(one, known) for one in _keys(rows, options)]


@dataclass(frozen=True)
class _Key:
    passage: str
    source: str
    start: str
    end: str
    text: str


def _keys(rows: Rows, options: Options) -> Iterator[_Key]:
    empty = [""] * len(rows.cells)
    names = (options.passage, options.source, options.start, options.end, options.text)
    columns = [rows.cells[name].tolist() if name else empty for name in names]
    for values in zip(*columns, strict=True):
        yield _Key(*values)


def _match(key: _Key, known: Passages) -> Found:
    offsets = bool(key.start or key.end)
    if key.passage:
        found = _by_id(key.passage, known)
        if found.passage and key.source and offsets:
            placed = _by_offsets(key, known)
            if placed.passage != found.passage:
                where = f"{key.source} {key.start}-{key.end}"
                return Found(failure=TWO_PASSAGES, why=f"{key.passage!r} is not at {where}")
        return found
    if offsets:
        return _by_offsets(key, known)
    if key.text:
        return _by_text(key, known)
    return Found(failure=NO_PASSAGE, why="names no passage")


def _by_id(name: str, known: Passages) -> Found:
    if name in known.ids:
        return Found(name, BY_ID)
    if _NUMBER.fullmatch(name):
        meant = _read_as_number(name, known)
        if meant or _SHOWN_NUMBER.search(name):
            return Found(failure=CHANGED_ID, why=repr(name), candidates=tuple(meant))
    return Found(failure=NO_PASSAGE, why=f"no passage has the id {name!r}")


def _read_as_number(name: str, known: Passages) -> list[str]:
    """Return the passages whose ids, read as numbers, are shown as ``name``."""
    text = name.replace(",", ".")
    number = float(text)
    if number in known.by_number:
        return known.by_number[number]
    # A spreadsheet shows, and saves, some digits only.
    digits = len(re.sub(r"[eE].*|[^0-9]", "", text).lstrip("0")) - 1
    if "e" not in text.lower() or not 0 < digits < 15:
        return []
    shown = f"{number:.{digits}e}"
    return [one for value, names in known.by_number.items() for one in names
            if f"{value:.{digits}e}" == shown]  # fmt: skip


def _by_offsets(key: _Key, known: Passages) -> Found:
    start, end = _WHOLE.fullmatch(key.start), _WHOLE.fullmatch(key.end)
    if not key.source or start is None or end is None:
        where = f"{key.source!r} {key.start!r} to {key.end!r}"
        return Found(failure=NO_PASSAGE, why=f"{where} is no source with two whole numbers")
    if key.source not in known.by_source:
        return Found(failure=NO_PASSAGE, why=f"no source {key.source!r} has passages")
    place = (key.source, int(start[1]), int(end[1]))
    if place in known.by_place:
        return Found(known.by_place[place], BY_OFFSETS)
    return Found(
        failure=NO_PASSAGE, why=f"no passage of {place[0]} runs from {place[1]} to {place[2]}",
        candidates=tuple(_overlapping(place, known)),
    )  # fmt: skip


def overlap(one: tuple[str, int, int], other: tuple[str, int, int]) -> float:
    """Return which part of two ranges of a source is in both: 1 where they are the same."""
    common = min(one[2], other[2]) - max(one[1], other[1])
    whole = max(one[2], other[2]) - min(one[1], other[1])
    return max(common, 0) / whole if whole > 0 and one[0] == other[0] else 0.0


def _overlapping(place: tuple[str, int, int], known: Passages) -> list[str]:
    names = [name for name in known.by_source[place[0]] if overlap(place, known.ids[name])]
    return sorted(names, key=lambda name: (-overlap(place, known.ids[name]), name))[:1]


def _by_text(key: _Key, known: Passages) -> Found:
    for level, form in enumerate(_forms(key.text)):
        names = known.by_text[level].get(form, [])
        if key.source:
            names = [name for name in names if known.ids[name][0] == key.source]
        if len(names) == 1:
            return Found(names[0], (BY_TEXT, BY_NORMALISED, BY_CASELESS)[level])
        if names:
            return Found(failure=AMBIGUOUS, why=f"{len(names)} passages have this text: "
                         f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}",
                         candidates=tuple(names))  # fmt: skip
    return Found(failure=NO_PASSAGE, why="no passage has this text")
