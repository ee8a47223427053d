"""How often each word occurs in each passage, as one sparse matrix.

A million passages hold some sixty million entries: as rows of a table they would fill the memory
several times over. Between jobs they are kept as arrays (:func:`write_counts`), never committed.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True)
class WordCounts:
    """Counts of words in passages (or exemplars).

    ``passages`` (P,) are ids, ``words`` (W,) the vocabulary, ``stems`` (W,) their stems, all of
    type object. Row p of the matrix has the words ``columns[ends[p]:ends[p + 1]]``, each
    ``numbers[…]`` times; within a row columns ascend.
    """

    passages: np.ndarray
    words: np.ndarray
    stems: np.ndarray
    ends: np.ndarray
    columns: np.ndarray
    numbers: np.ndarray

    @cached_property
    def place(self) -> pd.Index:
        """Return the index that finds a passage's row by its id."""
        return pd.Index(self.passages)

    def rows(self, ids: Sequence[str]) -> WordCounts:
        """Return the counts of the passages ``ids`` in their order; unknown ones have no word."""
        at = self.place.get_indexer(pd.Index(np.array(ids, dtype=object)))
        if np.array_equal(at, np.arange(len(self.passages))):
            return self
        # Those that are not found have place -1, and so the last width, which is none.
        width = np.diff(self.ends, append=self.ends[-1])[at]
        ends = np.concatenate([[0], np.cumsum(width)])
        # Entry e of row r stands as far from the row's end as it stood before.
        entry = np.arange(ends[-1]) + np.repeat(self.ends[at] - ends[:-1], width)
        names = np.array(ids, dtype=object)
        return WordCounts(
            names, self.words, self.stems, ends, self.columns[entry], self.numbers[entry]
        )

    def terms(self, *, stemmed: bool) -> tuple[sparse.csr_matrix, tuple[str, ...]]:
        """Return P × terms of counts of the stems (or words) that occur, in code point order."""
        from scipy import sparse

        used = np.bincount(self.columns, minlength=len(self.words)) > 0
        names = (self.stems if stemmed else self.words)[used]
        terms = sorted(set(names))
        place = {term: number for number, term in enumerate(terms)}
        column = np.zeros(len(self.words), dtype=np.int32)
        column[used] = [place[name] for name in names]
        entries = (self.numbers.astype(float), column[self.columns], self.ends.copy())
        matrix = sparse.csr_matrix(entries, shape=(len(self.passages), len(terms)))
        matrix.sum_duplicates()
        return matrix, tuple(terms)


@dataclass
class Counting:
    """Counts put together passage by passage."""

    passages: list[str] = field(default_factory=list)
    place: dict[str, int] = field(default_factory=dict)
    ends: array[int] = field(default_factory=lambda: array("q", [0]))
    columns: array[int] = field(default_factory=lambda: array("i"))
    numbers: array[int] = field(default_factory=lambda: array("i"))

    def add(self, name: str, counts: Mapping[str, int]) -> None:
        """Add the counts of a passage."""
        place = self.place
        self.passages.append(name)
        self.columns.extend([place.setdefault(word, len(place)) for word in counts])
        self.numbers.extend(counts.values())
        self.ends.append(len(self.columns))

    def counts(self, stem: Callable[[str], str]) -> WordCounts:
        """Return what was added; ``stem`` gives the stem of a word."""
        names = sorted(self.place)
        rank = np.zeros(len(names), dtype=np.int32)
        rank[[self.place[name] for name in names]] = np.arange(len(names), dtype=np.int32)
        ends = np.array(self.ends, dtype=np.int64)
        columns = rank[np.array(self.columns, dtype=np.int32)]
        row = np.repeat(np.arange(len(self.passages)), np.diff(ends))
        within = np.lexsort((columns, row))
        return WordCounts(
            np.array(self.passages, dtype=object),
            np.array(names, dtype=object),
            np.array([stem(name) for name in names], dtype=object),
            ends,
            columns[within],
            np.array(self.numbers, dtype=np.int32)[within],
        )


def counts_of(
    passages: Iterable[tuple[str, Mapping[str, int]]], stem: Callable[[str], str]
) -> WordCounts:
    """Return the counts of passages given by id and counts; ``stem`` gives the stem of a word."""
    found = Counting()
    for name, counts in passages:
        found.add(name, counts)
    return found.counts(stem)


def joined(parts: Sequence[WordCounts]) -> WordCounts:
    """Return the counts of all passages of some tables, in their order."""
    if len(parts) == 1:
        return parts[0]
    stems: dict[str, str] = {}
    for part in parts:
        stems.update(zip(part.words.tolist(), part.stems.tolist(), strict=True))
    names = sorted(stems)
    place = {name: number for number, name in enumerate(names)}
    columns = [
        np.array([place[name] for name in part.words], dtype=np.int32)[part.columns]
        for part in parts
    ]
    before = np.cumsum([0, *(len(part.columns) for part in parts)])
    ends = [part.ends[1:] + start for part, start in zip(parts, before, strict=False)]
    # Vocabularies are in order, so what ascends within a row goes on doing so.
    return WordCounts(
        np.concatenate([np.zeros(0, dtype=object), *(part.passages for part in parts)]),
        np.array(names, dtype=object),
        np.array([stems[name] for name in names], dtype=object),
        np.concatenate([np.zeros(1, dtype=np.int64), *ends]),
        np.concatenate([np.zeros(0, dtype=np.int32), *columns]),
        np.concatenate([np.zeros(0, dtype=np.int32), *(part.numbers for part in parts)]),
    )


# --- between jobs ---------------------------------------------------------------------------------

_STRINGS = ("passages", "words", "stems")
_NUMBERS = ("ends", "columns", "numbers")


def write_counts(path: Path, counts: WordCounts) -> None:
    """Write counts as NumPy's archive of arrays, of names as UTF-8, a name a line."""
    arrays = {
        name: np.frombuffer("\n".join(getattr(counts, name)).encode("utf-8"), dtype=np.uint8)
        for name in _STRINGS
    }
    arrays |= {name: getattr(counts, name) for name in _NUMBERS}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    part.replace(path)


def read_counts(paths: str | Path | Iterable[str | Path]) -> WordCounts:
    """Read the counts of a file or several (:func:`write_counts`), joined in their order."""
    return joined([_read(path) for path in ([paths] if isinstance(paths, str | Path) else paths)])


def _read(path: str | Path) -> WordCounts:
    with np.load(path) as data:
        names = {name: data[name].tobytes().decode("utf-8") for name in _STRINGS}
        strings = {
            name: np.array(text.split("\n") if text else [], dtype=object)
            for name, text in names.items()
        }
        return WordCounts(**strings, **{name: data[name] for name in _NUMBERS})
