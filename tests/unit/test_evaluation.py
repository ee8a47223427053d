"""Tables of the classifier's quality: figures as scikit-learn has them, intervals by sources."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from framing.tables.outside_frame import UNFAMILIAR, with_unfamiliar
from framing.tables.quality import (
    T3_COLUMNS,
    T13_COLUMNS,
    ablation_table,
    average_precisions,
    calibration_table,
    f1_scores,
    learning_table,
    methods_table,
    percentiles,
    resampled_weights,
)

CONFIG = {
    "groups": {"g": "One", "h": "Other", "empty": "None of them"},
    "agreement": {"minimum_units": 4},
    "classifier": {"calibration_bins": 4},
    "inference": {"confidence": 0.9},
    "evaluation": {"draws": 200, "seed": 3, "ablations": {"worse": {}, "same": {}}},
}


def corpus(seed=1, sources=12, each=5):
    """Make a frame, scores of one code, and predictions of a coin, of ours, and of the opposite."""
    rng = np.random.default_rng(seed)
    number = sources * each
    names = [f"p{n}" for n in range(number)]
    source = [f"s{n // each}" for n in range(number)]
    label = (rng.random(number) < 0.4).astype(int)
    probability = np.round(np.clip(label * 0.5 + rng.random(number) * 0.5, 0, 1), 6)
    passages = pd.DataFrame(
        {
            "passage_id": names,
            "source_id": source,
            "group": ["g" if int(name[1:]) % 2 else "h" for name in source],
            "weight": np.where(np.arange(number) % 3 == 0, 2.0, 1.0),
        }
    )
    scores = pd.DataFrame(
        {
            "passage_id": names,
            "code": "c",
            "label": pd.array(label, dtype="Int64"),
            "probability": probability,
            "decision": (probability >= 0.5).astype(int),
            "unfamiliar": (np.arange(number) < each).astype(int),
        }
    )
    made = [
        scores.assign(method="same")[["code", "method", "passage_id", "probability", "decision"]],
        scores.assign(method="worse", probability=1 - probability, decision=1 - scores["decision"])[
            ["code", "method", "passage_id", "probability", "decision"]
        ],
    ]
    return passages, scores, pd.concat(made, ignore_index=True)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.integers(0, 1), st.integers(0, 1),
            st.integers(1, 3),
        ),
        min_size=2,
    ).filter(lambda rows: any(row[1] for row in rows))
)  # fmt: skip
def test_weighted_measures_are_those_of_scikit_learn(rows):
    probability, label, decision, weight = (np.array(column) for column in zip(*rows, strict=True))
    weights = np.stack([weight, np.ones(len(rows))]).astype(float)
    theirs = [average_precision_score(label, probability, sample_weight=row) for row in weights]
    assert average_precisions(label, probability, weights) == pytest.approx(theirs)
    theirs = [f1_score(label, decision, sample_weight=row, zero_division=0) for row in weights]
    assert f1_scores(label, decision, weights) == pytest.approx(theirs)


def test_a_resample_without_positives_is_undefined_and_left_out():
    weights = np.array([[1.0, 0.0], [0.0, 1.0]])
    found = average_precisions(np.array([1, 0]), np.array([0.9, 0.1]), weights)
    assert found[0] == 1
    assert np.isnan(found[1])
    assert percentiles(found, 0.95) == (1.0, 1.0)


def test_sources_are_resampled_whole():
    weights = resampled_weights(np.ones(6), np.array([0, 0, 0, 1, 1, 2]), 50, 1)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 3] == weights[:, 4]).all()
    assert (weights[:, 0] + weights[:, 3] + weights[:, 5] == 3).all()
    assert resampled_weights(np.ones(2), np.array([4, 4]), 10, 1).shape == (0, 2)


def looked_at(passages, unread):
    """Give the passages of the sources named to a confirmation draw, all others to a read one."""
    own = passages["source_id"].isin(unread)
    return passages.assign(
        role=np.where(own, "confirmation", "development"),
        read_weight=np.where(own, np.nan, passages["weight"] + 1),
    )


def test_unread_passages_lead_and_read_ones_are_optimistic():
    passages, scores, predictions = corpus()
    unread = [f"s{n}" for n in range(8)]
    frame = looked_at(passages, unread)
    table = methods_table(frame, scores, predictions, CONFIG, "ours", ["worse"])
    assert tuple(table.columns) == T3_COLUMNS
    assert table["method"].drop_duplicates().tolist() == ["ours", "worse"]
    ours = table[table["method"] == "ours"]
    assert list(zip(ours["part"], ours["group"], strict=True)) == [
        ("unread", "all"), ("read", "all"), ("unread", "g"), ("unread", "h"), ("unread", "empty"),
    ]  # fmt: skip
    rows = table.set_index(["method", "part", "group"])
    for part, weight in (("unread", frame["weight"]), ("read", frame["read_weight"])):
        member = (frame["role"] == "confirmation") == (part == "unread")
        row = rows.loc[("ours", part, "all")]
        label = scores.loc[member, "label"].astype(int)
        assert row["passages"] == member.sum() and row["positives"] == label.sum()
        assert row["average_precision"] == pytest.approx(
            average_precision_score(label, scores.loc[member, "probability"],
                                    sample_weight=weight[member])
        )  # fmt: skip
        assert row["ap_low"] <= row["average_precision"] <= row["ap_high"]
        assert row["status"].startswith("optimistic") == (part == "read")
        assert rows.loc[("worse", part, "all"), "average_precision"] < row["average_precision"]
    assert "no coded passage" in rows.loc[("ours", "unread", "empty"), "status"]
    assert table[list(UNFAMILIAR)].isna().all(axis=None)


def test_where_nothing_is_unread_read_passages_stand_alone_and_are_called_optimistic():
    passages, scores, predictions = corpus()
    table = methods_table(looked_at(passages, []), scores, predictions, CONFIG, "ours", [])
    assert set(table["part"]) == {"read"}
    assert table["group"].tolist() == ["all", "g", "h", "empty"]
    assert table["status"].str.startswith("optimistic: ").all()
    assert "no coded passage" in table["status"].iloc[-1]


def test_a_frame_without_roles_is_unread():
    passages, scores, predictions = corpus()
    table = methods_table(passages, scores, predictions, CONFIG, "ours", [])
    assert set(table["part"]) == {"unread"} and not table["status"].iloc[0]


def test_unfamiliar_passages_are_counted_whether_a_draw_could_have_reached_them_or_not():
    passages, scores, predictions = corpus()
    frame = looked_at(passages, [f"s{n}" for n in range(8)])
    table = methods_table(frame, scores, predictions, CONFIG, "ours", ["worse"])
    rows = with_unfamiliar(table, frame, scores, "ours")
    pd.testing.assert_frame_equal(rows.drop(columns=list(UNFAMILIAR)),
                                  table.drop(columns=list(UNFAMILIAR)))  # fmt: skip
    rows = rows.set_index(["method", "part", "group"])[list(UNFAMILIAR)]
    assert rows.loc[("ours", "unread", "all")].tolist() == [5, 1]
    assert rows.loc["worse"].isna().all(axis=None)
    assert rows.loc[("ours", "read", "all")].isna().all()
    late = frame.tail(3).assign(passage_id=["x1", "x2", "x3"], source_id="late", group="g")
    strange = scores.tail(3).assign(passage_id=["x1", "x2", "x3"], unfamiliar=[1, 1, 0])
    more = [pd.concat([frame, late]), pd.concat([scores, strange])]
    grown = with_unfamiliar(table, *more, "ours").set_index(["method", "part", "group"])
    grown = grown[list(UNFAMILIAR)]
    assert grown.loc[("ours", "unread", "all")].tolist() == [7, 2]
    both = [one.loc[("ours", "unread", "g")] for one in (grown, rows)]
    assert (both[0] - both[1]).tolist() == [2, 1]


def test_all_other_figures_rest_on_unread_passages_or_say_that_they_are_optimistic():
    passages, scores, predictions = corpus()
    unread = passages["source_id"].isin([f"s{n}" for n in range(8)])
    mixed = looked_at(passages, [f"s{n}" for n in range(8)])
    alone = passages[unread].reset_index(drop=True)
    score = scores["probability"]
    learning = pd.DataFrame({"code": "c", "share": 1.0, "repeat": 0, "passages": 40,
                             "passage_id": scores["passage_id"], "score": score})  # fmt: skip
    for made in (
        lambda frame: ablation_table(frame, scores, predictions, CONFIG, "ours"),
        lambda frame: learning_table(frame, scores, learning),
        lambda frame: calibration_table(frame, scores, CONFIG),
    ):
        pd.testing.assert_frame_equal(made(mixed), made(alone))
        optimistic = made(looked_at(passages, []))["status"]
        assert optimistic.str.startswith("optimistic: ").all()
        assert not made(mixed)["status"].str.contains("optimistic").any()


def test_ablations_are_paired():
    passages, scores, predictions = corpus()
    table = ablation_table(passages, scores, predictions, CONFIG, "ours")
    assert tuple(table.columns) == T13_COLUMNS
    rows = table.set_index("variant")
    assert np.isnan(rows.loc["ours", "ap_change"])
    assert rows.loc["same", ["ap_change", "ap_change_low", "ap_change_high"]].tolist() == [0, 0, 0]
    assert rows.loc["worse", "ap_change_high"] < 0
    assert rows.loc["worse", "f1_change_high"] < 0


def test_a_code_that_nobody_found_is_marked():
    passages, scores, predictions = corpus()
    nobody = scores.assign(label=pd.array([0] * len(scores), dtype="Int64"))
    table = ablation_table(passages, nobody, predictions, CONFIG, "ours")
    assert (table["status"] == "undefined: no coded passage carries the code").all()
    rows = methods_table(passages, nobody, predictions, CONFIG, "ours", [])
    assert rows["average_precision"].isna().all()


def test_the_learning_curve_is_a_mean_over_repeats():
    passages, scores, _ = corpus()
    good, bad = scores["probability"], 1 - scores["probability"]
    learning = pd.concat(
        [
            pd.DataFrame(
                {
                    "code": "c", "share": share, "repeat": repeat, "passages": taught,
                    "passage_id": scores["passage_id"], "score": score,
                }
            )
            for share, repeat, taught, score in (
                (0.5, 0, 20, bad), (0.5, 1, 30, good), (1.0, 0, 48, good), (1.0, 1, 48, np.nan),
            )
        ]
    )  # fmt: skip
    table = learning_table(passages, scores, learning).set_index("share")
    low, high = table.loc[0.5, "ap_lowest"], table.loc[0.5, "ap_highest"]
    assert table.loc[0.5, "average_precision"] == pytest.approx((low + high) / 2)
    assert table.loc[0.5, "passages"] == 25
    assert table.loc[1.0, "repeats"] == 1
    assert table.loc[1.0, "average_precision"] == pytest.approx(high)


def test_bins_of_calibration_hold_everything_once():
    passages, scores, _ = corpus()
    table = calibration_table(passages, scores, CONFIG)
    assert table["passages"].sum() == len(scores)
    assert table["from"].tolist() == [0, 0.25, 0.5, 0.75]
    filled = table[table["passages"] > 0]
    assert ((filled["ci_low"] <= filled["share"]) & (filled["share"] <= filled["ci_high"])).all()
    border = scores.assign(probability=0.25)
    table = calibration_table(passages, border, CONFIG)
    assert table["passages"].tolist() == [0, len(scores), 0, 0]
    assert table["status"].tolist() == ["empty", "", "empty", "empty"]
    share = np.average(scores["label"].astype(float), weights=passages["weight"])
    assert table["share"][1] == pytest.approx(share)
