"""Which kind of file it is, by what it holds; the ending of its name must agree.

A new kind is a module that gives a ``FORMAT`` (:mod:`framing.acquire.read.format`) and its place in
:data:`FORMATS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.acquire.read import books, office, pages, pdfs, tei, texts
from framing.acquire.read.encodings import looks_binary
from framing.acquire.read.format import Format, Sample
from framing.acquire.read.refuse import refuse

FORMATS: Mapping[str, Format] = {
    one.id: one
    for one in (
        pdfs.FORMAT, office.RICH_TEXT, office.WORD, books.FORMAT, office.OPENDOCUMENT,
        texts.MARKDOWN, tei.FORMAT, pages.FORMAT, texts.PLAIN,
    )
}  # fmt: skip
"""All kinds by id, in the order in which a file is asked whether it is one."""
KINDS = tuple(FORMATS)

_SIGNATURES = (
    (b"PK\x03\x04", "is an archive, but neither .docx nor .odt nor .epub",
     "Unpack it and add the files in it."),
    (b"PK\x05\x06", "is an archive, but neither .docx nor .odt nor .epub",
     "Unpack it and add the files in it."),
    (b"\xd0\xcf\x11\xe0", "is an old Word file (.doc) or one locked with a password",
     "Save it as .docx without a password."),
    (b"\x1f\x8b", "is compressed (gzip)", "Unpack it first."),
    (b"7z\xbc\xaf", "is a 7z archive", "Unpack it first."),
    (b"Rar!", "is a RAR archive", "Unpack it first."),
    (b"\x89PNG", "is an image", "Recognise its text (OCR) and save that."),
    (b"\xff\xd8\xff", "is an image", "Recognise its text (OCR) and save that."),
    (b"GIF8", "is an image", "Recognise its text (OCR) and save that."),
)  # fmt: skip


def kind_of(
    data: bytes, place: str | Path, name: str, asked: str | None, limits: Mapping[str, Any]
) -> str:
    """Return the kind of a file: one of :data:`KINDS`.

    ``name`` is the file's name (its ending is looked at), ``asked`` what the caller says it is.
    Raises :class:`InputError` where it is none of them, where it is not what ``asked`` says, or
    where nothing was asked for and the ending says something else than the content.
    """
    if asked is not None and asked not in KINDS:
        refuse(place, f"cannot be read as {asked!r}", f"Use one of {', '.join(sorted(KINDS))}.")
    ending = Path(name).suffix.lower()
    by_name = next((one.id for one in FORMATS.values() if ending in one.endings), None)
    found = _by_content(Sample(data, place, by_name, limits))
    if asked is not None:
        if asked == found.id or (FORMATS[asked].text and found.text):
            return asked
        refuse(place, f"is {found.name}, not {FORMATS[asked].name}", f"Say that it is {found.id}.")
    if by_name is not None and by_name != found.id:
        refuse(place, f"has the ending {ending} but is {found.name}",
               f"Rename it to {found.endings[0]}, or get the file again.")  # fmt: skip
    return found.id


def _by_content(sample: Sample) -> Format:
    if not sample.data.strip(b"\x00 \t\r\n"):
        refuse(sample.place, "is empty", "Get the file again.")
    for one in FORMATS.values():
        if not one.text and one.matches(sample):
            return one
    for signature, what, remedy in _SIGNATURES:
        if sample.data.startswith(signature):
            refuse(sample.place, what, remedy)
    if looks_binary(sample.data):
        known = ", ".join(one.endings[0] for one in FORMATS.values())
        refuse(sample.place, "is no text: it holds bytes that no text has", f"Give one of {known}.")
    found = next(one for one in FORMATS.values() if one.text and one.matches(sample))
    if found is texts.PLAIN:
        _refuse_markup(sample)
    return found


def _refuse_markup(sample: Sample) -> None:
    """Raise :class:`InputError` where XML of another kind would be taken for plain text."""
    remedy = "Give a TEI document, or save its text as .txt."
    is_tei = sample.by_name == tei.FORMAT.id
    if sample.head.startswith(b"<?xml") or (sample.head.startswith(b"<") and is_tei):
        root = sample.root.decode("ascii", "replace")
        refuse(sample.place, f"is XML with the root {root!r}, not TEI", remedy)
    if is_tei:
        refuse(sample.place, "is no XML", "Give a TEI document, or name it .txt.")
