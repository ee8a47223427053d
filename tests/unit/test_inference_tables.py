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

from collections.abc import Iterator
from math import exp, isnan, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from framing.common.problems import InputError
from framing.inference.corrected import NO_CODED, NO_PASSAGE, ONE_SOURCE, Estimate
from framing.inference.design import CORPUS, TARGETS, TEXTS, Population, domain, population
from framing.inference.estimator import COMPLETE
from framing.inference.estimators import COUNT, DIFFERENCE, ESTIMATORS, LABELS, POST, estimate
from framing.inference.intervals import NO_SPREAD
from framing.inference.outcomes import Outcome, by_code, outcome
from framing.tables.contrasts import (
    HELD,
    NO_COMMON_PERIOD,
    NOTHING_TO_HOLD,
    ONE_PERIOD,
    RAW,
    T6_COLUMNS,
    contrast_table,
    period_weights,
    side_name,
)
from framing.tables.shares import (
    FEW,
    T4_COLUMNS,
    T5_COLUMNS,
    TRUNCATED,
    codes_alone,
    prevalence_table,
    settled,
    share_row,
    trend_table,
)
from tests.unit.inference_samples import (
    config,
    corpus,
    drawn_from,
    drawn_twice,
    marks,
    roles,
    said,
    table_of,
)
from tests.unit.inference_samples import settings as rules

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
        # within a add 0, within b 0. The three of a stand for 8 passages, those of b for 4, so
        # V = (1/(1/3) + 1/(2/3))/324 = 1/72, n_eff = 20/81·72.
        (("council", POST, TEXTS), 5 / 9, sqrt(1 / 72), score_ends(5 / 9, 160 / 9, T1)),
        (("council", COUNT, CORPUS), 2 / 3, sqrt(2) / sqrt(108), score_ends(2 / 3, 12, Z)),
        # a 6 of 6, b 2 of 6: ±2/12 off: V = 2·2/36 = 1/9, n_eff = 2.
        (("council", COUNT, TEXTS), 2 / 3, 1 / 3, score_ends(2 / 3, 2, T1)),
        # (12·.5 + 2·.5 + 6·0)/20; V = .6²·.025, degrees 5 + 1. Residents were taken whole: known,
        # so the interval is that of the other 18, 6/18, V = (12/18)²·.025, n_eff = (2/9)/V = 20.
        (
            ("all", LABELS, CORPUS),
            0.35,
            0.6 * sqrt(0.025),
            [1 / 20 + 18 / 20 * end for end in score_ends(1 / 3, 20, T6)],
        ),
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
    # T5 has no interval of coders: with as many cells that would cost more than it says.
    assert prevalence.columns.difference(totals.columns).tolist() == ["coder_high", "coder_low"]
    pd.testing.assert_frame_equal(totals, prevalence[totals.columns], check_like=False)


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


NOT_LEFT = (
    "not estimable: none of 2 passages that are left was coded; what is known puts the share "
    "between 0.250 and 0.750"
)


