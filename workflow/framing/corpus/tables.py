"""The corpus tables: sources, frozen passages, the probability sample.

Every reader returns strings turned into the types named in its docstring and raises
:class:`~framing.common.problems.InputError` with *all* defects it found, each with file, line and
remedy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date as day
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from framing.common.files import LINE, read_table, read_text, repeated, row_problems, sha256
from framing.common.problems import InputError, Problem, raise_if_any

SOURCE_COLUMNS = (
    "source_id", "title", "speaker", "actor", "group", "date", "date_precision", "genre",
    "words", "url", "rights", "retrieved_from", "sha256",
)  # fmt: skip
PASSAGE_COLUMNS = ("passage_id", "source_id", "start", "end", "words")
SAMPLE_COLUMNS = (
    "passage_id", "stratum", "stratum_size", "stratum_sampled", "inclusion_probability",
)  # fmt: skip
DATE_PRECISIONS = ("day", "month", "year", "approximate", "unknown")

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Probabilities are written with six decimals, so they may differ from the quotient by half of one.
_PROBABILITY_SLACK = 5.1e-7


def passage_id(source_id: str, start: int, end: int) -> str:
    """Return the id of a passage: ten hexadecimal digits made from source and offsets."""
    return sha256(f"{source_id}:{start}-{end}")[:10]


def is_id(name: str) -> bool:
    """Return whether ``name`` can be the id of a source, passage or coder, and so name a file."""
    return _IDENTIFIER.fullmatch(name) is not None


def read_sources(path: Path, groups: Mapping[str, str]) -> pd.DataFrame:
    """Read ``sources.tsv``: one row a source, in file order, columns of ``SOURCE_COLUMNS``.

    ``groups`` are the configured groups. ``words`` is an int; ``date`` is YYYY, YYYY-MM,
    YYYY-MM-DD or empty. There may be no row: a project begins without texts. Raises
    :class:`InputError` on missing or repeated ids, unknown groups, dates that are no dates and
    malformed digests.
    """
    frame = read_table(path, SOURCE_COLUMNS)
    problems = id_problems(frame, path, "source_id")
    problems += row_problems(
        frame, path, ~frame["group"].isin(list(groups)),
        lambda row: f"source {row.source_id!r} has the unknown group {row.group!r}",
        f"Use one of {', '.join(groups)}, or add the group to config/config.yaml.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, ~frame["date"].map(_is_date).astype(bool),
        lambda row: f"source {row.source_id!r} has the date {row.date!r}",
        "Write YYYY-MM-DD, YYYY-MM or YYYY, or leave it empty.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, ~frame["date_precision"].isin(DATE_PRECISIONS),
        lambda row: f"source {row.source_id!r} has the date precision {row.date_precision!r}",
        f"Use one of {', '.join(DATE_PRECISIONS)}.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, ~frame["sha256"].str.fullmatch(_SHA256),
        lambda row: f"source {row.source_id!r} has no SHA-256 digest of its text",
        "Give the 64 hexadecimal digits of the canonical text file.",
    )  # fmt: skip
    problems += _whole_number_problems(frame, path, ("words",), "source_id", least=0)
    raise_if_any(problems)
    return frame.astype({"words": int})


def read_passages(path: Path, sources: pd.DataFrame) -> pd.DataFrame:
    """Read ``passages.tsv``: the frozen units, ``start end words`` as ints.

    Offsets are 0-based, end-exclusive Unicode code points into the canonical text. Rows come back
    in the order of ``sources`` and of the text. Raises :class:`InputError` on missing, repeated or
    unknown ids, on empty or negative ranges, and on passages of one source that overlap.
    """
    frame = read_table(path, PASSAGE_COLUMNS)
    problems = id_problems(frame, path, "passage_id")
    problems += row_problems(
        frame, path, ~frame["source_id"].isin(sources["source_id"]),
        lambda row: f"passage {row.passage_id!r} names the unknown source {row.source_id!r}",
        "Add the source to sources.tsv or remove the passage.",
    )  # fmt: skip
    numbers = _whole_number_problems(frame, path, ("start", "end", "words"), "passage_id", least=0)
    raise_if_any(problems + numbers)
    frame = frame.astype({"start": int, "end": int, "words": int})
    problems += row_problems(
        frame, path, frame["start"] >= frame["end"],
        lambda row: f"passage {row.passage_id!r} runs from {row.start} to {row.end}",
        "Its end must lie after its start.",
    )  # fmt: skip
    rank = {source: number for number, source in enumerate(sources["source_id"])}
    frame = (
        frame.assign(_rank=frame["source_id"].map(rank))
        .sort_values(["_rank", "start", "end", "passage_id"], kind="stable")
        .drop(columns="_rank")
        .reset_index(drop=True)
    )
    same = frame["source_id"].eq(frame["source_id"].shift())
    before = frame[["passage_id", "end"]].shift()
    overlapping = same & (frame["start"] < before["end"])
    neighbours = dict(zip(frame["passage_id"], before["passage_id"], strict=True))
    problems += row_problems(
        frame, path, overlapping,
        lambda row: f"passage {row.passage_id!r} overlaps {neighbours[row.passage_id]!r}",
        "Passages of a source may touch but not overlap: correct the offsets.",
    )  # fmt: skip
    raise_if_any(problems)
    return frame


def read_sample(path: Path, passages: pd.DataFrame) -> pd.DataFrame:
    """Read ``sample.tsv``: the passages drawn for coding, with their design.

    Returns ``passage_id stratum stratum_size stratum_sampled inclusion_probability`` (ints and
    float). The inclusion probability must be ``stratum_sampled / stratum_size`` to six decimals
    (simple random sampling within strata), and each stratum must have as many rows as it says were
    drawn. Raises :class:`InputError` otherwise. There may be no row: nothing was drawn yet. Whether
    the strata add up to the corpus is asked by :func:`sampled_frame`.
    """
    frame = read_table(path, SAMPLE_COLUMNS)
    problems = id_problems(frame, path, "passage_id")
    problems += row_problems(
        frame, path, ~frame["passage_id"].isin(passages["passage_id"]),
        lambda row: f"drawn passage {row.passage_id!r} is not in passages.tsv",
        "Only passages of the frame can have been drawn: correct the id.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, frame["stratum"].str.strip() == "",
        lambda row: f"passage {row.passage_id!r} has no stratum",
        "Name the stratum it was drawn from.",
    )  # fmt: skip
    counts = ("stratum_size", "stratum_sampled")
    numbers = _whole_number_problems(frame, path, counts, "passage_id", least=1)
    probability = pd.to_numeric(frame["inclusion_probability"], errors="coerce")
    numbers += row_problems(
        frame, path, ~((probability > 0) & (probability <= 1)),
        lambda row: f"passage {row.passage_id!r} has the inclusion probability "
        f"{row.inclusion_probability!r}",
        "It must be a number above 0 and at most 1.",
    )  # fmt: skip
    raise_if_any(problems + numbers)
    frame = frame.astype(dict.fromkeys(counts, int))
    frame["inclusion_probability"] = probability.astype(float)
    raise_if_any(_stratum_problems(frame, path))
    return frame


def has_sample(path: Path) -> bool:
    """Return whether ``sample.tsv`` is there and has a row: a project begins without a sample."""
    return path.is_file() and len(read_text(path).splitlines()) > 1


def read_unsampled(path: Path, passages: pd.DataFrame) -> frozenset[str]:
    """Read ``unsampled.tsv``: the passages that the sample of ``sample.tsv`` could not have drawn.

    They joined the corpus after it, or were left out of it by design. One column, ``passage_id``;
    without the file there are none. Raises :class:`InputError` on repeated and unknown passages.
    """
    if not path.is_file():
        return frozenset()
    frame = read_table(path, ["passage_id"])
    problems = id_problems(frame, path, "passage_id")
    problems += row_problems(
        frame, path, ~frame["passage_id"].isin(passages["passage_id"]),
        lambda row: f"names the passage {row.passage_id!r}, which is not in passages.tsv",
        "Correct the id or remove the row.",
    )  # fmt: skip
    raise_if_any(problems)
    return frozenset(frame["passage_id"])


def sampled_frame(
    sources: pd.DataFrame,
    passages: pd.DataFrame,
    sample: pd.DataFrame,
    unsampled: frozenset[str],
    path: Path,
) -> npt.NDArray[np.bool_]:
    """Return which passages (N,) the sample of ``sample.tsv`` could have drawn.

    Its strata must add up to them. They are all passages but the ``unsampled``; or, where strata
    add up to just the groups of ``sources`` from which passages were drawn, these groups: a
    stratum of which nothing was drawn has no row to be known by. Raises :class:`InputError` where
    neither is so, and where a drawn passage is said to be unsampled.
    """
    inside = ~passages["passage_id"].isin(unsampled).to_numpy()
    if sample.empty:
        return np.zeros(len(passages), dtype=bool)
    drawn = passages["passage_id"].isin(sample["passage_id"]).to_numpy()
    raise_if_any(
        Problem(path, f"passage {name!r} was drawn, but unsampled.tsv says it could not have been",
                "Take it out of unsampled.tsv, or out of the sample.")
        for name in passages["passage_id"][drawn & ~inside]
    )  # fmt: skip
    total = int(sample.drop_duplicates("stratum")["stratum_size"].sum())
    if total == inside.sum():
        return inside
    group = passages["source_id"].map(
        dict(zip(sources["source_id"], sources["group"], strict=True))
    )
    of_group = inside & group.isin(group[drawn]).to_numpy()
    if total == of_group.sum():
        return of_group
    raise InputError(
        Problem(path, f"the strata add up to {total} passages, passages.tsv has {inside.sum()}",
                "Every passage belongs to exactly one stratum: correct the sizes; passages that "
                "could not have been drawn are listed in corpus/unsampled.tsv.")
    )  # fmt: skip


def _stratum_problems(frame: pd.DataFrame, path: Path) -> list[Problem]:
    problems = []
    for stratum, rows in frame.groupby("stratum", sort=True):
        line = int(rows[LINE].iloc[0])
        sizes = rows[["stratum_size", "stratum_sampled"]].drop_duplicates()
        if len(sizes) > 1:
            problems.append(
                Problem(path, f"stratum {stratum!r} is given with different sizes",
                        "Give the same stratum_size and stratum_sampled in all its rows.", line)
            )  # fmt: skip
            continue
        size, drawn = (int(value) for value in sizes.iloc[0])
        if drawn != len(rows) or drawn > size:
            problems.append(
                Problem(path, f"stratum {stratum!r} says {drawn} of {size} were drawn but has "
                        f"{len(rows)} rows", "Make size, number drawn and rows agree.", line)
            )  # fmt: skip
            continue
        off = np.abs(rows["inclusion_probability"] - drawn / size) > _PROBABILITY_SLACK
        problems += row_problems(
            rows, path, off,
            lambda row: f"passage {row.passage_id!r} has an inclusion probability that is not "
            f"{row.stratum_sampled}/{row.stratum_size}",
            "Within a stratum every passage has the same chance, drawn / size: correct it.",
        )  # fmt: skip
    return problems


def _is_date(text: str) -> bool:
    """Say whether ``text`` is empty, a year, a month or a day that there was."""
    try:
        return not text or bool(_DATE.fullmatch(text) and day.fromisoformat((text + "-01-01")[:10]))
    except ValueError:
        return False


def period_of(date: str, periods: Sequence[Mapping[str, Any]], undated: str) -> str:
    """Return the id of the configured period that holds ``date`` (YYYY…, or empty).

    A date outside all periods, like an empty one, falls under ``undated``.
    """
    if not date:
        return undated
    year = int(date[:4])
    for period in periods:
        if period["first"] <= year <= period["last"]:
            return str(period["id"])
    return undated


def passage_frame(
    sources: pd.DataFrame, passages: pd.DataFrame, sample: pd.DataFrame, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Join the three tables to the frame that inference works on, one row a passage.

    Columns: ``passage_id source_id group period start end words stratum stratum_size
    stratum_sampled weight``; the design columns are missing where a passage was not drawn and
    ``weight`` is the inverse of the exact inclusion probability, stratum_size / stratum_sampled.
    """
    undated = str(config["undated"])
    of_source = pd.DataFrame(
        {
            "source_id": sources["source_id"],
            "group": sources["group"],
            "period": [period_of(date, config["periods"], undated) for date in sources["date"]],
        }
    )
    design = sample[["passage_id", "stratum", "stratum_size", "stratum_sampled"]].assign(
        weight=sample["stratum_size"] / sample["stratum_sampled"]
    )
    frame = passages.drop(columns=LINE).merge(of_source, on="source_id", how="left")
    frame = frame.merge(design, on="passage_id", how="left", validate="one_to_one")
    counts = {"stratum_size": "Int64", "stratum_sampled": "Int64"}
    columns = [
        "passage_id", "source_id", "group", "period", "start", "end", "words",
        "stratum", "stratum_size", "stratum_sampled", "weight",
    ]  # fmt: skip
    return frame[columns].astype(counts)


