"""Kappas and AC1 against published values and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from framing.inference.agreement import NO_PAIR, NO_VARIATION
from framing.inference.kappas import (
    LINEAR,
    QUADRATIC,
    brennan_prediger,
    closeness,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    weighted_kappa,
)

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


# Couples on how often sex is fun (Hout et al. 1987): the example of R's vcd::Kappa.
COUPLES = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]
# Diagnoses: Fleiss (1981, Statistical Methods for Rates and Proportions, ch. 13).
DIAGNOSES = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
# Abstractors: Gwet's cont3x3abstractors, the example of irrCAC.
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]


def from_table(counts):
    """Return two coders' codes from the table in which they are crossed."""
    one, other = np.indices(np.shape(counts))
    times = np.ravel(counts)
    return np.stack([np.repeat(one.ravel(), times), np.repeat(other.ravel(), times)]).astype(float)


@pytest.mark.parametrize(
    ("found", "value", "error"),
    [
        (gwet_ac1(C), 0.77544, 0.14295),  # irrCAC's own example
        (fleiss_kappa(C), 0.76117, 0.15302),  # the same
        (brennan_prediger(C), 0.7727273, 0.1447166),
        (brennan_prediger(C, LINEAR), 0.8484848, 0.1233561),
        (brennan_prediger(C, QUADRATIC), 0.9015152, 0.1108944),
        (gwet_ac2(C, LINEAR), 0.8587391, 0.117329),
        (gwet_ac2(C, QUADRATIC), 0.9140007, 0.1039622),
        (cohen_kappa(C[1:3]), 0.5423729, 0.2292076),
    ],
)
def test_coefficients_and_their_errors_are_those_of_irrcac_with_missing_codes(found, value, error):
    assert found.value == pytest.approx(value, abs=6e-6)
    assert found.se == pytest.approx(error, abs=6e-6)


@pytest.mark.parametrize(
    ("counts", "level", "value", "error"),
    [
        (COUPLES, "nominal", 0.1293303, 0.0685985),  # vcd: 0.1293, ASE 0.0686
        (COUPLES, LINEAR, 0.2373806, 0.0783163),  # vcd: 0.2374, ASE 0.0783
        (COUPLES, QUADRATIC, 0.3320456, 0.0972975),
        (DIAGNOSES, "nominal", 0.6764706, 0.087703),  # Fleiss: .68, .087
        (DIAGNOSES, QUADRATIC, 0.7553191, 0.0867071),
        (ABSTRACTORS, "nominal", 0.7964094, 0.0589107),
        (ABSTRACTORS, LINEAR, 0.842902, 0.0478721),
    ],
)
def test_weighted_kappa_has_the_large_sample_error_of_fleiss_cohen_and_everitt(
    counts, level, value, error
):
    codes = from_table(counts)
    found = weighted_kappa(codes, level)
    number = codes.shape[1]
    assert found.value == pytest.approx(value, abs=5e-7)
    # They divide by n where we, as Gwet, divide by n − 1.
    assert found.se * np.sqrt((number - 1) / number) == pytest.approx(error, abs=5e-7)


@pytest.mark.parametrize(
    ("level", "value", "error"),
    [("nominal", 0.84933, 0.04322), (QUADRATIC, 0.94024, 0.01792)],
)
def test_ac2_of_a_table_is_that_of_gwet(level, value, error):
    found = gwet_ac2(from_table(ABSTRACTORS), level)
    assert found.value == pytest.approx(value, abs=5e-6)
    assert found.se * np.sqrt(99 / 100) == pytest.approx(error, abs=5e-6)


EVERY = [
    cohen_kappa,
    lambda codes, **given: weighted_kappa(codes, QUADRATIC, **given),
    fleiss_kappa,
    brennan_prediger,
    gwet_ac1,
    lambda codes, **given: gwet_ac2(codes, LINEAR, **given),
]


