"""Print how long a run takes after one source has joined the corpus.

Clones the repository into a scratch directory, runs `snakemake` there, and times the next one after
`framing add` has let a made-up text of some 3,000 words join: `python benchmarks/grow.py`. Every
run begins from the same finished clone. Wall and processor seconds of the whole of Snakemake;
minimum, median and maximum, as machines are noisy. Texts of the corpus are looked for beside the
clone only, so that facts are read, not recomputed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WHO = ("NATO", "Russia", "Moscow", "The Alliance", "Every Russian delegate", "A NATO envoy")
DID = ("asked for", "spoke of", "put off", "counted on", "wrote against", "came back to")
WHAT = ("a table at which all have a seat", "a veto over what others decide", "rules for all",
        "the right to be heard first", "a line that nobody may cross")  # fmt: skip
LAST = ("and nobody was surprised", "as the minutes say", "which settled nothing", "once more")


def essay(paragraphs: int = 30, seed: int = 1) -> str:
    """Return a text of so many paragraphs of about a hundred words on NATO and Russia."""
    chance = random.Random(seed)
    parts = []
    for _ in range(paragraphs):
        sentences = [
            f"{chance.choice(WHO)} {chance.choice(DID)} {chance.choice(WHAT)} in talks of "
            f"NATO and Russia number {chance.randrange(10_000)}, {chance.choice(LAST)}."
            for _ in range(5)
        ]
        parts.append(" ".join(sentences))
    return "\n\n".join(parts) + "\n"


def run(directory: Path, *arguments: str) -> tuple[float, float, str]:
    """Run a Python module in a checkout; return wall and processor seconds and what it said."""
    environment = os.environ | {"PYTHONPATH": str(directory / "workflow")}
    begun, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=directory, check=True, text=True, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    wall, now = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return wall, spent, done.stdout


def main() -> None:
    """Print the figures, and which rules ran."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="framing-benchmark-") as name:
        finished, text = Path(name) / "finished", Path(name) / "essay.txt"
        text.write_text(essay(), encoding="utf-8")
        subprocess.run(["git", "clone", "-q", str(ROOT), str(finished)], check=True)
        whole = run(finished, "snakemake")
        figures, said = [], ""
        for number in range(runs):
            # As many folders deep as the first: Snakemake knows files by their relative paths.
            clone = Path(name) / f"grown-{number}"
            shutil.copytree(finished, clone)
            told = ["--title", "A made-up essay", "--group", "analyst", "--date", "2012-05-01"]
            run(clone, "framing.cli", "add", str(text), *told)
            *seconds, said = run(clone, "snakemake")
            figures.append(seconds)
            shutil.rmtree(clone)
    print(f"{'':32}{'min':>8}{'median':>8}{'max':>8}")
    print(f"{'whole job, wall / processor':32}{whole[0]:8.1f} / {whole[1]:.1f}  s, once")
    for label, values in zip(("wall", "processor"), zip(*figures, strict=True), strict=True):
        row = (min(values), statistics.median(values), max(values))
        print(f"{'after a source joined, ' + label:32}"
              + "".join(f"{figure:8.1f}" for figure in row) + "  s")  # fmt: skip
    rules = re.findall(r"(?m)^(\w+) +\d+$", said)
    print("rules that ran:", *(rule for rule in rules if rule not in ("all", "total")))


if __name__ == "__main__":
    main()
