"""What a new source repeats: of the corpus and of itself; exactly, nearly, or in quotations.

Texts of the corpus are mostly not at hand, so passages are compared by what derived facts hold of
them: digests and word counts. Two bags of words that are alike are a copy: in passages of twenty
words and more chance does not get near it (docs/settings.md, ``intake.duplicates``, says what was
measured). Where texts are at hand, runs of words confirm it.

In: derived facts (:mod:`framing.corpus.derived`) of the corpus and of the new source. Out:
:class:`Duplicates`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from framing.acquire.pairs import Pair, pairs_of
from framing.acquire.passage_index import Index, index_of
from framing.corpus.derived import Facts

__all__ = ["Duplicates", "Likeness", "Pair", "Runs", "compare", "described", "duplicate_lines"]

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Runs:
    """How two texts share runs of words, as shares of distinct runs.

    ``jaccard`` of all runs of both, ``contained`` of those of the first, ``containing`` of those of
    the second.
    """

    jaccard: float
    contained: float
    containing: float


@dataclass(frozen=True)
class Likeness:
    """A source of which much is in the new one, or in which much of the new one is.

    ``share`` is the part of the words of the new source, in its passages, that is found in this
    one, ``share_of_other`` the reverse; ``runs`` compares the texts where both are at hand.
    """

    source_id: str
    share: float
    share_of_other: float
    pairs: tuple[Pair, ...]
    runs: Runs | None = None


@dataclass(frozen=True)
class Duplicates:
    """What a new source repeats.

    ``same_text``: sources with the very same text; ``near``: sources that are much alike, the most
    alike first; ``quoted``: passages found in other sources; ``repeats``: passages found in other
    passages of the source itself (each pair once, the later passage first).
    """

    source_id: str
    same_text: tuple[str, ...] = ()
    near: tuple[Likeness, ...] = ()
    quoted: tuple[Pair, ...] = ()
    repeats: tuple[Pair, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything was found."""
        return bool(self.same_text or self.near or self.quoted or self.repeats)


def compare(
    facts: Facts,
    index: Index,
    settings: Mapping[str, Any],
    text: str = "",
    texts: Callable[[str], str | None] | None = None,
) -> Duplicates:
    """Return what the source of ``facts`` repeats of the corpus and of itself.

    ``index`` may hold the source itself: what has its id is passed over. ``settings`` are those of
    :func:`framing.acquire.settings.intake_settings` under ``duplicates``. With ``text``, the text
    of the source, sources with a passage in common are compared by runs of words too, if ``texts``
    returns their text.
    """
    own = facts["source_id"]
    pairs = [pair for pair in pairs_of(facts, index, settings) if pair.source_id != own]
    return described(facts, pairs, index, settings, text, texts)


def described(
    facts: Facts,
    pairs: Iterable[Pair],
    index: Index,
    settings: Mapping[str, Any],
    text: str = "",
    texts: Callable[[str], str | None] | None = None,
    repeating: bool = True,
) -> Duplicates:
    """Return what a source repeats, given its pairs with passages of other sources in ``index``.

    ``repeating`` says whether passages of its own may repeat each other (:func:`may_repeat`).
    Otherwise as :func:`compare`.
    """
    own = facts["source_id"]
    others = list(pairs)
    of_source: dict[str, list[Pair]] = defaultdict(list)
    for pair in others:
        of_source[pair.source_id].append(pair)
    same = tuple(one for one in index.texts.get(facts["text_sha256"], ()) if one != own)
    near = []
    for source, found in of_source.items():
        if source in same:
            continue
        likeness, enough = _likeness(facts, index, source, found, settings)
        other_text = texts(source) if text and texts is not None else None
        if other_text is not None:
            likeness = replace(likeness, runs=runs_in_common(text, other_text, settings["run"]))
            enough = enough or _alike(likeness.runs, settings)
        if enough:
            near.append(likeness)
    near.sort(key=lambda one: (-max(one.share, one.share_of_other), one.source_id))
    told = {*same, *(one.source_id for one in near)}
    return Duplicates(
        source_id=own,
        same_text=same,
        near=tuple(near),
        quoted=tuple(pair for pair in others if pair.source_id not in told),
        repeats=tuple(_repeats(facts, settings)) if repeating else (),
    )


