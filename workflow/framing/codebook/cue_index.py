"""Which patterns of cues a sentence can hold at all, by the words that each requires.

Every pattern is found by its most telling requirement (:mod:`framing.codebook.required_words`) and
then held against its others; what is left is searched by the exact expression. Words are looked up
chunk by chunk (:mod:`framing.codebook.sentences`), and what a chunk says is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import regex

from framing.codebook.pattern_trees import plain, unassigned
from framing.codebook.required_words import Words, required

_WORD = regex.compile(r"\w+")
# So many chunks are remembered, of so many bytes at most, so that memory stays constant.
_REMEMBERED, _LONGEST = 200_000, 100


class Wanted(NamedTuple):
    """A pattern to search for: number of its cue, its own number (from 1), words it begins with.

    ``first`` is None where these are not known; a word may be in it twice.
    """

    cue: int
    pattern: int
    first: list[str] | None


@dataclass(frozen=True, eq=False)  # told apart by being another, as there is one a chunk
class _Entry:
    """What a chunk says: requirements met, patterns first looked for by these, and by which word.

    Requirements are the bits of a number, so that sets of them are joined and compared at once.
    ``words`` has each word of the chunk with those that it meets.
    """

    met: int
    pivots: tuple[int, ...]
    words: tuple[tuple[str, int], ...]


_NOTHING = _Entry(0, (), ())


class CueIndex:
    """The index of all patterns of a codebook's cues.

    ``sources`` has, for each cue, the translated expression of each pattern.
    """

    def __init__(self, sources: Sequence[Sequence[str]]) -> None:
        self.vague: list[tuple[int, int]] = []
        """Cue and pattern (numbers as in :class:`Wanted`) of those that require no word."""
        self._patterns: list[tuple[int, int]] = []
        self._needs: list[int] = []
        self._first: list[int | None] = []
        self._always: set[int] = set()
        self._numbers: dict[Words, int] = {}
        self._whole: dict[str, set[int]] = {}
        self._opening: dict[str, set[int]] = {}
        self._by_pivot: dict[int, list[int]] = {}
        self._entries = _Entries(self._entry)
        for cue, patterns in enumerate(sources):
            for pattern, source in enumerate(patterns, start=1):
                self._add(cue, pattern, source)
        self._lengths = sorted({len(word) for word in self._opening})
        self._all = _Entry(
            (1 << len(self._numbers)) - 1,
            tuple(number for pivots in self._by_pivot.values() for number in pivots),
            (),
        )

    def _add(self, cue: int, pattern: int, source: str) -> None:
        needs = required(source)
        own = len(self._patterns)
        self._patterns.append((cue, pattern))
        numbers = [self._number(words) for words in needs.words]
        self._needs.append(_bits(numbers))
        self._first.append(None if needs.first is None else 1 << self._number(needs.first))
        if numbers:
            self._by_pivot.setdefault(numbers[0], []).append(own)
        else:
            self._always.add(own)
            self.vague.append((cue, pattern))

    def _number(self, words: Words) -> int:
        """Return the number of a requirement; note by which words it is met."""
        known = self._numbers.get(words)
        if known is not None:
            return known
        number = self._numbers[words] = len(self._numbers)
        for word, whole in words:
            (self._whole if whole else self._opening).setdefault(word, set()).add(number)
        return number

    def wanted(self, chunks: Iterable[bytes]) -> list[Wanted]:
        """Return the patterns that a sentence of these chunks can hold, by cue and pattern."""
        said = set(map(self._entries.__getitem__, chunks))
        said.discard(_NOTHING)
        pivots = self._always.union(*[one.pivots for one in said])
        if not pivots:
            return []
        met = 0
        for one in said:
            met |= one.met
        needs = self._needs
        found = [number for number in pivots if needs[number] & met == needs[number]]
        found.sort()
        return [self._wanted(number, said) for number in found]

    def _wanted(self, number: int, said: Iterable[_Entry]) -> Wanted:
        bit = self._first[number]
        if bit is None:
            return Wanted(*self._patterns[number], None)
        words = [word for one in said if one.met & bit for word, met in one.words if met & bit]
        return Wanted(*self._patterns[number], words)

    def _entry(self, chunk: bytes) -> _Entry:
        """Work out what a chunk says."""
        text = chunk.decode("utf-8", "surrogatepass")
        words = tuple((word, self._met(word)) for word in _WORD.findall(plain(text)))
        if unassigned(text):
            # It may have another case that nobody here knows of: let it meet everything.
            return replace(self._all, words=tuple((word, self._all.met) for word, _ in words))
        met = 0
        for _, one in words:
            met |= one
        if not met:
            return _NOTHING
        pivots = [own for one in self._by_pivot if met >> one & 1 for own in self._by_pivot[one]]
        return _Entry(met, tuple(pivots), tuple(word for word in words if word[1]))

    def _met(self, word: str) -> int:
        found = set(self._whole.get(word, ()))
        for length in self._lengths:
            if length > len(word):
                break
            found |= self._opening.get(word[:length], set())
        return _bits(found)


class _Entries(dict[bytes, _Entry]):
    """What chunks say, worked out when they first come up."""

    def __init__(self, look: Callable[[bytes], _Entry]) -> None:
        super().__init__()
        self._look = look

    def __missing__(self, chunk: bytes) -> _Entry:
        entry = self._look(chunk)
        if len(chunk) <= _LONGEST:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[chunk] = entry
        return entry


def _bits(numbers: Iterable[int]) -> int:
    found = 0
    for number in numbers:
        found |= 1 << number
    return found
