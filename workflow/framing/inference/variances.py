"""How far totals vary because of the design, by stratum (this corpus) and by cluster (texts).

Both variances are computed from an estimate's *contributions*: numbers per passage that add up to
its deviation from the truth. They are turned into *deviations*, vectors whose sum of squares is the
variance, so that covariances need no formula of their own: the variance of a difference is the sum
of squares of the difference of two such vectors.
"""

from __future__ import annotations

import numpy as np

from framing.inference.design import Bools, Floats, Ints


def sums(numbers: Ints, values: Floats, length: int) -> Floats:
    """Return the sum of ``values`` by number, (length,)."""
    return np.bincount(numbers, weights=values, minlength=length).astype(float)


def stratum_deviations(contributions: Floats, stratum: Ints, size: Ints, sampled: Ints) -> Floats:
    """Return deviations (n,) whose sum of squares is the variance of Σ contributions.

    ``contributions`` (n,) are weighted, one a drawn passage, 0 outside the domain (outside a domain
    is not left out: whether a draw falls into it is chance as well); ``stratum`` (n,) their strata,
    ``size`` and ``sampled`` (H,) are N_h and n_h. Stratified simple random sampling without
    replacement (Särndal et al. 1992, ch. 3.7)::

        V = Σ_h (1 − n_h/N_h) · n_h/(n_h − 1) · Σ_i (z_hi − z̄_h)²

    A stratum taken whole contributes nothing. One passage drawn of several has no variance: its
    deviation is given as 0, and who asks must look at ``Domain.lonely`` first.
    """
    mean = sums(stratum, contributions, len(size)) / np.maximum(sampled, 1)
    factor = (1 - sampled / size) * sampled / np.maximum(sampled - 1, 1)
    deviations: Floats = np.sqrt(factor)[stratum] * (contributions - mean[stratum])
    return deviations


def cluster_deviations(totals: Floats, taking_part: Bools, stratum: Ints | None = None) -> Floats:
    """Return deviations (G,) whose sum of squares is the variance between clusters.

    ``totals`` (G,) are the sums of contributions by cluster, ``taking_part`` (G,) says which
    clusters hold drawn passages, ``stratum`` (G,) numbers strata of clusters (one by default). The
    ultimate-cluster variance, without finite population correction as clusters are random::

        V = Σ_h m_h/(m_h − 1) · Σ_c (z_hc − z̄_h)²

    with m_h clusters taking part. Clusters of the domain that hold no drawn passage keep their
    total (what a classifier says of them counts), centred by what the stratum's mean is.
    """
    strata = np.zeros(len(totals), dtype=np.int64) if stratum is None else stratum
    number = int(strata.max()) + 1 if len(strata) else 0
    taken = sums(strata, taking_part.astype(float), number)
    mean = sums(strata, totals, number) / np.maximum(taken, 1)
    factor = np.sqrt(taken / np.maximum(taken - 1, 1))
    centred = totals - np.where(taking_part, mean[strata], 0)
    deviations: Floats = factor[strata] * centred
    return deviations


def effective_size(weight: Floats) -> float:
    """Return (Σw)² / Σw², the number of equally weighted passages worth as much (Kish 1965)."""
    return float(weight.sum() ** 2 / np.square(weight).sum()) if len(weight) else 0.0
