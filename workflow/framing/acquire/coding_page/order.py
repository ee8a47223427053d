"""In which order a coder meets the passages of a draw: an order of one's own, at random.

Each passage gets the SHA-256 digest of ``coder/draw/passage``, and passages come in the order of
these digests. They behave like independent uniform numbers (permanent random numbers: Ohlsson
1995), so every coder has another random order, the same on every machine and at every start, and
anyone can work it out anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from framing.common.files import sha256

RULE = "by SHA-256 of coder/draw/passage_id"


def own_order(passages: Iterable[str], coder: str, draw: int) -> list[str]:
    """Return passages of a draw in the order in which a coder meets them."""
    return sorted(passages, key=lambda name: (sha256(f"{coder}/{draw}/{name}"), name))


def order_digest(passages: Sequence[str]) -> str:
    """Return the digest of an order, which the journal has on record."""
    return sha256("".join(f"{name}\n" for name in passages))


def lettered(coders: Iterable[str], key: str, passage: str) -> dict[str, str]:
    """Return a letter for each coder of a passage: another order for each passage.

    ``key`` is who is shown them.
    """
    ranked = sorted(coders, key=lambda name: (sha256(f"{key}/{passage}/{name}"), name))
    return {name: _letter(number) for number, name in enumerate(ranked)}


def _letter(number: int) -> str:
    letters = ""
    while number >= 0:
        letters = chr(ord("A") + number % 26) + letters
        number = number // 26 - 1
    return letters
