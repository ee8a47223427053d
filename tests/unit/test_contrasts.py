"""Differences of two cells: what both sides share, what is said of a thesis, what is missing."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf, isnan, log, nan, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from framing.inference.contrasts import (
    EXACT,
    SMOOTHED,
    SMOOTHED_CELL,
    UNDECIDED,
    UNKNOWN,
    Contrast,
    adjusted_verdict,
    bounded,
    contrast,
    degrees_of_freedom,
    ratio,
    reading,
    standardised,
    verdict,
)
from framing.inference.corrected import Estimate
from framing.inference.design import CORPUS, TARGETS, TEXTS, domain, population
from framing.inference.estimators import LABELS, estimate
from framing.inference.intervals import critical, two_sided_p
from framing.inference.outcomes import outcome
from tests.unit.inference_samples import (
    drawn_from,
    marks,
    read_surveys,
    roles,
    said,
    settings,
    surveys,
)

RULES = settings()


def hand_made(value: float, deviations: dict[str, list[float]], **changes: object) -> Estimate:
    vectors = {target: np.array(numbers) for target, numbers in deviations.items()}
    made = Estimate(
        value=value, coded=50, positives=20, effective=40.0, reference=value,
        variance={target: float(np.square(v).sum()) for target, v in vectors.items()},
        deviations=vectors, df=dict.fromkeys(TARGETS, 30.0),
    )  # fmt: skip
    return replace(made, **changes)


# --- variance -------------------------------------------------------------------------------------


def test_what_both_sides_share_cancels_before_squaring() -> None:
    a = hand_made(0.5, {TEXTS: [0.03, -0.04, 0.0]})
    b = hand_made(0.2, {TEXTS: [0.03, 0.0, 0.05]}, df={TEXTS: 12.0})
    found = contrast(a, b, TEXTS, 0.95)
    assert found.difference == pytest.approx(0.3)
    assert found.se == pytest.approx(sqrt(0.04**2 + 0.05**2))
    # The smaller of the degrees of freedom: t = 2.178813 with 12.
    assert found.low == pytest.approx(0.3 - 2.178813 * found.se, abs=1e-6)
    assert found.high == pytest.approx(0.3 + 2.178813 * found.se, abs=1e-6)
    assert found.p_value == pytest.approx(two_sided_p(0.3, found.se, 12))
    assert found.status == ""


def test_order_of_the_sides_turns_the_difference_only() -> None:
    a = hand_made(0.5, {TEXTS: [0.03, -0.04, 0.0]})
    b = hand_made(0.2, {TEXTS: [0.03, 0.0, 0.05]}, df={TEXTS: 12.0})
    found, turned = contrast(a, b, TEXTS, 0.9), contrast(b, a, TEXTS, 0.9)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert (turned.se, turned.p_value) == pytest.approx((found.se, found.p_value))


Survey = tuple[pd.DataFrame, pd.DataFrame]


def _varies(side: Estimate, target: str) -> bool:
    """Whether codes vary, also among the passages that stand for those not known."""
    kinds = {target} if side.rest is None else {target, CORPUS}
    return min(side.variance[kind] for kind in kinds) > 1e-9


@pytest.mark.slow
@examples(max_examples=25, deadline=None)
@given(st.one_of(surveys(), read_surveys()), st.sampled_from(["all", "council"]))
def test_two_codes_of_the_same_passages_differ_as_their_difference_varies(
    survey: Survey, group: str
) -> None:
    """The difference of two means of the same passages is the mean of differences."""
    frame = population(survey[0])
    one = outcome(frame, survey[1], "cost", RULES)
    # A second code that goes with the first: reversed where the classifier says yes.
    marked = one.decision[frame.drawn] == 1
    two = replace(one, label=np.where(marked, 1 - one.label, one.label))
    part = domain(frame, group)
    assume(len(part.coded) > 0)
    a, b = (estimate(LABELS, frame, part, data, RULES) for data in (one, two))
    apart = estimate(LABELS, frame, part, replace(one, label=one.label - two.label), RULES)
    usable = [
        target
        for target in TARGETS
        if target not in {*a.missing, *a.barred} and all(_varies(side, target) for side in (a, b))
    ]
    assume(usable)
    for target in usable:
        found = contrast(a, b, target, 0.95)
        assert found.difference == pytest.approx(apart.value, abs=1e-12)
        error = 0.0 if isnan(found.se) else found.se
        assert error == pytest.approx(sqrt(apart.variance[target]), abs=1e-6)


def test_code_and_its_opposite_vary_twice_as_much() -> None:
    frame = population(drawn_from("x" * 30, range(12), sources="aabbccddeeff" * 2 + "abcdef"))
    label = marks("110100100101")
    a, b = (
        estimate(LABELS, frame, domain(frame), said(frame, code, np.zeros(30)), RULES)
        for code in (label, 1 - label)
    )
    for target in TARGETS:
        found = contrast(a, b, target, 0.95)
        assert found.difference == pytest.approx(2 * 0.5 - 1)
        assert found.se == pytest.approx(2 * sqrt(a.variance[target]))
        assert found.p_value == 1


def test_sides_that_vary_alike_have_no_interval() -> None:
    frame = population(drawn_from("x" * 30, range(12)))
    found = estimate(LABELS, frame, domain(frame), said(frame, marks("110100100100"), np.zeros(30)),
                        RULES)  # fmt: skip
    for target in TARGETS:
        lower = replace(found, value=found.value - 0.1)  # of the same passages
        same = contrast(found, lower, target, 0.95)
        assert (same.estimate_a, same.estimate_b) == (found.value, lower.value)
        assert same.difference == pytest.approx(0.1)
        assert isnan(same.se)
        assert isnan(same.low)
        assert isnan(same.p_value)
        assert same.status == "no interval: the two sides do not vary apart"


def test_groups_of_the_same_sources_vary_together() -> None:
    """Four sources, in each two passages of group a and two of b, all coded, weights 1.

    Counts by source a 2 1 1 0, b 1 1 0 0. Contributions a (2 1 1 0)/8 − 1/8 = (1 0 0 −1)/8,
    b (1 1 0 0)/8 − 1/16 = (1 1 −1 −1)/16, a − b = (1 −1 1 −1)/16: V = 4/3 · 4/256 = 1/48;
    apart they would be 4/3 · 2/64 + 4/3 · 4/256 = 1/16.
    """
    frame = population(
        drawn_from("x" * 16, range(16), sources="ssssttttuuuuvvvv", groups="aabb" * 4)
    )
    data = said(frame, marks("1110101010000000"), np.zeros(16))
    a, b = (estimate(LABELS, frame, domain(frame, group), data, RULES) for group in "ab")
    found = contrast(a, b, TEXTS, 0.95)
    assert (found.estimate_a, found.estimate_b) == (0.5, 0.25)
    assert found.se == pytest.approx(sqrt(1 / 48))
    assert a.variance[TEXTS] + b.variance[TEXTS] == pytest.approx(1 / 16)
    assert contrast(a, b, CORPUS, 0.95).status == EXACT


def test_groups_drawn_from_one_stratum_vary_against_each_other() -> None:
    """Which group a draw falls into is chance: the deviations share the stratum's mean.

    Six of twelve drawn, three of each group, codes 110 and 100. z = w(y − ȳ_d)/Σw: a (1 1 −2)/9,
    b (2 −1 −1)/9; both add up to 0, so V = (1 − 6/12) · 6/5 · Σz² = .6 · 12/81.
    """
    frame = population(drawn_from("x" * 12, range(6), groups="aaabbb" * 2))
    data = said(frame, marks("110100"), np.zeros(12))
    a, b = (estimate(LABELS, frame, domain(frame, group), data, RULES) for group in "ab")
    found = contrast(a, b, CORPUS, 0.95)
    assert found.difference == pytest.approx(1 / 3)
    assert found.se == pytest.approx(sqrt(0.6 * 12 / 81))


# --- degrees of freedom ---------------------------------------------------------------------------


def test_sides_that_share_nothing_have_welchs_degrees_of_freedom() -> None:
    """V .0009 with 4 and .0016 with 9 degrees: .0025²/(.0009²/4 + .0016²/9) = 12.8351."""
    for target in TARGETS:
        a = hand_made(0.5, {target: [0.03, 0.0]}, df={target: 4.0})
        b = hand_made(0.2, {target: [0.0, 0.04]}, df={target: 9.0})
        free = 0.0025**2 / (0.0009**2 / 4 + 0.0016**2 / 9)
        assert free == pytest.approx(12.8351, abs=5e-5)
        assert degrees_of_freedom(a, b, target) == pytest.approx(free)
        found = contrast(a, b, target, 0.95)
        assert found.high - found.difference == pytest.approx(critical(0.95, free) * 0.05)
        shared = replace(b, deviations={target: np.array([0.001, 0.04])})
        assert degrees_of_freedom(a, shared, target) == 4


def test_side_that_is_known_has_no_degrees_of_freedom() -> None:
    deviations = {target: [0.03, 0.0] for target in TARGETS}
    a = hand_made(0.5, deviations, df=dict.fromkeys(TARGETS, 7.0))
    b = hand_made(0.2, {target: [0.0, 0.0] for target in TARGETS}, complete=True,
                  df={CORPUS: 0.0, TEXTS: 5.0})  # fmt: skip
    assert degrees_of_freedom(a, b, CORPUS) == 7


def test_ratio_is_symmetric_on_the_log_scale() -> None:
    """.4/.2 with deviations .04 and .03: V(log) = .1² + .15², df from the difference."""
    a = hand_made(0.4, {TEXTS: [0.04, 0.0]}, df={TEXTS: 4.0})
    b = hand_made(0.2, {TEXTS: [0.0, 0.03]}, df={TEXTS: 9.0})
    half = critical(0.95, degrees_of_freedom(a, b, TEXTS)) * sqrt(0.1**2 + 0.15**2)
    expected = (2, exp(log(2) - half), exp(log(2) + half))
    assert ratio(a, b, TEXTS, 0.95) == pytest.approx(expected)
    # Variance that deviations do not show counts once, by the square of the side's share.
    more = replace(b, smoothed={TEXTS: 0.0007})
    half = critical(0.95, degrees_of_freedom(a, b, TEXTS)) * sqrt(0.1**2 + (0.0009 + 0.0007) / 0.04)
    assert ratio(a, more, TEXTS, 0.95)[2] == pytest.approx(exp(log(2) + half))


# --- the period held ------------------------------------------------------------------------------


def test_shares_of_periods_are_averaged_with_the_weights_given() -> None:
    """.25·.6 + .75·.2; V .25²·.0016 + .75²·.0004 = .0001 + .000225; Satterthwaite's df."""
    cells = [
        hand_made(0.6, {CORPUS: [0.04, 0.0, 0.0]}, df={CORPUS: 4.0}, note="one"),
        hand_made(0.2, {CORPUS: [0.0, 0.02, 0.0]}, df={CORPUS: 10.0}, note="one", coded=30),
    ]
    found = standardised(cells, [0.25, 0.75], CORPUS, 0.95)
    assert found.value == pytest.approx(0.3)
    assert found.variance[CORPUS] == pytest.approx(0.000325)
    assert found.deviations[CORPUS] == pytest.approx([0.01, 0.015, 0])
    assert found.df[CORPUS] == pytest.approx(0.000325**2 / (0.0001**2 / 4 + 0.000225**2 / 10))
    assert (found.coded, found.note, found.complete) == (80, "one", False)
    assert found.smoothed == {CORPUS: 0.0}
    # The degrees of freedom of all cells together, where they are given.
    assert standardised(cells, [0.25, 0.75], CORPUS, 0.95, 33.0).df == {CORPUS: 33.0}


