"""Facts in shards, words as arrays, the corpus in parts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.common.files import sha256
from framing.common.problems import InputError
from framing.corpus.earlier_facts import earlier_facts, earlier_problems
from framing.corpus.facts import stray_facts
from framing.corpus.store import (
    SHARDS,
    changed_shards,
    facts_at_hand,
    read_facts,
    shard_name,
    shard_path,
)
from framing.corpus.word_counts import counts_of, joined, read_counts, write_counts
from framing.corpus.words import word_counts
from framing.project.parts import (
    FURTHER,
    KINDS,
    SAMPLED,
    note_down,
    note_path,
    noted_hits,
    noted_sources,
    number_of_parts,
    part_of,
    parts_by_kind,
    parts_of,
    strays_of,
)

NAMES = [f"s{number}" for number in range(12)]


def facts_of(name: str, text: str = "A boat, a hill.", cue: str = "aa") -> dict:
    row = {"passage_id": f"p-{name}", "start": 0, "end": len(text), "words": len(text.split()),
           "sha256": sha256(text), "counts": word_counts(text), "hits": {"boats/1": 1}}  # fmt: skip
    return {"format": "framing-derived/2", "words": "words/1", "source_id": name,
            "text_sha256": sha256(text), "characters": len(text), "cues": {"boats": cue},
            "passages": [row]}  # fmt: skip


def store(*facts: dict) -> None:
    writes, removals, _ = changed_shards({one["source_id"]: one for one in facts})
    for path, text in writes.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in removals:
        path.unlink()


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- shards ---------------------------------------------------------------------------------------


def test_a_source_stands_in_the_shard_of_its_id_wherever_it_came_in(project):
    store(*map(facts_of, NAMES))
    before = {name: shard_path(name).read_bytes() for name in NAMES}
    for path in set(map(shard_path, NAMES)):
        path.unlink()
    for name in reversed(NAMES):
        store(facts_of(name))
    assert {name: shard_path(name).read_bytes() for name in NAMES} == before
    assert [read_facts(name) for name in NAMES] == [facts_of(name) for name in NAMES]
    assert {one["source_id"] for one in facts_at_hand([*NAMES, "none"])} == set(NAMES)
    assert shard_name("s1") == sha256("s1")[:2] and 16 ** len(shard_name("s1")) == SHARDS


def neighbours() -> tuple[str, str]:
    """Return two ids of one shard."""
    seen: dict[str, str] = {}
    for name in (f"n{number}" for number in range(2000)):
        if shard_name(name) in seen:
            return seen[shard_name(name)], name
        seen[shard_name(name)] = name
    raise AssertionError("two of so many share one")


def test_a_change_leaves_the_lines_of_neighbours_and_drops_cues_that_none_names(project):
    one, two = neighbours()
    store(facts_of(one), facts_of(two, cue="bb"))
    path = shard_path(one)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 2 + 2 * 2
    assert changed_shards({one: facts_of(one)}) == ({}, [], [])
    writes, removals, changed = changed_shards({one: None})
    assert (removals, changed) == ([], [one])
    kept = writes[path].splitlines()
    assert [line for line in lines if line in kept] == kept
    assert len(kept) == 1 + 1 + 2 and not any(f'"{one}"' in line for line in kept)
    assert changed_shards({one: None, two: None}) == ({}, [path], [one, two])


def test_what_is_stored_is_known_and_what_differs_by_a_cue_is_not(project):
    store(facts_of("s1"))
    assert changed_shards({"s1": facts_of("s1")}).sources == []
    assert changed_shards({"s1": facts_of("s1", cue="bb")}).sources == ["s1"]
    assert changed_shards({"s2": facts_of("s2")}).sources == ["s2"]
    with pytest.raises(InputError, match=r"has no facts of source 's2'. Run `framing derive`"):
        read_facts("s2")


def test_a_broken_shard_is_made_anew_only_from_facts_of_all_its_sources(project):
    one, two = neighbours()
    store(facts_of(one), facts_of(two))
    whole = shard_path(one).read_text(encoding="utf-8")
    shard_path(one).write_text(whole[:-9], encoding="utf-8")
    with pytest.raises(InputError, match="is cut off"):
        changed_shards({one: facts_of(one)}, [one, two])
    both = {name: facts_of(name) for name in (one, two)}
    assert changed_shards(both, [one, two]) == ({shard_path(one): whole}, [], [one, two])
    with pytest.raises(InputError, match="is cut off"):
        changed_shards(both)


def test_facts_of_an_earlier_version_are_read_and_asked_for(project):
    facts = facts_of("s1")
    path = project / "corpus" / "derived" / "s1.json"
    path.parent.mkdir(parents=True)
    assert earlier_problems() == []
    path.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    assert earlier_facts() == [facts]
    assert "(1 files *.json). Run `framing derive`" in str(earlier_problems()[0])
    for change, said in (
        ({"format": "framing-derived/1"}, "is not a file of format"),
        ({"source_id": "s2"}, "holds the facts of 's2'"),
        ({"characters": 3}, "runs from 0 to 15"),
        ({"more": 1}, "must have the keys"),
        ({"passages": facts["passages"] * 2}, "has a passage twice"),
    ):
        path.write_text(json.dumps({**facts, **change}), encoding="utf-8")
        with pytest.raises(InputError, match=said):
            earlier_facts()


# --- words ----------------------------------------------------------------------------------------

BAGS = st.lists(st.dictionaries(st.sampled_from("abcdé"), st.integers(1, 9)), max_size=6)


def as_table(counts):
    """Return the counts as plain dictionaries by passage."""
    matrix, terms = counts.terms(stemmed=False)
    return {
        name: {terms[c]: int(row[c]) for c in row.nonzero()[0]}
        for name, row in zip(counts.passages, matrix.toarray(), strict=True)
    }


@given(BAGS, BAGS, st.randoms())
def test_counts_come_back_in_whatever_order_and_company(first, second, chance):
    parts = [
        {f"{part}{number}": bag for number, bag in enumerate(bags)}
        for part, bags in (("x", first), ("y", second))
    ]
    whole = joined([counts_of(part.items(), str.upper) for part in parts])
    everything = {**parts[0], **parts[1]}
    assert as_table(whole) == everything
    ids = [*everything, "unknown"]
    chance.shuffle(ids)
    assert as_table(whole.rows(ids)) == {name: everything.get(name, {}) for name in ids}
    matrix, terms = whole.terms(stemmed=True)
    assert terms == tuple(sorted({word.upper() for bag in everything.values() for word in bag}))
    assert matrix.sum() == sum(sum(bag.values()) for bag in everything.values())


def test_words_of_one_stem_are_added_up():
    counts = counts_of([("p", {"sail": 1, "sails": 2, "oar": 1})], lambda word: word.rstrip("s"))
    matrix, terms = counts.terms(stemmed=True)
    assert (terms, matrix.toarray().tolist()) == (("oar", "sail"), [[1.0, 3.0]])


def test_counts_are_written_to_the_same_bytes_and_read_back(tmp_path):
    parts = [counts_of([("p", {"é": 2, "a": 1})], str), counts_of([], str), counts_of([], str)]
    paths = [tmp_path / f"{number}.npz" for number in range(3)]
    for path, part in zip(paths, parts, strict=True):
        write_counts(path, part)
        before = path.read_bytes()
        write_counts(path, part)
        assert path.read_bytes() == before
    assert as_table(read_counts(paths)) == {"p": {"é": 2, "a": 1}}
    assert as_table(read_counts([])) == {}


# --- parts ----------------------------------------------------------------------------------------


def test_a_part_has_whole_shards_and_every_source_one_part():
    assert [number_of_parts(passages, 100) for passages in (0, 1, 100, 101)] == [1, 1, 1, 2]
    assert number_of_parts(10**9, 100) == SHARDS
    assert [number_of_parts(passages, 100) for passages in (200, 201, 400)] == [2, 4, 4]
    names = [f"n{number}" for number in range(3000)]
    for parts in (1, 2, 3, 100, SHARDS):
        found = {name: part_of(name, parts) for name in names}
        assert set(found.values()) == set(range(parts))
        assert len({(shard_name(name), part) for name, part in found.items()}) <= SHARDS
    assert np.unique([part_of(name, 1) for name in names]).tolist() == [0]


def test_what_joins_leaves_sampled_sources_divided_as_they_were():
    frame = pd.DataFrame({"source_id": ["a"] * 3 + ["b"] * 2})
    more = pd.DataFrame({"source_id": ["a"] * 3 + ["b"] * 9})
    assert parts_by_kind(frame, {"a"}, 2) == {SAMPLED: 2, FURTHER: 1}
    assert parts_by_kind(more, {"a"}, 2) == {SAMPLED: 2, FURTHER: 8}
    assert parts_by_kind(None, {"a"}, 2) == {SAMPLED: 1, FURTHER: 1}


def table(names) -> pd.DataFrame:
    return pd.DataFrame({"source_id": list(names)})


def parts(names=NAMES, sampled=NAMES[:6], hand=None, number=2, rows=None):
    divided = dict.fromkeys(KINDS, number)
    return parts_of(table(names), [rows or {}], set(sampled), hand or {}, divided)


def notes(found) -> dict[str, str]:
    return {part.name: part.note for part in found}


def test_a_note_changes_with_what_its_sources_are_made_from_and_with_nothing_else(project):
    store(*map(facts_of, NAMES))
    before = notes(parts())
    assert {name for part in parts() for name in part.sources} == set(NAMES)
    own = next(part for part in parts() if NAMES[0] in part.sources).name
    text = project / "s0.txt"
    text.write_text("x", encoding="utf-8")
    for after in (parts(hand={"s0": text}), parts(rows={"s0": "other"})):
        assert {name for name, note in notes(after).items() if note != before[name]} == {own}
    # A source that joins an old one's shard changes the note of further sources alone.
    store(facts_of("joins"))
    kind = next(part for part in parts([*NAMES, "joins"]) if "joins" in part.sources)
    changed = {
        name for name, note in notes(parts([*NAMES, "joins"])).items() if note != before.get(name)
    }
    assert (kind.kind, changed) == (FURTHER, {kind.name})
    store(facts_of("s0", cue="bb"))
    assert notes(parts())[own] != before[own]


def test_what_is_no_source_of_the_corpus_is_noted_and_named(project):
    store(*map(facts_of, NAMES), facts_of("stray"))
    everything = parts(sampled=NAMES, number=1)
    assert [part.name for part in everything] == ["sampled/000", "further/000"]
    note_down(everything)
    path = note_path("further/000")
    assert noted_sources(path) == []
    assert noted_sources(note_path("sampled/000")) == NAMES
    assert [str(one.place) for one in strays_of(path, table(NAMES))] == [str(shard_path("stray"))]
    assert "sources.tsv lacks: stray" in str(stray_facts(table(NAMES))[0])
    shard_path("s0").write_text("?\n", encoding="utf-8")
    assert shard_path("s0").name in notes(parts(sampled=NAMES, number=1))["further/000"]


def test_notes_are_written_when_they_change_and_removed_with_their_part(project):
    store(*map(facts_of, NAMES))
    note_down(parts())
    paths = [note_path(part.name) for part in parts()]
    before = [path.stat().st_mtime_ns for path in paths]
    note_down(parts())
    assert [path.stat().st_mtime_ns for path in paths] == before
    note_down(parts(number=1))
    assert noted_hits() == [note_path(f"{kind}/000").with_suffix(".tsv")
                            for kind in (SAMPLED, FURTHER)]  # fmt: skip
