"""Post-stratified: f is the weighted mean code among passages with the same decision.

How often the classifier says yes and no is known for all passages; how often it is right when it
says so comes from the coded ones (Särndal, Swensson & Wretman 1992, ch. 7).
"""

from __future__ import annotations

from framing.inference.estimator import CLASSIFIER, CODERS, THRESHOLD, UNSURE, Corrected, Words

ESTIMATOR = Corrected(
    name="post-stratified",
    uses=frozenset((CODERS, UNSURE, CLASSIFIER, THRESHOLD)),
    words=Words(
        label="post-stratified",
        brief=(
            "the coders' shares among passages the classifier marks and does not mark, put together"
        ),
        description=(
            "the coders' share among passages the classifier marks and among those it does not, "
            "put together in the proportions in which these occur in each stratum"
        ),
    ),
    cells=lambda data: data.stratum,
)
