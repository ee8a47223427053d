"""How long it takes to code tables of passages, beside scikit-learn on the same tables.

`python benchmarks/classify.py` writes tables of made-up passages of 80 words (words of a passage of
the corpus by their counts, in random order, and now and then one that nobody has seen), codes them
by `framing classify` with one process and with two, and by scikit-learn with pandas: tf-idf and
logistic regression for two codes, once with one vectorizer for both and once with one each, as two
pipelines have. Every contender is a process of its own on one thread; processor time is that of all
its processes. Cue hits alone are timed in this process, after a first round.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

WORDS, SENTENCE, SEED = 80, 18, 20261201
TAUGHT = 1100  # passages that scikit-learn learns from, about as many as ours
UNSEEN = 0.01  # share of words that are new
CURLY = 0.35  # share of passages with typographic quotes
HITS = 5000  # passages that are searched for cues alone
CODES = ("equality", "control")


class Cost(NamedTuple):
    """What a process took: processor and wall seconds, MiB of its largest process."""

    processor: float
    wall: float
    memory: float


def bags_of_words(every: int = 8) -> list[list[str]]:
    """Return the words of passages of every so many-th shard, in alphabetical order."""
    bags = []
    for path in sorted((ROOT / "corpus" / "derived").glob("*.jsonl"))[::every]:
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            counts = row.get("counts", {}).items()
            bags.append([word for word, times in counts for _ in range(times)])
    return [bag for bag in bags if bag]


def made_up(number: int) -> list[str]:
    """Return so many passages without a sentence that anybody wrote."""
    chance = random.Random(SEED)
    bags = bags_of_words()
    return [_passage(chance, chance.choice(bags)) for _ in range(number)]


def _passage(chance: random.Random, bag: list[str]) -> str:
    words = [
        f"{chance.choice(bag)}{chance.choice('abcde')}{chance.randrange(10**6)}"
        if chance.random() < UNSEEN
        else chance.choice(bag)
        for _ in range(WORDS)
    ]
    for place in range(WORDS):
        if place % SENTENCE == 0:
            words[place] = words[place].capitalize()
        if place % SENTENCE == SENTENCE - 1 or place == WORDS - 1:
            words[place] += "."
        elif chance.random() < 0.06:
            words[place] += ","
    text = " ".join(words)
    return f"\u201c{text}\u201d" if chance.random() < CURLY else text


def write_table(path: Path, passages: list[str], rows: int) -> None:
    """Write a CSV of so many rows; where there are more than passages, their order is turned."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["id", "text"])
        for row in range(rows):
            turn, place = divmod(row, len(passages))
            text = passages[place]
            if turn:  # another passage of the same words
                half = text.find(". ", 60 + 40 * turn) + 2
                text = f"{text[half:]} {text[:half].strip()}"
            writer.writerow([f"p{row}", text])


