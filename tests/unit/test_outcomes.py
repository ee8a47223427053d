"""Tuned slopes and the codes of a population: known slopes, rules of tuning, contradictions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from framing.coding.combinations import combined_codes
from framing.common.problems import InputError
from framing.inference.design import population
from framing.inference.outcomes import (
    Outcome,
    aligned,
    by_code,
    fold_slopes,
    outcome,
    relabelled,
    tuned,
    tuned_slope,
    weighted_slope,
)
from tests.unit.inference_samples import (
    KNOWN_CODES,
    corpus,
    drawn_from,
    drawn_twice,
    knowing_all,
    known,
    marks,
    sampled,
    settings,
)

# --- slopes ---------------------------------------------------------------------------------------


def test_slope_has_its_known_value_in_each_stratum_and_across() -> None:
    frame, data = known()
    score = data.fitted[frame.drawn]
    for rows in (slice(0, 6), slice(6, 12), slice(None)):
        found = weighted_slope(score[rows], KNOWN_CODES[rows], frame.weight[rows])
        assert found == pytest.approx(2 / 3)


def test_slope_is_that_of_weighted_least_squares() -> None:
    random = np.random.default_rng(3)
    score, label = random.random(30), random.integers(0, 2, 30).astype(float)
    weight = random.uniform(0.5, 9, 30)
    expected = np.polyfit(score, label, 1, w=np.sqrt(weight))[0]
    assert weighted_slope(score, label, weight) == pytest.approx(expected)


def test_slope_is_zero_where_scores_do_not_vary() -> None:
    for value in (0.0, 0.06, 0.3, 1.0):
        assert weighted_slope(np.full(9, value), marks("101101001"), np.full(9, 7 / 3)) == 0


def table_of(both: int, score_only: int, label_only: int, neither: int) -> tuple:
    counts = (both, score_only, label_only, neither)
    score, label = np.repeat([1.0, 1, 0, 0], counts), np.repeat([1.0, 0, 1, 0], counts)
    return score, label, np.ones(sum(counts))


@pytest.mark.parametrize(
    ("counts", "minimum", "expected"),
    [
        ((6, 3, 3, 6), 18, 1 / 3),  # correlation 1/3, above 1/√16
        ((6, 3, 3, 6), 19, 0.0),  # too few
        ((5, 4, 4, 5), 2, 0.0),  # correlation 1/9
        ((3, 6, 6, 3), 2, 0.0),  # the wrong way round
        ((0, 9, 0, 9), 2, 0.0),  # nobody carries the code
        ((9, 0, 9, 0), 2, 0.0),  # everybody
        ((9, 9, 0, 0), 2, 0.0),  # the score does not vary
        ((1, 0, 0, 1), 2, 0.0),  # two codes say nothing of a slope
        ((2, 0, 0, 1), 2, 0.0),  # three: no correlation is above 1/√1
        ((2, 0, 0, 2), 2, 1.0),
    ],
)
def test_slope_is_used_only_where_it_can_be_hoped_to_help(
    counts: tuple[int, int, int, int], minimum: int, expected: float
) -> None:
    assert tuned_slope(*table_of(*counts), minimum) == pytest.approx(expected, abs=1e-12)


def test_correlation_must_be_above_its_threshold_not_at_it() -> None:
    score, label, weight = table_of(2, 1, 1, 2)
    weight = np.array([1.5, 1.5, 1, 1, 1.5, 1.5])  # weighted: 3, 1, 1, 3: correlation 1/2 = 1/√4
    assert weighted_slope(score, label, weight) == pytest.approx(0.5)
    assert tuned_slope(score, label, weight, 2) == 0
    weight[0] = 1.6
    assert tuned_slope(score, label, weight, 2) > 0.5


codes = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 10), st.integers(0, 3), st.integers(1, 4)),
    min_size=6, max_size=30,
)  # fmt: skip


@pytest.mark.slow
@examples(max_examples=150, deadline=None)
@given(codes, st.data())
def test_own_code_never_decides_the_own_fold(rows: list, data: st.DataObject) -> None:
    label, score, fold, weight = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    fold = fold.astype(np.int64)
    before = fold_slopes(score / 10, label, weight, fold, 4, 4)
    one = data.draw(st.integers(0, len(rows) - 1))
    label[one] = 1 - label[one]
    after = fold_slopes(score / 10, label, weight, fold, 4, 4)
    assert after[fold[one]] == before[fold[one]]


def test_other_codes_decide_it() -> None:
    score, label, weight = table_of(9, 2, 2, 5)
    fold = np.tile([0, 1], 9)
    found = fold_slopes(score, label, weight, fold, 3, 4)
    # Of the odd rows (outside fold 0) 4 1 1 3, of the even 5 1 1 2, of all 9 2 2 5.
    assert found == pytest.approx([4 / 5 - 1 / 4, 5 / 6 - 1 / 3, 9 / 11 - 2 / 7])


# --- outcomes -------------------------------------------------------------------------------------


def test_fitted_values_are_slopes_of_the_other_folds_times_centred_probabilities() -> None:
    passages, table = sampled(corpus(2, sources=50), 3)
    frame = population(passages)
    found = outcome(frame, table, "cost", settings())
    assert found.untuned == ""
    assert found.code == "cost"
    coded = table.iloc[frame.drawn]
    assert (found.label == coded["label"].to_numpy(float)).all()
    probability = table["probability"].to_numpy()
    slopes = set()
    for fold, rows in table.groupby("fold").indices.items():
        other = (coded["fold"] != fold).to_numpy()
        slope = weighted_slope(
            coded["probability"].to_numpy()[other], found.label[other], frame.weight[other]
        )
        slopes.add(slope)
        expected = slope * (probability - probability.mean())[rows]
        assert found.fitted[rows] == pytest.approx(expected)
    assert len(slopes) == 5


def test_scores_are_centred_by_those_of_passages_whose_codes_are_estimated() -> None:
    slope, score = np.array([1.0, 2.0, 1.0]), np.array([0.2, 0.4, 0.9])
    assert tuned(slope, score, np.ones(3, dtype=bool)) == pytest.approx([-0.3, -0.2, 0.4])
    assert tuned(slope, score, np.array([True, True, False])) == pytest.approx([-0.1, 0.2, 0.6])
    assert tuned(slope, score, np.zeros(3, dtype=bool)) == pytest.approx([-0.3, -0.2, 0.4])
    assert len(tuned(slope[:0], score[:0], np.zeros(0, dtype=bool))) == 0


def test_known_passages_and_those_outside_the_frame_do_not_centre_scores() -> None:
    passages, table = drawn_twice(corpus(2, sources=50), 3, read=80, unread=80)
    role = passages["role"].to_numpy()
    outside = np.flatnonzero(role == "")[:40]
    passages.loc[outside, "estimable"] = False
    data = outcome(population(passages), table, "cost", settings())
    rest = (role != "development") & passages["estimable"].to_numpy()
    expected = data.probability[rest].mean()
    assert abs(data.probability.mean() - expected) > 1e-3
    slope = np.array(slopes_of(data))[data.fold]
    assert data.probability - data.fitted / slope == pytest.approx(np.full(len(role), expected))


def slopes_of(data: Outcome) -> list[float]:
    """λ by fold, from what two passages of a fold are predicted: whatever centres the scores."""
    found = []
    for fold in range(int(data.fold.max()) + 1):
        rows = np.flatnonzero(data.fold == fold)
        order = rows[np.argsort(data.probability[rows])]
        least, most = order[0], order[-1]
        step = data.probability[most] - data.probability[least]
        found.append((data.fitted[most] - data.fitted[least]) / step)
    return found


def test_slopes_are_tuned_on_unread_passages_alone() -> None:
    passages, table = drawn_twice(corpus(2, sources=50), 3, read=80, unread=80)
    frame = population(passages)
    found = outcome(frame, table, "cost", settings())
    unread = table[(passages["role"] == "confirmation").to_numpy()]
    weight = passages.loc[unread.index, "weight"].to_numpy()
    for fold, slope in enumerate(slopes_of(found)):
        other = (unread["fold"] != fold).to_numpy()
        probability, label = (unread[name].to_numpy(dtype=float)[other]
                              for name in ("probability", "label"))  # fmt: skip
        assert slope == pytest.approx(weighted_slope(probability, label, weight[other]))
    # Neither a classifier that is right of all that was read, nor other codes of it, move them.
    better = outcome(frame, knowing_all(passages, table), "cost", settings())
    read = frame.read
    assert read is not None
    codes = np.where(read, 1 - found.label, found.label)
    again = relabelled(frame, found, {found.code: codes}, settings())
    for other_data in (better, again):
        assert slopes_of(other_data) == pytest.approx(slopes_of(found))
    # But the codes of unread ones do.
    codes = np.where(read, found.label, 1 - found.label)
    assert relabelled(frame, found, {found.code: codes}, settings()).untuned != ""


def test_without_unread_passages_slopes_are_tuned_on_read_ones_by_their_own_weights() -> None:
    passages, table = sampled(corpus(2, sources=50), 3)
    frame = population(passages)
    classic = outcome(frame, table, "cost", settings())
    role = np.where(passages["weight"].notna(), "development", "")
    read = passages.assign(
        random_share=1.0, estimable=True, role=role, unread_frame=False,
        read_weight=passages["weight"],
    )  # fmt: skip
    assert (outcome(population(read), table, "cost", settings()).fitted == classic.fitted).all()
    even = read.assign(read_weight=read["weight"].where(read["weight"].isna(), 1.0))
    assert (outcome(population(even), table, "cost", settings()).fitted != classic.fitted).any()


def test_other_codes_make_another_outcome_of_the_same_predictions() -> None:
    passages, table = small()
    frame = population(passages)
    data = outcome(frame, table, "cost", settings(tuning_minimum=4))
    assert relabelled(
        frame, data, {data.code: data.label}, settings(tuning_minimum=4)
    ).fitted.tolist() == (data.fitted.tolist())
    turned = relabelled(frame, data, {data.code: 1 - data.label}, settings(tuning_minimum=4))
    assert turned.untuned == "labels only: the probabilities do not go with the codes"
    assert (turned.label == 1 - data.label).all()
    assert (turned.probability == data.probability).all()
    fewer = relabelled(frame, data, {data.code: data.label}, settings(tuning_minimum=9))
    assert (fewer.untuned, fewer.fitted.any()) == (
        "labels only: fewer than 9 coded passages to tune the difference", False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"all": ["a", "b"]}, [0, 0, 0, 1]),
        ({"any": ["a", "b"]}, [0, 1, 1, 1]),
        ({"none": ["a", "b"]}, [1, 0, 0, 0]),
        ({"all": ["a"], "none": ["b"]}, [0, 0, 1, 0]),
        ({"any": ["a", "b"], "none": ["b"]}, [0, 0, 1, 0]),
    ],
)
def test_combinations_of_codes(rule: dict[str, list[str]], expected: list[int]) -> None:
    codes = {"a": marks("0011"), "b": marks("0101")}
    found = combined_codes(codes, {"made": rule})
    assert found["made"].tolist() == expected
    assert list(found) == ["a", "b", "made"]
    assert list(codes) == ["a", "b"]  # itself left alone


def test_probabilities_combine_as_if_codes_were_independent() -> None:
    codes = {"a": np.array([0.5]), "b": np.array([0.2])}
    rules = {"both": {"all": ["a", "b"]}, "either": {"any": ["a", "b"]}, "not": {"none": ["b"]}}
    found = combined_codes(codes, rules)
    assert [found[name][0] for name in rules] == pytest.approx([0.1, 0.6, 0.8])


def test_scores_may_come_in_any_order() -> None:
    passages, table = sampled(corpus(2, sources=50), 3)
    frame = population(passages)
    found = outcome(frame, table, "cost", settings())
    other = outcome(frame, table.sample(frac=1, random_state=1), "cost", settings())
    for name in ("decision", "label", "fitted"):
        assert (getattr(found, name) == getattr(other, name)).all()


@pytest.mark.parametrize(
    ("codes", "rows"),
    [
        ("bbaac", {"b": [0, 1], "a": [2, 3], "c": [4]}),
        ("abacb", {"a": [0, 2], "b": [1, 4], "c": [3]}),
        ("", {}),
    ],
)
def test_codes_come_in_order_of_appearance_with_their_rows(
    codes: str, rows: dict[str, list[int]]
) -> None:
    found = list(by_code(pd.DataFrame({"code": list(codes), "row": range(len(codes))})))
    assert [code for code, _ in found] == list(rows)
    assert {code: part["row"].tolist() for code, part in found} == rows


def test_scores_are_brought_into_the_order_of_the_passages() -> None:
    passages, table = small()
    frame = population(passages)
    assert aligned(frame, table, "cost") is table
    shuffled = table.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(aligned(frame, shuffled, "cost"), table)
    with pytest.raises(InputError, match="passages of the corpus out"):
        aligned(frame, table.iloc[1:], "cost")


def small(**columns: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ten passages, eight drawn, in two folds of five; probabilities go with the codes."""
    passages = drawn_from("x" * 10, range(8))
    table = pd.DataFrame(
        {
            "passage_id": passages["passage_id"],
            "fold": [0, 1] * 5,
            "label": pd.array([1, 1, 0, 0, 1, 1, 0, 0, None, None], dtype="Int64"),
            "probability": [0.9, 0.8, 0.1, 0.2, 0.7, 0.9, 0.3, 0.1, 0.5, 0.5],
            "decision": [1, 1, 0, 0, 1, 1, 0, 0, 1, 0],
        }
    )
    return passages, table.assign(**columns)


