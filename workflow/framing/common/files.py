"""Files at the edge: strict reading of text and tables, atomic writing, digests."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from framing.common.problems import InputError, Problem

LINE = "_line"
"""Name of the column that carries a row's line number in its file (the header is line 1)."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip file can tell
_UNIX = 3  # the system on which a zip file says it was made
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def sha256(data: bytes | str) -> str:
    """Return the hexadecimal SHA-256 digest of bytes, or of a string as UTF-8."""
    return hashlib.sha256(data.encode("utf-8") if isinstance(data, str) else data).hexdigest()


def decode_strictly(data: bytes, place: str | Path) -> str:
    """Return ``data`` as text; it must be UTF-8 without byte order mark, with LF line ends.

    Raises :class:`InputError` naming the line of the first offending byte.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        raise InputError(
            Problem(place, "starts with a byte order mark", "Save it as UTF-8 without BOM.", 1)
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            Problem(place, f"is not UTF-8 (byte {error.start})", "Save it as UTF-8.", line)
        ) from None
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        raise InputError(
            Problem(
                place,
                "has carriage returns (CRLF or CR line ends)",
                "Save it with LF line ends.",
                line,
            )
        )
    return text


def read_bytes(path: Path) -> bytes:
    """Return what a file holds; raise :class:`InputError` where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            Problem(path, "does not exist", "Create it or correct the name.")
        ) from None
    except OSError as error:
        raise InputError(unusable(error, path)) from None


def read_up_to(path: Path, most: int, remedy: str) -> bytes:
    """Return what a file holds, if that is not more than ``most`` bytes.

    Raises :class:`InputError` where it is more, with ``remedy``, and where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            # Not by its stated size: a pipe has none, and a file may grow.
            data = file.read(most + 1)
    except FileNotFoundError:
        raise InputError(Problem(path, "does not exist", "Correct the name.")) from None
    except (OSError, ValueError) as error:  # a name may be none that a file can have
        raise InputError(
            unusable(error if isinstance(error, OSError) else OSError(str(error)), path)
        ) from None
    if len(data) > most:
        raise InputError(too_large(path, path.stat().st_size, most, remedy))
    return data


def too_large(place: str | Path, size: int, most: int, remedy: str) -> Problem:
    """Return the problem that something has more bytes than it may."""
    return Problem(place, f"has {size:,} bytes, more than {most:,}", remedy)


def unusable(error: OSError, path: str | Path = "") -> Problem:
    """Return the problem that a file or folder cannot be read or written."""
    place = error.filename or path or "a file"
    return Problem(
        place,
        f"cannot be read or written ({error.strerror or error})",
        "Put a plain file there and see to its permissions and to space on the disk.",
    )


def read_text(path: Path) -> str:
    """Return the text of a UTF-8, LF, BOM-less file; raise :class:`InputError` otherwise."""
    return decode_strictly(read_bytes(path), path)


def read_table(path: Path, required: Sequence[str], *, extra: bool = False) -> pd.DataFrame:
    """Read a tab-separated table as strings, with a column ``_line`` of line numbers.

    ``required`` columns must be there; others are an error unless ``extra``. Quoting is not used:
    a field may hold anything but a tab or a line end. Raises :class:`InputError` on a missing,
    unknown or repeated column and on rows with too few or too many fields.
    """
    lines = read_text(path).split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    if not lines:
        raise InputError(Problem(path, "is empty", f"Give it the columns {' '.join(required)}."))
    header = lines[0].split("\t")
    problems = [
        Problem(path, f"lacks the column {name!r}", "Add it to the header and every row.", 1)
        for name in required
        if name not in header
    ]
    problems += [
        Problem(path, f"has the column {name!r} twice", "Remove one of them.", 1)
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    if not extra:
        problems += [
            Problem(path, f"has an unknown column {name!r}", "Correct its name or remove it.", 1)
            for name in header
            if name not in required
        ]
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if odd := _CONTROL.search(line):
            problems.append(
                Problem(path, f"holds the control character {odd.group()!r}", "Remove it.", number)
            )
        fields = line.split("\t")
        if len(fields) != len(header):
            problems.append(
                Problem(
                    path,
                    f"has {len(fields)} fields where the header has {len(header)}",
                    "Separate fields by single tabs; leave no empty lines.",
                    number,
                )
            )
            continue
        rows.append([*fields, number])
    if problems:
        raise InputError(problems)
    return pd.DataFrame(rows, columns=[*header, LINE]).astype({LINE: int})


def json_of(text: str, place: str | Path, remedy: str) -> Any:
    """Return what JSON says; raise :class:`InputError` where it is none, or too deep or large."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            Problem(place, f"is not JSON ({error.msg})", remedy, error.lineno)
        ) from None
    except (RecursionError, ValueError) as error:
        raise InputError(Problem(place, f"is not JSON ({error})", remedy)) from None


