"""The workbook, read back: every value, nothing that computes, the same bytes on any day."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from datetime import datetime

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from framing.common.files import sha256, write_bytes
from framing.report.report import render_workbook
from framing.report.spreadsheet import CUT, LONGEST, README, clean, workbook
from framing.tables.captions import edition
from framing.tables.csv_text import csv_text
from framing.tables.keys import key_of
from framing.tables.kinds import NUMERIC
from tests.unit.output_samples import context, tables
from tests.unit.words_read import load_specs

HEADER = 4  # the row, from 1, that names the columns
RISKY = ["=1+1", "=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "{=1}", "http://a.example"]


@pytest.fixture(scope="module")
def texts(words):
    return {name: csv_text(frame, words.specs.tables[name]) for name, frame in tables().items()}


@pytest.fixture(scope="module")
def data(texts, words):
    return workbook(texts, words)


@pytest.fixture(scope="module")
def book(data):
    return load_workbook(io.BytesIO(data))


def rows_of(book: Workbook, name: str, count: int, width: int) -> list[list[object]]:
    cells = book[name].iter_rows(
        min_row=HEADER + 1, max_row=HEADER + count, max_col=width, values_only=True
    )
    return [list(row) for row in cells]


def t8(words, *cues: str) -> str:
    """T8 as CSV, with these cues."""
    header = list(words.specs.tables["T8-cues"].columns)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for cue in cues:
        writer.writerow([cue, "cost", "for", 1, 2, 3, 4, "0.100000", "", "", "-0.500000", ""])
    return buffer.getvalue()


def cues(data: bytes, count: int) -> list[object]:
    return [row[0] for row in rows_of(load_workbook(io.BytesIO(data)), "T8-cues", count, 1)]


# --- what is in it --------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_value_is_that_of_the_csv_and_typed(book, texts, words):
    for name, text in texts.items():
        header, *lines = csv.reader(io.StringIO(text))
        sheet = book[name]
        assert [cell.value for cell in sheet[HEADER]] == header
        kinds = [column.kind for column in words.specs.tables[name].columns.values()]
        expected = [
            [
                None
                if value == ""
                else int(value)
                if kind == "integer"
                else float(value)
                if kind in NUMERIC
                else value
                for value, kind in zip(line, kinds, strict=True)
            ]
            for line in lines
        ]
        found = rows_of(book, name, len(lines), len(header))
        assert found == expected, name
        # A workbook knows no whole numbers, but it tells numbers from texts.
        for row, wanted in zip(found, expected, strict=True):
            assert [isinstance(v, str) for v in row] == [isinstance(v, str) for v in wanted]


def test_a_sheet_has_title_caption_descriptions_and_notes(book, texts, words):
    for name, text in texts.items():
        spec, sheet = words.specs.tables[name], book[name]
        assert sheet["A1"].value == f"{name}: {spec.title}"
        assert sheet["A2"].value == spec.caption
        assert [cell.value for cell in sheet[HEADER - 1]] == [
            f"{column.label}: {column.description}" for column in spec.columns.values()
        ]
        assert sheet.freeze_panes == f"A{HEADER + 1}"
        below = [sheet.cell(sheet.max_row - back, 1).value for back in (3, 2, 1, 0)]
        assert below[0] == f"Note. {spec.note}"
        assert "N = 1,850" in below[1]
        assert words.context["digests"]["corpus"][:12] in below[1]
        assert below[2] == words.specs.phrases["licence"]
        assert below[3] == f"Key of this table: {key_of(name, text)}"


@pytest.mark.slow
def test_the_first_sheet_says_what_this_is_and_links_to_the_others(book, texts, words):
    assert book.sheetnames == [README, *texts]
    values = [[cell.value for cell in row] for row in book[README].iter_rows()]
    assert values[0][0] == words.context["title"]
    assert words.specs.phrases["licence"] in [row[0] for row in values]
    listed = {}
    for cell, row in zip(book[README]["A"], values, strict=True):
        if cell.hyperlink is not None:
            assert cell.hyperlink.location == f"'{row[0]}'!A1"
            listed[row[0]] = row[1:]
    assert list(listed) == list(texts)
    for name, (title, note, rows, key) in listed.items():
        spec = words.specs.tables[name]
        assert (title, note, key) == (spec.title, spec.note, key_of(name, texts[name]))
        assert rows == len(tables()[name])
    described = {(row[0], row[1]): row[2] for row in values}
    for name in texts:
        for column in words.specs.tables[name].columns.values():
            assert described[name, column.name] == column.description


def test_columns_other_than_those_described_are_refused(texts, words):
    with pytest.raises(ValueError, match="T8-cues"):
        workbook({"T8-cues": "cue,code\na,b\n"}, words)


def test_a_table_without_rows_is_no_crash(words):
    data = workbook({"T8-cues": t8(words)}, words)
    assert load_workbook(io.BytesIO(data))["T8-cues"]["A1"].value.startswith("T8-cues")


# --- what cannot be in it -------------------------------------------------------------------------


def test_what_looks_like_a_formula_or_link_stays_a_text(words):
    data = workbook({"T8-cues": t8(words, *RISKY)}, words)
    sheet = load_workbook(io.BytesIO(data))["T8-cues"]
    for cell, text in zip(sheet["A"][HEADER:], RISKY, strict=False):
        assert (cell.value, cell.data_type) == (text, "s")
        assert cell.quotePrefix == text.startswith(("=", "+", "-", "@", "\t"))
        assert cell.hyperlink is None
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if "worksheets/" in name]
    assert sheets and not any(b"<f>" in part or b"<f " in part for part in sheets)


def test_hostile_titles_and_notes_stay_texts():
    words = edition(load_specs(), context(title="=1+1", question="@SUM(A1) <b>&</b>"))
    sheet = load_workbook(io.BytesIO(workbook({"T8-cues": t8(words, "a")}, words)))[README]
    assert (sheet["A1"].value, sheet["A1"].data_type) == ("=1+1", "s")
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("@SUM(A1) <b>&</b>", "s")


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20),
        min_size=1,
        max_size=8,
    )
)
@example(["_x0041_", " a ", "<&>\"'"])
def test_any_text_comes_back(words, names):
    data = workbook({"T8-cues": t8(words, *names)}, words)
    found = [name if name is not None else "" for name in cues(data, len(names))]
    assert found == [clean(name) for name in names]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\x00b\x07c\x1bd", "abcd"),
        ("a\ud800b\udfffc", "abc"),
        ("a\ufffeb\uffff", "ab"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("_x0041_", "_x0041_"),
        ("𝔸é한", "𝔸é한"),
    ],
)
def test_characters_that_no_cell_can_hold_are_removed(text, kept):
    assert clean(text) == kept


@pytest.mark.parametrize("letter", ["x", "𝔸"])
def test_long_texts_are_cut_with_a_mark(letter):
    size = len(letter.encode("utf-16-le")) // 2
    fits, longer = letter * (LONGEST // size), letter * (LONGEST // size + 1)
    assert clean(fits) == fits
    cut = clean(longer)
    assert cut.endswith(CUT) and longer.startswith(cut.removesuffix(CUT))
    assert LONGEST - 2 <= len(cut.encode("utf-16-le")) // 2 <= LONGEST


def test_a_long_text_is_written(words):
    data = workbook({"T8-cues": t8(words, "x" * 40_000)}, words)
    assert cues(data, 1) == ["x" * (LONGEST - len(CUT)) + CUT]


# --- bytes ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_bytes_are_the_same_on_another_day(data, texts, words, monkeypatch):
    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2031, 5, 6, 7, 8, 9, tzinfo=tz)

    monkeypatch.setattr("xlsxwriter.core.datetime", Later)
    monkeypatch.setattr("xlsxwriter.workbook.datetime", Later)
    monkeypatch.setattr("framing.report.spreadsheet._CREATED", Later(2000, 1, 1))
    monkeypatch.setattr("time.time", lambda: 1_936_000_000.0)
    assert workbook(texts, words) == data
    # Without a date of ours, the day would show: so that this test can fail.
    plain = io.BytesIO()
    xlsxwriter.Workbook(plain, {"in_memory": True}).close()
    with zipfile.ZipFile(plain) as parts:
        assert b"2031-05-06" in parts.read("docProps/core.xml")


def test_parts_have_no_date_no_name_and_are_stored(data):
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {part.compress_type for part in parts.infolist()} == {zipfile.ZIP_STORED}
        assert {part.create_system for part in parts.infolist()} == {3}
        core = ET.fromstring(parts.read("docProps/core.xml"))
    said = {element.tag.rpartition("}")[2]: element.text for element in core}
    assert said == {
        "title": "Who pays for the park?",
        "creator": None,
        "lastModifiedBy": None,
        "created": "2000-01-01T00:00:00Z",
        "modified": "2000-01-01T00:00:00Z",
    }


@pytest.mark.slow
def test_bytes_are_the_same_elsewhere(data, tmp_path, root):
    code = (
        "from framing.common.files import sha256\n"
        "from framing.tables.captions import edition\n"
        "from framing.tables.specs import load_specs\n"
        "from framing.tables.csv_text import csv_text\n"
        "from framing.report.spreadsheet import workbook\n"
        "from tests.unit.output_samples import context, tables\n"
        "w = edition(load_specs(), context())\n"
        "t = {n: csv_text(f, w.specs.tables[n]) for n, f in tables().items()}\n"
        "print(sha256(workbook(t, w)))\n"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "4321",
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
        "USER": "somebody",
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "workflow")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == sha256(data)


@pytest.mark.slow
def test_it_is_made_from_the_renderings_and_written_whole(data, texts, tmp_path):
    words = edition(load_specs(), context())
    made = render_workbook({f"tables/{n}.csv": t for n, t in texts.items()}, words)
    assert made == data
    target = tmp_path / "results" / "tables.xlsx"
    write_bytes(target, made)
    assert target.read_bytes() == made
    assert [path.name for path in target.parent.iterdir()] == ["tables.xlsx"]
