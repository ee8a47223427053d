"""Freezing: what a team decided before anybody looked at a confirmation draw, put on record.

A freeze lies in ``corpus/freeze/<n>/``:

``freeze.json``
    the components below, the draws on record with the number of their coded passages, the frame's
    digest, date and version of framing, and a digest over all of it;
``freeze.md``
    the same for readers, with codebook, cues, theses and settings in full: fit to be deposited as
    a preregistration;
``sources.tsv``
    group and date of every source then in the corpus, by the digest of its text.

Components, and what of them counts
    *rules* of each code (definition, present, not enough) and the general guidance, as the words
    they are made of: letter case, white space and punctuation do not count, nor do labels.
    *Cues* by what their hits can hang on and how they vote; a cue's name and description do not
    count. *Exemplars* by side and text; quotes, dashes and white space do not count, all else
    does, since the classifier learns from it. *Settings*: every section of the configuration
    but those that change no estimate (:data:`PRESENTATIONAL`), without labels of groups and
    combinations and without the order of groups. *Theses*: every contrast with its cells, what
    is expected and the words of the thesis; its id does not count. The *case study* by the digest
    of its text, so that a source can be renamed. *Sources*: the group and date of those that were
    there, and whatever else of them the formulas of regressions use; new ones do not count.

Whether a freeze stands is never noted down: it is worked out anew from the project as it is
(:mod:`framing.project.freeze_changes`). A setting that a later version of framing added counts as
unchanged where it has the default of ``config.schema.yaml``. The program itself is not frozen: its
version is on record.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from framing.codebook.codebook import Codebook, Cue
from framing.codebook.codes import Code
from framing.codebook.cues import cue_digest, cue_problem
from framing.codebook.pattern_syntax import PatternError
from framing.codebook.pattern_syntax import fold as plain_signs
from framing.common.files import sha256
from framing.common.problems import InputError
from framing.common.settings import schema, with_defaults
from framing.corpus.tables import SOURCE_COLUMNS

FREEZES = Path("corpus/freeze")

RECORD, PAGE, ASSIGNED = "freeze.json", "freeze.md", "sources.tsv"

FORMAT = 1

PRESENTATIONAL = (
    "project", "corpus", "units", "reading", "fetching", "intake", "import_codings",
    "machine_coders", "coding", "planning", "report", "release",
)  # fmt: skip
"""Sections of the configuration that change no estimate: titles, where files lie, how new texts are
read and cut (frozen passages never are), how selections of other programs become codings, how
programs that code are asked, what coders see at their page, how results look, what `framing plan`
reckons with."""

_NO_SETTINGS = (*PRESENTATIONAL, "contrasts", "case_study")  # the last two are apart

_ALWAYS = ("group", "date")  # columns of sources that are always frozen

_NEVER = frozenset(["source_id", "title", "words", "url", "rights", "retrieved_from", "sha256"])

_SIGNS = "%‰&@#§"  # said like words, though Unicode calls them punctuation

DIGITS = 16


@dataclass(frozen=True)
class Freeze:
    """A freeze on record: its number, date, components, the draws it knew, and its sources."""

    number: int
    date: str
    version: str
    components: Mapping[str, Any]
    draws: Mapping[int, Mapping[str, Any]]
    sources: pd.DataFrame


def folded(text: str) -> str:
    """Return the words of a text, lower-cased: what typographic edits leave alone.

    Punctuation parts words and is left out; letters, marks, digits and signs such as % stay.
    """
    normal = unicodedata.normalize("NFKC", text).casefold()
    kinds = [(unicodedata.category(sign), sign) for sign in normal]
    # Signs that are not seen (Cf), such as a soft hyphen, part nothing.
    kept = "".join(
        " " if kind[0] == "P" and sign not in _SIGNS else sign
        for kind, sign in kinds
        if kind != "Cf"
    )
    return " ".join(kept.split())


def _taught(text: str) -> str:
    """Return an exemplar's text but for the form of quotes and dashes, and white space."""
    return " ".join(plain_signs(unicodedata.normalize("NFC", text)).split())


def digest_of(data: Any) -> str:
    """Return the digest of data, whatever the order of their keys."""
    return sha256(canonical(data))[:DIGITS]


