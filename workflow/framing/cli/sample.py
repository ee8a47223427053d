"""``framing sample``: draw passages for coding at random, and put on record how.

What is drawn and how draws combine stands in :mod:`framing.sampling.draw`; here files are read and
written, and what goes wrong is said.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from framing.cli.passage_frame import load_design, load_scores
from framing.cli.sample_usage import stage_problems, usage_problems
from framing.common.config import ALL, load_config
from framing.common.files import read_table, write_table
from framing.common.problems import InputError, Problem, raise_if_any
from framing.corpus.tables import (
    SAMPLE_COLUMNS,
    has_sample,
    read_sample,
    read_sources,
)
from framing.project.freeze_records import read_freezes
from framing.sampling.draw import DRAWN, DRAWS, ROWS, Bools, Draw, make_draw, sample_rows
from framing.sampling.elsewhere import hand_picked, registered
from framing.sampling.records import plan_problems, read_draws, read_plan, write_draw
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT, ROLES, WHICH
from framing.sampling.sizes import proportional
from framing.sampling.strata import strata_of

_LARGEST_SEED = 2**31

_EXAMPLES = """\
examples:
  framing sample --size 200 --strata group --seed 4711 --role development
                                     the first draw of a new project: read it, write cues from it
  framing sample --supplement --size 300 --seed 4711 --role confirmation
                                     300 more, by group; nobody looks before `framing freeze`
  framing plan --code equality --half-width .03 --output plan.tsv
  framing sample --plan plan.tsv --seed 4711 --role confirmation      what the plan asks for
  framing sample --from drawn.tsv --strata-file strata.tsv --rule TEXT --role confirmation
                                     a probability draw that was made elsewhere

