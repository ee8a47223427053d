"""What the rules need to know of a project before the first job: settings, codes, files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from framing.classifier.encoder import PACKAGES, model_files
from framing.codebook.codebook import written_codebook
from framing.coding.codings import ALL_CODED, RESPONSES, foreign_files, read_coders
from framing.coding.instruments import coded_files, instrument_problems, instruments_of
from framing.coding.variables import traits, variables_of
from framing.common.config import check_config, cross_check, load_config
from framing.common.files import json_of, read_text, write_if_changed, write_text
from framing.common.paths import (
    CODEBOOK,
    CODERS,
    CODINGS,
    CONFIG,
    HELD_OUT,
    MANIFEST,
    PASSAGES,
    SAMPLE,
    SOURCES,
    UNSAMPLED,
)
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.settings import settled
from framing.corpus.earlier_facts import earlier_problems
from framing.corpus.store import shard_paths
from framing.corpus.tables import read_sources
from framing.corpus.texts import texts_at_hand
from framing.inference.estimators import estimator_problems
from framing.project.freeze import FREEZES
from framing.project.load import frame_if_right, project_reading, sampled_sources
from framing.project.lock import hold, settle
from framing.project.parts import (
    FOLDER,
    KINDS,
    Part,
    note_down,
    parts_by_kind,
    parts_of,
    row_digests,
    rows_digest,
)
from framing.project.status import FIRST_STEPS, READING, Stage, sheets, stage_of
from framing.sampling.combine import caveat_of
from framing.sampling.draw import DRAWS, awaiting
from framing.sampling.records import read_draws
from framing.sampling.roles import UNREAD
from framing.workflow.results import BESIDE, RESULTS, page, relative
from framing.workflow.screen import HEADLINE
from framing.workflow.software import installed

EMBEDDINGS = Path("build/embeddings.tsv")
SAMPLED = Path("build/sampled.digest")
PASSAGES_MADE = Path("build/passages.tsv")
KEPT = Path("build/plan.json")


@dataclass(frozen=True)
class Plan:
    """Settings and files of one run, as plain sorted data: Snakemake compares them between runs.

    ``caveat`` is what every row of every result table must say of how passages were drawn and read,
    or empty. ``states`` says what each draw counts as (:mod:`framing.sampling.roles`), ``looked``
    the same in a sentence a draw, the sample first; ``notes`` are lines for the terminal where a
    confirmation draw is spent; ``held_out`` are passages that nobody is to look at yet.
    ``parts`` are those of the facts, of sources from which a draw could have taken passages and of
    others: what rests on codings rests on the former alone. ``doubtful`` are tables that are to be
    found right before facts are read. ``sheets`` are to be written for coders who have not begun;
    else there are none. ``codes`` are those of the codebook, ``traits`` say which tables they need
    beside those of every project. ``instruments`` are those that estimates rest on, ``coded`` the
    files of coders among them.
    """

    stage: str
    config: dict[str, Any]
    codes: list[str]
    traits: list[str]
    instruments: list[str]
    coded: list[str]
    versions: dict[str, str]
    texts: list[str]
    derived: list[str]
    codings: list[str]
    sheets: list[str]
    caveat: str
    states: list[str]
    looked: list[str]
    held_out: list[str]
    notes: list[str]
    parts: list[Part]
    doubtful: list[str]
    encoder: list[str]
    encoder_versions: dict[str, str]

    def settings(self, *sections: str) -> dict[str, Any]:
        """Return sections of the configuration: a rule reruns when one it names has changed."""
        return {name: self.config[name] for name in sections}

    @property
    def begins(self) -> bool:
        """Return whether there is not yet all that results are made from."""
        return self.stage != Stage.CODED

    @property
    def confirmed(self) -> bool:
        """Return whether any draw is unread, by which it is decided what tables lead with."""
        return UNREAD in self.states

    @property
    def goals(self) -> list[str]:
        """Return what a run makes that is not told what to make."""
        made = [str(RESULTS / MANIFEST), str(HEADLINE)]
        if self.begins:
            made = [str(FIRST_STEPS), *self.reading, *self.sheets]
        return made + page()

    @property
    def reading(self) -> list[str]:
        """Return the page of passages to be coded, while none is."""
        return [str(READING)] if self.stage == Stage.NO_CODINGS else []

    def words(self, *kinds: str) -> list[str]:
        """Return the tables of words of parts of some kinds, or of all."""
        return [f"{FOLDER}/{part.name}.npz" for part in self.parts if part.kind in (kinds or KINDS)]

    def hits(self, *kinds: str) -> list[str]:
        """Return the tables of hits of parts of some kinds, or of all."""
        return [f"{FOLDER}/{part.name}.tsv" for part in self.parts if part.kind in (kinds or KINDS)]

    @property
    def classifier(self) -> dict[str, Any]:
        """Return the classifier's settings but the encoder's, which no score and no model knows."""
        settings = self.config["classifier"].items()
        return {"classifier": {k: v for k, v in settings if not k.startswith("encoder")}}

    @property
    def closeness(self) -> dict[str, Any]:
        """Return the classifier's settings that decide how close words are to rules."""
        names = ("stem", "similarity_words", "similarity_pairs")
        return {"classifier": {name: self.config["classifier"][name] for name in names}}

    @property
    def embeddings(self) -> list[str]:
        """Return the table of embeddings, where an encoder is configured."""
        return [str(EMBEDDINGS)] if self.encoder else []

    @property
    def corpus(self) -> list[str]:
        """Return the corpus tables, and the records of draws and freezes where there are any."""
        lists = [path for path in (UNSAMPLED, HELD_OUT) if path.is_file()]
        tables = [str(path) for path in (SOURCES, PASSAGES, SAMPLE, *lists)]
        return tables + relative([*DRAWS.glob("[0-9]*/*"), *FREEZES.glob("[0-9]*/*")])

    @property
    def packed(self) -> list[str]:
        """Return what a package for a repository holds beside results: all they are made from."""
        beside = [Path(name) for name in BESIDE if Path(name).is_file()]
        records = [path for name in (RESPONSES, ALL_CODED) for path in CODINGS.glob(f"*/{name}")]
        more = [*Path("config").glob("*.yaml"), *beside, *shard_paths(), *records]
        made = [self.codebook, *page()]
        return sorted({*self.corpus, *self.codings, *made, *relative(more)})

    @property
    def codebook(self) -> str:
        """Return the codebook's file."""
        return str(CODEBOOK)


