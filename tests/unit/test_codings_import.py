"""Codings from spreadsheets: what is read, matched, joined and refused; and nothing by halves."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from openpyxl import Workbook

from framing.acquire.codings.formats import KNOWN
from framing.acquire.codings.match import (
    AMBIGUOUS,
    BY_CASELESS,
    BY_ID,
    BY_NORMALISED,
    BY_OFFSETS,
    BY_TEXT,
    CHANGED_ID,
    NO_PASSAGE,
    TWO_PASSAGES,
    Found,
    Passages,
    match,
)
from framing.acquire.codings.nearest import nearest
from framing.acquire.codings.options import Options, check_options, coder_problems, settled
from framing.acquire.codings.read import Rows, read_rows
from framing.acquire.codings.values import Said, contradictions, folded
from framing.acquire.settings import intake_settings
from framing.cli import codings as command
from framing.cli import codings_dialogue
from framing.cli.main import main
from framing.codebook.codes import yes_no_code
from framing.coding.codings import foreign_files
from framing.common import extras
from framing.common.paths import CODERS, CODINGS, PASSAGES, SAMPLE
from framing.common.problems import InputError
from framing.project.lock import LOCK, PENDING, recover
from framing.sampling.draw import DRAWS
from framing.sampling.records import read_draws
from framing.workflow.plan import plan

pytestmark = pytest.mark.slow

CODES = ["cost", "fairness", "heritage"]
YES_NO = {name: yes_no_code(name, name.title(), "x") for name in CODES}
SETTINGS = intake_settings()["table"]
UNMATCHED = Path("build/codings-unmatched.tsv")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example with one of its coders, as the others would only take time."""
    home = tmp_path / "mini"
    others = ("machine-2.tsv", "machine-3.tsv")
    left_out = shutil.ignore_patterns("results", "build", ".snakemake", *others)
    shutil.copytree(mini, home, ignore=left_out)
    monkeypatch.chdir(home)
    lines = CODERS.read_text("utf-8").splitlines(keepends=True)
    CODERS.write_text("".join(lines[:2]), "utf-8")
    return home


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(*arguments: str) -> tuple[int, str, str]:
        status = main(["codings", "import", *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return ran


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != LOCK.name
    }


def drawn() -> list[str]:
    return list(pd.read_csv(SAMPLE, sep="\t", dtype=str)["passage_id"])


def coded(coder: str) -> pd.DataFrame:
    return pd.read_csv(CODINGS / f"{coder}.tsv", sep="\t", dtype=str, keep_default_na=False)


def table(**more: Any) -> pd.DataFrame:
    """Codings of three drawn passages, of known answers."""
    own = {"passage_id": drawn()[:3], "cost": ["1", "0", "1"], "fairness": ["0", "0", "NA"],
           "heritage": ["0", "1", "0"]}  # fmt: skip
    return pd.DataFrame({**own, **more})


def csv(frame: pd.DataFrame, name: str = "ann.csv", **how: Any) -> str:
    frame.to_csv(name, index=False, **how)
    return name


ANN = ("--coder", "ann", "--kind", "human", "--describe", "a student of the town")


def rows_of(cells: dict[str, list[str]], name: str = "x.csv") -> Rows:
    frame = pd.DataFrame(cells, dtype=object)
    return Rows((Path(name),), frame, (0,) * len(frame), tuple(range(2, len(frame) + 2)))


# --- formats --------------------------------------------------------------------------------------


def excel(frame: pd.DataFrame, path: str) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(list(frame.columns))
    for row in frame.itertuples(index=False):
        sheet.append([int(value) if value in ("0", "1") else value for value in row])
    book.create_sheet("empty")
    book.save(path)


def stata(frame: pd.DataFrame, path: str) -> None:
    numbers = frame[CODES].replace("NA", "9").astype(int)
    frame.assign(**numbers).to_stata(path, write_index=False)


def spss(frame: pd.DataFrame, path: str) -> None:
    numbers = frame[CODES].replace("NA", "9").astype(float)
    labels = {"cost": {0: "no", 1: "yes"}}
    pyreadstat.write_sav(frame.assign(**numbers), path, variable_value_labels=labels)


WRITERS: dict[str, Callable[[pd.DataFrame, str], None]] = {
    "ann.csv": lambda frame, path: frame.to_csv(path, index=False),
    "bom.csv": lambda frame, path: frame.to_csv(
        path, index=False, encoding="utf-8-sig", lineterminator="\r\n"
    ),
    "semicolon.csv": lambda frame, path: frame.assign(note="é").to_csv(
        path, index=False, sep=";", encoding="cp1252"
    ),
    "ann.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "ann.jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "ann.parquet": lambda frame, path: frame.to_parquet(path),
    "ann.xlsx": excel,
    "ann.sav": spss,
    "ann.dta": stata,
}


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_format_gives_the_same_codings(run: Run, name: str) -> None:
    frame = table()
    WRITERS[name](frame, name)
    status, out, err = run(name, *ANN, "--missing", "9")
    assert (status, err) == (0, "")
    assert "3 by id" in out
    expected = frame.assign(coder="ann", unsure="NA")[["passage_id", "coder", *CODES, "unsure"]]
    pd.testing.assert_frame_equal(coded("ann"), expected, check_dtype=False)
    assert CODERS.read_text("utf-8").endswith("ann\thuman\t1.0\ta student of the town\t\n")
    assert ("values count, not their labels (cost: 0 is 'no', 1 is 'yes')" in out) == (
        name == "ann.sav"
    )
    assert ("columns that are not used: note" in out) == (name == "semicolon.csv")


BAD_FILES = {
    "a.docx": (b"PK", f"has the ending '.docx'. Known: {', '.join(KNOWN)}"),
    "bad.xlsx": (b"no workbook", "is no Excel file that can be read"),
    "bad.sav": (b"no data", "is no SPSS file that can be read"),
    "bad.dta": (b"no data", "is no Stata file that can be read"),
    "old.csv": (b"PK\x03\x04", "is a spreadsheet or another packed file"),
    "empty.csv": (b"", "is empty. Give it a header and a row a coding"),
    "empty.xlsx": (b"", "is empty. Give it a header and a row a coding"),
    "headed.csv": (b"passage_id,cost\n", "has no row of codings"),
    "gone.csv": (None, "does not exist"),
    "gone.xlsx": (None, "does not exist"),
    "twice.csv": (b"passage_id,cost,cost\nx,1,1\n", "has the column 'cost' twice"),
    "short.csv": (b"passage_id,cost\n" + b"x\n" * 9, "9 problems of one kind: line 2 has 1 fields "
                  "where the header has 2; line 3 has"),
    ".": (None, "is a folder"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(BAD_FILES))
def test_what_is_no_table_of_codings_is_said(tmp_path: Path, name: str) -> None:
    data, said = BAD_FILES[name]
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_rows([tmp_path / name], SETTINGS)
    (problem,) = caught.value.problems
    assert said in str(problem)


def test_a_workbook_with_several_sheets_asks_which(run: Run) -> None:
    book = Workbook()
    book.active.append(["something", "else"])
    book.create_sheet("codes").append(["passage_id", "cost"])
    book["codes"].append([drawn()[0], "=1"])
    book.save("ann.xlsx")
    assert "several sheets that hold something: 'Sheet', 'codes'" in run("ann.xlsx", *ANN)[2]
    assert "has no sheet 'x'" in run("ann.xlsx", *ANN, "--sheet", "x")[2]
    _, out, err = run("ann.xlsx", *ANN, "--sheet", "codes")
    assert "formulas in the sheet 'codes' are not worked out" in out
    assert "not declared in 1 cell: line 2 cost '=1'" in err


def test_a_missing_library_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    excel(table(), "ann.xlsx")

    def absent(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(extras.importlib, "import_module", absent)
    _, _, err = run("ann.xlsx", *ANN)
    assert (
        "cannot be read without the Python library openpyxl. Run: pip install -e '.[codings]'"
        in (err)
    )


def test_ids_stay_texts_and_blanks_around_values_are_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;x\n 0012345678 ;\xa01 \n;\n07543209e8;1.0\n", "utf-8")
    found = read_rows([path], SETTINGS)
    assert found.cells.to_dict("list") == {"id": ["0012345678", "07543209e8"], "x": ["1", "1.0"]}
    assert found.line == (2, 4)
    assert any("1 row without any value passed over" in note for note in found.notes)


# --- matching -------------------------------------------------------------------------------------

KNOWN_PASSAGES = Passages(
    {
        "07543209e8": ("a", 0, 40), "p2": ("a", 41, 80), "0000123456": ("b", 0, 30),
        "p4": ("b", 31, 60), "p5": ("c", 0, 60),
    },
    {
        "07543209e8": "She said: “The crane – at night – is loud”.", "p2": "Nobody sleeps here.",
        "0000123456": "Nobody sleeps here.", "p4": "The chimney comes down in autumn.",
        "p5": "The chimney of the brick works comes down next autumn, said the foreman.",
    },
)  # fmt: skip


def found(**cells: str) -> Found:
    options = Options(**{name: name for name in cells})
    (one,) = match(rows_of({name: [value] for name, value in cells.items()}), options,
                   KNOWN_PASSAGES)  # fmt: skip
    return one


@pytest.mark.parametrize(
    ("cells", "passage", "way"),
    [
        ({"passage": "p2"}, "p2", BY_ID),
        ({"passage": "p2", "text": "another"}, "p2", BY_ID),
        ({"source": "b", "start": "31", "end": "60.0"}, "p4", BY_OFFSETS),
        ({"passage": "", "source": "b", "start": "31", "end": "60"}, "p4", BY_OFFSETS),
        ({"passage": "p4", "source": "b", "start": "31", "end": "60"}, "p4", BY_ID),
        ({"text": "The chimney comes down in autumn."}, "p4", BY_TEXT),
        ({"text": 'She said: "The crane - at\n night - is loud".'}, "07543209e8", BY_NORMALISED),
        ({"text": "THE CHIMNEY comes down in  autumn."}, "p4", BY_CASELESS),
        ({"text": "Nobody sleeps here.", "source": "b"}, "0000123456", BY_TEXT),
    ],
)
def test_ways_of_matching(cells: dict[str, str], passage: str, way: str) -> None:
    assert found(**cells) == Found(passage, way)


@pytest.mark.parametrize(
    ("cells", "failure", "candidates"),
    [
        ({"passage": "p9"}, NO_PASSAGE, ()),
        ({"passage": "12"}, NO_PASSAGE, ()),
        ({"passage": "754320900000000"}, CHANGED_ID, ("07543209e8",)),
        ({"passage": "7.543209E+14"}, CHANGED_ID, ("07543209e8",)),
        ({"passage": "7,54E+14"}, CHANGED_ID, ("07543209e8",)),
        ({"passage": "123456"}, CHANGED_ID, ("0000123456",)),
        ({"passage": "1.2E+99"}, CHANGED_ID, ()),
        ({"source": "b", "start": "30", "end": "60"}, NO_PASSAGE, ("p4",)),
        ({"source": "b", "start": "90", "end": "99"}, NO_PASSAGE, ()),
        ({"source": "z", "start": "0", "end": "9"}, NO_PASSAGE, ()),
        ({"source": "b", "start": "x", "end": "9"}, NO_PASSAGE, ()),
        ({"passage": "p2", "source": "b", "start": "31", "end": "60"}, TWO_PASSAGES, ()),
        ({"text": "Nobody sleeps here."}, AMBIGUOUS, ("p2", "0000123456")),
        ({"text": "Nobody sleeps"}, NO_PASSAGE, ()),
        ({"passage": "", "text": ""}, NO_PASSAGE, ()),
    ],
)
def test_what_matches_nothing_is_not_guessed(
    cells: dict[str, str], failure: str, candidates: tuple[str, ...]
) -> None:
    one = found(**cells)
    assert (one.passage, one.failure, one.candidates) == ("", failure, candidates)
    assert one.why


def test_the_nearest_passage_is_shown_with_its_similarity() -> None:
    def near(**cells: str) -> tuple[str, float] | None:
        rows = rows_of({name: [value] for name, value in cells.items()})
        options = Options(**{name: name for name in cells})
        missing = match(rows, options, KNOWN_PASSAGES)
        return nearest(rows, options, missing, KNOWN_PASSAGES).get(0)

    assert near(passage="07543209e9") == ("07543209e8", pytest.approx(0.9))
    assert near(text="The chimney comes down in spring.") == ("p4", pytest.approx(5 / 6))
    assert near(source="b", start="30", end="60") == ("p4", pytest.approx(29 / 30))
    assert near(passage="zzz") is None and near(text="Quite other words") is None


def test_thousands_of_texts_that_match_nothing_do_not_take_long() -> None:
    words = [f"word{n % 97} other{n % 89} third{n % 83} thing{n}" for n in range(5000)]
    known = Passages({f"p{n}": ("a", n, n + 1) for n in range(5000)},
                     {f"p{n}": text for n, text in enumerate(words)})  # fmt: skip
    rows = rows_of({"text": [f"{text} more" for text in words]})
    options = Options(text="text")
    began = time.monotonic()
    near = nearest(rows, options, match(rows, options, known), known)
    assert near[0] == ("p0", pytest.approx(8 / 9))
    assert time.monotonic() - began < 5


def test_by_text_and_by_offsets_on_disk(run: Run) -> None:
    passages = pd.read_csv(PASSAGES, sep="\t", dtype=str).set_index("passage_id").loc[drawn()[:3]]
    texts = [
        Path(f"corpus/texts/{row.source_id}.txt").read_text("utf-8")[int(row.start) : int(row.end)]
        for row in passages.itertuples()
    ]
    frame = table(source=list(passages["source_id"]), a=list(passages["start"]),
                  b=list(passages["end"]), text=[texts[0], texts[1].upper(), texts[2]])  # fmt: skip
    name = csv(frame.drop(columns="passage_id"))
    _, out, _ = run(name, *ANN, "--source", "source", "--start", "a", "--end", "b", "--dry-run")
    assert "rows matched: 3 by source and offsets" in out
    status, out, _ = run(name, *ANN, "--text", "text")
    assert status == 0
    assert "rows matched: 2 by text, 1 by text, normalised, apart from case" in out
    assert list(coded("ann")["passage_id"]) == drawn()[:3]
    shutil.rmtree("corpus/texts")
    _, _, err = run(name, *ANN, "--text", "text")
    assert "no text of the corpus is at hand (corpus.texts: corpus/texts). Give ids" in err


def test_unmatched_rows_refuse_the_import_or_are_listed(run: Run, project: Path) -> None:
    wrong = f"{drawn()[0][:-1]}x"
    frame = pd.concat(
        [
            table(),
            pd.DataFrame(
                {
                    "passage_id": [wrong, "zz", "yy", "ww"],
                    "cost": "1",
                    "fairness": "1",
                    "heritage": "1",
                }
            ),
        ]
    )
    name = csv(frame)
    before = files(project)
    status, out, err = run(name, *ANN)
    assert status == 1 and "rows without a passage: 4" in out
    assert (
        f"no passage fits 4 rows: line 5, no passage has the id {wrong!r} (nearest: "
        f"{drawn()[0]!r}, similarity 0.90); line 6, " in err
    )
    assert "; and so on" in err and len(err.splitlines()) == 1
    assert files(project) == before
    status, out, err = run(name, *ANN, "--skip-unmatched")
    assert (status, err) == (0, "")
    assert f"Rows that fit no passage were left out: they stand in {UNMATCHED}" in out
    left = pd.read_csv(UNMATCHED, sep="\t", keep_default_na=False)
    assert list(left["passage"]) == [wrong, "zz", "yy", "ww"] and list(left["line"]) == [5, 6, 7, 8]
    assert left["nearest"][0] == drawn()[0] and float(left["similarity"][0]) == 0.9
    assert len(coded("ann")) == 3
    assert run(csv(table()), *ANN)[0] == 0
    assert not UNMATCHED.exists(), "a list of an earlier import would mislead"


def test_ids_that_became_numbers_are_told_as_such(run: Run) -> None:
    numbers = [name for name in drawn() if name.isdecimal()]
    changed = str(int(numbers[0])) if numbers and numbers[0][0] == "0" else "9.2E+14"
    _, _, err = run(csv(table(passage_id=[changed, "1.5E+12", drawn()[2]])), *ANN,
                    "--skip-unmatched")  # fmt: skip
    assert "ids have been turned into numbers in 2 rows: line 2, " in err
    assert "format the column as text before the ids are put in" in err


def test_undrawn_passages_are_an_error_of_their_own(run: Run) -> None:
    every = pd.read_csv(PASSAGES, sep="\t", dtype=str)["passage_id"]
    others = [name for name in every if name not in drawn()][:5]
    more = pd.DataFrame({"passage_id": others, "cost": "1", "fairness": "1", "heritage": "1"})
    name = csv(pd.concat([table(), more]))
    status, out, err = run(name, *ANN)
    assert status == 1 and "rows on passages not drawn: 5" in out
    assert f"no draw took the passage of 5 rows: line 5 {others[0]!r}; line 6 " in err
    assert len(err.splitlines()) == 1
    status, out, _ = run(name, *ANN, "--skip-undrawn")
    assert status == 0 and f"rows on passages not drawn: 5 (line 5 {others[0]!r}" in out
    assert list(coded("ann")["passage_id"]) == drawn()[:3]


# --- layouts and values ---------------------------------------------------------------------------


def test_long_and_wide_give_the_same(run: Run) -> None:
    wide = table(fairness=["0", "1", "0"], unsure=["0", "1", "0"])
    assert run(csv(wide), *ANN)[0] == 0
    expected = coded("ann")
    (CODINGS / "ann.tsv").unlink()
    one, two, three = drawn()[:3]
    long = pd.DataFrame(
        [(one, "Costs", "0"), (two, "fairness", "0"), (two, "heritage", "1"), (three, "costs", "0"),
         (three, "cost", "0")],
        columns=["id", "label", "unsure"],
    )  # fmt: skip
    status, out, err = run(
        csv(long, "long.csv"), "--passage", "id", "--labels", "label", "--label", "COSTS=cost",
        "--absent", "--unsure", "unsure", "--coder", "ann",
    )  # fmt: skip
    assert (status, err) == (0, "") and "rows that repeat others: 1" in out
    pd.testing.assert_frame_equal(coded("ann"), expected)


def test_without_absent_a_code_that_is_not_named_is_not_coded(run: Run) -> None:
    one, two = drawn()[:2]
    long = pd.DataFrame([(one, "cost"), (two, "NA")], columns=["passage_id", "label"])
    assert run(csv(long), *ANN, "--labels", "label")[0] == 0
    assert coded("ann")[CODES].to_numpy().tolist() == [["1", "NA", "NA"], ["NA"] * 3]


def test_what_is_inferred_from_a_list_that_is_not_whole_is_said(run: Run) -> None:
    long = pd.DataFrame([(drawn()[0], "cost"), ("zz", "fairness")], columns=["passage_id", "label"])
    options = [csv(long), *ANN, "--labels", "label", "--skip-unmatched", "--dry-run"]
    warning = "a row without a passage may have held a label"
    assert warning in run(*options, "--absent")[1]
    assert warning not in run(*options)[1]


def test_a_passage_without_a_label_lacks_all_codes_if_that_is_said(run: Run) -> None:
    one, two = drawn()[:2]
    name = csv(pd.DataFrame([(one, ""), (two, "cost")], columns=["passage_id", "label"]))
    _, _, err = run(name, *ANN, "--labels", "label")
    assert "no label in the column 'label' in 1 row: line 2. Say what that means: --absent" in err
    assert run(name, *ANN, "--labels", "label", "--absent")[0] == 0
    assert coded("ann")[CODES].to_numpy().tolist() == [["0", "0", "0"], ["1", "0", "0"]]
    name = csv(pd.DataFrame([(two, ""), (two, "cost")], columns=["passage_id", "label"]))
    _, _, err = run(name, *ANN, "--labels", "label", "--absent")
    assert "1 row with a label although another row says that the passage has none" in err


def test_values_mean_only_what_was_declared(run: Run) -> None:
    name = csv(table(cost=["Yes", "no", "x"], fairness=["", "0.0", "1.0"]))
    _, _, err = run(name, *ANN)
    assert (
        "a value that was not declared in 4 cells: line 2 cost 'Yes'; line 2 fairness ''; line 3 "
        "cost 'no'; and so on. Say what it means ('' (empty), 'Yes', 'no', 'x'): --yes VALUE" in err
    )
    said = ["--yes", "YES", "--yes", "X", "--yes", "1", "--no", "no", "--no", "0", "--missing", ""]
    assert run(name, *ANN, *said)[0] == 0
    assert coded("ann")[["cost", "fairness"]].to_numpy().tolist() == [
        ["1", "NA"], ["0", "0"], ["1", "1"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "plain"),
    [("1.0", "1"), ("-1.00", "-1"), ("1.5", "1.5"), (" JA ", "ja"), (".0", ".0"), ("1.", "1.")],
)
def test_values_are_compared_folded(value: str, plain: str) -> None:
    assert folded(value) == plain


def test_a_value_cannot_mean_two_things() -> None:
    (problem,) = contradictions(Said(yes=("x", "na"), no=("0",)))
    assert problem.place == "--missing and --yes" and "'na'" in problem.what
    assert not contradictions(Said())


# --- what is wrong with options and rows ----------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--passage", "passag_id"], "has no column 'passag_id' (for --passage). Did you mean"),
        (["--code", "cost=price"], "--code cost=price: 'price' is no code of the codebook. Its"),
        (["--code", "cost"], "--code cost: has not the form LEFT=CODE"),
        (["--code", "cost=cost", "--code", "fairness=cost"], "several columns for 'cost'"),
        (["--code", "x=cost", "--code", "x=heritage"], "--code: gives 'x' two codes"),
        (["--passage", "cost"], "--passage and --code: name the same column 'cost'"),
        (["--code", "cost=cost", "--labels", "heritage"], "--code and --labels: say both"),
        (["--label", "x=cost"], "--label: speaks of a column of labels, but none is named"),
        (["--absent"], "--absent: speaks of a column of labels"),
        (["--source", "cost", "--start", "heritage"], "--start and --end: say where a passage is"),
        (["--coder", "ann", "--coder-column", "cost"], "--coder and --coder-column: say both who"),
        (["--coder", "bob", "--coder", "eve"], "--coder: is given 2 times for 1 files"),
        (["--kind", "robot"], "--kind: is 'robot'. Write human or machine"),
        (["--model", "M", "--kind", "human"], "--model: is given for a human coder"),
        (["--yes", "0"], "--no and --yes: both name the value '0'"),
        (["--coder", "../x"], "--coder: '../x' cannot be the name of a coder"),
    ],
)
def test_options_that_cannot_be(options: list[str], said: str) -> None:
    rows = rows_of({name: ["1"] for name in ("passage_id", *CODES)})
    with pytest.raises(InputError) as caught:
        check_options(settled(parsed(*options), rows, YES_NO)[0], rows, YES_NO)
    assert said in str(caught.value)


def parsed(*options: str) -> Options:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
    return command.options_of(parser.parse_args(["codings", "import", "x.csv", *options]))


def test_a_column_of_yes_and_no_is_no_column_of_labels(run: Run) -> None:
    _, _, err = run(csv(table()), *ANN, "--labels", "cost")
    assert "names no code of the codebook in 3 rows: line 2 '1'; line 3 '0'; line 4 '1'" in err
    assert "The column holds yes and no, not names of codes: give it as --code cost=CODE" in err


def test_columns_of_names_of_codes_are_told_from_yes_and_no(run: Run) -> None:
    _, _, err = run(csv(table(cost=["cost", "heritage", "cost"])), *ANN)
    assert "A column of names of codes is given by --labels COLUMN" in err


def test_files_with_other_columns_are_refused_and_the_same_ones_joined(run: Run) -> None:
    frame = table()
    one, two = csv(frame[:2], "one.csv"), csv(frame[2:][["cost", "passage_id"]], "two.csv")
    _, _, err = run(one, two, *ANN)
    assert "two.csv, line 1: has other columns than one.csv: it lacks 'fairness', 'heritage'" in err
    two = csv(frame[2:][["heritage", "fairness", "cost", "passage_id"]], "two.csv")
    assert "is named twice" in run(one, one, *ANN)[2]
    status, out, _ = run(one, two, *ANN)
    assert status == 0 and "rows read: 3 of 2 files" in out
    assert len(coded("ann")) == 3


def test_a_coder_for_each_file(run: Run) -> None:
    one, two = csv(table()[:1], "one.csv"), csv(table()[1:], "two.csv")
    status, _, err = run(one, two, "--coder", "ann", "--coder", "bob", "--kind", "human")
    assert (status, err) == (0, "")
    assert (len(coded("ann")), len(coded("bob"))) == (1, 2)


def test_without_options_the_columns_and_what_would_say_it_are_told(run: Run) -> None:
    _, _, err = run(csv(table().rename(columns={"passage_id": "n", "cost": "k", "fairness": "f",
                                                "heritage": "h"})))  # fmt: skip
    first, second, third = err.splitlines()
    assert "(its columns: n, k, f, h). Say it: --passage COLUMN (ids), or --source" in first
    assert "which columns hold codes" in second and "--labels COLUMN" in second
    assert "--coder NAME or --coder-column COLUMN" in third


def test_repeated_rows_count_once_unless_they_disagree(run: Run) -> None:
    frame = table()
    status, out, _ = run(csv(pd.concat([frame, frame[:2]])), *ANN)
    assert status == 0 and "rows that repeat others: 2" in out and len(coded("ann")) == 3
    other = frame[:1].assign(cost="0")
    _, _, err = run(csv(pd.concat([frame, other])), *ANN, "--replace")
    assert f"1 row disagree with another row on the same passage and coder: line 5 and line 2 on " \
        f"{drawn()[0]!r}" in err  # fmt: skip


# --- coders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../x", "a/b", "{coder}", "", ".hidden", "a b", "a\\b", "ä"])
def test_names_that_are_no_plain_ids_are_refused(name: str) -> None:
    (problem,) = coder_problems([name, name, "ann"], "--coder")
    assert f"{name!r} cannot be the name of a coder" in problem.what


def test_a_coder_in_a_column_cannot_leave_the_folder(run: Run, project: Path) -> None:
    name = csv(table(who=["../../ann", "", "ann"]))
    before = files(project.parent)
    _, _, err = run(name, "--coder-column", "who", "--kind", "human")
    assert "'../../ann' cannot be the name of a coder" in err
    assert "no coder in 1 row: line 3" in err
    assert files(project.parent) == before


def test_a_new_coder_needs_a_kind(run: Run) -> None:
    name = csv(table())
    assert (
        "does not name the coder 'ann'. Say who codes: --kind human, or"
        in (run(name, "--coder", "ann")[2])
    )
    status, out, _ = run(name, "--coder", "llm", "--kind", "machine")
    assert status == 0 and "no --model was named" in out
    before = CODERS.read_text("utf-8")
    _, _, err = run(name, "--coder", "llm", "--kind", "human")
    assert "says of the coder 'llm' kind 'machine', not 'human'" in err
    assert (
        "differs from the coder 'llm' in case only"
        in (run(name, "--coder", "LLM", "--kind", "human")[2])
    )
    assert CODERS.read_text("utf-8") == before


def test_a_model_gets_its_column_where_there_is_none(run: Run) -> None:
    lines = CODERS.read_text("utf-8").splitlines()
    CODERS.write_text("".join(line.rpartition("\t")[0] + "\n" for line in lines), "utf-8")
    options = ["--coder", "run-1", "--kind", "machine", "--model", "M,\t1", "--describe", "first"]
    assert run(csv(table()), *options)[0] == 0
    after = CODERS.read_text("utf-8").splitlines()
    assert after[0].endswith("\tdescription\tmodel")
    assert after[1] == lines[1].rpartition("\t")[0] + "\t"
    assert after[-1] == "run-1\tmachine\t1.0\tfirst\tM, 1"


def test_coders_of_a_column(run: Run) -> None:
    frame = table(who=["ann", "bob", "ann"])
    status, out, _ = run(csv(frame), "--coder-column", "who", "--kind", "human")
    assert status == 0 and "ann (new, human): 2 passages" in out
    assert list(coded("ann")["passage_id"]) == [drawn()[0], drawn()[2]]
    assert list(coded("bob")["coder"]) == ["bob"]


# --- joining, checking, writing -------------------------------------------------------------------


def test_codings_join_those_that_are_there(run: Run) -> None:
    before = (CODINGS / "machine-1.tsv").read_bytes()
    own = coded("machine-1")
    status, out, _ = run(csv(own), "--replace")
    assert status == 0 and "there already 186, different 0" in out
    assert "All of it is there already: nothing was written" in out
    assert (CODINGS / "machine-1.tsv").read_bytes() == before
    changed = own[:5].assign(cost=own["cost"][:5].map({"0": "1", "1": "0"}), fairness="NA")
    name = csv(changed)
    status, _, err = run(name)
    assert status == 1 and "has other values than 5 codings in the import: line 2 " in err
    assert len(err.splitlines()) == 1
    assert (CODINGS / "machine-1.tsv").read_bytes() == before
    status, out, _ = run(name, "--replace")
    assert status == 0 and "different 5" in out
    after = coded("machine-1")
    assert list(after["cost"][:5]) == list(changed["cost"])
    assert list(after["fairness"]) == list(own["fairness"]), "what is not coded says nothing"


def test_new_rows_follow_those_there_in_the_order_of_the_draw(run: Run) -> None:
    run(csv(table()[2:]), *ANN)
    run(csv(table()[:2][::-1]), "--coder", "ann")
    assert list(coded("ann")["passage_id"]) == [drawn()[2], *drawn()[:2]]


def test_a_dry_run_writes_nothing(run: Run, project: Path) -> None:
    name = csv(pd.concat([table(), table()[:1], table()[:1].assign(passage_id="zz")]))
    before = files(project)
    status, out, err = run(name, *ANN, "--dry-run", "--skip-unmatched")
    assert (status, err) == (0, "")
    assert out.splitlines()[-10:] == [
        "rows read: 5 of 1 file", "rows matched: 4 by id", "rows without a passage: 1",
        "rows on passages not drawn: 0", "rows that repeat others: 1",
        "ann (new, human): 3 passages, codings new 8, there already 0, different 0",
        "  cost: 2 yes, 1 no, 0 not coded", "  fairness: 0 yes, 2 no, 1 not coded",
        "  heritage: 1 yes, 2 no, 0 not coded",
        out.splitlines()[-1],
    ]  # fmt: skip
    assert f"it would be: {UNMATCHED}, {CODERS}, {CODINGS}/ann.tsv" in out
    assert files(project) == before


def test_what_a_run_would_refuse_is_not_written(run: Run, project: Path) -> None:
    for path in CODINGS.glob("*.tsv"):
        path.unlink()
    CODERS.write_text(CODERS.read_text("utf-8").split("\n")[0] + "\n", "utf-8")
    name = csv(table())
    before = files(project)
    status, _, err = run(name, *ANN)
    assert status == 1 and f"{CODINGS}: 59 drawn passages have no coding of 'cost'" in err
    assert "/tmp" not in err
    assert files(project) == before


def test_half_a_sheet_of_the_project_is_filled(run: Run) -> None:
    sheet = coded("machine-1").assign(coder="ann", cost="", fairness="", heritage="", unsure="")
    CODERS.write_text(CODERS.read_text("utf-8") + "ann\thuman\t1.0\tx\t\n", "utf-8")
    sheet.to_csv(CODINGS / "ann.tsv", sep="\t", index=False)
    whole = coded("machine-1").assign(coder="ann")
    assert run(csv(whole))[0] == 0
    assert coded("ann").equals(whole)


@pytest.fixture
def confirmation(project: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """A pending confirmation draw under a freeze."""
    assert main(["freeze"]) == 0
    draw = ["sample", "--supplement", "--size", "9", "--seed", "4", "--role", "confirmation"]
    assert main(draw) == 0
    capsys.readouterr()
    yield list(read_draws(DRAWS)[-1].drawn["passage_id"])


def test_a_pending_confirmation_draw_comes_whole(run: Run, confirmation: list[str]) -> None:
    frame = pd.DataFrame({"passage_id": confirmation, "cost": "1", "fairness": "0"})
    name = csv(frame[:4].assign(heritage="0"))
    _, _, err = run(name, *ANN)
    assert (
        "is a confirmation draw of 9 passages without codings, and the import leaves out 5" in err
    )
    _, _, err = run(csv(frame), *ANN)
    assert "9 drawn passages have no coding of 'heritage'" in err
    status, out, _ = run(csv(frame.assign(heritage="0")), *ANN)
    assert status == 0 and "unread, frozen on" in out


def test_codings_of_a_confirmation_draw_wait_for_a_freeze(run: Run, project: Path) -> None:
    draw = ["sample", "--supplement", "--size", "9", "--seed", "4", "--role", "confirmation"]
    assert main(draw) == 0
    names = list(read_draws(DRAWS)[-1].drawn["passage_id"])
    frame = pd.DataFrame({"passage_id": names, "cost": "1", "fairness": "0", "heritage": "0"})
    _, _, err = run(csv(frame), *ANN)
    assert f"{CODINGS}/ann.tsv, line 2: codes a passage of the confirmation draw" in err
    assert not (CODINGS / "ann.tsv").exists()


def test_nothing_drawn_nothing_coded(run: Run) -> None:
    name = csv(table())
    SAMPLE.write_text(SAMPLE.read_text("utf-8").split("\n")[0] + "\n", "utf-8")
    assert "names no drawn passage" in run(name, *ANN)[2]


_KILLED = """
import os, sys
from pathlib import Path
from framing.cli import codings
from framing.cli.main import main
from framing.project import lock

deadly, calls = [int(one) for one in sys.argv[1].split(",")], 0

def counted(original):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls in deadly:
            os._exit(9)
        return original(*arguments, **options)
    return call

def commit(*arguments, **options):
    for name in ("replace", "unlink", "mkdir", "open"):
        setattr(Path, name, counted(getattr(Path, name)))
    return original(*arguments, **options)

original, lock.commit = lock.commit, commit
sys.exit(main(["codings", "import", "ann.csv", "--coder", "ann", "--kind", "human"]))
"""


@pytest.mark.parametrize("step", [7, 11])
def test_a_kill_leaves_all_or_nothing(project: Path, root: Path, step: int) -> None:
    """Killed at calls that touch the disk: afterwards coder and codings are there, or neither."""
    csv(table())
    before = CODERS.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(step)], check=False, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(root / "workflow")},
    )  # fmt: skip
    assert done.returncode == 9, done.stderr.decode()
    recover()
    assert not PENDING.exists()
    assert (CODERS.read_bytes() == before) == (not (CODINGS / "ann.tsv").exists())


