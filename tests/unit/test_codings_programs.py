"""Codings for other programs, at the command line: out, and projects of QDA programs back in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from framing.cli import main as cli
from framing.common.paths import CODERS, CODINGS

pytestmark = pytest.mark.slow

pytest.importorskip("lxml")


@pytest.fixture
def project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(root / "examples" / "mini", tmp_path / "mini",
                    ignore=shutil.ignore_patterns("results", "build", ".snakemake"))  # fmt: skip
    monkeypatch.chdir(tmp_path / "mini")
    return tmp_path


def framing(*arguments: str | Path) -> int:
    return cli.main([str(each) for each in arguments])


def first_coder() -> Path:
    return min(CODINGS.glob("*.tsv"))


@pytest.mark.parametrize(
    ("out", "back"),
    [((), ()), (("--crlf",), ()), (("--passages-only",), ("--read-all",))],
    ids=["texts", "Windows", "passages"],
)
def test_codings_come_back_as_they_left(project: Path, out, back) -> None:
    path = first_coder()
    before = path.read_bytes()
    assert framing("codings", "export", project / "x.qdpx", *out) == 0
    path.unlink()
    assert framing("codings", "import", project / "x.qdpx", *back) == 0
    assert path.read_bytes() == before


def test_the_same_project_gives_the_same_bytes(project: Path) -> None:
    for name in ("x.qdpx", "y.qdpx"):
        assert framing("codings", "export", project / name) == 0
    assert (project / "x.qdpx").read_bytes() == (project / "y.qdpx").read_bytes()


def test_passages_without_a_code_are_not_taken_for_read(project: Path, capsys) -> None:
    """Where every passage is a document, nothing says that one without a code was read."""
    path = first_coder()
    rows = len(path.read_text("utf-8").splitlines())
    framing("codings", "export", project / "x.qdpx", "--passages-only")
    path.unlink()
    assert framing("codings", "import", project / "x.qdpx") == 0
    assert len(path.read_text("utf-8").splitlines()) < rows


def test_a_new_coder_is_a_user_with_a_name_of_their_own(project: Path, capsys) -> None:
    path = first_coder()
    coder = path.stem
    framing("codings", "export", project / "x.qdpx", "--coder", coder)
    assert framing("codings", "import", project / "x.qdpx", "--user", f"{coder}=ann",
                   "--kind", "human", "--read-all") == 0  # fmt: skip
    assert "\nann\thuman\t" in CODERS.read_text("utf-8")
    own = (CODINGS / "ann.tsv").read_text("utf-8").replace("\tann\t", f"\t{coder}\t")
    assert sorted(own.splitlines()) == sorted(path.read_text("utf-8").splitlines())


def test_a_dry_run_writes_nothing_and_says_what_is_lost(project: Path, capsys) -> None:
    framing("codings", "export", project / "x.qdpx")
    first_coder().unlink()
    capsys.readouterr()
    assert framing("codings", "import", project / "x.qdpx", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "Nothing was written" in said and "is not taken over:" in said
    assert len(list(CODINGS.glob("*.tsv"))) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "x.pdf"), "has none of the endings"),
        (("export", "nowhere/x.qdpx"), "does not exist"),
        (("export", "x.qdpx", "--coder", "nobody"), "has no coder 'nobody'"),
        (("import", "there.qdpx", "there.qdpx"), "one .qdpx at a time"),
        (("import", "there.qdpx", "--user", "Ann=ann"), "lacks 1 user that --user names: 'Ann'"),
        (
            ("import", "there.qdpx", "--label", "Dear=cost"),
            "lacks 1 code that --label names: 'Dear'",
        ),
        (("import", "broken.qdpx"), "broken.qdpx"),
        (("export", "there.qdpx"), "is there already"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(project, capsys, arguments, said) -> None:
    framing("codings", "export", "there.qdpx")
    Path("broken.qdpx").write_bytes(b"PK\x03\x04 no archive")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    capsys.readouterr()
    assert framing("codings", *arguments) == 1
    assert said in capsys.readouterr().err
    after = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert {path: data for path, data in after.items() if ".lock" not in path.name} == {
        path: data for path, data in before.items() if ".lock" not in path.name
    }


def test_the_codebook_goes_out_alone(project: Path) -> None:
    assert framing("codings", "export", project / "x.qdc") == 0
    assert b"CodeBook" in (project / "x.qdc").read_bytes()


def test_one_table_for_r_has_texts_codes_and_what_each_coder_said(project: Path) -> None:
    assert framing("codings", "export", project / "x.csv") == 0
    table = pd.read_csv(project / "x.csv", dtype=str, keep_default_na=False)
    assert list(table)[:4] == ["doc_id", "text", "source_id", "title"]
    passages = pd.read_csv("corpus/passages.tsv", sep="\t", dtype=str)
    assert table["doc_id"].tolist() == passages["passage_id"].tolist()
    one = passages.iloc[0]
    text = Path("corpus/texts", f"{one['source_id']}.txt").read_text("utf-8")
    assert table["text"].iloc[0] == text[int(one["start"]) : int(one["end"])]
    coder = first_coder()
    own = pd.read_csv(coder, sep="\t", dtype=str).set_index("passage_id")
    code = next(name for name in own if name not in ("coder", "unsure"))
    said = table.set_index("doc_id")[f"{code}.{coder.stem}"]
    assert said[said != ""].to_dict() == own[code].to_dict()
    votes = table[[name for name in table if name.startswith(f"{code}.")]]
    coded = table[code] != ""
    majority = votes[coded].astype(int).sum(axis=1) * 2 > votes.shape[1]
    assert (table.loc[coded, code] == majority.astype(int).astype(str)).all()


def test_lines_for_doccano_name_the_codes_that_a_coded_passage_carries(project: Path) -> None:
    assert framing("codings", "export", project / "x.jsonl") == 0
    assert framing("codings", "export", project / "x.csv") == 0
    table = pd.read_csv(project / "x.csv", dtype=str, keep_default_na=False).set_index("doc_id")
    lines = [json.loads(line) for line in (project / "x.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == len(table)
    for line in lines:
        row = table.loc[line["id"]]
        assert line["text"] == row["text"]
        codes = [name for name in table if f"{name}.machine-1" in table.columns]
        expected = [name for name in codes if row[name] == "1"]
        assert line.get("label") == (expected if row[codes[0]] != "" else None)


def test_probabilities_are_in_the_table_after_a_run(project: Path) -> None:
    passages = pd.read_csv("corpus/passages.tsv", sep="\t", dtype=str)["passage_id"]
    head = "passage_id\tcode\tfold\tlabel\tprobability\tdecision\tunfamiliar\n"
    rows = "".join(f"{name}\tcost\t0\t\t0.250000\t0\t0\n" for name in passages)
    Path("build").mkdir()
    Path("build/scores.tsv").write_text(head + rows, encoding="utf-8")
    assert framing("codings", "export", project / "x.csv") == 0
    table = pd.read_csv(project / "x.csv", dtype=str)
    assert set(table["cost.probability"]) == {"0.250000"} and set(table["cost.decision"]) == {"0"}


def test_lines_for_doccano_come_back_as_codings(project: Path) -> None:
    path = first_coder()
    coder = path.stem
    framing("codings", "export", project / "x.jsonl", "--coder", coder)
    lines = [json.loads(line) for line in (project / "x.jsonl").read_text("utf-8").splitlines()]
    coded = [line for line in lines if "label" in line]
    assert any(len(line["label"]) > 1 for line in coded)
    assert any(not line["label"] for line in coded)
    text = "".join(json.dumps(line) + "\n" for line in coded)
    Path("ann.jsonl").write_text(text, encoding="utf-8")
    assert framing("codings", "import", "ann.jsonl", "--passage", "id", "--labels", "label",
                   "--absent", "--coder", "ann", "--kind", "human") == 0  # fmt: skip
    codes = pd.read_csv(path, sep="\t", dtype=str).drop(columns=["coder", "unsure"])
    found = pd.read_csv(CODINGS / "ann.tsv", sep="\t", dtype=str)[list(codes)]
    pd.testing.assert_frame_equal(found.sort_values("passage_id", ignore_index=True),
                                  codes.sort_values("passage_id", ignore_index=True))  # fmt: skip


def test_labels_of_spans_are_refused_and_not_taken_for_none(project: Path, capsys) -> None:
    name = pd.read_csv(first_coder(), sep="\t", dtype=str)["passage_id"].iloc[0]
    line = json.dumps({"id": name, "label": [[0, 4, "cost"]]})
    Path("ann.jsonl").write_text(line + "\n", encoding="utf-8")
    assert framing("codings", "import", "ann.jsonl", "--passage", "id", "--labels", "label",
                   "--absent", "--coder", "ann", "--kind", "human") == 1  # fmt: skip
    assert "'label' holds lists of lists" in capsys.readouterr().err
    assert not (CODINGS / "ann.tsv").exists()
