"""What the Snakefile needs to know before the first job: settings, codes, files, versions."""

from __future__ import annotations

import ast
import os
import re
import sys
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from textwrap import dedent
from typing import IO, Any, TextIO

import pandas as pd

from framing.classifier.encoder import PACKAGES, model_files
from framing.codebook.codebook import written_codebook
from framing.coding.codings import read_coders
from framing.common.build import DONE, read_scores
from framing.common.config import check_config, cross_check, load_config
from framing.common.files import LINE, sha256, write_text
from framing.common.paths import (
    CODEBOOK,
    CODEBOOK_PAGE,
    CODERS,
    CODINGS,
    CONFIG,
    DERIVED,
    MANIFEST,
    PASSAGES,
    PUBLISHED,
    SAMPLE,
    SOURCES,
    UNSAMPLED,
)
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.versions import versions
from framing.corpus.tables import read_sources
from framing.project.freeze import FREEZES
from framing.project.load import frame_if_right, project_reading, sampled_sources
from framing.project.lock import hold, settle
from framing.project.status import FIRST_STEPS, READING, Stage, sheets, stage_of
from framing.sampling.combine import mark_of
from framing.sampling.draw import DRAWS, awaiting
from framing.sampling.records import read_draws
from framing.sampling.roles import SPENT, UNREAD

PACKAGE = Path(__file__).resolve().parents[1]
TABLES = (
    "T1-corpus", "T2-agreement", "T3-classifier", "T4-prevalence", "T5-trend", "T6-contrasts",
    "T7-essay", "T8-cues", "T9-robustness", "T10-regression", "T11-errors", "T12-keyness",
    "T13-ablations", "T14-learning", "T15-calibration", "T16-specifications", "T17-disagreements",
    "T18-coder-shares",
    "T19-association", "T20-estimators", "T21-gain", "T22-looking",
)  # fmt: skip
# Each figure, and the table that it shows.
FIGURES = {
    "agreement": "T2-agreement", "keyness": "T12-keyness", "prevalence": "T4-prevalence",
    "trend": "T5-trend", "essay": "T7-essay", "specification": "T16-specifications",
    "looking": "T22-looking", "learning": "T14-learning", "calibration": "T15-calibration",
}  # fmt: skip
# Which of them are drawn together. The tables of the first rest on codings alone: no passage
# without one enters, and a source that joins leaves them as they are.
PLATES = {
    "codings": ("agreement", "looking", "learning", "calibration", "specification"),
    "shares": ("prevalence", "trend"),
    "texts": ("essay", "keyness"),
}
FIGURE_FORMS = ("svg", "pdf", "png")
TEMPLATES = ("report.html.j2", "table.html.j2", "report.css")
EXPLORER = ("explorer.html.j2", "explorer.js", "explorer.css", "report.css")
HEADLINE = Path("build/headline.txt")
EMBEDDINGS = Path("build/embeddings.tsv")
SAMPLED = Path("build/sampled.digest")
SCORES = Path("build/scores.tsv")
PARTS = ("sampled", "further")
"""Folders of facts: of sources that a draw could have reached, and of others."""
LOGS = Path("build/logs")
RESULTS = Path("results")
# What a package for a repository holds beside tables, where a project has it.
BESIDE = ("CITATION.cff", "LICENSE", "LICENSES.md", "corpus/DATA.md", "corpus/intake.tsv")
# Scripts that only write down, or compare, what others have worked out.
WRITERS = (
    "begin", "changes", "codebook_page", "draw", "explorer", "provenance", "release", "report",
    "seal", "tables",
)  # fmt: skip
# Packages whose version can change a byte of the results.
STACK = ("formulaic", "framing", "Jinja2", "matplotlib", "nltk", "numpy", "pandas", "regex",
         "scikit-learn", "scipy", "XlsxWriter")  # fmt: skip

# A statement that imports from this package, at the margin or below it.
_IMPORT = re.compile(
    r"^[ ]*(?:from framing[.\w]* import (?:\([^)]*\)|[^(\n]+)|import framing[^\n]*)", re.MULTILINE
)

_held: list[IO[str]] = []


