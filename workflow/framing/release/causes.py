"""Why results moved: what differs between the records of what two sets were made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NAMED = 12  # so many names are given of those that share a fate; the others are counted
_LONGEST = 80  # characters of a setting's value that are shown
IDLE_SETTINGS = (
    "corpus", "fetching", "import_codings", "intake", "machine_coders", "planning", "project",
    "reading", "release", "report.changes_listed", "units",
)  # fmt: skip
"""Settings, or sections of them, that no cell of a table is made from."""
FOLLOWING = ("corpus/unsampled.tsv",)
"""Tables of the corpus that change with the sources."""
IDLE_PACKAGES = ("Jinja2", "XlsxWriter", "matplotlib")
"""Packages that only draw and typeset."""


@dataclass(frozen=True)
class Cause:
    """One thing that changed, in words; ``idle`` where no cell of a table is made from it."""

    text: str
    idle: bool = False


@dataclass(frozen=True)
class Causes:
    """What changed (None where there is no record), and what the records do not tell."""

    found: tuple[Cause, ...] | None
    unknown: tuple[str, ...] = ()

    @property
    def at_work(self) -> list[Cause]:
        """Return the causes that tables are made from."""
        return [cause for cause in self.found or () if not cause.idle]

    @property
    def idle(self) -> list[Cause]:
        """Return the changes that moved no cell."""
        return [cause for cause in self.found or () if cause.idle]


def causes(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Causes:
    """Return what differs between two records (:func:`framing.release.manifest.provenance`).

    Records of an earlier form, which name no sources, coders or cues, are compared as a whole.
    """
    if old is None or new is None:
        return Causes(None)
    codebook = list(_codebook(*_inputs("codebook", old, new)))
    found = [
        # Changed cues change every file of derived facts: no cause of its own.
        *_corpus(*_inputs("corpus", old, new), explained=bool(codebook)),
        *_codings(*_inputs("codings", old, new)),
        *codebook,
        *_encoder(*_inputs("models", old, new)),
        *_settings(old, new),
        *_packages(old, new),
    ]
    unknown = []
    if "code" in old and "code" in new:
        found += _code(old["code"], new["code"])
    else:
        unknown.append(
            "One of the two does not have on record which code made it: whether the workflow "
            "itself changed, beyond the versions given, is not known."
        )
    return Causes(tuple(found), tuple(unknown))


def _inputs(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return old["inputs"].get(name, {}), new["inputs"].get(name, {})


def _corpus(old: Mapping[str, Any], new: Mapping[str, Any], *, explained: bool) -> Iterator[Cause]:
    said = "their row, their passages or their words"
    sources = list(_named("Sources", old, new, "sources", said))
    found = [
        *sources,
        *_draws(old, new),
        *_named("Tables of the corpus", *_lists(old, new, followed=bool(sources)), "lists"),
    ]
    yield from found
    if not found and not explained:
        yield from _whole("the corpus", old, new, "sources", "its facts, but no source and no draw")


def _lists(
    old: Mapping[str, Any], new: Mapping[str, Any], *, followed: bool
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return both records; if a table only follows from other causes, without it.

    Passages that no draw could have taken are listed as sources come and go: no cause of its own.
    """
    if not followed:
        return old, new
    kept = [
        {name: digest for name, digest in one.get("lists", {}).items() if name not in FOLLOWING}
        for one in (old, new)
    ]
    return {**old, "lists": kept[0]}, {**new, "lists": kept[1]}


def _draws(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Cause]:
    was, now = _parts(old, new, "draws")
    for name in _unequal(was, now):
        title = "Sample" if name == "sample" else name.capitalize()
        if name not in was:
            yield Cause(f"{title} added: {_count(now[name]['passages'], 'passage')} drawn")
        elif name not in now:
            yield Cause(f"{title} removed: {_count(was[name]['passages'], 'passage')} drawn")
        else:
            yield Cause(f"{title} changed: {_from_to(was[name], now[name], 'passages')} passages")


def _codings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Cause]:
    was, now = _parts(old, new, "coders")
    names = _unequal(was, now)
    for name in names:
        if name in was and name in now:
            yield Cause(f"Codings of {name} changed: {_coding_change(was[name], now[name])}")
        else:
            state, coder = ("added", now) if name in now else ("removed", was)
            kind, passages = coder[name]["kind"], coder[name]["passages"]
            yield Cause(f"Coder {state}: {name} ({kind}, {_count(passages, 'passage')})")
    if not names:
        yield from _whole("the codings", old, new, "coders", "what is said of the coders, no code")


