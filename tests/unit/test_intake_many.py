"""Many documents at once: ids, drafts, pairs and remarks are those of one after the other."""

from __future__ import annotations

import math
import pickle
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.acquire import pairs as pairs_module
from framing.acquire import passage_index, remarks, table_files
from framing.acquire.duplicates import Pair, _repeats
from framing.acquire.pairs import earlier_pairs, may_repeat, pairs_of
from framing.acquire.passage_index import Indexer, index_of
from framing.acquire.prepare import Draft, Spool
from framing.acquire.read.units import Unit
from framing.acquire.remarks import Remarks, kind_of, of_each_kind, reported
from framing.acquire.settings import intake_settings
from framing.acquire.source import Addition, Ids, id_problem
from framing.acquire.table_files import open_table
from framing.common.files import read_table
from framing.common.problems import InputError, Problem
from framing.common.processes import in_order
from framing.corpus.tables import passage_id
from tests.unit.test_intake_duplicates import facts

TABLE = intake_settings()["table"]
PLAIN = {**intake_settings()["duplicates"], "min_words": 3, "contained_words": 5}


# --- ids ------------------------------------------------------------------------------------------


def naive(wished: str, taken: list[str]) -> str:
    folded = {name.casefold() for name in taken}
    number, made = 1, wished
    while made.casefold() in folded:
        number += 1
        made = f"{wished[:75]}-{number}"
    return made


@given(st.lists(st.sampled_from(["a", "A", "a-2", "b", "x" * 80, "x" * 75]), max_size=30))
def test_a_free_id_is_the_first_number_that_nobody_has(wishes: list[str]) -> None:
    taken = ["a", "B-2"]
    ids = Ids(taken)
    for wished in wishes:
        made = ids.free(wished)
        assert made == naive(wished, taken)
        assert ids.free(wished) == made  # until it is taken
        ids.take(made)
        taken.append(made)


def test_an_id_stays_short_enough_however_many_wish_for_it() -> None:
    ids = Ids(["x" * 80, *(f"{'x' * 75}-{number}" for number in range(2, 10_000))])
    made = ids.free("x" * 80)
    assert made == f"{'x' * 74}-10000"
    assert id_problem("here", made, ids) is None


def test_who_has_an_id_is_known_whatever_the_case() -> None:
    problem = id_problem("here", "Speech", Ids(["speech"]))
    assert problem is not None and "'speech' is in the corpus" in problem.what


# --- pairs ----------------------------------------------------------------------------------------

_BAG = st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=12).map(" ".join)
_SOURCES = st.lists(st.lists(_BAG, max_size=4), min_size=1, max_size=6)


@pytest.mark.slow
@settings(deadline=None)
@given(_SOURCES, st.integers(1, 4), st.integers(1, 5), st.integers(0, 6))
def test_pairs_found_some_at_a_time_are_those_found_one_by_one(
    sources: list[list[str]], width: int, queries: int, common: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passage_index, "_COMMON", common)
        corpus = [facts(f"s{n}", passages) for n, passages in enumerate(sources)]
        whole = index_of(corpus)
        wanted = []
        for place, one in enumerate(corpus):
            before = {f"s{n}" for n in range(place)}
            pairs = pairs_of(one, whole, PLAIN)
            wanted.append([pair for pair in pairs if pair.source_id in before])
        patch.setattr(passage_index, "_WIDTH", width)
        patch.setattr(passage_index, "_AT_ONCE", width)
        patch.setattr(pairs_module, "_QUERIES", queries)
        patch.setattr(pairs_module, "_AT_ONCE", width)
        index = index_of(corpus)
        names = [one["source_id"] for one in corpus]
        assert list(earlier_pairs(index, names, PLAIN)) == wanted
        # Also of some of them only, as where a corpus was there before.
        assert list(earlier_pairs(index, names[1:], PLAIN)) == wanted[1:]


