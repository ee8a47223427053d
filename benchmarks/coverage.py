"""Simulate whether intervals hold what they promise; write `benchmarks/coverage.tsv`.

Corpora like ours are made up: about 200 sources of very unequal size in four groups, codes that go
with the source, a classifier that errs differently by group and source, a stratified sample (group,
and whether a noisy rule on words hits) that takes nearly twice as much where the rule hits. Of each
sample the package's own functions estimate the share of passages with the code, and we count how
often the 95 % interval holds the truth: `python benchmarks/coverage.py`.

*corpus*: twelve corpora are made once, and samples are drawn from them again and again; the truth
is the share in the corpus. *texts*: every sample is drawn from a corpus of new sources; the truth
is the share that sources of this kind have, each counting by its length.

Cells are all combinations of target, prevalence and number of labels. The same samples serve every
estimator and four classifiers, whose probabilities have different correlations with the code, so
that widths are compared sample by sample. Seeds are fixed; with `--replications` of its default the
table is the committed one, on any number of `--processes`.

The classifier is given, not trained on the drawn codes: what cross-fitting does is not in here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from math import sqrt
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from framing.config import ALL, load_config  # noqa: E402  # found only now
from framing.files import write_table  # noqa: E402
from framing.inference.contrasts import contrast  # noqa: E402
from framing.inference.design import (  # noqa: E402
    CORPUS,
    TARGETS,
    Floats,
    Ints,
    Population,
    domain,
    population,
)
from framing.inference.estimators import (  # noqa: E402
    COUNT,
    DIFFERENCE,
    LABELS,
    POST,
    Estimate,
    estimate,
)
from framing.inference.intervals import Settings  # noqa: E402
from framing.inference.outcomes import Outcome, fold_slopes, tuned  # noqa: E402
from framing.inference.tables import estimate_row  # noqa: E402

TABLE = ROOT / "benchmarks" / "coverage.tsv"
SEED = 7717  # not the one on which the method was chosen (20240611): see docs/methods.md
REPLICATIONS = 1800
CORPORA = 12  # fixed corpora behind the target `corpus`
FOLDS = 5
PREVALENCES = (0.02, 0.05, 0.1, 0.2, 0.5)
LABELLED = (100, 200, 300, 500)
CORRELATIONS = (0.0, 0.2, 0.5, 0.8)
SETTINGS = Settings.of(load_config(ROOT / "config" / "config.yaml"))

# The kind of source: its group's share of sources, typical size (median of a lognormal), and how
# much more or less its passages carry the code; the classifier's leaning by group (in standard
# deviations of its noise). The figures are about those of the NATO-Russia corpus.
SOURCES = 206
GROUPS = ("a", "b", "c", "d")
SHARE = np.array([0.4, 0.3, 0.15, 0.15])
MEDIAN = np.array([3.2, 3.2, 4.5, 2.0])
LEANING = np.array([0.4, -0.5, 0.2, -0.2])
SHIFT = np.array([0.5, -0.4, 0.0, 0.2])
SPREAD, LARGEST = 0.85, 40  # of log sizes; no source has more passages
BETWEEN = 1.2  # standard deviation between sources of the log odds of the code
SOURCE_SHIFT = 0.4  # and of the classifier's leaning
RULE = (0.2, 0.65)  # the rule on words hits passages without, and with, the code so often
RICH = 1.8  # where it hits, so many times the share is drawn
MOST = 0.95  # of a stratum, at most this share is drawn

DOMAINS = (ALL, "a", "a - b")
COLUMNS = (
    "target", "prevalence", "labels", "correlation", "estimator", "domain", "coded",
    "replications", "coverage", "mc_error", "width", "width_ratio", "bias", "rmse", "no_interval",
    "status",
)  # fmt: skip


# --- worlds ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """A kind of text: how sources come about, and what classifiers make of them.

    ``base`` (4,) are log odds of the code by group, ``sizes`` (4, LARGEST) the chances of 1, 2, …
    passages, ``truth`` the shares by domain. ``separation`` and ``threshold`` have a classifier
    each, in the order of CORRELATIONS.
    """

    prevalence: float
    base: Floats
    sizes: Floats
    truth: Mapping[str, float]
    separation: tuple[float, ...] = ()
    threshold: tuple[float, ...] = ()


@dataclass(frozen=True)
class Corpus:
    """Passages (N,): source, group, stratum and fold, the code, and what each classifier says.

    ``probability`` and ``decision`` are (classifiers, N).
    """

    source: Ints
    group: Ints
    stratum: Ints
    fold: Ints
    code: Ints
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


def size_chances() -> Floats:
    """Return the chances of 1 … LARGEST passages by group, (4, LARGEST): lognormal, rounded up."""
    ends = stats.lognorm.cdf(np.arange(LARGEST + 1), SPREAD, scale=MEDIAN[:, None] / np.exp(0.1))
    chances = np.diff(ends, axis=1)
    weights: Floats = chances / chances.sum(axis=1, keepdims=True)
    return weights


@cache
def world(prevalence: float) -> World:
    """Return the world in which that share of passages carries the code."""
    sizes = size_chances()
    length = SHARE * (sizes @ np.arange(1, LARGEST + 1))
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
    bare = World(prevalence, level + LEANING, sizes, truth)
    return with_classifiers(bare, np.random.default_rng([SEED, 1]))


def sources(made: World, number: int, random: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Return source, group and code of the passages of so many new sources."""
    group = random.choice(len(GROUPS), number, p=SHARE)
    size = 1 + (random.random(number)[:, None] > np.cumsum(made.sizes, axis=1)[group]).sum(axis=1)
    source = np.repeat(np.arange(number), np.minimum(size, LARGEST))
    odds = expit(made.base[group] + BETWEEN * random.normal(size=number))
    code = (random.random(len(source)) < odds[source]).astype(np.int64)
    return source, group[source], code