@pytest.mark.parametrize(
    ("group", "period", "target", "status"),
    [
        ("council", EARLIER, TEXTS, ONE_SOURCE),
        ("council", UNDATED, CORPUS, NO_PASSAGE),
        ("silent", UNDATED, CORPUS, NO_CODED),
        ("residents", UNDATED, CORPUS, COMPLETE),
        ("press", EARLIER, CORPUS, "no interval: too few coded passages"),
        # Two known, two of which none was coded: no word on those, and bounds for all four.
        ("all", UNDATED, TEXTS, NOT_LEFT),
        ("all", UNDATED, CORPUS, NOT_LEFT),
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


FRAME = population(drawn_from("x" * 60, range(50)))
EVERYTHING = domain(FRAME)
RULES = rules()


def test_estimate_outside_the_unit_is_cut_and_says_so() -> None:
    row = share_row(FRAME, made(-0.02, note="remark"), EVERYTHING, CORPUS, RULES)
    assert (row["estimate"], row["se"]) == (0, pytest.approx(0.03))
    assert row["status"] == f"remark; {TRUNCATED}"
    # As many passages as give .1 the same variance: .09/.0009 = 100.
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([0, Z**2 / (100 + Z**2)])
    above = share_row(FRAME, made(1.02), EVERYTHING, CORPUS, RULES)
    assert (above["estimate"], above["ci_high"], above["status"]) == (1, 1, TRUNCATED)


def test_estimate_at_a_limit_has_an_interval_even_where_wilson_is_never_asked_for() -> None:
    for value in (-0.02, 0.0, 1.0, 1.02):
        row = share_row(FRAME, made(value), EVERYTHING, CORPUS, rules(wilson_below=0))
        assert row["ci_high"] - row["ci_low"] == pytest.approx(Z**2 / (100 + Z**2))


def test_barred_interval_leaves_the_estimate() -> None:
    row = share_row(
        FRAME,
        made(1.5, barred={CORPUS: "no interval: why"}, note="remark"),
        EVERYTHING,
        CORPUS,
        RULES,
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
    assert (table["basis"] == ([RAW, HELD] * (len(table) // 2))).all()
    return table.set_index(["contrast", "estimator", "target", "basis"])


def test_contrasts_come_by_estimator_that_uses_codes_and_target(contrasts: pd.DataFrame) -> None:
    expected = pd.MultiIndex.from_product(
        [["c-r", "rise", "gap", "none", "few"], [LABELS, POST, DIFFERENCE], TARGETS, [RAW, HELD]]
    )
    assert contrasts.index.tolist() == expected.tolist()
    row = contrasts.loc[("rise", LABELS, CORPUS, RAW)]
    sides = [row[f"{key}_{side}"] for side in "ab" for key in ("code", "group", "period")]
    assert sides == ["cost", "council", EARLIER, "cost", "council", LATER]
    assert row["thesis"] == "More at first"
    row = contrasts.loc[("gap", LABELS, CORPUS, RAW)]
    assert (row["group_a"], row["period_b"]) == ("all", "all")


def test_contrast_with_a_group_coded_whole(contrasts: pd.DataFrame) -> None:
    row = contrasts.loc[("c-r", LABELS, CORPUS, RAW)]
    assert [row["estimate_a"], row["estimate_b"], row["difference"]] == [0.5, 0.5, 0]
    assert row["se"] == pytest.approx(sqrt(0.025))
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(
        [-T5 * sqrt(0.025), T5 * sqrt(0.025)], abs=1e-7
    )
    assert (row["p_value"], row["status"]) == (1, "")
    assert row["reading"] == "Cost (Council papers) as often as Cost (Letters)"
    assert (row["expected"], row["verdict"]) == ("greater", "not distinguishable")
    texts = contrasts.loc[("c-r", LABELS, TEXTS, RAW)]
    assert texts["status"] == f"side B: {ONE_SOURCE}"
    assert texts["estimate_a"] == 0.5
    assert texts[["estimate_b", "difference", "se", "ci_low", "p_value"]].isna().all()
    assert texts["reading"] == "Cost (Council papers) and Cost (Letters): not estimable"
    assert (texts["expected"], texts["verdict"]) == ("greater", "not estimable")


def test_contrast_of_periods_drawn_together(contrasts: pd.DataFrame) -> None:
    """z = (1 1 −2, −2 1 1)/9 in one stratum: V = .6·12/81 = 4/45, t with 2 degrees."""
    row = contrasts.loc[("rise", LABELS, CORPUS, RAW)]
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
    row = contrasts.loc[("gap", LABELS, CORPUS, RAW)]
    assert row["difference"] == pytest.approx(0.35 - 0.65)
    assert row["se"] == pytest.approx(2 * 0.6 * sqrt(0.025))
    assert (row["reading"], row["expected"]) == ("Cost below Delay by 0.30", "different")


def test_contrast_with_nothing_coded_or_no_positive(contrasts: pd.DataFrame) -> None:
    row = contrasts.loc[("none", LABELS, CORPUS, RAW)]
    assert row["status"] == f"side A: {NO_CODED}"
    assert row["reading"].endswith("not estimable")
    assert (row["expected"], row["verdict"]) == ("less", "not estimable")
    few = contrasts.loc[("few", DIFFERENCE, CORPUS, RAW)]
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


# --- read and unread ------------------------------------------------------------------------------

SCORES = marks("111000" + "110000" + "110000")  # of rows_of(): what the classifier says


def rows_of(
    unread: str = "110100", read: str = "110000", **inference: Any
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Six of twelve drawn and unread, six read; every passage its own source, all council."""
    passages = roles("uuuuuu......" + "rrrrrr")
    truth = np.r_[marks(unread), np.zeros(6), marks(read)]
    return passages, table_of(passages, truth, SCORES), config(cell_minimum=3, **inference)


def council(table: pd.DataFrame, target: str = CORPUS) -> pd.DataFrame:
    part = table[(table["group"] == "council") & (table["target"] == target)]
    return part.set_index("estimator")


def test_share_beside_known_passages_worked_out_by_hand() -> None:
    """(2 + 12·3/6)/18; of the rest V = .5·.3/6, n_eff = 10; its interval brought back to 18."""
    table = prevalence_table(*rows_of())
    row = council(table).loc[LABELS]
    assert tuple(row[["passages", "coded", "unread", "positives"]]) == (18, 12, 6, 5)
    ends = [2 / 18 + 12 / 18 * end for end in score_ends(0.5, 10, T5)]
    assert cells(row) == pytest.approx([8 / 18, 12 / 18 * sqrt(0.025), *ends], abs=1e-7)
    assert row["status"] == ""
    # The classifier says yes to 5 of the 12, of which 2/3 carry the code, and of the others 1/3.
    post = council(table).loc[POST]
    assert post["estimate"] == pytest.approx((2 + 5 * 2 / 3 + 7 * 1 / 3) / 18)
    logit = council(prevalence_table(*rows_of(wilson_below=3))).loc[LABELS]
    half = T5 * sqrt(0.025) / 0.25
    ends = [2 / 18 + 12 / 18 / (1 + exp(sign * half)) for sign in (1, -1)]
    assert logit[["ci_low", "ci_high"]].tolist() == pytest.approx(ends, abs=1e-7)


@pytest.mark.parametrize(("unread", "end"), [("000000", "ci_low"), ("111111", "ci_high")])
def test_interval_reaches_its_limit_where_no_code_varies(unread: str, end: str) -> None:
    """The classifier may say what it likes: none of the rest was seen that would exclude 0, or 1.

    What is known is no matter of chance: the limits are 2/18 and 14/18.
    """
    passages, scores, settings = rows_of(unread)
    frame = population(passages)
    limit = 2 / 18 if end == "ci_low" else 14 / 18
    data = said(frame, np.r_[marks(unread), marks("110000")], 0.2 + 0.6 * SCORES)
    part = domain(frame)
    found = estimate(DIFFERENCE, frame, part, data, rules())
    assert abs(found.value - limit) > 0.01  # by what the classifier says
    row = share_row(frame, found, part, CORPUS, rules())
    assert row[end] == pytest.approx(limit)
    assert 2 / 18 <= row["ci_low"] < row["ci_high"] <= 14 / 18
    labels = council(prevalence_table(passages, scores, settings)).loc[LABELS]
    assert labels[end] == pytest.approx(limit)
    assert (labels["status"], isnan(labels["se"])) == (NO_SPREAD, True)


def test_interval_of_the_classic_design_reaches_its_limit_as_well() -> None:
    frame = population(drawn_from("x" * 24, range(8)))
    part = domain(frame)
    score = marks("11000000" + "1" * 16)
    for label, slope, end in ((np.zeros(8), 0.3, "ci_low"), (np.ones(8), -0.3, "ci_high")):
        found = estimate(DIFFERENCE, frame, part, said(frame, label, score, slope), rules())
        for target in TARGETS:
            row = share_row(frame, found, part, target, rules())
            assert abs(row["estimate"] - label[0]) > 0.01  # by what the classifier says
            assert row["se"] > 0
            assert row[end] == label[0]


def test_interval_of_an_unread_share_never_leaves_what_is_known() -> None:
    for seed in range(3):
        passages, table = drawn_twice(corpus(seed, sources=30), seed, read=40, unread=40)
        frame = population(passages)
        data = next(by_outcome(frame, table))
        part = domain(frame, "council")
        for name in (LABELS, POST, DIFFERENCE):
            found = estimate(name, frame, part, data, rules())
            row = share_row(frame, found, part, CORPUS, rules())
            rest = found.chance
            assert 0 < rest.size < 1
            assert rest.settled <= row["ci_low"] <= row["estimate"] <= row["ci_high"]
            assert row["ci_high"] <= rest.settled + rest.size


def by_outcome(frame: Population, table: pd.DataFrame) -> Iterator[Outcome]:
    for code, own in by_code(table):
        yield outcome(frame, own, code, rules())


def test_cell_with_few_coded_passages_says_so() -> None:
    settings = tiny(few_coded=4)
    table = trend_table(*settings).set_index(["code", "group", "period", "estimator", "target"])
    row = table.loc[("cost", "council", EARLIER, LABELS, CORPUS)]
    assert (row["coded"], row["status"]) == (3, FEW.format(4))
    assert table.loc[("cost", "council", "all", LABELS, CORPUS), "status"] == ""  # six
    # Where every passage is coded nothing is too few.
    assert table.loc[("cost", "residents", UNDATED, LABELS, CORPUS), "status"] == COMPLETE
    row = trend_table(*tiny(few_coded=3)).set_index(
        ["code", "group", "period", "estimator", "target"]
    ).loc[("cost", "council", EARLIER, LABELS, CORPUS)]  # fmt: skip
    assert row["status"] == ""


# --- the case study -------------------------------------------------------------------------------


def test_case_study_is_left_out_under_texts_only() -> None:
    """Four sources of four passages, all coded: 2, 1, 0 and, in the case study, 4 with the code.

    Others: 3/12; totals less 1 are 1, 0, −1, V = 3/2·2/12² = 1/48, two degrees of freedom.
    """
    passages = drawn_from("x" * 16, range(16), sources="aaaabbbbccccdddd")
    passages["group"] = ["council"] * 12 + ["press"] * 4
    truth = marks("1100" + "1000" + "0000" + "1111")
    settings = config() | {"case_study": "d"}
    table = prevalence_table(passages, table_of(passages, truth, truth), settings)
    found = table.set_index(["group", "estimator", "target"])
    for name in (LABELS, POST, DIFFERENCE):
        row = found.loc[("all", name, CORPUS)]
        assert (row["passages"], row["estimate"], row["status"]) == (16, 7 / 16, COMPLETE)
        row = found.loc[("all", name, TEXTS)]
        assert (row["passages"], row["coded"], row["positives"]) == (12, 12, 3)
        assert found.loc[("press", name, CORPUS), "estimate"] == 1
        assert found.loc[("press", name, TEXTS), "status"] == NO_PASSAGE
    row = found.loc[("all", LABELS, TEXTS)]
    ends = score_ends(0.25, 0.1875 * 48, 4.30265273)
    assert cells(row) == pytest.approx([0.25, sqrt(1 / 48), *ends], abs=1e-7)
    assert found.loc[("all", COUNT, TEXTS), "estimate"] == pytest.approx(3 / 12)
    # Named, but of no passage: nothing changes.
    without = table_of(passages, truth, truth)
    pd.testing.assert_frame_equal(
        prevalence_table(passages, without, config() | {"case_study": "z"}),
        prevalence_table(passages, without, config()),
    )


@pytest.mark.slow
def test_contrasts_leave_the_case_study_out_under_texts_only() -> None:
    passages = drawn_from("x" * 16, range(12), sources="aabbccddeeffgghh")
    passages["group"] = ["council"] * 8 + ["press"] * 8
    table = table_of(passages, marks("1100110011110000"), np.zeros(16))
    settings = config() | {"case_study": "a", "contrasts": CONTRASTS[4:]}
    found, plain = (
        contrast_table(passages, table, one, {}).set_index(["estimator", "target", "basis"])
        for one in (settings, settings | {"case_study": ""})
    )
    for target, share in ((CORPUS, 4 / 8), (TEXTS, 2 / 6)):
        assert found.loc[(LABELS, target, RAW), "estimate_b"] == pytest.approx(share)
        assert plain.loc[(LABELS, target, RAW), "estimate_b"] == pytest.approx(4 / 8)


# --- who coded ------------------------------------------------------------------------------------

CODERS_SAID = {"first": "110100", "second": "111100", "third": "100000"}  # majority 110100


def codings_of(said: dict[str, str], code: str = "cost") -> pd.DataFrame:
    """What coders said of the first six passages; a dot where one said nothing."""
    rows = [
        {"passage_id": f"p{place:03d}", "coder": coder, "code": code, "value": int(value)}
        for coder, values in said.items()
        for place, value in enumerate(values)
        if value != "."
    ]
    return pd.DataFrame(rows)


def alone(**inference: Any) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    passages = roles("uuuuuu......")
    table = table_of(passages, marks("110100000000"), SCORES[:12])
    return passages, table, config(cell_minimum=3, **inference)


def test_interval_of_coders_reaches_from_the_lowest_to_the_highest_end() -> None:
    """1/6, 3/6 and 4/6 of six of twelve: p(1 − p)/V is 10 of each, so ends are Wilson's of 10."""
    found = council(prevalence_table(*alone(), codings_of(CODERS_SAID)))
    row = found.loc[LABELS]
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(score_ends(0.5, 10, T5), abs=1e-7)
    assert row["coder_low"] == pytest.approx(score_ends(1 / 6, 10, T5)[0], abs=1e-7)
    assert row["coder_high"] == pytest.approx(score_ends(4 / 6, 10, T5)[1], abs=1e-7)
    assert found.loc[COUNT, ["coder_low", "coder_high"]].isna().all()  # rests on no coder
    assert found.loc[DIFFERENCE, "coder_low"] == row["coder_low"]  # untuned: labels only
    # Coders who agree leave the interval as it is.
    agreed = prevalence_table(*alone(), codings_of({"one": "110100", "two": "110100"}))
    row = council(agreed).loc[LABELS]
    assert (row["coder_low"], row["coder_high"]) == (row["ci_low"], row["ci_high"])


@pytest.mark.parametrize(
    ("said", "inference"),
    [
        (None, {}),
        ({"first": "110100"}, {}),
        # Who left a passage out has no share of the whole sample, and one coder is no envelope.
        ({"first": "110100", "second": "11.100"}, {}),
        (CODERS_SAID, {"coder_interval": "none"}),
    ],
)
def test_no_interval_of_coders_without_two_who_coded_all(
    said: dict[str, str] | None, inference: dict[str, Any]
) -> None:
    codings = None if said is None else codings_of(said)
    table = prevalence_table(*alone(**inference), codings)
    assert table[["coder_low", "coder_high"]].isna().all(axis=None)
    assert council(table).loc[LABELS, "ci_low"] > 0


def test_coder_who_did_not_code_all_is_left_out_of_the_envelope() -> None:
    with_gap = CODERS_SAID | {"third": "1.0000"}
    row = council(prevalence_table(*alone(), codings_of(with_gap))).loc[LABELS]
    assert row["coder_low"] == pytest.approx(score_ends(3 / 6, 10, T5)[0], abs=1e-7)
    assert row["coder_high"] == pytest.approx(score_ends(4 / 6, 10, T5)[1], abs=1e-7)
    # Also where it is another code that a passage lacks.
    other = codings_of({"first": "000000", "second": "000000", "third": "00.000"}, "delay")
    both = pd.concat([codings_of(CODERS_SAID), other])
    row = council(prevalence_table(*alone(), both)).loc[LABELS]
    assert row["coder_low"] == pytest.approx(score_ends(3 / 6, 10, T5)[0], abs=1e-7)


def test_combinations_are_made_from_each_coders_own_codes() -> None:
    passages, _, settings = alone()
    settings["combinations"] = {"both": {"all": ["cost", "delay"]}, "cost-alone": {
        "all": ["cost"], "none": ["delay"]}}  # fmt: skip
    delay = codings_of(dict.fromkeys(CODERS_SAID, "100000"), "delay")
    found = codes_alone(population(passages), pd.concat([codings_of(CODERS_SAID), delay]), settings)
    assert [one["both"].tolist() for one in found] == [[1, 0, 0, 0, 0, 0]] * 3
    assert [one["cost-alone"].sum() for one in found] == [2, 3, 0]


@pytest.mark.slow
def test_envelopes_are_the_extremes_of_tables_made_with_each_coders_codes() -> None:
    passages, table = drawn_twice(corpus(8, sources=24), 9, read=25, unread=50)
    drawn = passages["weight"].notna().to_numpy()
    truth = table["label"].to_numpy(dtype=float, na_value=np.nan)
    random = np.random.default_rng(1)
    said = {name: np.where(random.random(len(truth)) < 0.1, 1 - truth, truth) for name in "abc"}
    codings = pd.concat(
        [
            pd.DataFrame({"passage_id": passages["passage_id"], "coder": name, "code": "cost",
                          "value": values})[drawn].astype({"value": int})
            for name, values in said.items()
        ]
    )  # fmt: skip
    settings = config() | {"contrasts": CONTRASTS[4:]}

    def made(labels: np.ndarray, codings: pd.DataFrame | None = None) -> list[pd.DataFrame]:
        scores = table.assign(label=pd.array(labels, dtype="Int64"))
        scores = scores.assign(label=scores["label"].where(drawn))
        return [
            prevalence_table(passages, scores, settings, codings),
            contrast_table(passages, scores, settings, {}, codings),
        ]

    combined = made(truth, codings)
    single = [made(values) for values in (truth, *said.values())]
    for place, whole in enumerate(combined):
        whole = whole[whole["estimator"] != COUNT]
        tables = [one[place].loc[whole.index] for one in single]
        low, high = (np.array([one[end] for one in tables]) for end in ("ci_low", "ci_high"))
        given = whole["ci_low"].notna().to_numpy()
        assert given.any()
        assert whole["coder_low"][given].tolist() == np.nanmin(low[:, given], axis=0).tolist()
        assert whole["coder_high"][given].tolist() == np.nanmax(high[:, given], axis=0).tolist()
        assert whole[["coder_low", "coder_high"]][~given].isna().all(axis=None)
        assert (whole["coder_low"] < whole["ci_low"]).any()


# --- contrasts with the period held ---------------------------------------------------------------


def by_period(
    contrasts: list[dict[str, Any]], weights: str = "pooled", minimum: int = 5
) -> pd.DataFrame:
    """T6 of strata that are group and period: council 5 of 20 (3 with the code) and 5 of 10 (1),
    press 5 of 10 (2) and 6 of 30 (2); undated council texts, 3 of 6, all with the code.
    """
    strata = "a" * 20 + "b" * 10 + "c" * 10 + "d" * 30 + "e" * 6
    rows = [*range(5), *range(20, 25), *range(30, 35), *range(40, 46), *range(70, 73)]
    passages = drawn_from(strata, rows)
    letter = pd.Series(list(strata))
    passages["group"] = letter.map(dict(zip("abcde", ["council"] * 2 + ["press"] * 2 + ["council"],
                                            strict=True)))  # fmt: skip
    passages["period"] = letter.map(
        dict(zip("abcde", (EARLIER, LATER, EARLIER, LATER, UNDATED), strict=True))
    )
    truth = np.zeros(76)
    truth[rows] = marks("11100" + "10000" + "11000" + "110000" + "111")
    table = table_of(passages, truth, np.full(76, 0.5))
    opposite = table_of(passages, 1 - truth, np.full(76, 0.5), code="delay")
    plan = {"weights": weights, "minimum": minimum}
    return contrast_table(
        passages, pd.concat([table, opposite], ignore_index=True),
        config() | {"contrasts": contrasts, "standardisation": plan}, {},
    ).set_index(["contrast", "estimator", "target", "basis"])  # fmt: skip


COUNCIL_PRESS = {
    "id": "c-p", "thesis": "Council more than the press", "expected": "greater",
    "a": {"code": "cost", "group": "council"}, "b": {"code": "cost", "group": "press"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "earlier"), [("pooled", 30 / 70), ("equal", 1 / 2), ("a", 20 / 30), ("b", 10 / 40)]
)
def test_period_held_worked_out_by_hand(rule: str, earlier: float) -> None:
    """Shares .6 and .2 against .4 and 1/3, averaged with the same weights on both sides.

    Variances (1 − n/N)·s²/n: .75·.3/5, .5·.2/5, .5·.3/5, .8·(4/15)/6; degrees 4, 4, 4, 5, joined by
    Satterthwaite's rule within each side and between them. Undated texts are in the raw row only.
    """
    table = by_period([COUNCIL_PRESS], rule)
    row = table.loc[("c-p", LABELS, CORPUS, HELD)]
    weight = np.array([earlier, 1 - earlier])
    a, b = weight @ [0.6, 0.2], weight @ [0.4, 1 / 3]
    assert [row["estimate_a"], row["estimate_b"]] == pytest.approx([a, b])
    assert row["difference"] == pytest.approx(a - b)
    variance = np.array([[0.045, 0.02], [0.03, 0.8 * 4 / 15 / 6]]) * weight**2
    of_side = variance.sum(axis=1)
    free = of_side**2 / (variance**2 / [[4, 4], [4, 5]]).sum(axis=1)
    joint = of_side.sum() ** 2 / (of_side**2 / free).sum()
    assert row["se"] == pytest.approx(sqrt(of_side.sum()))
    half = stats.t.ppf(0.975, joint) * sqrt(of_side.sum())
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([a - b - half, a - b + half])
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(a - b) / row["se"], joint))
    assert row["status"].startswith(
        f"periods held: {EARLIER} ({earlier:.2f}), {LATER} ({1 - earlier:.2f})"
    )
    raw = table.loc[("c-p", LABELS, CORPUS, RAW)]
    assert raw["estimate_a"] == pytest.approx((12 + 2 + 6) / 36)
    assert raw["estimate_b"] == pytest.approx((4 + 10) / 40)


def test_period_with_too_few_coded_passages_is_not_held() -> None:
    row = by_period([COUNCIL_PRESS], minimum=6).loc[("c-p", LABELS, CORPUS, HELD)]
    assert row["status"] == NO_COMMON_PERIOD
    assert row[["estimate_a", "difference", "se", "p_value", "coder_low"]].isna().all()
    assert (row["verdict"], row["reading"]) == (
        "not estimable", "cost (Council papers) and cost (The press): not estimable",
    )  # fmt: skip
    council_only = COUNCIL_PRESS | {"b": {"code": "cost", "group": "residents"}}
    table = by_period([council_only])
    assert table.loc[("c-p", LABELS, CORPUS, HELD), "status"] == NO_COMMON_PERIOD


@pytest.mark.parametrize(
    ("sides", "note"),
    [
        # Two codes of the same texts: their periods are the same.
        (({"code": "cost", "group": "press"}, {"code": "delay", "group": "press"}),
         NOTHING_TO_HOLD),
        (({"code": "cost", "group": "press", "period": EARLIER},
          {"code": "cost", "group": "press", "period": LATER}), ONE_PERIOD),
        (({"code": "cost", "group": "council", "period": EARLIER},
          {"code": "cost", "group": "press"}), ONE_PERIOD),
    ],
)  # fmt: skip
def test_contrast_without_a_period_to_hold_is_the_raw_one(
    sides: tuple[dict[str, str], dict[str, str]], note: str
) -> None:
    table = by_period([COUNCIL_PRESS | dict(zip("ab", sides, strict=True))])
    numbers = ["estimate_a", "estimate_b", "difference", "se", "ci_low", "ci_high", "p_value"]
    for name in (LABELS, DIFFERENCE):
        for target in TARGETS:
            raw, held = (table.loc[("c-p", name, target, basis)] for basis in (RAW, HELD))
            assert raw["se"] > 0
            assert held[numbers].tolist() == raw[numbers].tolist()
            assert held["status"] == "; ".join(filter(None, (note, raw["status"])))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("pooled", [0.35, 0.65]), ("a", [0.25, 0.75]), ("b", [0.375, 0.625]), ("equal", [0.5, 0.5])],
)
def test_weights_of_periods_add_up(rule: str, expected: list[float]) -> None:
    found = period_weights(np.array([[1.0, 6.0], [3.0, 10.0]]), rule)
    assert found == pytest.approx(expected)


def test_verdict_goes_by_the_adjusted_p_value() -> None:
    """One contrast whose interval holds no zero; asked four times over it is no evidence.

    Six of twelve drawn in each group, five and two of them with the code: p is above .05/4.
    """
    passages = drawn_from("x" * 12 + "y" * 12, [*range(6), *range(12, 18)])
    passages["group"] = ["council"] * 12 + ["press"] * 12
    truth = np.r_[marks("111110000000"), marks("110000000000")]
    table = table_of(passages, truth, np.full(24, 0.5))
    for times, verdict in ((1, "supported"), (4, "not distinguishable")):
        asked = [COUNCIL_PRESS | {"id": f"c-p {number}"} for number in range(times)]
        found = contrast_table(passages, table, config() | {"contrasts": asked}, {})
        part = found[(found["basis"] == RAW) & (found["target"] == CORPUS)]
        part = part[part["estimator"] == LABELS]
        assert len(part) == times
        assert (part["ci_low"] > 0).all()
        assert part["p_holm"].tolist() == pytest.approx((times * part["p_value"]).tolist())
        assert (part["verdict"] == verdict).all()
