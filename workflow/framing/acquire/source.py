"""From a document to a source of the corpus: its row, text, passages, and what was left out.

In: a document that was read, and what is said about it by options, a table, a bibliography. Out: an
:class:`Addition`, or :class:`InputError` with everything that is missing or wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from framing.acquire.dates import parse_date
from framing.acquire.read.document import Document, Dropped
from framing.acquire.read.units import PassageRow, Unit, cut_pieces, passage_rows
from framing.common.files import sha256
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.intake_log import INTAKE_COLUMNS
from framing.corpus.tables import DATE_PRECISIONS, SOURCE_COLUMNS

FIELDS = ("title", "speaker", "actor", "group", "date", "genre", "url", "rights")
"""What can be said about a source; ``id`` beside it."""

REQUIRED = ("title", "group", "date")
UNKNOWN = "unknown"  # what is written for a date nobody knows

_LONGEST_ID = 80
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Origin:
    """Where a document came from: a name without folders, and of the web what was fetched."""

    name: str
    raw_sha256: str
    url: str = ""
    retrieved: str = ""
    archived: str = ""


@dataclass(frozen=True)
class Addition:
    """A source about to join; ``source`` is its row of sources.tsv, ``record`` of intake.tsv.

    ``pieces`` are those of its text, ``kind`` is what it was read as, ``dropped`` what the reader
    took out, ``notes`` what a person should know.
    """

    source: Mapping[str, str]
    record: Mapping[str, str]
    text: str
    pieces: tuple[Unit, ...]
    kind: str
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def source_id(self) -> str:
        """Return the id it will have."""
        return self.source["source_id"]

    @cached_property
    def passages(self) -> list[PassageRow]:
        """Return the rows that its passages will have in passages.tsv."""
        return passage_rows(self.source_id, self.pieces)

    @property
    def read_by(self) -> str:
        """Return the library that read it, with its version."""
        return " ".join(filter(None, [self.record["reader"], self.record["reader_version"]]))

    def named(self, source_id: str) -> Addition:
        """Return it with another id."""
        new = {"source_id": source_id}
        return replace(self, source={**self.source, **new}, record={**self.record, **new})


class Ids:
    """The ids that are taken, whatever their case; a free one is found at once, however many."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken: dict[str, str] = {}
        self._tried: dict[str, int] = {}
        for one in taken:
            self.take(one)

    def take(self, source_id: str) -> None:
        """Note that an id is taken."""
        self._taken.setdefault(source_id.casefold(), source_id)

    def holder(self, source_id: str) -> str | None:
        """Return the id that is there and differs from this one at most in case, or None."""
        return self._taken.get(source_id.casefold())

    def free(self, wished: str) -> str:
        """Return ``wished``, or with the first number after it that makes it an id nobody has."""
        number, made = self._tried.get(wished, 1), wished
        if number > 1:
            made = _numbered(wished, number)
        while made.casefold() in self._taken:
            number += 1
            made = _numbered(wished, number)
        self._tried[wished] = number
        return made


def _numbered(wished: str, number: int) -> str:
    ending = f"-{number}"
    return wished[: _LONGEST_ID - max(5, len(ending))] + ending


def tidy(value: str) -> str:
    """Return a value on one line, in NFC, without control characters and marks of direction."""
    if value.isascii() and value.isprintable():
        return " ".join(value.split())  # most are
    kept = (" " if char.isspace() else char for char in unicodedata.normalize("NFC", value))
    return " ".join("".join(c for c in kept if unicodedata.category(c) not in ("Cc", "Cf")).split())


def offered(document: Document) -> dict[str, str]:
    """Return what a document says of itself, as far as sources.tsv asks for it.

    Only its title is to be trusted: the date may be that of the file, the author a web master.
    """
    found = {"title": document.metadata.get("title", ""), "url": document.metadata.get("url", ""),
             "date": document.metadata.get("date", ""),
             "speaker": document.metadata.get("author", "")}  # fmt: skip
    return {name: tidy(value) for name, value in found.items() if tidy(value)}


def layered(*layers: Mapping[str, str]) -> dict[str, str]:
    """Return what several say about a source; where two say something, the later one counts.

    A date goes with its precision: that of an earlier layer is not that of a later date.
    """
    said: dict[str, str] = {}
    for layer in layers:
        given = {name: value for name, value in layer.items() if value}
        if "date" in given:
            said.pop("date_precision", None)
        said |= given
    return said


