"""Passages coded by the stored models a block at a time, in arrays.

The numbers are those of :func:`framing.classifier.stored.predict`, to the last place printed. Sums
of floating point numbers differ in their last bits from one order to another, and where a number
lies so near the middle between two printed ones that this could tell, the passage is coded by
:func:`predict` itself. Hits come from the index of cues, and both hits and words from the same
chunks (:mod:`framing.codebook.sentences`), each different one of which is looked at once.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from framing.classifier.apply import Instrument, code_text, prose
from framing.classifier.features import stem
from framing.classifier.rounding import round_off, unsure
from framing.classifier.stored import Model, reader_of
from framing.codebook.cues import spans_in
from framing.codebook.pattern_syntax import fold
from framing.codebook.sentences import sentences_of
from framing.common.problems import InputError
from framing.corpus.words import word_counts, words_of

if TYPE_CHECKING:
    from framing.classifier.stored import Said

Coding = Mapping[str, "Said"] | InputError
"""What comes of a passage: each code's prediction, or why there is none."""

CHUNKS = 300_000
"""So many different chunks are remembered before all are forgotten, so that memory is constant: at
some 300 bytes each it is a hundred megabytes. A million passages hold a few times as many, most of
them once."""

# Signs that folding makes apostrophes and words do not; and a letter whose small form hangs on its
# neighbours. Words of passages with one are counted in the whole passage.
_APART = re.compile("[\u201a\u201b\u2032\u03a3]")


