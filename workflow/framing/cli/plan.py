"""``framing plan``: how many more passages to code, in which strata, for a wished precision.

The reckoning is in :mod:`framing.inference.planning`; here its answers are put into words.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from framing.cli.passage_frame import load_design, load_scores
from framing.cli.plan_report import TARGETS, report
from framing.cli.sample_usage import unknown_cell
from framing.codebook.codebook import written_codebook
from framing.common.config import ALL, load_config
from framing.common.files import write_table
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import read_sources
from framing.sampling.combine import is_convenience
from framing.sampling.draw import DRAWN, DRAWS, PLAN_COLUMNS, ROWS, Draw, frame_digest
from framing.sampling.records import read_draws
from framing.sampling.roles import CONFIRMATION, ROLES
from framing.sampling.strata import strata_digest, strata_of

if TYPE_CHECKING:
    from framing.inference.allocation import Strata
    from framing.inference.planning import Plan


_EXAMPLES = """\
examples:
  framing plan --code equality --group joint --half-width .05
  framing plan --code equality --half-width .02 --target corpus --output plan.tsv
  framing plan --contrast equality-russia-allied --power .8 --difference .05

The answer is given for both targets. Of `this corpus`, coding everything leaves no doubt; of `texts
like these`, what the sources differ among themselves remains however much is coded, and the answer
then says so and how many sources would do. `framing sample --plan FILE` draws what FILE asks for.
A plan rests on errors seen so far: after the supplement is coded, look again.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``plan`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "plan", parents=[common], help="how many more passages to code for a wished precision",
        description="Say how many more passages must be coded, and in which strata, for a share to "
        "have an interval of a wished half-width, or a contrast to be found with a wished power. "
        "Passages are allotted where the present errors of the configured headline estimator vary "
        "most (Neyman allocation). Errors are those on unread passages; where there are none, the "
        "plan is for labels only. Needs a run of `snakemake`.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--code", metavar="CODE", help="plan for the share of this code")
    what.add_argument("--contrast", metavar="ID", help="plan for this contrast of the settings")
    parser.add_argument("--group", default=ALL, help="share within this group")
    parser.add_argument("--period", default=ALL, help="share within this period")
    parser.add_argument(
        "--half-width", type=float, metavar="H",
        help="half the length of the interval wished for (default with --code: 0.05)",
    )  # fmt: skip
    parser.add_argument(
        "--power", type=float, metavar="P",
        help="chance of finding the difference (default with --contrast: 0.8)",
    )  # fmt: skip
    parser.add_argument(
        "--difference", type=float, metavar="D",
        help="how large a difference shall be found (default: today's estimate)",
    )  # fmt: skip
    parser.add_argument(
        "--estimator", metavar="NAME", help="instead of the configured headline estimator"
    )
    parser.add_argument(
        "--target", choices=tuple(TARGETS),
        help="whom the passages are allotted for (default: the headline target, or this corpus "
        "where no number of passages reaches that)",
    )  # fmt: skip
    parser.add_argument(
        "--strata", metavar="COLUMN,...",
        help="what makes strata (default: as configured, or group,decision,confidence)",
    )  # fmt: skip
    parser.add_argument(
        "--role", choices=ROLES, default=CONFIRMATION,
        help="what the further passages are for (default: confirmation)",
    )  # fmt: skip
    parser.add_argument(
        "--output", "-o", type=Path, metavar="FILE",
        help="write the strata as a tab-separated table, for `framing sample --plan FILE`",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the plan that the command line asks for, and write it if told; return 0."""
    from framing.common.paths import CODEBOOK, CONFIG, SOURCES
    from framing.project.load import coded_of, project_reading

    config = load_config(CONFIG)
    raise_if_any(_usage_problems(arguments, config))
    draws = read_draws(DRAWS)
    sources = read_sources(SOURCES, config["groups"])
    coded, states, caveats = coded_of(draws), None, []
    if coded is not None:  # else no draw is for confirmation, and no freeze matters
        reading = project_reading(config, written_codebook(CODEBOOK), sources, draws)
        states, caveats = reading.states, reading.caveats
    design = load_design(config, sources, draws, states, coded)
    if not design["weight"].notna().any():
        raise InputError(
            Problem("framing plan", "nothing has been drawn and coded yet, so that no errors are "
                    "known", "Make a first draw: framing sample --size N.")
        )  # fmt: skip
    scores = load_scores()
    raise_if_any(_waiting(draws, scores))
    cells, codes = _asked(arguments, config)
    plan, rows = _planned(arguments, config, design, scores, cells, codes)
    for line in report(plan, config, arguments):
        print(line)
    for line in caveats:
        print(f"\n{line[0].upper()}{line[1:]}.")
    if is_convenience(draws):
        print("\nThe corpus holds a convenience sample: nothing of this holds as it stands.")
    if arguments.output:
        try:
            write_table(arguments.output, rows)
        except OSError as error:
            raise InputError(
                Problem(arguments.output, f"cannot be written: {error.strerror}",
                        "Name a file in a directory that can be written to.")
            ) from None  # fmt: skip
        print(f"\nWritten: {arguments.output}")
        if plan.chosen.more:
            print(
                f"Next: framing sample --plan {arguments.output} --seed S --role {arguments.role}"
            )
    return 0


def _usage_problems(arguments: argparse.Namespace, config: Mapping[str, Any]) -> list[Problem]:
    known = [one["id"] for one in config["contrasts"]]
    problems = []
    if arguments.contrast and arguments.contrast not in known:
        problems.append(
            Problem("--contrast", f"{arguments.contrast!r} is not configured",
                    f"Known: {', '.join(known) or 'none'}.")
        )  # fmt: skip
    strange = (
        (("--power", arguments.power), ("--difference", arguments.difference))
        if arguments.code
        else (
            ("--half-width", arguments.half_width),
            ("--group", None if arguments.group == ALL else arguments.group),
            ("--period", None if arguments.period == ALL else arguments.period),
        )
    )
    problems += [
        Problem(option, f"is not for {'--code' if arguments.code else '--contrast'}",
                "Leave it out.")
        for option, value in strange if value is not None
    ]  # fmt: skip
    return problems + unknown_cell(config, arguments.group, arguments.period)


def _waiting(draws: Sequence[Draw], scores: pd.DataFrame) -> list[Problem]:
    """Return the draws whose passages have no codes yet."""
    coded = set(scores.loc[scores["label"].notna(), "passage_id"])
    return [
        Problem(DRAWS / str(draw.number) / ROWS, f"{len(missing)} drawn passages have no code yet, "
                f"{missing[0]!r} among them", "Code them, run `snakemake`, then plan again.")
        for draw in draws
        if (missing := sorted(set(draw.passages.loc[draw.passages["status"] == DRAWN,
                                                    "passage_id"]) - coded))
    ]  # fmt: skip


def _asked(
    arguments: argparse.Namespace, config: Mapping[str, Any]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return cells (group, period) and codes of what is asked for: one, or two of a contrast."""
    if arguments.code:
        return [(arguments.group, arguments.period)], [arguments.code]
    entry = next(one for one in config["contrasts"] if one["id"] == arguments.contrast)
    sides = [entry["a"], entry["b"]]
    cells = [(side.get("group", ALL), side.get("period", ALL)) for side in sides]
    return cells, [side["code"] for side in sides]


def _planned(
    arguments: argparse.Namespace,
    config: Mapping[str, Any],
    design: pd.DataFrame,
    scores: pd.DataFrame,
    cells: Sequence[tuple[str, str]],
    codes: Sequence[str],
) -> tuple[Plan, pd.DataFrame]:
    """Return the plan, and its strata as the file that ``framing sample`` reads."""
    from framing.inference.allocation import survey
    from framing.inference.classifier_strata import (
        classifier_codes,
        scope_member,
        scope_text,
        strata_columns,
        with_classifier,
    )
    from framing.inference.estimators import planned
    from framing.inference.intervals import Settings
    from framing.inference.outcomes import outcomes
    from framing.inference.planning import PlanSettings, Request, Side, plan_contrast, plan_share

    settings, planning = Settings.of(config), PlanSettings.of(config)
    names = arguments.strata.split(",") if arguments.strata else planning.strata
    columns = strata_columns([name.strip() for name in names], codes)
    used = list(dict.fromkeys([*codes, *classifier_codes(columns)]))
    frame = with_classifier(design, scores, used, planning.sure)
    scope = scope_text(cells)
    member = scope_member(frame, scope)
    strata = strata_of(frame, columns, member)
    plain = [name for name in columns if ":" not in name]
    given = survey(design, config["case_study"])
    data = {one.code: one for one in outcomes(given.frame, scores, settings, codes)}
    headline = config["inference"]["headline"]
    if arguments.estimator:
        planned(arguments.estimator, "--estimator")
    request = Request(
        given,
        _levels(frame, columns, strata),
        _levels(frame, plain, strata_of(frame, plain, member)),
        arguments.estimator or headline["estimator"],
        arguments.target or headline["target"],
        settings,
        planning,
        arguments.role,
    )
    about = " against ".join(
        _cell_words(code, cell, config) for code, cell in zip(codes, cells, strict=True)
    )
    if arguments.code:
        width = 0.05 if arguments.half_width is None else arguments.half_width
        plan = plan_share(request, data[codes[0]], *cells[0], width, about)
        goal = f"half-width {width:g} of {arguments.code}"
    else:
        wish = 0.8 if arguments.power is None else arguments.power
        a, b = (Side(data[code], *cell) for code, cell in zip(codes, cells, strict=True))
        plan = plan_contrast(request, a, b, wish, arguments.difference, about)
        goal = f"power {wish:g} of {arguments.contrast}"
    inside = (strata != "").to_numpy()
    rows = plan.table.assign(
        project=str(config["project"]["title"]),
        goal=goal,
        estimator=request.effective,
        target=plan.chosen.target,
        frame_sha256=frame_digest(design["passage_id"]),
        strata_sha256=strata_digest(design["passage_id"][inside], strata[inside]),
        strata_by=",".join(columns),
        scope=scope,
    )
    return plan, rows[list(PLAN_COLUMNS)]


def _levels(frame: pd.DataFrame, columns: Sequence[str], names: pd.Series) -> Strata:
    from framing.inference.allocation import Strata

    looking = [
        ":" in name for name in columns
    ]  # at a decision of the classifier, or its confidence
    return Strata(
        names.to_numpy(dtype=object),
        [frame[name].astype(object).fillna("").to_numpy(dtype=object) for name in columns],
        looking.index(True) if True in looking else len(columns),
    )


def _cell_words(code: str, cell: tuple[str, str], config: Mapping[str, Any]) -> str:
    group, period = cell
    limits = [] if group == ALL else [str(config["groups"][group])]
    limits += [] if period == ALL else [period]
    return f"{code} ({', '.join(limits)})" if limits else f"{code} (all texts)"