def test_period_in_which_no_code_varies_is_given_a_variance_once() -> None:
    cells = [
        hand_made(0.6, {target: [0.04, 0.0] for target in TARGETS}),
        hand_made(0.0, {target: [0.0, 0.0] for target in TARGETS}, positives=0),
    ]
    unseen = 0.25 * plus_four(0, 40, critical(0.95) ** 2)
    for target in TARGETS:
        found = standardised(cells, [0.5, 0.5], target, 0.95)
        assert found.variance[target] == pytest.approx(0.25 * 0.0016 + unseen)
        assert found.smoothed[target] == pytest.approx(unseen)
        assert found.note == SMOOTHED_CELL
        other = hand_made(0.1, {target: [0.0, 0.03]})
        compared = contrast(found, other, target, 0.95)
        assert compared.se**2 == pytest.approx(0.25 * 0.0016 + 0.0009 + unseen)
        assert SMOOTHED not in compared.status


def test_period_that_is_known_leaves_nothing_to_chance_in_this_corpus() -> None:
    known = hand_made(0.0, {target: [0.0, 0.0] for target in TARGETS}, positives=0, complete=True,
                      df={CORPUS: 0.0, TEXTS: 3.0})  # fmt: skip
    other = hand_made(0.6, {target: [0.04, 0.0] for target in TARGETS})
    found = standardised([other, known], [0.5, 0.5], CORPUS, 0.95)
    assert (found.variance[CORPUS], found.note) == (pytest.approx(0.0004), "")
    assert found.df[CORPUS] == pytest.approx(30)
    whole = standardised([known, replace(known, value=0.5)], [0.5, 0.5], CORPUS, 0.95)
    assert (whole.complete, whole.value, whole.variance[CORPUS]) == (True, 0.25, 0)
    assert contrast(whole, known, CORPUS, 0.95).status == EXACT
    assert standardised([known, known], [0.5, 0.5], TEXTS, 0.95).note == SMOOTHED_CELL


