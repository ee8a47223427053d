"""``framing fetch`` on a small project and a real server: what is written, told and left alone."""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from framing.acquire.fetch import fetch as room
from framing.acquire.read.read import read_document
from framing.acquire.read.settings import reading_settings
from framing.acquire.read.units import cut_passages
from framing.cli import fetch as command
from framing.common.config import load_config
from framing.common.files import sha256, write_text
from framing.common.paths import CONFIG, SOURCES
from framing.common.problems import InputError
from framing.corpus.derived import derive
from framing.corpus.store import changed_shards, shard_path
from framing.corpus.tables import SOURCE_COLUMNS
from tests.unit import reading_samples as samples
from tests.unit.web_server import Server, hangs_up, in_turn, sends, serving, status

LETTER = samples.page().encode()
NOTE = "\n\n".join(samples.BODY[:2]).encode()
TEXTS = Path("corpus/texts")
FETCHED = Path("build/fetched")


def text_of(data: bytes, kind: str) -> str:
    return read_document("made here", data, kind).text()


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def config(mini: Path) -> dict[str, Any]:
    return load_config(mini / CONFIG)


@pytest.fixture
def project(
    config: dict[str, Any], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A project of four sources: a page, a note, one without address, one at hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(room, "_last_asked", {})
    monkeypatch.setattr(room, "_silent", set())
    own = {
        "pause": 0, "attempts": 2, "first_wait": 0,
        "wayback_lookup": server.url("/available?url={url}"),
        "wayback_page": server.url("/web/{timestamp}/{url}"),
    }  # fmt: skip
    monkeypatch.setattr(command, "load_config", lambda path: {**config, "fetching": own})
    server.routes |= {
        "/letter": sends(LETTER),
        "/note.txt": sends(NOTE, "text/plain"),
        "/hand": sends(NOTE, "text/plain"),
    }
    letter, note = text_of(LETTER, "html"), text_of(NOTE, "txt")
    write_sources(
        next(iter(config["groups"])),
        ("letter", server.url("/letter"), letter),
        ("note", server.url("/note.txt"), note),
        ("offline", "", "never fetched\n"),
        ("hand", server.url("/hand"), note),
    )
    write_text(TEXTS / "hand.txt", note)
    for name, text in (("letter", letter), ("note", note), ("hand", note)):
        passages = cut_passages(name, text, reading_settings()["units"]).passages
        assert len(passages) > 1
        facts = derive(name, text, passages, lambda prose: {}, {})
        for path, text in changed_shards({name: facts})[0].items():
            write_text(path, text)
    return tmp_path


def write_sources(group: str, *rows: tuple[str, str, str]) -> None:
    table = ["\t".join(SOURCE_COLUMNS)]
    for name, url, text in rows:
        row = {
            "source_id": name, "title": name, "group": group, "date": "2019",
            "date_precision": "year", "words": str(len(text.split())), "url": url,
            "sha256": sha256(text),
        }  # fmt: skip
        table.append("\t".join(row.get(column, "") for column in SOURCE_COLUMNS))
    write_text(SOURCES, "\n".join(table) + "\n")


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]):
    """Run the command; return its exit status, what it told, and what it complained of."""

    def _run(*argv: str) -> tuple[int, list[str], list[str]]:
        parser = argparse.ArgumentParser(prog="framing")
        common = argparse.ArgumentParser(add_help=False)
        command.register(parser.add_subparsers(), common)
        arguments = parser.parse_args(["fetch", *argv])
        code = int(arguments.run(arguments))
        told, complained = capsys.readouterr()
        return code, told.splitlines(), complained.splitlines()

    return _run


def changed(data: bytes) -> bytes:
    """Return a page with its second paragraph gone and another one at the end."""
    return samples.page([samples.BODY[0], samples.BODY[2], "And nobody missed the geese."]).encode()


# --- what is written ------------------------------------------------------------------------------


