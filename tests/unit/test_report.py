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

from framing.codebook.codes import Exemplar, yes_no_code
from framing.common.files import sha256
from framing.report.cautions import warned
from framing.report.report import (
    answers,
    inline_html,
    other_things_equal,
    p_text,
    percent,
    report_html,
    theses,
)
from framing.report.terminal import ascii_text, headline
from framing.tables.captions import edition
from framing.tables.contrasts import NOTHING_TO_HOLD, ONE_PERIOD
from framing.workflow.results import Results
from tests.unit.output_samples import CODES, GROUPS, codebook, context, render_all, tables
from tests.unit.words_read import load_specs

FIGURES = Results(["machines"]).figures


VOID = {"meta", "br", "link", "hr", "img"}


@pytest.fixture(scope="module")
def made():
    return render_all(tables(), context(), load_specs())


@pytest.fixture(scope="module")
def report(made):
    return Page(made["report.html"])


@pytest.fixture(scope="module")
def page_of(made):
    """Make the page alone of other tables or words; its pictures are drawn once, for all."""
    drawn = {name: made[f"figures/{name}.svg"] for name in FIGURES}

    def _page_of(frames=None, specs=None, book=None, **changes):
        words = edition(specs or load_specs(), context(**changes))
        return report_html(frames or tables(), drawn, words, book or codebook())

    return _page_of


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_bytes_do_not_depend_on_hash_seed_locale_or_style_file(made, tmp_path, root):
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsvg.fonttype: path\n")
    code = (
        "from framing.common.files import sha256\n"
        "from framing.tables.specs import load_specs\n"
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_report_tells_of_machine_coders_first(report, made):
    place = report.text.index("three machine coders")
    assert place < report.text.index("The answer")
    specs = load_specs().of(())
    frames = {name: frame for name, frame in tables().items() if name in specs.tables}
    people = render_all(frames, context(machine_coders=False, coders="two human coders"), specs)
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


@pytest.mark.slow
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
    for name in ("estimate", "ci_low", "ci_high", "coder_low", "coder_high"):
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
        if group == "all":
            frame.loc[rows, ["coder_low", "coder_high"]] = (0.09, 0.24)
        frame.loc[rows, "status"] = ""
    return frame


def test_answers_are_the_tables_numbers():
    words = edition(load_specs(), context())
    frame = frame_with(
        {"all": (0.1634, 0.12, 0.206), "press": (0.3, 0.2, 0.4), "council": (0.05, 0.01, 0.1)}
    )
    cost, fairness = answers(frame, words)  # combinations are left out
    assert cost["overall"] == {
        "value": "16.3\u00a0%", "interval": "[12.0, 20.6]", "coders": "[9.0, 24.0]", "status": ""
    }  # fmt: skip
    assert [(one["group"], one["value"], one["interval"]) for one in cost["groups"]] == [
        ("Council", "5.0\u00a0%", "[1.0, 10.0]"),
        ("Residents' letters", "–", ""),
        ("Press", "30.0\u00a0%", "[20.0, 40.0]"),
    ]
    assert fairness["code"] == "Fairness"
    assert fairness["overall"] == {
        "value": "–", "interval": "", "coders": "", "status": "not estimable"
    }  # fmt: skip


@pytest.mark.slow
def test_report_words_the_answer(page_of):
    frames = tables()
    shares = {"all": (0.1634, 0.12, 0.206), "council": (0.05, 0.01, 0.1), "press": (0.3, 0.2, 0.4)}
    frames["T4-prevalence"] = frame_with(shares)
    text = Page(page_of(frames)).text
    assert (
        "Cost: found in an estimated 16.3 % [12.0, 20.6] [9.0, 24.0] whoever codes of all "
        "passages; by group: Council 5.0 % "
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


@pytest.mark.slow
def test_every_table_has_its_place_in_the_report(report, page_of):
    assert set(tables()) <= set(report.values("id"))
    assert report.source.index('id="classifier"') < report.source.index('id="T14-learning"')
    specs = load_specs()
    odd = replace(specs.tables["T8-cues"], id="T99-odd", section="classifier")
    more = replace(specs, tables={**specs.tables, "T99-odd": odd})
    frames = {**tables(), "T99-odd": tables()["T8-cues"]}
    source = page_of(frames, more)
    places = [source.index(f'id="{name}"') for name in ("T15-calibration", "T99-odd", "prevalence")]
    assert places == sorted(places)


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


@pytest.mark.slow
def test_a_hostile_codebook_is_only_shown(page_of):
    nasty = "<script>alert(1)</script> *{{ 7 * 7 }}* `<img src=x onerror=alert(1)>`"
    codes = {"x.y-z": yes_no_code("x.y-z", nasty, nasty, present=(nasty,), not_enough=(nasty,),
                                  carrying=(Exemplar("x", "y"),))}  # fmt: skip
    odd = codebook(codes=codes, cues=(), name=nasty, question=nasty, unit=nasty)
    page = Page(page_of(book=odd))
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


def contrast(basis, **cells):
    """T6 in which the first contrast's rows of a basis have these cells."""
    frame = tables()["T6-contrasts"]
    rows = (frame["contrast"] == "c0") & (frame["basis"] == basis)
    for name, value in cells.items():
        frame.loc[rows, name] = value
    return frame


def first_thesis(frame):
    return theses(frame, edition(load_specs(), context()))[0]


def test_theses_have_both_differences_sign_points_and_adjusted_p():
    found = theses(tables()["T6-contrasts"], edition(load_specs(), context()))
    assert [(one["verdict"], one["remark"]) for one in found] == [
        ("supported", ""), ("contradicted", ""),
    ]  # fmt: skip
    told = ("value", "interval", "coders", "p")
    assert [tuple(one["held"][name] for name in told) for one in found] == [
        ("+10.0", "[2.0, 18.0]", "[0.0, 20.0]", "p = 0.024"),
        ("−10.0", "[−18.0, −2.0]", "[−20.0, 0.0]", "p < 0.001"),
    ]
    assert [one["raw"]["value"] for one in found] == ["+12.0", "−12.0"]


@pytest.mark.slow
def test_a_thesis_is_never_supported_by_mixed_periods_alone(page_of):
    undecided = {"ci_low": -0.04, "ci_high": 0.14, "p_holm": 0.25, "verdict": "not distinguishable"}
    frame = contrast("period held", **undecided)
    found = first_thesis(frame)
    assert (found["verdict"], found["remark"]) == (
        "undecided", "the two sides differ only while periods are mixed",
    )  # fmt: skip
    frames = {**tables(), "T6-contrasts": frame}
    text = Page(page_of(frames)).text
    opening = text[text.index("The answer") : text.index("What was read, and")]
    assert "residents do”: undecided; the two sides differ only while periods are mixed." in opening
    assert "supported" not in opening.split("Residents bring up")[0]
    # With the raw difference not apart either there is nothing to remark.
    both = frame.assign(ci_low=-0.1)
    assert first_thesis(both)["remark"] == ""


def test_a_thesis_whose_interval_alone_leaves_zero_out_is_told_why_it_is_undecided():
    frame = contrast("period held", p_holm=0.08, verdict="not distinguishable")
    assert "once the number of theses is counted" in first_thesis(frame)["remark"]


@pytest.mark.slow
@pytest.mark.parametrize("note", [NOTHING_TO_HOLD, ONE_PERIOD])
def test_where_there_is_no_period_to_hold_one_difference_is_told(page_of, note):
    frame = contrast("period held", status=note)
    assert first_thesis(frame)["raw"] is None
    frames = {**tables(), "T6-contrasts": frame}
    text = Page(page_of(frames)).text
    assert text.count("There is no period to hold: 30.0") == 1
    assert text.count("As the texts are, periods mixed: 30.0") == 1  # of the other thesis


def test_a_contrast_that_cannot_be_held_is_not_estimable_whatever_it_is_raw():
    gone = dict.fromkeys(("difference", "ci_low", "ci_high", "p_holm"), math.nan)
    frame = contrast("period held", status="no period", verdict="not estimable", **gone)
    found = first_thesis(frame)
    assert found["verdict"] == "not estimable" and found["held"]["status"] == "no period"
    assert found["raw"]["value"] == "+12.0"


@pytest.mark.parametrize(
    ("terms", "equal"),
    [
        (["Intercept", "group[press]", "group[council]"], False),
        (["Intercept", "group[press]", "period[2001-2005]"], True),
        (["year", "group[a:b]:year"], True),
        (["Intercept"], False),
    ],
)
def test_other_things_are_equal_only_where_a_model_holds_some(terms, equal):
    rows = [("m", "cost", "coefficient", term) for term in terms]
    rows += [("n", "cost", "coefficient", "words"), ("m", "cost", "predicted share", "genre[x]")]
    t10 = pd.DataFrame(rows, columns=["model", "code", "kind", "term"])
    assert other_things_equal(t10) is equal
    assert not other_things_equal(t10.iloc[:0])


def test_the_section_of_regressions_is_named_after_what_they_hold(report, page_of):
    assert ">Regression</h2>" in report.source and "Other things equal" not in report.text
    frames = tables()
    more = frames["T10-regression"].iloc[:1].assign(term="period[undated]")
    frames["T10-regression"] = pd.concat([frames["T10-regression"], more])
    assert ">Other things equal</h2>" in page_of(frames)


# --- What was read --------------------------------------------------------------------------------


def test_report_tells_right_after_the_answer_what_was_read(report):
    titles = re.findall(r"<h2[^>]*>([^<]*)</h2>", report.source)
    assert titles[:2] == ["The answer", "What was read, and what that means for each number"]
    assert "180 of the 300 coded passages are read" in report.text
    assert "120 are unread: all of that, and the theses, had been frozen" in report.text
    for sentence in context()["reading"]:
        assert sentence in report.text
    assert "all others are estimated from unread passages" in report.text
    assert "(120 unread) were coded by" in report.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("counts", "said", "unsaid"),
    [
        ({"n_read": 300, "n_unread": 0}, ["All 300 coded passages are read", "exploratory"],
         ["all others are estimated from unread"]),
        ({"n_read": 0, "n_unread": 300}, ["None of the 300 coded passages was read"],
         ["optimistic, as it was measured"]),
    ],
)  # fmt: skip
def test_a_project_that_read_all_or_nothing_is_told_so(page_of, counts, said, unsaid):
    text = Page(page_of(**counts)).text
    section = text[text.index("What was read, and what") : text.index("Underlined cells")]
    assert all(words in section for words in said)
    assert not any(words in section for words in unsaid)


@pytest.mark.slow
def test_the_case_study_is_said_to_stand_apart(report, page_of):
    said = "it is no instance of texts like these, so that it is left out of all shares"
    assert (
        f"A letter to the council was chosen, not collected, and taken whole: {said}" in report.text
    )
    assert said not in Page(page_of(case_study=None)).text


def test_what_looking_did_stands_before_the_classifier(report):
    titles = re.findall(r"<h2[^>]*>([^<]*)</h2>", report.source)
    assert titles[titles.index("Classifier") - 1] == "What looking did"
    place = report.source.index('id="figure-looking"')
    assert report.source.index('id="looking"') < place < report.source.index('id="classifier"')


@pytest.mark.slow
def test_warnings_stand_in_a_box_at_the_head_of_the_answer(report, page_of):
    assert 'class="warnings"' not in report.source
    nasty = "<i>Cost</i>: 3 ties & more"
    page = Page(page_of(warnings=[nasty]))
    assert nasty in page.text and "<i>Cost</i>" not in page.source
    box, answer = page.source.index('class="warnings"'), page.source.index("found in an estimated")
    assert page.source.index("The answer</h2>") < box < answer


def warnings_of(**frames):
    words = edition(load_specs(), context(warnings=["said before"]))
    return warned(words, {**tables(), **frames}).context["warnings"]


def test_tables_give_cause_for_warnings():
    t18, t22 = tables()["T18-coder-shares"], tables()["T22-looking"]
    calm = t22.assign(reading="")
    assert warnings_of(**{"T18-coder-shares": t18.assign(tied=0), "T22-looking": calm}) == [
        "said before"
    ]
    combined = (t18["coder"] == "combined") & (t18["code"] == "cost") & (t18["group"] == "press")
    t18.loc[combined, "estimate"] = 0.31
    found = warnings_of(**{"T18-coder-shares": t18})
    assert found[1] == (
        "Cost: the coders split evenly on 2 of 60 passages. The rule for ties decided these, and "
        "no coder (T18)."
    )
    assert sum("split evenly" in one for one in found) == 2  # one a code, of all groups
    (outside,) = [one for one in found if "outside" in one]
    assert outside.startswith("Cost, Press: the combined share of 31.0\u00a0% lies outside")
    assert "20.0\u00a0% to 20.0\u00a0%" in outside
    quality, marked = found[-2:]
    assert quality.startswith("Cost: average precision is 0.800 on read passages and 0.600 on unr")
    assert "marks 28.3\u00a0% of the passages drawn to be read, and 25.0\u00a0% of all" in marked
    assert "(z = 2.8)" in marked
    assert not any(one.startswith("Fairness") for one in found[-2:])


def test_a_combined_share_between_the_coders_own_is_no_cause_for_a_warning():
    t18 = tables()["T18-coder-shares"].assign(tied=0)
    t18["estimate"] = t18["coder"].map(
        {"coder-a": 0.1, "coder-b": 0.3, "combined": 0.3000000001, "largest difference": 0.9}
    )
    found = warnings_of(**{"T18-coder-shares": t18})
    assert not any("outside" in one for one in found)


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
        "\n"
        "What each draw counts as:\n"
        "- sample of corpus/sample.tsv (development, 180 passages): read\n"
        "- draw 1 (confirmation, 120 passages): unread, frozen on 2026-05-01 by freeze 1\n"
    )


def test_headline_names_what_leads_where_nothing_is_unread_and_ends_with_warnings():
    led = {"estimator": "labels only", "target": "texts", "basis": "period held"}
    long = "Coût: " + "the coders split evenly on many passages – and " * 4 + "so on to 20.0\u00a0%"
    given = context(headline=led, n_read=300, n_unread=0, reading=[], warnings=[long])
    text = headline(tables()["T4-prevalence"], edition(load_specs(), given))
    assert "estimator: labels only (no coding is unread); target: texts like these" in text
    assert "What each draw" not in text
    warning = text.split("To be known before any number is used:\n")[1]
    assert warning.startswith("- Cout: the coders split evenly") and warning.count("\n  ") >= 2
    assert max(map(len, text.split("\n"))) <= 79 and "20.0 %" in text


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