def plan(overrides: Mapping[str, Any]) -> Plan:
    """Return the plan of the project in the working directory.

    ``overrides`` are settings given on Snakemake's command line; top-level keys replace those of
    ``config/config.yaml``. Raises :class:`InputError` on absent files, on a wrong configuration,
    on a codebook or sources that do not go with it, on an encoder that is none and on files among
    codings that would be passed over. The first rules check all else. Where there are results to
    make, a digest of the rows of sampled sources is noted down in :data:`SAMPLED`, for rules that
    need no others, and what the parts of the facts are made from.
    """
    settle()
    needed = (CONFIG, CODEBOOK, SOURCES, PASSAGES, SAMPLE, CODERS)
    raise_if_any(
        Problem(path, "does not exist", "A project needs it: `framing init DIR` starts one.")
        for path in needed
        if not path.is_file()
    )
    config = load_config(CONFIG)
    if overrides:
        config = check_config({**config, **overrides}, CONFIG)
    codebook = written_codebook(CODEBOOK)
    variables = variables_of(codebook.codes)
    sources = read_sources(SOURCES, config["groups"])
    coders = read_coders(CODERS)
    known = list(coders["coder"])
    means = [one.name for one in variables if one.kind.ordered]
    ids = set(sources["source_id"])
    problems = cross_check(config, list(codebook.indicators), ids, CONFIG, known, means)
    problems += estimator_problems(config, CONFIG)
    instruments = instruments_of(settled("inference", config["inference"])["instrument"])
    tables = {path.stem for path in CODINGS.glob("*.tsv")}
    problems += instrument_problems(instruments, tables, config["coders"], CODINGS, CONFIG)
    problems += foreign_files(CODINGS) + earlier_problems()
    draws = read_draws(DRAWS)
    raise_if_any(problems)
    reading = project_reading(config, codebook, sources, draws)
    frame = frame_if_right(config, sources, draws, reading.states)
    encoder = config["classifier"].get("encoder", "")
    folders = [Path(folder) for folder in config["corpus"]["texts"]]
    stage = stage_of()
    sampled = sampled_sources(sources, frame)
    hand = texts_at_hand(config["corpus"]["texts"], sources["source_id"])
    rows = [row_digests(sources), row_digests(frame)]
    of_a_job = settled("corpus", config["corpus"])["job_passages"]
    parts = parts_of(sources, rows, sampled, hand, parts_by_kind(frame, sampled, of_a_job))
    found = Plan(
        stage=str(stage),
        config=config,
        codes=list(codebook.codes),
        traits=sorted(traits(variables, set(coders["kind"]))),
        instruments=instruments,
        coded=[str(path) for path in coded_files(instruments, CODINGS).values()],
        versions=installed(),
        texts=relative(path for folder in folders for path in folder.glob("*.txt")),
        derived=relative(shard_paths()),
        codings=[str(CODERS), *relative(CODINGS.glob("*.tsv"))],
        sheets=[str(path) for path in sheets(coders)] if stage is Stage.NO_CODINGS else [],
        caveat="; ".join(filter(None, [caveat_of(draws), *reading.caveats])),
        states=reading.states,
        looked=reading.sentences,
        held_out=awaiting(draws, reading.states),
        notes=reading.notes,
        parts=parts,
        doubtful=[str(PASSAGES_MADE)] if frame is None else [],
        encoder=relative(model_files(encoder)) if encoder else [],
        encoder_versions=installed(PACKAGES) if encoder else {},
    )
    if not found.begins:
        write_if_changed(SAMPLED, "".join(f"{rows_digest(own, sampled)}\n" for own in rows))
        note_down(parts)
    return found


def keep(found: Plan) -> None:
    """Note down the plan for jobs that run on other machines (:func:`kept`).

    Not while a run is at work here: its jobs read its own.
    """
    with suppress(InputError):
        handle = hold(Path())
        bare = replace(found, parts=[replace(part, sources=(), note="") for part in found.parts])
        write_text(KEPT, json.dumps(asdict(bare), ensure_ascii=False))
        if handle is not None:
            handle.close()


def kept() -> Plan:
    """Return the plan of the run that a job on another machine belongs to.

    Planned anew in every job, a run would read all tables and facts some hundred times, its jobs
    would wait for the lock that it holds, and write notes whose times Snakemake compares. Of parts
    there are the names alone. Raises :class:`InputError` where no plan can be read.
    """
    remedy = "Start the run again, and leave build/ alone until its end."
    plain = json_of(read_text(KEPT), KEPT, remedy)
    parts = [Part(one["kind"], one["number"], (), "") for one in plain["parts"]]
    return Plan(**plain | {"parts": parts})
