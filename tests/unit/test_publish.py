"""The command ``framing publish``, and what `framing verify` makes of what it wrote."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from framing.cli import publish
from framing.common.files import write_table, write_text
from framing.common.problems import InputError
from framing.release import reproduce as verify
from framing.release.manifest import manifest
from framing.release.read_release import folder_contents
from framing.workflow.results import published

Publish = Callable[..., int]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with listed results of two tables."""
    monkeypatch.chdir(tmp_path)
    results = Path("results")
    for name in ("T1-corpus", "T4-prevalence"):
        write_text(results / "tables" / f"{name}.csv", "code,estimate\ncost,0.5\n")
        write_text(results / "tables" / f"{name}.tex", "not for comparing")
    write_text(results / "provenance.json", '{"inputs": {}}\n')
    write_text(results / "report.html", "<p>")
    list_results()
    return tmp_path


def list_results() -> None:
    write_table(Path("results/manifest.tsv"), manifest(Path("results")))


@pytest.fixture
def run_publish() -> Publish:
    def run(*arguments: str) -> int:
        parser = argparse.ArgumentParser(prog="framing")
        common = argparse.ArgumentParser(add_help=False)
        publish.register(parser.add_subparsers(required=True), common)
        parsed = parser.parse_args(["publish", *arguments])
        return int(parsed.run(parsed))

    return run


def names(folder: str = "published") -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if p.is_file())


TABLES = ["tables/T1-corpus.csv", "tables/T4-prevalence.csv"]


def test_tables_and_provenance_are_kept_byte_for_byte(project: Path, run_publish: Publish, capsys):
    assert run_publish() == 0
    assert names() == ["provenance.json", *TABLES]
    assert folder_contents(Path("published")) == folder_contents(Path("results"))
    assert "2 tables, in published/" in capsys.readouterr().out
    assert [path.name for path in project.iterdir() if path.name.startswith(".")] == []


def test_a_label_is_kept_until_the_next_publication(project: Path, run_publish: Publish):
    run_publish("--label", "1.0")
    assert Path("published/label.txt").read_text("utf-8") == "1.0\n"
    run_publish()
    assert names() == ["provenance.json", *TABLES]


def test_what_was_published_before_is_replaced_as_a_whole(project: Path, run_publish: Publish):
    run_publish()
    Path("results/tables/T1-corpus.csv").unlink()
    write_text(Path("results/tables/T4-prevalence.csv"), "code,estimate\ncost,0.6\n")
    list_results()
    run_publish()
    assert names() == ["provenance.json", TABLES[1]]
    assert "0.6" in Path("published", TABLES[1]).read_text("utf-8")


@pytest.mark.parametrize("label", ["", " ", "a\nb", "a\tb", "x" * 101, " 1.0"])
def test_a_label_that_cannot_stand_in_a_heading_is_refused(
    project: Path, run_publish: Publish, label: str
):
    with pytest.raises(InputError, match="--label"):
        run_publish("--label", label)
    assert not Path("published").exists()


def test_results_that_are_not_those_of_the_manifest_are_refused_all_at_once(
    project: Path, run_publish: Publish
):
    write_text(Path("results/tables/T1-corpus.csv"), "code,estimate\ncost,0.7\n")
    write_text(Path("results/extra.txt"), "x")
    Path("results/report.html").unlink()
    with pytest.raises(InputError) as caught:
        run_publish()
    assert [str(problem.place) for problem in caught.value.problems] == [
        "results/extra.txt", "results/report.html", "results/tables/T1-corpus.csv",
    ]  # fmt: skip
    assert not Path("published").exists()


def test_without_results_or_without_tables_there_is_nothing_to_publish(
    project: Path, run_publish: Publish
):
    for path in Path("results/tables").glob("*.csv"):
        path.unlink()
    Path("results/provenance.json").unlink()
    list_results()
    with pytest.raises(InputError) as caught:
        run_publish()
    assert len(caught.value.problems) == 2
    shutil.rmtree("results")
    with pytest.raises(InputError, match="Run `snakemake` first"):
        run_publish()


def test_files_of_others_are_not_thrown_away(project: Path, run_publish: Publish):
    run_publish("--label", "1.0")
    write_text(Path("published/notes.md"), "mine")
    with pytest.raises(InputError, match=r"published/notes\.md: would be lost"):
        run_publish()
    assert names() == ["label.txt", "notes.md", "provenance.json", *TABLES]
    shutil.rmtree("published")
    write_text(Path("published"), "a file")
    with pytest.raises(InputError, match="is a file, not a folder"):
        run_publish()


def test_a_failed_publication_leaves_the_former_one(
    project: Path, run_publish: Publish, monkeypatch: pytest.MonkeyPatch
):
    run_publish("--label", "1.0")
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        if Path(target).name == "published" and path.name != ".published.before":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="No space"):
        run_publish("--label", "2.0")
    assert Path("published/label.txt").read_text("utf-8") == "1.0\n"
    assert [path.name for path in project.iterdir() if path.name.startswith(".")] == []


def test_a_publication_killed_between_its_renames_is_taken_up(project: Path, run_publish: Publish):
    run_publish("--label", "1.0")
    Path("published").rename(".published.before")
    write_text(Path(".published.part/tables/T99-half.csv"), "x")
    with pytest.raises(InputError, match="--label"):
        run_publish("--label", "")
    assert Path("published/label.txt").read_text("utf-8") == "1.0\n"
    assert run_publish("--label", "2.0") == 0
    assert names() == ["label.txt", "provenance.json", *TABLES]
    assert [path.name for path in project.iterdir() if path.name.startswith(".")] == []


def test_the_workflow_takes_what_was_published_as_input(project: Path, run_publish: Publish):
    assert published() == []
    run_publish("--label", "1.0")
    assert published() == [f"published/{name}" for name in names()]


def test_verify_recomputes_beside_what_was_published(
    project: Path, run_publish: Publish, monkeypatch: pytest.MonkeyPatch
):
    for folder in ("config", "corpus"):
        write_text(Path(folder) / "x", "")
    seen: list[bool] = []

    def recomputed(directory: Path, cores: int) -> None:
        seen.append((directory / "published" / "label.txt").is_file())
        shutil.copytree("results", directory / "results")

    monkeypatch.setattr(verify, "_run", recomputed)
    assert verify.verify(Path()).holds
    run_publish("--label", "1.0")
    assert verify.verify(Path()).holds
    assert seen == [False, True]
