"""Hits of cues as derived facts name them: by cue and by the place of the pattern in its list.

``ignored/3`` is the third pattern of the cue ``ignored``. What a cue hits is the sum of what its
patterns hit, as each hit belongs to one of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_KEY = re.compile(r"[a-z][a-z0-9-]*/[1-9][0-9]*")


def hit_key(cue: str, pattern: int) -> str:
    """Return the name of a cue's pattern; patterns are counted from 1.

    >>> hit_key("ignored", 3)
    'ignored/3'
    """
    return f"{cue}/{pattern}"


def is_hit_key(key: str) -> bool:
    """Say whether :func:`hit_key` can have made ``key``."""
    return _KEY.fullmatch(key) is not None


def cue_and_pattern(key: str) -> tuple[str, int]:
    """Return what :func:`hit_key` made ``key`` of.

    >>> cue_and_pattern("ignored/3")
    ('ignored', 3)
    """
    cue, _, pattern = key.rpartition("/")
    return cue, int(pattern)


def hits_by_cue(hits: Mapping[str, int]) -> dict[str, int]:
    """Return how often each cue hits, in code point order, from hits by pattern.

    >>> hits_by_cue({"ignored/3": 1, "ignored/10": 2, "envoy/1": 1})
    {'envoy': 1, 'ignored': 3}
    """
    found: dict[str, int] = {}
    for key, number in hits.items():
        cue, _ = cue_and_pattern(key)
        found[cue] = found.get(cue, 0) + number
    return {cue: found[cue] for cue in sorted(found)}
