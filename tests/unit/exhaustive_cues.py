"""The search for cues without an index: every expression over every sentence.

It is how hits were found before there was an index, kept as it was, and what the index is held
against.
"""

from __future__ import annotations

from collections.abc import Iterable

import regex

from framing.codebook.cues import CompiledCues
from framing.codebook.pattern_syntax import fold

WORD = regex.compile(r"\w++(?:'\w++)*+")
SENTENCE_END = regex.compile(r"[.!?\u2026]+[\"')\]]*+(?=\s+[\"'(\[]*+[\p{Lu}\p{N}])")
LAST_WORD = regex.compile(r"[\p{L}.]+$")


def spans_of_sentences(text: str, abbreviations: Iterable[str] = ()) -> list[tuple[int, int]]:
    folded = fold(text)
    short = {word.lower().rstrip(".") for word in abbreviations}
    spans, start = [], 0
    for match in SENTENCE_END.finditer(folded):
        word = LAST_WORD.search(folded, start, match.start())
        if match.group()[0] == "." and word:
            last = word.group().lower()
            if last in short or len(last.rpartition(".")[2]) == 1:
                continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(folded)))
    return [trimmed for span in spans if (trimmed := trim(folded, *span))[0] < trimmed[1]]


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def every_hit(compiled: CompiledCues, text: str) -> list[tuple[str, int, int, int]]:
    """Return cue, number of the pattern, start and end of every hit, sorted."""
    folded = fold(text)
    sentences = [(a, folded[a:b]) for a, b in spans_of_sentences(folded, compiled.abbreviations)]
    found = []
    for cue in compiled.cues:
        for start, sentence in sentences:
            for hit in cue.hit.finditer(sentence):
                if hit.start() == hit.end() or not counts(compiled, cue, hit, sentence, folded):
                    continue
                found.append((cue.name, hit.lastindex, start + hit.start(), start + hit.end()))
    return sorted(found)


def counts(compiled, cue, hit, sentence: str, folded: str) -> bool:
    scope = folded if cue.in_passage else sentence
    if cue.required is not None and not cue.required.search(scope):
        return False
    if cue.forbidden is not None and cue.forbidden.search(scope):
        return False
    if cue.negated == "any":
        return True
    words = [word.start() for word in WORD.finditer(sentence, 0, hit.start())]
    first = words[-compiled.window] if len(words) > compiled.window else 0
    denied = bool(compiled.negators.search(sentence[first : hit.start()]))
    return denied == (cue.negated == "only")