@pytest.mark.slow
def test_pairs_found_by_processes_are_those_found_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(2)
    corpus = [facts(f"s{n}", [" ".join(chance.choices("abcdefghijkl", k=9)) for _ in range(n % 4)])
              for n in range(40)]  # fmt: skip
    monkeypatch.setattr(pairs_module, "_QUERIES", 7)
    index = index_of(corpus)
    names = [one["source_id"] for one in corpus]
    here = list(earlier_pairs(index, names, PLAIN))
    assert sum(map(bool, here)) > 10
    assert list(earlier_pairs(index, names, PLAIN, 2, tmp_path)) == here


def test_a_passage_across_two_that_are_looked_up_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [a + b for a in "abcde" for b in "klmnopqr"]
    old = [" ".join(words[:20]), " ".join(words[20:])]
    new = " ".join(words[10:30])
    monkeypatch.setattr(passage_index, "_WIDTH", 1)
    index = index_of([facts("old", old), facts("new", [new])])
    (pairs,) = earlier_pairs(index, ["new"], PLAIN)
    assert pairs == [Pair("new-0", "old", ("old-0", "old-1"), 0.5, 1.0)]


def test_counts_in_files_are_those_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(1)
    corpus = [facts(f"s{n}", [" ".join(chance.choices("abcdefgh", k=9))] * 2) for n in range(9)]
    monkeypatch.setattr(passage_index, "_HELD", 10)
    filed = Indexer(tmp_path)
    for one in corpus:
        filed.add(one)
    here, there = index_of(corpus), filed.index()
    assert (here.counts != there.counts).nnz == 0
    assert here.common.tolist() == there.common.tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "columns.scratch", "values.scratch",
    ]  # fmt: skip


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(_BAG, max_size=5))
def test_a_quick_look_for_repeats_never_says_no_where_there_are_some(passages: list[str]) -> None:
    one = facts("s", passages)
    if not may_repeat(one, PLAIN):
        assert not list(_repeats(one, PLAIN))


def test_a_quick_look_for_repeats_says_no_to_most() -> None:
    assert not may_repeat(facts("s", ["a b c d e f g h", "i j k l m n o a"]), PLAIN)
    assert may_repeat(facts("s", ["a b c d e f g h", "a b c d e f g i"]), PLAIN)


# --- drafts ---------------------------------------------------------------------------------------


def draft(source_id: str, text: str) -> Draft:
    pieces = (Unit(0, 4, 1), Unit(5, 9, 1, reason="shorter than 12 words"))
    rows = [{"passage_id": passage_id(source_id, 0, 4), "start": 0, "end": 4}]
    ids = {"source_id": source_id}
    return Draft(Addition(ids, ids, text, pieces, "txt"), {**ids, "passages": rows}, False)


def test_a_draft_under_another_id_is_what_it_would_have_been() -> None:
    assert draft("a", "text here").named("b") == draft("b", "text here")
    assert draft("a", "text here").named("b").addition.passages[0].passage_id == passage_id(
        "b", 0, 4
    )


def test_drafts_are_put_down_and_taken_up(tmp_path: Path) -> None:
    with Spool(tmp_path / "drafts") as spool:
        for name in "abc":
            spool.put(draft(name, f"text of {name}"))
        assert spool.get(1) == draft("b", "text of b")
        assert spool.text("a") == "text of a"
        assert spool.text("d") is None
        spool.put(draft("d", "the last"))
        assert (len(spool), list(spool.names)) == (4, ["a", "b", "c", "d"])
        assert [spool.get(n).addition.source_id for n in range(4)] == ["a", "b", "c", "d"]
    assert pickle.loads(pickle.dumps(draft("a", "x"))) == draft("a", "x")


@pytest.mark.slow
def test_pieces_done_by_processes_come_in_their_order() -> None:
    assert list(in_order(math.isqrt, range(30), 2, "framing add")) == [
        math.isqrt(number) for number in range(30)
    ]


# --- tables ---------------------------------------------------------------------------------------

