"""Kinds of cells: which are numbers, which are empty."""

from __future__ import annotations

from typing import Any

import pandas as pd

NUMERIC = ("integer", "share", "number", "p")


def is_missing(value: Any) -> bool:
    """Return whether a cell is empty: None, NA, NaN or the empty string."""
    return value is None or value is pd.NA or value == "" or value != value
