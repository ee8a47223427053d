"""A trained classifier as plain data: readable, citable by its digest, never a pickle."""

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
from framing.classifier.rounding import DECIMALS, round_off
from framing.codebook.hits import cue_and_pattern, hits_by_cue
from framing.common.files import json_of, json_text, read_text, sha256
from framing.common.problems import InputError, Problem

FORMAT = "framing-model/3"


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
        space, closeness = scorer.space, facts.closeness
        sizes = [len(space.columns), len(facts.cue_names), len(facts.pattern_names)]
        words, cues, patterns, rules = np.split(scorer.coefficients, np.cumsum(sizes))
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
            "cues": _cue_weights(
                facts, round_off(cues * space.cue_scale), round_off(patterns * space.pattern_scale)
            ),
            "rules": {
                name: {"weight": float(weight), "mean": float(mean), "spread": float(spread)}
                for name, weight, mean, spread in zip(
                    closeness.rules, round_off(rules * space.rule_scale), closeness.mean,
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
    return data | {"digest": sha256(json_text(data))}


def _cue_weights(facts: Facts, cues: np.ndarray, patterns: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return the weight of each cue, and those of its patterns in order."""
    found: dict[str, dict[str, Any]] = {
        name: {"weight": float(weight), "patterns": []}
        for name, weight in zip(facts.cue_names, cues, strict=True)
    }
    for key, weight in zip(facts.pattern_names, patterns, strict=True):
        found[cue_and_pattern(key)[0]]["patterns"].append(float(weight))
    return found


def read_model(path: Path) -> dict[str, Any]:
    """Read a stored model; raise :class:`InputError` where it is none or was changed."""
    data = json_of(read_text(path), path, "Run `snakemake`.")
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(Problem(path, f"is not a model of format {FORMAT}", "Run `snakemake`."))
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
    if data["constant"] is not None:
        return None
    entry = data["cues"][cue]
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
    terms = _terms(data, counts)
    known = {term: number for term, number in terms.items() if term in data["words"]}
    total = sum(terms.values())
    tfidf = {t: (1 + math.log(n)) * data["words"][t]["idf"] for t, n in known.items()}
    length = math.sqrt(sum(value * value for value in tfidf.values())) or 1.0
    parts = [("intercept", "", float(data["intercept"]))]
    parts += [("word", t, data["words"][t]["weight"] * tfidf[t] / length) for t in sorted(tfidf)]
    parts += _hit_parts(data["cues"], hits)
    parts += [
        ("rule", rule, data["rules"][rule]["weight"] * value)
        for rule, value in rule_similarities(data, terms).items()
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


def _hit_parts(cues: Mapping[str, Any], hits: Mapping[str, int]) -> list[tuple[str, str, float]]:
    """Return what cues, and then their patterns, add to the score."""
    known = {key: number for key, number in hits.items() if cue_and_pattern(key)[0] in cues}
    parts = [
        ("cue", cue, cues[cue]["weight"] * math.log1p(number))
        for cue, number in hits_by_cue(known).items()
    ]
    for key in sorted(known, key=cue_and_pattern):
        cue, number = cue_and_pattern(key)
        weight = cues[cue]["patterns"][number - 1]
        parts.append(("pattern", key, weight * math.log1p(known[key])))
    return parts


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


def _number(value: float) -> float:
    return float(round_off(np.array(value)))
