"""T1-corpus, T7-essay and T8-cues."""

import json
from pathlib import Path

from framing.edge import (
    publish,
    read_build,
    read_codings_table,
    read_passage_frame,
    read_scores,
    speaking,
)
from framing.model.stored import one_hit
from framing.output.describe import case_table, corpus_table, cue_table

with speaking(snakemake.log[0]):
    mark = snakemake.params.mark
    given, config, codes = snakemake.input, snakemake.params.config, snakemake.params.codes
    passages, scores = read_passage_frame(given.passages), read_scores(given.scores)
    hits, votes = read_build(given.hits, hits="int64"), read_build(given.votes, vote="int64")
    hits = hits[hits["passage_id"].isin(passages["passage_id"])]
    vote = {c: dict(votes.loc[votes["code"] == c, ["cue", "vote"]].to_numpy()) for c in codes}
    models = {
        c: json.loads(Path(p).read_text("utf-8")) for c, p in zip(codes, given.models, strict=True)
    }
    weights = {code: {cue: one_hit(models[code], cue) for cue in vote[code]} for code in codes}
    cues = list(dict.fromkeys(votes["cue"]))
    codings, case = read_codings_table(given.codings), config["case_study"]
    corpus = corpus_table(read_build(given.sources), passages, config)
    publish(snakemake.output.corpus, corpus, given.captions, mark)
    essay = case_table(case, passages, codings, scores, hits, vote)
    publish(snakemake.output.essay, essay, given.captions, mark)
    publish(
        snakemake.output.cues, cue_table(cues, vote, hits, scores, weights), given.captions, mark
    )
