"""The multiverse: every choice does what it says; the main one is that of the other tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from framing.inference.intervals import Settings
from framing.inference.multiverse import (
    ANY,
    CHOICES,
    LARGEST,
    NONE,
    T9_COLUMNS,
    T16_COLUMNS,
    WITH,
    WITHOUT,
    Specification,
    contrast_under,
    estimate_side,
    left_out_in_turn,
    main_specification,
    material,
    robustness_table,
    side_of,
    specification_table,
    specifications,
    tally,
)
from framing.inference.tables import contrast_table

OURS = "ours"
PLAN = {
    "coders": ["majority", "any", "all", "each"],
    "unsure": ["with", "without"],
    "weighting": ["passage", "words", "source"],
    "classifiers": [OURS, "coin"],
    "thresholds": ["trained", 0.5],
    "estimators": ["classify-and-count", "labels only", "post-stratified", "difference"],
    "left_out": ["none", "largest", "each"],
}
CONFIG = {
    "groups": {"g": "One", "h": "Other"},
    "coders": {"rule": "majority", "tie": "absent"},
    "combinations": {"a-alone": {"label": "A alone", "all": ["a"], "none": ["b"]}},
    "inference": {
        "confidence": 0.95, "tuning_minimum": 20, "cell_minimum": 3, "wilson_below": 10,
        "gain_discount": 0,
        "headline": {"estimator": "difference", "target": "texts"},
    },
    "report": {"decimals": 3},
    "contrasts": [
        {"id": "a-g-h", "thesis": "g has more", "a": {"code": "a", "group": "g"},
         "b": {"code": "a", "group": "h"}, "expected": "greater"},
        {"id": "alone-g-h", "thesis": "g has more", "a": {"code": "a-alone", "group": "g"},
         "b": {"code": "a-alone", "group": "h"}, "expected": "greater"},
    ],
    "robustness": PLAN,
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(8)
    rows = []
    for source in range(24):
        group = "g" if source % 2 else "h"
        for _ in range(int(rng.integers(3, 12))):
            rows.append((f"s{source}", group, int(rng.integers(20, 120))))
    frame = pd.DataFrame(rows, columns=["source_id", "group", "words"])
    frame["passage_id"] = [f"p{n}" for n in range(len(frame))]
    frame["period"] = "all of it"
    truth = {
        code: (rng.random(len(frame)) < np.where(frame["group"] == "g", high, low)).astype(int)
        for code, high, low in (("a", 0.5, 0.2), ("b", 0.3, 0.3))
    }
    drawn = np.zeros(len(frame), dtype=bool)
    for group in ("g", "h"):
        rows_of = np.flatnonzero((frame["group"] == group).to_numpy())
        drawn[rng.choice(rows_of, len(rows_of) * 2 // 3, replace=False)] = True
        inside = drawn & (frame["group"] == group).to_numpy()
        frame.loc[inside, "stratum"] = group
        frame.loc[inside, "stratum_size"] = len(rows_of)
        frame.loc[inside, "stratum_sampled"] = int(inside.sum())
    frame["weight"] = frame["stratum_size"] / frame["stratum_sampled"]
    frame = frame.astype({"stratum_size": "Int64", "stratum_sampled": "Int64"})
    codings, scores, coin = [], [], []
    for code, values in truth.items():
        seen = {}
        for coder in ("x", "y", "z"):
            wrong = rng.random(len(frame)) < 0.1
            seen[coder] = np.where(wrong, 1 - values, values)
            codings.append(
                pd.DataFrame(
                    {
                        "passage_id": frame["passage_id"], "coder": coder, "code": code,
                        "value": seen[coder], "unsure": wrong.astype(int),
                    }
                )[drawn]
            )  # fmt: skip
        majority = (sum(seen.values()) > 1).astype(int)
        chance = np.round(np.clip(0.15 + 0.5 * values + rng.normal(0, 0.15, len(frame)), 0, 1), 6)
        fold = frame["source_id"].str[1:].astype(int) % 4
        scores.append(
            pd.DataFrame(
                {
                    "passage_id": frame["passage_id"], "code": code, "fold": fold,
                    "label": pd.array(np.where(drawn, majority, -1), dtype="Int64"),
                    "probability": chance, "decision": (chance >= 0.4).astype(int),
                }
            )
        )  # fmt: skip
        toss = np.round(rng.random(len(frame)), 6)
        coin.append(
            pd.DataFrame(
                {
                    "passage_id": frame["passage_id"], "code": code, "method": "coin",
                    "probability": toss, "decision": (toss >= 0.5).astype(int),
                }
            )
        )  # fmt: skip
    scores = pd.concat(scores, ignore_index=True)
    scores.loc[scores["label"] == -1, "label"] = pd.NA
    return frame, pd.concat(codings), scores, pd.concat(coin)


@pytest.fixture(scope="module")
def given(corpus):
    return material(*corpus, CONFIG, OURS)


def test_choices_an_estimator_does_not_use_are_not_multiplied():
    every = list(specifications(PLAN, ["x", "y", "z"]))
    assert len(set(every)) == len(every)
    number = {
        name: sum(one.estimator == name for one in every)
        for name in ("classify-and-count", "labels only", "post-stratified", "difference")
    }
    assert number == {
        "classify-and-count": 3 * 2 * 2 * 2,
        "labels only": 6 * 2 * 3 * 2,
        "post-stratified": 6 * 2 * 3 * 2 * 2 * 2,
        "difference": 6 * 2 * 3 * 2 * 2,
    }
    assert all(one.coders == "-" for one in every if one.estimator == "classify-and-count")


def test_the_main_specification_gives_the_contrast_of_the_other_table(corpus, given):
    frame, _, scores, _ = corpus
    one = CONFIG | {"contrasts": CONFIG["contrasts"][:1]}
    labels = {"a": "A"}
    table = contrast_table(frame, scores, one, labels).set_index(["estimator", "target"])
    for estimator in ("labels only", "post-stratified", "difference"):
        other = table.loc[(estimator, "texts")]
        lead = {"estimator": estimator, "target": "texts"}
        config = one | {"inference": CONFIG["inference"] | {"headline": lead}}
        found, left_out = contrast_under(
            given, main_specification(config, OURS), one["contrasts"][0], Settings.of(one)
        )
        assert left_out == ""
        assert found.difference == pytest.approx(other["difference"], abs=1e-9)
        assert found.se == pytest.approx(other["se"], abs=1e-9)
        assert found.p_value == pytest.approx(other["p_value"], abs=1e-9)


def labels_only(**changes):
    base = Specification("majority", WITH, "passage", "-", "-", "labels only", NONE)
    return Specification(**{**base.__dict__, **changes})


def hajek(values, weight):
    return float((values * weight).sum() / weight.sum())


@pytest.mark.parametrize("weighting", ["passage", "words", "source"])
def test_a_passage_weighs_what_it_should(corpus, given, weighting):
    frame, _, scores, _ = corpus
    own = scores[scores["code"] == "a"].merge(
        frame.drop(columns="period"), on="passage_id"
    ).dropna(subset=["label"])  # fmt: skip
    size = frame.groupby("source_id")["passage_id"].count()
    mass = {
        "passage": 1.0, "words": own["words"].to_numpy(dtype=float),
        "source": 1 / own["source_id"].map(size).to_numpy(dtype=float),
    }[weighting]  # fmt: skip
    weight = own["weight"].to_numpy(dtype=float) * mass
    value = own["label"].to_numpy(dtype=float)
    g = (own["group"] == "g").to_numpy()
    expected = hajek(value[g], weight[g]) - hajek(value[~g], weight[~g])
    found, _ = contrast_under(
        given, labels_only(weighting=weighting), CONFIG["contrasts"][0], Settings.of(CONFIG)
    )
    assert found.difference == pytest.approx(expected)


def test_coders_and_unsure_codings_are_used_as_declared(corpus, given):
    _, codings, _, _ = corpus
    own = codings[codings["code"] == "a"]
    ids = list(given.frame.passages[given.frame.drawn])
    by_coder = own.pivot(index="passage_id", columns="coder", values="value").loc[ids]
    assert given.labels["any", WITH, "a"].tolist() == by_coder.max(axis=1).tolist()
    assert given.labels["all", WITH, "a"].tolist() == by_coder.min(axis=1).tolist()
    assert given.labels["y", WITH, "a"].tolist() == by_coder["y"].tolist()
    sure = own[own["unsure"] == 0]
    left = given.labels["x", WITHOUT, "a"]
    assert np.isnan(left).sum() == len(ids) - (sure["coder"] == "x").sum()
    alone = given.labels["x", WITH, "a-alone"]
    b = codings[(codings["code"] == "b") & (codings["coder"] == "x")].set_index("passage_id")
    expected = by_coder["x"].to_numpy() * (1 - b.loc[ids, "value"].to_numpy())
    assert alone.tolist() == expected.tolist()


def test_leaving_the_largest_source_out_is_computing_without_it(corpus, given):
    frame, _, scores, _ = corpus
    largest = frame["source_id"].value_counts().idxmax()
    found, name = contrast_under(
        given, labels_only(left_out=LARGEST), CONFIG["contrasts"][0], Settings.of(CONFIG)
    )
    assert frame["source_id"].value_counts()[name] == frame["source_id"].value_counts()[largest]
    rest = scores[scores["code"] == "a"].merge(frame.drop(columns="period"), on="passage_id")
    rest = rest[(rest["source_id"] != name) & rest["label"].notna()]
    g = (rest["group"] == "g").to_numpy()
    value, weight = rest["label"].to_numpy(dtype=float), rest["weight"].to_numpy(dtype=float)
    expected = hajek(value[g], weight[g]) - hajek(value[~g], weight[~g])
    assert found.difference == pytest.approx(expected)


@pytest.mark.parametrize("estimator", PLAN["estimators"])
@pytest.mark.parametrize("weighting", PLAN["weighting"])
def test_leaving_out_in_turn_is_leaving_out_one_by_one(given, estimator, weighting):
    one = Specification("any", WITHOUT, weighting, OURS, "trained", estimator, NONE)
    settings = Settings.of(CONFIG)
    for entry in CONFIG["contrasts"]:
        turns = list(left_out_in_turn(given, one, entry, settings))
        assert len(turns) == len(given.sources)
        for number, found in enumerate(turns):
            other, name = contrast_under(given, one, entry, settings, number)
            assert name == given.sources[number]
            assert found.status == other.status
            for figure in ("difference", "se", "low", "high", "p_value"):
                expected = pytest.approx(getattr(other, figure), abs=1e-12, nan_ok=True)
                assert getattr(found, figure) == expected


@pytest.mark.parametrize("estimator", PLAN["estimators"])
def test_a_side_without_two_sources_has_no_estimate(given, estimator):
    one = Specification("majority", WITH, "passage", OURS, "trained", estimator, NONE)
    settings = Settings.of(CONFIG)
    source = given.frame.source
    for inside, there in ((source < 0, False), (source == 3, False), (source < 6, True)):
        found = estimate_side(given, one, "a", inside, settings)
        assert (found is not None) == there
    pair = tally(given, one, "a", (source == 3) | (source == 4), settings)
    assert side_of(pair).sources == 2
    assert side_of(pair.without(3)) is None
    assert side_of(pair.without(5)).value == side_of(pair).value


@pytest.fixture(scope="module")
def table(given):
    return specification_table(given, CONFIG, OURS)


def test_every_contrast_stands_under_every_specification(given, table):
    assert tuple(table.columns) == T16_COLUMNS
    own = table[table["contrast"] == "a-g-h"]
    every = list(specifications(PLAN, ["x", "y", "z"]))
    assert len(own) == len(every) + len(given.sources) - 1  # the largest is one of them
    assert (own["main"] == "yes").sum() == 1
    assert own.iloc[0]["main"] == "yes"


def test_agreement_is_the_share_with_the_sign_of_the_main_specification(table):
    summary = robustness_table(table)
    assert tuple(summary.columns) == T9_COLUMNS
    whole = summary[(summary["contrast"] == "a-g-h") & (summary["choice"] == ANY)].iloc[0]
    own = table[(table["contrast"] == "a-g-h") & table["difference"].notna()]
    assert whole["agreeing"] == pytest.approx((own["difference"] > 0).mean())
    assert whole["supported"] == pytest.approx((own["verdict"] == "supported").mean())
    assert whole["lowest"] <= whole["median"] <= whole["highest"]
    parts = summary[(summary["contrast"] == "a-g-h") & (summary["choice"] == "weighting")]
    every = table[table["contrast"] == "a-g-h"]
    assert parts["specifications"].sum() == len(every)


def test_what_cannot_be_estimated_is_counted_not_dropped(table):
    broken = table.assign(difference=np.nan, verdict="not estimable")
    broken.loc[broken["main"] == "yes", "difference"] = 0.1
    row = robustness_table(broken).iloc[0]
    assert row["agreeing"] == 1
    assert "specifications are not estimable" in row["status"]


def test_no_specification_stands_twice(table):
    """The largest source is left out by `largest` and by `each`: once is enough."""
    assert not table.duplicated(["contrast", *CHOICES]).any()
