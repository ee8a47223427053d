"""The sampling design: known variances, domains, and designs that contradict themselves."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples

from framing.common.problems import InputError
from framing.inference.design import (
    CORPUS,
    TEXTS,
    Population,
    check_design,
    domain,
    is_confirmed,
    members,
    part_of,
    population,
)
from framing.inference.variances import cluster_deviations, effective_size, stratum_deviations
from framing.tables.shares import by_target
from tests.unit.inference_samples import (
    corpus,
    drawn_from,
    drawn_twice,
    exact,
    read_surveys,
    roles,
    sampled,
)

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


# --- read and unread ------------------------------------------------------------------------------


def test_domain_falls_into_what_is_known_and_the_rest() -> None:
    """u unread, r read beside them, R read where no unread draw reaches; . and - were not drawn."""
    frame = population(roles("u.r.u" + "R-R-" + "r", "xxxxx" + "yyyy" + "x"))
    part = domain(frame)
    assert frame.unread.tolist() == [letter == "u" for letter in "uruRRr"]
    assert frame.known.tolist() == [letter == "r" for letter in "uruRRr"]
    assert frame.drawn[part.known].tolist() == [2, 9]
    unread, read = part.parts
    assert (unread.unread, read.unread) == (True, False)
    assert unread.rows.tolist() == [0, 1, 3, 4]
    assert frame.drawn[unread.coded].tolist() == unread.rows[unread.place].tolist() == [0, 4]
    assert read.rows.tolist() == [5, 6, 7, 8]
    assert frame.drawn[read.coded].tolist() == read.rows[read.place].tolist() == [5, 7]
    assert (unread.free, read.free, part.free) == (1, 1, 2)
    # Two of the four that are not known: weight 2; known ones count as themselves.
    assert frame.weight.tolist() == [2, 1, 2, 2, 2, 1]


@pytest.mark.slow
@examples(max_examples=12, deadline=None)
@given(read_surveys())
def test_known_passages_and_parts_divide_a_domain(
    survey: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    frame = population(survey[0])
    for group in ("all", "council", "press"):
        part = domain(frame, group)
        rows = [frame.drawn[part.known], *(piece.rows for piece in part.parts)]
        assert sorted(np.concatenate(rows)) == part.rows.tolist()
        coded = [part.known, *(piece.coded for piece in part.parts)]
        assert sorted(np.concatenate(coded)) == part.coded.tolist()
        assert frame.known[part.coded].sum() <= len(part.known)
        for piece in part.parts:
            assert len(piece.coded) < len(piece.rows)
            assert (frame.unread[piece.coded] == piece.unread).all()
            assert (frame.unread_frame[piece.rows] == piece.unread).all()
        assert part.complete == (len(part.rows) > 0 and len(part.known) == len(part.rows))


def test_strata_taken_whole_are_known_whoever_read_them() -> None:
    frame = population(exact({"A": (6, "110101"), "B": (60, "0010")}))
    assert frame.known.tolist() == [True] * 6 + [False] * 4
    part = domain(frame)
    assert (len(part.known), len(part.parts), len(part.parts[0].rows)) == (6, 1, 60)


def test_domain_of_which_every_passage_was_drawn_is_known_though_strata_were_not() -> None:
    frame = population(drawn_from("x" * 8, range(4), groups="aaabbbbb"))
    assert not frame.known.any()
    part = domain(frame, "a")
    assert (part.known.tolist(), part.parts, part.complete) == ([0, 1, 2], (), True)
    assert not domain(frame, "b").complete


def test_weight_of_one_by_chance_is_not_known() -> None:
    """Combined draws can give weight 1 where the weight still varies with the draw."""
    passages = roles("rr..uu")
    passages["random_share"] = passages["random_share"].mask(passages["role"] == "development", 0.5)
    assert not population(passages).known.any()
    heavier = roles("rr..uu")
    heavier["weight"] = heavier["weight"].mask(heavier["role"] == "development", 1.5)
    assert not population(heavier).known.any()


def test_classifier_is_judged_by_unread_passages_or_else_by_read_ones() -> None:
    passages = roles("ru..r" + "R--", "xxxxx" + "yyy")
    frame = population(passages)
    chosen, weight, unread = frame.judging()
    assert (chosen.tolist(), unread) == ([False, True, False, False], True)
    assert weight[1] == 3  # one of three
    # Without the unread one: the design of what was read. Two of five, one of three.
    passages.loc[1, ["role", "stratum"]] = ["", None]
    passages.loc[1, ["weight", "random_share"]] = np.nan
    passages.loc[1, ["stratum_size", "stratum_sampled"]] = pd.NA
    chosen, weight, unread = population(passages).judging()
    assert (chosen.tolist(), unread) == ([True] * 3, False)
    assert weight.tolist() == [2.5, 2.5, 3]
    assert not is_confirmed(passages)
    assert is_confirmed(roles("ru..r"))
    # Where roles are not on record all drawn passages judge, as in the classic design.
    plain = population(exact(TWO_STRATA))
    chosen, weight, unread = plain.judging()
    assert (chosen.all(), unread) == (True, True)
    assert (weight == plain.weight).all()


def test_weights_of_the_rest_add_up_to_it() -> None:
    passages, _ = drawn_twice(corpus(3, sources=40), 4, read=50, unread=60)
    frame = population(passages)
    for group in ("all", "council"):
        part = domain(frame, group)
        (rest,) = part.parts
        assert frame.weight[rest.coded].sum() == pytest.approx(len(part.rows) - len(part.known))
        assert (frame.weight[part.known] == 1).all()


# --- the case study -------------------------------------------------------------------------------


def test_case_study_is_no_instance_of_texts_like_these() -> None:
    passages = drawn_from("x" * 8, range(6), sources="aabbccdd", groups="gggghhhh")
    frame = population(passages, case="b")
    for group, corpus_rows, text_rows in (
        ("all", [*range(8)], [0, 1, 4, 5, 6, 7]), ("g", [0, 1, 2, 3], [0, 1]),
        ("h", [4, 5, 6, 7], [4, 5, 6, 7]),
    ):  # fmt: skip
        parts = by_target(frame, group)
        assert parts[CORPUS].rows.tolist() == corpus_rows
        assert parts[TEXTS].rows.tolist() == text_rows
        assert (parts[CORPUS] is parts[TEXTS]) == (corpus_rows == text_rows)
        assert parts[TEXTS].sources == len(text_rows) // 2
    assert domain(population(passages), target=TEXTS).rows.tolist() == [*range(8)]
