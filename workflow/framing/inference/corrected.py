"""The one formula: what is known, plus an estimate of the rest that unread codings correct.

See :mod:`framing.inference.estimators`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np

from framing.inference.clusters import adjusted_deviations
from framing.inference.design import CORPUS, TARGETS, TEXTS, Domain, Floats, Ints, Part, Population
from framing.inference.intervals import Settings, is_zero
from framing.inference.outcomes import Outcome
from framing.inference.variances import effective_size, stratum_deviations, sums
from framing.sampling.draw import NOT_BY_DESIGN

NO_PASSAGE = "not estimable: no passage"

NO_CODED = "not estimable: no coded passage"

ONE_SOURCE = "not estimable: one source"

ONE_CODED_SOURCE = "not estimable: coded passages of one source only"

TOO_FEW = "no interval: too few coded passages"

LONELY = "no interval: a stratum with one coded passage of several"

NO_CODED_REST = "not estimable: none of {:,} passages that are left was coded"

BOUNDS = "; what is known puts the share between {:.3f} and {:.3f}"


@dataclass(frozen=True)
class Rest:
    """What an estimate leaves to chance under ``corpus``: the share of the passages not known.

    ``size`` is the part of the domain's passages that they are, ``settled`` what the known ones add
    to the domain's share: value = settled + size · (share of the rest). ``coded`` passages of the
    rest, ``positives`` of them carrying the code, are worth ``effective`` equally weighted ones;
    ``reference``: see :func:`framing.inference.intervals.share_interval`.
    """

    size: float
    settled: float
    coded: int
    positives: int
    effective: float
    reference: float

    def of_domain(self, share: float) -> float:
        """Return the domain's share where the rest has ``share``."""
        return self.settled + self.size * share

    def of_rest(self, share: float) -> float:
        """Return the rest's share where the domain has ``share``."""
        return (share - self.settled) / self.size


@dataclass(frozen=True)
class Estimate:
    """A share with what its intervals and contrasts need.

    ``value`` may lie outside 0–1 (difference estimator). ``variance``, ``deviations`` and ``df``
    have the targets as keys; deviations are those of :mod:`framing.inference.variances` (none for
    counting under ``corpus``). ``missing`` says by target why there is no estimate, ``barred`` why
    there is no interval. ``note`` is a remark on the estimate. ``coded`` passages and
    ``positives`` stand behind it, worth ``effective`` equally weighted ones; ``reference``: see
    :func:`framing.inference.intervals.share_interval`. ``rest`` is None where nothing is left to
    chance, and where no passage is known. ``smoothed`` is variance by target that deviations do not
    show, as no code varied (:func:`framing.inference.contrasts.standardised`).
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
    rest: Rest | None = None
    smoothed: Mapping[str, float] = field(default_factory=dict)

    @property
    def chance(self) -> Rest:
        """Return what is left to chance: all of it where no passage is known."""
        if self.rest is not None:
            return self.rest
        return Rest(1.0, 0.0, self.coded, self.positives, self.effective, self.reference)


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


@dataclass(frozen=True)
class Share:
    """The estimated share of a part, (:class:`framing.inference.design.Part`).

    ``of_all`` (N_p,) and ``of_coded`` (n_p,) are its contributions, ``deviations`` those of its
    variance under ``corpus``, over all drawn passages. ``reference`` is the labels-only share
    where an interval is to be taken from it. ``weight`` (n_p,) are the weights of its passages.
    """

    value: float
    of_all: Floats
    of_coded: Floats
    deviations: Floats
    weight: Floats
    reference: float
    note: str = ""


def share_of(
    frame: Population,
    part: Part,
    weight: Floats,
    found: Contributions,
    *,
    uncertain: Floats | None = None,
) -> Share:
    """Return a part's share with its deviations under ``corpus``.

    ``uncertain`` (n_p,) replaces the coded passages' contributions where some of them, being all
    there are of their cell, leave nothing to chance.
    """
    contributions = np.zeros(len(frame.drawn))
    contributions[part.coded] = found.of_coded if uncertain is None else uncertain
    if frame.random_share is not None:
        contributions *= frame.random_share
    deviations = stratum_deviations(contributions, frame.stratum, frame.size, frame.sampled)
    return Share(found.value, found.of_all, found.of_coded, deviations, weight, found.value)


def variance_of(share: Share) -> float:
    """Return the design-based variance of a part's share."""
    return float(np.square(share.deviations).sum())


def discounted(found: Share, label: Floats, without: float, discount: float) -> Share:
    """Return the share with a variance that believes in its gain less.

    ``label`` (n_p,) are the codes of the part's coded passages; ``without`` is the variance there
    would be without what makes the estimate better: of labels only without a classifier, of a
    simple random sample without strata. How much is saved is itself estimated, and with m positives
    (or negatives, if fewer) mostly from those m passages: where by chance none of them is one the
    classifier overlooks, or one from a stratum sampled thinly, the variance comes out far too
    small. So only 1 − discount/m of the saving counts::

        V' = V + (without − V) · min(1, discount/m)

    as in shrinking what a regression explains by its degrees of freedom over the evidence for it
    (van Houwelingen & le Cessie 1990), with ``discount`` 1 for one slope. It vanishes with many
    positives, and never gives more than ``without``. Without it, shares of .02 to .05 had intervals
    that held the truth as rarely as 86 times in 100 (``benchmarks/coverage.py``). Nothing changes
    where no variance was seen, or none is saved. Known passages have no say: nothing of them is
    left to chance.
    """
    variance = variance_of(found)
    positives = int(label.sum())
    fewer = min(positives, len(label) - positives)
    if fewer == 0 or variance >= without or is_zero(sqrt(variance)):
        return found
    more = variance + (without - variance) * min(1.0, discount / fewer)
    return replace(found, deviations=found.deviations * sqrt(more / variance))


