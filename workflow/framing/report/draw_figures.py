"""Every figure in every form, each from one result table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pandas as pd
from matplotlib.figure import Figure

from framing.report import figures, quality_figures
from framing.report import looking_figure as looking
from framing.tables.captions import Edition

DRAWN: Mapping[str, Callable[[pd.DataFrame, Edition], Figure]] = {
    "agreement": quality_figures.agreement,
    "keyness": quality_figures.keyness,
    "prevalence": figures.forest,
    "trend": figures.trend,
    "essay": figures.strip,
    "specification": quality_figures.specification,
    "looking": looking.looking,
    "learning": quality_figures.learning,
    "calibration": quality_figures.calibration,
}


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
        figure = DRAWN[name](tables[words.specs.figures[name].table], words)
        made[f"figures/{name}.svg"] = figures.svg_text(figure, name).encode("utf-8")
        made[f"figures/{name}.pdf"] = figures.pdf_bytes(figure)
        made[f"figures/{name}.png"] = figures.png_bytes(figure)
    return made
