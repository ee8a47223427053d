"""The corpus in parts: which sources a job on facts reads, and what it must be made anew for.

Snakemake looks at whole files. A shard holds sources that a draw could have reached and others, and
of a hundred thousand texts it would ask the time of each before every run. So the plan notes down,
for each part, its sources with digests of their rows and facts and the state of their texts: the
job depends on that note, and a source that joins leaves the notes of all other parts as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from framing.common.files import LINE, read_bytes, read_text, sha256, write_if_changed
from framing.common.paths import DERIVED, PASSAGES
from framing.common.problems import Problem, collect
from framing.corpus.facts import stray_facts
from framing.corpus.store import (
    SHARDS,
    Shard,
    by_shard,
    read_shard,
    shard_name,
    shard_path,
    shard_paths,
)
from framing.corpus.tables import PASSAGE_COLUMNS

FOLDER = Path("build/facts")
SAMPLED, FURTHER = "sampled", "further"
KINDS = (SAMPLED, FURTHER)
"""Sources from which a draw could have taken passages, and all others."""
NOTE = ".sources"
_ABSENT = "-"


@dataclass(frozen=True)
class Part:
    """Some sources of a kind, and what is noted of them."""

    kind: str
    number: str
    sources: tuple[str, ...]
    note: str

    @property
    def name(self) -> str:
        """Return its name, which is that of files below :data:`FOLDER`."""
        return f"{self.kind}/{self.number}"


def part_of(source_id: str, parts: int) -> int:
    """Return the number of the part, of so many, that a source belongs to: that of its shard."""
    return part_of_shard(shard_name(source_id), parts)


def part_of_shard(name: str, parts: int) -> int:
    """Return the part of a shard; one whose name is none of a shard is in the first."""
    try:
        return int(name, 16) % SHARDS * parts // SHARDS
    except ValueError:
        return 0


def number_of_parts(passages: int, of_a_job: int) -> int:
    """Return in how many parts so many passages are read where a job is to read so many at most.

    It is doubled until they are few enough: each time it changes, everything is read anew.
    """
    parts = 1
    while parts < SHARDS and parts * of_a_job < passages:
        parts *= 2
    return parts


def parts_by_kind(
    frame: pd.DataFrame | None, sampled: Collection[str], of_a_job: int
) -> dict[str, int]:
    """Return in how many parts sources of each kind are read; of a ``frame`` that is None, in one.

    Counted apart, as what joins the corpus must leave sampled sources as they are.
    """
    if frame is None:
        return dict.fromkeys(KINDS, 1)
    inside = int(frame["source_id"].isin(sampled).sum())
    passages = {SAMPLED: inside, FURTHER: len(frame) - inside}
    return {kind: number_of_parts(number, of_a_job) for kind, number in passages.items()}


def parts_of(
    sources: pd.DataFrame, rows: Sequence[Mapping[str, str]], sampled: Collection[str],
    hand: Mapping[str, Path], parts: Mapping[str, int],
) -> list[Part]:  # fmt: skip
    """Return the parts of the project's corpus that have any source, each with its note.

    ``parts`` says in how many the sources of each kind are divided, ``rows`` has digests of each
    source's rows, by table, ``hand`` the texts at hand. A shard that cannot be read, and facts of
    sources that are not there, are noted as well: the job of their part says what is wrong.
    """
    members: dict[tuple[str, int], list[str]] = {}
    for name in sources["source_id"]:
        kind = SAMPLED if name in sampled else FURTHER
        members.setdefault((kind, part_of(name, parts[kind])), []).append(name)
    facts, odd = _facts(set(sources["source_id"]), parts[FURTHER])
    for number in odd:
        members.setdefault((FURTHER, number), [])
    found = []
    in_order = sorted(members.items(), key=lambda one: (KINDS.index(one[0][0]), one[0][1]))
    for (kind, number), names in in_order:
        lines = []
        for name in names:
            digests = [*(own.get(name, "") for own in rows), facts.get(name, _ABSENT)]
            lines.append("\t".join([name, *digests, _state(hand.get(name))]))
        if kind == FURTHER:
            lines += odd.get(number, [])
        note = "\n".join(lines) + "\n"
        found.append(Part(kind, f"{number:03d}", tuple(names), note))
    return found


def _facts(known: Collection[str], parts: int) -> tuple[dict[str, str], dict[int, list[str]]]:
    """Return a digest of each source's facts, and by part what else stands in the shards."""
    digests: dict[str, str] = {}
    odd: dict[int, list[str]] = {}
    for path in shard_paths():
        shard: Shard | None = collect([], read_shard, path)
        number = part_of_shard(path.stem, parts)
        if shard is None:
            line = f"\t{path.name}\t{sha256(read_bytes(path))}"
            odd.setdefault(number, []).append(line)
            continue
        cues = "\n".join(sorted(shard.cues.values()))
        for name, lines in shard.sources.items():
            if name in known and shard_path(name) == path:
                digests[name] = sha256("\n".join([cues, *lines]))
            else:
                odd.setdefault(number, []).append(f"\t{path.name}\t{name}")
    return digests, odd


