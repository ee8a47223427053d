"""Every kind of document comes out as its paragraphs; whatever is missing is reported."""

from __future__ import annotations

import pytest

from framing.acquire.read.pdfs import joined
from framing.acquire.read.read import read_document
from framing.acquire.read.settings import reading_settings
from framing.common import extras
from framing.common.problems import InputError
from tests.unit import reading_samples as made
from tests.unit.reading_samples import BODY, TITLE


def texts(document) -> list[str]:
    return [turn.text for turn in document.turns]


def reasons(document) -> dict[str, str]:
    return {each.text: each.reason for each in document.dropped}


ALL = {
    "orchard.txt": "\n\n".join(BODY).encode(),
    "orchard.md": ("# Heading\n\n" + "\n\n".join(BODY)).encode(),
    "orchard.html": made.page().encode(),
    "orchard.pdf": made.pdf([[*made.wrapped(BODY[0]), "", *made.wrapped(BODY[1]), "",
                              *made.wrapped(BODY[2])]]),
    "orchard.docx": made.docx(),
    "orchard.odt": made.odt(),
    "orchard.epub": made.epub(),
    "orchard.rtf": made.rtf(),
    "orchard.xml": made.tei(),
}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_paragraphs_come_out_as_they_are(name):
    document = read_document(name, ALL[name])
    found = [text for text in texts(document) if text not in (TITLE, "Heading")]
    assert found == list(BODY)
    assert document.version != "unknown"
    assert document.text().endswith("\n")


