"""Plain methods to be measured against, trained and tested in the same folds as ours.

Each is what a careful user of the standard tools would run: no cue but the dictionary's, no
exemplar, the same tokens. All get the same calibration and a threshold chosen inside the training
folds, so that what differs is the method.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from framing.classifier.classifier import (
    NEVER,
    Classifier,
    Fitter,
    Scorer,
    Settings,
    Trainer,
    Training,
    constant,
    fit_linear,
    targets,
    train,
)
from framing.classifier.features import Facts, FeatureSpace, learn_space, word_vectors

if TYPE_CHECKING:
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.svm import LinearSVC

Votes = Mapping[str, int]
MAJORITY = "majority class"
WORDS_ALONE: Mapping[str, Any] = {
    "word_scale": 1.0, "cue_scale": 0.0, "pattern_scale": 0.0, "similarity_scale": 0.0,
    "exemplar_weight": 0.0, "labels": "majority",
}  # fmt: skip
"""Settings under which our own method sees nothing but tf-idf and combined codes."""

_SVM_TOLERANCE = 1e-10
_SVM_ITERATIONS = 10_000


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

    def scores(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        absent, present = self.model.predict_joint_log_proba(facts.words[rows][:, self.columns]).T
        difference: np.ndarray = present - absent
        return difference


@dataclass(frozen=True)
class _Separating:
    space: FeatureSpace
    model: LinearSVC

    def scores(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        margin: np.ndarray = self.model.decision_function(word_vectors(facts, self.space, rows))
        return margin


def passages_only(training: Training) -> Training:
    """Return the training rows without exemplars."""
    return training.take(training.design > 0)


def new_naive_bayes() -> MultinomialNB:
    """Return multinomial naive Bayes, untrained: add-one smoothing, uniform prior."""
    # Here and below: who asks for no more than the names of methods need not wait for scikit-learn.
    from sklearn.naive_bayes import MultinomialNB

    return MultinomialNB(alpha=1.0, fit_prior=False)


def new_svm() -> LinearSVC:
    """Return a linear support vector machine, untrained (scikit-learn's defaults, primal)."""
    from sklearn.svm import LinearSVC

    return LinearSVC(C=1.0, dual=False, tol=_SVM_TOLERANCE, max_iter=_SVM_ITERATIONS)


def dictionary(votes: Votes) -> Fitter:
    """Return the cues as a dictionary: cues for less cues against the code, nothing learned."""

    def fit(facts: Facts, training: Training, settings: Settings) -> Scorer | None:
        return _Dictionary(np.array([votes.get(name, 0) for name in facts.cue_names], dtype=float))

    return fit


def fit_naive_bayes(facts: Facts, training: Training, settings: Settings) -> Scorer | None:
    """Return multinomial naive Bayes on word counts, add-one smoothing, uniform prior.

    The defaults of quanteda.textmodels (Manning, Raghavan & Schütze 2008, ch. 13).
    """
    part = passages_only(training)
    if len(np.unique(part.labels)) < 2:
        return None
    columns = learn_space(facts, part.rows, settings).columns
    model = new_naive_bayes()
    model.fit(facts.words[part.rows][:, columns], part.labels)
    return _Counted(columns, model)


def fit_svm(facts: Facts, training: Training, settings: Settings) -> Scorer | None:
    """Return a linear support vector machine on tf-idf (scikit-learn's defaults, primal)."""
    part = passages_only(training)
    if len(np.unique(part.labels)) < 2:
        return None
    space = learn_space(facts, part.rows, settings)
    model = new_svm()
    features = sparse.csr_matrix(word_vectors(facts, space, part.rows))
    majority = {**settings, "labels": "majority"}
    model.fit(features, part.labels, sample_weight=sum(targets(part, majority)))
    return _Separating(space, model)


def fit_words(facts: Facts, training: Training, settings: Settings) -> Scorer | None:
    """Return logistic regression on tf-idf alone."""
    return fit_linear(facts, passages_only(training), {**settings, **WORDS_ALONE})


CUES_AS_DICTIONARY = "cues as a dictionary"
_FITTERS: Mapping[str, Fitter] = {
    "naive Bayes": fit_naive_bayes,
    "tf-idf + linear SVM": fit_svm,
    "tf-idf + logistic regression": fit_words,
}
BASELINES = (MAJORITY, CUES_AS_DICTIONARY, *_FITTERS)


def baseline(name: str, votes: Votes) -> Trainer:
    """Return the trainer of a baseline (one of :data:`BASELINES`).

    ``votes`` maps cues to 1 (for the code) or -1 (against it); only the dictionary knows them.
    """
    if name == MAJORITY:
        return _majority
    fit = dictionary(votes) if name == CUES_AS_DICTIONARY else _FITTERS[name]

    def trainer(facts: Facts, training: Training, settings: Settings) -> Classifier:
        return train(facts, training, settings, fit)

    return trainer


def _majority(facts: Facts, training: Training, settings: Settings) -> Classifier:
    often = 2 * (training.design * training.labels).sum() > training.design.sum()
    return constant(training, 0.0 if often else NEVER)
