"""The estimators there are: one module each, and this list of them.

Tables, planning, robustness and the benchmark of coverage go by this list. A new estimator is a
module that gives an ``ESTIMATOR`` (:mod:`framing.inference.estimator`), and its place here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from framing.common.problems import InputError, Problem, raise_if_any
from framing.inference.corrected import Estimate
from framing.inference.design import Domain, Population
from framing.inference.estimator import Corrected, Estimator
from framing.inference.estimators import (
    counting,
    difference,
    horvitz_thompson,
    labels_only,
    post_stratified,
    untuned,
)
from framing.inference.intervals import Settings
from framing.inference.outcomes import Outcome

EVERY: Mapping[str, Estimator] = {
    module.ESTIMATOR.name: module.ESTIMATOR
    for module in (
        counting, horvitz_thompson, labels_only, post_stratified, untuned, difference,
    )
}  # fmt: skip
"""All estimators by name, from the one that trusts the classifier blindly to the most refined."""

ESTIMATORS = tuple(name for name, one in EVERY.items() if not one.aside)
"""Names of those that tables of shares and contrasts have, and settings may name."""

CORRECTED = tuple(name for name in ESTIMATORS if EVERY[name].corrects)
"""Names of those that rest on codes, and so can be compared by contrasts."""

COUNT, LABELS = counting.ESTIMATOR.name, labels_only.ESTIMATOR.name
POST, DIFFERENCE = post_stratified.ESTIMATOR.name, difference.ESTIMATOR.name


def estimate(
    name: str, frame: Population, part: Domain, data: Outcome, settings: Settings
) -> Estimate:
    """Return the estimate of a domain by the estimator called ``name``."""
    return EVERY[name].estimate(frame, part, data, settings)


def estimator_problems(config: Mapping[str, Any], path: str | Path) -> list[Problem]:
    """Return where a configuration names estimators that there are not, or that stand aside."""
    headline = config["inference"]["headline"]["estimator"]
    return [
        *_unknown("inference.headline.estimator", [headline], path),
        *_unknown("robustness.estimators", config["robustness"]["estimators"], path),
    ]


def _unknown(where: str, names: Iterable[str], path: str | Path) -> list[Problem]:
    known = ", ".join(ESTIMATORS)
    return [
        Problem(path, f"{where}: unknown estimator {name!r}", f"Known: {known}.")
        for name in names
        if name not in ESTIMATORS
    ]


def planned(name: str, where: str = "inference.headline.estimator") -> Corrected:
    """Return the estimator called ``name``, which more codes must make more precise.

    Raises :class:`InputError` for one that rests on no codes, and for one that there is not;
    ``where`` is what named it.
    """
    found = EVERY.get(name)
    if found is not None and not found.corrects:
        raise InputError(
            Problem(where, f"is {name}, which rests on no codes: coding more makes it no better",
                    f"Plan with --estimator {DIFFERENCE}.")
        )  # fmt: skip
    if not isinstance(found, Corrected):
        known = ", ".join(CORRECTED)
        raise InputError(
            Problem(where, f"{name!r} cannot be planned for", f"Plan with --estimator: {known}.")
        )
    return found


def leading(config: Mapping[str, Any], confirmed: bool) -> dict[str, str]:
    """Return the estimator and the target that tables lead with.

    Those of ``inference.headline``; but where no coding is unread (``confirmed`` is false) nothing
    can be corrected by the classifier's errors, and labels only lead.
    """
    led = dict(config["inference"]["headline"])
    where = "inference.headline.estimator"
    raise_if_any(_unknown(where, [led["estimator"]], "config/config.yaml"))
    if not confirmed and EVERY[led["estimator"]].corrects:
        led["estimator"] = LABELS
    return led


def estimator_words() -> dict[str, dict[str, str]]:
    """Return label, brief and description of the estimators tables have, the most refined first."""
    return {
        name: {
            "label": EVERY[name].words.label,
            "brief": EVERY[name].words.brief,
            "description": EVERY[name].words.description,
        }
        for name in reversed(ESTIMATORS)
    }
