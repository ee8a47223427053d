"""Few or unequal sources: deviations, degrees of freedom, and what they must reduce to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.inference import dsl
from framing.inference.clusters import (
    adjusted,
    adjusted_deviations,
    degrees_of_freedom,
    joint_degrees_of_freedom,
    shares,
    working_variance,
)
from framing.inference.design import Floats
from framing.inference.variances import sums


def passages(seed: int, sources: int = 12) -> tuple[Floats, Floats, np.ndarray]:
    """Codes, weights and sources of coded passages, of very unequal sources."""
    random = np.random.default_rng(seed)
    source = np.repeat(np.arange(sources), np.ceil(random.lognormal(1, 1.2, sources)).astype(int))
    code = (random.random(len(source)) < 0.3).astype(float)
    return code, random.choice([1.0, 1.0, 2.5, 5.0], len(source)), source


def totals(code: Floats, weight: Floats, source: np.ndarray) -> Floats:
    """Linearised contributions of the weighted mean code, by source."""
    mean = np.average(code, weights=weight)
    return sums(source, weight * (code - mean) / weight.sum(), int(source.max()) + 1)


def matrix(share: Floats, variance: Floats) -> Floats:
    """The covariance of deviations, written out: diag(h/√(1 − h)) (I − 1h') diag(v) (…)'."""
    number = len(share)
    turn = np.diag(share / np.sqrt(1 - share)) @ (np.eye(number) - np.outer(np.ones(number), share))
    return turn @ np.diag(variance) @ turn.T


# --- equal sources --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 3, 10, 200])
@pytest.mark.parametrize("correlation", [0, 0.2, 1])
def test_equal_sources_have_the_customary_factor_and_degrees(number: int, correlation: int) -> None:
    random = np.random.default_rng(number)
    made = random.normal(size=number)
    made -= made.mean()
    deviations, df = adjusted_deviations(
        made, np.full(number, 6.0), np.full(number, 12.0), correlation
    )
    assert np.square(deviations).sum() == pytest.approx(
        np.square(made).sum() * number / (number - 1)
    )
    assert df == pytest.approx(number - 1)


def test_sources_without_coded_passages_keep_their_total_and_count_for_no_degree() -> None:
    made = np.array([0.3, -0.2, 0.1, -0.2])
    weight = np.array([2.0, 2.0, 2.0, 0.0])
    deviations, df = adjusted_deviations(made, weight, weight, 0.2)
    assert deviations[3] == -0.2
    assert deviations[:3] == pytest.approx(made[:3] / np.sqrt(2 / 3))
    assert df == pytest.approx(2)


# --- by hand --------------------------------------------------------------------------------------


def test_three_sources_by_hand() -> None:
    """Shares 1/2, 1/4, 1/4 and passages that are one with their source.

    b² = (1/2, 1/12, 1/12), c = h, V = 3/8; the diagonal of Ω is b²·(1 + V − 2h) = (3/16, 7/96,
    7/96), beside it b_g b_k (V − h_g − h_k) = −3/8·√(1/24) twice and −1/8·1/12.
    """
    share = np.array([0.5, 0.25, 0.25])
    trace = 3 / 16 + 2 * 7 / 96
    square = (3 / 16) ** 2 + 2 * (7 / 96) ** 2 + 4 * (9 / 64) / 24 + 2 * (1 / 96) ** 2
    assert degrees_of_freedom(share, np.ones(3)) == pytest.approx(trace**2 / square)
    assert adjusted(np.array([0.2, -0.1, -0.1]), share) == pytest.approx(
        [0.2 / 0.5**0.5, -0.1 / 0.75**0.5, -0.1 / 0.75**0.5]
    )


def test_the_working_model_by_hand() -> None:
    weight, squares = np.array([4.0, 3.0, 0.0]), np.array([8.0, 9.0, 0.0])
    assert working_variance(weight, squares, 0.2) == pytest.approx([0.2 + 0.8 / 2, 1.0, 0.0])
    assert (working_variance(weight, squares, 1.0) == [1, 1, 0]).all()


# --- against other ways to the same ---------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_weighted_mean_is_a_regression_with_an_intercept_alone(seed: int) -> None:
    """CR2 and Bell & McCaffrey's degrees, as in the room of regression: variances go with 1/w."""
    code, weight, source = passages(seed)
    number = int(source.max()) + 1
    x, beta = np.ones((len(code), 1)), np.array([np.average(code, weights=weight)])
    scores = dsl.cluster_scores(x, code, weight, source, number, dsl.LINEAR, beta)
    found = dsl.leverage(dsl.cluster_information(x, weight, source, number, dsl.LINEAR, beta))
    share = shares(sums(source, weight, number))
    deviations = adjusted(totals(code, weight, source), share)
    assert np.square(deviations).sum() == pytest.approx(
        float(dsl.covariance(scores, found, dsl.CR2, number)[0, 0])
    )
    assert degrees_of_freedom(share, 1 / share) == pytest.approx(
        dsl.degrees_of_freedom(found, np.ones(1))
    )


@pytest.mark.slow
@given(st.lists(st.tuples(st.floats(0.5, 50), st.floats(0.05, 20)), min_size=2, max_size=12))
def test_sums_say_what_the_matrix_says(sources: list[tuple[float, float]]) -> None:
    share = shares(np.array([one for one, _ in sources]))
    variance = np.array([one for _, one in sources])
    omega = matrix(share, variance)
    expected = np.trace(omega) ** 2 / np.square(omega).sum()
    found = degrees_of_freedom(share, variance)
    assert found == pytest.approx(max(1.0, expected), rel=1e-4)
    assert 1 <= found <= len(sources) - 1


def test_the_variance_is_unbiased_where_passages_are_independent() -> None:
    """E V = trace of Ω with v = 1/h, which is the variance of the weighted mean: Σ h²/h = 1."""
    share = shares(np.array([30.0, 4.0, 2.0, 1.0, 1.0]))
    assert np.trace(matrix(share, 1 / share)) == pytest.approx(1)


# --- what it is for -------------------------------------------------------------------------------


def test_one_long_source_widens_and_the_more_so_if_passages_go_with_their_source() -> None:
    code, weight, source = passages(3)
    number = int(source.max()) + 1
    made = totals(code, weight, source)
    of_source, squares = sums(source, weight, number), sums(source, weight**2, number)
    degrees = [
        adjusted_deviations(made, of_source, squares, value)[1] for value in (0, 0.1, 0.3, 1)
    ]
    assert degrees == sorted(degrees, reverse=True)
    assert degrees[-1] < degrees[0] < number - 1
    plain = np.square(made).sum() * number / (number - 1)
    assert np.square(adjusted_deviations(made, of_source, squares, 0.2)[0]).sum() > plain


def test_one_source_with_all_the_weight_says_nothing() -> None:
    deviations, df = adjusted_deviations(
        np.array([0.1, -0.1]), np.array([3.0, 0.0]), np.array([3.0, 0.0]), 0.2
    )
    assert deviations.tolist() == [0.0, -0.1]
    assert np.isnan(df)
    assert (shares(np.zeros(2)) == 0).all()
    assert np.isnan(degrees_of_freedom(np.zeros(2), np.zeros(2)))


def test_one_source_with_next_to_all_the_weight_leaves_one_degree() -> None:
    share = shares(np.array([1.0, 1e-7, 1e-7]))
    assert degrees_of_freedom(share, np.array([0.2, 0.7, 1.0])) == pytest.approx(1)


def test_degrees_of_two_independent_sides() -> None:
    """Welch's: of two equal sides they add up; of one alone they are its own."""
    equal = joint_degrees_of_freedom(np.array([0.3, 0.3]), np.array([7.0, 7.0]))
    assert equal == pytest.approx(14)
    assert joint_degrees_of_freedom(np.array([0.3, 0.0]), np.array([7.0, 2.0])) == pytest.approx(7)
    assert joint_degrees_of_freedom(np.zeros(2), np.array([7.0, 2.0])) == 2
    found = joint_degrees_of_freedom(np.array([0.04, 0.01]), np.array([3.0, 50.0]))
    assert found == pytest.approx(0.05**2 / (0.04**2 / 3 + 0.01**2 / 50))
    assert found > 3
