"""Kappas and AC1 against published values and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from framing.inference.agreement import NO_PAIR, NO_VARIATION
from framing.inference.kappas import cohen_kappa, fleiss_kappa, gwet_ac1

NAN = np.nan
# Krippendorff (2011), data "C": four coders, twelve units.
C = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
# Fleiss (1971) as worked out in many textbooks: ten subjects, fourteen coders, five categories.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def test_ac1_has_the_published_value_with_missing_codes():
    assert gwet_ac1(C).value == pytest.approx(0.77544, abs=5e-6)


def test_fleiss_kappa_has_the_textbook_value():
    codes = np.array([np.repeat(np.arange(5), row) for row in FLEISS], dtype=float).T
    assert fleiss_kappa(codes).value == pytest.approx(0.20993, abs=5e-6)


def test_a_hand_worked_cohen_kappa():
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: p_o = .7, p_e = .5, kappa = .4.
    one = [1] * 25 + [0] * 25
    other = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(np.array([one, other])).value == pytest.approx(0.4)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=30))
def test_cohen_kappa_is_that_of_scikit_learn(pairs):
    one, other = zip(*pairs, strict=True)
    assume(len({*one, *other}) > 1)
    found = cohen_kappa(np.array([one, other], dtype=float))
    if found.value is not None:
        assert found.value == pytest.approx(cohen_kappa_score(one, other))


@pytest.mark.parametrize("measure", [cohen_kappa, fleiss_kappa, gwet_ac1])
def test_without_variation_or_pairs_the_reason_is_given(measure):
    assert measure(np.zeros((2, 5))).reason == NO_VARIATION
    assert measure(np.array([[1, NAN], [NAN, 0]])).reason == NO_PAIR


@pytest.mark.parametrize("measure", [cohen_kappa, fleiss_kappa, gwet_ac1])
def test_perfect_agreement_is_one(measure):
    assert measure(np.array([[0, 1, 1, 0], [0, 1, 1, 0]])).value == 1


def test_ac1_does_not_collapse_where_a_code_is_rare():
    codes = np.zeros((2, 100))
    codes[0, 0] = codes[1, 1] = 1
    assert fleiss_kappa(codes).value < 0
    assert gwet_ac1(codes).value > 0.97


def test_cohen_compares_two_coders_only():
    with pytest.raises(ValueError, match="two coders"):
        cohen_kappa(np.zeros((3, 4)))
