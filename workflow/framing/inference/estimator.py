"""What an estimator of a share is, and the one formula that all of them go by.

A domain consists of what is known and of a rest (:mod:`framing.inference.design`). Codes of known
passages count as they are; the rest is estimated, and both are added up by their sizes::

    θ̂ = 1/N_d Σ_{i known} y_i  +  Σ_p (N_p/N_d) θ̂_p

One formula stands behind all estimates θ̂_p that use codes: predict every passage of the part,
average the predictions, and add the weighted mean error of the predictions on its coded passages
(Cassel, Särndal & Wretman 1976; Angelopoulos et al. 2023)::

    θ̂_p = 1/N_p Σ_{i in U_p} f_i  +  Σ_{i in s_p} w_i (y_i − f_i) / Σ_{i in s_p} w_i

So an estimator is a prediction f, and where it has post-strata, their cells: in each of them the
errors are averaged apart, and weights are scaled so that it counts by its known size. With N_p in
place of the divisor Σw, which estimates it, f = 0 gives Horvitz and Thompson's (1952) estimator.

The errors y − f must be those the classifier makes elsewhere. On passages that the authors of cues
have read they are smaller, whatever cross-fitting does, so only unread passages correct anything:
where a part was reached by read draws alone its share rests on labels only. With no unread
passage at all the corrected estimates are made from read ones all the same, and say that they are
exploratory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from framing.inference.corrected import (
    Estimate,
    Share,
    corrected_mean,
    discounted,
    share_of,
    together,
    unestimable,
    variance_of,
)
from framing.inference.design import Bools, Domain, Floats, Ints, Part, Population
from framing.inference.intervals import Settings
from framing.inference.outcomes import Outcome
from framing.inference.variances import sums

CODERS, UNSURE, CLASSIFIER, THRESHOLD = "coders", "unsure", "classifier", "threshold"
"""Choices that an estimator may make use of, or not; see :mod:`framing.tables.robustness`."""

COMPLETE = "complete: every passage coded"

EXPLORATORY = (
    "exploratory: rests on codings that the authors of cues could read; may be off by more than "
    "its interval says"
)

NOT_CONFIRMED = "labels only: no unread draw reaches these passages"

PARTLY_CONFIRMED = "labels only for {:,} of the passages, which no unread draw reaches"

FEW_IN_CELL = "labels only: fewer than {} coded passages where the classifier says yes, or no"

FEW_OF_LEVEL = (
    "labels only: fewer than {} coded passages of a level that the classifier decides for"
)


@dataclass(frozen=True)
class Words:
    """What readers are told of an estimator: its label, what it is in few words, and in more."""

    label: str
    brief: str
    description: str


def _nothing(data: Outcome) -> Floats:
    return np.zeros(len(data.decision))


def _never(_: Outcome) -> str:
    return ""


@dataclass(frozen=True)
class Estimator:
    """A way to estimate the share of a domain's passages that carry a code.

    ``uses`` are the choices that it makes use of. ``aside`` keeps it out of all tables but the one
    that sets estimators side by side. What it makes of a domain is said by :meth:`estimate`.
    """

    name: str
    words: Words
    uses: frozenset[str]
    aside: bool = False

    @property
    def corrects(self) -> bool:
        """Return whether it rests on codes, so that more of them make it more precise."""
        return CODERS in self.uses

    @property
    def has_classifier(self) -> bool:
        """Return whether it makes use of the classifier."""
        return CLASSIFIER in self.uses

    def estimate(
        self, frame: Population, part: Domain, data: Outcome, settings: Settings
    ) -> Estimate:
        """Return the share of a domain by target, of whose passages ``data`` says what is known."""
        raise NotImplementedError


@dataclass(frozen=True)
class Corrected(Estimator):
    """An estimator by the formula at the head of this module.

    ``predictions`` returns f (N,) of an outcome; ``tuned`` says that f is λ·(p − p̄), and
    ``silent`` why there is none, in which case labels only stand in. ``cells`` numbers the
    post-stratum (N,) of every passage. ``known_size`` divides by the known number of passages.
    ``discounts`` says that its variance believes in its gain less
    (:func:`framing.inference.corrected.discounted`).
    """

    predictions: Callable[[Outcome], Floats] = _nothing
    tuned: bool = False
    silent: Callable[[Outcome], str] = _never
    cells: Callable[[Outcome], Ints] | None = None
    known_size: bool = False
    discounts: bool = True

    def share(self, frame: Population, part: Part, data: Outcome, settings: Settings) -> Share:
        """Return the share of one part of a domain.

        The value can leave 0–1. Where a post-stratum has passages but fewer than ``cell_minimum``
        coded ones (and not all of them), labels only stand in, and the note says so.
        """
        labels = labels_share(frame, part, data, settings)
        if not self.has_classifier and not self.known_size:
            return labels
        if why := self.silent(data):
            return replace(labels, note=why)
        label, weight = data.label[part.coded], frame.weight[part.coded]
        fitted, total = self.predictions(data)[part.rows], None
        uncertain, reference = None, labels.value
        if self.cells is not None:
            cell, coded, sizes = self._counts(self.cells(data), data.strata, part)
            if ((coded < settings.cell_minimum) & (coded < sizes)).any():
                return replace(labels, note=few_in_cell(data.strata, settings.cell_minimum))
            weight = calibrate(cell, part.place, weight)
            fitted = fitted + cell_means(cell, part.place, label - fitted[part.place], weight)
        if self.known_size:
            total = float(len(part.rows))
        found = corrected_mean(fitted, part.place, label, weight, total)
        if self.cells is not None:
            uncertain = np.where(self.certain(part, data), 0.0, found.of_coded)
            reference = found.value
        made = share_of(frame, part, weight, found, uncertain=uncertain)
        if self.discounts:
            made = discounted(made, label, variance_of(labels), settings.gain_discount)
        return replace(made, reference=reference)

    def certain(self, part: Part, data: Outcome) -> Bools:
        """Return which coded passages (n_p,) are all there are of their post-stratum.

        Nothing of these is left to chance.
        """
        if self.cells is None:
            return np.zeros(len(part.coded), dtype=bool)
        cell, coded, sizes = self._counts(self.cells(data), data.strata, part)
        found: Bools = (coded == sizes)[cell[part.place]]
        return found

    def _counts(self, cells: Ints, strata: int, part: Part) -> tuple[Ints, Ints, Ints]:
        """Return cells of a part's passages (N_p,); coded passages and all of them by cell."""
        cell = cells[part.rows]
        coded = np.bincount(cell[part.place], minlength=strata)
        return cell, coded, np.bincount(cell, minlength=strata)

    def gives_way(self, frame: Population, part: Part) -> bool:
        """Return whether labels only stand in: it has a classifier, which nothing unread judges.

        With no unread passage at all nothing gives way, and estimates are exploratory.
        """
        return self.has_classifier and frame.confirmed and not part.unread

    def estimate(
        self, frame: Population, part: Domain, data: Outcome, settings: Settings
    ) -> Estimate:
        """Return the estimate of a domain from the share of each of its parts."""
        if (empty := unestimable(part, data)) is not None:
            return of_sampled_frame(empty, part)
        gives_way = [self.gives_way(frame, one) for one in part.parts]
        shares = [
            (labels_share if way else self.share)(frame, one, data, settings)
            for one, way in zip(part.parts, gives_way, strict=True)
        ]
        exploratory = self.has_classifier and not frame.confirmed and part.parts
        notes = [EXPLORATORY] if exploratory else []
        notes += dict.fromkeys(one.note for one in shares if one.note)
        if any(gives_way):
            left = sum(len(p.rows) for p, way in zip(part.parts, gives_way, strict=True) if way)
            notes.append(NOT_CONFIRMED if all(gives_way) else PARTLY_CONFIRMED.format(left))
        found = together(frame, part, data, shares, settings, "; ".join(notes))
        return of_sampled_frame(found, part)


