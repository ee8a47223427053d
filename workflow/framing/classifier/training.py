"""From tidy tables to one trained, cross-fitted and evaluated code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from framing.classifier.classifier import Training
from framing.classifier.comparison import (
    WITH_ENCODER,
    baseline_predictions,
    learning_scores,
    variant_predictions,
)
from framing.classifier.features import Facts, collect
from framing.classifier.fold_models import fits_text, read_fits, scores_of
from framing.classifier.inputs import Further, Tables
from framing.classifier.model_file import model_data
from framing.classifier.scores import score_code, training_rows


@dataclass(frozen=True)
class Material:
    """One code's share of the tables, as training works on it."""

    facts: Facts
    labels: pd.DataFrame
    taught: list[int]

    def training(self, passages: pd.DataFrame, weight: float) -> Training:
        """Return the training rows, exemplars with ``weight``."""
        return training_rows(passages, self.labels, self.taught, weight)


def material(code: str, tables: Tables, settings: Mapping[str, Any]) -> Material:
    """Return what one code's classifier learns from."""
    exemplars = tables.exemplars[tables.exemplars["code"] == code]
    facts = collect(
        [*tables.passages["passage_id"], *exemplars["passage_id"]], tables.words, tables.hits,
        tables.patterns, tables.closeness, stemmed=settings["stem"],
    )  # fmt: skip
    labels = tables.labels[tables.labels["code"] == code]
    return Material(facts, labels, list(exemplars["label"]))


def _votes(code: str, tables: Tables) -> dict[str, int]:
    if tables.votes is None:
        return {}
    own = tables.votes[tables.votes["code"] == code]
    return dict(zip(own["cue"], own["vote"], strict=True))


def train_code(
    code: str, tables: Tables, settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any], str]:
    """Return the cross-fitted scores of one code, its final classifier and the folds' classifiers.

    The final classifier is plain data, the others are text
    (:func:`framing.classifier.fold_models.fits_text`).
    """
    given = material(code, tables, settings)
    scores, final, fits = score_code(
        code, given.facts, tables.passages, given.labels, given.taught, settings
    )
    trained_on = {
        "coded_passages": len(given.labels),
        "carrying": int(given.labels["label"].sum()),
        "exemplars": len(given.taught) if settings["exemplar_weight"] > 0 else 0,
    }
    model = model_data(code, final, fits.usual, given.facts, settings, trained_on)
    return scores, model, fits_text(fits, given.facts)


def further_scores(
    tables: Further, fits: Mapping[str, str], settings: Mapping[str, Any]
) -> dict[str, pd.DataFrame]:
    """Return the scores of passages of further sources by code.

    ``fits`` are the folds' classifiers by code, as :func:`train_code` gives them.
    """
    passages = tables.passages
    facts = collect(
        list(passages["passage_id"]), tables.words, tables.hits, tables.patterns, tables.closeness,
        stemmed=settings["stem"], stems=tables.stems,
    )  # fmt: skip
    return {
        code: scores_of(code, facts, passages, read_fits(text, facts), settings)
        for code, text in fits.items()
    }


def evaluate_code(
    code: str, tables: Tables, settings: Mapping[str, Any], plan: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return out-of-fold predictions of other methods, and the learning curve's scores.

    The methods are baselines, ablations and, where there are embeddings, ours with the encoder.
    ``plan`` is the configuration's ``evaluation``: ``ablations`` (name → changed settings),
    ``learning`` (``shares``, ``repeats``). Both tables have a column ``code``.
    """
    given, passages = material(code, tables, settings), tables.passages
    training = given.training(passages, settings["exemplar_weight"])
    parts = [baseline_predictions(given.facts, passages, training, _votes(code, tables), settings)]
    for name, change in plan["ablations"].items():
        changed = {**settings, **change}
        facts = given.facts
        if changed["stem"] != settings["stem"]:
            # Similarities stay: what is taken away is stems of words, and nothing else.
            other = material(code, tables, changed).facts
            facts = replace(other, similarities=facts.similarities, closeness=facts.closeness)
        taught = given.training(passages, changed["exemplar_weight"])
        parts.append(variant_predictions(name, facts, passages, taught, changed))
    if tables.embeddings is not None:
        exemplars = tables.exemplars[tables.exemplars["code"] == code]
        ids = [*passages["passage_id"], *exemplars["passage_id"]]
        vectors = tables.embeddings.loc[ids].to_numpy(dtype=float)
        facts = replace(given.facts, vectors=vectors)
        parts.append(variant_predictions(WITH_ENCODER, facts, passages, training, settings))
    learning = learning_scores(
        given.facts, passages, training, settings, plan["learning"]["shares"],
        plan["learning"]["repeats"],
    )  # fmt: skip
    predictions = pd.concat(parts, ignore_index=True)
    return predictions.assign(code=code), learning.assign(code=code)
