"""Sources that taught nothing are scored as if they had been there while others taught."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.classifier.features import closeness_of
from framing.classifier.inputs import Further, Tables
from framing.classifier.training import further_scores, train_code
from framing.project.load import sampled_sources
from framing.project.parts import row_digests, rows_digest

from .test_model import PATTERNS, RULES, SETTINGS, agreed, hit_rows, population, word_rows

EXEMPLARS = pd.DataFrame([("x/1", "c", 1)], columns=["passage_id", "code", "label"])


def tables(seed: int, signal: bool) -> Tables:
    """Return a corpus whose last third no draw has reached, with words of its own."""
    passages, words, hits, labels = population(seed, sources=18, signal=signal)
    for number in range(72, len(words)):
        words[number] = words[number] | {f"novel{number % 5}": 2, "aardvark": 1}
    ids = [*passages["passage_id"], "x/1"]
    table = word_rows(ids, [*words, {"speaking": 1, "w1": 1}])
    return Tables(
        passages,
        labels.iloc[:72].assign(code="c"),
        table,
        hit_rows(ids, [*hits, {"yes/1": 1}]),
        PATTERNS,
        EXEMPLARS,
        closeness_of(ids[:72], table, RULES, SETTINGS),
    )


def sampled_part(whole: Tables) -> Tables:
    inside = [*whole.passages["passage_id"].iloc[:72], "x/1"]
    words, hits = whole.words.rows(inside), whole.hits
    hits = hits[hits["passage_id"].isin(inside)]
    return replace(whole, passages=whole.passages.iloc[:72], words=words, hits=hits)


def further_part(whole: Tables) -> Further:
    rest = whole.passages.iloc[72:].reset_index(drop=True)
    return Further(rest, whole.words, whole.hits, whole.patterns, whole.closeness)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(
    st.integers(0, 99),
    st.booleans(),
    st.sampled_from([{}, {"stem": False}, {"labels": "majority"}]),
)
def test_scoring_apart_gives_the_numbers_of_scoring_together(seed, signal, change):
    whole, chosen = tables(seed, signal), SETTINGS | change
    together, model, fits = train_code("c", whole, chosen)
    first, model_apart, fits_apart = train_code("c", sampled_part(whole), chosen)
    further = further_part(whole)
    second = further_scores(further, {"c": fits_apart}, chosen)["c"]
    # Exactly: numbers are the same to the last bit.
    pd.testing.assert_frame_equal(pd.concat([first, second], ignore_index=True), together)
    assert model == model_apart
    assert fits == fits_apart


def test_a_constant_classifier_is_kept_too():
    whole = tables(1, True)
    nobody = sampled_part(whole)
    labels = agreed(nobody.labels["passage_id"], [0] * 72).assign(code="c")
    _, model, fits = train_code("c", replace(nobody, labels=labels), SETTINGS)
    found = further_scores(further_part(whole), {"c": fits}, SETTINGS)["c"]
    assert model["reason"] == "no passage carries the code"
    assert found["probability"].between(0, 0.05).all()
    assert not found["decision"].any()


# --- which sources these are ----------------------------------------------------------------------

SOURCES = pd.DataFrame({"source_id": ["a", "b", "c"], "group": ["g", "g", "h"], "_line": [2, 3, 4]})


def frame(estimable, weight):
    return pd.DataFrame(
        {"passage_id": ["a1", "a2", "b1", "c1"], "source_id": ["a", "a", "b", "c"],
         "estimable": estimable, "weight": weight}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("estimable", "weight", "expected"),
    [
        ([True, False, True, False], [2.0, None, None, None], "ab"),
        ([False] * 4, [None, None, None, 2.0], "c"),
        ([False] * 4, [None] * 4, "abc"),
    ],
)
def test_sampled_are_sources_that_a_draw_could_have_reached_all_before_the_first(
    estimable, weight, expected
):
    found = sampled_sources(SOURCES, frame(estimable, pd.array(weight, dtype="Float64")))
    assert found == set(expected)
    assert sampled_sources(SOURCES, None) == set("abc")


def digest_of(table, sources):
    return rows_digest(row_digests(table), sources)


def test_the_digest_of_rows_is_of_their_cells_and_order_wherever_they_stand():
    digest = digest_of(SOURCES, {"a", "b"})
    later = pd.concat([SOURCES.iloc[2:], SOURCES.iloc[:2]]).assign(_line=[2, 3, 4])
    assert digest_of(later, {"b", "a"}) == digest
    for other in (
        SOURCES.assign(group=["g", "h", "h"]),
        SOURCES.iloc[[1, 0, 2]],
        SOURCES.rename(columns={"group": "period"}),
    ):
        assert digest_of(other, {"a", "b"}) != digest
    assert digest_of(SOURCES, {"a", "c"}) != digest
    assert digest_of(SOURCES.assign(group=["g", "g", "other"]), {"a", "b"}) == digest
    assert digest_of(None, {"a"}) == ""
