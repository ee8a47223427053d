"""Rooms import only from rooms above them; nothing but commands and scripts enters the wings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

WINGS = ("acquire", "release")


def rooms(root: Path) -> list[str]:
    """Return the rooms in the order in which CONTRIBUTING.md lists them."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.findall(r"(?m)^\| `(\w+)` \| ", text)


def imports(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield file and imported module of every import from the package, type-only ones included."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import hides its room"
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            name = path.relative_to(folder).as_posix()
            yield from ((name, one) for one in names if one.split(".")[0] == "framing")


def allowed(room: str, other: str, order: list[str]) -> bool:
    if other in WINGS and other != room:
        return room == "cli"
    return order.index(other) <= order.index(room)


def test_every_room_is_listed(root: Path) -> None:
    folder = root / "workflow" / "framing"
    assert {path.parent.name for path in folder.glob("*/__init__.py")} == {*rooms(root)}
    assert [path.name for path in folder.glob("*.py")] == ["__init__.py"]


def test_rooms_import_only_from_rooms_above_them(root: Path) -> None:
    order = rooms(root)
    wrong = [
        f"{name} imports {module}"
        for name, module in imports(root / "workflow" / "framing")
        if "/" in name and not allowed(name.split("/")[0], module.split(".")[1], order)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("room", "other", "good"),
    [
        ("tables", "inference", True), ("inference", "tables", False), ("cli", "acquire", True),
        ("workflow", "release", False), ("release", "acquire", False), ("release", "release", True),
    ],
)  # fmt: skip
def test_what_is_allowed(root: Path, room: str, other: str, good: bool) -> None:
    assert allowed(room, other, rooms(root)) is good
