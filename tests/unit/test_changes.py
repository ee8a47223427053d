"""What moved: known answers on small tables, properties on the committed ones."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from framing.common.problems import InputError
from framing.release.changelog import NOT_PUBLISHED, TSV_COLUMNS, account
from framing.release.compare import (
    compare,
    compare_tables,
    difference_text,
    intervals,
    key_columns,
    listed,
)
from framing.release.read_release import Grid, Results, folder_contents, read_results
from tests.unit.words_read import load_specs

SPECS = load_specs()
T4 = SPECS.tables["T4-prevalence"]
HEADER = tuple(T4.columns)


def t4(*rows: str) -> Grid:
    """T4 from rows as they stand in a CSV file."""
    return Grid(HEADER, tuple(tuple(row.split(",")) for row in rows))


OLD = (
    "cost,council,difference,texts,40,20,9,8,0.200000,0.050000,0.100000,0.300000,0.08,0.33,",
    "cost,residents,difference,texts,60,30,9,9,0.300000,0.050000,0.200000,0.400000,0.18,0.43,",
)


def moved(*rows: str, old: tuple[str, ...] = OLD):
    return compare_tables("T4-prevalence", t4(*old), t4(*rows), T4)


def changed(row: str, **values: str) -> str:
    cells = dict(zip(HEADER, row.split(","), strict=True)) | values
    return ",".join(cells.values())


def results(*rows: str, name: str = "") -> Results:
    return Results(name, {"T4-prevalence": t4(*rows)})


# --- one table ------------------------------------------------------------------------------------


def test_equal_tables_move_nothing_and_an_interval_is_no_cell_of_its_own():
    same = moved(*OLD)
    assert not same.changed
    # Of fifteen columns four are ids, two are the ends of the estimate's interval.
    assert same.cells == 2 * (15 - 4 - 2)


def test_an_estimate_is_measured_in_half_widths_of_its_old_interval():
    (move,) = moved(OLD[0], changed(OLD[1], estimate="0.275000")).moves
    assert move.row == ("cost", "residents", "difference", "texts")
    assert move.column.name == "estimate"
    assert difference_text(move) == "-0.025000"
    assert move.by == Decimal("0.25")
    assert not move.outside


def test_the_ends_of_the_old_interval_lie_inside_and_what_is_beyond_lies_outside():
    for estimate, outside in (("0.400000", False), ("0.400001", True), ("0.199999", True)):
        (move,) = moved(OLD[0], changed(OLD[1], estimate=estimate)).moves
        assert move.outside is outside, estimate


def test_a_new_interval_around_the_same_estimate_is_a_move_that_is_not_outside():
    (move,) = moved(OLD[0], changed(OLD[1], ci_low="0.100000")).moves
    assert (move.difference, move.by, move.outside) == (0, 0, False)
    assert (move.old.low, move.new.low) == ("0.200000", "0.100000")


def test_worst_first_outside_then_lost_then_by_half_widths_then_words_then_plain_numbers():
    old = tuple(changed(OLD[0], group=group) for group in "abcdefg")
    new = (
        changed(old[0], passages="80"),
        changed(old[1], status="few passages"),
        changed(old[2], estimate="0.210000"),
        changed(old[3], estimate="0.400000"),
        changed(old[4], estimate="0.280000"),
        changed(old[5], estimate="", ci_low="", ci_high=""),
        changed(old[6], estimate="0.050000"),
    )
    order = [(move.row[1], move.column.name) for move in moved(*new, old=old).moves]
    assert order == [
        ("d", "estimate"), ("g", "estimate"), ("f", "estimate"), ("e", "estimate"),
        ("c", "estimate"), ("b", "status"), ("a", "passages"),
    ]  # fmt: skip


def test_plain_numbers_are_ordered_by_how_much_they_changed_for_their_size():
    old = (changed(OLD[0], coded="1000", positives="10"),)
    new = (changed(old[0], coded="1100", positives="15"),)
    assert [move.column.name for move in moved(*new, old=old).moves] == ["positives", "coded"]


def test_a_move_from_an_interval_without_width_is_outside_but_not_before_all_others():
    old = (changed(OLD[0], ci_low="0.200000", ci_high="0.200000"), OLD[1])
    new = (changed(old[0], estimate="0.200001"), changed(OLD[1], estimate="0.500000"))
    first, second = moved(*new, old=old).moves
    assert (first.row[1], first.by) == ("residents", 2)
    assert (second.row[1], second.by, second.outside) == ("council", None, True)


def test_rows_are_matched_by_their_ids_whatever_their_order():
    table = moved(OLD[1], changed(OLD[0], group="business"), OLD[0])
    assert table.moves == ()
    assert table.new_rows == (("cost", "business", "difference", "texts"),)
    assert table.gone_rows == ()
    assert moved(OLD[1]).gone_rows == (("cost", "council", "difference", "texts"),)


def test_columns_that_came_or_went_are_named_and_the_others_compared():
    old = Grid(HEADER[:-1], tuple(tuple(row.split(",")[:-1]) for row in OLD))
    table = compare_tables("T4-prevalence", old, t4(changed(OLD[0], coded="21"), OLD[1]), T4)
    assert table.new_columns == ("status",)
    assert [move.column.name for move in table.moves] == ["coded"]
    assert compare_tables("T4-prevalence", t4(*OLD), old, T4).gone_columns == ("status",)


def test_rows_with_the_same_ids_are_matched_in_the_order_they_stand_in():
    table = moved(OLD[0], OLD[0], old=(OLD[0], changed(OLD[0], coded="21")))
    (move,) = table.moves
    assert move.row == ("cost", "council", "difference", "texts", "no. 2")
    assert (move.old.text, move.new.text) == ("21", "20")


def test_an_estimate_never_identifies_a_row():
    """Two rows of one specification, told apart by their estimates alone."""
    spec = SPECS.tables["T16-specifications"]
    columns = tuple(spec.columns)
    base = dict.fromkeys(columns, "x") | {"ci_low": "0.000000", "ci_high": "1.000000"}
    rows = [tuple((base | {"difference": d}).values()) for d in ("0.100000", "0.200000")]
    new = [rows[0], tuple((base | {"difference": "0.300000"}).values())]
    table = compare_tables(spec.id, Grid(columns, tuple(rows)), Grid(columns, tuple(new)), spec)
    (move,) = table.moves
    assert (move.old.text, move.new.text) == ("0.200000", "0.300000")


def test_a_table_that_nothing_describes_is_compared_row_by_row():
    old = Grid(("a", "b"), (("x", "1"), ("y", "2")))
    table = compare_tables("T99-other", old, Grid(("a", "b"), (("x", "1"), ("z", "3"))), None)
    assert [(move.row, move.column.name) for move in table.moves] == [
        (("row 2",), "a"), (("row 2",), "b"),
    ]  # fmt: skip


# --- the tables there are -------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["main", "mini"])
def committed(request: pytest.FixtureRequest, root: Path, mini: Path) -> Results:
    folder = {"main": root, "mini": mini}[request.param] / "results"
    return read_results(folder_contents(folder), folder, "committed")


def test_keys_tell_all_rows_of_the_committed_tables_apart(committed: Results):
    assert set(committed.tables) == set(SPECS.of(["machines"]).tables)
    for name, grid in committed.tables.items():
        keys = key_columns(grid, grid, SPECS.tables[name])
        places = [grid.columns.index(key) for key in keys]
        assert keys, name
        # Rows that stand there twice, word for word, are one.
        assert len({tuple(row[p] for p in places) for row in grid.rows}) == len(set(grid.rows)), (
            name
        )
        outcomes = {"estimate", "difference", "verdict", "reading", "status", "alpha", "cues"}
        assert not outcomes & set(keys), name


def test_what_identifies_a_row_where_ids_alone_do_not(committed: Results):
    def keys(name: str) -> tuple[str, ...]:
        grid = committed.tables[name]
        return key_columns(grid, grid, SPECS.tables[name])

    assert keys("T1-corpus") == ("group", "actor", "period")
    assert keys("T7-essay") == ("passage_id", "code")
    assert keys("T14-learning") == ("code", "share")
    assert keys("T15-calibration") == ("code", "bin")
    assert "thesis" not in keys("T6-contrasts")


def test_every_interval_of_the_tables_is_known_and_no_range_is_taken_for_one():
    found = {name: intervals(spec) for name, spec in SPECS.tables.items()}
    assert found["T4-prevalence"] == {"estimate": ("ci_low", "ci_high")}
    assert found["T6-contrasts"]["ratio"] == ("ratio_low", "ratio_high")
    assert found["T19-association"] == {"odds_ratio": ("or_low", "or_high")}
    assert found["T9-robustness"] == found["T14-learning"] == {}
    for name, spec in SPECS.tables.items():
        ends = {end for pair in found[name].values() for end in pair}
        lows = {column for column in spec.columns if column.endswith(("_low", "_high"))}
        # Second intervals, the jackknife's and that of who coded, are compared as numbers.
        assert lows - ends == {c for c in lows if c.startswith(("jackknife_", "coder_"))}, name


def test_committed_results_against_themselves_moved_nothing(committed: Results):
    found = compare(committed, committed, SPECS)
    assert not found.any
    assert [table.id for table in found.tables][:4] == [
        "T4-prevalence", "T5-trend", "T6-contrasts", "T1-corpus",
    ]  # fmt: skip


@pytest.mark.slow
def test_each_altered_number_of_the_committed_tables_is_found(committed: Results):
    for name, grid in committed.tables.items():
        spec = SPECS.tables[name]
        keys = key_columns(grid, grid, spec)
        ends = {end for pair in intervals(spec).values() for end in pair}
        for place, column in enumerate(grid.columns):
            if column in keys or not any(row[place] for row in grid.rows):
                continue
            at = next(number for number, row in enumerate(grid.rows) if row[place])
            row = list(grid.rows[at])
            row[place] = row[place][:-1] + ("1" if row[place][-1] != "1" else "2")
            rows = (*grid.rows[:at], tuple(row), *grid.rows[at + 1 :])
            (move,) = compare_tables(name, grid, Grid(grid.columns, rows), spec).moves
            estimates = [e for e, pair in intervals(spec).items() if column in pair]
            assert move.column.name in (estimates if column in ends else [column]), (name, column)


# --- the account ----------------------------------------------------------------------------------


def test_nothing_changed_is_said_in_one_heading_and_one_line():
    text = account(results(*OLD, name="1.0"), results(*OLD), SPECS).markdown(50)
    assert text == ("# Nothing changed since 1.0\n\nAll 18 cells of 1 table are as they were.\n")


def test_without_a_label_it_is_since_results_were_last_published():
    text = account(results(*OLD), results(*OLD), SPECS).markdown(50)
    assert text.startswith("# Nothing changed since results were last published\n")


def test_the_account_counts_names_and_shows_what_moved():
    new = (changed(OLD[0], estimate="0.310000"), OLD[1], changed(OLD[1], group="press"))
    text = account(results(*OLD, name="1.0"), results(*new), SPECS).markdown(50)
    assert text.startswith("# What moved since 1.0\n\n1 of 18 cells changed, in 1 of 1 table; 1 of")
    assert "1 of them lies outside the old interval. Rows: 1 new, 0 gone." in text
    (line,) = [line for line in text.splitlines() if line.startswith("| T4  ")]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "T4", "cost · council · difference · texts", "Estimate",
        "0.200000 [0.100000, 0.300000]", "0.310000 [0.100000, 0.300000]", "+0.110000", "1.10",
        "above",
    ]  # fmt: skip
    assert "- T4-prevalence, new: cost · press · difference · texts" in text
    assert "what caused the change cannot be said" in text  # these have no provenance


def test_tables_in_the_text_are_aligned_and_their_cells_cannot_break_out():
    new = (changed(OLD[0], status="a|b *c* <d>"), OLD[1])
    text = account(results(*OLD), results(*new), SPECS).markdown(50)
    assert r"a\|b \*c\* \<d>" in text
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(line) for line in lines}) <= 1


def test_of_each_table_the_worst_are_listed_and_the_rest_counted():
    old = tuple(changed(OLD[0], group=f"g{n}") for n in range(9))
    new = tuple(changed(row, estimate=f"0.2{n}0000") for n, row in enumerate(old))
    found = account(results(*old), results(*new), SPECS)
    moves, rest = listed(found.changes, 3)
    assert [move.row[1] for move in moves] == ["g8", "g7", "g6"]
    assert rest == {"T4-prevalence": 5}  # one of nine did not change
    assert "Not listed here: 5 of T4-prevalence. `framing diff --all`" in found.markdown(3)
    assert "Not listed" not in found.markdown(None)
    assert len(found.tsv(3).splitlines()) == 4
    assert len(found.tsv(None).splitlines()) == 9


def test_rows_that_came_are_listed_up_to_the_limit():
    new = tuple(changed(OLD[0], group=f"g{n}") for n in range(5))
    text = account(results(*OLD), results(*OLD, *new), SPECS).markdown(2)
    assert text.count("- T4-prevalence, new:") == 2
    assert "- T4-prevalence: 3 more (`framing diff --all`)" in text


def test_tables_that_came_or_went_are_a_change():
    new = Results("", {**results(*OLD).tables, "T99-other": Grid(("a",), ())})
    text = account(results(*OLD), new, SPECS).markdown(50)
    assert "Tables new: T99-other." in text
    assert "Tables gone: T99-other." in account(new, results(*OLD), SPECS).markdown(50)


def test_columns_of_the_tsv_read_back():
    new = (changed(OLD[0], estimate="0.310000"), changed(OLD[1], group="press"))
    text = account(results(*OLD), results(*new), SPECS).tsv()
    read = list(csv.DictReader(io.StringIO(text), delimiter="\t", strict=True))
    assert tuple(read[0]) == TSV_COLUMNS
    assert read[0]["old_high"] == "0.300000"
    assert (read[0]["difference"], read[0]["outside"]) == ("+0.110000", "above")
    assert [row["what"] for row in read] == ["cell", "row gone", "row new"]


def test_the_same_results_give_the_same_bytes(committed: Results):
    shuffled = Results(
        committed.name,
        {
            name: Grid(grid.columns, tuple(reversed(grid.rows)))
            for name, grid in reversed(committed.tables.items())
        },
    )
    found = [account(shuffled, committed, SPECS).markdown(5) for _ in range(2)]
    assert found[0] == found[1]
    assert "as they were" in found[0]


def test_nothing_published_is_said_with_what_to_do():
    assert len(NOT_PUBLISHED.splitlines()) == 3
    assert "`framing publish`" in NOT_PUBLISHED


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ({}, "holds no result tables"),
        ({"tables/T4-prevalence.csv": b"a,b\n1\n"}, "row 1 has 1 fields, the header has 2"),
        ({"tables/T4-prevalence.csv": b"a,a\n"}, "a column twice"),
        ({"tables/T4-prevalence.csv": b""}, "has no header"),
        ({"tables/T4-prevalence.csv": b"a\xff\n"}, "is not UTF-8"),
        ({"tables/T1-corpus.csv": b"a\n", "provenance.json": b"[1]"}, "is no record"),
        ({"tables/T1-corpus.csv": b"a\n", "provenance.json": b'{"inputs": {"a": 1}}'},
         "is no record"),
        ({"tables/T1-corpus.csv": b"a\n", "provenance.json": b"{"}, "is no record"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(contents: dict[str, bytes], said: str):
    with pytest.raises(InputError, match=said) as caught:
        read_results(contents, "somewhere", "")
    assert "somewhere" in str(caught.value)


def test_everything_unreadable_is_named_at_once():
    contents = {"tables/T1-corpus.csv": b"", "provenance.json": b"{"}
    with pytest.raises(InputError) as caught:
        read_results(contents, "somewhere", "")
    assert len(caught.value.problems) == 2
