"""Derived facts of sources: read, checked against texts at hand, made anew, and as tidy tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from framing.codebook.codebook import Codebook
from framing.codebook.cues import compile_cues, cue_digest, pattern_hits
from framing.codebook.hits import cue_and_pattern
from framing.common.paths import CODEBOOK, DERIVED, PASSAGES
from framing.common.problems import InputError, Problem, collect, raise_if_any
from framing.corpus.derived import (
    UPDATE,
    Facts,
    derive,
    difference,
    frame_problems,
    pattern_problems,
    read_facts,
    staleness,
)
from framing.corpus.texts import read_canonical, read_texts, texts_at_hand
from framing.corpus.words import word_counts


def checked_facts(
    config: Mapping[str, Any], codebook: Codebook, sources: pd.DataFrame, passages: pd.DataFrame
) -> list[Facts]:
    """Return the derived facts of all sources (:func:`source_facts`), and of no others."""
    problems: list[Problem] = []
    facts: list[Facts] = collect(problems, source_facts, config, codebook, sources, passages)
    raise_if_any(problems + stray_facts(sources))
    return facts


def source_facts(
    config: Mapping[str, Any], codebook: Codebook, sources: pd.DataFrame, passages: pd.DataFrame
) -> list[Facts]:
    """Return the derived facts of ``sources``, of all or some of them, in that order.

    Where a text is at hand the facts are recomputed from it and must equal the committed ones;
    where none is, the committed ones must fit sources, passages and cues. Raises
    :class:`InputError` naming source and passage, or the cues whose change made facts stale.
    """
    hand = texts_at_hand(config["corpus"]["texts"], sources["source_id"])
    digests = cue_digests(codebook)
    patterns = {cue.name: len(cue.pattern) for cue in codebook.cues}
    facts_of = None  # to compile cues takes long, and there may be no text to look for them in
    by_source = dict(list(passages.groupby("source_id", sort=False)))
    problems: list[Problem] = []
    stale: dict[str, list[str]] = {}
    result = []
    for source in sources.itertuples(index=False):
        path = DERIVED / f"{source.source_id}.json"
        own = by_source.get(source.source_id, passages.iloc[:0])
        facts = collect(problems, read_facts, path)
        if facts is None:
            continue
        found = frame_problems(facts, path, source.sha256, own, PASSAGES)
        problems += found
        outdated = staleness(facts, digests)
        for cue in outdated:
            stale.setdefault(cue, []).append(source.source_id)
        if not outdated:
            problems += pattern_problems(facts, path, patterns)
        if source.source_id in hand and not found and not outdated:
            text = collect(problems, read_canonical, hand[source.source_id], source.sha256)
            if text is None:
                continue
            facts_of = facts_of or deriver(codebook)
            fresh = collect(problems, facts_of, source.source_id, text, own)
            unlike = difference(facts, fresh) if fresh is not None else None
            if unlike:
                problems.append(
                    Problem(path, f"differs from the text of source {source.source_id}: {unlike}",
                            UPDATE)
                )  # fmt: skip
        result.append(facts)
    raise_if_any(problems + _stale_problems(stale, hand))
    return result


def stray_facts(sources: pd.DataFrame) -> list[Problem]:
    """Return a problem for every file of derived facts of a source that is not in ``sources``."""
    known = set(sources["source_id"])
    return [
        Problem(
            path, "holds facts of a source that sources.tsv lacks", "Remove or rename the file."
        )
        for path in sorted(DERIVED.glob("*.json"))
        if path.stem not in known
    ]


def _stale_problems(stale: Mapping[str, list[str]], hand: Mapping[str, Path]) -> list[Problem]:
    """Return one problem for all cues that left the same sources stale."""
    together: dict[tuple[str, ...], list[str]] = {}
    for cue, names in stale.items():
        together.setdefault(tuple(names), []).append(cue)
    problems = []
    for sources, cues in together.items():
        absent = [name for name in sources if name not in hand]
        what = (
            f"the derived facts of {_counted(sources, 'source')} are stale: "
            f"{_counted(cues, 'cue')} changed, or was added or dropped"
        )
        if absent == list(sources):
            remedy = f"None of these texts is at hand. {UPDATE}"
        elif absent:
            remedy = f"Of these, the text is absent of {_counted(absent, 'source')}. {UPDATE}"
        else:
            remedy = "All these texts are at hand: run `framing derive` and commit what it writes."
        problems.append(Problem(CODEBOOK, what, remedy))
    return problems


def _counted(names: Sequence[str], noun: str) -> str:
    count = f"1 {noun}" if len(names) == 1 else f"{len(names)} {noun}s"
    return f"{count} ({', '.join(names)})"


def cue_digests(codebook: Codebook) -> dict[str, str]:
    """Return each cue's digest by name."""
    return {cue.name: cue_digest(codebook, cue) for cue in codebook.cues}


