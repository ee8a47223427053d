"""Draws: uniform, repeatable, on record; and combined without bias, proved by enumeration."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from framing.common.files import LINE
from framing.common.problems import InputError
from framing.inference.design import check_design
from framing.inference.variances import stratum_deviations
from framing.sampling import draw as draws
from framing.sampling.combine import check_draws, combined_design, is_convenience
from framing.sampling.draw import (
    DRAWN,
    HEAD,
    NOT_BY_DESIGN,
    ROWS,
    Draw,
    earlier_share,
    estimable_cells,
    first_by_number,
    frame_digest,
    make_draw,
    random_numbers,
    sample_rows,
)
from framing.sampling.elsewhere import hand_picked
from framing.sampling.records import read_draws, write_draw
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT, PENDING, SPENT, UNREAD
from framing.sampling.sizes import bounded_shares, proportional, whole_numbers
from framing.sampling.strata import ADDED, strata_digest, strata_of
from tests.unit.inference_samples import drawn_from

EVERYTHING = "0123456789abcdefghijklmnopqrstuvwxyz"


def names(frame: pd.DataFrame, columns: list[str] | None = None) -> pd.Series:
    return strata_of(frame, columns or ["group"], np.ones(len(frame), dtype=bool))


def untouched(groups: str) -> pd.DataFrame:
    """A frame of which nothing has been drawn, with its empty design."""
    frame = drawn_from("x" * len(groups), [0], groups=groups)
    frame[["stratum", "stratum_size", "stratum_sampled", "weight"]] = pd.DataFrame(
        {"stratum": [None] * len(frame), "stratum_size": pd.NA, "stratum_sampled": pd.NA,
         "weight": np.nan}
    )  # fmt: skip
    return combined_design(
        frame.astype({"stratum_size": "Int64", "stratum_sampled": "Int64", "weight": float}), []
    )


def supplement(frame: pd.DataFrame, chosen: Any, share: dict[str, float] | None = None) -> Draw:
    """The record of a supplement that took the rows ``chosen``, by group; shares as given."""
    design = combined_design(frame, [])
    mask = np.isin(np.arange(len(frame)), list(chosen))
    made = draws.record_of(
        design, names(design).to_numpy(dtype=object), mask, number=1, kind="probability", seed=1,
        project="", strata_by=("group",), even=share is None,
    )  # fmt: skip
    return made if share is None else shared(made, share)


def shared(made: Draw, share: dict[str, float]) -> Draw:
    strata = {name: replace(one, earlier_share=share[name]) for name, one in made.strata.items()}
    return replace(made, strata=strata)


def total_and_variance(design: pd.DataFrame, values: np.ndarray) -> tuple[float, float]:
    """The estimate of a total and of its variance, as the inference room makes them."""
    drawn = design["weight"].notna().to_numpy()
    part = design[drawn]
    stratum, found = pd.factorize(part["stratum"], sort=True)
    first = part.drop_duplicates("stratum").set_index("stratum").loc[list(found)]
    contributions = part["weight"].to_numpy() * values[drawn]
    deviations = stratum_deviations(
        contributions * part["random_share"].to_numpy(), stratum,
        first["stratum_size"].to_numpy(dtype=int), first["stratum_sampled"].to_numpy(dtype=int),
    )  # fmt: skip
    return float(contributions.sum()), float(np.square(deviations).sum())


# --- the random numbers ---------------------------------------------------------------------------


def test_a_random_number_is_the_first_64_bits_of_the_digest() -> None:
    # printf '7/2/2f907728e9' | sha256sum
    import hashlib

    expected = int(hashlib.sha256(b"7/2/2f907728e9").hexdigest()[:16], 16)
    assert random_numbers(["2f907728e9"], 7, 2)[0] == expected


def test_random_numbers_are_uniform_and_independent_between_draws_and_seeds() -> None:
    ids = [f"{number:010x}" for number in range(20000)]
    one, again, other = (
        random_numbers(ids, seed, draw) / 2.0**64 for seed, draw in ((1, 1), (1, 2), (2, 1))
    )
    for numbers in (one, again, other):
        assert stats.kstest(numbers, "uniform").pvalue > 0.001
    for left, right in ((one, again), (one, other)):
        assert abs(np.corrcoef(left, right)[0, 1]) < 4 / np.sqrt(len(ids))


def test_every_subset_is_drawn_equally_often_over_seeds() -> None:
    ids = list("abcde")
    counts = Counter(tuple(first_by_number(ids, seed, 1, 2)) for seed in range(5000))
    assert len(counts) == 10
    assert stats.chisquare(list(counts.values())).pvalue > 0.001


def test_supplement_by_the_seed_of_the_first_draw_is_still_random() -> None:
    """Of what the first draw left, each passage has the same chance, however dense that was."""
    left_out = Counter[str]()
    seeds = 4000
    for seed in range(seeds):
        dense = first_by_number(list("abcd"), seed, 1, 3)
        sparse = first_by_number(list("efgh"), seed, 1, 1)
        rest = ["abcd"[n] for n in range(4) if n not in dense]
        rest += ["efgh"[n] for n in range(4) if n not in sparse]
        left_out["dense" if rest[first_by_number(rest, seed, 2, 1)[0]] in "abcd" else "sparse"] += 1
    assert stats.binomtest(left_out["dense"], seeds, 1 / 4).pvalue > 0.001


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)), st.integers(0, 2**31), st.integers(1, 11))
def test_a_draw_does_not_depend_on_the_order_of_rows(order: list[int], seed: int, n: int) -> None:
    design = untouched("aaabbbbbbccc")
    sizes = proportional({"a": 3, "b": 6, "c": 3}, n, 0)
    straight = make_draw(design, names(design), sizes, number=1, seed=seed)
    turned = design.iloc[order].reset_index(drop=True)
    again = make_draw(turned, names(turned), sizes, number=1, seed=seed)
    pd.testing.assert_frame_equal(straight.passages, again.passages)
    assert straight.strata == again.strata
    assert straight.passages["status"].eq(DRAWN).sum() == n


def test_digests_of_frame_and_strata_do_not_depend_on_order() -> None:
    assert frame_digest(["b", "a"]) == frame_digest(["a", "b"]) != frame_digest(["a", "c"])
    assert frame_digest(["ab"]) != frame_digest(["a", "b"])
    assert strata_digest("ab", "xy") == strata_digest("ba", "yx") != strata_digest("ab", "yx")


# --- sizes ----------------------------------------------------------------------------------------


def test_sizes_are_proportional_and_keep_the_minimum() -> None:
    assert proportional({"a": 60, "b": 30, "c": 10}, 20, 2) == {"a": 12, "b": 6, "c": 2}
    assert proportional({"a": 97, "b": 2, "c": 1}, 10, 2) == {"a": 7, "b": 2, "c": 1}


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(EVERYTHING, min_size=1, max_size=3), st.integers(0, 50), min_size=1),
    st.integers(0, 3),
    st.data(),
)
def test_sizes_add_up_within_their_limits(
    left: dict[str, int], minimum: int, data: st.DataObject
) -> None:
    least = sum(min(minimum, n) for n in left.values())
    most = sum(left.values())
    if max(least, 1) > most:
        return
    size = data.draw(st.integers(max(least, 1), most))
    found = proportional(left, size, minimum)
    assert sum(found.values()) == size
    assert all(min(minimum, left[name]) <= n <= left[name] for name, n in found.items())


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "Give at least 1"), (9, "where 8 are left"), (3, "too few for 2 strata")],
)
def test_impossible_sizes_are_refused(size: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        proportional({"a": 5, "b": 3}, size, 2)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_bounded_shares_are_the_best_within_their_bounds(data: st.DataObject) -> None:
    """No shift of a little from one stratum to another within bounds lowers Σ worth²/(have+n)."""
    number = data.draw(st.integers(1, 5))
    numbers = st.lists(st.floats(0.1, 9), min_size=number, max_size=number)
    worth, have, high = (np.array(data.draw(numbers)) for _ in range(3))
    low = high * np.array(data.draw(st.lists(st.floats(0, 1), min_size=number, max_size=number)))
    total = low.sum() + data.draw(st.floats(0, 1)) * (high - low).sum()
    shares = bounded_shares(worth, total, low, high, have)
    assert shares.sum() == pytest.approx(total, abs=1e-6)
    assert (shares >= low - 1e-9).all() and (shares <= high + 1e-9).all()
    gain = worth**2 / (have + shares) ** 2  # what one more passage takes off the variance
    for a, b in product(range(number), repeat=2):
        if shares[a] > low[a] + 1e-6 and shares[b] < high[b] - 1e-6:
            assert gain[b] <= gain[a] * (1 + 1e-5)


def test_shares_where_nothing_has_worth_go_by_room() -> None:
    none = np.zeros(2)
    assert bounded_shares(none, 4, none, np.array([6.0, 2.0])) == pytest.approx([3, 1])
    mixed = bounded_shares(np.array([1.0, 0.0]), 8, none, np.array([6.0, 9.0]))
    assert mixed == pytest.approx([6, 2])
    with pytest.raises(ValueError, match="cannot be shared"):
        bounded_shares(np.ones(2), 9, none, np.array([6.0, 2.0]))


def test_whole_numbers_go_to_the_largest_remainders() -> None:
    low, high = np.zeros(3, dtype=int), np.full(3, 99)
    assert list(whole_numbers(np.array([1.2, 2.7, 3.1]), 7, low, high)) == [1, 3, 3]
    assert list(whole_numbers(np.array([0.5, 0.5, 1.0]), 2, low, high)) == [1, 0, 1]
    assert list(whole_numbers(np.array([2.5, 2.5, 0.0]), 5, low, np.array([1, 3, 9]))) == [1, 3, 1]


# --- combining: known answers and enumeration -----------------------------------------------------


def test_share_of_earlier_draws_has_its_known_values() -> None:
    assert earlier_share(0.5, 0.5) == pytest.approx(1 / 3)
    assert list(earlier_share([0.4, 0.4, 0.0], [0.0, 1.0, 0.3])) == [1, 0, 0]
    for f, phi in product((0.1, 0.5, 0.9), (0.2, 0.7)):
        first, second = 1 / f - 1, (1 - f) * (1 / phi - 1)  # variances, N·S² = 1
        assert earlier_share(f, phi) == pytest.approx(second / (first + second))


def test_simple_random_draws_combine_to_one_larger_draw() -> None:
    frame = drawn_from("x" * 20, range(5))
    design = combined_design(frame, [supplement(frame, [7, 9, 11])])
    drawn = design[design["weight"].notna()]
    assert len(drawn) == 8
    assert drawn["weight"].to_numpy() == pytest.approx(np.full(8, 20 / 8), abs=1e-6)


@pytest.mark.slow
def test_simple_random_draws_have_the_variance_of_one_larger_draw() -> None:
    """Over all pairs of 2 and 2 of 5: N² (1 − 4/5) S²/4, and its estimate is unbiased."""
    values = np.array([3.0, 1, 4, 1, 5])
    found = []
    for first in combinations(range(5), 2):
        frame = drawn_from("x" * 5, first)
        rest = [row for row in range(5) if row not in first]
        for second in combinations(rest, 2):
            design = combined_design(frame, [supplement(frame, second)])
            found.append(total_and_variance(design, values))
    totals, variances = np.array(found).T
    assert totals.mean() == pytest.approx(values.sum(), abs=1e-6)
    assert totals.var() == pytest.approx(25 * (1 - 4 / 5) * values.var(ddof=1) / 4, rel=1e-6)
    assert variances.mean() == pytest.approx(totals.var(), rel=1e-6)


def test_without_supplements_the_design_stays_as_it_is() -> None:
    frame = drawn_from("xxxxyyy", [0, 2, 4])
    design = combined_design(frame, [])
    assert (design["random_share"].dropna() == 1).all()
    assert design["estimable"].all() and (design["design_status"] == "").all()
    for name in ("stratum", "stratum_size", "stratum_sampled", "weight"):
        pd.testing.assert_series_equal(design[name], frame[name], check_dtype=False)


VALUES = np.array([3.0, 1, 4, 1, 5, 9, 2])
EARLIER = "xxxxyyy"
CELLS = "ababbab"  # strata of the supplement cut across the earlier ones
SHARES = ({"a": 0.35, "b": 0.6}, {"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 1.0})


@pytest.fixture(scope="module")
def every_pair() -> tuple[np.ndarray, np.ndarray]:
    """Chance of each possible pair of first draw and supplement, and what it gives.

    The supplement takes two of what is left in a cell, or all. The second array has for each pair
    and each of ``SHARES`` the estimated total and its estimated variance.
    """
    chances, found = [], []
    firsts = list(product(combinations(range(4), 2), combinations(range(4, 7), 2)))
    for one, two in firsts:
        frame = drawn_from(EARLIER, [*one, *two], groups=CELLS)
        rest = [row for row in range(7) if row not in (*one, *two)]
        cells = [[row for row in rest if CELLS[row] == cell] for cell in "ab"]
        seconds = list(product(*(combinations(rows, min(2, len(rows))) for rows in cells)))
        for parts in seconds:
            made = supplement(frame, [row for part in parts for row in part], SHARES[0])
            chances.append(1 / len(firsts) / len(seconds))
            found.append(
                [total_and_variance(combined_design(frame, [shared(made, share)]), VALUES)
                 for share in SHARES]
            )  # fmt: skip
    return np.array(chances), np.array(found)


@pytest.mark.slow
def test_total_and_its_variance_are_unbiased_over_all_pairs_of_draws(
    every_pair: tuple[np.ndarray, np.ndarray],
) -> None:
    chance, found = every_pair
    assert chance.sum() == pytest.approx(1)
    assert len(chance) > 20
    for totals, variances in found.transpose(1, 2, 0):
        mean = (chance * totals).sum()
        true = (chance * (totals - mean) ** 2).sum()
        assert mean == pytest.approx(VALUES.sum(), rel=1e-9)
        assert (chance * variances).sum() == pytest.approx(true)
        assert true > 1


@pytest.mark.slow
def test_earlier_and_later_estimates_are_uncorrelated(
    every_pair: tuple[np.ndarray, np.ndarray],
) -> None:
    """What makes V(T*) a sum, and a mixture of the two better than either."""
    chance, found = every_pair
    off = found[:, :, 0] - VALUES.sum()
    later, alone = off[:, 1], off[:, 2]
    assert (chance * later * alone).sum() == pytest.approx(0, abs=1e-9)
    variances = [(chance * part**2).sum() for part in (later, alone)]
    best = variances[0] / sum(variances)
    mixed = (chance * (best * alone + (1 - best) * later) ** 2).sum()
    assert mixed == pytest.approx(variances[0] * variances[1] / sum(variances))
    assert mixed < min(variances)


@pytest.mark.slow
def test_recorded_shares_are_constants_for_proportional_sizes_and_equal_rates() -> None:
    """Also where the first draw took a cell whole, or nothing of it: exactly unbiased."""
    values, cells = VALUES[:6], "aabbba"
    chance, mean, shares = 0, 0.0, set()
    firsts = list(product(combinations(range(4), 2), combinations(range(4, 6), 1)))
    for one, two in firsts:
        frame = drawn_from("xxxxyy", [*one, *two], groups=cells)
        rest = [row for row in range(6) if row not in (*one, *two)]
        of_cell = {c: [row for row in rest if cells[row] == c] for c in "ab"}
        sizes = proportional({c: len(rows) for c, rows in of_cell.items()}, 2, 1)
        seconds = list(product(*(combinations(rows, sizes[c]) for c, rows in of_cell.items())))
        for parts in seconds:
            made = supplement(frame, [row for part in parts for row in part])
            shares |= {one.earlier_share for one in made.strata.values()}
            found, _ = total_and_variance(combined_design(frame, [made]), values)
            mean += found / len(firsts) / len(seconds)
            chance += 1
    assert chance > 20
    assert shares == {round(float(earlier_share(0.5, 2 / 3)), 9)}
    assert mean == pytest.approx(values.sum(), rel=1e-9)


@pytest.mark.slow
def test_shares_are_constants_where_earlier_strata_lie_within_the_new_ones() -> None:
    shares = set()
    for one, two in product(combinations(range(5), 3), combinations(range(5, 9), 1)):
        frame = drawn_from("xxxxxyyyy", [*one, *two], groups="a" * 9)
        rest = [row for row in range(9) if row not in (*one, *two)]
        shares.add(supplement(frame, rest[:2]).strata["a"].earlier_share)
    assert shares == {round(float(earlier_share(4 / 9, 2 / 5)), 9)}


def test_when_everything_is_drawn_weights_are_one_and_nothing_is_left_to_chance() -> None:
    frame = drawn_from("xxxxyyy", [0, 4], groups="aabbaab")
    design = combined_design(frame, [supplement(frame, [1, 2, 3, 5, 6])])
    assert design["weight"].to_numpy() == pytest.approx(1)
    assert total_and_variance(design, np.arange(7.0)) == pytest.approx((21, 0))


def test_three_draws_combine_one_after_the_other() -> None:
    frame = drawn_from("x" * 40, range(0, 40, 5), groups="a" * 40)
    design, records = combined_design(frame, []), []
    for number in (1, 2):
        made = make_draw(
            design, names(design), {"a": 8}, number=number, seed=3, even=True, strata_by=("group",)
        )
        records.append(made)
        design = combined_design(frame, records)
    weights = design["weight"].dropna()
    assert len(weights) == 24
    assert weights.to_numpy() == pytest.approx(np.full(24, 40 / 24), abs=1e-6)
    assert set(design["stratum"].dropna()) == {"x", "draw 1: a", "draw 2: a"}
    assert (design["random_share"].dropna() <= 1).all()


def test_cells_without_a_supplement_are_not_touched() -> None:
    frame = drawn_from("xxxxxxyyyy", [0, 3, 6, 8], groups="aaabbbcccc")
    design = combined_design(frame, [supplement(frame, [1, 2])])
    for row in (3, 6, 8):
        assert design["weight"][row] == frame["weight"][row]
        assert design["random_share"][row] == 1
    assert design["weight"][0] == pytest.approx(1)


# --- growth of the corpus -------------------------------------------------------------------------


def grown() -> pd.DataFrame:
    """Eight passages, four of them sampled; six joined later, two of a new group."""
    frame = drawn_from("xxxxyyyy", [0, 1, 4, 5], groups="aaaabbbb")
    new = drawn_from("z" * 6, [], groups="aaaacc").assign(
        passage_id=[f"q{number}" for number in range(6)]
    )
    both = pd.concat([frame, new], ignore_index=True)
    return both.assign(in_frame=[True] * 8 + [False] * 6)


def test_new_passages_are_not_estimable_until_a_supplement_covers_them() -> None:
    frame = grown()
    before = combined_design(frame, [])
    assert list(before["estimable"]) == [True] * 8 + [False] * 6
    assert set(before["design_status"][8:]) == {NOT_BY_DESIGN}
    cells = estimable_cells(before, ["group"]).set_index("group")
    assert cells["status"]["b"] == ""
    assert cells["status"]["c"] == NOT_BY_DESIGN
    assert "4 passages are outside" in cells["status"]["a"]

    member = np.ones(len(frame), dtype=bool)
    strata = strata_of(before, ["group"], member)
    assert set(strata) == {"a", "b", f"a{ADDED}", f"c{ADDED}"}
    made = make_draw(before, strata, {f"a{ADDED}": 2}, number=1, seed=5)
    assert made.strata[f"a{ADDED}"].earlier_share == 0
    after = combined_design(frame.drop(columns="in_frame"), [made])  # the draw has it on record
    assert list(after["estimable"]) == [True] * 12 + [False] * 2
    assert after.loc[after["stratum"] == f"draw 1: a{ADDED}", "weight"].tolist() == [2, 2]
    old = frame["weight"].notna()
    assert after["weight"][old].tolist() == frame["weight"][old].tolist()
    assert estimable_cells(after, ["group"]).set_index("group")["status"]["a"] == ""


def test_growth_that_is_not_on_record_is_refused() -> None:
    with pytest.raises(InputError, match="add up to 8 passages, the corpus has 14") as error:
        combined_design(grown().drop(columns="in_frame"), [])
    assert "in_frame" in error.value.problems[0].remedy


def test_passages_that_left_the_corpus_are_missed() -> None:
    frame = drawn_from("xxxxx", [0, 1])
    made = supplement(frame, [2])
    problems = check_draws(frame.iloc[:4], [made])
    assert ["1 passages of its frame are no longer" in p.what for p in problems] == [True]


# --- records --------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, pd.DataFrame, Draw]:
    frame = drawn_from("xxxxxxyyyyyy", [0, 6, 7], groups="aaaabbaaabbb")
    design = combined_design(frame, [])
    made = make_draw(
        design, names(design), {"a": 2, "b": 2}, number=1, seed=11, project="Trams",
        strata_by=("group",), even=True,
    )  # fmt: skip
    write_draw(tmp_path / "draws", made)
    return tmp_path / "draws", frame, made


def test_a_draw_comes_back_as_it_was_written(written: tuple[Path, pd.DataFrame, Draw]) -> None:
    folder, frame, made = written
    (back,) = read_draws(folder)
    pd.testing.assert_frame_equal(back.passages, made.passages, check_dtype=False)
    assert replace(back, passages=made.passages) == made
    pd.testing.assert_frame_equal(combined_design(frame, [back]), combined_design(frame, [made]))
    head = json.loads((folder / "1" / HEAD).read_text(encoding="utf-8"))
    assert head["frame"] == {"passages": 12, "sha256": frame_digest(frame["passage_id"])}
    assert (head["seed"], head["supplement"]) == (11, True)
    assert [path.name for path in folder.iterdir()] == ["1"]


def test_a_draw_is_not_written_twice(written: tuple[Path, pd.DataFrame, Draw]) -> None:
    folder, _, made = written
    before = (folder / "1" / ROWS).read_bytes()
    with pytest.raises(InputError, match="on record already"):
        write_draw(folder, replace(made, seed=12))
    assert (folder / "1" / ROWS).read_bytes() == before


def test_of_two_writers_at_once_one_wins(tmp_path: Path) -> None:
    design = untouched("aaaabbbb")
    made = [
        make_draw(design, names(design), {"a": 2, "b": 2}, number=1, seed=seed) for seed in (1, 2)
    ]
    outcomes: list[str] = []

    def write(draw: Draw) -> None:
        try:
            write_draw(tmp_path / "draws", draw)
            outcomes.append("won")
        except InputError:
            outcomes.append("refused")

    writers = [threading.Thread(target=write, args=(draw,)) for draw in made]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(outcomes) == ["refused", "won"]
    assert len(read_draws(tmp_path / "draws")) == 1
    assert [path.name for path in (tmp_path / "draws").iterdir()] == ["1"]


def test_a_write_cut_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    design = untouched("aaaa")
    made = make_draw(design, names(design), {"a": 2}, number=1, seed=1)

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("framing.sampling.records.os.rename", fail)
    with pytest.raises(KeyboardInterrupt):
        write_draw(tmp_path / "draws", made)
    assert read_draws(tmp_path / "draws") == ()
    assert list((tmp_path / "draws").iterdir()) == []


def test_a_project_without_draws_has_none(tmp_path: Path) -> None:
    assert read_draws(tmp_path / "draws") == ()
    assert not is_convenience([])


def spoil_rows(folder: Path, change: Any) -> None:
    path = folder / "1" / ROWS
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    change(lines)
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


def spoil_head(folder: Path, **changes: Any) -> None:
    path = folder / "1" / HEAD
    head = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(head), encoding="utf-8")


def swap_status(lines: list[list[str]]) -> None:
    """Exchange a drawn passage for one that was left, in the same stratum."""
    drawn = next(row for row in lines if row[2] == "drawn")
    left = next(row for row in lines if row[2] == "left" and row[1] == drawn[1])
    drawn[2], left[2] = left[2], drawn[2]


def one_more(lines: list[list[str]]) -> None:
    next(row for row in lines if row[2] == "left")[2] = "drawn"


def other_probability(lines: list[list[str]]) -> None:
    next(row for row in lines if row[2] == "left")[4] = "0.900000"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (swap_status, "does not hold the passages that seed 11 draws"),
        (one_more, "rows drawn, draw.json says 2"),
        (other_probability, "which its stratum does not give"),
        (lambda lines: lines.pop(), "lists another frame"),
        (lambda lines: lines.append(lines[-1]), "repeats the passage"),
        (lambda lines: lines[2].__setitem__(2, "taken"), "has the status 'taken'"),
        (lambda lines: lines[2].__setitem__(1, "z"), "has the stratum 'z'"),
        (lambda lines: lines[3].__setitem__(3, "0"), "mixes passages"),
        (lambda lines: lines[0].__setitem__(1, "layer"), "lacks the column 'stratum'"),
    ],
)
def test_rows_that_were_changed_are_found(
    written: tuple[Path, pd.DataFrame, Draw], change: Any, words: str
) -> None:
    folder, _, _ = written
    spoil_rows(folder, change)
    with pytest.raises(InputError, match=words) as error:
        read_draws(folder)
    assert all(str(p.place).endswith(f"1/{ROWS}") and p.remedy for p in error.value.problems)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 12}, "seed 12 draws"),
        ({"seed": None}, "names no seed"),
        ({"seed": "eleven"}, "lacks a usable 'seed'"),
        ({"draw": 3}, "is draw 3 in the directory of 1"),
        ({"kind": "random"}, "of the kind 'random'"),
        ({"format": 9}, "has the format 9"),
        ({"role": None}, "lacks a usable 'role'"),
        ({"role": "exploration"}, "has the role 'exploration'"),
        (
            {"role": "confirmation", "kind": "convenience", "seed": None, "replay": "none"},
            "is a convenience sample for confirmation",
        ),
        ({"freeze": 0}, "names the freeze 0"),
        ({"freeze": "one"}, "lacks a usable 'freeze'"),
        ({"replay": "not checked: the draw was made elsewhere"}, "which kind and seed deny"),
        ({"strata": {"a": {"size": 4, "drawn": 5, "earlier_share": 0}}}, "sizes or a share"),
        ({"strata": {"a": {"size": 4, "drawn": 2, "earlier_share": 2}}}, "sizes or a share"),
    ],
)
def test_heads_that_were_changed_are_found(
    written: tuple[Path, pd.DataFrame, Draw], changes: dict[str, Any], words: str
) -> None:
    folder, _, _ = written
    spoil_head(folder, **changes)
    with pytest.raises(InputError, match=words):
        read_draws(folder)


def test_head_that_is_no_json_is_found(written: tuple[Path, pd.DataFrame, Draw]) -> None:
    folder, _, _ = written
    (folder / "1" / HEAD).write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="not valid JSON"):
        read_draws(folder)


def test_missing_and_foreign_directories_are_found(
    written: tuple[Path, pd.DataFrame, Draw],
) -> None:
    folder, _, _ = written
    (folder / "1").rename(folder / "2")
    with pytest.raises(InputError, match="does not exist"):
        read_draws(folder)
    (folder / "notes").mkdir()
    with pytest.raises(InputError, match="is not a draw"):
        read_draws(folder)


def test_draws_that_overlap_or_miss_one_another_are_found() -> None:
    frame = drawn_from("xxxxxx", [0, 1])
    one = supplement(frame, [2, 3])
    overlapping = replace(one, number=2)
    (problem,) = check_draws(frame, [one, overlapping])
    assert "were drawn before" in problem.what and "2/passages.tsv" in str(problem.place)
    other = replace(supplement(frame, [4]), number=2)
    (problem,) = check_draws(frame, [one, other])
    assert "counts other passages as drawn earlier" in problem.what
    changed = drawn_from("xxxxxx", [0, 5])
    (problem,) = check_draws(changed, [one])
    assert "counts other passages" in problem.what


# --- read and unread ------------------------------------------------------------------------------


def further(
    frame: pd.DataFrame,
    records: list[Draw],
    chosen: Any,
    role: str,
    columns: list[str] | None = None,
) -> Draw:
    """The record of one more draw, which took the rows ``chosen``."""
    design = combined_design(frame, records)
    mask = np.isin(np.arange(len(frame)), list(chosen))
    made = draws.record_of(
        design, names(design, columns).to_numpy(dtype=object), mask, number=len(records) + 1,
        kind="probability", seed=1, project="", strata_by=("group",), even=False,
    )  # fmt: skip
    return replace(made, role=role)


def subsets(rows: list[int], cells: str, sizes: dict[str, int]) -> list[list[int]]:
    """Every way to take ``sizes`` of ``rows`` from each cell."""
    of_cell = [combinations([row for row in rows if cells[row] == c], n) for c, n in sizes.items()]
    return [[row for part in parts for row in part] for parts in product(*of_cell)]


HALVES = "aaaaabbbb"
AMOUNTS = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5])


def first_of(chosen: list[int]) -> pd.DataFrame:
    return drawn_from("xxxyyyyyy", chosen, groups=HALVES)


@pytest.mark.slow
def test_unread_codings_estimate_what_was_not_read_and_what_was_is_known() -> None:
    """Given what was read, the estimate has no bias, and its variance is estimated without bias."""
    for read in ([0, 3], [1, 8], [2, 5]):
        frame = first_of(read)
        rest = [row for row in range(9) if row not in read]
        estimates, variances = [], []
        for chosen in subsets(rest, HALVES, {"a": 2, "b": 2}):
            made = further(frame, [], chosen, CONFIRMATION)
            design = combined_design(frame, [made], states=[UNREAD])
            total, variance = total_and_variance(design, AMOUNTS)
            estimates.append(total)
            variances.append(variance)
            assert design["unread_frame"].all() and design["estimable"].all()
            known = design.iloc[read]
            assert known["weight"].tolist() == [1, 1] and not known["random_share"].any()
            assert known["role"].tolist() == [DEVELOPMENT] * 2
            assert known["read_weight"].tolist() == frame["weight"].iloc[read].tolist()
            unread = design.iloc[chosen]
            assert unread["role"].tolist() == [CONFIRMATION] * 4
            assert unread["read_weight"].isna().all() and (unread["random_share"] == 1).all()
        assert np.mean(estimates) == pytest.approx(AMOUNTS.sum(), rel=1e-12)
        assert np.var(estimates) == pytest.approx(np.mean(variances), rel=1e-9)


@pytest.mark.slow
def test_a_development_draw_after_an_unread_one_makes_known_what_that_left() -> None:
    frame = first_of([0, 3])
    rest = [row for row in range(9) if row not in (0, 3)]
    estimates = []
    for chosen in subsets(rest, HALVES, {"a": 1, "b": 2}):
        unread = further(frame, [], chosen, CONFIRMATION)
        for later in subsets([row for row in rest if row not in chosen], HALVES, {"a": 1, "b": 1}):
            records = [unread, further(frame, [unread], later, DEVELOPMENT)]
            design = combined_design(frame, records, states=[UNREAD, DEVELOPMENT])
            assert design["weight"].iloc[later].tolist() == [1, 1]
            # What is left to the unread draw: a has 3 - 1 passages of which it took 1, b 4 - 1.
            assert design["weight"].iloc[chosen].tolist() == [2, 1.5, 1.5]
            assert check_design(design) == []
            estimates.append(total_and_variance(design, AMOUNTS)[0])
    assert np.mean(estimates) == pytest.approx(AMOUNTS.sum(), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("state", [PENDING, UNREAD])
def test_read_weights_are_right_although_a_draw_that_does_not_count_came_between(
    state: str,
) -> None:
    """Of the development draws alone: as if the other draw's passages had been left."""
    estimates = []
    halves, amounts = "aaabbb", AMOUNTS[:6]
    for read in subsets(list(range(6)), "xxxxyy", {"x": 1, "y": 1}):
        frame = drawn_from("xxxxyy", read, groups=halves)
        rest = [row for row in range(6) if row not in read]
        for between in subsets(rest, halves, {"a": 1, "b": 1}):
            other = further(frame, [], between, CONFIRMATION)
            left = [row for row in rest if row not in between]
            for later in subsets(left, halves, {"a": 1, "b": 1}):
                records = [other, further(frame, [other], later, DEVELOPMENT)]
                design = combined_design(frame, records, states=[state, DEVELOPMENT])
                weight = design["read_weight"]
                assert weight.iloc[between].isna().all()
                assert weight.notna().sum() == 2 + len(later)
                estimates.append(float((weight * amounts).sum()))
    assert np.mean(estimates) == pytest.approx(amounts.sum(), rel=1e-12)


