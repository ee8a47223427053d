"""A draw that is held out: to all else one without codings; `framing score --heldout` reads it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from framing.cli.main import main
from framing.common.config import load_config
from framing.common.files import read_table
from framing.common.paths import CODERS, CODINGS, CONFIG, HELD_OUT
from framing.common.problems import InputError
from framing.project.load import load_project
from framing.sampling.draw import DRAWS
from framing.sampling.heldout import held_passages, read_held_out
from framing.sampling.records import read_draws
from framing.workflow.plan import plan

pytestmark = pytest.mark.slow
DRAW = ["sample", "--supplement", "--size", "12", "--seed", "4", "--role", "confirmation"]


@pytest.fixture
def project(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example with one coder, and a confirmation draw under a freeze, without codings."""
    home = tmp_path / "mini"
    others = ("machine-2.tsv", "machine-3.tsv")
    ignore = shutil.ignore_patterns("results", "build", ".snakemake", *others)
    shutil.copytree(mini, home, ignore=ignore)
    monkeypatch.chdir(home)
    lines = CODERS.read_text("utf-8").splitlines(keepends=True)
    CODERS.write_text("".join(lines[:2]), "utf-8")
    assert main(["freeze"]) == 0 and main(DRAW) == 0
    return home


def drawn() -> list[str]:
    return list(read_draws(DRAWS)[-1].drawn["passage_id"])


def code() -> pd.DataFrame:
    """Code the draw, and return the codings that were added."""
    path = CODINGS / "machine-1.tsv"
    names = drawn()
    rows = pd.DataFrame({"passage_id": names, "coder": "machine-1",
                         "cost": ["1" if n % 3 == 0 else "0" for n in range(len(names))],
                         "fairness": "0", "heritage": "1", "unsure": "0"})  # fmt: skip
    with path.open("a", encoding="utf-8") as file:
        rows.to_csv(file, sep="\t", index=False, header=False)
    return rows


def hold(text: str = "1\tsaved for the end\n") -> None:
    HELD_OUT.write_text(f"draw\treason\n{text}", "utf-8")


def test_a_draw_held_out_is_one_without_codings(project: Path) -> None:
    config = load_config(CONFIG)
    before = load_project(config)
    code()
    counted = load_project(config)
    assert set(counted.codings["passage_id"]) >= set(drawn())
    assert not counted.frame.equals(before.frame), "else the test could not fail"
    hold()
    after = load_project(config)
    pd.testing.assert_frame_equal(after.codings, before.codings)
    pd.testing.assert_frame_equal(after.frame, before.frame)
    assert after.states == before.states
    found = plan({})
    assert set(found.held_out) == set(drawn()) and not found.confirmed
    assert any("held out, nothing learns from it" in one for one in found.looked)
    assert str(HELD_OUT) in found.corpus


def test_nothing_that_is_shown_shows_it(project: Path) -> None:
    code()
    hold()
    assert main(["codings", "export", "x.csv"]) == 0
    assert not set(pd.read_csv("x.csv", dtype=str)["doc_id"]) & set(drawn())
    pytest.importorskip("lxml")
    from framing.acquire.read.settings import reading_settings
    from framing.acquire.refi.read import read_project

    limits = reading_settings()["reading"]["limits"]
    for alone in ([], ["--passages-only"]):
        assert main(["codings", "export", "x.qdpx", "--replace", *alone]) == 0
    names = {one.name for one in read_project(Path("x.qdpx"), limits).documents}
    assert names and not names & set(drawn())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\tx\n1\ty\n", "names the draw 1 twice"),
        ("7\tx\n", "names the draw '7', which is none. Draws on record: 1"),
        ("one\tx\n", "names the draw 'one', which is none"),
    ],
)
def test_what_cannot_be_held_out(project: Path, capsys: Any, text: str, said: str) -> None:
    hold(text)
    with pytest.raises(InputError) as caught:
        read_held_out(HELD_OUT, read_draws(DRAWS))
    assert said in str(caught.value)
    assert main(["check"]) == 1
    assert said in capsys.readouterr().err


def test_what_may_be_read_cannot_be_held_out(project: Path) -> None:
    assert main([*DRAW[:3], "6", "--seed", "6", "--role", "development"]) == 0
    hold("2\tx\n")
    with pytest.raises(InputError, match="the draw 2, which is for development"):
        read_held_out(HELD_OUT, read_draws(DRAWS))
    HELD_OUT.unlink()
    assert read_held_out(HELD_OUT, read_draws(DRAWS)) == frozenset()
    assert held_passages(read_draws(DRAWS), frozenset()) == frozenset()


def scores() -> pd.DataFrame:
    ids = list(read_table(Path("corpus/passages.tsv"), [], extra=True)["passage_id"])
    random = np.random.default_rng(3)
    parts = [pd.DataFrame({"passage_id": ids, "code": name, "fold": 0, "label": "",
                           "probability": random.random(len(ids)).round(6), "unfamiliar": 0})
             for name in ("cost", "fairness", "heritage")]  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    table["decision"] = (table["probability"] >= 0.4).astype(int)
    Path("build").mkdir(exist_ok=True)
    table.to_csv("build/scores.tsv", sep="\t", index=False)
    return table


def test_the_classifier_is_held_against_it(project: Path, capsys: Any) -> None:
    rows = code().set_index("passage_id")
    hold()
    table = scores()
    capsys.readouterr()
    assert main(["score", "--heldout", "--output", "q.csv"]) == 0
    said = capsys.readouterr().out
    assert "draw 1, held out: 12 of 12 passages coded\n12 passages; intervals by source" in said
    found = pd.read_csv("q.csv").set_index("code")
    own = table[(table["code"] == "cost") & table["passage_id"].isin(rows.index)]
    gold = rows.loc[own["passage_id"], "cost"].astype(int)
    assert found.loc["cost", "f1"] == pytest.approx(f1_score(gold, own["decision"]), abs=1e-6)
    assert found.loc["cost", "rows"] == 12 and found.loc["cost", "positives"] == gold.sum()


def test_what_stands_no_longer_is_said(project: Path, capsys: Any) -> None:
    code()
    hold()
    scores()
    path = Path("corpus/codebook/codebook.yaml")
    text = path.read_text("utf-8")
    path.write_text(text.replace("weighed in money.", "weighed in coin."), "utf-8")
    assert main(["score", "--heldout"]) == 0
    assert "so that it may have been read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("prepare", "arguments", "said"),
    [
        ((), ["--heldout"], "holds out no draw"),
        ((hold,), ["--heldout"], "does not exist. Run `snakemake` first"),
        ((hold, scores), ["--heldout"], "holds no coding of a draw that is held out"),
        ((hold,), ["x.csv", "--heldout"], "TABLE: does not go with --heldout"),
        ((), [], "TABLE: is missing"),
        ((), ["x.csv"], "--gold: is missing"),
    ],
)
def test_what_is_missing_is_said(project: Path, capsys: Any, prepare: Any, arguments: Any,
                                 said: str) -> None:  # fmt: skip
    for one in prepare:
        one()
    assert main(["score", *arguments]) == 1
    assert said in capsys.readouterr().err
