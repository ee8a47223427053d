"""The result tables for reading, and the report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from framing.codebook.codebook import Codebook
from framing.common.config import ALL
from framing.inference.contrasts import UNDECIDED
from framing.report.layout import DASH, MINUS, PERCENT, Sheet, chosen, lay_out, number, percent
from framing.report.markdown import markdown_text
from framing.report.render import html_text, latex_text
from framing.report.spreadsheet import workbook
from framing.tables.captions import Edition
from framing.tables.contrasts import HELD, NOTHING_TO_HOLD, ONE_PERIOD, RAW
from framing.tables.csv_text import csv_text
from framing.tables.keys import key_of
from framing.tables.kinds import is_missing

FOLDER = Path(__file__).resolve().parents[2] / "report"
TEMPLATE, PAGE, STYLE = "report.html.j2", "table.html.j2", "report.css"
EXPLORER = "explorer.html"
ANSWER = "answer"
"""Place of a figure at the head of the report."""
_LEVEL = re.compile(r"\[[^\]]*\]$")
_INTERCEPT = "Intercept"


def render_tables(
    tables: Mapping[str, pd.DataFrame], words: Edition, written: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return every table for reading, by path below ``results/``, and its CSV file.

    ``tables`` maps each id of ``words.specs.tables`` to its frame, ``written`` to the text of its
    CSV file where there is one already. Makes ``tables/<id>.csv``,
    ``.tex``, ``.html`` and ``.md``. Raises :class:`ValueError` where a table is missing or its
    columns are not those described.
    """
    unlike = set(tables) ^ set(words.specs.tables)
    if unlike:
        raise ValueError(f"tables missing or not described: {sorted(unlike)}")
    texts: dict[str, str] = {}
    for name, spec in words.specs.tables.items():
        frame = tables[name]
        text = written[name] if written else csv_text(frame, spec)
        texts[f"tables/{name}.csv"] = text
        sheet, key = lay_out(frame, spec, words), key_of(name, text)
        texts[f"tables/{name}.tex"] = latex_text(frame, spec, words, sheet)
        texts[f"tables/{name}.html"] = table_page(frame, name, words, sheet)
        texts[f"tables/{name}.md"] = markdown_text(frame, spec, words, key, sheet)
    return texts


def render_workbook(texts: Mapping[str, str], words: Edition) -> bytes:
    """Return the workbook of all result tables, from what :func:`render_tables` made of them.

    ``texts`` are renderings by path, of which the CSV files of tables are taken.
    """
    return workbook({name: texts[f"tables/{name}.csv"] for name in words.specs.tables}, words)


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _style() -> Markup:
    """Return the style sheet: our own file, so nothing in it needs escaping."""
    return Markup((FOLDER / STYLE).read_text(encoding="utf-8"))


def table_page(frame: pd.DataFrame, name: str, words: Edition, sheet: Sheet | None = None) -> str:
    """Return one table, laid out as ``sheet``, as a page of its own: no network, no script."""
    spec = words.specs.tables[name]
    table = html_text(frame, spec, words, explorer=f"../{EXPLORER}", sheet=sheet)
    return _environment().get_template(PAGE).render(spec=spec, table=Markup(table), style=_style())


def report_html(
    tables: Mapping[str, pd.DataFrame], drawn: Mapping[str, str], words: Edition, book: Codebook
) -> str:
    """Return the report as one page that needs neither network nor script.

    ``tables`` are those of :func:`render_tables`; ``drawn`` holds the figures as SVG text by id,
    ``book`` is the codebook. The answer at its head is put together from T4 and T6 by the headline
    estimator and target.
    """
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            words=words,
            context=words.context,
            explorer=EXPLORER,
            style=_style(),
            book=book,
            # How many cues vote for (1) and against (−1) each code.
            voting=Counter(vote for cue in book.cues for vote in cue.votes.items()),
            inline=inline_html,
            tables={name: shown_and_folded(frame, name, words) for name, frame in tables.items()},
            figures={
                name: Markup(inline_svg(text, name, words.specs.figures[name].alt))
                for name, text in drawn.items()
            },
            answers=answers(tables["T4-prevalence"], words),
            theses=theses(tables["T6-contrasts"], words),
            leading=[name for name, one in words.specs.figures.items() if one.place == ANSWER],
            sections=sections(words, tables, drawn, other_things_equal(tables["T10-regression"])),
        )
    )


