"""Label Studio: tasks and a labelling configuration out (what comes back: :mod:`.annotations`).

The format is that of https://labelstud.io/guide/task_format (an export is a list of tasks with
``data``, ``annotations`` and ``predictions``; of each annotation ``result`` has by ``from_name``
what was given in a control) and of the tags https://labelstud.io/tags/choices and /tags/choice
(``alias`` stands in results for a choice), as of November 2026. ``completed_by`` is a number, or an
object with ``id``, ``email`` and names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from framing.codebook.codes import Code

TEXT, UNSURE, MEMO = "_text", "_unsure", "_memo"
"""Controls that are no codes: the name of a code begins with a letter."""
DATA = ("text", "passage_id", "source_id", "title", "speaker", "date")


def configuration(codes: Mapping[str, Code]) -> str:
    """Return the labelling configuration of a codebook: one choice a code, unsure, and a memo."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Text", name=TEXT, value="$text")
    for code in codes.values():
        ElementTree.SubElement(view, "Header", value=f"{code.label}: {code.definition}")
        group = ElementTree.SubElement(
            view, "Choices", name=code.name, toName=TEXT, choice="single-radio", required="true"
        )
        for level in reversed(code.levels) if code.kind.present else code.levels:
            said = {"value": level.label, "alias": level.name, "hint": level.definition}
            given = {name: text for name, text in said.items() if text}
            ElementTree.SubElement(group, "Choice", given)
    unsure = ElementTree.SubElement(view, "Choices", name=UNSURE, toName=TEXT, choice="multiple")
    ElementTree.SubElement(unsure, "Choice", value="unsure", alias="1")
    ElementTree.SubElement(view, "TextArea", name=MEMO, toName=TEXT, placeholder="memo", rows="2")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def tasks(
    table: pd.DataFrame, codings: pd.DataFrame | None, codes: Mapping[str, Code],
    machines: Iterable[str], addresses: Mapping[str, str],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return a task a row of ``table`` (``doc_id text source_id title speaker date``).

    With ``codings`` (of indicators) those of ``machines`` are predictions and others annotations;
    ``addresses`` are those of coders as users of Label Studio, by default their ids.
    """
    said = {} if codings is None else _results(codings, codes)
    known = set(machines)
    made = []
    for row in table.to_dict("records"):
        row["passage_id"] = row["doc_id"]
        task: dict[str, Any] = {"data": {name: row[name] for name in DATA}}
        for coder, result in said.get(row["doc_id"], {}).items():
            one = {"result": result}
            by = {"email": addresses.get(coder, coder)}
            if coder in known:
                task.setdefault("predictions", []).append({"model_version": coder, **one})
            else:
                task.setdefault("annotations", []).append({"completed_by": by, **one})
        made.append(task)
    return made


def _results(
    codings: pd.DataFrame, codes: Mapping[str, Code]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return results by passage and coder."""
    cell_of = {(level.indicator, 1): (name, level.name)
               for name, code in codes.items() for level in code.counted}  # fmt: skip
    cell_of |= {(name, 0): (name, code.cells[0])
                for name, code in codes.items() if code.kind.present}  # fmt: skip
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in codings.itertuples(index=False):
        own = found.setdefault(str(row.passage_id), {}).setdefault(str(row.coder), [])
        given = cell_of.get((row.code, int(row.value)))
        if given:
            own.append(_choice(*given))
        if row.unsure == 1 and _choice(UNSURE, "1") not in own:
            own.append(_choice(UNSURE, "1"))
    return found


def _choice(control: str, choice: str) -> dict[str, Any]:
    return {"from_name": control, "to_name": TEXT, "type": "choices",
            "value": {"choices": [choice]}}  # fmt: skip


def tasks_text(made: Sequence[Mapping[str, Any]], *, lines: bool) -> str:
    """Return tasks as one JSON list, as Label Studio takes them, or as a line each."""
    if lines:
        return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made)
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"
