"""PDFs to paragraphs, by pypdf: running heads off, lines joined, hyphens at line ends undone."""

from __future__ import annotations

import io
import logging
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

from framing.acquire.read.document import Dropped, Line, Raw
from framing.acquire.read.format import Format
from framing.acquire.read.refuse import library, refuse, version_of
from framing.common.problems import InputError

_NUMBER = re.compile(
    r"(?i)(?:page\s+)?[-–—\s|]*(?:\d{1,4}|[ivxlc]{1,7})[-–—\s|]*(?:(?:of|/)\s*\d{1,4})?"
)
_CLOSED = re.compile(r"[.?!:…][\"'”’»)\]]*\s*$")
_TORN = re.compile(r"(\w+)[-\u2010\u00ad]$")
_HYPHENATED = re.compile(r"\w+-\w+")


@dataclass(frozen=True)
class PageLine:
    """A line of a page: its text, and its height on the page where that is known."""

    text: str
    height: float | None = None


def read_pdf(data: bytes, place: str | Path, settings: Mapping[str, Any]) -> Raw:
    """Read a PDF that has a text layer.

    Raises :class:`InputError` where it is locked, broken, has too many pages or is a scan.
    """
    pypdf = library("pypdf", place)
    with _quiet():
        try:
            reader = pypdf.PdfReader(io.BytesIO(data))
            locked = reader.is_encrypted and not reader.decrypt("")
        except pypdf.errors.DependencyError:
            locked = True
        except Exception as error:
            refuse(place, f"is a broken PDF ({type(error).__name__})", _ANEW)
        if locked:
            refuse(place, "is a PDF protected by a password or encrypted",
                   "Save it without protection (print it to a PDF).")  # fmt: skip
        try:
            count = len(reader.pages)
            if count > settings["limits"]["pages"]:
                refuse(place, f"has {count} pages, more than {settings['limits']['pages']}",
                       "Add the part you need, or raise reading.limits.pages.")  # fmt: skip
            pages = [page_lines(page) for page in reader.pages]
            metadata = _facts(reader)
        except InputError:
            raise
        except Exception as error:
            refuse(place, f"is a broken PDF ({type(error).__name__})", _ANEW)
    own = settings["pdf"]
    letters = sum(len(line.text.strip()) for page in pages for line in page)
    if not pages or letters < own["scanned_below"] * len(pages):
        refuse(place, f"is a scan without text layer ({letters} characters on {len(pages)} pages)",
               "Recognise its text (OCR) and add the result.")  # fmt: skip
    pages, dropped = without_heads(pages, own)
    lines = paragraphs(pages, own)
    return Raw(lines, "pypdf", version_of("pypdf"), metadata, dropped)


_ANEW = "Get the file again, or open it and print it to a new PDF."


@contextmanager
def _quiet() -> Iterator[None]:
    # pypdf tells its logger of every small defect that it mends.
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def page_lines(page: Any) -> list[PageLine]:
    """Return the lines of a pypdf page that hold more than white space, in reading order."""
    lines: list[PageLine] = []
    parts: list[str] = []
    height: float | None = None

    def flush() -> None:
        nonlocal height
        text = "".join(parts).strip()
        parts.clear()
        if text:
            lines.append(PageLine(text, height))
        height = None

    def visit(text: str, current: Any, matrix: Any, font: Any, size: Any) -> None:
        nonlocal height
        for number, part in enumerate(text.split("\n")):
            if number:
                flush()
            parts.append(part)
            if part.strip() and height is None:
                height = float(matrix[4] * current[1] + matrix[5] * current[3] + current[5])

    page.extract_text(visitor_text=visit)
    flush()
    return lines


