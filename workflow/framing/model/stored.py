"""A trained classifier as plain data: readable, citable by its digest, never a pickle."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from framing.files import json_text, read_text, sha256
from framing.model.classifier import Classifier, LinearScorer
from framing.model.features import Facts, stem
from framing.model.logistic import DECIMALS, round_off
from framing.model.unfamiliar import Usual
from framing.problems import InputError, Problem

FORMAT = "framing-model/2"


def model_data(
    code: str,
    classifier: Classifier,
    usual: Usual,
    facts: Facts,
    settings: Mapping[str, Any],
    trained_on: Any,
) -> dict[str, Any]:
    """Return a classifier as plain data with a digest over all of it.

    Words carry their idf and weight, cues the weight of log(1 + hits), ``balance`` the weight of
    the balance of votes, ``neighbours`` the weight of a neighbouring passage with a cue for the
    code; score = intercept + Σ weight · feature, probability = 1 / (1 + exp(-(slope · score +
    offset))), code present where probability >= threshold. ``usual`` holds the limits beyond which
    a passage is unfamiliar, the words' ``centre`` what a usual passage looks like.
    """
    scorer = classifier.scorer
    data: dict[str, Any] = {
        "format": FORMAT,
        "code": code,
        "settings": dict(settings),
        "trained_on": trained_on,
        "constant": classifier.constant if scorer is None else None,
        "reason": classifier.reason,
        "threshold": classifier.threshold,
        "usual": {"most_unknown": usual.most_unknown, "least_similar": usual.least_similar},
    }
    if isinstance(scorer, LinearScorer):
        space = scorer.space
        terms, cues = len(space.columns), len(facts.cue_names)
        words, cue, rest = np.split(scorer.coefficients, [terms, terms + cues])
        data |= {
            "intercept": _number(scorer.intercept),
            "slope": _number(classifier.slope),
            "offset": _number(classifier.offset),
            "words": {
                facts.terms[column]: {
                    "idf": float(idf),
                    "weight": float(weight),
                    "centre": float(centre),
                }
                for column, idf, weight, centre in zip(
                    space.columns,
                    round_off(space.idf),
                    round_off(words * space.word_scale),
                    usual.centre,
                    strict=True,
                )
            },
            "cues": {
                name: {"vote": int(vote), "weight": float(weight)}
                for name, vote, weight in zip(
                    facts.cue_names, space.votes, round_off(cue * space.cue_scale), strict=True
                )
            },
            "balance": _number(rest[0] * space.vote_scale),
            "neighbours": _number(rest[1] * space.neighbour_scale),
        }
    return data | {"digest": sha256(json_text(data))}


def read_model(path: Path) -> dict[str, Any]:
    """Read a stored model; raise :class:`InputError` where it is none or was changed."""
    try:
        data = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(
            Problem(path, f"is not JSON ({error.msg})", "Run `snakemake`.", error.lineno)
        ) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(Problem(path, f"is not a model of format {FORMAT}", "Run `snakemake`."))
    content = {key: value for key, value in data.items() if key != "digest"}
    if data.get("digest") != sha256(json_text(content)):
        raise InputError(
            Problem(path, "was changed: its digest does not fit its content", "Run `snakemake`.")
        )
    return data


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


@dataclass(frozen=True)
class Prediction:
    """What a stored model says of a passage.

    ``parts`` are what adds up to the score: ``(kind, name, amount)``, kind one of ``intercept``,
    ``word``, ``cue``, ``votes``, ``neighbours``. ``unfamiliar`` says that the passage is unlike
    those learned from, ``unknown`` and ``similarity`` how much (see
    :mod:`framing.model.unfamiliar`).
    """

    probability: float
    decision: int
    parts: tuple[tuple[str, str, float], ...]
    unknown: float
    similarity: float
    unfamiliar: bool


def predict(
    data: Mapping[str, Any],
    counts: Mapping[str, int],
    hits: Mapping[str, int],
    around: int = 0,
) -> Prediction:
    """Return the prediction for one passage from its word counts and cue hits.

    ``around`` is in how many neighbouring passages a cue for the code spoke (0 where they are not
    known). The reading of the stored format in a few lines, independent of the matrices used
    in training.
    """
    if data["constant"] is not None:
        probability = float(data["constant"])
        decision = int(probability >= data["threshold"])
        return Prediction(probability, decision, (), 0.0, 0.0, False)
    known, total = _terms(data, counts)
    tfidf = {t: (1 + math.log(n)) * data["words"][t]["idf"] for t, n in known.items()}
    length = math.sqrt(sum(value * value for value in tfidf.values())) or 1.0
    parts = [("intercept", "", float(data["intercept"]))]
    parts += [("word", t, data["words"][t]["weight"] * tfidf[t] / length) for t in sorted(tfidf)]
    spoke = {cue: hits[cue] for cue in sorted(data["cues"]) if hits.get(cue, 0)}
    parts += [("cue", cue, data["cues"][cue]["weight"] * math.log1p(n)) for cue, n in spoke.items()]
    balance = sum(data["cues"][cue]["vote"] for cue in spoke)
    parts += [
        ("votes", "", data["balance"] * balance),
        ("neighbours", "", data["neighbours"] * around),
    ]
    score = math.fsum(amount for _, _, amount in parts)
    probability = round(1 / (1 + math.exp(-(data["slope"] * score + data["offset"]))), DECIMALS)
    unknown = round(1 - sum(known.values()) / total, DECIMALS) if total else 1.0
    similarity = sum(data["words"][t]["centre"] * value / length for t, value in tfidf.items())
    usual = data["usual"]
    return Prediction(
        probability=probability,
        decision=int(probability >= data["threshold"]),
        parts=tuple(part for part in parts if part[2] or part[0] == "intercept"),
        unknown=unknown,
        similarity=round(similarity, DECIMALS),
        unfamiliar=unknown > usual["most_unknown"]
        or round(similarity, DECIMALS) < usual["least_similar"],
    )


def _terms(data: Mapping[str, Any], counts: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """Return how often each known term occurs, and how many words there are in all."""
    known: dict[str, int] = {}
    for word, number in counts.items():
        term = stem(word) if data["settings"]["stem"] else word
        if term in data["words"]:
            known[term] = known.get(term, 0) + number
    return known, sum(counts.values())


def _number(value: float) -> float:
    return float(round_off(np.array(value)))
