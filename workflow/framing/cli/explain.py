"""``framing explain``: what stands behind the probability of one passage.

:func:`explain` takes a stored model apart for one passage; :func:`terminal_text` and
:func:`html_page` show the same for readers of both kinds.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from framing.classifier.apply import Instrument, load_instrument, prose
from framing.cli.classify import codebook_note
from framing.cli.streams import STREAM
from framing.common.problems import InputError, Problem

if TYPE_CHECKING:
    import pandas as pd

from framing.classifier.explain import Passage, Published
from framing.common.paths import SCORES
from framing.report.explanation import WIDTH, html_page, marked, terminal_text

CASE = Path("results/tables/T7-essay.csv")

COMMITTED = ("results", "corpus")
"""Folders that are committed, so that no prose may go there."""

_WIDEST = 110  # columns beyond which prose is hard to read

_EXAMPLES = """\
examples:
  framing explain 2f907728e9
  framing explain 2f907728e9 --code equality --top 20 --html ~/why.html
  framing explain --text "They want a seat at the table, not orders."
  framing explain --text - < passage.txt

Every line shows what something adds to the score (or takes from it); the lines add up to it, and
the last line says how the score becomes the probability. Of a code with several levels they speak
for the likeliest level rather than the next. The explanation is of the final model,
trained on all codings. The published probability of a passage of the corpus comes from the model of
its source's fold, which had seen nothing of that source, and so differs.

Where the prose is at hand it is shown with the hits of cues [in brackets] and the weightiest words
_underlined_, or so coloured in a terminal (unless NO_COLOR is set).

