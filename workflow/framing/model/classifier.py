"""One classifier per code: trained on coded passages and exemplars, cross-fitted by source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from framing.files import sha256
from framing.model.features import Facts, FeatureSpace, learn_space, transform
from framing.model.logistic import best_threshold, fit_logistic, fit_sigmoid, round_off, sigmoid


@dataclass(frozen=True)
class Training:
    """The rows a classifier may learn from, aligned by position.

    ``rows`` point into :class:`Facts`; ``labels`` are 0/1; ``sources`` names each row's source;
    ``design`` are the inverse inclusion probabilities; ``weights`` say how much a row counts in
    the fit. Exemplars have the empty source and ``design`` 0: they teach, but neither calibrate
    nor set the threshold.
    """

    rows: np.ndarray
    labels: np.ndarray
    sources: np.ndarray
    design: np.ndarray
    weights: np.ndarray

    def take(self, chosen: np.ndarray) -> Training:
        """Return the part of the rows where the mask ``chosen`` is true."""
        return Training(
            self.rows[chosen],
            self.labels[chosen],
            self.sources[chosen],
            self.design[chosen],
            self.weights[chosen],
        )


@dataclass(frozen=True)
class Classifier:
    """A trained classifier: score = features · coefficients + intercept, then the sigmoid.

    A constant classifier (``space`` is None) gives every passage the same probability; it stands
    in where the training rows hold only one class, and ``reason`` says so.
    """

    space: FeatureSpace | None
    coefficients: np.ndarray
    intercept: float
    slope: float
    offset: float
    threshold: float
    constant: float
    reason: str

    def probabilities(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        """Return the calibrated probability of each of ``rows``, rounded."""
        if self.space is None:
            return np.full(len(rows), self.constant)
        scores = transform(facts, self.space, rows) @ self.coefficients + self.intercept
        return sigmoid(scores, self.slope, self.offset)

    def decisions(self, probabilities: np.ndarray) -> np.ndarray:
        """Return 1 where a probability reaches the threshold, else 0."""
        return (probabilities >= self.threshold).astype(int)


def fold_of(source_id: str, folds: int, seed: int, level: str) -> int:
    """Return the fold of a source: a digest modulo ``folds``.

    It depends on nothing but the source's id, so that adding a source moves no other source;
    ``level`` ("outer", "inner") makes the two divisions independent.
    """
    return int(sha256(f"{seed}:{level}:{source_id}"), 16) % folds


def _constant(training: Training) -> Classifier:
    coded = training.design > 0
    positives = int(training.labels[coded].sum())
    share = float(round_off(np.array((positives + 1) / (int(coded.sum()) + 2))))
    reason = "no passage carries the code" if positives == 0 else "every passage carries the code"
    if 0 < positives < coded.sum():
        reason = "too few sources carry the code to calibrate"
    return Classifier(None, np.array([]), 0.0, 0.0, 0.0, 0.5, share, reason)


def _fit(
    facts: Facts, training: Training, votes: Mapping[str, int], settings: Mapping[str, Any]
) -> tuple[FeatureSpace, np.ndarray, float] | None:
    """Return feature space, coefficients, intercept; None where only one class is present."""
    if len(np.unique(training.labels)) < 2:
        return None
    weights = training.weights
    if settings["class_weight"] == "balanced":
        total = weights.sum()
        for value in (0, 1):
            part = training.labels == value
            weights = np.where(part, weights * total / (2 * weights[part].sum()), weights)
    space = learn_space(facts, training.rows, votes, settings)
    features = transform(facts, space, training.rows)
    coefficients, intercept = fit_logistic(features, training.labels, weights, settings["C"])
    return space, coefficients, intercept


def train(
    facts: Facts, training: Training, votes: Mapping[str, int], settings: Mapping[str, Any]
) -> Classifier:
    """Train a classifier, its calibration and its threshold on ``training`` alone.

    Scores for calibration and threshold come from inner folds by source, so no passage's
    probability is calibrated on a score that has seen it. ``votes`` maps cues to +1 or -1.
    """
    coded = training.design > 0
    if len(np.unique(training.labels[coded])) < 2:
        return _constant(training)
    fitted = _fit(facts, training, votes, settings)
    inner = np.array(
        [
            fold_of(name, settings["inner_folds"], settings["seed"], "inner") if name else -1
            for name in training.sources
        ]
    )
    scores = np.full(len(training.rows), np.nan)
    for fold in range(settings["inner_folds"]):
        held_out = inner == fold
        part = _fit(facts, training.take(~held_out), votes, settings) if held_out.any() else None
        if part is not None:
            space, coefficients, intercept = part
            features = transform(facts, space, training.rows[held_out])
            scores[held_out] = features @ coefficients + intercept
    seen = ~np.isnan(scores)
    if fitted is None or len(np.unique(training.labels[seen])) < 2:
        return _constant(training)
    labels, design = training.labels[seen], training.design[seen] / training.design[seen].mean()
    slope, offset = fit_sigmoid(scores[seen], labels, design)
    calibrated = sigmoid(scores[seen], slope, offset)
    threshold = best_threshold(calibrated, labels, design)
    space, coefficients, intercept = fitted
    return Classifier(space, coefficients, intercept, slope, offset, threshold, 0.0, "")


@dataclass(frozen=True)
class CrossFit:
    """Per passage: its fold, calibrated probability and decision; per fold: the classifier."""

    folds: np.ndarray
    probabilities: np.ndarray
    decisions: np.ndarray
    classifiers: tuple[Classifier, ...]


def cross_fit(
    facts: Facts,
    sources: Sequence[str],
    training: Training,
    votes: Mapping[str, int],
    settings: Mapping[str, Any],
) -> CrossFit:
    """Predict every passage by a classifier that saw nothing of the passage's source.

    ``sources`` names the source of the first ``len(sources)`` rows of ``facts``: the passages.
    Coded and uncoded passages of a fold get their probabilities from the same classifier, which
    is what the difference estimator asks for (Chernozhukov et al. 2018; Angelopoulos et al. 2023).
    """
    number = settings["folds"]
    fold = np.array([fold_of(name, number, settings["seed"], "outer") for name in sources])
    probabilities = np.zeros(len(sources))
    decisions = np.zeros(len(sources), dtype=int)
    classifiers = []
    of_training = np.array(
        [fold_of(name, number, settings["seed"], "outer") if name else -1
         for name in training.sources]
    )  # fmt: skip
    for current in range(number):
        classifier = train(facts, training.take(of_training != current), votes, settings)
        rows = np.flatnonzero(fold == current)
        probabilities[rows] = classifier.probabilities(facts, rows)
        decisions[rows] = classifier.decisions(probabilities[rows])
        classifiers.append(classifier)
    return CrossFit(fold, probabilities, decisions, tuple(classifiers))
