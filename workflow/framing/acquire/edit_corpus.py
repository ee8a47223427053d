"""How a corpus changes: sources join, leave, are renamed; derived facts are renewed.

Functions read the project in the working directory, return what every file is to hold, and write
nothing; :func:`framing.project.lock.commit` does, all or nothing. Frozen passages are never cut
again and keep their ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pandas as pd

from framing.acquire.read.settings import reading_settings
from framing.acquire.read.units import cut_passages
from framing.acquire.source import Addition, report_rows
from framing.codebook.codebook import load_codebook
from framing.common.config import read_yaml
from framing.common.files import read_table, read_text
from framing.common.paths import CODEBOOK, CONFIG, PASSAGES, SAMPLE, SOURCES, UNSAMPLED
from framing.common.problems import InputError, Problem, collect, raise_if_any
from framing.corpus.derived import Facts
from framing.corpus.earlier_facts import earlier_facts, earlier_files
from framing.corpus.facts import deriver
from framing.corpus.intake_log import INTAKE, INTAKE_COLUMNS, Growing, appended
from framing.corpus.store import ChangedShards, Incoming, changed_shards, facts_at_hand
from framing.corpus.tables import (
    PASSAGE_COLUMNS,
    SOURCE_COLUMNS,
    has_sample,
    read_passages,
    read_sample,
    read_sources,
)
from framing.corpus.texts import read_canonical, texts_at_hand
from framing.project.freeze import FREEZES
from framing.project.freeze_records import read_freezes
from framing.project.load import survey_frame
from framing.project.lock import Pending
from framing.sampling.draw import DRAWS
from framing.sampling.records import read_draws

_REPORT_COLUMNS = ("place", "reason", "text")

REPORT = ".dropped.tsv"
"""Ending of an ingest report, beside the text: it holds prose, so it lies where prose lies."""

NOT_DRAWN = (
    "No draw could have taken the new passages, so tables speak of them by the classifier alone.\n"
    "To have them coded: framing sample --supplement --role ROLE"
)


@dataclass
class Changes:
    """What files are to hold, and which are to go; paths are relative to the project."""

    writes: dict[Path, str] = field(default_factory=dict)
    removals: list[Path] = field(default_factory=list)

    def take(self, shards: ChangedShards) -> None:
        """Take what shards of facts are to hold, and which are to go."""
        self.writes |= shards.writes
        self.removals += shards.removals


@dataclass(frozen=True)
class Renewed:
    """What :func:`renewed` found: sources newly cut, those with new facts, those without a text."""

    changes: Changes
    cut: list[str]
    written: list[str]
    absent: list[str]


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of reading: ``units`` and ``reading`` over the defaults."""
    own = {name: config[name] for name in ("units", "reading") if name in config}
    return reading_settings(own)


def renewed(config: Mapping[str, Any]) -> Renewed:
    """Cut texts that have no passages yet, and derive facts anew from all texts at hand.

    Once there is a sample, new passages go to ``unsampled.tsv`` too: it could not have drawn them.
    Facts kept as an earlier version did are taken over, of texts that are absent too.
    Raises :class:`InputError` with everything that is wrong.
    """
    problems: list[Problem] = []
    codebook = collect(problems, load_codebook, CODEBOOK)
    sources = collect(problems, read_sources, SOURCES, config["groups"])
    earlier = collect(problems, earlier_facts)
    raise_if_any(problems)
    passages = read_passages(PASSAGES, sources)
    units = settings_of(config)["units"]
    hand = texts_at_hand(config["corpus"]["texts"], sources["source_id"])
    changes, fresh, facts_of = Changes(), [], deriver(codebook)
    found: dict[str, Facts] = {}
    cut, absent = [], []
    for source in sources.to_dict("records"):
        name = source["source_id"]
        if name not in hand:
            absent.append(name)
            continue
        text = collect(problems, read_canonical, hand[name], source["sha256"])
        if text is None:
            continue
        own = passages[passages["source_id"] == name]
        if own.empty:
            own = cut_passages(name, text, units, source).passages
            if not own.empty:
                fresh.append(own)
                cut.append(name)
        facts = collect(problems, facts_of, name, text, own)
        if facts is not None:
            found[name] = facts
    raise_if_any(problems)
    known = {facts["source_id"]: facts for facts in earlier}
    kept = {name: facts for name, facts in known.items() if name not in found}
    shards = changed_shards({**kept, **found}, sources["source_id"])
    changes.take(shards)
    changes.removals += earlier_files()
    written = sorted(name for name in shards.sources if name in found)
    if fresh:
        changes.writes |= _with_passages(pd.concat(fresh, ignore_index=True))
    return Renewed(changes, cut, written, absent)


def _with_passages(fresh: pd.DataFrame) -> dict[Path, str]:
    """Return the tables of passages with new ones at their end."""
    rows = fresh.astype(str).to_dict("records")
    writes = {PASSAGES: appended(PASSAGES, PASSAGE_COLUMNS, rows)}
    if has_sample(SAMPLE):
        writes[UNSAMPLED] = appended(UNSAMPLED, ("passage_id",), rows)
    return writes


