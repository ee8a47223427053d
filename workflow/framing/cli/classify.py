"""``framing classify``: code any table of passages with the trained models of a project.

Rows flow from a reader through :func:`code_rows`, which codes them a block at a time, to a writer;
there is a reader and a writer a format, and nothing else knows of formats. A row that cannot be
coded keeps its place.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.classifier.apply import load_instrument
from framing.cli.formats import (
    NOT_UTF8,
    SURROGATE,
    Coded,
    Columns,
    Row,
    added_columns,
)
from framing.cli.jobs import number_of_jobs
from framing.cli.streams import (
    Order,
    input_stream,
    make_order,
    open_table,
    open_writer,
    output_stream,
)
from framing.common.pipes import reader_left
from framing.common.problems import InputError

if TYPE_CHECKING:
    from framing.classifier.processes import Blocks
    from framing.classifier.stored import Said

PROVENANCE = Path("results/provenance.json")

SHOWN = 20
"""So many rows with problems are named at the end; all of them are in the column ``problem``."""

DECIMALS = 6

# Rows that are coded together: enough that arrays are worth their making, and few enough that those
# held are a few megabytes. Long passages fill a block sooner, by their signs.
_BLOCK, _BLOCK_SIGNS = 2048, 4_000_000

_PROBLEM = "problem"

_INTERRUPTED = 130  # what shells report for this signal

_EXAMPLES = """\
examples:
  framing classify speeches.csv --output speeches-coded.csv
  framing classify speeches.tsv --text paragraph --id number --output - > coded.tsv
  zcat speeches.jsonl.gz | framing classify - --format jsonl --output - | gzip > coded.jsonl.gz
  framing classify -d my-project speeches.parquet --output coded.parquet

A table needs a column of ids and one of texts, a passage a row. Added are, for each yes/no code of
the codebook, CODE_probability (calibrated) and CODE (1 where the probability reaches the threshold
set in training, else 0); for a code with several levels CODE.LEVEL_probability of each (they add up
to 1) and CODE (the likeliest level); then `unfamiliar` (1 where the passage is unlike those learned
from, so that error rates measured on the sample may not hold for it) and `problem`. A row that
cannot be coded stays in its place, with empty codes and the reason in `problem`.

CSV and TSV follow RFC 4180 (a field with delimiters, quotes or line ends stands in quotes); they
are written with LF line ends and without a byte order mark. Blank lines are passed over.

