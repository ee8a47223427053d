"""Bars that show how far a command is, on standard error, if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TypeVar

Item = TypeVar("Item")
Bytes = Callable[[int, "int | None"], None]
"""Called with the bytes that came, and their number in all where that is known."""


@contextmanager
def bytes_bar(name: str) -> Iterator[Bytes | None]:
    """Give what shows the bytes of a page; None where there is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with _bar(desc=name, unit="B", unit_scale=True, unit_divisor=1024) as shown:

        def progress(came: int, total: int | None) -> None:
            shown.total = total
            shown.update(came - shown.n)

        yield progress


def counted(items: Sequence[Item], unit: str, doing: str = "") -> Iterable[Item]:
    """Return the items, to be gone through once; several are counted on a terminal."""
    if len(items) < 2 or not sys.stderr.isatty():
        return items
    bar: Iterable[Item] = _bar(items, unit=unit, desc=doing or None)
    return bar


@contextmanager
def stepping(number: int, unit: str, doing: str = "") -> Iterator[Callable[[], None]]:
    """Give what is called after each of so many steps; it does nothing without a terminal."""
    if number < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    with _bar(total=number, unit=unit, desc=doing or None) as shown:
        yield shown.update


def _bar(items: object = None, **settings: object):  # type: ignore[no-untyped-def]  # has no types
    return import_module("tqdm").tqdm(items, leave=False, file=sys.stderr, **settings)
