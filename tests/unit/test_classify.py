"""``framing classify``: every row once, in order, coded as the models say, whatever it holds."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from contextlib import chdir, closing
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.classifier import processes
from framing.classifier.apply import code_text, load_instrument, prose
from framing.classifier.features import closeness_of, stem
from framing.classifier.inputs import Tables
from framing.classifier.model_file import FORMAT, Prediction, model_text, predict, read_model
from framing.classifier.training import train_code
from framing.cli import classify
from framing.cli.classify import SeenIds, code_rows, codebook_note
from framing.cli.delimited import DelimitedWriter, read_delimited
from framing.cli.formats import Coded, Columns, Row, added_columns
from framing.cli.json_lines import JsonlWriter, read_jsonl
from framing.codebook import cues
from framing.codebook.cues import pattern_hits
from framing.coding.codings import combine_coders
from framing.coding.variables import variables_of
from framing.common.config import load_config
from framing.common.files import json_text, read_table, sha256, write_text
from framing.common.paths import CONFIG, SOURCES
from framing.common.problems import InputError
from framing.corpus.facts import exemplar_facts, pattern_table, rule_table, tables_of_facts
from framing.corpus.store import read_facts
from framing.corpus.tables import passage_frame
from framing.corpus.words import word_counts
from framing.project.load import Project, load_project

MINI = Path(__file__).resolve().parents[2] / "examples" / "mini"
FIRST = "The second tunnel would swallow eleven million more, said the auditor."
SECOND = "Everybody should be asked, on this bank of the river and on the other."
CODES = ["cost", "fairness", "heritage"]
ADDED = ["cost_probability", "cost", "fairness_probability", "fairness", "heritage_probability",
         "heritage", "unfamiliar", "problem"]  # fmt: skip


# --- a project with models, also for the tests of the other commands ------------------------------


def mini_tables(folder: Path = MINI) -> tuple[Project, Tables]:
    """Read the example project, or one like it, and the tables that its classifiers learn from."""
    with chdir(folder):
        project = load_project(load_config(CONFIG))
        facts = [read_facts(name) for name in project.sources["source_id"]]
    exemplars, taught = exemplar_facts(project.codebook)
    words, hits = tables_of_facts([*facts, taught], stem)
    votes = [(cue.name, code, v) for cue in project.codebook.cues for code, v in cue.votes.items()]
    frame = passage_frame(project.sources, project.passages, project.sample, project.config)
    variables = variables_of(project.codebook.codes)
    book, chosen = project.codebook, project.config["classifier"]
    return project, Tables(
        frame,
        combine_coders(project.codings, project.config["coders"], variables),
        words,
        hits,
        pattern_table(book),
        exemplars,
        closeness_of(list(frame["passage_id"]), words, rule_table(book, stem), chosen),
        pd.DataFrame(votes, columns=["cue", "code", "vote"]),
        variables=variables,
    )


@cache
def trained() -> dict[str, str]:
    """Return the text of each model file of the example project, trained once."""
    project, tables = mini_tables()
    given = project.config["classifier"]
    return {code: model_text(train_code(code, tables, given)[1]) for code in project.codebook.codes}


def make_project(folder: Path) -> Path:
    """Copy the example project, with models fit to it."""
    for part in ("config", "corpus"):
        shutil.copytree(MINI / part, folder / part)
    for code, text in trained().items():
        write_text(folder / "results" / "models" / f"{code}.json", text)
    return folder


def command(module, project: Path, *argv: str, here: Path | None = None) -> int:
    """Run a command as ``framing`` does: in the project, called from ``here``."""
    parser = argparse.ArgumentParser()
    common = argparse.ArgumentParser(add_help=False)
    module.register(parser.add_subparsers(), common)
    arguments = parser.parse_args([module.__name__.rpartition(".")[2], *argv])
    if here is not None:
        arguments.called_from = here
    with chdir(project):
        return arguments.run(arguments)


# --- fixtures -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return make_project(tmp_path_factory.mktemp("classify") / "project")


@pytest.fixture(scope="module")
def instrument(project):
    with chdir(project):
        return load_instrument()


@pytest.fixture
def run(project, instrument, tmp_path, monkeypatch, capsys):
    """Code a table given as bytes; return status, output as bytes and what was said."""
    monkeypatch.setattr(classify, "load_instrument", lambda: instrument)  # read once, for speed

    def _run(data: bytes, *options: str, name: str = "in.csv", output: str | None = None):
        (tmp_path / name).write_bytes(data)
        output = output or f"out{Path(name).suffix}"
        status = command(classify, project, name, "--output", output, *options, here=tmp_path)
        return status, (tmp_path / output).read_bytes(), capsys.readouterr().err

    return _run


def rows_of(data: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


def stub(text: str) -> dict[str, Prediction]:
    """Stand in for the models where only rows matter."""
    return {"c": Prediction(len(text) % 7 / 10, len(text) % 2, (), 0.0, 0.0, "odd" in text)}


def blocks(code):
    """Return what codes blocks of texts by a function of one text."""

    def attempt(text):
        try:
            return code(text)
        except InputError as error:
            return error

    return lambda given: ([attempt(text) for text in block] for block in given)


def coded(table) -> list[Coded]:
    with closing(SeenIds()) as seen:
        return list(code_rows(blocks(stub), table.rows, seen))


COLUMNS = Columns("id", "text", added_columns([{"format": FORMAT, "code": "c"}]))


# --- known answers --------------------------------------------------------------------------------


@pytest.mark.slow
def test_codes_are_those_of_the_stored_models(run, project, instrument):
    folder = project / "corpus" / "texts"
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}
    frame = pd.read_csv(project / "corpus/passages.tsv", sep="\t")
    given = [
        [row.passage_id, texts[row.source_id][row.start : row.end]] for row in frame.itertuples()
    ]
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["id", "text"], *given])
    status, out, said = run(stream.getvalue().encode())
    got = rows_of(out)
    assert status == 0
    assert list(got[0]) == ["id", "text", *ADDED]
    assert [[row["id"], row["text"]] for row in got] == given
    facts = {
        row["passage_id"]: row
        for name in read_table(project / SOURCES, [], extra=True)["source_id"]
        for row in read_facts(name, project)["passages"]
    }
    models = {code: read_model(project / f"results/models/{code}.json") for code in CODES}
    for row in got:
        own, unfamiliar = facts[row["id"]], False
        for code in CODES:
            found = predict(models[code], own["counts"], own["hits"])
            assert row[f"{code}_probability"] == f"{found.probability:.6f}"
            assert row[code] == str(found.decision)
            unfamiliar |= found.unfamiliar
        assert (row["unfamiliar"], row["problem"]) == (str(int(unfamiliar)), "")
    assert {row["cost"] for row in got} == {"0", "1"}
    assert f"coded {len(given)} of {len(given)} rows" in said
    assert f"  cost: {sum(int(row['cost']) for row in got)}\n" in said


def test_words_and_cues_are_those_of_the_workflow(instrument):
    text = "The façade of the old town must be kept as it was, with its arcades."
    model = instrument.models["heritage"]
    expected = predict(model, word_counts(text), pattern_hits(instrument.compiled, text))
    assert expected.decision == 1
    assert code_text(instrument, text)["heritage"] == expected


def test_texts_are_made_canonical_before_they_are_counted(instrument):
    plain = code_text(instrument, "The façade of the\nold town.")
    assert code_text(instrument, "  The fac\u0327ade of the\r\nold town.\r\n") == plain
    assert prose("\ta\r\nb\rc ") == "a\nb\nc"


def test_a_passage_unlike_the_training_ones_is_flagged(run):
    data = f'id,text\n1,"{SECOND}"\n2,Zyx wvut qwrst plmokn.\n3,1 2 3\n'.encode()
    _, out, said = run(data)
    assert [row["unfamiliar"] for row in rows_of(out)] == ["0", "1", "1"]
    assert "unlike the passages learned from: 2" in said


def test_other_columns_and_their_order_are_kept(run):
    data = f'note,text,x y,id\n"a, ""b""\nc",{SECOND!r},  ,7\n'.replace("'", '"').encode()
    _, out, _ = run(data)
    row = rows_of(out)[0]
    assert list(row) == ["note", "text", "x y", "id", *ADDED]
    assert (row["note"], row["x y"], row["id"]) == ('a, "b"\nc', "  ", "7")


def test_columns_may_have_other_names(run):
    data = f"text\tno\tbody\nold\t1\t{FIRST}\n".encode()
    _, out, _ = run(data, "--text", "body", "--id", "no", name="in.tsv")
    row = rows_of(out, "\t")[0]
    assert (row["text"], row["no"], row["problem"]) == ("old", "1", "")
    assert float(row["cost_probability"]) > 0.5


@pytest.mark.parametrize("name", ["in.csv", "in.tsv"])
def test_marks_and_line_ends_of_other_systems_are_tolerated(run, name):
    sep = "," if name == "in.csv" else "\t"
    lines = [f"id{sep}text", f'1{sep}"{FIRST}"', f'2{sep}"one\r\ntwo"', ""]
    _, out, said = run(b"\xef\xbb\xbf" + "\r\n".join(lines).encode(), name=name)
    got = rows_of(out, sep)
    assert [row["id"] for row in got] == ["1", "2"]
    assert got[1]["text"] == "one\r\ntwo"
    assert "problems" not in said


def test_a_quotation_mark_inside_a_field_is_a_sign_like_others():
    table = read_delimited([b"id,text\n", b'1,a 5" pipe\n', b"2,b\n"], ",", COLUMNS, "x")
    assert [row.text for row in table.rows] == ['a 5" pipe', "b"]


# --- rows with problems ---------------------------------------------------------------------------

LONE = "\ud800"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"2,", "text is empty"),
        (b"2,  ", "text is empty"),
        (b"2", "has 1 fields where the header has 2"),
        (b"2,a,b", "has 3 fields where the header has 2, of which the last 1 are left out"),
        (b"2,caf\xe9", "is not valid UTF-8"),
        (b"\xff,text", "is not valid UTF-8"),
        (b'2,"a"b', "is not valid CSV"),
        (b'2,"never closed', "is not valid CSV"),
        (b"2,a\rb", "is not valid CSV (new-line character seen in unquoted field)"),
    ],
)
def test_a_bad_row_of_csv_keeps_its_place(run, bad, said):
    data = b"id,text\n1," + SECOND.replace(",", "").encode() + b"\n" + bad + b"\n3,All of us.\n"
    status, out, err = run(data)
    got = rows_of(out)
    assert status == 0
    assert [row["id"] for row in got][::2] == ["1", "3"]
    assert said in got[1]["problem"]
    assert all(got[1][name] == "" for name in ADDED[:-1])
    assert [got[n]["problem"] for n in (0, 2)] == ["", ""]
    assert all(got[n]["fairness_probability"] for n in (0, 2))
    assert "1 row with problems:\n  row 2 (line 3): " + got[1]["problem"] in err
    assert "coded 2 of 3 rows" in err


def test_fields_of_a_bad_row_are_kept_as_far_as_they_can_be_read(run):
    _, out, _ = run(b"id,text,n\n1,a\n2,b,c,d\n\xff3,x,y\n")
    assert [[row["id"], row["text"], row["n"]] for row in rows_of(out)] == [
        ["1", "a", ""], ["2", "b", "c"], ["\ufffd3", "x", "y"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b'{"id": "2"}', "text is missing"),
        (b'{"id": "2", "text": null}', "text is missing"),
        (b'{"id": "2", "text": ""}', "text is empty"),
        (b'{"id": "2", "text": 5}', "text is not a string"),
        (b'{"id": "2", "text": ["a"]}', "text is not a string"),
        (b'{"id": "2", "text": {}}', "text is not a string"),
        (b'{"id": "2", "text": "\\ud800"}', "text is not valid UTF-8"),
        (b'{"id": "2", "text": "\xe9"}', "is not valid UTF-8"),
        (b'{"id": "2", "text": "a"', "is not valid JSON"),
        (b'{"id": "2", "text": "a", "text": "b"}', "has the key 'text' twice"),
        (b'["2", "a"]', "is not a JSON object"),
        (b"7", "is not a JSON object"),
        (b"\xff\xfe", "is not valid UTF-8"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'{"id": ' + b"9" * 5000 + b', "text": "a"}', "is not valid JSON"),
    ],
)
def test_a_bad_line_of_json_keeps_its_place(run, bad, said):
    first, third = (json.dumps({"id": n, "text": SECOND}).encode() for n in (1, 3))
    status, out, err = run(b"\n".join([first, b"", bad, third]), name="in.jsonl")
    got = [json.loads(line) for line in out.decode().splitlines()]
    assert status == 0
    assert [row["id"] for row in got][::2] == [1, 3]
    assert got[1]["id"] in ("2", None)
    assert said in got[1]["problem"]
    assert all(got[1][name] is None for name in ADDED[:-1])
    assert [got[n]["problem"] for n in (0, 2)] == [None, None]
    assert "row 2 (line 3): " in err


def test_json_is_carried_along_letter_by_letter(run):
    line = '{ "n": 1e400, "id": 1234567890123456789.10,  "text": "Caf\\u00e9 🚋", "l": [{}]}'
    _, out, _ = run(b"\xef\xbb\xbf" + line.encode() + b"\r\n", name="in.ndjson")
    assert out.decode().startswith(line[:-1] + ', "cost_probability": 0.')
    assert out.decode().endswith("}\n")


def test_an_empty_object_becomes_one_of_codes_alone(run):
    _, out, _ = run(b'{"id": 1, "text": "All."}\n{}\n', name="in.jsonl")
    assert list(json.loads(out.decode().splitlines()[1])) == ADDED


def test_a_cue_that_takes_too_long_is_a_problem_of_the_row_alone(instrument, monkeypatch):
    rows = [Row(1, 2, "a", FIRST), Row(2, 3, "b", SECOND)]

    def code(text):
        monkeypatch.setattr(cues, "_MATCH_SECONDS", 1e-9 if text == FIRST else 5.0)
        return code_text(instrument, text)

    with closing(SeenIds()) as seen:
        first, second = code_rows(blocks(code), rows, seen)
    assert first.problem == "cue 'sum-of-money' takes too long on it"
    assert first.predictions is None
    assert second.problem == ""


def test_missing_and_repeated_ids_are_named_but_coded(run):
    lines = [json.dumps({"id": name, "text": SECOND}) for name in ("a", None, "b", "a", [1], "", 5)]
    lines.append(json.dumps({"id": "5", "text": ""}))
    _, out, err = run("\n".join(lines).encode(), name="in.jsonl")
    got = [json.loads(line) for line in out.decode().splitlines()]
    assert [row["problem"] for row in got] == [
        None, "id is missing", None, "repeats the id of row 1", "id is neither text nor number",
        "id is missing", None, "text is empty; repeats the id of row 7",
    ]  # fmt: skip
    assert len({row["fairness_probability"] for row in got[:-1]}) == 1
    assert "5 rows with problems" in err


def test_only_the_first_rows_with_problems_are_named(run):
    _, out, err = run(b"id,text\n" + b"".join(b"%d,\n" % n for n in range(50)) + b"x,All.\n")
    assert len(rows_of(out)) == 51
    assert err.count("text is empty") == 20
    assert "… and 30 more" in err


def test_where_nothing_can_be_coded_the_status_says_so(run):
    status, out, err = run(b"id,text\n1,\n2,\n")
    assert status == 1
    assert len(rows_of(out)) == 2
    assert "Nothing could be coded." in err


@pytest.mark.parametrize(("name", "data"), [("in.csv", b"id,text\n"), ("in.jsonl", b"")])
def test_a_table_without_rows_is_done_at_once(run, name, data):
    status, out, _ = run(data, name=name)
    assert status == 0
    assert out == (b"id,text," + ",".join(ADDED).encode() + b"\n" if name == "in.csv" else b"")


# --- unusable input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("in.csv", b"", "has no header"),
        ("in.csv", b"id,body\n1,a\n", "has no column 'text'; it has 'id', 'body'. Name it by"),
        ("in.csv", b"name,text\n1,a\n", "has no column 'id'"),
        ("in.csv", b"id,text,id\n1,a,2\n", "has the column 'id' twice"),
        ("in.csv", b"id,text,cost\n1,a,2\n", "has a column 'cost', which coding would add"),
        ("in.csv", b"id,text,problem\n1,a,2\n", "has a column 'problem'"),
        ("in.csv", b'id,"te"xt\n1,a\n', "has a header that is not valid CSV"),
        ("in.csv", b"\xff\xfei\x00d\x00\n", "is not valid UTF-8 in its header"),
        ("in.jsonl", b'{"id": 1, "body": "a"}\n', "has no column 'text'; it has 'id', 'body'"),
        ("in.jsonl", b'{"id": 1, "text": "a", "cost": 1}\n', "has a key 'cost'"),
        ("in.jsonl", b'{"id": 1, "text": "a"}\n' * 500 + b'{"problem": 1}\n', "line 501"),
    ],
)  # fmt: skip
def test_unusable_input_is_refused_and_nothing_is_written(project, tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError) as caught:
        command(classify, project, name, "-o", f"out{Path(name).suffix}", here=tmp_path)
    assert said in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("none.csv", "-o", "out.csv"), "does not exist"),
        ((".", "-o", "out.csv"), "is a folder"),
        (("in.csv", "-o", "in.csv", "--force"), "is the input, which is never overwritten"),
        (("in.csv", "-o", "link.csv", "--force"), "is the input, which is never overwritten"),
        (("in.csv", "-o", "there.csv"), "exists. Give --force"),
        (("in.csv", "-o", "none/out.csv"), "lies in a folder that does not exist"),
        (("in.csv", "-o", "/dev/null", "--force"), "is no ordinary file"),
        (("in.csv", "-o", "out.jsonl"), "are of two formats, csv and jsonl"),
        (("-", "-o", "-"), "have no known suffix. Give --format"),
    ],
)
def test_unusable_names_are_refused(project, tmp_path, argv, said):
    (tmp_path / "in.csv").write_text("id,text\n1,a\n", encoding="utf-8")
    (tmp_path / "there.csv").write_text("kept", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(tmp_path / "in.csv")
    with pytest.raises(InputError) as caught:
        command(classify, project, *argv, here=tmp_path)
    assert said in str(caught.value)
    assert (tmp_path / "there.csv").read_text(encoding="utf-8") == "kept"
    assert (tmp_path / "in.csv").read_text(encoding="utf-8") == "id,text\n1,a\n"
    assert len(list(tmp_path.iterdir())) == 3


def test_an_output_is_replaced_only_by_force(run, tmp_path):
    (tmp_path / "out.csv").write_text("old", encoding="utf-8")
    _, out, _ = run(b"id,text\n1,All.\n", "--force")
    assert rows_of(out)[0]["id"] == "1"


def change_model(project, name, **changes):
    path = project / f"results/models/{name}.json"
    data = {key: value for key, value in read_model(path).items() if key != "digest"} | changes
    write_text(path, model_text(data | {"digest": sha256(json_text(data))}))


def test_models_must_be_there_and_fit_the_codebook(tmp_path):
    project = make_project(tmp_path / "project")
    with chdir(project):
        (project / "results/models/cost.json").unlink()
        cues_now = dict(read_model(project / "results/models/heritage.json")["cues"])
        first, second, *_ = cues_now
        del cues_now[first]
        cues_now[second] = {**cues_now[second], "patterns": [*cues_now[second]["patterns"], 0.5]}
        change_model(project, "heritage", cues=cues_now)
        change_model(project, "fairness", code="cost")
        with pytest.raises(InputError) as caught:
            load_instrument()
        said = str(caught.value)
        assert "cost.json: does not exist" in said
        assert f"cues or their patterns differ for {', '.join(sorted([first, second]))}." in said
        assert "fairness.json: is a model of 'cost'" in said
        path = project / "results/models/heritage.json"
        path.write_text(path.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
        with pytest.raises(InputError, match="was changed"):
            load_instrument()


def test_a_constant_model_knows_no_cues_and_is_never_stale(tmp_path, instrument):
    project = make_project(tmp_path / "project")
    change_model(project, "cost", constant=0.25, threshold=0.5)
    with chdir(project):
        found = code_text(load_instrument(), FIRST)
    assert (found["cost"].probability, found["cost"].decision) == (0.25, 0)
    assert found["fairness"] == code_text(instrument, FIRST)["fairness"]


def test_results_of_another_codebook_are_remarked(tmp_path):
    project = make_project(tmp_path / "project")
    with chdir(project):
        assert codebook_note() is None
        text = Path("corpus/codebook/codebook.yaml").read_text(encoding="utf-8")
        digest = sha256(
            sha256("").replace(sha256(""), f"corpus/codebook/codebook.yaml\t{sha256(text)}")
        )
        record = {"inputs": {"codebook": {"sha256": digest}}}
        write_text(Path("results/provenance.json"), json.dumps(record))
        assert codebook_note() is None
        write_text(Path("corpus/codebook/codebook.yaml"), text + "\n")
        assert "was changed since the models were trained" in codebook_note()


# --- files and streams ----------------------------------------------------------------------------


def test_nothing_is_left_when_a_run_is_interrupted(project, tmp_path, monkeypatch, capsys):
    given = iter([stub, stub])

    def interrupted(text):
        for code in given:
            return dict.fromkeys(CODES, code(text)["c"])
        assert len(list(tmp_path.iterdir())) == 2  # the input, and the temporary file
        raise KeyboardInterrupt

    monkeypatch.setattr(processes, "coded_here", lambda _: blocks(interrupted))
    (tmp_path / "in.csv").write_text("id,text\n1,a\n2,b\n3,c\n", encoding="utf-8")
    assert command(classify, project, "in.csv", "-o", "out.csv", here=tmp_path) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
    assert "no file was written" in capsys.readouterr().err


PIPE = """\
import argparse, os, sys
from framing.cli import classify
parser = argparse.ArgumentParser()
classify.register(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
arguments = parser.parse_args(["classify", "-", "--output", "-", "--format", sys.argv[2]])
os.chdir(sys.argv[1])
sys.exit(arguments.run(arguments))
"""


@pytest.mark.slow
def test_pipes(project):
    argv = [sys.executable, "-c", PIPE, str(project), "jsonl"]
    line = json.dumps({"id": "1", "text": FIRST}).encode() + b"\n"
    done = subprocess.run(argv, input=line, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cost"] == 1
    assert b"coded 1 of 1 rows" in done.stderr
    assert b"\r" not in done.stderr  # no progress bar


def test_a_reader_that_leaves_early_is_no_error(project, tmp_path, monkeypatch, capsys):
    read, write = os.pipe()
    os.close(read)
    monkeypatch.setattr(sys, "stdout", os.fdopen(write, "w"))
    same = dict.fromkeys(CODES, stub("a")["c"])
    monkeypatch.setattr(processes, "coded_here", lambda _: blocks(lambda text: same))
    (tmp_path / "in.csv").write_text("id,text\n" + "1,a\n" * 9000, encoding="utf-8")
    assert command(classify, project, "in.csv", "-o", "-", here=tmp_path) == 141
    assert capsys.readouterr().err == ""
    sys.stdout.close()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("quiet", [False, True])
def test_a_progress_bar_is_for_terminals(project, tmp_path, monkeypatch, quiet):
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    (tmp_path / "in.csv").write_text("id,text\n1,All.\n2,\n", encoding="utf-8")
    options = ["--quiet"] if quiet else []
    command(classify, project, "in.csv", "-o", "out.csv", *options, here=tmp_path)
    assert ("B/s" in shown.getvalue()) is not quiet
    assert ("coded 1 of 2" in shown.getvalue()) is not quiet
    assert "row 2 (line 3): text is empty" in shown.getvalue()


# --- memory ---------------------------------------------------------------------------------------


def csv_lines(number):
    yield b"id,text,other\n"
    for n in range(number):
        yield b'%d,"passage %d of many, and odd ones",%s\n' % (n, n, b"x" * 200)


def jsonl_lines(number):
    for n in range(number):
        yield b'{"id": %d, "text": "passage %d", "other": "%s"}\n' % (n, n, b"x" * 200)


class Nowhere(io.RawIOBase):
    def write(self, data):
        return len(data)


def peak(lines, form, number):
    """Return the most memory held while so many rows pass, and how many passed."""
    with closing(SeenIds()) as seen:
        tracemalloc.start()
        try:
            if form == "csv":
                table = read_delimited(lines(number), ",", COLUMNS, "x")
                writer = DelimitedWriter(Nowhere(), ",", table.columns, COLUMNS.added)
            else:
                table = read_jsonl(lines(number), COLUMNS, "x")
                writer = JsonlWriter(Nowhere(), COLUMNS)
            tally = classify.Tally()
            for row in code_rows(blocks(stub), table.rows, seen):
                writer.write(row)
                tally.add(row)
            return tracemalloc.get_traced_memory()[1], tally.coded
        finally:
            tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "form", "number"), [(csv_lines, "csv", 20_000), (jsonl_lines, "jsonl", 3_000)]
)
def test_memory_does_not_grow_with_rows(lines, form, number, monkeypatch):
    monkeypatch.setattr(classify, "_BLOCK", 100)
    peak(lines, form, 100)  # what is made once
    few, _ = peak(lines, form, 500)
    many, rows = peak(lines, form, number)
    assert rows == number
    assert many < few + 50_000  # held, they would be some megabytes


def test_an_open_quotation_mark_does_not_swallow_the_table(monkeypatch):
    monkeypatch.setattr("framing.cli.delimited._FIELD", 1000)
    lines = [b"id,text\n", b'1,"open\n', *(b"%d,text\n" % n for n in range(2, 500))]
    got = coded(read_delimited(lines, ",", COLUMNS, "x"))
    assert [row.row.id for row in got] == [str(n) for n in range(1, 500)]
    assert [row.row.line for row in got] == list(range(2, 501))
    assert [bool(row.problem) for row in got] == [True] + [False] * 498
    assert csv.field_size_limit() != 1000


# --- Parquet --------------------------------------------------------------------------------------


def test_parquet_comes_back_with_its_columns_and_types(run, instrument, monkeypatch):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("framing.cli.parquet._BATCH", 2)
    table = arrow.table(
        {
            "when": arrow.array([0, 1, None, 3, 4], arrow.timestamp("ms")),
            "id": arrow.array([5, 6, 7, 8, 8], arrow.int16()),
            "text": arrow.array([FIRST, None, " ", SECOND, FIRST]).dictionary_encode(),
            "tags": [["a"], [], None, ["b", "c"], ["d"]],
        }
    )
    stream = io.BytesIO()
    parquet.write_table(table, stream)
    status, out, err = run(stream.getvalue(), name="in.parquet")
    back = parquet.read_table(io.BytesIO(out))
    assert status == 0
    assert back.column_names == [*table.column_names, *ADDED]
    assert back.select(table.column_names).to_pylist() == table.to_pylist()
    assert back.schema.field("when").type == table.schema.field("when").type
    found = code_text(instrument, FIRST)
    rows = back.to_pylist()
    assert rows[0]["cost_probability"] == found["cost"].probability
    assert rows[0]["cost"] == found["cost"].decision
    assert [row["problem"] for row in rows] == [
        None, "text is missing", "text is empty", None, "repeats the id of row 4",
    ]  # fmt: skip
    assert [row["cost"] is None for row in rows] == [False, True, True, False, False]
    assert "row 2: text is missing" in err


def test_parquet_that_is_none_or_has_other_columns(project, tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no PAR1")
    parquet.write_table(arrow.table({"id": [1]}), tmp_path / "b.parquet")
    for name, said in (("a.parquet", "cannot be read as Parquet"), ("b.parquet", "no column")):
        with pytest.raises(InputError, match=said):
            command(classify, project, name, "-o", "c.parquet", here=tmp_path)
    assert not (tmp_path / "c.parquet").exists()


def test_parquet_without_rows_with_numbers_for_texts_and_with_broken_ones(run):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for texts, problems in (
        (arrow.array([], arrow.string()), []),
        (arrow.array([1, 2]), ["text is not a string"] * 2),
        (
            arrow.array([b"caf\xe9", b"cafe"]).view(arrow.string()),
            ["text is not valid UTF-8", None],
        ),
    ):
        stream = io.BytesIO()
        parquet.write_table(arrow.table({"id": list(range(len(texts))), "text": texts}), stream)
        status, out, _ = run(stream.getvalue(), "--force", name="in.parquet")
        assert status == (problems == ["text is not a string"] * 2)
        got = parquet.read_table(io.BytesIO(out), columns=["problem"]).to_pydict()
        assert got["problem"] == problems


def test_without_pyarrow_it_is_said_what_to_install(project, tmp_path, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    (tmp_path / "in.parquet").write_bytes(b"")
    monkeypatch.setattr(
        "framing.cli.parquet.import_module", lambda n: missing(n) if "arrow" in n else sys
    )
    monkeypatch.setattr(sys, "tqdm", None, raising=False)
    with pytest.raises(InputError, match=r"pip install 'framing\[parquet\]'"):
        command(classify, project, "in.parquet", "-o", "out.parquet", here=tmp_path)


# --- hostile texts --------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>", "a" * 10_000, "x, " * 5_000, "\u202eevil\u202c \u200f\u200e",
    "=1+1", "\x00\x1b[31m", "e" + "\u0301" * 2_000, "(" * 3_000, "'" * 3_000, "\ufeff", "🚋" * 99,
    ".",
]  # fmt: skip


def test_hostile_texts_come_through(run):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["id", "text"], *enumerate(HOSTILE)])
    status, out, _ = run(stream.getvalue().encode())
    assert status == 0
    got = rows_of(out)
    assert [row["text"] for row in got] == HOSTILE
    assert {row["problem"] for row in got} == {""}
    assert all(0 <= float(row["cost_probability"]) <= 1 for row in got)


# --- properties -----------------------------------------------------------------------------------

field = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(field, field, field)), st.sampled_from(",\t"))
def test_every_row_of_csv_comes_out_once_and_in_order(rows, delimiter):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(
        [["a", "id", "text"], *rows]
    )
    table = read_delimited(io.BytesIO(stream.getvalue().encode()), delimiter, COLUMNS, "x")
    out = io.BytesIO()
    writer = DelimitedWriter(out, delimiter, table.columns, COLUMNS.added)
    done = coded(table)
    for row in done:
        writer.write(row)
    _, *back = csv.reader(io.StringIO(out.getvalue().decode(), newline=""), delimiter=delimiter)
    assert [tuple(line[:3]) for line in back] == rows
    assert [row.row.number for row in done] == list(range(1, len(rows) + 1))
    assert [bool(line[4]) for line in back] == [bool(text.strip()) for _, _, text in rows]


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_stop_the_reading_of_csv(data):
    got = coded(read_delimited(io.BytesIO(b"id,text\n" + data), ",", COLUMNS, "x"))
    assert [row.row.number for row in got] == list(range(1, len(got) + 1))
    assert all((row.predictions is None) == (row.row.problem != "" or not row.row.text.strip())
               for row in got)  # fmt: skip
    DelimitedWriter(out := io.BytesIO(), ",", ["id", "text"], COLUMNS.added)
    assert out.getvalue().decode()


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | field,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(field, inner, max_size=3),
    max_leaves=5,
)
json_line = st.one_of(
    st.fixed_dictionaries({"id": json_value, "text": json_value}).map(json.dumps),
    st.dictionaries(st.sampled_from(["id", "text", "n"]), json_value).map(
        lambda row: json.dumps(row, ensure_ascii=False)
    ),
    json_value.map(json.dumps),
    field.filter(lambda text: text.strip() and "\n" not in text and "\r" not in text),
)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.lists(json_line))
def test_every_line_of_json_comes_out_once_and_in_order(lines):
    head = '{"id": "first", "text": "t", "n": 1}'
    data = "\n".join([head, *lines]).encode()
    table, out = read_jsonl(io.BytesIO(data), COLUMNS, "x"), io.BytesIO()
    writer = JsonlWriter(out, COLUMNS)
    for row in coded(table):
        writer.write(row)
    back = [json.loads(line) for line in out.getvalue().decode().split("\n")[:-1]]
    assert len(back) == len(lines) + 1
    for line, got in zip([head, *lines], back, strict=True):
        try:
            given_ = json.loads(line)
        except ValueError:
            given_ = None
        kept = {key: value for key, value in got.items() if key not in COLUMNS.new}
        assert kept == (given_ if isinstance(given_, dict) else {"id": None, "text": None})
        usable = isinstance(kept.get("text"), str) and bool(kept["text"].strip())
        assert (got["c"] is not None) == usable
