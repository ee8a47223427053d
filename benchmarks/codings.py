"""How long it takes to import codings by id, on a made-up project: prints rows and seconds.

`python benchmarks/codings.py` has 100,000 passages of a thousand sources, all of them drawn, each
coded for every code of the example's codebook, in a CSV. What is measured is the whole command
`framing codings import`, from its start to the files written.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from framing.codebook.codebook import written_codebook  # noqa: E402
from framing.common.files import sha256, write_table  # noqa: E402  # found only now
from framing.common.paths import CODEBOOK, CODERS, CODINGS, PASSAGES, SAMPLE, SOURCES  # noqa: E402
from framing.corpus.tables import passage_id  # noqa: E402

EXAMPLE = ROOT / "examples" / "mini"
SOURCE_NUMBER, LENGTH, SEED = 1000, 400, 20261130


def make_project(home: Path, passages: int) -> Path:
    """Write a project with so many drawn passages to ``home``; return a CSV of their codings."""
    shutil.copytree(EXAMPLE / "config", home / "config")
    shutil.copytree(EXAMPLE / "corpus" / "codebook", home / "corpus" / "codebook")
    (home / CODINGS).mkdir()
    header = (EXAMPLE / SOURCES).read_text(encoding="utf-8").split("\n", 1)[0].split("\t")
    first = {"group": "council", "date_precision": "unknown", "words": "1", "sha256": sha256("")}
    rows = [dict.fromkeys(header, "") | first | {"source_id": f"source-{n}"}
            for n in range(SOURCE_NUMBER)]  # fmt: skip
    sources = pd.DataFrame(rows, columns=header)
    write_table(home / SOURCES, sources)
    own = pd.DataFrame({"number": np.arange(passages)})
    own["source_id"] = [f"source-{n % SOURCE_NUMBER}" for n in own["number"]]
    own["start"] = own["number"] // SOURCE_NUMBER * LENGTH
    own["end"] = own["start"] + LENGTH
    own["words"] = 60
    places = own[["source_id", "start", "end"]].itertuples(index=False)
    own.insert(0, "passage_id", [passage_id(*place) for place in places])
    write_table(home / PASSAGES, own.drop(columns="number"))
    design = {"stratum": "all", "stratum_size": passages, "stratum_sampled": passages,
              "inclusion_probability": 1.0}  # fmt: skip
    write_table(home / SAMPLE, own[["passage_id"]].assign(**design))
    coders = (EXAMPLE / CODERS).read_text(encoding="utf-8").split("\n", 1)[0]
    (home / CODERS).write_text(f"{coders}\n", encoding="utf-8")
    random = np.random.default_rng(SEED)
    codings = own[["passage_id"]].copy()
    for code in written_codebook(home / CODEBOOK).codes:
        codings[code] = np.where(random.random(passages) < 0.2, "yes", "no")
    path = home / "codings.csv"
    codings.sample(frac=1, random_state=SEED).to_csv(path, index=False)
    return path


def main() -> None:
    """Print how many seconds each run took."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    command = ["import", "codings.csv", "--coder", "ann", "--kind", "human", "--yes", "yes",
               "--no", "no"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    seconds = []
    for _ in range(asked.runs):
        with tempfile.TemporaryDirectory() as name:
            home = Path(name) / "project"
            make_project(home, asked.passages)
            began = time.monotonic()
            subprocess.run(
                [sys.executable, "-m", "framing.cli", "codings", *command],
                cwd=home, env=environment, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            seconds.append(time.monotonic() - began)
            lines = (home / CODINGS / "ann.tsv").read_text(encoding="utf-8").count("\n")
            assert lines == asked.passages + 1
    seconds.sort()
    middle = seconds[len(seconds) // 2]
    print(f"{asked.passages:,} passages by id: seconds min {seconds[0]:.1f}, median {middle:.1f}, "
          f"max {seconds[-1]:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
