"""A copy of the example project, and a way to run the workflow on it."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from framing.common.files import read_table
from tests.warm import Warm

Run = Callable[..., subprocess.CompletedProcess[str]]


def command(root: Path, directory: Path, *arguments: str) -> list[str]:
    return [
        sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile"),
        "--profile", str(root / "profiles" / "default"), "--directory", str(directory), *arguments,
    ]  # fmt: skip


@pytest.fixture(scope="session")
def run(root: Path, warm: Warm) -> Run:
    """Run the workflow in a directory; return what it printed and its exit status.

    Its processes have everything imported (``tests/warm.py``). `cold_run` starts them from nothing,
    as users do: for what hangs on processes, locks and kills, and for the results all are held to.
    """

    def _run(directory: Path, *arguments: str):
        return warm.run(command(root, directory, *arguments))

    return _run


@pytest.fixture(scope="session")
def cold_run(root: Path) -> Run:
    """Run the workflow as users do."""

    def _run(directory: Path, *arguments: str):
        return subprocess.run(
            command(root, directory, *arguments), capture_output=True, text=True, check=False,
            errors="replace",
        )  # fmt: skip

    return _run


def as_csv(*tables: str) -> list[str]:
    """Return the targets of a run that makes these tables alone: no figure, no page, no other form.

    What the run is made from is recorded with them.
    """
    return ["results/provenance.json", *(f"results/tables/{table}.csv" for table in tables)]


def copy_project(source: Path, target: Path) -> Path:
    """Copy what a project is made of, without its results."""
    for part in ("config", "corpus"):
        shutil.copytree(source / part, target / part)
    return target


@pytest.fixture
def project(mini: Path, tmp_path: Path) -> Path:
    return copy_project(mini, tmp_path / "project")


@pytest.fixture(scope="session")
def finished(
    mini: Path, root: Path, cold_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """Return a finished run of the example, texts at hand, and what it printed.

    The first run was killed half-way, and the second took it up: what holds of these results holds
    after a kill. Tests copy the directory, none writes to it. Where tests run in several processes
    the first that asks makes it for all.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return _finished_run(mini, root, cold_run, base / "finished" / "project")
    # As deep as the directories of tests: the code's files are inputs by their relative paths.
    target = base.parent / "shared" / "finished" / "project"
    said = target.with_name("said.txt")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name("lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            shutil.rmtree(target, ignore_errors=True)  # of a process that failed here
            said.write_text(_finished_run(mini, root, cold_run, target)[1], encoding="utf-8")
    return target, said.read_text(encoding="utf-8")


def _finished_run(mini: Path, root: Path, run: Run, target: Path) -> tuple[Path, str]:
    copy_project(mini, target)
    with subprocess.Popen(
        command(root, target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:  # fmt: skip
        while running.poll() is None and not any((target / "build").glob("scores/*.tsv")):
            time.sleep(0.02)
        os.killpg(running.pid, signal.SIGKILL)
    assert not (target / "results" / "manifest.tsv").exists(), "the kill came too late"
    done = run(target)
    assert done.returncode == 0, done.stdout + done.stderr
    return target, done.stdout


@pytest.fixture
def copied(finished: tuple[Path, str], tmp_path: Path) -> Path:
    """Return a copy of the finished run, with Snakemake's records, to change."""
    target = tmp_path / "copy"
    shutil.copytree(finished[0], target)
    return target


def contents(results: Path) -> dict[str, bytes]:
    """Return every file below ``results`` with its bytes."""
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file()
    }


def edit(path: Path, old: str, new: str) -> None:
    """Replace the first ``old`` in a file; it must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def rows(path: Path) -> list[list[str]]:
    """Return the fields of a tab-separated file, header first."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def write_rows(path: Path, table: list[list[str]]) -> None:
    """Write fields as a tab-separated file."""
    text = "\n".join("\t".join(row) for row in table) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


__all__ = ["as_csv", "contents", "copy_project", "edit", "read_table", "rows", "write_rows"]
