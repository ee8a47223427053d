"""Work done piece by piece by several processes, its results in the order of the pieces."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from framing.common.problems import InputError, Problem

Piece = TypeVar("Piece")
Result = TypeVar("Result")

MOST = 64
"""No command starts more processes."""

_AHEAD = 2  # pieces a process has waiting, so that it never waits itself


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    work: Callable[[Piece], Result],
    pieces: Iterable[Piece],
    jobs: int,
    command: str,
    begin: Callable[..., None] | None = None,
    told: tuple[Any, ...] = (),
) -> Iterator[Result]:
    """Yield ``work`` of each piece, in their order, done by so many processes.

    They are started afresh in this folder, not copied from this process, so that they are the same
    on every system; ``begin(*told)`` makes one ready. Pieces are taken as they are needed, few
    ahead. Raises :class:`InputError` that names ``command`` where a process is killed.
    """
    start = multiprocessing.get_context("spawn")
    waiting: deque[Future[Result]] = deque()
    pool = ProcessPoolExecutor(jobs, start, _begin, (str(Path.cwd()), begin, told))
    try:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > jobs * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise InputError(
            Problem(command, "lost one of its processes, perhaps for lack of memory",
                    "Run it again with fewer --jobs.")
        ) from None  # fmt: skip
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(folder: str, begin: Callable[..., None] | None, told: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that started it says when to stop
    os.chdir(folder)
    if begin is not None:
        begin(*told)
