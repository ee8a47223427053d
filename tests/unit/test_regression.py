"""Regression on sampled codes: known answers, identities, independent packages, what is refused."""

from __future__ import annotations

from itertools import combinations, product
from math import log
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import fractional_matrix_power

from framing.common.problems import InputError
from framing.inference.contrasts import SMOOTHED
from framing.inference.design import population
from framing.inference.design_matrix import model_design
from framing.inference.dsl import (
    CR0,
    CR1,
    CR2,
    FAMILIES,
    LINEAR,
    LOGISTIC,
    calibration_features,
    cluster_information,
    cluster_scores,
    covariance,
    cross_fitted,
    degrees_of_freedom,
    leverage,
    mean_function,
    median_error,
    pseudo_outcome,
    solve,
)
from framing.inference.estimator import EXPLORATORY, PARTLY_CONFIRMED
from framing.inference.intervals import critical
from framing.inference.model_formulas import covariate_frame
from framing.inference.model_quantities import CONTRAST, NOT_ALIKE, NOTHING_ALIKE, SHARE
from framing.inference.regression_fits import DSL, LABELS, NAIVE, Codes, predicted, splits
from framing.inference.row_space import row_space
from framing.tables import regression
from framing.tables.outside_frame import with_frame
from framing.tables.regression import FITS, T10_COLUMNS, regression_table
from framing.tables.regression_rows import (
    ALIKE,
    NEVER_TOGETHER,
    NO_CODED,
    NO_PASSAGE,
    ONE_SOURCE,
    OUTSIDE,
    SEPARATED,
    TINY,
)
from framing.tables.shares import prevalence_table
from tests.unit import inference_samples as samples
from tests.unit.inference_samples import marks

SIX = 5e-7  # six places are known
NUMBERS = ["estimate", "se", "df", "ci_low", "ci_high", "p_value"]


# --- known answers --------------------------------------------------------------------------------

FITTED = np.array([0.9, 0.2, 0.6, 0.7, 0.1, 0.5])
PSEUDO = pseudo_outcome(FITTED, np.arange(3), marks("101"), np.full(3, 2.0))
X = np.column_stack([np.ones(6), marks("001011")])


