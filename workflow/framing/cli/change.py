"""``framing remove`` and ``framing rename``: a source leaves the corpus, or has another id."""

from __future__ import annotations

import argparse

from framing.acquire.edit_corpus import Changes, renamed, without
from framing.acquire.source import id_problem
from framing.common.config import load_config
from framing.common.paths import CONFIG, SOURCES
from framing.common.problems import raise_if_any
from framing.corpus.tables import read_sources
from framing.project.lock import alone, commit


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``remove`` and ``rename``; ``common`` holds the options that all commands share."""
    remove = commands.add_parser(
        "remove", parents=[common], help="take a source out of the corpus",
        description="Remove sources with all that hangs on them: rows, passages, derived facts, "
        "and their texts in the first folder of corpus.texts. Refused where passages were drawn "
        "for coding, or could have been: the sample would no longer be one of this corpus.",
    )  # fmt: skip
    remove.add_argument("sources", nargs="+", metavar="SOURCE", help="ids of sources.tsv")
    rename = commands.add_parser(
        "rename", parents=[common], help="give a source another id",
        description="Change the id of a source in all tables, in the names of its files and in the "
        "configuration. Passages keep their ids. Folds are made from ids, so scores may change a "
        "little.",
    )  # fmt: skip
    rename.add_argument("old", metavar="OLD", help="the id it has")
    rename.add_argument("new", metavar="NEW", help="the id it is to have")
    for parser, run in ((remove, _remove), (rename, _rename)):
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change, and change nothing"
        )
        parser.set_defaults(run=run)


def _remove(arguments: argparse.Namespace) -> int:
    with alone():
        names = list(dict.fromkeys(arguments.sources))
        _do(arguments, without(load_config(CONFIG), names))
    return 0


def _rename(arguments: argparse.Namespace) -> int:
    with alone():
        config = load_config(CONFIG)
        known = list(read_sources(SOURCES, config["groups"])["source_id"])
        others = [name for name in known if name != arguments.old]
        problem = id_problem(arguments.old, arguments.new, others)
        raise_if_any([problem] if problem else [])
        _do(arguments, renamed(config, arguments.old, arguments.new))
    return 0


def _do(arguments: argparse.Namespace, changes: Changes) -> None:
    if not arguments.dry_run:
        commit(changes.writes, changes.removals)
    would = "would be " if arguments.dry_run else ""
    for path in sorted(changes.writes):
        print(f"{would}written: {path}")
    for path in sorted(changes.removals):
        print(f"{would}removed: {path}")
    if not arguments.dry_run:
        print("Run `snakemake` to make the tables anew; results/changes.md then says what moved.")
