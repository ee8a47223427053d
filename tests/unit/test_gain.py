"""Rogan and Gladen's known answers; all estimators side by side; what the classifier adds."""

from __future__ import annotations

import numpy as np
import pytest

from framing.inference.external import RefusedError, rogan_gladen
from framing.inference.gain import (
    HORVITZ_THOMPSON,
    T20_COLUMNS,
    T21_COLUMNS,
    UNTUNED,
    gain_table,
    side_by_side_table,
)
from tests.unit.test_errors import CONFIG, corpus

Z = 1.959964


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
    assert row["effective_coded"] == row["coded"]
