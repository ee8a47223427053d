"""Variables: codes with their levels, as tables of results know them.

What coders say of a code with several levels stands as one yes/no code a level, its *indicator*:
"has this level". A passage has exactly one of them, so that their shares add up to one. A yes/no
code is its own only indicator. Whatever estimates, compares or shows shares knows indicators alone;
what needs the levels together (agreement, the classifier, intervals of all shares at once, means)
asks the variable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from framing.codebook.codebook import Codebook
from framing.codebook.codes import OF_LEVEL, Code, yes_no_code
from framing.codebook.kinds import KINDS
from framing.codebook.kinds.kind import Kind

MACHINE = "machine"
"""The kind of a coder who is no person."""
COLUMNS = ("code", "label", "variable", "title", "kind", "level", "number", "tie")
"""Of ``build/codes.tsv``: a row an indicator, then one a combination, of no ``variable``.

``title`` is the label of the variable, ``level`` what coders write, ``number`` what the level
counts in a mean, ``tie`` its rank among levels that coders are evenly split between.
"""

LEVELS, ORDER, MACHINES = "levels", "order", "machines"
"""Traits of a project (:func:`traits`), which some tables need."""


@dataclass(frozen=True)
class Variable:
    """A code as results know it: its kind, its indicators, and what belongs to each of these.

    ``levels`` are what coders write, ``labels`` how a reader knows them, ``numbers`` what counts in
    a mean (NaN where levels have no order) and ``ties`` the positions of levels by their rank where
    coders are evenly split; all as long as ``indicators``.
    """

    name: str
    label: str
    kind: Kind
    indicators: tuple[str, ...]
    levels: tuple[str, ...]
    labels: tuple[str, ...]
    numbers: tuple[float, ...]
    ties: tuple[int, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """Return the position of each indicator's level: of a yes/no code, absence is 0."""
        first = 1 if self.kind.present else 0
        return tuple(range(first, first + len(self.indicators)))

    def counts(self, present: Mapping[str, np.ndarray], total: np.ndarray) -> np.ndarray:
        """Return how many gave each level: a row a passage, a column a level.

        ``present`` has how many found each indicator, ``total`` how many coded the passage.
        """
        columns = [np.asarray(present[name]) for name in self.indicators]
        if self.kind.present:
            columns.insert(0, np.asarray(total) - columns[0])
        return np.stack(columns, axis=1)

    def values(self, indicated: pd.DataFrame) -> np.ndarray:
        """Return the position of each row's level; ``indicated`` has a 0/1 column an indicator.

        NaN where an indicator is missing.
        """
        table = indicated[list(self.indicators)].to_numpy(dtype=float)
        return table @ np.array(self.places, dtype=float)


def variables_of(codes: Mapping[str, Code]) -> list[Variable]:
    """Return the variables of a codebook's codes, in its order."""
    return [
        Variable(
            name=code.name,
            label=code.label,
            kind=code.kind,
            indicators=tuple(level.indicator for level in code.counted),
            levels=tuple(level.name for level in code.counted),
            labels=tuple(
                code.label if code.kind.present else level.label for level in code.counted
            ),
            numbers=tuple(level.number for level in code.counted),
            ties=code.ties,
        )
        for code in codes.values()
    ]


def variable_of(indicator: str) -> str:
    """Return the name of the code that an indicator is a level of: its own, if it has none."""
    return indicator.partition(OF_LEVEL)[0]


def yes_no_variables(names: Iterable[str]) -> list[Variable]:
    """Return the variables of yes/no codes."""
    return variables_of({name: yes_no_code(name, name, "") for name in names})


def code_table(codebook: Codebook, combinations: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return the columns :data:`COLUMNS` of a codebook's indicators, then of combinations."""
    known = codebook.labels
    rows: list[tuple[str, ...]] = [
        (name, known[name], one.name, one.label, one.kind.name, one.levels[n],
         "" if np.isnan(one.numbers[n]) else repr(one.numbers[n]),
         str(one.ties.index(n)) if one.ties else "")
        for one in variables_of(codebook.codes)
        for n, name in enumerate(one.indicators)
    ]  # fmt: skip
    rows += [(name, rule["label"], *[""] * 6) for name, rule in combinations.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def read_variables(codes: pd.DataFrame) -> list[Variable]:
    """Return the variables of a table of codes (:data:`COLUMNS`, all of them strings)."""
    found = []
    for name, own in codes[codes["variable"] != ""].groupby("variable", sort=False):
        kind = KINDS[own["kind"].iloc[0]]
        title = own["title"].iloc[0]
        labels = own["label"] if kind.present else own["label"].str.removeprefix(f"{title}: ")
        rank = [int(tie) for tie in own["tie"] if tie != ""]
        found.append(
            Variable(
                name=str(name), label=title, kind=kind, indicators=tuple(own["code"]),
                levels=tuple(own["level"]), labels=tuple(labels),
                numbers=tuple(float(number or "nan") for number in own["number"]),
                ties=tuple(int(place) for place in np.argsort(rank)),
            )
        )  # fmt: skip
    return found


def traits(variables: Iterable[Variable], kinds: Collection[str] = ()) -> frozenset[str]:
    """Return what a project has: ``levels`` beside yes/no, ``order`` among these, ``machines``.

    ``kinds`` are those of its coders.
    """
    found = {LEVELS for one in variables if not one.kind.present}
    found |= {ORDER for one in variables if one.kind.ordered}
    return frozenset(found | ({MACHINES} if MACHINE in kinds else set()))


def mean_labels(variables: Iterable[Variable]) -> dict[str, str]:
    """Return how a reader knows the mean level of every ordinal code."""
    return {one.name: f"{one.label} (mean level)" for one in variables if one.kind.ordered}


def expanded(codings: pd.DataFrame, codes: Sequence[Code]) -> pd.DataFrame:
    """Return codings of indicators from codings of codes.

    ``codings`` has ``code`` and ``value``, what stood in the coder's cell, and other columns, which
    are kept. Of each row there is one row an indicator of its code, ``code`` its name and ``value``
    1 where it is the level that was given, else 0.
    """
    parts = []
    for code in codes:
        own = codings[codings["code"] == code.name]
        parts += [
            own.assign(code=level.indicator, value=(own["value"] == level.name).astype(int))
            for level in code.counted
        ]
    return pd.concat(parts, ignore_index=True) if parts else codings
