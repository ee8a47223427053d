"""Reading what classifiers learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from framing.classifier.inputs import Tables
from framing.classifier.similarity import read_closeness
from framing.coding.variables import read_variables
from framing.common.build import (
    read_build,
    read_embeddings,
    read_hits,
    read_passage_frame,
)
from framing.common.files import read_text
from framing.corpus.word_counts import read_counts


def read_tables(given: Any) -> Tables:
    """Read what classifiers learn from; ``given`` has the paths as attributes, named as fields.

    ``votes`` may be absent, and so may ``embeddings``, a list, for there is none without an
    encoder.
    """
    embeddings, votes = getattr(given, "embeddings", []), getattr(given, "votes", None)
    return Tables(
        read_passage_frame(given.passages),
        read_build(given.labels, label="int64", share="float64"),
        read_counts(given.words),
        read_hits(given.hits),
        read_build(given.patterns, pattern="int64"),
        read_build(given.exemplars, label="int64"),
        read_closeness(read_text(Path(given.closeness))),
        read_build(votes, vote="int64") if votes else None,
        read_embeddings(embeddings[0]) if embeddings else None,
        read_variables(read_build(given.codes)),
    )
