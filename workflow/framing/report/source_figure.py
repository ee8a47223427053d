"""The figure of one source (T7): its passages as a strip, a band a code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from framing.report.figures import (
    BLUE,
    CHARACTER,
    GRID,
    INK,
    MUTED,
    NORMAL,
    ORANGE,
    SMALL,
    WIDTH,
    axes_at,
    house_style,
    in_order,
    inches,
    nothing,
    rounded,
    say,
    wrap,
)
from framing.tables.captions import Edition
from framing.tables.kinds import is_missing


def strip(t7: pd.DataFrame, edition: Edition) -> Figure:
    """Return T7 as a strip: passages left to right, as wide as they are long, a band a code.

    Shade is the probability of the code, a triangle the decision for it; below stands a line for
    each coder, filled where the coder found the code, hollow where not, blank where not coded.
    """
    with house_style():
        if t7.empty:
            return nothing(edition.specs.phrases["no_figure"])
        codes = in_order(edition.labels["code"], list(t7["code"]))
        marks = {
            (row["position"], row["code"]): _coder_marks(row["coders_detail"])
            for row in t7.to_dict("records")
        }
        coders = sorted({coder for found in marks.values() for coder in found})
        first = t7[t7["code"] == codes[0]].sort_values("position")
        ends = [int(value) for value in first["words"].cumsum()]
        starts = [0, *ends[:-1]]
        spans = dict(zip(first["position"], zip(starts, ends, strict=True), strict=True))
        label = max([*(edition.label("code", code) for code in codes), *coders], key=len)
        left = 0.2 + min(inches(label), 1.5)
        thin, tall, space, top, foot = 0.13, 0.34, 0.16, 0.34, 0.3
        band = tall + thin * len(coders) + space
        figure = Figure(figsize=(WIDTH, top + band * len(codes) + foot))
        width = WIDTH - left - 0.1
        for line, code in enumerate(codes):
            y = top + line * band
            words = wrap(edition.label("code", code), int((left - 0.15) / CHARACTER / NORMAL))
            say(figure, left - 0.08, y + tall / 2, words, ha="right", va="center",
                 fontweight="bold")  # fmt: skip
            axes = axes_at(figure, left, y, width, tall + thin * len(coders))
            axes.axis("off")
            axes.set(xlim=(0, ends[-1]), ylim=(tall + thin * len(coders), 0))
            for row in t7[t7["code"] == code].to_dict("records"):
                _passage(axes, row, spans[row["position"]], tall)
                for place, coder in enumerate(coders):
                    value = marks[row["position"], code].get(coder)
                    if value is not None:
                        _mark(axes, value, spans[row["position"]], tall + place * thin, thin)
            for place, coder in enumerate(coders):
                say(figure, left - 0.08, y + tall + (place + 0.5) * thin, coder, ha="right",
                     va="center_baseline", fontsize=SMALL - 1, color=MUTED)  # fmt: skip
        _scale(figure, left, bool(coders))
        _numbers(figure, spans, left, width, top + band * len(codes) - space, ends[-1])
        return figure


def _coder_marks(detail: Any) -> dict[str, bool]:
    """Return coder → found the code, from "coder-a=1 coder-b=0?"."""
    if is_missing(detail):
        return {}
    parts = (part.rstrip("?").rpartition("=") for part in str(detail).split())
    return {coder: value == "1" for coder, _, value in parts}


def _passage(axes: Axes, row: Mapping[str, Any], span: tuple[int, int], tall: float) -> None:
    probability = 0.0 if is_missing(row["probability"]) else rounded(row["probability"])
    start, width = span[0], span[1] - span[0]
    axes.add_patch(Rectangle((start, 0), width, tall, facecolor=BLUE, alpha=probability,
                             linewidth=0))  # fmt: skip
    axes.add_patch(Rectangle((start, 0), width, tall, fill=False, edgecolor=MUTED, linewidth=0.5))
    if not is_missing(row["decision"]) and int(row["decision"]) == 1:
        axes.plot(start + width / 2, 0, "v", color=ORANGE, markersize=4, clip_on=False)


def _mark(axes: Axes, found: bool, span: tuple[int, int], top: float, thin: float) -> None:
    start, width = span[0], span[1] - span[0]
    inset = 0.12 * width
    axes.add_patch(
        Rectangle((start + inset, top + 0.32 * thin), width - 2 * inset, 0.5 * thin,
                  facecolor=INK if found else "none", edgecolor=INK if found else GRID,
                  linewidth=0.5)
    )  # fmt: skip


def _scale(figure: Figure, left: float, coders: bool) -> None:
    """Draw the legend of shades and marks above the strip."""
    words = "Probability"
    say(figure, left, 0.12, words, va="center_baseline", fontsize=SMALL)
    x = left + inches(words, SMALL) + 0.15
    axes = axes_at(figure, x, 0.05, 1.0, 0.14)
    axes.axis("off")
    axes.set(xlim=(0, 5), ylim=(0, 1))
    for step in range(5):
        axes.add_patch(Rectangle((step, 0), 1, 1, facecolor=BLUE, alpha=0.1 + 0.2 * step,
                                 linewidth=0))  # fmt: skip
    axes.add_patch(Rectangle((0, 0), 5, 1, fill=False, edgecolor=MUTED, linewidth=0.5))
    say(figure, x - 0.05, 0.12, "0", va="center_baseline", ha="right", fontsize=SMALL)
    say(figure, x + 1.05, 0.12, "1", va="center_baseline", fontsize=SMALL)
    axes = axes_at(figure, x + 1.5, 0.05, 0.14, 0.14)
    axes.axis("off")
    axes.set(xlim=(-1, 1), ylim=(-1, 1))
    axes.plot(0, 0, "v", color=ORANGE, markersize=4)
    words = "classifier decides for the code"
    say(figure, x + 1.7, 0.12, words, va="center_baseline", fontsize=SMALL)
    if coders:
        x += 1.95 + inches(words, SMALL)
        axes = axes_at(figure, x, 0.05, 0.3, 0.13)
        axes.axis("off")
        axes.set(xlim=(0, 1), ylim=(0.13, 0))
        _mark(axes, True, (0, 1), 0.0, 0.13)
        say(figure, x + 0.34, 0.12, "coder finds it", va="center_baseline", fontsize=SMALL)


def _numbers(
    figure: Figure, spans: Mapping[int, tuple[int, int]], left: float, width: float, y: float,
    total: int,
) -> None:  # fmt: skip
    """Number the passages below the strip, leaving out numbers that would touch."""
    last = -1.0
    for position, (start, end) in spans.items():
        x = left + width * (start + end) / 2 / total
        half = inches(str(position), SMALL - 1) / 2
        if x - half > last:
            say(figure, x, y + 0.1, str(position), ha="center", va="center_baseline",
                 fontsize=SMALL - 1, color=MUTED)  # fmt: skip
            last = x + half + 0.04
    say(figure, left, y + 0.24, "passage, in reading order", va="center_baseline",
         fontsize=SMALL)  # fmt: skip
