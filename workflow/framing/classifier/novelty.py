"""Where a classifier is out of its depth: passages unlike those it was trained on.

Two facts of a passage are held against what was usual among training passages, each measured by
a model that had not seen the passage's source:

- the share of its words (tokens) that the model has no weight for;
- the cosine between its tf-idf vector and the mean vector of the training passages.

A passage beyond the configured quantile of either is *unfamiliar*. That says nothing about its
code, only that error rates measured on the sample may not hold for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from framing.classifier.classifier import Settings, Training, folds_of
from framing.classifier.features import Facts, FeatureSpace, learn_space, word_vectors
from framing.classifier.rounding import round_off


@dataclass(frozen=True)
class Usual:
    """What training passages are like: their mean tf-idf vector and two limits.

    ``centre`` (terms of ``space``) is scaled to unit length; ``most_unknown`` is the largest usual
    share of unknown words, ``least_similar`` the smallest usual cosine with ``centre``.
    """

    space: FeatureSpace
    centre: np.ndarray
    most_unknown: float
    least_similar: float


def _centre(facts: Facts, space: FeatureSpace, rows: np.ndarray) -> np.ndarray:
    mean = np.asarray(word_vectors(facts, space, rows).mean(axis=0)).ravel()
    length = float(np.sqrt((mean * mean).sum()))
    return mean / length if length else mean


def measures(
    facts: Facts, space: FeatureSpace, centre: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's share of unknown words and its cosine with ``centre``, both rounded.

    A row without words is all unknown and like nothing.
    """
    words = sparse.csr_matrix(facts.words[rows])
    total = np.asarray(words.sum(axis=1)).ravel()
    known = np.asarray(words[:, space.columns].sum(axis=1)).ravel()
    unknown = 1 - np.divide(known, total, out=np.zeros(len(rows)), where=total > 0)
    similarity = word_vectors(facts, space, rows) @ centre
    return round_off(unknown), round_off(np.asarray(similarity))


def learn_usual(facts: Facts, training: Training, settings: Settings) -> Usual:
    """Return what is usual among the coded training passages, limits from inner folds by source.

    The words known, and their weights, are those of a classifier trained on the same rows.
    """
    coded = training.design > 0
    inner = folds_of(training.sources, settings, "inner")
    unknown, similar = [np.array([])], [np.array([])]
    for fold in range(settings["inner_folds"]):
        inside, outside = training.rows[coded & (inner == fold)], training.take(inner != fold)
        if len(inside) and (outside.design > 0).any():
            space = learn_space(facts, outside.rows, settings)
            centre = _centre(facts, space, outside.rows[outside.design > 0])
            found = measures(facts, space, centre, inside)
            unknown.append(found[0])
            similar.append(found[1])
    space = learn_space(facts, training.rows, settings)
    centre = round_off(_centre(facts, space, training.rows[coded]))
    quantile = settings["unfamiliar_quantile"]
    all_unknown, all_similar = np.concatenate(unknown), np.concatenate(similar)
    if not len(all_unknown):
        return Usual(space, centre, 1.0, 0.0)
    return Usual(
        space,
        centre,
        float(np.quantile(all_unknown, quantile, method="higher")),
        float(np.quantile(all_similar, 1 - quantile, method="lower")),
    )


def is_unfamiliar(facts: Facts, usual: Usual, rows: np.ndarray) -> np.ndarray:
    """Return 1 for rows beyond either limit, else 0."""
    unknown, similar = measures(facts, usual.space, usual.centre, rows)
    return ((unknown > usual.most_unknown) | (similar < usual.least_similar)).astype(int)
