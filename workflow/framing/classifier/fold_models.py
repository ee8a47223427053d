"""What cross-fitting learned, kept between jobs: what joins the corpus is scored without training.

A classifier learns from coded passages alone, so passages of a source that no draw has reached
change none of it. What :func:`framing.classifier.scores.score_code` would say of them is worked out
from the classifiers that it made, to the last bit: numbers are read back as they were. The model
that is published (:mod:`framing.classifier.model_file`) is another one, trained on all codings and
rounded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from framing.classifier.classifier import Classifier, LinearScorer, Settings, folds_of
from framing.classifier.features import Facts, FeatureSpace
from framing.classifier.novelty import Usual, is_unfamiliar


@dataclass(frozen=True)
class Fits:
    """One code's classifiers, one a fold, and what is usual among all coded passages."""

    classifiers: tuple[Classifier, ...]
    usual: Usual


def scores_of(
    code: str, facts: Facts, passages: pd.DataFrame, fits: Fits, settings: Settings
) -> pd.DataFrame:
    """Return the scores of ``passages``, the first rows of ``facts``, each by its source's fold.

    Columns are those of :data:`framing.classifier.scores.SCORE_COLUMNS`; labels are missing.
    """
    folds = folds_of(passages["source_id"], settings, "outer")
    probabilities, decisions = np.zeros(len(passages)), np.zeros(len(passages), dtype=int)
    for fold, classifier in enumerate(fits.classifiers):
        rows = np.flatnonzero(folds == fold)
        probabilities[rows] = classifier.probabilities(facts, rows)
        decisions[rows] = classifier.decisions(probabilities[rows])
    return pd.DataFrame(
        {
            "passage_id": passages["passage_id"].to_numpy(),
            "code": code,
            "fold": folds,
            "label": pd.array([pd.NA] * len(passages), dtype="Int64"),
            "probability": probabilities,
            "decision": decisions,
            "unfamiliar": is_unfamiliar(facts, fits.usual, np.arange(len(passages))),
        }
    )


def fits_text(fits: Fits, facts: Facts) -> str:
    """Return what was learned from ``facts`` as JSON; scorers must be linear."""
    usual = {
        "space": _space_data(fits.usual.space, facts),
        "centre": fits.usual.centre.tolist(),
        "most_unknown": fits.usual.most_unknown,
        "least_similar": fits.usual.least_similar,
    }
    classifiers = [_classifier_data(one, facts) for one in fits.classifiers]
    return json.dumps({"classifiers": classifiers, "usual": usual}, ensure_ascii=False) + "\n"


def read_fits(text: str, facts: Facts) -> Fits:
    """Return what :func:`fits_text` wrote, to be used on other ``facts``.

    These must have the same patterns and rules. Words that do not occur in them are left out: there
    they add nothing to a score.
    """
    data = json.loads(text)
    place = {term: column for column, term in enumerate(facts.terms)}
    space, known = _space(data["usual"]["space"], place)
    centre = np.array(data["usual"]["centre"], dtype=float)[known]
    return Fits(
        tuple(_classifier(one, place) for one in data["classifiers"]),
        Usual(space, centre, data["usual"]["most_unknown"], data["usual"]["least_similar"]),
    )


def _classifier_data(classifier: Classifier, facts: Facts) -> dict[str, Any]:
    scorer = classifier.scorer
    data = {**vars(classifier), "scorer": None}
    if scorer is not None:
        assert isinstance(scorer, LinearScorer)
        data["scorer"] = {
            "space": _space_data(scorer.space, facts),
            "coefficients": scorer.coefficients.tolist(),
            "intercept": scorer.intercept,
        }
    return data


def _classifier(data: Mapping[str, Any], place: Mapping[str, int]) -> Classifier:
    if data["scorer"] is None:
        return Classifier(**data)
    space, known = _space(data["scorer"]["space"], place)
    coefficients = np.array(data["scorer"]["coefficients"], dtype=float)
    words, rest = coefficients[: len(known)], coefficients[len(known) :]
    scorer = LinearScorer(space, np.concatenate([words[known], rest]), data["scorer"]["intercept"])
    return Classifier(**{**data, "scorer": scorer})


def _space_data(space: FeatureSpace, facts: Facts) -> dict[str, Any]:
    terms = [facts.terms[column] for column in space.columns]
    return vars(space) | {"columns": terms, "idf": space.idf.tolist()}


def _space(data: Mapping[str, Any], place: Mapping[str, int]) -> tuple[FeatureSpace, np.ndarray]:
    """Return a space over the words of which ``place`` is known, and which of its words these are.

    Terms are in code point order everywhere, so that sums over them keep their order.
    """
    known = np.array([term in place for term in data["columns"]], dtype=bool)
    arrays = {
        "columns": np.array([place[t] for t in data["columns"] if t in place], dtype=int),
        "idf": np.array(data["idf"], dtype=float)[known],
    }
    return FeatureSpace(**{**data, **arrays}), known
