"""Patterns: a small syntax on top of regular expressions, translated, checked and compiled.

The syntax is described in ``docs/cues.md``. A pattern becomes one regular expression of the
`regex` module; repetitions inside repetitions are refused, and what is left is probed with
hostile strings, so that a pattern that would take for ever never meets a corpus.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import regex

# Seconds of processor time (which is what `regex` measures) after which a probe is given up. It
# decides between a result and an error, never between two results.
_PROBE_SECONDS = 0.25
# A repetition of at most so many times may hold an open-ended one.
_FEW = 5
# A regular expression may be so long once terms are taken in, repeat something so many times (a
# repetition in a repetition multiplies), and have brackets so deep. Terms in terms grow without
# bound, and `regex` writes repetitions out: neither may use up the machine.
_LONGEST, _MOST, _DEEPEST = 20_000, 10_000, 50
_SHOWN = 80  # so much of a pattern is shown in a message

_FOLDED = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f\t\n", " "),
    }
)

# Signs that are operators or terms, mistyped; whoever means the sign itself escapes it.
_SLIPS = {
    "..": "write ' ..3 ' with the number right after it and a space on both sides, or '.{2}'",
    "&": "write ' &3 ' with the number right after it and a space on both sides, or '\\&'",
    "<": "write a term's name in lower-case letters, digits and hyphens, or '\\<'",
}
_SPACE = r"(?:[\s\-]++)"
_LEFT, _RIGHT = r"(?<!\w)(?:", r")(?!\w)"
_OPERATOR = regex.compile(r" +(\.\.|&)(\d+) +")
_SPACING = regex.compile(r"-* [ \-]*")
_TERM = regex.compile(r"<([a-z][a-z0-9-]*)>")
_STEM = regex.compile(r"\p{L}+")
_CLASS = regex.compile(r"\[\^?\]?(?:\\.|[^\]\\])*+\]")
_OPENING = regex.compile(r"\(\?(?::|=|!|<=|<!|>|-?i:)")
_QUANTIFIER = regex.compile(r"(?:[*+?]|\{(\d*)(,?)(\d*)\})([+?]?)")

Chunk = tuple[str, int]
"""A piece of a translated pattern and the position in the written pattern it comes from."""


class PatternError(ValueError):
    """A defect of a pattern; ``position`` counts characters from 0, None where it has no place."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


def fold(text: str) -> str:
    """Return ``text`` with typographic quotes, dashes and spaces made plain, of equal length."""
    return text.translate(_FOLDED)


def inflected(word: str) -> str:
    """Return a regular expression for the regular inflections of an English word.

    Plural, possessive and verb endings; final e dropped, y to ies and ied, a final consonant
    doubled after a single vowel. Irregular forms must be written out.
    """
    low = word.lower()
    if low.endswith("ie"):
        return f"{word[:-2]}(?:ie(?:'s|s'?|d)?|ying)"
    if low.endswith(("ee", "oe", "ye")):
        return f"{word}(?:'s|s'?|d|ing)?"
    if regex.fullmatch(r"[^aeiouy]*e", low):  # without its e nothing would be left to say
        return f"{word}(?:'s|s'?|d|ing)?"
    if low.endswith("e"):
        return f"{word[:-1]}(?:e(?:'s|s'?|d)?|ing)"
    if regex.search(r"[^aeiou]y$", low):
        return f"{word[:-1]}(?:y(?:'s|ing)?|ies'?|ied)"
    plural = "es'?" if low.endswith(("s", "x", "z", "ch", "sh")) else "s'?"
    if low.endswith("o"):
        plural = "e?s'?"
    twice = f"{low[-1]}?" if regex.search(r"(?<![aeiou])[aeiou][^aeiouwxy]$", low) else ""
    return f"{word}(?:'s|{plural}|{twice}(?:ed|ing))?"


def _gap(words: str) -> str:
    return rf"\W+(?:\w++(?:'\w++)*+\W++){{0,{words}}}?"


def translate(pattern: str, terms: Mapping[str, str]) -> list[Chunk]:
    """Return the regular expression of a written pattern, in pieces with their positions.

    ``terms`` maps names to fragments; both are folded as texts are. Raises
    :class:`PatternError` on an unknown or circular term, an operator inside brackets or without an
    operand, an operator or term mistyped, and what the syntax leaves out.
    """
    return _translate(pattern, terms, ())


def _translate(pattern: str, terms: Mapping[str, str], inside: tuple[str, ...]) -> list[Chunk]:
    pattern = fold(pattern)
    operands: list[list[Chunk]] = [[]]
    operators: list[tuple[str, str, int]] = []
    depth, at, size = 0, 0, 0
    while at < len(pattern):
        rest = pattern[at:]
        operator = _OPERATOR.match(pattern, at)
        if operator:
            if depth:
                what = f"{operator.group().strip()!r} stands inside brackets"
                raise PatternError(f"{what}; name that part as a term", at)
            operators.append((operator.group(1), operator.group(2), at))
            operands.append([])
            at = operator.end()
            continue
        depth += (rest[0] == "(") - (rest[0] == ")")
        piece, length = _piece(rest, terms, inside, at)
        operands[-1].append((piece, at))
        size += len(piece)
        _refuse_long(size, at)
        at += length
    return _joined(operands, operators, whole=not inside)


