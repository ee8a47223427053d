"""The syntax of patterns (``docs/cues.md``), translated to regular expressions of `regex`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

import regex

# A regular expression may be so long once terms are taken in, repeat something so many times (a
# repetition in a repetition multiplies), and have brackets so deep. Terms in terms grow without
# bound, and `regex` writes repetitions out: neither may use up the machine.
_LONGEST, MOST, DEEPEST = 20_000, 10_000, 50

_FOLDED = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f\t\n", " "),
    }
)

_SIGNS = [(chr(sign), plain) for sign, plain in _FOLDED.items()]
_ASCII_SIGNS = [(sign, plain) for sign, plain in _SIGNS if sign.isascii()]

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
CLASS = regex.compile(r"\[\^?\]?(?:\\.|[^\]\\])*+\]")
OPENING = regex.compile(r"\(\?(?::|=|!|<=|<!|>|-?i:)")

Chunk = tuple[str, int]
"""A piece of a translated pattern and the position in the written pattern it comes from."""


class PatternError(ValueError):
    """A defect of a pattern; ``position`` counts characters from 0, None where it has no place."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


def fold(text: str) -> str:
    """Return ``text`` with typographic quotes, dashes and spaces made plain, of equal length."""
    # Sign by sign, as few are ever there: a table over all signs takes ten times as long.
    for sign, plain in _ASCII_SIGNS if text.isascii() else _SIGNS:
        if sign in text:
            text = text.replace(sign, plain)
    return text


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
        opening = OPENING.match(rest)
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
    match = CLASS.match(rest)
    if not match:
        raise PatternError("'[' is not closed", at)
    return match.group(), match.end()


def _term(name: str, terms: Mapping[str, str], inside: tuple[str, ...], at: int) -> str:
    if name not in terms:
        known = ", ".join(sorted(terms)) or "none"
        raise PatternError(f"unknown term <{name}> (known: {known})", at)
    if name in inside:
        raise PatternError(f"term <{name}> leads back to itself", at)
    if len(inside) >= DEEPEST:
        raise PatternError("terms inside terms are too deep", at)
    try:
        chunks = _translate(terms[name], terms, (*inside, name))
    except PatternError as error:
        # Only the term at fault is named, however many take it in.
        inner = str(error) if str(error).startswith("in term <") else f"in term <{name}>: {error}"
        raise PatternError(inner, at) from None
    return "(?:" + text_of(chunks) + ")"


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


def text_of(chunks: list[Chunk]) -> str:
    """Return a translated pattern in one piece."""
    return "".join(text for text, _ in chunks)


def written_position(chunks: list[Chunk], position: int) -> int:
    """Return the position in the written pattern of a position in its translation."""
    starts, length = [], 0
    for text, _ in chunks:
        starts.append(length)
        length += len(text)
    return chunks[bisect_right(starts, position) - 1][1]
