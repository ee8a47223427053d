"""``framing fetch``: get texts of the corpus from their addresses, and check that they are these.

A text whose digest is the one in ``sources.tsv`` goes to the texts; any other is put aside and
compared with what the repository knows of the frozen one.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.common.config import load_config
from framing.common.files import json_text, sha256, write_text
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.progress import bytes_bar
from framing.corpus.store import read_facts
from framing.corpus.tables import read_sources
from framing.corpus.texts import read_canonical, texts_at_hand

if TYPE_CHECKING:
    import pandas as pd

    from framing.acquire.fetch.cache import Fetched
    from framing.acquire.read.document import Document

FETCHED = Path("build/fetched")
_INTERRUPTED = 130

_EXAMPLES = """\
examples:
  framing fetch --all --dry-run        what would be asked for
  framing fetch --all                  every text with an address that is not at hand
  framing fetch ID ID --wayback        these; pages that are gone from the Wayback Machine
  framing fetch --all --check          also those at hand: are their pages still the same?

A text with the digest of corpus/sources.tsv goes to the first folder of corpus.texts. Any other is
put into build/fetched/ID.txt: no text that is at hand is ever overwritten. Pages are kept in
build/fetched/ and not asked for again, unless with --fresh. What was fetched, when and from where
stands in build/fetched/ID.json.

