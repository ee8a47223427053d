"""The tables that enter the model room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from framing.edge import (
    read_build,
    read_embeddings,
    read_hits,
    read_passage_frame,
    read_words,
)
from framing.files import read_text
from framing.model.similarity import Closeness, read_closeness


@dataclass(frozen=True)
class Tables:
    """What the classifier of every code learns from, as tidy tables.

    ``passages`` are the passage frame, or of it whole sources, at least all with coded passages;
    ``labels`` (``passage_id code label share``) the combined codes and the coders' shares;
    ``words`` (``passage_id word count``) and ``hits`` (``passage_id cue pattern hits``) the facts
    of passages and exemplars; ``patterns`` (``cue pattern``) those of the codebook; ``exemplars``
    (``passage_id code label``); ``closeness`` what words say of the codebook's rules. For
    comparisons alone, ``votes`` (``cue code vote``) and, where an encoder is to be measured,
    ``embeddings`` (a row a passage or exemplar, indexed by its id; a column a dimension).
    """

    passages: pd.DataFrame
    labels: pd.DataFrame
    words: pd.DataFrame
    hits: pd.DataFrame
    patterns: pd.DataFrame
    exemplars: pd.DataFrame
    closeness: Closeness
    votes: pd.DataFrame | None = None
    embeddings: pd.DataFrame | None = None


@dataclass(frozen=True)
class Further:
    """Whole sources that taught no classifier: their part of the :class:`Tables` of these names.

    ``patterns`` and ``closeness`` are those that the classifiers were trained with; ``stems`` are
    those of the passages' words, as far as they have been worked out.
    """

    passages: pd.DataFrame
    words: pd.DataFrame
    hits: pd.DataFrame
    patterns: pd.DataFrame
    closeness: Closeness
    stems: Mapping[str, str] = field(default_factory=dict)


def read_tables(given: Any) -> Tables:
    """Read what classifiers learn from; ``given`` has the paths as attributes, named as fields.

    ``votes`` may be absent, and so may ``embeddings``, a list, for there is none without an
    encoder.
    """
    embeddings, votes = getattr(given, "embeddings", []), getattr(given, "votes", None)
    return Tables(
        read_passage_frame(given.passages),
        read_build(given.labels, label="int64", share="float64"),
        read_words(given.words),
        read_hits(given.hits),
        read_build(given.patterns, pattern="int64"),
        read_build(given.exemplars, label="int64"),
        read_closeness(read_text(Path(given.closeness))),
        read_build(votes, vote="int64") if votes else None,
        read_embeddings(embeddings[0]) if embeddings else None,
    )
