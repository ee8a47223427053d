"""Settings of intake: what comes with new texts (bibliographies, tables), what they repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framing.common.settings import settled


def intake_settings(own: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Return the section ``intake`` as it holds, ``own`` being a project's."""
    return settled("intake", own)
