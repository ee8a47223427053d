"""Estimators of the share of a domain's passages that carry a code.

A domain consists of what is known and of a rest (:mod:`framing.inference.design`). Codes of known
passages count as they are; the rest is estimated, and both are added up by their sizes::

    θ̂ = 1/N_d Σ_{i known} y_i  +  Σ_p (N_p/N_d) θ̂_p

One formula stands behind all estimates θ̂_p that use codes: predict every passage of the part,
average the predictions, and add the weighted mean error of the predictions on its coded passages
(Cassel, Särndal & Wretman 1976; Angelopoulos et al. 2023)::

    θ̂_p = 1/N_p Σ_{i in U_p} f_i  +  Σ_{i in s_p} w_i (y_i − f_i) / Σ_{i in s_p} w_i

- *labels only*: f = 0. The weighted mean of the codes (Hájek 1971).
- *post-stratified*: f is the weighted mean code among passages with the same decision of the
  classifier, and weights are scaled so that each such cell counts by its known size.
- *difference*: f = λ·(p − p̄), with p the cross-fitted probability, p̄ its mean, and λ tuned on other
  folds (PPI++).
- *classify-and-count* takes the mean decision and corrects nothing.

The divisor Σw estimates N_p and equals it where a part consists of whole strata; with N_p in its
place (``total``) the labels-only estimator is Horvitz and Thompson's (1952).

The errors y − f must be those the classifier makes elsewhere. On passages that the authors of cues
have read they are smaller, whatever cross-fitting does, so only unread passages correct anything:
where a part was reached by read draws alone its share rests on labels only. With no unread
passage at all the corrected estimates are made from read ones all the same, and say that they are
exploratory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from framing.inference.clusters import adjusted_deviations
from framing.inference.corrected import (
    ONE_SOURCE,
    Estimate,
    Share,
    corrected_mean,
    discounted,
    share_of,
    together,
    unestimable,
    variance_of,
)
from framing.inference.design import (
    CORPUS,
    TEXTS,
    Domain,
    Floats,
    Ints,
    Part,
    Population,
    sums,
)
from framing.inference.intervals import Settings
from framing.inference.outcomes import Outcome

COUNT = "classify-and-count"

LABELS = "labels only"

POST = "post-stratified"

DIFFERENCE = "difference"

ESTIMATORS = (COUNT, LABELS, POST, DIFFERENCE)

CORRECTED = (LABELS, POST, DIFFERENCE)
"""Estimators that rest on codes, and so can be compared by contrasts."""

COMPLETE = "complete: every passage coded"

ONLY_CLASSIFIER = "classifier only: no draw covers these passages, so its errors are unknown"

EXPLORATORY = (
    "exploratory: rests on codings that the authors of cues could read; may be off by more than "
    "its interval says"
)

NOT_CONFIRMED = "labels only: no unread draw reaches these passages"

PARTLY_CONFIRMED = "labels only for {:,} of the passages, which no unread draw reaches"


def classify_and_count(
    frame: Population, part: Domain, data: Outcome, settings: Settings
) -> Estimate:
    """Return the share of passages the classifier marks, uncorrected.

    Its standard error is the customary binomial one under ``corpus`` and cluster-robust under
    ``texts``; neither knows of the classifier's errors. Of a domain that no draw covers, all
    passages are counted, and the note says that nothing else is known of them.
    """
    if (empty := unestimable(part, data)) is not None and not len(part.rows) + len(part.outside):
        return empty
    rows, note = (part.rows, "") if len(part.rows) else (part.outside, ONLY_CLASSIFIER)
    source = frame.source[rows]
    decision = data.decision[rows].astype(float)
    share, size = float(decision.mean()), len(decision)
    of_source = sums(source, (decision - share) / size, frame.sources)
    in_source = np.bincount(source, minlength=frame.sources).astype(float)
    sources = int((in_source > 0).sum())
    deviations, free = adjusted_deviations(
        of_source, in_source, in_source, settings.source_correlation
    )
    return Estimate(
        value=share,
        coded=size,
        positives=int(decision.sum()),
        effective=float(size),
        reference=share,
        variance={CORPUS: share * (1 - share) / size, TEXTS: float(np.square(deviations).sum())},
        deviations={TEXTS: deviations},
        df={CORPUS: np.inf, TEXTS: free},
        missing={TEXTS: ONE_SOURCE} if sources < 2 else {},
        note=note,
    )


def labels_share(
    frame: Population, part: Part, data: Outcome, settings: Settings, total: float | None = None
) -> Share:
    """Return the weighted mean code of a part's coded passages (Hájek 1971)."""
    label, weight = data.label[part.coded], frame.weight[part.coded]
    found = corrected_mean(np.zeros(len(part.rows)), part.place, label, weight, total)
    made = share_of(frame, part, weight, found)
    unstratified = made.value * (1 - made.value) * (1 / len(label) - 1 / len(part.rows))
    return discounted(made, label, unstratified, settings.gain_discount)


