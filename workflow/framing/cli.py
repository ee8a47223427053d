"""The command ``framing``: what one does around a run of the workflow."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from framing.commands import classify, cues, explain, plan, sample
from framing.config import SCHEMAS, load_config
from framing.files import unusable
from framing.problems import InputError, Problem

_EPILOG = """\
A project is a directory with config/config.yaml, corpus/ and, after a run, results/.
The results themselves are made by `snakemake` (in another directory: `snakemake --directory DIR`).

a usual round:
  1. put a text into corpus/texts/ID.txt and its row into corpus/sources.tsv
  2. framing derive      cuts it into passages and writes its derived facts
  3. framing check       says everything that is wrong with the corpus
  4. snakemake           makes the tables anew
  5. framing verify      proves that they can be made again, byte for byte

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
        "verify", parents=[common], help="recompute everything and compare with results/",
        description="Copy config/ and corpus/ (without texts) to a scratch directory, run the "
        "whole workflow there, and compare every file with results/manifest.tsv.",
    )  # fmt: skip
    verify.add_argument("--cores", type=int, default=2, help="processors to use (default: 2)")
    verify.set_defaults(run=_verify)
    for module in (cues, classify, explain, plan, sample):
        module.register(commands, common)
    return parser


def _check(arguments: argparse.Namespace) -> int:
    from framing.project import check_project

    project, facts = check_project()
    drawn = int(project.frame["weight"].notna().sum())
    print(
        f"All is well: {len(project.sources)} sources, {len(project.passages)} passages, "
        f"{drawn} drawn for coding, {len(project.coders)} coders, "
        f"{len(project.codebook.codes)} codes, {len(project.codebook.cues)} cues, "
        f"derived facts of {len(facts)} sources."
    )
    return 0


def _derive(arguments: argparse.Namespace) -> int:
    from framing.project import CONFIG, update_derived

    cut, written, absent = update_derived(load_config(CONFIG))
    for source in cut:
        print(f"{source}: cut into passages, now frozen in corpus/passages.tsv")
    print(f"derived facts written: {len(written)}")
    if absent:
        print(f"left alone, as their texts are absent: {len(absent)}")
    if cut:
        print(
            "No draw could have taken the new passages, so tables speak of them by the classifier "
            "alone.\nTo have them coded: framing sample --supplement"
        )
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from framing.verify import verify

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
        return int(arguments.run(arguments))
    except InputError as error:
        problems = error.problems
    except OSError as error:
        problems = [unusable(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
