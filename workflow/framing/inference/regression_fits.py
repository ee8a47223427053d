"""Regressions of codes on columns of sources: fits, their covariance, predictions.

See :mod:`framing.inference.dsl`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from framing.classifier.classifier import fold_of
from framing.inference.design import Bools, Floats, Ints, Population
from framing.inference.design_matrix import (
    Design,
)
from framing.inference.dsl import (
    Leverage,
    calibration_features,
    cluster_information,
    cluster_scores,
    covariance,
    cross_fitted,
    leverage,
    pseudo_outcome,
    solve,
)
from framing.inference.estimator import EXPLORATORY, NOT_CONFIRMED, PARTLY_CONFIRMED
from framing.inference.variances import sums

DSL, LABELS, NAIVE = "dsl", "labels only", "naive"

_RUNAWAY = 1e-2  # terms that move less than this part of the fastest stay where they are


# --- the fits -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Codes:
    """One code: ``label`` (n,) of drawn passages; ``decision``, ``probability`` (N,) of all."""

    label: Floats
    decision: Floats
    probability: Floats


@dataclass(frozen=True)
class Sample:
    """What one fit takes for the codes: ``codes`` of the passages in ``rows``, with weights.

    ``rows`` (m,) count among the passages inside the design. They are what is asked whether codes
    vary and how many sources stand behind a row.
    """

    rows: Ints
    codes: Floats
    weight: Floats


@dataclass(frozen=True)
class Moments:
    """Rows summed by block: ``x`` (B, r), mean ``y`` and total ``weight`` (B,), ``source`` (B,).

    Sources are numbered from 0 to ``sources`` − 1.
    """

    x: Floats
    y: Floats
    weight: Floats
    source: Ints
    sources: int


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    ``beta`` (S, k) is the solution of each split, ``variance`` (S, r, r) that of its γ; ``centre``
    (k,) the median of β. ``leverage`` is that of the sources whose codes stand behind it.
    """

    beta: Floats
    variance: Floats
    centre: Floats
    leverage: Leverage


@dataclass(frozen=True)
class Separation:
    """Equations without a finite solution: ``passages`` (N,) with shares of 0 or 1, ``terms``."""

    passages: Bools
    terms: tuple[str, ...]


def summed(design: Design, rows: Ints, codes: Floats, weight: Floats) -> Moments:
    """Return passages (``rows`` inside the design) summed by source and covariates.

    Moment equations are the same for the sums as for the passages, and there are far fewer.
    """
    number = len(design.source)
    total = sums(design.block[rows], weight, number)
    there = total > 0
    mean = sums(design.block[rows], weight * codes, number)[there] / total[there]
    names, source = np.unique(design.source[there], return_inverse=True)
    return Moments(design.reduced[there], mean, total[there], source, len(names))


def fitted(
    design: Design, parts: Sequence[Moments], support: Moments, family: str, correction: str
) -> Fit | Separation:
    """Return the fit of one or several splits, or what keeps the equations from being solved.

    ``parts`` are the moments of each split, ``support`` those of the passages whose codes stand
    behind them: its sources are counted by CR1 and for degrees of freedom. There must be some.
    """
    gammas, variances, diverging = [], [], []
    for part in parts:
        found = solve(part.x, part.y, part.weight, family)
        if not found.exists:
            diverging.append(design.space.expanded(found.diverging))
            continue
        shape = (part.source, part.sources, family, found.coefficients)
        scores = cluster_scores(part.x, part.y, part.weight, *shape)
        information = cluster_information(part.x, part.weight, *shape)
        gammas.append(found.coefficients)
        clusters = max(support.sources, 2)  # a single source gets no interval anyhow
        variances.append(covariance(scores, leverage(information), correction, clusters))
    if diverging:
        return _separation(design, np.array(diverging))
    beta = design.space.expanded(np.array(gammas))
    middle = np.median(np.array(gammas), axis=0)
    information = cluster_information(
        support.x, support.weight, support.source, support.sources, family, middle
    )
    return Fit(
        beta=beta,
        variance=np.array(variances),
        centre=np.median(beta, axis=0),
        leverage=leverage(information),
    )


