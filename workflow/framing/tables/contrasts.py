"""T6-contrasts: the configured differences of shares, raw and with the period held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.coding.variables import Variable
from framing.common.config import ALL
from framing.inference.contrasts import (
    Contrast,
    adjusted_verdict,
    contrast,
    holm,
    ratio,
    reading,
    standardised,
)
from framing.inference.corrected import Estimate
from framing.inference.design import TARGETS, TEXTS, Floats, Population, domain, population
from framing.inference.estimators import CORRECTED, estimate
from framing.inference.intervals import Settings
from framing.inference.means import Scale, mean_outcome
from framing.inference.outcomes import Outcome, outcomes, relabelled
from framing.tables.shares import CODERS, codes_alone, settled, with_coders

RAW, HELD = "raw", "period held"
T6_COLUMNS = (
    "contrast", "thesis", "code_a", "group_a", "period_a", "code_b", "group_b", "period_b",
    "estimator", "target", "basis", "estimate_a", "estimate_b", "difference", "se", "ci_low",
    "ci_high", *CODERS, "p_value", "p_holm", "ratio", "ratio_low", "ratio_high", "expected",
    "verdict", "reading", "status",
)  # fmt: skip
NOTHING_TO_HOLD = "both sides are of the same texts: there is no period to hold"
ONE_PERIOD = "each side names its period: there is none to hold"
NO_COMMON_PERIOD = "no period in which both sides can be estimated"
PERIODS = "periods held: {}"
MEANS = "means of levels, by the numbers that the codebook gives them"


def contrast_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    labels: Mapping[str, str],
    codings: pd.DataFrame | None = None,
    variables: Sequence[Variable] = (),
) -> pd.DataFrame:
    """Return T6-contrasts: the configured differences by each estimator that uses codes.

    Each stands raw and with the period held (:func:`framing.inference.contrasts.standardised`).
    ``labels`` maps codes and combinations to how a reader knows them, ``codings`` are as in
    :func:`framing.tables.shares.prevalence_table`. ``p_holm`` is adjusted for the number of
    contrasts, each estimator, target and basis apart, and the verdict goes by it. A side that names
    an ordinal code of ``variables`` is its mean level (:mod:`framing.inference.means`), and the
    other side then is, too; the status says so. Columns:
    :data:`T6_COLUMNS`. Raises :class:`InputError` as
    :func:`framing.tables.shares.prevalence_table` does.
    """
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    needed = {side["code"] for entry in config["contrasts"] for side in (entry["a"], entry["b"])}
    means = {one.name: one for one in variables if one.kind.ordered and one.name in needed}
    needed |= {name for one in means.values() for name in one.indicators}
    data = {found.code: found for found in outcomes(frame, scores, settings, needed)}
    coders = codes_alone(frame, codings, config)
    alone = {
        code: [relabelled(frame, one, of, settings) for of in coders] for code, one in data.items()
    }
    for code, variable in means.items():
        data[code] = mean_outcome(variable, [data[name] for name in variable.indicators])
        by_coder = zip(*(alone[name] for name in variable.indicators), strict=True)
        alone[code] = [mean_outcome(variable, own) for own in by_coder]
    decimals = int(config["report"]["decimals"])
    rows: list[dict[str, Any]] = []
    found: list[Contrast] = []
    for entry in config["contrasts"]:
        sides = [_side(entry[name]) for name in ("a", "b")]
        # Every coder's codes alone after the combined ones: as many on both sides.
        said = [[data[side["code"]], *alone[side["code"]]] for side in sides]
        names = (side_name(sides[0], config, labels), side_name(sides[1], config, labels))
        scale = Scale.of(means[sides[0]["code"]]) if sides[0]["code"] in means else None
        for name, target, basis in product(CORRECTED, TARGETS, (RAW, HELD)):
            made = [
                _compared(frame, sides, pair, name, target, basis, config, settings)
                for pair in zip(*said, strict=True)
            ]
            (a, b), one, note = made[0]
            ratios = ratio(a, b, target, settings.confidence)
            said_alone = [other for _, other, _ in made[1:]]
            if scale is not None:
                one, said_alone = scale.contrast(one), list(map(scale.contrast, said_alone))
                # A ratio of means depends on where the numbers of levels begin.
                ratios, note = (nan, nan, nan), "; ".join(filter(None, (MEANS, note)))
            found.append(one)
            row = {
                "contrast": entry["id"],
                "thesis": entry["thesis"],
                **{f"{key}_a": value for key, value in sides[0].items()},
                **{f"{key}_b": value for key, value in sides[1].items()},
                "estimator": name,
                "target": target,
                "basis": basis,
                **_contrast_cells(one),
                **dict(zip(("ratio", "ratio_low", "ratio_high"), ratios, strict=True)),
                "expected": entry["expected"],
                "reading": reading(one, *names, decimals),
                "status": "; ".join(filter(None, (note, one.status))),
            }  # fmt: skip
            rows.append(row | with_coders(row, list(map(_contrast_cells, said_alone))))
    table = pd.DataFrame(rows, columns=list(T6_COLUMNS))
    for _, part in table.groupby(["estimator", "target", "basis"], sort=False):
        table.loc[part.index, "p_holm"] = holm(list(part["p_value"]))
    table["verdict"] = [
        adjusted_verdict(one, row.expected, row.p_holm, settings.confidence)
        for one, row in zip(found, table.itertuples(index=False), strict=True)
    ]
    return settled(table.astype({"p_holm": "float64"}))


def _contrast_cells(found: Contrast) -> dict[str, Any]:
    return {
        "estimate_a": found.estimate_a,
        "estimate_b": found.estimate_b,
        "difference": found.difference,
        "se": found.se,
        "ci_low": found.low,
        "ci_high": found.high,
        "p_value": found.p_value,
    }


def _compared(
    frame: Population,
    sides: Sequence[Mapping[str, str]],
    data: Sequence[Outcome],
    name: str,
    target: str,
    basis: str,
    config: Mapping[str, Any],
    settings: Settings,
) -> tuple[tuple[Estimate, Estimate], Contrast, str]:
    """Return both sides' estimates, their contrast, and a remark on how the period is held."""
    cells = [
        estimate(name, frame, domain(frame, side["group"], side["period"], target), one, settings)
        for side, one in zip(sides, data, strict=True)
    ]
    raw = (cells[0], cells[1])
    note = ""
    if basis == HELD:
        if sides[0]["group"] == sides[1]["group"] and sides[0]["period"] == sides[1]["period"]:
            note = NOTHING_TO_HOLD
        elif any(side["period"] != ALL for side in sides):
            note = ONE_PERIOD
        else:
            # Sources of a group are the same in all its periods: so are its degrees of freedom.
            free = [side.df[target] if target == TEXTS and side.df else nan for side in raw]
            held, note = _held(frame, sides, data, name, target, config, settings, free)
            if held is None:
                gone = Contrast(nan, nan, nan, nan, nan, nan, nan, NO_COMMON_PERIOD)
                return raw, gone, ""
            return held, contrast(*held, target, settings.confidence), note
    return raw, contrast(*raw, target, settings.confidence), note