def fitted_by(
    x: np.ndarray,
    y: np.ndarray,
    cluster: np.ndarray,
    correction: str,
    family: str = LINEAR,
    weight: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and covariance of one fit."""
    weight = np.ones(len(y)) if weight is None else weight
    beta = solve(x, y, weight, family).coefficients
    number = int(cluster.max()) + 1
    scores = cluster_scores(x, y, weight, cluster, number, family, beta)
    found = leverage(cluster_information(x, weight, cluster, number, family, beta))
    return beta, covariance(scores, found, correction, number)


def test_pseudo_outcomes_have_their_known_values() -> None:
    assert pytest.approx([1.1, -0.2, 1.4, 0.7, 0.1, 0.5]) == PSEUDO


@pytest.mark.parametrize(
    ("x", "cluster", "correction", "beta", "se"),
    [
        (X[:, :1], "012345", CR1, [0.6], [0.244949]),
        (X, "012345", CR0, [0.533333, 0.133333], [0.313877, 0.443889]),
        (X, "001122", CR0, [0.533333, 0.133333], [0.078567, 0.313877]),
        (X, "001122", CR1, [0.533333, 0.133333], [0.096225, 0.384419]),  # times √(3/2)
    ],
)
def test_regression_of_pseudo_outcomes_has_its_known_values(
    x: np.ndarray, cluster: str, correction: str, beta: list[float], se: list[float]
) -> None:
    found, variance = fitted_by(x, PSEUDO, marks(cluster).astype(int), correction)
    assert found == pytest.approx(beta, abs=SIX)
    assert np.sqrt(np.diag(variance)) == pytest.approx(se, abs=SIX)


@pytest.mark.parametrize(
    ("values", "errors", "centre", "known"),
    [
        ([0.3], [0.1], 0.3, 0.1),
        ([0.1, 0.2, 0.4], [0.3, 0.3, 0.3], 0.2, 0.1**0.5),
        ([1, 2], [0, 0], 1.5, 0.5),
    ],
)
def test_splits_are_combined_by_the_median_rule(
    values: list[float], errors: list[float], centre: float, known: float
) -> None:
    """Of 0.1, 0.09 and 0.13 the median is 0.1."""
    assert median_error(np.array(values), np.array(errors), centre) == pytest.approx(known)


def test_logistic_coefficients_are_log_odds_of_shares() -> None:
    x = np.column_stack([np.ones(8), marks("00001111")])
    found = solve(x, marks("10000111"), np.ones(8), LOGISTIC)
    assert found.exists
    assert found.coefficients == pytest.approx([log(1 / 3), log(3) - log(1 / 3)])
    weighted = solve(x, marks("10000111"), marks("31113111"), LOGISTIC)
    assert weighted.coefficients == pytest.approx([0.0, 0.0], abs=1e-12)


def test_outcomes_beyond_one_are_solved_by_their_mean() -> None:
    y = np.array([1.8, -0.6, 0.3, 1.1, 0.9, 0.1])
    x = np.column_stack([np.ones(6), marks("000111")])
    share, _ = mean_function(x @ solve(x, y, np.ones(6), LOGISTIC).coefficients, LOGISTIC)
    assert share == pytest.approx([0.5] * 3 + [0.7] * 3)


# --- unbiased over draws --------------------------------------------------------------------------


def test_coefficients_average_to_those_of_the_census_over_all_draws() -> None:
    """Two strata, every sample enumerated, ĝ fixed and wrong: E(β̂) = census β exactly."""
    y, fitted = marks("1011001010"), marks("1001110010") * 0.8 + 0.05
    x = np.column_stack([np.ones(10), marks("0101100110"), np.arange(10) / 10])
    strata = [(range(4), 2), (range(4, 10), 3)]
    draws = [
        np.array([row for part in rows for row in part])
        for rows in product(*(combinations(members, size) for members, size in strata))
    ]
    assert len(draws) == 6 * 20
    weight = np.array([4 / 2] * 2 + [6 / 3] * 3)
    betas = [
        solve(x, pseudo_outcome(fitted, rows, y[rows], weight), np.ones(10), LINEAR).coefficients
        for rows in draws
    ]
    census = solve(x, y, np.ones(10), LINEAR).coefficients
    assert np.mean(betas, axis=0) == pytest.approx(census, abs=1e-12)
    assert np.std(betas, axis=0).min() > 0.01


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=20))
def test_where_all_are_drawn_pseudo_outcomes_are_the_codes(rows: list[tuple[bool, float]]) -> None:
    label = np.array([float(code) for code, _ in rows])
    found = pseudo_outcome(
        np.array([guess for _, guess in rows]), np.arange(len(rows)), label, np.ones(len(rows))
    )
    assert found == pytest.approx(label)


# --- independent packages -------------------------------------------------------------------------


def clustered(seed: int = 1, rows: int = 90, clusters: int = 14) -> tuple[np.ndarray, ...]:
    """Design, 0/1 outcome, clusters of unequal size and weights of an invented sample."""
    random = np.random.default_rng(seed)
    cluster = np.sort(random.integers(0, clusters, rows))
    x = np.column_stack([np.ones(rows), cluster % 2, random.normal(size=rows)])
    y = (random.random(rows) < 0.3 + 0.2 * x[:, 1]).astype(float)
    return x, y, cluster, random.integers(1, 5, rows).astype(float)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_fits_equal_those_of_statsmodels(family: str) -> None:
    """A weight of 3 is as good as three rows alike in the same cluster."""
    api = pytest.importorskip("statsmodels.api")
    x, y, cluster, weight = clustered()
    rows = np.repeat(np.arange(len(y)), weight.astype(int))
    chosen = api.families.Gaussian() if family == LINEAR else api.families.Binomial()
    theirs = api.GLM(y[rows], x[rows], family=chosen).fit(
        tol=1e-13, cov_type="cluster", cov_kwds={"groups": cluster[rows], "use_correction": False}
    )
    beta, variance = fitted_by(x, y, cluster, CR0, family, weight)
    assert beta == pytest.approx(theirs.params, abs=1e-9)
    assert variance == pytest.approx(theirs.cov_params(), abs=1e-9)


@pytest.mark.slow
def test_small_sample_factor_is_that_of_statsmodels_less_its_own_for_coefficients() -> None:
    """Statsmodels multiplies by G/(G − 1) · (n − 1)/(n − k)."""
    api = pytest.importorskip("statsmodels.api")
    x, y, cluster, _ = clustered()
    theirs = api.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    _, variance = fitted_by(x, y, cluster, CR1)
    assert variance == pytest.approx(theirs.cov_params() / ((90 - 1) / (90 - 3)), abs=1e-12)


# --- few clusters ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_bias_reduced_variance_is_that_of_the_adjusted_residuals() -> None:
    """CR2 as Bell & McCaffrey (2002) write it: u_g times (I − H_gg)^−½, n by n matrices."""
    x, y, cluster, _ = clustered()
    beta, variance = fitted_by(x, y, cluster, CR2)
    bread = np.linalg.inv(x.T @ x)
    meat = np.zeros((3, 3))
    for number in range(14):
        own = x[cluster == number]
        hat = own @ bread @ own.T
        half = fractional_matrix_power(np.eye(len(own)) - hat, -0.5).real
        score = own.T @ half @ (y - x @ beta)[cluster == number]
        meat += np.outer(score, score)
    assert variance == pytest.approx(bread @ meat @ bread, abs=1e-12)


def test_bias_reduced_variance_is_unbiased_where_errors_are_as_the_model_has_them() -> None:
    """All 2⁷ sign patterns of errors of size 1: the mean of V is (X'X)⁻¹ exactly."""
    x = np.column_stack([np.ones(7), marks("0001111"), np.array([0.1, 0.9, 0.4, 2, 0.3, 0.7, 1])])
    cluster = marks("0122344").astype(int)
    found = [
        fitted_by(x, np.array(signs), cluster, CR2)[1] for signs in product((-1.0, 1.0), repeat=7)
    ]
    assert np.mean(found, axis=0) == pytest.approx(np.linalg.inv(x.T @ x), abs=1e-12)
    raw = [
        fitted_by(x, np.array(signs), cluster, CR1)[1] for signs in product((-1.0, 1.0), repeat=7)
    ]
    assert np.mean(raw, axis=0)[1, 1] < 0.8 * np.linalg.inv(x.T @ x)[1, 1]


def test_group_of_few_clusters_has_its_own_factor_and_degrees_of_freedom() -> None:
    """Means of two groups of 3 and 8 clusters of two passages: factors 3/2, 8/7; df 2 and 7."""
    cluster = np.repeat(np.arange(11), 2)
    x = np.column_stack([cluster < 3, cluster >= 3]).astype(float)
    y = marks("1101001011010010110100")
    _, plain = fitted_by(x, y, cluster, CR0)
    beta, variance = fitted_by(x, y, cluster, CR2)
    assert np.diag(variance) / np.diag(plain) == pytest.approx([3 / 2, 8 / 7])
    found = leverage(cluster_information(x, np.ones(22), cluster, 11, LINEAR, beta))
    assert degrees_of_freedom(found, np.array([1.0, 0])) == pytest.approx(2)
    assert degrees_of_freedom(found, np.array([0, 1.0])) == pytest.approx(7)
    both = degrees_of_freedom(found, np.array([-1.0, 1]))
    assert 2 < both < 9
    assert np.isnan(degrees_of_freedom(found, np.zeros(2)))


@pytest.mark.slow
def test_degrees_of_freedom_are_those_of_the_quadratic_form() -> None:
    """Ω built from n by n matrices (Imbens & Kolesár 2016, eq. 14 without cluster correlation)."""
    x, _, cluster, _ = clustered(rows=40, clusters=7)
    direction = np.array([0.3, 1.0, -0.5])
    bread = np.linalg.inv(x.T @ x)
    residual = np.eye(40) - x @ bread @ x.T
    columns = []
    for number in range(7):
        member = cluster == number
        own = x[member]
        half = fractional_matrix_power(np.eye(len(own)) - own @ bread @ own.T, -0.5).real
        columns.append(residual[:, member] @ half @ own @ bread @ direction)
    omega = np.array(columns) @ np.array(columns).T
    found = leverage(cluster_information(x, np.ones(40), cluster, 7, LINEAR, np.zeros(3)))
    known = np.trace(omega) ** 2 / np.trace(omega @ omega)
    assert degrees_of_freedom(found, direction) == pytest.approx(known)


def test_direction_of_a_single_cluster_is_found() -> None:
    cluster = marks("001122").astype(int)
    x = np.column_stack([np.ones(6), marks("000011"), marks("010101")])
    found = leverage(cluster_information(x, np.ones(6), cluster, 3, LINEAR, np.zeros(3)))
    assert found.alone @ np.array([0, 1.0, 0]) != pytest.approx(0)
    assert found.alone @ np.array([0, 0, 1.0]) == pytest.approx(0, abs=1e-9)


# --- cross-fitting --------------------------------------------------------------------------------


def learnt() -> dict[str, Any]:
    random = np.random.default_rng(4)
    source = np.repeat(np.arange(20), 6)
    drawn = np.sort(random.choice(120, 70, replace=False))
    covariates = np.column_stack([np.ones(120), source % 3 == 0, source % 3 == 1]).astype(float)
    label = (random.random(70) < 0.4).astype(float)
    probability = np.clip(random.random(120), 0, 1)
    return {
        "features": calibration_features(probability, covariates), "drawn": drawn, "label": label,
        "weight": random.uniform(1, 4, 70), "fold": source % 5, "penalty": 1.0,
    }  # fmt: skip


def test_no_code_has_a_say_in_predictions_for_its_own_source() -> None:
    given_ = learnt()
    before = cross_fitted(**given_)
    for place in (0, 33, 69):
        changed = given_["label"].copy()
        changed[place] = 1 - changed[place]
        after = cross_fitted(**{**given_, "label": changed})
        own = given_["fold"] == given_["fold"][given_["drawn"][place]]
        assert np.array_equal(after[own], before[own])
        assert np.abs(after - before)[~own].min() > 0


def test_predictions_are_the_penalised_optimum_of_other_folds() -> None:
    given_ = learnt()
    fitted = cross_fitted(**given_)
    taught = given_["fold"][given_["drawn"]] != 2
    rows, weight = given_["drawn"][taught], given_["weight"][taught]
    weight = weight / weight.mean()
    x = given_["features"]
    assert x.shape[1] == 4  # the constant covariate is left out
    held_out = given_["fold"] == 2
    beta, *_ = np.linalg.lstsq(
        x[held_out], np.log(fitted[held_out] / (1 - fitted[held_out])), rcond=None
    )
    share = 1 / (1 + np.exp(-x[rows] @ beta))
    gradient = x[rows].T @ (weight * (given_["label"][taught] - share)) - beta * [0, 1, 1, 1]
    assert gradient == pytest.approx(np.zeros(4), abs=1e-8)


def test_folds_that_teach_nothing_predict_what_they_can() -> None:
    given_ = learnt()
    assert not cross_fitted(**{**given_, "label": np.zeros(70)}).any()
    assert cross_fitted(**{**given_, "label": np.ones(70)}).all()
    alone = cross_fitted(**{**given_, "fold": np.zeros(120, dtype=int)})
    assert not alone.any()


def test_folds_follow_from_the_id_of_a_source_alone() -> None:
    settings = {"folds": 5, "splits": 3, "seed": 7}
    names = [f"s{number}" for number in range(40)]
    first, second, third = splits(names, settings)
    assert [list(fold) for fold in splits(names[::-1], settings)] == [
        list(fold[::-1]) for fold in (first, second, third)
    ]
    assert not np.array_equal(first, second)
    assert set(first) == set(range(5))
    assert list(first[:6]) == KNOWN_FOLDS
    other = next(splits(names, {**settings, "seed": 8}))
    assert not np.array_equal(first, other)


KNOWN_FOLDS = [4, 2, 3, 2, 2, 3]  # the same on every machine


# --- the table ------------------------------------------------------------------------------------

Project = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, Any]]


