"""``framing cues``: what the cues of the codebook do, before anything is written.

Hits are recomputed in memory from the texts at hand and held against the committed derived facts,
so that the author of a cue sees at once what it hits. Unread codings are neither shown nor counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from framing.cli.cue_worth import Hit, changes, worth
from framing.common.problems import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    from framing.codebook.codebook import Codebook, Cue
    from framing.corpus.derived import Facts
    from framing.project.load import Project

SHOWN = 20
"""So many passages whose hits changed are named."""
_GAP = 2  # spaces between columns

_EXAMPLES = """\
examples:
  framing cues --list
  framing cues --check                 the cues changed since the last `framing derive`
  framing cues --check equal-partners  these, changed or not

Columns of a check: `passages` and `hits` count over the whole corpus, `coded` the coded passages
with a hit, `carrying` those of them that carry the code; share = carrying / coded, the precision of
a cue for the code; `base` is the code's share of all coded passages, lift = share / base. A cue for
a code should have a lift well above 1, a cue against it one well below. Few passages prove little.

Of passages of an unread confirmation draw it is said how many are hit, and no more, no id and no
code: who has seen them can no longer tell whether a cue works where nobody looked.

exit status: 0 done; 1 no such cue, a broken codebook, or no text to search; 2 wrong usage
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``cues`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "cues", parents=[common], help="list the cues, or see what changed ones hit",
        description="List the cues of the codebook, or recompute their hits in the texts at hand "
        "and show what they are worth: how often they hit, how many of the coded passages hit "
        "carry the code, and which coded passages are newly hit, or no longer. Writes nothing; "
        "`framing derive` does.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--check", nargs="*", metavar="NAME",
        help="recompute the hits of these cues (default: of all that changed)",
    )  # fmt: skip
    what.add_argument("--list", action="store_true", help="name, votes and description of each cue")
    parser.set_defaults(run=run)


# --- what cues hit --------------------------------------------------------------------------------


def recount(
    project: Project, facts: Mapping[str, Facts], names: Sequence[str]
) -> tuple[dict[str, list[Hit]], list[str]]:
    """Return, for each cue of ``names``, the passages it hits or did, and the unsearched sources.

    Hits are recomputed from texts at hand. Where there is none the committed ones stand for a cue
    whose digest is that of the codebook, and for any other the hits are unknown; these sources are
    named. Raises :class:`InputError` on a text that is not the frozen one, or a cue that takes too
    long.
    """
    from framing.codebook.cues import compile_cues, pattern_hits
    from framing.codebook.hits import hits_by_cue
    from framing.corpus.facts import cue_digests
    from framing.corpus.texts import read_canonical, texts_at_hand

    whole = compile_cues(project.codebook)
    compiled = replace(whole, cues=tuple(cue for cue in whole.cues if cue.name in set(names)))
    digests = cue_digests(project.codebook)
    apart = unread_passages(project)
    hand = texts_at_hand(project.config["corpus"]["texts"], project.sources["source_id"])
    found: dict[str, list[Hit]] = {name: [] for name in names}
    unsearched, problems = [], list[Problem]()
    for source_id, expected in project.sources[["source_id", "sha256"]].itertuples(index=False):
        committed = facts[source_id]
        text = None
        if source_id in hand:
            try:
                text = read_canonical(hand[source_id], expected)
            except InputError as error:
                problems += error.problems
                continue
        unknown = {name for name in names if committed["cues"].get(name) != digests.get(name)}
        if text is None and unknown & set(digests):
            unsearched.append(source_id)
        for row in committed["passages"]:
            before = hits_by_cue(row["hits"])
            new = before
            hidden = row["passage_id"] in apart
            if text is not None:
                try:
                    new = hits_by_cue(pattern_hits(compiled, text[row["start"] : row["end"]]))
                except InputError as error:
                    where = "an unread passage" if hidden else row["passage_id"]
                    # Not its message, which quotes the passage.
                    problems.append(
                        Problem(error.problems[0].place, f"takes too long on {where}",
                                error.problems[0].remedy)
                    )  # fmt: skip
                    continue
            for name in names:
                old = before.get(name, 0)
                now = new.get(name, 0) if name in digests else 0
                known = text is not None or name not in unknown or name not in digests
                if old or now:
                    found[name].append(Hit(row["passage_id"], hidden, old, now if known else None))
    raise_if_any(problems)
    return found, unsearched


def unread_passages(project: Project) -> set[str]:
    """Return the passages of unread confirmation draws."""
    from framing.sampling.roles import CONFIRMATION

    frame = project.frame
    return set(frame.loc[frame["role"] == CONFIRMATION, "passage_id"])


def changed_cues(facts: Mapping[str, Facts], digests: Mapping[str, str]) -> list[str]:
    """Return the cues whose digest differs from that of any source's facts, dropped ones too.

    Those of the codebook come first, in its order.
    """
    from framing.corpus.derived import staleness

    changed = {name for one in facts.values() for name in staleness(one, digests)}
    return [name for name in digests if name in changed] + sorted(changed - set(digests))


def checked_names(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the cues asked for, each once; raise :class:`InputError` with all unknown ones."""
    raise_if_any(
        Problem("--check", f"unknown cue {name!r}", _nearest(name, known))
        for name in dict.fromkeys(names)
        if name not in known
    )
    return list(dict.fromkeys(names))


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=3)
    return f"Did you mean {' or '.join(close)}?" if close else "`framing cues --list` has them all."


# --- showing it -----------------------------------------------------------------------------------


def aligned(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """Return rows of cells as lines, columns aligned; those numbered in ``right`` to the right."""
    to_right = set(right)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        (" " * _GAP)
        .join(
            cell.rjust(width) if place in to_right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        .rstrip()
        for row in rows
    ]


def votes_text(cue: Cue) -> str:
    """Return a cue's votes: ``+equality -control``."""
    return " ".join(f"{'+' if vote > 0 else '-'}{code}" for code, vote in cue.votes.items())


def list_text(codebook: Codebook) -> str:
    """Return name, votes and description of every cue, a line each."""
    rows = [(cue.name, votes_text(cue), cue.description) for cue in codebook.cues]
    return "\n".join(aligned(rows)) + "\n" if rows else "The codebook has no cues.\n"


def check_text(
    cue: Cue,
    state: str,
    hits: Sequence[Hit],
    labels: Mapping[str, Mapping[str, int]],
    unread: Iterable[str],
) -> str:
    """Return what a cue does, as text.

    ``state`` says in a word how it stands to the committed facts; ``labels`` maps codes to their
    coded passages (1 where they carry the code); of those ``unread`` only hits are counted.
    """
    apart = set(unread)
    lines = [f"{cue.name} ({state}): {cue.description}"]
    header = ["", "part", "passages", "hits", "coded", "carrying", "share", "base", "lift"]
    rows = [header]
    for code, vote in cue.votes.items():
        side = f"{'for' if vote > 0 else 'against'} {code}"
        own = {name: label for name, label in labels[code].items() if name not in apart}
        one = worth((hit for hit in hits if not hit.unread), own)
        numbers = map(str, (one.passages, one.hits, one.coded, one.carrying))
        shares = map(_number, (one.share, one.base_rate, one.lift))
        rows.append([side, "read" if apart else "all", *numbers, *shares])
        if apart:
            # What these passages carry is nothing for an author's eyes.
            one = worth((hit for hit in hits if hit.unread), {})
            rows.append([side, "unread", str(one.passages), str(one.hits), *[""] * 5])
    lines += [f"  {line}" for line in aligned(rows, right=range(2, len(header)))]
    return "\n".join([*lines, *_change_lines(cue, hits, labels)]) + "\n"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _change_lines(
    cue: Cue, hits: Sequence[Hit], labels: Mapping[str, Mapping[str, int]]
) -> list[str]:
    turned = changes(hits, {name for code in cue.votes for name in labels[code]})
    open_ones = [hit for hit in turned if not hit.unread]
    lines = []
    if open_ones:
        lines.append(f"  coded passages newly hit, or no longer: {len(open_ones)}")
        rows = [
            [hit.passage_id, f"{hit.old} -> {hit.new}", _carried(hit, cue, labels)]
            for hit in open_ones[:SHOWN]
        ]
        lines += [f"    {line}" for line in aligned(rows)]
        if len(open_ones) > SHOWN:
            lines.append(f"    and {len(open_ones) - SHOWN} more")
    hidden = len(turned) - len(open_ones)
    if hidden:
        lines.append(f"  and {hidden} unread")
    return lines or ["  no coded passage is newly hit, or no longer"]


def _carried(hit: Hit, cue: Cue, labels: Mapping[str, Mapping[str, int]]) -> str:
    said = []
    for code in cue.votes:
        label = labels[code].get(hit.passage_id)
        if label is not None:
            said.append(f"{code}: {'yes' if label else 'no'}")
    return ", ".join(said)


# --- the command ----------------------------------------------------------------------------------


def _state(name: str, facts: Mapping[str, Facts], digests: Mapping[str, str]) -> str:
    made_with = {one["cues"].get(name) for one in facts.values()}
    if made_with == {digests[name]}:
        return "unchanged"
    return "new" if made_with == {None} else "changed"


def check(project: Project, names: Sequence[str]) -> str:
    """Return what the cues named (or, if none is, all changed ones) do in ``project``.

    Reads facts and texts of the project in the working directory and writes nothing. Raises
    :class:`InputError` on unknown names, missing facts, and where hits must be recomputed but no
    text is at hand.
    """
    from framing.codebook.cues import compile_cues
    from framing.coding.codings import combine_coders
    from framing.coding.variables import variables_of
    from framing.corpus.facts import cue_digests
    from framing.corpus.store import facts_at_hand, lacking

    names_of = list(project.sources["source_id"])
    stored = {one["source_id"]: one for one in facts_at_hand(names_of)}
    raise_if_any(lacking(name) for name in names_of if name not in stored)
    facts = {name: stored[name] for name in names_of}
    digests = cue_digests(project.codebook)
    wanted = checked_names(names, list(digests)) if names else changed_cues(facts, digests)
    if not wanted:
        return "No cue changed since the derived facts were made.\n"
    found, unsearched = recount(project, facts, wanted)
    if len(unsearched) == len(facts):
        raise InputError(
            Problem("texts", "are not at hand, so changed cues cannot be searched for",
                    f"Put them into {' or '.join(project.config['corpus']['texts'])}.")
        )  # fmt: skip
    combined = combine_coders(
        project.codings, project.config["coders"], variables_of(project.codebook.codes)
    )
    labels: dict[str, dict[str, int]] = {
        code: dict(zip(rows["passage_id"], rows["label"].astype(int), strict=True))
        for code, rows in combined.groupby("code")
    }
    apart = unread_passages(project)
    cues = {cue.name: cue for cue in project.codebook.cues}
    blocks = [
        check_text(cues[name], _state(name, facts, digests), found[name], labels, apart)
        for name in wanted
        if name in cues
    ]
    dropped = [name for name in wanted if name not in cues]
    if dropped:
        blocks.append(_dropped_text(dropped, found))
    vague = vague_line(compile_cues(project.codebook, tried=True).vague(), wanted)
    if vague:
        blocks.append(vague)
    if unsearched:
        blocks.append(
            f"Not searched, as their texts are absent: {len(unsearched)} of {len(facts)} sources. "
            "Counts of changed cues leave them out.\n"
        )
    return "\n".join(blocks)


def vague_line(patterns: Iterable[str], names: Iterable[str]) -> str:
    """Return a line on those of ``patterns`` (:func:`hit_key`) of the cues named, or nothing.

    They are the patterns whose hits need no word in particular.
    """
    from framing.codebook.hits import cue_and_pattern

    asked = set(names)
    own = [key for key in patterns if cue_and_pattern(key)[0] in asked]
    if not own:
        return ""
    shown = ", ".join(own[:SHOWN]) + (" …" if len(own) > SHOWN else "")
    return (
        f"Searched for in every sentence, which takes long, as no word is in all of their hits: "
        f"{shown}.\n"
    )


def _dropped_text(names: Sequence[str], found: Mapping[str, Sequence[Hit]]) -> str:
    rows = [[name, f"had hits in {len(found[name])} passages"] for name in names]
    return (
        "\n".join(["No longer in the codebook:", *(f"  {line}" for line in aligned(rows))]) + "\n"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command in the project's directory; return the exit status."""
    from framing.codebook.codebook import load_codebook
    from framing.common.config import load_config
    from framing.common.paths import CODEBOOK, CONFIG
    from framing.project.load import load_project

    if arguments.list:
        print(list_text(load_codebook(CODEBOOK)), end="")
        return 0
    print(check(load_project(load_config(CONFIG)), arguments.check), end="")
    return 0
