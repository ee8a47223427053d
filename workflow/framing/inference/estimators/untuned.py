"""The difference with λ = 1, which trusts the probabilities fully (Angelopoulos et al. 2023)."""

from __future__ import annotations

from framing.inference.estimator import CLASSIFIER, CODERS, UNSURE, Corrected, Words

ESTIMATOR = Corrected(
    name="untuned difference",
    uses=frozenset((CODERS, UNSURE, CLASSIFIER)),
    aside=True,
    words=Words(
        label="untuned difference",
        brief="the mean probability, corrected by its errors in the coded sample",
        description="the mean probability plus the weighted mean error found in the coded sample",
    ),
    predictions=lambda data: data.probability,
)
