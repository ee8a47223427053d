"""How far everybody is, how fast, and how well they agree so far: for the supervisor alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from framing.acquire.coding_page.answers import Answer
from framing.acquire.coding_page.enter import Round, entering
from framing.acquire.coding_page.pools import Pool, share_of
from framing.acquire.coding_page.prepare import coding_settings
from framing.codebook.codes import Code
from framing.common.problems import InputError, Problem
from framing.inference.agreement import (
    NOMINAL,
    ORDINAL,
    alpha_of,
    bootstrap_interval,
    clusters_with_pairs,
    coincidences,
)

COLUMNS = ("coder", "done", "of", "skipped", "unsure", "changed", "context", "median s", "an hour",
           "fast")  # fmt: skip
ONLY_YOU = ("For the supervisor: whoever codes should not see this before everybody is through.",)


def is_fast(answer: Answer, words_a_minute: float) -> bool:
    """Return whether a decision took less time than reading the passage so fast."""
    return answer.seconds is not None and answer.seconds < 60 * answer.words / words_a_minute


def pace(seconds: Sequence[float], idle: float) -> tuple[float | None, float | None]:
    """Return the median of seconds a passage, and passages an hour of work.

    What took longer than ``idle`` seconds was a break. None where nothing is left.
    """
    worked = [one for one in seconds if one <= idle]
    if not worked or not sum(worked):
        return (median(worked) if worked else None), None
    return median(worked), 3600 * len(worked) / sum(worked)


def status_lines(now: Round, asked: Sequence[int] = ()) -> list[str]:
    """Return how far the coders at the page are, draw by draw.

    ``asked`` are numbers of draws; by default those that somebody has begun or was assigned.
    """
    if unknown := [one for one in asked if one not in {pool.number for pool in now.pools}]:
        known = ", ".join(str(pool.number) for pool in now.pools)
        raise InputError(
            Problem(f"--draw {unknown[0]}", "there is no such draw", f"Draws: {known}.")
        )
    lines: list[str] = []
    for pool in now.pools:
        coders = at_work(now, pool)
        if (asked and pool.number not in asked) or not coders:
            continue
        lines += ["", f"{pool.name} ({pool.role}, {len(pool.ids):,} passages)", ""]
        lines += _table(list(_rows(now, pool, coders)))
        lines += _flagged(now, pool, coders)
        lines += ["", *agreement_lines(now, pool, coders)]
    if not lines:
        return ["Nobody has begun to code at the page, and no passage is assigned."]
    return [*ONLY_YOU, *lines, "", *entering(now).waits]


def at_work(now: Round, pool: Pool) -> list[str]:
    """Return who codes a draw at the page: who has begun, and to whom passages are assigned."""
    ids = set(pool.ids)
    begun = {name for name, hand in now.hands.items() if ids & {*hand.answers, *hand.skipped}}
    dealt = {name for name, own in now.plan.items() if ids & set(own)}
    return sorted((begun | dealt) - {now.adjudicator})


def _rows(now: Round, pool: Pool, coders: Sequence[str]) -> Iterator[dict[str, Any]]:
    settings = coding_settings(now.state)
    for name in coders:
        share, hand = share_of(pool, name, now.plan), now.hands.get(name)
        own = {} if hand is None else {n: hand.answers[n] for n in share if n in hand.answers}
        seconds = [one.seconds for one in own.values() if one.seconds is not None]
        middle, an_hour = pace(seconds, 60 * settings["idle"])
        yield {
            "coder": name,
            "done": sum(one in now.said(name) for one in share),
            "of": len(share),
            "skipped": sum(one in share for one in hand.skipped) if hand else 0,
            "unsure": sum(one.unsure for one in own.values()),
            "changed": sum(one.times > 1 for one in own.values()),
            "context": sum(one in hand.context for one in share) if hand else 0,
            "median s": "" if middle is None else f"{middle:.1f}",
            "an hour": "" if an_hour is None else f"{an_hour:.0f}",
            "fast": sum(is_fast(one, settings["fast"]) for one in own.values()),
        }


def _flagged(now: Round, pool: Pool, coders: Sequence[str]) -> list[str]:
    fast = coding_settings(now.state)["fast"]
    lines = []
    for name in coders:
        hand = now.hands.get(name)
        ids = [one for one in pool.ids if hand and one in hand.answers
               and is_fast(hand.answers[one], fast)]  # fmt: skip
        if ids:
            shown = ", ".join(ids[:5]) + (" …" if len(ids) > 5 else "")
            lines.append(f"{name} decided faster than {fast:g} words a minute can be read "
                         f"(coding.fast): {shown}")  # fmt: skip
    return ["", *lines] if lines else []


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    cells = [list(COLUMNS), *([str(row[name]) for name in COLUMNS] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(COLUMNS))]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]


def agreement_lines(now: Round, pool: Pool, coders: Sequence[str]) -> list[str]:
    """Return alpha of each code so far, over passages that two or more of ``coders`` have coded."""
    if len(coders) < 2:
        return ["Agreement: one coder."]
    lines = []
    source = dict(
        zip(now.state.passages["passage_id"], now.state.passages["source_id"], strict=True)
    )
    for code in now.state.codebook.codes.values():
        table = _positions(now, pool, coders, code)
        lines.append(f"{code.label}: {_alpha(table, [source[n] for n in pool.ids], code, now)}")
    return lines


def _positions(now: Round, pool: Pool, coders: Sequence[str], code: Code) -> np.ndarray:
    """Return the position of the level that each coder gave each passage (coders, passages)."""
    place = {cell: float(number) for number, cell in enumerate(code.cells)}

    def said(coder: str, passage: str) -> float:
        hand = now.hands.get(coder)
        if hand is not None and passage in hand.answers:
            cell = hand.answers[passage].codes.get(code.name, "")
        else:
            cell = now.tables.get(coder, {}).get(passage, {}).get(code.name, "")
        return place.get(cell, np.nan)

    return np.array([[said(coder, passage) for passage in pool.ids] for coder in coders])


def _alpha(table: np.ndarray, sources: Sequence[str], code: Code, now: Round) -> str:
    settings, inference = now.state.config["agreement"], now.state.config["inference"]
    number = int(((~np.isnan(table)).sum(axis=0) >= 2).sum())
    if number < settings["minimum_units"]:
        return (f"{number} passages coded twice; alpha is given from "
                f"{settings['minimum_units']} on (agreement.minimum_units)")  # fmt: skip
    level = ORDINAL if code.kind.ordered else NOMINAL
    matrices, values = coincidences(table)
    found = alpha_of(matrices.sum(axis=0), values, level)
    if found.value is None:
        return f"{number} passages coded twice; alpha {found.reason}"
    told = f"alpha {found.value:.2f} ({level}, {number} passages coded twice"
    cluster = np.unique(np.asarray(sources), return_inverse=True)[1].astype(np.int64)
    clusters = clusters_with_pairs(matrices, cluster)
    if clusters < settings["minimum_sources"]:
        return (f"{told}; no interval: they are of {clusters} sources, fewer than "
                f"{settings['minimum_sources']})")  # fmt: skip
    ends = bootstrap_interval(
        matrices, cluster, values, draws=settings["draws"], seed=settings["seed"],
        confidence=inference["confidence"], level=level,
    )  # fmt: skip
    if ends.reason:
        return f"{told}; {ends.reason})"
    return (
        f"{told}; {100 * inference['confidence']:g} % interval {ends.low:.2f} to {ends.high:.2f})"
    )
