"""Coders that are programs: a real server that misbehaves, the record, and tables made of it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from framing.acquire.machine.asking import Task
from framing.acquire.machine.prompt import Passage
from framing.cli.main import main
from framing.codebook.codebook import load_codebook
from framing.coding.codings import foreign_files, read_coders
from framing.common.paths import CODEBOOK, CODERS, CODINGS, CONFIG, PASSAGES, SAMPLE
from framing.sampling.draw import DRAWS
from framing.sampling.records import read_draws
from framing.workflow.plan import plan
from tests.unit import chat_server as chat
from tests.unit.chat_server import Server

pytestmark = pytest.mark.slow

KEY = "sk-secret-0123456789abcdef"
MODEL = "words"
RECORD = CODINGS / "gpt" / "responses.jsonl"
CODED = CODINGS / "gpt" / "coded.tsv"
TABLE = CODINGS / "gpt.tsv"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with chat.serving() as running:
        yield running


@pytest.fixture
def model(server: Server) -> Iterator[Server]:
    """The server as it begins: nothing wrong, nothing asked."""
    server.model, server.usage, server.name = chat.by_words, True, chat.MODEL
    server.faults, server.always = {}, []
    server.asked, server.bodies, server.keys = [], [], []
    yield server
    server.faults, server.always = {}, []


@pytest.fixture
def project(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example with one of its coders, as the others would only take time."""
    home = tmp_path / "mini"
    others = ("machine-2.tsv", "machine-3.tsv")
    left_out = shutil.ignore_patterns("results", "build", ".snakemake", *others)
    shutil.copytree(mini, home, ignore=left_out)
    monkeypatch.chdir(home)
    monkeypatch.setenv("FRAMING_API_KEY", KEY)
    cut(CODERS, 2)
    settings(first_wait=0.001, longest_wait=1, seconds=2)
    return home


def cut(path: Path, lines: int) -> None:
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:lines]), "utf-8")


def settings(**changed: Any) -> None:
    config = yaml.safe_load(CONFIG.read_text("utf-8"))
    config["machine_coders"] = config.get("machine_coders", {}) | changed
    CONFIG.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")


