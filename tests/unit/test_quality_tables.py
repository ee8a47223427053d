"""Weighted quality of predictions, and the table of who agrees with whom."""

from __future__ import annotations

from itertools import combinations
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sklearn import metrics

from framing.inference import agreement
from framing.inference.agreement import (
    bootstrap_interval,
    coincidences,
    krippendorff_alpha,
    percent_agreement,
)
from framing.inference.classifier_quality import (
    MEASURES,
    NO_NEGATIVE,
    NO_POSITIVE,
    NONE_MARKED,
    calibration_error,
    quality,
)
from framing.inference.kappas import cohen_kappa, gwet_ac1
from framing.tables.agreement import (
    FEW_SOURCES,
    NO_CODER,
    ONE_CODER,
    T2_COLUMNS,
    Codes,
    agreement_table,
    comparisons,
    effective_coders,
)
from tests.unit.inference_samples import config, drawn_from, marks

# --- quality --------------------------------------------------------------------------------------


def four(**changes: Any) -> dict[str, Any]:
    """Weights 1 2 3 4, codes 1 1 0 0, marked the first and the third."""
    given_values = {
        "label": np.array([1, 1, 0, 0]), "probability": np.array([0.9, 0.3, 0.6, 0.1]),
        "decision": np.array([1, 0, 1, 0]), "weight": np.array([1.0, 2, 3, 4]), "bins": 2,
    }  # fmt: skip
    return quality(**(given_values | changes))


def test_measures_worked_out_by_hand() -> None:
    found = four()
    assert found["base_rate"] == pytest.approx(3 / 10)
    assert found["precision"] == pytest.approx(1 / 4)
    assert found["recall"] == pytest.approx(1 / 3)
    assert found["f1"] == pytest.approx(2 / 7)
    # .9: recall 1/3 at precision 1; .6 adds none; .3: the other 2/3 at precision 3/6.
    assert found["average_precision"] == pytest.approx(1 / 3 + 2 / 3 * 1 / 2)
    # Pairs in order: .9 above both (1·7), .3 above .1 (2·4), of 3·7.
    assert found["roc_auc"] == pytest.approx(15 / 21)
    assert found["brier"] == pytest.approx((0.01 + 2 * 0.49 + 3 * 0.36 + 4 * 0.01) / 10)
    # Below .5: 2·(.3 − 1) + 4·.1 = −1; above: (.9 − 1) + 3·.6 = 1.7.
    assert found["calibration_error"] == pytest.approx(2.7 / 10)
    assert found["status"] == ""
    assert set(found) == {*MEASURES, "status"}


def test_scale_of_the_weights_does_not_matter() -> None:
    plain, scaled = four(), four(weight=np.array([10.0, 20, 30, 40]))
    for name in MEASURES:
        assert scaled[name] == pytest.approx(plain[name])


rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 10), st.integers(0, 1), st.integers(1, 5)),
    min_size=2, max_size=25,
).filter(
    lambda found: len({row[0] for row in found}) == 2 and any(row[2] for row in found)
)  # fmt: skip


@pytest.mark.slow
@examples(max_examples=60, deadline=None)
@given(rows)
def test_measures_are_those_of_scikit_learn(found: list[tuple[int, int, int, int]]) -> None:
    label, tenths, decision, weight = (np.array(column) for column in zip(*found, strict=True))
    probability = tenths / 10
    ours = quality(label, probability, decision, weight.astype(float), 10)
    options = {"sample_weight": weight}
    theirs = {
        "base_rate": np.average(label, weights=weight),
        "average_precision": metrics.average_precision_score(label, probability, **options),
        "roc_auc": metrics.roc_auc_score(label, probability, **options),
        "f1": metrics.f1_score(label, decision, **options),
        "precision": metrics.precision_score(label, decision, **options),
        "recall": metrics.recall_score(label, decision, **options),
        "brier": metrics.brier_score_loss(label, probability, **options),
    }
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, abs=1e-12), name
    assert ours["status"] == ""


@pytest.mark.slow
@examples(max_examples=60, deadline=None)
@given(rows)
def test_passages_count_as_often_as_they_weigh(found: list[tuple[int, int, int, int]]) -> None:
    def measured(some: list[tuple[int, int, int, int]], weighted: bool) -> dict[str, Any]:
        label, tenths, decision, weight = (np.array(column) for column in zip(*some, strict=True))
        return quality(
            label,
            tenths / 10,
            decision,
            weight.astype(float) if weighted else np.ones(len(some)),
            4,
        )

    once = measured(found, True)
    often = measured([row for row in found for _ in range(row[3])], False)
    for name in MEASURES:
        assert once[name] == pytest.approx(often[name]), name


