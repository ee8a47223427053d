"""From derived facts and codings to scores: one row a passage and code, combinations included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from framing.classifier.classifier import Trained, Trainer, Training, cross_fit
from framing.classifier.features import Facts
from framing.classifier.fold_models import Fits, scores_of
from framing.classifier.novelty import learn_usual
from framing.classifier.rounding import round_off
from framing.coding.combinations import combined_codes

SCORE_COLUMNS = ("passage_id", "code", "fold", "label", "probability", "decision", "unfamiliar")


def training_rows(
    passages: pd.DataFrame, labels: pd.DataFrame, exemplar_labels: Sequence[int], weight: float
) -> Training:
    """Return what the classifier of one yes/no code learns from.

    ``passages`` (``passage_id source_id weight``) are the first rows of the facts, the exemplars
    (``exemplar_labels``) the rows after them. ``labels`` (``passage_id label share``) are the
    combined codes of the coded passages and the parts of their coders who found the code;
    ``weight`` is the weight of an exemplar.
    """
    label = dict(zip(labels["passage_id"], labels["label"], strict=True))
    share = dict(zip(labels["passage_id"], labels["share"], strict=True))
    coded = np.flatnonzero(passages["passage_id"].isin(label))
    part = passages.iloc[coded]
    taught = len(exemplar_labels) if weight > 0 else 0
    extra = np.arange(len(passages), len(passages) + taught)
    codebook = list(exemplar_labels)[:taught]
    return Training(
        rows=np.concatenate([coded, extra]),
        labels=np.array([*part["passage_id"].map(label), *codebook], dtype=int),
        shares=np.array([*part["passage_id"].map(share), *codebook], dtype=float),
        sources=np.array([*part["source_id"], *[""] * taught], dtype=object),
        design=np.concatenate([part["weight"].to_numpy(dtype=float), np.zeros(taught)]),
        weights=np.concatenate([np.ones(len(coded)), np.full(taught, float(weight))]),
    )


def score_code(
    indicators: Sequence[str],
    facts: Facts,
    passages: pd.DataFrame,
    labels: pd.DataFrame,
    training: Training,
    settings: Mapping[str, Any],
    trainer: Trainer,
) -> tuple[pd.DataFrame, Trained, Fits]:
    """Cross-fit one code over all passages and train its final classifier on all codings.

    ``labels`` (``passage_id code label``) has of each coded passage a row for each of its
    ``indicators``; ``training`` are the rows that ``trainer`` learns from. Returns the scores
    (columns of ``SCORE_COLUMNS``; ``label`` missing where not coded), the final classifier (for
    texts outside the corpus) and what scores were made by: the classifiers of the folds, and what
    is usual among the coded passages.
    """
    fit = cross_fit(facts, list(passages["source_id"]), training, settings, trainer)
    fits = Fits(fit.classifiers, learn_usual(facts, training, settings))
    scores = scores_of(indicators, facts, passages, fits, settings)
    label = dict(
        zip(zip(labels["code"], labels["passage_id"], strict=True), labels["label"], strict=True)
    )
    keys = zip(scores["code"], scores["passage_id"], strict=True)
    scores = scores.assign(label=pd.array([label.get(key) for key in keys], dtype="Int64"))
    return scores, trainer(facts, training, settings), fits


def in_order(passages: pd.DataFrame, *parts: pd.DataFrame) -> pd.DataFrame:
    """Return one code's scores of all ``passages`` in their order, from parts that cover them.

    Of a code with several levels that is a row an indicator and passage, indicator by indicator.
    """
    scores = pd.concat(parts, ignore_index=True).astype({"code": str})
    indicators = scores["code"].drop_duplicates()
    wanted = pd.MultiIndex.from_product([indicators, passages["passage_id"]])
    found = scores.set_index(["code", "passage_id"]).loc[wanted].reset_index()
    return found[list(scores.columns)]


def with_combinations(
    scores: pd.DataFrame, combinations: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Return the scores of codes, then those of the combinations (:func:`combine_codes`)."""
    single = scores.astype({"code": str})
    return pd.concat([single, combine_codes(single, combinations)], ignore_index=True)


def combine_codes(
    scores: pd.DataFrame, combinations: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Return the scores of configured combinations, in the same columns.

    A passage carries a combination when it has all codes of ``all``, at least one of ``any`` and
    none of ``none``; labels and decisions combine exactly so, probabilities as if the codes were
    independent given the passage. The corrected estimators remove what that is off.
    """
    wide = {name: scores.pivot(index="passage_id", columns="code", values=name)
            for name in ("label", "probability", "decision")}  # fmt: skip
    order = scores["passage_id"].drop_duplicates()
    first = scores.drop_duplicates("passage_id").set_index("passage_id")
    made = {}
    for column, table in wide.items():
        values = table.loc[order].astype("Float64" if column == "label" else float)
        made[column] = combined_codes({str(code): values[code] for code in values}, combinations)
    parts = []
    for name in combinations:
        columns = {column: of_code[name] for column, of_code in made.items()}
        parts.append(
            pd.DataFrame(
                {
                    "passage_id": order.to_numpy(),
                    "code": name,
                    "fold": first.loc[order, "fold"].to_numpy(),
                    "label": columns["label"].astype("Int64").array,
                    "probability": round_off(columns["probability"].to_numpy()),
                    "decision": columns["decision"].astype(int).to_numpy(),
                    "unfamiliar": first.loc[order, "unfamiliar"].to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else scores.iloc[:0]
