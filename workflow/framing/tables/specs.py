"""Result tables as they are declared: how each is made, what readers are told, how it is printed.

Every table is one file, ``workflow/report/tables/<id>.yaml``: the function that makes it and what
that needs, its section of the report, words, columns, print, and the figure that shows it. Words
that belong to no single table are in ``words.yaml`` beside them. :func:`load_specs` reads and
checks them all; rules, renderings, report and package follow from what it returns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Formatter
from typing import Any

from framing.common.config import read_yaml, schema_problems
from framing.common.problems import Problem, raise_if_any
from framing.inference.estimators import estimator_words

FOLDER = Path(__file__).resolve().parents[2] / "report"
WORDS, TABLES = "words.yaml", "tables"
FORMS = ("column", "interval", "join", "ratio", "range", "ends")
SPREAD_LEAD = "lead"
"""In a print entry: spread, but only beside the value of the spread column that is led with."""
UNLESS = "unless"
"""In what leads to passages: the column that, where it holds more than `all`, leaves none."""
HEADLINE = "headline"
"""In a print filter: whichever estimator, target or basis is led with."""
ALWAYS = "always"
"""In what leads to passages: a value that does not depend on the row."""
PROJECT_VOCABULARIES = ("code", "variable", "level", "group", "period", "contrast")
"""Lists of labels that come from the project, not from words.yaml."""
PLACEHOLDERS = frozenset(
    (
        *("title", "question", "coders", "n_sources", "n_passages", "n_coded", "n_outside"),
        *("agreement_shows", "agreement_means", "n_read", "n_unread", "judged_on", "instrument"),
        *("confidence", "facts_digest", "headline_estimator", "headline_target"),
        *("headline_estimator_text", "headline_target_text", "headline_estimator_brief"),
        *("headline_target_brief", "licence"),
        *(
            "estimators",
            "n_estimators",
            "targets",
            "verdicts",
            "case_title",
            "code_list",
            "group_list",
        ),
    )
)


@dataclass(frozen=True)
class Making:
    """How a table is made: by which job, by which function, from what.

    ``build`` is ``module:function``. ``inputs`` maps the function's parameters to data sets
    (:mod:`framing.tables.inputs`) or to ids of other tables; ``settings`` are the sections of the
    configuration that it is given, if it asks for ``config``.
    """

    job: str
    build: str
    inputs: Mapping[str, str]
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column of a result table: how it is named, described, written and labelled."""

    name: str
    label: str
    description: str
    kind: str
    vocabulary: str = ""


@dataclass(frozen=True)
class Entry:
    """One printed column: one or several table columns, brought together by ``form``.

    ``passages`` says by which filters the explorer finds the passages behind a cell; see README.md
    in workflow/report/tables. An ``optional`` column is left out where no row has a value in it.
    ``spread`` is true for an entry with one column for each value of the column spread out,
    :data:`SPREAD_LEAD` for one that stands beside the value led with alone.
    """

    form: str
    columns: tuple[str, ...]
    label: str
    separator: str = ", "
    spread: bool | str = False
    optional: bool = False
    passages: Mapping[str, str | Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Printing:
    """What LaTeX and HTML show of a table; see README.md in workflow/report/tables."""

    entries: tuple[Entry, ...]
    where: Mapping[str, str | list[str]]
    section: tuple[str, ...]
    spread: str
    lead: Mapping[str, str | list[str]]
    folded: bool


@dataclass(frozen=True)
class TableSpec:
    """A result table: id, place in the report, words for the reader, columns, print, making.

    ``completed`` says how a table is made whole that rests on sampled sources but for a word on all
    others, or is None. ``only`` names the trait that a project must have for the table to be made
    (:func:`framing.coding.variables.traits`), and is empty for a table of every project.
    """

    id: str
    section: str
    title: str
    caption: str
    note: str
    columns: Mapping[str, Column]
    printing: Printing
    making: Making
    completed: Making | None = None
    only: str = ""


@dataclass(frozen=True)
class FigureSpec:
    """A figure: id, words for the reader, the table with its numbers, and what draws it.

    ``draw`` is ``module:function``. ``place`` is where the report has it, if not beside its table.
    """

    id: str
    title: str
    table: str
    caption: str
    alt: str
    draw: str
    place: str = ""


@dataclass(frozen=True)
class PageSpec:
    """A result that is neither table nor figure: id, and words for the reader."""

    id: str
    title: str
    caption: str


@dataclass(frozen=True)
class Specs:
    """All of it: tables, figures, pages by id, vocabularies, phrases, methods in brief, sections.

    An entry of ``methods`` has ``name`` and ``text``, and may have ``formula`` and ``source``;
    ``sections`` of the report have a ``title``, and may have another where a regression ``held``
    other columns constant.
    """

    tables: Mapping[str, TableSpec]
    figures: Mapping[str, FigureSpec]
    vocabularies: Mapping[str, Mapping[str, Mapping[str, str]]]
    phrases: Mapping[str, Any]
    methods: Sequence[Mapping[str, str]] = ()
    pages: Mapping[str, PageSpec] = field(default_factory=dict)
    sections: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, traits: Collection[str]) -> Specs:
        """Return the specs without tables, and figures, that a project with ``traits`` lacks."""
        tables = {name: table for name, table in self.tables.items() if table.only in ("", *traits)}
        figures = {name: one for name, one in self.figures.items() if one.table in tables}
        return replace(self, tables=tables, figures=figures)

    @property
    def results(self) -> dict[str, TableSpec | FigureSpec | PageSpec]:
        """Return all that has a title and a caption, by id."""
        return {**self.tables, **self.figures, **self.pages}


