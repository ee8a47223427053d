"""What `-m "not slow"` leaves out, and that what is left has to do with every room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.test_house import rooms


def is_slow(mark: ast.expr) -> bool:
    """Tell whether a decorator, or what `pytestmark` is set to, marks as slow."""
    return any(
        isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.slow"
        for node in ast.walk(mark)
    )


def quick_tests(path: Path) -> Iterator[str]:
    """Yield the names of a module's tests that neither they nor the module mark as slow."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    marks = [node for node in body if isinstance(node, ast.Assign)]
    if any(ast.unparse(one.targets[0]) == "pytestmark" and is_slow(one.value) for one in marks):
        return
    for node in body:
        if isinstance(node, ast.FunctionDef) and not any(map(is_slow, node.decorator_list)):
            yield from [node.name] if node.name.startswith("test_") else []


@pytest.mark.parametrize("folder", ["workflow", "browser"])
def test_what_runs_the_workflow_or_a_browser_is_slow(root: Path, folder: str) -> None:
    modules = sorted((root / "tests" / folder).glob("test_*.py"))
    assert modules
    assert {path.name: [*quick_tests(path)] for path in modules} == {
        path.name: [] for path in modules
    }


def test_every_room_is_met_by_tests_that_are_not_slow(root: Path) -> None:
    missing = {*rooms(root)}
    for path in sorted((root / "tests" / "unit").glob("test_*.py")):
        found = re.findall(r"(?m)^from framing\.(\w+)", path.read_text(encoding="utf-8"))
        if not missing.isdisjoint(found) and any(quick_tests(path)):
            missing.difference_update(found)
    assert missing == set()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def test_a(): pass\ndef b(): pass", ["test_a"]),
        ("@pytest.mark.slow\ndef test_a(): pass\n@other\ndef test_b(): pass", ["test_b"]),
        ("pytestmark = [pytest.mark.latex, pytest.mark.slow]\ndef test_a(): pass", []),
        ("@pytest.mark.parametrize('x', [])\n@pytest.mark.slow\ndef test_a(x): pass", []),
    ],
)
def test_marks_are_read(tmp_path: Path, text: str, names: list[str]) -> None:
    (tmp_path / "test_x.py").write_text(text, encoding="utf-8")
    assert [*quick_tests(tmp_path / "test_x.py")] == names
