"""The figure of what looking did: quality on read and unread passages, and marking rates.

Drawn by the rules of :mod:`framing.report.figures`: bytes depend on the data alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from framing.common.config import ALL
from framing.report import figures as base
from framing.report.layout import MINUS, number
from framing.tables.captions import Edition
from framing.tables.kinds import is_missing
from framing.tables.looking import AVERAGE_PRECISION, F1, MARKED, QUALITY, READ_PASSAGES

_MOST = 3  # codes side by side
_MEASURES = ((AVERAGE_PRECISION, "AP", base.BLUE, "o"), (F1, "F1", base.ORANGE, "s"))
_GAP, _SLOPE, _BETWEEN, _ROW, _FOOT = 0.34, 1.5, 0.98, 0.2, 0.42  # inches
_Z = 0.5  # inches for z beside a panel
_ROOM = 24  # characters a line of a reason has
_DECIMALS = 2


def looking(t22: pd.DataFrame, edition: Edition) -> Figure:
    """Return T22 as two panels a code: quality by what was read, and marking rates by group.

    Above, average precision (dots) and F1 (squares) on read passages to the left and unread ones to
    the right, joined, with their difference and its interval written beneath; where these cannot be
    compared it says why. Below, a row a group: a dot for passages drawn to be read, a ring for all
    that could have been drawn, and z, in bold where it is more than chance would bring.
    """
    with base.house_style():
        if t22.empty:
            return base.nothing(edition.specs.phrases["no_figure"])
        codes = base.in_order(edition.labels["code"], list(t22["code"]))
        rates = t22[(t22["comparison"] == MARKED) & (t22["of"] == READ_PASSAGES)]
        groups = base.in_order(edition.labels["group"], list(rates["group"]))
        labels = [base.wrap(edition.label("group", group), 18) for group in groups]
        columns = min(_MOST, len(codes))
        bands = -(-len(codes) // columns)
        left = 0.15 + max([0.5, *(base.inches(line) for one in labels for line in one.split("\n"))])
        width = (base.WIDTH - left - columns * _Z - _GAP * (columns - 1)) / columns
        titles = [base.wrap(edition.label("code", code), int((width + _Z) / base.inches("x")))
                  for code in codes]  # fmt: skip
        head = 0.2 + 0.14 * max(title.count("\n") + 1 for title in titles)
        row = _ROW + 0.1 * max([0, *(label.count("\n") for label in labels)])
        below = row * len(groups)
        whole = head + _SLOPE + _BETWEEN + below + _FOOT
        figure = Figure(figsize=(base.WIDTH, bands * whole))
        highest = max([0.05, *(base.rounded(v) for name in ("value_of", "value_against")
                               for v in rates[name] if not is_missing(v))])  # fmt: skip
        for place, (code, title) in enumerate(zip(codes, titles, strict=True)):
            band, column = divmod(place, columns)
            x, top = left + column * (width + _Z + _GAP), band * whole + head
            own = t22[t22["code"] == code]
            axes = base.axes_at(figure, x, top, width, _SLOPE)
            axes.set_title(title, loc="left", pad=6, fontweight="bold")
            said = _slopes(axes, own[own["comparison"] == QUALITY].to_dict("records"))
            for line, (words, colour) in enumerate(said):
                base.say(figure, x - 0.1, top + _SLOPE + 0.36 + 0.13 * line, words, color=colour,
                          fontsize=base.SMALL)  # fmt: skip
            if not groups:
                continue
            y = top + _SLOPE + _BETWEEN
            key = "" if column else ": ● drawn to be read, ○ all"
            base.say(figure, x - 0.1, y - 0.1, f"share marked{key}", fontsize=base.SMALL)
            by_group = {
                one["group"]: one for one in rates[rates["code"] == code].to_dict("records")
            }
            axes = base.axes_at(figure, x, y, width, below)
            _rates(axes, [by_group.get(group, {}) for group in groups], 1.08 * highest)
            for line, (group, label) in enumerate(zip(groups, labels, strict=True)):
                if not column:
                    base.say(figure, left - 0.1, y + (line + 0.5) * row, label, ha="right",
                              va="center", linespacing=1.0,
                              fontweight="bold" if group == ALL else "normal")  # fmt: skip
        return figure


def _slopes(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Draw quality on read and unread passages; return what to write beneath, with its colour."""
    axes.set(xlim=(-0.25, 1.25), ylim=(0, 1.02))
    axes.set_xticks([0, 1], ["read", "unread"])
    axes.tick_params(length=0)
    axes.grid(axis="y", color=base.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    by_measure = {row["measure"]: row for row in rows}
    said: list[tuple[str, str]] = []
    for measure, short, colour, marker in _MEASURES:
        row = by_measure.get(measure, {})
        values = [base.rounded(row.get(name)) for name in ("value_of", "value_against")]
        if any(map(math.isnan, values)):
            continue
        axes.plot([0, 1], values, color=colour, linewidth=1.4, marker=marker, markersize=4.2)
        ends = [base.rounded(row[name]) for name in ("ci_low", "ci_high")]
        gap = number(base.rounded(row["difference"]), _DECIMALS)
        words = f"{short}: {'' if gap.startswith(MINUS) else '+'}{gap}"
        if not any(map(math.isnan, ends)):
            words += f" [{', '.join(number(end, _DECIMALS) for end in ends)}]"
        said.append((words, colour))
    if not said:
        reasons = dict.fromkeys(str(row["status"]) for row in rows if row["status"])
        axes.text(0.5, 0.5, base.wrap("; ".join(reasons) or "–", _ROOM), ha="center", va="center",
                  color=base.MUTED, fontsize=base.SMALL)  # fmt: skip
    return said


def _rates(axes: Axes, rows: Sequence[Mapping[str, Any]], highest: float) -> None:
    """Draw marking rates, a row a group, and write z to the right of each."""
    axes.set(xlim=(0, highest), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=base.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    base.percent(axes.xaxis, 3)
    for place, row in enumerate(rows):
        drawn, every = (base.rounded(row.get(name)) for name in ("value_of", "value_against"))
        if math.isnan(drawn):
            axes.text(0, place, "–", color=base.MUTED, va="center")
            continue
        axes.plot([drawn, every], [place, place], color=base.MUTED, linewidth=0.9)
        axes.plot(every, place, "o", color=base.BLUE, markersize=4.6, markerfacecolor=base.PAPER,
                  clip_on=False)  # fmt: skip
        axes.plot(drawn, place, "o", color=base.BLUE, markersize=4.6, clip_on=False)
        z = base.rounded(row.get("z"))
        if not math.isnan(z):
            axes.annotate(f"z {number(z, 1)}", (1, place), xytext=(5, 0), va="center_baseline",
                          xycoords=("axes fraction", "data"), textcoords="offset points",
                          fontsize=base.SMALL, annotation_clip=False,
                          fontweight="bold" if row.get("reading") else "normal")  # fmt: skip