def canonical(data: Any) -> str:
    """Return data as JSON in one form, whatever the order of their keys."""
    return json.dumps(whole_numbers(data), ensure_ascii=False, sort_keys=True)


def whole_numbers(data: Any) -> Any:
    """Return plain data with 2.0 as 2: to a setting both are the same number."""
    if isinstance(data, Mapping):
        return {str(key): whole_numbers(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [whole_numbers(value) for value in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


def _rules(code: Code) -> str:
    parts: list[Sequence[str]] = [[code.definition]]
    for level in code.counted:
        if not code.kind.present:
            parts.append([code.kind.name, level.name, repr(level.number), level.definition])
        parts += [level.present, level.not_enough]
    return digest_of([[folded(text) for text in part] for part in parts])


def _cue(codebook: Codebook, cue: Cue) -> str:
    try:
        return digest_of({"hits": cue_digest(codebook, cue), "votes": dict(cue.votes)})
    except PatternError as error:
        raise InputError(cue_problem(codebook.place, cue.name, str(error))) from None


def _exemplars(code: Code) -> str:
    sides = [
        (side if code.kind.present else f"{side} of {level.name}", several)
        for level in code.counted
        for side, several in (("carrying", level.carrying), ("near_miss", level.near_misses))
    ]
    return digest_of(
        sorted([side, _taught(one.text)] for side, several in sides for one in several)
    )


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the analytic settings of a configuration, defaults written out, labels left out."""
    found = {name: value for name, value in config.items() if name not in _NO_SETTINGS}
    found["groups"] = sorted(found["groups"])
    found["combinations"] = {
        name: {key: value for key, value in rule.items() if key != "label"}
        for name, rule in found["combinations"].items()
    }
    return settings_with_defaults(found)


def settings_with_defaults(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return sections with all that the schema has a default for, whole sections too."""
    missing = {
        name: one["default"]
        for name, one in schema()["properties"].items()
        if "default" in one and name not in sections and name not in _NO_SETTINGS
    }
    whole: dict[str, Any] = whole_numbers(with_defaults({**missing, **sections}))
    return whole


def theses_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return every contrast by its id, defaults written out, the thesis as its words."""
    entries = with_defaults({"contrasts": config["contrasts"]})["contrasts"]
    return {
        one["id"]: whole_numbers(
            {key: value for key, value in one.items() if key != "id"}
            | {"thesis": folded(one["thesis"])}
        )
        for one in entries
    }


def assigned(config: Mapping[str, Any], sources: pd.DataFrame) -> pd.DataFrame:
    """Return what is frozen of the sources: ``text group date``, and columns that formulas name.

    ``text`` is the digest of the source's text; rows are sorted, so that ids do not matter.
    """
    formulas = " ".join(model["formula"] for model in config["regression"]["models"])
    named = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", formulas))
    more = [
        name
        for name in SOURCE_COLUMNS
        if name in named and name not in _NEVER and name not in _ALWAYS
    ]
    table = sources.rename(columns={"sha256": "text"})[["text", *_ALWAYS, *more]].astype(str)
    return table.sort_values(list(table), kind="stable", ignore_index=True)


def components(
    config: Mapping[str, Any], codebook: Codebook, sources: pd.DataFrame
) -> dict[str, Any]:
    """Return what is frozen of a project, as plain data, but for the table :func:`assigned`.

    Digests by name for codes, cues and exemplars; settings and theses as they are, so that a change
    can be named. Raises :class:`InputError` on a cue whose pattern is broken.
    """
    case = config["case_study"]
    text = sources.loc[sources["source_id"] == case, "sha256"]
    return {
        "codes": {name: _rules(code) for name, code in codebook.codes.items()},
        "guidance": digest_of([[folded(part) for part in pair] for pair in codebook.guidance]),
        "cues": {cue.name: _cue(codebook, cue) for cue in codebook.cues},
        "exemplars": {name: _exemplars(code) for name, code in codebook.codes.items()},
        "settings": settings_of(config),
        "theses": theses_of(config),
        "case_study": str(text.iloc[0]) if len(text) else "",
    }
