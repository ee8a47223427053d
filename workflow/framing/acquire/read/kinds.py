"""What kind of file it is, by what it holds; the ending of its name must agree.

In: bytes and a name. Out: one of ``KINDS``, or :class:`InputError`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.acquire.read.archives import Archive
from framing.acquire.read.encodings import looks_binary
from framing.acquire.read.refuse import refuse

ENDINGS = {
    "txt": (".txt", ".text"),
    "md": (".md", ".markdown"),
    "html": (".html", ".htm", ".xhtml"),
    "pdf": (".pdf",),
    "docx": (".docx",),
    "odt": (".odt",),
    "epub": (".epub",),
    "rtf": (".rtf",),
    "tei": (".xml", ".tei"),
}
KINDS = tuple(ENDINGS)

NAMES = {
    "txt": "plain text", "md": "Markdown", "html": "a web page", "pdf": "a PDF",
    "docx": "a Word document", "odt": "an OpenDocument text", "epub": "an EPUB book",
    "rtf": "rich text", "tei": "a TEI document",
}  # fmt: skip

_SIGNATURES = (
    (b"\xd0\xcf\x11\xe0", "is an old Word file (.doc) or one locked with a password",
     "Save it as .docx without a password."),
    (b"\x1f\x8b", "is compressed (gzip)", "Unpack it first."),
    (b"7z\xbc\xaf", "is a 7z archive", "Unpack it first."),
    (b"Rar!", "is a RAR archive", "Unpack it first."),
    (b"\x89PNG", "is an image", "Recognise its text (OCR) and save that."),
    (b"\xff\xd8\xff", "is an image", "Recognise its text (OCR) and save that."),
    (b"GIF8", "is an image", "Recognise its text (OCR) and save that."),
)  # fmt: skip
_WEB = re.compile(rb"<(!doctype html|html|head|body)[\s>]", re.IGNORECASE)
_ROOT = re.compile(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)[\s>/]")
_TEXTS = ("txt", "md", "html")
HEAD = 65536
"""Bytes in which the first element of a document must stand."""


def kind_of(
    data: bytes, place: str | Path, name: str, asked: str | None, limits: Mapping[str, Any]
) -> str:
    """Return the kind of a file: one of ``KINDS``.

    ``name`` is the file's name (its ending is looked at), ``asked`` what the caller says it is.
    Raises :class:`InputError` where it is none of them, where it is not what ``asked`` says, or
    where nothing was asked for and the ending says something else than the content.
    """
    if asked is not None and asked not in KINDS:
        refuse(place, f"cannot be read as {asked!r}", f"Use one of {', '.join(KINDS)}.")
    ending = Path(name).suffix.lower()
    by_name = next((kind for kind, endings in ENDINGS.items() if ending in endings), None)
    found = _by_content(data, place, by_name, limits)
    # What is text can be read as any kind of text, if somebody says so.
    if asked is not None:
        if asked == found or (asked in _TEXTS and found in _TEXTS):
            return asked
        refuse(place, f"is {NAMES[found]}, not {NAMES[asked]}", f"Say that it is {found}.")
    if by_name is not None and by_name != found:
        refuse(place, f"has the ending {ending} but is {NAMES[found]}",
               f"Rename it to {ENDINGS[found][0]}, or get the file again.")  # fmt: skip
    return found


def _by_content(
    data: bytes, place: str | Path, by_name: str | None, limits: Mapping[str, Any]
) -> str:
    if not data.strip(b"\x00 \t\r\n"):
        refuse(place, "is empty", "Get the file again.")
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.lstrip()[:5] == b"{\\rtf":
        return "rtf"
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _kind_of_archive(data, place, limits)
    for signature, what, remedy in _SIGNATURES:
        if data.startswith(signature):
            refuse(place, what, remedy)
    if looks_binary(data):
        refuse(place, "is no text: it holds bytes that no text has",
               f"Give one of {', '.join(end[0] for end in ENDINGS.values())}.")  # fmt: skip
    return _kind_of_text(data, place, by_name)


def _kind_of_archive(data: bytes, place: str | Path, limits: Mapping[str, Any]) -> str:
    archive = Archive(data, place, limits)
    if "word/document.xml" in archive.names:
        return "docx"
    stated = archive.part("mimetype").strip() if "mimetype" in archive.names else b""
    if stated == b"application/epub+zip" or "META-INF/container.xml" in archive.names:
        return "epub"
    if stated.startswith(b"application/vnd.oasis.opendocument.text"):
        return "odt"
    return refuse(place, "is an archive, but neither .docx nor .odt nor .epub",
                  "Unpack it and add the files in it.")  # fmt: skip


def root_of(head: bytes) -> bytes:
    """Return the name of the first element in the first bytes of XML, without prefix; or none."""
    root = _ROOT.search(head.replace(b"\x00", b""))  # as UTF-16 has them
    return root.group(1) if root else b""


def _kind_of_text(data: bytes, place: str | Path, by_name: str | None) -> str:
    head = data[:HEAD].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if by_name == "md" and not head.lower().startswith((b"<!doctype html", b"<html")):
        return "md"
    if head.startswith(b"<"):
        name = root_of(head)
        if name in (b"TEI", b"teiCorpus", b"TEI.2"):
            return "tei"
        if name.lower() == b"html" or _WEB.search(head) or by_name == "html":
            return "html"
        if head.startswith(b"<?xml") or by_name == "tei":
            refuse(place, f"is XML with the root {name.decode('ascii', 'replace')!r}, not TEI",
                   "Give a TEI document, or save its text as .txt.")  # fmt: skip
    if by_name == "html":
        return "html"
    if by_name == "tei":
        refuse(place, "is no XML", "Give a TEI document, or name it .txt.")
    return "txt"
