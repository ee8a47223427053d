"""Result tables in and out, as CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from framing.common.files import write_text
from framing.tables.csv_text import csv_text
from framing.tables.specs import Specs, TableSpec, load_specs

specs = cache(load_specs)
"""What tables declare, read once: a job has several of them."""


def publish(path: str | Path, frame: pd.DataFrame, caveat: str = "") -> None:
    """Write a result table as CSV, in the columns and order that its file declares.

    ``caveat`` is put first into the status of every row: what must be known of all the table says.
    """
    target = Path(path)
    if caveat:
        said = frame["status"].astype(str)
        frame = frame.assign(status=[f"{caveat}; {one}" if one else caveat for one in said])
    spec = specs().tables[target.stem]
    write_text(target, csv_text(frame, spec))


def read_results(given: Mapping[str, Any], known: Specs) -> dict[str, pd.DataFrame]:
    """Return the result tables whose CSV files ``given["tables"]`` lists, by id."""
    return {Path(p).stem: read_published(p, known.tables[Path(p).stem]) for p in given["tables"]}


def read_result(path: str | Path) -> pd.DataFrame:
    """Read a table that :func:`publish` wrote."""
    return read_published(path, specs().tables[Path(path).stem])


def read_published(path: str | Path, spec: TableSpec) -> pd.DataFrame:
    """Read a result table back from its CSV, columns typed by their described kind."""
    types = {"integer": "Int64", "share": "float64", "number": "float64", "p": "float64"}
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    for column in spec.columns.values():
        if column.kind in types:
            values = frame[column.name].where(frame[column.name] != "")
            frame[column.name] = pd.to_numeric(values).astype(types[column.kind])
    return frame
