"""What a new confirmation draw would cost in place of one that is spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf, nan
from typing import Any

import numpy as np
import pandas as pd

from framing.common.config import ALL
from framing.inference.allocation import Strata, survey
from framing.inference.classifier_strata import CONFIDENCE, DECISION
from framing.inference.design import CORPUS
from framing.inference.estimators import leading, planned
from framing.inference.goals import HalfWidth
from framing.inference.intervals import Settings
from framing.inference.outcomes import Outcome, outcome
from framing.inference.planning import PlanSettings, Request, evidence, plan_share, present_share
from framing.sampling.strata import strata_of


def replacement_size(request: Request, data: Outcome, half_width: float) -> int | None:
    """Return how many passages a new confirmation draw needs for the whole corpus' share.

    ``request`` is that of the project as it stands, with the draw spent; ``half_width`` is what its
    interval for this corpus was before. None where no number of passages reaches that.
    """
    plan = plan_share(replace(request, target=CORPUS), data, ALL, ALL, half_width, "")
    return next(
        one.more for one in plan.answers
        if one.target == CORPUS and one.estimator == request.effective
    )  # fmt: skip


def replacement_sentence(
    before: pd.DataFrame, after: pd.DataFrame, scores: pd.DataFrame, config: Mapping[str, Any]
) -> str:
    """Return in a sentence what a new confirmation draw would cost after one is spent.

    ``before`` and ``after`` are the passage frame with the combined design
    (:func:`framing.sampling.combine.combined_design`) as the draws would count were none spent, and
    as they do; ``scores`` are those of the codes, with labels. Of all codes the one that needs most
    is told: half-widths of the headline estimator for this corpus, all texts, shall be again what
    they were. Empty where the frame has no unread coding even before, or nothing can be said.
    """
    settings, planning = Settings.of(config), PlanSettings.of(config)
    case = config["case_study"]
    was, now = survey(before, case), survey(after, case)
    if not was.frame.confirmed:
        return ""
    most: tuple[int, str, float] | None = None
    for code in dict.fromkeys(scores["code"]):
        own = scores[scores["code"] == code]
        name = leading(config, confirmed=True)["estimator"]
        planned(name)
        found = evidence(name, was, ALL, ALL, outcome(was.frame, own, code, settings), settings)
        present = present_share(found)
        goal = HalfWidth(nan, found[CORPUS].estimate, settings)
        width = round(goal.measure(present.variance.get(CORPUS, inf), present.df[CORPUS], 0), 4)
        if not 0 < width < 0.5:
            continue
        plain = [column for column in planning.strata if column not in (DECISION, CONFIDENCE)]
        strata = strata_of(after, plain, np.ones(len(after), dtype=bool)) if plain else None
        levels = [list(after[column].astype(object).fillna("")) for column in plain]
        names = [ALL] * len(after) if strata is None else list(strata)
        made = Strata(names, levels, len(levels))
        request = Request(now, made, made, name, CORPUS, settings, planning)
        more = replacement_size(request, outcome(now.frame, own, code, settings), width)
        if more is not None and (most is None or more > most[0]):
            most = more, str(code), width
    if most is None:
        return ""
    how = "" if now.frame.confirmed else (
        ", by labels only, since what the classifier would save is not known before it is coded"
    )  # fmt: skip
    return (
        f"A new confirmation draw would need about {most[0]:,} passages to make intervals for this "
        f"corpus as narrow as they were (reckoned for {most[1]} in all texts, half-width "
        f"{most[2]:.3f}{how})."
    )
