"""A result table as CSV, by the project's one rule for numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from framing.common.files import table_text
from framing.tables.kinds import NUMERIC, is_missing
from framing.tables.specs import TableSpec


def csv_text(frame: pd.DataFrame, spec: TableSpec) -> str:
    """Return a result table as CSV: columns in the order of ``spec``, floats with six decimals.

    Integers are written as such even where a missing value turned their column into floats.
    Raises :class:`ValueError` where the frame's columns are not those of ``spec`` or an
    integer is none.
    """
    unlike = set(frame.columns) ^ set(spec.columns)
    if unlike:
        raise ValueError(f"{spec.id}: columns missing or not described: {sorted(unlike)}")
    columns = {
        name: [_plain_value(value, column.kind) for value in frame[name]]
        for name, column in spec.columns.items()
    }
    return table_text(pd.DataFrame(columns, dtype=object), sep=",")


def _plain_value(value: Any, kind: str) -> Any:
    if is_missing(value):
        return None
    if kind == "integer":
        if int(value) != value:
            raise ValueError(f"{value!r} is not a whole number")
        return int(value)
    return float(value) if kind in NUMERIC else str(value)
