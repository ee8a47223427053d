"""Simulate whether intervals hold what they promise; write `benchmarks/coverage.tsv`.

Corpora are made up (`benchmarks/simulated.py`), samples are drawn from them, the package's own
functions estimate the share of passages with a code, and we count how often the 95 % interval holds
the truth: `python benchmarks/coverage.py`. Three populations:

*ours*: one sample that nobody read before everything was settled, and classifiers that go with the
code more or less.

*read: recall*, *read: both*: the authors of the classifier's cues had read a first sample, so that
the classifier errs less on read passages than on others. A later, unread sample was drawn from the
rest. ``now`` read passages are known and the unread ones speak for all others. ``all trusted``: the
same codings, but the functions are told that none is unread, so that corrections rest on all of
them. ``all read``: as many codings, and the authors had read them all, as was usual.

*lognormal*, *Pareto*: few sources, or sizes with a heavy tail that may go with the code.
``customary`` is the variance with m/(m − 1) and m − 1 degrees of freedom for m coded sources.

For the target *corpus* twelve corpora are made once, and samples are drawn from them again and
again; the truth is the share in the corpus. For *texts* every sample is drawn from a corpus of new
sources; the truth is the share that sources of this kind have, each counting by its length.

The same samples serve all estimators of a cell, so that widths are compared sample by sample. Seeds
are fixed; with `--replications` of its default the table is the committed one, on any number of
`--processes`.

The classifier is given, not trained on the drawn codes: what cross-fitting does is not in here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import sqrt
from multiprocessing import Pool
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

# At the end of the path: a package that is installed has the name of this file.
sys.path.append(str(Path(__file__).resolve().parent))

import simulated  # found only now
from simulated import (
    BOTH,
    CORRELATIONS,
    FIRST,
    JOINED,
    RECALL,
    ROOT,
    SEED,
    Corpus,
    Tail,
)

from framing.common.config import ALL
from framing.common.files import write_table
from framing.inference.clusters import shares
from framing.inference.contrasts import contrast
from framing.inference.corrected import Estimate
from framing.inference.design import CORPUS, TARGETS, TEXTS, Domain, Population, domain
from framing.inference.estimators import (
    CORRECTED,
    COUNT,
    DIFFERENCE,
    EVERY,
    LABELS,
    POST,
    estimate,
)
from framing.inference.outcomes import Outcome
from framing.inference.variances import sums
from framing.tables.shares import share_row

TABLE = ROOT / "benchmarks" / "coverage.tsv"
REPLICATIONS = 1200
CORPORA = 12  # fixed corpora behind the target `corpus`
BY_CLASSIFIER = [name for name in CORRECTED if EVERY[name].has_classifier]
NOW, TRUSTED, ALL_READ = "now", "all trusted", "all read"  # ways to deal with what was read
CUSTOMARY = "customary"  # the variance between sources, whatever their sizes
OURS, LOOKED = "ours", "read: {}"
GAP = "a - b"
DOMAINS = (ALL, "a", GAP)
COLUMNS = (
    "population", "target", "prevalence", "sources", "slope", "read", "labels", "correlation",
    "way", "estimator", "domain", "coded", "replications", "coverage", "mc_error", "width",
    "width_ratio", "bias", "rmse", "no_interval", "status",
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One cell: what is drawn from what, and how many samples.

    ``labels`` are codings that nobody had read, ``read`` those that the authors of cues had.
    ``joined`` sources joined after the read draw; ``helps`` says what reading helped with.
    ``tail`` is set where sizes have a heavy tail.
    """

    target: str
    prevalence: float
    labels: int
    replications: int
    read: int = 0
    joined: int = 0
    helps: str = ""
    tail: Tail | None = None

    @property
    def population(self) -> str:
        """Return the population's name."""
        if self.tail is not None:
            return self.tail.kind
        return LOOKED.format(self.helps) if self.helps else OURS

    @property
    def seeds(self) -> list[int]:
        """Return numbers that tell the cell's corpora from those of others, whatever the labels."""
        tail = self.tail or Tail("", 0, 0.0)
        return [
            ("", *sorted(simulated.TAILS)).index(tail.kind),
            tail.sources,
            round(100 * (1 + tail.slope)),
            round(1000 * self.prevalence),
            self.joined,
            ("", RECALL, BOTH).index(self.helps),
        ]


class Question(NamedTuple):
    """What is asked of a sample: way, number of the classifier, estimator, domain."""

    way: str
    classifier: int
    estimator: str
    domain: str


