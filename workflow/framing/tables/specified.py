"""A contrast under one specification, from sums.

See :mod:`framing.tables.robustness`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import numpy as np

from framing.common.config import ALL
from framing.inference.clusters import adjusted_deviations, joint_degrees_of_freedom
from framing.inference.contrasts import (
    SMOOTHED,
    SMOOTHED_CELL,
    Contrast,
    bounded,
)
from framing.inference.design import Bools
from framing.inference.estimator import (
    EXPLORATORY,
    NOT_CONFIRMED,
    PARTLY_CONFIRMED,
)
from framing.inference.intervals import (
    DECIMALS,
    Settings,
    critical,
    difference_interval,
    few_positives_variance,
    is_zero,
    two_sided_p,
)
from framing.inference.variances import sums
from framing.tables.contrasts import HELD, NO_COMMON_PERIOD, RAW, period_weights
from framing.tables.specifications import LARGEST, Material, Specification
from framing.tables.tallies import (
    CARRIED,
    CODED,
    ERROR,
    FITTED,
    LEFT,
    MASS,
    OWN,
    SETTLED,
    SQUARES,
    SUMS,
    Selection,
    Side,
    Tally,
    selection,
    tally,
)

NOT_ESTIMABLE = (
    "not estimable: coded passages of fewer than two sources on a side, or of none in a part of it"
)

NO_SPREAD = "no interval: the two sides do not vary apart"

THIN = "labels only: too few coded passages where the classifier says yes, or no"


def side_of(given: Material, found: Tally, chosen: Selection, settings: Settings) -> Side | None:
    """Return the estimate for the bins ``chosen``, None where there is none.

    As :func:`framing.inference.corrected.together`; see the head of this module.
    """
    pieces = found.sums[:, :, chosen.places]
    coded = chosen.of_source[pieces[:, CODED].any(axis=0)]
    if (len(coded) if chosen.single else len(np.unique(coded))) < 2:
        return None
    of_piece = [dict(enumerate(row)) for row in pieces.sum(axis=2).tolist()]
    total = sum(sum_of[MASS] for sum_of in of_piece)
    # What each of the sums adds to contributions, to what coded passages stand for, to its squares.
    add = [[0.0] * (SUMS * len(of_piece)) for _ in range(3)]
    value = weight = squares = 0.0
    uncoded = sum(sum_of[LEFT] for sum_of in of_piece)
    notes = [EXPLORATORY] if found.exploratory and uncoded else []
    rest = []
    for part in found.parts:
        before = value, weight, squares
        left, alike = sum(of_piece[place][LEFT] for place in part), True
        cells: list[tuple[int, ...]] = [(place,) for place in part]
        if len(part) > 1 and _thin([of_piece[place] for place in part], settings.cell_minimum):
            cells = [part]
            notes.append(THIN)
        for cell in cells:
            sum_of = {
                name: sum(of_piece[place][name] for place in cell) for name in range(SUMS)
            } if len(cell) > 1 else of_piece[cell[0]]  # fmt: skip
            if not sum_of[LEFT]:  # all of it is coded, or there is none
                value += sum_of[SETTLED]
                weight, squares = weight + sum_of[MASS], squares + sum_of[OWN]
                factors: tuple[tuple[int, int, float], ...] = (
                    (0, SETTLED, 1.0), (1, MASS, 1.0), (2, OWN, 1.0),
                )  # fmt: skip
            elif not sum_of[CODED]:
                return None
            else:
                correction = sum_of[ERROR] / sum_of[CARRIED]
                scale = sum_of[MASS] / sum_of[CARRIED]
                alike &= is_zero(sum_of[FITTED]) and is_zero(correction * (1 - correction))
                value += sum_of[FITTED] + correction * sum_of[MASS]
                factors = (
                    (0, FITTED, 1.0), (0, MASS, correction), (0, ERROR, scale),
                    (0, CARRIED, -scale * correction),
                    (1, CARRIED, scale), (2, SQUARES, scale * scale),
                )  # fmt: skip
                # In the effective number cells of post-strata count by their known size.
                scale = scale if len(cells) > 1 else 1.0
                weight += scale * sum_of[CARRIED]
                squares += scale * scale * sum_of[SQUARES]
            for place in cell:
                for row, name, factor in factors:
                    add[row][SUMS * place + name] = factor
        if left:
            mass = sum(of_piece[place][MASS] for place in part)
            found_here = (value - before[0], weight - before[1], squares - before[2])
            rest.append((mass, *found_here, alike))
    value /= total
    notes += [found.untuned] if found.untuned else []
    outside = int(found.unconfirmed[chosen.places].sum()) if found.unconfirmed.size else 0
    if outside:
        every = outside == uncoded + sum(sum_of[CODED] for sum_of in of_piece[1:])
        notes.append(NOT_CONFIRMED if every else PARTLY_CONFIRMED.format(outside))
    for place in range(len(of_piece)):
        add[0][SUMS * place + MASS] -= value
    made = np.array(add) @ pieces.reshape(-1, len(chosen.places))
    made[0] /= total
    totals, stands, stands_squared = chosen.by_source(made)
    own, df = adjusted_deviations(totals, stands, stands_squared, settings.source_correlation)
    deviations = np.zeros(given.frame.sources)
    deviations[chosen.sources] = own
    return Side(
        value=value,
        deviations=deviations,
        df=df,
        effective=weight**2 / squares,
        note="; ".join(dict.fromkeys(notes)),
        blank=_blank(rest, total),
    )


def _blank(
    rest: Sequence[tuple[float, float, float, float, bool]], total: float
) -> tuple[float, float, float] | None:
    """Return ``Side.blank``; None where codes vary, or where no passage is known.

    ``rest`` has an entry for each part that is not known: its mass, estimated total, Σw and Σw² of
    its coded passages, and whether no code of these varies. ``total`` is the mass of the side.
    """
    mass = sum(part[0] for part in rest)
    apart = len(rest) > 1 or round(total - mass, DECIMALS) > 0
    if not rest or not apart or not all(part[-1] for part in rest):
        return None
    # Weights on one scale: the passages that each coded one stands for.
    squares = sum(part[3] * (part[0] / part[2]) ** 2 for part in rest)
    return mass / total, bounded(sum(part[1] for part in rest) / mass), mass**2 / squares


def _thin(of_cell: Sequence[Mapping[int, float]], minimum: int) -> bool:
    """Return whether a cell of post-strata, with its sums, has too few coded passages."""
    return any(sum_of[CODED] < minimum and sum_of[LEFT] > 0 for sum_of in of_cell)


def held(sides: Sequence[Side], weights: Sequence[float], free: float, settings: Settings) -> Side:
    """Return Σ_k W_k θ̂_k of estimates by period: direct standardisation.

    ``free`` are the degrees of freedom of all periods together, NaN where unknown. As
    :func:`framing.inference.contrasts.standardised`.
    """
    quantile = critical(settings.confidence)
    variances, unseen = [], 0.0
    for side, weight in zip(sides, weights, strict=True):
        variance = float(np.square(side.deviations).sum())
        if is_zero(sqrt(variance)):
            variance = few_positives_variance(bounded(side.value), side.effective, quantile)
            unseen += weight**2 * variance
        variances.append(weight**2 * variance)
    if free != free:
        free = joint_degrees_of_freedom(np.array(variances), np.array([one.df for one in sides]))
    notes = [side.note for side in sides if side.note]
    return Side(
        value=sum(w * bounded(side.value) for w, side in zip(weights, sides, strict=True)),
        deviations=np.sum([w * s.deviations for w, s in zip(weights, sides, strict=True)], axis=0),
        df=free,
        effective=sum(side.effective for side in sides),
        unseen=unseen,
        note="; ".join(dict.fromkeys([*notes, *([SMOOTHED_CELL] if unseen else [])])),
    )


def contrast_of(a: Side | None, b: Side | None, settings: Settings) -> Contrast:
    """Return the difference of two sides with its interval, or why there is none.

    As :func:`framing.inference.contrasts.contrast` for texts like these.
    """
    if a is None or b is None:
        return Contrast(nan, nan, nan, nan, nan, nan, nan, NOT_ESTIMABLE)
    notes = [f"side {n}: {side.note}" for n, side in (("A", a), ("B", b)) if side.note]
    of_a, of_b = bounded(a.value), bounded(b.value)
    gap, df = of_a - of_b, _degrees_of_freedom(a, b)
    quantile = critical(settings.confidence, df)
    variance = float(np.square(a.deviations - b.deviations).sum()) + a.unseen + b.unseen
    for side, value in ((a, of_a), (b, of_b)):
        size, share, effective = side.blank or (1.0, value, side.effective)
        if side.blank or is_zero(sqrt(_variance(side))):
            variance += size**2 * few_positives_variance(share, effective, quantile)
            notes = [*notes, SMOOTHED] if SMOOTHED not in notes else notes
    se = sqrt(variance)
    if is_zero(se):
        return Contrast(of_a, of_b, gap, nan, nan, nan, nan, "; ".join([*notes, NO_SPREAD]))
    ends = difference_interval(gap, se, quantile)
    p_value = two_sided_p(gap, se, df)
    return Contrast(of_a, of_b, gap, se, ends.low, ends.high, p_value, "; ".join(notes))


def _variance(side: Side) -> float:
    return float(np.square(side.deviations).sum()) + side.unseen


def _degrees_of_freedom(a: Side, b: Side) -> float:
    """As :func:`framing.inference.contrasts.degrees_of_freedom`."""
    variances = [_variance(one) for one in (a, b)]
    unseen = any(is_zero(sqrt(variance)) for variance in variances)
    if unseen or (a.deviations * b.deviations).any():
        return min(a.df, b.df)
    return joint_degrees_of_freedom(np.array(variances), np.array([a.df, b.df]))


@dataclass(frozen=True)
class Comparison:
    """The bins of both sides of a contrast, in all and by period.

    ``left_out`` is the id of the source that is left out, empty for none. ``periods`` are those
    that both sides have, empty where there is no period to hold.
    """

    entry: Mapping[str, Any]
    left_out: str
    whole: tuple[Selection, Selection]
    periods: tuple[tuple[Selection, Selection], ...]


def comparison(
    given: Material,
    entry: Mapping[str, Any],
    config: Mapping[str, Any],
    left_out: int | None,
    bases: Sequence[str] = (RAW, HELD),
) -> Comparison:
    """Return the bins of both sides of a contrast, without the source numbered ``left_out``.

    Periods must have as many drawn passages as T6 asks for, whatever a specification makes of
    them, so that specifications hold the same periods wherever they can.
    """
    bins = given.bins
    chosen = _chosen(given, entry)
    if left_out is not None:
        chosen = [member & (bins.source != left_out) for member in chosen]
    periods = []
    wanted = HELD in bases and can_hold_period(entry)
    for period in (one["id"] for one in config["periods"]) if wanted else ():
        a, b = (selection(bins, member & (bins.period == period)) for member in chosen)
        if min(a.drawn, b.drawn) >= config["standardisation"]["minimum"]:
            periods.append((a, b))
    a, b = (selection(bins, member) for member in chosen)
    name = "" if left_out is None else given.sources[left_out]
    return Comparison(entry, name, (a, b), tuple(periods))


def can_hold_period(entry: Mapping[str, Any]) -> bool:
    """Return whether a contrast has a period to hold: two groups' texts of any period."""
    a, b = entry["a"], entry["b"]
    free = all(side.get("period", ALL) == ALL for side in (a, b))
    return free and a.get("group", ALL) != b.get("group", ALL)


