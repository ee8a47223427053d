"""BibTeX and BibLaTeX."""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from framing.acquire.records import DOI_FORM, EXTRA, URL, Record, clean, date_of, file_names
from framing.common.extras import library
from framing.common.problems import Problem, raise_if_any

_BARE_DOLLAR = re.compile(r"(?<!\\)\$")

_ESCAPED = re.compile(r"\\([_%&#~{}$])")

_NAME_PARTS = re.compile(r"\b(family|given|prefix|suffix)\s*=\s*(\{[^{}]*\}|[^,]*)")

_BIB_CREATORS = ("author", "editor", "translator")

_SILENT = logging.NullHandler()


# --- BibTeX ---------------------------------------------------------------------------------------


def read_bibtex(text: str, path: Path) -> list[Record]:
    """Return the records of BibTeX; raise :class:`InputError` with every entry that is broken."""
    bibtexparser = library("bibtexparser", EXTRA, path)
    # It warns of every broken entry, which is said here.
    logging.getLogger("bibtexparser").addHandler(_SILENT)
    parsed = bibtexparser.parse_string(text)
    raise_if_any(
        Problem(path, *_bibtex_defect(block), (block.start_line or 0) + 1)
        for block in parsed.failed_blocks
    )
    raise_if_any(
        Problem(path, "has an entry without a key", "Give it one.", (entry.start_line or 0) + 1)
        for entry in parsed.entries
        if not entry.key
    )
    return [_bibtex_record(entry, path) for entry in parsed.entries]


def _bibtex_defect(block: Any) -> tuple[str, str]:
    kind = type(block).__name__
    if kind == "DuplicateBlockKeyBlock":
        return f"has the key {block.key!r} twice", "Remove or rename one of the entries."
    if kind == "DuplicateFieldKeyBlock":
        names = ", ".join(sorted(block.duplicate_keys))
        return f"has an entry with the field {names} twice", "Remove one of them."
    reason = getattr(block.error, "abort_reason", None) or str(block.error)
    return f"has a broken entry ({clean(reason).rstrip('.')})", "Look for a brace or comma."


def _bibtex_record(entry: Any, path: Path) -> Record:
    fields = {one.key.lower(): str(one.value) for one in entry.fields}
    people = next(
        (names for role in _BIB_CREATORS if (names := _bibtex_names(fields.get(role, ""), path))),
        (),
    )
    date, precision, notes = _bibtex_date(fields)
    address = _ESCAPED.sub(r"\1", fields.get("url", "")).strip()
    if not address and (found := URL.search(fields.get("howpublished", ""))):
        address = _ESCAPED.sub(r"\1", found.group())
    used = {
        "title", "subtitle", "date", "year", "month", "day", "type", "entrysubtype", "url", "doi",
        "language", "langid", "publisher", "institution", "organization", "school", "file",
        *_BIB_CREATORS,
    }  # fmt: skip

    def text(*names: str) -> str:
        return next((_unlatex(fields[name], path) for name in names if fields.get(name)), "")

    title, subtitle = text("title"), text("subtitle")
    return Record(
        key=clean(entry.key),
        title=f"{title}: {subtitle}" if title and subtitle else title,
        creators=people,
        date=date,
        date_precision=precision,
        type=entry.entry_type,
        genre=text("type", "entrysubtype") or entry.entry_type,
        url=clean(address),
        doi=DOI_FORM.sub("", clean(_ESCAPED.sub(r"\1", fields.get("doi", "")))),
        language=text("language", "langid"),
        publisher=text("publisher", "institution", "organization", "school"),
        files=file_names(fields.get("file", "")),
        extra={
            name: said
            for name, value in fields.items()
            if name not in used and (said := clean(re.sub(r"[{}]", "", value)))
        },
        notes=notes,
    )


def _bibtex_names(people: str, path: Path) -> tuple[str, ...]:
    if not people.strip():
        return ()
    names = library("bibtexparser.middlewares.names", EXTRA, path)
    made = []
    for one in names.split_multiple_persons_names(people):
        parts = dict(_NAME_PARTS.findall(one)) if "family" in one else {}
        if parts:  # BibLaTeX's extended form
            order = ("given", "prefix", "family", "suffix")
            whole = " ".join(parts[part] for part in order if parts.get(part))
        else:
            try:
                whole = names.parse_single_name_into_parts(one).merge_first_name_first
            except names.InvalidNameError:
                whole = one
        made.append(_unlatex(whole, path))
    return tuple(name for name in made if name and name != "others")


def _bibtex_date(fields: Mapping[str, str]) -> tuple[str, str, tuple[str, ...]]:
    if said := re.sub(r"[{}]", "", fields.get("date", "")):
        return date_of(said)
    year, month, number = (
        " ".join(re.sub(r'[{}"#~]', " ", fields.get(name, "")).split())
        for name in ("year", "month", "day")
    )
    if not year:
        return date_of("")
    whole = [month, number] if month else []
    if month.isdigit():
        text = "-".join([year, *(part.zfill(2) for part in whole if part)])
    else:
        text = " ".join([*(part for part in whole if part), year])
    date, precision, notes = date_of(text)
    if date or not month:
        return date, precision, notes
    date, precision, _ = date_of(year)
    return date, precision, notes


def _unlatex(text: str, path: Path) -> str:
    """Return LaTeX as plain text: accents as letters, braces and commands gone."""
    if not re.search(r"[\\~`$]|--|''", text):
        return clean(re.sub(r"[{}]", "", text))
    library("pylatexenc.latex2text", EXTRA, path)
    try:
        # Mathematics is rare in this field and dollars are not.
        plain = _decoder().latex_to_text(_BARE_DOLLAR.sub(r"\\$", text))
    except Exception:  # whatever it does not understand stays readable
        plain = re.sub(r"[{}]", "", text)
    return clean(plain)


@cache
def _decoder() -> Any:
    latex2text = importlib.import_module("pylatexenc.latex2text")
    known = latex2text.get_default_latex_context_db()
    url = latex2text.MacroTextSpec("url", simplify_repl="%s")
    known.add_context_category("framing", prepend=True, macros=[url])
    return latex2text.LatexNodes2Text(latex_context=known, keep_comments=True)
