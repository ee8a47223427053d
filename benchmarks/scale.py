"""Print how long estimation takes on large corpora, and how much memory: 10^4 to 10^6 passages.

Makes up the tables that the rules of `workflow/rules/inference.smk` read (a hundred passages a
source on average, groups, periods, codes and combinations as configured, a stratified sample of
800 coded by three coders, always the same) in a scratch directory and runs the rules' scripts on
them, each as a process of its own, from reading tables to writing results:
`python benchmarks/scale.py`.

*estimation* is the rule `prevalence` (T4, T5, T6, T11, T19, T20, T21), one process. `regression`
(T10) and `robustness` (T9, T16) follow one by one where asked for by `--others`. Printed are wall
seconds (machines are noisy: minimum, median and maximum of `--runs`) and the peak resident size in
MiB. `--plain` leaves the combinations of codes out, and with them the contrasts that need one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / "workflow"
sys.path.insert(0, str(WORKFLOW))

from framing.classifier.scores import SCORE_COLUMNS, with_combinations  # noqa: E402
from framing.coding.codings import combine_coders  # noqa: E402  # found only now
from framing.common.build import survey_table  # noqa: E402
from framing.common.config import OURS, load_config, read_yaml  # noqa: E402
from framing.corpus.tables import period_of  # noqa: E402

SIZES = (10_000, 100_000, 1_000_000)
PER_SOURCE = 100
DRAWN = 800
CODERS = ("coder-a", "coder-b", "coder-c")
SEED = 19970527
STAGE = "prevalence"
OTHERS = ("regression", "robustness")

# Stands where Snakemake would: gives a script the object `snakemake`, and runs it.
_RUNNER = """
import json, runpy, sys
class Files(dict):
    __getattr__ = dict.__getitem__
class Job:
    def __init__(self, given):
        self.input, self.output = Files(given["input"]), given["output"]
        self.params, self.log = Files(given["params"]), given["log"]
with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
runpy.run_path(given["script"], {"snakemake": Job(given)})
"""


# --- tables ---------------------------------------------------------------------------------------


def sources_table(
    random: np.random.Generator, number: int, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return ``number`` sources in the columns of ``corpus/sources.tsv``; some without a date."""
    groups, periods = list(config["groups"]), config["periods"]
    first, last = periods[0]["first"], periods[-1]["last"]
    year = random.integers(first, last + 1, number)
    dated = random.random(number) < 0.9
    names = [f"source-{n:06d}" for n in range(number)]
    return pd.DataFrame(
        {
            "source_id": names,
            "title": names,
            "speaker": "",
            "actor": "",
            "group": np.array(groups)[np.arange(number) % len(groups)],
            "date": [str(y) if given else "" for y, given in zip(year, dated, strict=True)],
            "date_precision": np.where(dated, "year", "unknown"),
            "genre": "",
            "words": 6000,
            "url": "",
            "rights": "",
            "retrieved_from": "",
            "sha256": "0" * 64,
        }
    )


