"""Where things stand in a project."""

from __future__ import annotations

from pathlib import Path

PUBLISHED = Path("published")
"""Where `framing publish` keeps the results that later ones are compared with."""
MANIFEST = "manifest.tsv"
"""The list of results with their digests, below `results/`."""
