"""Settings of reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framing.common.settings import settled


def reading_settings(own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the sections ``units`` and ``reading`` as they hold, ``own`` being a project's."""
    own = own or {}
    return {name: settled(name, own.get(name)) for name in ("units", "reading")}
