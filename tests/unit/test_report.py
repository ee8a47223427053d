"""The report, the set of all renderings, and the headline on the terminal."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from framing.files import sha256
from framing.output.captions import edition, load_specs
from framing.output.report import answers, inline_html, p_text, percent, theses
from framing.output.terminal import ascii_text, headline
from framing.stages import FIGURES
from tests.unit.output_samples import CODES, GROUPS, codebook, context, render_all, tables

VOID = {"meta", "br", "link", "hr", "img"}


@pytest.fixture(scope="module")
def made():
    return render_all(tables(), context(), load_specs())


@pytest.fixture(scope="module")
def report(made):
    return Page(made["report.html"])


class Page(HTMLParser):
    """A page's tags, ids, links and text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(source)
        self.close()
        self.text = " ".join(self.text.split())
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


def changed(name, **columns):
    frames = tables()
    frames[name] = frames[name].assign(**columns)
    return frames


# --- The whole set --------------------------------------------------------------------------------


def test_everything_is_made_by_stable_names(made):
    assert list(made) == [
        *[f"tables/{name}.{kind}" for name in tables() for kind in ("csv", "tex", "html", "md")],
        *[f"figures/{name}.svg" for name in FIGURES],
        "report.html",
    ]
    assert all(text.endswith("\n") and "\r" not in text for text in made.values())


def test_a_missing_table_is_refused():
    frames = tables()
    del frames["T3-classifier"]
    with pytest.raises(ValueError, match="T3-classifier"):
        render_all(frames, context(), load_specs())


def test_bytes_do_not_depend_on_hash_seed_locale_or_style_file(made, tmp_path, root):
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsvg.fonttype: path\n")
    code = (
        "from framing.files import sha256\n"
        "from framing.output.captions import load_specs\n"
        "from tests.unit.output_samples import context, render_all, tables\n"
        "made = render_all(tables(), context(), load_specs())\n"
        "print(sha256(chr(0).join(f'{k}{v}' for k, v in made.items())))\n"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "4321",
        "LC_ALL": "C",
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "workflow")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == sha256("\0".join(f"{k}{v}" for k, v in made.items()))


def test_no_case_study_and_no_contrast_is_no_crash():
    frames = tables()
    for name in ("T6-contrasts", "T7-essay"):
        frames[name] = frames[name].iloc[:0]
    made = render_all(frames, context(case_study=None), load_specs())
    assert made["tables/T7-essay.csv"].count("\n") == 1
    assert "no source chosen" in made["report.html"]
    Page(made["report.html"])


# --- The report -----------------------------------------------------------------------------------


def test_report_asks_nothing_of_the_network(report):
    names = {tag for tag, _ in report.tags}
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert not report.values("src")
    linked = report.values("href") + report.values("xlink:href")
    # Within the page, or to the explorer beside it.
    assert linked and all(re.match(r"(explorer\.html)?(#|$)", target) for target in linked)
    assert "@import" not in report.source and not re.search(r"url\((?!#)", report.source)


def test_report_ids_are_unique_and_links_are_met(report):
    ids = report.values("id")
    assert len(ids) == len(set(ids))
    within = {target[1:] for target in report.values("href") if target.startswith("#")}
    assert within <= set(ids)
    assert {f"T{n}" for n in range(1, 9)} <= {name.split("-")[0] for name in ids}


def test_report_tells_of_machine_coders_first(report, made):
    place = report.text.index("three machine coders")
    assert place < report.text.index("The answer")
    people = render_all(
        tables(), context(machine_coders=False, coders="two human coders"), load_specs()
    )
    assert "achine coder" not in Page(people["report.html"]).text


def test_figures_in_the_report_have_an_alternative_text(report):
    drawings = [attributes for tag, attributes in report.tags if tag == "svg"]
    assert len(drawings) == len(load_specs().figures)
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert len(drawing["aria-label"]) > 80


def test_report_says_limits_digests_and_how_to_rerun(report):
    given = context()
    for part in (*given["limits"], *given["digests"].values(), given["question"]):
        assert part in report.text
    assert report.text.index(given["question"]) < report.text.index("The answer")


