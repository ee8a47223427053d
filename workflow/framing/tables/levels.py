"""Result tables of codes with several levels: T23 to T25 and T27.

Other tables have each level as a yes/no code of its own; these have what only all levels together
say: shares that add up to one with intervals that hold all at once, the mean level, which level is
taken for which, and agreement by the distance of levels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, product
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.coding.variables import Variable, variable_of
from framing.common.config import ALL
from framing.inference.design import Population, domain, population
from framing.inference.estimators import ESTIMATORS
from framing.inference.intervals import Settings, critical, wilson
from framing.inference.means import Scale, mean_outcome
from framing.inference.outcomes import Outcome, outcomes
from framing.inference.variances import effective_size
from framing.tables.shares import by_target, estimates, settled, share_row

_CELLS = ("passages", "coded", "unread", "estimate", "se", "ci_low", "ci_high", "status")
T23_COLUMNS = (
    "code", "group", "estimator", "target", "level", "passages", "coded", "unread", "positives",
    "estimate", "se", "joint_low", "joint_high", "status",
)  # fmt: skip
T24_COLUMNS = ("code", "group", "period", "estimator", "target", *_CELLS)
T25_COLUMNS = (
    "code", "given", "decided", "coded", "share", "recall", "recall_low", "recall_high",
    "precision", "precision_low", "precision_high", "status",
)  # fmt: skip
OPTIMISTIC = "read passages: better than the classifier is elsewhere"


def outcomes_of(
    frame: Population, scores: pd.DataFrame, variables: Sequence[Variable], settings: Settings
) -> Iterator[tuple[Variable, list[Outcome]]]:
    """Yield every code with several levels and the outcomes of its indicators, in their order."""
    known = {one.name: one for one in variables if not one.kind.present}
    for name, parts in groupby(
        outcomes(frame, scores, settings), key=lambda one: variable_of(one.code)
    ):
        if name in known:
            yield known[name], list(parts)


def level_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    variables: Sequence[Variable],
    config: Mapping[str, Any],
) -> pd.DataFrame:
    """Return T23-levels: the shares of all levels of a code, with joint intervals, by group.

    ``passages`` is the passage frame, ``scores`` those of indicators, ``variables`` the codes. With
    the confidence 1 − α and K levels each interval is one of confidence 1 − α/K, so that all of
    them hold together with at least 1 − α (Bonferroni; for multinomial shares Goodman 1965).
    Columns: :data:`T23_COLUMNS`.
    """
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    rows = []
    for variable, parts in outcomes_of(frame, scores, variables, settings):
        joint = replace(settings, confidence=1 - (1 - settings.confidence) / len(parts))
        for group, name in product([ALL, *config["groups"]], ESTIMATORS):
            own = by_target(frame, group)
            found = [estimates(name, frame, own, data, settings) for data in parts]
            for target, part in own.items():
                keys = {"code": variable.name, "group": group}
                keys |= {"estimator": name, "target": target}
                for level, one in zip(variable.indicators, found, strict=True):
                    cells = share_row(frame, one[target], part, target, joint)
                    ends = {"joint_low": cells.pop("ci_low"), "joint_high": cells.pop("ci_high")}
                    rows.append(keys | {"level": level} | cells | ends)
    table = pd.DataFrame(rows, columns=list(T23_COLUMNS)).astype({"positives": "Int64"})
    return settled(table)


def mean_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    variables: Sequence[Variable],
    config: Mapping[str, Any],
) -> pd.DataFrame:
    """Return T24-means: the mean level of every ordinal code, by group and period.

    Arguments are those of :func:`level_table`; see :mod:`framing.inference.means`. Columns:
    :data:`T24_COLUMNS`.
    """
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    periods = [ALL, *(period["id"] for period in config["periods"]), config["undated"]]
    rows = []
    for variable, parts in outcomes_of(frame, scores, variables, settings):
        if not variable.kind.ordered:
            continue
        data, scale = mean_outcome(variable, parts), Scale.of(variable)
        for group, period in product([ALL, *config["groups"]], periods):
            own = by_target(frame, group, period)
            for name in ESTIMATORS:
                found = estimates(name, frame, own, data, settings)
                for target, part in own.items():
                    cells = scale.row(share_row(frame, found[target], part, target, settings))
                    rows.append(
                        {"code": variable.name, "group": group, "period": period}
                        | {"estimator": name, "target": target}
                        | {key: cells[key] for key in _CELLS}
                    )
    return settled(pd.DataFrame(rows, columns=list(T24_COLUMNS)))


def confusion_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    variables: Sequence[Variable],
    config: Mapping[str, Any],
) -> pd.DataFrame:
    """Return T25-confusion: which level the classifier decides for where coders gave which.

    Of the passages that may judge the classifier (:meth:`Population.judging`), weighted by design:
    ``share`` is the cell's part of all of them, ``recall`` its part of the passages that were given
    the level, ``precision`` of those that the classifier decided for it, each with Wilson's
    interval for Kish's effective number of passages. Arguments are those of :func:`level_table`.
    Columns: :data:`T25_COLUMNS`.
    """
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    judging, weight, unread = frame.judging()
    judging = judging & np.isin(np.arange(len(judging)), domain(frame).coded)
    quantile = critical(settings.confidence)
    rows = []
    for variable, parts in outcomes_of(frame, scores, variables, settings):
        given = np.argmax(np.stack([one.label for one in parts]), axis=0)[judging]
        decided = parts[0].stratum[frame.drawn][judging]
        own = weight[judging]
        total = float(own.sum())
        for (a, one), (b, other) in product(enumerate(variable.indicators), repeat=2):
            cell = (given == a) & (decided == b)
            row = {"code": variable.name, "given": one, "decided": other, "coded": int(cell.sum())}
            row["share"] = float(own[cell].sum()) / total if total else nan
            for name, base in (("recall", given == a), ("precision", decided == b)):
                row |= _rate(name, cell, base, own, quantile)
            rows.append(row | {"status": "" if unread else OPTIMISTIC})
    return settled(pd.DataFrame(rows, columns=list(T25_COLUMNS)))


def _rate(
    name: str, cell: np.ndarray, base: np.ndarray, weight: np.ndarray, quantile: float
) -> dict[str, float]:
    """Return the weighted part that ``cell`` is of ``base``, with its interval."""
    names = (name, f"{name}_low", f"{name}_high")
    if not base.any():
        return dict.fromkeys(names, nan)
    rate = float(weight[cell].sum() / weight[base].sum())
    ends = wilson(rate, effective_size(weight[base]), quantile)
    return dict(zip(names, (rate, *ends), strict=True))
