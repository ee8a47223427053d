"""``framing classify``: code any table of passages with the trained models of a project.

Rows flow one by one from a reader through :func:`code_rows` to a writer; there is a reader and a
writer a format, and nothing else knows of formats. A row that cannot be coded keeps its place.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import secrets
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from framing.cli.formats import (
    DELIMITERS,
    NOT_UTF8,
    SURROGATE,
    Coded,
    Columns,
    DelimitedWriter,
    JsonlWriter,
    ParquetWriter,
    Row,
    Table,
    Writer,
    added_columns,
    read_delimited,
    read_jsonl,
    read_parquet,
)
from framing.common.pipes import reader_left
from framing.common.problems import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    from framing.classifier.model_file import Prediction
from framing.classifier.apply import Instrument, code_text, load_instrument

STREAM = "-"
"""The name that stands for standard input or output."""

PROVENANCE = Path("results/provenance.json")

SHOWN = 20
"""So many rows with problems are named at the end; all of them are in the column ``problem``."""

DECIMALS = 6

_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl",
             ".parquet": "parquet", ".pq": "parquet"}  # fmt: skip

_STEMS = 200_000  # stems remembered before they are forgotten, so that memory stays constant

_PROBLEM = "problem"

_INTERRUPTED = 130  # what shells report for this signal

_EXAMPLES = """\
examples:
  framing classify speeches.csv --output speeches-coded.csv
  framing classify speeches.tsv --text paragraph --id number --output - > coded.tsv
  zcat speeches.jsonl.gz | framing classify - --format jsonl --output - | gzip > coded.jsonl.gz
  framing classify -d my-project speeches.parquet --output coded.parquet

A table needs a column of ids and one of texts, a passage a row. Added are, for each code of the
codebook, CODE_probability (calibrated) and CODE (1 where the probability reaches the threshold set
in training, else 0); then `unfamiliar` (1 where the passage is unlike those learned from, so that
error rates measured on the sample may not hold for it) and `problem`. A row that cannot be coded
stays in its place, with empty codes and the reason in `problem`.

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


def code_rows(
    code: Callable[[str], Mapping[str, Prediction]], rows: Iterable[Row], seen: SeenIds
) -> Iterator[Coded]:
    """Yield every row once and in order, coded where it can be; hold one at a time.

    ``code`` codes a text (:func:`code_text`). A missing or repeated id is a problem, but the row is
    coded all the same.
    """
    from framing.classifier.features import stem

    for row in rows:
        predictions = None
        problem = row.problem or _text_problem(row.text)
        if not problem:
            try:
                predictions = code(row.text)
            except InputError as error:
                # Without the passage's first words, which its message quotes.
                problem = f"{str(error.problems[0].place).rpartition(': ')[2]} takes too long on it"
        remarks = [problem, _id_problem(row, seen)]
        yield Coded(row, predictions, "; ".join(remark for remark in remarks if remark))
        if row.number % 1000 == 0 and stem.cache_info().currsize > _STEMS:
            stem.cache_clear()


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


# --- files and streams ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """What is to be done: from where (None: standard input), to where (None: output), how."""

    source: Path | None
    target: Path | None
    form: str

    @property
    def place(self) -> str:
        """Return the name of the input for messages."""
        return "standard input" if self.source is None else str(self.source)


def make_order(file: str, output: str, form: str | None, here: Path, force: bool) -> Order:
    """Return what the command line asks for; relative names are taken from ``here``.

    Raises :class:`InputError` where the input is no file, the format cannot be known, or the
    output is the input, exists (without ``force``) or lies in no folder.
    """
    source = None if file == STREAM else here / file
    # Resolved, so that a link is followed and not replaced.
    target = None if output == STREAM else (here / output).resolve()
    problems = []
    if source is not None and (not source.exists() or source.is_dir()):
        what = "is a folder" if source.is_dir() else "does not exist"
        problems.append(Problem(source, what, "Give the file that holds the passages."))
    by_suffix = [_SUFFIXES.get(path.suffix.lower()) for path in (source, target) if path]
    known = list(dict.fromkeys(name for name in by_suffix if name))
    if not form and len(known) != 1:
        what = f"are of two formats, {known[0]} and {known[1]}" if known else "have no known suffix"
        problems.append(Problem("input and output", what, "Give --format; both have the same one."))
    if target is not None:
        problems += _target_problems(source, target, force)
    raise_if_any(problems)
    return Order(source, target, form or known[0])


