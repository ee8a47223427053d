"""REFI-QDA codebooks (``.qdc``), in and out, and codes of the codebook as descriptions.

A description holds what our codebook says of a code under fixed headings, so that it reads well in
any program and comes back whole: definition, what is present, what is not enough, exemplars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from framing.acquire.read.refuse import library, refuse
from framing.acquire.refi.ids import made_guid
from framing.acquire.refi.opened import child, children, project_root
from framing.acquire.refi.project import Loss, ProjectCode, Tally
from framing.acquire.refi.read import project_codes
from framing.codebook.codebook import Codebook
from framing.codebook.codes import Code, Exemplar, yes_no_code
from framing.common.files import read_up_to

NAMESPACE = "urn:QDA-XML:codebook:1.0"
_PRESENT, _NOT = "Present when the passage has:", "Not enough:"
_CARRYING, _NEAR = "Exemplars that carry it:", "Near misses:"
_BECAUSE = " — because: "
_HEADINGS = (_PRESENT, _NOT, _CARRYING, _NEAR)
_NUMBERED = re.compile(r"(?:\d+\.|-) ")


def described(code: Code) -> str:
    """Return the description of a code: label, definition, rules and exemplars."""
    lines, level = [code.label, code.definition], code.levels[-1]
    for heading, entries in (
        (_PRESENT, [f"{number}. {rule}" for number, rule in enumerate(level.present, start=1)]),
        (_NOT, [f"- {rule}" for rule in level.not_enough]),
        (_CARRYING, [f"- {one.text}{_BECAUSE}{one.reason}" for one in level.carrying]),
        (_NEAR, [f"- {one.text}{_BECAUSE}{one.reason}" for one in level.near_misses]),
    ):
        if entries:
            lines += ["", heading, *entries]
    return "\n".join(lines)


def code_of(entry: ProjectCode) -> Code:
    """Return a code of a codebook from its description.

    A description that :func:`described` wrote comes back whole. Of any other the text is the
    definition, and the name the label: rules and exemplars are still to be written.
    """
    lines = [" ".join(line.split()) for line in entry.description.split("\n")]
    parts: dict[str, list[str]] = {"": []}
    here = ""
    for line in filter(None, lines):
        if line in _HEADINGS:
            here = line
            parts[here] = []
        else:
            parts[here].append(_NUMBERED.sub("", line, count=1) if here else line)
    head = parts.pop("")
    label, definition = (head[0], head[1:]) if parts and head else (entry.name, head)
    return yes_no_code(
        entry.name, label, " ".join(definition),
        present=tuple(parts.get(_PRESENT, ())), not_enough=tuple(parts.get(_NOT, ())),
        carrying=_exemplars(parts.get(_CARRYING, ())),
        near_misses=_exemplars(parts.get(_NEAR, ())),
    )  # fmt: skip


def _exemplars(lines: Iterable[str]) -> tuple[Exemplar, ...]:
    pairs = (line.partition(_BECAUSE) for line in lines)
    return tuple(Exemplar(text, reason) for text, _, reason in pairs)


def code_elements(parent: Any, codes: Mapping[str, Code], place: str) -> None:
    """Append ``Codes`` with an element a code to ``parent``, in the namespace of that."""
    etree = library("lxml.etree", place)
    space = parent.tag.rpartition("}")[0] + "}"
    listed = etree.SubElement(parent, f"{space}Codes")
    for code in codes.values():
        said = {"guid": made_guid("code", code.name), "name": code.name, "isCodable": "true"}
        element = etree.SubElement(listed, f"{space}Code", said)
        etree.SubElement(element, f"{space}Description").text = described(code)


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


def codes_only_here(
    found: Iterable[ProjectCode], codes: Mapping[str, Code]
) -> tuple[dict[str, Code], dict[str, Code]]:
    """Return the codes of an exchange file that differ from ours, and those that are not ours.

    Only codes with a description are compared: programs may leave it out.
    """
    changed, new = {}, {}
    for entry in found:
        read = code_of(entry)
        if entry.name not in codes:
            new[entry.path] = read
        elif entry.description and read != codes[entry.name]:
            changed[entry.name] = read
    return changed, new
