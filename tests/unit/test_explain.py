"""``framing explain``: what is shown adds up to what the model says, and is safe to show."""

from __future__ import annotations

import io
import math
import re
import sys
from contextlib import chdir
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import framing.project.load
from framing.classifier.apply import code_text, load_instrument
from framing.classifier.classifier import train
from framing.classifier.explain import Evidence, Explanation, Passage, explain
from framing.classifier.model_file import predict
from framing.classifier.training import material
from framing.cli import explain as command_module
from framing.cli.explain import page_path, passage_of_corpus, passage_of_text, unknown_passage
from framing.codebook.hits import hit_key, hits_by_cue
from framing.common.problems import InputError
from framing.corpus.store import read_facts, shard_path
from framing.report.explanation import (
    html_page,
    marked,
    pieces,
    terminal_text,
    visible,
    word_spans,
    wrapped,
)
from tests.unit.test_classify import CODES, command, make_project, mini_tables

SPOKEN = "d7535d5184"  # of resident-park-2022: three cues for cost
TEXT = "The façade of the old town must be kept; it costs two million and who pays? <b>We</b> do."


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("explain") / "project")


@pytest.fixture(scope="module")
def instrument(project):
    with chdir(project):
        return load_instrument()


@pytest.fixture
def run(project, instrument, tmp_path, monkeypatch, capsys):
    """Explain; return status and what was printed."""
    monkeypatch.setattr(
        command_module, "load_instrument",
        lambda: instrument if Path.cwd() == project.resolve() else load_instrument(),
    )  # fmt: skip

    def _run(*argv: str, project=project):
        status = command(command_module, project, *argv, here=tmp_path)
        return status, capsys.readouterr().out

    return _run


@pytest.fixture
def own(tmp_path):
    """Return a project that a test may change."""
    return make_project(tmp_path / "own")


def explained(instrument, text, code="heritage", top=3):
    passage = passage_of_text(instrument, text)
    one = explain(instrument.models[code], passage.counts, passage.hits, instrument.codebook, top)
    return passage, one


def shown(instrument, text, **options):
    passage, one = explained(instrument, text)
    return terminal_text(passage, [one], marked(passage, [one], instrument.models), **options)


# --- it adds up -----------------------------------------------------------------------------------


def test_what_is_shown_adds_up_to_the_probability(instrument):
    for code in CODES:
        _, one = explained(instrument, TEXT, code)
        assert one.probability == code_text(instrument, TEXT)[code].probability
        score = math.fsum(row.amount for row in one.evidence)
        assert score == pytest.approx(one.score)
        sigmoid = 1 / (1 + math.exp(-(one.slope * score + one.offset)))
        assert one.probability == pytest.approx(sigmoid, abs=1e-6)
        assert one.decision == (one.probability >= one.threshold)


def test_the_lines_printed_add_up_too(run):
    _, out = run("--text", TEXT, "--code", "cost", "--top", "2")
    amounts = [float(value) for value in re.findall(r"^ +([+-]\d+\.\d{3})  ", out, re.MULTILINE)]
    *parts, score = amounts
    assert sum(parts) == pytest.approx(score, abs=0.0006 * len(amounts))
    slope, sign, offset = re.search(r"exp\(-\(([\d.]+) × score ([+-]) ([\d.]+)\)\)", out).groups()
    offset = float(f"{sign}{offset}")
    found = float(re.search(r"probability (0\.\d{3}), present from", out).group(1))
    assert found == pytest.approx(1 / (1 + math.exp(-(float(slope) * score + offset))), abs=0.002)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nothing_is_lost_however_many_words_are_shown(instrument, data):
    model = instrument.models["cost"]
    numbers = st.integers(1, 3)
    counts = data.draw(st.dictionaries(st.sampled_from([*model["words"], "zzz"]), numbers))
    keys = [hit_key(cue, n) for cue, entry in model["cues"].items()
            for n, _ in enumerate(entry["patterns"], start=1)]  # fmt: skip
    hits = data.draw(st.dictionaries(st.sampled_from(keys), numbers))
    top = data.draw(st.integers(0, 5))
    one = explain(model, counts, hits, instrument.codebook, top)
    found = predict(model, counts, hits)
    assert (one.probability, one.decision) == (found.probability, found.decision)
    assert math.fsum(row.amount for row in one.evidence) == pytest.approx(one.score)
    assert {row.name for row in one.evidence if row.kind == "cue"} == set(hits_by_cue(hits))
    for kind in ("word", "rule"):
        rows = [row for row in one.evidence if row.kind == kind]
        assert sum(row.amount > 0 for row in rows) <= top
        assert sum(row.amount < 0 for row in rows) <= top


