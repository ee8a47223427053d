"""Krippendorff's alpha: known answers, missing codes, intervals that can be undefined."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.inference import agreement
from framing.inference.agreement import (
    alphas,
    bootstrap_interval,
    cluster_jackknife,
    coincidences,
    jackknife_error,
    jackknife_interval,
    krippendorff_alpha,
    percent_agreement,
    resampling_counts,
    squared_differences,
)


def table(*rows: str) -> np.ndarray:
    return np.array([[math.nan if c in "*·" else float(c) for c in row.split()] for row in rows])


FOUR_CODERS = table(
    "1 2 3 3 2 1 4 1 2 · · ·",
    "1 2 3 3 2 2 4 1 2 5 · 3",
    "· 3 3 3 2 3 4 2 2 5 1 ·",
    "1 2 3 3 2 4 4 1 2 5 1 ·",
)
TWO_CODERS = table("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0")
THREE_CODERS = table(
    "* * * * * 3 4 1 2 1 1 3 3 * 3",
    "1 * 2 1 3 3 4 3 * * * * * * *",
    "* * 2 1 3 4 4 * 2 1 1 3 3 * 4",
)


@pytest.mark.parametrize(
    ("codes", "level", "expected"),
    [
        (FOUR_CODERS, "nominal", 0.743421),
        (FOUR_CODERS, "ordinal", 0.815388),
        (FOUR_CODERS, "interval", 0.849107),
        (FOUR_CODERS, "ratio", 0.797403),
        (TWO_CODERS, "nominal", 0.095238),
        (THREE_CODERS, "nominal", 0.691358),
        (THREE_CODERS, "interval", 0.810845),
    ],
)
def test_alpha_has_its_published_values(codes: np.ndarray, level: str, expected: float) -> None:
    found = krippendorff_alpha(codes, level)
    assert found.reason == ""
    assert found.value == pytest.approx(expected, abs=5e-7)


def test_coincidences_add_up_to_the_published_margins() -> None:
    matrices, values = coincidences(FOUR_CODERS)
    assert values.tolist() == [1, 2, 3, 4, 5]
    assert matrices.sum(axis=(0, 1)) == pytest.approx([9, 13, 10, 5, 3])
    assert not matrices[11].any()  # one code only


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.146327), ("interval", 0.140840)])
def test_jackknife_error_has_its_known_value(level: str, expected: float) -> None:
    error, df = jackknife_error(FOUR_CODERS, level)
    assert error == pytest.approx(expected, abs=5e-7)
    assert df == 10


def test_jackknife_interval_lies_around_alpha_and_ends_at_one() -> None:
    ends = jackknife_interval(FOUR_CODERS, 0.95)
    assert ends is not None
    assert ends[0] == pytest.approx(0.743421 - 2.228139 * 0.146327, abs=1e-5)
    assert ends[1] == 1.0


def brute_alpha(codes: np.ndarray) -> float | None:
    """Nominal alpha by going through pairs, as its definition reads."""
    units = [[c for c in column if not math.isnan(c)] for column in codes.T]
    units = [unit for unit in units if len(unit) > 1]
    pool = [code for unit in units for code in unit]
    if len(set(pool)) < 2:
        return None
    observed = sum(
        2 / (len(unit) - 1) * sum(a != b for a, b in combinations(unit, 2)) for unit in units
    ) / len(pool)
    expected = sum(2 * (a != b) for a, b in combinations(pool, 2)) / (len(pool) * (len(pool) - 1))
    return 1 - observed / expected


codes_with_gaps = st.lists(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, math.nan]), min_size=3, max_size=3),
    min_size=1,
    max_size=12,
).map(lambda columns: np.array(columns).T)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(codes_with_gaps)
def test_alpha_equals_its_definition_over_pairs(codes: np.ndarray) -> None:
    found, expected = krippendorff_alpha(codes), brute_alpha(codes)
    if expected is None:
        assert found.value is None
        assert found.reason.startswith("undefined")
    else:
        assert found.value == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(codes_with_gaps)
def test_levels_agree_where_there_are_two_values_only(codes: np.ndarray) -> None:
    binary = np.where(codes == 2, 1, codes)
    values = {krippendorff_alpha(binary, level).value for level in agreement.LEVELS}
    rounded = {None if value is None else round(value, 9) for value in values}
    assert len(rounded) == 1


def test_ordinal_difference_is_the_published_sum() -> None:
    totals = np.array([9.0, 13, 10, 5, 3])
    found = squared_differences("ordinal", np.arange(1.0, 6), totals)
    for c in range(5):
        for k in range(c, 5):
            published = totals[c : k + 1].sum() - (totals[c] + totals[k]) / 2
            assert found[c, k] == found[k, c] == pytest.approx(published**2)


def test_ratio_level_takes_zeros_and_refuses_negative_values() -> None:
    assert krippendorff_alpha(table("0 1 0 2", "0 1 0 2"), "ratio").value == 1.0
    with pytest.raises(ValueError, match="negative"):
        krippendorff_alpha(-FOUR_CODERS, "ratio")


def test_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="nominal, ordinal, interval, ratio"):
        krippendorff_alpha(FOUR_CODERS, "norminal")


def test_undefined_alpha_says_why() -> None:
    same = krippendorff_alpha(table("1 1 1", "1 1 1"))
    assert (same.value, same.reason) == (None, agreement.NO_VARIATION)
    alone = krippendorff_alpha(table("1 0 *", "* * 1"))
    assert (alone.value, alone.reason) == (None, agreement.NO_PAIR)
    assert jackknife_error(table("1 1 1", "1 1 1"))[0] is None
    assert jackknife_interval(table("1 0 *", "* * 1"), 0.95) is None


def test_percent_agreement_counts_units_alike() -> None:
    # Unit 1: one pair of three equal; unit 2: its only pair; unit 3: no pair.
    assert percent_agreement(table("1 0 1", "1 0 *", "0 * *")) == pytest.approx((1 / 3 + 1) / 2)
    # Gwet's raw4raters (irrCAC), which are Krippendorff's data.
    assert percent_agreement(FOUR_CODERS) == pytest.approx(0.8181818, abs=5e-8)
    assert percent_agreement(TWO_CODERS) == pytest.approx(0.6)
    assert percent_agreement(table("1 *", "* 0")) is None


def test_equal_weights_of_any_size_change_nothing() -> None:
    for weight in (np.ones(12), np.full(12, 7.3)):
        for level in agreement.LEVELS:
            found = krippendorff_alpha(FOUR_CODERS, level, weight).value
            assert found == pytest.approx(krippendorff_alpha(FOUR_CODERS, level).value)
        assert percent_agreement(FOUR_CODERS, weight) == pytest.approx(0.8181818, abs=5e-8)
        matrices, values = coincidences(FOUR_CODERS, weight)
        assert cluster_jackknife(matrices, np.arange(12), values, 0.95) == pytest.approx(
            jackknife_interval(FOUR_CODERS, 0.95)
        )


def test_a_unit_counts_by_its_weight() -> None:
    often = np.array([3, 1, 1, 2, 1, 1, 1, 1, 4, 1, 1, 1])
    repeated = np.repeat(FOUR_CODERS, often, axis=1)
    weight = often.astype(float)
    assert percent_agreement(FOUR_CODERS, weight) == pytest.approx(percent_agreement(repeated))
    matrices, _ = coincidences(FOUR_CODERS, weight)
    whole, _ = coincidences(repeated)
    scale = whole.sum() / matrices.sum()
    assert scale * matrices.sum(axis=0) == pytest.approx(whole.sum(axis=0))
    # Alpha corrects for small samples by n − 1, and weights are no further codings: the same
    # disagreement, seen and expected, over as many codings as there are.
    total, number = matrices.sum(axis=0), matrices.sum()
    observed = 1 - np.trace(total) / number
    margins = total.sum(axis=0)
    expected = (number**2 - np.square(margins).sum()) / (number * (number - 1))
    found = krippendorff_alpha(FOUR_CODERS, weight=weight).value
    assert found == pytest.approx(1 - observed / expected)
    assert found != pytest.approx(0.743421, abs=1e-3)


def test_weights_undo_a_draw_of_unequal_probabilities() -> None:
    """One stratum, on which coders agree less, is drawn thrice as thickly; the truth is known."""
    random = np.random.default_rng(5)
    hard = np.arange(6000) < 2000
    truth = random.random(6000) < 0.3
    errs = random.random((2, 6000)) < np.where(hard, 0.3, 0.03)
    codes = (truth ^ errs).astype(float)
    everything = krippendorff_alpha(codes).value
    found = []
    for seed in range(60):
        draw = np.random.default_rng(seed)
        taken = np.concatenate([draw.choice(2000, 180, replace=False),
                                2000 + draw.choice(4000, 120, replace=False)])  # fmt: skip
        weight = np.where(taken < 2000, 2000 / 180, 4000 / 120)
        weighted = krippendorff_alpha(codes[:, taken], weight=weight).value
        found.append((weighted, krippendorff_alpha(codes[:, taken]).value))
    weighted, plain = np.mean(found, axis=0)
    assert weighted == pytest.approx(everything, abs=0.02)
    assert plain < everything - 0.08


def repeated_matrices(codes: np.ndarray, cluster: np.ndarray, counts: np.ndarray) -> np.ndarray:
    columns = np.concatenate(
        [np.flatnonzero(cluster == c) for c, k in enumerate(counts) for _ in range(k)]
    )
    return codes[:, columns]


def test_bootstrap_recomputes_alpha_from_whole_sources() -> None:
    cluster = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    matrices, values = coincidences(FOUR_CODERS)
    found = bootstrap_interval(matrices, cluster, values, draws=60, seed=4, confidence=0.9)
    expected = []
    for counts in np.concatenate(list(resampling_counts(6, 60, 4))):
        value = krippendorff_alpha(repeated_matrices(FOUR_CODERS, cluster, counts)).value
        expected += [] if value is None else [value]
    assert found.undefined == 60 - len(expected)
    assert [found.low, found.high] == pytest.approx(np.quantile(expected, [0.05, 0.95]), abs=1e-9)


def test_resampling_counts_are_whole_resamples_of_equal_chances() -> None:
    counts = np.concatenate(list(resampling_counts(5, 4000, 1)))
    assert (counts.sum(axis=1) == 5).all()
    assert np.abs(counts.mean(axis=0) - 1).max() < 0.06


def test_resampling_in_blocks_draws_what_one_block_would(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(resampling_counts(7, 50, 9)))
    monkeypatch.setattr(agreement, "_BLOCK", 21)
    assert (np.concatenate(list(resampling_counts(7, 50, 9))) == whole).all()


def test_bootstrap_needs_two_sources_and_variation() -> None:
    matrices, values = coincidences(FOUR_CODERS)
    one = bootstrap_interval(
        matrices, np.zeros(12, dtype=int), values, draws=5, seed=1, confidence=0.95
    )
    assert one.reason == agreement.ONE_CLUSTER
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    lone = np.array([0] * 11 + [1])  # the second source has no passage with two codes
    found = bootstrap_interval(matrices, lone, values, draws=5, seed=1, confidence=0.95)
    assert found.reason == agreement.ONE_CLUSTER
    rare = table("1 0 0 0", "1 0 0 0")
    matrices, values = coincidences(rare)
    found = bootstrap_interval(matrices, np.arange(4), values, draws=80, seed=1, confidence=0.95)
    # About a third of resamples miss the only unit that carries the code: (3/4)^4.
    assert 10 < found.undefined < 45
    assert (found.low, found.high) == (1.0, 1.0)


def test_stacked_matrices_give_one_alpha_each() -> None:
    matrices, values = coincidences(FOUR_CODERS)
    whole = matrices.sum(axis=0)
    stack = np.stack([whole, np.zeros_like(whole), 3 * whole])
    found = alphas(stack, values, "ordinal")
    assert found[0] == pytest.approx(0.815388, abs=5e-7)
    assert math.isnan(found[1])
    assert found[2] < found[0]  # the same disagreement among thrice as many codes


def test_order_of_coders_and_units_does_not_matter() -> None:
    shuffled = FOUR_CODERS[[2, 0, 3, 1]][:, np.random.default_rng(0).permutation(12)]
    found = krippendorff_alpha(shuffled, "interval").value
    assert found == pytest.approx(0.849107, abs=5e-7)


def test_values_are_those_of_pairable_units_only() -> None:
    _, values = coincidences(table("1 7", "1 *"))
    assert values.tolist() == [1]
    assert pd.isna(krippendorff_alpha(table("1 7", "1 *")).value)


def test_leaving_out_sources_of_one_unit_each_is_the_jackknife_over_units():
    matrices, values = coincidences(FOUR_CODERS)
    by_unit = jackknife_interval(FOUR_CODERS, 0.95)
    assert cluster_jackknife(
        matrices, np.arange(FOUR_CODERS.shape[1]), values, 0.95
    ) == pytest.approx(by_unit)


def test_the_jackknife_over_sources_is_undefined_with_one_source_or_without_variation():
    matrices, values = coincidences(np.array([[0, 1, 0, 1], [0, 1, 1, 1]], dtype=float))
    assert cluster_jackknife(matrices, np.zeros(4, dtype=int), values, 0.95) is None
    lonely, values = coincidences(np.array([[0, 0, 1], [0, 0, 1]], dtype=float))
    assert cluster_jackknife(lonely, np.array([0, 0, 1]), values, 0.95) is None


# --- how often intervals hold the truth -----------------------------------------------------------


def coded_sources(random: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Three coders' codes of sources of unequal size: a rare code, errors that go by source."""
    size = np.clip(np.round(4 * np.exp(random.normal(0, 1, number))), 1, 60).astype(int)
    source = np.repeat(np.arange(number), size)
    base = np.log(0.08 / 0.92) + random.normal(0, 1, number)
    truth = random.random(len(source)) < (1 / (1 + np.exp(-base)))[source]
    error = (1 / (1 + np.exp(-(np.log(0.06 / 0.94) + random.normal(0, 0.8, number)))))[source]
    error = np.clip(error * np.exp(0.8 * random.normal(0, 1, len(source)) - 0.32), 0, 0.5)
    return np.stack([truth ^ (random.random(len(source)) < error) for _ in range(3)]), source


