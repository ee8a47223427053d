"""Where probabilities and weights are rounded, so that no processor's last bits decide anything."""

from __future__ import annotations

import numpy as np

DECIMALS = 6
"""Probabilities and weights are rounded to so many places before anything compares them: below
that, processors and thread counts may differ in the last bits."""


_NEAR = 1e-5
"""Of the last place: sums in another order differ by a hundredth of that at most."""


def unsure(values: np.ndarray) -> np.ndarray:
    """Say of which values the last bits could decide to what they are rounded."""
    places = values * 10**DECIMALS
    return ~(np.abs(places - np.floor(places) - 0.5) > _NEAR)


def round_off(values: np.ndarray) -> np.ndarray:
    """Return values rounded to :data:`DECIMALS` places, without negative zeros."""
    return np.round(values, DECIMALS) + 0.0
