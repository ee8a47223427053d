"""Penalised multinomial logistic regression, solved to its optimum, and its calibration.

What :mod:`framing.classifier.logistic` does for a code that is absent or present, for one that has
one of several levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import logsumexp, softmax

from framing.classifier.rounding import round_off

_GRADIENT = 1e-10
_ITERATIONS = 500
_ALMOST_NONE = 1e-6  # a penalty on the slope, as where there are two levels


@dataclass(frozen=True)
class _Multinomial:
    """A penalised multinomial regression to be solved, and what its derivatives are made of.

    Points are coefficients, a column a level, with the intercepts as their last row. ``parts`` (of
    rows × levels) are the weights with which rows have levels, ``weights`` their sums.
    """

    features: sparse.csr_matrix
    turned: sparse.csr_matrix
    weights: np.ndarray
    parts: np.ndarray

    def scores(self, point: np.ndarray) -> np.ndarray:
        product: np.ndarray = self.features @ point[:-1]
        return product + point[-1]

    def loss(self, point: np.ndarray, scores: np.ndarray) -> float:
        losses = self.weights * logsumexp(scores, axis=1) - (self.parts * scores).sum(axis=1)
        return float(losses.sum() + (point[:-1] ** 2).sum() / 2)

    def back(self, point: np.ndarray, of_rows: np.ndarray) -> np.ndarray:
        """Return what the penalty's derivative at ``point`` and a term of each row add up to."""
        return np.vstack([self.turned @ of_rows + point[:-1], of_rows.sum(axis=0)])

    def curved(self, towards: np.ndarray, chances: np.ndarray) -> np.ndarray:
        """Return the second derivative in a direction."""
        way = self.scores(towards)
        mean = (chances * way).sum(axis=1, keepdims=True)
        return self.back(towards, self.weights[:, None] * chances * (way - mean))

    def step(self, gradient: np.ndarray, chances: np.ndarray) -> np.ndarray:
        """Return Newton's step, found by conjugate gradients preconditioned by the diagonal.

        It is the exacter the nearer the optimum is, so that the way there is short.
        """
        own = self.weights[:, None] * chances * (1 - chances)
        squares = self.turned.copy()
        squares.data **= 2
        least = np.finfo(float).tiny
        diagonal = np.vstack([squares @ own + 1, np.maximum(own.sum(axis=0), least)])
        size = float(np.sqrt((gradient**2).sum()))
        enough = size * (min(0.1, size**0.5) if size > 1e-4 else 1e-6)
        found, left = np.zeros_like(gradient), -gradient
        towards = left / diagonal
        fit = float((left * towards).sum())
        for _ in range(gradient.size):
            product = self.curved(towards, chances)
            length = fit / float((towards * product).sum())
            found, left = found + length * towards, left - length * product
            if float(np.sqrt((left**2).sum())) < enough:
                break
            scaled = left / diagonal
            before, fit = fit, float((left * scaled).sum())
            towards = scaled + fit / before * towards
        return found


