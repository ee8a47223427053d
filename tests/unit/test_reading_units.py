"""Cutting: sentences, passages, turns, repeats, scope; the essay comes out as it is frozen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.acquire.read.read import read_document
from framing.acquire.read.sentences import LEARNED, hand_list, sentence_spans
from framing.acquire.read.settings import reading_settings
from framing.acquire.read.train import learn
from framing.acquire.read.units import cut_passages, lacking, repeats, runs, scope_needs
from framing.common.config import read_yaml
from framing.common.files import read_table, sha256
from framing.common.problems import InputError
from framing.corpus.tables import passage_id
from tests.unit.reading_samples import BODY

UNITS = reading_settings()["units"]
CORPUS = Path("..") / "shared" / "corpus"


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Gen. Alder met Lt. Birch near St. Mary. They talked.",
        "The U.S. Senate voted on No. 12 of the list. It passed.",
        "He spoke to J. P. Maple, i.e. to the mayor. She answered.",
        "On Oct. 3 at 5 p.m. the lock opened. Water came.",
        "“We wait for water.” The keeper nodded.",
        "Did it rain? (It had not.) The field was dry.",
        "Dr. A. Pear vs. the canal company. The court sat in D.C. and London.",
    ],
)
def test_abbreviations_and_initials_do_not_end_a_sentence(text):
    found = sentences(text)
    assert len(found) == (3 if "(" in text else 2), found


def test_closing_marks_stay_with_their_sentence():
    assert sentences("She said: “Come in.”) He came. then left.") == [
        "She said: “Come in.”)", "He came. then left.",
    ]  # fmt: skip


def test_more_abbreviations_may_be_given():
    text = "He paid five qrt. Wheat was dear."
    assert len(sentence_spans(text)) == 2
    assert len(sentence_spans(text, ("qrt.",))) == 1


def test_what_was_learned_is_words_only():
    learned = json.loads(LEARNED.read_text(encoding="utf-8"))
    assert set(learned) == {"abbreviations", "collocations", "sentence_starters"}
    for name, entries in learned.items():
        assert entries == sorted(entries)
        flat = [
            word for entry in entries for word in ([entry] if name != "collocations" else entry)
        ]
        assert all(re.fullmatch(r"\S+", word) for word in flat)
    assert "u.s" in learned["abbreviations"]


def test_learning_finds_an_abbreviation():
    text = " ".join(f"The hgt. of wall {n} was measured. It was fine." for n in range(40))
    assert "hgt" in learn([text])["abbreviations"]


def test_a_list_has_comments_and_no_points():
    assert hand_list("# titles\nDr.\n\ne.g.  # Latin\n") == ["dr", "e.g"]


def test_a_long_paragraph_is_filled_to_the_limit():
    text = " ".join(f"This is sentence number {n} of it." for n in "abcdefgh")
    assert [text[a:b].count(".") for a, b in runs(text, 0, len(text), 21)] == [3, 3, 2]
    assert runs(text, 0, len(text), 56) == [(0, len(text))]
    assert len(runs(text, 0, len(text), 3)) == 8


def test_passages_have_the_columns_and_ids_of_the_corpus():
    text = "\n\n".join(["A heading", *BODY]) + "\n"
    cut = cut_passages("orchard", text, UNITS)
    assert list(cut.passages.columns) == ["passage_id", "source_id", "start", "end", "words"]
    assert [text[row.start : row.end] for row in cut.passages.itertuples()] == list(BODY)
    first = cut.passages.iloc[0]
    assert first["passage_id"] == passage_id("orchard", first["start"], first["end"])
    assert cut.left_out["reason"].tolist() == ["shorter than 12 words"]
    empty = cut_passages("none", "\n", UNITS)
    assert empty.passages.empty and empty.left_out.empty
    assert list(empty.left_out.columns) == ["source_id", "start", "end", "words", "reason"]


def test_of_the_same_text_twice_the_first_counts():
    assert repeats(["One pear fell.", "Two pears fell.", "one pear fell"], 0.4) == {2: 0}
    assert repeats(["a b c d", "x a b c d y"], 0.4) == {1: 0}


def test_a_quotation_on_show_does_not_count_wherever_it_stands():
    quote = "bees that came to them in April, and she sold the honey"
    long = f"{BODY[0]} {BODY[1]} {BODY[2]}"
    assert repeats([quote, long], 0.4) == {0: 1}
    assert repeats([long, quote], 0.4) == {1: 0}
    assert repeats(["", "", quote], 0.4) == {}


@pytest.mark.slow
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=7).map(" ".join), max_size=7))
@settings(max_examples=150, deadline=None)
def test_repeats_agree_with_comparing_each_with_each(texts):
    found = repeats(texts, 0.4)
    padded = [f" {text} " for text in texts]
    kept = [n for n in range(len(texts)) if n not in found and texts[n]]
    assert all(padded[a] not in padded[b] for a in kept for b in kept if a != b)
    for short, long in found.items():
        assert padded[short] in padded[long] or padded[long] in padded[short]


def test_questions_are_no_passages_and_other_voices_only_when_told():
    said = [f"Q: {BODY[0]}", f"Jane Alder: {BODY[1]}", f"Tom Birch: {BODY[2]}"]
    said += ["Tom Birch: yes", "Tom Birch: no", "Jane Alder: yes", "Jane Alder: no"]
    text = "\n\n".join(said)
    source = {"speaker": "Jane Alder"}
    cut = cut_passages("talk", text, UNITS, source)
    assert len(cut.passages) == 1
    assert cut.left_out["reason"].tolist()[:2] == [
        "a questioner's turn (Q)", "another speaker's turn (Tom Birch)",
    ]  # fmt: skip
    everyone = {**UNITS, "turns": {**UNITS["turns"], "only_the_speaker": False}}
    assert len(cut_passages("talk", text, everyone, source).passages) == 2
    assert len(cut_passages("talk", text, UNITS).passages) == 2  # nobody said who the guest is


SCOPE = {
    "terms": {"bees": ["bee", "hive*"], "water": ["canal", "Lock"]},
    "rules": [
        {"where": {"kind": ["letter"]}, "needs": ["bees"]},
        {"where": {"kind": ["poem"], "author": ["A"]}, "needs": []},
        {"where": {"kind": ["speech"]}, "needs": ["bees", "water"]},
    ],
}


def test_the_first_scope_rule_that_fits_decides():
    assert scope_needs({"kind": "letter"}, SCOPE) == ["bees"]
    assert scope_needs({"kind": "poem", "author": "A"}, SCOPE) == []
    assert scope_needs({"kind": "poem", "author": "B"}, SCOPE) is None
    assert lacking("Hives stood by the lock", ["bees", "water"], SCOPE) == ["bees", "water"]
    assert lacking("a hive-like Lock, anti-bee", ["bees", "water"], SCOPE) == []
    assert lacking("beech by the canals", ["bees", "water"], SCOPE) == ["bees", "water"]


def test_what_is_out_of_scope_says_what_it_lacks():
    text = "The bee went over the canal and came back with nothing but a song that day."
    units = {**UNITS, "scope": SCOPE}
    assert len(cut_passages("s", text, units, {"kind": "speech"}).passages) == 1
    cut = cut_passages("s", text.replace("canal", "hill"), units, {"kind": "speech"})
    assert cut.left_out["reason"].tolist() == ["out of scope: does not speak of water"]
    cut = cut_passages("s", text, units, {"kind": "song"})
    assert cut.left_out["reason"].tolist() == ["out of scope: no scope rule fits its source"]


def test_a_scope_rule_with_an_unknown_term():
    with pytest.raises(InputError, match="rule 1 needs 'hedges'"):
        scope_needs({}, {"terms": {}, "rules": [{"where": {}, "needs": ["hedges"]}]})


PROSE = st.text(
    st.one_of(
        st.sampled_from("abcDEF.!? \n\n“”\"')(:;-0"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=300,
)


@pytest.mark.slow
@given(PROSE, st.integers(1, 30), st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_offsets_slice_to_what_they_say_and_nothing_is_lost(text, most, least):
    units = {**UNITS, "max_words": most, "min_words": least}
    cut = cut_passages("s", text, units)
    every = pd.concat([cut.passages[["start", "end", "words"]], cut.left_out])
    spans = sorted(zip(every["start"], every["end"], every["words"], strict=True))
    covered = ""
    end = 0
    for start, stop, words in spans:
        assert end <= start < stop <= len(text)
        assert text[end:start].strip() == ""
        piece = text[start:stop]
        assert piece == piece.strip() and "\n" not in piece
        assert len(piece.split()) == words
        covered += piece
        end = stop
    assert "".join(covered.split()) == "".join(text.split())
    assert (cut.passages["words"] >= least).all()


@pytest.fixture(scope="module")
def shared(root: Path) -> Path:
    folder = root / CORPUS
    if not folder.is_dir():
        pytest.skip("the folder with the original texts is not beside the repository")
    return folder


def test_the_essay_comes_out_as_it_is_frozen(root, shared):
    document = read_document(shared / "raw" / "pouliot-2011.txt")
    sources = read_table(root / "corpus" / "sources.tsv", (), extra=True)
    row = sources[sources["source_id"] == "pouliot-2011"].iloc[0].to_dict()
    assert sha256(document.text()) == row["sha256"]
    assert {each.reason for each in document.dropped} == {"caption or credit", "no words"}
    frozen = read_table(root / "corpus" / "passages.tsv", (), extra=True)
    frozen = frozen[frozen["source_id"] == "pouliot-2011"].drop(columns="_line")
    # With the defaults, and with what this project lays over them.
    for own in ({}, {"units": read_yaml(root / "config" / "config.yaml")["units"]}):
        cut = cut_passages("pouliot-2011", document.text(), reading_settings(own)["units"], row)
        assert cut.passages.astype(str).values.tolist() == frozen.values.tolist()


def test_the_frozen_passages_come_out_again(root, shared):
    own = {"units": read_yaml(root / "config" / "config.yaml")["units"]}
    units = reading_settings(own)["units"]
    sources = read_table(root / "corpus" / "sources.tsv", (), extra=True).to_dict("records")
    frozen = read_table(root / "corpus" / "passages.tsv", (), extra=True)
    same = total = 0
    for row in sources[::4]:
        path = shared / "texts" / f"{row['source_id']}.txt"
        if not path.is_file():  # of the sources that joined later, whose passages were handed over
            continue
        text = path.read_text(encoding="utf-8")
        own = set(cut_passages(row["source_id"], text, units, row).passages["passage_id"])
        want = set(frozen[frozen["source_id"] == row["source_id"]]["passage_id"])
        same += len(own & want)
        total += len(want)
    assert same / total > 0.98  # 0.994 of all 850; benchmarks/units.py has the whole table
