"""Tables as CSV, LaTeX and HTML: numbers, layout, and cells that cannot break their markup."""

from __future__ import annotations

import csv
import io
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.report.latex_width import LINE, SETTINGS, fit, head_lines, width
from framing.report.layout import Cell, Head, Sheet, chosen, lay_out, number, term_text
from framing.report.render import html, html_text, latex, latex_text
from framing.tables.captions import edition, plain
from framing.tables.csv_text import csv_text
from tests.unit.output_samples import (
    CODES,
    EMPTY_CELL,
    ESTIMATORS,
    GROUPS,
    TARGETS,
    context,
    tables,
)
from tests.unit.words_read import load_specs

HOSTILE = r"50% & <b>#1_{x}</b> \input{/etc/passwd} ~^ [y] --- ,, `` '' \" $a$ = é ł “q” – ×"


class Page(HTMLParser):
    """Collects the cells, tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data


# --- CSV ------------------------------------------------------------------------------------------


def test_csv_has_everything_by_the_rule(words):
    spec = words.specs.tables["T8-cues"]
    frame = pd.DataFrame(
        {
            "status": ["", "no, hit"],
            "cue": ["a", 'b "b"'],
            "code": ["cost", "cost"],
            "vote": ["for", "against"],
            "passages": [3.0, math.nan],  # a missing value has made floats of integers
            "hits": pd.array([4, None], dtype="Int64"),
            "coded": [1, 0],
            "carrying": [1, 0],
            "share": [1 / 3, math.nan],
            "base_rate": [-1e-9, 0.5],
            "lift": [2.0, math.nan],
            "weight": [0.1234567, -1.0],
        }
    )
    assert csv_text(frame, spec) == (
        "cue,code,vote,passages,hits,coded,carrying,share,base_rate,lift,weight,status\n"
        "a,cost,for,3,4,1,1,0.333333,0.000000,2.000000,0.123457,\n"
        '"b ""b""",cost,against,,,0,0,,0.500000,,-1.000000,"no, hit"\n'
    )


def test_csv_keeps_every_row(words, frames):
    for name, frame in frames.items():
        read = list(csv.reader(io.StringIO(csv_text(frame, words.specs.tables[name]))))
        assert len(read) == len(frame) + 1
        assert {len(row) for row in read} == {frame.shape[1]}


@pytest.mark.parametrize("change", [{"drop": "words"}, {"add": "extra"}])
def test_csv_complains_about_columns(words, frames, change):
    frame = frames["T1-corpus"]
    frame = frame.drop(columns=change["drop"]) if "drop" in change else frame.assign(**{"extra": 1})
    with pytest.raises(ValueError, match=r"words|extra"):
        csv_text(frame, words.specs.tables["T1-corpus"])


def test_csv_refuses_half_passages(words, frames):
    frame = frames["T1-corpus"].assign(passages=0.5)
    with pytest.raises(ValueError, match="whole"):
        csv_text(frame, words.specs.tables["T1-corpus"])


# --- Layout ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "kind", "text"),
    [
        (0.1634, 3, "share", "0.163"),
        (-0.0001, 3, "share", "0.000"),
        (-0.25, 2, "number", "−0.25"),
        (12345, 3, "integer", "12,345"),
        (0.0004, 3, "p", "<0.001"),
        (0.00099999999, 3, "p", "0.001"),
        (0.04, 3, "p", "0.040"),
    ],
)
def test_numbers_for_reading(value, decimals, kind, text):
    assert number(value, decimals, kind) == text


def test_noise_beyond_six_decimals_does_not_show():
    assert f"{0.37549999999:.3f}" != f"{0.3755:.3f}"
    assert number(0.37549999999, 3) == number(0.3755, 3)


