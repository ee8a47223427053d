"""Which passages divide the coders, and what the choice of coder does to a share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from framing.coding.codings import combine_coders
from framing.inference.intervals import wilson
from framing.tables.disagreement import (
    COMBINED,
    SPREAD,
    T17_COLUMNS,
    T18_COLUMNS,
    coder_share_table,
    coder_warnings,
    disagreement_table,
    outside,
)
from tests.unit.inference_samples import config

CONFIG = {**config(), "groups": {"g": "One", "h": "Other"}}
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
    table = disagreement_table(*corpus, CONFIG)
    assert tuple(table.columns) == T17_COLUMNS
    # p1: 1 0 0 with one unsure; p5: 0 1 0; the others are agreed on.
    assert table["passage_id"].tolist() == ["p1", "p5"]
    assert table["present"].tolist() == [1, 1]
    assert table["unsure"].tolist() == [1, 0]
    assert table["coders_detail"][0] == "x=1 y=0? z=0"


def test_an_even_split_comes_before_an_uneven_one(corpus):
    passages, codings, scores = corpus
    pair = codings[~((codings["passage_id"] == "p5") & (codings["coder"] == "z"))]
    table = disagreement_table(passages, pair, scores, CONFIG)
    assert table["passage_id"].tolist() == ["p5", "p1"]
    assert table["status"].tolist() == ["tie, counted as absent (coders.tie)", ""]


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
    assert disagreement_table(passages, alone, scores, CONFIG).empty
    table = coder_share_table(passages, alone, scores, CONFIG)
    spread = table[table["coder"] == SPREAD]
    assert (spread["status"] == "undefined: fewer than two coders").all()


# --- ties -----------------------------------------------------------------------------------------


def of_two(corpus, first, second, **rule):
    """Return the corpus as two coders coded it, with what the rule makes of it, and the rule."""
    passages, _, scores = corpus
    made = pd.DataFrame(
        [
            (f"p{n}", coder, "c", int(mark), 0)
            for coder, marks in (("x", first), ("y", second))
            for n, mark in enumerate(marks)
        ],
        columns=["passage_id", "coder", "code", "value", "unsure"],
    )
    config = {**CONFIG, "coders": {"rule": "majority", "tie": "absent", **rule}}
    label = combine_coders(made, config["coders"]).set_index("passage_id")["label"]
    labels = scores["passage_id"].map(label).astype("Int64")
    return passages, made, scores.assign(label=labels), config


def test_ties_are_counted_and_a_share_outside_the_coders_own_is_marked(corpus):
    # x finds 1 1 0 1 | 0 0, y 1 0 1 1 | 1 0: three ties, and by weight 3.75, 5.25 of 8, both 2.5.
    given = of_two(corpus, "110100", "101110")
    table = coder_share_table(*given)
    rows = table.set_index(["group", "coder"])
    assert rows.loc[("all", COMBINED), "tied"] == 3
    assert rows.loc[("g", COMBINED), "tied"] == 2
    assert rows.loc[("all", COMBINED), "estimate"] == pytest.approx(2.5 / 8)
    assert rows.loc[("all", COMBINED), "status"] == (
        "3 of 6 passages were ties, counted as absent (coders.tie); "
        "lies below every coder's own share"
    )
    assert rows.drop(index=COMBINED, level="coder")["tied"].isna().all()
    said = coder_warnings(table, given[-1], {"c": "Redness"})
    assert said[0] == (
        "Redness: 3 of 6 coded passages were ties between coders, counted as absent (coders.tie); "
        "the combined share (31.2 %) lies below every coder's own (46.9 % to 65.6 %)"
    )
    assert [one.split(":")[0] for one in said] == ["Redness", "Redness (One)"]


def test_ties_that_count_as_present_lie_above(corpus):
    given = of_two(corpus, "110100", "101110", tie="present")
    (first, *_) = coder_warnings(coder_share_table(*given), given[-1], {})
    assert first.startswith("c: 3 of 6 coded passages were ties between coders, counted as present")
    assert "lies above every coder's own" in first


def test_a_rule_other_than_majority_knows_no_ties_but_its_share_is_marked(corpus):
    given = of_two(corpus, "110100", "101110", rule="any")
    table = coder_share_table(*given)
    assert (table.loc[table["coder"] == COMBINED, "tied"] == 0).all()
    (first, *_) = coder_warnings(table, given[-1], {})
    assert first == (
        "c: the combined share (81.2 %) lies above every coder's own (46.9 % to 65.6 %)"
    )


def test_three_coders_have_no_ties_but_may_have_a_share_that_none_of_them_found(corpus):
    table = coder_share_table(*corpus, CONFIG)
    # z left p2 out, on which the others agree: z's share is of other passages, and is not compared.
    assert (table.loc[table["coder"] == COMBINED, "tied"] == 0).all()
    (first, *_) = coder_warnings(table, CONFIG, {})
    assert first.startswith("c: the combined share (31.2 %) lies below every coder's own (46.9 %")
    passages, codings, scores = corpus
    third = codings[codings["coder"] == "x"].assign(coder="z")
    agreeing = pd.concat([codings[codings["coder"] != "z"], third])
    labels = scores["passage_id"].map(
        combine_coders(agreeing, CONFIG["coders"]).set_index("passage_id")["label"]
    )
    scores = scores.assign(label=labels.astype("Int64"))
    assert coder_warnings(coder_share_table(passages, agreeing, scores, CONFIG), CONFIG, {}) == []


def test_combinations_of_codes_have_shares_and_ties_of_their_own(corpus):
    passages, made, scores, config = of_two(corpus, "110100", "101110")
    other = made.assign(code="d", value=1)
    both = {"both": {"label": "Both", "all": ["c", "d"]}, "c-alone": {"all": ["c"], "none": ["d"]}}
    table = coder_share_table(
        passages, pd.concat([made, other]),
        pd.concat([scores, scores.assign(code="d", label=scores["label"].notna().astype("Int64"))]),
        {**config, "combinations": both},
    )  # fmt: skip
    rows = table[table["group"] == "all"].set_index(["code", "coder"])
    for name in ("x", "y", COMBINED):
        assert rows.loc[("both", name), "estimate"] == rows.loc[("c", name), "estimate"]
        assert rows.loc[("c-alone", name), "estimate"] == 0
    assert rows.loc[("both", COMBINED), "tied"] == 3
    said = coder_warnings(table, {**config, "combinations": both}, {})
    assert "both: 3 of 6 coded passages were ties between coders on one of its codes" in " ".join(
        said
    )
    assert rows.loc[("d", COMBINED), "tied"] == 0


def test_outside_is_beyond_rounding_and_needs_coders():
    assert outside(0.3, [0.31, 0.4]) == "below"
    assert outside(0.5, [0.31, 0.4]) == "above"
    assert outside(0.31, [0.31 + 1e-9, 0.4]) == ""
    assert outside(0.3, [float("nan")]) == ""
    assert outside(float("nan"), [0.3]) == ""


def test_against_a_standard_each_coder_has_sensitivity_and_specificity(corpus):
    # x: 1 1 0 1 | 0 0, the standard y: 1 0 1 1 | 1 0, weights 1.25 | 1.5.
    given = of_two(corpus, "110100", "101110", rule="standard", standard="y")
    table = coder_share_table(*given)
    rows = table.set_index(["group", "coder"])
    x = rows.loc[("all", "x")]
    assert x["sensitivity"] == pytest.approx(2.5 / 5.25)
    assert x["specificity"] == pytest.approx(1.5 / 2.75)
    size = 5.25**2 / (3 * 1.25**2 + 1.5**2)
    ends = wilson(2.5 / 5.25, size, 1.959964)
    assert (x["sensitivity_low"], x["sensitivity_high"]) == pytest.approx(ends, abs=1e-6)
    assert rows.loc[("g", "x"), "sensitivity"] == pytest.approx(2 / 3)
    assert rows.drop(index="x", level="coder")["sensitivity"].isna().all()
    assert rows.loc[("all", COMBINED), "estimate"] == rows.loc[("all", "y"), "estimate"]
    assert rows.loc[("all", COMBINED), "status"] == "the code of the standard, y"
    assert coder_warnings(table, given[-1], {}) == []
    none = of_two(corpus, "110100", "000000", rule="standard", standard="y")
    rows = coder_share_table(*none).set_index(["group", "coder"])
    said = "sensitivity undefined: no passage carries the code by the standard"
    assert said in rows.loc[("all", "x"), "status"]