def _chosen(given: Material, entry: Mapping[str, Any]) -> list[Bools]:
    """Return the bins (Q,) of both sides of a contrast."""
    return [
        given.bins.chosen(side.get("group", ALL), side.get("period", ALL))
        for side in (entry["a"], entry["b"])
    ]


def largest_source(given: Material, entry: Mapping[str, Any]) -> int:
    """Return the number of the source with most passages on either side of a contrast."""
    a, b = _chosen(given, entry)
    either = np.flatnonzero(a | b)
    size = sums(
        given.bins.source[either], given.bins.passages[either].astype(float), given.frame.sources
    )
    return int(np.argmax(size))


def contrasts_by(
    given: Material,
    tallies: Sequence[Tally],
    compared: Comparison,
    bases: Sequence[str],
    config: Mapping[str, Any],
    settings: Settings,
) -> dict[str, Contrast]:
    """Return a contrast by each of the ``bases`` (raw, period held); ``tallies`` are the sides'."""
    raw = _sides(given, tallies, compared.whole, settings)
    found = {RAW: contrast_of(*raw, settings)}
    if HELD in bases:
        cells, sizes = [], []
        for pair in compared.periods:
            a, b = _sides(given, tallies, pair, settings)
            if a is not None and b is not None:
                cells.append((a, b))
                sizes.append([float(one.passages) for one in pair])
        found[HELD] = Contrast(nan, nan, nan, nan, nan, nan, nan, NO_COMMON_PERIOD)
        if cells:
            weights = period_weights(np.array(sizes), config["standardisation"]["weights"])
            # Sources of a group are the same in all its periods: so are its degrees of freedom.
            free = [nan if one is None else one.df for one in raw]
            a, b = (
                held([cell[place] for cell in cells], weights, free[place], settings)
                for place in (0, 1)
            )
            found[HELD] = contrast_of(a, b, settings)
    return {basis: found[basis] for basis in bases}


