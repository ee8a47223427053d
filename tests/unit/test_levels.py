"""Codes with several levels, estimated: shares that add up, means, confusion, agreement."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from framing.codebook.codes import Code, Level
from framing.codebook.kinds import KINDS
from framing.coding.variables import Variable, variables_of
from framing.common.config import OURS
from framing.inference.design import population
from framing.inference.estimators import CORRECTED, ESTIMATORS
from framing.inference.kappas import weighted_kappa
from framing.inference.outcomes import outcomes, tuned_slope
from framing.tables.contrasts import HELD, RAW, contrast_table
from framing.tables.level_agreement import level_agreement_table
from framing.tables.levels import confusion_table, level_table, mean_table
from framing.tables.regression import regression_table
from framing.tables.robustness import specification_table
from framing.tables.shares import prevalence_table
from framing.tables.specifications import main_specification, material
from framing.tables.specified import contrast_under
from tests.unit.inference_samples import (
    FOLDS,
    GROUPS,
    config,
    corpus,
    drawn_from,
    drawn_twice,
    sampled,
    settings,
)

NUMBERS = (-2.0, 0.0, 1.0)


def variable(kind: str = "ordinal", numbers: tuple[float, ...] = NUMBERS) -> Variable:
    levels = tuple(
        Level(name, name.title(), f"tone.{name}", number)
        for name, number in zip(("dark", "even", "bright"), numbers, strict=True)
    )
    ties = (0, 1, 2)
    (found,) = variables_of({"tone": Code("tone", "Tone", "", KINDS[kind], levels, ties)})
    return found


TONE = variable()


def of_levels(passages: pd.DataFrame, frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Scores of three levels: the true level goes with the truth of the samples' one code."""
    random = np.random.default_rng(seed)
    number = len(frame)
    level = np.where(frame["truth"] == 1, 2, np.where(random.random(number) < 0.4, 1, 0))
    score = random.normal(0, 1, (number, 3)) + 1.5 * (level[:, None] == np.arange(3))
    chance = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    decided = chance.argmax(axis=1)
    drawn = passages["weight"].notna()
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "passage_id": frame["passage_id"],
                    "code": name,
                    "fold": frame["fold"],
                    "label": pd.array((level == place).astype(int), "Int64"),
                    "probability": chance[:, place],
                    "decision": (decided == place).astype(int),
                }
            ).assign(label=lambda own: own["label"].where(drawn.to_numpy()))
            for place, name in enumerate(TONE.indicators)
        ],
        ignore_index=True,
    )


def survey(seed: int = 3, draws: str = "one") -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = corpus(seed)
    if draws == "two":
        passages, _ = drawn_twice(frame, seed, 200, 200)
    else:
        passages, _ = sampled(frame, seed)
    return passages, of_levels(passages, frame, seed)


@pytest.fixture(scope="module")
def surveys() -> dict[str, Any]:
    return {name: survey(draws=name) for name in ("one", "two")}


# --- shares ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("draws", ["one", "two"])
@pytest.mark.parametrize("changes", [{}, {"cell_minimum": 40}, {"tuning_minimum": 10_000}])
def test_shares_of_all_levels_add_up_to_one_by_every_estimator(surveys, draws, changes):
    passages, scores = surveys[draws]
    table = level_table(passages, scores, [TONE], config(**changes))
    assert set(table["estimator"]) == set(ESTIMATORS)
    cut = table["status"].str.contains("cut to the limit")
    for _, own in table[table["estimate"].notna()].groupby(["group", "estimator", "target"]):
        assert len(own) == 3
        assert own["estimate"].sum() == pytest.approx(1, abs=1e-9) or cut[own.index].any()
    assert table["estimate"].notna().mean() > 0.9


@pytest.mark.slow
def test_joint_intervals_are_those_of_a_third_of_the_error_and_wider(surveys):
    passages, scores = surveys["one"]
    joint = level_table(passages, scores, [TONE], config())
    apart = prevalence_table(passages, scores, config(confidence=1 - 0.05 / 3))
    alone = prevalence_table(passages, scores, config())
    keys = ["code", "group", "estimator", "target"]
    joint["code"] = joint["level"]
    both = joint.merge(apart, on=keys).merge(alone, on=keys)
    assert len(both) == len(joint)
    known = both[both["joint_low"].notna()]
    assert np.allclose(known["joint_low"], known["ci_low_x"], atol=1e-9)
    assert np.allclose(known["joint_high"], known["ci_high_x"], atol=1e-9)
    assert (known["joint_low"] <= known["ci_low_y"] + 1e-9).all()
    assert np.allclose(known["estimate"], known["estimate_y"], atol=1e-9)


