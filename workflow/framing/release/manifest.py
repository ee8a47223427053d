"""Manifest and provenance: what the results are, and what they were made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from framing.common.files import json_text, sha256
from framing.common.paths import MANIFEST
from framing.common.versions import versions


def digest_of_files(paths: Iterable[Path]) -> str:
    """Return one digest for a set of files: names and contents, in code point order of names."""
    lines = sorted(f"{path.as_posix()}\t{sha256(path.read_bytes())}" for path in paths)
    return sha256("\n".join(lines))


def provenance(
    inputs: Mapping[str, Sequence[Path]],
    config: Mapping[str, Any],
    packages: Sequence[str],
    *,
    details: Mapping[str, Mapping[str, Any]] | None = None,
    code: Mapping[str, str] | None = None,
    looked: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what results depend on: a digest per kind of input, and package versions.

    ``inputs`` maps a name (corpus, codebook, codings …) to its files, ``details`` the same names to
    what is known of their parts (see :mod:`framing.release.provenance_inputs`), ``code`` a part of
    the workflow to the digest of its code, ``looked`` says of each draw whether it is read or
    unread. No time, host, path outside the project or interpreter enters: the same inputs give the
    same bytes anywhere.
    """
    parts = details or {}
    record = {
        "inputs": {
            name: {"files": len(files), "sha256": digest_of_files(files), **parts.get(name, {})}
            for name, files in sorted(inputs.items())
        },
        "config": {"sha256": sha256(json_text(config)), "settings": dict(config)},
        "packages": versions(packages),
    }
    record |= {"reading": list(looked)} if looked else {}
    return record | ({"code": dict(code)} if code else {})


def manifest(folder: Path) -> pd.DataFrame:
    """Return ``path bytes sha256`` of every file below ``folder`` but the manifest itself."""
    rows = []
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST and not path.name.startswith("."):
            data = path.read_bytes()
            rows.append((name, len(data), sha256(data)))
    return pd.DataFrame(rows, columns=["path", "bytes", "sha256"])
