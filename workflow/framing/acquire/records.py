"""Records of a bibliography, whatever it was written in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from framing.acquire.dates import parse_date
from framing.common.problems import InputError

EXTRA = "reading"
"""The extra that holds the libraries of BibTeX and RIS."""

EXPORT = "Export the collection again, as CSL JSON, BibTeX or RIS."

_MARKUP = re.compile(r"</?(?:i|b|em|strong|sub|sup|sc|span)(?:\s[^<>]*)?>", re.IGNORECASE)

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_SURROGATE = re.compile(r"[\ud800-\udfff]")

URL = re.compile(r"https?://[^\s{}]+")

DOI_FORM = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """What a bibliography says of one document.

    ``creators`` are names as "Given Family", who speaks or wrote first; ``date`` and
    ``date_precision`` are as :func:`framing.acquire.dates.parse_date` returns them; ``type`` is the
    kind of record as the file names it, ``genre`` what it says besides (or the type again);
    ``files`` are names of files as they are written; ``extra`` is all else that is text, by its
    name in the file, LaTeX as it stands; ``notes`` say what was left out.
    """

    key: str
    title: str = ""
    creators: tuple[str, ...] = ()
    date: str = ""
    date_precision: str = "unknown"
    type: str = ""
    genre: str = ""
    url: str = ""
    doi: str = ""
    language: str = ""
    publisher: str = ""
    files: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def clean(text: str) -> str:
    """Return text on one line, without markup, in normal form C."""
    plain = _SURROGATE.sub("\ufffd", _UNPRINTABLE.sub(" ", _MARKUP.sub("", text)))
    return unicodedata.normalize("NFC", " ".join(plain.split()))


def date_of(*texts: str) -> tuple[str, str, tuple[str, ...]]:
    """Return date, precision and notes by the first of ``texts`` that is a date.

    Of two dates with a slash between them the first is taken, as approximate.
    """
    given = [text.strip() for text in texts if text and text.strip()]
    for text in given:
        if (one := _parsed(text)) is not None:
            return (*one, ())
        first, _, last = text.partition("/")
        if (one := _parsed(first)) is not None and _parsed(last) is not None:
            return one[0], "approximate", (f"the date is a range, {text!r}: its beginning is kept",)
    if not given:
        return "", "unknown", ()
    return "", "unknown", (f"{clean(given[0])[:80]!r} is no date that can be read: left out",)


def _parsed(text: str) -> tuple[str, str] | None:
    try:
        date, precision = parse_date(text)
    except InputError:
        return None
    return (date, precision) if date else None


def file_names(value: str) -> tuple[str, ...]:
    r"""Return the names in Zotero's ``title:name:type;title:name:type``, or the one name there is.

    Colons, semicolons and backslashes in names are written with a backslash before them.
    """
    names = []
    for one in re.split(r"(?<!\\);", value):
        parts = re.split(r"(?<!\\):", one)
        if len(parts) == 4 and re.fullmatch(r"\s*[A-Za-z]", parts[1]):
            parts[1:3] = [":".join(parts[1:3])]  # a drive of Windows, not escaped
        if len(parts) >= 3:
            name = parts[1]
        elif len(parts) == 2 and re.fullmatch(r"[\w.+-]+/[\w.+-]+", parts[1]):
            name = parts[0]
        else:
            name = one
        names.append(clean(re.sub(r"\\([\\:;{}_&%#])", r"\1", name)))
    return tuple(name for name in names if name)


def given_first(name: str) -> str:
    """Return "Family, Given, Suffix" as "Given Family Suffix"."""
    family, *rest = (part.strip() for part in name.split(","))
    return " ".join(part for part in (*rest[:1], family, *rest[1:]) if part)
