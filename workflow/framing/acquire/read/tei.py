"""TEI and ParlaMint to turns: who speaks is what the markup says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.acquire.read.archives import xml_root
from framing.acquire.read.blocks import Vocabulary, local, walk
from framing.acquire.read.document import Raw
from framing.acquire.read.format import Format
from framing.acquire.read.refuse import refuse, version_of

_XML = "{http://www.w3.org/XML/1998/namespace}"
XML_ID = f"{_XML}id"
_PAIRED = {"sic": "misprint, corrected beside it", "orig": "original spelling, regular beside it",
           "abbr": "abbreviation, written out beside it"}  # fmt: skip


def _replaced(element: Any) -> str | None:
    parent = element.getparent()
    pair = parent is not None and local(parent) == "choice" and len(parent) > 1
    return _PAIRED.get(local(element)) if pair else None


_TEI = Vocabulary(
    blocks=frozenset(
        ["text", "body", "front", "back", "div", "div1", "div2", "div3", "u", "seg", "p", "ab",
         "sp", "l", "lg", "head", "list", "item", "label", "table", "row", "cell", "argument",
         "epigraph", "opener", "closer", "salute", "signed", "dateline", "trailer", "byline",
         "floatingText", "group", "docTitle", "titlePart", "docAuthor", "docDate", "titlePage"]
    ),
    left_out={
        "note": "note in the edition", "gap": "note in the edition",
        "desc": "note in the edition", "incident": "note in the edition",
        "kinesic": "note in the edition", "vocal": "note in the edition",
        "stage": "note in the edition", "fw": "running head", "figure": "caption",
        "titlePage": "title page", "speaker": "speaker label", "del": "deletion",
    },
    silent=frozenset(["teiHeader", "timeline", "standOff"]),
    signs={"lb": " ", "pb": " ", "cb": " ", "space": " "},
    reason=_replaced,
)  # fmt: skip


def read_tei(data: bytes, place: str | Path, settings: Mapping[str, Any]) -> Raw:
    """Read one TEI document. Raises :class:`InputError` on broken XML and on collections."""
    root = xml_root(data, place)
    if local(root) == "teiCorpus":
        count = sum(local(each) == "TEI" for each in root.iter())
        refuse(place, f"is a collection of {count} documents (teiCorpus)",
               "Add it as a file, or its documents one by one.")  # fmt: skip
    text = next((each for each in root if local(each) == "text"), None)
    if text is None:
        refuse(place, "has no <text>", "Give a TEI document that holds its text.")
    found = walk(text, _TEI)
    names = _people(root)
    return Raw(
        found.lines, "lxml", version_of("lxml"), _facts(root, text), found.dropped,
        speakers=[_speaker(owner, names) for owner in found.owners],
    )  # fmt: skip


def _people(root: Any) -> dict[str, str]:
    """Return the names of persons that the header lists, by their xml:id."""
    found: dict[str, str] = {}
    for person in root.iter():
        if local(person) == "person" and person.get(XML_ID):
            name = next((each for each in person if local(each) == "persName"), None)
            parts = [] if name is None else " ".join(name_parts(name)).split()
            if parts:
                found.setdefault(str(person.get(XML_ID)), " ".join(parts))
    return found


def name_parts(name: Any) -> list[str]:
    """Return the parts of a persName, forenames first; as written where it has no parts."""
    parts = [(0 if local(part) == "forename" else 1, "".join(part.itertext()))
             for part in name if local(part) in ("forename", "surname")]  # fmt: skip
    return [text for _, text in sorted(parts, key=lambda part: part[0])] or list(name.itertext())


def _speaker(element: Any, names: Mapping[str, str]) -> str | None:
    while element is not None:
        if local(element) in ("u", "sp"):
            who = str(element.get("who", "")).split(" ")[0].lstrip("#")
            said = next((each for each in element if local(each) == "speaker"), None)
            label = (
                " ".join("".join(said.itertext()).split()).rstrip(".:") if said is not None else ""
            )
            return names.get(who) or label or who or None
        element = element.getparent()
    return None


def _facts(root: Any, text: Any) -> dict[str, str]:
    header = next((each for each in root if local(each) == "teiHeader"), None)
    made: dict[str, str] = {}
    language = text.get(f"{_XML}lang") or root.get(f"{_XML}lang")
    for element in header.iter() if header is not None else ():
        name = local(element)
        within = {local(each) for each in element.iterancestors()}
        value = " ".join("".join(element.itertext()).split())
        if name == "title" and "titleStmt" in within:
            made.setdefault("title", value)
        elif name == "author" and "titleStmt" in within:
            made.setdefault("author", value)
        elif name == "date" and ("setting" in within or "sourceDesc" in within):
            made.setdefault("date", str(element.get("when") or value))
        elif name == "idno" and str(element.get("type", "")).upper() in ("URI", "URL"):
            made.setdefault("url", value)
    if language:
        made["language"] = str(language)
    return {name: value for name, value in made.items() if value}


FORMAT = Format(
    "tei", (".xml", ".tei"), "a TEI document", read_tei,
    lambda file: file.root in (b"TEI", b"teiCorpus", b"TEI.2"), text=True,
)  # fmt: skip
