"""``framing add``: documents join the corpus, with a report of what was kept, dropped, and why."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.acquire.edit_corpus import NOT_DRAWN, settings_of, texts_folder
from framing.acquire.find import Found, Gathered, Wanted, columns_of, gathered
from framing.acquire.prepare import Orders
from framing.acquire.remarks import REPORT, of_each_kind
from framing.acquire.settings import intake_settings
from framing.acquire.source import FIELDS, REQUIRED, id_problem
from framing.acquire.take_in import Asking, Told, take_in
from framing.cli.jobs import number_of_jobs
from framing.common.config import load_config
from framing.common.paths import CONFIG, SAMPLE, SOURCES
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import has_sample, read_sources
from framing.project.lock import Pending, alone, prepared

if TYPE_CHECKING:
    from framing.acquire.records import Record

_EXAMPLES = """\
examples:
  framing add speech.html --title "At the summit" --speaker "Ada Beck" --group allied \\
      --date 2014-05-02
  framing add https://example.org/speech --group allied --dry-run
  framing add interviews/ --group analyst --date unknown --bibliography zotero.json
  framing add --table debate.csv --column text=speech --column date=year --group allied

What is not said is asked for at a terminal, and an error in a script. Kinds of files: .txt .md
.html .pdf .docx .odt .epub .rtf and TEI .xml (also a collection of documents, as ParlaMint's). A
folder is looked through with its subfolders.
Options on what a source is (--title, --group ...) hold for all that is added at once and go before
what a table says; a table goes before the bibliography, and that before the document itself.
Nothing is written unless all can be added.

Afterwards the text lies in corpus/texts/ID.txt, with what was left out of it, and why, in
corpus/texts/ID.dropped.tsv; rows are in corpus/sources.tsv, passages.tsv and intake.tsv.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``add`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "add", parents=[common], help="add files, folders, web pages or a table of documents",
        description="Read documents, clean them, cut them into passages, and let them join the "
        "corpus.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("what", nargs="*", metavar="WHAT", help="a file, a folder or a url")
    parser.add_argument("--id", help="id of the source (default: from its file, url or title)")
    for name in FIELDS:
        needed = "" if name in REQUIRED else " (may be left out)"
        parser.add_argument(f"--{name}", help=f"its {name} in corpus/sources.tsv{needed}")
    table = parser.add_argument_group("many at once")
    table.add_argument(
        "--table", type=Path, metavar="FILE",
        help="CSV, TSV, JSON Lines or Parquet with a document a row",
    )  # fmt: skip
    table.add_argument(
        "--column", action="append", default=[], metavar="FIELD=COLUMN",
        help="column of the table for text, path, id or one of the fields above; repeat it",
    )  # fmt: skip
    table.add_argument(
        "--names", metavar="PATTERN",
        help="with --table FOLDER: what names of its .txt files mean, as {actor}_{session}_{date}",
    )  # fmt: skip
    table.add_argument(
        "--bibliography", type=Path, metavar="FILE",
        help="Zotero export (CSL JSON, BibTeX, RIS); entries are found by url, file or key",
    )  # fmt: skip
    table.add_argument("--key", default="", help="key of the entry in the bibliography")
    table.add_argument(
        "--skip",
        action="store_true",
        help="leave out what cannot be added, rows of the table too, and say so",
    )
    how = parser.add_argument_group("how")
    how.add_argument(
        "--jobs", "-j", type=number_of_jobs, default=0, metavar="N",
        help="read many documents by so many processes (default: one a processor); the corpus is "
        "the same",
    )  # fmt: skip
    how.add_argument("--dry-run", action="store_true", help="show everything, write nothing")
    how.add_argument(
        "--language", metavar="CODES",
        help="languages accepted this time (ISO 639-1, with commas), or any",
    )  # fmt: skip
    how.add_argument(
        "--version-of", default="", metavar="SOURCE",
        help="add it although it is (nearly) the same text as SOURCE, and say so in intake.tsv",
    )  # fmt: skip
    how.add_argument(
        "--wayback", action="store_true", help="look for a vanished page in the Wayback Machine"
    )
    how.add_argument("--fresh", action="store_true", help="fetch a url although it is cached")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    _usable(arguments)
    with alone():
        config = load_config(CONFIG)
        # What there is to write is put beside the corpus as it comes, also in a dry run.
        with prepared() as pending:
            told = _taken_in(arguments, config, pending)
            if told.sources and not arguments.dry_run:
                pending.decide()
    for line in told.lines:
        print(line)
    for problem in of_each_kind(told.problems):
        print(f"left out: {problem}", file=sys.stderr)
    _conclude(arguments, config, told)
    return 1 if told.problems else 0


def _taken_in(arguments: argparse.Namespace, config: Mapping[str, Any], pending: Pending) -> Told:
    sources = read_sources(SOURCES, config["groups"])
    taken = list(sources["source_id"])
    orders = Orders(
        _settings(arguments, config), intake_settings(config.get("intake"))["duplicates"],
        tuple(config["groups"]), {name: getattr(arguments, name) or "" for name in FIELDS},
        arguments.id or "", arguments.version_of, _at_a_terminal(),
    )  # fmt: skip
    wanted = Wanted(
        arguments.what, arguments.table, columns_of(arguments.column), arguments.names or "",
        Path(getattr(arguments, "called_from", Path.cwd())), arguments.wayback, arguments.fresh,
    )  # fmt: skip
    found = gathered(wanted, orders.settings, config)
    _one_id(arguments, found, taken)
    records = _records(arguments)
    if arguments.version_of and arguments.version_of not in taken:
        raise InputError(
            Problem("--version-of", f"names the unknown source {arguments.version_of!r}",
                    "Give an id of corpus/sources.tsv.")
        )  # fmt: skip
    asking = Asking(
        lambda one: _from_bibliography(arguments, records, one),
        lambda place, one: _asked(place, one.said, one.hints, config["groups"]),
        arguments.skip, arguments.jobs, arguments.dry_run,
    )  # fmt: skip
    return take_in(found, orders, asking, config, taken, pending)


def _usable(arguments: argparse.Namespace) -> None:
    problems = []
    if not arguments.what and arguments.table is None:
        problems.append(
            Problem("framing add", "was told nothing to add", "Name a file, a folder or a url, or "
                    "give --table FILE.")
        )  # fmt: skip
    if arguments.column and arguments.table is None:
        problems.append(
            Problem("--column", "speaks of a table, but there is none", "Give --table FILE.")
        )
    if arguments.key and arguments.bibliography is None:
        problems.append(
            Problem("--key", "is of a bibliography, but there is none", "Give --bibliography FILE.")
        )
    raise_if_any(problems)


def _settings(arguments: argparse.Namespace, config: Mapping[str, Any]) -> dict[str, Any]:
    settings = settings_of(config)
    if arguments.language:
        codes = [] if arguments.language == "any" else arguments.language.split(",")
        language = {**settings["reading"]["language"], "accepted": codes}
        settings["reading"] = {**settings["reading"], "language": language}
    return settings


def _one_id(arguments: argparse.Namespace, found: Gathered, taken: Sequence[str]) -> None:
    problems: list[Problem | None] = []
    if not found.number and not found.problems:
        problems.append(
            Problem("framing add", "found no document", "Look at the folder or the table.")
        )
    if arguments.id and found.number > 1:
        problems.append(
            Problem("--id", f"is one id, but there are {found.number} documents",
                    "Leave it out, or add them one by one.")
        )  # fmt: skip
    elif arguments.id:
        place = found.here[0].place if found.here else str(arguments.table)
        problems.append(id_problem(place, arguments.id, taken))
    raise_if_any(one for one in problems if one is not None)


# --- what is said about it ------------------------------------------------------------------------


def _records(arguments: argparse.Namespace) -> list[Record]:
    if arguments.bibliography is None:
        return []
    from framing.acquire.bibliography import read_bibliography

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    return list(read_bibliography(here / arguments.bibliography))


def _from_bibliography(
    arguments: argparse.Namespace, records: Sequence[Record], one: Found
) -> dict[str, str]:
    """Return the fields that the bibliography knows of a document; empty where it has no entry."""
    if not records:
        return {}
    from framing.acquire.bibliography import match

    entry = match(records, one.looked_up, arguments.key)
    if entry is None:
        return {}
    known = {
        "title": entry.title,
        "speaker": "; ".join(entry.creators),
        "date": entry.date,
        "date_precision": entry.date_precision,
        "genre": entry.genre,
        "url": entry.url,
    }
    return {name: value for name, value in known.items() if value}


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _asked(
    place: str, said: Mapping[str, str], hints: Mapping[str, str], groups: Mapping[str, str]
) -> dict[str, str]:
    """Ask a person for what is not said yet; an empty answer takes what is offered in brackets."""
    answers = {}
    open_fields = [name for name in (*REQUIRED, "speaker") if not said.get(name)]
    if open_fields:
        print(f"{place}:", file=sys.stderr)
    for name in open_fields:
        offer = hints.get(name, "")
        told = f" ({', '.join(groups)})" if name == "group" else ""
        told += " (YYYY-MM-DD, YYYY-MM, YYYY or unknown)" if name == "date" else ""
        print(f"  {name}{told}{f' [{offer}]' if offer else ''}: ", end="", file=sys.stderr)
        sys.stderr.flush()
        answers[name] = sys.stdin.readline().strip() or offer
    return answers


# --- what is said to the person -------------------------------------------------------------------


def _conclude(arguments: argparse.Namespace, config: Mapping[str, Any], told: Told) -> None:
    sources = f"{told.sources:,} source{'' if told.sources == 1 else 's'}"
    passages = f"{told.passages:,} passages"
    if told.report:
        passages += f" of {told.words:,} words"
        if told.problems:
            print(f"Left out: {len(told.problems):,} documents.", file=sys.stderr)
        print(f"What is said of each document stands in {REPORT}.")
    if arguments.dry_run:
        print(f"Nothing was written: {sources} with {passages} would join the corpus.")
        return
    if told.sources:
        print(f"Added: {sources} with {passages}. What was left out of each text stands "
              f"in {texts_folder(config)}/ID.dropped.tsv.")  # fmt: skip
        if has_sample(SAMPLE):
            print(NOT_DRAWN)
        print("Then run `snakemake`; results/changes.md says what moved.")
