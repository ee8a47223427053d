"""Codes made from codes: a passage carries a combination by what it carries of its codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framing.coding.variables import variable_of


def combined_codes(
    of_code: Mapping[str, Any], combinations: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return numbers by code, 0/1 or probabilities, and those of the configured combinations.

    Numbers are arrays, or columns of a table, one a passage.
    A passage carries a combination when it has all codes of ``all``, at least one of ``any`` and
    none of ``none``; probabilities combine as if codes were independent given the passage. Of
    levels of one code a passage has exactly one: they have no say together in ``all``, and in
    ``any`` and ``none`` their probabilities add up.
    """
    result = dict(of_code)
    for name, rule in combinations.items():
        value: Any = 1.0
        for parts in _by_variable(rule.get("all", [])):
            value = value * of_code[parts[0]]
            if len(parts) > 1:
                value = value * 0
        for parts in _by_variable(rule.get("none", [])):
            value = value * (1 - _sum(of_code, parts))
        if "any" in rule:
            neither: Any = 1.0
            for parts in _by_variable(rule["any"]):
                neither = neither * (1 - _sum(of_code, parts))
            value = value * (1 - neither)
        result[name] = value
    return result


def _by_variable(codes: Sequence[str]) -> list[list[str]]:
    """Return the codes that are levels of one, in the order of first mention."""
    found: dict[str, list[str]] = {}
    for code in codes:
        found.setdefault(variable_of(code), []).append(code)
    return list(found.values())


def _sum(of_code: Mapping[str, Any], parts: Sequence[str]) -> Any:
    total = of_code[parts[0]]
    for name in parts[1:]:
        total = total + of_code[name]
    return total
