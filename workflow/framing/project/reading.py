"""What has been read: what each draw counts as, and why, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from framing.project.freeze import Freeze
from framing.project.freeze_changes import Change, summary
from framing.sampling.draw import CONVENIENCE, Draw
from framing.sampling.roles import (
    CONFIRMATION,
    DEVELOPMENT,
    PENDING,
    SPENT,
    Frozen,
    Status,
    Tally,
    caveat,
    known_to,
    sentence,
    status_of,
)

# --- what has been read ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """What each draw of a project counts as, and by what.

    ``statuses`` has the sample first where no draw is on record of it, then the draws in order;
    ``frozen`` is the latest freeze, None before any, ``changes`` what is no longer as it has it.
    """

    statuses: tuple[Status, ...]
    frozen: Frozen | None
    changes: tuple[Change, ...]

    @property
    def states(self) -> list[str]:
        """Return what each draw on record counts as, in order."""
        return [one.state for one in self.statuses if one.tally.number]

    @property
    def sentences(self) -> list[str]:
        """Return a sentence a draw: whether it is read or unread, and by which freeze."""
        return [sentence(one, self.frozen) for one in self.statuses]

    @property
    def caveats(self) -> list[str]:
        """Return what every table must say of the draws it rests on; mostly nothing."""
        return [said for one in self.statuses for said in caveat(one)]

    @property
    def notes(self) -> list[str]:
        """Return what is to be said at the terminal where draws are spent: a line each."""
        spent = [one for one in self.statuses if one.state == SPENT]
        if not spent:
            return []
        lines = [sentence(one, self.frozen) for one in spent]
        if self.changes and self.frozen is not None:
            lines.append(f"Changed since freeze {self.frozen.number} of {self.frozen.date}:")
            lines += [f"  {change.line}" for change in self.changes]
            lines.append("Undo that, and what was unread before is unread again.")
        lines.append(
            "What a new confirmation draw would cost: framing plan --code CODE, or --contrast ID"
        )
        return lines

    @property
    def waits(self) -> list[Tally]:
        """Return the confirmation draws without codings that the latest freeze does not know."""
        return [
            one.tally
            for one in self.statuses
            if one.tally.role == CONFIRMATION
            and not one.tally.coded
            and (self.frozen is None or not known_to(one.tally, self.frozen))
        ]


def tallies(
    draws: Sequence[Draw], sampled: int, coded: Collection[str] | None
) -> tuple[Tally, ...]:
    """Return what is known of each draw; the sample first where no draw is on record of it.

    ``sampled`` counts the rows of ``corpus/sample.tsv``; ``coded`` are the passages with codings,
    None for all.
    """
    found = []
    if sampled and not (draws and draws[0].is_sample):
        found.append(Tally(0, DEVELOPMENT, sampled, sampled))
    for draw in draws:
        ids = draw.drawn["passage_id"]
        done = len(ids) if coded is None else int(ids.isin(list(coded)).sum())
        found.append(
            Tally(draw.number, draw.role, len(ids), done, draw.freeze, draw.kind == CONVENIENCE)
        )
    return tuple(found)


def reading_of(
    known: Sequence[Tally],
    freezes: Sequence[Freeze],
    found: Sequence[Change],
    held: Collection[int] = (),
) -> Reading:
    """Return what draws count as; ``found`` is what changed since the last of ``freezes``.

    ``held`` are the numbers of draws that are held out: whatever codings they have, these do not
    count.
    """
    frozen = summary(freezes[-1] if freezes else None, found)
    statuses = (
        Status(one, PENDING, held=True) if one.number in held else status_of(one, frozen)
        for one in known
    )
    return Reading(tuple(statuses), frozen, tuple(found))
