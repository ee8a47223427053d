"""What speaks for and against a code in one passage, by the weights of its very model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framing.codebook.codebook import Codebook, Cue


_DECIMALS = 6

Part = tuple[str, str]
"""Kind and name of what adds to a score, as predictions have it."""

_START = ("intercept", "")


# --- taking a model apart -------------------------------------------------------------------------


@dataclass(frozen=True)
class Evidence:
    """One thing that spoke: what it is, what it adds to the score, and more about it.

    ``kind`` is ``cue`` (with its patterns), ``rule`` (similarity to it), ``word``, ``rest`` (all
    others of a kind) or ``intercept``; ``name`` names cue, rule or term; ``note`` is for readers.
    ``members`` are the parts of the prediction that the amount is the sum of. Where several levels
    are compared and that is asked for, ``of_levels`` says what it adds to the score of each.
    """

    kind: str
    name: str
    amount: float
    note: str
    members: tuple[Part, ...] = ()
    of_levels: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Published:
    """What the tables say of a passage and indicator, and where."""

    probability: float
    decision: int
    label: str
    place: str


@dataclass(frozen=True)
class Before:
    """What the tables say of a passage and code, in words: what was decided, and what was coded."""

    decided: str
    coded: str
    place: str


@dataclass(frozen=True)
class Explanation:
    """Why a model gives a passage its probability. The amounts of ``evidence`` add up to ``score``.

    ``limits`` are the largest usual share of unknown words and the smallest usual similarity. A
    constant model has no evidence; ``constant`` says why it is one.
    """

    code: str
    probability: float
    decision: int
    threshold: float
    evidence: tuple[Evidence, ...]
    score: float
    slope: float
    offset: float
    constant: str
    unknown: float
    similarity: float
    limits: tuple[float, float]
    unfamiliar: bool

    lead = ""
    these = "this probability"
    of_levels = ()

    def words(self) -> dict[str, float]:
        """Return the terms shown, with what each adds."""
        return {one.name: one.amount for one in self.evidence if one.kind == "word"}

    @property
    def about(self) -> str:
        """Return what amounts speak for."""
        return self.code

    @property
    def verdict(self) -> str:
        """Return in a word what is decided."""
        return presence(self.decision)

    @property
    def chances(self) -> str:
        """Return how likely it is."""
        return f"probability {self.probability:.3f}, present from {self.threshold:.3f}"

    @property
    def formula(self) -> str:
        """Return in words how the score becomes the probability."""
        return f"score; probability = 1 / (1 + exp(-({linear(self.slope, self.offset)})))"

    def before(self, published: Mapping[str, Published]) -> Before | None:
        """Return what the tables say, None where they say nothing of the code."""
        found = published.get(self.code)
        if found is None:
            return None
        decided = f"{found.probability:.3f}, {presence(found.decision)}"
        coded = presence(int(float(found.label))) if found.label else ""
        return Before(decided, coded, found.place)


def presence(decision: int) -> str:
    """Return a yes/no decision as a word."""
    return "present" if decision else "absent"


def linear(slope: float, offset: float) -> str:
    """Return slope and offset as a formula of the score."""
    sign = "-" if offset < 0 else "+"
    return f"{slope:.3f} × score {sign} {abs(offset):.3f}"


def explain(
    model: Mapping[str, Any],
    counts: Mapping[str, int],
    hits: Mapping[str, int],
    codebook: Codebook,
    top: int,
) -> Explanation:
    """Return what stands behind a stored model's prediction for one passage.

    ``counts`` and ``hits`` are as in :func:`framing.classifier.model_file.predict`; ``codebook``
    says what cues and rules mean. Of words and rules the ``top`` ones for and the ``top`` ones
    against are shown, the largest first and equals by name, the others together.
    """
    from framing.classifier.model_file import predict

    found = predict(model, counts, hits)
    constant = model["constant"] is not None
    amounts = {(kind, name): amount for kind, name, amount in found.parts}
    evidence: list[Evidence] = []
    if not constant:
        evidence = evidence_of(
            model, counts, hits, amounts, codebook, top, lambda cue: _side(cue, model["code"])
        )
    usual = model["usual"]
    return Explanation(
        code=model["code"],
        probability=found.probability,
        decision=found.decision,
        threshold=model["threshold"],
        evidence=tuple(evidence),
        score=math.fsum(amounts.values()),
        slope=0.0 if constant else model["slope"],
        offset=0.0 if constant else model["offset"],
        constant=(model["reason"] or "trained on one class only") if constant else "",
        unknown=found.unknown,
        similarity=found.similarity,
        limits=(usual["most_unknown"], usual["least_similar"]),
        unfamiliar=found.unfamiliar,
    )


def evidence_of(
    model: Mapping[str, Any],
    counts: Mapping[str, int],
    hits: Mapping[str, int],
    amounts: Mapping[Part, float],
    codebook: Codebook,
    top: int,
    side: Callable[[Cue], str],
) -> list[Evidence]:
    """Return what stands behind a score, from the ``amounts`` that add up to it.

    ``side`` says in words which way the codebook means a cue to speak. The rest as in
    :func:`explain`.
    """
    return [
        *_cue_evidence(model, hits, amounts, codebook, side),
        *_rule_evidence(amounts, codebook, top),
        *_word_evidence(model, counts, amounts, top),
        Evidence("intercept", "", amounts[_START], "where all begin", (_START,)),
    ]


def _cue_evidence(
    model: Mapping[str, Any],
    hits: Mapping[str, int],
    amounts: Mapping[Part, float],
    codebook: Codebook,
    side: Callable[[Cue], str],
) -> list[Evidence]:
    from framing.codebook.hits import cue_and_pattern, hits_by_cue

    cues = {cue.name: cue for cue in codebook.cues}
    rows = []
    for name, times in hits_by_cue(hits).items():
        if name not in model["cues"]:
            continue
        own = sorted(number for cue, number in map(cue_and_pattern, hits) if cue == name)
        members = (("cue", name), *(("pattern", f"{name}/{number}") for number in own))
        amount = math.fsum(amounts.get(part, 0.0) for part in members)
        found = f"{times} hit{'s' if times > 1 else ''} ({_patterns(own)})"
        meant = side(cues[name]) if name in cues else "no cue of the codebook"
        rows.append(Evidence("cue", name, amount, f"{found}, {meant}", members))
    return sorted(rows, key=lambda one: (-abs(round(one.amount, _DECIMALS)), one.name))


def _patterns(numbers: Sequence[int]) -> str:
    return f"pattern{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _side(cue: Cue, code: str) -> str:
    """Return what the codebook says of a cue: which way it is meant to speak, and what it means."""
    side = {1: "meant for", -1: "meant against", 0: "meant for other codes"}
    return f"{side[cue.votes.get(code, 0)]}: {cue.description}"


def _rule_evidence(amounts: Mapping[Part, float], codebook: Codebook, top: int) -> list[Evidence]:
    rules = {name: amount for (kind, name), amount in amounts.items() if kind == "rule"}
    texts = codebook.rules
    return _strongest("rule", rules, {name: texts.get(name, "") for name in rules}, top)


def _strongest(
    kind: str, amounts: Mapping[str, float], notes: Mapping[str, str], top: int
) -> list[Evidence]:
    """Return the ``top`` things for and against, the largest first, and the others together."""
    ranked = sorted(amounts, key=lambda name: (-abs(round(amounts[name], _DECIMALS)), name))
    shown = [name for name in ranked if amounts[name] > 0][:top]
    shown += [name for name in ranked if amounts[name] < 0][:top]
    rows = [Evidence(kind, name, amounts[name], notes[name], ((kind, name),)) for name in shown]
    others = [name for name in amounts if name not in shown]
    if others:
        note = f"{len(others)} other {kind}{'s' if len(others) > 1 else ''}"
        amount = math.fsum(amounts[name] for name in others)
        rows.append(Evidence("rest", "", amount, note, tuple((kind, name) for name in others)))
    return rows


def _word_evidence(
    model: Mapping[str, Any],
    counts: Mapping[str, int],
    amounts: Mapping[Part, float],
    top: int,
) -> list[Evidence]:
    forms = word_forms(model, counts)
    words = {name: amount for (kind, name), amount in amounts.items() if kind == "word"}
    return _strongest("word", words, {term: ", ".join(forms[term]) for term in words}, top)


def word_forms(model: Mapping[str, Any], counts: Iterable[str]) -> dict[str, list[str]]:
    """Return, for each term that the model knows, the words of a passage that it stands for."""
    from framing.classifier.features import stem

    forms: dict[str, list[str]] = {}
    for word in sorted(counts):
        term = stem(word) if model["settings"]["stem"] else word
        if term in model.get("words", {}):
            forms.setdefault(term, []).append(word)
    return forms


# --- the passage ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Passage:
    """What is known of the passage to explain.

    ``heading`` are lines about it, ``absent`` says why there is no ``text``; ``hits_at`` are the
    hits of cues in the text (cue, start, end); ``published`` is what the tables say, None for a
    text outside the corpus; ``notes`` are things to know first.
    """

    heading: tuple[str, ...]
    counts: Mapping[str, int]
    hits: Mapping[str, int]
    text: str | None
    absent: str
    hits_at: tuple[tuple[str, int, int], ...]
    published: Mapping[str, Published] | None
    notes: tuple[str, ...]
