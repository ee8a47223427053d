"""The passage explorer: every passage with its codes, as one page that loads nothing.

:func:`explorer_data` puts the tables of a run into columns, :func:`explorer_html` the columns into
a page. The page of ``results/`` holds no prose. ``framing explore`` makes another one with the
prose of the texts at hand, which :func:`prose_data` adds and which is never committed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from framing.codebook.codebook import read_codebook
from framing.common.build import (
    read_build,
    read_codings_table,
    read_cue_hits,
    read_passage_frame,
    read_scores,
)
from framing.common.config import ALL
from framing.common.problems import InputError, Problem
from framing.sampling.roles import CONFIRMATION, DEVELOPMENT
from framing.tables.captions import Edition, plain
from framing.tables.context import read_edition

FOLDER = Path(__file__).resolve().parents[2] / "report"
TEMPLATE, SCRIPT, STYLES = "explorer.html.j2", "explorer.js", ("report.css", "explorer.css")
PAGE, OF_LEVELS = "explorer.html", "explorer-levels.css"
MILLION = 1_000_000  # probabilities are whole millionths: just what tables have of them

_NONE = "."
# One sign a passage for what a coder said: no and yes, unsure no and yes.
_SIGNS = {(0, 0): "0", (1, 0): "1", (0, 1): "n", (1, 1): "y"}
# Not to be seen in a source: what ends a script, opens a tag, or turns the line around.
_NOT_PLAIN = re.compile(
    "[<>&\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Tables:
    """What the explorer shows, as a run leaves it in ``build/``.

    ``sources`` is sources.tsv; ``passages`` the frame, in the order of sources and texts;
    ``codings`` (``passage_id coder code value unsure``), ``scores`` (see
    :mod:`framing.classifier.scores`), ``hits`` (``passage_id cue hits``), ``votes`` (``cue code
    vote``), ``coders`` (``coder kind``); ``cues`` says by name what each cue means, in the
    codebook's order.
    """

    sources: pd.DataFrame
    passages: pd.DataFrame
    codings: pd.DataFrame
    scores: pd.DataFrame
    hits: pd.DataFrame
    votes: pd.DataFrame
    coders: pd.DataFrame
    cues: Mapping[str, str]


@dataclass(frozen=True)
class Prose:
    """The prose at hand: of passages by id, hits of cues in it, and one whole text.

    ``spans`` (cue, start, end) are code points of a passage's text; ``between`` is what stands
    before, between and after the passages of the case study, empty where its text is absent.
    """

    text: Mapping[str, str]
    spans: Mapping[str, Sequence[tuple[str, int, int]]]
    between: Sequence[str] = ()


# --- files to tables ------------------------------------------------------------------------------


def load_explorer(
    given: Mapping[str, Any],
    config: Mapping[str, Any],
    caveat: str = "",
    held_out: Iterable[str] = (),
) -> tuple[Tables, dict[str, Any], Edition]:
    """Return the tables of a run, the columns made of them (no prose), and the project's words.

    ``given`` has the paths of ``sources passages codings scores votes codes coders codebook
    provenance captions`` and those of ``hits``, of which there are several; ``caveat`` is as in
    :func:`framing.tables.context.project_context`, ``held_out`` as in :func:`explorer_data`. Raises
    :class:`InputError` where sources.tsv no longer has a source whose passages were coded.
    """
    sources, passages = read_build(given["sources"]), read_passage_frame(given["passages"])
    coders = read_build(given["coders"])
    gone = sorted({*passages["source_id"]} - {*sources["source_id"]})
    if gone:
        what = f"lacks {', '.join(gone[:5])}, which the last run had"
        raise InputError(Problem(given["sources"], what, "Run `snakemake`."))
    words = read_edition(given, config, sources, passages, caveat)
    cues = read_codebook(Path(given["codebook"]))["cues"]
    tables = Tables(
        sources, passages, read_codings_table(given["codings"]), read_scores(given["scores"]),
        read_cue_hits(given["hits"]), read_build(given["votes"], vote="int64"), coders,
        {cue["name"]: cue["description"] for cue in cues},
    )  # fmt: skip
    data = explorer_data(tables, words, config["combinations"], held_out)
    return tables, data, words


# --- tables to columns ----------------------------------------------------------------------------


def explorer_data(
    tables: Tables,
    words: Edition,
    combinations: Mapping[str, Mapping[str, Any]],
    held_out: Iterable[str] = (),
) -> dict[str, Any]:
    """Return all that the page shows, in columns as JSON can hold them; no prose.

    ``combinations`` are those of the configuration. ``held_out`` are the ids of passages that
    nobody is to look at yet, as they await their codings in a draw for confirmation: they stay in
    the list, without scores, codes and cues, and without prose. A value that repeats is a place in
    a list, a yes or no one character.
    """
    hidden = set(held_out)
    tables = _without(tables, hidden)
    passages = tables.passages
    place = pd.Series(np.arange(len(passages)), index=passages["passage_id"])
    codes = list(tables.scores["code"].drop_duplicates())
    case = words.context["case_study"]
    return {
        "title": plain(words.context["title"]),
        "decimals": words.decimals,
        "case": case["source_id"] if case else "",
        "groups": _listed(words, "group", passages["group"]),
        "periods": _listed(words, "period", passages["period"]),
        "coders": [[name, plain(kind)] for name, kind in _pairs(tables.coders, "coder", "kind")],
        "codes": [_code(name, tables, words, combinations, codes, place) for name in codes],
        "cues": _cues(tables, codes),
        "sources": _sources(tables, words),
        "passages": _passages(tables, place, hidden),
        "hits": _hits(tables, place),
        "prose": None,
    }


def _without(tables: Tables, hidden: set[str]) -> Tables:
    """Return the tables without codings and hits of hidden passages, their scores emptied."""
    if not hidden:
        return tables
    scores = tables.scores.copy()
    at = scores["passage_id"].isin(hidden)
    scores["label"] = scores["label"].astype("Int64")
    scores.loc[at, ["probability", "decision", "unfamiliar"]] = 0
    scores.loc[at, "label"] = pd.NA
    return replace(
        tables,
        scores=scores,
        codings=tables.codings[~tables.codings["passage_id"].isin(hidden)],
        hits=tables.hits[~tables.hits["passage_id"].isin(hidden)],
    )


def _pairs(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(frame[list(columns)].itertuples(index=False, name=None))


def _listed(words: Edition, vocabulary: str, there: pd.Series) -> list[list[str]]:
    """Return id and label of what a vocabulary names, then of what only the data have."""
    labels = words.labels[vocabulary]
    names = [name for name in dict.fromkeys([*labels, *there]) if name != ALL]
    return [[name, words.label(vocabulary, name)] for name in names]


def _code(
    name: str,
    tables: Tables,
    words: Edition,
    combinations: Mapping[str, Mapping[str, Any]],
    codes: Sequence[str],
    place: pd.Series,
) -> dict[str, Any]:
    own = tables.scores[tables.scores["code"] == name]
    rows = place.loc[own["passage_id"]].to_numpy()
    probability = np.zeros(len(place), dtype=int)
    probability[rows] = np.round(own["probability"].to_numpy(dtype=float) * MILLION).astype(int)
    label = [_NONE if value is pd.NA else str(value) for value in own["label"].astype("Int64")]
    codings = tables.codings[tables.codings["code"] == name]
    by_coder: dict[Any, pd.DataFrame] = dict(list(codings.groupby("coder", sort=False)))
    nothing = codings.iloc[:0]
    rule = combinations.get(name, {})
    return {
        "id": name,
        "label": words.label("code", name),
        # Of a combination, the codes it is made of.
        "parts": [
            codes.index(part) for part in codes
            if any(part in rule.get(key, ()) for key in ("all", "any", "none"))
        ],
        "probability": probability.tolist(),
        "decision": _signs(place, rows, own["decision"].astype(str)),
        "label_of": _signs(place, rows, label),
        "coded": [
            _coded(by_coder.get(coder, nothing), place) for coder in tables.coders["coder"]
        ] if name not in combinations else [],
    }  # fmt: skip


def _coded(codings: pd.DataFrame, place: pd.Series) -> str:
    said = [_SIGNS[value, unsure] for value, unsure in _pairs(codings, "value", "unsure")]
    return _signs(place, place.loc[codings["passage_id"]].to_numpy(), said)


def _signs(place: pd.Series, rows: np.ndarray, signs: Iterable[str]) -> str:
    """Return one character a passage; a dot for those without."""
    column = np.full(len(place), _NONE, dtype="U1")
    column[rows] = list(signs)
    return "".join(column)


def _cues(tables: Tables, codes: Sequence[str]) -> list[dict[str, Any]]:
    vote: dict[str, dict[str, int]] = {}
    for cue, code, value in _pairs(tables.votes, "cue", "code", "vote"):
        vote.setdefault(cue, {})[str(codes.index(code))] = int(value)
    return [
        {"id": name, "says": plain(says), "votes": vote.get(name, {})}
        for name, says in tables.cues.items()
    ]


def _sources(tables: Tables, words: Edition) -> dict[str, Any]:
    first = tables.passages.drop_duplicates("source_id")
    own = tables.sources.set_index("source_id").loc[first["source_id"]]
    score = tables.scores.drop_duplicates("passage_id").set_index("passage_id")
    names = {key: [name for name, _ in _listed(words, key, tables.passages[key])]
             for key in ("group", "period")}  # fmt: skip
    return {
        "id": list(first["source_id"]),
        "title": [plain(text) for text in own["title"]],
        "speaker": [plain(text) for text in own["speaker"]],
        "date": [plain(text) for text in own["date"]],
        "url": [plain(text) for text in own["url"]],
        "from": [plain(text) for text in own["retrieved_from"]],
        "group": [names["group"].index(name) for name in first["group"]],
        "period": [names["period"].index(name) for name in first["period"]],
        "fold": [int(fold) for fold in score.loc[first["passage_id"], "fold"]],
    }


# One sign a passage: read, unread, not coded, and not to be looked at yet.
_PARTS = {DEVELOPMENT: "r", CONFIRMATION: "u", "": "n"}
_HELD_OUT = "h"


def _passages(tables: Tables, place: pd.Series, hidden: set[str]) -> dict[str, Any]:
    passages = tables.passages
    if "role" in passages.columns:
        roles = passages["role"].fillna("")
    else:
        roles = passages["weight"].notna().map({True: CONFIRMATION, False: ""})
    strange = tables.scores.loc[tables.scores["unfamiliar"] == 1, "passage_id"].unique()
    return {
        "id": list(passages["passage_id"]),
        "source": pd.factorize(passages["source_id"])[0].tolist(),
        "start": passages["start"].tolist(),
        "end": passages["end"].tolist(),
        "words": passages["words"].tolist(),
        "stratum": _indexed(passages["stratum"]),
        "status": _indexed(passages["design_status"]),
        "part": "".join(
            _HELD_OUT if name in hidden else _PARTS[role]
            for name, role in zip(passages["passage_id"], roles, strict=True)
        ),
        "framed": "".join("1" if inside else "0" for inside in passages["estimable"]),
        "unfamiliar": _signs(place, place.loc[strange].to_numpy(), ["1"] * len(strange)),
    }


def _indexed(column: pd.Series) -> dict[str, Any]:
    """Return a column as its distinct values and a place in them for each row."""
    places, values = pd.factorize(column.fillna("").astype(str))
    return {"values": [plain(value) for value in values], "of": places.tolist()}


def _hits(tables: Tables, place: pd.Series) -> dict[str, list[int]]:
    """Return hits by passage: how many cues each has, then cue and number, one after another."""
    number = {name: at for at, name in enumerate(tables.cues)}
    known = tables.hits["passage_id"].isin(place.index) & tables.hits["cue"].isin(number)
    hits = tables.hits[known]
    hits = hits.assign(at=place.loc[hits["passage_id"]].to_numpy(), cue=hits["cue"].map(number))
    hits = hits.sort_values(["at", "cue"], kind="stable")
    return {
        "number": np.bincount(hits["at"], minlength=len(place)).tolist(),
        "cue": hits["cue"].astype(int).tolist(),
        "times": hits["hits"].astype(int).tolist(),
    }


# --- prose ----------------------------------------------------------------------------------------


def prose_data(data: Mapping[str, Any], prose: Prose) -> dict[str, Any]:
    """Return the data of :func:`explorer_data` with the prose at hand, for a page not committed.

    Offsets become those of UTF-16, by which browsers count. Passages that nobody is to look at yet
    have none, nor what stands around them in the case study.
    """
    ids = data["passages"]["id"]
    hidden = {name for name, part in zip(ids, data["passages"]["part"], strict=True)
              if part == _HELD_OUT}  # fmt: skip
    prose = Prose(
        {name: text for name, text in prose.text.items() if name not in hidden},
        {name: spans for name, spans in prose.spans.items() if name not in hidden},
        () if hidden & set(_of_case(data)) else prose.between,
    )
    number = {cue["id"]: at for at, cue in enumerate(data["cues"])}
    spans: list[list[int]] = []
    for name in ids:
        text = prose.text.get(name, "")
        spans.append([])
        for cue, start, end in prose.spans.get(name, ()):
            if cue in number:
                spans[-1] += [number[cue], _utf16(text, start), _utf16(text, end)]
    return {
        **data,
        "prose": {
            "text": [_shown(prose.text[name]) if name in prose.text else None for name in ids],
            "spans": spans,
            "between": [_shown(text) for text in prose.between],
        },
    }


def _of_case(data: Mapping[str, Any]) -> list[str]:
    """Return the ids of the case study's passages."""
    if data["case"] not in data["sources"]["id"]:
        return []
    case = data["sources"]["id"].index(data["case"])
    passages = data["passages"]
    return [name for name, of in zip(passages["id"], passages["source"], strict=True) if of == case]


