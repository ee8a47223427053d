"""Chance-corrected agreement beside alpha: the kappas, Brennan and Prediger's, Gwet's AC1 and AC2.

All of them are (p_a − p_e)/(1 − p_e): agreement p_a that was seen, less agreement p_e that chance
would give, over the most there could be of the difference. They part in what chance does::

    Cohen (1960)               Σ_kl c_kl p_1k p_2l                  each coder's own distribution
    Fleiss (1971)              Σ_kl c_kl π_k π_l                    the distribution of all coders
    Brennan & Prediger (1981)  Σ_kl c_kl / q²                       all q values alike
    Gwet (2008, 2014)          Σ_kl c_kl / (q(q − 1)) · Σ_k π_k(1 − π_k)

``c_kl`` is how near two values are: 1 where they are equal, else 0 (nominal codes), or what is left
of 1 for values that lie apart (``linear``, ``quadratic``: Cohen 1968). Weighted, Cohen's is the
weighted kappa and Gwet's is AC2.

Codes are a table (coders, units), NaN where a coder left a unit out. Every function takes design
weights of the units (the inverse of the probability with which they were drawn) and the cluster
(source) that each is from, and returns a :class:`Coefficient`. Its standard error is that of the
linearised coefficient (Gwet 2014, ch. 5 and 6; for Cohen's kappa the terms of Fleiss, Cohen &
Everitt 1969)::

    SE² = G/(G − 1) · Σ_g (Σ_{u in g} w_u z_u / Σw)²

over G clusters. Without clusters every unit is one, and with equal weights this is Gwet's
Σz²/(n(n − 1)); Fleiss, Cohen & Everitt divide by n².
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from framing.inference.agreement import NO_PAIR, NO_VARIATION, NOMINAL
from framing.inference.design import Floats, Ints
from framing.inference.intervals import is_zero
from framing.inference.variances import sums

LINEAR, QUADRATIC = "linear", "quadratic"
WEIGHTINGS = (NOMINAL, LINEAR, QUADRATIC)


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of agreement and its standard error.

    ``value`` is None where ``reason`` says why it is undefined; ``se`` is NaN there, and where all
    units are of one cluster.
    """

    value: float | None
    se: float = nan
    reason: str = ""


@dataclass(frozen=True)
class _Units:
    """The units with a code: ``counts`` (n, q) of each value, how near values are, weights.

    ``weight`` (n,) adds up to one; ``cluster`` (n,) is numbered from 0.
    """

    counts: Floats
    near: Floats
    weight: Floats
    cluster: Ints


def closeness(level: str, values: Floats) -> Floats:
    """Return c_kl (q, q): how near two values are, from 0 to 1.

    ``nominal``: 1 where they are equal; ``linear``: 1 − |k − l|/range; ``quadratic``:
    1 − ((k − l)/range)². Raises :class:`ValueError` for another level.
    """
    gap = np.abs(values[:, None] - values[None, :])
    if level == NOMINAL or len(values) < 2:
        return (gap == 0).astype(float)
    if level not in WEIGHTINGS:
        raise ValueError(f"unknown weighting {level!r}: use one of {', '.join(WEIGHTINGS)}")
    apart: Floats = gap / gap.max()
    return 1 - (apart if level == LINEAR else apart * apart)


def cohen_kappa(
    codes: Floats, *, weight: Floats | None = None, cluster: Ints | None = None
) -> Coefficient:
    """Return Cohen's (1960) kappa of two coders, over the units that both coded.

    Raises :class:`ValueError` for other than two coders.
    """
    return weighted_kappa(codes, NOMINAL, weight=weight, cluster=cluster)


def weighted_kappa(
    codes: Floats,
    level: str,
    *,
    weight: Floats | None = None,
    cluster: Ints | None = None,
    values: Floats | None = None,
) -> Coefficient:
    """Return Cohen's (1968) weighted kappa of two coders for ordered values.

    ``level`` is ``linear`` or ``quadratic`` (``nominal`` gives Cohen's kappa); ``values`` are all
    that could have been used, by default those that were. Raises :class:`ValueError` for other than
    two coders.
    """
    table = np.asarray(codes, dtype=float)
    if len(table) != 2:
        raise ValueError("Cohen's kappa compares two coders")
    both = np.where(np.isnan(table).any(axis=0), np.nan, table)
    found = _units(both, level, weight, cluster, values)
    if not len(found.counts):
        return Coefficient(None, reason=NO_PAIR)
    known = both[:, ~np.isnan(both[0])]
    used = np.unique(known) if values is None else np.asarray(values, dtype=float)
    one, other = ((row[:, None] == used).astype(float) for row in known)
    first, second = found.weight @ one, found.weight @ other
    expected = float(first @ found.near @ second)
    by_chance = (one @ (found.near @ second) + other @ (first @ found.near)) / 2
    return _corrected(found, expected, by_chance)