def without_heads(
    pages: Sequence[list[PageLine]], settings: Mapping[str, Any]
) -> tuple[list[list[PageLine]], list[Dropped]]:
    """Return the pages without running heads and page numbers, and those.

    Looked at from the edges inwards, at most ``edge_lines`` at the top and at the foot, until a
    line is neither: a number alone, or a line that, digits aside, stands there on
    ``repeated_pages`` pages and ``repeated_share`` of all.
    """
    edge = settings["edge_lines"]
    least = max(settings["repeated_pages"], settings["repeated_share"] * len(pages))
    counts = Counter(
        form
        for page in pages
        for form in {_form(line.text) for line in [*page[:edge], *page[-edge:]]}
    )

    def reason(line: PageLine) -> str | None:
        if _NUMBER.fullmatch(line.text.strip()):
            return "page number"
        return "running head" if counts[_form(line.text)] >= least else None

    kept: list[list[PageLine]] = []
    dropped: list[Dropped] = []
    for number, page in enumerate(pages, start=1):
        top = list(takewhile(reason, page[:edge]))
        foot = list(takewhile(reason, reversed(page[len(top) :][-edge:])))
        kept.append(page[len(top) : len(page) - len(foot)])
        dropped += [
            Dropped(f"page {number}", line.text, str(reason(line))) for line in (*top, *foot[::-1])
        ]
    return kept, dropped


def _form(text: str) -> str:
    return re.sub(r"\d+", "#", " ".join(text.split())).casefold()


def paragraphs(pages: Sequence[list[PageLine]], settings: Mapping[str, Any]) -> list[Line]:
    """Return the paragraphs: lines joined where neither a gap nor a short last line parts them."""
    everything = [line.text for page in pages for line in page]
    compounds = {word.casefold() for text in everything for word in _HYPHENATED.findall(text)}
    lengths = sorted(len(text) for text in everything)
    full = lengths[int(0.9 * (len(lengths) - 1))] if lengths else 0
    made: list[Line] = []
    before: PageLine | None = None
    for number, page in enumerate(pages, start=1):
        gap = _usual_gap(page)
        for at, line in enumerate(page):
            if before is None or _parted(before if at else PageLine(before.text), line, gap, full,
                                         settings):  # fmt: skip
                made.append(Line(line.text, f"page {number}"))
            else:
                made[-1] = Line(joined(made[-1].text, line.text, compounds), made[-1].place)
            before = line
    return made


def _usual_gap(page: Sequence[PageLine]) -> float | None:
    heights = [line.height for line in page if line.height is not None]
    gaps = [a - b for a, b in pairwise(heights) if a - b > 0.5]
    return statistics.median_low(gaps) if gaps else None


def _parted(
    before: PageLine, line: PageLine, gap: float | None, full: int, settings: Mapping[str, Any]
) -> bool:
    if gap is not None and before.height is not None and line.height is not None:
        jump = before.height - line.height
        if jump > settings["paragraph_gap"] * gap:
            return True
    ended = bool(_CLOSED.search(before.text))
    return ended and len(before.text) < settings["short_line"] * full


def joined(text: str, line: str, compounds: set[str]) -> str:
    """Return ``text`` with the next line; a word torn by a hyphen is made whole.

    The hyphen stays where ``compounds`` has the word with it, or no small letter follows.

    >>> joined("a long trans-", "formation", set())
    'a long transformation'
    >>> joined("an on-", "going talk", {"on-going"})
    'an on-going talk'
    """
    torn = _TORN.search(text)
    if not torn:
        return f"{text} {line}"
    following = re.match(r"\w+", line)
    if following is None or not line[0].islower():
        return f"{text}{line}"
    if f"{torn.group(1)}-{following.group()}".casefold() in compounds:
        return f"{text}{line}"
    return f"{text[:-1]}{line}"


def _facts(reader: Any) -> dict[str, str]:
    try:
        stated = reader.metadata or {}
        facts = {"title": stated.get("/Title"), "author": stated.get("/Author")}
        created = re.match(r"D:(\d{4})(\d{2})(\d{2})", str(stated.get("/CreationDate", "")))
    except Exception:
        return {}
    made = {name: str(value).strip() for name, value in facts.items() if value}
    if created:
        made["date"] = "-".join(created.groups())
    return {name: value for name, value in made.items() if value}


FORMAT = Format("pdf", (".pdf",), "a PDF", read_pdf, lambda file: b"%PDF-" in file.data[:1024])
