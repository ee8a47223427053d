"""Derived facts of sources: read, checked against texts at hand, made anew, and as tidy tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from framing.codebook.codebook import Codebook
from framing.codebook.cues import compile_cues, cue_digest, pattern_hits
from framing.codebook.hits import cue_and_pattern
from framing.common.paths import CODEBOOK, PASSAGES
from framing.common.problems import InputError, Problem, collect, raise_if_any
from framing.corpus.derived import (
    UPDATE,
    Facts,
    derive,
    difference,
    frame_problems,
    pattern_problems,
    staleness,
)
from framing.corpus.earlier_facts import earlier_problems
from framing.corpus.store import (
    Shard,
    by_shard,
    facts_in,
    lacking,
    read_shard,
    shard_path,
    shard_paths,
)
from framing.corpus.texts import read_canonical, read_texts, texts_at_hand
from framing.corpus.word_counts import Counting, WordCounts
from framing.corpus.words import word_counts

HIT_COLUMNS = ("passage_id", "cue", "pattern", "hits")
_SHOWN = 20  # names in a message


def checked_facts(
    config: Mapping[str, Any], codebook: Codebook, sources: pd.DataFrame, passages: pd.DataFrame
) -> Iterator[Facts]:
    """Yield the derived facts of all sources (:func:`source_facts`); there must be no others."""
    raise_if_any(earlier_problems())
    problems: list[Problem] = []
    try:
        yield from source_facts(config, codebook, sources, passages)
    except InputError as error:
        problems = error.problems
    raise_if_any(problems + stray_facts(sources))


def source_facts(
    config: Mapping[str, Any], codebook: Codebook, sources: pd.DataFrame, passages: pd.DataFrame
) -> Iterator[Facts]:
    """Yield the derived facts of ``sources``, of all or some of them, shard by shard.

    Where a text is at hand the facts are recomputed from it and must equal the committed ones;
    where none is, the committed ones must fit sources, passages and cues. After the last one raises
    :class:`InputError` naming source and passage, or the cues whose change made facts stale, if
    anything was wrong: until then nobody knows that all is well.
    """
    check = _Check(config, codebook, sources, passages)
    for path, names in by_shard(sources["source_id"]).items():
        shard = collect(check.problems.setdefault(names[0], []), read_shard, path)
        for name in names if shard else []:
            facts = check.facts(name, shard, path)
            if facts is not None:
                yield facts
    check.finish()


class _Check:
    """Facts of sources, held against tables, cues and texts; what is wrong is kept by source."""

    def __init__(
        self, config: Mapping[str, Any], codebook: Codebook,
        sources: pd.DataFrame, passages: pd.DataFrame,
    ) -> None:  # fmt: skip
        self.problems: dict[str, list[Problem]] = {}
        self._order = list(sources["source_id"])
        self._text_digest = dict(zip(self._order, sources["sha256"], strict=True))
        own = passages[passages["source_id"].isin(self._text_digest)]
        self._passages = dict(list(own.groupby("source_id", sort=False)))
        self._none = passages.iloc[:0]
        self._hand = texts_at_hand(config["corpus"]["texts"], self._order)
        self._codebook, self._digests = codebook, cue_digests(codebook)
        self._patterns = {cue.name: len(cue.pattern) for cue in codebook.cues}
        self._stale: dict[str, list[str]] = {}

    @cached_property
    def _derive(self) -> Callable[[str, str, pd.DataFrame], Facts]:
        # To compile cues takes long, and there may be no text to look for them in.
        return deriver(self._codebook)

    def facts(self, name: str, shard: Shard, path: Path) -> Facts | None:
        """Return the facts of one source, or None where they cannot be read."""
        problems = self.problems.setdefault(name, [])
        if name not in shard.sources:
            problems.append(lacking(name))
            return None
        facts: Facts | None = collect(problems, facts_in, shard, name, path)
        if facts is None:
            return None
        digest, own = self._text_digest[name], self._passages.get(name, self._none)
        found = frame_problems(facts, path, digest, own, PASSAGES)
        problems += found
        outdated = staleness(facts, self._digests)
        for cue in outdated:
            self._stale.setdefault(cue, []).append(name)
        if not outdated:
            problems += pattern_problems(facts, path, self._patterns)
        if name in self._hand and not found and not outdated:
            text = collect(problems, read_canonical, self._hand[name], digest)
            fresh = text and collect(problems, self._derive, name, text, own)
            unlike = difference(facts, fresh) if fresh else None
            if unlike:
                what = f"differs from the text of source {name}: {unlike}"
                problems.append(Problem(path, what, UPDATE))
        return facts

    def finish(self) -> None:
        """Raise :class:`InputError` if anything was wrong, in the order of sources."""
        place = {name: number for number, name in enumerate(self._order)}
        stale = {cue: sorted(names, key=place.__getitem__) for cue, names in self._stale.items()}
        told = [one for name in self._order for one in self.problems.get(name, [])]
        raise_if_any(told + _stale_problems(stale, self._hand))


def stray_facts(sources: pd.DataFrame, paths: Iterable[Path] | None = None) -> list[Problem]:
    """Return a problem for all facts of sources that ``sources`` lacks, or in the wrong shard.

    Looked at are the shards ``paths``, or all. Shards that cannot be read are passed over: who
    reads the facts in them says what is wrong.
    """
    known = set(sources["source_id"])
    problems: list[Problem] = []
    for path in shard_paths() if paths is None else paths:
        shard: Shard = collect([], read_shard, path) or Shard()
        for name in shard.sources:
            if name not in known:
                what = f"holds facts of a source that sources.tsv lacks: {name}"
                problems.append(Problem(path, what, "Remove its lines.", shard.first[name]))
            elif path != shard_path(name):
                what = f"holds facts of {name}, which belong in {shard_path(name)}"
                problems.append(Problem(path, what, "Move its lines.", shard.first[name]))
    return problems


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
    shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    return f"{count} ({shown})"


def cue_digests(codebook: Codebook) -> dict[str, str]:
    """Return each cue's digest by name."""
    return {cue.name: cue_digest(codebook, cue) for cue in codebook.cues}


