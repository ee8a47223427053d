"""The sampling design: known variances, domains, and designs that contradict themselves."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

from framing.inference.design import (
    Population,
    check_design,
    cluster_deviations,
    domain,
    effective_size,
    members,
    part_of,
    population,
    stratum_deviations,
)
from framing.problems import InputError
from tests.unit.inference_samples import corpus, exact, sampled

TWO_STRATA = {"A": (40, "110101"), "B": (60, "001010")}
CODES = np.array([1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0], dtype=float)


def hajek_contributions(frame: Population) -> np.ndarray:
    mean = np.average(CODES, weights=frame.weight)
    return frame.weight * (CODES - mean) / frame.weight.sum()


def test_stratified_variance_has_its_known_value() -> None:
    frame = population(exact(TWO_STRATA))
    found = stratum_deviations(hajek_contributions(frame), frame.stratum, frame.size, frame.sampled)
    assert np.sqrt(np.square(found).sum()) == pytest.approx(0.142984, abs=5e-7)


def test_ultimate_cluster_variance_has_its_known_value() -> None:
    frame = population(exact(TWO_STRATA))
    document = np.array([0] * 4 + [1] * 2 + [2] * 2 + [3] * 4)
    totals = np.bincount(document, weights=hajek_contributions(frame))
    found = cluster_deviations(totals, np.ones(4, dtype=bool), np.array([0, 0, 1, 1]))
    assert np.sqrt(np.square(found).sum()) == pytest.approx(0.128197, abs=5e-7)


def test_stratified_variance_is_unbiased_over_all_samples() -> None:
    values, sizes = [np.array([3.0, 1, 4, 1, 5]), np.array([2.0, 7, 1])], (3, 2)
    totals, variances = [], []
    draws = [combinations(range(len(v)), n) for v, n in zip(values, sizes, strict=True)]
    for sample in product(*draws):
        z = np.concatenate(
            [v[list(rows)] * len(v) / n for v, rows, n in zip(values, sample, sizes, strict=True)]
        )
        found = stratum_deviations(
            z, np.array([0] * 3 + [1] * 2), np.array([5, 3]), np.array(sizes)
        )
        totals.append(z.sum())
        variances.append(np.square(found).sum())
    assert np.mean(totals) == pytest.approx(24)
    assert np.mean(variances) == pytest.approx(np.var(totals))


def test_stratum_taken_whole_contributes_nothing() -> None:
    whole = stratum_deviations(
        np.array([5.0, -3, 2]), np.zeros(3, int), np.array([3]), np.array([3])
    )
    assert not whole.any()
    part = stratum_deviations(
        np.array([5.0, -3, 2]), np.zeros(3, int), np.array([4]), np.array([3])
    )
    assert part.any()


def test_clusters_without_drawn_passages_count_but_do_not_add_degrees() -> None:
    totals = np.array([0.3, -0.1, -0.4, 0.2])
    all_taking_part = cluster_deviations(totals, np.ones(4, dtype=bool))
    two = cluster_deviations(totals, np.array([True, True, False, False]))
    assert np.square(all_taking_part).sum() == pytest.approx(4 / 3 * np.square(totals).sum())
    assert np.square(two).sum() == pytest.approx(2 / 1 * np.square(totals).sum())


def test_effective_size_is_the_number_under_equal_weights_and_less_otherwise() -> None:
    assert effective_size(np.full(7, 2.5)) == pytest.approx(7)
    assert effective_size(np.array([1.0, 1, 10])) == pytest.approx(144 / 102)
    assert effective_size(np.array([])) == 0


def test_domains_hold_their_passages_and_the_drawn_among_them() -> None:
    passages, _ = sampled(corpus(1), 2)
    frame = population(passages)
    for group, period in (("all", "all"), ("press", "all"), ("all", "undated"),
                          ("council", "2001-2005")):  # fmt: skip
        part = domain(frame, group, period)
        inside = (passages["group"].isin([group]) | (group == "all")) & (
            passages["period"].isin([period]) | (period == "all")
        )
        drawn = inside & passages["weight"].notna()
        assert part.rows.tolist() == np.flatnonzero(inside).tolist()
        assert part.rows[part.place].tolist() == np.flatnonzero(drawn).tolist()
        assert frame.drawn[part.coded].tolist() == np.flatnonzero(drawn).tolist()
        assert part.sources == passages.loc[inside, "source_id"].nunique()
        assert part.coded_sources == passages.loc[drawn, "source_id"].nunique()
        assert part.free == drawn.sum() - passages.loc[drawn, "stratum"].nunique()


def test_members_of_a_group_and_a_period_are_in_both() -> None:
    passages = corpus(5, sources=30)
    frame = population(sampled(passages, 6)[0])
    group, period = (passages[name].iloc[0] for name in ("group", "period"))
    assert members(frame).all()
    of_group, of_period = members(frame, group), members(frame, period=period)
    assert (of_group == (passages["group"] == group)).all()
    assert (of_period == (passages["period"] == period)).all()
    assert (members(frame, group, period) == (of_group & of_period)).all()
    assert not members(frame, "nobody").any()


def test_weights_come_from_the_counts() -> None:
    passages, _ = sampled(corpus(1), 2)
    frame = population(passages.assign(weight=passages["weight"].round(6)))
    part = passages[passages["weight"].notna()]
    assert (frame.weight == (part["stratum_size"] / part["stratum_sampled"]).to_numpy(float)).all()
    assert frame.weight.sum() == pytest.approx(len(passages))


def test_unknown_group_is_an_empty_domain() -> None:
    frame = population(exact(TWO_STRATA))
    part = domain(frame, "nobody")
    assert (len(part.rows), len(part.coded), part.sources, part.complete) == (0, 0, 0, False)


def test_strata_taken_whole_give_no_degrees_of_freedom() -> None:
    frame = population(exact({"A": (6, "110101"), "B": (60, "0010")}))
    assert domain(frame).free == 3
    only_whole = part_of(frame, np.arange(66) < 6)
    assert (only_whole.free, only_whole.complete) == (0, True)


def test_one_passage_drawn_of_several_is_named() -> None:
    frame = population(exact({"A": (40, "110101"), "B": (60, "1")}))
    assert domain(frame).lonely == "B"
    assert part_of(frame, np.arange(100) < 40).lonely == ""
    assert domain(population(exact({"A": (40, "110101"), "B": (1, "1")}))).lonely == ""


def changed(column: str, row: int, value: object) -> pd.DataFrame:
    frame = exact(TWO_STRATA)
    frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (changed("stratum_size", 2, 41), "different or no sizes"),
        (changed("stratum_size", 2, pd.NA), "different or no sizes"),
        (changed("weight", 2, np.nan), "says 6 of 40 were drawn but has 5 rows"),
        (changed("weight", 2, 6.0), "weights that are not 40/6"),
        (exact(TWO_STRATA).iloc[:-1], "add up to 100 passages, the corpus has 99"),
    ],
)
def test_design_that_contradicts_itself_is_refused(frame: pd.DataFrame, says: str) -> None:
    assert [says in str(problem) for problem in check_design(frame)] == [True]
    with pytest.raises(InputError, match=r"corpus/sample\.tsv"):
        population(frame)


def test_sound_design_has_no_problem() -> None:
    assert check_design(exact(TWO_STRATA)) == []
