"""The errors of the reading room, and libraries of the extra ``reading`` where they are needed."""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from framing.problems import InputError, Problem

INSTALL = "pip install -e '.[reading]'"


def refuse(place: str | Path, what: str, remedy: str) -> NoReturn:
    """Raise :class:`InputError` with one problem."""
    raise InputError(Problem(place, what, remedy)) from None


def library(module: str, place: str | Path) -> Any:
    """Return a module of the extra; raise :class:`InputError` that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = error.name or module
        refuse(place, f"cannot be read without the Python library {name}", f"Run: {INSTALL}")


def version_of(distribution: str) -> str:
    """Return the version of an installed distribution, or ``unknown``."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
