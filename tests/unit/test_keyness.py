"""T12: log odds by hand, and what a reviewer would ask of them."""

from __future__ import annotations

from collections import Counter
from math import log, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from framing.common.config import comparison_problems
from framing.common.problems import InputError
from framing.corpus.word_counts import WordCounts, counts_of, joined
from framing.tables.keyness import T12_COLUMNS, keyness_table, log_odds

LABELS = {"cost": "Cost"}


def config(prior: float = 10, least: int = 1, words: int = 5, **side: Any) -> dict[str, Any]:
    comparison = {
        "id": "w", "by": "labels", "a": {"code": "cost", "group": "press"},
        "b": {"code": "cost", "group": "council"}, **side,
    }  # fmt: skip
    return {
        "groups": {"press": "Press", "council": "Council"},
        "periods": [], "undated": "undated", "combinations": {},
        "inference": {"confidence": 0.95},
        "keyness": {
            "prior": prior, "least_sources": least, "words": words, "comparisons": [comparison],
        },
    }  # fmt: skip


def corpus(
    texts: dict[str, str], label: str = "1111"
) -> tuple[pd.DataFrame, pd.DataFrame, WordCounts]:
    """Four passages coded whole, the first two of the press, each of a source of its own."""
    names = list(texts)
    groups = ["press", "press", "council", "council"]
    passages = pd.DataFrame(
        {
            "passage_id": names, "source_id": [f"s{name}" for name in names], "group": groups,
            "period": "undated", "start": 0, "end": 1, "words": 1,
            "stratum": groups, "stratum_size": 2, "stratum_sampled": 2, "weight": 1.0,
            "random_share": 1.0, "estimable": True,
        }
    )  # fmt: skip
    scores = pd.DataFrame(
        {
            "passage_id": names, "code": "cost", "fold": 0, "label": [int(one) for one in label],
            "probability": 0.5, "decision": [int(one) for one in label], "unfamiliar": 0,
        }
    )  # fmt: skip
    return (
        passages,
        scores,
        counts_of(((name, Counter(text.split())) for name, text in texts.items()), str),
    )


TEXTS = {"p1": "loan loan tram", "p2": "loan tram tram", "p3": "tram fare fare", "p4": "fare tram"}


def test_log_odds_are_those_of_the_paper_by_hand() -> None:
    delta, variance = log_odds(
        [3.0], [0.0], np.array([2.0]), words_a=6.0, words_b=5.0, words_prior=10.0
    )
    # 5 of 16 words on one side, 2 of 15 on the other.
    assert delta[0] == pytest.approx(log(5 / 11) - log(2 / 13))
    assert variance[0] == pytest.approx(1 / 5 + 1 / 11 + 1 / 2 + 1 / 13)


def test_a_small_corpus_comes_out_as_on_paper() -> None:
    table = keyness_table(*corpus(TEXTS), config(), LABELS)
    assert tuple(table.columns) == T12_COLUMNS
    row = table[table["word"] == "loan"].iloc[0]
    alpha = 10 * 3 / 11  # 3 of 11 words of the corpus
    delta = log((3 + alpha) / (6 + 10 - 3 - alpha)) - log(alpha / (5 + 10 - alpha))
    assert row["side"] == "a" and row["rank"] == 1
    assert (row["count_a"], row["count_b"], row["sources_a"], row["sources_b"]) == (3, 0, 2, 0)
    assert row["log_odds"] == pytest.approx(delta)
    assert row["z"] == pytest.approx(delta / row["se"])
    assert row["rate_a"] == pytest.approx(500) and row["rate_b"] == 0
    half = 1.959964 * row["se"]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((delta - half, delta + half), abs=1e-6)
    # Without p1, the weaker case: one use among three words.
    left = log((1 + alpha) / (3 + 10 - 1 - alpha)) - log(alpha / (5 + 10 - alpha))
    spread = 1 / (1 + alpha) + 1 / (12 - alpha) + 1 / alpha + 1 / (15 - alpha)
    assert row["z_without"] == pytest.approx(left / sqrt(spread))


@pytest.mark.slow
def test_exchanging_the_sides_exchanges_the_signs() -> None:
    one = keyness_table(*corpus(TEXTS), config(), LABELS)
    sides = {"a": {"code": "cost", "group": "council"}, "b": {"code": "cost", "group": "press"}}
    other = keyness_table(*corpus(TEXTS), config(**sides), LABELS)
    mine = one.set_index("word")["z"].sort_index()
    theirs = other.set_index("word")["z"].sort_index()
    assert list(mine.index) == list(theirs.index)
    assert np.allclose(mine, -theirs)


