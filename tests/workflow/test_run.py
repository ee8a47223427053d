"""The workflow end to end on the example project: same bytes whatever happens around it."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from framing.cli.main import main
from framing.common.files import write_text
from framing.release.manifest import manifest
from framing.tables import jobs
from framing.workflow import results, software
from framing.workflow.results import Results

from .conftest import contents, edit

pytestmark = pytest.mark.slow


TABLES, FIGURES = Results(["machines"]).tables, Results(["machines"]).figures


def planned(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the rules that a dry run says it would run."""
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"(?m)^(\w+) +\d+$", done.stdout + done.stderr))


def test_the_committed_results_come_out_of_the_texts_and_of_a_killed_run(finished, mini):
    """Golden bytes: examples/mini/results is what papers would cite."""
    project, _ = finished
    assert contents(project / "results") == contents(mini / "results")
    assert contents(project / "corpus") == contents(mini / "corpus")


FORMS = ("csv", "tex", "html", "md")


def test_every_table_and_figure_is_there_and_sealed(finished):
    results = finished[0] / "results"
    made = contents(results)
    expected = {f"tables/{table}.{form}" for table in TABLES for form in FORMS}
    expected |= {f"figures/{figure}.{form}" for figure in FIGURES for form in ("svg", "pdf", "png")}
    expected |= {"report.html", "explorer.html", "changes.md", "tables.xlsx", "provenance.json"}
    expected |= {"manifest.tsv"}
    assert expected <= set(made)
    listed = pd.read_csv(results / "manifest.tsv", sep="\t")
    assert set(listed["path"]) == set(made) - {"manifest.tsv"}
    assert listed.equals(manifest(results))


def test_the_run_ends_with_the_headline_and_where_the_report_lies(finished):
    project, said = finished
    headline = (project / "build" / "headline.txt").read_text("utf-8")
    after = said[said.index(headline) + len(headline) :]
    assert f"The report: {project / 'results' / 'report.html'}" in after


