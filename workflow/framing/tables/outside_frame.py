"""What tables that are worked out from sampled sources say of all the other passages.

They are worked out once, and said again whenever a source joins: so nothing heavy is imported here.
"""

from __future__ import annotations

import pandas as pd

from framing.common.config import ALL, OURS
from framing.inference.estimator import frame_note

READ, UNREAD = "read", "unread"
"""Parts of the coded passages: authors may have seen their codes, or nobody has."""
UNFAMILIAR = ("unfamiliar", "unfamiliar_sources")


def with_unfamiliar(
    table: pd.DataFrame, passages: pd.DataFrame, scores: pd.DataFrame, ours: str = OURS
) -> pd.DataFrame:
    """Return T3 with how many passages and sources are unfamiliar to the method ``ours``.

    Of all passages, coded or not, in the sampled frame or not: ``passages`` and ``scores``
    (``unfamiliar``) must hold every one. A source is unfamiliar when more than half of its passages
    are. They stand in the rows of the part that T3 leads with, in all and by group. ``table`` is
    that of :func:`framing.tables.quality.methods_table`.
    """
    own = dict(list(scores.groupby("code", observed=True)))
    lead = table["part"].iloc[0] if len(table) else READ
    counts = [
        _unfamiliar(passages, own[row.code], row.group)
        if row.method == ours and row.part == lead
        else (pd.NA, pd.NA)
        for row in table.itertuples(index=False)
    ]
    columns = zip(*counts, strict=True) if counts else ((), ())
    return table.assign(
        **{
            name: pd.array(list(values), dtype="Int64")
            for name, values in zip(UNFAMILIAR, columns, strict=True)
        }
    )


def _unfamiliar(passages: pd.DataFrame, scores: pd.DataFrame, group: str) -> tuple[int, int]:
    """Return how many passages and how many sources are unfamiliar, in all or in a group."""
    frame = passages.merge(scores[["passage_id", "unfamiliar"]], on="passage_id")
    if group != ALL:
        frame = frame[frame["group"] == group]
    of_source = frame.groupby("source_id")["unfamiliar"].mean()
    return int(frame["unfamiliar"].sum()), int((of_source > 0.5).sum())


def with_frame(table: pd.DataFrame, passages: pd.DataFrame) -> pd.DataFrame:
    """Return T10 with a word in every row on how many passages are outside the sampled frame.

    ``passages`` is the whole passage frame (``estimable``).
    """
    outside = int((~passages["estimable"]).sum())
    return table.assign(status=[frame_note(outside, status) for status in table["status"]])