exit status: 0 all are written or equal; 1 some differ or could not be had; 2 wrong usage
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``fetch`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "fetch", parents=[common], help="get texts of the corpus from their addresses",
        description="Fetch the pages of sources whose address is in corpus/sources.tsv, read them, "
        "and compare the digest of the text with the recorded one. One page at a time, politely.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="ids of sources")
    parser.add_argument("--all", action="store_true", help="every source with an address")
    parser.add_argument(
        "--check", action="store_true", help="fetch also what is at hand, and compare",
    )  # fmt: skip
    parser.add_argument(
        "--wayback", action="store_true",
        help="look for pages that are gone in the Wayback Machine of the Internet Archive",
    )  # fmt: skip
    parser.add_argument(
        "--fresh", action="store_true", help="ask again for pages that were fetched before"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be fetched, and do nothing"
    )
    parser.set_defaults(run=run, usage_error=parser.error)


@dataclass(frozen=True)
class Source:
    """What the corpus knows of a source that is to be fetched; ``hand`` is its text, if at hand."""

    source_id: str
    url: str
    words: int
    sha256: str
    hand: Path | None


def run(arguments: argparse.Namespace) -> int:
    """Fetch what the command line asks for, in the project in the working directory."""
    from framing.common.paths import CONFIG, SOURCES

    if bool(arguments.sources) == arguments.all:
        arguments.usage_error("say which sources to fetch: their ids, or --all (not both)")
    config = load_config(CONFIG)
    table = read_sources(SOURCES, config["groups"])
    asked, without = chosen(table, arguments.sources, config["corpus"]["texts"])
    todo = [source for source in asked if arguments.check or source.hand is None]
    at_hand = len(asked) - len(todo)
    if arguments.dry_run:
        for source in todo:
            print(f"{source.source_id}: {source.url}")
        print(_total(Counter({"to fetch": len(todo), "at hand": at_hand}), without))
        return 0
    counts = Counter({"at hand": at_hand})
    if todo:
        try:
            counts.update(_fetch_all(todo, config, arguments))
        except KeyboardInterrupt:
            print(f"Interrupted; pages that came whole are kept in {FETCHED}.", file=sys.stderr)
            return _INTERRUPTED
    print(_total(counts, without))
    # A source that was named and cannot be fetched was asked for in vain.
    return int(bool(counts["differ"] or counts["failed"] or (arguments.sources and without)))


def chosen(
    table: pd.DataFrame, names: Sequence[str], folders: Sequence[str]
) -> tuple[list[Source], list[str]]:
    """Return the sources asked for (all, without ``names``), and the ids of those without address.

    Raises :class:`InputError` on a name that ``sources.tsv`` does not have.
    """
    known = list(table["source_id"])
    raise_if_any(
        Problem(name, "is not a source of corpus/sources.tsv",
                f"Did you mean {close[0]}?" if (close := get_close_matches(name, known))
                else "Look up its source_id there.")
        for name in dict.fromkeys(names) if name not in known
    )  # fmt: skip
    rows = table[table["source_id"].isin(names)] if names else table
    hand = texts_at_hand(folders, rows["source_id"])
    sources = [
        Source(row.source_id, row.url, row.words, row.sha256, hand.get(row.source_id))
        for row in rows.itertuples(index=False)
    ]
    return (
        [source for source in sources if source.url],
        [source.source_id for source in sources if not source.url],
    )


# --- fetching -------------------------------------------------------------------------------------


def _fetch_all(
    todo: Sequence[Source], config: Mapping[str, Any], arguments: argparse.Namespace
) -> Counter[str]:
    """Fetch sources one after the other, say what became of each, and count it."""
    from framing.acquire.edit_corpus import settings_of, texts_folder
    from framing.acquire.fetch.fetch import HTTP, fetch
    from framing.acquire.fetch.settings import fetch_settings
    from framing.acquire.read.refuse import library

    for name in (HTTP, "trafilatura"):  # before pages are asked for that nothing here could read
        library(name, "the pages")
    folder = texts_folder(config)
    settings = fetch_settings(config.get("fetching"))
    reading = settings_of(config)
    counts: Counter[str] = Counter()
    asked: set[str] = set()
    for number, source in enumerate(todo, start=1):
        try:
            with bytes_bar(f"{number}/{len(todo)} {source.source_id}") as progress:
                # Several sources may be parts of one page, which is asked for once.
                page = fetch(
                    source.url, settings, FETCHED, wayback=arguments.wayback, progress=progress,
                    fresh=arguments.fresh and source.url not in asked,
                )  # fmt: skip
            asked.add(source.url)
            outcome, told = _settle(source, page, _read(source, page, reading), folder)
        except InputError as error:
            outcome = "failed"
            told = "; ".join(str(problem) for problem in error.problems)
        counts[outcome] += 1
        to = sys.stderr if outcome == "failed" else sys.stdout
        print(f"{source.source_id}: {told}", file=to, flush=True)
    return counts


def _read(source: Source, page: Fetched, settings: Mapping[str, Any]) -> Document:
    from framing.acquire.read.read import read_document

    return read_document(source.url, page.data, page.kind, settings)


def _settle(source: Source, page: Fetched, document: Document, folder: Path) -> tuple[str, str]:
    """Put a text where it belongs, with its record; return what became of it and what to say."""
    from framing.acquire.fetch.fetch import provenance

    text = document.text()
    target = folder / f"{source.source_id}.txt"
    record = provenance(page, text, document.reader, document.version)
    origin = f" (Wayback Machine, {page.archived})" if page.archived else ""
    if sha256(text) != source.sha256:
        aside = FETCHED / f"{source.source_id}.txt"
        write_text(aside, text)
        outcome = "differ"
        told = f"differs{origin}: {'; '.join(_differences(source, text))}; put into {aside}"
    elif source.hand is not None or target.exists():  # put there while others were fetched
        outcome, told = "equal", f"equal{origin}"
    else:
        write_text(target, text)
        outcome, told = "written", f"written to {target}{origin}"
    write_text(FETCHED / f"{source.source_id}.json",
               json_text({"source_id": source.source_id, **record}))  # fmt: skip
    return outcome, told


def _differences(source: Source, text: str) -> list[str]:
    """Return in words how a text differs from the frozen one, as far as can be known."""
    from framing.acquire.fetch.compare import line_changes, passages_found

    said = [f"{source.words:,} words before, {len(text.split()):,} now"]
    try:
        passages = _passages(source.source_id)
        found = passages_found(passages, text)
        said.append(f"{len(found)} of {len(passages)} passages are in it word for word")
    except InputError:
        said.append("no derived facts to compare its passages with")
    if source.hand is not None:
        try:
            changes = line_changes(read_canonical(source.hand), text)
        except InputError as error:
            said.append(f"{source.hand} cannot be compared: it {error.problems[0].what}")
        else:
            if changes:
                said.append(
                    f"to {source.hand}, +{changes.added} −{changes.removed} lines, the first "
                    f"difference in line {changes.line}, character {changes.column}"
                )
    return said


def _passages(source_id: str) -> list[dict[str, Any]]:
    passages: list[dict[str, Any]] = read_facts(source_id)["passages"]
    return passages


# --- saying ---------------------------------------------------------------------------------------


def _total(counts: Mapping[str, int], without: Sequence[str]) -> str:
    """Return the last lines: how many of what, and which sources have no address."""
    told = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    lines = [f"Sources: {told or 'none'}."]
    if without:
        lines.append(f"{len(without)} without an address: {', '.join(without)}.")
    return "\n".join(lines)
