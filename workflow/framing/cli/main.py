"""The command ``framing``: what one does around a run of the workflow."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from framing.cli import (
    add,
    adjudicate,
    change,
    check_table,
    cite,
    classify,
    code,
    codebook,
    codings,
    cues,
    diff,
    explain,
    explore,
    fetch,
    freeze,
    init,
    plan,
    publish,
    sample,
    score,
)
from framing.common.config import SCHEMAS, load_config
from framing.common.files import unusable
from framing.common.pipes import reader_left
from framing.common.problems import InputError, Problem
from framing.project.lock import settle

_EPILOG = """\
A project is a directory with config/config.yaml, corpus/ and, after a run, results/.
The results themselves are made by `snakemake` (in another directory: `snakemake --directory DIR`).

a usual round:
  1. framing add FILE    reads a text, cuts it into passages, and lets it join the corpus
  2. framing check       says everything that is wrong with the corpus
  3. snakemake           makes the tables anew; results/changes.md says what moved
  4. framing verify      proves that they can be made again, byte for byte

exit status: 0 done; 1 problems found, or results differ; 2 wrong usage
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="framing",
        description="From a codebook to a citable number: how a body of texts frames a relation.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--directory", "-d", type=Path, default=Path(), metavar="DIR",
        help="the project directory (default: the current one)",
    )  # fmt: skip
    check = commands.add_parser(
        "check", parents=[common], help="check the whole project and list everything wrong",
        description="Check configuration, codebook, sources, passages, sample, codings and derived "
        "facts (against the texts at hand). Writes nothing.",
    )  # fmt: skip
    check.set_defaults(run=_check)
    derive = commands.add_parser(
        "derive", parents=[common], help="cut new texts, write derived facts from texts at hand",
        description="Cut texts that have no passages yet, freeze the passages in "
        "corpus/passages.tsv, and rewrite corpus/derived/ for every source whose text is at hand. "
        "Needed after a new text, and after a cue of the codebook changed. Frozen passages are "
        "never touched; nothing is written unless everything could be computed.",
    )  # fmt: skip
    derive.set_defaults(run=_derive)
    verify = commands.add_parser(
        "verify", parents=[common], help="recompute all results, or check a table or a copy of it",
        description="Copy config/ and corpus/ (without texts) to a scratch directory, run the "
        "whole workflow there, and compare every file with results/manifest.tsv. With TABLE or "
        "--key: say whether one table, a copy of it or a key from a citation is this release's.",
    )  # fmt: skip
    check_table.add_arguments(verify)
    verify.add_argument("--cores", type=int, default=2, help="processors to use (default: 2)")
    verify.set_defaults(run=_verify)
    for module in (
        add,
        adjudicate,
        change,
        cite,
        code,
        codebook,
        codings,
        cues,
        classify,
        diff,
        explain,
        explore,
        fetch,
        freeze,
        init,
        plan,
        publish,
        sample,
        score,
    ):
        module.register(commands, common)
    return parser


def _check(arguments: argparse.Namespace) -> int:
    from framing.project.load import check_project, project_reading
    from framing.project.status import Stage, next_steps, stage_of, standing

    stage = stage_of()
    if stage is not Stage.CODED:
        project = check_project(started=True)
        print(f"All is well so far: {standing(project)}. Next:")
        for number, step in enumerate(next_steps(project, stage), start=1):
            print(f"{number}. {step}")
        return 0
    project = check_project()
    drawn = int(project.frame["weight"].notna().sum())
    print(
        f"All is well: {len(project.sources)} sources, {len(project.passages)} passages, "
        f"{drawn} drawn for coding, {len(project.coders)} coders, "
        f"{len(project.codebook.codes)} codes, {len(project.codebook.cues)} cues, "
        f"derived facts of {len(project.sources)} sources."
    )
    draws = project.draws
    reading = project_reading(project.config, project.codebook, project.sources, draws)
    if draws:
        print("\n".join(f"{line[0].upper()}{line[1:]}." for line in reading.sentences))
    if reading.notes:
        print("\n".join(["", *reading.notes]))
    return 0


def _derive(arguments: argparse.Namespace) -> int:
    from framing.acquire.edit_corpus import NOT_DRAWN, renewed
    from framing.common.paths import CONFIG, SAMPLE
    from framing.corpus.tables import has_sample
    from framing.project.lock import alone, commit

    with alone():
        found = renewed(load_config(CONFIG))
        commit(found.changes.writes, found.changes.removals)
    for source in found.cut:
        print(f"{source}: cut into passages, now frozen in corpus/passages.tsv")
    print(f"derived facts written: {len(found.written)}")
    if found.absent:
        print(f"left alone, as their texts are absent: {len(found.absent)}")
    if found.cut and has_sample(SAMPLE):
        print(NOT_DRAWN)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from framing.release.reproduce import verify

    if check_table.asked(arguments):
        return check_table.run(arguments)
    verdict = verify(Path(), cores=arguments.cores)
    for line in verdict.lines():
        print(line)
    if verdict.holds:
        print(f"Verified: {verdict.files} files recomputed from the facts, all byte-identical.")
    return 0 if verdict.holds else 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        if not SCHEMAS.is_dir():
            remedy = "Install the checkout itself: pip install -e PATH"
            raise InputError(
                Problem(SCHEMAS, "does not exist: this is a copy of the package", remedy)
            )
        if not arguments.directory.is_dir():
            _parser().error(f"no such directory: {arguments.directory}")
        arguments.called_from = Path.cwd()
        os.chdir(arguments.directory)
        settle()
        return int(arguments.run(arguments))
    except InputError as error:
        problems = error.problems
    except BrokenPipeError:
        return reader_left()
    except OSError as error:
        problems = [unusable(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1
