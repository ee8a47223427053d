"""Which passages divide the coders, and what the choice of coder does to a share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from framing.inference.disagreement import (
    COMBINED,
    SPREAD,
    T17_COLUMNS,
    T18_COLUMNS,
    coder_share_table,
    disagreement_table,
)

CONFIG = {
    "groups": {"g": "One", "h": "Other"},
    "inference": {
        "confidence": 0.95, "tuning_minimum": 20, "cell_minimum": 5, "wilson_below": 10,
        "gain_discount": 0,
    },
}  # fmt: skip
CODES = {"x": "110100", "y": "100101", "z": "10·100"}


@pytest.fixture(scope="module")
def corpus():
    passages = pd.DataFrame(
        {
            "passage_id": [f"p{n}" for n in range(8)],
            "source_id": ["a", "a", "b", "b", "c", "d", "a", "c"],
            "group": ["g", "g", "g", "g", "h", "h", "g", "h"],
            "period": "p",
        }
    )
    drawn = np.arange(8) < 6
    passages["stratum"] = passages["group"].where(drawn)
    passages["stratum_size"] = pd.array([5, 5, 5, 5, 3, 3, None, None], dtype="Int64")
    passages["stratum_sampled"] = pd.array([4, 4, 4, 4, 2, 2, None, None], dtype="Int64")
    passages["weight"] = [1.25] * 4 + [1.5] * 2 + [np.nan] * 2
    codings = pd.DataFrame(
        [
            (f"p{n}", coder, "c", int(mark), int(coder == "y" and n == 1))
            for coder, marks in CODES.items()
            for n, mark in enumerate(marks)
            if mark != "·"
        ],
        columns=["passage_id", "coder", "code", "value", "unsure"],
    )
    scores = pd.DataFrame(
        {
            "passage_id": passages["passage_id"], "code": "c", "fold": 0,
            "label": pd.array([1, 0, 0, 1, 0, 0, None, None], dtype="Int64"),
            "probability": np.linspace(0, 0.7, 8), "decision": 0,
        }
    )  # fmt: skip
    return passages, codings, scores


def test_divided_passages_are_listed_the_most_divided_first(corpus):
    table = disagreement_table(*corpus)
    assert tuple(table.columns) == T17_COLUMNS
    # p1: 1 0 0 with one unsure; p5: 0 1 0; the others are agreed on.
    assert table["passage_id"].tolist() == ["p1", "p5"]
    assert table["present"].tolist() == [1, 1]
    assert table["unsure"].tolist() == [1, 0]
    assert table["coders_detail"][0] == "x=1 y=0? z=0"


def test_an_even_split_comes_before_an_uneven_one(corpus):
    passages, codings, scores = corpus
    pair = codings[~((codings["passage_id"] == "p5") & (codings["coder"] == "z"))]
    assert disagreement_table(passages, pair, scores)["passage_id"].tolist() == ["p5", "p1"]


def test_each_coder_has_a_share_of_their_own(corpus):
    table = coder_share_table(*corpus, CONFIG)
    assert tuple(table.columns) == T18_COLUMNS
    rows = table.set_index(["group", "coder"])
    assert rows.loc[("g", "x"), "estimate"] == pytest.approx(3 / 4)
    assert rows.loc[("g", "y"), "estimate"] == pytest.approx(2 / 4)
    assert rows.loc[("g", "z"), "coded"] == 3
    assert rows.loc[("g", "z"), "estimate"] == pytest.approx(2 / 3)
    assert rows.loc[("g", COMBINED), "estimate"] == pytest.approx(2 / 4)
    assert rows.loc[("g", SPREAD), "estimate"] == pytest.approx(1 / 4)
    assert rows.loc[("all", "y"), "estimate"] == pytest.approx((2 * 1.25 + 1.5) / 8)
    given = table.dropna(subset=["ci_low"])
    assert (given["ci_low"] <= given["estimate"]).all()
    assert (given["estimate"] <= given["ci_high"]).all()


def test_one_coder_has_nobody_to_differ_from(corpus):
    passages, codings, scores = corpus
    alone = codings[codings["coder"] == "x"]
    assert disagreement_table(passages, alone, scores).empty
    table = coder_share_table(passages, alone, scores, CONFIG)
    spread = table[table["coder"] == SPREAD]
    assert (spread["status"] == "undefined: fewer than two coders").all()