@pytest.mark.slow
def test_the_final_model_of_training_says_the_same_of_every_passage(instrument, project):
    read, tables = mini_tables()
    chosen = read.config["classifier"]
    given_ = material("cost", tables, chosen)
    rows = given_.training(tables.passages, chosen["exemplar_weight"])
    final = train(given_.facts, rows, chosen)
    trained = final.probabilities(given_.facts, np.arange(len(tables.passages)))
    model = instrument.models["cost"]
    found = []
    for name, source in tables.passages[["passage_id", "source_id"]].itertuples(index=False):
        rows = read_facts(source, project)["passages"]
        row = next(row for row in rows if row["passage_id"] == name)
        one = explain(model, row["counts"], row["hits"], read.codebook, 3)
        found.append(one.probability)
    assert found == pytest.approx(list(trained), abs=2e-5)


def test_a_cue_adds_what_it_and_its_patterns_add(instrument):
    model = instrument.models["cost"]
    cue, other = "sum-of-money", "old-town-by-name"
    own = model["cues"][cue]
    hits = {f"{cue}/1": 1, f"{cue}/3": 2, f"{other}/1": 1}
    one = explain(model, {}, hits, instrument.codebook, 3)
    rows = {row.name: row for row in one.evidence if row.kind == "cue"}
    expected = (
        own["weight"] * math.log(4)
        + own["patterns"][0] * math.log(2)
        + own["patterns"][2] * math.log(3)
    )
    assert rows[cue].amount == pytest.approx(expected)
    assert rows[cue].note.startswith("3 hits (patterns 1, 3), meant for: ")
    assert rows[other].note.startswith("1 hit (pattern 1), meant for other codes: ")


def test_words_stand_for_their_terms_and_the_largest_come_first(instrument):
    _, one = explained(instrument, "They kept an old house, keeping the oldest and keeps houses.")
    words = [row for row in one.evidence if row.kind == "word"]
    amounts = [row.amount for row in words]
    ups, downs = [x for x in amounts if x > 0], [x for x in amounts if x < 0]
    assert amounts == [*sorted(ups, reverse=True), *sorted(downs)]
    assert "keeping, keeps" in {row.note for row in words}


def test_a_constant_model_says_why_it_is_one(instrument):
    model = {**instrument.models["cost"], "constant": 0.25, "threshold": 0.5,
             "reason": "no passage carries the code"}  # fmt: skip
    one = explain(model, {"a": 1}, {}, instrument.codebook, 3)
    assert (one.probability, one.decision, one.evidence) == (0.25, 0, ())
    passage = passage_of_text(instrument, "All of us.")
    said = terminal_text(passage, [one], pieces("All of us.", [], []))
    assert "Every passage gets this probability: no passage carries the code." in said
    assert "score" not in said
    assert "<table>" not in html_page(passage, [one], [], {})


def test_an_unfamiliar_passage_is_called_so(instrument):
    assert "Unfamiliar: 100% of its words are unknown" in shown(instrument, "Zyx wvut qwrst.")


# --- passages of the corpus -----------------------------------------------------------------------


def test_a_passage_of_the_corpus_is_shown_with_its_prose_marked(run):
    status, out = run(SPOKEN)
    assert status == 0
    assert out.startswith(f"passage {SPOKEN} of resident-park-2022, 44 words\n")
    assert "From one who will ride on it · Inès Park · 2022-11-08" in out
    assert re.search(r"\[[^\]]*million\]", out.replace("_", ""))
    assert re.search(r"cue sum-of-money: 2 hits \(pattern 3\), meant for: \w", out)
    assert re.search(r"similarity to cost/present/\d: \w", out)
    assert [line.split(":")[0] for line in out.splitlines() if ", present from" in line] == CODES
    assert "\x1b" not in out