@pytest.mark.slow
def test_two_unread_draws_are_worth_one_as_large() -> None:
    frame = drawn_from("x" * 20, [0, 1, 2, 3], groups="a" * 20)
    first = further(frame, [], range(4, 8), CONFIRMATION)
    second = further(frame, [first], range(8, 12), CONFIRMATION)
    design = combined_design(frame, [first, second], states=[UNREAD, UNREAD])
    assert design["weight"].iloc[4:12].to_numpy() == pytest.approx(16 / 8)
    assert design["weight"].iloc[:4].tolist() == [1] * 4
    estimates = []
    small = first_of([0, 3])
    rest = [row for row in range(9) if row not in (0, 3)]
    for chosen in subsets(rest, HALVES, {"a": 1, "b": 1}):
        one = further(small, [], chosen, CONFIRMATION)
        for later in subsets([row for row in rest if row not in chosen], HALVES, {"a": 1, "b": 2}):
            two = further(small, [one], later, CONFIRMATION)
            both = combined_design(small, [one, two], states=[UNREAD, UNREAD])
            estimates.append(total_and_variance(both, AMOUNTS)[0])
    assert np.mean(estimates) == pytest.approx(AMOUNTS.sum(), rel=1e-12)


@pytest.mark.slow
def test_strata_that_no_unread_draw_reached_keep_the_development_design() -> None:
    """The sample's strata cut across: over all pairs of draws the two parts add up to the total."""
    mean, number = 0.0, 0
    cells = "ababaabbb"
    for read in subsets(list(range(9)), "xxxxxyyyy", {"x": 2, "y": 2}):
        frame = drawn_from("xxxxxyyyy", read, groups=cells)
        rest = [row for row in range(9) if row not in read and cells[row] == "a"]
        # Where nothing of a is left there is nothing to draw, and all of it is known.
        outcomes = [list(one) for one in combinations(rest, min(1, len(rest)))]
        found = []
        for chosen in outcomes:
            made = further(frame, [], chosen, CONFIRMATION)
            design = combined_design(frame, [made], states=[UNREAD])
            assert design["unread_frame"].tolist() == [cell == "a" for cell in cells]
            outside = design["role"].eq(DEVELOPMENT) & ~design["unread_frame"]
            assert design.loc[outside, "weight"].equals(design.loc[outside, "read_weight"])
            assert check_design(design) == []
            found.append(total_and_variance(design, AMOUNTS)[0])
        mean += float(np.mean(found))
        number += 1
    assert mean / number == pytest.approx(AMOUNTS.sum(), rel=1e-12)


