"""``framing code``: people or programs code drawn passages; who codes what; how far they are."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from framing.cli import code_machine

if TYPE_CHECKING:
    from framing.acquire.coding_page.app import App
    from framing.acquire.coding_page.desk import Desk

_EXAMPLES = """\
examples:
  framing code --coder ann --kind human --describe "student, trained on thirty passages"
                                  opens a page in the browser: one passage at a time
  framing code --assign --coders ann,bob,eve --twice 0.2
                                  who codes what, one passage in five twice
  framing code --coder gpt --model NAME --endpoint http://localhost:11434/v1 --dry-run
                                  what a language model would be asked (docs/machine-coders.md)
  framing code --status           for the supervisor: how far, how fast, agreement so far
  framing code --finish           the round is over: what is in the journals enters the tables

Every answer is on disk (corpus/codings/CODER/journal.jsonl) before the next passage is shown. A
draw's codings enter the tables (corpus/codings/CODER.tsv) when everybody is through with it, so
that `snakemake` can be run at any time. docs/coding-page.md goes through it.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``code`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "code", parents=[common], help="code drawn passages at a page, or let a program code",
        description="Code drawn passages at a page that this machine alone can open, or let a "
        "program code them: a language model behind a server, or any command.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--coder", default="", metavar="NAME", help="who codes")
    add_who(parser)
    parser.add_argument(
        "--draw", action="append", type=int, default=[], metavar="N",
        help="which draw, by its number, 0 for a sample without a record; repeat it (default: "
        "those that wait for codings)",
    )  # fmt: skip
    add_server(parser)
    plan = parser.add_argument_group("instead of the page")
    what = plan.add_mutually_exclusive_group()
    what.add_argument("--assign", action="store_true", help="make a plan of who codes what")
    what.add_argument("--status", action="store_true", help="how far coders are, and agreement")
    what.add_argument(
        "--finish", action="store_true",
        help="put what is in the journals into the tables, though somebody is not through",
    )  # fmt: skip
    plan.add_argument("--coders", default="", metavar="A,B", help="with --assign: who codes")
    plan.add_argument(
        "--twice", type=float, default=0.0, metavar="SHARE",
        help="with --assign: share of passages that two code (default: 0)",
    )  # fmt: skip
    plan.add_argument(
        "--seed", type=int, default=0, metavar="N", help="with --assign: another deal (default: 0)"
    )
    code_machine.add_options(parser)
    parser.set_defaults(run=_run)


def add_who(parser: argparse.ArgumentParser) -> None:
    """Add the options that say who a new coder is."""
    parser.add_argument(
        "--kind", default="", choices=["human"], help="of a coder whom coders.tsv does not name"
    )
    parser.add_argument(
        "--describe", default="", metavar="TEXT", help="what to say of a new coder in coders.tsv"
    )


def add_server(parser: argparse.ArgumentParser) -> None:
    """Add the options of the server."""
    page = parser.add_argument_group("the page")
    page.add_argument(
        "--port", type=int, default=0, metavar="N", help="at this port (default: a free one)"
    )
    page.add_argument(
        "--no-browser", action="store_true", help="print the address, and open no browser"
    )


def _run(arguments: argparse.Namespace) -> int:
    if arguments.assign:
        return _assign(arguments)
    if arguments.status:
        return _status(arguments)
    if arguments.finish:
        return _finish()
    if not arguments.coder:
        from framing.common.problems import InputError, Problem

        raise InputError(Problem("--coder", "names nobody", "Say who codes: --coder NAME"))
    if code_machine.asked(arguments):
        return code_machine.run(arguments)
    return _page(arguments)


def _page(arguments: argparse.Namespace) -> int:
    from framing.acquire.coding_page.app import App
    from framing.acquire.coding_page.enter import enter, read_round
    from framing.acquire.coding_page.page import Pages
    from framing.acquire.coding_page.pools import confirming
    from framing.acquire.coding_page.prepare import coding_settings, open_desk

    now = read_round()
    desk, writer, pools, remarks = open_desk(
        now, arguments.coder, arguments.draw, arguments.kind, arguments.describe
    )
    try:
        state = now.state
        pages = Pages(
            desk, state.codebook, state.config["project"]["title"], whole=confirming(pools),
            context=coding_settings(state)["context"] > 0,
        )  # fmt: skip
        named = ", ".join(pool.name for pool in pools)
        said = [*remarks, f"{arguments.coder}: {len(desk.items):,} passages ({named}), "
                f"{desk.done:,} of them coded."]  # fmt: skip
        return opened(App(pages, enter), desk, arguments, said)
    finally:
        writer.close()


def opened(app: App, desk: Desk, arguments: argparse.Namespace, said: list[str]) -> int:
    """Serve a page until it is stopped; return the exit status."""
    from framing.acquire.coding_page.serve import bound, serve

    server = bound(app, arguments.port)
    print("\n".join(said))
    print(f"Open this address in a browser on this machine (Ctrl-C ends the page):\n"
          f"  {app.address}", flush=True)  # fmt: skip
    if desk.complete:
        app.try_to_enter()
    serve(server, app, browser=not arguments.no_browser)
    if desk.complete and desk.behind:
        app.try_to_enter()
    print(f"\n{desk.done:,} of {len(desk.items):,} are coded; all of it is in the journal.")
    for line in [*app.lines, *app.problems]:
        print(line)
    return 0


def _assign(arguments: argparse.Namespace) -> int:
    from framing.acquire.coding_page.assignment import (
        ASSIGNMENTS,
        account,
        asked_problems,
        assignments_text,
        dealt,
        not_dealt_yet,
    )
    from framing.acquire.coding_page.enter import read_round
    from framing.acquire.coding_page.pools import to_be_dealt
    from framing.common.problems import raise_if_any
    from framing.project.lock import alone, commit

    coders = [name.strip() for name in arguments.coders.split(",") if name.strip()]
    raise_if_any(asked_problems(coders, arguments.twice))
    with alone():
        now = read_round()
        coded = {name for rows in now.tables.values() for name in rows}
        pools = to_be_dealt(now.pools, coded, arguments.draw)
        ids = {name for pool in pools for name in pool.ids}
        begun = [name for name, hand in now.hands.items() if ids & set(hand.answers)]
        not_dealt_yet(sorted(ids), now.plan, begun)
        plan = [
            pair
            for pool in pools
            for pair in dealt(
                dict(zip(pool.ids, pool.strata, strict=True)), coders, arguments.twice,
                arguments.seed,
            )
        ]  # fmt: skip
        commit({ASSIGNMENTS: assignments_text(plan)})
    print("\n".join([f"{pool.name}: {len(pool.ids):,} passages" for pool in pools]))
    print("\n".join(account(plan, coders)))
    print(f"Written: {ASSIGNMENTS}. Each codes with: framing code --coder NAME")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from framing.acquire.coding_page.enter import read_round
    from framing.acquire.coding_page.supervise import status_lines

    print("\n".join(status_lines(read_round(), arguments.draw)))
    return 0


def _finish() -> int:
    from framing.acquire.coding_page.enter import enter

    told(enter(all_of_it=True))
    return 0


def told(found: object) -> None:
    """Print what came of putting journals into tables."""
    from framing.acquire.coding_page.enter import Entered

    assert isinstance(found, Entered)
    for line in [*found.said, *found.waits]:
        print(line)
    names = ", ".join(path.as_posix() for path in found.written)
    print(f"Written: {names}. Then run `snakemake`." if names else "Nothing is to be written.")