def test_a_larger_prior_draws_words_to_no_difference() -> None:
    small, large = (
        keyness_table(*corpus(TEXTS), config(prior=prior), LABELS).set_index("word")["log_odds"]
        for prior in (1, 100)
    )
    assert (large.abs() < small[large.index].abs()).all()


def test_a_word_of_one_source_only_is_no_word_of_its_side() -> None:
    texts = {**TEXTS, "p1": "loan loan tram ferry ferry ferry ferry"}
    everything = keyness_table(*corpus(texts), config(), LABELS)
    assert everything.iloc[0]["word"] == "ferry"
    assert "ferry" not in set(keyness_table(*corpus(texts), config(least=2), LABELS)["word"])


def test_passages_without_the_code_do_not_count() -> None:
    table = keyness_table(*corpus(TEXTS, label="1011"), config(), LABELS)
    assert table.set_index("word").loc["loan", "count_a"] == 2
    assert table[table["side"] == "a"]["passages"].unique() == [1]


def test_a_side_without_passages_says_so() -> None:
    table = keyness_table(*corpus(TEXTS, label="0011"), config(), LABELS)
    assert table["status"].str.startswith("undefined: no passage of “Cost, Press”").all()
    assert table["z"].isna().all()


def test_passages_of_both_sides_belong_to_neither() -> None:
    sides = {"a": {"code": "cost", "group": "press"}, "b": {"code": "cost"}}
    table = keyness_table(*corpus(TEXTS), config(**sides), LABELS)
    assert table["status"].str.startswith("undefined").all()  # nothing is left of the press
    assert table["status"].str.endswith("passages of both sides are left out: 2").all()
    assert table.set_index("side")["passages"].to_dict() == {"a": 0, "b": 2}


def test_without_is_what_does_not_carry_the_code() -> None:
    sides = {"a": {"code": "cost"}, "b": {"without": "cost"}}
    table = keyness_table(*corpus(TEXTS, label="1100"), config(**sides), LABELS)
    assert table["title"].unique() == ["Cost against Without Cost"]
    assert table.set_index("word").loc["loan", "side"] == "a"
    assert table.set_index("word").loc["fare", "side"] == "b"


def test_coded_passages_stand_for_others_and_decisions_for_themselves() -> None:
    passages, scores, words = corpus(TEXTS)
    # p1 was one of two drawn to be coded of its stratum, p2 was taken for certain.
    passages["weight"] = [3.0, 1.0, 1.0, 1.0]
    table = keyness_table(passages, scores, words, config(), LABELS).set_index("word")
    # Weights 3 and 1 are worth 16/10 passages: 1.2 and 0.4 each; three words in both passages.
    assert table.loc["loan", "rate_a"] == pytest.approx(1000 * (3 * 2 + 1) / (3 * 3 + 3))
    uses, alpha = 1.2 * 2 + 0.4, 10 * 3 / 11
    odds = log((uses + alpha) / (1.6 * 3 + 10 - uses - alpha))
    assert table.loc["loan", "log_odds"] == pytest.approx(odds - log(alpha / (15 - alpha)))
    decided = keyness_table(passages, scores, words, config(by="decisions"), LABELS)
    assert decided.set_index("word").loc["loan", "rate_a"] == pytest.approx(500)
    assert decided["basis"].unique() == ["classifier's decision"]


def test_words_of_equal_strength_stand_in_code_point_order() -> None:
    texts = {"p1": "zinc apple", "p2": "zinc apple", "p3": "tram", "p4": "tram"}
    table = keyness_table(*corpus(texts), config(), LABELS)
    assert list(table[table["side"] == "a"]["word"]) == ["apple", "zinc"]
    backwards = corpus(texts)
    backwards = (*backwards[:2], backwards[2].rows(list(reversed(texts))))
    assert keyness_table(*backwards, config(), LABELS).equals(table)


def test_exemplars_of_the_codebook_are_no_part_of_the_corpus() -> None:
    passages, scores, words = corpus(TEXTS)
    more = counts_of([("exemplar/1", {"loan": 9})], str)
    table = keyness_table(passages, scores, joined([words, more]), config(), LABELS)
    assert table.equals(keyness_table(passages, scores, words, config(), LABELS))


def test_what_does_not_exist_is_named() -> None:
    wrong = config(a={"code": "price", "group": "navy"})
    said = [str(problem) for problem in comparison_problems(wrong, LABELS)]
    assert len(said) == 2
    assert "unknown code 'price'" in said[0] and "unknown group 'navy'" in said[1]
    with pytest.raises(InputError):
        keyness_table(*corpus(TEXTS), wrong, LABELS)
