"""Rows to codings: one row a passage and coder, a column a code, each ``1``, ``0`` or ``NA``."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from framing.acquire.codings.kinds import SHOWN, of_a_kind
from framing.acquire.codings.options import Options
from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import NO, YES, Said, folded, told, understood, unknown_values
from framing.coding.codings import NOT_CODED
from framing.common.problems import Problem

ROW = "_row"
"""Column that says by number which row of the files a coding is of (the first of several)."""
_KEY = ["passage_id", "coder"]
_SHOWN_VALUES = 8


def codings_of(
    rows: Rows, options: Options, codes: Sequence[str], keys: pd.DataFrame
) -> tuple[pd.DataFrame, int, list[Problem]]:
    """Return codings, how many rows repeated others, and what is wrong with rows.

    ``keys`` has ``passage_id`` and ``coder`` of the rows that count, indexed by the number of the
    row. Codings have ``passage_id coder``, each of ``codes``, ``unsure`` and :data:`ROW`; where
    there are problems they are not to be used.
    """
    cells = rows.cells.loc[keys.index]
    if options.labels:
        return _long(rows, options, codes, keys, cells)
    return _wide(rows, options, codes, keys, cells)


def _wide(
    rows: Rows, options: Options, codes: Sequence[str], keys: pd.DataFrame, cells: pd.DataFrame
) -> tuple[pd.DataFrame, int, list[Problem]]:
    columns = [*options.codes, *([options.unsure] if options.unsure else [])]
    problems = _undeclared(rows, cells[columns], options.said, codes)
    column_of = {code: column for column, code in options.codes.items()}
    column_of["unsure"] = options.unsure
    table = keys.copy()
    for code in [*codes, "unsure"]:
        column = column_of.get(code)
        table[code] = understood(cells[column], options.said) if column else NOT_CODED
    table[ROW] = table.index
    said = [*codes, "unsure"]
    once, repeats, disagreeing = _once(table, said)
    problems += of_a_kind(
        rows.place, "{} disagree with another row on the same passage and coder",
        [_apart(rows, pair, table) for pair in disagreeing],
        "Correct or remove one of the two.",
    )  # fmt: skip
    return once, repeats, problems


def _undeclared(rows: Rows, cells: pd.DataFrame, said: Said, codes: Sequence[str]) -> list[Problem]:
    """Return the values that mean nothing yet, of all columns as one problem."""
    columns = [cells[name] for name in cells.columns]
    unknown = unknown_values(columns, said)
    if not unknown:
        return []
    bad = [(row, column) for column in columns
           for row in column.index[column.isin(unknown)]]  # fmt: skip
    shown = told(unknown[:_SHOWN_VALUES]) + (", …" if len(unknown) > _SHOWN_VALUES else "")
    remedy = f"Say what it means ({shown}): --yes VALUE, --no VALUE, --missing VALUE (not coded)."
    if {folded(value) for value in unknown} & {folded(code) for code in codes}:
        remedy = "A column of names of codes is given by --labels COLUMN."
    bad.sort(key=lambda one: int(one[0]))
    spots = [f"{rows.at(row)} {column.name} {column[row]!r}" for row, column in bad[:SHOWN]]
    spots += [""] * (len(bad) - len(spots))  # counted, not shown
    return of_a_kind(rows.place, "a value that was not declared in {}", spots, remedy, "cell")


def _once(
    table: pd.DataFrame, said: Sequence[str]
) -> tuple[pd.DataFrame, int, list[tuple[int, int]]]:
    """Return each passage and coder once, how many rows that saved, and which rows disagree.

    Rows agree where neither says yes and the other no; a row that does not code something says
    nothing of it.
    """
    doubled = table.duplicated(_KEY, keep=False)
    if not doubled.any():
        return table.reset_index(drop=True), 0, []
    disagreeing = []
    made = []
    for _, same in table[doubled].groupby(_KEY, sort=False):
        rows = same.to_dict("records")
        first = rows[0]
        for other in rows[1:]:
            if any(NOT_CODED != other[one] != first[one] != NOT_CODED for one in said):
                disagreeing.append((first[ROW], other[ROW]))
            first |= {one: other[one] for one in said if first[one] == NOT_CODED}
        made.append(first)
    once = pd.concat([table[~doubled], pd.DataFrame(made)]).sort_values(ROW, ignore_index=True)
    return once, int(doubled.sum()) - len(made), disagreeing


def _apart(rows: Rows, pair: tuple[int, int], keys: pd.DataFrame) -> str:
    return f"{rows.at(pair[1])} and {rows.at(pair[0])} on {keys.loc[pair[1], 'passage_id']!r}"


# --- one label a row ------------------------------------------------------------------------------


def _long(
    rows: Rows, options: Options, codes: Sequence[str], keys: pd.DataFrame, cells: pd.DataFrame
) -> tuple[pd.DataFrame, int, list[Problem]]:
    problems: list[Problem] = []
    labels = cells[options.labels]
    table = keys.assign(**{ROW: keys.index, "_code": _codes(labels, options, codes)})
    problems += _unknown_labels(rows, options, codes, table, labels)
    bare = table["_code"] == ""
    if bare.any() and not options.absent:
        problems += of_a_kind(
            rows.place, f"no label in the column {options.labels!r} in {{}}",
            [rows.at(row) for row in table.index[bare]],
            "Say what that means: --absent (a passage lacks the codes it has no row for), or "
            "--missing '' (it was not coded).",
        )  # fmt: skip
    unsure = pd.Series(NOT_CODED, index=cells.index)
    if options.unsure:
        problems += _undeclared(rows, cells[[options.unsure]], options.said, ())
        unsure = understood(cells[options.unsure], options.said)
    if problems:
        return table, 0, problems
    repeats = int(table.duplicated([*_KEY, "_code"]).sum())
    disagreeing = _empty_and_not(table)
    problems += of_a_kind(
        rows.place, "{} with a label although another row says that the passage has none, or was "
        "not coded", [_apart(rows, pair, table) for pair in disagreeing],
        "Correct or remove one of the two.",
    )  # fmt: skip
    return _spread(table, unsure, codes, options.absent), repeats, problems


def _codes(labels: pd.Series, options: Options, codes: Sequence[str]) -> pd.Series:
    """Return the code of each label; empty for none, ``NA`` for not coded, missing if unknown."""
    missing = {folded(value) for value in options.said.missing}
    mapped = {folded(value): code for value, code in options.label.items()}
    meant: dict[str, str | None] = {}
    for value in labels.unique():
        if folded(value) in mapped:
            meant[value] = mapped[folded(value)]
        elif folded(value) in missing:
            meant[value] = NOT_CODED
        else:
            meant[value] = value if value in codes or value == "" else None
    return labels.map(meant)


def _unknown_labels(
    rows: Rows, options: Options, codes: Sequence[str], table: pd.DataFrame, labels: pd.Series
) -> list[Problem]:
    unknown = table.index[table["_code"].isna()]
    values = sorted(set(labels[unknown]))
    remedy = (
        f"Map them, --label {values[0] if values else ''}=CODE, or correct them. Codes: "
        f"{', '.join(codes)}."
    )
    if {folded(value) for value in values} <= {YES, NO}:
        remedy = (
            "The column holds yes and no, not names of codes: give it as "
            f"--code {options.labels}=CODE."
        )
    return of_a_kind(
        rows.place, f"the column {options.labels!r} names no code of the codebook in {{}}",
        [f"{rows.at(row)} {labels[row]!r}" for row in unknown], remedy,
    )  # fmt: skip


def _empty_and_not(table: pd.DataFrame) -> list[tuple[int, int]]:
    """Return rows with a label whose passage has another row without one, or the other way."""
    kind = table["_code"].where(table["_code"].isin(["", NOT_CODED]), "label")
    several = kind.groupby([table[one] for one in _KEY], sort=False).transform("nunique") > 1
    found = []
    for _, same in table[several].groupby(_KEY, sort=False):
        kinds = kind[same.index]
        other = same[ROW][kinds != kinds.iloc[0]]
        if len(other):
            found.append((int(same[ROW].iloc[0]), int(other.iloc[0])))
    return found


def _spread(
    table: pd.DataFrame, unsure: pd.Series, codes: Sequence[str], absent: bool
) -> pd.DataFrame:
    """Return rows of labels as one row a passage and coder.

    A passage is unsure where any of its rows is.
    """
    first = table.drop_duplicates(_KEY)[[*_KEY, ROW, "_code"]].reset_index(drop=True)
    default = pd.Series(NO if absent else NOT_CODED, index=first.index)
    default = default.mask(first["_code"] == NOT_CODED, NOT_CODED)
    index = pd.MultiIndex.from_frame(first[_KEY])
    for code in codes:
        with_code = pd.MultiIndex.from_frame(table.loc[table["_code"] == code, _KEY])
        first[code] = default.mask(index.isin(with_code), YES)
    first["unsure"] = NOT_CODED
    for value in (NO, YES):
        rows = pd.MultiIndex.from_frame(table.loc[unsure == value, _KEY])
        first["unsure"] = first["unsure"].mask(index.isin(rows), value)
    return first[[*_KEY, *codes, "unsure", ROW]]