def project(
    formula: str = "~ group + period",
    family: str = LINEAR,
    frame: pd.DataFrame | None = None,
    share: tuple[float, float] = (0.3, 0.7),
    **model: Any,
) -> Project:
    """Passages, sources, scores and configuration of an invented corpus, and one model."""
    frame = samples.corpus(3) if frame is None else frame
    passages, scores = samples.sampled(frame, 5, share)
    config = samples.config()
    config["regression"] = {
        "folds": 5, "splits": 4, "seed": 11, "penalty": 1.0, "correction": CR2,
        "models": [
            {"id": "one", "formula": formula, "family": family, "codes": ["cost"], **model}
        ],
    }  # fmt: skip
    return passages, sources_of(passages), scores, config


def sources_of(passages: pd.DataFrame) -> pd.DataFrame:
    """A table of sources: dates, some of them missing, and two genres."""
    names = passages[["source_id", "group"]].drop_duplicates("source_id").reset_index(drop=True)
    number = names.index.to_numpy()
    return names.assign(
        title="A title",
        date=[f"{1990 + n % 30}-05" if n % 10 else "" for n in number],
        genre=np.array(["letter", "minutes", ""], dtype=object)[number // 3 % 3],
        words=100,
    )


def cells(table: pd.DataFrame, estimator: str, kind: str) -> pd.DataFrame:
    chosen = table[(table["estimator"] == estimator) & (table["kind"] == kind)]
    return chosen.set_index("term")


def message(given_: Project) -> str:
    with pytest.raises(InputError) as caught:
        regression_table(*given_)
    return str(caught.value)


def test_table_has_its_columns_and_rows_in_order() -> None:
    table = regression_table(*project())
    assert list(table.columns) == list(T10_COLUMNS)
    assert list(table["estimator"].drop_duplicates()) == list(FITS)
    # 1 + 2 + 2 coefficients, 3 + 3 shares, 2 + 2 contrasts
    assert len(table) == 3 * 15
    assert list(cells(table, DSL, "coefficient").index) == [
        "Intercept", "group[residents]", "group[press]", "period[2006-2010]", "period[undated]",
    ]  # fmt: skip
    assert (table["status"] == "").all()
    numbers = table[NUMBERS[:-1]]
    assert numbers.notna().all(axis=None)
    shares = table[table["kind"] == SHARE]
    assert shares["p_value"].isna().all()
    assert shares["ci_low"].ge(0).all()
    assert shares["ci_high"].le(1).all()
    assert (table["ci_low"] < table["estimate"]).all()
    assert (table["ci_high"] > table["estimate"]).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_groups_alone_have_the_shares_of_the_prevalence_table(family: str) -> None:
    """Labels only is Hájek's estimator, naive is classify-and-count, in T4 as here."""
    given_ = project("~ group", family)
    table = regression_table(*given_)
    known = prevalence_table(given_[0], given_[2], given_[3])
    for name, other in ((LABELS, "labels only"), (NAIVE, "classify-and-count")):
        chosen = known[(known["estimator"] == other) & (known["target"] == "texts")]
        theirs = chosen.set_index("group").loc[list(samples.GROUPS)]
        ours = cells(table, name, SHARE)
        assert list(ours["estimate"]) == pytest.approx(list(theirs["estimate"]), abs=1e-9)
        assert list(ours["se"]) == pytest.approx(list(theirs["se"]), rel=0.06)
        assert list(ours["passages"]) == list(theirs["passages"])


@pytest.mark.parametrize("family", FAMILIES)
def test_where_all_is_coded_dsl_is_the_regression_of_the_codes(family: str) -> None:
    given_ = project(family=family, share=(1, 1))
    table = regression_table(*given_)
    for kind in ("coefficient", SHARE, CONTRAST):
        ours, labels = (cells(table, name, kind)[NUMBERS] for name in (DSL, LABELS))
        pd.testing.assert_frame_equal(ours, labels, rtol=1e-9)
    assert not np.allclose(
        cells(table, DSL, SHARE)["estimate"], cells(table, NAIVE, SHARE)["estimate"], rtol=0.1
    )


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_table_equals_statsmodels_on_all_codes(family: str) -> None:
    api = pytest.importorskip("statsmodels.formula.api")
    given_ = project("~ genre * group + words", family, share=(1, 1))
    given_[3]["regression"]["correction"] = CR1
    given_[0]["words"] = np.arange(len(given_[0])) % 17
    table = regression_table(*given_)
    data = covariate_frame(given_[0], given_[1], given_[3])
    data["y"] = given_[2]["label"].astype(int)
    source = pd.factorize(given_[0]["source_id"])[0]
    fit = api.ols if family == LINEAR else api.logit
    keywords = {} if family == LINEAR else {"disp": False, "method": "newton", "tol": 1e-12}
    theirs = fit("y ~ genre * group + words", data).fit(
        cov_type="cluster", cov_kwds={"groups": source, "use_correction": False}, **keywords
    )
    ours = cells(table, DSL, "coefficient")
    assert set(ours.index) == {name.replace("[T.", "[") for name in theirs.params.index}
    ours.index = [name.replace("[", "[T.") for name in ours.index]
    ours = ours.loc[theirs.params.index]
    assert list(ours["estimate"]) == pytest.approx(list(theirs.params), abs=1e-7)
    factor = (120 / 119) ** 0.5
    assert list(ours["se"]) == pytest.approx(list(theirs.bse * factor), abs=1e-7)
    assert set(ours["df"]) == {119}
    # Predicted shares are average predictions with one column set to a level.
    for level in samples.GROUPS:
        predicted = theirs.predict(data.assign(group=level)).mean()
        share = cells(table, DSL, SHARE).loc[f"group[{level}]", "estimate"]
        assert share == pytest.approx(predicted, abs=1e-7)


def test_delta_method_is_the_slope_of_the_shares() -> None:
    """Standard errors of shares and contrasts against numerical derivatives of statsmodels."""
    api = pytest.importorskip("statsmodels.formula.api")
    given_ = project("~ group + words", LOGISTIC, share=(1, 1))
    given_[3]["regression"]["correction"] = CR1
    given_[0]["words"] = np.arange(len(given_[0])) % 17
    table = regression_table(*given_)
    data = covariate_frame(given_[0], given_[1], given_[3])
    data["y"] = given_[2]["label"].astype(int)
    theirs = api.logit("y ~ group + words", data).fit(
        disp=False, method="newton", tol=1e-12, cov_type="cluster",
        cov_kwds={"groups": pd.factorize(given_[0]["source_id"])[0], "use_correction": False},
    )  # fmt: skip
    variance = theirs.cov_params().to_numpy() * 120 / 119

    def share(beta: np.ndarray, level: str) -> float:
        columns = [(level == name) * np.ones(len(data)) for name in ("residents", "press")]
        x = np.column_stack([np.ones(len(data)), *columns, data["words"]])
        return float(np.mean(1 / (1 + np.exp(-x @ beta))))

    def slope(function: Any) -> np.ndarray:
        steps = np.eye(4) * 1e-6
        beta = theirs.params.to_numpy()
        return np.array([(function(beta + h) - function(beta - h)) / 2e-6 for h in steps])

    press = slope(lambda beta: share(beta, "press"))
    apart = press - slope(lambda beta: share(beta, "council"))
    found = cells(table, LABELS, SHARE).loc["group[press]", "se"]
    assert found == pytest.approx((press @ variance @ press) ** 0.5, rel=1e-5)
    found = cells(table, LABELS, CONTRAST).loc["group[press] - group[council]", "se"]
    assert found == pytest.approx((apart @ variance @ apart) ** 0.5, rel=1e-5)


@pytest.mark.slow
def test_contrasts_are_differences_of_shares_and_coefficients_where_lines_are_straight() -> None:
    for family in FAMILIES:
        table = regression_table(*project(family=family))
        for name in FITS:
            shares = cells(table, name, SHARE)["estimate"]
            found = cells(table, name, CONTRAST)
            for term, row in found.iterrows():
                a, b = str(term).split(" - ")
                assert row["estimate"] == pytest.approx(shares[a] - shares[b], abs=1e-10)
            if family == LINEAR:
                plain = cells(table, name, "coefficient").iloc[1:]
                assert list(found["estimate"]) == pytest.approx(list(plain["estimate"]), abs=1e-10)
                assert list(found["se"]) == pytest.approx(list(plain["se"]), abs=1e-10)
                assert list(found["df"]) == pytest.approx(list(plain["df"]), abs=1e-7)


@pytest.mark.slow
def test_configured_reference_and_contrasts() -> None:
    wanted = {"column": "group", "a": "residents", "b": "press"}
    table = regression_table(*project(reference={"group": "press"}, contrasts=[wanted]))
    found = cells(table, LABELS, CONTRAST)
    assert list(found.index) == ["group[residents] - group[press]"]
    plain = cells(table, LABELS, "coefficient")
    assert "group[press]" not in plain.index
    assert found["estimate"].iloc[0] == pytest.approx(plain.loc["group[residents]", "estimate"])
    # Shares do not depend on the reference where there is but one split to take medians of.
    other = regression_table(*project())
    pd.testing.assert_frame_equal(
        cells(table, LABELS, SHARE).sort_index()[NUMBERS],
        cells(other, LABELS, SHARE).sort_index()[NUMBERS],
    )


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_order_of_rows_does_not_matter(family: str) -> None:
    passages, sources, scores, config = project("~ group + year + genre", family)
    table = regression_table(passages, sources, scores, config)
    mixed = [
        data.sample(frac=1, random_state=n) for n, data in enumerate((passages, sources, scores))
    ]
    pd.testing.assert_frame_equal(regression_table(*mixed, config), table, check_exact=True)


@pytest.mark.slow
def test_seed_decides_the_splits_and_nothing_else() -> None:
    given_ = project()
    first = regression_table(*given_)
    given_[3]["regression"]["seed"] = 12
    second = regression_table(*given_)
    same = first["estimator"] != DSL
    pd.testing.assert_frame_equal(first[same], second[same])
    moved = (first["estimate"] - second["estimate"]).abs()[~same]
    assert 0 < moved.max() < 0.3 * first["se"].max()


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_coefficients_are_medians_over_splits(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given_ = project(family=family)
    number = given_[0]["source_id"].nunique()
    folds = [np.random.default_rng(seed).integers(0, 5, number) for seed in range(3)]

    def table(chosen: list[np.ndarray]) -> pd.DataFrame:
        monkeypatch.setattr(regression, "splits", lambda sources, settings: iter(chosen))
        return cells(regression_table(*given_), DSL, "coefficient")

    single, both = [table([fold]) for fold in folds], table(folds)
    values = np.array([one["estimate"] for one in single])
    errors = np.array([one["se"] for one in single])
    centre = np.median(values, axis=0)
    assert np.ptp(values, axis=0).min() > 1e-5
    assert list(both["estimate"]) == pytest.approx(list(centre), abs=1e-10)
    known = np.sqrt(np.median(errors**2 + (values - centre) ** 2, axis=0))
    assert list(both["se"]) == pytest.approx(list(known), abs=1e-10)


def test_intervals_of_shares_are_t_intervals_on_the_logit_scale() -> None:
    row = cells(regression_table(*project(share=(0.9, 0.9))), DSL, SHARE).loc["group[council]"]
    share, quantile = row["estimate"], critical(0.95, row["df"])
    half = quantile * row["se"] / (share * (1 - share))
    ends = [1 / (1 + np.exp(-(log(share / (1 - share)) + sign * half))) for sign in (-1, 1)]
    assert quantile > 2.02
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(ends)


@pytest.mark.slow
def test_correction_decides_errors_and_degrees_of_freedom_only() -> None:
    given_ = project()
    bias_reduced = regression_table(*given_)
    given_[3]["regression"]["correction"] = CR1
    plain = regression_table(*given_)
    assert list(plain["estimate"]) == list(bias_reduced["estimate"])
    coded = given_[0].loc[given_[0]["weight"].notna(), "source_id"].nunique()
    counted = plain[plain["estimator"] != NAIVE]
    assert set(counted["df"]) == {coded - 1}
    assert (bias_reduced["df"] < plain["df"]).all()
    assert (bias_reduced["se"] > plain["se"]).all()


def test_dsl_is_nearer_than_labels_only_and_naive_is_off() -> None:
    frame = samples.corpus(8, sources=240)
    table = regression_table(*project("~ group", frame=frame))
    truth = frame.groupby("group")["truth"].mean()
    for name, within in ((DSL, 0.03), (LABELS, 0.05)):
        shares = cells(table, name, SHARE)
        gap = [shares.loc[f"group[{group}]", "estimate"] - truth[group] for group in samples.GROUPS]
        assert np.abs(gap).max() < within
    naive = cells(table, NAIVE, SHARE).loc["group[council]"]
    assert naive["ci_low"] > truth["council"]


# --- what cannot be estimated ---------------------------------------------------------------------


def uncode(given_: Project, chosen: pd.Series) -> Project:
    """Give back the passages ``chosen``, of strata of their own, as never drawn.

    Strata are remade so that the design stays consistent: one a group.
    """
    passages, sources, scores, config = given_
    passages = passages.copy()
    drawn = passages["weight"].notna() & ~chosen
    for group in passages["group"].unique():
        rows = passages["group"] == group
        size, number = int(rows.sum()), int((rows & drawn).sum())
        passages.loc[rows, "stratum"] = group
        passages.loc[rows, ["stratum_size", "stratum_sampled"]] = (size, number)
        passages.loc[rows, "weight"] = size / max(number, 1)
    columns = ["stratum", "stratum_size", "stratum_sampled", "weight"]
    passages.loc[~drawn, columns] = [None, pd.NA, pd.NA, np.nan]
    scores = scores.assign(label=scores["label"].where(drawn))
    return passages, sources, scores, config


def statuses(table: pd.DataFrame, estimator: str = DSL) -> dict[str, str]:
    chosen = table[table["estimator"] == estimator]
    return {
        f"{kind} {term}": status
        for kind, term, status in zip(chosen["kind"], chosen["term"], chosen["status"], strict=True)
        if status
    }


def test_level_that_nobody_coded_is_marked_and_the_others_are_as_without_it() -> None:
    given_ = project("~ group + period")
    undated = given_[0]["period"] == "undated"
    table = regression_table(*uncode(given_, undated))
    note = f"{undated.sum()} passages of combinations never coded left out"
    for name in FITS:
        found = statuses(table, name)
        barred = {row for row, status in found.items() if status.startswith(NO_CODED)}
        assert barred == {
            "coefficient period[undated]", "predicted share period[undated]",
            "contrast period[undated] - period[2001-2005]",
        }  # fmt: skip
        assert set(found.values()) == {note, f"{NO_CODED}; {note}"}
    empty = table[table["status"].str.startswith(NO_CODED)]
    assert empty[NUMBERS].isna().all(axis=None)
    rest = table[~table["status"].str.startswith(NO_CODED)]
    assert rest["estimate"].notna().all()


def test_level_without_passages_is_marked() -> None:
    given_ = project("~ group")
    given_[3]["groups"] = {"nobody": "Nobody", **samples.GROUPS}
    table = regression_table(*given_)
    assert statuses(table) == {
        "coefficient group[nobody]": NO_PASSAGE, "predicted share group[nobody]": NO_PASSAGE,
        "contrast group[nobody] - group[council]": NO_PASSAGE,
    }  # fmt: skip
    given_[3]["groups"] = dict(samples.GROUPS)
    without = regression_table(*given_)
    kept = table[table["status"] == ""].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, without)


def test_level_of_one_coded_source_has_an_estimate_but_no_interval() -> None:
    given_ = project("~ group + period")
    press = given_[0]["group"] == "press"
    coded = press & given_[0]["weight"].notna()
    largest = given_[0].loc[coded, "source_id"].value_counts().index[0]
    given_ = uncode(given_, press & (given_[0]["source_id"] != largest))
    table = regression_table(*given_)
    note = f"not averaged over: {press.sum()} passages of levels with one coded source"
    for name in (DSL, LABELS):
        found = statuses(table, name)
        barred = {row for row, status in found.items() if status.startswith(ONE_SOURCE)}
        assert barred == {
            "coefficient group[press]", "predicted share group[press]",
            "contrast group[press] - group[council]",
        }  # fmt: skip
        assert set(found.values()) == {ONE_SOURCE, note, f"{ONE_SOURCE}; {note}"}
        rows = table[(table["estimator"] == name) & table["status"].str.startswith(ONE_SOURCE)]
        assert rows["estimate"].notna().all()
        assert rows[NUMBERS[1:]].isna().all(axis=None)
        rest = table[(table["estimator"] == name) & ~table["status"].str.startswith(ONE_SOURCE)]
        assert rest["se"].notna().all()
    assert set(statuses(table, NAIVE).values()) == {note}


@pytest.mark.slow
def test_collinear_terms_are_named_and_what_does_not_need_them_is_given() -> None:
    given_ = project("~ group + party + words")
    given_[1]["party"] = given_[1]["group"].map(
        {"council": "in office", "residents": "none", "press": "free"}
    )
    given_[0]["words"] = np.arange(len(given_[0])) % 13
    table = regression_table(*given_)
    found = statuses(table)
    # "free" comes first and is the reference: each dummy of one column is one of the other's.
    assert found["coefficient group[residents]"] == (
        "not estimable: collinear with Intercept, group[press], party[in office], party[none]"
    )
    assert "coefficient words" not in found
    # The press is free and nobody else is: only of itself can anything be said.
    assert found["predicted share group[press]"].startswith("averaged over")
    share = cells(table, LABELS, SHARE).loc["group[press]", "estimate"]
    alone = regression_table(*(*given_[:3], changed(given_[3], formula="~ group")))
    assert share == pytest.approx(cells(alone, LABELS, SHARE).loc["group[press]", "estimate"],
                                  abs=0.01)  # fmt: skip
    assert found["contrast group[press] - group[council]"] == NOTHING_ALIKE.format(
        "both press and council"
    )
    known = regression_table(*(*given_[:3], changed(given_[3], formula="~ group + words")))
    ours, theirs = (cells(t, LABELS, "coefficient").loc["words"] for t in (table, known))
    assert list(ours[NUMBERS]) == pytest.approx(list(theirs[NUMBERS]), rel=1e-6)


def changed(config: dict[str, Any], **model: Any) -> dict[str, Any]:
    """A configuration with its one model changed."""
    regression = config["regression"]
    return {
        **config, "regression": {**regression, "models": [{**regression["models"][0], **model}]},
    }  # fmt: skip


def test_combination_without_passages_only_bars_what_needs_it() -> None:
    """In ~ group * period a cell is empty: its coefficient is not known, nor averaged over."""
    frame = samples.corpus(3)
    empty = (frame["group"] == "press") & (frame["period"] == "undated")
    table = regression_table(
        *project("~ group * period", frame=frame[~empty].reset_index(drop=True))
    )
    found = statuses(table)
    left = frame[~empty]
    dated, others = (left["period"] != "undated").sum(), (left["group"] != "press").sum()

    def over(number: int, whose: str) -> str:
        return NOT_ALIKE.format(number, len(left), whose)

    assert found == {
        "coefficient group[press]:period[undated]": NO_PASSAGE,
        "predicted share group[press]": over(dated, "press"),
        "predicted share period[undated]": over(others, "undated"),
        "contrast group[press] - group[council]": over(dated, "both press and council"),
        "contrast period[undated] - period[2001-2005]": over(others, "both undated and 2001-2005"),
    }


def test_combination_that_nobody_coded_bars_what_needs_it() -> None:
    """As before, but the cell has passages: to leave it out of an average would be arbitrary."""
    given_ = project("~ group * period")
    cell = (given_[0]["group"] == "press") & (given_[0]["period"] == "undated")
    found = statuses(regression_table(*uncode(given_, cell)))
    note = f"{cell.sum()} passages of combinations never coded left out"
    assert {row for row, status in found.items() if status == f"{NEVER_TOGETHER}; {note}"} == {
        "predicted share group[press]", "predicted share period[undated]",
        "contrast group[press] - group[council]", "contrast period[undated] - period[2001-2005]",
    }  # fmt: skip


@pytest.mark.slow
def test_no_share_is_predicted_for_periods_that_a_group_does_not_have() -> None:
    """Shares by hand: the group's own cells, weighted by all passages of these periods."""
    frame = samples.corpus(3)
    empty = (frame["group"] == "press") & (frame["period"] != "2006-2010")
    frame = frame[~empty].reset_index(drop=True)
    given_ = project("~ group * period", frame=frame, share=(1, 1))
    table = cells(regression_table(*given_), LABELS, SHARE)
    means = frame.groupby(["group", "period"])["truth"].mean()
    sizes = frame["period"].value_counts()
    own = means["press", "2006-2010"]
    assert table.loc["group[press]", "estimate"] == pytest.approx(own)
    assert table.loc["group[press]", "status"] == NOT_ALIKE.format(
        sizes["2006-2010"], len(frame), "press"
    )
    council = sum(means["council", period] * sizes[period] for period in sizes.index) / len(frame)
    assert table.loc["group[council]", "estimate"] == pytest.approx(council)
    # Contrasts are over what both have, here one period: they are no differences of these shares.
    apart = cells(regression_table(*given_), LABELS, CONTRAST)["estimate"]
    expected = own - means["council", "2006-2010"]
    assert apart["group[press] - group[council]"] == pytest.approx(expected)


def test_numbers_are_alike_within_the_range_that_a_level_has() -> None:
    """The press has texts of late years only: its share is averaged over these."""
    given_ = project("~ group + year")
    passages, sources, scores, config = given_
    late = sources["date"].str[:4] >= "2010"
    sources["date"] = sources["date"].mask((sources["group"] == "press") & ~late, "2015-01")
    sources.loc[sources["date"] == "", "date"] = "2012"
    table = regression_table(passages, sources, scores, config)
    year = passages["source_id"].map(sources.set_index("source_id")["date"].str[:4].astype(int))
    press = year[passages["group"] == "press"]
    within = int(year.between(press.min(), press.max()).sum())
    assert within < len(passages)
    status = cells(table, LABELS, SHARE).loc["group[press]", "status"]
    assert status == NOT_ALIKE.format(within, len(passages), "press")


def without_positives(given_: Project, group: str) -> Project:
    passages, sources, scores, config = given_
    none = (passages["group"] == group) & scores["label"].notna()
    return passages, sources, scores.assign(label=scores["label"].mask(none, 0)), config


@pytest.mark.slow
def test_complete_separation_is_said_and_the_rest_fitted_without_it() -> None:
    given_ = without_positives(project("~ group + period", LOGISTIC), "press")
    passages, sources, scores, config = given_
    table = regression_table(*given_)
    number = (passages["group"] == "press").sum()
    note = f"{number} passages left out, complete separation by group[press]"
    found = statuses(table, LABELS)
    assert {row for row, status in found.items() if status == f"{SEPARATED}; {note}"} == {
        "coefficient group[press]", "predicted share group[press]",
        "contrast group[press] - group[council]",
    }  # fmt: skip
    assert set(found.values()) == {note, f"{SEPARATED}; {note}"}
    # The same as without these passages.
    kept = (passages["group"] != "press").to_numpy()
    other = regression_table(
        passages[kept], sources, scores[kept], {**config, "groups": dict(samples.GROUPS)}
    )
    for kind in ("coefficient", SHARE):
        a, b = (cells(t, LABELS, kind).drop(index="group[press]") for t in (table, other))
        pd.testing.assert_frame_equal(a[NUMBERS], b[NUMBERS], rtol=1e-6)


@pytest.mark.slow
def test_separation_by_the_reference_leaves_shares_but_no_coefficient_against_it() -> None:
    given_ = without_positives(project("~ group", LOGISTIC), "council")
    table = regression_table(*given_)
    rows = cells(table, LABELS, "coefficient")
    assert rows["estimate"].isna().all()
    assert rows["status"].str.startswith(SEPARATED).all()
    shares = cells(table, LABELS, SHARE)
    assert list(shares["estimate"].isna()) == [True, False, False]


@pytest.mark.slow
def test_separation_by_a_number_leaves_nothing() -> None:
    given_ = project("~ words", LOGISTIC)
    scores = given_[2]
    given_[0]["words"] = np.where(scores["label"].fillna(0) == 1, 90, 50) + scores["fold"]
    table = regression_table(*given_)
    found = cells(table, LABELS, "coefficient")
    assert found[NUMBERS].isna().all(axis=None)
    assert found["status"].str.startswith(SEPARATED).all()
    assert found["status"].str.contains("separation by Intercept, words").all()


def test_level_whose_codes_do_not_vary_never_gets_a_narrow_interval() -> None:
    given_ = without_positives(project("~ group"), "press")
    table = regression_table(*given_)
    plain = cells(table, LABELS, "coefficient").loc["group[press]"]
    assert plain["status"] == ALIKE
    assert np.isnan(plain["se"])
    share = cells(table, LABELS, SHARE).loc["group[press]"]
    assert share["estimate"] == 0
    assert (share["ci_low"], np.isnan(share["se"])) == (0, True)
    assert 0.02 < share["ci_high"] < 0.2
    apart = cells(table, LABELS, CONTRAST).loc["group[press] - group[council]"]
    assert apart["status"] == SMOOTHED
    assert apart["se"] > cells(table, LABELS, SHARE).loc["group[council]", "se"]


def test_share_of_a_straight_line_outside_the_unit_is_cut_and_said() -> None:
    """The press always when dated, never undated; few others are undated. So the undated lose 1."""
    frame = samples.corpus(3)
    press, late = frame["group"] == "press", frame["period"] == "2006-2010"
    frame["period"] = frame["period"].mask(press & ~late, "undated")
    few = frame["source_id"].isin(
        frame.loc[(frame["group"] == "council") & (frame["period"] == "undated"), "source_id"]
        .drop_duplicates().iloc[:3]
    )  # fmt: skip
    few |= frame["source_id"].isin(
        frame.loc[(frame["group"] == "residents") & (frame["period"] == "undated"), "source_id"]
        .drop_duplicates().iloc[:3]
    )  # fmt: skip
    frame["period"] = frame["period"].mask(
        ~press & ~few & (frame["period"] == "undated"), "2001-2005"
    )
    frame["truth"] = frame["truth"].mask(press, late.astype(int))
    frame.loc[frame.index[press & late][0], "truth"] = 0
    frame.loc[frame.index[press & ~late][0], "truth"] = 1
    table = regression_table(*project(frame=frame, share=(0.8, 0.8)))
    share = cells(table, LABELS, SHARE).loc["period[undated]"]
    assert share["status"] == OUTSIDE
    assert (share["estimate"], share["ci_low"]) == (0, 0)
    assert 0 < share["ci_high"] < 0.7
    apart = cells(table, LABELS, CONTRAST).loc["period[undated] - period[2001-2005]"]
    assert apart["status"].startswith(f"{OUTSIDE}; averaged over")
    assert apart["estimate"] == pytest.approx(
        -cells(table, LABELS, SHARE).loc["period[2001-2005]", "estimate"]
    )


def test_passages_without_a_number_are_left_out_and_counted() -> None:
    given_ = project("~ year")
    table = regression_table(*given_)
    dates = given_[1].set_index("source_id")["date"]
    missing = int((given_[0]["source_id"].map(dates) == "").sum())
    assert set(table["status"]) == {f"{missing} passages without year left out"}
    assert set(table["passages"]) == {len(given_[0]) - missing}
    assert list(cells(table, DSL, "coefficient").index) == ["Intercept", "year"]
    # A year is worth the same wherever it is counted from.
    centred = regression_table(*project("~ {year - 2000}"))
    rows = [cells(t, LABELS, "coefficient").iloc[1] for t in (table, centred)]
    assert list(rows[0][NUMBERS]) == pytest.approx(list(rows[1][NUMBERS]), rel=1e-7)


def test_coefficient_of_a_column_in_tiny_units_says_so() -> None:
    given_ = project("~ year + {1e7 * words}")
    given_[0]["words"] = np.arange(len(given_[0])) % 17
    rows = cells(regression_table(*given_), LABELS, "coefficient")
    assert [TINY in status for status in rows["status"]] == [False, False, True]
    assert rows["p_value"].between(0, 1).all()
    whole = cells(regression_table(*(*given_[:3], changed(given_[3], formula="~ year + words"))),
                  LABELS, "coefficient")  # fmt: skip
    assert list(rows["p_value"]) == pytest.approx(list(whole["p_value"]), rel=1e-3)


def test_corpus_without_codes_gives_reasons_only() -> None:
    given_ = project("~ group")
    passages = given_[0].assign(stratum=None, weight=np.nan)
    passages[["stratum_size", "stratum_sampled"]] = pd.NA
    scores = given_[2].assign(label=pd.NA)
    table = regression_table(passages, given_[1], scores, given_[3])
    assert table["status"].str.startswith(NO_CODED).all()
    assert len(table) == 3 * (3 + 3 + 2)
    assert table[NUMBERS].isna().all(axis=None)


def test_no_model_is_an_empty_table() -> None:
    given_ = project()
    given_[3]["regression"]["models"] = []
    table = regression_table(*given_)
    assert list(table.columns) == list(T10_COLUMNS)
    assert not len(table)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("~ group + perod", "unknown column 'perod'. Did you mean 'period'?"),
        ("~ log(yaer)", "unknown column 'yaer'. Did you mean 'year'?"),
        ("~ zzz", "unknown column 'zzz'. Known: group, period, year, words, genre."),
        ("~ group +", "'~ group +' is no formula: Operator `+` has insuffient arguments"),
        ("~ (group", "is no formula"),
        ("cost ~ group", "has a left side or several parts"),
        ("~ group | period", "has a left side or several parts"),
        ("~ 0", "has no term"),
        ("~ np.log(year)", "is more than a formula may hold"),
        ("~ open('x')", "calls 'open'"),
        ("~ {year.__class__}", "is more than a formula may hold"),
        ("~ {[y for y in year]}", "is more than a formula may hold"),
        ("~ log(words - 60)", "is not a finite number for every passage"),
        ("~ log(group)", "cannot be evaluated"),
    ],
)
def test_wrong_formula_is_refused_naming_its_place(formula: str, words: str) -> None:
    found = message(project(formula))
    assert "config/config.yaml, regression.models.one.formula: " in found
    assert words in found