@pytest.mark.slow
def test_texts_that_are_not_at_hand_are_fetched(run, server):
    code, told, complained = run("--all")
    assert (code, complained) == (0, [])
    assert told == [
        "letter: written to corpus/texts/letter.txt",
        "note: written to corpus/texts/note.txt",
        "Sources: 1 at hand, 2 written.",
        "1 without an address: offline.",
    ]
    assert (TEXTS / "letter.txt").read_text(encoding="utf-8") == text_of(LETTER, "html")
    assert server.asked == ["/letter", "/note.txt"]
    code, told, _ = run("--all")
    assert (code, told[0]) == (0, "Sources: 3 at hand.")
    assert len(server.asked) == 2


def test_the_record_of_a_text(run, server):
    run("letter")
    record = json.loads((FETCHED / "letter.json").read_text(encoding="utf-8"))
    assert record["source_id"] == "letter"
    assert record["url"] == record["final_url"] == server.url("/letter")
    assert record["raw_sha256"] == sha256(LETTER)
    assert record["text_sha256"] == sha256((TEXTS / "letter.txt").read_bytes())
    assert record["reader"] == "trafilatura" and record["reader_version"]
    assert record["retrieved"].endswith("Z") and record["archived"] == ""


def test_only_what_is_named(run, server):
    code, told, _ = run("note")
    assert (code, told[-1]) == (0, "Sources: 1 written.")
    assert server.asked == ["/note.txt"]


def test_a_text_that_differs_is_put_aside(run, server):
    server.routes["/letter"] = sends(changed(LETTER))
    code, told, _ = run("letter", "note")
    assert code == 1
    aside = FETCHED / "letter.txt"
    new = aside.read_text(encoding="utf-8")
    words = len(text_of(LETTER, "html").split())
    assert told[0] == (
        f"letter: differs: {words} words before, {len(new.split())} now; 2 of 3 passages are in it "
        f"word for word; put into {aside}"
    )
    assert "geese" in new and not (TEXTS / "letter.txt").exists()
    assert told[1] == "note: written to corpus/texts/note.txt"
    assert told[-1] == "Sources: 1 differ, 1 written."


def test_without_facts_sizes_are_told(run, server):
    server.routes["/letter"] = sends(changed(LETTER))
    shard_path("letter").unlink()
    code, told, _ = run("letter")
    assert code == 1 and "no derived facts to compare" in told[0]


def test_what_fails_does_not_keep_others_from_coming(run, server):
    server.routes["/letter"] = status(404)
    code, told, complained = run("--all")
    assert code == 1
    assert complained[0].startswith(f"letter: {server.url('/letter')}: is not there any more")
    assert told[0].startswith("note: written")
    assert "1 failed" in told[-2] and "1 written" in told[-2]


def test_a_page_that_cannot_be_read_fails(run, server):
    german = (
        "Der Garten über dem Kanal wurde von einem Bäcker angelegt, der nie zuvor einen Apfel "
        "gezogen hatte, und zehn Jahre lang gab er ihm nichts als Schatten."
    )
    server.routes["/letter"] = sends(samples.page([german, german + german]).encode())
    code, _, complained = run("letter")
    assert code == 1 and "seems to be in 'de'" in complained[0]


# --- what is at hand ------------------------------------------------------------------------------


def test_check_compares_what_is_at_hand(run, server):
    code, told, _ = run("hand", "--check")
    assert (code, told) == (0, ["hand: equal", "Sources: 1 equal."])
    new = NOTE.replace(b"apple", b"pear")
    server.routes["/hand"] = sends(new, "text/plain")
    before = (TEXTS / "hand.txt").read_bytes()
    assert run("hand", "--check")[0] == 0, "the cached page is still the one that was equal"
    code, told, _ = run("hand", "--check", "--fresh")
    assert code == 1
    column = samples.BODY[0].index("apple") + 1
    assert f"+1 −1 lines, the first difference in line 1, character {column}" in told[0]
    assert "1 of 2 passages" in told[0]
    assert (TEXTS / "hand.txt").read_bytes() == before


def test_a_text_at_hand_that_is_broken_is_left_alone(run, server):
    (TEXTS / "hand.txt").write_bytes(b"\xff")
    server.routes["/hand"] = sends(NOTE + b"\n\nMore.", "text/plain")
    code, told, _ = run("hand", "--check")
    assert code == 1 and "cannot be compared: it is not UTF-8" in told[0]
    assert (TEXTS / "hand.txt").read_bytes() == b"\xff"


