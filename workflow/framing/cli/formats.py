"""Tables of passages, read and written row by row: CSV, TSV, JSON Lines, Parquet.

Readers give rows one at a time, with what their writer needs to carry them along unchanged; nothing
is held but a row, or a batch of Parquet.
"""

from __future__ import annotations

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, Protocol

from framing.common.files import repeated
from framing.common.problems import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    from framing.classifier.model_file import Prediction

DELIMITERS = {"csv": ",", "tsv": "\t"}
_FIELD = 10_000_000  # characters of a field; more is taken for a quotation mark left open
_LOOKED_AT = 100  # lines of JSON that are read ahead to see which columns there are
_BATCH = 8192  # rows of Parquet held at a time, and of a row group that is written
SURROGATE = re.compile("[\ud800-\udfff]")
NOT_UTF8 = "is not valid UTF-8"
_PROBLEM = "problem"
DECIMALS = 6


@dataclass(frozen=True)
class Row:
    """One row of a table: its number from 1 (without the header), the line it begins on, if any.

    ``problem`` says why it cannot be coded (empty where it can), ``carried`` is what the writer of
    the same format needs to carry it along.
    """

    number: int
    line: int | None
    id: Any
    text: Any
    carried: Any = None
    problem: str = ""


@dataclass(frozen=True)
class Coded:
    """A row with its predictions (None where it could not be coded) and what is wrong with it."""

    row: Row
    predictions: Mapping[str, Prediction] | None
    problem: str

    @property
    def unfamiliar(self) -> int:
        """Return 1 where the passage is unlike those learned from, for any code, else 0."""
        return int(any(one.unfamiliar for one in (self.predictions or {}).values()))


def added_columns(codes: Iterable[str]) -> list[str]:
    """Return the names of the columns that coding adds, in order."""
    pairs = [name for code in codes for name in (f"{code}_probability", code)]
    return [*pairs, "unfamiliar", _PROBLEM]


def added_cells(coded: Coded, codes: Iterable[str]) -> list[str]:
    """Return the cells of :func:`added_columns` as text, empty where there is nothing to say."""
    if coded.predictions is None:
        return [*[""] * (len(added_columns(codes)) - 1), coded.problem]
    cells = []
    for code in codes:
        one = coded.predictions[code]
        cells += [f"{one.probability:.{DECIMALS}f}", str(one.decision)]
    return [*cells, str(coded.unfamiliar), coded.problem]


