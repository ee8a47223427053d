"""Taking over codings: from rows and options to files that are to be written, and an account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from framing.acquire.codings.check import State, result_problems
from framing.acquire.codings.kinds import counted, first_three, of_a_kind
from framing.acquire.codings.match import (
    AMBIGUOUS,
    CHANGED_ID,
    NO_PASSAGE,
    TWO_PASSAGES,
    WAYS,
    Found,
    Passages,
    match,
    passages_of,
)
from framing.acquire.codings.nearest import nearest
from framing.acquire.codings.options import Options, coder_problems
from framing.acquire.codings.read import Rows
from framing.acquire.codings.tabulate import codings_of
from framing.acquire.codings.write import (
    Joined,
    coder_file,
    coders_text,
    joined,
    unmatched_text,
    without_model,
)
from framing.codebook.codes import Code
from framing.coding.codings import NOT_CODED
from framing.common.files import read_text
from framing.common.paths import CODERS
from framing.common.problems import InputError, Problem

UNMATCHED = Path("build/codings-unmatched.tsv")


@dataclass
class Account:
    """What an import does: lines to be said, what is wrong, what is to be written and removed.

    With ``problems`` nothing is to be written.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    writes: dict[Path, str] = field(default_factory=dict)
    removals: list[Path] = field(default_factory=list)


def take_over(rows: Rows, options: Options, state: State) -> Account:
    """Return what the import of ``rows`` does to the project in the working directory.

    ``options`` are settled and checked (:mod:`framing.acquire.codings.options`). Raises
    :class:`InputError` where texts at hand are not those that passages were cut from, or a coder's
    file is no table of codings.
    """
    account = Account()
    known = _passages(rows, options, state)
    found = match(rows, options, known)
    names = _coders(rows, options)
    account.problems += coder_problems([name for name in names if name], rows.place)
    nameless = [rows.at(row) for row, name in enumerate(names) if not name]
    account.problems += of_a_kind(rows.place, "no coder in {}", nameless, "Fill the column in.")
    unmatched = [row for row, one in enumerate(found) if one.failure in (NO_PASSAGE, AMBIGUOUS)]
    drawn = list(state.drawn["passage_id"])
    inside = set(drawn)
    undrawn = [row for row, one in enumerate(found) if one.passage and one.passage not in inside]
    near = nearest(rows, options, found, known)
    account.problems += _match_problems(rows, options, found, near, known)
    account.problems += _undrawn_problems(rows, options, found, undrawn)
    account.lines += _left_aside(rows, options, bool(unmatched))
    account.lines += _counts(rows, found, unmatched, undrawn)
    kept = [row for row, one in enumerate(found) if one.passage in inside and names[row]]
    if not kept:
        if not account.problems:
            account.problems.append(Problem(rows.place, "has no row on a drawn passage",
                                            "Look at the options and at the file."))  # fmt: skip
        return account
    keys = pd.DataFrame(
        {"passage_id": [found[row].passage for row in kept], "coder": [names[row] for row in kept]},
        index=kept,
    )
    codings, repeats, problems = codings_of(rows, options, state.codebook.codes, keys)
    account.problems += problems
    account.lines.append(f"rows that repeat others: {repeats:,}")
    if not problems:
        _join(account, codings, rows, options, state, drawn)
    if unmatched and options.skip_unmatched:
        account.writes[UNMATCHED] = unmatched_text(_left_out(rows, options, found, unmatched, near))
    elif UNMATCHED.is_file():
        account.removals.append(UNMATCHED)
    return account


def _join(
    account: Account, codings: pd.DataFrame, rows: Rows, options: Options, state: State,
    drawn: Sequence[str],
) -> None:  # fmt: skip
    """Put codings with those that are there, check what comes of it, and note all of it down."""
    coders = list(dict.fromkeys(codings["coder"]))
    texts: dict[Path, str] = {}
    version = str(state.codebook.version)
    texts[CODERS], new, problems = coders_text(state.coders, coders, options, version)
    for coder in coders:
        own = codings[codings["coder"] == coder]
        one = joined(coder, own, state.codes, drawn, rows, options.replace)
        texts[coder_file(coder)] = one.text
        problems += one.problems
        head = f"{coder}{f' (new, {options.kind})' if coder in new and options.kind else ''}"
        account.lines += _told(head, len(own), one, state.codebook.codes)
    account.lines += without_model(new, options)
    if not problems and not account.problems:
        found, sentences = result_problems(state, texts, set(codings["passage_id"]))
        problems += found
        account.lines += sentences
    account.problems += problems
    account.writes |= {
        path: text for path, text in texts.items() if not path.is_file() or read_text(path) != text
    }


def _told(head: str, passages: int, one: Joined, codes: Mapping[str, Code]) -> list[str]:
    lines = [f"{head}: {counted(passages, 'passage')}, codings new {one.new:,}, there already "
             f"{one.same:,}, different {one.replaced:,}"]  # fmt: skip
    for name, counts in one.counts.items():
        code = codes[name]
        if code.kind.present:
            absent, present = (counts.get(cell, 0) for cell in code.cells)
            parts = [f"{present:,} yes", f"{absent:,} no"]
        else:  # a number may be a level's name, so that the count stands behind it
            parts = [f"{cell} {counts.get(cell, 0):,}" for cell in code.cells]
        lines.append(f"  {name}: {', '.join(parts)}, {counts.get(NOT_CODED, 0):,} not coded")
    return lines


