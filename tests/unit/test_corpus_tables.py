"""Sources, passages and sample: what is accepted, and how each defect is named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from framing.common.problems import InputError
from framing.corpus.tables import (
    PASSAGE_COLUMNS,
    SAMPLE_COLUMNS,
    SOURCE_COLUMNS,
    passage_frame,
    period_of,
    read_passages,
    read_sample,
    read_sources,
    read_unsampled,
    sampled_frame,
)

GROUPS = {"left": "Left", "right": "Right"}
PERIODS = [
    {"id": "early", "first": 1990, "last": 1999},
    {"id": "late", "first": 2000, "last": 2009},
]


def source(name, **changes):
    row = dict.fromkeys(SOURCE_COLUMNS, "x") | {
        "source_id": name, "group": "left", "date": "1995-03", "date_precision": "month",
        "words": "40", "sha256": "0" * 64,
    }  # fmt: skip
    return [str((row | changes)[column]) for column in SOURCE_COLUMNS]


def write(path: Path, columns, rows) -> Path:
    lines = ["\t".join(columns), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return path


@pytest.fixture
def sources(tmp_path):
    rows = [source("s1"), source("s2", group="right", date="")]
    return read_sources(write(tmp_path / "sources.tsv", SOURCE_COLUMNS, rows), GROUPS)


PASSAGES = [
    ("p1", "s1", 0, 10, 2),
    ("p2", "s1", 10, 30, 4),
    ("p3", "s2", 5, 9, 1),
    ("p4", "s2", 9, 20, 2),
]
SAMPLE = [("p1", "a", 2, 1, "0.500000"), ("p3", "b", 2, 2, "1"), ("p4", "b", 2, 2, "1.0")]


def read_all(tmp_path, sources, passages=PASSAGES, sample=SAMPLE):
    units = read_passages(write(tmp_path / "passages.tsv", PASSAGE_COLUMNS, passages), sources)
    drawn = read_sample(write(tmp_path / "sample.tsv", SAMPLE_COLUMNS, sample), units)
    return units, drawn


def test_the_frame_joins_group_period_and_design(tmp_path, sources):
    units, drawn = read_all(tmp_path, sources)
    config = {"periods": PERIODS, "undated": "undated"}
    frame = passage_frame(sources, units, drawn, config).set_index("passage_id")
    assert frame["group"].tolist() == ["left", "left", "right", "right"]
    assert frame["period"].tolist() == ["early", "early", "undated", "undated"]
    assert frame["weight"].dropna().to_dict() == {"p1": 2.0, "p3": 1.0, "p4": 1.0}


@pytest.mark.parametrize(
    ("sample", "unsampled", "inside"),
    [
        (SAMPLE, [], [True] * 4),
        ([("p1", "a", 1, 1, "1"), *SAMPLE[1:]], ["p2"], [True, False, True, True]),
        (SAMPLE[1:], [], [False, False, True, True]),  # the group left was not sampled at all
        ([], ["p2"], [False] * 4),
    ],
)
def test_who_could_have_been_drawn(tmp_path, sources, sample, unsampled, inside):
    units = read_passages(write(tmp_path / "passages.tsv", PASSAGE_COLUMNS, PASSAGES), sources)
    drawn = pd.DataFrame(sample, columns=list(SAMPLE_COLUMNS))
    path = write(tmp_path / "unsampled.tsv", ["passage_id"], [(name,) for name in unsampled])
    named = read_unsampled(path, units)
    assert sampled_frame(sources, units, drawn, named, Path("sample.tsv")).tolist() == inside


@pytest.mark.parametrize(
    ("sample", "unsampled", "said"),
    [
        ([("p1", "a", 3, 1, "0.333333"), *SAMPLE[1:]], [], "add up to 5 passages.* has 4"),
        (SAMPLE, ["p2"], "add up to 4 passages, passages.tsv has 3"),
        (SAMPLE, ["p1"], "'p1' was drawn, but unsampled.tsv says"),
        (SAMPLE, ["p9"], "line 2: names the passage 'p9', which is not"),
        (SAMPLE, ["p2", "p2"], "repeats the passage_id 'p2'"),
    ],
)
def test_frames_that_do_not_add_up(tmp_path, sources, sample, unsampled, said):
    units, drawn = read_all(tmp_path, sources, sample=sample)
    path = write(tmp_path / "unsampled.tsv", ["passage_id"], [(name,) for name in unsampled])
    with pytest.raises(InputError, match=said):
        sampled_frame(sources, units, drawn, read_unsampled(path, units), tmp_path / "sample.tsv")
    assert read_unsampled(tmp_path / "absent.tsv", units) == frozenset()


@pytest.mark.parametrize(
    ("date", "period"),
    [("1990", "early"), ("1999-12-31", "early"), ("2000-01", "late"), ("", "no"), ("2010", "no")],
)
def test_periods_include_both_their_ends(date, period):
    assert period_of(date, PERIODS, "no") == period


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"group": "centre"}, "line 3: source 's2' has the unknown group 'centre'.*left, right"),
        ({"source_id": "s1"}, "line 3: repeats the source_id 's1'"),
        ({"source_id": ""}, "line 3: has no usable source_id"),
        ({"source_id": "../s"}, "no usable source_id"),
        ({"date": "May 1995"}, "has the date 'May 1995'"),
        ({"date": "1995-13"}, "has the date '1995-13'"),
        ({"date_precision": "guess"}, "date precision 'guess'"),
        ({"sha256": "abc"}, "no SHA-256"),
        ({"words": "many"}, "words 'many'"),
    ],
)
def test_broken_sources(tmp_path, changes, said):
    rows = [source("s1"), source("s2", **changes)]
    path = write(tmp_path / "sources.tsv", SOURCE_COLUMNS, rows)
    with pytest.raises(InputError, match=said):
        read_sources(path, GROUPS)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("p4", "s9", 9, 20, 2), "line 5: passage 'p4' names the unknown source 's9'"),
        (("p1", "s2", 9, 20, 2), "line 5: repeats the passage_id 'p1'"),
        (("p4", "s2", 8, 20, 2), "line 5: passage 'p4' overlaps 'p3'"),
        (("p4", "s2", 20, 20, 2), "runs from 20 to 20"),
        (("p4", "s2", -1, 20, 2), "has start '-1'"),
        (("p4", "s2", "9.5", 20, 2), "has start '9.5'"),
    ],
)
def test_broken_passages(tmp_path, sources, row, said):
    with pytest.raises(InputError, match=said):
        read_all(tmp_path, sources, passages=[*PASSAGES[:3], row])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [*SAMPLE[:2], ("p9", "b", 2, 2, "1")],
            "line 4: drawn passage 'p9' is not in passages.tsv",
        ),
        ([*SAMPLE[:2], ("p3", "b", 2, 2, "1")], "line 4: repeats the passage_id 'p3'"),
        ([("p1", "a", 2, 1, "0"), *SAMPLE[1:]], "line 2: .*inclusion probability '0'.*above 0"),
        ([("p1", "a", 2, 1, "1.5"), *SAMPLE[1:]], "inclusion probability '1.5'"),
        ([("p1", "a", 2, 1, "nan"), *SAMPLE[1:]], "inclusion probability 'nan'"),
        ([("p1", "a", 2, 1, "0.4"), *SAMPLE[1:]], "not 1/2"),
        (SAMPLE[:2], "stratum 'b' says 2 of 2 were drawn but has 1 rows"),
        ([*SAMPLE[:2], ("p4", "b", 3, 2, "0.666667")], "stratum 'b' is given with different sizes"),
        ([("p1", "a", 0, 1, "1"), *SAMPLE[1:]], "stratum_size '0'"),
    ],
)
def test_broken_samples(tmp_path, sources, rows, said):
    with pytest.raises(InputError, match=said):
        read_all(tmp_path, sources, sample=rows)


def test_all_defects_are_named_at_once(tmp_path):
    rows = [source("s1", group="a"), source("s1", date="never")]
    with pytest.raises(InputError) as caught:
        read_sources(write(tmp_path / "sources.tsv", SOURCE_COLUMNS, rows), GROUPS)
    assert len(caught.value.problems) == 3