@dataclass(frozen=True)
class Plan:
    """Settings and files of one run, as plain sorted data: Snakemake compares them between runs.

    ``mark`` is what every row of every result table must say of how passages were drawn and read,
    or empty. ``states`` says what each draw counts as (:mod:`framing.sampling.roles`), ``looked``
    the same in a sentence a draw, the sample first; ``notes`` are lines for the terminal where a
    confirmation draw is spent; ``held_out`` are passages that nobody is to look at yet.
    ``sampled`` are the sources from which a draw could have taken passages: what rests on codings
    rests on them alone. ``sheets`` are to be written for coders who have not begun; else there are
    none.
    """

    stage: str
    config: dict[str, Any]
    codes: list[str]
    versions: dict[str, str]
    texts: list[str]
    derived: list[str]
    codings: list[str]
    sheets: list[str]
    mark: str
    states: list[str]
    looked: list[str]
    held_out: list[str]
    notes: list[str]
    sampled: frozenset[str]
    encoder: list[str]
    encoder_versions: dict[str, str]

    def settings(self, *sections: str) -> dict[str, Any]:
        """Return sections of the configuration: a rule reruns when one it names has changed."""
        return {name: self.config[name] for name in sections}

    @property
    def begins(self) -> bool:
        """Return whether there is not yet all that results are made from."""
        return self.stage != Stage.CODED

    @property
    def confirmed(self) -> bool:
        """Return whether any draw is unread, by which it is decided what tables lead with."""
        return UNREAD in self.states

    @property
    def goals(self) -> list[str]:
        """Return what a run makes that is not told what to make."""
        made = [str(RESULTS / MANIFEST), str(HEADLINE)]
        if self.begins:
            made = [str(FIRST_STEPS), *self.reading, *self.sheets]
        return made + page()

    @property
    def reading(self) -> list[str]:
        """Return the page of passages to be coded, while none is."""
        return [str(READING)] if self.stage == Stage.NO_CODINGS else []

    def of_sampled(self, files: Iterable[str]) -> list[str]:
        """Return those of ``files``, each named after a source, that are of a sampled source."""
        return [file for file in files if Path(file).stem in self.sampled]

    def of_further(self, files: Iterable[str]) -> list[str]:
        """Return those of ``files`` that are of no sampled source."""
        return [file for file in files if Path(file).stem not in self.sampled]

    @property
    def classifier(self) -> dict[str, Any]:
        """Return the classifier's settings but the encoder's, which no score and no model knows."""
        settings = self.config["classifier"].items()
        return {"classifier": {k: v for k, v in settings if not k.startswith("encoder")}}

    @property
    def closeness(self) -> dict[str, Any]:
        """Return the classifier's settings that decide how close words are to rules."""
        names = ("stem", "similarity_words", "similarity_pairs")
        return {"classifier": {name: self.config["classifier"][name] for name in names}}

    @property
    def embeddings(self) -> list[str]:
        """Return the table of embeddings, where an encoder is configured."""
        return [str(EMBEDDINGS)] if self.encoder else []

    @property
    def corpus(self) -> list[str]:
        """Return the corpus tables, and the records of draws and freezes where there are any."""
        unsampled = [UNSAMPLED] if UNSAMPLED.is_file() else []
        tables = [str(path) for path in (SOURCES, PASSAGES, SAMPLE, *unsampled)]
        return tables + _files([*DRAWS.glob("[0-9]*/*"), *FREEZES.glob("[0-9]*/*")])

    @property
    def packed(self) -> list[str]:
        """Return what a package for a repository holds beside results: all they are made from."""
        beside = [Path(name) for name in BESIDE if Path(name).is_file()]
        more = _files([*Path("config").glob("*.yaml"), *beside, *DERIVED.glob("*.json")])
        made = [self.codebook, *page()]
        return sorted({*self.corpus, *self.codings, *made, *more})

    @property
    def codebook(self) -> str:
        """Return the codebook's file."""
        return str(CODEBOOK)


def plan(overrides: Mapping[str, Any]) -> Plan:
    """Return the plan of the project in the working directory.

    ``overrides`` are settings given on Snakemake's command line; top-level keys replace those of
    ``config/config.yaml``. Raises :class:`InputError` on absent files, on a wrong configuration,
    on a codebook or sources that do not go with it and on an encoder that is none. The first rules
    check all else. Where there are results to make, a digest of the rows of sampled sources is
    noted down in :data:`SAMPLED`, for rules that need no others.
    """
    settle()
    needed = (CONFIG, CODEBOOK, SOURCES, PASSAGES, SAMPLE, CODERS)
    raise_if_any(
        Problem(path, "does not exist", "A project needs it: `framing init DIR` starts one.")
        for path in needed
        if not path.is_file()
    )
    config = load_config(CONFIG)
    if overrides:
        config = check_config({**config, **overrides}, CONFIG)
    codebook = written_codebook(CODEBOOK)
    codes = list(codebook.codes)
    sources = read_sources(SOURCES, config["groups"])
    coders = read_coders(CODERS)
    known = list(coders["coder"])
    problems = cross_check(config, codes, set(sources["source_id"]), CONFIG, known)
    draws = read_draws(DRAWS)
    raise_if_any(problems)
    reading = project_reading(config, codebook, sources, draws)
    frame = frame_if_right(config, sources, draws, reading.states)
    encoder = config["classifier"].get("encoder", "")
    folders = [Path(folder) for folder in config["corpus"]["texts"]]
    stage = stage_of()
    sampled = sampled_sources(sources, frame)
    found = Plan(
        stage=str(stage),
        config=config,
        codes=codes,
        versions=_installed(STACK),
        texts=_files(path for folder in folders for path in folder.glob("*.txt")),
        derived=_files(DERIVED.glob("*.json")),
        codings=[str(CODERS), *_files(CODINGS.glob("*.tsv"))],
        sheets=[str(path) for path in sheets(coders)] if stage is Stage.NO_CODINGS else [],
        mark="; ".join(filter(None, [mark_of(draws), *reading.marks])),
        states=reading.states,
        looked=reading.sentences,
        held_out=awaiting(draws, reading.states),
        notes=reading.notes,
        sampled=sampled,
        encoder=_files(model_files(encoder)) if encoder else [],
        encoder_versions=_installed(PACKAGES) if encoder else {},
    )
    if not found.begins:
        _note(SAMPLED, f"{rows_digest(sources, sampled)}\n{rows_digest(frame, sampled)}\n")
    return found


