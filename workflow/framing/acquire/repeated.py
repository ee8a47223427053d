"""What of new sources is in the corpus already: which are refused, which passages do not count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from framing.acquire.duplicates import Duplicates, Pair, compare, duplicate_lines
from framing.acquire.passage_index import index_of
from framing.acquire.read.units import LEFT_OUT_COLUMNS, Cut
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


def judged(
    additions: Sequence[Addition],
    corpus: Sequence[Facts],
    facts_of: Callable[[str, str, pd.DataFrame], Facts],
    settings: Mapping[str, Any],
    texts: Callable[[str], str | None],
    version_of: str = "",
) -> list[Judged]:
    """Return what each new source repeats of the corpus, of those before it, and of itself.

    ``corpus`` are the derived facts of its sources, ``facts_of`` makes those of a new one,
    ``texts`` returns the text of a source of the corpus, if at hand. A source that is (nearly) the
    same text as another must not join, unless the other is ``version_of``. With ``quoted: leave
    out`` in ``settings``, passages that stand in other sources are no passages of the new one.
    """
    fresh = [facts_of(one.source_id, one.text, one.cut.passages) for one in additions]
    index = index_of([*corpus, *fresh])
    own = {one.source_id: one.text for one in additions}
    others = set(own)  # what of the new sources does not join before the one looked at
    made = []
    for one, facts in zip(additions, fresh, strict=True):
        found = compare(facts, index, settings, one.text, lambda name: own.get(name) or texts(name))
        # Of two that join together the second is the duplicate.
        made.append(_judged(one, facts, _without(found, others), settings, version_of))
        # Nor is one a duplicate of what must not join itself.
        if made[-1].problem is None:
            others.discard(one.source_id)
    return made


def _without(found: Duplicates, names: set[str]) -> Duplicates:
    return replace(
        found,
        same_text=tuple(name for name in found.same_text if name not in names),
        near=tuple(like for like in found.near if like.source_id not in names),
        quoted=tuple(pair for pair in found.quoted if pair.source_id not in names),
    )


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
    if settings["quoted"] == COUNT:
        return Judged(one, facts, lines)
    try:
        less = _less(one, found.quoted)
    except InputError as error:
        return Judged(one, facts, lines, error.problems[0])
    kept = set(less.cut.passages["passage_id"])
    rows = [row for row in facts["passages"] if row["passage_id"] in kept]
    return Judged(less, {**facts, "passages": rows}, lines)


def _less(one: Addition, quoted: Sequence[Pair]) -> Addition:
    """Return an addition without passages that stand in other sources."""
    where = {pair.passage_id: f"stands in {pair.others[0]} of {pair.source_id}" for pair in quoted}
    passages = one.cut.passages
    gone = passages["passage_id"].isin(where)
    if gone.all():
        raise InputError(
            Problem(one.record["origin"], "has no passage that is not in another source",
                    "Leave it out; or set intake.duplicates.quoted to count.")
        )  # fmt: skip
    dropped = passages[gone]
    dropped = dropped.assign(reason=dropped["passage_id"].map(where))[list(LEFT_OUT_COLUMNS)]
    left = pd.concat([one.cut.left_out, dropped]).sort_values("start").reset_index(drop=True)
    return replace(one, cut=Cut(passages[~gone].reset_index(drop=True), left))
