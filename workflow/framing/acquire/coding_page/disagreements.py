"""What an adjudicator is asked: passages on which coders differ, and the codes they differ in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pandas as pd

from framing.acquire.coding_page.answers import Hand
from framing.acquire.coding_page.desk import View
from framing.acquire.coding_page.enter import (
    Entered,
    Round,
    Rows,
    read_round,
    write_checked,
)
from framing.acquire.coding_page.order import lettered
from framing.acquire.codings.write import coder_file
from framing.coding.codings import NOT_CODED
from framing.common.files import read_text, table_text
from framing.common.paths import CONFIG
from framing.common.problems import InputError, Problem
from framing.project.lock import alone

Disputed = dict[str, dict[str, dict[str, str]]]
"""Passage → code → coder → what this coder said."""


def disputed(
    tables: Mapping[str, Rows], coders: Collection[str], codes: Iterable[str], order: Iterable[str]
) -> Disputed:
    """Return where coders differ, in ``order``: of each passage the codes they differ in.

    ``tables`` are coders' tables. What is not coded is no difference.
    """
    codes, found = list(codes), {}
    for passage in order:
        rows = {name: tables[name][passage] for name in coders if passage in tables[name]}
        differ = {}
        for code in codes:
            said = {
                name: row[code] for name, row in rows.items() if row[code] not in (NOT_CODED, "")
            }
            if len(set(said.values())) > 1:
                differ[code] = said
        if differ:
            found[passage] = differ
    return found


def asked_of(now: Round, coder: str, among: Collection[str] = ()) -> Disputed:
    """Return what the adjudicator ``coder`` is asked; ``among`` are coders, by default all others.

    Raises :class:`InputError` where the configuration does not make ``coder`` the adjudicator,
    where one of ``among`` has no codings, and where there is nothing to settle.
    """
    rule = now.state.config["coders"]
    if rule.get("adjudicator") != coder:
        named = rule.get("adjudicator")
        what = (
            f"names the adjudicator {named!r}, not {coder!r}" if named else "names no adjudicator"
        )
        line = ", ".join([*(f"{k}: {v}" for k, v in rule.items() if k != "adjudicator"),
                          f"adjudicator: {coder}"])  # fmt: skip
        raise InputError(
            Problem(CONFIG, what, f"Set `coders: {{{line}}}` there: only then does what this "
                    "person settles count. It is an analytic setting: set it before you freeze.")
        )  # fmt: skip
    others = [name for name, rows in now.tables.items() if name != coder and rows]
    unknown = [name for name in among if name not in others]
    if unknown:
        raise InputError(
            Problem("--among", f"names {', '.join(map(repr, unknown))} without a table of codings",
                    f"Coders with one: {', '.join(others) or 'none'}.")
        )  # fmt: skip
    names = [name for name in others if not among or name in among]
    found = disputed(now.tables, names, now.state.codes, list(now.state.drawn["passage_id"]))
    if not found:
        waits = " What is in journals is asked once it is in the tables (framing code --status)."
        raise InputError(
            Problem("corpus/codings", f"has no passage on which {' and '.join(names) or 'coders'} "
                    "differ", f"There is nothing to settle.{waits if now.hands else ''}")
        )  # fmt: skip
    return found


def views(
    passage: str, differ: Mapping[str, Mapping[str, str]], adjudicator: str, now: Round
) -> tuple[View, ...]:
    """Return what coders said of a passage, by letters that are dealt anew for each passage."""
    coders = sorted({name for said in differ.values() for name in said})
    found = []
    for name, letter in lettered(coders, adjudicator, passage).items():
        hand = now.hands.get(name)
        answer = hand.answers.get(passage) if hand else None
        codes = {code: said[name] for code, said in differ.items() if name in said}
        unsure = now.tables[name][passage]["unsure"] == "1"
        found.append(View(letter, codes, answer.memo if answer else "", unsure))
    return tuple(found)


def settled_rows(hand: Hand, found: Disputed, codes: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the adjudicator's rows: of what is disputed now and has been settled, nothing else."""
    codes, rows = list(codes), {}
    for passage, differ in found.items():
        answer = hand.answers.get(passage)
        if answer is not None and set(differ) <= set(answer.codes):
            own = answer.row(codes)
            rows[passage] = {
                name: cell if name in differ or name == "unsure" else NOT_CODED
                for name, cell in own.items()
            }
    return rows


def enter_settled(coder: str, among: Collection[str] = (), *, all_of_it: bool = False) -> Entered:
    """Write the adjudicator's table, once everything is settled.

    ``all_of_it`` writes what is settled so far. Raises :class:`InputError` as
    :func:`framing.acquire.coding_page.enter.enter` does.
    """
    with alone():
        now = read_round()
        found = asked_of(now, coder, among)
        hand = now.hands.get(coder, Hand(coder))
        rows = settled_rows(hand, found, now.state.codes)
        if not rows or (len(rows) < len(found) and not all_of_it):
            left = len(found) - len(rows)
            return Entered(waits=[f"{left} of {len(found)} passages are still to be settled."])
        columns = ["passage_id", "coder", *now.state.codes, "unsure"]
        table = pd.DataFrame(
            [{"passage_id": name, "coder": coder, **row} for name, row in rows.items()],
            columns=columns,
        )
        path, text = coder_file(coder), table_text(table)
        if path.is_file() and read_text(path) == text:
            return Entered()
        writes: dict[Path, str] = {path: text}
        said = write_checked(now.state, writes, list(rows), {coder: hand})
    return Entered(sorted(writes), said)
