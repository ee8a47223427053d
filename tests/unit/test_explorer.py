"""The passage explorer: its columns, its page, what leads to it, and where prose may go."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from framing.cli.explore import between, private_path
from framing.common.problems import InputError
from framing.report.explorer import FOLDER, MILLION, Prose, explorer_html, prose_data, script_json
from framing.report.layout import passages_behind
from framing.report.render import html_text
from framing.tables.specs import Entry, spec_files
from tests.unit import explorer_samples as samples
from tests.unit.output_samples import tables as result_tables
from tests.unit.words_read import load_specs


class Parts(HTMLParser):
    """The scripts, the style and the policy of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[tuple[str, str]] = []
        self.style = ""
        self.policy = ""
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.inside = tag
        if tag == "script":
            self.scripts.append((found.get("type") or "", ""))
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            kind, text = self.scripts.pop()
            self.scripts.append((kind, text + data))
        elif self.inside == "style":
            self.style += data


@pytest.fixture(scope="module")
def made():
    return samples.tables()


@pytest.fixture(scope="module")
def columns(made):
    return samples.data(made)


# --- columns --------------------------------------------------------------------------------------


def test_columns_say_of_each_passage_and_code_what_the_scores_say(made, columns):
    place = {name: at for at, name in enumerate(columns["passages"]["id"])}
    code = {one["id"]: one for one in columns["codes"]}
    for row in made.scores.itertuples():
        own, at = code[row.code], place[row.passage_id]
        assert own["probability"][at] == round(row.probability * MILLION)
        assert own["decision"][at] == str(row.decision)
        assert own["label_of"][at] == ("." if row.label is pd.NA
                                       else str(int(row.label)))  # fmt: skip
        assert columns["sources"]["fold"][columns["passages"]["source"][at]] == row.fold


def test_every_coding_is_one_sign_and_no_other_sign_is_there(made, columns):
    place = {name: at for at, name in enumerate(columns["passages"]["id"])}
    code = {one["id"]: one for one in columns["codes"]}
    number = {name: at for at, (name, _) in enumerate(columns["coders"])}
    for row in made.codings.itertuples():
        sign = code[row.code]["coded"][number[row.coder]][place[row.passage_id]]
        assert sign == {(0, 0): "0", (1, 0): "1", (0, 1): "n", (1, 1): "y"}[row.value, row.unsure]
    signs = "".join(column for one in columns["codes"] for column in one["coded"])
    assert len(signs) - signs.count(".") == len(made.codings)


def test_combinations_have_no_coders_and_name_their_codes(columns):
    parts = {one["id"]: one["parts"] for one in columns["codes"]}
    assert parts == {"cost": [], "fairness": [], "both": [0, 1], "either": [0, 1]}
    assert [len(one["coded"]) for one in columns["codes"]] == [2, 2, 0, 0]


def test_hits_are_those_of_each_passage_in_turn(made, columns):
    expected = {(row.passage_id, row.cue, row.hits) for row in made.hits.itertuples(index=False)}
    found, at = set(), 0
    for name, number in zip(columns["passages"]["id"], columns["hits"]["number"], strict=True):
        for hit in range(at, at + number):
            cue = columns["cues"][columns["hits"]["cue"][hit]]["id"]
            found.add((name, cue, columns["hits"]["times"][hit]))
        at += number
    assert found == expected
    assert at == len(columns["hits"]["cue"])


def test_what_was_read_and_the_sampled_frame_are_told(made, columns):
    signs = {"development": "r", "confirmation": "u", "": "n"}
    assert columns["passages"]["part"] == "".join(signs[role] for role in made.passages["role"])
    assert set(columns["passages"]["part"]) == set("run")
    assert columns["passages"]["framed"].count("1") == made.passages["estimable"].sum()
    classic = replace(made, passages=made.passages.drop(columns="role"))
    assert samples.data(classic)["passages"]["part"].count("u") == made.passages["weight"].count()