def spec_files(folder: Path = FOLDER) -> list[Path]:
    """Return the files that :func:`load_specs` reads: the words, then tables by their numbers."""
    return [folder / WORDS, *sorted((folder / TABLES).glob("T*.yaml"), key=_number)]


def _number(path: Path) -> tuple[int, str]:
    digits = path.stem[1:].partition("-")[0]
    return (int(digits) if digits.isdecimal() else 0), path.stem


def load_specs(folder: Path = FOLDER) -> Specs:
    """Return the checked content of ``words.yaml`` and of every file in ``tables/`` beside it.

    Raises :class:`InputError` with every unknown key, placeholder, column, vocabulary or section.
    """
    words, *files = spec_files(folder)
    data, problems = read_yaml(words), []
    problems += schema_problems(data, "words.schema.yaml", words)
    tables = {}
    for path in files:
        tables[path.stem] = read_yaml(path)
        problems += schema_problems(tables[path.stem], "table.schema.yaml", path)
    raise_if_any(problems)
    data["vocabularies"]["estimator"] = estimator_words()
    problems += _placeholder_problems(words, data)
    for path, table in zip(files, tables.values(), strict=True):
        problems += [*_placeholder_problems(path, table), *_table_problems(path, table, data)]
    raise_if_any(problems)
    return Specs(
        tables={name: _table(name, table) for name, table in tables.items()},
        figures={
            table["figure"]["id"]: FigureSpec(table=name, **table["figure"])
            for name, table in tables.items()
            if "figure" in table
        },
        vocabularies=data["vocabularies"],
        phrases=data["phrases"],
        methods=data["methods"],
        pages={name: PageSpec(id=name, **page) for name, page in data["pages"].items()},
        sections=data["sections"],
    )


def _table(name: str, data: Mapping[str, Any]) -> TableSpec:
    columns = {key: Column(name=key, **column) for key, column in data["columns"].items()}
    return TableSpec(
        id=name,
        section=data["section"],
        title=data["title"],
        caption=data["caption"],
        note=data["note"],
        columns=columns,
        printing=_printing(data["print"], columns),
        making=_making(data),
        completed=_making(data["completed"]) if "completed" in data else None,
        only=data.get("only", ""),
    )


def _making(data: Mapping[str, Any]) -> Making:
    inputs = data["inputs"]
    if not isinstance(inputs, dict):
        inputs = {name: name for name in inputs}
    return Making(data["job"], data["build"], inputs, tuple(data.get("settings", ())))


def _printing(data: Mapping[str, Any], columns: Mapping[str, Column]) -> Printing:
    return Printing(
        entries=tuple(_entry(entry, columns) for entry in data["columns"]),
        where=data.get("where", {}),
        section=tuple(data.get("section", ())),
        spread=data.get("spread", ""),
        lead=data.get("lead", {}),
        folded=data.get("folded", False),
    )


def _entry(data: str | Mapping[str, Any], columns: Mapping[str, Column]) -> Entry:
    if isinstance(data, str):
        return Entry("column", (data,), columns[data].label)
    form = next(form for form in FORMS if form in data)
    names = (data[form],) if isinstance(data[form], str) else tuple(data[form])
    rest = {key: value for key, value in data.items() if key != form}
    return Entry(form, names, rest.pop("label", columns[names[0]].label), **rest)


def _strings(data: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(data, str):
        yield where, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _strings(value, f"{where}.{key}" if where else key)


_FILLED = ("phrases", "pages", "sections", "title", "caption", "note", "figure")


def _placeholder_problems(path: Path, data: Mapping[str, Any]) -> Iterator[Problem]:
    templates = [each for key in _FILLED if key in data for each in _strings(data[key], key)]
    for where, template in templates:
        try:
            names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
        except ValueError as error:
            yield Problem(path, f"{where}: {error}", "Write a brace that is meant as {{ or }}.")
            continue
        for name in names:
            if name not in PLACEHOLDERS:
                known = ", ".join(sorted(PLACEHOLDERS))
                yield Problem(path, f"{where}: unknown placeholder {name!r}", f"Known: {known}.")


def _table_problems(
    path: Path, table: Mapping[str, Any], words: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield what a table names that there is not: a section, vocabularies, columns of its own."""
    if table["section"] not in words["sections"]:
        known = ", ".join(words["sections"])
        yield Problem(path, f"unknown section {table['section']!r}", f"Known: {known}.")
    vocabularies = {*words["vocabularies"], *PROJECT_VOCABULARIES}
    for key, column in table["columns"].items():
        if column.get("vocabulary", "code") not in vocabularies:
            yield Problem(
                path,
                f"columns.{key}: unknown vocabulary {column['vocabulary']!r}",
                f"Known: {', '.join(sorted(vocabularies))}.",
            )
    for key in _printed_columns(table["print"]):
        if key not in table["columns"]:
            known = ", ".join(table["columns"])
            yield Problem(path, f"print: unknown column {key!r}", f"Known: {known}.")


def _printed_columns(printed: Mapping[str, Any]) -> Iterable[str]:
    named = [*printed.get("where", {}), *printed.get("lead", {}), *printed.get("section", ())]
    named += [printed["spread"]] if "spread" in printed else []
    for entry in printed["columns"]:
        parts = entry if isinstance(entry, dict) else {"column": entry}
        for form in FORMS:
            value = parts.get(form, [])
            named += [value] if isinstance(value, str) else value
        for value in parts.get("passages", {}).values():
            named += [value] if isinstance(value, str) else [key for key in value if key != ALWAYS]
    return named
