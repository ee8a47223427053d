"""Co-occurrence of codes: hand-worked odds ratios, intervals, and cells that cannot be given."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pandas as pd
import pytest

from framing.inference.contrasts import holm
from framing.tables.association import (
    APART,
    ONE_SOURCE,
    T19_COLUMNS,
    TOGETHER,
    UNDECIDED,
    association_table,
)

CONFIG = {
    "groups": {"g": "One", "h": "Other", "empty": "Nobody"},
    "inference": {
        "confidence": 0.95, "tuning_minimum": 20, "cell_minimum": 5, "wilson_below": 10,
        "gain_discount": 0, "few_coded": 0, "source_correlation": 0.2,
    },
}  # fmt: skip


def corpus(cells, groups=("g",), each=1):
    """Make a census with, by group, counts of (both, a alone, b alone, neither)."""
    rows = []
    for group, counts in zip(groups, cells, strict=True):
        pairs = [(1, 1)] * counts[0] + [(1, 0)] * counts[1] + [(0, 1)] * counts[2]
        pairs += [(0, 0)] * counts[3]
        rows += [(group, f"{group}{n // each}", *pair) for n, pair in enumerate(pairs)]
    frame = pd.DataFrame(rows, columns=["group", "source_id", "a", "b"])
    frame["passage_id"] = [f"p{n}" for n in range(len(frame))]
    frame["period"], frame["stratum"] = "p", "one"
    frame["stratum_size"] = frame["stratum_sampled"] = len(frame)
    frame["weight"] = 1.0
    scores = pd.concat(
        [
            pd.DataFrame({"passage_id": frame["passage_id"], "code": code, "label": frame[code]})
            for code in ("a", "b")
        ]
    ).astype({"label": "Int64"})
    return frame, scores


def row(table, group="all"):
    return table.set_index("group").loc[group]


def test_an_odds_ratio_is_the_one_worked_out_by_hand_with_woolfs_interval():
    table = association_table(*corpus([(20, 10, 10, 60)]), CONFIG)
    assert tuple(table.columns) == T19_COLUMNS
    found = row(table)
    assert found["odds_ratio"] == pytest.approx(12)
    assert found["lift"] == pytest.approx(0.2 / (0.3 * 0.3))
    # One passage a source: Woolf's variance 1/20 + 1/10 + 1/10 + 1/60, times n/(n − 1).
    se = sqrt((1 / 20 + 1 / 10 + 1 / 10 + 1 / 60) * 100 / 99)
    half = 1.984217 * se
    assert found["or_low"] == pytest.approx(exp(log(12) - half), rel=1e-5)
    assert found["or_high"] == pytest.approx(exp(log(12) + half), rel=1e-5)
    assert found["reading"] == TOGETHER


def test_only_the_codes_asked_about_are_paired():
    frame, scores = corpus([(20, 10, 10, 60)])
    more = pd.concat([scores[scores["code"] == "a"].assign(code="c"), scores])
    assert len(association_table(frame, more, CONFIG)) == 3 * 4
    asked = association_table(frame, more, CONFIG, ["a", "b"])
    pd.testing.assert_frame_equal(asked, association_table(frame, scores, CONFIG))


def test_exchanging_the_codes_changes_nothing_and_turning_one_over_inverts():
    frame, scores = corpus([(20, 10, 15, 60)])
    first = row(association_table(frame, scores, CONFIG))
    turned = scores.assign(
        label=np.where(scores["code"] == "b", 1 - scores["label"], scores["label"])
    ).astype({"label": "Int64"})
    other = row(association_table(frame, turned, CONFIG))
    assert other["odds_ratio"] == pytest.approx(1 / first["odds_ratio"])
    assert other["or_low"] == pytest.approx(1 / first["or_high"])
    assert other["reading"] == APART


def test_independent_codes_are_not_distinguishable():
    found = row(association_table(*corpus([(9, 21, 21, 49)]), CONFIG))
    assert found["odds_ratio"] == pytest.approx(1)
    assert found["lift"] == pytest.approx(1)
    assert found["reading"] == UNDECIDED


def test_cells_that_cannot_be_given_say_why():
    frame, scores = corpus([(5, 5, 5, 15), (0, 3, 4, 5)], groups=("g", "h"))
    table = association_table(frame, scores, CONFIG)
    assert "no coded passage carries both codes" in row(table, "h")["status"]
    assert np.isnan(row(table, "h")["odds_ratio"])
    assert row(table, "h")["lift"] == 0
    assert "no coded passage" in row(table, "empty")["status"]
    lone = row(association_table(frame.assign(source_id="x"), scores, CONFIG), "g")
    assert lone["status"] == ONE_SOURCE
    assert lone["odds_ratio"] == pytest.approx(3)


def test_holms_adjustment_has_its_textbook_values():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    adjusted = holm([0.5, float("nan"), 0.6])
    assert adjusted[0] == pytest.approx(1.0)
    assert np.isnan(adjusted[1])
    assert holm([]) == []
