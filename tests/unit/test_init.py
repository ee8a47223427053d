"""A new project: what `framing init` makes and refuses; how far a project has come; sheets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from framing.acquire.edit_corpus import renewed
from framing.cli import init
from framing.cli import main as cli
from framing.codebook.codebook import load_codebook
from framing.common.config import load_config
from framing.common.files import sha256, write_table
from framing.common.paths import CODERS, CODINGS, CONFIG, PASSAGES, SAMPLE, SOURCES
from framing.common.problems import InputError
from framing.corpus.facts import exemplar_facts
from framing.project.load import load_started
from framing.project.lock import commit
from framing.project.status import (
    Stage,
    blank_sheet,
    first_steps,
    is_begun,
    next_steps,
    reading_list,
    stage_of,
    text_reader,
)

HEADERS = {
    SOURCES: init.SOURCE_COLUMNS, PASSAGES: init.PASSAGE_COLUMNS, SAMPLE: init.SAMPLE_COLUMNS,
    CODERS: init.CODER_COLUMNS,
}  # fmt: skip
TEXT = (
    "The night shift ends at five, and from five on the crane is oiled and tested, so that whoever "
    "lives behind the yard has to get up.\n\n"
    "| Of the two chimneys one is to be taken down in autumn, and its *bricks* will be sold to "
    "those who ask first.\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, of which tests have copies."""
    folder = tmp_path_factory.mktemp("started") / "new"
    init.start(folder, "New", "Which?", {})
    return folder


@pytest.fixture
def project(started: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(started, here / "new")
    monkeypatch.chdir(here / "new")
    return here / "new"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = cli.main(["init", *arguments])
    told = capsys.readouterr()
    return status, told.out + told.err


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


# --- what is made ---------------------------------------------------------------------------------


def test_a_new_project_has_empty_tables_a_codebook_and_settings_of_its_own(here, capsys):
    title, question = "Noise: «who» minds?", 'Who says "quiet", and to whom: #1?'
    status, out = said(
        capsys, "deep/new", "--title", title, "--question", question,
        "--groups", "first=Letters: a, second=The other = side", "--groups", "third=Third",
    )  # fmt: skip
    assert status == 0
    assert "framing add FILE --directory deep/new" in out
    new = here / "deep" / "new"
    config = load_config(new / CONFIG)
    assert config["project"]["title"] == title and config["project"]["question"] == question
    assert list(config["groups"].items()) == [
        ("first", "Letters: a"), ("second", "The other = side"), ("third", "Third"),
    ]  # fmt: skip
    for path, columns in HEADERS.items():
        assert (new / path).read_text(encoding="utf-8") == "\t".join(columns) + "\n"
    codebook = load_codebook(new / "corpus/codebook/codebook.yaml")
    assert len(codebook.codes) == 1 and codebook.cues
    assert title in (new / "README.md").read_text(encoding="utf-8")
    assert not list(here.glob("deep/.*"))


def test_without_options_there_are_two_groups_and_the_title_is_that_of_the_directory(here, capsys):
    assert said(capsys, "tram")[0] == 0
    config = load_config(here / "tram" / CONFIG)
    assert config["project"]["title"] == "tram"
    assert config["groups"] == init.GROUPS
    assert "hold the place of your own" in (here / "tram" / CONFIG).read_text(encoding="utf-8")


def test_git_leaves_texts_and_what_a_run_makes_out(project: Path):
    subprocess.run(["git", "init", "-q"], check=True)
    for name in ("corpus/texts/a.txt", "build/x", "corpus/.pending/0"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("prose", encoding="utf-8")
    done = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], check=True, capture_output=True, text=True
    )
    listed = {line[3:] for line in done.stdout.splitlines()}
    assert {"corpus/sources.tsv", "corpus/texts/.gitignore", "corpus/derived/.gitkeep"} <= listed
    assert not {name for name in listed if name.endswith((".txt", "/x", "/0"))}


def test_the_example_code_is_hit_by_its_cues_where_it_should_be():
    codebook = load_codebook(init.TEMPLATES / "codebook.yaml")
    exemplars, facts = exemplar_facts(codebook)
    hit = {one["passage_id"] for one in facts["passages"] if one["hits"]}
    carrying, near = (set(exemplars["passage_id"][exemplars["label"] == n]) for n in (1, 0))
    assert near and hit and hit < carrying