def column_problems(
    columns: Sequence[str], needed: Mapping[str, str], added: Sequence[str], place: str
) -> list[Problem]:
    """Return what makes a table's columns unusable.

    ``needed`` maps the columns that must be there to the options that name them; ``added`` are
    those that coding will add.
    """
    listed = ", ".join(repr(name) for name in columns[:_LOOKED_AT])
    problems = [
        Problem(place, f"has no column {name!r}; it has {listed}", f"Name it by {option}.")
        for name, option in needed.items()
        if name not in columns
    ]
    problems += [
        Problem(place, f"has the column {name!r} twice", "Rename one of them.")
        for name in repeated(columns)
    ]
    problems += [
        Problem(place, f"has a column {name!r}, which coding would add", "Rename or remove it.")
        for name in added
        if name in columns
    ]
    return problems + [
        Problem("codebook", f"has a code that gives the column {name!r} a second time",
                "Rename the code.")
        for name in repeated(added)
    ]  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table that is being read.

    ``columns`` are those of its header (of JSON Lines, which have none, those met so far); ``rows``
    can be walked once; ``done`` says how much was read so far, of ``size`` in ``unit`` (bytes or
    rows; None where it cannot be known). ``schema`` is Parquet's.
    """

    columns: Sequence[str]
    rows: Iterator[Row]
    size: int | None = None
    unit: str = "B"
    done: Callable[[], int] | None = None
    schema: Any = None


class Writer(Protocol):
    """What writes coded rows."""

    def write(self, coded: Coded) -> None:
        """Write one row, or keep it until a batch is full."""

    def close(self) -> None:
        """Write what is left; the stream stays open."""


@dataclass(frozen=True)
class Columns:
    """The columns of ids and of texts, and those that coding adds."""

    id: str
    text: str
    added: tuple[str, ...]

    def check(self, columns: Sequence[str], place: str) -> None:
        """Raise :class:`InputError` where a table with ``columns`` cannot be coded."""
        needed = {self.id: "--id", self.text: "--text"}
        raise_if_any(column_problems(columns, needed, self.added, place))


class _Lines:
    """Lines of a stream, with those of the current record remembered, so that it can be redone."""

    def __init__(self, stream: Iterable[str]) -> None:
        self._stream = iter(stream)
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._stream)
        self._taken.append(line)
        self.number += 1
        return line

    def begin(self) -> int:
        """Begin a record; return the number of its first line."""
        self._taken.clear()
        return self.number + 1

    def keep_first(self) -> str:
        """Return the first line of the record and give back all others."""
        first, rest = self._taken[0], self._taken[1:]
        self._again.extendleft(reversed(rest))
        self.number -= len(rest)
        return first


def read_delimited(stream: Iterable[bytes], delimiter: str, columns: Columns, place: str) -> Table:
    """Return a table of delimited text (RFC 4180); ``stream`` yields lines as bytes.

    Where a quotation mark is left open, the line is one bad row and reading goes on with the next
    line. Raises :class:`InputError` where there is no header or it cannot be used.
    """
    # Bytes that are not UTF-8 become surrogates, which no valid text holds.
    lines = _Lines(raw.decode("utf-8", "surrogateescape") for raw in _without_mark(stream))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise InputError(
            Problem(place, f"has a header that {_not_csv(error)}", "Correct it.", 1)
        ) from None
    if not header:
        raise InputError(Problem(place, "has no header", "Name the columns in the first line.", 1))
    if any(SURROGATE.search(name) for name in header):
        raise InputError(Problem(place, f"{NOT_UTF8} in its header", "Save it as UTF-8.", 1))
    columns.check(header, place)
    return Table(header, _delimited_rows(lines, reader, delimiter, header, columns))


def _without_mark(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines, the first without a byte order mark."""
    for number, line in enumerate(stream):
        yield line if number else line.removeprefix(b"\xef\xbb\xbf")


def _not_csv(error: csv.Error) -> str:
    return f"is not valid CSV ({str(error).partition(' - ')[0]})"  # what follows is for programmers


def _delimited_rows(
    lines: _Lines, reader: Iterator[list[str]], delimiter: str, header: list[str], columns: Columns
) -> Iterator[Row]:
    where = header.index(columns.id), header.index(columns.text)
    width, number = len(header), 0
    usual = csv.field_size_limit(_FIELD)
    try:
        while True:
            line, problem = lines.begin(), ""
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fields = lines.keep_first().rstrip("\r\n").split(delimiter)
                problem = _not_csv(error)
            if not fields:
                continue
            number += 1
            if not problem and len(fields) != width:
                problem = f"has {len(fields)} fields where the header has {width}"
                if len(fields) > width:
                    problem += f", of which the last {len(fields) - width} are left out"
            if not problem and any(SURROGATE.search(field) for field in fields):
                problem = NOT_UTF8
            fields = (fields + [""] * width)[:width]
            name, text = (fields[place] for place in where)
            yield Row(number, line, name, text, fields, problem)
    finally:
        csv.field_size_limit(usual)


class DelimitedWriter:
    """Writes a header and rows by RFC 4180, quoted where needed, in UTF-8 with LF."""

    def __init__(
        self, stream: IO[bytes], delimiter: str, header: Sequence[str], codes: Sequence[str]
    ) -> None:
        self._stream, self._delimiter, self._codes = stream, delimiter, codes
        self._line([*header, *added_columns(codes)])

    def write(self, coded: Coded) -> None:
        """Write one row."""
        self._line([*coded.row.carried, *added_cells(coded, self._codes)])

    def close(self) -> None:
        """Do nothing: every row is written at once."""

    def _line(self, fields: Iterable[str]) -> None:
        line = self._delimiter.join(_quoted(field, self._delimiter) for field in fields) + "\n"
        self._stream.write(SURROGATE.sub("\ufffd", line).encode("utf-8"))