class Joining:
    """Sources that join the corpus one by one: rows, texts, passages, ingest reports, facts.

    What files are to hold is written to ``pending`` at once, and counts when that is decided.
    Raises :class:`InputError` where the tables as they are cannot be read.
    """

    def __init__(self, config: Mapping[str, Any], pending: Pending) -> None:
        self._folder, self._pending = texts_folder(config), pending
        columns = {SOURCES: SOURCE_COLUMNS, PASSAGES: PASSAGE_COLUMNS, INTAKE: INTAKE_COLUMNS}
        if has_sample(SAMPLE):
            columns[UNSAMPLED] = ("passage_id",)
        self._tables = {path: Growing(path, names) for path, names in columns.items()}
        self._files: dict[Path, IO[bytes]] = {}
        self._facts = Incoming(pending.folder / "facts.scratch")

    def __enter__(self) -> Joining:
        """Open the tables: at the end of the block they are closed."""
        for path, table in self._tables.items():
            self._files[path] = self._pending.open(path)
            self._files[path].write(table.head.encode("utf-8"))
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        """Close the tables, and put the facts into their shards."""
        for file in self._files.values():
            file.close()
        if not failed:
            for path, text in self._facts.shards():
                self._pending.write(path, text)

    def add(self, one: Addition, facts: Facts) -> None:
        """Let a source join with its derived facts."""
        name = one.source_id
        self._pending.write(self._folder / f"{name}.txt", one.text)
        report = [_REPORT_COLUMNS, *([row[column] for column in _REPORT_COLUMNS]
                                     for row in report_rows(one))]  # fmt: skip
        self._pending.write(
            self._folder / f"{name}{REPORT}", "".join("\t".join(row) + "\n" for row in report)
        )
        self._facts.add(facts)
        for row in one.passages:
            passage = {name: str(value) for name, value in row._asdict().items()}
            self._append(PASSAGES, passage)
            if UNSAMPLED in self._tables:
                self._append(UNSAMPLED, passage)
        self._append(INTAKE, one.record)
        self._append(SOURCES, one.source)

    def _append(self, path: Path, row: Mapping[str, str]) -> None:
        self._files[path].write(self._tables[path].line(row).encode("utf-8"))


def texts_folder(config: Mapping[str, Any]) -> Path:
    """Return the folder that new texts go to: the first of ``corpus.texts``.

    Raises :class:`InputError` where there is none.
    """
    if not config["corpus"]["texts"]:
        raise InputError(
            Problem(CONFIG, "names no folder for texts (corpus.texts)", "Write [corpus/texts].")
        )
    return Path(config["corpus"]["texts"][0])


# --- leaving and renaming -------------------------------------------------------------------------


def without(config: Mapping[str, Any], names: Sequence[str]) -> Changes:
    """Return the corpus without some sources: rows, passages, facts, and texts in its own folder.

    Raises :class:`InputError` where a source is unknown, where the configuration names it, where it
    is the last one, and where passages of it were drawn or could have been: then the sizes of
    strata would no longer be those of the corpus.
    """
    sources = read_sources(SOURCES, config["groups"])
    passages = read_passages(PASSAGES, sources)
    raise_if_any(_unknown(names, sources))
    raise_if_any(_named_in_config(names))
    if len(set(names)) == len(sources):
        raise InputError(
            Problem(SOURCES, "would be left without any source", "Keep one, or start anew.")
        )
    gone = set(passages["passage_id"][passages["source_id"].isin(names)])
    changes = Changes()
    for path, column in _tables_with_ids():
        frame = read_table(path, (), extra=True)
        leave = gone if column == "passage_id" else set(names)
        if frame[column].isin(leave).any():
            changes.writes[path] = _lines_kept(path, ~frame[column].isin(leave))
    raise_if_any(_still_designed(config, sources, passages, names, gone))
    raise_if_any(_frozen(sources, names))
    raise_if_any(_versions_left(names))
    changes.take(changed_shards(dict.fromkeys(names)))
    folder = texts_folder(config)
    own = [folder / f"{name}{ending}" for name in names for ending in (".txt", REPORT)]
    changes.removals += [path for path in own if path.is_file()]
    return changes


def _tables_with_ids() -> list[tuple[Path, str]]:
    """Return the tables that name sources or unsampled passages, and by which column."""
    tables = [(SOURCES, "source_id"), (PASSAGES, "source_id"), (INTAKE, "source_id"),
              (UNSAMPLED, "passage_id")]  # fmt: skip
    return [(path, column) for path, column in tables if path.is_file()]


def _lines_kept(path: Path, keep: pd.Series) -> str:
    head, *lines = read_text(path).splitlines()
    return (
        "\n".join([head, *(line for line, stays in zip(lines, keep, strict=True) if stays)]) + "\n"
    )


def _unknown(names: Iterable[str], sources: pd.DataFrame) -> list[Problem]:
    known = set(sources["source_id"])
    return [
        Problem(SOURCES, f"has no source {name!r}", "Correct the id.")
        for name in names
        if name not in known
    ]


