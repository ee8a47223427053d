"""``framing score``: how good codes of ``framing classify`` are, against codes given by people."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framing.cli.declared_values import add_values, said_of
from framing.common.problems import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    import pandas as pd

    from framing.acquire.codings.read import Rows
    from framing.acquire.codings.values import Said

_EXAMPLES = """\
examples:
  framing classify speeches.csv --output coded.csv
  framing score coded.csv --gold human=equality
  framing score coded.xlsx --gold eq=equality --gold co=control --yes yes --no no \\
      --cluster speech --output quality.csv

The table is one that `framing classify` has coded (CODE and CODE_probability), with a column that
says what is right for each code named. Intervals come from drawing rows anew, or whole clusters
(speeches, authors) with --cluster: without it they are too narrow where rows of one text are alike.
Figures speak of rows like these. If whoever wrote cues had seen them, expect less elsewhere.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``score`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "score", parents=[common], help="how good classified codes are against given ones",
        description="Compare the codes that `framing classify` gave with those of a column: "
        "accuracy, F1, average precision and more, with intervals.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("table", metavar="TABLE", help="a table coded by `framing classify`")
    parser.add_argument(
        "--gold", action="append", required=True, metavar="COLUMN=CODE",
        help="a column with the right codes; repeat it (=CODE may be left out where the codebook "
        "has one code)",
    )  # fmt: skip
    parser.add_argument("--cluster", default="", metavar="COLUMN", help="rows that belong together")
    parser.add_argument("--sheet", default="", metavar="NAME", help="sheet of a workbook")
    parser.add_argument("--output", metavar="FILE", help="all figures as CSV")
    add_values(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the figures, write them where asked to; return 0."""
    import numpy as np
    import pandas as pd

    from framing.acquire.codings.read import read_rows
    from framing.acquire.codings.values import contradictions
    from framing.acquire.settings import intake_settings
    from framing.codebook.codebook import written_codebook
    from framing.common.config import load_config
    from framing.common.files import table_text, write_text
    from framing.common.paths import CODEBOOK, CONFIG
    from framing.tables.scored import score_table

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    config = load_config(CONFIG)
    columns = _gold(arguments.gold, list(written_codebook(CODEBOOK).codes))
    settings = intake_settings(config.get("intake"))["table"]
    rows = read_rows([here / arguments.table], settings, arguments.sheet)
    said = said_of(arguments)
    raise_if_any(contradictions(said))
    gold, decision, probability = _tables(rows, columns, said, arguments.cluster)
    cluster = np.arange(len(gold))
    if arguments.cluster:
        cluster = pd.factorize(rows.cells[arguments.cluster])[0]
    plan = config["evaluation"]
    table = score_table(
        gold, decision, probability, cluster, confidence=config["inference"]["confidence"],
        draws=plan["draws"], seed=plan["seed"], bins=config["classifier"]["calibration_bins"],
    )  # fmt: skip
    for line in _shown(table, rows, gold, decision, arguments.cluster):
        print(line)
    if arguments.output:
        write_text(here / arguments.output, table_text(table, sep=","))
        print(f"Written: {here / arguments.output}")
    return 0


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


def _tables(
    rows: Rows, columns: Mapping[str, str], said: Said, cluster: str
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return gold codes, decisions and probabilities, a column a code.

    Raises :class:`InputError` where a column is missing, a value was not declared, or a prediction
    is none.
    """
    import pandas as pd

    from framing.acquire.codings.values import told, understood, unknown_values

    wanted = [*columns.values(), *([cluster] if cluster else [])]
    wanted += [name for code in columns for name in (code, f"{code}_probability")]
    missing = [name for name in dict.fromkeys(wanted) if name not in rows.header]
    if missing:
        raise InputError(
            Problem(rows.place, f"lacks the columns {', '.join(map(repr, missing))}",
                    "Code it first (framing classify), and name columns that it has: "
                    f"{', '.join(rows.header)}.")
        )  # fmt: skip
    unknown = unknown_values([rows.cells[column] for column in columns.values()], said)
    if unknown:
        raise InputError(
            Problem(rows.place, f"has values that were not declared: {told(unknown[:8])}",
                    "Say what they mean: --yes VALUE, --no VALUE, --missing VALUE.")
        )  # fmt: skip
    numbers: dict[str, dict[str, Any]] = {"gold": {}, "decision": {}, "probability": {}}
    for code, column in columns.items():
        numbers["gold"][code] = _number(understood(rows.cells[column], said))
        numbers["decision"][code] = _number(rows.cells[code])
        numbers["probability"][code] = _number(rows.cells[f"{code}_probability"])
        wrong = ~numbers["decision"][code].dropna().isin([0, 1])
        shares = numbers["probability"][code].dropna()
        if wrong.any() or not shares.between(0, 1).all():
            raise InputError(
                Problem(rows.place, f"the columns {code!r} and {code + '_probability'!r} are not "
                        "decisions (0, 1) and probabilities", "Code the table anew.")
            )  # fmt: skip
    gold, decision, probability = (pd.DataFrame(one) for one in numbers.values())
    return gold, decision, probability


def _number(texts: pd.Series) -> pd.Series:
    import pandas as pd

    return pd.to_numeric(texts, errors="coerce")


def _shown(
    table: pd.DataFrame, rows: Rows, gold: pd.DataFrame, decision: pd.DataFrame, cluster: str
) -> list[str]:
    lines = [f"{rows.place}: {len(gold):,} rows; intervals by {cluster or 'row'}"]
    for one in table.to_dict("records"):
        code = one["code"]
        head = f"{code}: F1 {_interval(one, 'f1', 'f1')}"
        if one["rows"] == one["rows"] and code in gold:
            out = int((gold[code].isna() | decision[code].isna()).sum())
            left = f", {out:,} left out without a code or a prediction" if out else ""
            lines += [
                f"{head}, average precision {_interval(one, 'average_precision', 'ap')}, accuracy "
                f"{_interval(one, 'accuracy', 'accuracy')}",
                f"  precision {_plain(one['precision'])}, recall {_plain(one['recall'])}, "
                f"Brier {_plain(one['brier'])}; {one['positives']:,} of {one['rows']:,} carry "
                f"it{left}",
                f"  right: {one['true_positive']:,} yes, {one['true_negative']:,} no; wrong: "
                f"{one['false_positive']:,} marked too many, {one['false_negative']:,} overlooked",
            ]
        else:
            lines.append(f"{code} mean: F1 {_interval(one, 'f1', 'f1')}")
        if one["status"]:
            lines.append(f"  {one['status']}")
    return lines


def _plain(value: Any) -> str:
    return "-" if value != value else f"{value:.3f}"


def _interval(row: Mapping[str, Any], value: str, ends: str) -> str:
    low, high = row[f"{ends}_low"], row[f"{ends}_high"]
    if low != low:
        return _plain(row[value])
    return f"{_plain(row[value])} [{_plain(low)}, {_plain(high)}]"
