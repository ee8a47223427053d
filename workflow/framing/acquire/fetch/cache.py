"""Pages that were fetched, on disk: the bytes in a file, and what is known of them beside it.

The record is written last and holds the digest of the bytes, so that whatever a kill leaves behind
is not taken for a page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framing.common.files import sha256, write_bytes, write_json

FORMAT = "framing-fetched/1"
_RECORDED = ("url", "final_url", "content_type", "kind", "retrieved", "sha256", "archived")


@dataclass(frozen=True)
class Fetched:
    """A page as it came.

    ``url`` was asked for and ``final_url`` is where it was found; ``retrieved`` is the time in UTC,
    ``2024-05-01T09:30:00Z``; ``sha256`` is the digest of ``data``. ``kind`` is what the reading
    room reads it as, ``content_type`` what the server called it. ``archived`` is the address in the
    Wayback Machine that it came from, or empty.
    """

    url: str
    final_url: str
    data: bytes
    content_type: str
    kind: str
    retrieved: str
    sha256: str
    archived: str = ""
    from_cache: bool = False


def cached(folder: Path, url: str) -> Fetched | None:
    """Return the page of an address from the cache; None where it is not there whole."""
    bytes_file, record_file = _files(folder, url)
    try:
        record = json.loads(record_file.read_text(encoding="utf-8"))
        data = bytes_file.read_bytes()
    except (OSError, ValueError, RecursionError):
        return None
    if not _is_record(record, url) or record["sha256"] != sha256(data):
        return None
    return Fetched(data=data, from_cache=True, **{name: record[name] for name in _RECORDED})


def keep(folder: Path, page: Fetched) -> None:
    """Put a page into the cache, in place of the one that was there."""
    bytes_file, record_file = _files(folder, page.url)
    write_bytes(bytes_file, page.data)
    write_json(record_file, {"format": FORMAT} | {name: getattr(page, name) for name in _RECORDED})


def _files(folder: Path, url: str) -> tuple[Path, Path]:
    name = sha256(url)
    return folder / f"{name}.bin", folder / f"{name}.json"


def _is_record(record: Any, url: str) -> bool:
    return (
        isinstance(record, dict)
        and record.get("format") == FORMAT
        and record.get("url") == url
        and all(isinstance(record.get(name), str) for name in _RECORDED)
    )
