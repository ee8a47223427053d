"""All result tables as one workbook: a README sheet, and a sheet a table.

Sheets hold what the CSV files hold, numbers as numbers with all their decimals. Whatever a text is,
it stays a text: nothing becomes a formula or a link. The same tables give the same bytes anywhere:
no date, name or place enters, and parts are stored, as their compression would depend on a library.
"""

from __future__ import annotations

import csv
import io
import math
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from framing.common.files import archive
from framing.tables.captions import Edition
from framing.tables.keys import key_of, short
from framing.tables.kinds import NUMERIC
from framing.tables.specs import Column, TableSpec

README = "README"
LONGEST = 32_767  # characters that a cell may hold
CUT = " […]"
_LONGEST_NAME = 31  # characters that the name of a sheet may have
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # a date is asked for
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_RISKY = ("=", "+", "-", "@", "\t")  # would be a formula if typed
_NARROWEST, _WIDEST, _DESCRIBED = 9, 42, 6  # characters, characters, lines
_LINE, _TALLEST = 15.0, 409.0  # points: a line of text, the tallest row there can be
_README_WIDTHS = (16, 40, 70, 9, 18)


def workbook(texts: Mapping[str, str], words: Edition) -> bytes:
    """Return the workbook of all tables; ``texts`` maps a table's id to its CSV text.

    Raises :class:`ValueError` where a text does not have the columns described for its table.
    """
    buffer = io.BytesIO()
    book = Workbook(buffer, _OPTIONS)
    title = clean(words.context["title"])
    book.set_properties({"title": title, "created": _CREATED})
    forms = _Forms(book)
    specs = {name: words.specs.tables[name] for name in texts}
    sheets = {name: _sheet_name(name) for name in specs}
    readme = book.add_worksheet(README)
    _write_readme(readme, forms, texts, sheets, words)
    for name, spec in specs.items():
        sheet = book.add_worksheet(sheets[name])
        _write_table(sheet, forms, texts[name], spec, words)
    book.close()
    # Packed anew: the library's own archive hangs on the machine.
    with zipfile.ZipFile(buffer) as made:
        return archive({name: made.read(name) for name in made.namelist()})


@lru_cache(maxsize=1 << 14)  # cells of a column say the same again and again
def clean(text: str) -> str:
    """Return a text that a cell can hold: no control characters, not too long, or cut with a mark.

    Excel counts characters beyond the first 65,536 twice.
    """
    text = _FORBIDDEN.sub("", text)
    if _units(text) <= LONGEST:
        return text
    kept = text.encode("utf-16-le")[: 2 * (LONGEST - len(CUT))].decode("utf-16-le", "ignore")
    return kept + CUT


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _sheet_name(table: str) -> str:
    return table if len(table) <= _LONGEST_NAME else short(table)


class _Forms:
    """How cells look."""

    def __init__(self, book: Workbook) -> None:
        top = {"valign": "top"}
        wrapped = {**top, "text_wrap": True}
        self.title = book.add_format({**top, "bold": True, "font_size": 14})
        self.head = book.add_format({**top, "bold": True, "bottom": 1})
        self.number_head = book.add_format({**top, "bold": True, "bottom": 1, "align": "right"})
        self.described = book.add_format({**wrapped, "italic": True, "font_color": "#555555"})
        self.wrapped = book.add_format(wrapped)
        self.text = book.add_format(top)
        # Stays a text when somebody opens the cell and leaves it again.
        self.risky = book.add_format({**top, "quote_prefix": True})
        self.risky_wrapped = book.add_format({**wrapped, "quote_prefix": True})
        self.link = book.add_format({**top, "font_color": "#0563C1", "underline": 1})
        self.integer = book.add_format({**top, "num_format": "0"})
        self.number = book.add_format({**top, "num_format": "0.000000"})


def _write(sheet: Worksheet, row: int, column: int, text: str, form: Format, risky: Format) -> None:
    """Write a text as a text."""
    text = clean(text)
    if text:
        sheet.write_string(row, column, text, risky if text.startswith(_RISKY) else form)


# --- a table --------------------------------------------------------------------------------------


def _write_table(
    sheet: Worksheet, forms: _Forms, text: str, spec: TableSpec, words: Edition
) -> None:
    """Write title, caption, descriptions, names of columns, rows, and the notes below."""
    header, *rows = csv.reader(io.StringIO(text))
    if header != list(spec.columns):
        raise ValueError(f"{spec.id}: columns are not those described")
    columns = list(spec.columns.values())
    widths = [_width(column, [row[n] for row in rows]) for n, column in enumerate(columns)]
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    last = len(columns) - 1
    _write(sheet, 0, 0, f"{spec.id}: {spec.title}", forms.title, forms.title)
    _write_across(sheet, 1, last, spec.caption, forms, sum(widths))
    described = [f"{column.label}: {column.description}" for column in columns]
    sheet.set_row(2, _height(max(map(_lines, described, widths))))
    for place, (column, words_) in enumerate(zip(columns, described, strict=True)):
        _write(sheet, 2, place, words_, forms.described, forms.described)
        head = forms.number_head if column.kind in NUMERIC else forms.head
        _write(sheet, 3, place, column.name, head, head)
    sheet.freeze_panes(4, 0)
    for number, row in enumerate(rows, start=4):
        for place, (value, column) in enumerate(zip(row, columns, strict=True)):
            _write_value(sheet, number, place, value, column, forms)
    end = 4 + len(rows)
    if rows:
        sheet.autofilter(3, 0, end - 1, last)
    below = [
        f"Note. {spec.note}", words.standing, words.specs.phrases["licence"],
        f"Key of this table: {key_of(spec.id, text)}",
    ]  # fmt: skip
    for number, paragraph in enumerate(below, start=end + 1):
        _write_across(sheet, number, last, paragraph, forms, sum(widths))


