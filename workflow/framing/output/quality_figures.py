"""Figures on the classifier and on robustness: learning curve, calibration, specification curve.

Drawn by the rules of :mod:`framing.output.figures`: bytes depend on the data alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from framing.inference.contrasts import CONTRADICTED, SUPPORTED, UNDECIDED, UNKNOWN
from framing.output import figures as base
from framing.output.captions import Edition

_MOST = 150  # specifications drawn of each contrast, evenly by rank: more are one blot
_COLOURS = {
    UNDECIDED: base.MUTED, UNKNOWN: base.MUTED, SUPPORTED: base.BLUE, CONTRADICTED: base.ORANGE,
}  # fmt: skip
_LEFT, _GAP, _FOOT, _HIGH = 0.62, 0.42, 0.48, 2.0  # inches
_LINE = 0.14  # inches a line of a title is high


def _panels(titles: Sequence[str], down: str, across: str) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes of these titles side by side, three in a row."""
    columns = min(3, len(titles))
    bands = -(-len(titles) // columns)
    width = (base.WIDTH - _LEFT - 0.12 - _GAP * (columns - 1)) / columns
    wrapped = [base._wrap(title, int(width / base._inches("x"))) for title in titles]
    head = 0.2 + _LINE * max(title.count("\n") + 1 for title in wrapped)
    whole = head + _HIGH + _FOOT
    figure = Figure(figsize=(base.WIDTH, bands * whole))
    panels = []
    for place, title in enumerate(wrapped):
        band, column = divmod(place, columns)
        left, top = _LEFT + column * (width + _GAP), band * whole + head
        axes = base._axes(figure, left, top, width, _HIGH)
        axes.grid(color=base.GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.set_title(title, loc="left", pad=5, fontweight="bold")
        axes.set_xlabel(across, fontsize=base.SMALL)
        if not column:
            axes.set_ylabel(down, fontsize=base.SMALL)
        panels.append(axes)
    return figure, panels


def learning(t14: pd.DataFrame, edition: Edition, *, name: str = "learning") -> str:
    """Return T14 as curves: average precision by coded passages learned from, a panel a code.

    The line is the mean over repeats, the band runs from the lowest to the highest.
    """
    rows = t14[t14["average_precision"].notna()]
    with base._settings():
        if rows.empty:
            return base._nothing(edition.specs.phrases["no_figure"], name)
        codes = base._in_order(edition.labels["code"], list(rows["code"]))
        titles = [edition.label("code", code) for code in codes]
        figure, panels = _panels(titles, "average precision", "coded passages")
        for code, axes in zip(codes, panels, strict=True):
            own = rows[rows["code"] == code].sort_values("passages")
            taught = [int(value) for value in own["passages"]]
            columns = [[base._value(value) for value in own[key]]
                       for key in ("ap_lowest", "ap_highest", "average_precision")]  # fmt: skip
            axes.fill_between(taught, columns[0], columns[1], color=base.BLUE, alpha=0.2, lw=0)
            axes.plot(taught, columns[2], "o-", color=base.BLUE, markersize=3.6, linewidth=1.4)
            axes.set_ylim(0, 1.02)
            axes.set_xlim(0, 1.05 * max(taught))
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        return base._svg(figure, name)


def calibration(t15: pd.DataFrame, edition: Edition, *, name: str = "calibration") -> str:
    """Return T15 as a reliability diagram: share carrying the code by mean probability, by code.

    Bars are intervals; a dot's number is how many coded passages stand behind it; the grey line is
    where probabilities mean what they say.
    """
    rows = t15[t15["share"].notna()]
    with base._settings():
        if rows.empty:
            return base._nothing(edition.specs.phrases["no_figure"], name)
        codes = base._in_order(edition.labels["code"], list(rows["code"]))
        titles = [edition.label("code", code) for code in codes]
        figure, panels = _panels(titles, "share carrying the code", "mean probability")
        for code, axes in zip(codes, panels, strict=True):
            axes.plot([0, 1], [0, 1], color=base.MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
            for row in rows[rows["code"] == code].to_dict("records"):
                x, y = base._value(row["mean_probability"]), base._value(row["share"])
                ends = [base._value(row["ci_low"]), base._value(row["ci_high"])]
                axes.plot([x, x], ends, color=base.BLUE, linewidth=1.4)
                axes.plot(x, y, "o", color=base.BLUE, markersize=4, clip_on=False)
                axes.annotate(f"{int(row['passages'])}", (x, y), xytext=(4, -7), fontsize=5.5,
                              textcoords="offset points", color=base.MUTED)  # fmt: skip
            axes.set_xlim(0, 1.04)
            axes.set_ylim(0, 1.02)
            base._percent(axes.xaxis, 4)
            base._percent(axes.yaxis, 4)
        return base._svg(figure, name)


def specification(t16: pd.DataFrame, edition: Edition, *, name: str = "specification") -> str:
    """Return T16 as specification curves: differences in rising order, a panel a contrast.

    Blue where the specification's own interval supports the thesis, orange where it contradicts it,
    grey where it does neither; the grey band behind is the intervals, the ring the main
    specification. Of many specifications every n-th by rank is drawn.
    """
    rows = t16[t16["difference"].notna()]
    with base._settings():
        if rows.empty:
            return base._nothing(edition.specs.phrases["no_figure"], name)
        contrasts = list(dict.fromkeys(rows["contrast"]))
        titles = [edition.label("contrast", contrast) for contrast in contrasts]
        figure, panels = _panels(titles, "difference in shares", "")
        ends = [base._value(value) for key in ("ci_low", "ci_high", "difference")
                for value in rows[key]]  # fmt: skip
        ends = [value for value in ends if not math.isnan(value)]
        low, high = min(0.0, *ends), max(0.0, *ends)
        for contrast, axes in zip(contrasts, panels, strict=True):
            own = rows[rows["contrast"] == contrast].copy()
            own["difference"] = own["difference"].round(6)
            own = own.sort_values(["difference", "ci_low"], kind="stable").reset_index(drop=True)
            thin = own.iloc[:: max(1, len(own) // _MOST)]
            bounds = [[base._value(value) for value in thin[key]] for key in ("ci_low", "ci_high")]
            axes.fill_between(thin.index, bounds[0], bounds[1], color=base.GRID, lw=0)
            for verdict, colour in _COLOURS.items():
                part = thin[thin["verdict"] == verdict]
                axes.plot(part.index, part["difference"], ".", color=colour, markersize=2.4)
            main = own[own["main"] == "yes"]
            axes.plot(main.index, main["difference"], "o", markersize=7, markerfacecolor="none",
                      color=base.INK)  # fmt: skip
            axes.axhline(0, color=base.INK, linewidth=0.8)
            axes.set_ylim(low * 1.05, high * 1.05)
            axes.set_xticks([])
            base._percent(axes.yaxis, 5)
            agreeing = float((own["difference"] * float(main["difference"].iloc[0]) > 0).mean())
            words = f"{len(own):,} specifications, {100 * agreeing:.0f} % agree in sign"
            axes.set_xlabel(words, fontsize=base.SMALL)
        return base._svg(figure, name)
