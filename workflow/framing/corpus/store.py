"""Where derived facts are kept: in shards, one JSON value a line.

A source's facts stand in the shard that its id falls into, one of :data:`SHARDS` files
``corpus/derived/XX.jsonl`` (as many as are needed). A source that joins changes that file alone,
a hundred thousand sources are a few hundred files, and a change of a passage shows as one line::

    {"format": "framing-facts/1", "facts": "framing-derived/2", "words": "words/1"}
    {"cues": "5d1c07a2", "digests": {"respect": "c168193c", …}}
    {"source_id": "speech", "text_sha256": "…", "characters": 1807, "cues": "5d1c07a2", …}
    {"passage_id": "…", "start": 0, "end": 252, …, "counts": {"a": 2, …}, "hits": {"respect/1": 1}}
    {"passage_id": …}

Sources stand in code point order of their ids. The digests of cues are told once for all sources
whose facts were made with the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from framing.common.files import read_text, sha256
from framing.common.paths import DERIVED
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.derived import (
    FACTS_FORMAT,
    RESTORE,
    UPDATE,
    Facts,
    facts_defect,
    passage_defect,
)
from framing.corpus.words import WORDS_VERSION

FORMAT = "framing-facts/1"
SHARDS = 256
SUFFIX = ".jsonl"

HEAD = json.dumps({"format": FORMAT, "facts": FACTS_FORMAT, "words": WORDS_VERSION})
_CUES = re.compile(r'\{"cues": "([0-9a-f]{8})", "digests": \{.*\}\}')
_NAMED_CUES = re.compile(r'"cues": "([0-9a-f]{8})"')
_SOURCE = re.compile(r'\{"source_id": "([^"\\]+)", "text_sha256": .*\}')
_DIGITS = 8


def shard_name(source_id: str) -> str:
    """Return the two hexadecimal digits of the shard that a source falls into."""
    return sha256(source_id)[:2]


def shard_path(source_id: str) -> Path:
    """Return the file that holds a source's facts."""
    return DERIVED / f"{shard_name(source_id)}{SUFFIX}"


def shard_paths() -> list[Path]:
    """Return the shards there are in the working directory's project, in order of their names."""
    return sorted(DERIVED.glob(f"*{SUFFIX}"))


@dataclass
class Shard:
    """The lines of a shard: digests of cues by their id, and each source's lines, head first.

    ``first`` says in which line of the file a source begins.
    """

    cues: dict[str, str] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)

    def put(self, facts: Facts) -> bool:
        """Put in, or replace, the facts of a source; return whether that changes anything."""
        name, (key, cues) = facts["source_id"], _cues_line(facts["cues"])
        head = {
            **{name: facts[name] for name in ("source_id", "text_sha256", "characters")},
            "cues": key,
            "passages": len(facts["passages"]),
        }
        lines = [_line(head), *map(_line, facts["passages"])]
        same = self.sources.get(name) == lines and self.cues.get(key) == cues
        self.sources[name], self.cues[key] = lines, cues
        return not same

    def text(self) -> str:
        """Return it as it is written; digests of cues that no source names are left out."""
        heads = "\n".join(lines[0] for lines in self.sources.values())
        used = set(_NAMED_CUES.findall(heads))
        lines = [HEAD, *(line for name, line in sorted(self.cues.items()) if name in used)]
        for name in sorted(self.sources):
            lines += self.sources[name]
        return "\n".join(lines) + "\n"


def read_shard(path: Path) -> Shard:
    """Return the lines of a shard by source; what they say is not looked at.

    One that does not exist is empty. Raises :class:`InputError` where the file is not built as
    shards are.
    """
    shard = Shard()
    if not path.exists():
        return shard
    lines = read_text(path).split("\n")
    if lines.pop() or not lines:
        raise InputError(Problem(path, "is cut off: its last line has no end", RESTORE))
    if lines[0] != HEAD:
        raise InputError(Problem(path, f"does not begin as a file of format {FORMAT}", RESTORE, 1))
    own: list[str] | None = None
    for number, line in enumerate(lines[1:], start=2):
        if head := _SOURCE.fullmatch(line):
            name = head[1]
            if name in shard.sources:
                raise InputError(Problem(path, f"has the source {name!r} twice", RESTORE, number))
            shard.first[name] = number
            own = shard.sources[name] = [line]
        elif own is not None:
            own.append(line)
        elif cues := _CUES.fullmatch(line):
            shard.cues[cues[1]] = line
        else:
            raise InputError(Problem(path, "is no line on cues or a source", RESTORE, number))
    return shard


