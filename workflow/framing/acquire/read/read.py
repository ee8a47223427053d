"""Reading a document: any kind of file in; clean paragraphs out, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.acquire.read.clean import clean, turns
from framing.acquire.read.document import Document
from framing.acquire.read.kinds import FORMATS, kind_of
from framing.acquire.read.language import language_of
from framing.acquire.read.refuse import refuse
from framing.acquire.read.settings import reading_settings
from framing.common.files import read_up_to, too_large
from framing.common.problems import InputError

_SMALLER = "Save the text alone, or raise reading.limits.bytes."


def read_document(
    path: str | Path,
    data: bytes | None = None,
    kind: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Document:
    """Return the text of a document, cleaned, with a report of everything left out.

    ``path`` names it in messages and, without ``data``, is the file to read; ``kind`` is one of
    ``framing.acquire.read.kinds.KINDS`` where the caller knows it (a page fetched by url has no
    ending); ``settings`` come from :func:`reading_settings`. Raises :class:`InputError` on
    everything that cannot or must not be read: too large, not what it says it is, locked, broken,
    harmful, a scan, empty, or in a language that is not accepted.
    """
    settings = reading_settings() if settings is None else settings
    own = settings["reading"]
    if data is None:
        data = bytes_of(Path(path), own["limits"]["bytes"])
    elif len(data) > own["limits"]["bytes"]:
        raise InputError(too_large(path, len(data), own["limits"]["bytes"], _SMALLER))
    found = kind_of(data, path, Path(path).name, kind, own["limits"])
    raw = FORMATS[found].read(data, path, own)
    lines, dropped = clean(raw.lines, own["clean"])
    speakers = None
    if raw.speakers is not None and any(raw.speakers):
        pairs = zip(raw.lines, raw.speakers, strict=True)
        speakers = {line.place: speaker for line, speaker in pairs}
    said = turns(lines, settings["units"]["turns"], speakers)
    if not said:
        refuse(path, "holds no text", "Look whether it is the right file.")
    document = Document(
        found, tuple(said), dict(raw.metadata), (*raw.dropped, *dropped), tuple(raw.notes),
        raw.reader, raw.version,
    )  # fmt: skip
    _check_language(document, path, own["language"])
    return document


def bytes_of(path: Path, most: int) -> bytes:
    """Return what a file holds; raise :class:`InputError` where it is larger than ``most``."""
    return read_up_to(path, most, _SMALLER)


def _check_language(document: Document, path: str | Path, settings: Mapping[str, Any]) -> None:
    text = "\n".join(turn.text for turn in document.turns)
    if not settings["accepted"] or len(text.split()) < settings["judged_from"]:
        return
    code = language_of(text)
    if code not in settings["accepted"]:
        refuse(path, f"seems to be in {code!r}, not in {' or '.join(settings['accepted'])}",
               "Add a translation, or add the language to reading.language.accepted.")  # fmt: skip