@pytest.mark.parametrize("name", ALL)
def test_a_file_on_disk_reads_the_same(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(ALL[name])
    assert read_document(path).turns == read_document(name, ALL[name]).turns


@pytest.mark.parametrize("name", ["orchard.html", "orchard.pdf", "orchard.docx", "orchard.odt",
                                  "orchard.epub", "orchard.rtf", "orchard.xml"])  # fmt: skip
def test_what_the_file_says_of_itself(name):
    assert read_document(name, ALL[name]).metadata["title"] == TITLE


def test_more_of_what_files_say():
    tei = read_document("a.xml", made.tei()).metadata
    assert (tei["author"], tei["date"], tei["language"]) == ("A. Pomologist", "2019-04-02", "en")
    page = read_document("a.html", made.page().encode()).metadata
    assert (page["author"], page["date"], page["language"]) == (
        "Ann Pomologist", "2019-04-02", "en",
    )  # fmt: skip
    assert read_document("a.docx", made.docx()).metadata["author"] == "A. Pomologist"
    assert read_document("a.odt", made.odt()).metadata["date"] == "2019-04-02"


def test_menus_of_a_page_are_left_out_and_reported():
    document = read_document("a.html", made.page().encode())
    assert "Front door" not in document.text()
    assert reasons(document)["Front door"] == "boilerplate (trafilatura)"
    assert "Printed on apple paper by the village press" in reasons(document)


def test_a_page_in_the_encoding_it_names():
    text = made.page([BODY[0], "The café by the lock “opens at dawn” — or so they say here."])
    for encoding in ("cp1252", "utf-16", "utf-8-sig"):
        data = text.replace("utf-8", "windows-1252").encode(encoding)
        assert (
            "The café by the lock “opens at dawn” — or so" in read_document("a.html", data).text()
        )


def test_lines_of_a_wrapped_file_are_joined_and_others_are_not():
    wrapped = "\n\n".join("\n".join(made.wrapped(each)) for each in BODY)
    assert texts(read_document("a.txt", wrapped.encode())) == list(BODY)
    assert texts(read_document("a.txt", "\n".join(BODY).encode())) == list(BODY)


def test_windows_line_ends_and_old_encodings():
    text = "\r\n\r\n".join([BODY[0], "The café’s “cider” costs £3 — no more – in any season."])
    document = read_document("a.txt", text.encode("cp1252"))
    assert texts(document)[1].startswith("The café’s “cider” costs £3")
    assert document.notes == ("read as cp1252: look at accents and quotes",)


def test_markdown_marks_go_and_what_they_hid_is_reported():
    text = (
        "---\ntitle: Cider\nlang: en\n---\n\nSetext heading\n======\n\n"
        f"{BODY[0]}\n*All* of it was **planted** by [the baker](bakery.example/him 'him').\n\n"
        "![A tree in bloom](tree.png)\n\n<!-- ask the baker -->\n\n> Quoted by his daughter\n\n"
        "- one pear\n- two pears\n\n```\ncode()\n```\n\nsnake_case_word stays\n"
    )
    document = read_document("a.md", text.encode())
    assert texts(document) == [
        "Setext heading",
        f"{BODY[0]} All of it was planted by the baker.",
        "Quoted by his daughter",
        "one pear",
        "two pears",
        "snake_case_word stays",
    ]
    assert document.metadata == {"title": "Cider", "language": "en"}
    kinds = {each.reason for each in document.dropped}
    assert kinds == {"front matter", "link target", "image", "comment", "code"}
    assert next(each.place for each in document.dropped if each.reason == "image") == "line 12"


def test_running_heads_page_numbers_and_hyphens_of_a_pdf():
    pages = [
        ["Annals of Fruit 12", f"{word} years later he had nothing but the long slow after-",
         f"noon, {word} well-known friends at least.", "", str(number)]
        for number, word in enumerate(["Two", "Six", "Ten", "Twelve"], start=1)
    ]  # fmt: skip
    document = read_document("a.pdf", made.pdf(pages))
    assert "afternoon, Six well-known friends" in document.text()
    assert "Annals" not in document.text()
    assert (
        sorted(each.reason for each in document.dropped)
        == ["page number"] * 4 + ["running head"] * 4
    )
    assert document.dropped[0].place == "page 1"


def test_a_paragraph_runs_over_the_end_of_a_page():
    lines = made.wrapped(BODY[1])
    document = read_document("a.pdf", made.pdf([lines[:2], lines[2:]]))
    assert texts(document) == [BODY[1]]


def test_hyphens_stay_in_compounds_and_before_names():
    assert joined("the cider-", "makers", {"cider-makers"}) == "the cider-makers"
    assert joined("the London-", "Oxford canal", set()) == "the London-Oxford canal"
    assert joined("an or-", "chard", set()) == "an orchard"


def test_word_keeps_what_is_easily_lost():
    def run(text: str) -> str:
        return f"<w:r><w:t>{text}</w:t></w:r>"

    body = (
        f"<w:p>{run(BODY[0])}<w:ins>{run(' It was inserted.')}</w:ins>"
        "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
        f"<w:sdt><w:sdtContent><w:p>{run('In a field of a form')}</w:p></w:sdtContent></w:sdt>"
        f"<w:tbl><w:tr><w:tc><w:p>{run('left cell')}</w:p></w:tc>"
        f"<w:tc><w:p>{run('right cell')}</w:p></w:tc></w:tr></w:tbl>"
        '<w:p><w:pPr><w:pStyle w:val="Caption"/></w:pPr>' + run("Figure 1: a tree") + "</w:p>"
    )
    document = read_document("a.docx", made.docx_of(body))
    assert texts(document) == [
        f"{BODY[0]} It was inserted.", "In a field of a form", "left cell", "right cell",
    ]  # fmt: skip
    assert reasons(document) == {"Figure 1: a tree": "caption", "gone": "tracked deletion"}


def test_heads_of_a_word_document_are_reported():
    document = read_document("a.docx", made.docx(head="Confidential draft"))
    assert reasons(document) == {"Confidential draft": "running head"}


def test_notes_of_an_open_document_are_reported():
    body = (
        f"<text:p>{BODY[0]}<text:note><text:note-body><text:p>See the map.</text:p>"
        "</text:note-body></text:note><text:s/><text:span>And more.</text:span></text:p>"
    )
    document = read_document("a.odt", made.odt(body))
    assert texts(document) == [f"{BODY[0]} And more."]
    assert reasons(document) == {"See the map.": "footnote"}


def test_a_book_is_read_in_the_order_of_its_spine():
    chapters = [
        f"<h1>One</h1><p>{BODY[0]}</p>",
        f"<div>{BODY[1]}<aside epub:type='footnote'>A note on bees</aside></div>",
        f"<p>Caf&eacute;s: {BODY[2]}</p>",
    ]
    document = read_document("a.epub", made.epub(chapters))
    assert texts(document) == ["One", BODY[0], BODY[1], f"Cafés: {BODY[2]}"]
    assert reasons(document) == {"A note on bees": "footnote"}


def test_speakers_of_a_parliament_are_known_by_their_names():
    inner = (
        f'<u who="#AlderJane"><seg>{BODY[0]}</seg><note>Applause</note><seg>{BODY[1]}</seg></u>'
        f'<u who="#chair"><seg>{BODY[2]}</seg></u>'
    )
    document = read_document("a.xml", made.tei(inner))
    assert document.speakers() == ["Jane Alder", "Jane Alder", "chair"]
    assert [turn.label for turn in document.turns] == ["Jane Alder", "", "chair"]
    assert document.text().startswith("Jane Alder: The orchard")
    assert reasons(document) == {"Applause": "note in the edition"}


def test_turns_of_an_interview_are_kept_apart():
    text = (
        f"Question: Who planted this orchard?\n\nJane Alder (fruit grower): {BODY[0]}"
        f"\n\n{BODY[1]}\n\nQuestion: And afterwards?\n\nJane Alder: {BODY[2]}\n"
    )
    document = read_document("a.txt", text.encode())
    assert document.speakers() == ["Question", "Jane Alder", "Jane Alder", "Question", "Jane Alder"]
    assert texts(document)[1] == BODY[0]
    assert document.text() == text


def test_a_colon_does_not_make_a_speaker():
    text = f"Remember This: {BODY[0]}\n\n{BODY[1]}"
    assert read_document("a.txt", text.encode()).speakers() == [None, None]


def test_a_missing_library_is_named(monkeypatch):
    def absent(name: str):
        raise ImportError(name=name)

    monkeypatch.setattr(extras.importlib, "import_module", absent)
    with pytest.raises(InputError, match=r"library pypdf.*pip install -e '\.\[reading\]'"):
        read_document("a.pdf", ALL["orchard.pdf"])


@pytest.mark.slow
def test_the_base_package_needs_no_library_of_the_extra():
    import subprocess
    import sys

    code = (
        "import sys, framing.acquire.read.read, framing.acquire.read.units, framing.cli.main\n"
        "heavy = {'lxml', 'trafilatura', 'pypdf', 'ftfy', 'py3langid', 'striprtf', 'nltk'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_settings_of_a_project_lie_over_the_defaults():
    own = reading_settings({"reading": {"language": {"accepted": ["de"]}}})
    assert own["reading"]["language"] == {"accepted": ["de"], "judged_from": 20}
    assert own["reading"]["limits"] == reading_settings()["reading"]["limits"]
