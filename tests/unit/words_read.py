"""Words and tables of the package, read once in a process: no test changes what was read."""

from __future__ import annotations

from functools import cache

from framing.tables import specs

load_specs = cache(specs.load_specs)
