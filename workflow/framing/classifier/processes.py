"""Blocks of passages coded in this process or in several, in their order either way."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from framing.classifier.apply import Instrument, load_instrument
from framing.classifier.blocks import BlockCoder, Coding
from framing.common.problems import InputError, Problem

Blocks = Callable[[Iterable[Sequence[str]]], Iterator[list[Coding]]]
"""Given blocks of texts, yields what comes of each, in order; it reads few blocks ahead."""

_AHEAD = 2  # blocks a process has waiting, so that it never waits itself


def coded_here(instrument: Instrument) -> Blocks:
    """Return what codes blocks in this process, one at a time."""
    coder = BlockCoder(instrument)
    return lambda blocks: map(coder.code, blocks)


def coded_by(jobs: int) -> Blocks:
    """Return what codes blocks by so many processes, each with the project's own instrument.

    They are started afresh, not copied from this one, so that they are the same on every system.
    Raises :class:`InputError` where one of them is killed.
    """

    def coded(blocks: Iterable[Sequence[str]]) -> Iterator[list[Coding]]:
        start = multiprocessing.get_context("spawn")
        waiting: deque[Future[list[Coding]]] = deque()
        pool = ProcessPoolExecutor(jobs, start, _begin, (str(Path.cwd()),))
        try:
            for block in blocks:
                waiting.append(pool.submit(_code, block))
                if len(waiting) > jobs * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise InputError(
                Problem("framing classify", "lost one of its processes, perhaps for lack of memory",
                        "Run it again with fewer --jobs.")
            ) from None  # fmt: skip
        finally:
            pool.shutdown(cancel_futures=True)

    return coded


_coder: BlockCoder | None = None  # of a process that codes


def _begin(folder: str) -> None:
    """Make a process ready to code by the project in ``folder``."""
    import os

    global _coder
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that started it says when to stop
    os.chdir(folder)
    _coder = BlockCoder(load_instrument())


def _code(block: Sequence[str]) -> list[Coding]:
    assert _coder is not None
    return _coder.code(block)
