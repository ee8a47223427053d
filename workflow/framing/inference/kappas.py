"""Chance-corrected agreement beside alpha: Cohen's and Fleiss' kappa, Gwet's AC1.

Codes are a table (coders, units), NaN where a coder left a unit out. Each function returns an
:class:`~framing.inference.agreement.Alpha`: a value, or why it is undefined.
"""

from __future__ import annotations

import numpy as np

from framing.inference.agreement import NO_PAIR, NO_VARIATION, Alpha
from framing.inference.design import Floats
from framing.inference.intervals import is_zero


def _counts(codes: Floats) -> Floats:
    """Return how many coders gave each unit each value, (units, v), units with a code only."""
    table = np.asarray(codes, dtype=float)
    values = np.unique(table[~np.isnan(table)])
    counts = np.array([(table == value).sum(axis=0) for value in values], dtype=float).T
    counts = counts.reshape(-1, len(values))
    kept: Floats = counts[counts.sum(axis=1) > 0]
    return kept


def _corrected(observed: float, expected: float) -> Alpha:
    if is_zero(1 - expected):
        return Alpha(None, NO_VARIATION)
    return Alpha((observed - expected) / (1 - expected))


def _observed(counts: Floats) -> float:
    """Return Σ_k n_uk (n_uk − 1) / (m_u (m_u − 1)), averaged over units with two codes or more."""
    number = counts.sum(axis=1)
    pairs = counts[number >= 2]
    number = number[number >= 2]
    return float(((pairs * (pairs - 1)).sum(axis=1) / (number * (number - 1))).mean())


def cohen_kappa(codes: Floats) -> Alpha:
    """Return Cohen's (1960) kappa of two coders, over the units that both coded.

    κ = (p_o − p_e)/(1 − p_e), p_e = Σ_k p_1k p_2k from each coder's own distribution. Raises
    :class:`ValueError` for other than two coders.
    """
    table = np.asarray(codes, dtype=float)
    if len(table) != 2:
        raise ValueError("Cohen's kappa compares two coders")
    both = table[:, ~np.isnan(table).any(axis=0)]
    if not both.shape[1]:
        return Alpha(None, NO_PAIR)
    values = np.unique(both)
    shares = [[float((row == value).mean()) for value in values] for row in both]
    expected = sum(one * other for one, other in zip(*shares, strict=True))
    return _corrected(float((both[0] == both[1]).mean()), expected)


def fleiss_kappa(codes: Floats) -> Alpha:
    """Return Fleiss' (1971) kappa for any number of coders, also with missing codes.

    p_e = Σ_k π_k² with π_k the mean over units of the share of coders who gave k (Gwet 2014, ch. 2;
    Fleiss' own where every unit has as many codes).
    """
    counts = _counts(codes)
    if not (counts.sum(axis=1) >= 2).any():
        return Alpha(None, NO_PAIR)
    share = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    return _corrected(_observed(counts), float((share * share).sum()))


def gwet_ac1(codes: Floats) -> Alpha:
    """Return Gwet's (2008) AC1: p_e = Σ_k π_k (1 − π_k)/(q − 1), q the number of values used.

    With one value only there is no chance agreement to correct for: undefined.
    """
    counts = _counts(codes)
    if not (counts.sum(axis=1) >= 2).any():
        return Alpha(None, NO_PAIR)
    if counts.shape[1] < 2:
        return Alpha(None, NO_VARIATION)
    share = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    expected = float((share * (1 - share)).sum()) / (counts.shape[1] - 1)
    return _corrected(_observed(counts), expected)
