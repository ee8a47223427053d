"""Cues: named patterns over the text of a passage, searched sentence by sentence.

Patterns and their syntax are in :mod:`framing.codebook.patterns` and ``docs/cues.md``. Quotes and
dashes are folded before the search without moving an offset.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import regex

from framing.codebook.hits import hit_key
from framing.codebook.pattern_syntax import PatternError, fold
from framing.codebook.patterns import compile_any, expand
from framing.common.files import sha256
from framing.common.problems import InputError, Problem

if TYPE_CHECKING:
    from framing.codebook.codebook import Codebook, Cue

ENGINE = "cues/2; sentences/1"
"""Versions of syntax (and of how hits are counted) and sentence splitter. They enter every digest:
change them with the rules."""

SYNTAX = "The syntax is described in docs/cues.md."

# Seconds of processor time (which is what `regex` measures) after which a search is given up. It
# decides between a result and an error, never between two results.
_MATCH_SECONDS = 5.0

_WORD = regex.compile(r"\w++(?:'\w++)*+")
_SENTENCE_END = regex.compile(r"[.!?\u2026]+[\"')\]]*+(?=\s+[\"'(\[]*+[\p{Lu}\p{N}])")
_LAST_WORD = regex.compile(r"[\p{L}.]+$")

# --- text ------------------------------------------------------------------------------------


def sentence_spans(text: str, abbreviations: Iterable[str] = ()) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of the sentences of a passage, in order, without outer spaces.

    A sentence ends at ``. ! ? …`` (with closing quotes and brackets) when white space and then a
    capital letter or a digit follow. A single point does not end one after an abbreviation
    (given without its last point, any case) or after a single letter ("U.S.", "J. Smith").
    """
    folded = fold(text)
    short = {word.lower().rstrip(".") for word in abbreviations}
    spans, start = [], 0
    for match in _SENTENCE_END.finditer(folded):
        word = _LAST_WORD.search(folded, start, match.start())
        if match.group()[0] == "." and word:
            last = word.group().lower()
            if last in short or len(last.rpartition(".")[2]) == 1:
                continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(folded)))
    return [trimmed for span in spans if (trimmed := _trim(folded, *span))[0] < trimmed[1]]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


# --- cues ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CompiledCue:
    """A cue ready to search: compiled patterns (None where there is none) and its conditions."""

    name: str
    hit: Any
    required: Any
    forbidden: Any
    in_passage: bool
    negated: str


@dataclass(frozen=True)
class CompiledCues:
    """All cues of a codebook ready to search, and what they share."""

    place: str
    cues: tuple[CompiledCue, ...]
    negators: Any
    window: int
    abbreviations: tuple[str, ...]


def cue_problem(place: object, cue: str, what: str, remedy: str = SYNTAX) -> Problem:
    """Return a problem whose place is file and cue."""
    return Problem(f"{place}: cue {cue!r}", what, remedy)


def compile_cues(codebook: Codebook, *, tried: bool = False) -> CompiledCues:
    """Compile every cue and try it, where it was not ``tried`` before.

    Raises :class:`InputError` with all that are broken.
    """
    problems, cues = [], []
    for cue in codebook.cues:
        parts = {}
        for key, patterns in (
            ("pattern", cue.pattern), ("with", cue.required), ("unless", cue.forbidden),
        ):  # fmt: skip
            try:
                parts[key] = (
                    compile_any(patterns, codebook.terms, case=cue.case == "match", tried=tried)
                    if patterns
                    else None
                )
            except PatternError as error:
                problems.append(cue_problem(codebook.place, cue.name, f"{key}: {error}"))
        if len(parts) == 3:
            cues.append(
                CompiledCue(
                    cue.name, parts["pattern"], parts["with"], parts["unless"],
                    cue.within == "passage", cue.negated,
                )
            )  # fmt: skip
    negators = None
    if codebook.negators:
        try:
            negators = compile_any(codebook.negators, codebook.terms, tried=tried)
        except PatternError as error:
            problems.append(Problem(codebook.place, f"negators: {error}", SYNTAX))
    if problems:
        raise InputError(problems)
    return CompiledCues(
        codebook.place, tuple(cues), negators, codebook.negation_window, codebook.abbreviations
    )


