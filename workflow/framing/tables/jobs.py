"""Which job makes which table, from which files and settings, and the making itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib import import_module
from typing import Any

import pandas as pd

from framing.common.problems import Problem, raise_if_any
from framing.tables.inputs import DATASETS, FILES, SAMPLED, Inputs
from framing.tables.specs import Making, Specs

CONFIG = "config"
"""What a function that makes a table calls the configuration: the sections that it is given."""


@dataclass(frozen=True)
class Job:
    """Tables that are made together, as they read the same files.

    ``sampled`` says that they rest on sampled sources alone, ``plate`` which figures are drawn
    together with those of its tables, ``priority`` how soon it is to be run.
    """

    message: str
    plate: str
    sampled: bool = False
    priority: int = 0


JOBS = {
    "reliability": Job("Agreement of coders", "codings", sampled=True),
    "quality": Job(
        "Quality of the classifiers, what their ingredients bring, and what looking did",
        "codings", sampled=True,
    ),
    "robustness": Job("Contrasts under every specification", "codings", sampled=True),
    "regression": Job("Regressing codes on columns of the sources", "codings", sampled=True),
    # Figures wait for these two, and the report for figures: nothing takes longer to follow.
    "prevalence": Job(
        "Estimating prevalence, trends and contrasts, and what the classifiers are worth",
        "shares", priority=4,
    ),
    "describe": Job(
        "Describing corpus, case study, cues and words, and what lies outside the sampled frame",
        "texts", priority=3,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One table that a job makes: its id, how, its file, and whether it is whole by then."""

    table: str
    making: Making
    path: str
    whole: bool


def _path(table: str, *, whole: bool) -> str:
    """Return the file of a table: in results, or where it waits for what completes it."""
    return f"results/tables/{table}.csv" if whole else f"build/sampled/{table}.csv"


def steps(specs: Specs, job: str) -> list[Step]:
    """Return the steps of a job, a table before those that are made from it."""
    found = {}
    for name, spec in specs.tables.items():
        if spec.making.job == job:
            whole = spec.completed is None
            found[name] = Step(name, spec.making, _path(name, whole=whole), whole)
        elif spec.completed is not None and spec.completed.job == job:
            found[name] = Step(name, spec.completed, _path(name, whole=True), True)
    needs = {
        name: [other for other in step.making.inputs.values() if other in found and other != name]
        for name, step in found.items()
    }
    return [found[name] for name in TopologicalSorter(needs).static_order()]


def job_files(specs: Specs, job: str) -> dict[str, str]:
    """Return the files that a job reads, by the names in :data:`framing.tables.inputs.FILES`.

    Tables of other jobs are under their ids, with a ``_`` for a ``-``: as they wait where the job
    completes them, else whole.
    """
    made = steps(specs, job)
    of_job = {step.table for step in made}
    completed = {step.table for step in made if step.table in step.making.inputs.values()}
    paths = FILES | (SAMPLED if JOBS[job].sampled else {})
    files: dict[str, str] = {}
    for name in _inputs(made):
        if name in DATASETS:
            files |= {file: paths[file] for file in DATASETS[name].files}
        elif name in completed or name not in of_job:
            files[name.replace("-", "_")] = _path(name, whole=name not in completed)
    return files


def _inputs(made: Sequence[Step]) -> Iterator[str]:
    for step in made:
        yield from (name for name in step.making.inputs.values() if name != CONFIG)


def job_settings(specs: Specs, job: str) -> list[str]:
    """Return the sections of the configuration that a job's tables and data sets are given."""
    made = steps(specs, job)
    sections = [section for step in made for section in step.making.settings]
    for name in _inputs(made):
        if name in DATASETS:
            sections += DATASETS[name].settings
    return sorted(dict.fromkeys(sections))


def job_functions(specs: Specs, job: str) -> list[str]:
    """Return the functions that a job calls, as ``module:function``."""
    return sorted({step.making.build for step in steps(specs, job)})


def resolve(build: str) -> Callable[..., Any]:
    """Return the function that ``module:function`` names."""
    module, _, name = build.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def make(step: Step, given: Inputs) -> pd.DataFrame:
    """Return the table of a step, and keep it for the steps that are made from it."""
    making = step.making
    config = {section: given.config[section] for section in making.settings}
    arguments = {
        name: config if source == CONFIG else given[source]
        for name, source in making.inputs.items()
    }
    table: pd.DataFrame = resolve(making.build)(**arguments)
    given.tables[step.table] = table
    return table


def check_jobs(specs: Specs) -> None:
    """Raise :class:`InputError` where a table names a job, data set or function there is not."""
    problems = []
    for name, spec in specs.tables.items():
        for making in (spec.making, spec.completed):
            if making is None:
                continue
            place = f"workflow/report/tables/{name}.yaml"
            if making.job not in JOBS:
                known = ", ".join(JOBS)
                problems.append(Problem(place, f"unknown job {making.job!r}", f"Known: {known}."))
            for one in making.inputs.values():
                if one not in {*DATASETS, *specs.tables, CONFIG}:
                    known = ", ".join(sorted(DATASETS))
                    text = f"Known: {CONFIG}, the id of a table, {known}."
                    problems.append(Problem(place, f"unknown input {one!r}", text))
    raise_if_any(problems)
