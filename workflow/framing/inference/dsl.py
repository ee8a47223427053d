"""Regression on codes of which only a sample is known: design-based supervised learning (DSL).

Egami, Hinck, Stewart & Wei (2023, 2024): predict every passage's code from what the classifier says
of it, correct the predictions on drawn passages by the inverse of their inclusion probability π_i,
and regress the corrected *pseudo-outcome*::

    Ỹ_i = ĝ_i + (R_i/π_i)·(Y_i − ĝ_i)

with R_i = 1 where the passage was drawn. E(Ỹ_i) = Y_i over draws whatever ĝ is, as long as the
passage's own code plays no part in it: hence *cross-fitting*, ĝ_i from codes of other sources. Nor
may it know what was drawn, as it does through authors who read drawn passages: which codes teach
it, and where it looks at the classifier, is up to
:func:`framing.inference.regression_fits.predicted`.

Every estimator here solves moment equations Σ_i a_i x_i (y_i − μ(x_i'β)) = 0, with μ(η) = η
(linear) or 1/(1 + e^−η) (logistic). What differs is y and the weights a: pseudo-outcomes with
a = 1, codes with a = 1/π, the classifier's decisions with a = 1. Passages that share source and
covariates may be handed in as one row, with their total weight and their weighted mean of y: the
equations stay the same.

Sources are clusters, taken to be random. Variances are sandwiches of cluster sums
(:func:`covariance`), and few clusters behind a coefficient make few degrees of freedom
(:func:`degrees_of_freedom`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from framing.inference.design import Floats, Ints
from framing.inference.variances import sums

LINEAR, LOGISTIC = "linear", "logistic"
FAMILIES = (LINEAR, LOGISTIC)
CR0, CR1, CR2 = "CR0", "CR1", "CR2"
CORRECTIONS = (CR0, CR1, CR2)

_STEPS = 100  # Newton steps
_CONVERGED = 1e-11  # largest change of a linear predictor in the last step
_BEYOND = 20.0  # a linear predictor that has run away: a share within 2e-9 of 0 or 1
_WHOLE = 1e-9  # part of the information that other clusters must bring
_FLAT = 1e-9  # a feature that does not vary
_CLIP = 1e-3  # probabilities nearer to 0 or 1 tell nothing more


# --- pseudo-outcomes ------------------------------------------------------------------------------


def pseudo_outcome(fitted: Floats, drawn: Ints, label: Floats, weight: Floats) -> Floats:
    """Return Ỹ = ĝ + R/π (Y − ĝ), (N,); Egami et al. (2023, sec. 4).

    ``fitted`` (N,) is ĝ, ``drawn`` (n,) the rows drawn, ``label`` (n,) their codes, ``weight`` (n,)
    1/π.
    """
    outcome = fitted.copy()
    outcome[drawn] += weight * (label - fitted[drawn])
    return outcome


def calibration_features(probability: Floats, covariates: Floats) -> Floats:
    """Return what ĝ learns from (N, m): 1, logit(``probability``) and ``covariates`` (N, k).

    All but the first have mean 0 and variance 1 over the passages; constant ones are left out.
    """
    clipped = np.clip(probability, _CLIP, 1 - _CLIP)
    features = np.column_stack([np.log(clipped / (1 - clipped)), covariates])
    features -= features.mean(axis=0)
    spread = np.sqrt(np.square(features).mean(axis=0))
    varying = spread > _FLAT
    return np.column_stack([np.ones(len(features)), features[:, varying] / spread[varying]])


def cross_fitted(
    features: Floats, drawn: Ints, label: Floats, weight: Floats, fold: Ints, penalty: float
) -> Floats:
    """Return ĝ (N,): E(Y | classifier, covariates), each fold from drawn passages of other folds.

    A logistic regression of the code on ``features`` (:func:`calibration_features`), weighted by
    ``weight`` (n,) scaled to mean 1, with the penalty ½·``penalty``·‖β‖² on all but the intercept,
    solved to the optimum. ``drawn`` (n,) are the rows of the codes ``label`` (n,); ``fold`` (N,)
    must put all passages of a source in one fold. A fold whose training codes are all alike gets
    that code as prediction, one without training codes gets 0: poor predictions widen intervals
    but do not bias.
    """
    ridge = np.full(features.shape[1], penalty)
    ridge[0] = 0.0
    fitted = np.zeros(len(features))
    for number in np.unique(fold):
        held_out = np.flatnonzero(fold == number)
        taught = fold[drawn] != number
        own = label[taught]
        if len(np.unique(own)) < 2:
            fitted[held_out] = own[0] if len(own) else 0.0
            continue
        found = solve(
            features[drawn[taught]], own, weight[taught] / weight[taught].mean(), LOGISTIC, ridge
        )
        fitted[held_out] = expit(features[held_out] @ found.coefficients)
    return fitted


# --- moment equations -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Solution:
    """The solution β (k,) of moment equations.

    ``diverging`` (k,) is empty where one exists; else the direction in which coefficients grow
    without end: complete separation (Albert & Anderson 1984), or a corrected share outside 0–1.
    """

    coefficients: Floats
    diverging: Floats

    @property
    def exists(self) -> bool:
        """Return whether there is a finite solution."""
        return not len(self.diverging)


def solve(
    x: Floats, y: Floats, weight: Floats, family: str, penalty: Floats | None = None
) -> Solution:
    """Return β with Σ a_i x_i (y_i − μ(x_i'β)) = ``penalty``·β.

    ``x`` (n, k) must have full column rank, ``y`` (n,) may lie outside 0–1 (pseudo-outcomes),
    ``weight`` (n,) is a ≥ 0, ``penalty`` (k,) a ridge (none by default). Linear: least squares.
    Logistic: Newton's method with halved steps on the convex function whose gradient the equations
    are. Raises :class:`numpy.linalg.LinAlgError` where ``x`` lacks rank.
    """
    ridge = np.zeros(x.shape[1]) if penalty is None else penalty
    weighted = x * weight[:, None]
    none = np.zeros(0)
    if family == LINEAR:
        bend = weighted.T @ x + np.diag(ridge)
        return Solution(np.asarray(np.linalg.solve(bend, weighted.T @ y)), none)
    beta = np.zeros(x.shape[1])
    value = _loss(x, y, weight, ridge, beta)
    for _ in range(_STEPS):
        share = expit(x @ beta)
        gradient = weighted.T @ (y - share) - ridge * beta
        bend = (weighted * (share * (1 - share))[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(bend, gradient)
        size, change = 1.0, float(np.abs(x @ step).max(initial=0.0))
        if change < _CONVERGED:
            break
        while (new := _loss(x, y, weight, ridge, beta + size * step)) > value and size > 1e-8:
            size /= 2
        beta, value = beta + size * step, new
        if penalty is None and float(np.abs(x @ beta).max()) > _BEYOND:
            return Solution(beta, step)
    return Solution(beta, none)


def _loss(x: Floats, y: Floats, weight: Floats, ridge: Floats, beta: Floats) -> float:
    linear = x @ beta
    loss = float((weight * (np.logaddexp(0, linear) - y * linear)).sum())
    return loss + float((ridge * beta * beta).sum()) / 2


def mean_function(linear: Floats, family: str) -> tuple[Floats, Floats]:
    """Return μ(η) and its slope μ'(η) of a family."""
    if family == LINEAR:
        return linear, np.ones_like(linear)
    share: Floats = expit(linear)
    return share, share * (1 - share)


# --- clusters -------------------------------------------------------------------------------------


def cluster_scores(
    x: Floats, y: Floats, weight: Floats, cluster: Ints, number: int, family: str, beta: Floats
) -> Floats:
    """Return s_g = Σ_{i in g} a_i x_i (y_i − μ_i), (G, k), for clusters 0 … ``number`` − 1."""
    share, _ = mean_function(x @ beta, family)
    parts = x * (weight * (y - share))[:, None]
    return np.stack([sums(cluster, part, number) for part in parts.T], axis=1)


def cluster_information(
    x: Floats, weight: Floats, cluster: Ints, number: int, family: str, beta: Floats
) -> Floats:
    """Return J_g = Σ_{i in g} a_i μ'_i x_i x_i', (G, k, k)."""
    _, slope = mean_function(x @ beta, family)
    weighted = x * (weight * slope)[:, None]
    terms = x.shape[1]
    found = np.zeros((number, terms, terms))
    for row in range(terms):
        for column in range(row + 1):
            part = sums(cluster, weighted[:, row] * x[:, column], number)
            found[:, row, column] = found[:, column, row] = part
    return found


@dataclass(frozen=True)
class Leverage:
    """What each cluster brings to the information J = Σ_g J_g = LL', in coordinates where J = I.

    ``root`` (k, k) is L, ``share`` (G, k, k) is S_g = L⁻¹J_gL⁻ᵀ, ``half`` (G, k, k) is
    (I − S_g)^−½, and ``alone`` (d, k) are directions v that one cluster alone informs: J_h v = 0
    for every other h. There S_g has eigenvalue 1, and the power is taken to be 0. A combination c'β
    with c'v ≠ 0 rests on that cluster: its variance cannot be estimated.
    """

    root: Floats
    share: Floats
    half: Floats
    alone: Floats


def leverage(information: Floats) -> Leverage:
    """Return the leverage of clusters by their ``information`` J_g, (G, k, k).

    Raises :class:`numpy.linalg.LinAlgError` where J lacks rank.
    """
    root = np.linalg.cholesky(information.sum(axis=0))
    inverse = np.linalg.inv(root)
    share = inverse @ information @ inverse.T
    values, vectors = np.linalg.eigh((share + share.swapaxes(1, 2)) / 2)
    whole = values > 1 - _WHOLE
    power = np.where(whole, 0.0, 1 / np.sqrt(np.where(whole, 1.0, 1 - values)))
    columns = vectors.swapaxes(1, 2)
    alone = columns[whole] @ inverse
    return Leverage(
        root=root,
        share=share,
        half=(vectors * power[:, None, :]) @ columns,
        alone=alone / np.linalg.norm(alone, axis=1, keepdims=True),
    )


def covariance(scores: Floats, found: Leverage, correction: str, clusters: int) -> Floats:
    """Return the cluster-robust covariance of β, (k, k): J⁻¹ (Σ_g s_g s_g') J⁻¹.

    ``scores`` (G, k) are the s_g, ``found`` is the clusters' leverage. ``correction`` is

    ``CR0``
        none: V = J⁻¹MJ⁻¹/n of Egami et al. (2023), with M = n⁻¹ Σ_g s_g s_g' and J a mean;
    ``CR1``
        times ``clusters``/(``clusters`` − 1);
    ``CR2``
        each s_g times (I − J_g J⁻¹)^−½, which makes V unbiased where errors are as the model has
        them (Bell & McCaffrey 2002; for equations beyond least squares Kauermann & Carroll 2001).
        In a model with one coefficient a group it is the factor m/(m − 1) by group, m being its
        clusters, where CR1 has G/(G − 1) for all.
    """
    whitened = np.linalg.solve(found.root, scores.T).T
    if correction == CR2:
        whitened = np.einsum("gij,gj->gi", found.half, whitened)
    meat = whitened.T @ whitened
    if correction == CR1:
        meat = meat * clusters / (clusters - 1)
    outer = np.linalg.inv(found.root)
    variance: Floats = outer.T @ meat @ outer
    return variance


def degrees_of_freedom(found: Leverage, direction: Floats) -> float:
    """Return Satterthwaite's degrees of freedom of the CR2 variance of c'β.

    ``direction`` (k,) is c. The variance is a quadratic form in the cluster scores, with matrix Ω
    after scaling; its degrees of freedom are 2·mean²/variance = (tr Ω)²/tr Ω² where errors are as
    the model has them (Bell & McCaffrey 2002; Imbens & Kolesár 2016). For the mean of a group of m
    clusters of equal size they are m − 1, fewer where sizes differ. NaN where c is 0.
    """
    adjusted = found.half @ np.linalg.solve(found.root, direction)
    spread = np.einsum("gij,gj->gi", found.share, adjusted)
    # Ω_gh = [g = h]·b_g'S_g b_g − (S_g b_g)'(S_h b_h), of which only sums are needed.
    own, norm = (adjusted * spread).sum(axis=1), (spread * spread).sum(axis=1)
    cross = spread.T @ spread
    trace = float((own - norm).sum())
    square = float((own * own).sum() - 2 * (own * norm).sum() + (cross * cross).sum())
    return trace * trace / square if square > 0 else float("nan")


# --- repeated splits ------------------------------------------------------------------------------


def median_error(values: Floats, errors: Floats, centre: float) -> float:
    """Return √median_s(SE_s² + (θ_s − θ̂)²) over splits s (Chernozhukov et al. 2018, def. 3.3).

    ``values`` and ``errors`` (S,) are θ_s and SE_s, ``centre`` is θ̂.
    """
    return float(np.sqrt(np.median(errors**2 + (values - centre) ** 2)))
