"""Tables of shares, trends and contrasts on a corpus of twenty passages, worked out by hand.

============ ============ =========== ========= ================= ====================
group        source       passages    drawn     codes of drawn    classifier says yes
============ ============ =========== ========= ================= ====================
council      a (earlier)  6           3         1 1 0             drawn 1 1 1, others 3
council      b (later)    6           3         1 0 0             drawn 0 0 0, others 2
residents    c (undated)  2           2         1 0               drawn 1 0
press        d (earlier)  2           1         0                 none
press        e (later)    2           1         0                 none
silent       f (undated)  2           none                        none
absent       none
============ ============ =========== ========= ================= ====================

Strata: council (6 of 12 drawn), residents (both), press and silent (2 of 6).
"""

from __future__ import annotations

from math import exp, isnan, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from framing.inference.design import CORPUS, TARGETS, TEXTS, domain, population
from framing.inference.estimators import (
    COMPLETE,
    COUNT,
    DIFFERENCE,
    ESTIMATORS,
    LABELS,
    NO_CODED,
    NO_PASSAGE,
    ONE_SOURCE,
    POST,
    Estimate,
)
from framing.inference.intervals import NO_SPREAD
from framing.inference.tables import (
    T4_COLUMNS,
    T5_COLUMNS,
    T6_COLUMNS,
    TRUNCATED,
    contrast_table,
    estimate_row,
    prevalence_table,
    settled,
    side_name,
    trend_table,
)
from framing.problems import InputError
from tests.unit.inference_samples import config, drawn_from, marks

EARLIER, LATER, UNDATED = "2001-2005", "2006-2010", "undated"
UNTUNED = "labels only: fewer than 20 coded passages to tune the difference"
Z = 1.959963985


def tiny(**inference: Any) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    drawn = [0, 1, 2, 3, 4, 5, 12, 13, 14, 15]
    passages = drawn_from("x" * 12 + "yy" + "z" * 6, drawn, sources="aaabbbaaabbbccdedeff")
    passages["group"] = ["council"] * 12 + ["residents"] * 2 + ["press"] * 4 + ["silent"] * 2
    passages["period"] = passages["source_id"].map(
        dict(zip("abcdef", (EARLIER, LATER, UNDATED) * 2, strict=True))
    )
    table = pd.DataFrame(
        {
            "passage_id": passages["passage_id"],
            "code": "cost",
            "fold": 0,
            "label": pd.array([None] * 20, dtype="Int64"),
            "probability": 0.5,
            "decision": marks("11100011111010000000").astype(int),
        }
    )
    table.loc[drawn, "label"] = marks("1101001000").astype(int)
    opposite = table.assign(code="delay", label=1 - table["label"], decision=1 - table["decision"])
    settings = config(cell_minimum=3, **inference)
    names = {"council": "Council papers", "residents": "Letters", "press": "The press"}
    settings["groups"] = names | {"silent": "Silent", "absent": "Absent"}
    return passages, pd.concat([table, opposite], ignore_index=True), settings


@pytest.fixture(scope="module")
def prevalence() -> pd.DataFrame:
    return prevalence_table(*tiny()).set_index(["code", "group", "estimator", "target"])


@pytest.fixture(scope="module")
def trend() -> pd.DataFrame:
    return trend_table(*tiny()).set_index(["code", "group", "period", "estimator", "target"])


def score_ends(share: float, size: float, quantile: float) -> list[float]:
    """Wilson's ends as roots of size·(p − share)² = quantile²·p·(1 − p)."""
    square = quantile**2
    return sorted(
        np.roots([size + square, -(2 * size * share + square), size * share**2]).real.tolist()
    )


def cells(row: pd.Series) -> list[float]:
    return row[["estimate", "se", "ci_low", "ci_high"]].tolist()


T1, T5, T6 = 12.7062047, 2.57058184, 2.44691185


