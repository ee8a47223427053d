"""Result tables of the inference room: T2 to T6, one function a table.

Every table has one row an observation and a column ``status`` that is empty or says why cells are.
Numbers come back rounded far below what is printed, so that the last bits of a sum, which differ
between processors, never decide how a number is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import nan, sqrt
from typing import Any

import pandas as pd

from framing.config import ALL
from framing.inference.contrasts import bounded, contrast, holm, ratio, reading, verdict
from framing.inference.design import CORPUS, TARGETS, Domain, Population, domain, population
from framing.inference.estimators import (
    COMPLETE,
    CORRECTED,
    ESTIMATORS,
    Estimate,
    estimate,
    frame_note,
)
from framing.inference.intervals import Settings, critical, is_zero, share_interval
from framing.inference.outcomes import Outcome, by_code, outcome
from framing.inference.reliability import agreement_table

__all__ = [
    "agreement_table",
    "contrast_table",
    "estimate_row",
    "prevalence_table",
    "trend_table",
]

_GUARD = 12  # decimals kept: six are printed
_INTERVAL = ("estimate", "se", "ci_low", "ci_high", "status")
T4_COLUMNS = ("code", "group", "estimator", "target", "passages", "coded", "positives", *_INTERVAL)
T5_COLUMNS = (*T4_COLUMNS[:2], "period", *T4_COLUMNS[2:])
T6_COLUMNS = (
    "contrast", "thesis", "code_a", "group_a", "period_a", "code_b", "group_b", "period_b",
    "estimator", "target", "estimate_a", "estimate_b", "difference", "se", "ci_low", "ci_high",
    "p_value", "p_holm", "ratio", "ratio_low", "ratio_high", "expected", "verdict", "reading",
    "status",
)  # fmt: skip

TRUNCATED = "estimate outside 0 to 1, cut to the limit"


def prevalence_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T4-prevalence: share of passages carrying each code, by group and in all.

    ``passages`` is the passage frame, ``scores`` the long scores table (its codes and their order
    are taken over), ``config`` the configuration. Columns: :data:`T4_COLUMNS`. Raises
    :class:`InputError` where the design or the codes contradict the frame.
    """
    cells = [(group, ALL) for group in [ALL, *config["groups"]]]
    return _shares(passages, scores, config, cells).drop(columns="period")[list(T4_COLUMNS)]


def trend_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T5-trend: the same by group and period, with totals; columns :data:`T5_COLUMNS`."""
    periods = [ALL, *(period["id"] for period in config["periods"]), config["undated"]]
    cells = [(group, period) for group in [ALL, *config["groups"]] for period in periods]
    return _shares(passages, scores, config, cells)[list(T5_COLUMNS)]


def _shares(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    cells: Sequence[tuple[str, str]],
) -> pd.DataFrame:
    settings, frame = Settings.of(config), population(passages)
    domains = {cell: domain(frame, *cell) for cell in cells}
    rows = [
        {"code": data.code, "group": group, "period": period, "estimator": name, "target": target}
        | estimate_row(found, part, target, settings.confidence, settings.wilson_below)
        for data in _outcomes(frame, scores, settings)
        for (group, period), part in domains.items()
        for name in ESTIMATORS
        for found in [estimate(name, frame, part, data, settings)]
        for target in TARGETS
    ]
    return settled(pd.DataFrame(rows, columns=list(T5_COLUMNS)).astype({"positives": "Int64"}))


def _outcomes(
    frame: Population,
    scores: pd.DataFrame,
    settings: Settings,
    codes: Collection[str] | None = None,
) -> Iterator[Outcome]:
    """Yield the outcomes of ``codes``, or of all, in the order of the scores table."""
    for code, part in by_code(scores):
        if codes is None or code in codes:
            yield outcome(frame, part, code, settings)


def estimate_row(
    found: Estimate, part: Domain, target: str, confidence: float, wilson_below: float
) -> dict[str, Any]:
    """Return the cells of an estimate, ``passages`` to ``status`` of :data:`T4_COLUMNS`.

    Cells that cannot be given are missing, and the status says why.
    """
    row = {
        "passages": len(part.rows) or len(part.outside),
        "coded": len(part.coded),
        "positives": found.positives if found.coded else pd.NA,
    }
    empty = dict.fromkeys(("estimate", "se", "ci_low", "ci_high"), nan)
    if target in found.missing:
        return row | empty | {"status": found.missing[target]}
    value = bounded(found.value)
    notes = [found.note] if found.note else []
    if not is_zero(value - found.value):
        notes.append(TRUNCATED)
    if target in found.barred:
        status = "; ".join([*notes, found.barred[target]])
        return row | empty | {"estimate": value, "status": status}
    if found.complete and target == CORPUS:
        exact = {"estimate": value, "se": 0.0, "ci_low": value, "ci_high": value}
        return row | exact | {"status": frame_note(len(part.outside), COMPLETE)}
    se = sqrt(found.variance[target])
    quantile = critical(confidence, found.df[target])
    ends = share_interval(
        value, se, coded=found.coded, effective=found.effective, reference=found.reference,
        quantile=quantile, wilson_below=wilson_below,
    )  # fmt: skip
    notes += [ends.remark] if ends.remark else []
    return row | {
        "estimate": value,
        "se": nan if is_zero(se) else se,
        "ci_low": ends.low,
        "ci_high": ends.high,
        "status": "; ".join(notes),
    }


def settled(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with floats rounded to :data:`_GUARD` places, without negative zeros."""
    floats = frame.select_dtypes("float").columns
    return frame.assign(**{name: frame[name].round(_GUARD) + 0.0 for name in floats})


