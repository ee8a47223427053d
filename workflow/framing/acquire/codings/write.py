"""Codings joined with those there, and coders with ``coders.tsv``: what is to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from framing.acquire.codings.kinds import of_a_kind
from framing.acquire.codings.options import Options
from framing.acquire.codings.read import Rows
from framing.acquire.codings.tabulate import ROW
from framing.coding.codings import CODER_COLUMNS, HUMAN, MODEL, NOT_CODED
from framing.common.files import LINE, read_table, read_text, table_text
from framing.common.paths import CODERS, CODINGS
from framing.common.problems import Problem


@dataclass
class Joined:
    """What becomes of a coder's codings: counts of codings, the file's text, what is wrong."""

    text: str = ""
    new: int = 0
    same: int = 0
    replaced: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def coder_file(coder: str) -> Path:
    """Return the file of a coder's codings."""
    return CODINGS / f"{coder}.tsv"


def joined(
    coder: str, own: pd.DataFrame, codes: Sequence[str], order: Sequence[str], rows: Rows,
    replace: bool,
) -> Joined:  # fmt: skip
    """Return a coder's file with the codings ``own`` in it.

    Rows that are there stay where they are; new ones follow in the order of the draws, ``order``.
    A coding that is there and the same is counted, one that differs is a problem unless
    ``replace``. What ``own`` does not code it says nothing of. Raises :class:`InputError` where the
    file that is there is no table of codings.
    """
    columns, said = ["passage_id", "coder", *codes, "unsure"], [*codes, "unsure"]
    path = coder_file(coder)
    before = read_table(path, columns)[columns] if path.is_file() else pd.DataFrame(columns=columns)
    result = Joined()
    place = {name: number for number, name in enumerate(before["passage_id"])}
    table = {column: before[column].tolist() for column in columns}
    rank = {name: number for number, name in enumerate(order)}
    ordered = own.assign(_rank=own["passage_id"].map(rank)).sort_values("_rank", kind="stable")
    differing: list[str] = []
    for one in ordered.to_dict("records"):
        number = place.get(one["passage_id"])
        if number is None:
            for column in columns:
                table[column].append(one[column])
            result.new += sum(one[code] != NOT_CODED for code in codes)
            continue
        for column in said:
            there, now = table[column][number], one[column]
            counts = column != "unsure"
            if now == NOT_CODED:
                continue
            # An empty cell is of a sheet that was begun: nothing has been said there yet.
            if there in (NOT_CODED, ""):
                result.new += counts
            elif there == now:
                result.same += counts
                continue
            else:
                differing.append(f"{rows.at(one[ROW])} {one['passage_id']!r} has {column} {now}, "
                                 f"there it is {there}")  # fmt: skip
                result.replaced += 1
            table[column][number] = now
    if not replace:
        result.problems += of_a_kind(
            path, "has other values than {} in the import", differing,
            "Correct the rows, or give --replace to take what is in the import.", "coding",
        )  # fmt: skip
    result.text = table_text(pd.DataFrame(table, columns=columns))
    result.counts = {
        code: {str(value): int(n) for value, n in own[code].value_counts().items()}
        for code in codes
    }
    return result


# --- coders ---------------------------------------------------------------------------------------


def coders_text(
    coders: pd.DataFrame, names: Sequence[str], options: Options, codebook: str
) -> tuple[str, list[str], list[Problem]]:
    """Return the new text of ``coders.tsv``, which coders it adds, and what is wrong.

    ``coders`` is what :func:`framing.coding.codings.read_coders` returns, ``codebook`` the version
    of the codebook. Of coders who are there nothing is changed: what options say otherwise of them
    is a problem.
    """
    known = coders.set_index("coder").to_dict("index")
    text = read_text(CODERS)
    new = [name for name in names if name not in known]
    problems = [problem for name in names if name in known
                for problem in _contradicted(name, known[name], options)]  # fmt: skip
    problems += _same_but_for_case(new, [*known, *names])
    if new and not options.kind:
        problems.append(
            Problem(CODERS, f"does not name the coder{'s' if len(new) > 1 else ''} "
                    f"{', '.join(map(repr, new))}",
                    "Say who codes: --kind human, or --kind machine for a language model or any "
                    "other program (with --model), and --describe TEXT. Where coders differ in "
                    "that, add their rows by hand first.")
        )  # fmt: skip
    if problems or not new:
        return text, new, problems
    header = text.split("\n", 1)[0].split("\t")
    if options.model and MODEL not in header:
        header.append(MODEL)
        text = table_text(coders[[*CODER_COLUMNS, MODEL]][header])
    values = {
        "kind": options.kind, "codebook": codebook,
        "description": _one_line(options.describe), MODEL: _one_line(options.model),
    }  # fmt: skip
    lines = ["\t".join({**values, "coder": name}[column] for column in header) for name in new]
    return "".join([text.removesuffix("\n"), "\n", *(f"{line}\n" for line in lines)]), new, []


def _contradicted(name: str, row: Mapping[str, str], options: Options) -> list[Problem]:
    said = {"kind": options.kind, MODEL: options.model, "description": options.describe}
    return [
        Problem(CODERS, f"says of the coder {name!r} {column} {row[column]!r}, not {value!r}",
                "Leave the option out, or correct the row first.")
        for column, value in said.items() if value and _one_line(value) != row[column]
    ]  # fmt: skip


def _same_but_for_case(new: Sequence[str], names: Sequence[str]) -> list[Problem]:
    # On many disks the files of "Ann" and "ann" are one.
    return [
        Problem("--coder", f"{name!r} differs from the coder {other!r} in case only",
                "Write the name as it is there, or take another.")
        for name in new
        for other in dict.fromkeys(names)
        if other != name and other.casefold() == name.casefold()
    ]  # fmt: skip


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def without_model(new: Sequence[str], options: Options) -> list[str]:
    """Return what is to be said where new machine coders have no model."""
    if not new or options.kind == HUMAN or options.model:
        return []
    return ["no --model was named: agreement of runs of one model cannot be told from agreement "
            "of different ones"]  # fmt: skip


def unmatched_text(table: pd.DataFrame) -> str:
    """Return rows that were left out as a table; line ends and tabs in them become blanks."""
    plain = table.map(lambda value: _one_line(value) if isinstance(value, str) else value)
    return table_text(plain.drop(columns=LINE, errors="ignore"), decimals=2)
