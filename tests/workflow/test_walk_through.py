"""docs/walk-through.md: its commands are commands, and its way leads to T4 and T23."""

from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import yaml

from framing.cli.main import _parser, main
from framing.coding.codings import read_coders
from framing.common.config import load_config
from framing.common.paths import CODEBOOK, CODERS, CONFIG
from tests.unit.chat_server import serving

from .conftest import Run, as_csv

pytestmark = pytest.mark.slow

PAGE = "docs/walk-through.md"
CODES = {
    "stance": ("one of", ("for", "against", "neither")),
    "strength": ("ordinal", (0, 1, 2)),
}
SAYS = {
    "for": "Number {0} of us would come on Sundays with a lamp, a flask and {1} children.",
    "against": "Desk {0} has no shift to give on a Sunday, and {1} of us have said so in writing.",
    "neither": "Shelf {0} was painted in the year {1}, and the stairs were mended soon after it.",
}


def test_every_command_of_the_page_is_one(root: Path) -> None:
    blocks = re.findall(r"```\w*\n(.*?)```", (root / PAGE).read_text("utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("framing ")]
    assert len(lines) >= 10
    for line in lines:
        _parser().parse_args(shlex.split(line)[1:])
    text = (root / PAGE).read_text(encoding="utf-8")
    for name in re.findall(r"\((pictures/\S+)\)", text):
        assert (root / "docs" / name).is_file()
    for name in re.findall(r"\]\(([a-z-]+\.md)\)", text):
        assert (root / "docs" / name).is_file()


def chance(*of: object) -> float:
    return int(hashlib.sha256(repr(of).encode()).hexdigest()[:8], 16) / 2**32


def stance_of(*place: object) -> str:
    return ("for", "against", "neither")[int(3 * chance("stance", *place))]


def strength_of(stance: str, who: str, passage: str) -> str:
    return "0" if stance == "neither" else "2" if chance(who, passage) < 0.6 else "1"


def letters(folder: Path) -> None:
    """Texts of twelve writers, and the table by which they join."""
    folder.mkdir()
    rows = ["path,title,speaker,group,date"]
    for number in range(12):
        group = ("reader", "staff", "council")[number % 3]
        said = [
            SAYS[stance_of(number, nth)].format(97 * number + nth, 1000 + 31 * nth + 7 * number)
            for nth in range(6)
        ]
        (folder / f"{number}.txt").write_text("\n\n".join(said) + "\n", encoding="utf-8")
        rows.append(f"letters/{number}.txt,Letter {number},Writer {number},{group},201{number % 9}")
    (folder.parent / "letters.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def codebook() -> None:
    book = yaml.safe_load(CODEBOOK.read_text(encoding="utf-8"))
    book["codes"] = {
        name: {"kind": kind, "label": name.title(), "definition": f"It is {name}.",
               "levels": [{"level": level} for level in levels]}
        for name, (kind, levels) in CODES.items()
    }  # fmt: skip
    book["cues"] = [
        {"name": "sunday", "description": "Sundays", "for": ["stance.for", "strength.1"],
         "pattern": "come ..3 Sundays"},
    ]  # fmt: skip
    CODEBOOK.write_text(yaml.safe_dump(book, sort_keys=False), encoding="utf-8")


def said_of(text: str) -> str:
    """The stance that a passage takes, from its words."""
    return "for" if "would come" in text else "against" if "no shift" in text else "neither"


def test_the_way_leads_to_the_tables(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    letters(tmp_path / "letters")
    groups = "reader=Readers,staff=Staff,council=Council"
    assert main(["init", "library", "--title", "Sundays", "--groups", groups]) == 0
    monkeypatch.chdir(tmp_path / "library")
    codebook()
    assert main(["add", "--table", "../letters.csv", "--skip"]) == 0
    assert main(["sample", "--size", "40", "--role", "development", "--seed", "7"]) == 0
    passages = pd.read_csv("corpus/passages.tsv", sep="\t", dtype=str)
    text = {
        row.passage_id: Path(f"corpus/texts/{row.source_id}.txt").read_text("utf-8")[
            int(row.start) : int(row.end)
        ]
        for row in passages.itertuples()
    }
    drawn = pd.read_csv("corpus/draws/1/passages.tsv", sep="\t", dtype=str)
    ids = list(drawn.loc[drawn["status"] == "drawn", "passage_id"])
    rows = ["ID,Who,Stance,Strength"]
    for who in ("ann", "bob"):
        for name in ids:
            stance = said_of(text[name]) if chance(who, name, "slip") > 0.1 else "neither"
            rows.append(f"{name},{who},{stance.title()},{strength_of(stance, who, name)}")
    Path("../codings.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = main(
        ["codings", "import", "../codings.csv", "--coder-column", "Who", "--kind", "human",
         "--describe", "a person of the test", "--passage", "ID", "--code", "Stance=stance",
         "--code", "Strength=strength"]
    )  # fmt: skip
    assert done == 0
    with serving() as server:
        server.model = lambda name, words, _: {
            "passage_id": name, "stance": said_of(words),
            "strength": strength_of(said_of(words), "gpt", name), "unsure": False,
        }  # fmt: skip
        asked = ["code", "--coder", "gpt", "--model", "m", "--endpoint", server.url]
        assert main([*asked, "--instrument"]) == 0
    config = CONFIG.read_text(encoding="utf-8")
    named = "inference:\n  instrument: [classifier, gpt]"
    CONFIG.write_text(config.replace("inference:", named, 1), encoding="utf-8")
    assert load_config(CONFIG)["inference"]["instrument"] == ["classifier", "gpt"]
    assert list(read_coders(CODERS)["coder"]) == ["ann", "bob"]
    names = ("T2-agreement", "T4-prevalence", "T23-levels", "T24-means", "T27-level-agreement")
    made = run(Path.cwd(), *as_csv(*names))
    assert made.returncode == 0, made.stdout + made.stderr
    tables = {name: pd.read_csv(f"results/tables/{name}.csv") for name in names}
    shares = tables["T23-levels"]
    together = shares[shares["group"] == "all"].groupby(["code", "estimator", "target"])
    assert (together["estimate"].sum().round(4) == 1).all()
    assert set(shares["code"]) == set(CODES)
    means = tables["T24-means"].set_index(["group", "period", "estimator", "target"])["estimate"]
    assert 0 < means[("all", "all", "difference", "texts")] < 2
    prevalence = tables["T4-prevalence"]
    assert {"stance.for", "strength.2"} < set(prevalence["code"])
    alpha = tables["T27-level-agreement"].query("comparison == 'all coders' and group == 'all'")
    assert (alpha["alpha"] > 0.4).all() and set(alpha["metric"]) == {"nominal", "ordinal"}
