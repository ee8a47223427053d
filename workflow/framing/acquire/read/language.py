"""The language of a text, by py3langid: its model comes with it, so nothing is downloaded."""

from __future__ import annotations

from framing.acquire.read.refuse import library

_ENOUGH = 20_000  # characters: more does not make it surer, only slower


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the language in which a text most likely is."""
    code, _ = library("py3langid", "the text").classify(text[:_ENOUGH])
    return str(code)
