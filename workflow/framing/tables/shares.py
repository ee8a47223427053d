"""Result tables T4 to T6, one function a table.

Every table has one row an observation and a column ``status`` that is empty or says why cells are.
Numbers come back rounded far below what is printed, so that the last bits of a sum, which differ
between processors, never decide how a number is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd

from framing.coding.codings import labels_by_coder
from framing.coding.combinations import combined_codes
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
from framing.inference.design import (
    CORPUS,
    TARGETS,
    TEXTS,
    Domain,
    Floats,
    Population,
    domain,
    population,
)
from framing.inference.estimator import COMPLETE, frame_note
from framing.inference.estimators import CORRECTED, ESTIMATORS, estimate
from framing.inference.intervals import (
    Settings,
    is_zero,
)
from framing.inference.outcomes import Outcome, by_code, outcome, relabelled
from framing.inference.share_intervals import share_ends, share_value
from framing.tables.agreement import agreement_table

__all__ = [
    "agreement_table",
    "contrast_table",
    "prevalence_table",
    "share_row",
    "trend_table",
]

_GUARD = 12  # decimals kept: six are printed
_INTERVAL = ("estimate", "se", "ci_low", "ci_high", "status")
_SHARE = ("passages", "coded", "unread", "positives")
CODERS = ("coder_low", "coder_high")
"""Ends of the interval that also covers who coded (:func:`with_coders`)."""
T4_COLUMNS = (
    "code", "group", "estimator", "target", *_SHARE, *_INTERVAL[:-1], *CODERS, "status",
)  # fmt: skip
T5_COLUMNS = ("code", "group", "period", "estimator", "target", *_SHARE, *_INTERVAL)
RAW, HELD = "raw", "period held"
T6_COLUMNS = (
    "contrast", "thesis", "code_a", "group_a", "period_a", "code_b", "group_b", "period_b",
    "estimator", "target", "basis", "estimate_a", "estimate_b", "difference", "se", "ci_low",
    "ci_high", *CODERS, "p_value", "p_holm", "ratio", "ratio_low", "ratio_high", "expected",
    "verdict", "reading", "status",
)  # fmt: skip

TRUNCATED = "estimate outside 0 to 1, cut to the limit"
FEW = "fewer than {} coded passages: the interval says little"
NOTHING_TO_HOLD = "both sides are of the same texts: there is no period to hold"
ONE_PERIOD = "each side names its period: there is none to hold"
NO_COMMON_PERIOD = "no period in which both sides can be estimated"
PERIODS = "periods held: {}"


def prevalence_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    codings: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return T4-prevalence: share of passages carrying each code, by group and in all.

    ``passages`` is the passage frame, ``scores`` the long scores table (its codes and their order
    are taken over), ``config`` the configuration, ``codings`` what every coder said (``passage_id
    coder code value``), for the interval that covers who coded; without them it is left out.
    Columns: :data:`T4_COLUMNS`. Raises :class:`InputError` where the design or the codes contradict
    the frame.
    """
    cells = [(group, ALL) for group in [ALL, *config["groups"]]]
    table = _shares(passages, scores, config, cells, codings).drop(columns="period")
    return settled(table[list(T4_COLUMNS)])


