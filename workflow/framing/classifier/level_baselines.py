"""The plain methods of :mod:`framing.classifier.baselines` for a code with several levels.

Each gives a score for every level. All get the same calibration, and decide for the likeliest
level, so that exactly one is decided. What is the same for all levels of a passage counts nothing,
and of a level that no training row has all scores are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from framing.classifier.baselines import (
    CUES_AS_DICTIONARY,
    MAJORITY,
    WORDS_ALONE,
    Votes,
    new_naive_bayes,
    new_svm,
    passages_only,
)
from framing.classifier.classifier import Fitter, Scorer, Settings, Trainer, Training
from framing.classifier.features import Facts, FeatureSpace, learn_space, word_vectors
from framing.classifier.levels import (
    LevelClassifier,
    constant_levels,
    fit_levels,
    level_targets,
    train_levels,
)

if TYPE_CHECKING:
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.svm import LinearSVC


@dataclass(frozen=True)
class _Dictionary:
    votes: np.ndarray

    def scores(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        balance: np.ndarray = (facts.cues[rows] > 0) @ self.votes
        return balance


@dataclass(frozen=True)
class _Counted:
    columns: np.ndarray
    model: MultinomialNB
    number: int

    def scores(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        chances = self.model.predict_joint_log_proba(facts.words[rows][:, self.columns])
        return _of_all_levels(chances, self.model.classes_, self.number)


@dataclass(frozen=True)
class _Separating:
    space: FeatureSpace
    model: LinearSVC
    number: int

    def scores(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        margin = self.model.decision_function(word_vectors(facts, self.space, rows))
        if margin.ndim == 1:  # of two levels there is one border
            margin = np.stack([-margin, margin], axis=1) / 2
        return _of_all_levels(margin, self.model.classes_, self.number)


def _of_all_levels(scores: np.ndarray, levels: np.ndarray, number: int) -> np.ndarray:
    """Return scores of some ``levels``, centred by passage, as scores of all; of others 0."""
    whole = np.zeros((len(scores), number))
    whole[:, levels] = scores - scores.mean(axis=1, keepdims=True)
    return whole


def _dictionary(votes: Sequence[Votes]) -> Fitter:
    def fit(facts: Facts, training: Training, settings: Settings) -> Scorer | None:
        table = [[of_level.get(name, 0) for of_level in votes] for name in facts.cue_names]
        return _Dictionary(np.array(table, dtype=float).reshape(len(facts.cue_names), len(votes)))

    return fit


def _fit_naive_bayes(facts: Facts, training: Training, settings: Settings) -> Scorer | None:
    if len(np.unique(training.labels)) < 2:
        return None
    columns = learn_space(facts, training.rows, settings).columns
    model = new_naive_bayes()
    model.fit(facts.words[training.rows][:, columns], training.labels)
    return _Counted(columns, model, training.shares.shape[1])


def _fit_svm(facts: Facts, training: Training, settings: Settings) -> Scorer | None:
    """Return linear support vector machines on tf-idf, each level against all others."""
    if len(np.unique(training.labels)) < 2:
        return None
    space = learn_space(facts, training.rows, settings)
    model = new_svm()
    features = sparse.csr_matrix(word_vectors(facts, space, training.rows))
    weights = level_targets(training, settings).sum(axis=1)
    model.fit(features, training.labels, sample_weight=weights)
    return _Separating(space, model, training.shares.shape[1])


def _fit_words(facts: Facts, training: Training, settings: Settings) -> Scorer | None:
    return fit_levels(facts, training, {**settings, **WORDS_ALONE})


_FITTERS = {
    "naive Bayes": _fit_naive_bayes,
    "tf-idf + linear SVM": _fit_svm,
    "tf-idf + logistic regression": _fit_words,
}


def level_baseline(name: str, votes: Sequence[Votes]) -> Trainer:
    """Return the trainer of a baseline (one of :data:`framing.classifier.baselines.BASELINES`).

    ``votes`` has for each level the cues that speak for it (1) or against it (-1); only the
    dictionary knows them.
    """
    if name == MAJORITY:
        return _majority
    fit = _dictionary(votes) if name == CUES_AS_DICTIONARY else _FITTERS[name]

    def trainer(facts: Facts, training: Training, settings: Settings) -> LevelClassifier:
        # What counts as taught is what these methods see: no exemplar, and no share of coders.
        return train_levels(facts, passages_only(training), {**settings, "labels": "majority"}, fit)

    return trainer


def _majority(facts: Facts, training: Training, settings: Settings) -> LevelClassifier:
    return constant_levels(training, "")
