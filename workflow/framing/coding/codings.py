"""Codings: who coded what, and how several coders become one code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from framing.corpus.tables import id_problems
from framing.files import LINE, read_table, row_problems
from framing.problems import InputError, Problem, raise_if_any

CODER_COLUMNS = ("coder", "kind", "codebook", "description")
KINDS = ("human", "machine")
NOT_CODED = "NA"


def read_coders(path: Path) -> pd.DataFrame:
    """Read ``coders.tsv``: ``coder kind codebook description``, one row a coder.

    ``kind`` is ``human`` or ``machine``: codings by language models are never called human. There
    may be no row: nobody has coded yet. Raises :class:`InputError` on unusable or repeated ids and
    other kinds.
    """
    frame = read_table(path, CODER_COLUMNS)
    problems = id_problems(frame, path, "coder")
    problems += row_problems(
        frame, path, ~frame["kind"].isin(KINDS),
        lambda row: f"coder {row.coder!r} is of the kind {row.kind!r}",
        "Write human or machine.",
    )  # fmt: skip
    raise_if_any(problems)
    return frame.drop(columns=LINE)


def read_codings(
    folder: Path, coders: Sequence[str], codes: Sequence[str], sample: pd.DataFrame
) -> pd.DataFrame:
    """Read every coder's file ``<folder>/<coder>.tsv`` into one long table.

    ``sample`` has a column ``passage_id``: the drawn passages. Returns ``passage_id coder code
    value unsure`` (ints), sorted by the order of ``sample``, code and coder; cells marked ``NA``
    (not coded) are left out. Raises :class:`InputError` on files without a coder, rows under
    another coder's name, repeated or undrawn passages, values other than 0, 1 and ``NA``, and
    drawn passages that nobody coded.
    """
    problems = [
        Problem(path, f"holds codings of {path.stem!r}, whom coders.tsv does not name",
                "Add the coder to coders.tsv or remove the file.")
        for path in sorted(folder.glob("*.tsv"))
        if path.stem not in coders
    ]  # fmt: skip
    frames = []
    for coder in coders:
        try:
            frames.append(_read_coder(folder / f"{coder}.tsv", coder, codes, sample))
        except InputError as error:
            problems += error.problems
    raise_if_any(problems)
    long = pd.concat(frames, ignore_index=True)
    raise_if_any(_uncoded(folder, long, codes, sample))
    rank = {name: number for number, name in enumerate(sample["passage_id"])}
    order = {name: number for number, name in enumerate(codes)}
    long = long.assign(_passage=long["passage_id"].map(rank), _code=long["code"].map(order))
    long = long.sort_values(["_passage", "_code", "coder"], kind="stable", ignore_index=True)
    return long[["passage_id", "coder", "code", "value", "unsure"]]


def _read_coder(path: Path, coder: str, codes: Sequence[str], sample: pd.DataFrame) -> pd.DataFrame:
    columns = ["passage_id", "coder", *codes, "unsure"]
    if not path.exists():
        raise InputError(
            Problem(path, "does not exist", f"Give it the columns {' '.join(columns)} and a row a "
                    f"passage, or take {coder!r} out of coders.tsv until there are codings.")
        )  # fmt: skip
    frame = read_table(path, columns)
    problems = row_problems(
        frame, path, frame["coder"] != coder,
        lambda row: f"names the coder {row.coder!r} in the file of {coder!r}",
        "Keep one file a coder, named after the coder.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, frame["passage_id"].duplicated(),
        lambda row: f"codes the passage {row.passage_id!r} twice",
        "Keep one row a passage and coder.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, ~frame["passage_id"].isin(sample["passage_id"]),
        lambda row: f"codes the passage {row.passage_id!r}, which no draw took",
        "Only passages of sample.tsv and of draws count: correct the id or remove the row.",
    )  # fmt: skip
    for column, allowed in [*((code, ("0", "1", NOT_CODED)) for code in codes),
                            ("unsure", ("0", "1"))]:  # fmt: skip
        problems += row_problems(
            frame, path, ~frame[column].isin(allowed),
            _has(column), f"Write {' or '.join(allowed)}.",
        )  # fmt: skip
    if frame.empty:
        problems.append(Problem(path, "holds no coding", "Add rows, or remove file and coder."))
    raise_if_any(problems)
    long = frame.melt(
        id_vars=["passage_id", "coder", "unsure"], value_vars=list(codes), var_name="code"
    )
    return long[long["value"] != NOT_CODED].astype({"value": int, "unsure": int})


def _has(column: str) -> Any:
    return lambda row: f"passage {row.passage_id!r} has {column} {row[column]!r}"


def _uncoded(
    folder: Path, long: pd.DataFrame, codes: Sequence[str], sample: pd.DataFrame
) -> list[Problem]:
    problems = []
    for code in codes:
        done = set(long.loc[long["code"] == code, "passage_id"])
        left = [name for name in sample["passage_id"] if name not in done]
        if left:
            problems.append(
                Problem(folder, f"{len(left)} drawn passages have no coding of {code!r}: "
                        f"{', '.join(left[:5])}{' …' if len(left) > 5 else ''}",
                        f"Code them, each in the file of at least one coder ({folder}/CODER.tsv): "
                        "leaving drawn passages out would bias every estimate.")
            )  # fmt: skip
    return problems


def combine_coders(codings: pd.DataFrame, rule: Mapping[str, Any]) -> pd.DataFrame:
    """Return one code a passage: ``passage_id code label coders share``.

    ``rule['rule']`` is ``majority`` (more than half; an exact tie counts as ``rule['tie']``,
    ``present`` or ``absent``), ``any`` or ``all``. ``coders`` counts who coded it and ``share``
    is the part of them who found the code present.
    """
    frame = (
        codings.groupby(["passage_id", "code"], sort=False)["value"]
        .agg(present="sum", coders="count")
        .reset_index()
    )
    twice = 2 * frame["present"]
    if rule["rule"] == "any":
        label = frame["present"] > 0
    elif rule["rule"] == "all":
        label = frame["present"] == frame["coders"]
    else:
        tie = (twice == frame["coders"]) & (rule["tie"] == "present")
        label = (twice > frame["coders"]) | tie
    frame["label"] = label.astype(int)
    frame["share"] = frame["present"] / frame["coders"]
    return frame[["passage_id", "code", "label", "coders", "share"]]


def coders_phrase(coders: pd.DataFrame) -> str:
    """Return who coded, in words: "three machine coders", "one human coder and …"."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    parts = []
    for kind in KINDS:
        number = int((coders["kind"] == kind).sum())
        if number:
            count = words[number] if number < len(words) else str(number)
            parts.append(f"{count} {kind} coder{'s' if number > 1 else ''}")
    return " and ".join(parts)
