"""Draws made elsewhere, and passages chosen by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from framing.common.files import (
    LINE,
)
from framing.common.problems import Problem, raise_if_any
from framing.sampling.draw import CONVENIENCE, PROBABILITY, Draw, record_of


def hand_picked(
    design: pd.DataFrame,
    strata: pd.Series,
    passages: pd.DataFrame,
    place: Path,
    *,
    number: int,
    project: str = "",
    strata_by: Sequence[str] = (),
) -> Draw:
    """Return the record of a convenience sample: passages chosen by hand, listed in a file.

    ``passages`` has ``passage_id`` and line numbers. Nothing about chance can be said of it; where
    it is used all the same it is treated *as if* drawn at random within ``strata``, and whoever
    uses it must say so (:func:`is_convenience`). Raises :class:`InputError` on passages that are
    unknown, listed twice or drawn already.
    """
    known = dict(zip(design["passage_id"], design["weight"].notna(), strict=True))
    problems = [
        Problem(place, f"{what} the passage {name!r}", remedy, int(line))
        for name, again, line in zip(
            passages["passage_id"], passages["passage_id"].duplicated(), passages[LINE],
            strict=True,
        )
        for what, remedy in _hand_problems(name, bool(again), known)
    ]  # fmt: skip
    if passages.empty:
        problems.append(Problem(place, "lists no passage", "Give one passage_id a row."))
    raise_if_any(problems)
    chosen = design["passage_id"].isin(passages["passage_id"]).to_numpy()
    return record_of(
        design, strata.to_numpy(dtype=object), chosen, number=number, kind=CONVENIENCE, seed=None,
        project=project, strata_by=strata_by, even=False,
    )  # fmt: skip


def _hand_problems(name: str, again: bool, known: Mapping[str, bool]) -> list[tuple[str, str]]:
    if again:
        return [("lists twice", "List each passage once.")]
    if name not in known:
        return [("lists as unknown to passages.tsv", "Correct the id.")]
    return [("lists as already drawn", "Leave it out: it is coded.")] if known[name] else []


def registered(
    design: pd.DataFrame,
    sample: pd.DataFrame,
    strata: pd.DataFrame,
    place: Path,
    strata_place: Path,
    *,
    number: int,
    rule: str,
    project: str = "",
) -> Draw:
    """Return the record of a probability draw that was made elsewhere, checked.

    ``design`` is as in :func:`make_draw`. ``sample`` are the passages drawn, as
    :func:`framing.corpus.tables.read_sample` reads and checks them; ``strata`` (``passage_id
    stratum`` and line numbers) has a row for every passage of the corpus, also for those drawn
    earlier, its stratum empty where it was out of the draw's scope. ``rule`` says in words how the
    passages were drawn. Raises :class:`InputError` on passages that are unknown, repeated, missing
    or drawn before, on strata that disagree and on sizes that are not those of what was left.
    """
    known = dict(zip(design["passage_id"], design["weight"].notna(), strict=True))
    named = dict(zip(strata["passage_id"], strata["stratum"], strict=True))
    problems = [
        Problem(strata_place, f"{what} the passage {name!r}", remedy, int(line))
        for name, again, line in zip(
            strata["passage_id"], strata["passage_id"].duplicated(), strata[LINE], strict=True
        )
        for what, remedy, wrong in (
            ("lists twice", "Give each passage one row.", again),
            ("lists as unknown to passages.tsv", "Correct the id.", name not in known),
        )
        if wrong
    ]
    missing = [name for name in known if name not in named]
    if missing:
        problems.append(
            Problem(strata_place, f"lacks {len(missing)} passages of the corpus, {missing[0]!r} "
                    "among them", "Give every passage a row, those drawn earlier too, its stratum "
                    "empty where the draw could not have reached it.")
        )  # fmt: skip
    for name, stratum, line in zip(
        sample["passage_id"], sample["stratum"], sample[LINE], strict=True
    ):
        if known.get(name):
            problems.append(
                Problem(place, f"holds the passage {name!r}, which was drawn before",
                        "A passage is drawn once: such a draw is not one of what was left.",
                        int(line))
            )  # fmt: skip
        elif name in named and named[name] != stratum:
            problems.append(
                Problem(place, f"has the passage {name!r} in stratum {stratum!r}, {strata_place} "
                        f"in {named[name]!r}", "Make the two agree.", int(line))
            )  # fmt: skip
    if sample.empty:
        problems.append(Problem(place, "lists no passage", "Give one drawn passage a row."))
    raise_if_any(problems)
    names = design["passage_id"].map(named).fillna("").to_numpy(dtype=object)
    left = pd.Series(names[design["weight"].isna().to_numpy()]).value_counts()
    raise_if_any(
        Problem(place, f"says stratum {row['stratum']!r} had {row['stratum_size']} passages, of "
                f"those not drawn before it has {left.get(row['stratum'], 0)}",
                "Its frame must be what earlier draws left: correct sizes or strata.",
                int(row[LINE]))
        for _, row in sample.drop_duplicates("stratum").iterrows()
        if row["stratum_size"] != left.get(row["stratum"], 0)
    )  # fmt: skip
    chosen = design["passage_id"].isin(sample["passage_id"]).to_numpy()
    made = record_of(
        design, names, chosen, number=number, kind=PROBABILITY, seed=None, project=project,
        strata_by=(), even=False,
    )  # fmt: skip
    return replace(made, rule=rule)
