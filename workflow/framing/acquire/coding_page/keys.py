"""Which key chooses which level of which code."""

from __future__ import annotations

from collections.abc import Sequence

from framing.codebook.codes import Code, Level

RESERVED = {
    "b": "back", "c": "context", "d": "doubts", "k": "codebook", "m": "memo", "r": "reason",
    "s": "skip", "u": "unsure",
}  # fmt: skip
"""Keys that do something else at the page."""
_SIGNS = "1234567890" + "".join(letter for letter in "efghijlnopqtvwxyza" if letter not in RESERVED)


def shown_levels(code: Code) -> list[Level]:
    """Return a code's levels as the page has them: those that are counted first.

    So the first key of a yes/no code means yes, wherever it stands.
    """
    counted = set(code.counted)
    return [*code.counted, *(level for level in code.levels if level not in counted)]


def keys_of(codes: Sequence[Code]) -> dict[tuple[str, str], str]:
    """Return the key of each ``(code, level)``; levels beyond the last key have none.

    A single code whose levels are called by a digit each has these as keys: 0 is never "yes".
    """
    if len(codes) == 1 and all(
        len(n) == 1 and n.isascii() and n.isdecimal() for n in codes[0].cells
    ):
        return {(codes[0].name, name): name for name in codes[0].cells}
    pairs = [(code.name, level.name) for code in codes for level in shown_levels(code)]
    return dict(zip(pairs, _SIGNS, strict=False))
