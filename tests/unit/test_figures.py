"""Figures: what is drawn, for any number of codes, groups, periods, and the same bytes always."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pandas as pd
import pytest
from matplotlib.font_manager import FontProperties, findfont

from framing.common.files import sha256
from framing.report import figures, quality_figures, share_figures, source_figure
from framing.report import looking_figure as looking
from framing.report.draw_figures import draw, drawing
from framing.tables.captions import edition, lettering
from framing.workflow.results import FIGURE_FORMS, Results
from tests.unit.output_samples import CODES, GROUPS, PERIODS, context, tables
from tests.unit.words_read import load_specs

FIGURES, PLATES = Results(["machines"]).figures, Results(["machines"]).plates


SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


def as_svg(draw):
    """Return a function that draws a figure and returns its SVG text."""
    return lambda frame, words, name="figure": figures.svg_text(draw(frame, words), name)


forest, trend, strip = map(as_svg, (share_figures.forest, share_figures.trend, source_figure.strip))
DRAW = {"T4-prevalence": forest, "T5-trend": trend, "T7-essay": strip}
MORE = {
    "T2-agreement": quality_figures.agreement, "T12-keyness": quality_figures.keyness,
    "T22-looking": looking.looking,
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn(words, frames):
    """Return a function that draws the figure of a table as it is, once for all tests."""
    return cache(lambda table: DRAW[table](frames[table], words))


ENDS = f"stroke: {figures.BLUE}; stroke-width: 0.6"
DOT = f"fill: {figures.BLUE}; stroke: {figures.BLUE}"  # bands have no stroke


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def marks(svg: str, style: str) -> int:
    """How many marks (uses of a marker) are drawn in a style."""
    root = ElementTree.fromstring(svg)
    return sum(style in node.get("style", "") for node in root.iter(f"{SVG}use"))


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("table", DRAW)
def test_bytes_do_not_depend_on_a_machine_s_style(table, words, frames, drawn):
    first = drawn(table)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": None}):
        assert DRAW[table](frames[table], words) == first
        assert matplotlib.rcParams["font.size"] == 30  # and ours are not left behind
    assert "date" not in first.lower().replace("undated", "")


@pytest.mark.slow
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


def test_forest_marks_every_estimate_once(drawn):
    svg = drawn("T4-prevalence")
    cells = len(CODES) * (len(GROUPS) + 1)
    legend = 1
    assert marks(svg, ENDS) == 2 * (cells + legend)  # of the interval that also covers who coded
    assert marks(svg, f"fill: {figures.BLUE}") - marks(svg, ENDS) == cells + legend
    assert marks(svg, f"stroke: {figures.ORANGE}") == cells + legend
    assert set(CODES.values()) | set(GROUPS.values()) | {"All groups"} <= set(texts(svg))


def test_forest_tells_how_many_passages_were_coded(drawn):
    found = texts(drawn("T4-prevalence"))
    bands = 2  # four codes, three in a band
    assert found.count("60 of 400 coded") == bands * len(GROUPS)
    assert found.count("60 of 1,200 coded") == bands


def test_forest_shows_a_dash_where_there_is_no_estimate(words, frames, drawn):
    frame = frames["T4-prevalence"].copy()
    chosen = (frame["group"] == "press") & (frame["code"] == "cost")
    full = drawn("T4-prevalence")
    frame.loc[chosen, ["estimate", "se", "ci_low", "ci_high"]] = math.nan
    svg = forest(frame, words)
    dots = [marks(one, f"fill: {figures.BLUE}") - marks(one, ENDS) for one in (full, svg)]
    assert dots[1] == dots[0] - 1
    assert (texts(full).count("–"), texts(svg).count("–")) == (0, 1)


@pytest.mark.slow
def test_forest_leads_with_the_configured_estimator(frames):
    led = {"estimator": "labels only", "target": "corpus"}
    svg = forest(frames["T4-prevalence"], edition(load_specs(), context(headline=led)))
    assert "labels only (this corpus)" in texts(svg)
    assert "labels only" not in texts(svg)  # not among the lighter marks too


def test_forest_leaves_out_what_covers_coders_where_it_is_not_there(words, frames, drawn):
    frame = frames["T4-prevalence"].assign(coder_low=math.nan, coder_high=math.nan)
    svg = forest(frame, words)
    assert marks(svg, ENDS) == 0
    assert not any("hoever codes" in text for text in texts(svg))
    shown = texts(drawn("T4-prevalence"))
    assert sum("hoever codes" in text for text in shown) == 1


def test_forest_makes_room_for_the_interval_that_covers_coders(words, frames):
    one = frames["T4-prevalence"][lambda frame: frame["code"] == "cost"]

    def highest(frame):
        ends = [text for text in texts(forest(frame, words)) if re.fullmatch(r"\d+ %", text)]
        return max(int(text[:-2]) for text in ends)

    assert highest(one.assign(coder_high=0.95)) > highest(one) > 0


def test_trend_has_a_dot_for_every_cell_and_none_for_an_empty_one(drawn):
    svg = drawn("T5-trend")
    cells = len(CODES) * len(GROUPS) * len(PERIODS)
    empty, key = len(CODES), 1
    assert marks(svg, DOT) == cells - empty + key
    assert "?" not in texts(svg)  # there was nothing to estimate from


def test_trend_tells_how_many_passages_were_coded(drawn):
    ticks = [text for text in texts(drawn("T5-trend")) if "(" in text]
    periods = ["2001–2005", "2006–2010", "2011–2015", "undated"]
    assert ticks[: len(periods)] == [f"{period} (60)" for period in periods]
    assert ticks[2 * len(periods) + 1] == "2006–2010 (0)"  # of the press
    assert len(ticks) == len(PERIODS) * len(GROUPS) + 1  # the key


@pytest.mark.slow
def test_trend_bears_cells_that_are_not_there(words, frames):
    frame = frames["T5-trend"]
    lacking = (frame["code"] == "cost") & (frame["group"] == "press")
    lacking |= (frame["period"] == "2001-2005") & (frame["group"] == "council")
    frame = frame[~lacking].astype({"coded": "Int64", "passages": "Int64"})
    frame.loc[frame["group"] == "residents", ["coded", "passages", "estimate"]] = pd.NA
    ticks = [text for text in texts(trend(frame, words)) if "(" in text]
    assert ticks[0] == "2001–2005 (0)" and ticks[1] == "2006–2010 (60)"
    assert ticks[len(PERIODS)] == "2001–2005 (0)"
    assert ticks[2 * len(PERIODS)] == "2001–2005 (60)"  # told by the other codes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lost", "questions", "filled", "hollow"),
    [
        (["estimate", "ci_low", "ci_high"], 1, -1, 0),
        (["ci_low", "ci_high"], 0, 0, 1),
    ],
)
def test_trend_is_honest_about_what_is_not_known(
    words, frames, drawn, lost, questions, filled, hollow
):
    frame = frames["T5-trend"].copy()
    full = drawn("T5-trend")
    chosen = (frame["code"] == "cost") & (frame["group"] == "council")
    frame.loc[chosen & (frame["period"] == "2006-2010"), lost] = math.nan
    svg = trend(frame, words)
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


@pytest.mark.slow
def test_trend_line_breaks_at_an_empty_cell_and_before_undated(words, frames):
    one = frames["T5-trend"][lambda frame: frame["code"] == "cost"]
    lengths = line_lengths(trend(one, words), figures.BLUE)
    # Council, residents and the key: two strokes between three dots; press lacks the middle one.
    assert sorted(lengths)[-3:] == [2, 2, 2]
    assert sum(lengths) == 6
    together = edition(load_specs(), context(undated=None))
    assert sum(line_lengths(trend(one, together), figures.BLUE)) == 9


def test_strip_has_a_shade_a_triangle_and_a_line_for_each(frames, drawn):
    frame = frames["T7-essay"]
    svg = drawn("T7-essay")
    legend = 1
    assert marks(svg, f"fill: {figures.ORANGE}") == frame["decision"].sum() + legend
    found = texts(svg)
    assert found.count("coder-b") == 2
    assert [text for text in found if text.isdigit() and int(text) > 1] == [
        str(number) for number in range(2, 23)
    ]


@pytest.mark.slow
def test_strip_of_many_passages_leaves_numbers_out(words):
    svg = strip(tables(passages=400)["T7-essay"], words)
    shown = [int(text) for text in texts(svg) if text.isdigit()]
    assert 10 < len(shown) < 100


@pytest.mark.parametrize("table", DRAW)
def test_one_code_or_no_row_is_enough(table, words, frames):
    frame = frames[table]
    one = DRAW[table](frame[frame["code"] == "cost"], words)
    assert "Cost" in texts(one) and "Fairness" not in texts(one)
    assert texts(DRAW[table](frame.iloc[:0], words)) == ["There is nothing to show."]


@pytest.mark.slow
@pytest.mark.parametrize("table", ["T4-prevalence", "T5-trend"])
def test_nothing_estimable_is_no_crash(table, words, frames):
    numbers = dict.fromkeys(("estimate", "se", "ci_low", "ci_high"), math.nan)
    svg = DRAW[table](frames[table].assign(**numbers), words)
    assert "Cost" in texts(svg)


@pytest.mark.slow
@pytest.mark.parametrize("table", DRAW)
def test_labels_are_shown_as_they_are(table, frames):
    nasty = "<b>$x_1$ & y"
    groups = {**GROUPS, "press": nasty}
    words = edition(load_specs(), context(groups=groups, codes={**CODES, "cost": nasty}))
    shown = " ".join(texts(DRAW[table](frames[table], words)))
    assert "$x_1$" in shown and "<b>" in shown


@pytest.mark.slow
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


# --- Agreement and keyness ------------------------------------------------------------------------


def agreement(coders: int, alpha: float = 0.8) -> pd.DataFrame:
    """Return T2 of one code and one group for so many coders."""
    names = [f"c{n}" for n in range(coders)]
    sets = {
        "all coders": [names],
        "all coders but one": [[n for n in names if n != left] for left in names if coders > 3],
        "pair of coders": [list(pair) for pair in combinations(names, 2) if coders > 2],
        "coder and classifier": [[name, "classifier"] for name in names],
    }
    rows = [
        ("cost", comparison, "all", " ".join(some), 60, alpha, alpha - 0.1, alpha + 0.1)
        for comparison, each in sets.items()
        for some in each
    ]
    columns = "code comparison group coders passages alpha alpha_low alpha_high"
    return pd.DataFrame(rows, columns=columns.split())


draw_agreement, draw_keyness = map(as_svg, (quality_figures.agreement, quality_figures.keyness))


@pytest.mark.parametrize(
    ("coders", "below"),
    [
        (2, []),
        (3, ["c0 and c1", "c0 and c2", "c1 and c2"]),
        (5, ["without c0", "without c1", "without c2", "without c3", "without c4"]),
    ],
)
def test_agreement_shows_pairs_or_all_but_one(words, coders, below):
    svg = draw_agreement(agreement(coders), words)
    assert [text for text in texts(svg) if re.search(r"\bc\d", text)] == below
    assert marks(svg, f"fill: {figures.BLUE}") == 1 + len(below)


def test_agreement_shows_each_coder_beside_the_standard(words):
    frame = agreement(3)
    against = frame["coders"].isin(["c0 c2", "c1 c2"]) & (frame["comparison"] == "pair of coders")
    svg = draw_agreement(frame.assign(
        comparison=frame["comparison"].mask(against, "coder and standard")), words)  # fmt: skip
    shown = [text for text in texts(svg) if re.search(r"\bc\d", text)]
    assert shown == ["c0 and c2", "c1 and c2", "c0 and c1"]


def test_agreement_draws_marks_only_where_they_are_set(words):
    def dashed(edition_):
        svg = draw_agreement(agreement(3), edition_)
        return svg.count("stroke-dasharray"), "0.667" in texts(svg)

    assert dashed(words) == (0, False)
    assert dashed(edition(load_specs(), context(agreement_marks=[0.667, 0.8]))) == (2, True)


@pytest.mark.slow
def test_agreement_shows_a_dash_where_there_is_no_alpha(words, frames):
    frame = frames["T2-agreement"].copy()
    assert texts(draw_agreement(frame, words)).count("–") == 0
    frame.loc[(frame["group"] == "council") & (frame["code"] == "cost"), "alpha"] = math.nan
    assert texts(draw_agreement(frame, words)).count("–") == 1
    assert texts(draw_agreement(frame.iloc[:0], words)) == ["There is nothing to show."]


def test_agreement_worse_than_chance_has_room(words):
    assert "0.0" in texts(draw_agreement(agreement(2, alpha=-0.15), words))
    assert "0.0" not in texts(draw_agreement(agreement(2, alpha=0.9), words))


def test_every_word_stands_on_its_side(words, frames):
    svg = draw_keyness(frames["T12-keyness"], words)
    found = texts(svg)
    assert [found.count(word) for word in ("budget", "loan", "fare", "tickets")] == [2, 2, 2, 2]
    assert found.count("–") == 2  # a comparison without passages on a side
    comparisons, words_each = 2, 2
    assert marks(svg, f"fill: {figures.BLUE}") == comparisons * words_each
    assert marks(svg, f"fill: {figures.ORANGE}") == comparisons * words_each
    places = {
        node.text: float(node.get("x"))
        for node in ElementTree.fromstring(svg).iter(f"{SVG}text")
        if node.text in ("budget", "fare")
    }
    assert places["fare"] < places["budget"]  # words of b stand to the left
    assert texts(draw_keyness(frames["T12-keyness"].iloc[:0], words)) == [
        "There is nothing to show."
    ]


# --- What looking did -----------------------------------------------------------------------------

draw_looking = as_svg(looking.looking)


def bold_z(frame, words):
    root = ElementTree.fromstring(draw_looking(frame, words))
    said = [("".join(node.itertext()), node.get("style", "")) for node in root.iter(f"{SVG}text")]
    return [text for text, style in said if text.startswith("z ") and "700" in style]


def test_looking_joins_read_and_unread_and_writes_the_difference(words, frames):
    svg = draw_looking(frames["T22-looking"], words)
    found = texts(svg)
    assert found.count("read") == found.count("unread") == 2  # two codes
    assert {"AP: +0.20 [0.11, 0.30]", "F1: +0.20 [0.11, 0.30]"} <= set(found)
    assert "AP: +0.02 [−0.07, 0.12]" in found
    assert sorted(text for text in found if text.startswith("z ")) == ["z 0.3"] * 4 + ["z 2.8"] * 4
    assert marks(svg, f"fill: {figures.ORANGE}") == 2 * 2  # F1, on either side of two codes
    assert marks(svg, f"fill: {figures.PAPER}; stroke: {figures.BLUE}") == 2 * (1 + len(GROUPS))


def test_only_a_z_that_is_a_warning_is_bold(words, frames):
    assert bold_z(frames["T22-looking"], words) == ["z 2.8"]
    assert bold_z(frames["T22-looking"].assign(reading=""), words) == []


@pytest.mark.slow
def test_looking_says_why_there_is_no_comparison_and_shows_the_rates(words, frames):
    frame = frames["T22-looking"].copy()
    numbers = ["value_of", "value_against", "difference", "ci_low", "ci_high"]
    quality = frame["comparison"] == "quality"
    frame.loc[quality, numbers] = math.nan
    frame.loc[quality, "status"] = "undefined: nothing is unread"
    svg = draw_looking(frame, words)
    found = " ".join(texts(svg))
    assert found.count("undefined: nothing is") == 2
    assert "AP:" not in found and marks(svg, f"fill: {figures.ORANGE}") == 0
    assert found.count("z 2.8") == 4
    frame.loc[~quality, numbers] = math.nan
    assert texts(draw_looking(frame, words)).count("–") == 2 * (1 + len(GROUPS))


def test_looking_bears_a_lack_of_rates_or_of_everything(words, frames):
    frame = frames["T22-looking"]
    only = texts(draw_looking(frame[frame["comparison"] == "quality"], words))
    assert "AP: +0.20 [0.11, 0.30]" in only and "share marked" not in " ".join(only)
    assert texts(draw_looking(frame.iloc[:0], words)) == ["There is nothing to show."]


@pytest.mark.slow
def test_looking_of_many_codes_stands_in_rows_of_three(frames):
    codes = {f"k{n}": f"A code with a long name {n}" for n in range(5)}
    base = frames["T22-looking"].query("code == 'cost'")
    frame = pd.concat([base.assign(code=code) for code in codes], ignore_index=True)
    svg = draw_looking(frame, edition(load_specs(), context(codes=codes)))
    assert sum("share marked" in text for text in texts(svg)) == 5
    assert ElementTree.fromstring(svg).get("width") == "504pt"


@pytest.mark.slow
@pytest.mark.parametrize("table", MORE)
def test_these_bytes_do_not_depend_on_a_style_file_either(table, words, frames):
    draw = as_svg(MORE[table])
    first = draw(frames[table], words)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert draw(frames[table], words) == first


# --- PDF and PNG ----------------------------------------------------------------------------------

FORMS = {"svg": lambda figure: figures.svg_text(figure, "x").encode(), "pdf": figures.pdf_bytes,
         "png": figures.png_bytes}  # fmt: skip


@pytest.fixture(scope="module")
def saved(words, frames):
    """A figure drawn once and saved in every form."""
    figure = share_figures.forest(frames["T4-prevalence"], words)
    return {form: save(figure) for form, save in FORMS.items()}


@pytest.mark.slow
def test_forms_do_not_depend_on_which_was_saved_first(saved, words, frames):
    figure = share_figures.forest(frames["T4-prevalence"], words)
    assert {form: FORMS[form](figure) for form in reversed(FORMS)} == saved


@pytest.mark.slow
def test_a_png_holds_pixels_and_their_size_and_nothing_else(saved):
    data, place, chunks = saved["png"], 8, []
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        chunks.append(data[place + 4 : place + 8])
        place += 12 + length
    assert set(chunks) == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}
    width = int.from_bytes(data[16:20], "big")
    assert width == figures.WIDTH * figures.DOTS


@pytest.mark.slow
def test_a_pdf_holds_its_fonts_and_no_word_on_when_and_with_what_it_was_made(saved):
    data = saved["pdf"]
    assert data.count(b"/FontFile2") >= 2  # TrueType, regular and bold
    assert b"/FlateDecode" not in data
    for word in (b"Creat", b"Produc", b"ModDate", b"atplotlib"):
        assert word not in data


def test_glyphs_are_those_that_come_with_matplotlib():
    with figures.house_style():
        for weight in ("normal", "bold"):
            path = Path(findfont(FontProperties(weight=weight)))
            assert path.is_relative_to(Path(matplotlib.get_data_path()))
            assert path.name.startswith("DejaVuSans")


@pytest.mark.slow
def test_bytes_of_pictures_are_those_of_another_process(root, tmp_path, saved):
    (tmp_path / "matplotlibrc").write_text("font.size: 30\npdf.fonttype: 3\nsavefig.dpi: 50\n")
    code = (
        "from framing.common.files import sha256\n"
        "from tests.unit.test_figures import *\n"
        "words = edition(load_specs(), context())\n"
        "figure = share_figures.forest(tables()['T4-prevalence'], words)\n"
        "print(*[sha256(save(figure)) for save in FORMS.values()])\n"
    )
    environment = {
        **os.environ, "PYTHONHASHSEED": "77", "LC_ALL": "C", "TZ": "Pacific/Apia",
        "SOURCE_DATE_EPOCH": "86400", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "workflow")]),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [sha256(data) for data in saved.values()]


@pytest.mark.slow
def test_every_figure_is_saved_in_every_form_and_needs_only_its_table_and_labels(words, frames):
    """What is drawn hangs on no count of the corpus: labels without them give the same bytes."""
    labels = lettering(load_specs(), {k: v for k, v in context().items() if k[:2] != "n_"})
    for name, table in FIGURES.items():
        made = draw([name], {table: frames[table]}, labels)
        assert list(made) == [f"figures/{name}.{form}" for form in FIGURE_FORMS]
        svg, pdf, png = made.values()
        assert svg.startswith(b"<?xml") and pdf.startswith(b"%PDF-") and png[1:4] == b"PNG"
        assert svg == figures.svg_text(drawing(name, frames, words), name).encode()


def test_figures_and_their_tables_are_those_described_and_each_is_drawn_once():
    described = {name: one.table for name, one in load_specs().figures.items()}
    assert described == FIGURES
    assert sorted(name for names in PLATES.values() for name in names) == sorted(FIGURES)