# --- sides that vary not at all -------------------------------------------------------------------


def no_positive(**changes: object) -> Estimate:
    zeros = {target: [0.0, 0.0, 0.0] for target in TARGETS}
    return hand_made(0.0, zeros, positives=0, **changes)


def plus_four(share: float, size: float, square: float) -> float:
    """Agresti and Coull's variance."""
    centre = (share * size + square / 2) / (size + square)
    return centre * (1 - centre) / (size + square)


def test_side_without_a_positive_is_given_a_variance() -> None:
    a = hand_made(0.5, {target: [0.03, -0.04, 0.0] for target in TARGETS})
    square = critical(0.95, 30) ** 2
    for target in TARGETS:
        for pair, sign in (((a, no_positive()), 1), ((no_positive(), a), -1)):
            found = contrast(*pair, target, 0.95)
            assert found.difference == sign * 0.5
            assert found.se**2 == pytest.approx(0.0025 + plus_four(0, 40, square))
            assert found.status == SMOOTHED


def test_two_sides_without_a_positive_are_given_two() -> None:
    found = contrast(no_positive(), no_positive(effective=10.0), CORPUS, 0.95)
    square = critical(0.95, 30) ** 2
    assert found.se**2 == pytest.approx(plus_four(0, 40, square) + plus_four(0, 10, square))
    assert (found.difference, found.p_value, found.status) == (0, 1, SMOOTHED)


