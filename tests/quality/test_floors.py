"""The classifier must not get worse unnoticed: pinned floors for AP and F1 of every code."""

from __future__ import annotations

import json

import pytest

from .floors import FLOORS, MEASURES, ROOT, digests, measured, moved, sunk


@pytest.fixture
def floors():
    return json.loads(FLOORS.read_text(encoding="utf-8"))


def test_no_figure_lies_below_its_floor(floors):
    assert sunk(floors, measured(ROOT)) == []


def test_floors_are_bound_to_the_codings_and_the_codebook(floors):
    assert floors["digests"] == digests(ROOT), (
        "codings or codebook changed: look at T3, then run python -m tests.quality.floors"
    )


def test_every_code_has_a_floor_for_every_measure(floors):
    assert set(floors["floors"]) == set(measured(ROOT))
    assert all(set(named) == set(MEASURES) for named in floors["floors"].values())


def test_a_worse_classifier_is_noticed(floors):
    worse = {code: {**named, "f1": named["f1"] - 0.01} for code, named in floors["floors"].items()}
    assert len(sunk(floors, worse)) == len(worse)
    assert len(sunk(floors, {})) == 2 * len(worse)


def test_a_floor_does_not_sink_in_silence(floors):
    worse = {code: {**named, "f1": named["f1"] - 0.01} for code, named in floors["floors"].items()}
    with pytest.raises(ValueError, match="its floor is"):
        moved(floors, worse, {}, "")
    lowered = moved(floors, worse, {}, "coders were wrong")
    assert lowered["floors"] == worse
    assert lowered["lowered"][-1]["reason"] == "coders were wrong"
    better = {code: {**named, "f1": 1.0} for code, named in floors["floors"].items()}
    assert moved(floors, better, {}, "")["lowered"] == floors["lowered"]
