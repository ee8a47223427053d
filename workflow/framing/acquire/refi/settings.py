"""Settings of taking in codings: when a passage carries the code of a selection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framing.common.settings import settled


@dataclass(frozen=True)
class Rule:
    """A passage carries a code where selections cover at least ``share`` of its characters."""

    share: float


def import_rule(own: Mapping[str, Any] | None = None) -> Rule:
    """Return the rule of the section ``import_codings`` as it holds, ``own`` being a project's."""
    return Rule(share=float(settled("import_codings", own)["covered"]))
