"""What cross-fitting learned, kept between jobs: what joins the corpus is scored without training.

A classifier learns from coded passages alone, so passages of a source that no draw has reached
change none of it. What :func:`framing.classifier.scores.score_code` would say of them is worked out
from the classifiers that it made, to the last bit: numbers are read back as they were. The model
that is published (:mod:`framing.classifier.model_file`) is another one, trained on all codings and
rounded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from framing.classifier.classifier import LinearScorer, Settings, Trained, held_out
from framing.classifier.features import Facts, FeatureSpace
from framing.classifier.novelty import Usual, is_unfamiliar


@dataclass(frozen=True)
class Fits:
    """One code's classifiers, one a fold, and what is usual among all coded passages."""

    classifiers: tuple[Trained, ...]
    usual: Usual


def scores_of(
    indicators: Sequence[str], facts: Facts, passages: pd.DataFrame, fits: Fits, settings: Settings
) -> pd.DataFrame:
    """Return the scores of ``passages``, the first rows of ``facts``, each by its source's fold.

    Columns are those of :data:`framing.classifier.scores.SCORE_COLUMNS`; labels are missing. There
    are all passages for the first of the ``indicators``, then all for the next.
    """
    sources = list(passages["source_id"])
    folds, probabilities, decisions = held_out(facts, sources, fits.classifiers, settings)
    columns = {
        "passage_id": passages["passage_id"].to_numpy(),
        "code": "",
        "fold": folds,
        "label": pd.array([pd.NA] * len(passages), dtype="Int64"),
        "probability": 0.0,
        "decision": 0,
        "unfamiliar": is_unfamiliar(facts, fits.usual, np.arange(len(passages))),
    }
    parts = [
        pd.DataFrame({**columns, "code": name, "probability": probability, "decision": decision})
        for name, (probability, decision) in by_indicator(indicators, probabilities, decisions)
    ]
    return pd.concat(parts, ignore_index=True)


def by_indicator(
    indicators: Sequence[str], *values: np.ndarray
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Give each indicator with its column of every one of ``values``.

    These have a row a passage and a column an indicator; of a yes/no code they are one column.
    """
    tables = [value.reshape(len(value), len(indicators)) for value in values]
    for place, name in enumerate(indicators):
        yield name, [table[:, place] for table in tables]


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


def read_fits(text: str, facts: Facts, kind: Callable[..., Trained]) -> Fits:
    """Return what :func:`fits_text` wrote, to be used on other ``facts``.

    These must have the same patterns and rules. Words that do not occur in them are left out: there
    they add nothing to a score. ``kind`` is the class of the code's classifiers.
    """
    data = json.loads(text)
    place = {term: column for column, term in enumerate(facts.terms)}
    space, known = _space(data["usual"]["space"], place)
    centre = np.array(data["usual"]["centre"], dtype=float)[known]
    return Fits(
        tuple(_classifier(one, place, kind) for one in data["classifiers"]),
        Usual(space, centre, data["usual"]["most_unknown"], data["usual"]["least_similar"]),
    )


def _classifier_data(classifier: Trained, facts: Facts) -> dict[str, Any]:
    scorer = classifier.scorer
    data = {**vars(classifier), "scorer": None}
    if scorer is not None:
        assert isinstance(scorer, LinearScorer)
        data["scorer"] = {
            "space": _space_data(scorer.space, facts),
            "coefficients": scorer.coefficients.tolist(),
            "intercept": np.asarray(scorer.intercept).tolist(),
        }
    return data


def _classifier(
    data: Mapping[str, Any], place: Mapping[str, int], kind: Callable[..., Trained]
) -> Trained:
    if data["scorer"] is None:
        return kind(**data)
    space, known = _space(data["scorer"]["space"], place)
    coefficients = np.array(data["scorer"]["coefficients"], dtype=float)
    words, rest = coefficients[: len(known)], coefficients[len(known) :]
    intercept = np.array(data["scorer"]["intercept"], dtype=float)[()]
    scorer = LinearScorer(space, np.concatenate([words[known], rest]), intercept)
    return kind(**{**data, "scorer": scorer})


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
