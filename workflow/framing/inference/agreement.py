"""Krippendorff's alpha, percent agreement, and how sure they are.

Everything is computed from coincidence matrices (Krippendorff 2011; Hayes & Krippendorff 2007).
A unit (passage) with m_u codes, n_uc of which are the value c, adds to the pair (c, k)::

    o_uck = n_uc (n_uk − [c = k]) / (m_u − 1)

Units with fewer than two codes say nothing about agreement and are left out. As these matrices add
up over units, a resample of whole sources is a weighted sum of the sources' matrices, and thousands
of resamples are one matrix product.

Where units were drawn with unequal probabilities, each unit's matrix counts by its design weight,
the inverse of that probability: agreement is then that of the passages sampled from, not of the
sample (Särndal, Swensson & Wretman 1992, ch. 5, for statistics that are functions of totals).
Weights are scaled to a mean of one over the units with two codes or more, so that equal weights of
whatever size give the unweighted alpha, with its correction for small samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from framing.inference.design import Floats, Ints
from framing.inference.intervals import DECIMALS, critical

NOMINAL, ORDINAL, INTERVAL, RATIO = "nominal", "ordinal", "interval", "ratio"
LEVELS = (NOMINAL, ORDINAL, INTERVAL, RATIO)

NO_PAIR = "undefined: no passage with two codes"
NO_VARIATION = "undefined: all codes are the same"
ONE_CLUSTER = "interval undefined: one source"
NO_DRAW = "interval undefined: no draw with variation"
PERFECT = "no disagreement was seen, so the interval has no width"

_BLOCK = 2_000_000  # cells of resampling counts held at once


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha; ``value`` is None where ``reason`` says why it is undefined."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True)
class AlphaInterval:
    """Ends of an interval of alpha, NaN where ``reason`` says why there are none.

    ``undefined`` of ``draws`` resamples had no variation and are left out.
    """

    low: float
    high: float
    draws: int
    undefined: int
    reason: str = ""


def coincidences(codes: Floats, weight: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the coincidence matrix of each unit and the values it is indexed by.

    ``codes`` (coders, units) are numbers, NaN where a coder left a unit out; ``weight`` (units,)
    are design weights, above zero, by default all one. Returns (units, v, v) matrices, zero for
    units with fewer than two codes, and the v values, ascending, that occur in units with two codes
    or more.
    """
    table = np.asarray(codes, dtype=float)
    number = (~np.isnan(table)).sum(axis=0)
    kept = np.where(number >= 2, table, np.nan)
    values = np.unique(kept[~np.isnan(kept)])
    counts = (
        np.stack([(kept == value).sum(axis=0) for value in values], axis=1)
        if len(values)
        else np.zeros((table.shape[1], 0))
    )
    counts = counts.astype(float)
    pairs = counts[:, :, None] * counts[:, None, :]
    place = np.arange(len(values))
    pairs[:, place, place] -= counts
    matrices = pairs / np.maximum(number - 1, 1)[:, None, None]
    if weight is not None and (number >= 2).any():
        matrices *= (weight / weight[number >= 2].mean())[:, None, None]
    return matrices, values


def clusters_with_pairs(matrices: Floats, cluster: Ints) -> int:
    """Return how many clusters (sources) have a unit with two codes or more.

    ``matrices`` (units, v, v) from :func:`coincidences`, ``cluster`` (units,) numbers clusters.
    """
    return len(np.unique(cluster[matrices.any(axis=(1, 2))]))