def test_a_directory_that_is_there_keeps_what_it_holds(here, capsys):
    (here / "clone" / ".git").mkdir(parents=True)
    (here / "clone" / "LICENSE").write_text("mine", encoding="utf-8")
    inode = (here / "clone").stat().st_ino
    os.chdir("clone")
    assert said(capsys, ".")[0] == 0
    assert (here / "clone").stat().st_ino == inode
    assert (here / "clone" / "LICENSE").read_text(encoding="utf-8") == "mine"
    assert load_config(CONFIG)["project"]["title"] == "clone"
    init.start(here / "other", "clone", init._QUESTION, {})
    ours = files(here / "clone")
    del ours["LICENSE"]
    assert ours == files(here / "other")


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "problem"),
    [
        ("config/other.yaml", "/config: is there already: this may be a project"),
        ("corpus/texts/a.txt", "/corpus: is there already: this may be a project"),
        ("config", "/config: is there already: this may be a project"),
        ("README.md", "/README.md: is there already. Move it away"),
        (".", "is no directory"),
    ],
)
def test_a_directory_with_something_in_the_way_is_refused(here, capsys, there, problem):
    path = here / "new" / there
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("kept", encoding="utf-8")
    before = files(here)
    status, out = said(capsys, "new")
    assert status == 1 and problem in out
    assert files(here) == before


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--groups", "a"], "--groups: has 'a' where ID=LABEL should be"),
        (["--groups", "a=A,b="], "--groups: has 'b' where"),
        (["--groups", "a=A,", ], "--groups: has '' where"),
        (["--groups", "a=A", "--groups", "b=B,a=C"], "--groups: names the group 'a' twice"),
        (["--groups", "a b=A"], "groups: 'a b' does not match"),
        (["--groups", "all=All"], "the id 'all' is kept for totals"),
        (["--title", ""], "project.title"),
        (["--title", "one\ntwo"], "project.title: is not one line of text"),
        (["--question", "bell \x07"], "project.question: holds the character '\\x07'"),
    ],
)  # fmt: skip
def test_what_no_configuration_can_hold_is_refused(here, capsys, options, problem):
    status, out = said(capsys, "new", *options)
    assert status == 1 and problem in out
    assert not list(here.iterdir())


def test_what_cannot_be_written_leaves_nothing(here, monkeypatch):
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(InputError, match="No space left"):
        init.start(here / "new", "New", "Which?", {})
    assert not list(here.iterdir())


_KILLED = """\
import os, sys
from pathlib import Path
from framing.cli import init
real, left = os.{call}, [{after}]
def dying(*arguments, **more):
    left[0] -= 1
    if left[0] < 0:
        os._exit(9)
    return real(*arguments, **more)
os.{call} = dying
init.start(Path("new"), "New", "Which?", {{}})
"""


@pytest.mark.slow
@pytest.mark.parametrize("call", ["mkdir", "rename", "replace", "fsync"])
@pytest.mark.parametrize("exists", [False, True])
def test_a_kill_leaves_nothing_half_made(here, call, exists):
    """Killed at any of several points, the next try makes the whole project, or it is there."""
    if exists:
        (here / "new").mkdir()
    script = _KILLED.format(call=call, after=2 if call != "rename" else 0)
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    if killed.returncode == 0:  # this way of starting makes no such call
        assert (exists, call) in {(False, "replace"), (False, "fsync"), (True, "rename")}
    elif not exists:
        assert not (here / "new").exists()
    try:
        init.start(here / "new", "New", "Which?", {})
    except InputError as error:
        assert "this may be a project" in str(error)
    init.start(here / "whole", "New", "Which?", {})
    assert files(here / "new") == files(here / "whole")
    assert not list(here.glob(".new*")) and not (here / "new" / "corpus" / ".pending").exists()


# --- how far a project has come -------------------------------------------------------------------


@pytest.mark.parametrize("filled", list(product([False, True], repeat=4)))
def test_a_stage_is_a_beginning_only_where_nothing_later_is_filled(project, filled):
    paths = [SOURCES, PASSAGES, SAMPLE, CODINGS / "x.tsv"]
    for path, rows in zip(paths, filled, strict=True):
        path.write_text("column\n" + ("row\n" if rows else ""), encoding="utf-8")
    beginnings = {
        (False,) * 4: Stage.NO_TEXTS,
        (True, True, False, False): Stage.NO_SAMPLE,
        (True, True, True, False): Stage.NO_CODINGS,
    }
    assert stage_of() == beginnings.get(filled, Stage.CODED)


def test_a_draw_without_a_sample_is_no_beginning(project):
    (project / "corpus" / "draws" / "1").mkdir(parents=True)
    assert stage_of() == Stage.CODED


@pytest.fixture
def texts(project: Path) -> Path:
    """Make a project with two sources, the text of one of which is not at hand."""
    rows = []
    for name, group in (("yard", "a"), ("gone", "b")):
        (project / "corpus" / "texts" / f"{name}.txt").write_text(TEXT, encoding="utf-8")
        about = {"source_id": name, "title": "A title", "speaker": "Ada", "group": group,
                 "date": "2014-05", "date_precision": "month", "url": "https://example.org/x",
                 "words": str(len(TEXT.split())), "sha256": sha256(TEXT)}  # fmt: skip
        rows.append({column: about.get(column, "") for column in init.SOURCE_COLUMNS})
    write_table(SOURCES, pd.DataFrame(rows))
    commit(renewed(load_config(CONFIG)).changes.writes)
    (project / "corpus" / "texts" / "gone.txt").unlink()
    return project


