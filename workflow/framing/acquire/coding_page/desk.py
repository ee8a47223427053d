"""A coder at the page: what is asked, what was answered, what comes next. Nothing of HTTP here."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from threading import RLock
from time import monotonic
from typing import Any

from framing.acquire.coding_page.answers import Answer, Hand, take
from framing.acquire.coding_page.journal import ANSWER, CONTEXT, SKIP, Writer
from framing.codebook.codes import Code
from framing.coding.codings import NOT_CODED

CONFIDENCE = ("low", "middling", "high")
LONGEST = 10_000
"""Characters that a memo or a reason may have."""
_RECENT = 20  # decisions that pace at the page is worked out from
_SHOWN = 2_000  # showings of passages that are remembered


@dataclass(frozen=True)
class View:
    """What another said of a passage, shown to an adjudicator: a letter, levels by code, a memo."""

    letter: str
    codes: Mapping[str, str]
    memo: str = ""
    unsure: bool = False


@dataclass(frozen=True)
class Item:
    """A passage to be coded, with its prose.

    ``about`` is what coders may know of the source, ``before`` and ``after`` the text around it.
    ``codes`` are the codes asked, ``views`` what others said of them (to an adjudicator alone).
    """

    passage: str
    text: str
    about: str = ""
    before: str = ""
    after: str = ""
    codes: tuple[str, ...] = ()
    views: tuple[View, ...] = ()

    @property
    def words(self) -> int:
        """Return how many words the passage has."""
        return len(self.text.split())


@dataclass
class Draft:
    """What a form had that was not an answer yet: it is shown again."""

    codes: dict[str, str] = field(default_factory=dict)
    unsure: bool = False
    memo: str = ""
    reason: str = ""
    confidence: str = ""
    token: str = ""


@dataclass(frozen=True)
class Shown:
    """When a passage was shown, and how many answers it had then."""

    place: int
    since: float
    times: int


class RefusedError(Exception):
    """Raised where a form says what no page of ours asks."""


class Desk:
    """A coder's place at the page.

    ``items`` are in the coder's own order; places count from 0. ``table`` has the rows of the
    coder's table, which the journal's answers stand above. All that changes anything is on disk
    when it returns; several threads may ask at once.
    """

    def __init__(
        self,
        hand: Hand,
        items: Sequence[Item],
        codes: Mapping[str, Code],
        writer: Writer,
        table: Mapping[str, Mapping[str, str]],
        *,
        adjudicates: bool = False,
        idle: float = 600.0,
    ) -> None:
        """Begin with what the journal says."""
        self.hand, self.items, self.codes = hand, list(items), dict(codes)
        self.adjudicates, self.at_once, self.keys = adjudicates, False, True
        self._writer, self._table, self._idle = writer, table, idle
        self._open = {
            place for place, item in enumerate(self.items)
            if self.answer_at(place) is None and item.passage not in hand.skipped
        }  # fmt: skip
        self.done = sum(self.answer_at(place) is not None for place in range(len(self.items)))
        self._doubtful = {place for place in range(len(self.items)) if self._is_doubt(place)}
        self._drafts: dict[int, Draft] = {}
        self._shown: dict[str, Shown] = {}
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._seen_context = set(hand.context)
        self._behind = False
        self.lock = RLock()

    # --- what is known ----------------------------------------------------------------------------

    def answer_at(self, place: int) -> Answer | None:
        """Return the answer that counts; None where something that is asked has none."""
        item = self.items[place]
        found = self.hand.answers.get(item.passage)
        if found is None and (row := self._table.get(item.passage)) is not None:
            cells = {name: row[name] for name in item.codes if row[name] not in (NOT_CODED, "")}
            found = Answer(cells, row["unsure"] == "1")
        if found is None or any(name not in found.codes for name in item.codes):
            return None
        return found

    def draft_at(self, place: int) -> Draft:
        """Return what the form of a passage begins with."""
        if place in self._drafts:
            return self._drafts[place]
        passage = self.items[place].passage
        answer = self.answer_at(place)
        if answer is None:
            return Draft(memo=self.hand.skipped.get(passage, ""))
        return Draft(
            dict(answer.codes), answer.unsure, answer.memo, answer.reason, answer.confidence
        )

    def has_context(self, place: int) -> bool:
        """Return whether the coder has asked for the text around a passage."""
        return self.items[place].passage in self._seen_context

    @property
    def skipped(self) -> int:
        """Return how many passages are put off."""
        return len(self.items) - self.done - len(self._open)

    @property
    def complete(self) -> bool:
        """Return whether every passage has its answer."""
        return self.done == len(self.items)

    @property
    def behind(self) -> bool:
        """Return whether something was answered since the tables were last asked."""
        return self._behind

    def caught_up(self) -> None:
        """Note that the tables have been asked."""
        self._behind = False

    @property
    def pace(self) -> float | None:
        """Return the median of seconds of the latest decisions; None before there are five."""
        return median(self._recent) if len(self._recent) >= 5 else None

    def doubts(self) -> list[int]:
        """Return the places that were put off, or answered with a doubt."""
        return sorted(self._doubtful)

    @property
    def doubtful(self) -> int:
        """Return how many :meth:`doubts` there are."""
        return len(self._doubtful)

    def _is_doubt(self, place: int) -> bool:
        found = self.answer_at(place)
        if found is not None:
            return found.unsure
        return self.items[place].passage in self.hand.skipped

    def _weigh(self, place: int) -> None:
        """Work out anew whether a place is a doubt."""
        (self._doubtful.add if self._is_doubt(place) else self._doubtful.discard)(place)

    def next_place(self, after: int = -1) -> int | None:
        """Return the next place without an answer; those put off come last; None where all have."""
        if self._open:
            later = next((n for n in range(after + 1, len(self.items)) if n in self._open), None)
            return min(self._open) if later is None else later
        if self.complete:
            return None
        rest = [n for n in self.doubts() if self.answer_at(n) is None]
        return next((n for n in rest if n > after), rest[0])

    # --- what changes something -------------------------------------------------------------------

    def show(self, place: int) -> tuple[Draft, str]:
        """Return what a form begins with, and the token by which it is known when it comes back."""
        with self.lock:
            draft = self.draft_at(place)
            token = draft.token if draft.token in self._shown else secrets.token_hex(8)
            if token not in self._shown:
                while len(self._shown) >= _SHOWN:
                    del self._shown[next(iter(self._shown))]
                self._shown[token] = Shown(place, monotonic(), self._times(place))
            return draft, token

    def keep(self, place: int, draft: Draft) -> None:
        """Keep what a form has while something else is shown."""
        with self.lock:
            self._drafts[place] = draft

    def context(self, place: int) -> None:
        """Record that the text around a passage is asked for."""
        with self.lock:
            if not self.has_context(place):
                passage = self.items[place].passage
                self._write({"what": CONTEXT, "passage": passage})
                self._seen_context.add(passage)

    def skip(self, place: int, draft: Draft) -> None:
        """Put a passage off; one that has an answer keeps it."""
        with self.lock:
            passage = self.items[place].passage
            entry: dict[str, Any] = {"what": SKIP, "passage": passage, **self._took(place, draft)}
            self._write(entry | ({"memo": draft.memo} if draft.memo else {}))
            self._drafts.pop(place, None)
            self._open.discard(place)
            self._weigh(place)

    def lacking(self, place: int, draft: Draft) -> list[str]:
        """Return what a form has not said yet, as a reader knows it."""
        item = self.items[place]
        lacks = [self.codes[name].label for name in item.codes if name not in draft.codes]
        if self.adjudicates:
            lacks += [] if draft.confidence else ["how sure you are"]
            lacks += [] if draft.reason.strip() else ["your reason"]
        return lacks

    def answer(self, place: int, draft: Draft) -> str:
        """Record an answer; return ``new``, ``changed``, ``crossed`` or ``same``.

        ``crossed`` means that the passage was answered otherwise while this form stood open in
        another tab; both answers are in the journal, and this one counts. ``same`` is a form that
        came twice, which changes nothing.
        """
        with self.lock:
            item, times = self.items[place], self._times(place)
            before, shown = self.answer_at(place), self._shown.get(draft.token)
            codes = {name: draft.codes[name] for name in item.codes}
            now = {"codes": codes, "unsure": draft.unsure, "memo": draft.memo}
            if self.adjudicates:
                now |= {"reason": draft.reason, "confidence": draft.confidence}
                now["unsure"] = draft.confidence == CONFIDENCE[0]
            crossed = times > 0 and (shown is None or shown.times != times)
            if before is not None and all(getattr(before, key) == now[key] for key in now):
                self._drafts.pop(place, None)
                return "same"
            entry: dict[str, Any] = {
                "what": ANSWER, "passage": item.passage, **now, "words": item.words,
                **self._took(place, draft), "context": self.has_context(place),
            }  # fmt: skip
            if not draft.memo:
                del entry["memo"]
            if before is not None:
                entry |= {"change": True, "before": dict(before.codes)}
                entry |= {"crossed": True} if crossed else {}
            self._write(entry)
            self._drafts.pop(place, None)
            self._open.discard(place)
            self._weigh(place)
            self.done += before is None
            self._behind = True
            seconds = entry.get("seconds")
            if seconds is not None and seconds <= self._idle and before is None:
                self._recent.append(seconds)
            return "new" if before is None else "crossed" if crossed else "changed"

    def _times(self, place: int) -> int:
        found = self.hand.answers.get(self.items[place].passage)
        return found.times if found else 0

    def _took(self, place: int, draft: Draft) -> dict[str, float]:
        shown = self._shown.get(draft.token)
        if shown is None or shown.place != place:
            return {}
        return {"seconds": round(monotonic() - shown.since, 1)}

    def _write(self, entry: dict[str, Any]) -> None:
        self._writer.write([entry])
        take(self.hand, entry)

    def place_of(self, number: str) -> int:
        """Return the place that a number in an address (from 1) means.

        Raises :class:`RefusedError` where there is none.
        """
        place = (
            int(number) - 1 if number.isascii() and number.isdecimal() and len(number) < 9 else -1
        )
        if not 0 <= place < len(self.items):
            raise RefusedError(f"There is no passage {number[:20]!r}.")
        return place

    def draft_of(self, place: int, form: Mapping[str, str]) -> Draft:
        """Return what a form says; raise :class:`RefusedError` where it says what was not asked."""
        codes = {}
        for number, name in enumerate(self.items[place].codes):
            cell = form.get(f"code-{number}", "")
            if cell and cell not in self.codes[name].cells:
                raise RefusedError(f"{self.codes[name].label!r} has no level {cell[:20]!r}.")
            if cell:
                codes[name] = cell
        confidence = form.get("confidence", "")
        if confidence and confidence not in CONFIDENCE:
            raise RefusedError("That is no confidence.")
        memo, reason = (_lines(form.get(name, "")) for name in ("memo", "reason"))
        if max(len(memo), len(reason)) > LONGEST:
            raise RefusedError(f"A memo has at most {LONGEST:,} characters.")
        return Draft(
            codes, form.get("unsure") == "1", memo, reason, confidence, form.get("token", "")
        )


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
