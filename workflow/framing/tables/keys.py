"""Keys of tables, such as ``T4-3fa9c1d2e0b7``: which numbers are meant, for ever."""

from __future__ import annotations

import re
from collections.abc import Iterable

from framing.common.files import sha256
from framing.common.problems import InputError, Problem

KEY_DIGITS = 12
_KEY = re.compile(r"(T[0-9]+)-([0-9a-f]{12,64})")


def key_of(table: str, csv: bytes | str) -> str:
    """Return the key of a table by its id and the contents of its CSV file."""
    return f"{short(table)}-{sha256(csv)[:KEY_DIGITS]}"


def parse_key(text: str) -> tuple[str, str]:
    """Return the table's number and the digits of a digest that a key is made of.

    Raises :class:`InputError` where it is no key.
    """
    match = _KEY.fullmatch(text.strip())
    if match is None:
        raise InputError(
            Problem(repr(text), "is no key of a table",
                    "A key is a table's number and 12 hexadecimal digits: T4-3fa9c1d2e0b7.")
        )  # fmt: skip
    return match[1], match[2]


def short(table: str) -> str:
    """Return a table's number, which is never given twice: ``T4`` of ``T4-prevalence``."""
    return table.partition("-")[0]


def table_named(name: str, known: Iterable[str]) -> str:
    """Return the id of the table that a number or id stands for (``T4``, ``t4-prevalence``).

    Raises :class:`InputError` where there is no such table.
    """
    ids = list(known)
    for one in ids:
        if name.lower() in (one.lower(), short(one).lower()):
            return one
    listed = ", ".join(sorted(ids, key=lambda one: (len(short(one)), one))) or "none"
    raise InputError(Problem(repr(name), "is no table of these results", f"Tables: {listed}."))
