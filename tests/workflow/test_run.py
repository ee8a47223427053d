"""The workflow end to end on the example project: same bytes whatever happens around it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from framing.output.seal import manifest
from framing.stages import FIGURES, TABLES

from .conftest import command, contents, edit

pytestmark = pytest.mark.slow


def planned(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the rules that a dry run says it would run."""
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"(?m)^(\w+) +\d+$", done.stdout + done.stderr))


def test_the_committed_results_come_out_again_from_texts(finished: Path, mini: Path):
    """Golden bytes: examples/mini/results is what papers would cite."""
    assert contents(finished / "results") == contents(mini / "results")


def test_every_table_and_figure_is_there_and_sealed(finished: Path):
    results = finished / "results"
    made = contents(results)
    expected = {f"tables/{table}.{form}" for table in TABLES for form in ("csv", "tex", "html")}
    expected |= {f"figures/{figure}.svg" for figure in FIGURES}
    expected |= {"report.html", "provenance.json", "manifest.tsv"}
    assert expected <= set(made)
    sealed = pd.read_csv(results / "manifest.tsv", sep="\t")
    assert set(sealed["path"]) == set(made) - {"manifest.tsv"}
    assert sealed.equals(manifest(results))


def test_facts_alone_in_another_locale_hash_seed_and_thread_count_give_the_same_bytes(
    project: Path, finished: Path, run
):
    shutil.rmtree(project / "corpus" / "texts")
    done = run(
        project, "--cores", "1", PYTHONHASHSEED="77", LC_ALL="C", LANG="C", TZ="Asia/Tokyo",
        OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(project / "results") == contents(finished / "results")


def test_the_run_ends_with_the_headline_and_where_the_report_lies(
    finished: Path, tmp_path: Path, run
):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    (copy / "results" / "manifest.tsv").unlink()
    done = run(copy)
    assert done.returncode == 0
    headline = (copy / "build" / "headline.txt").read_text("utf-8")
    after = done.stdout[done.stdout.index(headline) + len(headline) :]
    assert f"The report: {copy / 'results' / 'report.html'}" in after


def test_a_second_run_has_nothing_to_do(finished: Path, run):
    before = contents(finished / "results")
    done = run(finished)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr
    assert contents(finished / "results") == before


def test_committed_results_are_not_taken_for_done(mini: Path, project: Path, run):
    """As in a fresh clone: results are there, build/ and Snakemake's records are not."""
    shutil.copytree(mini / "results", project / "results")
    (project / "results" / "tables" / "T4-prevalence.csv").write_text("stale\n", encoding="utf-8")
    assert planned(run(project, "--dry-run")) >= {
        "check", "derived_facts", "train", "scores", "reliability", "prevalence", "describe",
        "render", "provenance", "seal",
    }  # fmt: skip


def test_a_run_killed_half_way_is_taken_up_to_the_same_bytes(
    project: Path, finished: Path, root: Path, run
):
    with subprocess.Popen(
        command(root, project), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:  # fmt: skip
        deadline = time.monotonic() + 120
        while not any((project / "build").glob("scores/*.tsv")) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(running.pid, signal.SIGKILL)
    done = run(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(project / "results") == contents(finished / "results")


def test_two_runs_at_once_are_refused(project: Path, root: Path, run):
    import fcntl

    (project / "build").mkdir()
    with (project / "build" / ".lock").open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = run(project)
    assert done.returncode != 0
    assert "another run is at work" in done.stdout + done.stderr
    assert not (project / "results").exists()


def test_a_changed_setting_reruns_what_depends_on_it_and_nothing_else(
    finished: Path, tmp_path: Path, run
):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    edit(copy / "config" / "config.yaml", "confidence: 0.95", "confidence: 0.90")
    rules = planned(run(copy, "--dry-run", "--rerun-triggers", "params", "code", "input"))
    assert {"prevalence", "render", "seal"} <= rules
    assert "train" not in rules


def test_another_number_of_decimals_in_a_cell_would_be_seen_by_verify(
    finished: Path, tmp_path: Path
):
    from framing.verify import verify

    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    assert verify(copy).holds
    table = copy / "results" / "tables" / "T4-prevalence.csv"
    table.write_text(table.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    (copy / "results" / "extra.txt").write_text("x", encoding="utf-8")
    verdict = verify(copy)
    assert verdict.changed == ["extra.txt", "tables/T4-prevalence.csv"]
    assert verdict.differing == []