@pytest.mark.parametrize(
    ("cell", "share", "se", "ends"),
    [
        # 3 of 6, s² = .3: V = (1 − 6/12)·.3/6; 3 positives are few: n_eff = .25/.025 = 10.
        (("council", LABELS, CORPUS), 1 / 2, sqrt(0.025), score_ends(0.5, 10, T5)),
        # Sources a and b are ±.5/6 off: V = 2·2/144 = 1/36, n_eff = 9.
        (("council", LABELS, TEXTS), 1 / 2, 1 / 6, score_ends(0.5, 9, T1)),
        # Yes 8 of 12 at 2/3, no 4 of 12 at 1/3; V = .6·Σz², z = (2 2 −4, 2 −1 −1)/27.
        (("council", POST, CORPUS), 5 / 9, sqrt(2) / 9, score_ends(5 / 9, 10, T5)),
        # Fitted a 2/3·3 + 2/3·3, b 2/3·2 + 1/3·4; off by (6·1/9)/12 = 1/18, b −1/18; residuals
        # within a add 0, within b 0. V = 2·2/324 = 1/81.
        (("council", POST, TEXTS), 5 / 9, 1 / 9, score_ends(5 / 9, 20, T1)),
        (("council", COUNT, CORPUS), 2 / 3, sqrt(2) / sqrt(108), score_ends(2 / 3, 12, Z)),
        # a 6 of 6, b 2 of 6: ±2/12 off: V = 2·2/36 = 1/9, n_eff = 2.
        (("council", COUNT, TEXTS), 2 / 3, 1 / 3, score_ends(2 / 3, 2, T1)),
        # (12·.5 + 2·.5 + 6·0)/20; V = .6²·.025, degrees 5 + 1.
        (("all", LABELS, CORPUS), 0.35, 0.6 * sqrt(0.025), score_ends(0.35, 0.2275 / 0.009, T6)),
        (("all", COUNT, CORPUS), 9 / 20, sqrt(0.2475 / 20), score_ends(0.45, 20, Z)),
    ],
)
def test_prevalence_worked_out_by_hand(
    prevalence: pd.DataFrame, cell: tuple[str, str, str], share: float, se: float,
    ends: list[float],
) -> None:  # fmt: skip
    row = prevalence.loc[("cost", *cell)]
    assert cells(row) == pytest.approx([share, se, *ends], abs=1e-7)
    assert row["status"] == ""


def test_counting_passages_of_their_own_source_is_the_interval_scipy_knows(
    prevalence: pd.DataFrame,
) -> None:
    row = prevalence.loc[("cost", "council", COUNT, CORPUS)]
    expected = stats.binomtest(8, 12).proportion_ci(method="wilson")
    assert row[["ci_low", "ci_high"]].tolist() == pytest.approx([expected.low, expected.high])


def test_counts_of_passages_coded_and_positives(prevalence: pd.DataFrame) -> None:
    part = prevalence.xs(("cost", CORPUS), level=("code", "target"))
    counts = part[["passages", "coded", "positives"]]
    for group, expected in {
        "all": (20, 10, 4), "council": (12, 6, 3), "residents": (2, 2, 1), "press": (4, 2, 0),
    }.items():  # fmt: skip
        for name in (LABELS, POST, DIFFERENCE):
            assert tuple(counts.loc[(group, name)]) == expected
    assert tuple(counts.loc[("council", COUNT)]) == (12, 6, 8)  # passages the classifier marks
    silent = counts.loc[("silent", LABELS)]
    assert silent[["passages", "coded"]].tolist() == [2, 0]
    assert silent["positives"] is pd.NA


@pytest.mark.parametrize("name", [LABELS, POST, DIFFERENCE])
@pytest.mark.parametrize(
    ("group", "target", "status"),
    [
        ("residents", CORPUS, COMPLETE),
        ("residents", TEXTS, ONE_SOURCE),
        ("silent", CORPUS, NO_CODED),
        ("silent", TEXTS, NO_CODED),
        ("absent", CORPUS, NO_PASSAGE),
        ("absent", TEXTS, NO_PASSAGE),
    ],
)
def test_cells_that_cannot_be_estimated_say_so(
    prevalence: pd.DataFrame, name: str, group: str, target: str, status: str
) -> None:
    row = prevalence.loc[("cost", group, name, target)]
    assert row["status"] == status
    if status == COMPLETE:
        assert cells(row) == [0.5, 0, 0.5, 0.5]
    else:
        assert row[["estimate", "se", "ci_low", "ci_high"]].isna().all()


