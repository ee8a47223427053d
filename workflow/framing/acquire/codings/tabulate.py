"""Rows to codings: one row a passage and coder, a column a code, each a level or ``NA``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from framing.acquire.codings.contents import mixed_problems, undeclared_problems
from framing.acquire.codings.kinds import of_a_kind
from framing.acquire.codings.labels import codings_of_labels
from framing.acquire.codings.options import Options
from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import NO, YES, meanings_of, understood
from framing.codebook.codes import Code
from framing.coding.codings import NOT_CODED
from framing.common.problems import Problem

ROW = "_row"
"""Column that says by number which row of the files a coding is of (the first of several)."""
_KEY = ["passage_id", "coder"]


def codings_of(
    rows: Rows, options: Options, codes: Mapping[str, Code], keys: pd.DataFrame
) -> tuple[pd.DataFrame, int, list[Problem]]:
    """Return codings, how many rows repeated others, and what is wrong with rows.

    ``keys`` has ``passage_id`` and ``coder`` of the rows that count, indexed by the number of the
    row. Codings have ``passage_id coder``, each of ``codes``, ``unsure`` and :data:`ROW`; where
    there are problems they are not to be used.
    """
    cells = rows.cells.loc[keys.index]
    if options.labels:
        table = keys.assign(**{ROW: keys.index})
        return codings_of_labels(rows, options, codes, table, cells)
    return _wide(rows, options, codes, keys, cells)


def _wide(
    rows: Rows, options: Options, codes: Mapping[str, Code], keys: pd.DataFrame, cells: pd.DataFrame
) -> tuple[pd.DataFrame, int, list[Problem]]:
    said = options.said
    meant = {
        column: meanings_of(codes[target], said) if target in codes else said.meanings
        for column, target in options.codes.items()
    }
    if options.unsure:
        meant[options.unsure] = said.meanings
    whole = {column: codes.get(target) for column, target in options.codes.items()}
    problems, told = mixed_problems(rows, cells[list(meant)], whole, meant, codes, said)
    problems += undeclared_problems(rows, cells[list(meant)], whole, meant, codes, told)
    column_of = {target: column for column, target in options.codes.items()}
    table = keys.copy()
    for name, code in codes.items():
        if name in column_of:
            column = column_of[name]
            table[name] = understood(cells[column], meant[column])
            continue
        own = {
            level.name: understood(cells[column_of[level.indicator]], said.meanings)
            for level in code.levels
            if level.indicator in column_of
        }
        table[name], wrong = _one_level(rows, code, own, options.otherwise.get(name, ""), keys)
        problems += wrong
    table["unsure"] = NOT_CODED
    if options.unsure:
        table["unsure"] = understood(cells[options.unsure], said.meanings)
    table[ROW] = table.index
    once, repeats, disagreeing = _once(table, [*codes, "unsure"])
    problems += of_a_kind(
        rows.place, "{} disagree with another row on the same passage and coder",
        [f"{rows.at(other)} and {rows.at(first)} on {keys.loc[other, 'passage_id']!r}"
         for first, other in disagreeing],
        "Correct or remove one of the two.",
    )  # fmt: skip
    return once, repeats, problems


def _one_level(
    rows: Rows, code: Code, own: Mapping[str, pd.Series], otherwise: str, keys: pd.DataFrame
) -> tuple[pd.Series, list[Problem]]:
    """Return the level of each row from a column of yes and no a level, and what is wrong.

    A passage has exactly one level: just one column has yes, or, where ``otherwise`` names a level
    without a column, none. A row in which all columns are not coded is not coded.
    """
    level = pd.Series(NOT_CODED, index=keys.index)
    if not own:
        return level, []
    said = pd.DataFrame(dict(own), index=keys.index)
    yes = (said == YES).sum(axis=1)
    for name in said.columns:
        level = level.mask((said[name] == YES) & (yes == 1), name)
    several = said.index[yes > 1]
    none = yes == 0
    if otherwise:
        lacks_all = (said == NO).all(axis=1)
        level, none = level.mask(lacks_all, otherwise), none & ~lacks_all
    none = said.index[none & (said == NO).any(axis=1)]
    remedy = "A passage has exactly one level: correct them."
    found = of_a_kind(
        rows.place, f"{{}} have yes for several levels of the code {code.name!r}",
        [f"{rows.at(row)} has {' and '.join(said.columns[said.loc[row] == YES])}"
         for row in several], remedy,
    )  # fmt: skip
    found += of_a_kind(
        rows.place, f"{{}} have yes for no level of the code {code.name!r}",
        [rows.at(row) for row in none],
        f"{remedy} Where all columns say no and another level is meant: --otherwise "
        f"{code.name}.LEVEL.",
    )  # fmt: skip
    return level, found


def _once(
    table: pd.DataFrame, said: Sequence[str]
) -> tuple[pd.DataFrame, int, list[tuple[int, int]]]:
    """Return each passage and coder once, how many rows that saved, and which rows disagree.

    Rows agree where they give no code two levels; a row that does not code something says nothing
    of it.
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
