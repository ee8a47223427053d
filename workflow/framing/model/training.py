"""From tidy tables to one trained, cross-fitted and evaluated code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from scipy import sparse

from framing.model.classifier import Training
from framing.model.evaluation import (
    WITH_ENCODER,
    baseline_predictions,
    learning_scores,
    variant_predictions,
)
from framing.model.features import Facts, collect, neighbours
from framing.model.fits import fits_text, read_fits, scores_of
from framing.model.scores import score_code, training_rows
from framing.model.stored import model_data
from framing.model.tables import Further, Tables


@dataclass(frozen=True)
class Material:
    """One code's share of the tables, as the model room works on it."""

    facts: Facts
    labels: pd.DataFrame
    votes: dict[str, int]
    taught: list[int]

    def training(self, passages: pd.DataFrame, weight: float) -> Training:
        """Return the training rows, exemplars with ``weight``."""
        return training_rows(passages, self.labels, self.taught, weight)


def facts_of(
    ids: list[str],
    words: pd.DataFrame,
    hits: pd.DataFrame,
    cues: list[str],
    *,
    stemmed: bool,
    beside: sparse.csr_matrix | None = None,
    stems: Mapping[str, str] | None = None,
) -> Facts:
    """Return the facts of the passages ``ids``, in that order.

    ``words`` are ``passage_id word count``, ``hits`` are ``passage_id cue hits``; a passage may
    have no row in either. ``beside``, ``stems``: see :func:`framing.model.features.collect`.
    """
    counts: dict[str, dict[str, int]] = {name: {} for name in ids}
    for name, word, number in words[["passage_id", "word", "count"]].itertuples(index=False):
        if name in counts:
            counts[name][word] = number
    found: dict[str, dict[str, int]] = {name: {} for name in ids}
    for name, cue, number in hits[["passage_id", "cue", "hits"]].itertuples(index=False):
        if name in found:
            found[name][cue] = number
    return collect(
        [counts[n] for n in ids], [found[n] for n in ids], cues, stemmed=stemmed, beside=beside,
        stems=stems,
    )  # fmt: skip


def cue_names(votes: pd.DataFrame) -> list[str]:
    """Return the cues of ``votes`` (``cue code vote``), each once, in the order of facts."""
    return list(dict.fromkeys(votes["cue"]))


def _beside(passages: pd.DataFrame, settings: Mapping[str, Any]) -> sparse.csr_matrix:
    return neighbours(
        list(passages["source_id"]), list(passages["start"]), list(passages["end"]),
        settings["neighbour_gap"],
    )  # fmt: skip


def material(
    code: str, tables: Tables, settings: Mapping[str, Any], *, encoder: bool = False
) -> Material:
    """Return what one code's classifier learns from, with embeddings where ``encoder`` says so."""
    passages = tables.passages
    exemplars = tables.exemplars[tables.exemplars["code"] == code]
    votes = tables.votes[tables.votes["code"] == code]
    ids = [*passages["passage_id"], *exemplars["passage_id"]]
    facts = facts_of(
        ids,
        tables.words,
        tables.hits,
        cue_names(tables.votes),
        stemmed=settings["stem"],
        beside=_beside(passages, settings),
    )
    if encoder and tables.embeddings is not None:
        facts = replace(facts, vectors=tables.embeddings.loc[ids].to_numpy(dtype=float))
    return Material(
        facts,
        tables.labels[tables.labels["code"] == code],
        dict(zip(votes["cue"], votes["vote"], strict=True)),
        list(exemplars["label"]),
    )


def train_code(
    code: str, tables: Tables, settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any], str]:
    """Return the cross-fitted scores of one code, its final classifier and the folds' classifiers.

    The final classifier is plain data, the others are text (:func:`framing.model.fits.fits_text`).
    """
    given = material(code, tables, settings)
    scores, final, fits = score_code(
        code, given.facts, tables.passages, given.labels, given.taught, given.votes, settings
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
    facts = facts_of(
        list(passages["passage_id"]), tables.words, tables.hits, cue_names(tables.votes),
        stemmed=settings["stem"], beside=_beside(passages, settings), stems=tables.stems,
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
    parts = [baseline_predictions(given.facts, passages, training, given.votes, settings)]
    variants = [(name, change, False) for name, change in plan["ablations"].items()]
    if tables.embeddings is not None:
        variants.append((WITH_ENCODER, {}, True))
    for name, change, encoder in variants:
        changed = {**settings, **change}
        other = material(code, tables, changed, encoder=encoder)
        parts.append(
            variant_predictions(
                name,
                other.facts,
                passages,
                other.training(passages, changed["exemplar_weight"]),
                other.votes,
                changed,
            )
        )
    learning = learning_scores(
        given.facts, passages, training, given.votes, settings,
        plan["learning"]["shares"], plan["learning"]["repeats"],
    )  # fmt: skip
    predictions = pd.concat(parts, ignore_index=True)
    return predictions.assign(code=code), learning.assign(code=code)
