"""`snakemake --report`: every result in its category, with its caption, in one file."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from framing.cli.main import main
from framing.common.config import load_config
from framing.common.paths import CONFIG
from framing.tables.specs import load_specs
from framing.workflow.results import Results

pytestmark = pytest.mark.slow


TABLES, FIGURES = Results(["machines"]).tables, Results(["machines"]).figures


def test_results_are_listed_by_category_and_told_by_their_captions(copied: Path, run) -> None:
    pytest.importorskip("pygments")
    done = run(copied, "--report", "build/snakemake.html")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (copied / "build" / "snakemake.html").read_text(encoding="utf-8")
    (categories,) = re.findall(r"var categories = (\{.*?\});?\n", page)
    listed = {
        category: {Path(path).stem for paths in parts.values() for path in paths}
        for category, parts in json.loads(categories).items()
    }
    assert listed["Tables"] == {*TABLES, "tables"}
    assert listed["Figures"] == set(FIGURES)
    assert listed["Tables"] | listed["Pages"] == {*TABLES, *load_specs().pages}
    shown = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.replace("\\n", " "))).split())
    for table in load_specs().of(["machines"]).tables.values():
        assert table.title.partition(": {")[0] in shown  # what is filled in later is left out
    project = load_config(copied / CONFIG)["project"]
    assert project["title"] in shown and project["question"] in shown


def test_a_project_without_results_has_nothing_to_show_and_says_so(tmp_path: Path, run) -> None:
    pytest.importorskip("pygments")
    assert main(["init", str(tmp_path / "mine")]) == 0
    done = run(tmp_path / "mine", "--report", "report.html")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "mine" / "report.html").read_text(encoding="utf-8")
    assert re.search(r"var categories = \{\};?\n", page)
