"""Features of a passage from its derived facts: words, cues, patterns, similarity to the rules.

Nothing here sees prose: the inputs are word counts and hits of cues, and embeddings where an
encoder is measured (:mod:`framing.classifier.encoder`). Vocabulary and document frequencies are
learned from the training rows alone, so that no fold learns from its own sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from framing.classifier.similarity import Closeness, learn_closeness, similarities, term_counts
from framing.codebook.hits import hit_key
from framing.corpus.word_counts import WordCounts

if TYPE_CHECKING:
    from nltk.stem.snowball import SnowballStemmer


@dataclass(frozen=True)
class Facts:
    """What the classifier may know of rows (passages or exemplars), aligned by position.

    ``words``: rows × terms counts (CSR, float), ``terms`` its columns in code point order;
    ``cues``: rows × cues, log(1 + hits), ``cue_names`` its columns; ``patterns``: the same of the
    single patterns of cues, ``pattern_names`` its columns (:func:`framing.codebook.hits.hit_key`);
    ``similarities``: rows × rules of the codebook (:mod:`framing.classifier.similarity`),
    ``closeness`` what they were made by; ``vectors``: rows × dimensions of an encoder, none (the
    rule) where its embeddings are not to be used.
    """

    words: sparse.csr_matrix
    terms: tuple[str, ...]
    cues: sparse.csr_matrix
    cue_names: tuple[str, ...]
    patterns: sparse.csr_matrix
    pattern_names: tuple[str, ...]
    similarities: np.ndarray
    closeness: Closeness
    vectors: np.ndarray

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.words.shape[0])


@dataclass(frozen=True)
class FeatureSpace:
    """Columns that a model uses and how they are scaled.

    ``columns`` index the terms of :class:`Facts`, ``idf`` are their weights, ``word_scale`` is the
    length of the word vector; features of cues are multiplied by ``cue_scale``, those of patterns
    by ``pattern_scale``, similarities by ``rule_scale``. Embeddings, of unit length, are multiplied
    by ``encoder_scale``.
    """

    columns: np.ndarray
    idf: np.ndarray
    word_scale: float
    cue_scale: float
    pattern_scale: float
    rule_scale: float
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


def collect(
    ids: Sequence[str],
    words: WordCounts,
    hits: pd.DataFrame,
    patterns: pd.DataFrame,
    closeness: Closeness,
    *,
    stemmed: bool,
) -> Facts:
    """Return the facts of the rows ``ids``, in that order.

    ``words`` and ``hits`` (``passage_id cue pattern hits``) may lack a row's id, and have others;
    ``patterns`` (``cue pattern``) are those of the codebook. Embeddings there are none.
    """
    row = pd.Series(np.arange(len(ids)), index=list(ids))
    counts, terms = words.rows(ids).terms(stemmed=stemmed)
    names = tuple(hit_key(cue, n) for cue, n in patterns[["cue", "pattern"]].to_numpy())
    cues = tuple(dict.fromkeys(patterns["cue"]))
    hits = hits[hits["passage_id"].isin(row.index) & hits["cue"].isin(cues)]
    place = row.loc[hits["passage_id"]].to_numpy()
    keys = [hit_key(*one) for one in zip(hits["cue"], hits["pattern"], strict=True)]
    return Facts(
        counts,
        terms,
        _logs(place, hits["cue"], hits["hits"], cues, len(ids)),
        cues,
        _logs(place, keys, hits["hits"], names, len(ids)),
        names,
        similarities(counts, terms, closeness),
        closeness,
        np.zeros((len(ids), 0)),
    )


def _logs(
    rows: np.ndarray, names: Sequence[str], hits: Sequence[int], columns: Sequence[str], number: int
) -> sparse.csr_matrix:
    """Return rows × columns of log(1 + hits)."""
    return term_counts(rows, names, hits, columns, number).log1p()


def closeness_of(
    passages: Sequence[str], words: WordCounts, rules: pd.DataFrame, settings: Mapping[str, Any]
) -> Closeness:
    """Return how close words are to rules (``rule word stem count``), learned from ``passages``.

    ``words`` may have rows of others, which teach nothing.
    """
    counts, terms = words.rows(passages).terms(stemmed=settings["stem"])
    term = rules["stem" if settings["stem"] else "word"]
    of_rule = term.groupby(rules["rule"]).agg(list)
    return learn_closeness(counts, terms, of_rule.to_dict(), settings)


def learn_space(facts: Facts, rows: np.ndarray, settings: Mapping[str, Any]) -> FeatureSpace:
    """Return the feature space learned from the training ``rows`` (positions).

    A term is used when it occurs in at least ``settings['min_passages']`` of them; its weight is
    the smoothed inverse document frequency log((1 + n) / (1 + df)) + 1 (Salton & Buckley 1988, as
    in scikit-learn). Similarities are standardised; divided by the root of their number they have
    a root mean square length of ``settings['similarity_scale']`` together.
    """
    words = facts.words[rows]
    frequency = np.bincount(words.indices, minlength=len(facts.terms))
    columns = np.flatnonzero(frequency >= settings["min_passages"])
    idf = np.log((1 + len(rows)) / (1 + frequency[columns])) + 1
    rules = max(1, facts.similarities.shape[1])
    return FeatureSpace(
        columns,
        idf,
        float(settings["word_scale"]),
        float(settings["cue_scale"]),
        float(settings["pattern_scale"]),
        float(settings["similarity_scale"] / np.sqrt(rules)),
        float(settings["encoder_scale"]) if facts.vectors.shape[1] else 0.0,
    )


def word_vectors(facts: Facts, space: FeatureSpace, rows: np.ndarray) -> sparse.csr_matrix:
    """Return the tf-idf vectors of ``rows``: (1 + log tf) · idf, scaled to unit length."""
    words = facts.words[rows][:, space.columns]
    row = np.repeat(np.arange(len(rows)), np.diff(words.indptr))
    values = (1 + np.log(words.data)) * space.idf[words.indices]
    length = np.sqrt(np.bincount(row, values * values, minlength=len(rows)))
    place = (values / length[row], words.indices, words.indptr)
    return sparse.csr_matrix(place, shape=words.shape)


def transform(facts: Facts, space: FeatureSpace, rows: np.ndarray) -> sparse.csr_matrix:
    """Return the features of ``rows``: words | cues | patterns | similarities | vectors.

    Shape rows × (terms + cues + patterns + rules + dimensions); see :class:`FeatureSpace`.
    """
    blocks = [
        word_vectors(facts, space, rows) * space.word_scale,
        facts.cues[rows] * space.cue_scale,
        facts.patterns[rows] * space.pattern_scale,
        sparse.csr_matrix(facts.similarities[rows] * space.rule_scale),
        sparse.csr_matrix(facts.vectors[rows] * space.encoder_scale),
    ]
    return sparse.hstack(blocks, format="csr")
