"""Whether a run would take the codings: asked of what is to be written, before it is written."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from framing.acquire.codings.kinds import gathered, of_a_kind
from framing.codebook.codebook import Codebook
from framing.coding.codings import (
    coded_passages,
    foreign_files,
    read_coders,
    read_codings,
    standard_problems,
)
from framing.common.paths import CODERS, CODINGS
from framing.common.problems import InputError, Problem
from framing.corpus.texts import read_texts, texts_at_hand
from framing.project.load import project_reading, to_be_coded, waiting
from framing.project.reading import Reading
from framing.sampling.draw import Draw
from framing.sampling.roles import PENDING


@dataclass(frozen=True)
class State:
    """A project as far as codings need it, read and checked; ``reading`` is before the import."""

    config: dict[str, Any]
    codebook: Codebook
    sources: pd.DataFrame
    passages: pd.DataFrame
    sample: pd.DataFrame
    draws: Sequence[Draw]
    coders: pd.DataFrame
    reading: Reading

    @property
    def codes(self) -> list[str]:
        """Return the codes in the order of the codebook."""
        return list(self.codebook.codes)

    def texts(self) -> dict[str, str]:
        """Read the texts of sources that are at hand, by source."""
        hand = texts_at_hand(self.config["corpus"]["texts"], self.sources["source_id"])
        digests = dict(zip(self.sources["source_id"], self.sources["sha256"], strict=True))
        return read_texts(hand, digests)

    @property
    def drawn(self) -> pd.DataFrame:
        """Return a table ``passage_id`` of all drawn passages, in the order of draws."""
        return to_be_coded(self.sample, self.draws)


def result_problems(
    state: State, writes: Mapping[Path, str], imported: Collection[str]
) -> tuple[list[Problem], list[str]]:
    """Return what a run would say against the codings with ``writes``, and what draws count as.

    ``imported`` are the passages that the import codes. A pending confirmation draw must come
    whole: who could take over a part, look, and then code the rest would have read it. The
    sentences are of draws that count as something else afterwards.
    """
    with TemporaryDirectory() as name:
        folder = Path(name) / CODINGS.name
        folder.mkdir()
        for path in CODINGS.glob("*.tsv"):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
        for path, text in writes.items():
            target = Path(name) / CODERS.name if path == CODERS else folder / path.name
            target.write_bytes(text.encode("utf-8"))
        try:
            sentences = _checked(state, Path(name), folder, imported)
        except InputError as error:
            problems = [*foreign_files(CODINGS), *(_placed(one, name) for one in error.problems)]
            return gathered(problems), []
    return foreign_files(CODINGS), sentences


def _checked(state: State, home: Path, folder: Path, imported: Collection[str]) -> list[str]:
    coded = coded_passages(folder)
    coders = read_coders(home / CODERS.name if (home / CODERS.name).is_file() else CODERS)
    problems = _in_parts(state, coded, imported)
    reading = None
    try:
        reading = project_reading(state.config, state.codebook, state.sources, state.draws, folder)
        codings = read_codings(
            folder, list(coders["coder"]), list(state.codebook.codes.values()), state.drawn,
            waiting(state.draws, coded),
        )  # fmt: skip
        problems += standard_problems(codings, state.config["coders"], folder)
    except InputError as error:
        problems += error.problems
    if problems or reading is None:
        raise InputError(problems)
    before = set(state.reading.sentences)
    return [one for one in reading.sentences if one not in before]


def _in_parts(state: State, coded: Collection[str], imported: Collection[str]) -> list[Problem]:
    problems = []
    for draw, what in zip(state.draws, state.reading.states, strict=True):
        own = list(draw.drawn["passage_id"])
        if what != PENDING or not set(own) & set(imported):
            continue
        left = [name for name in own if name not in coded]
        problems += of_a_kind(
            f"draw {draw.number}", f"is a confirmation draw of {len(own)} passages without "
            "codings, and the import leaves out {}", [repr(name) for name in left],
            "Import all of its codings at once, of all who coded it (several files, with "
            "--coder-column or a --coder for each).", "passage",
        )  # fmt: skip
    return problems


def _placed(problem: Problem, home: str) -> Problem:
    """Return a problem with the place where its file is to be, not where it was tried."""

    def moved(text: str) -> str:
        return text.replace(f"{home}/", f"{CODINGS.parent.as_posix()}/")

    return replace(
        problem, place=moved(Path(problem.place).as_posix() if isinstance(problem.place, Path)
                             else problem.place),
        what=moved(problem.what), remedy=moved(problem.remedy),
    )  # fmt: skip
