"""The dialogue of ``framing codings import``: what options do not say is asked for.

In: options as they are, rows, and a function that asks. Out: options with the answers in them, and
the command line that says the same.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from framing.acquire.codings.options import Options, open_questions
from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import Said, unknown_values
from framing.coding.codings import KINDS, MACHINE, NOT_CODED
from framing.corpus.tables import is_id

Ask = Callable[[str], str]
_MOST_VALUES = 20  # more of them are no yes and no
_TRIES = 5


def answered(
    options: Options, rows: Rows, codes: Sequence[str], coders: Sequence[str], ask: Ask
) -> Options:
    """Return options with what a person answers to what they leave open.

    ``coders`` are those who are known. An empty answer leaves a question open; the import then says
    what is missing.
    """
    questions = open_questions(options)
    if questions:
        print(f"Columns: {', '.join(rows.header)}", file=sys.stderr)
    if "passages" in questions:
        options = _passages(options, rows, ask)
    # Columns called as codes were taken without asking; those of other codes have other names.
    by_name = options.codes and all(column == code for column, code in options.codes.items())
    if "codes" in questions or (by_name and len(options.codes) < len(codes)):
        options = _codes(options, rows, codes, ask)
    if "coder" in questions:
        options = _coder(options, rows, ask)
    options = _values(options, rows, ask)
    return _new_coder(options, rows, coders, ask)


def _one_of(ask: Ask, question: str, allowed: Sequence[str]) -> str:
    for _ in range(_TRIES):
        answer = ask(question)
        if not answer or answer in allowed:
            return answer
        print(f"  {answer!r} is none of {', '.join(allowed)}", file=sys.stderr)
    return ""


def _column(ask: Ask, rows: Rows, what: str) -> str:
    return _one_of(ask, f"Which column has {what} (empty: none)", rows.header)


def _passages(options: Options, rows: Rows, ask: Ask) -> Options:
    if column := _column(ask, rows, "the ids of passages"):
        return replace(options, passage=column)
    source = options.source or _column(ask, rows, "the ids of sources")
    options = replace(options, source=source)
    if source and (start := _column(ask, rows, "the offset where a passage begins")):
        end = _column(ask, rows, "the offset where it ends")
        return replace(options, start=start, end=end)
    return replace(options, text=_column(ask, rows, "the texts of passages"))


def _codes(options: Options, rows: Rows, codes: Sequence[str], ask: Ask) -> Options:
    columns = dict(options.codes)
    for code in [code for code in codes if code not in columns.values()]:
        if column := _column(ask, rows, f"yes and no for the code {code!r}"):
            columns[column] = code
    if columns:
        return replace(options, codes=columns)
    labels = _column(ask, rows, "labels, one a row")
    if not labels:
        return options
    mapped = dict(options.label)
    for value in list(dict.fromkeys(rows.cells[labels]))[:_MOST_VALUES]:
        if value and value != NOT_CODED and value not in codes and value not in mapped:
            code = _one_of(ask, f"Which code is {value!r} ({', '.join(codes)})", codes)
            mapped |= {value: code} if code else {}
    lacking = _one_of(ask, "Does a passage lack the codes it has no row for (yes, no)",
                      ("yes", "no"))  # fmt: skip
    return replace(options, labels=labels, label=mapped, absent=lacking == "yes")


def _coder(options: Options, rows: Rows, ask: Ask) -> Options:
    if column := _column(ask, rows, "the names of coders"):
        return replace(options, coder_column=column)
    for _ in range(_TRIES):
        name = ask("Name of the coder")
        if not name or is_id(name):
            return replace(options, coders=(name,) if name else ())
        print("  letters, digits, '.', '_' and '-' only", file=sys.stderr)
    return options


def _values(options: Options, rows: Rows, ask: Ask) -> Options:
    """Ask what values mean that were not declared, where there are few of them."""
    names = [*options.codes, *([options.unsure] if options.unsure else [])]
    unknown = unknown_values([rows.cells[name] for name in names], options.said)
    if not unknown or len(unknown) > _MOST_VALUES:
        return options
    meant: dict[str, list[str]] = {"yes": [], "no": [], "missing": []}
    for value in unknown:
        shown = repr(value) if value else "an empty cell"
        if answer := _one_of(ask, f"What does {shown} mean (yes, no, missing)", list(meant)):
            meant[answer].append(value)
    said = options.said
    return replace(
        options,
        said=Said(
            (*said.yes, *meant["yes"]), (*said.no, *meant["no"]),
            (*said.missing, *meant["missing"]),
        ),
    )  # fmt: skip


def _new_coder(options: Options, rows: Rows, coders: Sequence[str], ask: Ask) -> Options:
    named = rows.cells[options.coder_column] if options.coder_column else options.coders
    new = sorted(set(named) - set(coders))
    if not new or options.kind:
        return options
    kind = _one_of(ask, f"New: {', '.join(new)}. Human, or machine (a language model or any other "
                   "program)", KINDS)  # fmt: skip
    model = options.model
    if kind == MACHINE and not model:
        model = ask("Which model, in free words")
    describe = options.describe or (ask("In a few words, who codes") if kind else "")
    return replace(options, kind=kind, model=model, describe=describe)


def command_line(options: Options, arguments: argparse.Namespace) -> str:
    """Return the command line that says what ``options`` say, quoted for a shell."""
    words = ["framing", "codings", "import", *arguments.files]
    if str(arguments.directory) != ".":
        words += ["--directory", str(arguments.directory)]
    for name in ("passage", "source", "start", "end", "text", "labels", "unsure", "coder_column",
                 "kind", "model", "describe"):  # fmt: skip
        if value := getattr(options, name):
            words += [f"--{name.replace('_', '-')}", value]
    for name, mapping in (("--code", options.codes), ("--label", options.label)):
        words += [word for left, code in mapping.items() for word in (name, f"{left}={code}")]
    default = Said()
    for option, values, usual in (
        ("--yes", options.said.yes, default.yes),
        ("--no", options.said.no, default.no),
    ):
        words += [word for value in values for word in (option, value)] if values != usual else []
    for value in options.said.missing[1:]:
        words += ["--missing", value]
    words += [word for name in options.coders for word in ("--coder", name)]
    for name in ("absent", "skip_unmatched", "skip_undrawn", "replace"):
        words += [f"--{name.replace('_', '-')}"] if getattr(options, name) else []
    words += ["--sheet", arguments.sheet] if arguments.sheet else []
    words += ["--dry-run"] if arguments.dry_run else []
    return shlex.join(words)
