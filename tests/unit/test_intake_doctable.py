"""Tables with a document a row: the shapes that corpora come in, and what is refused, and where."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.acquire.document_table import FIELDS, Documents, read_documents
from framing.acquire.settings import intake_settings
from framing.common.problems import InputError

SETTINGS = intake_settings()["table"]
Write = Callable[[str, "str | bytes"], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, text: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def read(path: Path, names: str = "", **columns: str) -> Documents:
    return read_documents(path, columns, SETTINGS, names)


def refused(path: Path, names: str = "", **columns: str) -> list[tuple[int | None, str]]:
    with pytest.raises(InputError) as caught:
        read(path, names, **columns)
    return [(problem.row, problem.what) for problem in caught.value.problems]


# --- shapes ---------------------------------------------------------------------------------------


def test_a_table_of_quanteda(write: Write) -> None:
    text = '"","doc_id","text","party"\n"1","a.txt","Ships, ""big"" ones\n\nsail.","Blue"\n'
    text += '"2","b.txt","Boats row.",NA\n'
    found = read(write("a.csv", text))
    assert found.columns == {"id": "doc_id", "text": "text"}
    assert found.rows[0].text == 'Ships, "big" ones\n\nsail.'
    assert [(one.row, one.id, one.rest) for one in found.rows] == [
        (2, "a.txt", {"party": "Blue"}),
        (5, "b.txt", {"party": "NA"}),
    ]
    assert sorted(found.notes) == [
        "the column 'doc_id' is taken for id",
        "the column 'text' is taken for text",
    ]


def test_a_table_of_debates(write: Write) -> None:
    found = read(write("a.csv", "session,year,country,text\n25,1970.0,USA,We row.\n"))
    row = found.rows[0]
    assert row.facts == {"actor": "USA", "date": "1970", "date_precision": "year"}
    assert row.rest == {"session": "25"}
    assert "the column 'year' is taken for date" in found.notes


def test_columns_that_are_named_and_guesses_turned_off(write: Write) -> None:
    path = write("a.tsv", "Speech\tyear\tWho  spoke\tSpeaker-Name\nWe row.\t1970\tAda\tEve\n")
    found = read(path, speaker="Who  spoke", date="")
    assert found.rows[0].text == "We row."
    assert found.rows[0].facts == {"speaker": "Ada"}
    assert found.rows[0].rest == {"year": "1970", "Speaker-Name": "Eve"}


def test_excel_in_europe(write: Write) -> None:
    text = "﻿title;date;text\r\nTides;29.07.2011;Wir rudern,\r\nimmer\r\n".replace(
        "Wir rudern,\r\nimmer", '"Wir rudern,\r\nimmer"'
    )
    found = read(write("a.csv", text))
    assert found.rows[0].text == "Wir rudern,\nimmer"
    assert found.rows[0].facts["date"] == "2011-07-29"
    assert "fields are taken to be parted by ';'" in found.notes


def test_old_encodings_are_read_and_told(write: Write) -> None:
    found = read(write("a.csv", "text\nDas Café – offen\n".encode("cp1252")))
    assert found.rows[0].text == "Das Café – offen"
    assert any("cp1252" in note for note in found.notes)
    assert read(write("b.csv", "text\nDas Café\n".encode("utf-16"))).rows[0].text == "Das Café"


def test_json_lines(write: Write) -> None:
    lines = [
        {"text": "We row.", "year": 1970, "tags": ["a"], "speaker": None},
        {"text": "We sail.", "title": "Tabs\tand\nlines", "year": 1971.0},
    ]
    found = read(write("a.jsonl", "\n\n".join(json.dumps(line) for line in lines)))
    assert [(one.row, one.facts["date"]) for one in found.rows] == [(1, "1970"), (3, "1971")]
    assert found.rows[1].facts["title"] == "Tabs and lines"
    assert "values of 'tags' that are lists or objects count as empty" in found.notes


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    when = [datetime(2011, 7, 29, 10), None]
    pq.write_table(pa.table({"text": ["We row.", ""], "date": when, "n": [1.0, 2.5]}), path)
    assert refused(path) == [(3, "has no text")]
    pq.write_table(pa.table({"text": ["We row.", "We sail."], "date": when, "n": [1.0, 2.5]}), path)
    found = read(path)
    assert [one.facts["date"] for one in found.rows] == ["2011-07-29", ""]
    assert [one.facts["date_precision"] for one in found.rows] == ["day", "unknown"]
    assert [one.rest["n"] for one in found.rows] == ["1", "2.5"]
    with pytest.raises(InputError, match="unpacks to"):
        read_documents(path, {}, {**SETTINGS, "expanded_bytes": 10})


def test_a_column_of_paths(write: Write, tmp_path: Path) -> None:
    write("texts/a.txt", "We row.")
    path = write("a.csv", "path,title\ntexts/a.txt,Tides\n")
    found = read(path)
    assert found.rows[0].path == tmp_path / "texts/a.txt"
    assert found.rows[0].text is None
    assert read(write("b.csv", "path,text\ntexts/none.txt,We row.\n")).rows[0].text == "We row."


def test_paths_that_lead_out_or_nowhere(write: Write, tmp_path: Path) -> None:
    outside = write("secret.txt", "x")
    home = tmp_path / "home"
    home.mkdir()
    (home / "link.txt").symlink_to(outside)
    names = ["../secret.txt", str(outside), "link.txt", "none.txt", "", ".", "a" * 5000]
    rows = "".join(f"{name},t\n" for name in names)
    said = refused(write("home/a.csv", f"path,title\n{rows}"))
    assert [row for row, _ in said] == [2, 3, 4, 5, 6, 7, 8]
    assert ["not in the folder" in what for _, what in said] == [True] * 3 + [False] * 4


def test_a_folder_of_texts(write: Write, tmp_path: Path) -> None:
    write("un/Session 25/USA_25_1970.txt", "We row.")
    write("un/Session 26/FRA_26_1971.txt", "We sail.")
    write("un/Session 26/._FRA_26_1971.txt", "junk of a Mac")
    found = read(tmp_path / "un", "{country}_{session}_{year}")
    assert [one.id for one in found.rows] == ["USA_25_1970", "FRA_26_1971"]
    assert found.rows[0].path == tmp_path / "un/Session 25/USA_25_1970.txt"
    assert found.rows[0].facts == {"actor": "USA", "date": "1970", "date_precision": "year"}
    assert found.rows[0].rest == {"session": "25"}
    assert len(read(tmp_path / "un").rows) == 2
    assert len(refused(tmp_path / "un", "{country}-{year}")) == 2
    for pattern in ("plain", "{a}{b}", "{a}_{a}", "{path}_x", "{1}"):
        assert "no pattern" in refused(tmp_path / "un", pattern)[0][1]


# --- what is wrong --------------------------------------------------------------------------------


def test_all_rows_that_are_wrong_are_named_at_once(write: Write) -> None:
    text = (
        "id,text,date\n"
        "a,We row.,2011\n"
        "b,,2011\n"  # no text
        "c,We sail.,31 February 2011\n"
        'd,"Two\nlines",07/08/2011\n'  # lines 5 and 6
        "a,We row.,2012\n"  # the id of line 2
        "e,We row\n"  # a field is missing
    )
    said = refused(write("a.csv", text))
    assert [row for row, _ in said] == [3, 4, 5, 7, 8]
    words = ["no text", "never was", "can be", "the id 'a' of line 2", "2 fields"]
    assert all(word in what for word, (_, what) in zip(words, said, strict=True))


def test_a_column_that_is_not_there(write: Write) -> None:
    with pytest.raises(InputError) as caught:
        read(write("a.csv", "doc_id,speech_txt\na,We row.\n"), text="speech_text", id="nr")
    assert [problem.what for problem in caught.value.problems] == [
        "has no column 'speech_text' (for text)", "has no column 'nr' (for id)",
    ]  # fmt: skip
    assert "Did you mean 'speech_txt'? Its columns: doc_id, speech_txt." in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "said", "row"),
    [
        ("a.csv", "a|b\n1|2\n", "no column that is known", 1),  # columns are listed
        ("a.tsv", "text,title\nx,y\n", "no column that is known", 1),
        ("a.csv", 'text,id\n"never closed,a\nmore\n', "cannot be read", 2),
        ("a.csv", 'text,id\nx,y\n"a"b,c\n', "cannot be read", 3),
        ("a.csv", "text,text\nx,y\n", "'text' twice", 1),
        ("a.csv", "text,id\n", "has no row", None),
        ("a.csv", "", "is empty", None),
        ("a.csv", "\n\n", "is empty", None),
        ("a.csv", b"text\nx\x00y\n", "no text, so no table", None),
        ("a.csv", b"text\n" + b"x" * 1_100_000 + b"\ny\x00\n", "NUL byte", 3),
        ("a.csv", b"PK\x03\x04rest", "spreadsheet", None),
        ("a.csv", b"%PDF-1.4", "a PDF", None),
        ("a.csv", "<!DOCTYPE html><p>", "a page", None),
        ("a.rds", b"\x1f\x8b\x08", "compressed", None),
        ("a.xyz", "text\nx\n", "the ending '.xyz'", None),
        ("a.jsonl", '[{"text": "x"}]', "one JSON list", None),
        ("a.jsonl", '{"text": "x"}\n{"text": }\n', "not JSON", 2),
        ("a.jsonl", '{"text": "x"}\n3\n', "no object", 2),
        ("a.jsonl", '{"text": "\\ud800"}', "half of a character", 1),
        ("a.jsonl", '{"text": ["x"]}', "has no text", 1),
        ("a.csv", "text,date_precision,date\nx,sometimes,2011\n", "date precision", 2),
        ("a.parquet", b"PAR1 and then nothing PAR1", "no Parquet file", None),
    ],
)
def test_files_that_are_refused(
    write: Write, name: str, data: str | bytes, said: str, row: int | None
) -> None:
    found = refused(write(name, data))
    assert said in found[0][1]
    assert found[0][0] == row


def test_limits(write: Write, tmp_path: Path) -> None:
    path = write("a.csv", "text,id\nshort,a\n" + "x" * 200 + ",b\n")
    assert len(read(path).rows) == 2
    with pytest.raises(InputError, match=r"line 3: has a row that cannot be read .*limit"):
        read_documents(path, {}, {**SETTINGS, "field": 100})
    with pytest.raises(InputError, match="more than 50"):
        read_documents(path, {}, {**SETTINGS, "bytes": 50})
    lines = write("a.jsonl", json.dumps({"text": "x" * 200}))
    with pytest.raises(InputError, match="more than 100 characters in the column 'text'"):
        read_documents(lines, {}, {**SETTINGS, "field": 100})
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "none.csv")
    before = csv.field_size_limit()
    assert len(read(write("b.csv", "text\n" + "x" * 1_000_000 + "\n")).rows) == 1
    assert csv.field_size_limit() == before


def test_a_table_that_is_wrong_all_through_is_cut_short(write: Write) -> None:
    said = refused(write("a.csv", "text,id\n" + ",a\n" * 500))
    assert len(said) == 101
    assert said[-1][1] == "has 899 more rows or fields like these"


def test_options_that_make_no_sense(write: Write) -> None:
    path = write("a.csv", "text,path\nx,y\n")
    assert "nothing a column can be" in refused(path, colour="text")[0][1]
    with pytest.raises(InputError, match="by a column of texts and by one of paths"):
        read_documents(path, {"text": "text", "path": "path"}, SETTINGS)
    assert "is no folder" in refused(path, "{a}_{b}")[0][1]


# --- any table ------------------------------------------------------------------------------------

_CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12) | (
    st.sampled_from(['a"b', "a,b", "a\nb", "a;b", "a\tb", '"', "''", "x\u2028y"])
)


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=8))
def test_every_csv_that_python_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("text", "other"), *((f"t{text}", other) for text, other in cells)])
    rows = read(path).rows
    assert [row.text for row in rows] == [f"t{text}" for text, _ in cells]
    starts = [row.row for row in rows]
    lines = path.read_bytes().decode().replace("\r\n", "\n").split("\n")
    assert all(lines[start - 1].lstrip('"').startswith("t") for start in starts)


@pytest.mark.slow
@settings(deadline=None)
@given(
    data=st.binary(max_size=80)
    | st.lists(
        st.sampled_from(["text", "path", "date", ",", ";", "\n", '"', "{", "}", ":", "..", "/",
                         "2011", "NA", "\t", "\\ud800", "[", "1e999", "\u2028"]), max_size=30,
    ).map(lambda parts: "".join(parts).encode()),
    ending=st.sampled_from(["csv", "tsv", "jsonl", "parquet"]),
)  # fmt: skip
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, ending: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz.{ending}"
    path.write_bytes(data)
    _read_or_refuse(path)


@settings(deadline=None)
@given(where=st.integers(0, 10_000), what=st.integers(0, 255))
def test_a_broken_parquet_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, where: int, what: int
) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path_factory.getbasetemp() / "broken.parquet"
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"text": ["We row.", "We sail."], "year": [1970, 1971]}), sink)
    data = bytearray(sink.getvalue().to_pybytes())
    data[where % len(data)] = what
    path.write_bytes(bytes(data))
    _read_or_refuse(path)


def _read_or_refuse(path: Path) -> None:
    try:
        found = read(path)
    except InputError as error:
        assert str(error).encode()
        return
    assert found.rows
    assert set(found.columns) <= set(FIELDS)
    for row in found.rows:
        values: list[Any] = [row.id, *row.facts.values(), *row.rest.values()]
        assert not any("\n" in value or "\t" in value for value in values)
        assert row.path is not None or (row.text or "").strip()
