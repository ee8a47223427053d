"""Passages of a text: cut at sentence ends, repeats and questions out, kept when in scope.

In: a canonical text, the row of its source, the settings ``units``. Out: the
passages in the columns of ``passages.tsv``, and everything that was left out with its reason. Run
once, when a text joins the corpus; afterwards offsets are frozen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd

from framing.acquire.read.sentences import sentence_spans
from framing.acquire.read.turns import same_person, spoken_by
from framing.common.problems import InputError, Problem
from framing.corpus.tables import PASSAGE_COLUMNS, passage_id

LEFT_OUT_COLUMNS = ("source_id", "start", "end", "words", "reason")

_LINE = re.compile(r"[^\n]+")
_WORD = re.compile(r"\w+")
_RUN = 5  # words looked up to find where a text may stand; how many only matters for speed


@dataclass(frozen=True)
class Unit:
    """A piece of a text: ``text[start:end]``, its words, who speaks, why it is left out if so."""

    start: int
    end: int
    words: int
    speaker: str | None = None
    reason: str | None = None


class PassageRow(NamedTuple):
    """A row of ``passages.tsv``."""

    passage_id: str
    source_id: str
    start: int
    end: int
    words: int


@dataclass(frozen=True)
class Cut:
    """What became of a text: ``passages`` (columns of ``passages.tsv``) and what was left out."""

    passages: pd.DataFrame
    left_out: pd.DataFrame


def paragraph_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield ``(start, end)`` of the paragraphs: lines that hold more than white space, trimmed."""
    for match in _LINE.finditer(text):
        line = match.group()
        start = match.start() + len(line) - len(line.lstrip())
        end = match.start() + len(line.rstrip())
        if start < end:
            yield start, end


