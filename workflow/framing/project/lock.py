"""Changing several files of a project as one: all of it or nothing, one command at a time.

New contents are first written beside the old ones, into ``corpus/.pending/``. Then a list of what
goes where is put there, by renaming; from then on the change is decided. What a killed command
leaves behind the next one finishes if it was decided, and throws away if not (:func:`recover`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from framing.common.files import json_text, unusable
from framing.common.problems import InputError, Problem

PENDING = Path("corpus/.pending")
LIST = "list.json"
LOCK = Path("build/.lock")


@contextmanager
def alone(directory: Path | None = None) -> Iterator[None]:
    """Keep runs and other changing commands out of a project while the block is at work.

    Finishes or throws away what a killed command left behind. Raises :class:`InputError` where
    another command or a run of the workflow is at work. The operating system lets go of the lock
    when this process ends, however it ends. Without such locks (Windows) there is none.
    """
    base = Path() if directory is None else directory
    handle = hold(base)
    try:
        recover(base)
        yield
    finally:
        if handle is not None:
            handle.close()


def settle(directory: Path | None = None) -> None:
    """Finish, or throw away, what a killed command left behind, before a project is read.

    Raises :class:`InputError` where a command is at work just now.
    """
    base = Path() if directory is None else directory
    if (base / PENDING).is_dir():
        with alone(base):
            pass


def hold(directory: Path) -> IO[str] | None:
    """Return the locked file of a project: while it is open, nobody else can lock it.

    Raises :class:`InputError` where somebody has.
    """
    try:
        import fcntl
    except ImportError:  # Windows: no such lock
        return None
    path = directory / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w", encoding="utf-8")
    except OSError as error:
        raise InputError(unusable(error, path)) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise InputError(
            Problem(LOCK, "another run is at work in this directory", "Wait for its end.")
        ) from None
    return handle


def commit(
    writes: Mapping[Path, str | bytes], removals: Iterable[Path] = (), directory: Path | None = None
) -> None:
    """Write files (texts as UTF-8) and remove others, all or nothing; paths are relative.

    Raises :class:`InputError` where a file cannot be written; then everything is as it was.
    """
    base = Path() if directory is None else directory
    pending = base / PENDING
    moves = {f"{number}": path.as_posix() for number, path in enumerate(writes)}
    try:
        shutil.rmtree(pending, ignore_errors=True)
        pending.mkdir(parents=True)
        for name, content in zip(moves, writes.values(), strict=True):
            data = content.encode("utf-8") if isinstance(content, str) else content
            _write(pending / name, data)
        for path in writes:
            (base / path).parent.mkdir(parents=True, exist_ok=True)
        plan = {"moves": moves, "removals": [path.as_posix() for path in removals]}
        _write(pending / f"{LIST}.part", json_text(plan).encode("utf-8"))
        (pending / f"{LIST}.part").replace(pending / LIST)
    except OSError as error:
        shutil.rmtree(pending, ignore_errors=True)
        raise InputError(unusable(error, pending)) from None
    recover(base)


def recover(directory: Path | None = None) -> bool:
    """Finish a change that was decided, throw away one that was not; return whether there was one.

    Raises :class:`InputError` where files cannot be written: it can be called again.
    """
    base = Path() if directory is None else directory
    pending = base / PENDING
    if not pending.is_dir():
        return False
    try:
        if (pending / LIST).is_file():
            plan = json.loads((pending / LIST).read_text(encoding="utf-8"))
            for name, path in plan["moves"].items():
                # One that is gone was moved before the command was killed.
                if (pending / name).is_file():
                    (pending / name).replace(base / path)
            for path in plan["removals"]:
                (base / path).unlink(missing_ok=True)
            # Before the rest: without it what is left is thrown away, with it it is done again.
            (pending / LIST).unlink()
        shutil.rmtree(pending)
    except OSError as error:
        raise InputError(unusable(error, pending)) from None
    return True


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
