"""The coding page as HTML. Prose and memos are data: everything is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from framing.acquire.coding_page.desk import CONFIDENCE, LONGEST, Desk
from framing.acquire.coding_page.keys import keys_of, shown_levels
from framing.codebook.codebook import Codebook

FOLDER = Path(__file__).resolve().parents[3] / "report" / "coding"
SAID = {
    "saved": "Saved.",
    "changed": "Changed. The journal has the earlier answer, too.",
    "crossed": "This passage had been answered in another tab while yours stood open. Both answers "
    "are in the journal; the one that you have just given counts.",
    "same": "This answer was there already.",
    "skipped": "Skipped. You find it under Doubts.",
    "context": "The text around the passage is shown; that you asked for it is recorded.",
}
"""What the page says of what was just done, by the word in its address."""
WARNS = ("crossed", "lacking")
_OPENING = 90  # characters of a passage in the list of doubts


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


class Pages:
    """The pages of one coder.

    ``whole`` says that the draw is for confirmation, ``context`` that text around passages is
    given to whoever asks.
    """

    def __init__(
        self, desk: Desk, codebook: Codebook, title: str, *, whole: bool = False,
        context: bool = True,
    ) -> None:  # fmt: skip
        """Render what is the same on every page."""
        self.desk, self._whole, self._context = desk, whole, context
        self._fixed = {
            "title": title, "coder": desk.hand.coder, "adjudicates": desk.adjudicates,
            "total": len(desk.items),
        }  # fmt: skip
        self._levels = {name: shown_levels(code) for name, code in desk.codes.items()}
        self._labels = {
            (name, level.name): level.label
            for name, code in desk.codes.items() for level in code.levels
        }  # fmt: skip
        self._keys = keys_of(list(desk.codes.values()))
        aside = _environment().get_template("codebook.html.j2")
        self._codebook = Markup(
            aside.render(codes=list(desk.codes.values()), guidance=codebook.guidance)
        )

    def _render(self, template: str, said: str = "", **more: Any) -> str:
        desk = self.desk
        note = more.pop("note", SAID.get(said, ""))
        return _environment().get_template(template).render(
            **self._fixed, done=desk.done, progress=progress(desk), note=note,
            warns=said in WARNS, doubts=desk.doubtful, **more,
        )  # fmt: skip

    def passage(self, place: int, said: str = "") -> str:
        """Return the page of a passage; ``said`` is a word of :data:`SAID`, or ``lacking``."""
        desk = self.desk
        item = desk.items[place]
        draft, token = desk.show(place)
        more = {}
        if said == "lacking" and (lacks := desk.lacking(place, draft)):
            more["note"] = f"Not saved yet. Still to be said: {', '.join(lacks)}."
        shown = desk.has_context(place)
        return self._render(
            "passage.html.j2", said, number=place + 1, item=item, draft=draft, token=token,
            asked=[desk.codes[name] for name in item.codes], codes=desk.codes, labels=self._labels,
            levels=self._levels, keys=self._keys, confidence=CONFIDENCE, longest=LONGEST,
            context=shown, offers_context=self._context and not shown, at_once=desk.at_once,
            keys_on=desk.keys, whole=self._whole, codebook=self._codebook, **more,
        )  # fmt: skip

    def doubts(self) -> str:
        """Return the list of one's own doubts."""
        rows = []
        for place in self.desk.doubts():
            item, answer = self.desk.items[place], self.desk.answer_at(place)
            text = " ".join(item.text.split())
            rows.append({
                "number": place + 1, "why": "unsure" if answer else "skipped",
                "opening": text[:_OPENING] + ("…" if len(text) > _OPENING else ""),
                "memo": answer.memo if answer else self.desk.hand.skipped.get(item.passage, ""),
            })  # fmt: skip
        return self._render("doubts.html.j2", rows=rows)

    def done(self, lines: Sequence[str], problems: Sequence[str]) -> str:
        """Return the last page; ``lines`` say what became of the answers."""
        return self._render("done.html.j2", lines=lines, problems=problems, behind=self.desk.behind)

    def trouble(self, heading: str, lines: Sequence[str], back: str = "/") -> str:
        """Return a page that says what went wrong; nothing was lost."""
        says = "Go on coding" if back == "/" else "Back to the passage"
        return self._render(
            "trouble.html.j2", heading=heading, lines=lines, back=back, back_says=says
        )


def progress(desk: Desk) -> str:
    """Return how far a coder is, and how fast."""
    left = len(desk.items) - desk.done
    parts = [f"{desk.done:,} of {len(desk.items):,} {'settled' if desk.adjudicates else 'coded'}"]
    if desk.pace is not None and left:
        parts.append(f"{desk.pace:.0f} s a passage, about {_span(desk.pace * left)} left")
    return "; ".join(parts)


def _span(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    return (
        f"{minutes} min" if not hours else f"{hours} h {rest} min" if hours < 10 else f"{hours} h"
    )


def static() -> Mapping[str, tuple[str, bytes]]:
    """Return style and script by their addresses, with what they are."""
    return {
        "/page.css": ("text/css; charset=utf-8", (FOLDER / "page.css").read_bytes()),
        "/page.js": ("text/javascript; charset=utf-8", (FOLDER / "page.js").read_bytes()),
    }
