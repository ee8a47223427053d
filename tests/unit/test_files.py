"""Reading strictly, writing atomically, one rule for numbers."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.common.files import (
    decode_strictly,
    json_text,
    number_text,
    read_table,
    table_text,
    write_text,
)
from framing.common.problems import InputError


@pytest.mark.parametrize(
    ("data", "said", "row"),
    [
        (b"\xef\xbb\xbfa\n", "byte order mark", 1),
        (b"a\nb\r\n", "carriage returns", 2),
        (b"a\nb\nc\xff\n", "not UTF-8", 3),
    ],
)
def test_bytes_that_are_not_plain_utf8_are_named_with_their_line(data, said, row):
    with pytest.raises(InputError, match=said) as caught:
        decode_strictly(data, "some.tsv")
    assert caught.value.problems[0].row == row


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a\n1\n", "lacks the column 'b'"),
        ("a\tb\tc\n1\t2\t3\n", "unknown column 'c'"),
        ("a\tb\tb\n1\t2\t3\n", "column 'b' twice"),
        ("a\tb\n1\n", "has 1 fields where the header has 2"),
        ("a\tb\n1\t2\n\n", "line 3"),
        ("", "is empty"),
    ],
)
def test_malformed_tables(tmp_path: Path, content, said):
    path = tmp_path / "t.tsv"
    path.write_text(content, encoding="utf-8", newline="")
    with pytest.raises(InputError, match=said):
        read_table(path, ["a", "b"])


def test_quotes_are_data(tmp_path: Path):
    path = tmp_path / "t.tsv"
    path.write_text('a\tb\n"x\t1"2\n', encoding="utf-8", newline="")
    assert read_table(path, ["a", "b"]).iloc[0].tolist() == ['"x', '1"2', 2]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.125, "0.12"),
        (0.375, "0.38"),
        (-0.0001, "0.00"),
        (float("nan"), ""),
        (None, ""),
        (pd.NA, ""),
        (True, "1"),
        (7, "7"),
        ("a", "a"),
    ],
)
def test_one_rule_for_numbers(value, text):
    assert number_text(value, 2) == text


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_quoted_csv_comes_back_as_it_was(rows):
    text = table_text(pd.DataFrame(rows, columns=["a", "b"]), sep=",")
    back = list(csv.reader(io.StringIO(text, newline="")))
    assert [tuple(row) for row in back[1:]] == rows


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path):
    path = tmp_path / "x.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \udc80")
    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


def test_json_does_not_depend_on_the_order_of_keys():
    assert json_text({"b": 1, "a": 2}) == json_text({"a": 2, "b": 1})