def fleiss_kappa(
    codes: Floats, *, weight: Floats | None = None, cluster: Ints | None = None
) -> Coefficient:
    """Return Fleiss' (1971) kappa for any number of coders, also with missing codes.

    π_k is the mean over units of the share of coders who gave k (Gwet 2014, ch. 2; Fleiss' own
    where every unit has as many codes).
    """
    found = _units(codes, NOMINAL, weight, cluster, None)
    shares = _shares(found)
    mean = found.weight @ shares
    by_chance = shares @ found.near @ mean
    return _corrected(found, float(mean @ found.near @ mean), by_chance)


def brennan_prediger(
    codes: Floats,
    level: str = NOMINAL,
    *,
    weight: Floats | None = None,
    cluster: Ints | None = None,
    values: Floats | None = None,
) -> Coefficient:
    """Return Brennan and Prediger's (1981) coefficient: chance takes all values alike.

    ``values`` are all that could have been used, by default those that were. For two values it is
    twice the agreement less one.
    """
    found = _units(codes, level, weight, cluster, values)
    number = len(found.near)
    expected = float(found.near.sum()) / number**2 if number else 0.0
    return _corrected(found, expected, np.full(len(found.counts), expected))


def gwet_ac1(
    codes: Floats, *, weight: Floats | None = None, cluster: Ints | None = None
) -> Coefficient:
    """Return Gwet's (2008) AC1, which does not collapse where a value is rare.

    With one value only there is no chance agreement to correct for: undefined.
    """
    return gwet_ac2(codes, NOMINAL, weight=weight, cluster=cluster)


def gwet_ac2(
    codes: Floats,
    level: str,
    *,
    weight: Floats | None = None,
    cluster: Ints | None = None,
    values: Floats | None = None,
) -> Coefficient:
    """Return Gwet's (2014) AC2 for ordered values; ``level`` is ``linear`` or ``quadratic``.

    ``values`` are all that could have been used, by default those that were; ``nominal`` gives AC1.
    """
    found = _units(codes, level, weight, cluster, values)
    number = len(found.near)
    if number < 2:
        return _corrected(found, 1.0, np.ones(len(found.counts)))
    shares = _shares(found)
    mean = found.weight @ shares
    scale = float(found.near.sum()) / (number * (number - 1))
    expected = scale * float((mean * (1 - mean)).sum())
    return _corrected(found, expected, scale * (shares @ (1 - mean)))


def _units(
    codes: Floats,
    level: str,
    weight: Floats | None,
    cluster: Ints | None,
    values: Floats | None,
) -> _Units:
    table = np.asarray(codes, dtype=float)
    used = np.unique(table[~np.isnan(table)]) if values is None else np.asarray(values, dtype=float)
    counts = (table[:, :, None] == used).sum(axis=0).astype(float)
    coded = counts.sum(axis=1) > 0
    own = np.ones(len(counts)) if weight is None else np.asarray(weight, dtype=float)
    every = np.arange(len(counts)) if cluster is None else cluster
    _, place = np.unique(every[coded], return_inverse=True)
    scaled = own[coded] / own[coded].sum() if coded.any() else own[coded]
    return _Units(counts[coded], closeness(level, used), scaled, place.astype(np.int64))


def _shares(found: _Units) -> Floats:
    """Return the share of its coders who gave each unit each value (n, q)."""
    shares: Floats = found.counts / found.counts.sum(axis=1, keepdims=True)
    return shares


def _corrected(found: _Units, expected: float, by_chance: Floats) -> Coefficient:
    """Return the coefficient, agreement by chance being ``expected``.

    Agreement seen in a unit with m codes, n_k of them k, is
    Σ_kl n_k(c_kl n_l − [k = l])/(m(m − 1)). ``by_chance`` (n,) are the units' terms of the
    agreement expected, half of its derivative: their weighted mean is ``expected``.
    """
    number = found.counts.sum(axis=1)
    paired = number >= 2
    if not paired.any():
        return Coefficient(None, reason=NO_PAIR)
    if is_zero(1 - expected):
        return Coefficient(None, reason=NO_VARIATION)
    agreeing = (found.counts * (found.counts @ found.near - 1)).sum(axis=1)
    agreeing = agreeing / np.where(paired, number * (number - 1), 1)
    of_paired = float(found.weight[paired].sum())
    observed = float((found.weight * agreeing)[paired].sum()) / of_paired
    value = (observed - expected) / (1 - expected)
    own = np.where(paired, (agreeing - expected) / of_paired, 0.0) / (1 - expected)
    terms = own - value - 2 * (1 - value) * (by_chance - expected) / (1 - expected)
    clusters = int(found.cluster.max()) + 1
    if clusters < 2:
        return Coefficient(value)
    of_cluster = sums(found.cluster, found.weight * terms, clusters)
    return Coefficient(value, sqrt(clusters / (clusters - 1) * float(np.square(of_cluster).sum())))
