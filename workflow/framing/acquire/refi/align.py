"""Which source a document is, and where a selection of it lies in the source's canonical text.

A document is a source by its name (the source's id, with or without the ending of a file), else by
its title, else by its text; or it is a single passage, by the passage's id. Where its text is the
canonical one, offsets are the same; where it differs in white space only, or is the passages'
texts one after the other, characters are counted off; else the selected text itself is looked for,
white space and Unicode normal form aside. Nothing is ever placed by likeness.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
import pandas as pd

from framing.acquire.refi.project import Document
from framing.common.files import sha256

Place = Callable[[int, int], "tuple[int, int] | str"]
"""Start and end in a document → start and end in the canonical text, or why there is none."""

_MISSING = "the text of the source is not at hand"
_CHANGED = "the selected text does not occur in the source"
_SEVERAL = "the selected text occurs several times in the source"
_BLANK = "only white space is selected"


@dataclass(frozen=True)
class Corpus:
    """What documents are compared with.

    ``sources`` has ``source_id title sha256`` (the last may be missing), ``passages`` has
    ``passage_id source_id start end``, ``texts`` are those at hand by source, ``digests`` the
    SHA-256 digests of passages (derived facts have them), which can stand in for a text.
    """

    sources: pd.DataFrame
    passages: pd.DataFrame
    texts: Mapping[str, str]
    digests: Mapping[str, str]


@dataclass(frozen=True)
class Target:
    """The source a document is, the passage where it is only one, and how it was found."""

    source_id: str
    passage_id: str = ""
    by: str = "name"


def same_words(text: str) -> str:
    """Return a digest of a text that white space and Unicode normal form do not change."""
    return sha256(" ".join(unicodedata.normalize("NFC", text).split()))


def targets(documents: Iterable[Document], corpus: Corpus) -> dict[str, Target]:
    """Return the source of each document that is one, by the document's guid."""
    ids = list(corpus.sources["source_id"])
    of_passage = dict(zip(corpus.passages["passage_id"], corpus.passages["source_id"], strict=True))
    names = {name: name for name in ids}
    folded = _unique((name.casefold(), name) for name in ids)
    titles = _unique(
        (_plain(title), name)
        for name, title in zip(ids, corpus.sources["title"], strict=True) if _plain(title)
    )  # fmt: skip
    at_hand = {name: text for name, text in corpus.texts.items() if text.strip()}
    bodies = _unique((same_words(text), name) for name, text in at_hand.items())
    found = {}
    for one in documents:
        stem = PurePath(one.name).stem if PurePath(one.name).suffix else one.name
        for called in (one.name, stem):
            if source := names.get(called) or folded.get(called.casefold()):
                found[one.guid] = Target(source)
            elif called in of_passage:
                found[one.guid] = Target(of_passage[called], called)
            elif source := titles.get(_plain(called)):
                found[one.guid] = Target(source, by="title")
            else:
                continue
            break
        else:
            if source := bodies.get(same_words(one.text)):
                found[one.guid] = Target(source, by="text")
    return found


def _plain(title: str) -> str:
    return " ".join(unicodedata.normalize("NFC", title).casefold().split())


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a mapping without the keys that lead to several values."""
    found: dict[str, str] = {}
    twice = set()
    for key, value in pairs:
        if found.setdefault(key, value) != value:
            twice.add(key)
    return {key: value for key, value in found.items() if key not in twice}


def place_of(document: Document, target: Target, corpus: Corpus) -> Place:
    """Return the function that places selections of a document in the text of its source."""
    passages = corpus.passages
    canonical = corpus.texts.get(target.source_id)
    if target.passage_id:
        row = passages[passages["passage_id"] == target.passage_id].iloc[0]
        first, last = int(row["start"]), int(row["end"])
        own = None if canonical is None else canonical[first:last]
        digest = corpus.digests.get(target.passage_id)
        if document.text == own or (own is None and digest == sha256(document.text)):
            return lambda start, end: (start + first, end + first)
        spans = [(first, last)]
    else:
        known = _digests(corpus).get(target.source_id)
        if document.text == canonical or (canonical is None and known == sha256(document.text)):
            return lambda start, end: (start, end)
        rows = passages[passages["source_id"] == target.source_id].sort_values("start")
        spans = [(int(one.start), int(one.end)) for one in rows.itertuples()]
    if canonical is None:
        return lambda start, end: _MISSING
    squeezed, whole = _squeezed(document.text), [(0, len(canonical))]
    for parts in [spans] if target.passage_id else [whole, spans]:
        place = _counted_off(squeezed, canonical, parts)
        if place is not None:
            return place
    return _searched(document.text, canonical)


def _digests(corpus: Corpus) -> dict[str, str]:
    if "sha256" not in corpus.sources.columns:
        return {}
    return dict(zip(corpus.sources["source_id"], corpus.sources["sha256"], strict=True))


def _squeezed(text: str, offset: int = 0) -> tuple[str, npt.NDArray[np.int64]]:
    """Return a text without white space, and where each of its characters stood."""
    places = [number for number, char in enumerate(text) if not char.isspace()]
    return "".join(text.split()), np.asarray(places, dtype=np.int64) + offset


def _counted_off(
    squeezed: tuple[str, npt.NDArray[np.int64]], canonical: str, parts: list[tuple[int, int]]
) -> Place | None:
    """Return a place by counting characters, where the document is just ``parts`` of the text."""
    characters, places = squeezed
    pieces = [_squeezed(canonical[start:end], start) for start, end in parts]
    if not characters or characters != "".join(piece for piece, _ in pieces):
        return None
    there = np.concatenate([where for _, where in pieces])

    def place(start: int, end: int) -> tuple[int, int] | str:
        first, last = np.searchsorted(places, [start, end])
        if first == last:
            return _BLANK
        return int(there[first]), int(there[last - 1]) + 1

    return place


def _searched(text: str, canonical: str) -> Place:
    def place(start: int, end: int) -> tuple[int, int] | str:
        words = unicodedata.normalize("NFC", text[start:end]).split()
        if not words:
            return _BLANK
        pattern = re.compile(r"\s+".join(re.escape(word) for word in words))
        found = [match.span() for match in pattern.finditer(canonical)]
        if len(found) == 1:
            return found[0]
        if not found:
            return _CHANGED
        # As often here as there: the third is the third.
        before = unicodedata.normalize("NFC", text[:start])
        all_of_it = [match.start() for match in
                     pattern.finditer(unicodedata.normalize("NFC", text))]  # fmt: skip
        number = sum(at < len(before.rstrip()) for at in all_of_it)
        return found[number] if len(all_of_it) == len(found) > number else _SEVERAL

    return place


def nearest(quote: str, source_id: str, corpus: Corpus) -> tuple[str, float]:
    """Return the passage of a source that shares most words with a text, and the share (Jaccard).

    An empty id where the text of the source is not at hand or nothing is shared.
    """
    text, wanted = corpus.texts.get(source_id), set(quote.casefold().split())
    best = ("", 0.0)
    if text is None or not wanted:
        return best
    for row in corpus.passages[corpus.passages["source_id"] == source_id].itertuples():
        words = set(text[row.start : row.end].casefold().split())
        share = len(wanted & words) / len(wanted | words)
        if share > best[1]:
            best = (str(row.passage_id), round(share, 6))
    return best
