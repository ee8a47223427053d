"""T19: do codes go together in a passage, more often than chance would bring them together?

For every pair of codes the shares of passages that carry both, one, the other and neither are
estimated from the coded sample (Hájek), and from them the odds ratio and the lift against
independence, with intervals on the log scale by the delta method between sources::

    log OR = log(p11 p00 / (p10 p01)),  d = d11/p11 + d00/p00 − d10/p10 − d01/p01

(Agresti 2013, ch. 3.1; linearised for a cluster design: Rao & Scott 1984).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from math import exp, log, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd

from framing.common.config import ALL
from framing.inference.design import Bools, Population, domain, population
from framing.inference.intervals import Settings, critical, is_zero, two_sided_p
from framing.inference.outcomes import aligned, by_code
from framing.tables.errors import Ratio, weighted_mean

T19_COLUMNS = (
    "code_a", "code_b", "group", "passages", "sources", "both", "only_a", "only_b", "neither",
    "expected_both", "lift", "odds_ratio", "or_low", "or_high", "p_value", "reading", "status",
)  # fmt: skip
TOGETHER, APART, UNDECIDED = "together more than by chance", "together less than by chance", (
    "not distinguishable from chance"
)  # fmt: skip
NO_CODED = "undefined: no coded passage"
ONE_SOURCE = "no interval: coded passages of one source only"
EMPTY_CELL = "undefined: no coded passage carries {}"
CELLS = ("both codes", "the first code alone", "the second code alone", "neither code")


def association_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    codes: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return T19-association: co-occurrence of every pair of codes, by group and in all.

    ``passages`` is the passage frame, ``scores`` the codes' scores (their ``label`` counts), of
    which only ``codes`` are asked about, or all.
    Columns: :data:`T19_COLUMNS`; an odds ratio with an empty cell is undefined, and the status says
    which.
    """
    settings, frame = Settings.of(config), population(passages)
    labels = {
        code: aligned(frame, part, code)["label"]
        .iloc[frame.drawn]
        .to_numpy(dtype=float, na_value=nan)
        for code, part in by_code(scores)
        if codes is None or code in codes
    }
    rows = []
    for a, b in combinations(labels, 2):
        for group in [ALL, *config["groups"]]:
            inside = np.zeros(len(frame.drawn), dtype=bool)
            inside[domain(frame, group).coded] = True
            inside &= ~np.isnan(labels[a]) & ~np.isnan(labels[b])
            cells = {"code_a": a, "code_b": b, "group": group}
            rows.append(cells | _row(frame, labels[a] == 1, labels[b] == 1, inside, settings))
    table = pd.DataFrame(rows, columns=list(T19_COLUMNS))
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(12) + 0.0 for name in floats})


def _row(
    frame: Population, a: Bools, b: Bools, inside: Bools, settings: Settings
) -> dict[str, Any]:
    found = [
        weighted_mean(frame, inside, cell.astype(float), settings)
        for cell in (a & b, a & ~b, ~a & b, ~a & ~b)
    ]  # fmt: skip
    shares = [ratio.value for ratio in found]
    row: dict[str, Any] = {
        "passages": found[0].passages, "sources": found[0].sources,
        **dict(zip(("both", "only_a", "only_b", "neither"), shares, strict=True)),
        "expected_both": nan, "lift": nan, "odds_ratio": nan, "or_low": nan, "or_high": nan,
        "p_value": nan, "reading": "", "status": "",
    }  # fmt: skip
    if not found[0].passages:
        return row | {"status": NO_CODED}
    expected = (shares[0] + shares[1]) * (shares[0] + shares[2])
    row["expected_both"] = expected
    row["lift"] = shares[0] / expected if expected > 0 else nan
    empty = [name for name, share in zip(CELLS, shares, strict=True) if is_zero(share)]
    if empty:
        return row | {"status": EMPTY_CELL.format(", none ".join(empty))}
    odds = log(shares[0] * shares[3] / (shares[1] * shares[2]))
    row["odds_ratio"] = exp(odds)
    if found[0].sources < 2:
        return row | {"status": ONE_SOURCE}
    return row | _interval(found, odds, settings)


def _interval(found: list[Ratio], odds: float, settings: Settings) -> dict[str, Any]:
    both, first, second, neither = (ratio.deviations / ratio.value for ratio in found)
    se = sqrt(float(np.square(both + neither - first - second).sum()))
    df = found[0].df
    if is_zero(se):
        return {"status": "no interval: codes do not vary between sources"}
    half = critical(settings.confidence, df) * se
    low, high = exp(odds - half), exp(odds + half)
    reading = TOGETHER if low > 1 else APART if high < 1 else UNDECIDED
    return {
        "or_low": low, "or_high": high, "p_value": two_sided_p(odds, se, df), "reading": reading,
    }  # fmt: skip