def covered(number: int, true: float, times: int) -> tuple[float, float]:
    """Return how often the bootstrap's and the jackknife's interval hold alpha, where given."""
    random = np.random.default_rng(number)
    boot, jack = [], []
    for seed in range(times):
        codes, source = coded_sources(random, number)
        matrices, values = coincidences(codes.astype(float))
        if len(values) < 2:
            continue
        ends = bootstrap_interval(matrices, source, values, draws=200, seed=seed, confidence=0.95)
        boot += [ends.low <= true <= ends.high] if ends.low == ends.low else []
        leaving = cluster_jackknife(matrices, source, values, 0.95)
        jack += [leaving[0] <= true <= leaving[1]] if leaving else []
    return float(np.mean(boot)), float(np.mean(jack))


@pytest.mark.slow
def test_from_few_sources_intervals_of_alpha_hold_the_truth_too_rarely() -> None:
    """Why there is a minimum of sources (`agreement.minimum_sources`)."""
    codes, _ = coded_sources(np.random.default_rng(1), 20_000)
    true = krippendorff_alpha(codes.astype(float)).value
    assert true is not None
    three, eight, enough = (covered(number, true, 250) for number in (3, 8, 20))
    assert three[0] < 0.6  # resampled
    assert eight[0] < 0.87
    assert enough[0] >= 0.87  # .90 of 3,000
    assert three[1] < 0.9  # leaving each source out
    assert enough[1] >= 0.89
