"""The floors under the classifier's quality, and how they may be moved.

``python -m tests.quality.floors`` raises the floors to what results/tables/T3-classifier.csv says
now and binds them to the codings and the codebook it was made from. It refuses to lower one;
``--lower REASON`` lowers, and keeps the reason beside the floors for good.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FLOORS = Path(__file__).with_name("floors.json")
MEASURES = ("average_precision", "f1")
BOUND = ("codings", "codebook")


def measured(root: Path) -> dict[str, dict[str, float]]:
    """Return the project's own method's figures on unread passages, by code, cut to two decimals.

    Those of read passages are optimistic, and would reward cues that fit what was read.
    """
    with (root / "results/tables/T3-classifier.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    first = rows[0]["method"]
    return {
        row["code"]: {name: math.floor(100 * float(row[name])) / 100 for name in MEASURES}
        for row in rows
        if (row["method"], row["part"], row["group"]) == (first, "unread", "all")
    }


def digests(root: Path) -> dict[str, str]:
    """Return the digests of what the figures were made from."""
    inputs = json.loads((root / "results/provenance.json").read_text(encoding="utf-8"))["inputs"]
    return {name: inputs[name]["sha256"] for name in BOUND}


def sunk(floors: dict[str, Any], now: dict[str, dict[str, float]]) -> list[str]:
    """Return, in words, every figure that lies below its floor or is gone."""
    return [
        f"{code}: {name} is {now.get(code, {}).get(name)}, its floor is {floor}"
        for code, named in floors["floors"].items()
        for name, floor in named.items()
        if now.get(code, {}).get(name, -1.0) < floor
    ]


def moved(
    floors: dict[str, Any], now: dict[str, dict[str, float]], made: dict[str, str], reason: str
) -> dict[str, Any]:
    """Return the floors after an update; raise ValueError where one would sink without a reason."""
    low = sunk(floors, now)
    if low and not reason:
        raise ValueError("; ".join(low))
    history = [*floors["lowered"], *([{"reason": reason, "what": low}] if low else [])]
    return {"digests": made, "floors": now, "lowered": history}


def main() -> int:
    """Update floors.json; return 1 where a floor would have to sink."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lower", default="", metavar="REASON", help="lower floors, saying why")
    reason = parser.parse_args().lower
    floors = json.loads(FLOORS.read_text(encoding="utf-8"))
    try:
        new = moved(floors, measured(ROOT), digests(ROOT), reason)
    except ValueError as error:
        sys.stderr.write(f"Refused, floors would sink: {error}\n")
        return 1
    FLOORS.write_text(json.dumps(new, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
