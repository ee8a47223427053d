"""Multinomial regression and its calibration: optimal, and of two levels what yes and no have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from framing.classifier.logistic import fit_logistic, fit_sigmoid
from framing.classifier.multinomial import (
    fit_multinomial,
    fit_vector_scaling,
    level_probabilities,
    smoothed_targets,
)


def drawn(seed, rows=40, columns=12, levels=3):
    """Return features, levels (each of them occurs) and weights."""
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(rows, columns)) * (rng.random((rows, columns)) < 0.5)
    labels = rng.integers(0, levels, rows)
    labels[:levels] = range(levels)
    return dense, labels, rng.random(rows) + 0.1


def test_it_is_solved_to_its_optimum():
    dense, labels, weights = drawn(3, 30, 80)
    rng = np.random.default_rng(4)
    shares = np.where(rng.random((30, 1)) < 0.5, np.eye(3)[labels], rng.dirichlet([1, 1, 1], 30))
    features, parts = sparse.csr_matrix(dense), weights[:, None] * shares
    coefficients, intercepts = fit_multinomial(features, parts, 2.0)
    error = weights[:, None] * softmax(features @ coefficients + intercepts, axis=1) - parts
    assert np.abs(2.0 * (features.T @ error) + coefficients).max() < 1e-9
    assert np.abs(error.sum(axis=0)).max() < 1e-9
    assert np.abs(coefficients.sum(axis=1)).max() < 1e-9
    assert intercepts.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # theirs: its line search comes no nearer to the optimum
@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from([0.01, 1.0, 100.0]), st.integers(3, 5), st.booleans()
)
def test_the_optimum_is_that_of_scikit_learn(seed, strength, levels, separable):
    dense, labels, weights = drawn(seed, levels=levels)
    if separable:
        labels = np.digitize(dense[:, 0], np.linspace(-0.5, 0.5, levels - 1))
        labels[:levels] = range(levels)
    theirs = LogisticRegression(C=strength, solver="newton-cg", tol=1e-12, max_iter=2000)
    theirs.fit(dense, labels, sample_weight=weights)
    parts = weights[:, None] * np.eye(levels)[labels]
    coefficients, intercepts = fit_multinomial(sparse.csr_matrix(dense), parts, strength)
    assert coefficients == pytest.approx(theirs.coef_.T, abs=1e-6)
    centred = theirs.intercept_ - theirs.intercept_.mean()
    assert intercepts == pytest.approx(centred, abs=1e-6)


FOOD = {  # lake: two sizes, small and large; of each what alligators had eaten
    "Hancock": [(23, 4, 2, 2, 8), (7, 0, 1, 3, 5)],
    "Oklawaha": [(5, 11, 1, 0, 3), (13, 8, 6, 1, 0)],
    "Trafford": [(5, 11, 2, 1, 5), (8, 7, 6, 3, 5)],
    "George": [(16, 19, 1, 2, 3), (17, 1, 0, 1, 3)],
}


def test_what_alligators_eat_is_what_the_textbook_says():
    # Agresti, Categorical Data Analysis (2002), sec. 7.1.2: log odds of each food against fish, by
    # intercept, small size, and lakes against Lake George; maximum likelihood, so hardly a penalty.
    design = [
        [size == 0, *(lake == name for name in ("Hancock", "Oklawaha", "Trafford"))]
        for lake in FOOD
        for size in (0, 1)
    ]
    counts = np.array([row for rows in FOOD.values() for row in rows], dtype=float)
    features = sparse.csr_matrix(np.array(design, dtype=float))
    coefficients, intercepts = fit_multinomial(features, counts, 1e4)
    found = np.vstack([intercepts, coefficients])
    odds = (found[:, 1:] - found[:, :1]).T
    assert odds == pytest.approx(
        np.array([
            [-1.55, 1.46, -1.66, 0.94, 1.12],  # invertebrates
            [-3.31, -0.35, 1.24, 2.46, 2.94],  # reptiles
            [-2.09, -0.63, 0.70, -0.65, 1.09],  # birds
            [-1.90, 0.33, 0.83, 0.01, 1.52],  # other
        ]), abs=0.006,
    )  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 1.0, 10.0]))
def test_of_two_levels_it_is_the_regression_of_yes_and_no_with_half_the_penalty(seed, strength):
    dense, labels, weights = drawn(seed, levels=2)
    features = sparse.csr_matrix(dense)
    present, absent = weights * labels, weights * (1 - labels)
    ours, at = fit_multinomial(features, np.stack([absent, present], axis=1), strength)
    coefficients, intercept = fit_logistic(features, present, absent, 2 * strength)
    assert ours[:, 1] - ours[:, 0] == pytest.approx(coefficients, abs=1e-8)
    assert at[1] - at[0] == pytest.approx(intercept, abs=1e-8)


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 0, 2]])
def test_levels_in_another_order_give_the_same_in_that_order(order):
    dense, labels, weights = drawn(5)
    features, parts = sparse.csr_matrix(dense), weights[:, None] * np.eye(3)[labels]
    coefficients, intercepts = fit_multinomial(features, parts, 1.0)
    turned, at = fit_multinomial(features, parts[:, order], 1.0)
    assert turned == pytest.approx(coefficients[:, order], abs=1e-9)
    assert at == pytest.approx(intercepts[order], abs=1e-9)


def test_a_row_of_parts_is_as_many_rows_with_one_level_each():
    dense, _, _ = drawn(6)
    parts = np.random.default_rng(7).dirichlet([1, 1, 1], len(dense))
    whole = fit_multinomial(sparse.csr_matrix(dense), parts, 1.0)
    apart = np.concatenate([np.diag(row) for row in parts])
    split = fit_multinomial(sparse.csr_matrix(np.repeat(dense, 3, axis=0)), apart, 1.0)
    assert split[0] == pytest.approx(whole[0], abs=1e-9)
    assert split[1] == pytest.approx(whole[1], abs=1e-9)


# --- calibration ----------------------------------------------------------------------------------


def scored(seed, number=400, levels=3, slope=0.4, offsets=(0.5, 0.0, -0.5)):
    """Return scores whose levels are drawn by the softmax of slope · score + offset."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(number, levels)) * 2
    chances = softmax(slope * scores + np.array(offsets), axis=1)
    labels = (rng.random((number, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    return scores, np.minimum(labels, levels - 1), rng.random(number) + 0.5


def log_loss(probabilities, labels, weights):
    return -(weights * np.log(probabilities[np.arange(len(labels)), labels])).mean()


@pytest.mark.parametrize("seed", [1, 2])
def test_calibration_finds_the_slope_and_offsets_that_scores_lack(seed):
    scores, labels, weights = scored(seed, number=4000)
    slope, offsets = fit_vector_scaling(scores, labels, weights)
    assert slope == pytest.approx(0.4, abs=0.05)
    assert offsets == pytest.approx([0.5, 0.0, -0.5], abs=0.12)
    assert offsets.sum() == pytest.approx(0, abs=1e-12)


def test_calibration_makes_overconfident_scores_better_on_other_passages():
    scores, labels, weights = scored(3, slope=0.25)
    first, other = np.arange(200), np.arange(200, 400)
    slope, offsets = fit_vector_scaling(scores[first], labels[first], weights[first])
    before = log_loss(softmax(scores[other], axis=1), labels[other], weights[other])
    after = level_probabilities(scores[other], slope, offsets)
    assert log_loss(after, labels[other], weights[other]) < before - 0.1


def test_it_stops_where_no_slope_and_no_offset_is_better():
    scores, labels, weights = scored(4)
    slope, offsets = fit_vector_scaling(scores, labels, weights)
    error = weights[:, None] * (
        softmax(slope * scores + offsets, axis=1) - smoothed_targets(labels, 3)
    )
    assert np.abs(error.sum(axis=0)).max() < 1e-8
    assert (error * scores).sum() == pytest.approx(-1e-6 * slope, abs=1e-8)


def test_targets_are_smoothed_by_how_often_a_level_occurs():
    found = smoothed_targets(np.array([0, 0, 0, 1]), 3)
    assert found[0] == pytest.approx([4 / 6, 1 / 6, 1 / 6])
    assert found[3] == pytest.approx([1 / 4, 2 / 4, 1 / 4])


@pytest.mark.parametrize("seed", range(4))
def test_of_two_levels_it_is_platts(seed):
    scores, labels, weights = scored(seed, 120, 2, 1.3, (0.4, -0.4))
    slope, offsets = fit_vector_scaling(scores, labels, weights)
    platt = fit_sigmoid(scores[:, 1] - scores[:, 0], labels, weights)
    assert (slope, offsets[1] - offsets[0]) == pytest.approx(platt, abs=1e-7)


def test_what_is_the_same_for_all_levels_of_a_passage_does_not_count():
    scores, labels, weights = scored(5)
    moved = scores + np.random.default_rng(6).normal(size=(len(scores), 1)) * 5
    slope, offsets = fit_vector_scaling(scores, labels, weights)
    other, turned = fit_vector_scaling(moved, labels, weights)
    assert other == pytest.approx(slope, abs=1e-7)
    assert turned == pytest.approx(offsets, abs=1e-7)


@pytest.mark.parametrize("kind", ["separable", "without a signal", "one level missing"])
def test_it_ends_at_numbers_whatever_the_scores(kind):
    scores, labels, weights = scored(7, 60)
    if kind == "separable":
        scores = np.eye(3)[labels] * 50
    elif kind == "without a signal":
        scores = np.zeros_like(scores)
    else:
        labels = np.minimum(labels, 1)
    slope, offsets = fit_vector_scaling(scores, labels, weights)
    chances = level_probabilities(scores, slope, offsets)
    assert np.isfinite(chances).all()
    assert chances.sum(axis=1) == pytest.approx(1, abs=2e-6)
    if kind == "without a signal":
        target = (weights[:, None] * smoothed_targets(labels, 3)).sum(axis=0) / weights.sum()
        assert chances[0] == pytest.approx(target, abs=1e-6)
    if kind == "one level missing":
        assert 0 < chances[:, 2].max() < 0.3