def rows_digest(table: pd.DataFrame | None, sources: Collection[str]) -> str:
    """Return a digest of the rows of ``sources`` in a table, wherever in it they stand.

    Of a table that is None, as it could not be read, the digest is empty.
    """
    if table is None:
        return ""
    rows = table[table["source_id"].isin(sources)].drop(columns=LINE, errors="ignore")
    # A digest a row first: a million rows take long to become text.
    numbers = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    return sha256("\t".join(rows.columns) + numbers.tobytes().hex())


def _note(path: Path, text: str) -> None:
    """Write ``text`` unless the file says so already: its time is that of the last change."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


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


def asset(name: str) -> str:
    """Return a file below ``workflow/``, relative to the working directory."""
    return _files([PACKAGE.parent / name])[0]


def page() -> list[str]:
    """Return the codebook's page as a file to make, unless its folder cannot be written to."""
    return [str(CODEBOOK_PAGE)] if os.access(CODEBOOK_PAGE.parent, os.W_OK) else []


def published() -> list[str]:
    """Return the files of the published results, none where nothing has been published."""
    return _files(path for path in PUBLISHED.rglob("*") if path.is_file())


def programs(rules: Iterable[Any]) -> list[dict[str, str]]:
    """Return which script makes which result, as ``path`` and ``script``, by path.

    A table that is begun in ``build/sampled`` is made by two, in the order given.
    """
    made: dict[str, list[str]] = {}
    for one in rules:
        script = f"workflow/scripts/{Path(str(one.script)).name}"
        for path in map(str, one.output if one.script else ()):
            if path.startswith("build/sampled/") and path.endswith(".csv"):
                made.setdefault(f"results/tables/{Path(path).name}", []).insert(0, script)
            else:
                made.setdefault(path, []).append(script)
    return [{"path": path, "script": ", then ".join(made[path])} for path in sorted(made)]


def hold_directory() -> None:
    """Keep other runs and commands out of the working directory until this process ends.

    The operating system lets go of the lock when a run is killed, so that the next one can start.
    """
    if (handle := hold(Path())) is not None:
        _held.append(handle)
    for log in _failures():
        log.unlink()


def end_timers() -> None:
    """Stop the timers of Snakemake's scheduler, which hold a finished run back for a second."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def _failures() -> list[Path]:
    """Return the logs that hold problems; a job that went well leaves only "done"."""
    return [log for log in sorted(LOGS.glob("*.log")) if log.read_text("utf-8").strip() != DONE]


def show_headline() -> None:
    """Print the headline table, and where report and tables lie."""
    if HEADLINE.is_file():
        results = RESULTS.resolve()
        where = f"\nThe report: {results / 'report.html'}\nThe tables: {results / 'tables'}\n"
        _say("\n" + HEADLINE.read_text(encoding="utf-8") + where, sys.stdout)


def show_notes(notes: Iterable[str], config: Mapping[str, Any]) -> None:
    """Print what is to be known of spent draws, and what a new one would cost."""
    lines = list(notes)
    if not lines:
        return
    if SCORES.is_file() and (cost := _replacement(config)):
        lines.append(cost)
    _say("\n" + "\n".join(lines) + "\n", sys.stderr)


def _replacement(config: Mapping[str, Any]) -> str:
    """Return in a sentence what a confirmation draw in place of a spent one would cost.

    Empty where nothing can be said.
    """
    # Here, as it takes a second to load and only this needs it.
    from framing.inference.planning import replacement_sentence

    sources, draws = read_sources(SOURCES, config["groups"]), read_draws(DRAWS)
    codebook = written_codebook(CODEBOOK)
    states = project_reading(config, codebook, sources, draws).states
    unspent = [UNREAD if state == SPENT else state for state in states]
    before, after = (frame_if_right(config, sources, draws, each) for each in (unspent, states))
    if before is None or after is None:
        return ""
    scores = read_scores(SCORES)
    scores = scores[scores["code"].isin(list(codebook.codes))]
    return replacement_sentence(before, after, scores, config)


def show_first_steps() -> None:
    """Print the page of first steps, and where it lies."""
    steps = FIRST_STEPS.read_text(encoding="utf-8")
    _say(f"\n{steps}\nThis page: {FIRST_STEPS.resolve()}\n", sys.stdout)


def show_problems() -> None:
    """Print, as the last thing on the screen, what jobs found wrong with the input."""
    # Two jobs may have stumbled over the same.
    for said in dict.fromkeys(log.read_text(encoding="utf-8") for log in _failures()):
        _say("\n" + said, sys.stderr)


def _say(text: str, stream: TextIO) -> None:
    # Whatever encoding the terminal has.
    encoding = stream.encoding or "ascii"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()