def deriver(codebook: Codebook) -> Callable[[str, str, pd.DataFrame], Facts]:
    """Return a function from a source's id, text and passages to its derived facts.

    The codebook's cues have been tried: it is one that was loaded. The function raises
    :class:`InputError` as :func:`framing.corpus.derived.derive` does.
    """
    compiled, digests = compile_cues(codebook, tried=True), cue_digests(codebook)

    def facts(source_id: str, text: str, passages: pd.DataFrame) -> Facts:
        return derive(
            source_id,
            text,
            passages,
            lambda prose: pattern_hits(compiled, prose),
            digests,
            PASSAGES,
        )

    return facts


def exemplar_facts(codebook: Codebook) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the codebook's exemplars as the classifier sees them.

    A table ``passage_id code label`` (1 carries the code, 0 a near miss) with ids of their own,
    and their facts in the form of derived passages. Exemplars teach; they never count as data.
    """
    compiled = compile_cues(codebook, tried=True)
    rows, facts = [], []
    for key, name, label, text in _exemplars(codebook):
        rows.append((key, name, label))
        hits = pattern_hits(compiled, text)
        facts.append({"passage_id": key, "counts": word_counts(text), "hits": hits})
    return pd.DataFrame(rows, columns=["passage_id", "code", "label"]), facts


def _exemplars(codebook: Codebook) -> Iterator[tuple[str, str, int, str]]:
    """Give the id, code, label and text of every exemplar."""
    for name, level in codebook.indicators.items():
        labelled = [(1, one) for one in level.carrying] + [(0, one) for one in level.near_misses]
        for number, (label, exemplar) in enumerate(labelled, start=1):
            yield f"exemplar/{name}/{number}", name, label, exemplar.text


def all_prose(
    config: Mapping[str, Any], codebook: Codebook, sources: pd.DataFrame, passages: pd.DataFrame
) -> dict[str, str]:
    """Return the prose of every passage, then of every exemplar, by id.

    Raises :class:`InputError` where the text of a source with passages is not at hand, or is not
    the one whose passages are frozen.
    """
    needed = sources[sources["source_id"].isin(passages["source_id"])]
    hand = texts_at_hand(config["corpus"]["texts"], needed["source_id"])
    absent = [name for name in needed["source_id"] if name not in hand]
    if absent:
        raise InputError(
            Problem("classifier.encoder", "an encoder needs every text, but of "
                    f"{len(needed)} those of {_counted(absent, 'source')} are absent",
                    "Put them into a folder of corpus.texts, or set it to '' for none.")
        )  # fmt: skip
    texts = read_texts(hand, dict(zip(needed["source_id"], needed["sha256"], strict=True)))
    prose = {
        row.passage_id: texts[row.source_id][row.start : row.end]
        for row in passages.itertuples(index=False)
    }
    return prose | {key: text for key, _, _, text in _exemplars(codebook)}


def word_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the words of passages (derived ones or exemplars) as ``passage_id word count``."""
    table = [
        (row["passage_id"], word, row["counts"][word])
        for row in rows
        for word in sorted(row["counts"])
    ]
    return pd.DataFrame(table, columns=["passage_id", "word", "count"])


def hit_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the hits of passages as ``passage_id cue pattern hits``, by cue and pattern."""
    table = []
    for row in rows:
        found = [(*cue_and_pattern(key), number) for key, number in row["hits"].items()]
        table += [(row["passage_id"], *one) for one in sorted(found)]
    return pd.DataFrame(table, columns=["passage_id", "cue", "pattern", "hits"])


def pattern_table(codebook: Codebook) -> pd.DataFrame:
    """Return the patterns of a codebook as ``cue pattern``, cues in its order, numbers from 1."""
    table = [(cue.name, n) for cue in codebook.cues for n in range(1, len(cue.pattern) + 1)]
    return pd.DataFrame(table, columns=["cue", "pattern"])


def rule_table(codebook: Codebook) -> pd.DataFrame:
    """Return the words of a codebook's rules as ``rule word count`` (:meth:`Codebook.rules`)."""
    table = [
        (name, word, number)
        for name, text in codebook.rules.items()
        for word, number in word_counts(text).items()
    ]
    return pd.DataFrame(table, columns=["rule", "word", "count"])
