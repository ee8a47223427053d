"""Settings of reading: defaults as data, and a project's own laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.common.config import read_yaml

DEFAULTS = Path(__file__).with_name("defaults.yaml")


def reading_settings(own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the defaults with ``own`` laid over them, mapping by mapping; lists are replaced."""
    defaults: dict[str, Any] = read_yaml(DEFAULTS)
    return _over(defaults, own or {})


def _over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(base)
    for key, value in own.items():
        old = made.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        made[key] = _over(old, value) if both else value  # type: ignore[arg-type]
    return made
