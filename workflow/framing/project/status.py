"""The beginning of a project: how far it has come, what is next, and sheets for coders.

Before there are codings a run of the workflow has no results to make. It then writes a page of
first steps, and, once passages are drawn, what coders need. All of it goes to ``build/``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from framing.codebook.codebook import Codebook
from framing.codebook.hits import cue_and_pattern
from framing.coding.codings import CODER_COLUMNS, NOT_CODED
from framing.common.files import read_table
from framing.common.paths import CODERS, CODINGS, PASSAGES, SAMPLE, SOURCES
from framing.common.problems import InputError
from framing.corpus.derived import Facts
from framing.corpus.tables import period_of
from framing.corpus.texts import read_canonical, texts_at_hand
from framing.project.freeze_records import read_freezes
from framing.project.load import Project, to_be_coded
from framing.sampling.draw import DRAWS
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT

FIRST_STEPS = Path("build/first-steps.md")
TO_CODE = Path("build/to-code")
READING = TO_CODE / "passages.md"
"""The passages to be coded, with their prose where it is at hand: so never outside ``build/``."""

_FIRST_DRAW = 200  # passages suggested for the first draw, where there are as many


class Stage(StrEnum):
    """What a project lacks next, or ``CODED`` where there are codings and results can be made."""

    NO_TEXTS = "no texts"
    NO_SAMPLE = "no sample"
    NO_CODINGS = "no codings"
    CODED = "coded"


def stage_of() -> Stage:
    """Return how far the project in the working directory has come, by which tables have rows.

    An empty table where a later one is filled is no beginning but a defect. Such a project counts
    as coded: whatever reads it says what is wrong.
    """
    filled = [_has_rows(path) for path in (SOURCES, PASSAGES, SAMPLE)]
    drawn = any(DRAWS.glob("[0-9]*"))
    if any(_has_rows(path) for path in CODINGS.glob("*.tsv")):
        return Stage.CODED
    if not any(filled) and not drawn:
        return Stage.NO_TEXTS
    if filled == [True, True, False] and not drawn:
        return Stage.NO_SAMPLE
    return Stage.NO_CODINGS if all(filled) else Stage.CODED


def _has_rows(path: Path) -> bool:
    # Bytes, as a file that is no text is for others to refuse.
    return path.is_file() and len(path.read_bytes().splitlines()) > 1


# --- what is there, and what is next --------------------------------------------------------------


def standing(project: Project) -> str:
    """Return in a line what the project has."""
    codebook = project.codebook
    parts = [
        _counted(len(codebook.codes), "code"),
        _counted(len(codebook.cues), "cue"),
        _counted(len(project.sources), "source"),
        _counted(len(project.passages), "passage"),
        f"{len(to_be_coded(project.sample, project.draws))} drawn for coding",
        _counted(len(project.coders), "coder"),
    ]
    return ", ".join(parts)


def next_steps(project: Project, stage: Stage) -> list[str]:
    """Return what to do next, a step a string; commands stand on indented lines of their own."""
    if stage is Stage.NO_TEXTS:
        group = next(iter(project.config["groups"]), "GROUP")
        return [
            "Name what you compare: `groups` and `periods` in `config/config.yaml`. Write what you "
            "code into `corpus/codebook/codebook.yaml`; both can still change later.",
            "Let texts join, files, folders, web pages or a table of them, each with its group:"
            + _command(f'framing add FILE --title "A TITLE" --group {group} --date 2014-05-02')
            + _command("framing add --help"),
            _RUN_AGAIN,
        ]
    if stage is Stage.NO_SAMPLE:
        size = min(_FIRST_DRAW, len(project.passages))
        return [
            f"Look at the tables in `{FIRST_STEPS}`. A cue that hits nothing, or nearly all, needs "
            "another look (after a change: `framing derive`). Texts that are still missing are "
            "added now, so that they can be drawn.",
            "Draw the passages to be coded, at random. SEED is a whole number that chance gave you "
            "(throw dice), or one that was fixed before:"
            + _command(
                f"framing sample --size {size} --strata group --seed SEED --role {DEVELOPMENT}"
            )
            + "\n\n   This draw is yours to read: codebook, cues and settings are written from it. "
            "Numbers hold although somebody looked once a second draw confirms them, which nobody "
            "sees before everything is final: `framing freeze`, then `framing sample --supplement "
            f"--role {CONFIRMATION}`. How many passages a wished precision needs, `framing plan` "
            "says once there are codings.",
            _RUN_AGAIN,
        ]
    if stage is Stage.NO_CODINGS and _confirming(project) and not read_freezes():
        return [
            "The draw is for confirmation: finish codebook, cues, settings and theses, then freeze "
            "them and commit the freeze, before anybody codes:" + _command("framing freeze"),
            _RUN_AGAIN,
        ]
    if stage is Stage.NO_CODINGS and project.coders.empty:
        row = ("ann", "human", project.codebook.version, "trained on thirty other passages")
        return [
            f"Say who codes: a row for each coder in `{CODERS}`, fields parted by tabs. "
            "`kind` is `human` or `machine` (a program or a language model):"
            + _command("\t".join(CODER_COLUMNS))
            + _command("\t".join(row)),
            f"{_RUN_AGAIN} It writes a sheet for each of them. The passages can be read already: "
            f"`{READING}`.",
        ]
    if stage is Stage.NO_CODINGS:
        copies = "".join(
            _command(f"cp {sheet} {CODINGS / sheet.name}") for sheet in sheets(project.coders)
        )
        return [
            f"Read the rules in `corpus/codebook/codebook.md` and the passages in `{READING}`.",
            f"Copy the sheet of each coder and fill in the copy:{copies}\n\n"
            f"   {_cells_in_words(project.codebook)}; `unsure` is 1 "
            "where a second careful coder could well decide otherwise. Every drawn passage needs "
            "at least one coder; with two or more their agreement is measured. A spreadsheet must "
            "read `passage_id` as text and save with tabs, as UTF-8 with LF line ends.",
            "Ask whether all is filled in, then make the results:"
            + _command("framing check")
            + f"\n\n   {_RUN_AGAIN}",
        ]
    return [_RUN_AGAIN]


def _cells_in_words(codebook: Codebook) -> str:
    """Return what may stand in the cells of a coder's sheet, by kinds of codes."""
    plain = any(code.kind.present for code in codebook.codes.values())
    levels = [f"for `{name}` one of {', '.join(code.cells)}"
              for name, code in codebook.codes.items() if not code.kind.present]  # fmt: skip
    if not levels:
        return f"For each code 1 (present), 0 (absent) or {NOT_CODED} (not coded)"
    parts = [*(["for each yes/no code 1 (present) or 0 (absent)"] if plain else []), *levels]
    told = f"{'; '.join(parts)}; {NOT_CODED} (not coded) for any"
    return told[0].upper() + told[1:]


