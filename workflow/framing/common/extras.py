"""Libraries of extras, which an installation may lack: loaded where something needs them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from framing.common.problems import InputError, Problem


def library(module: str, extra: str, place: str | Path, doing: str = "read") -> Any:
    """Return a module of an extra.

    Raises :class:`InputError` where it is not installed: ``place`` cannot be read (or what else
    is being done) without it, and how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        what = f"cannot be {doing} without the Python library {error.name or module}"
        raise InputError(Problem(place, what, f"Run: pip install -e '.[{extra}]'")) from None
