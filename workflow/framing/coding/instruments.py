"""Instruments: what predicts the codes of all passages, for coded ones to correct.

By default that is the classifier. A coder who coded every passage can take its place or stand
beside it (``inference.instrument``), for instance a language model: its codes of all passages are
in ``corpus/codings/CODER/coded.tsv``, in the columns of a coder's table but ``coder`` and
``unsure``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from framing.codebook.codes import Code
from framing.codebook.kinds.kind import STANDARD
from framing.coding.codings import ALL_CODED, NOT_CODED
from framing.coding.combinations import combined_codes
from framing.coding.variables import Variable, expanded, variables_of
from framing.common.files import read_table, row_problems
from framing.common.problems import Problem, raise_if_any

CLASSIFIER = "classifier"
"""The instrument that is no coder."""
PROXY = "proxy:"
"""What the columns of further instruments begin with, in a table of scores."""


def instruments_of(given: str | Sequence[str]) -> list[str]:
    """Return the names under ``inference.instrument``, the one that leads first."""
    return [given] if isinstance(given, str) else list(given)


def instrument_phrase(names: Sequence[str], coders: pd.DataFrame) -> str:
    """Return in words what predicts the codes of all passages; empty for the classifier alone.

    ``coders`` is the table of coders (``coder kind``), in which an instrument need not be.
    """
    if list(names) == [CLASSIFIER]:
        return ""
    kinds = dict(zip(coders["coder"], coders["kind"], strict=True))
    said = [
        "the classifier" if name == CLASSIFIER
        else f"the codes of {name}" + (f", a {kinds[name]} coder" if name in kinds else "")
        for name in names
    ]  # fmt: skip
    return " and ".join(said)


def coded_files(names: Sequence[str], folder: Path) -> dict[str, Path]:
    """Return the file of every instrument that is a coder, below the ``folder`` of codings."""
    return {name: folder / name / ALL_CODED for name in names if name != CLASSIFIER}


def instrument_problems(
    names: Sequence[str],
    coders: Collection[str],
    rule: Mapping[str, Any],
    folder: Path,
    place: Path,
) -> list[Problem]:
    """Return why instruments cannot be used: no file, or a coder whose codes are the measure, too.

    ``coders`` are those with a table in ``folder``, ``rule`` is the configuration's ``coders``,
    ``place`` its file.
    """
    problems = []
    where = f"{place}: inference.instrument"
    for name, path in coded_files(names, folder).items():
        if not path.is_file():
            problems.append(
                Problem(where, f"names {name!r}, but {path} does not exist",
                        "Let that coder code every passage (framing code --coder NAME --model … "
                        f"--instrument), or name {CLASSIFIER}.")
            )  # fmt: skip
        counts = rule["rule"] != STANDARD or rule["standard"] == name
        if name in coders and counts:
            problems.append(
                Problem(where, f"names {name!r}, whose codes are also combined into the codes that "
                        "would correct it: it would be corrected by itself",
                        "Take its table out of the codings that are combined (coders.tsv), or let "
                        "another coder be the standard (coders.rule: standard).")
            )  # fmt: skip
    return problems


def read_coded(
    path: Path, codes: Mapping[str, Code], passages: Collection[str]
) -> dict[str, pd.Series]:
    """Read what a coder says of all ``passages``: by indicator 0 or 1, indexed by ``passage_id``.

    A code left open (``NA``) is missing. Raises :class:`InputError` on unknown, repeated and
    missing passages, on cells that are no level, and on a code that is open everywhere.
    """
    frame = read_table(path, ["passage_id", *codes])
    problems = row_problems(
        frame, path, frame["passage_id"].duplicated(),
        lambda row: f"codes the passage {row.passage_id!r} twice", "Keep one row a passage.",
    )  # fmt: skip
    problems += row_problems(
        frame, path, ~frame["passage_id"].isin(list(passages)),
        lambda row: f"codes the passage {row.passage_id!r}, which passages.tsv lacks",
        "Remove the row.",
    )  # fmt: skip
    known = set(frame["passage_id"])
    left = [name for name in passages if name not in known]
    if left:
        problems.append(
            Problem(path, f"leaves out {len(left):,} of {len(passages):,} passages: "
                    f"{', '.join(left[:3])}{' …' if len(left) > 3 else ''}",
                    "An instrument codes every passage: let it code these, too.")
        )  # fmt: skip
    for code in codes.values():
        allowed = (*code.cells, NOT_CODED)
        wrong = frame[~frame[code.name].isin(allowed)]
        if len(wrong):
            first = wrong.iloc[0]
            problems.append(
                Problem(path, f"has {code.name} {first[code.name]!r} for passage "
                        f"{first['passage_id']!r} (and {len(wrong) - 1} more that are no level)",
                        f"Write {' or '.join(allowed)}.")
            )  # fmt: skip
        elif len(frame) and (frame[code.name] == NOT_CODED).all():
            problems.append(Problem(path, f"leaves {code.name} open everywhere", "Code it."))
    raise_if_any(problems)
    found = {}
    for code in codes.values():
        own = frame[["passage_id", code.name]].rename(columns={code.name: "value"})
        long = expanded(own.assign(code=code.name), [code])
        long["value"] = long["value"].where(
            np.tile(own["value"] != NOT_CODED, len(code.counted)), np.nan
        )
        for name, part in long.groupby("code", sort=False):
            found[str(name)] = part.set_index("passage_id")["value"].astype(float)
    return found


def filled(said: Mapping[str, pd.Series], variable: Variable) -> dict[str, pd.DataFrame]:
    """Return what a coder says of a variable, without gaps: ``probability decision`` by indicator.

    Where the coder left a passage open the probability is the indicator's share among all others,
    and the decision is for the level that is most frequent there: any prediction is right for the
    correction, as long as it knows nothing of the passage's own code.
    """
    shares = {name: float(said[name].mean()) for name in variable.indicators}
    counts = [shares[name] for name in variable.indicators]
    if variable.kind.present:
        usual = [float(counts[0] >= 0.5)]
    else:
        usual = [float(place == int(np.argmax(counts))) for place in range(len(counts))]
    return {
        name: pd.DataFrame(
            {
                "probability": said[name].fillna(shares[name]),
                "decision": said[name].fillna(often).astype(int),
            }
        )
        for name, often in zip(variable.indicators, usual, strict=True)
    }


def instrument_scores(
    scores: pd.DataFrame,
    said: Mapping[str, Mapping[str, pd.Series]],
    names: Sequence[str],
    codes: Mapping[str, Code],
) -> pd.DataFrame:
    """Return the scores of single codes as the instruments ``names`` have them.

    ``scores`` are the classifier's, without combinations of codes, ``said`` what each coder among
    the instruments says (:func:`read_coded`). The first instrument gives ``probability`` and
    ``decision``; each further one adds a column ``proxy:NAME``.
    """
    if list(names) == [CLASSIFIER]:
        return scores
    own = {
        name: {
            code: table
            for variable in variables_of(codes)
            for code, table in filled(said[name], variable).items()
        }
        for name in names
        if name != CLASSIFIER
    }
    parts = []
    for code, part in scores.groupby("code", sort=False, observed=True):
        made = part.copy()
        ids = part["passage_id"]
        for place, name in enumerate(names):
            if name == CLASSIFIER:
                chance, decided = part["probability"].to_numpy(), part["decision"].to_numpy()
            else:
                table = own[name][str(code)].loc[ids]
                chance, decided = (table[column].to_numpy() for column in table)
            if place:
                made[f"{PROXY}{name}"] = chance.astype(float)
            else:
                made["probability"], made["decision"] = chance.astype(float), decided
        parts.append(made)
    return pd.concat(parts, ignore_index=True)


def combined_proxies(
    scores: pd.DataFrame, made: pd.DataFrame, combinations: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Return scores of combinations, ``made``, with the columns of further instruments.

    ``scores`` are those of single codes (:func:`instrument_scores`).
    """
    columns = [name for name in scores.columns if str(name).startswith(PROXY)]
    for column in columns if len(made) else ():  # a project may have no combinations
        wide = scores.pivot(index="passage_id", columns="code", values=column)
        found = combined_codes({str(code): wide[code] for code in wide}, combinations)
        made[column] = np.concatenate(
            [found[str(code)].loc[part["passage_id"]].to_numpy()
             for code, part in made.groupby("code", sort=False, observed=True)]
        )  # fmt: skip
    return made
