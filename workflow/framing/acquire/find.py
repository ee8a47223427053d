"""What there is to add: files, folders, web pages, rows of a table.

In: what a person named. Out: a :class:`Found` for each document, which reads it when called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
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

    ``looked_up`` is what a bibliography is asked for: a url, or the path of a file.
    """

    place: str
    wished_id: str
    read: Callable[[], tuple[Document, Origin]]
    said: Mapping[str, str] = field(default_factory=dict)
    looked_up: str = ""


def gathered(wanted: Wanted, settings: Settings, config: Settings) -> Iterator[Found]:
    """Yield the documents that a person named, in the order named, those of folders by name.

    Raises :class:`InputError` where a table cannot be read; files and pages raise when read.
    """
    for what in wanted.what:
        if "://" in what:
            yield _page(what, wanted, settings, config)
            continue
        path = wanted.here / what
        if path.is_dir():
            yield from _folder(path, settings)
        elif is_collection(path):
            yield from _collection(path, Path(what), settings)[0]
        else:
            yield _file(path, Path(what), settings)
    if wanted.table is not None:
        yield from _rows(wanted, settings, config)


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
            yield _file(file, file.relative_to(folder), settings)


def _collection(path: Path, name: Path, settings: Settings) -> tuple[list[Found], frozenset[Path]]:
    """Return the documents of a collection of TEI documents, and the files that it names."""
    most = settings["reading"]["limits"]["bytes"]
    try:
        whole = read_collection(path, str(name), most)
    except InputError as error:
        return [_refused(str(name), name.stem, error)], frozenset()

    def document(part: Part, place: str) -> Callable[[], tuple[Document, Origin]]:
        def read() -> tuple[Document, Origin]:
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
    def read() -> tuple[Document, Origin]:
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


def _file(path: Path, name: Path, settings: Settings) -> Found:
    def read() -> tuple[Document, Origin]:
        from framing.acquire.read.read import bytes_of, read_document

        data = bytes_of(path, settings["reading"]["limits"]["bytes"])
        document = read_document(name, data, settings=settings)
        return document, Origin(name.name, sha256(data))

    return Found(str(name), name.stem, read, looked_up=str(path))


def _page(url: str, wanted: Wanted, settings: Settings, config: Settings) -> Found:
    def read() -> tuple[Document, Origin]:
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


def _rows(wanted: Wanted, settings: Settings, config: Settings) -> Iterator[Found]:
    from framing.acquire.document_table import read_documents

    assert wanted.table is not None
    path = wanted.here / wanted.table
    given = intake_settings(config.get("intake"))["table"]
    table = read_documents(path, wanted.columns, given, wanted.names)
    for note in table.notes:
        print(f"{path.name}: {note}", file=sys.stderr)
    for row in table.rows:
        yield _row(row, path.name, settings)


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


def _row(row: Row, name: str, settings: Settings) -> Found:
    place = f"{name}, line {row.row}"

    def read() -> tuple[Document, Origin]:
        from framing.acquire.read.read import bytes_of, read_document

        if row.path is not None:
            data = bytes_of(row.path, settings["reading"]["limits"]["bytes"])
            document = read_document(row.path.name, data, settings=settings)
            return document, Origin(f"{place}: {row.path.name}", sha256(data))
        data = (row.text or "").encode("utf-8")
        return read_document(place, data, "txt", settings), Origin(place, sha256(data))

    stem = row.id or (row.path.stem if row.path is not None else "")
    return Found(place, stem, read, row.facts, str(row.path or row.facts.get("url", "")))
