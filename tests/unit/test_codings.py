"""Codings: reading, refusing, combining."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from framing.codebook.codes import yes_no_code
from framing.coding.codings import (
    coders_phrase,
    combine_coders,
    labels_by_coder,
    main_rule,
    read_coders,
    read_codings,
    runs_of_one_model,
    standard_problems,
)
from framing.common.problems import InputError

CODES = [yes_no_code(name, name.title(), f"It is {name}.") for name in ("red", "blue")]
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
    return read_codings(folder, list(coders), CODES, SAMPLE)


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
    tied = rule == "majority" and 2 * sum(values) == len(values)
    assert combined["tied"].tolist() == [int(tied)]


STANDARD = {"rule": "standard", "tie": "absent", "standard": "c1"}


@pytest.mark.parametrize(("values", "label"), [([1, 0], 0), ([0, 1, 0], 1), ([1, 1], 1)])
def test_the_standard_decides_alone(values, label):
    combined = combine_coders(codings(values), STANDARD)
    assert combined.drop(columns=["passage_id", "code"]).to_dict("records") == [
        {"label": label, "coders": len(values), "share": label, "tied": 0}
    ]
    assert main_rule(STANDARD) == "c1"
    assert main_rule({"rule": "any", "tie": "absent"}) == "any"


def test_passages_that_the_standard_left_out_are_named():
    table = pd.DataFrame(
        [("p1", "c1", "red", 1), ("p1", "c2", "red", 0), ("p2", "c2", "red", 1),
         ("p2", "c1", "blue", 1), ("p2", "c2", "blue", 1)],
        columns=["passage_id", "coder", "code", "value"],
    )  # fmt: skip
    (problem,) = standard_problems(table, STANDARD, Path("codings"))
    assert problem.place == Path("codings/c1.tsv")
    assert "1 passages that others coded have no coding of 'red' by the standard: p2" in str(
        problem
    )
    assert combine_coders(table, STANDARD)["passage_id"].tolist() == ["p1", "p2"]
    assert standard_problems(table, {"rule": "any", "tie": "absent"}, Path("codings")) == []
    complete = table[table["coder"] != "c2"]
    assert standard_problems(complete, STANDARD, Path("codings")) == []
    # An unknown coder is found in the configuration, and named there.
    assert standard_problems(table, {**STANDARD, "standard": "c9"}, Path("codings")) == []


def test_each_coder_alone_has_what_they_coded():
    table = pd.DataFrame(
        [("p1", "c1", "red", 1, 0), ("p1", "c2", "red", 0, 1), ("p2", "c2", "red", 1, 0)],
        columns=["passage_id", "coder", "code", "value", "unsure"],
    )
    found = labels_by_coder(table, {"rule": "majority", "tie": "absent"})
    assert list(found) == ["c1", "c2"]
    assert found["c1"].to_dict("list") == {"passage_id": ["p1"], "code": ["red"], "label": [1]}
    assert found["c2"]["label"].tolist() == [0, 1]
    assert list(labels_by_coder(table, STANDARD)) == ["c1"]


def coders(tmp_path, *rows, header="coder\tkind\tcodebook\tdescription\tmodel"):
    path = tmp_path / "coders.tsv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_coders(path)


def test_runs_of_one_model_are_known_by_its_name(tmp_path):
    one, two = "m1\tmachine\t1\tx\tM, 2 runs", "m2\tmachine\t1\ty\tM, 2 runs"
    assert runs_of_one_model(coders(tmp_path, one, two))
    assert not runs_of_one_model(coders(tmp_path, one))
    assert not runs_of_one_model(coders(tmp_path, one, "m2\tmachine\t1\ty\tN"))
    assert not runs_of_one_model(coders(tmp_path, one, "m2\tmachine\t1\ty\t"))
    assert not runs_of_one_model(coders(tmp_path, "m1\tmachine\t1\tx\t", "m2\tmachine\t1\ty\t"))
    assert not runs_of_one_model(coders(tmp_path, one, two, "h\thuman\t1\tz\t"))


def test_coders_without_the_column_model_are_read_as_before(tmp_path):
    old = "coder\tkind\tcodebook\tdescription"
    found = coders(tmp_path, "m1\tmachine\t1\tx", "m2\tmachine\t1\tx", header=old)
    assert found["model"].tolist() == ["", ""]
    assert list(found) == ["coder", "kind", "codebook", "description", "model"]
    assert not runs_of_one_model(found)
    with pytest.raises(InputError, match="unknown column 'modell'"):
        coders(tmp_path, header=f"{old}\tmodell")


def test_a_human_coder_is_a_run_of_nothing(tmp_path):
    with pytest.raises(InputError, match="line 2: coder 'h' is human and a run of the model 'M'"):
        coders(tmp_path, "h\thuman\t1\tx\tM")


def test_machine_coders_are_called_so(tmp_path):
    path = tmp_path / "coders.tsv"
    rows = ["coder\tkind\tcodebook\tdescription"]
    rows += [f"m{n}\tmachine\t1.0\tx" for n in range(3)] + ["h\thuman\t1.0\tx"]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert coders_phrase(read_coders(path)) == "one human coder and three machine coders"
    path.write_text(path.read_text("utf-8").replace("human", "robot"), encoding="utf-8")
    with pytest.raises(InputError, match="line 5: coder 'h' is of the kind 'robot'"):
        read_coders(path)
