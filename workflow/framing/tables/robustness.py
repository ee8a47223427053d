"""T9: does a contrast hold whichever defensible choice one makes?

A *specification* is one choice for each of: how coders are combined, whether unsure codings count,
what a passage weighs, which classifier predicts, by which threshold, which estimator, whether the
period is held constant, and which source is left out (Simonsohn, Simmons & Nelson 2020; Steegen et
al. 2016). Every configured contrast is estimated under all of them. Choices that an estimator does
not use are not multiplied: labels only knows no classifier, counting no coders.

All follow the rule of :mod:`framing.inference.estimator`, with a mass m_i a passage (1, its words,
or 1 / passages of its source) in place of a count. What is known counts as it is; the rest, in as
many parts p as there are, is estimated::

    θ̂ = Σ_known m y / Σ_U m  +  Σ_p (Σ_Up m / Σ_U m) θ̂_p
    θ̂_p = Σ_Up m f / Σ_Up m  +  Σ_sp w m (y − f) / Σ_sp w m

with the variance between sources (texts like these), so that the main specification gives the raw
contrast of T6. Post-stratified, f is 0 and each cell of the classifier's decision a part of its
own, which is the same. Only unread passages say how far the classifier is trusted, and a part that
unread draws do not reach rests on labels only. Classifiers are cross-fitted by source on the main
codes; the codes that correct them change with the specification, so that no passage's own code
enters its prediction.

Sums are made once for each way to estimate a code, by bins of passages that share source, group and
period. Groups, periods and leaving a source out then are choices of bins, and cost no new sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.common.config import OURS
from framing.inference.contrasts import (
    SUPPORTED,
    UNDECIDED,
    UNKNOWN,
    Contrast,
    verdict,
)
from framing.inference.estimators import EVERY
from framing.inference.intervals import (
    DECIMALS,
    Settings,
)
from framing.tables.contrasts import RAW
from framing.tables.specifications import (
    CHOICES,
    EACH,
    LARGEST,
    NONE,
    Material,
    Specification,
    main_specification,
    specifications,
)
from framing.tables.specified import (
    NOT_ESTIMABLE,
    can_hold_period,
    comparison,
    contrasts_by,
    largest_source,
    left_out_in_turn,
)
from framing.tables.tallies import tally

ANY = "any choice"

ONE_BY_ONE = "a source"

T16_COLUMNS = (
    "contrast", *CHOICES, "main", "difference", "se", "ci_low", "ci_high", "p_value", "verdict",
    "status",
)  # fmt: skip

T9_COLUMNS = (
    "contrast", "choice", "option", "specifications", "evidence", "agreeing", "supported",
    "contradicted", "lowest", "median", "highest", "status",
)  # fmt: skip

NO_EVIDENCE = "no evidence: the classifier's errors are not corrected"

MAIN_UNKNOWN = "the main specification is not estimable, so none can agree with it"


# --- tables ---------------------------------------------------------------------------------------


def specification_table(
    given: Material, config: Mapping[str, Any], ours: str = OURS
) -> pd.DataFrame:
    """Return T16-specifications: every contrast under every specification.

    The main specification comes first and is marked; where ``each`` source is to be left out, that
    is done under the main specification. Columns: :data:`T16_COLUMNS`.
    """
    settings, plan = Settings.of(config), config["robustness"]
    coders = sorted({key[0] for key in given.labels} - {"majority", "any", "all"})
    main = main_specification(config, ours, given.frame.confirmed)
    every = [main, *(one for one in specifications(plan, coders) if one != main)]
    found = _estimated(given, every, config, settings)

    def scaled(made: Contrast, entry: Mapping[str, Any]) -> Contrast:
        scale = given.scales.get(entry["a"]["code"])
        return made if scale is None else scale.contrast(made)

    rows = []
    for entry in config["contrasts"]:
        known = set()
        for one in every:
            if (entry["id"], one) not in found:
                continue
            made, source = found[entry["id"], one]
            made = scaled(made, entry)
            rows.append(_row(entry, one, made, source or NONE, main=one == main))
            if replace(one, left_out=NONE) == main:
                known.add(source)  # the largest, which is not to count twice
        if EACH in plan["left_out"]:
            for made, name in left_out_in_turn(given, main, entry, config):
                if name not in known:
                    rows.append(_row(entry, main, scaled(made, entry), name, main=False))
    table = pd.DataFrame(rows, columns=list(T16_COLUMNS))
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(12) + 0.0 for name in floats})


def _estimated(
    given: Material,
    every: Sequence[Specification],
    config: Mapping[str, Any],
    settings: Settings,
) -> dict[tuple[str, Specification], tuple[Contrast, str]]:
    """Return contrasts by id and specification, each with the source left out.

    Specifications that share all but basis and source left out share their sums, and are taken
    together. Where there is no period to hold, none holds it.
    """
    compared = {
        (entry["id"], left): comparison(
            given, entry, config, largest_source(given, entry) if left == LARGEST else None
        )
        for entry in config["contrasts"]
        for left in dict.fromkeys(one.left_out for one in every)
    }
    together: dict[Specification, list[Specification]] = {}
    for one in every:
        together.setdefault(replace(one, basis="", left_out=""), []).append(one)
    found: dict[tuple[str, Specification], tuple[Contrast, str]] = {}
    for group in together.values():
        tallies = {
            code: tally(given, group[0], code, settings)
            for code in dict.fromkeys(
                entry[side]["code"] for entry in config["contrasts"] for side in ("a", "b")
            )
        }
        for (name, left), pair in compared.items():
            own = [
                one for one in group
                if one.left_out == left and (one.basis == RAW or can_hold_period(pair.entry))
            ]  # fmt: skip
            sides = [tallies[pair.entry[side]["code"]] for side in ("a", "b")]
            bases = [one.basis for one in own]
            made = contrasts_by(given, sides, pair, bases, config, settings) if bases else {}
            found |= {(name, one): (made[one.basis], pair.left_out) for one in own}
    return found


def _row(
    entry: Mapping[str, Any], one: Specification, found: Contrast, left_out: str, *, main: bool
) -> dict[str, Any]:
    cells = {name: getattr(one, name) for name in CHOICES} | {"left_out": left_out}
    notes = [] if EVERY[one.estimator].corrects else [NO_EVIDENCE]
    notes += [found.status] if found.status else []
    return {
        "contrast": entry["id"], **cells, "main": "yes" if main else "no",
        "difference": found.difference, "se": found.se, "ci_low": found.low,
        "ci_high": found.high, "p_value": found.p_value,
        "verdict": verdict(found, entry["expected"]), "status": "; ".join(notes),
    }  # fmt: skip


def robustness_table(specifications: pd.DataFrame) -> pd.DataFrame:
    """Return T9-robustness: how far specifications agree, in all and by every option of a choice.

    ``agreeing`` is the share of ``evidence`` whose difference has the sign of the main
    specification's; ``supported`` and ``contradicted`` are shares of it by their own intervals.
    Evidence are estimable specifications that correct the classifier, or do without it: counting
    has a row of its own, and a say in nothing. Specifications that leave out one source after the
    other under the main choices are as many as there are sources and hardly differ: they stand in a
    row of their own (``a source``) and are not among the others. ``specifications`` is T16.
    Columns: :data:`T9_COLUMNS`.
    """
    rows = []
    for contrast, own in specifications.groupby("contrast", sort=False):
        sign = float(np.sign(own.loc[own["main"] == "yes", "difference"].iloc[0]))
        in_turn = _in_turn(own)
        crossed = own[~in_turn]
        rows.append(
            {"contrast": contrast, "choice": ANY, "option": ANY, **_agreeing(crossed, sign)}
        )
        for choice in CHOICES:
            options = crossed[choice]
            if choice == "left_out":
                options = options.where(options == NONE, LARGEST)
            for option, part in crossed.groupby(options, sort=False):
                if option != "-":
                    cells = {"contrast": contrast, "choice": choice, "option": option}
                    rows.append(cells | _agreeing(part, sign))
        if in_turn.any():
            cells = {"contrast": contrast, "choice": "left_out", "option": ONE_BY_ONE}
            rows.append(cells | _agreeing(own[in_turn], sign))
    table = pd.DataFrame(rows, columns=list(T9_COLUMNS))
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(12) + 0.0 for name in floats})


def _in_turn(own: pd.DataFrame) -> pd.Series:
    """Return which rows of a contrast leave out one source after the other, all else as in main.

    The largest source is left out under other choices too, and then belongs to them.
    """
    main = own[own["main"] == "yes"].iloc[0]
    others = [name for name in CHOICES if name != "left_out"]
    as_main = (own[others] == main[others]).all(axis=1)
    elsewhere = set(own.loc[~as_main, "left_out"]) | {NONE}
    return as_main & ~own["left_out"].isin(elsewhere)


def _agreeing(part: pd.DataFrame, sign: float) -> dict[str, Any]:
    """Return the cells of one row of T9, ``specifications`` to ``status``."""
    counting = ~part["estimator"].map(lambda name: EVERY[name].corrects).astype(bool)
    known = part["difference"].notna()
    evidence = part[known & ~counting]
    row: dict[str, Any] = {
        "specifications": len(part), "evidence": len(evidence), "agreeing": nan, "supported": nan,
        "contradicted": nan, "lowest": nan, "median": nan, "highest": nan, "status": "",
    }  # fmt: skip
    notes = []
    if missing := int((~known).sum()):
        notes.append(f"{missing} of {len(part)} specifications are not estimable")
    notes += [NO_EVIDENCE] if counting.all() else []
    if not known.any():
        return row | {"status": NOT_ESTIMABLE}
    # What counting says is shown where nothing else is; it has no share in agreement.
    gaps = (part[known] if counting.all() else evidence)["difference"].round(DECIMALS)
    if len(gaps):
        row |= {
            "lowest": float(gaps.min()), "median": float(gaps.median()),
            "highest": float(gaps.max()),
        }  # fmt: skip
    if len(evidence):
        decided = ~evidence["verdict"].isin([SUPPORTED, UNDECIDED, UNKNOWN])
        row |= {
            "agreeing": float((np.sign(gaps) == sign).mean()) if sign == sign else nan,
            "supported": float((evidence["verdict"] == SUPPORTED).mean()),
            "contradicted": float(decided.mean()),
        }
        notes += [MAIN_UNKNOWN] if sign != sign else []
    return row | {"status": "; ".join(notes)}
