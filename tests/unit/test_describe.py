"""T1, T7, T8 and the manifest: counted by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from framing.coding.variables import COLUMNS
from framing.release.manifest import digest_of_files, manifest, provenance
from framing.sampling.draw import awaiting
from framing.tables.context import cited, named, project_context
from framing.tables.corpus import T1_COLUMNS, case_table, corpus_table, cue_table

CONFIG = {
    "groups": {"left": "Left", "right": "Right", "none": "Nobody"},
    "periods": [{"id": "early", "first": 1990, "last": 1999}],
    "undated": "undated",
}
SOURCES = pd.DataFrame(
    {
        "source_id": ["s1", "s2", "s3"],
        "actor": ["Reds", "Blues", "Greens"],
        "date": ["1995-02", "", "1997"],
        "date_precision": ["month", "unknown", "approximate"],
    }
)
PASSAGES = pd.DataFrame(
    [
        ("p1", "s1", "left", "early", 0, 10, 12, 2.0),
        ("p2", "s1", "left", "early", 12, 30, 20, None),
        ("p3", "s2", "right", "undated", 0, 9, 15, 1.0),
    ],
    columns=["passage_id", "source_id", "group", "period", "start", "end", "words", "weight"],
)
CODINGS = pd.DataFrame(
    [
        ("p1", "ann", "red", 1, 0), ("p1", "bob", "red", 0, 1),
        ("p1", "ann", "blue", 0, 0), ("p1", "bob", "blue", 0, 1),
        ("p3", "ann", "red", 0, 0), ("p3", "ann", "blue", 1, 0),
    ],
    columns=["passage_id", "coder", "code", "value", "unsure"],
)  # fmt: skip
SCORES = pd.DataFrame(
    [
        ("p1", "red", 0, 1, 0.9, 1), ("p2", "red", 0, None, 0.2, 0), ("p3", "red", 1, 0, 0.1, 0),
        ("p1", "blue", 0, 0, 0.3, 0), ("p2", "blue", 0, None, 0.4, 0), ("p3", "blue", 1, 1, 0.8, 1),
    ],
    columns=["passage_id", "code", "fold", "label", "probability", "decision"],
).astype({"label": "Int64"})  # fmt: skip
HITS = pd.DataFrame(
    [("p1", "shout", 3), ("p1", "hush", 1), ("p2", "shout", 1)],
    columns=["passage_id", "cue", "hits"],
)
VOTES = {"red": {"shout": 1, "hush": -1}, "blue": {"shout": -1, "still": 1}}


def test_the_corpus_is_counted_by_group_and_period():
    table = corpus_table(SOURCES, PASSAGES, CONFIG)
    assert tuple(table.columns) == T1_COLUMNS
    assert set(table["actor"]) == {"all"}  # every group has one actor
    rows = table.drop(columns="actor").set_index(["group", "period"])
    dates = ["1995-02", "1995-02"]
    assert rows.loc[("all", "all")].tolist() == [2, 3, 47, 2, 0, *dates, 0, 1, ""]
    assert rows.loc[("left", "early")].tolist() == [1, 2, 32, 1, 0, *dates, 0, 0, ""]
    assert rows.loc[("right", "all")].tolist() == [1, 1, 15, 1, 0, "", "", 0, 1, ""]
    assert rows.loc[("none", "all"), "status"] == "empty: no passage"
    assert len(table) == 4 * 3


def test_a_group_of_several_actors_is_told_by_actor_and_unread_passages_are_counted():
    late = PASSAGES.tail(1).assign(passage_id="p4", source_id="s3", group="left", period="early")
    role = ["development", "", "confirmation", "confirmation"]
    passages = pd.concat([PASSAGES, late], ignore_index=True).assign(role=role)
    table = corpus_table(SOURCES, passages, CONFIG)
    actors = table[table["actor"] != "all"]
    assert actors["group"].tolist() == ["left", "left"] and set(actors["period"]) == {"all"}
    assert actors["actor"].tolist() == ["Greens", "Reds"]
    assert actors["approximate"].tolist() == [1, 0]
    assert actors["unread"].tolist() == [1, 0]
    whole = table[(table["group"] == "all") & (table["period"] == "all")].iloc[0]
    assert (whole["coded"], whole["unread"]) == (3, 2)


def test_the_case_is_told_passage_by_passage():
    table = case_table("s1", PASSAGES, CODINGS, SCORES, HITS, VOTES)
    assert table["position"].tolist() == [1, 1, 2, 2]
    first = table.iloc[0]
    assert (first["label"], first["coders_for"], first["coders"]) == (1, 1, 2)
    assert first["coders_detail"] == "ann=1 bob=0?"
    assert first["cues"] == "for: shout ×3; against: hush"
    assert table.iloc[1]["cues"] == "against: shout ×3"
    assert table.iloc[2]["status"] == "not drawn for coding"
    assert pd.isna(table.iloc[2]["coders_for"])


SETTINGS = {
    **CONFIG, "case_study": "s1", "combinations": {}, "contrasts": [], "agreement": {"marks": []},
    "project": {"title": "T", "question": "Q?"}, "report": {"decimals": 3},
    "inference": {"headline": {"estimator": "difference", "target": "texts"}, "confidence": 0.9},
}  # fmt: skip
CODES = pd.DataFrame(
    [("red", "Red", "red", "Red", "yes/no", "1", "1.0", "")], columns=list(COLUMNS)
)


@pytest.mark.parametrize(("confirmed", "leads"), [(True, "difference"), (False, "labels only")])
def test_what_leads_follows_from_whether_anything_is_unread(confirmed, leads):
    led = named(SETTINGS, CODES, confirmed)["headline"]
    assert led == {"estimator": leads, "target": "texts", "basis": "period held"}
    assert SETTINGS["inference"]["headline"] == {"estimator": "difference", "target": "texts"}


@pytest.mark.parametrize(
    ("roles", "counts", "leads"),
    [
        (["development", "", "development"], (2, 0), "labels only"),
        (["development", "", "confirmation"], (1, 1), "difference"),
        (["confirmation", "", "confirmation"], (0, 2), "difference"),
        (None, (0, 2), "difference"),  # a frame that knows no roles
    ],
)
def test_a_project_says_how_many_codings_were_read_and_what_each_draw_counts_as(
    roles, counts, leads
):
    passages = PASSAGES.assign(estimable=[True, True, False])
    passages = passages if roles is None else passages.assign(role=roles)
    coders = pd.DataFrame({"coder": ["ann", "bob"], "kind": "human", "model": ""})
    source = SOURCES.assign(title="On parks", speaker="")
    made = {"inputs": {"corpus": {"sha256": "a"}}, "config": {"sha256": "b"}}
    context = project_context(SETTINGS, source, passages, CODES, coders, made,
                              reading=("draw 1: read",), warnings=["mind the gap"])  # fmt: skip
    assert (context["n_read"], context["n_unread"]) == counts
    assert context["n_coded"] == sum(counts) and context["n_outside"] == 1
    assert context["headline"]["estimator"] == leads
    assert (context["reading"], context["warnings"]) == (["draw 1: read"], ["mind the gap"])


def test_passages_of_a_draw_that_awaits_its_codings_are_told():
    draws = [
        SimpleNamespace(drawn=pd.DataFrame({"passage_id": ids}))
        for ids in (["p9"], ["p3", "p1"], ["p2"])
    ]
    assert awaiting(draws, ["unread", "pending", "pending"]) == ["p1", "p2", "p3"]
    assert awaiting(draws, ["development", "unread", "spent"]) == []
    assert awaiting([], []) == []


@pytest.mark.parametrize(
    ("speaker", "date", "cited_as"),
    [
        ("Ann Lee", "2011-07-29", "Ann Lee, On parks (2011)"),
        ("", "1999", "On parks (1999)"),
        ("Ann Lee", "", "Ann Lee, On parks"),
    ],
)
def test_the_case_is_named_as_far_as_known(speaker, date, cited_as):
    assert cited({"title": "On parks", "speaker": speaker, "date": date}) == cited_as


def test_no_case_gives_no_rows():
    assert case_table("", PASSAGES, CODINGS, SCORES, HITS, VOTES).empty


def test_cues_are_weighed():
    weights = {"red": {"shout": 0.5, "hush": None}, "blue": {"shout": -0.2, "still": 0.1}}
    table = cue_table(["shout", "hush", "still"], VOTES, HITS, SCORES, weights)
    table = table.set_index(["code", "cue"])
    red = table.loc[("red", "shout")]
    assert (red["passages"], red["hits"], red["coded"], red["carrying"]) == (2, 4, 1, 1)
    assert (red["share"], red["base_rate"], red["lift"]) == pytest.approx((1.0, 0.5, 2.0))
    assert table.loc[("blue", "still"), "status"] == "no hit"
    assert pd.isna(table.loc[("blue", "still"), "share"])
    assert table.loc[("blue", "shout"), "vote"] == "against"
    assert pd.isna(table.loc[("red", "hush"), "weight"])


def test_a_cue_that_hits_uncoded_passages_only_says_so():
    hits = HITS[HITS["passage_id"] == "p2"]
    table = cue_table(["shout"], VOTES, hits, SCORES, {"red": {}, "blue": {}})
    assert table["status"].tolist() == ["no coded passage has a hit"] * 2


def test_the_manifest_lists_all_files_but_itself(tmp_path: Path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "b.csv").write_bytes(b"abc")
    (tmp_path / "a.html").write_bytes(b"")
    (tmp_path / "manifest.tsv").write_bytes(b"old")
    table = manifest(tmp_path)
    assert table["path"].tolist() == ["a.html", "tables/b.csv"]
    assert table["bytes"].tolist() == [0, 3]
    # SHA-256 of "abc": the first example of FIPS 180-4.
    assert table["sha256"][1] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_digests_see_names_and_contents_and_not_the_order(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, two = Path("one"), Path("two")
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    before = digest_of_files([one, two])
    assert digest_of_files([two, one]) == before
    one.write_bytes(b"2")
    two.write_bytes(b"1")
    assert digest_of_files([one, two]) != before


def test_provenance_names_inputs_settings_and_versions(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a").write_bytes(b"")
    record = provenance({"corpus": [Path("a")]}, {"x": 1}, ["numpy"])
    assert record["inputs"]["corpus"]["files"] == 1
    assert record["config"]["settings"] == {"x": 1}
    assert list(record["packages"]) == ["numpy"]
