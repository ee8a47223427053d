"""The command ``framing diff``: which cells moved between two sets of results, and why."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from framing.common.git import git
from framing.common.paths import PUBLISHED
from framing.common.pipes import reader_left
from framing.common.problems import InputError, Problem
from framing.release.read_release import (
    LABEL,
    PROVENANCE,
    TABLES,
    Results,
    folder_contents,
    read_results,
)

RESULTS = Path("results")
SAME, CHANGED, TROUBLE = 0, 1, 2
_EPILOG = """\
OLD and NEW are each a folder of results, a project (its results/), a folder of published results,
or a revision of this project in git (its results/ there), such as a tag, HEAD or HEAD~3. A folder
goes before a revision of the same name.

examples:
  framing diff                      from the published results to the present ones
  framing diff HEAD                 from the results of the last commit to the present ones
  framing diff v0.1.0 v0.2.0        from one release to another
  framing diff ../before --all      every cell, against those of another copy of the project

exit status: 0 nothing changed; 1 something did; 2 wrong usage, or one of the two cannot be read
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``diff`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "diff", parents=[common], help="which cells of tables moved, by how much, and why",
        description="Compare the tables of two sets of results cell by cell: old and new value, "
        "the difference against the old interval, the worst first, and what changed in corpus, "
        "codings, codebook, settings and software.",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("old", nargs="?", metavar="OLD", help="default: published/")
    parser.add_argument("new", nargs="?", metavar="NEW", help="default: results/")
    parser.add_argument(
        "--format", choices=("markdown", "tsv"), default="markdown",
        help="markdown: as results/changes.md (default); tsv: a row a cell, for computing",
    )  # fmt: skip
    parser.add_argument(
        "--all", action="store_true",
        help="list every cell, not only the worst of each table (report.changes_listed)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what moved, in the project in the working directory; return the exit status."""
    from framing.release.changelog import account
    from framing.release.compare import listed
    from framing.tables.specs import load_specs

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    limit = None if arguments.all else listed_at_most()
    try:
        old = read_side(arguments.old, PUBLISHED, here)
        new = read_side(arguments.new, RESULTS, here)
    except InputError as error:
        # Not by the way of other commands, whose status 1 means here that something changed.
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return TROUBLE
    since = f"from {old.name} to {new.name}" if arguments.new else ""
    found = account(old, new, load_specs(), since)
    text = found.tsv(limit) if arguments.format == "tsv" else found.markdown(limit)
    if arguments.format == "tsv" and (rest := sum(listed(found.changes, limit)[1].values())):
        print(f"note: {rest} more cells changed; --all lists them", file=sys.stderr)
    try:
        # Whatever the locale can show is shown.
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "replace").decode(encoding), end="", flush=True)
    except BrokenPipeError:
        return reader_left()
    return CHANGED if found.changes.any else SAME


def listed_at_most() -> int | None:
    """Return how many cells of a table are listed, None (all) where no project says so."""
    from framing.common.config import load_config
    from framing.common.paths import CONFIG

    try:
        return int(load_config(CONFIG)["report"]["changes_listed"])
    except InputError:
        # Results can be compared without a project around them, and with one that is being mended.
        return None


def read_side(name: str | None, default: Path, here: Path) -> Results:
    """Return the results that ``name`` stands for; without a name, those in ``default``.

    Folders are looked for below ``here``; what is none is a revision of the project in the working
    directory. Raises :class:`InputError` where there are no results, or they cannot be read.
    """
    if name is None:
        if default.is_dir():
            return read_results(folder_contents(default), default, "")
        remedy = (
            "Run `framing publish` to keep the present results as such, or name others: see "
            "`framing diff --help`."
            if default == PUBLISHED
            else "Run `snakemake` first."
        )
        raise InputError(Problem(default, "does not exist", remedy))
    folder = here / name
    if folder.is_dir():
        inside = folder / RESULTS
        if not (folder / TABLES).is_dir() and inside.is_dir():
            folder = inside
        return read_results(folder_contents(folder), name, name)
    if folder.exists():
        raise InputError(
            Problem(name, "is a file, not a folder of results", "Name the folder it lies in.")
        )
    return read_results(revision_contents(name), f"{name}:{RESULTS}", name)


def revision_contents(revision: str) -> dict[str, bytes]:
    """Return the results of a git revision of the project in the working directory.

    Keys are as in :func:`framing.release.compare.folder_contents`. Raises :class:`InputError` where
    this is no work tree of git, where it knows no such revision and where that has no results.
    """
    if shutil.which("git") is None:
        raise InputError(
            Problem("git", "is not installed, and only it could show a revision",
                    "Install it, or name a folder of results.")
        )  # fmt: skip
    missing = f"There is no folder {revision!r}, and"
    if git("rev-parse", "--is-inside-work-tree") != b"true\n":
        raise InputError(
            Problem(revision, f"cannot be found. {missing} this directory is not under git",
                    "Name a folder of results.")
        )  # fmt: skip
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit:
        raise InputError(
            Problem(revision, f"cannot be found. {missing} git knows no such revision",
                    "Name a folder of results, or a commit, tag or branch.")
        )  # fmt: skip
    at = commit.decode().strip()
    listed = git("ls-tree", "-r", "-z", "--name-only", at, "--", f"{RESULTS}/") or b""
    paths = [Path(os.fsdecode(name)) for name in listed.split(b"\0") if name]
    wanted = {
        path.relative_to(RESULTS).as_posix(): path
        for path in paths
        if (path.suffix == ".csv" and path.parent == RESULTS / TABLES)
        or path in (RESULTS / PROVENANCE, RESULTS / LABEL)
    }  # fmt: skip
    return {
        name: git("cat-file", "blob", f"{at}:./{path.as_posix()}") or b""
        for name, path in wanted.items()
    }
