"""Settings of fetching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framing.common.settings import settled


def fetch_settings(own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the section ``fetching`` as it holds, ``own`` being a project's."""
    return settled("fetching", own)
