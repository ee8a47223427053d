"""The coding page by its real server: who is refused, and that nothing is lost."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from framing.cli.main import main
from framing.coding.codings import foreign_files
from framing.common.paths import CODERS, CODINGS, SAMPLE
from framing.project.lock import alone
from framing.workflow.plan import plan
from tests.unit.coding_server import WHO, Server, refused, started

pytestmark = pytest.mark.slow

Start = Callable[..., Server]
CODES = ["cost", "fairness", "heritage"]


@pytest.fixture
def home(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example before anybody coded, with six passages drawn."""
    home = tmp_path / "mini"
    shutil.copytree(mini, home, ignore=shutil.ignore_patterns("results", "build", ".snakemake"))
    monkeypatch.chdir(home)
    for path in CODINGS.glob("*.tsv"):
        path.unlink()
    CODERS.write_text(CODERS.read_text("utf-8").split("\n", 1)[0] + "\n", "utf-8")
    few()
    return home


def few(number: int = 6) -> None:
    """Draw the first passages of the example, as one stratum of them with all others."""
    total = len(Path("corpus/passages.tsv").read_text("utf-8").splitlines()) - 1
    table = pd.read_csv(SAMPLE, sep="\t", dtype=str).head(number)
    table = table.assign(stratum="all", stratum_size=total, stratum_sampled=number)
    table["inclusion_probability"] = f"{number / total:.6f}"
    table.to_csv(SAMPLE, sep="\t", index=False)


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    running: list[Server] = []

    def _start(
        coder: str = "ann", *arguments: str, command: str = "code", cold: bool = False
    ) -> Server:
        server = started(home, command, "--coder", coder, *arguments, cold=cold)
        running.append(server)
        server.enter()
        return server

    yield _start
    for server in running:
        server.process.kill()
        server.process.communicate()


