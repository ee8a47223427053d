"""What passes between a run and a program that codes: tasks, replies, failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from framing.acquire.machine.answers import Reading
from framing.acquire.machine.prompt import Passage, Prompt
from framing.codebook.codes import Code


@dataclass(frozen=True)
class Task:
    """One question: a passage, and which repeat of it (from 1)."""

    passage: Passage
    repeat: int


@dataclass(frozen=True)
class Try:
    """One answer to a task, as it was read, and why the program says that it ended."""

    reading: Reading
    finish: str = ""


@dataclass(frozen=True)
class Reply:
    """What a program answered to a task: one try, or two where the first could not be used.

    ``model`` is as the program names it. ``counted`` says that tokens are its own count, and not an
    estimate.
    """

    task: Task
    tries: tuple[Try, ...]
    model: str
    input_tokens: int
    output_tokens: int
    counted: bool
    seconds: float
    fingerprint: str = ""

    @property
    def reading(self) -> Reading:
        """Return the answer that counts: the last."""
        return self.tries[-1].reading


@dataclass(frozen=True)
class Failure:
    """A task without an answer, which can be asked again: ``what`` happened, and the remedy.

    ``fatal`` says that all others would fare alike.
    """

    task: Task
    what: str
    remedy: str
    fatal: bool = False


@dataclass(frozen=True)
class Asking:
    """What a program is made from: what it is to be told, and what options say of it.

    ``key`` is the secret of a server; a program never lets it out.
    """

    prompt: Prompt
    codes: Mapping[str, Code]
    settings: Mapping[str, Any]
    model: str
    endpoint: str = ""
    command: str = ""
    key: str = ""


class Program(Protocol):
    """A program that codes."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the settings that its answers hang on, as plain data fit for a record."""

    def answers(self, tasks: Iterator[Task]) -> Iterator[Reply | Failure]:
        """Yield a reply or a failure to each task, in any order.

        Tasks are taken when there is room for them, and not before: what they are taken from stops
        where a budget ends. Raises :class:`framing.common.problems.InputError` where the program
        cannot begin.
        """
