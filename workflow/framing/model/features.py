"""Features of a passage from its derived facts: words, hits and votes of cues, neighbours.

Nothing here sees prose: the inputs are word counts and cue hits, and embeddings where an encoder is
measured (:mod:`framing.model.encoder`). Vocabulary and document
frequencies are learned from the training rows alone, so that no fold learns from its own sources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from nltk.stem.snowball import SnowballStemmer

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Facts:
    """What the classifier may know of rows (passages or exemplars), aligned by position.

    ``words``: rows × terms counts (CSR, float), ``terms`` its columns in code point order;
    ``cues``: rows × cues, log(1 + hits), ``cue_names`` its columns; ``beside``: rows × rows, 1
    where two rows are neighbouring passages of one source (:func:`neighbours`); ``vectors``: rows ×
    dimensions of an encoder, none (the rule) where its embeddings are not to be used.
    """

    words: sparse.csr_matrix
    terms: tuple[str, ...]
    cues: np.ndarray
    cue_names: tuple[str, ...]
    beside: sparse.csr_matrix
    vectors: np.ndarray

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.words.shape[0])


@dataclass(frozen=True)
class FeatureSpace:
    """Columns that a model uses and how they are scaled.

    ``columns`` index the terms of :class:`Facts`, ``idf`` are their weights, ``word_scale`` is the
    length of the word vector; cue features are multiplied by ``cue_scale``; ``votes`` (one number a
    cue: +1 for the code, -1 against, 0) gives one more feature, the balance of the cues that spoke,
    multiplied by ``vote_scale``, and another, in how many of the neighbouring passages a cue for
    the code spoke, multiplied by ``neighbour_scale``. Embeddings, of unit length, are
    multiplied by ``encoder_scale``.
    """

    columns: np.ndarray
    idf: np.ndarray
    word_scale: float
    cue_scale: float
    votes: np.ndarray
    vote_scale: float
    neighbour_scale: float
    encoder_scale: float = 0.0


@cache
def _stemmer() -> SnowballStemmer:
    # Here, as it takes a second to load.
    from nltk.stem.snowball import SnowballStemmer

    return SnowballStemmer("english")


@cache
def stem(word: str) -> str:
    """Return the Snowball stem (Porter 2) of a lower-cased English word."""
    return str(_stemmer().stem(word))


def neighbours(
    sources: Sequence[str], starts: Sequence[int], ends: Sequence[int], gap: int
) -> sparse.csr_matrix:
    """Return rows × rows, 1 where two passages of a source follow each other within ``gap``.

    ``starts`` and ``ends`` are offsets in code points, rows in the order of the text. Cues of a
    neighbour are facts of its text; nobody's codes enter, so no label can leak this way.
    """
    pairs = [
        (row, row + 1)
        for row in range(len(sources) - 1)
        if sources[row] == sources[row + 1] and starts[row + 1] - ends[row] <= gap
    ]
    first, second = (np.array(side, dtype=int) for side in zip(*pairs, strict=True)) if pairs else (
        np.array([], dtype=int), np.array([], dtype=int),
    )  # fmt: skip
    ones = np.ones(2 * len(pairs))
    place = (np.concatenate([first, second]), np.concatenate([second, first]))
    return sparse.csr_matrix((ones, place), shape=(len(sources), len(sources)))


def collect(
    counts: Sequence[Counts],
    hits: Sequence[Counts],
    cue_names: Sequence[str],
    *,
    stemmed: bool,
    beside: sparse.csr_matrix | None = None,
    stems: Mapping[str, str] | None = None,
) -> Facts:
    """Return the facts of rows from their word counts and cue hits (two equally long lists).

    ``beside`` links the first rows (:func:`neighbours`); rows after them have no neighbours.
    ``stems`` are those of words, as far as they are known already. Embeddings there are none.
    """
    rows: list[Counter[str]] = []
    known = stems or {}
    for words in counts:
        row: Counter[str] = Counter()
        for word, number in words.items():
            row[(known.get(word) or stem(word)) if stemmed else word] += number
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
    links = sparse.csr_matrix((len(rows), len(rows)))
    if beside is not None:
        links = beside.copy()
        links.resize((len(rows), len(rows)))
    return Facts(matrix, terms, table, tuple(cue_names), links, np.zeros((len(rows), 0)))


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
        columns,
        idf,
        float(settings["word_scale"]),
        float(settings["cue_scale"]),
        balance,
        float(settings["vote_scale"]),
        float(settings["neighbour_scale"]),
        float(settings["encoder_scale"]) if facts.vectors.shape[1] else 0.0,
    )


def word_vectors(facts: Facts, space: FeatureSpace, rows: np.ndarray) -> sparse.csr_matrix:
    """Return the tf-idf vectors of ``rows``: (1 + log tf) · idf, scaled to unit length."""
    words = facts.words[rows][:, space.columns].tocsr().copy()
    words.data = 1 + np.log(words.data)
    words = words @ sparse.diags(space.idf)
    length = np.sqrt(np.asarray(words.multiply(words).sum(axis=1)).ravel())
    length[length == 0] = 1
    return sparse.csr_matrix(sparse.diags(1 / length) @ words)


def transform(facts: Facts, space: FeatureSpace, rows: np.ndarray) -> sparse.csr_matrix:
    """Return the features of ``rows``: words | cues | balance of votes | neighbours | vectors.

    Shape rows × (terms + cues + 2 + dimensions of the vectors); see :class:`FeatureSpace`.
    """
    spoke = facts.cues > 0
    balance = spoke[rows] @ space.votes
    around = facts.beside[rows] @ (spoke & (space.votes > 0)).any(axis=1).astype(float)
    blocks = [
        word_vectors(facts, space, rows) * space.word_scale,
        sparse.csr_matrix(facts.cues[rows] * space.cue_scale),
        sparse.csr_matrix(balance[:, None] * space.vote_scale),
        sparse.csr_matrix(around[:, None] * space.neighbour_scale),
        sparse.csr_matrix(facts.vectors[rows] * space.encoder_scale),
    ]
    return sparse.hstack(blocks, format="csr")
