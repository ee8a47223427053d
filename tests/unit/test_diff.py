"""The command ``framing diff``: folders, projects, revisions, formats, exit status."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from framing.cli import diff
from framing.common.files import write_text

Diff = Callable[..., int]
T4 = "tables/T4-prevalence.csv"


@pytest.fixture
def run_diff() -> Diff:
    def run(*arguments: str, called_from: Path | None = None) -> int:
        parser = argparse.ArgumentParser(prog="framing")
        common = argparse.ArgumentParser(add_help=False)
        diff.register(parser.add_subparsers(required=True), common)
        parsed = parser.parse_args(["diff", *arguments])
        if called_from:
            parsed.called_from = called_from
        return int(parsed.run(parsed))

    return run


@pytest.fixture
def project(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example with results, and the same results published."""
    target = tmp_path / "project"
    shutil.copytree(mini / "config", target / "config")
    shutil.copytree(mini / "results" / "tables", target / "results" / "tables")
    shutil.copy(mini / "results" / "provenance.json", target / "results")
    for name in ("tables/*.html", "tables/*.tex"):
        for path in (target / "results").glob(name):
            path.unlink()
    shutil.copytree(target / "results", target / "published")
    write_text(target / "published" / "label.txt", "1.0\n")
    monkeypatch.chdir(target)
    # Wherever temporary folders lie, they are in no repository but the tests' own.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return target


def alter(folder: str | Path, column: str = "estimate", value: str = "0.999999") -> None:
    """Give the first row of a folder's T4 another value."""
    path = Path(folder) / T4
    lines = path.read_text("utf-8").splitlines()
    row = lines[1].split(",")
    row[lines[0].split(",").index(column)] = value
    write_text(path, "\n".join([lines[0], ",".join(row), *lines[2:]]) + "\n")


