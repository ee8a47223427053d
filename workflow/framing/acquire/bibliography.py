"""Bibliographies as Zotero exports them: CSL JSON, BibTeX and BibLaTeX, RIS.

In: a file. Out: its records, cleaned of LaTeX and of markup, and the record that belongs to a
document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from framing.acquire.bibtex import read_bibtex
from framing.acquire.csl import read_csl
from framing.acquire.read.encodings import decode, looks_binary
from framing.acquire.records import EXPORT, Record
from framing.acquire.ris import RIS_TAG, read_ris
from framing.acquire.settings import intake_settings
from framing.common.files import read_up_to
from framing.common.problems import InputError, Problem

TRACKING = ("utm_*", "fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid")
"""Parameters of an address that say where a reader came from, not what is read."""

_ENDINGS = {
    ".json": "csl", ".bib": "bibtex", ".bibtex": "bibtex", ".biblatex": "bibtex", ".ris": "ris",
}  # fmt: skip

_ENTRY = re.compile(r"^[ \t]*@\w+[ \t]*[{(]", re.MULTILINE)


def read_bibliography(path: Path, settings: Mapping[str, Any] | None = None) -> list[Record]:
    """Return the records of a bibliography, in the order of the file.

    It is CSL JSON, BibTeX (BibLaTeX) or RIS: what it holds decides, then its ending. ``settings``
    are those of :func:`framing.acquire.settings.intake_settings` under ``bibliography``. Raises
    :class:`InputError` on a file that cannot be read or is none of them, on broken entries (each
    with its line), on keys given twice and where there is no record. A date that is none is left
    out, with a note.
    """
    path = Path(path)
    settings = intake_settings()["bibliography"] if settings is None else settings
    data = read_up_to(path, settings["bytes"], "Export a smaller collection.")
    if looks_binary(data):
        raise InputError(Problem(path, "is no text", EXPORT))
    text, _ = decode(data, path, settings["encodings"])
    records = _READERS[_kind_of(text, path)](text, path)
    if not records:
        raise InputError(Problem(path, "holds no record", EXPORT))
    return records


def match(records: Sequence[Record], path_or_url: str | Path, key: str = "") -> Record | None:
    """Return the record of a document, or None where there is none.

    With ``key`` it is the record of that key. A web address is compared with the addresses and DOIs
    of the records (:func:`normal_url`); a file with the names of their files, then with their
    keys, then with the names of their files without the endings. Raises :class:`InputError` where
    the key is unknown or where several records fit.
    """
    if key:
        found = [record for record in records if record.key == key]
        if not found:
            close = get_close_matches(key, [record.key for record in records])
            remedy = f"Did you mean {close[0]!r}?" if close else "Look it up in the bibliography."
            raise InputError(Problem(path_or_url, f"no record has the key {key!r}", remedy))
        return found[0]
    asked = str(path_or_url)
    if "://" in asked:
        url = normal_url(asked)
        return _only(
            [
                record
                for record in records
                if url in {normal_url(one) for one in _addresses(record)}
            ],
            asked,
        )
    return _by_file(records, PurePosixPath(_posix(asked)), asked)


def normal_url(url: str) -> str:
    """Return an address without what may differ between two that lead to the same page.

    That is the scheme, ``www.``, the port of the scheme, a slash at the end, the fragment,
    parameters of ``TRACKING``, and the order of the others.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return url.strip()
    query = sorted(
        pair
        for pair in parse_qsl(parts.query, keep_blank_values=True)
        if not any(fnmatchcase(pair[0].lower(), tracking) for tracking in TRACKING)
    )
    where = host if port in (None, 80, 443) else f"{host}:{port}"
    path = unquote(parts.path).rstrip("/")
    return f"{where}{path}?{urlencode(query)}" if query else f"{where}{path}"


# --- files ----------------------------------------------------------------------------------------


def _kind_of(text: str, path: Path) -> str:
    begun = text.lstrip()
    if begun.startswith(("[", "{")):
        return "csl"
    if RIS_TAG.match(begun):
        return "ris"
    if _ENTRY.search(text):
        return "bibtex"
    if path.suffix.lower() in _ENDINGS:
        return _ENDINGS[path.suffix.lower()]
    raise InputError(Problem(path, "is no bibliography", EXPORT))


_READERS = {"csl": read_csl, "bibtex": read_bibtex, "ris": read_ris}


# --- which record belongs to a document -----------------------------------------------------------


def _addresses(record: Record) -> Iterable[str]:
    if record.url:
        yield record.url
    if record.doi:
        yield f"https://doi.org/{record.doi}"


def _posix(name: str) -> str:
    return name.replace("\\", "/")


def _by_file(records: Sequence[Record], asked: PurePosixPath, place: str) -> Record | None:
    """Return the record with the file that agrees with ``asked`` in most parts from the end."""
    agreeing = [
        max((_common_end(asked, PurePosixPath(_posix(name))) for name in record.files), default=0)
        for record in records
    ]
    if most := max(agreeing, default=0):
        return _only(
            [one for one, parts in zip(records, agreeing, strict=True) if parts == most], place
        )
    by_key = [record for record in records if asked.stem and record.key == asked.stem]
    if by_key:
        return _only(by_key, place)
    return _only(
        [
            record
            for record in records
            if asked.stem
            and asked.stem in {PurePosixPath(_posix(name)).stem for name in record.files}
        ],
        place,
    )


def _common_end(a: PurePosixPath, b: PurePosixPath) -> int:
    number = 0
    for one, other in zip(reversed(a.parts), reversed(b.parts), strict=False):
        if one != other:
            break
        number += 1
    return number


def _only(found: Sequence[Record], place: str) -> Record | None:
    if len(found) > 1:
        names = ", ".join(repr(record.key) for record in found)
        raise InputError(
            Problem(place, f"could be any of the records {names}", "Say which one, by its key.")
        )
    return found[0] if found else None
