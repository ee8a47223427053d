"""What tables are made from: data sets by name, each read when a table first asks for it.

A table's file names its data sets (``inputs``), a data set here the files that it is read from, and
from both it follows what a job of Snakemake's needs. A job on sampled sources alone reads the files
that hold these and no others (:data:`SAMPLED`), so that it is not run again when a source joins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from framing.coding.variables import variable_of
from framing.common.build import (
    by_cue,
    read_build,
    read_codings_table,
    read_hits,
    read_passage_frame,
    read_predictions,
    read_scores,
)
from framing.common.config import OURS
from framing.common.paths import SOURCES
from framing.corpus.word_counts import WordCounts, read_counts

FILES = {
    "sources": "corpus/sources.tsv",
    "passages": "build/passages.tsv",
    "scores": "build/scores.tsv",
    "codings": "build/codings.tsv",
    "coders": "build/coders.tsv",
    "codes": "build/codes.tsv",
    "votes": "build/votes.tsv",
    "words": "build/facts/{part}.npz",
    "hits": "build/facts/{part}.tsv",
    "models": "results/models/{code}.json",
    "predictions": "build/predictions/{code}.tsv",
    "learning": "build/learning/{code}.tsv",
    "rows": "build/sampled.digest",
    "formulas": "build/formulas.checked",
    "estimation": "build/scores.tsv",
}
"""Files by name; ``{part}`` stands for every part of the facts, ``{code}`` for every code."""

INSTRUMENT = "build/instrument.tsv"
"""In place of the file ``estimation`` where not the classifier alone is the instrument."""

SAMPLED = {
    "passages": "build/sampled/passages.tsv",
    "scores": "build/scores/{code}.tsv",
    "estimation": "build/scores/{code}.tsv",
}
"""Those that a job on sampled sources reads in their place."""


@dataclass
class Inputs:
    """The data sets of one job.

    ``files`` are paths by the names in :data:`FILES`, ``codes`` the codebook's codes, a file each,
    ``tables`` result tables by id, as they are made.
    """

    files: Mapping[str, Sequence[str]]
    config: Mapping[str, Any]
    codes: Sequence[str]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    _read: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """Return the data set ``name``; read it where it has not been asked for yet."""
        if name in self.tables:
            return self.tables[name]
        if name not in self._read:
            self._read[name] = DATASETS[name].read(self)
        return self._read[name]


@dataclass(frozen=True)
class Dataset:
    """A data set: the files and other data sets it is read from, and how."""

    files: tuple[str, ...]
    read: Callable[[Inputs], Any]
    settings: tuple[str, ...] = ()


DATASETS: dict[str, Dataset] = {}


def _from(
    *files: str, settings: Sequence[str] = ()
) -> Callable[[Callable[[Inputs], Any]], Callable[[Inputs], Any]]:
    def register(read: Callable[[Inputs], Any]) -> Callable[[Inputs], Any]:
        DATASETS[read.__name__.strip("_")] = Dataset(files, read, tuple(settings))
        return read

    return register


@_from("sources")
def _sources(given: Inputs) -> pd.DataFrame:
    return read_build(given.files["sources"][0])


@_from("rows", "formulas", settings=["groups"])
def _regressors(given: Inputs) -> pd.DataFrame:
    """The table of sources with its columns typed, once the formulas are known to be right.

    Of the table itself only the rows of sampled sources count, whose digest is the file.
    """
    from framing.corpus.tables import read_sources

    return read_sources(SOURCES, given.config["groups"])


@_from("passages")
def _passages(given: Inputs) -> pd.DataFrame:
    return read_passage_frame(given.files["passages"][0])


@_from("scores")
def _scores(given: Inputs) -> pd.DataFrame:
    """Of codes and, in jobs on all sources, of their combinations."""
    return read_scores(given.files["scores"])


@_from("scores", "codes")
def _single_scores(given: Inputs) -> pd.DataFrame:
    """Without combinations of codes."""
    scores = given["scores"]
    return scores[scores["code"].isin(given["codes"])]


@_from("estimation")
def _estimation_scores(given: Inputs) -> pd.DataFrame:
    """What estimates rest on: the classifier's scores, or those of the configured instruments."""
    return read_scores(given.files["estimation"])


@_from("estimation", "codes")
def _single_estimation_scores(given: Inputs) -> pd.DataFrame:
    """Without combinations of codes."""
    scores = given["estimation_scores"]
    return scores[scores["code"].isin(given["codes"])]


