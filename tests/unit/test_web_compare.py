"""A text got anew beside the frozen one: which passages are in it, which lines changed."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.acquire.fetch.compare import LineChanges, line_changes, passages_found
from framing.acquire.read.settings import reading_settings
from framing.acquire.read.units import cut_passages
from framing.common.files import sha256
from framing.corpus.derived import derive
from tests.unit.reading_samples import BODY

UNITS = {**reading_settings()["units"], "max_words": 12, "min_words": 1}
words = st.lists(
    st.sampled_from(["bee", "Bees.", "cider", "“pear”", "(lock)", "1,5", "ein", "ж", "—", "a-b"]),
    min_size=1, max_size=30,
)  # fmt: skip
paragraphs = st.lists(words.map(" ".join), min_size=1, max_size=6)


def facts(text: str, passages: pd.DataFrame) -> list[dict]:
    return derive("s", text, passages, lambda prose: {}, {})["passages"]


def passage(name: str, prose: str) -> dict:
    return {"passage_id": name, "start": 7, "end": 7 + len(prose), "words": len(prose.split()),
            "sha256": sha256(prose)}  # fmt: skip


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(paragraphs, paragraphs, paragraphs, st.sampled_from(["\n\n", "\n", " "]))
def test_every_passage_is_found_wherever_it_stands(before, kept, after, gap):
    old = "\n\n".join(kept) + "\n"
    new = "\n\n".join(before) + gap + gap.join(kept) + gap + "\n\n".join(after)
    passages = facts(old, cut_passages("s", old, UNITS).passages)
    assert passages
    assert passages_found(passages, new) == [one["passage_id"] for one in passages]


@settings(deadline=None, max_examples=60)
@given(paragraphs, st.data())
def test_a_passage_that_changed_is_not_found(kept, data):
    text = "\n\n".join(kept)
    passages = facts(text, cut_passages("s", text, UNITS).passages)
    changed = data.draw(st.integers(0, len(passages) - 1))
    one = passages[changed]
    new = text[: one["end"]] + "x" + text[one["end"] :]
    new = new[: one["start"]] + "x" + new[one["start"] :]
    found = passages_found(passages, new)
    assert one["passage_id"] not in found or text[one["start"] : one["end"]] in new


def test_passages_by_name():
    text = f"A title\n\n{BODY[1]} {BODY[0]}\n"
    passages = [passage("a", BODY[0]), passage("b", BODY[1]), passage("c", BODY[2])]
    assert passages_found(passages, text) == ["a", "b"]
    assert passages_found(passages, "") == passages_found([], text) == []


def test_a_slice_of_another_word_is_no_passage():
    assert passages_found([passage("a", "rings the bell")], "brings the bell") == []
    assert passages_found([passage("a", "the bell")], "rings the bell") == ["a"]


@pytest.mark.parametrize(
    ("new", "changes"),
    [
        ("a\n\nb\n\nc\n", None),
        ("a\n\nb\n\nx\n\nc\n", LineChanges(removed=0, added=1, line=5, column=1)),
        ("a\n\nc\n", LineChanges(removed=1, added=0, line=3, column=1)),
        ("a\n\nbee\n\nc\n", LineChanges(removed=1, added=1, line=3, column=2)),
        ("a\nb\n\nc\n", LineChanges(removed=0, added=0, line=2, column=1)),
        ("a\n\nb\n\nc", LineChanges(removed=0, added=0, line=5, column=2)),
        ("", LineChanges(removed=3, added=0, line=1, column=1)),
    ],
)
def test_line_changes(new, changes):
    assert line_changes("a\n\nb\n\nc\n", new) == changes


@settings(deadline=None, max_examples=60)
@given(paragraphs, paragraphs)
def test_removed_and_added_change_places(old, new):
    there, back = (
        line_changes("\n".join(old), "\n".join(new)),
        line_changes("\n".join(new), "\n".join(old)),
    )
    if there is None or back is None:
        assert old == new and there is back
    else:
        assert there.removed - there.added == len(old) - len(new)
        assert back.removed - back.added == len(new) - len(old)
        assert (there.line, there.column) == (back.line, back.column)
