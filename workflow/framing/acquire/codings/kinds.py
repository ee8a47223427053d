"""Many rows that are wrong in one way: one problem with a count and the first three."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from framing.common.problems import Problem

SHOWN = 3


def counted(number: int, word: str) -> str:
    """Return a number with its word: ``1 row``, ``2 rows``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def first_three(spots: Sequence[str]) -> str:
    """Return the first three of ``spots`` on one line, and whether there are more."""
    return "; ".join(spots[:SHOWN]) + ("; and so on" if len(spots) > SHOWN else "")


def of_a_kind(
    place: str | Path, what: str, spots: Sequence[str], remedy: str, word: str = "row"
) -> list[Problem]:
    """Return one problem for all ``spots``, none where there are none.

    ``what`` has a place ``{}`` for how many there are: "no passage fits {}".
    """
    if not spots:
        return []
    told = what.replace("{}", counted(len(spots), word), 1)
    return [Problem(place, f"{told}: {first_three(spots)}", remedy)]


def gathered(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems with those of rows of one file and with one remedy made one, in order."""
    kinds: dict[tuple[str, str], list[Problem]] = defaultdict(list)
    for one in problems:
        kinds[str(one.place), one.remedy].append(one)
    found: list[Problem] = []
    for (place, remedy), same in kinds.items():
        if len(same) <= SHOWN or any(one.row is None for one in same):
            found += same
            continue
        spots = [f"line {one.row} {one.what}" for one in same]
        found += of_a_kind(place, "{} of one kind", spots, remedy, "problem")
    return found
