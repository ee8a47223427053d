"""How a text that was got anew differs from the one whose passages are frozen.

The old text need not be at hand: the committed facts hold the digest of each of its passages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any

from framing.common.files import sha256

_BEGINNING = re.compile(r"(?<!\w)\S")  # where a passage can begin: not within a word


@dataclass(frozen=True)
class LineChanges:
    """Lines removed and added from one text to another, and the first place where they differ."""

    removed: int
    added: int
    line: int
    column: int


def passages_found(passages: Sequence[Mapping[str, Any]], text: str) -> list[str]:
    """Return the ids of the frozen passages that stand word for word anywhere in ``text``.

    ``passages`` are those of derived facts: ``passage_id start end words sha256``. Every place
    where a passage of that length could stand is tried, so that it does not matter how the new
    text is parted into paragraphs; one that begins within a word would not be found.
    """
    beginnings = [match.start() for match in _BEGINNING.finditer(text)]
    before = _words_before(text)
    found = []
    for passage in passages:
        length, words, digest = (
            passage["end"] - passage["start"],
            passage["words"],
            passage["sha256"],
        )
        if any(
            _could_be(text, start, start + length, words, before)
            and sha256(text[start : start + length]) == digest
            for start in beginnings
        ):
            found.append(passage["passage_id"])
    return found


def _words_before(text: str) -> list[int]:
    """Return for each place how many words have begun before it."""
    begins = (
        not sign.isspace() and (place == 0 or text[place - 1].isspace())
        for place, sign in enumerate(text)
    )
    return list(accumulate(begins, initial=0))


def _could_be(text: str, start: int, end: int, words: int, before: Sequence[int]) -> bool:
    """Say whether ``text[start:end]`` has so many words; hashing each slice would take long."""
    if end > len(text) or text[end - 1].isspace():
        return False
    return 1 + before[end] - before[start + 1] == words


def line_changes(old: str, new: str) -> LineChanges | None:
    """Return how two texts differ by lines, None where they are equal.

    Empty lines are not counted; ``line`` and ``column`` count from 1, and empty lines as well.
    """
    if old == new:
        return None
    # Half of the lines of a text are empty ones; matching each with each would take minutes.
    before, after = ([line for line in each.split("\n") if line.strip()] for each in (old, new))
    removed = added = 0
    for tag, first, last, start, end in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            removed += last - first
            added += end - start
    place = _first_difference(old, new)
    head = old[:place]
    return LineChanges(removed, added, head.count("\n") + 1, place - (head.rfind("\n") + 1) + 1)


def _first_difference(old: str, new: str) -> int:
    pairs = enumerate(zip(old, new, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(old), len(new)))
