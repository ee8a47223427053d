"""Folders that are numbered without a gap, as those of draws and of freezes are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from framing.common.files import read_text
from framing.common.problems import InputError, Problem, collect, raise_if_any

Read = TypeVar("Read")


def read_numbered(
    folder: Path, read: Callable[[Path, int], Read], *, strange: tuple[str, str], restore: str
) -> tuple[Read, ...]:
    """Return what ``read`` makes of each numbered folder in ``folder``, in order.

    None where there is no such directory; hidden entries are passed over. Raises
    :class:`InputError` with every entry that is no numbered folder (``strange``: what is said of
    it, and the remedy), else with every number that is missing (``restore`` is the remedy), else
    with all that ``read`` raises.
    """
    if not folder.is_dir():
        return ()
    found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    raise_if_any(
        Problem(path, *strange)
        for path in found
        if not (path.is_dir() and path.name.isdecimal() and path.name == str(int(path.name)))
    )
    numbers = sorted(int(path.name) for path in found)
    raise_if_any(
        Problem(folder / str(number), "does not exist", restore)
        for number in range(1, max(numbers, default=0) + 1)
        if number not in numbers
    )
    problems: list[Problem] = []
    made = [collect(problems, read, folder / str(number), number) for number in numbers]
    raise_if_any(problems)
    return tuple(made)


def read_record(path: Path, what: str, restore: str) -> dict[str, Any]:
    """Return the JSON object in a folder's record, which is ``what`` ("a draw").

    Raises :class:`InputError`, whose remedy is ``restore``, where it is none.
    """
    try:
        record = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(
            Problem(path, f"is not valid JSON: {error.msg}", restore, error.lineno)
        ) from None
    if not isinstance(record, dict):
        raise InputError(Problem(path, f"is no record of {what}", restore))
    return record
