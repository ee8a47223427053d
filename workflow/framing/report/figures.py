"""Figures: how any of them looks, is laid out and is saved.

A figure is drawn once and saved as SVG (:func:`svg_text`), PDF (:func:`pdf_bytes`) and PNG
(:func:`png_bytes`). Bytes depend on the data alone: no fonts, style files or measured text sizes of
the machine enter (sizes of labels are reckoned from their length, glyphs are those that come with
matplotlib), numbers are rounded before they are drawn, no time and no version is written, and
ids inside an SVG begin with the figure's name so that several fit in one page. Colours are from the
palette of Okabe and Ito (2008); every distinction is also one of shape or place. Ink, grey and grid
have colours of their own (:data:`INK`, :data:`MUTED`, :data:`GRID`), which the report's style
sheet turns over on dark pages.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from framing.common.config import ALL
from framing.report.layout import MINUS
from framing.tables.kinds import is_missing

INK, MUTED, GRID = "#1f2328", "#6e7781", "#d8dee4"
PAPER = "#ffffff"
BLUE, ORANGE = "#0072b2", "#d55e00"
WIDTH = 7.0  # inches: the line of a journal page
SMALL, NORMAL = 7.0, 8.0  # points
DOTS = 200  # pixels an inch of a PNG
# Compression that only looks for runs (Z_RLE): what it finds does not hang on how a library, or
# the processor it was built for, searches for longer matches.
_RUNS = 3
CHARACTER = 0.58 / 72  # inches a character is wide, for each point of size
_SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "framing",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,  # TrueType, which journals ask for: text can be searched and edited
    "pdf.compression": 0,  # what compression gives differs with the library of the machine
    "text.parse_math": False,  # a dollar sign in a label is a dollar sign
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": NORMAL,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": NORMAL,
    "axes.titlecolor": INK,
    "axes.linewidth": 0.6,
    "lines.solid_capstyle": "butt",  # a bar ends where its interval does
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw by matplotlib's own defaults and ours, whatever style file the machine has."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def svg_text(figure: Figure, name: str) -> str:
    """Return a figure as SVG on no ground, whose ids begin with ``name``."""
    with house_style():
        FigureCanvasSVG(figure)
        out = io.StringIO()
        nameless = {"Date": None, "Creator": None}
        figure.savefig(out, format="svg", transparent=True, metadata=nameless)
    text = out.getvalue().replace("'DejaVu Sans'", "'DejaVu Sans', Verdana")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def pdf_bytes(figure: Figure) -> bytes:
    """Return a figure as a page of PDF, with its fonts and on white."""
    out = io.BytesIO()
    nameless = dict.fromkeys(("Creator", "Producer", "CreationDate"))
    with house_style():
        _without_ligatures(figure)
        figure.savefig(out, format="pdf", facecolor=PAPER, metadata=nameless)
    return out.getvalue()


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as PNG on white, with :data:`DOTS` pixels an inch."""
    out = io.BytesIO()
    with house_style():
        _without_ligatures(figure)
        figure.savefig(
            out, format="png", dpi=DOTS, facecolor=PAPER, metadata={"Software": None},
            pil_kwargs={"compress_type": _RUNS},
        )  # fmt: skip
    return out.getvalue()


def _without_ligatures(figure: Figure) -> None:
    """Set letters one by one: a PDF would need a second font for ligatures, and time to make it."""
    for text in figure.findobj(Text):
        text.set_fontfeatures(("-liga",))


def inches(text: str, size: float = NORMAL) -> float:
    """Return how wide a text is, reckoned from its length."""
    return len(text) * size * CHARACTER


def wrap(text: str, characters: int) -> str:
    """Return text in lines of at most so many characters, but no fewer than 6."""
    return "\n".join(textwrap.wrap(text, max(characters, 6))) or " "


def axes_at(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Return axes placed by inches from the figure's left and top edge."""
    whole_width, whole_height = figure.get_size_inches()
    bottom = whole_height - top - height
    return figure.add_axes(
        (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
    )


def say(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Write text at inches from the figure's left and top edge."""
    width, height = figure.get_size_inches()
    figure.text(x / width, 1 - y / height, text, **style)


def percent(axis: Any, bins: int) -> None:
    """Give an axis of shares few and round ticks, in percent."""
    axis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10], min_n_ticks=2))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{100 * value:z.6g} %".replace("-", MINUS))
    )


def rounded(value: Any) -> float:
    """Return a number rounded as in the CSV; NaN, which matplotlib leaves out, where missing."""
    return math.nan if is_missing(value) else round(float(value), 6)


def in_order(labels: Mapping[str, str], there: Sequence[str]) -> list[str]:
    """Return the ids of ``there``: labelled ones in the order of labels, others, then the total."""
    known = [key for key in labels if key in set(there)] + sorted(set(there) - set(labels))
    return sorted(known, key=lambda key: key == ALL)


def nothing(words: str) -> Figure:
    """Return a figure that only says why there is none."""
    figure = Figure(figsize=(WIDTH, 0.6))
    say(figure, 0.1, 0.3, words, va="center", color=MUTED)
    return figure
