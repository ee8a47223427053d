"""T20: all estimators side by side, and what the classifier adds to the coded passages.

Beside the four estimators of T4 stand Horvitz and Thompson's (1952), which divides by the known
number of passages instead of the sum of weights, and the untuned difference (prediction-powered
inference, λ = 1; Angelopoulos et al. 2023), which trusts the probabilities fully.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd

from framing.config import ALL
from framing.inference.design import CORPUS, TARGETS, Domain, Population, domain, population
from framing.inference.errors import weighted_mean
from framing.inference.estimators import (
    COUNT,
    DIFFERENCE,
    ESTIMATORS,
    LABELS,
    Estimate,
    corrected_mean,
    discounted,
    estimate,
    finished,
    labels_only,
    of_sampled_frame,
    unestimable,
)
from framing.inference.intervals import DECIMALS, Settings, is_zero
from framing.inference.outcomes import Outcome, by_code, outcome
from framing.inference.tables import estimate_row, settled

HORVITZ_THOMPSON, UNTUNED = "Horvitz-Thompson", "untuned difference"
T20_COLUMNS = (
    "code", "group", "estimator", "target", "estimate", "se", "ci_low", "ci_high", "status",
)  # fmt: skip
T21_COLUMNS = (
    "code", "group", "target", "coded", "correlation", "gain", "effective_coded", "naive_bias",
    "labels_worth_counting", "reading", "status",
)  # fmt: skip


def horvitz_thompson(
    frame: Population, part: Domain, data: Outcome, settings: Settings
) -> Estimate:
    """Return Σ w y / N_d, with the N_d known (Horvitz & Thompson 1952). Can exceed 1."""
    return _by_formula(frame, part, data, np.zeros(len(part.rows)), float(len(part.rows)))


def untuned_difference(
    frame: Population, part: Domain, data: Outcome, settings: Settings
) -> Estimate:
    """Return the difference estimate with λ = 1: mean probability plus weighted mean error."""
    found = _by_formula(frame, part, data, data.probability[part.rows], None)
    if not found.variance:
        return found
    labels = labels_only(frame, part, data, settings)
    return discounted(found, labels.variance[CORPUS], settings.gain_discount)


def _by_formula(
    frame: Population, part: Domain, data: Outcome, fitted: Any, total: float | None
) -> Estimate:
    if (empty := unestimable(part)) is not None:
        return empty
    weight = np.ones(len(part.coded)) if part.complete else frame.weight[part.coded]
    label = data.label[part.coded]
    found = corrected_mean(fitted, part.place, label, weight, total)
    reference = float((weight * label).sum() / weight.sum())
    return replace(finished(frame, part, label, weight, found), reference=reference)


_MORE = {HORVITZ_THOMPSON: horvitz_thompson, UNTUNED: untuned_difference}
ALL_ESTIMATORS = (COUNT, HORVITZ_THOMPSON, *ESTIMATORS[1:-1], UNTUNED, DIFFERENCE)


def side_by_side_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T20-estimators: every estimator by code, group and target (:data:`T20_COLUMNS`)."""
    settings, frame = Settings.of(config), population(passages)
    rows = []
    for code, own in by_code(scores):
        data = outcome(frame, own, code, settings)
        for group in [ALL, *config["groups"]]:
            part = domain(frame, group)
            for name in ALL_ESTIMATORS:
                found = _estimate(name, frame, part, data, settings)
                for target in TARGETS:
                    cells = estimate_row(
                        found, part, target, settings.confidence, settings.wilson_below
                    )
                    cells = {key: cells[key] for key in T20_COLUMNS[4:]}
                    rows.append(
                        {"code": code, "group": group, "estimator": name, "target": target} | cells
                    )
    return settled(pd.DataFrame(rows, columns=list(T20_COLUMNS)))


def _estimate(
    name: str, frame: Population, part: Domain, data: Outcome, settings: Settings
) -> Estimate:
    if name in _MORE:
        return of_sampled_frame(_MORE[name](frame, part, data, settings), part)
    return estimate(name, frame, part, data, settings)


def gain_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T21-gain: what the classifier adds to the coded passages, and counting is worth.

    ``correlation`` of probability and code among coded passages (weighted); ``gain`` is the
    variance of labels only over that of the difference estimator; ``effective_coded`` = coded ·
    gain: so many codings, without a classifier, would be as sure. ``labels_worth_counting`` is the
    number of coded passages whose labels-only estimate has a mean squared error equal to the
    (estimated) squared bias of classify-and-count: with more of them, forget counting. Columns:
    :data:`T21_COLUMNS`.
    """
    settings, frame = Settings.of(config), population(passages)
    rows = []
    for code, own in by_code(scores):
        data = outcome(frame, own, code, settings)
        for group in [ALL, *config["groups"]]:
            part = domain(frame, group)
            labels = estimate(LABELS, frame, part, data, settings)
            tuned = estimate(DIFFERENCE, frame, part, data, settings)
            for target in TARGETS:
                cells = {"code": code, "group": group, "target": target}
                rows.append(cells | _gain(frame, part, data, labels, tuned, target))
    table = settled(pd.DataFrame(rows, columns=list(T21_COLUMNS)))
    return table.astype(dict.fromkeys(("effective_coded", "labels_worth_counting"), "Int64"))


def _gain(
    frame: Population, part: Domain, data: Outcome, labels: Estimate, tuned: Estimate, target: str
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "coded": len(part.coded), "correlation": nan, "gain": nan, "effective_coded": pd.NA,
        "naive_bias": nan, "labels_worth_counting": pd.NA, "reading": "", "status": "",
    }  # fmt: skip
    missing = labels.missing.get(target) or labels.barred.get(target)
    if missing:
        return row | {"status": missing}
    inside = np.zeros(len(frame.drawn), dtype=bool)
    inside[part.coded] = True
    row["correlation"] = _correlation(frame, data, inside)
    bias = weighted_mean(frame, inside, data.decision[frame.drawn] - data.label).value
    row["naive_bias"] = bias
    variance, other = labels.variance[target], tuned.variance[target]
    if is_zero(sqrt(variance)) or is_zero(sqrt(other)):
        return row | {"status": "no gain to speak of: the estimate has no variance of its own"}
    gain = variance / other
    row |= {"gain": gain, "effective_coded": round(len(part.coded) * gain)}
    words = (
        f"with the classifier, {len(part.coded)} codings are worth {row['effective_coded']} "
        "without it"
    )
    if not is_zero(bias):
        row["labels_worth_counting"] = max(1, round(len(part.coded) * variance / bias**2))
        words += f"; counting is worth {row['labels_worth_counting']}"
    return row | {"reading": words}


def _correlation(frame: Population, data: Outcome, inside: Any) -> float:
    score, label = data.probability[frame.drawn], data.label
    means = [weighted_mean(frame, inside, values).value for values in (score, label)]
    a, b = score - means[0], label - means[1]
    joint, one, other = (
        weighted_mean(frame, inside, values).value for values in (a * b, a * a, b * b)
    )
    if round(one, 2 * DECIMALS) == 0 or round(other, 2 * DECIMALS) == 0:
        return nan
    return joint / sqrt(one * other)
