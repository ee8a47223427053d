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

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from framing.coding.variables import Variable
from framing.common.files import repeated
from framing.common.problems import InputError, Problem, raise_if_any
from framing.inference.design import Bools, Population, population, within_frame
from framing.inference.design_matrix import Design, model_design
from framing.inference.intervals import (
    Settings,
)
from framing.inference.means import Scale
from framing.inference.model_formulas import PLACE, covariate_frame, did_you_mean, listed
from framing.inference.model_quantities import SHARE
from framing.inference.outcomes import outcome
from framing.inference.regression_fits import (
    DSL,
    LABELS,
    NAIVE,
    Codes,
    Fit,
    Sample,
    Separation,
    fit,
    resting_on,
    splits,
)
from framing.tables.regression_rows import NUMBERS, regression_row

FITS = (DSL, LABELS, NAIVE)

T10_COLUMNS = (
    "model", "formula", "family", "code", "estimator", "kind", "term", "estimate", "se", "df",
    "ci_low", "ci_high", "p_value", "passages", "coded", "sources", "status",
)  # fmt: skip


INTERCEPT = "Intercept"
"""What formulas call the constant term."""


# --- the table ------------------------------------------------------------------------------------


def regression_table(
    passages: pd.DataFrame,
    sources: pd.DataFrame,
    scores: pd.DataFrame,
    config: Mapping[str, Any],
    variables: Sequence[Variable] = (),
) -> pd.DataFrame:
    """Return T10-regression: every configured model for each of its codes, by three estimators.

    ``passages`` is the passage frame, ``sources`` the table of sources, ``scores`` the scores of
    codes and combinations, of sampled sources at least: only passages that some draw could have
    drawn enter. A linear model may name an ordinal code of ``variables``: what it explains then is
    the number of a passage's level. Columns: :data:`T10_COLUMNS`. Intervals and p-values are
    Student's t with the variance ``regression.correction``: CR1 and G − 1 degrees of freedom, G
    being the sources with a coded passage (all sources for the naive fit), or CR2 and
    Satterthwaite's. Raises :class:`InputError` for a design or codes that contradict the frame, and
    for what is wrong with a model; what only the data forbid is a row with a reason.
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
    means = {one.name: one for one in variables if one.kind.ordered}
    known = [str(code) for code in scores["code"].drop_duplicates()]
    _check_models(settings["models"], [*known, *means])
    data: dict[str, Codes] = {}
    rows = []
    for model in settings["models"]:
        whole = model_design(covariates, frame, model)
        for code in model["codes"]:
            if code not in data:
                one = means.get(code)
                data[code] = (
                    _codes(frame, scores[scores["code"] == code], code, rules)
                    if one is None
                    else _numbers(frame, scores, one, rules)
                )
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
                made = [
                    cells
                    | regression_row(
                        quantity, design, frame, solved, coded, taken, model, settings, rules
                    )
                    for quantity in design.quantities
                ]
                rows += made if code not in means else [_scaled(row, means[code]) for row in made]
    table = pd.DataFrame(rows, columns=list(T10_COLUMNS))
    return table.assign(**{name: table[name].astype(float).round(12) + 0.0 for name in NUMBERS})


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


def _numbers(frame: Population, scores: pd.DataFrame, one: Variable, rules: Settings) -> Codes:
    """Return each passage's level as a part of the range, as :func:`_codes` a yes/no code."""
    parts = [_codes(frame, scores[scores["code"] == name], name, rules) for name in one.indicators]
    numbers = Scale.of(one).parts(one)
    label, decision, probability = (
        numbers @ np.stack([getattr(part, name) for part in parts])
        for name in ("label", "decision", "probability")
    )
    return Codes(label, decision, probability)


def _scaled(row: dict[str, Any], one: Variable) -> dict[str, Any]:
    """Return a row on parts of a code's range as one on the numbers of its levels."""
    scale = Scale.of(one)
    low = scale.low if row["kind"] == SHARE or row["term"] == INTERCEPT else 0.0
    moved = {name: low + scale.span * row[name] for name in ("estimate", "ci_low", "ci_high")}
    return {**row, **moved, "se": scale.span * row["se"]}


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