def _coders(rows: Rows, options: Options) -> list[str]:
    """Return who coded each row."""
    if options.coder_column:
        return list(rows.cells[options.coder_column])
    names = options.coders if len(options.coders) > 1 else options.coders * len(rows.files)
    return [names[file] for file in rows.file]


def _passages(rows: Rows, options: Options, state: State) -> Passages:
    """Return the passages, with texts only where a row is to be found by its text."""
    texts: Mapping[str, str] = {}
    if options.text:
        texts = state.texts()
        if not texts and not options.passage and not options.source:
            folders = ", ".join(map(str, state.config["corpus"]["texts"])) or "no folder"
            raise InputError(
                Problem(rows.place, "is to be matched by text, but no text of the corpus is at "
                        f"hand (corpus.texts: {folders})",
                        "Give ids (--passage COLUMN) or offsets (--source, --start, --end); or put "
                        "the texts there.")
            )  # fmt: skip
    return passages_of(state.passages, texts, state.sources)


# --- what is said of rows without a passage -------------------------------------------------------


def _match_problems(
    rows: Rows, options: Options, found: Sequence[Found],
    near: Mapping[int, tuple[str, float]], known: Passages,
) -> list[Problem]:  # fmt: skip
    kinds: dict[str, list[str]] = {}
    for row, one in enumerate(found):
        if one.failure:
            kinds.setdefault(one.failure, []).append(_spot(rows, row, one, near))
    problems = of_a_kind(
        rows.place, "ids have been turned into numbers in {}", kinds.get(CHANGED_ID, []),
        "A spreadsheet (or pandas, R) took ids such as 07543209e8 for numbers: format the column "
        "as text before the ids are put in, put them in anew, and save again (read_csv: "
        "dtype=str).",
    )  # fmt: skip
    problems += of_a_kind(
        rows.place, "id and offsets name two passages in {}", kinds.get(TWO_PASSAGES, []),
        "Correct one of the two, or do not give the options for it.",
    )  # fmt: skip
    if options.skip_unmatched:
        return problems
    hint = ""
    if options.text and known.absent:
        hint = (
            f" Texts of {counted(known.absent, 'source')} are not at hand; ids or offsets would do."
        )
    skip = f"or leave them out: --skip-unmatched (they are then listed in {UNMATCHED}).{hint}"
    problems += of_a_kind(
        rows.place, "no passage fits {}", kinds.get(NO_PASSAGE, []), f"Correct them, {skip}"
    )
    return problems + of_a_kind(
        rows.place, "several passages fit {}", kinds.get(AMBIGUOUS, []),
        f"Give ids (--passage COLUMN) or the source (--source COLUMN), {skip}",
    )  # fmt: skip


def _spot(rows: Rows, row: int, one: Found, near: Mapping[int, tuple[str, float]]) -> str:
    told = f"{rows.at(row)}, {one.why}"
    if one.failure == CHANGED_ID and one.candidates:
        return f"{told} for {' or '.join(map(repr, one.candidates[:3]))}"
    if row in near:
        name, similarity = near[row]
        return f"{told} (nearest: {name!r}, similarity {similarity:.2f})"
    return told


def _undrawn_problems(
    rows: Rows, options: Options, found: Sequence[Found], undrawn: Sequence[int]
) -> list[Problem]:
    if options.skip_undrawn:
        return []
    return of_a_kind(
        rows.place, "no draw took the passage of {}",
        [f"{rows.at(row)} {found[row].passage!r}" for row in undrawn],
        "Only drawn passages count: correct them, or leave them out: --skip-undrawn.",
    )  # fmt: skip


def _left_aside(rows: Rows, options: Options, unmatched: bool) -> list[str]:
    """Return what a person may not be aware of: columns nobody asked for, and what is inferred."""
    unused = [name for name in rows.header if name not in options.columns]
    lines = [f"columns that are not used: {', '.join(unused)}"] if unused else []
    if unmatched and options.skip_unmatched and options.absent:
        lines.append("a row without a passage may have held a label that its passage is now said "
                     "to lack (--absent): look at the list")  # fmt: skip
    return lines


def _counts(
    rows: Rows, found: Sequence[Found], unmatched: Sequence[int], undrawn: Sequence[int]
) -> list[str]:
    ways = Counter(one.way for one in found if one.way)
    told = ", ".join(f"{ways[way]:,} {way}" for way in WAYS if ways[way]) or "0"
    lines = [
        f"rows read: {len(found):,} of {counted(len(rows.files), 'file')}",
        f"rows matched: {told}",
        f"rows without a passage: {len(unmatched):,}",
        f"rows on passages not drawn: {len(undrawn):,}",
    ]
    if undrawn:
        spots = [f"{rows.at(row)} {found[row].passage!r}" for row in undrawn]
        lines[-1] += f" ({first_three(spots)})"
    return lines


def _left_out(
    rows: Rows, options: Options, found: Sequence[Found], unmatched: Sequence[int],
    near: Mapping[int, tuple[str, float]],
) -> pd.DataFrame:  # fmt: skip
    """Return the rows without a passage: where they stand, what they say, why, and the nearest."""
    names = ("passage", "source", "start", "end", "text")
    cells = {name: rows.cells[getattr(options, name)] for name in names if getattr(options, name)}
    return pd.DataFrame(
        [
            {
                "file": rows.files[rows.file[row]].name,
                "line": rows.line[row],
                **{name: column.iloc[row] for name, column in cells.items()},
                "why": found[row].why,
                "nearest": near[row][0] if row in near else "",
                "similarity": near[row][1] if row in near else None,
            }
            for row in unmatched
        ]
    )