def test_prose_that_is_absent_is_not_shown(own, run):
    _, with_prose = run(SPOKEN, project=own)
    (own / "corpus/texts").rename(own / "elsewhere")
    _, without = run(SPOKEN, project=own)
    assert "text not distributed: see written for this example" in without
    assert "madness" in with_prose
    assert "madness" not in without.replace("word madness", "")
    # All that rests on facts is the same.
    assert with_prose[with_prose.index("cost:") :] == without[without.index("cost:") :]


@pytest.mark.slow
def test_the_published_probability_is_told_from_the_one_explained(own, run):
    _, out = run(SPOKEN, "--code", "cost", project=own)
    flat = " ".join(out.split())
    assert "comes from the model of its source's fold and differs from this one" in flat
    (own / "build").mkdir()
    scores = "passage_id\tcode\tlabel\tprobability\tdecision\n{}\tcost\t1\t0.123456\t0\n"
    (own / "build/scores.tsv").write_text(scores.format(SPOKEN), encoding="utf-8")
    _, out = run(SPOKEN, "--code", "cost", project=own)
    flat = " ".join(out.split())
    assert (
        "Published: 0.123, absent, from the model of its source's fold (build/scores.tsv)" in flat
    )
    assert "Coded present, and the final model has learned from that." in flat
    (own / "results/tables").mkdir()
    case = f"passage_id,code,label,probability,decision\n{SPOKEN},cost,,0.654321,1\n"
    (own / "results/tables/T7-essay.csv").write_text(case, encoding="utf-8")
    _, out = run(SPOKEN, "--code", "cost", project=own)
    flat = " ".join(out.split())
    assert "Published: 0.654, present" in flat
    assert "T7-essay.csv" in flat
    assert "Coded" not in flat
    (own / "results/tables/T7-essay.csv").write_text("passage_id\nx\n", encoding="utf-8")
    _, out = run(SPOKEN, "--code", "cost", project=own)
    assert "Published: 0.123" in out


def test_stale_facts_are_remarked(own, run):
    book = own / "corpus/codebook/codebook.yaml"
    text = book.read_text(encoding="utf-8")
    assert "negation_window: 3" in text
    book.write_text(text.replace("negation_window: 3", "negation_window: 4"), encoding="utf-8")
    _, out = run(SPOKEN, project=own)
    assert "note: Cues changed since the facts of resident-park-2022 were made" in out


def test_an_unknown_id_is_answered_with_its_likes(project):
    with chdir(project):
        given_ = load_instrument()
        with pytest.raises(InputError, match=f"Did you mean {SPOKEN}"):
            passage_of_corpus(given_, "d7535d5183")
        with pytest.raises(InputError, match=r"is a source, not a passage.*dc2156ad1e"):
            passage_of_corpus(given_, "resident-park-2022")
    frame = pd.DataFrame({"passage_id": ["a"], "source_id": ["s"]})
    assert "See corpus/passages.tsv" in str(unknown_passage("zzzz", frame))


def test_a_passage_that_awaits_its_coding_is_not_explained(project, monkeypatch):
    monkeypatch.setattr(framing.project.load, "waiting", lambda draws, coded: frozenset({SPOKEN}))
    with chdir(project):
        given_ = load_instrument()
        with pytest.raises(InputError, match="awaits its coding in a draw for confirmation"):
            passage_of_corpus(given_, SPOKEN)
        assert passage_of_corpus(given_, "dc2156ad1e").counts


def test_facts_that_lack_the_passage_are_named(own):
    path = own / shard_path("resident-park-2022")
    path.write_text(
        path.read_text(encoding="utf-8").replace(f'"{SPOKEN}"', '"other"'), encoding="utf-8"
    )
    with chdir(own), pytest.raises(InputError, match=f"lacks the passage {SPOKEN}"):
        passage_of_corpus(load_instrument(), SPOKEN)


# --- texts ----------------------------------------------------------------------------------------


def test_a_text_may_come_from_standard_input(run, monkeypatch):
    _, plain = run("--text", TEXT)
    data = b"\xef\xbb\xbf" + TEXT.replace("ç", "c\u0327").encode() + b"\r\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    _, piped = run("--text", "-")
    assert piped == plain
    assert "_façade_" in plain