def _named_in_config(names: Iterable[str]) -> list[Problem]:
    said = set(_strings(read_yaml(CONFIG)))
    return [
        Problem(CONFIG, f"names the source {name!r}", "Take it out of the configuration first.")
        for name in names
        if name in said
    ]


def _strings(data: Any) -> Iterable[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _strings(key)
            yield from _strings(value)
    elif isinstance(data, list):
        for value in data:
            yield from _strings(value)


def _still_designed(
    config: Mapping[str, Any], sources: pd.DataFrame, passages: pd.DataFrame,
    names: Sequence[str], gone: set[str],
) -> list[Problem]:  # fmt: skip
    """Return which sources cannot leave, as passages of them were or could have been drawn."""
    if not has_sample(SAMPLE):
        return []
    sample = read_sample(SAMPLE, passages)
    draws = read_draws(DRAWS)
    frame = survey_frame(config, sources, passages, sample, draws)
    framed = set(frame["passage_id"][frame["estimable"].astype(bool)]) & gone
    for draw in draws:
        framed |= set(draw.passages["passage_id"]) & gone
    of_source = dict(zip(passages["passage_id"], passages["source_id"], strict=True))
    held = {of_source[passage] for passage in framed}
    return [
        Problem(SOURCES, f"cannot lose {name!r}: its passages were drawn, or could have been, and "
                "the sample's strata count them",
                "T16 shows each contrast without each source. To be rid of it for good, start a "
                "project without it and draw anew.")
        for name in names if name in held
    ]  # fmt: skip


def _frozen(sources: pd.DataFrame, names: Sequence[str]) -> list[Problem]:
    """Return which sources cannot leave, as a freeze says in which group and when they were."""
    freezes = read_freezes()
    if not freezes:
        return []
    texts = set(freezes[-1].sources["text"])
    own = sources[sources["source_id"].isin(names) & sources["sha256"].isin(texts)]
    return [
        Problem(f"{FREEZES}/{freezes[-1].number}", f"was made with the source {name!r}: without it "
                "the freeze would no longer stand", "Keep the source, or give it a group of its "
                "own in a project started anew.")
        for name in own["source_id"]
    ]  # fmt: skip


def _versions_left(names: Sequence[str]) -> list[Problem]:
    if not INTAKE.is_file():
        return []
    frame = read_table(INTAKE, INTAKE_COLUMNS)
    left = frame[frame["version_of"].isin(names) & ~frame["source_id"].isin(names)]
    return [
        Problem(INTAKE, f"says that {row.source_id!r} is a version of {row.version_of!r}",
                "Remove that one too, or first empty its version_of.")
        for row in left.itertuples()
    ]  # fmt: skip


def renamed(config: Mapping[str, Any], old: str, new: str) -> Changes:
    """Return the corpus with another id for a source, wherever it is named.

    Its passages keep their ids: codings, samples and citations hang on them. The configuration is
    changed where it names the source, and nothing else in it. Raises :class:`InputError` where
    ``old`` is unknown.
    """
    sources = read_sources(SOURCES, config["groups"])
    raise_if_any(_unknown([old], sources))
    changes = Changes()
    for path, column in _tables_with_ids():
        columns = [column, "version_of"] if path == INTAKE else [column]
        if column != "passage_id":
            changes.writes[path] = _renamed_in_table(path, columns, old, new)
    for facts in facts_at_hand([old]):
        changes.take(changed_shards({old: None, new: {**facts, "source_id": new}}))
    folder = texts_folder(config)
    for ending in (".txt", REPORT):
        if (folder / f"{old}{ending}").is_file():
            changes.writes[folder / f"{new}{ending}"] = read_text(folder / f"{old}{ending}")
            changes.removals.append(folder / f"{old}{ending}")
    if _named_in_config([old]):
        changes.writes[CONFIG] = _renamed_in_config(old, new)
    return changes


def _renamed_in_table(path: Path, columns: Sequence[str], old: str, new: str) -> str:
    head, *lines = read_text(path).splitlines()
    places = [number for number, name in enumerate(head.split("\t")) if name in columns]
    made = [head]
    for line in lines:
        fields = line.split("\t")
        for place in places:
            fields[place] = new if fields[place] == old else fields[place]
        made.append("\t".join(fields))
    return "\n".join(made) + "\n"


def _renamed_in_config(old: str, new: str) -> str:
    """Return the configuration's text with the id changed, its comments as they are."""
    import yaml

    text = read_text(CONFIG)
    made = re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w.-])", new, text)
    if yaml.safe_load(made) != _replaced(yaml.safe_load(text), old, new):
        raise InputError(
            Problem(CONFIG, f"names the source {old!r}, but it also occurs in other words",
                    f"Write {new!r} there yourself, then rename.")
        )  # fmt: skip
    return made


def _replaced(data: Any, old: str, new: str) -> Any:
    if isinstance(data, dict):
        return {_replaced(key, old, new): _replaced(value, old, new) for key, value in data.items()}
    if isinstance(data, list):
        return [_replaced(value, old, new) for value in data]
    return new if data == old else data
