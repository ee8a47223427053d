"""``framing verify TABLE``: this release's table, a copy of it, another's, or a changed one."""

from __future__ import annotations

import csv
import io
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.cli.main import main
from framing.common.files import sha256, write_text
from framing.common.problems import InputError
from framing.release.copies import Finding, against, read_copy
from framing.release.manifest import manifest
from framing.release.read_release import Grid
from framing.tables.kinds import NUMERIC
from tests.unit.words_read import load_specs

SPECS = load_specs()
T4 = SPECS.tables["T4-prevalence"]
NAME = "tables/T4-prevalence.csv"
FLOATS = ("estimate", "se", "ci_low", "ci_high")

Verify = Callable[..., int]
Rows = list[list[str]]


@pytest.fixture
def project(mini: Path, tmp_path: Path) -> Path:
    """The example with tables and manifest, under git."""
    target = tmp_path / "project"
    shutil.copytree(mini / "config", target / "config")
    for path in sorted((mini / "results" / "tables").glob("*.csv")):
        (target / "results" / "tables").mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target / "results" / "tables")
    list_results(target)
    return target


@pytest.fixture
def verify(project: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    monkeypatch.chdir(project)
    # Wherever temporary folders lie, they are in no repository but the tests' own.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parents[1]))
    return lambda *arguments: main(["verify", *map(str, arguments)])


def list_results(project: Path) -> None:
    listed = manifest(project / "results").to_csv(sep="\t", index=False, lineterminator="\n")
    write_text(project / "results" / "manifest.tsv", listed)


def git(project: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=project, check=True, capture_output=True)


def rows_of(path: Path) -> Rows:
    return list(csv.reader(io.StringIO(path.read_text("utf-8"))))


def write(path: Path, rows: Rows, **how) -> Path:
    buffer = io.StringIO()
    csv.writer(buffer, **{"lineterminator": "\n", **how}).writerows(rows)
    path.write_bytes(buffer.getvalue().encode("utf-8"))
    return path


def rounded(rows: Rows, decimals: int, columns: Sequence[str] = FLOATS) -> Rows:
    places = [rows[0].index(name) for name in columns]
    return [rows[0], *(
        [f"{Decimal(cell):.{decimals}f}" if place in places and cell else cell
         for place, cell in enumerate(row)]
        for row in rows[1:]
    )]  # fmt: skip


def only(rows: Rows, columns: Sequence[str], **values: str) -> Rows:
    header = rows[0]
    kept = [row for row in rows[1:] if all(row[header.index(n)] == v for n, v in values.items())]
    return [[row[header.index(name)] for name in columns] for row in [header, *kept]]


def grid(rows: Rows) -> Grid:
    return Grid(tuple(rows[0]), tuple(map(tuple, rows[1:])))


def finding(table: Rows, copy: Rows, **how) -> Finding:
    buffer = io.StringIO()
    csv.writer(buffer, **how).writerows(copy)
    release = grid(table)
    return against(read_copy(buffer.getvalue().encode(), "copy.csv", release, T4), release, T4)


@pytest.fixture(scope="module")
def t4(mini: Path) -> Rows:
    return rows_of(mini / "results" / NAME)


# --- a copy that is one ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        {"delimiter": ";"}, {"delimiter": "\t"}, {"quoting": csv.QUOTE_ALL},
        {"lineterminator": "\r\n"}, {"lineterminator": "\r"},
    ],
)  # fmt: skip
def test_other_separators_quotes_and_line_ends_are_the_same_values(t4, how):
    assert finding(t4, t4, **how).whole


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings_are_the_same_values(t4, encoding):
    place = t4[0].index("status")
    table = [t4[0], *([*row[:place], "é–"] for row in t4[1:])]
    data = "\n".join(",".join(row) for row in table).encode(encoding)
    assert against(read_copy(data, "c", grid(table), T4), grid(table), T4).whole


def test_order_of_rows_and_columns_and_row_numbers_do_not_matter(t4):
    shuffled = t4[1:]
    random.Random(1).shuffle(shuffled)
    order = [*range(1, len(t4[0])), 0]
    copy = [["", *(t4[0][n] for n in order)]]
    copy += [[str(k), *(row[n] for n in order)] for k, row in enumerate(shuffled)]
    assert finding(t4, copy).whole


def test_row_numbers_without_a_head_are_no_column(t4):
    copy = [t4[0], *([str(number), *row] for number, row in enumerate(t4[1:], start=1))]
    assert finding(t4, copy, delimiter="\t").whole