def draw_all(project: Path) -> list[str]:
    ids = pd.read_csv(PASSAGES, sep="\t", dtype=str)["passage_id"]
    rows = [(name, "s", len(ids), len(ids), "1.000000") for name in reversed(list(ids))]
    write_table(SAMPLE, pd.DataFrame(rows, columns=list(init.SAMPLE_COLUMNS)))
    return [row[0] for row in rows]


def test_the_page_counts_sources_passages_and_hits_by_group(texts):
    found, facts = load_started(load_config(CONFIG))
    page = first_steps(found, facts, stage_of())
    assert "2 sources, 4 passages, 0 drawn" in page
    assert "| Group A | dated  |       1 |        2 |" in page
    assert "| noise-disturbs |       0 |       0 |   0 |" in page
    assert "| (passages)     |       2 |       2 |   4 |" in page
    assert "framing sample --size 4 --strata group --seed SEED" in page
    assert "crane" not in page, "no prose"


@pytest.mark.slow
def test_a_first_draw_is_for_development_unless_it_is_said_otherwise(texts):
    found, facts = load_started(load_config(CONFIG))
    page = first_steps(found, facts, stage_of())
    assert "--seed SEED --role development" in page
    assert "`framing freeze`, then `framing sample --supplement --role confirmation`" in page
    draw = ["sample", "--size", "4", "--strata", "group", "--seed", "7", "--role", "confirmation"]
    assert cli.main(draw) == 0
    found, facts = load_started(load_config(CONFIG))
    steps = next_steps(found, stage_of())
    assert "The draw is for confirmation" in steps[0] and "framing freeze" in steps[0]
    assert cli.main(["freeze"]) == 0
    found, facts = load_started(load_config(CONFIG))
    assert "Say who codes" in next_steps(found, stage_of())[0]


def test_a_group_without_texts_is_shown_and_labels_do_not_break_tables(texts):
    config = load_config(CONFIG)
    config["groups"] = {"a": "A | B", "b": "Second", "c": "None yet"}
    found, facts = load_started(config)
    page = first_steps(found, facts, stage_of())
    assert "| None yet |        |       0 |        0 |" in page
    assert r"| A \| B" in page


def test_sheets_have_a_row_a_drawn_passage_and_are_not_overwritten_once_begun(texts):
    drawn = draw_all(texts)
    CODERS.write_text(CODERS.read_text("utf-8") + "ann\thuman\t0.1\tx\n", encoding="utf-8")
    found, _ = load_started(load_config(CONFIG))
    sheet = blank_sheet(found, "ann")
    assert list(sheet.columns) == ["passage_id", "coder", "quiet", "unsure"]
    assert list(sheet["passage_id"]) == drawn and set(sheet["quiet"]) == {""}
    path = texts / "sheet.tsv"
    assert not is_begun(path, found.codebook)
    write_table(path, sheet)
    assert not is_begun(path, found.codebook)
    write_table(path, sheet.assign(quiet=["", "0", "", ""]))
    assert is_begun(path, found.codebook)
    path.write_bytes(b"passage_id\r\nx\r\n")  # saved by a spreadsheet: somebody was at it
    assert is_begun(path, found.codebook)
    steps = "\n".join(next_steps(found, stage_of()))
    assert "cp build/to-code/ann.tsv corpus/codings/ann.tsv" in steps


def test_passages_to_be_coded_are_shown_with_their_prose_where_it_is_at_hand(texts):
    drawn = draw_all(texts)
    config = load_config(CONFIG)
    found, _ = load_started(config)
    page = reading_list(found, text_reader(config, found))
    assert [page.index(name) for name in drawn] == sorted(page.index(name) for name in drawn)
    assert "> The night shift ends at five" in page and "Ada, 2014-05" in page
    assert page.count("The text of gone is not at hand") == 2
    assert "A title" not in page and "Group" not in page


def test_a_broken_table_of_a_new_project_is_still_an_error(texts, capsys):
    lines = SOURCES.read_text("utf-8").replace("\tb\t", "\tnobody\t")
    SOURCES.write_text(lines, encoding="utf-8")
    assert cli.main(["check"]) == 1
    assert "has the unknown group 'nobody'" in capsys.readouterr().err


@pytest.mark.parametrize("path", [SOURCES, PASSAGES, SAMPLE, CODERS, CONFIG])
def test_a_missing_or_headless_table_of_a_new_project_is_an_error(project, capsys, path):
    (project / path).write_text("", encoding="utf-8")
    assert cli.main(["check"]) == 1
    assert str(path) in capsys.readouterr().err
    (project / path).unlink()
    assert cli.main(["check"]) == 1
    assert f"{path}: does not exist" in capsys.readouterr().err
