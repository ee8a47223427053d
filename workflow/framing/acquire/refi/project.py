"""What a REFI-QDA project holds of documents, codes, coders and codings; what is not carried."""

from __future__ import annotations

from dataclasses import dataclass, field

from framing.acquire.codings.kinds import SHOWN, of_a_kind
from framing.common.problems import Problem

UNKNOWN = "unknown"
"""The coder of codings that name none, where the project has several users or none."""
UNSURE = "unsure"
"""The name of the note on a selection that says the coder was unsure of the passage."""


@dataclass(frozen=True)
class User:
    """A coder; ``guid`` holds within one file only, people are known again by name."""

    name: str
    guid: str


@dataclass(frozen=True)
class Document:
    """A document with its plain text, whose lines end in LF whatever they end in in the file."""

    name: str
    guid: str
    text: str


@dataclass(frozen=True)
class ProjectCode:
    """A code: ``path`` is its full name (``Parent/Child``), ``parent`` the path of its parent.

    ``colour`` is ``#RRGGBB``, ``#RGB`` or empty.
    """

    name: str
    path: str
    guid: str
    parent: str = ""
    colour: str = ""
    description: str = ""
    codable: bool = True


@dataclass(frozen=True)
class Coding:
    """A selection that a coder gave a code: guids, and code points of the document's text.

    ``start`` is 0-based, ``end`` exclusive.
    """

    document: str
    code: str
    coder: str
    start: int
    end: int


@dataclass(frozen=True)
class Memo:
    """A note or comment. ``about`` is selection, coding, document, code or project.

    ``document`` and ``code`` are guids, empty where it is about neither; ``coder`` is a name.
    """

    about: str
    name: str
    text: str
    coder: str = ""
    document: str = ""
    code: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Loss:
    """Something that is not carried: what, how many, and the first few of them by name."""

    kind: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """A project as it was read.

    ``losses`` are what the file has and this does not; ``problems`` one line for each kind of
    selection that cannot be used, with how many and the first three; ``counting`` says how offsets
    were counted (:mod:`framing.acquire.refi.offsets`).
    """

    name: str
    origin: str
    documents: tuple[Document, ...]
    codes: tuple[ProjectCode, ...]
    users: tuple[User, ...]
    codings: tuple[Coding, ...]
    memos: tuple[Memo, ...] = ()
    losses: tuple[Loss, ...] = ()
    problems: tuple[Problem, ...] = ()
    counting: str = ""

    def spans(self) -> set[tuple[str, str, str, int, int]]:
        """Return the codings without guids: document, path of the code, coder, start, end."""
        documents = {one.guid: one.name for one in self.documents}
        codes = {one.guid: one.path for one in self.codes}
        users = {one.guid: one.name for one in self.users}
        return {
            (documents[one.document], codes[one.code], users.get(one.coder, UNKNOWN),
             one.start, one.end)
            for one in self.codings
        }  # fmt: skip


@dataclass
class Tally:
    """Things counted by kind, in the order in which kinds were met first."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, example: str, times: int = 1) -> None:
        """Count ``example`` under ``kind``."""
        self.found.setdefault(kind, []).extend([example] * times)

    def losses(self) -> tuple[Loss, ...]:
        """Return what was counted as losses."""
        return tuple(
            Loss(kind, len(examples), tuple(dict.fromkeys(filter(None, examples)))[:SHOWN])
            for kind, examples in self.found.items()
        )

    def problems(self, place: str, remedy: str) -> tuple[Problem, ...]:
        """Return one problem a kind: how many, and the first three.

        The name of a kind begins with what is counted: "selections outside of the text".
        """
        parted = [(kind.partition(" "), examples) for kind, examples in self.found.items()]
        return tuple(
            problem
            for (word, _, rest), examples in parted
            for problem in of_a_kind(place, f"{{}} {rest}", examples, remedy, word.rstrip("s"))
        )