def journal(coder: str = "ann") -> list[dict]:
    lines = (CODINGS / coder / "journal.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def answers(coder: str = "ann") -> list[dict]:
    return [entry for entry in journal(coder) if entry["what"] == "answer"]


def coded(coder: str = "ann") -> pd.DataFrame:
    return pd.read_csv(CODINGS / f"{coder}.tsv", sep="\t", dtype=str, keep_default_na=False)


def code_all(server: Server, number: int = 6, cost: str = "1") -> None:
    for place in range(1, number + 1):
        server.answer(place, cost, "0", "0")


# --- who may ask ----------------------------------------------------------------------------------


def test_nobody_gets_anything_without_the_secret(start):
    server = start("ann", *WHO)
    assert "127.0.0.1" in server.said
    cookie, server.cookie = server.cookie, ""
    for path in (
        "/",
        "/passage/1",
        "/doubts",
        "/page.css",
        "/?key=wrong",
        f"/doubts?key={server.key}",
    ):
        status, headers, text = server.ask(path)
        assert status == 403 and "set-cookie" not in headers and "Ardenport" not in text
    assert server.ask("/", Cookie=cookie + "x")[0] == 403
    assert server.ask("/", Cookie=cookie)[0] == 303


def test_the_cookie_is_of_this_page_alone_and_the_secret_leaves_the_address(start):
    server = start("ann", *WHO)
    status, headers, _ = server.ask(f"/?key={server.key}")
    assert status == 303 and headers["location"] == "/"
    assert headers["set-cookie"].startswith(f"framing-{server.port}=")
    assert "HttpOnly" in headers["set-cookie"] and "SameSite=Strict" in headers["set-cookie"]
    assert server.key not in server.ask("/passage/1")[2]


def test_other_hosts_and_origins_are_refused(start):
    server = start("ann", *WHO)
    for host in (
        f"localhost:{server.port}",
        "evil.example",
        f"evil.example:{server.port}",
        "127.0.0.1",
    ):
        assert server.ask("/passage/1", Host=host)[0] == 421
    form = {"do": "skip", "token": server.form(1)}
    for origin in ("http://evil.example", "null", f"http://localhost:{server.port}", ""):
        assert server.ask("/passage/1", form, Origin=origin)[0] == 403
    assert server.ask("/passage/1", Origin="http://127.0.0.1:1")[0] == 403
    assert server.ask("/passage/1", form, Sec_Fetch_Site="same-site")[0] == 403
    assert server.ask("/page.js", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert [entry["what"] for entry in journal()] == ["begin"]
    assert server.ask("/passage/1", form)[0] == 303


def test_every_answer_has_strict_headers(start):
    server = start("ann", *WHO)
    for path in ("/", "/passage/1", "/page.js", "/page.css", "/nothing", "/passage/99"):
        _, headers, _ = server.ask(path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
    text = server.ask("/passage/1")[2]
    assert "<style" not in text and " style=" not in text and " onclick" not in text


def test_it_listens_on_this_machine_alone(start):
    server = start("ann", *WHO)
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError), socket.create_connection((own, server.port), timeout=2):
        pass


def test_forms_that_no_page_sends_are_refused_and_change_nothing(start):
    server = start("ann", *WHO)
    good = {"code-0": "1", "code-1": "0", "code-2": "0", "do": "save"}
    for form in (
        good | {"code-0": "7"},
        good | {"do": "delete"},
        {},
        good | {"memo": "x" * 10_001},
    ):
        assert server.ask("/passage/1", form)[0] == 400
    assert server.ask("/passage/99", good)[0] == 400
    assert server.ask("/passage/1", good | {"memo": "x" * 400_000})[0] == 413
    assert server.ask("/doubts", good)[0] == 405
    assert server.ask("/passage/1", {"code-0": "1", "do": "save"})[1]["location"].endswith(
        "lacking"
    )
    assert "Fairness, Heritage" in server.ask("/passage/1?said=lacking")[2]
    assert answers() == []


def test_what_coders_write_is_data(start):
    server = start("ann", *WHO)
    hostile = "<script>alert(1)</script>\"'</textarea>"
    server.answer(1, "1", "0", "0", memo=hostile, unsure="1")
    for path in ("/passage/1", "/doubts"):
        text = server.ask(path)[2]
        assert "<script>alert" not in text and "&lt;script&gt;alert" in text
    assert answers()[0]["memo"] == hostile


# --- nothing is lost ------------------------------------------------------------------------------


def test_a_killed_server_loses_no_answer(start):
    server = start("ann", *WHO, cold=True)
    going = server.answer(1, "1", "0", "0")
    assert going == "/passage/2?said=saved"
    assert len(answers()) == 1  # on disk before the next passage is shown
    server.answer(2, "0", "1", "0", unsure="1", memo="a doubt")
    server.kill()
    again = start("ann", cold=True)
    assert again.ask("/")[1]["location"] == "/passage/3"
    assert "2 of 6 coded" in again.ask("/passage/3")[2]
    assert "a doubt" in again.ask("/doubts")[2]


def test_a_cut_journal_is_read_up_to_the_cut_and_says_so(start):
    server = start("ann", *WHO)
    server.answer(1, "1", "0", "0")
    server.answer(2, "1", "0", "0")
    server.kill()
    path = CODINGS / "ann" / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    again = start("ann")
    assert "is cut" in again.said and "1 of them coded" in again.said
    again.answer(2, "0", "0", "0")
    assert [one["codes"]["cost"] for one in answers()] == ["1", "0"]


def test_a_journal_that_is_broken_in_the_middle_is_an_error(start, home):
    server = start("ann", *WHO)
    server.answer(1, "1", "0", "0")
    server.kill()
    path = CODINGS / "ann" / "journal.jsonl"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], lines[1][:9], *lines[1:]]))
    before = path.read_bytes()
    assert "journal.jsonl, line 2" in refused(home, "code", "--coder", "ann", "--no-browser")
    assert "journal.jsonl, line 2" in refused(home, "code", "--status")
    assert path.read_bytes() == before


def test_the_second_tab_is_a_change_on_record(start):
    server = start("ann", *WHO)
    one, two = server.form(1), server.form(1)
    assert server.answer(1, "1", "0", "0", token=one) == "/passage/2?said=saved"
    # The same form sent twice is one answer.
    assert server.answer(1, "1", "0", "0", token=one) == "/passage/2?said=same"
    assert server.answer(1, "0", "0", "0", token=two) == "/passage/1?said=crossed"
    assert "another tab" in server.ask("/passage/1?said=crossed")[2]
    first, second = answers()
    assert (first["codes"]["cost"], second["codes"]["cost"]) == ("1", "0")
    assert second["change"] and second["crossed"]
    assert "1 of 6 coded" in server.ask("/passage/2")[2]


def test_context_is_recorded_and_the_form_keeps_what_it_had(start):
    server = start("ann", *WHO)
    assert "Text around it" in server.ask("/passage/1")[2]
    form = {"code-1": "1", "memo": "half said", "do": "context", "token": server.form(1)}
    assert server.ask("/passage/1", form)[1]["location"] == "/passage/1?said=context"
    text = server.ask("/passage/1")[2]
    assert "Text around it" not in text and 'class="context"' in text and "half said" in text
    assert 'name="code-1" value="1" required checked' in text
    server.answer(1, "1", "0", "0")
    assert [entry["what"] for entry in journal()] == ["begin", "context", "answer"]
    assert answers()[0]["context"] is True


