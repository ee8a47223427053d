"""How long it takes to add a table of documents to a new project, and how much memory.

`python benchmarks/add_table.py` writes tables of made-up documents of 300 words, each sentence of
the words of one passage of the corpus (by their counts, in random order, now and then one that
nobody has seen), with several groups, dates and speakers. Of a hundred rows one is broken (no text,
a date that never was, an unknown group, an id that another row has), and of a thousand one repeats
an earlier row with some words changed. `framing add --table TABLE --skip` lets them join a project
that `framing init` has made, with the committed codebook and configuration. What it writes is held
against what the table is known to hold. Memory is that of all processes together (Linux: shared
pages are counted once).
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))
sys.path.insert(0, str(ROOT / "benchmarks"))

WORDS, SENTENCE, SEED = 300, 18, 20261202
UNSEEN = 0.01  # share of words that are new
BROKEN, COPIED = 100, 1000  # of so many rows one
CHANGED = 0.05  # share of words of a repeated text that are others
KINDS = ("text", "date", "group", "id")
GROUPS = ("russia", "allied", "analyst", "joint", "other")
DATES = ("{y}-{m:02}-{d:02}", "{d}.{m}.{y}", "{m:02}/{y}", "{y}", "c. {y}")
COLUMNS = ("doc_id", "title", "speaker", "group", "date", "text")


class Cost(NamedTuple):
    """What a command took: wall and processor seconds, MiB of all its processes together."""

    wall: float
    processor: float
    memory: float


def documents(rows: int, wrong: bool = True) -> Iterator[list[str]]:
    """Yield the rows of a table; with ``wrong`` some are broken, and some repeat others."""
    from classify import bags_of_words

    bags = bags_of_words(1)
    chance = random.Random(SEED)
    earlier = ""
    for row in range(rows):
        text = _text(chance, bags)
        when = chance.choice(DATES)
        date = when.format(y=chance.randint(1988, 2025), m=chance.randint(1, 12),
                           d=chance.randint(13, 28))  # fmt: skip
        fields = [f"d{row}", f"Remarks number {row}", f"Speaker {chance.randrange(200)}",
                  chance.choice(GROUPS), date, text]  # fmt: skip
        if wrong and row % BROKEN == BROKEN // 2:
            _break(fields, KINDS[row // BROKEN % len(KINDS)], row)
        elif wrong and row % COPIED == COPIED - 1:
            fields[5] = _changed(chance, earlier)
        elif row % COPIED == 10:
            earlier = text
        yield fields


def _text(chance: random.Random, bags: list[list[str]]) -> str:
    sentences = []
    for done in range(0, WORDS, SENTENCE):
        words = chance.choices(chance.choice(bags), k=min(SENTENCE, WORDS - done))
        words = [_new(chance, word) if chance.random() < UNSEEN else word for word in words]
        sentences.append(f"{' '.join(words).capitalize()}.")
    half = len(sentences) // 2
    # What the scope asks for stands in each passage, near enough.
    for place in range(0, len(sentences), 4):
        sentences[place] = f"NATO and Russia {sentences[place].lower()}"
    return f"{' '.join(sentences[:half])}\n{' '.join(sentences[half:])}"


def _new(chance: random.Random, word: str) -> str:
    return f"{word}{chance.choice('abcde')}{chance.randrange(10**6)}"


def _changed(chance: random.Random, text: str) -> str:
    return " ".join(
        _new(chance, "x") if chance.random() < CHANGED else word for word in text.split(" ")
    )


def _break(fields: list[str], kind: str, row: int) -> None:
    if kind == "id":
        fields[0] = f"d{row - 1}"
    else:
        place = COLUMNS.index(kind)
        fields[place] = {"text": "", "date": "2014-02-31", "group": "nobody"}[kind]


def write_table(path: Path, rows: int, wrong: bool = True) -> None:
    """Write a table of so many rows."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(documents(rows, wrong))


def new_project(folder: Path) -> None:
    """Make a project with the committed codebook and configuration, and no text."""
    framing(folder.parent, "init", str(folder))
    for name in ("corpus/codebook/codebook.yaml", "config/config.yaml"):
        shutil.copy(ROOT / name, folder / name)