exit status: 0 done; 1 there is no such passage, or models or facts are missing; 2 wrong usage
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``explain`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "explain", parents=[common], help="say which cues and words are behind a passage's codes",
        description="Show for each code the probability of one passage, the decision, and what "
        "stands behind it: the cues that spoke, the rules of the codebook that its words are close "
        "to or far from, and the words that weigh most for and against.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "passage", nargs="?", metavar="PASSAGE_ID", help="id of a passage of the corpus"
    )
    which.add_argument("--text", help="any text instead of a passage; - for standard input")
    parser.add_argument("--code", help="only this code (default: every code of the codebook)")
    parser.add_argument(
        "--top", type=_whole, default=6, metavar="N",
        help="so many words, and rules, for and against (default: 6)",
    )  # fmt: skip
    parser.add_argument(
        "--levels", action="store_true",
        help="of a code with several levels, say too what adds to the score of each",
    )  # fmt: skip
    parser.add_argument(
        "--html", metavar="FILE", help="write the explanation as a page of its own, too"
    )
    parser.set_defaults(run=run)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def passage_of_text(instrument: Instrument, text: str) -> Passage:
    """Return a text outside the corpus as a passage; raise :class:`InputError` where it is none."""
    from framing.codebook.cues import cue_spans, pattern_hits
    from framing.corpus.words import word_counts

    if re.search("[\ud800-\udfff]", text):
        raise InputError(Problem("--text", "is not valid UTF-8", "Save it as UTF-8."))
    text = prose(text)
    if not text:
        raise InputError(Problem("--text", "is empty", "Give the text of a passage."))
    return Passage(
        heading=(f"a text of {len(text.split())} words",),
        counts=word_counts(text),
        hits=pattern_hits(instrument.compiled, text),
        text=text,
        absent="",
        hits_at=tuple(cue_spans(instrument.compiled, text)),
        published=None,
        notes=(),
    )


def passage_of_corpus(instrument: Instrument, passage_id: str) -> Passage:
    """Return a passage of the project in the working directory, by its derived facts.

    Its prose is read where it is at hand. Raises :class:`InputError` where there is no such passage
    (with the ids most like it), where it awaits its coding in a confirmation draw, and where its
    facts are missing or do not fit.
    """
    from framing.codebook.cues import cue_spans
    from framing.common.config import load_config
    from framing.common.paths import CONFIG, PASSAGES, SOURCES
    from framing.corpus.derived import UPDATE, staleness
    from framing.corpus.facts import cue_digests
    from framing.corpus.store import read_facts, shard_path
    from framing.corpus.tables import read_passages, read_sources
    from framing.corpus.texts import read_canonical, texts_at_hand
    from framing.project.load import coded_of, waiting
    from framing.sampling.draw import DRAWS
    from framing.sampling.records import read_draws

    config = load_config(CONFIG)
    sources = read_sources(SOURCES, config["groups"])
    passages = read_passages(PASSAGES, sources)
    own = passages[passages["passage_id"] == passage_id]
    if own.empty:
        raise InputError(unknown_passage(passage_id, passages))
    draws = read_draws(DRAWS)
    if passage_id in waiting(draws, coded_of(draws)):
        raise InputError(
            Problem(f"passage {passage_id!r}", "awaits its coding in a draw for confirmation: "
                    "until then nobody is to see it beside a guess of its code", "Name another.")
        )  # fmt: skip
    source_id = str(own["source_id"].iloc[0])
    source = sources[sources["source_id"] == source_id].iloc[0]
    facts = read_facts(source_id)
    row = next((row for row in facts["passages"] if row["passage_id"] == passage_id), None)
    if row is None:
        raise InputError(Problem(shard_path(source_id), f"lacks the passage {passage_id}", UPDATE))
    notes = []
    stale = staleness(facts, cue_digests(instrument.codebook))
    if stale:
        notes.append(
            f"Cues changed since the facts of {source_id} were made, so hits may be out of date: "
            f"{', '.join(stale[:8])}{' …' if len(stale) > 8 else ''}. Run `framing derive`."
        )
    hand = texts_at_hand(config["corpus"]["texts"], [source_id])
    text = None
    if hand:
        text = read_canonical(hand[source_id], source["sha256"])[row["start"] : row["end"]]
    return Passage(
        heading=(
            f"passage {passage_id} of {source_id}, {row['words']} words",
            " · ".join(filter(None, (source["title"], source["speaker"], source["date"]))),
        ),
        counts=row["counts"],
        hits=row["hits"],
        text=text,
        absent=f"text not distributed: see {source['url'] or source['retrieved_from']}",
        hits_at=() if text is None else tuple(cue_spans(instrument.compiled, text)),
        published=published_scores(passage_id),
        notes=tuple(notes),
    )  # fmt: skip


def unknown_passage(passage_id: str, passages: pd.DataFrame) -> Problem:
    """Return what to say of an id that no passage has, with ids that may have been meant."""
    of_source = passages.loc[passages["source_id"] == passage_id, "passage_id"]
    if len(of_source):
        remedy = f"Name one of its passages: {', '.join(of_source[:8])}"
        return Problem(
            passage_id, "is a source, not a passage", remedy + (" …" if len(of_source) > 8 else ".")
        )
    close = get_close_matches(passage_id, list(passages["passage_id"]), n=3)
    remedy = f"Did you mean {' or '.join(close)}?" if close else "See corpus/passages.tsv."
    return Problem(f"passage {passage_id!r}", "does not exist", remedy)


def published_scores(passage_id: str) -> dict[str, Published]:
    """Return what the tables say of a passage, by code; empty where no table is at hand.

    The case study's table is committed; ``build/scores.tsv``, which a run makes, has all passages.
    """
    from framing.common.build import read_build

    for path, comma in ((CASE, ","), (SCORES, "\t")):
        try:
            if comma == ",":
                import pandas as pd

                table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
            else:
                table = read_build(path)
            own = table[table["passage_id"] == passage_id]
            found = {
                row["code"]: Published(
                    float(row["probability"]), int(row["decision"]), row["label"], str(path)
                )
                for row in own.to_dict("records")
            }
        except (OSError, KeyError, ValueError):  # not there, or of another version
            continue
        if found:
            return found
    return {}


# --- the command ----------------------------------------------------------------------------------


def chosen_codes(codes: Sequence[str], code: str | None) -> list[str]:
    """Return the codes to explain; raise :class:`InputError` where ``code`` is none of them."""
    if code is None:
        return list(codes)
    if code not in codes:
        close = get_close_matches(code, codes)
        remedy = f"Did you mean {close[0]!r}?" if close else f"Codes: {', '.join(codes)}."
        raise InputError(Problem("--code", f"unknown code {code!r}", remedy))
    return [code]


def page_path(name: str, here: Path, project: Path) -> Path:
    """Return where a page goes, relative names taken from ``here``.

    Raises :class:`InputError` where that is a folder, or lies in a folder of ``project`` that is
    committed: a page may hold prose.
    """
    path = (here / name).resolve()
    for folder in COMMITTED:
        if path.is_relative_to((project / folder).resolve()):
            raise InputError(
                Problem(path, f"lies in {folder}/, which is committed, and the page may hold prose",
                        "Write it somewhere else.")
            )  # fmt: skip
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        raise InputError(Problem(path, what, "Give the name of a file."))
    return path


def _read_text(given: str) -> str:
    if given != STREAM:
        return given
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            Problem("standard input", f"is not valid UTF-8 (byte {error.start})",
                    "Save it as UTF-8.")
        ) from None  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run the command in the project's directory; return the exit status."""
    from framing.classifier.stored import explain
    from framing.common.files import write_text

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    page = page_path(arguments.html, here, Path.cwd()) if arguments.html else None
    instrument = load_instrument()
    codes = chosen_codes(list(instrument.models), arguments.code)
    if arguments.text is not None:
        passage = passage_of_text(instrument, _read_text(arguments.text))
    else:
        passage = passage_of_corpus(instrument, arguments.passage)
    descriptions = {cue.name: cue.description for cue in instrument.codebook.cues}
    explanations = [
        explain(
            instrument.models[code], passage.counts, passage.hits, instrument.codebook,
            arguments.top, by_level=arguments.levels,
        )
        for code in codes
    ]  # fmt: skip
    prose_pieces = marked(passage, explanations, instrument.models)
    if page is not None:
        write_text(page, html_page(passage, explanations, prose_pieces, descriptions))
    note = codebook_note()
    if note:
        print(f"note: {note}", file=sys.stderr)
    terminal = sys.stdout.isatty()
    colour = terminal and not os.environ.get("NO_COLOR")
    width = min(shutil.get_terminal_size((WIDTH, 24)).columns, _WIDEST) if terminal else WIDTH
    shown = terminal_text(passage, explanations, prose_pieces, colour=colour, width=width)
    # Whatever the locale can show is shown.
    encoding = sys.stdout.encoding or "utf-8"
    print(shown.encode(encoding, "backslashreplace").decode(encoding), end="")
    if page is not None:
        print(f"\nwritten: {page}")
    return 0
