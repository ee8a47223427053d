"""What of new sources is in the corpus already: which are refused, which passages do not count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from framing.acquire.duplicates import Duplicates, described, duplicate_lines
from framing.acquire.pairs import Pair
from framing.acquire.passage_index import Index
from framing.acquire.prepare import Draft
from framing.acquire.source import Addition
from framing.common.problems import InputError, Problem
from framing.corpus.derived import Facts

COUNT = "count"


@dataclass(frozen=True)
class Judged:
    """A new source, its facts, and what it repeats; ``problem`` where it must not join."""

    addition: Addition
    facts: Facts
    lines: tuple[str, ...]
    problem: Problem | None = None


class Judge:
    """Says of new sources, in their order, what each repeats of the corpus and of those before it.

    ``index`` has the passages of the corpus, then those of the ``new`` sources (ids, in order);
    ``texts`` returns the text of a source, if at hand. A source that is (nearly) the same text as
    another must not join, unless the other is ``version_of``. With ``quoted: leave out`` in
    ``settings``, passages that stand in other sources are no passages of the new one.
    """

    def __init__(
        self, index: Index, new: Iterable[str], settings: Mapping[str, Any],
        texts: Callable[[str], str | None], version_of: str = "",
    ) -> None:  # fmt: skip
        self._index, self._settings, self._texts = index, settings, texts
        self._version_of = version_of
        self._absent = set(new)  # what of the new sources does not join before the one looked at

    def judged(self, draft: Draft, pairs: Sequence[Pair]) -> Judged:
        """Return what a new source repeats, given its pairs with passages before it."""
        one = draft.addition
        present = [pair for pair in pairs if pair.source_id not in self._absent]
        found = described(
            draft.facts, present, self._index, self._settings, one.text, self._texts,
            draft.repeating,
        )  # fmt: skip
        # Of two that join together the second is the duplicate.
        same = tuple(name for name in found.same_text if name not in self._absent)
        found = replace(found, same_text=same)
        made = _judged(one, draft.facts, found, self._settings, self._version_of)
        # Nor is one a duplicate of what must not join itself.
        if made.problem is None:
            self._absent.discard(one.source_id)
        return made


def _judged(
    one: Addition, facts: Facts, found: Duplicates, settings: Mapping[str, Any], version_of: str
) -> Judged:
    lines = tuple(duplicate_lines(found))
    same = [*found.same_text, *(like.source_id for like in found.near)]
    others = [name for name in same if name != version_of]
    if others:
        told = "; ".join(duplicate_lines(replace(found, quoted=(), repeats=())))
        return Judged(one, facts, lines, Problem(
            one.record["origin"], f"is {told}",
            f"Leave it out; or, if both are to count, add it with --version-of {others[0]}.",
        ))  # fmt: skip
    if settings["quoted"] == COUNT or not found.quoted:
        return Judged(one, facts, lines)
    try:
        less = _less(one, found.quoted)
    except InputError as error:
        return Judged(one, facts, lines, error.problems[0])
    kept = {row.passage_id for row in less.passages}
    rows = [row for row in facts["passages"] if row["passage_id"] in kept]
    return Judged(less, {**facts, "passages": rows}, lines)


def _less(one: Addition, quoted: Sequence[Pair]) -> Addition:
    """Return an addition without passages that stand in other sources."""
    where = {pair.passage_id: f"stands in {pair.others[0]} of {pair.source_id}" for pair in quoted}
    gone = {(row.start, row.end): where[row.passage_id]
            for row in one.passages if row.passage_id in where}  # fmt: skip
    if len(gone) == len(one.passages):
        raise InputError(
            Problem(one.record["origin"], "has no passage that is not in another source",
                    "Leave it out; or set intake.duplicates.quoted to count.")
        )  # fmt: skip
    pieces = (replace(piece, reason=piece.reason or gone.get((piece.start, piece.end)))
              for piece in one.pieces)  # fmt: skip
    return replace(one, pieces=tuple(pieces))