def test_a_pending_draw_is_as_if_nothing_had_been_drawn() -> None:
    frame = first_of([0, 3])
    made = further(frame, [], [1, 6], CONFIRMATION)
    without = combined_design(frame, [])
    pd.testing.assert_frame_equal(combined_design(frame, [made], states=[PENDING]), without)
    assert set(without["role"]) == {DEVELOPMENT, ""}


def test_a_spent_draw_is_one_for_development() -> None:
    frame = first_of([0, 3])
    made = further(frame, [], [1, 6], CONFIRMATION)
    spent = combined_design(frame, [made], states=[SPENT])
    pd.testing.assert_frame_equal(spent, combined_design(frame, [replace(made, role=DEVELOPMENT)]))
    assert (spent["role"] == DEVELOPMENT).sum() == 4
    assert spent["read_weight"].equals(spent["weight"])


def test_half_a_confirmation_draw_counts_by_what_is_coded() -> None:
    """Of b nothing is coded, so b keeps the development design; of a 2 of 3 passages are."""
    frame = drawn_from("x" * 9, [0, 8], groups=HALVES)
    made = further(frame, [], [1, 2, 3, 5, 6], CONFIRMATION)
    coded = set(frame["passage_id"].iloc[[0, 8, 1, 2]])
    design = combined_design(frame, [made], states=[UNREAD], coded=coded)
    assert design["weight"].iloc[[0, 1, 2, 8]].tolist() == [1, 2, 2, 4.5]
    assert design["weight"].iloc[[3, 4, 5, 6, 7]].isna().all()
    assert design["unread_frame"].tolist() == [True] * 5 + [False] * 4
    assert design["role"].tolist() == [DEVELOPMENT, CONFIRMATION, CONFIRMATION, *[""] * 5,
                                       DEVELOPMENT]  # fmt: skip
    assert design["stratum_sampled"].iloc[1] == 2 and design["stratum_size"].iloc[1] == 4
    spent = combined_design(frame, [made], states=[SPENT], coded=coded)
    assert set(spent["role"].iloc[[1, 2]]) == {DEVELOPMENT} and not spent["unread_frame"].any()
    assert spent["weight"].iloc[[3, 5, 6]].isna().all()


