"""Recompute a project's results from nothing and compare them with what is published."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from framing.files import read_table
from framing.output.seal import MANIFEST, manifest
from framing.problems import InputError, Problem

SNAKEFILE = Path(__file__).resolve().parents[2] / "Snakefile"
_LAST_LINES = 40  # of a failed run's output are shown


@dataclass(frozen=True)
class Verdict:
    """What differs: files of ``results/`` against the manifest, and against the recomputation."""

    files: int
    changed: list[str]
    differing: list[str]

    @property
    def holds(self) -> bool:
        """Return whether nothing differs."""
        return not self.changed and not self.differing


def verify(project: Path, *, cores: int = 2) -> Verdict:
    """Recompute ``project`` in a scratch directory and compare with its ``results/manifest.tsv``.

    Only ``config/`` and ``corpus/`` are copied, texts excepted: the facts must be enough. The
    project itself is only read. Raises :class:`InputError` where it has no results, or where the
    recomputation fails.
    """
    published = _published(project / "results")
    present = _as_dict(manifest(project / "results"))
    with tempfile.TemporaryDirectory(prefix="framing-verify-") as name:
        scratch = Path(name)
        shutil.copytree(project / "config", scratch / "config")
        shutil.copytree(
            project / "corpus", scratch / "corpus", ignore=shutil.ignore_patterns("texts")
        )
        _run(scratch, cores)
        recomputed = _published(scratch / "results")
    return Verdict(
        files=len(published),
        changed=_unequal(published, present),
        differing=_unequal(published, recomputed),
    )


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
    path = results / MANIFEST
    if not path.is_file():
        raise InputError(Problem(path, "does not exist", "Run `snakemake` first."))
    return _as_dict(read_table(path, ["path", "bytes", "sha256"]))


def _as_dict(frame: object) -> dict[str, str]:
    return dict(zip(frame["path"], frame["sha256"], strict=True))  # type: ignore[index]


def _unequal(left: dict[str, str], right: dict[str, str]) -> list[str]:
    return sorted(name for name in {*left, *right} if left.get(name) != right.get(name))
