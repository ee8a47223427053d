"""A project directory as a whole: read everything, check everything, before anything is written."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from framing.codebook.codebook import Codebook, load_codebook, written_codebook
from framing.coding.codings import (
    coded_passages,
    first_coding,
    foreign_files,
    read_coders,
    read_codings,
    standard_problems,
)
from framing.common.config import cross_check, load_config, read_yaml
from framing.common.files import read_text
from framing.common.paths import (
    CODEBOOK,
    CODERS,
    CODINGS,
    CONFIG,
    HELD_OUT,
    PASSAGES,
    SAMPLE,
    SOURCES,
    UNSAMPLED,
)
from framing.common.problems import Problem, collect, raise_if_any
from framing.corpus.derived import (
    Facts,
)
from framing.corpus.facts import checked_facts
from framing.corpus.intake_log import INTAKE, read_intake
from framing.corpus.tables import (
    passage_frame,
    read_passages,
    read_sample,
    read_sources,
    read_unsampled,
    sampled_frame,
)
from framing.project.freeze_changes import changes
from framing.project.freeze_records import contradictions, read_freezes
from framing.project.reading import Reading, reading_of, tallies
from framing.sampling.combine import combined_design
from framing.sampling.draw import DRAWS, Draw
from framing.sampling.heldout import held_passages, read_held_out
from framing.sampling.records import read_draws
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT, PENDING, SPENT, unfrozen


@dataclass(frozen=True)
class Project:
    """Everything that results are made from, checked. Paths are relative to the directory.

    ``frame`` is the passage frame with the design of the sample and of all ``draws`` together
    (:func:`survey_frame`), ``states`` what each draw counts as (:mod:`framing.sampling.roles`).
    """

    config: dict[str, Any]
    codebook: Codebook
    sources: pd.DataFrame
    passages: pd.DataFrame
    sample: pd.DataFrame
    draws: Sequence[Draw]
    frame: pd.DataFrame
    coders: pd.DataFrame
    codings: pd.DataFrame
    states: Sequence[str] = ()


def load_project(
    config: dict[str, Any], states: Sequence[str] | None = None, *, tried: bool = False
) -> Project:
    """Read and check the project in the working directory; ``config`` has been checked already.

    ``tried`` says that so has the codebook, whose cues then are not tried again, which takes long.

    ``states`` says what each draw counts as, as :func:`project_reading` has found; with a whole
    configuration it can be left out and is worked out here. Raises :class:`InputError` with the
    defects of all tables that could be read: what depends on a broken table is checked once that is
    mended.
    """
    problems: list[Problem] = []
    project = _read_project(problems, config, states=states, tried=tried)
    raise_if_any(problems)
    return project


def load_started(config: dict[str, Any]) -> tuple[Project, list[Facts]]:
    """Return the project in the working directory, which has no codings yet, and derived facts.

    As :func:`load_project`, but tables may be empty, and of codings there are no rows.
    """
    problems: list[Problem] = []
    project = _read_project(problems, config, started=True)
    raise_if_any(problems)
    facts = checked_facts(config, project.codebook, project.sources, project.passages)
    return project, list(facts)


def check_project(*, started: bool = False) -> Project:
    """Check all there is in the working directory; return the project.

    Of a project just ``started`` tables may be empty. Raises :class:`InputError` with
    everything that is wrong, in the configuration, in the tables and in the derived facts.
    """
    problems: list[Problem] = []
    config = collect(problems, load_config, CONFIG)
    # A slip in one setting should not hide what is wrong with the tables.
    project = _read_project(problems, config or _groups_at_least(), started=started)
    codebook, sources, passages = project.codebook, project.sources, project.passages
    if codebook is not None and sources is not None:
        if config:
            known = None if project.coders is None else list(project.coders["coder"])
            means = [name for name, code in codebook.codes.items() if code.kind.ordered]
            ids = set(sources["source_id"])
            problems += cross_check(config, list(codebook.indicators), ids, CONFIG, known, means)
            problems += _estimator_problems(config)
            problems += formula_problems(config, sources, project.frame)
        collect(problems, read_intake, INTAKE, sources)
        if passages is not None:
            facts = checked_facts(project.config, codebook, sources, passages)
            collect(problems, deque, facts, 0)  # looked at one by one, and none is kept
    raise_if_any(problems)
    return project


def survey_frame(
    config: Mapping[str, Any],
    sources: pd.DataFrame,
    passages: pd.DataFrame,
    sample: pd.DataFrame,
    draws: Sequence[Draw],
    states: Sequence[str] | None = None,
    coded: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return the passage frame of the project with the design of all its draws together.

    Columns are those of :func:`framing.corpus.tables.passage_frame` and of
    :func:`framing.sampling.combine.combined_design`, which says what ``states`` and ``coded`` are:
    without them every draw counts as a coded development draw, as it does when a further one is
    drawn. ``sample`` may be empty: nothing was drawn yet. Raises :class:`InputError` where strata
    do not add up to the passages that could be drawn.
    """
    unsampled = read_unsampled(UNSAMPLED, passages)
    inside = sampled_frame(sources, passages, sample, unsampled, SAMPLE)
    frame = passage_frame(sources, passages, sample, config).assign(in_frame=inside)
    design = combined_design(frame, draws, states=states, coded=coded)
    return design.drop(columns="in_frame")


