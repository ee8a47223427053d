"""Prevalence where labels come from elsewhere: Rogan and Gladen's estimator, and when to refuse it.

A classifier marks a share q of a corpus; its sensitivity and specificity are known from *another*
labelled set and are believed to carry over. Where labels are drawn from the corpus itself, as in
this project, the estimators of :mod:`framing.inference.estimators` need no such belief.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from framing.inference.intervals import DECIMALS, wilson

LEAST_YOUDEN = 0.2
"""Below this Se + Sp − 1 a classifier says too little: p would be noise over next to nothing."""


class RefusedError(ValueError):
    """Raised where the estimator would give a number that means nothing; the message says why."""


@dataclass(frozen=True)
class Corrected:
    """An estimate, its standard error and its interval, within 0 and 1."""

    value: float
    se: float
    low: float
    high: float


def rogan_gladen(
    marked: int,
    passages: int,
    true_positives: int,
    positives: int,
    true_negatives: int,
    negatives: int,
    quantile: float,
) -> Corrected:
    """Return the prevalence corrected for known error rates (Rogan & Gladen 1978).

    ``marked`` of ``passages`` are marked by the classifier; in another labelled set it marked
    ``true_positives`` of ``positives`` and left ``true_negatives`` of ``negatives`` unmarked::

        p = (q + Sp − 1)/(Se + Sp − 1)
        V = [q(1 − q)/n + p² Se(1 − Se)/n_Se + (1 − p)² Sp(1 − Sp)/n_Sp] / (Se + Sp − 1)²

    The interval is Lang & Reiczigel's (2014), with quantile²/2 successes added to q and one to each
    of the others. Raises :class:`RefusedError` where Se + Sp − 1 < :data:`LEAST_YOUDEN`, and where
    p lies outside [0, 1] by more than ``quantile`` standard errors: then the error rates do not
    carry over.
    """
    if min(passages, positives, negatives) < 1:
        raise RefusedError("error rates need labelled passages with the code, and without it")
    q, se, sp = marked / passages, true_positives / positives, true_negatives / negatives
    youden = _youden(se, sp)
    p = (q + sp - 1) / youden
    variance = q * (1 - q) / passages + p * p * se * (1 - se) / positives
    variance = (variance + (1 - p) ** 2 * sp * (1 - sp) / negatives) / youden**2
    error = sqrt(variance)
    _refuse_outside(p, error, quantile)
    low, high = _lang_reiczigel(
        marked, passages, true_positives, positives, true_negatives, negatives, quantile
    )
    return Corrected(_within(p), error, low, high)


def rogan_gladen_known(
    marked: int,
    passages: int,
    sensitivity: float,
    specificity: float,
    quantile: float,
    *,
    wald: bool = False,
) -> Corrected:
    """Return the prevalence corrected for error rates that are taken as known exactly.

    For rates from a manual or from a labelled set so large that their own error does not matter;
    where they were counted, :func:`rogan_gladen` carries that error. ``marked`` of ``passages``::

        p = (q + Sp − 1)/(Se + Sp − 1)        V = q(1 − q)/n / (Se + Sp − 1)²

    The interval is Wilson's (1927) of q, carried over by the same formula, which does not change
    its coverage (Reiczigel, Földi & Ózsvári 2010); with ``wald`` it is p ± quantile · √V, as
    Rogan & Gladen gave it, of width zero where none or all are marked. Raises
    :class:`RefusedError` as :func:`rogan_gladen` does, and for rates outside 0 to 1.
    """
    if passages < 1:
        raise RefusedError("a share needs passages")
    if not (0 <= sensitivity <= 1 and 0 <= specificity <= 1):
        raise RefusedError("sensitivity and specificity are shares, from 0 to 1")
    q, youden = marked / passages, _youden(sensitivity, specificity)
    p = (q + specificity - 1) / youden
    error = sqrt(q * (1 - q) / passages) / youden
    ends = wilson(q, passages, quantile)
    # Wilson's limits and not p ± error: with none marked p lies below 0, and has no error.
    if ends[1] + specificity - 1 < 0 or ends[0] > sensitivity:
        raise RefusedError(_outside(p))
    low, high = ((end + specificity - 1) / youden for end in ends)
    if wald:
        low, high = p - quantile * error, p + quantile * error
    return Corrected(_within(p), error, _within(low), _within(high))


def _youden(sensitivity: float, specificity: float) -> float:
    youden = sensitivity + specificity - 1
    if round(youden, DECIMALS) < LEAST_YOUDEN:
        raise RefusedError(
            f"sensitivity + specificity − 1 is {youden:.3f}, below {LEAST_YOUDEN}: the classifier "
            "tells too little"
        )
    return youden


def _refuse_outside(p: float, error: float, quantile: float) -> None:
    if p < -quantile * error or p > 1 + quantile * error:
        raise RefusedError(_outside(p))


def _outside(p: float) -> str:
    return (
        f"the corrected share is {p:.3f}, outside 0 to 1 beyond error: the error rates do not "
        "carry over to this corpus"
    )


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))


def _lang_reiczigel(
    marked: int,
    passages: int,
    true_positives: int,
    positives: int,
    true_negatives: int,
    negatives: int,
    quantile: float,
) -> tuple[float, float]:
    square = quantile * quantile
    n, n_se, n_sp = passages + square, positives + 2, negatives + 2
    q = (marked + square / 2) / n
    se, sp = (true_positives + 1) / n_se, (true_negatives + 1) / n_sp
    youden = se + sp - 1
    p = (q + sp - 1) / youden
    shift = 2 * square * (p * se * (1 - se) / n_se - (1 - p) * sp * (1 - sp) / n_sp)
    variance = q * (1 - q) / n + p * p * se * (1 - se) / n_se
    variance = (variance + (1 - p) ** 2 * sp * (1 - sp) / n_sp) / youden**2
    half = quantile * sqrt(variance)
    return max(0.0, p + shift - half), min(1.0, p + shift + half)
