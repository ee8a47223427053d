"""``framing adjudicate``: somebody settles where coders differ, at the coding page."""

from __future__ import annotations

import argparse

from framing.cli.code import add_server, add_who, opened, told

_EXAMPLES = """\
examples:
  framing adjudicate --coder eve --kind human --describe "wrote the codebook"
  framing adjudicate --coder eve --among ann,bob
  framing adjudicate --coder eve --finish      what is settled so far enters the table

Shown are the passages on which coders differ, with what each of them said, as A, B, C in an order
of its own for each passage, and their memos. What is settled goes to corpus/codings/NAME.tsv; what
the coders said stays as it is. The configuration names the adjudicator (coders.adjudicator): that
code then counts, and the rule of combination elsewhere. docs/coding-page.md goes through it.
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``adjudicate`` to the commands; ``common`` holds the options that all of them share."""
    parser = commands.add_parser(
        "adjudicate", parents=[common], help="settle where coders differ, at a page",
        description="Settle where coders differ, at a page that this machine alone can open.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--coder", required=True, metavar="NAME", help="who settles")
    add_who(parser)
    parser.add_argument(
        "--among", default="", metavar="A,B",
        help="where these coders differ (default: all who have a table)",
    )  # fmt: skip
    parser.add_argument(
        "--finish", action="store_true", help="open no page: what is settled enters the table"
    )
    add_server(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from framing.acquire.coding_page.app import App
    from framing.acquire.coding_page.disagreements import enter_settled
    from framing.acquire.coding_page.enter import read_round
    from framing.acquire.coding_page.page import Pages
    from framing.acquire.coding_page.prepare import coding_settings, open_adjudication

    among = [name.strip() for name in arguments.among.split(",") if name.strip()]
    if arguments.finish:
        told(enter_settled(arguments.coder, among, all_of_it=True))
        return 0
    now = read_round()
    desk, writer, remarks = open_adjudication(
        now, arguments.coder, among, arguments.kind, arguments.describe
    )
    try:
        pages = Pages(
            desk, now.state.codebook, now.state.config["project"]["title"],
            context=coding_settings(now.state)["context"] > 0,
        )  # fmt: skip
        said = [*remarks, f"{arguments.coder}: {len(desk.items):,} passages on which coders "
                f"differ, {desk.done:,} of them settled."]  # fmt: skip
        app = App(pages, lambda: enter_settled(arguments.coder, among))
        return opened(app, desk, arguments, said)
    finally:
        writer.close()
