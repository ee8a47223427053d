"""T2-agreement: who agrees with whom, by code and group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.codebook.kinds.kind import STANDARD
from framing.common.config import ALL
from framing.inference.agreement import (
    PERFECT,
    alpha_of,
    bootstrap_interval,
    cluster_jackknife,
    clusters_with_pairs,
    coincidences,
    percent_agreement,
)
from framing.inference.design import Bools, Floats, Ints
from framing.inference.intervals import DECIMALS, is_zero
from framing.inference.kappas import (
    Coefficient,
    brennan_prediger,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
)

ALL_CODERS = "all coders"
ALL_BUT_ONE = "all coders but one"
PAIR = "pair of coders"
AGAINST_STANDARD = "coder and standard"
WITH_CLASSIFIER = "coder and classifier"
COMBINED = "combined code and classifier"
CLASSIFIER_NAME, COMBINED_NAME = "classifier", "combined"
ONE_CODER = "undefined: one coder"
NO_CODER = "undefined: no coder"
FEW_SOURCES = (
    "no interval: passages of {} sources, and from fewer than {} (agreement.minimum_sources) it "
    "would hold the truth too rarely"
)
T2_COLUMNS = (
    "code", "comparison", "group", "coders", "passages", "sources", "agreement", "alpha",
    "alpha_low", "alpha_high", "jackknife_low", "jackknife_high", "kappa", "kappa_se", "ac1",
    "ac1_se", "brennan_prediger", "effective_coders", "status",
)  # fmt: skip
_NUMBERS = T2_COLUMNS[6:-1]
_YES_NO = np.array([0.0, 1.0])


@dataclass(frozen=True)
class Codes:
    """What everybody said of the coded passages, for one code.

    ``rows`` has a row (passages,) for every coder, the combined code and the classifier's decision,
    NaN where one said nothing. ``source`` numbers the passages' sources, ``group`` holds their
    groups, ``weight`` their design weights.
    """

    coders: Sequence[str]
    rows: Mapping[str, Floats]
    source: Ints
    group: np.ndarray
    weight: Floats


def agreement_table(
    passages: pd.DataFrame, codings: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T2-agreement: percent agreement, nominal alpha with two intervals, kappas and AC1.

    ``passages`` is the passage frame, ``codings`` the long codings (``passage_id coder code
    value``), ``scores`` the scores of the codes to compare (their order is taken over). Passages
    count by the frame's ``weight``, the inverse of the probability with which they were drawn. The
    interval resamples sources, ``agreement.draws`` times from ``agreement.seed``; the jackknife's
    leaves each source out; standard errors add passages up by source. Kappa is Cohen's for two,
    Fleiss' for more. Columns: :data:`T2_COLUMNS`. With one coder, fewer passages than
    ``agreement.minimum_units`` or codes without variation the cells are empty and the status says
    so; below ``agreement.minimum_sources`` intervals and standard errors are.
    """
    rows = []
    standard = standard_of(config)
    for code in scores["code"].drop_duplicates():
        data = said_of(passages, codings, scores, code)
        for comparison, names in comparisons(data.coders, standard):
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
                if comparison == ALL_CODERS and not np.isnan(rows[-1]["agreement"]):
                    number = effective_coders(data, member, standard)
                    rows[-1]["effective_coders"] = nan if number is None else number
    frame = pd.DataFrame(rows, columns=list(T2_COLUMNS)).astype({"sources": "Int64"})
    return frame.assign(**{name: frame[name].round(12) + 0.0 for name in _NUMBERS})


def standard_of(config: Mapping[str, Any]) -> str:
    """Return the coder who is the standard; empty without one."""
    rule = config["coders"]
    return str(rule["standard"]) if rule["rule"] == STANDARD else ""