@pytest.mark.parametrize(
    ("minimum", "columns", "says"),
    [
        (4, {}, ""),
        (9, {}, "labels only: fewer than 9 coded passages to tune the difference"),
        # Eight are coded, but four outside each fold, and it is those that tune.
        (5, {}, "labels only: fewer than 5 coded passages to tune the difference"),
        (5, {"fold": [0, 1, 1, 1, 1, 1, 1, 1, 0, 0]}, ""),
        (4, {"probability": 0.4}, "labels only: the probabilities do not go with the codes"),
        (
            4,
            {"probability": [0.1, 0.2, 0.9, 0.8, 0.3, 0.1, 0.7, 0.9, 0.5, 0.5]},
            "labels only: the probabilities do not go with the codes",
        ),
    ],
)
def test_why_nothing_was_tuned(minimum: int, columns: dict[str, object], says: str) -> None:
    passages, table = small(**columns)
    found = outcome(population(passages), table, "cost", settings(tuning_minimum=minimum))
    assert found.untuned == says
    assert found.fitted.any() == (says == "")


def test_nothing_drawn_is_an_outcome_without_codes() -> None:
    passages = drawn_from("xxx", [])
    table = small()[1].iloc[:3].assign(label=pd.array([None] * 3, dtype="Int64"))
    found = outcome(population(passages), table, "cost", settings())
    assert len(found.label) == 0
    assert "fewer than 20" in found.untuned


