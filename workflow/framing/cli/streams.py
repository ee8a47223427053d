"""Where ``framing classify`` reads and writes: files or standard streams, and in which format."""

from __future__ import annotations

import io
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from framing.cli.delimited import DELIMITERS, DelimitedWriter, read_delimited
from framing.cli.formats import Columns, Table, Writer
from framing.cli.json_lines import JsonlWriter, read_jsonl
from framing.cli.parquet import ParquetWriter, read_parquet
from framing.common.problems import InputError, Problem, raise_if_any

STREAM = "-"
"""The name that stands for standard input or output."""

_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl",
             ".parquet": "parquet", ".pq": "parquet"}  # fmt: skip


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
def input_stream(order: Order) -> Iterator[IO[bytes]]:
    """Open what is to be read; Parquet always as a stream that can seek."""
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
def output_stream(order: Order) -> Iterator[IO[bytes]]:
    """Open what is to be written; a file is there when all has been written, or not at all."""
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


def open_writer(stream: IO[bytes], order: Order, columns: Columns, table: Table) -> Writer:
    """Return what writes rows of ``table`` to ``stream`` in the format they came in."""
    if order.form == "parquet":
        return ParquetWriter(stream, table.schema, columns.added, order.place)
    if order.form == "jsonl":
        return JsonlWriter(stream, columns)
    return DelimitedWriter(stream, DELIMITERS[order.form], table.columns, columns.added)