def test_headline_leads_the_prevalence_table(words, frames):
    sheet = lay_out(frames["T4-prevalence"], words.specs.tables["T4-prevalence"], words)
    assert [title for title, _ in sheet.sections] == [
        f"{target}: {code}"
        for target in ("Texts like these", "This corpus")
        for code in CODES.values()
    ]
    assert [head.label for head in sheet.heads if head.leading] == ["Difference"]
    # What is led with first, and beside it what also covers who coded.
    assert [head.label for head in sheet.heads][2:4] == ["Difference", "Whoever codes"]
    assert len(sheet.heads) == 2 + len(ESTIMATORS) + 1
    led = (frames["T4-prevalence"][["estimator", "target"]] == ["difference", "texts"]).all(axis=1)
    first = frames["T4-prevalence"][led].iloc[0]
    assert sheet.sections[0][1][0][3].interval == (
        f"[{first['coder_low']:.3f}, {first['coder_high']:.3f}]"
    )
    assert [row[0].text for row in sheet.sections[0][1]] == ["All groups", *GROUPS.values()]
    frame = frames["T4-prevalence"]
    cell = frame[
        (frame["code"] == "cost")
        & (frame["group"] == "press")
        & (frame["estimator"] == "labels only")
        & (frame["target"] == "texts")
    ].iloc[0]
    column = [head.label for head in sheet.heads].index("Labels only")
    shown = sheet.sections[0][1][3][column]
    assert shown.text == f"{cell['estimate']:.3f}"
    assert shown.interval == f"[{cell['ci_low']:.3f}, {cell['ci_high']:.3f}]"


def test_trend_prints_only_what_is_led_with(words, frames):
    sheet = lay_out(frames["T5-trend"], words.specs.tables["T5-trend"], words)
    assert sum(len(rows) for _, rows in sheet.sections) == len(frames["T5-trend"]) / 8


def test_a_status_stands_on_the_cells_it_empties(words, frames):
    sheet = lay_out(frames["T5-trend"], words.specs.tables["T5-trend"], words)
    assert sheet.marks == {EMPTY_CELL: "a"}
    marked = [
        (title, cell) for title, rows in sheet.sections for r in rows for cell in r if cell.mark
    ]
    assert len(marked) == len(CODES)  # one empty cell for each
    assert all(title.endswith("Press") for title, _ in marked)
    assert {(cell.text, cell.status, cell.mark) for _, cell in marked} == {("–", EMPTY_CELL, "a")}


def test_a_status_without_an_empty_cell_stands_on_the_estimate(words, frames):
    frame = frames["T4-prevalence"].assign(status="fell back")
    sheet = lay_out(frame, words.specs.tables["T4-prevalence"], words)
    row = sheet.sections[0][1][0]
    # Estimates are marked, not counts, and not the interval that belongs to the first of them.
    assert [bool(cell.mark) for cell in row] == [False] * 2 + [True, False] + [True] * 3


def test_sides_of_a_contrast_leave_totals_out(words, frames):
    sheet = lay_out(frames["T6-contrasts"], words.specs.tables["T6-contrasts"], words)
    first = sheet.sections[0][1][0]
    assert [cell.text for cell in first[:2]] == [
        "Cost, Council, 0.300", "Cost, Residents' letters, 0.200",
    ]  # fmt: skip


def test_a_contrast_stands_with_the_period_held_and_raw_side_by_side(words, frames):
    sheet = lay_out(frames["T6-contrasts"], words.specs.tables["T6-contrasts"], words)
    assert [head.label for head in sheet.heads[2:]] == [
        "Period held: difference", "Period held: p (Holm)", "Verdict", "Raw: difference",
        "Raw: p (Holm)",
    ]  # fmt: skip
    title, (row,) = sheet.sections[1]  # the second thesis
    assert title.startswith("Texts like these: ")
    assert [(cell.text, cell.interval) for cell in row[2:]] == [
        ("−0.100", "[−0.180, −0.020]"), ("<0.001", ""), ("contradicted", ""),
        ("−0.120", "[−0.200, −0.040]"), ("<0.001", ""),
    ]  # fmt: skip
    held = "periods held: 2001-2005 (0.60), 2006-2010 (0.40)"
    assert [cell.status for cell in row] == ["", "", held, "", "", "", ""]


