"""Duplicates by word counts: what is a copy, what only looks like one. All words are invented."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.acquire.duplicates import (
    Duplicates,
    Pair,
    Runs,
    compare,
    duplicate_lines,
    runs_in_common,
)
from framing.acquire.passage_index import index_of
from framing.acquire.settings import intake_settings
from framing.common.files import sha256
from framing.corpus.words import word_counts

SETTINGS = intake_settings()["duplicates"]
_SYLLABLES = [a + b for a in "bdfgklmnprst" for b in "aeiou"]


def _vocabulary() -> list[str]:
    chance = random.Random(0)
    return sorted(
        {"".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(4000)}
    )


WORDS = _vocabulary()
# Few words make up much of any text.
_OFTEN = [1 / (place + 2) for place in range(len(WORDS))]


def speech(seed: int, paragraphs: int = 6, words: int = 80) -> list[str]:
    """Return paragraphs of invented words, as often as words of a language are."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, _OFTEN, k=words)) for _ in range(paragraphs)]


def facts(source_id: str, passages: Sequence[str]) -> dict[str, Any]:
    """Return derived facts of a source, as far as they are looked at."""
    return {
        "source_id": source_id,
        "text_sha256": sha256("\n\n".join(passages)),
        "passages": [
            {"passage_id": f"{source_id}-{number}", "words": len(text.split()),
             "sha256": sha256(text), "counts": word_counts(text)}
            for number, text in enumerate(passages)
        ],
    }  # fmt: skip


def changed(passages: Sequence[str], share: float, seed: int = 99) -> list[str]:
    chance = random.Random(seed)
    return [
        " ".join(
            "".join(chance.choices("vwxyz", k=12)) if chance.random() < share else word
            for word in text.split()
        )
        for text in passages
    ]


CORPUS = [facts(f"s{number}", speech(number)) for number in range(40)]
INDEX = index_of(CORPUS)


def look(passages: Sequence[str], **options: Any) -> Duplicates:
    return compare(facts("new", passages), INDEX, SETTINGS, **options)


def near(found: Duplicates) -> list[str]:
    return [one.source_id for one in found.near]


def test_a_new_speech_repeats_nothing() -> None:
    found = look(speech(1000))
    assert found == Duplicates("new")
    assert not found
    assert duplicate_lines(found) == []


def test_the_same_text() -> None:
    found = look(speech(7))
    assert found == Duplicates("new", same_text=("s7",))
    assert found
    assert duplicate_lines(found) == ["the same text as s7"]


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_words_that_were_changed(share: float) -> None:
    found = look(changed(speech(7), share))
    assert near(found) == ["s7"]
    assert found.near[0].share > 0.8
    assert not found.quoted


def test_another_text_of_the_same_words_in_half_is_none() -> None:
    assert not look(changed(speech(7), 0.6))


def test_a_title_and_a_paragraph_less() -> None:
    found = look(["A title of its own", *speech(7)[1:]])
    assert near(found) == ["s7"]
    one = found.near[0]
    assert all(pair.same for pair in one.pairs)
    assert one.share == pytest.approx(400 / 405, abs=1e-6)
    assert one.share_of_other == pytest.approx(5 / 6, abs=1e-6)


def test_an_excerpt_is_told_by_its_own_share_and_a_whole_by_the_others() -> None:
    (excerpt,) = look(speech(7)[2:4]).near
    assert (excerpt.share, excerpt.share_of_other) == (1.0, pytest.approx(1 / 3, abs=1e-6))
    (whole,) = look([*speech(7), *speech(1000, 20)]).near
    assert whole.share < 0.3
    assert whole.share_of_other == 1.0


