"""Who codes what: passages dealt to coders, a part of them to two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from framing.acquire.codings.kinds import of_a_kind
from framing.common.files import read_table, row_problems, sha256, table_text
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import is_id

ASSIGNMENTS = Path("corpus/assignments.tsv")
COLUMNS = ("passage_id", "coder")


def dealt(
    strata: Mapping[str, str], coders: Sequence[str], twice: float, seed: int
) -> list[tuple[str, str]]:
    """Return who codes what, as pairs of passage and coder.

    ``strata`` has the stratum of each passage. A share ``twice`` of the passages is coded by two,
    the others by one. Passages are put in random order within strata (by SHA-256 of
    ``seed/passage``), those coded twice are taken at even distances and dealt to all pairs of
    coders in turn, and the others to whoever has the fewest: coders have as many passages as each
    other, and about as many of each stratum.
    """
    ranked = sorted(strata, key=lambda name: (strata[name], sha256(f"{seed}/{name}"), name))
    number = round(twice * len(ranked))
    double = {
        name for place, name in enumerate(ranked)
        if (place + 1) * number // max(len(ranked), 1) > place * number // max(len(ranked), 1)
    }  # fmt: skip
    pairs: Counter[tuple[str, str]] = Counter(dict.fromkeys(combinations(coders, 2), 0))
    loads = Counter(dict.fromkeys(coders, 0))
    plan: list[tuple[str, str]] = []
    # Pairs first, as singles then make up for what pairs cannot share evenly.
    for name in [*filter(double.__contains__, ranked)]:
        least = min(pairs.values())
        rarest = [one for one in pairs if pairs[one] == least]
        pair = min(rarest, key=lambda one: sorted((loads[each] for each in one), reverse=True))
        pairs[pair] += 1
        loads.update(pair)
        plan += [(name, coder) for coder in pair]
    for name in ranked:
        if name not in double:
            coder = min(coders, key=lambda one: loads[one])
            loads[coder] += 1
            plan.append((name, coder))
    rank = {name: place for place, name in enumerate(strata)}
    return sorted(plan, key=lambda one: (rank[one[0]], one[1]))


def asked_problems(coders: Sequence[str], twice: float) -> list[Problem]:
    """Return what is wrong with who is to code, and how much of it twice."""
    problems = [
        Problem("--coders", f"{name!r} can be no coder's name",
                "Give it letters, digits, '.', '_' or '-', beginning with a letter or digit.")
        for name in coders if not is_id(name)
    ]  # fmt: skip
    folded = Counter(name.casefold() for name in coders)
    problems += [
        Problem("--coders", f"names {name!r} twice, or in two cases", "Name each coder once.")
        for name, count in folded.items() if count > 1
    ]  # fmt: skip
    if not coders:
        problems.append(Problem("--coders", "names nobody", "Name those who code: ann,bob"))
    if not 0 <= twice <= 1:
        problems.append(Problem("--twice", f"is {twice}", "Give a share from 0 to 1."))
    elif twice and len(coders) == 1:
        problems.append(Problem("--twice", "is above 0, but there is one coder", "Name others."))
    return problems


def read_assignments(drawn: Sequence[str]) -> dict[str, set[str]]:
    """Return the plan of the project: the passages of each coder; empty where there is none.

    Raises :class:`InputError` on passages that no draw took, on names that can be no coder's, and
    on rows that stand twice.
    """
    if not ASSIGNMENTS.is_file():
        return {}
    frame = read_table(ASSIGNMENTS, COLUMNS)
    problems = of_a_kind(
        ASSIGNMENTS, "{} on passages that no draw took",
        [repr(name) for name in frame["passage_id"][~frame["passage_id"].isin(list(drawn))]],
        "Correct the ids, or make the plan anew: framing code --assign.",
    )  # fmt: skip
    problems += row_problems(
        frame, ASSIGNMENTS, ~frame["coder"].map(is_id).astype(bool),
        lambda row: f"{row.coder!r} can be no coder's name", "Correct the name.",
    )  # fmt: skip
    problems += row_problems(
        frame, ASSIGNMENTS, frame[list(COLUMNS)].duplicated(),
        lambda row: f"gives {row.passage_id!r} to {row.coder!r} twice", "Remove one of the rows.",
    )  # fmt: skip
    raise_if_any(problems)
    return {str(name): set(own["passage_id"]) for name, own in frame.groupby("coder", sort=True)}


def assignments_text(plan: Sequence[tuple[str, str]]) -> str:
    """Return the file of the plan, with what is in it already."""
    before = [] if not ASSIGNMENTS.is_file() else _rows()
    return table_text(pd.DataFrame([*before, *plan], columns=list(COLUMNS)))


def _rows() -> list[tuple[str, str]]:
    frame = read_table(ASSIGNMENTS, COLUMNS)
    return list(zip(frame["passage_id"], frame["coder"], strict=True))


def not_dealt_yet(
    ids: Sequence[str], plan: Mapping[str, Collection[str]], begun: Sequence[str]
) -> None:
    """Raise :class:`InputError` where passages are dealt already, or somebody has begun."""
    known = set().union(*plan.values())
    there = sum(name in known for name in ids)
    if there:
        raise InputError(
            Problem(ASSIGNMENTS, f"deals {there} of these passages already",
                    "Remove their rows first, if nobody has begun with them.")
        )  # fmt: skip
    if begun:
        raise InputError(
            Problem(ASSIGNMENTS, f"cannot be made: {', '.join(begun)} began to code without a plan",
                    "Let them finish; a plan is for the next draw.")
        )  # fmt: skip


def account(plan: Sequence[tuple[str, str]], coders: Sequence[str]) -> list[str]:
    """Return what a plan comes to, a line a coder and a line a pair."""
    of: dict[str, set[str]] = {coder: set() for coder in coders}
    for passage, coder in plan:
        of[coder].add(passage)
    lines = [f"{coder}: {len(of[coder]):,} passages" for coder in coders]
    lines += [
        f"{one} and {two}: {len(of[one] & of[two]):,} passages coded by both"
        for one, two in combinations(coders, 2) if of[one] & of[two]
    ]  # fmt: skip
    return lines