def table_text(frame: pd.DataFrame, *, sep: str = "\t", decimals: int = 6) -> str:
    """Return a frame as delimited text by the project's one rule for numbers.

    Floats are rounded to ``decimals`` places, half to even, written with exactly that many
    (never ``-0.000000``); missing values are empty; lines end in LF. With tabs nothing is quoted;
    with other separators fields are quoted where RFC 4180 asks for it.
    """
    quote = _as_it_is if sep == "\t" else _quoted
    rows = [frame.columns, *frame.itertuples(index=False, name=None)]
    return "".join(
        sep.join(quote(number_text(value, decimals), sep) for value in row) + "\n" for row in rows
    )


def _as_it_is(cell: str, sep: str) -> str:
    if sep in cell or "\n" in cell or "\r" in cell:
        raise ValueError(f"a field of a tab-separated table holds a tab or line end: {cell!r}")
    return cell


def _quoted(cell: str, sep: str) -> str:
    # Python's csv module leaves a lone carriage return unquoted before 3.13.
    if any(character in cell for character in (sep, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def number_text(value: Any, decimals: int) -> str:
    """Return one cell: floats with ``decimals`` places, missing as empty, others by ``str``."""
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:z.{decimals}f}"
    return str(value)


def json_text(data: Any) -> str:
    """Return ``data`` as JSON with sorted keys, two spaces of indent and a final LF."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, indent=2) + "\n"


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with LF so that ``path`` is either the old or the new whole file."""
    write_bytes(path, text.encode("utf-8"))


def write_if_changed(path: Path, text: str) -> None:
    """Write ``text`` unless the file says so already: its time is that of the last change."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` is either the old or the new whole file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Always the same name: what a killed run leaves behind, the next one replaces.
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def archive(parts: Mapping[str, bytes]) -> bytes:
    """Return a zip file of ``parts`` in their order: the same bytes on every machine, at any time.

    Nothing is compressed, as the bytes of that hang on how zlib was built.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in parts.items():
            part = zipfile.ZipInfo(name, _EARLIEST)
            part.create_system, part.external_attr = _UNIX, 0o644 << 16
            made.writestr(part, data)
    return out.getvalue()


def write_table(path: Path, frame: pd.DataFrame, *, decimals: int = 6) -> None:
    """Write a frame as tab-separated text, atomically (see :func:`table_text`)."""
    write_text(path, table_text(frame, decimals=decimals))


def write_json(path: Path, data: Any) -> None:
    """Write ``data`` as stable JSON, atomically."""
    write_text(path, json_text(data))


def repeated(values: Iterable[str]) -> list[str]:
    """Return the values that occur more than once, in code point order."""
    seen: set[str] = set()
    twice: set[str] = set()
    for value in values:
        (twice if value in seen else seen).add(value)
    return sorted(twice)


def row_problems(
    frame: pd.DataFrame, path: Path, bad: pd.Series, what: Callable[[Any], str], remedy: str
) -> list[Problem]:
    """Return one problem per row of ``frame`` where ``bad`` is true, naming its line."""
    return [Problem(path, what(row), remedy, int(row[LINE])) for _, row in frame[bad].iterrows()]
