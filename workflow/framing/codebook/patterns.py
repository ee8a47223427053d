"""Patterns: a small syntax on top of regular expressions, translated, checked and compiled.

The syntax is described in ``docs/cues.md``. A pattern becomes one regular expression of the
`regex` module; repetitions inside repetitions are refused, and what is left is probed with
hostile strings, so that a pattern that would take for ever never meets a corpus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import regex

from framing.codebook.pattern_syntax import (
    CLASS,
    DEEPEST,
    MOST,
    OPENING,
    Chunk,
    PatternError,
    text_of,
    translate,
    written_position,
)

# Seconds of processor time (which is what `regex` measures) after which a probe is given up. It
# decides between a result and an error, never between two results.
_PROBE_SECONDS = 0.25
# A repetition of at most so many times may hold an open-ended one.
_FEW = 5
_SHOWN = 80  # so much of a pattern is shown in a message
_QUANTIFIER = regex.compile(r"(?:[*+?]|\{(\d*)(,?)(\d*)\})([+?]?)")


def expand(patterns: Sequence[str], terms: Mapping[str, str]) -> str:
    """Return one regular expression for "any of ``patterns``".

    Each pattern is a group that captures, and there are no others: the number of the group that
    matched is the place of the pattern, counted from 1. Where several fit at one place, the first
    is taken. Raises :class:`PatternError` that names the pattern at fault and the position in it.
    """
    return _expanded(tuple(patterns), tuple(terms.items()))


@cache  # negators are those of every cue
def _expanded(patterns: Sequence[str], terms: Sequence[tuple[str, str]]) -> str:
    sources = []
    for pattern in patterns:
        try:
            chunks = translate(pattern, dict(terms))
            _refuse_nested(chunks)
        except PatternError as error:
            raise _placed(pattern, error) from None
        sources.append(text_of(chunks))
    return "|".join(f"({source})" for source in sources)


def _placed(pattern: str, error: PatternError) -> PatternError:
    where = "" if error.position is None else f", character {error.position + 1}"
    shown = pattern if len(pattern) <= _SHOWN else pattern[: _SHOWN - 1] + "…"
    return PatternError(f"pattern {shown!r}{where}: {error}", error.position)


def _refuse_nested(chunks: list[Chunk]) -> None:
    """Raise :class:`PatternError` at a repetition inside a repetition that is ambiguous.

    ``(?:[.,]\\d+)*`` is harmless, since every round needs its own point. ``(\\w+\\s*)+`` is not:
    one string can be read as one round or as two, and so in countless ways. Possessive
    repetitions (``*+``, ``++``), which never give back, are safe. More repetitions and deeper
    brackets than `regex` can read are refused too.
    """
    source, at = text_of(chunks), 0
    holds = [False]  # by depth: does the group that is open hold an open-ended repetition?
    begins = [0]  # by depth: where that group begins
    times = [1.0]  # by depth: how often the most repeated piece of that group is repeated
    closed = False  # did the piece just read, if a group, hold one?
    begun = 0  # and where it begins
    inner = 1.0  # how often that piece repeats something
    while at < len(source):
        quantifier = _QUANTIFIER.match(source, at)
        if quantifier and at:
            most = _most(quantifier)
            if closed and most > _FEW and _ambiguous(source[begun:at]):
                raise PatternError(
                    "an ambiguous repetition inside a repetition", written_position(chunks, at)
                )
            inner *= max([1.0, *map(float, filter(None, quantifier.group(1, 3)))])
            if inner > MOST:
                raise PatternError(f"repeats more than {MOST} times", written_position(chunks, at))
            times[-1] = max(times[-1], inner)
            if quantifier.group(4) != "+":
                holds[-1] |= closed or most == float("inf")
            at, closed, inner = quantifier.end(), False, 1.0
            continue
        holds[-1] |= closed
        times[-1] = max(times[-1], inner)
        closed, inner = False, 1.0
        if source[at] == "\\":
            at += 2
        elif source[at] == "[" and (match := CLASS.match(source, at)):
            at = match.end()
        elif source[at] == "(":
            if len(holds) > DEEPEST:
                raise PatternError(
                    "brackets inside brackets are too deep", written_position(chunks, at)
                )
            holds.append(False)
            begins.append(at)
            times.append(1.0)
            opening = OPENING.match(source, at)
            at = opening.end() if opening else at + 1
        elif source[at] == ")" and len(holds) > 1:
            closed, begun, inner = holds.pop(), begins.pop(), times.pop()
            at += 1
        else:
            at += 1


def _ambiguous(group: str) -> bool:
    """Say whether some short string is both one round of ``group`` and two."""
    try:
        once, twice = regex.compile(group), regex.compile(group + group)
    except regex.error:
        return False  # broken patterns are told elsewhere
    own = regex.findall(r"[\p{L}\p{N}]+", regex.sub(r"\\.", " ", group))
    pieces = list(dict.fromkeys(["a", "1", " ", "-", ".", "a ", *own]))[:16]
    pairs = [first + second for first in pieces for second in pieces]
    return any(
        once.fullmatch(pair * times) and twice.fullmatch(pair * times)
        for pair in pairs
        for times in (1, 2)
    )


def _most(quantifier: Any) -> float:
    """Return how often a quantifier repeats at most."""
    if not quantifier.group().startswith("{"):
        return 1 if quantifier.group().startswith("?") else float("inf")
    _, comma, most = quantifier.group(1, 2, 3)
    return float(most or "inf") if comma else float(quantifier.group(1) or 1)


@cache
def _compiled(source: str, flags: int) -> Any:
    return regex.compile(source, flags | regex.VERSION0)


def compile_any(
    patterns: Sequence[str], terms: Mapping[str, str], *, case: bool = False, tried: bool = False
) -> Any:
    """Return the compiled pattern "any of ``patterns``"; case is ignored unless ``case``.

    Raises :class:`PatternError` when one is broken, can match nothing at all, repeats a
    repetition, or takes too long on a hostile string. What was ``tried`` before is not tried again.
    """
    flags = 0 if case else regex.IGNORECASE
    source = expand(patterns, terms)
    try:
        compiled = _compiled(source, flags)
    except regex.error:
        raise _culprit(patterns, terms, flags) from None
    if not tried:
        _probe(compiled)
    return compiled


def _culprit(patterns: Sequence[str], terms: Mapping[str, str], flags: int) -> PatternError:
    for pattern in patterns:
        chunks = translate(pattern, terms)
        try:
            regex.compile(text_of(chunks), flags)
        except regex.error as error:
            position = min(written_position(chunks, error.pos or 0), len(pattern) - 1)
            return _placed(pattern, PatternError(error.msg, position))
    return PatternError("the patterns cannot be joined: one is whole only with its neighbour")


_REPEATED = ("a", "a ", "a-", "1", " ", "-", ".", "'", "Ab1 ", "_")


@cache
def _probe(compiled: Any) -> None:
    """Search hostile strings; raise :class:`PatternError` on a time-out or an empty match.

    The strings repeat the pattern's own words and some general ones and end in something that
    almost fits: that is what makes nested repetitions try every way of dividing the string.
    """
    bare = regex.sub(r"\\.|\(\?-?i:", " ", compiled.pattern)
    words = list(dict.fromkeys(regex.findall(r"[\p{L}\p{N}]+", bare)))
    tail = "".join(f"{word}_" for word in words)[:2000] + "!"
    shortest = sorted(words, key=lambda word: (len(word), word))[:6]
    repeated = [*_REPEATED, *shortest, *(f"{word} " for word in words[:6]), " ".join(words)[:1000]]
    try:
        for part in repeated:
            probe = part * (300 // len(part) + 2) if part else ""
            for hit in compiled.finditer(probe + tail, timeout=_PROBE_SECONDS):
                if hit.start() == hit.end():
                    raise PatternError("can match nothing at all, at any place")
    except TimeoutError:
        raise PatternError("takes too long: it can divide one string in countless ways") from None
