"""Ordinal: levels in an order, with numbers, of which a passage has exactly one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from framing.codebook.kinds.kind import MAJORITY, Combined, Kind


def _combine(counts: np.ndarray, rule: str, ties: Sequence[int]) -> Combined:
    """The median of the coders' levels; of two middle ones, that which is first in ``ties``."""
    below = counts.cumsum(axis=1)
    total = below[:, -1:]
    low = (2 * below >= total).argmax(axis=1)
    high = (2 * below > total).argmax(axis=1)
    place = np.argsort(np.asarray(list(ties), dtype=int))
    return np.where(place[low] <= place[high], low, high), low != high


KIND = Kind("ordinal", (MAJORITY,), _combine, ordered=True)
