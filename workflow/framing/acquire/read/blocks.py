"""Paragraphs of a tree: one walk for TEI, Word, OpenDocument and EPUB.

In: an element and a description of its vocabulary. Out: paragraphs in order, and what was left out.
No text of the tree gets lost: what stands between paragraphs becomes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from framing.acquire.read.document import Dropped, Line


@dataclass(frozen=True)
class Vocabulary:
    """What the names of elements mean (local names, without namespace).

    ``blocks`` are paragraphs or hold them; ``left_out`` maps names to reasons; ``silent`` are
    elements without text of the author (scripts, field codes); ``signs`` maps elements that stand
    for a character to it (a tab, a line break, a hyphen).
    ``reason`` may look at an element itself (its style, its class) and return a reason.
    """

    blocks: frozenset[str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    signs: Mapping[str, str] = field(default_factory=dict)
    reason: Callable[[Any], str | None] | None = None


@dataclass
class Found:
    """The outcome of a walk; ``owners`` holds the element in which each line stands."""

    lines: list[Line] = field(default_factory=list)
    owners: list[Any] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)


def local(element: Any) -> str:
    """Return the name of an element without namespace; '' for comments and the like."""
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def walk(root: Any, vocabulary: Vocabulary, unit: str = "paragraph") -> Found:
    """Return the paragraphs under ``root``; places are numbered ("paragraph 7")."""
    found = Found()
    buffer: list[str] = []
    number = 0

    def flush(owner: Any) -> None:
        nonlocal number
        text = " ".join("".join(buffer).split())
        buffer.clear()
        if text:
            number += 1
            found.lines.append(Line(text, f"{unit} {number}"))
            found.owners.append(owner)

    def enter(element: Any) -> bool:
        """Take the text that opens an element; tell whether its children are to be seen."""
        name = local(element)
        if not name or name in vocabulary.silent:
            return False
        reason = vocabulary.left_out.get(name)
        if reason is None and vocabulary.reason is not None:
            reason = vocabulary.reason(element)
        if reason is not None:
            text = " ".join(" ".join(element.itertext()).split())
            if text:
                found.dropped.append(Dropped(f"{unit} {number + 1}", text, reason))
            return False
        if name in vocabulary.blocks:
            flush(element.getparent())
        buffer.append(vocabulary.signs.get(name, ""))
        buffer.append(element.text or "")
        return True

    # Not recursive: documents may be nested as deep as they like.
    stack: list[tuple[Any, Any]] = []
    if enter(root):
        stack.append((root, iter(root)))
    while stack:
        element, children = stack[-1]
        child = next(children, None)
        if child is not None:
            if enter(child):
                stack.append((child, iter(child)))
            else:
                buffer.append(child.tail or "")
            continue
        stack.pop()
        if local(element) in vocabulary.blocks or not stack:
            flush(element)
        if stack:
            buffer.append(element.tail or "")
    return found
