"""Web pages to paragraphs, by trafilatura; what it leaves out is found again and reported."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.acquire.read.blocks import Vocabulary, walk
from framing.acquire.read.clean import bare
from framing.acquire.read.document import Dropped, Line, Raw
from framing.acquire.read.encodings import decode, encoding_notes
from framing.acquire.read.format import Format, Sample
from framing.acquire.read.refuse import library, refuse, version_of

SILENT = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "object",
        "embed",
        "iframe",
        "canvas",
        "audio",
        "video",
        "head",
    ]
)
BLOCKS = frozenset(
    [
        "html",
        "body",
        "div",
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "blockquote",
        "pre",
        "table",
        "tr",
        "td",
        "th",
        "caption",
        "section",
        "article",
        "aside",
        "nav",
        "header",
        "footer",
        "main",
        "figure",
        "figcaption",
        "form",
        "fieldset",
        "address",
        "details",
        "summary",
        "button",
        "label",
        "option",
        "select",
        "textarea",
        "hr",
        "center",
    ]
)
_FACTS = ("title", "author", "date", "url", "language")


def read_page(data: bytes, place: str | Path, settings: Mapping[str, Any]) -> Raw:
    """Read a web page. Raises :class:`InputError` where no text of an article is found."""
    text, encoding = decode(data, place, settings["encodings"], markup=True)
    trafilatura = library("trafilatura", place)
    html = library("lxml.html", place)
    # A declaration inside would be believed over the text that is decoded already.
    undeclared = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # dates in pages are guessed by a chain of libraries
            root = html.document_fromstring(undeclared)
            declared = str(root.get("lang") or "")[:2].lower()
            everything = walk(root, Vocabulary(BLOCKS, silent=SILENT, signs={"br": " "}))
            found = trafilatura.bare_extraction(
                undeclared, include_comments=False, include_tables=True, with_metadata=True
            )
    except Exception as error:
        refuse(place, f"is no page that can be read ({type(error).__name__})",
               "Save its text as .txt.")  # fmt: skip
    if found is None or not (found.text or "").strip():
        refuse(place, "is a page without the text of an article",
               "Perhaps it needs a browser: open it there and save the text as .txt.")  # fmt: skip
    lines = [Line(line, f"paragraph {number}")
             for number, line in enumerate(_paragraphs(found), start=1)]  # fmt: skip
    facts = {name: str(getattr(found, name, "") or "") for name in _FACTS}
    facts["language"] = facts["language"] or declared
    return Raw(
        lines, "trafilatura", version_of("trafilatura"),
        {name: value for name, value in facts.items() if value},
        left_out(everything.lines, lines, "boilerplate (trafilatura)"),
        encoding_notes(encoding),
    )  # fmt: skip


def _paragraphs(found: Any) -> list[str]:
    lines = (" ".join(line.split()) for line in found.text.split("\n"))
    # Marks of lists and of cells that trafilatura writes, not the page.
    return [
        unmarked for line in lines if (unmarked := re.sub(r"^- |^\|\s*|\s*\|$", "", line).strip())
    ]


def left_out(everything: list[Line], kept: list[Line], reason: str) -> list[Dropped]:
    """Return the lines of ``everything`` that do not stand, word for word, in ``kept``."""
    have = f" {' '.join(bare(line.text) for line in kept)} "
    found = []
    for line in everything:
        words = bare(line.text)
        if words and f" {words} " not in have:
            found.append(Dropped(line.place, line.text, reason))
    return found


_WEB = re.compile(rb"<(!doctype html|html|head|body)[\s>]", re.IGNORECASE)


def _is_page(file: Sample) -> bool:
    if file.by_name == "html":
        return True
    found = file.root.lower() == b"html" or _WEB.search(file.head)
    return file.head.startswith(b"<") and bool(found)


FORMAT = Format("html", (".html", ".htm", ".xhtml"), "a web page", read_page, _is_page, text=True)
