"""Changing several files of a project as one: all of it or nothing, one command at a time.

New contents are first written beside the old ones, into ``corpus/.pending/``. Then a list of what
goes where is put there, by renaming; from then on the change is decided. What a killed command
leaves behind the next one finishes if it was decided, and throws away if not (:func:`recover`).
"""

from __future__ import annotations

import ctypes
import errno
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
_MANY = 100  # so many files are put on the disk together
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


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

    Raises :class:`InputError` where somebody has. None where the file system knows no locks, as
    some do that the machines of a cluster share: there nothing keeps two runs apart.
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
    except OSError as error:
        handle.close()
        if error.errno not in _NO_LOCKS:
            raise InputError(unusable(error, path)) from None
        return None
    return handle


class Pending:
    """A change that is being prepared: contents are written beside the old ones, one by one.

    Nothing counts before :meth:`decide`; what was written until then is thrown away by
    :meth:`discard`, as the block of :func:`prepared` does where it fails, or by the next command
    (:func:`recover`). Only the paths are held in memory. What else is put into ``folder``, under
    names that are no numbers, goes when the change is made. Use it while holding :func:`alone`.
    """

    def __init__(self, directory: Path) -> None:
        self._base, self.folder = directory, directory / PENDING
        self._moves: list[str] = []
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def write(self, path: Path, content: str | bytes) -> None:
        """Write what a file is to hold (a text as UTF-8); ``path`` is relative to the project."""
        with self.open(path) as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)

    def open(self, path: Path) -> IO[bytes]:
        """Return what a file is to hold, open for writing; it is closed before the decision."""
        self._moves.append(path.as_posix())
        return (self.folder / str(len(self._moves) - 1)).open("wb")

    def decide(self, removals: Iterable[Path] = ()) -> None:
        """Make the change: all of it, even where this process is killed from now on."""
        if len(self._moves) < _MANY or not _all_on_disk(self.folder):
            for number in range(len(self._moves)):
                with (self.folder / str(number)).open("rb") as file:
                    os.fsync(file.fileno())
        for folder in {(self._base / path).parent for path in self._moves}:
            folder.mkdir(parents=True, exist_ok=True)
        moves = {str(number): path for number, path in enumerate(self._moves)}
        plan = {"moves": moves, "removals": [path.as_posix() for path in removals]}
        _write(self.folder / f"{LIST}.part", json_text(plan).encode("utf-8"))
        (self.folder / f"{LIST}.part").replace(self.folder / LIST)

    def discard(self) -> None:
        """Throw away what was written; nothing has changed."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def prepared(directory: Path | None = None) -> Iterator[Pending]:
    """Give what a change is written to, for as many files as there may be.

    The block ends with :meth:`Pending.decide`, and then the change is made; or without, and then
    nothing is. Raises :class:`InputError` where a file cannot be written; then everything is as it
    was.
    """
    base = Path() if directory is None else directory
    pending = None
    try:
        pending = Pending(base)
        yield pending
    except BrokenPipeError:  # who stopped reading what is printed
        raise
    except OSError as error:
        raise InputError(unusable(error, base / PENDING)) from None
    finally:
        if pending is not None and not (base / PENDING / LIST).is_file():
            pending.discard()
    recover(base)


def commit(
    writes: Mapping[Path, str | bytes], removals: Iterable[Path] = (), directory: Path | None = None
) -> None:
    """Write files (texts as UTF-8) and remove others, all or nothing; paths are relative.

    Raises :class:`InputError` where a file cannot be written; then everything is as it was.
    """
    with prepared(directory) as pending:
        for path, content in writes.items():
            pending.write(path, content)
        pending.decide(removals)


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


def _all_on_disk(folder: Path) -> bool:
    """See to it that what was written to a file system is on its disk; return whether that works.

    Raises :class:`OSError` where something could not be written. A hundred thousand files one by
    one would take as many turns of the disk.
    """
    if os.name != "posix":
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:  # only Linux has it
        return False
    number = os.open(folder, os.O_RDONLY)
    try:
        ctypes.set_errno(0)
        if call(number) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(number)
    return True


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