def comparisons(coders: Sequence[str], standard: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield who is compared with whom: kind of comparison, names. Nobody is compared twice.

    Of two coders *all coders* are the pair; of three *all but one* are one. The ``standard``'s code
    is the combined code, as is that of a single coder, so only the latter meets the classifier.
    """
    yield ALL_CODERS, tuple(coders)
    if len(coders) > 3:
        for coder in coders:
            yield ALL_BUT_ONE, tuple(name for name in coders if name != coder)
    if len(coders) > 2:
        if standard in coders:
            for coder in coders:
                if coder != standard:
                    yield AGAINST_STANDARD, (coder, standard)
        for pair in combinations(coders, 2):
            if standard not in pair:
                yield PAIR, pair
    if len(coders) > 1:
        for coder in coders:
            if coder != standard:
                yield WITH_CLASSIFIER, (coder, CLASSIFIER_NAME)
    yield COMBINED, (COMBINED_NAME, CLASSIFIER_NAME)


def effective_coders(data: Codes, member: Bools, standard: str = "") -> float | None:
    """Return how many independent coders the coders are worth, on the passages ``member``.

    Kish's (1965) n/(1 + (n − 1)ρ), which Kohli (2026, arXiv 2605.29800) applies to language models
    as judges: m coders whose errors correlate by ρ in the mean err together as m/(1 + (m − 1)ρ) who
    err each for themselves would. With a standard ρ is the mean correlation of the other coders'
    errors, a code less the standard's, and m their number. Without one nobody knows the errors: ρ
    is that of the codes, which also correlate because coders see the same passage and are right
    about it, so that the number is a lower bound. Correlations are weighted by design, over the
    passages that both coded; pairs of which one does not vary are left out. The number is kept
    within 1 and m. None where there is no coder, or no such pair of several.
    """
    names = [name for name in data.coders if name != standard]
    number = len(names)
    if number < 2:
        return float(number) if number else None
    truth = data.rows[standard] if standard in data.rows else np.zeros(len(data.weight))
    errors = [(data.rows[name] - truth)[member] for name in names]
    found = [_correlation(one, two, data.weight[member]) for one, two in combinations(errors, 2)]
    known = [value for value in found if value is not None]
    if not known:
        return None
    mean = max(0.0, sum(known) / len(known))
    return number / (1 + (number - 1) * mean)


def _correlation(one: Floats, two: Floats, weight: Floats) -> float | None:
    """Return the weighted correlation where both have a value; None where one does not vary."""
    both = ~(np.isnan(one) | np.isnan(two))
    if both.sum() < 2:
        return None
    own = weight[both] / weight[both].sum()
    one, two = one[both] - own @ one[both], two[both] - own @ two[both]
    spread = float((own @ (one * one)) * (own @ (two * two)))
    return None if is_zero(spread) else float(own @ (one * two)) / spread**0.5


def said_of(
    passages: pd.DataFrame, codings: pd.DataFrame, scores: pd.DataFrame, code: str
) -> Codes:
    """Return what everybody said of one code; arguments as in :func:`agreement_table`."""
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
    group = frame["group"].to_numpy(dtype=object)
    return Codes(
        coders, rows, source.astype(np.int64), group, frame["weight"].to_numpy(dtype=float)
    )


def _agreement(
    data: Codes, names: Sequence[str], member: Bools, config: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the cells of one row; see :func:`agreement_table`."""
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
    share = percent_agreement(table, weight)
    found = alpha_of(matrices.sum(axis=0), values)
    cells = {"passages": number, **empty, "sources": sources}
    cells["agreement"] = nan if share is None else share
    if found.value is None:
        return {**cells, "status": found.reason}
    given = sources >= settings["minimum_sources"]
    status = FEW_SOURCES.format(sources, settings["minimum_sources"])
    if given:
        intervals, status = _intervals(matrices, source, values, config)
        cells |= intervals
        if round(cells["agreement"], DECIMALS) == 1:
            status = PERFECT
    kappa = (cohen_kappa if len(names) == 2 else fleiss_kappa)(table, weight=weight, cluster=source)
    ac1 = gwet_ac1(table, weight=weight, cluster=source)
    chance = brennan_prediger(table, weight=weight, cluster=source, values=_YES_NO)
    return cells | {
        "alpha": found.value,
        **_given("kappa", kappa, given),
        **_given("ac1", ac1, given),
        "brennan_prediger": nan if chance.value is None else chance.value,
        "status": status,
    }


def _intervals(
    matrices: Floats, source: Ints, values: Floats, config: Mapping[str, Any]
) -> tuple[dict[str, float], str]:
    """Return the ends of alpha's two intervals, and a remark where one needs it."""
    settings, confidence = config["agreement"], config["inference"]["confidence"]
    ends = bootstrap_interval(
        matrices, source, values, draws=settings["draws"], seed=settings["seed"],
        confidence=confidence,
    )  # fmt: skip
    low, high = cluster_jackknife(matrices, source, values, confidence) or (nan, nan)
    remark = ends.reason
    if ends.undefined and not remark:
        remark = f"interval leaves out {ends.undefined} of {ends.draws} draws without variation"
    return {
        "alpha_low": ends.low, "alpha_high": ends.high, "jackknife_low": low,
        "jackknife_high": high,
    }, remark  # fmt: skip


def _given(name: str, found: Coefficient, with_error: bool) -> dict[str, float]:
    """Return a coefficient's two cells; its standard error only where there are enough sources."""
    if found.value is None:
        return {name: nan, f"{name}_se": nan}
    return {name: found.value, f"{name}_se": found.se if with_error else nan}
