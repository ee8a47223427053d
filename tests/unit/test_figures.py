"""Figures: what is drawn, for any number of codes, groups, periods, and the same bytes always."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import matplotlib
import pandas as pd
import pytest

from framing.output import figures
from framing.output.captions import edition, load_specs
from tests.unit.output_samples import CODES, GROUPS, PERIODS, context, tables

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
DRAW = {
    "T4-prevalence": figures.forest,
    "T5-trend": figures.trend,
    "T7-essay": figures.strip,
}


DOT = f"fill: {figures.BLUE}; stroke: {figures.BLUE}"  # bands have no stroke


@pytest.fixture(scope="module")
def words():
    return edition(load_specs(), context())


@pytest.fixture(scope="module")
def frames():
    return tables()


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def marks(svg: str, style: str) -> int:
    """How many marks (uses of a marker) are drawn in a style."""
    root = ElementTree.fromstring(svg)
    return sum(style in node.get("style", "") for node in root.iter(f"{SVG}use"))


@pytest.mark.parametrize("table", DRAW)
def test_ids_are_the_figures_own_and_every_reference_is_met(table, words, frames):
    svg = DRAW[table](frames[table], words, name="fig")
    root = ElementTree.fromstring(svg)
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    assert all(name.startswith("fig-") for name in ids)
    used = {node.get(LINK)[1:] for node in root.iter() if node.get(LINK)}
    used |= set(re.findall(r"url\(#([^)]*)\)", svg))
    assert used and used <= set(ids)


@pytest.mark.parametrize("table", DRAW)
def test_bytes_do_not_depend_on_a_machine_s_style(table, words, frames):
    first = DRAW[table](frames[table], words)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": None}):
        assert DRAW[table](frames[table], words) == first
        assert matplotlib.rcParams["font.size"] == 30  # and ours are not left behind
    assert "date" not in first.lower().replace("undated", "")


@pytest.mark.parametrize("table", DRAW)
def test_noise_beyond_six_decimals_is_not_drawn(table, words, frames):
    frame = frames[table]
    moved = frame.assign(
        **{
            name: frame[name].round(6) + 1e-9
            for name in ("estimate", "ci_low", "ci_high", "probability")
            if name in frame
        }
    )
    assert DRAW[table](moved, words) == DRAW[table](frame.round(6), words)


def test_forest_marks_every_estimate_once(words, frames):
    svg = figures.forest(frames["T4-prevalence"], words)
    cells = len(CODES) * (len(GROUPS) + 1)
    legend = 1
    assert marks(svg, f"fill: {figures.BLUE}") == cells + legend
    assert marks(svg, f"stroke: {figures.ORANGE}") == cells + legend
    assert set(CODES.values()) | set(GROUPS.values()) | {"All groups"} <= set(texts(svg))


def test_forest_tells_how_many_passages_were_coded(words, frames):
    found = texts(figures.forest(frames["T4-prevalence"], words))
    bands = 2  # four codes, three in a band
    assert found.count("60 of 400 coded") == bands * len(GROUPS)
    assert found.count("60 of 1,200 coded") == bands


def test_forest_shows_a_dash_where_there_is_no_estimate(words, frames):
    frame = frames["T4-prevalence"].copy()
    chosen = (frame["group"] == "press") & (frame["code"] == "cost")
    full = figures.forest(frame, words)
    frame.loc[chosen, ["estimate", "se", "ci_low", "ci_high"]] = math.nan
    svg = figures.forest(frame, words)
    assert marks(svg, f"fill: {figures.BLUE}") == marks(full, f"fill: {figures.BLUE}") - 1
    assert (texts(full).count("–"), texts(svg).count("–")) == (0, 1)


def test_forest_leads_with_the_configured_estimator(frames):
    led = {"estimator": "labels only", "target": "corpus"}
    svg = figures.forest(frames["T4-prevalence"], edition(load_specs(), context(headline=led)))
    assert "labels only (this corpus)" in texts(svg)
    assert "labels only" not in texts(svg)  # not among the lighter marks too


def test_trend_has_a_dot_for_every_cell_and_none_for_an_empty_one(words, frames):
    svg = figures.trend(frames["T5-trend"], words)
    cells = len(CODES) * len(GROUPS) * len(PERIODS)
    empty, key = len(CODES), 1
    assert marks(svg, DOT) == cells - empty + key
    assert "?" not in texts(svg)  # there was nothing to estimate from


def test_trend_tells_how_many_passages_were_coded(words, frames):
    ticks = [text for text in texts(figures.trend(frames["T5-trend"], words)) if "(" in text]
    periods = ["2001–2005", "2006–2010", "2011–2015", "undated"]
    assert ticks[: len(periods)] == [f"{period} (60)" for period in periods]
    assert ticks[2 * len(periods) + 1] == "2006–2010 (0)"  # of the press
    assert len(ticks) == len(PERIODS) * len(GROUPS) + 1  # the key


@pytest.mark.parametrize(
    ("lost", "questions", "filled", "hollow"),
    [
        (["estimate", "ci_low", "ci_high"], 1, -1, 0),
        (["ci_low", "ci_high"], 0, 0, 1),
    ],
)
def test_trend_is_honest_about_what_is_not_known(words, frames, lost, questions, filled, hollow):
    frame = frames["T5-trend"].copy()
    full = figures.trend(frame, words)
    chosen = (frame["code"] == "cost") & (frame["group"] == "council")
    frame.loc[chosen & (frame["period"] == "2006-2010"), lost] = math.nan
    svg = figures.trend(frame, words)
    assert texts(svg).count("?") == questions
    assert marks(svg, DOT) - marks(full, DOT) == filled
    assert marks(svg, f"fill: {figures.PAPER}") == hollow
    assert marks(full, f"fill: {figures.PAPER}") == 0


def line_lengths(svg: str, colour: str) -> list[int]:
    """Points of every line drawn in a colour: how many times the pen moves and draws."""
    root = ElementTree.fromstring(svg)
    return [
        node.get("d", "").count("L")
        for node in root.iter(f"{SVG}path")
        if f"fill: none; stroke: {colour}; stroke-width: 1.4" in node.get("style", "")
    ]


def test_trend_line_breaks_at_an_empty_cell_and_before_undated(words, frames):
    one = frames["T5-trend"][lambda frame: frame["code"] == "cost"]
    lengths = line_lengths(figures.trend(one, words), figures.BLUE)
    # Council, residents and the key: two strokes between three dots; press lacks the middle one.
    assert sorted(lengths)[-3:] == [2, 2, 2]
    assert sum(lengths) == 6
    together = edition(load_specs(), context(undated=None))
    assert sum(line_lengths(figures.trend(one, together), figures.BLUE)) == 9


def test_strip_has_a_shade_a_triangle_and_a_line_for_each(words, frames):
    frame = frames["T7-essay"]
    svg = figures.strip(frame, words)
    legend = 1
    assert marks(svg, f"fill: {figures.ORANGE}") == frame["decision"].sum() + legend
    found = texts(svg)
    assert found.count("coder-b") == 2
    assert [text for text in found if text.isdigit() and int(text) > 1] == [
        str(number) for number in range(2, 23)
    ]


def test_strip_of_many_passages_leaves_numbers_out(words):
    svg = figures.strip(tables(passages=400)["T7-essay"], words)
    shown = [int(text) for text in texts(svg) if text.isdigit()]
    assert 10 < len(shown) < 100


@pytest.mark.parametrize("table", DRAW)
def test_one_code_or_no_row_is_enough(table, words, frames):
    frame = frames[table]
    one = DRAW[table](frame[frame["code"] == "cost"], words)
    assert "Cost" in texts(one) and "Fairness" not in texts(one)
    assert texts(DRAW[table](frame.iloc[:0], words)) == ["There is nothing to show."]


@pytest.mark.parametrize("table", ["T4-prevalence", "T5-trend"])
def test_nothing_estimable_is_no_crash(table, words, frames):
    numbers = dict.fromkeys(("estimate", "se", "ci_low", "ci_high"), math.nan)
    svg = DRAW[table](frames[table].assign(**numbers), words)
    assert "Cost" in texts(svg)


@pytest.mark.parametrize("table", DRAW)
def test_labels_are_shown_as_they_are(table, frames):
    nasty = "<b>$x_1$ & y"
    groups = {**GROUPS, "press": nasty}
    words = edition(load_specs(), context(groups=groups, codes={**CODES, "cost": nasty}))
    shown = " ".join(texts(DRAW[table](frames[table], words)))
    assert "$x_1$" in shown and "<b>" in shown


@pytest.mark.parametrize("table", ["T4-prevalence", "T5-trend"])
def test_many_codes_and_groups(table, frames):
    codes = {f"k{n}": f"A code with a long name {n}" for n in range(7)}
    groups = {f"g{n}": f"A group with a rather long label {n}" for n in range(9)}
    base = frames[table]
    base = base[(base["code"] == "cost") & (base["group"] == "press")]
    frame = pd.concat(
        [base.assign(code=code, group=group) for code in codes for group in groups],
        ignore_index=True,
    )
    svg = DRAW[table](frame, edition(load_specs(), context(codes=codes, groups=groups)))
    joined = " ".join(texts(svg))
    assert all(f"{n}" in joined for n in range(9))
    assert ElementTree.fromstring(svg).get("width") == "504pt"
