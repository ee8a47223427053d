"""Parquet, read and written batch by batch; needs the extra ``parquet``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import IO, Any

from framing.cli.formats import Added, Coded, Columns, Row, Table
from framing.common.problems import InputError, Problem

_BATCH = 8192  # rows of Parquet held at a time, and of a row group that is written


def _pyarrow(name: str, place: str) -> Any:
    # Not a plain import: it is an extra, and has no type information.
    try:
        return import_module(name)
    except ImportError:
        raise InputError(
            Problem(place, "is Parquet, which needs pyarrow", "pip install 'framing[parquet]'.")
        ) from None


def read_parquet(stream: IO[bytes], columns: Columns, place: str) -> Table:
    """Return a table of Parquet, read batch by batch from a stream that can seek.

    Raises :class:`InputError` where pyarrow is missing, the file damaged or a column missing.
    """
    arrow, parquet = _pyarrow("pyarrow", place), _pyarrow("pyarrow.parquet", place)
    with _arrow_errors(arrow, place):
        # Buffered reading: without it a whole column of a row group is in memory.
        file = parquet.ParquetFile(stream, pre_buffer=False, buffer_size=2**20)
        schema, rows = file.schema_arrow, file.metadata.num_rows
    columns.check(schema.names, place)
    read = [0]

    def all_rows() -> Iterator[Row]:
        with _arrow_errors(arrow, place):
            for batch in file.iter_batches(batch_size=_BATCH):
                names, texts = (
                    _values(arrow, batch.column(schema.names.index(column)))
                    for column in (columns.id, columns.text)
                )
                for name, text in zip(names, texts, strict=True):
                    read[0] += 1
                    yield Row(read[0], None, name, text, batch)

    return Table(schema.names, all_rows(), rows, " rows", lambda: read[0], schema)


@contextmanager
def _arrow_errors(arrow: Any, place: str) -> Iterator[None]:
    try:
        yield
    except (arrow.ArrowException, OSError) as error:
        what = str(error).splitlines()[0]
        raise InputError(
            Problem(place, f"cannot be read as Parquet ({what})", "Is it damaged?")
        ) from None


def _values(arrow: Any, array: Any) -> list[Any]:
    """Return the values of a column; strings that are not UTF-8 with surrogates in them."""
    try:
        return list(array.to_pylist())
    except UnicodeDecodeError:
        raw = array.cast(arrow.binary()).to_pylist()
        return [None if one is None else one.decode("utf-8", "surrogateescape") for one in raw]


class ParquetWriter:
    """Writes batches as they were read, with the new columns beside them."""

    def __init__(self, stream: IO[bytes], schema: Any, added: Sequence[Added], place: str) -> None:
        self._arrow = _pyarrow("pyarrow", place)
        self._added, self._held = added, list[Coded]()
        types = {float: self._arrow.float64(), int: self._arrow.int8(), str: self._arrow.string()}
        for name, kind in added:
            schema = schema.append(self._arrow.field(name, types[kind]))
        self._schema = schema
        self._writer = _pyarrow("pyarrow.parquet", place).ParquetWriter(stream, schema)

    def write(self, coded: Coded) -> None:
        """Keep one row; write the batch that it ends."""
        self._held.append(coded)
        batch = coded.row.carried
        if len(self._held) == batch.num_rows:
            fields = list(self._schema)[batch.num_columns :]
            columns = zip(*(self._cells(one) for one in self._held), strict=True)
            added = [
                self._arrow.array(cells, type=field.type)
                for cells, field in zip(columns, fields, strict=True)
            ]
            self._writer.write_table(
                self._arrow.Table.from_arrays([*batch.columns, *added], schema=self._schema)
            )
            self._held.clear()

    def _cells(self, coded: Coded) -> list[Any]:
        values = coded.values
        return [values.get(column.name) for column in self._added]

    def close(self) -> None:
        """Write what Parquet keeps at the end of a file."""
        self._writer.close()
