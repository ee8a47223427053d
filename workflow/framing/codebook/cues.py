"""Cues: named patterns over the text of a passage, searched sentence by sentence.

Patterns and their syntax are in :mod:`framing.codebook.patterns` and ``docs/cues.md``. Quotes and
dashes are folded before the search without moving an offset. A sentence is searched for a pattern
only where it has the words that each of its hits must have (:mod:`framing.codebook.cue_index`),
and only from words that a hit can begin with; what counts is always the exact expression.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import regex

from framing.codebook.cue_index import CueIndex, Wanted
from framing.codebook.hits import hit_key
from framing.codebook.pattern_syntax import PatternError, fold
from framing.codebook.pattern_trees import plain
from framing.codebook.patterns import compile_any, expand
from framing.codebook.sentences import Sentence, sentences_of
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
    patterns: tuple[str, ...] = ()
    terms: Mapping[str, str] = field(default_factory=dict)
    case: bool = False

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Return the translated expression of each pattern."""
        return tuple(expand([pattern], self.terms) for pattern in self.patterns)

    @cached_property
    def _compiled(self) -> dict[int, Any]:
        return {}

    def one(self, number: int) -> Any:
        """Return the compiled pattern of a number, counted from 1."""
        known = self._compiled.get(number)
        if known is None:
            pattern = self.patterns[number - 1]
            known = compile_any([pattern], self.terms, case=self.case, tried=True)
            self._compiled[number] = known
        return known


@dataclass(frozen=True)
class CompiledCues:
    """All cues of a codebook ready to search, and what they share."""

    place: str
    cues: tuple[CompiledCue, ...]
    negators: Any
    window: int
    abbreviations: tuple[str, ...]

    @cached_property
    def index(self) -> CueIndex:
        """Return the index of all patterns, made when it is first asked for."""
        return CueIndex([cue.sources for cue in self.cues])

    def vague(self) -> list[str]:
        """Return the patterns (:func:`hit_key`) that require no word: searched for everywhere."""
        return [hit_key(self.cues[cue].name, number) for cue, number in self.index.vague]


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
                    cue.pattern, codebook.terms, cue.case == "match",
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
    """Return cue, number of the pattern, start and end of every hit, sentence by sentence."""
    folded = fold(text)
    return spans_in(compiled, folded, sentences_of(folded, compiled.abbreviations))


def spans_in(
    compiled: CompiledCues, folded: str, sentences: Sequence[Sentence]
) -> list[tuple[str, int, int, int]]:
    """Return the hits in a passage that is folded and cut already.

    As :func:`cue_spans`, with the number of the pattern after the name, in no particular order.
    """
    found: list[tuple[str, int, int, int]] = []
    wide: dict[int, bool] = {}
    for sentence in sentences:
        wanted = compiled.index.wanted(sentence.chunks)
        if not wanted:
            continue
        search = _Search(compiled, sentence, folded, wide)
        for number, patterns in groupby(wanted, key=lambda one: one.cue):
            cue = compiled.cues[number]
            try:
                found += [
                    (cue.name, pattern, sentence.start + start, sentence.start + end)
                    for pattern, start, end in search.hits(number, list(patterns))
                ]
            except TimeoutError:
                raise InputError(
                    cue_problem(
                        compiled.place, cue.name,
                        f"takes too long on a passage that begins {folded[:40]!r}",
                        "Avoid a repetition inside a repetition; say '..N' instead of '.*'.",
                    )
                ) from None  # fmt: skip
    return found


class _Search:
    """The search of one sentence.

    ``wide`` has, by cue, whether its conditions hold in the passage, as far as that is known: they
    are the same for all hits, of which there may be many.
    """

    def __init__(
        self, compiled: CompiledCues, sentence: Sentence, folded: str, wide: dict[int, bool]
    ) -> None:
        self._compiled, self._text, self._folded = compiled, sentence.text, folded
        self._wide = wide

    @cached_property
    def _plain(self) -> str:
        return plain(self._text)

    @cached_property
    def _word_starts(self) -> list[int]:
        return [word.start() for word in _WORD.finditer(self._text)]

    def hits(self, number: int, wanted: Sequence[Wanted]) -> Iterator[tuple[int, int, int]]:
        """Yield pattern, start and end of a cue's hits, of which only ``wanted`` can be there."""
        cue = self._compiled.cues[number]
        holds = None
        for pattern, start, end in self._matches(cue, wanted):
            if start == end:
                continue
            if holds is None and not (holds := self._conditions(number, cue)):
                return
            if self._negation_fits(cue, start):
                yield pattern, start, end

    def _matches(
        self, cue: CompiledCue, wanted: Sequence[Wanted]
    ) -> Iterator[tuple[int, int, int]]:
        places: list[tuple[int, int]] = []
        for one in wanted:
            if one.first is None:  # it may begin anywhere
                alone = one.pattern if len(wanted) == 1 else None
                search = cue.hit if alone is None else cue.one(alone)
                for hit in search.finditer(self._text, timeout=_MATCH_SECONDS):
                    yield alone or hit.lastindex, hit.start(), hit.end()
                return
            for word in one.first:
                places += [(at, one.pattern) for at in self._places(word)]
        # What the expression "any of the patterns" finds: the leftmost, of the first that fits
        # there, and then on from its end.
        done = 0
        for at, pattern in places if len(places) == 1 else sorted(set(places)):
            if at < done:
                continue
            hit = cue.one(pattern).match(self._text, at, timeout=_MATCH_SECONDS)
            if hit:
                done = hit.end()
                yield pattern, at, done

    def _places(self, word: str) -> list[int]:
        """Return where a plain word begins; some places inside of others may be among them."""
        text, found = self._plain, []
        at = text.find(word)
        while at >= 0:
            end = at + len(word)
            if not text[at - 1 : at].isalpha() and not text[end : end + 1].isalpha():
                found.append(at)
            at = text.find(word, end)
        return found

    def _conditions(self, number: int, cue: CompiledCue) -> bool:
        """Say whether a cue's conditions hold around a hit: with, unless."""
        if cue.required is None and cue.forbidden is None:
            return True
        if not cue.in_passage:
            return _holds(cue, self._text)
        if number not in self._wide:
            self._wide[number] = _holds(cue, self._folded)
        return self._wide[number]

    def _negation_fits(self, cue: CompiledCue, start: int) -> bool:
        """Say whether a hit is negated, or not, as its cue wants it."""
        if cue.negated == "any":
            return True
        compiled = self._compiled
        words = bisect_left(self._word_starts, start)
        first = self._word_starts[words - compiled.window] if words > compiled.window else 0
        before = self._text[first:start]
        denied = bool(compiled.negators.search(before, timeout=_MATCH_SECONDS))
        return denied == (cue.negated == "only")


def _holds(cue: CompiledCue, scope: str) -> bool:
    if cue.required is not None and not cue.required.search(scope, timeout=_MATCH_SECONDS):
        return False
    return cue.forbidden is None or not cue.forbidden.search(scope, timeout=_MATCH_SECONDS)


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