def test_what_an_unread_draw_found_read_from_end_to_end_is_known() -> None:
    """Of b all was read: a stratum with nothing left is part of the unread frame."""
    frame = drawn_from("x" * 9, [0, 5, 6, 7, 8], groups=HALVES)
    made = further(frame, [], [1, 2], CONFIRMATION)
    design = combined_design(frame, [made], states=[UNREAD])
    assert design["weight"].iloc[[0, 5, 6, 7, 8]].tolist() == [1] * 5
    assert design["unread_frame"].all()
    assert design["weight"].sum() == pytest.approx(9)


def test_a_first_draw_can_be_for_confirmation() -> None:
    design = untouched("aaaaaabbbb")
    made = replace(
        make_draw(design, names(design), {"a": 3, "b": 2}, number=1, seed=2), role=CONFIRMATION
    )
    frame = drawn_from("aaaaaabbbb", np.flatnonzero(made.passages["status"] == DRAWN),
                       groups="aaaaaabbbb")  # fmt: skip
    unread = combined_design(frame, [made], states=[UNREAD])
    assert unread["weight"].dropna().tolist() == [2.0] * 5
    assert set(unread["stratum"].dropna()) == {"a", "b"} and unread["unread_frame"].all()
    assert unread["read_weight"].isna().all()
    pending = combined_design(frame, [made], states=[PENDING])
    assert pending["weight"].isna().all() and not pending["estimable"].any()


