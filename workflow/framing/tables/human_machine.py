"""T26-human-machine: whether a machine coder may stand in for people, by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.codebook.kinds.kind import MAJORITY, STANDARD
from framing.coding.codings import HUMAN, MACHINE, combine_coders
from framing.coding.variables import Variable
from framing.common.config import ALL
from framing.common.settings import settled
from framing.inference.alternative_annotators import (
    advantage,
    benjamini_yekutieli,
    constant_winning_rates,
    equivalence,
    weighted_mean,
    winning_rate,
)
from framing.inference.design import Bools, Floats
from framing.tables.agreement import FEW_SOURCES, Codes, effective_coders

PEOPLE, ONE, ERRORS = "in place of people", "in place of one", "errors"
NO_HUMAN, NO_MACHINE = "no human coder yet", "no machine coder"
ONE_HUMAN = "undefined: one human coder, and the test needs two, better three"
TWO_HUMANS = "two human coders: with three the test would also see what people agree on"
FEW_PASSAGES = "undefined: fewer than {} passages"
NOT_MANY = "fewer than {} passages: the test assumes more"
TRIVIAL = "so would a coder who always answers {}: the code is too rare (or frequent) for the test"
MAY, NOT_SHOWN = "may stand in", "not shown"

_NUMBERS = (
    "advantage", "people_advantage", "difference", "se", "p", "p_adjusted", "winning_rate",
    "alpha_people", "alpha_machine", "alpha_difference", "alpha_low", "alpha_high", "alpha_p",
    "error", "error_low", "error_high", "missed", "false", "people_error", "bias", "bias_low",
    "bias_high", "effective_people", "effective_together",
)  # fmt: skip
T26_COLUMNS = (
    "code", "machine", "comparison", "person", "group", "people", "passages", "sources", *_NUMBERS,
    "verdict", "status",
)  # fmt: skip


@dataclass(frozen=True)
class _Said:
    """What people (people, passages) and machines said of the passages that anybody coded.

    NaN where one left a passage out. ``combined`` is the code of all people combined, ``rest`` that
    of the others without each person. ``frame`` has ``source`` (numbered), ``group`` and
    ``weight``.
    """

    names: Sequence[str]
    people: Floats
    machines: Mapping[str, Floats]
    combined: Floats
    rest: Mapping[str, Floats]
    frame: pd.DataFrame

    @property
    def weight(self) -> Floats:
        return self.frame["weight"].to_numpy(dtype=float)

    @property
    def source(self) -> np.ndarray:
        return self.frame["source"].to_numpy(dtype=np.int64)


def human_machine_table(
    passages: pd.DataFrame,
    codings: pd.DataFrame,
    coders: pd.DataFrame,
    variables: Sequence[Variable],
    config: Mapping[str, Any],
) -> pd.DataFrame:
    """Return T26-human-machine: machine coders against people, by code.

    ``passages`` is the passage frame, ``codings`` the long codings of indicators, ``coders`` has
    ``coder`` and ``kind``. For each machine coder a row *in place of people* (the alternative
    annotator test as a whole, effective coders, the verdict); a row *in place of one* for each
    human coder (:mod:`framing.inference.alternative_annotators`); and a row of *errors* for each
    group, against the people's combined code. A machine may stand in where it passes the test
    (ω ≥ ``agreement.stand_in.winning_rate``) and alpha is equivalent whomever it replaces. Columns:
    :data:`T26_COLUMNS`. Without a human coder, or a machine one, a row a code says so.
    """
    settings = settled("agreement", config["agreement"])
    kind = dict(zip(coders["coder"], coders["kind"], strict=True))
    present = sorted(set(codings["coder"]))
    people = [name for name in present if kind.get(name) == HUMAN]
    machines = [name for name in present if kind.get(name) == MACHINE]
    rows: list[dict[str, Any]] = []
    for variable in variables:
        for code in variable.indicators:
            if not people or not machines:
                status = NO_MACHINE if people else NO_HUMAN
                rows.append(_row(code, "", PEOPLE, people=len(people), status=status))
                continue
            said = _said(passages, codings, people, machines, variable, code, config)
            for machine in machines:
                rows += _of_machine(said, machine, code, settings, config)
    frame = pd.DataFrame(rows, columns=list(T26_COLUMNS))
    counts = dict.fromkeys(("people", "passages", "sources"), "Int64")
    return frame.astype(counts).assign(
        **{name: frame[name].astype(float).round(12) + 0.0 for name in _NUMBERS}
    )


def _row(code: str, machine: str, comparison: str, **cells: Any) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(_NUMBERS, nan)
    return {
        "code": code, "machine": machine, "comparison": comparison, "person": "", "group": ALL,
        "people": pd.NA, "passages": pd.NA, "sources": pd.NA, **empty, "verdict": "", "status": "",
        **cells,
    }  # fmt: skip


def _said(
    passages: pd.DataFrame, codings: pd.DataFrame, people: Sequence[str], machines: Sequence[str],
    variable: Variable, code: str, config: Mapping[str, Any],
) -> _Said:  # fmt: skip
    own = codings[codings["code"] == code]
    wide = own.pivot(index="passage_id", columns="coder", values="value")
    frame = passages.set_index("passage_id").loc[wide.index]
    frame = frame.assign(source=pd.factorize(frame["source_id"], sort=True)[0])
    of_people = codings[codings["coder"].isin(people)
                        & codings["code"].isin(variable.indicators)]  # fmt: skip
    rule = dict(config["coders"])
    if rule["rule"] == STANDARD and rule["standard"] not in people:
        rule["rule"] = MAJORITY

    def combined(names: Sequence[str]) -> Floats:
        labels = combine_coders(of_people[of_people["coder"].isin(names)], rule, [variable])
        label = labels[labels["code"] == code].set_index("passage_id")["label"]
        return label.reindex(wide.index).to_numpy(dtype=float, na_value=np.nan)

    standard = rule["standard"] if rule["rule"] == STANDARD else ""
    rest = {
        name: combined([other for other in people if other != name])
        for name in people
        if len(people) > 1 and name != standard
    }

    def row(name: str) -> Floats:
        found = wide[name] if name in wide.columns else pd.Series(np.nan, wide.index)
        return found.to_numpy(dtype=float, na_value=np.nan)

    return _Said(
        names=people, people=np.stack([row(name) for name in people]),
        machines={name: row(name) for name in machines}, combined=combined(people), rest=rest,
        frame=frame,
    )  # fmt: skip


def _of_machine(
    said: _Said, machine: str, code: str, settings: Mapping[str, Any], config: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the rows of one machine coder and one code."""
    one_by_one = list(_in_place_of_one(said, machine, code, settings, config))
    whole = _in_place_of_people(said, machine, code, one_by_one, settings, config)
    groups = [ALL, *config["groups"]]
    errors = [_errors(said, machine, code, group, settings, config) for group in groups]
    return [whole, *one_by_one, *errors]


