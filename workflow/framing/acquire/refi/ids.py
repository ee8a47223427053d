"""GUIDs made from what they stand for, so that the same project gives the same file."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

_SPACE = uuid5(NAMESPACE_URL, "urn:framing:refi-qda")


def made_guid(*parts: str | int) -> str:
    """Return the GUID (version 5) of a kind of thing and of its names or offsets.

    >>> made_guid("code", "cost") == made_guid("code", "cost") != made_guid("user", "cost")
    True
    """
    return str(uuid5(_SPACE, "\x1f".join(str(part) for part in parts)))
