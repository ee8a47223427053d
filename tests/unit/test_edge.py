"""Tables of earlier rules come back as they were: text as text, numbers to the last bit."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from framing.common.build import read_build, read_passage_frame, read_scores, survey_table
from framing.common.files import write_table
from framing.sampling.combine import combined_design
from framing.tables import io
from framing.tables.io import publish
from framing.tables.specs import Specs
from tests.unit.inference_samples import drawn_from
from tests.unit.words_read import load_specs

ROWS = 'name\tcount\tmaybe\tshare\nNA\t1\t\t0.100001\n\t20\t7\t\n"x\t-3\t0\t1e-06\n'


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.tsv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_columns_are_strings_unless_given_a_type(table: Path) -> None:
    frame = read_build(table)
    assert frame["name"].tolist() == ["NA", "", '"x']
    assert frame["count"].tolist() == ["1", "20", "-3"]
    assert frame["maybe"].tolist() == ["", "7", "0"]


def test_numbers_come_back_exactly_and_empty_ones_are_missing(table: Path) -> None:
    frame = read_build(table, count="int64", maybe="Int64", share="float64")
    assert frame["name"].tolist() == ["NA", "", '"x']
    assert frame["count"].dtype == "int64"
    assert frame["count"].tolist() == [1, 20, -3]
    assert frame["maybe"].dtype == "Int64"
    assert frame["maybe"].tolist() == [pd.NA, 7, 0]
    assert frame["share"].isna().tolist() == [False, True, False]
    assert frame["share"].dropna().tolist() == [0.100001, 1e-06]


def test_some_columns_in_the_order_of_the_file(table: Path) -> None:
    frame = read_build(table, ["share", "name"], share="float64")
    assert list(frame) == ["name", "share"]


@pytest.mark.parametrize("column", ["maybe", "name"])
def test_whole_numbers_that_are_none_are_refused(table: Path, column: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        read_build(table, **{column: "int64"})


def test_part_of_a_count_is_no_count(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("maybe\n1.5\n\n", encoding="utf-8")
    with pytest.raises(TypeError, match="safely"):
        read_build(path, maybe="Int64")


def test_scores_with_six_decimals_are_read_to_the_last_bit(tmp_path: Path) -> None:
    given = np.round(np.random.default_rng(5).random(2000), 6)
    path = tmp_path / "scores.tsv"
    head = "passage_id\tcode\tfold\tlabel\tprobability\tdecision\tunfamiliar\n"
    path.write_text(
        head + "".join(f"p{n}\tc\t1\t\t{value:.6f}\t0\t0\n" for n, value in enumerate(given)),
        encoding="utf-8",
    )
    scores = read_scores(path)
    assert (scores["probability"].to_numpy() == given).all()
    assert scores["label"].isna().all()


def test_what_tables_declare_is_read_once_by_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def load() -> Specs:
        read.append(True)
        return load_specs()

    monkeypatch.setattr(io, "specs", cache(load))
    for name in ("T4-prevalence", "T5-trend"):
        columns = list(load_specs().tables[name].columns)
        publish(tmp_path / f"{name}.csv", pd.DataFrame(columns=columns))
        assert (tmp_path / f"{name}.csv").read_text("utf-8") == ",".join(columns) + "\n"
    assert read == [True]


def test_the_passage_frame_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    frame = drawn_from("x" * 7 + "y" * 3, [0, 2, 5, 8], groups="aaabbbbccc")
    design = combined_design(frame.assign(start=0, end=1, words=1), [])
    design.loc[3, "read_weight"] = 1 / 3
    design.loc[4:, "unread_frame"] = True
    design.loc[4, "role"] = "confirmation"
    write_table(tmp_path / "passages.tsv", survey_table(design))
    back = read_passage_frame(tmp_path / "passages.tsv")
    for name in ("weight", "random_share", "read_weight"):
        assert np.array_equal(back[name], design[name], equal_nan=True), name
    for name in ("estimable", "unread_frame", "role"):
        assert back[name].tolist() == design[name].tolist(), name
    assert back["unread_frame"].dtype == bool
