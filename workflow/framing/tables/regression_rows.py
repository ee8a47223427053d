"""Rows of T10-regression: coefficients, predicted shares and contrasts by a fit, or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from framing.inference.contrasts import SMOOTHED, bounded
from framing.inference.design import Bools, Floats, Population
from framing.inference.design_matrix import Design
from framing.inference.dsl import CR2, LINEAR, degrees_of_freedom, mean_function, median_error
from framing.inference.intervals import (
    Settings,
    critical,
    difference_interval,
    few_positives_variance,
    is_zero,
    share_interval,
    two_sided_p,
)
from framing.inference.model_formulas import listed
from framing.inference.model_quantities import COEFFICIENT, CONTRAST, SHARE, Quantity
from framing.inference.regression_fits import Fit, Sample
from framing.inference.row_space import TOLERANCE, RowSpace
from framing.inference.variances import effective_size

NO_PASSAGE = "not estimable: no passage"

NO_CODED = "not estimable: no coded passage"

NEVER_TOGETHER = "not estimable: a combination of terms without a coded passage"

ONE_SOURCE = "no interval: rests on passages of one source only"

ALIKE = "no interval: the codes of a level compared do not vary"

NO_SPREAD = "no interval: no variation"

SEPARATED = "not estimable: share of 0 or 1, no finite solution (complete separation)"

TINY = "too small for six decimals: give the column in larger units"

OUTSIDE = "predicted share outside 0 to 1, cut to the limit"

ENDS_OUTSIDE = "an end of the interval beyond -1 or 1, cut to the limit"

NUMBERS = ("estimate", "se", "df", "ci_low", "ci_high", "p_value")


def regression_row(
    quantity: Quantity,
    design: Design,
    frame: Population,
    solved: tuple[Sample, Fit] | None,
    coded: Bools,
    taken: Bools,
    model: Mapping[str, Any],
    settings: Mapping[str, Any],
    rules: Settings,
) -> dict[str, Any]:
    """Return the cells of one row, ``kind`` to ``status``.

    ``solved`` is None where no passage was coded, or where none is left that is not separated;
    ``coded`` (N,) are the coded passages, ``taken`` (N,) those and the ones taken by the fit.
    """
    cells = {"kind": quantity.kind, "term": quantity.term} | dict.fromkeys(NUMBERS, nan)
    cells |= {
        "passages": int(quantity.rests.sum()),
        "coded": int(quantity.rests[frame.drawn].sum()),
        "sources": int(np.count_nonzero(np.bincount(frame.source[quantity.rests & taken]))),
    }
    reason = _not_estimable(quantity, design, coded, model["family"])
    notes = [design.note] if design.note else []
    if design.averaging and quantity.kind != COEFFICIENT:
        notes.append(design.averaging)
    if quantity.note and not reason:
        notes.append(quantity.note)
    if reason or solved is None:
        return cells | {"status": "; ".join([reason, *notes])}
    levels = [_level(mask, design, solved[0]) for mask in quantity.levels]
    found = _measured(quantity, design, solved[1], model["family"], settings["correction"])
    if quantity.kind == SHARE:
        return cells | _share_cells(found, levels[0], rules, notes)
    if quantity.kind == CONTRAST:
        return cells | _contrast_cells(found, levels, rules, notes)
    size = np.abs(design.matrix[design.inside] @ quantity.sides[0].rows[0]).max()
    return cells | _coefficient_cells(found, levels, float(size), rules, notes)


@dataclass(frozen=True)
class Level:
    """Codes of one set of passages: weighted mean, effective number, whether all are alike."""

    number: int
    effective: float
    mean: float
    alike: bool


def _level(mask: Bools, design: Design, sample: Sample) -> Level:
    member = mask[design.inside][sample.rows]
    codes, weight = sample.codes[member], sample.weight[member]
    mean = float((weight * codes).sum() / weight.sum())
    return Level(len(codes), effective_size(weight), mean, bool(codes.min() == codes.max()))


@dataclass(frozen=True)
class Measured:
    """A quantity by the fit: ``sides`` are its averages, ``value`` their difference.

    ``se`` follows the median rule; ``df`` is NaN where ``alone``: one source stands behind it.
    """

    sides: tuple[float, ...]
    value: float
    se: float
    df: float
    alone: bool


def _not_estimable(quantity: Quantity, design: Design, coded: Bools, family: str) -> str:
    """Return why the coded passages cannot tell a quantity, or nothing."""
    if not all(mask.any() for mask in quantity.levels):
        return NO_PASSAGE
    if not all((mask & coded).any() for mask in quantity.levels):
        return NO_CODED
    if quantity.barred:
        return quantity.barred
    rows = _combination(quantity)[None, :]
    if family != LINEAR:
        rows = np.concatenate([side.rows for side in quantity.sides])
    if design.space.contains(rows).all():
        left = all((mask & coded & design.inside).any() for mask in quantity.levels)
        return "" if left else SEPARATED
    if design.whole.contains(rows).all():
        return SEPARATED
    if quantity.kind != COEFFICIENT:
        return NEVER_TOGETHER
    place = int(np.argmax(quantity.sides[0].rows[0]))
    tied = design.space.tied(place)
    tied[place] = False
    return f"not estimable: collinear with {listed(list(np.array(design.terms)[tied]))}"


def _combination(quantity: Quantity) -> Floats:
    """Return c of c'β, the average row of the first side less that of the second."""
    average = [side.share @ side.rows for side in quantity.sides]
    found: Floats = average[0] - average[1] if len(average) > 1 else average[0]
    return found


