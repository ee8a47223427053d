"""Writing a project as REFI-QDA (``.qdpx``).

In: the corpus, coders, codings and codebook of a project, and a moment. Out: the bytes of the
archive, the same each time (GUIDs from names and offsets, no clock, dates of the archive fixed),
and what it does not carry. Each coder is a user, each passage that a coder gave a code a selection
of just its characters. Texts are UTF-8 without byte order mark; offsets count as the standard says,
the end excluded. Users, dates and plain texts are written wherever the schema allows, as programs
rely on them though the schema does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from framing.acquire.codings.kinds import of_a_kind
from framing.acquire.read.refuse import library, refuse
from framing.acquire.refi.codebooks import code_elements, codebook_losses, xml_bytes
from framing.acquire.refi.ids import made_guid
from framing.acquire.refi.project import UNSURE, Loss, Tally
from framing.codebook.codebook import Codebook
from framing.coding.codings import MACHINE
from framing.common.files import archive
from framing.common.problems import raise_if_any

NAMESPACE = "urn:QDA-XML:project:1.0"
PROJECT_FILE = "project.qde"
LF, CRLF = "\n", "\r\n"
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NAME = 60  # characters of a selection's text that name it
_CODING = ["passage_id", "coder", "code", "value", "unsure"]


@dataclass(frozen=True)
class Exported:
    """A project to be written, as tables.

    ``sources`` has ``source_id title``, ``passages`` has ``passage_id source_id start end``,
    ``texts`` are canonical texts by source; ``coders`` has ``coder kind description``, ``codings``
    is the long table of :func:`framing.coding.codings.read_codings`.
    """

    name: str
    sources: pd.DataFrame
    passages: pd.DataFrame
    texts: Mapping[str, str]
    coders: pd.DataFrame
    codings: pd.DataFrame
    codebook: Codebook


@dataclass(frozen=True)
class Written:
    """The bytes of a ``.qdpx`` and what of the project they do not hold."""

    data: bytes
    losses: tuple[Loss, ...]


@dataclass(frozen=True)
class _Piece:
    """A document to be: its name, text, and the passages in it as (id, start, end)."""

    name: str
    title: str
    text: str
    passages: tuple[tuple[str, int, int], ...]


def project_bytes(
    project: Exported,
    moment: str,
    origin: str,
    *,
    passages_only: bool = False,
    unsure: bool = True,
    line_ends: str = LF,
) -> Written:
    """Return a project as a ``.qdpx``.

    ``moment`` (``2025-01-31T12:00:00Z``) stands as every date, ``origin`` names the program. With
    ``passages_only`` each coded passage is a document of its own and nothing else of a text leaves;
    without ``unsure`` no note says of which passages coders were unsure. ``line_ends`` is LF or
    CRLF, which some programs count on. Raises :class:`InputError` where texts with codings are not
    at hand (also of passages alone), where a passage ends behind its text, on another form of
    ``moment``, without lxml, and on characters that XML cannot hold.
    """
    if not _MOMENT.fullmatch(moment):
        refuse(moment, "is no moment", "Write it as 2025-01-31T12:00:00Z.")
    if line_ends not in (LF, CRLF):
        raise ValueError(f"line_ends is {line_ends!r}")
    etree = library("lxml.etree", PROJECT_FILE)
    pieces = list(_pieces(project, passages_only))
    texts = {
        f"sources/{made_guid('document', one.name)}.txt": one.text.replace("\n", line_ends)
        for one in pieces
    }
    try:
        root = _root(etree, project, pieces, (moment, origin), unsure, len(line_ends))
    except ValueError as error:
        refuse(PROJECT_FILE, f"would hold a character that XML cannot hold ({error})",
               "Take it out of the codebook, the titles or the names.")  # fmt: skip
    parts = {PROJECT_FILE: xml_bytes(root, etree)}
    parts |= {name: text.encode("utf-8") for name, text in texts.items()}
    return Written(archive(parts), tuple(_losses(project, pieces, unsure)))


def _root(
    etree: Any, project: Exported, pieces: list[_Piece], made: tuple[str, str], unsure: bool,
    width: int,
) -> Any:  # fmt: skip
    """Return the element of the whole project; ``made`` is when and by which program."""
    moment, origin = made
    users = {name: made_guid("user", name) for name in project.coders["coder"]}
    first = next(iter(users.values()), None)
    said = {"name": project.name, "origin": origin, "creationDateTime": moment}
    by = {"creatingUser": first} if first else {}
    if first:
        said["creatingUserGUID"] = first
    root = etree.Element(_tag("Project"), said, nsmap={None: NAMESPACE})
    if users:
        listed = etree.SubElement(root, _tag("Users"))
        for name, own in users.items():
            etree.SubElement(listed, _tag("User"), {"guid": own, "name": name})
    if project.codebook.codes:
        book = etree.SubElement(root, _tag("CodeBook"))
        code_elements(book, project.codebook.codes, project.codebook.place)
    sources = etree.SubElement(root, _tag("Sources")) if pieces else None
    notes: list[Any] = []
    cells = _cells(project.codings, list(project.codebook.indicators))
    for piece in pieces:
        own = made_guid("document", piece.name)
        said = {"guid": own, "name": piece.name, "plainTextPath": f"internal://{own}.txt",
                "creationDateTime": moment} | by  # fmt: skip
        element = etree.SubElement(sources, _tag("TextSource"), said)
        if piece.title:
            etree.SubElement(element, _tag("Description")).text = piece.title
        for selection, note in _selections(etree, piece, cells, users, moment, unsure, width):
            element.append(selection)
            notes += [] if note is None else [note]
    if notes:
        etree.SubElement(root, _tag("Notes")).extend(notes)
    etree.SubElement(root, _tag("Description")).text = _about(project)
    return root


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _pieces(project: Exported, passages_only: bool) -> Iterator[_Piece]:
    coded = set(project.codings["passage_id"])
    titles = dict(zip(project.sources["source_id"], project.sources["title"], strict=True))
    grouped = dict(list(project.passages.groupby("source_id", sort=False)))
    absent, cut = [], []
    for name in project.sources["source_id"]:
        rows = grouped.get(name)
        spans = [] if rows is None else [
            (str(row.passage_id), int(row.start), int(row.end))
            for row in rows.itertuples() if row.passage_id in coded
        ]  # fmt: skip
        text = project.texts.get(name)
        if text is None:
            absent += [name] if spans else []
            continue
        cut += [passage for passage, _, end in spans if end > len(text)]
        if passages_only:
            for passage, start, end in spans:
                yield _Piece(passage, titles[name], text[start:end],
                             ((passage, 0, end - start),))  # fmt: skip
        else:
            yield _Piece(name, titles[name], text, tuple(spans))
    raise_if_any(
        [
            *of_a_kind("the texts", "of {} with codings are not at hand", absent,
                       "Put them into the folder of texts, or leave these sources out: no program "
                       "for qualitative analysis shows codings without a text.", "source"),
            *of_a_kind("passages.tsv", "{} end behind their text", cut,
                       "Put the texts there that the passages were cut from.", "passage"),
        ]
    )  # fmt: skip


def _cells(codings: pd.DataFrame, order: list[str]) -> dict[str, dict[str, tuple[list[str], bool]]]:
    """Return by passage and coder the codes that are present and whether the coder was unsure."""
    found: dict[str, dict[str, tuple[list[str], bool]]] = {}
    for row in codings[_CODING].itertuples(index=False):
        codes, unsure = found.setdefault(row.passage_id, {}).get(row.coder, ([], False))
        codes = sorted([*codes, row.code], key=order.index) if row.value == 1 else codes
        found[row.passage_id][row.coder] = codes, unsure or row.unsure == 1
    return found


def _selections(
    etree: Any, piece: _Piece, cells: Mapping[str, Mapping[str, tuple[list[str], bool]]],
    users: Mapping[str, str], moment: str, unsure: bool, width: int,
) -> Iterator[tuple[Any, Any]]:  # fmt: skip
    """Yield a selection a passage and coder, with the note that the coder was unsure or None.

    ``width`` is how many characters a line end is in the file.
    """
    for passage, start, end in piece.passages:
        first = start + (width - 1) * piece.text.count("\n", 0, start)
        last = end + (width - 1) * piece.text.count("\n", 0, end)
        called = " ".join(_NO_XML.sub("", piece.text[start:end]).split())
        called = called if len(called) <= _NAME else called[: _NAME - 1].rstrip() + "…"
        for coder, (codes, doubtful) in sorted(cells.get(passage, {}).items()):
            if not codes and not (unsure and doubtful):
                continue
            where = (piece.name, start, end, coder)
            by = {"creatingUser": users[coder], "creationDateTime": moment}
            selection = etree.Element(
                _tag("PlainTextSelection"),
                {"guid": made_guid("selection", *where), "name": called,
                 "startPosition": str(first), "endPosition": str(last)} | by,
            )  # fmt: skip
            for code in codes:
                said = {"guid": made_guid("coding", *where, code)} | by
                coding = etree.SubElement(selection, _tag("Coding"), said)
                etree.SubElement(coding, _tag("CodeRef"), {"targetGUID": made_guid("code", code)})
            note = None
            if unsure and doubtful:
                own = made_guid("note", *where)
                etree.SubElement(selection, _tag("NoteRef"), {"targetGUID": own})
                note = etree.Element(_tag("Note"), {"guid": own, "name": UNSURE} | by)
                etree.SubElement(
                    note, _tag("PlainTextContent")
                ).text = "The coder was unsure of this passage."
            yield selection, note


def _about(project: Exported) -> str:
    """Return who coded, as there is no other place to say that a coder is no human."""
    lines = ["Selections are whole passages. Coders:"]
    for row in project.coders.itertuples():
        lines.append(f"{row.coder}: {row.kind} coder. {row.description}".strip())
    return "\n".join(lines)


def _losses(project: Exported, pieces: list[_Piece], unsure: bool) -> Iterator[Loss]:
    tally = Tally()
    codings = project.codings
    codes = project.codebook.codes
    absent = codings[(codings["value"] == 0) & codings["code"].isin(codes)]
    if len(absent):
        tally.add("codings that say a code is absent", "", len(absent))
    present = set(codings.loc[codings["value"] == 1, ["passage_id", "coder"]]
                  .itertuples(index=False, name=None))  # fmt: skip
    pairs = codings[["passage_id", "coder"]].drop_duplicates().itertuples(index=False, name=None)
    marked = {passage for piece in pieces for passage, _, _ in piece.passages}
    code_of = {level.indicator: code.name for code in codes.values() for level in code.counted}
    given = codings.assign(code=codings["code"].map(code_of))
    given = given[["passage_id", "coder", "code"]].drop_duplicates()
    if missing := len(project.coders) * len(marked) * len(codes) - len(given):
        tally.add("cells that are not coded (NA)", "", missing)
    if bare := [pair for pair in pairs if pair not in present]:
        tally.add("passages on which a coder found no code", "", len(bare))
    doubtful = codings[codings["unsure"] == 1]
    doubtful = doubtful[["passage_id", "coder"]].drop_duplicates()
    if not unsure:
        for row in doubtful.itertuples():
            tally.add("passages of which a coder was unsure", f"{row.passage_id} ({row.coder})")
    for row in project.coders.itertuples():
        if row.kind == MACHINE:
            tally.add("coders that are machines (only the description says so)", row.coder)
        if row.coder not in set(codings["coder"]):
            tally.add("users without codings", row.coder)
    for name in project.sources["source_id"]:
        if name not in project.texts:
            tally.add("sources without codings whose text is not at hand", name)
    tally.add("facts about sources (group, date, speaker, genre, rights)", "",
              len(project.sources))  # fmt: skip
    uncoded = len(project.passages) - len(marked)
    if uncoded:
        tally.add("bounds of passages that nobody coded", "", uncoded)
    if marked:
        tally.add("weights and strata of drawn passages", "", len(marked))
    yield from tally.losses()
    yield from codebook_losses(project.codebook)