Throw dice for a seed, or take one that was fixed in advance: trying seeds until a draw pleases
makes it a convenience sample. A draw goes to corpus/draws/N/: draw.json says how it was made,
passages.tsv has a row for every passage of the frame; those with status `drawn` are to be coded.
A first draw writes corpus/sample.tsv too. The same seed, frame and strata give the same draw.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``sample`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "sample", parents=[common], help="draw passages for coding at random, on record",
        description="Draw passages by simple random sampling without replacement within strata: "
        "among all passages (the first draw of a project), or among those not drawn yet "
        "(--supplement, --plan). The record holds what later combines the draws without bias.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument(
        "--size", type=int, metavar="N",
        help="draw so many, in proportion to what each stratum has left",
    )  # fmt: skip
    how.add_argument(
        "--plan", type=Path, metavar="FILE",
        help="draw what `framing plan --output FILE` asks for (always a supplement)",
    )  # fmt: skip
    how.add_argument(
        "--convenience", type=Path, metavar="FILE",
        help="record passages chosen by hand (a table with a column passage_id); refused without "
        "--allow-convenience, as no inference holds for them",
    )  # fmt: skip
    how.add_argument(
        "--from", type=Path, metavar="FILE", dest="outside",
        help="register a probability draw made elsewhere: a table of the passages drawn with "
        f"{' '.join(SAMPLE_COLUMNS)} (needs --strata-file and --rule; no seed can prove it)",
    )  # fmt: skip
    parser.add_argument(
        "--role", metavar="ROLE", choices=ROLES,
        help=f"what the draw is for. {WHICH[0].upper()}{WHICH[1:]}",
    )  # fmt: skip
    parser.add_argument(
        "--strata-file", type=Path, metavar="FILE",
        help="with --from: passage_id and stratum of every passage, drawn before or not; the "
        "stratum is empty where the draw could not have reached the passage",
    )  # fmt: skip
    parser.add_argument(
        "--rule", metavar="TEXT", help="with --from: how passages were drawn, for the record"
    )
    parser.add_argument(
        "--supplement", action="store_true", help="draw among the passages not drawn yet"
    )
    parser.add_argument(
        "--seed", type=int, metavar="S",
        help="whole number that fixes the draw; at a terminal one is drawn and printed if missing",
    )  # fmt: skip
    parser.add_argument(
        "--strata", metavar="COLUMN,...",
        help="what makes strata (default: group): columns of the passage frame or of sources.tsv, "
        "and, once there are scores, decision and confidence (of --code, or decision:CODE)",
    )  # fmt: skip
    parser.add_argument("--code", metavar="CODE", help="the code of decision and confidence")
    parser.add_argument("--group", default=ALL, help="draw from this group only")
    parser.add_argument("--period", default=ALL, help="draw from this period only")
    parser.add_argument(
        "--allow-convenience", action="store_true",
        help="record a convenience sample all the same; every table made with it is to say so",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="show the draw, write nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw as the command line says, in the project in the working directory; return 0."""
    from framing.common.paths import CONFIG

    config = load_config(CONFIG)
    raise_if_any(usage_problems(arguments, config))
    role = _role(arguments)
    freezes = read_freezes()
    sources = read_sources(Path("corpus/sources.tsv"), config["groups"])
    draws = read_draws(DRAWS)
    _restore_sample(draws, arguments.dry_run)
    design = load_design(config, sources, draws)
    raise_if_any(stage_problems(arguments, design))
    draw = replace(
        _drawn(arguments, config, design, len(draws) + 1), role=role,
        freeze=freezes[-1].number if freezes else None,
    )  # fmt: skip
    table = None
    if draw.is_sample:
        table = sample_rows(draw)
    _show(draw, arguments.dry_run)
    if arguments.dry_run:
        return 0
    try:
        target = write_draw(DRAWS, draw)
        if table is not None:
            write_table(Path("corpus/sample.tsv"), table)
    except OSError as error:
        raise InputError(
            Problem(DRAWS, f"cannot be written: {error.strerror}", "Make room, or set its rights.")
        ) from None
    _say_next(draw, target)
    return 0


def _restore_sample(draws: Sequence[Draw], dry_run: bool) -> None:
    """Write the sample of a first draw whose writing was cut off between its two places."""
    if draws and draws[0].is_sample and not has_sample(Path("corpus/sample.tsv")) and not dry_run:
        write_table(Path("corpus/sample.tsv"), sample_rows(draws[0]))
        print("corpus/sample.tsv was missing: written from corpus/draws/1.")


# --- what is asked for ----------------------------------------------------------------------------


def _drawn(
    arguments: argparse.Namespace, config: Mapping[str, Any], design: pd.DataFrame, number: int
) -> Draw:
    from framing.inference.classifier_strata import (
        classifier_codes,
        scope_member,
        strata_columns,
        with_classifier,
    )
    from framing.inference.planning import PlanSettings

    settings, project = PlanSettings.of(config), str(config["project"]["title"])

    def named(columns: Sequence[str], member: Bools) -> pd.Series:
        codes = classifier_codes(columns)
        frame = design
        if codes:
            frame = with_classifier(design, load_scores(), codes, settings.sure)
        return strata_of(frame, columns, member)

    if arguments.plan:
        plan = read_plan(arguments.plan)
        first = plan.iloc[0]
        columns = first["strata_by"].split(",")
        strata = named(columns, scope_member(design, first["scope"]))
        raise_if_any(plan_problems(plan, arguments.plan, project, design, strata))
        sizes = dict(zip(plan["stratum"], (int(n) for n in plan["more"]), strict=True))
        return make_draw(
            design, strata, sizes, number=number, seed=_seed(arguments), project=project,
            strata_by=columns,
        )  # fmt: skip
    if arguments.outside:
        passages = design[["passage_id"]]
        return registered(
            design, read_sample(arguments.outside, passages),
            read_table(arguments.strata_file, ["passage_id", "stratum"]), arguments.outside,
            arguments.strata_file, number=number, rule=arguments.rule.strip(), project=project,
        )  # fmt: skip
    given = arguments.strata.split(",") if arguments.strata else ["group"]
    columns = strata_columns(
        [name.strip() for name in given], [arguments.code] if arguments.code else []
    )
    member = scope_member(design, f"{arguments.group}/{arguments.period}")
    if arguments.convenience:
        picked = read_table(arguments.convenience, ["passage_id"], extra=True)
        strata = named(columns, np.ones(len(design), dtype=bool))
        return hand_picked(
            design, strata, picked, arguments.convenience, number=number, project=project,
            strata_by=columns,
        )  # fmt: skip
    strata = named(columns, member)
    left = strata[(strata != "").to_numpy() & design["weight"].isna().to_numpy()]
    sizes = proportional(
        {str(name): int(n) for name, n in left.value_counts().items()}, arguments.size,
        settings.minimum,
    )  # fmt: skip
    return make_draw(
        design, strata, sizes, number=number, seed=_seed(arguments), project=project,
        strata_by=columns, even=True,
    )  # fmt: skip


def _role(arguments: argparse.Namespace) -> str:
    """Return the role of the draw; ask for it at a terminal where it was not said."""
    if arguments.role:
        return str(arguments.role)
    if arguments.convenience:
        return DEVELOPMENT  # passages chosen by hand can be nothing else
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError(Problem("--role", "is missing: what is the draw for?", f"Say {WHICH}."))
    print(f"What is this draw for? {WHICH[0].upper()}{WHICH[1:]}.")
    while True:
        said = input(f"{DEVELOPMENT} or {CONFIRMATION}: ").strip().lower()
        if said in ROLES:
            return said


def _seed(arguments: argparse.Namespace) -> int:
    if arguments.seed is not None:
        return int(arguments.seed)
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError(
            Problem("--seed", "is missing, and nobody is at the terminal to note one down",
                    "Give a whole number, or the draw cannot be repeated.")
        )  # fmt: skip
    return secrets.randbelow(_LARGEST_SEED)


# --- saying ---------------------------------------------------------------------------------------


def columns_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows in aligned columns, the first to the left, the others to the right."""
    table = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])


def _show(draw: Draw, dry_run: bool) -> None:
    coming = "would be" if dry_run else "is"
    rows = draw.passages
    if draw.elsewhere:
        print(f"Draw {draw.number} {coming} a draw for {draw.role}, made elsewhere.")
    elif draw.seed is None:
        print(f"Draw {draw.number} {coming} a convenience sample: no inference holds for it.")
    else:
        what = "supplement" if draw.supplement else "first draw"
        print(f"Draw {draw.number} {coming} a {what} for {draw.role} by seed {draw.seed}.")
    strata = [
        (name, str(one.size), str(one.drawn), f"{one.earlier_share:.3f}" if draw.supplement else "")
        for name, one in draw.strata.items()
    ]
    print(
        columns_text(("stratum", "could be drawn", "drawn", "share of earlier draws"), strata)
        if draw.supplement
        else columns_text(("stratum", "could be drawn", "drawn"), [row[:3] for row in strata])
    )
    print(f"{(rows['status'] == DRAWN).sum()} passages of {len(rows)} in the frame.")
    empty = [name for name, one in draw.strata.items() if one.size > 1 == one.drawn]
    if empty:
        print(
            "One passage of several shows no variance, so there will be no interval: stratum "
            f"{', '.join(empty)}."
        )


def _say_next(draw: Draw, target: Path) -> None:
    print(f"Written: {target / ROWS}{'' if draw.supplement else ' and corpus/sample.tsv'}")
    code = "code the passages with status `drawn` (corpus/codings/), then run `snakemake`."
    if draw.role == CONFIRMATION:
        print("Next: `framing freeze --check`; where nothing stands frozen, finish codebook, cues, "
              "settings and\ntheses and run `framing freeze`.")  # fmt: skip
        print(f"Then {code} Until they are coded, the draw does not count.")
    else:
        print(f"Next: {code}")
