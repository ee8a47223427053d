"""Put the codes' scores together, add further sources' passages and the configured combinations."""

from pathlib import Path

import pandas as pd

from framing.classifier.inputs import Further
from framing.classifier.scores import in_order, with_combinations
from framing.classifier.similarity import read_closeness
from framing.classifier.training import further_scores
from framing.coding.variables import read_variables
from framing.common.build import (
    read_build,
    read_hits,
    read_passage_frame,
    read_scores,
    speaking,
)
from framing.common.files import read_text, write_table
from framing.corpus.word_counts import read_counts

with speaking(snakemake.log[0]):
    given, params, codes = snakemake.input, snakemake.params, snakemake.params.codes
    passages = read_passage_frame(given.passages)
    scores = dict(zip(codes, map(read_scores, given.scores), strict=True))
    known = pd.concat(scores.values())["passage_id"]
    further = passages[~passages["passage_id"].isin(known)]
    if len(further):
        words, hits = read_counts(given.words), read_hits(given.hits)
        patterns = read_build(given.patterns, pattern="int64")
        closeness = read_closeness(read_text(Path(given.closeness)))
        fits = dict(zip(codes, (read_text(Path(path)) for path in given.fits), strict=True))
        variables = read_variables(read_build(given.codes))
        tables = Further(further, words, hits, patterns, closeness, variables)
        more = further_scores(tables, fits, params.config["classifier"])
        scores = {code: in_order(passages, part, more[code]) for code, part in scores.items()}
    whole = pd.concat(scores.values(), ignore_index=True)
    write_table(Path(snakemake.output[0]), with_combinations(whole, params.combinations))
