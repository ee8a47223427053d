"""Error rates by group: hand-worked values, intervals, and the bias they bring."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from framing.inference.design import population
from framing.inference.intervals import Settings
from framing.tables.errors import (
    BIAS,
    BIAS_DIFFERENCE,
    NEGATIVE_VALUE,
    NO_PASSAGE,
    ONE_SOURCE,
    OPTIMISTIC,
    POSITIVE_VALUE,
    SENSITIVITY,
    SPECIFICITY,
    T11_COLUMNS,
    errors_table,
    weighted_mean,
)
from tests.unit import inference_samples as samples

CONFIG = {
    "groups": {"g": "One", "h": "Other", "lone": "One source", "empty": "Nobody"},
    "periods": [{"id": "early", "first": 1990, "last": 1999}],
    "undated": "undated",
    "case_study": "",
    "inference": {
        "confidence": 0.95, "tuning_minimum": 20, "cell_minimum": 5, "wilson_below": 10,
        "gain_discount": 0, "few_coded": 0, "source_correlation": 0.2,
    },
}  # fmt: skip


def corpus() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two strata: in g every second passage is drawn (weight 2), elsewhere all (weight 1)."""
    rows = []
    for source, group, codes in (
        # label, decision
        ("a", "g", [(1, 1), (0, 1), (0, 0)]),
        ("b", "g", [(1, 0), (0, 0), (1, 1)]),
        ("c", "h", [(1, 1), (0, 0), (0, 0)]),
        ("d", "h", [(0, 1), (1, 1)]),
        ("e", "lone", [(1, 0), (0, 0)]),
    ):
        rows += [(source, group, *pair) for pair in codes]
        rows += [(source, group, None, 1)] * (3 if group == "g" else 0)
    frame = pd.DataFrame(rows, columns=["source_id", "group", "label", "decision"])
    frame["passage_id"] = [f"p{n}" for n in range(len(frame))]
    drawn = frame["label"].notna()
    frame["stratum"] = frame["group"].where(drawn)
    sizes = frame["group"].map(frame["group"].value_counts())
    counts = frame.loc[drawn, "group"].value_counts()
    frame["stratum_size"] = sizes.where(drawn).astype("Int64")
    frame["stratum_sampled"] = frame["group"].map(counts).where(drawn).astype("Int64")
    frame["weight"] = (frame["stratum_size"] / frame["stratum_sampled"]).astype(float)
    frame["period"] = "early"
    scores = frame[["passage_id", "label", "decision"]].assign(
        code="c", fold=0, probability=frame["decision"].astype(float)
    )
    return frame, scores.astype({"label": "Int64", "decision": int})


@pytest.fixture(scope="module")
def table():
    return errors_table(*corpus(), CONFIG)


def cell(table, measure, group="all", period="all", other=""):
    rows = table.set_index(["measure", "group", "period", "against"])
    return rows.loc[(measure, group, period, other)]


def test_rates_of_a_group_are_those_worked_out_by_hand(table):
    assert tuple(table.columns) == T11_COLUMNS
    assert cell(table, SENSITIVITY, "g")["estimate"] == pytest.approx(2 / 3)
    assert cell(table, SPECIFICITY, "g")["estimate"] == pytest.approx(2 / 3)
    assert cell(table, POSITIVE_VALUE, "g")["estimate"] == pytest.approx(2 / 3)
    assert cell(table, NEGATIVE_VALUE, "g")["estimate"] == pytest.approx(2 / 3)
    assert cell(table, BIAS, "g")["estimate"] == pytest.approx(0)
    assert cell(table, BIAS, "h")["estimate"] == pytest.approx(1 / 5)


def test_totals_are_weighted_by_design(table):
    # Carrying: g 3 passages of weight 2 (2 marked), h 2 (both marked), lone 1 (not marked).
    assert cell(table, SENSITIVITY)["estimate"] == pytest.approx((2 * 2 + 2) / (3 * 2 + 2 + 1))


def test_a_difference_of_biases_is_what_a_naive_comparison_is_off_by(table):
    row = cell(table, BIAS_DIFFERENCE, "g", other="h")
    assert row["estimate"] == pytest.approx(-1 / 5)
    one, other = cell(table, BIAS, "g"), cell(table, BIAS, "h")
    assert row["se"] == pytest.approx(np.hypot(one["se"], other["se"]))