@pytest.mark.parametrize(
    ("data", "said"), [(b"caf\xe9", "is not valid UTF-8"), (b" \n", "is empty")]
)
def test_texts_that_are_none(run, monkeypatch, data, said):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    with pytest.raises(InputError, match=said):
        run("--text", "-")


def test_bytes_of_the_command_line_that_are_no_text(run):
    with pytest.raises(InputError, match="is not valid UTF-8"):
        run("--text", "caf\udce9")


def test_codes_are_chosen_by_name(run):
    _, out = run("--text", TEXT, "--code", "heritage")
    assert re.search(r"^heritage: \w+, probability", out, re.MULTILINE)
    assert "cost:" not in out
    with pytest.raises(InputError, match="Did you mean 'heritage'"):
        run("--text", TEXT, "--code", "heritags")


@pytest.mark.parametrize(
    "argv", [(), ("a", "--text", "b"), ("a", "--top", "-1"), ("a", "--top", "x")]
)
def test_wrong_usage(run, argv, capsys):
    with pytest.raises(SystemExit) as caught:
        run(*argv)
    assert caught.value.code == 2


# --- in the terminal ------------------------------------------------------------------------------


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(("no_colour", "coloured"), [(None, True), ("", True), ("1", False)])
def test_colours_are_for_terminals_that_want_them(project, monkeypatch, no_colour, coloured):
    if no_colour is None:
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.setenv("NO_COLOR", no_colour)
    monkeypatch.setattr(sys, "stdout", Terminal())
    command(command_module, project, "--text", TEXT)
    assert ("\x1b[1m" in sys.stdout.getvalue()) is coloured


def test_colours_change_nothing_but_the_look(instrument):
    plain, coloured = shown(instrument, TEXT), shown(instrument, TEXT, colour=True)
    bare = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert bare.split("marked:")[1].split("\n", 1)[1] == plain.split("marked:")[1].split("\n", 1)[1]
    assert re.sub(r"[\[\]_]", "", plain.split("marked:")[0]) == bare.split("marked:")[0]


def test_nothing_a_text_holds_acts_on_the_terminal(instrument):
    said = shown(
        instrument, "All \x1b[31mred\x07 \u202eevil\u202c \x9b31m of us\u200f.", colour=False
    )
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", said
    )
    assert "\\u001b[31mred\\u0007 \\u202eevil\\u202c" in said
    assert visible("a\u2067b") == "a\\u2067b"


def test_a_terminal_that_knows_no_accents_is_no_error(project, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    assert command(command_module, project, "--text", TEXT) == 0
    stream.flush()
    assert b"fa\\xe7ade" in stream.buffer.getvalue()


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=80), st.integers(1, 30))
def test_wrapping_moves_nothing(text, width):
    lines = wrapped(text, width)
    assert len(lines) == len(text)
    assert [a for a in text if not a.isspace()] == [a for a in lines if not a.isspace()]
    assert all(len(line) <= width or " " not in line[: width + 1] for line in lines.split("\n"))


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_pieces_joined_are_the_text_and_carry_every_span(data):
    text = data.draw(st.text("ab c", min_size=1, max_size=30))
    place = st.integers(0, len(text))
    span = st.tuples(st.sampled_from("xyz"), place, place).filter(lambda one: one[1] < one[2])
    cues, words = data.draw(st.lists(span)), data.draw(st.lists(span))
    cut = pieces(text, cues, words)
    assert "".join(piece.text for piece in cut) == text
    at = [piece for piece in cut for _ in piece.text]
    for offset in range(len(text)):
        assert set(at[offset].cues) == {name for name, a, b in cues if a <= offset < b}
        assert set(at[offset].terms) == {name for name, a, b in words if a <= offset < b}


def test_words_are_found_where_they_stand():
    text = "Don’t STOP, don't; non-stop 1,300."
    found = word_spans(text, {"dont": ["don't"], "stop": {"stop"}, "n": ["1,300"]})
    assert [(term, text[a:b]) for term, a, b in found] == [
        ("dont", "Don’t"), ("stop", "STOP"), ("dont", "don't"), ("stop", "stop"), ("n", "1,300"),
    ]  # fmt: skip