# --- contrasts ------------------------------------------------------------------------------------


def contrast_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    labels: Mapping[str, str],
) -> pd.DataFrame:
    """Return T6-contrasts: the configured differences by each estimator that uses codes.

    ``labels`` maps codes and combinations to how a reader knows them. ``p_holm`` is adjusted for
    the number of contrasts, each estimator and target apart. Columns:
    :data:`T6_COLUMNS`. Raises :class:`InputError` as :func:`prevalence_table` does.
    """
    settings, frame = Settings.of(config), population(passages)
    needed = {side["code"] for entry in config["contrasts"] for side in (entry["a"], entry["b"])}
    data = {found.code: found for found in _outcomes(frame, scores, settings, needed)}
    decimals = int(config["report"]["decimals"])
    rows = []
    for entry in config["contrasts"]:
        sides = [_side(entry[name]) for name in ("a", "b")]
        domains = [domain(frame, side["group"], side["period"]) for side in sides]
        name_a, name_b = (side_name(side, config, labels) for side in sides)
        for name in CORRECTED:
            estimates = [
                estimate(name, frame, part, data[side["code"]], settings)
                for side, part in zip(sides, domains, strict=True)
            ]
            for target in TARGETS:
                found = contrast(estimates[0], estimates[1], target, settings.confidence)
                quotient = ratio(estimates[0], estimates[1], target, settings.confidence)
                rows.append(
                    {
                        "contrast": entry["id"],
                        "thesis": entry["thesis"],
                        **{f"{key}_a": value for key, value in sides[0].items()},
                        **{f"{key}_b": value for key, value in sides[1].items()},
                        "estimator": name,
                        "target": target,
                        "estimate_a": found.estimate_a,
                        "estimate_b": found.estimate_b,
                        "difference": found.difference,
                        "se": found.se,
                        "ci_low": found.low,
                        "ci_high": found.high,
                        "p_value": found.p_value,
                        "ratio": quotient[0],
                        "ratio_low": quotient[1],
                        "ratio_high": quotient[2],
                        "expected": entry["expected"],
                        "verdict": verdict(found, entry["expected"]),
                        "reading": reading(found, name_a, name_b, decimals),
                        "status": found.status,
                    }
                )
    table = pd.DataFrame(rows, columns=list(T6_COLUMNS))
    for _, part in table.groupby(["estimator", "target"], sort=False):
        table.loc[part.index, "p_holm"] = holm(list(part["p_value"]))
    return settled(table.astype({"p_holm": "float64"}))


def _side(entry: Mapping[str, str]) -> dict[str, str]:
    return {
        "code": entry["code"],
        "group": entry.get("group", ALL),
        "period": entry.get("period", ALL),
    }


def side_name(side: Mapping[str, str], config: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Return a side of a contrast in words: the code, and in brackets what it is limited to."""
    limits = [] if side["group"] == ALL else [config["groups"][side["group"]]]
    limits += [] if side["period"] == ALL else [side["period"]]
    code = labels.get(side["code"], side["code"])
    return f"{code} ({', '.join(limits)})" if limits else code
