"""Intervals of shares: known ends, limits never left, never empty for want of a positive."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from framing.inference.intervals import (
    NO_SPREAD,
    Interval,
    critical,
    difference_interval,
    few_positives_variance,
    is_zero,
    logit_interval,
    share_interval,
    two_sided_p,
    widened,
    wilson,
)

Z = critical(0.95)


def test_critical_values() -> None:
    assert pytest.approx(1.959964, abs=5e-7) == Z
    assert critical(0.95, 10) == pytest.approx(2.228139, abs=5e-7)
    assert critical(0.9, 1) == pytest.approx(6.313752, abs=5e-7)


@pytest.mark.parametrize("size", [5, 20, 311])
@pytest.mark.parametrize("positives", [0, 1, 3, 5])
def test_wilson_is_the_one_scipy_knows(size: int, positives: int) -> None:
    expected = stats.binomtest(positives, size).proportion_ci(method="wilson")
    assert wilson(positives / size, size, Z) == pytest.approx((expected.low, expected.high))


def test_wilson_without_positives_is_zero_to_the_known_limit() -> None:
    assert wilson(0.0, 20, Z) == pytest.approx((0.0, Z**2 / (20 + Z**2)))
    assert wilson(1.0, 20, Z) == pytest.approx((20 / (20 + Z**2), 1.0))
    assert wilson(0.4, 0, Z) == (0.0, 1.0)


def test_logit_interval_is_symmetric_in_log_odds() -> None:
    low, high = logit_interval(0.2, 0.03, Z)
    centre, half = math.log(0.25), Z * 0.03 / 0.16
    assert math.log(low / (1 - low)) == pytest.approx(centre - half)
    assert math.log(high / (1 - high)) == pytest.approx(centre + half)
    assert logit_interval(0.5, 400.0, Z) == (0.0, 1.0)  # hopelessly wide, and no overflow


def rule(share: float, se: float, **changes: float) -> object:
    given_values = {"coded": 100, "effective": 100, "reference": share, "quantile": Z,
                    "wilson_below": 10}  # fmt: skip
    return share_interval(share, se, **{**given_values, **changes})


def test_many_positives_take_logit_and_few_take_wilson_with_effective_size() -> None:
    many = rule(0.1, 0.03)
    assert (many.low, many.high) == pytest.approx(logit_interval(0.1, 0.03, Z))
    few = rule(0.099, 0.03)
    size = 0.099 * 0.901 / 0.03**2
    assert (few.low, few.high) == pytest.approx(wilson(0.099, size, Z))
    negatives = rule(0.95, 0.03)
    assert (negatives.low, negatives.high) == pytest.approx(wilson(0.95, 0.95 * 0.05 / 0.0009, Z))


def test_threshold_is_compared_after_rounding() -> None:
    share = 0.1 - 1e-12
    found = rule(share, 0.03)
    assert (found.low, found.high) == pytest.approx(logit_interval(share, 0.03, Z))


def test_no_spread_takes_wilson_with_the_passages_there_are() -> None:
    none = rule(0.0, 0.0, effective=37.0)
    assert (none.low, none.high, none.remark) == (*wilson(0.0, 37, Z), NO_SPREAD)
    assert none.high > 0.05
    some = rule(0.4, 0.0, effective=37.0)
    assert (some.low, some.high, some.remark) == (*wilson(0.4, 37, Z), NO_SPREAD)


def test_reference_share_keeps_the_effective_size_of_a_share_near_zero() -> None:
    found = rule(0.0, 0.02, reference=0.05)
    assert (found.low, found.high) == pytest.approx(wilson(0.0, 0.05 * 0.95 / 0.0004, Z))
    unknown = rule(0.0, 0.02, reference=0.0, effective=80.0)
    assert (unknown.low, unknown.high) == pytest.approx(wilson(0.0, 80, Z))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.floats(0, 1), st.floats(0, 0.5), st.integers(1, 500), st.floats(0, 1),
    st.sampled_from([1, 2, 30, math.inf]), st.sampled_from([0.0, 10.0]),
)  # fmt: skip
def test_interval_never_leaves_the_unit_nor_loses_the_share(
    share: float, se: float, coded: int, reference: float, df: float, below: float
) -> None:
    share = round(share, 9)
    if not 0 < share < 1:
        below = 10.0
    found = rule(share, se, coded=coded, effective=float(coded), reference=reference,
                 quantile=critical(0.95, df), wilson_below=below)  # fmt: skip
    assert 0 <= found.low <= share + 1e-9
    assert share - 1e-9 <= found.high <= 1
    assert found.high > found.low


def test_difference_interval_stays_within_minus_one_and_one() -> None:
    found = difference_interval(0.9, 0.2, Z)
    assert (found.low, found.high) == (pytest.approx(0.9 - 0.2 * Z), 1.0)
    assert difference_interval(-0.9, 0.2, Z).low == -1.0


def test_p_value_is_two_sided() -> None:
    assert two_sided_p(-2.228139, 1.0, 10) == pytest.approx(0.05, abs=1e-6)
    assert two_sided_p(1.959964, 1.0, math.inf) == pytest.approx(0.05, abs=1e-6)
    assert two_sided_p(0.0, 1.0, 5) == 1.0


def test_variance_for_codes_that_did_not_vary_is_that_of_agresti_and_coull() -> None:
    centre = (Z**2 / 2) / (50 + Z**2)
    assert few_positives_variance(0.0, 50, Z) == pytest.approx(centre * (1 - centre) / (50 + Z**2))
    assert few_positives_variance(1.0, 50, Z) == pytest.approx(few_positives_variance(0.0, 50, Z))


def test_zero_means_zero_to_six_places() -> None:
    assert is_zero(4e-7)
    assert not is_zero(6e-7)


@given(st.floats(0.3, 0.7), st.floats(0, 0.05), st.floats(0, 0.05), st.floats(1, 3))
def test_two_normal_errors_add_up_as_one(
    value: float, one: float, other: float, quantile: float
) -> None:
    inner = Interval(value - quantile * one, value + quantile * one)
    found = widened(value, inner, other, quantile)
    half = quantile * math.hypot(one, other)
    assert (found.low, found.high) == pytest.approx((value - half, value + half), abs=1e-9)


def test_a_second_error_widens_each_side_by_its_own() -> None:
    inner = Interval(0.02, 0.12, "few")
    assert widened(0.05, inner, 0.0, Z) == Interval(pytest.approx(0.02), pytest.approx(0.12), "few")
    found = widened(0.05, inner, 0.01, 2.0)
    assert found.low == pytest.approx(0.05 - math.hypot(0.03, 0.02))
    assert found.high == pytest.approx(0.05 + math.hypot(0.07, 0.02))


def test_a_share_near_zero_is_not_widened_beyond_what_its_errors_say() -> None:
    """On the logit scale the upper end would be .99."""
    found = widened(0.0026, Interval(0.0, 0.0948), 0.004, 4.0)
    assert found.low == 0
    assert found.high == pytest.approx(0.0026 + math.hypot(0.0922, 0.016))
    assert widened(1.0, Interval(0.9, 1.0), 0.5, Z).high == 1
    assert widened(0.0, Interval(0.0, 0.1), 0.0, Z) == Interval(0.0, pytest.approx(0.1))