def test_nothing_is_told_of_passages_that_await_their_codings(made, columns):
    held = samples.awaiting(made)
    hidden = samples.data(made, held)
    at = [place for place, name in enumerate(columns["passages"]["id"]) if name in held]
    rest = [place for place in range(len(made.passages)) if place not in at]
    assert [hidden["passages"]["part"][place] for place in at] == ["h"] * len(held)
    assert any(
        columns["codes"][0]["label_of"][place] != "." for place in at
    )  # what is to be hidden
    for old, new in zip(columns["codes"], hidden["codes"], strict=True):
        assert {(new["probability"][k], new["decision"][k], new["label_of"][k]) for k in at} == {
            (0, "0", ".")
        }
        assert {sign for column in new["coded"] for sign in (column[k] for k in at)} <= {"."}
        for name in ("probability", "decision", "label_of"):
            assert [new[name][k] for k in rest] == [old[name][k] for k in rest]
    assert [hidden["hits"]["number"][place] for place in at] == [0] * len(at)
    assert sum(hidden["hits"]["number"]) == len(hidden["hits"]["cue"])
    prose = samples.prose(made)
    shown = prose_data(hidden, prose)["prose"]
    assert [shown["text"][place] for place in at] == [None] * len(at)
    assert [shown["spans"][place] for place in at] == [[]] * len(at)
    assert shown["between"]  # of the case study, none of whose passages awaits a coding
    own = tuple(made.passages.loc[made.passages["source_id"] == "s0", "passage_id"])[:1]
    assert prose_data(samples.data(made, own), prose)["prose"]["between"] == []


# --- prose ----------------------------------------------------------------------------------------


def test_without_prose_the_page_has_none_of_it_and_with_it_all(made, columns):
    words, prose = samples.words(), samples.prose(made)
    bare = explorer_html(columns, words)
    full = explorer_html(prose_data(columns, prose), words)
    assert "who pays the bill" not in bare
    assert "find" not in re.findall(r'id="(\w+)"', bare)
    held = json.loads(Parts(full).scripts[0][1])["prose"]["text"]
    for name, text in zip(columns["passages"]["id"], held, strict=True):
        assert text == prose.text.get(name)
    assert None in held


@given(st.text(max_size=30), st.data())
def test_spans_point_to_the_same_text_where_offsets_are_of_utf16(text, draw):
    text = re.sub("[\ud800-\udfff]", "", text)
    start = draw.draw(st.integers(0, len(text)))
    end = draw.draw(st.integers(start, len(text)))
    data = {
        "passages": {"id": ["p"], "source": [0], "part": "n"}, "cues": [{"id": "c"}], "case": "",
        "sources": {"id": ["s"]},
    }  # fmt: skip
    found = prose_data(data, Prose({"p": text}, {"p": [("c", start, end), ("gone", 0, 1)]}))
    (cue, low, high), shown = found["prose"]["spans"][0], found["prose"]["text"][0]
    units = shown.encode("utf-16-le")
    assert cue == 0
    expected = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", text[start:end])
    assert units[2 * low : 2 * high].decode("utf-16-le") == expected


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=5), st.text(min_size=60))
def test_what_stands_between_passages_completes_the_text(steps, text):
    places, at = [], 0
    for gap, length in steps:
        places.append((at + gap, at + gap + length))
        at += gap + length
    gaps = between(text, places)
    passages = [text[start:end] for start, end in places]
    assert "".join(a + b for a, b in zip(gaps, [*passages, ""], strict=True)) == text


def test_prose_never_goes_where_it_could_be_committed(tmp_path):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project / "build", project / "results", project / "corpus", elsewhere):
        folder.mkdir(parents=True)
    for name in ("results/explorer.html", "corpus/x.html", "x.html", "../project/results/x.html"):
        with pytest.raises(InputError, match="committed"):
            private_path(name, project, project)
    (elsewhere / "link").symlink_to(project / "results")
    with pytest.raises(InputError, match="results/"):
        private_path("link/x.html", elsewhere, project)
    assert private_path("build/x.html", project, project) == project / "build" / "x.html"
    assert private_path("x.html", elsewhere, project) == elsewhere / "x.html"
    with pytest.raises(InputError, match="is a folder"):
        private_path("../elsewhere", project, project)
    with pytest.raises(InputError, match="does not exist"):
        private_path("nowhere/x.html", elsewhere, project)


# --- page -----------------------------------------------------------------------------------------


def test_the_same_tables_make_the_same_bytes(columns):
    again = samples.data(samples.tables())
    assert explorer_html(columns, samples.words()) == explorer_html(again, samples.words())


