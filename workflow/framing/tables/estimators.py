"""T20: all estimators side by side, and what the classifier adds to the coded passages.

Beside the estimators of T4 stand those that are kept out of it
(:data:`framing.inference.estimators.EVERY`).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd

from framing.common.config import ALL
from framing.inference.corrected import Estimate
from framing.inference.design import CORPUS, Bools, Domain, Floats, Population, population
from framing.inference.estimators import DIFFERENCE, EVERY, LABELS
from framing.inference.intervals import DECIMALS, Settings, is_zero
from framing.inference.outcomes import Outcome, outcomes
from framing.tables.errors import OPTIMISTIC, said, weighted_mean
from framing.tables.shares import by_target, estimates, settled, share_row

NONE_UNREAD = "undefined: no unread passage to judge the classifier by"
T20_COLUMNS = (
    "code", "group", "estimator", "target", "estimate", "se", "ci_low", "ci_high", "status",
)  # fmt: skip
T21_COLUMNS = (
    "code", "group", "target", "coded", "correlation", "gain", "effective_coded", "naive_bias",
    "labels_worth_counting", "reading", "status",
)  # fmt: skip


def side_by_side_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T20-estimators: every estimator by code, group and target (:data:`T20_COLUMNS`)."""
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    rows = []
    for data in outcomes(frame, scores, settings):
        code = data.code
        for group in [ALL, *config["groups"]]:
            for target, part in by_target(frame, group).items():
                for name, one in EVERY.items():
                    found = one.estimate(frame, part, data, settings)
                    cells = share_row(frame, found, part, target, settings)
                    cells = {key: cells[key] for key in T20_COLUMNS[4:]}
                    rows.append(
                        {"code": code, "group": group, "estimator": name, "target": target} | cells
                    )
    return settled(pd.DataFrame(rows, columns=list(T20_COLUMNS)))


def gain_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T21-gain: what the classifier adds to the coded passages, and counting is worth.

    Of the passages that are not known: ``coded`` of them, ``correlation`` of probability and code
    among those that may judge the classifier (weighted); ``gain`` is the variance of labels only
    over that of the difference estimator. ``effective_coded`` is how many codings, without a
    classifier, would be as sure; ``labels_worth_counting`` how many would have a mean squared error
    equal to the (estimated) squared bias of classify-and-count: with more of them, forget counting.
    Under ``corpus`` both reckon with the N passages there are: a variance S²(1/n − 1/N) is that of
    n' codings where 1/n' − 1/N is as much smaller. Under ``texts`` no number of codings of these
    sources takes away what is due to the sources, and no such number is given. Columns:
    :data:`T21_COLUMNS`.
    """
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    rows = []
    for data in outcomes(frame, scores, settings):
        code = data.code
        for group in [ALL, *config["groups"]]:
            parts = by_target(frame, group)
            labels = estimates(LABELS, frame, parts, data, settings)
            tuned = estimates(DIFFERENCE, frame, parts, data, settings)
            for target, part in parts.items():
                cells = {"code": code, "group": group, "target": target}
                found = _gain(frame, part, data, labels[target], tuned[target], target, settings)
                rows.append(cells | found)
    table = settled(pd.DataFrame(rows, columns=list(T21_COLUMNS)))
    return table.astype(dict.fromkeys(("effective_coded", "labels_worth_counting"), "Int64"))


def codings_for(wanted: float, variance: float, coded: int, passages: int) -> int:
    """Return how many codings of ``passages`` have the variance ``wanted``, at least 1.

    ``coded`` of them have ``variance`` = S²(1/n − 1/N) now; n' solves ``wanted`` = S²(1/n' − 1/N).
    """
    scale = (1 / coded - 1 / passages) / variance
    return max(1, round(1 / (wanted * scale + 1 / passages)))


def _gain(
    frame: Population,
    part: Domain,
    data: Outcome,
    labels: Estimate,
    tuned: Estimate,
    target: str,
    settings: Settings,
) -> dict[str, Any]:
    coded = sum(len(piece.coded) for piece in part.parts)
    left = sum(len(piece.rows) for piece in part.parts)
    row: dict[str, Any] = {
        "coded": coded, "correlation": nan, "gain": nan, "effective_coded": pd.NA,
        "naive_bias": nan, "labels_worth_counting": pd.NA, "reading": "", "status": "",
    }  # fmt: skip
    missing = labels.missing.get(target) or labels.barred.get(target)
    if missing:
        return row | {"status": missing}
    judging, weight, unread = frame.judging()
    variance, other = labels.variance[target], tuned.variance[target]
    inside = np.zeros(len(frame.drawn), dtype=bool)
    inside[part.coded] = True
    inside &= judging
    if not inside.any():
        return row | {"status": NONE_UNREAD}
    row["correlation"] = _correlation(frame, data, inside, weight, settings)
    bias = weighted_mean(
        frame, inside, data.decision[frame.drawn] - data.label, settings, weight
    ).value
    row["naive_bias"] = bias
    row["status"] = "" if unread else OPTIMISTIC
    if is_zero(sqrt(variance)) or is_zero(sqrt(other)):
        none = "no gain to speak of: the estimate has no variance of its own"
        return row | {"status": said(row["status"], none)}
    row["gain"] = variance / other
    if target != CORPUS:
        return row
    row["effective_coded"] = codings_for(other, variance, coded, left)
    words = (
        f"with the classifier, {coded} codings of {left} passages are worth "
        f"{row['effective_coded']} without it"
    )
    if not is_zero(bias):
        # Counting errs by its bias over all passages of the rest, coded or not.
        share = bias * left / len(part.rows)
        row["labels_worth_counting"] = codings_for(share**2, variance, coded, left)
        words += f"; counting is worth {row['labels_worth_counting']}"
    return row | {"reading": words}


def _correlation(
    frame: Population, data: Outcome, inside: Bools, weight: Floats, settings: Settings
) -> float:
    score, label = data.probability[frame.drawn], data.label
    means = [
        weighted_mean(frame, inside, values, settings, weight).value for values in (score, label)
    ]
    a, b = score - means[0], label - means[1]
    joint, one, other = (
        weighted_mean(frame, inside, values, settings, weight).value
        for values in (a * b, a * a, b * b)
    )
    if round(one, 2 * DECIMALS) == 0 or round(other, 2 * DECIMALS) == 0:
        return nan
    return joint / sqrt(one * other)
