"""From journals to tables of codings: when, whose, and what of them.

A run of the workflow refuses drawn passages that nobody coded, and a confirmation draw comes whole.
So a draw's codings enter tables together: by the plan, when everybody is through with the share of
it; without one, when the coders who are through have coded all of it, with those whose tables are
there. Until then they are in the journals alone, and a run knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from framing.acquire.coding_page.answers import Hand, hand_of
from framing.acquire.coding_page.assignment import read_assignments
from framing.acquire.coding_page.journal import journal_file, journals, read_journal
from framing.acquire.coding_page.pools import Plan, Pool, pools_of, share_of
from framing.acquire.codings.check import State, result_problems
from framing.acquire.codings.kinds import of_a_kind
from framing.acquire.codings.options import Options
from framing.acquire.codings.project import state_of
from framing.acquire.codings.write import coder_file, coders_text
from framing.coding.codings import NOT_CODED
from framing.common.files import read_table, read_text, table_text
from framing.common.paths import CODERS
from framing.common.problems import InputError, Problem, raise_if_any
from framing.project.lock import alone, commit

Rows = dict[str, dict[str, str]]
"""What a coder's table says: cells by passage."""


@dataclass
class Round:
    """All that is known when it is asked what may enter."""

    state: State
    pools: list[Pool]
    plan: Plan
    hands: dict[str, Hand]
    tables: dict[str, Rows]

    @property
    def adjudicator(self) -> str:
        """Return who settles where coders differ; empty without one."""
        return str(self.state.config["coders"].get("adjudicator", ""))

    def said(self, coder: str) -> set[str]:
        """Return the passages that a coder has coded, in the journal or in the table."""
        hand = self.hands.get(coder)
        return {*(hand.answers if hand else ()), *self.tables.get(coder, ())}


@dataclass
class Entering:
    """What enters: passages by coder; and for whom what else waits, a sentence a draw."""

    passages: dict[str, list[str]] = field(default_factory=dict)
    waits: list[str] = field(default_factory=list)


def read_round(state: State | None = None) -> Round:
    """Return what the project in the working directory knows of codings at the page.

    Raises :class:`InputError` where a table, the plan or a journal is broken.
    """
    state = state or state_of()
    problems: list[Problem] = []
    hands = {}
    for coder in journals():
        try:
            hands[coder] = hand_of(coder, read_journal(journal_file(coder)).entries)
        except InputError as error:
            problems += error.problems
    raise_if_any(problems)
    names = dict.fromkeys([*state.coders["coder"], *hands])
    tables = {name: table_rows(name, state.codes) for name in names}
    plan = read_assignments(list(state.drawn["passage_id"]))
    return Round(state, pools_of(state), plan, hands, tables)


def table_rows(coder: str, codes: Sequence[str]) -> Rows:
    """Return what a coder's table says, without rows in which nothing is coded."""
    path = coder_file(coder)
    if not path.is_file():
        return {}
    frame = read_table(path, ["passage_id", "coder", *codes, "unsure"])
    cells = [*codes, "unsure"]
    return {
        row["passage_id"]: {name: row[name] for name in cells}
        for row in frame.to_dict("records")
        if any(row[code] not in (NOT_CODED, "") for code in codes)
    }


def entering(now: Round, *, all_of_it: bool = False) -> Entering:
    """Return what of the journals enters the tables.

    ``all_of_it`` takes whatever they have, though somebody may not be through.
    """
    found = Entering()
    for pool in now.pools:
        ids = set(pool.ids)
        begun = {name for name, hand in now.hands.items()
                 if name != now.adjudicator and ids & set(hand.answers)}  # fmt: skip
        if not begun:
            continue
        planned = {name for name, own in now.plan.items() if ids & set(own)}
        # coders.tsv names them, and a run asks for the table of whomever it names.
        named = {name for name in now.state.coders["coder"]
                 if name != now.adjudicator and not now.tables[name]}  # fmt: skip
        awaited = planned or named
        through = {name for name in begun | awaited
                   if set(share_of(pool, name, now.plan)) <= now.said(name)}  # fmt: skip
        late = sorted(awaited - through)
        entered = begun if all_of_it else begun & through
        of_tables = [set(own) for name, own in now.tables.items() if name != now.adjudicator]
        covered = ids <= set().union(*of_tables, *(now.said(name) for name in entered))
        if not all_of_it and (late or not covered):
            found.waits.append(_waits(pool, late or sorted(begun - through)))
            continue
        for name in sorted(entered):
            answered = now.hands[name].answers
            own = [one for one in pool.ids if one in answered]
            found.passages[name] = [*found.passages.get(name, []), *own]
    return found