@_from("passages", "estimation", settings=["combinations"])
def _combined_estimation_scores(given: Inputs) -> pd.DataFrame:
    """With combinations of codes, for jobs on sampled sources."""
    from framing.classifier.scores import with_combinations

    scores, combinations = given["estimation_scores"], given.config["combinations"]
    if given.files["estimation"] == [INSTRUMENT]:  # of all sources, and with combinations
        return scores[scores["passage_id"].isin(given["passages"]["passage_id"])]
    return with_combinations(scores, combinations)


@_from("codings", settings=["coders"])
def _codings(given: Inputs) -> pd.DataFrame:
    """Of coders who coded by themselves: not of an adjudicator."""
    from framing.coding.codings import independent

    return independent(given["all_codings"], given.config["coders"])


@_from("codings")
def _all_codings(given: Inputs) -> pd.DataFrame:
    """The adjudicator's too, for whoever combines coders."""
    return read_codings_table(given.files["codings"][0])


@_from("codes")
def _codes(given: Inputs) -> list[str]:
    """Codes that tables of shares have: of those with levels, their indicators."""
    return [name for one in given["variables"] for name in one.indicators]


@_from("coders")
def _coders(given: Inputs) -> pd.DataFrame:
    return read_build(given.files["coders"][0])


@_from("codes")
def _variables(given: Inputs) -> Any:
    """Codes with their levels (:class:`framing.coding.variables.Variable`)."""
    from framing.coding.variables import read_variables

    return read_variables(read_build(given.files["codes"][0]))


@_from("codes")
def _labels(given: Inputs) -> dict[str, str]:
    """How a reader knows codes, combinations and mean levels."""
    from framing.coding.variables import mean_labels

    names = read_build(given.files["codes"][0])
    labels = dict(zip(names["code"], names["label"], strict=True))
    return labels | mean_labels(given["variables"])


@_from("words")
def _words(given: Inputs) -> WordCounts:
    return read_counts(given.files["words"])


@_from("passages", "hits")
def _hits(given: Inputs) -> pd.DataFrame:
    """By pattern, in passages of the corpus: exemplars have hits, too."""
    hits = read_hits(given.files["hits"])
    return hits[hits["passage_id"].isin(given["passages"]["passage_id"])]


@_from("passages", "hits")
def _cue_hits(given: Inputs) -> pd.DataFrame:
    return by_cue(given["hits"])


@_from("votes")
def _cues(given: Inputs) -> list[str]:
    return list(dict.fromkeys(read_build(given.files["votes"][0])["cue"]))


@_from("votes", "codes")
def _votes(given: Inputs) -> dict[str, dict[str, int]]:
    """By code and cue."""
    votes = read_build(given.files["votes"][0], vote="int64")
    return {
        code: dict(votes.loc[votes["code"] == code, ["cue", "vote"]].to_numpy())
        for code in given["codes"]
    }


@_from("votes", "codes", "passages", "hits", "models")
def _cue_weights(given: Inputs) -> dict[str, dict[str, float | None]]:
    """What one hit adds to a code's score, by code and cue."""
    from framing.classifier.stored import reader_of

    found = {cue: own.groupby("pattern")["hits"].sum() for cue, own in given["hits"].groupby("cue")}
    models = {
        code: json.loads(Path(path).read_text("utf-8"))
        for code, path in zip(given.codes, given.files["models"], strict=True)
    }
    weights = {}
    for code, votes in given["votes"].items():
        model = models[variable_of(code)]
        one_hit = reader_of(model).one_hit
        weights[code] = {cue: one_hit(model, code, cue, dict(found.get(cue, {}))) for cue in votes}
    return weights


@_from("predictions")
def _predictions(given: Inputs) -> pd.DataFrame:
    return read_predictions(given.files["predictions"])


@_from("learning")
def _learning(given: Inputs) -> pd.DataFrame:
    """Quality by share of the codings that taught the classifier."""
    numbers = {"share": "float64", "repeat": "int64", "passages": "int64", "score": "float64"}
    return pd.concat([read_build(path, **numbers) for path in given.files["learning"]])


@_from(settings=["case_study"])
def _case(given: Inputs) -> str:
    """The source of the case study, or nothing."""
    return str(given.config["case_study"])


@_from(
    "passages", "codings", "codes", "scores", "predictions",
    settings=["case_study", "coders", "combinations", "robustness"],
)  # fmt: skip
def _material(given: Inputs) -> Any:
    """What specifications choose from."""
    from framing.tables.specifications import material

    return material(
        given["passages"], given["all_codings"], given["single_scores"], given["predictions"],
        given.config, OURS, given["variables"],
    )  # fmt: skip
