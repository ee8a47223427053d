"""Options that declare what the values of a column mean."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framing.acquire.codings.values import Said


def add_values(parser: argparse.ArgumentParser) -> None:
    """Add the options ``--yes``, ``--no``, ``--missing``, ``--value`` and ``--value-labels``."""
    values = parser.add_argument_group("what values mean (upper and lower case are one)")
    for option, default in (("--yes", 1), ("--no", 0)):
        values.add_argument(
            option, action="append", metavar="VALUE",
            help=f"repeat it (default: {default} and nothing else)",
        )  # fmt: skip
    values.add_argument(
        "--value", action="append", default=[], metavar="VALUE=LEVEL",
        help="which level of a code a value is, where it is not the level's own name or label; "
        "LEVEL may be CODE.LEVEL; repeat it",
    )  # fmt: skip
    values.add_argument(
        "--missing", action="append", default=[], metavar="VALUE",
        help="besides NA: not coded; repeat it ('' is an empty cell)",
    )  # fmt: skip
    values.add_argument(
        "--value-labels", action="store_true",
        help="of SPSS and Stata files: take the labels of values, not the values",
    )  # fmt: skip


def said_of(arguments: argparse.Namespace) -> Said:
    """Return what the command line says of values.

    Raises :class:`InputError` on a ``--value`` that is no pair.
    """
    from framing.acquire.codings.options import split_pairs
    from framing.acquire.codings.values import Said
    from framing.coding.codings import NOT_CODED

    plain = Said()
    return Said(
        plain.yes if arguments.yes is None else tuple(arguments.yes),
        plain.no if arguments.no is None else tuple(arguments.no),
        (NOT_CODED, *arguments.missing),
        tuple(split_pairs("--value", arguments.value, empty=True)),
    )