def test_measures_without_positives_negatives_or_marks_are_missing() -> None:
    nothing = four(label=np.zeros(4, dtype=int))
    assert nothing["status"] == NO_POSITIVE
    missing = [name for name in MEASURES if isnan(nothing[name])]
    assert missing == ["average_precision", "roc_auc", "f1", "recall"]
    assert nothing["precision"] == 0
    everything = four(label=np.ones(4, dtype=int))
    assert everything["status"] == NO_NEGATIVE
    assert [name for name in MEASURES if isnan(everything[name])] == ["roc_auc"]
    assert everything["average_precision"] == 1
    unmarked = four(decision=np.zeros(4, dtype=int))
    assert unmarked["status"] == NONE_MARKED
    assert [name for name in MEASURES if isnan(unmarked[name])] == ["precision"]
    assert (unmarked["f1"], unmarked["recall"]) == (0, 0)
    neither = four(label=np.zeros(4, dtype=int), decision=np.zeros(4, dtype=int))
    assert neither["status"] == f"{NO_POSITIVE}; {NONE_MARKED}"


def test_border_of_two_bins_belongs_to_the_upper_one_and_one_to_the_last() -> None:
    weight = np.ones(2)
    # Codes 1 at .5 and 0 at .6 or 1, together in the upper of two bins: −.5 + .6, −.5 + 1.
    for other in (0.6, 1.0):
        found = calibration_error(np.array([1, 0]), np.array([0.5, other]), weight, 2)
        assert found == pytest.approx((other - 0.5) / 2)
    # .29·100 is below 29 in the last bit, and yet not in the bin of .285: .71 and .285 apart.
    found = calibration_error(np.array([1, 0]), np.array([0.29, 0.285]), weight, 100)
    assert found == pytest.approx((0.71 + 0.285) / 2)


def test_calibrated_predictions_have_no_error() -> None:
    label = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    probability = np.array([0.25] * 4 + [0.75] * 4)
    assert calibration_error(label, probability, np.ones(8), 4) == pytest.approx(0)


# --- agreement ------------------------------------------------------------------------------------

ANN, BEN = "0100000010", "1110010000"  # alpha .095238, six of ten alike
SOURCES = "aabbccddee"
GROUPS = {"council": "Council papers", "press": "The press"}