def test_all_unknown_columns_are_named_at_once() -> None:
    found = message(project("~ grup + perod:gender + log(yeer)"))
    for name in ("grup", "perod", "gender", "yeer"):
        assert f"unknown column '{name}'" in found


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            {"codes": ["csot"]},
            "regression.models.one.codes: unknown code 'csot'. Did you mean 'cost'?",
        ),
        (
            {"reference": {"group": "pres"}},
            "reference.group: 'pres' has no passage. Did you mean 'press'?",
        ),
        ({"reference": {"year": "2000"}}, "reference: 'year' is no categorical column"),
        (
            {"contrasts": [{"column": "group", "a": "counsil", "b": "press"}]},
            "contrasts, entry 1: 'group' has no level 'counsil'. Did you mean 'council'?",
        ),
        (
            {"contrasts": [{"column": "genre", "a": "letter", "b": "minutes"}]},
            "contrasts, entry 1: 'genre' is no categorical column of the formula",
        ),
    ],
)  # fmt: skip
def test_wrong_model_is_refused_naming_its_place(model: dict[str, Any], words: str) -> None:
    assert words in message(project(**model))


def test_reference_that_nobody_coded_is_refused() -> None:
    given_ = project("~ period", reference={"period": "undated"})
    given_ = uncode(given_, given_[0]["period"] == "undated")
    assert "'undated' has no coded passage" in message(given_)


