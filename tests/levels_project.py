"""A small project whose codebook also has codes with several levels: the example with two more."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

STANCE, STRENGTH = "stance", "strength"
LEVELS = {STANCE: ("for", "against", "neutral"), STRENGTH: ("-1", "0", "1")}
"""The levels of each of the two codes, in the order of the codebook."""

_SEED = 20261124
_SLIP = 0.12  # the share of cells in which a coder says anything at all
_OPEN = 0.03  # and of those left open

_CODES: dict[str, Any] = {
    STANCE: {
        "kind": "one of",
        "label": "Stance",
        "definition": "Which way the passage leans in the matter of the line.",
        "levels": [
            {
                "level": "for",
                "label": "For the line",
                "present": ["The old town gains, or is kept, by what is planned."],
                "not_enough": ["Old things are named by the way."],
                "exemplars": {
                    "carrying": [
                        {
                            "text": "Restored arcades and a chapel that can be reached again are "
                            "what the new rails will leave to our children.",
                            "reason": "The old town gains.",
                        }
                    ],
                    "near_misses": [
                        {
                            "text": "The arcades are on the left when you come from the station, "
                            "and the stop will be on the right.",
                            "reason": "A direction; nothing is gained.",
                        }
                    ],
                },
            },
            {
                "level": "against",
                "label": "Against the line",
                "present": ["The expense, or the loss of trade, is held against what is planned."],
                "exemplars": {
                    "carrying": [
                        {
                            "text": "Three million for a bend in the track is money that the "
                            "schools of this town will never see.",
                            "reason": "An expense is held against the line.",
                        }
                    ]
                },
            },
            {"level": "neutral", "label": "Neither", "definition": "All other passages."},
        ],
        "ties": ["neutral"],
    },
    STRENGTH: {
        "kind": "ordinal",
        "label": "Strength",
        "definition": "How much of a case is made of who gains and who bears.",
        "levels": [
            {"level": -1, "label": "None", "definition": "Nobody is weighed against anybody."},
            {
                "level": 0,
                "label": "Some",
                "present": ["One consideration, in money or between people."],
            },
            {
                "level": 1,
                "label": "Much",
                "present": ["One part of the town is weighed against another."],
                "exemplars": {
                    "carrying": [
                        {
                            "text": "Why should tenants of the harbour wait in the rain, so that "
                            "the villas on the hill may keep their view?",
                            "reason": "Two parts of the town are weighed.",
                        }
                    ]
                },
            },
        ],
    },
}
_VOTES = {"cost": ["stance.against"], "heritage": ["stance.for"], "fairness": ["strength.1"]}


def with_levels(folder: Path) -> Path:
    """Give a copy of the example project in ``folder`` a three-way and an ordinal code.

    Their codings are simulated from what each coder said of the yes/no codes, with slips and open
    cells by a fixed seed; cues that speak for a yes/no code vote for a level, too. Cues and texts
    stay what they were, so that derived facts hold. Returns ``folder``.
    """
    path = folder / "corpus" / "codebook" / "codebook.yaml"
    book = yaml.safe_load(path.read_text(encoding="utf-8"))
    book["codes"] |= _CODES
    for cue in book["cues"]:
        more = [vote for code in cue.get("for", ()) for vote in _VOTES.get(code, ())]
        if more:
            cue["for"] = [*cue["for"], *more]
    text = yaml.safe_dump(book, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    dice = random.Random(_SEED)
    for sheet in sorted((folder / "corpus" / "codings").glob("*.tsv")):
        _code_levels(sheet, dice)
    return folder


def _code_levels(sheet: Path, dice: random.Random) -> None:
    header, *lines = sheet.read_text(encoding="utf-8").splitlines()
    names = header.split("\t")
    rows = [[*names[:-1], *LEVELS, names[-1]]]
    for line in lines:
        cells = line.split("\t")
        said = dict(zip(names, cells, strict=True))
        more = [_slipped(dice, code, meant) for code, meant in _meant(said).items()]
        rows.append([*cells[:-1], *more, cells[-1]])
    text = "\n".join("\t".join(row) for row in rows) + "\n"
    sheet.write_text(text, encoding="utf-8", newline="\n")


def _meant(said: dict[str, str]) -> dict[str, str]:
    """Return the level of each code that goes with what a coder said of the yes/no codes."""
    cost, fairness, heritage = (said[code] == "1" for code in ("cost", "fairness", "heritage"))
    stance = "for" if heritage else "against" if cost else "neutral"
    return {STANCE: stance, STRENGTH: "1" if fairness else "0" if cost else "-1"}


def _slipped(dice: random.Random, code: str, meant: str) -> str:
    chance = dice.random()
    other = dice.choice(LEVELS[code])
    if chance < _OPEN:
        return "NA"
    return other if chance < _OPEN + _SLIP else meant
