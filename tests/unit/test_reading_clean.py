"""Cleaning: what is no text goes, with its reason; what is text stays, to the word."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.acquire.read.clean import clean, repair, turns, without_footnotes
from framing.acquire.read.document import Line, paragraph
from framing.acquire.read.settings import reading_settings
from framing.acquire.read.turns import label, same_person
from tests.unit.reading_samples import BODY, words

SETTINGS = reading_settings()["reading"]["clean"]
TURNS = reading_settings()["units"]["turns"]


def lines(*texts: str) -> list[Line]:
    return [Line(text, f"line {number}") for number, text in enumerate(texts, start=1)]


def cleaned(*texts: str) -> tuple[list[str], list[tuple[str, str]]]:
    kept, dropped = clean(lines(*texts), SETTINGS)
    return [line.text for line in kept], [(each.text, each.reason) for each in dropped]


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("the ﬁrst eﬀort, an oﬃce ﬂat", "the first effort, an office flat"),
        ("an or\u00adchard\u200b", "an orchard"),
        ("five\u00a0pears\u2009and  a\tplum ", "five pears and a plum"),
        ("the cafÃ© said â€œcome inâ€\x9d", "the café said “come in”"),
        ("cafe\u0301", "café"),
        ("a\x00b\x07c", "abc"),
        ("“quotes” – and ‘dashes’ — stay", "“quotes” – and ‘dashes’ — stay"),
    ],
)
def test_repair(broken, whole):
    assert repair(broken) == whole
    assert repair(whole) == whole


def test_boilerplate_captions_doubles_and_stray_marks():
    kept, dropped = cleaned(
        "Share this article!",
        "An orchard in spring © Village Press",
        ")",
        "An orchard in spring © Village Press",
        "Growing pears",
        "Growing pears",
        BODY[0],
        "We use cookies to make your visit sweeter.",
        "* * *",
        "Photo: T. Birch",
        BODY[1],
    )
    assert kept == ["Growing pears", BODY[0], BODY[1]]
    assert Counter(reason for _, reason in dropped) == {
        "no words": 2, "boilerplate": 2, "caption or credit": 3, "doubled line": 1,
    }  # fmt: skip


def test_text_that_looks_like_boilerplate_stays():
    texts = [
        "We share this orchard with the birds.",
        "Search parties went out.",
        f"{BODY[0]} The sign said ©. {BODY[1]}",
        "No.",
        "No.",
        "Tom Birch:",
        "Tom Birch:",
        f"Click here, said the keeper. {BODY[0]}",
    ]
    assert cleaned(*texts) == (texts, [])


def test_footnote_marks_and_their_notes():
    kept, dropped = without_footnotes(
        lines(
            "Rain came.[3] They left² by barge.", "[3] Parish book.", "² See the map.", "[4] Stays"
        )
    )
    assert [line.text for line in kept] == ["Rain came. They left by barge.", "[4] Stays"]
    assert [(each.text, each.reason) for each in dropped] == [
        ("[3]", "footnote mark"), ("²", "footnote mark"),
        ("[3] Parish book.", "footnote"), ("² See the map.", "footnote"),
    ]  # fmt: skip


def test_measures_are_no_footnotes():
    kept, dropped = without_footnotes(
        lines("A field of 30 m² and a lake of 2 km² [sic] lay there.")
    )
    assert kept[0].text.endswith("30 m² and a lake of 2 km² [sic] lay there.")
    assert dropped == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Jane Alder: yes", "Jane Alder"),
        ("THE KEEPER: yes", "THE KEEPER"),
        ("Q: why", "Q"),
        (
            "President of the Guild Tom O’Birch (by letter): yes",
            "President of the Guild Tom O’Birch",
        ),
        ("Éva de Maple: yes", "Éva de Maple"),
        ("this is so: yes", None),
        ("He said this: yes", None),
        ("10:30 in the morning", None),
        ("Jane Alder:yes", None),
    ],
)
def test_labels(text, name):
    found = label(text)
    assert (found[0] if found else None) == name


def test_who_may_be_one_person():
    assert same_person("MR. ALDER", "Jane Alder")
    assert not same_person("The President", "President Alder")


def test_labels_come_off_and_go_back_on():
    texts = ["Q: Why?", "Tom Birch (laughs): Because.", "And so on.", "Q: When?"]
    said = turns(lines(*texts), TURNS, None)
    assert [turn.text for turn in said] == ["Why?", "Because.", "And so on.", "When?"]
    assert [paragraph(turn) for turn in said] == texts


PIECES = st.one_of(
    st.sampled_from(
        ["Share", ")", "Photo: T. Birch", "Q: why", "Tom: so", "Tom: no", "[1] note", "text[1] on",
         "¹ x", "so¹", "A © B", "same", "same", "Menu", "ﬁn", "caf\u00c3\u00a9"]
    ),
    st.text(max_size=40),
)  # fmt: skip


@pytest.mark.slow
@given(st.lists(PIECES, max_size=12))
@settings(max_examples=300, deadline=None)
def test_every_word_stays_or_is_reported(texts):
    kept, dropped = clean(lines(*texts), SETTINGS)
    said = turns(kept, TURNS, None)
    # A mark taken out of a word's end was part of the word: compare letters, not words.
    before = Counter("".join("".join(words(repair(text))) for text in texts))
    after = Counter("".join("".join(words(paragraph(turn))) for turn in said))
    after += Counter("".join("".join(words(each.text)) for each in dropped))
    assert before == after
    places = [int(line.place.split()[1]) for line in kept]
    assert places == sorted(places)
    assert all(each.reason for each in dropped)


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_repair_is_done_once(text):
    assert repair(repair(text)) == repair(text)
