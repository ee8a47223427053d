"""Figures of merit of a coded table: those of scikit-learn, with intervals, and clear refusals."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    f1_score,
)

from framing.cli import main as cli
from framing.tables.scored import score_table

PLAN = {"confidence": 0.95, "draws": 200, "seed": 3, "bins": 10}


def invented(rows: int = 240) -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(8)
    probability = pd.DataFrame(random.random((rows, 2)).round(6), columns=["cost", "fairness"])
    gold = (random.random((rows, 2)) < probability**2).astype(float)
    return {"gold": gold, "decision": (probability >= 0.5).astype(float),
            "probability": probability}  # fmt: skip


def test_figures_are_those_of_scikit_learn() -> None:
    given = invented()
    table = score_table(**given, cluster=np.arange(240), **PLAN).set_index("code")
    gold, called = (given[name].astype(int) for name in ("gold", "decision"))
    for code in ("cost", "fairness"):
        row = table.loc[code]
        assert row["accuracy"] == pytest.approx(accuracy_score(gold[code], called[code]))
        assert row["f1"] == pytest.approx(f1_score(gold[code], called[code]))
        expected = average_precision_score(gold[code], given["probability"][code])
        assert row["average_precision"] == pytest.approx(expected)
        matrix = confusion_matrix(gold[code], called[code])
        names = ["true_negative", "false_positive", "false_negative", "true_positive"]
        assert row[names].tolist() == matrix.ravel().tolist()
        for value, ends in (("f1", "f1"), ("average_precision", "ap"), ("accuracy", "accuracy")):
            assert row[f"{ends}_low"] < row[value] < row[f"{ends}_high"]
    for mean in ("macro", "weighted"):
        assert table.loc[mean, "f1"] == pytest.approx(f1_score(gold, called, average=mean))
        assert table.loc[mean, "f1_low"] < table.loc[mean, "f1"] < table.loc[mean, "f1_high"]


def test_rows_without_a_code_or_a_prediction_have_no_say() -> None:
    given = invented()
    whole = score_table(**given, cluster=np.arange(240), **PLAN)
    more = {
        name: pd.concat([table, table.iloc[:2]], ignore_index=True) for name, table in given.items()
    }
    more["gold"].iloc[240] = np.nan
    more["decision"].iloc[241] = np.nan
    again = score_table(**more, cluster=np.arange(242), **PLAN)
    pd.testing.assert_frame_equal(again, whole)


def test_clusters_that_say_the_same_thing_again_widen_intervals() -> None:
    given = {name: pd.concat([table] * 9, ignore_index=True)
             for name, table in invented(60).items()}  # fmt: skip
    alone = score_table(**given, cluster=np.arange(540), **PLAN).iloc[0]
    together = score_table(**given, cluster=np.tile(np.arange(60), 9), **PLAN).iloc[0]
    widths = [row["f1_high"] - row["f1_low"] for row in (alone, together)]
    assert widths[1] > 2 * widths[0]
    assert alone["f1"] == together["f1"]


def test_what_is_undefined_says_so() -> None:
    given = invented(30)
    given["gold"]["cost"] = 0.0
    table = score_table(**given, cluster=np.zeros(30, dtype=np.int64), **PLAN).set_index("code")
    assert np.isnan(table.loc["cost", "f1"])
    assert "no coded passage carries the code" in table.loc["cost", "status"]
    assert "one cluster" in table.loc["fairness", "status"]
    assert table.loc["macro", "f1"] == table.loc["fairness", "f1"]
    assert table.loc["macro", "status"] == "of 1 codes; the others have no F1"


@pytest.fixture
def project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("config", "corpus/codebook"):
        shutil.copytree(root / "examples" / "mini" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    given = invented(80)
    table = pd.DataFrame(
        {
            "text": "Nobody counts the benches.", "speech": np.repeat(np.arange(20), 4),
            "human": np.where(given["gold"]["cost"] == 1, "ja", "nein"),
            "cost": given["decision"]["cost"].astype(int),
            "cost_probability": given["probability"]["cost"], "problem": "",
        }
    )  # fmt: skip
    table.to_csv("coded.csv", index=False)
    return tmp_path


def test_the_command_prints_and_writes_the_figures(project: Path, capsys) -> None:
    status = cli.main(["score", "coded.csv", "--gold", "human=cost", "--yes", "ja", "--no", "nein",
                       "--cluster", "speech", "--output", "quality.csv"])  # fmt: skip
    said = capsys.readouterr().out
    assert status == 0, said
    (row,) = pd.read_csv("quality.csv").to_dict("records")
    assert f"cost: F1 {row['f1']:.3f} [{row['f1_low']:.3f}, {row['f1_high']:.3f}]" in said
    assert f"{row['false_negative']} overlooked" in said
    assert row["rows"] == 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--gold", "human=cost"], "values that were not declared: 'ja', 'nein'"),
        (["--gold", "human=price"], "the codebook has no code 'price'"),
        (["--gold", "human"], "has not the form LEFT=CODE"),
        (["--gold", "nobody=cost", "--yes", "ja", "--no", "nein"], "lacks the columns 'nobody'"),
        (["--gold", "human=fairness", "--yes", "ja", "--no", "nein"], "'fairness_probability'"),
        (["--gold", "human=cost", "--gold", "speech=cost"], "gives two columns for 'cost'"),
        (["--gold", "human=cost", "--yes", "ja", "--no", "ja"], "both name the value 'ja'"),
    ],
)
def test_what_cannot_be_scored_is_refused(project: Path, capsys, arguments, said) -> None:
    assert cli.main(["score", "coded.csv", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_a_column_that_is_no_probability_is_refused(project: Path, capsys) -> None:
    table = pd.read_csv("coded.csv").assign(cost_probability=7)
    table.to_csv("coded.csv", index=False)
    arguments = ["--gold", "human=cost", "--yes", "ja", "--no", "nein"]
    assert cli.main(["score", "coded.csv", *arguments]) == 1
    assert "are not decisions (0, 1) and probabilities" in capsys.readouterr().err