def test_two_coders_on_one_machine_do_not_meet(start, home):
    ann, bob = start("ann", *WHO), start("bob", *WHO)
    assert ann.port != bob.port and ann.cookie.split("=")[0] != bob.cookie.split("=")[0]
    assert ann.ask("/passage/1", Cookie=bob.cookie)[0] == 403
    ann.answer(1, "1", "1", "1")
    bob.answer(1, "0", "0", "0")
    assert answers("ann")[0]["codes"]["cost"] == "1" and answers("bob")[0]["codes"]["cost"] == "0"
    assert "another page of 'ann'" in refused(home, "code", "--coder", "ann", "--no-browser")


def test_a_port_in_use_is_said(start, home):
    server = start("ann", *WHO)
    said = refused(home, "code", "--coder", "bob", *WHO, "--port", str(server.port), "--no-browser")
    assert f"--port {server.port}: is in use by another program" in said
    assert "is no port" in refused(
        home, "code", "--coder", "bob", *WHO, "--port", "70000", "--no-browser"
    )
    # The coder who did not come to code is no coder yet.
    assert "bob" not in CODERS.read_text("utf-8")


@pytest.mark.parametrize("name", ["../ann", "a/b", "..", "", "a\tb", "-x=1"])
def test_names_that_would_leave_the_folder_are_refused(home, name):
    before = sorted(CODINGS.parent.rglob("*"))
    said = refused(home, "code", f"--coder={name}", *WHO, "--no-browser")
    assert "--coder" in said
    assert sorted(CODINGS.parent.rglob("*")) == before


def test_a_new_coder_says_who(home):
    assert "--kind human --describe" in refused(home, "code", "--coder", "ann", "--no-browser")
    CODERS.write_text(CODERS.read_text("utf-8") + "gpt\tmachine\t1.0\tx\tm\n", "utf-8")
    assert "is a machine" in refused(home, "code", "--coder", "gpt", "--no-browser")


def test_sources_without_texts_are_named(home):
    shutil.rmtree("corpus/texts")
    said = refused(home, "code", "--coder", "ann", *WHO, "--no-browser")
    assert "lacks the texts of" in said and ".txt" in said
    assert not (CODINGS / "ann").exists()


# --- into the tables ------------------------------------------------------------------------------


def test_a_half_done_page_is_nothing_to_a_run_and_a_finished_one_is(start):
    server = start("ann", *WHO)
    code_all(server, 5)
    assert foreign_files(CODINGS) == [] and plan({}).stage == "no codings"
    assert server.answer(6, "0", "0", "0") == "/done"
    assert "Written: corpus/coders.tsv, corpus/codings/ann.tsv" in server.ask("/done")[2]
    table = coded()
    assert sorted(table["passage_id"]) == sorted(pd.read_csv(SAMPLE, sep="\t")["passage_id"])
    assert sorted(table["cost"]) == ["0", "1", "1", "1", "1", "1"]
    assert "ann\thuman" in CODERS.read_text("utf-8")
    assert plan({}).stage == "coded"
    assert main(["check"]) == 0


def test_a_change_of_mind_enters_the_table_too(start):
    server = start("ann", *WHO)
    code_all(server)
    server.answer(3, "0", "0", "0")
    assert sorted(coded()["cost"]) == ["0", "1", "1", "1", "1", "1"]
    assert len(answers()) == 7


def test_while_a_run_is_at_work_answers_wait_in_the_journal(start):
    server = start("ann", *WHO)
    code_all(server, 5)
    with alone():
        server.answer(6, "1", "0", "0")
        assert "another run is at work" in server.ask("/done")[2]
        assert not (CODINGS / "ann.tsv").exists()
    server.ask("/enter", {})
    assert len(coded()) == 6


def test_by_a_plan_tables_come_together(start, capsys):
    assert main(["code", "--assign", "--coders", "ann,bob", "--twice", "0.5"]) == 0
    table = pd.read_csv("corpus/assignments.tsv", sep="\t", dtype=str)
    own = {name: len(rows) for name, rows in table.groupby("coder")}
    assert sum(own.values()) == 9 and max(own.values()) == 5
    assert main(["code", "--assign", "--coders", "ann,bob"]) == 1
    assert "deals 6 of these passages already" in capsys.readouterr().err
    ann = start("ann", *WHO)
    assert f"of {own['ann']}" in ann.ask("/passage/1")[2]
    code_all(ann, own["ann"])
    assert "waits for bob" in ann.ask("/done")[2]
    assert not list(CODINGS.glob("*.tsv")) and plan({}).stage == "no codings"
    bob = start("bob", *WHO)
    code_all(bob, own["bob"], cost="0")
    assert len(coded("ann")) == own["ann"] and len(coded("bob")) == own["bob"]
    assert plan({}).stage == "coded"


