"""A project with a code of each kind: the example, with `stance` (one of) and `mood` (ordinal)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from framing.common.paths import CODEBOOK, CODERS, CODINGS

STANCES = ("for", "against", "neutral")
MOODS = ("-1", "0", "2")
CODES = ["cost", "fairness", "heritage", "stance", "mood"]

KINDS = """\
  stance:
    kind: one of
    label: Stance
    definition: Where the passage stands on the tram.
    ties: [neutral, against]
    levels:
      - level: for
        label: In favour
        definition: It wants the tram.
        present: [The tram is asked for or praised.]
        not_enough: [The tram is only named.]
        exemplars:
          carrying:
            - text: Build the line, and build it now.
              reason: It is asked for.
          near_misses:
            - text: The line was spoken of for an hour.
              reason: Nothing is asked for.
      - level: against
        definition: It does not want the tram.
        present: [The tram is refused.]
      - level: neutral
        label: No stance
  mood:
    kind: ordinal
    label: Mood
    definition: How the passage sounds.
    levels:
      - level: -1
        label: gloomy
      - level: 0
        label: flat
      - level: 2
        label: cheerful
        present: [It laughs.]
"""


def make(mini: Path, home: Path, coders: int = 1) -> Path:
    """Copy the example to ``home`` with two more codes, and its first coders."""
    left_out = shutil.ignore_patterns("results", "build", ".snakemake", "freeze")
    shutil.copytree(mini, home, ignore=left_out)
    path = home / CODEBOOK
    text = path.read_text("utf-8")
    path.write_text(text.replace("\ncues:\n", f"\n{KINDS}\ncues:\n", 1), "utf-8")
    lines = (home / CODERS).read_text("utf-8").splitlines(keepends=True)
    (home / CODERS).write_text("".join(lines[: coders + 1]), "utf-8")
    for number, file in enumerate(sorted((home / CODINGS).glob("*.tsv"))):
        if number >= coders:
            file.unlink()
            continue
        table = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
        places = range(number, len(table) + number)
        table.insert(5, "stance", [STANCES[place % 3] for place in places])
        table.insert(6, "mood", [MOODS[place // 2 % 3] for place in places])
        table.to_csv(file, sep="\t", index=False)
    return home


def coded(coder: str) -> pd.DataFrame:
    """Return a coder's file of the project in the working directory."""
    return pd.read_csv(CODINGS / f"{coder}.tsv", sep="\t", dtype=str, keep_default_na=False)