def passages_table(
    random: np.random.Generator, number: int, sources: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Return ``number`` passages of sources of unequal length, not yet sampled."""
    weight = random.lognormal(0, 0.8, len(sources))
    size = 1 + random.multinomial(number - len(sources), weight / weight.sum())
    of_source = np.repeat(np.arange(len(sources)), size)
    begun = np.arange(number) - np.repeat(np.cumsum(size) - size, size)
    period = [
        period_of(date, config["periods"], config["undated"]) for date in sources["date"]
    ]  # fmt: skip
    return pd.DataFrame(
        {
            "passage_id": [f"{(n * 2654435761) % 2**32:08x}{n % 256:02x}" for n in range(number)],
            "source_id": sources["source_id"].to_numpy()[of_source],
            "group": sources["group"].to_numpy()[of_source],
            "period": np.array(period)[of_source],
            "start": 500 * begun,
            "end": 500 * begun + 499,
            "words": random.integers(12, 110, number),
        }
    )


def invented(random: np.random.Generator, source: np.ndarray, folds: int) -> pd.DataFrame:
    """Return one code's ``truth fold probability decision`` (N,), alike within a ``source``."""
    base = random.normal(-2.0, 0.8, int(source.max()) + 1)[source]
    truth = random.random(len(source)) < 1 / (1 + np.exp(-base))
    score = base + 2.2 * truth + random.normal(-0.5, 1.0, len(source))
    probability = np.round(1 / (1 + np.exp(-score)), 6)
    return pd.DataFrame(
        {
            "truth": truth.astype(int),
            "fold": source % folds,
            "probability": probability,
            "decision": (probability >= 0.4).astype(int),
        }
    )


def sampled(
    random: np.random.Generator, passages: pd.DataFrame, decision: np.ndarray
) -> pd.DataFrame:
    """Return the passage frame with a sample of :data:`DRAWN`, within group and ``decision``."""
    stratum = passages["group"].astype(object) + np.where(decision == 1, "/yes", "/no")
    places = stratum.groupby(stratum).indices
    columns: dict[str, Any] = {
        name: np.full(len(passages), np.nan)
        for name in ("stratum_size", "stratum_sampled", "weight", "random_share")
    }
    named = np.full(len(passages), None, dtype=object)
    for name, rows in places.items():
        number = min(len(rows), DRAWN // len(places))
        drawn = random.choice(rows, number, replace=False)
        named[drawn] = name
        columns["stratum_size"][drawn] = len(rows)
        columns["stratum_sampled"][drawn] = number
        columns["weight"][drawn] = len(rows) / number
        columns["random_share"][drawn] = 1.0
    frame = passages.assign(stratum=named, **columns, estimable=True, design_status="")
    frame = frame.assign(
        role=np.where(frame["weight"].notna(), "development", ""), read_weight=frame["weight"],
        unread_frame=False,
    )  # fmt: skip
    return frame.astype({"stratum_size": "Int64", "stratum_sampled": "Int64"})


def codings_table(
    random: np.random.Generator, drawn: pd.Series, truths: Mapping[str, pd.Series]
) -> pd.DataFrame:
    """Return what :data:`CODERS` say of the ``drawn`` passages: wrong one time in twenty."""
    parts = [
        pd.DataFrame(
            {
                "passage_id": drawn,
                "coder": coder,
                "code": code,
                "value": truth.to_numpy() ^ (random.random(len(drawn)) < 0.05),
                "unsure": (random.random(len(drawn)) < 0.1).astype(int),
            }
        )
        for coder in CODERS
        for code, truth in truths.items()
    ]
    return pd.concat(parts, ignore_index=True)


def write_tables(
    folder: Path, number: int, config: Mapping[str, Any], codes: Mapping[str, str]
) -> None:
    """Write tables of ``number`` passages into ``folder``; ``codes`` are ids and labels."""
    random = np.random.default_rng(SEED + number)
    sources = sources_table(random, number // PER_SOURCE, config)
    passages = passages_table(random, number, sources, config)
    source, _ = pd.factorize(passages["source_id"])
    folds = config["classifier"]["folds"]
    said = {code: invented(random, source, folds) for code in codes}
    frame = sampled(random, passages, next(iter(said.values()))["decision"].to_numpy())
    drawn = frame["weight"].notna()
    truths = {code: table.loc[drawn, "truth"] for code, table in said.items()}
    codings = codings_table(random, frame.loc[drawn, "passage_id"], truths)
    labels = combine_coders(codings, config["coders"]).set_index(["code", "passage_id"])["label"]
    parts = []
    for code, table in said.items():
        own = frame["passage_id"].map(labels.loc[code].to_dict())
        table = table.assign(passage_id=frame["passage_id"], code=code, unfamiliar=0)
        parts.append(table.assign(label=own.astype("Int64"))[list(SCORE_COLUMNS)])
    for code, part in zip(said, parts, strict=True):
        _write(folder / "scores" / f"{code}.tsv", part)
    scores = pd.concat(parts, ignore_index=True)
    scores = with_combinations(scores, config["combinations"])
    _write(folder / "corpus" / "sources.tsv", sources)
    _write(folder / "passages.tsv", survey_table(frame))
    _write(folder / "codings.tsv", codings)
    _write(folder / "scores.tsv", scores)
    _write(folder / "codes.tsv", pd.DataFrame({"code": list(codes), "label": codes.values()}))
    methods = [name for name in config["robustness"]["classifiers"] if name != OURS]
    for code in said:
        alike = [
            invented(random, source, folds)[["probability", "decision"]].assign(
                method=method, passage_id=frame["passage_id"], code=code
            )
            for method in methods
        ]
        table = pd.concat(alike) if alike else pd.DataFrame(columns=["probability", "decision"])
        _write(folder / "predictions" / f"{code}.tsv", table)


def made_apart(
    folder: Path, number: int, config: Mapping[str, Any], codes: Mapping[str, str]
) -> None:
    """Do what :func:`write_tables` does in a process of its own.

    A process that is started begins with the resident size of the one that starts it, and keeps it
    as its peak: had the tables been made here, that is what would be measured.
    """
    maker = get_context("spawn").Process(target=write_tables, args=(folder, number, config, codes))
    maker.start()
    maker.join()
    if maker.exitcode:
        raise RuntimeError(f"no tables of {number} passages could be made")


def _write(path: Path, frame: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, sep="\t", index=False, float_format="%.6f", lineterminator="\n")


# --- measuring ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """Wall seconds and peak resident MiB of a process."""

    seconds: float
    size: float


def job(name: str, folder: Path, config: Mapping[str, Any], codes: Sequence[str]) -> Path:
    """Write down what Snakemake would hand to the script ``name``; return the file."""
    here = {
        "passages": "passages.tsv", "scores": "scores.tsv", "codes": "codes.tsv",
        "codings": "codings.tsv", "predictions": "predictions/{code}.tsv",
    }  # fmt: skip
    if name != STAGE:
        here["scores"] = "scores/{code}.tsv"
    inputs = {
        file: [str(folder / path.format(code=code)) for code in codes]
        if "{code}" in path
        else str(folder / path)
        for file, path in here.items()
    }
    given = {
        "script": str(WORKFLOW / "scripts" / "make_tables.py"),
        "input": inputs,
        "output": [],
        "params": {"job": name, "caveat": "", "config": config, "codes": list(codes)},
        "log": [str(folder / f"{name}.log")],
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    return path


def measured(job: Path) -> Measured:
    """Run a job in its folder, as in a project's; raise :class:`RuntimeError` where it fails."""
    environment = os.environ | {"PYTHONPATH": str(WORKFLOW), "OMP_NUM_THREADS": "1"}
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _RUNNER, str(job)], env=environment, cwd=job.parent
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{job} failed")
    return Measured(time.perf_counter() - begun, usage.ru_maxrss / 1024)


def line(number: int, label: str, found: Sequence[Measured]) -> str:
    """Return one row of what is printed."""
    seconds = [one.seconds for one in found]
    figures = (min(seconds), statistics.median(seconds), max(seconds))
    cells = "".join(f"{figure:8.1f}" for figure in figures)
    return f"{number:>10,}  {label:28}{cells}{max(one.size for one in found):8.0f}"


def without_combinations(config: Mapping[str, Any], codes: Sequence[str]) -> dict[str, Any]:
    """Return the configuration without combinations of codes, and contrasts that need one."""
    kept = [
        entry for entry in config["contrasts"]
        if entry["a"]["code"] in codes and entry["b"]["code"] in codes
    ]  # fmt: skip
    return {**config, "combinations": {}, "contrasts": kept}


def main() -> None:
    """Make the tables and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--plain", action="store_true", help="no combinations of codes")
    parser.add_argument(
        "--others", nargs="*", default=[], choices=OTHERS, help="measure these rules as well"
    )
    parser.add_argument("--scratch", type=Path, help="keep the tables there, for profiling")
    asked = parser.parse_args()
    config = load_config(ROOT / "config" / "config.yaml")
    book = read_yaml(ROOT / "corpus" / "codebook" / "codebook.yaml")["codes"]
    codes = {str(code): str(entry["label"]) for code, entry in book.items()}
    if asked.plain:
        config = without_combinations(config, list(codes))
    print(f"{'passages':>10}  {'':28}{'min':>8}{'median':>8}{'max':>8}{'MiB':>8}")
    with tempfile.TemporaryDirectory(prefix="framing-scale-") as name:
        for number in asked.sizes:
            folder = (asked.scratch or Path(name)) / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            made_apart(folder, number, config, codes)
            for rule in (STAGE, *asked.others):
                made = job(rule, folder, config, list(codes))
                found = [measured(made) for _ in range(asked.runs)]
                label = "estimation" if rule == STAGE else rule
                print(line(number, label, found), flush=True)


if __name__ == "__main__":
    main()