exit status: 0 done, even where rows have problems; 1 nothing could be coded, or the input is
unusable (then nothing is written); 2 wrong usage
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``classify`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "classify", parents=[common], help="code a table of passages with the trained models",
        description="Code the passages of a table (CSV, TSV, JSON Lines or Parquet) with the "
        "trained models in results/models and the cues of the codebook. All columns are carried "
        "along unchanged and in order. A single passage's code is often wrong (table T3 says how "
        "often), and shares counted from such codes carry these errors: code a random sample of "
        "the new passages by hand before you cite a share.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("file", metavar="FILE", help="the table to code; - for standard input")
    parser.add_argument(
        "--output", "-o", required=True, metavar="FILE",
        help="where to write it, in the format of the input; - for standard output",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=("csv", "tsv", "jsonl", "parquet"),
        help="format of input and output (default: by the suffix)",
    )  # fmt: skip
    parser.add_argument(
        "--text", default="text", metavar="COLUMN", help="column of the texts (default: text)"
    )
    parser.add_argument(
        "--id", default="id", metavar="COLUMN", help="column of the ids (default: id)"
    )
    parser.add_argument(
        "--jobs", "-j", type=number_of_jobs, default=1, metavar="N",
        help="code by so many processes (default: 1); the output is the same",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace an output that exists")
    parser.add_argument(
        "--quiet", "-q", action="store_true",
        help="no progress bar and no summary; rows with problems are still named",
    )  # fmt: skip
    parser.set_defaults(run=run)


def codebook_note(path: Path = PROVENANCE) -> str | None:
    """Return a warning where the results were made with a codebook of other content, else None.

    Names of cues and numbers of patterns are compared strictly (:func:`stale_models`); a changed
    pattern, or a word changed in a description, shows only here.
    """
    from framing.common.paths import CODEBOOK
    from framing.release.manifest import digest_of_files

    try:
        made_with = json.loads(path.read_bytes())["inputs"]["codebook"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if made_with == digest_of_files([CODEBOOK]):
        return None
    return (
        f"{CODEBOOK} was changed since the models were trained. If cues were, run `framing derive` "
        "and `snakemake` first."
    )


# --- coding rows ----------------------------------------------------------------------------------


class SeenIds:
    """The ids met so far, in a temporary file, so that memory does not grow with the table."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
            "CREATE TABLE seen (id BLOB PRIMARY KEY, row INTEGER) WITHOUT ROWID;"
        )

    def first(self, name: Any, row: int) -> int | None:
        """Note an id; return the row that had it before, or None where it is new."""
        key = hashlib.blake2b(str(name).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        added = self._base.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (key, row))
        if added.rowcount:
            return None
        found = self._base.execute("SELECT row FROM seen WHERE id = ?", (key,)).fetchone()
        return int(found[0])

    def close(self) -> None:
        """Forget all ids and give the temporary file back."""
        self._base.close()


def code_rows(code: Blocks, rows: Iterable[Row], seen: SeenIds) -> Iterator[Coded]:
    """Yield every row once and in order, coded where it can be; hold a few blocks at a time.

    ``code`` codes blocks of texts. A missing or repeated id is a problem, but the row is coded all
    the same.
    """
    waiting: deque[list[tuple[Row, str]]] = deque()

    def texts() -> Iterator[list[str]]:
        for block in _blocks(rows):
            waiting.append([(row, row.problem or _text_problem(row.text)) for row in block])
            yield [row.text for row, problem in waiting[-1] if not problem]

    for codings in code(texts()):
        found = iter(codings)
        for row, problem in waiting.popleft():
            predictions: Mapping[str, Said] | None = None
            if not problem:
                coding = next(found)
                if isinstance(coding, InputError):
                    # Without the passage's first words, which its message quotes.
                    cue = str(coding.problems[0].place).rpartition(": ")[2]
                    problem = f"{cue} takes too long on it"
                else:
                    predictions = coding
            other = _id_problem(row, seen)
            yield Coded(
                row, predictions, f"{problem}; {other}" if problem and other else problem or other
            )


def _blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    block: list[Row] = []
    signs = 0
    for row in rows:
        block.append(row)
        signs += len(row.text) if isinstance(row.text, str) else 0
        if len(block) >= _BLOCK or signs >= _BLOCK_SIGNS:
            yield block
            block, signs = [], 0
    if block:
        yield block


def _text_problem(text: Any) -> str:
    if text is None:
        return "text is missing"
    if not isinstance(text, str):
        return "text is not a string"
    if not text.strip():
        return "text is empty"
    return f"text {NOT_UTF8}" if SURROGATE.search(text) else ""


def _id_problem(row: Row, seen: SeenIds) -> str:
    if row.id is None or row.id == "":
        # A row that could not be read has no id either; one reason is enough.
        return "" if row.problem else "id is missing"
    if isinstance(row.id, list | tuple | dict):
        return "id is neither text nor number"
    before = seen.first(row.id, row.number)
    return f"repeats the id of row {before}" if before is not None else ""


# --- the command ----------------------------------------------------------------------------------


@dataclass
class Tally:
    """What a run has seen so far."""

    rows: int = 0
    coded: int = 0
    unfamiliar: int = 0
    wrong: int = 0
    present: dict[str, int] = field(default_factory=dict)
    first_wrong: list[str] = field(default_factory=list)

    def add(self, coded: Coded) -> None:
        """Count one row."""
        self.rows += 1
        self.unfamiliar += coded.unfamiliar
        if coded.predictions is not None:
            self.coded += 1
            for code, one in coded.predictions.items():
                for name, decided in one.counted(code).items():
                    self.present[name] = self.present.get(name, 0) + decided
        if coded.problem:
            self.wrong += 1
            if len(self.first_wrong) < SHOWN:
                row = coded.row
                line = f" (line {row.line})" if row.line is not None else ""
                self.first_wrong.append(f"row {row.number}{line}: {coded.problem}")


def summary(tally: Tally) -> list[str]:
    """Return what was done, a line each."""
    lines = [f"coded {tally.coded} of {tally.rows} rows"]
    lines += [f"  {code}: {number}" for code, number in tally.present.items()]
    if tally.unfamiliar:
        lines.append(f"  unlike the passages learned from: {tally.unfamiliar} (column unfamiliar)")
    return lines


def complaints(tally: Tally) -> list[str]:
    """Return the rows with problems, a line each, the first of them by number."""
    if not tally.wrong:
        return []
    lines = [f"{tally.wrong} row{'s' if tally.wrong > 1 else ''} with problems:"]
    lines += [f"  {line}" for line in tally.first_wrong]
    if tally.wrong > SHOWN:
        lines.append(f"  … and {tally.wrong - SHOWN} more: see the column {_PROBLEM!r}")
    return lines


def classify(order: Order, columns: Columns, code: Blocks, *, bar: bool) -> Tally:
    """Do what ``order`` says; return what was seen. ``bar`` shows progress on standard error.

    Raises :class:`InputError` where the input is unusable; then no file is written.
    """
    tally = Tally()
    progress = import_module("tqdm").tqdm
    seen = SeenIds()
    try:
        with input_stream(order) as source:
            table = open_table(source, order, columns)
            with (
                output_stream(order) as target,
                progress(
                    total=table.size, unit=table.unit, unit_scale=table.unit == "B",
                    disable=not bar, file=sys.stderr, leave=False,
                ) as shown,
            ):  # fmt: skip
                writer = open_writer(target, order, columns, table)
                try:
                    for coded in code_rows(code, table.rows, seen):
                        writer.write(coded)
                        tally.add(coded)
                        if bar:
                            shown.update(table.done() - shown.n if table.done else 1)
                finally:
                    writer.close()
    finally:
        seen.close()
    return tally


def run(arguments: argparse.Namespace) -> int:
    """Run the command in the project's directory; return the exit status."""
    from framing.classifier.processes import coded_by, coded_here

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    order = make_order(arguments.file, arguments.output, arguments.format, here, arguments.force)
    instrument = load_instrument()
    columns = Columns(arguments.id, arguments.text, added_columns(instrument.models.values()))
    note = codebook_note()
    if note:
        print(f"note: {note}", file=sys.stderr)
    bar = not arguments.quiet and sys.stderr.isatty()
    code = coded_by(arguments.jobs) if arguments.jobs > 1 else coded_here(instrument)
    try:
        tally = classify(order, columns, code, bar=bar)
    except KeyboardInterrupt:
        print("Interrupted; no file was written.", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        return reader_left()
    for line in [*([] if arguments.quiet else summary(tally)), *complaints(tally)]:
        print(line, file=sys.stderr)
    if tally.rows and not tally.coded:
        print("Nothing could be coded.", file=sys.stderr)
        return 1
    return 0