def test_a_total_on_all_sides_is_named(words, frames):
    sheet = lay_out(frames["T3-classifier"], words.specs.tables["T3-classifier"], words)
    assert [row[0].text for row in sheet.sections[0][1]] == [
        "Unread passages", "Read passages (optimistic)",
        *(f"Unread passages, {group}" for group in GROUPS.values()),
    ]  # fmt: skip


def test_a_verdict_is_printed_in_the_words_of_its_vocabulary(words, frames):
    frame = frames["T6-contrasts"].assign(verdict="not distinguishable")
    sheet = lay_out(frame, words.specs.tables["T6-contrasts"], words)
    place = [head.label for head in sheet.heads].index("Verdict")
    assert {row[place].text for _, rows in sheet.sections for row in rows} == {"undecided"}


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("Intercept", "Intercept"),
        ("group[council]", GROUPS["council"]),
        ("group[council] - group[residents]", f"{GROUPS['council']} − {GROUPS['residents']}"),
        ("genre[news - a: b]", "genre: news - a: b"),
        ("year:group[council]:period[2001-2005]", f"year × {GROUPS['council']} × 2001–2005"),
        ("actor_type[x]", "actor type: x"),
    ],
)
def test_terms_of_a_regression_are_told_in_words(words, term, text):
    assert term_text(term, words) == text


def test_contrasts_are_told_by_their_theses(words, frames):
    sheet = lay_out(frames["T9-robustness"], words.specs.tables["T9-robustness"], words)
    assert [title for title, _ in sheet.sections] == [
        "Council texts speak of cost more than residents do", "C1",
    ]  # fmt: skip


def test_coders_are_told_apart_by_commas(words, frames):
    sheet = lay_out(frames["T2-agreement"], words.specs.tables["T2-agreement"], words)
    assert sheet.sections[0][0] == "All coders: coder-a, coder-b, coder-c"


def test_optional_columns_are_left_out_where_they_are_empty_and_bear_no_status(words, frames):
    spec = words.specs.tables["T18-coder-shares"]
    without = lay_out(frames["T18-coder-shares"], spec, words)
    assert [head.label for head in without.heads] == ["Coder", "Coded", "Share"]
    rates = {"sensitivity": 0.8, "sensitivity_low": 0.6, "sensitivity_high": 0.9}
    marked = frames["T18-coder-shares"].assign(status="a remark")
    marked.loc[marked["coder"] == "coder-a", list(rates)] = list(rates.values())
    sheet = lay_out(marked, spec, words)
    assert [head.label for head in sheet.heads] == ["Coder", "Coded", "Share", "Sensitivity"]
    rows = sheet.sections[0][1]
    assert [row[3].text for row in rows] == ["0.800", "–", "–", "–"]
    assert all(row[2].status == "a remark" and not row[3].status for row in rows)


def test_rows_are_chosen_by_one_value_or_several(words, frames):
    frame = frames["T4-prevalence"]
    led = chosen(frame, {"target": "headline", "estimator": ["headline", "labels only"]}, words)
    assert set(led["target"]) == {"texts"}
    assert set(led["estimator"]) == {"difference", "labels only"}
    assert len(led) == len(frame) / 4
    assert chosen(frame, {}, words) is frame


# --- Fit ------------------------------------------------------------------------------------------


def sheet_of(*columns, rows=1):
    """A sheet of one section; a column is its head, a cell's text and maybe an interval."""
    heads = [Head(label, numeric) for label, numeric, *_ in columns]
    row = [Cell(*text) for _, _, *text in columns]
    return Sheet(heads, [("", [list(row) for _ in range(rows)])])


