"""Shared fixtures: where things lie, and a small project on disk."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warm import SHARED, Warm

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_finish() -> None:
    """Keep what has been imported out of the search for garbage: it was a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def mini() -> Path:
    return ROOT / "examples" / "mini"


@pytest.fixture(scope="session", autouse=True)
def warm() -> Iterator[Warm]:
    """Processes that begin with everything imported."""
    yield SHARED
    SHARED.close()
