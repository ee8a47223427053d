"""Strata of draws: their names, and the digest of which passage is in which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from framing.common.files import LINE, sha256
from framing.common.problems import InputError, Problem, raise_if_any
from framing.sampling.draw import Bools

ADDED = " (added)"
"""Ends the name of a stratum of passages that no earlier draw could have drawn."""

_EMPTY = "(none)"  # stands for an empty value in the name of a stratum


def strata_digest(ids: Iterable[str], strata: Iterable[str]) -> str:
    """Return the SHA-256 digest of which passage is in which stratum, whatever the order."""
    return sha256("".join(sorted(f"{i}\t{s}\n" for i, s in zip(ids, strata, strict=True))))


def strata_of(frame: pd.DataFrame, columns: Sequence[str], member: Bools) -> pd.Series:
    """Return the name of each passage's stratum: the values of ``columns`` joined by ``/``.

    Empty where ``member`` is false. Passages that no earlier draw covers, where others are
    covered, get strata of their own. ``frame`` is a passage frame, with ``estimable`` if it comes
    from :func:`framing.sampling.combine.combined_design`. Raises :class:`InputError` on unknown
    columns, and where two combinations of values would get one name.
    """
    known = [name for name in frame.columns if name not in _NO_STRATA]
    raise_if_any(
        Problem("--strata", f"{name!r} is not a column of the passage frame",
                f"Known: {', '.join(known)}.")
        for name in columns if name not in known
    )  # fmt: skip
    if not columns:
        names = pd.Series("all", index=frame.index, dtype=object)
    else:
        parts = [frame[name].astype(object).fillna("").astype(str) for name in columns]
        parts = [part.where(part != "", _EMPTY) for part in parts]
        names = parts[0].str.cat(parts[1:], sep="/") if len(parts) > 1 else parts[0]
        distinct = pd.concat(parts, axis=1)[member].drop_duplicates()
        if len(distinct) > names[member].nunique():
            raise InputError(
                Problem("--strata", f"values of {', '.join(columns)} that hold '/' run together",
                        "Leave such a column out.")
            )  # fmt: skip
    if "estimable" in frame.columns and frame["estimable"].any():
        names = names.where(frame["estimable"].to_numpy(dtype=bool), names + ADDED)
    return names.where(member, "").astype(object)


# What is one passage's own, or says what is known only of drawn ones, makes no strata.
_NO_STRATA = frozenset(
    ["passage_id", "start", "end", "weight", "random_share", "stratum", "stratum_size",
     "stratum_sampled", "estimable", "design_status", "role", "read_weight", "read_frame",
     "unread_frame", LINE]
)  # fmt: skip
