"""Codings: reading, refusing, combining."""

from __future__ import annotations

import pandas as pd
import pytest

from framing.coding.codings import coders_phrase, combine_coders, read_coders, read_codings
from framing.problems import InputError

SAMPLE = pd.DataFrame({"passage_id": ["p1", "p2"]})
GOOD = "passage_id\tcoder\tred\tblue\tunsure\np1\t{0}\t1\t0\t0\np2\t{0}\t0\tNA\t1\n"


@pytest.fixture
def folder(tmp_path):
    for coder in ("ann", "bob"):
        text = GOOD.format(coder)
        if coder == "bob":
            text = text.replace("NA", "1")
        (tmp_path / f"{coder}.tsv").write_text(text, encoding="utf-8")
    return tmp_path


def read(folder, coders=("ann", "bob")):
    return read_codings(folder, list(coders), ["red", "blue"], SAMPLE)


def test_codings_come_back_long_and_without_what_was_not_coded(folder):
    long = read(folder)
    assert len(long) == 7
    assert long["passage_id"].tolist() == ["p1"] * 4 + ["p2"] * 3
    last = long.iloc[-1]
    assert (last["coder"], last["code"], last["value"], last["unsure"]) == ("bob", "blue", 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("p1\tann\t1", "p1\tann\t2", "line 2: passage 'p1' has red '2'. Write 0 or 1 or NA"),
        ("p1\tann\t1", "p1\tann\t", "passage 'p1' has red ''"),
        ("p1\tann\t1", "p1\tann\tyes", "has red 'yes'"),
        ("\t0\t0\n", "\t0\tx\n", "has unsure 'x'"),
        ("p1\tann", "p9\tann", "'p9', which no draw took"),
        ("p1\tann", "p2\tann", "line 3: codes the passage 'p2' twice"),
        ("p1\tann", "p1\teve", "names the coder 'eve' in the file of 'ann'"),
        ("\tblue", "\tblau", "lacks the column 'blue'"),
        ("\tblue", "\tblau", "unknown column 'blau'"),
    ],
)
def test_broken_codings(folder, old, new, said):
    path = folder / "ann.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read(folder)
    assert said in str(caught.value)


def test_drawn_passages_that_nobody_coded_are_refused(folder):
    for coder in ("ann", "bob"):
        path = folder / f"{coder}.tsv"
        path.write_text("".join(path.read_text("utf-8").splitlines(True)[:2]), encoding="utf-8")
    with pytest.raises(InputError, match="1 drawn passages have no coding of 'red': p2"):
        read(folder)


def test_files_of_unknown_coders_and_missing_files(folder):
    with pytest.raises(InputError, match=r"'bob', whom coders\.tsv does not name"):
        read(folder, ["ann"])
    with pytest.raises(InputError, match=r"eve.tsv: does not exist"):
        read(folder, ["ann", "bob", "eve"])


def codings(values):
    return pd.DataFrame(
        [("p", f"c{n}", "red", value, 0) for n, value in enumerate(values)],
        columns=["passage_id", "coder", "code", "value", "unsure"],
    )


@pytest.mark.parametrize(
    ("values", "rule", "tie", "label"),
    [
        ([1, 1, 0], "majority", "absent", 1),
        ([1, 0, 0], "majority", "present", 0),
        ([1, 0], "majority", "absent", 0),
        ([1, 0], "majority", "present", 1),
        ([0, 0], "majority", "present", 0),
        ([1], "majority", "absent", 1),
        ([1, 0, 0], "any", "absent", 1),
        ([0, 0], "any", "present", 0),
        ([1, 1, 0], "all", "present", 0),
        ([1, 1], "all", "absent", 1),
    ],
)
def test_rules_for_several_coders(values, rule, tie, label):
    combined = combine_coders(codings(values), {"rule": rule, "tie": tie})
    assert combined["label"].tolist() == [label]
    assert combined["share"].tolist() == [sum(values) / len(values)]


def test_machine_coders_are_called_so(tmp_path):
    path = tmp_path / "coders.tsv"
    rows = ["coder\tkind\tcodebook\tdescription"]
    rows += [f"m{n}\tmachine\t1.0\tx" for n in range(3)] + ["h\thuman\t1.0\tx"]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert coders_phrase(read_coders(path)) == "one human coder and three machine coders"
    path.write_text(path.read_text("utf-8").replace("human", "robot"), encoding="utf-8")
    with pytest.raises(InputError, match="line 5: coder 'h' is of the kind 'robot'"):
        read_coders(path)
