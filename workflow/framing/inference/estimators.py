"""Estimators of the share of a domain's passages that carry a code.

One formula stands behind all that use codes: predict every passage, average the predictions over
the domain, and add the weighted mean error of the predictions on the coded passages (Cassel,
Särndal & Wretman 1976; Angelopoulos et al. 2023)::

    θ̂ = 1/N_d Σ_{i in U_d} f_i  +  Σ_{i in s_d} w_i (y_i − f_i) / Σ_{i in s_d} w_i

- *labels only*: f = 0. The weighted mean of the codes (Hájek 1971).
- *post-stratified*: f is the weighted mean code among passages with the same decision of the
  classifier, and weights are scaled so that each such cell counts by its known size.
- *difference*: f = λ·(p − p̄), with p the cross-fitted probability, p̄ its mean, and λ tuned on other
  folds (PPI++).
- *classify-and-count* takes the mean decision and corrects nothing.

The divisor Σw estimates N_d and equals it where a domain consists of whole strata; with N_d in its
place (``total``) the labels-only estimator is Horvitz and Thompson's (1952).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np

from framing.corpus.draws import NOT_BY_DESIGN
from framing.inference.design import (
    CORPUS,
    TARGETS,
    TEXTS,
    Domain,
    Floats,
    Ints,
    Population,
    cluster_deviations,
    effective_size,
    stratum_deviations,
    sums,
)
from framing.inference.intervals import Settings, is_zero
from framing.inference.outcomes import Outcome

COUNT = "classify-and-count"
LABELS = "labels only"
POST = "post-stratified"
DIFFERENCE = "difference"
ESTIMATORS = (COUNT, LABELS, POST, DIFFERENCE)
CORRECTED = (LABELS, POST, DIFFERENCE)
"""Estimators that rest on codes, and so can be compared by contrasts."""

NO_PASSAGE = "not estimable: no passage"
NO_CODED = "not estimable: no coded passage"
ONE_SOURCE = "not estimable: one source"
ONE_CODED_SOURCE = "not estimable: coded passages of one source only"
COMPLETE = "complete: every passage coded"
TOO_FEW = "no interval: too few coded passages"
LONELY = "no interval: a stratum with one coded passage of several"
ONLY_CLASSIFIER = "classifier only: no draw covers these passages, so its errors are unknown"


@dataclass(frozen=True)
class Estimate:
    """A share with what its intervals and contrasts need.

    ``value`` may lie outside 0–1 (difference estimator). ``variance``, ``deviations`` and ``df``
    have the targets as keys; deviations are those of :mod:`framing.inference.design` (none for
    counting under ``corpus``). ``missing`` says by target why there is no estimate, ``barred`` why
    there is no interval. ``note`` is a remark on the estimate. ``coded`` passages and
    ``positives`` stand behind it, worth ``effective`` equally weighted ones; ``reference``: see
    :func:`framing.inference.intervals.share_interval`.
    """

    value: float
    coded: int
    positives: int
    effective: float
    reference: float
    variance: Mapping[str, float] = field(default_factory=dict)
    deviations: Mapping[str, Floats] = field(default_factory=dict)
    df: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    barred: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    complete: bool = False


# --- the one formula ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contributions:
    """An estimate and what each passage contributes to its error.

    ``of_all`` (N_d,) and ``of_coded`` (n_d,) add up to zero; the first comes from which sources
    there are, the second from which passages were drawn.
    """

    value: float
    of_all: Floats
    of_coded: Floats


def corrected_mean(
    fitted: Floats, place: Ints, label: Floats, weight: Floats, total: float | None = None
) -> Contributions:
    """Return the mean prediction plus the weighted mean error on coded passages.

    ``fitted`` (N_d,) are predictions for all passages of the domain; ``place`` (n_d,) says which of
    them are coded, ``label`` and ``weight`` (n_d,) their codes and weights. With ``total`` the
    weighted errors are divided by it instead of by the sum of weights (Horvitz–Thompson). The
    contributions are the linearised ones: w_i (e_i − ē)/Σw of the coded passages (Hájek) or
    w_i e_i/total, and (f_i − f̄)/N_d of all.
    """
    error = label - fitted[place]
    divisor = float(weight.sum()) if total is None else total
    correction = float((weight * error).sum()) / divisor
    mean = float(fitted.mean())
    size = len(fitted)
    if total is None:
        return Contributions(
            mean + correction, (fitted - mean) / size, weight * (error - correction) / divisor
        )
    return Contributions(
        mean + correction, (fitted - mean - correction) / size, weight * error / divisor
    )


def finished(
    frame: Population,
    part: Domain,
    label: Floats,
    weight: Floats,
    found: Contributions,
    *,
    uncertain: Floats | None = None,
    note: str = "",
) -> Estimate:
    """Return the estimate with variances for both targets.

    ``uncertain`` (n_d,) replaces the coded passages' contributions under ``corpus`` where some of
    them, being all there are of their cell, leave nothing to chance.
    """
    contributions = np.zeros(len(frame.drawn))
    contributions[part.coded] = found.of_coded if uncertain is None else uncertain
    complete = part.complete
    if complete:
        contributions[:] = 0
    if frame.random_share is not None:
        contributions *= frame.random_share
    coded_source = part.source[part.place]
    of_source = sums(part.source, found.of_all, frame.sources)
    of_source += sums(coded_source, found.of_coded, frame.sources)
    taking_part = np.bincount(coded_source, minlength=frame.sources) > 0
    deviations = {
        CORPUS: stratum_deviations(contributions, frame.stratum, frame.size, frame.sampled),
        TEXTS: cluster_deviations(of_source, taking_part),
    }
    barred = {} if complete or part.free > 0 else {CORPUS: TOO_FEW}
    if part.lonely and not complete:
        barred = {CORPUS: LONELY}
    missing = {}
    if part.coded_sources < 2:
        missing[TEXTS] = ONE_SOURCE if part.sources < 2 else ONE_CODED_SOURCE
    return Estimate(
        value=found.value,
        coded=len(label),
        positives=int(label.sum()),
        effective=effective_size(weight),
        reference=found.value,
        variance={name: float(np.square(values).sum()) for name, values in deviations.items()},
        deviations=deviations,
        df={CORPUS: float(part.free), TEXTS: float(part.coded_sources - 1)},
        missing=missing,
        barred=barred,
        note=note,
        complete=complete,
    )


def discounted(found: Estimate, without: float, discount: float) -> Estimate:
    """Return the estimate with a variance under ``corpus`` that believes in its gain less.

    ``without`` is the variance there would be without what makes the estimate better: of labels
    only without a classifier, of a simple random sample without strata. How much is saved is itself
    estimated, and with m positives (or negatives, if fewer) mostly from those m passages: where by
    chance none of them is one the classifier overlooks, or one from a stratum sampled thinly, the
    variance comes out far too small. So only 1 − discount/m of the saving counts::

        V' = V + (without − V) · min(1, discount/m)

    as in shrinking what a regression explains by its degrees of freedom over the evidence for it
    (van Houwelingen & le Cessie 1990), with ``discount`` 1 for one slope. It vanishes with many
    positives, and never gives more than ``without``. Without it, shares of .02 to .05 had intervals
    that held the truth as rarely as 86 times in 100 (``benchmarks/coverage.py``). Nothing changes
    where no variance was seen, or none is saved; nor under ``texts``, where variation between
    sources outweighs the saving.
    """
    variance = found.variance[CORPUS]
    fewer = min(found.positives, found.coded - found.positives)
    if found.complete or fewer == 0 or variance >= without or is_zero(sqrt(variance)):
        return found
    more = variance + (without - variance) * min(1.0, discount / fewer)
    grown = found.deviations[CORPUS] * sqrt(more / variance)
    return replace(
        found,
        variance={**found.variance, CORPUS: more},
        deviations={**found.deviations, CORPUS: grown},
    )


# --- the estimators -------------------------------------------------------------------------------


def unestimable(part: Domain) -> Estimate | None:
    """Return the estimate of a domain without passages or without coded ones, else None."""
    if len(part.rows) and len(part.coded):
        return None
    reason = NO_CODED if len(part.rows) else NOT_BY_DESIGN if len(part.outside) else NO_PASSAGE
    missing = dict.fromkeys(TARGETS, reason)
    return Estimate(np.nan, len(part.coded), 0, 0.0, np.nan, missing=missing)


def _coded(frame: Population, part: Domain, data: Outcome) -> tuple[Floats, Floats]:
    """Return codes and weights of a domain's coded passages; weights are 1 where all are coded."""
    weight = np.ones(len(part.coded)) if part.complete else frame.weight[part.coded]
    return data.label[part.coded], weight


