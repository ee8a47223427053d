"""Sources join, leave and are renamed: through the command, on a copy of the example project."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from framing.acquire.source import Ids, id_from, id_problem
from framing.cli import add
from framing.cli import main as cli
from framing.common.config import read_yaml
from framing.common.files import read_table, sha256
from framing.common.problems import InputError
from framing.corpus.store import read_facts, shard_path
from framing.corpus.tables import read_passages, read_sources
from framing.project.lock import alone
from tests.unit.web_server import sends, serving

pytestmark = pytest.mark.slow

LETTER = """\
A letter from the quay

Share this

We who live along the harbour have asked for one thing only in all these years, that the council
should speak with us before it decides about the ferry, and not when the posters are printed.

The fare is too high for people who cross twice a day. My neighbour counts the coins on Monday and
walks the long way round by Thursday, and nobody in the town hall has ever asked her why.

Photo: R. Vance / Courtesy of the harbour office
"""
SECOND = """\
To the editor of the harbour paper: your column on the lighthouse left out what the keepers said.
They have lit it for two hundred winters, and a lamp that answers to a switch in another town will
not know when the fog comes in from the east.
"""
PAPER = [
    "Our reporter counted forty-one people in the hall on Thursday evening, of whom nine spoke, "
    "four twice, and one with a trumpet that the chair took away before the vote was called.",
    "No date has been named for the next session. The minutes are to be printed on yellow sheets "
    "and hung beside the fish market, where the rain had already washed off the old ones.",
]
REST = [
    "If the timetable has to change, let it change for those who use the boat every day. We were "
    "told of one meeting in March and of another in June; neither took place, nor did a third.",
    "The ferry is older than the bridge, and the bridge is closed whenever the wind blows. Whoever "
    "has waited there with a pram in February knows why we write this and do not stop writing.",
]
GERMAN = (
    "Wir wohnen seit vierzig Jahren am Hafen und haben immer nur um eines gebeten: dass der Rat "
    "mit uns spricht, bevor er über die Fähre entscheidet, und nicht erst, wenn Plakate hängen.\n"
)
SAID = ["--title", "A letter", "--group", "residents", "--date", "3 May 2019"]


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_text(LETTER, encoding="utf-8")
    return path


@pytest.fixture
def say(project: Path, capsys: pytest.CaptureFixture[str]):
    """Run ``framing`` on the project; return its exit status and what it said."""

    def _say(command: str, *arguments: str | Path) -> tuple[int, str, str]:
        status = cli.main([command, *map(str, arguments), "--directory", str(project)])
        told = capsys.readouterr()
        return status, told.out, told.err

    # `framing` works from within the project's folder; each command begins at this one again.
    here = Path.cwd()
    yield lambda *arguments: (os.chdir(here), _say(*arguments))[1]
    os.chdir(here)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def table(project: Path, name: str) -> list[dict[str, str]]:
    return read_table(project / "corpus" / name, (), extra=True).to_dict("records")


# --- one document ---------------------------------------------------------------------------------


def test_a_letter_joins_and_nothing_that_was_there_changes(project, letter, say):
    before = contents(project)
    status, out, _ = say("add", letter, *SAID)
    assert status == 0
    after = contents(project)
    for name, data in before.items():
        if name.endswith(("sources.tsv", "passages.tsv")):
            assert after[name].startswith(data) and after[name] != data
        else:
            assert after[name] == data
    added = {name for name in after if name not in before}
    assert added == {
        shard_path("letter").as_posix(), "corpus/intake.tsv", "corpus/texts/letter.txt",
        "corpus/texts/letter.dropped.tsv", "corpus/unsampled.tsv",
    }  # fmt: skip
    text = after["corpus/texts/letter.txt"].decode("utf-8")
    row = table(project, "sources.tsv")[-1]
    assert (row["title"], row["date"], row["date_precision"]) == ("A letter", "2019-05-03", "day")
    assert row["sha256"] == sha256(text) and row["retrieved_from"] == "letter.txt"
    groups = read_yaml(project / "config" / "config.yaml")["groups"]
    passages = read_passages(
        project / "corpus" / "passages.tsv",
        read_sources(project / "corpus" / "sources.tsv", groups),
    )
    own = passages[passages["source_id"] == "letter"]
    pieces = [text[one.start : one.end] for one in own.itertuples()]
    assert [piece.split()[0] for piece in pieces] == ["We", "The"]
    assert [len(piece.split()) for piece in pieces] == own["words"].tolist() == [36, 38]
    assert [one["passage_id"] for one in table(project, "unsampled.tsv")] == list(own["passage_id"])
    record = table(project, "intake.tsv")[0]
    assert record["raw_sha256"] == sha256(LETTER) and record["reader"] == "framing"
    dropped = read_table(project / "corpus/texts/letter.dropped.tsv", (), extra=True)
    reasons = dict(zip(dropped["text"], dropped["reason"], strict=True))
    assert reasons == {
        "Share this": "boilerplate",
        "Photo: R. Vance / Courtesy of the harbour office": "caption or credit",
        "A letter from the quay": "shorter than 12 words",
    }
    assert "left out (1): boilerplate" in out
    assert "framing sample --supplement" in out
    assert say("check")[0] == 0


def test_every_word_of_a_document_is_in_a_passage_or_in_the_report(project, letter, say):
    say("add", letter, *SAID)
    text = (project / "corpus/texts/letter.txt").read_text(encoding="utf-8")
    passages = [one for one in table(project, "passages.tsv") if one["source_id"] == "letter"]
    kept = " ".join(text[int(one["start"]) : int(one["end"])] for one in passages)
    report = read_table(project / "corpus/texts/letter.dropped.tsv", (), extra=True)
    assert sorted((kept + " " + " ".join(report["text"])).split()) == sorted(LETTER.split())


def test_a_dry_run_shows_everything_and_writes_nothing(project, letter, say):
    before = contents(project)
    status, out, _ = say("add", letter, *SAID, "--dry-run")
    assert status == 0
    assert contents(project) == before
    assert "36 words): We who live along the harbour" in out
    assert "left out, line 3, boilerplate: Share this" in out
    assert "Nothing was written: 1 source with 2 passages would join" in out


def test_in_a_script_everything_that_is_missing_is_told_at_once(project, letter, say):
    before = contents(project)
    status, _, errors = say("add", letter)
    assert status == 1
    for name in ("title", "group", "date"):
        assert f"has no {name}. Give --{name}" in errors
    assert contents(project) == before


def test_at_a_terminal_what_is_missing_is_asked_for(project, letter, say, monkeypatch):
    monkeypatch.setattr(add, "_at_a_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("residents\n1999\nMaud Ferrier\n"))
    status, _, errors = say("add", letter, "--title", "A letter")
    assert status == 0
    assert "group (residents, council" in errors
    row = table(project, "sources.tsv")[-1]
    assert (row["group"], row["date"], row["speaker"]) == ("residents", "1999", "Maud Ferrier")
    assert row["date_precision"] == "year"


def test_a_page_offers_its_title_but_its_date_is_not_trusted(project, tmp_path, say):
    page = tmp_path / "page.html"
    body = "".join(f"<p>{part}</p>" for part in SECOND.split("\n\n"))
    page.write_text(
        "<html><head><title>The lamp</title><meta name='date' content='2014-02-03'></head>"
        f"<body><article><h1>The lamp</h1>{body}</article></body></html>",
        encoding="utf-8",
    )
    status, _, errors = say("add", page, "--group", "residents")
    assert status == 1
    assert "has no title" not in errors
    assert "has no date. Give --date (the file says '2014-02-03': is that right?)" in errors
    assert say("add", page, "--group", "residents", "--date", "unknown")[0] == 0
    row = table(project, "sources.tsv")[-1]
    assert (row["title"], row["date"], row["date_precision"]) == ("The lamp", "", "unknown")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--group", "pirates"], "has the unknown group 'pirates'. Use one of residents"),
        (["--date", "31 February 2019"], "31 February 2019"),
        (["--date", "07/08/2011"], "07/08/2011"),
        (["--id", "../outside"], "cannot have the id '../outside': it names files"),
        (["--id", "con"], "cannot have the id 'con'"),
        (["--id", "Council-Minutes-2015"], "'council-minutes-2015' is in the corpus"),
        (["--id", "x" * 81], "has an id of 81 characters"),
        (["--version-of", "nobody"], "names the unknown source 'nobody'"),
        (["--column", "text=a"], "speaks of a table, but there is none"),
        (["--key", "a"], "is of a bibliography, but there is none"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(project, letter, say, change, said):
    before = contents(project)
    status, _, errors = say("add", letter, *SAID, *change)
    assert status == 1
    assert said in errors
    assert contents(project) == before


def test_a_text_in_another_language_is_refused_unless_told(project, tmp_path, say):
    path = tmp_path / "brief.txt"
    path.write_text(GERMAN, encoding="utf-8")
    status, _, errors = say("add", path, *SAID)
    assert status == 1 and "seems to be in 'de', not in en" in errors
    assert say("add", path, *SAID, "--language", "en,de")[0] == 0


def test_nothing_that_counts_is_no_source(project, tmp_path, say):
    path = tmp_path / "short.txt"
    path.write_text("Too short.\n\nAs is this.\n", encoding="utf-8")
    status, _, errors = say("add", path, *SAID)
    assert status == 1
    assert "has no passage that counts (2 shorter than 12 words)" in errors


def test_two_at_once_do_not_mix(project, letter, say):
    with alone(project):
        status, _, errors = say("add", letter, *SAID)
    assert status == 1 and "another run is at work in this directory" in errors
    assert say("add", letter, *SAID)[0] == 0


def test_a_full_disk_leaves_the_corpus_as_it_was(project, letter, say, monkeypatch):
    before = contents(project)

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, _, errors = say("add", letter, *SAID)
    assert status == 1 and "No space left on device" in errors
    assert contents(project) == before


def test_a_table_that_is_broken_is_not_made_worse(project, letter, say):
    path = project / "corpus" / "sources.tsv"
    path.write_text(path.read_text(encoding="utf-8") + "torn row\n", encoding="utf-8")
    before = contents(project)
    status, _, errors = say("add", letter, *SAID)
    assert status == 1 and "has 1 fields where the header has 13" in errors
    assert contents(project) == before


# --- duplicates -----------------------------------------------------------------------------------


def test_the_same_text_is_refused_or_linked_as_a_version(project, letter, say):
    say("add", letter, *SAID)
    before = contents(project)
    status, _, errors = say("add", letter, *SAID)
    assert status == 1
    assert "is the same text as letter. Leave it out" in errors
    assert contents(project) == before
    status, out, _ = say("add", letter, *SAID, "--version-of", "letter")
    assert status == 0 and "the same text as letter" in out
    assert table(project, "intake.tsv")[-1]["version_of"] == "letter"
    assert table(project, "sources.tsv")[-1]["source_id"] == "letter-2"
    assert say("check")[0] == 0


def test_nearly_the_same_text_is_refused_though_no_text_is_at_hand(project, letter, tmp_path, say):
    say("add", letter, *SAID)
    (project / "corpus/texts/letter.txt").unlink()
    other = tmp_path / "other.txt"
    other.write_text(LETTER.replace("harbour", "quayside").replace("coins", "pennies"), "utf-8")
    status, _, errors = say("add", other, *SAID)
    assert status == 1
    assert "is a near duplicate of letter" in errors


def test_nothing_is_refused_for_repeating_what_is_refused_itself(project, letter, tmp_path, say):
    say("add", letter, *SAID)
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "a.txt").write_text("\n\n".join([LETTER, *REST]), encoding="utf-8")
    (folder / "b.txt").write_text("\n\n".join([*REST, PAPER[0]]), encoding="utf-8")
    (folder / "c.txt").write_text("\n\n".join([PAPER[1], *REST, PAPER[0]]), encoding="utf-8")
    status, out, errors = say("add", folder, *SAID, "--skip")
    assert status == 1
    assert "left out: a.txt: is a near duplicate of letter" in errors
    assert "b.txt" not in errors
    assert "left out: c.txt: is a near duplicate of b" in errors
    assert "Added: 1 source" in out
    assert table(project, "sources.tsv")[-1]["source_id"] == "b"


@pytest.mark.parametrize(("setting", "number"), [("count", 5), ("leave out", 4)])
def test_a_passage_quoted_from_another_source_counts_as_configured(
    project, letter, tmp_path, say, setting, number
):
    config = project / "config" / "config.yaml"
    extra = f"intake:\n  duplicates: {{quoted: {setting}}}\n"
    config.write_text(config.read_text(encoding="utf-8") + extra, encoding="utf-8")
    letter.write_text("\n\n".join([LETTER, *REST]), encoding="utf-8")
    say("add", letter, *SAID)
    quotation = " ".join(LETTER.split("\n\n")[2].split())
    other = tmp_path / "paper.txt"
    own = " ".join(SECOND.split())
    three = [" ".join(reversed(own.split())), *PAPER]
    other.write_text("\n\n".join([own, quotation, *three]), encoding="utf-8")
    status, out, errors = say("add", other, *SAID)
    assert status == 0, errors
    kept = [one for one in table(project, "passages.tsv") if one["source_id"] == "paper"]
    assert "of letter" in out
    assert len(kept) == number
    report = (project / "corpus/texts/paper.dropped.tsv").read_text(encoding="utf-8")
    assert ("of letter" in report) is (setting == "leave out")


# --- many documents -------------------------------------------------------------------------------


def test_a_folder_joins_whole_or_not_at_all(project, tmp_path, say):
    folder = tmp_path / "letters"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.txt").write_text(LETTER, encoding="utf-8")
    (folder / "deep" / "two.md").write_text(SECOND, encoding="utf-8")
    (folder / "photo.png").write_bytes(b"\x89PNG")  # no text: passed over
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    before = contents(project)
    status, _, errors = say("add", folder, *SAID)
    assert status == 1 and "broken.pdf" in errors
    assert contents(project) == before
    status, out, errors = say("add", folder, *SAID, "--skip")
    assert status == 1 and "left out: broken.pdf" in errors
    assert "Added: 2 sources" in out
    assert {one["source_id"] for one in table(project, "sources.tsv")[-2:]} == {"one", "two"}


def test_a_table_with_a_document_a_row(project, tmp_path, say):
    path = tmp_path / "debate.csv"
    flat = [" ".join(text.split()) for text in (LETTER, SECOND)]
    path.write_text(
        "doc_id,speaker,year,speech\n"
        f'first,Maud Ferrier,2015,"{flat[0]}"\nsecond,Tomáš Novák,2016,"{flat[1]}"\n',
        encoding="utf-8",
    )
    status, _, errors = say("add", "--table", path, "--group", "residents")
    assert status == 1 and "debate.csv, line 2: has no title. Give --title." in errors
    status, _, errors = say("add", "--table", path, "--group", "residents", "--title", "A debate")
    assert status == 0, errors
    assert "'speech'" in errors  # what was guessed is told
    rows = table(project, "sources.tsv")[-2:]
    assert [(one["source_id"], one["speaker"], one["date"]) for one in rows] == [
        ("first", "Maud Ferrier", "2015"), ("second", "Tomáš Novák", "2016"),
    ]  # fmt: skip
    assert table(project, "intake.tsv")[-1]["origin"] == "debate.csv, line 3"


def debate(path: Path, rows: int = 60) -> Path:
    """Write a table with rows of which some are broken: of each kind one at least."""
    chance = random.Random(7)
    words = sorted(
        {word for text in (*PAPER, *REST, LETTER) for word in re.findall("[a-z]{3,}", text)}
    )
    lines = ["doc_id,title,group,year,speech"]
    for row in range(rows):
        text = " ".join(chance.choice(words) + chance.choice("abcdef") * (n % 3)
                        for n in range(30))  # fmt: skip
        text = {5: "", 15: "Too short."}.get(row, f"The day when {text}.")
        group = "pirates" if row in (25, 26) else "residents"
        year = "2015-02-31" if row == 35 else "2015"
        lines.append(f"{'d44' if row == 45 else f'd{row}'},Remarks,{group},{year},{text}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_broken_rows_are_named_once_a_kind_and_passed_over_where_that_is_asked(
    project, tmp_path, say
):
    path = debate(tmp_path / "debate.csv")
    before = contents(project)
    status, _, errors = say("add", "--table", path)
    assert status == 1 and contents(project) == before
    for said in ("line 7: has no text (id 'd5')", "line 37: the date '2015-02-31' never was",
                 "line 47: has the id 'd44' of line 46"):  # fmt: skip
        assert said in errors
    status, out, errors = say("add", "--table", path, "--skip")
    assert status == 1
    assert "Added: 54 sources with 54 passages" in out
    assert "54 × read as txt by framing" in out
    assert "What is said of each document stands in build/added.tsv." in out
    assert "line 17: has no passage that counts (1 shorter than 12 words)" in errors
    assert "line 27: has the unknown group 'pirates'" in errors
    assert "Left out: 6 documents." in errors
    assert len(out.splitlines()) < 10 and len(errors.splitlines()) < 15
    report = read_table(project / "build/added.tsv", (), extra=True)
    assert report["outcome"].tolist().count("left out") == 6
    names = {row["source_id"] for row in table(project, "sources.tsv")}
    assert {name for name in report["source_id"] if name} <= names
    assert len(set(report["source_id"])) == 55
    assert say("check")[0] == 0


def test_the_benchmark_of_tables_has_the_right_answers(root):
    """It stops itself where other rows join than those that are sound."""
    done = subprocess.run(
        [sys.executable, "benchmarks/add_table.py", "--rows", "450"], cwd=root, check=False,
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root / "workflow")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("| 450 | ")


def test_what_counts_may_hang_on_an_id_that_is_given_afterwards(project, tmp_path, say):
    config = project / "config" / "config.yaml"
    read = read_yaml(config)
    rules = [{"where": {"source_id": ["d2-2"]}, "needs": ["nobody"]}, {"where": {}, "needs": []}]
    read.setdefault("units", {})["scope"] = {"terms": {"nobody": ["Nobody"]}, "rules": rules}
    config.write_text(yaml.safe_dump(read, allow_unicode=True, sort_keys=False), encoding="utf-8")
    path = debate(tmp_path / "debate.csv", 4)
    path.write_text(path.read_text("utf-8").replace("d1,Remarks", "D2,Remarks"), encoding="utf-8")
    status, _, errors = say("add", "--table", path, "--skip")
    assert status == 1
    assert "debate.csv, line 4: has no passage that counts" in errors
    assert [row["source_id"] for row in table(project, "sources.tsv")][-3:] == ["d0", "d2", "d3"]


def test_a_table_that_breaks_off_is_refused_even_where_rows_may_be_passed_over(
    project, tmp_path, say
):
    path = debate(tmp_path / "debate.csv")
    path.write_text(path.read_text("utf-8") + 'd99,Remarks,residents,2015,"never closed\n', "utf-8")
    before = contents(project)
    status, _, errors = say("add", "--table", path, "--skip")
    assert status == 1 and "has a row that cannot be read" in errors
    assert contents(project) == before


def test_many_dry_runs_change_nothing_but_their_report(project, tmp_path, say):
    before = contents(project)
    path = debate(tmp_path / "debate.csv")
    status, out, _ = say("add", "--table", path, "--skip", "--dry-run")
    assert status == 1 and "54 sources with 54 passages of 1,782 words would join" in out
    after = contents(project)
    assert after.pop("build/added.tsv") and after == before


def test_the_corpus_is_the_same_whatever_the_number_of_processes(project, tmp_path, say):
    path = debate(tmp_path / "debate.csv")
    other = tmp_path / "other"
    shutil.copytree(project, other)
    for folder, jobs in ((project, 1), (other, 2)):
        arguments = ["add", "--table", str(path), "--skip", "--jobs", str(jobs)]
        assert cli.main([*arguments, "--directory", str(folder)]) == 1
    assert contents(other) == contents(project)


@pytest.mark.parametrize("jobs", ["0", "65", "two"])
def test_a_number_of_processes_that_is_none(letter, say, capsys, jobs):
    with pytest.raises(SystemExit):
        say("add", letter, *SAID, "--jobs", jobs)
    assert "is no whole number from 1 to 64" in capsys.readouterr().err


KILLED = """
import os, sys
from framing.cli import main
from framing.project.lock import Pending
kind, place = sys.argv[1:3]
original = getattr(Pending, kind)
calls = 0
def deadly(*arguments):
    global calls
    calls += 1
    made = original(*arguments) if place == "after" else None
    if calls >= 30 or kind == "decide":
        os.kill(os.getpid(), 9)
    return original(*arguments) if place == "before" else made