def test_a_text_that_appears_meanwhile_is_not_overwritten(run, server):
    def appears(handler):
        write_text(TEXTS / "note.txt", "mine\n")
        sends(NOTE, "text/plain")(handler)

    server.routes["/note.txt"] = appears
    assert run("note")[0] == 0
    assert (TEXTS / "note.txt").read_text() == "mine\n"


# --- asking ---------------------------------------------------------------------------------------


def test_parts_of_one_page_are_fetched_once(run, server, config):
    group = next(iter(config["groups"]))
    rows = [(name, server.url("/note.txt"), text_of(NOTE, "txt")) for name in ("one", "two")]
    write_sources(group, *rows)
    for _ in range(2):
        run("--all", "--fresh", "--check")
    assert server.asked == ["/note.txt"] * 2


def test_the_archive_is_named(run, server):
    server.routes["/letter"] = status(410)
    found = {"available": True, "status": "200", "timestamp": "20150102030405"}
    answer = json.dumps({"archived_snapshots": {"closest": found}}).encode()
    server.routes["/available"] = sends(answer, "application/json")
    copy = f"/web/20150102030405/{server.url('/letter')}"
    server.routes[copy] = sends(LETTER)
    assert run("letter")[0] == 1
    code, told, _ = run("letter", "--wayback")
    assert code == 0 and f"(Wayback Machine, {server.url(copy)})" in told[0]
    record = json.loads((FETCHED / "letter.json").read_text(encoding="utf-8"))
    assert record["archived"] == server.url(copy)


def test_a_dropped_connection_is_tried_again(run, server):
    server.routes["/letter"] = in_turn(hangs_up, sends(LETTER))
    assert run("letter")[0] == 0


def test_a_dry_run_does_nothing(run, server, project):
    before = sorted(project.rglob("*"))
    code, told, _ = run("--all", "--dry-run")
    assert code == 0
    assert told == [
        f"letter: {server.url('/letter')}",
        f"note: {server.url('/note.txt')}",
        "Sources: 2 to fetch, 1 at hand.",
        "1 without an address: offline.",
    ]
    assert not server.asked and sorted(project.rglob("*")) == before


def test_a_named_source_without_address_was_asked_for_in_vain(run, server):
    code, told, _ = run("offline")
    assert code == 1
    assert told == ["Sources: none.", "1 without an address: offline."]


def test_unknown_sources_are_told_before_anything_is_asked(run, server):
    with pytest.raises(InputError) as error:
        run("leter", "note", "zzz")
    assert "Did you mean letter?" in str(error.value) and "zzz" in str(error.value)
    assert not server.asked


@pytest.mark.parametrize("argv", [[], ["note", "--all"]])
def test_which_sources_must_be_said(run, argv, capsys):
    with pytest.raises(SystemExit) as stop:
        run(*argv)
    assert stop.value.code == 2
    assert "say which sources to fetch" in capsys.readouterr().err


def test_no_folder_for_texts(run, config, monkeypatch):
    monkeypatch.setattr(command, "load_config", lambda path: {**config, "corpus": {"texts": []}})
    with pytest.raises(InputError, match="names no folder"):
        run("note")


def test_an_interrupt_keeps_what_came(run, server, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_settle", stop)
    code, _, complained = run("note")
    assert code == 130 and "Interrupted" in complained[0]
    assert len(list(FETCHED.glob("*.bin"))) == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_at_a_terminal_only(run, monkeypatch):
    assert run("letter")[2] == []
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    run("note")
    assert "1/1 note" in screen.getvalue()


# --- the extra ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["httpx2", "trafilatura"])
def test_without_the_extra_it_is_said_how_to_get_it(run, server, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError) as error:
        run("--all")
    assert name in str(error.value) and "pip install" in str(error.value)
    assert not server.asked


@pytest.mark.slow
def test_the_command_is_known_without_the_extra():
    script = (
        "import sys, argparse; import framing.cli.fetch as command\n"
        "command.register(argparse.ArgumentParser().add_subparsers(), "
        "argparse.ArgumentParser(add_help=False))\n"
        "print(*{'httpx2', 'anyio', 'lxml', 'trafilatura', 'ftfy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
