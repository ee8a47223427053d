"""T11-errors: where the classifier errs, by group and period, and what that does to naive shares.

Error rates are ratios over coded passages, weighted by the inverse of their inclusion probability
(Hájek): sensitivity = share marked among passages that carry the code, specificity = share not
marked among those that do not, predictive values the other way round. *Bias* is the naive share
less the true one, E(decision − code): what classify-and-count is off by in that cell. If biases
differ between two groups, a naive comparison of them is off by the difference (differential error:
Fong & Tyler 2021; TeBlunthuis, Hase & Chan 2024). All decisions are out of fold.

Rates are those on unread passages: on passages that the authors of cues could read the classifier
errs less than elsewhere. Where no coding is unread they are those on read ones, and the status
calls them optimistic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd

from framing.common.config import ALL
from framing.inference.clusters import adjusted_deviations, joint_degrees_of_freedom
from framing.inference.design import TEXTS, Bools, Domain, Floats, Population, domain, population
from framing.inference.intervals import (
    Settings,
    critical,
    difference_interval,
    is_zero,
    share_interval,
    two_sided_p,
)
from framing.inference.outcomes import Outcome, by_code, outcome
from framing.inference.variances import effective_size, sums

SENSITIVITY, SPECIFICITY = "sensitivity", "specificity"
POSITIVE_VALUE, NEGATIVE_VALUE = "positive predictive value", "negative predictive value"
BIAS, BIAS_DIFFERENCE = "bias of the naive share", "bias of the naive difference"
RATES = (SENSITIVITY, SPECIFICITY, POSITIVE_VALUE, NEGATIVE_VALUE)
T11_COLUMNS = (
    "code", "group", "against", "period", "measure", "passages", "sources", "estimate", "se",
    "ci_low", "ci_high", "p_value", "status",
)  # fmt: skip
OPTIMISTIC = "optimistic: on passages that the authors of cues could read"
NO_PASSAGE = "undefined: no coded passage to take the rate of"
ONE_SOURCE = "no interval: coded passages of one source only"


@dataclass(frozen=True)
class Ratio:
    """A weighted mean over some coded passages.

    ``deviations`` (G,) are the clusters' (see :mod:`framing.inference.clusters`), so that the
    variance of a difference of two ratios is the sum of squares of their difference; ``df`` are
    its degrees of freedom.
    """

    value: float
    passages: int
    sources: int
    effective: float
    deviations: Floats
    df: float = nan


def weighted_mean(
    frame: Population,
    chosen: Bools,
    values: Floats,
    settings: Settings,
    weights: Floats | None = None,
) -> Ratio:
    """Return Σ w v / Σ w over the drawn passages where ``chosen`` (n,) is true.

    ``values`` (n,) are over drawn passages, ``weights`` (n,) their weights if others than the
    population's. Linearised contributions w (v − mean)/Σ w are summed by
    source (ultimate clusters, Särndal et al. 1992, ch. 5.5). NaN where nothing is chosen.
    """
    weight = (frame.weight if weights is None else weights)[chosen]
    source = frame.source[frame.drawn[chosen]]
    if not len(weight):
        return Ratio(nan, 0, 0, 0.0, np.zeros(frame.sources))
    total = float(weight.sum())
    mean = float((weight * values[chosen]).sum()) / total
    of_source = sums(source, weight * (values[chosen] - mean) / total, frame.sources)
    deviations, df = adjusted_deviations(
        of_source, sums(source, weight, frame.sources),
        sums(source, weight * weight, frame.sources), settings.source_correlation,
    )  # fmt: skip
    sources = len(np.unique(source))
    return Ratio(mean, len(weight), sources, effective_size(weight), deviations, df)


def rates(data: Outcome, frame: Population, inside: Bools, settings: Settings) -> dict[str, Ratio]:
    """Return the error rates and the bias among drawn passages where ``inside`` (n,) is true.

    Of these only those count that may judge the classifier (:meth:`Population.judging`).
    """
    label, marked = data.label, data.decision[frame.drawn].astype(float)
    carrying, called = label == 1, marked == 1
    judging, weight, _ = frame.judging()
    inside = inside & judging
    return {
        SENSITIVITY: weighted_mean(frame, inside & carrying, marked, settings, weight),
        SPECIFICITY: weighted_mean(frame, inside & ~carrying, 1 - marked, settings, weight),
        POSITIVE_VALUE: weighted_mean(frame, inside & called, label, settings, weight),
        NEGATIVE_VALUE: weighted_mean(frame, inside & ~called, 1 - label, settings, weight),
        BIAS: weighted_mean(frame, inside, marked - label, settings, weight),
    }


def errors_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T11-errors: rates and biases by group, by period, and biases of group differences.

    ``passages`` is the passage frame, ``scores`` the scores of the codes. Differences are of each
    group against each later one, over all periods. Columns: :data:`T11_COLUMNS`; intervals speak of
    texts like these (sources random).
    """
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    rows: list[dict[str, Any]] = []
    for code, part in by_code(scores):
        data = outcome(frame, part, code, settings)
        found = {
            cell: rates(data, frame, _drawn_inside(frame, domain(frame, *cell, TEXTS)), settings)
            for cell in _cells(config)
        }
        for (group, period), measures in found.items():
            for measure, ratio in measures.items():
                cell = {"code": code, "group": group, "against": "", "period": period}
                rows.append(cell | {"measure": measure} | _row(ratio, measure, settings))
        groups = list(config["groups"])
        for place, group in enumerate(groups):
            for other in groups[place + 1 :]:
                a, b = (found[name, ALL][BIAS] for name in (group, other))
                cell = {"code": code, "group": group, "against": other, "period": ALL}
                rows.append(cell | {"measure": BIAS_DIFFERENCE} | _difference(a, b, settings))
    table = pd.DataFrame(rows, columns=list(T11_COLUMNS))
    if not frame.judging()[2]:
        table["status"] = [said(OPTIMISTIC, status) for status in table["status"]]
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(12) + 0.0 for name in floats})


