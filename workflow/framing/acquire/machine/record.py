"""The record of answers: ``corpus/codings/<coder>/responses.jsonl``, a line an answer.

Lines are only ever added, each written to the disk before the next question's answer is taken, so
that a run can be killed at any time and goes on where it was. All tables are made from the record,
offline; nothing is asked twice, as what is in it is not asked again. No line holds prose of a text:
passages stand by id and digest, answers as :func:`framing.acquire.machine.answers.kept` has them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framing.codebook.codes import Code
from framing.coding.codings import NOT_CODED, RESPONSES
from framing.common.files import read_bytes, unusable
from framing.common.paths import CODINGS
from framing.common.problems import InputError, Problem

FORMAT = 1
IDENTITY = ("program", "asked", "prompt", "settings")
"""What must be the same of all answers of a coder: else it would be two coders under one name."""
_CALLED = {"program": "program (--program)", "asked": "model (--model)",
           "prompt": "prompt (the codebook)", "settings": "settings (machine_coders)"}  # fmt: skip
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "passage_id": str, "passage": str, "repeat": int, "program": str, "asked": str, "model": str,
    "prompt": str, "settings": dict, "codes": (dict, type(None)), "unsure": str, "reason": str,
    "input_tokens": int, "output_tokens": int,
}  # fmt: skip

Entry = dict[str, Any]
Key = tuple[str, int]


@dataclass(frozen=True)
class Record:
    """A record that was read: its answers in order, the bytes they take, and whether more was cut.

    What follows after ``size`` bytes is a line that was being written when a run was killed.
    """

    entries: Sequence[Entry]
    size: int
    cut: bool


def responses_file(coder: str) -> Path:
    """Return the file of a coder's record."""
    return CODINGS / coder / RESPONSES


def line_of(entry: Mapping[str, Any]) -> str:
    """Return an answer as a line of a record."""
    return json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n"


def read_record(path: Path) -> Record:
    """Return the record at ``path``, an empty one where there is none.

    A last line without its end is left out. Raises :class:`InputError` where any other line is no
    answer.
    """
    if not path.is_file():
        return Record([], 0, False)
    data = read_bytes(path)
    whole = data[: data.rfind(b"\n") + 1]
    entries: list[Entry] = []
    problems = []
    for number, line in enumerate(whole.splitlines(), start=1):
        entry = _entry(line)
        if entry is None:
            problems.append(Problem(path, "is no answer of a program", "Take the line out: its "
                                    "passage is asked again.", number))  # fmt: skip
        else:
            entries.append(entry)
    if problems:
        raise InputError(problems[:3])
    return Record(entries, len(whole), len(whole) < len(data))


def _entry(line: bytes) -> Entry | None:
    try:
        found = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        return None
    typed = all(name in found and isinstance(found[name], kind) for name, kind in _KINDS.items())
    if not typed or isinstance(found["repeat"], bool) or found["unsure"] not in ("0", "1", "NA"):
        return None
    said = (found["codes"] or {}).values()
    return found if all(isinstance(value, str) for value in said) else None


@contextmanager
def adding(path: Path, record: Record) -> Iterator[Callable[[Entry], None]]:
    """Give what adds an answer to a record; each is on the disk before it returns.

    A line that was cut off is dropped first. Raises :class:`InputError` where another run adds to
    it just now, and where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise InputError(unusable(error, path)) from None
    with file:
        _lock(file, path)
        if read_record(path).size != record.size:
            raise InputError(Problem(path, "was changed by another run", "Run the same again."))
        file.truncate(record.size)

        def add(entry: Entry) -> None:
            try:
                file.write(line_of(entry).encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                raise InputError(unusable(error, path)) from None

        try:
            yield add
        finally:
            if path.stat().st_size == 0:
                file.close()
                path.unlink()
                with suppress(OSError):  # where somebody else has put something there
                    path.parent.rmdir()


def _lock(file: Any, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            Problem(path, "another run is adding answers to it", "Wait for its end.")
        ) from None


def answered(entries: Sequence[Entry]) -> dict[Key, Entry]:
    """Return the answer of each passage and repeat; of several the last, which was asked anew."""
    return {(entry["passage_id"], entry["repeat"]): entry for entry in entries}


def record_problems(
    entries: Sequence[Entry], codes: Mapping[str, Code], path: Path
) -> list[Problem]:
    """Return where answers are none by the codebook, or are of more than one coder."""
    problems = []
    for number, entry in enumerate(entries, start=1):
        said = entry["codes"]
        if said is None:
            continue
        if set(said) != set(codes):
            what = f"answers the codes {', '.join(sorted(said))}, and the codebook has others"
        elif wrong := [name for name, code in codes.items() if said[name] not in code.cells]:
            what = f"has a level of {wrong[0]!r} that the codebook has not"
        else:
            continue
        problems.append(
            Problem(path, what, "Ask anew under another name (--coder): what was answered by "
                    "another codebook cannot be read by this one.", number)
        )  # fmt: skip
        break
    for name in IDENTITY:
        if len({json.dumps(entry[name], sort_keys=True) for entry in entries}) > 1:
            problems.append(
                Problem(path, f"holds answers by more than one {_CALLED[name]}",
                        "Keep one coder a file: move the others to a folder of their own.")
            )  # fmt: skip
    return problems


def identity_problems(
    entries: Sequence[Entry], now: Mapping[str, Any], path: Path
) -> list[Problem]:
    """Return what new answers would have otherwise than those that are there.

    ``now`` has the keys :data:`IDENTITY`.
    """
    if not entries:
        return []
    differing = [_CALLED[name] for name in IDENTITY if entries[-1][name] != now[name]]
    if not differing:
        return []
    return [
        Problem(path, f"holds answers by another {' and another '.join(differing)}",
                "Answers that come now would be those of another coder: give another --coder, or "
                "undo the change.")
    ]  # fmt: skip


def cells_of(entry: Entry | None, codes: Mapping[str, Code]) -> dict[str, str]:
    """Return what an answer says in the cells of a coder's table, ``NA`` where it says nothing."""
    said = (entry["codes"] if entry else None) or dict.fromkeys(codes, NOT_CODED)
    return {name: said[name] for name in codes}
