"""Figures in every form, each from one result table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd
from matplotlib.figure import Figure

from framing.report import figures
from framing.tables.captions import Edition
from framing.tables.jobs import resolve


def drawing(name: str, tables: Mapping[str, pd.DataFrame], words: Edition) -> Figure:
    """Return the figure ``name``, drawn by the function that its table's file names."""
    spec = words.specs.figures[name]
    drawn: Figure = resolve(spec.draw)(tables[spec.table], words)
    return drawn


def draw(
    names: Iterable[str], tables: Mapping[str, pd.DataFrame], words: Edition
) -> dict[str, bytes]:
    """Return figures as ``figures/<id>.svg``, ``.pdf`` and ``.png``, by path below ``results/``.

    ``names`` are ids of figures, ``tables`` the result tables by id, of which a figure needs the
    one that ``words.specs.figures`` names; of ``words`` they use the labels
    (:func:`framing.tables.captions.lettering`).
    """
    made: dict[str, bytes] = {}
    for name in names:
        figure = drawing(name, tables, words)
        made[f"figures/{name}.svg"] = figures.svg_text(figure, name).encode("utf-8")
        made[f"figures/{name}.pdf"] = figures.pdf_bytes(figure)
        made[f"figures/{name}.png"] = figures.png_bytes(figure)
    return made
