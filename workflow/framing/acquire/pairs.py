"""Passages that are alike by their words: each with the passages of an index that it is found in.

In: derived facts, an index (:mod:`framing.acquire.passage_index`). Out: :class:`Pair`. What that
says of whole sources is the matter of :mod:`framing.acquire.duplicates`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from framing.acquire.passage_index import (
    Index,
    Ints,
    Numbers,
    count_matrix,
    digest_array,
    numbers_in,
    rarer_words,
)
from framing.common.processes import in_order
from framing.corpus.derived import Facts

# Passages are only compared in full where they share this part of the rarer words of one of them.
# Copies share far more, others far less.
_CANDIDATE = 0.3
_AT_ONCE = 20_000  # pairs compared in one go
_QUERIES = 1000  # passages looked up in one go
_FEW = 40  # passages that are held against each other one by one


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


def pairs_of(facts: Facts, index: Index, settings: Mapping[str, Any]) -> list[Pair]:
    """Return all pairs of a passage of ``facts`` and of the index, in the order of both."""
    rows = facts["passages"]
    if not rows or not index.passages:
        return []
    query = _Query.of(rows, index)
    return [
        _pair(rows[a]["passage_id"], index, b, measures)
        for a, b, measures in _found(query, index, settings)
    ]


Block = Sequence[tuple[int, int]]
"""Where the passages of sources begin and end, one source after the other."""


def earlier_pairs(
    index: Index, sources: Iterable[str], settings: Mapping[str, Any], jobs: int = 1,
    folder: Path | None = None,
) -> Iterator[list[Pair]]:  # fmt: skip
    """Yield, for each of ``sources``, its pairs with passages that come before it in ``index``.

    Passages are held against the index some at a time, by so many processes where there is a
    ``folder`` in which they find it. ``sources`` are in it, in its order.
    """
    blocks = list(_blocks(index.spans[name] for name in sources))
    made: Iterator[list[_Found]]
    if jobs == 1 or folder is None:
        made = (_found_within(index, block, settings) for block in blocks)
    else:
        index.save(folder)
        made = in_order(_work, blocks, jobs, "framing add", _begin, (folder, settings))
    for block, some in zip(blocks, made, strict=True):
        of_source: dict[int, list[Pair]] = defaultdict(list)
        for a, b, measures in some:
            pair = _pair(index.passages[a], index, b, measures)
            of_source[int(index.source[a])].append(pair)
        for start, stop in block:
            yield of_source.get(int(index.source[start]), []) if start < stop else []


def _blocks(spans: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    block: list[tuple[int, int]] = []
    for span in spans:
        block.append(span)
        if block[-1][1] - block[0][0] >= _QUERIES:
            yield block
            block = []
    if block:
        yield block


def _found_within(numbers: Numbers, block: Block, settings: Mapping[str, Any]) -> list[_Found]:
    """Return the pairs of the passages of sources with those before their source."""
    begun = block[0][0]
    before = np.repeat(*np.array([(start, stop - start) for start, stop in block]).T)
    query = replace(_Query.within(numbers, begun, block[-1][1]), before=before)
    return [(begun + a, b, measures) for a, b, measures in _found(query, numbers, settings)]


_own: tuple[Numbers, Mapping[str, Any]] | None = None  # of a process that compares


def _begin(folder: Path, settings: Mapping[str, Any]) -> None:
    global _own
    _own = numbers_in(folder), settings


def _work(block: Block) -> list[_Found]:
    assert _own is not None
    return _found_within(_own[0], block, _own[1])


def _pair(passage: str, index: Index, other: int, measures: _Measures) -> Pair:
    others = tuple(index.passages[other : other + measures.others])
    return Pair(passage, index.sources[other], others, *measures[1:])


@dataclass(frozen=True)
class _Query:
    """Passages that are looked up (M): as those of the index, with words that it knows.

    ``rare`` also counts words that it does not know; ``before`` says of each passage before which
    one of the index others must lie.
    """

    counts: sparse.csr_array
    sizes: Ints
    rarer: sparse.csr_array
    rare: Ints
    digests: npt.NDArray[np.bytes_]
    before: Ints

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], index: Index) -> _Query:
        bags = [row["counts"] for row in rows]
        counts = count_matrix(bags, index.vocabulary)
        rarer = rarer_words(counts, index.common)
        unknown = np.array([len(bag) for bag in bags], dtype=np.intp) - np.diff(counts.indptr)
        return cls(
            counts=counts,
            sizes=np.array([sum(bag.values()) for bag in bags], dtype=np.intp),
            rarer=rarer,
            rare=unknown + np.diff(rarer.indptr),
            digests=digest_array(row["sha256"] for row in rows),
            before=np.full(len(rows), len(index.passages), dtype=np.intp),
        )

    @classmethod
    def within(cls, index: Numbers, start: int, stop: int) -> _Query:
        """Return passages of the index itself."""
        return cls(
            counts=index.counts[start:stop],
            sizes=index.sizes[start:stop],
            rarer=index.rarer[start:stop],
            rare=index.rare[start:stop],
            digests=index.digests[start:stop],
            before=np.arange(start, stop),
        )


class _Measures(NamedTuple):
    """How many passages in a row a passage was found in, similarity, containment, digests alike."""

    others: int
    similarity: float
    contained: float
    same: bool = False


_Pairs = dict[tuple[int, int], _Measures]
_Found = tuple[int, int, _Measures]


def _found(query: _Query, index: Numbers, settings: Mapping[str, Any]) -> list[_Found]:
    """Return pairs of a passage looked up and one of the index (or the first of two), in order."""
    direct, across = [], []
    for pairs, pairs_of_two in _candidates(query, index, settings):
        direct.append(pairs)
        across.append(pairs_of_two)
    found = _direct(query, index, settings, direct)
    for place, other in index.same(query.digests):
        if other < query.before[place]:
            found[place, other] = _Measures(1, 1.0, 1.0, same=True)
    # Where a passage was found whole, the same passage and its neighbour say no more.
    known = {(a, int(index.source[b])) for a, b in found}
    for (a, b), measures in _across(query, index, settings, across).items():
        if (a, int(index.source[b])) not in known:
            found[a, b] = measures
    return [(a, b, measures) for (a, b), measures in sorted(found.items())]


Candidates = tuple[Ints, Ints]
"""Places of passages that are looked up, and for each one of the index."""


def _candidates(
    query: _Query, index: Numbers, settings: Mapping[str, Any]
) -> Iterator[tuple[Candidates, Candidates]]:
    """Yield what may be pairs, with one passage and with two in a row, named by the first.

    They share enough of the rarer words of one of them, or of that which is looked up.
    """
    enough = np.ceil(_CANDIDATE * query.rare).astype(np.int32)
    enough_there = np.ceil(_CANDIDATE * index.rare).astype(np.int32)
    # One of two has at least half of what both have.
    half = (enough + 1) // 2
    half[query.sizes < settings["contained_words"]] = np.iinfo(np.int32).max
    last = int(query.before.max(initial=0))
    for start, postings in index.postings:
        if start >= last:
            return
        shared = query.rarer @ postings
        rows = np.repeat(np.arange(len(enough), dtype=np.int32), np.diff(shared.indptr))
        least = np.minimum(enough[rows], enough_there[start:][shared.indices])
        keep = np.flatnonzero(shared.data >= least)
        a, b = rows[keep].astype(np.intp), shared.indices[keep].astype(np.intp) + start
        # The last passage of the postings is the first of the next ones.
        sound = (b < query.before[a]) & (b < start + index.width)
        keep = np.flatnonzero(shared.data >= half[rows])
        some, others = rows[keep].astype(np.intp), shared.indices[keep].astype(np.intp) + start
        yield (a[sound], b[sound]), _in_a_row(query, index, some, others, enough, start)


def _in_a_row(
    query: _Query, index: Numbers, a: Ints, b: Ints, enough: npt.NDArray[np.int32], start: int
) -> Candidates:
    """Return which of the passages ``b`` and those before them may hold ``a`` with the next one."""
    keys = np.concatenate([a, a]) * np.int64(len(index.sizes)) + np.concatenate([b, b - 1])
    keep = np.concatenate([b >= start, b - 1 >= start])
    keys = np.unique(keys[keep])
    a, first = keys // len(index.sizes), keys % len(index.sizes)
    keep = index.followed[first] & (first < query.before[a]) & (first < start + index.width)
    a, first = a[keep], first[keep]
    kept = []
    for some, places in _portions(a, first):
        rarer = query.rarer[some]
        # What both hold is counted twice: these are candidates only.
        both = _overlap(rarer, index.rarer[places]) + _overlap(rarer, index.rarer[places + 1])
        kept.append(both >= enough[some])
    keep = np.concatenate([*kept, np.zeros(0, dtype=bool)])
    return a[keep], first[keep]


def _direct(
    query: _Query, index: Numbers, settings: Mapping[str, Any], candidates: Iterable[Candidates]
) -> _Pairs:
    """Return the pairs of single passages that reach a threshold."""
    found: _Pairs = {}
    for a, b in (portion for one in candidates for portion in _portions(*one)):
        both = _overlap(query.counts[a], index.counts[b])
        sizes = query.sizes[a], index.sizes[b]
        less = np.minimum(*sizes)
        similarity = np.round(both / (sizes[0] + sizes[1] - both), 6)
        contained = np.round(both / less, 6)
        good = (similarity >= settings["similar"]) & (less >= settings["min_words"])
        good |= (contained >= settings["contained"]) & (less >= settings["contained_words"])
        for place in np.flatnonzero(good):
            pair = int(a[place]), int(b[place])
            found[pair] = _Measures(1, float(similarity[place]), float(contained[place]))
    return found


def _across(
    query: _Query, index: Numbers, settings: Mapping[str, Any], candidates: Iterable[Candidates]
) -> _Pairs:
    """Return the passages that lie across two that follow each other, keyed by the first."""
    found: _Pairs = {}
    for a, b in (portion for one in candidates for portion in _portions(*one)):
        both = _overlap(query.counts[a], index.counts[b] + index.counts[b + 1])
        sizes = query.sizes[a], index.sizes[b] + index.sizes[b + 1]
        similarity = np.round(both / (sizes[0] + sizes[1] - both), 6)
        contained = np.round(both / sizes[0], 6)
        for place in np.flatnonzero(contained >= settings["contained"]):
            key = int(a[place]), int(b[place])
            found[key] = _Measures(2, float(similarity[place]), float(contained[place]))
    return found


def may_repeat(facts: Facts, settings: Mapping[str, Any]) -> bool:
    """Return whether passages of a source may repeat each other: a quick look, never wrongly no."""
    bags = [row["counts"] for row in facts["passages"]]
    if len(bags) > _FEW:
        return True
    # Similar passages share at least this part of the shorter one, contained ones theirs.
    similar = settings["similar"]
    least = min(2 * similar / (1 + similar), settings["contained"]) - 1e-5
    sizes = [sum(bag.values()) for bag in bags]
    return any(
        _both(bags[a], bags[b]) >= least * min(sizes[a], sizes[b])
        for b in range(len(bags))
        for a in range(b)
    )


def _both(bag: Mapping[str, int], other: Mapping[str, int]) -> int:
    """Return how many words, each as often as in both, two bags share."""
    return sum(min(bag[word], other[word]) for word in bag.keys() & other.keys())


def _overlap(some: sparse.csr_array, others: sparse.csr_array) -> Ints:
    """Return how many words, each as often as in both, the rows of two matrices share."""
    return np.asarray(some.minimum(others).sum(axis=1), dtype=np.intp).ravel()


def _portions(a: Ints, b: Ints) -> Iterator[tuple[Ints, Ints]]:
    for start in range(0, len(a), _AT_ONCE):
        yield a[start : start + _AT_ONCE], b[start : start + _AT_ONCE]
