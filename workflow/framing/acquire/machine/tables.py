"""From a record of answers to tables, by pure functions: the same record, the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from framing.acquire.machine.record import Entry, answered, cells_of
from framing.codebook.codes import Code
from framing.common.files import table_text
from framing.inference.agreement import NOMINAL, ORDINAL, krippendorff_alpha

FIRST = 1
"""The repeat whose answer is the coder's code: what later repeats say never changes it."""


def coder_text(
    entries: Sequence[Entry], coder: str, codes: Mapping[str, Code], order: Sequence[str]
) -> str:
    """Return the coder's table: a row for each passage of ``order`` that was answered.

    The code is that of the first repeat, ``NA`` where its answer could not be used. Passages of
    other draws, and of none, are in the record and not here.
    """
    known = answered(entries)
    rows = [
        {"passage_id": name, "coder": coder, **cells_of(entry, codes), "unsure": entry["unsure"]}
        for name in order
        if (entry := known.get((name, FIRST)))
    ]
    return table_text(pd.DataFrame(rows, columns=["passage_id", "coder", *codes, "unsure"]))


def coded_text(entries: Sequence[Entry], codes: Mapping[str, Code], order: Sequence[str]) -> str:
    """Return ``coded.tsv``: ``passage_id`` and a column a code, for every passage of ``order``.

    Cells are as in a coder's table; ``NA`` where a passage was not asked about, or its answer could
    not be used.
    """
    known = answered(entries)
    rows = [{"passage_id": name, **cells_of(known.get((name, FIRST)), codes)} for name in order]
    return table_text(pd.DataFrame(rows, columns=["passage_id", *codes]))


@dataclass(frozen=True)
class Stability:
    """How alike repeats answer for one code.

    Of ``passages`` with two answers or more a share ``equal`` had the same ones throughout;
    ``alpha`` is Krippendorff's, over repeats as coders, None where undefined.
    """

    code: str
    passages: int
    equal: float
    alpha: float | None


def stability(entries: Sequence[Entry], codes: Mapping[str, Code]) -> list[Stability]:
    """Return how stable answers are, by code; nothing where no passage was answered twice.

    Alpha is ordinal where the levels of a code are ordered, else nominal. It says how alike the
    model answers when it is asked again, and not whether it is right.
    """
    known = answered(entries)
    repeats = sorted({repeat for _, repeat in known})
    passages = sorted({name for name, _ in known})
    found = []
    for code in codes.values():
        place = {level: float(number) for number, level in enumerate(code.cells)}
        table = np.full((len(repeats), len(passages)), np.nan)
        at = {name: number for number, name in enumerate(passages)}
        for (name, repeat), entry in known.items():
            if entry["codes"]:
                level = place[entry["codes"][code.name]]
                table[repeats.index(repeat), at[name]] = level
        several = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
        if not several.shape[1]:
            continue
        equal = np.nanmin(several, axis=0) == np.nanmax(several, axis=0)
        alpha = krippendorff_alpha(several, ORDINAL if code.kind.ordered else NOMINAL)
        found.append(Stability(code.name, several.shape[1], float(equal.mean()), alpha.value))
    return found


def reasons(entries: Sequence[Entry]) -> list[tuple[str, int]]:
    """Return why answers could not be used, and how often, the most frequent first."""
    counts = Counter(entry["reason"] for entry in answered(entries).values() if entry["reason"])
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def models(entries: Sequence[Entry]) -> list[str]:
    """Return the models that answered, as their server names them, in the order of answers."""
    return list(dict.fromkeys(entry["model"] for entry in entries))
