"""Derived facts: what the repository holds of a text instead of its prose.

Of a source they say per passage its offsets, number of words, digest, word counts in alphabetical
order and hits of each pattern of the codebook's cues. Word order cannot be recovered. They name the
digest of every cue they were made with, so that a changed cue is noticed without the text. How they
are kept in files says :mod:`framing.corpus.store`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from framing.codebook.hits import cue_and_pattern, is_hit_key
from framing.common.files import LINE, sha256
from framing.common.problems import InputError, Problem
from framing.corpus.words import WORDS_VERSION, word_counts

FACTS_FORMAT = "framing-derived/2"
UPDATE = "Run `framing derive` where the texts are at hand and commit what it writes."
RESTORE = "Restore it from the repository, or run `framing derive` where the text is at hand."

_ROW = ["passage_id", "start", "end", "words", "sha256", "counts", "hits"]

Facts = dict[str, Any]


def derive(
    source_id: str,
    text: str,
    passages: pd.DataFrame | Sequence[Any],
    hits: Callable[[str], Mapping[str, int]],
    cue_digests: Mapping[str, str],
    table: Path = Path("passages.tsv"),
) -> Facts:
    """Return the derived facts of one source.

    ``passages`` are its rows (``passage_id start end words``) of ``table``, as a table or one by
    one; ``hits`` counts the cues in a passage's text, pattern by pattern
    (:func:`framing.codebook.hits.hit_key`), ``cue_digests`` names each cue's digest. Raises
    :class:`InputError` where offsets lie outside the text or the recorded number of words is not
    the counted one.
    """
    problems, rows = [], []
    lines = [None] * len(passages)
    if isinstance(passages, pd.DataFrame):
        lines = passages.get(LINE, lines)
        passages = list(passages.itertuples(index=False))
    for row, line in zip(passages, lines, strict=True):
        prose = text[row.start : row.end]
        name = f"passage {row.passage_id} of source {source_id}"
        if row.end > len(text):
            what = f"{name} ends at {row.end}, the text has {len(text)} characters"
            problems.append(Problem(table, what, "Correct its offsets.", line))
            continue
        if len(prose.split()) != row.words:
            what = f"{name} has {len(prose.split())} words, passages.tsv says {row.words}"
            problems.append(Problem(table, what, "Correct its offsets or its words.", line))
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
                "hits": {key: int(found[key]) for key in sorted(found) if found[key]},
            }
        )
    if problems:
        raise InputError(problems)
    return {
        "format": FACTS_FORMAT,
        "words": WORDS_VERSION,
        "source_id": source_id,
        "text_sha256": sha256(text),
        "characters": len(text),
        "cues": dict(sorted(cue_digests.items())),
        "passages": rows,
    }


def facts_defect(facts: Facts) -> str | None:
    """Say what is wrong with what facts say of the text as a whole."""
    if not _is_digest(facts["text_sha256"]):
        return "text_sha256 is no SHA-256 digest"
    if not _is_count(facts["characters"], least=0):
        return f"characters is {facts['characters']!r}, not a whole number"
    cues = facts["cues"]
    if not isinstance(cues, dict) or not all(isinstance(value, str) for value in cues.values()):
        return "cues does not map names to digests"
    if list(cues) != sorted(cues):
        return "cues are not in alphabetical order"
    return None


def passage_defect(row: Any, facts: Facts) -> str | None:
    """Say what is wrong with what facts say of one passage."""
    if not isinstance(row, dict) or list(row) != _ROW or not isinstance(row["passage_id"], str):
        return f"is not a passage with {', '.join(_ROW)}"
    name = f"passage {row['passage_id']}"
    for key in ("start", "end", "words"):
        if not _is_count(row[key], least=0):
            return f"{name}: {key} is {row[key]!r}, not a whole number"
    if not row["start"] < row["end"] <= facts["characters"]:
        return (
            f"{name} runs from {row['start']} to {row['end']}, "
            f"the text has {facts['characters']} characters"
        )
    if not _is_digest(row["sha256"]):
        return f"{name}: sha256 is no SHA-256 digest"
    for key in ("counts", "hits"):
        if not isinstance(row[key], dict):
            return f"{name}: {key} is not a table of numbers"
        if list(row[key]) != sorted(row[key]):
            return f"{name}: {key} are not in alphabetical order"
        for word, count in row[key].items():
            if not _is_count(count, least=1):
                return f"{name}: {key} of {word!r} is {count!r}, not a whole number above 0"
    for word in row["counts"]:
        if not _is_word(word):
            return f"{name}: counts {word!r}, which is not a word"
    for key in row["hits"]:
        if not is_hit_key(key):
            return f"{name}: has hits of {key!r}, which names no cue and pattern"
        if cue_and_pattern(key)[0] not in facts["cues"]:
            return f"{name}: has hits of {key!r}, whose cue is not among the cues"
    length = row["end"] - row["start"]
    counted = sum(len(word) * count for word, count in row["counts"].items())
    if max(counted, 2 * row["words"] - 1, *row["hits"].values()) > length:
        return f"{name} has {length} characters, too few for its words and hits"
    return None


def _is_count(value: Any, *, least: int) -> bool:
    return type(value) is int and value >= least


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


@cache
def _is_word(word: str) -> bool:
    return word_counts(word) == {word: 1}


def staleness(facts: Facts, cue_digests: Mapping[str, str]) -> list[str]:
    """Return the cues whose digest in ``facts`` is not the codebook's, new and dropped ones too."""
    made_with = facts["cues"]
    names = set(made_with) | set(cue_digests)
    return sorted(name for name in names if made_with.get(name) != cue_digests.get(name))


def pattern_problems(facts: Facts, path: Path, patterns: Mapping[str, int]) -> list[Problem]:
    """Return where derived facts have hits of patterns that a cue does not have.

    ``patterns`` says how many each cue has; the facts must not be stale (:func:`staleness`).
    """
    problems = []
    for row in facts["passages"]:
        for key in row["hits"]:
            cue, number = cue_and_pattern(key)
            if number > patterns[cue]:
                what = f"passage {row['passage_id']}: has hits of pattern {number} of {cue!r}"
                problems.append(Problem(path, f"{what}, which has {patterns[cue]}", RESTORE))
    return problems


def frame_problems(
    facts: Facts,
    path: Path,
    source_sha256: str,
    passages: pd.DataFrame,
    table: Path = Path("passages.tsv"),
) -> list[Problem]:
    """Return where derived facts disagree with ``sources.tsv`` and with the rows of ``table``."""
    if facts["text_sha256"] != source_sha256:
        return [Problem(path, "was made from a text with another digest than sources.tsv", UPDATE)]
    stated = {row["passage_id"]: row for row in facts["passages"]}
    problems = []
    lines = passages.get(LINE, [None] * len(passages))
    for row, line in zip(passages.itertuples(index=False), lines, strict=True):
        fact = stated.pop(row.passage_id, None)
        if fact is None:
            problems.append(Problem(path, f"lacks the passage {row.passage_id}", UPDATE))
        elif row.end > facts["characters"]:
            what = f"passage {row.passage_id} ends at {row.end}, the text has {facts['characters']}"
            problems.append(Problem(table, f"{what} characters", "Correct its offsets.", line))
        elif (fact["start"], fact["end"], fact["words"]) != (row.start, row.end, row.words):
            what = f"passage {row.passage_id} has other offsets or words than {path}"
            problems.append(Problem(table, what, "Restore the row: offsets are frozen.", line))
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