Answer = tuple[float, float, float, float] | str
"""Value, low, high, coded passages; or why there is none."""
Sample = tuple[Mapping[str, float], dict[Question, Answer]]
"""The truth by domain, and the answers."""


# --- one sample -----------------------------------------------------------------------------------


def answers(
    frame: Population,
    data: Outcome,
    target: str,
    asked: Sequence[tuple[str, str]],
    way: str = NOW,
    classifier: int = 0,
) -> Iterator[tuple[Question, Answer]]:
    """Yield the answers to questions ``asked``: an estimator and a domain each."""
    names = {name for _, part in asked for name in (("a", "b") if part == GAP else (part,))}
    parts = {name: domain(frame, name, target=target) for name in sorted(names)}
    found: dict[tuple[str, str], Estimate] = {}
    for name, part in asked:
        for one in ("a", "b") if part == GAP else (part,):
            if (name, one) not in found:
                found[name, one] = estimate(name, frame, parts[one], data, simulated.SETTINGS)
        key = Question(way, classifier, name, part)
        if part == GAP:
            yield key, apart(found[name, "a"], found[name, "b"], target)
        else:
            yield key, alone(frame, parts[part], found[name, part], target)


def alone(frame: Population, part: Domain, found: Estimate, target: str) -> Answer:
    """Return the answer of a share."""
    row = share_row(frame, found, part, target, simulated.SETTINGS)
    if row["ci_low"] != row["ci_low"]:
        return str(row["status"])
    return row["estimate"], row["ci_low"], row["ci_high"], float(row["coded"])


def apart(a: Estimate, b: Estimate, target: str) -> Answer:
    """Return the answer of a difference."""
    found = contrast(a, b, target, simulated.SETTINGS.confidence)
    if found.low != found.low:
        return found.status
    return found.difference, found.low, found.high, float(a.coded + b.coded)


def shares_in(texts: Corpus) -> dict[str, float]:
    """Return the true shares in a corpus by domain."""
    by_group = [float(texts.code[texts.group == number].mean()) for number in (0, 1)]
    whole = float(texts.code.mean())
    return {ALL: whole, "a": by_group[0], GAP: by_group[0] - by_group[1]}