def test_repeated_ids_missing_sources_and_bad_probabilities_are_refused() -> None:
    given_ = project()
    given_[3]["regression"]["models"] *= 2
    assert "the id 'one' is used twice" in message(given_)
    passages, sources, scores, config = project()
    assert "lacks the source 's0000'" in message((passages, sources.iloc[1:], scores, config))
    wrong = scores.assign(probability=scores["probability"].mask(scores.index == 3))
    assert "not between 0 and 1" in message((passages, sources, wrong, config))
    nowhere = sources.assign(date="")
    assert "no passage has a value in each of year" in message(
        (passages, nowhere, scores, changed(config, formula="~ year"))
    )


def test_row_space_tells_what_rows_can_tell() -> None:
    space = row_space(np.array([[1.0, 0, 2000], [1, 1, 2010], [1, 1, 2010], [1, 0, 2000]]))
    assert space.coordinates(np.eye(3)).shape == (3, 2)
    assert list(space.contains(np.array([[0, 1.0, 10], [0, 1, 0], [1, 0.5, 2005]]))) == [
        True, False, True,
    ]  # fmt: skip
    assert list(space.tied(1)) == [True, True, True]


# --- coverage -------------------------------------------------------------------------------------


def population_of(random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Sources of two groups: shares .35 and .20 vary by source, errors differ by group."""
    group = np.arange(70) % 2
    size = np.minimum(np.ceil(random.lognormal(1.1, 0.8, 70)), 25).astype(int)
    source = np.repeat(np.arange(70), size)
    mean = np.where(group == 1, 0.35, 0.2)
    truth = (random.random(len(source)) < random.beta(8 * mean, 8 * (1 - mean))[source]) * 1.0
    score = -1.0 + 2.0 * truth + np.where(group == 1, -0.5, 0.5)[source]
    score += random.normal(0, 1, len(source))
    return source, group[source], truth, 1 / (1 + np.exp(-score))


@pytest.mark.slow
def test_intervals_hold_where_codes_are_missing_and_errors_differ() -> None:
    """250 corpora: the slope .15 lies in 95 % intervals of dsl, and hardly ever in naive ones."""
    random = np.random.default_rng(20230604)
    hits: dict[str, list[bool]] = {DSL: [], NAIVE: []}
    widths: dict[str, list[float]] = {DSL: [], LABELS: []}
    for _ in range(250):
        source, group, truth, probability = population_of(random)
        decision = (probability > 0.5) * 1.0
        drawn, weight = [], []
        for stratum in range(4):
            rows = np.flatnonzero(2 * group + decision == stratum)
            number = max(2, round((0.25, 0.5)[stratum % 2] * len(rows)))
            drawn.append(random.choice(rows, number, replace=False))
            weight.append(np.full(number, len(rows) / number))
        rows, weights = np.concatenate(drawn), np.concatenate(weight)
        x = np.column_stack([np.ones(len(source)), group])
        features = calibration_features(probability, x)
        fold = random.permutation(70)[source] % 5
        guess = cross_fitted(features, rows, truth[rows], weights, fold, 1.0)
        outcome = pseudo_outcome(guess, rows, truth[rows], weights)
        for name, y in ((DSL, outcome), (NAIVE, decision)):
            beta, variance = fitted_by(x, y, source, CR2)
            information = cluster_information(x, np.ones(len(y)), source, 70, LINEAR, beta)
            quantile = critical(0.95, degrees_of_freedom(leverage(information), np.array([0, 1.0])))
            hits[name].append(abs(beta[1] - 0.15) < quantile * variance[1, 1] ** 0.5)
            if name == DSL:
                widths[name].append(variance[1, 1] ** 0.5)
        _, own = np.unique(source[rows], return_inverse=True)
        variance = fitted_by(x[rows], truth[rows], own, CR2, weight=weights)[1]
        widths[LABELS].append(variance[1, 1] ** 0.5)
    assert 0.92 <= np.mean(hits[DSL]) <= 0.98
    assert np.mean(hits[NAIVE]) < 0.3
    assert np.mean(widths[DSL]) < 0.95 * np.mean(widths[LABELS])


def test_passages_that_no_draw_covers_change_no_number_and_are_told_in_every_row() -> None:
    given_ = project("~ group")
    passages, sources, scores, config = given_
    table = regression_table(*given_)
    every = passages.assign(estimable=True)
    pd.testing.assert_frame_equal(with_frame(table, every), table)
    own = passages["source_id"] == passages["source_id"].iloc[0]
    late = passages[own].assign(
        passage_id=lambda rows: "late/" + rows["passage_id"], source_id="late", estimable=False,
        weight=np.nan, stratum="", stratum_size=pd.NA, stratum_sampled=pd.NA,
    )  # fmt: skip
    read = scores[scores["passage_id"].isin(passages.loc[own, "passage_id"])].assign(
        passage_id=lambda rows: "late/" + rows["passage_id"], label=pd.NA
    )
    named = sources[sources["source_id"] == passages["source_id"].iloc[0]].assign(source_id="late")
    grown = pd.concat([every, late], ignore_index=True)
    more = regression_table(grown, pd.concat([sources, named]), pd.concat([scores, read]), config)
    pd.testing.assert_frame_equal(more, table)
    said = with_frame(table, grown)["status"]
    note = f"holds for the sampled frame: {own.sum()} passages are outside it"
    assert said.str.startswith(note).all()
    assert said.str.removeprefix(note).str.removeprefix("; ").equals(table["status"])


# --- read and unread ------------------------------------------------------------------------------


def two_draws(reached: list[str], seed: int = 5, number: int = 150) -> Project:
    """A development draw over all, and an unread one from what it left of the groups reached."""
    frame = samples.corpus(3)
    random = np.random.default_rng(seed)
    total, group = len(frame), frame["group"].to_numpy()
    read = np.zeros(total, dtype=bool)
    read[random.choice(total, number, replace=False)] = True
    passages = frame[["passage_id", "source_id", "group", "period", "words"]].assign(
        stratum=pd.Series(np.where(read, "first", None), dtype=object),
        stratum_size=np.where(read, total, np.nan),
        stratum_sampled=np.where(read, number, np.nan),
        read_weight=np.where(read, total / number, np.nan),
        role=np.where(read, "development", ""),
        unread_frame=np.isin(group, reached),
        estimable=True,
    )
    known = read & passages["unread_frame"].to_numpy()
    passages["weight"] = passages["read_weight"].mask(known, 1.0)
    passages["random_share"] = np.where(known, 0.0, np.where(read, 1.0, np.nan))
    for name in reached:
        left = np.flatnonzero((group == name) & ~read)
        rows = random.choice(left, len(left) // 3, replace=False)
        passages.loc[rows, "stratum"] = f"later: {name}"
        passages.loc[rows, ["stratum_size", "stratum_sampled"]] = (len(left), len(rows))
        passages.loc[rows, "weight"] = len(left) / len(rows)
        passages.loc[rows, ["role", "random_share"]] = ("confirmation", 1.0)
    passages = passages.astype({"stratum_size": "Int64", "stratum_sampled": "Int64"})
    _, sources, _, config = project("~ group")
    return passages, sources, samples.scores(frame, passages), config


EVERY = list(samples.GROUPS)


@pytest.mark.slow
def test_what_corrects_the_classifier_is_said_of_dsl_alone() -> None:
    for reached, note in (
        (EVERY, ""),
        ([], EXPLORATORY),
        (["council"], PARTLY_CONFIRMED.format((samples.corpus(3)["group"] != "council").sum())),
    ):
        table = regression_table(*two_draws(reached))
        assert set(table.loc[table["estimator"] == DSL, "status"]) == {note}
        assert set(table.loc[table["estimator"] != DSL, "status"]) == {""}


@pytest.mark.slow
@pytest.mark.parametrize("reached", [EVERY, ["council"], []])
def test_groups_alone_have_the_shares_of_the_prevalence_table_whatever_was_read(
    reached: list[str],
) -> None:
    given_ = two_draws(reached)
    known = prevalence_table(given_[0], given_[2], given_[3])
    chosen = known[(known["estimator"] == "labels only") & (known["target"] == "texts")]
    theirs = chosen.set_index("group").loc[EVERY]
    ours = cells(regression_table(*given_), LABELS, SHARE)
    assert list(ours["passages"]) == list(theirs["passages"])
    # Only the divisors differ: all weights here, those of what is not known there.
    assert list(ours["estimate"]) == pytest.approx(list(theirs["estimate"]), abs=0.02)


def test_read_codes_count_as_they_are_and_teach_nothing() -> None:
    """Turned round, they move pseudo-outcomes by as much, and no prediction."""
    passages, sources, scores, config = two_draws(EVERY)
    frame = population(passages)
    model = config["regression"]["models"][0]
    design = model_design(covariate_frame(passages, sources, config), frame, model)
    folds = list(splits(list(passages["source_id"].drop_duplicates()), config["regression"]))
    label = scores["label"].to_numpy(dtype=float, na_value=np.nan)[frame.drawn]
    turned = np.where(frame.read, 1 - label, label)
    probability = scores["probability"].to_numpy(dtype=float)
    made = [
        list(predicted(design, frame, Codes(one, probability, probability), folds, 1.0))
        for one in (label, turned)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(*made, strict=True))
    guess = made[0][0]
    outcome_ = pseudo_outcome(guess, design.drawn, label, frame.weight)
    assert outcome_[frame.drawn[frame.read]] == pytest.approx(label[frame.read])


@pytest.mark.slow
def test_where_no_unread_draw_reaches_the_classifier_has_no_say() -> None:
    passages, sources, scores, config = two_draws(["council"])
    beyond = (passages["group"] != "council").to_numpy()
    mixed = scores["probability"].to_numpy(copy=True)
    mixed[beyond] = mixed[beyond][::-1]  # as many of each, so that features are scaled alike
    other = scores.assign(probability=mixed)
    one, two = (
        cells(regression_table(passages, sources, said, config), DSL, SHARE)
        for said in (scores, other)
    )
    rest = ["group[residents]", "group[press]"]
    assert list(one.loc[rest, "estimate"]) == pytest.approx(list(two.loc[rest, "estimate"]))
    labels = cells(regression_table(passages, sources, scores, config), LABELS, SHARE)
    assert list(one.loc[rest, "estimate"]) == pytest.approx(
        list(labels.loc[rest, "estimate"]), abs=0.02
    )


@pytest.mark.slow
def test_a_classifier_that_knows_what_was_read_does_not_bias() -> None:
    """Right on read passages, wrong elsewhere: over 12 draws dsl is right, and was not before."""
    truth = samples.corpus(3)["truth"].mean()
    new, old = [], []
    for seed in range(12):
        passages, sources, scores, config = two_draws(EVERY, seed)
        config = changed(config, formula="~ words")
        config["regression"] |= {"splits": 1}
        passages["words"] = np.arange(len(passages)) % 5  # a covariate that says nothing
        frame = samples.corpus(3)
        read = (passages["role"] == "development").to_numpy()
        apart = np.where(read, frame["truth"], 1 - frame["truth"]) * 0.8 + 0.1
        scores = scores.assign(probability=apart)
        naive = passages.assign(weight=passages["read_weight"]).drop(
            columns=["role", "read_weight", "unread_frame", "random_share"]
        )
        naive.loc[~read, ["stratum", "stratum_size", "stratum_sampled"]] = [None, pd.NA, pd.NA]
        blind = scores.assign(label=scores["label"].where(read))
        for found, said, into in ((passages, scores, new), (naive, blind, old)):
            table = regression_table(found, sources, said, config)
            rows = cells(table, DSL, "coefficient")["estimate"]
            into.append(rows["Intercept"] + 2 * rows["words"])
    assert np.mean(new) == pytest.approx(truth, abs=0.03)
    assert abs(np.mean(old) - truth) > 0.2


@pytest.mark.slow
def test_the_case_study_takes_no_part() -> None:
    passages, sources, scores, config = two_draws(EVERY)
    case = passages.loc[passages["weight"].notna(), "source_id"].value_counts().index[0]
    own = (passages["source_id"] == case).to_numpy()
    config["case_study"] = case
    table = regression_table(passages, sources, scores, config)
    turned = scores.assign(
        label=scores["label"].where(~own, 1 - scores["label"]),
        decision=scores["decision"].where(~own, 1 - scores["decision"]),
    )
    pd.testing.assert_frame_equal(
        table, regression_table(passages, sources, turned, config), check_exact=True
    )
    shares = cells(table, NAIVE, SHARE)["passages"]
    assert shares.sum() == (~own).sum()
    assert (table["status"] == "").all()
    config["case_study"] = ""
    assert not table.equals(regression_table(passages, sources, scores, config))
