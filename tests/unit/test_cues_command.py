"""``framing cues``: what a cue does, told before anything is written."""

from __future__ import annotations

import re
from contextlib import chdir
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.acquire.edit_corpus import renewed
from framing.cli import cues as command_module
from framing.cli.cue_worth import Hit, changes, worth
from framing.cli.cues import aligned, changed_cues, list_text
from framing.codebook import cues as engine
from framing.codebook.codebook import load_codebook
from framing.common.build import by_cue
from framing.common.config import load_config
from framing.common.paths import CODEBOOK, CONFIG
from framing.common.problems import InputError
from framing.corpus.facts import cue_digests
from framing.project.load import load_project
from framing.project.lock import commit
from framing.tables.corpus import cue_table
from tests.unit.test_classify import MINI, command, make_project, mini_tables

OLD = "- name: price-words"


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


@pytest.fixture
def run(project, capsys):
    """Run ``framing cues``; return what was printed. It may not write anything."""

    def _run(*argv: str):
        before = contents(project)
        assert command(command_module, project, *argv) == 0
        assert contents(project) == before
        return capsys.readouterr().out

    return _run


def contents(project):
    return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def add_cue(project, name="tram-word", pattern="tram~", votes="for: [cost]"):
    lines = [f"- name: {name}", "  description: made for a test", f"  {votes}",
             f"  pattern: {pattern}", OLD]  # fmt: skip
    edit(project / CODEBOOK, OLD, "\n  ".join(lines))


def unread(project, passages):
    """Return the project with so many ``passages`` in an unread confirmation draw."""
    role = np.where(project.frame["passage_id"].isin(passages), "confirmation", "development")
    return replace(project, frame=project.frame.assign(role=role))


def read_project(folder):
    with chdir(folder):
        return load_project(load_config(CONFIG))


def table(out, cue):
    """Return the rows of a cue's table: cells by 'votes code' and part."""
    block = out[re.search(rf"^{cue} \(", out, re.MULTILINE).start() :].split("\n\n")[0]
    rows = [re.split(r" {2,}", line.strip()) for line in block.splitlines()]
    return {tuple(row[:2]): row[2:] for row in rows if row[0].startswith(("for ", "against "))}


# --- lists ----------------------------------------------------------------------------------------


def test_the_list_has_every_cue_with_its_votes(run):
    book = load_codebook(MINI / CODEBOOK)
    lines = run("--list").splitlines()
    assert len(lines) == len(book.cues)
    for line, cue in zip(lines, book.cues, strict=True):
        assert line.startswith(f"{cue.name} ")
        assert line.endswith(f" {cue.description}")
        for code, vote in cue.votes.items():
            assert f"{'+' if vote > 0 else '-'}{code}" in line
    assert list_text(book) == "\n".join(lines) + "\n"


@pytest.mark.slow
@given(st.lists(st.lists(st.text("ab ", max_size=5), min_size=2, max_size=2), min_size=1))
def test_columns_are_aligned(rows):
    rows = [[first, f"x{second}y"] for first, second in rows]
    lines = aligned(rows)
    assert len({line.index("x") for line in lines}) == 1
    assert [line.split("x", 1)[1] for line in lines] == [second[1:] for _, second in rows]


# --- known answers --------------------------------------------------------------------------------


@pytest.mark.slow
def test_unchanged_cues_are_worth_what_t8_says(run):
    read, tables = mini_tables()
    names = [cue.name for cue in read.codebook.cues]
    votes = {code: {c.name: c.votes.get(code, 0) for c in read.codebook.cues}
             for code in read.codebook.codes}  # fmt: skip
    hits = by_cue(tables.hits[tables.hits["passage_id"].isin(tables.passages["passage_id"])])
    weights = {code: dict.fromkeys(names) for code in votes}
    expected = cue_table(names, votes, hits, tables.labels, weights)
    out = run("--check", *names)
    assert out.count("(unchanged)") == len(names)
    assert out.count("no coded passage is newly hit") == len(names)
    for row in expected.to_dict("records"):
        cells = table(out, row["cue"])[f"{row['vote']} {row['code']}", "all"]
        numbers = [row["passages"], row["hits"], row["coded"], row["carrying"]]
        shares = [row["share"], row["base_rate"], row["lift"]]
        shown = ["-" if pd.isna(value) else f"{value:.2f}" for value in shares]
        assert cells == [*map(str, numbers), *shown]


def test_nothing_changed(run):
    assert run("--check") == "No cue changed since the derived facts were made.\n"


