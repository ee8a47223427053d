"""``framing freeze``: put on record what is decided, before anybody looks at a confirmation draw.

What a freeze holds and when it stands is in :mod:`framing.project.freeze`; here it is written and
told.
"""

from __future__ import annotations

import argparse
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING

from framing.common.problems import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    from framing.project.load import Project
    from framing.project.reading import Reading

_EXAMPLES = """\
examples:
  framing freeze              write corpus/freeze/N/: a record, and a page to be deposited
  framing freeze --check      say whether the latest freeze stands, and what has changed since

Commit the freeze before the codings of a confirmation draw come: the order of commits is what
others can see. Codings count as unread as long as rules, cues, exemplars, settings and theses are
as they were frozen, and so are group and date of the sources that were there. Names of cues,
labels, captions, punctuation, renamed and new sources do not matter (docs/freeze.md).
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``freeze`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "freeze", parents=[common], help="put on record what is decided before a draw is looked at",
        description="Record codebook, cues, exemplars, analytic settings and theses with digests "
        "and date, so that codings of a confirmation draw that come later count as unread.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--check", action="store_true",
        help="say whether the latest freeze stands and what changed; write nothing; exit status 1 "
        "where it does not stand",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Freeze the project in the working directory, or say whether a freeze stands."""
    from framing.project.lock import alone, commit

    if arguments.check:
        return _check()
    with alone():
        project, reading, number = _ready()
        commit(_texts(project, reading, number))
    print(f"Freeze {number} is in corpus/freeze/{number}/: freeze.md is the page to deposit.")
    for line in reading.sentences:
        print(f"Before it: {line}")
    print("Next: commit it, before the codings of any confirmation draw come.")
    return 0


def _project() -> tuple[Project, Reading]:
    """Return the project, checked, and what its draws count as."""
    from framing.project.load import check_project, project_reading
    from framing.project.status import Stage, stage_of

    project = check_project(started=stage_of() is not Stage.CODED)
    return project, project_reading(
        project.config, project.codebook, project.sources, project.draws
    )


def _ready() -> tuple[Project, Reading, int]:
    """Return project, reading and the number of the freeze to be made.

    Raises :class:`InputError` where there is nothing to freeze, or nothing new.
    """
    from framing.common.paths import CODEBOOK
    from framing.project.freeze import FREEZES
    from framing.project.freeze_records import read_freezes

    project, reading = _project()
    book = project.codebook
    taught = book.cues or any(one.carrying or one.near_misses for one in book.indicators.values())
    raise_if_any(
        [Problem(CODEBOOK, "has no code" if not book.codes else "has neither a cue nor an exemplar",
                 "Write what is coded and how it is told before freezing it: a freeze of nothing "
                 "binds nobody.")]
        if not book.codes or not taught
        else []
    )  # fmt: skip
    number = len(read_freezes()) + 1
    if reading.frozen is not None and reading.frozen.stands and not reading.waits:
        raise InputError(
            Problem(f"{FREEZES}/{number - 1}", f"freeze {number - 1} still stands: nothing has "
                    "changed since", "There is nothing to freeze anew.")
        )  # fmt: skip
    return project, reading, number


def _texts(project: Project, reading: Reading, number: int) -> dict:
    from framing.coding.codings import coded_passages
    from framing.common.paths import CODINGS
    from framing.project.freeze_records import freeze_texts
    from framing.project.reading import tallies

    known = tallies(project.draws, len(project.sample), coded_passages(CODINGS))
    return freeze_texts(
        number, date.today().isoformat(), version("framing"), project.config, project.codebook,
        project.sources, project.passages["passage_id"], project.draws, known,
    )  # fmt: skip


def _check() -> int:
    _, reading = _project()
    frozen = reading.frozen
    if frozen is None:
        print("Nothing has been frozen yet: framing freeze")
    elif frozen.stands:
        print(f"Freeze {frozen.number} of {frozen.date} stands.")
    else:
        print(f"Freeze {frozen.number} of {frozen.date} no longer stands:")
        for change in reading.changes:
            print(f"  {change.line}")
    for line in reading.sentences:
        print(f"{line[0].upper()}{line[1:]}.")
    for line in reading.notes[-1:]:
        print(line)
    return 0 if frozen is not None and frozen.stands else 1
