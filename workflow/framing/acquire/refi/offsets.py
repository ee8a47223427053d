"""How a program counted the characters of its texts.

REFI-QDA counts Unicode code points of the plain text from 0, CR LF being two, and its own examples
give the end as the first character behind a selection. Programs count otherwise: UTF-16 units,
every line end as one or as two whatever stands in the file, the end as the last character. A
selection's ``name`` mostly is the text that was selected, so the file itself shows it: the standard
holds unless another way of counting makes strictly more names agree with what they name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

_LINE_END = re.compile(r"\r\n|\r|\n")
_LEAST = 3  # characters that a name must have to say something
_CUT = 30  # a name as long as this may have been cut off without a sign of it
FROM_FILE, ONE, TWO = "as in the file", "one", "two"


@dataclass(frozen=True)
class Counting:
    """A way of counting: UTF-16 units or code points, what a line end counts, what the end is."""

    utf16: bool = False
    lines: str = FROM_FILE
    inclusive: bool = False

    def __str__(self) -> str:
        """Return it in words."""
        unit = "UTF-16 units" if self.utf16 else "code points"
        lines = (
            "line ends as in the file" if self.lines == FROM_FILE else f"a line end as {self.lines}"
        )
        return f"{unit}, {lines}, the end {'included' if self.inclusive else 'excluded'}"


STANDARD = Counting()
WAYS = tuple(
    Counting(utf16, lines, inclusive)
    for inclusive, utf16, lines in product((False, True), (False, True), (FROM_FILE, ONE, TWO))
)


@dataclass(frozen=True)
class Quoted:
    """Offsets as they stand in a file, the raw text they are of, and the selection's name."""

    raw: str
    start: int
    end: int
    name: str


def with_line_feeds(raw: str) -> str:
    """Return a text whose lines end in LF."""
    return _LINE_END.sub("\n", raw)


class Scale:
    """The offsets of a program in a text, and which characters of the text (LF) they stand for."""

    def __init__(self, raw: str, counting: Counting) -> None:
        self._inclusive = int(counting.inclusive)
        text = with_line_feeds(raw)
        points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        width = np.ones(len(points), dtype=np.int64)
        if counting.utf16:
            width[points > 0xFFFF] = 2
        breaks = points == ord("\n")
        if counting.lines == TWO:
            width[breaks] = 2
        elif counting.lines == FROM_FILE and "\r" in raw:
            width[breaks] = [len(one.group()) for one in _LINE_END.finditer(raw)]
        self._edges: npt.NDArray[np.int64] = np.concatenate([[0], np.cumsum(width)])

    @property
    def length(self) -> int:
        """Return how long the text is by this counting."""
        return int(self._edges[-1])

    def characters(self, start: int, end: int) -> tuple[int, int]:
        """Return start and end as code points of the text with LF.

        A place inside a character or a line end counts as before it, for an end as behind it.
        """
        end = min(end + self._inclusive, self.length)
        first = int(np.searchsorted(self._edges, start, side="right")) - 1
        return first, int(np.searchsorted(self._edges, end, side="left"))


def says(name: str, text: str) -> bool:
    """Return whether a selection's name is its text, perhaps cut off; white space aside.

    >>> says("The lock opened …", "The lock\\nopened at noon"), says("The lock", "he lock ")
    (True, False)
    """
    called, real = " ".join(name.split()), " ".join(text.split())
    whole = called.rstrip(". …") if called.endswith(("…", "...")) else called
    if whole != called or len(called) >= _CUT:
        return real == called or real.startswith(whole)
    return real == called


def agreeing(quoted: Sequence[Quoted], counting: Counting) -> int:
    """Return how many selections have a name that is their text under ``counting``."""
    scales: dict[str, tuple[str, Scale]] = {}
    found = 0
    for one in quoted:
        if one.raw not in scales:
            scales[one.raw] = with_line_feeds(one.raw), Scale(one.raw, counting)
        text, scale = scales[one.raw]
        start, end = scale.characters(max(one.start, 0), one.end)
        found += says(one.name, text[start:end])
    return found


def counting_of(quoted: Iterable[Quoted]) -> tuple[Counting, str]:
    """Return how the offsets of a project were counted, and the evidence in words."""
    named = [one for one in quoted if len(one.name.strip()) >= _LEAST and one.start <= one.end]
    best, most = STANDARD, agreeing(named, STANDARD)
    standard = most
    if most < len(named):
        for way in WAYS[1:]:
            number = agreeing(named, way)
            if number > most:
                best, most = way, number
    words = f"{best}: the names of {most} of {len(named)} selections agree"
    return best, words + (f", by the standard of {standard}" if best != STANDARD else "")
