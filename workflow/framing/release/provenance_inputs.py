"""What results are made from, part by part, so that a change of one part can be named.

Every function returns plain data for ``provenance.json``: short digests and counts by name. Nothing
in them depends on the order of files, on the machine or on the time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from framing.codebook.codebook import Codebook, written_codebook
from framing.codebook.codes import Code
from framing.codebook.cues import cue_digest
from framing.common.files import LINE, json_text, read_bytes, read_table, sha256
from framing.corpus.derived import Facts
from framing.corpus.store import facts_in, read_shard
from framing.corpus.tables import PASSAGE_COLUMNS
from framing.sampling.draw import DRAWN, ROW_COLUMNS, ROWS

DIGITS = 16  # hexadecimal digits: enough to tell two states of one part from each other


def digest(data: Any) -> str:
    """Return the first digits of the SHA-256 digest of plain data."""
    return sha256(json.dumps(data, ensure_ascii=False, sort_keys=True))[:DIGITS]


def source_digests(sources: Path, passages: Path, derived: Sequence[Path]) -> dict[str, str]:
    """Return a digest of each source by id: its row, its passages and their words.

    ``sources`` and ``passages`` are the corpus tables, ``derived`` the files of derived facts. Hits
    of cues do not enter: they change with the codebook, and the codebook's own digests tell that.
    """
    rows: dict[str, list[Any]] = {}
    for row in _records(sources, ["source_id"]):
        rows[row["source_id"]] = [row, None]
    for row in _records(passages, PASSAGE_COLUMNS):
        rows.setdefault(row["source_id"], []).append(row)
    found = {}
    for path in derived:
        shard = read_shard(path)
        for name in shard.sources.keys() & rows.keys():
            # One by one: all facts together may be more than the memory holds.
            own = rows.pop(name)
            own[1] = _without_hits(facts_in(shard, name, path))
            found[name] = digest(own)
    found |= {name: digest(own) for name, own in rows.items()}
    return dict(sorted(found.items()))


def _without_hits(facts: Facts) -> Any:
    passages = [{k: v for k, v in row.items() if k != "hits"} for row in facts["passages"]]
    return {**facts, "cues": None, "passages": passages}


def draw_details(sample: Path, draws: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Return how many passages the sample and each draw took, with a digest of their files.

    ``draws`` are the files below ``corpus/draws/``; names are ``sample`` and ``draw N``.
    """
    found = {"sample": {"passages": len(_records(sample)), "sha256": _of_files([sample])}}
    for folder in sorted({path.parent for path in draws}):
        files = [path for path in draws if path.parent == folder]
        taken = _records(folder / ROWS, ROW_COLUMNS)
        found[f"draw {folder.name}"] = {
            "passages": sum(row["status"] == DRAWN for row in taken),
            "sha256": _of_files(files),
        }
    return found


def list_digests(paths: Sequence[Path]) -> dict[str, str]:
    """Return a digest of each of some further tables by its path."""
    return {path.as_posix(): _of_files([path]) for path in sorted(paths)}


def coder_details(
    coders: Path, codings: Sequence[Path], codes: Mapping[str, Code]
) -> dict[str, dict[str, Any]]:
    """Return for each coder: kind, number of passages, how many carry each code, a digest.

    Of a code with several levels, how many have each of them.

    ``coders`` is ``coders.tsv``, ``codings`` the coders' files, named after them.
    """
    kinds = {row["coder"]: row["kind"] for row in _records(coders, ["coder", "kind"])}
    found = {}
    for path in sorted(codings):
        rows = _records(path)
        found[path.stem] = {
            "kind": kinds.get(path.stem, ""),
            "passages": len(rows),
            "present": {
                level.indicator: sum(row.get(code.name) == level.name for row in rows)
                for code in codes.values()
                for level in code.counted
            },
            "sha256": _of_files([path]),
        }
    return found


def codebook_details(codebook: Codebook) -> dict[str, Any]:
    """Return the codebook's version, and a digest of every code and of every cue by name.

    A code's digest covers all that stands under it, exemplars too. A cue's covers what its hits
    hang on (:func:`framing.codebook.cues.cue_digest`) and how it votes, not its description.
    """
    return {
        "version": codebook.version,
        "codes": {name: digest(_written(code)) for name, code in codebook.codes.items()},
        "cues": {
            cue.name: digest({"hits": cue_digest(codebook, cue), "votes": dict(cue.votes)})
            for cue in codebook.cues
        },
    }


def _written(code: Code) -> dict[str, Any]:
    """Return what a code's digest covers, as plain data."""
    levels = [asdict(level) for level in code.counted]
    own = {"name": code.name, "label": code.label, "definition": code.definition}
    if not code.kind.present:
        return own | {"kind": code.kind.name, "ties": code.ties, "levels": levels}
    names = ("present", "not_enough", "carrying", "near_misses")
    return own | {name: levels[0][name] for name in names}


def folder_digest(files: Sequence[Path], folder: Path) -> str:
    """Return a digest of files by their contents and their names below ``folder``."""
    names = {path.resolve().relative_to(folder.resolve()).as_posix(): path for path in files}
    return digest({name: sha256(read_bytes(path)) for name, path in names.items()})


def input_details(
    *,
    sources: Path,
    passages: Path,
    sample: Path,
    draws: Sequence[Path],
    lists: Sequence[Path],
    derived: Sequence[Path],
    codebook: Path,
    coders: Path,
    codings: Sequence[Path],
) -> dict[str, dict[str, Any]]:
    """Return the details of corpus, codebook and codings (see the functions above)."""
    book = written_codebook(codebook)
    return {
        "corpus": {
            "sources": source_digests(sources, passages, derived),
            "draws": draw_details(sample, draws),
            "lists": list_digests(lists),
        },
        "codebook": codebook_details(book),
        "codings": {"coders": coder_details(coders, codings, book.codes)},
    }


def _records(path: Path, required: Sequence[str] = ()) -> list[Mapping[str, Any]]:
    frame = read_table(path, required, extra=True).drop(columns=LINE)
    return frame.to_dict("records")


def _of_files(paths: Sequence[Path]) -> str:
    return sha256(json_text({path.name: sha256(read_bytes(path)) for path in paths}))[:DIGITS]
