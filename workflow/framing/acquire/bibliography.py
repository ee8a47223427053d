"""Bibliographies as Zotero exports them: CSL JSON, BibTeX and BibLaTeX, RIS.

In: a file. Out: its records, cleaned of LaTeX and of markup, and the record that belongs to a
document.
"""

from __future__ import annotations

import importlib
import json
import logging
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from framing.acquire.dates import parse_date
from framing.acquire.read.encodings import decode, looks_binary
from framing.acquire.settings import intake_settings
from framing.common.extras import library
from framing.common.files import read_up_to, repeated
from framing.common.problems import InputError, Problem, raise_if_any

EXTRA = "reading"
"""The extra that holds the libraries of BibTeX and RIS."""
TRACKING = ("utm_*", "fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid")
"""Parameters of an address that say where a reader came from, not what is read."""

_ENDINGS = {
    ".json": "csl", ".bib": "bibtex", ".bibtex": "bibtex", ".biblatex": "bibtex", ".ris": "ris",
}  # fmt: skip
_EXPORT = "Export the collection again, as CSL JSON, BibTeX or RIS."
_ENTRY = re.compile(r"^[ \t]*@\w+[ \t]*[{(]", re.MULTILINE)
_RIS_TAG = re.compile(r"([A-Z][A-Z0-9])  -")
_MARKUP = re.compile(r"</?(?:i|b|em|strong|sub|sup|sc|span)(?:\s[^<>]*)?>", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BARE_DOLLAR = re.compile(r"(?<!\\)\$")
_ESCAPED = re.compile(r"\\([_%&#~{}$])")
_URL = re.compile(r"https?://[^\s{}]+")
_DOI = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_NAME_PARTS = re.compile(r"\b(family|given|prefix|suffix)\s*=\s*(\{[^{}]*\}|[^,]*)")

_SPEECH = "speech"
# Who speaks comes first: in a speech that is whoever performs it, else its author.
_CSL_SPEAKERS = ("performer", "narrator", "author")
_CSL_CREATORS = ("author", "director", "performer", "editor", "contributor", "translator")
_BIB_CREATORS = ("author", "editor", "translator")
_RIS_CREATORS = ("AU", "A1", "A2", "ED", "A3", "A4")
_RIS_LISTS = ("A1", "A2", "A3", "A4", "AU", "ED", "KW", "L1", "L2", "L4", "N1", "UR")

_SILENT = logging.NullHandler()


@dataclass(frozen=True)
class Record:
    """What a bibliography says of one document.

    ``creators`` are names as "Given Family", who speaks or wrote first; ``date`` and
    ``date_precision`` are as :func:`framing.acquire.dates.parse_date` returns them; ``type`` is the
    kind of record as the file names it, ``genre`` what it says besides (or the type again);
    ``files`` are names of files as they are written; ``extra`` is all else that is text, by its
    name in the file, LaTeX as it stands; ``notes`` say what was left out.
    """

    key: str
    title: str = ""
    creators: tuple[str, ...] = ()
    date: str = ""
    date_precision: str = "unknown"
    type: str = ""
    genre: str = ""
    url: str = ""
    doi: str = ""
    language: str = ""
    publisher: str = ""
    files: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_bibliography(path: Path, settings: Mapping[str, Any] | None = None) -> list[Record]:
    """Return the records of a bibliography, in the order of the file.

    It is CSL JSON, BibTeX (BibLaTeX) or RIS: what it holds decides, then its ending. ``settings``
    are those of :func:`framing.acquire.settings.intake_settings` under ``bibliography``. Raises
    :class:`InputError` on a file that cannot be read or is none of them, on broken entries (each
    with its line), on keys given twice and where there is no record. A date that is none is left
    out, with a note.
    """
    path = Path(path)
    settings = intake_settings()["bibliography"] if settings is None else settings
    data = read_up_to(path, settings["bytes"], "Export a smaller collection.")
    if looks_binary(data):
        raise InputError(Problem(path, "is no text", _EXPORT))
    text, _ = decode(data, path, settings["encodings"])
    records = _READERS[_kind_of(text, path)](text, path)
    if not records:
        raise InputError(Problem(path, "holds no record", _EXPORT))
    return records


def match(records: Sequence[Record], path_or_url: str | Path, key: str = "") -> Record | None:
    """Return the record of a document, or None where there is none.

    With ``key`` it is the record of that key. A web address is compared with the addresses and DOIs
    of the records (:func:`normal_url`); a file with the names of their files, then with their
    keys, then with the names of their files without the endings. Raises :class:`InputError` where
    the key is unknown or where several records fit.
    """
    if key:
        found = [record for record in records if record.key == key]
        if not found:
            close = get_close_matches(key, [record.key for record in records])
            remedy = f"Did you mean {close[0]!r}?" if close else "Look it up in the bibliography."
            raise InputError(Problem(path_or_url, f"no record has the key {key!r}", remedy))
        return found[0]
    asked = str(path_or_url)
    if "://" in asked:
        url = normal_url(asked)
        return _only(
            [
                record
                for record in records
                if url in {normal_url(one) for one in _addresses(record)}
            ],
            asked,
        )
    return _by_file(records, PurePosixPath(_posix(asked)), asked)


def normal_url(url: str) -> str:
    """Return an address without what may differ between two that lead to the same page.

    That is the scheme, ``www.``, the port of the scheme, a slash at the end, the fragment,
    parameters of ``TRACKING``, and the order of the others.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return url.strip()
    query = sorted(
        pair
        for pair in parse_qsl(parts.query, keep_blank_values=True)
        if not any(fnmatchcase(pair[0].lower(), tracking) for tracking in TRACKING)
    )
    where = host if port in (None, 80, 443) else f"{host}:{port}"
    path = unquote(parts.path).rstrip("/")
    return f"{where}{path}?{urlencode(query)}" if query else f"{where}{path}"


# --- files ----------------------------------------------------------------------------------------


def _kind_of(text: str, path: Path) -> str:
    begun = text.lstrip()
    if begun.startswith(("[", "{")):
        return "csl"
    if _RIS_TAG.match(begun):
        return "ris"
    if _ENTRY.search(text):
        return "bibtex"
    if path.suffix.lower() in _ENDINGS:
        return _ENDINGS[path.suffix.lower()]
    raise InputError(Problem(path, "is no bibliography", _EXPORT))


def _clean(text: str) -> str:
    """Return text on one line, without markup, in normal form C."""
    plain = _SURROGATE.sub("\ufffd", _UNPRINTABLE.sub(" ", _MARKUP.sub("", text)))
    return unicodedata.normalize("NFC", " ".join(plain.split()))


# --- CSL JSON -------------------------------------------------------------------------------------


def _read_csl(text: str, path: Path) -> list[Record]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            Problem(path, f"is not JSON ({error.msg})", _EXPORT, error.lineno)
        ) from None
    except (RecursionError, ValueError) as error:
        raise InputError(Problem(path, f"is not JSON ({error})", _EXPORT)) from None
    items = data.get("items") if isinstance(data, dict) else data
    if not isinstance(items, list):
        raise InputError(Problem(path, "is no list of records", _EXPORT))
    problems = [
        Problem(path, f"record {number} is no CSL record: {defect}", _EXPORT)
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
    return _clean(str(key)) if isinstance(key, (str, int)) else ""


def _csl_record(item: Mapping[str, Any]) -> Record:
    texts = {
        name: _clean(str(value))
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
        doi=_DOI.sub("", texts.get("DOI", "")),
        language=texts.get("language", ""),
        publisher=texts.get("publisher", ""),
        files=_file_names(item["file"]) if isinstance(item.get("file"), str) else (),
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
        names.append(_clean(" ".join(part for part in parts if isinstance(part, str))))
    return tuple(name for name in names if name)


def _csl_date(issued: Any) -> tuple[str, str, tuple[str, ...]]:
    if not isinstance(issued, dict):
        return _date("" if issued is None else str(issued))
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
    date, precision, notes = _date(text)
    if date and issued.get("circa"):
        precision = "approximate"
    return date, precision, notes


def _date(*texts: str) -> tuple[str, str, tuple[str, ...]]:
    """Return date, precision and notes by the first of ``texts`` that is a date.

    Of two dates with a slash between them the first is taken, as approximate.
    """
    given = [text.strip() for text in texts if text and text.strip()]
    for text in given:
        if (one := _parsed(text)) is not None:
            return (*one, ())
        first, _, last = text.partition("/")
        if (one := _parsed(first)) is not None and _parsed(last) is not None:
            return one[0], "approximate", (f"the date is a range, {text!r}: its beginning is kept",)
    if not given:
        return "", "unknown", ()
    return "", "unknown", (f"{_clean(given[0])[:80]!r} is no date that can be read: left out",)


def _parsed(text: str) -> tuple[str, str] | None:
    try:
        date, precision = parse_date(text)
    except InputError:
        return None
    return (date, precision) if date else None


# --- BibTeX ---------------------------------------------------------------------------------------


def _read_bibtex(text: str, path: Path) -> list[Record]:
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
    return f"has a broken entry ({_clean(reason).rstrip('.')})", "Look for a brace or comma."


def _bibtex_record(entry: Any, path: Path) -> Record:
    fields = {one.key.lower(): str(one.value) for one in entry.fields}
    people = next(
        (names for role in _BIB_CREATORS if (names := _bibtex_names(fields.get(role, ""), path))),
        (),
    )
    date, precision, notes = _bibtex_date(fields)
    address = _ESCAPED.sub(r"\1", fields.get("url", "")).strip()
    if not address and (found := _URL.search(fields.get("howpublished", ""))):
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
        key=_clean(entry.key),
        title=f"{title}: {subtitle}" if title and subtitle else title,
        creators=people,
        date=date,
        date_precision=precision,
        type=entry.entry_type,
        genre=text("type", "entrysubtype") or entry.entry_type,
        url=_clean(address),
        doi=_DOI.sub("", _clean(_ESCAPED.sub(r"\1", fields.get("doi", "")))),
        language=text("language", "langid"),
        publisher=text("publisher", "institution", "organization", "school"),
        files=_file_names(fields.get("file", "")),
        extra={
            name: said
            for name, value in fields.items()
            if name not in used and (said := _clean(re.sub(r"[{}]", "", value)))
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
        return _date(said)
    year, month, number = (
        " ".join(re.sub(r'[{}"#~]', " ", fields.get(name, "")).split())
        for name in ("year", "month", "day")
    )
    if not year:
        return _date("")
    whole = [month, number] if month else []
    if month.isdigit():
        text = "-".join([year, *(part.zfill(2) for part in whole if part)])
    else:
        text = " ".join([*(part for part in whole if part), year])
    date, precision, notes = _date(text)
    if date or not month:
        return date, precision, notes
    date, precision, _ = _date(year)
    return date, precision, notes


def _file_names(value: str) -> tuple[str, ...]:
    r"""Return the names in Zotero's ``title:name:type;title:name:type``, or the one name there is.

    Colons, semicolons and backslashes in names are written with a backslash before them.
    """
    names = []
    for one in re.split(r"(?<!\\);", value):
        parts = re.split(r"(?<!\\):", one)
        if len(parts) == 4 and re.fullmatch(r"\s*[A-Za-z]", parts[1]):
            parts[1:3] = [":".join(parts[1:3])]  # a drive of Windows, not escaped
        if len(parts) >= 3:
            name = parts[1]
        elif len(parts) == 2 and re.fullmatch(r"[\w.+-]+/[\w.+-]+", parts[1]):
            name = parts[0]
        else:
            name = one
        names.append(_clean(re.sub(r"\\([\\:;{}_&%#])", r"\1", name)))
    return tuple(name for name in names if name)


def _unlatex(text: str, path: Path) -> str:
    """Return LaTeX as plain text: accents as letters, braces and commands gone."""
    if not re.search(r"[\\~`$]|--|''", text):
        return _clean(re.sub(r"[{}]", "", text))
    library("pylatexenc.latex2text", EXTRA, path)
    try:
        # Mathematics is rare in this field and dollars are not.
        plain = _decoder().latex_to_text(_BARE_DOLLAR.sub(r"\\$", text))
    except Exception:  # whatever it does not understand stays readable
        plain = re.sub(r"[{}]", "", text)
    return _clean(plain)


@cache
def _decoder() -> Any:
    latex2text = importlib.import_module("pylatexenc.latex2text")
    known = latex2text.get_default_latex_context_db()
    url = latex2text.MacroTextSpec("url", simplify_repl="%s")
    known.add_context_category("framing", prepend=True, macros=[url])
    return latex2text.LatexNodes2Text(latex_context=known, keep_comments=True)


# --- RIS ------------------------------------------------------------------------------------------


def _read_ris(text: str, path: Path) -> list[Record]:
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
        found = _RIS_TAG.match(line)
        tag = found.group(1) if found else None
        if tag == "TY":
            if inside:
                problems.append(_unended(path, starts[-1]))
            inside = True
            starts.append(number)
        elif inside and tag is None and lines[-1].startswith("TY  -"):
            problems.append(Problem(path, "has a line that belongs to no field", _EXPORT, number))
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
        return next((_clean(fields[tag]) for tag in tags if fields.get(tag)), "")

    def several(*tags: str) -> tuple[str, ...]:
        found = (_clean(one) for tag in tags for one in fields.get(tag, ()))
        return tuple(one for one in found if one)

    people = next((names for tag in _RIS_CREATORS if (names := several(tag))), ())
    date, precision, notes = _date(*(_ris_date(fields.get(tag, "")) for tag in ("DA", "PY", "Y1")))
    addresses = several("UR")
    used = {"TY", "ID", "TI", "T1", "DA", "PY", "Y1", "M3", "UR", "DO", "LA", "PB", "L1", "UK",
            *_RIS_CREATORS}  # fmt: skip
    rest = {tag: text(tag) if isinstance(value, str) else "; ".join(several(tag))
            for tag, value in fields.items() if tag not in used}  # fmt: skip
    return Record(
        key=text("ID") or str(number),
        title=text("TI", "T1"),
        creators=tuple(_given_first(name) for name in people),
        date=date,
        date_precision=precision,
        type=text("TY"),
        genre=text("M3", "TY"),
        url=next((one for one in addresses if _URL.match(one)), next(iter(addresses), "")),
        doi=_DOI.sub("", text("DO")),
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


def _given_first(name: str) -> str:
    """Return "Family, Given, Suffix" as "Given Family Suffix"."""
    family, *rest = (part.strip() for part in name.split(","))
    return " ".join(part for part in (*rest[:1], family, *rest[1:]) if part)


_READERS = {"csl": _read_csl, "bibtex": _read_bibtex, "ris": _read_ris}


# --- which record belongs to a document -----------------------------------------------------------


def _addresses(record: Record) -> Iterable[str]:
    if record.url:
        yield record.url
    if record.doi:
        yield f"https://doi.org/{record.doi}"


def _posix(name: str) -> str:
    return name.replace("\\", "/")


def _by_file(records: Sequence[Record], asked: PurePosixPath, place: str) -> Record | None:
    """Return the record with the file that agrees with ``asked`` in most parts from the end."""
    agreeing = [
        max((_common_end(asked, PurePosixPath(_posix(name))) for name in record.files), default=0)
        for record in records
    ]
    if most := max(agreeing, default=0):
        return _only(
            [one for one, parts in zip(records, agreeing, strict=True) if parts == most], place
        )
    by_key = [record for record in records if asked.stem and record.key == asked.stem]
    if by_key:
        return _only(by_key, place)
    return _only(
        [
            record
            for record in records
            if asked.stem
            and asked.stem in {PurePosixPath(_posix(name)).stem for name in record.files}
        ],
        place,
    )


def _common_end(a: PurePosixPath, b: PurePosixPath) -> int:
    number = 0
    for one, other in zip(reversed(a.parts), reversed(b.parts), strict=False):
        if one != other:
            break
        number += 1
    return number


def _only(found: Sequence[Record], place: str) -> Record | None:
    if len(found) > 1:
        names = ", ".join(repr(record.key) for record in found)
        raise InputError(
            Problem(place, f"could be any of the records {names}", "Say which one, by its key.")
        )
    return found[0] if found else None
