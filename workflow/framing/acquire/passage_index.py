"""An index of the passages of a corpus by their words, so that those alike are found quickly.

Counts of words lie in a file where one is given: of a hundred thousand sources they are the most
that there is to hold, and only those of passages that may be alike are looked at again.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
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
class Numbers:
    """Passages of a corpus (N) as far as they are numbers, so that processes can share them.

    ``ends columns values`` are the counts of words (N × V, by rows), ``rarer_ends rarer_columns``
    which words that are not common a passage has, and ``rare`` how many; ``sizes`` is the number of
    all words; ``source`` numbers the sources; ``by_digest`` has the passages in ascending order of
    their ``digests``; ``vocabulary_size`` is V.
    """

    ends: Ints
    columns: npt.NDArray[np.int32]
    values: npt.NDArray[np.int32]
    rarer_ends: Ints
    rarer_columns: npt.NDArray[np.int32]
    rare: Ints
    sizes: Ints
    source: Ints
    digests: npt.NDArray[np.bytes_]
    by_digest: Ints
    vocabulary_size: int

    @cached_property
    def counts(self) -> sparse.csr_array:
        """Return the counts of words (N × V)."""
        shape = (len(self.sizes), self.vocabulary_size)
        return sparse.csr_array((self.values, self.columns, self.ends), shape)

    @cached_property
    def rarer(self) -> sparse.csr_array:
        """Return 1 where a passage has a word that is not common (N × V)."""
        ones = np.ones(len(self.rarer_columns), dtype=np.int32)
        shape = (len(self.sizes), self.vocabulary_size)
        return sparse.csr_array((ones, self.rarer_columns, self.rarer_ends), shape)

    @cached_property
    def postings(self) -> Sequence[tuple[int, sparse.csr_array]]:
        """Return :attr:`rarer` the other way round, by ``width`` passages and the one after them.

        With each the place of the first passage.
        """
        return [
            (start, self.rarer[start : start + self.width + 1].T.tocsr())
            for start in range(0, len(self.sizes), self.width)
        ]

    @property
    def width(self) -> int:
        """Return how many passages :attr:`postings` have in one piece."""
        return _WIDTH

    @cached_property
    def followed(self) -> npt.NDArray[np.bool_]:
        """Return whether the next passage is one of the same source."""
        return np.append(self.source[1:] == self.source[:-1], np.zeros(1, dtype=bool))

    @cached_property
    def _sorted_digests(self) -> npt.NDArray[np.bytes_]:
        return self.digests[self.by_digest]

    def same(self, digests: npt.NDArray[np.bytes_]) -> list[tuple[int, int]]:
        """Return which passages have which of some digests, as pairs of places, in order."""
        starts = np.searchsorted(self._sorted_digests, digests, "left")
        stops = np.searchsorted(self._sorted_digests, digests, "right")
        return [
            (int(place), int(other))
            for place in np.flatnonzero(stops > starts)
            for other in self.by_digest[starts[place] : stops[place]]
        ]

    def save(self, folder: Path) -> None:
        """Put the numbers into a folder, for :func:`numbers_in`."""
        for one in fields(Numbers):
            np.save(folder / f"{one.name}.npy", np.asarray(getattr(self, one.name)))


def numbers_in(folder: Path) -> Numbers:
    """Return the numbers that were put into a folder: only what is looked at is read."""
    found = {one.name: np.load(folder / f"{one.name}.npy", mmap_mode="r")
             for one in fields(Numbers)}  # fmt: skip
    return Numbers(**{**found, "vocabulary_size": int(found["vocabulary_size"])})


@dataclass(frozen=True)
class Index(Numbers):
    """Passages of a corpus so that those alike are found quickly: see :class:`Indexer`.

    ``common`` are the words that too many passages have; ``spans`` says where the passages of each
    source begin and end, ``texts`` which sources have a text of which digest.
    """

    passages: Sequence[str]
    sources: Sequence[str]
    spans: Mapping[str, tuple[int, int]]
    words: Ints
    texts: Mapping[str, tuple[str, ...]]
    vocabulary: Mapping[str, int]
    common: npt.NDArray[np.bool_]


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
        width = len(self._vocabulary)
        ends = np.array(self._ends, dtype=np.intp)
        columns, values = self._columns.all(), self._values.all()
        often = np.zeros(width, dtype=np.intp)
        for start in range(0, len(columns), _HELD):
            often += np.bincount(columns[start : start + _HELD], minlength=width)
        common = often > _COMMON
        rarer_ends, rarer_columns = _rarer(ends, columns, common)
        digests = np.frombuffer(bytes(self._digests), dtype="S32")
        lengths = [stop - start for start, stop in self._spans.values()]
        return Index(
            ends=ends,
            columns=columns,
            values=values,
            rarer_ends=rarer_ends,
            rarer_columns=rarer_columns,
            rare=np.diff(rarer_ends),
            sizes=_sums(ends, values),
            source=np.repeat(np.arange(len(lengths)), lengths),
            digests=digests,
            by_digest=np.argsort(digests, kind="stable"),
            vocabulary_size=width,
            passages=self._passages,
            sources=self._sources,
            spans=self._spans,
            words=np.array(self._words, dtype=np.intp),
            texts={digest: tuple(sorted(names)) for digest, names in self._texts.items()},
            vocabulary=self._vocabulary,
            common=common,
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
            return np.array(self._held, dtype=np.int32)
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


def _rarer(
    ends: Ints, columns: npt.NDArray[np.int32], common: npt.NDArray[np.bool_]
) -> tuple[Ints, npt.NDArray[np.int32]]:
    """Return where the words that are not common end, passage by passage, and these words."""
    kept, numbers = [np.zeros(0, dtype=np.int32)], [np.zeros(1, dtype=np.intp)]
    for start in range(0, len(ends) - 1, _AT_ONCE):
        own = ends[start : start + _AT_ONCE + 1]
        words = columns[own[0] : own[-1]]
        keep = ~common[words]
        kept.append(words[keep])
        numbers.append(np.diff(np.append(0, np.cumsum(keep))[own - own[0]]))
    return np.cumsum(np.concatenate(numbers)), np.concatenate(kept)


def _sums(ends: Ints, values: npt.NDArray[np.int32]) -> Ints:
    """Return the sum of the values of each row."""
    sums = [np.zeros(0, dtype=np.intp)]
    for start in range(0, len(ends) - 1, _AT_ONCE):
        own = ends[start : start + _AT_ONCE + 1]
        total = np.append(0, np.cumsum(values[own[0] : own[-1]], dtype=np.intp))
        sums.append(np.diff(total[own - own[0]]))
    return np.concatenate(sums)