def test_side_coded_whole_has_no_variance_in_this_corpus_and_one_for_texts() -> None:
    a = hand_made(
        0.5, {target: [0.03, -0.04, 0.0] for target in TARGETS}, df={CORPUS: 7.0, TEXTS: 5.0}
    )
    b = no_positive(complete=True, df={CORPUS: 0.0, TEXTS: 9.0})
    found = contrast(a, b, CORPUS, 0.95)
    assert (found.se, found.status) == (pytest.approx(0.05), "")
    assert found.low == pytest.approx(0.5 - critical(0.95, 7) * 0.05)  # b's degrees do not count
    texts = contrast(a, b, TEXTS, 0.95)
    assert texts.se**2 == pytest.approx(0.0025 + plus_four(0, 40, critical(0.95, 5) ** 2))


def test_both_sides_coded_whole_differ_for_certain() -> None:
    a, b = no_positive(complete=True), replace(no_positive(complete=True), value=0.25)
    found = contrast(a, b, CORPUS, 0.95)
    assert (found.estimate_a, found.estimate_b) == (0, 0.25)
    assert (found.difference, found.se, found.low, found.high) == (-0.25, 0, -0.25, -0.25)
    assert isnan(found.p_value)
    assert found.status == EXACT
    assert verdict(found, "less") == "supported"


