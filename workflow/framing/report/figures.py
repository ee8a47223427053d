"""Figures: prevalence by group, trend over periods, one source as a strip; and how any is saved.

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
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from framing.common.config import ALL
from framing.report.layout import MINUS
from framing.tables.captions import Edition
from framing.tables.kinds import is_missing

INK, MUTED, GRID = "#1f2328", "#6e7781", "#d8dee4"
PAPER = "#ffffff"
BLUE, ORANGE = "#0072b2", "#d55e00"
WIDTH = 7.0  # inches: the line of a journal page
LABELS_ONLY, COUNTED = "labels only", "classify-and-count"
SMALL, NORMAL = 7.0, 8.0  # points
DOTS = 200  # pixels an inch of a PNG
# Compression that only looks for runs (Z_RLE): what it finds does not hang on how a library, or
# the processor it was built for, searches for longer matches.
_RUNS = 3
_CHARACTER = 0.58 / 72  # inches a character is wide, for each point of size
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
def _settings() -> Iterator[None]:
    """Draw by matplotlib's own defaults and ours, whatever style file the machine has."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def svg_text(figure: Figure, name: str) -> str:
    """Return a figure as SVG on no ground, whose ids begin with ``name``."""
    with _settings():
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
    with _settings():
        _without_ligatures(figure)
        figure.savefig(out, format="pdf", facecolor=PAPER, metadata=nameless)
    return out.getvalue()


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as PNG on white, with :data:`DOTS` pixels an inch."""
    out = io.BytesIO()
    with _settings():
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


def _inches(text: str, size: float = NORMAL) -> float:
    return len(text) * size * _CHARACTER


def _wrap(text: str, characters: int) -> str:
    return "\n".join(textwrap.wrap(text, max(characters, 6))) or " "


def _axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Return axes placed by inches from the figure's left and top edge."""
    whole_width, whole_height = figure.get_size_inches()
    bottom = whole_height - top - height
    return figure.add_axes(
        (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
    )


def _say(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Write text at inches from the figure's left and top edge."""
    width, height = figure.get_size_inches()
    figure.text(x / width, 1 - y / height, text, **style)


def _percent(axis: Any, bins: int) -> None:
    axis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10], min_n_ticks=2))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{100 * value:z.6g} %".replace("-", MINUS))
    )


def _value(value: Any) -> float:
    """Return a number rounded as in the CSV; NaN, which matplotlib leaves out, where missing."""
    return math.nan if is_missing(value) else round(float(value), 6)


def _ceiling(frame: pd.DataFrame) -> float:
    """Return the upper end of a scale of shares that holds every estimate and interval."""
    values = [
        value
        for name in ("estimate", "ci_high", "coder_high")
        if name in frame
        for value in map(_value, frame[name])
        if not math.isnan(value)
    ]
    return min(max([0.05, *values]) * 1.06, 1.03)


def _in_order(labels: Mapping[str, str], there: Sequence[str]) -> list[str]:
    """Return the ids of ``there``: labelled ones in the order of labels, others, then the total."""
    known = [key for key in labels if key in set(there)] + sorted(set(there) - set(labels))
    return sorted(known, key=lambda key: key == ALL)


def _nothing(words: str) -> Figure:
    figure = Figure(figsize=(WIDTH, 0.6))
    _say(figure, 0.1, 0.3, words, va="center", color=MUTED)
    return figure


# --- Prevalence -----------------------------------------------------------------------------------