def pattern_hits(compiled: CompiledCues, text: str) -> dict[str, int]:
    """Return how often each pattern of a cue hits in a passage (``{"ignored/3": 1}``).

    Keys are those of :func:`framing.codebook.hits.hit_key`, in code point order; patterns without a
    hit miss. Hits of one cue do not overlap, and each belongs to one of its patterns, so that they
    add up to the cue's. Raises :class:`InputError` naming a cue that takes too long.
    """
    found = Counter(hit_key(name, pattern) for name, pattern, _, _ in _spans(compiled, text))
    return {key: found[key] for key in sorted(found)}


def cue_spans(compiled: CompiledCues, text: str) -> list[tuple[str, int, int]]:
    """Return ``(cue, start, end)`` of every hit in a passage, by start, end and name.

    Offsets are code points of ``text``, end-exclusive. Errors as in :func:`pattern_hits`.
    """
    spans = [(name, start, end) for name, _, start, end in _spans(compiled, text)]
    return sorted(spans, key=lambda hit: (hit[1], hit[2], hit[0]))


def _spans(compiled: CompiledCues, text: str) -> list[tuple[str, int, int, int]]:
    """Return cue, number of the pattern, start and end of every hit, cue by cue."""
    folded = fold(text)
    sentences = [(a, folded[a:b]) for a, b in sentence_spans(folded, compiled.abbreviations)]
    found = []
    for cue in compiled.cues:
        try:
            for start, sentence in sentences:
                for hit in cue.hit.finditer(sentence, timeout=_MATCH_SECONDS):
                    if hit.start() == hit.end() or not _counts(
                        compiled, cue, hit, sentence, folded
                    ):
                        continue
                    span = (start + hit.start(), start + hit.end())
                    found.append((cue.name, hit.lastindex, *span))
        except TimeoutError:
            raise InputError(
                cue_problem(
                    compiled.place, cue.name,
                    f"takes too long on a passage that begins {text[:40]!r}",
                    "Avoid a repetition inside a repetition; say '..N' instead of '.*'.",
                )
            ) from None  # fmt: skip
    return found


def _counts(compiled: CompiledCues, cue: CompiledCue, hit: Any, sentence: str, folded: str) -> bool:
    """Say whether a hit meets the cue's conditions: with, unless, negated."""
    scope = folded if cue.in_passage else sentence
    if cue.required is not None and not cue.required.search(scope, timeout=_MATCH_SECONDS):
        return False
    if cue.forbidden is not None and cue.forbidden.search(scope, timeout=_MATCH_SECONDS):
        return False
    if cue.negated == "any":
        return True
    words = [word.start() for word in _WORD.finditer(sentence, 0, hit.start())]
    first = words[-compiled.window] if len(words) > compiled.window else 0
    before = sentence[first : hit.start()]
    denied = bool(compiled.negators.search(before, timeout=_MATCH_SECONDS))
    return denied == (cue.negated == "only")


def cue_digest(codebook: Codebook, cue: Cue) -> str:
    """Return 8 hexadecimal digits that change if and only if the cue's hits can change.

    They are made of the expanded patterns in their order (so of terms), of what conditions them
    (negators and window only where negation matters) and of :data:`ENGINE`; not of name,
    description, votes.
    """
    conditions: dict[str, Any] = {
        "engine": ENGINE,
        "abbreviations": sorted({word.lower().rstrip(".") for word in codebook.abbreviations}),
        "pattern": expand(cue.pattern, codebook.terms),
        "case": cue.case,
    }
    for key, patterns in (("with", cue.required), ("unless", cue.forbidden)):
        if patterns:
            conditions[key] = expand(patterns, codebook.terms)
            conditions["within"] = cue.within
    if cue.negated != "any":
        conditions["negated"] = cue.negated
        conditions["negators"] = expand(codebook.negators, codebook.terms)
        conditions["window"] = codebook.negation_window
    return sha256(json.dumps(conditions, sort_keys=True))[:8]
