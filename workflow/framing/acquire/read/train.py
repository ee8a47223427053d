"""Learn the parameters of the sentence splitter: ``python -m framing.acquire.read.train FOLDER``.

In: a folder of canonical texts (``*.txt``). Out: ``punkt.json`` beside this module, or ``--to``.
It holds words and pairs of words in alphabetical order, so no text can be put together from it.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from framing.acquire.read.sentences import LEARNED, NO_ABBREVIATIONS, hand_list
from framing.common.files import json_text, read_text, write_text
from framing.common.problems import InputError, Problem

# Letters, with points between them: Punkt also takes numbers, ellipses and torn words for some.
_ABBREVIATION = re.compile(r"[^\W\d_]+(\.[^\W\d_]+)*")


def learn(texts: Iterable[str]) -> dict[str, Any]:
    """Return Punkt's abbreviations, collocations and sentence starters learned from ``texts``."""
    from nltk.tokenize.punkt import PunktTrainer

    trainer = PunktTrainer()
    # Pairs across a point are rare and mostly names; Punkt's stricter default is kept.
    trainer.INCLUDE_ALL_COLLOCS = False
    for text in texts:
        trainer.train(text, finalize=False)
    trainer.finalize_training()
    found = trainer.get_params()
    wrong = set(hand_list(read_text(NO_ABBREVIATIONS)))
    return {
        "abbreviations": sorted(
            word for word in found.abbrev_types - wrong if _ABBREVIATION.fullmatch(word)
        ),
        "collocations": sorted([first, second] for first, second in found.collocations),
        "sentence_starters": sorted(found.sent_starters),
    }


def main() -> None:
    """Learn from a folder and write the parameters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="canonical texts, *.txt")
    parser.add_argument("--to", type=Path, default=LEARNED)
    asked = parser.parse_args()
    files = sorted(asked.folder.glob("*.txt"))
    if not files:
        raise InputError(Problem(asked.folder, "holds no .txt file", "Name the folder of texts."))
    write_text(asked.to, json_text(learn(read_text(file) for file in files)))


if __name__ == "__main__":
    main()
