"""A run: tasks to a program, its answers to the record, within a budget, until nothing is left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from framing.acquire.machine.asking import Failure, Program, Reply, Task
from framing.acquire.machine.budget import Budget, asked_tokens
from framing.acquire.machine.prompt import VERSION, Passage, Prompt
from framing.acquire.machine.record import FORMAT, Entry, answered
from framing.common.files import sha256


@dataclass
class Outcome:
    """What came of a run: answers, those that could not be used, and why it ended early, if it did.

    ``failures`` are of tasks without an answer; ``ended`` says in a sentence why tasks were not
    begun, empty where all were.
    """

    answers: int = 0
    unusable: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    counted: bool = True
    failures: list[Failure] = field(default_factory=list)
    ended: str = ""


@dataclass(frozen=True)
class Context:
    """What stands beside every answer in the record."""

    program: str
    asked: str
    prompt: Prompt
    codebook: str
    settings: Mapping[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        """Return what must be the same of all answers of a coder."""
        return {"program": self.program, "asked": self.asked, "prompt": self.prompt.digest,
                "settings": dict(self.settings)}  # fmt: skip


def open_tasks(
    passages: Sequence[Passage], repeats: int, prompt: Prompt, entries: Sequence[Entry],
    anew: bool = False,
) -> list[Task]:  # fmt: skip
    """Return what is still to be asked: first all passages once, then all of them again.

    What the record has is not asked, unless what is shown of the passage has changed since; or,
    with ``anew``, its answer could not be used.
    """
    known = answered(entries)

    def done(passage: Passage, repeat: int) -> bool:
        entry = known.get((passage.name, repeat))
        if entry is None or (anew and entry["codes"] is None):
            return False
        return bool(entry["passage"] == digest_of(prompt, passage))

    return [
        Task(passage, repeat)
        for repeat in range(1, repeats + 1)
        for passage in passages
        if not done(passage, repeat)
    ]


def digest_of(prompt: Prompt, passage: Passage) -> str:
    """Return the digest of what is asked about one passage."""
    return sha256(prompt.message(passage))


def sent_tokens(prompt: Prompt, task: Task, settings: Mapping[str, Any]) -> int:
    """Return how many tokens a question is estimated to be."""
    return asked_tokens(prompt.system, prompt.message(task.passage), json.dumps(prompt.schema),
                        settings["bytes_per_token"])  # fmt: skip


def carry_out(
    tasks: Sequence[Task],
    program: Program,
    budget: Budget,
    context: Context,
    settings: Mapping[str, Any],
    add: Callable[[Entry], None],
    seen: Callable[[], None] = lambda: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Outcome:
    """Ask all of ``tasks``, as far as the budget goes, and add each answer to the record.

    Ends early where a failure is fatal, and where ``machine_coders.given_up`` tasks in a row got no
    answer. ``seen`` is called after each answer.
    """
    outcome = Outcome()

    def granted() -> Iterator[Task]:
        for number, task in enumerate(tasks):
            key = (task.passage.name, task.repeat)
            if not budget.grant(key, sent_tokens(context.prompt, task, settings)):
                outcome.ended = (
                    f"the budget is used up: {len(tasks) - number} questions were not asked"
                )
                return
            yield task

    in_a_row = 0
    answers = program.answers(granted())
    try:
        for one in answers:
            key = (one.task.passage.name, one.task.repeat)
            if isinstance(one, Failure):
                outcome.failures.append(one)
                budget.settle(key, 0, 0)
                in_a_row += 1
                if one.fatal or in_a_row >= settings["given_up"]:
                    outcome.ended = "no answers came any more"
                    break
                continue
            in_a_row = 0
            budget.settle(key, one.input_tokens, one.output_tokens)
            add(entry_of(one, context, now()))
            _count(outcome, one)
            seen()
    finally:
        close = getattr(answers, "close", None)
        if close is not None:
            close()
    return outcome


def _count(outcome: Outcome, reply: Reply) -> None:
    outcome.answers += 1
    outcome.unusable += not reply.reading.usable
    outcome.input_tokens += reply.input_tokens
    outcome.output_tokens += reply.output_tokens
    outcome.counted &= reply.counted


def entry_of(reply: Reply, context: Context, now: datetime) -> Entry:
    """Return an answer as the record has it."""
    reading = reply.reading
    return {
        "format": FORMAT,
        "passage_id": reply.task.passage.name,
        "passage": digest_of(context.prompt, reply.task.passage),
        "repeat": reply.task.repeat,
        **context.identity,
        "prompt_version": VERSION,
        "codebook": context.codebook,
        "model": reply.model,
        "fingerprint": reply.fingerprint,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round(reply.seconds, 3),
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
        "counted": reply.counted,
        "tries": [
            {"finish": one.finish, "defect": one.reading.defect, "answer": dict(one.reading.kept)}
            for one in reply.tries
        ],
        "codes": None if reading.codes is None else dict(reading.codes),
        "unsure": reading.unsure,
        "reason": reading.defect,
    }
