"""Report and explorer as a reader meets them: in a browser, offline, by keyboard, on paper."""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest

from framing.report.explorer import explorer_html
from tests.browser.conftest import written
from tests.unit import explorer_samples as samples

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"viewport": {"width": 360, "height": 740}}
WIDE = {"viewport": {"width": 1280, "height": 900}}
LIST = re.compile(r"^([\d,]+|None) of ([\d,]+) passages")


def number_in(text):
    """Return how many passages a page says it has found."""
    found = LIST.match(text)[1]
    return 0 if found == "None" else int(found.replace(",", ""))


def counted(page):
    return number_in(page.text_content("#count"))


def counts_of(page, fragments):
    """Return how many passages are found by each address, without leaving the page."""
    found = page.evaluate(
        """async fragments => {
             const found = [];
             for (const fragment of fragments) {
               const changed = new Promise((done, fail) => {
                 addEventListener("hashchange", done, { once: true });
                 setTimeout(fail, 10000, "the address did not change");
               });
               changed.catch(() => {});
               const before = location.hash;
               location.hash = fragment;
               if (location.hash !== before) await changed;
               found.push(document.getElementById("count").textContent);
             }
             return found;
           }""",
        list(fragments),
    )
    return [number_in(text) for text in found]


def count_of(page, fragment):
    return counts_of(page, [fragment])[0]


