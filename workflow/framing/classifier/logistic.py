"""Penalised logistic regression, solved to its optimum; calibration; the decision threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import expit

from framing.classifier.rounding import round_off

_TOLERANCE = 1e-12
_GRADIENT = 1e-10
_ITERATIONS = 500


@dataclass(frozen=True)
class _Logistic:
    """A penalised logistic regression to be solved, and what its derivatives are made of.

    Points are coefficients with the intercept as their last entry. ``weights`` are those of rows,
    ``yes`` the parts of them that are present.
    """

    features: sparse.csr_matrix
    turned: sparse.csr_matrix
    weights: np.ndarray
    yes: np.ndarray

    def scores(self, point: np.ndarray) -> np.ndarray:
        product: np.ndarray = self.features @ point[:-1]
        return product + point[-1]

    def loss(self, point: np.ndarray, scores: np.ndarray) -> float:
        losses = self.weights * np.logaddexp(0, scores) - self.yes * scores
        return float(losses.sum() + point[:-1] @ point[:-1] / 2)

    def back(self, point: np.ndarray, of_rows: np.ndarray) -> np.ndarray:
        """Return what the penalty's derivative at ``point`` and a term of each row add up to."""
        return np.append(self.turned @ of_rows + point[:-1], of_rows.sum())

    def step(self, gradient: np.ndarray, curvature: np.ndarray) -> np.ndarray:
        """Return Newton's step, found by conjugate gradients preconditioned by the diagonal.

        It is the exacter the nearer the optimum is, so that the way there is short.
        """
        squares = self.turned.copy()
        squares.data **= 2
        diagonal = np.append(squares @ curvature + 1, max(curvature.sum(), np.finfo(float).tiny))
        size = float(np.sqrt(gradient @ gradient))
        enough = size * (min(0.1, size**0.5) if size > 1e-4 else 1e-6)
        found, left = np.zeros_like(gradient), -gradient
        towards = left / diagonal
        fit = float(left @ towards)
        for _ in range(len(gradient)):
            product = self.back(towards, curvature * self.scores(towards))
            length = fit / float(towards @ product)
            found, left = found + length * towards, left - length * product
            if float(np.sqrt(left @ left)) < enough:
                break
            scaled = left / diagonal
            before, fit = fit, float(left @ scaled)
            towards = scaled + fit / before * towards
        return found


def fit_logistic(
    features: sparse.csr_matrix, present: np.ndarray, absent: np.ndarray, strength: float
) -> tuple[np.ndarray, float]:
    """Return coefficients and intercept of the L2-penalised weighted logistic regression.

    Each row counts once as present and once as absent, with the weights given, and there must be
    some of both. Minimises strength · Σ weight · log-loss + ½‖β‖² (intercept unpenalised) by
    Newton's method with conjugate gradients (Nocedal & Wright 2006, ch. 7), to a gradient below
    1e-9: stopping early would leave the result to the platform's luck (scikit-learn's default stops
    up to 0.02 in probability away from the optimum).
    """
    turned = sparse.csr_matrix(features.T)
    model = _Logistic(features, turned, strength * (present + absent), strength * present)
    point = np.zeros(features.shape[1] + 1)
    scores = model.scores(point)
    loss = model.loss(point, scores)
    for _ in range(_ITERATIONS):
        chance = expit(scores)
        gradient = model.back(point, model.weights * chance - model.yes)
        if np.abs(gradient).max() < _GRADIENT:
            break
        step = model.step(gradient, model.weights * chance * (1 - chance))
        way = model.scores(step)
        part = 1.0
        # Halved until it does not lead upwards; near the optimum only rounding differs.
        while model.loss(point + part * step, scores + part * way) > loss + 1e-12 * abs(loss):
            part /= 2
        point, scores = point + part * step, scores + part * way
        loss = model.loss(point, scores)
    return point[:-1], float(point[-1])


def fit_sigmoid(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return slope and intercept of the sigmoid that turns scores into probabilities.

    Platt (1999) with his smoothed targets, (N₊+1)/(N₊+2) and 1/(N₋+2), weighted by ``weights``.
    Each passage enters once as present and once as absent, weighted by its target.
    """
    # Here, as it takes long to load, and most of what uses this room only predicts.
    from sklearn.linear_model import LogisticRegression

    positive = labels == 1
    up = (positive.sum() + 1) / (positive.sum() + 2)
    down = 1 / ((~positive).sum() + 2)
    target = np.where(positive, up, down)
    twice = np.concatenate([scores, scores])[:, None]
    outcome = np.concatenate([np.ones(len(scores)), np.zeros(len(scores))])
    weight = np.concatenate([weights * target, weights * (1 - target)])
    # An almost absent penalty: scikit-learn's own "no penalty" warns on separable scores.
    model = LogisticRegression(
        C=1e6, solver="newton-cholesky", tol=_TOLERANCE, max_iter=_ITERATIONS
    )
    model.fit(twice, outcome, sample_weight=weight)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def sigmoid(scores: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """Return calibrated probabilities, rounded."""
    return round_off(expit(slope * scores + intercept))


def best_threshold(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """Return the threshold with the highest weighted F1; decisions are ``probability >= it``.

    Candidates are the (rounded) probabilities; of equally good ones the highest is taken.
    """
    order = np.lexsort((labels, -probabilities))
    ranked = probabilities[order]
    hits = np.cumsum((weights * labels)[order])
    called = np.cumsum(weights[order])
    f1 = np.round(2 * hits / (called + (weights * labels).sum()), 9)
    last_of_ties = np.append(ranked[1:] != ranked[:-1], True)
    best = int(np.argmax(np.where(last_of_ties, f1, -1)))
    return float(ranked[best])