def told(
    coders: dict[str, str], decision: str = ANN, label: str = ANN, minimum: int = 4
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Twelve passages, ten drawn (six of them council's) and coded; ``·`` where left out."""
    passages = drawn_from("x" * 12, range(10), sources=SOURCES + "ff")
    passages["group"] = ["council"] * 6 + ["press"] * 6
    codings = pd.DataFrame(
        [
            (passages["passage_id"][row], name, "cost", int(mark))
            for name, codes in coders.items()
            for row, mark in enumerate(codes)
            if mark != "·"
        ],
        columns=["passage_id", "coder", "code", "value"],
    )
    scores = pd.DataFrame(
        {
            "passage_id": passages["passage_id"],
            "code": "cost",
            "label": pd.array([int(mark) if mark != "·" else None for mark in label + "··"],
                              dtype="Int64"),
            "decision": marks(decision + "11").astype(int),
        }
    )  # fmt: skip
    settings = config()
    settings["groups"] = GROUPS
    settings["agreement"] = {
        "draws": 300, "seed": 3, "minimum_units": minimum, "minimum_sources": 2,
    }  # fmt: skip
    return passages, codings, scores, settings


def row_of(table: pd.DataFrame, comparison: str, coders: str, group: str = "all") -> pd.Series:
    found = table[
        (table["comparison"] == comparison)
        & (table["coders"] == coders)
        & (table["group"] == group)
    ]
    assert len(found) == 1
    return found.iloc[0]


def test_two_coders_have_their_known_agreement() -> None:
    table = agreement_table(*told({"ben": BEN, "ann": ANN}))
    assert tuple(table.columns) == T2_COLUMNS
    row = row_of(table, "all coders", "ann ben")
    assert (row["passages"], row["sources"]) == (10, 5)
    assert row["agreement"] == pytest.approx(0.6)
    assert row["alpha"] == pytest.approx(0.095238, abs=5e-7)
    assert row["status"] == ""
    assert row["brennan_prediger"] == pytest.approx(0.2)
    codes = np.stack([marks(ANN), marks(BEN)])
    for name, found in (
        ("kappa", cohen_kappa(codes, cluster=np.arange(10) // 2)),
        ("ac1", gwet_ac1(codes, cluster=np.arange(10) // 2)),
    ):
        assert row[name] == pytest.approx(found.value)
        assert row[f"{name}_se"] == pytest.approx(found.se)
    matrices, values = coincidences(np.stack([marks(ANN), marks(BEN)]))
    ends = bootstrap_interval(
        matrices, np.arange(10) // 2, values, draws=300, seed=3, confidence=0.95
    )
    assert [row["alpha_low"], row["alpha_high"]] == pytest.approx([ends.low, ends.high])
    assert row["alpha_low"] < row["alpha"] < row["alpha_high"]


def test_combined_code_and_classifier_are_compared_on_coded_passages() -> None:
    table = agreement_table(*told({"ann": ANN, "ben": BEN}, decision=BEN, label=ANN))
    row = row_of(table, "combined code and classifier", "combined classifier")
    assert row["passages"] == 10  # the classifier's decision on two uncoded ones counts for nothing
    assert row["alpha"] == pytest.approx(0.095238, abs=5e-7)
    row = row_of(table, "coder and classifier", "ann classifier")
    assert row["alpha"] == pytest.approx(0.095238, abs=5e-7)
    row = row_of(table, "coder and classifier", "ben classifier")
    assert (row["agreement"], row["alpha"]) == (1, 1)
    assert (row["alpha_low"], row["alpha_high"]) == (1, 1)
    assert row["status"] == agreement.PERFECT


def test_groups_are_compared_apart() -> None:
    """Council 010000 and 111001: three of six alike, n(1) = 5 of 12. α = 1 − 11·6/(2·5·7)."""
    table = agreement_table(*told({"ann": ANN, "ben": BEN}))
    row = row_of(table, "all coders", "ann ben", "council")
    assert (row["passages"], row["agreement"]) == (6, 0.5)
    assert row["alpha"] == pytest.approx(1 - 66 / 70)
    assert table["group"].drop_duplicates().tolist() == ["all", *GROUPS]
    # The press: 0010 and 0000, α = 1 − 7·2/(2·1·7) = 0; draws without source e do not vary.
    row = row_of(table, "all coders", "ann ben", "press")
    assert (row["passages"], row["alpha"]) == (4, 0)
    left_out = int(row["status"].split()[3])
    assert row["status"] == (f"interval leaves out {left_out} of 300 draws without variation")
    assert 0.25 * 300 - 30 < left_out < 0.25 * 300 + 30  # of two sources twice the other one


def test_three_coders_are_compared_in_pairs_on_what_both_coded() -> None:
    cy = "01····00··"
    table = agreement_table(*told({"ann": ANN, "ben": BEN, "cy": cy}))
    assert row_of(table, "all coders", "ann ben cy")["passages"] == 10
    pair = row_of(table, "pair of coders", "ann cy")
    assert (pair["passages"], pair["alpha"], pair["status"]) == (4, 1, agreement.PERFECT)
    other = row_of(table, "pair of coders", "ben cy")
    # 1 1 0 0 and 0 1 0 0: α = 1 − 7·2/(2·3·5).
    assert other["agreement"] == 0.75
    assert other["alpha"] == pytest.approx(1 - 14 / 30)
    # Of four passages three coders agree on 1, and else on one pair of three; of six pairs 3 agree.
    assert row_of(table, "all coders", "ann ben cy")["agreement"] == pytest.approx(
        (3 * 1 + 1 / 3 + 3) / 10
    )
    assert table["comparison"].value_counts().to_dict() == {
        "all coders": 3, "pair of coders": 9, "coder and classifier": 9,
        "combined code and classifier": 3,
    }  # fmt: skip


def test_one_coder_has_nobody_to_agree_with_but_the_classifier() -> None:
    table = agreement_table(*told({"ann": ANN}, decision=BEN))
    row = row_of(table, "all coders", "ann")
    assert (row["passages"], row["status"]) == (10, ONE_CODER)
    assert row[["agreement", "alpha", "alpha_low", "alpha_high"]].isna().all()
    assert row_of(table, "all coders", "ann", "council")["passages"] == 6
    row = row_of(table, "combined code and classifier", "combined classifier")
    assert row["alpha"] == pytest.approx(0.095238, abs=5e-7)
    assert set(table["comparison"]) == {"all coders", "combined code and classifier"}


def test_code_without_codings_of_anyone() -> None:
    table = agreement_table(*told({}, label="·" * 10))
    row = row_of(table, "all coders", "")
    assert (row["passages"], row["status"]) == (0, NO_CODER)
    row = row_of(table, "combined code and classifier", "combined classifier")
    assert (row["passages"], row["status"]) == (0, "undefined: fewer than 4 passages")
    assert list(comparisons([])) == [
        ("all coders", ()), ("combined code and classifier", ("combined", "classifier")),
    ]  # fmt: skip


def test_too_few_passages_and_codes_without_variation() -> None:
    table = agreement_table(*told({"ann": "0" * 10, "ben": "0" * 10}, minimum=5))
    row = row_of(table, "all coders", "ann ben")
    assert (row["agreement"], row["status"]) == (1, agreement.NO_VARIATION)
    assert row[["alpha", "alpha_low", "alpha_high"]].isna().all()
    press = row_of(table, "all coders", "ann ben", "press")
    assert (press["passages"], press["status"]) == (4, "undefined: fewer than 5 passages")
    assert isnan(press["agreement"])


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("standard", ["", "c0"])
def test_nobody_is_compared_twice(number: int, standard: str) -> None:
    coders = [f"c{n}" for n in range(number)]
    # The combined code is the standard's, and that of a single coder.
    whose = standard or (coders[0] if number == 1 else "combined")
    same = [
        frozenset(whose if name == "combined" else name for name in names)
        for _, names in comparisons(coders, standard)
    ]
    assert len(set(same)) == len(same)
    pairs = {frozenset(pair) for pair in combinations(coders, 2)}
    assert pairs <= set(same)


def test_a_standard_is_what_the_others_are_compared_with() -> None:
    passages, codings, scores, settings = told({"ann": ANN, "ben": BEN, "cy": ANN})
    settings["coders"] = {"rule": "standard", "tie": "absent", "standard": "ann"}
    table = agreement_table(passages, codings, scores, settings)
    assert row_of(table, "coder and standard", "cy ann")["alpha"] == 1
    assert row_of(table, "coder and standard", "ben ann")["agreement"] == pytest.approx(0.6)
    assert table.loc[table["comparison"] == "pair of coders", "coders"].unique() == ["ben cy"]
    assert "ann classifier" not in set(table["coders"])


def test_below_the_minimum_of_sources_there_is_neither_interval_nor_standard_error() -> None:
    passages, codings, scores, settings = told({"ann": ANN, "ben": BEN})
    for minimum, given_ends in ((5, True), (6, False)):
        settings["agreement"]["minimum_sources"] = minimum
        row = row_of(agreement_table(passages, codings, scores, settings), "all coders", "ann ben")
        ends = ["alpha_low", "alpha_high", "jackknife_low", "jackknife_high", "kappa_se", "ac1_se"]
        assert row[ends].notna().all() == given_ends
        assert row[ends].isna().all() != given_ends
        assert row[["alpha", "kappa", "ac1", "brennan_prediger"]].notna().all()
        assert row["status"] == ("" if given_ends else FEW_SOURCES.format(5, 6))


def test_all_that_the_table_says_is_weighted_by_design() -> None:
    """A passage of weight three counts as three passages of weight one."""
    passages, codings, scores, settings = told({"ann": ANN, "ben": BEN})
    heavy = passages["passage_id"].isin(passages["passage_id"][:2])
    weighted = passages.assign(weight=passages["weight"].mask(heavy, 3 * passages["weight"]))
    row = row_of(agreement_table(weighted, codings, scores, settings), "all coders", "ann ben")
    plain = row_of(agreement_table(passages, codings, scores, settings), "all coders", "ann ben")
    repeated = np.stack([marks(ANN[:2] * 3 + ANN[2:]), marks(BEN[:2] * 3 + BEN[2:])])
    assert row["agreement"] == pytest.approx(percent_agreement(repeated))
    assert row["kappa"] == pytest.approx(cohen_kappa(repeated).value)
    assert row["ac1"] == pytest.approx(gwet_ac1(repeated).value)
    weight = np.where(np.arange(10) < 2, 3.0, 1.0)
    codes = np.stack([marks(ANN), marks(BEN)])
    assert row["alpha"] == pytest.approx(krippendorff_alpha(codes, weight=weight).value)
    for name in ("agreement", "alpha", "kappa", "ac1", "alpha_low", "jackknife_low", "kappa_se"):
        assert row[name] != pytest.approx(plain[name])


# --- effective coders -----------------------------------------------------------------------------


def effective(codes: dict[str, str], standard: str = "", weight: Any = None) -> float | None:
    rows = {
        name: np.array([np.nan if mark == "·" else float(mark) for mark in code])
        for name, code in codes.items()
    }
    number = len(next(iter(rows.values())))
    own = np.ones(number) if weight is None else np.asarray(weight, dtype=float)
    data = Codes(
        list(codes), rows, np.zeros(number, dtype=np.int64), np.full(number, "g", dtype=object), own
    )
    return effective_coders(data, np.ones(number, dtype=bool), standard)


def test_coders_who_say_the_same_count_as_one() -> None:
    assert effective({"a": ANN, "b": ANN, "c": ANN}) == pytest.approx(1)


def test_coders_without_correlation_count_each() -> None:
    assert effective({"a": "0011", "b": "0101"}) == pytest.approx(2)
    # Worse than chance is not more than each of them.
    assert effective({"a": "0011", "b": "1100"}) == pytest.approx(2)


def test_three_coders_count_by_the_mean_correlation_of_their_pairs() -> None:
    codes = {"a": "0011", "b": "0011", "c": "0001"}
    rho = (1 + 2 * (1 / np.sqrt(3))) / 3  # 0011 and 0001 correlate by 1/√3
    assert effective(codes) == pytest.approx(3 / (1 + 2 * rho))


def test_with_a_standard_the_errors_are_correlated_and_not_the_codes() -> None:
    truth = "00001111"
    apart = {"s": truth, "a": "10001110", "b": "01001101"}
    # Each errs twice, never on the same passage; codes nevertheless agree on four.
    assert effective(apart, "s") == pytest.approx(2)
    alike = {"s": truth, "a": "10001110", "b": "10001110"}
    assert effective(alike, "s") == pytest.approx(1)
    assert effective({"s": truth, "a": "10001110"}, "s") == 1
    # Who makes no error has none that could correlate.
    assert effective({"s": truth, "a": truth, "b": "10001110"}, "s") is None


def test_effective_coders_are_weighted_and_need_what_both_coded() -> None:
    assert effective({"a": "001·1", "b": "01·01"}, weight=[1, 1, 5, 5, 1]) == pytest.approx(
        2 / (1 + 0.5)
    )
    heavy = effective({"a": "0011", "b": "0101"}, weight=[5, 1, 1, 5])
    assert heavy == pytest.approx(2 / (1 + 8 / 12))
    assert effective({"a": "0000", "b": "0101"}) is None
    assert effective({"a": "0011"}) == 1


def test_effective_coders_stand_with_all_coders_alone() -> None:
    table = agreement_table(*told({"ann": ANN, "ben": BEN, "cy": "0100000000"}))
    given_rows = table["effective_coders"].notna()
    assert set(table.loc[given_rows, "comparison"]) == {"all coders"}
    row = row_of(table, "all coders", "ann ben cy")
    assert 1 <= row["effective_coders"] <= 3
    few = agreement_table(*told({"ann": ANN, "ben": BEN}, minimum=11))
    assert few["effective_coders"].isna().all()


def test_one_source_leaves_alpha_without_an_interval() -> None:
    passages, *rest = told({"ann": ANN, "ben": BEN})
    row = row_of(agreement_table(passages.assign(source_id="a"), *rest), "all coders", "ann ben")
    assert row["alpha"] == pytest.approx(0.095238, abs=5e-7)
    assert isnan(row["alpha_low"])
    assert isnan(row["kappa_se"])
    assert row["status"] == FEW_SOURCES.format(1, 2)


def test_codes_are_compared_apart_in_the_order_of_the_scores() -> None:
    passages, codings, scores, settings = told({"ann": ANN, "ben": BEN})
    turned = codings.assign(
        code="delay",
        value=np.where(codings["coder"] == "ann", 1 - codings["value"], codings["value"]),
    )
    table = agreement_table(
        passages, pd.concat([codings, turned]), pd.concat([scores.assign(code="delay"), scores]),
        settings,
    )  # fmt: skip
    assert table["code"].drop_duplicates().tolist() == ["delay", "cost"]
    delay, cost = (
        row_of(table[table["code"] == code], "all coders", "ann ben") for code in ("delay", "cost")
    )
    assert (delay["agreement"], cost["agreement"]) == pytest.approx((0.4, 0.6))
