"""The workflow on SLURM: the bytes of one machine, in parts, and after a killed job.

`pytest -m slurm` runs this where Debian's packages slurm-wlm and munge and the extra `slurm` are
installed, as root; elsewhere it is skipped.
"""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from framing.cli.main import main
from framing.project.parts import FOLDER, KINDS
from tests.workflow.conftest import as_csv, command, contents, copy_project, edit

from . import one_machine

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

PATIENCE = 420
"""Seconds that a run may take: five times what one takes where nothing else is at work."""
SOURCES, PARAGRAPHS, PER_JOB = 12, 4, 45
QUICK = {  # asks for the state of jobs more often than is kind to a cluster that others use, too
    "--slurm-init-seconds-before-status-checks": "2",
    "--seconds-between-status-checks": "2",
    "--slurm-status-command": "squeue",  # nothing keeps accounts here
    "--latency-wait": "10",
}


@pytest.fixture(scope="module")
def slurm() -> Iterator[None]:
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("needs pip install 'framing[slurm]'")
    if reason := one_machine.missing():
        pytest.skip(f"no SLURM can be started here: {reason}")
    # Not below pytest's folder, which others may not enter.
    base = Path(f"/tmp/framing-slurm-{os.getpid()}")
    try:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(one_machine.slurm(base))
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                pytest.skip(f"SLURM does not come up here: {error}")
            yield
    finally:
        shutil.rmtree(base, ignore_errors=True)


@contextlib.contextmanager
def started(root: Path, project: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the workflow on SLURM; end it, and whatever it started, when the block is left."""
    options = [word for option in QUICK.items() for word in option]
    # The profile comes before options, and the last one that is given counts.
    call = command(root, project, *arguments, "--slurm-no-account", *options)
    call[call.index("--profile") + 1] = str(root / "profiles" / "slurm")
    running = subprocess.Popen(
        call, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True,
    )  # fmt: skip
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def run(root: Path, project: Path, *arguments: str) -> str:
    with started(root, project, *arguments) as running:
        said, _ = running.communicate(timeout=PATIENCE)
    logs = (project / ".snakemake" / "slurm_logs").rglob("*.log")
    assert running.returncode == 0, said + "".join(log.read_text("utf-8") for log in logs)
    return said


def made_up(path: Path) -> None:
    """Write a table of made-up letters, most of whose words are no others' (else they are one)."""
    chance = random.Random(15)
    what = ["the lime trees", "a fair hearing", "the fare", "the old square", "four millions"]

    def word() -> str:
        return "".join(chance.choice("bdfglmnprst") + chance.choice("aeiou") for _ in range(4))

    def paragraph() -> str:
        return " ".join(
            f"{word().title()} spoke to {word()} of {chance.choice(what)} and of {word()} {word()} "
            f"on a day that {word()} {word()}."
            for _ in range(4)
        )

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["doc_id", "title", "year", "text"])
        for number in range(SOURCES):
            text = "\n\n".join(paragraph() for _ in range(PARAGRAPHS))
            writer.writerow([f"made-{number}", f"Letter {number}", 2015 + number % 8, text])


@pytest.fixture
def sharded(mini: Path, tmp_path: Path) -> Path:
    """Return the example with more sources than were sampled, to be read in several parts."""
    project = copy_project(mini, tmp_path / "sharded")
    config = project / "config" / "config.yaml"
    edit(config, "  texts: [corpus/texts]", f"  texts: [corpus/texts]\n  job_passages: {PER_JOB}")
    with config.open("a", encoding="utf-8") as file:
        file.write("\nreading: {language: {accepted: []}}\n")  # invented words are of none
    made_up(tmp_path / "letters.csv")
    table = ["--table", str(tmp_path / "letters.csv"), "--group", "residents"]
    assert main(["add", *table, "--directory", str(project)]) == 0
    return project


def parts(project: Path) -> list[Path]:
    return sorted(path for kind in KINDS for path in (project / FOLDER / kind).glob("*.npz"))


def kill_job(kind: str, number: str, running: subprocess.Popen[str]) -> None:
    """Kill the job of a part with all its processes once it is at work."""
    until = time.monotonic() + 60
    while time.monotonic() < until and running.poll() is None:
        asked = ["squeue", "-h", "-t", "running", "-o", "%A %k"]
        done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=30)
        for line in done.stdout.splitlines():
            job, _, about = line.partition(" ")
            if re.sub(r"\W", "_", about).endswith(f"{kind}_{number}"):
                killed = ["scancel", "--full", "--signal=KILL", job]
                subprocess.run(killed, check=True, timeout=30)
                return
        time.sleep(0.1)
    raise AssertionError(f"the job of {kind}/{number} never ran, or was too quick")


def test_the_example_gives_the_bytes_of_one_machine(slurm, mini, root, tmp_path):
    project = copy_project(mini, tmp_path / "mini")
    run(root, project)
    assert contents(project / "results") == contents(mini / "results")
    assert contents(project / "corpus") == contents(mini / "corpus")


def test_a_killed_shard_alone_is_made_again_and_no_byte_differs(slurm, sharded, root, tmp_path):
    # Whatever reads facts of all parts, and no more: the test above sees to the rest.
    wanted = ["results/explorer.html", *as_csv("T4-prevalence")]
    alone = copy_project(sharded, tmp_path / "alone")
    subprocess.run(command(root, alone, *wanted), check=True, timeout=PATIENCE, capture_output=True)
    names = [path.relative_to(alone).as_posix() for path in parts(alone)]
    assert all(sum(f"/{kind}/" in name for name in names) > 1 for kind in KINDS)

    # Only the facts, so that all other parts are done when the run ends by the one that was killed.
    lost = names[-1]
    with started(root, sharded, "--retries", "0", *names) as running:
        kill_job(Path(lost).parent.name, Path(lost).stem, running)
        said, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode != 0, said
    made = {
        path.relative_to(sharded).as_posix(): path.stat().st_mtime_ns for path in parts(sharded)
    }
    assert set(made) == set(names) - {lost}, said

    notes = {path: path.stat().st_mtime_ns for path in (sharded / FOLDER).rglob("*.sources")}
    run(root, sharded, *wanted)
    again = {name: (sharded / name).stat().st_mtime_ns for name in made}
    assert again == made, "a part that was done was made again"
    assert {path: path.stat().st_mtime_ns for path in notes} == notes
    assert contents(sharded / "results") == contents(alone / "results")
    for path in (*names, "build/scores.tsv", "build/passages.tsv"):
        assert (sharded / path).read_bytes() == (alone / path).read_bytes(), path
