"""Settings of fetching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framing.acquire.read.kinds import FORMATS
from framing.common.paths import CONFIG
from framing.common.problems import Problem, raise_if_any
from framing.common.settings import settled


def fetch_settings(own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the section ``fetching`` as it holds, ``own`` being a project's.

    Raises :class:`InputError` where a type is to be read as a kind of file that there is not.
    """
    found = settled("fetching", own)
    raise_if_any(
        Problem(CONFIG, f"fetching.types.{name}: unknown kind {kind!r}",
                f"Known: {', '.join(sorted(FORMATS))}.")
        for name, kinds in found["types"].items()
        for kind in kinds
        if kind not in FORMATS
    )  # fmt: skip
    return found
