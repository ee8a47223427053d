"""T27-level-agreement: who agrees with whom on codes with several levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.coding.variables import Variable
from framing.common.config import ALL
from framing.inference.agreement import (
    NOMINAL,
    ORDINAL,
    alpha_of,
    bootstrap_interval,
    clusters_with_pairs,
    coincidences,
    percent_agreement,
)
from framing.inference.design import Floats
from framing.inference.kappas import fleiss_kappa, weighted_kappa
from framing.tables.agreement import (
    FEW_SOURCES,
    NO_CODER,
    ONE_CODER,
    Codes,
    comparisons,
    said_of,
    standard_of,
)
from framing.tables.shares import settled

_NUMBERS = ("agreement", "alpha", "alpha_low", "alpha_high", "kappa", "kappa_linear",
            "kappa_quadratic")  # fmt: skip
T27_COLUMNS = (
    "code", "comparison", "group", "coders", "metric", "passages", "sources", *_NUMBERS, "status",
)  # fmt: skip


def level_agreement_table(
    passages: pd.DataFrame,
    codings: pd.DataFrame,
    scores: pd.DataFrame,
    variables: Sequence[Variable],
    config: Mapping[str, Any],
) -> pd.DataFrame:
    """Return T27-level-agreement: agreement on the level, for every code with several levels.

    Krippendorff's alpha, nominal of categories and ordinal of ordered levels, with the interval
    from drawing sources anew; Cohen's kappa of two (Fleiss' of more), and of two coders of ordered
    levels weighted kappa with linear and quadratic weights (Cohen 1968). Passages count by the
    frame's ``weight``. Arguments are those of
    :func:`framing.tables.agreement.agreement_table`, ``codings`` and ``scores`` of indicators;
    ``variables`` are the codes. Columns: :data:`T27_COLUMNS`.
    """
    rows = []
    standard = standard_of(config)
    for variable in variables:
        if variable.kind.present:
            continue
        data = _levels(passages, codings, scores, variable)
        metric = ORDINAL if variable.kind.ordered else NOMINAL
        for comparison, names in comparisons(data.coders, standard):
            for group in [ALL, *config["groups"]]:
                member = np.ones(len(data.source), dtype=bool)
                if group != ALL:
                    member = data.group == group
                rows.append(
                    {"code": variable.name, "comparison": comparison, "group": group}
                    | {"coders": " ".join(names), "metric": metric}
                    | _agreement(data, names, member, variable, metric, config)
                )
    table = pd.DataFrame(rows, columns=list(T27_COLUMNS)).astype({"sources": "Int64"})
    return settled(table.astype(dict.fromkeys(_NUMBERS, "float64")))


def _levels(
    passages: pd.DataFrame, codings: pd.DataFrame, scores: pd.DataFrame, variable: Variable
) -> Codes:
    """Return what everybody said, as positions of levels, from what was said of indicators."""
    parts = [said_of(passages, codings, scores, name) for name in variable.indicators]
    rows: dict[str, Floats] = {}
    for name in parts[0].rows:
        table = np.stack([part.rows[name] for part in parts])
        rows[name] = np.array(variable.places, dtype=float) @ table
    return replace(parts[0], rows=rows)


def _agreement(
    data: Codes,
    names: Sequence[str],
    member: np.ndarray,
    variable: Variable,
    metric: str,
    config: Mapping[str, Any],
) -> dict[str, Any]:
    settings = config["agreement"]
    empty: dict[str, Any] = {"sources": pd.NA, **dict.fromkeys(_NUMBERS, nan)}
    if len(names) < 2:
        number = int((~np.isnan(data.rows[names[0]][member])).sum()) if names else 0
        return {"passages": number, **empty, "status": ONE_CODER if names else NO_CODER}
    table = np.stack([data.rows[name][member] for name in names])
    weight, source = data.weight[member], data.source[member]
    number = int(((~np.isnan(table)).sum(axis=0) >= 2).sum())
    if number < settings["minimum_units"]:
        status = f"undefined: fewer than {settings['minimum_units']} passages"
        return {"passages": number, **empty, "status": status}
    matrices, values = coincidences(table, weight)
    sources = clusters_with_pairs(matrices, source)
    share, found = percent_agreement(table, weight), alpha_of(matrices.sum(axis=0), values, metric)
    cells = {"passages": number, **empty, "sources": sources}
    cells["agreement"] = nan if share is None else share
    if found.value is None:
        return {**cells, "status": found.reason}
    cells |= {"alpha": found.value, "status": ""}
    if sources >= settings["minimum_sources"]:
        ends = bootstrap_interval(
            matrices, source, values, draws=settings["draws"], seed=settings["seed"],
            confidence=config["inference"]["confidence"], level=metric,
        )  # fmt: skip
        cells |= {"alpha_low": ends.low, "alpha_high": ends.high, "status": ends.reason}
    else:
        cells["status"] = FEW_SOURCES.format(sources, settings["minimum_sources"])
    return cells | _kappas(table, weight, source, variable)


def _kappas(
    table: Floats, weight: Floats, source: np.ndarray, variable: Variable
) -> dict[str, float]:
    """Return kappa, and of two coders of ordered levels the weighted ones, by their numbers."""
    values = np.array(variable.places, dtype=float)
    if variable.kind.ordered:
        values = np.array(variable.numbers)
        coded = ~np.isnan(table)
        table = table.copy()
        table[coded] = values[table[coded].astype(int)]
    if len(table) > 2:
        one = fleiss_kappa(table, weight=weight, cluster=source)
        return {"kappa": nan if one.value is None else one.value}
    forms = {"kappa": NOMINAL}
    if variable.kind.ordered:
        forms |= {"kappa_linear": "linear", "kappa_quadratic": "quadratic"}
    found = {}
    for name, form in forms.items():
        one = weighted_kappa(table, form, weight=weight, cluster=source, values=values)
        found[name] = nan if one.value is None else one.value
    return found
