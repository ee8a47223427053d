"""Intervals of estimated shares, by target."""

from __future__ import annotations

from math import sqrt

from framing.inference.contrasts import bounded
from framing.inference.corrected import Estimate, Rest
from framing.inference.design import CORPUS
from framing.inference.intervals import Interval, critical, share_interval, widened


def share_value(found: Estimate) -> float:
    """Return an estimate with the share of what is not known kept within [0, 1]."""
    if found.complete:
        return bounded(found.value)
    rest = found.chance
    return rest.of_domain(bounded(rest.of_rest(found.value)))


def share_ends(found: Estimate, target: str, confidence: float, wilson_below: float) -> Interval:
    """Return the interval of a share; see :func:`framing.tables.shares.share_row`.

    Where no positive was drawn (or nothing but positives) it reaches 0 (or 1), whatever the
    classifier says: of those passages nothing was seen that would exclude it. Under ``texts`` known
    passages show how sources vary, but not how far off the estimate of all others is: where only
    few of these were seen to carry the code, the interval of this corpus is widened by what varies
    between sources (:func:`framing.inference.intervals.widened`).
    """
    if target != CORPUS and found.rest is not None and CORPUS not in found.barred:
        share = bounded(found.rest.of_rest(found.value))
        if found.rest.coded * min(share, 1 - share) < wilson_below:
            between = max(0.0, found.variance[target] - found.variance[CORPUS])
            inner = share_ends(found, CORPUS, confidence, wilson_below)
            quantile = critical(confidence, found.df[target])
            return widened(share_value(found), inner, sqrt(between), quantile)
    se, quantile = sqrt(found.variance[target]), critical(confidence, found.df[target])
    if target == CORPUS:
        rest = found.chance
        coded, positives = rest.coded, rest.positives
        ends = share_interval(
            bounded(rest.of_rest(found.value)), se / rest.size, coded=coded,
            effective=rest.effective, reference=rest.reference, quantile=quantile,
            wilson_below=wilson_below,
        )  # fmt: skip
    else:
        rest = Rest(1.0, 0.0, found.coded, found.positives, found.effective, found.reference)
        coded, positives = found.coded, found.positives
        ends = share_interval(
            share_value(found), se, coded=coded, effective=found.effective,
            reference=found.reference, quantile=quantile, wilson_below=wilson_below,
        )  # fmt: skip
    low = 0.0 if positives == 0 else ends.low
    high = 1.0 if positives == coded else ends.high
    return Interval(rest.of_domain(low), rest.of_domain(high), ends.remark)