def fit_multinomial(
    features: sparse.csr_matrix, parts: np.ndarray, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients and intercepts of the L2-penalised weighted multinomial regression.

    ``parts`` (rows × levels) say with which weight a row enters as each level; there must be some
    of every level. Minimises strength · Σ weight · log-loss + ½‖β‖² (intercepts unpenalised) by
    Newton's method with conjugate gradients (Nocedal & Wright 2006, ch. 7), to a gradient below
    1e-9. What is the same for all levels changes no probability: the penalty makes each feature's
    coefficients add up to 0, and intercepts are centred, so that they do, too.

    Of two levels it is :func:`framing.classifier.logistic.fit_logistic` with half the penalty: with
    β₁ = -β₀ = δ/2 the scores differ by δ, and ½‖β‖² is ¼‖δ‖².
    """
    turned = sparse.csr_matrix(features.T)
    parts = strength * parts
    model = _Multinomial(features, turned, parts.sum(axis=1), parts)
    point = np.zeros((features.shape[1] + 1, parts.shape[1]))
    scores = model.scores(point)
    loss = model.loss(point, scores)
    for _ in range(_ITERATIONS):
        chances = softmax(scores, axis=1)
        gradient = model.back(point, model.weights[:, None] * chances - parts)
        if np.abs(gradient).max() < _GRADIENT:
            break
        step = model.step(gradient, chances)
        way = model.scores(step)
        part = 1.0
        # Halved until it does not lead upwards; near the optimum only rounding differs.
        while model.loss(point + part * step, scores + part * way) > loss + 1e-12 * abs(loss):
            part /= 2
        point, scores = point + part * step, scores + part * way
        loss = model.loss(point, scores)
    return point[:-1], point[-1] - point[-1].mean()


def fit_vector_scaling(
    scores: np.ndarray, levels: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return slope and offsets (adding up to 0) that turn scores into probabilities.

    Probabilities are the softmax of slope · score + offset: vector scaling (Guo et al. 2017) with
    one slope for all levels, as a slope for each needs more codings than most projects have.
    ``scores`` are rows × levels, ``levels`` the positions of the rows' levels, ``weights`` how much
    rows count. Targets are smoothed as Platt's (1999) for two: of a row with level k, of which
    there are Nₖ, (Nₖ + 1) / (Nₖ + K) for k and 1 / (Nₖ + K) for each other, K being the number of
    levels. For two levels it is :func:`framing.classifier.logistic.fit_sigmoid` of the difference
    of their scores.
    """
    target = smoothed_targets(levels, scores.shape[1])
    number = scores.shape[1]
    # The first offset stays 0 until the end: that which is the same for all levels changes nothing.
    point = np.zeros(number)
    loss = _scaling_loss(point, scores, target, weights)
    for _ in range(_ITERATIONS):
        chances = softmax(_scaled(point, scores), axis=1)
        error = weights[:, None] * (chances - target)
        gradient = np.append((error * scores).sum(), error.sum(axis=0)[1:])
        gradient[0] += _ALMOST_NONE * point[0]
        if np.abs(gradient).max() < _GRADIENT * max(1.0, float(np.abs(scores).max())):
            break
        step = np.linalg.solve(_scaling_curvature(chances, scores, weights), -gradient)
        part = 1.0
        most = loss + 1e-12 * abs(loss)
        while _scaling_loss(point + part * step, scores, target, weights) > most:
            part /= 2
        point = point + part * step
        loss = _scaling_loss(point, scores, target, weights)
    offsets = np.append(0.0, point[1:])
    return float(point[0]), offsets - offsets.mean()


def smoothed_targets(levels: np.ndarray, number: int) -> np.ndarray:
    """Return rows × levels of targets, by how often each of the ``number`` levels occurs."""
    counts = np.bincount(levels, minlength=number)[levels].astype(float)
    target = np.repeat(1 / (counts + number), number).reshape(len(levels), number)
    target[np.arange(len(levels)), levels] = (counts + 1) / (counts + number)
    return target


def _scaled(point: np.ndarray, scores: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = point[0] * scores + np.append(0.0, point[1:])
    return scaled


def _scaling_loss(
    point: np.ndarray, scores: np.ndarray, target: np.ndarray, weights: np.ndarray
) -> float:
    scaled = _scaled(point, scores)
    losses = logsumexp(scaled, axis=1) - (target * scaled).sum(axis=1)
    return float(weights @ losses + _ALMOST_NONE * point[0] ** 2 / 2)


def _scaling_curvature(chances: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the second derivative by slope and offsets but the first."""
    mean = (chances * scores).sum(axis=1, keepdims=True)
    off = chances * (scores - mean)
    mixed = (weights[:, None] * off).sum(axis=0)[1:]
    own = chances[:, 1:]
    matrix = np.diag(weights @ own) - (weights[:, None] * own).T @ own
    corner = float(weights @ (off * scores).sum(axis=1)) + _ALMOST_NONE
    return np.block([[np.array([[corner]]), mixed[None, :]], [mixed[:, None], matrix]])


def level_probabilities(scores: np.ndarray, slope: float, offsets: np.ndarray) -> np.ndarray:
    """Return calibrated probabilities, rows × levels, rounded."""
    return round_off(softmax(slope * scores + offsets, axis=1))
