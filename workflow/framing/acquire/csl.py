"""CSL JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.acquire.records import DOI_FORM, EXPORT, Record, clean, date_of, file_names
from framing.common.files import json_of, repeated
from framing.common.problems import InputError, Problem, raise_if_any

_SPEECH = "speech"

# Who speaks comes first: in a speech that is whoever performs it, else its author.
_CSL_SPEAKERS = ("performer", "narrator", "author")

_CSL_CREATORS = ("author", "director", "performer", "editor", "contributor", "translator")


# --- CSL JSON -------------------------------------------------------------------------------------


def read_csl(text: str, path: Path) -> list[Record]:
    """Return the records of CSL JSON; raise :class:`InputError` with every entry that is broken."""
    data = json_of(text, path, EXPORT)
    items = data.get("items") if isinstance(data, dict) else data
    if not isinstance(items, list):
        raise InputError(Problem(path, "is no list of records", EXPORT))
    problems = [
        Problem(path, f"record {number} is no CSL record: {defect}", EXPORT)
        for number, item in enumerate(items, 1)
        if (defect := _csl_defect(item))
    ]
    raise_if_any(problems)
    records = [_csl_record(item) for item in items]
    raise_if_any(
        Problem(path, f"has the key {key!r} twice", "Remove or rename one of the records.")
        for key in repeated(record.key for record in records)
    )
    return records


def _csl_defect(item: Any) -> str | None:
    if not isinstance(item, dict):
        return "it has no fields"
    if not _csl_key(item):
        return "it has no id"
    if not isinstance(item.get("type"), str):
        # Zotero's own JSON names it itemType.
        return "it has no type"
    return None


def _csl_key(item: Mapping[str, Any]) -> str:
    key = item.get("citation-key") or item.get("id")
    return clean(str(key)) if isinstance(key, (str, int)) else ""


def _csl_record(item: Mapping[str, Any]) -> Record:
    texts = {
        name: clean(str(value))
        for name, value in item.items()
        if isinstance(value, (str, int)) and not isinstance(value, bool)
    }
    roles = _CSL_SPEAKERS if item["type"] == _SPEECH else _CSL_CREATORS
    people = next((names for role in roles if (names := _csl_names(item.get(role)))), ())
    date, precision, notes = _csl_date(item.get("issued"))
    used = {"id", "citation-key", "type", "title", "genre", "URL", "DOI", "language", "publisher"}
    return Record(
        key=_csl_key(item),
        title=texts.get("title", ""),
        creators=people,
        date=date,
        date_precision=precision,
        type=item["type"],
        genre=texts.get("genre") or item["type"],
        url=texts.get("URL", ""),
        doi=DOI_FORM.sub("", texts.get("DOI", "")),
        language=texts.get("language", ""),
        publisher=texts.get("publisher", ""),
        files=file_names(item["file"]) if isinstance(item.get("file"), str) else (),
        extra={name: text for name, text in texts.items() if text and name not in {*used, "file"}},
        notes=notes,
    )


def _csl_names(people: Any) -> tuple[str, ...]:
    if not isinstance(people, list):
        return ()
    order = ("given", "dropping-particle", "non-dropping-particle", "family", "suffix")
    names = []
    for one in people:
        if not isinstance(one, dict):
            continue
        parts = [one.get("literal")] if one.get("literal") else [one.get(part) for part in order]
        names.append(clean(" ".join(part for part in parts if isinstance(part, str))))
    return tuple(name for name in names if name)


def _csl_date(issued: Any) -> tuple[str, str, tuple[str, ...]]:
    if not isinstance(issued, dict):
        return date_of("" if issued is None else str(issued))
    parts = issued.get("date-parts")
    texts = [
        "-".join(str(number).zfill(2) for number in one if number not in (None, ""))
        for one in (parts if isinstance(parts, list) else [])
        if isinstance(one, list)
    ]
    text = "/".join(one for one in texts if one)
    if not text:
        text = next(
            (str(issued[name]) for name in ("raw", "literal", "edtf") if issued.get(name)), ""
        )
    date, precision, notes = date_of(text)
    if date and issued.get("circa"):
        precision = "approximate"
    return date, precision, notes