def facts_in(shard: Shard, source_id: str, path: Path) -> Facts:
    """Return the facts of a source of ``shard``, which was read from ``path``.

    Raises :class:`InputError` unless its lines are what :meth:`Shard.put` could have written:
    without the text nothing else guards against a slip, or a merge, that doubles a passage or
    breaks a count.
    """
    lines, first = shard.sources[source_id], shard.first[source_id]
    values = [_value(line, path, first + place) for place, line in enumerate(lines)]
    head, rows = values[0], values[1:]
    if list(head) != _SOURCE_KEYS or not isinstance(head["cues"], str):
        what = f"source {source_id!r} does not begin with {', '.join(_SOURCE_KEYS)}"
        raise InputError(Problem(path, what, RESTORE, first))
    if head["passages"] != len(rows):
        what = f"source {source_id!r} has {len(rows)} lines of passages, not {head['passages']}"
        raise InputError(Problem(path, what, RESTORE, first))
    facts: Facts = {
        "format": FACTS_FORMAT,
        "words": WORDS_VERSION,
        **{key: head[key] for key in ("source_id", "text_sha256", "characters")},
        "cues": _digests(shard, head["cues"], path, first),
        "passages": rows,
    }
    defect = facts_defect(facts)
    if defect:
        raise InputError(Problem(path, f"source {source_id!r}: {defect}", RESTORE, first))
    raise_if_any(
        Problem(path, f"source {source_id!r}: {defect}", RESTORE, first + place)
        for place, row in enumerate(rows, start=1)
        if (defect := passage_defect(row, facts))
    )
    starts = [row["start"] for row in rows]
    if len({row["passage_id"] for row in rows}) < len(rows):
        raise InputError(Problem(path, f"source {source_id!r} has a passage twice", RESTORE, first))
    if starts != sorted(starts) or [_line(value) for value in values] != lines:
        what = f"source {source_id!r} is not as `framing derive` writes it"
        raise InputError(Problem(path, what, RESTORE, first))
    return facts


_SOURCE_KEYS = ["source_id", "text_sha256", "characters", "cues", "passages"]


def _value(line: str, path: Path, number: int) -> Any:
    try:
        value = json.loads(line)
    except (RecursionError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise InputError(Problem(path, "is no line of facts", RESTORE, number))
    return value


def _digests(shard: Shard, name: str, path: Path, line: int) -> dict[str, str]:
    """Return the digests of cues that a source's facts were made with."""
    if name not in shard.cues:
        raise InputError(Problem(path, f"does not tell the cues {name!r}", RESTORE, line))
    try:
        digests: dict[str, str] = json.loads(shard.cues[name])["digests"]
    except (RecursionError, ValueError):
        digests = {}
    if _cues_line(digests) != (name, shard.cues[name]):
        raise InputError(Problem(path, f"tells other cues as {name!r}", RESTORE))
    return digests


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cues_line(digests: Mapping[str, str]) -> tuple[str, str]:
    ordered = dict(sorted(digests.items()))
    name = sha256(_line(ordered))[:_DIGITS]
    return name, _line({"cues": name, "digests": ordered})


# --- a project's facts ----------------------------------------------------------------------------


def read_facts(source_id: str, project: Path = Path()) -> Facts:
    """Return the facts of one source of a project, that in the working directory or another.

    Raises :class:`InputError` where there are none, and as :func:`facts_in`.
    """
    path = project / shard_path(source_id)
    shard = read_shard(path)
    if source_id not in shard.sources:
        raise InputError(lacking(source_id))
    return facts_in(shard, source_id, path)


def lacking(source_id: str) -> Problem:
    """Return the problem that there are no facts of a source."""
    return Problem(shard_path(source_id), f"has no facts of source {source_id!r}", UPDATE)


def by_shard(names: Iterable[str]) -> dict[Path, list[str]]:
    """Return the ids of sources by the shard they fall into, shards in order of their names."""
    found: dict[Path, list[str]] = {}
    for name in names:
        found.setdefault(shard_path(name), []).append(name)
    return dict(sorted(found.items()))


def facts_at_hand(names: Iterable[str]) -> Iterator[Facts]:
    """Yield the facts of those of the sources that have any, shard by shard."""
    for path, own in by_shard(names).items():
        shard = read_shard(path)
        for name in own:
            if name in shard.sources:
                yield facts_in(shard, name, path)


class Incoming:
    """Facts of any number of sources on their way into shards, kept in files of ``folder``.

    The folder is the caller's to remove.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, facts: Facts) -> None:
        """Keep the facts of a source."""
        with (self._folder / shard_name(facts["source_id"])).open("a", encoding="utf-8") as file:
            file.write(_line(facts) + "\n")

    def shards(self) -> Iterator[tuple[Path, str]]:
        """Yield the shards they fall into, each with what it is to hold, one after the other.

        Raises :class:`InputError` where a shard as it is cannot be read.
        """
        for kept in sorted(self._folder.iterdir()):
            path = DERIVED / f"{kept.name}{SUFFIX}"
            shard = read_shard(path)
            with kept.open(encoding="utf-8") as rows:
                for row in rows:
                    shard.put(json.loads(row))
            yield path, shard.text()


class ChangedShards(NamedTuple):
    """What shards are to hold, those that are to go as no source is left, and changed sources."""

    writes: dict[Path, str]
    removals: list[Path]
    sources: list[str]


def changed_shards(
    changes: Mapping[str, Facts | None], corpus: Iterable[str] | None = None
) -> ChangedShards:
    """Return the shards in which facts are put in or replaced, or (None) taken out.

    What a shard says of other sources stays as it is, letter by letter; one whose text does not
    change is left out. One that cannot be read is
    made anew where ``changes`` have facts of all sources of the ``corpus`` that belong in it; else
    raises :class:`InputError`.
    """
    members = None if corpus is None else by_shard(corpus)
    made = ChangedShards({}, [], [])
    for path, names in by_shard(changes).items():
        try:
            shard = read_shard(path)
        except InputError:
            if members is None or not set(members.get(path, ())) <= set(names):
                raise
            shard = Shard()
        for name in names:
            facts = changes[name]
            changed = shard.sources.pop(name, None) if facts is None else shard.put(facts)
            if changed:
                made.sources.append(name)
        if not shard.sources:
            if path.exists():
                made.removals.append(path)
            continue
        text = shard.text()
        if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
            made.writes[path] = text
    return made
