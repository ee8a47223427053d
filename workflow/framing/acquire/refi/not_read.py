"""What a project file holds that is not read, counted by kind."""

from __future__ import annotations

from typing import Any

from framing.acquire.refi.opened import child, children
from framing.acquire.refi.project import Tally

_LISTS = {
    "Variables": ("Variable", "variables"), "Cases": ("Case", "cases"),
    "Links": ("Link", "links (relations)"), "Sets": ("Set", "sets"), "Graphs": ("Graph", "graphs"),
}  # fmt: skip
_MEDIA = {
    "PDFSource": "PDF", "PictureSource": "picture", "AudioSource": "audio", "VideoSource": "video",
}  # fmt: skip


def not_read(root: Any, losses: Tally) -> None:
    """Count in ``losses`` what ``root``, a project, holds and reading leaves out."""
    sources = child(root, "Sources")
    for name, kind in _MEDIA.items():
        for one in children(sources, name):
            called = one.get("name") or ""
            losses.add(f"{kind} sources", called)
            codings = sum(1 for _ in one.iter("{*}Coding"))
            if codings:
                losses.add(f"codings on {kind} sources", called, codings)
    for one in children(sources, "TextSource"):
        called = one.get("name") or ""
        if whole := len(children(one, "Coding")):
            losses.add("codings of documents as a whole", called, whole)
        if values := len(children(one, "VariableValue")):
            losses.add("values of variables on documents", called, values)
        if one.get("richTextPath"):
            losses.add("formatted versions of documents", called)
    for listed, (name, kind) in _LISTS.items():
        for one in children(child(root, listed), name):
            losses.add(kind, one.get("name") or "")