def corpora(
    task: Task, made: simulated.World, random: np.random.Generator
) -> Iterator[tuple[Corpus, Mapping[str, float]]]:
    """Yield corpus and truth for every sample of a cell."""
    if task.target != CORPUS:
        for _ in range(task.replications):
            yield simulated.sources(made, random), made.truth
        return
    for place in range(CORPORA):
        fixed = np.random.default_rng([SEED, 4, *task.seeds, place])
        texts = simulated.sources(made, fixed)
        for _ in range(task.replications // CORPORA):
            yield texts, shares_in(texts)


def of_ours(task: Task, random: np.random.Generator) -> Iterator[Sample]:
    """Yield samples of a population that nobody has read."""
    made = simulated.world(task.prevalence)
    asked = [(name, part) for name in BY_CLASSIFIER for part in DOMAINS] + [(COUNT, "a")]
    for texts, truth in corpora(task, made, random):
        said = simulated.classified(made, texts)
        rows = simulated.draw(said, task.labels, random)
        design = simulated.plain_design(said, rows)
        frame = simulated.surveyed(simulated.of_texts(said), design, roles=False)
        found: dict[Question, Answer] = {}
        for place in range(len(CORRELATIONS)):
            data = simulated.coded(said, frame, place)
            also = [(LABELS, part) for part in DOMAINS] if place == 0 else []
            found |= answers(frame, data, task.target, [*also, *asked], NOW, place)
        yield truth, found


def of_looked(task: Task, random: np.random.Generator) -> Iterator[Sample]:
    """Yield samples of a population of which the authors of cues had read a part."""
    made = simulated.looked_world(task.prevalence, (FIRST, task.joined))
    now = [(name, part) for name in CORRECTED for part in DOMAINS]
    if not task.labels:
        now = [(LABELS, part) for part in DOMAINS]
    otherwise = [(POST, ALL), (DIFFERENCE, ALL), (DIFFERENCE, GAP)]
    for texts, truth in corpora(task, made, random):
        read = simulated.draw(texts, task.read, random)
        unread = simulated.draw_unread(texts, read, task.labels, random)
        said = simulated.classified(made, texts, read, task.helps)
        whole = np.concatenate([read, unread])
        told, mixed = (
            simulated.surveyed(simulated.of_texts(texts), design)
            for design in simulated.both_designs(texts, read, unread)
        )
        ways = [(NOW, said, told, now)]
        if task.labels:
            ways.append((TRUSTED, said, mixed, otherwise))
        all_read = simulated.classified(made, texts, whole, task.helps) if task.labels else said
        ways.append((ALL_READ, all_read, mixed, otherwise))
        found: dict[Question, Answer] = {}
        for way, seen, frame, asked in ways:
            data = simulated.coded(seen, frame, 0)
            found |= answers(frame, data, task.target, asked, way)
        yield truth, found


def of_tails(task: Task, random: np.random.Generator) -> Iterator[Sample]:
    """Yield samples of sources whose sizes have a heavy tail."""
    assert task.tail is not None
    made = simulated.looked_world(task.prevalence, (FIRST, 0))
    for _ in range(task.replications):
        texts = simulated.tail_corpus(task.tail, task.prevalence, random)
        said = simulated.classified(made, texts)
        rows = simulated.draw(said, task.labels, random)
        design = simulated.plain_design(said, rows)
        frame = simulated.surveyed(simulated.of_texts(said), design, roles=False)
        data, part = simulated.coded(said, frame, 0), domain(frame)
        found: dict[Question, Answer] = {}
        for name in (LABELS, DIFFERENCE):
            one = estimate(name, frame, part, data, simulated.SETTINGS)
            for way, made_so in ((NOW, one), (CUSTOMARY, customary(frame, part, one))):
                found[Question(way, 0, name, ALL)] = alone(frame, part, made_so, task.target)
        yield {ALL: task.prevalence}, found


def customary(frame: Population, part: Domain, found: Estimate) -> Estimate:
    """Return the estimate of a whole corpus with the customary ultimate-cluster variance.

    m/(m − 1) and m − 1 degrees of freedom for m coded sources, whatever their sizes.
    """
    source = part.source[part.place]
    share = shares(sums(source, frame.weight[part.coded], frame.sources))
    number = part.coded_sources
    if number < 2:
        return found
    plain = found.deviations[TEXTS] * np.sqrt(1 - share) * sqrt(number / (number - 1))
    return replace(
        found,
        deviations={**found.deviations, TEXTS: plain},
        variance={**found.variance, TEXTS: float(np.square(plain).sum())},
        df={**found.df, TEXTS: float(number - 1)},
    )


def samples(task: Task) -> Iterator[Sample]:
    """Yield truth and answers, as often as the task says."""
    random = np.random.default_rng(
        [SEED, 5, *task.seeds, task.read, task.labels, TARGETS.index(task.target)]
    )
    kind = of_tails if task.tail is not None else of_looked if task.helps else of_ours
    yield from kind(task, random)


# --- cells ----------------------------------------------------------------------------------------


def cell(task: Task) -> pd.DataFrame:
    """Return the rows of one cell, :data:`COLUMNS`."""
    known, given = zip(*samples(task), strict=True)
    questions = list(given[0])
    table = {
        key: np.array(
            [(np.nan,) * 4 if isinstance(one[key], str) else one[key] for one in given], dtype=float
        )
        for key in questions
    }
    rows = []
    for key in questions:
        value, low, high, size = table[key].T
        truth = np.array([of[key.domain] for of in known])
        base = table[Question(NOW, 0, LABELS, key.domain)]
        own = ~np.isnan(low)
        both = own & ~np.isnan(base[:, 1])
        error = (value - truth)[own]
        held = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
        share = float(held[own].mean())
        why = pd.Series([one[key] for one in given if isinstance(one[key], str)], dtype=object)
        rows.append(
            {
                "population": task.population,
                "target": task.target,
                "prevalence": task.prevalence,
                "sources": task.tail.sources if task.tail else FIRST + task.joined,
                "slope": task.tail.slope if task.tail else np.nan,
                "read": task.read,
                "labels": task.labels,
                "correlation": (
                    CORRELATIONS[key.classifier]
                    if task.population == OURS and key.estimator != LABELS
                    else np.nan
                ),
                **key._asdict(),
                "coded": float(size[own].mean()),
                "replications": len(own),
                "coverage": share,
                "mc_error": sqrt(share * (1 - share) / max(int(own.sum()), 1)),
                "width": float((high - low)[own].mean()),
                "width_ratio": float(
                    (high - low)[both].mean() / (base[:, 2] - base[:, 1])[both].mean()
                ),
                "bias": float(error.mean()),
                "rmse": sqrt(float(np.square(error).mean())),
                "no_interval": 1 - float(own.mean()),
                "status": "" if why.empty else str(why.mode().iloc[0]),
            }
        )
    return pd.DataFrame(rows)[list(COLUMNS)]


OURS_PREVALENCES, OURS_LABELS = (0.02, 0.05, 0.2), (100, 300)
LOOKED_PREVALENCES = (0.05, 0.1, 0.25)
SURVEYS = ((0, 513, 0), (0, 513, 200), (JOINED, 300, 200), (JOINED, 300, 300), (JOINED, 300, 600),
           (JOINED, 513, 626))  # fmt: skip  # joined sources, read, unread


def tails() -> Iterator[tuple[Tail, float, int]]:
    """Yield tail, prevalence and labels of the cells with heavy tails."""
    for number, labels in ((25, 80), (60, 300), (200, 300), (1700, 300)):
        for slope, prevalence in product((0.0, 0.4), (0.05, 0.2)):
            yield Tail("lognormal", number, slope), prevalence, labels
        yield Tail("lognormal", number, -0.4), 0.2, labels
    for number, slope in product((60, 200, 1700), (0.0, 0.4)):
        yield Tail("Pareto", number, slope), 0.2, 300


def tasks(replications: int) -> list[Task]:
    """Return all cells."""
    work = [Task(*key, replications) for key in product(TARGETS, OURS_PREVALENCES, OURS_LABELS)]
    for helps, prevalence, (joined, read, labels) in product(
        (RECALL, BOTH), LOOKED_PREVALENCES, SURVEYS
    ):
        work.append(Task(CORPUS, prevalence, labels, replications, read, joined, helps))
        if helps == BOTH and prevalence != 0.1 and read == 513 and labels:
            work.append(Task(TEXTS, prevalence, labels, replications, read, joined, helps))
    for target in TARGETS:  # three unread passages with the code, fifteen that were read
        work.append(Task(target, 0.03, 100, replications, 513, JOINED, BOTH))
    for tail, prevalence, labels in tails():
        work.append(Task(TEXTS, prevalence, labels, replications, tail=tail))
    return work


def coverage_table(work: Sequence[Task], processes: int) -> pd.DataFrame:
    """Return the rows of all cells; the same whatever the number of processes."""
    if processes == 1:
        return pd.concat([cell(task) for task in work], ignore_index=True)
    with Pool(processes) as pool:
        return pd.concat(pool.map(cell, work, chunksize=1), ignore_index=True)


SUMMARY = (
    ("ours, all, prevalence >= .05 and 300 labels", "population == 'ours' and domain == 'all' "
     "and prevalence >= .05 and labels >= 200"),
    ("ours, a group or a difference, prevalence >= .05 and 300 labels", "population == 'ours' "
     "and domain != 'all' and prevalence >= .05 and labels >= 200"),
    ("ours, other cells", "population == 'ours' and (prevalence < .05 or labels < 200)"),
    ("read, all, prevalence >= .05 and >= 200 unread", "read > 0 and domain == 'all' "
     "and prevalence >= .05 and labels >= 200"),
    ("read, a group or a difference, prevalence >= .05 and >= 200 unread", "read > 0 "
     "and domain != 'all' and prevalence >= .05 and labels >= 200"),
    ("read, nothing unread", "read > 0 and labels == 0"),
    ("read, three unread positives", "read > 0 and labels == 100"),
    ("lognormal, 25 or 60 sources", "population == 'lognormal' and sources <= 60"),
    ("lognormal, 200 or 1,700 sources", "population == 'lognormal' and sources >= 200"),
    ("Pareto, size says nothing", "population == 'Pareto' and slope == 0"),
    ("Pareto, size goes with the code", "population == 'Pareto' and slope > 0"),
)  # fmt: skip


def summary(table: pd.DataFrame) -> str:
    """Return lowest and highest coverage by kind of cell, target, way and estimator, as text."""
    lines = []
    for title, which in SUMMARY:
        lines.append(title)
        keys = ["target", "way", "estimator"]
        for key, rows in table.query(which).groupby(keys, sort=True):
            low, high = rows["coverage"].min(), rows["coverage"].max()
            lines.append(f"  {', '.join(key)}: {100 * low:.1f} to {100 * high:.1f} %"
                         f" ({len(rows)} cells)")  # fmt: skip
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate and write the table, or say what is in it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--summary", action="store_true", help="print what the table says")
    options: Any = parser.parse_args(arguments)
    if options.summary:
        print(summary(pd.read_csv(options.table, sep="\t")))
        return 0
    table = coverage_table(tasks(options.replications), options.processes)
    write_table(options.table, table, decimals=4)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
