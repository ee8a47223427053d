"""Figures on coders, classifier and robustness, and of the words that set passages apart.

Agreement, learning curve, calibration, specification curve, keyness.

Drawn by the rules of :mod:`framing.report.figures`: bytes depend on the data alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from framing.common.config import ALL
from framing.inference.contrasts import CONTRADICTED, SUPPORTED, UNDECIDED, UNKNOWN
from framing.report import figures as base
from framing.tables.captions import Edition

_MOST = 150  # specifications drawn of each contrast, evenly by rank: more are one blot
_VERDICTS = {
    UNDECIDED: (base.MUTED, "o", base.PAPER), UNKNOWN: (base.MUTED, "o", base.PAPER),
    SUPPORTED: (base.BLUE, "o", base.BLUE), CONTRADICTED: (base.ORANGE, "x", "none"),
}  # fmt: skip
_MOST_PAIRS = 6  # of coders; where there are more, all coders but one are shown instead
_LEFT, _GAP, _FOOT, _HIGH = 0.62, 0.42, 0.48, 2.0  # inches
_LINE = 0.14  # inches a line of a title is high


def _panels(titles: Sequence[str], down: str, across: str) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes of these titles side by side, three in a row."""
    columns = min(3, len(titles))
    bands = -(-len(titles) // columns)
    width = (base.WIDTH - _LEFT - 0.12 - _GAP * (columns - 1)) / columns
    wrapped = [base.wrap(title, int(width / base.inches("x"))) for title in titles]
    head = 0.2 + _LINE * max(title.count("\n") + 1 for title in wrapped)
    whole = head + _HIGH + _FOOT
    figure = Figure(figsize=(base.WIDTH, bands * whole))
    panels = []
    for place, title in enumerate(wrapped):
        band, column = divmod(place, columns)
        left, top = _LEFT + column * (width + _GAP), band * whole + head
        axes = base.axes_at(figure, left, top, width, _HIGH)
        axes.grid(color=base.GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.set_title(title, loc="left", pad=5, fontweight="bold")
        axes.set_xlabel(across, fontsize=base.SMALL)
        if not column:
            axes.set_ylabel(down, fontsize=base.SMALL)
        panels.append(axes)
    return figure, panels


def learning(t14: pd.DataFrame, edition: Edition) -> Figure:
    """Return T14 as curves: average precision by coded passages learned from, a panel a code.

    The line is the mean over repeats, the band runs from the lowest to the highest.
    """
    rows = t14[t14["average_precision"].notna()]
    with base.house_style():
        if rows.empty:
            return base.nothing(edition.specs.phrases["no_figure"])
        codes = base.in_order(edition.labels["code"], list(rows["code"]))
        titles = [edition.label("code", code) for code in codes]
        figure, panels = _panels(titles, "average precision", "coded passages")
        for code, axes in zip(codes, panels, strict=True):
            own = rows[rows["code"] == code].sort_values("passages")
            taught = [int(value) for value in own["passages"]]
            columns = [[base.rounded(value) for value in own[key]]
                       for key in ("ap_lowest", "ap_highest", "average_precision")]  # fmt: skip
            axes.fill_between(taught, columns[0], columns[1], color=base.BLUE, alpha=0.2, lw=0)
            axes.plot(taught, columns[2], "o-", color=base.BLUE, markersize=3.6, linewidth=1.4)
            axes.set_ylim(0, 1.02)
            axes.set_xlim(0, 1.05 * max(taught))
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], integer=True))
        return figure


