"""T12: the words that set the passages of one side apart from those of another.

For every word the log odds of its use on the two sides are compared, with an informative Dirichlet
prior (Monroe, Colaresi & Quinn 2008, eq. 16–22): both sides are read as if they held α₀ words more,
spread as in all passages of the corpus. So rare words are drawn towards no difference, and words
that everyone uses need no stop list. With y uses of a word among n words of a side, and α = α₀
times the word's share of the corpus::

    δ = log (y_a + α)/(n_a + α₀ − y_a − α)  −  log (y_b + α)/(n_b + α₀ − y_b − α)
    V = 1/(y_a + α) + 1/(n_a + α₀ − y_a − α) + 1/(y_b + α) + 1/(n_b + α₀ − y_b − α)
    z = δ/√V

That takes words as drawn one by one, which they are not: a source repeats its own. Therefore a word
only counts for a side of which several sources use it, and beside z stands what is left of it
without the source on which it hangs most. Words are picked among thousands for being extreme: z
puts them in order, and no test is made of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from framing.common.config import ALL, comparison_problems
from framing.common.problems import raise_if_any
from framing.corpus.word_counts import WordCounts
from framing.inference.design import Bools, Floats, Ints, Population, members, population
from framing.inference.intervals import critical
from framing.inference.outcomes import aligned, by_code
from framing.inference.variances import effective_size, sums

T12_COLUMNS = (
    "comparison", "title", "basis", "side", "of", "word", "rank", "passages", "sources", "count_a",
    "count_b", "sources_a", "sources_b", "rate_a", "rate_b", "log_odds", "se", "ci_low", "ci_high",
    "z", "z_without", "status",
)  # fmt: skip
LABELS, DECISIONS = "labels", "decisions"
BASIS = {LABELS: "coders' combined code", DECISIONS: "classifier's decision"}
DECIMALS = 6  # of z, before words are put in order: what lies beyond may depend on the machine
NO_PASSAGE = "undefined: no passage of “{}”"
NO_WORD = "no word is used more here by at least {} sources"
SHARED = "passages of both sides are left out: {}"


@dataclass(frozen=True)
class Vocabulary:
    """Which words the passages of a corpus hold, one entry for each word of each passage.

    ``words`` (W) in code point order; ``row`` (E,) is an entry's passage, as a row of the
    population, ``word`` (E,) its word and ``count`` (E,) how often it is used there. ``share``
    (W,) is each word's part in all words of the corpus.
    """

    words: Sequence[str]
    row: Ints
    word: Ints
    count: Ints
    share: Floats


@dataclass(frozen=True)
class Side:
    """One side of a comparison: its name, and what a word in each of all passages (N,) counts.

    ``weight`` is 0 for passages of other sides.
    """

    of: str
    weight: Floats


@dataclass(frozen=True)
class Uses:
    """How words (W) are used on one side.

    ``count`` (W,) as they stand, ``weighted`` (W,) by the weights of passages, ``sources`` (W,) by
    how many sources; ``total`` is the weighted number of all words. ``entries`` are the side's
    entries of the vocabulary, ``source`` and ``weights`` their sources and weighted counts.
    """

    count: Ints
    weighted: Floats
    sources: Ints
    total: float
    word: Ints
    source: Ints
    weights: Floats


def log_odds(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    prior: Floats,
    *,
    words_a: npt.ArrayLike,
    words_b: npt.ArrayLike,
    words_prior: float,
) -> tuple[Floats, Floats]:
    """Return δ and its variance for words by their uses on two sides.

    ``a`` and ``b`` (…, W) are weighted uses, ``prior`` (W,) the α of each word, all above 0;
    ``words_a``, ``words_b`` (broadcast against them) and ``words_prior`` are the totals over the
    whole vocabulary, of which the W words may be a part.
    """
    here_a, here_b = np.asarray(a) + prior, np.asarray(b) + prior
    other_a = np.asarray(words_a) + words_prior - here_a
    other_b = np.asarray(words_b) + words_prior - here_b
    delta: Floats = np.log(here_a) - np.log(other_a) - np.log(here_b) + np.log(other_b)
    variance: Floats = 1 / here_a + 1 / other_a + 1 / here_b + 1 / other_b
    return delta, variance


def keyness_table(
    passages: pd.DataFrame,
    scores: pd.DataFrame,
    words: WordCounts,
    config: Mapping[str, Any],
    labels: Mapping[str, str],
) -> pd.DataFrame:
    """Return T12-keyness: words of both sides of every configured comparison, strongest first.

    ``passages`` is the passage frame, ``scores`` the scores of codes and combinations, ``words``
    what passages are made of, ``labels`` how codes and combinations are named. By labels
    a side holds coded passages, weighted by design, and the weights add up to their effective
    number (Kish 1965), so that unequal weights make less of them. By decisions it holds all
    passages, equally weighted. Passages that are on both sides of a comparison are left out.
    Columns: :data:`T12_COLUMNS`; δ and z are above 0 for words of a. Raises :class:`InputError`
    where a comparison names what does not exist (:func:`comparison_problems`).
    """
    raise_if_any(comparison_problems(config, labels))
    frame = population(passages)
    found = dict(by_code(scores))
    vocabulary = _vocabulary(frame, words)
    rows: list[dict[str, Any]] = []
    for comparison in config["keyness"]["comparisons"]:
        a, b, shared = _sides(frame, found, comparison, config, labels)
        status = SHARED.format(shared) if shared else ""
        for row in _compared(frame, vocabulary, a, b, config):
            said = "; ".join(part for part in (row["status"], status) if part)
            rows.append(
                {
                    "comparison": comparison["id"], "title": f"{a.of} against {b.of}",
                    "basis": BASIS[comparison["by"]], **row, "status": said,
                }
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(T12_COLUMNS))
    numbers = table.loc[:, "rate_a":"z_without"].astype(float).round(12) + 0.0
    whole = table.loc[:, ["rank", *table.loc[:, "count_a":"sources_b"]]].astype("Int64")
    return table.assign(**numbers, **whole)


def _vocabulary(frame: Population, words: WordCounts) -> Vocabulary:
    counts, names = words.rows(list(frame.passages)).terms(stemmed=False)
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    word, uses = counts.indices.astype(np.int64), sums(counts.indices, counts.data, len(names))
    return Vocabulary(names, row, word, counts.data.astype(np.int64), uses / max(uses.sum(), 1))


def _sides(
    frame: Population,
    scores: Mapping[str, pd.DataFrame],
    comparison: Mapping[str, Any],
    config: Mapping[str, Any],
    labels: Mapping[str, str],
) -> tuple[Side, Side, int]:
    """Return the two sides of a comparison, and how many passages belong to both and so to none."""
    by = comparison["by"]
    held = [_held(frame, scores, comparison[side], by) for side in ("a", "b")]
    shared = held[0] & held[1]
    weight = np.ones(frame.total)
    if by == LABELS:
        weight[frame.drawn] = frame.weight
    return (
        Side(_said(comparison["a"], config, labels), _scaled(weight, held[0] & ~shared)),
        Side(_said(comparison["b"], config, labels), _scaled(weight, held[1] & ~shared)),
        int(shared.sum()),
    )


def _held(
    frame: Population, scores: Mapping[str, pd.DataFrame], cell: Mapping[str, str], by: str
) -> Bools:
    """Return which passages (N,) a side of a comparison asks for."""
    code = cell.get("code", cell.get("without", ""))
    column = "label" if by == LABELS else "decision"
    values = aligned(frame, scores[code], code)[column].to_numpy(dtype=float, na_value=nan)
    wanted: Bools = values == ("code" in cell)
    return wanted & members(frame, cell.get("group", ALL), cell.get("period", ALL))


def _scaled(weight: Floats, held: Bools) -> Floats:
    """Return weights (N,) of the passages held that add up to their effective number, else 0."""
    mine = np.where(held, weight, 0.0)
    return mine * (effective_size(weight[held]) / mine.sum()) if held.any() else mine


def _said(cell: Mapping[str, str], config: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    code = labels[cell["code"]] if "code" in cell else f"Without {labels[cell['without']]}"
    group = [config["groups"][cell["group"]]] if "group" in cell else []
    return ", ".join([code, *group, *([cell["period"]] if "period" in cell else [])])


def _uses(frame: Population, vocabulary: Vocabulary, side: Side) -> Uses:
    weight = side.weight[vocabulary.row]
    mine = weight > 0
    word, count = vocabulary.word[mine], vocabulary.count[mine]
    source, weights = frame.source[vocabulary.row[mine]], weight[mine] * count
    size = len(vocabulary.words)
    pairs = np.unique(word * frame.sources + source)
    return Uses(
        count=sums(word, count.astype(float), size).astype(np.int64),
        weighted=sums(word, weights, size),
        sources=np.bincount(pairs // frame.sources, minlength=size),
        total=float(weights.sum()),
        word=word,
        source=source,
        weights=weights,
    )


def _compared(
    frame: Population, vocabulary: Vocabulary, a: Side, b: Side, config: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one comparison: the words of a, then those of b."""
    settings = config["keyness"]
    quantile = critical(config["inference"]["confidence"])
    void = next((side.of for side in (a, b) if not side.weight.any()), "")
    uses = _uses(frame, vocabulary, a), _uses(frame, vocabulary, b)
    prior = settings["prior"] * vocabulary.share
    delta, variance = log_odds(
        uses[0].weighted, uses[1].weighted, prior,
        words_a=uses[0].total, words_b=uses[1].total, words_prior=settings["prior"],
    )  # fmt: skip
    z = np.round(delta / np.sqrt(variance), DECIMALS)
    for name, side, own, sign in (("a", a, uses[0], 1), ("b", b, uses[1], -1)):
        held = side.weight > 0
        cells = {
            "side": name, "of": side.of, "passages": int(held.sum()),
            "sources": len(np.unique(frame.source[held])), "word": "", "status": "",
        }  # fmt: skip
        if void:
            yield cells | {"status": NO_PASSAGE.format(void)}
            continue
        fit = np.flatnonzero((sign * z > 0) & (own.sources >= settings["least_sources"]))
        # A stable sort: words of equal z stay in code point order.
        listed = fit[np.argsort(-sign * z[fit], kind="stable")][: settings["words"]]
        if not len(listed):
            yield cells | {"status": NO_WORD.format(settings["least_sources"])}
            continue
        without = _without(frame, uses, prior, settings["prior"], listed)
        weakest = sign * (sign * without).min(axis=0)
        for rank, (word, left) in enumerate(zip(listed, weakest, strict=True), start=1):
            se = sqrt(variance[word])
            yield cells | {
                "rank": rank, "word": vocabulary.words[word],
                "count_a": uses[0].count[word], "count_b": uses[1].count[word],
                "sources_a": uses[0].sources[word], "sources_b": uses[1].sources[word],
                "rate_a": 1000 * uses[0].weighted[word] / uses[0].total,
                "rate_b": 1000 * uses[1].weighted[word] / uses[1].total,
                "log_odds": delta[word], "se": se,
                "ci_low": delta[word] - quantile * se, "ci_high": delta[word] + quantile * se,
                "z": delta[word] / se, "z_without": left,
            }  # fmt: skip


def _without(
    frame: Population, uses: tuple[Uses, Uses], prior: Floats, size: float, listed: Ints
) -> Floats:
    """Return z of the words listed (L) without each source of either side in turn, (S, L)."""
    sources = np.unique(np.concatenate([own.source for own in uses]))
    column = np.full(len(prior), -1)
    column[listed] = np.arange(len(listed))
    left, total = [], []
    for own in uses:
        row = np.searchsorted(sources, own.source)
        mine = column[own.word] >= 0
        lost = np.zeros((len(sources), len(listed)))
        np.add.at(lost, (row[mine], column[own.word[mine]]), own.weights[mine])
        left.append(np.maximum(own.weighted[listed] - lost, 0))
        total.append(np.maximum(own.total - sums(row, own.weights, len(sources)), 0)[:, None])
    delta, variance = log_odds(
        left[0], left[1], prior[listed], words_a=total[0], words_b=total[1], words_prior=size
    )
    z: Floats = delta / np.sqrt(variance)
    return z
