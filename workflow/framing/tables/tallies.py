"""Sums over passages, from which every specification is estimated.

See :mod:`framing.tables.robustness`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from framing.inference.design import Bools, Floats, Ints, Population
from framing.inference.estimator import THRESHOLD, Corrected
from framing.inference.estimators import EVERY
from framing.inference.intervals import (
    DECIMALS,
    Settings,
)
from framing.inference.outcomes import Outcome, estimated, fold_slopes, tuned
from framing.inference.variances import sums
from framing.tables.specifications import TRAINED, Bins, Material, Specification

UNTUNED = "labels only: the probabilities do not go with the codes"


# --- sums -----------------------------------------------------------------------------------------

MASS, FITTED, CARRIED, SQUARES, ERROR, SETTLED, OWN, CODED, LEFT = range(9)

SUMS = 9


@dataclass(frozen=True)
class Tally:
    """What the estimates of a code are made of under one specification, summed by bins.

    ``sums`` (P, 9, Q): for each of P pieces the passages' mass m and m·f; of the coded ones w·m,
    (w·m)², w·m·(y − f), m·y and m²; how many are coded and how many are not. ``parts`` says which
    pieces make up what is known, and each part of the rest: one piece, or (post-stratified) one for
    each decision of the classifier. ``untuned`` says why the difference estimator has no
    predictions, ``exploratory`` whether read codings correct the classifier. ``unconfirmed`` (Q,),
    or empty for none, counts passages which, though the estimator has a classifier, rest on labels
    only, as no unread draw reaches them.
    """

    sums: Floats
    parts: tuple[tuple[int, ...], ...]
    untuned: str
    exploratory: bool
    unconfirmed: Ints


@dataclass(frozen=True)
class Side:
    """An estimate of one side of a contrast.

    ``deviations`` (G,) by source, whose sum of squares is the variance; ``df`` its degrees of
    freedom; ``effective`` passages of equal weight stand behind it. ``unseen`` is variance that
    deviations do not show, as no code varied in a period; ``note`` is a remark. ``blank`` is there
    where known passages vary and those that stand for all others do not: the part of the passages
    that these are, their share, and how many equally weighted ones were seen.
    """

    value: float
    deviations: Floats
    df: float
    effective: float
    unseen: float = 0.0
    note: str = ""
    blank: tuple[float, float, float] | None = None


def tally(given: Material, one: Specification, code: str, settings: Settings) -> Tally:
    """Return the sums by bins that estimates of ``code`` are made of under a specification."""
    frame, mass = given.frame, given.mass[one.weighting]
    nobody = np.zeros(0, dtype=np.int64)
    estimator = EVERY[one.estimator]
    if not isinstance(estimator, Corrected):
        # As if all were known: the decisions are taken at their word.
        decision = _decision(given, one, code).astype(float)
        every = np.arange(frame.total)
        piece = _piece(given, every, every, decision, np.zeros(frame.total), mass, mass)
        return Tally(piece[None], ((0,),), "", False, nobody)
    label = given.labels[one.coders, one.unsure, code]
    usable = ~np.isnan(label)
    respondents = _respondents(frame, usable)
    weight = frame.weight * respondents
    data = _outcome(given, one, code, label, usable, respondents, estimator, settings)
    untuned = estimator.silent(data)
    fitted = estimator.predictions(data)
    strata = None if estimator.cells is None else estimator.cells(data)
    is_known = np.zeros(frame.total, dtype=bool)
    is_known[frame.drawn[frame.known]] = True
    reached = np.ones(frame.total, dtype=bool) if frame.unread_frame is None else frame.unread_frame
    pieces: list[Floats] = []
    parts: list[tuple[int, ...]] = []
    unconfirmed = nobody
    for number, member in enumerate((is_known, ~is_known & reached, ~is_known & ~reached)):
        gives_way = number == 2 and frame.confirmed
        cells = [member]
        if strata is not None and number and not gives_way:
            cells = [member & (strata == level) for level in range(data.strata)]
        if gives_way and estimator.has_classifier:
            unconfirmed = np.bincount(
                given.bins.of_passage[member], minlength=len(given.bins.source)
            )
        predictions = fitted if number and not gives_way else np.zeros(frame.total)
        parts.append(tuple(range(len(pieces), len(pieces) + len(cells))))
        for cell in cells:
            coded = np.flatnonzero(usable & cell[frame.drawn])
            at = frame.drawn[coded]
            carried = weight[coded] * mass[at]
            pieces.append(
                _piece(given, np.flatnonzero(cell), at, label[coded], predictions, mass, carried)
            )
    exploratory = estimator.has_classifier and not frame.confirmed
    return Tally(np.stack(pieces), tuple(parts), untuned, exploratory, unconfirmed)


def _piece(
    given: Material, rows: Ints, at: Ints, label: Floats, fitted: Floats, mass: Floats,
    carried: Floats,
) -> Floats:  # fmt: skip
    """Return the sums (9, Q) of the passages ``rows``, of which those ``at`` are coded."""
    number = len(given.bins.source)
    of_rows, of_coded = given.bins.of_passage[rows], given.bins.of_passage[at]
    own = mass[at]
    found = np.zeros((SUMS, number))
    for place, bins, values in (
        (MASS, of_rows, mass[rows]),
        (FITTED, of_rows, mass[rows] * fitted[rows]),
        (CARRIED, of_coded, carried),
        (SQUARES, of_coded, carried * carried),
        (ERROR, of_coded, carried * (label - fitted[at])),
        (SETTLED, of_coded, own * label),
        (OWN, of_coded, own * own),
    ):
        found[place] = sums(bins, values, number)
    found[CODED] = np.bincount(of_coded, minlength=number)
    found[LEFT] = np.bincount(of_rows, minlength=number) - found[CODED]
    return found


def _outcome(
    given: Material, one: Specification, code: str, label: Floats, usable: Bools,
    respondents: Floats, estimator: Corrected, settings: Settings,
) -> Outcome:  # fmt: skip
    """Return what an estimator predicts from, as :mod:`framing.inference.outcomes` has it.

    Where it has no classifier, nothing is predicted.
    """
    frame = given.frame
    zero = np.zeros(frame.total)
    if not estimator.has_classifier:
        return Outcome(code, zero.astype(np.int64), label, zero, "")
    score = given.probability[one.classifier, code]
    decision = _decision(given, one, code) if THRESHOLD in estimator.uses else zero.astype(np.int64)
    data = Outcome(code, decision, label, zero, "", score, given.fold)
    together = given.together.get(code, ())
    if together:
        decided = np.stack([given.decision[one.classifier, name] for name in together])
        level = np.argmax(decided, axis=0).astype(np.int64)
        data = replace(data, level=level, strata=len(together))
    if not estimator.tuned:
        return data
    judging, weight, _ = frame.judging()
    judging = judging & usable
    known = frame.drawn[judging]
    named = together or (code,)
    slopes = fold_slopes(
        [given.probability[one.classifier, name][known] for name in named],
        [given.labels[one.coders, one.unsure, name][judging] for name in named],
        (weight * respondents)[judging], given.fold[known], int(given.fold.max()) + 1,
        settings.tuning_minimum,
    )  # fmt: skip
    fitted = tuned(slopes[given.fold], score, estimated(frame))
    return replace(data, fitted=fitted, untuned="" if slopes.any() else UNTUNED)


def _decision(given: Material, one: Specification, code: str) -> Ints | Floats:
    # Of several levels one is decided for: no threshold of one of them could do that.
    if one.threshold == TRAINED or code in given.together:
        return given.decision[one.classifier, code]
    score = given.probability[one.classifier, code]
    return (np.round(score, DECIMALS) >= float(one.threshold)).astype(np.int64)


def _respondents(frame: Population, usable: Bools) -> Floats:
    """Return by how much weights grow where some drawn passages have no coding left, (n,).

    Within strata, n_h over those left: the others are treated as missing at random.
    """
    drawn = np.bincount(frame.stratum, minlength=len(frame.strata))
    left = np.bincount(frame.stratum[usable], minlength=len(frame.strata))
    return (drawn / np.maximum(left, 1))[frame.stratum]


# --- estimates ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """Bins of one side of a contrast: ``places`` (q,) of them, of ``sources`` (g,), by number.

    ``of_source`` (q,) is each bin's place among these; ``single`` says that every bin is a source.
    ``passages`` and ``drawn`` count.
    """

    places: Ints
    sources: Ints
    of_source: Ints
    single: bool
    passages: int
    drawn: int

    def by_source(self, values: Floats) -> Floats:
        """Return sums (k, g) of values (k, q) by source."""
        if self.single:
            return values
        return np.stack([sums(self.of_source, row, len(self.sources)) for row in values])


def selection(bins: Bins, chosen: Bools) -> Selection:
    """Return the bins ``chosen`` (Q,) as what :func:`side_of` sums over."""
    places = np.flatnonzero(chosen)
    sources, of_source = np.unique(bins.source[places], return_inverse=True)
    single = len(sources) == len(places) and bool((sources == bins.source[places]).all())
    passages, drawn = (int(counts[places].sum()) for counts in (bins.passages, bins.drawn))
    return Selection(places, sources, of_source.astype(np.int64), single, passages, drawn)
