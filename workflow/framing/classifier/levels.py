"""The classifier of a code with several levels, of which each passage has exactly one.

As for a yes/no code, but with a score for each level: multinomial regression on the very same
features, calibration by vector scaling, and in place of a threshold the level with the highest
probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from framing.classifier.classifier import (
    Fitter,
    LinearScorer,
    Scorer,
    Settings,
    Training,
    held_out_scores,
)
from framing.classifier.features import Facts, learn_space, transform
from framing.classifier.multinomial import (
    fit_multinomial,
    fit_vector_scaling,
    level_probabilities,
)
from framing.classifier.rounding import round_off
from framing.coding.variables import Variable

ONE_LEVEL = "every coded passage has the same level"
UNCALIBRATED = "too few sources have a second level to calibrate"


@dataclass(frozen=True)
class LevelClassifier:
    """A trained classifier: a scorer, then slope and offsets of levels, then the highest.

    A constant one (``scorer`` is None) gives every passage the probabilities ``constant``; it
    stands in where the training rows hold only one level, and ``reason`` says so.
    """

    scorer: Scorer | None
    slope: float
    offsets: tuple[float, ...]
    constant: tuple[float, ...]
    reason: str

    def probabilities(self, facts: Facts, rows: np.ndarray) -> np.ndarray:
        """Return rows × levels of calibrated probabilities, rounded."""
        if self.scorer is None:
            return np.tile(np.array(self.constant, dtype=float), (len(rows), 1))
        scores = self.scorer.scores(facts, rows)
        return level_probabilities(scores, self.slope, np.array(self.offsets, dtype=float))

    def decisions(self, probabilities: np.ndarray) -> np.ndarray:
        """Return rows × levels: 1 for the likeliest level, the first of several, else 0."""
        return one_hot(probabilities.argmax(axis=1), probabilities.shape[1])


def one_hot(levels: np.ndarray, number: int) -> np.ndarray:
    """Return rows × ``number`` levels: 1 for each row's level, else 0."""
    return (levels[:, None] == np.arange(number)).astype(int)


def level_rows(
    variable: Variable,
    passages: pd.DataFrame,
    labels: pd.DataFrame,
    exemplars: pd.DataFrame,
    weight: float,
) -> Training:
    """Return what the classifier of a code with several levels learns from.

    ``passages`` (``passage_id source_id weight``) are the first rows of the facts, ``exemplars``
    (``code label``) the rows after them. ``labels`` (``passage_id code label share``) has of each
    coded passage a row an indicator. An exemplar that carries a level has it; a near miss has each
    of the others in equal parts. ``weight`` is the weight of an exemplar.
    """
    names = list(variable.indicators)
    wide = labels.pivot(index="passage_id", columns="code", values=["label", "share"])
    coded = np.flatnonzero(passages["passage_id"].isin(wide.index))
    part = passages.iloc[coded]
    own = wide.loc[part["passage_id"]]
    taught = exemplars if weight > 0 else exemplars.iloc[:0]
    extra = np.arange(len(passages), len(passages) + len(taught))
    of_exemplars = _exemplar_shares(taught, names)
    return Training(
        rows=np.concatenate([coded, extra]),
        labels=np.concatenate(
            [own["label"][names].to_numpy(dtype=int).argmax(axis=1), of_exemplars.argmax(axis=1)]
        ),
        shares=np.concatenate([own["share"][names].to_numpy(dtype=float), of_exemplars]),
        sources=np.array([*part["source_id"], *[""] * len(taught)], dtype=object),
        design=np.concatenate([part["weight"].to_numpy(dtype=float), np.zeros(len(taught))]),
        weights=np.concatenate([np.ones(len(coded)), np.full(len(taught), float(weight))]),
    )


def _exemplar_shares(exemplars: pd.DataFrame, names: list[str]) -> np.ndarray:
    places = np.array([names.index(code) for code in exemplars["code"]], dtype=int)
    carried = one_hot(places, len(names)).astype(float)
    missed = exemplars["label"].to_numpy(dtype=int) == 0
    carried[missed] = (1 - carried[missed]) / (len(names) - 1)
    return carried


