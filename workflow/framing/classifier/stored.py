"""Stored models of whichever kind of code: what they say of a passage, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from framing.classifier import explain as explain_yes_no
from framing.classifier import level_model, model_file
from framing.classifier.explain import Explanation
from framing.classifier.explain_levels import LevelExplanation, explain_level
from framing.classifier.level_model import LevelPrediction
from framing.classifier.model_file import Prediction

if TYPE_CHECKING:
    from framing.codebook.codebook import Codebook

Model = Mapping[str, Any]
Said = Prediction | LevelPrediction
"""What a stored model says of a passage."""


@dataclass(frozen=True)
class Reader:
    """How models of one format are read.

    ``predict`` takes a model, word counts and hits by pattern; ``several`` takes a model, scores of
    passages (rows × levels), shares of unknown words and similarities, and gives predictions, and
    which of them hang on last bits; ``columns`` are those that the model
    gives a table of passages; ``indicators`` are what its code is counted by; ``one_hit`` is what a
    hit of a cue adds to the score of one of them; ``explain`` says what is behind a prediction.
    """

    predict: Callable[[Model, Mapping[str, int], Mapping[str, int]], Said]
    several: Callable[
        [Model, np.ndarray, np.ndarray, np.ndarray], tuple[Sequence[Said], np.ndarray]
    ]
    columns: Callable[[Model], dict[str, type]]
    indicators: Callable[[Model], list[str]]
    one_hit: Callable[[Model, str, str, Mapping[int, int]], float | None]
    explain: Callable[..., Explanation | LevelExplanation]


_READERS = {
    model_file.FORMAT: Reader(
        model_file.predict,
        model_file.predictions,
        model_file.columns,
        lambda model: [model["code"]],
        lambda model, indicator, cue, found: model_file.one_hit(model, cue, found),
        lambda *given, by_level: explain_yes_no.explain(*given),
    ),
    model_file.LEVELS_FORMAT: Reader(
        level_model.predict_level,
        level_model.level_predictions,
        level_model.level_columns,
        lambda model: [level["indicator"] for level in model["levels"]],
        level_model.level_hit,
        explain_level,
    ),
}


def reader_of(model: Model) -> Reader:
    """Return how a model is read, by its format."""
    return _READERS[model["format"]]


def predict(model: Model, counts: Mapping[str, int], hits: Mapping[str, int]) -> Said:
    """Return the prediction for one passage from its word counts and hits by pattern."""
    return reader_of(model).predict(model, counts, hits)


def explain(
    model: Model,
    counts: Mapping[str, int],
    hits: Mapping[str, int],
    codebook: Codebook,
    top: int,
    *,
    by_level: bool = False,
) -> Explanation | LevelExplanation:
    """Return what stands behind a prediction (:func:`framing.classifier.explain.explain`).

    ``by_level`` asks of a code with several levels what adds to the score of each.
    """
    return reader_of(model).explain(model, counts, hits, codebook, top, by_level=by_level)
