"""Strata by what the classifier says, and the scope of a plan or draw: cells (group, period)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from framing.common.config import ALL
from framing.common.problems import InputError, Problem
from framing.inference.design import Bools

DECISION, CONFIDENCE = "decision", "confidence"

YES, NO = "yes", "no"

SURE, DOUBTFUL = "sure", "doubtful"


def strata_columns(names: Sequence[str], codes: Sequence[str]) -> list[str]:
    """Return columns of strata with ``decision`` and ``confidence`` spelt out for each code.

    ``decision`` becomes ``decision:CODE``. Raises :class:`InputError` where no code is given.
    """
    columns = []
    for name in names:
        if name in (DECISION, CONFIDENCE):
            if not codes:
                raise InputError(
                    Problem("--strata", f"{name!r} of which code is meant is not said",
                            f"Write {name}:CODE, or give --code CODE.")
                )  # fmt: skip
            columns += [f"{name}:{code}" for code in dict.fromkeys(codes)]
        else:
            columns.append(name)
    return list(dict.fromkeys(columns))


def classifier_codes(columns: Sequence[str]) -> list[str]:
    """Return the codes whose decisions or confidences are among the columns."""
    parts = [name.split(":", 1) for name in columns if ":" in name]
    return list(dict.fromkeys(code for kind, code in parts if kind in (DECISION, CONFIDENCE)))


def with_classifier(
    frame: pd.DataFrame, scores: pd.DataFrame, codes: Sequence[str], sure: float
) -> pd.DataFrame:
    """Return the passage frame with ``decision:CODE`` and ``confidence:CODE`` of each code.

    Decisions are ``yes`` and ``no``; confidence is ``sure`` where the classifier gives its decision
    a probability of at least ``sure``, else ``doubtful``. Raises :class:`InputError` where a code
    has no scores, or scores of other passages than the frame's.
    """
    columns: dict[str, Any] = {}
    for code in codes:
        part = scores[scores["code"] == code].set_index("passage_id")
        if part.empty:
            raise InputError(
                Problem("build/scores.tsv", f"has no code {code!r}",
                        f"Known: {', '.join(scores['code'].drop_duplicates())}.")
            )  # fmt: skip
        if not part.index.is_unique or set(part.index) != set(frame["passage_id"]):
            raise InputError(
                Problem("build/scores.tsv", f"has scores of {code!r} for other passages than the "
                        "corpus has", "Run `snakemake`.")
            )  # fmt: skip
        part = part.loc[frame["passage_id"]]
        says_yes = part["decision"].to_numpy() == 1
        probability = part["probability"].to_numpy(dtype=float)
        of_decision = np.where(says_yes, probability, 1 - probability)
        columns[f"{DECISION}:{code}"] = np.where(says_yes, YES, NO).astype(object)
        columns[f"{CONFIDENCE}:{code}"] = np.where(
            np.round(of_decision, 6) >= sure, SURE, DOUBTFUL
        ).astype(object)
    return frame.assign(**columns)


def scope_text(cells: Sequence[tuple[str, str]]) -> str:
    """Return the cells (group, period) of a plan as they are written: ``a/all + b/all``."""
    return " + ".join("/".join(cell) for cell in dict.fromkeys(cells))


def scope_member(frame: pd.DataFrame, scope: str) -> Bools:
    """Return which passages of a frame a scope (:func:`scope_text`) holds."""
    member = np.zeros(len(frame), dtype=bool)
    for cell in scope.split(" + "):
        group, _, period = cell.partition("/")
        of_cell = np.ones(len(frame), dtype=bool)
        for name, column in ((group, "group"), (period, "period")):
            if name != ALL:
                of_cell &= (frame[column] == name).to_numpy()
        member |= of_cell
    return member
