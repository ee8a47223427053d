"""How close a passage's words are to each rule of the codebook, by the company words keep.

A word's vector says which other words stand in the same passages more often than chance would put
them there: positive pointwise mutual information of passage-level counts (Church & Hanks 1990;
Bullinaria & Levy 2007). A rule's vector is the weighted mean of the unit vectors of its words, a
word's closeness to a rule the cosine between the two, and a passage's similarity to a rule the
weighted mean closeness of its words. So a word that nobody coded often enough to learn from can
speak, and a passage's value needs no more than a table of words (to be published with the model),
never the matrix behind it. No code enters, and from counts no order of words can be recovered.

The matrix is not reduced (no singular value decomposition): its entries are logarithms of ratios of
whole numbers, added up in one order, so that rounded values are the same on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from framing.classifier.rounding import round_off

CLOSENESS_DECIMALS = 4
"""Of a word's closeness to a rule: more would be noise, and make the published model larger."""


@dataclass(frozen=True)
class Closeness:
    """What words say of rules.

    ``values``: terms × rules, the closeness of each term to each rule, rounded; ``weights``: how
    much a term counts, log(passages / passages with it), so that a word of every passage counts
    nothing; ``terms`` and ``rules`` are in code point order. ``mean`` and ``spread`` (by rule) are
    those of the passages learned from.
    """

    rules: tuple[str, ...]
    terms: tuple[str, ...]
    weights: np.ndarray
    values: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


NO_RULES = Closeness((), (), np.zeros(0), np.zeros((0, 0)), np.zeros(0), np.zeros(0))


def term_counts(
    rows: np.ndarray,
    names: Sequence[str],
    counts: Sequence[int],
    columns: Sequence[str],
    number: int,
) -> sparse.csr_matrix:
    """Return ``number`` rows × ``columns`` of counts, from entries (row, name, count) added up.

    Names that are not among ``columns`` are left out.
    """
    place = {name: column for column, name in enumerate(columns)}
    at = np.array([place.get(name, -1) for name in names], dtype=int)
    known = at >= 0
    data = np.asarray(counts, dtype=float)[known]
    where = (np.asarray(rows, dtype=int)[known], at[known])
    matrix = sparse.coo_matrix((data, where), shape=(number, len(columns))).tocsr()
    matrix.sum_duplicates()
    matrix.sort_indices()
    return matrix


def learn_closeness(
    words: sparse.csr_matrix,
    terms: Sequence[str],
    rules: Mapping[str, Iterable[str]],
    settings: Mapping[str, Any],
) -> Closeness:
    """Return the closeness of terms to rules, learned from passages.

    ``words`` (passages × ``terms``) are counts of the passages learned from, ``rules`` the terms of
    each rule. A term is used where it is in at least ``settings['similarity_words']`` passages; two
    terms that share fewer than ``settings['similarity_pairs']`` passages count as never together,
    as the information of rare pairs is overrated (Pantel & Lin 2002).
    """
    present = (words > 0).astype(float).tocsr()
    often = np.asarray(present.sum(axis=0)).ravel()
    kept = np.flatnonzero(often >= settings["similarity_words"])
    known, frequency = [terms[column] for column in kept.tolist()], often[kept]
    weights = round_off(np.log(words.shape[0] / frequency))
    vectors = _unit_rows(_information(present[:, kept], frequency, settings["similarity_pairs"]))
    place = {term: row for row, term in enumerate(known)}
    names = sorted(rules)
    table = [
        [(place[term], weights[place[term]]) for term in sorted(set(rules[name])) if term in place]
        for name in names
    ]
    data = [weight for own in table for _, weight in own]
    where = [column for own in table for column, _ in own]
    ends = np.cumsum([0, *map(len, table)])
    parts = sparse.csr_matrix((data, where, ends), shape=(len(table), len(known)))
    values = (vectors @ _unit_rows(parts @ vectors).T).toarray()
    rounded = np.round(values, CLOSENESS_DECIMALS) + 0.0
    plain = Closeness(
        tuple(names), tuple(known), weights, rounded, np.zeros(len(rules)), np.ones(len(rules))
    )
    found = _raw(words, terms, plain)
    spread = round_off(found.std(axis=0)) if len(found) else np.zeros(len(rules))
    mean = round_off(found.mean(axis=0)) if len(found) else np.zeros(len(rules))
    return Closeness(plain.rules, plain.terms, weights, rounded, mean, spread)


