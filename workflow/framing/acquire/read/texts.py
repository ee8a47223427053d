"""Plain text and Markdown to paragraphs."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from framing.acquire.read.document import Dropped, Line, Raw
from framing.acquire.read.encodings import decode, encoding_notes
from framing.acquire.read.format import Format, Sample
from framing.acquire.read.refuse import version_of

_BLOCKS = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_FRONT = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\[\]\n]*)\](?:\(([^()\n]*)\)|\[[^\[\]\n]*\])")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\([ \t]*<?([^()\s<>]*)>?(?:[ \t]+[\"'][^()\n]*[\"'])?[ \t]*\)")
_TARGET = re.compile(r"^\[(?!\^)[^\]\n]+\]:\s*\S+.*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+|\s+#+\s*$")
_OPENING = re.compile(r"^(?:>\s?)+|^[-*+]\s+")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.{1,2000}?)(?<=\S)\1")
_EMPHASIS = re.compile(
    r"(?<![\w*])\*(?=[^\s*])([^*\n]+)(?<=[^\s*])\*(?!\w)|(?<!\w)_(?=\S)([^_\n]+)(?<=\S)_(?!\w)"
)
_UNDERLINE = re.compile(r"^[=-]{3,}\s*$")
_FACTS = ("title", "author", "date", "language", "url")


def read_plain(data: bytes, place: str | Path, settings: Mapping[str, Any]) -> Raw:
    """Read plain text: a line is a paragraph, unless the file has its paragraphs wrapped."""
    text, encoding = decode(data, place, settings["encodings"])
    return Raw(
        plain_lines(text, settings["text"]), "framing", version_of("framing"),
        notes=encoding_notes(encoding),
    )  # fmt: skip


def plain_lines(text: str, settings: Mapping[str, Any]) -> list[Line]:
    """Return the paragraphs of a plain text with their line numbers."""
    text = text.replace("\f", "\n\n")
    places = _Places(text)
    blocks = [
        (places.line(found.start()), found.group().split("\n")) for found in _BLOCKS.finditer(text)
    ]
    if is_wrapped([lines for _, lines in blocks], settings):
        return [Line(" ".join(lines), f"line {first}") for first, lines in blocks]
    return [
        Line(line, f"line {first + number}")
        for first, lines in blocks
        for number, line in enumerate(lines)
    ]


def is_wrapped(blocks: list[list[str]], settings: Mapping[str, Any]) -> bool:
    """Tell whether paragraphs run over several lines: no line is long, most that go on are full."""
    width = settings["wrapped_at"]
    if any(len(line) > width for lines in blocks for line in lines):
        return False
    going_on = [line for lines in blocks for line in lines[:-1]]
    full = sum(len(line) >= width / 2 for line in going_on)
    return bool(going_on) and full >= settings["wrapped_share"] * len(going_on)


def read_markdown(data: bytes, place: str | Path, settings: Mapping[str, Any]) -> Raw:
    """Read Markdown: marks off, link targets, images, code and comments reported as left out."""
    text, encoding = decode(data, place, settings["encodings"])
    metadata: dict[str, str] = {}
    dropped: list[Dropped] = []
    if front := _FRONT.match(text):
        metadata = _front_matter(front.group(1))
        dropped.append(Dropped("line 1", front.group(1), "front matter"))
        text = "\n" * front.group().count("\n") + text[front.end() :]

    for spans, reason in (
        (comments, "comment"),
        (fences, "code"),
        (lambda text: _spans(_IMAGE, text), "image"),
        (lambda text: _spans(_TARGET, text), "link target"),
    ):
        text, out = _cut_out(text, spans(text), reason)
        dropped += out
    places = _Places(text)
    dropped += [
        Dropped(places.of(found.start()), found.group(2), "link target")
        for found in _LINK.finditer(text)
        if found.group(2)
    ]
    text = _LINK.sub(r"\1", text)
    lines: list[Line] = []
    places = _Places(text)
    for found in _BLOCKS.finditer(text):
        lines += _markdown_block(found.group().split("\n"), places.line(found.start()))
    return Raw(lines, "framing", version_of("framing"), metadata, dropped, encoding_notes(encoding))


def _markdown_block(block: list[str], first: int) -> list[Line]:
    made: list[Line] = []
    for number, line in enumerate(block, start=first):
        if _UNDERLINE.match(line):
            continue
        bare = line.strip()
        alone = bool(_HEADING.match(bare))
        opens = alone or not made or bool(re.match(r"[-*+]\s|\d+[.)]\s", bare))
        bare = _OPENING.sub("", _HEADING.sub("", bare) if alone else bare)
        bare = _STRONG.sub(r"\2", bare)
        bare = _EMPHASIS.sub(lambda found: found.group(1) or found.group(2), bare)
        # A hard break (two spaces, a backslash) stands between the lines of one paragraph.
        bare = bare.removesuffix("\\")
        if opens or made[-1].text == "":
            made.append(Line(bare, f"line {number}"))
        else:
            made[-1] = Line(f"{made[-1].text} {bare}", made[-1].place)
        if alone:
            made.append(Line("", f"line {number}"))
    return [line for line in made if line.text]


def _front_matter(text: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in text.split("\n") if ":" in line)
    facts = {key.strip().lower(): value.strip().strip("\"'") for key, value in pairs}
    if "lang" in facts:
        facts.setdefault("language", facts["lang"])
    return {key: facts[key] for key in _FACTS if facts.get(key)}


def comments(text: str) -> list[tuple[int, int]]:
    """Return the offsets of HTML comments that are closed."""
    found = []
    at = text.find("<!--")
    while at >= 0 and (end := text.find("-->", at)) >= 0:
        found.append((at, end + 3))
        at = text.find("<!--", end)
    return found


def fences(text: str) -> list[tuple[int, int]]:
    """Return the offsets of fenced code; a fence that is never closed is text."""
    found: list[tuple[int, int]] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence.group() == opened.group():
            found.append((opened.start(), text.find("\n", fence.end()) % (len(text) + 1)))
            opened = None
    return found


def _spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [found.span() for found in pattern.finditer(text)]


def _cut_out(text: str, spans: Iterable[tuple[int, int]], reason: str) -> tuple[str, list[Dropped]]:
    places = _Places(text)
    kept: list[str] = []
    dropped: list[Dropped] = []
    end = 0
    for start, stop in spans:
        piece = text[start:stop]
        dropped.append(Dropped(places.of(start), piece, reason))
        # Line ends stay, so that the places of what follows are right.
        kept += [text[end:start], "\n" * piece.count("\n")]
        end = stop
    return "".join([*kept, text[end:]]), dropped


class _Places:
    """The lines of a text by offset: counted once, as counting anew for each takes minutes."""

    def __init__(self, text: str) -> None:
        self._ends = [found.start() for found in re.finditer("\n", text)]

    def line(self, offset: int) -> int:
        return bisect_left(self._ends, offset) + 1

    def of(self, offset: int) -> str:
        return f"line {self.line(offset)}"


def _is_markdown(file: Sample) -> bool:
    page = file.head.lower().startswith((b"<!doctype html", b"<html"))
    return file.by_name == "md" and not page


MARKDOWN = Format("md", (".md", ".markdown"), "Markdown", read_markdown, _is_markdown, text=True)
PLAIN = Format("txt", (".txt", ".text"), "plain text", read_plain, lambda _: True, text=True)
