"""Planning: Neyman's known answer, predicted against true variances, floors, refusals."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isnan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from framing.common.config import ALL
from framing.common.problems import InputError
from framing.inference.allocation import (
    Cells,
    Strata,
    Survey,
    allocate,
    least,
    neyman,
    plan_cells,
    predicted_variance,
    share_evidence,
    survey,
)
from framing.inference.classifier_strata import (
    scope_member,
    scope_text,
    strata_columns,
    with_classifier,
)
from framing.inference.contrasts import contrast, degrees_of_freedom
from framing.inference.corrected import NO_CODED, ONE_SOURCE
from framing.inference.design import CORPUS, TARGETS, TEXTS, domain
from framing.inference.estimators import COUNT, DIFFERENCE, LABELS, POST, estimate
from framing.inference.goals import Answer, HalfWidth, Power, power
from framing.inference.intervals import critical, share_interval
from framing.inference.outcomes import outcome
from framing.inference.planning import (
    UNREAD_UNKNOWN,
    Plan,
    PlanSettings,
    Request,
    Side,
    plan_contrast,
    plan_share,
)
from framing.inference.replacement import replacement_sentence, replacement_size
from framing.sampling.combine import combined_design
from framing.sampling.draw import make_draw
from framing.sampling.strata import strata_of
from framing.tables.shares import share_row
from tests.unit.inference_samples import (
    config,
    corpus,
    drawn_from,
    exact,
    known,
    marks,
    said,
    sampled,
    scores,
    settings,
)

PLANNING = PlanSettings.of(
    {"planning": {"strata": ["group", "decision", "confidence"], "minimum": 2, "sure": 0.8,
                  "few": 5}}
)  # fmt: skip
_frame, _data = known()
KNOWN = estimate(DIFFERENCE, _frame, domain(_frame), _data, settings())


def unread(design: pd.DataFrame) -> pd.DataFrame:
    """The same design, where nobody has read what was drawn."""
    role = np.where(design["weight"].notna(), "confirmation", "")
    return design.assign(role=role, read_weight=np.nan, unread_frame=True)


def ready(passages: pd.DataFrame) -> Survey:
    return survey(unread(combined_design(passages, [])))


def cells(**changes: Any) -> Cells:
    """Two strata of 100 and 50, of which 20 and 10 are coded."""
    given_ = {
        "names": ("a", "b"), "size": np.array([100, 50]), "coded": np.array([20, 10]),
        "left": np.array([80, 40]), "rate": np.array([0.2, 0.2]), "within": np.array([0.3, 0.5]),
        "about": np.array([0.3, 0.5]), "unit": np.ones(2),
    }  # fmt: skip
    return Cells(**{**given_, **changes})


def request(
    passages: pd.DataFrame, said_: pd.DataFrame, estimator: str = DIFFERENCE, target: str = CORPUS,
    **changes: Any,
) -> tuple[Request, Any]:  # fmt: skip
    """A request as ``framing plan`` makes it, and the outcome of the code ``cost``."""
    design = unread(combined_design(passages, []))
    made = survey(design)
    columns = strata_columns(PLANNING.strata, ["cost"])
    frame = with_classifier(design, said_, ["cost"], PLANNING.sure)
    everything = np.ones(len(frame), dtype=bool)
    settings_ = settings(**changes)
    strata, plain = (
        Strata(
            strata_of(frame, names, everything).to_numpy(), [frame[n].to_numpy() for n in names], 1
        )
        for names in (columns, ["group"])
    )
    data = outcome(made.frame, said_, "cost", settings_)
    return Request(made, strata, plain, estimator, target, settings_, PLANNING), data


def own(plan: Plan, target: str) -> Answer:
    return next(a for a in plan.answers if (a.estimator, a.target) == (plan.chosen.estimator,
                                                                      target))  # fmt: skip


# --- allocation -----------------------------------------------------------------------------------


def test_neyman_allocation_has_its_known_value() -> None:
    found = neyman(np.array([1400, 600, 300, 200]), np.array([0.2, 0.4, 0.3, 0.5]), 100)
    assert found == pytest.approx([39.44, 33.80, 12.68, 14.08], abs=0.005)


def test_what_is_coded_already_counts() -> None:
    size, spread = np.array([100.0, 100]), np.array([0.3, 0.3])
    assert neyman(size, spread, 20, have=np.array([10.0, 0])) == pytest.approx([5, 15])
    assert neyman(size, spread, 20, have=np.array([40.0, 0])) == pytest.approx([0, 20])


@hypothesis_settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 80), st.floats(0, 1), st.floats(0, 0.5)), min_size=1,
             max_size=8),
    st.integers(2, 5),
    st.floats(0, 1),
)  # fmt: skip
def test_allocation_keeps_the_minimum_and_what_is_left(
    rows: list[tuple[int, float, float]], minimum: int, part: float
) -> None:
    size = np.array([row[0] for row in rows])
    coded = (size * np.array([row[1] for row in rows])).astype(int)
    within = np.array([row[2] for row in rows])
    given_ = Cells(tuple(map(str, range(len(rows)))), size, coded, size - coded, coded / size,
                   within, within, np.ones(len(rows)))  # fmt: skip
    low = least(given_, minimum)
    total = low + round(part * (int(given_.left.sum()) - low))
    shares, whole = allocate(given_, total, minimum)
    assert whole.sum() == total
    assert shares.sum() == pytest.approx(total)
    assert (whole <= given_.left).all()
    assert (whole >= np.minimum(given_.left, minimum)).all()


@pytest.mark.parametrize("total", [4, 11, 30, 77])
def test_no_other_allocation_makes_the_variance_smaller(total: int) -> None:
    """By trying all of them; much is coded of the one stratum, little of the other."""
    uneven = cells(
        coded=np.array([50, 5]), left=np.array([50, 45]), rate=np.array([0.5, 0.1]),
        within=np.array([0.3, 0.25]), about=np.array([0.3, 0.25]),
    )  # fmt: skip
    _, whole = allocate(uneven, total, 2)
    others = [
        predicted_variance(uneven, np.array([number, total - number]))
        for number in range(2, min(50, total - 2) + 1)
        if total - number <= 45
    ]
    assert predicted_variance(uneven, whole) == pytest.approx(min(others), rel=1e-3)


# --- prediction -----------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [0, 1, 15, 79, 80])
def test_predicted_variance_after_random_draws_is_that_of_one_larger_draw(more: int) -> None:
    one = cells(
        names=("a",), size=np.array([100]), coded=np.array([20]), left=np.array([80]),
        rate=np.array([0.2]), within=np.array([0.3]), about=np.array([0.3]), unit=np.ones(1),
    )  # fmt: skip
    n = 20 + more
    found = predicted_variance(one, np.array([more]))
    assert found == pytest.approx(100**2 * (1 - n / 100) * 0.09 / n)


def test_strata_of_the_supplement_take_away_what_differs_between_them() -> None:
    unlike = cells(about=np.array([0.6, 0.6]))
    before = 0.8 * 5 * 150 * 0.36  # N·(1/f − 1)·Q², before anything is drawn within strata
    assert predicted_variance(unlike, np.array([0, 0])) == pytest.approx(before)
    after = predicted_variance(unlike, np.array([20, 20]))
    assert after < predicted_variance(cells(within=unlike.about, about=unlike.about),
                                      np.array([20, 20]))  # fmt: skip


def test_a_stratum_no_draw_covers_leaves_everything_open_until_it_is_drawn_from() -> None:
    new = cells(rate=np.array([0.2, 0.0]), coded=np.array([20, 0]), left=np.array([80, 50]))
    assert predicted_variance(new, np.array([10, 0])) == inf
    found = predicted_variance(new, np.array([0, 10]))
    old = 100**2 * 0.8 * 0.09 / 20
    assert found == pytest.approx(old + 50**2 * (1 - 10 / 50) * 0.25 / 10)


def test_a_stratum_coded_whole_is_known_once_anything_is_drawn() -> None:
    full = cells(coded=np.array([20, 50]), left=np.array([80, 0]), rate=np.array([0.2, 0.8]))
    assert predicted_variance(full, np.array([80, 0])) == 0
    found = predicted_variance(full, np.array([20, 0]))
    assert found == pytest.approx(100**2 * 0.6 * 0.09 / 40)


# --- wishes ---------------------------------------------------------------------------------------


def test_power_has_its_known_values() -> None:
    assert power(1.959964 + 0.841621, 1, critical(0.95)) == pytest.approx(0.8, abs=1e-5)
    assert power(0, 1, critical(0.95)) == pytest.approx(0.05)
    assert power(-0.3, 0.1, 1.96) == power(0.3, 0.1, 1.96)


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.floats(0.001, 0.05), st.floats(0.001, 0.05))
def test_a_smaller_variance_is_a_shorter_interval_and_more_power(one: float, two: float) -> None:
    assume(one < two)
    found = KNOWN
    width, chance = HalfWidth(0.1, found, settings()), Power(0.8, 0.2, settings())
    assert width.measure(one, 5, 0) <= width.measure(two, 5, 99) + 1e-9
    assert chance.measure(one, 5, 0) >= chance.measure(two, 5, 0)


def test_without_degrees_of_freedom_there_is_no_measure() -> None:
    frame, data = known()
    found = estimate(LABELS, frame, domain(frame), data, settings())
    for goal in (HalfWidth(0.1, found, settings()), Power(0.8, 0.2, settings())):
        assert isnan(goal.measure(0.01, 0, 0)) and not goal.met(nan := float("nan"))
        assert isnan(goal.measure(inf, 5, 0)) and not goal.met(nan)


# --- the evidence ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [LABELS, POST, DIFFERENCE])
@pytest.mark.parametrize("group", [ALL, "press"])
@pytest.mark.parametrize("discount", [0.0, 1.0])
def test_evidence_has_the_variances_that_the_tables_have(
    name: str, group: str, discount: float
) -> None:
    passages, said_ = sampled(corpus(3), 4)
    made = ready(passages)
    rules = settings(gain_discount=discount)
    data = outcome(made.frame, said_, "cost", rules)
    part = domain(made.frame, group)
    table = estimate(name, made.frame, part, data, rules)
    found = share_evidence(name, made, part, data, rules)
    for target in TARGETS:
        assert found.estimate.variance[target] == pytest.approx(table.variance[target])
    assert found.estimate.value == table.value
    if name != POST:  # whose weights are calibrated
        weighted = found.error[part.coded] @ made.frame.weight[part.coded]
        assert weighted == pytest.approx(0, abs=1e-9)


def test_after_a_supplement_only_what_varies_with_a_draw_counts() -> None:
    """Everything of one group is coded in two draws; what is left to chance is the other group."""
    passages = drawn_from("xxxxyyyy", [0, 1, 4, 5], groups="aaaabbbb")
    design = combined_design(passages, [])
    draw = make_draw(design, strata_of(design, ["group"], np.ones(8, dtype=bool)), {"a": 2},
                     number=1, seed=1)  # fmt: skip
    made = survey(unread(combined_design(passages, [draw])))
    codes = marks("101110")  # of rows 0 to 5: the supplement took rows 2 and 3
    data = said(made.frame, codes, np.zeros(8))
    found = share_evidence(LABELS, made, domain(made.frame), data, settings()).estimate
    assert made.frame.weight == pytest.approx([1, 1, 1, 1, 2, 2])
    assert found.value == pytest.approx((3 + 2 * 1) / 8)
    # Group b alone: contributions 2·(y − θ̂)/8 of two of four passages, codes 1 and 0.
    assert found.variance[CORPUS] == pytest.approx(0.5 * 2 * 2 * (0.25 * 0.5) ** 2)


def test_design_effect_has_its_known_value() -> None:
    rows = np.flatnonzero(marks("101100101001"))
    passages = drawn_from("x" * 12, rows, sources="aaabbbcccddd")
    made = ready(passages)
    truth = marks("100000101000")
    data = said(made.frame, truth[rows], marks("101001100010"))
    found = share_evidence(DIFFERENCE, made, domain(made.frame), data, settings())
    assert found.estimate.value == pytest.approx(0.416667, abs=1e-6)
    assert sqrt(np.square(found.alone).sum()) == pytest.approx(0.228908, abs=1e-6)


def test_counting_decisions_cannot_be_planned() -> None:
    frame, data = known()
    made = Survey(frame, np.ones(100, dtype=bool))
    with pytest.raises(InputError, match="rests on no codes"):
        share_evidence(COUNT, made, domain(frame), data, settings())
    with pytest.raises(InputError, match="'diference' cannot be planned for"):
        share_evidence("diference", made, domain(frame), data, settings())


def test_spreads_are_weighted_and_borrowed_where_few_are_coded() -> None:
    passages = exact({"a": (20, "111100"), "b": (10, "10")}, groups="a" * 20 + "b" * 10)
    made = ready(passages)
    codes = marks("11110010")
    data = said(made.frame, codes, np.zeros(30))
    found = share_evidence(LABELS, made, domain(made.frame), data, settings())
    group, bit = passages["group"].to_numpy(), np.array(["x"] * 30, dtype=object)
    unit = np.full(30, 30.0)
    strata = Strata(group + "/x", [group, bit], 2)
    one = plan_cells(made, strata, [found], unit, few=3)
    assert one.names == ("a/x", "b/x")
    assert list(one.rate) == pytest.approx([0.3, 0.2])
    n, p = 6, 4 / 6
    assert one.within[0] * 30 == pytest.approx(sqrt(p * (1 - p) * n / (n - 1)))
    weights = np.repeat([20 / 6, 5.0], [6, 2])
    mean = np.average(codes, weights=weights)
    pooled = np.average((codes - mean) ** 2, weights=weights) * 8 / 7
    assert one.within[1] * 30 == pytest.approx(sqrt(pooled))  # both coded of b are too few
    two = plan_cells(made, strata, [found], unit, few=2)
    assert two.within[1] * 30 == pytest.approx(sqrt(0.25 * 2))


def test_where_all_codes_agree_the_spread_is_laplaces() -> None:
    made = ready(exact({"a": (20, "0" * 8)}))
    data = said(made.frame, np.zeros(8), np.zeros(20))
    found = share_evidence(LABELS, made, domain(made.frame), data, settings())
    names = np.array(["a"] * 20, dtype=object)
    one = plan_cells(made, Strata(names, []), [found], np.full(20, 20.0), few=5)
    assert (one.within * 20)[0] == pytest.approx(sqrt(0.1 * 0.9))


# --- plans ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [LABELS, POST, DIFFERENCE])
def test_the_plan_is_the_smallest_that_meets_the_wish(name: str) -> None:
    passages, said_ = sampled(corpus(3), 4)
    asked, data = request(passages, said_, name)
    plan = plan_share(asked, data, ALL, ALL, 0.015, "cost")
    found = own(plan, CORPUS)
    assert found.more and found.now > 0.015 >= found.after > found.limit == 0
    assert found.whole.sum() == found.more == plan.table["more"].sum()
    assert (plan.table["coded"] + plan.table["left"] == plan.table["passages"]).all()
    assert plan.table["passages"].sum() == len(passages)
    closer = plan_share(asked, data, ALL, ALL, 0.0149, "cost")
    assert own(closer, CORPUS).more >= found.more
    table = estimate(name, asked.given.frame, domain(asked.given.frame), data, asked.settings)
    part = domain(asked.given.frame)
    ends = share_interval(
        table.value, sqrt(table.variance[CORPUS]), coded=table.coded, effective=table.effective,
        reference=table.reference, quantile=critical(0.95, part.free), wilson_below=10,
    )  # fmt: skip
    assert found.now == pytest.approx((ends.high - ends.low) / 2)


def test_labels_only_need_more_than_the_difference_estimator() -> None:
    passages, said_ = sampled(corpus(3), 4)
    asked, data = request(passages, said_)
    plan = plan_share(asked, data, ALL, ALL, 0.015, "cost")
    labels = next(a for a in plan.answers if (a.estimator, a.target) == (LABELS, CORPUS))
    assert labels.more > own(plan, CORPUS).more
    alone = plan_share(request(passages, said_, LABELS)[0], data, ALL, ALL, 0.015, "cost")
    assert [one.estimator for one in alone.answers] == [LABELS, LABELS]


def test_a_wish_that_is_met_asks_for_nothing() -> None:
    asked, data = request(*sampled(corpus(3), 4))
    found = own(plan_share(asked, data, ALL, ALL, 0.2, "cost"), CORPUS)
    assert (found.more, found.after) == (0, found.now)
    assert not found.whole.any()


def test_texts_have_a_floor_that_only_sources_lower() -> None:
    asked, data = request(*sampled(corpus(3), 4), target=TEXTS)
    plan = plan_share(asked, data, ALL, ALL, 0.01, "cost")
    found, present = own(plan, TEXTS), plan.present
    assert found.more is None and found.limit > 0.01
    floor = present.variance[TEXTS] - present.variance[CORPUS]
    assert found.limit == pytest.approx(plan.goal.measure(floor, present.df[TEXTS], 0))
    assert plan.chosen.target == CORPUS  # what passages can do
    now, df = present.sources, present.df[TEXTS]
    assert found.sources is not None and found.sources > now

    def with_sources(number: int) -> float:
        variance = present.variance[TEXTS] * now / number
        return plan.goal.measure(variance, df + number - now, 0, TEXTS)

    assert with_sources(found.sources) <= 0.01 + 1e-6
    assert with_sources(found.sources - 1) > 0.01 - 1e-6


def test_texts_can_be_reached_between_the_floor_and_today() -> None:
    asked, data = request(*sampled(corpus(3), 4), target=TEXTS)
    tight = own(plan_share(asked, data, ALL, ALL, 0.01, "cost"), TEXTS)
    wish = (tight.now + tight.limit) / 2
    plan = plan_share(asked, data, ALL, ALL, wish, "cost")
    assert plan.chosen.target == TEXTS and plan.chosen.more
    assert plan.chosen.after <= wish + 1e-6


def test_one_source_says_nothing_about_texts() -> None:
    passages = drawn_from("x" * 30, range(12), sources="s" * 30, groups="c" * 30)
    asked, data = _tiny(passages, marks("110101001010"))
    found = own(plan_share(asked, data, ALL, ALL, 0.1, "cost"), TEXTS)
    assert (found.more, found.reason) == (None, ONE_SOURCE)


def _tiny(passages: pd.DataFrame, codes: Any) -> tuple[Request, Any]:
    made = ready(passages)
    data = said(made.frame, codes, np.zeros(len(passages)))
    strata = Strata(passages["group"].to_numpy(), [passages["group"].to_numpy()])
    return Request(made, strata, strata, LABELS, CORPUS, settings(), PLANNING), data


def test_with_nothing_coded_the_worst_case_is_planned_for() -> None:
    passages = exact({"a": (40, "1010101010"), "b": (30, "11")}, groups="a" * 40 + "b" * 30)
    passages.loc[passages["group"] == "b", ["stratum", "weight"]] = [None, np.nan]
    passages.loc[passages["group"] == "b", ["stratum_size", "stratum_sampled"]] = pd.NA
    design = combined_design(passages.assign(in_frame=passages["group"] == "a"), [])
    design = unread(design).assign(unread_frame=passages["group"] == "a")
    made = survey(design)
    data = said(made.frame, marks("1010101010"), np.zeros(70))
    names = passages["group"].where(passages["group"] == "b", "").to_numpy()
    strata = Strata(names, [passages["group"].to_numpy()])
    asked = Request(made, strata, strata, LABELS, CORPUS, settings(), PLANNING)
    plan = plan_share(asked, data, "b", ALL, 0.2, "cost")
    found = own(plan, CORPUS)
    assert isnan(found.now) and 2 < found.more < 30
    assert plan.table["error_sd"].tolist() == [0.5]
    assert own(plan, TEXTS).reason == NO_CODED


def test_everything_coded_leaves_nothing_to_plan() -> None:
    passages = drawn_from("x" * 6, range(6), sources="aabbcc", groups="c" * 6)
    asked, data = _tiny(passages, marks("110100"))
    plan = plan_share(asked, data, ALL, ALL, 0.01, "cost")
    assert own(plan, CORPUS).more == 0
    assert (own(plan, TEXTS).more, own(plan, TEXTS).reason) == (None, "every passage is coded")


@pytest.mark.parametrize("wish", [0, -0.1, 0.5, 2])
def test_half_widths_out_of_range_are_refused(wish: float) -> None:
    asked, data = request(*sampled(corpus(3), 4))
    with pytest.raises(InputError, match="--half-width"):
        plan_share(asked, data, ALL, ALL, wish, "cost")
    with pytest.raises(InputError, match="no passage in"):
        plan_share(asked, data, "nobody", ALL, 0.1, "cost")


def test_power_of_a_contrast() -> None:
    asked, data = request(*sampled(corpus(3), 4))
    a, b = Side(data, "council", ALL), Side(data, "press", ALL)
    frame, fixed = asked.given.frame, asked.settings
    parts = [domain(frame, side.group) for side in (a, b)]
    sides = [estimate(DIFFERENCE, frame, part, data, fixed) for part in parts]
    table = contrast(*sides, CORPUS, 0.95)
    plan = plan_contrast(asked, a, b, 0.8, 0.05, "council against press")
    found = own(plan, CORPUS)
    df = degrees_of_freedom(*sides, CORPUS)
    assert plan.value == pytest.approx(table.difference)
    assert found.now == pytest.approx(power(0.05, table.se, critical(0.95, df)))
    assert found.now < 0.8 <= found.after and found.more
    assert found.limit == 1
    smaller = own(plan_contrast(asked, a, b, 0.8, 0.04, ""), CORPUS)
    assert smaller.more > found.more
    seen = plan_contrast(asked, a, b, 0.8, None, "")
    assert seen.goal.difference == pytest.approx(abs(table.difference))


def test_a_contrast_of_two_codes_in_one_group_counts_what_they_share() -> None:
    asked, data = request(*sampled(corpus(3), 4))
    side = Side(data, "council", ALL)
    with pytest.raises(InputError, match="no difference to look for"):
        plan_contrast(asked, side, side, 0.8, None, "")
    for wish, difference in ((1.2, 0.1), (0.8, 0.0), (0.8, 3)):
        with pytest.raises(InputError, match="--"):
            plan_contrast(asked, side, side, wish, difference, "")


# --- read and unread ------------------------------------------------------------------------------


def two_draws(reached: tuple[str, ...], seed: int = 4, truth: pd.DataFrame | None = None) -> Any:
    """A development draw over all, an unread one from what it left of the groups reached."""
    frame = corpus(3) if truth is None else truth
    random = np.random.default_rng(seed)
    total, group = len(frame), frame["group"].to_numpy()
    read = np.zeros(total, dtype=bool)
    read[random.choice(total, 200, replace=False)] = True
    design = frame[["passage_id", "source_id", "group", "period", "words"]].assign(
        stratum=pd.Series(np.where(read, "first", None), dtype=object),
        stratum_size=np.where(read, total, np.nan), stratum_sampled=np.where(read, 200, np.nan),
        read_weight=np.where(read, total / 200, np.nan), role=np.where(read, "development", ""),
        unread_frame=np.isin(group, reached), estimable=True,
    )  # fmt: skip
    known_ = read & design["unread_frame"].to_numpy()
    design["weight"] = design["read_weight"].mask(known_, 1.0)
    design["random_share"] = np.where(known_, 0.0, np.where(read, 1.0, np.nan))
    for name in reached:
        left = np.flatnonzero((group == name) & ~read)
        rows = random.choice(left, len(left) // 4, replace=False)
        design.loc[rows, "stratum"] = f"later: {name}"
        design.loc[rows, ["stratum_size", "stratum_sampled"]] = (len(left), len(rows))
        design.loc[rows, "weight"] = len(left) / len(rows)
        design.loc[rows, ["role", "random_share"]] = ("confirmation", 1.0)
    design = design.astype({"stratum_size": "Int64", "stratum_sampled": "Int64"})
    return design, scores(frame, design)


def asked_of(
    design: pd.DataFrame, said_: pd.DataFrame, estimator: str = DIFFERENCE, **changes: Any
) -> tuple[Request, Any]:
    made = survey(design, changes.pop("case", ""))
    columns = strata_columns(PLANNING.strata, ["cost"])
    frame = with_classifier(design, said_, ["cost"], PLANNING.sure)
    everything = np.ones(len(frame), dtype=bool)
    strata, plain = (
        Strata(
            strata_of(frame, names, everything).to_numpy(), [frame[n].to_numpy() for n in names], 1
        )
        for names in (columns, ["group"])
    )
    data = outcome(made.frame, said_, "cost", settings())
    return Request(made, strata, plain, estimator, CORPUS, settings(), PLANNING, **changes), data


EVERY = ("council", "residents", "press")


@pytest.mark.parametrize("reached", [EVERY, EVERY[:1], ()])
@pytest.mark.parametrize("name", [LABELS, POST, DIFFERENCE])
def test_today_is_what_the_tables_have_whatever_was_read(
    reached: tuple[str, ...], name: str
) -> None:
    asked, data = asked_of(*two_draws(reached), name)
    frame = asked.given.frame
    plan = plan_share(asked, data, ALL, ALL, 0.01, "cost")
    part = domain(frame)
    name = name if reached else LABELS
    row = share_row(frame, estimate(name, frame, part, data, settings()), part, CORPUS, settings())
    assert plan.value == pytest.approx(row["estimate"])
    assert own(plan, CORPUS).now == pytest.approx((row["ci_high"] - row["ci_low"]) / 2)
    assert plan.note == ("" if reached else UNREAD_UNKNOWN)


def test_without_unread_codings_the_classifier_saves_nothing_yet() -> None:
    """However right it is on what was read: the plan is for labels only."""
    design, said_ = two_draws(())
    read = said_["label"].notna()
    right = said_.assign(
        probability=said_["probability"].mask(read, said_["label"] * 0.9 + 0.05).astype(float),
        decision=said_["decision"].mask(read, said_["label"]).astype(int),
    )
    by_classifier = plan_share(*_with(asked_of(design, right)), 0.02, "cost")
    by_labels = plan_share(*_with(asked_of(design, right, LABELS)), 0.02, "cost")
    assert {one.estimator for one in by_classifier.answers} == {LABELS}
    assert own(by_classifier, CORPUS).more == own(by_labels, CORPUS).more
    # Strata by the classifier's decision may be drawn from; nothing is expected of them.
    group = pd.Series(by_classifier.cells.names).str.split("/").str[0].to_numpy()
    spread = by_classifier.cells.within
    for name in EVERY:
        assert np.ptp(spread[group == name]) == 0
    # With unread codings the errors of such a classifier are what they are.
    confirmed = plan_share(*_with(asked_of(unread(design), right)), 0.02, "cost")
    assert confirmed.chosen.estimator == DIFFERENCE
    assert own(confirmed, CORPUS).more < own(by_labels, CORPUS).more


def _with(given_: tuple[Request, Any]) -> tuple[Request, Any, str, str]:
    return (*given_, ALL, ALL)


def test_errors_on_read_passages_tell_no_spread() -> None:
    asked, _ = asked_of(*two_draws(EVERY))
    frame = asked.given.frame
    data = outcome(frame, two_draws(EVERY)[1], "cost", settings())
    found = share_evidence(DIFFERENCE, asked.given, domain(frame), data, settings())
    assert not found.error[frame.read].any() and not found.telling[frame.read].any()
    assert found.telling[~frame.read].all()
    cells_ = plan_cells(asked.given, asked.strata, [found], np.ones(frame.total), 5)
    assert cells_.known.sum() == frame.read.sum()
    assert not cells_.anew.any()
    assert cells_.standing.sum() == pytest.approx((~frame.read).sum(), rel=0.01)


def test_first_confirmation_draw_makes_what_was_read_known() -> None:
    """V(m) = Σ R²(1 − m/R)S²/m: earlier draws have no say beyond being known."""
    one = cells(anew=np.array([True, True]))
    more = np.array([30, 10])
    expected = 80 * 50 / 30 * 0.09 + 40 * 30 / 10 * 0.25
    assert predicted_variance(one, more) == pytest.approx(expected)
    assert predicted_variance(one, more) > predicted_variance(cells(), more)
    # Not drawn from, a stratum keeps the earlier design.
    half = predicted_variance(one, np.array([30, 0]))
    assert half == pytest.approx(80 * 50 / 30 * 0.09 + 50**2 * 0.8 * 0.25 / 10)
    assert allocate(one, 40, 2)[1].sum() == 40


def test_development_draw_where_unread_ones_reach_leaves_less_to_stand_for() -> None:
    """15 unread of 60 that are not known, in a stratum of 100; ten of the 45 left become known."""
    one = cells(
        names=("a",), size=np.array([100]), coded=np.array([55]), left=np.array([45]),
        rate=np.array([0.25]), within=np.array([0.3]), about=np.array([0.3]), unit=np.ones(1),
        known=np.array([40]), teaching=np.array([True]),
    )  # fmt: skip
    for m in (0, 10, 45):
        expected = (60 - m) ** 2 * (1 - 15 / (60 - m)) * 0.09 / 15
        assert predicted_variance(one, np.array([m])) == pytest.approx(expected)
    coded_more = replace(one, teaching=np.array([False]))
    assert predicted_variance(coded_more, np.array([10])) < predicted_variance(
        one, np.array([10])
    )  # reading fewer of them brings less than leaving them unread
    asked, data = asked_of(*two_draws(EVERY), role="development")
    further = own(plan_share(asked, data, ALL, ALL, 0.02, "cost"), CORPUS).more
    asked, data = asked_of(*two_draws(EVERY))
    assert further > own(plan_share(asked, data, ALL, ALL, 0.02, "cost"), CORPUS).more


def test_the_case_study_has_no_say_in_texts() -> None:
    design, said_ = two_draws(EVERY)
    case = design.loc[design["weight"].notna(), "source_id"].value_counts().index[0]
    asked, data = asked_of(design, said_, case=case)
    plan = plan_share(asked, data, ALL, ALL, 0.01, "cost")
    frame = asked.given.frame
    rest = domain(frame, ALL, ALL, TEXTS)
    table = estimate(DIFFERENCE, frame, rest, data, settings())
    assert plan.present.variance[TEXTS] == pytest.approx(table.variance[TEXTS])
    assert (
        plan.present.sources
        == rest.coded_sources
        == frame.sources - 1 - sum(~np.isin(np.arange(frame.sources), frame.source[frame.drawn]))
    )
    floor = table.variance[TEXTS] - table.variance[CORPUS]
    limit = plan.goal.measure(floor, table.df[TEXTS], 0, TEXTS)
    assert own(plan, TEXTS).limit == pytest.approx(limit)


def test_a_spent_draw_says_what_a_new_one_costs() -> None:
    before, said_ = two_draws(EVERY)
    config_ = config() | {
        "planning": {"strata": ["group", "decision"], "minimum": 2, "sure": 0.8, "few": 5},
    }
    config_["inference"]["headline"] = {"estimator": DIFFERENCE, "target": TEXTS}
    drawn = before["weight"].notna()
    total = len(before)
    after = before.assign(
        role=np.where(drawn, "development", ""), unread_frame=False, stratum="all",
        stratum_size=total, stratum_sampled=int(drawn.sum()),
        read_weight=np.where(drawn, total / drawn.sum(), np.nan),
        weight=np.where(drawn, total / drawn.sum(), np.nan),
        random_share=np.where(drawn, 1.0, np.nan),
    )  # fmt: skip
    after.loc[~drawn, ["stratum", "stratum_size", "stratum_sampled"]] = [None, pd.NA, pd.NA]
    said_words = replacement_sentence(before, after, said_, config_)
    asked, data = asked_of(after, said_)
    frame = survey(before).frame
    made = estimate(DIFFERENCE, frame, domain(frame), outcome(frame, said_, "cost", settings()),
                    settings())  # fmt: skip
    row = share_row(frame, made, domain(frame), CORPUS, settings())
    width = round((row["ci_high"] - row["ci_low"]) / 2, 4)
    more = replacement_size(replace(asked, strata=asked.plain), data, width)
    assert f"about {more:,} passages" in said_words and f"half-width {width:.3f}" in said_words
    assert "labels only" in said_words
    assert replacement_sentence(after, after, said_, config_) == ""
    config_["inference"]["headline"]["estimator"] = COUNT
    with pytest.raises(InputError, match="rests on no codes"):
        replacement_sentence(before, after, said_, config_)


@pytest.mark.slow
def test_a_first_confirmation_draw_as_planned_is_as_narrow_as_foretold() -> None:
    """Labels only, planned on read codes, drawn, coded: as wide as the plan said, or narrower."""
    truth = corpus(21)
    design, said_ = two_draws((), truth=truth)
    plan = plan_share(*_with(asked_of(design, said_, LABELS)), 0.025, "cost")
    asked, _ = asked_of(design, said_, LABELS)
    sizes = dict(zip(plan.table["stratum"], plan.table["more"], strict=True))
    names = np.asarray(asked.strata.names)
    widths = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        after = design.assign(unread_frame=True)
        read = (design["role"] == "development").to_numpy()
        after.loc[read, ["weight", "random_share"]] = (1.0, 0.0)
        for name, number in sizes.items():
            left = np.flatnonzero((names == name) & ~read)
            rows = random.choice(left, number, replace=False)
            after.loc[rows, "stratum"] = name
            after.loc[rows, ["stratum_size", "stratum_sampled"]] = (len(left), number)
            after.loc[rows, "weight"] = len(left) / number
            after.loc[rows, ["role", "random_share"]] = ("confirmation", 1.0)
        later, data = asked_of(after, scores(truth, after), LABELS)
        now = own(plan_share(later, data, ALL, ALL, 0.01, "cost"), CORPUS).now
        widths.append(now / plan.chosen.after)
    assert 0.7 < np.mean(widths) < 1.1


# --- what is planned comes true -------------------------------------------------------------------


@pytest.mark.slow
def test_drawn_and_coded_as_planned_the_interval_is_as_predicted_and_covers() -> None:
    """Plan, draw the supplement, code it, estimate anew: errors as large as foretold."""
    truth, widths, ratios = corpus(21), [], []
    share, fixed = truth["truth"].mean(), settings()
    for seed in range(16):
        passages, said_ = sampled(truth, seed, (0.2, 0.4))
        asked, data = request(passages, said_)
        plan = plan_share(asked, data, ALL, ALL, 0.02, "cost")
        assert plan.chosen.more
        design = combined_design(passages, [])
        names = pd.Series(np.asarray(asked.strata.names))
        sizes = dict(zip(plan.table["stratum"], plan.table["more"], strict=True))
        draw = make_draw(design, names, sizes, number=1, seed=seed)
        after = unread(combined_design(passages, [draw]))
        made = survey(after)
        coded = scores(truth, after)
        found = share_evidence(
            DIFFERENCE, made, domain(made.frame), outcome(made.frame, coded, "cost", fixed), fixed
        ).estimate
        se = sqrt(found.variance[CORPUS])
        widths.append(1.96 * se / plan.chosen.after)
        ratios.append((found.value - share) / se)
    assert 0.85 < np.mean(widths) < 1.15
    assert np.mean(np.abs(ratios) < 1.96) >= 13 / 16
    assert abs(np.mean(ratios)) < 3 / sqrt(16)


@pytest.mark.slow
@hypothesis_settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([LABELS, POST, DIFFERENCE]))
def test_plans_never_ask_for_more_than_there_is(seed: int, name: str) -> None:
    asked, data = request(*sampled(corpus(seed, sources=12), seed), name)
    for group in ("council", "residents"):
        plan = plan_share(asked, data, group, ALL, 0.03, "cost")
        for one in plan.answers:
            if one.more is not None:
                assert one.more <= int(plan.cells.left.sum())
                assert plan.goal.met(one.after)


# --- strata and scopes ----------------------------------------------------------------------------


def test_strata_of_the_classifier() -> None:
    frame = drawn_from("xxxx", [0, 1])
    said_ = pd.DataFrame(
        {"passage_id": frame["passage_id"].iloc[::-1], "code": "cost",
         "probability": [0.3, 0.7, 0.9, 0.05], "decision": [1, 1, 1, 0]}
    )  # fmt: skip
    found = with_classifier(frame, said_, ["cost"], 0.8)
    assert found["decision:cost"].tolist() == ["no", "yes", "yes", "yes"]
    assert found["confidence:cost"].tolist() == ["sure", "sure", "doubtful", "doubtful"]
    with pytest.raises(InputError, match="has no code 'noise'"):
        with_classifier(frame, said_, ["noise"], 0.8)
    with pytest.raises(InputError, match="other passages than the corpus has"):
        with_classifier(frame, said_.iloc[1:], ["cost"], 0.8)
    assert strata_columns(["group", "decision"], ["a", "b", "a"]) == [
        "group", "decision:a", "decision:b",
    ]  # fmt: skip
    with pytest.raises(InputError, match="which code is meant"):
        strata_columns(["decision"], [])


def test_scopes_are_read_as_they_are_written() -> None:
    frame = pd.DataFrame({"group": list("aabb"), "period": list("xyxy")})
    scope = scope_text([("a", "all"), ("b", "y")])
    assert scope == "a/all + b/y"
    assert scope_member(frame, scope).tolist() == [True, True, False, True]
    assert scope_member(frame, "all/all").all()


def test_settings_come_from_the_configuration() -> None:
    said = {"strata": ["period"], "minimum": 4, "sure": 0.7, "few": 3}
    assert PlanSettings.of({"planning": said}) == PlanSettings(("period",), 4, 0.7, 3)
