"""``framing codings import``: codings made elsewhere join the project, all of them or none."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from framing.cli.codings_programs import add_export, annotated, imported
from framing.cli.declared_values import add_values, said_of

if TYPE_CHECKING:
    from framing.acquire.codings.check import State
    from framing.acquire.codings.options import Options
    from framing.acquire.codings.read import Rows
    from framing.acquire.codings.take_over import Account

_EXAMPLES = """\
examples:
  framing codings import ann.xlsx --coder ann --kind human
                                  columns passage_id and one for each code, with 1 and 0
  framing codings import ann.csv --coder ann --passage ID --code "Cost (y/n)=cost" \\
      --yes yes --no no --missing "" --dry-run
  framing codings import segments.csv --text Segment --source Document --labels Code \\
      --label "Costs too much=cost" --absent --coder-column Coder --kind human
  framing codings import study.qdpx --user "Ann Lee=ann" --label "Costs/Dear=cost" --kind human
  framing codings import bank.csv --code "Stance=stance" --value "Hawk=hawkish" \\
      --value "Dove=dovish" --missing "" --coder ann
  framing codings import bank.csv --code "is_hawk=stance.hawkish" \\
      --code "is_dove=stance.dovish" --otherwise stance.neutral --coder ann
  framing codings import export.json --user "ann@example.org=ann" --kind human
                                  annotations of Label Studio
  framing codings import runs.parquet --coder gpt-1 --kind machine --model "the model, its version"