def test_facts_alone_elsewhere_give_the_same_bytes_and_verify_names_what_is_not_them(
    copied, capsys, monkeypatch
):
    """`framing verify` recomputes without texts, here under another locale and hash seed too."""
    for name, value in {
        "PYTHONHASHSEED": "77", "LC_ALL": "C", "LANG": "C", "TZ": "Asia/Tokyo",
        "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Nehalem",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    results = copied / "results"
    edit(results / "tables" / "T4-prevalence.csv", "0.", "1.")
    (results / "tables" / "T1-corpus.tex").unlink()
    write_text(results / "extra.txt", "x")
    assert main(["verify", "--directory", str(copied)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "results/extra.txt: is not in the manifest",
        "results/tables/T1-corpus.tex: is missing",
        "results/tables/T4-prevalence.csv: is not the file that the manifest lists",
    ]


def test_verify_names_files_that_come_out_otherwise(copied, capsys, monkeypatch):
    """Whoever changes a table and its line of the manifest is found by the recomputation."""

    def recomputed(directory: Path, cores: int) -> None:
        assert not (directory / "corpus" / "texts").exists()
        shutil.copytree(original, directory / "results")

    original = copied.with_name("original")
    shutil.copytree(copied / "results", original)
    monkeypatch.setattr("framing.release.reproduce._run", recomputed)
    assert main(["verify", "--directory", str(copied)]) == 0
    assert "all byte-identical" in capsys.readouterr().out
    edit(copied / "results" / "tables" / "T4-prevalence.csv", "0.", "1.")
    write_text(copied / "results" / "extra.txt", "x")
    (copied / "results" / "tables" / "T1-corpus.tex").unlink()
    listed = manifest(copied / "results").to_csv(sep="\t", index=False, lineterminator="\n")
    write_text(copied / "results" / "manifest.tsv", listed)
    assert main(["verify", "--directory", str(copied)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "results/extra.txt: does not come out when recomputed",
        "results/tables/T1-corpus.tex: comes out when recomputed, but is not in the manifest",
        "results/tables/T4-prevalence.csv: comes out with other bytes when recomputed",
    ]


def test_a_second_run_has_nothing_to_do_though_files_were_touched(copied, run):
    before = contents(copied / "results")
    for path in ("corpus/sources.tsv", "corpus/codebook/codebook.yaml", "config/config.yaml"):
        os.utime(copied / path)
    done = run(copied)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr
    assert contents(copied / "results") == before


def test_committed_results_are_not_taken_for_done(mini: Path, project: Path, run):
    """As in a fresh clone: results are there, build/ and Snakemake's records are not."""
    shutil.copytree(mini / "results", project / "results")
    (project / "results" / "tables" / "T4-prevalence.csv").write_text("stale\n", encoding="utf-8")
    assert planned(run(project, "--dry-run")) >= {
        "check", "facts", "train", "scores", "reliability", "prevalence", "describe",
        "draw_shares", "tables", "report", "provenance", "manifest",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "reruns", "stays"),
    [
        ("confidence: 0.95", "confidence: 0.90", {"prevalence", "tables", "report"},
         {"check", "train"}),
        ("case_study: resident-park-2022", "case_study: ''",
         {"describe", "prevalence", "tables", "report"}, {"check", "train", "evaluate"}),
    ],
)  # fmt: skip
def test_a_changed_setting_reruns_what_depends_on_it_and_nothing_else(
    copied, run, old, new, reruns, stays
):
    edit(copied / "config" / "config.yaml", old, new)
    rules = planned(run(copied, "--dry-run"))
    assert rules >= {*reruns, "provenance", "manifest"}
    assert not rules & stays


def test_every_rule_reruns_when_a_module_changes_that_its_script_imports(root: Path):
    found = []
    for path in sorted((root / "workflow" / "rules").glob("*.smk")):
        for rule in re.split(r"(?m)^ *rule\b", path.read_text(encoding="utf-8"))[1:]:
            (script,) = re.findall(r'"\.\./scripts/(\w+)\.py"', rule)
            of_job = "code=job_code(job)" if script == software.MAKE_TABLES else None
            assert (of_job or f'code=code("{script}"') in rule
            found.append(script)
    assert sorted(found) == sorted(path.stem for path in (root / "workflow/scripts").glob("*.py"))


def test_the_modules_that_a_script_imports_are_found_all_the_way(root: Path, monkeypatch):
    monkeypatch.chdir(root)
    code = (root / "workflow" / "scripts" / "make_tables.py").read_text(encoding="utf-8")
    statements = [node for node in ast.parse(code).body if isinstance(node, ast.ImportFrom)]
    imports = "\n".join(map(ast.unparse, statements))
    builds = jobs.job_functions(results.SPECS, "prevalence")
    imports += "".join(f"\nimport {build.partition(':')[0]}" for build in builds)
    loaded = "print(*[m.__file__ for m in sys.modules.values() if m.__name__[:7] == 'framing'])"
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}\nimport sys\n{loaded}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = {os.path.relpath(path) for path in done.stdout.split()}
    assert modules <= set(software.job_code("prevalence"))
    assert "workflow/framing/report/figures.py" not in software.job_code("prevalence")
    assert "workflow/framing/cli/main.py" not in software.job_code("prevalence")


def test_another_workflow_can_use_the_rules_as_a_module(root: Path, project: Path, warm):
    (project / "Snakefile").write_text(
        'configfile: "config/config.yaml"\n'
        f"module framing:\n    snakefile: {str(root / 'workflow' / 'Snakefile')!r}\n"
        "    config: config\n"
        "use rule * from framing\n"
        "rule mine:\n    default_target: True\n"
        '    input: "results/tables/T4-prevalence.csv"\n',
        encoding="utf-8",
    )
    done = warm.run([sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"], project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"check", "train", "prevalence", "mine"} <= planned(done)
    assert "report" not in planned(done)


def test_two_runs_at_once_are_refused(project: Path, cold_run):
    import fcntl

    (project / "build").mkdir()
    with (project / "build" / ".lock").open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = cold_run(project)
    assert done.returncode != 0
    assert "another run is at work in this directory. Wait" in done.stdout + done.stderr
    assert not (project / "results").exists()


def test_what_a_killed_write_left_behind_is_gone_after_the_next(tmp_path: Path):
    (tmp_path / ".table.csv.part").write_text("hal", encoding="utf-8")
    write_text(tmp_path / "table.csv", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_a_corpus_that_cannot_be_written_to_keeps_its_page(project: Path, monkeypatch):
    monkeypatch.chdir(project)
    assert results.page() == ["corpus/codebook/codebook.md"]
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert results.page() == []


def test_help_leads_through_a_round_of_work(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("check", "derive", "verify", "a usual round", "exit"))


def test_a_folder_that_is_no_project_is_told_so(tmp_path: Path, capsys):
    for command in ("check", "derive", "verify"):
        assert main([command, "--directory", str(tmp_path)]) == 1
        assert "does not exist" in capsys.readouterr().err
