"""Figures of shares: prevalence by group (T4) and trend over periods (T5)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from framing.common.config import ALL
from framing.report.figures import (
    BLUE,
    CHARACTER,
    GRID,
    MUTED,
    NORMAL,
    ORANGE,
    PAPER,
    SMALL,
    WIDTH,
    axes_at,
    house_style,
    in_order,
    inches,
    nothing,
    percent,
    rounded,
    say,
    wrap,
)
from framing.tables.captions import Edition
from framing.tables.kinds import is_missing

LABELS_ONLY, COUNTED = "labels only", "classify-and-count"


def _ceiling(frame: pd.DataFrame) -> float:
    """Return the upper end of a scale of shares that holds every estimate and interval."""
    values = [
        value
        for name in ("estimate", "ci_high", "coder_high")
        if name in frame
        for value in map(rounded, frame[name])
        if not math.isnan(value)
    ]
    return min(max([0.05, *values]) * 1.06, 1.03)


def forest(t4: pd.DataFrame, edition: Edition, *, columns: int = 3) -> Figure:
    """Return T4 as a forest plot: a panel a code, a row a group, on one scale.

    Filled dots with bars are the headline estimator and target, the thin line behind a bar the
    interval that also covers who coded; squares (labels only) and crosses (classify and count, same
    target) stand a little below. A cell without estimate shows a dash. Below a group's name stands
    how many of its passages were coded.
    """
    rows = t4[t4["target"] == edition.headline["target"]]
    with house_style():
        if rows.empty:
            return nothing(edition.specs.phrases["no_figure"])
        codes = in_order(edition.labels["code"], list(rows["code"]))
        groups = in_order(edition.labels["group"], list(rows["group"]))
        labels = [wrap(edition.label("group", group), 22) for group in groups]
        counts = [_coded(rows[rows["group"] == group]) for group in groups]
        left = 0.15 + max(
            *(inches(line) for label in labels for line in label.split("\n")),
            *(inches(count, SMALL) for count in counts),
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
            axes = axes_at(
                figure,
                left + column * (width + gap),
                band * (head + height + foot) + head,
                width,
                height,
            )
            _panel(axes, rows[rows["code"] == code], groups, edition)
            axes.set_xlim(-0.02 * ceiling, ceiling)
            title = wrap(edition.label("code", code), int(width / CHARACTER / NORMAL))
            axes.set_title(title, loc="left", pad=5, fontweight="bold")
            axes.set_yticks([])
            if column:
                continue
            for row, (label, count, group) in enumerate(zip(labels, counts, groups, strict=True)):
                middle = band * (head + height + foot) + head + (row + 0.5) * high
                lines = label.split("\n")
                top = middle - 0.065 * (len(lines) - 1)
                for place_, words in enumerate(lines):
                    say(figure, left - 0.08, top + 0.13 * place_, words, ha="right",
                         fontweight="bold" if group == ALL else "normal")  # fmt: skip
                say(figure, left - 0.08, top + 0.13 * len(lines), count, ha="right",
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
    percent(axes.xaxis, 4)
    if ALL in groups and len(groups) > 1:
        place = groups.index(ALL)
        axes.axhline(place - 0.5 if place else 0.5, color=GRID, linewidth=0.8)
    led = edition.headline["estimator"]
    for place, group in enumerate(groups):
        own = rows[rows["group"] == group].to_dict("records")
        by_estimator = {row["estimator"]: row for row in own}
        main = by_estimator.get(led, {})
        estimate = rounded(main.get("estimate"))
        if math.isnan(estimate):
            axes.text(0, place - 0.12, "–", color=MUTED, ha="left", va="center")
        else:
            bounds = [rounded(main[key]) for key in ("ci_low", "ci_high")]
            wider = [rounded(main.get(key)) for key in ("coder_low", "coder_high")]
            axes.plot(wider, [place - 0.12] * 2, color=BLUE, linewidth=0.6, marker="|",
                      markersize=4, markeredgewidth=0.6)  # fmt: skip
            axes.plot(bounds, [place - 0.12] * 2, color=BLUE, linewidth=1.8)
            axes.plot(estimate, place - 0.12, "o", color=BLUE, markersize=5, clip_on=False)
        for estimator, marker, colour in ((LABELS_ONLY, "s", MUTED), (COUNTED, "x", ORANGE)):
            value = rounded(by_estimator.get(estimator, {}).get("estimate"))
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
        say(figure, x + 0.16, y, words, va="center_baseline", fontsize=SMALL)
        x += 0.45 + inches(words, SMALL)
    if coders:
        axes = figure.add_axes(((x - 0.1) / width, 1 - (y + 0.08) / height, 0.2 / width,
                                0.16 / height))  # fmt: skip
        axes.axis("off")
        axes.set(xlim=(-1, 1), ylim=(-1, 1))
        axes.plot([-0.9, 0.9], [0, 0], color=BLUE, linewidth=0.6, marker="|", markersize=4,
                  markeredgewidth=0.6)  # fmt: skip
        say(figure, x + 0.16, y, edition.specs.phrases["brackets"]["coders"], va="center_baseline",
             fontsize=SMALL)  # fmt: skip


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
    with house_style():
        if rows.empty:
            return nothing(edition.specs.phrases["no_figure"])
        codes = in_order(edition.labels["code"], list(rows["code"]))
        groups = in_order(edition.labels["group"], list(rows["group"]))
        groups = [group for group in groups if group != ALL] or [ALL]
        periods = in_order(edition.labels["period"], list(rows["period"]))
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
        longest = max(inches(tick, SMALL) for shown in ticks.values() for tick in shown)
        left, gap, head, foot = 1.2, 0.12, 0.36, 0.36 + longest
        width = (WIDTH - left - 0.08 - gap * (len(groups) - 1)) / len(groups)
        height = 0.95
        figure = Figure(figsize=(WIDTH, head + len(codes) * (height + gap) + foot))
        for line, code in enumerate(codes):
            top = head + line * (height + gap)
            label = wrap(edition.label("code", code), 12)
            say(figure, 0.05, top + height / 2, label, va="center", fontweight="bold")
            for column, group in enumerate(groups):
                axes = axes_at(figure, left + column * (width + gap), top, width, height)
                last = line == len(codes) - 1
                _frame(axes, len(periods), ceiling, column == 0, ticks[group] if last else [])
                if group != ALL:
                    _series(axes, cells, code, ALL, periods, edition)
                _series(axes, cells, code, group, periods, edition)
                if line == 0:
                    title = wrap(edition.label("group", group), int(width / CHARACTER / NORMAL))
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
        say(figure, x + 0.34, y, words, va="center_baseline", fontsize=SMALL)
        x += 0.6 + inches(words, SMALL)
    words = "?  no estimate     (in brackets: passages coded)"
    say(figure, x, y, words, va="center_baseline", fontsize=SMALL)


def _frame(axes: Axes, periods: int, ceiling: float, first: bool, ticks: Sequence[str]) -> None:
    axes.set(xlim=(-0.5, periods - 0.5), ylim=(-0.02 * ceiling, ceiling))
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)
    percent(axes.yaxis, 3)
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
            [rounded(row.get(key)) for row in rows] for key in ("estimate", "ci_low", "ci_high")
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
