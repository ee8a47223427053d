"""EPUB books to paragraphs: the documents of the spine in reading order."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from framing.acquire.read.archives import Archive
from framing.acquire.read.blocks import Vocabulary, local, walk
from framing.acquire.read.document import Line, Raw
from framing.acquire.read.format import Format
from framing.acquire.read.office import facts
from framing.acquire.read.pages import BLOCKS, SILENT
from framing.acquire.read.refuse import library, refuse, version_of
from framing.common.problems import InputError

_EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
_REASONS = {
    "footnote": "footnote",
    "endnote": "footnote",
    "rearnote": "footnote",
    "noteref": "footnote mark",
    "pagebreak": "page number",
    "toc": "table of contents",
}


def _reason(element: Any) -> str | None:
    for name in str(element.get(_EPUB_TYPE, "")).split():
        if name in _REASONS:
            return _REASONS[name]
    return None


_CHAPTER = Vocabulary(
    BLOCKS, {"nav": "table of contents", "figcaption": "caption"}, SILENT, {"br": " "}, _reason
)


def read_book(data: bytes, place: str | Path, settings: Mapping[str, Any]) -> Raw:
    """Read an EPUB. Raises :class:`InputError` where it is locked or its parts do not fit."""
    archive = Archive(data, place, settings["limits"])
    # Fonts may be obfuscated; content that is encrypted is locked by its seller.
    if "META-INF/rights.xml" in archive.names or "META-INF/license.lcpl" in archive.names:
        refuse(place, "is locked by its seller (DRM)", "Get an edition without a lock.")
    container = archive.xml("META-INF/container.xml")
    paths = [
        str(each.get("full-path", "")) for each in container.iter() if local(each) == "rootfile"
    ]
    if not paths:
        refuse(place, "names no book in META-INF/container.xml", "Get the file again.")
    package = archive.xml(paths[0])
    items = {str(each.get("id")): each for each in package.iter() if local(each) == "item"}
    lines: list[Line] = []
    dropped = []
    for reference in (each for each in package.iter() if local(each) == "itemref"):
        item = items.get(str(reference.get("idref")))
        if item is None or "nav" in str(item.get("properties", "")).split():
            continue
        name = posixpath.normpath(
            posixpath.join(posixpath.dirname(paths[0]), unquote(str(item.get("href", ""))))
        )
        found = walk(_chapter(archive, name, place), _CHAPTER, unit=f"{name}, paragraph")
        lines += found.lines
        dropped += found.dropped
    return Raw(lines, "lxml", version_of("lxml"), facts(package), dropped)


def _chapter(archive: Archive, name: str, place: str | Path) -> Any:
    try:
        return archive.xml(name)
    except InputError:
        data = archive.part(name)
        if b"<!ENTITY" in data:
            raise
    # Chapters are XHTML in name; many use entities of HTML or leave tags open.
    try:
        return library("lxml.html", place).document_fromstring(data)
    except Exception as error:
        refuse(f"{place} ({name})", f"is a broken chapter ({type(error).__name__})",
               "Get the file again.")  # fmt: skip


FORMAT = Format(
    "epub", (".epub",), "an EPUB book", read_book,
    lambda file: file.stated == b"application/epub+zip" or file.has("META-INF/container.xml"),
)  # fmt: skip