def _separation(design: Design, directions: Floats) -> Separation:
    """Return what runs away in any of the ``directions`` (d, k): passages, and terms by name.

    Coefficients run away along them; of passages whose linear predictor stays put, they say nothing
    (quasi-complete separation, Albert & Anderson 1984).
    """
    moved = np.abs(design.matrix[design.inside] @ directions.T)
    far = (moved > _RUNAWAY * moved.max(axis=0)).any(axis=1)
    passages = np.zeros(len(design.inside), dtype=bool)
    passages[np.flatnonzero(design.inside)[far]] = True
    size = np.abs(design.matrix[design.inside]).max(axis=0)
    by_term = np.abs(directions) * size
    named = (by_term > _RUNAWAY * by_term.max(axis=1, keepdims=True)).any(axis=0)
    return Separation(passages, tuple(np.array(design.terms)[named]))


def splits(sources: Sequence[str], settings: Mapping[str, Any]) -> Iterator[Ints]:
    """Yield for each of ``splits`` the fold of each source, by digest of its id.

    ``settings`` is the configuration's ``regression``. A source's fold depends on nothing else, so
    neither on the order of rows nor on the machine.
    """
    for number in range(settings["splits"]):
        yield np.array(
            [
                fold_of(name, settings["folds"], settings["seed"], f"regression {number}")
                for name in sources
            ],
            dtype=np.int64,
        )


def fit(
    name: str,
    design: Design,
    frame: Population,
    codes: Codes,
    folds: Sequence[Ints],
    model: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> tuple[Sample, Fit | Separation]:
    """Return one of :data:`FITS`, called ``name``, and the codes it rests on.

    ``folds`` are those of :func:`splits`, indexed by source number; ``model`` says the family,
    ``settings`` penalty and correction. The design must have coded passages inside.
    """
    inside, drawn = design.inside, design.drawn
    label, weight = codes.label[design.sampled], frame.weight[design.sampled]
    every, ones = np.arange(len(design.block)), np.ones(len(design.block))
    if name == NAIVE:
        sample = Sample(every, codes.decision[inside], ones)
    else:
        sample = Sample(drawn, label, weight)
    support = summed(design, sample.rows, sample.codes, sample.weight)
    parts = [support]
    if name == DSL:
        parts = []
        for guess in predicted(design, frame, codes, folds, settings["penalty"]):
            corrected = pseudo_outcome(guess, drawn, label, weight)
            parts.append(summed(design, every, corrected, ones))
    return sample, fitted(design, parts, support, model["family"], settings["correction"])


def predicted(
    design: Design, frame: Population, codes: Codes, folds: Sequence[Ints], penalty: float
) -> Iterator[Floats]:
    """Yield ĝ (N_in,) for each of the ``folds`` (of sources).

    It learns from the classifier and the covariates on what the classifier may be judged by
    (:meth:`framing.inference.design.Population.judging`): unread passages, where there are any.
    There pseudo-outcomes need y − ĝ of drawn passages to be what it is elsewhere, which is true of
    random draws as long as ĝ does not know what was drawn. Through authors who read it, a
    classifier does. So in the part of the frame that no unread draw reaches ĝ is made from the
    covariates and the codes drawn there, without the classifier, and all of it stays in the model:
    to leave it out would change what texts the model speaks of, and by group and period.
    """
    inside, matrix = design.inside, design.matrix[design.inside]
    label = codes.label[design.sampled]
    judging, weight, _ = frame.judging()
    judged = judging[design.sampled]
    reached = np.ones(len(matrix), dtype=bool)
    if frame.confirmed and frame.unread_frame is not None:
        reached = frame.unread_frame[inside]
    features = calibration_features(codes.probability[inside], matrix)
    blind = calibration_features(np.full(len(matrix), 0.5), matrix)
    outside = ~reached[design.drawn]
    for fold in folds:
        own = fold[frame.source[inside]]
        guess = cross_fitted(
            features, design.drawn[judged], label[judged], weight[design.sampled][judged], own,
            penalty,
        )  # fmt: skip
        if not reached.all():
            without = cross_fitted(
                blind, design.drawn[outside], label[outside],
                frame.weight[design.sampled][outside], own, penalty,
            )  # fmt: skip
            guess = np.where(reached, guess, without)
        yield guess


def resting_on(design: Design, frame: Population) -> str:
    """Return what must be said of the codes that correct the classifier in the *dsl* fit."""
    inside = int(design.inside.sum())
    if not frame.confirmed:
        return "" if len(design.drawn) == inside else EXPLORATORY
    if frame.unread_frame is None or not inside:
        return ""
    outside = int((design.inside & ~frame.unread_frame).sum())
    if not outside:
        return ""
    return NOT_CONFIRMED if outside == inside else PARTLY_CONFIRMED.format(outside)
