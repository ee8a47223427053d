"""Annotations of Label Studio as rows that can be taken over: its JSON export, a task an object.

The format is that of :mod:`framing.acquire.codings.label_studio`. Predictions are machine codings,
and are taken only where that is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from framing.acquire.codings.kinds import first_three, of_a_kind
from framing.acquire.codings.label_studio import UNSURE
from framing.acquire.codings.options import Options
from framing.acquire.codings.read import Rows
from framing.acquire.codings.values import NO, YES, folded
from framing.acquire.table_files import value_text
from framing.codebook.codes import Code
from framing.coding.codings import MACHINE, NOT_CODED
from framing.common.files import read_up_to
from framing.common.problems import InputError, Problem, raise_if_any

_UNSURE = {UNSURE, "unsure"}
_IN = "data:"  # before a field of a task's data, which may be called as a code is
_NAMES = " | "  # between the names that one annotator has


@dataclass
class Taken:
    """Rows of an export, options that say what they are, lines to be said, what is wrong."""

    rows: Rows
    options: Options
    lines: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_tasks(path: Path, most: int) -> list[Any]:
    """Return the tasks of an export, a JSON list or a line each, of at most so many bytes.

    Raises :class:`InputError` where it is neither.
    """
    data = read_up_to(path, most, "Export a part of the tasks, or raise intake: table.bytes.")
    remedy = "Export it from Label Studio as JSON (not JSON-MIN)."
    try:
        text = data.decode("utf-8-sig")
        if text.lstrip().startswith("["):
            found = json.loads(text)
        else:
            found = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else "no text, or too deep"
        raise InputError(Problem(path, f"is not JSON ({said})", remedy)) from None
    strange = [f"task {number}" for number, one in enumerate(found, 1)
               if not isinstance(one, dict) or not isinstance(one.get("data"), dict)]  # fmt: skip
    raise_if_any(of_a_kind(path, "has no data in {}", strange, remedy, "task"))
    if not found:
        raise InputError(Problem(path, "holds no task", remedy))
    return list(found)


@dataclass(frozen=True)
class _Given:
    """What one annotator, or one model, said of a task."""

    task: int
    who: str
    choices: Mapping[str, list[str]]


def taken(
    found: Sequence[Mapping[str, Any]], path: Path, options: Options, codes: Mapping[str, Code],
    users: Mapping[str, str], kinds: Mapping[str, str], *, predictions: bool = False,
) -> Taken:  # fmt: skip
    """Return the annotations of tasks as rows, with options that say what they are.

    ``users`` says which coder an annotator is, by number, address or name (of predictions: by
    version of the model), ``kinds`` of which kind coders are who are known. ``options.codes`` and
    ``options.labels`` speak of controls. With ``predictions`` these are taken, and only these, as
    codings of a machine coder. Skipped annotations are none, and are listed.
    """
    parts = _parts(found, predictions=predictions)
    said = options.codes or ({} if options.labels else {name: name for name in codes})
    names = [_coder(one.who, options, users) for one in parts.given]
    machines = {name for name in {*names, *users.values()} - {""}
                if kinds.get(name, options.kind) == MACHINE}  # fmt: skip
    begun = [f"task {task}" for task, who in parts.begun
             if _coder(who, options, users) not in machines]  # fmt: skip
    problems = _nobody(parts, names, path, predictions=predictions)
    problems += of_a_kind(
        path, "has predictions for {} who would be human",
        sorted({repr(name) for name in names if name and name not in machines and predictions}),
        "What a model said is a machine coding: --kind machine, under a name of its own.", "coder",
    )  # fmt: skip
    problems += of_a_kind(
        path, "has {} that began as predictions", begun,
        "What a model coded is a machine coding, whoever looked over it: give them to a coder of "
        "their own with --kind machine, or take them out.", "annotation",
    )  # fmt: skip
    problems += of_a_kind(
        path, "several levels of one code in {}",
        [f"task {one.task} {name}: {' and '.join(choices)}" for one in parts.given
         for name, choices in one.choices.items() if len(choices) > 1 and name in said],
        "A passage has exactly one level: correct them.", "annotation",
    )  # fmt: skip
    controls = dict.fromkeys(name for one in parts.given for name in one.choices)
    aside = [name for name in controls if name not in {*said, *_UNSURE, options.labels}]
    lines = [f"tasks read: {len(found):,}", *parts.lines(predictions=predictions)]
    if aside:
        lines.append(f"controls that are no code of the codebook: {', '.join(aside)}")
    rows, own = _rows(found, path, options, codes, said, [*zip(parts.given, names, strict=True)])
    return Taken(rows, own, lines, problems)


@dataclass
class _Parts:
    given: list[_Given] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    begun: list[tuple[int, str]] = field(default_factory=list)
    left_predictions: int = 0
    left_annotations: int = 0
    drafts: int = 0
    memos: int = 0

    def lines(self, *, predictions: bool) -> list[str]:
        """Return what is to be said of what is left aside."""
        lines = []
        if self.skipped:
            spots = first_three(self.skipped)
            lines.append(f"skipped or cancelled, so no codings: {len(self.skipped):,} ({spots})")
        if self.left_predictions:
            lines.append(f"predictions, which are machine codings and were left out: "
                         f"{self.left_predictions:,} (--predictions takes them)")  # fmt: skip
        if predictions and self.left_annotations:
            lines.append(f"annotations left out: {self.left_annotations:,}")
        if self.drafts:
            lines.append(f"drafts, which nobody submitted, left out: {self.drafts:,}")
        if self.memos:
            lines.append(f"memos, which are no codings, left out: {self.memos:,}")
        return lines


def _parts(found: Sequence[Mapping[str, Any]], *, predictions: bool) -> _Parts:
    parts = _Parts()
    for number, task in enumerate(found, 1):
        machine, people = _dicts(task.get("predictions")), _dicts(task.get("annotations"))
        parts.drafts += len(_dicts(task.get("drafts")))
        parts.left_predictions += 0 if predictions else len(machine)
        parts.left_annotations += len(people) if predictions else 0
        for one in machine if predictions else people:
            who = str(one.get("model_version") or "") if predictions else _who(one)
            if one.get("was_cancelled"):
                parts.skipped.append(f"task {number} by {who}")
                continue
            if one.get("parent_prediction") and not predictions:
                parts.begun.append((number, who))
            choices: dict[str, list[str]] = {}
            for result in _dicts(one.get("result")):
                value = result.get("value")
                value = value if isinstance(value, dict) else {}
                parts.memos += "text" in value and "choices" not in value
                if isinstance(value.get("choices"), list):
                    own = choices.setdefault(str(result.get("from_name", "")), [])
                    own += [text for each in value["choices"] if (text := value_text(each))]
            parts.given.append(_Given(number, who, choices))
    return parts


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list; whatever else stands there is none (ids alone, null)."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _who(annotation: Mapping[str, Any]) -> str:
    by = annotation.get("completed_by")
    if isinstance(by, dict):
        whole = f"{by.get('first_name') or ''} {by.get('last_name') or ''}".strip()
        known = [by.get("email"), by.get("id"), whole]
        return _NAMES.join(str(one) for one in known if one not in (None, ""))
    return "" if by is None else str(by)


def _coder(who: str, options: Options, users: Mapping[str, str]) -> str:
    for name in who.split(_NAMES):
        if name in users:
            return users[name]
    return options.coders[0] if len(options.coders) == 1 else ""


def _nobody(
    parts: _Parts, names: Sequence[str], path: Path, *, predictions: bool
) -> list[Problem]:  # fmt: skip
    """Return annotators of whom nothing says who they are, and that there is no annotation."""
    nameless = dict.fromkeys(one.who for one, name in zip(parts.given, names, strict=True)
                             if not name)  # fmt: skip
    problems = of_a_kind(
        path, "has {} of whom nothing says who they are", [repr(one) for one in nameless],
        'Say it: --user "ADDRESS OR NUMBER=CODER" for each, or --coder NAME for all.',
        "model" if predictions else "annotator",
    )  # fmt: skip
    if parts.given:
        return problems
    what, remedy = "holds no annotation", "Export tasks with annotations."
    if parts.left_predictions:
        what += ", only predictions, which are machine codings"
        remedy = "Take them as such: --predictions --coder NAME --kind machine --model TEXT."
    return [*problems, Problem(path, what, remedy)]


def _rows(
    found: Sequence[Mapping[str, Any]], path: Path, options: Options, codes: Mapping[str, Code],
    said: Mapping[str, str], given: Sequence[tuple[_Given, str]],
) -> tuple[Rows, Options]:  # fmt: skip
    """Return rows with a column a control, and the options that say what columns are."""
    places = ("passage", "source", "start", "end", "text")
    names: dict[str, str] = {key: getattr(options, key) for key in places}
    names["passage"] = names["passage"] or (
        "" if names["text"] or names["source"] else "passage_id"
    )
    names = {key: name for key, name in names.items() if name}
    table: list[dict[str, str]] = []
    lines = []
    for one, coder in given:
        data = found[one.task - 1]["data"]
        row = {f"{_IN}{name}": (value_text(data.get(name)) or "").strip()
               for name in names.values()}  # fmt: skip
        row |= {control: _cell(one.choices.get(control, []), codes.get(target))
                for control, target in said.items()}  # fmt: skip
        unsure = any(one.choices.get(control) for control in _UNSURE)
        row |= {"coder": coder, "unsure": "1" if unsure else "0"}
        labels = [""]
        if options.labels:
            labels = one.choices.get(options.labels) or [""]
        for label in labels:
            table.append(row | ({options.labels: label} if options.labels else {}))
            lines.append(one.task)
    declared = replace(
        options.said, yes=tuple(dict.fromkeys([*options.said.yes, YES])),
        no=tuple(dict.fromkeys([*options.said.no, NO])),
    )  # fmt: skip
    passage, source, start, end, text = (f"{_IN}{names[key]}" if key in names else ""
                                         for key in places)  # fmt: skip
    own = replace(
        options, codes=dict(said), coders=(), coder_column="coder", unsure="unsure", said=declared,
        passage=passage, source=source, start=start, end=end, text=text,
    )  # fmt: skip
    columns = [*(f"{_IN}{name}" for name in names.values()), *said,
               *([options.labels] if options.labels else []), "coder", "unsure"]  # fmt: skip
    cells = pd.DataFrame(table, columns=list(dict.fromkeys(columns)), dtype=object)
    return Rows((path,), cells, (0,) * len(table), tuple(lines), unit="task"), own


def _cell(choices: Sequence[str], code: Code | None) -> str:
    """Return what was chosen as it stands in a cell; a yes/no code also by labels of its levels."""
    if not choices:
        return NOT_CODED
    if code is not None and code.kind.present:
        for level in code.levels:
            if folded(level.label) == folded(choices[0]):
                return level.name
    return choices[0]
