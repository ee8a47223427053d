"""How long the whole job takes on made-up projects of many sources, and how much memory.

`python benchmarks/whole.py 10000 100000` makes projects of so many passages, ten a source, with the
codebook and the configuration of this repository, a thousand passages coded by two coders, facts in
the store and no text; runs `snakemake` in each from nothing, again with nothing to do, and again
after one source has joined. Passages are made as in `benchmarks/classify.py`; a passage carries a
code where a cue for it hits, most of the time. Printed are wall and processor seconds, and the peak
resident memory of the largest process and of all together, sampled four times a second.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT)]

from benchmarks.classify import made_up  # noqa: E402  # found only now
from benchmarks.grow import essay  # noqa: E402

from framing.codebook.codebook import Codebook, load_codebook  # noqa: E402
from framing.codebook.hits import cue_and_pattern  # noqa: E402
from framing.common.config import load_config  # noqa: E402
from framing.common.files import sha256, write_table, write_text  # noqa: E402
from framing.common.paths import (  # noqa: E402
    CODEBOOK,
    CODERS,
    CODINGS,
    CONFIG,
    PASSAGES,
    SAMPLE,
    SOURCES,
)
from framing.corpus.facts import deriver  # noqa: E402
from framing.corpus.store import Shard, shard_path  # noqa: E402
from framing.corpus.tables import (  # noqa: E402
    PASSAGE_COLUMNS,
    SAMPLE_COLUMNS,
    SOURCE_COLUMNS,
    passage_id,
)

SEED, PER_SOURCE, CODED, BAGS = 20261201, 10, 1000, 20_000
ERRS = 0.1  # so often a coder says the other thing
RARE = 0.03  # so many passages without a cue carry a code


class Cost(NamedTuple):
    """What a run took: wall and processor seconds, MiB of the largest process and of all."""

    wall: float
    processor: float
    largest: float
    together: float


# --- a project ------------------------------------------------------------------------------------


def make_project(folder: Path, number: int) -> None:
    """Write a project of so many passages into ``folder``."""
    chance = random.Random(SEED + number)
    config = _config()
    (folder / "config").mkdir(parents=True)
    text = yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
    write_text(folder / CONFIG, text)
    codebook = load_codebook(ROOT / CODEBOOK)
    (folder / CODEBOOK).parent.mkdir(parents=True)
    shutil.copy(ROOT / CODEBOOK, folder / CODEBOOK)
    sources, passages, carried = _corpus(folder, number, codebook, config, chance)
    write_table(folder / SOURCES, sources)
    write_table(folder / PASSAGES, passages)
    sample = _sample(sources, passages, chance)
    write_table(folder / SAMPLE, sample)
    coders = ["coder-a", "coder-b"]
    told = pd.DataFrame({"coder": coders, "kind": "machine", "codebook": str(codebook.version)})
    told = told.assign(description="made up", model="made up")
    write_table(folder / CODERS, told)
    for coder in coders:
        rows = [
            {"passage_id": name, "coder": coder}
            | {
                code: int((code in carried[name]) ^ (chance.random() < ERRS))
                for code in codebook.codes
            }
            | {"unsure": 0}
            for name in sample["passage_id"]
        ]
        write_table(folder / CODINGS / f"{coder}.tsv", pd.DataFrame(rows))


def _config() -> dict[str, Any]:
    config = dict(load_config(ROOT / CONFIG)) | {"case_study": "source-000000"}
    rules = config["units"]["scope"]["rules"]
    config["units"]["scope"]["rules"] = [one for one in rules if "source_id" not in one["where"]]
    config["corpus"]["texts"] = ["corpus/texts"]
    return config


def _corpus(
    folder: Path, number: int, codebook: Codebook, config: dict[str, Any], chance: random.Random
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, set[str]]]:
    """Write facts; return sources, passages, and the codes that each passage carries."""
    facts_of = deriver(codebook)
    votes = {cue.name: [c for c, v in cue.votes.items() if v > 0] for cue in codebook.cues}
    groups, periods = list(config["groups"]), config["periods"]
    first, last = periods[0]["first"], periods[-1]["last"]
    sources, passages, carried = [], [], {}

    def all_facts() -> Iterator[dict[str, Any]]:
        for place in range(number // PER_SOURCE):
            name = f"source-{place:06d}"
            text, own = _source(name, bags, chance)
            year = chance.randrange(first, last + 1) if chance.random() < 0.9 else ""
            sources.append(
                dict.fromkeys(SOURCE_COLUMNS, "")
                | {
                    "source_id": name,
                    "title": name,
                    "group": groups[place % len(groups)],
                    "date": year,
                    "date_precision": "year" if year else "unknown",
                    "words": len(text.split()),
                    "sha256": sha256(text),
                }
            )
            passages.append(own)
            facts = facts_of(name, text, own)
            for row in facts["passages"]:
                hit = {cue_and_pattern(key)[0] for key in row["hits"]}
                codes = {code for cue in hit for code in votes[cue] if chance.random() < 0.8}
                codes |= {code for code in codebook.codes if chance.random() < RARE}
                carried[row["passage_id"]] = codes
            yield facts

    bags = made_up(min(number, BAGS))
    _write_facts(folder, all_facts())
    return pd.DataFrame(sources), pd.concat(passages, ignore_index=True), carried


def _source(name: str, bags: list[str], chance: random.Random) -> tuple[str, pd.DataFrame]:
    """Return a text of :data:`PER_SOURCE` passages, two of them mixed of others' halves each."""
    parts = []
    for _ in range(PER_SOURCE):
        one, two = chance.choice(bags).split(), chance.choice(bags).split()
        parts.append(" ".join(one[: len(one) // 2] + two[len(two) // 2 :]))
    rows, at = [], 0
    for part in parts:
        end = at + len(part)
        rows.append((passage_id(name, at, end), name, at, end, len(part.split())))
        at = end + 2
    return "\n\n".join(parts) + "\n", pd.DataFrame(rows, columns=list(PASSAGE_COLUMNS))


def _write_facts(folder: Path, facts: Iterator[dict[str, Any]]) -> None:
    shards: dict[Path, Shard] = {}
    for one in facts:
        shards.setdefault(shard_path(one["source_id"]), Shard()).put(one)
    for path, shard in shards.items():
        write_text(folder / path, shard.text())


def _sample(sources: pd.DataFrame, passages: pd.DataFrame, chance: random.Random) -> pd.DataFrame:
    """Return a sample stratified by group."""
    group = dict(zip(sources["source_id"], sources["group"], strict=True))
    places = passages.groupby(passages["source_id"].map(group)).indices
    rows, ids = [], passages["passage_id"].tolist()
    for name, own in places.items():
        number = min(len(own), CODED // len(places))
        drawn = sorted(chance.sample(list(own), number))
        rows += [(ids[n], name, len(own), number, f"{number / len(own):.6f}") for n in drawn]
    return pd.DataFrame(rows, columns=list(SAMPLE_COLUMNS))


# --- runs -----------------------------------------------------------------------------------------


def run(folder: Path, argv: list[str], log: Path) -> Cost:
    """Run a Python module in a project to its end; raises with what it said where it fails."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow")}
    begun = time.perf_counter()
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *argv], cwd=folder, env=environment,
            stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        peaks, over = [0.0, 0.0], threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, peaks, over))
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        over.set()
        watch.join()
    if status:
        raise SystemExit(f"{' '.join(argv)} failed:\n{log.read_text(encoding='utf-8')[-3000:]}")
    return Cost(time.perf_counter() - begun, used.ru_utime + used.ru_stime, *peaks)


def _watch(session: int, peaks: list[float], over: threading.Event) -> None:
    while not over.wait(0.25):
        sizes = [_resident(place) for place in Path("/proc").glob("[0-9]*") if _in(place, session)]
        peaks[0], peaks[1] = max([peaks[0], *sizes]), max(peaks[1], sum(sizes))


def _in(place: Path, session: int) -> bool:
    try:
        said = (place / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return said.rpartition(")")[2].split()[3] == str(session)


def _resident(place: Path) -> float:
    try:
        pages = int((place / "statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Make projects and print what runs in them take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("passages", type=int, nargs="+")
    parser.add_argument("--keep", type=Path, help="make the projects here, and leave them")
    parser.add_argument("--only", choices=["make", "run"], help="do only this part")
    parser.add_argument("--cores", default="2")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = arguments.keep or Path(scratch)
        print("passages | what | wall s | processor s | MiB largest | MiB together")
        for number in arguments.passages:
            folder = base / str(number)
            if arguments.only != "run":
                shutil.rmtree(folder, ignore_errors=True)
                make_project(folder, number)
            if arguments.only != "make":
                _runs(folder, number, arguments.cores)


def _runs(folder: Path, number: int, cores: str) -> None:
    job = ["snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", cores, "--quiet", "all",
           "--profile", str(ROOT / "profiles" / "default")]  # fmt: skip
    shutil.rmtree(folder / "build", ignore_errors=True)
    shutil.rmtree(folder / "results", ignore_errors=True)
    log = folder / "said.txt"
    _print(number, "from nothing", run(folder, job, log))
    _print(number, "nothing to do", run(folder, job, log))
    write_text(folder / "joins.txt", essay())
    add = ["framing.cli", "add", "joins.txt", "--title", "Made up", "--group", "russia",
           "--date", "2009"]  # fmt: skip
    _print(number, "adding one source", run(folder, add, log))
    _print(number, "after it joined", run(folder, job, log))


def _print(number: int, what: str, cost: Cost) -> None:
    print(number, what, *(f"{figure:.1f}" for figure in cost), sep=" | ", flush=True)


if __name__ == "__main__":
    main()
