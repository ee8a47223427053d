"""What a new source repeats: of the corpus and of itself; exactly, nearly, or in quotations.

Texts of the corpus are mostly not at hand, so passages are compared by what derived facts hold of
them: digests and word counts. Two bags of words that are alike are a copy: in passages of twenty
words and more chance does not get near it (docs/settings.md, ``intake.duplicates``, says what was
measured). Where texts are at hand, runs of words confirm it.

In: derived facts (:mod:`framing.corpus.derived`) of the corpus and of the new source. Out:
:class:`Duplicates`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from framing.acquire.passage_index import Index, Ints, count_matrix, index_of, presence
from framing.corpus.derived import Facts

_WORD = re.compile(r"\w+")

# Passages are only compared in full where they share this part of the rarer words of one of them.
# Copies share far more, others far less.
_CANDIDATE = 0.3
_AT_ONCE = 20_000  # pairs compared in one go


@dataclass(frozen=True)
class Pair:
    """A passage and what it is found in: a passage of ``source_id``, or two that follow each other.

    ``similarity`` is the weighted Jaccard similarity of their words, ``contained`` the part of the
    words of the shorter side that occurs in the other; ``same`` says that the digests are equal.
    """

    passage_id: str
    source_id: str
    others: tuple[str, ...]
    similarity: float
    contained: float
    same: bool = False


@dataclass(frozen=True)
class Runs:
    """How two texts share runs of words, as shares of distinct runs.

    ``jaccard`` of all runs of both, ``contained`` of those of the first, ``containing`` of those of
    the second.
    """

    jaccard: float
    contained: float
    containing: float


@dataclass(frozen=True)
class Likeness:
    """A source of which much is in the new one, or in which much of the new one is.

    ``share`` is the part of the words of the new source, in its passages, that is found in this
    one, ``share_of_other`` the reverse; ``runs`` compares the texts where both are at hand.
    """

    source_id: str
    share: float
    share_of_other: float
    pairs: tuple[Pair, ...]
    runs: Runs | None = None


@dataclass(frozen=True)
class Duplicates:
    """What a new source repeats.

    ``same_text``: sources with the very same text; ``near``: sources that are much alike, the most
    alike first; ``quoted``: passages found in other sources; ``repeats``: passages found in other
    passages of the source itself (each pair once, the later passage first).
    """

    source_id: str
    same_text: tuple[str, ...] = ()
    near: tuple[Likeness, ...] = ()
    quoted: tuple[Pair, ...] = ()
    repeats: tuple[Pair, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything was found."""
        return bool(self.same_text or self.near or self.quoted or self.repeats)


def compare(
    facts: Facts,
    index: Index,
    settings: Mapping[str, Any],
    text: str = "",
    texts: Callable[[str], str | None] | None = None,
) -> Duplicates:
    """Return what the source of ``facts`` repeats of the corpus and of itself.

    ``index`` may hold the source itself: what has its id is passed over. ``settings`` are those of
    :func:`framing.acquire.settings.intake_settings` under ``duplicates``. With ``text``, the text
    of the source, sources with a passage in common are compared by runs of words too, if ``texts``
    returns their text.
    """
    own = facts["source_id"]
    others = [pair for pair in _pairs(facts, index, settings) if pair.source_id != own]
    of_source: dict[str, list[Pair]] = defaultdict(list)
    for pair in others:
        of_source[pair.source_id].append(pair)
    same = tuple(one for one in index.texts.get(facts["text_sha256"], ()) if one != own)
    near = []
    for source, pairs in of_source.items():
        if source in same:
            continue
        likeness, enough = _likeness(facts, index, source, pairs, settings)
        other_text = texts(source) if text and texts is not None else None
        if other_text is not None:
            likeness = replace(likeness, runs=runs_in_common(text, other_text, settings["run"]))
            enough = enough or _alike(likeness.runs, settings)
        if enough:
            near.append(likeness)
    near.sort(key=lambda one: (-max(one.share, one.share_of_other), one.source_id))
    told = {*same, *(one.source_id for one in near)}
    return Duplicates(
        source_id=own,
        same_text=same,
        near=tuple(near),
        quoted=tuple(pair for pair in others if pair.source_id not in told),
        repeats=tuple(_repeats(facts, settings)),
    )


