"""What joins the corpus reruns what depends on it: not less, or results were stale, and not more.

The example's sources have all been sampled; here one joins that no draw has reached.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from framing.cli import main as cli
from tests.warm import Warm

from .conftest import command, contents, copy_project, edit, rows, write_rows
from .test_run import planned

pytestmark = pytest.mark.slow

LETTER = """\
We who live along the harbour have asked for one thing only in all these years, that the council
should speak with us before it decides about the ferry, and not when the posters are printed.

The fare is too high for people who cross twice a day. My neighbour counts the coins on Monday and
walks the long way round by Thursday, and nobody in the town hall has ever asked her why.

A tram costs a lot of money, and a fair share of it will be paid by those who never ride on it. The
council was told so at the hearing, and the shops were told, and still there is no answer.
"""
FACTS = {"check", "sampled", "facts", "taught", "formulas"}
LEARNT = {"train", "evaluate", "reliability", "robustness", "quality", "regression", "draw_codings"}
"""Rules that rest on sampled sources alone."""
WHOLE = {"scores", "describe", "explorer", "prevalence", "provenance", "changes",
         "draw_shares", "draw_texts", "tables", "report", "manifest"}  # fmt: skip
"""Rules that must look at every source."""


@pytest.fixture(scope="module")
def joined(finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the finished run in which a source has joined since."""
    # As deep as the finished run lies: the code's files are inputs by their relative paths.
    target = tmp_path_factory.mktemp("joined") / "project"
    shutil.copytree(finished[0], target)
    letter = target.parent / "letter.txt"
    letter.write_text(LETTER, encoding="utf-8")
    here = Path.cwd()
    said = ["--title", "A letter", "--group", "residents", "--date", "2019-05-03"]
    try:
        assert cli.main(["add", str(letter), *said, "--directory", str(target)]) == 0
    finally:
        os.chdir(here)
    return target


@pytest.fixture(scope="module")
def grown(joined: Path, run) -> Path:
    """Return the same project after the next run."""
    assert planned(run(joined, "--dry-run")) == {
        "check", "facts", *WHOLE, "default", "total",
    }  # fmt: skip
    done = run(joined)
    assert done.returncode == 0, done.stdout + done.stderr
    return joined


@pytest.fixture
def changed(grown: Path, tmp_path: Path) -> Path:
    target = tmp_path / "project"
    shutil.copytree(grown, target)
    return target


def test_results_are_those_of_a_run_from_nothing_and_hang_on_the_code(
    grown: Path, root: Path, tmp_path: Path
):
    checkout, project = tmp_path / "checkout", copy_project(grown, tmp_path / "project")
    for part in ("profiles", "workflow"):
        shutil.copytree(root / part, checkout / part)
    shutil.copy(root / "Snakefile", checkout)

    elsewhere = os.environ | {"PYTHONPATH": str(checkout / "workflow")}
    with closing(Warm(elsewhere)) as warm:
        done = warm.run(command(checkout, project), environment=elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(project / "results") == contents(grown / "results")
    assert "A letter" in (project / "corpus" / "sources.tsv").read_text(encoding="utf-8")
    edit(
        checkout / "workflow/framing/classifier/logistic.py",
        "_ITERATIONS = 500",
        "_ITERATIONS = 400",
    )
    # By a process from nothing: it has the code as it is now.
    done = subprocess.run(
        command(checkout, project, "--dry-run"), capture_output=True, text=True, check=False,
        env=elsewhere, errors="replace",
    )  # fmt: skip
    rules = planned(done)
    assert rules >= {*LEARNT, *WHOLE}
    assert not rules & FACTS


def test_a_new_source_is_in_the_tables_that_speak_of_the_corpus(grown: Path, finished):
    before, after = (contents(one / "results" / "tables") for one in (finished[0], grown))
    moved = {name[:-4] for name in after if name.endswith(".csv") and before[name] != after[name]}
    assert moved >= {"T1-corpus", "T4-prevalence", "T5-trend", "T10-regression"}
    assert not moved & {"T2-agreement", "T9-robustness", "T13-ablations", "T14-learning",
                        "T15-calibration", "T16-specifications", "T17-disagreements",
                        "T18-coder-shares"}  # fmt: skip


def other_code(project: Path) -> None:
    path = project / "corpus" / "codings" / "machine-2.tsv"
    table = rows(path)
    place = table[0].index("cost")
    table[4][place] = str(1 - int(table[4][place]))
    write_rows(path, table)


def other_cue(project: Path) -> None:
    edit(project / "corpus/codebook/codebook.yaml", "too much money", "far too much money")


def other_setting(project: Path) -> None:
    edit(project / "config" / "config.yaml", "C: 1.0", "C: 2.0")


def other_date(project: Path) -> None:
    """Change a sampled source's row, where Snakemake's own records have been lost."""
    path = project / "corpus" / "sources.tsv"
    table = rows(path)
    table[1][table[0].index("date")] = "2016"
    write_rows(path, table)
    shutil.rmtree(project / ".snakemake")


@pytest.mark.parametrize(
    ("change", "reruns", "stays"),
    [
        (other_code, {"check", "sampled", *LEARNT, *WHOLE}, set()),
        (other_cue, {*FACTS, *LEARNT, *WHOLE} - {"formulas"}, {"formulas"}),
        (other_setting, {"train", "evaluate", *WHOLE}, FACTS),
        (other_date, {*FACTS, *LEARNT, *WHOLE} - {"taught"}, {"taught"}),
    ],
)
def test_a_change_reruns_what_depends_on_it(changed: Path, run, change, reruns, stays):
    change(changed)
    rules = planned(run(changed, "--dry-run"))
    assert rules >= reruns
    assert not rules & stays