@pytest.mark.parametrize("missing", ["NA", "NaN", "None", " "])
def test_missing_values_may_be_written_otherwise(t4, missing):
    copy = [[cell or missing for cell in row] for row in t4]
    assert finding(t4, copy).whole


def test_numbers_may_be_written_otherwise(t4):
    places = [t4[0].index(name) for name in FLOATS]
    counts = t4[0].index("coded")
    copy = [t4[0]]
    for row in t4[1:]:
        line = list(row)
        for place in places:
            if line[place]:
                line[place] = f"{Decimal(line[place]):.6e}".replace("e", "E")
        line[counts] += ".0"
        copy.append(line)
    assert finding(t4, copy).whole
    # As binary numbers may come out.
    assert finding(t4, [[c + "00000001" if "." in c else c for c in row] for row in t4]).whole


def test_a_decimal_comma_is_one_where_semicolons_separate(t4):
    copy = [[cell.replace(".", ",") for cell in row] for row in t4]
    assert finding(t4, copy, delimiter=";").whole


@pytest.mark.parametrize("decimals", [1, 2, 3, 5])
def test_rounding_is_told_from_change(t4, decimals):
    copy = rounded(t4, decimals)
    found = finding(t4, copy)
    noun = "decimal" if decimals == 1 else "decimals"
    assert found.holds and not found.whole
    assert set(found.rounded.values()) == {f"{decimals} {noun}"}
    assert set(found.rounded) <= set(FLOATS)
    place = t4[0].index("estimate")
    # One unit of the last place is a change.
    copy[1][place] = f"{Decimal(copy[1][place]) + Decimal(1).scaleb(-decimals)}"
    (changed,) = finding(t4, copy).changed
    assert (changed.column, changed.old) == ("estimate", t4[1][place])


def test_fewer_decimals_than_the_rest_of_a_column_are_a_change_unless_zeros_were_dropped(t4):
    copy = rounded(t4, 3)
    place = t4[0].index("estimate")
    ends_in_zero = next(row for row in copy[1:] if row[place].endswith("0"))
    ends_in_zero[place] = ends_in_zero[place].rstrip("0")
    assert finding(t4, copy).holds
    other = next(row for row in copy[1:] if row[place][-1] in "234")
    other[place] = other[place][:-1]
    (changed,) = finding(t4, copy).changed
    assert changed.new == other[place] + "0" * (6 - len(other[place].partition(".")[2]))


def test_significant_digits_are_rounding_too(t4):
    places = [t4[0].index(name) for name in FLOATS]
    copy = [t4[0], *(
        [f"{float(c):.2g}" if n in places and c else c for n, c in enumerate(row)] for row in t4[1:]
    )]  # fmt: skip
    found = finding(t4, copy)
    assert found.holds
    assert found.rounded["se"] == "2 significant digits"


def test_a_small_p_value_may_be_said_to_be_small():
    header = ["code_a", "code_b", "group", "passages", "p_value"]
    spec = SPECS.tables["T19-association"]
    table = grid([header, ["a", "b", "all", "40", "0.000400"], ["a", "b", "x", "9", "0.040000"]])
    data = "code_a,code_b,group,passages,p_value\na,b,all,40,<0.001\na,b,x,9,{}\n"
    good = read_copy(data.format("0.040").encode(), "c", table, spec)
    assert against(good, table, spec).holds
    wrong = read_copy(data.format("<0.001").encode(), "c", table, spec)
    (changed,) = against(wrong, table, spec).changed
    assert (changed.row, changed.new) == (("a", "b", "x"), "<0.001")


def test_rows_and_columns_may_be_left_out(t4):
    columns = ["code", "group", "estimator", "target", "estimate"]
    found = finding(t4, only(t4, columns, group="all"))
    assert found.holds and not found.whole
    assert set(found.columns_left_out) == set(t4[0]) - set(columns)
    assert found.rows_left_out == len(t4) - 1 - found.rows > 0
    assert not found.only


@given(st.sampled_from(["difference", "labels only"]), st.sampled_from(["texts", "corpus"]))
@settings(max_examples=4, deadline=None)
def test_columns_that_tell_rows_apart_may_be_left_out_with_all_but_one_value(t4, estimator, target):
    columns = ["code", "group", "estimate", "ci_low"]
    copy = only(t4, columns, estimator=estimator, target=target)
    found = finding(t4, rounded(copy, 2, columns[2:]))
    assert found.holds
    assert found.only == ({"estimator": estimator, "target": target},)
    copy[1][2] = "0.987654"
    (changed,) = finding(t4, copy).changed
    assert (changed.row, changed.new) == (tuple(copy[1][:2]), "0.987654")


