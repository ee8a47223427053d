"""Compare our passages with the frozen ones: how many have the very same start and end?

`python benchmarks/units.py TEXTS` cuts every source whose text lies in the folder TEXTS and prints,
by actor and for all: the frozen passages, how many of them come out with identical offsets, how
many are pieces of our splitter but left out by scope or as repeats, and how many we keep that
were not frozen. `--show N` lists N differences (offsets and reasons, no prose).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from framing.acquire.read.settings import reading_settings  # noqa: E402
from framing.acquire.read.units import cut_passages  # noqa: E402
from framing.common.config import read_yaml  # noqa: E402  # found only after the path is set
from framing.common.files import read_table, read_text  # noqa: E402

COLUMNS = ("frozen", "identical", "cut alike", "only ours")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("texts", type=Path, help="folder of <source_id>.txt")
    parser.add_argument("--corpus", type=Path, default=ROOT / "corpus")
    parser.add_argument("--settings", type=Path, default=ROOT / "config" / "config.yaml")
    parser.add_argument("--show", type=int, default=0, metavar="N")
    asked = parser.parse_args()
    units = reading_settings({"units": read_yaml(asked.settings)["units"]})["units"]
    sources = read_table(asked.corpus / "sources.tsv", (), extra=True)
    passages = read_table(asked.corpus / "passages.tsv", (), extra=True)
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
    lines = []
    for row in sources.to_dict("records"):
        source_id = row["source_id"]
        path = asked.texts / f"{source_id}.txt"
        if not path.is_file():
            print(f"no text: {source_id}", file=sys.stderr)
            continue
        cut = cut_passages(source_id, read_text(path), units, row)
        own = {(each.start, each.end) for each in cut.passages.itertuples()}
        left = {(each.start, each.end): each.reason for each in cut.left_out.itertuples()}
        frozen = {
            (int(each.start), int(each.end))
            for each in passages[passages["source_id"] == source_id].itertuples()
        }
        found = (len(frozen), len(frozen & own), len(frozen & (own | set(left))), len(own - frozen))
        for key in (row["actor"], "all"):
            counts[key] = [old + new for old, new in zip(counts[key], found, strict=True)]
        for start, end in sorted(frozen - own):
            lines.append(f"{source_id} {start}-{end}: {left.get((start, end), 'cut elsewhere')}")
        lines += [f"{source_id} {start}-{end}: only ours" for start, end in sorted(own - frozen)]
    print(f"{'':12}" + "".join(f"{name:>11}" for name in COLUMNS) + f"{'identical':>11}")
    for key, numbers in counts.items():
        share = numbers[1] / numbers[0] if numbers[0] else 0
        print(f"{key:12}" + "".join(f"{number:11}" for number in numbers) + f"{share:11.1%}")
    for line in lines[: asked.show]:
        print(line)


if __name__ == "__main__":
    main()
