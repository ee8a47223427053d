"""Versions of installed packages."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the installed version of each package by name."""
    return {name: metadata.version(name) for name in sorted(packages)}