@pytest.mark.slow
def test_every_committed_table_is_found_in_a_copy_of_it_in_other_form(mini):
    for path in sorted((mini / "results" / "tables").glob("*.csv")):
        rows = rows_of(path)
        spec = SPECS.tables[path.stem]
        shuffled = rows[1:]
        random.Random(2).shuffle(shuffled)
        floats = [
            n
            for n, name in enumerate(rows[0])
            if spec.columns[name].kind in NUMERIC and spec.columns[name].kind != "integer"
        ]
        copy = rounded([rows[0], *shuffled], 4, [rows[0][n] for n in floats])  # fmt: skip
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=";", lineterminator="\r\n").writerows(copy)
        data = b"\xef\xbb\xbf" + buffer.getvalue().encode()
        found = against(read_copy(data, path.stem, grid(rows), spec), grid(rows), spec)
        assert found.holds, (path.stem, found.changed[:2], found.new_rows[:2])
        assert found.rows == len(rows) - 1


# --- a copy that is none --------------------------------------------------------------------------


@pytest.mark.slow
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_changed_cell_is_found(t4, data):
    number = data.draw(st.integers(1, len(t4) - 1))
    name = data.draw(st.sampled_from(["coded", "positives", *FLOATS, "status"]))
    place = t4[0].index(name)
    copy = [list(row) for row in t4]
    copy[number][place] = "0.987654" if name in FLOATS else "987"
    found = finding(t4, copy)
    assert [(c.column, c.old) for c in found.changed] == [(name, t4[number][place])]
    assert found.changed[0].row == tuple(t4[number][:4])


def test_a_value_that_was_taken_out_or_put_in_is_a_change(t4):
    place = t4[0].index("estimate")
    copy = [list(row) for row in t4]
    copy[1][place] = ""
    (changed,) = finding(t4, copy).changed
    assert (changed.old, changed.new) == (t4[1][place], "")
    (changed,) = finding(copy, t4).changed
    assert (changed.old, changed.new) == ("", t4[1][place])


def test_rows_and_columns_that_the_table_does_not_have_are_found(t4):
    renamed = [t4[0], ["cost", "mayors", *t4[1][2:]], *t4[2:]]
    found = finding(t4, renamed)
    assert not found.holds and found.new_rows == (("cost", "mayors", *t4[1][2:4]),)
    twice = finding(t4, [*t4, t4[1]])
    assert not twice.holds and len(twice.new_rows) == 1
    wider = finding(t4, [[*row, "x"] for row in t4])
    assert not wider.holds and wider.new_columns == ("x",)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b\n1,2\n", "none of the table's columns"),
        (b"code,group,code\n1,2,3\n", "'code' twice"),
        (b"code,group\n1,2\n1,2,3\n1\n", "row 3 has 3 fields"),
        (b"\xff\xfea", "is no text"),
        (b"\x81\x8d", "is no text"),
    ],
)
def test_what_is_no_table_is_told_so(t4, data, said):
    with pytest.raises(InputError, match=said):
        read_copy(data, "copy.csv", grid(t4), T4)


# --- the command ----------------------------------------------------------------------------------


def test_a_table_is_that_of_the_manifest_or_not(project, verify, capsys):
    digest = sha256((project / "results" / NAME).read_bytes())
    assert verify("T4") == 0
    assert f"is the table of this release (key T4-{digest[:12]})" in capsys.readouterr().out
    (project / "results" / NAME).unlink()
    assert verify("T4-prevalence") == 1
    assert "is missing" in capsys.readouterr().out


def test_a_table_changed_by_hand_is_held_against_the_committed_one(project, verify, capsys, t4):
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "results")
    changed = [list(row) for row in t4]
    changed[1][t4[0].index("coded")] = "999"
    write(project / "results" / NAME, changed)
    assert verify("T4") == 1
    said = capsys.readouterr().out
    assert "is not the table that results/manifest.tsv lists" in said
    assert f"{', '.join(t4[1][:4])}; coded: {t4[1][t4[0].index('coded')]} → 999" in said


