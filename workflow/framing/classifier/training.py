"""From tidy tables to one trained, cross-fitted and evaluated code."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pandas as pd

from framing.classifier.baselines import BASELINES, Votes
from framing.classifier.classifier import Trainer, Training
from framing.classifier.comparison import WITH_ENCODER, learning_scores, predictions
from framing.classifier.features import Facts, collect
from framing.classifier.fold_models import fits_text, read_fits, scores_of
from framing.classifier.inputs import Further, Tables, variable_named
from framing.classifier.learners import Learner, learner_of
from framing.classifier.scores import score_code
from framing.coding.variables import Variable


@dataclass(frozen=True)
class Material:
    """One code's share of the tables, as training works on it."""

    variable: Variable
    learner: Learner
    facts: Facts
    labels: pd.DataFrame
    exemplars: pd.DataFrame

    def training(self, passages: pd.DataFrame, weight: float) -> Training:
        """Return the training rows, exemplars with ``weight``."""
        return self.learner.rows(self.variable, passages, self.labels, self.exemplars, weight)


def material(code: str, tables: Tables, settings: Mapping[str, Any]) -> Material:
    """Return what one code's classifier learns from."""
    variable = variable_named(code, tables.variables)
    names = list(variable.indicators)
    exemplars = tables.exemplars[tables.exemplars["code"].isin(names)]
    facts = collect(
        [*tables.passages["passage_id"], *exemplars["passage_id"]], tables.words, tables.hits,
        tables.patterns, tables.closeness, stemmed=settings["stem"],
    )  # fmt: skip
    labels = tables.labels[tables.labels["code"].isin(names)]
    return Material(variable, learner_of(variable), facts, labels, exemplars)


def _votes(variable: Variable, tables: Tables) -> list[Votes]:
    """Return the votes of cues on each indicator."""
    if tables.votes is None:
        return [{} for _ in variable.indicators]
    own = [tables.votes[tables.votes["code"] == name] for name in variable.indicators]
    return [dict(zip(votes["cue"], votes["vote"], strict=True)) for votes in own]


def train_code(
    code: str, tables: Tables, settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any], str]:
    """Return the cross-fitted scores of one code, its final classifier and the folds' classifiers.

    The final classifier is plain data, the others are text
    (:func:`framing.classifier.fold_models.fits_text`).
    """
    given, weight = material(code, tables, settings), settings["exemplar_weight"]
    variable, learner = given.variable, given.learner
    training = given.training(tables.passages, weight)
    scores, final, fits = score_code(
        variable.indicators, given.facts, tables.passages, given.labels, training, settings,
        learner.train,
    )  # fmt: skip
    trained_on = {
        "coded_passages": given.labels["passage_id"].nunique(),
        "carrying": learner.carrying(given.labels, variable),
        "exemplars": len(given.exemplars) if weight > 0 else 0,
    }
    model = learner.model(variable, final, fits.usual, given.facts, settings, trained_on)
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
        stemmed=settings["stem"],
    )  # fmt: skip
    found = {}
    for code, text in fits.items():
        variable = variable_named(code, tables.variables)
        read = read_fits(text, facts, learner_of(variable).classifier)
        found[code] = scores_of(variable.indicators, facts, passages, read, settings)
    return found


def evaluate_code(
    code: str, tables: Tables, settings: Mapping[str, Any], plan: Mapping[str, Any],
    everywhere: Collection[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Return out-of-fold predictions of other methods, and the learning curve's scores.

    The methods are baselines, ablations and, where there are embeddings, ours with the encoder.
    Coded passages are predicted, and by the methods named in ``everywhere`` all passages.
    ``plan`` is the configuration's ``evaluation``: ``ablations`` (name → changed settings),
    ``learning`` (``shares``, ``repeats``). Both tables have a column ``code``: the indicator.
    """
    coded = tables.passages["passage_id"].isin(tables.labels["passage_id"])
    tables, whole = replace(tables, passages=tables.passages[coded]), tables
    given, passages = material(code, tables, settings), tables.passages
    of_all = cache(lambda: material(code, whole, settings))  # takes long, and may not be asked for
    variable, learner = given.variable, given.learner
    names, ours = variable.indicators, learner.train
    training = given.training(passages, settings["exemplar_weight"])
    votes = _votes(variable, tables)
    methods: dict[str, tuple[Mapping[str, Any], Trainer]]
    methods = {name: ({}, learner.baseline(name, votes)) for name in BASELINES}
    methods |= {name: (change, ours) for name, change in plan["ablations"].items()}
    parts = []
    for name, (change, trainer) in methods.items():
        chosen = whole if name in everywhere else tables
        changed = {**settings, **change}
        own = given if chosen is tables else of_all()
        facts = own.facts
        if changed["stem"] != settings["stem"]:
            # Similarities stay: what is taken away is stems of words, and nothing else.
            other = material(code, chosen, changed).facts
            facts = replace(other, similarities=facts.similarities, closeness=facts.closeness)
        taught = own.training(chosen.passages, changed["exemplar_weight"])
        parts.append(predictions(name, names, facts, chosen.passages, taught, changed, trainer))
    if tables.embeddings is not None:
        ids = [*passages["passage_id"], *given.exemplars["passage_id"]]
        vectors = tables.embeddings.loc[ids].to_numpy(dtype=float)
        facts = replace(given.facts, vectors=vectors)
        parts.append(predictions(WITH_ENCODER, names, facts, passages, training, settings, ours))
    learning = learning_scores(
        names, given.facts, passages, training, settings, learner.fitter(training), learner.told,
        plan["learning"]["shares"], plan["learning"]["repeats"],
    )  # fmt: skip
    return pd.concat(parts, ignore_index=True), learning
