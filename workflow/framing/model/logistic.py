"""Penalised logistic regression, solved to its optimum; calibration; the decision threshold."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.special import expit

DECIMALS = 6
"""Probabilities and weights are rounded to so many places before anything compares them: below
that, processors and thread counts may differ in the last bits."""

_TOLERANCE = 1e-12
_GRADIENT = 1e-12
_ITERATIONS = 500


def round_off(values: np.ndarray) -> np.ndarray:
    """Return values rounded to :data:`DECIMALS` places, without negative zeros."""
    return np.round(values, DECIMALS) + 0.0


def fit_logistic(
    features: sparse.csr_matrix, labels: np.ndarray, weights: np.ndarray, strength: float
) -> tuple[np.ndarray, float]:
    """Return coefficients and intercept of the L2-penalised weighted logistic regression.

    Minimises strength · Σ wᵢ·log-loss + ½‖β‖² (intercept unpenalised) by Newton's method with
    conjugate gradients, to a gradient below 1e-9: stopping early would leave the result to the
    platform's luck (scikit-learn's default stops up to 0.02 in probability away from the optimum).
    """
    # Here and below: it takes long to load, and most of what uses this room only predicts.
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, solver="newton-cg", tol=_GRADIENT, max_iter=_ITERATIONS)
    model.fit(features, labels, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def fit_sigmoid(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return slope and intercept of the sigmoid that turns scores into probabilities.

    Platt (1999) with his smoothed targets, (N₊+1)/(N₊+2) and 1/(N₋+2), weighted by ``weights``.
    Each passage enters once as present and once as absent, weighted by its target.
    """
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
