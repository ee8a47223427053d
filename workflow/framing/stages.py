"""What the Snakefile needs to know before the first job: settings, codes, files, versions."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import IO, Any, TextIO

from framing.coding.codebook import read_codebook
from framing.coding.codings import read_coders
from framing.config import check_config, cross_check, load_config
from framing.corpus.draws import DRAWS, mark_of, read_draws
from framing.corpus.tables import read_sources
from framing.edge import DONE
from framing.files import sha256
from framing.model.encoder import PACKAGES, model_files
from framing.output.published import PUBLISHED
from framing.output.seal import versions
from framing.problems import InputError, Problem, raise_if_any
from framing.project import (
    CODEBOOK,
    CODEBOOK_PAGE,
    CODERS,
    CODINGS,
    CONFIG,
    DERIVED,
    PASSAGES,
    SAMPLE,
    SOURCES,
    UNSAMPLED,
    formula_problems,
    frame_if_right,
    kept_back_problems,
)
from framing.transaction import hold, settle

PACKAGE = Path(__file__).resolve().parent
TABLES = (
    "T1-corpus", "T2-agreement", "T3-classifier", "T4-prevalence", "T5-trend", "T6-contrasts",
    "T7-essay", "T8-cues", "T9-robustness", "T10-regression", "T11-errors", "T13-ablations",
    "T14-learning", "T15-calibration", "T16-specifications", "T17-disagreements",
    "T18-coder-shares",
    "T19-association", "T20-estimators", "T21-gain",
)  # fmt: skip
FIGURES = ("prevalence", "trend", "essay", "specification", "learning", "calibration")
TEMPLATES = ("report.html.j2", "table.html.j2", "report.css")
HEADLINE = Path("build/headline.txt")
EMBEDDINGS = Path("build/embeddings.tsv")
LOGS = Path("build/logs")
RESULTS = Path("results")
# Scripts that only write down, or compare, what others have worked out.
WRITERS = ("changes", "codebook_page", "provenance", "render", "seal")
# Packages whose version can change a byte of the results.
STACK = ("formulaic", "framing", "Jinja2", "matplotlib", "nltk", "numpy", "pandas", "regex",
         "scikit-learn", "scipy")  # fmt: skip

_held: list[IO[str]] = []


@dataclass(frozen=True)
class Plan:
    """Settings and files of one run, as plain sorted data: Snakemake compares them between runs.

    ``mark`` is what every row of every result table must say of how passages were drawn, or empty.
    """

    config: dict[str, Any]
    codes: list[str]
    versions: dict[str, str]
    texts: list[str]
    derived: list[str]
    codings: list[str]
    mark: str
    encoder: list[str]
    encoder_versions: dict[str, str]

    def settings(self, *sections: str) -> dict[str, Any]:
        """Return sections of the configuration: a rule reruns when one it names has changed."""
        return {name: self.config[name] for name in sections}

    @property
    def classifier(self) -> dict[str, Any]:
        """Return the classifier's settings but the encoder's, which no score and no model knows."""
        settings = self.config["classifier"].items()
        return {"classifier": {k: v for k, v in settings if not k.startswith("encoder")}}

    @property
    def embeddings(self) -> list[str]:
        """Return the table of embeddings, where an encoder is configured."""
        return [str(EMBEDDINGS)] if self.encoder else []

    @property
    def corpus(self) -> list[str]:
        """Return the corpus tables, and the records of draws where there are any."""
        unsampled = [UNSAMPLED] if UNSAMPLED.is_file() else []
        tables = [str(path) for path in (SOURCES, PASSAGES, SAMPLE, *unsampled)]
        return tables + _files(DRAWS.glob("[0-9]*/*"))

    @property
    def kept_back(self) -> list[str]:
        """Return the list of sources kept back while cues were written, where there is one."""
        path = self.config["evaluation"]["kept_back"]
        return [path] if path else []

    @property
    def codebook(self) -> str:
        """Return the codebook's file."""
        return str(CODEBOOK)


