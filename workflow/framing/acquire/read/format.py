"""What a kind of file is: its endings, how its content is told, and what reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from framing.acquire.read.archives import Archive
from framing.acquire.read.document import Raw

HEAD = 65536
"""Bytes in which the first element of a document must stand."""
_ROOT = re.compile(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)[\s>/]")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

Reader = Callable[[bytes, "str | Path", Mapping[str, Any]], Raw]
"""Takes the bytes of a file, the place to name in messages, and the section ``reading``; raises
:class:`InputError` where they cannot be read."""


@dataclass(frozen=True)
class Sample:
    """A file whose kind is to be told: its bytes, and the kind that the ending of its name says."""

    data: bytes
    place: str | Path
    by_name: str | None
    limits: Mapping[str, Any]

    @cached_property
    def archive(self) -> Archive | None:
        """Return the archive that the file is, if it is one."""
        return Archive(self.data, self.place, self.limits) if self.data[:4] in _ZIP else None

    @cached_property
    def stated(self) -> bytes:
        """Return the media type that an archive states of itself; or none."""
        if self.archive is None or "mimetype" not in self.archive.names:
            return b""
        return self.archive.part("mimetype").strip()

    @cached_property
    def head(self) -> bytes:
        """Return how a text begins, without byte order mark and blanks."""
        return self.data[:HEAD].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")

    @cached_property
    def root(self) -> bytes:
        """Return the name of the first element of a text that begins with markup; or none."""
        return root_of(self.head) if self.head.startswith(b"<") else b""

    def has(self, member: str) -> bool:
        """Return whether it is an archive with this member."""
        return self.archive is not None and member in self.archive.names


@dataclass(frozen=True)
class Format:
    """A kind of file.

    ``name`` is what messages call such a file, ``matches`` tells it by its content, ``read`` reads
    it. ``text`` says that it is text, which can be read as any kind of text if somebody says so.
    """

    id: str
    endings: tuple[str, ...]
    name: str
    read: Reader
    matches: Callable[[Sample], bool]
    text: bool = False


def root_of(head: bytes) -> bytes:
    """Return the name of the first element in the first bytes of XML, without prefix; or none."""
    root = _ROOT.search(head.replace(b"\x00", b""))  # as UTF-16 has them
    return root.group(1) if root else b""
