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
(:func:`changes`). A setting that a later version of framing added counts as unchanged where it has
the default of ``config.schema.yaml``. The program itself is not frozen: its version is on record.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from framing.codebook.codebook import Code, Codebook, Cue
from framing.codebook.cues import cue_digest, cue_problem
from framing.codebook.patterns import PatternError
from framing.codebook.patterns import fold as plain_signs
from framing.common.files import sha256
from framing.common.problems import InputError
from framing.common.settings import schema
from framing.corpus.tables import SOURCE_COLUMNS
from framing.sampling.roles import (
    Frozen,
)

FREEZES = Path("corpus/freeze")

RECORD, PAGE, ASSIGNED = "freeze.json", "freeze.md", "sources.tsv"

FORMAT = 1

PRESENTATIONAL = (
    "project", "corpus", "units", "reading", "fetching", "intake", "planning", "report", "release",
)  # fmt: skip
"""Sections of the configuration that change no estimate: titles, where files lie, how new texts are
read and cut (frozen passages never are), how results look, what `framing plan` reckons with."""

_NO_SETTINGS = (*PRESENTATIONAL, "contrasts", "case_study")  # the last two are apart

_ALWAYS = ("group", "date")  # columns of sources that are always frozen

_NEVER = frozenset(["source_id", "title", "words", "url", "rights", "retrieved_from", "sha256"])

_SIGNS = "%‰&@#§"  # said like words, though Unicode calls them punctuation

DIGITS = 16

_NAMED = 3  # so many changed things of a kind are named in a mark; the terminal names all


@dataclass(frozen=True)
class Freeze:
    """A freeze on record: its number, date, components, the draws it knew, and its sources."""

    number: int
    date: str
    version: str
    components: Mapping[str, Any]
    draws: Mapping[int, Mapping[str, Any]]
    sources: pd.DataFrame


@dataclass(frozen=True)
class Change:
    """What of one kind is no longer as it was frozen, part by part."""

    kind: str
    parts: tuple[str, ...]

    @property
    def line(self) -> str:
        """Return the change in a line that names every part."""
        return f"{self.kind}: {'; '.join(self.parts)}"


# --- what counts ----------------------------------------------------------------------------------


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
    return sha256(_canonical(data))[:DIGITS]


def _canonical(data: Any) -> str:
    return json.dumps(_whole(data), ensure_ascii=False, sort_keys=True)


