"""T1-corpus, T7-essay, T8-cues, T12-keyness; and what T3 and T10 say of all passages."""

import json
from pathlib import Path

from framing.classifier.model_file import one_hit
from framing.common.build import (
    by_cue,
    read_build,
    read_codings_table,
    read_hits,
    read_passage_frame,
    read_scores,
    read_words,
    speaking,
)
from framing.common.config import OURS
from framing.tables.corpus import case_table, corpus_table, cue_table
from framing.tables.io import publish, read_result
from framing.tables.keyness import keyness_table
from framing.tables.outside_frame import with_frame, with_unfamiliar

with speaking(snakemake.log[0]):
    mark = snakemake.params.mark
    given, config, codes = snakemake.input, snakemake.params.config, snakemake.params.codes
    passages, scores = read_passage_frame(given.passages), read_scores(given.scores)
    hits, votes = read_hits(given.hits), read_build(given.votes, vote="int64")
    hits = hits[hits["passage_id"].isin(passages["passage_id"])]
    found = {cue: own.groupby("pattern")["hits"].sum() for cue, own in hits.groupby("cue")}
    hits = by_cue(hits)
    vote = {c: dict(votes.loc[votes["code"] == c, ["cue", "vote"]].to_numpy()) for c in codes}
    models = {
        c: json.loads(Path(p).read_text("utf-8")) for c, p in zip(codes, given.models, strict=True)
    }
    weights = {
        code: {cue: one_hit(models[code], cue, dict(found.get(cue, {}))) for cue in vote[code]}
        for code in codes
    }
    cues = list(dict.fromkeys(votes["cue"]))
    codings, case = read_codings_table(given.codings), config["case_study"]
    corpus = corpus_table(read_build(given.sources), passages, config)
    publish(snakemake.output.corpus, corpus, given.captions, mark)
    essay = case_table(case, passages, codings, scores, hits, vote)
    publish(snakemake.output.essay, essay, given.captions, mark)
    publish(
        snakemake.output.cues, cue_table(cues, vote, hits, scores, weights), given.captions, mark
    )
    names = read_build(given.codes)
    labels = dict(zip(names["code"], names["label"], strict=True))
    keyness = keyness_table(passages, scores, read_words(given.words), config, labels)
    publish(snakemake.output.keyness, keyness, given.captions, mark)
    classifier = read_result(given.classifier, given.captions)
    classifier = with_unfamiliar(classifier, passages, scores, OURS)
    publish(snakemake.output.classifier, classifier, given.captions, mark)
    regression = with_frame(read_result(given.regression, given.captions), passages)
    publish(snakemake.output.regression, regression, given.captions, mark)
