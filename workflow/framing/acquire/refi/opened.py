"""A ``.qdpx`` opened: its one project file and the plain texts beside it.

In: a path, the settings ``reading.limits``. Every check of
:class:`framing.acquire.read.archives.Archive` holds; nothing is unpacked to disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from framing.acquire.read.archives import Archive, xml_root
from framing.acquire.read.refuse import refuse
from framing.common.files import read_up_to

INTERNAL = "internal://"
_AGAIN = "Export the project again."
_GUID = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?")


class Opened:
    """An archive with one project file; ``root`` is its root element."""

    def __init__(self, path: Path, limits: Mapping[str, Any]) -> None:
        """Open and check. Raises :class:`InputError` where there is no project, or several."""
        self.place = str(path)
        remedy = "Export it without media, or raise reading.limits.bytes."
        self._archive = Archive(read_up_to(path, limits["bytes"], remedy), path, limits)
        self._names: dict[str, str] = {}
        for name in sorted(self._archive.names):
            plain = name.replace("\\", "/").casefold()
            if plain in self._names and not plain.endswith("/"):
                self.refuse(f"holds two files of one name ({name!r})")
            self._names[plain] = name
        projects = [name for name in self._names if name.endswith(".qde") and "/" not in name]
        if len(projects) != 1:
            self.refuse(f"holds {len(projects) or 'no'} project files (*.qde) where it has to "
                        "hold one")  # fmt: skip
        self.root = project_root(
            self._archive.part(self._names[projects[0]]), self.place, "Project"
        )

    def refuse(self, what: str, remedy: str = _AGAIN) -> NoReturn:
        """Raise :class:`InputError` on this file."""
        refuse(self.place, what, remedy)

    def text(self, path: str) -> str | None:
        """Return the plain text at ``path`` of a source; None where it lies outside the archive.

        Line ends are as in the file, a byte order mark is no part of it. Raises
        :class:`InputError` where the file is missing or no UTF-8.
        """
        if not path.casefold().startswith(INTERNAL):
            return None
        name = path[len(INTERNAL) :]
        if "/" in name or "\\" in name or name in ("", ".", ".."):
            self.refuse(f"names a text by a path that leads elsewhere ({path!r})")
        whole = self._names.get(f"sources/{name}".casefold())
        if whole is None:
            self.refuse(f"lacks the text {name!r} that its project names")
        data = self._archive.part(whole)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            return self.refuse(f"has a text {name!r} that is not UTF-8 (byte {error.start})")


def project_root(data: bytes, place: str, expected: str) -> Any:
    """Return the root element of a project or codebook; ``expected`` is its name.

    Raises :class:`InputError` on XML that is broken, has a document type or another root.
    """
    root = xml_root(data, place)
    if root.getroottree().docinfo.doctype:
        refuse(place, "declares a document type, which no QDA-XML has", _AGAIN)
    if local(root) != expected:
        refuse(place, f"has the root element {local(root)!r} instead of {expected!r}", _AGAIN)
    return root


def local(element: Any) -> str:
    """Return the name of an element without its namespace: tools write it in several ways."""
    return str(element.tag).rpartition("}")[2]


def children(element: Any | None, *names: str) -> list[Any]:
    """Return the children of an element (none of None) with one of ``names``, in order."""
    return [] if element is None else [one for one in element if local(one) in names]


def child(element: Any | None, name: str) -> Any | None:
    """Return the first child of an element with ``name``, if there is one."""
    return next(iter(children(element, name)), None)


def words(element: Any | None, name: str) -> str:
    """Return the text of the first child with ``name``, stripped; empty without one."""
    found = child(element, name)
    return "" if found is None else (found.text or "").strip()


def guid(element: Any, attribute: str = "guid") -> str:
    """Return a GUID as it is compared: lower case, without braces; empty where there is none."""
    found = _GUID.fullmatch((element.get(attribute) or "").strip())
    return found.group(1).lower() if found else ""
