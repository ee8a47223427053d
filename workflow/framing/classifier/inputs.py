"""The tables that classifiers learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from framing.classifier.similarity import Closeness
from framing.coding.variables import Variable, yes_no_variables
from framing.corpus.word_counts import WordCounts


@dataclass(frozen=True)
class Tables:
    """What the classifier of every code learns from, as tidy tables.

    ``passages`` are the passage frame, or of it whole sources, at least all with coded passages;
    ``labels`` (``passage_id code label share``) the combined codes and the coders' shares;
    ``words`` and ``hits`` (``passage_id cue pattern hits``) the facts of passages and exemplars;
    ``patterns`` (``cue pattern``) those of the codebook; ``exemplars`` (``passage_id code label``);
    ``closeness`` what words say of the codebook's rules;
    ``variables`` are codes with their levels, of which a yes/no code may be left out. For
    comparisons alone, ``votes`` (``cue code vote``) and, where an encoder is to be measured,
    ``embeddings`` (a row a passage or exemplar, indexed by its id; a column a dimension).
    """

    passages: pd.DataFrame
    labels: pd.DataFrame
    words: WordCounts
    hits: pd.DataFrame
    patterns: pd.DataFrame
    exemplars: pd.DataFrame
    closeness: Closeness
    votes: pd.DataFrame | None = None
    embeddings: pd.DataFrame | None = None
    variables: Sequence[Variable] = ()


@dataclass(frozen=True)
class Further:
    """Whole sources that taught no classifier: their part of the :class:`Tables` of these names.

    ``patterns``, ``closeness`` and ``variables`` are those that the classifiers were trained with.
    """

    passages: pd.DataFrame
    words: WordCounts
    hits: pd.DataFrame
    patterns: pd.DataFrame
    closeness: Closeness
    variables: Sequence[Variable] = ()


def variable_named(code: str, variables: Sequence[Variable]) -> Variable:
    """Return the variable of that name; one that is not among ``variables`` is a yes/no code."""
    found = [one for one in variables if one.name == code]
    return (found or yes_no_variables([code]))[0]