def level_targets(training: Training, settings: Settings) -> np.ndarray:
    """Return rows × levels: the weight with which each row enters a fit as each level.

    By ``settings['labels']`` a row is each level in the share of its coders who gave it, or
    (``majority``) the one that coders combined say. Where balance is asked, all levels that any row
    has count alike in all.
    """
    shares = training.shares
    if settings["labels"] != "shares":
        combined = one_hot(training.labels, shares.shape[1])
        shares = np.where((training.design > 0)[:, None], combined, shares)
    parts: np.ndarray = training.weights[:, None] * shares
    if settings["class_weight"] == "balanced":
        whole = parts.sum(axis=0)
        each = training.weights.sum() / max(1, np.count_nonzero(whole))
        parts = parts * np.divide(each, whole, out=np.zeros(len(whole)), where=whole > 0)
    return parts


def taught_levels(training: Training, settings: Settings) -> np.ndarray:
    """Return of each level whether any row teaches it."""
    return np.asarray(level_targets(training, settings).any(axis=0))


def fit_levels(facts: Facts, training: Training, settings: Settings) -> LinearScorer | None:
    """Return the project's own method: penalised multinomial regression on all features.

    Scores add up to 0. A level that no row teaches has the score 0 throughout, from which
    calibration makes what is left to it; None where only one level is taught.
    """
    parts = level_targets(training, settings)
    taught = np.flatnonzero(parts.any(axis=0))
    if len(taught) < 2:
        return None
    space = learn_space(facts, training.rows, settings)
    features = transform(facts, space, training.rows)
    found, intercepts = fit_multinomial(features, parts[:, taught], settings["C"])
    coefficients = np.zeros((features.shape[1], parts.shape[1]))
    coefficients[:, taught] = found
    intercept = np.zeros(parts.shape[1])
    intercept[taught] = intercepts
    return LinearScorer(space, coefficients, intercept)


def of_same_levels(fit: Fitter, whole: Training) -> Fitter:
    """Return a method that learns only from rows that teach the levels which ``whole`` teaches.

    Scores by fewer levels are no measure for calibrating those by all.
    """

    def fitted(facts: Facts, training: Training, settings: Settings) -> Scorer | None:
        wanted, found = (taught_levels(rows, settings) for rows in (whole, training))
        return fit(facts, training, settings) if (wanted == found).all() else None

    return fitted


def constant_levels(training: Training, reason: str) -> LevelClassifier:
    """Return the classifier that gives everything the levels' (smoothed) shares by design."""
    number = training.shares.shape[1]
    coded = training.design > 0
    design = training.design[coded]
    design = design / design.mean() if len(design) else design
    counts = np.bincount(training.labels[coded], weights=design, minlength=number)
    shares = round_off((counts + 1) / (len(design) + number))
    return LevelClassifier(None, 0.0, (0.0,) * number, tuple(shares.tolist()), reason)


def train_levels(
    facts: Facts, training: Training, settings: Settings, fit: Fitter = fit_levels
) -> LevelClassifier:
    """Train a classifier and its calibration on ``training`` alone.

    As :func:`framing.classifier.classifier.train`: calibrated on scores from inner folds by source,
    by the coders combined. ``fit`` is the method.
    """
    coded = training.design > 0
    if len(np.unique(training.labels[coded])) < 2:
        return constant_levels(training, ONE_LEVEL)
    scorer = fit(facts, training, settings)
    scores = held_out_scores(facts, training, settings, of_same_levels(fit, training))
    seen = ~np.isnan(scores.reshape(len(scores), -1)).any(axis=1)
    if scorer is None or len(np.unique(training.labels[seen])) < 2:
        return constant_levels(training, UNCALIBRATED)
    design = training.design[seen] / training.design[seen].mean()
    slope, offsets = fit_vector_scaling(scores[seen], training.labels[seen], design)
    return LevelClassifier(scorer, slope, tuple(offsets.tolist()), (), "")


def log_odds(scores: np.ndarray) -> np.ndarray:
    """Return rows × levels: how much likelier each level is than all others, before calibration.

    Of two levels that is the difference of their scores, as for a yes/no code.
    """
    number = scores.shape[1]
    others = [logsumexp(np.delete(scores, level, axis=1), axis=1) for level in range(number)]
    odds: np.ndarray = scores - np.stack(others, axis=1)
    return odds


def level_counts(labels: pd.DataFrame, variable: Variable) -> Mapping[str, int]:
    """Return how many coded passages have each level, by indicator."""
    found = labels.groupby("code")["label"].sum()
    return {name: int(found.get(name, 0)) for name in variable.indicators}
