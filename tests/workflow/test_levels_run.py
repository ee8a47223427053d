"""Codes with several levels through the workflow, up to the scores that tables are made of."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from framing.classifier.baselines import BASELINES
from framing.classifier.model_file import read_model
from framing.common.build import read_build, read_passage_frame, read_predictions, read_scores
from tests.levels_project import LEVELS, with_levels

from .conftest import Run, contents

pytestmark = pytest.mark.slow

YES_NO = ["cost", "fairness", "heritage"]


def test_scores_have_all_indicators_and_passages_one_level(project: Path, run: Run) -> None:
    with_levels(project)
    targets = [
        f"build/{name}/{code}.tsv" for code in LEVELS for name in ("predictions", "learning")
    ]
    done = run(project, "build/scores.tsv", *targets)
    assert done.returncode == 0, done.stdout + done.stderr
    passages = read_passage_frame(project / "build/passages.tsv")["passage_id"]
    scores = read_scores(project / "build/scores.tsv").astype({"code": str})
    names = [f"{code}.{level}" for code, levels in LEVELS.items() for level in levels]
    found = scores["code"].drop_duplicates().tolist()
    assert found[: len(YES_NO) + len(names)] == [*YES_NO, *names]
    assert scores["passage_id"].tolist() == [*passages] * len(found)
    labels = read_build(project / "build/labels.tsv", label="int64", share="float64")
    for code, levels in LEVELS.items():
        own = scores[scores["code"].isin([f"{code}.{level}" for level in levels])]
        by_passage = own.groupby("passage_id")
        assert by_passage["probability"].sum().between(1 - 2e-6, 1 + 2e-6).all()
        assert (by_passage["decision"].sum() == 1).all()
        coded = labels.loc[labels["code"] == f"{code}.{levels[0]}", "passage_id"]
        inside = own[own["passage_id"].isin(coded)]
        assert (inside.groupby("passage_id")["label"].sum() == 1).all()
        assert own.loc[~own["passage_id"].isin(coded), "label"].isna().all()
        right = ((own["label"] == 1) & (own["decision"] == 1)).sum() / len(coded)
        made = read_predictions([project / f"build/predictions/{code}.tsv"])
        assert made["method"].drop_duplicates().tolist()[: len(BASELINES)] == [*BASELINES]
        plain = made[made["method"] == "majority class"].merge(
            own.dropna(subset=["label"])[["passage_id", "code", "label"]],
            on=["passage_id", "code"],
        )
        chosen = ((plain["label"] == 1) & (plain["decision"] == 1)).sum() / len(coded)
        assert right > chosen + 0.15  # the codings follow those of yes/no codes, which cues tell
        learned = pd.read_csv(project / f"build/learning/{code}.tsv", sep="\t")
        assert learned["code"].drop_duplicates().tolist() == [f"{code}.{one}" for one in levels]
        model = read_model(project / f"results/models/{code}.json")
        assert [one["level"] for one in model["levels"]] == [*levels]
    models = contents(project / "results/models")
    assert sorted(models) == [f"{code}.json" for code in sorted([*YES_NO, *LEVELS])]
