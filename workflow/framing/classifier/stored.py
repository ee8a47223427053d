"""Stored models of whichever kind of code: what they say of a passage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from framing.classifier import level_model, model_file
from framing.classifier.level_model import LevelPrediction
from framing.classifier.model_file import Prediction

Model = Mapping[str, Any]
Said = Prediction | LevelPrediction
"""What a stored model says of a passage."""


@dataclass(frozen=True)
class Reader:
    """How models of one format are read.

    ``predict`` takes a model, word counts and hits by pattern; ``columns`` are those that the model
    gives a table of passages; ``indicators`` are what its code is counted by; ``one_hit`` is what a
    hit of a cue adds to the score of one of them.
    """

    predict: Callable[[Model, Mapping[str, int], Mapping[str, int]], Said]
    columns: Callable[[Model], dict[str, type]]
    indicators: Callable[[Model], list[str]]
    one_hit: Callable[[Model, str, str, Mapping[int, int]], float | None]


_READERS = {
    model_file.FORMAT: Reader(
        model_file.predict,
        model_file.columns,
        lambda model: [model["code"]],
        lambda model, indicator, cue, found: model_file.one_hit(model, cue, found),
    ),
    model_file.LEVELS_FORMAT: Reader(
        level_model.predict_level,
        level_model.level_columns,
        lambda model: [level["indicator"] for level in model["levels"]],
        level_model.level_hit,
    ),
}


def reader_of(model: Model) -> Reader:
    """Return how a model is read, by its format."""
    return _READERS[model["format"]]


def predict(model: Model, counts: Mapping[str, int], hits: Mapping[str, int]) -> Said:
    """Return the prediction for one passage from its word counts and hits by pattern."""
    return reader_of(model).predict(model, counts, hits)
