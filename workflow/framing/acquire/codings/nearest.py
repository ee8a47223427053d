"""The nearest passage to a row that matches none: shown to a person, never taken.

Candidates are those that share the beginning or the end of an id, or rare words of a text; only
these are compared, and only for the first rows, so that a wrong column does not take an hour.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from framing.acquire.codings.match import NO_PASSAGE, Found, Passages, normalised, overlap
from framing.acquire.codings.options import Options
from framing.acquire.codings.read import Rows

MOST_ROWS = 200
_MOST_IDS, _MOST_TEXTS, _MOST_WORDS = 200, 5, 400
_ENDS = 3  # characters of an id
_LEAST = 0.5  # a candidate that is less like it is none
_WORD = re.compile(r"\w+")
_OFFSETS = re.compile(r"[0-9]+")


def nearest(
    rows: Rows, options: Options, found: Sequence[Found], known: Passages
) -> dict[int, tuple[str, float]]:
    """Return row → (passage, similarity) for rows that match no passage but are near one."""
    missing = [number for number, one in enumerate(found) if one.failure == NO_PASSAGE]
    ids, texts = _Ids(known), _Texts(known)
    near: dict[int, tuple[str, float]] = {}
    for row in missing[:MOST_ROWS]:
        cell = {name: str(rows.cells[column].iat[row]) if column else ""
                for name, column in (("passage", options.passage), ("text", options.text),
                                     ("start", options.start), ("end", options.end))}  # fmt: skip
        if found[row].candidates:
            name = found[row].candidates[0]
            place = known.ids[name]
            start, end = (int(_OFFSETS.findall(cell[key])[0]) for key in ("start", "end"))
            near[row] = (name, overlap((place[0], start, end), place))
        else:
            by_id = ids.nearest(cell["passage"]) if cell["passage"] else None
            by_text = texts.nearest(cell["text"]) if cell["text"] and not by_id else None
            if one := by_id or by_text:
                near[row] = one
    return near


class _Ids:
    """Ids by their beginnings and ends; looked up only once somebody asks."""

    def __init__(self, known: Passages) -> None:
        self._known = known
        self._by_end: dict[tuple[str, str], list[str]] = {}

    def nearest(self, wanted: str) -> tuple[str, float] | None:
        if not self._by_end:
            self._by_end = defaultdict(list)
            for name in self._known.ids:
                self._by_end["head", name[:_ENDS].casefold()].append(name)
                self._by_end["tail", name[-_ENDS:].casefold()].append(name)
        name = wanted.casefold()
        same = self._by_end.get(("head", name[:_ENDS]), [])[:_MOST_IDS]
        same = same + self._by_end.get(("tail", name[-_ENDS:]), [])[:_MOST_IDS]
        return _best((one, _alike(wanted[:100], one)) for one in dict.fromkeys(same))


class _Texts:
    """Passages at hand by their words."""

    def __init__(self, known: Passages) -> None:
        self._known = known
        self._words: dict[str, list[str]] = {}
        self._holding: dict[str, list[str]] = {}

    def nearest(self, wanted: str) -> tuple[str, float] | None:
        if not self._words:
            self._holding = defaultdict(list)
            for name, text in self._known.texts.items():
                self._words[name] = _words(text)
                for word in set(self._words[name]):
                    self._holding[word].append(name)
        own = _words(wanted)
        weight: dict[str, float] = defaultdict(float)
        for word in set(own):
            holders = self._holding.get(word, [])
            for name in holders:
                weight[name] += math.log(1 + len(self._words) / len(holders))
        first = sorted(weight, key=lambda name: (-weight[name], name))[:_MOST_TEXTS]
        return _best((name, _alike(own, self._words[name])) for name in first)


def _words(text: str) -> list[str]:
    return _WORD.findall(normalised(text).casefold())[:_MOST_WORDS]


def _alike(one: Sequence[str], other: Sequence[str]) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _best(candidates: Iterable[tuple[str, float]]) -> tuple[str, float] | None:
    good = [one for one in candidates if one[1] >= _LEAST]
    return min(good, key=lambda one: (-one[1], one[0]), default=None)
