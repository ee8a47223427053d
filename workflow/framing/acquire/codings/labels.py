"""One label a row to codings: a label is a yes/no code, or a level of a code (``CODE.LEVEL``)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from framing.acquire.codings.contents import YES_AND_NO, kind_of, undeclared_problems
from framing.acquire.codings.kinds import of_a_kind
from framing.acquire.codings.options import Options, indicators
from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import NO, YES, folded, understood
from framing.codebook.codes import OF_LEVEL, Code
from framing.coding.codings import NOT_CODED
from framing.common.problems import Problem

_KEY = ["passage_id", "coder"]
_ROW, _LABEL = "_row", "_label"


def codings_of_labels(
    rows: Rows, options: Options, codes: Mapping[str, Code], table: pd.DataFrame,
    cells: pd.DataFrame,
) -> tuple[pd.DataFrame, int, list[Problem]]:  # fmt: skip
    """Return codings from rows of labels, how many rows repeat others, and what is wrong.

    ``table`` has ``passage_id coder _row``. A level that is given sets the code; two levels of one
    code are a problem.
    """
    problems: list[Problem] = []
    labels = cells[options.labels]
    table = table.assign(**{_LABEL: _meant(labels, options, codes)})
    problems += _unknown_labels(rows, options, codes, table, labels)
    bare = table[_LABEL] == ""
    if bare.any() and not options.absent:
        problems += of_a_kind(
            rows.place, f"no label in the column {options.labels!r} in {{}}",
            [rows.at(row) for row in table.index[bare]],
            "Say what that means: --absent (a passage lacks the codes it has no row for), or "
            "--missing '' (it was not coded).",
        )  # fmt: skip
    unsure = pd.Series(NOT_CODED, index=cells.index)
    if options.unsure:
        own = {options.unsure: options.said.meanings}
        problems += undeclared_problems(rows, cells[[options.unsure]], {}, own, {}, set())
        unsure = understood(cells[options.unsure], options.said.meanings)
    if problems:
        return table, 0, problems
    repeats = int(table.duplicated([*_KEY, _LABEL]).sum())
    problems += of_a_kind(
        rows.place, "{} with a label although another row says that the passage has none, or was "
        "not coded",
        [f"{rows.at(other)} and {rows.at(first)} on {table.loc[other, 'passage_id']!r}"
         for first, other in _empty_and_not(table)],
        "Correct or remove one of the two.",
    )  # fmt: skip
    problems += _two_levels(rows, table, codes)
    return _spread(table, unsure, codes, options), repeats, problems


def _meant(labels: pd.Series, options: Options, codes: Mapping[str, Code]) -> pd.Series:
    """Return the indicator of each label; empty for none, ``NA`` not coded, missing if unknown."""
    missing = {folded(value) for value in options.said.missing}
    mapped = {folded(value): target for value, target in options.label.items()}
    known = set(indicators(codes))
    meant: dict[str, str | None] = {}
    for value in labels.unique():
        if folded(value) in mapped:
            meant[value] = mapped[folded(value)]
        elif folded(value) in missing:
            meant[value] = NOT_CODED
        else:
            meant[value] = value if value in known or value == "" else None
    return labels.map(meant)


def _unknown_labels(
    rows: Rows, options: Options, codes: Mapping[str, Code], table: pd.DataFrame, labels: pd.Series
) -> list[Problem]:
    unknown = table.index[table[_LABEL].isna()]
    values = sorted(set(labels[unknown]))
    listed = ", ".join(indicators(codes))
    first = values[0] if values else ""
    target, levels = "CODE", [name for name in indicators(codes) if OF_LEVEL in name]
    if levels:
        own = [name for name in levels if folded(name).endswith(f"{OF_LEVEL}{folded(first)}")]
        target = own[0] if own else "CODE or CODE.LEVEL"
    remedy = f"Map them, --label {first}={target}, or correct them. Codes: {listed}."
    kinds = {kind_of(value, codes, options.said) for value in values}
    what = f"the column {options.labels!r} names no code of the codebook in {{}}"
    named = (table[_LABEL].notna() & ~table[_LABEL].isin(["", NOT_CODED])).any()
    if kinds == {YES_AND_NO} and not named:
        remedy = (
            "The column holds yes and no, not names of codes: give it as "
            f"--code {options.labels}=CODE."
        )
    elif YES_AND_NO in kinds:
        what += ", and holds both labels and yes and no"
        remedy = f"A column says one thing: part it into one for each. {remedy}"
    elif "names of codes" in kinds:
        what = f"the column {options.labels!r} names a code with levels but no level in {{}}"
        remedy = f"Write the level with it, CODE.LEVEL, or map it: --label. Codes: {listed}."
    return of_a_kind(
        rows.place, what, [f"{rows.at(row)} {labels[row]!r}" for row in unknown], remedy
    )


def _empty_and_not(table: pd.DataFrame) -> list[tuple[int, int]]:
    """Return rows with a label whose passage has another row without one, or the other way."""
    kind = table[_LABEL].where(table[_LABEL].isin(["", NOT_CODED]), "label")
    several = kind.groupby([table[one] for one in _KEY], sort=False).transform("nunique") > 1
    found = []
    for _, same in table[several].groupby(_KEY, sort=False):
        kinds = kind[same.index]
        other = same[_ROW][kinds != kinds.iloc[0]]
        if len(other):
            found.append((int(same[_ROW].iloc[0]), int(other.iloc[0])))
    return found


def _two_levels(rows: Rows, table: pd.DataFrame, codes: Mapping[str, Code]) -> list[Problem]:
    """Return passages that a coder gave two levels of one code."""
    problems: list[Problem] = []
    for code in codes.values():
        own = {level.indicator: level.name for level in code.levels if level.indicator}
        given = table[table[_LABEL].isin(list(own))].drop_duplicates([*_KEY, _LABEL])
        doubled = given[given.duplicated(_KEY, keep=False)]
        spots = []
        for key, same in doubled.groupby(_KEY, sort=False):
            levels = " and ".join(own[label] for label in same[_LABEL])
            spots.append(f"{rows.at(int(same[_ROW].iloc[-1]))} {key[0]!r} by {key[1]}: {levels}")
        problems += of_a_kind(
            rows.place, f"several levels of the code {code.name!r} for {{}}", spots,
            "A passage has exactly one level: correct them.", "passage",
        )  # fmt: skip
    return problems


def _spread(
    table: pd.DataFrame, unsure: pd.Series, codes: Mapping[str, Code], options: Options
) -> pd.DataFrame:
    """Return rows of labels as one row a passage and coder.

    A passage is unsure where any of its rows is.
    """
    first = table.drop_duplicates(_KEY)[[*_KEY, _ROW, _LABEL]].reset_index(drop=True)
    coded = first[_LABEL] != NOT_CODED
    index = pd.MultiIndex.from_frame(first[_KEY])
    for name, code in codes.items():
        default = options.otherwise.get(name, NOT_CODED)
        if code.kind.present and options.absent:
            default = code.cells[0]
        cells = pd.Series(default, index=first.index).where(coded, NOT_CODED)
        for level in code.counted:
            given = pd.MultiIndex.from_frame(table.loc[table[_LABEL] == level.indicator, _KEY])
            cells = cells.mask(index.isin(given), level.name)
        first[name] = cells
    first["unsure"] = NOT_CODED
    for value in (NO, YES):
        rows = pd.MultiIndex.from_frame(table.loc[unsure == value, _KEY])
        first["unsure"] = first["unsure"].mask(index.isin(rows), value)
    return first[[*_KEY, *codes, "unsure", _ROW]]