def sections(
    words: Edition,
    tables: Collection[str],
    figures: Collection[str],
    held: bool,
) -> list[tuple[str, str, list[str], list[str]]]:
    """Return the sections of the report that have a table: anchor, title, figures, tables.

    ``held`` says whether a regression held columns constant.
    """
    found = []
    for anchor, section in words.specs.sections.items():
        own = [
            n for n, spec in words.specs.tables.items() if spec.section == anchor and n in tables
        ]
        drawings = [
            name for name, one in words.specs.figures.items()
            if one.table in own and one.place != ANSWER and name in figures
        ]  # fmt: skip
        title = section.get("held", section["title"]) if held else section["title"]
        if own:
            found.append((anchor, title, drawings, own))
    return found


def shown_and_folded(frame: pd.DataFrame, name: str, words: Edition) -> tuple[Markup, Markup]:
    """Return a table as the report has it: what is shown at once, and what is folded away.

    Either is empty where there is no such part (``lead`` and ``folded`` of a table's print).
    """
    spec = words.specs.tables[name]
    whole = Markup(html_text(frame, spec, words, standing=False, explorer=EXPLORER))
    if spec.printing.folded:
        return Markup(), whole
    lead = chosen(frame, spec.printing.lead, words)
    if len(lead) == len(frame):
        return whole, Markup()
    return (
        Markup(html_text(lead, spec, words, standing=False, explorer=EXPLORER)),
        Markup(
            html_text(frame, spec, words, standing=False, anchor=f"{name}-all", explorer=EXPLORER)
        ),
    )


def inline_html(text: str) -> Markup:
    """Return a text of the codebook as HTML: of Markdown it may use emphasis and code."""
    safe = escape(text, quote=False)
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
    return Markup(re.sub(r"(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?![\w*])", r"<em>\1</em>", safe))


def inline_svg(svg: str, name: str, alt: str) -> str:
    """Return SVG text for use inside a page: no prologue, an accessible name."""
    start = svg.index("<svg")
    end = svg.index(">", start)
    opening = re.sub(r' (?:width|height)="[^"]*"', "", svg[start:end])
    return f'{opening} role="img" aria-label="{escape(alt)}">{svg[end + 1 :]}'


def _quantity(row: Mapping[str, Any], words: Edition, value: str = "estimate") -> dict[str, str]:
    """Return estimate and both intervals of a row in words, or the reason there is none.

    ``interval`` is that of sampling, ``coders`` the one that also covers who coded.
    """
    decimals = words.decimals

    def ends(low: str, high: str) -> str:
        said = [percent(row[name], decimals).removesuffix(PERCENT) for name in (low, high)]
        return "" if DASH in said else f"[{said[0]}, {said[1]}]"

    return {
        "value": percent(row[value], decimals),
        "interval": ends("ci_low", "ci_high"),
        "coders": ends("coder_low", "coder_high"),
        "status": str(row["status"]) if is_missing(row[value]) else "",
    }


def answers(t4: pd.DataFrame, words: Edition) -> list[dict[str, Any]]:
    """Return, for each code that is not made from others, its share overall and in each group.

    Entries have ``code`` (label), ``overall`` and ``groups`` (in display order, with ``group``),
    each with ``value interval coders status``.
    """
    led = words.headline
    rows = t4[(t4["estimator"] == led["estimator"]) & (t4["target"] == led["target"])]
    cells = {(row["code"], row["group"]): row for row in rows.to_dict("records")}
    return [
        {
            "code": label,
            "overall": _quantity(cells[code, ALL], words),
            "groups": [
                {"group": name, **_quantity(cells[code, group], words)}
                for group, name in words.labels["group"].items()
                if group != ALL and (code, group) in cells
            ],
        }
        for code, label in words.labels["code"].items()
        if code not in words.context.get("combinations", ()) and (code, ALL) in cells
    ]


