"""May a machine coder stand in for people: known answers, simulations, and the table."""

from __future__ import annotations

from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from framing.coding.variables import yes_no_variables
from framing.common.config import ALL
from framing.inference.agreement import krippendorff_alpha
from framing.inference.alternative_annotators import (
    advantage,
    benjamini_yekutieli,
    constant_winning_rates,
    equivalence,
    weighted_mean,
    winning_rate,
)
from framing.tables.human_machine import (
    ERRORS,
    MAY,
    NO_HUMAN,
    NO_MACHINE,
    NOT_SHOWN,
    ONE,
    ONE_HUMAN,
    PEOPLE,
    T26_COLUMNS,
    human_machine_table,
)
from tests.unit.inference_samples import config

CONFIG = {**config(), "groups": {"g": "One", "h": "Other"},
          "agreement": {"draws": 10, "seed": 1, "minimum_units": 10, "minimum_sources": 20,
                        "marks": []}}  # fmt: skip
HOW = {"epsilon": 0.1, "correlation": 0.0}


def codes(text: str) -> np.ndarray:
    return np.array([nan if one == "·" else float(one) for one in text])


def simulated(
    n: int, people: float, machine: float, seed: int, share: float = 0.5, sources: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return machine, three people and sources: each errs by itself, so often as said."""
    random = np.random.default_rng(seed)
    truth = random.random(n) < share
    said = [truth ^ (random.random(n) < error) for error in (machine, people, people, people)]
    source = np.arange(n) if sources is None else np.arange(n) % sources
    return said[0].astype(float), np.stack(said[1:]).astype(float), source


# --- the alternative annotator test ---------------------------------------------------------------


def test_advantage_has_its_answer_by_hand() -> None:
    # Passage by passage the others (b, c) agree with the machine and with a:
    #   1: machine 1, a 1, both 2/2: both have it        2: machine 0, a 1, others 1 1: a has it
    #   3: machine 1, a 0, others 1 1: the machine       4: machine 1, a 0, others 1 0: both
    #   5: machine 0, a 1, only b coded, 1: a has it     6: nobody else coded; 7: a did not
    machine = codes("1011011")
    people = np.stack([codes("110011·"), codes("11111·1"), codes("1110··1")])
    found = advantage(machine, people, 0, np.ones(7), np.arange(7), **HOW)
    assert found.passages == 5
    assert (found.machine, found.person) == (3 / 5, 4 / 5)
    d = np.array([0, 1, -1, 0, 1])
    assert found.difference.value == pytest.approx(0.2)
    assert found.difference.se == pytest.approx(d.std(ddof=1) / sqrt(5))
    assert found.difference.df == pytest.approx(4)
    expected = stats.ttest_1samp(d, 0.1, alternative="less")
    assert found.p == pytest.approx(expected.pvalue)


def test_passages_count_by_weight_and_sources_are_clusters() -> None:
    machine = codes("1010")
    people = np.stack([codes("1100"), codes("1111"), codes("1111")])
    twice = advantage(
        np.repeat(machine, 2), np.repeat(people, 2, axis=1), 0, np.ones(8),
        np.repeat(np.arange(4), 2), **HOW,
    )  # fmt: skip
    once = advantage(machine, people, 0, np.full(4, 7.0), np.arange(4), **HOW)
    assert (twice.difference.value, twice.difference.se) == pytest.approx(
        (once.difference.value, once.difference.se)
    )
    heavy = advantage(machine, people, 0, np.array([1.0, 3, 1, 1]), np.arange(4), **HOW)
    assert heavy.machine == pytest.approx(3 / 6)
    one = weighted_mean(np.array([0.0, 1.0]), np.ones(2), np.zeros(2, dtype=int), 0.0)
    assert (one.value, np.isnan(one.se), np.isnan(one.interval(0.95)[0])) == (0.5, True, True)


def test_benjamini_and_yekutieli_have_their_published_form() -> None:
    p = [0.01, nan, 0.04, 0.03, 0.005]
    expected = stats.false_discovery_control([0.01, 0.04, 0.03, 0.005], method="by")
    found = benjamini_yekutieli(p)
    assert np.isnan(found[1])
    assert [found[0], *found[2:]] == pytest.approx(expected)
    assert benjamini_yekutieli([nan]) == pytest.approx([nan], nan_ok=True)
    assert benjamini_yekutieli([0.9, 0.9]) == [1.0, 1.0]
    assert winning_rate([0.04, nan, 0.05, 0.2], 0.05) == 0.5
    assert np.isnan(winning_rate([nan], 0.05))


def omega(machine: np.ndarray, people: np.ndarray, source: np.ndarray, epsilon: float) -> float:
    weight = np.ones(len(machine))
    p = [
        advantage(machine, people, one, weight, source, epsilon=epsilon, correlation=0.0).p
        for one in range(len(people))
    ]
    return winning_rate(benjamini_yekutieli(p), 0.05)


@pytest.mark.slow
def test_a_machine_that_errs_like_people_passes_and_one_that_errs_twice_as_often_fails() -> None:
    like = [omega(*simulated(400, 0.15, 0.15, seed), 0.1) for seed in range(60)]
    twice = [omega(*simulated(400, 0.15, 0.30, seed), 0.1) for seed in range(60)]
    assert np.mean(np.array(like) >= 0.5) > 0.9
    assert np.mean(np.array(twice) >= 0.5) <= 0.1
    # With the paper's 0.2 for experts the second passes: why 0.1 is the default.
    lenient = [omega(*simulated(400, 0.15, 0.30, seed), 0.2) for seed in range(60)]
    assert np.mean(np.array(lenient) >= 0.5) > 0.8


@pytest.mark.slow
def test_the_test_keeps_its_level_where_the_machine_is_worse_by_epsilon() -> None:
    # P(machine wrong, person right)·P(both others right) + …: the difference is 0.105 exactly.
    e, f = 0.15, 0.30
    right, wrong = (1 - e) ** 2, e**2
    epsilon = f * (1 - e) * right + (1 - f) * e * wrong - (1 - f) * e * right - f * (1 - e) * wrong
    assert epsilon == pytest.approx(0.105, abs=1e-9)
    rejected = 0
    for seed in range(600):
        machine, people, source = simulated(200, e, f, seed)
        found = advantage(machine, people, 0, np.ones(200), source, epsilon=epsilon,
                          correlation=0.0)  # fmt: skip
        rejected += found.p <= 0.05
    assert 0.025 <= rejected / 600 <= 0.085


def test_where_a_code_is_rare_a_coder_who_never_finds_it_passes() -> None:
    _, people, source = simulated(300, 0.02, 0.02, 1, share=0.03)
    rates = constant_winning_rates(people, np.ones(300, dtype=bool), np.ones(300), source,
                                   level=0.05, **HOW)  # fmt: skip
    assert rates == {0.0: 1.0, 1.0: 0.0}


# --- equivalence of alpha -------------------------------------------------------------------------


def test_alpha_with_the_machine_in_a_place_is_alpha_of_those_codes() -> None:
    machine, people, source = simulated(60, 0.1, 0.2, 3)
    people[1, :5] = nan
    found = equivalence(machine, people, 0, np.ones(60), source, margin=0.1, level=0.05)
    assert found.people == pytest.approx(krippendorff_alpha(people).value)
    replaced = np.stack([machine, people[1], people[2]])
    assert found.machine == pytest.approx(krippendorff_alpha(replaced).value)
    gaps = []
    for left in range(60):
        keep = np.arange(60) != left
        one, two = (krippendorff_alpha(each[:, keep]).value for each in (replaced, people))
        gaps.append(one - two)  # type: ignore[operator]
    se = sqrt(59 / 60 * np.square(np.array(gaps) - np.mean(gaps)).sum())
    t = stats.t(59)
    assert found.high - found.low == pytest.approx(2 * t.ppf(0.95) * se)
    lower = t.sf((found.difference + 0.1) / se)
    assert found.p == pytest.approx(max(lower, t.cdf((found.difference - 0.1) / se)))


def test_a_machine_that_is_the_person_is_equivalent() -> None:
    _, people, source = simulated(40, 0.2, 0.2, 5)
    found = equivalence(people[1], people, 1, np.ones(40), source, margin=0.1, level=0.05)
    assert (found.difference, found.p) == (0.0, 0.0)
    none = equivalence(np.full(40, nan), people, 1, np.ones(40), source, margin=0.1, level=0.05)
    assert np.isnan(none.p)


@pytest.mark.slow
def test_equivalence_keeps_its_level_at_the_margin() -> None:
    # For many passages, half of them with the code: alpha falls by 4/3·(f − e)·(1 − 2e).
    e, f = 0.1, 0.2
    margin = 4 / 3 * (f - e) * (1 - 2 * e)
    rejected = wide = 0
    for seed in range(500):
        machine, people, source = simulated(300, e, f, seed, sources=60)
        how = {"weight": np.ones(300), "source": source, "level": 0.05}
        rejected += equivalence(machine, people, 0, margin=margin, **how).p <= 0.05
        wide += equivalence(machine, people, 0, margin=2.5 * margin, **how).p <= 0.05
    assert 0.02 <= rejected / 500 <= 0.085
    assert wide / 500 > 0.95


# --- the table ------------------------------------------------------------------------------------


def project(
    said: dict[str, np.ndarray], kinds: dict[str, str], sources: int = 40
) -> dict[str, Any]:
    n = len(next(iter(said.values())))
    passages = pd.DataFrame(
        {
            "passage_id": [f"p{at:04}" for at in range(n)],
            "source_id": [f"s{at % sources:02}" for at in range(n)],
            "group": np.where(np.arange(n) % sources < sources // 2, "g", "h"),
            "weight": 2.0,
        }
    )
    codings = pd.DataFrame(
        [
            (f"p{at:04}", coder, "c", int(value), 0)
            for coder, values in said.items()
            for at, value in enumerate(values)
            if value == value
        ],
        columns=["passage_id", "coder", "code", "value", "unsure"],
    )
    coders = pd.DataFrame({"coder": list(kinds), "kind": list(kinds.values())})
    return {"passages": passages, "codings": codings, "coders": coders,
            "variables": yes_no_variables(["c"]), "config": CONFIG}  # fmt: skip


def four(machine: np.ndarray, people: np.ndarray) -> dict[str, Any]:
    names = ("ann", "bob", "cat")
    kinds = dict.fromkeys(names, "human") | {"gpt": "machine"}
    return project(dict(zip(names, people, strict=True)) | {"gpt": machine}, kinds)


def test_the_table_says_what_was_tested_and_the_verdict() -> None:
    machine, people, _ = simulated(400, 0.1, 0.1, 7)
    found = human_machine_table(**four(machine, people))
    assert tuple(found.columns) == T26_COLUMNS
    assert list(found["comparison"]) == [PEOPLE, ONE, ONE, ONE, ERRORS, ERRORS, ERRORS]
    whole, *ones = found.to_dict("records")[:4]
    assert [row["person"] for row in ones] == ["ann", "bob", "cat"]
    assert (whole["verdict"], whole["winning_rate"], whole["status"]) == (MAY, 1.0, "")
    assert whole["alpha_p"] == max(row["alpha_p"] for row in ones)
    assert whole["advantage"] == pytest.approx(np.mean([row["advantage"] for row in ones]))
    assert 1 < whole["effective_people"] < whole["effective_together"] < 4
    direct = advantage(machine, people, 1, np.full(400, 2.0), np.arange(400) % 40, epsilon=0.1,
                       correlation=CONFIG["inference"]["source_correlation"])  # fmt: skip
    assert (ones[1]["advantage"], ones[1]["p"]) == pytest.approx((direct.machine, direct.p))
    worse, people, _ = simulated(400, 0.1, 0.4, 7)
    assert human_machine_table(**four(worse, people))["verdict"][0] == NOT_SHOWN


def test_errors_are_those_against_the_combined_code_by_group() -> None:
    _, people, _ = simulated(400, 0.1, 0.1, 9)
    group = np.arange(400) % 40 < 20
    combined = (people.sum(axis=0) > 1).astype(float)
    machine = np.where(group, 1.0, combined)  # in one group it finds the code everywhere
    found = human_machine_table(**four(machine, people))
    errors = found[found["comparison"] == ERRORS].set_index("group")
    lacking = float((combined[group] == 0).mean())
    assert errors.loc["g", ["error", "bias"]].tolist() == pytest.approx([lacking, lacking])
    assert errors.loc["g", ["missed", "false"]].tolist() == [0.0, 1.0]
    assert errors.loc["h", ["error", "missed", "false", "bias"]].tolist() == [0.0] * 4
    assert errors.loc[ALL, "error"] == pytest.approx(lacking / 2)
    assert errors.loc["g", "error_low"] < lacking < errors.loc["g", "error_high"]
    rates = [
        np.mean(people[one] != np.delete(people, one, axis=0).min(axis=0)) for one in range(3)
    ]  # two others who differ are a tie, which counts as absent
    assert errors.loc[ALL, "people_error"] == pytest.approx(np.mean(rates))


def test_who_never_finds_a_rare_code_is_found_out() -> None:
    _, people, _ = simulated(400, 0.02, 0.02, 4, share=0.05)
    whole = human_machine_table(**four(np.zeros(400), people)).iloc[0]
    assert whole["winning_rate"] == 1.0
    assert whole["verdict"] == NOT_SHOWN
    assert "so would a coder who always answers no" in whole["status"]


def test_without_people_or_machines_a_row_a_code_says_so() -> None:
    marks = simulated(40, 0.1, 0.1, 2)[1][0]
    alone = human_machine_table(
        **project({"a": marks, "b": marks}, {"a": "machine", "b": "machine"})
    )
    assert alone[["code", "comparison", "people", "status"]].values.tolist() == [
        ["c", PEOPLE, 0, NO_HUMAN]
    ]
    people = human_machine_table(**project({"a": marks}, {"a": "human"}))
    assert (people["status"][0], people["people"][0]) == (NO_MACHINE, 1)
    one = human_machine_table(**project({"a": marks, "m": marks}, {"a": "human", "m": "machine"}))
    assert one["status"][0] == ONE_HUMAN
    assert list(one["comparison"]) == [PEOPLE, ERRORS, ERRORS, ERRORS]
    assert one["error"].tolist()[1] == 0.0


def test_few_sources_have_no_interval_and_few_passages_nothing() -> None:
    machine, people, _ = simulated(60, 0.1, 0.1, 3)
    given = four(machine, people)
    given["passages"]["source_id"] = [f"s{at % 6}" for at in range(60)]
    found = human_machine_table(**given)
    assert found["alpha_p"].isna().all()
    assert found["verdict"][0] == NOT_SHOWN
    assert "passages of 6 sources" in found["status"][0]
    few = human_machine_table(**four(machine[:8], people[:, :8]))
    assert (
        few.loc[few["comparison"] == ONE, "status"] == "undefined: fewer than 10 passages"
    ).all()


def test_the_standard_is_whom_others_are_judged_by() -> None:
    machine, people, _ = simulated(200, 0.1, 0.1, 8)
    given = four(machine, people)
    standard = {"rule": "standard", "standard": "bob", "tie": "absent"}
    given["config"] = CONFIG | {"coders": standard}
    found = human_machine_table(**given).set_index(["comparison", "group"])
    assert found.loc[(ERRORS, ALL), "error"] == pytest.approx(np.mean(machine != people[1]))
    others = [np.mean(people[one] != people[1]) for one in (0, 2)]
    assert found.loc[(ERRORS, ALL), "people_error"] == pytest.approx(np.mean(others))