class BlockCoder:
    """Codes blocks of texts with an instrument."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._cues = _CueColumns(instrument)
        kinds: dict[bool, list[str]] = {}
        for code, model in instrument.models.items():
            if model["constant"] is None:
                kinds.setdefault(bool(model["settings"]["stem"]), []).append(code)
        self._vocabularies = [
            (_Vocabulary([instrument.models[code] for code in codes], stemmed=stemmed), codes)
            for stemmed, codes in kinds.items()
        ]

    def code(self, texts: Sequence[str]) -> list[Coding]:
        """Return what comes of each text, in order (:func:`code_text`, without ``parts``)."""
        read = [self._read(text) for text in texts]
        good = [place for place, one in enumerate(read) if isinstance(one, _Read)]
        block = [one for one in read if isinstance(one, _Read)]
        found: list[Coding] = [one if isinstance(one, InputError) else {} for one in read]
        if not block:
            return found
        said, doubtful = self._said(block)
        models = self._instrument.models
        rows = zip(*(said[code] for code in models), strict=True)
        for place, row, again in zip(good, rows, doubtful.tolist(), strict=True):
            found[place] = (
                code_text(self._instrument, texts[place])
                if again
                else dict(zip(models, row, strict=True))
            )
        return found

    def _read(self, text: str) -> _Read | InputError:
        """Return hits and chunks of a text, or the error of a cue that takes too long."""
        compiled = self._instrument.compiled
        passage = prose(text)
        folded = fold(passage)
        sentences = sentences_of(folded, compiled.abbreviations)
        try:
            hits = [(name, number) for name, number, _, _ in spans_in(compiled, folded, sentences)]
        except InputError as error:
            return error
        if not passage.isascii() and _APART.search(passage):
            return _Read(list(_repeated(word_counts(passage))), hits)
        return _Read([chunk for one in sentences for chunk in one.chunks], hits)

    def _said(self, block: Sequence[_Read]) -> tuple[dict[str, Sequence[Said]], np.ndarray]:
        """Return by code what the models say of each passage, and which must be coded again."""
        number = len(block)
        doubtful = np.zeros(number, dtype=bool)
        said: dict[str, Sequence[Said]] = {}
        hits = self._cues.features([one.hits for one in block])
        for vocabulary, codes in self._vocabularies:
            found = vocabulary.seen([one.chunks for one in block])
            for code, seen in zip(codes, found, strict=True):
                model = self._instrument.models[code]
                scores = seen.scores + hits @ self._cues.weights[code]
                doubtful |= seen.doubtful
                said[code], unclear = reader_of(model).several(
                    model, scores, seen.unknown, seen.similarity
                )
                doubtful |= unclear
        for code, model in self._instrument.models.items():
            if model["constant"] is not None:
                said[code] = [reader_of(model).predict(model, {}, {})] * number
        return said, doubtful


@dataclass(frozen=True)
class _Read:
    """What was read in a passage: its chunks, and cue and pattern of each hit."""

    chunks: list[bytes]
    hits: list[tuple[str, int]]


def _repeated(counts: Mapping[str, int]) -> Iterator[bytes]:
    for word, number in counts.items():
        yield from [word.encode("utf-8", "surrogatepass")] * number


# --- cues -----------------------------------------------------------------------------------------


class _CueColumns:
    """The features that are made of hits: a column a cue, then a column a pattern."""

    def __init__(self, instrument: Instrument) -> None:
        cues = instrument.compiled.cues
        self._cue = {cue.name: place for place, cue in enumerate(cues)}
        keys = [(cue.name, n) for cue in cues for n in range(1, len(cue.patterns) + 1)]
        self._pattern = {key: len(cues) + place for place, key in enumerate(keys)}
        self._width = len(cues) + len(keys)
        self.weights: dict[str, np.ndarray] = {}
        """By code, columns × levels."""
        for code, model in instrument.models.items():
            if model["constant"] is None:
                entries = [model["cues"][cue.name] for cue in cues]
                patterns = [weight for entry in entries for weight in entry["patterns"]]
                table = [*(entry["weight"] for entry in entries), *patterns]
                levels = np.size(model["intercept"])
                self.weights[code] = np.array(table, dtype=float).reshape(-1, levels)

    def features(self, hits: Sequence[Sequence[tuple[str, int]]]) -> sparse.csr_matrix:
        """Return passages × columns of log(1 + hits)."""
        columns = [
            column
            for own in hits
            for hit in own
            for column in (self._cue[hit[0]], self._pattern[hit])
        ]
        ends = np.cumsum([0, *(2 * len(own) for own in hits)])
        matrix = sparse.csr_matrix(
            (np.ones(len(columns)), np.array(columns, dtype=np.int32), ends),
            shape=(len(hits), self._width),
        )
        matrix.sum_duplicates()
        matrix.data = np.log1p(matrix.data)
        return matrix


# --- words ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seen:
    """What a model sees of the words of passages, a row each; ``doubtful`` where rounding is."""

    scores: np.ndarray
    unknown: np.ndarray
    similarity: np.ndarray
    doubtful: np.ndarray


class _Terms:
    """What a model says of a term, in a row of numbers, and what it makes of their sums.

    The row has the squared idf, whether the term is known, how much it counts in closeness, idf ·
    centre, for each level idf · weight, and for each rule what it counts · its closeness.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._levels = np.size(model["intercept"])
        self._rules = [model["rules"][name] for name in sorted(model["rules"])]
        self.width = 4 + self._levels + len(self._rules)

    def row(self, term: str) -> list[float]:
        """Return the row of a term."""
        word, near = self._model["words"].get(term), self._model["closeness"].get(term)
        row = [0.0] * self.width
        if word is not None:
            idf = word["idf"]
            weights = np.atleast_1d(word["weight"]).tolist()
            row[0], row[1], row[3] = idf * idf, 1.0, idf * word["centre"]
            row[4 : 4 + self._levels] = [idf * weight for weight in weights]
        if near is not None:
            row[2] = near[0]
            row[4 + self._levels :] = [near[0] * value for value in near[1:]]
        return row

    def seen(
        self, squares: np.ndarray, counts: np.ndarray, logs: np.ndarray, total: np.ndarray
    ) -> _Seen:
        """Return what is seen, from sums over terms (passages × row).

        A term counts (1 + log n)² in ``squares``, n in ``counts``, 1 + log n in ``logs``, where n
        is how often it occurs; ``total`` is the number of words.
        """
        first = 4 + self._levels
        length = np.sqrt(squares[:, 0])
        length[length == 0] = 1.0
        share = np.divide(counts[:, 1], total, out=np.zeros(len(total)), where=total > 0)
        unknown, similarity = 1 - share, logs[:, 3] / length
        doubtful = unsure(unknown) | unsure(similarity)
        scores = (
            np.array(self._model["intercept"], dtype=float) + logs[:, 4:first] / length[:, None]
        )
        for place, rule in enumerate(self._rules):
            weight, mean = logs[:, 2], rule["mean"]
            near = np.full(len(total), mean)
            np.divide(logs[:, first + place], weight, out=near, where=weight != 0)
            value = (near - mean) / (rule["spread"] or 1.0)
            doubtful |= unsure(value)
            scores += round_off(value)[:, None] * np.atleast_1d(rule["weight"])
        return _Seen(scores, round_off(unknown), round_off(similarity), doubtful)


