"""The intake room: what comes with new texts (bibliographies, tables, dates) and what they repeat.

Nothing here reads a document's prose from a file of its own or writes one; that is for
``framing.reading`` and for the command. Libraries of the extras ``reading`` and ``parquet``
are loaded only where a file needs them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.config import read_yaml
from framing.files import read_bytes, unusable
from framing.problems import InputError, Problem

DEFAULTS = Path(__file__).with_name("defaults.yaml")


def intake_settings(own: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Return the defaults with the keys of each section of ``own`` laid over them."""
    defaults: dict[str, dict[str, Any]] = read_yaml(DEFAULTS)
    own = own or {}
    return {section: {**given, **own.get(section, {})} for section, given in defaults.items()}


def library(module: str, extra: str, place: str | Path) -> Any:
    """Return a module of an extra; raise :class:`InputError` that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        what = f"cannot be read without the Python library {error.name or module}"
        raise InputError(Problem(place, what, f"Run: pip install -e '.[{extra}]'")) from None


def bytes_up_to(path: Path, most: int, remedy: str) -> bytes:
    """Return what a file holds; raise :class:`InputError` where it is larger or cannot be read."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        size = 0  # read_bytes says so
    except (OSError, ValueError) as error:
        raise InputError(unusable(OSError(str(error)), path)) from None
    if size > most:
        raise InputError(Problem(path, f"has {size} bytes, more than {most}", remedy))
    return read_bytes(path)
