"""Result tables T4 and T5: shares by group, and by group and period.

Every table has one row an observation and a column ``status`` that is empty or says why cells are.
Numbers come back rounded far below what is printed, so that the last bits of a sum, which differ
between processors, never decide how a number is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan, sqrt
from typing import Any

import pandas as pd

from framing.coding.codings import labels_by_coder
from framing.coding.combinations import combined_codes
from framing.common.config import ALL
from framing.inference.corrected import Estimate
from framing.inference.design import (
    CORPUS,
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
from framing.inference.outcomes import Outcome, outcomes, relabelled
from framing.inference.share_intervals import share_ends, share_value

_GUARD = 12  # decimals kept: six are printed
_INTERVAL = ("estimate", "se", "ci_low", "ci_high", "status")
_SHARE = ("passages", "coded", "unread", "positives")
CODERS = ("coder_low", "coder_high")
"""Ends of the interval that also covers who coded (:func:`with_coders`)."""
T4_COLUMNS = (
    "code", "group", "estimator", "target", *_SHARE, *_INTERVAL[:-1], *CODERS, "status",
)  # fmt: skip
T5_COLUMNS = ("code", "group", "period", "estimator", "target", *_SHARE, *_INTERVAL)

TRUNCATED = "estimate outside 0 to 1, cut to the limit"
FEW = "fewer than {} coded passages: the interval says little"


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
    for data in outcomes(frame, scores, settings):
        alone = [relabelled(frame, data, of, settings) for of in coders]
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
