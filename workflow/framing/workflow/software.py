"""The code behind each rule and behind the results, and the packages that it runs on."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from textwrap import dedent

from framing.common.files import sha256
from framing.common.problems import InputError, Problem
from framing.common.versions import versions
from framing.tables.jobs import JOBS, job_functions
from framing.workflow.results import ROOT, SPECS, relative

PACKAGE = ROOT / "framing"
MAKE_TABLES = "make_tables"
"""The script that makes tables, whichever job it is given."""
WRITERS = (
    "begin", "changes", "codebook_page", "draw", "explorer", "manifest", "provenance", "release",
    "report", "tables",
)  # fmt: skip
"""Scripts that only write down, or compare, what others have worked out."""
STACK = ("formulaic", "framing", "Jinja2", "matplotlib", "nltk", "numpy", "pandas", "regex",
         "scikit-learn", "scipy", "XlsxWriter")  # fmt: skip
"""Packages whose version can change a byte of the results."""

# A statement that imports from this package, at the margin or below it.
_IMPORT = re.compile(
    r"^[ ]*(?:from framing[.\w]* import (?:\([^)]*\)|[^(\n]+)|import framing[^\n]*)", re.MULTILINE
)


def installed(packages: Sequence[str] = STACK) -> dict[str, str]:
    """Return the versions of packages; raise :class:`InputError` where one is missing."""
    try:
        return versions(packages)
    except PackageNotFoundError as error:
        remedy = "Install what pyproject.toml asks for, as the README's first line does."
        raise InputError(Problem(sys.prefix, f"lacks the package {error.name}", remedy)) from None


def code(script: str, *functions: str) -> list[str]:
    """Return the files of the package that ``workflow/scripts/<script>.py`` imports, all the way.

    ``functions`` (``module:function``) are called by it without being imported. Given as input to
    the script's rule, so that an edit in one of these files reruns it, and no other.
    """
    return relative(_reached(ROOT / "scripts" / f"{script}.py", *map(_module, functions)))


def job_code(job: str) -> list[str]:
    """Return the files of the package behind the tables that a job makes."""
    return code(MAKE_TABLES, *job_functions(SPECS, job))


def software() -> dict[str, str]:
    """Return a digest of the code that makes the tables, by room, scripts and rules.

    Only contents and names below ``workflow/`` enter, line ends apart: the same on every machine.
    """
    scripts = {path for path in (ROOT / "scripts").glob("*.py") if path.stem not in WRITERS}
    tables = [_module(function) for job in JOBS for function in job_functions(SPECS, job)]
    files = scripts.union(_reached(*scripts, *tables), (ROOT / "rules").glob("*.smk"))
    rooms: dict[str, list[str]] = {}
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        contents = sha256(path.read_bytes().replace(b"\r\n", b"\n"))
        rooms.setdefault(_room(path), []).append(f"{name}\t{contents}")
    return {room: sha256("\n".join(sorted(rooms[room])))[:16] for room in sorted(rooms)}


def _room(path: Path) -> str:
    """Return the room of the package that a file is in, or its folder outside of it."""
    inside = path.is_relative_to(PACKAGE) and path.parent != PACKAGE
    return path.relative_to(PACKAGE).parts[0] if inside else path.parent.name


def _module(function: str) -> Path:
    """Return the file of the module in ``module:function``."""
    return ROOT / f"{function.partition(':')[0].replace('.', '/')}.py"


def _reached(*files: Path) -> set[Path]:
    """Return what files import, all the way, and those of them that are of the package."""
    found: set[Path] = set()
    left = {file for file in files if file.is_relative_to(PACKAGE)}.union(*map(_imported, files))
    while left:
        path = left.pop()
        found.add(path)
        left |= _imported(path) - found
    return found


@cache
def _imported(path: Path) -> set[Path]:
    """Return the modules of this package that a Python file imports, with their packages."""
    # Not the whole file as Python reads it, which takes a second of every start for all of them.
    statements = _IMPORT.findall(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(ast.parse("\n".join(map(dedent, statements)))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == PACKAGE.name:
            folders = [PACKAGE.joinpath(*parts[1:end]) for end in range(1, len(parts) + 1)]
            files |= {folder / "__init__.py" for folder in folders}
            files.add(folders[-1].with_suffix(".py"))
    return {file for file in files if file.is_file()}
