"""Collections of TEI documents (``teiCorpus``), as ParlaMint's: which documents, and who speaks.

A collection holds its documents, or names their files (XInclude) and those that list persons. Only
files in its own folder or below are opened.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from framing.acquire.read.archives import xml_root
from framing.acquire.read.blocks import local
from framing.acquire.read.format import HEAD, root_of
from framing.acquire.read.refuse import library, refuse
from framing.acquire.read.tei import FORMAT, XML_ID
from framing.common.files import read_up_to

_SMALLER = "Add its documents one by one, or raise reading.limits.bytes."


@dataclass(frozen=True)
class Part:
    """One document of a collection: what it is called, and its file or, within it, its bytes."""

    name: str
    path: Path | None
    data: bytes = b""


@dataclass(frozen=True)
class Collection:
    """A collection: its documents, all files it names, and the persons of its header as XML."""

    parts: tuple[Part, ...]
    files: frozenset[Path]
    people: bytes


def is_collection(path: Path) -> bool:
    """Return whether a file begins as a collection does."""
    if path.suffix.lower() not in FORMAT.endings:
        return False
    try:
        with path.open("rb") as handle:
            return root_of(handle.read(HEAD)) == b"teiCorpus"
    except OSError:
        return False  # what is wrong is told when it is read


def read_collection(path: Path, name: str, most: int) -> Collection:
    """Read a collection of TEI documents, called ``name`` in messages.

    No file may be larger than ``most`` bytes. Documents in files are not read yet. Raises
    :class:`InputError` on broken XML, on files that are not there, that lie outside the folder of
    the collection or have no address of their own, and where there is no document.
    """
    root = xml_root(read_up_to(path, most, _SMALLER), name)
    header = [child for child in root if local(child) == "teiHeader"]
    persons = [person for child in header for person in child.iter() if local(person) == "person"]
    files = []
    for child in header:
        for href in _included(child):
            file = _beside(path, href, name)
            files.append(file)
            listed = xml_root(read_up_to(file, most, _SMALLER), f"{name} ({href})")
            persons += [person for person in listed.iter() if local(person) == "person"]
    parts: list[Part] = []
    _documents(root, path, name, parts)
    if not parts:
        refuse(name, "is a collection without documents", "Add the documents themselves.")
    files += [part.path for part in parts if part.path is not None]
    return Collection(tuple(parts), frozenset(files), _listed(persons, name))


def _documents(corpus: Any, path: Path, name: str, parts: list[Part]) -> None:
    etree = library("lxml.etree", name)
    for child in corpus:
        kind = local(child)
        if kind == "TEI":
            known = child.get(XML_ID) or f"{path.stem}-{len(parts) + 1}"
            parts.append(Part(str(known), None, etree.tostring(child, encoding="utf-8")))
        elif kind == "teiCorpus":
            _documents(child, path, name, parts)
        elif kind == "include":
            file = _beside(path, str(child.get("href") or ""), name)
            parts.append(Part(file.stem, file))


def _included(element: Any) -> list[str]:
    return [str(each.get("href") or "") for each in element.iter() if local(each) == "include"]


def _beside(path: Path, href: str, name: str) -> Path:
    """Return the file that a collection names; refuse what is not there, or not beside it."""
    folder = path.parent.resolve()
    file = (folder / unquote(href)).resolve() if href and "://" not in href else folder
    if not file.is_relative_to(folder) or file == folder:
        refuse(name, f"names {href!r}, which is no file in its folder",
               "Put its documents beside it, or add them one by one.")  # fmt: skip
    if not file.is_file():
        refuse(name, f"names {href!r}, which is not there",
               "Get that file too, or add the documents one by one.")  # fmt: skip
    return file


def _listed(persons: list[Any], name: str) -> bytes:
    if not persons:
        return b""
    etree = library("lxml.etree", name)
    made = etree.Element("listPerson")
    # Each once: what has the id of another is no XML.
    known = {str(person.get(XML_ID)): person for person in reversed(persons)}
    made.extend([copy.deepcopy(person) for person in known.values()])
    return bytes(etree.tostring(made, encoding="utf-8"))


def with_people(data: bytes, people: bytes, place: str | Path) -> bytes:
    """Return a TEI document that knows the persons of its collection too.

    Its own come first. Raises :class:`InputError` on broken XML.
    """
    if not people:
        return data
    etree = library("lxml.etree", place)
    root = xml_root(data, place)
    header = next((child for child in root if local(child) == "teiHeader"), None)
    if header is None:
        header = etree.Element("teiHeader")
        root.insert(0, header)
    own = {str(each.get(XML_ID)) for each in root.iter() if each.get(XML_ID)}
    listed = etree.fromstring(people)
    for person in [each for each in listed if each.get(XML_ID) in own]:
        listed.remove(person)
    header.append(listed)
    return bytes(etree.tostring(root, encoding="utf-8"))
