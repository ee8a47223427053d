"""REFI-QDA projects and codebooks: read, mapped onto passages, written, and read again."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import quoteattr

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from framing.acquire.read.settings import reading_settings
from framing.acquire.refi.align import Corpus, nearest, targets
from framing.acquire.refi.codebooks import (
    code_of,
    codebook_bytes,
    described,
    read_codebook,
)
from framing.acquire.refi.mapping import map_onto_passages, matched_codes, union_length
from framing.acquire.refi.offsets import (
    STANDARD,
    TWO,
    WAYS,
    Counting,
    Quoted,
    Scale,
    counting_of,
    with_line_feeds,
)
from framing.acquire.refi.project import Project, ProjectCode
from framing.acquire.refi.read import read_project
from framing.acquire.refi.settings import Rule, import_rule
from framing.acquire.refi.write import CRLF, NAMESPACE, Exported, Written, project_bytes
from framing.codebook.codebook import written_codebook
from framing.codebook.codes import yes_no_code
from framing.coding.codings import read_coders, read_codings
from framing.common.config import check_config, load_config
from framing.common.files import sha256
from framing.common.problems import InputError
from framing.corpus.tables import read_passages, read_sample, read_sources
from framing.corpus.texts import read_canonical
from framing.project.freeze import components

pytestmark = pytest.mark.slow

LIMITS = reading_settings()["reading"]["limits"]
SHARED = Path("..") / "shared" / "refi"
MOMENT = "2025-01-31T12:00:00Z"
HALF = Rule(0.5)


def gid(*parts: object) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, parts))))


ANN, BOB, COST, DEAR, FAIR, DOC = (gid(one) for one in ("ann", "bob", "cost", "dear", "fair", "d"))
USERS = f'<Users><User guid="{ANN}" name="ann"/><User guid="{BOB}" name="bob"/></Users>'
CODES = (
    f'<CodeBook><Codes><Code guid="{COST}" name="Cost" isCodable="true" color="#FF0000">'
    f"<Description>Money.</Description>"
    f'<Code guid="{DEAR}" name="Dear" isCodable="true"/></Code>'
    f'<Code guid="{FAIR}" name="fairness" isCodable="false"/></Codes></CodeBook>'
)
TEXT = "The lock is dear.\n\nThe ferry is fair, and the tram is both of it."


def selection(start: object, end: object, code: str = COST, user: str = ANN, more: str = "",
              name: str = "") -> str:  # fmt: skip
    named = f" name={quoteattr(name)}" if name else ""
    by = f' creatingUser="{user}"' if user else ""
    return (
        f'<PlainTextSelection guid="{gid(start, end, code, user)}" startPosition="{start}" '
        f'endPosition="{end}"{named}>{more}<Coding guid="{gid("c", start, end, code, user)}"{by}>'
        f'<CodeRef targetGUID="{code}"/></Coding></PlainTextSelection>'
    )


def source(inside: str = "", name: str = "harbour", guid: str = DOC, more: str = "") -> str:
    path = f"internal://{guid}.txt"
    return (f'<TextSource guid="{guid}" name={quoteattr(name)} plainTextPath="{path}"{more}>'
            f"{inside}</TextSource>")  # fmt: skip


def qde(sources: str = "", after: str = "", codes: str = CODES, users: str = USERS) -> str:
    return (f'<?xml version="1.0" encoding="utf-8"?><Project name="harbour" origin="a program" '
            f'xmlns="{NAMESPACE}">{users}{codes}<Sources>{sources}</Sources>{after}'
            "</Project>")  # fmt: skip


def packed(path: Path, parts: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return path


def project(where: Path, xml: str, text: str | bytes = TEXT, **names: str) -> Project:
    where.mkdir(exist_ok=True)
    parts = {names.get("qde", "project.qde"): xml,
             f"{names.get('folder', 'sources')}/{DOC}.txt": text}  # fmt: skip
    return read_project(packed(where / "p.qdpx", parts), LIMITS)


# --- reading -------------------------------------------------------------------------------------

PLAIN = qde(source(selection(0, 17) + selection(19, 36, DEAR, BOB)))


@pytest.mark.parametrize(
    ("xml", "names"),
    [
        (PLAIN, {}),
        (PLAIN, {"folder": "Sources", "qde": "My study.qde"}),
        ("\ufeff" + PLAIN.replace(' encoding="utf-8"', ""), {"folder": "SOURCES"}),
        (PLAIN.replace("<", "<q:").replace("<q:/", "</q:").replace("<q:?", "<?")
         .replace("xmlns=", "xmlns:q="), {}),
        (PLAIN.replace(f'"{ANN}"', f'"{{{ANN.upper()}}}"'), {"folder": "sources"}),
        (PLAIN.replace("internal://", "INTERNAL://"), {}),
    ],
)  # fmt: skip
def test_projects_are_read_as_programs_write_them(tmp_path, xml, names):
    found = project(tmp_path, xml, **names)
    assert found.spans() == {
        ("harbour", "Cost", "ann", 0, 17), ("harbour", "Cost/Dear", "bob", 19, 36),
    }  # fmt: skip
    assert [(one.path, one.parent, one.colour, one.description, one.codable)
            for one in found.codes] == [
        ("Cost", "", "#FF0000", "Money.", True), ("Cost/Dear", "Cost", "", "", True),
        ("fairness", "", "", "", False),
    ]  # fmt: skip
    assert found.documents[0].text == TEXT
    assert (found.problems, found.losses) == ((), ())
    assert (found.name, found.origin) == ("harbour", "a program")


def test_inline_text_and_a_byte_order_mark(tmp_path):
    found = project(tmp_path / "a", PLAIN, b"\xef\xbb\xbf" + TEXT.encode())
    assert found.documents[0].text == TEXT and len(found.codings) == 2
    inline = source(f"<PlainTextContent>{TEXT}</PlainTextContent>" + selection(0, 17))
    xml = qde(inline.replace(f' plainTextPath="internal://{DOC}.txt"', ""))
    assert project(tmp_path / "b", xml).spans() == {("harbour", "Cost", "ann", 0, 17)}


def test_a_line_end_of_two_characters_counts_as_two(tmp_path):
    raw = TEXT.replace("\n", "\r\n").encode()
    found = project(tmp_path, qde(source(selection(21, 38))), raw)
    (one,) = found.codings
    assert found.documents[0].text[one.start : one.end] == "The ferry is fair"
    assert found.counting == ("code points, line ends as in the file, the end excluded: the names "
                              "of 0 of 0 selections agree")  # fmt: skip


def test_another_way_of_counting_is_seen_by_the_names_of_selections(tmp_path):
    name = "The ferry is fair"
    for start, end, raw in (
        (19, 36, TEXT.replace("\n", "\r\n")), (21, 38, TEXT), (19, 35, TEXT),
        (22, 39, "\U0001f6a2" + TEXT.replace("\n", "\r\n")[1:]),
    ):  # fmt: skip
        found = project(tmp_path, qde(source(selection(start, end, name=name))), raw.encode())
        (one,) = found.codings
        assert found.documents[0].text[one.start : one.end] == name
        assert "by the standard of 0" in found.counting
    # A tie stays with the standard, and so does a name that is no text.
    found = project(tmp_path, qde(source(selection(19, 36, name="quotation 7"))))
    assert found.documents[0].text[found.codings[0].start :].startswith("The ferry")


def test_users_are_taken_from_the_selection_or_are_the_only_one(tmp_path):
    anonymous = selection(0, 17, user="")
    by = anonymous.replace("<PlainTextSelection", f'<PlainTextSelection creatingUser="{BOB}"')
    one = f'<Users><User guid="{ANN}" name="ann"/></Users>'
    for xml, coder in (
        (qde(source(by)), "bob"), (qde(source(anonymous), users=one), "ann"),
        (qde(source(anonymous)), "unknown"), (qde(source(anonymous), users=""), "unknown"),
    ):  # fmt: skip
        assert {span[2] for span in project(tmp_path, xml).spans()} == {coder}


def test_notes_and_comments_are_read_where_they_hang(tmp_path):
    note = gid("note")
    ref = f'<NoteRef targetGUID="{note}"/>'
    notes = (f'<Notes><Note guid="{note}" name="Doubt" creatingUser="{BOB}"><PlainTextContent>'
             f'Why?</PlainTextContent></Note><Note guid="{gid("n2")}" name="Free">'
             f"<PlainTextContent>Alone.</PlainTextContent></Note></Notes>")  # fmt: skip
    codes = CODES.replace("</Description>", f"</Description>{ref}")
    inside = "<Description>A letter.</Description>" + selection(
        0, 17, more="<Description>Strong.</Description>"
    ).replace("</Coding>", ref + "</Coding>")
    found = project(tmp_path, qde(source(inside + ref), notes, codes))
    assert [(one.about, one.name, one.text, one.coder, one.end) for one in found.memos] == [
        ("selection", "", "Strong.", "", 17), ("coding", "Doubt", "Why?", "bob", 17),
        ("document", "", "A letter.", "", 0), ("document", "Doubt", "Why?", "bob", 0),
        ("code", "Doubt", "Why?", "bob", 0), ("project", "Free", "Alone.", "", 0),
    ]  # fmt: skip
    assert not found.problems


def test_what_is_not_read_is_counted(tmp_path):
    coding = f'<Coding guid="{gid(1)}"><CodeRef targetGUID="{COST}"/></Coding>'
    pdf = (f'<PDFSource guid="{gid("pdf")}" name="plan.pdf"><PDFSelection guid="{gid(2)}" page="0" '
           f'firstX="0" firstY="0" secondX="1" secondY="1">{coding}</PDFSelection>{coding}'
           "</PDFSource>")  # fmt: skip
    audio = f'<AudioSource guid="{gid("mp3")}" name="talk"/>'
    rich = (f'<TextSource guid="{gid("rich")}" name="rich" richTextPath="internal://x.docx">'
            f"{selection(0, 4)}</TextSource>")  # fmt: skip
    lists = (f'<Links><Link guid="{gid(3)}" name="because"/></Links>'
             f'<Sets><Set guid="{gid(4)}" name="all"/><Set guid="{gid(5)}" name="some"/></Sets>'
             f'<Graphs><Graph guid="{gid(6)}" name="map"/></Graphs>')  # fmt: skip
    cases = f'<Cases><Case guid="{gid(7)}" name="Ardenport"/></Cases>'
    variables = (
        f'<Variables><Variable guid="{gid(8)}" name="age" typeOfVariable="Text"/></Variables>'
    )
    xml = qde(source(selection(0, 4) + coding) + pdf + audio + rich, lists)
    found = project(tmp_path, xml.replace("<Sources>", variables + cases + "<Sources>"))
    assert {one.kind: one.count for one in found.losses} == {
        "documents without a plain text in the file": 1,
        "codings of documents without a plain text": 1,
        "PDF sources": 1, "codings on PDF sources": 2, "audio sources": 1,
        "codings of documents as a whole": 1, "formatted versions of documents": 1,
        "variables": 1, "cases": 1, "links (relations)": 1, "sets": 2, "graphs": 1,
    }  # fmt: skip
    assert [one.examples for one in found.losses if one.kind == "sets"] == [("all", "some")]
    assert len(found.codings) == 1 and not found.problems


def test_single_selections_that_cannot_be_used_are_one_line_each(tmp_path):
    wrong = "".join(selection(90 + number, 99) for number in range(4))
    wrong += selection(9, 2) + selection("x", 2) + selection(-1, 2) + selection(3, 3)
    wrong += selection(0, 5, gid("nobody's")) + selection(0, 5, COST, gid("stranger"))
    note = f'<NoteRef targetGUID="{gid("gone")}"/>'
    found = project(tmp_path, qde(source(wrong + selection(0, 17) + note)))
    assert len(found.codings) == 1
    said = [problem.what for problem in found.problems]
    assert said == [
        "1 selection that end before they start: harbour [9, 2]",
        "1 selection whose offsets are no numbers: harbour [x, 2]",
        "5 selections outside of the text: harbour [90, 99]; harbour [91, 99]; "
        "harbour [92, 99]; and so on",
        "1 selection of no character: harbour [3, 3]",
        "1 coding with a code that the project does not define: harbour [0, 5]",
        "1 coding by a user whom the project does not name: harbour [0, 5]",
        "1 reference to a note that the project lacks: document",
    ]


GOOD: dict[str, bytes | str] = {"project.qde": PLAIN, f"sources/{DOC}.txt": TEXT}
ENTITY = '<!DOCTYPE Project [<!ENTITY a "aaaa">]>'
OUTSIDE = '<!DOCTYPE Project SYSTEM "https://example.org/project.dtd">'


def with_doctype(doctype: str) -> str:
    return PLAIN.replace("?>", "?>" + doctype, 1)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({f"sources/{DOC}.txt": TEXT}, "holds no project file"),
        ({**GOOD, "other.QDE": PLAIN}, "holds 2 project files"),
        ({**GOOD, f"Sources/{DOC}.txt": "other"}, "two files of one name"),
        ({**GOOD, "../evil.txt": "x"}, "leads out of it"),
        ({**GOOD, "/etc/evil": "x"}, "leads out of it"),
        ({**GOOD, "sources/big.txt": b"\0" * 3_000_000}, "as archives made to harm do"),
        ({**GOOD, "project.qde": with_doctype(ENTITY)}, "declares entities"),
        ({**GOOD, "project.qde": with_doctype(OUTSIDE)}, "declares a document type"),
        ({**GOOD, "project.qde": PLAIN[:-9]}, "not well-formed XML"),
        ({**GOOD, "project.qde": "<CodeBook/>"}, "root element 'CodeBook'"),
        ({"project.qde": PLAIN}, "lacks the text"),
        ({**GOOD, f"sources/{DOC}.txt": "Ärger".encode("latin-1")}, "not UTF-8"),
        ({**GOOD, "project.qde": PLAIN.replace("internal://", "internal://../")}, "elsewhere"),
        ({**GOOD, "project.qde": PLAIN.replace(DEAR, COST)}, "two codes with the GUID"),
        ({**GOOD, "project.qde": PLAIN.replace(BOB, ANN)}, "two users with the GUID"),
        ({**GOOD, "project.qde": PLAIN.replace(f'Code guid="{COST}"', "Code")}, "without a usable"),
        ({**GOOD, "project.qde": PLAIN.replace('name="Dear"', 'name=" "')}, "without a name"),
        ({**GOOD, "project.qde": qde(source() + source())}, "two documents with the GUID"),
    ],
)
def test_harmful_and_broken_files_are_refused(tmp_path, parts, said):
    with pytest.raises(InputError, match=said):
        read_project(packed(tmp_path / "p.qdpx", parts), LIMITS)


def test_truncated_large_and_missing_files_are_refused(tmp_path):
    path = packed(tmp_path / "p.qdpx", GOOD)
    data = path.read_bytes()
    for cut in (0, 10, len(data) // 2, len(data) - 10):
        path.write_bytes(data[:cut])
        with pytest.raises(InputError, match="broken archive"):
            read_project(path, LIMITS)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"more than 50.*reading\.limits\.bytes"):
        read_project(path, LIMITS | {"bytes": 50})
    with pytest.raises(InputError, match="holds 2 files, more than 1"):
        read_project(path, LIMITS | {"members": 1})
    with pytest.raises(InputError, match="does not exist"):
        read_project(tmp_path / "none.qdpx", LIMITS)


def test_a_text_outside_of_the_archive_is_a_loss(tmp_path):
    found = project(tmp_path, PLAIN.replace("internal://", "relative://"))
    assert [(one.kind, one.count) for one in found.losses] == [
        ("documents without a plain text in the file", 1),
        ("codings of documents without a plain text", 2),
    ]


# --- counting characters -------------------------------------------------------------------------

INVENTED = st.text(st.sampled_from("ab \né\u0301\u0308\U0001f6a2\U00010348漢\u2028"), max_size=40)


@given(INVENTED, st.data())
@examples(max_examples=60, deadline=None)
def test_any_way_of_counting_leads_back_to_the_characters(text, data):
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    assume(last > first)
    raw = text.replace("\n", data.draw(st.sampled_from(["\n", "\r\n", "\r"])))
    assert with_line_feeds(raw) == text
    way = data.draw(st.sampled_from(WAYS))

    def length(part: str) -> int:
        if way.lines == TWO or ("\r\n" in raw and way.lines != "one"):
            part = part.replace("\n", "\r\n")
        return len(part.encode("utf-16-le")) // 2 if way.utf16 else len(part)

    start, end = length(text[:first]), length(text[:last])
    width = length(text[last - 1])
    if way.inclusive and width > 1:
        end -= width - 1  # the unit that the last character begins with
    assert Scale(raw, way).characters(start, end - way.inclusive) == (first, last)


def test_the_standard_holds_where_nothing_speaks_against_it():
    quoted = [Quoted("a\nlock", 0, 1, "something else"), Quoted("a\nlock", 2, 6, "lock")]
    assert counting_of(quoted)[0] == STANDARD
    assert counting_of([]) == (STANDARD, f"{STANDARD}: the names of 0 of 0 selections agree")
    other = [Quoted("a\nlock", 3, 7, "lock")]
    assert counting_of(other)[0] == Counting(lines=TWO)
    assert "a line end as two" in counting_of(other)[1]


# --- mapping -------------------------------------------------------------------------------------

A, B = "The lock is dear.", "The ferry is fair, and the tram is both of it."
CODE_LABELS = {name: yes_no_code(name, name.title(), "x") for name in ("cost", "fairness")}


def corpus(text: str | None = TEXT, title: str = "On the harbour", **given: Any) -> Corpus:
    sources = pd.DataFrame({"source_id": ["harbour"], "title": [title], "sha256": [sha256(TEXT)]})
    passages = pd.DataFrame(
        [("p1", "harbour", 0, 17), ("p2", "harbour", 19, len(TEXT))],
        columns=["passage_id", "source_id", "start", "end"],
    )
    texts = {} if text is None else {"harbour": text}
    return Corpus(sources, passages, texts, given.get("digests", {}))


def values(mapped: Any, coder: str, code: str = "cost") -> dict[str, Any]:
    table = mapped.table[(mapped.table["coder"] == coder) & (mapped.table["code"] == code)]
    return {
        row.passage_id: None if row.value is pd.NA else int(row.value) for row in table.itertuples()
    }


def mapped(folder: Path, inside: str, rule: Rule = HALF, where: Corpus | None = None,
           text: str = TEXT, name: str = "harbour", **given: Any) -> Any:  # fmt: skip
    found = project(folder, qde(source(inside, name=name)), text)
    return map_onto_passages(found, where or corpus(), CODE_LABELS, rule, **given)


def test_a_passage_carries_a_code_from_the_declared_share_on(tmp_path):
    # 17 characters: 8 are less than half, 9 are more; 0–5 and 4–9 together are 9.
    assert values(mapped(tmp_path, selection(0, 8)), "ann") == {"p1": 0, "p2": 0}
    assert values(mapped(tmp_path, selection(0, 9)), "ann") == {"p1": 1, "p2": 0}
    both = selection(0, 5) + selection(4, 9)
    assert values(mapped(tmp_path, both), "ann") == {"p1": 1, "p2": 0}
    apart = selection(0, 5) + selection(4, 9, COST, BOB)
    assert values(mapped(tmp_path, apart), "ann") == {"p1": 0, "p2": 0}
    assert values(mapped(tmp_path, selection(0, 16), Rule(1.0)), "ann")["p1"] == 0
    assert values(mapped(tmp_path, selection(0, 17), Rule(1.0)), "ann")["p1"] == 1
    assert values(mapped(tmp_path, selection(0, len(TEXT))), "ann") == {"p1": 1, "p2": 1}


def test_exactly_the_share_is_enough(tmp_path):
    for length in range(1, 18):
        rule = Rule(length / 17)
        assert values(mapped(tmp_path, selection(0, length), rule), "ann")["p1"] == 1
        less = selection(0, length - 1) if length > 1 else selection(17, 18)
        assert values(mapped(tmp_path, less, rule), "ann")["p1"] == 0
    assert import_rule() == Rule(0.5) and import_rule({"covered": 0.3}) == Rule(0.3)
    assert union_length([]) == 0 and union_length([(3, 9), (4, 5), (9, 10)]) == 7


def test_no_freeze_holds_the_rule(mini):
    config = load_config(mini / "config" / "config.yaml")
    codebook = written_codebook(mini / "corpus" / "codebook" / "codebook.yaml")
    sources = read_sources(mini / "corpus" / "sources.tsv", config["groups"])
    check_config(other := config | {"import_codings": {"covered": 0.9}}, mini)
    assert components(other, codebook, sources) == components(config, codebook, sources)


def test_absent_and_not_coded_are_told_apart(tmp_path):
    found = mapped(tmp_path, selection(0, 17))
    assert values(found, "ann", "fairness") == {"p1": 0, "p2": 0}
    assert values(found, "bob") == {"p1": None, "p2": None}
    found = mapped(tmp_path, selection(0, 17), coded={"ann": ["p1"], "bob": ["p2"]})
    assert values(found, "ann") == {"p1": 1, "p2": None}
    assert values(found, "bob") == {"p1": None, "p2": 0}
    with pytest.raises(InputError, match=r"names 'eve', who is no user.*\n.*1 passage.*: p9"):
        mapped(tmp_path, selection(0, 17), coded={"eve": ["p1"], "ann": ["p1", "p9"]})
    renamed = mapped(tmp_path, selection(0, 17), coders={"ann": "a-1"})
    assert values(renamed, "a-1")["p1"] == 1 and "ann" not in set(renamed.table["coder"])
    without = qde(source(selection(0, 17))).replace('name="fairness"', 'name="Justice"')
    found = map_onto_passages(project(tmp_path, without), corpus(), CODE_LABELS, HALF)
    assert values(found, "ann", "fairness") == {"p1": None, "p2": None}
    assert ("codes of the codebook that the project lacks (not coded)", 1) in kinds(found)


def kinds(found: Any) -> list[tuple[str, int]]:
    return [(one.kind, one.count) for one in found.losses]


def test_codes_are_known_by_id_label_or_by_what_is_declared():
    found = [ProjectCode(path.rpartition("/")[2], path, path) for path in
             ("COST", "Themes/Fairness", "Themes/Money", "Money", "Other")]  # fmt: skip
    assert matched_codes(found, CODE_LABELS) == {"COST": "cost", "Themes/Fairness": "fairness"}
    declared = {"Themes/Money": "cost", "Other": "nothing"}
    assert matched_codes(found, CODE_LABELS, declared) == {
        "COST": "cost", "Themes/Fairness": "fairness", "Themes/Money": "cost",
    }  # fmt: skip
    assert matched_codes(found, CODE_LABELS, {"Money": "cost"})["Themes/Money"] == "cost"


def test_what_mapping_loses_is_counted(tmp_path):
    inside = selection(0, 2) + selection(17, 19) + selection(0, 17, DEAR)
    found = mapped(tmp_path, inside + selection(19, 36, FAIR, ANN, "<Description>x</Description>"))
    assert kinds(found) == [
        ("codings with a code that is not in the codebook", 1),
        ("selections that cover too little of any passage", 2),
        ("selections outside of every passage", 1),
        ("colours of codes", 1),
        ("codes that are not in the codebook", 1),
        ("places of codes under another", 1),
        ("memos on a selection", 1),
        ("users without codings", 1),
    ]


@pytest.mark.parametrize("name", ["harbour", "harbour.docx", "Harbour", "on the  HARBOUR", "p2x"])
def test_documents_are_known_by_name_title_or_text(tmp_path, name):
    found = mapped(tmp_path, selection(0, 17), name=name)
    by = {"on the  HARBOUR": "title", "p2x": "text"}.get(name, "name")
    assert found.documents[name].source_id == "harbour" and found.documents[name].by == by
    assert values(found, "ann") == {"p1": 1, "p2": 0}


def test_titles_that_two_sources_have_say_nothing(tmp_path):
    found = project(tmp_path, qde(source("", name="Minutes")), "Something else.")
    rows = [("a", "Minutes", ""), ("b", "minutes", "")]
    sources = pd.DataFrame(rows, columns=["source_id", "title", "sha256"])
    where = Corpus(sources, corpus().passages, {"a": "x", "b": "y"}, {})
    assert targets(found.documents, where) == {}


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        (f"{A}\n{B}", 18, 18 + len(B)),  # passages, one after the other
        (f"{A} {B}\n", 18, 18 + len(B)),
        (TEXT.replace(" ", "  "), 21, 21 + len(B) + B.count(" ")),  # white space only
        (f"Harbour news\n\n{TEXT}", 33, 33 + len(B)),  # something added
        (f"{B}\n\n{A}", 0, len(B)),  # another order
    ],
)
def test_texts_that_differ_are_aligned_by_what_was_selected(tmp_path, text, start, end):
    found = mapped(tmp_path, selection(start, end), text=text)
    assert values(found, "ann") == {"p1": 0, "p2": 1}
    assert found.unplaced.empty


def test_decomposed_characters_are_found(tmp_path):
    text = "Café of the lock.\n\nThe café is dear."
    where = replace(corpus(), texts={"harbour": text})
    other = unicodedata.normalize("NFD", text) + " End."
    start = other.index("The caf")
    found = mapped(tmp_path, selection(start, start + 18), where=where, text=other)
    assert found.unplaced.empty and values(found, "ann")["p1"] == 0


def test_what_cannot_be_placed_is_listed_and_leaves_its_cells_open(tmp_path):
    text = "Corrected. " + TEXT.replace("fair,", "fair enough,")
    start = text.index("The ferry")
    inside = selection(start, start + 30) + selection(11, 28, COST, BOB)
    found = mapped(tmp_path, inside, text=text)
    row = found.unplaced.iloc[0]
    assert len(found.unplaced) == 1
    assert (row["coder"], row["code"], row["nearest"]) == ("ann", "cost", "p2")
    assert 0 < row["similarity"] < 1 and "does not occur" in row["why"]
    assert values(found, "ann") == {"p1": None, "p2": None}  # it may belong to either
    assert values(found, "ann", "fairness") == {"p1": 0, "p2": 0}
    assert values(found, "bob") == {"p1": 1, "p2": 0}
    assert ("codings that could not be placed", 1) in kinds(found)


def test_a_text_that_occurs_several_times_is_placed_by_its_number_or_not_at_all(tmp_path):
    text = "Dear, so dear.\n\nDear, too dear it is."
    passages = pd.DataFrame([("p1", "harbour", 0, 14), ("p2", "harbour", 16, 37)],
                            columns=["passage_id", "source_id", "start", "end"])  # fmt: skip
    where = Corpus(corpus().sources, passages, {"harbour": text}, {})
    other = f"Title\n{text}"
    second = other.index("Dear, too")
    found = mapped(tmp_path, selection(second, second + 5), Rule(0.1), where, other)
    assert values(found, "ann") == {"p1": 0, "p2": 1}
    found = mapped(tmp_path, selection(6, 11), Rule(0.1), where, other.replace("Dear, too", "Too"))
    assert "several times" in found.unplaced["why"].item()


def test_without_the_text_a_digest_is_enough_and_nothing_else(tmp_path):
    found = mapped(tmp_path, selection(0, 17), where=corpus(None))
    assert values(found, "ann") == {"p1": 1, "p2": 0}
    found = mapped(tmp_path, selection(0, 17), where=corpus(None), text=TEXT + "!")
    assert found.unplaced["why"].item() == "the text of the source is not at hand"
    assert nearest("the lock", "harbour", corpus(None)) == ("", 0.0)
    found = mapped(tmp_path, selection(0, 17), text=A, name="p1", where=corpus(None))
    assert len(found.unplaced) == 1
    known = corpus(None, digests={"p1": sha256(A)})
    found = mapped(tmp_path, selection(0, 17), text=A, name="p1", where=known)
    assert values(found, "ann") == {"p1": 1, "p2": None}


def test_a_document_that_is_no_source_has_a_candidate(tmp_path):
    found = mapped(tmp_path, selection(0, 5), text="Another text.", name="harbours")
    assert found.unplaced[["why", "nearest"]].values.tolist() == [
        ["the document is no source", "harbour"]
    ]
    assert ("documents that are no source", 1) in kinds(found)
    assert values(found, "ann") == {"p1": None, "p2": None}


# --- writing, and back ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def example(mini: Path) -> Exported:
    folder = mini / "corpus"
    config = load_config(mini / "config" / "config.yaml")
    codebook = written_codebook(folder / "codebook" / "codebook.yaml")
    sources = read_sources(folder / "sources.tsv", config["groups"])
    passages = read_passages(folder / "passages.tsv", sources)
    sample = read_sample(folder / "sample.tsv", passages)
    coders = read_coders(folder / "coders.tsv")
    codings = read_codings(
        folder / "codings", list(coders["coder"]), list(codebook.codes.values()), sample
    )
    texts = {name: read_canonical(folder / "texts" / f"{name}.txt")
             for name in sources["source_id"]}  # fmt: skip
    return Exported("A tram", sources, passages, texts, coders, codings, codebook)


def written(project: Exported, **given: Any) -> Written:
    return project_bytes(project, MOMENT, "framing", **given)


def read_back(folder: Path, made: Written) -> Project:
    path = folder / "back.qdpx"
    path.write_bytes(made.data)
    return read_project(path, LIMITS)


def mapped_back(example: Exported, found: Project, texts: dict[str, str] | None = None) -> Any:
    drawn = set(example.codings["passage_id"])
    passages = example.passages[example.passages["passage_id"].isin(drawn)]
    return map_onto_passages(
        found,
        Corpus(example.sources, passages, example.texts if texts is None else texts, {}),
        example.codebook.codes,
        HALF,
        coded=dict.fromkeys(example.coders["coder"], drawn),
    )


def cells(table: pd.DataFrame) -> dict[tuple[str, str, str], int]:
    return {(row.passage_id, row.coder, row.code): int(row.value)
            for row in table.itertuples() if row.value is not pd.NA}  # fmt: skip


@pytest.mark.parametrize("given", [{}, {"line_ends": CRLF}, {"passages_only": True}])
def test_the_example_comes_back_as_it_was(tmp_path, example, given):
    found = read_back(tmp_path, written(example, **given))
    assert not found.problems and not found.losses
    back = mapped_back(example, found)
    assert cells(back.table) == cells(example.codings) and len(back.table) == len(example.codings)
    unsure = example.codings[example.codings["unsure"] == 1]
    assert back.unsure == set(zip(unsure["passage_id"], unsure["coder"], strict=True)) != set()
    assert {one.name: code_of(one) for one in found.codes} == example.codebook.codes
    assert [one.name for one in found.users] == list(example.coders["coder"])
    agree = found.counting.rpartition(": the names of ")[2].split()
    assert agree[0] == agree[2] and "excluded" in found.counting


def test_by_the_default_rule_a_document_without_a_code_is_not_coded(tmp_path, example):
    found = read_back(tmp_path, written(example))
    back = mapped_back(example, found)
    plain = map_onto_passages(found, Corpus(example.sources, example.passages, example.texts, {}),
                              example.codebook.codes, HALF)  # fmt: skip
    known, all_cells = cells(back.table), cells(plain.table)
    assert {cell for cell, value in known.items() if value} <= set(all_cells)
    assert {cell: value for cell, value in all_cells.items() if cell in known} == {
        cell: value for cell, value in known.items() if cell in all_cells
    }


def test_without_texts_the_digests_of_sources_are_enough(tmp_path, example):
    back = mapped_back(example, read_back(tmp_path, written(example)), texts={})
    assert cells(back.table) == cells(example.codings)


def test_the_other_direction_gives_the_same_project(tmp_path, example):
    found = read_back(tmp_path, written(example))
    back = mapped_back(example, found)
    unsure = [pair in back.unsure for pair in
              zip(back.table["passage_id"], back.table["coder"], strict=True)]  # fmt: skip
    codings = back.table.assign(value=back.table["value"].astype(int), unsure=unsure)
    again = replace(example, codings=codings.astype({"unsure": int}))
    assert written(again).data == written(example).data
    assert read_back(tmp_path, written(again)).spans() == found.spans()


def test_the_same_project_gives_the_same_bytes_and_a_plain_archive(example):
    data = written(example).data
    shuffled = replace(example, codings=example.codings.sample(frac=1, random_state=1))
    assert written(shuffled).data == data
    assert written(example, unsure=False).data != data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert names[0] == "project.qde" and all(n.startswith("sources/") for n in names[1:])
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        texts = [archive.read(name) for name in names[1:]]
    assert not any(text.startswith(b"\xef\xbb\xbf") or b"\r" in text for text in texts)
    assert sorted(texts) == sorted(text.encode() for text in example.texts.values())


def test_passages_alone_let_nothing_else_of_a_text_leave(example):
    with zipfile.ZipFile(io.BytesIO(written(example, passages_only=True).data)) as archive:
        texts = {archive.read(name).decode() for name in archive.namelist()[1:]}
    drawn = example.passages[example.passages["passage_id"].isin(example.codings["passage_id"])]
    assert texts == {example.texts[row.source_id][row.start : row.end]
                     for row in drawn.itertuples()}  # fmt: skip


@pytest.mark.parametrize("passages_only", [False, True])
def test_texts_with_codings_must_be_at_hand(example, passages_only):
    fewer = dict(list(example.texts.items())[2:])
    with pytest.raises(InputError, match=r"of 2 sources with codings are not at hand"):
        written(replace(example, texts=fewer), passages_only=passages_only)
    with pytest.raises(InputError, match="end behind their text"):
        written(replace(example, texts=dict.fromkeys(example.texts, "x")))
    with pytest.raises(InputError, match="is no moment"):
        project_bytes(example, "today", "framing")
    with pytest.raises(InputError, match="character that XML cannot hold"):
        written(replace(example, name="a\x00b"))


def test_what_writing_loses_is_counted(example):
    lost = {one.kind: one.count for one in written(example, unsure=False).losses}
    codings = example.codings
    assert lost["codings that say a code is absent"] == (codings["value"] == 0).sum()
    assert lost["cues"] == len(example.codebook.cues)
    assert lost["coders that are machines (only the description says so)"] == 3
    assert lost["weights and strata of drawn passages"] == 62
    assert lost["bounds of passages that nobody coded"] == 88 - 62
    unsure = codings[codings["unsure"] == 1][["passage_id", "coder"]].drop_duplicates()
    assert lost["passages of which a coder was unsure"] == len(unsure) > 0
    assert "cells that are not coded (NA)" not in lost
    kept = written(replace(example, codings=codings[codings["coder"] != "machine-2"]))
    lost = {one.kind: one.count for one in kept.losses}
    assert "passages of which a coder was unsure" not in lost
    assert lost["users without codings"] == 1
    assert lost["cells that are not coded (NA)"] == 62 * 3


@given(st.lists(INVENTED, min_size=1, max_size=4), st.sampled_from(["\n", CRLF]), st.booleans())
@examples(max_examples=30, deadline=None)
def test_offsets_survive_a_round_trip(tmp_path_factory, example, pieces, ends, alone):
    pieces = [unicodedata.normalize("NFC", f"x{piece}") for piece in pieces]
    text, rows = "", []
    for number, piece in enumerate(pieces):
        rows.append((f"p{number}", "s", len(text), len(text) + len(piece)))
        text += piece + "\n\n"
    columns = ["passage_id", "source_id", "start", "end"]
    codings = pd.DataFrame(
        [(f"p{number}", coder, "cost", (number + shift) % 2, 0)
         for number in range(len(pieces)) for shift, coder in enumerate(example.coders["coder"])],
        columns=["passage_id", "coder", "code", "value", "unsure"],
    )  # fmt: skip
    sources = pd.DataFrame({"source_id": ["s"], "title": [""], "sha256": [""]})
    made = replace(example, sources=sources, passages=pd.DataFrame(rows, columns=columns),
                   texts={"s": text}, codings=codings)  # fmt: skip
    folder = tmp_path_factory.getbasetemp()
    found = read_back(folder, written(made, line_ends=ends, passages_only=alone))
    documents = {one.guid: one for one in found.documents}
    by_text = sorted(documents[one.document].text[one.start : one.end] for one in found.codings)
    ones = codings[codings["value"] == 1]["passage_id"]
    assert by_text == sorted(pieces[int(name[1:])] for name in ones)
    back = mapped_back(made, found)
    assert {cell: value for cell, value in cells(back.table).items() if cell[2] == "cost"} == (
        cells(codings)
    )


# --- codebooks -----------------------------------------------------------------------------------


def test_a_codebook_comes_back_as_it_was(tmp_path, example):
    data, losses = codebook_bytes(example.codebook, "framing")
    path = tmp_path / "codes.qdc"
    path.write_bytes(data)
    found, lost = read_codebook(path, LIMITS)
    assert {one.name: code_of(one) for one in found} == example.codebook.codes and not lost
    assert codebook_bytes(example.codebook, "framing")[0] == data
    assert losses[0].kind == "cues"
    assert b"<Sets" not in data  # an empty one is not valid


def test_a_codebook_of_another_program(tmp_path):
    path = tmp_path / "codes.qdc"
    text = CODES.replace("<CodeBook>", '<CodeBook xmlns="urn:QDA-XML:codebook:1.0" origin="x">')
    sets = f'<Sets><Set guid="{gid(1)}" name="all"><MemberCode guid="{COST}"/></Set></Sets>'
    path.write_text(text.replace("</Codes>", "</Codes>" + sets), encoding="utf-8")
    found, lost = read_codebook(path, LIMITS)
    assert [one.path for one in found] == ["Cost", "Cost/Dear", "fairness"]
    assert [(one.kind, one.count) for one in lost] == [("sets", 1)]
    code = code_of(found[0])
    assert (code.label, code.definition, code.levels[-1].present) == ("Cost", "Money.", ())
    path.write_text(PLAIN, encoding="utf-8")
    with pytest.raises(InputError, match="root element 'Project' instead of 'CodeBook'"):
        read_codebook(path, LIMITS)
    path.write_text(text.replace(DEAR, COST), encoding="utf-8")
    with pytest.raises(InputError, match="two codes with the GUID"):
        read_codebook(path, LIMITS)


def test_a_description_changed_elsewhere_is_read(example):
    code = example.codebook.codes["cost"]
    entry = ProjectCode("cost", "cost", "g", description=described(code) + "\n- More — because: x")
    (before,), (after,) = code.counted, code_of(entry).counted
    assert after.near_misses[:-1] == before.near_misses and after.near_misses[-1].text == "More"


# --- the published schema and files of other programs --------------------------------------------


@pytest.fixture(scope="module")
def shared(root: Path) -> Path:
    folder = root / SHARED
    if not folder.is_dir():
        pytest.skip("the folder with REFI-QDA files of other programs is not beside the repository")
    return folder


@pytest.mark.parametrize("given", [{}, {"line_ends": CRLF}, {"passages_only": True},
                                   {"unsure": False}])  # fmt: skip
def test_what_is_written_is_valid(shared, example, given):
    from lxml import etree

    schema = etree.XMLSchema(etree.parse(shared / "Project-mrt2019.xsd"))
    with zipfile.ZipFile(io.BytesIO(written(example, **given).data)) as archive:
        root = etree.fromstring(archive.read("project.qde"))
    assert schema.validate(root), schema.error_log
    root.set("unknown", "x")
    assert not schema.validate(root)


@pytest.mark.parametrize(
    ("name", "users", "codes", "deepest", "documents", "rich", "origin"),
    [
        ("nvivo_project", ["chrisp", "cp"], 262, 7, 2, 2, "NVivo for Mac 15.0.0"),
        ("atlasti_blank", ["Enric Llagostera", "ATLAS.ti"], 0, 0, 0, 0,
         "ATLAS.ti for Windows 23.2.3.27778"),
        ("atlasti_target", ["Enric Llagostera", "ATLAS.ti"], 3, 2, 0, 0,
         "ATLAS.ti for Windows 23.2.3.27778"),
    ],
)  # fmt: skip
def test_files_of_other_programs(shared, name, users, codes, deepest, documents, rich, origin):
    found = read_project(shared / f"{name}.qdpx", LIMITS)
    assert [one.name for one in found.users] == users and found.origin == origin
    assert len(found.codes) == codes and len({one.path for one in found.codes}) == codes
    assert max((one.path.count("/") + 1 for one in found.codes), default=0) == deepest
    assert [one.text for one in found.documents] == ["\n"] * documents
    assert sum(one.count for one in found.losses) == rich
    assert not found.codings and not found.problems and not found.memos
