"""Derived facts: what the repository holds of a text instead of its prose.

One JSON file a source: per passage its offsets, number of words, digest, word counts in
alphabetical order and hits of each codebook cue. Word order cannot be recovered. Each file names
the digest of every cue it was made with, so that a changed cue is noticed without the text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from framing.corpus.words import WORDS_VERSION, word_counts
from framing.files import decode_strictly, sha256
from framing.problems import InputError, Problem

FORMAT = "framing-derived/1"
UPDATE = "Run `framing derive` where the texts are at hand and commit what it writes."

Facts = dict[str, Any]


def derive(
    source_id: str,
    text: str,
    passages: pd.DataFrame,
    hits: Callable[[str], Mapping[str, int]],
    cue_digests: Mapping[str, str],
) -> Facts:
    """Return the derived facts of one source.

    ``passages`` are its rows (``passage_id start end words``), ``hits`` counts the cues in a
    passage's text, ``cue_digests`` names each cue's digest. Raises :class:`InputError` where
    offsets lie outside the text or the recorded number of words is not the counted one.
    """
    problems, rows = [], []
    for row in passages.itertuples(index=False):
        prose = text[row.start : row.end]
        place = f"passage {row.passage_id} of source {source_id}"
        if row.end > len(text):
            problems.append(
                Problem(place, f"ends at {row.end}, the text has {len(text)} characters",
                        "Correct its offsets in passages.tsv.")
            )  # fmt: skip
            continue
        if len(prose.split()) != row.words:
            problems.append(
                Problem(place, f"has {len(prose.split())} words, passages.tsv says {row.words}",
                        "Correct its offsets or its words in passages.tsv.")
            )  # fmt: skip
            continue
        found = hits(prose)
        rows.append(
            {
                "passage_id": row.passage_id,
                "start": int(row.start),
                "end": int(row.end),
                "words": int(row.words),
                "sha256": sha256(prose),
                "counts": word_counts(prose),
                "cues": {cue: int(found[cue]) for cue in sorted(found) if found[cue]},
            }
        )
    if problems:
        raise InputError(problems)
    return {
        "format": FORMAT,
        "words": WORDS_VERSION,
        "source_id": source_id,
        "text_sha256": sha256(text),
        "characters": len(text),
        "cues": dict(sorted(cue_digests.items())),
        "passages": rows,
    }


def facts_text(facts: Facts) -> str:
    """Return derived facts as JSON with one passage a line, so that a change shows as one line."""
    head = {key: value for key, value in facts.items() if key != "passages"}
    lines = json.dumps(head, ensure_ascii=False, indent=1)[:-2]
    rows = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in facts["passages"])
    body = f"[\n{rows}\n ]" if rows else "[]"
    return f'{lines},\n "passages": {body}\n}}\n'


def read_facts(path: Path) -> Facts:
    """Read one file of derived facts; raise :class:`InputError` where it is not one."""
    if not path.is_file():
        raise InputError(Problem(path, "does not exist", UPDATE))
    try:
        facts = json.loads(decode_strictly(path.read_bytes(), path))
    except json.JSONDecodeError as error:
        raise InputError(
            Problem(path, f"is not JSON ({error.msg})", "Restore it from the repository.",
                    error.lineno)
        ) from None  # fmt: skip
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise InputError(Problem(path, f"is not a file of format {FORMAT}", UPDATE))
    if facts.get("words") != WORDS_VERSION:
        raise InputError(Problem(path, "counts words by another version's rule", UPDATE))
    return facts


def staleness(facts: Facts, cue_digests: Mapping[str, str]) -> list[str]:
    """Return the cues whose digest in ``facts`` is not the codebook's, new and dropped ones too."""
    made_with = facts["cues"]
    names = set(made_with) | set(cue_digests)
    return sorted(name for name in names if made_with.get(name) != cue_digests.get(name))


def frame_problems(
    facts: Facts, path: Path, source_sha256: str, passages: pd.DataFrame
) -> list[Problem]:
    """Return where derived facts disagree with ``sources.tsv`` and ``passages.tsv``."""
    if facts["text_sha256"] != source_sha256:
        return [Problem(path, "was made from a text with another digest than sources.tsv", UPDATE)]
    stated = {row["passage_id"]: row for row in facts["passages"]}
    problems = []
    for row in passages.itertuples(index=False):
        fact = stated.pop(row.passage_id, None)
        if fact is None:
            problems.append(Problem(path, f"lacks the passage {row.passage_id}", UPDATE))
        elif row.end > facts["characters"]:
            problems.append(
                Problem(path, f"passage {row.passage_id} ends at {row.end}, the text has "
                        f"{facts['characters']} characters", "Correct passages.tsv.")
            )  # fmt: skip
        elif (fact["start"], fact["end"], fact["words"]) != (row.start, row.end, row.words):
            problems.append(
                Problem(path, f"passage {row.passage_id} has other offsets or words than "
                        "passages.tsv", "Restore passages.tsv: offsets are frozen.")
            )  # fmt: skip
    problems += [
        Problem(path, f"has the passage {name}, which passages.tsv lacks", UPDATE)
        for name in sorted(stated)
    ]
    return problems


def difference(committed: Facts, recomputed: Facts) -> str | None:
    """Return the first difference in words that name passage and fact, or None where equal."""
    for key in ("text_sha256", "characters"):
        if committed[key] != recomputed[key]:
            return f"{key} is {committed[key]}, the text gives {recomputed[key]}"
    pairs = zip(committed["passages"], recomputed["passages"], strict=False)
    for old, new in pairs:
        for key, value in new.items():
            if old.get(key) != value:
                return f"passage {new['passage_id']}: {key} {_first_unequal(old.get(key), value)}"
    if len(committed["passages"]) != len(recomputed["passages"]):
        return "the number of passages differs"
    return None if committed == recomputed else "the header differs"


def _first_unequal(old: Any, new: Any) -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(set(old) | set(new)):
            if old.get(name) != new.get(name):
                return f"of {name!r} is {old.get(name, 0)}, the text gives {new.get(name, 0)}"
        return "are in another order than alphabetical"
    return f"is {old}, the text gives {new}"