def test_counting_says_something_of_uncoded_groups(prevalence: pd.DataFrame) -> None:
    silent = prevalence.loc[("cost", "silent", COUNT, CORPUS)]
    assert (silent["estimate"], silent["ci_low"]) == (0, 0)
    assert silent["ci_high"] == pytest.approx(Z**2 / (2 + Z**2))
    assert silent["status"] == NO_SPREAD
    assert prevalence.loc[("cost", "silent", COUNT, TEXTS), "status"] == ONE_SOURCE
    assert prevalence.loc[("cost", "absent", COUNT, CORPUS), "status"] == NO_PASSAGE


def test_group_without_a_positive_has_an_interval_and_no_standard_error(
    prevalence: pd.DataFrame,
) -> None:
    for target in TARGETS:  # two coded passages, of two sources: one degree of freedom either way
        row = prevalence.loc[("cost", "press", LABELS, target)]
        assert (row["estimate"], row["ci_low"], row["status"]) == (0, 0, NO_SPREAD)
        assert isnan(row["se"])
        assert row["ci_high"] == pytest.approx(T1**2 / (2 + T1**2), abs=1e-7)
        # The opposite code is carried by all, and mirrors it.
        other = prevalence.loc[("delay", "press", LABELS, target)]
        assert (other["estimate"], other["ci_high"], other["status"]) == (1, 1, NO_SPREAD)
        assert other["ci_low"] == pytest.approx(2 / (2 + T1**2), abs=1e-7)


def test_stand_ins_are_the_labels_only_rows_with_a_note(prevalence: pd.DataFrame) -> None:
    few = "labels only: fewer than 3 coded passages where the classifier says yes, or no"
    for group in ("all", "council", "press"):
        for target in TARGETS:
            plain = prevalence.loc[("cost", group, LABELS, target)]
            row = prevalence.loc[("cost", group, DIFFERENCE, target)]
            assert cells(row) == pytest.approx(cells(plain), nan_ok=True)
            assert row["status"] == (f"{UNTUNED}; {NO_SPREAD}" if group == "press" else UNTUNED)
    row = prevalence.loc[("cost", "press", POST, CORPUS)]
    assert row["status"] == f"{few}; {NO_SPREAD}"


def test_opposite_code_mirrors_the_whole_table(prevalence: pd.DataFrame) -> None:
    cost, delay = prevalence.loc["cost"], prevalence.loc["delay"]
    for one, other in (
        ("estimate", "estimate"), ("ci_low", "ci_high"), ("ci_high", "ci_low"),
    ):  # fmt: skip
        assert (1 - cost[one]).tolist() == pytest.approx(delay[other].tolist(), nan_ok=True)
    assert cost["se"].tolist() == pytest.approx(delay["se"].tolist(), nan_ok=True)
    assert (cost["status"] == delay["status"]).all()
    # Counting in all, council and press twice, residents and silent once; the others not in silent.
    assert cost["estimate"].notna().sum() == 8 + 3 * 7


def test_table_has_a_row_for_every_code_group_estimator_and_target() -> None:
    passages, scores, settings = tiny()
    table = prevalence_table(passages, scores, settings)
    assert tuple(table.columns) == T4_COLUMNS
    expected = pd.MultiIndex.from_product(
        [["cost", "delay"], ["all", *settings["groups"]], ESTIMATORS, TARGETS]
    )
    assert pd.MultiIndex.from_frame(table[["code", "group", "estimator", "target"]]).equals(
        expected.set_names(["code", "group", "estimator", "target"])
    )


def test_many_positives_take_the_logit_interval() -> None:
    table = prevalence_table(*tiny(wilson_below=3)).set_index(
        ["code", "group", "estimator", "target"]
    )
    row = table.loc[("cost", "council", LABELS, CORPUS)]  # three positives are not fewer than 3
    half = T5 * sqrt(0.025) / 0.25
    assert row["ci_low"] == pytest.approx(1 / (1 + exp(half)), abs=1e-7)
    assert row["ci_high"] == pytest.approx(1 / (1 + exp(-half)), abs=1e-7)


