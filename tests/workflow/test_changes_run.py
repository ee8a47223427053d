"""What moved, in a run of the workflow: published, compared, listed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from framing.cli.publish import publish
from framing.common.files import read_table
from framing.release.manifest import manifest
from framing.workflow.software import software

from .conftest import edit

pytestmark = pytest.mark.slow


def planned(said: str) -> set[str]:
    """Return the rules that a dry run says it would run."""
    return set(re.findall(r"(?m)^(\w+) +\d+$", said)) - {"default", "total"}


def test_results_are_compared_with_the_published_ones_and_nothing_else_is_made_anew(
    copied: Path, run
):
    results = copied / "results"
    said = (results / "changes.md").read_text("utf-8")
    assert "Nothing has been published yet" in said
    publish(copied, "1.0")
    done = run(copied, "--dry-run")
    assert planned(done.stdout + done.stderr) == {"changes", "manifest"}
    # As if the first share had been published otherwise, before an earlier package.
    table = copied / "published" / "tables" / "T4-prevalence.csv"
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    frame.loc[0, ["estimate", "ci_low", "ci_high"]] = ["0.900000", "0.800000", "0.950000"]
    frame.to_csv(table, index=False, lineterminator="\n")
    record = json.loads((results / "provenance.json").read_text("utf-8"))
    numpy = record["packages"]["numpy"]
    edit(copied / "published" / "provenance.json", f'"numpy": "{numpy}"', '"numpy": "1.0"')
    done = run(copied)
    assert done.returncode == 0, done.stdout + done.stderr
    said = (results / "changes.md").read_text("utf-8")
    assert said.startswith("# What moved since 1.0\n\n1 of ")
    assert f"- Package numpy: 1.0 → {numpy}\n\nNothing else changed" in said
    assert "| below" in said
    listed = pd.read_csv(results / "manifest.tsv", sep="\t")
    assert "changes.md" in set(listed["path"])
    assert listed.equals(manifest(results))


def test_a_run_records_sources_cues_coders_and_code(finished: tuple[Path, str]):
    record = json.loads((finished[0] / "results" / "provenance.json").read_text("utf-8"))
    inputs = record["inputs"]
    sources = read_table(finished[0] / "corpus" / "sources.tsv", [], extra=True)["source_id"]
    assert set(inputs["corpus"]["sources"]) == set(sources)
    assert set(inputs["codings"]["coders"]) == {"machine-1", "machine-2", "machine-3"}
    assert inputs["codebook"]["cues"]
    assert set(record["code"]) == set(software())