class _Vocabulary(dict[bytes, int]):
    """The numbers of chunks, and the terms in each; stems, where ``stemmed``.

    Terms of several models are kept together, a row of numbers each (:class:`_Terms`).
    """

    def __init__(self, models: Sequence[Model], *, stemmed: bool) -> None:
        super().__init__()
        self._readers = [_Terms(model) for model in models]
        self._stemmed = stemmed
        self._forget()

    def _forget(self) -> None:
        self.clear()
        stem.cache_clear()
        self._terms: dict[str, int] = {}
        self._rows = array("d")
        self._ends = array("q", [0])
        self._held = array("i")

    def __missing__(self, chunk: bytes) -> int:
        for word in words_of(chunk.decode("utf-8", "surrogatepass")):
            self._held.append(self._term(stem(word) if self._stemmed else word))
        self._ends.append(len(self._held))
        self[chunk] = len(self._ends) - 2
        return len(self._ends) - 2

    def _term(self, term: str) -> int:
        number = self._terms.get(term)
        if number is None:
            number = self._terms[term] = len(self._terms)
            for reader in self._readers:
                self._rows.extend(reader.row(term))
        return number

    def seen(self, passages: Sequence[Sequence[bytes]]) -> list[_Seen]:
        """Return what each model sees of passages given by their chunks."""
        if len(self) > CHUNKS:
            self._forget()
        words = self._counts(passages)
        table = np.array(self._rows).reshape(len(self._terms), -1)
        counts = words.data
        logs = 1 + np.log(counts)
        sums = [
            sparse.csr_matrix((data, words.indices, words.indptr), shape=words.shape) @ table
            for data in (logs * logs, counts, logs)
        ]
        total = np.asarray(words.sum(axis=1)).ravel()
        found, at = [], 0
        for reader in self._readers:
            own = [part[:, at : at + reader.width] for part in sums]
            found.append(reader.seen(own[0], own[1], own[2], total))
            at += reader.width
        return found

    def _counts(self, passages: Sequence[Sequence[bytes]]) -> sparse.csr_matrix:
        """Return passages × terms of counts."""
        numbers = array("q")
        for chunks in passages:
            numbers.extend(map(self.__getitem__, chunks))
        chunk = np.array(numbers, dtype=np.int64)
        ends, held = np.array(self._ends), np.array(self._held)
        first, width = ends[chunk], ends[chunk + 1] - ends[chunk]
        after = np.cumsum(width)
        place = np.arange(after[-1] if len(after) else 0) + np.repeat(first - after + width, width)
        rows = np.cumsum([0, *map(len, passages)])
        matrix = sparse.csr_matrix(
            (np.ones(len(place)), held[place], np.concatenate([[0], after])[rows]),
            shape=(len(passages), len(self._terms)),
        )
        matrix.sum_duplicates()
        return matrix
