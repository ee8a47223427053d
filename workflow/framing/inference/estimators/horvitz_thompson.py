"""Horvitz and Thompson's (1952): Σ w y over the known number of passages; it can exceed 1."""

from __future__ import annotations

from framing.inference.estimator import CODERS, UNSURE, Corrected, Words

ESTIMATOR = Corrected(
    name="Horvitz-Thompson",
    uses=frozenset((CODERS, UNSURE)),
    aside=True,
    words=Words(
        label="Horvitz–Thompson",
        brief="the weighted sum of the codes over the known number of passages",
        description=(
            "the coded passages alone, their weighted sum divided by the known number of passages"
        ),
    ),
    known_size=True,
    discounts=False,
)
