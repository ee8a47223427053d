"""Projects of QDA programs at the command line: out, and back in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from framing.cli import main as cli
from framing.common.paths import CODERS, CODINGS

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
        (("export", "x.pdf"), "is neither a .qdpx nor a .qdc"),
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