def framing(here: Path, *arguments: str) -> None:
    """Run a command of framing to its end."""
    subprocess.run([sys.executable, "-m", "framing.cli", *arguments], cwd=here, check=True,
                   env=environment(), stdout=subprocess.DEVNULL)  # fmt: skip


def environment() -> dict[str, str]:
    """Return the environment of what is measured: one thread a process."""
    single = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
    return {**os.environ, **single, "PYTHONPATH": str(ROOT / "workflow")}


def measured(argv: list[str], here: Path, said: Path) -> tuple[Cost, int]:
    """Run a process to its end; return what it took, and its exit status."""
    begun = time.perf_counter()
    with said.open("wb") as out:
        process = subprocess.Popen(argv, cwd=here, env=environment(), stdout=out, stderr=out)
        most = [0.0]
        done = threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, most, done))
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        done.set()
        watch.join()
    wall = time.perf_counter() - begun
    return Cost(wall, used.ru_utime + used.ru_stime, max(most[0], used.ru_maxrss / 1024)), (
        process.returncode
    )


def _watch(pid: int, most: list[float], done: threading.Event) -> None:
    while not done.wait(0.25):
        most[0] = max(most[0], sum(_memory(one) for one in _family(pid)))


def _family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(name) for name in path.read_text().split()]
            except OSError:
                continue
    return found


def _memory(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def expected(rows: int) -> Counter[str]:
    """Return how many rows of a table are wrong, by kind."""
    kinds = Counter(KINDS[row // BROKEN % len(KINDS)] for row in range(BROKEN // 2, rows, BROKEN))
    kinds["copy"] = len(range(COPIED - 1, rows, COPIED))
    return +kinds


def check(project: Path, rows: int) -> None:
    """Stop where more or fewer rows joined than are sound."""
    joined = lines_in(project / "corpus/sources.tsv")
    wrong = sum(expected(rows).values())
    if joined != rows - wrong:
        raise SystemExit(f"{joined} of {rows} rows joined, {wrong} are wrong")
    if sum(1 for _ in (project / "corpus" / "texts").glob("*.txt")) != joined:
        raise SystemExit(f"there are not {joined} texts")


def lines_in(path: Path) -> int:
    """Return how many rows a table has."""
    with path.open(encoding="utf-8") as stream:
        return sum(1 for _ in stream) - 1


def run(rows: list[int], options: list[str], shown: bool) -> None:
    """Print what `framing add --table` takes, by number of rows."""
    print("| documents | passages | processor s | wall s | MiB | ms a document | lines printed |")
    print("|---|---|---|---|---|---|---|")
    for number in rows:
        with tempfile.TemporaryDirectory(prefix="framing-benchmark-") as name:
            home = Path(name)
            new_project(home / "project")
            write_table(home / "table.csv", number)
            argv = [sys.executable, "-m", "framing.cli", "add", "--table", "../table.csv", "--skip"]
            cost, _ = measured([*argv, *options], home / "project", home / "said")
            said = (home / "said").read_text(encoding="utf-8").splitlines()
            if shown:
                print(*said, sep="\n", file=sys.stderr)
            passages = lines_in(home / "project/corpus/passages.tsv")
            print(
                f"| {number:,} | {passages:,} | {cost.processor:.1f} | {cost.wall:.1f} "
                f"| {cost.memory:.0f} | {cost.processor / number * 1e3:.1f} | {len(said)} |",
                flush=True,
            )
            check(home / "project", number)


def main(argv: list[str] | None = None) -> None:
    """Measure, or (``--write``) only write a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000],
                        help="default: 1000 10000; 100000 takes some ten minutes")  # fmt: skip
    parser.add_argument("--write", type=Path, metavar="FILE", help="write a table, and no more")
    parser.add_argument("--sound", action="store_true", help="with --write: no row is broken")
    parser.add_argument("--shown", action="store_true", help="show what the command says")
    parser.add_argument("--option", action="append", default=[], help="of framing add")
    asked = parser.parse_args(argv)
    if asked.write:
        write_table(asked.write, asked.rows[0], not asked.sound)
        return
    run(asked.rows, asked.option, asked.shown)


if __name__ == "__main__":
    main()