def test_a_greeting_that_speeches_share_is_no_duplicate() -> None:
    greeting = "dear captains and sailors it is an honour to speak on this quay today"
    long = f"{greeting} {' '.join(speech(5000, 1, 12))}"  # 26 words
    for opening in (greeting, long):
        corpus = index_of([facts("old", [opening, *speech(1)]), facts("older", [opening])])
        found = compare(facts("new", [opening, *speech(1000)]), corpus, SETTINGS)
        assert not found.near
        assert [(pair.source_id, pair.same) for pair in found.quoted] == [
            ("old", True), ("older", True),
        ]  # fmt: skip
        assert all("(the same)" in line for line in duplicate_lines(found))


def test_short_passages_count_only_when_they_are_the_same() -> None:
    short = speech(3000, 1, SETTINGS["min_words"] - 1)
    index = index_of([facts("old", short)])
    other = [f"{short[0].rsplit(' ', 1)[0]} other"]
    assert not compare(facts("new", other), index, SETTINGS)
    assert compare(facts("new", [*short, "x"]), index, SETTINGS).quoted[0].same


def test_a_passage_quoted_in_another_speech() -> None:
    quoted = changed(speech(7), 0.05)[3]
    found = look([*speech(1000), quoted])
    assert not found.near
    (pair,) = found.quoted
    assert (pair.passage_id, pair.source_id, pair.others) == ("new-6", "s7", ("s7-3",))
    assert pair.contained > 0.9
    assert not pair.same


def test_the_same_speech_cut_in_other_places() -> None:
    words = " ".join(speech(7)).split()
    pieces = [" ".join(words[start : start + 50]) for start in range(30, len(words) - 50, 50)]
    found = look(pieces)
    assert near(found) == ["s7"]
    assert found.near[0].share > 0.9
    assert any(len(pair.others) == 2 for pair in found.near[0].pairs)


def test_repeats_within_the_source() -> None:
    own = speech(1000)
    found = look([*own, changed(own, 0.05)[2], own[4]])
    assert [(pair.passage_id, pair.others) for pair in found.repeats] == [
        ("new-6", ("new-2",)), ("new-7", ("new-4",)),
    ]  # fmt: skip
    assert {pair.source_id for pair in found.repeats} == {"new"}
    assert not found.near
    assert "of the same source" in duplicate_lines(found)[0]


def test_a_source_in_the_index_is_not_compared_with_itself() -> None:
    assert not compare(CORPUS[3], INDEX, SETTINGS)
    batch = index_of([*CORPUS, facts("copy", speech(3))])
    assert compare(CORPUS[3], batch, SETTINGS).same_text == ("copy",)


def test_the_order_of_the_corpus_does_not_matter() -> None:
    new = facts("new", [*changed(speech(7), 0.1)[:3], *changed(speech(8), 0.1)[:3]])
    backwards = index_of(CORPUS[::-1])
    found = compare(new, INDEX, SETTINGS)
    again = compare(new, backwards, SETTINGS)
    assert found.near == again.near
    assert near(found) == ["s7", "s8"]


def test_nothing_compared_with_nothing() -> None:
    assert not compare(facts("new", []), INDEX, SETTINGS)
    assert not compare(facts("new", speech(1)), index_of([]), SETTINGS)
    assert not compare(facts("new", ["…", "* * *"]), index_of([facts("s", ["—"])]), SETTINGS)


def test_words_that_are_in_every_passage_do_not_hide_a_copy() -> None:
    # More passages than may share a word before it counts as common.
    chance = random.Random(5)
    usual = [f"the{a}{b}" for a in "xyz" for b in "abcdefghij"]
    passages = [" ".join([*usual, *chance.choices(WORDS, k=30)]) for _ in range(1300)]
    index = index_of([facts(f"s{n}", passages[n * 10 : n * 10 + 10]) for n in range(130)])
    assert index.common.sum() == len(usual)
    found = compare(facts("new", changed(passages[20:30], 0.1)), index, SETTINGS)
    assert near(found) == ["s2"]
    assert not found.quoted  # half of the words are the same everywhere


# --- runs of words --------------------------------------------------------------------------------


