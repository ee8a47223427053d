"""The tables that enter the model room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Tables:
    """What the classifier of every code learns from, as tidy tables.

    ``passages`` are the passage frame, or of it whole sources, at least all with coded passages;
    ``labels`` (``passage_id code label``) the combined codes; ``words`` (``passage_id word count``)
    and ``hits`` (``passage_id cue hits``) the facts of passages and exemplars; ``votes`` (``cue
    code vote``); ``exemplars`` (``passage_id code label``). ``embeddings`` (a row a passage or
    exemplar, indexed by its id; a column a dimension) are there where an encoder is to be measured.
    """

    passages: pd.DataFrame
    labels: pd.DataFrame
    words: pd.DataFrame
    hits: pd.DataFrame
    votes: pd.DataFrame
    exemplars: pd.DataFrame
    embeddings: pd.DataFrame | None = None


@dataclass(frozen=True)
class Further:
    """Whole sources that taught no classifier: their part of the :class:`Tables` of these names.

    ``stems`` are those of their words, as far as they have been worked out.
    """

    passages: pd.DataFrame
    words: pd.DataFrame
    hits: pd.DataFrame
    votes: pd.DataFrame
    stems: Mapping[str, str] = field(default_factory=dict)