def test_only_our_own_script_and_style_may_run(columns):
    parts = Parts(explorer_html(columns, samples.words()))
    (kind, _), (_, script) = parts.scripts
    assert kind == "application/json"
    for text, name in ((script, "script-src"), (parts.style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in parts.policy
    assert parts.policy.startswith("default-src 'none'")
    assert "unsafe" not in parts.policy


def test_nothing_is_put_into_the_page_as_markup():
    script = (FOLDER / "explorer.js").read_text(encoding="utf-8")
    sinks = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|fetch\("
    assert not re.findall(sinks, script)


@pytest.mark.slow
@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner)
                    | st.dictionaries(st.text(), inner), max_leaves=10))  # fmt: skip
def test_data_come_back_as_they_were_and_cannot_leave_their_place(value):
    text = script_json(value)
    assert json.loads(text) == value
    assert not re.search("[<>&\u2028\u2029\u202a-\u202e\u2066-\u2069]", text)


def test_hostile_texts_leave_the_page_two_scripts():
    made = samples.tables(hostile=True)
    page = explorer_html(
        prose_data(samples.data(made), samples.prose(made, hostile=True)),
        samples.words(title="</title><script>window.hacked = 5</script>"),
    )
    parts = Parts(page)
    assert len(parts.scripts) == 2
    titles = json.loads(parts.scripts[0][1])["sources"]["title"]
    assert samples.HOSTILE[0] in titles
    assert samples.LONG in titles


# --- what leads to it -----------------------------------------------------------------------------


def entry(**passages):
    return Entry("column", ("x",), "X", passages=passages)


def test_filters_come_from_columns_fixed_values_and_translations():
    row = {"code": "a b", "group": "all", "how": "counted", "none": "", "other": 0.25}
    lead = entry(
        code="code", group="group", coded={"always": "yes"}, frame="none",
        **{"is": {"how": {"counted": "marked"}}, "from": "other"},
    )  # fmt: skip
    assert passages_behind(lead, row) == "code=a%20b&coded=yes&is=marked&from=0.25"
    assert passages_behind(lead, row | {"how": "else"}) == "code=a%20b&coded=yes&from=0.25"


def test_a_row_that_leads_nowhere_has_no_filters():
    lead = entry(unless="against", group="group")
    assert passages_behind(lead, {"group": "g", "against": "h"}) is None
    assert passages_behind(lead, {"group": "g", "against": ""}) == "group=g"
    assert passages_behind(entry(), {"group": "g"}) is None
    # All of them: no filter, but a link.
    assert passages_behind(entry(group="group"), {"group": "all"}) == ""


def test_tables_link_to_passages_only_where_there_is_an_explorer():
    spec, words = load_specs().tables["T4-prevalence"], samples.words()
    frame = result_tables()["T4-prevalence"]
    assert "<a " not in html_text(frame, spec, words)
    linked = html_text(frame, spec, words, explorer="../explorer.html")
    assert (
        '<a class="passages" href="../explorer.html#code=cost&amp;group=council&amp;coded=yes">'
        in linked
    )
    hostile = frame.assign(group='"><script>')
    assert "<script" not in html_text(hostile, spec, words, explorer="x.html")


def test_every_filter_that_tables_ask_for_is_one_of_the_page():
    page = (FOLDER / "explorer.html.j2").read_text(encoding="utf-8")
    fields = set(re.findall(r'id="([\w-]+)"', page))
    choices = {
        name: set(re.findall(r'value="([^"]+)"', body))
        for name, body in re.findall(r'<select id="([\w-]+)">(.*?)</select>', page, re.DOTALL)
    }
    asked = {
        (name, value)
        for table in map(yaml.safe_load, (path.read_text("utf-8") for path in spec_files()[1:]))
        for column in table["print"]["columns"]
        if isinstance(column, dict)
        for name, source in column.get("passages", {}).items()
        for value in _literals(source)
    }
    assert asked
    for name, value in asked:
        assert name in fields | {"passage", "unless"}
        if value and name in choices:
            assert value in choices[name], (name, value)


def _literals(source):
    if isinstance(source, str):
        return [""]
    if "always" in source:
        return [source["always"]]
    return next(iter(source.values())).values()