def test_hostile_words_are_only_shown():
    nasty = "</title><script>alert('x')</script>\" onload=\"y & {{ 7*7 }}"
    made = render_all(
        changed("T6-contrasts", thesis=nasty, reading=nasty, status=nasty),
        context(title=nasty, question=nasty, limits=[nasty], how_to_rerun=nasty,
                groups={**GROUPS, "press": nasty}, codes={**CODES, "cost": nasty},
                case_study={"source_id": "x", "title": nasty}),
        load_specs(),
    )  # fmt: skip
    page = Page(made["report.html"])
    assert "script" not in {tag for tag, _ in page.tags}
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]
    assert "{{ 7*7 }}" in page.text and "alert('x')" in page.text


# --- The answer -----------------------------------------------------------------------------------


def frame_with(shares):
    """T4 in which the headline rows of `cost` have these shares by group, others none."""
    frame = tables()["T4-prevalence"].copy()
    for name in ("estimate", "ci_low", "ci_high"):
        frame[name] = math.nan
    frame["status"] = "not estimable"
    for group, (estimate, low, high) in shares.items():
        rows = (
            (frame["code"] == "cost")
            & (frame["group"] == group)
            & (frame["estimator"] == "difference")
            & (frame["target"] == "texts")
        )
        frame.loc[rows, ["estimate", "ci_low", "ci_high"]] = (estimate, low, high)
        frame.loc[rows, "status"] = ""
    return frame


def test_answers_are_the_tables_numbers():
    words = edition(load_specs(), context())
    frame = frame_with(
        {"all": (0.1634, 0.12, 0.206), "press": (0.3, 0.2, 0.4), "council": (0.05, 0.01, 0.1)}
    )
    cost, fairness = answers(frame, words)  # combinations are left out
    assert cost["overall"] == {"value": "16.3\u00a0%", "interval": "[12.0, 20.6]", "status": ""}
    assert [(one["group"], one["value"], one["interval"]) for one in cost["groups"]] == [
        ("Council", "5.0\u00a0%", "[1.0, 10.0]"),
        ("Residents' letters", "–", ""),
        ("Press", "30.0\u00a0%", "[20.0, 40.0]"),
    ]
    assert fairness["code"] == "Fairness"
    assert fairness["overall"] == {"value": "–", "interval": "", "status": "not estimable"}


def test_report_words_the_answer():
    frames = tables()
    shares = {"all": (0.1634, 0.12, 0.206), "council": (0.05, 0.01, 0.1), "press": (0.3, 0.2, 0.4)}
    frames["T4-prevalence"] = frame_with(shares)
    text = Page(render_all(frames, context(), load_specs())["report.html"]).text
    assert (
        "Cost: found in an estimated 16.3 % [12.0, 20.6] of all passages; by group: Council 5.0 % "
        "[1.0, 10.0], Residents' letters not estimable (not estimable), Press 30.0 % [20.0, 40.0]."
    ) in text
    assert "Fairness: not estimable (not estimable) over all groups; by group: Council" in text
    assert text.index("Cost: found") < text.index("Brackets hold 95 % intervals")


def test_what_is_not_led_with_is_folded_away(report, made):
    # T4 first for the headline target, then whole and folded; T5 only folded; T6 like T4.
    shown, folded = re.split("<details>", made["report.html"].split("<h2>Prevalence</h2>")[1])[:2]
    assert "Texts like these: Cost" in shown and "This corpus: Cost" not in shown
    assert "This corpus: Cost" in folded
    assert re.search(r"<details>\s*<summary>T5-trend: how often", made["report.html"])
    assert {"T4-prevalence", "T4-prevalence-all", "T5-trend"} <= set(report.values("id"))
    assert "T5-trend-all" not in report.values("id")
    assert "T1-corpus-all" in report.values("id")


def test_every_table_has_its_place_in_the_report(report):
    assert set(tables()) <= set(report.values("id"))
    assert report.source.index('id="classifier"') < report.source.index('id="T14-learning"')
    specs = load_specs()
    odd = replace(specs.tables["T8-cues"], id="T99-odd")
    more = replace(specs, tables={**specs.tables, "T99-odd": odd})
    frames = {**tables(), "T99-odd": tables()["T8-cues"]}
    page = Page(render_all(frames, context(), more)["report.html"])
    assert "others" in page.values("id") and "others" not in report.values("id")
    assert page.source.index('id="others"') < page.source.index('id="T99-odd"')