def trend_table(
    passages: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T5-trend: the same by group and period, with totals; columns :data:`T5_COLUMNS`."""
    periods = [ALL, *(period["id"] for period in config["periods"]), config["undated"]]
    cells = [(group, period) for group in [ALL, *config["groups"]] for period in periods]
    return settled(_shares(passages, scores, config, cells)[list(T5_COLUMNS)])


def _shares(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    cells: Sequence[tuple[str, str]],
    codings: pd.DataFrame | None = None,
) -> pd.DataFrame:
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    domains = {cell: by_target(frame, *cell) for cell in cells}
    rows = []
    coders = codes_alone(frame, codings, config)
    for data in _outcomes(frame, scores, settings):
        alone = [relabelled(frame, data, of[data.code], settings) for of in coders]
        for cell in cells:
            for name in ESTIMATORS:
                found = estimates(name, frame, domains[cell], data, settings)
                others = [
                    estimates(name, frame, domains[cell], one, settings)
                    for one in (alone if name in CORRECTED else [])
                ]
                for target, part in domains[cell].items():
                    made = share_row(frame, found[target], part, target, settings)
                    said = [share_row(frame, one[target], part, target, settings) for one in others]
                    keys = {"code": data.code, "group": cell[0], "period": cell[1]}
                    keys |= {"estimator": name, "target": target}
                    rows.append(keys | made | with_coders(made, said))
    columns = list(dict.fromkeys((*T5_COLUMNS, *T4_COLUMNS)))
    return pd.DataFrame(rows, columns=columns).astype({"positives": "Int64"})


def by_target(frame: Population, group: str = ALL, period: str = ALL) -> dict[str, Domain]:
    """Return a domain by target: the case study is no instance of texts like these."""
    part = domain(frame, group, period, CORPUS)
    has_case = frame.case is not None and bool(frame.case[part.rows].any())
    return {CORPUS: part, TEXTS: domain(frame, group, period, TEXTS) if has_case else part}


def estimates(
    name: str, frame: Population, parts: Mapping[str, Domain], data: Outcome, settings: Settings
) -> dict[str, Estimate]:
    """Return the estimate by target; ``parts`` are domains by target, mostly the same one."""
    made = {id(part): estimate(name, frame, part, data, settings) for part in parts.values()}
    return {target: made[id(part)] for target, part in parts.items()}


def with_coders(row: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the ends of the interval that also covers who coded.

    ``row`` and ``others`` have ``ci_low ci_high``, of the combined code and of each coder's alone:
    the envelope of their intervals (Leamer 1985). NaN where the row has no interval itself, and
    where no coder's codes alone are given.
    """
    if row["ci_low"] != row["ci_low"] or not others:
        return dict.fromkeys(CODERS, nan)
    ends = [one for one in (row, *others) if one["ci_low"] == one["ci_low"]]
    return {
        CODERS[0]: min(one["ci_low"] for one in ends),
        CODERS[1]: max(one["ci_high"] for one in ends),
    }


def codes_alone(
    frame: Population, codings: pd.DataFrame | None, config: Mapping[str, Any]
) -> list[dict[str, Floats]]:
    """Return what each coder said who coded every drawn passage: by code, (n,) 0/1.

    Combinations of codes are made from the coder's own. None where there is one such coder, where
    one is the standard by which others are measured, or where the configuration wants none.
    """
    if codings is None or config["inference"]["coder_interval"] == "none":
        return []
    drawn = frame.passages[frame.drawn]
    whole = []
    for own in labels_by_coder(codings, config["coders"]).values():
        wide = own.pivot(index="passage_id", columns="code", values="label").reindex(
            index=drawn, columns=codings["code"].unique()
        )
        if wide.notna().all(axis=None):
            whole.append({str(code): wide[code].to_numpy(dtype=float) for code in wide})
    if len(whole) < 2:
        return []
    return [combined_codes(of, config["combinations"]) for of in whole]


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


def share_row(
    frame: Population, found: Estimate, part: Domain, target: str, settings: Settings
) -> dict[str, Any]:
    """Return the cells of an estimate, ``passages`` to ``status`` of :data:`T5_COLUMNS`.

    Cells that cannot be given are missing, and the status says why. Under ``corpus`` an interval is
    one of the share among passages that are not known, brought back to the whole domain.
    """
    row = {
        "passages": len(part.rows) or len(part.outside),
        "coded": len(part.coded),
        "unread": int(frame.unread[part.coded].sum()),
        "positives": found.positives if found.coded else pd.NA,
    }
    empty = dict.fromkeys(("estimate", "se", "ci_low", "ci_high"), nan)
    if target in found.missing:
        return row | empty | {"status": found.missing[target]}
    value = share_value(found)
    notes = [found.note] if found.note else []
    if not is_zero(value - found.value):
        notes.append(TRUNCATED)
    # Known passages leave nothing to chance: the interval rests on the others.
    behind = found.chance.coded if target == CORPUS else found.coded
    if behind < settings.few_coded and not (found.complete and target == CORPUS):
        notes.append(FEW.format(settings.few_coded))
    if target in found.barred:
        status = "; ".join([*notes, found.barred[target]])
        return row | empty | {"estimate": value, "status": status}
    if found.complete and target == CORPUS:
        exact = {"estimate": value, "se": 0.0, "ci_low": value, "ci_high": value}
        return row | exact | {"status": frame_note(len(part.outside), COMPLETE)}
    se = sqrt(found.variance[target])
    ends = share_ends(found, target, settings.confidence, settings.wilson_below)
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
    codings: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return T6-contrasts: the configured differences by each estimator that uses codes.

    Each stands raw and with the period held (:func:`framing.inference.contrasts.standardised`).
    ``labels`` maps codes and combinations to how a reader knows them, ``codings`` are as in
    :func:`prevalence_table`. ``p_holm`` is adjusted for the number of contrasts, each estimator,
    target and basis apart, and the verdict goes by it. Columns: :data:`T6_COLUMNS`. Raises
    :class:`InputError` as :func:`prevalence_table` does.
    """
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    needed = {side["code"] for entry in config["contrasts"] for side in (entry["a"], entry["b"])}
    data = {found.code: found for found in _outcomes(frame, scores, settings, needed)}
    coders = codes_alone(frame, codings, config)
    alone = {
        code: [relabelled(frame, one, of[code], settings) for of in coders]
        for code, one in data.items()
    }
    decimals = int(config["report"]["decimals"])
    rows: list[dict[str, Any]] = []
    found: list[Contrast] = []
    for entry in config["contrasts"]:
        sides = [_side(entry[name]) for name in ("a", "b")]
        # Every coder's codes alone after the combined ones: as many on both sides.
        said = [[data[side["code"]], *alone[side["code"]]] for side in sides]
        names = (side_name(sides[0], config, labels), side_name(sides[1], config, labels))
        for name, target, basis in product(CORRECTED, TARGETS, (RAW, HELD)):
            made = [
                _compared(frame, sides, pair, name, target, basis, config, settings)
                for pair in zip(*said, strict=True)
            ]
            (a, b), one, note = made[0]
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
                **dict(zip(("ratio", "ratio_low", "ratio_high"),
                           ratio(a, b, target, settings.confidence), strict=True)),
                "expected": entry["expected"],
                "reading": reading(one, *names, decimals),
                "status": "; ".join(filter(None, (note, one.status))),
            }  # fmt: skip
            rows.append(
                row | with_coders(row, [_contrast_cells(other) for _, other, _ in made[1:]])
            )
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
