"""What a coder has said so far: the journal's entries made answers, a passage each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from framing.acquire.coding_page.journal import ANSWER, BEGIN, CONTEXT, SKIP, Entry
from framing.coding.codings import NOT_CODED


@dataclass(frozen=True)
class Answer:
    """The answer that counts for a passage, and how many there were.

    ``codes`` has what is to stand in the coder's cell, by code. ``reason`` and ``confidence`` are
    an adjudicator's. ``seconds`` is None where nobody knows how long it took.
    """

    codes: Mapping[str, str]
    unsure: bool = False
    memo: str = ""
    times: int = 1
    seconds: float | None = None
    words: int = 0
    reason: str = ""
    confidence: str = ""

    def row(self, codes: Sequence[str]) -> dict[str, str]:
        """Return the cells of the coder's table: what was not asked is not coded."""
        cells = {code: self.codes.get(code, NOT_CODED) for code in codes}
        return {**cells, "unsure": str(int(self.unsure))}


@dataclass
class Hand:
    """All that a coder's journal says.

    ``said`` has every row that a passage ever had by the journal, what stood in the table before
    among them; ``skipped`` are the passages put off and not answered since; ``kind`` and
    ``description`` are those of a coder whom ``coders.tsv`` does not have yet.
    """

    coder: str
    answers: dict[str, Answer] = field(default_factory=dict)
    said: dict[str, list[Mapping[str, str]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    context: set[str] = field(default_factory=set)
    kind: str = ""
    description: str = ""


def hand_of(coder: str, entries: Iterable[Entry]) -> Hand:
    """Return what a coder's journal says."""
    hand = Hand(coder)
    for entry in entries:
        take(hand, entry)
    return hand


def take(hand: Hand, entry: Entry) -> None:
    """Add an entry to what a journal says."""
    what, passage = entry["what"], str(entry.get("passage", ""))
    if what == BEGIN and entry.get("kind"):
        hand.kind, hand.description = str(entry["kind"]), str(entry.get("describe", ""))
    elif what == CONTEXT:
        hand.context.add(passage)
    elif what == SKIP:
        if passage not in hand.answers:
            hand.skipped[passage] = str(entry.get("memo", ""))
    elif what == ANSWER:
        before = hand.answers.get(passage)
        hand.answers[passage] = answer_of(entry, 1 + (before.times if before else 0))
        hand.skipped.pop(passage, None)
        rows = hand.said.setdefault(passage, [])
        rows += [entry["before"]] if "before" in entry else []
        rows.append({**entry["codes"], "unsure": str(int(bool(entry.get("unsure"))))})


def answer_of(entry: Entry, times: int = 1) -> Answer:
    """Return the answer that an entry records."""
    seconds = entry.get("seconds")
    return Answer(
        codes=dict(entry["codes"]),
        unsure=bool(entry.get("unsure")),
        memo=str(entry.get("memo", "")),
        times=times,
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
        words=int(entry.get("words", 0)),
        reason=str(entry.get("reason", "")),
        confidence=str(entry.get("confidence", "")),
    )
