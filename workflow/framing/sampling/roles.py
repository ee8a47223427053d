"""What each draw counts as: read or unread. The state machine, and nothing but it.

A draw is made for one of two roles:

``development``
    whoever writes codebook, cues, exemplars or settings may read its passages and their codes;
``confirmation``
    nobody looks at its passages' codes before everything is frozen (:mod:`framing.project.freeze`).

What a draw *counts as* follows from its role, from whether it has codings, and from the latest
freeze; from nothing else, so that it can be worked out anew whenever a project is read:

==============  ===========================================================================
development     the role says so
pending         a confirmation draw without codings: it does not count at all
unread          a confirmation draw with codings; the latest freeze stands, and when it was
                made the draw had none, or had not been made
spent           a confirmation draw with codings, otherwise: it counts as a development draw
==============  ===========================================================================

Only the latest freeze is asked. Whoever freezes anew after codings came has had the chance to look
at them, so these codings are read for good; undoing a change, on the other hand, makes a draw
unread again, as nothing then rests on the change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DEVELOPMENT, CONFIRMATION = "development", "confirmation"
ROLES = (DEVELOPMENT, CONFIRMATION)
PENDING, UNREAD, SPENT = "pending", "unread", "spent"
WHICH = (
    f"{DEVELOPMENT} if anybody who writes codebook, cues or settings may read the passages with "
    f"their codes (a first draw mostly is), {CONFIRMATION} if nobody looks before all is frozen "
    "(`framing freeze`): only then do estimates hold although cues were written from what was read"
)
"""When to take which role, as it is said where a role is asked for."""


@dataclass(frozen=True)
class Tally:
    """What is known of a draw before anything is said of reading.

    ``number`` is 0 for a sample that no draw is on record of. ``drawn`` counts its passages,
    ``coded`` those with codings. ``freeze`` is the number of the freeze under which it was made,
    None before any. ``by_hand`` tells a convenience sample.
    """

    number: int
    role: str
    drawn: int
    coded: int
    freeze: int | None = None
    by_hand: bool = False

    @property
    def name(self) -> str:
        """Return how sentences name the draw."""
        return f"draw {self.number}" if self.number else "sample of corpus/sample.tsv"


@dataclass(frozen=True)
class Frozen:
    """What matters here of the latest freeze.

    ``coded`` gives the number of coded passages at the time for each draw then on record;
    ``changes`` says in a few words what is no longer as it was frozen, empty where the freeze
    stands.
    """

    number: int
    date: str
    coded: Mapping[int, int]
    changes: str = ""

    @property
    def stands(self) -> bool:
        """Return whether all is still as it was frozen."""
        return not self.changes


@dataclass(frozen=True)
class Status:
    """What a draw counts as, and why (for a spent one); ``held`` out it is pending for good."""

    tally: Tally
    state: str
    why: str = ""
    held: bool = False


def status_of(tally: Tally, frozen: Frozen | None) -> Status:
    """Return what a draw counts as; ``frozen`` is the latest freeze, None where there is none.

    Codings of a confirmation draw before any freeze are an error that the caller reports
    (:func:`unfrozen`); here they count as spent.
    """
    if tally.role == DEVELOPMENT:
        return Status(tally, DEVELOPMENT)
    if not tally.coded:
        return Status(tally, PENDING)
    if frozen is None:
        return Status(tally, SPENT, "nothing had been frozen when its codings came")
    there = frozen.coded.get(tally.number, 0)
    if there:
        return Status(
            tally, SPENT, f"{there} of its passages had codings when freeze {frozen.number} was "
            "made",
        )  # fmt: skip
    if not known_to(tally, frozen):
        return Status(tally, SPENT, f"freeze {frozen.number} does not know it")
    if not frozen.stands:
        return Status(tally, SPENT, f"{frozen.changes} since freeze {frozen.number}")
    return Status(tally, UNREAD)


def known_to(tally: Tally, frozen: Frozen) -> bool:
    """Return whether a freeze knew a draw, or the draw was made under it."""
    return tally.number in frozen.coded or tally.freeze == frozen.number


def unfrozen(tallies: Sequence[Tally], frozen: Frozen | None) -> list[Tally]:
    """Return the confirmation draws that have codings although nothing was ever frozen."""
    if frozen is not None:
        return []
    return [one for one in tallies if one.role == CONFIRMATION and one.coded]


def sentence(status: Status, frozen: Frozen | None) -> str:
    """Return in a sentence whether a draw is read or unread, and by which freeze."""
    tally = status.tally
    count = f"{tally.drawn} passages"
    if 0 < tally.coded < tally.drawn and tally.role == CONFIRMATION:
        count = f"{tally.coded} of {tally.drawn} passages coded"
    kind = "chosen by hand" if tally.by_hand else tally.role
    head = f"{tally.name} ({kind}, {count})"
    if status.state == DEVELOPMENT:
        return f"{head}: read"
    if status.held:
        return f"{head}: held out, nothing learns from it and no estimate has it"
    if status.state == PENDING:
        ready = _ready(tally, frozen)
        return f"{head}: pending, it has no codings yet and does not count; {ready}"
    if status.state == UNREAD:
        assert frozen is not None
        return f"{head}: unread, frozen on {frozen.date} by freeze {frozen.number}"
    return f"{head}: spent, {status.why}; its codings count as read"


def _ready(tally: Tally, frozen: Frozen | None) -> str:
    if frozen is None:
        return "`framing freeze` comes before its codings"
    if not frozen.stands:
        return f"freeze {frozen.number} no longer stands ({frozen.changes}): freeze anew first"
    if not known_to(tally, frozen):
        return f"freeze {frozen.number} does not know it: freeze anew before its codings come"
    return f"freeze {frozen.number} of {frozen.date} stands"


def caveat(status: Status) -> list[str]:
    """Return what every table made with a draw must say of it; mostly nothing."""
    tally, said = status.tally, []
    if status.state == SPENT:
        said.append(f"{tally.name} is spent: {status.why}; its codings count as read")
    if status.state in (SPENT, UNREAD) and tally.coded < tally.drawn:
        said.append(
            f"{tally.name}: {tally.drawn - tally.coded} of {tally.drawn} drawn passages have no "
            "codings yet; treated as missing at random within strata"
        )
    return said