def test_finish_takes_what_there_is_if_a_run_would(start, capsys):
    ann, bob = start("ann", *WHO), start("bob", *WHO)
    code_all(bob, 2)
    assert main(["code", "--finish"]) == 1
    assert "4 drawn passages have no coding" in capsys.readouterr().err
    assert not list(CODINGS.glob("*.tsv"))
    code_all(ann)
    assert not (CODINGS / "bob.tsv").exists()
    assert main(["code", "--finish"]) == 0
    assert len(coded("bob")) == 2


def test_the_supervisor_sees_who_is_how_far_and_coders_do_not(start, capsys):
    ann, bob = start("ann", *WHO), start("bob", *WHO)
    code_all(ann, 3)
    bob.answer(1, "1", "0", "0", unsure="1")
    bob.ask("/passage/2", {"do": "skip", "token": bob.form(2)})
    assert main(["code", "--status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split() for line in lines if line.startswith(("ann  ", "bob  "))}
    assert rows["ann"][1:6] == ["3", "6", "0", "0", "0"] and rows["ann"][-1] == "3"
    assert rows["bob"][1:5] == ["1", "6", "1", "1"]
    assert any("faster than 600 words a minute" in line for line in lines)
    assert any("minimum_units" in line for line in lines)
    for path in ("/passage/4", "/doubts", "/done"):
        text = ann.ask(path)[2]
        assert "bob" not in text and "alpha" not in text and "faster" not in text


def test_an_adjudicator_settles_what_is_disputed(start, home, capsys):
    ann, bob = start("ann", *WHO), start("bob", *WHO)
    code_all(bob, 5, cost="0")
    code_all(ann)
    bob.answer(6, "1", "0", "0", memo="the second sentence")
    before = {name: (CODINGS / f"{name}.tsv").read_bytes() for name in ("ann", "bob")}
    assert "Set `coders: {rule: majority, tie: absent, adjudicator: zoe}`" in refused(
        home, "adjudicate", "--coder", "zoe", *WHO, "--no-browser"
    )
    config = Path("config/config.yaml")
    text = config.read_text("utf-8")
    assert text.count("tie: absent}") == 1
    config.write_text(text.replace("tie: absent}", "tie: absent, adjudicator: zoe}"), "utf-8")
    zoe = start("zoe", *WHO, command="adjudicate")
    assert "5 passages on which coders differ" in zoe.said
    page = zoe.ask("/passage/1")[2]
    assert "Coder A" in page and "Coder B" in page
    assert ">ann<" not in page and ">bob<" not in page
    assert "Fairness</legend>" not in page and "Cost</legend>" in page
    assert zoe.answer(1, "1").endswith("lacking")
    for place in range(1, 6):
        zoe.answer(place, "1", confidence="high", reason="a price is named")
    table = coded("zoe")
    assert len(table) == 5 and set(table["cost"]) == {"1"}
    assert set(table["fairness"]) == set(table["heritage"]) == {"NA"}
    assert {name: (CODINGS / f"{name}.tsv").read_bytes() for name in ("ann", "bob")} == before
    entry = answers("zoe")[0]
    assert (entry["reason"], entry["confidence"]) == ("a price is named", "high")
    assert main(["check"]) == 0
    assert "is the adjudicator" in refused(home, "code", "--coder", "zoe", "--no-browser")


def test_a_browser_that_never_comes_keeps_nobody_waiting(start):
    server = start("ann", *WHO)
    with alone():  # the page holds no lock of the project
        pass
    assert "0 of 6 are coded" in server.stop()


def test_a_confirmation_draw_waits_for_its_freeze_and_comes_whole(start, home, capsys):
    server = start("ann", *WHO)
    code_all(server)
    server.stop()
    draw = ["--size", "6", "--strata", "group", "--seed", "3", "--role", "confirmation"]
    assert main(["sample", "--supplement", *draw]) == 0
    said = refused(home, "code", "--coder", "bob", *WHO, "--draw", "1", "--no-browser")
    assert "nothing has been frozen" in said
    # The sample has its codings, and the draw may not have any yet.
    assert "framing freeze" in refused(home, "code", "--coder", "bob", *WHO, "--no-browser")
    assert main(["freeze"]) == 0
    capsys.readouterr()
    bob = start("bob", *WHO)
    assert "0 of them coded" in bob.said and "6 passages (draw 1)" in bob.said
    assert "all at once" in bob.ask("/passage/1")[2]
    code_all(bob, 5)
    assert main(["check"]) == 0 and "pending" in capsys.readouterr().out
    assert main(["code", "--finish"]) == 1  # not even so
    assert "leaves out 1 passage" in capsys.readouterr().err
    bob.answer(6, "1", "0", "0")
    assert len(coded("bob")) == 6
    assert main(["check"]) == 0 and "unread, frozen on" in capsys.readouterr().out