def project_reading(
    config: Mapping[str, Any],
    codebook: Codebook,
    sources: pd.DataFrame,
    draws: Sequence[Draw],
    folder: Path = CODINGS,
) -> Reading:
    """Return what each draw of the project in the working directory counts as, and why.

    ``config`` must be whole; ``folder`` has the codings, where others than the project's are to be
    reckoned with. Raises :class:`InputError` on freezes that were edited or contradict
    the draws, on a cue that is broken, and on codings of a confirmation draw before any freeze.
    """
    freezes = read_freezes()
    raise_if_any(contradictions(freezes, draws))
    latest = freezes[-1] if freezes else None
    found = changes(latest, config, codebook, sources) if latest else ()
    sampled = len(read_text(SAMPLE).splitlines()) - 1 if SAMPLE.is_file() else 0
    known = tallies(draws, max(sampled, 0), coded_of(draws, folder))
    reading = reading_of(known, freezes, found, read_held_out(HELD_OUT, draws))
    early = unfrozen(known, reading.frozen)
    raise_if_any(_too_early(draws[one.number - 1], one.coded, folder) for one in early)
    return reading


def coded_of(draws: Sequence[Draw], folder: Path = CODINGS) -> frozenset[str] | None:
    """Return the passages with codings, None where no draw asks: none is for confirmation."""
    if not any(draw.role == CONFIRMATION for draw in draws):
        return None
    return coded_passages(folder)


def _too_early(draw: Draw, coded: int, folder: Path) -> Problem:
    path, line = first_coding(folder, set(draw.drawn["passage_id"])) or (folder, None)
    return Problem(
        path, f"codes a passage of the confirmation draw {draw.number}, but nothing has been "
        f"frozen ({coded} of its passages have codings)",
        "Take these codings out until `framing freeze` has been run and committed; if somebody who "
        "writes codebook, cues or settings has seen them, the draw is one for development: "
        f"`\"role\": \"development\"` in {DRAWS}/{draw.number}/draw.json.", line,
    )  # fmt: skip


def provisional_states(
    draws: Sequence[Draw], coded: Collection[str] | None, held: Collection[int] = ()
) -> list[str]:
    """Return what draws count as where freezes cannot be asked: codings come late, or never."""
    return [
        DEVELOPMENT
        if draw.role == DEVELOPMENT
        else SPENT
        if draw.number not in held and coded and draw.drawn["passage_id"].isin(list(coded)).any()
        else PENDING
        for draw in draws
    ]


def frame_if_right(
    config: Mapping[str, Any],
    sources: pd.DataFrame,
    draws: Sequence[Draw],
    states: Sequence[str] | None = None,
) -> pd.DataFrame | None:
    """Return the passage frame, None where a table is broken: :func:`load_project` tells why.

    ``states`` is as in :func:`survey_frame`.
    """
    passages = collect([], read_passages, PASSAGES, sources)
    sample = None if passages is None else collect([], read_sample, SAMPLE, passages)
    if sample is None:
        return None
    coded = collect([], coded_of, draws)
    frame: pd.DataFrame | None = collect(
        [], survey_frame, config, sources, passages, sample, draws, states, coded
    )
    return frame


def sampled_sources(sources: pd.DataFrame, frame: pd.DataFrame | None) -> frozenset[str]:
    """Return the sources from which some draw could have taken a passage.

    All of ``sources`` where nothing was drawn yet, or where ``frame`` (:func:`survey_frame`) is
    None because a table is broken.
    """
    if frame is None or frame["weight"].isna().all():
        return frozenset(sources["source_id"])
    return frozenset(frame["source_id"][frame["estimable"] | frame["weight"].notna()])


def _estimator_problems(config: Mapping[str, Any]) -> list[Problem]:
    # Here, as most who load a project estimate nothing.
    from framing.inference.estimators import estimator_problems

    return estimator_problems(config, CONFIG)