def plan(overrides: Mapping[str, Any]) -> Plan:
    """Return the plan of the project in the working directory.

    ``overrides`` are settings given on Snakemake's command line; top-level keys replace those of
    ``config/config.yaml``. Raises :class:`InputError` on absent files, on a wrong configuration,
    on a codebook or sources that do not go with it and on an encoder that is none. The first rule
    checks all else.
    """
    settle()
    needed = (CONFIG, CODEBOOK, SOURCES, PASSAGES, SAMPLE, CODERS)
    raise_if_any(
        Problem(path, "does not exist", "A project needs it: see examples/mini for one.")
        for path in needed
        if not path.is_file()
    )
    config = load_config(CONFIG)
    if overrides:
        config = check_config({**config, **overrides}, CONFIG)
    codes = [str(code) for code in read_codebook(CODEBOOK)["codes"]]
    sources = read_sources(SOURCES, config["groups"])
    coders = list(read_coders(CODERS)["coder"])
    problems = cross_check(config, codes, set(sources["source_id"]), CONFIG, coders)
    draws = read_draws(DRAWS)
    frame = frame_if_right(config, sources, draws)
    problems += formula_problems(config, sources, frame)
    raise_if_any(problems + kept_back_problems(config, sources))
    encoder = config["classifier"].get("encoder", "")
    folders = [Path(folder) for folder in config["corpus"]["texts"]]
    return Plan(
        config=config,
        codes=codes,
        versions=_installed(STACK),
        texts=_files(path for folder in folders for path in folder.glob("*.txt")),
        derived=_files(DERIVED.glob("*.json")),
        codings=[str(CODERS), *_files(CODINGS.glob("*.tsv"))],
        mark=mark_of(draws),
        encoder=_files(model_files(encoder)) if encoder else [],
        encoder_versions=_installed(PACKAGES) if encoder else {},
    )


def _installed(packages: Sequence[str]) -> dict[str, str]:
    try:
        return versions(packages)
    except PackageNotFoundError as error:
        remedy = "Install what pyproject.toml asks for, as the README's first line does."
        raise InputError(Problem(sys.prefix, f"lacks the package {error.name}", remedy)) from None


def _files(paths: Iterable[Path]) -> list[str]:
    """Return the files as Snakemake knows them: relative, sorted, none twice.

    To Snakemake braces are a wildcard. No id has any, so no source or coder loses its file, and
    what such a file does here is for the first rule to ask.
    """
    names = {os.path.relpath(path) for path in paths if "{" not in path.name}
    return sorted(names)


def code(script: str) -> list[str]:
    """Return the files of the package that ``workflow/scripts/<script>.py`` imports, all the way.

    Given as input to the script's rule, so that an edit in one of them reruns it, and no other.
    """
    return _files(_reached(PACKAGE.parent / "scripts" / f"{script}.py"))


def software() -> dict[str, str]:
    """Return a digest of the code that makes the tables, by room, scripts and rules.

    Only contents and names below ``workflow/`` enter, line ends apart: the same on every machine.
    """
    scripts = {
        path for path in (PACKAGE.parent / "scripts").glob("*.py") if path.stem not in WRITERS
    }
    files = scripts.union(*map(_reached, scripts), (PACKAGE.parent / "rules").glob("*.smk"))
    rooms: dict[str, list[str]] = {}
    for path in files:
        name = path.relative_to(PACKAGE.parent).as_posix()
        contents = sha256(path.read_bytes().replace(b"\r\n", b"\n"))
        rooms.setdefault(path.parent.name, []).append(f"{name}\t{contents}")
    return {room: sha256("\n".join(sorted(rooms[room])))[:16] for room in sorted(rooms)}


def _reached(script: Path) -> set[Path]:
    found: set[Path] = set()
    left = set(_imported(script))  # a copy: the cache's own set must stay as it is
    while left:
        path = left.pop()
        found.add(path)
        left |= _imported(path) - found
    return found


@cache
def _imported(path: Path) -> set[Path]:
    """Return the modules of this package that a Python file imports, with their packages."""
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
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


def asset(name: str) -> str:
    """Return a file below ``workflow/``, relative to the working directory."""
    return _files([PACKAGE.parent / name])[0]


def page() -> list[str]:
    """Return the codebook's page as a file to make, unless its folder cannot be written to."""
    return [str(CODEBOOK_PAGE)] if os.access(CODEBOOK_PAGE.parent, os.W_OK) else []


def published() -> list[str]:
    """Return the files of the published results, none where nothing has been published."""
    return _files(path for path in PUBLISHED.rglob("*") if path.is_file())


def hold_directory() -> None:
    """Keep other runs and commands out of the working directory until this process ends.

    The operating system lets go of the lock when a run is killed, so that the next one can start.
    """
    if (handle := hold(Path())) is not None:
        _held.append(handle)
    for log in _failures():
        log.unlink()


def _failures() -> list[Path]:
    """Return the logs that hold problems; a job that went well leaves only "done"."""
    return [log for log in sorted(LOGS.glob("*.log")) if log.read_text("utf-8").strip() != DONE]


def show_headline() -> None:
    """Print the headline table, and where report and tables lie."""
    if HEADLINE.is_file():
        results = RESULTS.resolve()
        where = f"\nThe report: {results / 'report.html'}\nThe tables: {results / 'tables'}\n"
        _say("\n" + HEADLINE.read_text(encoding="utf-8") + where, sys.stdout)


def show_problems() -> None:
    """Print, as the last thing on the screen, what jobs found wrong with the input."""
    for log in _failures():
        _say("\n" + log.read_text(encoding="utf-8"), sys.stderr)


def _say(text: str, stream: TextIO) -> None:
    # Whatever encoding the terminal has.
    encoding = stream.encoding or "ascii"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()
