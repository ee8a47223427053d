"""Labels only: the weighted mean of the codes, f = 0 (Hájek 1971)."""

from __future__ import annotations

from framing.inference.estimator import CODERS, UNSURE, Corrected, Words

ESTIMATOR = Corrected(
    name="labels only",
    uses=frozenset((CODERS, UNSURE)),
    words=Words(
        label="labels only",
        brief="those of the coded passages alone, weighted",
        description=(
            "the coded passages alone, each weighted by the inverse of its probability of being "
            "drawn; the classifier plays no part"
        ),
    ),
)