def labels_share(frame: Population, part: Part, data: Outcome, settings: Settings) -> Share:
    """Return the weighted mean code of a part's coded passages (Hájek 1971)."""
    label, weight = data.label[part.coded], frame.weight[part.coded]
    found = corrected_mean(np.zeros(len(part.rows)), part.place, label, weight)
    made = share_of(frame, part, weight, found)
    unstratified = made.value * (1 - made.value) * (1 / len(label) - 1 / len(part.rows))
    return discounted(made, label, unstratified, settings.gain_discount)


def few_in_cell(strata: int, minimum: int) -> str:
    """Return the note of an estimate in which a post-stratum has too few coded passages."""
    return (FEW_IN_CELL if strata == 2 else FEW_OF_LEVEL).format(minimum)


def calibrate(cell: Ints, place: Ints, weight: Floats) -> Floats:
    """Return weights (n_d,) scaled so that they add up to the known size of each cell.

    ``cell`` (N_d,) numbers the cells of all passages from 0. In a cell coded whole they are 1.
    Each cell with passages must hold a coded one.
    """
    sizes = np.bincount(cell)
    of_coded = cell[place]
    number = np.bincount(of_coded, minlength=len(sizes))
    scaled = weight * sizes[of_coded] / sums(of_coded, weight, len(sizes))[of_coded]
    return np.where((number == sizes)[of_coded], 1.0, scaled)


def cell_means(cell: Ints, place: Ints, label: Floats, weight: Floats) -> Floats:
    """Return for all passages (N_d,) the weighted mean of ``label`` (n_d,) in their cell."""
    of_coded, number = cell[place], int(cell.max()) + 1
    total = sums(of_coded, weight, number)
    carrying = sums(of_coded, weight * label, number)
    means = np.divide(carrying, total, out=np.zeros(number), where=total > 0)
    fitted: Floats = means[cell]
    return fitted


def of_sampled_frame(found: Estimate, part: Domain) -> Estimate:
    """Return the estimate with a note of how many passages of the domain no draw covers."""
    if not len(part.rows):
        return found
    return replace(found, note=frame_note(len(part.outside), found.note))


def frame_note(outside: int, note: str = "") -> str:
    """Return ``note`` after a word on how many passages, if any, are outside the sampled frame."""
    frame = f"holds for the sampled frame: {outside:,} passages are outside it" if outside else ""
    return "; ".join(filter(None, (frame, note)))
