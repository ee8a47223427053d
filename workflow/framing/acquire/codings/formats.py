"""Tables of spreadsheets and statistics programs: Excel, SPSS, Stata.

In: a file. Out: the same table of texts that :mod:`framing.acquire.table_files` makes of others,
of values as they are stored, and beside it the labels that a program shows in their place.
"""

from __future__ import annotations

import struct
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from framing.acquire.table_files import KINDS, Table, table_of_file, value_text
from framing.common.extras import library
from framing.common.files import read_bytes, unusable
from framing.common.problems import InputError, Problem

EXTRA = "codings"
EXCEL, SPSS, STATA = (".xlsx", ".xlsm"), (".sav", ".zsav"), (".dta",)
KNOWN = (*KINDS, *EXCEL, *SPSS, *STATA)
_BROKEN = (
    ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, EOFError,
    SyntaxError, OSError, struct.error, zipfile.BadZipFile,
)  # fmt: skip
"""What libraries raise on files that are broken."""

Labels = Mapping[str, Mapping[str, str]]
"""By column what a program shows in place of a value."""


def table_of(path: Path, settings: Mapping[str, Any], sheet: str = "") -> tuple[Table, Labels]:
    """Return the table in a file, and labels of its values; ``sheet`` is which one of a workbook.

    ``settings`` are those of :func:`framing.acquire.settings.intake_settings` under ``table``.
    Raises :class:`InputError` on a file that is no table, of a kind that is not known, that is too
    large or broken, or whose library is not installed.
    """
    ending = path.suffix.lower()
    if sheet and ending not in EXCEL:
        raise InputError(Problem(path, "is no workbook, so it has no sheets", "Leave out --sheet."))
    if path.is_dir():
        raise InputError(Problem(path, "is a folder", "Name the files in it."))
    if ending not in (*EXCEL, *SPSS, *STATA):
        if ending not in KINDS and not _is_parquet(path):
            raise InputError(
                Problem(path, f"has the ending {path.suffix!r}", f"Known: {', '.join(KNOWN)}.")
            )
        return table_of_file(path, settings, "coding", lists=True), {}
    _not_too_large(path, settings["bytes"])
    if ending in EXCEL:
        return _of_excel(path, sheet, settings["expanded_bytes"]), {}
    return _of_spss(path) if ending in SPSS else _of_stata(path)


def _is_parquet(path: Path) -> bool:
    return path.is_file() and read_bytes(path)[:4] == b"PAR1"


def _not_too_large(path: Path, most: int) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise InputError(Problem(path, "does not exist", "Correct the name.")) from None
    except OSError as error:
        raise InputError(unusable(error, path)) from None
    if size == 0:
        raise InputError(Problem(path, "is empty", "Give it a header and a row a coding."))
    if size > most:
        raise InputError(Problem(path, f"has {size} bytes, more than it may",
                                 "Cut it into several tables."))  # fmt: skip


def _broken(path: Path, kind: str, error: Exception) -> InputError:
    said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return InputError(
        Problem(path, f"is no {kind} file that can be read ({said})", "Save it anew, or as CSV.")
    )


def _of_excel(path: Path, wished: str, most: int) -> Table:
    openpyxl = library("openpyxl", EXTRA, path)
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > most:
            raise InputError(Problem(path, f"unpacks to {size} bytes, more than it may",
                                     "Cut it into several tables."))  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of formats of cells, which do not matter here
            book = openpyxl.load_workbook(path, read_only=True)
            try:
                name, rows = _sheet(book, path, wished)
            finally:
                book.close()
    except _BROKEN as error:
        raise _broken(path, "Excel", error) from None
    table = _of_rows(rows, path)
    if any(value.startswith("=") for _, row in table.rows for value in row):
        table.notes.append(f"formulas in the sheet {name!r} are not worked out: paste values")
    return table


def _sheet(book: Any, path: Path, wished: str) -> tuple[str, list[tuple[Any, ...]]]:
    """Return the sheet that was asked for, or the only one that holds anything."""
    found = {}
    names = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if wished and wished not in book.sheetnames:
        raise InputError(Problem(path, f"has no sheet {wished!r}", f"Its sheets: {_list(names)}."))
    for name in [wished] if wished else names:
        sheet = book[name]
        # Some programs write a wrong size, which would cut rows off.
        sheet.reset_dimensions()
        rows = list(sheet.iter_rows(values_only=True))
        if any(value is not None for row in rows for value in row):
            found[name] = rows
    if not found:
        raise InputError(Problem(path, "is empty", "Give it a header and a row a coding."))
    if len(found) > 1:
        raise InputError(Problem(path, f"has several sheets that hold something: {_list(found)}",
                                 "Say which: --sheet NAME."))  # fmt: skip
    return next(iter(found.items()))


def _list(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _of_rows(rows: Sequence[Sequence[Any]], path: Path) -> Table:
    """Return the rows of a sheet as a table, its first row that holds anything as the header."""
    header: list[str] = []
    made: list[tuple[int, list[str]]] = []
    problems = []
    for number, row in enumerate(rows, 1):
        values = [_text(value) for value in row]
        while values and not values[-1]:
            values.pop()
        if not header:
            header = [value.strip() for value in values]
        elif len(values) > len(header):
            what = f"has {len(values)} cells where the header has {len(header)}"
            problems.append(Problem(path, what, "Give every column a name.", number))
        else:
            made.append((number, values + [""] * (len(header) - len(values))))
    return Table(header, made, [], problems)


def _text(value: Any) -> str:
    text = value_text(value)
    return str(value) if text is None else text


def _of_spss(path: Path) -> tuple[Table, Labels]:
    pyreadstat = library("pyreadstat", EXTRA, path)
    try:
        frame, meta = pyreadstat.read_sav(str(path), apply_value_formats=False)
    except (*_BROKEN, pyreadstat.ReadstatError) as error:
        raise _broken(path, "SPSS", error) from None
    found = {
        name: {_text(value): label for value, label in one.items()}
        for name, one in meta.variable_value_labels.items() if one
    }  # fmt: skip
    return _of_frame(frame), found


def _of_stata(path: Path) -> tuple[Table, Labels]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of encodings of old files, which are tried
            with pd.io.stata.StataReader(path, convert_categoricals=False) as reader:
                frame = reader.read()
                labels = reader.value_labels()
            shown = _as_shown(path) if labels else frame
    except _BROKEN as error:
        raise _broken(path, "Stata", error) from None
    found = {}
    for name in frame.columns:
        if isinstance(shown[name].dtype, pd.CategoricalDtype):
            pairs = pd.DataFrame({"value": frame[name], "label": shown[name].astype(object)})
            pairs = pairs.dropna().drop_duplicates().sort_values("value", kind="stable")
            found[str(name)] = {
                _text(value): str(label)
                for value, label in pairs.itertuples(index=False)
                if _text(value) != str(label)
            }
    return _of_frame(frame), {name: one for name, one in found.items() if one}


def _as_shown(path: Path) -> pd.DataFrame:
    """Return a Stata file with labels in place of values; without any where two are the same."""
    try:
        return pd.read_stata(path, convert_categoricals=True)
    except ValueError:
        return pd.read_stata(path, convert_categoricals=False)


def _of_frame(frame: pd.DataFrame) -> Table:
    columns = [
        ["" if value is None or value != value else _text(value) for value in frame[name].tolist()]
        for name in frame.columns
    ]
    # Rows are numbered as if the header were line 1, as in the other tables.
    rows = [(number, list(row)) for number, row in enumerate(zip(*columns, strict=True), 2)]
    return Table([str(name) for name in frame.columns], rows, [], [])
