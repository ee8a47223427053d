"""Figures of merit of codes with levels: those of scikit-learn and of kappas, with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    mean_absolute_error,
)

from framing.cli.main import main
from framing.codebook.codes import Code
from framing.inference.kappas import weighted_kappa
from framing.tables.scored import (
    COLUMNS,
    CONFUSION,
    LEVEL_COLUMNS,
    NO_ROW,
    ONE_CLUSTER,
    Resampling,
    score_levels,
)
from tests.unit.levels_project import make
from tests.unit.test_codings_levels import MOOD, STANCE

PLAN = Resampling(0.95, 200, 3, 10)


def invented(code: Code, rows: int = 240, seed: int = 8) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(len(code.levels)), rows).round(6)
    cells = np.array(code.cells)
    given = [cells[random.choice(len(cells), p=row / row.sum())] for row in shares]
    probability = {level.indicator: pd.Series(shares[:, number])
                   for number, level in enumerate(code.levels)}  # fmt: skip
    decided = pd.Series(cells[shares.argmax(axis=1)], dtype=object)
    return {"gold": pd.Series(given, dtype=object), "decision": decided, "probability": probability}


def scored(code: Code, given: dict[str, Any], cluster: Any = None) -> tuple[Any, Any]:
    places = np.arange(len(given["gold"])) if cluster is None else cluster
    return score_levels(code, **given, cluster=places, plan=PLAN)


@pytest.mark.parametrize("code", [STANCE, MOOD])
def test_figures_are_those_of_scikit_learn(code: Code) -> None:
    given = invented(code)
    table, matrix = scored(code, given)
    gold, called = list(given["gold"]), list(given["decision"])
    whole = table.iloc[0]
    expected = {
        "accuracy": accuracy_score(gold, called),
        "macro_f1": f1_score(gold, called, average="macro"),
        "weighted_f1": f1_score(gold, called, average="weighted"),
        "kappa": cohen_kappa_score(gold, called),
    }
    if code.kind.ordered:
        numbers = np.array([[float(one) for one in row] for row in (gold, called)])
        values = np.array([level.number for level in code.levels])
        for name in ("linear", "quadratic"):
            # Levels lie unequally far apart, which scikit-learn does not know.
            expected[f"kappa_{name}"] = weighted_kappa(numbers, name, values=values).value
        expected["mean_absolute_error"] = mean_absolute_error(*numbers)
    for name, value in expected.items():
        assert whole[name] == pytest.approx(value), name
        assert whole[f"{name}_low"] < whole[name] < whole[f"{name}_high"]
    assert whole[["kappa_linear"]].isna().all() == (not code.kind.ordered)
    assert list(table) == [*COLUMNS[:-1], *LEVEL_COLUMNS, "status"]
    assert list(table["code"]) == [code.name, *(level.indicator for level in code.levels)]
    for level, row in zip(code.levels, table[1:].to_dict("records"), strict=True):
        own = [[int(one == level.name) for one in side] for side in (gold, called)]
        assert row["f1"] == pytest.approx(f1_score(*own))
        score = given["probability"][level.indicator]
        assert row["average_precision"] == pytest.approx(average_precision_score(own[0], score))
        assert row["positives"] == sum(own[0]) and row["ap_low"] < row["ap_high"]
    found = matrix["rows"].to_numpy().reshape(len(code.levels), -1)
    assert found.tolist() == confusion_matrix(gold, called, labels=list(code.cells)).tolist()
    assert list(matrix) == list(CONFUSION)
    assert matrix.groupby("given")["share"].sum().round(12).eq(1).all()
    assert (matrix["share_low"] <= matrix["share"]).all()
    assert (matrix["share"] <= matrix["share_high"]).all()


def test_equal_distances_give_the_kappas_of_scikit_learn() -> None:
    from dataclasses import replace

    levels = tuple(replace(one, number=float(n)) for n, one in enumerate(MOOD.levels))
    code = replace(MOOD, levels=levels)
    given = invented(code)
    row = scored(code, given)[0].iloc[0]
    gold, called = ([code.cells.index(one) for one in given[name]] for name in ("gold", "decision"))
    for name in ("linear", "quadratic"):
        assert row[f"kappa_{name}"] == pytest.approx(cohen_kappa_score(gold, called, weights=name))


def test_rows_without_a_level_or_a_decision_have_no_say() -> None:
    given = invented(STANCE, 60)
    whole = scored(STANCE, given)
    more = {
        "gold": pd.Series([*given["gold"], None, "for"], dtype=object),
        "decision": pd.Series([*given["decision"], "for", None], dtype=object),
        "probability": {name: pd.Series([*one, 0.5, 0.5])
                        for name, one in given["probability"].items()},
    }  # fmt: skip
    for one, other in zip(scored(STANCE, more), whole, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_level_that_never_occurs_does_not_enter_the_mean() -> None:
    given = invented(STANCE, 120)
    keep = (given["gold"] != "neutral") & (given["decision"] != "neutral")
    part = {
        "gold": given["gold"][keep],
        "decision": given["decision"][keep],
        "probability": {name: one[keep] for name, one in given["probability"].items()},
    }
    row = scored(STANCE, part)[0].iloc[0]
    expected = f1_score(part["gold"], part["decision"], average="macro")
    assert row["macro_f1"] == pytest.approx(expected)


def test_clusters_that_say_the_same_widen_intervals_and_one_gives_none() -> None:
    given = invented(MOOD, 40)
    nine = {"gold": pd.concat([given["gold"]] * 9, ignore_index=True),
            "decision": pd.concat([given["decision"]] * 9, ignore_index=True),
            "probability": {name: pd.concat([one] * 9, ignore_index=True)
                            for name, one in given["probability"].items()}}  # fmt: skip
    alone = scored(MOOD, nine)[0].iloc[0]
    together = scored(MOOD, nine, np.tile(np.arange(40), 9))[0].iloc[0]
    widths = [row["kappa_quadratic_high"] - row["kappa_quadratic_low"] for row in (alone, together)]
    assert widths[1] > 2 * widths[0]
    one = scored(MOOD, given, np.zeros(40, dtype=np.int64))[0].iloc[0]
    assert one["status"] == ONE_CLUSTER and np.isnan(one["accuracy_low"])
    none = {
        "gold": pd.Series([None], dtype=object),
        "decision": pd.Series(["2"], dtype=object),
        "probability": {name: pd.Series([0.5]) for name in given["probability"]},
    }
    assert scored(MOOD, none)[0].iloc[0]["status"] == NO_ROW


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def project(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make(mini, tmp_path / "tram"))
    columns: dict[str, Any] = {"speech": np.repeat(np.arange(20), 4)}
    for code, seed in ((STANCE, 8), (MOOD, 9)):
        given = invented(code, 80, seed)
        columns[f"human-{code.name}"] = given["gold"].replace({"for": "Hawk"})
        columns[code.name] = given["decision"]
        columns |= {f"{name}_probability": one for name, one in given["probability"].items()}
    columns["cost"] = (np.arange(80) % 3 == 0).astype(int)
    columns["cost_probability"] = np.arange(80) / 80
    columns["human-cost"] = np.where(np.arange(80) % 2 == 0, "ja", "nein")
    pd.DataFrame(columns).to_csv("coded.csv", index=False)
    return tmp_path


GOLD = ["score", "coded.csv", "--gold", "human-stance=stance", "--value", "Hawk=for"]
MORE = ["--gold", "human-mood=mood", "--gold", "human-cost=cost", "--yes", "ja", "--no", "nein"]


def test_the_command_prints_and_writes_all_kinds(project: Path, capsys: Any) -> None:
    assert main([*GOLD, *MORE, "--cluster", "speech", "--output", "q.csv", "--confusion",
                 "c.csv"]) == 0  # fmt: skip
    said = capsys.readouterr().out
    table = pd.read_csv("q.csv").set_index("code")
    assert list(table.index) == [
        "cost", "stance", "stance.for", "stance.against", "stance.neutral", "mood", "mood.-1",
        "mood.0", "mood.2",
    ]  # fmt: skip
    row = table.loc["stance"]
    assert f"stance: accuracy {row['accuracy']:.3f} [{row['accuracy_low']:.3f}, " in said
    assert f"quadratic {table.loc['mood', 'kappa_quadratic']:.3f} [" in said
    matrix = pd.read_csv("c.csv", dtype=str)
    cell = matrix[(matrix["given"] == "for") & (matrix["decided"] == "against")].iloc[0]
    assert f"against {cell['rows']} ({float(cell['share']):.2f})" in said
    assert set(matrix["code"]) == {"stance", "mood"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--gold", "human-stance=stance"], "values that were not declared: 'Hawk'. Say what they "
         "mean: --yes VALUE, --no VALUE, --missing VALUE, --value VALUE=LEVEL"),
        (["--gold", "human-cost=cost", "--yes", "ja", "--no", "nein", "--confusion", "x"],
         "no code named has levels"),
        (["--gold", "speech=stance.for"], "the codebook has no code 'stance.for'"),
        (["--gold", "human-stance=stance", "--value", "Hawk=warm"], "'warm' is no level of a code"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_refused(project: Path, capsys: Any, arguments: Any,
                                          said: str) -> None:  # fmt: skip
    assert main(["score", "coded.csv", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_a_decision_that_is_no_level_and_a_lost_column_are_refused(
    project: Path, capsys: Any
) -> None:
    table = pd.read_csv("coded.csv")
    table.assign(stance="warm").to_csv("coded.csv", index=False)
    assert main(GOLD) == 1
    assert "are not decisions (for, against, neutral) and probabilities" in capsys.readouterr().err
    table.drop(columns="stance.for_probability").to_csv("coded.csv", index=False)
    assert main(GOLD) == 1
    assert "lacks the columns 'stance.for_probability'" in capsys.readouterr().err
