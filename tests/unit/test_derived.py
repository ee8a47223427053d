"""Words, units, texts and derived facts."""

from __future__ import annotations

import copy
import json
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.acquire.read.settings import reading_settings
from framing.acquire.read.units import cut_passages
from framing.common.files import sha256
from framing.common.problems import InputError
from framing.corpus.derived import (
    derive,
    difference,
    frame_problems,
    pattern_problems,
    staleness,
)
from framing.corpus.store import Shard, read_facts, shard_path
from framing.corpus.texts import read_canonical, texts_at_hand
from framing.corpus.words import word_counts

UNITS = reading_settings({"units": {"max_words": 12, "min_words": 3}})["units"]
TEXT = (
    "A heading\n\nOn Monday Dr. Grün met the “council” – twice 🚋. Nobody minded. "
    "They came back on Tuesday and sang. Then all went home.\n\nOne short last line."
)


def test_words_are_counted_in_alphabetical_order_and_without_case():
    counts = word_counts("Don’t stop; DON'T: 1,300 stops – über alles, Über_uns")
    assert counts == {
        "1,300": 1,
        "alles": 1,
        "don't": 2,
        "stop": 1,
        "stops": 1,
        "uns": 1,
        "über": 2,
    }
    assert list(counts) == sorted(counts)


@given(st.lists(st.text(alphabet="abc äß'’,. -", max_size=8)))
def test_word_order_leaves_no_trace(words):
    assert word_counts(" ".join(words)) == word_counts(" ".join(reversed(words)))


def hits(prose):
    return {"home/2": prose.count("home"), "absent/1": 0}


@pytest.fixture
def facts():
    return derive(
        "s", TEXT, cut_passages("s", TEXT, UNITS).passages, hits, {"home": "1", "absent": "2"}
    )


def stored(facts, project):
    """Store facts in a project; return what its shard holds."""
    shard, path = Shard(), project / shard_path(facts["source_id"])
    shard.put(facts)
    path.parent.mkdir(parents=True)
    path.write_text(shard.text(), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_derived_facts_hold_counts_and_no_prose(facts, tmp_path):
    text = stored(facts, tmp_path)
    assert read_facts("s", tmp_path) == facts
    assert [row["hits"] for row in facts["passages"]] == [{}, {"home/2": 1}, {}]
    for row in facts["passages"]:
        assert list(row["counts"]) == sorted(row["counts"])
    assert "went home" not in text


def test_stale_cues_are_named_changed_new_and_dropped(facts):
    assert staleness(facts, {"home": "1", "absent": "2"}) == []
    assert staleness(facts, {"home": "9", "absent": "2"}) == ["home"]
    assert staleness(facts, {"home": "1", "fresh": "3"}) == ["absent", "fresh"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f["passages"][1]["counts"].update(home=2), "'home' is 2, the text gives 1"),
        (lambda f: f["passages"][1].update(hits={}), "hits of 'home/2' is 0, the text gives 1"),
        (lambda f: f["passages"][0].update(sha256="0"), "sha256 is 0"),
        (lambda f: f.update(characters=3), "characters is 3"),
        (lambda f: f["passages"].pop(), "number of passages"),
    ],
)
def test_a_difference_names_passage_and_fact(facts, change, said):
    committed = copy.deepcopy(facts)
    change(committed)
    unlike = difference(committed, facts)
    assert unlike is not None
    assert said in unlike
    assert difference(facts, copy.deepcopy(facts)) is None


def test_passages_outside_the_text_or_miscounted_are_refused():
    units = cut_passages("s", TEXT, UNITS).passages
    with pytest.raises(InputError, match=r"ends at 999, the text has \d+ characters"):
        derive("s", TEXT, units.assign(end=[*units["end"][:2], 999]), hits, {})
    with pytest.raises(InputError, match=r"has 4 words, passages.tsv says 5"):
        derive("s", TEXT, units.assign(words=[12, 11, 5]), hits, {})


def test_facts_must_fit_sources_and_passages(facts, tmp_path):
    units = cut_passages("s", TEXT, UNITS).passages
    digest = facts["text_sha256"]
    path = tmp_path / "s.json"
    assert frame_problems(facts, path, digest, units) == []
    cases = {
        "another digest": ("0" * 64, units),
        "which passages.tsv lacks": (digest, units.iloc[:2]),
        "other offsets": (digest, units.assign(start=units["start"] + 1)),
        "the text has": (digest, units.assign(end=9999)),
        "lacks the passage": (digest, pd.concat([units, units.assign(passage_id="new")])),
    }
    for said, (own_digest, own_units) in cases.items():
        problems = frame_problems(facts, path, own_digest, own_units)
        assert problems
        assert said in str(problems[0])


def test_the_first_folder_with_a_text_wins_and_absent_folders_are_passed_over(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "s.txt").write_text(name, encoding="utf-8")
    found = texts_at_hand([tmp_path / "none", tmp_path / "b", tmp_path / "a"], ["s", "t"])
    assert found == {"s": tmp_path / "b" / "s.txt"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xef\xbb\xbfx", "byte order mark"),
        (b"x\r\n", "carriage returns"),
        (b"\xff", "not UTF-8"),
        ("e\u0301".encode(), "normal form C"),
        (b"other", "has the digest"),
    ],
)
def test_texts_that_are_not_canonical(tmp_path, data, said):
    path = tmp_path / "s.txt"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        read_canonical(path, sha256("x"))


def test_a_pattern_that_its_cue_does_not_have_is_named(facts, tmp_path):
    path = tmp_path / "s.json"
    assert pattern_problems(facts, path, {"home": 2, "absent": 1}) == []
    problems = pattern_problems(facts, path, {"home": 1, "absent": 1})
    name = facts["passages"][1]["passage_id"]
    assert [str(one.place) for one in problems] == [str(path)]
    assert problems[0].what == f"passage {name}: has hits of pattern 2 of 'home', which has 1"
    assert "framing derive" in problems[0].remedy


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("home", "has hits of 'home', which names no cue and pattern"),
        ("home/0", "has hits of 'home/0', which names no cue and pattern"),
        ("home/02", "has hits of 'home/02', which names no cue and pattern"),
        ("other/1", "has hits of 'other/1', whose cue is not among the cues"),
    ],
)
def test_hits_that_no_pattern_can_have_are_named(facts, tmp_path, key, said):
    facts["passages"][1]["hits"] = {key: 1}
    stored(facts, tmp_path)
    with pytest.raises(InputError, match=re.escape(said)):
        read_facts("s", tmp_path)


def test_facts_are_a_passage_a_line(facts, tmp_path):
    lines = stored(facts, tmp_path).splitlines()
    rows = [json.loads(line) for line in lines if line.startswith('{"passage_id"')]
    assert rows == facts["passages"]
