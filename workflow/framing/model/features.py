"""Features of a passage from its derived facts: tf-idf of words, hits and votes of cues.

Nothing here sees prose: the inputs are word counts and cue hits. Vocabulary and document
frequencies are learned from the training rows alone, so that no fold learns from its own sources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from nltk.stem.snowball import SnowballStemmer
from scipy import sparse

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Facts:
    """What the classifier may know of rows (passages or exemplars), aligned by position.

    ``words``: rows × terms counts (CSR, float), ``terms`` its columns in code point order;
    ``cues``: rows × cues, log(1 + hits), ``cue_names`` its columns.
    """

    words: sparse.csr_matrix
    terms: tuple[str, ...]
    cues: np.ndarray
    cue_names: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.words.shape[0])


@dataclass(frozen=True)
class FeatureSpace:
    """Columns that a model uses and how they are scaled.

    ``columns`` index the terms of :class:`Facts`, ``idf`` are their weights; cue features are
    multiplied by ``cue_scale``; ``votes`` (one number a cue: +1 for the code, -1 against, 0) gives
    one more feature, the balance of the cues that spoke, multiplied by ``vote_scale``.
    """

    columns: np.ndarray
    idf: np.ndarray
    cue_scale: float
    votes: np.ndarray
    vote_scale: float


@cache
def _stemmer() -> SnowballStemmer:
    return SnowballStemmer("english")


@cache
def stem(word: str) -> str:
    """Return the Snowball stem (Porter 2) of a lower-cased English word."""
    return str(_stemmer().stem(word))


def collect(
    counts: Sequence[Counts], hits: Sequence[Counts], cue_names: Sequence[str], *, stemmed: bool
) -> Facts:
    """Return the facts of rows from their word counts and cue hits (two equally long lists)."""
    rows: list[Counter[str]] = []
    for words in counts:
        row: Counter[str] = Counter()
        for word, number in words.items():
            row[stem(word) if stemmed else word] += number
        rows.append(row)
    terms = tuple(sorted({term for row in rows for term in row}))
    place = {term: column for column, term in enumerate(terms)}
    data, indices, indptr = [], [], [0]
    for row in rows:
        for term in sorted(row):
            indices.append(place[term])
            data.append(float(row[term]))
        indptr.append(len(indices))
    matrix = sparse.csr_matrix((data, indices, indptr), shape=(len(rows), len(terms)))
    table = np.array([[hit.get(name, 0) for name in cue_names] for hit in hits], dtype=float)
    table = np.log1p(table.reshape(len(hits), len(cue_names)))
    return Facts(matrix, terms, table, tuple(cue_names))


def learn_space(
    facts: Facts, rows: np.ndarray, votes: Mapping[str, int], settings: Mapping[str, Any]
) -> FeatureSpace:
    """Return the feature space learned from the training ``rows`` (positions).

    A term is used when it occurs in at least ``settings['min_passages']`` of them; its weight is
    the smoothed inverse document frequency log((1 + n) / (1 + df)) + 1 (Salton & Buckley 1988, as
    in scikit-learn).
    """
    present = facts.words[rows] > 0
    frequency = np.asarray(present.sum(axis=0)).ravel()
    columns = np.flatnonzero(frequency >= settings["min_passages"])
    idf = np.log((1 + len(rows)) / (1 + frequency[columns])) + 1
    balance = np.array([votes.get(name, 0) for name in facts.cue_names], dtype=float)
    return FeatureSpace(
        columns, idf, float(settings["cue_scale"]), balance, float(settings["vote_scale"])
    )


def transform(facts: Facts, space: FeatureSpace, rows: np.ndarray) -> sparse.csr_matrix:
    """Return the feature matrix of ``rows``: tf-idf words | cues | balance of votes.

    Term weights are (1 + log tf) · idf, scaled to unit length; shape rows × (terms + cues + 1).
    """
    words = facts.words[rows][:, space.columns].tocsr().copy()
    words.data = 1 + np.log(words.data)
    words = words @ sparse.diags(space.idf)
    length = np.sqrt(np.asarray(words.multiply(words).sum(axis=1)).ravel())
    length[length == 0] = 1
    words = sparse.diags(1 / length) @ words
    cues = facts.cues[rows]
    balance = (cues > 0) @ space.votes
    blocks = [
        words,
        sparse.csr_matrix(cues * space.cue_scale),
        sparse.csr_matrix(balance[:, None] * space.vote_scale),
    ]
    return sparse.hstack(blocks, format="csr")