def _write_value(
    sheet: Worksheet, row: int, place: int, value: str, column: Column, forms: _Forms
) -> None:
    if column.kind == "integer" and value:
        sheet.write_number(row, place, int(value), forms.integer)
    elif column.kind in NUMERIC and value:
        sheet.write_number(row, place, float(value), forms.number)
    else:
        _write(sheet, row, place, value, forms.text, forms.risky)


def _write_across(
    sheet: Worksheet, row: int, last: int, text: str, forms: _Forms, width: float
) -> None:
    """Write a paragraph over the whole width of a table."""
    text = clean(text)
    form = forms.risky_wrapped if text.startswith(_RISKY) else forms.wrapped
    if last:
        # The first cell is written anew, as merging would look what the text may stand for.
        sheet.merge_range(row, 0, row, last, "", form)
    _write(sheet, row, 0, text, form, form)
    sheet.set_row(row, _height(_lines(text, width)))


def _width(column: Column, values: Iterable[str]) -> int:
    """Return the width of a column, in characters, that shows most of it."""
    described = len(f"{column.label}: {column.description}") / _DESCRIBED
    longest = max(map(len, values), default=0)
    return math.ceil(min(max(_NARROWEST, len(column.name) + 3, described, longest), _WIDEST))


def _lines(text: str, width: float) -> int:
    """Return how many lines a text takes, words not being broken."""
    return max(1, math.ceil(1.15 * len(text) / width))


def _height(lines: int) -> float:
    return min(_LINE * lines, _TALLEST)


# --- the README sheet -----------------------------------------------------------------------------


def _write_readme(
    sheet: Worksheet, forms: _Forms, texts: Mapping[str, str], sheets: Mapping[str, str],
    words: Edition,
) -> None:  # fmt: skip
    """Write what this is, the list of tables with links, how to cite, and every column."""
    for place, width in enumerate(_README_WIDTHS):
        sheet.set_column(place, place, width)
    across, last = sum(_README_WIDTHS), len(_README_WIDTHS) - 1
    _write(sheet, 0, 0, words.context["title"], forms.title, forms.title)
    row = 1
    for text in _opening(words):
        _write_across(sheet, row, last, text, forms, across)
        row += 1
    row = _heading(sheet, forms, row + 1, "Tables", ("Table", "Title", "Note", "Rows", "Key"))
    for name, text in texts.items():
        spec = words.specs.tables[name]
        rows = sum(1 for _ in csv.reader(io.StringIO(text))) - 1
        sheet.write_url(row, 0, f"internal:'{sheets[name]}'!A1", forms.link, name)
        _write(sheet, row, 1, spec.title, forms.wrapped, forms.risky_wrapped)
        _write(sheet, row, 2, spec.note, forms.wrapped, forms.risky_wrapped)
        sheet.write_number(row, 3, rows, forms.integer)
        _write(sheet, row, 4, key_of(name, text), forms.text, forms.risky)
        tallest = max(_lines(spec.title, _README_WIDTHS[1]), _lines(spec.note, _README_WIDTHS[2]))
        sheet.set_row(row, _height(tallest))
        row += 1
    row = _heading(sheet, forms, row + 1, "How to cite", ())
    for text in _citing(words):
        _write_across(sheet, row, last, text, forms, across)
        row += 1
    row = _heading(sheet, forms, row + 1, "Columns", ("Table", "Column", "Description", "Kind"))
    for name in texts:
        for column in words.specs.tables[name].columns.values():
            cells = (name, column.name, column.description, column.kind)
            for place, cell in enumerate(cells):
                _write(sheet, row, place, cell, forms.wrapped, forms.risky_wrapped)
            sheet.set_row(row, _height(_lines(column.description, _README_WIDTHS[2])))
            row += 1


def _heading(sheet: Worksheet, forms: _Forms, row: int, title: str, heads: Sequence[str]) -> int:
    """Write a heading and the heads of what follows; return the next free row."""
    _write(sheet, row, 0, title, forms.title, forms.title)
    for place, head in enumerate(heads):
        _write(sheet, row + 1, place, head, forms.head, forms.head)
    return row + 1 + bool(heads)


def _opening(words: Edition) -> list[str]:
    return [
        words.context["question"],
        "The result tables of this project, a sheet a table. Each sheet has the table's title and "
        "caption, a row that describes its columns, their names as in the CSV files, all rows, and "
        "the notes. Numbers have all the decimals of the CSV files; an empty cell is a missing "
        "value, and the column status says why.",
        words.standing,
        words.specs.phrases["licence"],
    ]


def _citing(words: Edition) -> list[str]:
    return [
        f"Name the project ({words.context['title']}), the table, and its key, which stands for "
        "these very numbers. `framing cite T4` writes the sentence and an entry for BibTeX; "
        "`framing verify T4 --file COPY.csv` says whether a copy of a table is the one of this "
        "release, and `framing verify --key KEY` finds a key again.",
    ]
