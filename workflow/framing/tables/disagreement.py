"""Where coders disagree: passage by passage (T17), and in the shares that are claimed (T18).

Two coders tie on every passage on which they differ, and whatever ties count as, the combined code
can then have a share that no coder found. So ties are counted, and a combined share that lies
outside the coders' own is marked and warned of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.codebook.codes import OF_LEVEL
from framing.codebook.kinds.kind import STANDARD
from framing.coding.codings import combine_coders, independent
from framing.coding.combinations import combined_codes
from framing.coding.variables import Variable
from framing.common.config import ALL
from framing.inference.design import (
    TEXTS,
    Bools,
    Domain,
    Floats,
    Population,
    domain,
    part_of,
    population,
)
from framing.inference.estimators import LABELS, estimate
from framing.inference.intervals import DECIMALS, Settings, critical, wilson
from framing.inference.outcomes import Outcome
from framing.inference.variances import effective_size
from framing.tables.shares import settled, share_row

COMBINED, SPREAD = "combined", "largest difference"
T17_COLUMNS = (
    "code", "passage_id", "source_id", "group", "present", "coders", "unsure", "coders_detail",
    "label", "probability", "decision", "status",
)  # fmt: skip
_SENSITIVITY = ("sensitivity", "sensitivity_low", "sensitivity_high")
_SPECIFICITY = ("specificity", "specificity_low", "specificity_high")
_SHARE = ("coded", "estimate", "se", "ci_low", "ci_high", "status")
T18_COLUMNS = (
    "code", "group", "coder", "coded", "tied", "estimate", "se", "ci_low", "ci_high",
    *_SENSITIVITY, *_SPECIFICITY, "status",
)  # fmt: skip
FEWER = "undefined: fewer than two coders"
TIE = "tie, counted as {} (coders.tie)"
TIE_OF_LEVELS = "tie, decided by the codebook's order of levels (ties)"
TIES_OF_LEVELS = "{} of {} passages were ties, decided by the codebook's order of levels (ties)"
TIES = "{} of {} passages were ties, counted as {} (coders.tie)"
OUTSIDE = "lies {} every coder's own share"
THE_STANDARD = "the code of the standard, {}"
NO_RATE = "{} undefined: no passage {} the code by the standard"


def disagreement_table(
    passages: pd.DataFrame,
    codings: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    variables: Sequence[Variable] | None = None,
) -> pd.DataFrame:
    """Return T17-disagreements: coded passages to talk about, the most divided first.

    A row for every passage and code on which coders differ; the status says where they tied.
    ``codings`` (``passage_id coder code value unsure``), ``scores`` the codes' scores,
    ``variables`` the codes, by default yes/no ones: of several levels the row is that of the
    combined one, and says which level each coder gave. Equally divided ones in order of unsure
    codings, then of the corpus. Columns: :data:`T17_COLUMNS`.
    """
    rows = []
    rule = config["coders"]
    tied = combine_coders(codings, rule, variables).set_index(["code", "passage_id"])["tied"]
    several = {
        name: one for one in variables or () for name in one.indicators if not one.kind.present
    }
    given = _levels_given(codings, variables or ())
    about = passages.set_index("passage_id")[["source_id", "group"]]
    place = {name: number for number, name in enumerate(passages["passage_id"])}
    score = scores.set_index(["code", "passage_id"])
    order = {code: number for number, code in enumerate(scores["code"].drop_duplicates())}
    for (code, name), own in codings.groupby(["code", "passage_id"], sort=False):
        present = int(own["value"].sum())
        if code not in order or present in (0, len(own)):
            continue
        said = score.loc[(code, name)]
        if code in several and not said["label"]:
            continue  # told beside the level that the combined code has
        rows.append(
            {
                "code": code,
                "passage_id": name,
                "source_id": about.loc[name, "source_id"],
                "group": about.loc[name, "group"],
                "present": present,
                "coders": len(own),
                "unsure": int(own["unsure"].sum()),
                "coders_detail": " ".join(
                    f"{row.coder}={given.get((code, name, row.coder), row.value)}"
                    f"{'?' if row.unsure else ''}"
                    for row in own.sort_values("coder").itertuples()
                ),
                "label": int(said["label"]),
                "probability": float(said["probability"]),
                "decision": int(said["decision"]),
                "status": _tie(rule, code in several) if tied[(code, name)] else "",
            }
        )
    rows.sort(
        key=lambda row: (
            order[row["code"]],
            round(abs(row["present"] / row["coders"] - 0.5), 6),
            -row["unsure"],
            place[row["passage_id"]],
        )
    )
    return pd.DataFrame(rows, columns=list(T17_COLUMNS))


def _levels_given(
    codings: pd.DataFrame, variables: Sequence[Variable]
) -> dict[tuple[str, str, str], str]:
    """Return the level that a coder gave a passage, by each of its indicators, id and coder."""
    found = {}
    for one in variables:
        if one.kind.present:
            continue
        level = dict(zip(one.indicators, one.levels, strict=True))
        own = codings[codings["code"].isin(one.indicators) & (codings["value"] == 1)]
        for row in own.itertuples(index=False):
            for name in one.indicators:
                found[(name, row.passage_id, row.coder)] = level[row.code]
    return found


def _tie(rule: Mapping[str, Any], of_levels: bool) -> str:
    """Return what a tie between coders counted as."""
    return TIE_OF_LEVELS if of_levels else TIE.format(rule["tie"])


def coder_share_table(
    passages: pd.DataFrame,
    codings: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    variables: Sequence[Variable] | None = None,
) -> pd.DataFrame:
    """Return T18-coder-shares: the share each coder alone would have found, by group.

    For codes and combinations of them. Labels only, weighted by design, target texts like these;
    the row ``combined`` uses the combined code and counts ties (of a combination: of any code it is
    made of), its status says where they are and where its share lies outside the coders' own;
    ``largest difference`` is the range over coders. With a standard the other coders' rows have
    sensitivity and specificity against it, weighted by design, with Wilson's interval for Kish's
    effective number of passages. A coder's passages without a coding are left out of the coder's
    row. Columns: :data:`T18_COLUMNS`.
    """
    settings, frame = Settings.of(config), population(passages, config["case_study"])
    levels = {n for one in variables or () for n in one.indicators if not one.kind.present}
    said, tied = _said(frame, codings, scores, config, variables)
    rule = config["coders"]
    standard = said.get(rule["standard"]) if rule["rule"] == STANDARD else None
    rows: list[dict[str, Any]] = []
    for code in said[COMBINED]:
        for group in [ALL, *config["groups"]]:
            part = domain(frame, group, target=TEXTS)
            own = {}
            for name, of_code in said.items():
                if code not in of_code:
                    continue
                row = {"code": code, "group": group, "coder": name, "tied": pd.NA}
                row |= dict.fromkeys((*_SENSITIVITY, *_SPECIFICITY), nan)
                row |= _share(frame, part, of_code[code], settings)
                if standard is not None and name not in (COMBINED, rule["standard"]):
                    rates, notes = _rates(frame, part, of_code[code], standard[code], settings)
                    row |= rates
                    row["status"] = "; ".join(filter(None, [row["status"], *notes]))
                own[name] = row
            combined = own[COMBINED]
            alone = [row["estimate"] for name, row in own.items() if name != COMBINED]
            combined["tied"] = int(tied[code][part.coded].sum())
            # Who coded other passages may well have another share.
            same = [
                row["estimate"]
                for name, row in own.items()
                if name != COMBINED and row["coded"] == combined["coded"]
            ]
            combined["status"] = "; ".join(
                filter(None, [combined["status"], *_remarks(combined, same, rule, code in levels)])
            )
            rows += [*own.values(), _spread(combined, alone)]
    table = pd.DataFrame(rows, columns=list(T18_COLUMNS))
    return settled(table.astype({"tied": "Int64"}))


def _said(
    frame: Population,
    codings: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    variables: Sequence[Variable] | None,
) -> tuple[dict[str, dict[str, Floats]], dict[str, Floats]]:
    """Return what each coder said, and all combined, by coder and code; and ties by code.

    Arrays (n,) over the drawn passages, NaN where there is no code; combinations of codes last.
    """
    drawn = frame.passages[frame.drawn]

    def by_code(table: pd.DataFrame, column: str) -> dict[str, Floats]:
        found = {
            str(code): own.set_index("passage_id")[column].dropna().reindex(drawn)
            for code, own in table.groupby("code", sort=False, observed=True)
        }
        return {code: values.to_numpy(dtype=float, na_value=nan) for code, values in found.items()}

    label = by_code(scores, "label")
    combinations = config["combinations"]
    said = {}
    for name in sorted(independent(codings, config["coders"])["coder"].unique()):
        own = by_code(codings[codings["coder"] == name], "value")
        own = {code: own.get(code, np.full(len(drawn), nan)) for code in label}
        said[str(name)] = combined_codes(own, combinations)
    said[COMBINED] = combined_codes(label, combinations)
    ties = by_code(combine_coders(codings, config["coders"], variables), "tied")
    tied = {code: np.nan_to_num(ties.get(code, np.zeros(len(drawn)))) for code in label}
    for name, rule in combinations.items():
        parts = [code for key in ("all", "any", "none") for code in rule.get(key, [])]
        tied[name] = np.max([tied[code] for code in parts], axis=0)
    return said, tied


def _spread(combined: Mapping[str, Any], alone: Sequence[float]) -> dict[str, Any]:
    """Return the row of the largest difference between coders' shares."""
    known = [value for value in alone if value == value]
    row = {**dict.fromkeys(T18_COLUMNS, nan), "tied": pd.NA, "coder": SPREAD}
    row |= {name: combined[name] for name in ("code", "group", "coded")}
    row["estimate"] = max(known) - min(known) if len(known) > 1 else nan
    return row | {"status": "" if len(known) > 1 else FEWER}