# --- as a page ------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a browser would make of a page: tags in order, marked texts, all text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.marks, self.words, self._open = [], [], "", []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self._open.append(tag)
        if tag == "mark":
            self.marks.append(dict(attrs).get("title"))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words += data


def test_the_page_holds_the_passage_with_its_cues_named(run, tmp_path):
    _, out = run(SPOKEN, "--html", "why.html")
    text = (tmp_path / "why.html").read_text(encoding="utf-8")
    page = Page(text)
    assert f"written: {tmp_path.resolve() / 'why.html'}" in out
    assert "People write to this paper that ninety-six million is madness." in page.words
    assert any(title and title.startswith("sum-of-money: ") for title in page.marks)
    assert "prefers-color-scheme: dark" in text
    assert "default-src 'none'" in text
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not re.search(
        r"(src|href|url\()", text.replace("default-src", "").replace("style-src", "")
    )
    for code in CODES:
        assert f"<h2>{code}: " in text
    run("--text", "Other words.", "--html", "why.html")
    assert "ninety-six" not in (tmp_path / "why.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "hostile",
    ['<script>alert("x")</script> & <b>all', "\" onmouseover='x' old façade", "a" * 10_000,
     "\x00\x1b nul", "\u202e\u200fold façade", "</blockquote></body> old façade"],
)  # fmt: skip
def test_no_text_breaks_out_of_the_page(instrument, hostile):
    plain = Page(page_of(instrument, "A text like any other."))
    text = page_of(instrument, hostile)
    page = Page(text)
    inside = {"mark", "u"}
    assert [tag for tag, _ in page.tags if tag not in inside | {"tr", "td"}] == [
        tag for tag, _ in plain.tags if tag not in inside | {"tr", "td"}
    ]
    assert all(set(given_) <= {"title", "class"} for tag, given_ in page.tags if tag in inside)
    assert "\x00" not in text
    assert re.sub("[\x00\x1b]", "\ufffd", hostile.strip()) in page.words


def page_of(instrument, text):
    passage, one = explained(instrument, text)
    found = {cue.name: cue.description for cue in instrument.codebook.cues}
    return html_page(passage, [one], marked(passage, [one], instrument.models), found)


def test_names_and_notes_are_escaped_too():
    evil = "<i>&\"'"
    passage = Passage((evil, evil), {}, {}, None, evil, (), None, (evil,))
    one = Explanation(
        evil, 0.5, 1, 0.5, (Evidence("cue", evil, 1.0, evil),), 1.0, 1.0, 0.0, "", 0.9, 0.1,
        (0.5, 0.5), True,
    )  # fmt: skip
    page = Page(html_page(passage, [one], [], {}))
    assert "i" not in {tag for tag, _ in page.tags}
    assert page.words.count(evil) >= 6


def test_a_page_without_prose_says_so(own, run, tmp_path):
    (own / "corpus/texts").rename(own / "elsewhere")
    run(SPOKEN, "--html", "why.html", project=own)
    text = (tmp_path / "why.html").read_text(encoding="utf-8")
    assert "text not distributed" in text
    assert "<blockquote" not in text


def test_no_prose_goes_into_folders_that_are_committed(project, tmp_path):
    for name in ("results/why.html", "corpus/texts/why.html", "config/../results/tables/a.html"):
        with pytest.raises(InputError, match="which is committed"):
            page_path(name, project, project)
        with pytest.raises(InputError, match="which is committed"):
            page_path(str(project / name), tmp_path, project)
    link = tmp_path / "link"
    link.symlink_to(project / "results")
    with pytest.raises(InputError, match="which is committed"):
        page_path("link/why.html", tmp_path, project)
    assert page_path("why.html", tmp_path, project) == tmp_path.resolve() / "why.html"


@pytest.mark.parametrize(
    ("name", "said"), [(".", "is a folder"), ("none/why.html", "does not exist")]
)
def test_a_page_needs_a_place(project, tmp_path, name, said):
    with pytest.raises(InputError, match=said):
        page_path(name, tmp_path, project)