def calibration(t15: pd.DataFrame, edition: Edition) -> Figure:
    """Return T15 as a reliability diagram: share carrying the code by mean probability, by code.

    Bars are intervals; a dot's number is how many coded passages stand behind it; the grey line is
    where probabilities mean what they say.
    """
    rows = t15[t15["share"].notna()]
    with base.house_style():
        if rows.empty:
            return base.nothing(edition.specs.phrases["no_figure"])
        codes = base.in_order(edition.labels["code"], list(rows["code"]))
        titles = [edition.label("code", code) for code in codes]
        figure, panels = _panels(titles, "share carrying the code", "mean probability")
        for code, axes in zip(codes, panels, strict=True):
            axes.plot([0, 1], [0, 1], color=base.MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
            for row in rows[rows["code"] == code].to_dict("records"):
                x, y = base.rounded(row["mean_probability"]), base.rounded(row["share"])
                ends = [base.rounded(row["ci_low"]), base.rounded(row["ci_high"])]
                axes.plot([x, x], ends, color=base.BLUE, linewidth=1.4)
                axes.plot(x, y, "o", color=base.BLUE, markersize=4, clip_on=False)
                # Away from the line: to the upper left of what lies above it, to the right below.
                place, side = ((-4, 3), "right") if y > x else ((4, -1), "left")
                axes.annotate(f"{int(row['passages'])}", (x, y), xytext=place, ha=side,
                              va="center_baseline", fontsize=base.SMALL - 1,
                              textcoords="offset points", color=base.MUTED)  # fmt: skip
            axes.set_xlim(0, 1.04)
            axes.set_ylim(0, 1.02)
            base.percent(axes.xaxis, 4)
            base.percent(axes.yaxis, 4)
        return figure


def specification(t16: pd.DataFrame, edition: Edition) -> Figure:
    """Return T16 as specification curves: differences in rising order, a panel a contrast.

    Blue where the specification's own interval supports the thesis, orange crosses where it
    contradicts it, hollow where it does neither; the grey band behind is the intervals, the ring
    the main specification. Of many specifications every n-th by rank is drawn.
    """
    rows = t16[t16["difference"].notna()]
    with base.house_style():
        if rows.empty:
            return base.nothing(edition.specs.phrases["no_figure"])
        contrasts = list(dict.fromkeys(rows["contrast"]))
        titles = [edition.label("contrast", contrast) for contrast in contrasts]
        figure, panels = _panels(titles, "difference in shares", "")
        ends = [base.rounded(value) for key in ("ci_low", "ci_high", "difference")
                for value in rows[key]]  # fmt: skip
        ends = [value for value in ends if not math.isnan(value)]
        low, high = min(0.0, *ends), max(0.0, *ends)
        for contrast, axes in zip(contrasts, panels, strict=True):
            own = rows[rows["contrast"] == contrast].copy()
            own["difference"] = own["difference"].round(6)
            own = own.sort_values(["difference", "ci_low"], kind="stable").reset_index(drop=True)
            thin = own.iloc[:: max(1, len(own) // _MOST)]
            bounds = [[base.rounded(value) for value in thin[key]] for key in ("ci_low", "ci_high")]
            axes.fill_between(thin.index, bounds[0], bounds[1], color=base.GRID, lw=0)
            for verdict, (colour, marker, inside) in _VERDICTS.items():
                part = thin[thin["verdict"] == verdict]
                axes.plot(part.index, part["difference"], marker, color=colour, markersize=2.6,
                          linestyle="none", markerfacecolor=inside,
                          markeredgewidth=0.6)  # fmt: skip
            main = own[own["main"] == "yes"]
            axes.plot(main.index, main["difference"], "o", markersize=7, markerfacecolor="none",
                      color=base.INK)  # fmt: skip
            axes.axhline(0, color=base.INK, linewidth=0.8)
            axes.set_ylim(low * 1.05, high * 1.05)
            axes.set_xticks([])
            base.percent(axes.yaxis, 5)
            # How many agree depends on which of them are evidence: T9 has it.
            axes.set_xlabel(f"{len(own):,} specifications", fontsize=base.SMALL)
        return figure


# --- Agreement ------------------------------------------------------------------------------------


def agreement(t2: pd.DataFrame, edition: Edition) -> Figure:
    """Return T2 as a dot plot of alpha: a panel a code, on one scale.

    Above, all coders together, in all passages and by group; below, each coder beside the standard
    where there is one, and each pair of coders, or all but one where there are more than a few.
    Bars are intervals from drawing sources anew. A row without alpha shows a dash.
    ``edition.context["agreement_marks"]`` (if given) are drawn as dashed lines.
    """
    marks = [float(value) for value in edition.context.get("agreement_marks", ())]
    with base.house_style():
        lines = _agreement_lines(t2, edition)
        rows = t2[t2["alpha"].notna()]
        if not lines or rows.empty:
            return base.nothing(edition.specs.phrases["no_figure"])
        codes = base.in_order(edition.labels["code"], list(t2["code"]))
        cells = {
            (row["code"], row["comparison"], row["group"], row["coders"]): row
            for row in t2.to_dict("records")
        }
        shown = [cells.get((code, *key), {}) for code in codes for key, _ in lines]
        ends = [base.rounded(row.get(name)) for row in shown for name in ("alpha", "alpha_low")]
        low = min([0.5, *(mark - 0.1 for mark in marks), *(e for e in ends if not math.isnan(e))])
        low = math.floor(10 * low) / 10
        bands, columns = _bands(len(codes))
        left = 0.15 + max(base.inches(label) for _, label in lines)
        head, foot, high, gap = 0.45, 0.42, 0.2, 0.3
        height = high * len(lines)
        width = (base.WIDTH - left - 0.12 - gap * (columns - 1)) / columns
        figure = Figure(figsize=(base.WIDTH, bands * (head + height + foot)))
        for place, code in enumerate(codes):
            band, column = divmod(place, columns)
            top = band * (head + height + foot) + head
            axes = base.axes_at(figure, left + column * (width + gap), top, width, height)
            _dots(axes, [cells.get((code, *key), {}) for key, _ in lines], marks)
            axes.set_xlim(low, 1 + 0.02 * (1 - low))
            axes.set_title(edition.label("code", code), loc="left", pad=14, fontweight="bold")
            axes.set_xlabel("Krippendorff's alpha", fontsize=base.SMALL)
            for line, ((_, group, _), label) in enumerate(lines):
                if line and group == ALL and lines[line - 1][0][0] != lines[line][0][0]:
                    axes.axhline(line - 0.5, color=base.GRID, linewidth=0.8)
                if not column:
                    base.say(figure, left - 0.08, top + (line + 0.5) * high, label, ha="right",
                              va="center_baseline",
                              fontweight="normal" if line else "bold")  # fmt: skip
        return figure


def _bands(panels: int) -> tuple[int, int]:
    """Return how many rows and columns of panels there are: at most three side by side."""
    bands = -(-panels // 3)
    return bands, -(-panels // bands)


def _agreement_lines(t2: pd.DataFrame, edition: Edition) -> list[tuple[tuple[str, str, str], str]]:
    """Return what the lines of the plot show: comparison, group and coders, and a label."""
    together = t2[t2["comparison"] == "all coders"]
    if together.empty:
        return []
    everyone = str(together["coders"].iloc[0])
    groups = base.in_order(edition.labels["group"], list(together["group"]))
    groups = [group for group in (ALL, *groups) if group in set(together["group"])]
    lines = [
        (("all coders", group, everyone), edition.label("group", group))
        for group in dict.fromkeys(groups)
    ]
    all_groups = t2[t2["group"] == ALL]

    def compared(name: str) -> list[str]:
        return list(dict.fromkeys(all_groups.loc[all_groups["comparison"] == name, "coders"]))

    pairs = [
        (name, pair) for name in ("coder and standard", "pair of coders") for pair in compared(name)
    ]
    if len(pairs) <= _MOST_PAIRS:
        return lines + [((name, ALL, pair), " and ".join(pair.split())) for name, pair in pairs]
    return lines + [
        (("all coders but one", ALL, rest), "without " + " ".join(
            name for name in everyone.split() if name not in rest.split()))
        for rest in compared("all coders but one")
    ]  # fmt: skip


def _dots(axes: Axes, rows: Sequence[dict[str, Any]], marks: Sequence[float]) -> None:
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=base.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    for mark in marks:
        axes.axvline(mark, color=base.MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.annotate(f"{mark:g}", (mark, 1), xytext=(0, 3), xycoords=("data", "axes fraction"),
                      textcoords="offset points", ha="center", color=base.MUTED,
                      fontsize=base.SMALL - 1)  # fmt: skip
    for place, row in enumerate(rows):
        alpha = base.rounded(row.get("alpha"))
        if math.isnan(alpha):
            axes.annotate("–", (0, place), xytext=(3, 0), xycoords=("axes fraction", "data"),
                          textcoords="offset points", va="center", color=base.MUTED)  # fmt: skip
            continue
        ends = [base.rounded(row["alpha_low"]), base.rounded(row["alpha_high"])]
        axes.plot(ends, [place] * 2, color=base.BLUE, linewidth=1.8)
        axes.plot(alpha, place, "o", color=base.BLUE, markersize=4.6, clip_on=False)


# --- Keyness --------------------------------------------------------------------------------------


def keyness(t12: pd.DataFrame, edition: Edition) -> Figure:
    """Return T12 as two-sided dot plots: a panel a comparison, words of b to the left, of a to the
    right, strongest first.

    A dot is z, the bar reaches from zero to what is left of it without the source on which it hangs
    most. A side without words says why.
    """
    with base.house_style():
        rows = t12[t12["word"] != ""]
        if rows.empty:
            return base.nothing(edition.specs.phrases["no_figure"])
        comparisons = list(dict.fromkeys(t12["comparison"]))
        columns = min(2, len(comparisons))
        bands = -(-len(comparisons) // columns)
        gap, head, foot, high = 0.3, 0.56, 0.46, 0.165
        width = (base.WIDTH - 0.2 - gap * (columns - 1)) / columns
        height = high * int(rows["rank"].max())
        figure = Figure(figsize=(base.WIDTH, bands * (head + height + foot)))
        # Beside every dot there must be room for its word.
        reach = max(
            abs(base.rounded(z)) / max(1 - (base.inches(word, base.SMALL) + 0.1) / (width / 2), 0.2)
            for z, word in zip(rows["z"], rows["word"], strict=True)
        )
        for place, comparison in enumerate(comparisons):
            band, column = divmod(place, columns)
            left, top = 0.1 + column * (width + gap), band * (head + height + foot) + head
            axes = base.axes_at(figure, left, top, width, height)
            axes.set(xlim=(-reach, reach), ylim=(height / high + 0.5, 0.5), yticks=[])
            axes.tick_params(length=0)
            axes.spines["left"].set_visible(False)
            axes.axvline(0, color=base.MUTED, linewidth=0.8)
            axes.xaxis.set_major_locator(MaxNLocator(9, integer=True, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
            axes.set_xlabel("z", fontsize=base.SMALL)
            own = t12[t12["comparison"] == comparison]
            for side, sign, colour in (("a", 1, base.BLUE), ("b", -1, base.ORANGE)):
                part = own[own["side"] == side].to_dict("records")
                _words(axes, part, sign, colour)
                _heading(figure, part[0], left + width / 2, top, sign, width / 2)
        return figure


def _words(axes: Axes, rows: Sequence[dict[str, Any]], sign: int, colour: str) -> None:
    """Draw the words of one side, strongest on top."""
    beside, side = (4 * sign, 0), "left" if sign > 0 else "right"
    if not rows[0]["word"]:
        axes.annotate("–", (0, 1), xytext=beside, textcoords="offset points", ha=side,
                      va="center", color=base.MUTED)  # fmt: skip
        return
    ranks = [int(row["rank"]) for row in rows]
    z, left = ([base.rounded(row[name]) for row in rows] for name in ("z", "z_without"))
    kept = [value if value * sign > 0 else 0.0 for value in left]
    axes.hlines(ranks, 0, z, color=colour, linewidth=0.6)
    axes.hlines(ranks, 0, kept, color=colour, linewidth=2.6, alpha=0.5)
    axes.plot(z, ranks, "o" if sign > 0 else "s", color=colour, markersize=3.4, linestyle="none")
    for row, value, rank in zip(rows, z, ranks, strict=True):
        axes.annotate(str(row["word"]), (value, rank), xytext=beside, textcoords="offset points",
                      ha=side, va="center_baseline", fontsize=base.SMALL)  # fmt: skip


def _heading(
    figure: Figure, row: dict[str, Any], middle: float, top: float, sign: int, room: float
) -> None:
    """Say above a half of a panel whose words it holds, and from how much text they are."""
    x, side = middle + 0.06 * sign, "left" if sign > 0 else "right"
    lines = base.wrap(str(row["of"]), int(room / base.inches("x", base.SMALL + 0.5))).split("\n")
    small = f"({int(row['passages']):,} passages, {int(row['sources']):,} sources)"
    for place, words in enumerate([small, *reversed(lines)]):
        base.say(figure, x, top - 0.1 - 0.13 * place, words, ha=side,
                  fontsize=base.SMALL - 0.5 if not place else base.SMALL + 0.5,
                  color=base.INK if place else base.MUTED,
                  fontweight="bold" if place else "normal")  # fmt: skip
