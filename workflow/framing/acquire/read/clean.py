"""Cleaning paragraphs: pure functions; whatever they take out comes back with a reason.

In: lines with their places, the settings ``reading.clean``. Out: the lines that stay, and
:class:`Dropped` for the others. Pull quotes stay in the text and are left out when it is cut
(``units.repeats``): only there is it known which of two passages counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from framing.acquire.read.document import Dropped, Line, Turn
from framing.acquire.read.refuse import library
from framing.acquire.read.turns import label, labels_used

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
# Soft hyphen, zero width space, word joiner, byte order mark, marks of direction.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_LEFTOVER = re.compile(r"[\x80-\x84\x86-\x9f]")
_WORD = re.compile(r"\w+")
_CLOSED = re.compile(r"[.?!…:][\"'”’»)\]]*$")
_MARK = re.compile(
    r"(?<=[\w.,;:!?\"”’)])(?P<bracket>\[\d{1,3}\])"
    # Not in square metres and the like.
    r"|(?<=[\w.,;:!?\"”’)])(?<!\bm)(?<!\b[kcmd]m)(?P<raised>[⁰¹²³⁴-⁹]{1,3})"
)
_NOTE = re.compile(r"^(?:\[(\d{1,3})\]|([⁰¹²³⁴-⁹]{1,3}))\s*\S")

Reason = Callable[[Line], str | None]


def repair(text: str) -> str:
    """Return a line with mojibake, ligatures, soft hyphens and odd spaces put right, in NFC.

    Quotation marks and dashes stay as they are.

    >>> repair("the  eﬃ\u00adcient\u00a0caf\u00c3\u00a9")
    'the efficient café'
    """
    ftfy = library("ftfy", "the text")
    before = None
    # Until nothing changes: what one step takes out may bring together what another mends. It ends,
    # as every step but the last leaves fewer characters.
    while text != before:
        before = text
        # Mojibake holds controls above 0x7f, so only those below go before it is mended.
        text = str(ftfy.fix_encoding(_CONTROL.sub("", text)))
        text = _LEFTOVER.sub("", _UNSEEN.sub("", text.translate(_LIGATURES)))
        text = unicodedata.normalize("NFC", " ".join(text.split()))
    return text


def take_out(lines: Sequence[Line], reason: Reason) -> tuple[list[Line], list[Dropped]]:
    """Return the lines for which ``reason`` gives None, and the others with their reasons."""
    kept: list[Line] = []
    dropped: list[Dropped] = []
    for line in lines:
        why = reason(line)
        if why is None:
            kept.append(line)
        else:
            dropped.append(Dropped(line.place, line.text, why))
    return kept, dropped


def without_words(line: Line) -> str | None:
    """Give the reason to leave out a line that has neither letter nor digit (a stray bracket)."""
    return None if _WORD.search(line.text) else "no words"


def boilerplate(settings: Mapping[str, Any]) -> Reason:
    """Return the test for lines of a page that are no part of its text."""
    whole = {bare(entry) for entry in settings["boilerplate"]}
    openings = tuple(bare(entry) + " " for entry in settings["boilerplate_openings"])

    def reason(line: Line) -> str | None:
        words = bare(line.text)
        opens = f"{words} ".startswith(openings) if openings else False
        short = len(line.text.split()) <= settings["boilerplate_words"]
        return "boilerplate" if words in whole or (opens and short) else None

    return reason


def bare(text: str) -> str:
    """Return the words of a text, for comparing: case and punctuation do not matter."""
    return " ".join(_WORD.findall(text.casefold()))


def caption(settings: Mapping[str, Any]) -> Reason:
    """Return the test for captions and credits: short lines with a mark of rights or of a photo."""

    def reason(line: Line) -> str | None:
        short = len(line.text.split()) <= settings["caption_words"]
        if short and any(mark in line.text for mark in settings["credits"]):
            return "caption or credit"
        return None

    return reason


def without_doubles(lines: Sequence[Line], within: int) -> tuple[list[Line], list[Dropped]]:
    """Leave out a line that stands again at most ``within`` lines later (headings, captions).

    Whole sentences may be said twice, so a line with an end mark stays, and so does a label of a
    speaker on a line of its own.
    """
    kept: list[Line] = []
    dropped: list[Dropped] = []
    for number, line in enumerate(lines):
        words = bare(line.text)
        near = (bare(other.text) for other in lines[max(0, number - within) : number])
        if words and not _CLOSED.search(line.text) and words in near:
            dropped.append(Dropped(line.place, line.text, "doubled line"))
        else:
            kept.append(line)
    return kept, dropped


def without_footnotes(lines: Sequence[Line]) -> tuple[list[Line], list[Dropped]]:
    """Take out footnote marks ([3], ¹) and the notes at which they point.

    A note is a line that begins with a mark which an earlier line holds within it.
    """
    kept: list[Line] = []
    dropped: list[Dropped] = []
    seen: set[str] = set()
    for line in lines:
        note = _NOTE.match(line.text)
        if note and (note.group(1) or _digits(note.group(2))) in seen:
            dropped.append(Dropped(line.place, line.text, "footnote"))
            continue
        marks = [found.group() for found in _MARK.finditer(line.text)]
        seen |= {_digits(mark.strip("[]")) for mark in marks}
        dropped += [Dropped(line.place, mark, "footnote mark") for mark in marks]
        kept.append(Line(_MARK.sub("", line.text), line.place) if marks else line)
    return kept, dropped


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(sign)) for sign in text)


def clean(lines: Sequence[Line], settings: Mapping[str, Any]) -> tuple[list[Line], list[Dropped]]:
    """Return the lines that are text, repaired, and everything that was taken out.

    Every word of the repaired lines is in one or the other.
    """
    repaired = [Line(repair(line.text), line.place) for line in lines]
    repaired = [line for line in repaired if line.text]
    kept, dropped = take_out(repaired, without_words)
    for reason in (boilerplate(settings), caption(settings)):
        kept, out = take_out(kept, reason)
        dropped += out
    kept, out = without_doubles(kept, settings["doubled_within"])
    dropped += out
    if settings["footnotes"]:
        kept, out = without_footnotes(kept)
        dropped += out
    return kept, dropped


def turns(
    lines: Sequence[Line], settings: Mapping[str, Any], speakers: Mapping[str, str | None] | None
) -> list[Turn]:
    """Return lines as turns. ``speakers`` maps places to speakers where the format names them.

    Otherwise labels at the start of lines do (settings ``units.turns``); they come off the text.
    """
    made: list[Turn] = []
    if speakers is not None:
        current: str | None = None
        for line in lines:
            speaker = speakers.get(line.place)
            opens = speaker if speaker is not None and speaker != current else None
            made.append(Turn(line.text, speaker, opens or "", line.place))
            current = speaker
        return made
    known = labels_used([line.text for line in lines], settings)
    voice: str | None = None
    for line in lines:
        found = label(line.text)
        if found and found[0] in known:
            voice, length = found
            # As it stands, so that a title in brackets after the name is not lost.
            written = re.sub(r"\s*[*_]*\s*:[*_]*\s*$", "", line.text[:length]).strip("*_ ")
            made.append(Turn(line.text[length:], voice, written, line.place))
        else:
            made.append(Turn(line.text, voice, "", line.place))
    return made