@pytest.mark.slow
def test_a_new_cue_is_counted_in_the_texts(run, project):
    add_cue(project)
    out = run("--check")
    passages = pd.read_csv(project / "corpus/passages.tsv", sep="\t")
    found = {}
    for row in passages.itertuples():
        text = (project / f"corpus/texts/{row.source_id}.txt").read_text(encoding="utf-8")
        found[row.passage_id] = len(
            re.findall(r"\btrams?(?:'s|['’])?(?!\w)", text[row.start : row.end], re.IGNORECASE)
        )
    hit = {name: number for name, number in found.items() if number}
    labels = mini_tables()[1].labels
    cost = labels[labels["code"] == "cost"].set_index("passage_id")["label"]
    coded = cost[cost.index.isin(hit)]
    assert "tram-word (new): made for a test" in out
    cells = table(out, "tram-word")["for cost", "all"]
    assert cells[:4] == [str(n) for n in (len(hit), sum(hit.values()), len(coded), coded.sum())]
    share, base = coded.mean(), cost.mean()
    assert cells[4:] == [f"{share:.2f}", f"{base:.2f}", f"{share / base:.2f}"]
    assert f"newly hit, or no longer: {len(coded)}" in out
    listed = re.findall(r"^    (\w{10})  0 -> (\d+)  cost: (yes|no)$", out, re.MULTILINE)
    assert [name for name, _, _ in listed] == sorted(coded.index)[:20]
    assert all(int(number) == hit[name] for name, number, _ in listed)
    assert all((said == "yes") == bool(cost[name]) for name, _, said in listed)
    more = len(coded) - 20
    assert ("and" in out and f"and {more} more" in out) == (more > 0)


@pytest.mark.slow
def test_patterns_that_need_no_word_are_named_in_one_line(run, project):
    told = "Searched for in every sentence"
    add_cue(project, name="any-letter", pattern=r"'\w+x'")
    out = run("--check")
    assert [line for line in out.splitlines() if line.startswith(told)] == [
        f"{told}, which takes long, as no word is in all of their hits: any-letter/1."
    ]
    assert told not in run("--check", "price-words")


def test_only_what_changed_is_shown_and_what_it_lost(run, project):
    book = load_codebook(MINI / CODEBOOK)
    cue = next(cue for cue in book.cues if cue.name == "price-words")
    before = table(run("--check", cue.name), cue.name)
    block = (project / CODEBOOK).read_text(encoding="utf-8")
    start = block.index(OLD)
    end = block.index("- name: ", start + 5)
    shorter = re.sub(r"pattern:.*?(?=\n    [a-z]+:|\n  -|\n\n|\Z)", "pattern: zyxwv",
                     block[start:end], flags=re.DOTALL)  # fmt: skip
    (project / CODEBOOK).write_text(block[:start] + shorter + block[end:], encoding="utf-8")
    out = run("--check")
    assert re.findall(r"^([\w-]+) \(", out, re.MULTILINE) == [cue.name]
    assert "(changed)" in out
    coded = before["for cost", "all"][2]
    assert int(coded) > 0
    assert f"newly hit, or no longer: {coded}" in out
    assert len(re.findall(r"\d+ -> 0  cost: (?:yes|no)", out)) == min(int(coded), 20)
    assert table(out, cue.name)["for cost", "all"][:5] == ["0", "0", "0", "0", "-"]


@pytest.mark.slow
def test_after_derive_nothing_is_changed_any_more(run, project):
    add_cue(project)
    first = table(run("--check"), "tram-word")
    with chdir(project):
        commit(renewed(load_config(CONFIG)).changes.writes)
    assert run("--check") == "No cue changed since the derived facts were made.\n"
    again = run("--check", "tram-word")
    assert table(again, "tram-word") == first
    assert "no coded passage is newly hit, or no longer" in again


@pytest.mark.slow
def test_a_cue_dropped_is_told_with_what_it_hit(run, project):
    edit(project / CODEBOOK, OLD, "- name: other-name")
    out = run("--check")
    assert "other-name (new)" in out
    hits = by_cue(mini_tables()[1].hits)
    own = hits[(hits["cue"] == "price-words") & ~hits["passage_id"].str.startswith("exemplar/")]
    assert "No longer in the codebook:" in out
    assert f"  price-words  had hits in {len(own)} passages" in out


def test_unknown_names_are_answered_with_their_likes(project):
    with pytest.raises(InputError) as caught:
        command(command_module, project, "--check", "price-wrods", "zzz", "price-words")
    said = str(caught.value)
    assert "unknown cue 'price-wrods'. Did you mean price-words" in said
    assert "unknown cue 'zzz'. `framing cues --list`" in said
    assert len(caught.value.problems) == 2


# --- texts that are absent ------------------------------------------------------------------------


@pytest.mark.slow
def test_without_texts_changed_cues_cannot_be_searched_for(run, project):
    unchanged = run("--check", "price-words")
    (project / "corpus/texts").rename(project / "elsewhere")
    assert run("--check", "price-words") == unchanged
    add_cue(project)
    with pytest.raises(InputError, match="are not at hand"):
        command(command_module, project, "--check")