# --- trend ----------------------------------------------------------------------------------------


def test_trend_totals_are_the_prevalence_table(
    trend: pd.DataFrame, prevalence: pd.DataFrame
) -> None:
    totals = trend.xs("all", level="period")
    pd.testing.assert_frame_equal(totals, prevalence, check_like=False)


def test_trend_has_its_periods_in_order_and_the_undated_last() -> None:
    table = trend_table(*tiny())
    assert tuple(table.columns) == T5_COLUMNS
    part = table[(table["code"] == "cost") & (table["estimator"] == LABELS)]
    part = part[part["target"] == CORPUS]
    assert part["period"].tolist() == ["all", EARLIER, LATER, UNDATED] * 6
    apart = part[(part["period"] != "all") & (part["group"] != "all")]
    assert apart["passages"].sum() == 20
    assert apart["coded"].sum() == 10


def test_trend_worked_out_by_hand(trend: pd.DataFrame) -> None:
    """Source a: 2 of 3 drawn of 6, in a stratum of 12. z = (1 1 −2 0 0 0)/9: V = .6·6/81 = 2/45,
    two degrees of freedom (t 4.302653), n_eff = (2/9)/(2/45) = 5.
    """
    row = trend.loc[("cost", "council", EARLIER, LABELS, CORPUS)]
    assert tuple(row[["passages", "coded", "positives"]]) == (6, 3, 2)
    ends = score_ends(2 / 3, 5, 4.30265273)
    assert cells(row) == pytest.approx([2 / 3, sqrt(2 / 45), *ends], abs=1e-7)
    # a and d in the earlier period: weights 2 2 2 and 3, codes 1 1 0 and 0: 4/9.
    both = trend.loc[("cost", "all", EARLIER, LABELS, CORPUS)]
    assert both["estimate"] == pytest.approx(4 / 9)
    # z = (10 10 −8 0 0 0)/81 and (−12 0)/81: V = .6·(264 − 144/6)/81² + (2/3)·2·(144 − 144/2)/81².
    assert both["se"] == pytest.approx(sqrt(0.6 * 240 + 4 / 3 * 72) / 81)


@pytest.mark.parametrize(
    ("group", "period", "target", "status"),
    [
        ("council", EARLIER, TEXTS, ONE_SOURCE),
        ("council", UNDATED, CORPUS, NO_PASSAGE),
        ("silent", UNDATED, CORPUS, NO_CODED),
        ("residents", UNDATED, CORPUS, COMPLETE),
        ("press", EARLIER, CORPUS, "no interval: too few coded passages"),
        ("all", UNDATED, TEXTS, "not estimable: coded passages of one source only"),
        ("absent", LATER, TEXTS, NO_PASSAGE),
    ],
)
def test_trend_cells_that_cannot_be_estimated_say_so(
    trend: pd.DataFrame, group: str, period: str, target: str, status: str
) -> None:
    row = trend.loc[("cost", group, period, LABELS, target)]
    assert row["status"] == status
    if status.startswith("no interval"):
        assert row["estimate"] == 0
        assert row[["se", "ci_low", "ci_high"]].isna().all()


# --- rows -----------------------------------------------------------------------------------------


def made(value: float, **changes: Any) -> Estimate:
    return Estimate(
        **{
            "value": value, "coded": 50, "positives": 20, "effective": 40.0, "reference": 0.1,
            "variance": dict.fromkeys(TARGETS, 0.0009), "df": dict.fromkeys(TARGETS, np.inf),
            **changes,
        }
    )  # fmt: skip


EVERYTHING = domain(population(drawn_from("x" * 60, range(50))))


def test_estimate_outside_the_unit_is_cut_and_says_so() -> None:
    row = estimate_row(made(-0.02, note="remark"), EVERYTHING, CORPUS, 0.95, 10)
    assert (row["estimate"], row["se"]) == (0, pytest.approx(0.03))
    assert row["status"] == f"remark; {TRUNCATED}"
    # As many passages as give .1 the same variance: .09/.0009 = 100.
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([0, Z**2 / (100 + Z**2)])
    above = estimate_row(made(1.02), EVERYTHING, CORPUS, 0.95, 10)
    assert (above["estimate"], above["ci_high"], above["status"]) == (1, 1, TRUNCATED)


