"""Documents become drafts of sources, in this process or in several, in their order either way.

In: what there is to add (:mod:`framing.acquire.find`) and what is said of it. Out: a :class:`Draft`
of each, or what is wrong with it, or what a person has to be asked. Which id a draft gets hangs on
those before it, so it is given afterwards (:meth:`Draft.named`).
"""

from __future__ import annotations

import pickle
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from framing.acquire.find import Found
from framing.acquire.pairs import may_repeat
from framing.acquire.source import (
    REQUIRED,
    Addition,
    addition,
    checked,
    id_from,
    layered,
    offered,
)
from framing.codebook.codebook import load_codebook
from framing.common.paths import CODEBOOK
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.processes import in_order
from framing.corpus.derived import Facts
from framing.corpus.facts import deriver
from framing.corpus.tables import passage_id

_BLOCK = 16  # documents that a process gets at once


@dataclass(frozen=True)
class Orders:
    """What holds for all documents that are added at once.

    ``settings`` are ``units`` and ``reading``, ``duplicates`` those of intake; ``options`` what is
    said of all of them, ``source_id`` the id that is asked for; ``asking`` says that there is
    somebody to ask.
    """

    settings: Mapping[str, Any]
    duplicates: Mapping[str, Any]
    groups: tuple[str, ...]
    options: Mapping[str, str]
    source_id: str = ""
    version_of: str = ""
    asking: bool = False

    def names(self, *ids: str) -> bool:
        """Return whether what counts as a passage hangs on one of these ids of a source."""
        rules = self.settings["units"]["scope"]["rules"]
        return any(one in rule["where"].get("source_id", ()) for rule in rules for one in ids)


@dataclass(frozen=True)
class Task:
    """A document to be read: what a bibliography knows of it, and what a person answered.

    ``source_id`` is the id it must have; ``wrong`` is told of it if nothing else is to be told.
    """

    found: Found
    known: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] | None = None
    source_id: str = ""
    wrong: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A source about to join, with its facts; ``repeating`` says that it may repeat itself."""

    addition: Addition
    facts: Facts
    repeating: bool

    def named(self, source_id: str) -> Draft:
        """Return it with another id, which those of its passages are made from."""
        rows = [
            {**row, "passage_id": passage_id(source_id, row["start"], row["end"])}
            for row in self.facts["passages"]
        ]
        facts = {**self.facts, "source_id": source_id, "passages": rows}
        return replace(self, addition=self.addition.named(source_id), facts=facts)


@dataclass(frozen=True)
class Refused:
    """A document that cannot be added, and why."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Unsaid:
    """A document of which something is not said: what is, and what it says of itself."""

    said: Mapping[str, str]
    hints: Mapping[str, str]


Outcome = Draft | Refused | Unsaid


class Reader:
    """Reads documents one at a time."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._facts_of = deriver(load_codebook(CODEBOOK))

    def read(self, task: Task) -> Outcome:
        """Return what becomes of a document."""
        try:
            return self._read(task)
        except InputError as error:
            return Refused(tuple(error.problems))

    def _read(self, task: Task) -> Draft | Unsaid:
        orders, one = self._orders, task.found
        document, origin = one.read(orders.settings)
        raise_if_any(task.wrong)
        hints = offered(document)
        trusted = {name: hints.get(name, "") for name in ("title", "url")}
        said = layered(trusted, task.known, one.said, orders.options)
        if orders.asking and task.answers is None and unsaid(said):
            return Unsaid(said, hints)
        row = checked(one.place, layered(said, task.answers or {}), orders.groups, hints)
        source_id = task.source_id or orders.source_id or id_from(one.wished_id or row["title"])
        made = addition(
            source_id, row, document, origin, orders.settings["units"], orders.version_of
        )
        facts = self._facts_of(source_id, made.text, made.passages)
        return Draft(made, facts, may_repeat(facts, orders.duplicates))


def unsaid(said: Mapping[str, str]) -> list[str]:
    """Return the fields that a person is asked for."""
    return [name for name in (*REQUIRED, "speaker") if not said.get(name)]


def outcomes(
    tasks: Iterable[Task], orders: Orders, jobs: int, reader: Callable[[], Reader]
) -> Iterator[tuple[Task, Outcome]]:
    """Yield what becomes of each document, in their order, whatever the number of processes.

    ``reader`` gives one of this process, which reads where ``jobs`` is 1.
    """
    if jobs == 1:
        own = reader()
        yield from ((task, own.read(task)) for task in tasks)
        return
    sent: deque[Task] = deque()

    def blocks() -> Iterator[list[Task]]:
        block: list[Task] = []
        for task in tasks:
            block.append(task)
            sent.append(task)
            if len(block) == _BLOCK:
                yield block
                block = []
        if block:
            yield block

    for made in in_order(_read_block, blocks(), jobs, "framing add", _begin, (orders,)):
        for one in made:
            yield sent.popleft(), one


_reader: Reader | None = None  # of a process that reads


def _begin(orders: Orders) -> None:
    global _reader
    _reader = Reader(orders)


def _read_block(block: Sequence[Task]) -> list[Outcome]:
    assert _reader is not None
    return [_reader.read(task) for task in block]


class Spool:
    """Drafts put down in a file, to be taken up again in any order."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._starts, self._places = array("q"), dict[str, int]()

    def __enter__(self) -> Spool:
        """Return itself: at the end of the block the file is closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def __len__(self) -> int:
        """Return how many drafts there are."""
        return len(self._starts)

    @property
    def names(self) -> Iterable[str]:
        """Return the ids of the drafts, in order."""
        return self._places.keys()

    def put(self, draft: Draft) -> None:
        """Put down a draft at the end."""
        self._file.seek(0, 2)
        self._places[draft.addition.source_id] = len(self._starts)
        self._starts.append(self._file.tell())
        pickle.dump(draft, self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def get(self, number: int) -> Draft:
        """Return a draft by its place."""
        self._file.seek(self._starts[number])
        # What this process has written itself a moment ago.
        draft: Draft = pickle.load(self._file)
        return draft

    def text(self, name: str) -> str | None:
        """Return the text of a draft by its id, or None where there is none of it."""
        place = self._places.get(name)
        return None if place is None else self.get(place).addition.text
