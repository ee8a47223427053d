"""What speaks for one level of a code rather than another, by the weights of its very model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from framing.classifier.explain import Before, Evidence, Published, evidence_of, linear

if TYPE_CHECKING:
    from framing.codebook.codebook import Codebook, Cue


@dataclass(frozen=True)
class LevelExplanation:
    """Why a model of several levels decides for one of them, rather than for the next likely.

    ``levels``, ``indicators`` and ``probabilities`` have the order of the codebook; ``decision``
    and ``next`` are positions. The amounts of ``evidence`` are those of the one less those of the
    other and add up to ``score``, the difference of their scores; the ratio of their probabilities
    is exp(``slope`` · score + ``offset``). ``of_levels`` are the scores of all, where asked for. A
    constant model has no evidence; ``constant`` says why it is one. ``limits`` are the largest
    usual share of unknown words and the smallest usual similarity.
    """

    code: str
    levels: tuple[str, ...]
    indicators: tuple[str, ...]
    probabilities: tuple[float, ...]
    decision: int
    next: int
    evidence: tuple[Evidence, ...]
    score: float
    slope: float
    offset: float
    of_levels: tuple[tuple[str, float], ...]
    constant: str
    unknown: float
    similarity: float
    limits: tuple[float, float]
    unfamiliar: bool

    these = "these probabilities"

    def words(self) -> dict[str, float]:
        """Return the terms shown, with what each adds."""
        return {one.name: one.amount for one in self.evidence if one.kind == "word"}

    @property
    def about(self) -> str:
        """Return what amounts speak for."""
        return f"{self.code} {self.verdict} rather than {self.levels[self.next]}"

    @property
    def verdict(self) -> str:
        """Return in a word what is decided."""
        return self.levels[self.decision]

    @property
    def chances(self) -> str:
        """Return how likely it is, and all others."""
        return _chances(self.levels, self.probabilities, self.decision)

    @property
    def lead(self) -> str:
        """Return what evidence is about, where there is any."""
        if self.constant:
            return ""
        return f"What speaks for {self.verdict!r} rather than {self.levels[self.next]!r}, the next:"

    @property
    def formula(self) -> str:
        """Return in words how the score becomes the ratio of two probabilities."""
        two = f"probability of {self.verdict!r} / of {self.levels[self.next]!r}"
        return f"score; {two} = exp({linear(self.slope, self.offset)})"

    def before(self, published: Mapping[str, Published]) -> Before | None:
        """Return what the tables say, None where they do not say all of the code."""
        if not all(name in published for name in self.indicators):
            return None
        found = [published[name] for name in self.indicators]
        decided = max(range(len(found)), key=lambda place: found[place].decision)
        chances = _chances(self.levels, [one.probability for one in found], decided)
        coded = [
            level
            for level, one in zip(self.levels, found, strict=True)
            if one.label and int(float(one.label))
        ]
        return Before(f"{self.levels[decided]}, {chances}", "".join(coded[:1]), found[0].place)


def _chances(levels: tuple[str, ...], probabilities: Any, decided: int) -> str:
    others = ", ".join(
        f"{level}: {chance:.3f}"
        for place, (level, chance) in enumerate(zip(levels, probabilities, strict=True))
        if place != decided
    )
    return f"probability {probabilities[decided]:.3f} ({others})"


def explain_level(
    model: Mapping[str, Any],
    counts: Mapping[str, int],
    hits: Mapping[str, int],
    codebook: Codebook,
    top: int,
    *,
    by_level: bool = False,
) -> LevelExplanation:
    """Return what stands behind a stored model's prediction for one passage.

    ``by_level`` asks what adds to the score of each level, too; the rest is as in
    :func:`framing.classifier.explain.explain`.
    """
    from framing.classifier.level_model import predict_level

    found = predict_level(model, counts, hits)
    first, second = _two_likeliest(found.probabilities)
    constant = model["constant"] is not None
    amounts = {(kind, name): own[first] - own[second] for kind, name, own in found.parts}
    evidence: list[Evidence] = []
    scores: list[tuple[str, float]] = []
    if not constant:
        evidence = evidence_of(
            model, counts, hits, amounts, codebook, top, lambda cue: _side(cue, found.indicators)
        )
    if by_level and not constant:
        of_part = {(kind, name): own for kind, name, own in found.parts}
        none = (0.0,) * len(found.levels)
        evidence = [
            replace(
                one, of_levels=_summed(found.levels, [of_part.get(p, none) for p in one.members])
            )
            for one in evidence
        ]
        scores = list(_summed(found.levels, list(of_part.values())))
    usual = model["usual"]
    return LevelExplanation(
        code=model["code"],
        levels=found.levels,
        indicators=found.indicators,
        probabilities=found.probabilities,
        decision=first,
        next=second,
        evidence=tuple(evidence),
        score=math.fsum(amounts.values()),
        slope=0.0 if constant else model["slope"],
        offset=0.0 if constant else model["offset"][first] - model["offset"][second],
        of_levels=tuple(scores),
        constant=model["reason"] if constant else "",
        unknown=found.unknown,
        similarity=found.similarity,
        limits=(usual["most_unknown"], usual["least_similar"]),
        unfamiliar=found.unfamiliar,
    )


def _two_likeliest(probabilities: tuple[float, ...]) -> tuple[int, int]:
    """Return the positions of the highest and of the next; of equals the first comes first."""
    ranked = sorted(range(len(probabilities)), key=lambda place: -probabilities[place])
    return ranked[0], ranked[1]


def _summed(
    levels: tuple[str, ...], parts: list[tuple[float, ...]]
) -> tuple[tuple[str, float], ...]:
    """Return what parts add up to, level by level."""
    return tuple(
        (level, math.fsum(part[place] for part in parts)) for place, level in enumerate(levels)
    )


def _side(cue: Cue, indicators: tuple[str, ...]) -> str:
    """Return what the codebook says of a cue: for which level it is meant, and what it means."""
    sides = {1: "for", -1: "against"}
    meant = [f"{sides[cue.votes[name]]} {name}" for name in indicators if name in cue.votes]
    return f"meant {', '.join(meant) or 'for other codes'}: {cue.description}"
