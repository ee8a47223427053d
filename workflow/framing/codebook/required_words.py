"""What every hit of a pattern must contain, derived from its expression.

A requirement is a set of words of which one must be there: whole words, or beginnings of words. A
pattern has as many as can be derived, so that "equal footing" is looked for only where a sentence
has both. Words are runs of ``\\w``, as the boundaries of patterns have them, and plain
(:func:`framing.codebook.pattern_trees.plain`): what fails these tests cannot be hit, what passes
is searched by the exact expression. The idea is that of indexes for regular expressions (Cho &
Rajagopalan 2002; Cox 2012, of trigrams), here with words, which patterns are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from framing.codebook.pattern_trees import (
    MANY,
    Either,
    Node,
    Place,
    Row,
    Signs,
    Times,
    UnreadableError,
    both,
    in_word,
    tree_of,
)

Words = frozenset[tuple[str, bool]]
"""Words of which one must be there, each with whether it is the whole word or its beginning."""

_MOST = 400  # words of a requirement; beyond, it says too little
_LONGEST = 40  # letters of a word that are told apart


@dataclass(frozen=True)
class Required:
    """What a pattern requires.

    ``words``: requirements, all of which a hit meets, the most telling first (none: it must be
    searched for everywhere); ``first``: the words that a hit can begin with, the hit's first sign
    being the word's, or None where that cannot be said.
    """

    words: tuple[Words, ...]
    first: Words | None


NOTHING = Required((), None)


@cache
def required(source: str) -> Required:
    """Return what a translated pattern (without its outer brackets or with them) requires."""
    try:
        parts = both([tree_of(source)])
    except (UnreadableError, RecursionError):
        return NOTHING
    words = sorted(dict.fromkeys(_requirements(parts)), key=lambda one: (_often(one), sorted(one)))
    return Required(tuple(words), _first(parts, strict=True) if words else None)


def _often(words: Words) -> float:
    """Return a guess at how often one of the words is met: short words are frequent (Zipf)."""
    return sum(10 ** (-len(word) / 2) * (1 if whole else 3) for word, whole in words)


def _requirements(parts: Sequence[Node], *, inside: bool = False) -> list[Words]:
    """Return what parts in a row require.

    ``inside`` says that nothing is known of what comes before them.
    """
    found: list[Words] = []
    edge = not inside
    for number, part in enumerate(parts):
        edge |= isinstance(part, Place) and part.kind == "left"
        if edge and not isinstance(part, Place):
            words = _first(parts[number:])
            if words is not None:
                found.append(words)
            edge = False
        if isinstance(part, Either):
            found += _of_all([_requirements(both([one]), inside=True) for one in part.branches])
        edge |= _ends_outside(part)
    return found


def _of_all(branches: Sequence[list[Words]]) -> list[Words]:
    """Return what all alternatives require, and what one or other of each alternative does."""
    if not all(branches):
        return []
    common = [words for words in branches[0] if all(words in other for other in branches[1:])]
    mixed = frozenset[tuple[str, bool]]().union(*(min(one, key=_often) for one in branches))
    return [*common, *([_shortened(mixed)] if len(mixed) <= _MOST else [])]


def _ends_outside(part: Node) -> bool:
    """Say whether the last sign of a part is there and cannot stand in a word."""
    if isinstance(part, Signs):
        return part.gap if part.known is None else not any(map(in_word, part.known))
    if isinstance(part, Times):
        return part.least > 0 and _ends_outside(part.part)
    if isinstance(part, Row):
        return bool(part.parts) and _ends_outside(part.parts[-1])
    return isinstance(part, Either) and all(map(_ends_outside, part.branches))


def _shortened(words: Iterable[tuple[str, bool]]) -> Words:
    """Return words without those that begin with another of which only the beginning counts."""
    given = set(words)
    opening = {word for word, whole in given if not whole}
    return frozenset(
        (word, whole)
        for word, whole in given
        if not any(word[:end] in opening for end in range(1, len(word) + whole))
    )


class _VagueError(Exception):
    """The first word can be anything, or there are too many."""


class _Reader:
    """Follows all ways through a tree to the end of the first word.

    A way is the part of that word read so far, empty before it begins.
    """

    def __init__(self, *, strict: bool) -> None:
        self.found: set[tuple[str, bool]] = set()
        self._strict = strict

    def after(self, ways: frozenset[str], node: Node) -> frozenset[str]:
        """Return the ways that are open after ``node``."""
        if len(ways) + len(self.found) > _MOST:
            raise _VagueError
        if isinstance(node, Signs):
            return self._sign(ways, node)
        if isinstance(node, Place):
            return self._place(ways, node.kind)
        if isinstance(node, Row):
            for part in node.parts:
                ways = self.after(ways, part)
            return ways
        if isinstance(node, Either):
            return frozenset[str]().union(*(self.after(ways, one) for one in node.branches))
        return self._times(ways, node)

    def end(self, ways: frozenset[str]) -> None:
        """Close the ways that are open; one without a word says nothing."""
        if "" in ways:
            raise _VagueError
        self.found |= {(way, False) for way in ways}

    def _sign(self, ways: frozenset[str], node: Signs) -> frozenset[str]:
        after = set[str]()
        for way in ways:
            if node.known is None:
                if not way and not node.gap:
                    raise _VagueError
                after |= self._outside(way) if node.gap else self._unknown(way)
                continue
            for sign in node.known:
                if not in_word(sign):
                    after |= self._outside(way)
                elif len(way) < _LONGEST:
                    after.add(way + sign)
                else:
                    after |= self._unknown(way)
        return frozenset(after)

    def _outside(self, way: str) -> set[str]:
        """Read a sign that is in no word."""
        if way:
            self.found.add((way, True))
            return set()
        if self._strict:
            raise _VagueError
        return {""}

    def _unknown(self, way: str) -> set[str]:
        self.found.add((way, False))
        return set()

    def _place(self, ways: frozenset[str], kind: str) -> frozenset[str]:
        if kind == "left":  # no way leads on from inside a word
            return ways & {""}
        if kind in ("right", "edge"):
            self.found |= {(way, True) for way in ways if way}
            return ways & {""}
        return ways

    def _times(self, ways: frozenset[str], node: Times) -> frozenset[str]:
        after = set[str](ways) if node.least == 0 else set[str]()
        seen = set[str](ways)
        for number in range(1, min(node.most, MANY) + 1):
            ways = self.after(ways, node.part)
            if number >= node.least:
                after |= ways
            if number >= node.least and ways <= seen:
                return frozenset(after)
            seen |= ways
        if node.most > MANY:
            self.found |= {(way, False) for way in ways if way}
            after = after - ways | (ways & {""})
        return frozenset(after)


def _first(parts: Sequence[Node], *, strict: bool = False) -> Words | None:
    """Return the first words that parts in a row can have, or None where these can be any.

    ``strict`` asks that nothing comes before the word.
    """
    reader = _Reader(strict=strict)
    ways = frozenset({""})
    try:
        for part in parts:
            ways = reader.after(ways, part)
            if not ways:
                break
        reader.end(ways)
    except _VagueError:
        return None
    return _shortened(reader.found) or None
