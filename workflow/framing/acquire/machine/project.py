"""A project as a coder that is a program meets it: what it may code, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from framing.acquire.codings.check import State, result_problems
from framing.acquire.codings.kinds import counted, first_three, of_a_kind
from framing.acquire.codings.options import Options, coder_problems
from framing.acquire.codings.write import coder_file, coders_text
from framing.acquire.machine.prompt import Passage
from framing.acquire.machine.record import (
    Entry,
    answered,
    record_problems,
    responses_file,
)
from framing.acquire.machine.tables import FIRST, coded_text, coder_text, models
from framing.coding.codings import ALL_CODED, HUMAN, MACHINE, NOT_CODED
from framing.common.files import read_table, read_text
from framing.common.paths import CODERS
from framing.common.problems import InputError, Problem, raise_if_any
from framing.sampling.roles import PENDING, known_to


@dataclass(frozen=True)
class Choice:
    """Which passages are to be coded, in order; which wait, and why, a line a draw."""

    names: Sequence[str]
    waiting: frozenset[str]
    remarks: Sequence[str] = ()


def chosen(state: State, *, every: bool) -> Choice:
    """Return the passages that may be coded: those of draws, or with ``every`` all of the corpus.

    Passages of a confirmation draw without codings wait until a freeze knows the draw and stands:
    codes that came earlier would count as read.
    """
    frozen = state.reading.frozen
    waiting: set[str] = set()
    remarks = []
    tallies = {one.tally.number: one for one in state.reading.statuses}
    for draw in state.draws:
        one = tallies[draw.number]
        if one.state != PENDING:
            continue
        if frozen is not None and known_to(one.tally, frozen) and frozen.stands:
            continue
        why = "nothing is frozen that knows it" if frozen is None or frozen.stands else (
            f"what was frozen has changed since ({frozen.changes})"
        )  # fmt: skip
        own = list(draw.drawn["passage_id"])
        waiting |= set(own)
        remarks.append(
            f"left out: {counted(len(own), 'passage')} of the confirmation draw {draw.number}, as "
            f"{why}; run `framing freeze` first, and commit it"
        )
    names = state.passages if every else state.drawn
    kept = [name for name in names["passage_id"] if name not in waiting]
    return Choice(kept, frozenset(waiting), remarks)


def passages_of(
    state: State, names: Sequence[str], show: Sequence[str]
) -> tuple[list[Passage], list[str]]:
    """Return passages with their texts, and the ids of those whose text is not at hand.

    ``show`` are columns of sources that are shown with them. Raises :class:`InputError` where a
    text at hand is not the one that passages were cut from.
    """
    texts = state.texts()
    sources = state.sources.set_index("source_id")
    rows = state.passages.set_index("passage_id").loc[list(names)]
    found, absent = [], []
    for name, row in zip(rows.index, rows.itertuples(), strict=True):
        source = str(row.source_id)
        if source not in texts:
            absent.append(str(name))
            continue
        about = tuple((column, str(sources.loc[source, column])) for column in show)
        found.append(Passage(str(name), texts[source][int(row.start) : int(row.end)], about))
    return found, absent


def absent_problems(state: State, absent: Sequence[str]) -> list[Problem]:
    """Return the problem that passages have no text at hand, which programs are to read."""
    rows = state.passages[state.passages["passage_id"].isin(list(absent))]
    sources = list(dict.fromkeys(rows["source_id"]))
    folders = ", ".join(map(str, state.config["corpus"]["texts"]))
    return of_a_kind(
        "corpus.texts", "{} to be coded, but without text at hand, of the sources "
        f"{first_three(sources)}", [*map(repr, absent)],
        f"Put the texts there ({folders}), or leave the passages out: --skip-absent.", "passage",
    )  # fmt: skip


def known_problems(state: State, coder: str, entries: Sequence[Entry]) -> list[Problem]:
    """Return why ``coder`` cannot be a program, or its record cannot be read by the codebook."""
    problems = coder_problems([coder], "--coder")
    if problems:
        return problems
    rows = state.coders[state.coders["coder"] == coder]
    if len(rows) and rows["kind"].iloc[0] == HUMAN:
        problems.append(
            Problem(CODERS, f"says that the coder {coder!r} is human, and a program is none",
                    "Give another name: --coder NAME.")
        )  # fmt: skip
    path = coder_file(coder)
    if path.is_file() and not entries:
        problems.append(
            Problem(path, "holds codings that no record of answers is behind",
                    "Give another name: --coder NAME.")
        )  # fmt: skip
    return problems + record_problems(entries, state.codebook.codes, responses_file(coder))


@dataclass
class Result:
    """What a record makes of a project: files to be written, what a run would say, remarks."""

    writes: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def result_of(
    state: State, coder: str, entries: Sequence[Entry], describe: str, *, table: bool
) -> Result:
    """Return what the record of a coder makes of the project in the working directory.

    ``coded.tsv`` always, with every passage; with ``table`` the coder's table and row, if a run
    would take them: else ``problems`` says why not. Of a pending confirmation draw the table has
    all passages or none. Raises :class:`InputError` where the coder's row cannot be made.
    """
    codes, result = state.codebook.codes, Result()
    path = responses_file(coder).with_name(ALL_CODED)
    result.writes[path] = coded_text(entries, codes, list(state.passages["passage_id"]))
    if table:
        _put_table(result, state, coder, entries, describe)
    result.writes = {
        path: text
        for path, text in result.writes.items()
        if not path.is_file() or read_text(path) != text
    }
    return result


def _put_table(
    result: Result, state: State, coder: str, entries: Sequence[Entry], describe: str
) -> None:
    codes = state.codebook.codes
    left_out, result.remarks = _in_part(state, entries)
    order = [name for name in state.drawn["passage_id"] if name not in left_out]
    text = coder_text(entries, coder, codes, order)
    raise_if_any(_edited(coder, text, list(codes)))
    known = {(name, FIRST) for name in order} & set(answered(entries))
    if not known:
        result.remarks.append("no drawn passage was answered, so there is no coder's table yet")
        return
    named = models(entries)
    if len(named) > 1:
        result.remarks.append(f"the server named several models: {', '.join(named)}")
    there = coder in set(state.coders["coder"])
    options = Options(kind=MACHINE, model="" if there else "; ".join(named),
                      describe="" if there else describe)  # fmt: skip
    version = str(state.codebook.version)
    coders, _, problems = coders_text(state.coders, [coder], options, version)
    raise_if_any(problems)
    writes = {CODERS: coders, coder_file(coder): text}
    result.problems, sentences = result_problems(state, writes, {name for name, _ in known})
    result.remarks += sentences
    if not result.problems:
        result.writes |= writes


def _in_part(state: State, entries: Sequence[Entry]) -> tuple[set[str], list[str]]:
    """Return passages of pending draws that are answered in part only, and a remark a draw."""
    known = answered(entries)
    left_out: set[str] = set()
    remarks = []
    waiting = chosen(state, every=False).waiting
    for draw, what in zip(state.draws, state.reading.states, strict=True):
        own = list(draw.drawn["passage_id"])
        left = [name for name in own if (name, FIRST) not in known]
        if what != PENDING or not (left or set(own) & waiting):
            continue
        left_out |= set(own)
        if 0 < len(left) < len(own):
            remarks.append(
                f"the confirmation draw {draw.number} joins the table as a whole: of "
                f"{counted(len(own), 'passage')} {len(left)} are left to be asked"
            )
    return left_out, remarks


def _edited(coder: str, text: str, codes: Sequence[str]) -> list[Problem]:
    """Return the codings of a coder's table that its record has otherwise: made by other hands."""
    path = coder_file(coder)
    if not path.is_file():
        return []
    columns = ["passage_id", "coder", *codes, "unsure"]
    there = read_table(path, columns)
    header, *lines = (line.split("\t") for line in text.splitlines())
    now: Mapping[str, dict[str, str]] = {
        line[0]: dict(zip(header, line, strict=True)) for line in lines
    }
    differing = [
        f"{row['passage_id']!r} has {code} {row[code]}"
        for row in there.to_dict("records")
        for code in codes
        if row[code] != NOT_CODED and now.get(row["passage_id"], {}).get(code) != row[code]
    ]
    return of_a_kind(
        path, "has {} that the record of answers has otherwise", differing,
        "It is made from the record alone: move it away, and it is made anew (--from-record).",
        "coding",
    )  # fmt: skip


def check_coder(coder: str) -> None:
    """Raise :class:`InputError` where a name cannot be a coder's: files are named after it."""
    found = coder_problems([coder], "--coder")
    if found:
        raise InputError(found)
