"""A trained classifier as plain data: readable, citable by its digest, never a pickle."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from framing.files import json_text, sha256
from framing.model.classifier import Classifier
from framing.model.features import Facts, stem
from framing.model.logistic import DECIMALS, round_off

FORMAT = "framing-model/1"


def model_data(
    code: str, classifier: Classifier, facts: Facts, settings: Mapping[str, Any], trained_on: Any
) -> dict[str, Any]:
    """Return a classifier as plain data with a digest over all of it.

    Words carry their idf and weight, cues the weight of log(1 + hits), ``balance`` the weight of
    the balance of votes; score = intercept + Σ weight · feature, probability = 1 / (1 +
    exp(-(slope · score + offset))), code present where probability >= threshold.
    """
    data: dict[str, Any] = {
        "format": FORMAT,
        "code": code,
        "settings": dict(settings),
        "trained_on": trained_on,
        "constant": classifier.constant if classifier.space is None else None,
        "reason": classifier.reason,
        "threshold": classifier.threshold,
    }
    if classifier.space is not None:
        space = classifier.space
        terms, cues = len(space.columns), len(facts.cue_names)
        words, cue, balance = np.split(classifier.coefficients, [terms, terms + cues])
        rounded_idf = round_off(space.idf)
        data |= {
            "intercept": _number(classifier.intercept),
            "slope": _number(classifier.slope),
            "offset": _number(classifier.offset),
            "words": {
                facts.terms[column]: {"idf": float(idf), "weight": float(weight)}
                for column, idf, weight in zip(
                    space.columns, rounded_idf, round_off(words), strict=True
                )
            },
            "cues": {
                name: {"vote": int(vote), "weight": float(weight)}
                for name, vote, weight in zip(
                    facts.cue_names, space.votes, round_off(cue * space.cue_scale), strict=True
                )
            },
            "balance": _number(balance[0] * space.vote_scale),
        }
    return data | {"digest": sha256(json_text(data))}


def model_text(data: Mapping[str, Any]) -> str:
    """Return a model as JSON, one word or cue a line."""
    lines = []
    for key, value in data.items():
        if key in ("words", "cues"):
            rows = ",\n".join(
                f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(value[name])}"
                for name in sorted(value)
            )
            lines.append(f' "{key}": {{\n{rows}\n }}')
        else:
            lines.append(f' "{key}": {json.dumps(value, ensure_ascii=False, sort_keys=True)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def one_hit(data: Mapping[str, Any], cue: str) -> float | None:
    """Return what one hit of ``cue`` adds to the score; None for a constant model."""
    if data["constant"] is not None:
        return None
    entry = data["cues"][cue]
    return float(round(entry["weight"] * math.log(2) + entry["vote"] * data["balance"], DECIMALS))


def apply_model(
    data: Mapping[str, Any], counts: Mapping[str, int], hits: Mapping[str, int]
) -> tuple[float, int]:
    """Return probability and decision of one passage from its word counts and cue hits.

    The reading of the stored format in a few lines, independent of the matrices used in training.
    """
    if data["constant"] is not None:
        probability = float(data["constant"])
        return probability, int(probability >= data["threshold"])
    frequency: dict[str, int] = {}
    for word, number in counts.items():
        term = stem(word) if data["settings"]["stem"] else word
        if term in data["words"]:
            frequency[term] = frequency.get(term, 0) + number
    tfidf = {t: (1 + math.log(n)) * data["words"][t]["idf"] for t, n in frequency.items()}
    length = math.sqrt(sum(value * value for value in tfidf.values())) or 1.0
    score = data["intercept"]
    score += sum(data["words"][t]["weight"] * value / length for t, value in tfidf.items())
    for cue, entry in data["cues"].items():
        found = hits.get(cue, 0)
        if found:
            score += entry["weight"] * math.log1p(found)
    score += data["balance"] * _balance(data, hits)
    probability = 1 / (1 + math.exp(-(data["slope"] * score + data["offset"])))
    return round(probability, DECIMALS), int(round(probability, DECIMALS) >= data["threshold"])


def _balance(data: Mapping[str, Any], hits: Mapping[str, int]) -> int:
    return sum(entry["vote"] for cue, entry in data["cues"].items() if hits.get(cue, 0))


def _number(value: float) -> float:
    return float(round_off(np.array(value)))