@pytest.mark.slow
def test_a_copy_is_told_from_the_table_in_words_and_status(project, verify, capsys, t4, tmp_path):
    copy = tmp_path / "copy.csv"
    shutil.copy(project / "results" / NAME, copy)
    assert verify("T4", "--file", copy) == 0
    assert "byte for byte" in capsys.readouterr().out
    write(copy, t4, delimiter=";")
    assert verify("T4", "--file", copy) == 0
    assert "the same values, written otherwise" in capsys.readouterr().out
    # Where the case study is not in the group, estimates are the same for both targets.
    columns = ["code", "group", "estimate"]
    part = only(t4, columns, estimator="difference", target="texts", group="council")
    write(copy, rounded(part, 2, ["estimate"]))
    assert verify("T4", "--file", copy) == 0
    said = capsys.readouterr().out
    both = [f"estimator=difference, target={target}" for target in ("corpus", "texts")]
    assert f"it has those with {' or with '.join(both)}" in said
    assert "columns left out: estimator, target" in said
    assert "rounded to 2 decimals: estimate" in said
    place = t4[0].index("passages")
    write(copy, [t4[0], *([*row[:place], "7", *row[place + 1 :]] for row in t4[1:])])
    assert verify("T4", "--file", copy) == 1
    said = capsys.readouterr().out
    assert "nor of another known here" in said
    assert f"changed: {len(t4) - 1} of {(len(t4) - 1) * len(t4[0])} cells" in said
    assert said.count("passages: ") == 20 and f"and {len(t4) - 21} more" in said


@pytest.mark.slow
def test_a_copy_of_another_release_is_named(project, verify, capsys, t4, tmp_path):
    """First by a tag, then by a revision, then by what was published."""
    table = project / "results" / NAME
    versions = []
    for number, value in enumerate(("0.111111", "0.222222", "0.333333")):
        rows = [list(row) for row in t4]
        rows[1][t4[0].index("estimate")] = value
        versions.append(write(tmp_path / f"{number}.csv", rows))
    git(project, "init", "-q")
    for number, version in enumerate(versions[:2]):
        shutil.copy(version, table)
        git(project, "add", "results/tables")
        git(project, "commit", "-qm", str(number))
        if number == 0:
            git(project, "tag", "v1")
    shutil.copytree(project / "results" / "tables", project / "published" / "tables")
    shutil.copy(versions[2], project / "published" / NAME)
    write_text(project / "published" / "label.txt", "First edition\n")
    write(table, t4)
    list_results(project)
    names = ["tag v1", "revision ", "the published results “First edition”"]
    for version, name in zip(versions, names, strict=True):
        assert verify("T4", "--file", version) == 1
        said = capsys.readouterr().out
        assert f"is T4-prevalence of {name}" in said and "byte for byte" in said
        assert "It is not that of this release" in said
        assert f"estimate: {t4[1][t4[0].index('estimate')]} → 0." in said
        key = f"T4-{sha256(version.read_bytes())[:12]}"
        assert verify("--key", key) == 1
        assert f"It is that of {name}" in capsys.readouterr().out
    # Rounded, it is still that of the revision.
    write(versions[0], rounded(rows_of(versions[0]), 3), delimiter=";")
    assert verify("T4", "--file", versions[0]) == 1
    said = capsys.readouterr().out
    assert "is T4-prevalence of tag v1" in said and "rounded to 3 decimals" in said


def test_a_key_is_looked_up(project, verify, capsys):
    digest = sha256((project / "results" / NAME).read_bytes())
    assert verify("--key", f"T4-{digest[:12]}") == 0
    assert verify("T4", "--key", f"T4-{digest}") == 0
    capsys.readouterr()
    assert verify("--key", "T4-000000000000") == 1
    assert f"which is T4-{digest[:12]}, and not of" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--file", "x.csv"], "without the table"),
        (["T4", "--file", "absent.csv"], "does not exist"),
        (["T99"], "no table of these results"),
        (["T6", "--key", "T4-000000000000"], "is one of T4, not of T6"),
        (["--key", "T4"], "no key"),
    ],
)
def test_what_cannot_be_done_is_said(verify, capsys, arguments, said):
    assert verify(*arguments) == 1
    assert said in capsys.readouterr().err


def test_a_release_that_is_lost_is_said(project, verify, capsys, t4, tmp_path):
    (project / "results" / NAME).unlink()
    assert verify("T4", "--file", write(tmp_path / "c.csv", t4, delimiter=";")) == 1
    assert "Restore it from git" in capsys.readouterr().err


def test_a_copy_is_looked_for_where_one_was_called(project, t4, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write(tmp_path / "copy.csv", t4)
    assert main(["verify", "--directory", str(project), "T4", "--file", "copy.csv"]) == 0
    assert "byte for byte" in capsys.readouterr().out
