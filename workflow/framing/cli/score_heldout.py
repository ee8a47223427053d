"""``framing score --heldout``: the classifier against codings of draws that are held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from framing.common.problems import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd

    from framing.acquire.codings.check import State
    from framing.cli.score import Predicted
    from framing.codebook.codes import Code

SCORES = Path("build/scores.tsv")


@dataclass(frozen=True)
class HeldOut:
    """Codes of the passages of draws that are held out, what was predicted, and their sources.

    ``lines`` are to be said. Rows are passages, in one order throughout.
    """

    codes: dict[str, Code]
    gold: dict[str, pd.Series]
    predicted: dict[str, Predicted]
    source: pd.Series
    lines: list[str]


def held_out() -> HeldOut:
    """Return what the project in the working directory has of draws that are held out.

    A passage of theirs has no label that anything learns from, so its probability is that of a
    model which has seen none of its source's labels. Raises :class:`InputError` where no draw is
    held out, none of its passages is coded, or there has been no run.
    """
    from framing.acquire.codings.project import state_of
    from framing.acquire.codings.tidy import cells_of
    from framing.coding.codings import combine_coders, read_codings
    from framing.coding.variables import variables_of
    from framing.common.build import read_scores
    from framing.common.paths import CODINGS, HELD_OUT
    from framing.project.load import coded_of, waiting
    from framing.sampling.heldout import held_passages, read_held_out

    state = state_of()
    numbers = read_held_out(HELD_OUT, state.draws)
    passages = held_passages(state.draws, numbers)
    if not passages:
        raise InputError(
            Problem(HELD_OUT, "holds out no draw", "Name one in it: docs/coding.md, Held out.")
        )
    if not SCORES.is_file():
        raise InputError(Problem(SCORES, "does not exist", "Run `snakemake` first."))
    codes = state.codebook.codes
    left = waiting(state.draws, coded_of(state.draws) or ())
    codings = read_codings(
        CODINGS, list(state.coders["coder"]), list(codes.values()), state.drawn, left
    )
    codings = codings[codings["passage_id"].isin(passages)]
    if codings.empty:
        raise InputError(Problem(CODINGS, "holds no coding of a draw that is held out",
                                 "Code it first."))  # fmt: skip
    scores = read_scores(SCORES)
    own = state.passages[state.passages["passage_id"].isin(passages)]
    ids = own["passage_id"].tolist()
    labels = combine_coders(codings, state.config["coders"], variables_of(codes))
    gold, predicted = {}, {}
    for name, code in codes.items():
        names = [level.indicator for level in code.counted]
        part = scores[scores["code"].isin(names) & scores["passage_id"].isin(passages)]
        by_name = {one: part[part["code"] == one].set_index("passage_id") for one in names}
        cells = cells_of(code)
        given = cells(labels[labels["code"].isin(names)], "label").reindex(ids)
        decided = cells(part.astype({"code": str}), "decision").reindex(ids)
        gold[name], chosen = (_as_cells(one, code).reset_index(drop=True)
                              for one in (given, decided))  # fmt: skip
        predicted[name] = (
            chosen,
            {one: table["probability"].reindex(ids).reset_index(drop=True)
             for one, table in by_name.items()},
        )  # fmt: skip
    return HeldOut(dict(codes), gold, predicted, own["source_id"].reset_index(drop=True),
                   _standing(state, numbers))  # fmt: skip


def _as_cells(values: pd.Series, code: Code) -> pd.Series:
    """Return values of a yes/no code (0, 1 or missing) as cells; of others they are."""
    return values.map({0: code.cells[0], 1: code.cells[1]}) if code.kind.present else values


def _standing(state: State, numbers: frozenset[int]) -> list[str]:
    """Return of each draw whether codings came under a freeze that stands: else it was seen."""
    from framing.sampling.roles import SPENT, status_of

    lines = []
    for one in state.reading.statuses:
        if one.tally.number in numbers:
            found = status_of(one.tally, state.reading.frozen)
            seen = f"; but {found.why}, so that it may have been read" * (found.state == SPENT)
            lines.append(f"{one.tally.name}, held out: {one.tally.coded} of {one.tally.drawn} "
                         f"passages coded{seen}")  # fmt: skip
    return lines
