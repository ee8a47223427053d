"""Bad input: every document that cannot or must not be read is refused in plain words."""

from __future__ import annotations

import io
import zipfile

import pytest

from framing.acquire.read.read import read_document
from framing.acquire.read.settings import reading_settings
from framing.common.problems import InputError
from tests.unit import reading_samples as made
from tests.unit.reading_samples import BODY

BOMB = (
    '<!DOCTYPE TEI [<!ENTITY a "apple"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)
OUTSIDE = '<!DOCTYPE TEI [<!ENTITY secret SYSTEM "file:///etc/hostname">]>'


def flagged(data: bytes) -> bytes:
    """Set the flag of encryption on every part of an archive."""
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.find(signature)
        while at >= 0:
            changed[at + offset] |= 1
            at = changed.find(signature, at + 4)
    return bytes(changed)


def with_twins() -> bytes:
    buffer = io.BytesIO(made.docx())
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("word/document.xml", "<other/>")
    return buffer.getvalue()


def scan() -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for _ in range(3):
        canvas.rect(72, 72, 300, 400, fill=1)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


FRENCH = (
    "Le verger au-dessus du canal fut planté par un boulanger qui n'avait jamais vu de pommes, "
    "et pendant dix ans il ne lui donna que de l'ombre et un banc pour s'asseoir le dimanche."
)
RUSSIAN = (
    "Сад над каналом посадил пекарь, который прежде никогда не выращивал яблок, и первые десять "
    "лет сад не давал ему ничего, кроме тени и места, где можно было посидеть в воскресенье днём."
)
BIG = b"<w/>" + b" " * 8_000_000

CASES = {
    "a locked PDF": ("a.pdf", made.locked_pdf, "password"),
    "a scan": ("a.pdf", scan, "scan without text layer.*OCR"),
    "a cut PDF": ("a.pdf", lambda: made.pdf([[BODY[0]]])[:300], "broken PDF"),
    "a PDF in name": ("a.pdf", lambda: BODY[0].encode(), "ending .pdf but is plain text"),
    "a PDF called text": ("a.txt", lambda: made.pdf([[BODY[0]]]), "ending .txt but is a PDF"),
    "a page called PDF": ("a.pdf", lambda: made.page().encode(), "ending .pdf but is a web page"),
    "a picture called text": ("a.txt", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "image"),
    "bytes called text": ("a.txt", lambda: bytes(range(256)) * 20, "no text"),
    "an old Word file": ("a.doc", lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 99, r"\.doc\).*password"),
    "a locked archive": ("a.docx", lambda: flagged(made.docx()), "protected by a password"),
    "a locked .odt": ("a.odt", lambda: made.odt(manifest="<m><encryption-data/></m>"), "password"),
    "a locked book": ("a.epub", lambda: made.epub(more={"META-INF/rights.xml": "<r/>"}), "DRM"),
    "a zip bomb": ("a.docx", lambda: made.archive({"word/document.xml": BIG}), "made to harm"),
    "a path trick": (
        "a.epub", lambda: made.epub(more={"../../outside.txt": "x"}), "leads out of it"),
    "a path with a drive": ("a.odt", lambda: made.archive(
        {"mimetype": "application/vnd.oasis.opendocument.text", "C:\\x": "x"}), "leads out of it"),
    "a spine that leads out": ("a.epub", lambda: made.epub().replace(
        b"", b"")[:0] or made.archive({
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<c><rootfile full-path="../../etc/passwd"/></c>',
        }), "lacks the part"),
    "twins in an archive": ("a.docx", with_twins, "two files of one name"),
    "a cut archive": ("a.docx", lambda: made.docx()[:2000], "broken archive"),
    "an unknown archive": ("a.zip", lambda: made.archive({"x": "y"}), "neither .docx"),
    "an entity bomb": ("a.xml", lambda: made.tei("<p>&d;</p>", prolog=BOMB), "declares entities"),
    "an outside entity": (
        "a.xml", lambda: made.tei("<p>&secret;</p>", prolog=OUTSIDE), "declares entities"),
    "a bomb in Word": ("a.docx", lambda: made.archive(
        {"word/document.xml": BOMB.replace("TEI", "d") + "<d>&d;</d>"}), "declares entities"),
    "a bomb in a book": ("a.epub", lambda: made.epub().replace(b"", b"") and made.archive({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": BOMB.replace("TEI", "c") + "<c>&d;</c>"}), "declares entities"),
    "broken XML": ("a.xml", lambda: made.tei("<p>open"), "not well-formed XML at line 1"),
    "XML of another sort": ("a.xml", lambda: b"<?xml version='1.0'?><menu/>", "not TEI"),
    "a collection": ("a.xml", lambda: b"<teiCorpus><TEI/><TEI/></teiCorpus>", "collection of 2"),
    "TEI without text": ("a.xml", lambda: b"<TEI><teiHeader/></TEI>", "no <text>"),
    "an empty file": ("a.txt", lambda: b"", "is empty"),
    "nothing but space": ("a.txt", lambda: b" \n\t\n", "is empty"),
    "nothing but marks": ("a.txt", lambda: b"* * *\n\n)\n", "holds no text"),
    "an empty Word file": ("a.docx", lambda: made.docx([]), "holds no text"),
    "an empty page": (
        "a.html", lambda: b"<!DOCTYPE html><html><body></body></html>", "without the text"),
    "broken UTF-16": ("a.txt", lambda: b"\xff\xfe" + "pear".encode("utf-16-le")[:-1], "broken at"),
    "cut rich text": ("a.rtf", lambda: made.rtf()[:-1], "cut off"),
    "French": ("a.txt", lambda: FRENCH.encode(), "'fr', not in en"),
    "Russian in its own code page": ("a.txt", lambda: RUSSIAN.encode("cp1251"), "not in en"),
    "an unknown kind": ("a.txt", lambda: BODY[0].encode(), "cannot be read as 'xls'"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_in_plain_words(case):
    name, data, message = CASES[case]
    kind = "xls" if case == "an unknown kind" else None
    with pytest.raises(InputError, match=message) as caught:
        read_document(f"folder/{name}", data(), kind)
    for problem in caught.value.problems:
        assert str(problem.place).startswith("folder/")
        assert problem.remedy.endswith((".", ")"))


def test_a_kind_that_is_asked_for_must_be_right():
    assert read_document("download", made.page().encode(), "html").kind == "html"
    with pytest.raises(InputError, match="is a web page, not a PDF"):
        read_document("download", made.page().encode(), "pdf")


def test_another_language_is_read_when_told():
    settings = reading_settings({"reading": {"language": {"accepted": ["en", "fr"]}}})
    assert read_document("a.txt", FRENCH.encode(), settings=settings).turns[0].text == FRENCH
    anything = reading_settings({"reading": {"language": {"accepted": []}}})
    russian = read_document("a.txt", RUSSIAN.encode("cp1251"), settings=anything)
    assert russian.turns[0].text == RUSSIAN


def limited(**limits):
    return reading_settings({"reading": {"limits": limits}})


def test_limits_hold(tmp_path):
    path = tmp_path / "large.txt"
    path.write_bytes(b"a pear\n" * 100)
    for data in (None, path.read_bytes()):
        with pytest.raises(InputError, match="700 bytes, more than 699"):
            read_document(path, data, settings=limited(bytes=699))
    with pytest.raises(InputError, match="3 pages, more than 2"):
        read_document("a.pdf", made.pdf([[BODY[0]]] * 3), settings=limited(pages=2))
    with pytest.raises(InputError, match=r"unpacks to .* more than 1,000"):
        read_document("a.docx", made.docx(), settings=limited(expanded_bytes=1000))
    with pytest.raises(InputError, match="files, more than 3"):
        read_document("a.docx", made.docx(), settings=limited(members=3))


def test_a_large_file_is_not_read_whole(tmp_path):
    path = tmp_path / "huge.html"
    with path.open("wb") as file:
        file.truncate(500_000_000)  # sparse: takes no room on the disk
    with pytest.raises(InputError, match="500,000,000 bytes"):
        read_document(path, settings=limited(bytes=1_000_000))


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_document(tmp_path / "absent.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_document(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_document("a\0b.txt")


def test_a_size_that_an_archive_states_wrongly_does_no_harm():
    data = bytearray(made.archive({"word/document.xml": BIG}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.find(signature)
        data[at + offset : at + offset + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(InputError, match="broken part"):
        read_document("a.docx", bytes(data))


def test_documents_nested_without_end_do_not_crash():
    deep = "<div>" * 3000 + BODY[0] + "</div>" * 3000
    for name, data in (
        ("a.html", f"<!DOCTYPE html><html><body>{deep}</body></html>".encode()),
        ("a.xml", made.tei(deep)),
        ("a.epub", made.epub([deep])),
    ):
        try:
            document = read_document(name, data)
        except InputError:
            continue
        assert BODY[0] in document.text()
