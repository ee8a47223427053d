"""RIS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.acquire.records import (
    DOI_FORM,
    EXPORT,
    EXTRA,
    URL,
    Record,
    clean,
    date_of,
    given_first,
)
from framing.common.extras import library
from framing.common.files import repeated
from framing.common.problems import Problem, raise_if_any

RIS_TAG = re.compile(r"([A-Z][A-Z0-9])  -")

_RIS_CREATORS = ("AU", "A1", "A2", "ED", "A3", "A4")

_RIS_LISTS = ("A1", "A2", "A3", "A4", "AU", "ED", "KW", "L1", "L2", "L4", "N1", "UR")


# --- RIS ------------------------------------------------------------------------------------------


def read_ris(text: str, path: Path) -> list[Record]:
    """Return the records of RIS; raise :class:`InputError` with every entry that is broken."""
    rispy = library("rispy", EXTRA, path)
    lines, starts, problems = _ris_lines(text, path)
    raise_if_any(problems)
    tags = {tag: tag for tag in (*rispy.config.TAG_KEY_MAPPING, "ED")}
    parser = rispy.RisParser(mapping=tags, list_tags=list(_RIS_LISTS), delimiter_tags_mapping={})
    fields = parser.parse("\n".join(lines))
    records = [_ris_record(one, number) for number, one in enumerate(fields, 1)]
    keys = [record.key for record in records]
    raise_if_any(
        Problem(path, f"has the key {key!r} twice", "Remove or rename one of the records.",
                starts[keys.index(key, keys.index(key) + 1)])
        for key in repeated(keys)
    )  # fmt: skip
    return records


def _ris_lines(text: str, path: Path) -> tuple[list[str], list[int], list[Problem]]:
    """Return the lines of records without empty ones, where each begins, and what is broken.

    rispy drops a record that does not end, and stumbles over a line that belongs to no field.
    """
    lines: list[str] = []
    starts: list[int] = []
    problems: list[Problem] = []
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        found = RIS_TAG.match(line)
        tag = found.group(1) if found else None
        if tag == "TY":
            if inside:
                problems.append(_unended(path, starts[-1]))
            inside = True
            starts.append(number)
        elif inside and tag is None and lines[-1].startswith("TY  -"):
            problems.append(Problem(path, "has a line that belongs to no field", EXPORT, number))
            continue
        if inside:
            lines.append(line)
        if tag == "ER":
            inside = False
    if inside:
        problems.append(_unended(path, starts[-1]))
    return lines, starts, problems


def _unended(path: Path, row: int) -> Problem:
    return Problem(path, "has a record that does not end", "Close it by a line 'ER  - '.", row)


def _ris_record(fields: Mapping[str, Any], number: int) -> Record:
    def text(*tags: str) -> str:
        return next((clean(fields[tag]) for tag in tags if fields.get(tag)), "")

    def several(*tags: str) -> tuple[str, ...]:
        found = (clean(one) for tag in tags for one in fields.get(tag, ()))
        return tuple(one for one in found if one)

    people = next((names for tag in _RIS_CREATORS if (names := several(tag))), ())
    date, precision, notes = date_of(
        *(_ris_date(fields.get(tag, "")) for tag in ("DA", "PY", "Y1"))
    )
    addresses = several("UR")
    used = {"TY", "ID", "TI", "T1", "DA", "PY", "Y1", "M3", "UR", "DO", "LA", "PB", "L1", "UK",
            *_RIS_CREATORS}  # fmt: skip
    rest = {tag: text(tag) if isinstance(value, str) else "; ".join(several(tag))
            for tag, value in fields.items() if tag not in used}  # fmt: skip
    return Record(
        key=text("ID") or str(number),
        title=text("TI", "T1"),
        creators=tuple(given_first(name) for name in people),
        date=date,
        date_precision=precision,
        type=text("TY"),
        genre=text("M3", "TY"),
        url=next((one for one in addresses if URL.match(one)), next(iter(addresses), "")),
        doi=DOI_FORM.sub("", text("DO")),
        language=text("LA"),
        publisher=text("PB"),
        files=several("L1"),
        extra={tag: said for tag, said in rest.items() if said},
        notes=notes,
    )


def _ris_date(text: str) -> str:
    """Return RIS's ``year/month/day/anything`` as ISO, anything else as it is."""
    parts = [part.strip() for part in text.split("/")][:3]
    given = [part for part in parts if part]
    if all(part.isdigit() for part in given):
        return "-".join(part.zfill(2) for part in given)
    return text
