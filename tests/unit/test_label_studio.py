"""Label Studio: tasks and configuration out, annotations in; predictions are machine codings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from framing.acquire.codings.annotations import read_tasks
from framing.acquire.codings.label_studio import MEMO, TEXT, UNSURE, configuration
from framing.cli.main import main
from framing.common.paths import CODERS, CODINGS
from framing.common.problems import InputError
from tests.unit.levels_project import coded, make
from tests.unit.test_codings_levels import ALL

Run = Callable[..., tuple[int, str, str]]
ANN = ("--user", "ann@example.org=ann", "--kind", "human")


@pytest.fixture
def run(
    mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.chdir(make(mini, tmp_path / "tram"))

    def ran(*arguments: str) -> tuple[int, str, str]:
        status = main(["codings", *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return ran


def choice(control: str, *choices: str) -> dict[str, Any]:
    return {"from_name": control, "to_name": TEXT, "type": "choices",
            "value": {"choices": list(choices)}}  # fmt: skip


def annotation(*result: dict[str, Any], by: Any = None, **more: Any) -> dict[str, Any]:
    by = {"id": 7, "email": "ann@example.org"} if by is None else by
    return {"completed_by": by, "result": list(result), "was_cancelled": False, **more}


def drawn() -> list[str]:
    return list(pd.read_csv("corpus/sample.tsv", sep="\t", dtype=str)["passage_id"])


def export(*tasks: list[dict[str, Any]], **more: Any) -> str:
    """Write an export in which each drawn passage has one of the given lists of annotations."""
    made = [{"id": n, "data": {"text": "x", "passage_id": name}, "annotations": own, **more}
            for n, (name, own) in enumerate(zip(drawn(), tasks, strict=False))]  # fmt: skip
    Path("x.json").write_text(json.dumps(made), "utf-8")
    return "x.json"


def cells(*codes: str) -> list[list[str]]:
    return coded("ann")[list(codes)].to_numpy().tolist()


# --- out ------------------------------------------------------------------------------------------


def test_the_configuration_has_a_choice_a_code_and_no_name_twice() -> None:
    view = ElementTree.fromstring(configuration(ALL))
    names = [one.get("name") for one in view if one.get("name")]
    assert names == [TEXT, *ALL, UNSURE, MEMO]
    assert all(one.get("toName") == TEXT for one in view if one.tag in ("Choices", "TextArea"))
    by_name = {one.get("name"): [(c.get("alias"), c.get("value")) for c in one] for one in view}
    assert by_name["cost"] == [("1", "present"), ("0", "absent")]
    assert by_name["stance"] == [("for", "In favour"), ("against", "against"),
                                 ("neutral", "neutral")]  # fmt: skip
    single = {one.get("name") for one in view if one.get("choice") == "single-radio"}
    assert single == set(ALL)


@pytest.mark.slow
def test_tasks_are_drawn_passages_and_show_nobodys_codings(run: Run) -> None:
    assert run("export", "x.json", "--for", "label-studio")[0] == 0
    tasks = json.loads(Path("x.json").read_text("utf-8"))
    assert {one["data"]["passage_id"] for one in tasks} == set(drawn())
    assert all(set(one) == {"data"} and one["data"]["text"] for one in tasks)
    assert Path("x.xml").read_text("utf-8").startswith("<View>")
    assert run("export", "x.jsonl", "--for", "label-studio", "--replace")[0] == 0
    lines = Path("x.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == tasks
    _, _, err = run("export", "y.json", "--to-code")
    assert "have no passage left to be coded" in err


@pytest.mark.slow
def test_a_confirmation_draw_is_given_to_coders_and_to_nobody_else(run: Run) -> None:
    assert main(["freeze"]) == 0
    draw = ["sample", "--supplement", "--size", "9", "--seed", "4", "--role", "confirmation"]
    assert main(draw) == 0
    assert run("export", "x.json")[0] == 0
    assert len(json.loads(Path("x.json").read_text("utf-8"))) == len(drawn())
    assert run("export", "y.json", "--to-code")[0] == 0
    own = {one["data"]["passage_id"] for one in json.loads(Path("y.json").read_text("utf-8"))}
    assert len(own) == 9 and not own & set(drawn())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x.csv", "--to-code"), "--to-code: speaks of tasks of Label Studio"),
        (("x.csv", "--for", "label-studio"), "--for label-studio: does not go with .csv"),
        (("x.json", "--for", "doccano"), "--for doccano: does not go with .json"),
    ],
)
def test_options_that_do_not_go_together(run: Run, arguments: Any, said: str) -> None:
    status, _, err = run("export", *arguments)
    assert status == 1 and said in err and not Path(arguments[0]).exists()


# --- out and in -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_codings_of_every_kind_come_back(run: Run, name: str) -> None:
    own = coded("machine-1").assign(coder="ann")
    own.to_csv(CODINGS / "ann.tsv", sep="\t", index=False, lineterminator="\n")
    with CODERS.open("a", encoding="utf-8") as file:
        file.write("ann\thuman\t1.0\tx\t\n")
    before = {path: path.read_bytes() for path in CODINGS.glob("*.tsv")}
    more = ("--for", "label-studio", "--with-codings", "--user", "ann=ann@example.org")
    assert run("export", name, *more)[0] == 0
    (CODINGS / "ann.tsv").unlink()
    source = () if name == "x.json" else ("--from", "label-studio")
    status, out, err = run("import", name, *source, "--user", "ann@example.org=ann")
    assert (status, err) == (0, "")
    assert f"predictions, which are machine codings and were left out: {len(own)}" in out
    assert (CODINGS / "ann.tsv").read_bytes() == before[CODINGS / "ann.tsv"]
    (CODINGS / "machine-1.tsv").unlink()
    given = ("--predictions", "--user", "machine-1=machine-1")
    status, out, err = run("import", name, *source, *given)
    assert (status, err) == (0, "") and "annotations left out" in out
    assert {path: path.read_bytes() for path in CODINGS.glob("*.tsv")} == before


# --- in -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_annotations_become_codings_and_what_does_not_is_said(run: Run) -> None:
    memo = {"from_name": MEMO, "type": "textarea", "value": {"text": ["hm"]}}
    name = export(
        [annotation(choice("stance", "In favour"), choice("cost", "present"), memo)],
        [annotation(choice("stance", "against"), choice(UNSURE, "1"), choice("tone", "mild"))],
        [annotation(was_cancelled=True)],
        [annotation(choice("cost", "0"), by=7)], drafts=[{"result": []}],
    )  # fmt: skip
    status, out, err = run("import", name, *ANN, "--user", "7=ann")
    assert (status, err) == (0, "")
    assert "skipped or cancelled, so no codings: 1 (task 3 by ann@example.org | 7)" in out
    assert "drafts, which nobody submitted, left out: 4" in out
    assert "memos, which are no codings, left out: 1" in out
    assert "controls that are no code of the codebook: tone" in out
    assert cells("cost", "stance", "unsure") == [
        ["1", "for", "0"], ["NA", "against", "1"], ["0", "NA", "0"],
    ]  # fmt: skip


@pytest.mark.slow
def test_controls_of_another_name_and_of_labels(run: Run) -> None:
    name = export([annotation(choice("S", "Hawk"))])
    assert run("import", name, *ANN, "--code", "S=stance", "--value", "Hawk=for")[0] == 0
    assert cells("stance") == [["for"]]
    name = export([annotation(choice("all", "cost", "Hawk"))], [annotation()])
    given = ("--labels", "all", "--label", "Hawk=stance.for", "--absent", "--replace")
    assert run("import", name, *ANN[:2], *given)[0] == 0
    assert cells("cost", "fairness", "stance") == [["1", "0", "for"], ["0", "0", "NA"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tasks", "given", "said"),
    [
        ([annotation(choice("stance", "for", "against"))], ANN,
         "several levels of one code in 1 annotation: task 1 stance: for and against"),
        ([annotation(choice("stance", "for")), annotation(choice("stance", "against"))], ANN,
         "1 row disagree with another row on the same passage and coder: task 1 and task 1"),
        ([annotation(choice("stance", "for"), by=9)], ANN,
         "has 1 annotator of whom nothing says who they are: '9'"),
        ([annotation(choice("stance", "Hawk"))], ANN,
         "a value that is no level of the code 'stance' in 1 cell: task 1 stance 'Hawk'"),
        ([annotation(choice("stance", "for"), parent_prediction=4)], ANN,
         "has 1 annotation that began as predictions: task 1. What a model coded is a machine"),
        ([], ANN, "holds no annotation"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(run: Run, tasks: Any, given: Any, said: str) -> None:
    status, _, err = run("import", export(tasks), *given)
    assert status == 1 and said in err
    assert not (CODINGS / "ann.tsv").exists()


@pytest.mark.slow
def test_predictions_are_machine_codings_and_nothing_else(run: Run) -> None:
    guess = [{"model_version": "m 1", "result": [choice("stance", "for")]}]
    name = export([], predictions=guess)
    _, _, err = run("import", name, *ANN)
    assert "holds no annotation, only predictions, which are machine codings. Take them as" in err
    _, _, err = run("import", name, "--predictions", "--coder", "ann", "--kind", "human")
    assert "has predictions for 1 coder who would be human: 'ann'" in err
    given = ("--predictions", "--user", "m 1=ann", "--kind", "machine", "--model", "m 1")
    assert run("import", name, *given)[0] == 0
    assert cells("stance") == [["for"]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "is not JSON"), ("[" * 100_000, "is not JSON"), ("", "holds no task"),
        ("[]", "holds no task"), ('{"data": 1}', "has no data in 1 task: task 1"),
        ('[{"data": {}}, 3]', "has no data in 1 task: task 2"),
        ('[{"text": "x", "stance": "for"}]', "Export it from Label Studio as JSON (not JSON-MIN)"),
    ],
)  # fmt: skip
def test_what_is_no_export_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.json").write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_tasks(tmp_path / "x.json", 1_000_000)
    assert said in str(caught.value)
    with pytest.raises(InputError, match="more than 3"):
        (tmp_path / "x.json").write_text("[    ]", "utf-8")
        read_tasks(tmp_path / "x.json", 3)