def halves() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A yes/no code as one of two levels: present or absent."""
    frame = corpus(5)
    passages, scores = sampled(frame, 5)
    yes = scores.assign(code="tone.even")
    no = scores.assign(
        code="tone.dark", label=1 - scores["label"], probability=1 - scores["probability"],
        decision=1 - scores["decision"],
    )  # fmt: skip
    return passages, pd.concat([no, yes], ignore_index=True)


def test_of_two_levels_each_is_estimated_as_a_yes_no_code_is():
    passages, scores = halves()
    together = prevalence_table(passages, scores, config())
    alone = prevalence_table(
        passages, scores[scores["code"] == "tone.even"].assign(code="even"), config()
    )
    own = together[together["code"] == "tone.even"].reset_index(drop=True)
    assert np.allclose(own["estimate"], alone["estimate"], equal_nan=True, atol=1e-9)
    assert np.allclose(own["ci_high"], alone["ci_high"], equal_nan=True, atol=1e-9)


def test_the_slope_of_several_is_the_ratio_of_sums():
    score = [np.array([0.0, 1, 0, 1]), np.array([0.0, 0, 2, 2])]
    label = [np.array([0.0, 1, 0, 1]), np.array([0.0, 0, 1, 1])]
    weight = np.ones(4)
    # Covariances 1 and 2, variances 1 and 4 (times n/4): (1 + 2) / (1 + 4).
    assert tuned_slope(score, label, weight, 2) == pytest.approx(3 / 5)
    assert tuned_slope(score[:1], label[:1], weight, 2) == tuned_slope(
        score[0], label[0], weight, 2
    )


@pytest.mark.slow
@hypothesis_settings(max_examples=20, deadline=None)
@hypothesis_given(st.permutations(range(3)))
def test_the_order_of_levels_changes_no_share(order):
    passages, scores = survey()
    data = {one.code: one for one in outcomes(population(passages), scores, settings())}
    names = [TONE.indicators[place] for place in order]
    turned = pd.concat([scores[scores["code"] == name] for name in names])
    for one in outcomes(population(passages), turned, settings()):
        assert np.allclose(one.fitted, data[one.code].fitted)
        assert (names[int(one.stratum[0])]) == TONE.indicators[int(data[one.code].stratum[0])]


# --- means ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("draws", ["one", "two"])
def test_a_mean_is_the_sum_of_shares_times_numbers(surveys, draws):
    passages, scores = surveys[draws]
    shares = level_table(passages, scores, [TONE], config())
    means = mean_table(passages, scores, [TONE], config())
    means = means[means["period"] == "all"].set_index(["group", "estimator", "target"])
    cut = shares["status"].str.contains("cut to the limit")
    checked = 0
    for key, own in shares.groupby(["group", "estimator", "target"]):
        if own["estimate"].notna().all() and not cut[own.index].any():
            numbers = [NUMBERS[TONE.indicators.index(level)] for level in own["level"]]
            assert means.loc[key, "estimate"] == pytest.approx(own["estimate"] @ numbers)
            checked += 1
    assert checked > 20


def test_a_mean_of_a_simple_random_sample_is_as_in_the_books():
    # 8 of 40 passages: levels dark ×3, even ×1, bright ×4; no classifier.
    passages = drawn_from(
        "x" * 40, range(8)
    )  # fmt: skip
    levels = np.array([0, 0, 0, 1, 2, 2, 2, 2] + [0] * 32)
    scores = pd.concat(
        [
            pd.DataFrame(
                {
                    "passage_id": passages["passage_id"],
                    "code": name,
                    "fold": np.arange(40) % FOLDS,
                    "label": pd.array((levels == place).astype(int), "Int64"),
                    "probability": 1 / 3,
                    "decision": int(place == 0),
                }
            ).assign(label=lambda own: own["label"].where(passages["weight"].notna()))
            for place, name in enumerate(TONE.indicators)
        ]
    )
    table = mean_table(passages, scores, [TONE], config()).set_index(
        ["group", "period", "estimator", "target"]
    )
    row = table.loc[("all", "all", "labels only", "corpus")]
    drawn = np.array(NUMBERS)[levels[:8]]
    assert row["estimate"] == pytest.approx(drawn.mean())
    assert row["se"] == pytest.approx(sqrt(drawn.var(ddof=1) / 8 * (1 - 8 / 40)))
    assert NUMBERS[0] <= row["ci_low"] < row["estimate"] < row["ci_high"] <= NUMBERS[-1]


THESIS = {
    "id": "brighter", "thesis": "The press is brighter", "expected": "greater",
    "a": {"code": "tone", "group": "press"}, "b": {"code": "tone", "group": "council"},
}  # fmt: skip
SHARE = {
    "id": "darker", "thesis": "The press is darker", "expected": "less",
    "a": {"code": "tone.dark", "group": "press"}, "b": {"code": "tone.dark", "group": "council"},
}  # fmt: skip


def contrasted(
    parts: tuple[pd.DataFrame, pd.DataFrame], numbers: tuple[float, ...] = NUMBERS
) -> pd.DataFrame:
    made = config() | {"contrasts": [THESIS, SHARE]}
    return contrast_table(*parts, made, {}, variables=[variable(numbers=numbers)])


def test_a_contrast_of_means_is_the_difference_of_the_means(surveys):
    table = contrasted(surveys["one"])
    means = mean_table(*surveys["one"], [TONE], config()).set_index(
        ["group", "period", "estimator", "target"]
    )["estimate"]
    own = table[(table["contrast"] == "brighter") & (table["basis"] == RAW)]
    for row in own.itertuples():
        a, b = (means[(group, "all", row.estimator, row.target)] for group in ("press", "council"))
        assert row.estimate_a == pytest.approx(a) and row.estimate_b == pytest.approx(b)
        assert row.difference == pytest.approx(a - b)
        assert "means of levels" in row.status and np.isnan(row.ratio)
    shares = table[table["contrast"] == "darker"]
    assert shares["ratio"].notna().any() and not shares["status"].str.contains("means").any()


def test_other_numbers_of_levels_scale_a_contrast_and_decide_nothing(surveys):
    one = contrasted(surveys["one"])
    other = contrasted(surveys["one"], tuple(10 * number + 7 for number in NUMBERS))
    mean = one["contrast"] == "brighter"
    for name in ("difference", "se", "ci_low", "ci_high"):
        assert np.allclose(other.loc[mean, name], 10 * one.loc[mean, name], equal_nan=True)
    assert np.allclose(other.loc[mean, "estimate_a"], 10 * one.loc[mean, "estimate_a"] + 7)
    for name in ("p_value", "verdict"):
        assert other[name].equals(one[name])


def codings_of(passages: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Two coders: one says what counts, the other takes a neighbouring level now and then."""
    coded = scores[scores["label"].notna()]
    level = coded.pivot(index="passage_id", columns="code", values="label")[[*TONE.indicators]]
    level = level.to_numpy(dtype=float).argmax(axis=1)
    ids = sorted(coded["passage_id"].unique())
    other = np.where(np.random.default_rng(1).random(len(level)) < 0.3, (level + 1) % 3, level)
    rows = [
        (name, coder, indicator, int(own == place), 0)
        for coder, said in (("ann", level), ("bob", other))
        for name, own in zip(ids, said, strict=True)
        for place, indicator in enumerate(TONE.indicators)
    ]
    return pd.DataFrame(rows, columns=["passage_id", "coder", "code", "value", "unsure"])


