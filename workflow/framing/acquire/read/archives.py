"""Archives (.docx, .odt, .epub) and XML, opened so that none of their tricks works.

In: bytes, a name for messages, the settings ``reading.limits``. Out: the parts asked for. Nothing
is unpacked to disk, no entity is replaced, nothing is fetched.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from framing.acquire.read.refuse import library, refuse
from framing.common.problems import InputError

_SMALL = 1_048_576  # bytes: a part below this cannot do harm, whatever its ratio
_BROKEN = "Open it in the program it was made with and save it again."


class Archive:
    """The parts of an archive that passed every check; read one with :meth:`part`."""

    def __init__(self, data: bytes, place: str | Path, limits: Mapping[str, Any]) -> None:
        """Open and check. Raises :class:`InputError` on what is broken, locked or harmful."""
        self.place = place
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            members = self._zip.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, OverflowError):
            refuse(place, "is a broken archive", _BROKEN)
        self.names = {member.filename for member in members}
        if len(members) > limits["members"]:
            refuse(place, f"holds {len(members)} files, more than {limits['members']}",
                   "Raise reading.limits.members if you trust it.")  # fmt: skip
        if len(self.names) < len(members):
            refuse(place, "holds two files of one name", _BROKEN)
        for member in members:
            self._check(member, limits)
        expanded = sum(member.file_size for member in members)
        if expanded > limits["expanded_bytes"]:
            refuse(place, f"unpacks to {expanded:,} bytes, more than {limits['expanded_bytes']:,}",
                   "Raise reading.limits.expanded_bytes if you trust it.")  # fmt: skip

    def _check(self, member: zipfile.ZipInfo, limits: Mapping[str, Any]) -> None:
        name = member.filename
        parts = re.split(r"[\\/]", name)
        if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
            refuse(self.place, f"holds a file whose name leads out of it ({name!r})",
                   "Do not trust it: get it from another source.")  # fmt: skip
        if member.flag_bits & 1:
            refuse(self.place, "is protected by a password", "Save it without a password.")
        if member.file_size > _SMALL and member.file_size > limits["ratio"] * max(
            member.compress_size, 1
        ):
            refuse(self.place, f"holds a part that unpacks to {member.file_size:,} bytes "
                   f"from {member.compress_size:,} ({name!r}), as archives made to harm do",
                   "Raise reading.limits.ratio if you trust it.")  # fmt: skip

    def part(self, name: str) -> bytes:
        """Return a part; raise :class:`InputError` where it is missing or broken."""
        if name not in self.names:
            refuse(self.place, f"lacks the part {name!r}", _BROKEN)
        try:
            return self._zip.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError,
                NotImplementedError):  # fmt: skip
            refuse(self.place, f"has a broken part {name!r}", _BROKEN)

    def xml(self, name: str) -> Any:
        """Return the root element of an XML part."""
        return xml_root(self.part(name), f"{self.place} ({name})")


def xml_root(data: bytes, place: str | Path) -> Any:
    """Return the root element of an XML document.

    Entities of its own and references to outside are refused, not followed. Raises
    :class:`InputError`, with the line of a defect.
    """
    etree = library("lxml.etree", place)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, recover=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" at line {line}" if line else ""
        what = "declares entities" if b"<!ENTITY" in data[:100_000] else "is not well-formed XML"
        refuse(place, f"{what}{where} ({str(error)[:120]})", "Correct it there.")
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        refuse(place, "declares entities of its own, as documents made to harm do",
               "Remove the declarations (<!ENTITY …>) and write the text itself.")  # fmt: skip
    if any(True for _ in root.iter(etree.Entity)):
        refuse(place, "uses entities that are not declared", "Write the characters themselves.")
    return root


def optional_xml(archive: Archive, name: str) -> Any | None:
    """Return the root of an XML part, or None where there is none or it is broken.

    For parts that only hold facts about the text (title, author): without them it reads as well.
    """
    if name not in archive.names:
        return None
    try:
        return archive.xml(name)
    except InputError:
        return None