def test_an_unread_draw_covers_what_joined_and_a_share_needs_what_covers() -> None:
    """Strata that hold passages the sample could not have drawn: the earlier share is 0."""
    frame = grown()
    mixed = frame["group"].to_numpy(dtype=object)
    design = combined_design(frame, [])
    chosen = np.isin(np.arange(14), [2, 9, 6, 12])
    made = draws.record_of(
        design, mixed, chosen, number=1, kind="probability", seed=None, project="",
        strata_by=(), even=False,
    )  # fmt: skip
    assert made.strata["a"].earlier_share == 0 and made.strata["b"].earlier_share > 0
    for state in (UNREAD, SPENT):
        found = combined_design(frame, [replace(made, role=CONFIRMATION)], states=[state])
        assert found["estimable"].all()
        assert found.loc[found["group"] == "a", "weight"].sum() == pytest.approx(8)
        assert found["weight"].sum() == pytest.approx(14)


def test_a_draw_of_the_old_format_is_for_development(
    written: tuple[Path, pd.DataFrame, Draw],
) -> None:
    folder, _, made = written
    path = folder / "1" / HEAD
    head = json.loads(path.read_text(encoding="utf-8"))
    assert (head["role"], head["freeze"], head["replay"]) == (DEVELOPMENT, None, "by the seed")
    old = {key: one for key, one in head.items() if key not in ("role", "freeze", "replay")}
    path.write_text(json.dumps(old | {"format": 1}), encoding="utf-8")
    (back,) = read_draws(folder)
    assert (back.role, back.freeze, back.strata) == (DEVELOPMENT, None, made.strata)
    path.write_text(json.dumps(old | {"format": 2}), encoding="utf-8")
    with pytest.raises(InputError, match="lacks a usable 'role'"):
        read_draws(folder)


