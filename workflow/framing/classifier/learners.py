"""How the classifier of a code is learned, by what the code is: here alone that is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from framing.classifier.baselines import Votes, baseline
from framing.classifier.classifier import (
    Classifier,
    Fitter,
    Settings,
    Trained,
    Trainer,
    Training,
    fit_linear,
    train,
)
from framing.classifier.features import Facts
from framing.classifier.level_baselines import level_baseline
from framing.classifier.level_model import level_model_data
from framing.classifier.levels import (
    LevelClassifier,
    fit_levels,
    level_counts,
    level_rows,
    log_odds,
    of_same_levels,
    train_levels,
)
from framing.classifier.model_file import model_data
from framing.classifier.novelty import Usual
from framing.classifier.scores import training_rows
from framing.coding.variables import Variable


@dataclass(frozen=True)
class Learner:
    """What it takes to learn the codes of a kind.

    ``rows`` makes training rows of passages, labels, exemplars and the weight of these; ``train``
    learns a classifier, of the class ``classifier``, from them; ``baseline`` gives the trainer of a
    plain method, by its name and the votes of cues, indicator by indicator. For the learning curve
    ``fitter`` gives the method without calibration, for training rows of which there will be only
    parts, and ``told`` makes of its scores a column an indicator. ``model`` makes plain data of the
    final classifier, ``carrying`` says in it how many passages carry what.
    """

    rows: Callable[[Variable, pd.DataFrame, pd.DataFrame, pd.DataFrame, float], Training]
    train: Trainer
    classifier: Callable[..., Trained]
    baseline: Callable[[str, Sequence[Votes]], Trainer]
    fitter: Callable[[Training], Fitter]
    told: Callable[[np.ndarray], np.ndarray]
    model: Callable[[Variable, Any, Usual, Facts, Settings, Any], dict[str, Any]]
    carrying: Callable[[pd.DataFrame, Variable], int | Mapping[str, int]]


_YES_NO = Learner(
    rows=lambda _, passages, labels, exemplars, weight: training_rows(
        passages, labels, list(exemplars["label"]), weight
    ),
    train=train,
    classifier=Classifier,
    baseline=lambda name, votes: baseline(name, votes[0]),
    fitter=lambda _: fit_linear,
    told=lambda scores: scores,
    model=lambda variable, *rest: model_data(variable.name, *rest),
    carrying=lambda labels, _: int(labels["label"].sum()),
)
_LEVELS = Learner(
    rows=level_rows,
    train=train_levels,
    classifier=LevelClassifier,
    baseline=level_baseline,
    fitter=lambda training: of_same_levels(fit_levels, training),
    told=log_odds,
    model=level_model_data,
    carrying=level_counts,
)


def learner_of(variable: Variable) -> Learner:
    """Return how a code is learned: by presence alone where there is one, else by its levels."""
    return _YES_NO if variable.kind.present else _LEVELS