def forest(t4: pd.DataFrame, edition: Edition, *, columns: int = 3) -> Figure:
    """Return T4 as a forest plot: a panel a code, a row a group, on one scale.

    Filled dots with bars are the headline estimator and target, the thin line behind a bar the
    interval that also covers who coded; squares (labels only) and crosses (classify and count, same
    target) stand a little below. A cell without estimate shows a dash. Below a group's name stands
    how many of its passages were coded.
    """
    rows = t4[t4["target"] == edition.headline["target"]]
    with _settings():
        if rows.empty:
            return _nothing(edition.specs.phrases["no_figure"])
        codes = _in_order(edition.labels["code"], list(rows["code"]))
        groups = _in_order(edition.labels["group"], list(rows["group"]))
        labels = [_wrap(edition.label("group", group), 22) for group in groups]
        counts = [_coded(rows[rows["group"] == group]) for group in groups]
        left = 0.15 + max(
            *(_inches(line) for label in labels for line in label.split("\n")),
            *(_inches(count, SMALL) for count in counts),
        )
        bands = -(-len(codes) // columns)
        columns = -(-len(codes) // bands)
        gap, head, foot = 0.3, 0.36, 0.3
        width = (WIDTH - left - 0.12 - gap * (columns - 1)) / columns
        high = 0.24 + 0.13 * max(1 + label.count("\n") for label in labels)  # inches of a row
        height = high * len(groups)
        figure = Figure(figsize=(WIDTH, bands * (head + height + foot) + 0.3))
        ceiling = _ceiling(rows)
        for place, code in enumerate(codes):
            band, column = divmod(place, columns)
            axes = _axes(
                figure,
                left + column * (width + gap),
                band * (head + height + foot) + head,
                width,
                height,
            )
            _panel(axes, rows[rows["code"] == code], groups, edition)
            axes.set_xlim(-0.02 * ceiling, ceiling)
            title = _wrap(edition.label("code", code), int(width / _CHARACTER / NORMAL))
            axes.set_title(title, loc="left", pad=5, fontweight="bold")
            axes.set_yticks([])
            if column:
                continue
            for row, (label, count, group) in enumerate(zip(labels, counts, groups, strict=True)):
                middle = band * (head + height + foot) + head + (row + 0.5) * high
                lines = label.split("\n")
                top = middle - 0.065 * (len(lines) - 1)
                for place_, words in enumerate(lines):
                    _say(figure, left - 0.08, top + 0.13 * place_, words, ha="right",
                         fontweight="bold" if group == ALL else "normal")  # fmt: skip
                _say(figure, left - 0.08, top + 0.13 * len(lines), count, ha="right",
                     fontsize=SMALL, color=MUTED)  # fmt: skip
        coders = "coder_low" in rows and bool(
            rows.loc[rows["estimator"] == edition.headline["estimator"], "coder_low"].notna().any()
        )
        _legend(figure, edition, figure.get_size_inches()[1] - 0.14, left, coders)
        return figure


def _coded(rows: pd.DataFrame) -> str:
    """Return how many passages were coded, of how many."""
    first = rows.iloc[0]
    return f"{int(first['coded']):,} of {int(first['passages']):,} coded"


def _panel(axes: Axes, rows: pd.DataFrame, groups: Sequence[str], edition: Edition) -> None:
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    _percent(axes.xaxis, 4)
    if ALL in groups and len(groups) > 1:
        place = groups.index(ALL)
        axes.axhline(place - 0.5 if place else 0.5, color=GRID, linewidth=0.8)
    led = edition.headline["estimator"]
    for place, group in enumerate(groups):
        own = rows[rows["group"] == group].to_dict("records")
        by_estimator = {row["estimator"]: row for row in own}
        main = by_estimator.get(led, {})
        estimate = _value(main.get("estimate"))
        if math.isnan(estimate):
            axes.text(0, place - 0.12, "–", color=MUTED, ha="left", va="center")
        else:
            bounds = [_value(main[key]) for key in ("ci_low", "ci_high")]
            wider = [_value(main.get(key)) for key in ("coder_low", "coder_high")]
            axes.plot(wider, [place - 0.12] * 2, color=BLUE, linewidth=0.6, marker="|",
                      markersize=4, markeredgewidth=0.6)  # fmt: skip
            axes.plot(bounds, [place - 0.12] * 2, color=BLUE, linewidth=1.8)
            axes.plot(estimate, place - 0.12, "o", color=BLUE, markersize=5, clip_on=False)
        for estimator, marker, colour in ((LABELS_ONLY, "s", MUTED), (COUNTED, "x", ORANGE)):
            value = _value(by_estimator.get(estimator, {}).get("estimate"))
            if estimator != led:
                axes.plot(value, place + 0.2, marker, color=colour, markersize=3.6,
                          markerfacecolor="none", markeredgewidth=0.9, clip_on=False)  # fmt: skip


def _legend(figure: Figure, edition: Edition, y: float, left: float, coders: bool) -> None:
    led = edition.headline["estimator"]
    entries = [(led, "o", BLUE, 5.0)]
    entries += [
        (estimator, marker, colour, 3.6)
        for estimator, marker, colour in ((LABELS_ONLY, "s", MUTED), (COUNTED, "x", ORANGE))
        if estimator != led
    ]
    width, height = figure.get_size_inches()
    x = left
    for estimator, marker, colour, size in entries:
        filled = colour if estimator == led else "none"
        axes = figure.add_axes(((x - 0.1) / width, 1 - (y + 0.08) / height, 0.2 / width,
                                0.16 / height))  # fmt: skip
        axes.axis("off")
        axes.set(xlim=(-1, 1), ylim=(-1, 1))
        if estimator == led:
            axes.plot([-0.9, 0.9], [0, 0], color=colour, linewidth=1.8)
        axes.plot(0, 0, marker, color=colour, markersize=size, markerfacecolor=filled,
                  markeredgewidth=0.9)  # fmt: skip
        words = edition.label("estimator", estimator)
        if estimator == led:
            words += f" ({edition.label('target', edition.headline['target'])})"
        _say(figure, x + 0.16, y, words, va="center_baseline", fontsize=SMALL)
        x += 0.45 + _inches(words, SMALL)
    if coders:
        axes = figure.add_axes(((x - 0.1) / width, 1 - (y + 0.08) / height, 0.2 / width,
                                0.16 / height))  # fmt: skip
        axes.axis("off")
        axes.set(xlim=(-1, 1), ylim=(-1, 1))
        axes.plot([-0.9, 0.9], [0, 0], color=BLUE, linewidth=0.6, marker="|", markersize=4,
                  markeredgewidth=0.6)  # fmt: skip
        _say(figure, x + 0.16, y, edition.specs.phrases["brackets"]["coders"], va="center_baseline",
             fontsize=SMALL)  # fmt: skip


# --- Trend ----------------------------------------------------------------------------------------


def trend(t5: pd.DataFrame, edition: Edition) -> Figure:
    """Return T5 as a grid of small charts: a row a code, a column a group, one scale.

    Shows the headline estimator and target by period in display order, with a bar on each period
    and bands between neighbouring ones; the totals over all groups are grey. The period
    ``edition.context["undated"]`` (if given) stands apart and is never joined by a line. Passages
    without an estimate show a question mark, estimates without an interval a hollow dot; behind a
    period's name stands how many passages of the group were coded.
    """
    led = edition.headline
    rows = t5[
        (t5["estimator"] == led["estimator"])
        & (t5["target"] == led["target"])
        & (t5["period"] != ALL)
    ]
    with _settings():
        if rows.empty:
            return _nothing(edition.specs.phrases["no_figure"])
        codes = _in_order(edition.labels["code"], list(rows["code"]))
        groups = _in_order(edition.labels["group"], list(rows["group"]))
        groups = [group for group in groups if group != ALL] or [ALL]
        periods = _in_order(edition.labels["period"], list(rows["period"]))
        ceiling = _ceiling(rows)
        cells = {(row["code"], row["group"], row["period"]): row for row in rows.to_dict("records")}
        coded = rows.groupby(["group", "period"])["coded"].max().to_dict()  # the same for all codes
        ticks = {
            group: [
                f"{edition.label('period', period)} ({_count(coded.get((group, period))):,})"
                for period in periods
            ]
            for group in groups
        }
        longest = max(_inches(tick, SMALL) for shown in ticks.values() for tick in shown)
        left, gap, head, foot = 1.2, 0.12, 0.36, 0.36 + longest
        width = (WIDTH - left - 0.08 - gap * (len(groups) - 1)) / len(groups)
        height = 0.95
        figure = Figure(figsize=(WIDTH, head + len(codes) * (height + gap) + foot))
        for line, code in enumerate(codes):
            top = head + line * (height + gap)
            label = _wrap(edition.label("code", code), 12)
            _say(figure, 0.05, top + height / 2, label, va="center", fontweight="bold")
            for column, group in enumerate(groups):
                axes = _axes(figure, left + column * (width + gap), top, width, height)
                last = line == len(codes) - 1
                _frame(axes, len(periods), ceiling, column == 0, ticks[group] if last else [])
                if group != ALL:
                    _series(axes, cells, code, ALL, periods, edition)
                _series(axes, cells, code, group, periods, edition)
                if line == 0:
                    title = _wrap(edition.label("group", group), int(width / _CHARACTER / NORMAL))
                    axes.set_title(title, pad=4)
        _key(figure, edition, left, groups != [ALL])
        return figure


def _count(value: Any) -> int:
    """Return a count, 0 where the table has no such cell."""
    return 0 if is_missing(value) else int(value)


def _key(figure: Figure, edition: Edition, left: float, totals: bool) -> None:
    """Say at the foot of the trend what its marks are."""
    width, height = figure.get_size_inches()
    y = height - 0.12
    kinds = [(BLUE, "o", 1.4, 3.6, "the group")]
    if totals:
        words = edition.label("group", ALL)
        kinds.append((MUTED, ".", 0.9, 2.0, words[:1].lower() + words[1:]))
    x = left
    for colour, marker, thick, size, words in kinds:
        axes = figure.add_axes((x / width, 1 - (y + 0.06) / height, 0.28 / width, 0.12 / height))
        axes.axis("off")
        axes.set(xlim=(-1, 1), ylim=(-1, 1))
        axes.plot([-0.9, 0, 0.9], [0, 0, 0], color=colour, linewidth=thick, marker=marker,
                  markersize=size, markevery=[1])  # fmt: skip
        _say(figure, x + 0.34, y, words, va="center_baseline", fontsize=SMALL)
        x += 0.6 + _inches(words, SMALL)
    words = "?  no estimate     (in brackets: passages coded)"
    _say(figure, x, y, words, va="center_baseline", fontsize=SMALL)


def _frame(axes: Axes, periods: int, ceiling: float, first: bool, ticks: Sequence[str]) -> None:
    axes.set(xlim=(-0.5, periods - 0.5), ylim=(-0.02 * ceiling, ceiling))
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)
    _percent(axes.yaxis, 3)
    if not first:
        axes.tick_params(labelleft=False)
    axes.set_xticks(range(periods), ticks, rotation=90) if ticks else axes.set_xticks([])


def _series(
    axes: Axes,
    cells: Mapping[tuple[str, str, str], Mapping[str, Any]],
    code: str,
    group: str,
    periods: Sequence[str],
    edition: Edition,
) -> None:
    total = group == ALL
    style: dict[str, Any] = (
        {"color": MUTED, "linewidth": 0.9, "marker": ".", "markersize": 2}
        if total
        else {"color": BLUE, "linewidth": 1.4, "marker": "o", "markersize": 3.6}
    )
    undated = [period for period in periods if period == edition.context.get("undated")]
    for part in ([period for period in periods if period not in undated], undated):
        xs = [periods.index(period) for period in part]
        rows = [cells.get((code, group, period), {}) for period in part]
        estimate, low, high = (
            [_value(row.get(key)) for row in rows] for key in ("estimate", "ci_low", "ci_high")
        )
        if not total:
            axes.fill_between(xs, low, high, color=BLUE, alpha=0.14, linewidth=0)
            axes.vlines(xs, low, high, color=BLUE, linewidth=0.8)
        axes.plot(xs, estimate, clip_on=False, **style)
        for x, row, value, end in zip(xs, rows, estimate, low, strict=True):
            if total:
                continue
            if math.isnan(value) and _count(row.get("passages")):
                axes.text(x, 0.9 * axes.get_ylim()[1], "?", color=MUTED, ha="center", va="center")
            elif math.isnan(end) and not math.isnan(value):
                axes.plot(x, value, "o", color=BLUE, markersize=3.6, markerfacecolor=PAPER,
                          clip_on=False)  # fmt: skip


# --- Strip ----------------------------------------------------------------------------------------


def strip(t7: pd.DataFrame, edition: Edition) -> Figure:
    """Return T7 as a strip: passages left to right, as wide as they are long, a band a code.

    Shade is the probability of the code, a triangle the decision for it; below stands a line for
    each coder, filled where the coder found the code, hollow where not, blank where not coded.
    """
    with _settings():
        if t7.empty:
            return _nothing(edition.specs.phrases["no_figure"])
        codes = _in_order(edition.labels["code"], list(t7["code"]))
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
        left = 0.2 + min(_inches(label), 1.5)
        thin, tall, space, top, foot = 0.13, 0.34, 0.16, 0.34, 0.3
        band = tall + thin * len(coders) + space
        figure = Figure(figsize=(WIDTH, top + band * len(codes) + foot))
        width = WIDTH - left - 0.1
        for line, code in enumerate(codes):
            y = top + line * band
            words = _wrap(edition.label("code", code), int((left - 0.15) / _CHARACTER / NORMAL))
            _say(figure, left - 0.08, y + tall / 2, words, ha="right", va="center",
                 fontweight="bold")  # fmt: skip
            axes = _axes(figure, left, y, width, tall + thin * len(coders))
            axes.axis("off")
            axes.set(xlim=(0, ends[-1]), ylim=(tall + thin * len(coders), 0))
            for row in t7[t7["code"] == code].to_dict("records"):
                _passage(axes, row, spans[row["position"]], tall)
                for place, coder in enumerate(coders):
                    value = marks[row["position"], code].get(coder)
                    if value is not None:
                        _mark(axes, value, spans[row["position"]], tall + place * thin, thin)
            for place, coder in enumerate(coders):
                _say(figure, left - 0.08, y + tall + (place + 0.5) * thin, coder, ha="right",
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
    probability = 0.0 if is_missing(row["probability"]) else _value(row["probability"])
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
    _say(figure, left, 0.12, words, va="center_baseline", fontsize=SMALL)
    x = left + _inches(words, SMALL) + 0.15
    axes = _axes(figure, x, 0.05, 1.0, 0.14)
    axes.axis("off")
    axes.set(xlim=(0, 5), ylim=(0, 1))
    for step in range(5):
        axes.add_patch(Rectangle((step, 0), 1, 1, facecolor=BLUE, alpha=0.1 + 0.2 * step,
                                 linewidth=0))  # fmt: skip
    axes.add_patch(Rectangle((0, 0), 5, 1, fill=False, edgecolor=MUTED, linewidth=0.5))
    _say(figure, x - 0.05, 0.12, "0", va="center_baseline", ha="right", fontsize=SMALL)
    _say(figure, x + 1.05, 0.12, "1", va="center_baseline", fontsize=SMALL)
    axes = _axes(figure, x + 1.5, 0.05, 0.14, 0.14)
    axes.axis("off")
    axes.set(xlim=(-1, 1), ylim=(-1, 1))
    axes.plot(0, 0, "v", color=ORANGE, markersize=4)
    words = "classifier decides for the code"
    _say(figure, x + 1.7, 0.12, words, va="center_baseline", fontsize=SMALL)
    if coders:
        x += 1.95 + _inches(words, SMALL)
        axes = _axes(figure, x, 0.05, 0.3, 0.13)
        axes.axis("off")
        axes.set(xlim=(0, 1), ylim=(0.13, 0))
        _mark(axes, True, (0, 1), 0.0, 0.13)
        _say(figure, x + 0.34, 0.12, "coder finds it", va="center_baseline", fontsize=SMALL)


def _numbers(
    figure: Figure, spans: Mapping[int, tuple[int, int]], left: float, width: float, y: float,
    total: int,
) -> None:  # fmt: skip
    """Number the passages below the strip, leaving out numbers that would touch."""
    last = -1.0
    for position, (start, end) in spans.items():
        x = left + width * (start + end) / 2 / total
        half = _inches(str(position), SMALL - 1) / 2
        if x - half > last:
            _say(figure, x, y + 0.1, str(position), ha="center", va="center_baseline",
                 fontsize=SMALL - 1, color=MUTED)  # fmt: skip
            last = x + half + 0.04
    _say(figure, left, y + 0.24, "passage, in reading order", va="center_baseline",
         fontsize=SMALL)  # fmt: skip
