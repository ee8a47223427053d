"""One of: several categories, of which a passage has exactly one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from framing.codebook.kinds.kind import MAJORITY, Combined, Kind, first_of


def _combine(counts: np.ndarray, rule: str, ties: Sequence[int]) -> Combined:
    """The category that most coders gave (plurality); of several, the first in ``ties``."""
    return first_of(counts, ties)


KIND = Kind("one of", (MAJORITY,), _combine)
