"""``framing add``: documents join the corpus, with a report of what was kept, dropped, and why."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.acquire.edit_corpus import NOT_DRAWN, Changes, joined, settings_of, texts_folder
from framing.acquire.find import Found, Wanted, columns_of, gathered
from framing.acquire.repeated import Judged, judged
from framing.acquire.settings import intake_settings
from framing.acquire.source import (
    FIELDS,
    REQUIRED,
    Addition,
    addition,
    checked,
    free_id,
    id_from,
    id_problem,
    layered,
    offered,
    report_rows,
)
from framing.codebook.codebook import load_codebook
from framing.common.config import load_config
from framing.common.paths import CODEBOOK, CONFIG, SAMPLE, SOURCES
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.progress import counted
from framing.corpus.facts import deriver
from framing.corpus.store import facts_at_hand
from framing.corpus.tables import has_sample, read_sources
from framing.corpus.texts import read_canonical, texts_at_hand
from framing.project.lock import alone, commit

if TYPE_CHECKING:
    import pandas as pd

    from framing.acquire.records import Record

_SHOWN = 72  # characters of a dropped line that the screen shows
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
        "--skip", action="store_true", help="leave out what cannot be added, and say so"
    )
    how = parser.add_argument_group("how")
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
        joining, skipped = _additions(arguments, config)
        additions = [one.addition for one in joining]
        facts = [one.facts for one in joining]
        changes = joined(config, additions, facts) if additions else Changes()
        if not arguments.dry_run:
            commit(changes.writes)
    for one in joining:
        _show(one.addition, arguments.dry_run)
        for line in one.lines:
            print(f"  {line}")
    for problem in skipped:
        print(f"left out: {problem}", file=sys.stderr)
    _conclude(arguments, config, additions)
    return 1 if skipped else 0


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


def _additions(
    arguments: argparse.Namespace, config: Mapping[str, Any]
) -> tuple[list[Judged], list[Problem]]:
    """Return what is to join, and, with ``--skip``, what is wrong with the rest.

    Raises :class:`InputError` with everything that is wrong, without ``--skip``.
    """
    settings = _settings(arguments, config)
    sources = read_sources(SOURCES, config["groups"])
    wanted = Wanted(
        arguments.what, arguments.table, columns_of(arguments.column), arguments.names or "",
        Path(getattr(arguments, "called_from", Path.cwd())), arguments.wayback, arguments.fresh,
    )  # fmt: skip
    found = list(gathered(wanted, settings, config))
    _one_id(arguments, found)
    records = _records(arguments)
    taken = list(sources["source_id"])
    if arguments.version_of and arguments.version_of not in taken:
        raise InputError(
            Problem("--version-of", f"names the unknown source {arguments.version_of!r}",
                    "Give an id of corpus/sources.tsv.")
        )  # fmt: skip
    made: list[Addition] = []
    problems: list[Problem] = []
    for one in counted(found, " documents"):
        try:
            new = _addition(arguments, config, settings, one, records, taken)
        except InputError as error:
            problems += error.problems
            continue
        made.append(new)
        taken.append(new.source_id)
    judgements = _judged(made, config, sources, arguments.version_of)
    problems += [one.problem for one in judgements if one.problem]
    if not arguments.skip:
        raise_if_any(problems)
    return [one for one in judgements if not one.problem], problems


def _judged(
    made: Sequence[Addition], config: Mapping[str, Any], sources: pd.DataFrame, version_of: str
) -> list[Judged]:
    if not made:
        return []
    hand = texts_at_hand(config["corpus"]["texts"], sources["source_id"])
    # A source without facts has no passages yet: `framing check` says what is wrong with it.
    corpus = list(facts_at_hand(sources["source_id"]))
    settings = intake_settings(config.get("intake"))["duplicates"]
    return judged(
        made, corpus, deriver(load_codebook(CODEBOOK)), settings,
        lambda name: read_canonical(hand[name]) if name in hand else None, version_of,
    )  # fmt: skip


def _settings(arguments: argparse.Namespace, config: Mapping[str, Any]) -> dict[str, Any]:
    settings = settings_of(config)
    if arguments.language:
        codes = [] if arguments.language == "any" else arguments.language.split(",")
        language = {**settings["reading"]["language"], "accepted": codes}
        settings["reading"] = {**settings["reading"], "language": language}
    return settings


def _addition(
    arguments: argparse.Namespace,
    config: Mapping[str, Any],
    settings: Mapping[str, Any],
    one: Found,
    records: Sequence[Record],
    taken: Sequence[str],
) -> Addition:
    document, origin = one.read()
    hints = offered(document)
    options = {name: getattr(arguments, name) or "" for name in FIELDS}
    trusted = {name: hints.get(name, "") for name in ("title", "url")}
    said = layered(trusted, _from_bibliography(arguments, records, one), one.said, options)
    if _at_a_terminal():
        said = layered(said, _asked(one.place, said, hints, config["groups"]))
    row = checked(one.place, said, list(config["groups"]), hints)
    source_id = arguments.id or free_id(id_from(one.wished_id or row["title"]), taken)
    problem = id_problem(one.place, source_id, taken)
    raise_if_any([problem] if problem else [])
    return addition(source_id, row, document, origin, settings["units"], arguments.version_of)


def _one_id(arguments: argparse.Namespace, found: Sequence[Found]) -> None:
    problems = []
    if not found:
        problems.append(
            Problem("framing add", "found no document", "Look at the folder or the table.")
        )
    if arguments.id and len(found) > 1:
        problems.append(
            Problem("--id", f"is one id, but there are {len(found)} documents",
                    "Leave it out, or add them one by one.")
        )  # fmt: skip
    raise_if_any(problems)


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


def _show(made: Addition, everything: bool) -> None:
    """Print what becomes of a document: its row, passages, and what was left out, by reason."""
    row = made.source
    print(f"{made.source_id}: {row['title']}")
    told = [f"{name} {row[name]}" for name in ("speaker", "group", "date", "genre", "url")
            if row[name]]  # fmt: skip
    print(f"  {'; '.join(told)}")
    reader = " ".join(filter(None, [made.document.reader, made.document.version]))
    passages = made.cut.passages
    print(f"  read as {made.document.kind} by {reader}: {row['words']} words, "
          f"{len(passages)} passages with {passages['words'].sum()} words")  # fmt: skip
    for note in made.document.notes:
        print(f"  note: {note}")
    rows = report_rows(made)
    counts = Counter(one["reason"] for one in rows)
    for reason, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        print(f"  left out ({number}): {reason}")
    if not everything:
        return
    for one in made.cut.passages.itertuples():
        start = " ".join(made.text[one.start : one.end].split())
        print(f"  passage {one.passage_id} ({one.start}-{one.end}, {one.words} words): "
              f"{_shortened(start)}")  # fmt: skip
    for line in rows:
        print(f"  left out, {line['place']}, {line['reason']}: {_shortened(line['text'])}")


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _conclude(
    arguments: argparse.Namespace, config: Mapping[str, Any], additions: Sequence[Addition]
) -> None:
    sources = f"{len(additions)} source{'' if len(additions) == 1 else 's'}"
    passages = sum(len(one.cut.passages) for one in additions)
    if arguments.dry_run:
        print(f"Nothing was written: {sources} with {passages} passages would join the corpus.")
        return
    if additions:
        print(f"Added: {sources} with {passages} passages. What was left out of each text stands "
              f"in {texts_folder(config)}/ID.dropped.tsv.")  # fmt: skip
        if has_sample(SAMPLE):
            print(NOT_DRAWN)
        print("Then run `snakemake`; results/changes.md says what moved.")
