"""``framing codebook import``: a draft of a codebook from one of a QDA program."""

from __future__ import annotations

import argparse
from pathlib import Path

_EXAMPLES = """\
examples:
  framing codebook import codes.qdc --dry-run     says which codes there would be
  framing codebook import codes.qdc               writes corpus/codebook/codebook.yaml, if there is
                                                  none
  framing codebook import codes.qdc --output draft.yaml --one-of
                                  every code with codes below it, and none below those, is one of
                                  these

The draft holds codes with their descriptions. What a codebook needs and such a file does not hold
stands in it as TO BE WRITTEN. Nothing is ever written over. `framing codings export codes.qdc` is
the way out (docs/refi-qda.md).
"""


def register(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``codebook`` to the commands; ``common`` holds the options that all of them share."""
    group = commands.add_parser(
        "codebook", help="codes from a program for qualitative analysis, as a draft",
        description="Codebooks between the project and other programs.",
    )  # fmt: skip
    below = group.add_subparsers(dest="codebook_command", required=True, metavar="COMMAND")
    parser = below.add_parser(
        "import", parents=[common], help="write a draft of a codebook from a .qdc (REFI-QDA)",
        description="Read the codes of a REFI-QDA codebook and write a draft of ours.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("file", metavar="FILE.qdc", help="the codebook of another program")
    parser.add_argument(
        "--output", metavar="FILE", help="where to write it (default: the project's codebook)"
    )
    parser.add_argument(
        "--one-of", action="store_true",
        help="codes with two or more codes below them, none of which has any, have these as levels",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Say what the draft holds, and write it where nothing is yet; return 0."""
    from framing.acquire.codings.qda import loss_lines
    from framing.acquire.read.settings import reading_settings
    from framing.acquire.refi.codebooks import read_codebook
    from framing.acquire.refi.drafts import draft_of
    from framing.common.config import load_config
    from framing.common.files import write_text
    from framing.common.paths import CODEBOOK, CONFIG
    from framing.common.problems import InputError, Problem

    here = Path(getattr(arguments, "called_from", Path.cwd()))
    target = here / arguments.output if arguments.output else CODEBOOK
    if target.exists() and not arguments.dry_run:
        raise InputError(
            Problem(target, "is there already", "Write the draft beside it: --output FILE.")
        )
    if not target.parent.is_dir():
        raise InputError(Problem(target.parent, "does not exist", "Make the folder first."))
    config = load_config(CONFIG) if CONFIG.is_file() else {}
    limits = reading_settings({"reading": config.get("reading", {})})["reading"]["limits"]
    path = here / arguments.file
    found, losses = read_codebook(path, limits)
    draft = draft_of(found, path.stem, path.name, hierarchies=arguments.one_of)
    for name, own in draft.called.items():
        print(f"{name}: {own}" if name != own else name)
    if draft.left_out:
        print(f"left out, as they are above others and cannot be given: "
              f"{', '.join(draft.left_out)}")  # fmt: skip
    for line in loss_lines(losses, "What the file holds and is not taken over:"):
        print(line)
    if arguments.dry_run:
        print(f"Nothing was written; it would be: {target}.")
        return 0
    write_text(target, draft.text)
    print(f"Written: {target}. Look for TO BE WRITTEN in it; then run `framing check`.")
    return 0
