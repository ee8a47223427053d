"""From tidy tables to one trained and cross-fitted code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from framing.model.features import Facts, collect
from framing.model.scores import score_code
from framing.model.stored import model_data


def facts_of(
    ids: list[str], words: pd.DataFrame, hits: pd.DataFrame, cues: list[str], *, stemmed: bool
) -> Facts:
    """Return the facts of the passages ``ids``, in that order.

    ``words`` are ``passage_id word count``, ``hits`` are ``passage_id cue hits``; a passage may
    have no row in either.
    """
    counts: dict[str, dict[str, int]] = {name: {} for name in ids}
    for name, word, number in words[["passage_id", "word", "count"]].itertuples(index=False):
        if name in counts:
            counts[name][word] = number
    found: dict[str, dict[str, int]] = {name: {} for name in ids}
    for name, cue, number in hits[["passage_id", "cue", "hits"]].itertuples(index=False):
        if name in found:
            found[name][cue] = number
    return collect([counts[n] for n in ids], [found[n] for n in ids], cues, stemmed=stemmed)


def train_code(
    code: str,
    passages: pd.DataFrame,
    labels: pd.DataFrame,
    words: pd.DataFrame,
    hits: pd.DataFrame,
    votes: pd.DataFrame,
    exemplars: pd.DataFrame,
    settings: Mapping[str, Any],
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the cross-fitted scores of one code and its final classifier as plain data.

    ``passages`` is the passage frame; ``labels`` (``passage_id code label``) the combined codes;
    ``words``, ``hits`` the facts of passages and exemplars; ``votes`` (``cue code vote``);
    ``exemplars`` (``passage_id code label``).
    """
    own_labels = labels[labels["code"] == code]
    own_exemplars = exemplars[exemplars["code"] == code]
    own_votes = votes[votes["code"] == code]
    cues = list(dict.fromkeys(votes["cue"]))
    ids = [*passages["passage_id"], *own_exemplars["passage_id"]]
    facts = facts_of(ids, words, hits, cues, stemmed=settings["stem"])
    vote = dict(zip(own_votes["cue"], own_votes["vote"], strict=True))
    taught = list(own_exemplars["label"])
    scores, final, _ = score_code(code, facts, passages, own_labels, taught, vote, settings)
    trained_on = {
        "coded_passages": len(own_labels),
        "carrying": int(own_labels["label"].sum()),
        "exemplars": len(taught) if settings["exemplar_weight"] > 0 else 0,
    }
    return scores, model_data(code, final, facts, settings, trained_on)
