"""Print how long the main job takes: from a fresh clone, and with nothing to do.

Clones the repository into a scratch directory and runs `snakemake` there with the interpreter that
runs this script: `python benchmarks/run.py`. Figures are whole-process wall seconds and the largest
resident size of any child in MiB; machines are noisy, so it runs each several times and prints
minimum, median and maximum.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def timed(directory: Path) -> float:
    """Run the workflow in ``directory``; return wall seconds."""
    environment = os.environ | {"PYTHONPATH": str(directory / "workflow")}
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "snakemake"],
        cwd=directory, check=True, capture_output=True, env=environment,
    )  # fmt: skip
    return time.perf_counter() - begun


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    whole, idle = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="framing-benchmark-") as name:
            clone = Path(name) / "clone"
            subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
            whole.append(timed(clone))
            idle.append(timed(clone))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{'':24}{'min':>8}{'median':>8}{'max':>8}")
    for label, seconds in (("whole job, fresh clone", whole), ("nothing to do", idle)):
        figures = (min(seconds), statistics.median(seconds), max(seconds))
        print(f"{label:24}" + "".join(f"{figure:8.1f}" for figure in figures) + "  s")
    print(f"{'largest process':24}{peak:8.0f}  MiB")


if __name__ == "__main__":
    main()
