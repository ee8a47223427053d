"""Reading a REFI-QDA project (``.qdpx``).

In: a path, the settings ``reading.limits``. Out: :class:`~framing.acquire.refi.project.Project`.
Accepted is what programs write and not only what the schema allows: a project file of any name,
any prefix of the namespace, ``sources/`` in any letter case, GUIDs with braces, texts with a byte
order mark or with CR LF.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framing.acquire.refi.not_read import not_read
from framing.acquire.refi.offsets import Counting, Quoted, Scale, counting_of, with_line_feeds
from framing.acquire.refi.opened import Opened, child, children, guid, words
from framing.acquire.refi.project import (
    UNKNOWN,
    Coding,
    Document,
    Memo,
    Project,
    ProjectCode,
    Tally,
    User,
)

_REMEDY = "They are left out: correct them in the program, and export again, if they are wanted."


@dataclass(frozen=True)
class _Selection:
    element: Any
    document: str
    name: str
    start: int
    end: int


def read_project(path: Path, limits: Mapping[str, Any]) -> Project:
    """Return the project in a ``.qdpx``.

    Raises :class:`InputError` where the archive is broken, harmful, or holds no project or several;
    where the XML is broken, declares entities or a document type; where a text is missing or not
    UTF-8; where ids are missing or stand twice. What is wrong with single selections (outside the
    text, end before start, unknown GUIDs) becomes a line of ``problems``.
    """
    opened = Opened(path, limits)
    root, faults, losses = opened.root, Tally(), Tally()
    users = {one.guid: one for one in _users(opened)}
    codes = {one.guid: one for one in project_codes(opened, child(root, "CodeBook"))}
    raws: dict[str, str] = {}
    documents: list[Document] = []
    selections: list[_Selection] = []
    for element in children(child(root, "Sources"), "TextSource"):
        own, name = _id(opened, element, "document"), element.get("name") or ""
        if own in raws:
            opened.refuse(f"has two documents with the GUID {own}")
        raw = _text(opened, element)
        if raw is None:
            losses.add("documents without a plain text in the file", name or own)
            lost = sum(len(children(one, "Coding")) for one in element)
            losses.add("codings of documents without a plain text", name or own, lost)
            continue
        raws[own] = raw
        documents.append(Document(name or own, own, with_line_feeds(raw)))
        selections += _selections(element, own, name or own, faults)
    counting, evidence = counting_of(
        Quoted(raws[one.document], one.start, one.end, one.element.get("name") or "")
        for one in selections
    )
    placed = list(_placed(selections, raws, counting, faults))
    sole = next(iter(users)) if len(users) == 1 else ""
    codings = tuple(dict.fromkeys(_codings(placed, codes, users, sole, faults)))
    memos = tuple(_memos(opened, placed, codes, users, {one.guid for one in documents}, faults))
    not_read(root, losses)
    return Project(
        name=root.get("name") or "", origin=root.get("origin") or "", documents=tuple(documents),
        codes=tuple(codes.values()), users=tuple(users.values()), codings=codings, memos=memos,
        losses=losses.losses(), problems=faults.problems(opened.place, _REMEDY), counting=evidence,
    )  # fmt: skip


def _id(opened: Opened, element: Any, what: str) -> str:
    found = guid(element)
    if not found:
        opened.refuse(f"has a {what} without a usable GUID ({element.get('name') or 'no name'!r})")
    return found


def _users(opened: Opened) -> Iterator[User]:
    seen = set()
    for element in children(child(opened.root, "Users"), "User"):
        own = _id(opened, element, "user")
        if own in seen:
            opened.refuse(f"has two users with the GUID {own}")
        seen.add(own)
        yield User((element.get("name") or element.get("id") or own).strip(), own)


def project_codes(opened: Any, codebook: Any | None) -> Iterator[ProjectCode]:
    """Yield the codes of a codebook element, each before those below it.

    ``opened`` has the method ``refuse``, which raises :class:`InputError`: on a code without GUID
    or name, and on two with one GUID.
    """
    seen: set[str] = set()

    def below(element: Any, parent: str) -> Iterator[ProjectCode]:
        for one in children(element, "Code"):
            own, name = _id(opened, one, "code"), (one.get("name") or "").strip()
            if own in seen or not name:
                opened.refuse(f"has two codes with the GUID {own}" if name else
                              f"has a code without a name ({own})")  # fmt: skip
            seen.add(own)
            path = f"{parent}/{name}" if parent else name
            codable = (one.get("isCodable") or "true").strip().lower() in ("true", "1")
            colour, description = (one.get("color") or "").strip(), words(one, "Description")
            yield ProjectCode(name, path, own, parent, colour, description, codable)
            yield from below(one, path)

    yield from below(child(codebook, "Codes"), "")


def _text(opened: Opened, element: Any) -> str | None:
    inline = child(element, "PlainTextContent")
    if inline is not None:
        return inline.text or ""
    return opened.text((element.get("plainTextPath") or "").strip())


def _selections(element: Any, document: str, name: str, faults: Tally) -> Iterator[_Selection]:
    for one in children(element, "PlainTextSelection"):
        given = one.get("startPosition") or "", one.get("endPosition") or ""
        where = f"{name} [{given[0]}, {given[1]}]"
        try:
            start, end = (int(value) for value in given)
        except ValueError:
            faults.add("selections whose offsets are no numbers", where)
            continue
        if end < start:
            faults.add("selections that end before they start", where)
            continue
        yield _Selection(one, document, name, start, end)


def _placed(
    selections: list[_Selection], raws: Mapping[str, str], counting: Counting, faults: Tally
) -> Iterator[_Selection]:
    scales = {name: Scale(raw, counting) for name, raw in raws.items()}
    for one in selections:
        scale = scales[one.document]
        where = f"{one.name} [{one.start}, {one.end}]"
        if one.start < 0 or one.end + counting.inclusive > scale.length:
            faults.add("selections outside of the text", where)
            continue
        start, end = scale.characters(one.start, one.end)
        if start >= end:
            faults.add("selections of no character", where)
            continue
        yield _Selection(one.element, one.document, one.name, start, end)


def _codings(
    placed: list[_Selection], codes: Mapping[str, ProjectCode], users: Mapping[str, User],
    sole: str, faults: Tally,
) -> Iterator[Coding]:  # fmt: skip
    for one in placed:
        where = f"{one.name} [{one.start}, {one.end}]"
        for coding in children(one.element, "Coding"):
            reference = child(coding, "CodeRef")
            code = "" if reference is None else guid(reference, "targetGUID")
            if code not in codes:
                faults.add("codings with a code that the project does not define", where)
                continue
            coder = guid(coding, "creatingUser") or guid(one.element, "creatingUser") or sole
            if coder and coder not in users:
                faults.add("codings by a user whom the project does not name", where)
                continue
            yield Coding(one.document, code, coder or UNKNOWN, one.start, one.end)


def _memos(
    opened: Opened, placed: list[_Selection], codes: Mapping[str, ProjectCode],
    users: Mapping[str, User], documents: set[str], faults: Tally,
) -> Iterator[Memo]:  # fmt: skip
    """Yield notes where they are referred to, and descriptions of selections and documents."""
    notes: dict[str, tuple[str, str, str]] = {}
    for one in children(child(opened.root, "Notes"), "Note"):
        text = with_line_feeds(_text(opened, one) or words(one, "Description"))
        user = users.get(guid(one, "creatingUser"))
        notes[guid(one)] = one.get("name") or "", text, user.name if user else ""

    used = set()

    def referred(element: Any, about: str, **where: Any) -> Iterator[Memo]:
        for reference in children(element, "NoteRef"):
            target = guid(reference, "targetGUID")
            if target in notes:
                used.add(target)
                name, text, coder = notes[target]
                yield Memo(about, name, text, coder, **where)
            else:
                faults.add("references to a note that the project lacks", about)

    for one in placed:
        span: dict[str, Any] = {"document": one.document, "start": one.start, "end": one.end}
        if comment := words(one.element, "Description"):
            user = users.get(guid(one.element, "creatingUser"))
            yield Memo("selection", "", comment, user.name if user else "", **span)
        yield from referred(one.element, "selection", **span)
        for coding in children(one.element, "Coding"):
            reference = child(coding, "CodeRef")
            code = "" if reference is None else guid(reference, "targetGUID")
            yield from referred(coding, "coding", code=code if code in codes else "", **span)
    for element in children(child(opened.root, "Sources"), "TextSource"):
        where: dict[str, Any] = {"document": guid(element)}
        where = where if where["document"] in documents else {}
        if comment := words(element, "Description"):
            yield Memo("document", "", comment, **where)
        yield from referred(element, "document", **where)
    for element in opened.root.iter("{*}Code"):
        yield from referred(element, "code", code=guid(element))
    yield from referred(opened.root, "project")
    for name, text, coder in (note for own, note in notes.items() if own not in used):
        yield Memo("project", name, text, coder)
