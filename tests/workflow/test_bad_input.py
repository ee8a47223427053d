"""Each bad input stops the run before any result is touched, with file, row and remedy."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from framing.cli import main

from .conftest import contents, edit, rows, write_rows

pytestmark = pytest.mark.slow


def first_coding(project: Path) -> Path:
    return sorted((project / "corpus" / "codings").glob("*.tsv"))[0]


def spoil(project: Path, what: str) -> str:
    """Break one thing in the project; return what the message must say."""
    corpus = project / "corpus"
    if what == "a code that is not 0 or 1":
        path = first_coding(project)
        table = rows(path)
        table[4][2] = "3"
        write_rows(path, table)
        return f"corpus/codings/{path.name}, line 5"
    if what == "a duplicate passage":
        table = rows(corpus / "passages.tsv")
        write_rows(corpus / "passages.tsv", [*table, table[3]])
        return f"corpus/passages.tsv, line {len(table) + 1}: repeats the passage_id"
    if what == "an unknown source":
        table = rows(corpus / "passages.tsv")
        table[2][1] = "nowhere"
        write_rows(corpus / "passages.tsv", table)
        return "corpus/passages.tsv, line 3"
    if what == "a probability above 1":
        table = rows(corpus / "sample.tsv")
        table[1][4] = "1.2"
        write_rows(corpus / "sample.tsv", table)
        return "corpus/sample.tsv, line 2"
    if what == "a byte order mark":
        path = corpus / "sources.tsv"
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        return "corpus/sources.tsv, line 1: starts with a byte order mark"
    if what == "another text":
        path = sorted((corpus / "texts").glob("*.txt"))[0]
        path.write_text(path.read_text(encoding="utf-8") + "More.\n", encoding="utf-8")
        return f"corpus/texts/{path.name}: has the digest"
    if what == "a changed fact":
        path = sorted((corpus / "derived").glob("*.json"))[0]
        edit(path, '"counts": {', '"counts": {"aaa": 9, ')
        return f"differs from the text of source {path.stem}: passage"
    if what == "a broken pattern":
        edit(corpus / "codebook" / "codebook.yaml", "      - too much money", "      - '(unclosed'")
        return "corpus/codebook/codebook.yaml: cue"
    if what == "a misspelt setting":
        edit(project / "config" / "config.yaml", "inner_folds:", "inner_fold:")
        return "Did you mean 'inner_folds'?"
    if what == "no sample":
        (corpus / "sample.tsv").unlink()
        return "corpus/sample.tsv: does not exist"
    raise AssertionError(what)


CASES = (
    "a code that is not 0 or 1", "a duplicate passage", "an unknown source",
    "a probability above 1", "a byte order mark", "another text", "a changed fact",
    "a broken pattern", "a misspelt setting", "no sample",
)  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_bad_input_is_named_and_results_stay(mini, project, run, what):
    shutil.copytree(mini / "results", project / "results")
    said = spoil(project, what)
    done = run(project)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert contents(project / "results") == contents(mini / "results")


def test_check_says_the_same_and_says_it_all_at_once(project, capsys):
    said = [spoil(project, what) for what in ("a duplicate passage", "a broken pattern")]
    assert main(["check", "--directory", str(project)]) == 1
    errors = capsys.readouterr().err
    assert all(each in errors for each in said)


def test_a_changed_cue_names_the_sources_whose_text_is_absent(project, capsys):
    texts = sorted((project / "corpus" / "texts").glob("*.txt"))
    texts[0].unlink()
    path = project / "corpus" / "codebook" / "codebook.yaml"
    text = path.read_text(encoding="utf-8")
    at = text.index("  - name:", text.index("\ncues:"))
    cue = (
        "  - name: quite-new\n    description: A cue nobody has seen.\n"
        f"    for: [{next(iter(codes(text)))}]\n    pattern: 'quite new'\n"
    )
    path.write_text(text[:at] + cue + text[at:], encoding="utf-8")
    assert main(["check", "--directory", str(project)]) == 1
    error = capsys.readouterr().err
    assert "cue 'quite-new' changed, or were added" in error
    assert f"absent: {texts[0].stem}" in error
    assert "framing derive" in error


def codes(text: str) -> list[str]:
    import yaml

    return list(yaml.safe_load(text)["codes"])


def test_derive_brings_facts_up_to_date_and_leaves_frozen_passages(project, capsys):
    before = (project / "corpus" / "passages.tsv").read_bytes()
    facts = contents(project / "corpus" / "derived")
    for path in (project / "corpus" / "derived").glob("*.json"):
        path.unlink()
    assert main(["derive", "--directory", str(project)]) == 0
    assert contents(project / "corpus" / "derived") == facts
    assert (project / "corpus" / "passages.tsv").read_bytes() == before
    assert main(["check", "--directory", str(project)]) == 0


def test_derive_cuts_texts_without_passages_as_they_were_cut_before(project):
    """The example's passages are paragraphs: freeing one source's must give them back."""
    path = project / "corpus" / "passages.tsv"
    table = rows(path)
    chosen = table[1][1]
    freed = [row for row in table if row[1] == chosen]
    write_rows(path, [row for row in table if row[1] != chosen])
    assert main(["derive", "--directory", str(project)]) == 0
    assert [row for row in rows(path) if row[1] == chosen] == freed


@pytest.fixture
def odd(project):
    """Make one coder only, a code that nobody found, and a group and a period without sources."""
    coders = project / "corpus" / "coders.tsv"
    table = rows(coders)
    write_rows(coders, table[:2])
    for path in (project / "corpus" / "codings").glob("*.tsv"):
        if path.stem != table[1][0]:
            path.unlink()
    path = project / "corpus" / "codings" / f"{table[1][0]}.tsv"
    codings = rows(path)
    for row in codings[1:]:
        row[2] = "0"
    write_rows(path, codings)
    config = project / "config" / "config.yaml"
    edit(config, "groups:\n", "groups:\n  nobody: Nobody at all\n")
    edit(config, "periods:\n", "periods:\n  - {id: long-ago, first: 1500, last: 1599}\n")
    return project


def test_empty_cells_are_marked_and_nothing_crashes(odd, run):
    import pandas as pd

    done = run(odd)
    assert done.returncode == 0, done.stdout + done.stderr
    tables = odd / "results" / "tables"

    def read(name):
        return pd.read_csv(tables / f"{name}.csv", keep_default_na=False, dtype=str)

    prevalence = read("T4-prevalence")
    empty = prevalence[prevalence["group"] == "nobody"]
    assert len(empty)
    assert (empty["status"] != "").all()
    assert (empty["estimate"] == "").all()
    trend = read("T5-trend")
    assert (trend.loc[trend["period"] == "long-ago", "status"] != "").all()
    agreement = read("T2-agreement")
    among = agreement[agreement["comparison"].isin(["all coders", "pair of coders"])]
    assert (among["alpha"] == "").all()
    assert (among["status"] != "").all()
    code = rows(odd / "corpus" / "codings" / f"{rows(odd / 'corpus' / 'coders.tsv')[1][0]}.tsv")[0][
        2
    ]
    quality = read("T3-classifier")
    own = quality[quality["code"] == code]
    assert (own["average_precision"] == "").all()
    assert (own["status"] != "").all()
    labels = prevalence[(prevalence["code"] == code) & (prevalence["estimator"] == "labels only")
                        & (prevalence["group"] == "all")]  # fmt: skip
    assert (labels["estimate"].astype(float) == 0).all()
    assert (labels["ci_high"].astype(float) > 0).all()
    for path in tables.glob("*.csv"):
        assert not re.search(r"(?mi)(^|,)nan(,|$)", path.read_text(encoding="utf-8"))