def said(first: str, status: str) -> str:
    """Return a status with a word before it."""
    return "; ".join(filter(None, (first, status)))


def _cells(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    periods = [period["id"] for period in config["periods"]] + [config["undated"]]
    for group in [ALL, *config["groups"]]:
        yield group, ALL
    for period in periods:
        yield ALL, period


def _drawn_inside(frame: Population, part: Domain) -> Bools:
    inside = np.zeros(len(frame.drawn), dtype=bool)
    inside[part.coded] = True
    return inside


def _row(ratio: Ratio, measure: str, settings: Settings) -> dict[str, Any]:
    row: dict[str, Any] = {
        "passages": ratio.passages, "sources": ratio.sources, "estimate": ratio.value, "se": nan,
        "ci_low": nan, "ci_high": nan, "p_value": nan, "status": "",
    }  # fmt: skip
    if not ratio.passages:
        return row | {"status": NO_PASSAGE}
    if ratio.sources < 2:
        return row | {"status": ONE_SOURCE}
    se = sqrt(float(np.square(ratio.deviations).sum()))
    df = ratio.df
    quantile = critical(settings.confidence, df)
    if measure == BIAS:
        if is_zero(se):
            return row | {"status": "no interval: errors do not vary"}
        ends = difference_interval(ratio.value, se, quantile)
        p_value = two_sided_p(ratio.value, se, df)
        return row | {"se": se, "ci_low": ends.low, "ci_high": ends.high, "p_value": p_value}
    ends = share_interval(
        ratio.value, se, coded=ratio.passages, effective=ratio.effective, reference=ratio.value,
        quantile=quantile, wilson_below=settings.wilson_below,
    )  # fmt: skip
    return row | {
        "se": nan if is_zero(se) else se,
        "ci_low": ends.low,
        "ci_high": ends.high,
        "status": ends.remark,
    }


def _difference(a: Ratio, b: Ratio, settings: Settings) -> dict[str, Any]:
    """Return the row of a difference of biases; groups share no source, so they are independent."""
    row: dict[str, Any] = {
        "passages": a.passages + b.passages, "sources": a.sources + b.sources,
        "estimate": a.value - b.value, "se": nan, "ci_low": nan, "ci_high": nan, "p_value": nan,
        "status": "",
    }  # fmt: skip
    if not (a.passages and b.passages):
        return row | {"status": NO_PASSAGE}
    if min(a.sources, b.sources) < 2:
        return row | {"status": ONE_SOURCE}
    se = sqrt(float(np.square(a.deviations - b.deviations).sum()))
    if is_zero(se):
        return row | {"status": "no interval: errors do not vary"}
    pair = [np.square(one.deviations).sum() for one in (a, b)]
    df = joint_degrees_of_freedom(np.array(pair), np.array([a.df, b.df]))
    ends = difference_interval(a.value - b.value, se, critical(settings.confidence, df))
    return row | {
        "se": se,
        "ci_low": ends.low,
        "ci_high": ends.high,
        "p_value": two_sided_p(a.value - b.value, se, df),
    }


__all__ = [
    "OPTIMISTIC",
    "RATES",
    "T11_COLUMNS",
    "TEXTS",
    "errors_table",
    "rates",
    "said",
    "weighted_mean",
]
