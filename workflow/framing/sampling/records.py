"""Records of draws: written, read, checked row by row and by drawing them again."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from framing.common.files import (
    LINE,
    json_text,
    read_table,
    repeated,
    table_text,
)
from framing.common.numbered import read_numbered, read_record
from framing.common.problems import InputError, Problem, raise_if_any
from framing.sampling.draw import (
    CONVENIENCE,
    DRAWN,
    EARLIER,
    FORMAT,
    HEAD,
    LEFT,
    NO_REPLAY,
    NOT_REPLAYED,
    PLAN_COLUMNS,
    PROBABILITY,
    REPLAYED,
    ROW_COLUMNS,
    ROWS,
    Draw,
    Stratum,
    first_by_number,
    frame_digest,
)
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT, ROLES
from framing.sampling.strata import strata_digest

_WITHOUT_ROLES = 1  # the format before draws had roles: such a draw is for development

_CONSTANT = PLAN_COLUMNS[:8]

_PROBABILITY_SLACK = 5.1e-7  # probabilities are written with six decimals


# --- files ----------------------------------------------------------------------------------------


def draw_texts(draw: Draw) -> dict[str, str]:
    """Return the two files of a draw as text, by name."""
    head = {
        "format": FORMAT,
        "draw": draw.number,
        "kind": draw.kind,
        "role": draw.role,
        "freeze": draw.freeze,
        "supplement": draw.supplement,
        "seed": draw.seed,
        "rule": draw.rule,
        "replay": _replay(draw.kind, draw.seed),
        "project": draw.project,
        "frame": {
            "passages": len(draw.passages),
            "sha256": frame_digest(draw.passages["passage_id"]),
        },
        "strata_by": list(draw.strata_by),
        "proportional": draw.even,
        "strata": {
            name: {"size": one.size, "drawn": one.drawn, "earlier_share": one.earlier_share}
            for name, one in draw.strata.items()
        },
    }
    rows = draw.passages.assign(covered=draw.passages["covered"].astype(int))
    return {HEAD: json_text(head), ROWS: table_text(rows[list(ROW_COLUMNS)])}


def _replay(kind: str, seed: int | None) -> str:
    """Return what the record says of redoing a draw."""
    if kind == CONVENIENCE:
        return NO_REPLAY
    return REPLAYED if seed is not None else NOT_REPLAYED


def write_draw(folder: Path, draw: Draw) -> Path:
    """Write a draw to ``folder/<number>/``, whole or not at all; return that directory.

    Raises :class:`InputError` where it is there already: a draw is never written anew.
    """
    target = folder / str(draw.number)
    taken = Problem(target, "is on record already", "A draw is never overwritten: draw anew.")
    if target.exists():
        raise InputError(taken)
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix=f".{draw.number}."))
    try:
        for name, text in draw_texts(draw).items():
            (scratch / name).write_text(text, encoding="utf-8", newline="\n")
        scratch.chmod(0o755)
        try:
            # Fails where another process was faster: a directory with files is not replaced.
            os.rename(scratch, target)  # noqa: PTH104
        except OSError:
            if target.exists():
                raise InputError(taken) from None
            raise
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return target


def read_draws(folder: Path) -> tuple[Draw, ...]:
    """Read every draw under ``folder``, in their order; none where there is no such directory.

    Raises :class:`InputError` on numbers that are missing, on files that contradict each other or
    the digest of the frame, on sizes that do not add up, and on rows that were not drawn by the
    seed they claim. Whether draws fit the corpus and each other is told by :func:`check_draws`.
    """
    return read_numbered(
        folder,
        _read_draw,
        strange=("is not a draw", "Draws are directories named by their numbers: remove it."),
        restore="Restore it: the weights of later draws depend on it.",
    )


_KEYS: dict[str, Any] = {
    "format": int, "draw": int, "kind": str, "supplement": bool, "seed": (int, type(None)),
    "rule": str, "project": str, "frame": dict, "strata_by": list, "proportional": bool,
    "strata": dict,
}  # fmt: skip

_ROLE_KEYS: dict[str, Any] = {"role": str, "freeze": (int, type(None)), "replay": str}

_RESTORE = "Restore the file as it was written."

_REMEDIES = {
    "role": f"{_RESTORE} A draw is for {DEVELOPMENT} or for {CONFIRMATION}, as `framing sample "
    "--role` says when it is made.",
}


def _read_draw(path: Path, number: int) -> Draw:
    head_path, rows_path = path / HEAD, path / ROWS
    head = read_record(head_path, "a draw", _RESTORE)
    raise_if_any(_head_problems(head, head_path, number))
    strata = {
        name: Stratum(one["size"], one["drawn"], float(one["earlier_share"]))
        for name, one in head["strata"].items()
    }
    frame = read_table(rows_path, ROW_COLUMNS)
    raise_if_any(_row_problems(frame, rows_path, head, strata))
    rows = frame[list(ROW_COLUMNS)].assign(
        covered=frame["covered"] == "1",
        inclusion_probability=pd.to_numeric(
            frame["inclusion_probability"].where(frame["inclusion_probability"] != "")
        ).astype(float),
    )
    draw = Draw(
        number=number, kind=head["kind"], supplement=head["supplement"], seed=head["seed"],
        project=head["project"], strata_by=tuple(head["strata_by"]), even=head["proportional"],
        strata=strata, passages=rows, role=head.get("role", DEVELOPMENT),
        freeze=head.get("freeze"), rule=head["rule"],
    )  # fmt: skip
    raise_if_any(_replay_problems(draw, rows_path, frame))
    return draw


def _head_problems(head: Mapping[str, Any], path: Path, number: int) -> list[Problem]:
    keys = _KEYS if head.get("format") == _WITHOUT_ROLES else _KEYS | _ROLE_KEYS
    problems = [
        Problem(path, f"lacks a usable {key!r}", _REMEDIES.get(key, _RESTORE))
        for key, kind in keys.items()
        if key not in head or not isinstance(head[key], kind)
    ]
    if head.get("format") not in (FORMAT, _WITHOUT_ROLES) and isinstance(head.get("format"), int):
        return [
            Problem(path, f"has the format {head['format']}",
                    f"This version reads {_WITHOUT_ROLES} and {FORMAT}.")
        ]  # fmt: skip
    if problems:
        return problems
    if head["draw"] != number:
        problems.append(
            Problem(path, f"is draw {head['draw']} in the directory of {number}", _RESTORE)
        )
    if head["kind"] not in (PROBABILITY, CONVENIENCE):
        problems.append(Problem(path, f"is of the kind {head['kind']!r}", _RESTORE))
    replay = head.get("replay", REPLAYED)
    if head["kind"] == PROBABILITY and head["seed"] is None and replay != NOT_REPLAYED:
        problems.append(Problem(path, "names no seed", _RESTORE))
    if "replay" in head and replay != _replay(head["kind"], head["seed"]):
        problems.append(
            Problem(path, f"says of its replay {replay!r}, which kind and seed deny", _RESTORE)
        )
    role = head.get("role", DEVELOPMENT)
    if role not in ROLES:
        problems.append(Problem(path, f"has the role {role!r}", _REMEDIES["role"]))
    elif role == CONFIRMATION and head["kind"] == CONVENIENCE:
        problems.append(
            Problem(path, "is a convenience sample for confirmation", "Passages chosen by hand "
                    "confirm nothing: such a draw can only be for development.")
        )  # fmt: skip
    if head.get("freeze") is not None and head["freeze"] < 1:
        problems.append(Problem(path, f"names the freeze {head['freeze']}", _RESTORE))
    for name, one in head["strata"].items():
        whole = isinstance(one, dict) and all(
            isinstance(one.get(key), int) and not isinstance(one.get(key), bool)
            for key in ("size", "drawn")
        )
        share = one.get("earlier_share") if isinstance(one, dict) else None
        good = isinstance(share, int | float) and 0 <= share <= 1
        if not whole or not good or not 0 <= one["drawn"] <= one["size"]:
            problems.append(
                Problem(path, f"stratum {name!r} has sizes or a share that cannot be", _RESTORE)
            )
    return problems


def _row_problems(
    frame: pd.DataFrame, path: Path, head: Mapping[str, Any], strata: Mapping[str, Stratum]
) -> list[Problem]:
    problems = [
        Problem(path, f"repeats the passage {name!r}", _RESTORE)
        for name in repeated(frame["passage_id"])
    ]
    for column, good in (
        ("status", frame["status"].isin([DRAWN, LEFT, EARLIER])),
        ("covered", frame["covered"].isin(["0", "1"])),
        ("stratum", frame["stratum"].isin([*strata, ""])),
        ("inclusion_probability",
         frame["inclusion_probability"].str.fullmatch(r"(|[01]\.\d+)")),
    ):  # fmt: skip
        problems += [
            Problem(path, f"{row.passage_id!r} has the {column} {row[column]!r}", _RESTORE,
                    int(row[LINE]))
            for _, row in frame[~good].iterrows()
        ]  # fmt: skip
    if problems:
        return problems
    record = head["frame"]
    if record.get("passages") != len(frame) or record.get("sha256") != frame_digest(
        frame["passage_id"]
    ):
        problems.append(
            Problem(path, f"lists another frame than {HEAD} says (digest of the ids)", _RESTORE)
        )
    for status, column in ((None, "size"), (DRAWN, "drawn")):
        part = frame[frame["status"] != EARLIER if status is None else frame["status"] == status]
        counts = part["stratum"].value_counts()
        problems += [
            Problem(path, f"stratum {name!r} has {counts.get(name, 0)} rows "
                    f"{'that could be drawn' if status is None else 'drawn'}, {HEAD} says "
                    f"{getattr(one, column)}", _RESTORE)
            for name, one in strata.items() if counts.get(name, 0) != getattr(one, column)
        ]  # fmt: skip
    stray = frame[(frame["status"] == DRAWN) & (frame["stratum"] == "")]
    problems += [
        Problem(path, f"{row.passage_id!r} was drawn from no stratum", _RESTORE, int(row[LINE]))
        for _, row in stray.iterrows()
    ]
    chance = {name: one.drawn / one.size for name, one in strata.items() if one.size}
    candidate = (frame["status"] != EARLIER) & (head["kind"] == PROBABILITY)
    said = pd.to_numeric(frame["inclusion_probability"], errors="coerce")
    off = candidate & ~((said - frame["stratum"].map(chance)).abs() <= _PROBABILITY_SLACK)
    off = (off & (frame["stratum"] != "")) | (~candidate & said.notna())
    problems += [
        Problem(path, f"{row.passage_id!r} has the inclusion probability "
                f"{row.inclusion_probability!r}, which its stratum does not give", _RESTORE,
                int(row[LINE]))
        for _, row in frame[off].iterrows()
    ]  # fmt: skip
    # Where earlier draws have no share, it does not matter what they cover.
    mixed = frame[frame["stratum"] != ""].groupby("stratum")["covered"].nunique()
    problems += [
        Problem(path, f"stratum {name!r} mixes passages an earlier draw covers with others",
                _RESTORE)
        for name in mixed.index[mixed > 1] if strata[name].earlier_share > 0
    ]  # fmt: skip
    return problems


def _replay_problems(draw: Draw, path: Path, frame: pd.DataFrame) -> list[Problem]:
    """Return where a draw is not the one its seed gives."""
    if draw.kind != PROBABILITY or draw.seed is None:
        return []
    rows = draw.passages
    candidates = rows[(rows["status"] != EARLIER) & (rows["stratum"] != "")]
    problems = []
    for name, part in candidates.groupby("stratum", sort=True):
        ids = list(part["passage_id"])
        size = draw.strata[str(name)].drawn
        places = first_by_number(ids, draw.seed, draw.number, size) if size else []
        wrong = {ids[place] for place in places} ^ set(part.loc[part["status"] == DRAWN,
                                                                "passage_id"])  # fmt: skip
        if wrong:
            first = frame[frame["passage_id"].isin(wrong)].iloc[0]
            problems.append(
                Problem(path, f"stratum {name!r} does not hold the passages that seed {draw.seed} "
                        f"draws ({first['passage_id']!r} is one that differs)",
                        f"{_RESTORE} Passages chosen otherwise are a convenience sample.",
                        int(first[LINE]))
            )  # fmt: skip
    return problems


def read_plan(path: Path) -> pd.DataFrame:
    """Read a file that ``framing plan --output`` wrote: :data:`PLAN_COLUMNS`, a row a stratum.

    ``passages coded left more`` are ints. Raises :class:`InputError` on repeated strata, on
    sizes that do not add up (coded and left to passages, more above left), on rows of different
    plans and where nothing is to be drawn.
    """
    frame = read_table(path, PLAN_COLUMNS)
    whole = ("passages", "coded", "left", "more")
    problems = [
        Problem(path, f"stratum {row['stratum']!r} has {column} {row[column]!r}",
                "Give a whole number of at least 0.", int(row[LINE]))
        for column in whole
        for _, row in frame[~frame[column].str.fullmatch(r"\d{1,12}")].iterrows()
    ]  # fmt: skip
    if frame.empty:
        problems.append(Problem(path, "holds no stratum", "Make it anew by `framing plan`."))
    raise_if_any(problems)
    frame = frame.astype(dict.fromkeys(whole, int))
    again = frame["stratum"].duplicated()
    unlike = frame[list(_CONSTANT)].ne(frame[list(_CONSTANT)].iloc[0]).any(axis=1)
    for wrong, what, remedy in (
        (again, "is given twice", "Keep one row a stratum."),
        (unlike, f"belongs to another plan than line 2 ({', '.join(_CONSTANT)})",
         "Keep the rows of one plan in a file."),
        (frame["coded"] + frame["left"] != frame["passages"],
         "has sizes that do not add up: coded and left must make passages",
         "Restore the row as `framing plan` wrote it."),
        (frame["more"] > frame["left"], "asks for more passages than it has left",
         "Lower `more`."),
    ):  # fmt: skip
        problems += [
            Problem(path, f"stratum {row['stratum']!r} {what}", remedy, int(row[LINE]))
            for _, row in frame[wrong].iterrows()
        ]
    if not problems and frame["more"].sum() < 1:
        problems.append(
            Problem(path, "asks for no more passages", "There is nothing to draw: the wish is met.")
        )
    raise_if_any(problems)
    return frame


def plan_problems(
    plan: pd.DataFrame, path: Path, project: str, design: pd.DataFrame, strata: pd.Series
) -> list[Problem]:
    """Return why a plan no longer fits a project: its title, its frame, its strata or their sizes.

    ``plan`` comes from :func:`read_plan`, ``design`` from :func:`combined_design`, ``strata`` are
    the plan's strata worked out anew on it.
    """
    first = plan.iloc[0]
    if first["project"] != project:
        return [
            Problem(path, f"is a plan for the project {first['project']!r}, this one is "
                    f"{project!r}", "Take this project's plan.", 2)
        ]  # fmt: skip
    again = "Run `snakemake`, then `framing plan` again."
    if first["frame_sha256"] != frame_digest(design["passage_id"]):
        return [
            Problem(path, "was made for another frame: passages joined or left the corpus since",
                    again, 2)
        ]  # fmt: skip
    inside = (strata != "").to_numpy()
    if first["strata_sha256"] != strata_digest(design["passage_id"][inside], strata[inside]):
        return [
            Problem(path, "was made with other strata: the classifier's decisions, or settings, "
                    "changed since", again, 2)
        ]  # fmt: skip
    left = strata[inside & design["weight"].isna().to_numpy()].value_counts()
    sizes = strata[inside].value_counts()
    return [
        Problem(path, f"stratum {row['stratum']!r} says {row['left']} of {row['passages']} are "
                f"left, there are {left.get(row['stratum'], 0)} of "
                f"{sizes.get(row['stratum'], 0)}", again, int(row[LINE]))
        for _, row in plan.iterrows()
        if (row["left"], row["passages"])
        != (left.get(row["stratum"], 0), sizes.get(row["stratum"], 0))
    ]  # fmt: skip