def id_problems(frame: pd.DataFrame, path: Path, column: str) -> list[Problem]:
    """Return the rows whose id in ``column`` is missing, unusable or repeated."""
    twice = repeated(frame[column])
    first = ~frame[column].duplicated()
    problems = row_problems(
        frame, path, ~frame[column].str.fullmatch(_IDENTIFIER),
        lambda row: f"has no usable {column} ({row[column]!r})",
        "Give it letters, digits, '.', '_' or '-', beginning with a letter or digit.",
    )  # fmt: skip
    return problems + row_problems(
        frame, path, frame[column].isin(twice) & ~first,
        lambda row: f"repeats the {column} {row[column]!r}",
        "Ids must be unique: remove or rename one of the rows.",
    )  # fmt: skip


def _whole_number_problems(
    frame: pd.DataFrame, path: Path, columns: Sequence[str], key: str, *, least: int
) -> list[Problem]:
    problems = []
    for column in columns:
        bad = ~frame[column].str.fullmatch(r"[0-9]{1,15}") | (
            pd.to_numeric(frame[column], errors="coerce") < least
        )
        problems += row_problems(
            frame, path, bad,
            _has(key, column),
            f"Give a whole number of at least {least}.",
        )  # fmt: skip
    return problems


def _has(key: str, column: str) -> Callable[[Any], str]:
    return lambda row: f"{row[key]!r} has {column} {row[column]!r}"