def _information(
    present: sparse.csr_matrix, frequency: np.ndarray, least: int
) -> sparse.csr_matrix:
    """Return terms × terms of positive pointwise mutual information, from passages × terms.

    log(n · nᵢⱼ / (nᵢ · nⱼ)) where that is positive, else 0; a term with itself included.
    """
    together = (present.T @ present).tocoo()
    enough = together.data >= least
    row, column, number = (part[enough] for part in (together.row, together.col, together.data))
    ratio = present.shape[0] * number / (frequency[row] * frequency[column])
    above = ratio > 1
    entries = (np.log(ratio[above]), (row[above], column[above]))
    matrix = sparse.coo_matrix(entries, shape=together.shape).tocsr()
    matrix.sort_indices()
    return matrix


def _unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    length[length == 0] = 1
    return sparse.csr_matrix(sparse.diags(1 / length) @ matrix)


def _raw(words: sparse.csr_matrix, terms: Sequence[str], closeness: Closeness) -> np.ndarray:
    """Return rows × rules, the weighted mean closeness of a row's words; without any, the mean."""
    place = {term: column for column, term in enumerate(terms)}
    shared = [n for n, term in enumerate(closeness.terms) if term in place]
    counts = words[:, [place[closeness.terms[n]] for n in shared]].tocsr()
    counts.data = 1 + np.log(counts.data)
    weighted = counts @ sparse.diags(closeness.weights[shared])
    total = np.asarray(weighted.sum(axis=1)).ravel()
    found = weighted @ closeness.values[shared]
    return np.where(
        total[:, None] > 0, found / np.where(total == 0, 1, total)[:, None], closeness.mean
    )


def similarities(
    words: sparse.csr_matrix, terms: Sequence[str], closeness: Closeness
) -> np.ndarray:
    """Return rows × rules: each row's similarity to each rule, standardised and rounded.

    ``words`` are counts of ``terms`` (in code point order). 0 is the mean of the passages that
    ``closeness`` was learned from, 1 a standard deviation above it.
    """
    spread = np.where(closeness.spread > 0, closeness.spread, 1)
    return round_off((_raw(words, terms, closeness) - closeness.mean) / spread)


def closeness_text(closeness: Closeness) -> str:
    """Return what was learned as JSON, a term a line."""
    lines = [
        f"  {json.dumps(term, ensure_ascii=False)}: {json.dumps([weight, *row])}"
        for term, weight, row in zip(
            closeness.terms, closeness.weights.tolist(), closeness.values.tolist(), strict=True
        )
    ]
    rules = {
        rule: [mean, spread]
        for rule, mean, spread in zip(
            closeness.rules, closeness.mean.tolist(), closeness.spread.tolist(), strict=True
        )
    }
    body = ",\n".join(lines)
    return f'{{\n "rules": {json.dumps(rules)},\n "terms": {{\n{body}\n }}\n}}\n'


def read_closeness(text: str) -> Closeness:
    """Return what :func:`closeness_text` wrote."""
    data = json.loads(text)
    rules, terms = data["rules"], data["terms"]
    table = np.array(list(terms.values()), dtype=float).reshape(len(terms), 1 + len(rules))
    scale = np.array(list(rules.values()), dtype=float).reshape(len(rules), 2)
    return Closeness(
        tuple(rules), tuple(terms), table[:, 0], table[:, 1:], scale[:, 0], scale[:, 1]
    )
