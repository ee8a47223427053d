"""The answer of a server that speaks the chat completions protocol, read without trust."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")


@dataclass(frozen=True)
class Completion:
    """What a model answered. ``counted`` says that the server counted the tokens."""

    text: str
    finish: str
    refusal: str
    model: str
    input_tokens: int
    output_tokens: int
    counted: bool
    fingerprint: str = ""

    def with_tokens(self, sent: int, came: int) -> Completion:
        """Return the same with tokens as they were estimated."""
        return replace(self, input_tokens=sent, output_tokens=came)


def read_completion(data: bytes) -> Completion | None:
    """Return the first choice of an answer; None where it is no whole answer of the protocol.

    A message may have no content: what a model refuses or thinks for itself is another field.
    """
    found = _json(data)
    try:
        choice = found["choices"][0]
        message = choice["message"]
        content = message.get("content")
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    if isinstance(content, list):  # some servers give parts
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        return None
    usage = found.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    sent, came = _whole(usage.get("prompt_tokens")), _whole(usage.get("completion_tokens"))
    return Completion(
        text=content or "",
        finish=_text(choice.get("finish_reason")),
        refusal=_text(message.get("refusal")),
        model=_text(found.get("model")),
        input_tokens=sent or 0,
        output_tokens=came or 0,
        counted=sent is not None and came is not None,
        fingerprint=_text(found.get("system_fingerprint")),
    )


def error_code(data: bytes) -> str:
    """Return the code or type that an error has, if it is a word; never what it says.

    Messages of servers quote requests, and keys.
    """
    found = _json(data)
    error = found.get("error") if isinstance(found, Mapping) else None
    if not isinstance(error, Mapping):
        return ""
    codes = [_text(error.get(name)) for name in ("code", "type")]
    return next((code for code in codes if _CODE.fullmatch(code)), "")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: Any) -> int | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
    return value if good else None
