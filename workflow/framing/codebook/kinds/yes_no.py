"""Yes/no: a code is absent or present. The case of two levels, of which one is counted."""

from __future__ import annotations

import numpy as np

from framing.codebook.kinds.kind import ANY, EVERY, MAJORITY, Combined, Kind


def _combine(counts: np.ndarray, rule: str, tie: str) -> Combined:
    """Present by more than half, by any or by all of the coders; ``tie`` is present or absent."""
    absent, present = counts[:, 0], counts[:, 1]
    split = (present == absent) & (rule == MAJORITY)
    if rule == ANY:
        found = present > 0
    elif rule == EVERY:
        found = absent == 0
    else:
        found = (present > absent) | (split & (tie == "present"))
    return found.astype(int), split


KIND = Kind("yes/no", (MAJORITY, ANY, EVERY), _combine, present=True)
