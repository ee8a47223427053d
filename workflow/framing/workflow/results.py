"""What a run makes: tables, figures and pages, the files they are made from, who makes them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from framing.common.paths import CODEBOOK_PAGE, PUBLISHED
from framing.tables.inputs import INSTRUMENT
from framing.tables.jobs import JOBS, check_jobs, job_files, job_settings, steps
from framing.tables.specs import FOLDER, WORDS, load_specs, spec_files

ROOT = Path(__file__).resolve().parents[2]
"""The folder ``workflow/``."""
SPECS = load_specs()
check_jobs(SPECS)
FIGURE_FORMS = ("svg", "pdf", "png")
TEMPLATES = ("report.html.j2", "table.html.j2", "report.css")
EXPLORER = (
    "explorer.html.j2", "explorer.js", "explorer.css", "explorer-levels.css", "report.css",
)  # fmt: skip
RESULTS = Path("results")
BESIDE = ("CITATION.cff", "LICENSE", "LICENSES.md", "corpus/DATA.md", "corpus/intake.tsv")
"""What a package for a repository holds beside tables, where a project has it."""


def relative(paths: Iterable[Path]) -> list[str]:
    """Return the files as Snakemake knows them: relative, sorted, none twice.

    To Snakemake braces are a wildcard. No id has any, so no source or coder loses its file, and
    what such a file does here is for the first rule to ask.
    """
    names = {os.path.relpath(path) for path in paths if "{" not in path.name}
    return sorted(names)


def asset(name: str) -> str:
    """Return a file below ``workflow/``, relative to the working directory."""
    return relative([ROOT / name])[0]


def words(*tables: str) -> list[str]:
    """Return the files that say what readers are told, in general and of ``tables`` (or all)."""
    own = spec_files()
    return relative(path for path in own if not tables or path.stem in (*tables, Path(WORDS).stem))


def templates(names: Iterable[str]) -> list[str]:
    """Return files of the folder of templates, relative to the working directory."""
    return relative(FOLDER / name for name in names)


def page() -> list[str]:
    """Return the codebook's page as a file to make, unless its folder cannot be written to."""
    return [str(CODEBOOK_PAGE)] if os.access(CODEBOOK_PAGE.parent, os.W_OK) else []


def published() -> list[str]:
    """Return the files of the published results, none where nothing has been published."""
    return relative(path for path in PUBLISHED.rglob("*") if path.is_file())


def _program(build: str) -> str:
    module, _, function = build.partition(":")
    return f"workflow/{module.replace('.', '/')}.py ({function})"


class Results:
    """The tables and figures of a project, and the jobs that make them.

    ``traits`` are those of the project (:func:`framing.coding.variables.traits`): which tables it
    has, beside those of every project; ``parts`` are the names of the parts of its facts
    (:mod:`framing.project.parts`). ``instrument`` says that estimates rest on another one than
    the classifier alone.
    """

    def __init__(
        self, traits: Iterable[str] = (), parts: Sequence[str] = (), *, instrument: bool = False
    ) -> None:
        self.traits, self.parts, self.instrument = sorted(traits), parts, instrument
        self.specs = SPECS.of(self.traits)

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the ids of all tables."""
        return tuple(self.specs.tables)

    @property
    def figures(self) -> dict[str, str]:
        """Return each figure, and the table that it shows."""
        return {name: figure.table for name, figure in self.specs.figures.items()}

    @property
    def plates(self) -> dict[str, list[str]]:
        """Return figures that are drawn together.

        The tables of some rest on codings alone: no passage without one enters, and a source that
        joins leaves them as they are.
        """
        found: dict[str, list[str]] = {job.plate: [] for job in JOBS.values()}
        for name, table in self.figures.items():
            found[JOBS[self.specs.tables[table].making.job].plate].append(name)
        return found

    def job_inputs(self, job: str, codes: Sequence[str]) -> dict[str, list[str]]:
        """Return the files that a job reads, by name."""
        found = {}
        for name, pattern in job_files(self.specs, job).items():
            paths = [INSTRUMENT] if name == "estimation" and self.instrument else [pattern]
            pattern = paths[0]
            if "{code}" in pattern:
                paths = [pattern.replace("{code}", code) for code in codes]
            elif "{part}" in pattern:
                paths = [pattern.replace("{part}", part) for part in self.parts]
            found[name] = paths
        return found

    def job_outputs(self, job: str) -> list[str]:
        """Return the tables that a job makes."""
        return [step.path for step in steps(self.specs, job)]

    def job_words(self, job: str) -> list[str]:
        """Return the files that say what readers are told of the tables that a job makes."""
        return words(*(step.table for step in steps(self.specs, job)))

    def drawn_by(self, figures: Iterable[str]) -> list[str]:
        """Return the functions that draw figures, as ``module:function``."""
        return sorted({self.specs.figures[name].draw for name in figures})

    def settings_of(self, job: str) -> list[str]:
        """Return the sections of the configuration that a job is given."""
        return job_settings(self.specs, job)

    def programs(self, rules: Iterable[Any]) -> list[dict[str, str]]:
        """Return which program makes which result, as ``path`` and ``script``, by path.

        Tables are made by the functions that their files name, of which some are completed by
        another; all else by scripts of rules.
        """
        made: dict[str, str] = {}
        for one in rules:
            script = f"workflow/scripts/{Path(str(one.script)).name}"
            made |= {str(path): script for path in (one.output if one.script else ())}
        for name, spec in self.specs.tables.items():
            builds = [each.build for each in (spec.making, spec.completed) if each is not None]
            if f"results/tables/{name}.csv" in made:
                made[f"results/tables/{name}.csv"] = ", then ".join(map(_program, builds))
        return [{"path": path, "script": made[path]} for path in sorted(made)]