def together(
    frame: Population,
    part: Domain,
    data: Outcome,
    shares: Sequence[Share],
    settings: Settings,
    note: str = "",
) -> Estimate:
    """Return the estimate of a domain from its known passages and the shares of its parts.

    Sources are clusters under ``texts``. A known passage contributes (y − θ̂)/N_d to its source's
    total; a passage of a part what it contributes to the part's share, by the part's size, and
    (θ̂_p − θ̂)/N_d for being there. Their variance and its degrees of freedom are corrected for few
    and unequal sources (:mod:`framing.inference.clusters`).
    """
    size = len(part.rows)
    of_known = data.label[part.known]
    value = reference = float(of_known.sum()) / size
    for piece, share in zip(part.parts, shares, strict=True):
        value += len(piece.rows) / size * share.value
        reference += len(piece.rows) / size * share.reference
    known_source = frame.source[frame.drawn[part.known]]
    of_source = sums(known_source, (of_known - value) / size, frame.sources)
    weight = sums(known_source, np.ones(len(part.known)), frame.sources)
    squares = weight.copy()
    deviations = np.zeros(len(frame.drawn))
    for piece, share in zip(part.parts, shares, strict=True):
        scale = len(piece.rows) / size
        of_all = scale * share.of_all + (share.value - value) / size
        of_source += sums(piece.source, of_all, frame.sources)
        coded_source = piece.source[piece.place]
        of_source += sums(coded_source, scale * share.of_coded, frame.sources)
        stands = share.weight * (len(piece.rows) / share.weight.sum())
        weight += sums(coded_source, stands, frame.sources)
        squares += sums(coded_source, stands * stands, frame.sources)
        deviations += scale * share.deviations
    clustered, free = adjusted_deviations(of_source, weight, squares, settings.source_correlation)
    missing = {}
    if part.coded_sources < 2:
        missing[TEXTS] = ONE_SOURCE if part.sources < 2 else ONE_CODED_SOURCE
    every = np.concatenate([np.ones(len(part.known)), *(share.weight for share in shares)])
    label = data.label[part.coded]
    return Estimate(
        value=value,
        coded=len(part.coded),
        positives=int(label.sum()),
        effective=effective_size(every),
        reference=reference,
        variance={
            CORPUS: float(np.square(deviations).sum()), TEXTS: float(np.square(clustered).sum()),
        },
        deviations={CORPUS: deviations, TEXTS: clustered},
        df={CORPUS: float(part.free), TEXTS: free},
        missing=missing,
        barred=_barred(part),
        note=note,
        complete=part.complete,
        rest=_rest(part, data, shares, float(of_known.sum()) / size),
    )  # fmt: skip


def _barred(part: Domain) -> dict[str, str]:
    if part.complete:
        return {}
    if part.lonely:
        return {CORPUS: LONELY}
    return {} if part.free > 0 else {CORPUS: TOO_FEW}


def _rest(part: Domain, data: Outcome, shares: Sequence[Share], settled: float) -> Rest | None:
    """Return what is left to chance; None where all is known, or nothing."""
    if not part.parts or (not len(part.known) and len(part.parts) == 1):
        return None
    sizes = np.array([len(piece.rows) for piece in part.parts], dtype=float)
    label = np.concatenate([data.label[piece.coded] for piece in part.parts])
    # Each part's weights on one scale: the passages that its coded ones stand for.
    weight = np.concatenate(
        [one.weight * n / one.weight.sum() for one, n in zip(shares, sizes, strict=True)]
    )
    reference = float(np.average([one.reference for one in shares], weights=sizes))
    return Rest(
        size=float(sizes.sum()) / len(part.rows),
        settled=settled,
        coded=len(label),
        positives=int(label.sum()),
        effective=effective_size(weight),
        reference=reference,
    )


# --- the estimators -------------------------------------------------------------------------------


def unestimable(part: Domain, data: Outcome) -> Estimate | None:
    """Return the estimate of a domain without passages or without coded ones, else None.

    A part of which none was coded leaves the whole domain without an estimate; known passages then
    bound it.
    """
    left = [len(piece.rows) for piece in part.parts if not len(piece.coded)]
    if len(part.rows) and len(part.coded) and not left:
        return None
    reason = NO_CODED if len(part.rows) else NOT_BY_DESIGN if len(part.outside) else NO_PASSAGE
    if len(part.coded) and left:
        reason = NO_CODED_REST.format(sum(left))
        if len(part.known):
            low = float(data.label[part.known].sum()) / len(part.rows)
            high = low + 1 - len(part.known) / len(part.rows)
            reason += BOUNDS.format(low, high)
    missing = dict.fromkeys(TARGETS, reason)
    return Estimate(np.nan, len(part.coded), 0, 0.0, np.nan, missing=missing)
