"""Canonical texts at hand: where they lie and whether they are the ones the corpus speaks of."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from framing.common.files import decode_strictly, read_bytes, sha256
from framing.common.problems import InputError, Problem, raise_if_any


def texts_at_hand(folders: Sequence[str | Path], source_ids: Iterable[str]) -> dict[str, Path]:
    """Return the text file of each source that has one; the first folder that holds it wins.

    Folders that do not exist are passed over: most machines hold no texts.
    """
    found: dict[str, Path] = {}
    present = [Path(folder) for folder in folders if Path(folder).is_dir()]
    for source_id in source_ids:
        for folder in present:
            path = folder / f"{source_id}.txt"
            if path.is_file():
                found[source_id] = path
                break
    return found


def read_canonical(path: Path, expected_sha256: str | None = None) -> str:
    """Return a canonical text: UTF-8 without byte order mark, LF, Unicode normal form C.

    Raises :class:`InputError` where the file is not, or where its SHA-256 digest is not the
    expected one (the text differs from the one whose passages are frozen).
    """
    data = read_bytes(path)
    text = decode_strictly(data, path)
    if not unicodedata.is_normalized("NFC", text):
        raise InputError(
            Problem(path, "is not in Unicode normal form C", "Normalise it to NFC and save it.")
        )
    if expected_sha256 is not None and sha256(data) != expected_sha256:
        raise InputError(
            Problem(
                path,
                f"has the digest {sha256(data)[:12]}…, sources.tsv has {expected_sha256[:12]}…",
                "Put the original text there, or remove the file to use the committed facts.",
            )
        )
    return text


def read_texts(hand: Mapping[str, Path], digests: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of sources by id; ``hand`` has their files, ``digests`` what they must be.

    Raises :class:`InputError` with all that :func:`read_canonical` finds wrong.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for name, path in hand.items():
        try:
            texts[name] = read_canonical(path, digests[name])
        except InputError as error:
            problems += error.problems
    raise_if_any(problems)
    return texts