@pytest.mark.parametrize("measure", EVERY)
def test_a_unit_counts_by_its_weight_and_equal_weights_change_nothing(measure):
    codes = from_table(COUPLES)
    often = np.random.default_rng(2).integers(1, 4, codes.shape[1])
    repeated = np.repeat(codes, often, axis=1)
    weighted = measure(codes, weight=often.astype(float))
    assert weighted.value == pytest.approx(measure(repeated).value)
    # Copies of a unit are no further units: they are a cluster, and then the error is the same.
    cluster = np.repeat(np.arange(codes.shape[1]), often)
    assert weighted.se == pytest.approx(measure(repeated, cluster=cluster).se)
    equal, plain = measure(codes, weight=np.full(codes.shape[1], 3.5)), measure(codes)
    assert (equal.value, equal.se) == pytest.approx((plain.value, plain.se))


@pytest.mark.parametrize("measure", EVERY)
def test_the_error_is_about_that_of_leaving_units_out(measure):
    """Linearised and jackknifed errors part by terms of the order 1/n."""
    codes = np.tile(from_table(COUPLES), 4)
    number = codes.shape[1]
    without = np.array([measure(np.delete(codes, n, axis=1)).value for n in range(number)])
    error = np.sqrt((number - 1) / number * np.square(without - without.mean()).sum())
    assert measure(codes).se == pytest.approx(error, rel=0.02)


def test_one_cluster_leaves_no_error():
    found = gwet_ac1(C, cluster=np.zeros(12, dtype=int))
    assert found.value == pytest.approx(0.77544, abs=6e-6)
    assert np.isnan(found.se)


def test_values_that_nobody_used_count_where_they_are_named():
    codes = np.array([[0.0, 0, 0, 0], [0, 0, 0, 0]])
    assert brennan_prediger(codes).reason == NO_VARIATION
    assert brennan_prediger(codes, values=np.array([0.0, 1])).value == 1
    some = np.array([[0.0, 1, 1, 0], [0, 1, 0, 0]])
    of_three = brennan_prediger(some, values=np.array([0.0, 1, 2]))
    assert of_three.value == pytest.approx((3 / 4 - 1 / 3) / (2 / 3))


def test_values_are_near_by_their_distance():
    values = np.array([0.0, 1, 4])
    assert closeness(LINEAR, values)[0].tolist() == [1, 0.75, 0]
    assert closeness(QUADRATIC, values)[0].tolist() == [1, 1 - 1 / 16, 0]
    with pytest.raises(ValueError, match="unknown weighting 'cubic'"):
        closeness("cubic", values)


def test_fleiss_kappa_has_the_textbook_value():
    codes = np.array([np.repeat(np.arange(5), row) for row in FLEISS], dtype=float).T
    assert fleiss_kappa(codes).value == pytest.approx(0.20993, abs=5e-6)


def test_a_hand_worked_cohen_kappa():
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: p_o = .7, p_e = .5, kappa = .4.
    one = [1] * 25 + [0] * 25
    other = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(np.array([one, other])).value == pytest.approx(0.4)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=30))
def test_cohen_kappa_is_that_of_scikit_learn(pairs):
    one, other = zip(*pairs, strict=True)
    assume(len({*one, *other}) > 1)
    found = cohen_kappa(np.array([one, other], dtype=float))
    if found.value is not None:
        assert found.value == pytest.approx(cohen_kappa_score(one, other))


@pytest.mark.parametrize("measure", [cohen_kappa, fleiss_kappa, gwet_ac1, brennan_prediger])
def test_without_variation_or_pairs_the_reason_is_given(measure):
    assert measure(np.zeros((2, 5))).reason == NO_VARIATION
    assert measure(np.array([[1, NAN], [NAN, 0]])).reason == NO_PAIR


@pytest.mark.parametrize("measure", [cohen_kappa, fleiss_kappa, gwet_ac1, brennan_prediger])
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
