"""Made-up corpora, samples and classifiers for `benchmarks/coverage.py`.

*Ours*: about 200 sources of very unequal size in four groups, codes that go with the source, a
classifier that errs differently by group and source, strata by group and by whether a noisy rule on
words hits. To these, sources may have *joined* that are many and short, after a first sample had
been drawn and read.

*Looked*: who wrote the classifier's cues had read the first sample. On read passages the classifier
therefore errs less, as nowhere else: it finds more of the passages with the code (``recall``), or
also marks fewer of those without (``both``).

*Tails*: sources whose sizes have a heavy tail and may go with the code.

All arrays are over passages (N,) unless said otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT / "workflow") not in sys.path:
    sys.path.insert(0, str(ROOT / "workflow"))

from framing.common.config import ALL, load_config  # noqa: E402  # found only now
from framing.inference.design import Bools, Floats, Ints, Population  # noqa: E402
from framing.inference.intervals import Settings  # noqa: E402
from framing.inference.outcomes import Outcome, relabelled  # noqa: E402
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT  # noqa: E402

SEED = 90431  # not the one on which the method was chosen (20240611): see docs/methods.md
FOLDS = 5
SETTINGS = Settings.of(load_config(ROOT / "config" / "config.yaml"))

# The kind of source: its group's share of sources, typical size (median of a lognormal), and how
# much more or less its passages carry the code; the classifier's leaning by group (in standard
# deviations of its noise). The figures are about those of the NATO-Russia corpus.
FIRST, JOINED = 206, 1529  # sources of the first sample, and those that joined later
GROUPS = ("a", "b", "c", "d")
SHARE = np.array([0.4, 0.3, 0.15, 0.15])
MEDIAN = np.array([2.8, 2.8, 4.0, 1.8])
MEDIAN_JOINED = np.array([0.8, 0.8, 1.0, 0.7])
LEANING = np.array([0.4, -0.5, 0.2, -0.2])
SHIFT = np.array([0.5, -0.4, 0.0, 0.2])
SPREAD, LARGEST = 0.85, 40  # of log sizes; no source has more passages
BETWEEN = 1.2  # standard deviation between sources of the log odds of the code
SOURCE_SHIFT = 0.4  # and of the classifier's leaning
RULE = (0.2, 0.65)  # the rule on words hits passages without, and with, the code so often
RICH = 1.8  # where it hits, so many times the share is drawn
MOST = 0.95  # of a stratum, at most this share is drawn
STRATA = 2 * len(GROUPS)
INVENTED = 30_000  # sources, to fit a classifier to

CORRELATIONS = (0.0, 0.5, 0.8)  # of classifiers that nobody's reading helped
ELSEWHERE, READ = 0.56, 0.79  # average precision of the classifier that reading helped
RECALL, BOTH = "recall", "both"


# --- worlds ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """A kind of text: how sources come about, and what classifiers make of them.

    ``base`` (4,) are log odds of the code by group, ``sizes`` (2, 4, LARGEST) the chances of 1, 2,
    … passages in sources of the first sample and in those that joined, ``number`` (2,) how many
    there are of each, ``truth`` the shares by domain. ``separation`` and ``threshold`` have a
    classifier each; ``helped`` is by how much more read passages are told apart.
    """

    prevalence: float
    base: Floats
    sizes: Floats
    number: tuple[int, int]
    truth: Mapping[str, float]
    separation: tuple[float, ...] = ()
    threshold: tuple[float, ...] = ()
    helped: float = 0.0


@dataclass(frozen=True)
class Corpus:
    """Passages (N,): source, group, stratum and fold, the code, whether its source joined later.

    ``noise`` is what the classifier sees beside the code; ``probability`` and ``decision`` are
    (classifiers, N).
    """

    source: Ints
    group: Ints
    stratum: Ints
    fold: Ints
    code: Ints
    joined: Bools
    noise: Floats
    probability: Floats
    decision: Ints


def expit(value: Floats) -> Floats:
    """Return 1 / (1 + exp(−value))."""
    odds: Floats = 1 / (1 + np.exp(-value))
    return odds


def bisect(rises: Callable[[float], float], goal: float, low: float, high: float) -> float:
    """Return where an increasing function reaches ``goal``, to 40 halvings."""
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) < goal else (low, middle)
    return (low + high) / 2


def size_chances(median: Floats) -> Floats:
    """Return the chances of 1 … LARGEST passages by group, (4, LARGEST): lognormal, rounded up."""
    ends = stats.lognorm.cdf(np.arange(LARGEST + 1), SPREAD, scale=median[:, None] / np.exp(0.1))
    chances = np.diff(ends, axis=1)
    weights: Floats = chances / chances.sum(axis=1, keepdims=True)
    return weights


def bare_world(prevalence: float, number: tuple[int, int]) -> World:
    """Return the world in which that share of passages carries the code, without classifiers."""
    sizes = np.stack([size_chances(MEDIAN), size_chances(MEDIAN_JOINED)])
    length = np.array(number) @ (SHARE * (sizes @ np.arange(1, LARGEST + 1)))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def shares(level: float) -> Floats:
        odds = expit(level + LEANING[:, None] + BETWEEN * nodes)
        found: Floats = odds @ weights / weights.sum()
        return found

    def overall(level: float) -> float:
        return float(shares(level) @ length / length.sum())

    level = bisect(overall, prevalence, -15, 15)
    by_group = shares(level)
    truth = {ALL: overall(level), "a": by_group[0], "a - b": by_group[0] - by_group[1]}
    return World(prevalence, level + LEANING, sizes, number, truth)


def sources(
    made: World, random: np.random.Generator, number: tuple[int, int] | None = None
) -> Corpus:
    """Return the passages of so many new sources (by default the world's), without classifiers."""
    joined = np.repeat([0, 1], made.number if number is None else number)
    group = random.choice(len(GROUPS), len(joined), p=SHARE)
    ends = np.cumsum(made.sizes, axis=2)[joined, group]
    size = 1 + (random.random(len(joined))[:, None] > ends).sum(axis=1)
    source = np.repeat(np.arange(len(joined)), np.minimum(size, LARGEST))
    odds = expit(made.base[group] + BETWEEN * random.normal(size=len(joined)))
    code = (random.random(len(source)) < odds[source]).astype(np.int64)
    own = SOURCE_SHIFT * random.normal(size=len(joined))
    rich = (random.random(len(source)) < np.array(RULE)[code]).astype(np.int64)
    none = np.zeros((0, len(source)))
    return Corpus(
        source=source,
        group=group[source],
        stratum=2 * group[source] + rich,
        fold=random.integers(0, FOLDS, len(joined))[source],
        code=code,
        joined=joined[source] == 1,
        noise=SHIFT[group[source]] + own[source] + random.normal(size=len(source)),
        probability=none,
        decision=none.astype(np.int64),
    )


# --- classifiers ----------------------------------------------------------------------------------


def probability(prevalence: float, separation: float, code: Ints, noise: Floats) -> Floats:
    """Return probabilities: of the odds with which noise shifted by the code speaks for it.

    They would be calibrated if the noise were standard normal, which by group and source it is not.
    Without separation they know nothing of the code, but still vary.
    """
    slope = separation if separation > 0 else 1.0
    prior = np.log(prevalence / (1 - prevalence))
    return expit(prior + slope * (noise + separation * (code - 0.5)))


def average_precision(score: Floats, code: Ints) -> float:
    """Return the mean precision at the passages that carry the code."""
    found = code[np.argsort(-score)]
    return float((np.cumsum(found) / np.arange(1, len(found) + 1))[found == 1].mean())


def fitted(made: World, texts: Corpus, separation: tuple[float, ...]) -> World:
    """Return the world with classifiers that mark as many passages as carry the code."""
    return replace(
        made,
        separation=separation,
        threshold=tuple(
            float(np.quantile(probability(made.prevalence, value, texts.code, texts.noise),
                              1 - made.prevalence))
            for value in separation
        ),
    )  # fmt: skip


@cache
def world(prevalence: float) -> World:
    """Return the world of one sample, with classifiers of the CORRELATIONS."""
    made = bare_world(prevalence, (FIRST, 0))
    texts = sources(made, np.random.default_rng([SEED, 1]), (INVENTED, 0))

    def correlation(separation: float) -> float:
        found = probability(made.prevalence, separation, texts.code, texts.noise)
        return float(np.corrcoef(found, texts.code)[0, 1])

    separation = tuple(bisect(correlation, goal, 0, 12) if goal else 0.0 for goal in CORRELATIONS)
    return fitted(made, texts, separation)


@cache
def looked_world(prevalence: float, number: tuple[int, int]) -> World:
    """Return the world of ``number`` sources, with the classifier that reading helped."""
    made = bare_world(prevalence, number)
    texts = sources(made, np.random.default_rng([SEED, 2]), (INVENTED, 0))

    def precision(separation: float) -> float:
        return average_precision(texts.noise + separation * texts.code, texts.code)

    elsewhere, read = (bisect(precision, goal, 0, 12) for goal in (ELSEWHERE, READ))
    return replace(fitted(made, texts, (elsewhere,)), helped=read - elsewhere)


def classified(made: World, texts: Corpus, read: Ints | None = None, helps: str = "") -> Corpus:
    """Return the corpus with what the classifiers say of it.

    Reading the passages ``read`` helped with those that carry the code (``recall``), or with those
    that do not as well (``both``); their average precision is then the same.
    """
    noise = texts.noise.copy()
    if read is not None:
        away = {RECALL: 0.0, BOTH: 0.5}[helps]
        noise[read] += made.helped * (texts.code[read] - away)
    said = np.array(
        [probability(made.prevalence, value, texts.code, noise) for value in made.separation]
    )
    decision = (said >= np.array(made.threshold)[:, None]).astype(np.int64)
    return replace(texts, probability=said, decision=decision)


# --- samples --------------------------------------------------------------------------------------


def allocation(size: Ints, labels: int, density: Floats) -> Ints:
    """Return how many to draw of each stratum (H,), at least 2 (or all), about ``labels`` in all.

    ``density`` (H,) says by how much more densely one stratum is drawn than another.
    """

    def drawn(rate: float) -> Ints:
        wanted = np.round(size * np.minimum(rate * density, MOST)).astype(np.int64)
        return np.minimum(np.maximum(wanted, 2), size)

    return drawn(bisect(lambda rate: float(drawn(rate).sum()), labels, 0, 1))


def within(stratum: Ints, taken: Ints, random: np.random.Generator) -> Ints:
    """Return the places of a random sample of ``taken`` (H,) by ``stratum`` (n,), in order."""
    size = np.bincount(stratum, minlength=len(taken))
    order = np.lexsort((random.random(len(stratum)), stratum))
    place = np.arange(len(order)) - np.repeat(np.cumsum(size) - size, size)
    return np.sort(order[place < np.repeat(taken, size)])


def draw(texts: Corpus, labels: int, random: np.random.Generator) -> Ints:
    """Return the rows of a first sample of about ``labels`` passages: RICH strata more densely."""
    frame = np.flatnonzero(~texts.joined)
    stratum = texts.stratum[frame]
    density = np.where(np.arange(STRATA) % 2 == 1, RICH, 1.0)
    taken = allocation(np.bincount(stratum, minlength=STRATA), labels, density)
    return frame[within(stratum, taken, random)]


def later_stratum(texts: Corpus) -> Ints:
    """Return the strata (N,) of a later draw, which tells apart what joined."""
    return texts.stratum + STRATA * texts.joined


def draw_unread(texts: Corpus, read: Ints, labels: int, random: np.random.Generator) -> Ints:
    """Return the rows of a later draw of about ``labels`` passages from all that was not read."""
    if not labels:
        return np.zeros(0, dtype=np.int64)
    left = np.flatnonzero(~np.isin(np.arange(len(texts.code)), read, kind="table"))
    stratum = later_stratum(texts)[left]
    taken = allocation(np.bincount(stratum, minlength=2 * STRATA), labels, np.ones(2 * STRATA))
    return left[within(stratum, taken, random)]


# --- samples as the package knows them ------------------------------------------------------------

OF_GROUP = pd.CategoricalDtype(list(GROUPS))
OF_PERIOD = pd.CategoricalDtype(["undated"])


def of_texts(texts: Corpus) -> Population:
    """Return the population of a corpus, of which nothing is drawn yet, without a table."""
    none = np.zeros(0, dtype=np.int64)
    return Population(
        passages=pd.RangeIndex(len(texts.code)),
        source=texts.source,
        sources=int(texts.source.max()) + 1,
        group=pd.Categorical.from_codes(texts.group, dtype=OF_GROUP),
        period=pd.Categorical.from_codes(np.zeros_like(texts.group), dtype=OF_PERIOD),
        drawn=none,
        stratum=none,
        weight=none.astype(float),
        strata=(),
        size=none,
        sampled=none,
    )


@dataclass(frozen=True)
class Design:
    """Drawn passages (n,) in order: strata by number, their N_h and n_h, weights, roles.

    ``random_share``, ``read``, ``read_weight`` as in
    :class:`framing.inference.design.Population`; ``unread_frame`` is true where a draw that nobody
    read reaches, which here is everywhere or nowhere, ``covered`` (N,) where any draw does.
    """

    drawn: Ints
    stratum: Ints
    size: Ints
    sampled: Ints
    weight: Floats
    random_share: Floats
    read: Bools
    read_weight: Floats
    unread_frame: bool
    covered: Bools


def plain_design(texts: Corpus, rows: Ints) -> Design:
    """Return the design of a first sample alone."""
    frame = ~texts.joined
    size = np.bincount(texts.stratum[frame], minlength=STRATA)
    stratum = texts.stratum[rows]
    sampled = np.bincount(stratum, minlength=STRATA)
    weight = (size / np.maximum(sampled, 1))[stratum]
    return Design(
        drawn=rows,
        stratum=stratum,
        size=size[stratum],
        sampled=sampled[stratum],
        weight=weight,
        random_share=np.ones(len(rows)),
        read=np.ones(len(rows), dtype=bool),
        read_weight=weight,
        unread_frame=False,
        covered=frame,
    )


def both_designs(texts: Corpus, read: Ints, unread: Ints) -> tuple[Design, Design]:
    """Return the design of a read and an unread draw as it is now, and as if all had been read.

    Now read passages are known, and the unread draw speaks for all others. Before, both would have
    been combined by their sampling rates (:mod:`framing.sampling.draw`), in each stratum of the
    later draw; where the first sample could not reach, the later draw speaks alone.
    """
    first = plain_design(texts, read)
    if not len(unread):
        return first, first
    later = later_stratum(texts)
    left = np.ones(len(texts.code), dtype=bool)
    left[read] = False
    size = np.bincount(later[left], minlength=2 * STRATA)
    sampled = np.bincount(later[unread], minlength=2 * STRATA)
    expanded = size / np.maximum(sampled, 1)
    drawn = np.concatenate([read, unread])
    order = np.argsort(drawn)
    is_read = np.repeat([True, False], [len(read), len(unread)])[order]
    of_unread = STRATA + later[unread]

    def joined(one: Floats | Ints, other: Floats | Ints) -> np.ndarray:
        return np.concatenate([one, other])[order]

    now = Design(
        drawn=drawn[order],
        stratum=joined(first.stratum, of_unread),
        size=joined(first.size, size[later[unread]]),
        sampled=joined(first.sampled, sampled[later[unread]]),
        weight=joined(np.ones(len(read)), expanded[later[unread]]),
        random_share=joined(np.zeros(len(read)), np.ones(len(unread))),
        read=is_read,
        read_weight=joined(first.weight, np.full(len(unread), np.nan)),
        unread_frame=True,
        covered=np.ones(len(texts.code), dtype=bool),
    )
    stands = np.bincount(later[read], weights=first.weight, minlength=2 * STRATA)
    rate = np.bincount(later[read], minlength=2 * STRATA) / np.maximum(stands, 1e-9)
    fresh = sampled / np.maximum(size, 1)
    share = rate * (1 - fresh) / np.maximum(rate + fresh * (1 - rate), 1e-9)
    varying = share[later[read]] * first.weight
    mixed = varying + 1 - share[later[read]]
    weight = joined(mixed, ((1 - share) * expanded)[later[unread]])
    before = replace(
        now,
        weight=weight,
        random_share=joined(varying / mixed, np.ones(len(unread))),
        read=np.ones(len(drawn), dtype=bool),
        read_weight=weight,
        unread_frame=False,
    )
    return now, before


def surveyed(frame: Population, design: Design, roles: bool = True) -> Population:
    """Return a population with a design; the same as reading its table (a test says so).

    A hundred times faster. Without ``roles`` it is that of a sample of which no role is on record,
    so that every coded passage counts as unread.
    """
    numbers, first, stratum = np.unique(design.stratum, return_index=True, return_inverse=True)
    made = replace(
        frame,
        drawn=design.drawn,
        stratum=stratum,
        weight=design.weight,
        strata=tuple(stratum_name(number) for number in numbers),
        size=design.size[first],
        sampled=design.sampled[first],
    )
    if not roles:
        return made
    return replace(
        made,
        random_share=design.random_share,
        covered=design.covered,
        read=design.read,
        unread_frame=np.full(frame.total, design.unread_frame),
        read_weight=design.read_weight,
    )


def stratum_name(number: int) -> str:
    """Return a name that sorts as its number."""
    return f"h{number:02d}"


def passage_table(texts: Corpus, design: Design, roles: bool = True) -> pd.DataFrame:
    """Return the passage frame of a sample, as the package reads it."""
    number = len(texts.code)
    frame = pd.DataFrame(
        {
            "passage_id": [f"p{place:06d}" for place in range(number)],
            "source_id": [f"s{place:05d}" for place in texts.source],
            "group": np.array(GROUPS, dtype=object)[texts.group],
            "period": "undated",
            "stratum": np.full(number, None, dtype=object),
            "stratum_size": pd.array([pd.NA] * number, dtype="Int64"),
            "stratum_sampled": pd.array([pd.NA] * number, dtype="Int64"),
            "weight": np.nan,
        }
    )
    rows = design.drawn
    frame.loc[rows, "stratum"] = [stratum_name(place) for place in design.stratum]
    frame.loc[rows, "stratum_size"] = design.size
    frame.loc[rows, "stratum_sampled"] = design.sampled
    frame.loc[rows, "weight"] = design.weight
    if not roles:
        return frame
    role = np.full(number, "", dtype=object)
    role[rows] = np.where(design.read, DEVELOPMENT, CONFIRMATION)
    more = {"random_share": np.full(number, np.nan), "read_weight": np.full(number, np.nan)}
    more["random_share"][rows] = design.random_share
    more["read_weight"][rows] = design.read_weight
    return frame.assign(
        role=role, unread_frame=design.unread_frame, estimable=design.covered, **more
    )


def coded(texts: Corpus, frame: Population, classifier: int) -> Outcome:
    """Return what :func:`framing.inference.outcomes.outcome` makes of a sample and a classifier."""
    label = texts.code[frame.drawn].astype(float)
    said = Outcome(
        code="code",
        decision=texts.decision[classifier],
        label=label,
        fitted=np.zeros(len(texts.code)),
        untuned="",
        probability=texts.probability[classifier],
        fold=texts.fold,
    )
    return relabelled(frame, said, {said.code: label}, SETTINGS)


# --- sources with heavy tails ---------------------------------------------------------------------

LONGEST = 200  # passages of the longest source there can be
RHO = 0.2  # correlation between codes of two passages of a source (beta-binomial)
TAILS: Mapping[str, Callable[[int, np.random.Generator], Floats]] = {
    "lognormal": lambda number, random: random.lognormal(0.7, 1.3, number),
    "Pareto": lambda number, random: 1 + 2.2 * random.pareto(1.3, number),
}


@dataclass(frozen=True)
class Tail:
    """Sources of unequal size: the kind of tail, how many, and how the code goes with size.

    ``slope`` is what the log odds of the code rise by with the log of a source's size.
    """

    kind: str
    sources: int
    slope: float


def tail_sizes(kind: str, number: int, random: np.random.Generator) -> Ints:
    """Return sizes of so many sources, 1 to LONGEST."""
    return np.minimum(np.ceil(TAILS[kind](number, random)), LONGEST).astype(np.int64)


@cache
def tail_level(kind: str, slope: float, prevalence: float) -> float:
    """Return the log odds of sources with one passage at which ``prevalence`` carry the code.

    That is the share among passages of very many sources, E(carrying)/E(size).
    """
    sizes = tail_sizes(kind, 2_000_000, np.random.default_rng([SEED, 3]))
    size, number = np.unique(sizes, return_counts=True)

    def overall(level: float) -> float:
        return float(number * size @ expit(level + slope * np.log(size)) / (number @ size))

    return bisect(overall, prevalence, -15, 15)


def tail_corpus(tail: Tail, prevalence: float, random: np.random.Generator) -> Corpus:
    """Return a corpus of one group, with the classifier of :func:`looked_world` unhelped."""
    size = tail_sizes(tail.kind, tail.sources, random)
    level = tail_level(tail.kind, tail.slope, prevalence)
    mean = expit(level + tail.slope * np.log(size))
    share = random.beta(mean * (1 / RHO - 1), (1 - mean) * (1 / RHO - 1))
    source = np.repeat(np.arange(tail.sources), size)
    code = (random.random(len(source)) < share[source]).astype(np.int64)
    own = SOURCE_SHIFT * random.normal(size=tail.sources)
    none = np.zeros((0, len(source)))
    return Corpus(
        source=source,
        group=np.zeros(len(source), dtype=np.int64),
        stratum=(random.random(len(source)) < np.array(RULE)[code]).astype(np.int64),
        fold=random.integers(0, FOLDS, tail.sources)[source],
        code=code,
        joined=np.zeros(len(source), dtype=bool),
        noise=own[source] + random.normal(size=len(source)),
        probability=none,
        decision=none.astype(np.int64),
    )