def _remarks(
    combined: Mapping[str, Any], alone: Sequence[float], rule: Mapping[str, Any], of_levels: bool
) -> list[str]:
    """Return what must be known of a combined share: ties, whose code it is, where it lies."""
    if rule["rule"] == STANDARD:
        return [THE_STANDARD.format(rule["standard"])]
    remarks = []
    if combined["tied"]:
        form = TIES_OF_LEVELS if of_levels else TIES
        remarks.append(form.format(combined["tied"], combined["coded"], rule["tie"]))
    if side := outside(combined["estimate"], alone):
        remarks.append(OUTSIDE.format(side))
    return remarks


def outside(combined: float, alone: Sequence[float]) -> str:
    """Return whether a combined share lies ``below`` or ``above`` all coders' own; else nothing."""
    known = [round(value, DECIMALS) for value in alone if value == value]
    if not known or combined != combined:
        return ""
    share = round(combined, DECIMALS)
    return "below" if share < min(known) else "above" if share > max(known) else ""


def alone_on_the_same(rows: pd.DataFrame) -> pd.Series:
    """Return the shares by each coder alone who coded all passages that count.

    ``rows`` are those of one code and group of T18-coder-shares.
    """
    combined = rows.loc[rows["coder"] == COMBINED, "coded"]
    coders = rows[~rows["coder"].isin([COMBINED, SPREAD])]
    shares: pd.Series = coders.loc[coders["coded"].isin(combined), "estimate"].dropna()
    return shares


