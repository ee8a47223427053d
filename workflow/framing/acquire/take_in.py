"""Documents join a corpus, one or a hundred thousand: read, compared, written, each in its turn.

In: what there is to add, and what holds for all of it. Out: files written to a pending change, and
what is to be said (:class:`Told`). What is held of a document meanwhile are its ids, digests and
rarer words; all else lies in files of the pending change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from framing.acquire.edit_corpus import Joining
from framing.acquire.find import Found, Gathered
from framing.acquire.pairs import earlier_pairs
from framing.acquire.passage_index import Indexer
from framing.acquire.prepare import (
    Draft,
    Orders,
    Outcome,
    Reader,
    Refused,
    Spool,
    Task,
    Unsaid,
    outcomes,
)
from framing.acquire.remarks import FEW, JOINED, Remarks, of_each_kind, reported, shown
from framing.acquire.repeated import Judge, Judged
from framing.acquire.source import Ids, left_out
from framing.acquire.table_rows import CutShort
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.processes import processors
from framing.common.progress import stepping
from framing.corpus.store import facts_at_hand
from framing.corpus.texts import read_canonical, texts_at_hand
from framing.project.lock import Pending

Item = TypeVar("Item")

_MANY = 1000  # of so many documents it is worth starting processes
_MOST_JOBS = 8  # that are started where nobody says how many


@dataclass(frozen=True)
class Asking:
    """What is asked for each document: a bibliography, how many processes, and a person.

    ``known`` returns what a bibliography says, or raises :class:`InputError`; ``person`` what a
    person answers where something is not said. ``skip`` passes over what is wrong; ``jobs`` is the
    number of processes, 0 for as many as there are processors; ``everything`` says more of each.
    """

    known: Callable[[Found], Mapping[str, str]]
    person: Callable[[str, Unsaid], Mapping[str, str]]
    skip: bool = False
    jobs: int = 0
    everything: bool = False


@dataclass
class Told:
    """What became of documents: how much joined, what is said of it, what is wrong with the rest.

    ``report`` says that every remark stands in a file, as there are many.
    """

    sources: int = 0
    passages: int = 0
    words: int = 0
    lines: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    report: bool = False


def take_in(
    found: Gathered, orders: Orders, asking: Asking, config: Mapping[str, Any],
    taken: Sequence[str], pending: Pending,
) -> Told:  # fmt: skip
    """Write what the corpus is to be with documents to ``pending``; ``taken`` are its sources.

    Raises :class:`InputError` with everything that is wrong, unless that is to be passed over; then
    it is among what is told. Nothing is decided.
    """
    usable_rows(found.problems, skip=asking.skip)
    told = Told(problems=list(found.problems))
    index = Indexer(pending.folder)
    with Joining(config, pending) as joining, Spool(pending.folder / "drafts.scratch") as spool:
        for facts in facts_at_hand(taken):
            index.add(facts)
        for draft in _drafts(found, orders, asking, Ids(taken), told.problems):
            index.add(draft.facts)
            spool.put(draft)
        hand = texts_at_hand(config["corpus"]["texts"], taken)

        def text(name: str) -> str | None:
            own = spool.text(name)
            return own or (read_canonical(hand[name]) if name in hand else None)

        with reported(found.number > FEW) as remarks:
            for one in told.problems:
                remarks.problem(one)
            jobs = _jobs(found, asking)
            for made in _judgements(index, spool, orders, text, jobs, pending.folder):
                if made.problem is not None:
                    told.problems.append(made.problem)
                    remarks.problem(made.problem)
                elif asking.skip or not told.problems:
                    joining.add(made.addition, made.facts)
                    _tell(told, made, remarks, everything=asking.everything)
    told.report = remarks.everything
    told.lines += remarks.lines()
    if not asking.skip:
        raise_if_any(of_each_kind(told.problems))
    return told


def usable_rows(problems: Sequence[Problem], *, skip: bool) -> None:
    """Raise :class:`InputError` where rows of a table are wrong and must not be passed over."""
    if problems and not skip:
        with reported(len(problems) > FEW) as remarks:
            for one in problems:
                remarks.problem(one)
        raise InputError(of_each_kind(problems))
    raise_if_any(one for one in problems if isinstance(one, CutShort))


def _drafts(
    found: Gathered, orders: Orders, asking: Asking, ids: Ids, problems: list[Problem]
) -> Iterator[Draft]:
    """Yield what documents become, with ids of their own; what is wrong joins ``problems``.

    Where a person can be asked what is not said of a document, that is done here.
    """
    reader = cache(lambda: Reader(orders))
    tasks = (_task(one, asking) for one in found)
    made = outcomes(tasks, orders, _jobs(found, asking), reader)
    for task, one in _counted(made, found.number, "reading"):
        outcome: Outcome = one
        if isinstance(outcome, Unsaid):
            task = replace(task, answers=asking.person(task.found.place, outcome))
            outcome = reader().read(task)
        if isinstance(outcome, Draft):
            wished = outcome.addition.source_id
            source_id = orders.source_id or ids.free(wished)
            if source_id != wished and orders.names(source_id, wished):
                outcome = reader().read(replace(task, source_id=source_id))
            elif source_id != wished:
                outcome = outcome.named(source_id)
        if isinstance(outcome, Draft):
            ids.take(outcome.addition.source_id)
            yield outcome
        elif isinstance(outcome, Refused):
            problems += outcome.problems


def _task(one: Found, asking: Asking) -> Task:
    try:
        return Task(one, asking.known(one))
    except InputError as error:
        return Task(one, wrong=tuple(error.problems))


def _jobs(found: Gathered, asking: Asking) -> int:
    """Return by how many processes documents are read: a few are read sooner by this one."""
    if not all(one.apart for one in found.here):
        return 1
    if asking.jobs:
        return asking.jobs
    return min(processors(), _MOST_JOBS) if found.number >= _MANY else 1


def _judgements(
    index: Indexer, spool: Spool, orders: Orders, text: Callable[[str], str | None], jobs: int,
    folder: Path,
) -> Iterator[Judged]:  # fmt: skip
    """Yield drafts with what they repeat of the corpus, of those before, and of themselves."""
    ready = index.index()
    names = list(spool.names)
    judge = Judge(ready, names, orders.duplicates, text, orders.version_of)
    pairs = earlier_pairs(ready, names, orders.duplicates, jobs, folder)
    for place, own in enumerate(_counted(pairs, len(names), "comparing and writing")):
        yield judge.judged(spool.get(place), own)


def _tell(told: Told, made: Judged, remarks: Remarks, *, everything: bool) -> None:
    """Take what is to be said of a source that joins."""
    one = made.addition
    told.sources += 1
    told.passages += len(one.passages)
    told.words += sum(row.words for row in one.passages)
    if not remarks.everything:
        told.lines += [*shown(one, everything=everything), *(f"  {line}" for line in made.lines)]
        return
    lines = [f"read as {one.kind} by {one.read_by}", *(f"note: {note}" for note in one.notes)]
    for line in [*lines, *made.lines]:
        remarks.add(one.record["origin"], one.source_id, JOINED, line)
    for reason, number in left_out(one):
        line = f"left out: {reason}"
        remarks.add(one.record["origin"], one.source_id, JOINED, line, number)


def _counted(items: Iterable[Item], number: int, doing: str) -> Iterator[Item]:
    """Yield items while a bar says how many there were, and how long the rest takes."""
    with stepping(number, " documents", doing) as step:
        for item in items:
            yield item
            step()
