"""What readers are told: titles, captions, notes and column descriptions, read from one file.

``workflow/report/tables.yaml`` describes every result table and figure. :func:`load_specs` reads
and checks it; :func:`edition` fills its placeholders from a project and adds the labels by which
ids are shown. Nothing about any one project stands in the file or here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from framing.common.config import ALL, read_yaml, schema_problems
from framing.common.problems import Problem, raise_if_any

TABLES = Path(__file__).resolve().parents[2] / "report" / "tables.yaml"
FORMS = ("column", "interval", "join", "ratio", "range", "ends")
SPREAD_LEAD = "lead"
"""In a print entry: spread, but only beside the value of the spread column that is led with."""
ALWAYS = "always"
"""In what leads to passages: a value that does not depend on the row."""
UNLESS = "unless"
"""In what leads to passages: the column that, where it holds more than `all`, leaves none."""
HEADLINE = "headline"
"""In a print filter: whichever estimator, target or basis is led with."""
PROJECT_VOCABULARIES = ("code", "group", "period", "contrast")
"""Lists of labels that come from the project, not from tables.yaml."""
PLACEHOLDERS = frozenset(
    (
        *("title", "question", "coders", "n_sources", "n_passages", "n_coded", "n_outside"),
        *("agreement_shows", "agreement_means", "n_read", "n_unread", "judged_on"),
        *("confidence", "facts_digest", "headline_estimator", "headline_target"),
        *("headline_estimator_text", "headline_target_text", "headline_estimator_brief"),
        *("headline_target_brief", "licence"),
        *("estimators", "targets", "verdicts", "case_title", "code_list", "group_list"),
    )
)
YEARS = re.compile(r"(?<=\d)-(?=\d)")  # the hyphen between two years, printed as a dash
_COUNTS = ("n_sources", "n_passages", "n_coded", "n_read", "n_unread", "n_outside")
DIGEST_LENGTH = 12  # hexadecimal digits of a digest that notes show


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

    ``passages`` says by which filters the explorer finds the passages behind a cell; see the head
    of tables.yaml. An ``optional`` column is left out where no row has a value in it. ``spread`` is
    true for an entry with one column for each value of the column spread out, :data:`SPREAD_LEAD`
    for one that stands beside the value led with alone.
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
    """What LaTeX and HTML show of a table; see the head of tables.yaml."""

    entries: tuple[Entry, ...]
    where: Mapping[str, str | list[str]]
    section: tuple[str, ...]
    spread: str
    lead: Mapping[str, str | list[str]]
    folded: bool


@dataclass(frozen=True)
class TableSpec:
    """A result table: id, words for the reader, columns in order, and how it is printed."""

    id: str
    title: str
    caption: str
    note: str
    columns: Mapping[str, Column]
    printing: Printing


@dataclass(frozen=True)
class FigureSpec:
    """A figure: id, words for the reader, and the table that holds its numbers."""

    id: str
    title: str
    table: str
    caption: str
    alt: str


@dataclass(frozen=True)
class PageSpec:
    """A result that is neither table nor figure: id, and words for the reader."""

    id: str
    title: str
    caption: str


@dataclass(frozen=True)
class Specs:
    """The whole file: tables, figures, pages by id, vocabularies, phrases, and methods in brief.

    An entry of ``methods`` has ``name`` and ``text``, and may have ``formula`` and ``source``.
    """

    tables: Mapping[str, TableSpec]
    figures: Mapping[str, FigureSpec]
    vocabularies: Mapping[str, Mapping[str, Mapping[str, str]]]
    phrases: Mapping[str, Any]
    methods: Sequence[Mapping[str, str]] = ()
    pages: Mapping[str, PageSpec] = field(default_factory=dict)

    @property
    def results(self) -> dict[str, TableSpec | FigureSpec | PageSpec]:
        """Return all that has a title and a caption, by id."""
        return {**self.tables, **self.figures, **self.pages}


@dataclass(frozen=True)
class Edition:
    """The words of one project: specs with placeholders filled, and labels of its ids.

    ``labels`` maps a vocabulary (``code``, ``group``, ``period``, ``estimator`` …) to labels by
    id, in display order; ``standing`` is what is said under every table (N, machine coders,
    digests); ``context`` is what it was made from.
    """

    specs: Specs
    labels: Mapping[str, Mapping[str, str]]
    standing: str
    context: Mapping[str, Any]

    @property
    def headline(self) -> Mapping[str, str]:
        """Return what is led with by ``estimator``, ``target`` and ``basis`` (of contrasts)."""
        headline: Mapping[str, str] = self.context["headline"]
        return headline

    @property
    def decimals(self) -> int:
        """Return the decimals of printed shares and numbers."""
        return int(self.context["decimals"])

    def label(self, vocabulary: str, value: str) -> str:
        """Return how an id is shown; an id without a label is shown as it is."""
        return self.labels.get(vocabulary, {}).get(value, value)

    def brief(self, vocabulary: str, value: str) -> str:
        """Return what an id of a vocabulary in tables.yaml stands for, in a few words."""
        return _brief(self.specs.vocabularies[vocabulary][value])


def load_specs(path: Path = TABLES) -> Specs:
    """Return the checked content of tables.yaml.

    Raises :class:`InputError` with every unknown key, placeholder, column or vocabulary.
    """
    data = read_yaml(path)
    raise_if_any(schema_problems(data, "tables.schema.yaml", path))
    raise_if_any([*_placeholder_problems(data, path), *_column_problems(data, path)])
    return Specs(
        tables={name: _table(name, table) for name, table in data["tables"].items()},
        figures={name: FigureSpec(id=name, **figure) for name, figure in data["figures"].items()},
        vocabularies=data["vocabularies"],
        phrases=data["phrases"],
        methods=data["methods"],
        pages={name: PageSpec(id=name, **page) for name, page in data["pages"].items()},
    )


def _table(name: str, data: Mapping[str, Any]) -> TableSpec:
    columns = {key: Column(name=key, **column) for key, column in data["columns"].items()}
    printed = data["print"]
    return TableSpec(
        id=name,
        title=data["title"],
        caption=data["caption"],
        note=data["note"],
        columns=columns,
        printing=Printing(
            entries=tuple(_entry(entry, columns) for entry in printed["columns"]),
            where=printed.get("where", {}),
            section=tuple(printed.get("section", ())),
            spread=printed.get("spread", ""),
            lead=printed.get("lead", {}),
            folded=printed.get("folded", False),
        ),
    )


def _entry(data: str | Mapping[str, Any], columns: Mapping[str, Column]) -> Entry:
    if isinstance(data, str):
        return Entry("column", (data,), columns[data].label)
    form = next(form for form in FORMS if form in data)
    names = (data[form],) if isinstance(data[form], str) else tuple(data[form])
    rest = {key: value for key, value in data.items() if key != form}
    return Entry(form, names, rest.pop("label", columns[names[0]].label), **rest)


def _strings(data: Any, where: str) -> Iterable[tuple[str, str]]:
    if isinstance(data, str):
        yield where, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _strings(value, f"{where}.{key}")


def _placeholder_problems(data: Mapping[str, Any], path: Path) -> Iterable[Problem]:
    templates = [
        each for key in ("phrases", "figures", "pages") for each in _strings(data[key], key)
    ]
    for name, table in data["tables"].items():
        templates += [(f"tables.{name}.{key}", table[key]) for key in ("title", "caption", "note")]
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


def _column_problems(data: Mapping[str, Any], path: Path) -> Iterable[Problem]:
    vocabularies = {*data["vocabularies"], *PROJECT_VOCABULARIES}
    for name, table in data["tables"].items():
        for key, column in table["columns"].items():
            if column.get("vocabulary", "code") not in vocabularies:
                yield Problem(
                    path,
                    f"tables.{name}.{key}: unknown vocabulary {column['vocabulary']!r}",
                    f"Known: {', '.join(sorted(vocabularies))}.",
                )
        printed = table["print"]
        named = [*printed.get("where", {}), *printed.get("lead", {}), *printed.get("section", ())]
        named += [printed["spread"]] if "spread" in printed else []
        for entry in printed["columns"]:
            parts = entry if isinstance(entry, dict) else {"column": entry}
            for form in FORMS:
                value = parts.get(form, [])
                named += [value] if isinstance(value, str) else value
            for value in parts.get("passages", {}).values():
                named += (
                    [value] if isinstance(value, str) else [key for key in value if key != ALWAYS]
                )
        for key in named:
            if key not in table["columns"]:
                yield Problem(
                    path,
                    f"tables.{name}.print: unknown column {key!r}",
                    f"Known: {', '.join(table['columns'])}.",
                )
    for name, figure in data["figures"].items():
        if figure["table"] not in data["tables"]:
            yield Problem(
                path, f"figures.{name}: unknown table {figure['table']!r}", "Name one of tables."
            )


def edition(specs: Specs, context: Mapping[str, Any]) -> Edition:
    """Return the words of one project.

    ``context`` holds ``title question groups`` (id → label) ``periods`` (ids) ``codes`` (id →
    label, combinations included) ``contrasts`` (id → thesis) ``coders`` (a phrase such as "three
    machine coders") ``agreement_shows`` (``stability`` of runs of one model, else ``reliability``)
    ``machine_coders convenience`` (bool) ``n_sources n_passages n_coded n_read n_unread n_outside
    headline`` (``estimator``, ``target``, ``basis``) ``licence confidence decimals case_study``
    (mapping with ``source_id title``, or None) ``digests`` (name → sha256) ``how_to_rerun limits
    reading warnings`` (lists of sentences).
    """
    words = _words(specs, context)
    keys = [
        "n_by_hand" if context["convenience"] else "n",
        *(["outside"] if context["n_outside"] else []),
        *(["machine_coders"] if context["machine_coders"] else []),
        "digest",
    ]
    filled = Specs(
        tables={
            name: replace(
                table,
                title=_fill(table.title, words),
                caption=_fill(table.caption, words),
                note=_fill(table.note, words),
            )
            for name, table in specs.tables.items()
        },
        figures={
            name: replace(
                figure,
                title=_fill(figure.title, words),
                caption=_fill(figure.caption, words),
                alt=_fill(figure.alt, words),
            )
            for name, figure in specs.figures.items()
        },
        vocabularies=specs.vocabularies,
        phrases={
            key: _fill(value, words) if isinstance(value, str) else _within(value, words)
            for key, value in specs.phrases.items()
        },
        methods=specs.methods,
        pages={
            name: replace(page, title=_fill(page.title, words), caption=_fill(page.caption, words))
            for name, page in specs.pages.items()
        },
    )
    standing = " ".join(filled.phrases[key] for key in keys)
    return Edition(filled, _labels(specs, context), standing, context)


def lettering(specs: Specs, context: Mapping[str, Any]) -> Edition:
    """Return what figures need of an edition: labels, and a context without counts.

    Placeholders are left as they are: captions and alternative texts are for the page. So a figure
    hangs on its table and on the configuration alone. ``context`` is that of
    :func:`framing.tables.context.named`.
    """
    return Edition(specs, _labels(specs, context), "", context)


def _labels(specs: Specs, context: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    total = specs.phrases["all"]
    labels = {
        name: {key: entry["label"] for key, entry in entries.items()}
        for name, entries in specs.vocabularies.items()
    }
    labels["code"] = {key: plain(label) for key, label in context["codes"].items()}
    labels["group"] = {
        ALL: total["group"],
        **{key: plain(label) for key, label in context["groups"].items()},
    }
    labels["period"] = {
        ALL: total["period"],
        **{key: YEARS.sub("–", plain(key)) for key in context["periods"]},
    }
    labels["contrast"] = {key: plain(label) for key, label in context["contrasts"].items()}
    return labels


@lru_cache(maxsize=1 << 16)  # cells of a table say the same again and again
def plain(text: str) -> str:
    """Return text on one line without control characters and marks of writing direction."""
    kept = (" " if char.isspace() else char for char in text)
    return " ".join("".join(c for c in kept if unicodedata.category(c) not in ("Cc", "Cf")).split())


def _fill(template: str, words: Mapping[str, str]) -> str:
    text = template.format_map(words).strip()
    return text[:1].upper() + text[1:]


def _within(phrases: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
    """Return phrases by name, filled; they may stand inside a sentence, and begin as they do."""
    return {
        key: value.format_map(words) if isinstance(value, str) else _within(value, words)
        for key, value in phrases.items()
    }


def _words(specs: Specs, context: Mapping[str, Any]) -> dict[str, str]:
    estimators, targets = specs.vocabularies["estimator"], specs.vocabularies["target"]
    estimator, target = (context["headline"][key] for key in ("estimator", "target"))
    case = context["case_study"]
    return {
        "title": context["title"],
        "question": context["question"],
        "licence": context["licence"],
        "coders": context["coders"],
        "agreement_shows": context["agreement_shows"],
        "judged_on": specs.phrases["judged_on"]["unread" if context["n_unread"] else "read"],
        "agreement_means": specs.phrases[context["agreement_shows"]],
        **{key: f"{context[key]:,}" for key in _COUNTS},
        "confidence": f"{100 * context['confidence']:g} %",
        "facts_digest": ", ".join(
            f"{name} {digest[:DIGEST_LENGTH]}" for name, digest in context["digests"].items()
        ),
        "headline_estimator": estimators[estimator]["label"],
        "headline_target": targets[target]["label"],
        "headline_estimator_text": _described(estimators, [estimator]),
        "headline_target_text": _described(targets, [target]),
        "headline_estimator_brief": _brief(estimators[estimator]),
        "headline_target_brief": _brief(targets[target]),
        "estimators": _described(estimators, estimators),
        "targets": _described(targets, targets),
        "verdicts": _described(specs.vocabularies["verdict"], specs.vocabularies["verdict"]),
        "case_title": case["title"] if case else specs.phrases["no_case"],
        "code_list": ", ".join(context["codes"].values()),
        "group_list": ", ".join(context["groups"].values()),
    }


def _brief(entry: Mapping[str, str]) -> str:
    return entry.get("brief", entry["label"])


def _described(entries: Mapping[str, Mapping[str, str]], keys: Iterable[str]) -> str:
    """Return "label: description; …" of the keys given, ending in a full stop."""
    parts = [f"{entries[key]['label']}: {entries[key]['description']}" for key in keys]
    return "; ".join(parts) + "."
