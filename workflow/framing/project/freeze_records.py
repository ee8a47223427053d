"""Freezes on file: read and checked, written, and as a page that can be deposited."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from framing.codebook.codebook import Codebook
from framing.codebook.page import render_markdown
from framing.common.files import json_text, read_table, read_text, sha256, table_text
from framing.common.numbered import read_numbered, read_record
from framing.common.problems import InputError, Problem, raise_if_any
from framing.common.settings import with_defaults
from framing.project.freeze import (
    ASSIGNED,
    DIGITS,
    FORMAT,
    FREEZES,
    PAGE,
    RECORD,
    Freeze,
    assigned,
    components,
    digest_of,
)
from framing.sampling.draw import DRAWS, HEAD, Draw, frame_digest
from framing.sampling.roles import (
    CONFIRMATION,
    Tally,
)

_KEYS: dict[str, Any] = {
    "format": int, "freeze": int, "date": str, "framing": str, "project": str, "components": dict,
    "digests": dict, "draws": dict, "frame": dict, "page": str, "sources": str, "sha256": str,
}  # fmt: skip

_RESTORE = (
    "A freeze is never edited: restore the file as `framing freeze` wrote it. What has changed "
    "since is put on record by a further freeze."
)


# --- files ----------------------------------------------------------------------------------------


def read_freezes(folder: Path = FREEZES) -> tuple[Freeze, ...]:
    """Read every freeze under ``folder`` in order; none where there is no such directory.

    Raises :class:`InputError` on numbers that are missing and on files that were edited by hand:
    record, page and table of sources carry digests.
    """
    return read_numbered(
        folder,
        _read_freeze,
        strange=("is not a freeze", "Freezes are directories named by their numbers: remove it."),
        restore="Restore it: a freeze is never taken back.",
    )


def _read_freeze(folder: Path, number: int) -> Freeze:
    path = folder / RECORD
    record = read_record(path, "a freeze", _RESTORE)
    raise_if_any(_record_problems(record, path, number))
    for name, key in ((PAGE, "page"), (ASSIGNED, "sources")):
        if sha256(read_text(folder / name)) != record[key]:
            raise InputError(
                Problem(folder / name, f"was edited: {RECORD} has another digest of it", _RESTORE)
            )
    header = read_text(folder / ASSIGNED).split("\n", 1)[0].split("\t")
    return Freeze(
        number, record["date"], record["framing"], record["components"],
        {int(name): one for name, one in record["draws"].items()},
        read_table(folder / ASSIGNED, header)[header],
    )  # fmt: skip


def _record_problems(record: Mapping[str, Any], path: Path, number: int) -> list[Problem]:
    problems = [
        Problem(path, f"lacks a usable {key!r}", _RESTORE)
        for key, kind in _KEYS.items()
        if not isinstance(record.get(key), kind)
    ]
    if problems:
        return problems
    if record["format"] != FORMAT:
        return [
            Problem(path, f"has the format {record['format']}", f"This version reads {FORMAT}.")
        ]
    if record["freeze"] != number:
        return [
            Problem(path, f"is freeze {record['freeze']} in the directory of {number}", _RESTORE)
        ]
    if _sealed(record) != record["sha256"]:
        return [Problem(path, "was edited: its digest is not that of what it says", _RESTORE)]
    return []


def _sealed(record: Mapping[str, Any]) -> str:
    """Return the digest of a record without its own."""
    return sha256(json_text({key: value for key, value in record.items() if key != "sha256"}))


def contradictions(
    freezes: Sequence[Freeze], draws: Sequence[Draw], folder: Path = DRAWS
) -> list[Problem]:
    """Return where draws on record are not those that freezes knew.

    A draw keeps its role and its passages, a draw that a freeze knew stays on record, and a draw
    says rightly under which freeze it was made.
    """
    problems = []
    by_number = {draw.number: draw for draw in draws}
    for freeze in freezes:
        place = FREEZES / str(freeze.number) / RECORD
        for number, known in freeze.draws.items():
            if number not in by_number:
                if number:
                    problems.append(
                        Problem(place, f"knows draw {number}, which is no longer on record",
                                f"Restore {folder}/{number}: a draw is never taken back.")
                    )  # fmt: skip
                continue
            draw, path = by_number[number], folder / str(number) / HEAD
            if draw.role != known["role"]:
                problems.append(
                    Problem(path, f"has the role {draw.role!r}, freeze {freeze.number} knew the "
                            f"draw as {known['role']!r}", "A draw keeps its role: restore the "
                            "file as it was written.")
                )  # fmt: skip
            if frame_digest(draw.drawn["passage_id"]) != known["passages"]:
                problems.append(
                    Problem(path, f"took other passages than freeze {freeze.number} says",
                            "Restore the draw as it was written.")
                )  # fmt: skip
            if draw.freeze is not None and draw.freeze >= freeze.number:
                problems.append(
                    Problem(path, f"says it was made under freeze {draw.freeze}, but freeze "
                            f"{freeze.number} knew it already", "Restore the file as it was "
                            "written.")
                )  # fmt: skip
    problems += [
        Problem(folder / str(draw.number) / HEAD, f"was made under freeze {draw.freeze}, which is "
                "not on record", f"Restore {FREEZES}/{draw.freeze}.")
        for draw in draws
        if draw.freeze is not None and draw.freeze > len(freezes)
    ]  # fmt: skip
    return problems


def freeze_texts(
    number: int,
    day: str,
    version: str,
    config: Mapping[str, Any],
    codebook: Codebook,
    sources: pd.DataFrame,
    passages: Iterable[str],
    draws: Sequence[Draw],
    tallies: Sequence[Tally],
) -> dict[Path, str]:
    """Return the three files of a freeze as text, by path.

    ``day`` is the date on which it is made (YYYY-MM-DD), ``passages`` are the ids of the frame,
    ``tallies`` say of each draw how many of its passages have codings.
    """
    frozen = components(config, codebook, sources)
    table = table_text(assigned(config, sources))
    ids = list(passages)
    drawn = {draw.number: frame_digest(draw.drawn["passage_id"]) for draw in draws}
    record: dict[str, Any] = {
        "format": FORMAT,
        "freeze": number,
        "date": day,
        "framing": version,
        "project": str(config["project"]["title"]),
        "components": frozen,
        "digests": {name: digest_of(one) for name, one in frozen.items()},
        "draws": {
            str(one.number): {"role": one.role, "drawn": one.drawn, "coded": one.coded}
            | ({"passages": drawn[one.number]} if one.number in drawn else {})
            for one in tallies
        },
        "frame": {"passages": len(ids), "sha256": frame_digest(ids)},
        "sources": sha256(table),
    }
    page = _page(record, config, codebook, len(sources), tallies)
    record["page"] = sha256(page)
    record["sha256"] = _sealed(record)
    folder = FREEZES / str(number)
    return {
        folder / RECORD: json_text(record),
        folder / PAGE: page,
        folder / ASSIGNED: table,
    }


def _page(
    record: Mapping[str, Any],
    config: Mapping[str, Any],
    codebook: Codebook,
    sources: int,
    tallies: Sequence[Tally],
) -> str:
    """Return the readable page of a freeze: a preregistration, as Markdown."""
    title, number, day = record["project"], record["freeze"], record["date"]
    parts = [
        f"# Freeze {number} of {title}",
        f"Made on {day} with framing {record['framing']}. From now on codings of confirmation "
        "draws that had none count as unread, as long as everything below stays as it is.",
        "## What is asked", " ".join(str(config["project"]["question"]).split()),
        "## Theses", *_thesis_parts(config),
        "## Draws", _draw_part(tallies),
        f"The frame has {record['frame']['passages']} passages of {sources} sources. Group and "
        f"date of each source, by the digest of its text, are in `{ASSIGNED}`.",
        "## Groups and periods",
        "Groups: " + "; ".join(f"{name} ({label})" for name, label in config["groups"].items())
        + ". Periods: " + ", ".join(str(one["id"]) for one in config["periods"])
        + f"; without a date: {config['undated']}.",
        "## Settings",
        "Every analytic setting, with the defaults of what is not set.",
        "```yaml\n" + _yaml(record["components"]["settings"]) + "```",
        "## Codebook",
        # One level down, as a part of this page.
        re.sub(r"(?m)^(#+ )", r"##\1", render_markdown(codebook).rstrip("\n")),
        "## Digests",
        f"First {DIGITS} hexadecimal digits of SHA-256; what enters each is told in "
        "`workflow/framing/project/freeze.py`.",
        "\n".join(
            f"- {name.replace('_', ' ')}: `{digest}`"
            for name, digest in sorted(record["digests"].items())
        ),
        f"- frame: `{record['frame']['sha256']}`\n- sources: `{record['sources']}`",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _yaml(data: Any) -> str:
    return str(yaml.safe_dump(data, allow_unicode=True, sort_keys=True, width=90))


def _thesis_parts(config: Mapping[str, Any]) -> list[str]:
    if not config["contrasts"]:
        return ["None is tested."]
    inference = config["inference"]
    expected = {"greater": "a − b is above 0", "less": "a − b is below 0",
                "different": "a − b is not 0"}  # fmt: skip

    def cell(one: Mapping[str, Any]) -> str:
        return ", ".join(f"{key} {value}" for key, value in one.items())

    lines = []
    for one in with_defaults({"contrasts": config["contrasts"]})["contrasts"]:
        more = {k: v for k, v in one.items() if k not in ("id", "thesis", "a", "b", "expected")}
        told = f" Further: {json.dumps(more, ensure_ascii=False)}." if more else ""
        lines.append(
            f"- **{one['thesis']}** (`{one['id']}`). a: {cell(one['a'])}; b: {cell(one['b'])}. "
            f"Expected: {expected[one['expected']]}.{told}"
        )
    headline = inference["headline"]
    return [
        "\n".join(lines),
        f"Each is tested two-sided by the difference of the two shares, with intervals of "
        f"{inference['confidence']:g}; p-values are adjusted by Holm over all of them. Estimator "
        f"and target of the headline: {headline['estimator']}, {headline['target']}.",
    ]


def _draw_part(tallies: Sequence[Tally]) -> str:
    if not tallies:
        return "Nothing has been drawn yet."
    return "\n".join(
        f"- {one.name}: {'chosen by hand' if one.by_hand else one.role}, {one.drawn} passages, "
        f"{one.coded} of them with codings"
        + (": frozen before any coding" if one.role == CONFIRMATION and not one.coded else "")
        for one in tallies
    )