def squared_differences(level: str, values: Floats, totals: Floats) -> Floats:
    """Return δ²_ck of a level of measurement, shape (…, v, v).

    ``values`` (v,) are the values, ``totals`` (…, v) how often each occurs (ordinal data need it)::

        nominal   [c ≠ k]
        interval  (c − k)²
        ratio     ((c − k)/(c + k))²
        ordinal   (Σ_{g=c..k} n_g − (n_c + n_k)/2)²

    Raises :class:`ValueError` for an unknown level, and for negative values at ratio level.
    """
    gap = values[:, None] - values[None, :]
    if level == NOMINAL:
        return (gap != 0).astype(float)
    if level == INTERVAL:
        return gap * gap
    if level == RATIO:
        if (values < 0).any():
            raise ValueError("ratio data have no negative values")
        both = values[:, None] + values[None, :]
        share: Floats = np.divide(gap, both, out=np.zeros_like(gap), where=both > 0)
        return share * share
    if level == ORDINAL:
        # Σ_{g=c..k} n_g − (n_c + n_k)/2 is the distance of the two values' mid-ranks.
        middle = np.cumsum(totals, axis=-1) - totals / 2
        distance: Floats = middle[..., :, None] - middle[..., None, :]
        return distance * distance
    raise ValueError(f"unknown level of measurement {level!r}: use one of {', '.join(LEVELS)}")


def alphas(matrices: Floats, values: Floats, level: str = NOMINAL) -> Floats:
    """Return alpha (…) of coincidence matrices (…, v, v), NaN where undefined.

    α = 1 − (n − 1) Σ_ck o_ck δ²_ck / Σ_ck n_c n_k δ²_ck, undefined where the denominator is 0.
    """
    totals = matrices.sum(axis=-1)
    number = totals.sum(axis=-1)
    delta = squared_differences(level, values, totals)
    observed = (matrices * delta).sum(axis=(-2, -1))
    expected = (totals[..., :, None] * totals[..., None, :] * delta).sum(axis=(-2, -1))
    defined = np.round(expected, DECIMALS) > 0
    disagreement = np.divide(
        (number - 1) * observed, expected, out=np.full_like(expected, nan), where=defined
    )
    result: Floats = 1 - disagreement
    return result


def krippendorff_alpha(codes: Floats, level: str = NOMINAL, weight: Floats | None = None) -> Alpha:
    """Return Krippendorff's alpha of ``codes`` (coders, units; NaN where missing).

    ``weight`` (units,) are design weights, by default all one.
    """
    matrices, values = coincidences(codes, weight)
    return alpha_of(matrices.sum(axis=0), values, level)


def alpha_of(matrix: Floats, values: Floats, level: str = NOMINAL) -> Alpha:
    """Return alpha of one coincidence matrix (v, v), or why it is undefined."""
    if not matrix.any():
        return Alpha(None, NO_PAIR)
    value = float(alphas(matrix, values, level))
    return Alpha(None, NO_VARIATION) if value != value else Alpha(value)


def percent_agreement(codes: Floats, weight: Floats | None = None) -> float | None:
    """Return the mean over units of the share of a unit's pairs of codes that are equal.

    ``codes`` (coders, units), NaN where missing; ``weight`` (units,) are design weights, by default
    all one. Units with fewer than two codes are left out; None without any other. Every unit counts
    alike, however many coded it, as in the observed agreement of the kappas (Gwet 2014, ch. 2).
    """
    matrices, _ = coincidences(codes, weight)
    total = matrices.sum(axis=(1, 2))  # m_u codes, times the unit's weight
    if not total.any():
        return None
    number = (~np.isnan(np.asarray(codes, dtype=float))).sum(axis=0)
    equal = float((np.trace(matrices, axis1=1, axis2=2) / np.maximum(number, 1)).sum())
    return equal / float((total / np.maximum(number, 1)).sum())


