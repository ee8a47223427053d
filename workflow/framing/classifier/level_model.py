"""The classifier of a code with several levels as plain data, as yes/no ones are stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from framing.classifier.classifier import LinearScorer, Settings
from framing.classifier.features import Facts
from framing.classifier.levels import LevelClassifier
from framing.classifier.model_file import (
    LEVELS_FORMAT,
    read_passage,
    rounded,
    strange,
    weight_of_hit,
    weights_data,
    with_digest,
)
from framing.classifier.novelty import Usual
from framing.classifier.rounding import DECIMALS, round_off, unsure
from framing.coding.variables import Variable


def level_model_data(
    variable: Variable,
    classifier: LevelClassifier,
    usual: Usual,
    facts: Facts,
    settings: Settings,
    trained_on: Any,
) -> dict[str, Any]:
    """Return a classifier as plain data with a digest over all of it.

    As :func:`framing.classifier.model_file.model_data`, but ``levels`` says which levels there are,
    and every weight, the intercept and the offset are lists in their order; of each level score =
    intercept + Σ weight · feature, the probabilities are the softmax of slope · score + offset, and
    decided is the level with the highest, the first of several. What belongs to words (idf, centre,
    closeness) is the same for all levels. ``constant`` has the probabilities that every passage
    gets, or is null.
    """
    scorer = classifier.scorer
    levels = zip(variable.levels, variable.labels, variable.indicators, strict=True)
    data: dict[str, Any] = {
        "format": LEVELS_FORMAT,
        "code": variable.name,
        "label": variable.label,
        "levels": [
            {"level": name, "label": label, "indicator": indicator}
            for name, label, indicator in levels
        ],
        "settings": dict(settings),
        "trained_on": trained_on,
        "constant": list(classifier.constant) if scorer is None else None,
        "reason": classifier.reason,
        "usual": {"most_unknown": usual.most_unknown, "least_similar": usual.least_similar},
    }
    if isinstance(scorer, LinearScorer):
        data |= {
            "intercept": rounded(scorer.intercept),
            "slope": rounded(classifier.slope),
            "offset": [rounded(offset) for offset in classifier.offsets],
            **weights_data(scorer, usual, facts),
        }
    return with_digest(data)


@dataclass(frozen=True)
class LevelPrediction:
    """What a stored model of several levels says of a passage.

    ``levels``, ``indicators`` and ``probabilities`` have the order of the codebook; ``decision`` is
    the position of the level decided for. ``parts`` are what adds up to the scores, as of a
    :class:`framing.classifier.model_file.Prediction`, with an amount a level.
    """

    levels: tuple[str, ...]
    indicators: tuple[str, ...]
    probabilities: tuple[float, ...]
    decision: int
    parts: tuple[tuple[str, str, tuple[float, ...]], ...]
    unknown: float
    similarity: float
    unfamiliar: bool

    def cells(self, code: str) -> dict[str, float | int | str]:
        """Return what a table of coded passages says, by column (:func:`level_columns`)."""
        chances = zip(self.indicators, self.probabilities, strict=True)
        return {f"{name}_probability": chance for name, chance in chances} | {
            code: self.levels[self.decision]
        }

    def counted(self, code: str) -> dict[str, int]:
        """Return by indicator whether the passage is said to have it, 1 or 0."""
        return {name: int(n == self.decision) for n, name in enumerate(self.indicators)}


def level_columns(data: Mapping[str, Any]) -> dict[str, type]:
    """Return the columns that a model gives a table of passages, and what stands in them."""
    chances = [f"{level['indicator']}_probability" for level in data["levels"]]
    return dict.fromkeys(chances, float) | {data["code"]: str}


def predict_level(
    data: Mapping[str, Any], counts: Mapping[str, int], hits: Mapping[str, int]
) -> LevelPrediction:
    """Return the prediction for one passage from its word counts and hits by pattern.

    The reading of the stored format in a few lines, independent of the matrices used in training.
    ``hits`` are named by :func:`framing.codebook.hits.hit_key`.
    """
    levels = tuple(level["level"] for level in data["levels"])
    indicators = tuple(level["indicator"] for level in data["levels"])
    if data["constant"] is not None:
        chances = tuple(map(float, data["constant"]))
        decided = chances.index(max(chances))
        return LevelPrediction(levels, indicators, chances, decided, (), 0.0, 0.0, False)
    seen = read_passage(data, counts, hits)
    parts = tuple(
        (one.kind, one.name, tuple(weight * one.value / one.length for weight in one.weight))
        for one in seen.features
    )
    scores = [math.fsum(amounts[n] for _, _, amounts in parts) for n in range(len(levels))]
    chances = softmax([data["slope"] * score + data["offset"][n] for n, score in enumerate(scores)])
    return LevelPrediction(
        levels=levels,
        indicators=indicators,
        probabilities=chances,
        decision=chances.index(max(chances)),
        parts=tuple(part for part in parts if any(part[2]) or part[0] == "intercept"),
        unknown=seen.unknown,
        similarity=seen.similarity,
        unfamiliar=seen.unfamiliar,
    )


def level_predictions(
    data: Mapping[str, Any], scores: np.ndarray, unknown: np.ndarray, similarity: np.ndarray
) -> tuple[list[LevelPrediction], np.ndarray]:
    """Return the predictions of passages, without parts, from their scores (passages × levels).

    As :func:`framing.classifier.model_file.predictions`.
    """
    scaled = data["slope"] * scores + np.array(data["offset"])
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    chances = shares / shares.sum(axis=1, keepdims=True)
    probability = round_off(chances)
    levels = tuple(level["level"] for level in data["levels"])
    indicators = tuple(level["indicator"] for level in data["levels"])
    rows = zip(
        probability.tolist(), probability.argmax(axis=1).tolist(), unknown.tolist(),
        similarity.tolist(), strange(data, unknown, similarity).tolist(), strict=True,
    )  # fmt: skip
    found = [
        LevelPrediction(levels, indicators, tuple(own), decided, (), new, like, odd)
        for own, decided, new, like, odd in rows
    ]
    return found, np.asarray(unsure(chances).any(axis=1))


def softmax(scores: Sequence[float]) -> tuple[float, ...]:
    """Return probabilities in the proportion of the scores' exponentials, rounded.

    >>> softmax([0.0, 0.0, 1000.0])
    (0.0, 0.0, 1.0)
    """
    most = max(scores)
    shares = [math.exp(score - most) for score in scores]
    whole = math.fsum(shares)
    return tuple(round(share / whole, DECIMALS) for share in shares)


def level_hit(
    data: Mapping[str, Any], indicator: str, cue: str, found: Mapping[int, int]
) -> float | None:
    """Return what one hit of ``cue`` adds to the score of a level, None for a constant model.

    As :func:`framing.classifier.model_file.one_hit`. Scores of all levels add up to 0.
    """
    if data["constant"] is not None:
        return None
    place = [level["indicator"] for level in data["levels"]].index(indicator)
    entry = data["cues"][cue]
    own = {"weight": entry["weight"][place], "patterns": [one[place] for one in entry["patterns"]]}
    return weight_of_hit(own, found)
