"""Documents of every kind that the reading room reads, made here from prose of our own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

TITLE = "The orchard and the canal"
BODY = (
    "The orchard above the canal was planted by a baker who had never grown an apple before, and "
    "for the first ten years it gave him nothing but shade and a place to sit on Sundays.",
    "His daughter kept the trees because she liked the bees that came to them in April, and she "
    "sold the honey at the lock, where every barge had to wait for water anyway.",
    "When the canal was closed, the bees stayed, and so did the buyers: they now came by bicycle "
    "along the towpath, and they asked for cider as often as for honey.",
)


def words(text: str) -> list[str]:
    """Return the words of a text as the checks for lost text compare them."""
    import re

    return re.findall(r"\w+", text.casefold())


def archive(parts: Mapping[str, str | bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return buffer.getvalue()


def docx(paragraphs: Sequence[str] = BODY, *, title: str = TITLE, head: str = "") -> bytes:
    from docx import Document

    document = Document()
    document.core_properties.title = title
    document.core_properties.author = "A. Pomologist"
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if head:
        document.sections[0].header.paragraphs[0].text = head
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def docx_of(body: str) -> bytes:
    """Return a .docx whose document.xml has this body, in the namespaces of Word."""
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return archive(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f'<w:document xmlns:w="{w}"><w:body>{body}</w:body></w:document>',
        }
    )


def pdf(pages: Sequence[Sequence[str]], *, title: str = TITLE, leading: float = 14) -> bytes:
    """Return a PDF: a line of text a line; an empty line leaves the gap of a paragraph."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.setTitle(title)
    for page in pages:
        height = 780.0
        for line in page:
            if line:
                canvas.drawString(72, height, line)
            height -= leading
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def locked_pdf(password: str = "pear") -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf([list(wrapped(BODY[0]))]))))
    writer.encrypt(password, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def wrapped(text: str, width: int = 70) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, break_on_hyphens=False)


def odt(body: str | None = None, *, manifest: str = "<m/>") -> bytes:
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    text = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    meta = (
        f'<office:document-meta xmlns:office="{office}" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta>'
        f"<dc:title>{TITLE}</dc:title><dc:date>2019-04-02T10:00:00</dc:date>"
        "</office:meta></office:document-meta>"
    )
    inner = body if body is not None else "".join(f"<text:p>{each}</text:p>" for each in BODY)
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:text="{text}"><office:body>'
        f"<office:text>{inner}</office:text></office:body></office:document-content>"
    )
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": content,
            "meta.xml": meta,
            "META-INF/manifest.xml": manifest,
        }
    )


def epub(chapters: Sequence[str] | None = None, *, more: Mapping[str, str] | None = None) -> bytes:
    if chapters is None:
        chapters = [f"<p>{each}</p>" for each in BODY]
    items = "".join(
        f'<item id="c{n}" href="text/c{n}.xhtml" media-type="application/xhtml+xml"/>'
        for n in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>{TITLE}</dc:title><dc:creator>A. Pomologist</dc:creator>"
        f"<dc:language>en</dc:language></metadata><manifest>{items}</manifest>"
        f"<spine>{spine}</spine></package>"
    )
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/book.opf"/>'
        "</rootfiles></container>",
        "OPS/book.opf": package,
    }
    for n, chapter in enumerate(chapters):
        parts[f"OPS/text/c{n}.xhtml"] = (
            '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
            f"<head><title>chapter</title></head><body>{chapter}</body></html>"
        )
    return archive({**parts, **(more or {})})


def rtf(paragraphs: Sequence[str] = BODY) -> bytes:
    inner = "".join(f"{each}\\par\n" for each in paragraphs)
    return (
        "{\\rtf1\\ansi\\ansicpg1252{\\info{\\title " + TITLE + "}}\\deff0 " + inner + "}"
    ).encode("cp1252")


def tei(inner: str | None = None, *, prolog: str = "") -> bytes:
    if inner is None:
        inner = "".join(f"<p>{each}</p>" for each in BODY)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}'
        '<TEI xmlns="http://www.tei-c.org/ns/1.0" xml:lang="en"><teiHeader><fileDesc><titleStmt>'
        f"<title>{TITLE}</title><author>A. Pomologist</author></titleStmt>"
        '<sourceDesc><bibl><date when="2019-04-02">April</date></bibl></sourceDesc></fileDesc>'
        '<profileDesc><particDesc><listPerson><person xml:id="AlderJane"><persName>'
        "<surname>Alder</surname><forename>Jane</forename></persName></person></listPerson>"
        "</particDesc></profileDesc></teiHeader>"
        f"<text><body>{inner}</body></text></TEI>"
    ).encode()


def page(paragraphs: Sequence[str] = BODY, *, head: str = "") -> str:
    inner = "".join(f"<p>{each}</p>" for each in paragraphs)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>{head}'
        '<meta name="author" content="Ann Pomologist">'
        '<meta property="article:published_time" content="2019-04-02"></head><body>'
        "<nav><ul><li>Front door</li><li>Our gardeners</li></ul></nav>"
        f"<article><h1>{TITLE}</h1>{inner}</article>"
        "<footer><p>Printed on apple paper by the village press</p></footer></body></html>"
    )
