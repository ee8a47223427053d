"""T10-regression: codes on columns of their sources, by formulas of the configuration.

Three fits side by side, all by the moment equations of :mod:`framing.inference.dsl`:

- *dsl*: pseudo-outcomes of all passages, ĝ cross-fitted by source, splits repeated;
- *labels only*: drawn passages weighted by 1/π (survey-weighted regression);
- *naive*: the classifier's decisions as if they were true.

Read passages where unread draws reach have π = 1: their codes count as they are. ĝ learns from
unread codes alone (:func:`predicted`); where only read draws reach, it does not look at the
classifier, which is better on what its authors read than elsewhere. The case study is left out.

The rows of a fit are coefficients, predicted shares by level of each categorical column (averages
of predictions for all passages of the model, each with that level in place of its own), and
contrasts, which are differences of predicted shares. All speak of texts like these: sources are
random clusters. Intervals are conditional on the mix of covariates that was observed.

What a formula can be asked, and which of it can be known, stands in
:mod:`framing.inference.design_matrix`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from framing.classifier.classifier import fold_of
from framing.common.files import repeated
from framing.common.problems import InputError, Problem, raise_if_any
from framing.inference.contrasts import SMOOTHED, bounded
from framing.inference.design import (
    Bools,
    Floats,
    Ints,
    Population,
    effective_size,
    population,
    sums,
    within_frame,
)
from framing.inference.design_matrix import (
    COEFFICIENT,
    CONTRAST,
    PLACE,
    SHARE,
    TOLERANCE,
    Design,
    Quantity,
    RowSpace,
    covariate_frame,
    did_you_mean,
    listed,
    model_design,
)
from framing.inference.dsl import (
    CR2,
    LINEAR,
    Leverage,
    calibration_features,
    cluster_information,
    cluster_scores,
    covariance,
    cross_fitted,
    degrees_of_freedom,
    leverage,
    mean_function,
    median_error,
    pseudo_outcome,
    solve,
)
from framing.inference.estimators import EXPLORATORY, NOT_CONFIRMED, PARTLY_CONFIRMED
from framing.inference.intervals import (
    Settings,
    critical,
    difference_interval,
    few_positives_variance,
    is_zero,
    share_interval,
    two_sided_p,
)
from framing.inference.outcomes import outcome

DSL, LABELS, NAIVE = "dsl", "labels only", "naive"
FITS = (DSL, LABELS, NAIVE)
T10_COLUMNS = (
    "model", "formula", "family", "code", "estimator", "kind", "term", "estimate", "se", "df",
    "ci_low", "ci_high", "p_value", "passages", "coded", "sources", "status",
)  # fmt: skip

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

_RUNAWAY = 1e-2  # terms that move less than this part of the fastest stay where they are
_NUMBERS = ("estimate", "se", "df", "ci_low", "ci_high", "p_value")


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
    beyond = ~reached[design.drawn]
    for fold in folds:
        own = fold[frame.source[inside]]
        guess = cross_fitted(
            features, design.drawn[judged], label[judged], weight[design.sampled][judged], own,
            penalty,
        )  # fmt: skip
        if not reached.all():
            without = cross_fitted(
                blind, design.drawn[beyond], label[beyond],
                frame.weight[design.sampled][beyond], own, penalty,
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
    beyond = int((design.inside & ~frame.unread_frame).sum())
    if not beyond:
        return ""
    return NOT_CONFIRMED if beyond == inside else PARTLY_CONFIRMED.format(beyond)


# --- the table ------------------------------------------------------------------------------------


def regression_table(
    passages: pd.DataFrame,
    sources: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
) -> pd.DataFrame:
    """Return T10-regression: every configured model for each of its codes, by three estimators.

    ``passages`` is the passage frame, ``sources`` the table of sources, ``scores`` the scores of
    codes and combinations, of sampled sources at least: only passages that some draw could have
    drawn enter. Columns: :data:`T10_COLUMNS`. Intervals and p-values are Student's t
    with the variance ``regression.correction``: CR1 and G − 1 degrees of freedom, G being the
    sources with a coded passage (all sources for the naive fit), or CR2 and Satterthwaite's.
    Raises :class:`InputError` for a design or codes that contradict the frame, and for what is
    wrong with a model; what only the data forbid is a row with a reason.
    """
    passages, (scores,) = within_frame(passages, scores)
    # In one order, so that the order of the given rows cannot show in the last bits.
    passages = passages.sort_values(["source_id", "passage_id"], kind="stable", ignore_index=True)
    frame, rules, settings = (
        population(passages, config["case_study"]), Settings.of(config), config["regression"],
    )  # fmt: skip
    covariates = covariate_frame(passages, sources, config)
    names = passages["source_id"].drop_duplicates().tolist()
    folds = list(splits(names, settings))
    known = [str(code) for code in scores["code"].drop_duplicates()]
    _check_models(settings["models"], known)
    data: dict[str, Codes] = {}
    rows = []
    for model in settings["models"]:
        whole = model_design(covariates, frame, model)
        for code in model["codes"]:
            if code not in data:
                data[code] = _codes(frame, scores[scores["code"] == code], code, rules)
            for name in FITS:
                design, solved = whole, None
                while design.drawn.size:
                    sample, found = fit(name, design, frame, data[code], folds, model, settings)
                    if isinstance(found, Fit):
                        solved = sample, found
                        break
                    design = _without(found, covariates, frame, model, design)
                cells = {
                    "model": model["id"], "formula": model["formula"], "family": model["family"],
                    "code": code, "estimator": name,
                }  # fmt: skip
                coded, taken = _coded_and_taken(frame, design, solved)
                if name == DSL and solved is not None:
                    said = filter(None, (design.note, resting_on(design, frame)))
                    design = replace(design, note="; ".join(said))
                rows += [
                    cells
                    | _row(quantity, design, frame, solved, coded, taken, model, settings, rules)
                    for quantity in design.quantities
                ]
    table = pd.DataFrame(rows, columns=list(T10_COLUMNS))
    return table.assign(**{name: table[name].astype(float).round(12) + 0.0 for name in _NUMBERS})


def _without(
    found: Separation,
    covariates: pd.DataFrame,
    frame: Population,
    model: Mapping[str, Any],
    design: Design,
) -> Design:
    """Return the design without the passages that are separated; the rest can be estimated."""
    narrower = model_design(covariates, frame, model, design.separated | found.passages)
    number = int(found.passages.sum())
    note = f"{number} passages left out, complete separation by {listed(found.terms)}"
    return replace(narrower, note="; ".join(part for part in (design.note, note) if part))


def _check_models(models: Sequence[Mapping[str, Any]], known: Sequence[str]) -> None:
    place = f"{PLACE}, regression.models"
    problems = [
        Problem(place, f"the id {name!r} is used twice", "Rename one of them.")
        for name in repeated(model["id"] for model in models)
    ]
    problems += [
        Problem(f"{place}.{model['id']}.codes", f"unknown code {code!r}", did_you_mean(code, known))
        for model in models
        for code in model["codes"]
        if code not in known
    ]
    raise_if_any(problems)


def _codes(frame: Population, scores: pd.DataFrame, code: str, rules: Settings) -> Codes:
    """Return one code; raise :class:`InputError` as :func:`outcome` does, and on probabilities."""
    data = outcome(frame, scores, code, rules)
    probability = data.probability
    if not ((probability >= 0) & (probability <= 1)).all():
        raise InputError(
            Problem(f"scores of {code!r}", "hold a probability that is not between 0 and 1",
                    "Make build/scores.tsv anew.")
        )  # fmt: skip
    return Codes(data.label, data.decision.astype(float), probability)


def _coded_and_taken(
    frame: Population, design: Design, solved: tuple[Sample, Fit] | None
) -> tuple[Bools, Bools]:
    """Return which passages (N,) are coded, and which are coded or taken by the fit."""
    coded = np.zeros(frame.total, dtype=bool)
    coded[frame.drawn] = True
    taken = coded.copy()
    if solved is not None:
        taken[np.flatnonzero(design.inside)[solved[0].rows]] = True
    return coded, taken


def _row(
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
    ``coded`` and ``taken`` are those of :func:`_coded_and_taken`.
    """
    cells = {"kind": quantity.kind, "term": quantity.term} | dict.fromkeys(_NUMBERS, nan)
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