def test_estimate_at_a_limit_has_an_interval_even_where_wilson_is_never_asked_for() -> None:
    for value in (-0.02, 0.0, 1.0, 1.02):
        row = estimate_row(made(value), EVERYTHING, CORPUS, 0.95, 0)
        assert row["ci_high"] - row["ci_low"] == pytest.approx(Z**2 / (100 + Z**2))


def test_barred_interval_leaves_the_estimate() -> None:
    row = estimate_row(
        made(1.5, barred={CORPUS: "no interval: why"}, note="remark"), EVERYTHING, CORPUS, 0.95, 10
    )
    assert row["estimate"] == 1
    assert isnan(row["se"])
    assert row["status"] == f"remark; {TRUNCATED}; no interval: why"
    assert (row["passages"], row["coded"], row["positives"]) == (60, 50, 20)


def test_numbers_are_settled_without_negative_zeros() -> None:
    frame = settled(pd.DataFrame({"a": [-0.0, 1 / 3, -1e-14, nan], "b": ["x", "y", "z", ""]}))
    assert [str(value) for value in frame["a"]] == ["0.0", "0.333333333333", "0.0", "nan"]
    assert frame["b"].tolist() == ["x", "y", "z", ""]


def test_design_that_contradicts_itself_is_refused() -> None:
    passages, scores, settings = tiny()
    settings["contrasts"] = CONTRASTS
    broken = passages.iloc[1:]
    for table in (prevalence_table, trend_table):
        with pytest.raises(InputError, match="says 6 of 12 were drawn but has 5 rows"):
            table(broken, scores, settings)
    with pytest.raises(InputError, match="leave passages of the corpus out"):
        contrast_table(passages, scores.iloc[1:], settings, {})


# --- contrasts ------------------------------------------------------------------------------------

