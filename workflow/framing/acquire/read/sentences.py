"""Sentences by NLTK's Punkt (Kiss & Strunk 2006), with parameters that lie here as plain data.

In: a text. Out: the offsets of its sentences. ``punkt.json`` holds what
``framing.acquire.read.train`` learned from the corpus (abbreviations, collocations, words that open
sentences: single words and pairs, no prose) and ``abbreviations.txt`` what we added by hand.
Nothing is downloaded.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

LEARNED = Path(__file__).with_name("punkt.json")
BY_HAND = Path(__file__).with_name("abbreviations.txt")
NO_ABBREVIATIONS = Path(__file__).with_name("no_abbreviations.txt")

_LETTER = re.compile(r"\w")


def hand_list(text: str) -> list[str]:
    """Return the entries of a list: one a line, ``#`` opens a comment, final points off."""
    lines = (line.split("#", 1)[0].strip().lower().rstrip(".") for line in text.splitlines())
    return [line for line in lines if line]


@lru_cache(maxsize=4)
def _tokenizer(abbreviations: tuple[str, ...], learned: Path, by_hand: Path) -> Any:
    # Here, as it takes a second to load and only cutting needs it.
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    data = json.loads(learned.read_text(encoding="utf-8"))
    known = PunktParameters()
    known.abbrev_types = {
        *data["abbreviations"], *hand_list(by_hand.read_text(encoding="utf-8")), *abbreviations,
    }  # fmt: skip
    known.collocations = {(first, second) for first, second in data["collocations"]}
    known.sent_starters = set(data["sentence_starters"])
    return PunktSentenceTokenizer(known)


def sentence_spans(text: str, abbreviations: tuple[str, ...] = ()) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of the sentences of ``text``, in order, trimmed.

    ``abbreviations`` are added to the learned ones and to our list. Whatever stands between two
    sentences is white space, so nothing is lost.
    """
    more = tuple(sorted({word.lower().rstrip(".") for word in abbreviations}))
    return list(_joined(text, list(_tokenizer(more, LEARNED, BY_HAND).span_tokenize(text))))


def _joined(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    # No sentence opens with a small letter, and closing marks alone are none: what Punkt parts
    # there (after a capitalised name with a point, after two closing marks) belongs together.
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if kept and (text[start].islower() or not _LETTER.search(text, start, end)):
            kept[-1] = (kept[-1][0], end)
        elif start < end:
            kept.append((start, end))
    return kept