def _shown(text: str) -> str:
    """Return text of equal length, with a sign of replacement for each control character."""
    return _CONTROL.sub("\ufffd", text)


def _utf16(text: str, offset: int) -> int:
    return offset + sum(char > "\uffff" for char in text[:offset])


# --- columns to a page ----------------------------------------------------------------------------


def explorer_html(data: Mapping[str, Any], words: Edition, report: str = "report.html") -> str:
    """Return the explorer as one page: its style, its script and its data, and nothing to load.

    The policy of the page names the digests of that style and script, so that no other can run,
    whatever a title or a passage holds. ``report`` is the address of the report, from the page.
    """
    several = set(words.context["variables"]) - set(words.context["codes"])
    styles = (*STYLES, *[OF_LEVELS] * bool(several))
    style = "\n" + "".join((FOLDER / name).read_text(encoding="utf-8") for name in styles)
    script = "\n" + (FOLDER / SCRIPT).read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(FOLDER, encoding="utf-8"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(TEMPLATE).render(
        context=words.context, standing=words.standing, report=report,
        prose=data["prose"] is not None, style=Markup(style), script=Markup(script),
        policy=Markup(
            f"default-src 'none'; script-src '{_source(script)}'; style-src '{_source(style)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
        data=Markup(script_json(data)),
    )  # fmt: skip


def _source(text: str) -> str:
    """Return a text as a Content Security Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def script_json(data: Any) -> str:
    """Return JSON that can stand in a page's script element: nothing in it can end or leave it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _NOT_PLAIN.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
