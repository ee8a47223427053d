"""What Snakemake's own report says of each result: captions as reStructuredText.

`snakemake --report` renders every caption as a template of Jinja, then as reStructuredText. Both
are languages that titles and labels of a project must not be able to speak, so that every sign
either of them knows is escaped.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

from framing.tables.captions import Edition, plain
from framing.tables.specs import load_specs

CAPTIONS = Path("build/captions")
"""Where a run leaves the captions: a file for each table, figure and page, and for the project."""
PROJECT = "project"
_SIGNS = re.compile(r"[!-/:-@\[-`{-~]")


def rst(text: str) -> str:
    """Return ``text`` as reStructuredText in a Jinja template that shows just this text."""
    escaped = _SIGNS.sub(lambda sign: f"\\{sign.group()}", plain(text))
    # An escaped brace is still one to Jinja, which is asked for a brace instead.
    return escaped.replace("{", "{{ '{' }}")


def captions(words: Edition) -> dict[str, str]:
    """Return a caption for each table, figure and page by its id, and the project's description."""
    specs, context = words.specs, words.context
    made = {
        name: _paragraphs(spec.title, spec.caption, f"Note. {spec.note}", words.standing)
        for name, spec in specs.tables.items()
    }
    made |= {
        name: _paragraphs(figure.title, figure.caption, f"Made from {figure.table}.")
        for name, figure in specs.figures.items()
    }
    made |= {name: _paragraphs(page.title, page.caption) for name, page in specs.pages.items()}
    head = plain(context["title"])
    underline = "=" * (2 * len(head) + 2)  # never shorter than the title, wide letters and all
    question = _paragraphs(None, context["question"], words.standing)
    return made | {PROJECT: f"{rst(head)}\n{underline}\n\n{question}"}


def _paragraphs(title: str | None, *parts: str) -> str:
    shown = [rst(part) for part in parts if part.strip()]
    if title:
        shown.insert(0, f"**{rst(title)}**")
    return "\n\n".join(shown) + "\n"


def shown(path: str, category: str) -> Any:
    """Return ``path``, an output of a rule, marked for Snakemake's report.

    It is listed under ``category`` with its title, and told by the caption of its name, which is
    looked for where the run is.
    """
    # Here, as only the Snakefile needs it.
    from snakemake.io import report

    name, form = Path(path).stem, Path(path).suffix[1:]
    caption = str((CAPTIONS / f"{name}.rst").absolute())
    return report(path, caption=caption, category=category, labels=partial(_labels, name, form))


def _labels(name: str, form: str, wildcards: Any) -> dict[str, str]:
    """Return how a result is listed; asked for only when a report is made."""
    # What a title takes from the project stands in the caption alone.
    title = load_specs().results[name].title.partition("{")[0].rstrip(" :")
    return {"result": name, "shows": title, "form": form}
