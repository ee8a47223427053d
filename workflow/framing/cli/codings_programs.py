"""``framing codings export``, and the import of projects of QDA programs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from framing.acquire.codings.check import State
    from framing.acquire.codings.options import Options
    from framing.acquire.codings.take_over import Account
    from framing.acquire.refi.project import Loss

SCORES = Path("build/scores.tsv")
EXPORT_EXAMPLES = """\
examples:
  framing codings export project.qdpx               texts with codings, coders, codes
  framing codings export project.qdpx --passages-only   only coded passages leave, one a document
  framing codings export codes.qdc                  the codebook alone
  framing codings export passages.csv               for R and others: every passage with its text,
                                  codes combined and by coder, probabilities after a run
  framing codings export passages.jsonl             the same for doccano: id, text, label

For .qdpx and .jsonl texts must be at hand; a .csv does without. What holds prose of sources is not
to be committed where that may not be. What a .qdpx does not carry is said at the end
(docs/refi-qda.md).
"""


def add_export(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add ``export`` to the commands of ``framing codings``."""
    parser = commands.add_parser(
        "export", parents=[common], help="write codings for QDA programs, R and doccano",
        description="Write codings, or the codebook, for other programs.",
        epilog=EXPORT_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("file", metavar="FILE", help="FILE.qdpx, .qdc, .csv or .jsonl")
    parser.add_argument("--coder", action="append", default=[], help="only this one; repeat it")
    parser.add_argument(
        "--passages-only", action="store_true", help="each coded passage as a document, no text"
    )
    parser.add_argument("--crlf", action="store_true", help="line ends of Windows, as NVivo counts")
    parser.add_argument("--replace", action="store_true", help="write over a file that is there")
    parser.set_defaults(run=export)


def imported(
    path: Path, options: Options, state: State, users: Sequence[str], *, read_all: bool
) -> Account:
    """Return what the import of a ``.qdpx`` does; see :mod:`framing.acquire.codings.qda`."""
    from dataclasses import replace

    from framing.acquire.codings import qda
    from framing.acquire.codings.options import check_options, pairs, settled
    from framing.acquire.codings.take_over import UNMATCHED, take_over
    from framing.acquire.read.settings import reading_settings
    from framing.acquire.refi.read import read_project

    limits = reading_settings({"reading": state.config.get("reading", {})})["reading"]["limits"]
    found = read_project(path, limits)
    mapped = qda.mapped_project(
        found, path, state, options.label, pairs("--user", users), read_all=read_all
    )
    rows = qda.rows_of(mapped, state.codebook.codes, path)
    own = replace(options, label={}, passage="", labels="", coders=(), coder_column="coder")
    own, _ = settled(own, rows, state.codebook.codes)
    check_options(own, rows, state.codebook.codes)
    account = take_over(rows, own, state)
    account.lines += qda.loss_lines(mapped.losses, "What the project holds and is not taken over:")
    account.problems += found.problems
    if not options.skip_unmatched:
        account.problems += qda.unplaced_problems(mapped, path)
    elif len(mapped.unplaced):
        account.lines.append(f"codings without a place, left out: {len(mapped.unplaced):,}")
        account.writes[UNMATCHED] = qda.unplaced_text(mapped)
        account.removals = [each for each in account.removals if each != UNMATCHED]
    return account


def export(arguments: argparse.Namespace) -> int:
    """Write the file that the command line asks for, say what it does not carry; return 0."""
    from framing.acquire.codings.project import state_of
    from framing.acquire.codings.qda import loss_lines
    from framing.common.files import write_bytes
    from framing.common.problems import InputError, Problem

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    target = here / arguments.file
    endings = (".qdpx", ".qdc", ".csv", ".jsonl")
    if target.suffix.lower() not in endings:
        raise InputError(
            Problem(arguments.file, f"has none of the endings {', '.join(endings)}",
                    "Name it after what it is to be: a project or a codebook of QDA programs, a "
                    "table, or lines for doccano.")
        )  # fmt: skip
    if not target.parent.is_dir():
        raise InputError(Problem(target.parent, "does not exist", "Make the folder first."))
    if target.exists() and not arguments.replace:
        raise InputError(Problem(target, "is there already", "Name another, or add --replace."))
    state = state_of()
    data, losses = _made(arguments, target.suffix.lower(), state)
    write_bytes(target, data)
    print(f"Written: {target}")
    for line in loss_lines(losses, "What it does not carry:"):
        print(line)
    return 0


def _made(arguments: argparse.Namespace, ending: str, state: State) -> tuple[bytes, Sequence[Loss]]:
    from framing.acquire.codings import qda
    from framing.acquire.refi.codebooks import codebook_bytes
    from framing.acquire.refi.write import CRLF, LF, project_bytes
    from framing.coding.codings import read_codings
    from framing.common.paths import CODERS, CODINGS
    from framing.common.problems import InputError, Problem
    from framing.common.versions import versions
    from framing.project.load import coded_of, waiting

    origin = f"framing {versions(['framing'])['framing']}"
    if ending == ".qdc":
        return codebook_bytes(state.codebook, origin)
    coders = list(state.coders["coder"])
    unknown = [name for name in arguments.coder if name not in coders]
    if unknown:
        known = ", ".join(coders) or "none"
        raise InputError(Problem(CODERS, f"has no coder {unknown[0]!r}", f"Coders: {known}."))
    left = waiting(state.draws, coded_of(state.draws) or ())
    codings = read_codings(CODINGS, coders, list(state.codebook.codes.values()), state.drawn, left)
    if arguments.coder:
        codings = codings[codings["coder"].isin(arguments.coder)]
    if ending in (".csv", ".jsonl"):
        return _table(ending, state, codings), []
    if codings.empty:
        raise InputError(Problem(CODINGS, "holds no coding", "Code passages first."))
    made = project_bytes(
        qda.exported(state, codings), qda.moment_of(state.config), origin,
        passages_only=arguments.passages_only, line_ends=CRLF if arguments.crlf else LF,
    )  # fmt: skip
    return made.data, made.losses


def _table(ending: str, state: State, codings: pd.DataFrame) -> bytes:
    from framing.acquire.codings import tidy
    from framing.common.build import read_scores
    from framing.common.problems import InputError, Problem
    from framing.sampling.draw import awaiting

    scores = read_scores(SCORES) if SCORES.is_file() else None
    if scores is not None:
        scores = scores[scores["code"].isin(state.codebook.indicators)]
    held_out = awaiting(state.draws, state.reading.states)
    texts = state.texts()
    if ending == ".jsonl" and not texts:
        folders = ", ".join(map(str, state.config["corpus"]["texts"])) or "no folder"
        raise InputError(
            Problem("corpus.texts", f"no text is at hand ({folders})", "Put the texts there, or "
                    "write a .csv, which does without.")
        )  # fmt: skip
    table = tidy.tidy_table(state, codings, scores, texts, held_out)
    if held_out:
        print(f"left out, as they wait for their codings: {len(held_out):,} passages")
    if ending == ".jsonl":
        table = table[table["text"] != ""]
        return tidy.labelling_lines(table, state.codebook.codes).encode("utf-8")
    return tidy.tidy_csv(table).encode("utf-8")