def test_side_without_a_positive_beside_known_ones_is_given_the_variance_of_its_rest() -> None:
    """Ten known, 3 of them carrying the code; ten left, of which four were drawn, none with it."""
    frame = population(roles("r" * 10 + "uuuu......" + "uuuu......", "r" * 10 + "x" * 10 + "y" * 10,
                             groups="a" * 20 + "b" * 10))  # fmt: skip
    data = said(frame, np.r_[marks("1110000000"), marks("0000"), marks("1100")], np.zeros(30))
    a, b = (estimate(LABELS, frame, domain(frame, group), data, RULES) for group in "ab")
    found = contrast(a, b, CORPUS, 0.95)
    assert found.estimate_a == pytest.approx(3 / 20)
    free = degrees_of_freedom(a, b, CORPUS)
    unseen = (10 / 20) ** 2 * plus_four(0, 4, critical(0.95, free) ** 2)
    assert found.se**2 == pytest.approx(unseen + 0.6 * (1 / 3) / 4)
    assert found.status == SMOOTHED


# --- sides that are missing -----------------------------------------------------------------------


def test_missing_side_is_named_and_the_other_kept() -> None:
    a = hand_made(0.5, {target: [0.03, -0.04] for target in TARGETS})
    b = hand_made(0.2, {target: [0.01, 0.0] for target in TARGETS}, missing={TEXTS: "one source"})
    found = contrast(a, b, TEXTS, 0.95)
    assert found.estimate_a == 0.5
    assert isnan(found.estimate_b)
    assert isnan(found.difference)
    assert found.status == "side B: one source"
    assert contrast(a, b, CORPUS, 0.95).status == ""
    both = contrast(b, b, TEXTS, 0.95)
    assert both.status == "side A: one source; side B: one source"


def test_side_without_an_interval_leaves_the_difference() -> None:
    a = hand_made(0.5, {CORPUS: [0.03, -0.04]}, barred={CORPUS: "no interval: why"})
    b = hand_made(0.2, {CORPUS: [0.01, 0.0]})
    found = contrast(a, b, CORPUS, 0.95)
    assert (found.estimate_a, found.estimate_b) == (0.5, 0.2)
    assert found.difference == pytest.approx(0.3)
    assert isnan(found.se)
    assert isnan(found.low)
    assert isnan(found.p_value)
    assert found.status == "side A: no interval: why"
    assert contrast(b, a, CORPUS, 0.95).status == "side B: no interval: why"


def test_notes_of_the_sides_are_handed_on() -> None:
    a = hand_made(0.5, {CORPUS: [0.03, -0.04, 0.0]}, note="labels only: why")
    assert contrast(a, no_positive(note="other"), CORPUS, 0.95).status == (
        f"side A: labels only: why; side B: other; {SMOOTHED}"
    )


def test_estimates_outside_the_unit_are_compared_at_its_ends() -> None:
    a = hand_made(1.07, {CORPUS: [0.3, -0.4]})
    b = hand_made(-0.02, {CORPUS: [0.1, 0.0]})
    found = contrast(a, b, CORPUS, 0.95)
    assert (found.estimate_a, found.estimate_b, found.difference, found.high) == (1, 0, 1, 1)
    assert isnan(bounded(nan))


def test_missing_groups_of_a_sample() -> None:
    frame = population(drawn_from("xxxxxx", range(4), groups="aabbcc", sources="stuuvw"))
    data = said(frame, marks("1001"), np.zeros(6))
    sides = {name: estimate(LABELS, frame, domain(frame, name), data, RULES) for name in "abcd"}
    assert contrast(sides["a"], sides["c"], CORPUS, 0.95).status == (
        "side B: not estimable: no coded passage"
    )
    assert contrast(sides["d"], sides["a"], CORPUS, 0.95).status == (
        "side A: not estimable: no passage"
    )
    assert contrast(sides["a"], sides["b"], TEXTS, 0.95).status == (
        "side B: not estimable: one source"
    )
    assert contrast(sides["a"], sides["b"], CORPUS, 0.95).status == EXACT


# --- words ----------------------------------------------------------------------------------------


def between(low: float, high: float) -> Contrast:
    middle = (low + high) / 2
    return Contrast(0.5, 0.5 - middle, middle, 0.1, low, high, 0.5, "")


