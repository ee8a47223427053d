"""Cutting a text into passages, once, when it joins the corpus.

Afterwards the offsets are frozen in ``passages.tsv``: codings, samples and citations hang on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from framing.files import sha256

_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?!\s*\n)[^\n]+)*")


def passage_id(source_id: str, start: int, end: int) -> str:
    """Return the id of a passage: ten hexadecimal digits made from source and offsets."""
    return sha256(f"{source_id}:{start}-{end}")[:10]


def sentence_spans(text: str, abbreviations: list[str]) -> list[tuple[int, int]]:
    """Return ``(start, end)`` of the sentences of ``text``.

    Uses NLTK's Punkt algorithm (Kiss & Strunk 2006) with the given abbreviations (without the
    final point) and no trained parameters, so that nothing is downloaded.
    """
    # Here, as it takes a second to load and only cutting needs it.
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.abbrev_types = {word.lower().rstrip(".") for word in abbreviations}
    return list(PunktSentenceTokenizer(parameters).span_tokenize(text))


def paragraph_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield ``(start, end)`` of the paragraphs of ``text``, parted by empty lines, trimmed."""
    for match in _PARAGRAPH.finditer(text):
        block = match.group()
        start = match.start() + len(block) - len(block.lstrip())
        end = match.start() + len(block.rstrip())
        if start < end:
            yield start, end


def cut_passages(source_id: str, text: str, units: Mapping[str, Any]) -> pd.DataFrame:
    """Return the passages of a text: ``passage_id source_id start end words``.

    A passage is a paragraph; one longer than ``units['max_words']`` is cut at sentence ends into
    runs of about equal length, none longer than the maximum unless a single sentence is. What has
    fewer than ``units['min_words']`` words (headings, bylines) is left out.
    """
    rows = []
    for first, last in paragraph_spans(text):
        for start, end in _runs(text, first, last, units):
            words = len(text[start:end].split())
            if words >= units["min_words"]:
                rows.append((passage_id(source_id, start, end), source_id, start, end, words))
    return pd.DataFrame(rows, columns=["passage_id", "source_id", "start", "end", "words"])


def _runs(text: str, first: int, last: int, units: Mapping[str, Any]) -> list[tuple[int, int]]:
    total = len(text[first:last].split())
    limit = units["max_words"]
    if total <= limit:
        return [(first, last)]
    # Even lengths read better than full runs followed by a stub.
    target = total / -(-total // limit)
    runs: list[tuple[int, int]] = []
    begun, length = first, 0
    end = first
    for start, stop in sentence_spans(text[first:last], list(units["abbreviations"])):
        words = len(text[first + start : first + stop].split())
        if length and (length + words > limit or length >= target):
            runs.append((begun, end))
            begun, length = first + start, 0
        length += words
        end = first + stop
    runs.append((begun, end))
    return runs