_CELL = st.text(alphabet='ab",;\n\r\u2028 é\ufeff', max_size=8)


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(st.lists(_CELL, min_size=1, max_size=3), max_size=6),
    st.sampled_from(["", "\ufeff", "\ufeff\ufeff"]),
    st.sampled_from(["a.csv", "a.tsv", "a.jsonl"]),
)
def test_a_table_read_by_lines_is_the_one_read_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], mark: str, name: str
) -> None:
    path = tmp_path_factory.mktemp("table") / name
    cells = ['"' + cell.replace('"', '""') + '"' if len(row) > 1 else cell
             for row in rows for cell in row]  # fmt: skip
    path.write_bytes((mark + "text,n\n" + ",".join(cells) + "\n").encode())

    def said() -> Any:
        try:
            found = open_table(path, TABLE)
            problems: list[Problem] = []
            return found.header, list(found.each(problems)), found.notes, problems
        except InputError as error:
            return [str(one) for one in error.problems]

    lines = said()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_files, "_is_plain", lambda path, most: False)
        assert said() == lines


def test_a_table_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text\nWe row.\n", encoding="utf-8")
    found = open_table(path, TABLE)
    path.write_text("text\nWe row.\nWe sail.\n", encoding="utf-8")
    with pytest.raises(InputError, match="was changed while it was read"):
        list(found.each([]))


def test_a_table_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(*_: object) -> bytes:
        raise AssertionError("it is read whole")

    path = tmp_path / "a.csv"
    path.write_text("text\nWe row.\n", encoding="utf-8")
    monkeypatch.setattr(table_files, "read_up_to", held)
    assert list(open_table(path, TABLE).each([])) == [(2, ["We row."])]


# --- remarks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("has no text (id 'a')", "has no text (id 'b')"),
        ("is the same text as s-1", "is the same text as another.2"),
        ("is a near duplicate of a: 5% of its words are there",
         "is a near duplicate of b: 100% of its words are there; and more"),
        ("passage 0a1 is in ff0, 001 of s-1 (the same)", "passage 123 is in aaa of b (the same)"),
        ("left out: stands in 0ab of s-1", "left out: stands in 123 of another.2"),
        ("has a date of 1.1.2014", "has a date of 2014"),
    ],
)  # fmt: skip
def test_remarks_of_one_kind(one: str, other: str) -> None:
    assert kind_of(one) == kind_of(other)


def test_remarks_of_other_kinds() -> None:
    said = ["has no text", "has no title", "passage a is in b of s (the same)",
            "passage a is in b of the same source (the same)"]  # fmt: skip
    assert len({kind_of(one) for one in said}) == 4


def test_few_problems_are_told_in_full_and_many_by_kind() -> None:
    many = [Problem("t.csv", f"has no text (id '{n}')", "Fill in.", n) for n in range(30)]
    other = Problem("t.csv", "has no title", "Give it.", 99)
    assert of_each_kind(many[:20]) == many[:20]
    first, second = of_each_kind([*many, other])
    assert (first.row, first.what) == (0, "has no text (id '0') (and 29 more like it)")
    assert second == other
    each = [Problem("t.csv", f"is wrong {'x' * n}y", "Mend it.") for n in range(100)]
    told = of_each_kind(each)
    assert len(told) == 26 and told[-1].what == "has 75 more problems of other kinds"


def test_every_remark_is_in_the_file_and_each_kind_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remarks, "REPORT", tmp_path / "build" / "added.tsv")
    with reported(True) as taken:
        for number in range(3):
            taken.add(f"row {number}", f"s{number}", "joins", f"left out: {number} pages", 2)
        taken.add("row 9", "s9", "joins", "note: read as cp1252")
        taken.problem(Problem("t.csv", "has no text", "Fill in.", 7))
    assert taken.lines() == ["6 × left out: … pages", "s9: note: read as cp1252"]
    rows = read_table(tmp_path / "build" / "added.tsv", remarks.COLUMNS)
    assert rows["document"].tolist() == ["row 0", "row 1", "row 2", "row 9", "t.csv, line 7"]
    assert Counter(rows["outcome"]) == {"joins": 4, "left out": 1}
    assert rows["remark"].iloc[-1] == "has no text. Fill in."


def test_a_report_that_was_not_finished_does_not_replace_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remarks, "REPORT", tmp_path / "added.tsv")
    (tmp_path / "added.tsv").write_text("the last\n", encoding="utf-8")
    with pytest.raises(InputError), reported(True) as taken:
        taken.add("a", "a", "joins", "fine")
        raise InputError([])
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the last\n"]
    with reported(False) as few:
        assert isinstance(few, Remarks) and not few.everything