def _coding_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    said = [f"{_from_to(old, new, 'passages')} passages"]
    if old["kind"] != new["kind"]:
        said.append(f"kind {_from_to(old, new, 'kind')}")
    if old["sha256"] != new["sha256"]:
        present = {**old["present"], **new["present"]}
        said += [f"{code} in {_from_to(old['present'], new['present'], code)}" for code in present]
    return ", ".join(said)


def _codebook(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Cause]:
    found = [
        *_named("Codes", old, new, "codes", "definition, rules or exemplars"),
        *_named("Cues", old, new, "cues", "patterns, conditions or votes"),
    ]
    yield from found
    if "version" in old and "version" in new and old["version"] != new["version"]:
        yield Cause(f"Version of the codebook: {_from_to(old, new, 'version')}", idle=True)
    elif not found:
        yield from _whole("the codebook", old, new, "codes", "its words, but no code and no cue")


def _encoder(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Cause]:
    # Models themselves follow from everything else.
    if old.get("encoder") and new.get("encoder") and old["encoder"] != new["encoder"]:
        yield Cause("Files of the neural encoder changed")


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Cause]:
    was, now = (dict(_flat(one.get("config", {}).get("settings", {}))) for one in (old, new))
    for name in _unequal(was, now):
        values = " → ".join(_shown(one[name]) if name in one else "not set" for one in (was, now))
        idle = any(name == part or name.startswith(f"{part}.") for part in IDLE_SETTINGS)
        yield Cause(f"Setting {name}: {values}", idle=idle)


def _flat(data: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Give settings by their path; entries of a list that have ids go by these."""
    if isinstance(data, dict) and data:
        below = data.items()
    elif isinstance(data, list) and data and all(isinstance(d, dict) and "id" in d for d in data):
        below = {entry["id"]: entry for entry in data}.items()
    else:
        yield where, data
        return
    for key, value in below:
        yield from _flat(value, f"{where}.{key}" if where else str(key))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _packages(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Cause]:
    was, now = old.get("packages", {}), new.get("packages", {})
    for name in _unequal(was, now):
        versions = f"{was.get(name, 'none')} → {now.get(name, 'none')}"
        yield Cause(f"Package {name}: {versions}", idle=name in IDLE_PACKAGES)


def _code(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Cause]:
    rooms = _unequal(old, new)
    if rooms:
        yield Cause(f"Code of the workflow changed, below workflow/: {', '.join(rooms)}")


# --- words and sets -------------------------------------------------------------------------------


def _parts(
    old: Mapping[str, Any], new: Mapping[str, Any], name: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the parts of both sides, none where one of them does not name any."""
    return (old[name], new[name]) if name in old and name in new else ({}, {})


def _named(
    title: str, old: Mapping[str, Any], new: Mapping[str, Any], name: str, what: str = ""
) -> Iterator[Cause]:
    """Give what was added, removed and changed of parts that are known by name."""
    was, now = _parts(old, new, name)
    unequal = _unequal(was, now)
    for state, names in (
        ("added", [one for one in unequal if one not in was]),
        ("removed", [one for one in unequal if one not in now]),
        ("changed" + (f" ({what})" if what else ""),
         [one for one in unequal if one in was and one in now]),
    ):  # fmt: skip
        if names:
            yield Cause(f"{title} {state}: {_listing(names)}")


def _whole(
    title: str, old: Mapping[str, Any], new: Mapping[str, Any], part: str, what: str
) -> Iterator[Cause]:
    """Give that an input changed where no part of it is known to have changed."""
    if old.get("sha256") == new.get("sha256"):
        return
    if part in old and part in new:
        yield Cause(f"Files of {title} changed: {what}")
    else:
        yield Cause(
            f"Files of {title} differ ({_from_to(old, new, 'files')} files); the older record does "
            "not say which"
        )


def _unequal(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(
        name
        for name in {*old, *new}
        if name not in old or name not in new or old[name] != new[name]
    )


def _listing(names: Iterable[str]) -> str:
    every = list(names)
    shown = ", ".join(every[:NAMED])
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return f"{len(every)} ({shown}{more})"


def _from_to(old: Mapping[str, Any], new: Mapping[str, Any], key: str) -> str:
    was, now = old.get(key, "none"), new.get(key, "none")
    return str(now) if was == now else f"{was} → {now}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