def classify_and_count(
    frame: Population, part: Domain, data: Outcome, settings: Settings
) -> Estimate:
    """Return the share of passages the classifier marks, uncorrected.

    Its standard error is the customary binomial one under ``corpus`` and cluster-robust under
    ``texts``; neither knows of the classifier's errors. Of a domain that no draw covers, all
    passages are counted, and the note says that nothing else is known of them.
    """
    if (empty := unestimable(part)) is not None and not len(part.rows) + len(part.outside):
        return empty
    rows, note = (part.rows, "") if len(part.rows) else (part.outside, ONLY_CLASSIFIER)
    source = frame.source[rows]
    decision = data.decision[rows].astype(float)
    share, size = float(decision.mean()), len(decision)
    of_source = sums(source, (decision - share) / size, frame.sources)
    taking_part = np.bincount(source, minlength=frame.sources) > 0
    sources = int(taking_part.sum())
    deviations = cluster_deviations(of_source, taking_part)
    return Estimate(
        value=share,
        coded=size,
        positives=int(decision.sum()),
        effective=float(size),
        reference=share,
        variance={CORPUS: share * (1 - share) / size, TEXTS: float(np.square(deviations).sum())},
        deviations={TEXTS: deviations},
        df={CORPUS: np.inf, TEXTS: float(sources - 1)},
        missing={TEXTS: ONE_SOURCE} if sources < 2 else {},
        note=note,
    )


