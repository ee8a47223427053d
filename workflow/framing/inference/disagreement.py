"""Where coders disagree: passage by passage (T17), and in the shares that are claimed (T18)."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd

from framing.config import ALL
from framing.inference.design import TEXTS, domain, part_of, population
from framing.inference.estimators import labels_only
from framing.inference.intervals import Settings, critical, is_zero, share_interval
from framing.inference.outcomes import Outcome

COMBINED, SPREAD = "combined", "largest difference"
T17_COLUMNS = (
    "code", "passage_id", "source_id", "group", "present", "coders", "unsure", "coders_detail",
    "label", "probability", "decision", "status",
)  # fmt: skip
T18_COLUMNS = ("code", "group", "coder", "coded", "estimate", "se", "ci_low", "ci_high", "status")


def disagreement_table(
    passages: pd.DataFrame, codings: pd.DataFrame, scores: pd.DataFrame
) -> pd.DataFrame:
    """Return T17-disagreements: coded passages to talk about, the most divided first.

    A row for every passage and code on which coders differ. ``codings`` (``passage_id coder code
    value unsure``), ``scores`` the codes' scores. Ties in order of unsure codings, then of the
    corpus. Columns: :data:`T17_COLUMNS`.
    """
    rows = []
    about = passages.set_index("passage_id")[["source_id", "group"]]
    place = {name: number for number, name in enumerate(passages["passage_id"])}
    score = scores.set_index(["code", "passage_id"])
    order = {code: number for number, code in enumerate(scores["code"].drop_duplicates())}
    for (code, name), own in codings.groupby(["code", "passage_id"], sort=False):
        present = int(own["value"].sum())
        if code not in order or present in (0, len(own)):
            continue
        said = score.loc[(code, name)]
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
                    f"{row.coder}={row.value}{'?' if row.unsure else ''}"
                    for row in own.sort_values("coder").itertuples()
                ),
                "label": int(said["label"]),
                "probability": float(said["probability"]),
                "decision": int(said["decision"]),
                "status": "",
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


def coder_share_table(
    passages: pd.DataFrame, codings: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T18-coder-shares: the share each coder alone would have found, by group.

    Labels only, weighted by design, target texts like these; the row ``combined`` uses the combined
    code, ``largest difference`` is the range over coders. A coder's passages without a coding are
    left out of the coder's row. Columns: :data:`T18_COLUMNS`.
    """
    settings, frame = Settings.of(config), population(passages)
    drawn = frame.passages[frame.drawn]
    rows: list[dict[str, Any]] = []
    for code, own in scores.groupby("code", sort=False):
        mine = codings[codings["code"] == code]
        coders = sorted(mine["coder"].unique())
        labels = {
            name: mine[mine["coder"] == name].set_index("passage_id")["value"] for name in coders
        }
        labels[COMBINED] = own.set_index("passage_id")["label"].dropna()
        for group in [ALL, *config["groups"]]:
            estimates = []
            for name in (*coders, COMBINED):
                label = labels[name].reindex(drawn).to_numpy(dtype=float, na_value=nan)
                row = {"code": code, "group": group, "coder": name}
                row |= _share(frame, group, label, settings)
                rows.append(row)
                if name != COMBINED:
                    estimates.append(row["estimate"])
            known = [value for value in estimates if value == value]
            rows.append(
                {
                    "code": code, "group": group, "coder": SPREAD, "coded": rows[-1]["coded"],
                    "estimate": max(known) - min(known) if len(known) > 1 else nan, "se": nan,
                    "ci_low": nan, "ci_high": nan,
                    "status": "" if len(known) > 1 else "undefined: fewer than two coders",
                }
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(T18_COLUMNS))
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: table[name].round(12) + 0.0 for name in floats})


def _share(frame: Any, group: str, label: np.ndarray, settings: Settings) -> dict[str, Any]:
    part = domain(frame, group)
    absent = np.isnan(label)
    member = np.zeros(frame.total, dtype=bool)
    member[part.rows] = True
    member[frame.drawn[absent]] = False
    part = part_of(frame, member)
    none = np.zeros(frame.total)
    data = Outcome("", none.astype(np.int64), np.where(absent, 0.0, label), none, "")
    found = labels_only(frame, part, data, settings)
    row: dict[str, Any] = {
        "coded": len(part.coded), "estimate": nan, "se": nan, "ci_low": nan, "ci_high": nan,
    }  # fmt: skip
    if TEXTS in found.missing:
        return row | {"status": found.missing[TEXTS]}
    se = sqrt(found.variance[TEXTS])
    ends = share_interval(
        found.value, se, coded=found.coded, effective=found.effective, reference=found.reference,
        quantile=critical(settings.confidence, found.df[TEXTS]),
        wilson_below=settings.wilson_below,
    )  # fmt: skip
    return row | {
        "estimate": found.value,
        "se": nan if is_zero(se) else se,
        "ci_low": ends.low,
        "ci_high": ends.high,
        "status": ends.remark,
    }