def _held(
    frame: Population,
    sides: Sequence[Mapping[str, str]],
    data: Sequence[Outcome],
    name: str,
    target: str,
    config: Mapping[str, Any],
    settings: Settings,
    free: Sequence[float],
) -> tuple[tuple[Estimate, Estimate] | None, str]:
    """Return both sides standardised over the periods that both have, and which these are.

    ``free`` are the sides' degrees of freedom, NaN where they follow from the periods.
    """
    plan = config["standardisation"]
    cells, sizes, kept = [], [], []
    for period in (one["id"] for one in config["periods"]):
        parts = [domain(frame, side["group"], period, target) for side in sides]
        if any(len(part.coded) < plan["minimum"] for part in parts):
            continue
        found = [
            estimate(name, frame, part, one, settings)
            for part, one in zip(parts, data, strict=True)
        ]
        if any(target in one.missing or target in one.barred for one in found):
            continue
        cells.append(found)
        sizes.append([len(part.rows) for part in parts])
        kept.append(period)
    if not kept:
        return None, ""
    weights = period_weights(np.array(sizes, dtype=float), plan["weights"])
    held = [
        standardised(
            [cell[place] for cell in cells], weights, target, settings.confidence, free[place]
        )
        for place in (0, 1)
    ]
    said = ", ".join(f"{k} ({w:.2f})" for k, w in zip(kept, weights, strict=True))
    return (held[0], held[1]), PERIODS.format(said)


def period_weights(sizes: Floats, rule: str) -> list[float]:
    """Return the weights of periods (k,), which add up to 1, from both sides' passages (k, 2).

    ``rule``: ``pooled`` (the periods' parts in the passages of both sides together), ``a`` or ``b``
    (in those of one side), ``equal``.
    """
    given = {
        "pooled": sizes.sum(axis=1), "a": sizes[:, 0], "b": sizes[:, 1],
        "equal": np.ones(len(sizes)),
    }[rule]  # fmt: skip
    return [float(value) for value in given / given.sum()]


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