def test_a_passage_cannot_be_both_read_and_unread() -> None:
    """Named with file and row, whichever draw came first, and where the sample took it."""
    frame = drawn_from("xxxxxx", [0, 1])
    one = supplement(frame, [2, 3])
    for first, second in ((CONFIRMATION, DEVELOPMENT), (DEVELOPMENT, CONFIRMATION)):
        pair = [replace(one, role=first), replace(one, number=2, role=second)]
        (problem,) = check_draws(frame, pair)
        assert f"draws the passage 'p002' for {second}, but draw 1 drew it for {first}" in str(
            problem
        )
        assert "2/passages.tsv" in str(problem.place) and problem.row == 4
    taken = one.passages.assign(status=["drawn", "earlier", *["left"] * 4])
    (problem,) = check_draws(frame, [replace(one, role=CONFIRMATION, passages=taken)])
    assert "but the sample of corpus/sample.tsv drew it for development" in problem.what


# --- first draws, strata, convenience -------------------------------------------------------------


def test_a_first_draw_makes_the_sample_table_and_combines_to_it() -> None:
    design = untouched("aaaaaabbbb")
    made = make_draw(design, names(design), {"a": 3, "b": 2}, number=1, seed=2)
    assert made.is_sample
    table = sample_rows(made)
    assert table["stratum_size"].tolist() == [6, 6, 6, 4, 4]
    assert table["inclusion_probability"].tolist() == [0.5] * 5
    frame = drawn_from("aaaaaabbbb", np.flatnonzero(made.passages["status"] == DRAWN),
                       groups="aaaaaabbbb")  # fmt: skip
    again = combined_design(frame, [made])
    assert again["weight"].dropna().tolist() == [2.0] * 5
    assert again["estimable"].all()
    with pytest.raises(InputError, match="is a first draw but not the sample"):
        combined_design(drawn_from("aaaaaabbbb", [0, 1, 2, 6, 7], groups="aaaaaabbbb"), [
            replace(made, passages=made.passages.assign(status=made.passages["status"].iloc[::-1]
                                                        .to_numpy()))
        ])  # fmt: skip


