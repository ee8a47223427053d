"""Bytes to text: what they say of themselves, then the configured encodings, then statistics."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

from framing.acquire.read.refuse import library, refuse

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"""(?:<meta[^>]{0,200}?charset\s*=\s*["']?|<\?xml[^>]{0,100}?encoding\s*=\s*["'])"""
    rb"""([\w.:-]{2,40})""",
    re.IGNORECASE,
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\f\r\x1b")) + b"\x7f"
_LETTER = re.compile(r"[^\W\d_]")
# A text of a Latin alphabet has at most so many accented letters; more is another code page.
_MOSTLY_PLAIN = 0.15


def looks_binary(data: bytes) -> bool:
    """Tell whether bytes are no text: zero bytes or control characters, without a mark of UTF."""
    if any(data.startswith(mark) for mark, _ in _MARKS):
        return False
    head = data[:1_048_576]
    odd = len(head) - len(head.translate(None, delete=_CONTROL))
    return b"\x00" in head or odd > len(head) * 0.002


def declared_encoding(data: bytes) -> str | None:
    """Return the encoding that a web page or an XML document names at its start."""
    found = _DECLARED.search(data[:4096])
    if not found:
        return None
    try:
        return codecs.lookup(found.group(1).decode("ascii")).name
    except LookupError:
        return None


def decode(
    data: bytes, place: str | Path, encodings: Sequence[str], *, markup: bool = False
) -> tuple[str, str]:
    """Return the text of ``data``, line ends as LF, and the encoding it was read with.

    ``encodings`` are tried in order where nothing is said; ``markup`` looks for a declaration.
    Raises :class:`InputError` where no encoding fits or where one named by a mark or by
    ``encodings`` is unknown.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return _lines(data.decode(encoding)), encoding.removesuffix("-sig")
            except UnicodeDecodeError as error:
                refuse(place, f"begins as {encoding} but is broken at byte {error.start}",
                       "Save it as UTF-8.")  # fmt: skip
    tried = list(encodings)
    # What is valid UTF-8 is UTF-8, whatever it says: pages that were saved anew often lie.
    if markup and (named := declared_encoding(data)):
        tried = ["utf-8", named, *tried]
    for encoding in tried:
        try:
            text = data.decode(encoding)
        except LookupError:
            refuse("reading.encodings", f"{encoding!r} is no encoding", "Use a name Python knows.")
        except (UnicodeDecodeError, ValueError):
            continue
        if encoding == "utf-8" or _plausible(text):
            return _lines(text), encoding
    best = library("charset_normalizer", place).from_bytes(data).best()
    if best is None:
        refuse(place, "is in an encoding that cannot be recognised", "Save it as UTF-8.")
    return _lines(str(best)), str(best.encoding)


def encoding_notes(encoding: str) -> list[str]:
    """Return what a person should know of a text in another encoding than UTF-8."""
    return [] if encoding == "utf-8" else [f"read as {encoding}: look at accents and quotes"]


def _plausible(text: str) -> bool:
    letters = _LETTER.findall(text)
    foreign = sum(not letter.isascii() for letter in letters)
    return foreign <= _MOSTLY_PLAIN * len(letters)


def _lines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
