"""The kinds of codes. A new kind is a module that gives a ``KIND``, and its place in the list."""

from __future__ import annotations

from framing.codebook.kinds import one_of, ordinal, yes_no
from framing.codebook.kinds.kind import Kind

YES_NO = yes_no.KIND
KINDS: dict[str, Kind] = {kind.name: kind for kind in (YES_NO, one_of.KIND, ordinal.KIND)}
"""By the name under ``kind`` in a codebook; a code without one is yes/no."""