def test_a_first_draw_must_cover_the_frame() -> None:
    design = untouched("aaaabbbb")
    with pytest.raises(InputError, match="leaves stratum 'b' without a chance"):
        sample_rows(make_draw(design, names(design), {"a": 2}, number=1, seed=2))
    part = strata_of(design, ["group"], (design["group"] == "a").to_numpy())
    with pytest.raises(InputError, match="leaves 4 passages without a chance"):
        sample_rows(make_draw(design, part, {"a": 2}, number=1, seed=2))


def test_a_supplement_is_no_sample_table() -> None:
    frame = drawn_from("xxxx", [0])
    with pytest.raises(InputError, match="no first random sample"):
        sample_rows(supplement(frame, [1]))


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"a": 5}, "asked of stratum 'a', which has 4 left"),
        ({"q": 1}, "which has 0 left"),
        ({"a": -1}, "-1 passages"),
        ({"a": 0}, "no passage is asked for"),
    ],
)
def test_sizes_that_a_stratum_lacks_are_refused(sizes: dict[str, int], words: str) -> None:
    design = untouched("aaaabbbb")
    with pytest.raises(InputError, match=words):
        make_draw(design, names(design), sizes, number=1, seed=2)


def test_strata_are_named_by_values_and_unknown_columns_refused() -> None:
    frame = untouched("aabb").assign(genre=["x", "", "x", "x"])
    member = np.array([True, True, True, False])
    found = strata_of(frame, ["group", "genre"], member)
    assert found.tolist() == ["a/x", "a/(none)", "b/x", ""]
    assert strata_of(frame, [], member).tolist() == ["all", "all", "all", ""]
    for column in ("colour", "stratum", "weight", "passage_id"):
        with pytest.raises(InputError, match=f"'{column}' is not a column"):
            strata_of(frame, ["group", column], member)
    muddled = frame.assign(one=["a/b", "a", "c", "c"], two=["c", "b/c", "c", "c"])
    with pytest.raises(InputError, match="run together"):
        strata_of(muddled, ["one", "two"], member)