def resampling_counts(clusters: int, draws: int, seed: int) -> Iterator[Ints]:
    """Yield, block by block, how often each cluster is in each resample: rows (draws, clusters).

    Each resample takes as many clusters as there are, with replacement.
    """
    random = np.random.default_rng(seed)
    step = max(1, _BLOCK // max(clusters, 1))
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        chosen = random.integers(0, clusters, size=(rows, clusters))
        chosen += clusters * np.arange(rows)[:, None]
        yield np.bincount(chosen.ravel(), minlength=rows * clusters).reshape(rows, clusters)


def bootstrap_interval(
    matrices: Floats,
    cluster: Ints,
    values: Floats,
    *,
    draws: int,
    seed: int,
    confidence: float,
    level: str = NOMINAL,
) -> AlphaInterval:
    """Return alpha's percentile interval from resampling whole clusters (sources).

    ``matrices`` (units, v, v) from :func:`coincidences`, ``cluster`` (units,) numbers each unit's
    cluster. Clusters without a unit with two codes take no part. Expected disagreement is
    recomputed in every resample.
    """
    pairable = matrices.any(axis=(1, 2))
    _, place = np.unique(cluster[pairable], return_inverse=True)
    number = int(place.max()) + 1 if len(place) else 0
    if number < 2:
        return AlphaInterval(nan, nan, 0, 0, ONE_CLUSTER if number else NO_PAIR)
    size = len(values)
    of_cluster = np.zeros((number, size * size))
    np.add.at(of_cluster, place, matrices[pairable].reshape(-1, size * size))
    found = np.concatenate(
        [
            alphas((counts @ of_cluster).reshape(-1, size, size), values, level)
            for counts in resampling_counts(number, draws, seed)
        ]
    )
    found = np.round(found[~np.isnan(found)], 2 * DECIMALS)
    undefined = draws - len(found)
    if not len(found):
        return AlphaInterval(nan, nan, draws, undefined, NO_DRAW)
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return AlphaInterval(float(low), float(high), draws, undefined)


def cluster_jackknife(
    matrices: Floats, cluster: Ints, values: Floats, confidence: float, level: str = NOMINAL
) -> tuple[float, float] | None:
    """Return alpha ± t · delete-one-cluster jackknife standard error, kept at most 1.

    ``matrices`` (units, v, v) from :func:`coincidences`, ``cluster`` (units,) numbers each unit's
    cluster (source); with one unit a cluster this is :func:`jackknife_interval`. Over the m
    clusters with a unit of two codes or more, SE² = (m − 1)/m Σ_j (α_(−j) − ᾱ)², t with m − 1
    degrees of freedom. None where there are fewer than two, or alpha without one of them is
    undefined.
    """
    pairable = matrices.any(axis=(1, 2))
    _, place = np.unique(cluster[pairable], return_inverse=True)
    number = int(place.max()) + 1 if len(place) else 0
    if number < 2:
        return None
    of_cluster = np.zeros((number, *matrices.shape[1:]))
    np.add.at(of_cluster, place, matrices[pairable])
    whole = of_cluster.sum(axis=0)
    without = alphas(whole - of_cluster, values, level)
    value = alphas(whole, values, level)
    if np.isnan(without).any() or np.isnan(value):
        return None
    spread = float(np.square(without - without.mean()).sum())
    half = critical(confidence, number - 1) * sqrt((number - 1) / number * spread)
    return float(value) - half, min(1.0, float(value) + half)


def jackknife_error(codes: Floats, level: str = NOMINAL) -> tuple[float | None, int]:
    """Return alpha's delete-one-unit jackknife standard error and its degrees of freedom.

    ``codes`` (coders, units; NaN where missing). Over the n units with two codes or more,
    SE² = (n − 1)/n Σ_j (α_(−j) − ᾱ)², t with n − 1 degrees of freedom (Hughes 2022,
    arXiv 2210.13265). None where fewer than two such units, or an alpha without one of them is
    undefined.
    """
    matrices, values = coincidences(codes)
    pairable = matrices[matrices.any(axis=(1, 2))]
    number = len(pairable)
    if number < 2:
        return None, 0
    without = alphas(pairable.sum(axis=0) - pairable, values, level)
    if np.isnan(without).any():
        return None, number - 1
    spread = float(np.square(without - without.mean()).sum())
    return sqrt((number - 1) / number * spread), number - 1


def jackknife_interval(
    codes: Floats, confidence: float, level: str = NOMINAL
) -> tuple[float, float] | None:
    """Return alpha ± t · jackknife standard error, kept at most 1; None where undefined."""
    found = krippendorff_alpha(codes, level)
    error, df = jackknife_error(codes, level)
    if found.value is None or error is None:
        return None
    half = critical(confidence, df) * error
    return found.value - half, min(1.0, found.value + half)