def theses(t6: pd.DataFrame, words: Edition) -> list[dict[str, Any]]:
    """Return each contrast by the headline estimator and target: thesis, numbers, verdict.

    Entries have ``thesis verdict remark held raw``. ``held`` and ``raw`` are the difference with
    the period held and without (``a b value interval coders status p``), ``raw`` None where there
    is no period to hold, so that both are one. The verdict is that of the first, by its adjusted
    p-value; ``remark`` says, of a thesis left undecided, what seems to decide it: that periods are
    mixed, or that theses are not counted.
    """
    led = words.headline
    rows = t6[(t6["estimator"] == led["estimator"]) & (t6["target"] == led["target"])]
    found = []
    for _, own in rows.groupby("contrast", sort=False):
        by_basis = {row["basis"]: row for row in own.to_dict("records")}
        held, raw = by_basis[HELD], by_basis[RAW]
        alone = any(words_ in str(held["status"]) for words_ in (NOTHING_TO_HOLD, ONE_PERIOD))
        found.append(
            {
                "thesis": held["thesis"],
                "verdict": words.label("verdict", held["verdict"]),
                "remark": _remark(held, raw, words),
                "held": _difference(held, words),
                "raw": None if alone else _difference(raw, words),
            }
        )
    return found


def _remark(held: Mapping[str, Any], raw: Mapping[str, Any], words: Edition) -> str:
    """Return why a thesis is undecided although an interval leaves zero out; mostly nothing."""
    phrases = words.specs.phrases["contrasts"]
    if held["verdict"] != UNDECIDED:
        return ""
    if _apart(held):
        return str(phrases["counted"])
    return str(phrases["mixed"]) if _apart(raw) else ""


def _apart(row: Mapping[str, Any]) -> bool:
    """Return whether a difference's own interval leaves zero out."""
    ends = [0.0 if is_missing(row[name]) else round(row[name], 6) for name in ("ci_low", "ci_high")]
    return ends[0] > 0 or ends[1] < 0


def _difference(row: Mapping[str, Any], words: Edition) -> dict[str, str]:
    return {
        "a": percent(row["estimate_a"], words.decimals),
        "b": percent(row["estimate_b"], words.decimals),
        "p": "" if is_missing(row["p_holm"]) else p_text(row["p_holm"], words.decimals),
        **_points(_quantity(row, words, "difference")),
    }


def other_things_equal(t10: pd.DataFrame) -> bool:
    """Return whether any model of T10 has more than one covariate, so that it holds some constant.

    Covariates are told by the terms of coefficients: ``group[a]`` and ``group[b]:period[c]`` name
    two, ``group`` and ``period``.
    """
    terms = t10[t10["kind"] == "coefficient"]
    for _, own in terms.groupby(["model", "code"]):
        named = {_LEVEL.sub("", part) for term in own["term"] for part in term.split(":")}
        if len(named - {_INTERCEPT}) > 1:
            return True
    return False


def _points(quantity: dict[str, str]) -> dict[str, str]:
    """Return a difference of shares in percentage points, its sign always said."""
    value = quantity["value"].removesuffix(PERCENT)
    sign = "" if value.startswith((MINUS, DASH)) else "+"
    return {**quantity, "value": f"{sign}{value}"}


def p_text(value: float, decimals: int) -> str:
    """Return a p-value for running text: "p = 0.012" or "p < 0.001"."""
    text = number(value, decimals, "p")
    return f"p {text[0]} {text[1:]}" if text.startswith("<") else f"p = {text}"
