"""Translated patterns as trees, as far as is needed to say what a hit must contain.

Only what the syntax of patterns lets through (:mod:`framing.codebook.pattern_syntax`) is read, and
that coarsely: of a set of signs it counts which they are, or whether they can stand in a word. What
is not understood raises :class:`UnreadableError`; such a pattern is searched for everywhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import regex

from framing.codebook.pattern_syntax import CLASS, OPENING

MANY = 4
"""Rounds of a repetition that are told apart; more of them count as "and so on"."""
_RANGE = 40  # signs of a range that are told apart
_TIMES = regex.compile(r"\{(?:(\d+)(,?)(\d*)|(,)(\d+))\}|[*+?]")
_PROPERTY = regex.compile(r"\\[pP](?:\{[^}]*\}|[A-Za-z])")
_GAPS = regex.compile(r"\\[sWntrfv]")  # never part of a word
_NOWHERE = regex.compile(r"\\[bBAZmM]")
_AROUND = ("(?=", "(?!", "(?<=", "(?<!")
_LEFT, _RIGHT = r"(?<!\w)", r"(?!\w)"
# Equal for a search that ignores case, but not by the mappings of single signs.
_TWINS = {"\u0130": "i", "\ufb05": "\ufb06", "\u1fd3": "\u0390", "\u1fe3": "\u03b0"}


class UnreadableError(ValueError):
    """A pattern of which nothing is derived."""


@dataclass(frozen=True)
class Signs:
    """One sign: one of ``known``; or, where that is None, any, in a word or (``gap``) never."""

    known: frozenset[str] | None
    gap: bool = False


@dataclass(frozen=True)
class Place:
    """No sign: the ``left`` end of a word, its ``right`` end, an ``edge`` (either), or whatever."""

    kind: str


@dataclass(frozen=True)
class Row:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """One of several."""

    branches: tuple[Row, ...]


@dataclass(frozen=True)
class Times:
    """A part repeated; ``most`` is at most :data:`MANY` + 1, which stands for all above."""

    part: Node
    least: int
    most: int


Node = Signs | Place | Row | Either | Times
_ANY, _GAP = Signs(None), Signs(None, gap=True)


@cache
def plain_sign(sign: str) -> str:
    """Return what stands for all signs that a search which ignores case takes for ``sign``.

    Coarser than that search: signs that it takes for one are one here.
    """
    if sign in _TWINS:
        return _TWINS[sign]
    upper = sign.upper()
    lower = (upper if len(upper) == 1 else sign).lower()
    return lower if len(lower) == 1 else sign


class _Plain(dict[int, int]):
    """Maps code points for ``str.translate``; filled as signs come up."""

    def __missing__(self, code: int) -> int:
        self[code] = ord(plain_sign(chr(code)))
        return self[code]


_PLAIN = _Plain()


def plain(text: str) -> str:
    """Return ``text`` with every sign replaced by :func:`plain_sign`, of equal length."""
    return text.lower() if text.isascii() else text.translate(_PLAIN)


def unassigned(text: str) -> bool:
    """Say whether Python knows nothing of a sign, so that `regex` may know other cases of it."""
    return not text.isascii() and any(unicodedata.category(sign) == "Cn" for sign in text)


@cache
def in_word(sign: str) -> bool:
    """Say whether a sign can stand in a word."""
    return regex.match(r"\w", sign) is not None


def tree_of(source: str) -> Node:
    """Return the tree of a translated pattern; raise :class:`UnreadableError` if that fails."""
    node, end = _either(source, 0)
    if end != len(source):
        raise UnreadableError("a bracket too many")
    return node


def _either(source: str, at: int) -> tuple[Node, int]:
    """Read alternatives up to the closing bracket or the end."""
    branches: list[Row] = []
    parts: list[Node] = []
    while at < len(source) and source[at] != ")":
        if source[at] == "|":
            branches.append(Row(tuple(parts)))
            parts, at = [], at + 1
            continue
        part, at = _part(source, at)
        part, at = _repeated(part, source, at)
        parts.append(part)
    branches.append(Row(tuple(parts)))
    return (branches[0] if len(branches) == 1 else Either(tuple(branches))), at


def _repeated(part: Node, source: str, at: int) -> tuple[Node, int]:
    while times := _TIMES.match(source, at):
        least, most = _range(times)
        part = Times(part, min(least, MANY + 1), min(most, MANY + 1))
        at = times.end()
        if source[at : at + 1] in ("?", "+"):
            at += 1
    if source[at : at + 1] == "{":
        raise UnreadableError("a brace that is no repetition")
    return part, at


def _range(times: regex.Match[str]) -> tuple[int, int]:
    sign = times.group()
    if sign in ("*", "+", "?"):
        return int(sign == "+"), 1 if sign == "?" else MANY + 1
    least, comma, most, _, upto = times.groups()
    if upto is not None:
        return 0, int(upto)
    if comma:
        return int(least), int(most) if most else MANY + 1
    return int(least), int(least)


def _part(source: str, at: int) -> tuple[Node, int]:
    sign = source[at]
    if sign == "(":
        return _group(source, at)
    if sign == "[":
        found = CLASS.match(source, at)
        if not found:
            raise UnreadableError("a set of signs left open")
        return _set(found.group()), found.end()
    if sign == "\\":
        return _escaped(source, at)
    if sign in "*+?{":
        raise UnreadableError("a repetition of nothing")
    if sign in "^$":
        return Place("some"), at + 1
    if sign == ".":
        return _ANY, at + 1
    return _one(sign), at + 1


def _group(source: str, at: int) -> tuple[Node, int]:
    for exact, kind in ((_LEFT, "left"), (_RIGHT, "right")):
        if source.startswith(exact, at):
            return Place(kind), at + len(exact)
    opening = OPENING.match(source, at)
    if source.startswith("(?", at) and not opening:
        raise UnreadableError("an unknown bracket")
    node, end = _either(source, opening.end() if opening else at + 1)
    if source[end : end + 1] != ")":
        raise UnreadableError("a bracket left open")
    around = opening is not None and opening.group() in _AROUND
    return (Place("some") if around else node), end + 1


def _escaped(source: str, at: int) -> tuple[Node, int]:
    two = source[at : at + 2]
    if found := _PROPERTY.match(source, at):
        return _ANY, found.end()
    if _GAPS.fullmatch(two):
        return _GAP, at + 2
    if two in (r"\d", r"\w", r"\D", r"\S"):
        return _ANY, at + 2
    if _NOWHERE.fullmatch(two):
        return Place("edge" if two == r"\b" else "some"), at + 2
    if regex.fullmatch(r"\\[!-/:-@\[-`{-~ ]", two):
        return _one(two[1]), at + 2
    raise UnreadableError(f"{two!r}")


def _one(sign: str) -> Signs:
    """Return a sign that is meant itself."""
    if unassigned(sign) or (not sign.isascii() and not in_word(sign) and plain_sign(sign) != sign):
        raise UnreadableError(f"{sign!r}")
    return Signs(frozenset({plain_sign(sign)}))


def _set(source: str) -> Signs:
    """Return a set of signs: which they are, or where that cannot be said, of what kind."""
    inner = source[1:-1]
    if "[" in inner:
        raise UnreadableError("a set in a set")
    pieces = regex.findall(r"\\[pP]\{[^}]*\}|\\.|.", inner)
    if inner.startswith("^") or any(regex.match(r"\\[A-Za-z0-9]", piece) and
                                    not _GAPS.fullmatch(piece) for piece in pieces):  # fmt: skip
        return _ANY
    signs = [piece if _GAPS.fullmatch(piece) else piece[-1] for piece in pieces]
    known, at, gaps = set[str](), 0, False
    while at < len(signs):
        if len(signs[at]) == 2:
            gaps = True
            at += 1
        elif pieces[at + 1 : at + 2] == ["-"] and at + 2 < len(signs):
            if len(signs[at + 2]) == 2 or ord(signs[at + 2]) - ord(signs[at]) > _RANGE:
                return _ANY
            known |= {chr(code) for code in range(ord(signs[at]), ord(signs[at + 2]) + 1)}
            at += 3
        else:
            known.add(signs[at])
            at += 1
    found = frozenset(next(iter(one.known or ())) for one in map(_one, known))
    if gaps:
        return _ANY if any(map(in_word, found)) else _GAP
    return Signs(found)


def both(parts: Sequence[Node]) -> tuple[Node, ...]:
    """Return parts in a row, with rows in them taken apart."""
    flat: list[Node] = []
    for part in parts:
        flat += both(part.parts) if isinstance(part, Row) else [part]
    return tuple(flat)
