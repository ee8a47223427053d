"""Similarity to rules: exact on a toy corpus, stable, and the same whoever reads it."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.classifier.features import closeness_of, learn_space, stem, transform
from framing.classifier.model_file import model_data, model_text, predict, rule_similarities
from framing.classifier.scores import training_rows
from framing.classifier.similarity import (
    NO_RULES,
    closeness_text,
    learn_closeness,
    read_closeness,
    similarities,
    term_counts,
)
from framing.corpus.word_counts import joined

from .test_model import (
    RULES,
    SETTINGS,
    agreed,
    closeness,
    facts_of,
    population,
    scored,
    word_rows,
)

PLAIN = SETTINGS | {"stem": False, "similarity_words": 1, "similarity_pairs": 1}
BAGS = [{"boat": 1, "sail": 2}, {"boat": 1, "oar": 1}, {"hill": 1, "goat": 1}, {"hill": 3}]


def learn(bags, rules, **changes):
    """Return the closeness of the words of passages to rules given as lists of words."""
    ids = [f"p{n}" for n in range(len(bags))]
    table = pd.DataFrame(
        [(rule, word, stem(word), 1) for rule, words in rules.items() for word in words],
        columns=["rule", "word", "stem", "count"],
    )
    return closeness_of(ids, word_rows(ids, bags), table, PLAIN | changes)


def by_hand(bags, rule):
    """Reckon closeness anew, by lists and loops."""
    words = sorted({word for bag in bags for word in bag})
    often = {word: sum(word in bag for bag in bags) for word in words}
    vectors = {}
    for one in words:
        row = []
        for other in words:
            both = sum(one in bag and other in bag for bag in bags)
            ratio = len(bags) * both / (often[one] * often[other])
            row.append(math.log(ratio) if ratio > 1 else 0.0)
        length = math.sqrt(sum(x * x for x in row)) or 1.0
        vectors[one] = [x / length for x in row]
    weight = {word: math.log(len(bags) / often[word]) for word in words}
    centre = [sum(weight[w] * vectors[w][k] for w in rule) for k in range(len(words))]
    size = math.sqrt(sum(x * x for x in centre)) or 1.0
    return weight, {
        word: sum(a * b for a, b in zip(vectors[word], centre, strict=True)) / size
        for word in words
    }


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3), min_size=1),
             min_size=2, max_size=8),
    st.sets(st.sampled_from("abcdef"), min_size=1),
)  # fmt: skip
def test_closeness_is_what_the_formula_says(bags, rule):
    known = {word for bag in bags for word in bag}
    found = learn(bags, {"c/present/1": rule})
    weight, close = by_hand(bags, rule & known)
    assert list(found.terms) == sorted(known)
    assert found.weights == pytest.approx([weight[t] for t in found.terms], abs=1e-6)
    assert found.values[:, 0] == pytest.approx([close[t] for t in found.terms], abs=6e-5)


def test_words_that_keep_the_company_of_a_rules_words_are_close_to_it():
    found = learn(BAGS, {"c/present/1": ["oar"]})
    close = dict(zip(found.terms, found.values[:, 0], strict=True))
    assert close["oar"] == 1
    assert close["boat"] > close["sail"] > 0
    assert close["hill"] == close["goat"] == 0


def test_a_passage_is_standardised_and_one_of_unknown_words_is_like_the_mean():
    rules = {"c/present/1": ["oar"], "c/not_enough/1": ["hill"]}
    found = learn(BAGS, rules)
    assert found.rules == ("c/not_enough/1", "c/present/1")
    counts = term_counts(
        np.array([0, 0, 1, 1, 2, 2, 3]), ["boat", "sail", "boat", "oar", "hill", "goat", "hill"],
        [1, 2, 1, 1, 1, 1, 3], found.terms, 5,
    )  # fmt: skip
    values = similarities(counts, found.terms, found)
    assert values[:4].mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert values[:4].std(axis=0) == pytest.approx([1, 1], abs=1e-5)
    assert values[4].tolist() == [0, 0]
    assert values[1, 1] == values[:, 1].max()
    assert values[3, 0] == values[:, 0].max()


def test_rare_words_and_rare_pairs_say_nothing():
    bags = [*BAGS, {"boat": 1, "oar": 1}]
    assert set(learn(bags, {"r": ["oar"]}, similarity_words=2).terms) == {"boat", "oar", "hill"}
    strict = learn(bags, {"r": ["oar"]}, similarity_pairs=2)
    close = dict(zip(strict.terms, strict.values[:, 0], strict=True))
    assert close["boat"] > 0 == close["sail"]


def test_a_rule_of_unknown_words_tells_passages_apart_by_nothing():
    found = learn(BAGS, {"r": ["zeppelin"]})
    assert not found.values.any()
    counts = term_counts(np.array([0]), ["boat"], [1], found.terms, 1)
    assert similarities(counts, found.terms, found).tolist() == [[0.0]]


def test_other_passages_change_nothing_and_nor_does_the_order_of_rows():
    _, words, _, _ = population(5)
    ids = [f"p{n}" for n in range(len(words))]
    rows = word_rows(ids, words)
    other = word_rows(["x", "y"], [{"speaking": 3, "w1": 1}, {"w2": 9}])
    first = closeness_of(ids, rows, RULES, SETTINGS)
    mixed = joined([other, rows.rows(ids[::-1])])
    again = closeness_of(ids, mixed, RULES, SETTINGS)
    assert closeness_text(again) == closeness_text(first)


def test_what_was_learned_is_read_back_as_it_was():
    _, words, _, _ = population(5)
    first = closeness(words)
    again = read_closeness(closeness_text(first))
    assert (again.rules, again.terms) == (first.rules, first.terms)
    for name in ("weights", "values", "mean", "spread"):
        assert getattr(again, name).tolist() == getattr(first, name).tolist()
    nothing = read_closeness(closeness_text(NO_RULES))
    assert (nothing.rules, nothing.terms, nothing.values.shape) == ((), (), (0, 0))


@pytest.mark.slow
def test_the_same_bytes_come_out_of_another_process():
    _, words, _, _ = population(5)
    code = (
        "from tests.unit.test_model import closeness, population\n"
        "from framing.classifier.similarity import closeness_text\n"
        "print(closeness_text(closeness(population(5)[1])), end='')"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout == closeness_text(closeness(words))


def test_a_stored_model_reckons_similarities_as_training_does():
    passages, words, hits, labels = population(7)
    close = closeness(words)
    facts = facts_of(words, hits, close)
    _, final, fits = scored(facts, passages, labels, [], SETTINGS)
    data = json.loads(model_text(model_data("c", final, fits.usual, facts, SETTINGS, {})))
    for row in range(0, len(words), 7):
        terms = {stem(word): number for word, number in words[row].items()}
        found = rule_similarities(data, terms)
        assert list(found) == list(close.rules)
        assert list(found.values()) == pytest.approx(facts.similarities[row].tolist(), abs=2e-6)
    assert set(rule_similarities(data, {"novel": 1}).values()) == {0.0}
    assert predict(data, {"novel": 1}, {}).probability > 0


def test_similarity_helps_where_words_are_too_rare_to_be_learned_one_by_one():
    rng = np.random.default_rng(8)
    words, labels = [], []
    for number in range(240):
        label = number % 2
        # Each passage shares two words of its kind with few others, and one that all rules know.
        side = "near" if label else "far"
        bag = {f"{side}{n}": 1 for n in rng.choice(60, 3, replace=False)}
        bag |= {side: 1} if number >= 120 else {}
        words.append(bag | {f"w{rng.integers(30)}": 1})
        labels.append(label)
    ids = [f"p{n}" for n in range(240)]
    rules = pd.DataFrame(
        [("c/present/1", "near", "near", 1)], columns=["rule", "word", "stem", "count"]
    )
    given_ = SETTINGS | {"stem": False, "similarity_pairs": 1}
    close = closeness_of(ids, word_rows(ids, words), rules, given_)
    facts = facts_of(words, [{}] * 240, close, stemmed=False)
    passages = pd.DataFrame({"passage_id": ids, "source_id": ids, "weight": 1.0})
    training = training_rows(passages, agreed(ids, labels).iloc[:120], [], 0.0)
    assert (training.rows < 120).all()
    block = transform(facts, learn_space(facts, training.rows, given_), np.arange(120))
    value = block.toarray()[:, -1]
    # None of the passages learned from has the rule's own word.
    assert value[np.array(labels[:120]) == 1].mean() > value[np.array(labels[:120]) == 0].mean() + 1


def test_a_word_of_every_passage_counts_nothing():
    bags = [bag | {"the": 5} for bag in BAGS]
    found = learn(bags, {"r": ["oar"]})
    assert dict(zip(found.terms, found.weights, strict=True))["the"] == 0
    counts = term_counts(np.array([0, 1, 1]), ["oar", "oar", "the"], [1, 1, 9], found.terms, 2)
    values = similarities(counts, found.terms, found)
    assert values[0].tolist() == values[1].tolist()
    assert learn_closeness(counts[:0], found.terms, {}, PLAIN).terms == ()