def leaning(source: Ints, group: Ints, random: np.random.Generator) -> Floats:
    """Return the classifier's noise by passage: by group, by source, and its own."""
    own = SOURCE_SHIFT * random.normal(size=int(source.max()) + 1)
    noise: Floats = SHIFT[group] + own[source] + random.normal(size=len(source))
    return noise


def probability(prevalence: float, separation: float, code: Ints, noise: Floats) -> Floats:
    """Return probabilities: of the odds with which noise shifted by the code speaks for it.

    They would be calibrated if the noise were standard normal, which by group and source it is not.
    Without separation they know nothing of the code, but still vary.
    """
    slope = separation if separation > 0 else 1.0
    prior = np.log(prevalence / (1 - prevalence))
    return expit(prior + slope * (noise + separation * (code - 0.5)))


def with_classifiers(made: World, random: np.random.Generator) -> World:
    """Return the world with classifiers of the CORRELATIONS, which mark as many as carry the code.

    Fitted to 30,000 invented sources.
    """
    source, group, code = sources(made, 30_000, random)
    noise = leaning(source, group, random)

    def correlation(separation: float) -> float:
        found = probability(made.prevalence, separation, code, noise)
        return float(np.corrcoef(found, code)[0, 1])

    separation = tuple(bisect(correlation, goal, 0, 12) if goal else 0.0 for goal in CORRELATIONS)
    threshold = tuple(
        float(np.quantile(probability(made.prevalence, value, code, noise), 1 - made.prevalence))
        for value in separation
    )
    return replace(made, separation=separation, threshold=threshold)


def corpus(made: World, random: np.random.Generator) -> Corpus:
    """Return a corpus of new sources."""
    source, group, code = sources(made, SOURCES, random)
    noise = leaning(source, group, random)
    said = np.array([probability(made.prevalence, value, code, noise) for value in made.separation])
    rich = (random.random(len(source)) < np.array(RULE)[code]).astype(np.int64)
    return Corpus(
        source=source,
        group=group,
        stratum=2 * group + rich,
        fold=random.integers(0, FOLDS, SOURCES)[source],
        code=code,
        probability=said,
        decision=(said >= np.array(made.threshold)[:, None]).astype(np.int64),
    )


# --- samples --------------------------------------------------------------------------------------


def allocation(size: Ints, labels: int) -> Ints:
    """Return how many to draw of each stratum (H,), at least 2 (or all), about ``labels`` in all.

    Strata alternate between poor and rich; rich ones are drawn RICH times as densely.
    """
    density = np.where(np.arange(len(size)) % 2 == 1, RICH, 1.0)

    def drawn(rate: float) -> Ints:
        wanted = np.round(size * np.minimum(rate * density, MOST)).astype(np.int64)
        return np.minimum(np.maximum(wanted, 2), size)

    return drawn(bisect(lambda rate: float(drawn(rate).sum()), labels, 0, 1))


def draw(texts: Corpus, labels: int, random: np.random.Generator) -> Ints:
    """Return the rows of a stratified sample of about ``labels`` passages, in order."""
    size = np.bincount(texts.stratum, minlength=2 * len(GROUPS))
    order = np.lexsort((random.random(len(texts.code)), texts.stratum))
    place = np.arange(len(order)) - np.repeat(np.cumsum(size) - size, size)
    taken = place < np.repeat(allocation(size, labels), size)
    return np.sort(order[taken])


