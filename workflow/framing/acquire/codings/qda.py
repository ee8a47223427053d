"""Codings of a REFI-QDA project (``.qdpx``) as rows that can be taken over, and a project as one.

Selections are mapped onto drawn passages by :mod:`framing.acquire.refi.mapping`; what comes of it
is taken over like the rows of any other table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from framing.acquire.codings.check import State
from framing.acquire.codings.kinds import of_a_kind
from framing.acquire.codings.read import Rows
from framing.acquire.refi.align import Corpus
from framing.acquire.refi.mapping import Mapped, map_onto_passages
from framing.acquire.refi.project import Loss, Project
from framing.acquire.refi.settings import import_rule
from framing.acquire.refi.write import Exported
from framing.codebook.codes import Code
from framing.coding.codings import NOT_CODED
from framing.common.files import table_text
from framing.common.problems import InputError, Problem
from framing.corpus.tables import is_id


def mapped_project(
    found: Project,
    place: Path,
    state: State,
    same: Mapping[str, str],
    users: Mapping[str, str],
    *,
    read_all: bool = False,
) -> Mapped:
    """Return the codings of drawn passages that a project holds.

    ``same`` says which code a name in the project stands for, ``users`` the coder that a user is.
    With ``read_all`` every user has read every drawn passage, so that one without a code is coded
    absent; else that holds of documents on which the user has a coding.
    Raises :class:`InputError` where a user's name is no id of a coder and ``users`` gives none,
    where either names what is not there, and where the project has no coding.
    """
    names = [one.name for one in found.users]
    problems = of_a_kind(
        place, "has {} whose names are no ids of coders",
        [repr(name) for name in names if name not in users and not is_id(name)],
        'Say who they are: --user "NAME=CODER" for each.', "user",
    )  # fmt: skip
    problems += of_a_kind(
        place, "lacks {} that --user names", [repr(name) for name in users if name not in names],
        f"Its users: {', '.join(names) or 'none'}.", "user",
    )  # fmt: skip
    known = {name for one in found.codes for name in (one.name, one.path)}
    problems += of_a_kind(
        place, "lacks {} that --label names", [repr(name) for name in same if name not in known],
        f"Its codes: {', '.join(one.path for one in found.codes[:20]) or 'none'}.", "code",
    )  # fmt: skip
    indicators = list(state.codebook.indicators)
    problems += [
        Problem(f"--label {name}={target}", f"{target!r} is no code of the codebook",
                f"Its codes: {', '.join(indicators)}.")
        for name, target in same.items() if target not in indicators
    ]  # fmt: skip
    if not found.codings:
        problems.append(Problem(place, "holds no coding of a text",
                                "Look whether it was exported with its codings."))  # fmt: skip
    if problems:
        raise InputError(problems)
    drawn = state.passages[state.passages["passage_id"].isin(state.drawn["passage_id"])]
    rule = import_rule(state.config.get("import_codings"))
    corpus = Corpus(state.sources, drawn, state.texts(), {})
    every = {users.get(name, name): list(drawn["passage_id"]) for name in names}
    coded = every if read_all else None
    return map_onto_passages(
        found, corpus, state.codebook.codes, rule, same=same, coders=users, coded=coded
    )


def rows_of(mapped: Mapped, codes: Mapping[str, Code], place: Path) -> Rows:
    """Return mapped codings as rows ``passage_id coder <codes> unsure``, one a passage and coder.

    Passages of which a coder coded nothing are left out. Raises :class:`InputError` where none is
    left.
    """
    wide = mapped.table.pivot(index=["passage_id", "coder"], columns="code", values="value")
    wide = wide.dropna(how="all")
    if wide.empty:
        raise InputError(
            Problem(place, "holds no coding of a drawn passage by a code of the codebook",
                    "Documents must be sources of the corpus, codes those of the codebook; "
                    "--label NAME=CODE says which is which.")
        )  # fmt: skip
    cells = pd.DataFrame(NOT_CODED, index=wide.index, columns=list(codes))
    for name, code in codes.items():
        for level in code.counted:
            present = wide[level.indicator]
            cells[name] = cells[name].mask((present == 1).fillna(False), level.name)
            if code.kind.present:
                cells[name] = cells[name].mask((present == 0).fillna(False), code.cells[0])
    unsure = ["1" if key in mapped.unsure else "0" for key in wide.index]
    table = cells.assign(unsure=unsure).reset_index()
    table.columns.name = None
    number = range(1, len(table) + 1)
    return Rows((place,), table.astype(object), (0,) * len(table), tuple(number))


def unplaced_problems(mapped: Mapped, place: Path) -> list[Problem]:
    """Return what is to be said of codings that fit no place, one line a reason."""
    problems = []
    for why, own in mapped.unplaced.groupby("why", sort=False):
        spots = [_spot(row) for row in own.to_dict("records")]
        problems += of_a_kind(
            place, f"has {{}} that cannot be taken over, as {why}", spots,
            "Correct the project, or leave them out: --skip-unmatched (they are then listed).",
            "coding",
        )  # fmt: skip
    return problems


def _spot(row: Mapping[str, Any]) -> str:
    told = f"{row['document']}, {row['code']} by {row['coder']}"
    if not row["nearest"]:
        return told
    return f"{told} (nearest: {row['nearest']!r}, similarity {row['similarity']:.2f})"


def unplaced_text(mapped: Mapped) -> str:
    """Return codings that fit no place as a table."""
    return table_text(mapped.unplaced)


def exported(state: State, codings: pd.DataFrame) -> Exported:
    """Return the project with ``codings`` (long) as what is written to a ``.qdpx``."""
    coded = state.passages[state.passages["passage_id"].isin(codings["passage_id"])]
    sources = state.sources[state.sources["source_id"].isin(coded["source_id"])]
    coders = state.coders[state.coders["coder"].isin(codings["coder"])]
    title = str(state.config["project"]["title"])
    return Exported(title, sources, coded, state.texts(), coders, codings, state.codebook)


def loss_lines(losses: Sequence[Loss], head: str) -> list[str]:
    """Return what is not carried, a line a kind."""
    lines = [
        f"  {one.count:,} × {one.kind}" + (f" ({'; '.join(one.examples)})" if one.examples else "")
        for one in losses
        if one.count
    ]
    return [head, *lines] if lines else []


def moment_of(config: Mapping[str, Any]) -> str:
    """Return the day of publication, which stands as the date of all that is exported."""
    day = str(config.get("release", {}).get("date", "1970-01-01"))
    return f"{day}T00:00:00Z"
