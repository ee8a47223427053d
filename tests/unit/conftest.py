"""The words of a made-up project and tables for them, for tests of renderings."""

from __future__ import annotations

import pandas as pd
import pytest

from framing.tables.captions import Edition, edition
from tests.unit.output_samples import context, tables
from tests.unit.words_read import load_specs


@pytest.fixture(scope="module")
def words() -> Edition:
    return edition(load_specs(), context())


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return tables()
