"""Draws that are held out: coded, but never learned from, and in no estimate.

``corpus/heldout.tsv`` names whole confirmation draws. To everything else such a draw is one whose
codings have not come (:data:`framing.sampling.roles.PENDING`): it does not count, its passages are
left to the design as if no draw had taken them (:mod:`framing.sampling.combine` says why estimates
stay unbiased), and they are shown to nobody. Whole draws, as passages or sources taken out of
a draw one by one would leave the others without known chances of having been drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framing.common.files import read_table, row_problems
from framing.common.problems import raise_if_any
from framing.sampling.draw import Draw
from framing.sampling.roles import CONFIRMATION


def read_held_out(path: Path, draws: Sequence[Draw]) -> frozenset[int]:
    """Read ``heldout.tsv``: the numbers of the draws that are held out.

    Columns ``draw reason``; without the file there are none. Raises :class:`InputError` on draws
    that are named twice, are none, or are for development: what may be read is not held out.
    """
    if not path.is_file():
        return frozenset()
    frame = read_table(path, ["draw", "reason"])
    roles = {str(draw.number): draw.role for draw in draws}
    listed = ", ".join(roles) or "none"
    problems = row_problems(
        frame, path, frame["draw"].duplicated(),
        lambda row: f"names the draw {row.draw} twice", "Remove one of the two.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, ~frame["draw"].isin(list(roles)),
        lambda row: f"names the draw {row.draw!r}, which is none", f"Draws on record: {listed}.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, frame["draw"].map(roles).notna() & (frame["draw"].map(roles) != CONFIRMATION),
        lambda row: f"names the draw {row.draw}, which is for development",
        "What may be read cannot be held out: draw a further one, `framing sample --supplement "
        "--role confirmation`.",
    )  # fmt: skip
    raise_if_any(problems)
    return frozenset(int(number) for number in frame["draw"])


def held_passages(draws: Sequence[Draw], held: frozenset[int]) -> frozenset[str]:
    """Return the passages of the draws that are held out."""
    own = [draw.drawn["passage_id"] for draw in draws if draw.number in held]
    return frozenset(str(name) for ids in own for name in ids)
