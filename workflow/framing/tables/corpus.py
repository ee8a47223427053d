"""Tables that describe rather than estimate: the corpus, the case study, the cues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from framing.common.config import ALL
from framing.sampling.roles import CONFIRMATION

VOTES = {1: "for", -1: "against"}


T1_COLUMNS = (
    "group", "actor", "period", "sources", "passages", "words", "coded", "unread", "first_date",
    "last_date", "approximate", "undated", "status",
)  # fmt: skip
APPROXIMATE = "approximate"
"""The precision of a date that was inferred."""


def corpus_table(
    sources: pd.DataFrame, passages: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return T1-corpus: what there is, by group and period, with totals.

    ``sources`` needs ``source_id actor date date_precision``; ``passages`` is the passage frame. A
    row per group (and all) × period (and all), and over all periods a row for each actor of a group
    that has several; columns :data:`T1_COLUMNS`. ``words`` are those of passages; dates are those
    of sources with passages, of which so many are ``approximate`` or have none (``undated``).
    ``unread`` are the coded passages that nobody has read.
    """
    own = sources.set_index("source_id")
    actor = passages["source_id"].map(own["actor"])
    periods = [period["id"] for period in config["periods"]] + [config["undated"]]
    rows = []
    for group in [ALL, *config["groups"]]:
        of_group = passages if group == ALL else passages[passages["group"] == group]
        for period in [ALL, *periods]:
            part = of_group if period == ALL else of_group[of_group["period"] == period]
            rows.append((group, ALL, period, *_described(part, own)))
        actors = sorted(set(actor.loc[of_group.index])) if group != ALL else []
        if len(actors) > 1:
            rows += [
                (group, name, ALL, *_described(of_group[actor.loc[of_group.index] == name], own))
                for name in actors
            ]
    return pd.DataFrame(rows, columns=list(T1_COLUMNS))


def _described(part: pd.DataFrame, sources: pd.DataFrame) -> tuple[Any, ...]:
    """Return a row of T1 from ``sources`` on; ``sources`` has ids as index."""
    found = sources.loc[part["source_id"].unique()]
    dated = sorted(date for date in found["date"] if date)
    unread = (part["role"] == CONFIRMATION).sum() if "role" in part.columns else 0
    return (
        len(found),
        len(part),
        int(part["words"].sum()),
        int(part["weight"].notna().sum()),
        int(unread),
        dated[0] if dated else "",
        dated[-1] if dated else "",
        int((found["date_precision"] == APPROXIMATE).sum()),
        int((found["date"] == "").sum()),
        "" if len(part) else "empty: no passage",
    )


def case_table(
    source_id: str,
    passages: pd.DataFrame,
    codings: pd.DataFrame,
    scores: pd.DataFrame,
    hits: pd.DataFrame,
    votes: Mapping[str, Mapping[str, int]],
) -> pd.DataFrame:
    """Return T7-essay: every passage of one source in reading order, a row a passage and code.

    ``hits`` (``passage_id cue hits``) are its cues; ``votes`` maps each code to its cues' votes
    (+1, -1). ``cues`` lists those that vote on the code, for it and against it, and how often they
    hit where that is more than once. Coders' columns are empty where a passage was not drawn.
    """
    own = passages[passages["source_id"] == source_id]
    by_cue: dict[str, pd.DataFrame] = dict(list(hits.groupby("passage_id", sort=False)))
    by_coder = dict(list(codings.groupby(["passage_id", "code"], sort=False)))
    score = scores.set_index(["passage_id", "code"])
    rows = []
    for position, passage in enumerate(own.itertuples(index=False), start=1):
        for code, vote in votes.items():
            coded = by_coder.get((passage.passage_id, code), codings.iloc[:0])
            spoken = by_cue.get(passage.passage_id, hits.iloc[:0])
            own_score = score.loc[(passage.passage_id, code)]
            rows.append(
                {
                    "position": position,
                    "passage_id": passage.passage_id,
                    "start": passage.start,
                    "end": passage.end,
                    "words": passage.words,
                    "code": code,
                    "label": own_score["label"],
                    "coders_for": int(coded["value"].sum()) if len(coded) else pd.NA,
                    "coders": len(coded) if len(coded) else pd.NA,
                    "coders_detail": " ".join(
                        f"{row.coder}={row.value}{'?' if row.unsure else ''}"
                        for row in coded.itertuples()
                    ),
                    "probability": float(own_score["probability"]),
                    "decision": int(own_score["decision"]),
                    "cues": _spoken(spoken, vote),
                    "status": "" if len(coded) else "not drawn for coding",
                }
            )
    columns = ["position", "passage_id", "start", "end", "words", "code", "label", "coders_for",
               "coders", "coders_detail", "probability", "decision", "cues", "status"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _spoken(hits: pd.DataFrame, vote: Mapping[str, int]) -> str:
    """Return "for: a, b ×2; against: c", leaving out a side on which no cue was found."""
    sides: dict[str, list[str]] = {side: [] for side in VOTES.values()}
    for row in hits.sort_values("cue").itertuples():
        if vote.get(row.cue):
            times = f" ×{row.hits}" if row.hits > 1 else ""
            sides[VOTES[vote[row.cue]]].append(f"{row.cue}{times}")
    return "; ".join(f"{side}: {', '.join(cues)}" for side, cues in sides.items() if cues)


def cue_table(
    cues: Sequence[str],
    votes: Mapping[str, Mapping[str, int]],
    hits: pd.DataFrame,
    scores: pd.DataFrame,
    weights: Mapping[str, Mapping[str, float | None]],
) -> pd.DataFrame:
    """Return T8-cues: what each cue is worth, a row a cue and code it votes on.

    ``passages`` and ``hits`` count over the corpus; ``coded`` and ``carrying`` count coded
    passages with a hit and those of them that carry the code; ``share`` = carrying / coded;
    ``base_rate`` is the code's share of all coded passages; ``lift`` = share / base_rate;
    ``weight`` is what one hit adds to the score of the final classifier.
    """
    found: dict[str, pd.DataFrame] = dict(list(hits.groupby("cue", sort=False)))
    label = {
        code: dict(zip(rows["passage_id"], rows["label"], strict=True))
        for code, rows in scores.dropna(subset=["label"]).groupby("code", sort=False)
    }
    rows = []
    for code, vote in votes.items():
        labels = label.get(code, {})
        base = float(np.mean(list(labels.values()))) if labels else None
        for cue in cues:
            if not vote.get(cue):
                continue
            own = found.get(cue, hits.iloc[:0])
            coded = [int(labels[name]) for name in own["passage_id"] if name in labels]
            share = sum(coded) / len(coded) if coded else None
            status = "" if coded else "no coded passage has a hit" if len(own) else "no hit"
            rows.append(
                {
                    "cue": cue,
                    "code": code,
                    "vote": VOTES[vote[cue]],
                    "passages": len(own),
                    "hits": int(own["hits"].sum()),
                    "coded": len(coded),
                    "carrying": sum(coded),
                    "share": share,
                    "base_rate": base,
                    "lift": share / base if share is not None and base else None,
                    "weight": weights[code].get(cue),
                    "status": status,
                }
            )
    columns = ["cue", "code", "vote", "passages", "hits", "coded", "carrying", "share",
               "base_rate", "lift", "weight", "status"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype(dict.fromkeys(("share", "base_rate", "lift", "weight"), "float64"))