def _state(path: Path | None) -> str:
    """Return what a text's file must go on saying of itself for facts to be taken as checked."""
    if path is None:
        return _ABSENT
    about = path.stat()
    return f"{path.as_posix()} {about.st_size} {about.st_mtime_ns}"


def row_digests(table: pd.DataFrame | None) -> dict[str, str]:
    """Return a digest of the rows of each source in a table, wherever in it they stand.

    Sources are in the order of their first rows. Of a table that is None, as it could not be read,
    there are none.
    """
    if table is None:
        return {}
    rows = table.drop(columns=LINE, errors="ignore")
    columns = "\t".join(rows.columns)
    # A digest a row first: a million rows take long to become text.
    numbers = pd.util.hash_pandas_object(rows, index=False).tolist()
    found: dict[str, list[str]] = {}
    for name, number in zip(table["source_id"], numbers, strict=True):
        found.setdefault(name, [columns]).append(str(number))
    return {name: sha256("\n".join(own)) for name, own in found.items()}


def rows_digest(rows: Mapping[str, str], sources: Collection[str]) -> str:
    """Return a digest of the rows of ``sources`` (:func:`row_digests`) in their order.

    Where there is no row at all it is empty.
    """
    return sha256("\n".join(rows[name] for name in rows if name in sources)) if rows else ""


def note_down(parts: Sequence[Part]) -> None:
    """Write the notes of parts that say something new: a note's time is that of its last change.

    Notes of parts that there are no longer are removed.
    """
    current = {note_path(part.name) for part in parts}
    for path in FOLDER.glob(f"*/*{NOTE}"):
        if path not in current:
            path.unlink()
    for part in parts:
        write_if_changed(note_path(part.name), part.note)


def note_path(name: str) -> Path:
    """Return the file of a part's note."""
    return FOLDER / f"{name}{NOTE}"


def noted_hits() -> list[Path]:
    """Return the tables of hits of all parts that are noted."""
    notes = [path for kind in KINDS for path in sorted((FOLDER / kind).glob(f"*{NOTE}"))]
    return [path.with_suffix(".tsv") for path in notes]


def noted_sources(path: Path) -> list[str]:
    """Return the sources that a part's note names, in order."""
    names = (line.partition("\t")[0] for line in read_text(path).splitlines())
    return [name for name in names if name]


def strays_of(note: Path, sources: pd.DataFrame) -> list[Problem]:
    """Return what is wrong with shards that a note names beside sources.

    One that cannot be read is named by who reads its sources, where it is to have any.
    """
    names = {line.split("\t")[1] for line in read_text(note).splitlines() if line[:1] == "\t"}
    paths = [DERIVED / name for name in sorted(names)]
    problems = stray_facts(sources, paths)
    read = by_shard(sources["source_id"])
    for path in paths:
        if path not in read:
            collect(problems, read_shard, path)
    return problems


def passages_of(names: Collection[str], path: Path = PASSAGES) -> pd.DataFrame:
    """Return the rows of ``corpus/passages.tsv`` of some sources, in the order of their texts.

    The table has been found right before (by the plan, else an earlier job says what is wrong): a
    million rows of which a few are wanted would take long to be checked again. ``_line`` says where
    in the file a row stands.
    """
    table = pd.read_csv(
        path, sep="\t", dtype=str, keep_default_na=False, quoting=3, usecols=list(PASSAGE_COLUMNS)
    )
    table[LINE] = range(2, len(table) + 2)
    own = table[table["source_id"].isin(names)]
    own = own.astype({"start": int, "end": int, "words": int})
    return own.sort_values(["source_id", "start", "end", "passage_id"], kind="stable")