def _whole(data: Any) -> Any:
    """Return plain data with 2.0 as 2: to a setting both are the same number."""
    if isinstance(data, Mapping):
        return {str(key): _whole(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_whole(value) for value in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data


def _rules(code: Code) -> str:
    parts = [[code.definition], code.present, code.not_enough]
    return digest_of([[folded(text) for text in part] for part in parts])


def _cue(codebook: Codebook, cue: Cue) -> str:
    try:
        return digest_of({"hits": cue_digest(codebook, cue), "votes": dict(cue.votes)})
    except PatternError as error:
        raise InputError(cue_problem(codebook.place, cue.name, str(error))) from None


def _exemplars(code: Code) -> str:
    sides = [("carrying", code.carrying), ("near_miss", code.near_misses)]
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
    return _settings(found)


def _settings(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return sections with all that the schema has a default for, whole sections too."""
    missing = {
        name: one["default"]
        for name, one in schema()["properties"].items()
        if "default" in one and name not in sections and name not in _NO_SETTINGS
    }
    whole: dict[str, Any] = _whole(with_defaults({**missing, **sections}))
    return whole


def theses_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return every contrast by its id, defaults written out, the thesis as its words."""
    entries = with_defaults({"contrasts": config["contrasts"]})["contrasts"]
    return {
        one["id"]: _whole(
            {key: value for key, value in one.items() if key != "id"}
            | {"thesis": folded(one["thesis"])}
        )
        for one in entries
    }


def with_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return (sections of) a configuration, what is not set having the default of the schema."""
    known = schema()
    return {
        name: _filled(value, known["properties"].get(name, {}), known["$defs"])
        for name, value in data.items()
    }


def _filled(data: Any, schema: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(schema, Mapping) and "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    if not isinstance(schema, Mapping):
        return data
    if isinstance(data, Mapping):
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties", {})
        missing = {
            name: one["default"]
            for name, one in properties.items()
            if name not in data and isinstance(one, Mapping) and "default" in one
        }
        return {
            name: _filled(value, properties.get(name, others), known)
            for name, value in {**data, **missing}.items()
        }
    if isinstance(data, list):
        return [_filled(value, schema.get("items", {}), known) for value in data]
    return data


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


# --- what has changed -----------------------------------------------------------------------------


def changes(
    frozen: Freeze, config: Mapping[str, Any], codebook: Codebook, sources: pd.DataFrame
) -> tuple[Change, ...]:
    """Return what of a project is no longer as it was frozen, one change a kind; none if it stands.

    Raises :class:`InputError` on a cue whose pattern is broken.
    """
    old, new = frozen.components, components(config, codebook, sources)
    ids = dict(zip(sources["sha256"], sources["source_id"], strict=True))
    guided = old["guidance"] != new["guidance"]
    guidance = ["the guidance for all codes changed"] if guided else []
    case = []
    if old["case_study"] != new["case_study"]:
        told = [ids.get(one, "a text that left") if one else "none"
                for one in (new["case_study"], old["case_study"])]  # fmt: skip
        case = [f"{told[0]}, frozen as {told[1]}"]
    parts = {
        "rules of the codebook": [*_by_name("code", old["codes"], new["codes"]), *guidance],
        "cues": _by_content("cue", old["cues"], new["cues"]),
        "exemplars": _by_name("exemplars of", old["exemplars"], new["exemplars"]),
        "settings": _of_settings(_settings(old["settings"]), new["settings"]),
        "theses": _by_content("contrast", _frozen_theses(old["theses"]), new["theses"]),
        "case study": case,
        "sources": _of_sources(frozen.sources, sources, ids),
    }
    return tuple(Change(kind, tuple(found)) for kind, found in parts.items() if found)


def _frozen_theses(theses: Mapping[str, Any]) -> dict[str, Any]:
    entries = with_defaults({"contrasts": [{"id": name, **one} for name, one in theses.items()]})
    return {
        one["id"]: _whole({key: value for key, value in one.items() if key != "id"})
        for one in entries["contrasts"]
    }


def _by_name(noun: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what is told of parts whose names count."""
    said = []
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            said.append(f"{noun} {name!r} dropped")
        elif name not in old:
            said.append(f"{noun} {name!r} added")
        elif old[name] != new[name]:
            said.append(f"{noun} {name!r} changed")
    return said


def _by_content(noun: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what is told of parts whose names do not count: renaming one is no change."""
    left = Counter(_canonical(one) for one in old.values())
    left.subtract(_canonical(one) for one in new.values())
    gone = {name: one for name, one in old.items() if _taken(left, _canonical(one), 1)}
    come = {name: one for name, one in new.items() if _taken(left, _canonical(one), -1)}
    return _by_name(noun, gone, come)


def _taken(left: Counter[str], key: str, sign: int) -> bool:
    """Return whether one more of ``key`` is left over on the side of ``sign``, and take it."""
    if left[key] * sign <= 0:
        return False
    left[key] -= sign
    return True


def _of_settings(old: Any, new: Any, where: str = "") -> list[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        said = []
        for name in sorted({*old, *new}):
            below = f"{where}.{name}" if where else str(name)
            if name not in new:
                said.append(f"{below} is no longer set, frozen as {_shown(old[name])}")
            elif name not in old:
                said.append(f"{below} is {_shown(new[name])}, frozen without it")
            else:
                said += _of_settings(old[name], new[name], below)
        return said
    if _canonical(old) == _canonical(new):
        return []
    return [f"{where} is {_shown(new)}, frozen as {_shown(old)}"]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _of_sources(old: pd.DataFrame, sources: pd.DataFrame, ids: Mapping[str, str]) -> list[str]:
    """Return the frozen sources whose group, date or other columns are no longer the same."""
    there = sources.rename(columns={"sha256": "text"})
    columns = list(old.columns)
    absent = [name for name in columns if name not in there]
    if absent:
        return [f"column {name!r} of the sources dropped" for name in absent]
    now = Counter(there[columns].astype(str).itertuples(index=False, name=None))
    was = Counter(old.itertuples(index=False, name=None))
    wrong = sorted({row[0] for row in was - now})
    return [
        f"source {ids[text]!r}: {' or '.join(columns[1:])} changed"
        if text in ids
        else f"a source that was there is gone, or its text was changed (digest {text[:8]})"
        for text in wrong
    ]


def briefly(found: Iterable[Change]) -> str:
    """Return changes in a few words for a mark: the first of them, and how many more there are."""
    parts = [
        f"setting {part}" if change.kind == "settings" else part
        for change in found
        for part in change.parts
    ]
    more = len(parts) - _NAMED
    named = parts if more <= 1 else [*parts[:_NAMED], f"{more} other things changed"]
    return ", ".join(named)


def summary(freeze: Freeze | None, found: Sequence[Change]) -> Frozen | None:
    """Return of the latest freeze what :mod:`framing.sampling.roles` asks about."""
    if freeze is None:
        return None
    coded = {number: int(one["coded"]) for number, one in freeze.draws.items()}
    return Frozen(freeze.number, freeze.date, coded, briefly(found))
