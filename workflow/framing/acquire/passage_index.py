"""An index of the passages of a corpus by their words, so that those alike are found quickly.

Counts of words lie in a file where one is given: of a hundred thousand sources they are the most
that there is to hold, and only those of passages that may be alike are looked at again.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from scipy import sparse

from framing.corpus.derived import Facts

Ints = npt.NDArray[np.intp]
# Words of more passages would make everything a candidate, and each passage dearer than the last.
_COMMON = 1000
_HELD = 1_000_000  # counts held before they are put into the file
_WIDTH = 32_768  # passages whose words are looked up in one go
_AT_ONCE = 50_000  # passages whose rarer words are picked out in one go


@dataclass(frozen=True)
class Index:
    """Passages of a corpus (N) so that those alike are found quickly: see :class:`Indexer`.

    ``counts`` is N × V; ``rarer`` (N × V) is 1 where a passage has a word that is not ``common``,
    ``postings`` the same the other way round, of ``width`` passages at a time and the one that
    comes next (where these begin, and V × width + 1), ``rare`` the number of such words of each
    passage; ``followed`` says whether the next passage is one of the same source; ``spans`` where
    the passages of each source begin and end; ``by_digest`` has the passages in ascending order of
    their digests.
    """

    passages: Sequence[str]
    sources: Sequence[str]
    spans: Mapping[str, tuple[int, int]]
    words: Ints
    sizes: Ints
    digests: npt.NDArray[np.bytes_]
    sorted_digests: npt.NDArray[np.bytes_]
    by_digest: Ints
    texts: Mapping[str, tuple[str, ...]]
    vocabulary: Mapping[str, int]
    common: npt.NDArray[np.bool_]
    counts: sparse.csr_array
    rarer: sparse.csr_array
    postings: Sequence[tuple[int, sparse.csr_array]]
    width: int
    rare: Ints
    followed: npt.NDArray[np.bool_]

    def same(self, digests: npt.NDArray[np.bytes_]) -> list[tuple[int, int]]:
        """Return which passages have which of some digests, as pairs of places, in order."""
        starts = np.searchsorted(self.sorted_digests, digests, "left")
        stops = np.searchsorted(self.sorted_digests, digests, "right")
        return [
            (int(place), int(other))
            for place in np.flatnonzero(stops > starts)
            for other in self.by_digest[starts[place] : stops[place]]
        ]


class Indexer:
    """Takes sources one by one; :meth:`index` returns the index of all.

    Of each source its ``source_id``, ``text_sha256`` and, for each of ``passages``, ``passage_id``,
    ``words``, ``sha256`` and ``counts`` are used. With ``folder``, counts lie in files there.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._passages: list[str] = []
        self._sources: list[str] = []
        self._spans: dict[str, tuple[int, int]] = {}
        self._words, self._ends = array("q"), array("q", [0])
        self._digests = bytearray()
        self._texts: dict[str, list[str]] = defaultdict(list)
        self._vocabulary: dict[str, int] = {}
        self._columns, self._values = _Store(folder, "columns"), _Store(folder, "values")

    def add(self, facts: Facts) -> None:
        """Take a source."""
        name, vocabulary = facts["source_id"], self._vocabulary
        self._texts[facts["text_sha256"]].append(name)
        begun = len(self._passages)
        for row in facts["passages"]:
            self._passages.append(row["passage_id"])
            self._sources.append(name)
            self._words.append(row["words"])
            self._digests += bytes.fromhex(row["sha256"])
            self._columns.extend([vocabulary.setdefault(word, len(vocabulary))
                                  for word in row["counts"]])  # fmt: skip
            self._values.extend(row["counts"].values())
            self._ends.append(self._ends[-1] + len(row["counts"]))
        self._spans[name] = (begun, len(self._passages))

    def index(self) -> Index:
        """Return the index of all sources that were taken."""
        number, width = len(self._passages), len(self._vocabulary)
        ends = np.frombuffer(self._ends, dtype=np.int64)
        columns, values = self._columns.all(), self._values.all()
        counts = sparse.csr_array((values, columns, ends), (number, width))
        often = np.zeros(width, dtype=np.int64)
        for start in range(0, len(columns), _HELD):
            often += np.bincount(columns[start : start + _HELD], minlength=width)
        common = often > _COMMON
        rarer = _rarer(counts, common)
        digests = np.frombuffer(bytes(self._digests), dtype="S32")
        by_digest = np.argsort(digests, kind="stable")
        sources = np.array([start for start, _ in self._spans.values()], dtype=np.intp)
        opens = np.zeros(number + 1, dtype=bool)
        opens[sources] = opens[number] = True
        return Index(
            passages=self._passages,
            sources=self._sources,
            spans=self._spans,
            words=np.array(self._words, dtype=np.intp),
            sizes=np.asarray(counts.sum(axis=1), dtype=np.intp).ravel(),
            digests=digests,
            sorted_digests=digests[by_digest],
            by_digest=by_digest,
            texts={digest: tuple(sorted(names)) for digest, names in self._texts.items()},
            vocabulary=self._vocabulary,
            common=common,
            counts=counts,
            rarer=rarer,
            postings=[
                (start, rarer[start : start + _WIDTH + 1].T.tocsr())
                for start in range(0, number, _WIDTH)
            ],
            width=_WIDTH,
            rare=np.diff(rarer.indptr).astype(np.intp),
            followed=~opens[1:],
        )


