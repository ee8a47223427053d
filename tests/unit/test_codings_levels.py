"""Codings of codes with levels: what is read from tables, and every way in which they are wrong."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from framing.acquire.codings.options import Options, check_options, settled
from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import Said, between, contradictions, meanings_of
from framing.cli import codings as command
from framing.cli import codings_dialogue
from framing.cli.main import main
from framing.codebook.codes import read_code, yes_no_code
from framing.common.paths import CODINGS, SAMPLE
from framing.common.problems import InputError
from tests.unit.levels_project import coded, make

Run = Callable[..., tuple[int, str, str]]
ANN = ("--coder", "ann", "--kind", "human")

STANCE = read_code("stance", {
    "kind": "one of", "label": "Stance", "definition": "x",
    "levels": [{"level": "for", "label": "In favour"}, {"level": "against"}, {"level": "neutral"}],
})  # fmt: skip
MOOD = read_code("mood", {
    "kind": "ordinal", "label": "Mood", "definition": "x",
    "levels": [{"level": -1, "label": "gloomy"}, {"level": 0}, {"level": 2}],
})  # fmt: skip
ALL = {"cost": yes_no_code("cost", "Cost", "x"), "stance": STANCE, "mood": MOOD}


@pytest.fixture
def project(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = make(mini, tmp_path / "tram")
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*arguments: str) -> tuple[int, str, str]:
        status = main(["codings", "import", *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return ran


def drawn() -> list[str]:
    return list(pd.read_csv(SAMPLE, sep="\t", dtype=str)["passage_id"])


def table(**more: Any) -> pd.DataFrame:
    return pd.DataFrame({"passage_id": drawn()[:4], **more})


def csv(frame: pd.DataFrame, name: str = "ann.csv") -> str:
    frame.to_csv(name, index=False)
    return name


def cells(*codes: str) -> list[list[str]]:
    return coded("ann")[list(codes)].to_numpy().tolist()


# --- what values mean -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "level"),
    [("-1", "-1"), ("−1", "-1"), ("-1.0", "-1"), ("+2", "2"), ("2.00", "2"), ("-0", "0"),
     ("Gloomy", "-1"), ("1", None), ("2.5", None), ("02", None), ("", None), ("NA", "NA")],
)  # fmt: skip
def test_numbers_are_levels_where_they_are_exactly_one(value: str, level: str | None) -> None:
    from framing.acquire.codings.values import folded

    assert meanings_of(MOOD, Said()).get(folded(value)) == level


@pytest.mark.parametrize(
    ("value", "said"),
    [("1", True), ("-0.5", True), ("−0,5", True), ("2", False), ("2.5", False), ("-1.5", False),
     ("0.0", False), ("x", False), ("", False)],
)  # fmt: skip
def test_numbers_between_levels(value: str, said: bool) -> None:
    assert between(value, MOOD) is said
    assert not between(value, STANCE)


def test_declarations_hold_for_the_codes_that_have_the_level() -> None:
    other = read_code("tone", {"kind": "one of", "label": "x", "definition": "x",
                               "levels": [{"level": "for"}, {"level": "mild"}]})  # fmt: skip
    said = Said(levels=(("x", "for"), ("1", "against"), ("1", "tone.mild")))
    assert [meanings_of(code, said).get("x") for code in (STANCE, other, MOOD)] == [
        "for", "for", None,
    ]  # fmt: skip
    assert meanings_of(STANCE, said)["1"] == "against" and meanings_of(other, said)["1"] == "mild"
    assert not contradictions(said, [STANCE, other, MOOD])


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (Said(levels=(("x", "for"), ("X", "against"))), "gives 'x' two meanings"),
        (Said(levels=(("for", "against"),)), "gives 'for' two meanings"),
        (Said(missing=("NA", "x"), levels=(("x", "for"),)), "'NA' and 'for'"),
        (Said(missing=("NA", "neutral")), "names 'neutral', which is a level of the code 'stance'"),
    ],
)
def test_a_value_cannot_mean_two_levels(said: Said, what: str) -> None:
    (problem,) = contradictions(said, [STANCE])
    assert what in problem.what


# --- options --------------------------------------------------------------------------------------


def parsed(*options: str) -> Options:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
    return command.options_of(parser.parse_args(["codings", "import", "x.csv", *options]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--value", "x=warm"], "--value x=warm: 'warm' is no level of a code of the codebook. "
                                "Levels: stance.for, stance.against, stance.neutral, mood.-1"),
        (["--value", "x"], "--value x: has not the form"),
        (["--code", "s=stance.warm"], "'stance.warm' is no level of its code"),
        (["--code", "s=stance.for"], "gives columns to 1 of 3 levels of the code 'stance', none to "
                                     "against, neutral"),
        (["--code", "s=stance.for", "--code", "a=stance.against"],
         "--otherwise stance.neutral"),
        (["--code", "s=stance.for", "--code", "a=stance"], "gives a column to the code 'stance' "
                                                           "and to a level of it"),
        (["--code", "s=stance.for", "--code", "a=stance.for"], "several columns for 'stance.for'"),
        (["--code", "s=stance", "--otherwise", "stance.neutral"], "has a column that says it"),
        (["--labels", "s", "--otherwise", "cost.1"], "--otherwise cost.1: names no level of a"),
        (["--otherwise", "mood.0", "--otherwise", "mood.2"], "gives the code 'mood' two levels"),
        (["--labels", "s", "--label", "Hawk=stance"], "'stance' is a code with levels, and a label "
                                                      "is one of them"),
        (["--labels", "s", "--label", "Hawk=mood.7"], "'mood.7' is no level of its code"),
        (["--code", "s=stance", "--missing", "neutral"], "--missing: names 'neutral', which is a"),
    ],
)  # fmt: skip
def test_options_that_cannot_be(options: list[str], said: str) -> None:
    frame = pd.DataFrame({name: ["1"] for name in ("passage_id", "cost", "s", "a")}, dtype=object)
    rows = Rows((Path("x.csv"),), frame, (0,), (2,))
    with pytest.raises(InputError) as caught:
        check_options(settled(parsed(*options), rows, ALL)[0], rows, ALL)
    assert said in str(caught.value)


def test_columns_called_as_levels_are_taken() -> None:
    names = [f"stance.{level.name}" for level in STANCE.levels]
    frame = pd.DataFrame({name: ["1"] for name in [*names, "mood.2"]}, dtype=object)
    found, notes = settled(Options(), Rows((Path("x"),), frame, (0,), (2,)), ALL)
    assert dict(found.codes) == {name: name for name in names}
    assert "mood" not in notes[-1]


# --- a column of levels ---------------------------------------------------------------------------


@pytest.mark.slow
def test_a_column_of_levels_is_read_by_names_and_declarations(run: Run) -> None:
    frame = table(Stance=["Hawk", "AGAINST", "", "no stance"], mood=["2.0", "+2", "-1", "0"])
    status, out, err = run(
        csv(frame), *ANN, "--code", "Stance=stance", "--code", "mood=mood", "--value",
        "Hawk=for", "--missing", "",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert cells("cost", "stance", "mood") == [
        ["NA", "for", "2"], ["NA", "against", "2"], ["NA", "NA", "-1"], ["NA", "neutral", "0"],
    ]  # fmt: skip
    assert "  stance: for 1, against 1, neutral 1, 1 not coded" in out
    assert "  mood: -1 1, 0 1, 2 2, 0 not coded" in out


@pytest.mark.slow
def test_values_that_are_no_levels_are_told_by_kind(run: Run) -> None:
    frame = table(stance=["for", "Hawk", "Dove", "Dove"], mood=["1", "1", "0", "7"])
    _, _, err = run(csv(frame), *ANN)
    first, second, third = err.splitlines()
    assert (
        "a value that is no level of the code 'stance' in 3 cells: line 3 stance 'Hawk'; line 4 "
        "stance 'Dove'; line 5 stance 'Dove'. Say which level (for, against, neutral) it means "
        "('Dove', 'Hawk'): --value VALUE=LEVEL" in first
    )
    assert (
        "a number between the levels of the code 'mood' in 2 cells: line 2 mood '1'; line 3 mood "
        "'1'. A passage has one of its levels (-1, 0, 2): nothing is rounded" in second
    )
    assert "a value that is no level of the code 'mood' in 1 cell: line 5 mood '7'" in third
    assert not (CODINGS / "ann.tsv").exists()


@pytest.mark.slow
def test_two_kinds_of_codes_in_a_column_are_told(run: Run) -> None:
    _, _, err = run(csv(table(stance=["for", "1", "against", "0"])), *ANN)
    (line,) = err.splitlines()
    assert (
        "the column 'stance' holds two kinds of values: levels of 'stance' in 2 cells ('against', "
        "'for') and yes and no in 2 cells ('0', '1')" in line
    )
    _, _, err = run(csv(table(cost=["1", "neutral", "0", "0"])), *ANN)
    (line,) = err.splitlines()
    assert "yes and no in 3 cells ('0', '1') and levels of 'stance' in 1 cell ('neutral')" in line
    _, _, err = run(csv(table(cost=["for", "neutral", "neutral", "for"])), *ANN)
    assert "It has levels of 'stance': give the column as --code COLUMN=CODE of that code" in err


@pytest.mark.slow
def test_rows_that_give_two_levels_disagree(run: Run) -> None:
    frame = table(stance=["for", "against", "for", "NA"])
    more = pd.concat([frame, frame[:1].assign(stance="neutral"), frame[3:].assign(stance="for")])
    _, _, err = run(csv(more), *ANN)
    (line,) = err.splitlines()
    assert (
        "1 row disagree with another row on the same passage and coder: line 6 and line 2" in line
    )


# --- a column a level -----------------------------------------------------------------------------

LEVELS = ["--code", "h=stance.for", "--code", "d=stance.against", "--code", "n=stance.neutral"]


@pytest.mark.slow
def test_exactly_one_column_of_a_level_has_yes(run: Run) -> None:
    frame = table(h=["1", "0", "NA", "NA"], d=["0", "0", "1", "NA"], n=["0", "1", "0", "NA"])
    assert run(csv(frame), *ANN, *LEVELS)[0] == 0
    assert cells("stance") == [["for"], ["neutral"], ["against"], ["NA"]]


@pytest.mark.slow
def test_several_and_none_are_errors_with_counts(run: Run) -> None:
    frame = table(h=["1", "0", "1", "0"], d=["1", "0", "1", "NA"], n=["0", "0", "0", "0"])
    _, _, err = run(csv(frame), *ANN, *LEVELS)
    first, second = err.splitlines()
    assert (
        "2 rows have yes for several levels of the code 'stance': line 2 has for and against; "
        "line 4 has for and against" in first
    )
    assert "2 rows have yes for no level of the code 'stance': line 3; line 5" in second


@pytest.mark.slow
def test_a_level_without_a_column_is_that_of_rows_without_yes(run: Run) -> None:
    frame = table(h=["1", "0", "0", "0"], d=["0", "1", "0", "NA"])
    options = [csv(frame), *ANN, *LEVELS[:4], "--otherwise", "stance.neutral"]
    _, _, err = run(*options)
    assert "1 row have yes for no level of the code 'stance': line 5" in err, "half of it is open"
    frame.loc[3, "h"] = "NA"
    csv(frame)
    assert run(*options)[0] == 0
    assert cells("stance") == [["for"], ["against"], ["neutral"], ["NA"]]


# --- labels ---------------------------------------------------------------------------------------


def long(*rows: tuple[int, str]) -> str:
    names = drawn()
    return csv(pd.DataFrame([(names[n], label) for n, label in rows],
                            columns=["passage_id", "label"]))  # fmt: skip


@pytest.mark.slow
def test_labels_are_levels_and_yes_no_codes_alike(run: Run) -> None:
    name = long((0, "Hawk"), (0, "cost"), (0, "mood.-1"), (1, "stance.neutral"), (2, "fairness"),
                (1, "stance.neutral"))  # fmt: skip
    options = [name, *ANN, "--labels", "label", "--label", "Hawk=stance.for", "--absent"]
    status, out, err = run(*options)
    assert (status, err) == (0, "") and "rows that repeat others: 1" in out
    assert cells("cost", "fairness", "stance", "mood") == [
        ["1", "0", "for", "-1"], ["0", "0", "neutral", "NA"], ["0", "1", "NA", "NA"],
    ]  # fmt: skip
    (CODINGS / "ann.tsv").unlink()
    assert run(*options[:1], "--coder", "ann", *options[5:], "--otherwise", "mood.0")[0] == 0
    assert cells("stance", "mood") == [["for", "-1"], ["neutral", "0"], ["NA", "0"]]


@pytest.mark.slow
def test_two_levels_of_a_passage_are_an_error(run: Run) -> None:
    name = long((0, "stance.for"), (0, "stance.against"), (1, "mood.0"), (1, "mood.2"),
                (2, "stance.for"), (2, "mood.0"))  # fmt: skip
    _, _, err = run(name, *ANN, "--labels", "label")
    first, second = err.splitlines()
    assert (
        f"several levels of the code 'stance' for 1 passage: line 3 {drawn()[0]!r} by ann: for and "
        "against" in first
    )
    assert f"line 5 {drawn()[1]!r} by ann: 0 and 2" in second
    assert not (CODINGS / "ann.tsv").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("for", "stance.for"), "names no code of the codebook in 1 row: line 2 'for'. Map them, "
                                "--label for=stance.for, or correct them"),
        (("stance", "cost"), "names a code with levels but no level in 1 row: line 2 'stance'"),
        (("cost", "1"), "in 1 row, and holds both labels and yes and no: line 3 '1'"),
    ],
)  # fmt: skip
def test_labels_that_are_none(run: Run, labels: tuple[str, str], said: str) -> None:
    _, _, err = run(long((0, labels[0]), (1, labels[1])), *ANN, "--labels", "label")
    assert said in err


@pytest.mark.slow
def test_lists_of_labels_in_json_lines(run: Run) -> None:
    one, two, three = drawn()[:3]
    lines = [{"id": one, "label": ["stance.for", "cost"]}, {"id": two, "label": ["mood.2"]},
             {"id": three, "label": []}]  # fmt: skip
    Path("x.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines), "utf-8")
    options = ["x.jsonl", *ANN, "--passage", "id", "--labels", "label", "--absent"]
    assert run(*options)[0] == 0
    assert cells("cost", "stance", "mood") == [
        ["1", "for", "NA"], ["0", "NA", "2"], ["0", "NA", "NA"],
    ]  # fmt: skip


# --- statistics programs --------------------------------------------------------------------------


def spss(frame: pd.DataFrame) -> str:
    labels = {"stance": {1: "Hawk", 2: "against", 3: "neutral"}, "mood": {0: "flat"}}
    pyreadstat.write_sav(frame, "x.sav", variable_value_labels=labels)
    return "x.sav"


def stata(frame: pd.DataFrame) -> str:
    labels = {"stance": {1: "Hawk", 2: "against", 3: "neutral"}, "mood": {0: "flat"}}
    frame.to_stata("x.dta", write_index=False, value_labels=labels)
    return "x.dta"


@pytest.mark.slow
@pytest.mark.parametrize("write", [spss, stata])
def test_labels_of_values_are_offered_and_taken(run: Run, write: Any) -> None:
    name = write(table(stance=[1, 2, 3, 2], mood=[0, 2, 2, -1]))
    _, out, err = run(name, *ANN)
    assert "values count, not their labels (stance: 1 is 'Hawk', 2 is 'against', 3 is " in out
    assert "Their labels in the file are taken with --value-labels: 1 is 'Hawk'" in err
    status, _, err = run(name, *ANN, "--value-labels", "--value", "Hawk=for")
    assert (status, err) == (0, "")
    assert cells("stance", "mood") == [
        ["for", "0"], ["against", "2"], ["neutral", "2"], ["against", "-1"],
    ]  # fmt: skip


@pytest.mark.slow
def test_a_file_without_labels_says_so(run: Run) -> None:
    _, out, _ = run(csv(table(stance=["for"] * 4)), *ANN, "--value-labels", "--dry-run")
    assert "the file has no labels of values" in out


# --- the dialogue ---------------------------------------------------------------------------------


def answers(options: Options, frame: dict[str, list[str]], given: list[str]) -> Options:
    rows = Rows((Path("x.csv"),), pd.DataFrame(frame, dtype=object), (0,) * 2, (2, 3))
    left = iter(given)
    found = codings_dialogue.answered(options, rows, ALL, ["ann"], lambda question: next(left))
    assert not list(left)
    return found


def test_a_dialogue_asks_for_columns_and_levels() -> None:
    frame = {"id": ["a", "b"], "S": ["Hawk", "x"], "h": ["1", "0"], "d": ["0", "0"],
             "f": ["0", "1"]}  # fmt: skip
    options = Options(passage="id", coders=("ann",))
    found = answers(options, frame, ["", "S", "", "yes", "h", "d", "f", "for", "missing"])
    assert dict(found.codes) == {"S": "stance", "h": "mood.-1", "d": "mood.0", "f": "mood.2"}
    assert found.said.levels == (("Hawk", "stance.for"),)
    assert found.said.missing == ("NA", "x")
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
    arguments = parser.parse_args(["codings", "import", "x.csv", "--value-labels"])
    arguments.directory = "."
    given = {"absent": False, "otherwise": {"mood": "0"}}
    line = codings_dialogue.command_line(Options(**{**vars(found), **given}), arguments)
    assert parsed(*shlex.split(line)[4:]) == Options(**{**vars(found), **given})
    assert "--value-labels" in line


def test_a_dialogue_maps_labels_to_levels() -> None:
    frame = {"id": ["a", "b"], "L": ["Hawk", "cost"]}
    options = Options(passage="id", coders=("ann",))
    found = answers(options, frame, ["", "", "no", "", "no", "L", "stance.for", "no"])
    assert dict(found.label) == {"Hawk": "stance.for"} and found.labels == "L"


# --- what is there --------------------------------------------------------------------------------


@pytest.mark.slow
def test_levels_join_those_that_are_there(run: Run) -> None:
    own = coded("machine-1")
    before = (CODINGS / "machine-1.tsv").read_bytes()
    status, out, err = run(csv(own))
    assert (status, err) == (0, "") and "All of it is there already" in out
    name = csv(own[:2].assign(stance="neutral", coder="machine-1"))
    _, _, err = run(name)
    assert "has stance neutral, there it is for" in err
    assert (CODINGS / "machine-1.tsv").read_bytes() == before
    assert run(name, "--replace")[0] == 0
    assert list(coded("machine-1")["stance"][:3]) == ["neutral", "neutral", "neutral"]
    assert main(["check"]) == 0


# --- out, and back in -----------------------------------------------------------------------------


def exported(name: str, *more: str) -> None:
    assert main(["codings", "export", name, *more]) == 0


@pytest.mark.slow
def test_the_table_for_r_has_levels_by_name(mini: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(make(mini, tmp_path / "tram", coders=3))
    names = list(pd.read_csv("corpus/passages.tsv", sep="\t", dtype=str)["passage_id"])
    rows = ["passage_id\tcode\tfold\tlabel\tprobability\tdecision\tunfamiliar"]
    for name in names:
        chosen = ord(name[0]) % 3
        for place, level in enumerate(STANCE.levels):
            share, own = (0.5, 1) if place == chosen else (0.25, 0)
            rows.append(f"{name}\t{level.indicator}\t0\t\t{share}\t{own}\t0")
    Path("build").mkdir()
    Path("build/scores.tsv").write_text("\n".join([*rows, ""]), "utf-8")
    exported("x.csv")
    table = pd.read_csv("x.csv", dtype=str, keep_default_na=False).set_index("doc_id")
    columns = ["stance", "stance.machine-1", "stance.machine-2", "stance.machine-3",
               "stance.for.probability", "stance.against.probability", "stance.neutral.probability",
               "stance.decision"]  # fmt: skip
    assert [name for name in table if name.startswith("stance")] == columns
    for number in (1, 2, 3):
        own = coded(f"machine-{number}").set_index("passage_id")
        said = table[f"stance.machine-{number}"]
        assert said[said != ""].to_dict() == own["stance"].to_dict()
        assert table.loc[own.index, f"mood.machine-{number}"].to_dict() == own["mood"].to_dict()
    # Three coders with three categories each: a tie, which the first in `ties` decides.
    assert set(table["stance"]) == {"", "neutral"}
    moods = table.loc[table["mood"] != "", [f"mood.machine-{n}" for n in (1, 2, 3)]].astype(int)
    assert (table.loc[moods.index, "mood"].astype(int) == moods.median(axis=1)).all()
    for name in names:
        level = STANCE.levels[ord(name[0]) % 3].name
        assert table.loc[name, "stance.decision"] == level
        assert float(table.loc[name, f"stance.{level}.probability"]) == 0.5


@pytest.mark.slow
def test_every_kind_comes_back_from_the_table_and_from_lines(run: Run) -> None:
    path = CODINGS / "machine-1.tsv"
    exported("x.csv")
    exported("x.jsonl")
    frame = pd.read_csv("x.csv", dtype=str, keep_default_na=False)
    csv(frame[frame["stance"] != ""], "back.csv")
    lines = [json.loads(line) for line in Path("x.jsonl").read_text("utf-8").splitlines()]
    first = next(line for line in lines if "label" in line)
    own = coded("machine-1").set_index("passage_id").loc[first["id"]]
    assert f"stance.{own['stance']}" in first["label"] and f"mood.{own['mood']}" in first["label"]
    text = "".join(f"{json.dumps(line)}\n" for line in lines if "label" in line)
    Path("back.jsonl").write_text(text, "utf-8")
    whole = pd.read_csv(path, sep="\t", dtype=str).assign(unsure="NA")
    for given in (["back.csv", "--passage", "doc_id"],
                  ["back.jsonl", "--passage", "id", "--labels", "label", "--absent"]):  # fmt: skip
        path.unlink()
        status, _, err = run(*given, "--coder", "machine-1")
        assert (status, err) == (0, "")
        found = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        pd.testing.assert_frame_equal(found, whole, check_dtype=False)


@pytest.mark.slow
def test_a_coder_called_as_a_column_of_the_classifier_is_refused(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = coded("machine-1").assign(coder="decision")
    frame.to_csv(CODINGS / "decision.tsv", sep="\t", index=False)
    with Path("corpus/coders.tsv").open("a") as file:
        file.write("decision\thuman\t1.0\tx\t\n")
    Path("build").mkdir()
    head = "passage_id\tcode\tfold\tlabel\tprobability\tdecision\tunfamiliar\n"
    Path("build/scores.tsv").write_text(f"{head}{drawn()[0]}\tcost\t0\t\t0.2\t0\t0\n", "utf-8")
    assert main(["codings", "export", "x.csv"]) == 1
    assert "would be called 'cost.decision' like another" in capsys.readouterr().err


# --- sheets for coders ----------------------------------------------------------------------------


@pytest.mark.slow
def test_sheets_and_the_page_for_coders_name_levels(project: Path) -> None:
    from framing.common.config import load_config
    from framing.common.paths import CONFIG
    from framing.project.load import load_started
    from framing.project.status import Stage, blank_sheet, next_steps, reading_list, text_reader

    for path in CODINGS.glob("*.tsv"):
        path.unlink()
    config = load_config(CONFIG)
    found, _ = load_started(config)
    sheet = blank_sheet(found, "ann")
    assert list(sheet)[2:] == ["cost", "fairness", "heritage", "stance", "mood", "unsure"]
    assert set(sheet["stance"]) == {""}
    steps = "\n".join(next_steps(found, Stage.NO_CODINGS))
    assert (
        "For each yes/no code 1 (present) or 0 (absent); for `stance` one of for, against, "
        "neutral; for `mood` one of -1, 0, 2; NA (not coded) for any; `unsure` is 1" in steps
    )
    page = reading_list(found, text_reader(config, found))
    assert "`stance` is one of:\n\n- for: In favour. It wants the tram.\n- against." in page
    assert "- neutral: No stance\n" in page and "- -1: gloomy\n" in page
    for name in ("stance", "mood"):
        del found.codebook.codes[name]  # type: ignore[attr-defined]
    steps = "\n".join(next_steps(found, Stage.NO_CODINGS))
    assert "   For each code 1 (present), 0 (absent) or NA (not coded); `unsure` is 1" in steps
    assert "is one of" not in reading_list(found, text_reader(config, found))