def _target_problems(source: Path | None, target: Path, force: bool) -> list[Problem]:
    if not target.parent.is_dir():
        return [Problem(target, "lies in a folder that does not exist", "Make the folder.")]
    if not target.exists():
        return []
    if source is not None and source.exists() and source.samefile(target):
        return [Problem(target, "is the input, which is never overwritten", "Name another file.")]
    if not target.is_file():
        return [Problem(target, "is no ordinary file", "Use --output - for a stream.")]
    return [] if force else [Problem(target, "exists", "Give --force to replace it.")]


@contextmanager
def new_file(target: Path) -> Iterator[IO[bytes]]:
    """Give a stream whose content becomes ``target`` at the end; after any exception nothing is.

    Unlike :func:`framing.common.files.write_text` it does not hold the content in memory.
    """
    temporary = target.with_name(f".framing-{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as stream:  # permissions as the user's umask has them
            yield stream
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _input(order: Order) -> Iterator[IO[bytes]]:
    if order.source is None:
        opened: Any = nullcontext(sys.stdin.buffer)
    else:
        try:
            opened = order.source.open("rb")
        except OSError as error:
            raise InputError(
                Problem(order.place, f"cannot be read ({error.strerror})", "Give another file.")
            ) from None
    with opened as stream:
        if order.form == "parquet" and not stream.seekable():
            # Parquet is read from its end.
            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(stream, copy)
                copy.seek(0)
                yield copy
        else:
            yield stream


@contextmanager
def _output(order: Order) -> Iterator[IO[bytes]]:
    if order.target is not None:
        with new_file(order.target) as stream:
            yield stream
    elif order.form == "parquet":
        with tempfile.TemporaryFile() as copy:
            yield copy
            copy.seek(0)
            shutil.copyfileobj(copy, sys.stdout.buffer)
    else:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()


def open_table(stream: IO[bytes], order: Order, columns: Columns) -> Table:
    """Return the table in ``stream``; errors are those of the reader of its format."""
    if order.form == "parquet":
        return read_parquet(stream, columns, order.place)
    size = None
    if stream.seekable():
        start = stream.tell()
        size = stream.seek(0, io.SEEK_END) - start
        stream.seek(start)
    # Lines by readline: to walk over a stream would make tell() impossible.
    lines = iter(stream.readline, b"")
    if order.form == "jsonl":
        table = read_jsonl(lines, columns, order.place)
    else:
        table = read_delimited(lines, DELIMITERS[order.form], columns, order.place)
    if size is None:
        return table
    return replace(table, size=size, done=lambda: stream.tell() - start)


def open_writer(
    stream: IO[bytes], order: Order, columns: Columns, table: Table, codes: Sequence[str]
) -> Writer:
    """Return what writes rows of ``table`` to ``stream`` in the format they came in."""
    if order.form == "parquet":
        return ParquetWriter(stream, table.schema, codes, order.place)
    if order.form == "jsonl":
        return JsonlWriter(stream, columns, codes)
    return DelimitedWriter(stream, DELIMITERS[order.form], table.columns, codes)


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
                self.present[code] = self.present.get(code, 0) + one.decision
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


def classify(order: Order, columns: Columns, instrument: Instrument, *, bar: bool) -> Tally:
    """Do what ``order`` says; return what was seen. ``bar`` shows progress on standard error.

    Raises :class:`InputError` where the input is unusable; then no file is written.
    """
    codes, tally = list(instrument.models), Tally()
    progress = import_module("tqdm").tqdm
    seen = SeenIds()
    try:
        with _input(order) as source:
            table = open_table(source, order, columns)
            with (
                _output(order) as target,
                progress(
                    total=table.size, unit=table.unit, unit_scale=table.unit == "B",
                    disable=not bar, file=sys.stderr, leave=False,
                ) as shown,
            ):  # fmt: skip
                writer = open_writer(target, order, columns, table, codes)
                try:
                    for coded in code_rows(lambda text: code_text(instrument, text), table.rows,
                                           seen):  # fmt: skip
                        writer.write(coded)
                        tally.add(coded)
                        shown.update(table.done() - shown.n if table.done else 1)
                finally:
                    writer.close()
    finally:
        seen.close()
    return tally


def run(arguments: argparse.Namespace) -> int:
    """Run the command in the project's directory; return the exit status."""
    here = Path(getattr(arguments, "called_from", Path.cwd()))
    order = make_order(arguments.file, arguments.output, arguments.format, here, arguments.force)
    instrument = load_instrument()
    columns = Columns(arguments.id, arguments.text, tuple(added_columns(instrument.models)))
    note = codebook_note()
    if note:
        print(f"note: {note}", file=sys.stderr)
    bar = not arguments.quiet and sys.stderr.isatty()
    try:
        tally = classify(order, columns, instrument, bar=bar)
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
