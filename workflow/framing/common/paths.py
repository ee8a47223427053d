"""Where things stand in a project."""

from __future__ import annotations

from pathlib import Path

PUBLISHED = Path("published")
"""Where `framing publish` keeps the results that later ones are compared with."""
MANIFEST = "manifest.tsv"
"""The list of results with their digests, below `results/`."""

CONFIG = Path("config/config.yaml")
SOURCES = Path("corpus/sources.tsv")
PASSAGES = Path("corpus/passages.tsv")
SAMPLE = Path("corpus/sample.tsv")
UNSAMPLED = Path("corpus/unsampled.tsv")
HELD_OUT = Path("corpus/heldout.tsv")
CODERS = Path("corpus/coders.tsv")
CODINGS = Path("corpus/codings")
CODEBOOK = Path("corpus/codebook/codebook.yaml")
CODEBOOK_PAGE = Path("corpus/codebook/codebook.md")
DERIVED = Path("corpus/derived")
SCORES = Path("build/scores.tsv")
