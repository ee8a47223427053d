"""Recompute a project's results from nothing and compare them with what is published."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from framing.common.files import read_table
from framing.common.paths import MANIFEST, PUBLISHED
from framing.common.problems import InputError, Problem
from framing.release.manifest import manifest

SNAKEFILE = Path(__file__).resolve().parents[3] / "Snakefile"
_LAST_LINES = 40  # of a failed run's output are shown


@dataclass(frozen=True)
class Verdict:
    """Sizes and digests by path: of what is listed, of what lies there, of what was recomputed."""

    listed: dict[str, str]
    present: dict[str, str]
    recomputed: dict[str, str]

    @property
    def files(self) -> int:
        """Return how many files the manifest lists."""
        return len(self.listed)

    @property
    def changed(self) -> list[str]:
        """Return the files of results that are not those of the manifest."""
        return _unequal(self.listed, self.present)

    @property
    def differing(self) -> list[str]:
        """Return the files that come out otherwise than the manifest says."""
        return _unequal(self.listed, self.recomputed)

    @property
    def holds(self) -> bool:
        """Return whether nothing differs."""
        return not self.changed and not self.differing

    def lines(self) -> list[str]:
        """Return one line for each difference."""
        return [
            *_said(
                self.listed, self.present, "is missing", "is not in the manifest",
                "is not the file that the manifest lists",
            ),
            *_said(
                self.listed, self.recomputed, "does not come out when recomputed",
                "comes out when recomputed, but is not in the manifest",
                "comes out with other bytes when recomputed",
            ),
        ]  # fmt: skip


def _said(
    listed: dict[str, str], found: dict[str, str], lost: str, added: str, other: str
) -> Iterator[str]:
    for name in _unequal(listed, found):
        how = lost if name not in found else added if name not in listed else other
        yield f"results/{name}: {how}"


def verify(project: Path, *, cores: int = 2) -> Verdict:
    """Recompute ``project`` in a scratch directory and compare with its ``results/manifest.tsv``.

    Only ``config/``, ``corpus/`` and ``published/`` are copied, texts excepted: the facts must be
    enough. The project itself is only read. Raises :class:`InputError` where it has no results, or
    where the recomputation fails.
    """
    published = _published(project / "results")
    present = _as_dict(manifest(project / "results"))
    with tempfile.TemporaryDirectory(prefix="framing-verify-") as name:
        scratch = Path(name)
        shutil.copytree(project / "config", scratch / "config")
        shutil.copytree(
            project / "corpus", scratch / "corpus", ignore=shutil.ignore_patterns("texts")
        )
        if (project / PUBLISHED).is_dir():  # results/changes.md compares with it
            shutil.copytree(project / PUBLISHED, scratch / PUBLISHED)
        _run(scratch, cores)
        recomputed = _as_dict(manifest(scratch / "results"))
    return Verdict(published, present, recomputed)


def _run(directory: Path, cores: int) -> None:
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--profile", "none",
        "--directory", str(directory), "--cores", str(cores), "--scheduler", "greedy",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if run.returncode != 0:
        tail = "\n".join((run.stdout + run.stderr).splitlines()[-_LAST_LINES:])
        raise InputError(
            Problem("recomputation", f"failed:\n{tail}", "Mend what the last lines name.")
        )


def _published(results: Path) -> dict[str, str]:
    return _as_dict(read_manifest(results))


def read_manifest(results: Path) -> pd.DataFrame:
    """Return ``path bytes sha256`` of the files that are the results of a project.

    Raises :class:`InputError` where there are none yet.
    """
    path = results / MANIFEST
    if not path.is_file():
        raise InputError(Problem(path, "does not exist", "Run `snakemake` first."))
    return read_table(path, ["path", "bytes", "sha256"])


def listed_tables(results: Path) -> dict[str, str]:
    """Return the digest of the CSV file of each result table, by the table's id."""
    listed = read_manifest(results).itertuples(index=False)
    return {
        row.path.removeprefix("tables/").removesuffix(".csv"): row.sha256
        for row in listed
        if row.path.startswith("tables/") and row.path.endswith(".csv")
    }


def _as_dict(frame: pd.DataFrame) -> dict[str, str]:
    return {row.path: f"{row.bytes} {row.sha256}" for row in frame.itertuples(index=False)}


def _unequal(left: dict[str, str], right: dict[str, str]) -> list[str]:
    return sorted(name for name in {*left, *right} if left.get(name) != right.get(name))