def overflow(page):
    """Return by how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


# --- from the report to the passages --------------------------------------------------------------


def test_a_cell_of_the_report_leads_to_the_passages_behind_it(visit, results):
    page = visit(results / "report.html", **WIDE)
    t4 = pd.read_csv(results / "tables" / "T4-prevalence.csv")
    row = t4[(t4["group"] != "all") & (t4["coded"] > 0)].iloc[0]
    cell = page.locator(f'a.passages[href*="code={row.code}&group={row.group}&coded=yes"]').first
    cell.click()
    page.wait_for_url("**/explorer.html#*")
    assert counted(page) == row.coded
    assert page.input_value("#group") == row.group
    assert page.input_value("#code") == row.code
    page.go_back()
    assert page.url.startswith((results / "report.html").as_uri())


def test_every_linked_number_of_passages_is_what_the_explorer_finds(visit, results):
    report = visit(results / "report.html")
    cells = report.evaluate(
        """[...document.querySelectorAll("a.passages")].map(link => ({
             table: link.closest("figure").id, text: link.textContent,
             href: link.getAttribute("href"),
           }))"""
    )
    asked, tables = set(), set()
    for cell in cells:
        number = re.fullmatch(r"([\d,]+)(?:/([\d,]+))?", cell["text"])
        page, fragment = cell["href"].split("#")
        assert page == "explorer.html"
        if number is None or "passage=" in fragment:
            continue
        # Of the cues' ratio it is the second number whose passages are shown.
        which = 2 if cell["table"] == "T8-cues" and number[2] else 1
        asked.add((fragment, int(number[which].replace(",", ""))))
        tables.add(cell["table"].removesuffix("-all"))
    assert len(tables) >= 9
    asked = sorted(asked)
    found = counts_of(visit(results / "explorer.html"), [fragment for fragment, _ in asked])
    wrong = [(one, number) for one, number in zip(asked, found, strict=True) if one[1] != number]
    assert wrong == []


def test_counts_behind_an_estimate_are_those_of_the_table(visit, results):
    t4 = pd.read_csv(results / "tables" / "T4-prevalence.csv").query("target == 'corpus'")
    page = visit(results / "explorer.html")
    says = {"classify-and-count": "marked", "labels only": "carried"}
    for row in t4[t4["estimator"].isin(says)].itertuples():
        group = "" if row.group == "all" else f"&group={row.group}"
        fragment = f"code={row.code}{group}&frame=yes&is={says[row.estimator]}"
        assert count_of(page, fragment) == row.positives, fragment


def test_a_cell_that_no_draw_reached_leads_to_the_passages_that_the_classifier_counts(
    visit, tmp_path
):
    made = samples.tables()
    apart, other = made.passages["group"].drop_duplicates().tolist()[:2]
    late = made.passages["group"] == apart
    frame = made.passages.assign(estimable=made.passages["estimable"] & ~late)
    bare, _ = written(tmp_path, replace(made, passages=frame))
    page = visit(bare)
    inside = frame["estimable"] & (frame["group"] == other)
    assert 0 < inside.sum() < (frame["group"] == other).sum()
    assert counts_of(
        page,
        [f"group={apart}&frame=cell", f"group={apart}&frame=yes", f"group={other}&frame=cell",
         "frame=cell"],
    ) == [late.sum(), 0, inside.sum(), frame["estimable"].sum()]  # fmt: skip


def test_a_disagreement_leads_to_its_passage(visit, results):
    t17 = pd.read_csv(results / "tables" / "T17-disagreements.csv")
    page = visit(results / "tables" / "T17-disagreements.html")
    page.locator("a.passages").first.click()
    page.wait_for_url("**/explorer.html#*")
    assert page.locator("#detail dd", has_text=re.compile(f"^{t17.passage_id[0]}$")).count() == 1
    assert counted(page) == (t17["code"] == t17.code[0]).sum()
    assert page.locator(".row.opened").count() == 1


# --- filters --------------------------------------------------------------------------------------


def test_filters_find_what_the_tables_hold(visit, pages, made):
    page = visit(pages[0])
    frame = made.passages.set_index("passage_id")
    for code in ("cost", "fairness"):
        score = made.scores[made.scores["code"] == code].set_index("passage_id").loc[frame.index]
        label, decision = score["label"], score["decision"]
        values = made.codings[made.codings["code"] == code].groupby("passage_id")["value"]
        apart = frame.index.isin(values.nunique()[lambda n: n > 1].index)
        coded = label.notna().to_numpy()
        millionths = (score["probability"] * 1e6).round()
        masks = {
            "is=marked": decision == 1,
            "is=unmarked": decision == 0,
            "is=carried": label.eq(1).fillna(False),
            "is=lacking": label.eq(0).fillna(False),
            "is=unlike": label.ne(decision).fillna(False),
            "coded=yes": coded,
            "coded=no": ~coded,
            "disagree=yes": apart,
            "disagree=no": coded & ~apart,
            "from=0.2&to=0.5": (millionths >= 200_000) & (millionths < 500_000),
            "from=0.9&to=1": millionths >= 900_000,
            "group=press&period=2001-2005": frame["group"].eq("press")
            & frame["period"].eq("2001-2005"),
            "source=s7": frame["source_id"].eq("s7"),
            "frame=no": ~frame["estimable"],
            "part=read": frame["role"].eq("development"),
            "part=unread": frame["role"].eq("confirmation"),
            "part=not%20coded": frame["role"].eq(""),
            "part=kept%20back": frame["start"] >= 0,  # from an old link: filters nothing
            "q=PART%203": frame["source_id"].str.fullmatch("s3[0-9]?"),
            "q=p00001": frame.index.str.startswith("p00001"),
            "cue=gift": frame.index.isin(made.hits.query("cue == 'gift'")["passage_id"]),
            "group=nobody&is=odd&from=x": frame["start"] >= 0,
        }
        for fragment, mask in masks.items():
            expected = int(pd.Series(mask).astype(bool).sum())
            assert count_of(page, f"code={code}&{fragment}") == expected, fragment


def test_any_code_is_found_where_one_of_them_is(visit, pages, made):
    page = visit(pages[0])
    simple = made.scores[made.scores["code"].isin(["cost", "fairness"])].groupby("passage_id")
    assert count_of(page, "is=marked") == (simple["decision"].max() == 1).sum()
    assert count_of(page, "is=carried") == (simple["label"].max() == 1).fillna(False).sum()
    assert count_of(page, "from=0.5") == (simple["probability"].max() >= 0.5).sum()


def test_the_list_is_in_the_order_asked_for(visit, pages, made):
    page = visit(pages[0], "code=cost&sort=probability", **WIDE)
    shown = [float(text) for text in re.findall(
        r"Cost (\d\.\d+)", " ".join(page.locator(".row").all_text_contents()))]  # fmt: skip
    expected = made.scores.query("code == 'cost'")["probability"].sort_values(ascending=False)
    assert len(shown) > 5
    assert shown == [round(value, 3) for value in expected.head(len(shown))]


def test_controls_say_what_the_address_says_and_the_other_way_round(visit, pages):
    page = visit(pages[0], "group=press&code=cost&from=0.3")
    assert page.input_value("#group") == "press"
    assert page.input_value("#from") == "0.3"
    assert "(3 in use)" in page.text_content("#filters summary")
    page.select_option("#period", "2006-2010")
    page.fill("#q", "part 1")
    page.wait_for_url("**q=part+1*")
    assert "period=2006-2010" in page.url
    before = counted(page)
    page.click("#reset")
    assert counted(page) == 300 > before
    assert page.input_value("#group") == page.input_value("#q") == ""


# --- one passage ----------------------------------------------------------------------------------


def test_a_passage_shows_codes_coders_cues_and_where_its_text_is(visit, pages, made):
    name = made.codings["passage_id"].iloc[0]
    page = visit(pages[0], f"passage={name}", **WIDE)
    detail = page.locator("#detail")
    row = made.passages.set_index("passage_id").loc[name]
    text = detail.text_content()
    assert f"{row.start} to before {row.end}; {row.words} words" in text
    assert "text not distributed: see https://example.org/" in text
    own = made.codings[(made.codings["passage_id"] == name) & (made.codings["code"] == "cost")]
    cells = detail.locator("table").first.locator("tbody tr").first.locator("td")
    said = ["no", "yes"]
    assert cells.all_text_contents()[3:] == [
        f"{said[one.value]}{'?' * one.unsure}" for one in own.itertuples()
    ]
    for cue in made.hits.query("passage_id == @name")["cue"]:
        assert detail.locator("th", has_text=re.compile(f"^{cue}$")).count() == 1
        assert samples.CUES[cue] in text
    link = detail.locator(".absent a")
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_prose_is_marked_where_cues_hit(visit, pages, made):
    name = made.passages["passage_id"].iloc[0]
    page = visit(pages[1], f"passage={name}", **WIDE)
    whole = samples.prose(made).text[name]
    assert page.text_content("#detail .prose") == whole
    # Two cues overlap: the pieces together are what either hits.
    assert page.locator("#detail mark").all_text_contents() == ["pays the ", "bill", " for"]
    assert "bill: somebody pays" in page.locator("#detail mark").nth(1).get_attribute("title")


def test_going_back_closes_what_was_opened(visit, pages):
    page = visit(pages[0], "group=press", **WIDE)
    page.locator(".row").nth(2).click()
    assert "passage=" in page.url
    page.locator("#detail button", has_text="Next").click()
    page.go_back()
    page.go_back()
    assert "passage=" not in page.url
    assert "group=press" in page.url
    assert page.locator("#detail h2").count() == 0


# --- a source as a whole, and words ---------------------------------------------------------------


def test_the_case_study_reads_as_a_whole(visit, pages, made):
    page = visit(pages[1], "view=source", **WIDE)
    prose = samples.prose(made)
    own = made.passages.query("source_id == 's0'")["passage_id"]
    shown = page.locator("#reading .between, #reading .prose").all_text_contents()
    assert shown == ["A heading", *[prose.text[name] for name in own], "An end."]
    assert page.locator(".strip button").count() == len(own)
    simple = made.scores["code"].isin(["cost", "fairness"])
    marked = made.scores[simple & made.scores["passage_id"].isin(own)]
    found = marked.groupby("passage_id", sort=False)["decision"].sum()
    classes = [one or "" for one in page.locator(".unit").evaluate_all(
        "units => units.map(unit => unit.className)")]  # fmt: skip
    assert [1 if "one" in name.split() else 2 if "several" in name else 0 for name in classes] == [
        found[name] for name in own
    ]


def test_without_its_text_the_case_study_is_a_strip_of_passages(visit, pages, made):
    page = visit(pages[0], "view=source", **WIDE)
    assert "text not distributed: see https://example.org/0" in page.text_content("#reading")
    assert page.locator(".strip button").count() == 5
    page.locator(".strip button").nth(3).click()
    assert page.evaluate("document.activeElement.id") == "unit-3"
    page.locator("#unit-3 button").click()
    assert page.locator("#detail h2").count() == 1


def test_passages_that_await_their_codings_are_listed_and_nothing_is_told_of_them(
    visit, made, tmp_path
):
    held = samples.awaiting(made)
    for path in written(tmp_path, made, held_out=held):
        page = visit(path, f"passage={held[0]}&source=s1", **WIDE)
        assert counted(page) == len(held)
        assert page.locator(".row .chip").count() == 0
        assert "awaits its coding" in page.text_content("#list")
        detail = page.text_content("#detail")
        assert "nobody is to look at it" in detail and "held out for confirmation" in detail
        assert "framing explain" not in detail and "who pays" not in detail
        assert page.locator("#detail table").count() == 0
        for asked in ("is=marked", "is=unmarked", "from=0", "coded=yes"):
            assert count_of(page, f"source=s1&{asked}") == 0
        assert count_of(page, "source=s1&part=not%20coded") == len(held)
        page = visit(path, "view=source&whole=s1", **WIDE)
        assert page.locator("#reading .unit .chip").count() == 0
        assert page.text_content("#reading").count("nobody is to look at it") >= len(held)
        assert "who pays" not in page.text_content("#reading")


def test_key_words_are_listed_in_context_but_not_of_passages_held_out(visit, made, tmp_path):
    page = visit(written(tmp_path, made, held_out=samples.awaiting(made))[1], "view=words", **WIDE)
    page.fill("#find", "PAYS THE")
    page.locator(".kwic li").first.wait_for()
    # Of 300 passages five await their codings and five have no text.
    assert page.locator(".kwic li").count() == 290
    note = page.text_content("#found")
    assert "290 hits in 290 passages" in note
    assert "5 passages held out for confirmation were not searched" in note
    for part in (".before", ".after"):
        assert all(len(text) <= 61 for text in page.locator(f".kwic {part}").all_text_contents())
    page.fill("#find", "(")
    page.locator("#found", has_text=re.compile("^0 hits")).wait_for()
    assert page.locator(".kwic li").count() == 0


# --- every reader ---------------------------------------------------------------------------------


def test_the_keyboard_reaches_everything(visit, pages, made):
    page = visit(pages[1], **WIDE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
        if "list" in reached:
            break
    controls = page.evaluate(
        "[...document.querySelectorAll('#filters input, #filters select, #reset')].map(e => e.id)"
    )
    assert set(controls) <= reached
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    active = page.get_attribute("#list", "aria-activedescendant")
    assert active == "row-3"
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.row.active')).outlineWidth")
        == "3px"
    )
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "detail"
    assert f"framing explain {made.passages['passage_id'].iloc[3]}" in page.text_content("#detail")
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    assert page.get_attribute("#list", "aria-activedescendant") == "row-299"
    page.keyboard.press("Home")
    assert page.get_attribute("#row-0", "aria-posinset") == "1"


def test_every_control_has_a_name_and_the_count_is_announced(visit, pages):
    page = visit(pages[1])
    nameless = page.evaluate(
        """[...document.querySelectorAll("input, select, button")].filter(each =>
             !each.labels?.length && !each.getAttribute("aria-label") && !each.textContent.trim())
           .map(each => each.id)"""
    )
    assert nameless == []
    assert page.get_attribute("#count", "aria-live") == "polite"


def test_without_javascript_the_page_says_what_to_do(visit, pages):
    page = visit(pages[0], java_script_enabled=False)
    assert "needs JavaScript" in page.locator("noscript").inner_text()
    assert not page.locator("#main").is_visible()


@pytest.mark.parametrize("view", ["", "passage=p000002", "view=source", "view=words&find=bill"])
def test_on_a_phone_nothing_is_wider_than_the_page(visit, pages, view):
    page = visit(pages[1], view, **PHONE)
    assert overflow(page) <= 0
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert overflow(page) <= 0


def test_the_real_pages_fit_a_phone(visit, results):
    for name in ("report.html", "explorer.html"):
        assert overflow(visit(results / name, **PHONE)) <= 0


def printed(page):
    pypdf = pytest.importorskip("pypdf")
    reader = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = " ".join(sheet.extract_text() for sheet in reader.pages)
    return " ".join(unicodedata.normalize("NFKC", text).split())  # without ligatures


def test_print_has_the_first_of_the_list_and_says_so(visit, pages):
    page = visit(pages[0])
    text = printed(page)
    assert "The first 200 of 300 passages are printed." in text
    assert text.count("Cost 0.") + text.count("Cost 1.") == 200
    assert "Clear all filters" not in text
    few = printed(visit(pages[0], "source=s7"))
    assert "are printed" not in few
    assert few.count("Cost 0.") + few.count("Cost 1.") == 5


def test_print_of_the_case_study_has_its_text(visit, pages):
    text = printed(visit(pages[1], "view=source"))
    assert text.count("who pays the bill for the park?") == 5
    assert "An end." in text


def test_the_report_prints(visit, results):
    pypdf = pytest.importorskip("pypdf")
    sheets = visit(results / "report.html").pdf(format="A4", page_ranges="1-2")
    assert len(pypdf.PdfReader(io.BytesIO(sheets)).pages) == 2


CONTRAST = """
() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const over = (colour, under) => {
    pen.fillStyle = `rgb(${under.join(" ")})`;
    pen.fillRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.map(v => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const grounds = (node) => {
    const chain = [];
    for (let each = node; each; each = each.parentElement) chain.unshift(each);
    let found = [[255, 255, 255]];
    for (const each of chain) {
      const style = getComputedStyle(each);
      const striped = each.matches(".unit.several")
        ? style.backgroundImage.match(/(?:color|rgba?)\\([^()]*\\)/g) : [style.backgroundColor];
      found = found.flatMap(under => striped.map(colour => over(colour, under)));
    }
    return found;
  };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    const text = walk.currentNode.data.trim().slice(0, 30);
    if (!text || node.closest("svg, script, style, option, noscript, :disabled")) continue;
    if (!node.checkVisibility()) continue;
    for (const ground of grounds(node)) {
      const found = ratio(over(getComputedStyle(node).color, ground), ground);
      if (found < 4.5) bad.push(`${node.tagName} ${found.toFixed(2)} ${text}`);
    }
  }
  return [...new Set(bad)];
}
"""


def test_text_stands_out_from_its_ground(visit, pages, results):
    views = ("passage=p000002", "view=source", "view=source&shade=cost", "view=words&find=bill")
    sampled = [(pages[1], view) for view in views]
    for path, view in [*sampled, (results / "report.html", ""), (results / "explorer.html", "")]:
        page = visit(path, view, **WIDE)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(CONTRAST) == [], (path.name, view, scheme)


# --- hostile data, and much of it -----------------------------------------------------------------


@pytest.mark.parametrize("size", [PHONE, WIDE])
def test_hostile_texts_change_nothing_but_the_text_shown(visit, tmp_path, size):
    made = samples.tables(40, hostile=True)
    for path in written(tmp_path, made, hostile=True):
        page = visit(path, **size)
        tags = page.evaluate(
            "[...new Set([...document.querySelectorAll('*')].map(e => e.tagName))]"
        )
        for name in made.passages["passage_id"][::5]:
            assert count_of(page, f"passage={name}") == 40
            assert overflow(page) <= 0
            title = made.sources.set_index("source_id").loc[
                made.passages.set_index("passage_id").loc[name, "source_id"], "title"
            ]
            expected = re.sub("[\u202e\u2066]", "", title).replace("\u2028", " ")
            assert page.text_content("#detail h2") == expected
        for source in made.sources["source_id"]:
            count_of(page, f"view=source&whole={source}")
            assert overflow(page) <= 0
        count_of(page, "view=words&find=script")
        found = page.evaluate(
            "[...new Set([...document.querySelectorAll('*')].map(e => e.tagName))]"
        )
        assert not {"IMG", "IFRAME", "SVG", "OBJECT"} & set(found)
        assert page.locator("script").count() == 2
        assert page.evaluate("window.hacked") is None
        assert set(tags) - {"NOSCRIPT"} <= set(found) | {"P"}
        links = page.evaluate("[...document.links].map(link => link.protocol)")
        assert "javascript:" not in links


def test_fifty_thousand_passages_scroll_and_filter(visit, tmp_path):
    path = tmp_path / "many.html"
    many = samples.data(samples.tables(50_000, per_source=20))
    path.write_text(explorer_html(many, samples.words()), encoding="utf-8", newline="\n")
    page = visit(path, **WIDE)
    assert counted(page) == 50_000
    assert page.locator(".row").count() < 40
    page.focus("#list")
    page.keyboard.press("End")
    last = page.locator("#row-49999")
    last.wait_for()
    assert last.get_attribute("aria-posinset") == "50000"
    for step in (0, 1_000_000, 2_000_000, 500):
        page.evaluate("top => { document.getElementById('list').scrollTop = top; }", step)
        page.wait_for_function(
            """() => {
                 const box = document.getElementById("list").getBoundingClientRect();
                 const rows = [...document.querySelectorAll(".row")].map(
                   row => row.getBoundingClientRect());
                 return rows.some(row => row.top <= box.top + 1 && row.bottom > box.top)
                   && rows.some(row => row.bottom >= box.bottom - 2);
               }"""
        )
        assert page.locator(".row").count() < 40
        tops = page.locator(".row").evaluate_all(
            "rows => rows.map(row => row.getBoundingClientRect().top)"
        )
        heights = {round(b - a, 1) for a, b in pairwise(tops)}
        assert len(heights) == 1
    page.select_option("#group", "press")
    page.select_option("#code", "cost")
    page.select_option("#is", "marked")
    page.select_option("#sort", "probability")
    assert 0 < counted(page) < 50_000