# --- files of another kind ------------------------------------------------------------------------


FOREIGN = ["ann.csv", "ann.xlsx", "ann.qdpx", "ann.TSV", "ann", "more/x.tsv"]


def test_files_of_another_kind_among_codings_are_errors(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (CODINGS / ".gitkeep").touch()
    (CODINGS / ".ann.tsv.swp").touch()
    assert not foreign_files(CODINGS)
    for name in FOREIGN:
        (CODINGS / name).parent.mkdir(exist_ok=True)
        (CODINGS / name).write_text("x", "utf-8")
    assert main(["check"]) == 1
    err = capsys.readouterr().err
    assert "framing codings import FILE" in err and len(err.splitlines()) == len(FOREIGN)
    with pytest.raises(InputError) as caught:
        plan({})
    for name in FOREIGN:
        said = f"{CODINGS / name.split('/')[0]}: is no table of codings of the project's own form"
        assert said in err and said in str(caught.value)


def test_a_project_that_begins_refuses_them_too(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in CODINGS.glob("*.tsv"):
        path.rename(path.with_suffix(".csv"))
    assert main(["check"]) == 1
    assert capsys.readouterr().err.count("is no table of codings") == 1


# --- the dialogue ---------------------------------------------------------------------------------


def test_a_dialogue_asks_for_what_is_missing_and_says_the_command_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = table(cost=["ja", "nein", "ja"], fairness=["nein", "nein", ""]).rename(
        columns={"passage_id": "Nr", "cost": "Kosten"}
    )
    name = csv(frame.drop(columns="heritage"), "my file.csv")
    answers = iter(
        ["nothing", "Nr", "Kosten", "", "", "an n", "ann", "missing", "yes", "no",
         "machine", "the model", "a run"]
    )  # fmt: skip
    asked = []

    def answer(question: str) -> str:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr(command, "_ask", answer)
    terminal = monkeypatch.context
    with terminal() as at:
        at.setattr("sys.stdin.isatty", lambda: True, raising=False)
        at.setattr("sys.stderr.isatty", lambda: True, raising=False)
        status, out, _ = run(name, "--dry-run")
    assert status == 0 and not list(answers)
    assert asked[0] == "Which column has the ids of passages (empty: none)"
    line = out.split("The same without questions:\n")[1].split("\n")[0].strip()
    assert line.startswith("framing codings import 'my file.csv' --passage Nr")
    words = shlex.split(line)[3:]
    status, out, err = run(*[word for word in words if word != "--dry-run"])
    assert (status, err) == (0, "")
    assert coded("ann")[CODES].to_numpy().tolist() == [
        ["1", "0", "NA"], ["0", "0", "NA"], ["1", "NA", "NA"],
    ]  # fmt: skip


def test_a_dialogue_on_labels() -> None:
    rows = rows_of({"Doc": ["a", "a"], "Von": ["0", "5"], "Bis": ["5", "9"], "L": ["Cost!", "fair"],
                    "Wer": ["ann", "ann"]})  # fmt: skip
    answers = iter(["", "Doc", "Von", "Bis", "", "L", "cost", "", "yes", "Wer"])
    options = codings_dialogue.answered(
        Options(), rows, {"cost": YES_NO["cost"]}, ["ann"], lambda question: next(answers, "")
    )
    assert options == Options(
        source="Doc", start="Von", end="Bis", labels="L", label={"Cost!": "cost"}, absent=True,
        coder_column="Wer",
    )  # fmt: skip


# --- from end to end ------------------------------------------------------------------------------


def test_what_was_exported_comes_back_byte_for_byte(run: Run, project: Path) -> None:
    before = files(project)
    frame = coded("machine-1").drop(columns="coder").replace({"1": "yes", "0": "nein"})
    frame = frame.rename(columns={"cost": "Kosten für alle"})[::-1]
    csv(frame, "back.csv", sep=";", encoding="cp1252", lineterminator="\r\n")
    (CODINGS / "machine-1.tsv").unlink()
    status, out, err = run(
        "back.csv", "--code", "Kosten für alle=cost", "--code", "fairness=fairness", "--code",
        "heritage=heritage", "--yes", "yes", "--no", "nein", "--coder", "machine-1",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "read as cp1252" in out
    (project / "back.csv").unlink()
    assert files(project) == before
    assert main(["check"]) == 0