def _piece(
    rest: str, terms: Mapping[str, str], inside: tuple[str, ...], at: int
) -> tuple[str, int]:
    """Return the translation of what ``rest`` begins with, and how much of it that takes up."""
    letters = _STEM.match(rest)
    if letters:
        word, length = letters.group(), letters.end()
        return (inflected(word), length + 1) if rest[length:][:1] == "~" else (word, length)
    if beside := regex.match(r" *\| *", rest):
        # Spaces beside | only make a long pattern readable.
        return "|", beside.end()
    if spacing := _SPACING.match(rest):
        return _space(rest, spacing.group(), at)
    if rest[0] == "~":
        raise PatternError("'~' must follow a word directly", at)
    if rest[0] == "\\":
        if regex.match(r"\\[1-9gkGKRX]", rest):
            raise PatternError(f"{rest[:2]!r} is not part of the syntax", at)
        return rest[:2], 2
    if rest[0] == "[":
        return _class(rest, at)
    if rest.startswith("(?"):
        opening = _OPENING.match(rest)
        if not opening:
            raise PatternError("only (?: (?= (?! (?<= (?<! (?> and (?-i: open special brackets", at)
        return opening.group(), opening.end()
    if rest[0] == "(":
        return "(?:", 1
    term = _TERM.match(rest)
    if term:
        return _term(term.group(1), terms, inside, at), term.end()
    for sign, remedy in _SLIPS.items():
        if rest.startswith(sign):
            raise PatternError(f"{sign!r} is no operator and no term here; {remedy}", at)
    return rest[0], 1


def _space(rest: str, spacing: str, at: int) -> tuple[str, int]:
    """Translate spaces, and hyphens beside them: in a text, any run of both will do."""
    outside = at == 0 or len(spacing) == len(rest)
    return ("" if outside and not spacing.strip() else _SPACE), len(spacing)


def _class(rest: str, at: int) -> tuple[str, int]:
    match = _CLASS.match(rest)
    if not match:
        raise PatternError("'[' is not closed", at)
    return match.group(), match.end()


def _term(name: str, terms: Mapping[str, str], inside: tuple[str, ...], at: int) -> str:
    if name not in terms:
        known = ", ".join(sorted(terms)) or "none"
        raise PatternError(f"unknown term <{name}> (known: {known})", at)
    if name in inside:
        raise PatternError(f"term <{name}> leads back to itself", at)
    if len(inside) >= _DEEPEST:
        raise PatternError("terms inside terms are too deep", at)
    try:
        chunks = _translate(terms[name], terms, (*inside, name))
    except PatternError as error:
        # Only the term at fault is named, however many take it in.
        inner = str(error) if str(error).startswith("in term <") else f"in term <{name}>: {error}"
        raise PatternError(inner, at) from None
    return "(?:" + _text(chunks) + ")"


def _joined(
    operands: list[list[Chunk]], operators: list[tuple[str, str, int]], *, whole: bool
) -> list[Chunk]:
    """Join operands from left to right; each gets word boundaries unless it is a plain term."""
    for number, operand in enumerate(operands):
        if not "".join(text for text, _ in operand):
            raise PatternError(
                "a part of the pattern is empty", operators[number - 1][2] if number else 0
            )
        if operators and (edge := [end for end in (operand[0], operand[-1]) if end[0] == "|"]):
            raise PatternError("an alternative is empty", edge[0][1])
    if not operators and not whole:
        return operands[0]
    bounded = [[(_LEFT, part[0][1]), *part, (_RIGHT, part[-1][1])] for part in operands]
    result = bounded[0]
    for (sign, words, at), right in zip(operators, bounded[1:], strict=True):
        gap = (_gap(words), at)
        if sign == "..":
            result = [*result, gap, *right]
        else:
            result = [("(?:", at), *result, gap, *right, ("|", at), *right, gap, *result, (")", at)]
        _refuse_long(sum(len(text) for text, _ in result), at)
    return result


def _refuse_long(size: int, at: int) -> None:
    if size > _LONGEST:
        raise PatternError("the pattern becomes too long once its terms are taken in", at)


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
        sources.append(_text(chunks))
    return "|".join(f"({source})" for source in sources)


def _text(chunks: list[Chunk]) -> str:
    return "".join(text for text, _ in chunks)


def _written(chunks: list[Chunk], position: int) -> int:
    """Return the position in the written pattern of a position in its translation."""
    starts, length = [], 0
    for text, _ in chunks:
        starts.append(length)
        length += len(text)
    return chunks[bisect_right(starts, position) - 1][1]


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
    source, at = _text(chunks), 0
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
                    "an ambiguous repetition inside a repetition", _written(chunks, at)
                )
            inner *= max([1.0, *map(float, filter(None, quantifier.group(1, 3)))])
            if inner > _MOST:
                raise PatternError(f"repeats more than {_MOST} times", _written(chunks, at))
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
        elif source[at] == "[" and (match := _CLASS.match(source, at)):
            at = match.end()
        elif source[at] == "(":
            if len(holds) > _DEEPEST:
                raise PatternError("brackets inside brackets are too deep", _written(chunks, at))
            holds.append(False)
            begins.append(at)
            times.append(1.0)
            opening = _OPENING.match(source, at)
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
            regex.compile(_text(chunks), flags)
        except regex.error as error:
            position = min(_written(chunks, error.pos or 0), len(pattern) - 1)
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
