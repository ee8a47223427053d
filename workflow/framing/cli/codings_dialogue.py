"""The dialogue of ``framing codings import``: what options do not say is asked for.

In: options as they are, rows, and a function that asks. Out: options with the answers in them, and
the command line that says the same.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from framing.acquire.codings.options import Options, indicators, open_questions
from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import Said, meanings_of, unknown_values
from framing.codebook.codes import OF_LEVEL, Code
from framing.coding.codings import KINDS, MACHINE, NOT_CODED
from framing.corpus.tables import is_id

Ask = Callable[[str], str]
_MOST_VALUES = 20  # more of them are no yes and no
_TRIES = 5


def answered(
    options: Options, rows: Rows, codes: Mapping[str, Code], coders: Sequence[str], ask: Ask
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
    if "codes" in questions or (by_name and len(_given(options)) < len(codes)):
        options = _codes(options, rows, codes, ask)
    if "coder" in questions:
        options = _coder(options, rows, ask)
    options = _values(options, rows, codes, ask)
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


def _given(options: Options) -> set[str]:
    """Return the codes that have a column, or columns for their levels."""
    return {target.partition(OF_LEVEL)[0] for target in options.codes.values()}


def _codes(options: Options, rows: Rows, codes: Mapping[str, Code], ask: Ask) -> Options:
    columns = dict(options.codes)
    for code in [code for name, code in codes.items() if name not in _given(options)]:
        columns |= _columns(rows, code, ask)
    if columns:
        return replace(options, codes=columns)
    labels = _column(ask, rows, "labels, one a row")
    if not labels:
        return options
    mapped, known = dict(options.label), list(indicators(codes))
    for value in list(dict.fromkeys(rows.cells[labels]))[:_MOST_VALUES]:
        if value and value != NOT_CODED and value not in known and value not in mapped:
            target = _one_of(ask, f"Which code is {value!r} ({', '.join(known)})", known)
            mapped |= {value: target} if target else {}
    lacking = _one_of(ask, "Does a passage lack the codes it has no row for (yes, no)",
                      ("yes", "no"))  # fmt: skip
    return replace(options, labels=labels, label=mapped, absent=lacking == "yes")


def _columns(rows: Rows, code: Code, ask: Ask) -> dict[str, str]:
    """Ask for the column of a code or, where it has levels, for those of its levels."""
    if code.kind.present:
        column = _column(ask, rows, f"yes and no for the code {code.name!r}")
        return {column: code.name} if column else {}
    levels = ", ".join(code.cells)
    if column := _column(ask, rows, f"levels of the code {code.name!r} ({levels})"):
        return {column: code.name}
    question = f"Has each level of the code {code.name!r} a column of yes and no (yes, no)"
    if _one_of(ask, question, ("yes", "no")) != "yes":
        return {}
    found = {
        _column(ask, rows, f"yes and no for the level {level.name!r}"): level.indicator
        for level in code.levels
    }
    return {column: target for column, target in found.items() if column}


def _coder(options: Options, rows: Rows, ask: Ask) -> Options:
    if column := _column(ask, rows, "the names of coders"):
        return replace(options, coder_column=column)
    for _ in range(_TRIES):
        name = ask("Name of the coder")
        if not name or is_id(name):
            return replace(options, coders=(name,) if name else ())
        print("  letters, digits, '.', '_' and '-' only", file=sys.stderr)
    return options


def _values(options: Options, rows: Rows, codes: Mapping[str, Code], ask: Ask) -> Options:
    """Ask what values mean that were not declared, where there are few of them."""
    whole = {column: codes[target] for column, target in options.codes.items()
             if target in codes and not codes[target].kind.present}  # fmt: skip
    names = [name for name in options.codes if name not in whole]
    names += [options.unsure] if options.unsure else []
    unknown = unknown_values((rows.cells[name], options.said.meanings) for name in names)
    meant: dict[str, list[str]] = {"yes": [], "no": [], "missing": []}
    for value in unknown if len(unknown) <= _MOST_VALUES else []:
        if answer := _one_of(ask, f"What does {_value(value)} mean (yes, no, missing)",
                             list(meant)):  # fmt: skip
            meant[answer].append(value)
    said = options.said
    said = replace(said, yes=(*said.yes, *meant["yes"]), no=(*said.no, *meant["no"]),
                   missing=(*said.missing, *meant["missing"]))  # fmt: skip
    for column, code in whole.items():
        said = _levels(said, rows, column, code, ask)
    return replace(options, said=said)


def _value(value: str) -> str:
    return repr(value) if value else "an empty cell"


def _levels(said: Said, rows: Rows, column: str, code: Code, ask: Ask) -> Said:
    """Ask which levels of a code the values of its column are."""
    unknown = unknown_values([(rows.cells[column], meanings_of(code, said))])
    if len(unknown) > _MOST_VALUES:
        return said
    labels, missing = rows.labels.get(column, {}), "missing"
    allowed = [*code.cells, *([] if missing in code.cells else [missing])]
    for value in unknown:
        shown = _value(value) + (f" ({labels[value]})" if value in labels else "")
        answer = _one_of(ask, f"Which level of the code {code.name!r} is {shown} "
                         f"({', '.join(allowed)})", allowed)  # fmt: skip
        if answer in code.cells:
            said = replace(said, levels=(*said.levels, (value, f"{code.name}{OF_LEVEL}{answer}")))
        elif answer:
            said = replace(said, missing=(*said.missing, value))
    return said


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
    words += [word for value, level in options.said.levels
              for word in ("--value", f"{value}={level}")]  # fmt: skip
    words += [word for code, level in options.otherwise.items()
              for word in ("--otherwise", f"{code}{OF_LEVEL}{level}")]  # fmt: skip
    words += ["--value-labels"] if arguments.value_labels else []
    words += [word for name in options.coders for word in ("--coder", name)]
    for name in ("absent", "skip_unmatched", "skip_undrawn", "replace"):
        words += [f"--{name.replace('_', '-')}"] if getattr(options, name) else []
    words += ["--sheet", arguments.sheet] if arguments.sheet else []
    words += ["--dry-run"] if arguments.dry_run else []
    return shlex.join(words)