def _waits(pool: Pool, names: Sequence[str]) -> str:
    who = ", ".join(names) if names else "whoever codes the rest"
    whole = " A confirmation draw enters whole or not at all." if pool.pending else ""
    return (f"{pool.name[0].upper()}{pool.name[1:]} waits for {who}: its codings are kept in the "
            f"journals and enter the tables together.{whole}")  # fmt: skip


def merged(
    coder: str, before: pd.DataFrame, hand: Hand, passages: Iterable[str], codes: Sequence[str]
) -> tuple[pd.DataFrame, list[str], list[Problem]]:
    """Return a coder's table with the journal's answers in it, whose rows changed, what is wrong.

    Rows that are there stay where they are. One that says what the journal never said was put there
    otherwise, and is not overwritten.
    """
    cells = [*codes, "unsure"]
    table = {row["passage_id"]: row for row in before.to_dict("records")}
    changed, foreign = [], []
    for name in passages:
        new = hand.answers[name].row(codes)
        old = table.get(name)
        if old is not None and all(old[cell] == new[cell] for cell in cells):
            continue
        if old is not None and not _known(old, hand.said.get(name, []), codes):
            foreign.append(repr(name))
            continue
        changed.append(name)
        table[name] = {"passage_id": name, "coder": coder, **new}
    problems = of_a_kind(
        coder_file(coder), "{} of it say what was never said at the page", foreign,
        f"They were changed by hand or by an import: give these passages anew at the page "
        f"(framing code --coder {coder}), or take the rows out.",
    )  # fmt: skip
    columns = ["passage_id", "coder", *cells]
    return pd.DataFrame(list(table.values()), columns=columns), changed, problems


def _known(row: Mapping[str, str], said: Sequence[Mapping[str, str]], codes: Sequence[str]) -> bool:
    blank = all(row[code] in (NOT_CODED, "") for code in codes)
    return blank or any(
        all(row[cell] == one.get(cell, NOT_CODED) for cell in codes) for one in said
    )


@dataclass
class Entered:
    """What came of putting journals into tables: files written, sentences, for whom it waits."""

    written: list[Path] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)


def enter(*, all_of_it: bool = False) -> Entered:
    """Put into the tables what may enter them; all of it is written, or nothing.

    Raises :class:`InputError` where a run is at work, and where a run would refuse what came of it.
    """
    with alone():
        now = read_round()
        found = entering(now, all_of_it=all_of_it)
        writes: dict[Path, str] = {}
        imported: set[str] = set()
        problems: list[Problem] = []
        for coder, passages in found.passages.items():
            frame, changed, wrong = merged(
                coder, _table(coder, now.state.codes), now.hands[coder], passages, now.state.codes
            )
            problems += wrong
            if changed:
                writes[coder_file(coder)] = table_text(frame)
                imported |= set(changed)
        said = write_checked(now.state, writes, imported, now.hands, problems)
    return Entered(sorted(writes), said, found.waits)


def write_checked(
    state: State,
    writes: dict[Path, str],
    imported: Iterable[str],
    hands: Mapping[str, Hand],
    problems: Sequence[Problem] = (),
) -> list[str]:
    """Write coders' tables, and rows of new coders, where a run would take them.

    Returns sentences on draws that count as something else now. Raises :class:`InputError`
    otherwise, and then nothing is written. The project's lock must be held.
    """
    raise_if_any(problems)
    if not writes:
        return []
    text = with_coders(state, [hands[path.stem] for path in writes])
    if text != read_text(CODERS):
        writes[CODERS] = text
    found, said = result_problems(state, writes, set(imported))
    raise_if_any(found)
    commit(writes)
    return said


def _table(coder: str, codes: Sequence[str]) -> pd.DataFrame:
    columns = ["passage_id", "coder", *codes, "unsure"]
    path = coder_file(coder)
    return read_table(path, columns)[columns] if path.is_file() else pd.DataFrame(columns=columns)


def with_coders(state: State, hands: Iterable[Hand]) -> str:
    """Return ``coders.tsv`` with a row for everybody in ``hands`` whom it does not name yet."""
    text = before = read_text(CODERS)
    known = set(state.coders["coder"])
    for hand in hands:
        if hand.coder not in known:
            options = Options(kind=hand.kind, describe=hand.description)
            version = str(state.codebook.version)
            new, _, problems = coders_text(state.coders, [hand.coder], options, version)
            raise_if_any(problems)
            text = (
                text.removesuffix("\n") + "\n" + new.removeprefix(before.removesuffix("\n") + "\n")
            )
    return text
