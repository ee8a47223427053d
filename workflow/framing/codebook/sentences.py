"""A passage cut into sentences, and these into chunks that no word reaches across.

Chunks are what indexes look up, once for each that is different: the bytes between spaces and
ASCII signs that are in no word, ASCII letters lower-cased. Cutting takes time in proportion to the
text, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import regex

from framing.codebook.pattern_syntax import fold

# Possessive, and never begun inside a run of points: nothing else could match there either, and a
# line of a million points would take for ever.
_SENTENCE_END = regex.compile(
    r"(?<![.!?\u2026])[.!?\u2026]++[\"')\]]*+(?=\s++[\"'(\[]*+[\p{Lu}\p{N}])"
)
_LAST_WORD = regex.compile(r"(?r)[\p{L}.]+")  # read backwards

_KEPT = b"abcdefghijklmnopqrstuvwxyz0123456789_'.,"
_CHUNKED = bytes(
    code if code in _KEPT or code >= 0x80 else 0x20 for code in bytes(range(256)).lower()
)


class Sentence(NamedTuple):
    """A sentence: where it begins in its passage, its folded text, its chunks in order."""

    start: int
    text: str
    chunks: list[bytes]


@lru_cache(maxsize=8)
def _short(abbreviations: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.lower().rstrip(".") for word in abbreviations)


def sentence_spans(text: str, abbreviations: Iterable[str] = ()) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of the sentences of a passage, in order, without outer spaces.

    A sentence ends at ``. ! ? …`` (with closing quotes and brackets) when white space and then a
    capital letter or a digit follow. A single point does not end one after an abbreviation
    (given without its last point, any case) or after a single letter ("U.S.", "J. Smith").
    """
    return _spans(fold(text), _short(tuple(abbreviations)))


def _spans(folded: str, short: frozenset[str]) -> list[tuple[int, int]]:
    spans, start = [], 0
    for match in _SENTENCE_END.finditer(folded):
        at, end = match.span()
        if folded[at] == "." and _abbreviated(folded, start, at, short):
            continue
        spans.append((start, end))
        start = end
    spans.append((start, len(folded)))
    return [trimmed for span in spans if (trimmed := _trim(folded, *span))[0] < trimmed[1]]


def _abbreviated(folded: str, start: int, at: int, short: frozenset[str]) -> bool:
    """Say whether what ends at ``at`` is a short word, whose point ends no sentence."""
    word = _LAST_WORD.match(folded, start, at)
    if not word:
        return False
    last = word.group().lower()
    return last in short or len(last.rpartition(".")[2]) == 1


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def sentences_of(folded: str, abbreviations: tuple[str, ...]) -> list[Sentence]:
    """Return the sentences of a folded passage (:func:`sentence_spans`) with their chunks."""
    found = []
    for start, end in _spans(folded, _short(abbreviations)):
        text = folded[start:end]
        found.append(Sentence(start, text, chunks_of(text)))
    return found


def chunks_of(text: str) -> list[bytes]:
    """Return the chunks of a folded text.

    Runs of ``\\w`` lie in one chunk each, and so do words as :mod:`framing.corpus.words` has them.

    >>> chunks_of("Dr. No's 1,300 keys, (re-cut).")
    [b'dr', b"no's", b'1,300', b'keys', b're', b'cut']
    """
    signs = text.encode("utf-8", "surrogatepass").translate(_CHUNKED)
    # A point or a comma before a space belongs to no word.
    return signs.replace(b". ", b"  ").replace(b", ", b"  ").rstrip(b".,").split()