def runs(
    text: str, start: int, end: int, max_words: int, abbreviations: Sequence[str] = ()
) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of the pieces of a paragraph: all of it, if ``max_words`` allow.

    Else as many sentences as fit, then the next run; a sentence longer than that stays whole.
    """
    if len(text[start:end].split()) <= max_words:
        return [(start, end)]
    made: list[tuple[int, int]] = []
    length = 0
    for first, last in sentence_spans(text[start:end], tuple(abbreviations)):
        words = len(text[start + first : start + last].split())
        if made and length + words <= max_words:
            made[-1] = (made[-1][0], start + last)
            length += words
        else:
            made.append((start + first, start + last))
            length = words
    return made


def cut_passages(
    source_id: str,
    text: str,
    units: Mapping[str, Any],
    source: Mapping[str, str] | None = None,
    speakers: Sequence[str | None] | None = None,
) -> Cut:
    """Return the passages of a text and what was left out of them (:func:`cut_pieces`)."""
    pieces = cut_pieces(source_id, text, units, source, speakers)
    return Cut(
        pd.DataFrame(passage_rows(source_id, pieces), columns=list(PASSAGE_COLUMNS)),
        pd.DataFrame(
            [
                (source_id, unit.start, unit.end, unit.words, unit.reason)
                for unit in pieces if unit.reason is not None
            ],
            columns=list(LEFT_OUT_COLUMNS),
        ),
    )  # fmt: skip


def passage_rows(source_id: str, pieces: Iterable[Unit]) -> list[PassageRow]:
    """Return the pieces that count as rows of ``passages.tsv``."""
    return [
        PassageRow(passage_id(source_id, unit.start, unit.end), source_id,
                   unit.start, unit.end, unit.words)
        for unit in pieces if unit.reason is None
    ]  # fmt: skip


def cut_pieces(
    source_id: str,
    text: str,
    units: Mapping[str, Any],
    source: Mapping[str, str] | None = None,
    speakers: Sequence[str | None] | None = None,
) -> list[Unit]:
    """Return the pieces of a text in order; those without a ``reason`` are its passages.

    ``source`` is its row of ``sources.tsv``: the scope rules ask for its columns, and its
    ``speaker`` says whose turns count. Without it every scope rule with a ``where`` is passed over.
    ``speakers`` names who speaks each paragraph, where a reader knows it (``Document.speakers``);
    otherwise labels at the start of paragraphs do.

    A piece is left out, for the first of these reasons that holds, where it is a questioner's or
    another speaker's turn, has fewer than ``min_words`` words, says again what another piece says
    (:func:`repeats`), or is out of scope (:func:`in_scope`). Raises :class:`InputError` where a
    scope rule names a term that is not there.
    """
    row = {"source_id": source_id, **(source or {})}
    spans = list(paragraph_spans(text))
    if speakers is None:
        speakers = spoken_by([text[start:end] for start, end in spans], units["turns"])
    pieces = [
        Unit(start, end, len(text[start:end].split()), speaker)
        for (first, last), speaker in zip(spans, speakers, strict=True)
        for start, end in runs(text, first, last, units["max_words"], units["abbreviations"])
    ]
    pieces = _without_other_voices(pieces, row.get("speaker", ""), units["turns"])
    pieces = [
        replace(unit, reason=f"shorter than {units['min_words']} words")
        if unit.reason is None and unit.words < units["min_words"]
        else unit
        for unit in pieces
    ]
    pieces = _without_repeats(text, pieces, units["same_text"])
    return _within_scope(text, pieces, row, units["scope"])


def _without_other_voices(pieces: list[Unit], speaker: str, turns: Mapping[str, Any]) -> list[Unit]:
    questioners = {name.casefold() for name in turns["questioners"]}
    voices = {unit.speaker for unit in pieces if unit.speaker is not None}
    own = {voice for voice in voices if speaker and same_person(voice, speaker)}
    made = []
    for unit in pieces:
        voice = unit.speaker
        if voice is not None and voice.casefold() in questioners:
            unit = replace(unit, reason=f"a questioner's turn ({voice})")
        elif voice is not None and turns["only_the_speaker"] and own and voice not in own:
            unit = replace(unit, reason=f"another speaker's turn ({voice})")
        made.append(unit)
    return made


def repeats(texts: Sequence[str], same_text: float) -> dict[int, int]:
    """Return which of ``texts`` say again what another says: ``{index: index of the other}``.

    Of two of which the words of one stand in a row in the other, only one counts. Where the
    shorter makes up at least ``same_text`` of the longer, they are the same text twice, and the
    first in order is kept; else the shorter is a quotation put on show (a pull quote), and the
    longer is kept. Case and punctuation do not matter.
    """
    words = [tuple(_WORD.findall(text.casefold())) for text in texts]
    lengths = [len(text.split()) for text in texts]
    rows = [f" {' '.join(each)} " for each in words]
    found: dict[int, int] = {}
    firsts: dict[str, int] = {}
    for number, row in enumerate(rows):
        if words[number] and firsts.setdefault(row, number) != number:
            found[number] = firsts[row]
    pairs = {
        (min(number, other), max(number, other))
        for number, holders in _holders({n: words[n] for n in firsts.values()}).items()
        for other in holders
        if other != number and rows[number] in rows[other]
    }
    for first, later in sorted(pairs):
        if first in found or later in found:
            continue
        short, long = sorted((first, later), key=lambda index: len(rows[index]))
        if lengths[short] >= same_text * lengths[long]:
            found[later] = first
        else:
            found[short] = long
    return found


def _holders(words: Mapping[int, tuple[str, ...]]) -> dict[int, set[int]]:
    """Return for each text those in which the rarest of its runs of words occurs, itself too."""
    # Comparing each with each would take minutes for a book; a rare run of words settles most.
    sizes = {min(len(each), _RUN) for each in words.values()}
    holders: dict[tuple[str, ...], set[int]] = {}
    for number, each in words.items():
        for size in sizes:
            for run in _word_runs(each, size):
                holders.setdefault(run, set()).add(number)
    return {
        number: min((holders[run] for run in _word_runs(each, min(len(each), _RUN))), key=len)
        for number, each in words.items()
    }


def _word_runs(words: tuple[str, ...], size: int) -> Iterator[tuple[str, ...]]:
    return (words[start : start + size] for start in range(len(words) - size + 1))


def _without_repeats(text: str, pieces: list[Unit], same_text: float) -> list[Unit]:
    held = [number for number, unit in enumerate(pieces) if unit.reason is None]
    found = repeats([text[pieces[n].start : pieces[n].end] for n in held], same_text)
    made = list(pieces)
    for repeat, original in found.items():
        unit, other = pieces[held[repeat]], pieces[held[original]]
        kind = "repeats" if other.start < unit.start else "pull quote of"
        reason = f"{kind} the passage at {other.start}"
        made[held[repeat]] = replace(unit, reason=reason)
    return made


def scope_needs(row: Mapping[str, str], scope: Mapping[str, Any]) -> list[str] | None:
    """Return the terms that a passage of this source must hold: those of the first rule that fits.

    A rule fits when every column of its ``where`` has one of the values given. None: no rule fits.
    Raises :class:`InputError` where a rule names a term that ``terms`` lacks.
    """
    for number, rule in enumerate(scope["rules"], start=1):
        if all(row.get(column) in values for column, values in rule["where"].items()):
            for term in rule["needs"]:
                if term not in scope["terms"]:
                    raise InputError(
                        Problem(
                            "units.scope",
                            f"rule {number} needs {term!r}, which is not among the terms",
                            f"Use one of {', '.join(scope['terms'])}, or add it there.",
                        )
                    )
            return list(rule["needs"])
    return None


def lacking(passage: str, needs: Sequence[str], scope: Mapping[str, Any]) -> list[str]:
    """Return which of the terms in ``needs`` the passage does not hold."""
    return [term for term in needs if not _pattern(tuple(scope["terms"][term])).search(passage)]


def _within_scope(
    text: str, pieces: list[Unit], row: Mapping[str, str], scope: Mapping[str, Any]
) -> list[Unit]:
    needs = scope_needs(row, scope)
    made = []
    for unit in pieces:
        if unit.reason is None and needs is None:
            unit = replace(unit, reason="out of scope: no scope rule fits its source")
        elif unit.reason is None and needs:
            missing = lacking(text[unit.start : unit.end], needs, scope)
            if missing:
                unit = replace(unit, reason=f"out of scope: does not speak of {', '.join(missing)}")
        made.append(unit)
    return made


@lru_cache(maxsize=1024)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    # Whole words as written; `*` at the end stands for any ending.
    return re.compile(
        "|".join(
            rf"(?<!\w){re.escape(word.rstrip('*'))}" + ("" if word.endswith("*") else r"(?!\w)")
            for word in words
        )
        or r"(?!)"
    )