def formula_problems(
    config: Mapping[str, Any], sources: pd.DataFrame, frame: pd.DataFrame | None
) -> list[Problem]:
    """Return what is wrong with the formulas of regressions, once passages have been drawn."""
    if frame is None or not config["regression"]["models"] or frame["weight"].isna().all():
        return []
    # Here, as it takes a second to load and only formulas need it.
    from framing.inference.design import population, within_frame
    from framing.inference.design_matrix import model_design
    from framing.inference.model_formulas import covariate_frame

    problems: list[Problem] = []
    inside, _ = within_frame(frame)
    covariates = collect(problems, covariate_frame, inside, sources, config)
    if covariates is not None:
        for model in config["regression"]["models"]:
            collect(problems, model_design, covariates, population(inside), model)
    return problems


def _groups_at_least() -> dict[str, Any]:
    """Return of a broken configuration what the tables are checked against, if it has that."""
    data = collect([], read_yaml, CONFIG)
    groups = data.get("groups") if isinstance(data, dict) else None
    named = isinstance(groups, dict) and all(isinstance(name, str) for name in groups)
    return {"groups": groups if named else None, "corpus": {"texts": []}}


def _read_project(
    problems: list[Problem],
    config: dict[str, Any],
    *,
    started: bool = False,
    states: Sequence[str] | None = None,
    tried: bool = False,
) -> Project:
    """Read what can be read; what cannot is None, and ``problems`` says why.

    Of a project just ``started`` tables may be empty, and there are no codings. ``states`` and
    ``tried`` are as in :func:`load_project`.
    """

    def filled(table: pd.DataFrame | None, place: Path, what: str, remedy: str) -> Any:
        if table is None or started or not table.empty:
            return table
        problems.append(Problem(place, f"names no {what}", remedy))
        return None

    codebook = collect(problems, written_codebook if tried else load_codebook, CODEBOOK)
    coders = collect(problems, read_coders, CODERS)
    coders = filled(coders, CODERS, "coder", "Add a row for each coder.")
    sources = passages = sample = codings = None
    if config["groups"] is not None:
        sources = collect(problems, read_sources, SOURCES, config["groups"])
        sources = filled(sources, SOURCES, "source", "Add texts: framing add FILE.")
    if sources is not None:
        passages = collect(problems, read_passages, PASSAGES, sources)
        cut = "Run `framing derive` to cut the texts at hand."
        passages = filled(passages, PASSAGES, "passage", cut)
    if passages is not None:
        sample = collect(problems, read_sample, SAMPLE, passages)
        sample = filled(sample, SAMPLE, "passage", "Add a row for each drawn passage.")
    draws = collect(problems, read_draws, DRAWS)
    frame = coded = None
    held: frozenset[int] = frozenset()
    if draws is not None:
        held = collect(problems, read_held_out, HELD_OUT, draws) or held
    if sample is not None and draws is not None:
        coded = collect(problems, coded_of, draws)
        if states is None and {"inference", "case_study"} <= set(config) and codebook is not None:
            reading = collect(problems, project_reading, config, codebook, sources, draws)
            states = reading.states if reading is not None else None
        if states is None:
            states = provisional_states(draws, coded, held)
        # A configuration that is broken elsewhere may lack what the frame needs of it.
        needed = {"periods": [], "undated": ""} | config
        frame = collect(
            problems, survey_frame, needed, sources, passages, sample, draws, states, coded
        )
    if started:
        problems += foreign_files(CODINGS)
        codings = pd.DataFrame(columns=["passage_id", "coder", "code", "value", "unsure"])
    elif frame is not None and codebook is not None and coders is not None:
        codings = collect(
            problems, read_codings, CODINGS, list(coders["coder"]), list(codebook.codes.values()),
            to_be_coded(sample, draws), waiting(draws, coded),
        )  # fmt: skip
        if codings is not None and held:
            apart = codings["passage_id"].isin(held_passages(draws, held))
            codings = codings[~apart].reset_index(drop=True)
        if codings is not None and "coders" in config:
            problems += standard_problems(codings, config["coders"], CODINGS)
    return Project(
        config, codebook, sources, passages, sample, draws, frame, coders, codings, states or ()
    )  # fmt: skip


def waiting(draws: Sequence[Draw], coded: Collection[str] | None) -> frozenset[str]:
    """Return the passages of confirmation draws that have no codings yet, and may have none."""
    own = [draw.drawn["passage_id"] for draw in draws if draw.role == CONFIRMATION]
    return frozenset(name for ids in own for name in ids) - frozenset(coded or ())


def to_be_coded(sample: pd.DataFrame, draws: Sequence[Draw]) -> pd.DataFrame:
    """Return a table ``passage_id`` of all drawn passages: the sample's first, then each draw's."""
    supplements = [draw.drawn["passage_id"] for draw in draws if not draw.is_sample]
    return pd.concat([sample["passage_id"], *supplements], ignore_index=True).to_frame()