CONTRASTS = [
    {
        "id": "c-r", "thesis": "Council more than residents", "expected": "greater",
        "a": {"code": "cost", "group": "council"}, "b": {"code": "cost", "group": "residents"},
    },
    {
        "id": "rise", "thesis": "More at first", "expected": "greater",
        "a": {"code": "cost", "group": "council", "period": EARLIER},
        "b": {"code": "cost", "group": "council", "period": LATER},
    },
    {
        "id": "gap", "thesis": "Cost and delay differ", "expected": "different",
        "a": {"code": "cost"}, "b": {"code": "delay"},
    },
    {
        "id": "none", "thesis": "Silent less", "expected": "less",
        "a": {"code": "cost", "group": "silent"}, "b": {"code": "cost", "group": "council"},
    },
    {
        "id": "few", "thesis": "Press less", "expected": "less",
        "a": {"code": "cost", "group": "press"}, "b": {"code": "cost", "group": "council"},
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def contrasts() -> pd.DataFrame:
    passages, scores, settings = tiny()
    settings["contrasts"] = CONTRASTS
    table = contrast_table(passages, scores, settings, {"cost": "Cost", "delay": "Delay"})
    assert tuple(table.columns) == T6_COLUMNS
    return table.set_index(["contrast", "estimator", "target"])


def test_contrasts_come_by_estimator_that_uses_codes_and_target(contrasts: pd.DataFrame) -> None:
    expected = pd.MultiIndex.from_product(
        [["c-r", "rise", "gap", "none", "few"], [LABELS, POST, DIFFERENCE], TARGETS]
    )
    assert contrasts.index.tolist() == expected.tolist()
    row = contrasts.loc[("rise", LABELS, CORPUS)]
    sides = [row[f"{key}_{side}"] for side in "ab" for key in ("code", "group", "period")]
    assert sides == ["cost", "council", EARLIER, "cost", "council", LATER]
    assert row["thesis"] == "More at first"
    row = contrasts.loc[("gap", LABELS, CORPUS)]
    assert (row["group_a"], row["period_b"]) == ("all", "all")


def test_contrast_with_a_group_coded_whole(contrasts: pd.DataFrame) -> None:
    row = contrasts.loc[("c-r", LABELS, CORPUS)]
    assert [row["estimate_a"], row["estimate_b"], row["difference"]] == [0.5, 0.5, 0]
    assert row["se"] == pytest.approx(sqrt(0.025))
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(
        [-T5 * sqrt(0.025), T5 * sqrt(0.025)], abs=1e-7
    )
    assert (row["p_value"], row["status"]) == (1, "")
    assert row["reading"] == "Cost (Council papers) as often as Cost (Letters)"
    assert (row["expected"], row["verdict"]) == ("greater", "not distinguishable")
    texts = contrasts.loc[("c-r", LABELS, TEXTS)]
    assert texts["status"] == f"side B: {ONE_SOURCE}"
    assert texts["estimate_a"] == 0.5
    assert texts[["estimate_b", "difference", "se", "ci_low", "p_value"]].isna().all()
    assert texts["reading"] == "Cost (Council papers) and Cost (Letters): not estimable"
    assert (texts["expected"], texts["verdict"]) == ("greater", "not estimable")


def test_contrast_of_periods_drawn_together(contrasts: pd.DataFrame) -> None:
    """z = (1 1 −2, −2 1 1)/9 in one stratum: V = .6·12/81 = 4/45, t with 2 degrees."""
    row = contrasts.loc[("rise", LABELS, CORPUS)]
    assert row["difference"] == pytest.approx(1 / 3)
    assert row["se"] == pytest.approx(sqrt(4 / 45))
    assert row["ci_low"] == pytest.approx(1 / 3 - 4.30265273 * sqrt(4 / 45), abs=1e-7)
    assert row["ci_high"] == 1
    # Two-sided p of t with two degrees of freedom: 1 − t/√(2 + t²), t² = (1/9)/(4/45) = 5/4.
    assert row["p_value"] == pytest.approx(1 - sqrt(1.25 / 3.25))
    assert row["reading"] == (
        "Cost (Council papers, 2001-2005) above Cost (Council papers, 2006-2010) by 0.33"
    )
    assert (row["expected"], row["verdict"]) == ("greater", "not distinguishable")


def test_contrast_of_opposite_codes_varies_twice(contrasts: pd.DataFrame) -> None:
    row = contrasts.loc[("gap", LABELS, CORPUS)]
    assert row["difference"] == pytest.approx(0.35 - 0.65)
    assert row["se"] == pytest.approx(2 * 0.6 * sqrt(0.025))
    assert (row["reading"], row["expected"]) == ("Cost below Delay by 0.30", "different")


def test_contrast_with_nothing_coded_or_no_positive(contrasts: pd.DataFrame) -> None:
    row = contrasts.loc[("none", LABELS, CORPUS)]
    assert row["status"] == f"side A: {NO_CODED}"
    assert row["reading"].endswith("not estimable")
    assert (row["expected"], row["verdict"]) == ("less", "not estimable")
    few = contrasts.loc[("few", DIFFERENCE, CORPUS)]
    # Two coded without a positive: a variance at Wilson's centre, t with one degree.
    centre = T1**2 / 2 / (2 + T1**2)
    assert few["difference"] == -0.5
    assert few["se"] == pytest.approx(sqrt(0.025 + centre * (1 - centre) / (2 + T1**2)), abs=1e-7)
    assert few["status"] == (
        f"side A: {UNTUNED}; side B: {UNTUNED}; "
        "one side's codes do not vary: its variance is taken from Wilson's centre"
    )


def test_side_is_named_by_its_code_and_what_limits_it() -> None:
    settings = tiny()[2]
    side = {"code": "cost", "group": "all", "period": LATER}
    assert side_name(side, settings, {"cost": "Cost"}) == f"Cost ({LATER})"
    assert side_name(side | {"period": "all"}, settings, {}) == "cost"
    assert side_name(side | {"group": "press"}, settings, {}) == f"cost (The press, {LATER})"


def test_no_contrasts_make_an_empty_table() -> None:
    table = contrast_table(*tiny(), {})
    assert (len(table), tuple(table.columns)) == (0, T6_COLUMNS)