def test_a_small_table_is_left_as_it_is():
    fitted = fit(
        sheet_of(("Group", False, "Council"), ("Share", True, "0.1", "[0.0, 0.2]"), rows=7)
    )
    assert (fitted.setting, fitted.shares, fitted.lines) == (SETTINGS[0], {}, 7)


def test_long_texts_are_broken_and_short_ones_are_not():
    fitted = fit(sheet_of(("Thesis", False, "so it is " * 20), ("Code", False, "Cost")))
    assert list(fitted.shares) == [0]
    assert 0.8 < fitted.shares[0] < 1.0
    assert 2 <= fitted.lines <= 3


def test_many_intervals_are_set_beneath_their_estimates():
    interval = ("0.123", "[0.123, 0.123]")
    fitted = fit(sheet_of(("Group", False, "Council"), *[("Share", True, *interval)] * 5, rows=3))
    assert fitted.setting.stacked and fitted.setting.size == "footnotesize"
    assert fitted.lines == 6


def test_a_word_as_long_as_a_page_is_no_crash():
    fitted = fit(sheet_of(("Group", False, "x" * 10_000), ("Share", True, "0.1")))
    assert fitted.setting == SETTINGS[-1]
    assert fitted.shares == {0: 1.0}


@given(
    st.lists(
        st.tuples(
            st.text("abc -", min_size=1, max_size=40),
            st.booleans(),
            st.text("abm 0.", max_size=60),
            st.sampled_from(["", "[0.123, 0.456]"]),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_what_is_said_to_fit_does(columns):
    sheet = sheet_of(*columns)
    fitted = fit(sheet)
    setting = fitted.setting
    taken = 2 * setting.gap * (len(columns) - 1)
    for place, (head, (_, _, text, interval)) in enumerate(zip(sheet.heads, columns, strict=True)):
        if place in fitted.shares:
            assert not head.numeric
            taken += fitted.shares[place] * LINE
            continue
        lines = [text, interval] if setting.stacked else [f"{text} {interval}"]
        taken += setting.unit * max(width(line.strip()) for line in [*lines, *head_lines(head)])
    assert taken <= LINE + 1 or setting == SETTINGS[-1]


# --- LaTeX ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("50 % & more_or #1", r"50 \% \& more\_or \#1"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("[0.1, 0.2]", "{[}0.1, 0.2{]}"),
        ("a--b - c", "a-{}-b - c"),
        ("1–2 “x”", r"1\textendash{}2 \textquotedblleft{}x\textquotedblright{}"),
        ("é Č", r"\'{e} \v{C}"),
        ("a\u202eb\x07", "ab"),
    ],
)
def test_latex_shows_text_as_it_is(text, escaped):
    assert latex(text) == escaped


@pytest.mark.slow
@given(st.text(alphabet=st.characters(codec="ascii"), max_size=40))
def test_latex_of_any_ascii_has_no_live_special(text):
    escaped = latex(text)
    commands = r"\\(?:[%&$#_{}]|text[a-z]+\{\})"
    bare = re.sub(commands, "", escaped)
    assert not re.search(r"[%&$#_~^\\]", bare)
    assert bare.count("{") == bare.count("}")
    assert "--" not in bare


def test_a_script_that_needs_fonts_is_said(words, frames):
    spec = words.specs.tables["T1-corpus"]
    assert "Needs fonts" not in latex_text(frames["T1-corpus"], spec, words)
    other = edition(load_specs(), context(groups={**GROUPS, "press": "Пресса"}))
    assert "U+041F" in latex_text(frames["T1-corpus"], other.specs.tables["T1-corpus"], other)


def test_latex_has_label_caption_and_n(words, frames):
    for name, spec in words.specs.tables.items():
        text = latex_text(frames[name], spec, words)
        assert f"\\label{{tab:{name}}}" in text
        assert "N = 1,850" in text
        assert text.isascii()
        assert all(f"\\{rule}" in text for rule in ("toprule", "midrule", "bottomrule"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles_whatever_the_cells_hold(tmp_path):
    hostile = edition(
        load_specs(),
        context(
            title=HOSTILE,
            groups={**GROUPS, "press": HOSTILE},
            codes={**CODES, "cost": HOSTILE + "x" * 10_000},
            case_study={"source_id": "x", "title": HOSTILE},
        ),
    )
    parts = []
    for name, frame in tables().items():
        changed = (
            frame.assign(status=HOSTILE) if name in ("T4-prevalence", "T6-contrasts") else frame
        )
        if "thesis" in frame:
            changed = changed.assign(thesis=HOSTILE)
        text = latex_text(changed, hostile.specs.tables[name], hostile)
        (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
        empty = latex_text(frame.iloc[:0], hostile.specs.tables[name], hostile)
        (tmp_path / f"{name}-empty.tex").write_text(empty, encoding="utf-8")
        parts += [f"\\input{{{name}.tex}}\\clearpage", f"\\input{{{name}-empty.tex}}\\clearpage"]
    document = (
        "\\documentclass{article}\\usepackage{booktabs,longtable}\\begin{document}\n"
        + "\n".join(parts)
        + "\n\\end{document}\n"
    )
    (tmp_path / "all.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-3000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_no_table_runs_off_its_line(tmp_path, words, frames):
    parts = []
    for name, frame in frames.items():
        text = latex_text(frame, words.specs.tables[name], words)
        (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
        parts.append(f"\\input{{{name}.tex}}\\clearpage")
    document = (
        "\\documentclass{article}\\usepackage{booktabs,longtable}\\begin{document}\n"
        + "\n".join(parts)
        + "\n\\end{document}\n"
    )
    (tmp_path / "all.tex").write_text(document, encoding="utf-8")
    for _ in range(3):  # longtable settles its widths
        done = subprocess.run(
            ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"],
            cwd=tmp_path, capture_output=True, check=True,
        )  # fmt: skip
    log = done.stdout.decode("utf-8", "replace")
    assert not re.findall(r"Overfull \\hbox.*|Float too large.*", log)


# --- HTML -----------------------------------------------------------------------------------------


def test_html_is_a_table_with_caption_heads_and_scopes(words, frames):
    for name, spec in words.specs.tables.items():
        page = Page(html_text(frames[name], spec, words))
        names = [tag for tag, _ in page.tags]
        assert names.count("table") == names.count("caption") == names.count("thead") == 1
        assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
        assert page.tags[0] == ("figure", {"class": "table", "id": name})


def test_html_cell_tells_its_status(words, frames):
    page = Page(html_text(frames["T5-trend"], words.specs.tables["T5-trend"], words))
    told = [attributes["data-status"] for _, attributes in page.tags if "data-status" in attributes]
    assert told == [EMPTY_CELL] * len(CODES)
    assert page.cells.count("–a") == len(CODES)


@given(st.text(max_size=30))
def test_html_text_comes_back(text):
    page = Page(f"<td>{html(text)}</td>")
    assert [tag for tag, _ in page.tags] == ["td"]
    assert page.cells == [plain(text)]


def test_hostile_cells_are_only_shown(frames):
    nasty = '<script>alert(1)</script>"onload=x'
    words = edition(load_specs(), context(groups={**GROUPS, "press": nasty}, title=nasty))
    frame = frames["T6-contrasts"].assign(contrast=nasty, status=nasty)
    page = Page(html_text(frame, words.specs.tables["T6-contrasts"], words))
    assert "script" not in [tag for tag, _ in page.tags]
    assert sum(nasty in cell for cell in page.cells) == len(TARGETS)
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]


def test_an_empty_table_says_so(words, frames):
    for name, spec in words.specs.tables.items():
        page = Page(html_text(frames[name].iloc[:0], spec, words))
        assert page.cells[-1] == "There are no rows."