# --- contradictions -------------------------------------------------------------------------------


def first_as_second(table: pd.DataFrame) -> pd.DataFrame:
    return table.replace({"passage_id": {"p000": "p001"}})


def label_of(row: int, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table.copy()
        table.loc[row, "label"] = value
        return table

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda table: table.replace({"passage_id": {"p003": "q9"}}),
            [
                "scores of 'cost': name the unknown passage 'q9'. Make build/scores.tsv anew.",
                "scores of 'cost': leave passages of the corpus out. Make build/scores.tsv anew.",
            ],
        ),
        (
            lambda table: pd.concat([table, table.iloc[[4]]]),
            ["scores of 'cost': name a passage twice. Make build/scores.tsv anew."],
        ),
        (
            first_as_second,
            [
                "scores of 'cost': name a passage twice. Make build/scores.tsv anew.",
                "scores of 'cost': leave passages of the corpus out. Make build/scores.tsv anew.",
            ],
        ),
        (
            lambda table: table.iloc[1:],
            ["scores of 'cost': leave passages of the corpus out. Make build/scores.tsv anew."],
        ),
        (
            label_of(2, None),
            [
                "corpus/sample.tsv: cost: passage 'p002' was drawn but has no code. "
                "Code it, or every estimate is biased."
            ],
        ),
        (
            lambda table: label_of(6, None)(label_of(2, None)(table)),
            [
                "corpus/sample.tsv: cost: passage 'p002' (and 1 more) was drawn but has no code. "
                "Code it, or every estimate is biased."
            ],
        ),
        (
            label_of(9, 0),
            [
                "corpus/sample.tsv: cost: passage 'p009' has a code but was not drawn. "
                "Only drawn passages count as data."
            ],
        ),
        (
            label_of(0, 2),
            ["corpus/sample.tsv: cost: codes other than 0 and 1. Write 0 or 1."],
        ),
    ],
)
def test_scores_that_contradict_the_frame_are_refused(
    change: Callable[[pd.DataFrame], pd.DataFrame], says: list[str]
) -> None:
    passages, table = small()
    with pytest.raises(InputError) as caught:
        outcome(population(passages), change(table), "cost", settings())
    assert str(caught.value).split("\n") == says
