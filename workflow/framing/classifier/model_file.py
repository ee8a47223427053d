"""A trained classifier as plain data: readable, citable by its digest, never a pickle.

What holds of every stored model stands here, and what does of yes/no codes; those of codes with
several levels are in :mod:`framing.classifier.level_model`. Which of the two a model is,
:mod:`framing.classifier.stored` asks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from framing.classifier.classifier import Classifier, LinearScorer
from framing.classifier.features import Facts, stem
from framing.classifier.novelty import Usual
from framing.classifier.rounding import DECIMALS, round_off, unsure
from framing.codebook.hits import cue_and_pattern, hits_by_cue
from framing.common.files import json_of, json_text, read_text, sha256
from framing.common.problems import InputError, Problem

FORMAT = "framing-model/3"
LEVELS_FORMAT = "framing-levels/1"
Weight = Any
"""What stands for the weight of a feature: a number, or where there are several levels a list."""


def model_data(
    code: str,
    classifier: Classifier,
    usual: Usual,
    facts: Facts,
    settings: Mapping[str, Any],
    trained_on: Any,
) -> dict[str, Any]:
    """Return a classifier as plain data with a digest over all of it.

    Words carry their idf and weight, cues the weight of log(1 + hits) and those of their patterns
    in order, rules the weight of a similarity to them with the mean and spread it is standardised
    by, and ``closeness`` how much a word counts in it and how close it is to each rule (in code
    point order); score = intercept + Σ weight · feature, probability = 1 / (1 + exp(-(slope · score
    + offset))), code present where probability >= threshold. ``usual`` holds the limits beyond
    which a passage is unfamiliar, the words' ``centre`` what a usual passage looks like.
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
        data |= {
            "intercept": rounded(scorer.intercept),
            "slope": rounded(classifier.slope),
            "offset": rounded(classifier.offset),
            **weights_data(scorer, usual, facts),
        }
    return with_digest(data)


