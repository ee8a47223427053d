"""Shared fixtures: where things lie, and a small project on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def mini() -> Path:
    return ROOT / "examples" / "mini"