PLAN = {
    "coders": ["ann"], "unsure": ["with"], "weighting": ["passage"], "classifiers": [OURS],
    "thresholds": ["trained", 0.5], "estimators": list(CORRECTED), "basis": [RAW, HELD],
    "left_out": ["none"],
}  # fmt: skip


@pytest.mark.parametrize("estimator", CORRECTED)
@pytest.mark.parametrize("basis", [RAW, HELD])
@pytest.mark.parametrize("entry", [THESIS, SHARE], ids=["mean", "share"])
def test_the_main_specification_gives_the_contrast_of_the_other_table(
    surveys, estimator, basis, entry
):
    passages, scores = surveys["two"]
    passages = passages.assign(words=60)
    lead = {"estimator": estimator, "target": "texts"}
    made = config(headline=lead) | {
        "contrasts": [entry], "robustness": PLAN,
        "coders": {"rule": "standard", "standard": "ann", "tie": "absent"},
    }  # fmt: skip
    none = pd.DataFrame(columns=["code", "method", "passage_id", "probability", "decision"])
    codings = codings_of(passages, scores)
    given = material(passages, codings, scores, none, made, OURS, [TONE])
    main = replace(main_specification(made, OURS, confirmed=True), basis=basis)
    found, _ = contrast_under(given, main, entry, made)
    table = contrast_table(passages, scores, made, {}, variables=[TONE])
    other = table.set_index(["estimator", "target", "basis"]).loc[(estimator, "texts", basis)]
    scale = given.scales[entry["a"]["code"]].span if entry is THESIS else 1.0
    assert scale * found.difference == pytest.approx(other["difference"], abs=1e-9)
    assert scale * found.se == pytest.approx(other["se"], abs=1e-9)
    assert found.p_value == pytest.approx(other["p_value"], abs=1e-9)
    if basis == RAW and estimator == "difference":
        whole = specification_table(given, made, OURS)
        first = whole[whole["main"] == "yes"].iloc[0]
        assert first["difference"] == pytest.approx(other["difference"], abs=1e-9)


