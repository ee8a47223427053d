"""T2-agreement: who agrees with whom, by code and group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.config import ALL
from framing.inference.agreement import (
    PERFECT,
    alpha_of,
    bootstrap_interval,
    cluster_jackknife,
    coincidences,
    percent_agreement,
)
from framing.inference.design import Bools, Floats, Ints
from framing.inference.intervals import DECIMALS
from framing.inference.kappas import cohen_kappa, fleiss_kappa, gwet_ac1

ALL_CODERS = "all coders"
ALL_BUT_ONE = "all coders but one"
PAIR = "pair of coders"
WITH_CLASSIFIER = "coder and classifier"
COMBINED = "combined code and classifier"
CLASSIFIER_NAME, COMBINED_NAME = "classifier", "combined"
ONE_CODER = "undefined: one coder"
NO_CODER = "undefined: no coder"
T2_COLUMNS = (
    "code", "comparison", "group", "coders", "passages", "agreement", "alpha", "alpha_low",
    "alpha_high", "jackknife_low", "jackknife_high", "kappa", "ac1", "status",
)  # fmt: skip
_NUMBERS = T2_COLUMNS[5:-1]


@dataclass(frozen=True)
class Codes:
    """What everybody said of the coded passages, for one code.

    ``rows`` has a row (passages,) for every coder, the combined code and the classifier's decision,
    NaN where one said nothing. ``source`` numbers the passages' sources, ``group`` holds their
    groups.
    """

    coders: Sequence[str]
    rows: Mapping[str, Floats]
    source: Ints
    group: np.ndarray


def agreement_table(
    passages: pd.DataFrame, codings: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T2-agreement: percent agreement, nominal alpha with two intervals, kappa and AC1.

    ``passages`` is the passage frame, ``codings`` the long codings (``passage_id coder code
    value``), ``scores`` the scores of the codes to compare (their order is taken over). The
    interval resamples sources, ``agreement.draws`` times from ``agreement.seed``; the jackknife's
    leaves each source out. Kappa is Cohen's for two, Fleiss' for more. Columns:
    :data:`T2_COLUMNS`. With one coder, fewer passages than ``agreement.minimum_units`` or codes
    without variation the cells are empty and the status says so.
    """
    rows = []
    for code in scores["code"].drop_duplicates():
        data = _codes(passages, codings, scores, code)
        for comparison, names in comparisons(data.coders):
            for group in [ALL, *config["groups"]]:
                member = np.ones(len(data.source), dtype=bool)
                if group != ALL:
                    member = data.group == group
                rows.append(
                    {
                        "code": code,
                        "comparison": comparison,
                        "group": group,
                        "coders": " ".join(names),
                        **_agreement(data, names, member, config),
                    }
                )
    frame = pd.DataFrame(rows, columns=list(T2_COLUMNS))
    return frame.assign(**{name: frame[name].round(12) + 0.0 for name in _NUMBERS})


def comparisons(coders: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield who is compared with whom: kind of comparison, names."""
    yield ALL_CODERS, tuple(coders)
    if len(coders) > 2:
        for coder in coders:
            yield ALL_BUT_ONE, tuple(name for name in coders if name != coder)
    for pair in combinations(coders, 2):
        yield PAIR, pair
    for coder in coders:
        yield WITH_CLASSIFIER, (coder, CLASSIFIER_NAME)
    yield COMBINED, (COMBINED_NAME, CLASSIFIER_NAME)


def _codes(passages: pd.DataFrame, codings: pd.DataFrame, scores: pd.DataFrame, code: str) -> Codes:
    own = codings[codings["code"] == code]
    score = scores[scores["code"] == code].set_index("passage_id")
    coded = score.index[score["label"].notna()]
    ids = pd.Index(pd.unique(pd.concat([own["passage_id"], coded.to_series()])))
    frame = passages.set_index("passage_id").loc[ids]
    wide = own.pivot(index="passage_id", columns="coder", values="value").reindex(ids)
    coders = sorted(str(name) for name in wide.columns)
    rows = {name: wide[name].to_numpy(dtype=float, na_value=np.nan) for name in coders}
    rows[COMBINED_NAME] = score.loc[ids, "label"].to_numpy(dtype=float, na_value=np.nan)
    rows[CLASSIFIER_NAME] = score.loc[ids, "decision"].to_numpy(dtype=float, na_value=np.nan)
    source, _ = pd.factorize(frame["source_id"], sort=True)
    return Codes(coders, rows, source.astype(np.int64), frame["group"].to_numpy(dtype=object))


def _agreement(
    data: Codes, names: Sequence[str], member: Bools, config: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the cells of one row; see :func:`agreement_table`."""
    settings = config["agreement"]
    empty: dict[str, Any] = dict.fromkeys(_NUMBERS, nan)
    if len(names) < 2:
        number = int((~np.isnan(data.rows[names[0]][member])).sum()) if names else 0
        return {"passages": number, **empty, "status": ONE_CODER if names else NO_CODER}
    table = np.stack([data.rows[name][member] for name in names])
    number = int(((~np.isnan(table)).sum(axis=0) >= 2).sum())
    if number < settings["minimum_units"]:
        status = f"undefined: fewer than {settings['minimum_units']} passages"
        return {"passages": number, **empty, "status": status}
    matrices, values = coincidences(table)
    share = percent_agreement(table)
    found = alpha_of(matrices.sum(axis=0), values)
    cells = {"passages": number, **empty, "agreement": nan if share is None else share}
    if found.value is None:
        return {**cells, "status": found.reason}
    ends = bootstrap_interval(
        matrices, data.source[member], values, draws=settings["draws"], seed=settings["seed"],
        confidence=config["inference"]["confidence"],
    )  # fmt: skip
    status = ends.reason
    if share is not None and round(share, DECIMALS) == 1 and not status:
        status = PERFECT
    elif ends.undefined and not status:
        status = f"interval leaves out {ends.undefined} of {ends.draws} draws without variation"
    jackknife = cluster_jackknife(
        matrices, data.source[member], values, config["inference"]["confidence"]
    )
    kappa = cohen_kappa(table) if len(names) == 2 else fleiss_kappa(table)
    ac1 = gwet_ac1(table)
    return cells | {
        "alpha": found.value,
        "alpha_low": ends.low,
        "alpha_high": ends.high,
        "jackknife_low": jackknife[0] if jackknife else nan,
        "jackknife_high": jackknife[1] if jackknife else nan,
        "kappa": nan if kappa.value is None else kappa.value,
        "ac1": nan if ac1.value is None else ac1.value,
        "status": status,
    }
