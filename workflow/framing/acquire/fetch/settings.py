"""Settings of fetching: defaults as data, and a project's own in their place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.common.config import read_yaml

DEFAULTS = Path(__file__).with_name("defaults.yaml")


def fetch_settings(own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the defaults, each replaced where ``own`` (``fetching`` of a project) has its key."""
    defaults: dict[str, Any] = read_yaml(DEFAULTS)
    return {**defaults, **(own or {})}
