"""One classifier per code: trained on coded passages and exemplars, cross-fitted by source.

What of it holds for every code stands here, and how a yes/no code is learned. How one with several
levels is stands in :mod:`framing.classifier.levels`; :mod:`framing.classifier.learners` chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from framing.classifier.features import Facts, FeatureSpace, learn_space, transform
from framing.classifier.logistic import best_threshold, fit_logistic, fit_sigmoid, sigmoid
from framing.classifier.rounding import round_off
from framing.common.files import sha256

Settings = Mapping[str, Any]
NEVER = 2.0
"""A threshold that no probability reaches."""


@dataclass(frozen=True)
class Training:
    """The rows a classifier may learn from, aligned by position.

    ``rows`` point into :class:`Facts`; ``labels`` are 0/1, the combined codes, which calibrate and
    set the threshold; ``shares`` are the parts of the coders who found the code, which are learned
    (:func:`targets`); ``sources`` names each row's source; ``design`` are the inverse inclusion
    probabilities; ``weights`` say how much a row counts in the fit. Exemplars have the empty source
    and ``design`` 0: they teach, but neither calibrate nor set the threshold. Where a code has
    several levels ``labels`` are their positions, and ``shares`` has a column a level.
    """

    rows: np.ndarray
    labels: np.ndarray
    shares: np.ndarray
    sources: np.ndarray
    design: np.ndarray
    weights: np.ndarray

    def take(self, chosen: np.ndarray) -> Training:
        """Return the part of the rows where the mask ``chosen`` is true."""
        return Training(
            self.rows[chosen],
            self.labels[chosen],
            self.shares[chosen],
            self.sources[chosen],
            self.design[chosen],
            self.weights[chosen],
        )


class Scorer(Protocol):
    """What a method has learned: it gives rows scores, higher where the code is likelier."""

    def scores(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        """Return one score a row; of a code with several levels one a row and level."""


Fitter = Callable[[Facts, Training, Settings], Scorer | None]
"""A method: it learns from training rows, or returns None where they hold only one class."""


@dataclass(frozen=True)
class LinearScorer:
    """Score = features · coefficients + intercept; of several levels, a column and number each."""

    space: FeatureSpace
    coefficients: np.ndarray
    intercept: float | np.ndarray

    def scores(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        """Return the linear scores of ``rows``."""
        product: np.ndarray = transform(facts, self.space, rows) @ self.coefficients
        return product + self.intercept


class Trained(Protocol):
    """A trained classifier, of a code of whatever kind.

    What it gives of a row is a number, or where a code has several levels a row of them.
    """

    @property
    def scorer(self) -> Scorer | None:
        """Return what it learned; None where it gives every passage the same."""

    @property
    def reason(self) -> str:
        """Return why it gives every passage the same, or nothing."""

    def probabilities(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities of ``rows``, rounded."""

    def decisions(self, probabilities: np.ndarray) -> np.ndarray:
        """Return 1 where a probability is decided for, else 0."""