def _quoted(text: str, delimiter: str) -> str:
    # The csv module leaves a lone carriage return unquoted before Python 3.13.
    if any(sign in text for sign in (delimiter, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text


def read_jsonl(stream: Iterable[bytes], columns: Columns, place: str) -> Table:
    """Return a table of JSON Lines; ``stream`` yields lines as bytes.

    Raises :class:`InputError` where none of the first lines has ids and texts, and, at once or
    while rows are read, where a row has a key that coding would add.
    """
    rows = _jsonl_rows(stream, columns, place)
    first = list(islice(rows, _LOOKED_AT))
    # Keys in the order in which they come up; a key left out in some rows is no defect.
    keys = list(dict.fromkeys(chain.from_iterable(keys for _, keys in first)))
    if keys:
        columns.check(keys, place)
    return Table(keys, (row for row, _ in chain(first, rows)))


def _jsonl_rows(
    stream: Iterable[bytes], columns: Columns, place: str
) -> Iterator[tuple[Row, list[str]]]:
    number = 0
    for line, data in enumerate(_without_mark(stream), start=1):
        if not data.strip():
            continue
        number += 1
        try:
            text, problem = data.decode("utf-8"), ""
        except UnicodeDecodeError:
            text, problem = data.decode("utf-8", "replace"), NOT_UTF8
        pairs, defect = _json_object(text)
        content = dict(pairs)
        clash = [name for name in columns.added if name in content]
        if clash:
            raise InputError(
                Problem(place, f"has a key {clash[0]!r}, which coding would add",
                        "Rename or remove it.", line)
            )  # fmt: skip
        row = Row(
            number, line, content.get(columns.id), content.get(columns.text),
            None if defect else text.strip(), problem or defect or _twice(pairs),
        )  # fmt: skip
        yield row, list(content)


def _json_object(text: str) -> tuple[list[tuple[str, Any]], str]:
    """Return the members of a JSON object, repeated ones too, or none and what is wrong."""
    try:
        # A list of pairs can only be an object here: JSON's own lists come back as lists.
        found = json.loads(text, object_pairs_hook=tuple)
    except json.JSONDecodeError as error:
        return [], f"is not valid JSON ({error.msg} at character {error.pos + 1})"
    except (ValueError, RecursionError):  # a number of thousands of digits; nested too deeply
        return [], "is not valid JSON (too long a number, or nested too deeply)"
    if not isinstance(found, tuple):
        return [], "is not a JSON object"
    return list(found), ""


def _twice(pairs: Sequence[tuple[str, Any]]) -> str:
    names = repeated(name for name, _ in pairs)
    return f"has the key {names[0]!r} twice" if names else ""


class JsonlWriter:
    """Writes each object as it came, letter by letter, with the new members at its end."""

    def __init__(self, stream: IO[bytes], columns: Columns, codes: Sequence[str]) -> None:
        self._stream, self._codes = stream, codes
        # In the place of what is no object; its columns are unknown.
        self._empty = json.dumps({columns.id: None, columns.text: None}, ensure_ascii=False)

    def write(self, coded: Coded) -> None:
        """Write one row."""
        names = [json.dumps(name) for name in added_columns(self._codes)]
        *cells, problem = added_cells(coded, self._codes)
        values = [*(cell or "null" for cell in cells), json.dumps(problem or None)]
        members = ", ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
        head = (coded.row.carried or self._empty)[:-1].rstrip()
        comma = "" if head == "{" else ", "
        self._stream.write(f"{head}{comma}{members}}}\n".encode())

    def close(self) -> None:
        """Do nothing: every row is written at once."""


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

    def __init__(self, stream: IO[bytes], schema: Any, codes: Sequence[str], place: str) -> None:
        self._arrow = _pyarrow("pyarrow", place)
        self._codes, self._held = codes, list[Coded]()
        kinds = [*[self._arrow.float64(), self._arrow.int8()] * len(codes),
                 self._arrow.int8(), self._arrow.string()]  # fmt: skip
        for name, kind in zip(added_columns(codes), kinds, strict=True):
            schema = schema.append(self._arrow.field(name, kind))
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
        if coded.predictions is None:
            return [*[None] * (2 * len(self._codes) + 1), coded.problem]
        pairs = [coded.predictions[code] for code in self._codes]
        cells = [cell for one in pairs for cell in (one.probability, one.decision)]
        return [*cells, coded.unfamiliar, coded.problem or None]

    def close(self) -> None:
        """Write what Parquet keeps at the end of a file."""
        self._writer.close()
