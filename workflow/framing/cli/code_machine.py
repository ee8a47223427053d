"""``framing code --model``: a program codes passages, a language model above all."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framing.common.progress import stepping

if TYPE_CHECKING:
    from framing.acquire.codings.check import State
    from framing.acquire.machine.asking import Program, Task
    from framing.acquire.machine.prompt import Passage, Prompt
    from framing.acquire.machine.record import Entry, Record
    from framing.acquire.machine.run import Context, Outcome

PROGRAM_NAMES = ("chat", "command")
"""As :data:`framing.acquire.machine.programs.PROGRAMS` has them, whose import takes long."""

EXAMPLES = """\
  framing code --coder gpt --show-prompt
                                  what a model would be told; with an id, of that passage
  framing code --coder gpt --model NAME --endpoint http://localhost:11434/v1 --dry-run
                                  how many questions, tokens, and what they would cost
  framing code --coder gpt --model NAME --endpoint http://localhost:11434/v1
                                  code all drawn passages; a run that was stopped goes on
  framing code --coder gpt --model NAME --endpoint URL --limit 20 --max-cost 0.50
  framing code --coder gpt --from-record
                                  make the tables anew from the answers on record, offline
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of coders that are programs; ``--coder`` is the command's own."""
    group = parser.add_argument_group("a language model, or another program, as the coder")
    group.add_argument("--model", default="", metavar="NAME", help="as its server calls it")
    group.add_argument(
        "--endpoint", default="", metavar="URL",
        help="of a server with the OpenAI-compatible chat protocol, such as "
        "http://localhost:11434/v1; a key comes from the environment (FRAMING_API_KEY)",
    )  # fmt: skip
    group.add_argument(
        "--program", default="chat", choices=PROGRAM_NAMES,
        help="chat (a model behind a server) or command (an executable)",
    )  # fmt: skip
    group.add_argument(
        "--command", default="", metavar="COMMAND", dest="executable",
        help="of --program command: it reads passages as JSON Lines and writes codings so",
    )  # fmt: skip
    group.add_argument(
        "--show-prompt", nargs="?", const="", default=None, metavar="PASSAGE",
        help="print what a model is told (of a passage), ask nothing",
    )  # fmt: skip
    group.add_argument(
        "--dry-run", action="store_true",
        help="say how many questions and tokens there would be, ask nothing, write nothing",
    )  # fmt: skip
    group.add_argument(
        "--from-record", action="store_true",
        help="ask nothing: make the tables from the answers on record",
    )  # fmt: skip
    group.add_argument(
        "--limit", type=_whole, default=None, metavar="N", help="ask at most so many questions"
    )
    group.add_argument(
        "--max-cost", type=_amount, default=None, metavar="COST",
        help="spend at most so much in this run (needs machine_coders.prices)",
    )  # fmt: skip
    group.add_argument(
        "--repeat", type=_whole, default=1, metavar="N",
        help="ask about each passage N times: how stable answers are; the first one counts",
    )  # fmt: skip
    group.add_argument(
        "--all", action="store_true", dest="every",
        help="every passage of the corpus, not only drawn ones: corpus/codings/CODER/coded.tsv",
    )  # fmt: skip
    group.add_argument(
        "--instrument", action="store_true",
        help="as --all, for use as the instrument alone: no coder's table, no row in coders.tsv",
    )  # fmt: skip
    group.add_argument(
        "--anew", action="store_true", help="ask again where an answer could not be used"
    )
    group.add_argument(
        "--skip-absent", action="store_true", help="leave out passages without text at hand"
    )