def labels_only(frame: Population, part: Domain, data: Outcome, settings: Settings) -> Estimate:
    """Return the weighted mean code of the coded passages (Hájek 1971)."""
    if (empty := unestimable(part)) is not None:
        return empty
    label, weight = _coded(frame, part, data)
    found = corrected_mean(np.zeros(len(part.rows)), part.place, label, weight)
    made = finished(frame, part, label, weight, found)
    unstratified = made.value * (1 - made.value) * (1 / len(label) - 1 / len(part.rows))
    return discounted(made, unstratified, settings.gain_discount)


def post_stratified(frame: Population, part: Domain, data: Outcome, settings: Settings) -> Estimate:
    """Return Σ_k (N_dk/N_d)·ȳ_dk over the cells k of the classifier's decision.

    How often the classifier says yes and no is known for all passages; how often it is right when
    it says so comes from the coded ones. Where a cell has passages but fewer than
    ``cell_minimum`` coded ones (and not all of them), the labels-only estimate stands in.
    """
    if (empty := unestimable(part)) is not None:
        return empty
    cell = data.decision[part.rows]
    coded = np.bincount(cell[part.place], minlength=2)
    sizes = np.bincount(cell, minlength=2)
    if ((coded < settings.cell_minimum) & (coded < sizes)).any():
        note = (
            f"labels only: fewer than {settings.cell_minimum} coded passages where the classifier "
            "says yes, or no"
        )
        return replace(labels_only(frame, part, data, settings), note=note)
    label, weight = _coded(frame, part, data)
    calibrated = calibrate(cell, part.place, weight)
    found = corrected_mean(
        cell_means(cell, part.place, label, calibrated), part.place, label, calibrated
    )
    certain = (coded == sizes)[cell[part.place]]
    uncertain = np.where(certain, 0.0, found.of_coded)
    made = finished(frame, part, label, weight, found, uncertain=uncertain)
    labels = labels_only(frame, part, data, settings)
    return discounted(made, labels.variance[CORPUS], settings.gain_discount)


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


def difference(frame: Population, part: Domain, data: Outcome, settings: Settings) -> Estimate:
    """Return the tuned difference estimate: mean of f plus weighted mean of y − f, f = λ·(p − p̄).

    λ is tuned outside each passage's fold (:func:`fold_slopes`). Where it is 0 everywhere this is
    the labels-only estimate, and the note says so. The value can leave 0–1.
    """
    if (empty := unestimable(part)) is not None:
        return empty
    labels = labels_only(frame, part, data, settings)
    if data.untuned:
        return replace(labels, note=data.untuned)
    label, weight = _coded(frame, part, data)
    found = corrected_mean(data.fitted[part.rows], part.place, label, weight)
    made = finished(frame, part, label, weight, found)
    made = discounted(made, labels.variance[CORPUS], settings.gain_discount)
    return replace(made, reference=labels.value)


_FORMULAS = {COUNT: classify_and_count, LABELS: labels_only, POST: post_stratified,
             DIFFERENCE: difference}  # fmt: skip


def estimate(
    name: str, frame: Population, part: Domain, data: Outcome, settings: Settings
) -> Estimate:
    """Return the estimate of the estimator called ``name`` (one of :data:`ESTIMATORS`)."""
    return of_sampled_frame(_FORMULAS[name](frame, part, data, settings), part)


def of_sampled_frame(found: Estimate, part: Domain) -> Estimate:
    """Return the estimate with a note of how many passages of the domain no draw covers."""
    if not len(part.rows):
        return found
    return replace(found, note=frame_note(len(part.outside), found.note))


def frame_note(beyond: int, note: str = "") -> str:
    """Return ``note`` after a word on how many passages, if any, are outside the sampled frame."""
    frame = f"holds for the sampled frame: {beyond:,} passages are outside it" if beyond else ""
    return "; ".join(filter(None, (frame, note)))
