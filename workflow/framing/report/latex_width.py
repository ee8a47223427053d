"""How a table is set so that it fits the narrowest line it may meet: that of LaTeX's ``article``.

Widths are reckoned from those of Computer Modern's letters, never measured, so that they are the
same everywhere. Of several settings the first is taken in which the table fits, text columns being
broken over a few lines where that helps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from framing.report.layout import Cell, Head, Sheet

LINE = 345.0  # points: the line of article at ten points, one column
_WIDTHS = {
    0.28: "ijl.,:;!'|[]’‘ ", 0.34: "-I", 0.4: "frst()", 0.45: "cez", 0.54: "bdhknpquvxyFJS",
    0.64: "LZ", 0.76: "ABCDEGHKNOPQRTUVXY+−×<>=αw", 0.86: "mM%&—", 1.03: "W",
}  # fmt: skip
_OF = {char: width for width, chars in _WIDTHS.items() for char in chars}
_OTHER, _WIDE = 0.5, 1.0  # digits and most else; letters of East Asia
BOLD = 1.15
SLACK = 9.0  # points by which reckoned widths may be off
LONG_HEAD = 10  # characters
MARK = 4.0  # points a raised letter takes
FEW = 6  # lines that a cell may be broken into before another setting is tried
MOST = 60  # lines that a cell may be broken into at all
RAGGED = 1.2  # how much longer lines are in a broken cell that ends words where they end


@dataclass(frozen=True)
class Setting:
    """Size of letters, its points a unit of width, gap beside a column, intervals beneath."""

    size: str
    unit: float
    gap: float
    stacked: bool


SETTINGS = (
    Setting("footnotesize", 8.5, 4, False),
    Setting("footnotesize", 8.5, 2.5, False),
    Setting("footnotesize", 8.5, 4, True),
    Setting("footnotesize", 8.5, 3, True),
    Setting("scriptsize", 8.0, 3, True),
    Setting("scriptsize", 8.0, 2, True),
    Setting("scriptsize", 8.0, 1, True),
)


@dataclass(frozen=True)
class Fit:
    """A setting, the share of the line of each column whose cells are broken, and lines."""

    setting: Setting
    shares: Mapping[int, float]
    lines: int


@lru_cache(maxsize=1 << 16)  # each setting asks for the same texts
def width(text: str) -> float:
    """Return how wide a text is set, in units of its size."""
    return sum(_OF.get(char, _WIDE if ord(char) > 0x2E80 else _OTHER) for char in text)


def head_lines(head: Head) -> list[str]:
    """Return a column's head as it is set: a long one above numbers on two lines."""
    label, words = head.label, head.label.split()
    if not head.numeric or len(words) < 2 or len(label) < LONG_HEAD:
        return [label]
    cut = next(
        n
        for n in range(1, len(words))
        if 2 * len(" ".join(words[:n])) >= 0.8 * len(label) or n == len(words) - 1
    )
    return [" ".join(words[:cut]), " ".join(words[cut:])]


def fit(sheet: Sheet) -> Fit:
    """Return the setting that takes fewest lines of those with the largest letters that fit.

    Where none fits it is the last one, all the same.
    """
    made = [_set(sheet, setting) for setting in SETTINGS]
    size = next((table.setting.size for table, fits in made if fits), None)
    fitting = [table for table, fits in made if fits and table.setting.size == size]
    return min(fitting, key=lambda table: table.lines) if fitting else made[-1][0]


def _set(sheet: Sheet, setting: Setting) -> tuple[Fit, bool]:
    """Return a table in a setting, and whether it fits there in few lines."""
    columns = [
        [row[place] for _, rows in sheet.sections for row in rows]
        for place in range(len(sheet.heads))
    ]
    parts = list(zip(sheet.heads, columns, strict=True))
    naturals = [_natural(head, cells, setting) for head, cells in parts]
    words = [_longest(head, cells, setting) for head, cells in parts]
    room = LINE - SLACK - 2 * setting.gap * (len(sheet.heads) - 1)
    broken = _broken(sheet.heads, naturals, words, room) if sum(naturals) > room else {}
    needed = sum(broken.get(place, natural) for place, natural in enumerate(naturals))
    lines, most = 0, 1
    for title, rows in sheet.sections:
        lines += bool(title)
        for row in rows:
            stacked = setting.stacked and any(cell.interval for cell in row)
            each = [
                _lines(width(row[place].text) * setting.unit, wide)
                for place, wide in broken.items()
            ]
            most = max([most, *each])
            lines += max([1 + stacked, *each])
    shares = {place: math.floor(1000 * wide / LINE) / 1000 for place, wide in broken.items()}
    return Fit(setting, shares, lines), needed < room + 0.5 and most <= FEW


def _lines(natural: float, wide: float) -> int:
    """Return how many lines a text takes in a column."""
    return 1 if natural <= wide else math.ceil(RAGGED * natural / wide)


def _natural(head: Head, cells: Sequence[Cell], setting: Setting) -> float:
    """Return the width of a column none of whose cells is broken, in points."""
    bold = BOLD if head.leading else 1.0
    widths = [bold * width(line) for line in head_lines(head)]
    for cell in cells:
        if setting.stacked:
            widths += [width(cell.text), width(cell.interval)]
        else:
            widths.append(width(f"{cell.text} {cell.interval}".strip()))
    return max(widths) * setting.unit + (MARK if any(cell.mark for cell in cells) else 0.0)


def _longest(head: Head, cells: Sequence[Cell], setting: Setting) -> float:
    """Return the width of a column's longest word, in points, at most that of the line.

    Words end at spaces and after hyphens, as they do in LaTeX.
    """
    texts = [head.label, *(cell.text for cell in cells)]
    words = {word for text in texts for word in text.replace("-", "- ").split()}
    return min(max(map(width, words), default=0.0) * setting.unit, LINE)


def _broken(
    heads: Sequence[Head], naturals: Sequence[float], words: Sequence[float], room: float
) -> dict[int, float]:
    """Return the widths of the text columns that must be broken for a table to fit, by place.

    Cells are broken into as few lines as will do, though no column gets less than its longest word
    needs; then columns that lack least are left whole as long as there is room, and what remains
    goes to the others. Where even words are too long for the room, the table is too wide.
    """
    text = [place for place, head in enumerate(heads) if not head.numeric]
    room -= sum(naturals[place] for place, head in enumerate(heads) if head.numeric)
    given: dict[int, float] = {}
    for lines in range(2, MOST + 1):
        # Lines are not filled to the end: a line more or less is not worth more room.
        given = {
            place: min(naturals[place], LINE, max(words[place], RAGGED * naturals[place] / lines))
            for place in text
        }
        if sum(given.values()) <= room:
            break
    spare = room - sum(given.values())
    for place in sorted(text, key=lambda place: naturals[place] - given[place]):
        lacking = naturals[place] - given[place]
        if lacking <= spare:
            spare -= lacking
            del given[place]
    whole = sum(given.values())
    return {place: wide + max(spare, 0.0) * wide / whole for place, wide in given.items()}