def id_from(name: str) -> str:
    """Return an id made from a file's name, a title or a url: small letters, digits, hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:_LONGEST_ID].strip("-")
    return f"source-{slug}" if not slug or _RESERVED.fullmatch(slug) else slug


def id_problem(place: str, source_id: str, taken: Collection[str] | Ids) -> Problem | None:
    """Return what is wrong with an id that was asked for, or None."""
    if not _ID.fullmatch(source_id) or _RESERVED.fullmatch(source_id):
        remedy = "Use letters, digits, '.', '_' or '-', beginning with a letter or digit."
        return Problem(place, f"cannot have the id {source_id!r}: it names files", remedy)
    if len(source_id) > _LONGEST_ID:
        return Problem(place, f"has an id of {len(source_id)} characters",
                       f"Use at most {_LONGEST_ID}.")  # fmt: skip
    same = (taken if isinstance(taken, Ids) else Ids(taken)).holder(source_id)
    if same is not None:
        remedy = "Give another --id; small and capital letters do not tell ids apart."
        what = f"cannot have the id {source_id!r}: {same!r} is in the corpus"
        return Problem(place, what, remedy)
    return None


def missing(said: Mapping[str, str]) -> list[str]:
    """Return the fields that must be said and are not."""
    return [name for name in REQUIRED if not said.get(name)]


def checked(
    place: str, said: Mapping[str, str], groups: Collection[str], hints: Mapping[str, str]
) -> dict[str, str]:
    """Return the fields of a source, ``date_precision`` too, tidied; every field is there.

    ``hints`` are what the document says of itself (:func:`offered`): they are told where a field is
    missing, never taken. Raises :class:`InputError` with all that is missing or wrong.
    """
    row = {name: tidy(said.get(name, "")) for name in FIELDS}
    problems = [
        Problem(
            place,
            f"has no {name}",
            f"Give --{name}"
            + (f" (the file says {hints[name]!r}: is that right?)." if name in hints else ".")
            + (" Where nobody knows: --date unknown." if name == "date" else ""),
        )
        for name in missing(row)
    ]
    if row["group"] and row["group"] not in groups:
        problems.append(
            Problem(place, f"has the unknown group {row['group']!r}",
                    f"Use one of {', '.join(groups)}, or add the group to config/config.yaml.")
        )  # fmt: skip
    precision = UNKNOWN
    if row["date"].casefold() == UNKNOWN:
        row["date"] = ""
    elif row["date"]:
        try:
            row["date"], precision = parse_date(row["date"])
        except InputError as error:
            problems += [Problem(place, one.what, one.remedy) for one in error.problems]
        # A date that is only about right is written like any other.
        if (said_of_it := said.get("date_precision", "")) in DATE_PRECISIONS:
            precision = said_of_it
    raise_if_any(problems)
    return row | {"date_precision": precision}


def addition(
    source_id: str,
    row: Mapping[str, str],
    document: Document,
    origin: Origin,
    units: Mapping[str, Any],
    version_of: str = "",
) -> Addition:
    """Return a document as a source with passages; ``row`` is that of :func:`checked`.

    Raises :class:`InputError` where no passage is left: then the reasons are counted.
    """
    text = document.text()
    pieces = cut_pieces(source_id, text, units, {**row, "source_id": source_id},
                        document.speakers())  # fmt: skip
    if all(one.reason is not None for one in pieces):
        counts = Counter(one.reason for one in pieces)
        told = "; ".join(f"{number} {reason}" for reason, number in sorted(counts.items()))
        raise InputError(
            Problem(origin.name, f"has no passage that counts ({told})",
                    "Look whether it is the right text; what counts is set by units in "
                    "config/config.yaml.")
        )  # fmt: skip
    digest = sha256(text)
    got_from = f"{origin.url}, retrieved {origin.retrieved[:10]}" if origin.url else origin.name
    if origin.archived:
        got_from = f"{origin.archived}, retrieved {origin.retrieved[:10]}"
    source = {
        **row, "source_id": source_id, "words": str(len(text.split())),
        "url": row["url"] or origin.url, "retrieved_from": tidy(got_from), "sha256": digest,
    }  # fmt: skip
    record = {
        "source_id": source_id, "origin": tidy(origin.name), "url": origin.url,
        "retrieved": origin.retrieved, "archived": origin.archived,
        "raw_sha256": origin.raw_sha256, "text_sha256": digest, "reader": document.reader,
        "reader_version": document.version, "version_of": version_of,
    }  # fmt: skip
    return Addition(
        {name: source[name] for name in SOURCE_COLUMNS},
        {name: record[name] for name in INTAKE_COLUMNS},
        text, tuple(pieces), document.kind, document.dropped, document.notes,
    )  # fmt: skip


def report_rows(made: Addition) -> list[dict[str, str]]:
    """Return everything of a document that is in no passage: ``place text reason``, one a row.

    First what the reader took out, then pieces of the canonical text that are no passages.
    """
    rows = [
        {"place": tidy(one.place), "reason": one.reason, "text": tidy(one.text)}
        for one in made.dropped
    ]
    rows += [
        {
            "place": f"characters {one.start} to {one.end} of the text",
            "reason": one.reason,
            "text": tidy(made.text[one.start : one.end]),
        }
        for one in made.pieces
        if one.reason is not None
    ]
    return rows


def left_out(made: Addition) -> list[tuple[str, int]]:
    """Return the reasons why something of a document is in no passage, the most frequent first."""
    counts = Counter(one.reason for one in made.dropped)
    counts.update(one.reason for one in made.pieces if one.reason is not None)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