@pytest.mark.parametrize(
    ("low", "high", "greater", "less", "different"),
    [
        (0.1, 0.3, "supported", "contradicted", "supported"),
        (-0.3, -0.1, "contradicted", "supported", "supported"),
        (-0.1, 0.3, "not distinguishable", "not distinguishable", "not distinguishable"),
        (0.0, 0.3, "not distinguishable", "not distinguishable", "not distinguishable"),
        (-0.3, 0.0, "not distinguishable", "not distinguishable", "not distinguishable"),
        (4e-7, 0.3, "not distinguishable", "not distinguishable", "not distinguishable"),
        (6e-7, 0.3, "supported", "contradicted", "supported"),
    ],
)
def test_verdict_follows_from_where_the_interval_lies(
    low: float, high: float, greater: str, less: str, different: str
) -> None:
    found = between(low, high)
    assert [verdict(found, word) for word in ("greater", "less", "different")] == [
        greater, less, different,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("difference", "p_value", "greater", "less", "different"),
    [
        (0.2, 0.049, "supported", "contradicted", "supported"),
        (-0.2, 0.049, "contradicted", "supported", "supported"),
        # The interval holds no zero, but with so many contrasts that is no evidence.
        (0.2, 0.051, "not distinguishable", "not distinguishable", "not distinguishable"),
        (0.2, 0.05, "not distinguishable", "not distinguishable", "not distinguishable"),
        (0.2, nan, "not distinguishable", "not distinguishable", "not distinguishable"),
        (nan, nan, "not estimable", "not estimable", "not estimable"),
    ],
)
def test_verdict_goes_by_the_adjusted_p_value(
    difference: float, p_value: float, greater: str, less: str, different: str
) -> None:
    found = replace(between(0.1, 0.3), difference=difference)
    assert [adjusted_verdict(found, word, p_value, 0.95)
            for word in ("greater", "less", "different")] == [greater, less, different]  # fmt: skip
    assert adjusted_verdict(found, "greater", p_value, 0.999) in (UNDECIDED, UNKNOWN)


def test_difference_known_exactly_needs_no_p_value() -> None:
    for difference, words in ((0.25, ("supported", "contradicted")), (0, (UNDECIDED, UNDECIDED))):
        exact = Contrast(0.5, 0.25, difference, 0.0, difference, difference, nan, EXACT)
        assert [adjusted_verdict(exact, word, nan, 0.95) for word in ("greater", "less")] == [
            *words
        ]


def test_verdict_without_numbers() -> None:
    for word in ("greater", "less", "different"):
        assert verdict(Contrast(0.5, nan, nan, nan, nan, nan, nan, "x"), word) == "not estimable"
        no_interval = Contrast(0.5, 0.2, 0.3, nan, nan, nan, nan, "x")
        assert verdict(no_interval, word) == "not distinguishable"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (between(0.1, 0.3), "A above B by 0.20"),
        (between(-0.3, -0.1), "A below B by 0.20"),
        (between(-0.302, 0.294), "A as often as B"),
        (between(0.001, 0.003), "A above B by less than 0.01"),
        (between(-0.003, -0.001), "A below B by less than 0.01"),
        (Contrast(0.5, nan, nan, nan, nan, nan, nan, "x"), "A and B: not estimable"),
    ],
)
def test_reading_says_direction_and_size(found: Contrast, words: str) -> None:
    assert reading(found, "A", "B", 2) == words


def test_size_is_said_with_as_many_decimals_as_asked_for() -> None:
    assert reading(between(0.1, 0.3), "A", "B", 3) == "A above B by 0.200"
    assert reading(between(-0.1, 0.104), "A", "B", 3) == "A above B by 0.002"


def test_normal_quantile_serves_where_degrees_are_infinite() -> None:
    a = hand_made(0.5, {CORPUS: [0.03, -0.04]}, df={CORPUS: inf})
    found = contrast(a, replace(a, value=0.4, deviations={CORPUS: np.zeros(2)}), CORPUS, 0.95)
    assert found.high - found.difference == pytest.approx(1.959964 * 0.05, abs=1e-7)