def git(*arguments: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def test_nothing_changed_since_publication(project: Path, run_diff: Diff, capsys):
    assert run_diff() == 0
    assert capsys.readouterr().out.startswith("# Nothing changed since 1.0\n")


@pytest.mark.slow
def test_a_changed_estimate_is_found_and_the_missing_cause_is_alarming(
    project: Path, run_diff: Diff, capsys
):
    alter("results")
    assert run_diff() == 1
    text = capsys.readouterr().out
    assert text.startswith("# What moved since 1.0\n\n1 of ")
    assert "1 of them lies outside the old interval" in text
    assert "Nothing that results are made from has changed, and yet they have." in text


@pytest.mark.slow
def test_a_changed_setting_is_named(project: Path, run_diff: Diff, capsys):
    alter("results")
    record = json.loads(Path("results/provenance.json").read_text("utf-8"))
    record["config"]["settings"]["agreement"]["seed"] += 1
    write_text(Path("results/provenance.json"), json.dumps(record))
    assert run_diff() == 1
    assert "- Setting agreement.seed: " in capsys.readouterr().out


@pytest.mark.slow
def test_folders_projects_and_published_results_can_be_named(
    project: Path, tmp_path: Path, run_diff: Diff, capsys
):
    other = tmp_path / "other"
    shutil.copytree(project, other)
    alter(other / "results")
    for old, expected in (
        ("other", 1), ("other/results", 1), ("other/published", 0), ("project/published", 0),
    ):  # fmt: skip
        assert run_diff(old, called_from=tmp_path) == expected, old
    assert run_diff("other", "project", called_from=tmp_path) == 1
    assert capsys.readouterr().out.splitlines()[-1] != ""
    assert run_diff("other", "other/results", called_from=tmp_path) == 0
    assert "# Nothing changed from other to other/results" in capsys.readouterr().out


@pytest.mark.slow
def test_a_revision_is_read_from_git_in_a_folder_of_the_repository_too(
    project: Path, tmp_path: Path, run_diff: Diff, capsys
):
    git("init", "-q", str(tmp_path))
    git("add", ".")
    git("commit", "-q", "-m", "first")
    git("tag", "v1")
    alter("results", "positives", "1")
    git("add", ".")
    git("commit", "-q", "-m", "second")
    assert run_diff("HEAD") == 0
    assert run_diff("v1", "HEAD") == 1
    text = capsys.readouterr().out
    assert "# What moved from v1 to HEAD\n\n1 of " in text
    alter("results")
    assert run_diff("HEAD") == 1
    write_text(project / "v1" / "note.txt", "a folder of the same name")
    assert run_diff("v1", called_from=project) == 2
    assert "holds no result tables" in capsys.readouterr().err


def test_what_is_no_revision_or_has_no_results_is_refused(
    project: Path, tmp_path: Path, run_diff: Diff, capsys
):
    assert run_diff("HEAD") == 2
    assert "this directory is not under git" in capsys.readouterr().err
    git("init", "-q")
    git("add", "config")
    git("commit", "-q", "-m", "no results")
    assert run_diff("HEAD") == 2
    assert "HEAD:results: holds no result tables" in capsys.readouterr().err
    assert run_diff("nowhere") == 2
    assert "git knows no such revision" in capsys.readouterr().err
    assert run_diff("--", "--output=x") == 2
    assert not list(project.glob("x*"))


def test_without_git_a_revision_is_refused_in_words(
    project: Path, run_diff: Diff, monkeypatch, capsys
):
    monkeypatch.setenv("PATH", "")
    assert run_diff("HEAD") == 2
    assert "git: is not installed" in capsys.readouterr().err


def test_nothing_published_is_told_with_what_to_do(project: Path, run_diff: Diff, capsys):
    shutil.rmtree("published")
    assert run_diff() == 2
    assert "Run `framing publish`" in capsys.readouterr().err
    shutil.rmtree("results")
    assert run_diff() == 2
    shutil.copytree("config", "published")
    assert run_diff() == 2
    assert "holds no result tables" in capsys.readouterr().err


def test_what_is_no_folder_of_results_or_broken_is_refused(project: Path, run_diff: Diff, capsys):
    assert run_diff("config") == 2
    assert "config: holds no result tables" in capsys.readouterr().err
    assert run_diff("config/config.yaml") == 2
    assert "is a file, not a folder" in capsys.readouterr().err
    write_text(Path("published") / T4, "a,b\n1\n")
    assert run_diff() == 2
    assert f"published/{T4}: row 1 has 1 fields" in capsys.readouterr().err


def test_wrong_usage_ends_in_two(run_diff: Diff):
    for arguments in (("a", "b", "c"), ("--format", "html")):
        with pytest.raises(SystemExit) as caught:
            run_diff(*arguments)
        assert caught.value.code == 2


def test_the_help_names_the_exit_status(run_diff: Diff, capsys):
    with pytest.raises(SystemExit):
        run_diff("--help")
    said = capsys.readouterr().out
    assert "exit status: 0 nothing changed; 1 something did; 2 wrong usage" in said


@pytest.mark.slow
def test_cells_are_listed_up_to_the_setting_unless_all_are_asked_for(
    project: Path, run_diff: Diff, capsys
):
    config = Path("config/config.yaml")
    text = config.read_text("utf-8")
    assert "changes_listed: 50" in text
    write_text(config, text.replace("changes_listed: 50", "changes_listed: 2"))
    for column in ("estimate", "positives", "coded", "se"):
        alter("results", column, "9")
    assert run_diff("--format", "tsv") == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    assert "2 more cells changed; --all" in said.err
    assert run_diff("--format", "tsv", "--all") == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 5
    assert said.err == ""
    config.unlink()  # without a project there is no limit
    assert run_diff("--format", "tsv") == 1
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.mark.slow
def test_reader_who_has_had_enough_is_no_problem(project: Path, root: Path):
    """As in `framing diff | head -0`."""
    alter("results")
    program = (
        "import argparse, sys; from framing.cli import diff; "
        "arguments = argparse.Namespace(old=None, new=None, format='markdown', all=True); "
        "sys.exit(diff.run(arguments))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(root / "workflow"), "PATH": ""},
    ) as running:  # fmt: skip
        assert running.stdout and running.stderr
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141
