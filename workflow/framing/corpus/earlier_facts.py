"""Derived facts as versions before the store of shards kept them: one JSON file a source.

They are read once more, by `framing derive`, which puts them into shards and removes the files. No
text is needed for it.
"""

from __future__ import annotations

from pathlib import Path

from framing.common.files import json_of, read_text
from framing.common.paths import DERIVED
from framing.common.problems import InputError, Problem, collect, raise_if_any
from framing.corpus.derived import FACTS_FORMAT, RESTORE, Facts, facts_defect, passage_defect
from framing.corpus.words import WORDS_VERSION

_KEYS = ["format", "words", "source_id", "text_sha256", "characters", "cues", "passages"]


def earlier_files() -> list[Path]:
    """Return the files of facts that are not yet in shards."""
    return sorted(DERIVED.glob("*.json"))


def earlier_problems() -> list[Problem]:
    """Return the problem that there are such files, if there are."""
    files = earlier_files()
    if not files:
        return []
    what = f"holds facts as an earlier version kept them ({len(files)} files *.json)"
    remedy = "Run `framing derive`: it takes them over, whether texts are at hand or not."
    return [Problem(DERIVED, what, remedy)]


def earlier_facts() -> list[Facts]:
    """Return the facts in these files.

    Raises :class:`InputError` with everything that is wrong with them.
    """
    problems: list[Problem] = []
    found = [collect(problems, _read, path) for path in earlier_files()]
    raise_if_any(problems)
    return found


def _read(path: Path) -> Facts:
    facts = json_of(read_text(path), path, RESTORE)
    if not isinstance(facts, dict) or list(facts) != _KEYS:
        raise InputError(Problem(path, f"must have the keys {', '.join(_KEYS)}", RESTORE))
    if (facts["format"], facts["words"]) != (FACTS_FORMAT, WORDS_VERSION):
        raise InputError(Problem(path, f"is not a file of format {FACTS_FORMAT}", RESTORE))
    rows = facts["passages"]
    defects = [facts_defect(facts), *(passage_defect(row, facts) for row in rows)]
    if facts["source_id"] != path.stem:
        defects.append(f"holds the facts of {facts['source_id']!r}")
    raise_if_any(Problem(path, defect, RESTORE) for defect in defects if defect)
    if len({row["passage_id"] for row in rows}) < len(rows):
        raise InputError(Problem(path, "has a passage twice", RESTORE))
    return facts
