"""Result tables as Markdown for GitHub: the rows and columns that LaTeX and HTML print."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from framing.report.layout import Cell, Head, Sheet, lay_out
from framing.tables.captions import Edition, plain
from framing.tables.specs import TableSpec

_MARKUP = re.compile(r"[\\`*_<>#|~$&]")  # the dollar opens a formula on GitHub
_LINK_END = re.compile(r"\](?=[(\[:])")  # without it there is no link, and intervals stay readable
_BLOCK = re.compile(r"[-+=]|\d{1,9}[.)]")  # at the start of a line: a list, a rule, a heading


def markdown(text: str) -> str:
    """Return text that Markdown shows as it is within a line, whatever it holds."""
    escaped = _MARKUP.sub(r"\\\g<0>", plain(text))
    return _LINK_END.sub(r"\\]", escaped).replace("![", "\\![")


def paragraph(text: str) -> str:
    """Return text as a paragraph of its own, which is no list, heading or rule."""
    escaped = markdown(text)
    start = _BLOCK.match(escaped)
    if start is None:
        return escaped
    place = start.end() - 1
    return f"{escaped[:place]}\\{escaped[place:]}"


def markdown_text(
    frame: pd.DataFrame,
    spec: TableSpec,
    edition: Edition,
    key: str = "",
    sheet: Sheet | None = None,
) -> str:
    """Return a table with title, caption, notes, N and digests as a Markdown page.

    It has the rows and columns that LaTeX and HTML print; the title of a section is a row of its
    own. ``key`` names the table's very numbers (:func:`framing.tables.keys.key_of`), ``sheet`` is
    the table as laid out, where that was done already.
    """
    sheet = sheet or lay_out(frame, spec, edition)
    phrases = edition.specs.phrases
    legend = f" {markdown(phrases['status'])}" if sheet.marks else ""
    marks = [f"<sup>{mark}</sup> {markdown(status)}" for status, mark in sheet.marks.items()]
    parts = [
        f"# {markdown(f'{spec.id}: {spec.title}')}",
        paragraph(spec.caption),
        "\n".join(_grid(sheet, phrases["no_rows"])),
        f"*Note.* {markdown(spec.note)}{legend}",
        *marks,
        paragraph(edition.standing),
        paragraph(phrases["licence"]),
        *([f"Key of this table: {markdown(key)}"] if key else []),
    ]
    return "\n\n".join(parts) + "\n"


def _grid(sheet: Sheet, no_rows: str) -> list[str]:
    """Return the lines of a table: heads, how columns are set, sections."""
    lines = [
        _line([_head(head) for head in sheet.heads]),
        "|" + "|".join("--:" if head.numeric else ":--" for head in sheet.heads) + "|",
    ]
    rest = [""] * (len(sheet.heads) - 1)
    for title, rows in sheet.sections:
        if title:
            lines.append(_line([_strong(title), *rest]))
        lines += [_line([_cell(cell) for cell in row]) for row in rows]
    return lines if sheet.sections else [*lines, _line([markdown(no_rows), *rest])]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _head(head: Head) -> str:
    return _strong(head.label) if head.leading else markdown(head.label)


def _strong(text: str) -> str:
    escaped = markdown(text)
    return f"**{escaped}**" if escaped else ""


def _cell(cell: Cell) -> str:
    text = f"{markdown(cell.text)} {markdown(cell.interval)}".strip()
    return f"{text}<sup>{cell.mark}</sup>" if cell.mark else text
