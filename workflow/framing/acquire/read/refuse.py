"""The errors of reading, and libraries of the extra ``reading`` where they are needed."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from framing.common import extras
from framing.common.problems import InputError, Problem


def refuse(place: str | Path, what: str, remedy: str) -> NoReturn:
    """Raise :class:`InputError` with one problem."""
    raise InputError(Problem(place, what, remedy)) from None


def library(module: str, place: str | Path) -> Any:
    """Return a module of the extra; raise :class:`InputError` that says how to install it."""
    return extras.library(module, "reading", place)


@cache
def version_of(distribution: str) -> str:
    """Return the version of an installed distribution, or ``unknown``."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
