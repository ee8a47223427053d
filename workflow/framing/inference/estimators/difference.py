"""Difference: f = λ·(p − p̄), λ tuned on other folds (PPI++, Angelopoulos, Duchi & Zrnic 2023).

Where λ is 0 everywhere this is the labels-only estimate, and the note says so.
"""

from __future__ import annotations

from framing.inference.estimator import CLASSIFIER, CODERS, UNSURE, Corrected, Words

ESTIMATOR = Corrected(
    name="difference",
    uses=frozenset((CODERS, UNSURE, CLASSIFIER)),
    words=Words(
        label="difference",
        brief="the classifier's count, corrected by its errors in the coded sample",
        description=(
            "the share the classifier marks plus the weighted mean error found in the coded "
            "sample; how far the classifier is trusted is tuned to the data, and what it gets "
            "wrong on average is taken out"
        ),
    ),
    predictions=lambda data: data.fitted,
    tuned=True,
    silent=lambda data: data.untuned,
)
