"""Do intervals hold what they promise? A short simulation, and the committed table of the long one.

The simulation is ``benchmarks/coverage.py``: populations like ours, samples like ours, the
functions that the tables use. Seeds are fixed, so a failure is a change of the method.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import fields, replace
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from framing.config import ALL
from framing.inference.design import CORPUS, TEXTS
from framing.inference.estimators import (
    CORRECTED,
    COUNT,
    DIFFERENCE,
    LABELS,
    POST,
    Estimate,
    discounted,
    estimate,
)
from framing.inference.outcomes import outcome
from tests.unit.inference_samples import known, settings

ROOT = Path(__file__).parents[2]
SHORT = 180  # samples a cell
CELLS = [(CORPUS, 0.05, 200), (TEXTS, 0.1, 200), (TEXTS, 0.5, 500)]


def _benchmark() -> Any:
    """The module, by its path: its name is that of a well-known package."""
    name = "benchmark_of_coverage"
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / "coverage.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


simulation = _benchmark()


def error(share: float, number: float) -> float:
    """The Monte-Carlo standard error of a share of ``number`` samples."""
    return sqrt(share * (1 - share) / number)


def row(table: pd.DataFrame, estimator: str, correlation: float, domain: str = ALL) -> Any:
    """The row of an estimator with the classifier of that correlation."""
    mine = table[(table["estimator"] == estimator) & (table["domain"] == domain)]
    return mine[mine["correlation"].fillna(correlation) == correlation].iloc[0]


# --- the simulation itself ------------------------------------------------------------------------


def test_samples_are_what_the_package_reads_from_tables() -> None:
    made = simulation.world(0.1)
    random = np.random.default_rng(5)
    texts = simulation.corpus(made, random)
    rows = simulation.draw(texts, 200, random)
    read = simulation.surveyed(texts, rows)
    short = simulation.surveyed(texts, rows, simulation.of_texts(texts))
    for field in fields(read):
        one, other = getattr(read, field.name), getattr(short, field.name)
        if field.name == "passages":
            assert len(one) == len(other)
        elif one is None or isinstance(one, (int, tuple)):
            assert one == other
        else:
            assert (np.asarray(one) == np.asarray(other)).all(), field.name
    label = pd.Series(texts.code, dtype="Int64").where(np.isin(np.arange(len(texts.code)), rows))
    scores = pd.DataFrame(
        {
            "passage_id": read.passages,
            "fold": texts.fold,
            "label": label,
            "probability": texts.probability[2],
            "decision": texts.decision[2],
        }
    )
    told = outcome(read, scores, "code", simulation.SETTINGS)
    made_up = simulation.coded(texts, short, 2)
    for name in ("decision", "label", "fitted", "probability"):
        assert (getattr(told, name) == getattr(made_up, name)).all(), name
    assert told.untuned == made_up.untuned == ""


def test_samples_are_as_large_and_as_unequal_as_asked_for() -> None:
    random = np.random.default_rng(7)
    texts = simulation.corpus(simulation.world(0.1), random)
    size = np.bincount(texts.stratum)
    for labels in simulation.LABELLED:
        drawn = np.bincount(texts.stratum[simulation.draw(texts, labels, random)])
        assert abs(drawn.sum() - labels) <= 3
        assert (drawn >= 2).all() and (drawn <= size).all()
        assert (drawn[1::2] / size[1::2] > drawn[::2] / size[::2]).all()


def test_the_truth_is_the_share_in_very_many_sources() -> None:
    made = simulation.world(0.2)
    _, group, code = simulation.sources(made, 100_000, np.random.default_rng(1))
    shares = [code[group == number].mean() for number in (0, 1)]
    assert made.truth[ALL] == pytest.approx(0.2, abs=1e-9)
    assert code.mean() == pytest.approx(0.2, abs=0.005)
    assert shares[0] == pytest.approx(made.truth["a"], abs=0.008)
    assert shares[0] - shares[1] == pytest.approx(made.truth["a - b"], abs=0.012)


def test_the_table_is_the_same_by_any_number_of_processes() -> None:
    work = [simulation.Task(target, 0.2, 100, 12) for target in (CORPUS, TEXTS)]
    one, two = (simulation.coverage_table(work, number) for number in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert list(one.columns) == list(simulation.COLUMNS)


# --- a short version, and that it can fail --------------------------------------------------------


@pytest.fixture(scope="module")
def cells() -> dict[tuple[str, float, int], pd.DataFrame]:
    return {key: simulation.cell(simulation.Task(*key, SHORT)) for key in CELLS}


@pytest.mark.parametrize("estimator", CORRECTED)
@pytest.mark.parametrize("cell", CELLS)
def test_intervals_hold_the_truth_as_often_as_they_say(
    cells: Any, cell: tuple[str, float, int], estimator: str
) -> None:
    mine = cells[cell][(cells[cell]["estimator"] == estimator) & (cells[cell]["domain"] == ALL)]
    assert len(mine) == (1 if estimator == LABELS else len(simulation.CORRELATIONS))
    assert (mine["coverage"] >= 0.93 - 2 * error(0.95, SHORT)).all()
    assert (mine["coverage"] <= 0.97 + 2 * error(0.95, SHORT)).all()
    assert (mine["no_interval"] == 0).all()
    assert (mine["bias"].abs() <= 0.1 * cell[1]).all()


def test_a_good_classifier_makes_intervals_narrower_and_a_useless_one_hardly_wider(
    cells: Any,
) -> None:
    for table in cells.values():
        for estimator in (POST, DIFFERENCE):
            widths = [
                row(table, estimator, value)["width_ratio"] for value in simulation.CORRELATIONS
            ]
            assert widths[0] <= 1.02
            assert widths[3] < widths[2] < 1 and widths[3] < 0.95


def test_counting_alone_does_not_hold_it(cells: Any) -> None:
    table = cells[CORPUS, 0.05, 200]
    assert row(table, COUNT, 0.0, "a")["coverage"] < 0.75
    assert row(table, COUNT, 0.5, "a")["coverage"] < 0.75


def test_taking_passages_for_independent_does_not_hold_it_for_texts_like_these() -> None:
    task = simulation.Task(TEXTS, 0.5, 500, 84)
    wrong = row(simulation.cell(task, CORPUS), DIFFERENCE, 0.8)
    right = row(simulation.cell(task), DIFFERENCE, 0.8)
    assert wrong["coverage"] < 0.8
    assert right["coverage"] >= 0.93 - 2 * error(0.95, 84)


def test_believing_all_of_the_gain_does_not_hold_it_for_few_positives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = simulation.Task(CORPUS, 0.02, 200, 84)
    right = row(simulation.cell(task), DIFFERENCE, 0.8, "a")["coverage"]
    monkeypatch.setattr(simulation, "SETTINGS", replace(simulation.SETTINGS, gain_discount=0.0))
    wrong = row(simulation.cell(task), DIFFERENCE, 0.8, "a")["coverage"]
    assert wrong < 0.9 < right


# --- what makes it hold ---------------------------------------------------------------------------


def made(variance: float, positives: int, coded: int = 100) -> Estimate:
    deviations = np.array([0.6, -0.8]) * sqrt(variance)
    return Estimate(
        0.2, coded, positives, 90.0, 0.2, variance={CORPUS: variance, TEXTS: 0.5},
        deviations={CORPUS: deviations, TEXTS: np.array([0.5, 0.5])},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("positives", "discount", "expected"),
    [
        (4, 1, 0.02 + 0.08 / 4),  # a quarter of what was saved is not believed
        (96, 1, 0.02 + 0.08 / 4),  # 4 negatives of 100
        (4, 2, 0.02 + 0.08 / 2),
        (1, 2, 0.1),  # never more than without
        (4, 0, 0.02),
        (0, 1, 0.02),  # nothing was seen
    ],
)
def test_of_a_saving_one_in_so_many_positives_is_not_believed(
    positives: int, discount: float, expected: float
) -> None:
    found = discounted(made(0.02, positives), 0.1, discount)
    assert found.variance == {CORPUS: pytest.approx(expected), TEXTS: 0.5}
    assert np.square(found.deviations[CORPUS]).sum() == pytest.approx(expected)
    assert (found.deviations[TEXTS] == 0.5).all()


def test_no_saving_leaves_everything_as_it_is() -> None:
    for variance in (0.1, 0.2, 0.0):
        same = made(variance, 4)
        assert discounted(same, 0.1 if variance else 0.3, 1.0) is same
    whole = replace(made(0.02, 4), complete=True)
    assert discounted(whole, 0.1, 1.0) is whole


def test_each_estimator_is_discounted_against_the_one_it_improves_on() -> None:
    frame, data = known()
    part = simulation.domain(frame)
    plain = {name: estimate(name, frame, part, data, settings()) for name in CORRECTED}
    found = {
        name: estimate(name, frame, part, data, settings(gain_discount=1)) for name in CORRECTED
    }
    share = 0.466667  # 6 of 12 positive
    simple = share * (1 - share) * (1 / 12 - 1 / 100)
    labels = plain[LABELS].variance[CORPUS]
    assert found[LABELS].variance[CORPUS] == pytest.approx(
        labels + max(0, simple - labels) / 6, rel=1e-5
    )
    for name in (POST, DIFFERENCE):
        own, without = plain[name].variance[CORPUS], found[LABELS].variance[CORPUS]
        assert found[name].variance[CORPUS] == pytest.approx(own + (without - own) / 6)
        assert found[name].variance[TEXTS] == plain[name].variance[TEXTS]
        assert found[name].value == plain[name].value


# --- the committed table --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    return pd.read_csv(ROOT / "benchmarks" / "coverage.tsv", sep="\t", keep_default_na=True)


def test_the_committed_table_is_the_whole_one(committed: pd.DataFrame) -> None:
    assert list(committed.columns) == list(simulation.COLUMNS)
    assert (committed["replications"] == simulation.REPLICATIONS).all()
    assert committed["mc_error"].max() <= 0.012  # of counting, which holds it half the time
    corrected = committed[committed["estimator"].isin(CORRECTED)]
    assert corrected["mc_error"].max() <= 0.007
    assert (corrected["no_interval"] == 0).all()
    cells = corrected.groupby(["target", "prevalence", "labels", "domain"]).size()
    assert len(cells) == 2 * 5 * 4 * 3
    assert (cells == 1 + 2 * len(simulation.CORRELATIONS)).all()


def test_it_shows_coverage_as_promised(committed: pd.DataFrame) -> None:
    """No allowance is made for Monte-Carlo error."""
    corrected = committed[committed["estimator"].isin(CORRECTED)]
    assert (corrected["coverage"] >= 0.90).all()
    # Rounding in the strata takes a passage more or less than was asked for.
    enough = corrected[(corrected["prevalence"] >= 0.05) & (corrected["coded"] > 199)]
    whole = enough[enough["domain"] == ALL]
    assert len(whole) == 2 * 4 * 3 * (1 + 2 * len(simulation.CORRELATIONS))  # all there are
    assert whole["coverage"].between(0.93, 0.97).all()
    # Of groups, and of differences of groups, with as many coded passages in them.
    parts = enough[enough["domain"] != ALL]
    assert len(parts) > 50
    assert parts["coverage"].between(0.93, 0.97).all()


def test_it_shows_narrower_intervals_wherever_correlation_allows(committed: pd.DataFrame) -> None:
    better = committed["estimator"].isin((POST, DIFFERENCE)) & (committed["domain"] == ALL)
    enough = (committed["prevalence"] >= 0.05) & (committed["labels"] >= 200)
    weak = committed[better & enough & (committed["correlation"] == 0.2)]
    assert (weak["width_ratio"] <= 1.0).all()
    some = committed[better & (committed["prevalence"] >= 0.05) & (committed["correlation"] >= 0.5)]
    assert (some["width_ratio"] < 1.0).all()
    useless = committed[better & (committed["correlation"] == 0)]
    assert (useless["width_ratio"] <= 1.01).all()


def test_it_shows_that_estimates_are_hardly_biased_and_counts_are(committed: pd.DataFrame) -> None:
    corrected = committed[committed["estimator"].isin(CORRECTED) & (committed["domain"] == ALL)]
    # The worst: post-stratification with four positives, which stands back for labels only where
    # few passages are marked, so by what was drawn.
    assert (corrected["bias"].abs() <= 0.4 * corrected["rmse"]).all()
    enough = corrected[(corrected["prevalence"] >= 0.05) & (corrected["labels"] >= 200)]
    noise = 3 * enough["rmse"] / np.sqrt(enough["replications"])
    assert (enough["bias"].abs() <= noise + 0.03 * enough["prevalence"]).all()
    counted = committed[(committed["estimator"] == COUNT) & (committed["domain"] == "a")]
    assert counted["coverage"].median() < 0.7
