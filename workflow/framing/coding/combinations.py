"""Codes made from codes: a passage carries a combination by what it carries of its codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def combined_codes(
    of_code: Mapping[str, Any], combinations: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return numbers by code, 0/1 or probabilities, and those of the configured combinations.

    Numbers are arrays, or columns of a table, one a passage.
    A passage carries a combination when it has all codes of ``all``, at least one of ``any`` and
    none of ``none``; probabilities combine as if codes were independent given the passage.
    """
    result = dict(of_code)
    for name, rule in combinations.items():
        value: Any = 1.0
        for code in rule.get("all", []):
            value = value * of_code[code]
        for code in rule.get("none", []):
            value = value * (1 - of_code[code])
        if "any" in rule:
            neither: Any = 1.0
            for code in rule["any"]:
                neither = neither * (1 - of_code[code])
            value = value * (1 - neither)
        result[name] = value
    return result