def runs_in_common(text: str, other: str, length: int) -> Runs:
    """Return how two texts share runs of ``length`` words (see :class:`Runs`)."""
    mine, theirs = _runs(text, length), _runs(other, length)
    both = len(mine & theirs)
    return Runs(_part(both, len(mine | theirs)), _part(both, len(mine)), _part(both, len(theirs)))


def duplicate_lines(found: Duplicates) -> list[str]:
    """Return what was found in words, a line each, without any prose of a source."""
    lines = [f"the same text as {source}" for source in found.same_text]
    for one in found.near:
        runs = ""
        if one.runs is not None:
            runs = f"; {one.runs.contained:.0%} of its runs of words are in that text"
        lines.append(
            f"a near duplicate of {one.source_id}: {one.share:.0%} of its words are there, "
            f"{one.share_of_other:.0%} of that source's words are here{runs}"
        )
    lines += [_pair_line(pair, f"{', '.join(pair.others)} of {pair.source_id}")
              for pair in found.quoted]  # fmt: skip
    lines += [_pair_line(pair, f"{', '.join(pair.others)} of the same source")
              for pair in found.repeats]  # fmt: skip
    return lines


def _pair_line(pair: Pair, where: str) -> str:
    how = "the same" if pair.same else f"{pair.contained:.0%} of the words"
    return f"passage {pair.passage_id} is in {where} ({how})"


# --- passages -------------------------------------------------------------------------------------


def _pairs(facts: Facts, index: Index, settings: Mapping[str, Any]) -> list[Pair]:
    """Return all pairs of a passage of ``facts`` and of the index, in the order of both."""
    rows = facts["passages"]
    if not rows or not index.passages:
        return []
    query = _Query.of([row["counts"] for row in rows], index)
    direct = _direct(query, index, settings)
    for place, row in enumerate(rows):
        for other in index.digests.get(row["sha256"], ()):
            direct[place, other] = (1.0, 1.0, True)
    made = [
        ((a, b), Pair(rows[a]["passage_id"], index.sources[b], (index.passages[b],), *measures))
        for (a, b), measures in direct.items()
    ]
    # Where a passage was found whole, the same passage and its neighbour say no more.
    known = {(a, index.sources[b]) for a, b in direct}
    made += [
        (
            (a, b),
            Pair(rows[a]["passage_id"], index.sources[b], index.passages[b : b + 2], *measures),
        )
        for (a, b), measures in _across(query, index, settings).items()
        if (a, index.sources[b]) not in known
    ]
    return [pair for _, pair in sorted(made, key=lambda one: one[0])]


@dataclass(frozen=True)
class _Query:
    """Passages of a new source (M): counts of words the index knows (M × V), sizes, rarer words."""

    counts: sparse.csr_array
    sizes: Ints
    rare: Ints
    shared: sparse.csr_array

    @classmethod
    def of(cls, bags: Sequence[Mapping[str, int]], index: Index) -> _Query:
        counts = count_matrix(bags, index.vocabulary)
        present = presence(counts)
        common = np.asarray(present @ index.common.astype(np.intp), dtype=np.intp)
        distinct = np.array([len(bag) for bag in bags], dtype=np.intp)
        return cls(
            counts=counts,
            sizes=np.array([sum(bag.values()) for bag in bags], dtype=np.intp),
            rare=distinct - common,
            shared=(present @ index.postings).tocsr(),
        )


Measures = dict[tuple[int, int], tuple[float, float, bool]]


def _direct(query: _Query, index: Index, settings: Mapping[str, Any]) -> Measures:
    """Return similarity and containment of the pairs of single passages that reach a threshold."""
    found: Measures = {}
    shared = query.shared.tocoo()
    fewer = np.minimum(query.rare[shared.row], index.rare[shared.col])
    keep = shared.data >= _CANDIDATE * fewer
    for a, b in _portions(shared.row[keep], shared.col[keep]):
        both = _overlap(query.counts[a], index.counts[b])
        sizes = query.sizes[a], index.sizes[b]
        less = np.minimum(*sizes)
        similarity = np.round(both / (sizes[0] + sizes[1] - both), 6)
        contained = np.round(both / less, 6)
        good = (similarity >= settings["similar"]) & (less >= settings["min_words"])
        good |= (contained >= settings["contained"]) & (less >= settings["contained_words"])
        for place in np.flatnonzero(good):
            pair = int(a[place]), int(b[place])
            found[pair] = (float(similarity[place]), float(contained[place]), False)
    return found


