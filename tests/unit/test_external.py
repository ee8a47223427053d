"""Rogan and Gladen's estimator where sensitivity and specificity are known exactly."""

from __future__ import annotations

import pytest

from framing.inference.external import RefusedError, rogan_gladen, rogan_gladen_known
from framing.inference.intervals import wilson

Z = 1.959964


def test_known_rates_give_the_published_answers():
    """The examples of RSurveillance: 20 of 120 with .9 and .99, 23 of 150 with .96 and .89."""
    found = rogan_gladen_known(20, 120, 0.9, 0.99, Z, wald=True)
    assert found.value == pytest.approx(0.176030, abs=5e-7)
    assert (found.low, found.high) == pytest.approx((0.101109, 0.250951), abs=5e-7)
    assert rogan_gladen_known(23, 150, 0.96, 0.89, Z).value == pytest.approx(0.050980, abs=5e-7)


def test_a_perfect_classifier_is_a_plain_share():
    found = rogan_gladen_known(20, 120, 1, 1, Z)
    assert found.value == pytest.approx(1 / 6)
    assert (found.low, found.high) == pytest.approx(wilson(1 / 6, 120, Z))


def test_known_rates_are_the_limit_of_ever_larger_labelled_sets():
    many = rogan_gladen(300, 1000, 8_000_000, 10_000_000, 9_000_000, 10_000_000, Z)
    known = rogan_gladen_known(300, 1000, 0.8, 0.9, Z)
    assert many.value == pytest.approx(known.value)
    assert many.se == pytest.approx(known.se, rel=1e-4)
    # Rates that were counted make the interval wider.
    few = rogan_gladen(300, 1000, 80, 100, 180, 200, Z)
    assert few.high - few.low > known.high - known.low


def test_where_nothing_is_marked_the_interval_still_has_a_width():
    found = rogan_gladen_known(0, 120, 0.9, 0.99, Z)
    assert (found.value, found.low) == (0, 0)
    assert 0.01 < found.high < 0.05
    assert rogan_gladen_known(0, 120, 0.9, 1, Z, wald=True).high == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((10, 100, 0.6, 0.5), "below 0.2"),
        ((5, 1000, 0.9, 0.9), "outside 0 to 1 beyond error"),
        ((990, 1000, 0.9, 0.9), "outside 0 to 1 beyond error"),
        ((0, 0, 0.9, 0.9), "needs passages"),
        ((1, 10, 1.2, 0.9), "shares, from 0 to 1"),
    ],
)
def test_what_would_mean_nothing_is_refused(arguments, said):
    with pytest.raises(RefusedError, match=said):
        rogan_gladen_known(*arguments, Z)