def post_stratified_share(
    frame: Population, part: Part, data: Outcome, settings: Settings
) -> Share:
    """Return Σ_k (N_pk/N_p)·ȳ_pk over the cells k of the classifier's decision.

    How often the classifier says yes and no is known for all passages; how often it is right when
    it says so comes from the coded ones. Where a cell has passages but fewer than
    ``cell_minimum`` coded ones (and not all of them), the labels-only estimate stands in.
    """
    labels = labels_share(frame, part, data, settings)
    cell = data.decision[part.rows]
    coded = np.bincount(cell[part.place], minlength=2)
    sizes = np.bincount(cell, minlength=2)
    if ((coded < settings.cell_minimum) & (coded < sizes)).any():
        note = (
            f"labels only: fewer than {settings.cell_minimum} coded passages where the classifier "
            "says yes, or no"
        )
        return replace(labels, note=note)
    label = data.label[part.coded]
    calibrated = calibrate(cell, part.place, frame.weight[part.coded])
    found = corrected_mean(
        cell_means(cell, part.place, label, calibrated), part.place, label, calibrated
    )
    certain = (coded == sizes)[cell[part.place]]
    uncertain = np.where(certain, 0.0, found.of_coded)
    made = share_of(frame, part, calibrated, found, uncertain=uncertain)
    return discounted(made, label, variance_of(labels), settings.gain_discount)


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
    """Return for all passages (N_d,) the weighted mean code of their cell."""
    of_coded, number = cell[place], int(cell.max()) + 1
    total = sums(of_coded, weight, number)
    carrying = sums(of_coded, weight * label, number)
    means = np.divide(carrying, total, out=np.zeros(number), where=total > 0)
    fitted: Floats = means[cell]
    return fitted


def difference_share(frame: Population, part: Part, data: Outcome, settings: Settings) -> Share:
    """Return the tuned difference estimate: mean of f plus weighted mean of y − f, f = λ·(p − p̄).

    λ is tuned outside each passage's fold (:func:`fold_slopes`). Where it is 0 everywhere this is
    the labels-only estimate, and the note says so. The value can leave 0–1.
    """
    labels = labels_share(frame, part, data, settings)
    if data.untuned:
        return replace(labels, note=data.untuned)
    label, weight = data.label[part.coded], frame.weight[part.coded]
    found = corrected_mean(data.fitted[part.rows], part.place, label, weight)
    made = share_of(frame, part, weight, found)
    made = discounted(made, label, variance_of(labels), settings.gain_discount)
    return replace(made, reference=labels.value)


_SHARES: Mapping[str, Callable[[Population, Part, Outcome, Settings], Share]] = {
    LABELS: labels_share, POST: post_stratified_share, DIFFERENCE: difference_share,
}  # fmt: skip


def estimate(
    name: str, frame: Population, part: Domain, data: Outcome, settings: Settings
) -> Estimate:
    """Return the estimate of the estimator called ``name`` (one of :data:`ESTIMATORS`).

    What the classifier adds is corrected by unread passages alone (see the head of this module).
    """
    if name == COUNT:
        return of_sampled_frame(classify_and_count(frame, part, data, settings), part)
    return combined(frame, part, data, settings, _SHARES[name], uses_classifier=name != LABELS)


def combined(
    frame: Population,
    part: Domain,
    data: Outcome,
    settings: Settings,
    share: Callable[[Population, Part, Outcome, Settings], Share],
    *,
    uses_classifier: bool,
) -> Estimate:
    """Return a domain's estimate from the ``share`` of each of its parts.

    An estimator that uses the classifier gives way to labels only in a part that unread draws do
    not reach, unless there is no unread passage at all: then it is exploratory.
    """
    if (empty := unestimable(part, data)) is not None:
        return of_sampled_frame(empty, part)
    gives_way = [uses_classifier and frame.confirmed and not one.unread for one in part.parts]
    shares = [
        (labels_share if way else share)(frame, one, data, settings)
        for one, way in zip(part.parts, gives_way, strict=True)
    ]
    notes = [EXPLORATORY] if uses_classifier and not frame.confirmed and part.parts else []
    notes += dict.fromkeys(one.note for one in shares if one.note)
    if any(gives_way):
        beyond = sum(len(one.rows) for one, way in zip(part.parts, gives_way, strict=True) if way)
        notes.append(NOT_CONFIRMED if all(gives_way) else PARTLY_CONFIRMED.format(beyond))
    return of_sampled_frame(together(frame, part, data, shares, settings, "; ".join(notes)), part)


def leading(config: Mapping[str, Any], confirmed: bool) -> dict[str, str]:
    """Return the estimator and the target that tables lead with.

    Those of ``inference.headline``; but where no coding is unread (``confirmed`` is false) nothing
    can be corrected by the classifier's errors, and labels only lead.
    """
    led = dict(config["inference"]["headline"])
    if not confirmed and led["estimator"] != COUNT:
        led["estimator"] = LABELS
    return led


def of_sampled_frame(found: Estimate, part: Domain) -> Estimate:
    """Return the estimate with a note of how many passages of the domain no draw covers."""
    if not len(part.rows):
        return found
    return replace(found, note=frame_note(len(part.outside), found.note))


def frame_note(beyond: int, note: str = "") -> str:
    """Return ``note`` after a word on how many passages, if any, are outside the sampled frame."""
    frame = f"holds for the sampled frame: {beyond:,} passages are outside it" if beyond else ""
    return "; ".join(filter(None, (frame, note)))