def _sides(
    given: Material, tallies: Sequence[Tally], pair: tuple[Selection, Selection], settings: Settings
) -> tuple[Side | None, Side | None]:
    return tuple(  # type: ignore[return-value]
        side_of(given, found, chosen, settings) for found, chosen in zip(tallies, pair, strict=True)
    )


def contrast_under(
    given: Material,
    one: Specification,
    entry: Mapping[str, Any],
    config: Mapping[str, Any],
    left_out: int | None = None,
) -> tuple[Contrast, str]:
    """Return a contrast under a specification, and the source left out.

    ``left_out`` numbers a source to leave out; otherwise the specification says: none, or the
    largest among those of either side.
    """
    settings = Settings.of(config)
    if one.left_out == LARGEST:
        left_out = largest_source(given, entry)
    compared = comparison(given, entry, config, left_out)
    tallies = [tally(given, one, entry[side]["code"], settings) for side in ("a", "b")]
    found = contrasts_by(given, tallies, compared, [one.basis], config, settings)
    return found[one.basis], compared.left_out


def left_out_in_turn(
    given: Material, one: Specification, entry: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[tuple[Contrast, str]]:
    """Yield a contrast under a specification without each source of either side in turn.

    To leave out a source that neither side has is no specification of its own.
    """
    settings = Settings.of(config)
    tallies = [tally(given, one, entry[side]["code"], settings) for side in ("a", "b")]
    a, b = _chosen(given, entry)
    for number in np.unique(given.bins.source[a | b]):
        compared = comparison(given, entry, config, int(number), [one.basis])
        found = contrasts_by(given, tallies, compared, [one.basis], config, settings)
        yield found[one.basis], compared.left_out