# --- which level is taken for which ---------------------------------------------------------------


def test_confusion_counts_weighs_and_adds_up(surveys):
    passages, scores = surveys["one"]
    table = confusion_table(passages, scores, [TONE], config())
    assert table["coded"].sum() == passages["weight"].notna().sum()
    assert table["share"].sum() == pytest.approx(1)
    assert np.allclose(table.groupby("given")["recall"].sum(), 1)
    assert np.allclose(table.groupby("decided")["precision"].sum(), 1)
    wide = {
        column: scores.pivot(index="passage_id", columns="code", values=column)
        for column in ("label", "decision")
    }
    weight = passages.set_index("passage_id")["weight"]
    cell = (wide["label"]["tone.dark"] == 1) & (wide["decision"]["tone.bright"] == 1)
    row = table[(table["given"] == "tone.dark") & (table["decided"] == "tone.bright")].iloc[0]
    assert row["coded"] == cell.sum()
    base = wide["label"]["tone.dark"] == 1
    assert row["recall"] == pytest.approx(weight[cell].sum() / weight[base].sum())
    assert row["recall_low"] < row["recall"] < row["recall_high"]


# --- agreement ------------------------------------------------------------------------------------

# Krippendorff (2011), Computing Krippendorff's alpha-reliability, example C: four observers, twelve
# units, values 1 to 5; nominal alpha .743, ordinal .815.
OBSERVERS = {
    "A": "123321412...", "B": "1233224125.3", "C": ".3332342251.", "D": "12332441251.",
}  # fmt: skip


FEW = config() | {"agreement": config()["agreement"] | {"minimum_units": 2}}


def krippendorff() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, Variable]:
    levels = tuple(Level(str(n), str(n), f"value.{n}", float(n)) for n in range(1, 6))
    code = Code("value", "Value", "", KINDS["ordinal"], levels, tuple(range(5)))
    (found,) = variables_of({"value": code})
    passages = drawn_from("x" * 12, range(12))
    rows = [
        (f"p{unit:03d}", coder, indicator, int(mark == level), 0)
        for coder, marks in OBSERVERS.items()
        for unit, mark in enumerate(marks)
        if mark != "."
        for level, indicator in zip(found.levels, found.indicators, strict=True)
    ]
    codings = pd.DataFrame(rows, columns=["passage_id", "coder", "code", "value", "unsure"])
    scores = pd.concat(
        [
            pd.DataFrame(
                {"passage_id": passages["passage_id"], "code": name, "fold": 0,
                 "label": pd.array([int(n == 0)] * 12, "Int64"), "probability": 0.2,
                 "decision": int(n == 0)}
            )
            for n, name in enumerate(found.indicators)
        ]
    )  # fmt: skip
    return passages, codings, scores, found


@pytest.mark.parametrize(("kind", "alpha"), [("one of", 0.743), ("ordinal", 0.815)])
def test_alpha_of_levels_is_that_of_the_paper(kind, alpha):
    passages, codings, scores, found = krippendorff()
    own = replace(found, kind=KINDS[kind])
    table = level_agreement_table(passages, codings, scores, [own], FEW)
    row = table[(table["comparison"] == "all coders") & (table["group"] == "all")].iloc[0]
    assert row["alpha"] == pytest.approx(alpha, abs=5e-4)
    assert row["metric"] == ("ordinal" if kind == "ordinal" else "nominal")
    pair = table[(table["coders"] == "A B") & (table["group"] == "all")].iloc[0]
    assert np.isnan(row["kappa_quadratic"])
    assert np.isnan(pair["kappa_quadratic"]) == (kind == "one of")


