"""What of a project is no longer as it was frozen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from framing.codebook.codebook import Codebook
from framing.common.settings import with_defaults
from framing.project.freeze import (
    Freeze,
    canonical,
    components,
    settings_with_defaults,
    whole_numbers,
)
from framing.sampling.roles import Frozen

_NAMED = 3  # so many changed things of a kind are named in a caveat; the terminal names all


@dataclass(frozen=True)
class Change:
    """What of one kind is no longer as it was frozen, part by part."""

    kind: str
    parts: tuple[str, ...]

    @property
    def line(self) -> str:
        """Return the change in a line that names every part."""
        return f"{self.kind}: {'; '.join(self.parts)}"


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
        "settings": _of_settings(settings_with_defaults(old["settings"]), new["settings"]),
        "theses": _by_content("contrast", _frozen_theses(old["theses"]), new["theses"]),
        "case study": case,
        "sources": _of_sources(frozen.sources, sources, ids),
    }
    return tuple(Change(kind, tuple(found)) for kind, found in parts.items() if found)


def _frozen_theses(theses: Mapping[str, Any]) -> dict[str, Any]:
    entries = with_defaults({"contrasts": [{"id": name, **one} for name, one in theses.items()]})
    return {
        one["id"]: whole_numbers({key: value for key, value in one.items() if key != "id"})
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
    left = Counter(canonical(one) for one in old.values())
    left.subtract(canonical(one) for one in new.values())
    gone = {name: one for name, one in old.items() if _taken(left, canonical(one), 1)}
    come = {name: one for name, one in new.items() if _taken(left, canonical(one), -1)}
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
    if canonical(old) == canonical(new):
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
    """Return changes in a few words for a caveat: the first ones, and how many more there are."""
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
