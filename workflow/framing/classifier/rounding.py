"""Where probabilities and weights are rounded, so that no processor's last bits decide anything."""

from __future__ import annotations

import numpy as np

DECIMALS = 6
"""Probabilities and weights are rounded to so many places before anything compares them: below
that, processors and thread counts may differ in the last bits."""


def round_off(values: np.ndarray) -> np.ndarray:
    """Return values rounded to :data:`DECIMALS` places, without negative zeros."""
    return np.round(values, DECIMALS) + 0.0