def _measured(
    quantity: Quantity, design: Design, fit: Fit, family: str, correction: str
) -> Measured:
    """Return a quantity at θ̂ with its standard error by the delta method, for each split."""
    kind = LINEAR if quantity.kind == COEFFICIENT else family
    sides, gradient = _evaluated(quantity, fit.centre, kind, design.space)
    value = sides[0] - sum(sides[1:])
    values, errors = [], []
    for beta, variance in zip(fit.beta, fit.variance, strict=True):
        of_split, slope = _evaluated(quantity, beta, kind, design.space)
        values.append(of_split[0] - sum(of_split[1:]))
        errors.append(np.sqrt(max(float(slope @ variance @ slope), 0.0)))
    se = median_error(np.array(values), np.array(errors), value)
    size = float(np.linalg.norm(gradient)) or 1.0
    alone = bool((np.abs(fit.leverage.alone @ gradient) > TOLERANCE * size).any())
    df = nan if alone else float(len(fit.leverage.share) - 1)
    if correction == CR2 and not alone:
        df = degrees_of_freedom(fit.leverage, gradient)
    return Measured(sides, value, se, df, alone)


def _evaluated(
    quantity: Quantity, beta: Floats, family: str, space: RowSpace
) -> tuple[tuple[float, ...], Floats]:
    """Return the averages of each side at β, and the gradient of their difference by γ."""
    sides, gradient = [], np.zeros(len(beta))
    for sign, side in zip((1, -1), quantity.sides, strict=False):
        share, slope = mean_function(side.rows @ beta, family)
        sides.append(float(side.share @ share))
        gradient += sign * ((side.share * slope) @ side.rows)
    return tuple(sides), space.coordinates(gradient[None, :])[0]


def _share_cells(
    found: Measured, level: Level, rules: Settings, notes: Sequence[str]
) -> dict[str, Any]:
    value = bounded(found.value)
    notes = [*notes] if is_zero(value - found.value) else [OUTSIDE, *notes]
    if found.alone:
        return {"estimate": value, "status": "; ".join([ONE_SOURCE, *notes])}
    ends = share_interval(
        value, found.se, coded=level.number, effective=level.effective, reference=level.mean,
        quantile=critical(rules.confidence, found.df), wilson_below=rules.wilson_below,
    )  # fmt: skip
    notes = [ends.remark, *notes] if ends.remark else notes
    return {
        "estimate": value,
        "se": nan if is_zero(found.se) else found.se,
        "df": found.df,
        "ci_low": ends.low,
        "ci_high": ends.high,
        "status": "; ".join(notes),
    }


def _contrast_cells(
    found: Measured, levels: Sequence[Level], rules: Settings, notes: Sequence[str]
) -> dict[str, Any]:
    """Return a difference of shares; a side whose codes do not vary gets Wilson's variance."""
    sides = [bounded(side) for side in found.sides]
    value = sides[0] - sides[1]
    cut = not all(is_zero(a - b) for a, b in zip(sides, found.sides, strict=True))
    notes = [OUTSIDE, *notes] if cut else [*notes]
    if found.alone:
        return {"estimate": value, "status": "; ".join([ONE_SOURCE, *notes])}
    quantile = critical(rules.confidence, found.df)
    variance = found.se**2
    for side, level in zip(sides, levels, strict=True):
        if level.alike:
            variance += few_positives_variance(side, level.effective, quantile)
    if any(level.alike for level in levels):
        notes = [SMOOTHED, *notes]
    se = float(np.sqrt(variance))
    if is_zero(se):
        return {"estimate": value, "status": "; ".join([NO_SPREAD, *notes])}
    ends = difference_interval(value, se, quantile)
    if not all(is_zero(abs(end - value) - quantile * se) for end in (ends.low, ends.high)):
        notes = [ENDS_OUTSIDE, *notes]
    return _tested(found, se, value, (ends.low, ends.high)) | {"status": "; ".join(notes)}


def _coefficient_cells(
    found: Measured, levels: Sequence[Level], size: float, rules: Settings, notes: Sequence[str]
) -> dict[str, Any]:
    """Return a coefficient, of a term that is at most ``size`` away from zero."""
    value, se = found.value, found.se
    barred = ONE_SOURCE if found.alone else ALIKE if any(level.alike for level in levels) else ""
    if not barred and is_zero(se * max(size, 1.0)):
        barred = NO_SPREAD
    if barred:
        return {"estimate": value, "status": "; ".join([barred, *notes])}
    half = critical(rules.confidence, found.df) * se
    return _tested(found, se, value, (value - half, value + half)) | {
        "status": "; ".join([TINY, *notes] if is_zero(se) else notes)
    }


def _tested(found: Measured, se: float, value: float, ends: tuple[float, float]) -> dict[str, Any]:
    return {
        "estimate": value,
        "se": se,
        "df": found.df,
        "ci_low": ends[0],
        "ci_high": ends[1],
        "p_value": two_sided_p(value, se, found.df),
    }