def teach(passages: list[str], path: Path) -> None:
    """Fit what scikit-learn codes by, and keep it in ``path``."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    codes = np.random.default_rng(SEED).random((len(passages), len(CODES))) < 0.2
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2)
    words = vectorizer.fit_transform(passages)
    models = [LogisticRegression().fit(words, codes[:, n]) for n in range(len(CODES))]
    path.write_bytes(pickle.dumps((vectorizer, models)))


def by_sklearn(model: Path, source: Path, target: Path, *, apart: bool) -> None:
    """Code a CSV by scikit-learn, read and written by pandas; ``apart`` is a vectorizer a code."""
    import pandas as pd

    vectorizer, models = pickle.loads(model.read_bytes())  # written a moment ago
    table = pd.read_csv(source)
    words = None
    for code, one in zip(CODES, models, strict=True):
        words = vectorizer.transform(table["text"]) if words is None or apart else words
        chances = one.predict_proba(words)[:, 1]
        table[f"{code}_probability"] = chances.round(6)
        table[code] = (chances >= 0.5).astype(int)
    table.to_csv(target, index=False)


def measured(argv: list[str]) -> Cost:
    """Run a process to its end; return what it took."""
    single = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
    environment = {**os.environ, **single, "PYTHONPATH": str(ROOT / "workflow")}
    begun = time.perf_counter()
    process = subprocess.Popen(argv, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    with process:
        said = process.stderr.read() if process.stderr else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(said.decode())
    wall = time.perf_counter() - begun
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def hits_alone(passages: list[str]) -> float:
    """Return milliseconds of processor time that the cue hits of a passage take."""
    from framing.classifier.apply import prose
    from framing.codebook.codebook import load_codebook
    from framing.codebook.cues import compile_cues, pattern_hits

    compiled = compile_cues(load_codebook(ROOT / "corpus/codebook/codebook.yaml"), tried=True)
    texts = [prose(text) for text in passages]
    for _ in range(2):  # the first compiles patterns and meets words
        begun = time.process_time()
        for text in texts:
            pattern_hits(compiled, text)
    return (time.process_time() - begun) / len(texts) * 1000


def contenders(home: Path, source: Path) -> dict[str, tuple[list[str], Path]]:
    """Return by name the command that codes ``source``, and what it writes."""
    ours = [sys.executable, "-m", "framing.cli", "classify", str(source), "--quiet"]
    theirs = [sys.executable, __file__, "--by", str(home / "model"), str(source)]
    found: dict[str, tuple[list[str], Path]] = {}
    for name, argv in {
        "framing, 1 process": [*ours, "--jobs", "1", "-o"],
        "framing, 2 processes": [*ours, "--jobs", "2", "-o"],
        "scikit-learn, one vectorizer": [*theirs, "one"],
        "scikit-learn, two pipelines": [*theirs, "two"],
    }.items():
        target = home / f"coded-{len(found)}.csv"
        found[name] = ([*argv, str(target)], target)
    return found


def check(source: Path, coded: list[Path], every: int) -> None:
    """Stop where both runs of ours differ, or a row is not what one passage at a time gives."""
    from framing.classifier.apply import code_text, load_instrument

    first, second, *others = coded
    if first.read_bytes() != second.read_bytes():
        raise SystemExit("one process and two do not write the same")
    instrument = load_instrument()
    with source.open(encoding="utf-8", newline="") as given, first.open(newline="") as ours:
        pairs = zip(csv.DictReader(given), csv.DictReader(ours), strict=True)
        for number, (row, own) in enumerate(pairs):
            if (own["id"], own["text"], own["problem"]) != (row["id"], row["text"], ""):
                raise SystemExit(f"row {number + 1} is not the one given")
            if number % every:
                continue
            for code, said in code_text(instrument, row["text"]).items():
                wanted: dict[str, Any] = said.cells(code)
                shown = {name: f"{one:.6f}" if isinstance(one, float) else str(one)
                         for name, one in wanted.items()}  # fmt: skip
                if {name: own[name] for name in shown} != shown:
                    raise SystemExit(f"row {number + 1} is coded otherwise")
    for path in others:
        with path.open(newline="") as stream:
            if sum(1 for _ in csv.reader(stream)) != sum(1 for _ in csv.reader(source.open())):
                raise SystemExit(f"{path} has other rows")


def run(rows: list[int], every: int, hits: int) -> None:
    """Print what each contender took, by number of rows, and what cue hits take."""
    passages = made_up(min(max(rows), 50_000))
    print("| passages | by | processor s | wall s | MiB | µs a passage (processor) |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="framing-benchmark-") as name:
        home = Path(name)
        teach(passages[:TAUGHT], home / "model")
        for number in rows:
            source = home / f"{number}.csv"
            write_table(source, passages, number)
            runs = contenders(home, source)
            for label, (argv, target) in runs.items():
                target.unlink(missing_ok=True)
                cost = measured(argv)
                print(
                    f"| {number:,} | {label} | {cost.processor:.1f} | {cost.wall:.1f} "
                    f"| {cost.memory:.0f} | {cost.processor / number * 1e6:.0f} |",
                    flush=True,
                )
            check(source, [target for _, target in runs.values()], every)
            source.unlink()
    print(f"\ncue hits alone: {hits_alone(passages[:hits]):.3f} ms a passage")


def main(argv: list[str] | None = None) -> None:
    """Measure, or (``--by``) be what is measured."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000],
                        help="default: 10000 100000; 1000000 takes some ten minutes")  # fmt: skip
    parser.add_argument("--check-every", type=int, default=997, help="rows checked one by one")
    parser.add_argument("--hits", type=int, default=HITS, help="passages searched for cues alone")
    parser.add_argument("--by", nargs=4, metavar=("MODEL", "SOURCE", "KIND", "TARGET"),
                        help=argparse.SUPPRESS)  # fmt: skip
    asked = parser.parse_args(argv)
    os.chdir(ROOT)
    if asked.by:
        model, source, kind, target = asked.by
        by_sklearn(Path(model), Path(source), Path(target), apart=kind == "two")
        return
    run(asked.rows, asked.check_every, asked.hits)


if __name__ == "__main__":
    main()
