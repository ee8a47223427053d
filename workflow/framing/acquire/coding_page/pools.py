"""Which draws may be coded at the page, and who has a share in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from framing.acquire.codings.check import State
from framing.common.problems import InputError, Problem
from framing.sampling.draw import DRAWS
from framing.sampling.roles import CONFIRMATION, PENDING, Status, known_to

Plan = Mapping[str, Collection[str]]
"""The passages of each coder, as ``corpus/assignments.tsv`` has them."""


@dataclass(frozen=True)
class Pool:
    """The passages of a draw; number 0 is a sample that no draw is on record of.

    ``pending`` says that it is for confirmation and has no codings yet, so that it comes whole;
    ``bar`` why nobody may code it yet, mostly nothing.
    """

    number: int
    name: str
    role: str
    ids: tuple[str, ...]
    strata: tuple[str, ...]
    pending: bool = False
    bar: str = ""


def pools_of(state: State) -> list[Pool]:
    """Return the draws of a project, the sample first where no draw is on record of it."""
    draws = {draw.number: draw.drawn for draw in state.draws}
    found = []
    for status in state.reading.statuses:
        tally = status.tally
        rows = draws[tally.number] if tally.number else state.sample
        found.append(
            Pool(
                tally.number, tally.name, tally.role, tuple(rows["passage_id"]),
                tuple(rows["stratum"]), status.state == PENDING, _bar(status, state),
            )
        )  # fmt: skip
    return found


def _bar(status: Status, state: State) -> str:
    """Return why a draw may not be coded yet: a confirmation draw waits for its freeze."""
    if status.state != PENDING:
        return ""
    frozen = state.reading.frozen
    if frozen is None:
        return "nothing has been frozen yet: `framing freeze` comes before its codings"
    if not frozen.stands:
        return (f"freeze {frozen.number} no longer stands ({frozen.changes}): undo that, or freeze "
                "anew first")  # fmt: skip
    if not known_to(status.tally, frozen):
        return f"freeze {frozen.number} does not know it: freeze anew first"
    return ""


def share_of(pool: Pool, coder: str, plan: Plan) -> list[str]:
    """Return the passages of a draw that are a coder's: by the plan, all where it has none of it.

    In the order of the draw.
    """
    ids = set(pool.ids)
    if not any(ids & set(own) for own in plan.values()):
        return list(pool.ids)
    own = set(plan.get(coder, ()))
    return [name for name in pool.ids if name in own]


def offered(
    pools: Sequence[Pool],
    coder: str,
    plan: Plan,
    coded: Collection[str],
    own: Collection[str],
    asked: Sequence[int] = (),
) -> list[Pool]:
    """Return the draws that a coder is offered.

    ``coded`` are the passages with codings in some table, ``own`` those with an answer in the
    coder's journal or table. Without ``asked`` (numbers of draws): those that wait for codings, and
    those of which the coder has a share by the plan or has begun, and is not through; where there
    are none, those that the coder is through with, to look at again. Raises :class:`InputError`
    where there is nothing to be offered, and on a draw that may not be coded yet.
    """
    if asked:
        return [_asked(pools, number, coder, plan) for number in asked]
    has = set(own)
    mine = [(pool, share_of(pool, coder, plan)) for pool in pools if not pool.bar]
    mine = [(pool, share) for pool, share in mine if share]
    dealt = set(plan.get(coder, ()))
    begun = [(pool, share) for pool, share in mine if has & set(share) or dealt & set(share)]
    waits = [pool for pool, _ in mine if not set(pool.ids) <= set(coded)]
    unfinished = [pool for pool, share in begun if not set(share) <= has]
    through = [pool for pool, _ in begun]
    wanted = [pool for pool in pools if pool in waits or pool in unfinished] or through
    if wanted:
        return wanted
    raise InputError(_nothing(pools, coder, plan))


def to_be_dealt(
    pools: Sequence[Pool], coded: Collection[str], asked: Sequence[int] = ()
) -> list[Pool]:
    """Return the draws whose passages are dealt to coders: those asked for, or that wait.

    Nobody need be allowed to code them yet. Raises :class:`InputError` where there is none.
    """
    known = {pool.number: pool for pool in pools}
    if unknown := [number for number in asked if number not in known]:
        raise InputError(
            Problem(f"--draw {unknown[0]}", "there is no such draw", f"Draws: {_named(pools)}.")
        )
    found = [known[number] for number in asked]
    found = found or [pool for pool in pools if not set(pool.ids) <= set(coded)]
    if not found:
        raise InputError(
            Problem("corpus/codings", "has codings of every drawn passage: no draw waits for any",
                    f"Name a draw to be coded once more: --draw N ({_named(pools)}).")
        )  # fmt: skip
    return found


def _asked(pools: Sequence[Pool], number: int, coder: str, plan: Plan) -> Pool:
    known = {pool.number: pool for pool in pools}
    if number not in known:
        raise InputError(
            Problem(f"--draw {number}", "there is no such draw", f"Draws: {_named(pools)}.")
        )
    pool = known[number]
    if pool.bar:
        raise InputError(Problem(f"{DRAWS}/{number}", f"is for confirmation, and {pool.bar}",
                                 "Its codings count as unread only then."))  # fmt: skip
    if not share_of(pool, coder, plan):
        raise InputError(_not_planned(coder, pool.name))
    return pool


def _not_planned(coder: str, where: str) -> Problem:
    return Problem("corpus/assignments.tsv", f"gives {coder!r} no passage of {where}",
                   "Add rows for this coder, or let those code whom it names.")  # fmt: skip


def _nothing(pools: Sequence[Pool], coder: str, plan: Plan) -> list[Problem]:
    barred = [pool for pool in pools if pool.bar]
    problems = [
        Problem(pool.name, f"is for confirmation, and {pool.bar}", "Then it can be coded.")
        for pool in barred
    ]
    others = [pool for pool in pools if not pool.bar]
    if not others:
        return problems
    if not any(share_of(pool, coder, plan) for pool in others):
        return [*problems, _not_planned(coder, "any draw")]
    return [
        *problems,
        Problem("corpus/codings", "has codings of every passage that may be coded: no draw waits "
                "for any", f"To code passages that others have coded, name their draw: "
                f"framing code --coder {coder} --draw {others[0].number} ({_named(others)})."),
    ]  # fmt: skip


def _named(pools: Iterable[Pool]) -> str:
    return ", ".join(f"{pool.number}: {pool.name}, {len(pool.ids)} passages" for pool in pools)


def confirming(pools: Iterable[Pool]) -> bool:
    """Return whether any of the draws is for confirmation and has no codings yet."""
    return any(pool.role == CONFIRMATION and pool.pending for pool in pools)
