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
  framing codings export tasks.json --for label-studio --to-code
                                  drawn passages that nobody has coded as tasks of Label Studio,
                                  and beside them tasks.xml, its labelling configuration

For .qdpx, .jsonl and .json texts must be at hand; a .csv does without. What holds prose of sources
is not to be committed where that may not be. What a .qdpx does not carry is said at the end
(docs/refi-qda.md).
"""


def add_export(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser
) -> None:
    """Add ``export`` to the commands of ``framing codings``."""
    parser = commands.add_parser(
        "export", parents=[common],
        help="write codings for QDA programs, R, doccano and Label Studio",
        description="Write codings, or the codebook, for other programs.",
        epilog=EXPORT_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("file", metavar="FILE", help="FILE.qdpx, .qdc, .csv, .jsonl or .json")
    parser.add_argument("--coder", action="append", default=[], help="only this one; repeat it")
    parser.add_argument(
        "--passages-only", action="store_true", help="each coded passage as a document, no text"
    )
    parser.add_argument("--crlf", action="store_true", help="line ends of Windows, as NVivo counts")
    parser.add_argument("--replace", action="store_true", help="write over a file that is there")
    studio = parser.add_argument_group("for Label Studio (.json or .jsonl)")
    studio.add_argument(
        "--for", dest="program", choices=["label-studio", "doccano"],
        help="which program reads a .jsonl (default: doccano); a .json is for label-studio",
    )  # fmt: skip
    studio.add_argument(
        "--to-code", action="store_true", help="only drawn passages that nobody has coded yet"
    )
    studio.add_argument(
        "--with-codings", action="store_true",
        help="with the codings there are: of people as annotations, of machines as predictions "
        "(without it coders see nothing of each other)",
    )  # fmt: skip
    studio.add_argument(
        "--user", action="append", default=[], metavar="CODER=ADDRESS",
        help="with --with-codings: which user of Label Studio a coder is; repeat it",
    )  # fmt: skip
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


def annotated(
    path: Path, options: Options, state: State, users: Sequence[str], *, predictions: bool
) -> Account:
    """Return what the import of annotations of Label Studio does.

    See :mod:`framing.acquire.codings.annotations`.
    """
    from framing.acquire.codings.annotations import read_tasks, taken
    from framing.acquire.codings.options import check_options, pairs
    from framing.acquire.codings.take_over import take_over
    from framing.acquire.settings import intake_settings
    from framing.common.problems import raise_if_any

    most = intake_settings(state.config.get("intake"))["table"]["bytes"]
    kinds = dict(zip(state.coders["coder"], state.coders["kind"], strict=True))
    codes = state.codebook.codes
    found = taken(read_tasks(path, most), path, options, codes, pairs("--user", users), kinds,
                  predictions=predictions)  # fmt: skip
    raise_if_any(found.problems)
    check_options(found.options, found.rows, codes)
    account = take_over(found.rows, found.options, state)
    account.lines[:0] = found.lines
    return account


def export(arguments: argparse.Namespace) -> int:
    """Write the file that the command line asks for, say what it does not carry; return 0."""
    from framing.acquire.codings.project import state_of
    from framing.acquire.codings.qda import loss_lines
    from framing.common.files import write_bytes
    from framing.common.problems import InputError, Problem, raise_if_any

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    target = here / arguments.file
    ending = target.suffix.lower()
    endings = (".qdpx", ".qdc", ".csv", ".jsonl", ".json")
    if ending not in endings:
        raise InputError(
            Problem(arguments.file, f"has none of the endings {', '.join(endings)}",
                    "Name it after what it is to be: a project or a codebook of QDA programs, a "
                    "table, lines for doccano, or tasks of Label Studio.")
        )  # fmt: skip
    if not target.parent.is_dir():
        raise InputError(Problem(target.parent, "does not exist", "Make the folder first."))
    studio = ending == ".json" or (ending == ".jsonl" and arguments.program == "label-studio")
    _fits(arguments, ending, studio=studio)
    paths = [target, *([target.with_suffix(".xml")] if studio else [])]
    raise_if_any(
        Problem(path, "is there already", "Name another, or add --replace.")
        for path in paths if path.exists() and not arguments.replace
    )  # fmt: skip
    state = state_of()
    losses: Sequence[Loss] = []
    if studio:
        made = _label_studio(arguments, ending, state)
    else:
        data, losses = _made(arguments, ending, state)
        made = [data]
    for path, data in zip(paths, made, strict=True):
        write_bytes(path, data)
    print(f"Written: {', '.join(map(str, paths))}")
    for line in loss_lines(losses, "What it does not carry:"):
        print(line)
    return 0


def _fits(arguments: argparse.Namespace, ending: str, *, studio: bool) -> None:
    """Raise :class:`InputError` where an option does not go with the file that is to be written."""
    from framing.common.problems import Problem, raise_if_any

    given = {"--to-code": arguments.to_code, "--with-codings": arguments.with_codings,
             "--user": bool(arguments.user)}  # fmt: skip
    problems = [
        Problem(name, "speaks of tasks of Label Studio, which are not to be written",
                "Leave it out, or add --for label-studio.")
        for name, there in given.items() if there and not studio
    ]  # fmt: skip
    if arguments.program == "doccano" and ending != ".jsonl":
        problems.append(Problem("--for doccano", f"does not go with {ending}",
                                "Write a .jsonl."))  # fmt: skip
    if arguments.program == "label-studio" and not studio:
        problems.append(Problem("--for label-studio", f"does not go with {ending}",
                                "Write a .json."))  # fmt: skip
    raise_if_any(problems)


def _codings(arguments: argparse.Namespace, state: State) -> pd.DataFrame:
    """Return codings of indicators, those of the coders who were asked for."""
    from framing.coding.codings import read_codings
    from framing.common.paths import CODERS, CODINGS
    from framing.common.problems import InputError, Problem
    from framing.project.load import coded_of, waiting
    from framing.sampling.draw import awaiting

    coders = list(state.coders["coder"])
    unknown = [name for name in arguments.coder if name not in coders]
    if unknown:
        known = ", ".join(coders) or "none"
        raise InputError(Problem(CODERS, f"has no coder {unknown[0]!r}", f"Coders: {known}."))
    left = waiting(state.draws, coded_of(state.draws) or ())
    codings = read_codings(CODINGS, coders, list(state.codebook.codes.values()), state.drawn, left)
    # Those of a draw that is held out are shown to nobody, either.
    hidden = awaiting(state.draws, state.reading.states)
    codings = codings[~codings["passage_id"].isin(hidden)].reset_index(drop=True)
    return codings[codings["coder"].isin(arguments.coder)] if arguments.coder else codings


def _made(arguments: argparse.Namespace, ending: str, state: State) -> tuple[bytes, Sequence[Loss]]:
    from framing.acquire.codings import qda
    from framing.acquire.refi.codebooks import codebook_bytes
    from framing.acquire.refi.write import CRLF, LF, project_bytes
    from framing.common.paths import CODINGS
    from framing.common.problems import InputError, Problem
    from framing.common.versions import versions

    origin = f"framing {versions(['framing'])['framing']}"
    if ending == ".qdc":
        return codebook_bytes(state.codebook, origin)
    codings = _codings(arguments, state)
    if ending in (".csv", ".jsonl"):
        return _table(ending, state, codings), []
    if codings.empty:
        raise InputError(Problem(CODINGS, "holds no coding", "Code passages first."))
    made = project_bytes(
        qda.exported(state, codings), qda.moment_of(state.config), origin,
        passages_only=arguments.passages_only, line_ends=CRLF if arguments.crlf else LF,
    )  # fmt: skip
    return made.data, made.losses


def _label_studio(arguments: argparse.Namespace, ending: str, state: State) -> list[bytes]:
    """Return the bytes of tasks and of the labelling configuration."""
    import pandas as pd

    from framing.acquire.codings import label_studio, tidy
    from framing.acquire.codings.options import pairs
    from framing.coding.codings import MACHINE, coded_passages
    from framing.common.paths import CODINGS
    from framing.common.problems import InputError, Problem
    from framing.sampling.draw import awaiting

    codes = state.codebook.codes
    codings = _codings(arguments, state) if arguments.with_codings else None
    drawn = set(state.drawn["passage_id"])
    if arguments.to_code:
        drawn -= coded_passages(CODINGS)
    else:
        drawn -= set(awaiting(state.draws, state.reading.states))
    texts = _texts(state)
    others = set(state.passages["passage_id"]) - drawn
    none = pd.DataFrame(columns=["passage_id", "coder", "code", "value", "unsure"])
    table = tidy.tidy_table(state, none, None, texts, others)
    if table.empty:
        raise InputError(Problem("the draws", "have no passage left to be coded",
                                 "Leave out --to-code, or draw further ones."))  # fmt: skip
    if lost := int((table["text"] == "").sum()):
        print(f"left out, as their texts are not at hand: {lost:,} passages")
    machines = state.coders.loc[state.coders["kind"] == MACHINE, "coder"]
    made = label_studio.tasks(
        table[table["text"] != ""], codings, codes, machines, pairs("--user", arguments.user)
    )
    text = label_studio.tasks_text(made, lines=ending == ".jsonl")
    return [text.encode("utf-8"), label_studio.configuration(codes).encode("utf-8")]


def _texts(state: State) -> dict[str, str]:
    """Return the texts at hand; raise :class:`InputError` where there are none."""
    from framing.common.problems import InputError, Problem

    texts = state.texts()
    if not texts:
        folders = ", ".join(map(str, state.config["corpus"]["texts"])) or "no folder"
        raise InputError(
            Problem("corpus.texts", f"no text is at hand ({folders})", "Put the texts there, or "
                    "write a .csv, which does without.")
        )  # fmt: skip
    return texts


def _table(ending: str, state: State, codings: pd.DataFrame) -> bytes:
    from framing.acquire.codings import tidy
    from framing.common.build import read_scores
    from framing.sampling.draw import awaiting

    scores = read_scores(SCORES) if SCORES.is_file() else None
    if scores is not None:
        scores = scores[scores["code"].isin(state.codebook.indicators)]
    held_out = awaiting(state.draws, state.reading.states)
    texts = _texts(state) if ending == ".jsonl" else state.texts()
    table = tidy.tidy_table(state, codings, scores, texts, held_out)
    if held_out:
        print(f"left out, as they wait for their codings: {len(held_out):,} passages")
    if ending == ".jsonl":
        table = table[table["text"] != ""]
        return tidy.labelling_lines(table, state.codebook.codes).encode("utf-8")
    return tidy.tidy_csv(table).encode("utf-8")
