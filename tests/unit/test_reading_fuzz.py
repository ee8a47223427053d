"""Whatever bytes come: a document or a plain refusal, never a crash, never lost words."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framing.acquire.read.clean import repair
from framing.acquire.read.kinds import FORMATS, KINDS
from framing.acquire.read.read import read_document
from framing.acquire.read.settings import reading_settings
from framing.acquire.read.units import cut_passages
from framing.common.problems import InputError
from tests.unit import reading_samples as made
from tests.unit.reading_samples import BODY, words

ANY = reading_settings({"reading": {"language": {"accepted": []}}})
WHOLE = {
    "txt": "\n\n".join(BODY).encode(),
    "md": ("# Trees\n\n> *" + "*\n\n".join(BODY)).encode(),
    "html": made.page().encode(),
    "pdf": made.pdf([made.wrapped(BODY[0]), made.wrapped(BODY[1])]),
    "docx": made.docx(),
    "odt": made.odt(),
    "epub": made.epub(),
    "rtf": made.rtf(),
    "tei": made.tei(),
}
QUIET = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_or_refuse(name: str, data: bytes, kind: str | None = None) -> None:
    try:
        document = read_document(name, data, kind, ANY)
    except InputError as error:
        assert all(problem.remedy and problem.what for problem in error.problems)
        return
    text = document.text()
    assert text.strip() and "\r" not in text
    cut = cut_passages("s", text, ANY["units"], speakers=document.speakers())
    for row in cut.passages.itertuples():
        assert len(text[row.start : row.end].split()) == row.words


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@QUIET
def test_damaged_documents(kind, data):
    changed = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(changed) - 1))
        piece = data.draw(st.binary(max_size=4) | st.sampled_from(
            [b"<", b">", b"&x;", b"{", b"}", b"\\'", b"\\u99999 ", b"obj", b"endstream", b"\x00"]
        ))  # fmt: skip
        changed[at : at + data.draw(st.integers(0, 5))] = piece
    if data.draw(st.booleans()):
        del changed[data.draw(st.integers(1, len(changed))) :]
    read_or_refuse("a" + FORMATS[kind].endings[0], bytes(changed))


@given(st.binary(max_size=200), st.sampled_from([None, *KINDS]))
@settings(max_examples=150, deadline=None)
def test_any_bytes(data, kind):
    read_or_refuse("a", data, kind)


@pytest.mark.parametrize("kind", ["txt", "md", "html"])
@given(text=st.text(max_size=120))
@QUIET
def test_any_text(kind, text):
    read_or_refuse("a", text.encode(), kind)


# An é before two curly quotes may be three bytes of UTF-8 read as Latin: to mend it is right there.
SIMPLE = st.lists(
    st.text(st.sampled_from("abcdefg ABC.,:;()é-’1"), min_size=1, max_size=60).filter(
        lambda text: "é’’" not in text
    ),
    max_size=6,
)


@pytest.mark.parametrize("kind", ["txt", "docx", "odt", "epub", "rtf", "tei"])
@given(paragraphs=SIMPLE)
@QUIET
def test_no_word_is_lost(kind, paragraphs):
    escaped = [each.replace("\x00", "") for each in paragraphs]
    tags = [f"<p>{each}</p>" for each in escaped]
    data = {
        "txt": lambda: "\n\n".join(escaped).encode(),
        "docx": lambda: made.docx_of(
            "".join(f"<w:p><w:r><w:t>{each}</w:t></w:r></w:p>" for each in escaped)
        ),
        "odt": lambda: made.odt("".join(f"<text:p>{each}</text:p>" for each in escaped)),
        "epub": lambda: made.epub(tags or ["<p/>"]),
        "rtf": lambda: made.rtf(escaped),
        "tei": lambda: made.tei("".join(tags)),
    }[kind]()
    try:
        document = read_document("a" + FORMATS[kind].endings[0], data, None, ANY)
    except InputError as error:
        assert not any(words(each) for each in escaped) or "no text" in str(error)
        return
    given_words = sorted(word for each in escaped for word in words(repair(each)))
    out = [document.text(), *(each.text for each in document.dropped)]
    assert sorted(word for each in out for word in words(each)) == given_words


MARKUP = ["<p>", "</p>", "</div>", "<nav>", "<td>", "<li>", "<h2>", "<article>"]
FRUIT = ["apple ", "pear. ", "quince "]


@pytest.mark.slow
@given(st.lists(st.sampled_from(MARKUP + FRUIT), max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_word_of_a_page_is_lost(parts):
    body = f"<article><p>{BODY[0]}</p>{''.join(parts)}<p>{BODY[1]}</p></article>"
    page = f"<!DOCTYPE html><html><head><title>x</title></head><body>{body}</body></html>"
    document = read_document("a.html", page.encode(), None, ANY)
    out = {word for each in [document.text(), *(each.text for each in document.dropped)]
           for word in words(each)}  # fmt: skip
    assert {word for part in parts if "<" not in part for word in words(part)} <= out