# --- the alternative annotator test, and alpha ----------------------------------------------------


def _in_place_of_one(
    said: _Said, machine: str, code: str, settings: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield a row for each person; p-values are adjusted over all of them."""
    if len(said.names) < 2:
        return
    stand_in = settings["stand_in"]
    correlation = config["inference"]["source_correlation"]
    rows = []
    for place, name in enumerate(said.names):
        own = _judged(said, machine, place)
        sources = len(np.unique(said.source[own]))
        row = _row(code, machine, ONE, person=name, people=len(said.names),
                   passages=int(own.sum()), sources=sources)  # fmt: skip
        rows.append(row)
        if own.sum() < settings["minimum_units"]:
            row["status"] = FEW_PASSAGES.format(settings["minimum_units"])
            continue
        row |= _tested(said, machine, place, stand_in, correlation)
        notes = []
        if own.sum() < stand_in["passages"]:
            notes.append(NOT_MANY.format(stand_in["passages"]))
        if sources < settings["minimum_sources"]:
            notes.append(FEW_SOURCES.format(sources, settings["minimum_sources"]))
            row |= dict.fromkeys(("alpha_low", "alpha_high", "alpha_p"), nan)
        row["status"] = "; ".join(notes)
    adjusted = benjamini_yekutieli([row["p"] for row in rows])
    for row, value in zip(rows, adjusted, strict=True):
        yield row | {"p_adjusted": value}


def _judged(said: _Said, machine: str, person: int) -> Bools:
    """Return the passages that the machine, the person and another person coded."""
    others = np.delete(said.people, person, axis=0)
    both = ~np.isnan(said.machines[machine]) & ~np.isnan(said.people[person])
    judged: Bools = both & (~np.isnan(others)).any(axis=0)
    return judged


def _tested(
    said: _Said, machine: str, person: int, stand_in: Mapping[str, Any], correlation: float
) -> dict[str, float]:
    code = said.machines[machine]
    found = advantage(code, said.people, person, said.weight, said.source,
                      epsilon=stand_in["epsilon"], correlation=correlation)  # fmt: skip
    alpha = equivalence(code, said.people, person, said.weight, said.source,
                        margin=stand_in["margin"], level=stand_in["level"])  # fmt: skip
    return {
        "advantage": found.machine, "people_advantage": found.person,
        "difference": found.difference.value, "se": found.difference.se, "p": found.p,
        "alpha_people": alpha.people, "alpha_machine": alpha.machine,
        "alpha_difference": alpha.difference, "alpha_low": alpha.low, "alpha_high": alpha.high,
        "alpha_p": alpha.p,
    }  # fmt: skip


def _in_place_of_people(
    said: _Said, machine: str, code: str, rows: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any], config: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return the row of the test as a whole, with the verdict and what is to be known of it."""
    stand_in = settings["stand_in"]
    coded = ~np.isnan(said.machines[machine]) & (~np.isnan(said.people)).any(axis=0)
    whole = _row(code, machine, PEOPLE, people=len(said.names), passages=int(coded.sum()),
                 sources=len(np.unique(said.source[coded])))  # fmt: skip
    whole |= _effective(said, machine, coded, config)
    if not rows:
        return whole | {"status": ONE_HUMAN}
    omega = winning_rate([row["p_adjusted"] for row in rows], stand_in["level"])
    equal = np.array([row["alpha_p"] for row in rows])
    known = np.array([row["advantage"] for row in rows])
    whole |= {
        "winning_rate": omega,
        "advantage": nan if np.isnan(known).all() else float(np.nanmean(known)),
        # Of all people it is claimed only if of each: the largest p-value is the claim's.
        "alpha_p": nan if np.isnan(equal).any() else float(equal.max()),
    }
    notes = [TWO_HUMANS] if len(said.names) == 2 else []
    if omega == omega:
        passes = omega >= stand_in["winning_rate"]
        same = whole["alpha_p"] <= stand_in["level"]
        whole["verdict"] = MAY if passes and same else NOT_SHOWN
        rates = constant_winning_rates(
            said.people, ~np.isnan(said.machines[machine]), said.weight, said.source,
            epsilon=stand_in["epsilon"], level=stand_in["level"],
            correlation=config["inference"]["source_correlation"],
        )  # fmt: skip
        if passes:
            notes += [
                TRIVIAL.format("yes" if value else "no")
                for value, rate in rates.items()
                if rate >= stand_in["winning_rate"]
            ]
    notes += dict.fromkeys(note for row in rows for note in row["status"].split("; ") if note)
    return whole | {"status": "; ".join(notes)}


def _effective(
    said: _Said, machine: str, coded: Bools, config: Mapping[str, Any]
) -> dict[str, float]:
    """Return how many independent coders people are worth, and people with the machine."""
    rule = config["coders"]
    standard = str(rule["standard"]) if rule["rule"] == STANDARD else ""
    rows = dict(zip(said.names, said.people, strict=True))
    group = said.frame["group"].to_numpy(dtype=object)
    alone = Codes(said.names, rows, said.source, group, said.weight)
    both = replace(alone, coders=[*said.names, machine],
                   rows=rows | {machine: said.machines[machine]})  # fmt: skip
    found = [effective_coders(one, coded, standard) for one in (alone, both)]
    people, together = (nan if number is None else number for number in found)
    return {"effective_people": people, "effective_together": together}


# --- errors by group ------------------------------------------------------------------------------


def _errors(
    said: _Said, machine: str, code: str, group: str, settings: Mapping[str, Any],
    config: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return how often, and which way, the machine differs from the people's combined code.

    ``people_error`` is the mean share of passages on which a person differs from the combined code
    of the others; ``bias`` the machine's share of the code less the people's.
    """
    correlation = config["inference"]["source_correlation"]
    confidence = config["inference"]["confidence"]
    inside = np.ones(len(said.frame), dtype=bool)
    if group != ALL:
        inside = said.frame["group"].to_numpy(dtype=object) == group
    own = inside & ~np.isnan(said.machines[machine]) & ~np.isnan(said.combined)
    sources = len(np.unique(said.source[own]))
    row = _row(code, machine, ERRORS, group=group, people=len(said.names),
               passages=int(own.sum()), sources=sources)  # fmt: skip
    if own.sum() < settings["minimum_units"]:
        return row | {"status": FEW_PASSAGES.format(settings["minimum_units"])}
    gap = said.machines[machine][own] - said.combined[own]
    weight, source, truth = said.weight[own], said.source[own], said.combined[own]
    wrong = weighted_mean(np.abs(gap), weight, source, correlation)
    bias = weighted_mean(gap, weight, source, correlation)
    row |= {
        "error": wrong.value, "missed": _rate(gap < 0, truth == 1, weight),
        "false": _rate(gap > 0, truth == 0, weight), "bias": bias.value,
        "people_error": _people_error(said, inside),
    }  # fmt: skip
    if sources < settings["minimum_sources"]:
        return row | {"status": FEW_SOURCES.format(sources, settings["minimum_sources"])}
    low, high = wrong.interval(confidence)
    ends = bias.interval(confidence)
    return row | {
        "error_low": max(0.0, low), "error_high": min(1.0, high), "bias_low": ends[0],
        "bias_high": ends[1],
    }  # fmt: skip


def _rate(found: Bools, among: Bools, weight: Floats) -> float:
    return float(np.average(found[among], weights=weight[among])) if among.any() else nan


def _people_error(said: _Said, inside: Bools) -> float:
    rates = []
    for name, person in zip(said.names, said.people, strict=True):
        if name not in said.rest:
            continue
        others = said.rest[name]
        both = inside & ~np.isnan(person) & ~np.isnan(others)
        if both.any():
            rates.append(float(np.average(person[both] != others[both], weights=said.weight[both])))
    return float(np.mean(rates)) if rates else nan