_RUN_AGAIN = "Run `snakemake` again."


def _confirming(project: Project) -> bool:
    return any(draw.role == CONFIRMATION for draw in project.draws)


def _command(line: str) -> str:
    return f"\n\n       {line}"


def first_steps(project: Project, facts: Sequence[Facts], stage: Stage) -> str:
    """Return the page of first steps, as Markdown: what there is, in two tables, and what is next.

    ``facts`` are the derived facts of all sources.
    """
    parts = [
        f"# First steps: {project.config['project']['title']}",
        f"So far: {standing(project)}. There are no results yet.",
    ]
    if len(project.passages):
        parts += ["## Sources and passages", _table(*_corpus_rows(project), left=2)]
        if project.codebook.cues:
            parts += [
                "## Passages that each cue hits",
                _table(*_cue_rows(project, facts), left=1),
            ]
    steps = next_steps(project, stage)
    parts.append("## Next")
    parts += [f"{number}. {step}" for number, step in enumerate(steps, start=1)]
    parts.append(
        "Commands run in the project's directory; from elsewhere, add `--directory DIR` to them."
    )
    return "\n\n".join(parts) + "\n"


def _corpus_rows(project: Project) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: sources and passages of every group and period that has any."""
    config, frame = project.config, project.frame
    periods = [*(str(one["id"]) for one in config["periods"]), str(config["undated"])]
    of_source = pd.DataFrame(
        {
            "group": project.sources["group"],
            "period": [
                period_of(date, config["periods"], str(config["undated"]))
                for date in project.sources["date"]
            ],
        }
    )
    rows = []
    for group, label in config["groups"].items():
        cells = []
        for period in periods:
            sources, passages = (
                int(((table["group"] == group) & (table["period"] == period)).sum())
                for table in (of_source, frame)
            )
            if sources:
                cells.append([label, period, str(sources), str(passages)])
        rows += cells or [[label, "", "0", "0"]]
    rows.append(["all", "", str(len(of_source)), str(len(frame))])
    return ["group", "period", "sources", "passages"], rows


def _cue_rows(project: Project, facts: Sequence[Facts]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: how many passages of each group a cue of the codebook hits."""
    groups = project.config["groups"]
    group_of = dict(zip(project.sources["source_id"], project.sources["group"], strict=True))
    hits = {cue.name: dict.fromkeys(groups, 0) for cue in project.codebook.cues}
    for one in facts:
        for passage in one["passages"]:
            for cue in {cue_and_pattern(key)[0] for key in passage["hits"]}:
                hits[cue][group_of[one["source_id"]]] += 1
    rows = [[cue, *map(str, row.values()), str(sum(row.values()))] for cue, row in hits.items()]
    sizes = project.frame["group"].value_counts()
    total = ["(passages)", *(str(sizes.get(group, 0)) for group in groups), str(len(project.frame))]
    return ["cue", *groups.values(), "all"], [*rows, total]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], *, left: int) -> str:
    """Return a Markdown table, aligned in its source too: ``left`` columns, the rest at right."""
    table = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[place]) for row in table)) for place in range(len(header))]
    lines = [
        [
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in table
    ]
    rule = [
        "-" * width if place < left else "-" * (width - 1) + ":"
        for place, width in enumerate(widths)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


# --- for coders -----------------------------------------------------------------------------------


def sheets(coders: pd.DataFrame) -> list[Path]:
    """Return where the sheet of each coder lies."""
    return [TO_CODE / f"{coder}.tsv" for coder in coders["coder"]]


def blank_sheet(project: Project, coder: str) -> pd.DataFrame:
    """Return a coder's file of codings with no code filled in, and nothing marked as unsure."""
    drawn = to_be_coded(project.sample, project.draws)
    return drawn.assign(coder=coder, **dict.fromkeys(project.codebook.codes, ""), unsure="0")


def is_begun(path: Path, codebook: Codebook) -> bool:
    """Return whether somebody has filled in something in a sheet, or changed it past reading."""
    if not path.is_file():
        return False
    try:
        frame = read_table(path, ["passage_id"], extra=True)
    except InputError:
        return True
    codes = [name for name in codebook.codes if name in frame.columns]
    return bool((frame[codes] != "").any(axis=None))


def reading_list(project: Project, read: Callable[[str], str | None]) -> str:
    """Return the passages to be coded as a Markdown page, in the order of the sheets.

    ``read`` returns a source's canonical text, or None where that is not at hand. Of a source only
    what coders may know is shown: who speaks, and when.
    """
    sources = project.sources.set_index("source_id")
    passages = project.passages.set_index("passage_id")
    texts: dict[str, str | None] = {}
    drawn = list(to_be_coded(project.sample, project.draws)["passage_id"])
    parts = [
        f"# Passages to be coded: {project.config['project']['title']}",
        f"{_counted(len(drawn), 'passage')}, in the order of the sheets. This page may hold prose "
        "that cannot be passed on: it stays here, in `build/`.",
        *_levels_in_words(project.codebook),
    ]
    for number, name in enumerate(drawn, start=1):
        start, end, source_id = passages.loc[name, ["start", "end", "source_id"]]
        if source_id not in texts:
            texts[source_id] = read(source_id)
        text = texts[source_id]
        source = sources.loc[source_id]
        about = ", ".join(filter(None, [source["speaker"], source["date"]]))
        parts.append(f"## {number}. {name}" + (f"\n\n{about}" if about else ""))
        parts.append(
            f"The text of {source_id} is not at hand; this is its part from {start} to {end} "
            f"(characters). {source['url']}".rstrip()
            if text is None
            else "\n".join(f"> {line}".rstrip() for line in text[start:end].split("\n"))
        )
    return "\n\n".join(parts) + "\n"


def _levels_in_words(codebook: Codebook) -> list[str]:
    """Return the levels of codes that have some as Markdown lists, none where all are yes/no."""
    parts = []
    for name, code in codebook.codes.items():
        if code.kind.present:
            continue
        rows = [f"- {level.name}" + (f": {level.label}" if level.label != level.name else "")
                + (f". {level.definition}" if level.definition else "")
                for level in code.levels]  # fmt: skip
        parts += [f"`{name}` is one of:", "\n".join(rows)]
    return parts


def text_reader(config: Mapping[str, Any], project: Project) -> Callable[[str], str | None]:
    """Return a function from a source's id to its text, None where that is not at hand.

    It raises :class:`InputError` where the text is not the one whose passages are frozen.
    """
    hand = texts_at_hand(config["corpus"]["texts"], project.sources["source_id"])
    digests = dict(zip(project.sources["source_id"], project.sources["sha256"], strict=True))
    return lambda name: read_canonical(hand[name], digests[name]) if name in hand else None
