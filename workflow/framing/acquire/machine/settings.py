"""Settings of coders that are programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framing.common.settings import settled


def machine_settings(own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the section ``machine_coders`` as it holds, ``own`` being a project's."""
    return settled("machine_coders", own)
