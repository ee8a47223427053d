"""Rogan and Gladen's known answers; all estimators side by side; what the classifier adds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from framing.inference.design import CORPUS, TEXTS, domain, population
from framing.inference.estimator import NOT_CONFIRMED
from framing.inference.estimators import DIFFERENCE, LABELS, estimate, horvitz_thompson, untuned
from framing.inference.external import RefusedError, rogan_gladen
from framing.inference.intervals import Settings
from framing.inference.outcomes import outcome
from framing.tables.errors import OPTIMISTIC
from framing.tables.estimators import (
    T20_COLUMNS,
    T21_COLUMNS,
    codings_for,
    gain_table,
    side_by_side_table,
)
from tests.unit import inference_samples as samples
from tests.unit.test_errors import CONFIG, corpus

Z = 1.959964

HORVITZ_THOMPSON, UNTUNED = horvitz_thompson.ESTIMATOR.name, untuned.ESTIMATOR.name


def test_rogan_and_gladens_estimate_and_lang_and_reiczigels_interval_have_known_values():
    found = rogan_gladen(300, 1000, 80, 100, 180, 200, Z)
    assert (found.value, found.se) == pytest.approx((0.285714, 0.034113), abs=5e-7)
    assert (found.low, found.high) == pytest.approx((0.218012, 0.354265), abs=5e-7)


@pytest.mark.parametrize(
    ("marked", "passages", "se", "sp", "expected"),
    [(20, 120, 0.9, 0.99, 0.176030), (23, 150, 0.96, 0.89, 0.050980)],
)
def test_point_estimates_with_error_rates_known_for_sure(marked, passages, se, sp, expected):
    many = 10**9
    found = rogan_gladen(marked, passages, round(se * many), many, round(sp * many), many, Z)
    assert found.value == pytest.approx(expected, abs=5e-7)
    if marked == 20:
        # Wald's interval with known error rates, as RSurveillance documents it.
        ends = (found.value - Z * found.se, found.value + Z * found.se)
        assert ends == pytest.approx((0.101109, 0.250951), abs=5e-6)


def test_a_classifier_that_tells_nothing_is_refused():
    with pytest.raises(RefusedError, match="tells too little"):
        rogan_gladen(300, 1000, 60, 100, 55, 100, Z)


def test_error_rates_that_do_not_carry_over_are_refused():
    with pytest.raises(RefusedError, match="do not carry over"):
        rogan_gladen(1, 10_000, 80, 100, 160, 200, Z)
    with pytest.raises(RefusedError, match="labelled passages"):
        rogan_gladen(1, 10, 0, 0, 5, 5, Z)


def test_a_share_slightly_outside_is_cut_to_the_limit():
    found = rogan_gladen(95, 1000, 80, 100, 180, 200, Z)
    assert found.value == 0
    assert found.low == 0 < found.high


@pytest.fixture(scope="module")
def tables():
    passages, scores = corpus()
    return side_by_side_table(passages, scores, CONFIG), gain_table(passages, scores, CONFIG)


def test_horvitz_and_thompson_divide_by_the_known_number(tables):
    side, _ = tables
    assert tuple(side.columns) == T20_COLUMNS
    rows = side[side["target"] == "texts"].set_index(["group", "estimator"])["estimate"]
    # Group g: 3 of 6 drawn passages carry the code, weight 2, 12 passages; whole strata: the same.
    assert rows["g", HORVITZ_THOMPSON] == pytest.approx(0.5)
    assert rows["g", "labels only"] == pytest.approx(0.5)
    # Decisions are the probabilities here: 9 of 12 marked, mean error 0.
    assert rows["g", UNTUNED] == pytest.approx(9 / 12 + (3 - 3) / 6)
    assert side["estimator"].nunique() == 6


def test_horvitz_and_thompson_part_from_labels_where_weights_miss_the_known_number():
    """Group b has 6 passages, and weights of those of it that were drawn add up to 8."""
    passages = samples.drawn_from("x" * 12, [0, 1, 4, 5, 8, 9], groups="aaaaaaaabbbb",
                                  sources=list("ababcdcdefef"))  # fmt: skip
    passages.loc[[4, 5], "group"] = "b"
    truth = samples.marks("000010001000")
    scores = samples.table_of(passages, truth, np.zeros(12))
    side = side_by_side_table(passages, scores, {**CONFIG, "groups": {"a": "A", "b": "B"}})
    rows = side[side["target"] == "corpus"].set_index(["group", "estimator"])["estimate"]
    size, drawn = 6, 4
    assert (passages["group"] == "b").sum() == size
    # Weights are 12 / 6 = 2 each: two of four carry the code.
    assert rows["b", "labels only"] == pytest.approx(2 / drawn)
    assert rows["b", HORVITZ_THOMPSON] == pytest.approx(2 * 2 / size)


def test_cells_without_codes_say_so(tables):
    side, gain = tables
    empty = side[(side["group"] == "empty") & (side["estimator"] == HORVITZ_THOMPSON)]
    assert empty["status"].str.startswith("not estimable").all()
    assert tuple(gain.columns) == T21_COLUMNS
    assert gain[gain["group"] == "empty"]["status"].str.startswith("not estimable").all()


def test_the_gain_is_a_ratio_of_variances_and_never_claims_more_than_it_shows(tables):
    _, gain = tables
    row = gain[(gain["group"] == "all") & (gain["target"] == "texts")].iloc[0]
    passages, scores = corpus()
    drawn = passages["weight"].notna()
    label = scores.loc[drawn, "label"].astype(float)
    score = scores.loc[drawn, "probability"]
    weight = passages.loc[drawn, "weight"]
    covariance = np.cov(label, score, aweights=weight, ddof=0)
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert row["correlation"] == pytest.approx(expected)
    # Too few codes to tune: the difference is labels only, and nothing is gained.
    assert row["gain"] == pytest.approx(1)
    # No number of codings of these sources takes away what is due to the sources.
    assert row[["effective_coded", "labels_worth_counting"]].isna().all()
    assert row["reading"] == ""
    corpus_row = gain[(gain["group"] == "all") & (gain["target"] == "corpus")].iloc[0]
    assert corpus_row["effective_coded"] == corpus_row["coded"] == 6  # all others are known


# --- worth in codings -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (1 / 100 - 1 / 850, 100),  # as sure as now
        (1 / 400 - 1 / 850, 400),
        (1 / 849 - 1 / 850, 849),
        (0.0, 850),  # all of them, and not a third of a million
        (1 / 2 - 1 / 850, 2),
        (5.0, 1),
    ],
)
def test_worth_in_codings_reckons_with_the_passages_there_are(wanted, expected):
    """100 of 850 passages with S² = .24: the variance is .24·(1/100 − 1/850)."""
    assert codings_for(0.24 * wanted, 0.24 * (1 / 100 - 1 / 850), 100, 850) == expected


@examples(max_examples=60, deadline=None)
@given(st.integers(2, 900), st.floats(1e-9, 1), st.floats(0, 10))
def test_no_estimate_is_worth_more_codings_than_there_are_passages(coded, variance, share):
    found = codings_for(share * variance, variance, coded, 1000)
    assert 1 <= found <= 1000
    assert (found >= coded) if share <= 1 else (found <= coded)


@pytest.fixture(scope="module")
def twice():
    return samples.drawn_twice(samples.corpus(4, sources=60), 5, read=60, unread=90)


def test_what_the_classifier_adds_is_judged_by_unread_passages(twice):
    passages, scores = twice
    config = samples.config()
    settings, frame = Settings.of(config), population(passages)
    data = outcome(frame, scores, "cost", settings)
    row = gain_table(passages, scores, config).set_index(["group", "target"]).loc[("all", CORPUS)]
    part = domain(frame)
    unread = (passages["role"] == "confirmation").to_numpy()
    left = len(passages) - 60
    assert (row["coded"], row["status"]) == (unread.sum(), "")
    label = scores.loc[unread, "label"].astype(float)
    weight = passages.loc[unread, "weight"]
    covariance = np.cov(label, scores.loc[unread, "probability"], aweights=weight, ddof=0)
    assert row["correlation"] == pytest.approx(
        covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    )
    bias = np.average(scores.loc[unread, "decision"] - label, weights=weight)
    assert row["naive_bias"] == pytest.approx(bias)
    labels, tuned = (
        estimate(name, frame, part, data, settings).variance[CORPUS]
        for name in (LABELS, DIFFERENCE)
    )
    assert row["gain"] == pytest.approx(labels / tuned)
    assert row["gain"] > 1
    # S² of the rest from its variance, then both questions by it: n' = S²/(V' + S²/N).
    size = left / len(passages)
    square = labels / size**2 / (1 / unread.sum() - 1 / left)
    worth = [round(square / (wanted + square / left)) for wanted in (tuned / size**2, bias**2)]
    assert [row["effective_coded"], row["labels_worth_counting"]] == worth
    assert unread.sum() < worth[0] < left
    assert row["reading"] == (
        f"with the classifier, {unread.sum()} codings of {left} passages are worth {worth[0]} "
        f"without it; counting is worth {worth[1]}"
    )


def test_gain_does_not_know_how_well_the_classifier_does_where_authors_looked(twice):
    passages, scores = twice
    better = samples.knowing_all(passages, scores)
    plain, other = (gain_table(passages, one, samples.config()) for one in (scores, better))
    pd.testing.assert_frame_equal(other, plain)


def test_gain_is_called_optimistic_where_nothing_is_unread(twice):
    passages, scores = twice
    read = passages["role"] == "development"
    looked = passages.assign(
        role=passages["role"].where(read, ""), unread_frame=False, random_share=1.0,
        weight=passages["read_weight"],
    )  # fmt: skip
    for name in ("stratum", "stratum_size", "stratum_sampled"):
        looked[name] = passages[name].where(read, None)
    own = scores.assign(label=scores["label"].where(read))
    table = gain_table(looked, own, samples.config()).set_index(["group", "target"])
    row = table.loc[("all", CORPUS)]
    assert row["status"].startswith(OPTIMISTIC)
    label, decision = (own.loc[read, name].astype(float) for name in ("label", "decision"))
    assert row["naive_bias"] == pytest.approx((decision - label).mean())
    assert row["coded"] == 60


def test_a_group_that_no_unread_draw_reaches_has_no_error_to_speak_of():
    passages = samples.roles("uuuu...." + "RRRR----", groups="aaaaaaaabbbbbbbb")
    passages["group"] = passages["group"].map({"a": "council", "b": "press"})
    truth = samples.marks("1010000011000000")
    scores = samples.table_of(passages, truth, samples.marks("1100000011110000"))
    row = gain_table(passages, scores, samples.config()).set_index(["group", "target"])
    row = row.loc[("press", CORPUS)]
    assert np.isnan(row["correlation"])
    assert np.isnan(row["naive_bias"])
    assert row["labels_worth_counting"] is pd.NA
    assert row["status"]
    # T20 speaks of the same group, by labels only.
    side = side_by_side_table(passages, scores, samples.config())
    side = side[(side["group"] == "press") & (side["target"] == CORPUS)].set_index("estimator")
    for name in (DIFFERENCE, UNTUNED):
        assert side.loc[name, "estimate"] == side.loc[LABELS, "estimate"] == 0.5
        assert side.loc[name, "status"] == NOT_CONFIRMED


def test_estimators_side_by_side_have_their_known_answers_beside_known_passages():
    """(5 + 100·θ)/125 and 100/125 of the standard error, with θ and it known (methods, test 4)."""
    passages, truth, score = samples.beside_read()
    table = side_by_side_table(passages, samples.table_of(passages, truth, score), samples.config())
    found = table[(table["group"] == "all")].set_index(["target", "estimator"])
    for name, share, se in (
        (HORVITZ_THOMPSON, 0.466667, 0.142984), (UNTUNED, 0.416667, 0.113039),
        (LABELS, 0.466667, 0.142984),
    ):  # fmt: skip
        row = found.loc[(CORPUS, name)]
        assert row["estimate"] == pytest.approx((5 + 100 * share) / 125, abs=5e-7)
        assert row["se"] == pytest.approx(0.8 * se, abs=5e-7)
        assert row["status"] == ""
        assert found.loc[(TEXTS, name), "estimate"] == row["estimate"]
