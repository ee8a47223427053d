"""Reading an answer: strictly, so that nothing but a level of each code ever comes out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from framing.acquire.machine.prompt import PASSAGE_ID, UNSURE
from framing.codebook.codes import Code
from framing.common.files import sha256

REFUSED = "refused"
CUT_OFF = "cut off before its end"
EMPTY = "empty"
NO_JSON = "not a JSON object, or more than one"
OTHER_PASSAGE = "for another passage"

_CUT_OFF = ("length", "max_tokens")
_FILTERED = ("content_filter", "refusal", "safety")
"""What servers give as the reason why an answer ended."""

_SORRY = re.compile(
    r"(?:i['’]?m |i am )?(?:very )?sorry\b|i (?:can['’]?t|cannot|could not|won['’]?t|will not"
    r"|must decline|am unable|am not able|['’]m not able)\b|i['’]m (?:unable|not able)\b"
    r"|as an ai\b|unfortunately,? i\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reading:
    """What an answer says: a level of each code, or ``defect``, why it cannot be used.

    ``kept`` is what of it may stand in a record: see :func:`kept`.
    """

    codes: Mapping[str, str] | None
    unsure: str
    defect: str
    kept: Mapping[str, Any]

    @property
    def usable(self) -> bool:
        """Return whether every code has its level."""
        return self.codes is not None


class _TwiceError(ValueError):
    """Raised where a JSON object has a key twice: which one counts is anybody's guess."""


def read_answer(
    text: str, passage: str, codes: Mapping[str, Code], finish: str = "", refusal: str = ""
) -> Reading:
    """Return what the answer ``text`` says of ``passage``.

    ``finish`` is why the server says it ended, ``refusal`` what it gave in place of an answer. An
    answer is usable where it is one JSON object, has exactly the keys that were asked for, is for
    this passage, and has a level of each code as its cells have it.
    """
    found, defect = _object(text)
    names = [PASSAGE_ID, *codes, UNSURE]
    if refusal or finish in _FILTERED or (found is None and _SORRY.match(text.strip())):
        defect = REFUSED
    elif finish in _CUT_OFF:
        defect = CUT_OFF
    elif found is not None:
        defect = _defect(found, passage, codes, names)
    keep = kept(text or refusal, found, passage, codes)
    if defect or found is None:
        return Reading(None, "NA", defect or NO_JSON, keep)
    said = {name: str(found[name]) for name in codes}
    return Reading(said, str(int(found[UNSURE])), "", keep)


def _object(text: str) -> tuple[dict[str, Any] | None, str]:
    """Return the JSON object that a text is, or None and why it is none."""
    if not text.strip():
        return None, EMPTY
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except _TwiceError:
        return None, "a JSON object with one key twice"
    except (ValueError, RecursionError):
        return None, NO_JSON
    return (found, "") if isinstance(found, dict) else (None, NO_JSON)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError
    return found


def _defect(
    found: Mapping[str, Any], passage: str, codes: Mapping[str, Code], names: Sequence[str]
) -> str:
    """Return what is wrong with an object, in words that quote nothing but names of codes."""
    if found.get(PASSAGE_ID) != passage:
        return OTHER_PASSAGE if PASSAGE_ID in found else f"without {PASSAGE_ID!r}"
    missing = [name for name in names if name not in found]
    if missing:
        return f"without {', '.join(map(repr, missing))}"
    if len(found) > len(names):
        return "with keys that were not asked for"
    wrong = [
        f"{name!r} is none of {', '.join(map(repr, code.cells))}"
        for name, code in codes.items()
        if found[name] not in code.cells
    ]
    if not isinstance(found[UNSURE], bool):
        wrong.append(f"{UNSURE!r} is neither true nor false")
    return "; ".join(wrong)


def kept(
    text: str, found: Mapping[str, Any] | None, passage: str, codes: Mapping[str, Code]
) -> dict[str, Any]:
    """Return what a record keeps of an answer: what was asked for, and the digest of all.

    A model may quote the passage, and no prose of a text may come into a project's record. So of
    values nothing is kept but what can be no prose: levels, truth values, the passage's own id. In
    place of any other stands its length and digest, by which it could be recognised.
    """
    record: dict[str, Any] = _outline(text)
    if found is not None:
        allowed = {PASSAGE_ID: (passage,), **{name: code.cells for name, code in codes.items()}}
        record["json"] = {
            name: found[name]
            if isinstance(found[name], bool) or found[name] in allowed.get(name, ())
            else _outline(found[name])
            for name in (PASSAGE_ID, *codes, UNSURE)
            if name in found
        }
        others = {name: found[name] for name in found if name not in (*allowed, UNSURE)}
        if others:
            record["others"] = _outline(others)
    return record


def _outline(value: Any) -> dict[str, Any]:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    # Half of a surrogate pair is no text, but a model can write it.
    return {"length": len(text), "sha256": sha256(text.encode("utf-8", "backslashreplace"))}
