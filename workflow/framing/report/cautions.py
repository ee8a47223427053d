"""What must be known before any number is used: warnings that result tables give cause for.

In words of words.yaml (``phrases.warnings``), for the report and the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from framing.codebook.codes import OF_LEVEL
from framing.coding.variables import variable_of
from framing.common.config import ALL
from framing.report.layout import number, percent
from framing.tables.captions import Edition
from framing.tables.disagreement import COMBINED, alone_on_the_same, outside
from framing.tables.kinds import is_missing
from framing.tables.looking import MARKED, QUALITY, READ_PASSAGES


def warned(words: Edition, tables: Mapping[str, pd.DataFrame]) -> Edition:
    """Return the words of a project with the warnings of its tables after those it has already.

    ``tables`` are the result tables by id, of which T18 and T22 are looked at.
    """
    found = [
        *shares_outside(tables["T18-coder-shares"], words),
        *parted(tables["T22-looking"], words),
    ]
    said = dict.fromkeys([*words.context["warnings"], *found])
    return replace(words, context={**words.context, "warnings": list(said)})


def shares_outside(t18: pd.DataFrame, words: Edition) -> Iterator[str]:
    """Yield a warning for ties among coders, and for combined shares outside the coders' own."""
    phrases = words.specs.phrases["warnings"]
    for (code, group), own in t18.groupby(["code", "group"], sort=False):
        alone = alone_on_the_same(own)
        label = words.label("code", code)
        for row in own[own["coder"] == COMBINED].to_dict("records"):
            if group == ALL and not is_missing(row["tied"]) and row["tied"]:
                # Levels of one code were tied on the same passages: said once.
                name = words.label("variable", variable_of(code)) if OF_LEVEL in code else label
                yield phrases["tied"].format(code=name, tied=row["tied"], coded=row["coded"])
            share = row["estimate"]
            if is_missing(share) or not outside(share, list(alone)):
                continue
            said = {name: percent(value, words.decimals) for name, value in
                    (("share", share), ("low", alone.min()), ("high", alone.max()))}  # fmt: skip
            group_label = words.label("group", group)
            yield phrases["outside"].format(code=label, group=group_label, **said)


def parted(t22: pd.DataFrame, words: Edition) -> Iterator[str]:
    """Yield a warning for each code in which the classifier differs on what was read.

    In quality, by the first measure that parts; in how often it marks passages drawn to be read,
    among all groups together.
    """
    rows = t22[(t22["group"] == ALL) & (t22["reading"] != "")]
    for code, own in rows.groupby("code", sort=False):
        label = words.label("code", code)
        for comparison, some in own.groupby("comparison", sort=False):
            if comparison == MARKED:
                some = some[some["of"] == READ_PASSAGES]
            if len(some):
                yield _parted(comparison, some.iloc[0].to_dict(), label, words)


def _parted(comparison: str, row: Mapping[str, Any], label: str, words: Edition) -> str:
    phrases = words.specs.phrases["warnings"]
    values = [row["value_of"], row["value_against"]]
    if comparison == QUALITY:
        of, against = (number(value, words.decimals) for value in values)
        said = {"code": label, "measure": row["measure"], "of": of, "against": against}
        return str(phrases["quality"].format(**said))
    of, against = (percent(value, words.decimals) for value in values)
    z = number(row["z"], 1)
    return str(phrases["marked"].format(code=label, of=of, against=against, z=z))