def test_weighted_kappa_goes_by_the_numbers_of_levels():
    passages, codings, scores, found = krippendorff()
    pair = codings[codings["coder"].isin(["A", "B"])]

    def kappa(numbers: tuple[float, ...]) -> float:
        own = replace(found, numbers=numbers)
        table = level_agreement_table(passages, pair, scores, [own], FEW)
        rows = table[(table["comparison"] == "all coders") & (table["group"] == "all")]
        return float(rows["kappa_linear"].iloc[0])

    plain, apart = kappa((1, 2, 3, 4, 5)), kappa((1, 2, 2.1, 4, 9))
    assert kappa((10, 20, 30, 40, 50)) == pytest.approx(plain)
    marks = np.array([[float(m) if m != "." else np.nan for m in OBSERVERS[c]] for c in "AB"])
    assert plain == pytest.approx(weighted_kappa(marks, "linear", values=np.arange(1.0, 6)).value)
    numbers = np.array([np.nan, 1, 2, 2.1, 4, 9])[np.nan_to_num(marks).astype(int)]
    assert apart == pytest.approx(
        weighted_kappa(numbers, "linear", values=np.array([1, 2, 2.1, 4, 9])).value
    )


def test_groups_are_those_of_the_configuration(surveys):
    passages, scores = surveys["one"]
    table = level_agreement_table(passages, codings_of(passages, scores), scores, [TONE], config())
    assert set(table["group"]) == {"all", *GROUPS}


# --- regression -----------------------------------------------------------------------------------


def regressed(numbers: tuple[float, ...] = NUMBERS) -> pd.DataFrame:
    passages, scores = survey()
    plan = {
        "folds": 3, "splits": 1, "seed": 4, "penalty": 1.0, "correction": "CR2",
        "models": [{"id": "m", "formula": "~ group", "family": "linear", "codes": ["tone"]}],
    }  # fmt: skip
    sources = passages[["source_id", "group"]].drop_duplicates().assign(date="2003")
    made = config() | {"regression": plan}
    own = [variable(numbers=numbers)]
    return regression_table(passages.assign(words=60), sources, scores, made, own)


@pytest.mark.slow
def test_a_regression_of_levels_explains_their_numbers():
    table = regressed()
    keys = ["estimator", "kind", "term"]
    rows = table.set_index(keys)["estimate"]
    passages, scores = survey()
    wide = scores.pivot(index="passage_id", columns="code", values="label")[[*TONE.indicators]]
    number = wide.astype("Float64") @ np.array(NUMBERS)
    frame = passages.set_index("passage_id").assign(number=number)
    frame = frame[frame["weight"].notna()]
    mean = frame.groupby("group").apply(
        lambda own: np.average(own["number"].astype(float), weights=own["weight"]),
        include_groups=False,
    )
    for group in GROUPS:
        found = rows[("labels only", "predicted share", f"group[{group}]")]
        assert found == pytest.approx(mean[group])
    term = ("labels only", "coefficient", "group[press]")
    assert rows[term] == pytest.approx(mean["press"] - mean["council"])
    # On a sample of all groups' passages the corrected fit is near, and no share is cut at 0.
    assert (table["estimate"] < 0).any() and not table["status"].str.contains("outside 0").any()


@pytest.mark.slow
def test_other_numbers_scale_a_regression():
    one, other = regressed(), regressed(tuple(10 * number + 7 for number in NUMBERS))
    for name in ("se", "p_value"):
        factor = 10 if name == "se" else 1
        rows = (one["term"] != "Intercept") | (name == "se")
        assert np.allclose(other.loc[rows, name], factor * one.loc[rows, name], equal_nan=True)
    shifted = (one["kind"] == "predicted share") | (one["term"] == "Intercept")
    for name in ("estimate", "ci_low", "ci_high"):
        expected = 10 * one[name] + np.where(shifted, 7, 0)
        assert np.allclose(other[name], expected, equal_nan=True)


@pytest.mark.slow
def test_joint_intervals_hold_all_together_as_often_as_they_say():
    """Over draws of one population, of this corpus and of texts like these."""
    frame = corpus(21, sources=150)
    whole = frame.assign(weight=1.0)
    truth = of_levels(whole, frame, 21).groupby("code")["label"].mean()
    held = []
    for seed in range(80):
        passages, _ = sampled(frame, seed, (0.15, 0.25))
        table = level_table(passages, of_levels(passages, frame, 21), [TONE], config())
        own = table[(table["group"] == "all") & (table["target"] == "corpus")]
        for estimator in ("labels only", "post-stratified", "difference"):
            rows = own[own["estimator"] == estimator].set_index("level")
            inside = (rows["joint_low"] <= truth[rows.index]) & (
                truth[rows.index] <= rows["joint_high"]
            )
            held.append((estimator, bool(inside.all())))
    share = pd.DataFrame(held).groupby(0)[1].mean()
    assert (share >= 0.9).all(), share  # of 80 draws, where 95 in 100 should