def passage_table(texts: Corpus, rows: Ints) -> pd.DataFrame:
    """Return the passage frame of a sample, as the package reads it."""
    drawn = np.zeros(len(texts.code), dtype=bool)
    drawn[rows] = True
    size = np.bincount(texts.stratum, minlength=2 * len(GROUPS))
    sampled = np.bincount(texts.stratum[rows], minlength=len(size))
    frame = pd.DataFrame(
        {
            "passage_id": [f"p{number:06d}" for number in range(len(drawn))],
            "source_id": [f"s{number:04d}" for number in texts.source],
            "group": np.array(GROUPS, dtype=object)[texts.group],
            "period": "undated",
            "stratum": [f"h{number:02d}" for number in texts.stratum],
            "stratum_size": pd.array(size[texts.stratum], dtype="Int64"),
            "stratum_sampled": pd.array(sampled[texts.stratum], dtype="Int64"),
            "weight": (size / np.maximum(sampled, 1))[texts.stratum],
        }
    )
    design = ("stratum", "stratum_size", "stratum_sampled", "weight")
    return frame.assign(**{name: frame[name].where(drawn) for name in design})


def surveyed(texts: Corpus, rows: Ints, frame: Population | None = None) -> Population:
    """Return the population with a sample; from ``frame``, of another sample of it, if given.

    The second way is the same as reading the table again (a test says so), and a hundred times
    faster.
    """
    if frame is None:
        return population(passage_table(texts, rows))
    size = np.bincount(texts.stratum, minlength=2 * len(GROUPS))
    kept = np.flatnonzero(size)
    sampled = np.bincount(texts.stratum[rows], minlength=len(size))
    weight = (size / np.maximum(sampled, 1))[texts.stratum[rows]]
    return replace(
        frame,
        drawn=rows,
        stratum=np.searchsorted(kept, texts.stratum[rows]),
        weight=weight,
        size=size[kept],
        sampled=sampled[kept],
    )


def of_texts(texts: Corpus) -> Population:
    """Return the population of a corpus, of which nothing is drawn yet, without a table."""
    kept = np.flatnonzero(np.bincount(texts.stratum, minlength=2 * len(GROUPS)))
    undated = pd.Categorical.from_codes(np.zeros(len(texts.code), dtype=int), ["undated"])
    none = np.zeros(0, dtype=np.int64)
    return Population(
        passages=pd.RangeIndex(len(texts.code)),
        source=texts.source,
        sources=SOURCES,
        group=pd.Categorical.from_codes(texts.group, GROUPS),
        period=undated,
        drawn=none,
        stratum=none,
        weight=none.astype(float),
        strata=tuple(f"h{number:02d}" for number in kept),
        size=none,
        sampled=none,
    )


def coded(texts: Corpus, frame: Population, classifier: int) -> Outcome:
    """Return what :func:`framing.inference.outcomes.outcome` makes of a sample and a classifier."""
    drawn, said = frame.drawn, texts.probability[classifier]
    label = texts.code[drawn].astype(float)
    slopes = fold_slopes(
        said[drawn], label, frame.weight, texts.fold[drawn], FOLDS, SETTINGS.tuning_minimum
    )
    return Outcome(
        code="code",
        decision=texts.decision[classifier],
        label=label,
        fitted=tuned(slopes[texts.fold], said, frame.covered),
        untuned="" if slopes.any() else "labels only: the probabilities do not go with the codes",
        probability=said,
    )


# --- one sample -----------------------------------------------------------------------------------

# What is asked of a sample, in order: estimators that use a classifier come once for each.
ASKED = tuple(
    [(LABELS, 0)]
    + [(name, place) for name in (COUNT, POST, DIFFERENCE) for place in range(len(CORRELATIONS))]
)


def answers(texts: Corpus, frame: Population, target: str) -> Iterator[tuple[float, ...] | str]:
    """Yield value, low, high, coded passages of every question and domain, or why there is none."""
    parts = {name: domain(frame, name) for name in (ALL, "a", "b")}
    data = [coded(texts, frame, place) for place in range(len(CORRELATIONS))]
    for name, place in ASKED:
        found = {
            key: estimate(name, frame, part, data[place], SETTINGS) for key, part in parts.items()
        }
        for key in (ALL, "a"):
            row = estimate_row(
                found[key], parts[key], target, SETTINGS.confidence, SETTINGS.wilson_below
            )
            ends = row["estimate"], row["ci_low"], row["ci_high"], float(row["coded"])
            yield ends if ends[1] == ends[1] else str(row["status"])
        yield _apart(found["a"], found["b"], target, name)


