"""The coding page without a browser: journals, orders, shares, desks, what enters the tables."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.acquire.coding_page.answers import Answer, Hand, hand_of
from framing.acquire.coding_page.assignment import asked_problems, dealt
from framing.acquire.coding_page.desk import Draft, RefusedError
from framing.acquire.coding_page.disagreements import disputed, settled_rows
from framing.acquire.coding_page.enter import merged
from framing.acquire.coding_page.journal import Writer, journal_file, read_journal
from framing.acquire.coding_page.keys import RESERVED, keys_of, shown_levels
from framing.acquire.coding_page.order import lettered, own_order
from framing.acquire.coding_page.pools import Pool, offered, share_of, to_be_dealt
from framing.acquire.coding_page.supervise import is_fast, pace
from framing.codebook.codes import yes_no_code
from framing.coding.codings import combine_coders, foreign_files, independent, labels_by_coder
from framing.common.config import _standard_problems
from framing.common.problems import InputError
from framing.project.freeze import settings_of
from tests.unit.coding_samples import CODES, close, desk, items, said


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- the journal ----------------------------------------------------------------------------------


def written(*entries: dict, coder: str = "ann") -> Path:
    writer = Writer(coder)
    writer.write(entries)
    writer.close()
    return journal_file(coder)


ONE = {"what": "answer", "passage": "p1", "codes": {"cost": "1"}}
TWO = {"what": "answer", "passage": "p2", "codes": {"cost": "0"}, "memo": "„so“\nnever"}


def test_a_journal_reads_back_what_was_written():
    path = written(ONE, TWO)
    found = read_journal(path)
    assert [{k: v for k, v in one.items() if k != "at"} for one in found.entries] == [ONE, TWO]
    assert found.rest == b""
    assert len(path.read_bytes().splitlines()) == 2


@pytest.mark.parametrize("left", range(1, 60, 7))
def test_a_cut_last_line_is_left_aside_with_a_remark_and_the_next_answer_follows_it(left):
    path = written(ONE, TWO)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    path.write_bytes(whole[: first + left])
    found = read_journal(path)
    assert [one["passage"] for one in found.entries] == ["p1"]
    assert "is cut" in found.remark("ann")[0]
    written(TWO)
    entries = read_journal(path).entries
    assert [one["what"] for one in entries] == ["answer", "cut", "answer"]
    assert entries[1]["text"].encode() == whole[first : first + left]


def test_a_last_line_that_lacks_its_end_alone_counts():
    path = written(ONE, TWO)
    path.write_bytes(path.read_bytes()[:-1])
    assert len(read_journal(path).entries) == 2
    written(ONE)
    assert len(read_journal(path).entries) == 3


@pytest.mark.parametrize("broken", [
    b'{"what":"ans', b"", b"[1]", b'{"what":"answer","passage":"p1"}', b"\xff\xfe",
    b'{"what":"answer","passage":"p1","codes":{"cost":1}}',
    b'{"what":"answer","passage":1,"codes":{}}',
])  # fmt: skip
def test_a_broken_line_in_the_middle_is_an_error_that_names_the_line(broken):
    path = written(ONE, TWO)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], broken, *lines[1:]]))
    with pytest.raises(InputError, match=r"journal\.jsonl, line 2"):
        read_journal(path)


def test_a_journal_that_is_open_is_not_opened_again():
    writer = Writer("ann")
    with pytest.raises(InputError, match="another page of 'ann'"):
        Writer("ann")
    Writer("bob").close()
    writer.close()
    Writer("ann").close()


def test_an_answer_that_cannot_be_written_leaves_no_half_line(monkeypatch):
    writer = Writer("ann")
    writer.write([ONE])
    before = journal_file("ann").read_bytes()

    def full(_handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(InputError, match="space"):
            writer.write([TWO])
    assert journal_file("ann").read_bytes() == before
    writer.close()


def test_a_journal_in_which_nothing_was_written_leaves_no_trace():
    Writer("ann").close()
    assert not journal_file("ann").parent.exists()


def test_only_journals_may_lie_in_folders_of_coders():
    written(ONE)
    folder = Path("corpus/codings")
    assert foreign_files(folder) == []
    (folder / "ann" / "notes.txt").touch()
    assert [one.place for one in foreign_files(folder)] == [folder / "ann"]
    (folder / "ann" / "notes.txt").unlink()
    (folder / "bob").mkdir()
    (folder / "a b").mkdir()
    (folder / "a b" / "journal.jsonl").touch()
    (folder / "x.csv").touch()
    assert [one.place.name for one in foreign_files(folder)] == ["a b", "bob", "x.csv"]


# --- orders and shares ----------------------------------------------------------------------------

NAMES = [f"p{n}" for n in range(40)]


def test_every_coder_has_an_order_of_ones_own_which_hangs_on_nothing_else():
    ann = own_order(NAMES, "ann", 1)
    assert sorted(ann) == sorted(NAMES)
    assert ann == own_order(reversed(NAMES), "ann", 1)
    assert ann != own_order(NAMES, "bob", 1)
    assert ann != own_order(NAMES, "ann", 2)
    assert own_order(["a", "b", "c"], "ann", 0) == ["b", "c", "a"]
    assert own_order(["a", "b", "c"], "bob", 0) == ["c", "b", "a"]


def test_letters_are_dealt_anew_for_each_passage():
    dealt_letters = [tuple(lettered(["ann", "bob", "eve"], "zoe", name).items()) for name in NAMES]
    assert all({letter for _, letter in one} == {"A", "B", "C"} for one in dealt_letters)
    assert len({dict(one)["ann"] for one in dealt_letters}) == 3
    assert dealt_letters[0] == tuple(lettered(["eve", "ann", "bob"], "zoe", "p0").items())


@given(st.integers(1, 60), st.integers(1, 5), st.floats(0, 1), st.integers(0, 5), st.integers(1, 3))
def test_plans_deal_every_passage_and_as_many_to_each(number, coders, twice, seed, strata):
    names = [f"c{n}" for n in range(coders)]
    twice = twice if coders > 1 else 0.0
    ids = {f"p{n}": f"s{n % strata}" for n in range(number)}
    plan = dealt(ids, names, twice, seed)
    assert plan == dealt(ids, names, twice, seed)
    times = Counter(passage for passage, _ in plan)
    assert set(times) == set(ids) and len(set(plan)) == len(plan)
    assert sum(count == 2 for count in times.values()) == round(twice * number)
    assert set(times.values()) <= {1, 2}
    pairs = Counter(dict.fromkeys(combinations(names, 2), 0))
    of = {}
    for passage, coder in plan:
        of.setdefault(passage, []).append(coder)
    pairs.update(tuple(sorted(own)) for own in of.values() if len(own) == 2)
    if pairs:
        assert max(pairs.values()) - min(pairs.values()) <= 1
    loads = Counter(dict.fromkeys(names, 0))
    loads.update(coder for _, coder in plan)
    assert max(loads.values()) - min(loads.values()) <= 1


def test_plans_hang_on_the_seed_and_take_of_every_stratum():
    ids = {f"p{n}": "long" if n < 40 else "short" for n in range(60)}
    one, two = (dealt(ids, ["ann", "bob"], 0.2, seed) for seed in (0, 1))
    assert one != two
    both = Counter(passage for passage, _ in one)
    of = Counter(ids[name] for name, count in both.items() if count == 2)
    assert of == {"long": 8, "short": 4}
    short = Counter(coder for passage, coder in one if ids[passage] == "short")
    assert abs(short["ann"] - short["bob"]) <= 1


@pytest.mark.parametrize(("coders", "twice", "what"), [
    (["a/../b"], 0, "no coder's name"), (["ann", "Ann"], 0, "twice"), ([], 0, "nobody"),
    (["ann", "bob"], 1.5, "1.5"), (["ann"], 0.2, "one coder"),
])  # fmt: skip
def test_plans_that_cannot_be_are_refused(coders, twice, what):
    assert [what in str(one) for one in asked_problems(coders, twice)] == [True]
    assert asked_problems(["ann", "bob"], 1.0) == []


def pool(number, role="development", *, pending=False, bar=""):
    ids = tuple(f"{number}-{n}" for n in range(4))
    return Pool(number, f"draw {number}", role, ids, ("s",) * 4, pending, bar)


POOLS = [pool(0), pool(1), pool(2, "confirmation", pending=True, bar="nothing has been frozen yet")]


def numbers(found):
    return [one.number for one in found]


def test_a_coder_is_offered_the_draws_that_wait():
    assert numbers(offered(POOLS, "ann", {}, [], [])) == [0, 1]
    assert numbers(offered(POOLS, "ann", {}, POOLS[0].ids, [])) == [1]
    assert numbers(offered(POOLS, "ann", {}, POOLS[0].ids[:3], [])) == [0, 1]
    free = [*POOLS[:2], pool(2, "confirmation", pending=True)]
    assert numbers(offered(free, "ann", {}, [], [])) == [0, 1, 2]


def test_a_coder_is_offered_what_was_begun_although_others_are_through():
    every = [*POOLS[0].ids, *POOLS[1].ids]
    assert numbers(offered(POOLS, "bob", {}, every, POOLS[0].ids[:1])) == [0]
    # One who is through with all may look at it again.
    assert numbers(offered(POOLS, "ann", {}, every, every)) == [0, 1]
    with pytest.raises(InputError) as error:
        offered(POOLS, "eve", {}, every, [])
    assert "--draw 0" in str(error.value) and "nothing has been frozen" in str(error.value)


def test_a_plan_decides_who_has_a_share():
    plan = {"ann": {*POOLS[0].ids[:3]}, "bob": {*POOLS[0].ids[2:]}}
    assert share_of(POOLS[0], "ann", plan) == list(POOLS[0].ids[:3])
    assert share_of(POOLS[0], "eve", plan) == []
    assert share_of(POOLS[1], "eve", plan) == list(POOLS[1].ids)
    assert numbers(offered(POOLS, "eve", plan, [], [])) == [1]
    assert numbers(offered(POOLS, "ann", plan, [*POOLS[0].ids, *POOLS[1].ids], [])) == [0]
    with pytest.raises(InputError, match="gives 'eve' no passage"):
        offered(POOLS[:1], "eve", plan, [], [])
    with pytest.raises(InputError, match="gives 'eve' no passage"):
        offered(POOLS, "eve", plan, [], [], [0])


def test_a_draw_that_is_asked_for_is_offered_unless_it_waits_for_its_freeze():
    assert numbers(offered(POOLS, "ann", {}, POOLS[0].ids, [], [0])) == [0]
    with pytest.raises(InputError, match="nothing has been frozen"):
        offered(POOLS, "ann", {}, [], [], [2])
    with pytest.raises(InputError, match="no such draw"):
        offered(POOLS, "ann", {}, [], [], [7])
    assert numbers(to_be_dealt(POOLS, POOLS[0].ids)) == [1, 2]
    with pytest.raises(InputError, match="no draw waits"):
        to_be_dealt(POOLS[:1], POOLS[0].ids)


# --- keys -----------------------------------------------------------------------------------------


def test_every_level_of_every_kind_has_a_key_of_its_own():
    keys = keys_of(list(CODES.values()))
    assert len(set(keys.values())) == len(keys) == 2 + 3 + 3
    assert keys["cost", "1"] == "1" and keys["cost", "0"] == "2"  # yes comes first
    assert keys["stance", "for"] == "3" and keys["heat", "1"] == "8"


def test_keys_of_levels_do_nothing_else():
    many = [yes_no_code(f"c{n}", "", "") for n in range(20)]
    keys = keys_of(many)
    assert not set(keys.values()) & set(RESERVED)
    assert len(set(keys.values())) == len(keys) < 40


def test_a_code_alone_whose_levels_are_digits_has_these_as_keys():
    assert keys_of([CODES["cost"]]) == {("cost", "0"): "0", ("cost", "1"): "1"}
    assert [level.name for level in shown_levels(CODES["cost"])] == ["1", "0"]
    assert [level.name for level in shown_levels(CODES["heat"])] == ["-1", "0", "1"]


# --- the desk -------------------------------------------------------------------------------------


def test_an_answer_is_in_the_journal_when_it_is_taken():
    one = desk()
    assert said(one, 0, memo="odd", unsure=True) == "new"
    entry = read_journal(journal_file("ann")).entries[-1]
    assert entry["codes"] == {"cost": "1", "stance": "for"}
    assert entry["memo"] == "odd" and entry["unsure"] is True and entry["context"] is False
    assert entry["seconds"] >= 0 and entry["words"] == items(1)[0].words
    assert (one.done, one.next_place(0), one.doubts()) == (1, 1, [0])
    close(one)


def test_a_desk_opened_anew_knows_all_that_was_said():
    one = desk()
    said(one, 1)
    one.skip(0, Draft(memo="later"))
    one.context(2)
    close(one)
    two = desk()
    assert (two.done, two.skipped, two.doubts(), two.next_place()) == (1, 1, [0], 2)
    assert two.draft_at(0).memo == "later" and two.draft_at(1).codes["stance"] == "for"
    assert two.has_context(2) and not two.has_context(1)
    said(two, 2)
    assert two.next_place(2) == 0  # what was put off comes last
    said(two, 0)
    assert two.complete and two.next_place(0) is None and two.doubts() == []
    close(two)


def test_another_answer_is_a_change_and_the_same_one_is_none():
    one = desk()
    said(one, 0, cost="1")
    assert said(one, 0, cost="1") == "same"
    assert said(one, 0, cost="0") == "changed"
    entries = read_journal(journal_file("ann")).entries
    assert [entry.get("change", False) for entry in entries] == [False, True]
    assert entries[1]["before"] == {"cost": "1", "stance": "for"}
    assert (one.done, one.answer_at(0).codes["cost"]) == (1, "0")
    close(one)


def test_two_tabs_lose_nothing_and_the_later_answer_counts():
    one = desk()
    tokens = [one.show(0)[1] for _ in range(2)]
    first, second = ({"cost": cost, "stance": "for"} for cost in "10")
    assert one.answer(0, Draft(first, token=tokens[0])) == "new"
    assert one.answer(0, Draft(second, token=tokens[1])) == "crossed"
    entries = read_journal(journal_file("ann")).entries
    assert [entry["codes"] for entry in entries] == [first, second]
    assert entries[1]["crossed"] is True
    assert one.answer_at(0).codes == second
    close(one)


def test_what_the_table_has_stands_below_the_journal():
    rows = {"p0": {"cost": "1", "stance": "against", "heat": "NA", "unsure": "1"},
            "p1": {"cost": "1", "stance": "NA", "heat": "NA", "unsure": "0"}}  # fmt: skip
    one = desk(table=rows)
    assert (one.done, one.next_place(), one.doubts()) == (1, 1, [0])
    assert said(one, 0) == "changed"
    assert read_journal(journal_file("ann")).entries[0]["before"] == {
        "cost": "1", "stance": "against"
    }  # fmt: skip
    close(one)


def test_a_form_says_only_what_the_page_asks():
    one = desk()
    form = {"code-0": "1", "code-1": "neither", "unsure": "1", "memo": " a\r\nb ", "token": "t"}
    assert one.draft_of(0, form) == Draft(
        {"cost": "1", "stance": "neither"}, unsure=True, memo="a\nb", token="t"
    )
    for wrong in ({"code-0": "2"}, {"code-1": "1"}, {"confidence": "sure"}, {"memo": "x" * 10_001}):
        with pytest.raises(RefusedError):
            one.draft_of(0, wrong)
    assert one.lacking(0, one.draft_of(0, {"code-0": "1"})) == ["Stance"]
    for number in ("0", "4", "-1", "x", "", "1.0", "²", "9" * 30):
        with pytest.raises(RefusedError):
            one.place_of(number)
    assert one.place_of("3") == 2
    close(one)


def test_an_adjudicator_says_how_sure_and_why():
    one = desk(adjudicates=True)
    draft = Draft({"cost": "1", "stance": "for"})
    assert one.lacking(0, draft) == ["how sure you are", "your reason"]
    draft.confidence, draft.reason = "low", "The first half says so."
    assert one.lacking(0, draft) == []
    one.answer(0, draft)
    entry = read_journal(journal_file("ann")).entries[-1]
    assert (entry["reason"], entry["confidence"], entry["unsure"]) == (draft.reason, "low", True)
    close(one)


# --- into the tables ------------------------------------------------------------------------------

CODE_NAMES = ["cost", "stance", "heat"]


def hand(*answers: tuple[str, dict[str, str]], coder: str = "ann") -> Hand:
    return hand_of(coder, [{"what": "answer", "passage": p, "codes": c} for p, c in answers])


def table(*rows: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["passage_id", "coder", *CODE_NAMES, "unsure"])


def test_answers_join_the_rows_that_are_there():
    before = table(("p9", "ann", "0", "for", "0", "0"), ("p1", "ann", "1", "for", "0", "0"))
    own = hand(
        ("p1", {"cost": "1", "stance": "for", "heat": "0"}), ("p1", {"cost": "0", "heat": "1"}),
        ("p2", {"cost": "1", "stance": "against", "heat": "-1"}),
    )  # fmt: skip
    found, changed, problems = merged("ann", before, own, ["p1", "p2"], CODE_NAMES)
    assert problems == [] and changed == ["p1", "p2"]
    assert list(found.itertuples(index=False, name=None)) == [
        ("p9", "ann", "0", "for", "0", "0"), ("p1", "ann", "0", "NA", "1", "0"),
        ("p2", "ann", "1", "against", "-1", "0"),
    ]  # fmt: skip


def test_a_row_that_was_changed_by_hand_is_not_overwritten():
    before = table(("p1", "ann", "0", "neither", "0", "0"))
    own = hand(("p1", {"cost": "1", "stance": "for", "heat": "0"}))
    _, changed, problems = merged("ann", before, own, ["p1"], CODE_NAMES)
    assert changed == [] and "never said at the page" in str(problems[0])
    # A page that showed the row, and had another answer, may.
    own.said["p1"].insert(0, {"cost": "0", "stance": "neither", "heat": "0"})
    assert merged("ann", before, own, ["p1"], CODE_NAMES)[1:] == (["p1"], [])


def row(cost: str, stance: str) -> dict[str, str]:
    return {"cost": cost, "stance": stance, "heat": "NA", "unsure": "0"}


TABLES = {
    "ann": {"p1": row("1", "for"), "p2": row("0", "for"), "p3": row("0", "NA")},
    "bob": {"p1": row("0", "for"), "p2": row("0", "for"), "p3": row("0", "for")},
    "eve": {"p1": row("1", "against"), "p4": row("1", "for")},
}


def test_disputed_is_what_coders_say_otherwise():
    assert disputed(TABLES, TABLES, CODE_NAMES, ["p1", "p2", "p3", "p4"]) == {
        "p1": {"cost": {"ann": "1", "bob": "0", "eve": "1"},
               "stance": {"ann": "for", "bob": "for", "eve": "against"}},
    }  # fmt: skip
    assert disputed(TABLES, ["ann", "bob"], CODE_NAMES, ["p1"]) == {
        "p1": {"cost": {"ann": "1", "bob": "0"}}
    }


def test_the_adjudicator_codes_what_is_disputed_and_nothing_else():
    found = disputed(TABLES, ["ann", "bob"], CODE_NAMES, ["p1", "p2"])
    own = hand(("p1", {"cost": "1", "stance": "for"}), ("p2", {"cost": "1"}), coder="zoe")
    assert settled_rows(own, found, CODE_NAMES) == {"p1": row("1", "NA")}
    assert settled_rows(hand(coder="zoe"), found, CODE_NAMES) == {}
    # An answer that leaves out what is disputed by now settles nothing.
    more = disputed(TABLES, TABLES, CODE_NAMES, ["p1"])
    assert settled_rows(hand(("p1", {"cost": "1"}), coder="zoe"), more, CODE_NAMES) == {}


# --- the adjudicator's code -----------------------------------------------------------------------


def long(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["passage_id", "coder", "code", "value"]).assign(unsure=0)


CODINGS = long(
    ("p1", "ann", "cost", 1), ("p1", "bob", "cost", 0), ("p1", "zoe", "cost", 1),
    ("p2", "ann", "cost", 1), ("p2", "bob", "cost", 1),
    ("p3", "ann", "cost", 1), ("p3", "bob", "cost", 0),
)  # fmt: skip
MAJORITY = {"rule": "majority", "tie": "absent"}


def test_the_adjudicators_code_counts_where_there_is_one():
    found = combine_coders(CODINGS, MAJORITY | {"adjudicator": "zoe"})
    assert list(found.itertuples(index=False, name=None)) == [
        ("p1", "cost", 1, 2, 1.0, 0), ("p2", "cost", 1, 2, 1.0, 0), ("p3", "cost", 0, 2, 0.5, 1),
    ]  # fmt: skip
    against = CODINGS.assign(value=CODINGS["value"].where(CODINGS["coder"] != "zoe", 0))
    found = combine_coders(against, {"rule": "any", "tie": "absent", "adjudicator": "zoe"})
    assert list(found["label"]) == [0, 1, 1]


def test_without_an_adjudicator_nothing_changes():
    others = CODINGS[CODINGS["coder"] != "zoe"].reset_index(drop=True)
    plain = combine_coders(others, MAJORITY)
    pd.testing.assert_frame_equal(combine_coders(others, MAJORITY | {"adjudicator": "zoe"}), plain)
    pd.testing.assert_frame_equal(independent(CODINGS, MAJORITY), CODINGS)


def test_the_adjudicator_is_no_independent_coder():
    rule = MAJORITY | {"adjudicator": "zoe"}
    assert set(independent(CODINGS, rule)["coder"]) == {"ann", "bob"}
    assert set(labels_by_coder(CODINGS, rule)) == {"ann", "bob"}
    standard = {"rule": "standard", "tie": "absent", "standard": "ann", "adjudicator": "zoe"}
    assert "adjudicator" in _standard_problems(standard, Path("c"))[0].what


def test_a_freeze_knows_an_adjudicator_only_where_there_is_one():
    bare = {"groups": {}, "combinations": {}, "coders": MAJORITY, "coding": {"fast": 1}}
    assert settings_of(bare)["coders"] == MAJORITY
    assert "coding" not in settings_of(bare)
    named = settings_of({**bare, "coders": MAJORITY | {"adjudicator": "zoe"}})
    assert named["coders"]["adjudicator"] == "zoe"


# --- the supervisor -------------------------------------------------------------------------------


def test_decisions_faster_than_reading_are_fast():
    assert is_fast(Answer({}, seconds=2.9, words=30), 600)
    assert not is_fast(Answer({}, seconds=3.0, words=30), 600)
    assert not is_fast(Answer({}, seconds=None, words=30), 600)


def test_pace_leaves_breaks_out():
    assert pace([10, 20, 30, 4000], 600) == (20, 3600 * 3 / 60)
    assert pace([4000], 600) == (None, None)
    assert pace([], 600) == (None, None)


def test_a_journal_is_plain_json():
    path = written(ONE)
    assert json.loads(path.read_text("utf-8"))["codes"] == {"cost": "1"}
