"""Any executable that codes: JSON Lines of passages to its input, of codings from its output."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import IO, Any

from framing.acquire.machine.answers import read_answer
from framing.acquire.machine.asking import Asking, Failure, Program, Reply, Task, Try
from framing.acquire.machine.prompt import PASSAGE_ID
from framing.common.files import sha256
from framing.common.problems import InputError, Problem

REPEAT = "repeat"
_JOINED = 5  # seconds at most for pipes to close, which a child of the executable may hold open


def program(asking: Asking) -> Program:
    """Return the executable that options name; it is not started yet.

    Raises :class:`InputError` where options do not say what it is.
    """
    try:
        words = shlex.split(asking.command)
    except ValueError as error:
        raise InputError(
            Problem("--command", f"cannot be read ({error})", "Close its quotes.")
        ) from None
    if not words or not asking.model:
        raise InputError(
            Problem("--program command", "is to run something, and --command or --model is not "
                    "given",
                    'Give --command "PROGRAM ARGUMENTS", and --model with what it is, and its '
                    "version.")
        )  # fmt: skip
    return Command(asking, words)


class Command:
    """An executable, started once for all passages, in the project's folder and without a shell."""

    def __init__(self, asking: Asking, words: list[str]) -> None:
        self._asking, self._words = asking, words

    @property
    def identity(self) -> Mapping[str, Any]:
        """Return the digest of the command line, which may name folders of this machine."""
        return {"command": sha256(self._asking.command)}

    def answers(self, tasks: Iterator[Task]) -> Iterator[Reply | Failure]:
        """Yield a reply or a failure to each task, in the order in which the executable answers."""
        asked = {(task.passage.name, task.repeat): task for task in tasks}
        if not asked:
            return
        try:
            running = subprocess.Popen(
                self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                encoding="utf-8", errors="backslashreplace",
            )  # fmt: skip
        except OSError as error:
            what = f"cannot be started ({error.strerror})"
            raise InputError(Problem("--command", what, "Correct it.")) from None
        assert running.stdin is not None and running.stdout is not None
        lines: Queue[str | None] = Queue()
        # Both at once: who reads all before the first answer must not wait for whom it waits for.
        works = [
            Thread(target=_write, args=(running.stdin, list(asked.values())), daemon=True),
            Thread(target=_read, args=(running.stdout, lines), daemon=True),
        ]
        for work in works:
            work.start()
        try:
            yield from self._replies(lines, asked)
        finally:
            running.kill()
            running.wait()
            for work in works:
                work.join(_JOINED)

    def _replies(
        self, lines: Queue[str | None], asked: dict[tuple[str, int], Task]
    ) -> Iterator[Reply | Failure]:
        seconds = self._asking.settings["seconds"]
        what, begun = "ended without an answer", monotonic()
        while asked:
            try:
                line = lines.get(timeout=seconds)
            except Empty:
                what = f"gave no line for {seconds:g} seconds"
                break
            if line is None:
                break
            found = _object(line)
            task = asked.pop((str(found.pop(PASSAGE_ID, "")), _number(found.pop(REPEAT, 1))), None)
            if task is None:
                what = "gave a line that is no answer for a passage it was asked about"
                break
            found[PASSAGE_ID] = task.passage.name
            text = json.dumps(found, ensure_ascii=False)
            reading = read_answer(text, task.passage.name, self._asking.codes)
            now = monotonic()
            yield Reply(task, (Try(reading),), self._asking.model, 0, 0, True, now - begun)
            begun = now
        for task in asked.values():
            yield Failure(task, f"the command {what}", "Look at what it says, and run the same "
                          "again: what was answered is not asked again.", fatal=True)  # fmt: skip


def _write(place: IO[str], tasks: list[Task]) -> None:
    try:
        with place:
            for task in tasks:
                one = {PASSAGE_ID: task.passage.name, REPEAT: task.repeat,
                       **dict(task.passage.about), "text": task.passage.text}  # fmt: skip
                place.write(json.dumps(one, ensure_ascii=False) + "\n")
    except OSError:
        pass  # it has ended: what it did not answer is told


def _read(place: IO[str], lines: Queue[str | None]) -> None:
    try:
        with place:
            for line in place:
                lines.put(line)
    finally:
        lines.put(None)


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