def coder_warnings(
    shares: pd.DataFrame, config: Mapping[str, Any], labels: Mapping[str, str]
) -> list[str]:
    """Return in plain English where ties and the rule of combining coders bear on a share.

    ``shares`` is T18-coder-shares, ``labels`` maps codes and combinations to how a reader knows
    them. A sentence for every code with ties in all groups together, and for every code and group
    whose combined share lies outside the coders' own.
    """
    rule, said = config["coders"], []
    for (code, group), rows in shares.groupby(["code", "group"], sort=False, observed=True):
        combined = rows[rows["coder"] == COMBINED].iloc[0]
        alone = alone_on_the_same(rows)
        parts = []
        if combined["tied"] > 0:
            number = int(combined["tied"])
            where = " on one of its codes" if code in config["combinations"] else ""
            parts.append(
                f"{number} of {int(combined['coded'])} coded passages "
                f"{'was a tie' if number == 1 else 'were ties'} between coders{where}, "
                + (
                    "decided by the order of its levels (ties)"
                    if OF_LEVEL in str(code)
                    else f"counted as {rule['tie']} (coders.tie)"
                )
            )
        if side := outside(combined["estimate"], list(alone)):
            parts.append(
                f"the combined share ({_percent(combined['estimate'])}) lies {side} every coder's "
                f"own ({_percent(alone.min())} to {_percent(alone.max())})"
            )
        elif group != ALL:
            continue
        if parts:
            name = labels.get(str(code), str(code))
            where = "" if group == ALL else f" ({config['groups'][group]})"
            said.append(f"{name}{where}: {'; '.join(parts)}")
    return said


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _share(frame: Population, part: Domain, label: Floats, settings: Settings) -> dict[str, Any]:
    """Return a share and its interval from codes (n,) of drawn passages, NaN where none is."""
    absent = np.isnan(label)
    member = np.zeros(frame.total, dtype=bool)
    member[part.rows] = True
    member[frame.drawn[absent]] = False
    part = part_of(frame, member)
    none = np.zeros(frame.total)
    data = Outcome("", none.astype(np.int64), np.where(absent, 0.0, label), none, "")
    found = estimate(LABELS, frame, part, data, settings)
    row = share_row(frame, found, part, TEXTS, settings)
    return {name: row[name] for name in _SHARE}


def _rates(
    frame: Population, part: Domain, label: Floats, truth: Floats, settings: Settings
) -> tuple[dict[str, float], list[str]]:
    """Return sensitivity and specificity against the standard with their intervals, and remarks."""
    member = np.zeros(len(frame.drawn), dtype=bool)
    member[part.coded] = True
    member &= ~(np.isnan(label) | np.isnan(truth))
    cells: dict[str, float] = {}
    notes = []
    for names, value, verb in ((_SENSITIVITY, 1.0, "carries"), (_SPECIFICITY, 0.0, "lacks")):
        rows: Bools = member & (truth == value)
        if not rows.any():
            cells |= dict.fromkeys(names, nan)
            notes.append(NO_RATE.format(names[0], verb))
            continue
        weight = frame.weight[rows]
        rate = float(np.average(label[rows] == value, weights=weight))
        ends = wilson(rate, effective_size(weight), critical(settings.confidence))
        cells |= dict(zip(names, (rate, *ends), strict=True))
    return cells, notes