def test_the_codebook_is_in_the_report(report):
    text = " ".join(report.text.split())
    assert "The park, version 2.1. Who pays?" in text
    assert "Cues that vote for it: 2; against it: 1." in text  # cost: price, dear; fair
    assert "Cues that vote for it: 1; against it: 0." in text  # fairness
    assert "Examples in the codebook that carry it: 2; near misses: 1." in text
    assert "<li>a &lt;bill&gt;</li>" in report.source
    assert "<p>It speaks of <em>cost</em>. Present" in report.source
    assert "the word <code>money</code> alone" in report.source
    assert "as made of these codes: Both, Either." in text
    for part in ("Context", "Decision rule"):  # which this one does not have
        assert f"<b>{part}.</b>" not in report.source
    assert report.source.index('id="codebook"') < report.source.index('id="T8-cues"')
    assert report.source.index('id="T8-cues"') < report.source.index('id="agreement"')


def test_a_hostile_codebook_is_only_shown():
    nasty = "<script>alert(1)</script> *{{ 7 * 7 }}* `<img src=x onerror=alert(1)>`"
    codes = {"x.y-z": replace(codebook().codes["cost"], name="x.y-z", label=nasty, present=(nasty,),
                              not_enough=(nasty,), definition=nasty)}  # fmt: skip
    odd = codebook(codes=codes, cues=(), name=nasty, question=nasty, unit=nasty)
    page = Page(render_all(tables(), context(), load_specs(), odd)["report.html"])
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]
    assert page.text.count("<script>alert(1)</script>") == 7
    assert "{{ 7 * 7 }}" in page.text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a *b c* d", "a <em>b c</em> d"), ("2 * 3 * 4", "2 * 3 * 4"), ("`x*y*z`", None),
        ("*on which* and *that*.", "<em>on which</em> and <em>that</em>."), ("a*b*c", "a*b*c"),
        ("Truth* or Lie*", "Truth* or Lie*"),
    ],
)  # fmt: skip
def test_emphasis_and_code_of_markdown_are_set(text, html):
    found = inline_html(text)
    assert found == html if html else found.startswith("<code>")


def test_theses_have_sign_points_and_p():
    found = theses(tables()["T6-contrasts"], edition(load_specs(), context()))
    assert [(one["value"], one["interval"], one["p"], one["verdict"]) for one in found] == [
        ("+10.0", "[2.0, 18.0]", "p = 0.012", "supported"),
        ("−10.0", "[−18.0, −2.0]", "p < 0.001", "contradicted"),
    ]


def test_numbers_in_running_text():
    assert percent(0.05, 2) == "5\u00a0%"  # a number is not parted from its sign
    assert percent(0.0512, 3) == "5.1\u00a0%"
    assert percent(-0.0001, 3) == "0.0\u00a0%"
    assert percent(math.nan, 3) == "–"
    assert p_text(0.05, 2) == "p = 0.05"


# --- The terminal ---------------------------------------------------------------------------------


def test_headline_is_a_row_a_group_and_a_column_a_code():
    frame = frame_with({"all": (0.1634, 0.12, 0.206), "council": (0.05, -0.001, 0.1)})
    words = edition(load_specs(), context(codes={"cost": "Coût"}))
    assert headline(frame[frame["code"] == "cost"], words) == (
        "Who pays for the park?\n"
        "Share of passages [95 % interval], coded by three machine coders;\n"
        "estimator: difference; target: texts like these\n"
        "\n"
        "                    Cout\n"
        "-------------------------------------\n"
        "Council             0.05 [0.00, 0.10]\n"
        "Residents' letters  - (1)\n"
        "Press               - (1)\n"
        "-------------------------------------\n"
        "All groups          0.16 [0.12, 0.21]\n"
        "\n"
        "(1) not estimable\n"
    )


def test_headline_fits_a_narrow_terminal_in_any_locale():
    codes = {f"k{n}": f"Code “{n}” – long" for n in range(9)}
    base = tables()["T4-prevalence"]
    frame = base[base["code"] == "cost"]
    frame = frame.assign(code="k0")
    words = edition(load_specs(), context(codes=codes))
    many = pd.concat([frame.assign(code=code) for code in codes], ignore_index=True)
    text = headline(many, words)
    assert text.isascii()
    assert max(map(len, text.split("\n"))) <= 79
    assert all(f'"{n}" - long' in text for n in range(9))


def test_ascii_text_keeps_what_it_cannot_spell():
    assert ascii_text("naïve – “Ж”") == 'naive - "Ж"'