class _Store:
    """Whole numbers one after the other, in memory or in a file."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self._held = array("i")
        self._path = None if folder is None else folder / f"{name}.scratch"
        self._file: IO[bytes] | None = None

    def extend(self, numbers: Iterable[int]) -> None:
        self._held.extend(numbers)
        if self._path is not None and len(self._held) >= _HELD:
            self._put_down(self._path)

    def _put_down(self, path: Path) -> None:
        if self._file is None:
            self._file = path.open("wb")
        self._held.tofile(self._file)
        self._held = array("i")

    def all(self) -> npt.NDArray[np.int32]:
        if self._file is None or self._path is None:
            return (
                np.frombuffer(self._held, dtype=np.int32) if self._held else np.zeros(0, np.int32)
            )
        self._put_down(self._path)
        self._file.close()
        return np.memmap(self._path, dtype=np.int32, mode="r")


def index_of(corpus: Iterable[Facts]) -> Index:
    """Return the index of the facts of a corpus; the new sources of a batch may be in it."""
    made = Indexer()
    for facts in corpus:
        made.add(facts)
    return made.index()


def digest_array(digests: Iterable[str]) -> npt.NDArray[np.bytes_]:
    """Return SHA-256 digests as the index has them."""
    return np.frombuffer(b"".join(map(bytes.fromhex, digests)), dtype="S32")


def count_matrix(
    bags: Sequence[Mapping[str, int]], vocabulary: Mapping[str, int]
) -> sparse.csr_array:
    """Return the counts of the words of ``vocabulary`` in each bag (bags × vocabulary)."""
    columns: list[int] = []
    values: list[int] = []
    ends = [0]
    for bag in bags:
        for word, count in bag.items():
            column = vocabulary.get(word)
            if column is not None:
                columns.append(column)
                values.append(count)
        ends.append(len(columns))
    shape = (len(bags), len(vocabulary))
    return sparse.csr_array(
        (np.array(values, dtype=np.int32), np.array(columns, dtype=np.int32), np.array(ends)), shape
    )


def rarer_words(counts: sparse.csr_array, common: npt.NDArray[np.bool_]) -> sparse.csr_array:
    """Return 1 where a passage has a word that is not common."""
    keep = ~common[counts.indices]
    ends = np.concatenate([[0], np.cumsum(keep)])[counts.indptr]
    columns = counts.indices[keep]
    return sparse.csr_array((np.ones(len(columns), dtype=np.int32), columns, ends), counts.shape)


def _rarer(counts: sparse.csr_array, common: npt.NDArray[np.bool_]) -> sparse.csr_array:
    """Return :func:`rarer_words` of many passages, some of them at a time."""
    number = counts.shape[0]
    parts = [
        rarer_words(counts[start : start + _AT_ONCE], common)
        for start in range(0, number, _AT_ONCE)
    ]
    return sparse.vstack(parts, format="csr") if parts else rarer_words(counts, common)
