"""REFI-QDA codebooks (``.qdc``), in and out, and codes of the codebook as descriptions.

A description holds what our codebook says of a code under fixed headings, so that it reads well in
any program and comes back whole: definition, what is present, what is not enough, exemplars. A
code with levels has a code for each of them below it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from framing.acquire.read.refuse import library, refuse
from framing.acquire.refi.ids import made_guid
from framing.acquire.refi.opened import child, children, project_root
from framing.acquire.refi.project import Loss, ProjectCode, Tally
from framing.acquire.refi.read import project_codes
from framing.codebook.codebook import Codebook
from framing.codebook.codes import Code, Level, read_code
from framing.codebook.kinds import KINDS
from framing.common.files import read_up_to

NAMESPACE = "urn:QDA-XML:codebook:1.0"
_PRESENT, _NOT = "Present when the passage has:", "Not enough:"
_CARRYING, _NEAR = "Exemplars that carry it:", "Near misses:"
_BECAUSE = " — because: "
_HEADINGS = (_PRESENT, _NOT, _CARRYING, _NEAR)
_KIND, _TIES, _NUMBER = "Kind: ", "Ties: ", "Number: "
_FACTS = {
    _KIND: re.compile("|".join(map(re.escape, KINDS))),
    _TIES: re.compile(r"[^,]+(?:, [^,]+)*"),
    _NUMBER: re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?"),
}
"""What a description says of a code in a line of its own, before any heading."""
_NUMBERED = re.compile(r"(?:\d+\.|-) ")


def described(code: Code) -> str:
    """Return the description of a code: label, definition, rules and exemplars.

    Of a code with levels, whose rules are those of its levels, the kind and what decides ties.
    """
    if code.kind.present:
        return "\n".join([code.label, code.definition, *_taught(code.levels[-1])])
    lines = [code.label, code.definition, "", f"{_KIND}{code.kind.name}"]
    if code.ties != tuple(range(len(code.levels))):
        lines.append(f"{_TIES}{', '.join(code.levels[place].name for place in code.ties)}")
    return "\n".join(lines)


def described_level(level: Level) -> str:
    """Return the description of a level: label, definition, number, rules and exemplars."""
    lines = [level.label, *([level.definition] if level.definition else [])]
    if not math.isnan(level.number):
        lines += ["", f"{_NUMBER}{level.number!r}"]
    return "\n".join([*lines, *_taught(level)])


def _taught(level: Level) -> Iterator[str]:
    for heading, entries in (
        (_PRESENT, [f"{number}. {rule}" for number, rule in enumerate(level.present, start=1)]),
        (_NOT, [f"- {rule}" for rule in level.not_enough]),
        (_CARRYING, [f"- {one.text}{_BECAUSE}{one.reason}" for one in level.carrying]),
        (_NEAR, [f"- {one.text}{_BECAUSE}{one.reason}" for one in level.near_misses]),
    ):
        if entries:
            yield from ("", heading, *entries)


def code_of(entry: ProjectCode, below: Sequence[ProjectCode] = ()) -> Code:
    """Return a code of a codebook from its description and, where it has levels, the codes below.

    A description that :func:`described` wrote comes back whole. Of any other the text is the
    definition, and the name the label: rules and exemplars are still to be written.
    """
    return read_code(entry.name, entry_of(entry, below))


def kind_of(entry: ProjectCode) -> str:
    """Return the kind of code that a description names; empty where it names none."""
    named = _parts(entry.description)[1].get(_KIND, "")
    return named if named in KINDS else ""


def entry_of(
    entry: ProjectCode, below: Sequence[ProjectCode] = (), kind: str = ""
) -> dict[str, Any]:
    """Return what would stand in a codebook under a code; ``below`` are its levels.

    ``kind`` holds where the description names none. Definitions and rules that the description
    lacks are missing, too.
    """
    kind = kind_of(entry) or kind
    ours, parts = bool(kind_of(entry)), _parts(entry.description)
    made = _entry(entry, parts, ours=ours)
    if not below or not kind or KINDS[kind].present:
        return made
    levels = [_level(one, ours=ours) for one in below]
    ties = [one.strip() for one in parts[1].get(_TIES, "").split(",") if one.strip()]
    made = {key: made[key] for key in ("label", "definition")}
    return {"kind": kind, **made, "levels": levels, **({"ties": ties} if ties else {})}


def _level(entry: ProjectCode, *, ours: bool) -> dict[str, Any]:
    parts = _parts(entry.description)
    made = {key: value for key, value in _entry(entry, parts, ours=ours).items() if value}
    level: dict[str, Any] = {"level": entry.name}
    if number := parts[1].get(_NUMBER, ""):
        level["number"] = float(number)
    return level | made


_Parts = tuple[dict[str, list[str]], dict[str, str]]


def _parts(description: str) -> _Parts:
    """Return the lines of a description by heading (empty: before any), and its facts."""
    lines = [" ".join(line.split()) for line in description.split("\n")]
    parts: dict[str, list[str]] = {"": []}
    facts: dict[str, str] = {}
    here = ""
    for line in filter(None, lines):
        fact = next((one for one in _FACTS if line.startswith(one) and not here), "")
        if line in _HEADINGS:
            here = line
            parts[here] = []
        elif fact and _FACTS[fact].fullmatch(line.removeprefix(fact)):
            facts[fact] = line.removeprefix(fact)
        else:
            parts[here].append(_NUMBERED.sub("", line, count=1) if here else line)
    return parts, facts


def _entry(entry: ProjectCode, parts: _Parts, *, ours: bool) -> dict[str, Any]:
    found = dict(parts[0])
    head = found.pop("")
    by_us = head and (found or parts[1] or ours)
    label, definition = (head[0], head[1:]) if by_us else (entry.name, head)
    taught = {"present": found.get(_PRESENT, []), "not_enough": found.get(_NOT, [])}
    exemplars = {"carrying": _exemplars(found.get(_CARRYING, ())),
                 "near_misses": _exemplars(found.get(_NEAR, ()))}  # fmt: skip
    exemplars = {key: rows for key, rows in exemplars.items() if rows}
    return {"label": label, "definition": " ".join(definition), **taught, "exemplars": exemplars}


def _exemplars(lines: Iterable[str]) -> list[dict[str, str]]:
    pairs = (line.partition(_BECAUSE) for line in lines)
    return [{"text": text, "reason": reason} for text, _, reason in pairs]


def code_elements(parent: Any, codes: Mapping[str, Code], place: str) -> None:
    """Append ``Codes`` with an element a code to ``parent``, in the namespace of that.

    Below a code with levels, which cannot be given itself, stands a code for each of them.
    """
    etree = library("lxml.etree", place)
    space = parent.tag.rpartition("}")[0] + "}"
    listed = etree.SubElement(parent, f"{space}Codes")

    def element(above: Any, guid: str, name: str, description: str, codable: str = "true") -> Any:
        said = {"guid": made_guid("code", guid), "name": name, "isCodable": codable}
        made = etree.SubElement(above, f"{space}Code", said)
        etree.SubElement(made, f"{space}Description").text = description
        return made

    for code in codes.values():
        if code.kind.present:
            element(listed, code.name, code.name, described(code))
            continue
        above = element(listed, code.name, code.name, described(code), "false")
        for level in code.levels:
            element(above, level.indicator, level.name, described_level(level))


def codebook_bytes(codebook: Codebook, origin: str) -> tuple[bytes, tuple[Loss, ...]]:
    """Return a codebook as a ``.qdc``, the same bytes each time, and what it does not carry.

    ``origin`` names the program that writes it. Raises :class:`InputError` without lxml, and on
    characters that XML cannot hold.
    """
    etree = library("lxml.etree", codebook.place)
    root = etree.Element(f"{{{NAMESPACE}}}CodeBook", {"origin": origin}, nsmap={None: NAMESPACE})
    try:
        code_elements(root, codebook.codes, codebook.place)
    except ValueError as error:
        refuse(codebook.place, f"has a character that XML cannot hold ({error})", "Take it out.")
    return xml_bytes(root, etree), tuple(codebook_losses(codebook))


def codebook_losses(codebook: Codebook) -> Iterator[Loss]:
    """Yield what of a codebook an exchange file does not carry."""
    if codebook.cues:
        names = tuple(cue.name for cue in codebook.cues)
        yield Loss("cues", len(names), names[:3])
    if guidance := [title for title, _ in codebook.guidance]:
        yield Loss("general guidance of the codebook", len(guidance), tuple(guidance[:3]))
    if codebook.terms:
        yield Loss("terms of cues", len(codebook.terms), tuple(codebook.terms)[:3])


def xml_bytes(root: Any, etree: Any) -> bytes:
    """Return an element as a document: UTF-8 with declaration, indented, LF at the end."""
    # Not pretty_print: the text of elements with children is only white space here.
    etree.indent(root, space="  ")
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


class _Named:
    """A file that refuses what is wrong with it."""

    def __init__(self, place: str) -> None:
        self.place = place

    def refuse(self, what: str) -> NoReturn:
        refuse(self.place, what, "Export the codebook again.")


def read_codebook(
    path: Path, limits: Mapping[str, Any]
) -> tuple[tuple[ProjectCode, ...], tuple[Loss, ...]]:
    """Return the codes of a ``.qdc``, and what else it holds.

    ``limits`` are ``reading.limits``. Raises :class:`InputError` as
    :func:`framing.acquire.refi.read.read_project` does on XML and on codes.
    """
    data = read_up_to(path, limits["bytes"], "Raise reading.limits.bytes if you trust it.")
    root = project_root(data, str(path), "CodeBook")
    losses = Tally()
    for one in children(child(root, "Sets"), "Set"):
        losses.add("sets", one.get("name") or "")
    return tuple(project_codes(_Named(str(path)), root)), losses.losses()