def test_runs_in_common() -> None:
    assert runs_in_common("a b c d e f", "x b c d e f y", 5) == Runs(0.25, 0.5, 0.333333)
    assert runs_in_common("a b c d e", "A, b; C d e!", 5) == Runs(1.0, 1.0, 1.0)
    assert runs_in_common("a b", "a b", 5) == Runs(0.0, 0.0, 0.0)


def test_texts_at_hand_are_compared_by_runs() -> None:
    old, new = speech(7), changed(speech(7), 0.05)
    asked: list[str] = []

    def texts(source_id: str) -> str | None:
        asked.append(source_id)
        return "\n\n".join(old) if source_id == "s7" else None

    found = look(new, text="\n\n".join(new), texts=texts)
    assert asked == ["s7"]  # only where a passage was found
    runs = found.near[0].runs
    assert runs is not None
    assert runs.contained == pytest.approx(0.95**5, abs=0.1)
    assert "of its runs of words" in duplicate_lines(found)[0]


def test_runs_tell_what_passages_of_the_frame_do_not() -> None:
    # Of both texts only little is in the frame, the rest is the same.
    rest = speech(4000, 10)
    old, new = [speech(4001, 1)[0], *speech(4002, 2)], [speech(4001, 1)[0], *speech(4003, 2)]
    index = index_of([facts("old", old)])
    assert not compare(facts("new", new), index, SETTINGS).near
    found = compare(
        facts("new", new), index, SETTINGS, "\n".join(new + rest), lambda _: "\n".join(old + rest)
    )
    assert near(found) == ["old"]


# --- against the plain definition -----------------------------------------------------------------

_BAG = st.frozensets(st.sampled_from("abcdefghijklmn"), min_size=1, max_size=12)
_PLAIN = {**SETTINGS, "min_words": 3, "contained_words": 5}


def _plain(a: Counter[str], b: Counter[str]) -> tuple[float, float]:
    both = (a & b).total()
    return round(both / (a | b).total(), 6), round(both / min(a.total(), b.total()), 6)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(_BAG, min_size=1, max_size=4), st.lists(_BAG, min_size=1, max_size=6))
def test_pairs_are_those_of_the_definition(
    new: list[frozenset[str]], old: list[frozenset[str]]
) -> None:
    mine, theirs = (facts(name, [" ".join(sorted(bag)) for bag in bags])
                    for name, bags in (("new", new), ("old", old)))  # fmt: skip
    theirs["text_sha256"] = "another"
    found = compare(mine, index_of([theirs]), _PLAIN)
    pairs = {
        (pair.passage_id, pair.others[0]): pair
        for pair in (*found.quoted, *(pair for one in found.near for pair in one.pairs))
        if len(pair.others) == 1
    }
    for m in mine["passages"]:
        for o in theirs["passages"]:
            a, b = Counter(m["counts"]), Counter(o["counts"])
            similarity, contained = _plain(a, b)
            least = min(a.total(), b.total())
            wanted = (
                m["sha256"] == o["sha256"]
                or (similarity >= _PLAIN["similar"] and least >= _PLAIN["min_words"])
                or (contained >= _PLAIN["contained"] and least >= _PLAIN["contained_words"])
            )
            pair = pairs.get((m["passage_id"], o["passage_id"]))
            assert (pair is not None) == wanted
            if pair is not None:
                same = m["sha256"] == o["sha256"]
                assert pair == Pair(
                    m["passage_id"], "old", (o["passage_id"],), similarity, contained, same
                )


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab \n", max_size=40), max_size=5))
def test_shares_are_shares(texts: list[str]) -> None:
    index = index_of([facts("old", texts), facts("older", texts[::-1])])
    found = compare(facts("new", [*texts[:2], "b a"]), index, {**_PLAIN, "source_words": 1})
    for one in found.near:
        assert 0 <= one.share <= 1
        assert 0 <= one.share_of_other <= 1