Kinds of files: .csv .tsv .jsonl .parquet .dta, with the extra `codings` .xlsx and .sav, and .qdpx
(REFI-QDA), the projects of NVivo, ATLAS.ti, MAXQDA and QualCoder, of which --label, --user, --kind,
--skip-unmatched and --replace apply, and .json (Label Studio).
Nothing is guessed: which column is what is said by options (or asked for at a terminal), values
mean yes or no only where that is declared, and a row that fits no passage, or several, refuses the
import unless --skip-unmatched. Only passages that a draw took are coded. Nothing is written unless
`snakemake` will take it. docs/coding.md goes through it.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``codings`` to the commands; ``common`` holds the options that all of them share."""
    group = commands.add_parser(
        "codings", help="codings from and for other programs: spreadsheets, NVivo, ATLAS.ti …",
        description="Codings between the project and other programs.",
    )  # fmt: skip
    below = group.add_subparsers(dest="codings_command", required=True, metavar="COMMAND")
    parser = below.add_parser(
        "import", parents=[common], help="take over codings from a spreadsheet or another table",
        description="Read codings from tables, find the passage of each row, and write them to "
        "corpus/codings/CODER.tsv.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("files", nargs="+", metavar="FILE", help="tables with the same columns")
    _add_layout(parser)
    add_values(parser)
    _add_coder(parser)
    how = parser.add_argument_group("how")
    how.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    how.add_argument(
        "--skip-unmatched", action="store_true",
        help="leave out rows that fit no passage, or several, and list them in "
        "build/codings-unmatched.tsv",
    )  # fmt: skip
    how.add_argument(
        "--skip-undrawn", action="store_true", help="leave out passages that no draw took"
    )
    how.add_argument(
        "--replace", action="store_true", help="where codings differ from those there, take these"
    )
    how.add_argument(
        "--from", dest="source_program", choices=["label-studio"],
        help="which program wrote it, where the ending does not say so (.json: label-studio)",
    )  # fmt: skip
    how.add_argument("--sheet", default="", metavar="NAME", help="sheet of a workbook with several")
    parser.set_defaults(run=_import)
    add_export(below, common)


def _add_layout(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument_group("which passage a row is about")
    where.add_argument("--passage", default="", metavar="COLUMN", help="ids of passages")
    where.add_argument("--source", default="", metavar="COLUMN", help="ids of sources")
    where.add_argument(
        "--start", default="", metavar="COLUMN", help="offset of the first character (from 0)"
    )
    where.add_argument("--end", default="", metavar="COLUMN", help="offset after the last one")
    where.add_argument(
        "--text", default="", metavar="COLUMN", help="text of the passage (needs texts at hand)"
    )
    codes = parser.add_argument_group("which codes it has")
    codes.add_argument(
        "--code", action="append", default=[], metavar="COLUMN=CODE",
        help="a column with yes and no, or with levels of the code, or (COLUMN=CODE.LEVEL) with "
        "yes and no for one level; repeat it (default: columns that are called as codes are)",
    )  # fmt: skip
    codes.add_argument(
        "--labels",
        default="",
        metavar="COLUMN",
        help="instead: a column that names a code, or a level (CODE.LEVEL), a row",
    )
    codes.add_argument(
        "--label", action="append", default=[], metavar="VALUE=CODE",
        help="what a label is called in the codebook (CODE, or CODE.LEVEL); repeat it",
    )  # fmt: skip
    codes.add_argument(
        "--absent", action="store_true",
        help="with --labels: a passage that is listed lacks the yes/no codes it has no row for",
    )  # fmt: skip
    codes.add_argument(
        "--otherwise", action="append", default=[], metavar="CODE.LEVEL",
        help="the level of passages that no row, or no column of a level, gives another; repeat it",
    )  # fmt: skip
    codes.add_argument(
        "--unsure", default="", metavar="COLUMN", help="column that says the coder was unsure"
    )


def _add_coder(parser: argparse.ArgumentParser) -> None:
    coder = parser.add_argument_group("who coded")
    coder.add_argument(
        "--coder", action="append", default=[], metavar="NAME", help="once, or once for each file"
    )
    coder.add_argument(
        "--user", action="append", default=[], metavar="NAME=CODER",
        help="of a .qdpx: which coder a user is, where the name is no id; of Label Studio: which "
        "coder an annotator is, by address, number or name; repeat it",
    )  # fmt: skip
    coder.add_argument(
        "--predictions", action="store_true",
        help="of Label Studio: take predictions, and only these, as codings of a machine coder",
    )  # fmt: skip
    coder.add_argument(
        "--read-all", action="store_true",
        help="of a .qdpx: every user has read every drawn passage, not only those of documents "
        "with a coding of theirs",
    )  # fmt: skip
    coder.add_argument("--coder-column", default="", metavar="COLUMN", help="names of coders")
    coder.add_argument(
        "--kind", default="", metavar="KIND",
        help="of a new coder: human, or machine (a language model or any other program)",
    )  # fmt: skip
    coder.add_argument("--model", default="", metavar="TEXT", help="of which a machine is a run")
    coder.add_argument(
        "--describe", default="", metavar="TEXT", help="what to say of a new coder in coders.tsv"
    )


def options_of(arguments: argparse.Namespace) -> Options:
    """Return what the command line says of the files."""
    from framing.acquire.codings.options import Options, pairs

    named = ("passage", "source", "start", "end", "text", "labels", "absent", "coder_column",
             "unsure", "kind", "model", "describe", "skip_unmatched", "skip_undrawn",
             "replace")  # fmt: skip
    return Options(
        **{name: getattr(arguments, name) for name in named},
        otherwise=_by_code(arguments.otherwise),
        codes=pairs("--code", arguments.code),
        label=pairs("--label", arguments.label),
        coders=tuple(arguments.coder),
        said=said_of(arguments),
    )


def _by_code(given: list[str]) -> dict[str, str]:
    """Return ``CODE.LEVEL`` options as code → level."""
    from framing.codebook.codes import OF_LEVEL
    from framing.common.problems import Problem, raise_if_any

    parted = [one.partition(OF_LEVEL) for one in given]
    found = {code: level for code, _, level in parted}
    raise_if_any(
        Problem("--otherwise", f"gives the code {code!r} two levels, {level} and {found[code]}",
                "Give one.")
        for code, _, level in parted if found[code] != level
    )  # fmt: skip
    return found


def _import(arguments: argparse.Namespace) -> int:
    from framing.acquire.codings.project import state_of
    from framing.acquire.codings.read import read_rows
    from framing.acquire.codings.take_over import take_over
    from framing.acquire.settings import intake_settings
    from framing.common.problems import raise_if_any
    from framing.project.lock import alone, commit

    with alone():
        state = state_of()
        paths = _paths(arguments)
        said: list[str] = []
        asked = ""
        if any(path.suffix.lower() == ".qdpx" for path in paths):
            account = _of_project(paths, arguments, state)
        elif arguments.source_program or any(path.suffix.lower() == ".json" for path in paths):
            account = _of_label_studio(paths, arguments, state)
        else:
            settings = intake_settings(state.config.get("intake"))["table"]
            rows = read_rows(paths, settings, arguments.sheet, labelled=arguments.value_labels)
            options, notes, asked = _settled(arguments, rows, state)
            account, said = take_over(rows, options, state), [*rows.notes, *notes]
        for line in [*said, *account.lines]:
            print(line)
        if asked:
            print(f"The same without questions:\n  {asked}")
        raise_if_any(account.problems)
        if not arguments.dry_run:
            commit(account.writes, account.removals)
    _conclude(account.writes, arguments.dry_run)
    return 0


def _of_project(paths: list[Path], arguments: argparse.Namespace, state: State) -> Account:
    """Return what the import of a project of a QDA program does."""
    from framing.common.problems import InputError, Problem

    if len(paths) > 1:
        raise InputError(
            Problem(paths[0].name, "is a project of its own", "Import one .qdpx at a time.")
        )
    return imported(paths[0], options_of(arguments), state, arguments.user,
                    read_all=arguments.read_all)  # fmt: skip


def _of_label_studio(paths: list[Path], arguments: argparse.Namespace, state: State) -> Account:
    """Return what the import of annotations of Label Studio does."""
    from framing.common.problems import InputError, Problem

    if len(paths) > 1:
        raise InputError(
            Problem(paths[0].name, "is an export of its own", "Import one export at a time.")
        )
    return annotated(paths[0], options_of(arguments), state, arguments.user,
                     predictions=arguments.predictions)  # fmt: skip


def _paths(arguments: argparse.Namespace) -> list[Path]:
    """Return the files, as seen from where the command was called."""
    here = Path(getattr(arguments, "called_from", Path.cwd()))
    return [Path(name) if here == Path.cwd() else here / name for name in arguments.files]


def _settled(
    arguments: argparse.Namespace, rows: Rows, state: State
) -> tuple[Options, list[str], str]:
    """Return settled options, notes, and, where somebody was asked, the command line instead.

    Raises :class:`InputError` where something is not said and nobody can be asked.
    """
    from framing.acquire.codings.options import (
        check_options,
        open_problems,
        open_questions,
        settled,
    )
    from framing.common.problems import raise_if_any

    given, codes = options_of(arguments), state.codebook.codes
    options, notes = settled(given, rows, codes)
    check_options(options, rows, codes)
    asked = ""
    if sys.stdin.isatty() and sys.stderr.isatty():
        from framing.cli.codings_dialogue import answered, command_line

        answers = answered(options, rows, codes, list(state.coders["coder"]), _ask)
        if answers != options:
            options, _ = settled(answers, rows, codes)
            check_options(options, rows, codes)
            asked = command_line(options, arguments)
    raise_if_any(open_problems(open_questions(options), rows))
    return options, notes, asked


def _ask(question: str) -> str:
    """Ask a person; nothing where there is no answer to come."""
    print(f"{question}: ", end="", file=sys.stderr)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _conclude(writes: dict[Path, str], dry: bool) -> None:
    from framing.acquire.codings.take_over import UNMATCHED

    names = ", ".join(sorted(path.as_posix() for path in writes))
    if dry:
        print(f"Nothing was written; it would be: {names or 'nothing, as all is there already'}.")
        return
    if not names:
        print("All of it is there already: nothing was written.")
        return
    print(f"Written: {names}.")
    if UNMATCHED in writes:
        print(f"Rows that fit no passage were left out: they stand in {UNMATCHED}.")
    print("Then run `snakemake`.")