def asked(arguments: argparse.Namespace) -> bool:
    """Return whether a program is to code, and not a person."""
    return bool(arguments.model or arguments.endpoint or arguments.executable
                or arguments.from_record or arguments.show_prompt is not None)  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Let a program code, or say what it would be told or cost. Returns the exit status."""
    from framing.acquire.codings.project import state_of
    from framing.acquire.machine.project import check_coder, known_problems
    from framing.acquire.machine.prompt import prompt_of
    from framing.acquire.machine.record import read_record, responses_file
    from framing.acquire.machine.settings import machine_settings
    from framing.common.problems import raise_if_any

    check_coder(arguments.coder)
    state = state_of()
    settings = machine_settings(state.config.get("machine_coders"))
    prompt = prompt_of(state.codebook)
    if arguments.show_prompt is not None:
        return _show(state, prompt, settings, arguments.show_prompt)
    record = read_record(responses_file(arguments.coder))
    raise_if_any(known_problems(state, arguments.coder, record.entries))
    if arguments.from_record:
        return _conclude(arguments, record.entries, None, prompt)
    return _ask(arguments, state, prompt, settings, record)


def _show(state: State, prompt: Prompt, settings: Mapping[str, Any], name: str) -> int:
    import json

    from framing.acquire.machine.project import absent_problems, passages_of
    from framing.acquire.machine.prompt import VERSION, Passage
    from framing.common.paths import PASSAGES
    from framing.common.problems import InputError, Problem

    passage = Passage("(id)", "(the text of the passage)",
                      tuple((column, f"({column})") for column in settings["show"]))  # fmt: skip
    if name:
        if name not in set(state.passages["passage_id"]):
            raise InputError(
                Problem(PASSAGES, f"has no passage {name!r}", "Give an id that stands there.")
            )
        found, absent = passages_of(state, [name], settings["show"])
        if absent:
            raise InputError(absent_problems(state, absent))
        passage = found[0]
    print(f"Prompt, version {VERSION}, digest {prompt.digest[:16]}\n")
    print(f"--- system ---\n{prompt.system}\n\n--- user ---\n{prompt.message(passage)}\n")
    schema = json.dumps(prompt.schema, ensure_ascii=False, indent=2)
    print(f"--- form of the answer (JSON schema) ---\n{schema}")
    return 0


def _ask(
    arguments: argparse.Namespace, state: State, prompt: Prompt, settings: Mapping[str, Any],
    record: Record,
) -> int:  # fmt: skip
    from framing.acquire.machine.record import adding, identity_problems, responses_file
    from framing.acquire.machine.run import carry_out, open_tasks
    from framing.common.problems import raise_if_any

    program = _program(arguments, state, prompt, settings)
    context = _context(arguments, state, prompt, program)
    path = responses_file(arguments.coder)
    raise_if_any(identity_problems(record.entries, context.identity, path))
    passages = _passages(arguments, state, settings)
    tasks = open_tasks(passages, arguments.repeat, prompt, record.entries, arguments.anew)
    limited = tasks[: arguments.limit] if arguments.limit else tasks
    budget = _budget(arguments, settings)
    _forecast(limited, len(passages) * arguments.repeat - len(tasks), prompt, settings, arguments)
    if arguments.dry_run:
        print("Nothing was asked, and nothing written.")
        return 0
    if record.cut:
        print("The last answer on record was cut off: it is dropped, and asked again.")
    if not limited:
        return _conclude(arguments, record.entries, None, prompt)
    entries = list(record.entries)
    with adding(path, record) as add, stepping(len(limited), "answer") as seen:

        def kept(entry: Entry) -> None:
            add(entry)
            entries.append(entry)

        outcome = carry_out(limited, program, budget, context, settings, kept, seen)
    _told(outcome, settings, arguments)
    left = len(tasks) - outcome.answers
    return _conclude(arguments, entries, outcome, prompt, left)


def _program(
    arguments: argparse.Namespace, state: State, prompt: Prompt, settings: Mapping[str, Any]
) -> Program:
    from framing.acquire.machine.asking import Asking
    from framing.acquire.machine.programs import PROGRAMS

    return PROGRAMS[arguments.program](
        Asking(
            prompt=prompt, codes=state.codebook.codes, settings=settings, model=arguments.model,
            endpoint=arguments.endpoint, command=arguments.executable,
            key=os.environ.get(settings["key_variable"], ""),
        )
    )  # fmt: skip


def _context(
    arguments: argparse.Namespace, state: State, prompt: Prompt, program: Program
) -> Context:
    from framing.acquire.machine.run import Context

    return Context(
        program=arguments.program, asked=arguments.model, prompt=prompt,
        codebook=str(state.codebook.version), settings=program.identity,
    )  # fmt: skip


def _passages(
    arguments: argparse.Namespace, state: State, settings: Mapping[str, Any]
) -> list[Passage]:
    """Return the passages to be coded; say which wait, and which have no text."""
    from framing.acquire.machine.project import absent_problems, chosen, passages_of
    from framing.common.problems import InputError

    choice = chosen(state, every=arguments.every or arguments.instrument)
    for line in choice.remarks:
        print(line)
    passages, absent = passages_of(state, choice.names, settings["show"])
    if absent and not arguments.skip_absent:
        raise InputError(absent_problems(state, absent))
    if absent:
        print(f"left out, as their text is not at hand: {len(absent):,} passages")
    return passages


def _budget(arguments: argparse.Namespace, settings: Mapping[str, Any]) -> Any:
    from math import inf

    from framing.acquire.machine.budget import Budget
    from framing.common.paths import CONFIG
    from framing.common.problems import InputError, Problem

    price = settings["prices"].get(arguments.model)
    if arguments.max_cost is not None and price is None:
        raise InputError(
            Problem(CONFIG, f"has no price of the model {arguments.model!r}, so that --max-cost "
                    "cannot be kept",
                    "Add machine_coders: {prices: {NAME: {input: …, output: …}}}, for a million "
                    "tokens each.")
        )  # fmt: skip
    free = {"input": 0.0, "output": 0.0}
    most = inf if arguments.max_cost is None else arguments.max_cost
    return Budget(price or free, settings["max_tokens"], most)


def _forecast(
    tasks: Sequence[Task], done: int, prompt: Prompt, settings: Mapping[str, Any],
    arguments: argparse.Namespace,
) -> None:  # fmt: skip
    """Say how many questions there are to be, and what they are estimated to cost."""
    import json

    from framing.acquire.machine.budget import cost, tokens
    from framing.acquire.machine.run import sent_tokens

    print(f"questions to ask: {len(tasks):,} (answered already: {done:,})")
    if arguments.program != "chat" or not tasks:
        return
    per = settings["bytes_per_token"]
    sent = sum(sent_tokens(prompt, task, settings) for task in tasks)
    came = len(tasks) * tokens(json.dumps(dict.fromkeys(prompt.schema["properties"], "0000")), per)
    print(f"tokens, estimated ({per:g} bytes a token; machine_coders.bytes_per_token): "
          f"{sent:,} sent, {came:,} answered, without second tries")  # fmt: skip
    price = settings["prices"].get(arguments.model)
    if price is not None:
        print(f"cost, estimated: {cost(sent, came, price):.2f}")


def _told(outcome: Outcome, settings: Mapping[str, Any], arguments: argparse.Namespace) -> None:
    from framing.acquire.machine.budget import cost

    print(f"answers: {outcome.answers:,}, of which {outcome.unusable:,} could not be used")
    if arguments.program != "chat":
        return
    how = "as the server counts" if outcome.counted else "in part estimated"
    print(f"tokens ({how}): {outcome.input_tokens:,} sent, {outcome.output_tokens:,} answered")
    price = settings["prices"].get(arguments.model)
    if price is not None:
        spent = cost(outcome.input_tokens, outcome.output_tokens, price)
        print(f"cost of this run: {spent:.4f}")


def _conclude(
    arguments: argparse.Namespace, entries: Sequence[Entry], outcome: Outcome | None,
    prompt: Prompt, left: int = 0,
) -> int:  # fmt: skip
    """Make the tables of what is on record; say what it holds, and what is in the way."""
    from framing.acquire.codings.project import state_of
    from framing.acquire.machine.project import result_of
    from framing.acquire.machine.record import responses_file
    from framing.common.problems import InputError, Problem
    from framing.project.lock import alone, commit

    if not entries:
        if outcome is not None and outcome.failures:
            raise InputError(list(_failed(outcome)))
        if outcome is not None:
            raise InputError(
                Problem("--max-cost", "does not pay for a single question", "Raise it.")
            )
        raise InputError(
            Problem(responses_file(arguments.coder), "holds no answer",
                    "Let a model code first: --model and --endpoint.")
        )  # fmt: skip
    with alone():
        state = state_of()
        result = result_of(
            state, arguments.coder, entries, arguments.describe, table=not arguments.instrument
        )
        commit(result.writes)
    for line in [*_standing(state, entries, prompt), *result.remarks]:
        print(line)
    names = ", ".join(sorted(path.as_posix() for path in result.writes))
    print(f"Written: {names}." if names else "All tables are as they were.")
    problems = list(_failed(outcome)) if outcome is not None else []
    if outcome is not None and outcome.ended:
        print(f"{outcome.ended[0].upper()}{outcome.ended[1:]}.")
    if left:
        print(f"{left:,} questions are left: run the same again.")
    elif result.problems:
        print("The answers are on record; the coder's table could not be written:")
        problems += result.problems
    if left and result.problems:
        print("The coder's table is written once a run would take it, mostly when all is answered.")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _standing(state: State, entries: Sequence[Entry], prompt: Prompt) -> Iterator[str]:
    """Yield what is on record: answers, models, what could not be used, how stable answers are."""
    from framing.acquire.machine.record import answered
    from framing.acquire.machine.tables import models, reasons, stability

    known = answered(entries)
    passages = len({name for name, _ in known})
    named = ", ".join(models(entries))
    yield f"on record: {len(known):,} answers for {passages:,} passages, by {named}"
    if any(entry["prompt"] != prompt.digest for entry in entries):
        yield "the codebook now makes another prompt than the one that was answered"
    for why, number in reasons(entries)[:5]:
        yield f"  not coded, as the answer was {why}: {number:,}"
    for one in stability(entries, state.codebook.codes):
        alpha = "undefined" if one.alpha is None else f"{one.alpha:.3f}"
        yield (f"  stability of {one.code}: {one.passages:,} passages answered more than once, "
               f"alike in {100 * one.equal:.1f} %, alpha {alpha}")  # fmt: skip


def _failed(outcome: Outcome) -> Iterator[Any]:
    """Yield what kept questions from being answered, one problem a kind."""
    from framing.acquire.codings.kinds import of_a_kind

    kinds: dict[tuple[str, str], list[str]] = {}
    for one in outcome.failures:
        kinds.setdefault((one.what, one.remedy), []).append(repr(one.task.passage.name))
    for (what, remedy), names in kinds.items():
        told = f"no answer for {{}}, as {what}"
        yield from of_a_kind("framing code", told, names, remedy, "passage")


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _amount(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number
