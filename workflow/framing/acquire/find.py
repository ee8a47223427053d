"""What there is to add: files, folders, web pages, rows of a table.

In: what a person named. Out: a :class:`Found` for each document, which reads it when called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.acquire.read.collections import Part, is_collection, read_collection, with_people
from framing.acquire.read.kinds import FORMATS
from framing.acquire.settings import intake_settings
from framing.acquire.source import Origin
from framing.common.files import sha256
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.progress import bytes_bar

if TYPE_CHECKING:
    from framing.acquire.document_table import Row
    from framing.acquire.read.document import Document

FETCHED = Path("build/fetched")

Settings = Mapping[str, Any]


Read = Callable[[Settings], "tuple[Document, Origin]"]


@dataclass(frozen=True)
class Wanted:
    """What a person named; ``here`` is the folder that names of files start from."""

    what: Sequence[str]
    table: Path | None
    columns: Mapping[str, str]
    names: str
    here: Path
    wayback: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class Found:
    """Something to be added: how messages name it, what reads it, what is said of it already.

    ``read`` takes the settings ``units`` and ``reading``. ``looked_up`` is what a bibliography is
    asked for: a url, or the path of a file. ``apart`` says that another process can read it too.
    """

    place: str
    wished_id: str
    read: Read
    said: Mapping[str, str] = field(default_factory=dict)
    looked_up: str = ""
    apart: bool = False


@dataclass(frozen=True)
class Gathered:
    """What there is to add: ``here``, then rows of a table, which are gone through once.

    ``number`` counts all; ``problems`` is what is wrong with rows that are not among them.
    """

    here: Sequence[Found]
    rows: Iterable[Found] = ()
    number: int = 0
    problems: Sequence[Problem] = ()

    def __iter__(self) -> Iterator[Found]:
        """Go through everything."""
        yield from self.here
        yield from self.rows


def gathered(wanted: Wanted, settings: Settings, config: Settings) -> Gathered:
    """Return the documents that a person named, in the order named, those of folders by name.

    Raises :class:`InputError` where a table cannot be read; files and pages raise when read.
    """
    here = list(_named(wanted, settings, config))
    if wanted.table is None:
        return Gathered(here, number=len(here))
    from framing.acquire.document_table import open_documents

    path = wanted.here / wanted.table
    given = intake_settings(config.get("intake"))["table"]
    table = open_documents(path, wanted.columns, given, wanted.names)
    for note in table.notes:
        print(f"{path.name}: {note}", file=sys.stderr)
    rows = (_row(row, path.name) for row in table.each())
    return Gathered(here, rows, len(here) + table.number, table.problems)


def _named(wanted: Wanted, settings: Settings, config: Settings) -> Iterator[Found]:
    for what in wanted.what:
        if "://" in what:
            yield _page(what, wanted, config)
            continue
        path = wanted.here / what
        if path.is_dir():
            yield from _folder(path, settings)
        elif is_collection(path):
            yield from _collection(path, Path(what), settings)[0]
        else:
            yield _file(path, Path(what))


def _folder(folder: Path, settings: Settings) -> Iterator[Found]:
    """Yield the documents of a folder; those of a collection once, as it knows them."""
    files = _inside(folder)
    collections = {
        file: _collection(file, file.relative_to(folder), settings)
        for file in files
        if is_collection(file)
    }
    named = {path for _, paths in collections.values() for path in paths}
    for file in files:
        if file in collections:
            yield from collections[file][0]
        elif file.resolve() not in named:
            yield _file(file, file.relative_to(folder))


def _collection(path: Path, name: Path, settings: Settings) -> tuple[list[Found], frozenset[Path]]:
    """Return the documents of a collection of TEI documents, and the files that it names."""
    most = settings["reading"]["limits"]["bytes"]
    try:
        whole = read_collection(path, str(name), most)
    except InputError as error:
        return [_refused(str(name), name.stem, error)], frozenset()

    def document(part: Part, place: str) -> Read:
        def read(settings: Settings) -> tuple[Document, Origin]:
            from framing.acquire.read.read import bytes_of, read_document

            data = part.data if part.path is None else bytes_of(part.path, most)
            told = with_people(data, whole.people, place)
            return read_document(place, told, "tei", settings), Origin(place, sha256(data))

        return read

    found = []
    for part in whole.parts:
        place = f"{name}: {part.name if part.path is None else part.path.name}"
        found.append(Found(place, part.name, document(part, place), looked_up=str(part.path or "")))
    return found, whole.files


def _refused(place: str, wished_id: str, error: InputError) -> Found:
    def read(settings: Settings) -> tuple[Document, Origin]:
        raise error

    return Found(place, wished_id, read)


def _inside(folder: Path) -> list[Path]:
    """Return the documents of a folder and its subfolders, by name; hidden ones are passed over."""
    known = {ending for one in FORMATS.values() for ending in one.endings}
    found = []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(base) / name
            for name in sorted(names)
            if Path(name).suffix.lower() in known and not name.startswith(".")
        ]
    return found


def _file(path: Path, name: Path) -> Found:
    return Found(str(name), name.stem, _ReadFile(path, name), looked_up=str(path), apart=True)


@dataclass(frozen=True)
class _ReadFile:
    path: Path
    name: Path

    def __call__(self, settings: Settings) -> tuple[Document, Origin]:
        from framing.acquire.read.read import bytes_of, read_document

        data = bytes_of(self.path, settings["reading"]["limits"]["bytes"])
        document = read_document(self.name, data, settings=settings)
        return document, Origin(self.name.name, sha256(data))


def _page(url: str, wanted: Wanted, config: Settings) -> Found:
    def read(settings: Settings) -> tuple[Document, Origin]:
        from framing.acquire.fetch.fetch import fetch
        from framing.acquire.fetch.settings import fetch_settings
        from framing.acquire.read.read import read_document

        with bytes_bar(url) as progress:
            got = fetch(
                url, fetch_settings(config.get("fetching")), FETCHED,
                wayback=wanted.wayback, fresh=wanted.fresh, progress=progress,
            )  # fmt: skip
        document = read_document(got.final_url, got.data, got.kind, settings=settings)
        return document, Origin(url, got.sha256, got.final_url, got.retrieved, got.archived)

    last = url.split("?")[0].split("#")[0].rstrip("/").rsplit("/", 1)[-1]
    return Found(url, Path(last).stem, read, {"url": url}, url)


def columns_of(pairs: Sequence[str]) -> dict[str, str]:
    """Return columns by field from pairs FIELD=COLUMN; raise :class:`InputError` on others."""
    columns, problems = {}, []
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not sign or name in columns:
            what = "is given twice" if sign else "is no FIELD=COLUMN"
            problems.append(
                Problem(f"--column {pair}", what, "Write, for example, --column text=speech.")
            )
        columns[name] = column
    raise_if_any(problems)
    return columns


def _row(row: Row, name: str) -> Found:
    place = f"{name}, line {row.row}"
    stem = row.id or (row.path.stem if row.path is not None else "")
    looked_up = str(row.path or row.facts.get("url", ""))
    return Found(place, stem, _ReadRow(place, row.text, row.path), row.facts, looked_up, apart=True)


@dataclass(frozen=True)
class _ReadRow:
    place: str
    text: str | None
    path: Path | None

    def __call__(self, settings: Settings) -> tuple[Document, Origin]:
        from framing.acquire.read.read import bytes_of, read_document

        if self.path is not None:
            data = bytes_of(self.path, settings["reading"]["limits"]["bytes"])
            document = read_document(self.path.name, data, settings=settings)
            return document, Origin(f"{self.place}: {self.path.name}", sha256(data))
        data = (self.text or "").encode("utf-8")
        document = read_document(self.place, data, "txt", settings)
        return document, Origin(self.place, sha256(data))
