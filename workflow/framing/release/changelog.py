"""What moved, in words: the account that ``results/changes.md`` and ``framing diff`` give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from framing.release.causes import Causes, causes
from framing.release.compare import (
    Changes,
    Move,
    TableChanges,
    Value,
    compare,
    difference_text,
    listed,
    rows_of,
)
from framing.release.read_release import Results, Row
from framing.tables.specs import Specs

NOT_PUBLISHED = """\
# What moved

Nothing has been published yet, so there is nothing to compare with: `framing publish` keeps the \
present results as the ones that later runs are compared with.
"""
TSV_COLUMNS = (
    "table", "row", "column", "what", "old", "old_low", "old_high", "new", "new_low", "new_high",
    "difference", "half_widths", "outside",
)  # fmt: skip
_LAST = "results were last published"
_CELLS = ("Table", "Row", "Column", "Old", "New", "Difference", "Half-widths", "Outside")
_TABLES = ("Table", "What it says", "Cells", "Moved", "Outside", "Farthest", "Rows new",
           "Rows gone")  # fmt: skip
_NOTE = """\
Old and New are as in the CSV files, an estimate with its interval; the two count as one cell. \
Half-widths: the difference in half-widths of the old interval. Outside: whether the new value is \
above or below the old interval. Cells with an interval come first, then words, then numbers \
without one, by how much they changed for their size."""
_ALARM = """\
**Nothing that results are made from has changed, and yet they have.** Either they do not come out \
the same on every run, or a file was changed by hand{code}. Do not cite them until \
`framing verify` agrees."""
_ALARM_CODE = ", or the code of the workflow changed"


@dataclass(frozen=True)
class Account:
    """What moved between two sets of results, and why. ``since`` says between which."""

    since: str
    changes: Changes
    causes: Causes

    def markdown(self, limit: int | None = None) -> str:
        """Return the account as Markdown; of each table at most ``limit`` cells and rows."""
        if not self.changes.any:
            return "\n\n".join([f"# Nothing changed {self.since}", *self._unchanged()]) + "\n"
        parts = [f"# What moved {self.since}", *self._summary(), "## Why", *self._why()]
        tables = [table for table in self.changes.tables if table.changed]
        if tables:
            parts += ["## By table", _markdown_table(_TABLES, map(_table_row, tables), _TABLES[2:])]
        moves, rest = listed(self.changes, limit)
        if moves:
            rows = [_cell_row(move) for move in moves]
            parts += [
                "## Cells, the worst first",
                _NOTE,
                _markdown_table(_CELLS, rows, _CELLS[5:7]),
            ]
        if rest:
            left = ", ".join(f"{count:,} of {table}" for table, count in rest.items())
            parts.append(f"Not listed here: {left}. `framing diff --all` lists every cell.")
        return "\n\n".join([*parts, *self._rows(tables, limit)]) + "\n"

    def tsv(self, limit: int | None = None) -> str:
        """Return cells that moved, worst first, then rows that came or went, tab-separated."""
        moves, _ = listed(self.changes, limit)
        rows = [_tsv_row(move) for move in moves]
        for table in self.changes.tables:
            for what, row in list(rows_of(table))[:limit]:
                rows.append((table.id, _row_text(row), "", f"row {what}", *[""] * 9))
        lines = [TSV_COLUMNS, *((_flat(cell) for cell in row) for row in rows)]
        return "".join("\t".join(line) + "\n" for line in lines)

    def _unchanged(self) -> Iterator[str]:
        cells = sum(table.cells for table in self.changes.tables)
        yield f"All {cells:,} cells of {_tables(len(self.changes.tables))} are as they were."
        if self.causes.found:
            yield "What results are made from did change, without moving any cell:"
            yield _bullets([cause.text for cause in self.causes.found])

    def _summary(self) -> Iterator[str]:
        tables = self.changes.tables
        moved = sum(len(table.moves) for table in tables)
        outside = sum(table.outside for table in tables)
        touched = sum(table.changed for table in tables)
        lie = "lies" if outside == 1 else "lie"
        said = [
            f"{moved:,} of {sum(table.cells for table in tables):,} cells changed, in {touched} of "
            f"{_tables(len(tables))}; {outside or 'none'} of them {lie} outside the old interval."
        ]
        rows = [sum(len(getattr(table, name)) for table in tables)
                for name in ("new_rows", "gone_rows")]  # fmt: skip
        if any(rows):
            said.append(f"Rows: {rows[0]:,} new, {rows[1]:,} gone.")
        for what, names in (
            ("Tables new", self.changes.new_tables), ("Tables gone", self.changes.gone_tables),
        ):  # fmt: skip
            if names:
                said.append(f"{what}: {', '.join(names)}.")
        for table in tables:
            for what, names in (("new", table.new_columns), ("gone", table.gone_columns)):
                if names:
                    said.append(f"Columns {what} in {table.id}: {', '.join(names)}.")
        yield " ".join(said)

    def _why(self) -> Iterator[str]:
        if self.causes.found is None:
            yield (
                "One of the two has no provenance.json, the record of what it was made from: what "
                "caused the change cannot be said."
            )
            return
        working = self.causes.at_work
        if working:
            yield _bullets([cause.text for cause in working])
        if len(working) == 1 and self.causes.unknown:
            yield "Nothing else changed of what is on record."
        elif len(working) == 1:
            yield "Nothing else changed that tables are made from: every move below comes from it."
        elif working:
            yield (
                f"These {len(working)} changes came together, so that no cell can be put down to "
                "one of them. To tell them apart, make one at a time, each with a run of "
                "`snakemake`."
            )
        else:
            yield _ALARM.format(code=_ALARM_CODE if self.causes.unknown else "")
        yield from self.causes.unknown
        if self.causes.idle:
            yield "Changed as well, though no cell of a table is made from it:"
            yield _bullets([cause.text for cause in self.causes.idle])

    def _rows(self, tables: Sequence[TableChanges], limit: int | None) -> Iterator[str]:
        lines = []
        for table in tables:
            rows = list(rows_of(table))
            lines += [f"{table.id}, {what}: {_row_text(row)}" for what, row in rows[:limit]]
            if limit is not None and len(rows) > limit:
                lines.append(f"{table.id}: {len(rows) - limit:,} more (`framing diff --all`)")
        if lines:
            yield "## Rows that came and went"
            yield _bullets(lines)


def account(old: Results, new: Results, specs: Specs, since: str = "") -> Account:
    """Return the account of what moved from ``old`` to ``new``, tables described by ``specs``.

    ``since`` goes into the heading; by default it names what ``old`` is called.
    """
    return Account(
        since or f"since {old.name or _LAST}",
        compare(old, new, specs),
        causes(old.provenance, new.provenance),
    )


def _tables(number: int) -> str:
    return "1 table" if number == 1 else f"{number} tables"


def _row_text(row: Row) -> str:
    return " · ".join(part for part in row if part not in ("", "-"))


def _value_text(value: Value) -> str:
    if value.low or value.high:
        return f"{value.text} [{value.low}, {value.high}]"
    return value.text or "(empty)"


def _half_widths(move: Move) -> str:
    if move.by is None:
        return ""
    return str(move.by.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN))


def _side(move: Move) -> str:
    if not move.outside:
        return ""
    return "above" if (move.difference or 0) > 0 else "below"


def _table_row(table: TableChanges) -> Row:
    farthest = max((move for move in table.moves if move.by is not None),
                   key=lambda move: move.by or 0, default=None)  # fmt: skip
    return (
        table.id, table.title, f"{table.cells:,}", f"{len(table.moves):,}", f"{table.outside:,}",
        _half_widths(farthest) if farthest else "", f"{len(table.new_rows):,}",
        f"{len(table.gone_rows):,}",
    )  # fmt: skip


def _cell_row(move: Move) -> Row:
    return (
        move.table.partition("-")[0], _row_text(move.row), move.column.label,
        _value_text(move.old), _value_text(move.new), difference_text(move), _half_widths(move),
        _side(move),
    )  # fmt: skip


def _tsv_row(move: Move) -> Row:
    return (
        move.table, _row_text(move.row), move.column.name, "cell",
        *(text for one in (move.old, move.new) for text in (one.text, one.low, one.high)),
        difference_text(move), _half_widths(move), _side(move),
    )  # fmt: skip


def _flat(text: str) -> str:
    return " ".join(text.split())


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_escaped(line)}" for line in lines)


def _escaped(text: str) -> str:
    """Return text on one line that Markdown shows as it is, also in the cell of a table."""
    text = "".join(f"\\{sign}" if sign in "\\|*<" else sign for sign in _flat(text))
    return text.replace("](", "]\\(")


def _markdown_table(header: Row, rows: Iterable[Row], right: Sequence[str]) -> str:
    """Return a table whose columns are aligned in the source too, those of ``right`` at right."""
    table = [header, *([_escaped(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(header))]
    rules = [
        "-" * (width - 1) + ":" if name in right else "-" * width
        for name, width in zip(header, widths, strict=True)
    ]
    lines = [
        [
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(header, row, widths, strict=True)
        ]
        for row in table
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rules, *lines[1:]])
