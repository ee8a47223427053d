"""A coder's journal: what was said at the page, line by line, on disk before anything else happens.

``corpus/codings/CODER/journal.jsonl`` has a JSON object a line, in the order in which things
happened; nothing in it is ever changed. ``what`` is one of

``begin``   the page was opened: draws, the rule and the digest of the order, the codebook
``answer``  a passage was coded: its codes, whether unsure, a memo, seconds, words
``skip``    it was put off
``context`` the text before and after was asked for
``cut``     what a killed program had left of a line

An answer to a passage that had one is a *change*; the last one counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from framing.coding.codings import JOURNAL
from framing.common.files import read_bytes, unusable
from framing.common.paths import CODINGS
from framing.common.problems import InputError, Problem

BEGIN, ANSWER, SKIP, CONTEXT, CUT = "begin", "answer", "skip", "context", "cut"
_NEEDED = {ANSWER: ("passage", "codes"), SKIP: ("passage",), CONTEXT: ("passage",)}

Entry = dict[str, Any]


@dataclass(frozen=True)
class Journal:
    """What a journal says: its entries, and what a killed program left of a last line."""

    entries: list[Entry] = field(default_factory=list)
    rest: bytes = b""

    def remark(self, coder: str) -> list[str]:
        """Return what is to be said of a journal whose last line is cut."""
        if not self.rest:
            return []
        return [f"The last line of {journal_file(coder)} is cut ({len(self.rest)} bytes): the "
                "program was stopped while it wrote. All answers before it count."]  # fmt: skip


def journal_file(coder: str) -> Path:
    """Return where a coder's journal lies."""
    return CODINGS / coder / JOURNAL


def journals() -> list[str]:
    """Return the coders of the project who have a journal."""
    return sorted(path.parent.name for path in CODINGS.glob(f"*/{JOURNAL}"))


def read_journal(path: Path) -> Journal:
    """Return what a journal says; without the file it is empty.

    A last line that is cut is left aside. Raises :class:`InputError` on any other line that is
    broken, with its number.
    """
    if not path.is_file():
        return Journal()
    lines = read_bytes(path).split(b"\n")
    rest = lines.pop()
    entries = [_entry(line, path, number) for number, line in enumerate(lines, start=1)]
    try:
        # The line end alone may be what is missing.
        return Journal([*entries, _entry(rest, path, len(lines) + 1)]) if rest else Journal(entries)
    except InputError:
        return Journal(entries, rest)


def _entry(line: bytes, path: Path, number: int) -> Entry:
    try:
        entry = json.loads(line.decode("utf-8"))
    except ValueError:
        what = "is broken: no whole entry stands there"
    else:
        what = _odd(entry)
        if not what:
            return dict(entry)
    raise InputError(
        Problem(path, what, "Bring back the line as it was (from a backup or from git); a journal "
                "is written by `framing code` alone.", number)
    )  # fmt: skip


def _odd(entry: Any) -> str:
    if not isinstance(entry, dict) or not isinstance(entry.get("what"), str):
        return "is no entry of a journal"
    lacks = [name for name in _NEEDED.get(entry["what"], ()) if name not in entry]
    if lacks:
        return f"lacks {lacks[0]!r}"
    codes = entry.get("codes", {})
    if not isinstance(codes, dict) or not all(isinstance(cell, str) for cell in codes.values()):
        return "has codes that are none"
    return "" if isinstance(entry.get("passage", ""), str) else "names no passage"


def line_of(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as the line that a journal has of it."""
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def now() -> str:
    """Return the time as journals have it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Writer:
    """The open journal of a coder: nobody else can open it while this one has."""

    def __init__(self, coder: str) -> None:
        """Open the journal; raise :class:`InputError` where somebody has, or it is broken."""
        path = journal_file(coder)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise InputError(unusable(error, path)) from None
        try:
            _hold(self._file, coder)
            self.found = read_journal(path)
            self._mend(path)
            _keep(path.parent)
        except BaseException:
            self._file.close()
            raise

    def write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Write entries; they are on disk when this returns.

        Raises :class:`InputError` where they cannot be written: then none of them is there.
        """
        data = b"".join(line_of({"at": now(), **entry}) for entry in entries)
        size = os.fstat(self._file.fileno()).st_size
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            # Half a line would make a broken one of the next.
            os.ftruncate(self._file.fileno(), size)
            raise InputError(unusable(error, self._file.name)) from None

    def close(self) -> None:
        """Let go of the journal; one in which nothing was ever written leaves no trace."""
        path = Path(self._file.name)
        if not self._file.closed and os.fstat(self._file.fileno()).st_size == 0:
            path.unlink(missing_ok=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        self._file.close()

    def _mend(self, path: Path) -> None:
        """Make a whole line of what a killed program left of one, so that others can follow."""
        data = path.read_bytes()
        if not data or data.endswith(b"\n"):
            return
        if not self.found.rest:
            self.write_raw(b"\n")
            return
        os.ftruncate(self._file.fileno(), len(data) - len(self.found.rest))
        self.write([{"what": CUT, "text": self.found.rest.decode("utf-8", "replace")}])

    def write_raw(self, data: bytes) -> None:
        """Write bytes, and see to it that they are on disk."""
        self._file.write(data)
        os.fsync(self._file.fileno())


def _hold(file: IO[bytes], coder: str) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            Problem(file.name, f"is open: another page of {coder!r} is being served",
                    "Go on there, or stop it first (Ctrl-C in its terminal).")
        ) from None  # fmt: skip


def _keep(folder: Path) -> None:
    """See to it that the name of a new journal is on disk, too."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