def _apart(a: Estimate, b: Estimate, target: str, name: str) -> tuple[float, ...] | str:
    if name == COUNT and target == CORPUS:
        return "not compared: counting has no deviations for this target"
    found = contrast(a, b, target, SETTINGS.confidence)
    ends = found.difference, found.low, found.high, float(a.coded + b.coded)
    return ends if found.low == found.low else found.status


# --- cells ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """One cell: target, prevalence, number of labels, and how many samples to draw."""

    target: str
    prevalence: float
    labels: int
    replications: int


def samples(task: Task) -> Iterator[tuple[Corpus, Population, Mapping[str, float]]]:
    """Yield corpus, sample and truth by domain, as often as the task says."""
    made = world(task.prevalence)
    number = PREVALENCES.index(task.prevalence)
    random = np.random.default_rng([SEED, 2, number, task.labels, TARGETS.index(task.target)])
    if task.target != CORPUS:
        for _ in range(task.replications):
            texts = corpus(made, random)
            rows = draw(texts, task.labels, random)
            yield texts, surveyed(texts, rows, of_texts(texts)), made.truth
        return
    for place in range(CORPORA):
        # The same corpora whatever the number of labels.
        texts = corpus(made, np.random.default_rng([SEED, 3, number, place]))
        shares = [texts.code[texts.group == group].mean() for group in (0, 1)]
        truth = {ALL: texts.code.mean(), "a": shares[0], "a - b": shares[0] - shares[1]}
        frame = of_texts(texts)
        for _ in range(task.replications // CORPORA):
            yield texts, surveyed(texts, draw(texts, task.labels, random), frame), truth


def cell(task: Task, made_for: str = "") -> pd.DataFrame:
    """Return the rows of one cell, :data:`COLUMNS`.

    Intervals are made for the task's target, or for another, to see how wrong that would be.
    """
    known, numbers, reasons = [], [], []
    for texts, frame, truth in samples(task):
        given = list(answers(texts, frame, made_for or task.target))
        known.append([truth[name] for name in DOMAINS] * len(ASKED))
        numbers.append([(np.nan,) * 4 if isinstance(item, str) else item for item in given])
        reasons.append([item if isinstance(item, str) else "" for item in given])
    value, low, high, size = np.moveaxis(np.array(numbers), 2, 0)
    truths = np.array(known)
    has = ~np.isnan(low)
    width = high - low
    questions = [(name, place, part) for name, place in ASKED for part in DOMAINS]
    rows = []
    for column, (name, place, part) in enumerate(questions):
        if not has[:, column].any() and name == COUNT:
            continue
        own, base = has[:, column], DOMAINS.index(part)
        error = (value - truths)[own, column]
        held = (low <= truths + 1e-12) & (truths - 1e-12 <= high)
        share = float(held[own, column].mean())
        both = own & has[:, base]
        why = pd.Series([row[column] for row in reasons if row[column]], dtype=object)
        rows.append(
            {
                "target": task.target,
                "prevalence": task.prevalence,
                "labels": task.labels,
                "correlation": np.nan if name == LABELS else CORRELATIONS[place],
                "estimator": name,
                "domain": part,
                "coded": float(size[own, column].mean()),
                "replications": len(own),
                "coverage": share,
                "mc_error": sqrt(share * (1 - share) / max(int(own.sum()), 1)),
                "width": float(width[own, column].mean()),
                "width_ratio": float(width[both, column].mean() / width[both, base].mean()),
                "bias": float(error.mean()),
                "rmse": sqrt(float(np.square(error).mean())),
                "no_interval": 1 - float(own.mean()),
                "status": "" if why.empty else str(why.mode().iloc[0]),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def tasks(replications: int) -> list[Task]:
    """Return all cells."""
    return [Task(*key, replications) for key in product(TARGETS, PREVALENCES, LABELLED)]


def coverage_table(work: Sequence[Task], processes: int) -> pd.DataFrame:
    """Return the rows of all cells; the same whatever the number of processes."""
    if processes == 1:
        return pd.concat([cell(task) for task in work], ignore_index=True)
    with Pool(processes) as pool:
        return pd.concat(pool.map(cell, work, chunksize=1), ignore_index=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--table", type=Path, default=TABLE)
    options: Any = parser.parse_args(arguments)
    table = coverage_table(tasks(options.replications), options.processes)
    write_table(options.table, table, decimals=4)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