def with_digest(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model with the digest over all of it."""
    return {**data, "digest": sha256(json_text(data))}


def weights_data(scorer: LinearScorer, usual: Usual, facts: Facts) -> dict[str, Any]:
    """Return the weights of words, cues, patterns and rules, rounded, and what these rest on.

    A weight is a number; where there are several levels, a list of one a level.
    """
    space, closeness = scorer.space, facts.closeness
    sizes = [len(space.columns), len(facts.cue_names), len(facts.pattern_names)]
    words, cues, patterns, rules = np.split(scorer.coefficients, np.cumsum(sizes))
    return {
        "words": {
            facts.terms[column]: {"idf": float(idf), "weight": weight, "centre": float(centre)}
            for column, idf, weight, centre in zip(
                space.columns, round_off(space.idf), rounded(words * space.word_scale),
                usual.centre, strict=True,
            )
        },
        "cues": _cue_weights(
            facts, rounded(cues * space.cue_scale), rounded(patterns * space.pattern_scale)
        ),
        "rules": {
            name: {"weight": weight, "mean": float(mean), "spread": float(spread)}
            for name, weight, mean, spread in zip(
                closeness.rules, rounded(rules * space.rule_scale), closeness.mean,
                closeness.spread, strict=True,
            )
        },
        "closeness": {
            term: [weight, *row]
            for term, weight, row in zip(
                closeness.terms, closeness.weights.tolist(), closeness.values.tolist(),
                strict=True,
            )
        },
    }  # fmt: skip


def _cue_weights(facts: Facts, cues: list[Any], patterns: list[Any]) -> dict[str, dict[str, Any]]:
    """Return the weight of each cue, and those of its patterns in order."""
    found: dict[str, dict[str, Any]] = {
        name: {"weight": weight, "patterns": []}
        for name, weight in zip(facts.cue_names, cues, strict=True)
    }
    for key, weight in zip(facts.pattern_names, patterns, strict=True):
        found[cue_and_pattern(key)[0]]["patterns"].append(weight)
    return found


def read_model(path: Path) -> dict[str, Any]:
    """Read a stored model; raise :class:`InputError` where it is none or was changed."""
    data = json_of(read_text(path), path, "Run `snakemake`.")
    formats = (FORMAT, LEVELS_FORMAT)
    if not isinstance(data, dict) or data.get("format") not in formats:
        raise InputError(
            Problem(path, f"is not a model of format {' or '.join(formats)}", "Run `snakemake`.")
        )
    content = {key: value for key, value in data.items() if key != "digest"}
    if data.get("digest") != sha256(json_text(content)):
        raise InputError(
            Problem(path, "was changed: its digest does not fit its content", "Run `snakemake`.")
        )
    return data


def model_text(data: Mapping[str, Any]) -> str:
    """Return a model as JSON, one word, cue or rule a line."""
    lines = []
    for key, value in data.items():
        if key in ("words", "cues", "rules", "closeness"):
            rows = ",\n".join(
                f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(value[name])}"
                for name in sorted(value)
            )
            lines.append(f' "{key}": {{\n{rows}\n }}')
        else:
            lines.append(f' "{key}": {json.dumps(value, ensure_ascii=False, sort_keys=True)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def one_hit(data: Mapping[str, Any], cue: str, found: Mapping[int, int]) -> float | None:
    """Return what one hit of ``cue`` adds to the score; None for a constant model.

    That is the weight of the cue and, of its patterns' weights, the mean over hits: ``found`` says
    how often each pattern hits (all alike where none does).
    """
    return None if data["constant"] is not None else weight_of_hit(data["cues"][cue], found)


def weight_of_hit(entry: Mapping[str, Any], found: Mapping[int, int]) -> float:
    """Return :func:`one_hit` from the ``weight`` of a cue and those of its ``patterns``."""
    numbers = range(1, len(entry["patterns"]) + 1)
    times = [found.get(n, 0) for n in numbers] if any(found.values()) else [1 for _ in numbers]
    pattern = math.fsum(w * n for w, n in zip(entry["patterns"], times, strict=True)) / sum(times)
    return float(round((entry["weight"] + pattern) * math.log(2), DECIMALS))


@dataclass(frozen=True)
class Prediction:
    """What a stored model says of a passage.

    ``parts`` are what adds up to the score: ``(kind, name, amount)``, kind one of ``intercept``,
    ``word``, ``cue``, ``pattern`` and ``rule`` (similarity to it). ``unfamiliar`` says that the
    passage is unlike those learned from, ``unknown`` and ``similarity`` how much (see
    :mod:`framing.classifier.novelty`).
    """

    probability: float
    decision: int
    parts: tuple[tuple[str, str, float], ...]
    unknown: float
    similarity: float
    unfamiliar: bool

    def cells(self, code: str) -> dict[str, float | int | str]:
        """Return what a table of coded passages says, by column (:func:`columns`)."""
        return {f"{code}_probability": self.probability, code: self.decision}

    def counted(self, code: str) -> dict[str, int]:
        """Return by indicator whether the passage is said to have it, 1 or 0."""
        return {code: self.decision}


def columns(data: Mapping[str, Any]) -> dict[str, type]:
    """Return the columns that a model gives a table of passages, and what stands in them."""
    return {f"{data['code']}_probability": float, data["code"]: int}


def predict(
    data: Mapping[str, Any], counts: Mapping[str, int], hits: Mapping[str, int]
) -> Prediction:
    """Return the prediction for one passage from its word counts and hits by pattern.

    The reading of the stored format in a few lines, independent of the matrices used in training.
    ``hits`` are named by :func:`framing.codebook.hits.hit_key`.
    """
    if data["constant"] is not None:
        probability = float(data["constant"])
        decision = int(probability >= data["threshold"])
        return Prediction(probability, decision, (), 0.0, 0.0, False)
    seen = read_passage(data, counts, hits)
    parts = [
        (feature.kind, feature.name, feature.weight * feature.value / feature.length)
        for feature in seen.features
    ]
    score = math.fsum(amount for _, _, amount in parts)
    probability = round(1 / (1 + math.exp(-(data["slope"] * score + data["offset"]))), DECIMALS)
    return Prediction(
        probability=probability,
        decision=int(probability >= data["threshold"]),
        parts=tuple(part for part in parts if part[2] or part[0] == "intercept"),
        unknown=seen.unknown,
        similarity=seen.similarity,
        unfamiliar=seen.unfamiliar,
    )


def predictions(
    data: Mapping[str, Any], scores: np.ndarray, unknown: np.ndarray, similarity: np.ndarray
) -> tuple[list[Prediction], np.ndarray]:
    """Return the predictions of passages, without parts, from their scores (passages × 1).

    And which of them hang on last bits. A constant model has none. What is ``unknown`` and how
    great the ``similarity`` is given rounded.
    """
    with np.errstate(over="ignore"):
        chances = 1 / (1 + np.exp(-(data["slope"] * scores[:, 0] + data["offset"])))
    probability = round_off(chances)
    rows = zip(
        probability.tolist(), (probability >= data["threshold"]).astype(int).tolist(),
        unknown.tolist(), similarity.tolist(), strange(data, unknown, similarity).tolist(),
        strict=True,
    )  # fmt: skip
    found = [
        Prediction(chance, is_so, (), new, like, odd) for chance, is_so, new, like, odd in rows
    ]
    return found, unsure(chances)


def strange(data: Mapping[str, Any], unknown: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """Say which passages are unfamiliar (:mod:`framing.classifier.novelty`)."""
    usual = data["usual"]
    beyond: np.ndarray = (unknown > usual["most_unknown"]) | (similarity < usual["least_similar"])
    return beyond


@dataclass(frozen=True)
class Feature:
    """One thing that adds to a score: weight · value / length.

    ``kind`` and ``name`` are as in :class:`Prediction`.
    """

    kind: str
    name: str
    weight: Weight
    value: float
    length: float = 1.0


@dataclass(frozen=True)
class Seen:
    """A passage as a stored model sees it: its features, and how familiar it is."""

    features: tuple[Feature, ...]
    unknown: float
    similarity: float
    unfamiliar: bool


def read_passage(
    data: Mapping[str, Any], counts: Mapping[str, int], hits: Mapping[str, int]
) -> Seen:
    """Return what a stored model that is not constant sees of a passage (:func:`predict`)."""
    terms = _terms(data, counts)
    known = {term: number for term, number in terms.items() if term in data["words"]}
    total = sum(terms.values())
    tfidf = {t: (1 + math.log(n)) * data["words"][t]["idf"] for t, n in known.items()}
    length = math.sqrt(sum(value * value for value in tfidf.values())) or 1.0
    features = [Feature("intercept", "", data["intercept"], 1.0)]
    features += [
        Feature("word", t, data["words"][t]["weight"], tfidf[t], length) for t in sorted(tfidf)
    ]
    features += _hit_features(data["cues"], hits)
    features += [
        Feature("rule", rule, data["rules"][rule]["weight"], value)
        for rule, value in rule_similarities(data, terms).items()
    ]
    unknown = round(1 - sum(known.values()) / total, DECIMALS) if total else 1.0
    cosine = sum(data["words"][t]["centre"] * value / length for t, value in tfidf.items())
    similarity, usual = round(cosine, DECIMALS), data["usual"]
    strange = unknown > usual["most_unknown"] or similarity < usual["least_similar"]
    return Seen(tuple(features), unknown, similarity, strange)


def _hit_features(cues: Mapping[str, Any], hits: Mapping[str, int]) -> list[Feature]:
    """Return the features of cues, and then of their patterns."""
    known = {key: number for key, number in hits.items() if cue_and_pattern(key)[0] in cues}
    found = [
        Feature("cue", cue, cues[cue]["weight"], math.log1p(number))
        for cue, number in hits_by_cue(known).items()
    ]
    for key in sorted(known, key=cue_and_pattern):
        cue, number = cue_and_pattern(key)
        weight = cues[cue]["patterns"][number - 1]
        found.append(Feature("pattern", key, weight, math.log1p(known[key])))
    return found


def rule_similarities(data: Mapping[str, Any], terms: Mapping[str, int]) -> dict[str, float]:
    """Return a passage's similarity to each rule, standardised, from the counts of its terms.

    Of a passage without any word that the model has a closeness of, all are 0.
    """
    counted = [
        ((1 + math.log(terms[term])) * data["closeness"][term][0], data["closeness"][term][1:])
        for term in sorted(terms)
        if term in data["closeness"]
    ]
    total = math.fsum(weight for weight, _ in counted)
    found = {}
    for place, (rule, entry) in enumerate(sorted(data["rules"].items())):
        mean = math.fsum(w * row[place] for w, row in counted) / total if total else entry["mean"]
        found[rule] = round((mean - entry["mean"]) / (entry["spread"] or 1.0), DECIMALS)
    return found


def _terms(data: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, int]:
    """Return how often each term occurs: stems, where the model is one of stems."""
    terms: dict[str, int] = {}
    for word, number in counts.items():
        term = stem(word) if data["settings"]["stem"] else word
        terms[term] = terms.get(term, 0) + number
    return terms


def rounded(values: float | np.ndarray) -> Any:
    """Return a number, or numbers as lists, rounded as probabilities are."""
    return round_off(np.asarray(values)).tolist()
