"""Bibliographies of Zotero: the same works in three formats, what is broken, and matching."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.acquire.bibliography import match, normal_url, read_bibliography
from framing.acquire.records import Record
from framing.common.problems import InputError

pytest.importorskip("bibtexparser")
pytest.importorskip("rispy")

CSL = [
    {
        "id": "http://zotero.org/users/1/items/AAAA", "citation-key": "orban2011",
        "type": "speech", "title": "On <i>bridges</i> and ferries", "genre": "Keynote",
        "author": [
            {"family": "Órbán", "given": "Zoë"},
            {"family": "Berg", "given": "Jan", "non-dropping-particle": "van den"},
            {"literal": "Harbour Board"},
        ],
        "performer": [{"family": "Quill", "given": "Ada"}],
        "issued": {"date-parts": [["2011", 7, 29]]},
        "URL": "https://www.example.org/bridges/", "language": "en", "event-title": "Ferry Days",
    },
    {
        "id": 7, "type": "article-journal", "title": "Tides", "DOI": "https://doi.org/10.1/XY",
        "editor": [{"family": "Moor", "given": "Eve"}], "publisher": "Salt Press",
        "issued": {"date-parts": [[1990]], "circa": True}, "note": "kept",
    },
]  # fmt: skip

BIB = r"""Comments outside entries are no entries.
@string{salt = {Salt Press}}
@misc{orban2011,
  type = {Keynote},
  title = {On {\textit{bridges}} and {Ferries} -- 50\% more na{\"\i}ve, \$5 a trip},
  author = {{\'O}rb{\'a}n, Zo{\"e} and van den Berg, Jan and {Harbour and Docks Board} and others},
  date = {2011-07-29},
  url = {https://www.example.org/a\_b/},
  language = {english},
  file = {Full Text:files/3/bridges.pdf:application/pdf;Snap\: shot:files/4/index.html:text/html},
  note = {kept}
}
@article{moor1990, title = "Tides", editor = {Eve Moor}, year = 1990, month = jul # "~4",
  publisher = salt, howpublished = {\url{https://example.org/tides}},
  file = {C\:\\Users\\eve\\tides.pdf:application/pdf}}
"""

RIS = """TY  - JOUR
ID  - moor1990
AU  - Moor, Eve
AU  - Quay, Tom, Jr.
TI  - Tides and what
they bring
DA  - 1990/07/04/
PY  - 1990
DO  - 10.1/XY
UR  - https://example.org/tides?a=1;b=2
LA  - en
PB  - Salt Press
L1  - files/3/tides.pdf
L1  - files/4/index.html
N1  - kept
ER  -

TY  - SLIDE
A2  - Mole, Ann
T1  - Piers
PY  - 2001///
M3  - Talk
ER  -
"""

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return written


def test_csl_json(write: Write) -> None:
    speech, article = read_bibliography(write("mine.json", json.dumps(CSL)))
    assert speech.key == "orban2011"
    assert speech.title == "On bridges and ferries"
    assert speech.creators == ("Ada Quill",)  # who spoke, not who wrote it
    assert (speech.date, speech.date_precision) == ("2011-07-29", "day")
    assert (speech.type, speech.genre, speech.language) == ("speech", "Keynote", "en")
    assert speech.extra == {"event-title": "Ferry Days"}
    assert article == Record(
        key="7", title="Tides", creators=("Eve Moor",), date="1990", date_precision="approximate",
        type="article-journal", genre="article-journal", doi="10.1/XY", publisher="Salt Press",
        extra={"note": "kept"},
    )  # fmt: skip


def test_names_are_given_before_family(write: Write) -> None:
    item = {name: value for name, value in CSL[0].items() if name != "performer"}
    (record,) = read_bibliography(write("a.json", json.dumps({"items": [item]})))
    assert record.creators == ("Zoë Órbán", "Jan van den Berg", "Harbour Board")


def test_bibtex(write: Write) -> None:
    speech, article = read_bibliography(write("mine.bib", BIB))
    assert speech.title == "On bridges and Ferries – 50% more naïve, $5 a trip"
    assert speech.creators == ("Zoë Órbán", "Jan van den Berg", "Harbour and Docks Board")
    assert (speech.date, speech.date_precision) == ("2011-07-29", "day")
    assert (speech.type, speech.genre) == ("misc", "Keynote")
    assert speech.url == "https://www.example.org/a_b/"
    assert speech.files == ("files/3/bridges.pdf", "files/4/index.html")
    assert speech.extra == {"note": "kept"}
    assert (article.date, article.date_precision) == ("1990-07-04", "day")
    assert article.publisher == "Salt Press"
    assert article.url == "https://example.org/tides"
    assert article.files == ("C:\\Users\\eve\\tides.pdf",)
    assert article.creators == ("Eve Moor",)


def test_ris(write: Write) -> None:
    tides, piers = read_bibliography(write("mine.ris", RIS.replace("\n", "\r\n")))
    assert tides.key == "moor1990"
    assert tides.title == "Tides and what they bring"
    assert tides.creators == ("Eve Moor", "Tom Quay Jr.")
    assert (tides.date, tides.date_precision) == ("1990-07-04", "day")
    assert tides.url == "https://example.org/tides?a=1;b=2"
    assert tides.files == ("files/3/tides.pdf", "files/4/index.html")
    assert tides.extra == {"N1": "kept"}
    assert (piers.key, piers.creators, piers.genre) == ("2", ("Ann Mole",), "Talk")
    assert (piers.date, piers.date_precision) == ("2001", "year")


@pytest.mark.parametrize("text", [json.dumps(CSL), BIB, RIS])
def test_what_a_file_holds_decides(write: Write, text: str) -> None:
    assert len(read_bibliography(write("export.txt", text))) == 2
    assert len(read_bibliography(write("export.txt", "\ufeff" + text))) == 2


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("date = {2011-07}", ("2011-07", "month")),
        ("date = {2011~}", ("2011", "approximate")),
        ("date = {2011-07-29/2011-08-02}", ("2011-07-29", "approximate")),
        ("year = {2011}, month = {07}, day = 9", ("2011-07-09", "day")),
        ("year = {2011}, month = jul", ("2011-07", "month")),
        ("year = {2011}, month = {spring}", ("2011", "year")),
        ("year = {forthcoming}", ("", "unknown")),
        ("title = {a}", ("", "unknown")),
    ],
)
def test_dates_of_bibtex(write: Write, date: str, expected: tuple[str, str]) -> None:
    (record,) = read_bibliography(write("a.bib", f"@misc{{a, {date}}}"))
    assert (record.date, record.date_precision) == expected
    told = any(word in date for word in ("/", "spring", "forthcoming"))
    assert bool(record.notes) == told


def test_biblatex_names_in_parts(write: Write) -> None:
    author = "family=Berg, given=Jan, prefix={van den}, useprefix=true and Eve Moor"
    (record,) = read_bibliography(write("a.bib", f"@book{{a, author = {{{author}}}}}"))
    assert record.creators == ("Jan van den Berg", "Eve Moor")


@pytest.mark.parametrize(
    ("name", "text", "said", "row"),
    [
        ("a.json", '[{"id": "a",\n "type": }]', "is not JSON", 2),
        ("a.json", "42", "is not|no list", None),
        ("a.json", '{"a": 1}', "no list of records", None),
        ("a.json", '[{"id": "a", "itemType": "book"}]', "record 1 .* no type", None),
        ("a.json", "[3]", "record 1 .* no fields", None),
        ("a.json", '[{"type": "book"}]', "record 1 .* no id", None),
        ("a.json", '[{"id": 1, "type": "a"}, {"id": "1", "type": "b"}]', "key '1' twice", None),
        ("a.json", "[]", "holds no record", None),
        ("a.json", "[" * 100_000, "is not JSON", None),
        ("a.bib", "@misc{a, title = {x}}\n\n@misc{b, title = {x}\n@misc{c, title = {y}}",
         "broken entry", 3),
        ("a.bib", "@misc{a,\n title = {x}}\n@book{a, title = {y}}", "key 'a' twice", 3),
        ("a.bib", "@misc{a, title = {x}, title = {y}}", "field title twice", 1),
        ("a.bib", "\n@misc{, title = {x}}", "without a key", 2),
        ("a.bib", "nothing here", "holds no record", None),
        ("a.ris", "TY  - BOOK\nTI  - a\nTY  - BOOK\nER  - \n", "does not end", 1),
        ("a.ris", "TY  - BOOK\nTI  - a\n", "does not end", 1),
        ("a.ris", "TY  - BOOK\nloose\nER  - \n", "belongs to no field", 2),
        ("a.ris", "TY  - BOOK\nID  - a\nER  - \nTY  - BOOK\nID  - a\nER  - \n", "'a' twice", 4),
        ("a.ris", "nothing", "holds no record", None),
        ("a.txt", "nothing", "no bibliography", None),
        ("a.bib", "\x00\x01\x02", "is no text", None),
        ("a.bib", "", "holds no record", None),
    ],
)  # fmt: skip
def test_broken_files_are_refused(
    write: Write, name: str, text: str, said: str, row: int | None
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_bibliography(write(name, text))
    assert caught.value.problems[0].row == row


def test_all_that_is_broken_is_said_at_once_and_only_there(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "@misc{a, title = {x}, title = {y}}\n@misc{b, title {x}}\n@misc{c}"
    with pytest.raises(InputError) as caught:
        read_bibliography(write("a.bib", text))
    assert [problem.row for problem in caught.value.problems] == [1, 2]
    assert capsys.readouterr() == ("", "")


def test_files_that_cannot_be_read(tmp_path: Path, write: Write) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_bibliography(tmp_path / "none.bib")
    with pytest.raises(InputError, match="cannot be read"):
        read_bibliography(tmp_path)
    with pytest.raises(InputError, match="more than 10"):
        read_bibliography(write("a.bib", BIB), {"bytes": 10, "encodings": ["utf-8"]})


# --- matching -------------------------------------------------------------------------------------

RECORDS = [
    Record("tides", url="https://www.example.org/tides/?page=2", files=("files/3/index.html",)),
    Record("piers", doi="10.1/XY", files=("files/4/index.html", "files/4/Piers 2001.pdf")),
    Record("quays", url="http://example.org/quays"),
    Record("copy", url="https://example.org/quays#top"),
]


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ("http://example.org/tides?utm_source=x&page=2#part", "tides"),
        ("https://doi.org/10.1/XY", "piers"),
        ("https://example.org/tides", None),
        ("https://example.org/", None),
        ("downloads/Piers 2001.pdf", "piers"),
        ("texts/Piers 2001.txt", "piers"),  # the same name with another ending
        ("export/files/3/index.html", "tides"),  # more of the path agrees
        ("texts/quays.txt", "quays"),  # the key
        ("texts/sluices.txt", None),
        ("", None),
    ],
)
def test_matching(asked: str, key: str | None) -> None:
    found = match(RECORDS, asked)
    assert (found.key if found else None) == key


def test_the_key_decides() -> None:
    found = match(RECORDS, "http://example.org/quays", key="copy")
    assert found is not None
    assert found.key == "copy"
    with pytest.raises(InputError, match="Did you mean 'quays'"):
        match(RECORDS, "a.txt", key="quay")


@pytest.mark.parametrize(
    ("asked", "names"), [("https://example.org/quays", "'quays', 'copy'"),
                         ("other/index.html", "'tides', 'piers'")],
)  # fmt: skip
def test_several_records_are_named(asked: str, names: str) -> None:
    with pytest.raises(InputError, match=f"any of the records {names}"):
        match(RECORDS, asked)


def test_addresses_that_lead_elsewhere_stay_different() -> None:
    assert normal_url("https://a.org/x?b=1&a=2") == normal_url("http://www.a.org:80/x/?a=2&b=1#y")
    assert normal_url("https://a.org/x?a=1") != normal_url("https://a.org/x?a=2")
    assert normal_url("https://a.org:8080/x") != normal_url("https://a.org/x")
    assert normal_url("https://a.org/X") != normal_url("https://a.org/x")


@given(st.text(max_size=60))
def test_any_address_is_its_own_normal_form(url: str) -> None:
    assert match([Record("a", url="https://" + url)], "https://" + url) is not None


# --- any bytes ------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["@misc{", "a,", "title", "=", "{", "}", '"', "#", "jul", "author", " and ", ",", "\\", "$",
     "%", "~", "\n", "TY  - BOOK", "ER  - ", "AU  - ", "ID  - x", "DA  - 2011/13//", "L1  - ;:",
     "date", "file", "2011/2012", "@string(", ")", "@comment{", "\\'", "family=", "\ufffd"]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "author", "issued", "date-parts", "raw", "family", "URL"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


def _read_or_refuse(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        records = read_bibliography(path)
    except InputError:
        return
    assert records
    for record in records:
        json.dumps([record.title, *record.creators, *record.files]).encode()
        assert "\n" not in record.title


@pytest.mark.slow
@settings(deadline=None)
@given(data=st.binary(max_size=80), ending=st.sampled_from(["json", "bib", "ris", "txt"]))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, ending: str
) -> None:
    _read_or_refuse(tmp_path_factory.getbasetemp() / f"fuzz.{ending}", data)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join))
def test_any_pieces_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    _read_or_refuse(tmp_path_factory.getbasetemp() / "fuzz.bib", text.encode())


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(_JSON, max_size=3))
def test_any_json_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: list[object]
) -> None:
    made = [{"id": str(n), "type": "book", **one} if isinstance(one, dict) else one
            for n, one in enumerate(data)]  # fmt: skip
    text = json.dumps(made)
    _read_or_refuse(tmp_path_factory.getbasetemp() / "fuzz.json", text.encode())
