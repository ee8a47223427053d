"""Wrong uses of ``framing sample``: options that do not go together, or not yet, or no longer."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import pandas as pd

from framing.common.config import ALL
from framing.common.problems import Problem
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT


def usage_problems(arguments: argparse.Namespace, config: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the options, whatever the state of the project."""
    problems = []
    if arguments.convenience and not arguments.allow_convenience:
        problems.append(
            Problem(arguments.convenience, "is a convenience sample: passages chosen by hand have "
                    "no inclusion probability, and no estimate or interval made from them holds",
                    "Draw at random (--size, --plan); or say --allow-convenience, and every table "
                    "will be marked.")
        )  # fmt: skip
    if arguments.allow_convenience and not arguments.convenience:
        problems.append(
            Problem("--allow-convenience", "is given without --convenience FILE", "Leave it out.")
        )
    if arguments.seed is not None and arguments.convenience:
        problems.append(Problem("--seed", "has no say in what was chosen by hand", "Leave it out."))
    if arguments.outside:
        problems += [
            Problem(name, "is missing: --from needs it", remedy)
            for name, given, remedy in (
                ("--strata-file", arguments.strata_file, "Name a table with passage_id and "
                 "stratum of every passage of the corpus."),
                ("--rule", (arguments.rule or "").strip(), "Say in words how the passages were "
                 "drawn: nothing else can tell."),
            ) if not given
        ]  # fmt: skip
        problems += [
            Problem(name, "is given with --from, which draws nothing", "Leave it out.")
            for name, given in (
                ("--seed", arguments.seed is not None), ("--strata", arguments.strata),
                ("--code", arguments.code), ("--group", arguments.group != ALL),
                ("--period", arguments.period != ALL),
            ) if given
        ]  # fmt: skip
    else:
        problems += [
            Problem(name, "is given without --from FILE", "Leave it out.")
            for name, given in (
                ("--strata-file", arguments.strata_file),
                ("--rule", arguments.rule),
            )
            if given
        ]
    if arguments.convenience and arguments.role == CONFIRMATION:
        problems.append(
            Problem("--role", f"{CONFIRMATION} is not for passages chosen by hand, which confirm "
                    "nothing", f"Say {DEVELOPMENT}, or draw at random.")
        )  # fmt: skip
    if arguments.seed is not None and arguments.seed < 0:
        problems.append(Problem("--seed", f"is {arguments.seed}", "Give a whole number from 0 on."))
    if arguments.plan:
        problems += [
            Problem(name, "is given with --plan, which says so itself", "Leave it out.")
            for name, given in (
                ("--strata", arguments.strata), ("--code", arguments.code),
                ("--group", arguments.group != ALL), ("--period", arguments.period != ALL),
            ) if given
        ]  # fmt: skip
    return problems + unknown_cell(config, arguments.group, arguments.period)


def unknown_cell(config: Mapping[str, Any], group: str, period: str) -> list[Problem]:
    """Return a problem for a group or period that the configuration does not name."""
    periods = [*(one["id"] for one in config["periods"]), config["undated"]]
    return [
        Problem(option, f"{value!r} is not configured", f"Known: {', '.join(known)}.")
        for option, value, known in (
            ("--group", group, list(config["groups"])), ("--period", period, periods),
        ) if value not in (ALL, *known)
    ]  # fmt: skip


def stage_problems(arguments: argparse.Namespace, design: pd.DataFrame) -> list[Problem]:
    """Return why it is too late for a first draw, or too early for a further one."""
    begun = bool(design["weight"].notna().any())
    wants_more = arguments.supplement or bool(arguments.plan)
    if begun and not wants_more and not arguments.convenience and not arguments.outside:
        return [
            Problem("framing sample", "the project has a sample already, and a sample is drawn "
                    "once", "Say --supplement to draw among the passages not drawn yet.")
        ]  # fmt: skip
    if not begun and wants_more:
        return [
            Problem("framing sample", "there is no sample to supplement: corpus/sample.tsv is "
                    "absent or empty", "Leave --supplement out: this is the first draw.")
        ]  # fmt: skip
    return []