def deriver(
    codebook: Codebook,
) -> Callable[[str, str, pd.DataFrame | Sequence[Any]], Facts]:
    """Return a function from a source's id, text and passages to its derived facts.

    The codebook's cues have been tried: it is one that was loaded. The function raises
    :class:`InputError` as :func:`framing.corpus.derived.derive` does.
    """
    compiled, digests = compile_cues(codebook, tried=True), cue_digests(codebook)

    def facts(source_id: str, text: str, passages: pd.DataFrame | Sequence[Any]) -> Facts:
        return derive(
            source_id,
            text,
            passages,
            lambda prose: pattern_hits(compiled, prose),
            digests,
            PASSAGES,
        )

    return facts


def exemplar_facts(codebook: Codebook) -> tuple[pd.DataFrame, Facts]:
    """Return the codebook's exemplars as the classifier sees them.

    A table ``passage_id code label`` (1 carries the code, 0 a near miss) with ids of their own,
    and their facts in the form of those of one source. Exemplars teach; they never count as data.
    """
    compiled = compile_cues(codebook, tried=True)
    rows, facts = [], []
    for key, name, label, text in _exemplars(codebook):
        rows.append((key, name, label))
        hits = pattern_hits(compiled, text)
        facts.append({"passage_id": key, "counts": word_counts(text), "hits": hits})
    return pd.DataFrame(rows, columns=["passage_id", "code", "label"]), {"passages": facts}


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


def hit_rows(row: Mapping[str, Any]) -> list[tuple[str, str, int, int]]:
    """Return the hits of a passage (or exemplar) as rows of :data:`HIT_COLUMNS`, by cue."""
    found = [(*cue_and_pattern(key), number) for key, number in row["hits"].items()]
    return [(row["passage_id"], *one) for one in sorted(found)]


def tables_of_facts(
    facts: Iterable[Facts], stem: Callable[[str], str]
) -> tuple[WordCounts, pd.DataFrame]:
    """Return the words of all passages, and their hits as a table of :data:`HIT_COLUMNS`.

    ``facts`` are gone through once, source by source; ``stem`` gives the stem of a word.
    """
    words, hits = Counting(), []
    for one in facts:
        for row in one["passages"]:
            words.add(row["passage_id"], row["counts"])
            hits += hit_rows(row)
    return words.counts(stem), pd.DataFrame(hits, columns=list(HIT_COLUMNS))


def pattern_table(codebook: Codebook) -> pd.DataFrame:
    """Return the patterns of a codebook as ``cue pattern``, cues in its order, numbers from 1."""
    table = [(cue.name, n) for cue in codebook.cues for n in range(1, len(cue.pattern) + 1)]
    return pd.DataFrame(table, columns=["cue", "pattern"])


def rule_table(codebook: Codebook, stem: Callable[[str], str]) -> pd.DataFrame:
    """Return the words of a codebook's rules as ``rule word stem count`` (:meth:`Codebook.rules`).

    ``stem`` gives the stem of a word.
    """
    table = [
        (name, word, stem(word), number)
        for name, text in codebook.rules.items()
        for word, number in word_counts(text).items()
    ]
    return pd.DataFrame(table, columns=["rule", "word", "stem", "count"])
