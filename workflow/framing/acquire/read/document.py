"""What a reader hands on: who says what, facts about the text, and everything that was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """A paragraph as it stands in a file: its text and where that is ("line 3", "page 2")."""

    text: str
    place: str


@dataclass(frozen=True)
class Dropped:
    """Something that was left out: where it stood, what it was, why."""

    place: str
    text: str
    reason: str


@dataclass(frozen=True)
class Turn:
    """A paragraph of a document. ``label`` is the speaker's label where one opens the turn."""

    text: str
    speaker: str | None = None
    label: str = ""
    place: str = ""


@dataclass(frozen=True)
class Raw:
    """What a reader of one kind of file returns, before cleaning.

    ``speakers`` names the speaker of each line where the format itself says it, else it is None.
    """

    lines: list[Line]
    reader: str
    version: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    speakers: list[str | None] | None = None


@dataclass(frozen=True)
class Document:
    """A text that was read and cleaned.

    ``turns`` are its paragraphs; ``metadata`` what the file says of itself (``title``, ``date``,
    ``author``, ``language``, ``url``; only those it has); ``dropped`` everything left out;
    ``notes`` what a person should know (a guessed encoding); ``reader`` and ``version`` the
    library that read it.
    """

    kind: str
    turns: tuple[Turn, ...]
    metadata: Mapping[str, str]
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]
    reader: str
    version: str

    def text(self) -> str:
        """Return the canonical text: paragraphs parted by an empty line, labels before turns."""
        return "\n\n".join(paragraph(turn) for turn in self.turns) + "\n"

    def speakers(self) -> list[str | None]:
        """Return the speaker of each paragraph of :meth:`text`, as ``cut_passages`` takes them."""
        return [turn.speaker for turn in self.turns]


def paragraph(turn: Turn) -> str:
    """Return a turn as it stands in the canonical text."""
    return f"{turn.label}: {turn.text}".rstrip() if turn.label else turn.text