@pytest.mark.slow
def test_where_some_texts_are_absent_it_is_said(run, project):
    add_cue(project)
    whole = table(run("--check"), "tram-word")["for cost", "all"]
    (project / "corpus/texts/resident-park-2022.txt").unlink()
    out = run("--check")
    assert "Not searched, as their texts are absent: 1 of 16 sources." in out
    assert int(table(out, "tram-word")["for cost", "all"][1]) < int(whole[1])


def test_a_text_that_is_not_the_frozen_one_is_refused(project):
    path = project / "corpus/texts/resident-park-2022.txt"
    path.write_text(path.read_text(encoding="utf-8") + "More.\n", encoding="utf-8")
    with pytest.raises(InputError, match="has the digest"):
        command(command_module, project, "--check", "price-words")


# --- unread passages ------------------------------------------------------------------------------


@pytest.mark.slow
def test_of_unread_passages_it_is_said_how_many_are_hit_and_no_more(run, project):
    add_cue(project, pattern="the")
    whole = table(run("--check"), "tram-word")["for cost", "all"]
    read = read_project(project)
    coded = sorted(set(read.codings["passage_id"]))
    hidden = coded[::3]
    with chdir(project):
        out = command_module.check(unread(read, hidden), [])
    rows = table(out, "tram-word")
    shown, apart = rows["for cost", "read"], rows["for cost", "unread"]
    assert len(apart) == 2
    assert 0 < int(apart[0]) <= len(hidden)
    assert [int(a) + int(b) for a, b in zip(shown, apart, strict=False)] == [
        int(number) for number in whole[:2]
    ]
    # Neither their number nor what they carry is in any figure.
    labels = mini_tables()[1].labels
    cost = labels[(labels["code"] == "cost") & ~labels["passage_id"].isin(hidden)]
    assert shown[5] == f"{cost['label'].mean():.2f}"
    assert int(shown[2]) <= len(cost)
    assert not any(name in out for name in hidden)
    assert re.search(r"and \d+ unread", out)


def test_a_slow_cue_does_not_quote_what_is_unread(project, monkeypatch):
    read = read_project(project)
    apart = unread(read, read.passages["passage_id"])
    monkeypatch.setattr(engine, "_MATCH_SECONDS", 1e-9)
    with chdir(project), pytest.raises(InputError) as caught:
        command_module.check(apart, ["price-words"])
    said = str(caught.value)
    assert "cue 'price-words': takes too long on an unread passage" in said
    assert "begins" not in said
    assert not any(name in said for name in read.passages["passage_id"])


@pytest.mark.slow
def test_a_slow_cue_is_told_with_its_passages(project, monkeypatch):
    with chdir(project):
        read = load_project(load_config(CONFIG))
    monkeypatch.setattr(engine, "_MATCH_SECONDS", 1e-9)
    with chdir(project), pytest.raises(InputError) as caught:
        command_module.check(read, ["price-words"])
    assert "takes too long on ac1a9096d8" in str(caught.value)


# --- pure parts -----------------------------------------------------------------------------------


def test_worth_without_hits_or_codings():
    nothing = worth([], {})
    assert (nothing.passages, nothing.share, nothing.base_rate, nothing.lift) == (
        0,
        None,
        None,
        None,
    )
    unlabelled = worth([Hit("a", False, 0, 3), Hit("b", False, 1, 0), Hit("c", False, 2, None)], {})
    assert (unlabelled.passages, unlabelled.hits, unlabelled.coded) == (1, 3, 0)
    never = worth([Hit("a", False, 0, 1)], {"a": 0, "b": 0})
    assert (never.share, never.base_rate, never.lift) == (0.0, 0.0, None)
    always = worth([Hit("a", False, 0, 1)], {"a": 1, "b": 0})
    assert (always.share, always.base_rate, always.lift) == (1.0, 0.5, 2.0)


def test_changes_are_of_coded_passages_whose_status_turned():
    hits = [Hit("d", False, 0, 1), Hit("a", False, 2, 0), Hit("b", False, 1, 2),
            Hit("c", False, 1, None), Hit("e", False, 0, 1)]  # fmt: skip
    assert [hit.passage_id for hit in changes(hits, "abcd")] == ["a", "d"]


def test_changed_cues_come_in_the_order_of_the_codebook():
    book = load_codebook(MINI / CODEBOOK)
    digests = cue_digests(book)
    first, second, third, *_ = digests
    facts = {
        "x": {"cues": {**digests, third: "0", "gone": "1"}},
        "y": {"cues": {name: value for name, value in digests.items() if name != first}},
    }
    assert changed_cues(facts, digests) == [first, third, "gone"]
    assert second not in changed_cues(facts, digests)


@pytest.mark.parametrize("argv", [(), ("--list", "--check")])
def test_wrong_usage(project, argv):
    with pytest.raises(SystemExit) as caught:
        command(command_module, project, *argv)
    assert caught.value.code == 2
