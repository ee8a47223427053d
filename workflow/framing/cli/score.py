"""``framing score``: how good codes of ``framing classify`` are, against codes given by people."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.cli.declared_values import add_values, said_of
from framing.common.problems import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    import pandas as pd

    from framing.acquire.codings.read import Rows
    from framing.acquire.codings.values import Said
    from framing.codebook.codes import Code

PROBABILITY = "_probability"
"""What follows an indicator in the name of the column of its probabilities."""
_EXAMPLES = """\
examples:
  framing classify speeches.csv --output coded.csv
  framing score coded.csv --gold human=equality
  framing score --heldout
  framing score coded.xlsx --gold eq=equality --gold co=control --yes yes --no no \\
      --cluster speech --output quality.csv

The table is one that `framing classify` has coded (CODE and CODE_probability; of a code with levels
CODE.LEVEL_probability for each), with a column that says what is right for each code named.
Intervals come from drawing rows anew, or whole clusters (speeches, authors) with --cluster: without
it they are too narrow where rows of one text are alike. Figures speak of rows like these. If
whoever wrote cues had seen them, expect less elsewhere.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``score`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "score", parents=[common], help="how good classified codes are against given ones",
        description="Compare the codes that `framing classify` gave with those of a column: "
        "accuracy, F1, average precision and more, with intervals.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "table", nargs="?", metavar="TABLE", help="a table coded by `framing classify`"
    )
    parser.add_argument(
        "--heldout", action="store_true",
        help="instead: the project's own probabilities against the codings of draws that "
        "corpus/heldout.tsv holds out; intervals by source",
    )  # fmt: skip
    parser.add_argument(
        "--gold", action="append", default=[], metavar="COLUMN=CODE",
        help="a column with the right codes; repeat it (=CODE may be left out where the codebook "
        "has one code)",
    )  # fmt: skip
    parser.add_argument("--cluster", default="", metavar="COLUMN", help="rows that belong together")
    parser.add_argument("--sheet", default="", metavar="NAME", help="sheet of a workbook")
    parser.add_argument("--output", metavar="FILE", help="all figures as CSV")
    parser.add_argument(
        "--confusion", metavar="FILE",
        help="of codes with levels, which was taken for which, as CSV: counts and shares",
    )  # fmt: skip
    add_values(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the figures, write them where asked to; return 0."""
    import pandas as pd

    from framing.common.config import load_config
    from framing.common.paths import CONFIG

    _asked(arguments)
    here = Path(getattr(arguments, "called_from", Path.cwd()))
    config = load_config(CONFIG)
    if arguments.heldout:
        from framing.cli.score_heldout import held_out

        found = held_out()
        given = Given(found.codes, found.gold, found.predicted)
        print("\n".join(found.lines))
        print(f"{len(found.source):,} passages; intervals by source")
        cluster = pd.factorize(found.source)[0]
    else:
        given, cluster, line = _of_table(arguments, here, config)
        print(line)
    tables, matrices, lines = _scored(given, cluster, config)
    print("\n".join(lines))
    _write(here, arguments, tables, matrices)
    return 0


Predicted = tuple["pd.Series", dict[str, "pd.Series"]]
"""Decisions (cells), and probabilities by indicator."""


@dataclass(frozen=True)
class Given:
    """Codes by name, and for each the right cells and what was predicted, row by row."""

    codes: Mapping[str, Code]
    gold: Mapping[str, pd.Series]
    predicted: Mapping[str, Predicted]


def _asked(arguments: argparse.Namespace) -> None:
    """Raise :class:`InputError` where the command line asks for neither, or for both."""
    table = {"TABLE": bool(arguments.table), "--gold": bool(arguments.gold),
             "--cluster": bool(arguments.cluster)}  # fmt: skip
    if arguments.heldout:
        raise_if_any(
            Problem(name, "does not go with --heldout, which takes what the project has",
                    "Leave it out.")
            for name, there in table.items() if there
        )  # fmt: skip
    else:
        raise_if_any(
            Problem(name, "is missing", "Name a coded table and its right codes: framing score "
                    "TABLE --gold COLUMN=CODE.")
            for name in ("TABLE", "--gold") if not table[name]
        )  # fmt: skip


def _of_table(
    arguments: argparse.Namespace, here: Path, config: dict[str, Any]
) -> tuple[Given, Any, str]:
    """Return what a table holds, the clusters of its rows, and a line on them."""
    import numpy as np
    import pandas as pd

    from framing.acquire.codings.read import read_rows
    from framing.acquire.codings.values import contradictions, unknown_levels
    from framing.acquire.settings import intake_settings
    from framing.codebook.codebook import written_codebook
    from framing.common.paths import CODEBOOK

    codes = written_codebook(CODEBOOK).codes
    columns = _gold(arguments.gold, list(codes))
    settings = intake_settings(config.get("intake"))["table"]
    rows = read_rows([here / arguments.table], settings, arguments.sheet,
                     labelled=arguments.value_labels)  # fmt: skip
    said = said_of(arguments)
    own = {name: codes[name] for name in columns}
    raise_if_any([*contradictions(said, own.values()), *unknown_levels(said, own.values())])
    _columns(rows, columns, codes, arguments.cluster)
    gold = _given(rows, columns, codes, said)
    cluster = np.arange(len(rows.cells))
    if arguments.cluster:
        cluster = pd.factorize(rows.cells[arguments.cluster])[0]
    predicted = {name: _predicted(rows, code, rows.place) for name, code in own.items()}
    line = f"{rows.place}: {len(rows.cells):,} rows; intervals by {arguments.cluster or 'row'}"
    return Given(own, gold, predicted), cluster, line


def _scored(
    given: Given, cluster: Any, config: Mapping[str, Any]
) -> tuple[list[pd.DataFrame], list[pd.DataFrame], list[str]]:
    """Return tables of figures, confusion matrices, and what is to be said."""
    import pandas as pd

    from framing.tables.scored import Resampling, score_levels, score_table

    evaluation = config["evaluation"]
    plan = Resampling(config["inference"]["confidence"], evaluation["draws"], evaluation["seed"],
                      config["classifier"]["calibration_bins"])  # fmt: skip
    plain = [name for name, code in given.codes.items() if code.kind.present]
    tables, matrices, lines = [], [], []
    if plain:
        decided = {name: given.predicted[name][0] for name in plain}
        gold, called = (pd.DataFrame({name: _number(part[name]) for name in plain})
                        for part in (given.gold, decided))  # fmt: skip
        shares = pd.DataFrame({name: given.predicted[name][1][name] for name in plain})
        tables.append(score_table(gold, called, shares, cluster, **vars(plan)))
        lines += _shown(tables[0], gold, called)
    for name, code in given.codes.items():
        if not code.kind.present:
            table, matrix = score_levels(code, given.gold[name], *given.predicted[name], cluster,
                                         plan)  # fmt: skip
            tables.append(table)
            matrices.append(matrix)
            lines += _shown_levels(table, matrix, code, len(cluster))
    return tables, matrices, lines


def _write(
    here: Path, arguments: argparse.Namespace, tables: list[pd.DataFrame],
    matrices: list[pd.DataFrame],
) -> None:  # fmt: skip
    """Write figures and confusion matrices where that is asked for."""
    import pandas as pd

    from framing.common.files import table_text, write_text

    if arguments.confusion and not matrices:
        raise InputError(
            Problem("--confusion", "is asked for, but no code named has levels",
                    "Leave it out: the counts of a yes/no code are in --output.")
        )  # fmt: skip
    for name, parts in ((arguments.output, tables), (arguments.confusion, matrices)):
        if name:
            whole = max(parts, key=lambda part: len(part.columns)).columns
            joined = pd.concat([part.reindex(columns=whole) for part in parts], ignore_index=True)
            write_text(here / name, table_text(joined, sep=","))
            print(f"Written: {here / name}")


def _gold(given: list[str], codes: list[str]) -> dict[str, str]:
    """Return the column of each code."""
    from framing.acquire.codings.options import pairs

    if len(codes) == 1:
        given = [one if "=" in one else f"{one}={codes[0]}" for one in given]
    found = pairs("--gold", given)
    known = ", ".join(codes)
    raise_if_any(
        Problem(f"--gold {column}={code}", f"the codebook has no code {code!r}", f"Codes: {known}.")
        for column, code in found.items()
        if code not in codes
    )
    twice = {code for code in found.values() if list(found.values()).count(code) > 1}
    raise_if_any(
        Problem("--gold", f"gives two columns for {code!r}", "Give one.") for code in sorted(twice)
    )
    return {code: column for column, code in found.items()}


def _columns(
    rows: Rows, columns: Mapping[str, str], codes: Mapping[str, Code], cluster: str
) -> None:
    """Raise :class:`InputError` where a column that is needed is missing."""
    wanted = [*columns.values(), *([cluster] if cluster else []), *columns]
    wanted += [f"{level.indicator}{PROBABILITY}" for code in columns
               for level in codes[code].counted]  # fmt: skip
    missing = [name for name in dict.fromkeys(wanted) if name not in rows.header]
    if missing:
        raise InputError(
            Problem(rows.place, f"lacks the columns {', '.join(map(repr, missing))}",
                    "Code it first (framing classify), and name columns that it has: "
                    f"{', '.join(rows.header)}.")
        )  # fmt: skip


def _given(
    rows: Rows, columns: Mapping[str, str], codes: Mapping[str, Code], said: Said
) -> dict[str, pd.Series]:
    """Return by code the cells (levels, or 0 and 1) of its column, missing where not coded.

    Raises :class:`InputError` on values that mean nothing.
    """
    from framing.acquire.codings.values import meanings_of, told, understood, unknown_values
    from framing.coding.codings import NOT_CODED

    meant = {name: meanings_of(codes[name], said) for name in columns}
    unknown = unknown_values((rows.cells[column], meant[name]) for name, column in columns.items())
    if unknown:
        options = "--yes VALUE, --no VALUE, --missing VALUE"
        if not all(codes[name].kind.present for name in columns):
            options += ", --value VALUE=LEVEL"
        raise InputError(
            Problem(rows.place, f"has values that were not declared: {told(unknown[:8])}",
                    f"Say what they mean: {options}.")
        )  # fmt: skip
    found = {name: understood(rows.cells[column], meant[name]) for name, column in columns.items()}
    return {name: cells.where(cells != NOT_CODED) for name, cells in found.items()}


def _predicted(
    rows: Rows, code: Code, place: str
) -> tuple[pd.Series, dict[str, pd.Series]]:  # fmt: skip
    """Return what was decided (cells, missing where nothing was), and probabilities by indicator.

    Raises :class:`InputError` where the columns are not what `framing classify` writes.
    """
    decided = rows.cells[code.name].where(rows.cells[code.name] != "")
    if code.kind.present:  # a spreadsheet may have made 1.0 of 1
        decided = _number(rows.cells[code.name])
        wrong = ~decided.dropna().isin([0, 1])
        decided = decided.map({0: code.cells[0], 1: code.cells[1]})
    else:
        wrong = ~decided.dropna().isin(code.cells)
    names = [level.indicator for level in code.counted]
    shares = {name: _number(rows.cells[f"{name}{PROBABILITY}"]) for name in names}
    if wrong.any() or not all(one.dropna().between(0, 1).all() for one in shares.values()):
        what = "0, 1" if code.kind.present else ", ".join(code.cells)
        columns = " and ".join(repr(f"{name}{PROBABILITY}") for name in names)
        raise InputError(
            Problem(place, f"the columns {code.name!r} and {columns} are not decisions ({what}) "
                    "and probabilities", "Code the table anew.")
        )  # fmt: skip
    return decided, shares


def _number(texts: pd.Series) -> pd.Series:
    import pandas as pd

    return pd.to_numeric(texts, errors="coerce")


def _shown(table: pd.DataFrame, gold: pd.DataFrame, decision: pd.DataFrame) -> list[str]:
    lines = []
    for one in table.to_dict("records"):
        code = one["code"]
        head = f"{code}: F1 {_interval(one, 'f1', 'f1')}"
        if one["rows"] == one["rows"] and code in gold:
            out = int((gold[code].isna() | decision[code].isna()).sum())
            lines += [
                f"{head}, average precision {_interval(one, 'average_precision', 'ap')}, accuracy "
                f"{_interval(one, 'accuracy', 'accuracy')}",
                f"  precision {_plain(one['precision'])}, recall {_plain(one['recall'])}, "
                f"Brier {_plain(one['brier'])}; {one['positives']:,} of {one['rows']:,} carry "
                f"it{_left(out)}",
                f"  right: {one['true_positive']:,} yes, {one['true_negative']:,} no; wrong: "
                f"{one['false_positive']:,} marked too many, {one['false_negative']:,} overlooked",
            ]
        else:
            lines.append(f"{code} mean: F1 {_interval(one, 'f1', 'f1')}")
        if one["status"]:
            lines.append(f"  {one['status']}")
    return lines


def _left(out: int) -> str:
    return f", {out:,} left out without a code or a prediction" if out else ""


def _shown_levels(
    table: pd.DataFrame, matrix: pd.DataFrame, code: Code, rows: int
) -> list[str]:  # fmt: skip
    """Return what is said of a code: as a whole, by level, and what was taken for what."""
    whole, *levels = table.to_dict("records")
    lines = [
        f"{code.name}: accuracy {_interval(whole, 'accuracy', 'accuracy')}, macro F1 "
        f"{_interval(whole, 'macro_f1', 'macro_f1')}, weighted F1 "
        f"{_interval(whole, 'weighted_f1', 'weighted_f1')}; {whole['rows']:,} rows"
        f"{_left(rows - whole['rows'])}",
        f"  kappa {_interval(whole, 'kappa', 'kappa')}",
    ]
    if code.kind.ordered:
        lines[-1] += "".join(
            f", {told} {_interval(whole, name, name)}"
            for name, told in (("kappa_linear", "linear"), ("kappa_quadratic", "quadratic"),
                               ("mean_absolute_error", "mean absolute error"))
        )  # fmt: skip
    lines += [f"  {whole['status']}"] if whole["status"] else []
    for one in levels:
        lines.append(
            f"  {one['code']}: F1 {_interval(one, 'f1', 'f1')}, average precision "
            f"{_interval(one, 'average_precision', 'ap')}, precision {_plain(one['precision'])}, "
            f"recall {_plain(one['recall'])}; {one['positives']:,} given"
        )
        lines += [f"    {one['status']}"] if one["status"] else []
    lines.append("  given: decided")
    for name in code.cells:
        own = matrix[matrix["given"] == name]
        parts = [f"{row.decided} {row.rows:,}" + (f" ({row.share:.2f})" if row.rows else "")
                 for row in own.itertuples()]  # fmt: skip
        lines.append(f"    {name}: {', '.join(parts)}")
    return lines


def _plain(value: Any) -> str:
    return "-" if value != value else f"{value:.3f}"


def _interval(row: Mapping[str, Any], value: str, ends: str) -> str:
    low, high = row[f"{ends}_low"], row[f"{ends}_high"]
    if low != low:
        return _plain(row[value])
    return f"{_plain(row[value])} [{_plain(low)}, {_plain(high)}]"
