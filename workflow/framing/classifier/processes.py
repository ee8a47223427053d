"""Blocks of passages coded in this process or in several, in their order either way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from framing.classifier.apply import Instrument, load_instrument
from framing.classifier.blocks import BlockCoder, Coding
from framing.common.processes import in_order

Blocks = Callable[[Iterable[Sequence[str]]], Iterator[list[Coding]]]
"""Given blocks of texts, yields what comes of each, in order; it reads few blocks ahead."""


def coded_here(instrument: Instrument) -> Blocks:
    """Return what codes blocks in this process, one at a time."""
    coder = BlockCoder(instrument)
    return lambda blocks: map(coder.code, blocks)


def coded_by(jobs: int) -> Blocks:
    """Return what codes blocks by so many processes, each with the project's own instrument.

    Raises :class:`InputError` where one of them is killed.
    """
    return lambda blocks: in_order(_code, blocks, jobs, "framing classify", _begin)


_coder: BlockCoder | None = None  # of a process that codes


def _begin() -> None:
    """Make a process ready to code by the project in its folder."""
    global _coder
    _coder = BlockCoder(load_instrument())


def _code(block: Sequence[str]) -> list[Coding]:
    assert _coder is not None
    return _coder.code(block)
