"""Tables of an invented project for the passage explorer, and its prose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from framing.report.explorer import Prose, Tables, explorer_data
from framing.tables.captions import Edition, edition
from tests.unit.output_samples import CODES, GROUPS, PERIODS, context
from tests.unit.words_read import load_specs

COMBINATIONS: dict[str, dict[str, list[str]]] = {
    "both": {"all": ["cost", "fairness"]},
    "either": {"any": ["cost", "fairness"]},
}
CODERS = ["ann", "ben"]
CUES = {"bill": "somebody pays", "gift": "nobody pays", "share": "everybody pays alike"}
LONG = "x" * 10_000
HOSTILE = [
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked=2">',
    "</script><script>window.hacked = 3</script><!--",
    "=cmd|' /C calc'!A0",
    r"\input{/etc/passwd}",
    "turned \u202eround\u2066",
    "line\u2028end & more",
    LONG,
]


def words(**changes: Any) -> Edition:
    return edition(load_specs(), context(**changes))


def tables(n: int = 60, hostile: bool = False, per_source: int = 5) -> Tables:
    """``n`` passages, ``per_source`` to a source; about half of them coded by two coders."""
    random = np.random.default_rng(n)
    number = -(-n // per_source)
    ids = [f"s{place}" for place in range(number)]
    odd = [HOSTILE[place % len(HOSTILE)] if hostile else "" for place in range(number)]
    sources = pd.DataFrame(
        {
            "source_id": ids,
            "title": [text or f"On the park, part {place}" for place, text in enumerate(odd)],
            "speaker": [text or f"Speaker {place % 7}" for place, text in enumerate(odd)],
            "date": [f"20{place % 15 + 1:02d}" for place in range(number)],
            "url": [
                "javascript:window.hacked=4" if text else f"https://example.org/{place}"
                for place, text in enumerate(odd)
            ],
            "retrieved_from": [text or "an archive" for text in odd],
        }
    )
    at = np.arange(n) // per_source
    coded = random.random(n) < 0.5
    passages = pd.DataFrame(
        {
            "passage_id": [f"p{place:06x}" for place in range(n)],
            "source_id": np.array(ids, dtype=object)[at],
            "group": np.array(list(GROUPS), dtype=object)[at % len(GROUPS)],
            "period": np.array(PERIODS, dtype=object)[at % len(PERIODS)],
            "start": 100 * (np.arange(n) % per_source),
            "end": 100 * (np.arange(n) % per_source) + 80,
            "words": random.integers(12, 100, n),
            "stratum": np.where(coded, "all", ""),
            "design_status": "",
            "weight": np.where(coded, 2.0, np.nan),
            "estimable": random.random(n) < 0.9,
            "role": np.where(coded, np.where(at % 3 == 0, "confirmation", "development"), ""),
        }
    )
    who = passages.loc[coded, "passage_id"]
    codings = pd.DataFrame(
        [
            (name, coder, code, int(random.random() < 0.4), int(random.random() < 0.2))
            for name in who
            for coder in CODERS
            for code in ("cost", "fairness")
        ],
        columns=["passage_id", "coder", "code", "value", "unsure"],
    )
    hits = pd.DataFrame(
        [
            (name, cue, int(random.integers(1, 4)))
            for name in passages["passage_id"]
            for cue in CUES
            if random.random() < 0.3
        ],
        columns=["passage_id", "cue", "hits"],
    )
    return Tables(
        sources,
        passages,
        codings,
        _scores(passages, codings, random),
        hits,
        pd.DataFrame(
            [("bill", "cost", 1), ("gift", "cost", -1), ("share", "fairness", 1)],
            columns=["cue", "code", "vote"],
        ),
        pd.DataFrame({"coder": CODERS, "kind": [odd[0] or "human", "machine"]}),
        {name: odd[1] or says for name, says in CUES.items()} if hostile else CUES,
    )


def _scores(passages: pd.DataFrame, codings: pd.DataFrame, random: Any) -> pd.DataFrame:
    n = len(passages)
    both = codings.groupby(["code", "passage_id"])["value"].min()
    parts = []
    for code in ("cost", "fairness"):
        probability = np.round(random.beta(0.5, 1.0, n), 6)
        label = both.loc[code].reindex(passages["passage_id"]).astype("Int64")
        parts.append(_part(passages, code, probability, label.array))
    a, b = parts
    product = np.round(a["probability"] * b["probability"], 6)
    parts.append(_part(passages, "both", product, (a["label"] * b["label"]).array))
    either = np.round(1 - (1 - a["probability"]) * (1 - b["probability"]), 6)
    parts.append(_part(passages, "either", either, (1 - (1 - a["label"]) * (1 - b["label"])).array))
    return pd.concat(parts, ignore_index=True)


def _part(passages: pd.DataFrame, code: str, probability: Any, label: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "passage_id": passages["passage_id"],
            "code": code,
            "fold": pd.factorize(passages["source_id"])[0] % 5,
            "label": label,
            "probability": np.asarray(probability),
            "decision": (np.asarray(probability) > 0.4).astype(int),
            "unfamiliar": (np.asarray(probability) > 0.95).astype(int),
        }
    )


def awaiting(made: Tables) -> tuple[str, ...]:
    """Return the ids of the passages of s1."""
    return tuple(made.passages.loc[made.passages["source_id"] == "s1", "passage_id"])


def data(made: Tables, held_out: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
    case = {"case_study": {"source_id": "s0", "title": "On the park"}}
    return explorer_data(made, words(**{**case, **changes}), COMBINATIONS, held_out)


def prose(made: Tables, hostile: bool = False) -> Prose:
    """Texts for all sources but s2; \U0001d11e takes two places in a browser."""
    text, spans = {}, {}
    for place, row in enumerate(made.passages.itertuples(index=False)):
        if row.source_id == "s2":
            continue
        odd = HOSTILE[place % len(HOSTILE)] if hostile else "the bench"
        body = f"\U0001d11e {odd} Passage {place}: who pays the bill for the park?\nNobody knows."
        text[row.passage_id] = body
        at = body.index("pays the bill")
        spans[row.passage_id] = [("bill", at, at + 13), ("share", at + 9, at + 17)]
    own = made.passages["source_id"].eq("s0").sum()
    return Prose(text, spans, ["A heading\n", *["\n"] * (own - 1), "\nAn end."])


assert set(COMBINATIONS) < set(CODES)
