"""``framing cite``: sentence, BibTeX, CSL, key, and one number in words."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import bibtexparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.cli.main import main
from framing.common.files import sha256, write_text
from framing.common.problems import InputError
from framing.release.cite import (
    Author,
    Citation,
    Work,
    csl_text,
    main_column,
    pairs,
    picked,
    read_work,
    year_of,
)
from framing.release.read_release import Grid
from framing.tables.keys import key_of, parse_key, table_named
from tests.unit.words_read import load_specs

SPECS = load_specs()
T4 = SPECS.tables["T4-prevalence"]
CSV = "results/tables/T4-prevalence.csv"
OWN = """\
cff-version: 1.2.0
message: Cite it.
title: Letters on a tram
authors:
  - {family-names: Lovelace, given-names: Ada}
  - {name: "Institute of Trams & Buses"}
version: "2.1"
date-released: 2024-05-06
doi: 10.1234/tram
"""

Cite = Callable[..., int]


def citation(**changes) -> Citation:
    given = {
        "table": "T4", "title": "How often", "key": "T4-0123456789ab", "project": "A tram",
        "work": Work("Letters", (Author("Lovelace", "Ada"),)), "software": "framing 0.1.0",
        "year": "2024",
    }  # fmt: skip
    return Citation(**{**given, **changes})


@pytest.fixture
def project(mini: Path, tmp_path: Path) -> Path:
    """The example with its tables and manifest, and a CITATION.cff of its own."""
    target = tmp_path / "project"
    for part in ("config", "corpus/codebook", "results/tables"):
        shutil.copytree(mini / part, target / part)
    shutil.copy(mini / "results" / "manifest.tsv", target / "results")
    write_text(target / "CITATION.cff", OWN)
    return target


@pytest.fixture
def cite(project: Path, monkeypatch: pytest.MonkeyPatch) -> Cite:
    monkeypatch.chdir(project)  # main changes the directory: back again afterwards
    return lambda *arguments: main(["cite", *arguments])


def key(project: Path) -> str:
    return f"T4-{sha256((project / CSV).read_bytes())[:12]}"


# --- tables and keys ------------------------------------------------------------------------------


def test_a_key_is_made_of_number_and_digest_and_read_back():
    made = key_of("T4-prevalence", "a\n")
    assert made == f"T4-{sha256('a' + chr(10))[:12]}"
    assert key_of("T4-prevalence", b"a\n") == made != key_of("T4-prevalence", "b\n")
    assert parse_key(f" {made}\n") == ("T4", made[3:])


@pytest.mark.parametrize("text", ["", "T4", "T4-012345", "T4-0123456789aX", "4-0123456789ab"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(InputError, match="no key"):
        parse_key(text)


@pytest.mark.parametrize("name", ["T4", "t4", "T4-prevalence", "t4-PREVALENCE"])
def test_a_table_has_a_number_and_an_id(name):
    assert table_named(name, ["T14-learning", "T4-prevalence"]) == "T4-prevalence"


def test_an_unknown_table_is_answered_with_those_there_are():
    with pytest.raises(InputError, match=r"'T1'.*Tables: T4-a, T14-learning"):
        table_named("T1", ["T14-learning", "T4-a"])


# --- the work -------------------------------------------------------------------------------------


def test_a_work_is_read_from_its_citation_file(tmp_path):
    write_text(tmp_path / "CITATION.cff", OWN)
    work = read_work(tmp_path / "CITATION.cff")
    assert work.authors == (Author("Lovelace", "Ada"), Author("Institute of Trams & Buses"))
    assert (work.title, work.version, work.released) == ("Letters on a tram", "2.1", "2024-05-06")
    assert year_of(work) == "2024"


def test_the_citation_file_of_framing_itself_is_complete(root):
    work = read_work(root / "CITATION.cff")
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", work.released)
    assert f'version = "{work.version}"' in (root / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: A\n", "no authors"),
        ("title: A\nauthors: []\n", "no authors"),
        ("title: A\nauthors: [{affiliation: B}]\n", "without a name"),
        ("title: A\nauthors: [Ada]\n", "without a name"),
        ("authors: [{name: B}]\n", "no title"),
        ("- a\n", "no title"),
        ("title: A\nauthors: [{name: B}]\ndate-released: soon\n", "date-released"),
    ],
)
def test_a_citation_file_that_lacks_something_is_told_so(tmp_path, text, said):
    write_text(tmp_path / "CITATION.cff", text)
    with pytest.raises(InputError, match=said):
        read_work(tmp_path / "CITATION.cff")


# --- forms ----------------------------------------------------------------------------------------


def test_the_sentence_has_all_a_reader_needs():
    names = (Author("Lovelace", "Ada"), Author("Hopper", "Grace"), Author("The Institute"))
    work = Work("Letters", names, version="2.1", doi="10.1/x")
    assert citation(work=work).text() == (
        "Ada Lovelace, Grace Hopper and The Institute (2024): “How often” (table T4). In: A tram. "
        "Letters, version 2.1. Made with framing 0.1.0. Key: T4-0123456789ab. https://doi.org/10.1/x"
    )


def test_without_a_year_none_is_said_and_a_title_is_not_said_twice():
    one = citation(year="", work=Work("A tram", (Author("Ada"),)))
    assert one.text().startswith("Ada: “How often” (table T4). In: A tram. Made with")
    assert "year" not in one.bibtex()
    assert "issued" not in one.csl()


@given(st.text(max_size=40), st.text(max_size=20).filter(str.strip))
def test_bibtex_is_read_by_a_parser_whatever_titles_hold(title, name):
    entry = citation(title=title, work=Work(title, (Author(name, "Ada, B. and C"),))).bibtex()
    library = bibtexparser.parse_string(entry)
    assert not library.failed_blocks
    (found,) = library.entries
    assert (found.entry_type, found.key) == ("misc", "T4-0123456789ab")
    assert found.fields_dict["year"].value == "2024"
    assert "key T4-0123456789ab" in found.fields_dict["note"].value


def test_bibtex_shows_what_titles_hold():
    entry = citation(title=r"50 % & \input{x} “é”", work=Work("A", (Author("B and C"),))).bibtex()
    assert r"50 \% \& \textbackslash{}input\{x\}" in entry
    assert "author       = {{B and C}}" in entry
    assert citation(work=Work("A", (Author("C", "D and E"),))).bibtex().count("{D and E}") == 1


def test_an_address_that_would_break_bibtex_is_left_out():
    entry = citation(work=Work("A", (Author("B"),), doi="10.1/a}b")).bibtex()
    assert "doi" not in entry and "url" not in entry


def test_csl_has_names_date_and_key():
    work = Work(
        "L", (Author("Lovelace", "Ada"), Author("Inst")), released="2024-05-06", doi="10.1/x"
    )
    (item,) = json.loads(csl_text([citation(work=work)]))
    assert item["author"] == [{"family": "Lovelace", "given": "Ada"}, {"literal": "Inst"}]
    assert item["issued"] == {"date-parts": [[2024, 5, 6]]}
    assert (item["id"], item["type"], item["DOI"]) == ("T4-0123456789ab", "dataset", "10.1/x")
    # A year that somebody gave has no month and day.
    (item,) = json.loads(csl_text([citation(work=work, year="2025")]))
    assert item["issued"] == {"date-parts": [[2025]]}


# --- one number -----------------------------------------------------------------------------------

GRID = Grid(
    tuple(T4.columns),
    tuple(
        ("cost", group, estimator, "texts", "40", "20", "9", "8", "0.200000", *[""] * 6)
        for group in ("a, b", "c=d")
        for estimator in ("difference", "labels only")
    ),
)


def test_pairs_may_hold_commas_and_equals_signs():
    assert pairs(["group=a, b,estimator=difference"], GRID.columns) == {
        "group": "a, b", "estimator": "difference",
    }  # fmt: skip
    assert pairs(["group=c=d", "code=cost, "], GRID.columns) == {"group": "c=d", "code": "cost,"}


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["colour=red"], "no column 'colour'"),
        (["code"], "cannot be asked for 'code'"),
        (["code=a,code=b"], "two values for 'code'"),
    ],
)
def test_pairs_that_are_none_are_told(texts, said):
    with pytest.raises(InputError, match=said):
        pairs(texts, GRID.columns)


def test_one_row_is_picked_by_texts_or_equal_numbers():
    row = picked(GRID, {"group": "a, b", "estimator": "difference", "passages": "40.0"}, T4)
    assert (row["group"], row["estimator"]) == ("a, b", "difference")


def test_several_rows_are_told_apart_by_what_differs_among_them():
    with pytest.raises(InputError) as error:
        picked(GRID, {"group": "a, b"}, T4)
    assert str(error.value).endswith("Say which: estimator (difference, labels only).")
    assert "2 rows" in str(error.value)


def test_no_row_is_answered_with_the_values_left():
    with pytest.raises(InputError) as error:
        picked(GRID, {"group": "a, b", "estimator": "none"}, T4)
    assert "has no row with estimator=none among those with group=a, b" in str(error.value)
    assert "Values of estimator: difference, labels only." in str(error.value)


def test_a_table_is_about_what_it_prints_with_an_interval():
    found = {name.partition("-")[0]: main_column(spec) for name, spec in SPECS.tables.items()}
    assert (found["T2"], found["T4"], found["T6"]) == ("alpha", "estimate", "difference")
    assert found["T9"] == "agreeing"  # the range beside its median is no interval
    assert found["T1"] == "group"


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_all_forms_are_printed_together_and_each_alone(project, cite, capsys):
    assert cite("T4") == 0
    whole = capsys.readouterr().out
    parts = {}
    for form in ("text", "bibtex", "key"):
        assert cite("T4-prevalence", "--format", form) == 0
        parts[form] = capsys.readouterr().out
        assert parts[form] in whole
    assert parts["key"] == f"{key(project)}\n"
    assert "Ada Lovelace and Institute of Trams & Buses (2024)" in parts["text"]
    assert "A tram for Ardenport" in parts["text"] and key(project) in parts["text"]
    assert cite("T4", "--format", "csl") == 0
    assert json.loads(capsys.readouterr().out)[0]["id"] == key(project)


def test_several_tables_have_an_entry_each_and_none_twice(cite, capsys):
    assert cite("T4", "T6", "t4", "--format", "key") == 0
    keys = capsys.readouterr().out.split()
    assert [one.partition("-")[0] for one in keys] == ["T4", "T6"]


@pytest.mark.slow
def test_a_year_is_that_of_the_citation_file_or_said_and_never_today(project, cite, capsys):
    without = OWN.replace("date-released: 2024-05-06\n", "")
    write_text(project / "CITATION.cff", without)
    cite("T4", "--format", "bibtex")
    assert "year" not in capsys.readouterr().out
    cite("T4", "--format", "bibtex", "--year", "2019")
    assert "year         = {2019}" in capsys.readouterr().out


def test_without_a_citation_file_that_of_framing_counts_and_it_is_said(project, cite, capsys):
    (project / "CITATION.cff").unlink()
    assert cite("T4", "--format", "text") == 0
    said = capsys.readouterr()
    assert "The framing project" in said.out
    assert "no CITATION.cff" in said.err


def test_a_table_that_is_not_sealed_is_not_cited(project, cite, capsys):
    with (project / CSV).open("a") as file:
        file.write("x\n")
    assert cite("T4") == 1
    assert "is not the table that results/manifest.tsv lists" in capsys.readouterr().err


@pytest.mark.slow
def test_a_number_is_printed_with_its_interval_row_and_key(project, cite, capsys):
    cell = "code=cost,group=council,estimator=labels only,target=texts"
    assert cite("T4", "--cell", cell) == 0
    said = capsys.readouterr().out
    lines = (project / CSV).read_text("utf-8").splitlines()
    row = dict(zip(lines[0].split(","), next(
        line.split(",") for line in lines if line.startswith("cost,council,labels only,texts")
    ), strict=True))  # fmt: skip
    value, low, high = (f"{100 * float(row[n]):.0f}" for n in ("estimate", "ci_low", "ci_high"))
    assert f": {value}\u00a0% [{low}, {high}] (code Cost, group Council" in said
    assert said.endswith(f"95 % interval; T4, key {key(project)}).\n")


@pytest.mark.slow
def test_another_column_can_be_asked_for(cite, capsys):
    cell = "code=cost,group=council,estimator=labels only,target=texts"
    assert cite("T4", "--cell", cell, "--column", "coded") == 0
    said = capsys.readouterr().out
    assert "Number of passages drawn for coding in the cell: 19 (" in said
    assert "interval" not in said
    assert cite("T4", "--cell", cell, "--column", "colour") == 1
    assert "Columns: code, group" in capsys.readouterr().err


@pytest.mark.slow
def test_a_difference_of_shares_is_in_points(project, cite, capsys):
    lines = (project / "results/tables/T6-contrasts.csv").read_text("utf-8").splitlines()
    contrast = lines[1].split(",")[0]
    cell = f"contrast={contrast},estimator=difference,target=texts"
    assert cite("T6", "--cell", cell) == 1
    assert "basis (raw, period held)" in capsys.readouterr().err
    assert cite("T6", "--cell", f"{cell},basis=raw") == 0
    assert "percentage points [" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["T4", "T6", "--cell", "code=cost"], "one number of one table"),
        (["T4", "--cell", "code=cost", "--format", "bibtex"], "--format"),
        (["T4", "--column", "estimate"], "without --cell"),
        (["T4", "--year", "24"], "four digits"),
        (["T4", "--cell", "code=cost"], "Say which: "),
        (["T99"], "no table of these results"),
    ],
)
def test_what_cannot_be_done_is_said(cite, capsys, arguments, said):
    assert cite(*arguments) == 1
    assert said in capsys.readouterr().err