def runs_in_common(text: str, other: str, length: int) -> Runs:
    """Return how two texts share runs of ``length`` words (see :class:`Runs`)."""
    mine, theirs = _runs(text, length), _runs(other, length)
    both = len(mine & theirs)
    return Runs(_part(both, len(mine | theirs)), _part(both, len(mine)), _part(both, len(theirs)))


def duplicate_lines(found: Duplicates) -> list[str]:
    """Return what was found in words, a line each, without any prose of a source."""
    lines = [f"the same text as {source}" for source in found.same_text]
    for one in found.near:
        runs = ""
        if one.runs is not None:
            runs = f"; {one.runs.contained:.0%} of its runs of words are in that text"
        lines.append(
            f"a near duplicate of {one.source_id}: {one.share:.0%} of its words are there, "
            f"{one.share_of_other:.0%} of that source's words are here{runs}"
        )
    lines += [_pair_line(pair, f"{', '.join(pair.others)} of {pair.source_id}")
              for pair in found.quoted]  # fmt: skip
    lines += [_pair_line(pair, f"{', '.join(pair.others)} of the same source")
              for pair in found.repeats]  # fmt: skip
    return lines


def _pair_line(pair: Pair, where: str) -> str:
    how = "the same" if pair.same else f"{pair.contained:.0%} of the words"
    return f"passage {pair.passage_id} is in {where} ({how})"


def _repeats(facts: Facts, settings: Mapping[str, Any]) -> Iterator[Pair]:
    order = {row["passage_id"]: place for place, row in enumerate(facts["passages"])}
    for pair in pairs_of(facts, index_of([facts]), settings):
        if len(pair.others) == 1 and order[pair.passage_id] > order[pair.others[0]]:
            yield pair


# --- sources --------------------------------------------------------------------------------------


def _likeness(
    facts: Facts, index: Index, source: str, pairs: Sequence[Pair], settings: Mapping[str, Any]
) -> tuple[Likeness, bool]:
    """Return how alike the sources are by their pairs, and whether that makes a near duplicate."""
    places = range(*index.spans[source])
    theirs = {index.passages[place]: int(index.words[place]) for place in places}
    mine = {row["passage_id"]: int(row["words"]) for row in facts["passages"]}
    here: dict[str, float] = defaultdict(float)
    there: dict[str, float] = defaultdict(float)
    for pair in pairs:
        of_others = sum(theirs[one] for one in pair.others)
        shared = min(mine[pair.passage_id], of_others)
        # A greeting that many share says nothing of the rest.
        if shared < settings["min_words"]:
            continue
        here[pair.passage_id] += shared
        for one in pair.others:
            there[one] += shared * theirs[one] / of_others
    found = sum(min(mine[one], words) for one, words in here.items())
    found_there = sum(min(theirs[one], words) for one, words in there.items())
    share, share_of_other = (
        _part(found, sum(mine.values())),
        _part(found_there, sum(theirs.values())),
    )
    enough = (share >= settings["source"] and found >= settings["source_words"]) or (
        share_of_other >= settings["source"] and found_there >= settings["source_words"]
    )
    return Likeness(source, share, share_of_other, tuple(pairs)), enough


def _alike(runs: Runs | None, settings: Mapping[str, Any]) -> bool:
    return runs is not None and max(runs.contained, runs.containing) >= settings["runs"]


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return {tuple(words[n : n + length]) for n in range(len(words) - length + 1)}


def _part(part: float, whole: float) -> float:
    return round(part / whole, 6) if whole else 0.0
