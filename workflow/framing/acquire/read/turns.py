"""Who speaks in a transcript: labels at the start of paragraphs, and the turns they open.

In: paragraphs and the settings ``units.turns``. Out: the speaker of each paragraph, or None.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

_LABEL = re.compile(
    # A name of at most eight words, each with a capital or a particle, then a colon.
    r"(?:\*{1,2}|_{1,2})?"
    r"(?P<name>[^\W\d_a-z][\w.’'\-]*(?:\s+(?:[^\W\d_a-z][\w.’'\-]*|of|the|and|de|van|von|al|to|for)){0,7})"
    r"(?:\s*[(\[][^)\]\n]{1,60}[)\]])?"
    r"(?:\*{1,2}|_{1,2})?\s?:(?:\*{1,2}|_{1,2})?(?=\s|$)\s*"
)
_TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "president",
        "prime",
        "minister",
        "secretary",
        "general",
        "ambassador",
        "senator",
        "the",
        "sir",
        "of",
        "and",
        "foreign",
        "lord",
        "chancellor",
    ]
)


def label(paragraph: str) -> tuple[str, int] | None:
    """Return ``(name, length of label)`` where a paragraph opens with what may be a label."""
    found = _LABEL.match(paragraph)
    return (found.group("name"), found.end()) if found else None


def labels_used(paragraphs: Sequence[str], turns: Mapping[str, Any]) -> set[str]:
    """Return the names that are speakers' labels here.

    A questioner's name always is, and the one that opens the paragraph after a question. Any other
    is where it opens at least ``least`` paragraphs, so that a sentence with a colon is not taken
    for a speaker, and where at least two voices are labelled.
    """
    questioners = {name.casefold() for name in turns["questioners"]}
    names = [found[0] if (found := label(each)) else None for each in paragraphs]
    asking = {name for name in names if name is not None and name.casefold() in questioners}
    answering = {after for name, after in pairwise(names) if name in asking and after is not None}
    counts = Counter(name for name in names if name is not None)
    often = {name for name, count in counts.items() if count >= turns["least"]}
    named = asking | answering | often
    return named if asking or len(named) > 1 else set()


def spoken_by(paragraphs: Sequence[str], turns: Mapping[str, Any]) -> list[str | None]:
    """Return the speaker of each paragraph: a label holds until the next one; None before any."""
    known = labels_used(paragraphs, turns)
    speakers: list[str | None] = []
    current: str | None = None
    for paragraph in paragraphs:
        found = label(paragraph)
        if found and found[0] in known:
            current = found[0]
        speakers.append(current)
    return speakers


def same_person(one: str, other: str) -> bool:
    """Tell whether two names may be one person: they share a word that is no title.

    >>> same_person("PRESIDENT ALDER", "Jane Alder")
    True
    >>> same_person("President of the Council", "President Alder")
    False
    """

    def words(name: str) -> set[str]:
        return {word for word in re.findall(r"\w+", name.casefold()) if word not in _TITLES}

    return bool(words(one) & words(other))
