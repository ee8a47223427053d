"""``framing init``: a new project directory on which the workflow runs at once."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

import yaml

from framing.coding.codings import CODER_COLUMNS
from framing.common.config import SCHEMAS, check_config
from framing.common.files import read_text, repeated, unusable
from framing.common.paths import (
    CODEBOOK,
    CODERS,
    CODINGS,
    CONFIG,
    DERIVED,
    PASSAGES,
    SAMPLE,
    SOURCES,
)
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.settings import starting_text
from framing.corpus.tables import PASSAGE_COLUMNS, SAMPLE_COLUMNS, SOURCE_COLUMNS
from framing.project.lock import alone, commit, settle

TEMPLATES = SCHEMAS.parent / "templates" / "project"
SNAKEFILE = SCHEMAS.parents[1] / "Snakefile"
GROUPS = {"a": "Group A", "b": "Group B"}
"""Groups of a project that was not told its own."""

_QUESTION = "(What is asked is still to be written: project.question in config/config.yaml.)"
_PLACEHOLDERS = "These two hold the place of your own, which can have any ids and names."
_EXAMPLES = """\
examples:
  framing init ~/tram
  framing init tram --title "A tram for the town" --question "Who brings up its cost?" \\
      --groups "residents=Residents,council=The council"

DIR gets config/config.yaml, corpus/ with empty tables and a codebook with one example code, and a
README that says what is next. `snakemake` runs on it at once, and after each further step.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``init`` to the commands; it takes no option of ``common``, having no project yet."""
    parser = commands.add_parser(
        "init", help="start a new project directory",
        description="Start a new project directory: configuration, empty corpus, commented "
        "codebook with one example code.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("target", type=Path, metavar="DIR", help="the directory to make or fill")
    parser.add_argument(
        "--title", metavar="TEXT", help="title of the project (default: DIR's name)"
    )
    parser.add_argument("--question", metavar="TEXT", help="what it asks")
    parser.add_argument(
        "--groups", action="append", default=[], metavar="ID=LABEL,...",
        help="what it compares: ids used in tables, and how results name them (can be repeated)",
    )  # fmt: skip
    parser.set_defaults(run=run, directory=Path())


def run(arguments: argparse.Namespace) -> int:
    """Make the project that the command line asks for, say what is next; return 0."""
    # Not Path.resolve: a link to a directory is named as it was given.
    target = Path(os.path.abspath(arguments.called_from / arguments.target))  # noqa: PTH100
    title = target.name if arguments.title is None else arguments.title
    question = _QUESTION if arguments.question is None else arguments.question
    start(target, title, question, _groups(arguments.groups))
    shown = arguments.target
    print(f"A new project: {shown}")
    print("Its settings are in config/config.yaml, its codes in corpus/codebook/codebook.yaml.")
    print("Next:")
    print(f"  framing add FILE --directory {shown}")
    print(f"  snakemake --snakefile {SNAKEFILE} --directory {shown}")
    return 0


def _groups(given: Sequence[str]) -> dict[str, str]:
    """Return labels by id from ``id=Label,…``; none where nothing is given."""
    pairs = [pair.partition("=") for each in given for pair in each.split(",")]
    problems = [
        Problem("--groups", f"has {name!r} where ID=LABEL should be",
                "Commas part groups. A label with a comma can be written into config.yaml later.")
        for name, sign, label in pairs
        if not (sign and label.strip())
    ]  # fmt: skip
    problems += [
        Problem("--groups", f"names the group {name!r} twice", "Leave one of them out.")
        for name in repeated(name.strip() for name, _, _ in pairs)
    ]
    raise_if_any(problems)
    return {name.strip(): label.strip() for name, _, label in pairs}


def start(target: Path, title: str, question: str, groups: Mapping[str, str]) -> None:
    """Make a project in ``target``, all of it or nothing; without ``groups`` it gets two.

    Raises :class:`InputError` where a project, or a file in the way of one, is there, where the
    directory cannot be written, and on a title or groups that a configuration cannot hold.
    """
    files = contents(title, question, groups)
    if not target.exists():
        _make(target, files)
        return
    settle(target)  # a start that was killed
    raise_if_any(_in_the_way(target, files))
    # A rename would pull the directory away from under those who stand in it, or from git.
    with alone(target):
        commit(files, directory=target)


def contents(title: str, question: str, groups: Mapping[str, str]) -> dict[Path, str | bytes]:
    """Return what every file of a new project holds, by its path in it.

    Raises :class:`InputError` where that is no configuration.
    """
    given = {"project.title": title, "project.question": question}
    config = starting_text(
        given | {"groups": dict(groups or GROUPS)}, {} if groups else {"groups": _PLACEHOLDERS}
    )
    check_config(yaml.safe_load(config), CONFIG)
    readme = _template("README.md").substitute(heading=title, asked=question)
    return {
        CONFIG: config,
        CODEBOOK: read_text(TEMPLATES / "codebook.yaml"),
        SOURCES: _header(SOURCE_COLUMNS),
        PASSAGES: _header(PASSAGE_COLUMNS),
        SAMPLE: _header(SAMPLE_COLUMNS),
        CODERS: _header(CODER_COLUMNS),
        # Git knows no empty directories.
        CODINGS / ".gitkeep": "",
        DERIVED / ".gitkeep": "",
        Path("corpus/texts/.gitignore"): read_text(TEMPLATES / "texts-gitignore"),
        Path(".gitignore"): read_text(TEMPLATES / "gitignore"),
        Path(".gitattributes"): "* text=auto eol=lf\n",
        Path("README.md"): readme,
    }


def _template(name: str) -> Template:
    return Template(read_text(TEMPLATES / name))


def _header(columns: Sequence[str]) -> str:
    return "\t".join(columns) + "\n"


def _in_the_way(target: Path, files: Mapping[Path, str | bytes]) -> list[Problem]:
    """Return why no project can be started in a directory that is there."""
    if not target.is_dir():
        return [Problem(target, "is no directory", "Name another one.")]
    there = [name for name in ("config", "corpus") if _holds_a_file(target / name)]
    if there:
        return [
            Problem(target / name, "is there already: this may be a project",
                    "Name another directory; to add texts to a project: framing add.")
            for name in there
        ]  # fmt: skip
    return [
        Problem(target / path, "is there already", "Move it away, or name another directory.")
        for path in files
        if (target / path).exists()
    ]


def _holds_a_file(path: Path) -> bool:
    return path.is_file() or any(below.is_file() for below in path.rglob("*"))


def _make(target: Path, files: Mapping[Path, str | bytes]) -> None:
    """Make a directory with ``files``, beside its place first, then by renaming it."""
    # Always the same name: what a killed command leaves behind, the next one replaces.
    beside = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        for path, content in files.items():
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
            data = content.encode("utf-8") if isinstance(content, str) else content
            (beside / path).write_bytes(data)
        beside.rename(target)
    except OSError as error:
        raise InputError(unusable(error, target)) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
