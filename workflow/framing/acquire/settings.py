"""Settings of intake: what comes with new texts (bibliographies, tables, dates), what they repeat.

Nothing here reads a document's prose from a file of its own or writes one; that is for
``framing.acquire.read`` and for the command. Libraries of the extras ``reading`` and ``parquet``
are loaded only where a file needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.common.config import read_yaml

DEFAULTS = Path(__file__).with_name("defaults.yaml")


def intake_settings(own: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Return the defaults with the keys of each section of ``own`` laid over them."""
    defaults: dict[str, dict[str, Any]] = read_yaml(DEFAULTS)
    own = own or {}
    return {section: {**given, **own.get(section, {})} for section, given in defaults.items()}
