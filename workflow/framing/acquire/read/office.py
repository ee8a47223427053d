"""Word, OpenDocument and rich text to paragraphs.

Word and OpenDocument files are read from their XML: python-docx, made for writing, passes over
tracked insertions, content controls and text boxes, and their words would be lost in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from framing.acquire.read.archives import Archive, optional_xml
from framing.acquire.read.blocks import Vocabulary, local, walk
from framing.acquire.read.document import Dropped, Line, Raw
from framing.acquire.read.format import Format
from framing.acquire.read.refuse import library, refuse, version_of

_WORD_NAMESPACE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXT_NAMESPACE = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def read_word(data: bytes, place: str | Path, settings: Mapping[str, Any]) -> Raw:
    """Read a .docx: paragraphs, tables and text boxes; notes, heads and comments are reported."""
    archive = Archive(data, place, settings["limits"])
    found = walk(archive.xml("word/document.xml"), _WORD)
    dropped = list(found.dropped)
    for name, reason in _parts_beside(archive.names):
        part = optional_xml(archive, name)
        if part is not None:
            dropped += [Dropped(name, line.text, reason) for line in walk(part, _WORD).lines]
    metadata = facts(optional_xml(archive, "docProps/core.xml"))
    return Raw(found.lines, "lxml", version_of("lxml"), metadata, dropped)


def _parts_beside(names: Iterable[str]) -> list[tuple[str, str]]:
    kinds = {"header": "running head", "footer": "running head", "footnotes": "footnote",
             "endnotes": "footnote", "comments": "comment"}  # fmt: skip
    found = []
    for name in sorted(names):
        part = re.fullmatch(r"word/(header|footer|footnotes|endnotes|comments)\d*\.xml", name)
        if part:
            found.append((name, kinds[part.group(1)]))
    return found


def _word_reason(element: Any) -> str | None:
    if local(element) != "p":
        return None
    style = element.find(f"{_WORD_NAMESPACE}pPr/{_WORD_NAMESPACE}pStyle")
    name = "" if style is None else str(style.get(f"{_WORD_NAMESPACE}val", ""))
    if name.casefold() == "caption":
        return "caption"
    return "table of contents" if re.fullmatch(r"(?i)toc\s?\d", name) else None


_WORD = Vocabulary(
    # `p` ends a line; table cells and text boxes hold such lines.
    blocks=frozenset(["document", "body", "p", "tbl", "tr", "tc", "txbxContent"]),
    left_out={"del": "tracked deletion", "moveFrom": "tracked deletion"},
    # The fallback says again what stands in the choice beside it.
    silent=frozenset(
        ["instrText", "delText", "Fallback", "pPr", "rPr", "sectPr", "tblPr", "binData"]
    ),
    signs={"tab": " ", "br": " ", "cr": " ", "noBreakHyphen": "-"},
    reason=_word_reason,
)


def read_opendocument(data: bytes, place: str | Path, settings: Mapping[str, Any]) -> Raw:
    """Read an .odt: paragraphs and headings; notes, comments and deletions are reported."""
    archive = Archive(data, place, settings["limits"])
    manifest = optional_xml(archive, "META-INF/manifest.xml")
    if manifest is not None and any(local(each) == "encryption-data" for each in manifest.iter()):
        refuse(place, "is protected by a password", "Save it without a password.")
    found = walk(archive.xml("content.xml"), _OPENDOCUMENT)
    metadata = facts(optional_xml(archive, "meta.xml"))
    return Raw(found.lines, "lxml", version_of("lxml"), metadata, list(found.dropped))


def _opendocument_reason(element: Any) -> str | None:
    style = str(element.get(f"{_TEXT_NAMESPACE}style-name", "")) if local(element) == "p" else ""
    return "caption" if style in ("Illustration", "Caption", "Figure") else None


_OPENDOCUMENT = Vocabulary(
    blocks=frozenset(
        ["document-content", "body", "text", "p", "h", "list", "list-item", "section", "table",
         "table-row", "table-cell", "text-box"]
    ),
    left_out={
        "note": "footnote",
        "annotation": "comment",
        "tracked-changes": "tracked deletion",
        "table-of-content": "table of contents",
    },
    silent=frozenset(["scripts", "font-face-decls", "automatic-styles", "sequence-decls", "forms"]),
    signs={"s": " ", "tab": " ", "line-break": " "},
    reason=_opendocument_reason,
)  # fmt: skip


def facts(root: Any | None) -> dict[str, str]:
    """Return title, author, date and language of the Dublin Core elements under ``root``."""
    names = {"title": "title", "creator": "author", "initial-creator": "author", "date": "date",
             "created": "date", "language": "language"}  # fmt: skip
    made: dict[str, str] = {}
    for element in root.iter() if root is not None else ():
        name = names.get(local(element))
        value = " ".join("".join(element.itertext()).split()) if name else ""
        if name and value:
            made.setdefault(name, value[:10] if name == "date" else value)
    return made


_RTF_FACT = re.compile(r"\{\\(title|author)\s([^{}\\]{1,300})\}")


def read_rich_text(data: bytes, place: str | Path, settings: Mapping[str, Any]) -> Raw:
    """Read rich text by striprtf; every line end it gives is the end of a paragraph."""
    striprtf = library("striprtf.striprtf", place)
    source = data.decode("latin-1")
    groups = re.sub(r"\\\\|\\[{}]", "", source)
    if groups.count("}") < groups.count("{"):
        refuse(place, "is cut off: groups that were opened are not closed",
               "Get the file again, or save it as .docx.")  # fmt: skip
    try:
        text = striprtf.rtf_to_text(source, errors="replace")
    except Exception as error:
        refuse(place, f"is broken rich text ({type(error).__name__})", "Save it as .docx.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [Line(line, f"line {number}")
             for number, line in enumerate(text.split("\n"), start=1) if line.strip()]  # fmt: skip
    metadata = {found.group(1): found.group(2).strip() for found in _RTF_FACT.finditer(source)}
    return Raw(lines, "striprtf", version_of("striprtf"), metadata)


WORD = Format(
    "docx", (".docx",), "a Word document", read_word, lambda file: file.has("word/document.xml")
)
OPENDOCUMENT = Format(
    "odt", (".odt",), "an OpenDocument text", read_opendocument,
    lambda file: file.stated.startswith(b"application/vnd.oasis.opendocument.text"),
)  # fmt: skip
RICH_TEXT = Format(
    "rtf", (".rtf",), "rich text", read_rich_text,
    lambda file: file.data.lstrip()[:5] == b"{\\rtf",
)  # fmt: skip
