"""The corpus in parts: which sources a job on facts reads, and what it must be made anew for.

Snakemake looks at whole files. A shard holds sources that a draw could have reached and others, and
of a hundred thousand texts it would ask the time of each before every run. So the plan notes down,
for each part, its sources with digests of their rows and facts and the state of their texts: the
job depends on that note, and a source that joins leaves the notes of all other parts as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from framing.common.files import LINE, read_bytes, read_text, sha256, write_text
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
    return int(shard_name(source_id), 16) * parts // SHARDS


def number_of_parts(passages: int, of_a_job: int) -> int:
    """Return in how many parts a corpus is read where a job is to read so many passages."""
    return max(1, min(SHARDS, -(-passages // of_a_job)))


def parts_of(
    sources: pd.DataFrame, rows: Mapping[str, str], sampled: Collection[str],
    hand: Mapping[str, Path], parts: int,
) -> list[Part]:  # fmt: skip
    """Return the parts of the project's corpus that have any source, each with its note.

    ``rows`` are digests of the rows of each source in the corpus tables, ``hand`` the texts at
    hand. A shard that cannot be read, and facts of sources that are not there, are noted as well:
    the job of their part says what is wrong.
    """
    members: dict[tuple[str, int], list[str]] = {}
    for name in sources["source_id"]:
        kind = SAMPLED if name in sampled else FURTHER
        members.setdefault((kind, part_of(name, parts)), []).append(name)
    facts, odd = _facts(set(sources["source_id"]), parts)
    for number in odd:
        members.setdefault((FURTHER, number), [])
    found = []
    for (kind, number), names in sorted(members.items(), key=lambda one: (one[0][0], one[0][1])):
        lines = [
            "\t".join([name, rows.get(name, ""), facts.get(name, _ABSENT), _state(hand.get(name))])
            for name in names
        ]
        if kind == FURTHER:
            lines += odd.get(number, [])
        note = "\n".join(lines) + "\n"
        found.append(Part(kind, f"{number:03d}", tuple(names), note))
    return sorted(found, key=lambda part: (KINDS.index(part.kind), part.number))


def _facts(known: Collection[str], parts: int) -> tuple[dict[str, str], dict[int, list[str]]]:
    """Return a digest of each source's facts, and by part what else stands in the shards."""
    digests: dict[str, str] = {}
    odd: dict[int, list[str]] = {}
    for path in shard_paths():
        shard: Shard | None = collect([], read_shard, path)
        number = _number(path, parts)
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


def _number(path: Path, parts: int) -> int:
    """Return the part of a shard; one whose name is none of a shard is in the first."""
    try:
        return int(path.stem, 16) % SHARDS * parts // SHARDS
    except ValueError:
        return 0


def _state(path: Path | None) -> str:
    """Return what a text's file must go on saying of itself for facts to be taken as checked."""
    if path is None:
        return _ABSENT
    about = path.stat()
    return f"{path.as_posix()} {about.st_size} {about.st_mtime_ns}"


def row_digests(tables: Iterable[pd.DataFrame | None]) -> dict[str, str]:
    """Return a digest of the rows of each source in ``tables``, wherever in them these stand.

    A table that is None, as it could not be read, adds nothing.
    """
    found: dict[str, list[str]] = {}
    for table in tables:
        if table is None:
            continue
        rows = table.drop(columns=LINE, errors="ignore")
        numbers = pd.util.hash_pandas_object(rows, index=False)
        columns = "\t".join(rows.columns)
        for name, own in numbers.groupby(table["source_id"].to_numpy(), sort=False):
            found.setdefault(str(name), []).append(columns + own.to_numpy().tobytes().hex())
    return {name: sha256("\n".join(parts)) for name, parts in found.items()}


def note_down(parts: Sequence[Part]) -> None:
    """Write the notes of parts that say something new: a note's time is that of its last change.

    Notes of parts that there are no longer are removed.
    """
    current = {note_path(part.name) for part in parts}
    for path in FOLDER.glob(f"*/*{NOTE}"):
        if path not in current:
            path.unlink()
    for part in parts:
        path = note_path(part.name)
        if not path.is_file() or path.read_text(encoding="utf-8") != part.note:
            write_text(path, part.note)


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

    The table has been checked by an earlier job: a million rows of which a few are wanted would
    take long to be checked again. ``_line`` says where in the file a row stands.
    """
    table = pd.read_csv(
        path, sep="\t", dtype=str, keep_default_na=False, quoting=3, usecols=list(PASSAGE_COLUMNS)
    )
    table[LINE] = range(2, len(table) + 2)
    own = table[table["source_id"].isin(names)]
    own = own.astype({"start": int, "end": int, "words": int})
    return own.sort_values(["source_id", "start", "end", "passage_id"], kind="stable")
