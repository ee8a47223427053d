"""What hits of a cue are worth by coded passages, and where they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Hit:
    """A passage in which a cue hits, or did: the numbers committed and now (None: unknown).

    ``unread`` says that it is one of an unread confirmation draw.
    """

    passage_id: str
    unread: bool
    old: int
    new: int | None


@dataclass(frozen=True)
class Worth:
    """What a cue is worth for one code in one part of the corpus; see T8-cues for the terms."""

    passages: int
    hits: int
    coded: int
    carrying: int
    base_rate: float | None

    @property
    def share(self) -> float | None:
        """Return the part of the coded passages hit that carry the code; None without any."""
        return self.carrying / self.coded if self.coded else None

    @property
    def lift(self) -> float | None:
        """Return share / base rate; None where either is missing or the rate is 0."""
        return self.share / self.base_rate if self.share is not None and self.base_rate else None


def worth(hits: Iterable[Hit], labels: Mapping[str, int]) -> Worth:
    """Return what a cue's present ``hits`` are worth for a code.

    ``labels`` are the coded passages of the same part of the corpus, 1 where they carry the code.
    """
    found = {hit.passage_id: hit.new for hit in hits if hit.new}
    coded = [labels[name] for name in found if name in labels]
    return Worth(
        passages=len(found),
        hits=sum(found.values()),
        coded=len(coded),
        carrying=sum(coded),
        base_rate=sum(labels.values()) / len(labels) if labels else None,
    )


def changes(hits: Iterable[Hit], coded: Iterable[str]) -> list[Hit]:
    """Return the coded passages newly hit, or no longer, by id."""
    drawn = set(coded)
    turned = [
        hit
        for hit in hits
        if hit.new is not None and hit.passage_id in drawn and bool(hit.old) != bool(hit.new)
    ]
    return sorted(turned, key=lambda hit: hit.passage_id)
