"""What a kind of code is: which values coders give, and how several of them become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MAJORITY, ANY, EVERY, STANDARD = "majority", "any", "all", "standard"
"""Rules by which several coders become one code."""

Combined = tuple[np.ndarray, np.ndarray]
"""The position of each passage's level, and whether a tie had to be decided."""


@dataclass(frozen=True)
class Kind:
    """A kind of code. All that a later room asks of a code's kind stands here.

    ``rules`` are the rules of combination that have a meaning for it (a standard always has one).
    ``combine`` gives each passage one level: from ``counts``, a row a passage and a column a level,
    the number of coders who gave it; the rule; and what decides a tie. ``present`` says that levels
    are the absence and the presence of one thing, so that presence alone is counted; of every other
    kind each level is. ``ordered`` says that levels have numbers and that distances between them
    count: agreement is ordinal and a mean is given.
    """

    name: str
    rules: tuple[str, ...]
    combine: Callable[[np.ndarray, str, Any], Combined]
    present: bool = False
    ordered: bool = False


def first_of(counts: np.ndarray, ties: Sequence[int]) -> Combined:
    """Return the level with the highest count of each row; of several, the first in ``ties``."""
    most = counts == counts.max(axis=1, keepdims=True)
    order = np.asarray(list(ties), dtype=int)
    return order[most[:, order].argmax(axis=1)], most.sum(axis=1) > 1
