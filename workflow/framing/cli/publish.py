"""The command ``framing publish``: keep results as those that later ones are compared with."""

from __future__ import annotations

import argparse
import shutil
import unicodedata
from pathlib import Path

from framing.common.files import read_table
from framing.common.paths import MANIFEST, PUBLISHED
from framing.common.problems import Problem, raise_if_any
from framing.release.manifest import manifest
from framing.release.read_release import LABEL, PROVENANCE, TABLES, folder_contents

RESULTS = Path("results")
# Always the same names: what a killed call leaves behind, the next one replaces or puts back.
_SCRATCH, _BEFORE = Path(".published.part"), Path(".published.before")
_LONGEST = 100  # characters of a label: it stands in a heading
_EPILOG = """\
Publish when results are cited: with a release, a paper, a report. From then on results/changes.md
and `framing diff` say which cells have moved since, by how much, and why. Commit the folder
published/, and run `snakemake` once more: results/changes.md then compares with it.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``publish`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "publish", parents=[common], help="keep the results as those that later ones are held to",
        description="Copy the tables (CSV) and the provenance of results/ to published/, in place "
        "of what was published before. Refused unless results are those of results/manifest.tsv.",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--label", metavar="TEXT", help="what to call them, such as the name of a release"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Publish the results of the project in the working directory; return 0."""
    tables = publish(Path(), arguments.label)
    called = f" as “{arguments.label}”" if arguments.label else ""
    print(f"Published{called}: {tables} tables, in {PUBLISHED}/. Commit this folder.")
    print("Run `snakemake` once more: results/changes.md then compares with it.")
    return 0


def publish(project: Path, label: str | None = None) -> int:
    """Copy a project's tables and provenance to ``published/``, whole or not at all.

    Returns how many tables there are. Raises :class:`InputError` where the label cannot stand in a
    heading, where results are absent or not those of their manifest, and where ``published/`` holds
    files that are none of ours, which would be lost.
    """
    target, scratch, before = (project / name for name in (PUBLISHED, _SCRATCH, _BEFORE))
    if before.is_dir() and not target.exists():
        before.rename(target)  # an earlier call was killed between its two renames
    raise_if_any([*_label_problems(label), *_result_problems(project), *_foreign(target)])
    contents = folder_contents(project / RESULTS)
    contents.pop(LABEL, None)
    if label is not None:
        contents[LABEL] = f"{label}\n".encode()
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        for name, data in contents.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(data)
        shutil.rmtree(before, ignore_errors=True)
        if target.exists():
            target.rename(before)
        scratch.rename(target)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        if before.is_dir() and not target.exists():
            before.rename(target)
        raise
    shutil.rmtree(before, ignore_errors=True)
    return sum(name.endswith(".csv") for name in contents)


def _label_problems(label: str | None) -> list[Problem]:
    if label is None:
        return []
    odd = any(unicodedata.category(sign).startswith(("C", "Zl", "Zp")) for sign in label)
    if label.strip() and label == label.strip() and not odd and len(label) <= _LONGEST:
        return []
    what = f"{label!r} is empty, too long, or not one line of plain text"
    return [Problem("--label", what, f"Give at most {_LONGEST} characters, as in “1.0”.")]


def _result_problems(project: Path) -> list[Problem]:
    """Return why the results are not to be published."""
    path = project / RESULTS / MANIFEST
    if not path.is_file():
        return [Problem(RESULTS / MANIFEST, "does not exist", "Run `snakemake` first.")]
    listed = read_table(path, ["path", "bytes", "sha256"])
    listed, present = (
        {row.path: (str(row.bytes), row.sha256) for row in frame.itertuples(index=False)}
        for frame in (listed, manifest(project / RESULTS))
    )
    problems = [
        Problem(RESULTS / name, "is not as results/manifest.tsv lists it",
                "Run `snakemake` to make results anew, then publish.")
        for name in sorted({*listed, *present})
        if listed.get(name) != present.get(name)
    ]  # fmt: skip
    if not any(name.startswith(f"{TABLES}/") and name.endswith(".csv") for name in listed):
        problems.append(Problem(RESULTS, "has no tables", "Run `snakemake` first."))
    if PROVENANCE not in listed:
        problems.append(Problem(RESULTS / PROVENANCE, "does not exist", "Run `snakemake` first."))
    return problems


def _foreign(target: Path) -> list[Problem]:
    """Return a problem for each file in the folder that publishing did not put there."""
    if target.exists() and not target.is_dir():
        return [Problem(PUBLISHED, "is a file, not a folder", "Move it elsewhere.")]
    ours = set(folder_contents(target)) if target.exists() else set()
    names = sorted(
        path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()
    )
    return [
        Problem(PUBLISHED / name, "would be lost: this folder is replaced as a whole",
                "Move it elsewhere.")
        for name in names
        if name not in ours
    ]  # fmt: skip