def test_cells_that_cannot_be_given_say_why(table):
    assert cell(table, SENSITIVITY, "empty")["status"] == NO_PASSAGE
    assert np.isnan(cell(table, SENSITIVITY, "empty")["estimate"])
    assert cell(table, SENSITIVITY, "lone")["status"] == ONE_SOURCE
    assert cell(table, BIAS, period="undated")["status"] == NO_PASSAGE
    assert cell(table, BIAS_DIFFERENCE, "g", other="lone")["status"] == ONE_SOURCE


def test_intervals_of_rates_stay_within_bounds_and_have_width(table):
    given = table.dropna(subset=["ci_low"])
    rates = given[~given["measure"].isin([BIAS, BIAS_DIFFERENCE])]
    assert (rates["ci_low"] >= 0).all()
    assert (rates["ci_high"] <= 1).all()
    assert (rates["ci_low"] < rates["ci_high"]).all()


def test_the_variance_is_that_between_sources():
    passages, scores = corpus()
    frame = population(passages)
    chosen = np.isin(frame.drawn, np.flatnonzero((passages["group"] == "h").to_numpy()))
    marked = scores["decision"].to_numpy(dtype=float)[frame.drawn]
    found = weighted_mean(frame, chosen, marked, Settings.of(CONFIG))
    # Two sources, mean .6: totals (1 - 3 * .6)/5 and (2 - 2 * .6)/5, each divided by what the other
    # has of the weight, 2/5 and 3/5: of few and unequal sources the longer hides more of itself.
    expected = ((1 - 1.8) / 5) ** 2 / (2 / 5) + ((2 - 1.2) / 5) ** 2 / (3 / 5)
    assert float(np.square(found.deviations).sum()) == pytest.approx(expected)


def read_beside_unread() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two strata, six of twelve and four of sixteen unread, weights 2 and 4; six read passages.

    Codes and decisions: weight 2: 11 10 10 01 00 00, weight 4: 11 10 01 00. The classifier is right
    of all that was read.
    """
    passages = samples.roles("uuuuuu......" + "uuuu............" + "rrrrrr",
                             "x" * 12 + "y" * 16 + "r" * 6)  # fmt: skip
    passages["group"] = "g"
    truth, said = (
        samples.marks(first + "0" * 6 + second + "0" * 12 + "110000")
        for first, second in (("111000", "1100"), ("100100", "1010"))
    )
    return passages, samples.table_of(passages, truth, said)


def test_rates_are_those_on_unread_passages():
    table = errors_table(*read_beside_unread(), CONFIG)
    # Carrying: 3·2 + 2·4 = 14, marked of them 2 + 4. Others the same: not marked 2·2 + 4 of 14.
    for measure, expected in (
        (SENSITIVITY, 6 / 14),
        (SPECIFICITY, 8 / 14),
        # Called 2·2 + 2·4 = 12, right 2 + 4; not called 4·2 + 2·4 = 16, right 2·2 + 4.
        (POSITIVE_VALUE, 6 / 12),
        (NEGATIVE_VALUE, 8 / 16),
        # Marked 12 of 28, carrying 14.
        (BIAS, -2 / 28),
    ):
        row = cell(table, measure, "g")
        assert row["estimate"] == pytest.approx(expected), measure
        assert OPTIMISTIC not in row["status"]
    assert cell(table, BIAS, "g")["passages"] == 10


def test_rates_do_not_know_how_well_the_classifier_does_where_authors_looked():
    passages, scores = samples.drawn_twice(samples.corpus(2, sources=40), 3, read=40, unread=60)
    better = samples.knowing_all(passages, scores)
    assert (better["decision"] != scores["decision"]).any()
    config = samples.config()
    pd.testing.assert_frame_equal(
        errors_table(passages, better, config), errors_table(passages, scores, config)
    )


def test_rates_are_called_optimistic_where_nothing_is_unread():
    """Read: two of four, weight 2, and two of eight, weight 4; the last decision is wrong."""
    passages = samples.roles("RR--RR------", "xxxxyyyyyyyy").assign(group="g")
    scores = samples.table_of(
        passages, samples.marks("100010000000"), samples.marks("100011000000")
    )
    table = errors_table(passages, scores, CONFIG)
    assert table["status"].str.startswith(OPTIMISTIC).all()
    assert cell(table, BIAS, "g")["estimate"] == pytest.approx(4 / 12)
    assert cell(table, SPECIFICITY, "g")["estimate"] == pytest.approx(2 / 6)
