"""LaTeX tables, compiled: those that are committed, and some whose words are meant to do harm."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from framing.report.render import latex_text
from framing.tables.captions import edition
from tests.unit.output_samples import CODES, GROUPS, context, tables
from tests.unit.words_read import load_specs

PACKAGES = ("booktabs", "longtable")


def lacking() -> str:
    """What is missing to compile a table, or nothing."""
    if shutil.which("pdflatex") is None:
        return "pdflatex is not installed"
    for name in PACKAGES:
        found = subprocess.run(["kpsewhich", f"{name}.sty"], capture_output=True, check=False)
        if found.returncode != 0:
            return f"the LaTeX package {name} is not installed"
    return ""


MISSING = lacking()
pytestmark = [
    pytest.mark.latex,
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=MISSING or "complete"),
]


def compiled(folder: Path, names: Sequence[str], runs: int = 1) -> str:
    """Compile a document with the tables of these files in a folder; return LaTeX's log."""
    tables_ = "\n".join(f"\\input{{{name}}}\\clearpage" for name in names)
    document = (
        f"\\documentclass{{article}}\n\\usepackage{{{','.join(PACKAGES)}}}\n"
        f"\\begin{{document}}\n{tables_}\n\\end{{document}}\n"
    )
    (folder / "all.tex").write_text(document, encoding="utf-8")
    for _ in range(runs):
        done = subprocess.run(
            ["pdflatex", "-halt-on-error", "-no-shell-escape", "-recorder",
             "-interaction=nonstopmode", "all.tex"],
            cwd=folder, capture_output=True, check=False,
        )  # fmt: skip
        log = done.stdout.decode("utf-8", "replace")
        assert done.returncode == 0, log[-3000:]
    return log


@pytest.mark.parametrize("project", ["", "examples/mini"])
def test_the_committed_tables_compile_as_they_are_and_fit_their_line(root, tmp_path, project):
    files = sorted((root / project / "results" / "tables").glob("*.tex"))
    assert files
    for path in files:
        shutil.copy(path, tmp_path)
    log = compiled(tmp_path, [path.name for path in files], runs=3)  # longtable settles widths
    assert not re.findall(r"Overfull \\hbox.*|Float too large.*|undefined references", log)


HOSTILE = [
    r"\input{/etc/hostname} \write18{echo} \end{document}",
    r"& % # _ ^ ~ $ { } \ $x^2$ \\ -- ,, `` '' [y] {z",
    "\u200e\u202ereversed\u202c \u2067isolate\u2069 \x07bell\tand\nlines",
    "<script>alert(1)</script> =cmd|'/C calc'!A0 @SUM(A1)",
    "x" * 10_000,
    "é ł “q” – — × ≤ α … ß «»",
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_titles_and_cells_are_shown_and_nothing_else(tmp_path, hostile):
    words = edition(
        load_specs(),
        context(
            title=hostile,
            groups={**GROUPS, "press": hostile},
            codes={**CODES, "cost": hostile},
            contrasts={"c0": hostile},
            case_study={"source_id": "x", "title": hostile},
        ),
    )
    named = tables(passages=4)
    for name, frame in named.items():
        changed = frame.assign(status=hostile)
        for column in {"thesis", "cues", "cue", "reading"} & set(frame):
            changed[column] = hostile
        text = latex_text(changed, words.specs.tables[name], words)
        (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
    compiled(tmp_path, [f"{name}.tex" for name in named])
    files = [line.split(maxsplit=1) for line in (tmp_path / "all.fls").read_text().splitlines()]
    read = {name for kind, name in files if kind == "INPUT"}
    assert {f"{name}.tex" for name in named} <= read  # none of them ended the document
    assert "/etc/hostname" not in read
    assert (tmp_path / "all.pdf").stat().st_size > 10_000
