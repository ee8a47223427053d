"""What a run shows on the screen, and the lock that it holds meanwhile."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, TextIO

from framing.codebook.codebook import written_codebook
from framing.common.build import DONE, read_scores
from framing.common.paths import CODEBOOK, SOURCES
from framing.corpus.tables import read_sources
from framing.project.load import frame_if_right, project_reading
from framing.project.lock import hold
from framing.project.status import FIRST_STEPS
from framing.sampling.draw import DRAWS
from framing.sampling.records import read_draws
from framing.sampling.roles import SPENT, UNREAD
from framing.workflow.results import RESULTS

HEADLINE = Path("build/headline.txt")
SCORES = Path("build/scores.tsv")
LOGS = Path("build/logs")

_held: list[IO[str]] = []


def hold_directory() -> None:
    """Keep other runs and commands out of the working directory until this process ends.

    The operating system lets go of the lock when a run is killed, so that the next one can start.
    """
    if (handle := hold(Path())) is not None:
        _held.append(handle)
    for log in _failures():
        log.unlink()


def end_timers() -> None:
    """Stop the timers of Snakemake's scheduler, which hold a finished run back for a second."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def _failures() -> list[Path]:
    """Return the logs that hold problems; a job that went well leaves only "done"."""
    return [log for log in sorted(LOGS.rglob("*.log")) if log.read_text("utf-8").strip() != DONE]


def show_headline() -> None:
    """Print the headline table, and where report and tables lie."""
    if HEADLINE.is_file():
        results = RESULTS.resolve()
        where = f"\nThe report: {results / 'report.html'}\nThe tables: {results / 'tables'}\n"
        _say("\n" + HEADLINE.read_text(encoding="utf-8") + where, sys.stdout)


def show_notes(notes: Iterable[str], config: Mapping[str, Any]) -> None:
    """Print what is to be known of spent draws, and what a new one would cost."""
    lines = list(notes)
    if not lines:
        return
    if SCORES.is_file() and (cost := _replacement(config)):
        lines.append(cost)
    _say("\n" + "\n".join(lines) + "\n", sys.stderr)


def _replacement(config: Mapping[str, Any]) -> str:
    """Return in a sentence what a confirmation draw in place of a spent one would cost.

    Empty where nothing can be said.
    """
    # Here, as it takes a second to load and only this needs it.
    from framing.inference.replacement import replacement_sentence

    sources, draws = read_sources(SOURCES, config["groups"]), read_draws(DRAWS)
    codebook = written_codebook(CODEBOOK)
    states = project_reading(config, codebook, sources, draws).states
    unspent = [UNREAD if state == SPENT else state for state in states]
    before, after = (frame_if_right(config, sources, draws, each) for each in (unspent, states))
    if before is None or after is None:
        return ""
    scores = read_scores(SCORES)
    scores = scores[scores["code"].isin(list(codebook.codes))]
    return replacement_sentence(before, after, scores, config)


def show_first_steps() -> None:
    """Print the page of first steps, and where it lies."""
    steps = FIRST_STEPS.read_text(encoding="utf-8")
    _say(f"\n{steps}\nThis page: {FIRST_STEPS.resolve()}\n", sys.stdout)


def show_problems() -> None:
    """Print, as the last thing on the screen, what jobs found wrong with the input."""
    # Two jobs may have stumbled over the same.
    for said in dict.fromkeys(log.read_text(encoding="utf-8") for log in _failures()):
        _say("\n" + said, sys.stderr)


def _say(text: str, stream: TextIO) -> None:
    # Whatever encoding the terminal has.
    encoding = stream.encoding or "ascii"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()