setattr(Pending, kind, deadly)
main.main(sys.argv[3:])
"""


@pytest.mark.parametrize(
    ("kind", "place", "joined"),
    [("write", "before", False), ("decide", "before", False), ("decide", "after", True)],
)
def test_a_killed_command_joins_all_or_nothing(project, tmp_path, say, root, kind, place, joined):
    path = debate(tmp_path / "debate.csv")
    before = contents(project)
    arguments = ["add", "--table", str(path), "--skip", "--directory", str(project)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, kind, place, *arguments], check=False, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(root / "workflow")},
    )  # fmt: skip
    assert done.returncode == -9
    assert (project / "corpus/.pending").is_dir()
    assert say("check")[0] == 0  # any command settles it
    after = {name: data for name, data in contents(project).items() if name[:6] != "build/"}
    assert not any(name.startswith("corpus/.pending") for name in after)
    assert (after == before) is not joined
    if joined:
        assert len(table(project, "sources.tsv")) == before["corpus/sources.tsv"].count(b"\n") + 53


def test_a_bibliography_says_what_files_do_not(project, letter, tmp_path, say):
    library = tmp_path / "library.json"
    entry = {
        "id": "ferrier", "type": "speech", "title": "Said at the quay", "URL": "",
        "author": [{"family": "Ferrier", "given": "Maud"}],
        "issued": {"date-parts": [[2019, 5, 3]]},
    }  # fmt: skip
    library.write_text(json.dumps([entry]), encoding="utf-8")
    asked = ["--bibliography", library, "--key", "ferrier", "--group", "residents"]
    assert say("add", letter, *asked, "--title", "Mine")[0] == 0
    row = table(project, "sources.tsv")[-1]
    assert (row["title"], row["speaker"], row["date"]) == ("Mine", "Maud Ferrier", "2019-05-03")


# --- leaving and renaming -------------------------------------------------------------------------


def test_what_was_added_can_be_removed_without_a_trace(project, letter, say):
    before = contents(project)
    say("add", letter, *SAID)
    assert say("remove", "letter")[0] == 0
    after = contents(project)
    assert len(after.pop("corpus/intake.tsv").splitlines()) == 1
    assert after.pop("corpus/unsampled.tsv") == b"passage_id\n"
    assert after == before
    assert say("check")[0] == 0


def test_a_sampled_source_cannot_be_removed(project, say):
    before = contents(project)
    status, _, errors = say("remove", "council-minutes-2015", "nobody")
    assert status == 1 and "has no source 'nobody'" in errors
    status, _, errors = say("remove", "council-minutes-2015")
    assert status == 1
    assert "cannot lose 'council-minutes-2015': its passages were drawn, or could have" in errors
    assert contents(project) == before


def test_a_source_has_another_id_everywhere_and_its_old_one_again(project, letter, say):
    say("add", letter, *SAID)
    say("add", letter, *SAID, "--version-of", "letter")
    config = read_yaml(project / "config" / "config.yaml")
    named = config["case_study"]
    before = contents(project)
    for old in ("letter", named):
        passages = [one["passage_id"] for one in table(project, "passages.tsv")]
        assert say("rename", old, "renamed")[0] == 0
        assert [one["passage_id"] for one in table(project, "passages.tsv")] == passages
        assert say("check")[0] == 0
        for name in ("sources.tsv", "passages.tsv"):
            ids = {row["source_id"] for row in table(project, name)}
            assert old not in ids and "renamed" in ids, name
        assert old not in read_yaml(project / "config" / "config.yaml").values()
        with pytest.raises(InputError, match=f"no facts of source '{old}'"):
            read_facts(old, project)
        assert say("rename", "renamed", old)[0] == 0
        assert contents(project) == before


def test_a_source_that_the_configuration_names_is_not_removed(project, say):
    named = read_yaml(project / "config" / "config.yaml")["case_study"]
    status, _, errors = say("remove", named)
    assert status == 1 and f"names the source {named!r}" in errors


def test_an_id_that_is_taken_is_no_new_name(project, say):
    ids = [one["source_id"] for one in table(project, "sources.tsv")]
    status, _, errors = say("rename", ids[0], ids[1].upper())
    assert status == 1 and f"{ids[1]!r} is in the corpus" in errors


# --- ids ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Müller's Speech, 2014 (final)", "muller-s-speech-2014-final"),
        ("../../etc/passwd", "etc-passwd"),
        ("Con", "source-con"),
        ("речь", "source-"),
        ("x" * 200, "x" * 80),
    ],
)
def test_ids_made_from_names_are_usable(name: str, expected: str) -> None:
    made = id_from(name)
    assert made == expected
    assert id_problem("here", made.strip("-") or "x", []) is None


def test_a_free_id_is_found_whatever_the_case() -> None:
    assert Ids(["Speech", "speech-2"]).free("speech") == "speech-3"


def test_check_looks_at_where_sources_came_from(project, letter, say):
    say("add", letter, *SAID)
    path = project / "corpus" / "intake.tsv"
    digest = table(project, "sources.tsv")[-1]["sha256"]
    path.write_text(path.read_text("utf-8").replace(digest, "0" * 64), encoding="utf-8")
    status, _, errors = say("check")
    assert status == 1
    assert "source 'letter' has another text_sha256 here than in sources.tsv" in errors


def test_a_page_is_fetched_and_its_retrieval_recorded(project, say):
    body = "".join(f"<p>{' '.join(part.split())}</p>" for part in (SECOND, *PAPER))
    page = f"<html><head><title>The lamp</title></head><body><article>{body}</article></body>"
    with serving() as server:
        server.routes["/lamp"] = sends(page.encode("utf-8"))
        address = server.base
        status, _, errors = say("add", f"{address}/lamp", "--group", "residents", "--date", "2014")
    assert status == 0, errors
    row, record = table(project, "sources.tsv")[-1], table(project, "intake.tsv")[-1]
    assert row["source_id"] == "lamp" and row["url"] == f"{address}/lamp"
    assert row["retrieved_from"] == f"{address}/lamp, retrieved {record['retrieved'][:10]}"
    assert record["raw_sha256"] == sha256(page)
    assert record["retrieved"].endswith("Z") and record["archived"] == ""


def test_who_stops_reading_what_is_printed_hears_no_complaint(project, letter, root):
    command = f"{sys.executable} -m framing.cli add {letter} --directory {project} --dry-run"
    said = "--title 'A letter' --group residents --date 2019"
    done = subprocess.run(
        ["bash", "-c", f"{command} {said} | true"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(root / "workflow")},
    )  # fmt: skip
    assert done.stderr == ""
