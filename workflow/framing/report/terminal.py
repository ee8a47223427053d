"""The headline table for a terminal: groups by codes, as plain as terminals are."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from textwrap import wrap

import pandas as pd

from framing.common.config import ALL
from framing.report.layout import number
from framing.tables.captions import Edition
from framing.tables.kinds import is_missing

WIDTH = 79  # columns of a terminal that is not asked for its size
DECIMALS = 2  # at most so many, to be read at a glance; the tables have more
_PLAIN = str.maketrans({"–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"',
                        "…": "..."})  # fmt: skip


def headline(t4: pd.DataFrame, edition: Edition) -> str:
    """Return T4 by the headline estimator and target as text, a row a group, a column a code.

    Cells hold estimate and interval; one that cannot be estimated a dash and a letter, explained
    below. Codes that do not fit in 79 columns follow in further blocks. Beneath stand what each
    draw counts as, and warnings. Letters of Latin script lose their accents, so that the text
    survives any locale.
    """
    led = edition.headline
    rows = t4[(t4["estimator"] == led["estimator"]) & (t4["target"] == led["target"])]
    groups = [key for key in edition.labels["group"] if key in set(rows["group"])]
    groups.sort(key=lambda group: group == ALL)
    codes = [key for key in edition.labels["code"] if key in set(rows["code"])]
    marks: dict[str, str] = {}
    cells = {
        (row["group"], row["code"]): _cell(row, min(DECIMALS, edition.decimals), marks)
        for row in rows.to_dict("records")
    }
    first = ["", *(ascii_text(edition.label("group", group)) for group in groups)]
    columns = [
        [
            ascii_text(edition.label("code", code)),
            *(cells.get((group, code), "-") for group in groups),
        ]
        for code in codes
    ]
    confidence = f"{100 * edition.context['confidence']:g}"
    lines = [
        ascii_text(edition.context["title"]),
        f"Share of passages [{confidence} % interval], coded by {edition.context['coders']};",
        f"estimator: {edition.label('estimator', led['estimator'])}{_as_read(edition)}; "
        f"target: {edition.label('target', led['target'])}",
    ]
    rule = groups.index(ALL) if ALL in groups and len(groups) > 1 else None
    for block in _blocks(columns, max(map(len, first), default=0)):
        lines += ["", *_aligned([first, *block], rule)]
    if marks:
        lines.append("")
        lines += [f"({mark}) {ascii_text(status)}" for status, mark in marks.items()]
    phrases = edition.specs.phrases
    lines += _listed(phrases["reading"]["draws"], edition.context["reading"])
    lines += _listed(phrases["warnings"]["title"], edition.context["warnings"])
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _as_read(edition: Edition) -> str:
    """Return a remark where labels only lead because every coding has been read."""
    return "" if edition.context["n_unread"] else " (no coding is unread)"


def _listed(title: str, sentences: Sequence[str]) -> list[str]:
    if not sentences:
        return []
    lines = ["", f"{ascii_text(title)}:"]
    for sentence in sentences:
        # A number is not parted from its sign: textwrap leaves the space between them alone.
        wrapped = wrap(sentence, WIDTH, initial_indent="- ", subsequent_indent="  ")
        lines += map(ascii_text, wrapped)
    return lines


def ascii_text(text: str) -> str:
    """Return text with plain dashes and quotes and without accents; other scripts stay."""
    parts = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def _cell(row: dict[str, object], decimals: int, marks: dict[str, str]) -> str:
    names = ("estimate", "ci_low", "ci_high")
    if is_missing(row["estimate"]):
        status = str(row["status"] or "no estimate")
        return f"- ({marks.setdefault(status, str(len(marks) + 1))})"
    values = [
        "-" if is_missing(row[name]) else ascii_text(number(float(str(row[name])), decimals))
        for name in names
    ]
    return f"{values[0]} [{values[1]}, {values[2]}]"


def _blocks(columns: Sequence[list[str]], first: int) -> list[list[list[str]]]:
    """Return columns in as many blocks as it takes to stay within the width."""
    blocks: list[list[list[str]]] = [[]]
    used = first
    for column in columns:
        width = 2 + max(map(len, column))
        if blocks[-1] and used + width > WIDTH:
            blocks.append([])
            used = first
        blocks[-1].append(column)
        used += width
    return blocks


def _aligned(columns: Sequence[Sequence[str]], rule: int | None) -> list[str]:
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in zip(*columns, strict=True)
    ]
    bar = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines.insert(1, bar)
    if rule:
        lines.insert(rule + 2, bar)
    return lines
