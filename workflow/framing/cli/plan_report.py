"""The answers of ``framing plan`` in words."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

from framing.cli.sample import columns_text

if TYPE_CHECKING:
    from framing.inference.goals import Answer
    from framing.inference.planning import Plan

TARGETS = {"corpus": "this corpus", "texts": "texts like these"}
_WIDTH = 79
_DECIMALS = 3  # of half-widths and powers at least, however few the tables give


def report(plan: Plan, config: Mapping[str, Any], arguments: argparse.Namespace) -> list[str]:
    """Return the plan as lines for the terminal."""
    from framing.inference.goals import HalfWidth, Power
    from framing.report.terminal import ascii_text

    decimals = max(_DECIMALS, int(config["report"]["decimals"]))
    confidence = f"{100 * config['inference']['confidence']:g}"
    lines = [ascii_text(plan.about)]
    if isinstance(plan.goal, HalfWidth):
        lines.append(
            f"Today's estimate: {_number(plan.value, decimals)}. Wished for: a {confidence} % "
            f"interval of half-width {plan.goal.wish:g} or less."
        )
    elif isinstance(plan.goal, Power):
        lines.append(
            f"Today's difference: {_number(plan.value, decimals)}. Wished for: to find a "
            f"difference of {_number(plan.goal.difference, decimals)} with power "
            f"{plan.goal.wish:g} or more (two-sided test, {confidence} % confidence)."
        )
        if arguments.difference is None:
            lines.append(
                "Power for the difference seen is little more than its p-value told again: better "
                "say with --difference how large a one would matter."
            )
    lines = [part for line in lines for part in _wrapped(line)]
    left = int(plan.cells.left.sum())
    lines += [f"{left} of {int(plan.cells.size.sum())} passages are not coded yet.", ""]
    kind = "half-width" if isinstance(plan.goal, HalfWidth) else "power"
    lines.append(
        columns_text(
            ("target", "estimator", f"{kind} now", "more passages", f"{kind} then",
             "if all are coded"),
            [
                (TARGETS[one.target], one.estimator, _number(one.now, decimals), _more(one),
                 _number(one.after, decimals) if one.more is not None else "-",
                 _number(one.limit, decimals))
                for one in plan.answers
            ],
        )
    )  # fmt: skip
    if plan.note:
        lines += ["", *_wrapped(f"{plan.note[0].upper()}{plan.note[1:]}.")]
    for one in plan.answers:
        if words := _explained(one, plan, kind, decimals):
            lines += ["", *_wrapped(words)]
    chosen = plan.chosen
    if chosen.more:
        lines += [
            "",
            *_wrapped(
                f"What to draw for {TARGETS[chosen.target]} by the estimator {chosen.estimator}: "
                "`error sd` is the spread of its errors in a stratum, on the scale from 0 to 1; "
                "`exact` the Neyman allocation before it is made whole."
            ),
            "",
            columns_text(
                ("stratum", "passages", "coded", "left", "error sd", "exact", "more"),
                [
                    (row.stratum, str(row.passages), str(row.coded), str(row.left),
                     f"{row.error_sd:.3f}", f"{row.neyman:.2f}", str(row.more))
                    for row in plan.table.itertuples()
                ],
            ),
        ]  # fmt: skip
    return lines


def _more(one: Answer) -> str:
    if one.more is None:
        return "-" if one.reason else "out of reach"
    return str(one.more) if one.more else "none"


def _explained(one: Answer, plan: Plan, kind: str, decimals: int) -> str:
    """Return what must be said of an answer besides its numbers; only of the planned estimator."""
    if one.estimator != plan.chosen.estimator:
        return ""
    name = TARGETS[one.target]
    if one.reason and one.target == "texts" and isnan(one.now):
        return f"Of {name} nothing can be said: {one.reason}."
    if one.more is not None or one.target != "texts":
        return f"Of {name}: {one.reason}." if one.reason else ""
    sources = plan.present.sources
    effect = plan.present.design_effect
    words = (
        f"Of {name}, more passages of the same {sources} sources cannot help enough: with every "
        f"passage coded the {kind} would still be {_number(one.limit, decimals)}, as what is "
        "left is how sources differ from one another."
    )
    if not isnan(effect):
        words += (
            f" (Design effect {effect:.2f}: the variance is so many times what it would be were "
            "each passage a source of its own.)"
        )
    if one.sources is not None:
        words += (
            f" About {one.sources} sources like these, coded as densely, would be needed in place "
            f"of {sources}"
        )
        words += "; a rough guess, resting on so few." if sources < 10 else "."
    return words


def _number(value: float, decimals: int) -> str:
    return "-" if isnan(value) else f"{value:.{decimals}f}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