@dataclass(frozen=True)
class Classifier:
    """A trained classifier: a scorer, then the sigmoid, then the threshold.

    A constant classifier (``scorer`` is None) gives every passage the same probability; it stands
    in where the training rows hold only one class, and ``reason`` says so.
    """

    scorer: Scorer | None
    slope: float
    offset: float
    threshold: float
    constant: float
    reason: str

    def probabilities(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        """Return the calibrated probability of each of ``rows``, rounded."""
        if self.scorer is None:
            return np.full(len(rows), self.constant)
        return sigmoid(self.scorer.scores(facts, rows), self.slope, self.offset)

    def decisions(self, probabilities: np.ndarray) -> np.ndarray:
        """Return 1 where a probability reaches the threshold, else 0."""
        return (probabilities >= self.threshold).astype(int)


def fold_of(source_id: str, folds: int, seed: int, level: str) -> int:
    """Return the fold of a source: a digest modulo ``folds``.

    It depends on nothing but the source's id, so that adding a source moves no other source;
    ``level`` ("outer", "inner") makes the two divisions independent.
    """
    return int(sha256(f"{seed}:{level}:{source_id}"), 16) % folds


def folds_of(sources: Iterable[str], settings: Settings, level: str) -> np.ndarray:
    """Return the fold of each source by :func:`fold_of`; -1 for exemplars, which have no source."""
    number = settings["folds" if level == "outer" else "inner_folds"]
    names = list(sources)
    found = {name: fold_of(name, number, settings["seed"], level) for name in set(names) if name}
    return np.array([found.get(name, -1) for name in names], dtype=int)


def constant(training: Training, threshold: float = 0.5) -> Classifier:
    """Return the classifier that gives everything the (smoothed) share of the training rows."""
    coded = training.design > 0
    positives = int(training.labels[coded].sum())
    share = float(round_off(np.array((positives + 1) / (int(coded.sum()) + 2))))
    reason = "no passage carries the code" if positives == 0 else "every passage carries the code"
    if 0 < positives < coded.sum():
        reason = "too few sources carry the code to calibrate"
    return Classifier(None, 0.0, 0.0, threshold, share, reason)


def targets(training: Training, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights with which each row enters a fit as present, and as absent.

    By ``settings['labels']`` a row is present in the coders' share and absent in the rest of its
    weight, so that a passage on which they differ teaches less than one on which they agree, or
    (``majority``) it is what the combined code says. Where balance is asked, both classes count
    alike in all.
    """
    share = training.shares if settings["labels"] == "shares" else training.labels.astype(float)
    present, absent = training.weights * share, training.weights * (1 - share)
    if settings["class_weight"] == "balanced" and present.sum() and absent.sum():
        half = training.weights.sum() / 2
        present, absent = present * half / present.sum(), absent * half / absent.sum()
    return present, absent


def fit_linear(facts: Facts, training: Training, settings: Settings) -> LinearScorer | None:
    """Return the project's own method: penalised logistic regression on all features."""
    present, absent = targets(training, settings)
    if not (present.any() and absent.any()):
        return None
    space = learn_space(facts, training.rows, settings)
    features = transform(facts, space, training.rows)
    coefficients, intercept = fit_logistic(features, present, absent, settings["C"])
    return LinearScorer(space, coefficients, intercept)


def held_out_scores(
    facts: Facts, training: Training, settings: Settings, fit: Fitter
) -> np.ndarray:
    """Return each training row's score from an inner fold that holds out its source, else NaN."""
    inner = folds_of(training.sources, settings, "inner")
    parts = []
    for fold in range(settings["inner_folds"]):
        held_out = np.flatnonzero(inner == fold)
        if not len(held_out):
            continue
        scorer = fit(facts, training.take(inner != fold), settings)
        if scorer is not None:
            parts.append((held_out, scorer.scores(facts, training.rows[held_out])))
    return in_place(parts, len(training.rows), np.nan)


def in_place(
    parts: Sequence[tuple[np.ndarray, np.ndarray]], number: int, absent: float
) -> np.ndarray:
    """Return ``number`` rows of values from ``parts``: positions, and the values of these rows.

    Rows of no part have ``absent``.
    """
    shape, kind = (parts[0][1].shape[1:], parts[0][1].dtype) if parts else ((), None)
    values = np.full((number, *shape), absent, dtype=kind)
    for rows, own in parts:
        values[rows] = own
    return values


def train(
    facts: Facts, training: Training, settings: Settings, fit: Fitter = fit_linear
) -> Classifier:
    """Train a classifier, its calibration and its threshold on ``training`` alone.

    Scores for calibration and threshold come from inner folds by source, so no passage's
    probability is calibrated on a score that has seen it. Both rest on the combined code, which is
    what the tables estimate the share of. ``fit`` is the method.
    """
    coded = training.design > 0
    if len(np.unique(training.labels[coded])) < 2:
        return constant(training)
    scorer = fit(facts, training, settings)
    scores = held_out_scores(facts, training, settings, fit)
    seen = ~np.isnan(scores)
    if scorer is None or len(np.unique(training.labels[seen])) < 2:
        return constant(training)
    labels, design = training.labels[seen], training.design[seen] / training.design[seen].mean()
    slope, offset = fit_sigmoid(scores[seen], labels, design)
    threshold = best_threshold(sigmoid(scores[seen], slope, offset), labels, design)
    return Classifier(scorer, slope, offset, threshold, 0.0, "")


@dataclass(frozen=True)
class CrossFit:
    """Per passage: its fold, calibrated probability and decision; per fold: the classifier."""

    folds: np.ndarray
    probabilities: np.ndarray
    decisions: np.ndarray
    classifiers: tuple[Trained, ...]


Trainer = Callable[[Facts, Training, Settings], Trained]


def cross_fit(
    facts: Facts,
    sources: Sequence[str],
    training: Training,
    settings: Settings,
    trainer: Trainer = train,
) -> CrossFit:
    """Predict every passage by a classifier that saw nothing of the passage's source.

    ``sources`` names the source of the first ``len(sources)`` rows of ``facts``: the passages.
    Coded and uncoded passages of a fold get their probabilities from the same classifier, which
    is what the difference estimator asks for (Chernozhukov et al. 2018; Angelopoulos et al. 2023).
    ``trainer`` makes each fold's classifier from the rows outside the fold.
    """
    of_training = folds_of(training.sources, settings, "outer")
    classifiers = tuple(
        trainer(facts, training.take(of_training != fold), settings)
        for fold in range(settings["folds"])
    )
    return CrossFit(*held_out(facts, sources, classifiers, settings), classifiers)


def held_out(
    facts: Facts, sources: Sequence[str], classifiers: Sequence[Trained], settings: Settings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return fold, probability and decision of the first rows, each by the classifier of its fold.

    ``sources`` names their sources, ``classifiers`` are those of the folds.
    """
    folds = folds_of(sources, settings, "outer")
    probabilities, decisions = [], []
    for fold, classifier in enumerate(classifiers):
        rows = np.flatnonzero(folds == fold)
        if not len(rows):  # of few sources a fold may have got none, which not every model takes
            continue
        found = classifier.probabilities(facts, rows)
        probabilities.append((rows, found))
        decisions.append((rows, classifier.decisions(found)))
    number = len(sources)
    return folds, in_place(probabilities, number, 0.0), in_place(decisions, number, 0)