@pytest.fixture
def code(project: Path, model: Server, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*arguments: str, coder: str = "gpt", asked: bool = True) -> tuple[int, str, str]:
        where = ("--model", MODEL, "--endpoint", model.url) if asked else ()
        capsys.readouterr()
        status = main(["code", "--coder", coder, *where, *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return ran


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def drawn() -> list[str]:
    return list(table(SAMPLE)["passage_id"])


def record() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORD.read_text("utf-8").splitlines()]


def entry(passage: str) -> dict[str, Any]:
    return next(one for one in reversed(record()) if one["passage_id"] == passage)


def text_of(passage: str) -> str:
    row = table(PASSAGES).set_index("passage_id").loc[passage]
    text = Path(f"corpus/texts/{row['source_id']}.txt").read_text("utf-8")
    return text[int(row["start"]) : int(row["end"])]


def expected(passage: str) -> dict[str, str]:
    text = text_of(passage).lower()
    cells = cells_of(CODEBOOK.read_bytes())
    return {name: own[text.count(name[:3]) % len(own)] for name, own in cells.items()}


@cache
def cells_of(codebook: bytes) -> dict[str, tuple[str, ...]]:
    """The cells of each code in the codebook that holds these bytes: read once, asked of often."""
    assert codebook == CODEBOOK.read_bytes()
    return {name: tuple(code.cells) for name, code in load_codebook(CODEBOOK).codes.items()}


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


# --- all goes well --------------------------------------------------------------------------------


def test_drawn_passages_are_coded_once_and_become_a_coder(code: Run, model: Server) -> None:
    status, out, err = code("--describe", "a test")
    assert (status, err) == (0, "")
    assert sorted(model.asked) == sorted(drawn())
    own = table(TABLE)
    assert list(own["passage_id"]) == drawn()
    assert {one: own.set_index("passage_id").loc[one, list(expected(one))].to_dict()
            for one in drawn()} == {one: expected(one) for one in drawn()}  # fmt: skip
    assert set(own["unsure"]) <= {"0", "1"}
    coder = read_coders(CODERS).set_index("coder").loc["gpt"]
    assert (coder["kind"], coder["model"], coder["description"]) == (
        "machine",
        chat.MODEL,
        "a test",
    )
    everything = table(CODED)
    assert list(everything["passage_id"]) == list(table(PASSAGES)["passage_id"])
    inside = everything["passage_id"].isin(drawn())
    assert (everything[~inside][["cost", "fairness", "heritage"]] == "NA").all(axis=None)
    assert foreign_files(CODINGS) == []
    assert plan({}).codings.count("corpus/codings/gpt.tsv") == 1
    assert "corpus/codings/gpt/responses.jsonl" in plan({}).packed
    assert "answers: 62, of which 0 could not be used" in out
    assert "62,000 sent, 1,240 answered" in out


def test_a_second_run_asks_nothing_and_changes_nothing(code: Run, model: Server) -> None:
    code()
    before, asked = files(Path("corpus")), len(model.asked)
    status, out, _ = code()
    assert (status, len(model.asked), files(Path("corpus"))) == (0, asked, before)
    assert "questions to ask: 0 (answered already: 62)" in out


def test_tables_are_made_from_the_record_alone_to_the_byte(
    code: Run, model: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    code("--repeat", "2")
    before, asked = files(Path("corpus")), len(model.asked)
    shutil.rmtree("corpus/texts")
    for path in (TABLE, CODED):
        path.unlink()
    coders = CODERS.read_bytes()
    monkeypatch.setattr("socket.socket.connect", None)  # nothing is asked of anybody
    status, _, _ = code("--from-record", asked=False)
    assert status == 0
    after = files(Path("corpus"))
    assert all(after[name] == before[name] for name in after)
    assert {TABLE.relative_to("corpus").as_posix(), CODED.relative_to("corpus").as_posix()} <= set(
        after
    )
    assert CODERS.read_bytes() == coders
    assert len(model.asked) == asked


def test_order_of_answers_does_not_matter(code: Run) -> None:
    code()
    before = TABLE.read_bytes(), CODED.read_bytes()
    lines = RECORD.read_text("utf-8").splitlines(keepends=True)
    RECORD.write_text("".join(reversed(lines)), "utf-8")
    TABLE.unlink()
    code("--from-record", asked=False)
    assert (TABLE.read_bytes(), CODED.read_bytes()) == before


def test_all_passages_are_coded_for_the_instrument_without_a_coder(
    code: Run, model: Server
) -> None:
    coders = CODERS.read_bytes()
    status, _, _ = code("--instrument")
    everything = table(CODED).set_index("passage_id")
    assert status == 0
    assert len(model.asked) == len(everything)
    assert {one: everything.loc[one].to_dict() for one in everything.index} == {
        one: expected(one) for one in everything.index
    }
    assert not TABLE.exists()
    assert CODERS.read_bytes() == coders
    assert plan({}).stage == "coded"
    status, _, _ = code("--all")
    assert list(table(TABLE)["passage_id"]) == drawn()


def test_repeats_show_how_stable_answers_are_and_the_first_counts(code: Run, model: Server) -> None:
    one = drawn()[0]
    wavering = {"n": 0}

    def wavers(passage: str, text: str, body: dict[str, Any]) -> Any:
        found = chat.by_words(passage, text, body)
        if passage == one:
            wavering["n"] += 1
            found["cost"] = "1" if wavering["n"] == 1 else "0"
        return found

    model.model = wavers
    status, out, _ = code("--repeat", "3")
    assert status == 0
    assert len(model.asked) == 186
    assert table(TABLE).set_index("passage_id").loc[one, "cost"] == "1"
    assert "stability of cost: 62 passages answered more than once, alike in 98.4 %" in out
    assert "stability of heritage: 62 passages answered more than once, alike in 100.0 %, " in out
    seeds = {body["seed"] for body in model.bodies}
    assert seeds == {1, 2, 3}


# --- the prompt -----------------------------------------------------------------------------------


def test_the_prompt_can_be_read_and_is_what_is_sent(code: Run, model: Server) -> None:
    name = drawn()[3]
    _, out, _ = code("--show-prompt", name, asked=False)
    assert text_of(name) in out
    assert model.asked == []
    code()
    sent = next(body for body in model.bodies if chat.quoted(body)[0] == name)
    for message in sent["messages"]:
        assert message["content"] in out
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    codebook = load_codebook(CODEBOOK)
    for rule in codebook.rules.values():
        assert rule in out
    for level in codebook.indicators.values():
        assert all(one.reason in out for one in (*level.carrying, *level.near_misses))
    assert entry(name)["prompt"][:16] in out
    _, shown, _ = code("--show-prompt", asked=False)
    assert "(the text of the passage)" in shown
    status, _, err = code("--show-prompt", "nobody", asked=False)
    assert (status, "has no passage 'nobody'" in err) == (1, True)


def test_speaker_and_date_are_shown_as_settings_say(code: Run, model: Server) -> None:
    settings(show=["date"])
    code("--limit", "1")
    _, quoted = chat.quoted(model.bodies[0])
    assert quoted.startswith("Date: ")
    assert "Speaker" not in quoted


def test_answers_by_another_prompt_are_those_of_another_coder(code: Run, model: Server) -> None:
    code()
    before, asked = files(Path("corpus/codings")), len(model.asked)
    text = CODEBOOK.read_text("utf-8")
    CODEBOOK.write_text(
        text.replace("no money is weighed", "no money at all is weighed", 1), "utf-8"
    )
    status, _, err = code()
    assert status == 1
    assert "holds answers by another prompt (the codebook)" in err
    settings(temperature=0.5)
    CODEBOOK.write_text(text, "utf-8")
    _, _, err = code()
    assert "holds answers by another settings (machine_coders)" in err
    assert (files(Path("corpus/codings")), len(model.asked)) == (before, asked)


# --- what the model says wrong --------------------------------------------------------------------


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda found: {key: value for key, value in found.items() if key != name}


WRONG: dict[str, tuple[chat.Fault, str]] = {
    "prose": (chat.says("The passage carries cost."), "not a JSON object"),
    "prose around": (chat.says_of(lambda found: f"Here it is: {json.dumps(found)}"), "not a JSON"),
    "fenced": (chat.says_of(lambda found: f"```json\n{json.dumps(found)}\n```"), "not a JSON"),
    "half": (chat.says_of(lambda found: json.dumps(found)[:-9]), "not a JSON object"),
    "cut off": (chat.says('{"passage_id": ', "length"), "cut off"),
    "nothing": (chat.says(None), "empty"),
    "two": (chat.says_of(lambda found: json.dumps(found) * 2), "not a JSON object"),
    "a list": (chat.says_of(lambda found: [found]), "not a JSON object"),
    "missing": (chat.says_of(without("cost")), "without 'cost'"),
    "no id": (chat.says_of(without("passage_id")), "without 'passage_id'"),
    "level": (chat.says_of(lambda found: found | {"cost": "2"}), "'cost' is none of '0', '1'"),
    "number": (chat.says_of(lambda found: found | {"cost": 1}), "'cost' is none of '0', '1'"),
    "list": (chat.says_of(lambda found: found | {"cost": ["1"]}), "'cost' is none of"),
    "unsure": (chat.says_of(lambda found: found | {"unsure": "no"}), "'unsure' is neither"),
    "more": (chat.says_of(lambda found: found | {"why": "it says so"}), "not asked for"),
    "twice": (
        chat.says_of(lambda found: json.dumps(found)[:-1] + ', "cost": "1"}'), "one key twice",
    ),
    "other": (chat.says_of(lambda found: found | {"passage_id": "0000000000"}), "another passage"),
    "deep": (chat.says("[" * 100_000), "not a JSON object"),
    "surrogate": (chat.says("\ud83d"), "not a JSON object"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_used_is_asked_for_once_more(code: Run, model: Server, case: str) -> None:
    fault, why = WRONG[case]
    name = drawn()[0]
    model.faults[name] = [fault]
    status, _, err = code("--limit", "1")
    assert (status, err) == (0, "")
    assert model.asked == [name, name]
    told = model.bodies[1]["messages"]
    assert [message["role"] for message in told] == ["system", "user", "assistant", "user"]
    assert why in told[3]["content"]
    found = entry(name)
    assert found["codes"] == expected(name)
    assert [one["defect"] == "" for one in found["tries"]] == [False, True]


@pytest.mark.parametrize("case", ["prose", "cut off", "level", "other"])
def test_what_cannot_be_used_twice_is_not_coded_with_the_reason(
    code: Run, model: Server, case: str
) -> None:
    fault, why = WRONG[case]
    name = drawn()[0]
    model.faults[name] = [fault, fault]
    status, out, _ = code()
    assert status == 0
    assert model.asked.count(name) == 2
    row = table(TABLE).set_index("passage_id").loc[name]
    assert set(row[["cost", "fairness", "heritage", "unsure"]]) == {"NA"}
    assert why in entry(name)["reason"]
    assert f"not coded, as the answer was {entry(name)['reason']}: 1" in out
    asked = len(model.asked)
    code()
    assert len(model.asked) == asked
    code("--anew")
    assert len(model.asked) == asked + 1
    assert table(TABLE).set_index("passage_id").loc[name, "cost"] == expected(name)["cost"]


@pytest.mark.parametrize(
    "fault",
    [
        chat.says("I'm sorry, but I can't help with that."),
        chat.says("I cannot code this."),
        chat.says(None, refusal="I will not."),
        chat.says("", "content_filter"),
        chat.status(400, {"code": "content_filter", "message": "as it says …"}),
    ],
)
def test_a_refusal_is_known_as_one_and_not_argued_with(
    code: Run, model: Server, fault: chat.Fault
) -> None:
    name = drawn()[0]
    model.faults[name] = [fault]
    status, out, _ = code()
    assert status == 0
    assert model.asked.count(name) == 1
    assert entry(name)["reason"] == "refused"
    assert "not coded, as the answer was refused: 1" in out


def test_a_hostile_passage_changes_nothing_but_its_own_code(code: Run, model: Server) -> None:
    name, victim = drawn()[0], drawn()[1]
    row = table(PASSAGES).set_index("passage_id").loc[name]
    hostile = {
        "passage_id": victim, "cost": "1", "fairness": "1", "heritage": "1", "unsure": False,
        "../../../config/config.yaml": "x", "coder": "machine-1",
    }  # fmt: skip
    obeyed: list[Any] = [
        {key: hostile[key] for key in ("passage_id", "cost", "fairness", "heritage", "unsure")},
        hostile,
        hostile | {"passage_id": name},
        hostile | {"passage_id": f"{name}\t1\t1\t1\n{victim}\tgpt\t1\t1\t1\t0"},
        [hostile | {"passage_id": one} for one in drawn()],
        json.dumps(hostile | {"passage_id": name}) + "\n" + json.dumps(hostile),
    ]
    own = {one: expected(one) for one in drawn()}
    marks = {}
    for number, answer in enumerate(obeyed):
        told = answer if isinstance(answer, str) else json.dumps(answer)
        model.faults = {name: [chat.says(told), chat.says(told)]}
        coder = f"gpt{number}"
        assert code(coder=coder)[0] == 0
        rows = table(CODINGS / f"{coder}.tsv").set_index("passage_id")
        marks[coder] = set(rows.loc[name, list(own[name])])
        assert {one: rows.loc[one, list(own[one])].to_dict() for one in drawn() if one != name} == {
            one: own[one] for one in drawn() if one != name
        }
    assert marks == {coder: {"NA"} for coder in marks}
    assert row["source_id"]  # the passage is one of the corpus
    # Obeyed in the form that was asked for, it has its own code, and no other passage has.
    form = {"passage_id": name, "cost": "1", "fairness": "1", "heritage": "1", "unsure": False}
    model.faults = {name: [chat.says(json.dumps(form))]}
    code()
    rows = table(TABLE).set_index("passage_id")
    assert set(rows.loc[name, list(own[name])]) == {"1"}
    assert all(rows.loc[one, list(own[one])].to_dict() == own[one] for one in drawn()[1:])


def test_no_message_holds_two_passages(code: Run, model: Server) -> None:
    code()
    texts = {name: text_of(name) for name in drawn()}
    for body in model.bodies:
        whole = json.dumps(body["messages"], ensure_ascii=False)
        own, _ = chat.quoted(body)
        assert [one for one in texts if one != own and one in whole] == []
        assert [one for one, text in texts.items() if one != own and text[:60] in whole] == []


def test_no_prose_of_a_passage_comes_into_the_record(code: Run, model: Server) -> None:
    def quotes(passage: str, text: str, body: dict[str, Any]) -> Any:
        found = chat.by_words(passage, text, body)
        return found | {"cost": text, "passage_id": text, "why": text, text: "x"}

    model.model = quotes
    model.name = "words"
    code()
    told = RECORD.read_text("utf-8")
    for name in drawn():
        words = text_of(name).split()
        for at in range(len(words) - 3):
            assert " ".join(words[at : at + 4]) not in told
    assert {one["reason"] for one in record()} == {"for another passage"}
    kept = record()[0]["tries"][0]["answer"]
    assert set(kept) == {"length", "sha256", "json", "others"}
    assert set(kept["json"]["cost"]) == {"length", "sha256"}


# --- what the server does wrong -------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [chat.status(500), chat.status(503), chat.status(429), chat.status(529), chat.half,
     chat.hangs_up, chat.status(429, Retry_After="0"), chat.status(429, Retry_After="tomorrow")],
)  # fmt: skip
def test_what_may_pass_is_tried_again(code: Run, model: Server, fault: chat.Fault) -> None:
    name = drawn()[0]
    model.faults[name] = [fault, fault]
    status, _, err = code("--limit", "1")
    assert (status, err) == (0, "")
    assert model.asked == [name] * 3
    assert len(record()) == 1
    assert entry(name)["codes"] == expected(name)


@pytest.mark.parametrize("fault", [chat.silent, chat.drips])
def test_a_deadline_holds_over_a_whole_answer(code: Run, model: Server, fault: chat.Fault) -> None:
    settings(seconds=0.2)
    name = drawn()[0]
    model.faults[name] = [fault]
    status, _, _ = code("--limit", "1")
    assert (status, model.asked) == (0, [name, name])
    assert entry(name)["codes"] == expected(name)


def test_a_server_that_asks_for_time_gets_it(
    code: Run, model: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from framing.acquire.machine import chat as client

    waits: list[float] = []
    wait = client.asyncio.sleep

    async def noted(seconds: float) -> None:
        waits.append(seconds)
        await wait(0)

    monkeypatch.setattr(client.asyncio, "sleep", noted)
    settings(longest_wait=30, first_wait=1.0)
    name = drawn()[0]
    model.faults[name] = [chat.status(429, Retry_After="7"), chat.status(500), chat.status(500)]
    code("--limit", "1")
    assert waits[0] == 7
    assert 1 <= waits[1] <= 2
    assert 2 <= waits[2] <= 4
    own = {"first_wait": 1.0, "longest_wait": 30}
    task = Task(Passage(name, ""), 1)
    assert waits[1:] == [client.backed_off(task, attempt, own) for attempt in (2, 3)]


def test_a_server_that_asks_for_too_long_ends_the_run(code: Run, model: Server) -> None:
    settings(concurrency=1)
    model.faults[drawn()[1]] = [chat.status(429, Retry_After="3600")]
    status, out, err = code()
    assert status == 1
    assert "the server asks to be left alone for 3600 seconds" in err
    assert "61 questions are left: run the same again." in out
    assert [one["passage_id"] for one in record()] == drawn()[:1]
    assert code()[0] == 0
    assert sorted(model.asked) == sorted([*drawn(), drawn()[1]])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (chat.status(401, {"message": f"Incorrect API key provided: {KEY}"}), "wants a key"),
        (chat.status(403), "wants a key"),
        (chat.status(404, {"code": "model_not_found"}), "no such address or model (answer 404"),
        (chat.status(307, Location="http://example.org/"), "sends on to another address"),
        (chat.status(429, {"code": "insufficient_quota"}), "answer 429, insufficient_quota"),
        (chat.status(418), "refuses the request (answer 418)"),
    ],
)  # fmt: skip
def test_what_cannot_pass_ends_the_run_at_once(
    code: Run, model: Server, fault: chat.Fault, said: str
) -> None:
    settings(concurrency=1)
    model.always = [fault]
    before = files(Path("corpus"))
    status, out, err = code()
    assert status == 1
    assert said in err
    assert len(model.asked) == 1
    assert files(Path("corpus")) == before
    assert KEY not in out + err


def test_a_server_that_never_answers_is_given_up(code: Run, model: Server) -> None:
    settings(concurrency=1, attempts=2, given_up=3)
    model.always = [chat.status(500)] * 100
    status, _, err = code()
    assert status == 1
    assert len(model.asked) == 6
    assert "no answer for 3 passages, as the server cannot answer now (answer 500), in 2" in err
    assert not RECORD.exists()
    assert not RECORD.parent.exists()


def test_a_passage_that_a_server_refuses_is_left_and_told(code: Run, model: Server) -> None:
    name = drawn()[4]
    model.faults[name] = [chat.status(400, {"code": "context_length_exceeded"})]
    status, out, err = code()
    assert status == 1
    assert "no answer for 1 passage, as the server refuses the request (answer 400, cont" in err
    assert repr(name) in err
    assert len(record()) == 61
    assert list(table(TABLE)["passage_id"]) == [one for one in drawn() if one != name]
    assert "1 questions are left" in out


def test_answers_without_end_are_given_up(code: Run, model: Server) -> None:
    settings(bytes=2000)
    model.faults[drawn()[0]] = [chat.says("x" * 5000)]
    status, _, err = code("--limit", "1")
    assert (status, "more than 2,000 bytes" in err) == (1, True)


def test_several_are_asked_about_at_once_and_no_more(code: Run, model: Server) -> None:
    settings(concurrency=3)
    now: list[str] = []
    most: list[int] = []

    def slow(passage: str, text: str, body: dict[str, Any]) -> Any:
        now.append(passage)
        most.append(len(now))
        time.sleep(0.02)
        now.remove(passage)
        return chat.by_words(passage, text, body)

    model.model = slow
    assert code()[0] == 0
    assert 2 <= max(most) <= 3


# --- killed ---------------------------------------------------------------------------------------


def command(model: Server, *more: str) -> list[str]:
    return [sys.executable, "-m", "framing.cli", "code", "--coder", "gpt", "--model", MODEL,
            "--endpoint", model.url, *more]  # fmt: skip


def test_a_killed_run_goes_on_and_asks_nothing_twice(code: Run, model: Server) -> None:
    settings(concurrency=1)

    def slow(passage: str, text: str, body: dict[str, Any]) -> Any:
        time.sleep(0.05)
        return chat.by_words(passage, text, body)

    model.model = slow
    running = subprocess.Popen(command(model), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(2000):
        if RECORD.is_file() and RECORD.read_bytes().count(b"\n") >= 4:
            break
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    kept = RECORD.read_bytes()
    done = [one["passage_id"] for one in record()]
    assert 4 <= len(done) < 62
    # And it was killed in the middle of a line.
    RECORD.write_bytes(kept + b'{"format": 1, "passage_id": "' + drawn()[len(done)].encode()[:4])
    model.asked.clear()
    model.model = chat.by_words
    status, out, _ = code()
    assert status == 0
    assert "The last answer on record was cut off: it is dropped" in out
    assert not set(model.asked) & set(done)
    assert sorted([*model.asked, *done]) == sorted(drawn())
    assert RECORD.read_bytes().startswith(kept)
    assert list(table(TABLE)["passage_id"]) == drawn()


def test_two_runs_at_once_are_told_apart(code: Run, model: Server) -> None:
    from framing.acquire.machine.record import adding, read_record

    code("--limit", "2")
    asked = len(model.asked)
    with adding(RECORD, read_record(RECORD)):
        status, _, err = code()
    assert (status, len(model.asked)) == (1, asked)
    assert "another run is adding answers to it" in err


def test_a_record_that_was_edited_is_refused(code: Run) -> None:
    code()
    good = RECORD.read_text("utf-8")
    lines = good.splitlines(keepends=True)
    for wrong, said in (
        ("nonsense\n", "line 2: is no answer of a program"),
        (lines[1].replace('"cost": "1"', '"cost": "7"').replace('"cost": "0"', '"cost": "7"'),
         "line 2: has a level of 'cost' that the codebook has not"),
        (lines[1].replace('"cost"', '"gain"'), "line 2: answers the codes"),
        (lines[1].replace(f'"asked": "{MODEL}"', '"asked": "x"'), "more than one model (--model)"),
    ):  # fmt: skip
        RECORD.write_text("".join([lines[0], wrong, *lines[2:]]), "utf-8")
        before = files(Path("corpus"))
        status, _, err = code("--from-record", asked=False)
        assert status == 1
        assert said in err
        assert files(Path("corpus")) == before


def test_a_table_edited_by_hand_is_not_overwritten(code: Run) -> None:
    code()
    text = TABLE.read_text("utf-8")
    first = text.splitlines()[1]
    cells = first.split("\t")
    cells[2] = "1" if cells[2] == "0" else "0"
    TABLE.write_text(text.replace(first, "\t".join(cells)), "utf-8")
    before = files(Path("corpus"))
    status, _, err = code("--from-record", asked=False)
    assert status == 1
    assert "has 1 coding that the record of answers has otherwise" in err
    assert files(Path("corpus")) == before


# --- budget ---------------------------------------------------------------------------------------


def test_a_dry_run_says_what_it_would_cost_and_asks_nothing(code: Run, model: Server) -> None:
    settings(prices={MODEL: {"input": 10.0, "output": 30.0}})
    before = files(Path())
    status, out, _ = code("--dry-run", "--repeat", "2", "--limit", "30")
    assert status == 0
    assert "questions to ask: 30 (answered already: 0)" in out
    assert "bytes a token" in out
    assert "cost, estimated: " in out
    assert model.asked == []
    assert {name: data for name, data in files(Path()).items() if "build" not in name} == before


def test_no_more_than_the_limit_is_asked(code: Run, model: Server) -> None:
    status, out, err = code("--limit", "7")
    assert (status, err) == (0, "")
    assert len(model.asked) == 7
    assert "55 questions are left" in out
    assert len(table(TABLE)) == 7
    code("--limit", "50")
    code("--limit", "50")
    assert sorted(model.asked) == sorted(drawn())


def test_a_budget_is_never_exceeded(code: Run, model: Server) -> None:
    # A question costs at most 2 × estimated + 2 × 1000 tokens, one answered 1,020.
    settings(prices={MODEL: {"input": 1000.0, "output": 1000.0}}, max_tokens=100, concurrency=4)
    status, out, _ = code("--max-cost", "18")
    assert status == 0
    spent = 1.02 * len(model.asked)
    assert 3 <= len(model.asked) < 62
    assert spent <= 18
    assert "The budget is used up: " in out
    assert f"cost of this run: {spent:.4f}" in out
    status, _, err = code("--max-cost", "1", coder="other")
    assert (status, "does not pay for a single question" in err) == (1, True)


def test_a_budget_needs_a_price(code: Run, model: Server) -> None:
    status, _, err = code("--max-cost", "1")
    assert (status, model.asked) == (1, [])
    assert "has no price of the model 'words'" in err


def test_tokens_that_a_server_does_not_count_are_estimated(code: Run, model: Server) -> None:
    model.usage = False
    _, out, _ = code("--limit", "1")
    assert "tokens (in part estimated): " in out
    assert entry(model.asked[0])["input_tokens"] > 1000
    assert entry(model.asked[0])["counted"] is False


# --- the key, and where passages may go -----------------------------------------------------------


def test_the_key_is_sent_and_stands_nowhere(code: Run, model: Server, project: Path) -> None:
    model.name = f"words {KEY}"
    model.faults[drawn()[0]] = [chat.status(500, {"code": KEY, "message": KEY}), chat.hangs_up]
    model.faults[drawn()[1]] = [chat.says("x", KEY), chat.says("x", KEY)]
    status, out, err = code()
    assert status == 0
    assert set(model.keys) == {f"Bearer {KEY}"}
    assert KEY not in out + err
    assert [name for name, data in files(project).items() if KEY.encode() in data] == []


def test_without_a_key_none_is_sent(
    code: Run, model: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FRAMING_API_KEY")
    code("--limit", "1")
    assert model.keys == [""]
    monkeypatch.setenv("OTHER_KEY", "abc")
    settings(key_variable="OTHER_KEY")
    code("--limit", "1")
    assert model.keys == ["", "Bearer abc"]
    monkeypatch.setenv("OTHER_KEY", f"{KEY}\nX-Evil: 1")
    status, out, err = code()
    assert (status, "holds what cannot be a key" in err) == (1, True)
    assert KEY not in out + err


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://198.51.100.7/v1", "'198.51.100.7' is not on this machine"),
        ("https://198.51.100.7/v1", "'198.51.100.7' is not on this machine"),
        ("http://0x7f.1.evil.invalid/v1", "cannot be found"),
        ("ftp://localhost/v1", "is no address of a server"),
        ("localhost:1234", "is no address of a server"),
        ("http://ann:pw@localhost/v1", "holds a user name or a password"),
        ("http://localhost/v1?key=abc", "holds a query"),
        ("http://localhost:99999/v1", "is no address of a server"),
    ],
)
def test_where_passages_may_not_go(code: Run, model: Server, address: str, said: str) -> None:
    status, out, err = code("--endpoint", address)
    assert (status, model.asked) == (1, [])
    assert said in err
    assert "pw@" not in out + err
    assert "abc" not in out + err


def test_a_proxy_of_the_environment_is_not_asked(
    code: Run, model: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert code("--limit", "1")[0] == 0
    assert len(model.asked) == 1


# --- roles ----------------------------------------------------------------------------------------


def confirmation(*, freeze: bool) -> list[str]:
    """Draw a confirmation draw, after a freeze or before any, and return its passages."""
    if freeze:
        assert main(["freeze"]) == 0
    draw = ["sample", "--supplement", "--size", "9", "--seed", "4", "--role", "confirmation"]
    assert main(draw) == 0
    return list(read_draws(DRAWS)[-1].drawn["passage_id"])


@pytest.mark.parametrize("more", [(), ("--all",), ("--instrument",)])
def test_a_confirmation_draw_waits_for_a_freeze(
    code: Run, model: Server, more: tuple[str, ...]
) -> None:
    held = confirmation(freeze=False)
    status, out, _ = code(*more)
    assert status == 0
    assert not set(model.asked) & set(held)
    assert "left out: 9 passages of the confirmation draw 1, as nothing is frozen" in out
    assert not set(held) & {one["passage_id"] for one in record()}
    assert main(["freeze"]) == 0
    assert main(["check"]) == 0
    code(*more)
    assert sorted(set(model.asked) & set(held)) == sorted(held)


def test_a_confirmation_draw_waits_where_the_freeze_does_not_stand(
    code: Run, model: Server
) -> None:
    held = confirmation(freeze=True)
    config = CONFIG.read_text("utf-8")
    CONFIG.write_text(config.replace("seed: 20150312", "seed: 20150313"), "utf-8")
    _, out, _ = code()
    assert "as what was frozen has changed since" in out
    assert not set(model.asked) & set(held)


def test_a_confirmation_draw_joins_the_table_as_a_whole(code: Run, model: Server) -> None:
    held = confirmation(freeze=True)
    status, out, _ = code("--limit", "65")
    assert status == 0
    some = {one["passage_id"] for one in record()} & set(held)
    assert len(some) == 3
    assert not set(table(TABLE)["passage_id"]) & set(held)
    assert "joins the table as a whole: of 9 passages 6 are left to be asked" in out
    assert read_draws(DRAWS)
    status, out, _ = code()
    assert status == 0
    assert "unread" in out
    assert set(held) <= set(table(TABLE)["passage_id"])
    assert plan({}).states == ["unread"]


def test_a_coder_that_nobody_else_supplements_needs_all_drawn_passages(
    code: Run, model: Server
) -> None:
    """Without other codings a run would refuse a part: the table waits, answers are kept."""
    (CODINGS / "machine-1.tsv").unlink()
    cut(CODERS, 1)
    status, out, err = code("--limit", "5")
    assert (status, err) == (0, "")
    assert not TABLE.exists()
    assert "written once a run would take it" in out
    name = drawn()[9]
    model.faults[name] = [chat.says("no"), chat.says("no")]
    status, out, err = code()
    assert status == 1
    assert "1 drawn passages have no coding of 'cost'" in err
    assert len(record()) == 62
    assert code("--anew")[0] == 0
    assert list(table(TABLE)["passage_id"]) == drawn()


# --- bad input ------------------------------------------------------------------------------------


def test_names_that_cannot_be_a_coder(code: Run, model: Server) -> None:
    before = files(Path("corpus"))
    for name in ("../gpt", "a/b", "", ".gpt", "a b"):
        status, _, err = code(coder=name)
        assert status == 1
        assert ("cannot be the name of a coder" if name else "names nobody") in err
    status, _, err = code(coder="machine-1")
    assert "holds codings that no record of answers is behind" in err
    CODERS.write_text(CODERS.read_text("utf-8").replace("\tmachine\t", "\thuman\t").replace(
        "the language model that wrote the example, three passes\n", "\n"), "utf-8")  # fmt: skip
    status, _, err = code(coder="machine-1")
    assert "says that the coder 'machine-1' is human" in err
    status, _, err = code(coder="Machine-1")
    assert "differs from the coder 'machine-1' in case only" in err
    assert (CODINGS / "Machine-1.tsv").exists() is False
    assert files(Path("corpus/codings")).keys() >= {"machine-1.tsv"}
    assert model.asked.count(drawn()[0]) <= 1
    assert set(before) <= set(files(Path("corpus")))


def test_texts_that_are_not_at_hand_are_named(code: Run, model: Server) -> None:
    row = table(PASSAGES).set_index("passage_id").loc[drawn()[0]]
    Path(f"corpus/texts/{row['source_id']}.txt").unlink()
    status, _, err = code()
    assert (status, model.asked) == (1, [])
    assert f"of the sources {row['source_id']}" in err
    status, out, _ = code("--skip-absent")
    assert status == 0
    assert "left out, as their text is not at hand: " in out


def test_other_files_beside_a_record_are_no_record(code: Run) -> None:
    code("--limit", "1")
    assert foreign_files(CODINGS) == []
    (RECORD.parent / "codings.csv").write_text("x", "utf-8")
    assert [str(one.place) for one in foreign_files(CODINGS)] == [str(RECORD.parent)]
    (CODINGS / "empty").mkdir()
    assert len(foreign_files(CODINGS)) == 2


# --- another program ------------------------------------------------------------------------------

CODER = """\
import json, sys
mode = sys.argv[1] if len(sys.argv) > 1 else ""
for number, line in enumerate(sys.stdin):
    one = json.loads(line)
    found = {"passage_id": one["passage_id"], "repeat": one["repeat"],
             "cost": str(int("cos" in one["text"].lower())), "fairness": "0", "heritage": "0",
             "unsure": False}
    if mode == "wrong" and number == 1:
        found["cost"] = "maybe"
    if mode == "other" and number == 1:
        found["passage_id"] = "0000000000"
    if mode == "stops" and number == 5:
        break
    print(json.dumps(found))
"""


def executable(code: Run, mode: str = "", *more: str) -> tuple[int, str, str]:
    Path("coder.py").write_text(CODER, "utf-8")
    line = f"{sys.executable} coder.py {mode}"
    return code("--program", "command", "--command", line, "--model", "a script, 1.0", *more,
                asked=False)  # fmt: skip


def test_any_executable_can_code(code: Run) -> None:
    status, out, err = executable(code, "", "--repeat", "2")
    assert (status, err) == (0, "")
    own = table(TABLE).set_index("passage_id")
    assert {one: own.loc[one, "cost"] for one in drawn()} == {
        one: str(int("cos" in text_of(one).lower())) for one in drawn()
    }
    assert "alike in 100.0 %" in out
    assert read_coders(CODERS).set_index("coder").loc["gpt", "model"] == "a script, 1.0"
    assert str(Path.cwd()) not in RECORD.read_text("utf-8")
    assert sys.executable not in RECORD.read_text("utf-8")


def test_what_an_executable_does_wrong(code: Run) -> None:
    status, out, _ = executable(code, "wrong")
    assert status == 0
    assert "'cost' is none of '0', '1'" in out
    shutil.rmtree(RECORD.parent)
    TABLE.unlink()
    status, _, err = executable(code, "other")
    assert status == 1
    assert "gave a line that is no answer for a passage it was asked about" in err
    assert len(record()) == 1
    shutil.rmtree(RECORD.parent)
    TABLE.unlink()
    status, _, err = executable(code, "stops")
    assert (status, "ended without an answer" in err) == (1, True)
    assert len(record()) == 5
    status, _, err = code("--program", "command", "--command", "/nowhere/at-all", "--model", "x",
                          coder="other", asked=False)  # fmt: skip
    assert (status, "cannot be started" in err) == (1, True)
    status, _, err = code("--program", "command", "--command", "x", asked=False, coder="other")
    assert (status, "--model is not given" in err) == (1, True)