def _across(query: _Query, index: Index, settings: Mapping[str, Any]) -> Measures:
    """Return the passages that lie across two that follow each other, keyed by the first."""
    found: Measures = {}
    # What both hold is counted twice: these are candidates only.
    shared = (query.shared @ index.follows.T).tocoo()
    keep = shared.data >= _CANDIDATE * query.rare[shared.row]
    keep &= query.sizes[shared.row] >= settings["contained_words"]
    for a, pair in _portions(shared.row[keep], shared.col[keep]):
        b = index.first[pair]
        both = _overlap(query.counts[a], index.counts[b] + index.counts[b + 1])
        sizes = query.sizes[a], index.sizes[b] + index.sizes[b + 1]
        similarity = np.round(both / (sizes[0] + sizes[1] - both), 6)
        contained = np.round(both / sizes[0], 6)
        for place in np.flatnonzero(contained >= settings["contained"]):
            key = int(a[place]), int(b[place])
            found[key] = (float(similarity[place]), float(contained[place]), False)
    return found


def _repeats(facts: Facts, settings: Mapping[str, Any]) -> Iterator[Pair]:
    order = {row["passage_id"]: place for place, row in enumerate(facts["passages"])}
    for pair in _pairs(facts, index_of([facts]), settings):
        if len(pair.others) == 1 and order[pair.passage_id] > order[pair.others[0]]:
            yield pair


def _overlap(some: sparse.csr_array, others: sparse.csr_array) -> Ints:
    """Return how many words, each as often as in both, the rows of two matrices share."""
    return np.asarray(some.minimum(others).sum(axis=1), dtype=np.intp).ravel()


def _portions(a: Ints, b: Ints) -> Iterator[tuple[Ints, Ints]]:
    for start in range(0, len(a), _AT_ONCE):
        yield a[start : start + _AT_ONCE], b[start : start + _AT_ONCE]


# --- sources --------------------------------------------------------------------------------------


def _likeness(
    facts: Facts, index: Index, source: str, pairs: Sequence[Pair], settings: Mapping[str, Any]
) -> tuple[Likeness, bool]:
    """Return how alike the sources are by their pairs, and whether that makes a near duplicate."""
    places = [place for place, name in enumerate(index.sources) if name == source]
    theirs = {index.passages[place]: int(index.words[place]) for place in places}
    mine = {row["passage_id"]: int(row["words"]) for row in facts["passages"]}
    here: dict[str, float] = defaultdict(float)
    there: dict[str, float] = defaultdict(float)
    for pair in pairs:
        of_others = sum(theirs[one] for one in pair.others)
        shared = min(mine[pair.passage_id], of_others)
        # A greeting that many share says nothing of the rest.
        if shared < settings["min_words"]:
            continue
        here[pair.passage_id] += shared
        for one in pair.others:
            there[one] += shared * theirs[one] / of_others
    found = sum(min(mine[one], words) for one, words in here.items())
    found_there = sum(min(theirs[one], words) for one, words in there.items())
    share, share_of_other = (
        _part(found, sum(mine.values())),
        _part(found_there, sum(theirs.values())),
    )
    enough = (share >= settings["source"] and found >= settings["source_words"]) or (
        share_of_other >= settings["source"] and found_there >= settings["source_words"]
    )
    return Likeness(source, share, share_of_other, tuple(pairs)), enough


def _alike(runs: Runs | None, settings: Mapping[str, Any]) -> bool:
    return runs is not None and max(runs.contained, runs.containing) >= settings["runs"]


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return {tuple(words[n : n + length]) for n in range(len(words) - length + 1)}


def _part(part: float, whole: float) -> float:
    return round(part / whole, 6) if whole else 0.0