def listed(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"passage_id": list(ids), LINE: range(2, len(ids) + 2)})


def test_a_convenience_sample_is_marked_for_good(tmp_path: Path) -> None:
    frame = drawn_from("xxxxxx", [0, 1], groups="aaabbb")
    design = combined_design(frame, [])
    made = hand_picked(design, names(design), listed("p002", "p004"), Path("mine.tsv"), number=1)
    write_draw(tmp_path / "draws", made)
    (back,) = read_draws(tmp_path / "draws")
    assert is_convenience([back]) and not is_convenience([supplement(frame, [2])])
    assert back.passages["inclusion_probability"].isna().all()
    assert (back.kind, back.seed) == ("convenience", None)
    # Treated as if drawn at random within its strata, whoever dares.
    combined = combined_design(frame, [back])
    assert combined["weight"].dropna().tolist() == pytest.approx(
        combined_design(frame, [supplement(frame, [2, 4], {"a": 0.0, "b": made.strata["b"]
                        .earlier_share})])["weight"].dropna().tolist()
    )  # fmt: skip


def test_a_convenience_sample_as_the_first_draw_covers_only_its_strata() -> None:
    design = untouched("aaabbb")
    made = hand_picked(design, names(design), listed("p000", "p001"), Path("mine.tsv"), number=1)
    assert not made.is_sample
    combined = combined_design(design.drop(columns=["random_share", "estimable"]), [made])
    assert combined["weight"].dropna().tolist() == [1.5, 1.5]
    assert combined["estimable"].tolist() == [True] * 3 + [False] * 3


def test_lists_of_a_convenience_sample_are_checked() -> None:
    design = combined_design(drawn_from("xxxx", [0]), [])
    with pytest.raises(InputError) as error:
        hand_picked(
            design, names(design), listed("p000", "p001", "p001", "p9"), Path("mine.tsv"), number=1
        )
    assert [str(p).split(":")[0] for p in error.value.problems] == [
        "mine.tsv, line 2", "mine.tsv, line 4", "mine.tsv, line 5",
    ]  # fmt: skip
    with pytest.raises(InputError, match="lists no passage"):
        hand_picked(design, names(design), listed(), Path("mine.tsv"), number=1)
